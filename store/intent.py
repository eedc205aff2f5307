"""Everything decided, as the one snapshot that stations obey."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from schedules.carrying import carry
from schedules.choosing import libraries_of
from schedules.intent import Intent
from schedules.station import Station
from store import (
    calendar_days,
    dispatches,
    duties,
    exceptions,
    excuses,
    one_offs,
    programmes,
    segments,
    sessions,
    sources,
    stations,
    templates,
    units,
)
from store.revision import bump, current

__all__ = ["bump", "current", "load_intent", "load_part"]

# Without news from the authority a station goes on for two weeks, then only duties air.
VALID_FOR = timedelta(days=14)
# What is over stays in the snapshot so long, so that the station can still settle it and say who took it out.
KEPT_FOR = timedelta(days=35)


def load_intent(session: Session, now: datetime, *, demo: bool) -> Intent:
    """Return everything that is decided at `now`."""
    since = now - KEPT_FOR
    decided = Intent(
        revision=current(session),
        issued_at=now,
        valid_until=now + VALID_FOR,
        units=units.every(session),
        stations=stations.every(session),
        programmes=programmes.every(session),
        segments=segments.airable(session),
        sessions=sessions.since(session, since),
        one_offs=one_offs.since(session, since),
        duties=duties.every(session),
        templates=templates.since(session, since),
        exceptions=exceptions.since(session, since, since.date()),
        calendar=calendar_days.every(session),
        excuses=excuses.in_force(session),
        sources=sources.every(session),
        demo=demo,
    )
    return carry(decided, dispatches.sendings(session, since))


def load_part(session: Session, codes: Collection[str], now: datetime, *, demo: bool) -> Intent:
    """Return what is decided for some stations only: they get the plan from it that they get from the whole.

    Stations that were merged into them are in it too, since their duties go over.
    """
    since = now - KEPT_FOR
    tree = units.every(session)
    here = _with_merged(session, codes)
    known = {station.code for station in here}
    owners = frozenset(owner for station in here for owner in libraries_of(tree, station))
    decided = Intent(
        revision=current(session),
        issued_at=now,
        valid_until=now + VALID_FOR,
        units=tree,
        stations=here,
        programmes=programmes.every(session),
        segments=segments.airable(session, owners=owners),
        sessions=sessions.since(session, since, known),
        one_offs=one_offs.since(session, since, known),
        duties=tuple(
            replace(duty, stations=tuple(code for code in duty.stations if code in known))
            for duty in duties.every(session)
            if not known.isdisjoint(duty.stations)
        ),
        templates=templates.since(session, since, known),
        exceptions=exceptions.since(session, since, since.date(), known),
        calendar=calendar_days.every(session),
        excuses=excuses.in_force(session),
        sources=sources.every(session),
        demo=demo,
    )
    return carry(decided, dispatches.sendings(session, since, known))


def _with_merged(session: Session, codes: Collection[str]) -> tuple[Station, ...]:
    found: dict[str, Station] = {}
    wanted = frozenset(codes)
    while wanted:
        more = {one.code: one for one in stations.of_codes(session, wanted) if one.code not in found}
        found |= more
        wanted = stations.merged_into(session, more) - found.keys()
    return tuple(found[code] for code in sorted(found))
