"""Overlaps found from the rules are the overlaps that a walk over every day finds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from schedules.calendar import occurrences
from schedules.clock import Interval
from schedules.conflicts import clock_changes, first_overlaps
from schedules.grid import CalendarDay, Change, DayKind, NthWeekday, SessionException, SessionRule, WeekTemplate
from schedules.intent import Intent
from schedules.station import Station
from tests.schedules.builders import BEFORE, intent, local, place, session

AFTER = datetime(2026, 3, 1, 10, 15, tzinfo=UTC)
UNTIL = date(2026, 11, 20)
DATES = st.dates(date(2026, 2, 10), date(2026, 12, 5))
MOMENTS = st.datetimes(datetime(2026, 1, 20), datetime(2026, 12, 10), timezones=st.just(UTC))  # noqa: DTZ001 - given a zone
TIMES = st.sampled_from([time(0), time(2, 30), time(5, 30), time(5, 45), time(23, 30)]) | st.times().map(
    lambda at: at.replace(microsecond=0)
)
WEEKDAYS = st.lists(st.integers(1, 7), min_size=1, max_size=7, unique=True).map(tuple)
TEMPLATES = ("tet", "mua", "mot-ngay")


def maybe(some: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """Return a value, more often none."""
    return st.none() | st.none() | some


@st.composite
def rules(draw: st.DrawFn, name: str) -> SessionRule:
    """Return a rule of any sort."""
    monthly = draw(st.sampled_from([False, False, True]))
    days = draw(st.lists(st.sampled_from([1, 5, 15, 29, 30, 31, -1]), max_size=2)) if monthly else []
    nths = st.builds(NthWeekday, nth=st.sampled_from([1, 2, 5, -1]), weekday=st.integers(1, 7))
    return SessionRule(
        id=name,
        station="XA",
        name=name,
        weekdays=draw(WEEKDAYS),
        starts=tuple(draw(st.lists(TIMES, min_size=1, max_size=2, unique=True))),
        length_s=draw(st.sampled_from([60, 1800, 3600, 7200, 90_000])),
        items=(place("a"),),
        since=draw(st.just(BEFORE) | MOMENTS),
        until=draw(maybe(MOMENTS)),
        valid_from=draw(maybe(DATES)),
        valid_until=draw(maybe(DATES)),
        every_weeks=draw(st.sampled_from([1, 1, 2, 3, 4, 6, 9])),
        anchor=draw(DATES),
        month_days=tuple(days),
        nth_weekdays=tuple(draw(st.lists(nths, max_size=1))) if monthly else (),
        only=draw(st.sampled_from([(), (), (DayKind.ORDINARY,), (DayKind.HOLIDAY, DayKind.TET)])),
        template=draw(st.sampled_from([None, None, None, *TEMPLATES])),
    )


TEMPLATE = st.builds(
    WeekTemplate,
    id=st.sampled_from(TEMPLATES),
    station=st.just("XA"),
    name=st.just(""),
    priority=st.integers(1, 3),
    valid_from=maybe(DATES),
    valid_until=maybe(DATES),
    day_kinds=st.sampled_from([(), (DayKind.TET,), (DayKind.HOLIDAY, DayKind.ORDINARY)]),
    since=st.just(BEFORE) | MOMENTS,
    until=maybe(MOMENTS),
)
EXCEPTION = st.builds(
    SessionException,
    id=st.uuids().map(str),
    station=st.just("XA"),
    session=st.sampled_from(["a", "b", "c"]),
    day=DATES,
    change=st.sampled_from(Change),
    following=st.booleans(),
    number=st.sampled_from([None, None, 1, 2]),
    to_day=maybe(DATES),
    to_start=maybe(TIMES),
    since=st.just(BEFORE) | MOMENTS,
    until=maybe(MOMENTS),
)
CALENDAR = st.builds(
    CalendarDay,
    day=DATES,
    kind=st.sampled_from(DayKind),
    name=st.just(""),
    works_as=maybe(st.integers(1, 7)),
)
STATION = st.builds(
    Station,
    code=st.just("XA"),
    name=st.just(""),
    unit=st.just("XA"),
    zone=st.sampled_from(["Asia/Ho_Chi_Minh", "Asia/Ho_Chi_Minh", "Europe/Paris", "Australia/Lord_Howe"]),
    valid_from=maybe(DATES),
    valid_until=maybe(DATES),
)
INTENT = st.builds(
    intent,
    stations=st.tuples(STATION),
    sessions=st.tuples(rules("a"), rules("b"), rules("c")),
    templates=st.lists(TEMPLATE, max_size=3, unique_by=lambda template: template.id).map(tuple),
    exceptions=st.lists(EXCEPTION, max_size=4).map(tuple),
    calendar=st.lists(CALENDAR, max_size=5).map(tuple),
)

Found = dict[tuple[str, str], tuple[datetime, datetime, str, date, str, date]]


def walked(decided: Intent, after: datetime, until: date) -> Found:
    """Return the first overlap of every two rules by looking at every pair of sessions of every day."""
    station = decided.stations[0]
    zone = ZoneInfo(station.zone)
    end = datetime.combine(until, time(0), tzinfo=zone).astimezone(UTC)
    sessions = occurrences(decided, station, Interval(after - timedelta(days=3), end + timedelta(hours=1)))
    found: Found = {}
    for number, first in enumerate(sessions):
        for second in sessions[number + 1 :]:
            start = second.during.start
            if not first.during.overlaps(second.during) or start < after or start.astimezone(zone).date() >= until:
                continue
            key = (min(first.rule.id, second.rule.id), max(first.rule.id, second.rule.id))
            value = (start, first.during.start, first.name, first.day, second.name, second.day)
            found[key] = min(found.get(key, value), value)
    return found


def reckoned(decided: Intent, after: datetime, until: date | None) -> Found:
    """Return what the search from the rules finds."""
    return {
        (min(o.first.rule.id, o.second.rule.id), max(o.first.rule.id, o.second.rule.id)): (
            o.start,
            o.first.during.start,
            o.first.name,
            o.first.day,
            o.second.name,
            o.second.day,
        )
        for o in first_overlaps(decided, decided.stations[0], after, until)
    }


@settings(max_examples=250, deadline=None)
@given(INTENT)
def test_the_search_finds_what_a_walk_over_every_day_finds(decided: Intent) -> None:
    """Any recurrences, templates, day kinds, exceptions and clock changes: the same first overlaps."""
    assert walked(decided, AFTER, UNTIL) == reckoned(decided, AFTER, UNTIL)


CLOSE = st.sampled_from([time(23, 30), time(0), time(0, 20, 30), time(0, 50), time(2, 30), time(3)])
CYCLES = st.sampled_from([1, 2, 3, 4, 6, 9, 10])
NTHS = st.builds(NthWeekday, nth=st.sampled_from([1, 2, 5, -1]), weekday=st.integers(1, 7))


def close(name: str, **more: st.SearchStrategy[Any]) -> st.SearchStrategy[SessionRule]:
    """Return rules with starts that are often at odds with each other, unlike in what `more` draws."""
    parts: dict[str, st.SearchStrategy[Any]] = {
        "starts": st.lists(CLOSE, min_size=1, max_size=2, unique=True).map(tuple),
        "length_s": st.sampled_from([1790, 1800, 3600, 100_000]),
        **more,
    }
    return st.fixed_dictionaries(parts).map(lambda drawn: session(place("a"), name=name, **drawn))


WEEKLY = {"weekdays": WEEKDAYS, "every_weeks": CYCLES, "anchor": DATES}
MONTHLY = {
    "month_days": st.lists(st.sampled_from([1, 28, 29, 31, -1]), max_size=2).map(tuple),
    "nth_weekdays": st.tuples(NTHS),
}
DATED = {"weekdays": WEEKDAYS, "valid_from": maybe(DATES), "valid_until": maybe(DATES), "until": maybe(MOMENTS)}
IN_WEEKS = {"weekdays": WEEKDAYS, "template": st.sampled_from([None, None, *TEMPLATES])}
SOME = st.builds(
    SessionException,
    id=st.uuids().map(str),
    station=st.just("XA"),
    session=st.sampled_from(["a", "b"]),
    day=DATES,
    change=st.just(Change.MOVE),
    following=st.booleans(),
    to_day=maybe(DATES),
    to_start=CLOSE,
    since=st.just(BEFORE),
    until=maybe(MOMENTS),
)
SPECIAL = st.builds(
    CalendarDay,
    day=DATES,
    kind=st.sampled_from(DayKind),
    name=st.just(""),
    works_as=st.integers(1, 7),
)
FOCUSED: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "cycles": {"sessions": st.tuples(close("a", **WEEKLY), close("b", **WEEKLY))},
    "months": {"sessions": st.tuples(close("a", **MONTHLY), close("b", **WEEKLY))},
    "months-behind": {"sessions": st.tuples(close("b", **WEEKLY), close("a", **MONTHLY), close("c", **MONTHLY))},
    "dates": {"sessions": st.tuples(close("a", **DATED), close("b", **DATED))},
    "weeks": {
        "sessions": st.tuples(close("a", **IN_WEEKS), close("b", **IN_WEEKS)),
        "templates": st.lists(TEMPLATE, min_size=1, max_size=3, unique_by=lambda template: template.id).map(tuple),
    },
    "moves": {
        "sessions": st.tuples(close("a", **WEEKLY), close("b", **WEEKLY)),
        "exceptions": st.lists(SOME, min_size=1, max_size=3).map(tuple),
    },
    "swaps": {
        "sessions": st.tuples(close("a", **WEEKLY), close("b", **WEEKLY)),
        "exceptions": st.lists(SOME, max_size=1).map(tuple),
        "calendar": st.lists(SPECIAL, min_size=1, max_size=4).map(tuple),
    },
    "clocks": {
        "sessions": st.tuples(close("a", **WEEKLY), close("b", **MONTHLY)),
        "stations": st.tuples(STATION.map(lambda one: replace(one, zone="Europe/Paris"))),
    },
}


@pytest.mark.parametrize("focus", FOCUSED)
def test_the_search_finds_what_a_walk_finds(focus: str) -> None:
    """Close together and one thing at a time: cycles, months, dates, weeks, moves, swapped days, clock changes."""

    @seed(5)
    @settings(max_examples=60, deadline=None, database=None)
    @given(st.fixed_dictionaries(FOCUSED[focus]).map(lambda parts: intent(**parts)))
    def search(decided: Intent) -> None:
        assert walked(decided, AFTER, UNTIL) == reckoned(decided, AFTER, UNTIL)

    search()


@pytest.mark.parametrize(
    ("more", "first"),
    [
        ({"every_weeks": 2, "anchor": date(2026, 11, 23)}, None),
        ({"every_weeks": 3, "anchor": date(2026, 11, 23)}, date(2026, 12, 14)),
        ({"every_weeks": 35, "anchor": date(2027, 1, 4)}, date(2027, 9, 6)),
        ({"every_weeks": 51, "anchor": date(2026, 11, 23)}, date(2027, 11, 15)),
        ({"month_days": (29,), "valid_from": date(2028, 2, 1), "valid_until": date(2028, 2, 29)}, None),
        ({"month_days": (-1,), "valid_from": date(2027, 1, 1)}, date(2027, 5, 31)),
        ({"nth_weekdays": (NthWeekday(nth=5, weekday=1),)}, date(2026, 11, 30)),
        ({"nth_weekdays": (NthWeekday(nth=-1, weekday=1),), "valid_from": date(2199, 11, 1)}, date(2199, 11, 25)),
    ],
)
def test_the_first_common_date_of_two_cycles(more: dict[str, Any], first: date | None) -> None:
    """One session every other Monday from 30 November 2026, and another rule at the same time."""
    fortnightly = session(place("a"), name="a", weekdays=(1,), every_weeks=2, anchor=date(2026, 11, 30))
    other = session(place("a"), name="b", weekdays=(1,), **more)
    decided = intent(sessions=(other, fortnightly))

    found = first_overlaps(decided, decided.station("XA"), local(23, 0))

    assert [first] * bool(first) == [overlap.second.day for overlap in found]


def test_a_date_on_which_one_of_both_does_not_air_is_passed_over() -> None:
    """The first common Monday is a holiday and the second is cancelled: they meet on the third."""
    daily = session(place("a"), name="a", only=(DayKind.ORDINARY,))
    weekly = session(place("a"), name="b", weekdays=(1,), valid_from=date(2026, 11, 24))
    holiday = CalendarDay(day=date(2026, 11, 30), kind=DayKind.HOLIDAY, name="")
    cancelled = SessionException(
        id="x", station="XA", session="b", day=date(2026, 12, 7), change=Change.CANCEL, since=BEFORE
    )
    decided = intent(sessions=(daily, weekly), calendar=(holiday,), exceptions=(cancelled,))

    (found,) = first_overlaps(decided, decided.station("XA"), local(23, 0))

    assert date(2026, 12, 14) == found.second.day


@pytest.mark.parametrize("turn", [1, -1])
def test_a_monthly_and_a_weekly_session_meet_on_the_first_common_date(turn: int) -> None:
    """The 15th is a Tuesday first in December; before it and after it, other weekdays come."""
    monthly = session(place("a"), name="a", month_days=(15, 20))
    weekly = session(place("a"), name="b", weekdays=(2,))
    decided = intent(sessions=(monthly, weekly)[::turn])

    (found,) = first_overlaps(decided, decided.station("XA"), local(23, 0))

    assert date(2026, 12, 15) == found.first.day
    before = replace(monthly, valid_until=date(2026, 12, 14))
    assert () == first_overlaps(replace(decided, sessions=(before, weekly)[::turn]), decided.stations[0], local(23, 0))


def test_an_overlap_by_exception_may_come_before_that_by_rule() -> None:
    """They share every first Monday of a month; this week's Friday session is moved onto the other's Wednesday."""
    weekly = session(place("a"), name="a", weekdays=(3,), valid_until=date(2026, 11, 30))
    friday = session(place("a"), name="b", weekdays=(5,), starts=(time(7),))
    both = session(place("a"), name="c", nth_weekdays=(NthWeekday(nth=1, weekday=5),), starts=(time(7),))
    moved = SessionException(
        id="x",
        station="XA",
        session="b",
        day=date(2026, 11, 27),
        change=Change.MOVE,
        to_day=date(2026, 11, 25),
        to_start=time(5, 30),
        since=BEFORE,
    )
    also = replace(moved, id="y", session="c", day=date(2026, 12, 4))
    decided = intent(sessions=(weekly, friday, both), exceptions=(moved, also))

    found = first_overlaps(decided, decided.station("XA"), local(23, 0))

    assert [("a", "b"), ("a", "c"), ("b", "c")] == sorted((o.first.name, o.second.name) for o in found)
    assert {local(25, 5, 30)} == {overlap.start for overlap in found}


def test_a_rule_that_changes_its_ways_is_followed_through_each_of_them() -> None:
    """A week of its own for Tết in between, and from December on two days later: both meetings are found."""
    pause = WeekTemplate(
        id="nghi",
        station="XA",
        name="",
        valid_from=date(2026, 11, 23),
        valid_until=date(2026, 11, 29),
        since=BEFORE,
    )
    weekly = session(place("a"), name="a", weekdays=(1,), valid_until=date(2026, 12, 31))
    later = SessionException(
        id="x",
        station="XA",
        session="a",
        day=date(2026, 12, 7),
        change=Change.MOVE,
        following=True,
        to_day=date(2026, 12, 9),
        since=BEFORE,
    )
    monday = session(place("a"), name="b", weekdays=(1,))
    wednesday = session(place("a"), name="c", weekdays=(3,))
    decided = intent(sessions=(weekly, monday, wednesday), templates=(pause,), exceptions=(later,))

    found = {o.second.name: o.start.date() for o in first_overlaps(decided, decided.station("XA"), local(23, 0))}

    assert {"b": date(2026, 11, 29), "c": date(2026, 12, 8)} == found


def test_a_session_longer_than_a_day_overlaps_itself() -> None:
    """The next morning begins before the day before is over."""
    decided = intent(sessions=(session(place("a"), length_s=90_000),))

    (found,) = first_overlaps(decided, decided.station("XA"), local(23, 0))

    assert (date(2026, 11, 22), date(2026, 11, 23)) == (found.first.day, found.second.day)


def test_rules_of_different_stations_do_not_meet() -> None:
    """Each station has its own air."""
    decided = intent(sessions=(session(place("a"), name="a"), session(place("a"), name="b", station="KHAC")))

    assert () == first_overlaps(decided, decided.station("XA"), local(23, 0))


@pytest.mark.parametrize("name", sorted(available_timezones()))
def test_every_change_of_a_clock_is_known(name: str) -> None:
    """Looking once a week finds each day on which the offset changes, in every zone."""
    zone = ZoneInfo(name)
    offsets = [datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(days=number) for number in range(3 * 365)]
    changed = {
        day.date()
        for day in offsets
        if day.astimezone(zone).utcoffset() != (day + timedelta(1)).astimezone(zone).utcoffset()
    }

    assert changed <= set(clock_changes(name, 2026, 2028))


def test_a_shifted_clock_brings_two_sessions_together() -> None:
    """In the gap of 29 March 2026 both 02:15 and 02:45 begin at 03:00; on no other day do they overlap."""
    station = Station(code="XA", name="", unit="XA", zone="Europe/Paris")
    early = session(place("a"), name="a", starts=(time(2, 15),), length_s=900)
    late = session(place("a"), name="b", starts=(time(2, 45),), length_s=900)
    decided = intent(stations=(station,), sessions=(early, late))

    (found,) = first_overlaps(decided, station, datetime(2026, 1, 1, tzinfo=UTC))

    assert datetime(2026, 3, 29, 1, tzinfo=UTC) == found.start


@pytest.mark.parametrize("to_day", [date(2026, 11, 26), date(2027, 3, 11), date(2199, 12, 26)])
def test_one_moved_session_is_found_where_it_meets_another(to_day: date) -> None:
    """Friday's session on a Thursday, at the time of Thursday's; nothing else is out of the ordinary."""
    thursday = session(place("a"), name="a", weekdays=(4,))
    friday = session(place("a"), name="b", weekdays=(5,))
    moved = SessionException(
        id="x",
        station="XA",
        session="b",
        day=date(2026, 12, 18),
        change=Change.MOVE,
        to_day=to_day,
        since=BEFORE,
    )
    decided = intent(sessions=(thursday, friday), exceptions=(moved,))

    (found,) = first_overlaps(decided, decided.station("XA"), local(23, 0))

    assert [to_day, date(2026, 12, 18)] == [found.first.day, found.second.day]


@pytest.mark.parametrize(("start", "overlaps"), [(time(5, 29, 30), True), (time(5, 29), False), (time(6), False)])
def test_sessions_that_only_touch_do_not_overlap(start: time, overlaps: bool) -> None:
    """Half a minute before half past five for a minute; what ends as the next begins is no conflict."""
    rules = (session(place("a"), name="a"), session(place("a"), name="b", starts=(start,), length_s=60))
    decided = intent(sessions=rules)

    assert overlaps is bool(first_overlaps(decided, decided.station("XA"), local(23, 0)))


def test_two_rules_have_one_first_overlap_whichever_begins_first() -> None:
    """On Mondays one begins earlier, on Tuesdays the other."""
    one = session(place("a"), name="a", weekdays=(1, 2), starts=(time(5, 30),))
    monday = session(place("a"), name="b", weekdays=(1, 2), starts=(time(5, 15), time(5, 45)), length_s=900)
    moved = session(place("a"), name="b", weekdays=(1, 2), starts=(time(5, 15), time(5, 45)), length_s=1200)
    for other in (monday, moved):
        for rules in ((one, other), (other, one)):
            decided = intent(sessions=rules)
            (found,) = first_overlaps(decided, decided.station("XA"), local(23, 0))
            assert {"a", "b"} == {found.first.rule.id, found.second.rule.id}
            assert date(2026, 11, 23) == found.second.day


@pytest.mark.parametrize("first", range(23, 30))
def test_cycles_are_counted_from_whatever_day_is_asked(first: int) -> None:
    """Every 4th Thursday against every 6th Friday, over midnight: each start of the search finds the same night."""
    thursday = session(
        place("a"), name="a", weekdays=(4,), starts=(time(23, 45),), every_weeks=4, anchor=date(2026, 12, 10)
    )
    friday = session(place("a"), name="b", weekdays=(5,), starts=(time(0),), every_weeks=6, anchor=date(2026, 12, 21))
    sunday = session(
        place("a"), name="c", weekdays=(7,), starts=(time(23, 50),), every_weeks=2, anchor=date(2026, 12, 3)
    )
    monday = session(
        place("a"), name="d", weekdays=(1,), starts=(time(0, 5),), every_weeks=3, anchor=date(2026, 12, 10)
    )
    decided = intent(sessions=(thursday, friday, sunday, monday))

    found = first_overlaps(decided, decided.station("XA"), local(first, 0))

    walk = walked(decided, local(first, 0), date(2027, 12, 31))
    assert sorted(value[0] for value in walk.values()) == [overlap.start for overlap in found]
    assert 2 == len(found)
