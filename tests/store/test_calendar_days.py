"""Calendar days: those of the law are renewed, and what was decreed goes before them and survives."""

from __future__ import annotations

from datetime import date

from schedules.grid import CalendarDay, DayKind
from store import calendar_days

NATIONAL = CalendarDay(day=date(2026, 9, 2), kind=DayKind.HOLIDAY, name="Quốc khánh")
LATER = CalendarDay(day=date(2027, 9, 2), kind=DayKind.HOLIDAY, name="Quốc khánh")
MOURNING = CalendarDay(day=date(2026, 9, 2), kind=DayKind.MOURNING, name="Quốc tang", document="1/TB")


def test_the_days_of_the_law_are_written_once(database):
    """The same days again change nothing; other days replace those of their years only."""
    with database.writing() as session:
        assert calendar_days.set_national(session, [LATER, NATIONAL, LATER], (2026, 2027))
        assert not calendar_days.set_national(session, [NATIONAL, LATER], (2026, 2027))
        assert calendar_days.every(session) == (NATIONAL, LATER)
        renamed = CalendarDay(day=date(2027, 9, 2), kind=DayKind.HOLIDAY, name="Lễ Quốc khánh")
        assert calendar_days.set_national(session, [NATIONAL, renamed], (2027,))
        assert calendar_days.every(session) == (NATIONAL, renamed)
        assert calendar_days.set_national(session, [], (2026,))
        assert calendar_days.every(session) == (renamed,)


def test_what_was_decreed_wins_and_survives(database):
    """Of a date with a decree only the decree holds, also after the next start, until it is taken back."""
    with database.writing() as session:
        calendar_days.decree(session, MOURNING)
        calendar_days.set_national(session, [NATIONAL, LATER], (2026, 2027))
        assert calendar_days.every(session) == (MOURNING, LATER)
        assert calendar_days.decreed(session) == (MOURNING,)
        assert calendar_days.take_back(session, MOURNING.day, DayKind.MOURNING)
        assert not calendar_days.take_back(session, NATIONAL.day, DayKind.HOLIDAY)
        assert calendar_days.every(session) == (NATIONAL, LATER)


def test_the_same_kind_on_a_date_is_changed(database):
    """Decreeing again corrects; another kind on the same date stands beside it."""
    swap = CalendarDay(day=date(2027, 1, 2), kind=DayKind.WORKING, name="Làm bù", works_as=1)
    with database.writing() as session:
        calendar_days.decree(session, CalendarDay(day=swap.day, kind=DayKind.WORKING, name="?"))
        calendar_days.decree(session, swap)
        mourning = CalendarDay(day=swap.day, kind=DayKind.MOURNING, name="Quốc tang")
        calendar_days.decree(session, mourning)
        assert calendar_days.every(session) == (mourning, swap)
