"""The copy of how duties ended: rows once, as sealed, rebuilt at will."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from schedules.duty import DutyOutcome, DutyState
from schedules.text import Text
from store import outcomes


@pytest.fixture
def outcome(now):
    """A duty that was made up in week 47."""
    return DutyOutcome(
        duty="CDS",
        station="LONGHIEP",
        period="2026-W47",
        state=DutyState.MADE_UP,
        deadline=now,
        slots=("LONGHIEP/makeup.CDS/2026-11-16/1",),
        reason=Text("Đã phát bù.", "Made up."),
    )


def test_a_row_comes_back_whole_and_only_once(database, outcome):
    """The same number is not copied twice; the copy can be emptied and made again."""
    with database.writing() as session:
        assert outcomes.last_seq(session, "LONGHIEP") == 0
        assert outcomes.record(session, "LONGHIEP", 7, "h", outcome)
        assert not outcomes.record(session, "LONGHIEP", 7, "h", outcome)
        assert outcomes.last_seq(session, "LONGHIEP") == 7
        assert outcomes.listing(session, stations=["LONGHIEP"]) == (outcome,)
        outcomes.forget(session, "LONGHIEP")
        assert outcomes.listing(session, stations=["LONGHIEP"]) == ()


def test_they_are_found_by_station_period_and_deadline(database, outcome, now):
    """In order of deadline; the first sealing of a period stands."""
    week = timedelta(days=7)
    later = replace(outcome, period="2026-W48", state=DutyState.MET, deadline=now + week)
    with database.writing() as session:
        outcomes.record(session, "LONGHIEP", 9, "b", later)
        outcomes.record(session, "LONGHIEP", 7, "a", outcome)
        outcomes.record(session, "LONGHIEP", 12, "c", replace(outcome, state=DutyState.MISSED))
        outcomes.record(session, "LONGMAI", 1, "d", replace(outcome, station="LONGMAI"))
        assert outcomes.listing(session, stations=["LONGHIEP"]) == (outcome, later)
        assert outcomes.listing(session, stations=["LONGHIEP"], periods=["2026-W48"]) == (later,)
        assert outcomes.listing(session, stations=["LONGHIEP"], start=now + week) == (later,)
        assert outcomes.listing(session, stations=["LONGHIEP"], end=now + week) == (outcome,)
