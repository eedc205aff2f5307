"""Time as zones, calendars and years have it: every session exactly once, in every zone, over every edge."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest

from schedules.calendar import deadline, instant, local_dates, occurrences, period_interval, period_name
from schedules.clock import Interval
from schedules.duty import Period
from schedules.grid import CalendarDay, DayKind, WeekTemplate
from schedules.station import Station
from tests.schedules.builders import duty, intent, place, session

ZONES = sorted(available_timezones())
YEARS = range(2026, 2028)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")
TET = {  # first day of the lunar year in Viet Nam; checked against moon and sun in tests/link/test_holidays.py
    2027: date(2027, 2, 6),
    2028: date(2028, 1, 26),
    2029: date(2029, 2, 13),
    2030: date(2030, 2, 2),
    2031: date(2031, 1, 23),
    2032: date(2032, 2, 11),
    2033: date(2033, 1, 31),
    2034: date(2034, 2, 19),
    2035: date(2035, 2, 8),
    2036: date(2036, 1, 28),
    2037: date(2037, 2, 15),
    2038: date(2038, 2, 4),
    2039: date(2039, 1, 24),
    2040: date(2040, 2, 12),
}


@cache
def changes(name: str) -> list[date]:
    """Return the local dates of 2026 and 2027 around which the clock of a zone changes."""
    zone = ZoneInfo(name)
    noons = [datetime(YEARS[0], 1, 1, 12, tzinfo=UTC) + timedelta(days=number) for number in range(2 * 365)]
    return [
        noon.astimezone(zone).date()
        for noon in noons
        if noon.astimezone(zone).utcoffset() != (noon + timedelta(days=1)).astimezone(zone).utcoffset()
    ]


def first_valid(zone: ZoneInfo, wanted: datetime) -> datetime:
    """Return the first instant at which the clock shows `wanted` or, in a gap, more; looked for by the minute."""
    moment = wanted.replace(tzinfo=UTC) - timedelta(hours=15)
    while True:
        if moment.astimezone(zone).replace(tzinfo=None) >= wanted:
            return moment
        moment += timedelta(minutes=1)


@pytest.mark.parametrize("name", ZONES)
def test_f33_each_session_of_a_changing_clock_airs_exactly_once(name: str) -> None:
    """Every half hour around each change: once, in the gap at the first valid instant, in the fold the first time."""
    zone = ZoneInfo(name)
    station = Station(code="XA", name="", unit="XA", zone=name)
    half_hours = tuple(time(number // 2, 30 * (number % 2)) for number in range(48))
    decided = intent(stations=(station,), sessions=(session(place("a"), starts=half_hours, length_s=60),))
    for day in changes(name):
        days = [day + timedelta(days=number) for number in range(-1, 3)]
        during = Interval(instant(zone, days[0], time(0)), instant(zone, days[-1] + timedelta(days=1), time(0)))

        found = {(one.day, one.number): one.during.start for one in occurrences(decided, station, during)}

        assert {(that, number) for that in days for number in range(1, 49)} == set(found)
        for (that, number), start in found.items():
            wanted = datetime.combine(that, half_hours[number - 1])
            shown = start.astimezone(zone).replace(tzinfo=None)
            before = (start - timedelta(minutes=1)).astimezone(zone).replace(tzinfo=None)
            assert shown >= wanted > before or shown == wanted
            if shown != wanted or start.astimezone(zone).fold:
                assert first_valid(zone, wanted) == start


@pytest.mark.parametrize("name", ZONES)
def test_f33_two_years_of_every_zone_have_every_daily_session_once(name: str) -> None:
    """At 02:30, where most clocks change: asked week by week, one session for each of the 730 dates."""
    zone = ZoneInfo(name)
    station = Station(code="XA", name="", unit="XA", zone=name)
    decided = intent(
        stations=(station,), sessions=(session(place("a"), starts=(time(2, 30),), length_s=60, since=LONG_AGO),)
    )
    edges = [instant(zone, date(YEARS[0], 1, 1) + timedelta(days=7 * week), time(2, 30)) for week in range(105)]

    found = [
        one.day for first, after in pairwise(edges) for one in occurrences(decided, station, Interval(first, after))
    ]

    assert [date(YEARS[0], 1, 1) + timedelta(days=number) for number in range(7 * 104)] == found


@pytest.mark.parametrize("name", ZONES)
def test_f34_weeks_months_and_years_follow_each_other_without_gap_in_every_zone(name: str) -> None:
    """Each period ends where the next begins, whatever the clock does then; each holds its first and last noon."""
    zone = ZoneInfo(name)
    for period, step in ((Period.WEEK, 7), (Period.MONTH, 31), (Period.YEAR, 365)):
        day = date(2026, 1, 1)
        whole = period_interval(period, period_name(period, day), zone)
        while day < date(2028, 1, 10):
            day = max(day + timedelta(days=1), whole.end.astimezone(zone).date())
            following = period_interval(period, period_name(period, day), zone)
            assert whole.end == following.start
            assert step - 4 <= (following.end - following.start) / timedelta(days=1) <= step + 4
            whole = following


@pytest.mark.parametrize(
    ("day", "week"),
    [
        (date(2026, 12, 28), "2026-W53"),
        (date(2027, 1, 3), "2026-W53"),
        (date(2027, 1, 4), "2027-W01"),
        (date(2029, 12, 31), "2030-W01"),
        (date(2032, 12, 31), "2032-W53"),
        (date(2037, 12, 31), "2037-W53"),
        (date(2199, 12, 31), "2200-W01"),
    ],
)
def test_f34_the_week_of_a_duty_is_the_iso_week(day: date, week: str) -> None:
    """At the ends of years a week belongs to the year of its Thursday; it has seven days."""
    assert week == period_name(Period.WEEK, day)
    assert 7 * 86400 == period_interval(Period.WEEK, week, VIETNAM).seconds


def test_f34_no_session_is_lost_or_doubled_over_the_turn_of_a_year_with_53_weeks() -> None:
    """Asked day by day, over midnight too: each date once."""
    late = session(place("a"), starts=(time(23, 45),), length_s=1800)
    decided = intent(sessions=(late,))
    station = decided.station("XA")
    days = [date(2026, 12, 27) + timedelta(days=number) for number in range(10)]

    found = [
        one.day
        for day in days
        for one in occurrences(
            decided,
            station,
            Interval(instant(VIETNAM, day, time(23, 45)), instant(VIETNAM, day + timedelta(days=1), time(0))),
        )
    ]

    assert days == found


def test_f34_the_29th_of_february_is_a_day_like_others() -> None:
    """Daily sessions air on it; its month, week and year hold it."""
    decided = intent(sessions=(session(place("a")),))
    month = period_interval(Period.MONTH, "2028-02", VIETNAM)

    found = [one.day for one in occurrences(decided, decided.station("XA"), month)]

    assert 29 == len(found)
    assert date(2028, 2, 29) == found[-1]
    assert month.contains(instant(VIETNAM, date(2028, 2, 29), time(23, 59)))
    assert 366 * 86400 == period_interval(Period.YEAR, "2028", VIETNAM).seconds


@pytest.mark.parametrize("year", TET)
def test_f34_in_tet_the_week_of_tet_holds(year: int) -> None:
    """From the eve to the third day another week; before and after it the standing one; a year after it again."""
    first = TET[year]
    block = [first + timedelta(days=number) for number in range(-1, 4)]
    calendar = tuple(CalendarDay(day=day, kind=DayKind.TET, name="Tết Nguyên Đán") for day in block)
    tet = WeekTemplate(id="tet", station="XA", name="Tết", day_kinds=(DayKind.TET,), since=LONG_AGO)
    rules = (session(place("a"), name="sang"), session(place("a"), name="tet", starts=(time(7),), template="tet"))
    decided = intent(sessions=rules, templates=(tet,), calendar=calendar)
    around = Interval(
        instant(VIETNAM, first - timedelta(days=4), time(0)), instant(VIETNAM, first + timedelta(days=8), time(0))
    )

    found = [(one.name, one.day) for one in occurrences(decided, decided.station("XA"), around)]

    days = [first + timedelta(days=number) for number in range(-4, 8)]
    assert [("tet" if day in block else "sang", day) for day in days] == found


def test_a_deadline_without_days_is_the_end_of_the_period_in_every_zone() -> None:
    """Also where the clock changes at that midnight."""
    for name in ZONES:
        zone = ZoneInfo(name)
        for month in range(1, 13):
            whole = period_interval(Period.MONTH, f"2026-{month:02d}", zone)
            assert whole.end == deadline(duty(period=Period.MONTH), whole, zone)


def test_a_clock_set_back_at_midnight_shows_the_day_before_once_more() -> None:
    """St. John's, 7 November 2010: a minute after midnight it was 23:01 again, so both dates are touched."""
    zone = ZoneInfo("America/St_Johns")
    midnight = instant(zone, date(2010, 11, 7), time(0))

    touched = list(local_dates(zone, Interval(midnight, midnight + timedelta(minutes=30))))

    assert [date(2010, 11, 6), date(2010, 11, 7)] == touched


def test_a_session_at_a_midnight_that_comes_twice_is_found_in_both_hours() -> None:
    """It started on the 7th and is still on while the clock shows the 6th again."""
    station = Station(code="XA", name="", unit="XA", zone="America/St_Johns")
    decided = intent(stations=(station,), sessions=(session(place("a"), starts=(time(0),), since=LONG_AGO),))
    midnight = instant(ZoneInfo(station.zone), date(2010, 11, 7), time(0))

    during = Interval(midnight + timedelta(minutes=10), midnight + timedelta(minutes=20))

    assert [date(2010, 11, 7)] == [one.day for one in occurrences(decided, station, during)]
