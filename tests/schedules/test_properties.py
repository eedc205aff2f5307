"""What holds of every plan, whatever was decided: for messy intents drawn at random."""

from __future__ import annotations

from collections import Counter, defaultdict
from copy import deepcopy
from dataclasses import fields, is_dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schedules.airing import Facts, Outage, Run, RunState, Verdict
from schedules.calendar import occurrences
from schedules.clock import Interval
from schedules.duty import DutyState
from schedules.grid import ItemKind
from schedules.intent import Intent
from schedules.planner import plan
from schedules.rundown import Rundown, RundownItem
from schedules.segment import SAMPLE_RATE_HZ, Priority
from schedules.station import DaySpan, Station
from schedules.text import Text
from tests.schedules import strategies
from tests.schedules.life import Life

drawn = settings(
    max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
HALF_HOUR = timedelta(minutes=30)
STEP = timedelta(minutes=30)
CUT = Text("Mất điện.", "Power cut.")


@st.composite
def moments_of_planning(draw: st.DrawFn) -> tuple[Intent, Facts, datetime]:
    """Return an intent, what the station knows, and when it plans."""
    decided = draw(strategies.intents())
    return decided, draw(strategies.facts(decided)), draw(strategies.moments(hours=6 * 24))


def ahead(decided: Intent, facts: Facts, now: datetime, days: int = 4) -> Rundown:
    return plan(decided, facts, now, Interval(now, now + timedelta(days=days)))


def sounding(rundown: Rundown) -> list[RundownItem]:
    """Return the items that will be heard: with audio or a source, neither replaced nor cancelled nor long lost."""
    return [
        item
        for item in rundown.items
        if (item.sha256 is not None or item.relay is not None)
        and item.replaced_by is None
        and item.cancelled_by is None
        and ends(item) > item.due >= rundown.planned_at
    ]


def ends(item: RundownItem) -> datetime:
    whole = item.due + (item.end - item.start)
    return whole if item.cut_at is None else min(whole, item.cut_at)


def _begins(spans: tuple[DaySpan, ...], local: datetime) -> bool:
    """Return whether a local moment lies in one of the stretches: looked up, not reckoned in instants."""
    before = (local.isoweekday() - 2) % 7 + 1
    for span in spans:
        over_midnight = span.end <= span.start
        today = local.isoweekday() in span.weekdays
        if today and span.start <= local.time() and (over_midnight or local.time() < span.end):
            return True
        if over_midnight and before in span.weekdays and local.time() < span.end:
            return True
    return False


def may_sound(station: Station, item: RundownItem) -> bool:
    """Return whether every moment of an item is allowed; in the strategies hours change on the half hour only."""
    start, end = item.due, ends(item)
    moment = start
    while moment < end:
        local = moment.astimezone(ZoneInfo(station.zone))
        if not _begins(station.permitted, local) or _begins(station.quiet, local):
            return False
        for group in station.groups:
            heard = item.targets is None or group.code in item.targets
            if heard and group.permitted and not _begins(group.permitted, local):
                return False
        into = timedelta(minutes=moment.minute % 30, seconds=moment.second, microseconds=moment.microsecond)
        moment += HALF_HOUR - into
    return True


@drawn
@given(moments_of_planning())
def test_a_plan_never_sounds_twice_at_once(drawn_case: tuple[Intent, Facts, datetime]) -> None:
    """No two items that will be heard share any time, cuts considered."""
    stretches = sorted((i.due, ends(i), i.slot) for i in sounding(ahead(*drawn_case)))

    assert [] == [(one, two) for one, two in pairwise(stretches) if one[1] > two[0]]


@drawn
@given(moments_of_planning())
def test_a_plan_never_leaves_the_permitted_hours(drawn_case: tuple[Intent, Facts, datetime]) -> None:
    """All but emergencies sound in permitted hours, outside the quiet ones, and each group in its own."""
    station = drawn_case[0].stations[0]
    ordinary = [i for i in sounding(ahead(*drawn_case)) if i.priority is not Priority.EMERGENCY]

    assert [] == [(i.slot, i.due, ends(i)) for i in ordinary if not may_sound(station, i)]


@drawn
@given(moments_of_planning())
def test_a_plan_keeps_the_limits(drawn_case: tuple[Intent, Facts, datetime]) -> None:
    """Seconds a session and a day, relays included, and sessions a day stay within the limits, emergencies apart."""
    station = drawn_case[0].stations[0]
    zone, limits = ZoneInfo(station.zone), station.limits
    by_session: dict[str, float] = defaultdict(float)
    by_day: dict[object, float] = defaultdict(float)
    sessions: dict[object, set[str]] = defaultdict(set)
    for item in sounding(ahead(*drawn_case)):
        if item.priority is Priority.EMERGENCY:
            continue
        day, length_s = item.due.astimezone(zone).date(), (ends(item) - item.due).total_seconds()
        by_day[day] += length_s
        if item.session is not None:
            by_session[item.session] += length_s
            sessions[day].add(item.session)

    assert limits.session_s is None or all(total <= limits.session_s + 0.001 for total in by_session.values())
    assert limits.day_s is None or all(total <= limits.day_s + 0.001 for total in by_day.values())
    assert limits.sessions is None or all(len(names) <= limits.sessions for names in sessions.values())


@drawn
@given(moments_of_planning())
def test_the_same_input_gives_the_same_plan(drawn_case: tuple[Intent, Facts, datetime]) -> None:
    """Nothing but the input decides: a copy of it gives an equal rundown."""
    assert ahead(*drawn_case) == ahead(*deepcopy(drawn_case))


def shuffled(value: Any, dice: Random, *, keep: tuple[str, ...] = ("items", "starts", "otherwise", "parts")) -> Any:
    """Return a dataclass with every tuple in it in another order, but those whose order means something."""
    if isinstance(value, tuple):
        turned = [shuffled(part, dice, keep=keep) for part in value]
        dice.shuffle(turned)
        return tuple(turned)
    if not is_dataclass(value) or isinstance(value, type):
        return value
    changed = {
        f.name: shuffled(getattr(value, f.name), dice, keep=keep)
        for f in fields(value)
        if f.init and f.name not in keep
    }
    return replace(value, **changed)


@drawn
@given(moments_of_planning(), st.integers(0, 99))
def test_a_plan_does_not_depend_on_the_order_of_its_input(
    drawn_case: tuple[Intent, Facts, datetime], seed: int
) -> None:
    """Sessions, segments, duties, rows, hours and weekdays may be written down in any order."""
    decided, facts, now = drawn_case
    other = shuffled(decided, Random(seed))
    # The station keeps no order of topics: they are what a recording carries.
    sorted_topics = {s.id: s.topics for s in decided.segments}
    other = replace(other, segments=tuple(replace(s, topics=sorted_topics[s.id]) for s in other.segments))

    assert ahead(decided, facts, now) == ahead(other, shuffled(facts, Random(seed)), now)


@drawn
@given(moments_of_planning())
def test_every_place_of_every_session_has_one_slot(drawn_case: tuple[Intent, Facts, datetime]) -> None:
    """Each place that is not optional is in the plan exactly once, no slot twice, and none that nobody asked for."""
    decided, facts, now = drawn_case
    station = decided.stations[0]
    during = Interval(now, now + timedelta(days=4))
    rundown = plan(decided, facts, now, during)
    count = Counter(item.slot for item in rundown.items)
    # A session at the very end may have places that are due, or were pushed, beyond it.
    inside = Interval(now, during.end - timedelta(hours=3))
    due = [o for o in occurrences(decided, station, during) if inside.contains(o.during.start)]

    wanted = {
        f"XA/{o.name}/{o.day.isoformat()}/{p.id}"
        for o in due
        for p in o.rule.items
        if not p.optional and p.kind is not ItemKind.FILLER
    }
    assert set() == {slot for slot, times in count.items() if times > 1}
    assert set() == wanted - count.keys()


@drawn
@given(moments_of_planning(), st.integers(0, 99), st.integers(1, 999))
def test_what_has_begun_is_kept(drawn_case: tuple[Intent, Facts, datetime], which: int, part: int) -> None:
    """An item on air keeps its recording, its start and its time when everything around it is decided anew."""
    decided, facts, now = drawn_case
    playing = [i for i in sounding(ahead(decided, facts, now)) if i.sha256 is not None]
    if not playing:
        return
    item = playing[which % len(playing)]
    later = item.due + (item.end - item.start) * part / 1000
    position = round((later - item.due).total_seconds() * SAMPLE_RATE_HZ)
    run = Run(
        item=item,
        state=RunState.PLAYING,
        start_at=item.due,
        started_at=item.due,
        part_started_at=item.due,
        position=position,
        position_at=later,
        origin=item.due,
    )
    changed = replace(decided, segments=(), sessions=(), templates=(), exceptions=(), one_offs=())

    for intent in (decided, changed):
        after = plan(intent, replace(facts, runs=(run,)), later, Interval(later, later + timedelta(days=1)))
        kept = [i for i in after.items if i.slot == item.slot]

        assert [(item.sha256, item.due, item.start, item.end)] == [(i.sha256, i.due, i.start, i.end) for i in kept]
        assert all(i.due >= ends(kept[0]) for i in sounding(after) if i.slot != item.slot)


@settings(drawn, max_examples=40)
@given(
    strategies.intents(),
    strategies.moments(hours=48),
    st.lists(st.tuples(st.integers(0, 4000), st.integers(1, 900)), max_size=3),
)
def test_every_slot_of_a_lived_stretch_ends_once(decided: Intent, start: datetime, cuts: list[tuple[int, int]]) -> None:
    """Three days with power cuts: one row a slot, one sound at a time, only in permitted hours; a duty counts once."""
    outages, free = [], start
    for after, lasts in sorted(cuts):
        begins = start + timedelta(minutes=after)
        if begins > free:
            free = begins + timedelta(minutes=lasts)
            outages.append(Outage(during=Interval(begins, free), reason=CUT))
    end = start + timedelta(days=3)

    life = Life(intent=decided, during=Interval(start, end), outages=outages).live()

    assert set() == {slot for slot, times in Counter(row.slot for row in life.rows).items() if times > 1}
    heard = sorted(life.heard)
    assert [] == [(one, two) for one, two in pairwise(heard) if one[1] > two[0]]
    assert all(row.reason is not None for row in life.rows if row.verdict in (Verdict.MISSED, Verdict.PARTIAL))
    assert all(row.samples_aired >= 0.95 * row.samples_expected for row in life.rows if row.verdict is Verdict.AIRED)
    known = {row.slot for row in life.rows} | set(life._runs)
    overdue = [
        i.slot
        for i in life.rundown.items
        if i.slot not in known and start <= i.start < end - timedelta(hours=1) and i.due < end - timedelta(hours=1)
    ]
    assert [] == overdue
    for standing in life.standings(end).values():
        if standing.state in (DutyState.MET, DutyState.MADE_UP):
            rows = [row for row in life.rows if row.slot in standing.slots]
            assert len(standing.slots) == len(set(standing.slots)) == len(rows)
            assert all(row.verdict is Verdict.AIRED for row in rows)
