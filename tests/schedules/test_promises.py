"""What a plan says is what airs: two days as planned at their beginning, and as they were lived through."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schedules.airing import Facts, Outage, Verdict
from schedules.clock import Interval
from schedules.intent import Intent
from schedules.planner import plan
from schedules.segment import Priority
from schedules.text import Text
from tests.schedules import strategies
from tests.schedules.life import Life
from tests.schedules.test_properties import ends, may_sound, sounding

MINUTE = timedelta(minutes=1)
DAYS = timedelta(days=2)
few = settings(max_examples=50, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))


def decided_by(decided: Intent, start: datetime) -> Intent:
    """Return the intent with nothing decided or approved later than `start`."""
    return replace(
        decided,
        segments=tuple(replace(s, approved_at=min(s.approved_at, start)) for s in decided.segments),
        one_offs=tuple(replace(o, ordered_at=min(o.ordered_at, start)) for o in decided.one_offs),
    )


@few
@given(strategies.intents(), strategies.moments(hours=48))
def test_what_was_planned_at_first_is_what_airs(messy: Intent, start: datetime) -> None:
    """Where nothing is edited and nothing fails, two days air item by item as they were planned at their beginning."""
    decided, end = decided_by(messy, start), start + DAYS
    rundown = plan(decided, Facts(station="XA", since=start), start, Interval(start, end))
    inside = Interval(start + MINUTE, end - MINUTE)

    life = Life(intent=decided, during=Interval(start, end)).live()

    planned = {
        i.slot: (i.due, i.segment)
        for i in sounding(rundown)
        if i.relay is None and i.cut_at is None and inside.contains(i.due) and inside.contains(ends(i))
    }
    aired = {
        r.slot: (r.started_at, r.segment)
        for r in life.rows
        if r.verdict is Verdict.AIRED
        and r.kind != "relay"
        and r.started_at is not None
        and r.ended_at is not None
        and inside.contains(r.started_at)
        and inside.contains(r.ended_at)
    }
    assert planned == aired


@few
@given(strategies.intents(), strategies.moments(hours=48), st.integers(0, 2000), st.integers(1, 200))
def test_after_a_power_cut_the_rest_still_is_lawful(messy: Intent, start: datetime, after: int, lasts: int) -> None:
    """One cut in two days: what is planned after it overlaps nothing, stays in its hours, and airs as then planned."""
    decided, end = decided_by(messy, start), start + DAYS
    begins = start + after * MINUTE
    back = begins + lasts * MINUTE
    cut = Outage(during=Interval(begins, back), reason=Text("Mất điện.", "Power cut."))
    short = Life(intent=decided, during=Interval(start, back), outages=(cut,)).live()
    rundown = plan(decided, short._facts(), back, Interval(back - 2 * DAYS, end))
    coming = sounding(rundown)

    life = Life(intent=decided, during=Interval(start, end), outages=(cut,)).live()

    stretches = sorted((i.due, ends(i)) for i in coming)
    assert all(one[1] <= two[0] for one, two in pairwise(stretches))
    station = decided.stations[0]
    assert all(may_sound(station, i) for i in coming if i.priority is not Priority.EMERGENCY)
    heard = {(slot, begun) for begun, _, slot in life.heard}
    later = [i for i in coming if i.relay is None and i.due > back + MINUTE and ends(i) < end - MINUTE]
    assert {(i.slot, i.due) for i in later} <= heard
    assert all(one[1] <= two[0] for one, two in pairwise(sorted(life.heard)))
