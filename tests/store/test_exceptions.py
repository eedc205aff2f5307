"""Exceptions: decided, taken back, and not forgotten when their session gets a new version."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta

import pytest

from schedules.grid import Change, ItemKind, SessionException, SessionItem, SessionRule
from store import exceptions, sessions


@pytest.fixture
def rule(database, now):
    """A daily session, published."""
    rule = SessionRule(
        id="sang",
        station="LONGHIEP",
        name="Sáng",
        starts=(time(5, 0), time(17, 0)),
        length_s=1800,
        items=(SessionItem(id="tin", kind=ItemKind.SEGMENT, programme="CDS"),),
        since=now,
    )
    with database.writing() as session:
        return sessions.publish(session, rule, now)


@pytest.fixture
def cancelled(now):
    """The session of 1 December is cancelled."""
    return SessionException(
        id="", station="LONGHIEP", session="sang", day=date(2026, 12, 1), change=Change.CANCEL, since=now
    )


def _meanings(found):
    return [(one.session, one.day, one.change, one.number, one.since) for one in found]


def test_it_holds_until_it_is_taken_back(database, rule, cancelled, now):
    """It gets an id and the moment of the decision, is taken back once, and stays known for the past."""
    later = now + timedelta(hours=1)
    with database.writing() as session:
        made = exceptions.decide(session, replace(cancelled, since=now - timedelta(days=9)), now)
        assert made.id
        assert made.since == now
        assert exceptions.in_force(session, "LONGHIEP") == (made,)
        assert exceptions.in_force(session, "LONGMAI") == ()
        assert exceptions.take_back(session, made.id, later)
        assert not exceptions.take_back(session, made.id, later)
        assert exceptions.in_force(session, "LONGHIEP") == ()
        assert exceptions.find(session, made.id) == replace(made, until=later)
        assert exceptions.since(session, now, now.date()) == (replace(made, until=later),)
        assert exceptions.since(session, later, now.date()) == ()


@pytest.mark.parametrize(
    ("change", "known"),
    [({}, False), ({"following": True}, True), ({"change": Change.MOVE, "to_day": date(2026, 12, 6)}, True)],
)
def test_dates_that_are_over_are_left_out(database, rule, cancelled, now, change, known):
    """A decision about one past date is not carried to stations for ever; one that reaches further is."""
    with database.writing() as session:
        exceptions.decide(session, replace(cancelled, **change), now)
        assert bool(exceptions.since(session, now, date(2026, 12, 5))) is known


def test_a_new_version_of_the_session_keeps_what_was_decided(database, rule, cancelled, now):
    """A cancelled date stays cancelled when the session moves; a start that is no more has nothing to except."""
    later = now + timedelta(hours=1)
    with database.writing() as session:
        exceptions.decide(session, cancelled, now)
        exceptions.decide(session, replace(cancelled, day=date(2026, 12, 2), number=2), now)
        sessions.publish(session, replace(rule, starts=(time(6, 0),)), later)
        kept = exceptions.in_force(session, "LONGHIEP")
        assert _meanings(kept) == [("sang-2", date(2026, 12, 1), Change.CANCEL, None, now)]


def test_from_a_date_on_each_version_keeps_its_own(database, rule, cancelled, now):
    """Before the date the old version's decisions hold, after it the new one's; what follows on holds for both."""
    with database.writing() as session:
        exceptions.decide(session, cancelled, now)
        exceptions.decide(session, replace(cancelled, day=date(2026, 12, 20)), now)
        exceptions.decide(session, replace(cancelled, day=date(2026, 12, 3), following=True, number=2), now)
        sessions.publish_from(session, replace(rule, starts=(time(6, 0), time(18, 0))), date(2026, 12, 10), now)
        assert {meaning[:2] for meaning in _meanings(exceptions.in_force(session, "LONGHIEP"))} == {
            ("sang", date(2026, 12, 1)),
            ("sang", date(2026, 12, 3)),
            ("sang-2", date(2026, 12, 3)),
            ("sang-2", date(2026, 12, 20)),
        }
