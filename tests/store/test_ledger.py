"""The authority's ledger: one confirmation a person and airing, remarks added, nothing changed unnoticed."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from nacl.signing import SigningKey
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from schedules.airing import Airing, Evidence, Verdict
from schedules.errors import Conflict, JournalBroken
from store import ledger
from store.accounts import Role
from store.airings import LoggedAiring

KEY = SigningKey(b"a" * 32)


@pytest.fixture
def logged(now):
    """An airing as the station's journal has it."""
    airing = Airing(
        slot="LONGHIEP/sang/2026-11-23/cds",
        station="LONGHIEP",
        kind="segment",
        programme="CDS",
        segment="seg1",
        title="Tin thôn 1",
        sha256="a" * 64,
        topics=(),
        planned_start=now,
        planned_end=now + timedelta(seconds=30),
        started_at=now,
        ended_at=now + timedelta(seconds=30),
        seconds_aired=30.0,
        samples_aired=1_440_000,
        samples_expected=1_440_000,
        bit_exact=True,
        start_error_s=0.0,
        holes_s=0.0,
        parts=(),
        outputs=(),
        verdict=Verdict.AIRED,
        reason=None,
        rehearsal=False,
        evidence=Evidence.E1,
    )
    return LoggedAiring(station="LONGHIEP", seq=41, hash="b" * 64, airing=airing)


@pytest.fixture
def written(database, logged, people, now):
    """A ledger of three entries."""
    with database.writing() as session:
        operator, approver = people[Role.OPERATOR], people[Role.APPROVER]
        ledger.confirm(session, logged, operator, heard=True, text="Nghe rõ.", now=now, key=KEY)
        ledger.remark(session, logged, operator, text="Hơi nhỏ.", now=now + timedelta(minutes=1), key=KEY)
        ledger.confirm(session, logged, approver, heard=False, text="", now=now + timedelta(minutes=2), key=KEY)
    return database


def test_what_people_said_comes_back_with_name_and_time(written, logged, now):
    """In order, with the row of the journal that it speaks of."""
    with written.reading() as session:
        first, second, third = ledger.of_slot(session, logged.airing.slot)
        assert ledger.of_slots(session, [logged.airing.slot, "x"]) == {logged.airing.slot: (first, second, third)}
    assert (first.name, first.role, first.unit, first.heard, first.text) == (
        "Người operator",
        "operator",
        "LONGHIEP",
        True,
        "Nghe rõ.",
    )
    assert (first.at, first.row, first.confirms) == (now, (41, "b" * 64), True)
    assert (second.kind, second.heard, second.text, second.confirms) == ("remark", None, "Hơi nhỏ.", False)
    assert (third.heard, third.confirms) == (False, False)


def test_nobody_confirms_twice(written, logged, people, now):
    """Neither again nor the opposite; not even past the code, by the table itself."""
    with pytest.raises(Conflict), written.writing() as session:
        ledger.confirm(session, logged, people[Role.OPERATOR], heard=False, text="", now=now, key=KEY)
    copied = "INSERT INTO ledger SELECT 9, prev, time, kind, subject, person, body, 'x', signature FROM ledger"
    with pytest.raises(IntegrityError, match="UNIQUE"), written.writing() as session:
        session.execute(text(f"{copied} WHERE seq = 1"))


@pytest.mark.parametrize("act", ["UPDATE ledger SET subject = 'x'", "DELETE FROM ledger"])
def test_entries_cannot_be_changed_or_removed(written, act):
    """The table itself refuses."""
    with pytest.raises(IntegrityError, match="append-only"), written.writing() as session:
        session.execute(text(act))


def heard(said: bool) -> str:
    """Return SQL that turns what the third entry says."""
    return f"UPDATE ledger SET body = json_set(body, '$.heard', json('{json.dumps(said)}')) WHERE seq = 3"


@pytest.mark.parametrize(
    ("forgery", "bad"),
    [
        (heard(True), 3),
        ("UPDATE ledger SET time = '2026-01-01T00:00:00+00:00' WHERE seq = 2", 2),
        ("UPDATE ledger SET person = 'somebody' WHERE seq = 1", 1),
        ("DELETE FROM ledger WHERE seq = 2", 2),
        ("UPDATE ledger SET prev = hash WHERE seq = 2", 2),
        ("UPDATE ledger SET signature = 'no hex' WHERE seq = 2", 2),
        ("UPDATE ledger SET signature = (SELECT signature FROM ledger WHERE seq = 1) WHERE seq = 3", 3),
    ],
)
def test_a_forged_entry_is_named(written, forgery, bad):
    """Whoever writes into the database file itself is found at the entry that was changed."""
    with written.reading() as session:
        assert ledger.verify(session, KEY.verify_key)[0] == 3
    with written.writing() as session:
        session.execute(text("DROP TRIGGER ledger_no_update"))
        session.execute(text("DROP TRIGGER ledger_no_delete"))
        session.execute(text(forgery))
    with written.reading() as session, pytest.raises(JournalBroken) as broken:
        ledger.verify(session, KEY.verify_key)
    assert broken.value.seq == bad


def test_another_keys_signature_is_none(written):
    """A ledger that was written anew by somebody else does not verify."""
    with written.reading() as session, pytest.raises(JournalBroken, match="not signed"):
        ledger.verify(session, SigningKey(b"z" * 32).verify_key)
