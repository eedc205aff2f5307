"""Looks at the stations in the background: what aired is counted, how duties stand and what was sent down is kept.

Nothing is planned here and no station is asked for more than it knows: a thousand of them are looked at in one go.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from link.door import StationDoor, StationStatus
from schedules.carrying import MARK
from schedules.clock import Clock
from schedules.duty import DutyState
from schedules.station import StationCode
from store import coverage, dispatches, stations
from store.database import Database
from store.dispatches import Dispatch, Receipt, Seen, Step

LOOK_S = 60
_RECENT = timedelta(days=2)
_COMING = frozenset({DutyState.PLANNED, DutyState.AT_RISK})


@dataclass(slots=True, kw_only=True)
class Looker:
    """Remembers whether it has looked at everything once; after that only at what is recent."""

    database: Database
    doors: Mapping[StationCode, StationDoor]
    clock: Clock
    _whole: bool = field(default=False, init=False)

    def look(self) -> int:
        """Count what aired since the last look and keep what the stations say; return how many rows were counted."""
        now = self.clock.now()
        with self.database.reading() as session:
            zones = {station.code: station.zone for station in stations.every(session)}
            sent = dispatches.open_items(session, now)
        said = {code: door.status() for code, door in self.doors.items() if code in zones}
        seen = [
            one
            for dispatch, receipts in sent
            for receipt in receipts
            if (status := said.get(receipt.station)) is not None
            and (one := _seen(dispatch, receipt, status, now)) is not None
        ]
        with self.database.writing() as session:
            counted = coverage.count(session, zones, since=now - _RECENT if self._whole else None)
            coverage.note_standings(session, {code: status.duties for code, status in said.items()}, now)
            dispatches.look(session, seen, now)
        self._whole = self._whole or counted == 0
        return counted


def _seen(dispatch: Dispatch, receipt: Receipt, status: StationStatus, now: datetime) -> Seen | None:
    """Return what a station says of an item, None where it aired or nothing is new."""
    if dispatches.step(dispatch, receipt, now) is Step.AIRED:
        return None
    slot, start = _planned(dispatch, receipt, status, now)
    loaded = status.revision >= dispatch.revision
    if (slot, start) == (receipt.planned_slot, receipt.planned_start) and loaded is (receipt.loaded_at is not None):
        return None
    return Seen(dispatch=dispatch.id, station=receipt.station, loaded=loaded, slot=slot, start=start)


def _planned(dispatch: Dispatch, receipt: Receipt, status: StationStatus, now: datetime) -> tuple[str, datetime | None]:
    wanted = {dispatch.segment, receipt.copy}
    for item in status.ahead:
        if item.segment is not None and item.segment in wanted and item.start > now and item.replaced_by is None:
            return item.slot, item.start
    for duty in status.duties:
        if duty.duty.startswith(f"{MARK}{dispatch.id}") and duty.state in _COMING and duty.slots:
            return duty.slots[-1], None
    return "", None
