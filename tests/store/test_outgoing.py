"""What goes out: queued with the change that causes it, tried again, given up with a reason, and removed in the end."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert

from schedules.errors import Refused
from schedules.noticing import NoticeKind
from schedules.text import Text
from store import authority, notices, outgoing, tables_notices
from store.accounts import Role
from store.outgoing import MOST_BYTES, Attachment


def channel(session, person, now, **fields):
    """Add a channel of a person that is confirmed unless told otherwise."""
    values = {
        "id": f"c{fields.get('address', 'a@x.vn')[:12]}",
        "person": person.id,
        "kind": "mail",
        "address": "a@x.vn",
        "secret": "",
        "created_at": now,
        "code_tries": 0,
        "confirmed_at": now,
        "ended_at": None,
    } | fields
    session.execute(insert(tables_notices.channel).values(**values))


def queued(session, now, **fields):
    """Queue a message with usual words."""
    return outgoing.queue(session, **{"subject": "Việc", "text": "Nội dung", "kind": "report", "now": now} | fields)


def test_a_person_is_reached_by_every_confirmed_channel_and_no_other(database, people, now):
    """Addresses that nobody confirmed or that were ended get nothing; plain addresses get it once each."""
    officer = people[Role.OPERATOR]
    with database.writing() as session:
        channel(session, officer, now, address="good@x.vn")
        channel(session, officer, now, address="unsure@x.vn", confirmed_at=None)
        channel(session, officer, now, address="ended@x.vn", ended_at=now)
        channel(session, officer, now, address="https://x.vn/h", kind="webhook", secret="k")
        message = queued(session, now, to=(officer.id, officer.id), addresses=("b@x.vn", "b@x.vn"))
    with database.reading() as session:
        found = outgoing.of_message(session, message)
        assert sorted((one.kind, one.address, one.secret) for one in found) == [
            ("mail", "b@x.vn", ""),
            ("mail", "good@x.vn", ""),
            ("webhook", "https://x.vn/h", "k"),
        ]
        assert {one.state for one in outgoing.due(session, now + timedelta(days=1))} == {"queued"}


def test_everybody_finds_a_message_on_their_page_with_the_page_that_it_names(database, people, now):
    """Who has no address is told on the pages; a link in the text is where the notice leads."""
    officer = people[Role.OPERATOR].id
    with database.writing() as session:
        message = queued(session, now, to=(officer,), kind="ticket.urged", text="Sửa\nhttps://loa.vn/thiet-bi/phieu/x")
        queued(session, now, to=(officer,), kind="dispatch")
        assert outgoing.of_message(session, message) == ()
        sent_down, ticket = notices.listing(session, officer)
        assert notices.waiting(session, now + timedelta(days=2)) == {}, "it goes out by itself, not twice"
    assert (ticket.kind, ticket.path) == (NoticeKind.TICKET, "/thiet-bi/phieu/x")
    assert (sent_down.kind, sent_down.path) == (NoticeKind.SENT_DOWN, "/gui/den")


def test_what_is_not_urgent_waits_for_the_summary_and_a_report_for_the_morning(database, people, now):
    """At night nothing rings but what is urgent; by day only what was asked for."""
    officer = people[Role.OPERATOR]
    night = now.replace(hour=15)
    file = (Attachment(name="a.pdf", media_type="application/pdf", content=b"x"),)
    with database.writing() as session:
        channel(session, officer, now)
        ids = [
            queued(session, night, to=(officer.id,)),
            queued(session, night, to=(officer.id,), attachments=file),
            queued(session, night, to=(officer.id,), urgent=True),
        ]
        waits = [outgoing.of_message(session, one)[0].next_at for one in ids]
    local = [one.astimezone(ZoneInfo("Asia/Ho_Chi_Minh")).strftime("%H:%M") for one in waits]
    assert local == ["07:30", "06:00", "22:00"]


def test_nothing_in_a_subject_or_file_name_begins_a_header(database, now):
    """Line breaks and folders from outside are taken out, and what is too large is refused before it is queued."""
    with database.writing() as session:
        message = queued(
            session,
            now,
            addresses=("b@x.vn",),
            subject="Bài\r\nBcc: evil@x.vn",
            attachments=(Attachment(name="../a\nb.pdf", media_type="application/pdf", content=b"%PDF"),),
        )
        assert outgoing.of_message(session, message)[0].subject == "Bài Bcc: evil@x.vn"
        assert outgoing.attachments(session, message)[0].name == ".._a b.pdf"
        large = Attachment(name="a", media_type="x/y", content=b"x" * (MOST_BYTES + 1))
        with pytest.raises(Refused):
            queued(session, now, addresses=("b@x.vn",), attachments=(large,))


def test_urgent_messages_go_first_and_none_before_its_time(database, now):
    """Order of sending: urgent, then by time; one for later waits; what is over is not sent again."""
    with database.writing() as session:
        queued(session, now, addresses=("late@x.vn",), not_before=now + timedelta(hours=1))
        queued(session, now - timedelta(minutes=1), addresses=("plain@x.vn",))
        queued(session, now, addresses=("urgent@x.vn",), urgent=True)
    with database.writing() as session:
        first, second = outgoing.due(session, now)
        assert (first.address, second.address) == ("urgent@x.vn", "plain@x.vn")
        outgoing.sent(session, first.id, now)
        outgoing.failed(session, second.id, now, Text("Không nhận.", "Refused."))
        assert outgoing.due(session, now) == ()
        (late,) = outgoing.due(session, now + timedelta(hours=1))
        outgoing.postpone(session, late.id, until=now + timedelta(hours=2), why=Text("Bận.", "Busy."))
        assert outgoing.due(session, now + timedelta(hours=1)) == ()
        (late,) = outgoing.due(session, now + timedelta(hours=2))
        assert (late.attempts, late.why) == (1, Text("Bận.", "Busy."))


def test_tries_come_further_apart_and_end(now):
    """A minute, four, sixteen, an hour, four hours, and after two days no more."""
    waits = [outgoing.next_try(attempts, now) for attempts in range(17)]
    minutes = [(one - now).total_seconds() / 60 for one in waits if one is not None]
    assert minutes[:6] == [1, 4, 16, 64, 240, 240]
    assert waits[16] is None


def test_what_is_over_is_removed_after_a_while(database, now):
    """Old messages go with their files; one that still waits stays."""
    with database.writing() as session:
        file = Attachment(name="a.pdf", media_type="application/pdf", content=b"x")
        done = queued(session, now, addresses=("a@x.vn",), attachments=(file,))
        kept = queued(session, now, addresses=("b@x.vn",))
        outgoing.sent(session, outgoing.of_message(session, done)[0].id, now)
        assert outgoing.sweep(session, now + timedelta(days=1)) == 1
        assert outgoing.of_message(session, done) == ()
        assert outgoing.attachments(session, done) == ()
        assert len(outgoing.of_message(session, kept)) == 1


def test_a_setting_has_its_type_its_limits_and_a_usual_value(database, people, now):
    """What nobody decided is the usual value; what is out of limits is refused; a change is noted as one."""
    person = people[Role.ADMIN]
    with database.writing() as session:
        assert authority.value(session, authority.MAIL_PORT) == 587
        assert authority.decide(session, authority.MAIL_PORT, 25, person=person, now=now)
        assert not authority.decide(session, authority.MAIL_PORT, 25, person=person, now=now)
        assert authority.value(session, authority.MAIL_PORT) == 25
        assert authority.decide(session, authority.SECOND_FACTOR_ROLES, ("admin",), person=person, now=now)
        assert authority.value(session, authority.SECOND_FACTOR_ROLES) == ("admin",)
        for setting, wrong in (
            (authority.MAIL_PORT, 0),
            (authority.MAIL_SECURITY, "rot13"),
            (authority.SECOND_FACTOR_ROLES, ("king",)),
            (authority.BASE_URL, "x" * 501),
            (authority.MAIL_FROM, "a\r\nb"),
        ):
            with pytest.raises(Refused):
                authority.decide(session, setting, wrong, person=person, now=now)
