"""Hypothesis strategies for intents and facts of one busy station in November 2026: messy, but structurally sound."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from schedules.airing import Facts
from schedules.duty import Counting, Duty, DutyWindow, Excuse, Period
from schedules.grid import (
    CalendarDay,
    Change,
    DayKind,
    ItemKind,
    NthWeekday,
    OneOff,
    SessionException,
    SessionItem,
    SessionRule,
    Timing,
    WeekTemplate,
)
from schedules.intent import Intent
from schedules.programme import Order, Otherwise, Programme
from schedules.segment import Priority, Segment
from schedules.station import ClusterGroup, DaySpan, Limits, Station, Unit
from schedules.text import Text
from tests.schedules.builders import BEFORE, duty, intent, local, segment, session

FIRST = local(20, 0)
PROGRAMMES = ("CDS", "TIN", "LOAT")
GROUPS = ("THON1", "THON2")
TOPICS = ("DX-DGOV", "DX-SKILL", "F-1")

days = st.dates(date(2026, 11, 16), date(2026, 12, 6))
weekdays = st.integers(1, 7)
lengths_s = st.sampled_from((10.0, 20.5, 60.0, 179.0, 300.0, 600.0, 1200.0, 1799.0))
priorities = st.sampled_from((Priority.NORMAL, Priority.NORMAL, Priority.NORMAL, Priority.PRIORITY))


def some(strategy: SearchStrategy, at_most: int, at_least: int = 0) -> SearchStrategy[tuple]:
    """Return tuples of a few examples."""
    return st.lists(strategy, min_size=at_least, max_size=at_most).map(tuple)


def times(step: int = 5, first: int = 0, last: int = 24 * 60 - 1) -> SearchStrategy[time]:
    """Return local times on marks of `step` minutes, from minute `first` of the day to `last`."""
    return st.integers(first // step, last // step).map(lambda n: time(n * step // 60, n * step % 60))


def moments(first: datetime = FIRST, hours: int = 12 * 24) -> SearchStrategy[datetime]:
    """Return instants on whole minutes."""
    return st.integers(0, hours * 60).map(lambda n: first + timedelta(minutes=n))


def spans() -> SearchStrategy[DaySpan]:
    """Return stretches of the day, also across midnight, some on a few weekdays only."""
    on = st.sampled_from(((1, 2, 3, 4, 5, 6, 7), (1, 2, 3, 4, 5), (6, 7)))
    return st.builds(DaySpan, start=times(30), end=times(30), weekdays=on)


@st.composite
def segments(draw: DrawFn, name: str) -> Segment:
    """Return one approved recording: any length, some with dates, episodes, priorities."""
    start = draw(st.none() | moments())
    return segment(
        name,
        seconds=draw(lengths_s),
        programme=draw(st.sampled_from(PROGRAMMES)),
        owner=draw(st.sampled_from(("XA", "XA", "HUYEN", "KHAC"))),
        topics=draw(some(st.sampled_from(TOPICS), 2)),
        approved_at=draw(st.just(BEFORE) | moments(hours=72)),
        valid_from=start,
        valid_until=None if start is None else start + timedelta(hours=draw(st.integers(1, 200))),
        evergreen=draw(st.booleans()),
        episode=draw(st.none() | st.integers(1, 9)),
        priority=draw(priorities),
    )


@st.composite
def items(draw: DrawFn, name: str, length_s: int) -> SessionItem:
    """Return one place of a session: a programme, a fixed recording, a relay, or filler."""
    timing = draw(st.sampled_from((Timing.RELATIVE, Timing.RELATIVE, Timing.RELATIVE, Timing.SOFT, Timing.HARD)))
    what = draw(st.sampled_from(("programme", "programme", "programme", "segment", "relay", "filler")))
    kind = {"relay": ItemKind.RELAY, "filler": ItemKind.FILLER}.get(what, ItemKind.SEGMENT)
    return SessionItem(
        id=name,
        kind=kind,
        programme=draw(st.sampled_from(PROGRAMMES)) if what in ("programme", "filler") else None,
        segment=f"s{draw(st.integers(0, 5))}" if what == "segment" else None,
        relay="VOV1" if what == "relay" else None,
        optional=what == "filler" or draw(st.booleans()),
        timing=timing,
        offset_s=None if timing is Timing.RELATIVE else 60 * draw(st.integers(0, max(1, length_s // 60))),
        bound_s=draw(st.sampled_from((0, 60, 300))),
        length_s=draw(st.sampled_from((300, 900))) if what == "relay" else None,
    )


@st.composite
def rules(draw: DrawFn, name: str, templates: tuple[str, ...] = ()) -> SessionRule:
    """Return one session: on weekdays, every other week, on month days or n-th weekdays."""
    length_s = draw(st.sampled_from((600, 1800, 3600)))
    places = draw(st.integers(1, 4))
    dates = draw(st.sampled_from(("weekdays", "weekdays", "weeks", "month", "nth")))
    more: dict[str, object] = {"weekdays": tuple(sorted(draw(st.sets(weekdays, min_size=1))))}
    if dates == "weeks":
        more |= {"every_weeks": 2, "anchor": draw(days)}
    elif dates == "month":
        more["month_days"] = draw(some(st.sampled_from((-1, 1, 16, 23, 24, 28, 30)), 2, 1))
    elif dates == "nth":
        more["nth_weekdays"] = (NthWeekday(nth=draw(st.sampled_from((1, 4, -1))), weekday=draw(weekdays)),)
    return session(
        *[draw(items(f"i{n}", length_s)) for n in range(places)],
        name=name,
        starts=tuple(sorted(draw(st.sets(times(), min_size=1, max_size=2)))),
        length_s=length_s,
        template=draw(st.sampled_from((None, *templates))),
        only=draw(some(st.sampled_from(DayKind), 1)),
        valid_from=draw(st.none() | days),
        targets=draw(some(st.sampled_from(GROUPS), 1)),
        **more,
    )


@st.composite
def stations(draw: DrawFn) -> Station:
    """Return the station, with hours, quiet stretches, limits and groups of some sort."""
    with_groups = draw(st.booleans())
    return Station(
        code="XA",
        name="Đài xã",
        unit="XA",
        zone=draw(st.sampled_from(("Asia/Ho_Chi_Minh", "Asia/Ho_Chi_Minh", "Europe/Paris"))),
        permitted=draw(st.just((DaySpan(start=time(5), end=time(21)),)) | some(spans(), 2, 1)),
        quiet=draw(some(spans(), 1)),
        limits=Limits(
            session_s=draw(st.none() | st.sampled_from((600, 1500))),
            day_s=draw(st.none() | st.sampled_from((900, 3600))),
            sessions=draw(st.none() | st.integers(1, 3)),
        ),
        groups=tuple(ClusterGroup(code=g, name=g, permitted=draw(some(spans(), 1))) for g in GROUPS)
        if with_groups
        else (),
    )


@st.composite
def duties(draw: DrawFn, name: str, at_most: int = 3) -> Duty:
    """Return one duty of the station, weekly or monthly, with or without windows, of airings or of topics."""
    windows = some(st.builds(DutyWindow, weekday=weekdays, start=times(30, 0, 720), end=times(30, 720)), 3)
    return duty(
        code=name,
        programme=draw(st.sampled_from((*PROGRAMMES, None))),
        count=draw(st.integers(1, at_most)),
        period=draw(st.sampled_from((Period.WEEK, Period.WEEK, Period.MONTH))),
        counting=draw(st.sampled_from(Counting)),
        topic_prefix=draw(st.sampled_from(("", "DX-"))),
        topics=draw(some(st.sampled_from(TOPICS), 2)),
        windows=draw(windows),
        deadline_days=draw(st.integers(0, 1)),
        deadline_at=draw(st.sampled_from((time(0), time(20)))),
    )


@st.composite
def one_offs(draw: DrawFn, name: str) -> OneOff:
    """Return one ordered airing, some of them cancelled, some an emergency."""
    cancelled = draw(st.integers(0, 4)) == 0
    return OneOff(
        id=name,
        station="XA",
        segment=f"s{draw(st.integers(0, 5))}",
        start=draw(moments()),
        timing=draw(st.sampled_from((Timing.HARD, Timing.SOFT))),
        ordered_by="Bà Hạnh",
        ordered_at=BEFORE,
        cancelled_by="Bà Hạnh" if cancelled else None,
        cancelled_at=BEFORE if cancelled else None,
        priority=draw(st.sampled_from((Priority.NORMAL, Priority.NORMAL, Priority.EMERGENCY))),
    )


@st.composite
def exceptions(draw: DrawFn, name: str, names: tuple[str, ...]) -> SessionException:
    """Return one exception for one of the sessions: a date cancelled or moved, alone or with all following."""
    change = draw(st.sampled_from(Change))
    return SessionException(
        id=name,
        station="XA",
        session=draw(st.sampled_from(names)),
        day=draw(days),
        change=change,
        following=draw(st.booleans()),
        number=draw(st.sampled_from((None, 1, 2))),
        to_day=draw(st.none() | days) if change is Change.MOVE else None,
        to_start=draw(times()) if change is Change.MOVE else None,
        since=BEFORE,
    )


@st.composite
def intents(draw: DrawFn) -> Intent:
    """Return all that was decided for a station, with some of everything."""
    templates = tuple(
        WeekTemplate(
            id=f"w{n}",
            station="XA",
            name=f"w{n}",
            priority=draw(st.integers(1, 2)),
            valid_from=draw(days),
            day_kinds=draw(some(st.sampled_from(DayKind), 1)),
            since=BEFORE,
        )
        for n in range(draw(st.integers(0, 1)))
    )
    names = tuple(f"buoi{n}" for n in range(draw(st.integers(1, 3))))
    sessions = tuple(draw(rules(name, tuple(t.id for t in templates))) for name in names)
    calendar = draw(
        some(
            st.builds(
                CalendarDay, day=days, kind=st.sampled_from(DayKind), name=st.just("x"), works_as=st.none() | weekdays
            ),
            2,
        )
    )
    excuses = draw(some(st.builds(_excuse, days), 1))
    return intent(
        units=(
            Unit(code="HUYEN", name="Huyện"),
            Unit(code="XA", name="Xã", parent="HUYEN"),
            Unit(code="KHAC", name="Xã khác", parent="HUYEN", successor=draw(st.sampled_from((None, "XA")))),
        ),
        stations=(draw(stations()),),
        programmes=tuple(draw(_programmes(code)) for code in PROGRAMMES),
        segments=tuple(draw(segments(f"s{n}")) for n in range(draw(st.integers(1, 6)))),
        sessions=sessions,
        one_offs=tuple(draw(one_offs(f"o{n}")) for n in range(draw(st.integers(0, 3)))),
        duties=tuple(draw(duties(f"n{n}")) for n in range(draw(st.integers(0, 2)))),
        templates=templates,
        exceptions=tuple(draw(exceptions(f"x{n}", names)) for n in range(draw(st.integers(0, 2)))),
        calendar=calendar,
        excuses=excuses,
        seed=draw(st.integers(0, 2)),
    )


@st.composite
def facts(draw: DrawFn, decided: Intent) -> Facts:
    """Return what a station knows that has aired some recordings before, and lacks the audio of some."""
    aired = {s.id: draw(moments(local(1, 5), 19 * 24)) for s in decided.segments if draw(st.booleans())}
    media = frozenset(s.sha256 for s in decided.segments if draw(st.integers(0, 9)))
    return Facts(station="XA", aired=aired, media=draw(st.none() | st.just(media)), since=BEFORE)


@st.composite
def _programmes(draw: DrawFn, code: str) -> Programme:
    return Programme(
        code=code,
        name=code,
        order=draw(st.sampled_from(Order)),
        otherwise=tuple(draw(st.lists(st.sampled_from(Otherwise), unique=True))),
        separation_s=draw(st.sampled_from((0, 3600))),
    )


def _excuse(day: date) -> Excuse:
    return Excuse(station="XA", first=day, last=day, document="12/QĐ", reason=Text("Mưa bão.", "Storm."))
