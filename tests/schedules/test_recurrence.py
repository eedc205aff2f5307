"""On which dates sessions fall: weeks, months, kinds of days, templates, exceptions and the station's own dates."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedules.calendar import day_kind, occurrences
from schedules.clock import Interval
from schedules.grid import CalendarDay, Change, DayKind, NthWeekday, SessionException, WeekTemplate
from schedules.intent import Intent
from schedules.recurrence import dates_in_month, days_of
from schedules.station import Station
from tests.schedules.builders import BEFORE, intent, local, place, session

NOVEMBER = Interval(local(1, 0), local(30, 24 - 1, 59))


def named(decided: Intent, during: Interval = NOVEMBER) -> list[int]:
    """Return the days of November that the sessions name, in order of start."""
    return [one.day.day for one in occurrences(decided, decided.stations[0], during)]


def starts(decided: Intent, during: Interval = NOVEMBER) -> list[datetime]:
    """Return when sessions start."""
    return [one.during.start for one in occurrences(decided, decided.stations[0], during)]


def template(name: str, **more: Any) -> WeekTemplate:
    """Return a week template of the station XA."""
    return WeekTemplate(**{"id": name, "station": "XA", "name": name, "since": BEFORE, **more})


def exception(day: int, change: Change = Change.MOVE, **more: Any) -> SessionException:
    """Return an exception for the session `sang` on a day of November."""
    values = {"id": f"x{day}", "station": "XA", "session": "sang", "day": date(2026, 11, day), "change": change}
    return SessionException(**{**values, "since": BEFORE, **more})


@pytest.mark.parametrize(
    ("more", "days"),
    [
        ({"weekdays": (1,)}, [2, 9, 16, 23, 30]),
        ({"weekdays": (7, 6)}, [1, 7, 8, 14, 15, 21, 22, 28, 29]),
        ({"weekdays": (1,), "every_weeks": 2, "anchor": date(2026, 11, 11)}, [9, 23]),
        ({"weekdays": (1, 7), "every_weeks": 2, "anchor": date(2026, 11, 15)}, [1, 9, 15, 23, 29]),
        ({"weekdays": (1,), "every_weeks": 3, "anchor": date(2027, 1, 4)}, [2, 23]),
        ({"weekdays": (1,), "every_weeks": 2, "valid_from": date(2026, 11, 3)}, [16, 30]),
        ({"month_days": (-1, 1, 31)}, [1, 30]),
        ({"month_days": (15,), "nth_weekdays": (NthWeekday(nth=3, weekday=7),)}, [15]),
        ({"nth_weekdays": (NthWeekday(nth=1, weekday=1), NthWeekday(nth=-1, weekday=7))}, [2, 29]),
        ({"nth_weekdays": (NthWeekday(nth=5, weekday=1),)}, [30]),
        ({"nth_weekdays": (NthWeekday(nth=5, weekday=2),)}, []),
        ({"weekdays": (1,), "valid_from": date(2026, 11, 9), "valid_until": date(2026, 11, 16)}, [9, 16]),
        ({"weekdays": (1,), "since": local(9, 5, 30), "until": local(23, 5, 30)}, [9, 16]),
    ],
)
def test_a_rule_names_its_dates(more: dict[str, Any], days: list[int]) -> None:
    """Weekdays, every n-th ISO week, dates of the month and their limits, all in November 2026."""
    assert days == named(intent(sessions=(session(place("a"), **more),)))


def test_every_other_week_goes_on_over_week_53() -> None:
    """2026 has 53 ISO weeks: after Monday of week 52 comes that of week 1, not of week 53 and not of week 2."""
    rule = session(place("a"), weekdays=(1,), every_weeks=2, anchor=date(2026, 12, 21))
    decided = intent(sessions=(rule,))

    found = occurrences(decided, decided.station("XA"), Interval(local(23, 0), local(23, 0) + timedelta(days=70)))

    expected = [date(2026, 11, 23), date(2026, 12, 7), date(2026, 12, 21), date(2027, 1, 4), date(2027, 1, 18)]
    assert expected == [one.day for one in found]


def test_the_29th_of_february_comes_every_four_years() -> None:
    """A month that has no such day is left out."""
    decided = intent(sessions=(session(place("a"), month_days=(29,)),))
    during = Interval(datetime(2027, 2, 1, tzinfo=UTC), datetime(2028, 3, 31, tzinfo=UTC))

    in_february = [one.day for one in occurrences(decided, decided.station("XA"), during) if one.day.month == 2]

    assert [date(2028, 2, 29)] == in_february


@given(
    st.dates(date(2024, 1, 1), date(2040, 12, 31)),
    st.lists(st.integers(-31, 31).filter(bool), max_size=3),
    st.lists(st.tuples(st.sampled_from([1, 2, 3, 4, 5, -1]), st.integers(1, 7)), max_size=2),
)
def test_the_dates_of_a_month_are_those_that_a_look_at_each_day_finds(
    month: date, days: list[int], nths: list[tuple[int, int]]
) -> None:
    """A day counts from the month's start or its end, a weekday too."""
    rule = session(
        place("a"),
        month_days=tuple(days),
        nth_weekdays=tuple(NthWeekday(nth=nth, weekday=weekday) for nth, weekday in nths),
    )
    first = month.replace(day=1)
    whole = [first + timedelta(days=n) for n in range(31) if (first + timedelta(days=n)).month == first.month]

    def wanted(day: date) -> bool:
        alike = [other for other in whole if other.isoweekday() == day.isoweekday()]
        return (
            day.day in days
            or day.day - len(whole) - 1 in days
            or (alike.index(day) + 1, day.isoweekday()) in nths
            or (day == alike[-1] and (-1, day.isoweekday()) in nths)
        )

    assert [day for day in whole if wanted(day)] == dates_in_month(rule, month)


def test_of_several_kinds_of_a_date_the_last_of_the_list_holds() -> None:
    """A day of mourning goes before a holiday, in whatever order they were decided."""
    day = date(2026, 11, 24)
    said = [CalendarDay(day=day, kind=kind, name="") for kind in (DayKind.MOURNING, DayKind.HOLIDAY, DayKind.DAY_OFF)]

    for order in permutations(said):
        assert DayKind.MOURNING is day_kind(intent(calendar=order), day)
    assert DayKind.ORDINARY is day_kind(intent(), day)


def test_a_date_that_works_as_another_weekday_follows_its_sessions() -> None:
    """Saturday 28 is worked instead of Monday: it has the Monday's weekly session, and not the Saturday's."""
    monday = session(place("a"), name="hai", weekdays=(1,))
    saturday = session(place("a"), name="bay", weekdays=(6,))
    last = session(place("a"), name="cuoi-thang", nth_weekdays=(NthWeekday(nth=-1, weekday=6),))
    swap = CalendarDay(day=date(2026, 11, 28), kind=DayKind.WORKING, name="", works_as=1)
    decided = intent(sessions=(monday, saturday, last), calendar=(swap,))

    found = occurrences(decided, decided.station("XA"), Interval(local(28, 0), local(29, 0)))

    assert ["cuoi-thang", "hai"] == [one.name for one in found]


def test_contradicting_swaps_give_one_answer() -> None:
    """Two decisions of one kind for one date: always the same one holds, in whatever order they come."""
    day = date(2026, 11, 28)
    said = [CalendarDay(day=day, kind=DayKind.WORKING, name="", works_as=number) for number in (3, 1)]

    answers = {days_of(intent(calendar=order), "XA").weekday(day) for order in permutations(said)}

    assert {1} == answers


def test_a_session_only_on_some_kinds_of_days() -> None:
    """On holidays and in Tết, and not on the others."""
    rule = session(place("a"), only=(DayKind.HOLIDAY, DayKind.TET))
    calendar = tuple(
        CalendarDay(day=date(2026, 11, day), kind=kind, name="")
        for day, kind in ((10, DayKind.HOLIDAY), (11, DayKind.MOURNING), (12, DayKind.TET))
    )

    assert [10, 12] == named(intent(sessions=(rule,), calendar=calendar))


def test_on_each_date_one_week_holds() -> None:
    """The season has priority over the standing week, one replaced day over the season; without sessions: silence."""
    season = template("mua", valid_from=date(2026, 11, 9), valid_until=date(2026, 11, 22))
    replaced = template("mot-ngay", priority=2, valid_from=date(2026, 11, 12), valid_until=date(2026, 11, 12))
    standing = session(place("a"), name="sang", weekdays=(4,))
    other = session(place("a"), name="mua", weekdays=(4,), template="mua")
    elsewhere = replace(template("khac", priority=9), station="KHAC")

    for order in permutations((season, replaced, elsewhere)):
        decided = intent(sessions=(standing, other), templates=order)
        found = occurrences(decided, decided.station("XA"), NOVEMBER)
        assert [("sang", 5), ("mua", 19), ("sang", 26)] == [(one.name, one.day.day) for one in found]


def test_a_template_may_hold_only_on_kinds_of_days() -> None:
    """Days of mourning have a week of their own."""
    mourning = template("tang", day_kinds=(DayKind.MOURNING,))
    day = CalendarDay(day=date(2026, 11, 10), kind=DayKind.MOURNING, name="Quốc tang")
    decided = intent(
        sessions=(session(place("a"), name="tang", template="tang"), session(place("a"), name="sang", weekdays=(2,))),
        templates=(mourning,),
        calendar=(day,),
    )

    found = occurrences(decided, decided.station("XA"), NOVEMBER)

    assert [("sang", 3), ("tang", 10), ("sang", 17), ("sang", 24)] == [(one.name, one.day.day) for one in found]


def test_a_template_changes_nothing_that_was_due_before_it() -> None:
    """Decided as the session of the 18th began, for the whole month; withdrawn as that of the 25th began."""
    silence = template("im-lang", valid_from=date(2026, 11, 1), since=local(18, 5, 30), until=local(25, 5, 30))
    decided = intent(sessions=(session(place("a"), weekdays=(2, 3, 4)),), templates=(silence,))

    assert [3, 4, 5, 10, 11, 12, 17, 25, 26] == named(decided)


def test_of_two_equal_templates_the_later_one_holds_and_then_the_id() -> None:
    """Whatever the order, one answer."""
    early, late, twin = (
        template(name, valid_from=date(2026, 11, first)) for name, first in (("a", 2), ("c", 9), ("b", 9))
    )
    rules = tuple(session(place("x"), name=name, weekdays=(1,), template=name) for name in ("a", "b", "c"))

    for order in permutations((early, late, twin)):
        decided = intent(sessions=rules, templates=order)
        found = occurrences(decided, decided.station("XA"), Interval(local(1, 0), local(10, 0)))
        assert [("a", 2), ("b", 9)] == [(one.name, one.day.day) for one in found]


def test_one_date_is_cancelled_or_all_from_it_on() -> None:
    """The exception for one date leaves the others, the one with `following` ends the rest."""
    rule = session(place("a"), weekdays=(1,))

    assert [2, 16, 23, 30] == named(intent(sessions=(rule,), exceptions=(exception(9, Change.CANCEL),)))
    following = exception(9, Change.CANCEL, following=True)
    assert [2] == named(intent(sessions=(rule,), exceptions=(following,)))
    # Decided for one date, it goes before what was decided from some date on.
    back = exception(16, Change.MOVE, to_start=time(6))
    assert [2, 16] == named(intent(sessions=(rule,), exceptions=(following, back)))


def test_a_moved_session_keeps_the_date_of_its_rule() -> None:
    """Monday's session on Wednesday at six is still Monday's: its slot has that date."""
    rule = session(place("a"), weekdays=(1,))
    moved = exception(9, to_day=date(2026, 11, 11), to_start=time(6))
    decided = intent(sessions=(rule,), exceptions=(moved,))

    (found,) = occurrences(decided, decided.station("XA"), Interval(local(10, 0), local(12, 0)))

    assert (date(2026, 11, 9), local(11, 6), moved) == (found.day, found.during.start, found.moved_by)


@pytest.mark.parametrize("days", [-400, -30, -1, 1, 6, 31, 800])
def test_a_session_moved_far_is_found_where_it_is(days: int) -> None:
    """Out of the stretch that is asked about and into it, however many days lie between."""
    day = date(2026, 11, 9)
    target = day + timedelta(days=days)
    rule = session(place("a"), weekdays=(1,), valid_from=day, valid_until=day)
    early = exception(9, to_day=target, since=datetime(2020, 1, 1, tzinfo=UTC))
    decided = intent(sessions=(replace(rule, since=early.since),), exceptions=(early,))
    there = local(9, 0) + timedelta(days=days)

    assert [9] == named(decided, Interval(there, there + timedelta(days=1)))
    assert [] == named(decided, Interval(local(9, 0), local(10, 0)))


def test_following_sessions_move_by_as_many_days() -> None:
    """From the 16th on Mondays become Thursdays at 17:00; the one before stays."""
    rule = session(place("a"), weekdays=(1,))
    decided = intent(
        sessions=(rule,),
        exceptions=(exception(16, following=True, to_day=date(2026, 11, 19), to_start=time(17)),),
    )

    assert [local(2, 5, 30), local(9, 5, 30), local(19, 17), local(26, 17)] == starts(decided)


def test_following_sessions_that_moved_far_are_found_where_they_are() -> None:
    """Forty days later, from the 16th on: asked about Saturday 26 December, Monday 16 November is found."""
    rule = session(place("a"), weekdays=(1,))
    far = exception(16, following=True, to_day=date(2026, 12, 26))
    decided = intent(sessions=(rule,), exceptions=(far,))

    found = occurrences(decided, decided.station("XA"), Interval(local(26, 0), local(27, 0)))
    later = Interval(local(26, 0) + timedelta(days=30), local(27, 0) + timedelta(days=30))

    assert [] == found
    assert [date(2026, 11, 16)] == [one.day for one in occurrences(decided, decided.station("XA"), later)]


def test_an_exception_may_concern_one_of_several_starts() -> None:
    """The second start of the 9th is cancelled, the first stays; slots keep their numbers."""
    rule = session(place("a"), weekdays=(1,), starts=(time(5, 30), time(17)))
    decided = intent(sessions=(rule,), exceptions=(exception(9, Change.CANCEL, number=2),))

    found = occurrences(decided, decided.station("XA"), Interval(local(9, 0), local(17, 0)))

    assert [("sang.1", 9), ("sang.1", 16), ("sang.2", 16)] == [(one.name, one.day.day) for one in found]


def test_the_exception_decided_last_holds() -> None:
    """Cancelled first, then moved after all; and the one for a certain start goes before the one for all."""
    rule = session(place("a"), weekdays=(1,))
    cancelled = exception(9, Change.CANCEL, id="b", since=BEFORE)
    moved = exception(9, Change.MOVE, id="a", to_start=time(6), since=BEFORE + timedelta(days=1))

    for order in permutations((cancelled, moved)):
        during = Interval(local(9, 0), local(10, 0))
        assert [local(9, 6)] == starts(intent(sessions=(rule,), exceptions=order), during)


def test_the_past_is_not_excepted() -> None:
    """What would have started before the decision, or after it was withdrawn, stays."""
    rule = session(place("a"), weekdays=(1,))
    change = exception(2, Change.CANCEL, following=True, since=local(9, 5, 31), until=local(23, 5, 30))

    assert [2, 9, 23, 30] == named(intent(sessions=(rule,), exceptions=(change,)))


def test_nothing_is_moved_to_before_it_was_decided() -> None:
    """A move into the past is not done: the session stays where the rule has it."""
    rule = session(place("a"), weekdays=(1,))
    change = exception(16, to_day=date(2026, 11, 10), since=local(12, 0))

    assert [local(16, 5, 30)] == starts(
        intent(sessions=(rule,), exceptions=(change,)), Interval(local(10, 0), local(18, 0))
    )


def test_a_rule_that_ended_takes_its_moved_sessions_along() -> None:
    """Moved to Wednesday, ended on Tuesday: it does not air. Moved to Monday before: it did, and stays."""
    ended = session(place("a"), weekdays=(3,), until=local(10, 12))
    later = exception(4, to_day=date(2026, 11, 11))
    earlier = exception(11, to_day=date(2026, 11, 9))

    assert [] == starts(intent(sessions=(ended,), exceptions=(later,)), Interval(local(4, 0), local(13, 0)))
    assert [local(4, 5, 30), local(9, 5, 30)] == starts(intent(sessions=(ended,), exceptions=(earlier,)))


def test_a_station_has_sessions_only_while_it_is_in_service() -> None:
    """From its first to its last day, also for what is moved there."""
    station = Station(code="XA", name="", unit="XA", valid_from=date(2026, 11, 10), valid_until=date(2026, 11, 24))
    rule = session(place("a"), weekdays=(2,))
    moved = exception(24, to_day=date(2026, 11, 25))

    assert [10, 17, 24] == named(intent(stations=(station,), sessions=(rule,)))
    assert [10, 17] == named(intent(stations=(station,), sessions=(rule,), exceptions=(moved,)))


def test_other_stations_change_nothing() -> None:
    """Rules and exceptions name their station."""
    rule = session(place("a"), weekdays=(1,))
    change = exception(9, Change.CANCEL, station="KHAC")
    decided = intent(sessions=(rule, replace(rule, station="KHAC")), exceptions=(change,))

    assert [2, 9, 16, 23, 30] == named(decided)
