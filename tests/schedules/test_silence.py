"""Silent days: a day counts when something was due and nothing of it was heard, and only then."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from schedules.airing import Verdict
from schedules.silence import AirDay, Down, Outcome, SilentDay, air_days, silent_days
from schedules.text import Text

ZONE = "Asia/Ho_Chi_Minh"
POWER = Text("Mất điện", "Power cut")
BROKEN = Text("Cháy tăng âm", "Amplifier burnt")


def at(day: int, hour: int) -> datetime:
    """Return an hour of a day of November in the station's zone."""
    return datetime(2026, 11, day, hour - 7, tzinfo=UTC)


def slot(day: int, hour: int, verdict: Verdict, *, real: bool = True, reason: Text | None = None) -> Outcome:
    """Return how a slot ended."""
    return Outcome(planned_start=at(day, hour), verdict=verdict, real=real, reason=reason)


def test_a_day_is_silent_when_nothing_of_what_was_due_was_heard():
    """One airing in part saves the day; a day without anything due is none."""
    days = air_days(
        [
            slot(20, 7, Verdict.MISSED, reason=POWER),
            slot(20, 17, Verdict.MISSED),
            slot(21, 7, Verdict.MISSED, reason=POWER),
            slot(21, 17, Verdict.PARTIAL),
            slot(22, 17, Verdict.AIRED),
            slot(23, 7, Verdict.REPLACED),
            slot(23, 17, Verdict.CANCELLED),
        ],
        ZONE,
    )

    assert [(one.day.day, one.due, one.heard) for one in days] == [(20, 2, 0), (21, 2, 1), (22, 1, 1)]
    assert silent_days(days) == (SilentDay(day=date(2026, 11, 20), reason=POWER),)


def test_a_rehearsal_is_heard_by_nobody():
    """What played on virtual outputs only leaves the day silent."""
    days = air_days([slot(20, 7, Verdict.AIRED, real=False)], ZONE)

    assert silent_days(days) == (SilentDay(day=date(2026, 11, 20), reason=None),)


def test_a_day_is_the_stations_own():
    """23:30 in Universal Time is the next morning in Minh Long."""
    evening = Outcome(
        planned_start=datetime(2026, 11, 20, 23, 30, tzinfo=UTC), verdict=Verdict.AIRED, real=True, reason=None
    )

    assert [one.day for one in air_days([evening], ZONE)] == [date(2026, 11, 21)]


DAY = AirDay(day=date(2026, 11, 20), due=3, heard=3, first=at(20, 7), last=at(20, 17))


@pytest.mark.parametrize(
    ("downs", "silent"),
    [
        ([], False),
        ([(at(19, 12), None)], True),
        ([(at(20, 7), at(20, 18))], True),
        ([(at(20, 8), None)], False),
        ([(at(19, 12), at(20, 7))], False),
        ([(at(19, 12), at(20, 12))], False),
        ([(at(19, 12), at(20, 12)), (at(20, 12), None)], True),
        ([(at(20, 10), None), (at(19, 12), at(20, 12))], True),
        ([(at(19, 12), at(20, 9)), (at(20, 12), None)], False),
    ],
)
def test_a_cluster_is_silent_when_its_trouble_covers_all_that_was_due(downs, silent):
    """From the first slot of the day to the last one; a gap in which a slot may have been heard saves the day."""
    given = [Down(since=since, until=until, reason=BROKEN) for since, until in downs]

    assert silent_days([DAY], given) == ((SilentDay(day=DAY.day, reason=BROKEN),) if silent else ())
