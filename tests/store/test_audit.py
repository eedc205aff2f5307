"""The security log: whole, and without tricks in its text."""

from __future__ import annotations

from store import audit
from store.accounts import Role


def test_s39_control_characters_are_made_visible(database, people, now):
    """S39: line breaks, terminal escapes and right-to-left marks cannot make one row look like another."""
    with database.writing() as session:
        audit.note(session, at=now, what="sign_in", name="a\r\nb\x1b[31m\u202ec", detail="x" * 2000)
        audit.note(session, at=now, what="segment.approve", person=people[Role.APPROVER], subject="seg1")
    with database.reading() as session:
        newest, first = audit.newest(session)
    assert first.name == "a\\u000d\\u000ab\\u001b[31m\\u202ec"
    assert len(first.detail) == 500
    assert (newest.name, newest.person, newest.outcome) == ("approver", people[Role.APPROVER].id, "done")


def test_the_log_is_read_by_pages(database, now):
    """Pages go back from the newest row."""
    with database.writing() as session:
        for number in range(5):
            audit.note(session, at=now, what=f"w{number}")
    with database.reading() as session:
        page = audit.newest(session, limit=2)
        assert [entry.what for entry in page] == ["w4", "w3"]
        assert [entry.what for entry in audit.newest(session, before=page[-1].id)] == ["w2", "w1", "w0"]
