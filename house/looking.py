"""Looks at the stations in the background: what aired is counted, how duties stand and what was sent down is kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from link.door import StationDoor
from schedules.clock import Clock
from schedules.rundown import Rundown
from schedules.station import Station, StationCode
from store import coverage, dispatches, stations
from store.database import Database
from store.dispatches import Dispatch, Receipt, Step

LOOK_S = 60
AT_ONCE = 25
"""Stations whose plan is asked for in one look; a fleet is gone through in turns."""

AHEAD = timedelta(days=14)


def look(database: Database, doors: Mapping[StationCode, StationDoor], clock: Clock) -> int:
    """Count what aired, then ask the stations that were asked longest ago; return how many were asked."""
    now = clock.now()
    with database.reading() as session:
        known = stations.every(session)
        asked = coverage.looked_at(session)
        behind = [station for station in known if coverage.is_behind(session, station.code)]
        sent = dispatches.open_items(session, now)
    for station in behind:
        with database.writing() as session:
            coverage.count(session, station)
    never = datetime.min.replace(tzinfo=now.tzinfo)
    waiting = sorted(
        (station for station in known if station.code in doors), key=lambda one: asked.get(one.code, never)
    )
    for station in waiting[:AT_ONCE]:
        _ask(database, station, doors[station.code], sent, now)
    return min(len(waiting), AT_ONCE)


def _ask(
    database: Database,
    station: Station,
    door: StationDoor,
    sent: tuple[tuple[Dispatch, tuple[Receipt, ...]], ...],
    now: datetime,
) -> None:
    mine = [
        (dispatch, receipt)
        for dispatch, receipts in sent
        for receipt in receipts
        if receipt.station == station.code and dispatches.step(dispatch, receipt, now) is not Step.AIRED
    ]
    plan = door.plan(now, now + AHEAD if mine else now)
    revision = door.status().revision
    with database.writing() as session:
        coverage.note_standings(session, station.code, plan.duties, now)
        for dispatch, receipt in mine:
            slot, start = _planned(plan, {dispatch.segment, receipt.copy}, now)
            dispatches.look(
                session,
                dispatch.id,
                station.code,
                loaded=revision >= dispatch.revision,
                slot=slot,
                start=start,
                now=now,
            )


def _planned(plan: Rundown, wanted: set[str | None], now: datetime) -> tuple[str, datetime | None]:
    for item in plan.items:
        if item.segment is not None and item.segment in wanted and item.start > now and item.replaced_by is None:
            return item.slot, item.start
    return "", None
