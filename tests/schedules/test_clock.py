"""Time as values: stretches, the simulated clock, and UTC at the door."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from schedules.clock import Interval, ManualClock, utc

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_an_interval_holds_its_start_and_not_its_end() -> None:
    """`[start, end)`: the end belongs to what follows."""
    during = Interval(NOON, NOON + HOUR)

    assert during.contains(NOON)
    assert not during.contains(NOON + HOUR)
    assert not during.contains(NOON - timedelta(microseconds=1))
    assert 3600.0 == during.seconds


@pytest.mark.parametrize(("start", "end", "shared"), [(-1, 0, False), (-1, 1, True), (1, 2, False), (0, 1, True)])
def test_intervals_that_only_touch_do_not_overlap(start: int, end: int, shared: bool) -> None:
    """Both must share more than a border."""
    assert shared is Interval(NOON, NOON + HOUR).overlaps(Interval(NOON + start * HOUR, NOON + end * HOUR))


def test_an_empty_interval_is_one_and_a_turned_one_is_refused() -> None:
    """An interval may have no length, but it never ends before it starts."""
    assert 0.0 == Interval(NOON, NOON).seconds
    with pytest.raises(ValueError, match="ends at or after"):
        Interval(NOON, NOON - HOUR)


@pytest.mark.parametrize("zone", [None, timezone(timedelta(hours=7))])
def test_an_interval_is_in_utc(zone: timezone | None) -> None:
    """Neither a naive time nor one of another zone is taken, at either end."""
    other = NOON.replace(tzinfo=zone)
    with pytest.raises(ValueError, match="aware UTC"):
        Interval(other, other)
    with pytest.raises(ValueError, match="aware UTC"):
        Interval(NOON, datetime(2026, 11, 24, tzinfo=timezone(HOUR)))


def test_the_simulated_clock_moves_only_when_told() -> None:
    """Time that passes moves both clocks; a step moves the wall clock alone."""
    clock = ManualClock(wall=NOON)

    clock.advance(60)
    clock.step(-3600)

    assert NOON + timedelta(minutes=1) - HOUR == clock.now()
    assert 60.0 == clock.monotonic()
    assert clock.state().trusted


def test_a_time_of_a_zone_becomes_utc_and_one_without_is_refused() -> None:
    """Nobody could say when a naive time is."""
    there = datetime(2026, 11, 23, 19, tzinfo=timezone(timedelta(hours=7)))

    assert (NOON, timedelta(0)) == (utc(there), utc(there).utcoffset())
    with pytest.raises(ValueError, match="without a zone"):
        utc(NOON.replace(tzinfo=None))
