"""The national calendar: Tết on its astronomical date, Vietnamese names, decrees before the law."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from math import floor, radians, sin

import pytest

from link.holidays import national_days, with_decrees
from schedules.grid import CalendarDay, DayKind

# First day of the lunar year in the Vietnamese almanac (UTC+7). Source: reckoned below from the moon and the sun with
# the formulas of Jean Meeus; in 2030 it is known to be a day before the Chinese one (3 February).
FIRST_DAYS = {
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


def new_moon(number: int) -> date:
    """Return the date (UTC+7) of a new moon, 0 is that of 6 January 2000: Meeus, Astronomical Algorithms, 49."""
    t = number / 1236.85
    days = 2451550.09766 + 29.530588861 * number + 0.00015437 * t * t
    sun = radians(2.5534 + 29.1053567 * number)
    moon = radians(201.5643 + 385.81693528 * number + 0.0107582 * t * t)
    latitude = radians(160.7108 + 390.67050284 * number)
    days += -0.4072 * sin(moon) + 0.17241 * sin(sun) + 0.01608 * sin(2 * moon) + 0.01039 * sin(2 * latitude)
    days += 0.00739 * sin(moon - sun) - 0.00514 * sin(moon + sun) + 0.00208 * sin(2 * sun)
    # 75 s: dynamical time is ahead of the clock by about that much in these years.
    return _local(days - 75 / 86400)


def sign(day: date) -> int:
    """Return in which twelfth of its way the sun stands as `day` begins (UTC+7): Meeus 25, low accuracy."""
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=7)
    t = (moment - datetime(2000, 1, 1, 12, tzinfo=UTC)) / timedelta(days=36525)
    anomaly = radians(357.52911 + 35999.05029 * t)
    longitude = 280.46646 + 36000.76983 * t + (1.914602 - 0.004817 * t) * sin(anomaly) + 0.019993 * sin(2 * anomaly)
    longitude += 0.000289 * sin(3 * anomaly) - 0.00569 - 0.00478 * sin(radians(125.04 - 1934.136 * t))
    return floor(longitude % 360 / 30)


def month_11(year: int) -> int:
    """Return the number of the new moon that begins the month of the winter solstice."""
    number = round((year - 2000) * 12.3685) + 14
    while new_moon(number) > date(year, 12, 31) or sign(new_moon(number)) > 8:
        number -= 1
    return number


def tet(year: int) -> date:
    """Return the first day of the lunar year: the second month after month 11, of those that are not leap months.

    Thirteen months from one month 11 to the next have a leap month: the first in which the sun enters no new sign.
    """
    number, following = month_11(year - 1), month_11(year)
    if following - number == 13:
        leap = next(n for n in range(number + 1, following) if sign(new_moon(n)) == sign(new_moon(n + 1)))
        if leap <= number + 2:
            return new_moon(number + 3)
    return new_moon(number + 2)


def _local(julian_days: float) -> date:
    return (datetime(2000, 1, 1, 12, tzinfo=UTC) + timedelta(days=julian_days - 2451545, hours=7)).date()


@pytest.mark.parametrize("year", FIRST_DAYS)
def test_tet_is_on_its_date(year: int) -> None:
    """2027 to 2040: the almanac's first day, the one reckoned from moon and sun, and the package agree."""
    days = {day.day: day for day in national_days([year])}

    assert FIRST_DAYS[year] == tet(year)
    assert (DayKind.TET, "Tết Nguyên Đán") == (days[FIRST_DAYS[year]].kind, days[FIRST_DAYS[year]].name)


@pytest.mark.parametrize("year", FIRST_DAYS)
def test_the_days_of_tet_lie_together(year: int) -> None:
    """The eve and three days after the first are Tết too; what is so called lies within a week of it."""
    block = {day.day for day in national_days([year]) if day.kind is DayKind.TET}

    assert {FIRST_DAYS[year] + timedelta(days=number) for number in range(-1, 4)} <= block
    assert all(abs(day - FIRST_DAYS[year]) < timedelta(days=7) for day in block)


def test_the_year_has_its_holidays_under_their_vietnamese_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever language the process runs in; a day off in place of a weekend is told from the holiday itself."""
    monkeypatch.setenv("LANGUAGE", "en_US")

    days = {day.day: day for day in national_days([2028])}

    assert (DayKind.HOLIDAY, "Quốc khánh") == (days[date(2028, 9, 2)].kind, days[date(2028, 9, 2)].name)
    assert (DayKind.HOLIDAY, "Tết Dương lịch") == (days[date(2028, 1, 1)].kind, days[date(2028, 1, 1)].name)
    assert (DayKind.DAY_OFF, "Tết Dương lịch (nghỉ bù)") == (days[date(2028, 1, 3)].kind, days[date(2028, 1, 3)].name)


def test_every_date_is_named_once() -> None:
    """Holidays that fall together are one day of the calendar."""
    for year in range(2026, 2060):
        days = [day.day for day in national_days([year]) if day.kind is not DayKind.WORKING]

        assert sorted(set(days)) == days


def test_a_saturday_worked_for_a_free_monday_follows_the_monday() -> None:
    """Monday 31 August 2026 was free for Saturday 22 August."""
    days = {day.day: day for day in national_days([2026])}

    assert DayKind.DAY_OFF is days[date(2026, 8, 31)].kind
    assert (DayKind.WORKING, 1) == (days[date(2026, 8, 22)].kind, days[date(2026, 8, 22)].works_as)


def test_a_decree_goes_before_the_law() -> None:
    """On the dates that a decree names only it holds; all others stay."""
    national = national_days([2027])
    decree = CalendarDay(day=date(2027, 2, 11), kind=DayKind.TET, name="Nghỉ Tết", document="TB 1/2026")
    withdrawn = CalendarDay(
        day=date(2027, 2, 4), kind=DayKind.WORKING, name="Làm việc", works_as=4, document="TB 1/2026"
    )

    days = with_decrees(national, (decree, withdrawn))

    assert [withdrawn] == [day for day in days if day.day == date(2027, 2, 4)]
    assert len(national) + 1 == len(days)
    assert sorted(days, key=lambda day: day.day) == list(days)


def test_no_day_is_called_the_29th_that_is_the_28th() -> None:
    """The package names the day two before the first the 29th in every year; the lunar December may have 29 days."""
    told = {one.day: one.name for one in national_days((2027,))}

    assert told[date(2027, 2, 4)] == "Nghỉ Tết Nguyên Đán"
    assert told[date(2027, 2, 5)] == "Giao thừa Tết Nguyên Đán"
