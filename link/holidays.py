"""National holidays and Tết as days of the calendar, from the package `holidays`; decrees go before them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime

import holidays

from schedules.grid import CalendarDay, DayKind

_NEW_YEAR = "Tết Dương lịch"
# The package calls the day before New Year's Eve so in every year; in a lunar December of 29 days it is the 28th.
_TWO_BEFORE = re.compile(r"^29 Tết")
_GIVEN_FREE = re.compile(r"nghỉ bù|Ngày nghỉ")
_SWAPPED = re.compile(r"thay cho ngày (\d\d/\d\d/\d{4})")


def national_days(years: Iterable[int]) -> tuple[CalendarDay, ...]:
    """Return the days of `years` that are not ordinary by the law, by date, with their Vietnamese names.

    The days of Tết Nguyên Đán are of the kind Tết; a day off in place of a weekend is a day off, the other free days
    are holidays; a Saturday that is worked instead of a free day works as the weekday it stands for. What a yearly
    decree changes is not known before the package learns it: see `with_decrees`.
    """
    # Without the language the names would follow the environment of the process.
    known = holidays.country_holidays("VN", years=sorted(set(years)), language="vi")
    found: list[CalendarDay] = []
    for day in sorted(known):
        names = known.get_list(day)
        told = ", ".join(_TWO_BEFORE.sub("Nghỉ Tết Nguyên Đán", name) for name in names)
        found.append(CalendarDay(day=day, kind=_kind(names), name=told))
        for swapped in filter(None, map(_SWAPPED.search, names)):
            worked = datetime.strptime(swapped[1], "%d/%m/%Y").date()  # noqa: DTZ007 - a date
            name = f"Làm việc thay cho ngày {day:%d/%m/%Y}"
            found.append(CalendarDay(day=worked, kind=DayKind.WORKING, name=name, works_as=day.isoweekday()))
    return tuple(sorted(found, key=lambda one: one.day))


def with_decrees(national: Iterable[CalendarDay], decreed: Iterable[CalendarDay]) -> tuple[CalendarDay, ...]:
    """Return both by date; on a date of which a decree speaks, it alone holds."""
    said = tuple(decreed)
    spoken_of: set[date] = {one.day for one in said}
    rest = (one for one in national if one.day not in spoken_of)
    return tuple(sorted((*said, *rest), key=lambda one: (one.day, one.kind, one.name, one.document)))


def _kind(names: list[str]) -> DayKind:
    if any("Tết" in name and not name.startswith(_NEW_YEAR) for name in names):
        return DayKind.TET
    if all(_GIVEN_FREE.search(name) for name in names):
        return DayKind.DAY_OFF
    return DayKind.HOLIDAY
