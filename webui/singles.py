"""A single airing, looked at before it is ordered: what speaks against it, and what gives way to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from schedules.clock import Interval
from schedules.findings import Finding, errors
from schedules.grid import OneOff, Timing
from schedules.planner import check_one_off, plan
from schedules.rundown import RundownItem
from schedules.segment import Segment, SegmentId
from schedules.station import Station
from store.accounts import Person
from store.identity import new_id
from store.intent import load_part
from webui.effects import Effects, effects
from webui.planning import facts_of
from webui.services import services
from webui.work import require, station_of

_AROUND = timedelta(hours=12)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """What an order would do. displaced: items that give way to it, as they were planned; delayed: that begin later."""

    findings: tuple[Finding, ...]
    effects: Effects
    displaced: tuple[RundownItem, ...] = ()
    delayed: tuple[tuple[RundownItem, RundownItem], ...] = ()


def airable_here(station: Station, *, person: Person, limit: int) -> tuple[Segment, ...]:
    """Return the approved recordings that the station may air now, the newest first."""
    here = services()
    now = here.clock.now()
    with here.database.reading() as session:
        station = station_of(session, station.code, person)
        known = load_part(session, (station.code,), now, demo=here.demo).segments
    fitting = [one for one in known if one.valid_until is None or one.valid_until > now]
    return tuple(sorted(fitting, key=lambda one: (one.approved_at, one.id), reverse=True)[:limit])


def look_at(code: str, segment: SegmentId, start: datetime, timing: Timing, *, person: Person) -> Prospect:
    """Return what ordering this airing would do, without ordering it. Raises Unknown, NotAllowed."""
    here = services()
    now = here.clock.now()
    with here.database.reading() as session:
        station = station_of(session, code, person)
        require(person, "airings.order", station)
        before = load_part(session, (code,), now, demo=here.demo)
        facts = facts_of(session, code, now)
    wanted = OneOff(
        id=new_id(),
        station=code,
        segment=segment,
        start=start,
        timing=timing,
        ordered_by=person.full_name,
        ordered_at=now,
    )
    # Slots with a row are settled: such an order stands in nobody's way any more.
    settled = frozenset(row.slot for row in facts.airings)
    findings = check_one_off(before, wanted, now, settled)
    if errors(findings):
        return Prospect(findings=findings, effects=Effects())
    after = replace(before, one_offs=(*before.one_offs, wanted))
    horizon = Interval(now, max(now, start) + _AROUND)
    was, will = plan(before, facts, now, horizon), plan(after, facts, now, horizon)
    there = {item.slot: item for item in will.items}
    mine = next((item for item in will.items if wanted.id in item.slot), None)
    displaced, delayed = [], []
    for item in was.items:
        if item.due <= now or item.replaced_by is not None or item.cancelled_by is not None:
            continue
        other = there.get(item.slot)
        if other is None or other.replaced_by is not None:
            displaced.append(item)
        elif (other.due - item.due).total_seconds() >= 1:
            delayed.append((item, other))
    weighed = effects(was, will, zone=station.zone, now=now)
    # The order itself is no side effect.
    lost = tuple(one for one in weighed.lost if mine is None or one.segment != segment)
    return Prospect(
        findings=findings,
        effects=replace(weighed, lost=lost, today=()),
        displaced=tuple(displaced),
        delayed=tuple(delayed),
    )


def usable_now(segment: SegmentId, station: Station, *, person: Person) -> Segment | None:
    """Return an approved recording that the station may air, or None."""
    return next((one for one in airable_here(station, person=person, limit=100_000) if one.id == segment), None)


__all__ = ["Prospect", "airable_here", "look_at", "usable_now"]
