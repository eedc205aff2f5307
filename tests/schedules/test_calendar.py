"""Local rules to instants: clock changes, midnight, week and year ends."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedules.calendar import instant, occurrences, open_until, period_interval, period_name, period_of, permitted
from schedules.clock import Interval, ManualClock, utc
from schedules.duty import Period
from schedules.station import DaySpan, Station
from tests.schedules.builders import intent, local, place, session

PARIS, LORD_HOWE = ZoneInfo("Europe/Paris"), ZoneInfo("Australia/Lord_Howe")
ZONES = st.sampled_from(sorted(available_timezones()))


@pytest.mark.parametrize(
    ("zone", "day", "at", "expected"),
    [
        (PARIS, date(2026, 3, 29), time(2, 30), datetime(2026, 3, 29, 1, tzinfo=UTC)),
        (PARIS, date(2026, 10, 25), time(2, 30), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        (LORD_HOWE, date(2026, 10, 4), time(2, 15), datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
        (ZoneInfo("Asia/Ho_Chi_Minh"), date(2026, 11, 23), time(5, 30), datetime(2026, 11, 22, 22, 30, tzinfo=UTC)),
    ],
)
def test_a_local_time_has_one_instant(zone: ZoneInfo, day: date, at: time, expected: datetime) -> None:
    """In the gap of a clock change the first valid instant, in the fold the first of the two."""
    assert expected == instant(zone, day, at)


@given(ZONES, st.dates(date(2026, 1, 1), date(2027, 12, 31)), st.times())
def test_every_local_time_of_every_zone_has_an_instant_on_or_just_after_it(name: str, day: date, at: time) -> None:
    """Outside gaps the instant shows exactly that local time; in a gap it lies at most a few hours later."""
    zone = ZoneInfo(name)
    shown = instant(zone, day, at).astimezone(zone).replace(tzinfo=None)

    assert timedelta(0) <= shown - datetime.combine(day, at) <= timedelta(hours=26)


def test_a_session_over_midnight_belongs_to_the_day_it_starts() -> None:
    """Asked about the early morning, the session of the evening before is there, under its own date."""
    rule = session(place("a"), starts=(time(23, 30),), length_s=3600)
    station = Station(code="XA", name="", unit="XA")

    (found,) = occurrences(intent(sessions=(rule,)), station, Interval(local(24, 0, 5), local(24, 0, 10)))

    assert date(2026, 11, 23) == found.day


def test_several_starts_have_names_of_their_own() -> None:
    """A rule with two starts gives two slots a day."""
    rule = session(place("a"), starts=(time(5, 30), time(17)))
    station = Station(code="XA", name="", unit="XA")

    found = occurrences(intent(sessions=(rule,)), station, Interval(local(23, 0), local(24, 0)))

    assert ["sang.1", "sang.2"] == [occurrence.name for occurrence in found]


@pytest.mark.parametrize(
    ("period", "day", "name"),
    [
        (Period.WEEK, date(2026, 12, 31), "2026-W53"),
        (Period.WEEK, date(2027, 1, 3), "2026-W53"),
        (Period.WEEK, date(2027, 1, 4), "2027-W01"),
        (Period.MONTH, date(2028, 2, 29), "2028-02"),
        (Period.YEAR, date(2026, 12, 31), "2026"),
    ],
)
def test_a_period_holds_the_days_that_name_it(period: Period, day: date, name: str) -> None:
    """ISO weeks at the year's end, leap days: the day lies in the period of its name."""
    zone = ZoneInfo("Asia/Ho_Chi_Minh")

    assert name == period_name(period, day)
    assert period_interval(period, name, zone).contains(instant(zone, day, time(12)))


@pytest.mark.parametrize(
    "name", ["0001", "0001-01", "0001-W01", "9999", "9999-12", "9999-W52", "2026-W54", "2026-13", ""]
)
def test_a_period_that_cannot_be_reckoned_is_none(name: str) -> None:
    """At the ends of the calendar there is no next week and no other zone; such names are refused like wrong ones."""
    with pytest.raises(ValueError, match="not a period"):
        period_of(name)


def test_permitted_hours_may_go_over_midnight() -> None:
    """20:00 to 02:00 and 02:00 to 03:00 together permit what crosses both."""
    hours = (DaySpan(start=time(20), end=time(2)), DaySpan(start=time(2), end=time(3)))
    station = Station(code="XA", name="", unit="XA", permitted=hours)

    assert permitted(station, Interval(local(23, 23), local(24, 2, 30)))
    assert not permitted(station, Interval(local(24, 2, 30), local(24, 3, 30)))


def test_a_time_without_a_zone_is_rejected() -> None:
    """Nobody can say when a naive time is."""
    with pytest.raises(ValueError, match="zone"):
        utc(datetime(2026, 11, 23, 5, 30))  # noqa: DTZ001 - that is the point
    with pytest.raises(ValueError, match="UTC"):
        Interval(datetime(2026, 11, 23), datetime(2026, 11, 24))  # noqa: DTZ001 - that is the point


def test_an_interval_does_not_end_before_it_starts() -> None:
    """A stretch of negative length is a mistake of the caller."""
    with pytest.raises(ValueError, match="ends"):
        Interval(local(24, 0), local(23, 0))


def test_the_simulated_clock_moves_as_it_is_told() -> None:
    """Advancing moves both clocks, a step only the wall."""
    clock = ManualClock(local(23, 5))
    clock.advance(10)
    clock.step(3600)

    assert (local(23, 6, 0, 10), 10.0) == (clock.now(), clock.monotonic())
    assert clock.state().trusted


@pytest.mark.parametrize(
    ("hours", "moment", "until"),
    [
        (((5, 7), (7, 21)), local(23, 6), local(23, 21)),
        (((5, 7), (16, 18)), local(23, 6), local(23, 7)),
        (((5, 7),), local(23, 12), local(23, 12)),
        (((5, 0), (0, 5)), local(23, 6), local(27, 0)),
        (((0, 0),), local(23, 6), None),
    ],
)
def test_permitted_hours_end_where_no_other_stretch_follows(
    hours: tuple[tuple[int, int], ...], moment: datetime, until: datetime | None
) -> None:
    """Stretches that touch are one; outside all of them the end is the moment itself."""
    spans = tuple(DaySpan(start=time(start), end=time(end)) for start, end in hours)
    station = Station(code="XA", name="", unit="XA", permitted=spans)

    found = open_until(station, moment)

    if until is None or found is None:
        assert until == found
    else:
        assert min(until, moment + timedelta(days=2)) <= found <= until
