"""Whenever a search through every placement can fulfil all duties of a week, the planner fulfils them too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from functools import cache
from itertools import pairwise, product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schedules.airing import Facts
from schedules.clock import Interval
from schedules.duty import Counting, Duty, DutyState, DutyWindow
from schedules.grid import ItemKind, SessionItem
from schedules.intent import Intent
from schedules.planner import plan
from schedules.programme import Otherwise, Programme
from schedules.rundown import Rundown, RundownItem
from schedules.segment import Segment
from schedules.station import DaySpan, Limits, Station
from tests.schedules.builders import duty, intent, local, one_off, place, segment, session

WEEK = Interval(local(23, 0), local(30, 0))
MARK = timedelta(minutes=5)
HANOI = timedelta(hours=7)
EVERYTHING = tuple(Otherwise)
PROGRAMMES = tuple(Programme(code=code, name=code, otherwise=EVERYTHING) for code in ("CDS", "TIN", "KHAC", "NHAC"))


@dataclass(frozen=True, slots=True)
class Debt:
    """What one duty still lacks in the search: airings, or topics beside those covered."""

    missing: int
    covered: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Fixed:
    """What has its time already: an ordered airing, or a session whose places the search fills."""

    start: datetime
    end: datetime
    places: tuple[SessionItem, ...] = ()
    airs: Segment | None = None


@dataclass(frozen=True, slots=True)
class Search:
    """Every placement of make-ups on five-minute marks and every filling of programme slots, in time order."""

    decided: Intent
    now: datetime

    def possible(self) -> bool:
        """Return whether any placement fulfils all duties of the week."""
        if len(self.decided.duties) > 1:
            # Most weeks that cannot be fulfilled fail for one duty by itself, which is found much sooner.
            alone = (replace(self.decided, duties=(owed,)) for owed in self.decided.duties)
            if not all(Search(week, self.now).possible() for week in alone):
                return False
        fixed = tuple(sorted((f for f in self._fixed() if f.start >= self.now), key=lambda f: f.start))
        ordered = [f for f in fixed if f.airs is not None]
        duties = self.decided.duties
        limit = self.decided.stations[0].limits.day_s
        places = tuple(self._places())

        @cache
        def go(free: datetime, following: int, debts: tuple[Debt, ...], day_s: float) -> bool:
            if all(debt.missing == 0 for debt in debts):
                return True
            barrier = fixed[following].start if following < len(fixed) else WEEK.end
            for start, airs in places:
                end = start + airs.duration
                if start < free or end > barrier:
                    continue
                spent = _on_day(free, start, day_s) + airs.duration.total_seconds()
                # What a person ordered for later that day keeps its minutes; what a session holds may give way.
                later = sum(_length_s(f) for f in ordered if f.start > start and _day(f.start) == _day(start))
                lawful = (limit is None or spent + later <= limit) and self._may_make_up(airs, start, debts)
                if lawful and go(end, following, self._after(debts, airs, start), spent):
                    return True
            if following == len(fixed):
                return False
            return any(
                go(at, following + 1, after, spent)
                for at, after, spent in self._through(fixed[following], debts, _on_day(free, barrier, day_s))
            )

        return go(WEEK.start, 0, tuple(Debt(d.count) for d in duties), 0.0)

    def _fixed(self) -> Iterator[Fixed]:
        for ordered in self.decided.one_offs:
            airs = next(s for s in self.decided.segments if s.id == ordered.segment)
            if self._open(ordered.start, ordered.start + airs.duration):
                yield Fixed(ordered.start, ordered.start + airs.duration, airs=airs)
        for rule in self.decided.sessions:
            for weekday in rule.weekdays:
                start = local(22 + weekday, rule.starts[0].hour, rule.starts[0].minute)
                # Fillers are the first to give way: they never stand in a duty's way.
                places = tuple(place for place in rule.items if place.kind is not ItemKind.FILLER)
                yield Fixed(start, start + timedelta(seconds=rule.length_s), places=places)

    def _places(self) -> Iterator[tuple[datetime, Segment]]:
        """Yield every lawful place for a make-up of any duty: what starts when, by itself alone."""
        untouched = tuple(Debt(owed.count) for owed in self.decided.duties)
        mark = WEEK.start
        while mark < WEEK.end:
            if not self._open(mark, mark):
                mark += MARK
                continue
            for airs in self.decided.segments:
                valid = airs.valid_at(mark) and airs.approved_at <= mark
                lawful = mark >= self.now and valid and self._open(mark, mark + airs.duration)
                if lawful and self._may_make_up(airs, mark, untouched):
                    yield mark, airs
            mark += MARK

    def _open(self, start: datetime, end: datetime) -> bool:
        at, to = start + HANOI, end + HANOI
        hours = self.decided.stations[0].permitted
        return any(h.start <= at.time() and at.date() == to.date() and to.time() <= h.end for h in hours)

    def _may_make_up(self, airs: Segment, start: datetime, debts: tuple[Debt, ...]) -> bool:
        """Return whether a duty that still lacks it could have it made up then: in its windows, by its deadline."""
        end = start + airs.duration
        return any(
            _brings(owed, debt, airs) and end <= _deadline(owed) and _in_windows(owed, start, end)
            for owed, debt in zip(self.decided.duties, debts, strict=True)
        )

    def _after(self, debts: tuple[Debt, ...], airs: Segment, start: datetime) -> tuple[Debt, ...]:
        """Return what is left owed after a whole airing; it counts for every duty that it fits."""
        left = []
        for owed, debt in zip(self.decided.duties, debts, strict=True):
            if _brings(owed, debt, airs) and start + airs.duration <= _deadline(owed):
                topics = debt.covered | _topics(owed, airs)
                topical = owed.counting is Counting.TOPICS
                left.append(Debt(max(0, owed.count - len(topics)) if topical else debt.missing - 1, topics))
            else:
                left.append(debt)
        return tuple(left)

    def _through(
        self, fixed: Fixed, debts: tuple[Debt, ...], day_s: float
    ) -> Iterator[tuple[datetime, tuple[Debt, ...], float]]:
        """Yield how an ordered airing, or a session with any choice for each of its slots, can leave things."""
        limit = self.decided.stations[0].limits.day_s
        ways = [(fixed.start, debts, day_s)]
        for what in fixed.places if fixed.airs is None else (fixed.airs,):
            further = []
            for at, owed, spent in ways:
                able = [what] if isinstance(what, Segment) else self._fillings(what, at)
                airing = [
                    (at + s.duration, self._after(owed, s, at), spent + s.duration.total_seconds())
                    for s in able
                    if at + s.duration <= fixed.end
                    and self._open(at, at + s.duration)
                    and (limit is None or spent + s.duration.total_seconds() <= limit)
                ]
                further += airing or [(at, owed, spent)]
            ways = further
        yield from ways

    def _fillings(self, what: SessionItem, at: datetime) -> list[Segment]:
        return [
            s
            for s in self.decided.segments
            if (s.id == what.segment or s.programme == what.programme) and s.valid_at(at) and s.approved_at <= at
        ]


def _day(moment: datetime) -> int:
    return (moment + HANOI).toordinal()


def _length_s(fixed: Fixed) -> float:
    return (fixed.end - fixed.start).total_seconds()


def _on_day(before: datetime, moment: datetime, day_s: float) -> float:
    return day_s if _day(before) == _day(moment) else 0.0


def _topics(owed: Duty, airs: Segment) -> frozenset[str]:
    return frozenset(
        t for t in airs.topics if t.startswith(owed.topic_prefix) and (not owed.topics or t in owed.topics)
    )


def _of(owed: Duty, programme: str | None, topics: tuple[str, ...]) -> bool:
    return (
        owed.programme in (None, programme)
        and (not owed.topic_prefix or any(t.startswith(owed.topic_prefix) for t in topics))
        and (not owed.topics or any(t in owed.topics for t in topics))
    )


def _brings(owed: Duty, debt: Debt, airs: Segment) -> bool:
    if debt.missing == 0 or not _of(owed, airs.programme, airs.topics):
        return False
    return owed.counting is Counting.AIRINGS or bool(_topics(owed, airs) - debt.covered)


def _deadline(owed: Duty) -> datetime:
    last = local(29 - owed.deadline_days, owed.deadline_at.hour, owed.deadline_at.minute)
    return last if owed.deadline_at != time(0) else last + timedelta(days=1)


def _in_windows(owed: Duty, start: datetime, end: datetime) -> bool:
    if not owed.windows:
        return True
    at, to = start + HANOI, end + HANOI
    return any(
        w.weekday == at.isoweekday() and w.start <= at.time() and to.time() <= w.end and at.date() == to.date()
        for w in owed.windows
    )


def fulfils(owed: Duty, items: list[RundownItem]) -> bool:
    """Return whether whole airings in the plan fulfil a duty: counted from its items, whatever it says itself."""
    good = [i for i in items if _of(owed, i.programme, i.topics) and WEEK.start <= i.due < _deadline(owed)]
    if owed.counting is Counting.AIRINGS:
        return len(good) >= owed.count
    found = {t for i in good for t in i.topics if t.startswith(owed.topic_prefix)}
    return len({t for t in found if not owed.topics or t in owed.topics}) >= owed.count


def weeks_plan(decided: Intent, now: datetime) -> Rundown:
    return plan(decided, Facts(station="XA", since=now), now, WEEK)


def heard(rundown: Rundown) -> list[RundownItem]:
    whole = [i for i in rundown.items if i.sha256 is not None and i.replaced_by is None and i.cut_at is None]
    return sorted(whole, key=lambda i: i.due)


def prove(decided: Intent, now: datetime = WEEK.start) -> bool:
    """Check the plan of an instance against the search; return whether the search found a placement."""
    if not Search(decided, now).possible():
        return False
    rundown = weeks_plan(decided, now)
    items = heard(rundown)

    assert all(one.due + (one.end - one.start) <= two.due for one, two in pairwise(items))
    assert {DutyState.PLANNED} == {standing.state for standing in rundown.duties}
    assert all(fulfils(owed, items) for owed in decided.duties)
    known = {s.id: s for s in decided.segments}
    assert all(known[i.segment or ""].valid_at(i.due) for i in items)
    return True


def instance(
    segments: tuple[Segment, ...],
    owed: tuple[Duty, ...],
    *,
    hours: tuple[time, time] = (time(5), time(7)),
    day_s: int | None = None,
    **more: object,
) -> Intent:
    """Return a week of a station that is open between `hours`."""
    station = Station(
        code="XA",
        name="Đài",
        unit="XA",
        permitted=(DaySpan(start=hours[0], end=hours[1]),),
        limits=Limits(day_s=day_s),
    )
    return intent(stations=(station,), programmes=PROGRAMMES, segments=segments, duties=owed, **more)


def window(weekday: int, start: time, minutes: int) -> DutyWindow:
    """Return a window of so many minutes on one weekday."""
    end = datetime.combine(WEEK.start.date(), start) + timedelta(minutes=minutes)
    return DutyWindow(weekday=weekday, start=start, end=end.time())


LENGTHS_S = (300, 600, 1200, 1500)


def tiny() -> Iterator[Intent]:
    """Yield every instance of two duties in an hour or less, around one thing that has its time already."""
    windows = ((time(5), 20), (time(5), 40), (time(5, 30), 30))
    blocks = (None, ("order", 5), ("order", 15), ("session", 0), ("session", 20))
    for (first, second), lengths, block, count in product(
        product(windows, repeat=2), product(LENGTHS_S, repeat=2), blocks, (1, 2)
    ):
        segments = (
            segment("a", seconds=lengths[0], programme="CDS"),
            segment("b", seconds=lengths[1], programme="TIN"),
            segment("k", seconds=600, programme="KHAC"),
        )
        owed = (
            duty(code="A", programme="CDS", topic_prefix="", windows=(window(1, *first),), count=count),
            duty(code="B", programme="TIN", topic_prefix="", windows=(window(1, *second),)),
        )
        more: dict[str, object] = {}
        if block is not None and block[0] == "order":
            more["one_offs"] = (one_off("o", "k", local(23, 5, block[1])),)
        elif block is not None:
            slot = place("k", fixed="k"), place("b", programme="TIN")
            more["sessions"] = (session(*slot, starts=(time(5, block[1]),), weekdays=(1,), length_s=1800),)
        yield instance(segments, owed, hours=(time(5), time(6)), **more)


def test_every_tiny_week_that_can_be_fulfilled_is() -> None:
    """All 1,440 weeks of two duties with tight windows around an ordered airing or a session: none is given up."""
    solvable = [prove(decided) for decided in tiny()]

    assert 1440 == len(solvable)
    assert 500 < sum(solvable) < 1000


@st.composite
def small_weeks(draw: st.DrawFn) -> tuple[Intent, datetime]:
    """Return a small week and when it is planned: one to three duties in tight windows, with things in their way."""
    codes = ("CDS", "TIN")
    starts = st.integers(0, 23).map(lambda n: time(5 + n // 12, n % 12 * 5))
    segments = tuple(
        segment(
            f"s{n}",
            seconds=draw(st.sampled_from((300, 600, 590.5, 900, 1200, 1800))),
            programme=draw(st.sampled_from(codes)),
            topics=draw(st.sampled_from((("DX-A",), ("DX-B",), ("DX-A", "F-1"), ("DX-B", "F-1")))),
            valid_from=draw(st.none() | st.sampled_from((local(24, 5, 30), local(28, 0)))),
            valid_until=draw(st.none() | st.sampled_from((local(28, 5, 40), local(29, 6)))),
            owner=draw(st.sampled_from(("XA", "XA", "HUYEN"))),
        )
        for n in range(draw(st.integers(2, 4)))
    )
    owed = tuple(
        duty(
            code=f"d{n}",
            programme=draw(st.sampled_from((*codes, None))),
            topic_prefix=draw(st.sampled_from(("", "DX-"))),
            topics=draw(st.sampled_from(((), (), ("DX-A", "DX-B"), ("F-1",)))),
            counting=draw(st.sampled_from((Counting.AIRINGS, Counting.AIRINGS, Counting.TOPICS))),
            count=draw(st.sampled_from((1, 1, 2))),
            windows=tuple(
                window(draw(st.sampled_from((1, 2, 6))), draw(starts), draw(st.sampled_from((20, 30, 45, 60))))
                for _ in range(draw(st.integers(0, 2)))
            ),
            deadline_days=draw(st.sampled_from((0, 0, 5))),
            deadline_at=draw(st.sampled_from((time(0), time(6)))),
        )
        for n in range(draw(st.integers(1, 3)))
    )
    more: dict[str, object] = {}
    if draw(st.booleans()):
        item = "k"
        more["one_offs"] = (
            one_off("o", item, local(draw(st.sampled_from((23, 24, 28))), 5, draw(st.integers(0, 40)))),
        )
        segments = (*segments, segment("k", seconds=draw(st.sampled_from((600, 1500))), programme="KHAC"))
    elif draw(st.booleans()):
        places = [place(f"i{n}", programme=draw(st.sampled_from(codes))) for n in range(draw(st.integers(1, 2)))]
        if draw(st.booleans()):
            places.insert(0, SessionItem(id="f", kind=ItemKind.FILLER, programme="NHAC", optional=True))
            segments = (*segments, *(segment(name, seconds=60, programme="NHAC", topics=()) for name in ("m", "n")))
        on = draw(st.sampled_from(((1,), (2,), (1, 6))))
        more["sessions"] = (session(*places, starts=(draw(starts),), weekdays=on, length_s=1800),)
    decided = instance(
        segments,
        owed,
        day_s=draw(st.sampled_from((None, None, 1800, 3600))),
        hours=(time(5), draw(st.sampled_from((time(6), time(7), time(7))))),
        **more,
    )
    return decided, draw(st.sampled_from((WEEK.start, WEEK.start, local(24, 4, 32), local(28, 0))))


def test_every_small_week_that_can_be_fulfilled_is() -> None:
    """Of 1,500 small weeks drawn at random, every one that the search can fulfil is fulfilled by the plan."""
    solvable: list[bool] = []

    @settings(
        max_examples=1500, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(small_weeks())
    def drawn(week: tuple[Intent, datetime]) -> None:
        solvable.append(prove(*week))

    drawn()

    assert 1000 <= len(solvable)
    assert 300 < sum(solvable) < len(solvable)


@pytest.mark.soak
@settings(max_examples=100_000, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(small_weeks())
def test_every_small_week_for_hours(week: tuple[Intent, datetime]) -> None:
    """The same for 100,000 weeks that are others each time."""
    prove(*week)
