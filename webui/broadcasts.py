"""What a station will broadcast, as anybody may know it: sessions and single airings of its plan, no emergencies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from schedules.grid import ItemKind
from schedules.rundown import RundownItem
from schedules.station import Station, StationCode
from store import revision, sessions
from webui.services import services

DAYS = 14
_SHOWN = frozenset({ItemKind.SEGMENT, ItemKind.RELAY, ItemKind.NOTICE, ItemKind.LIVE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One item that listeners care about. title: of a relay; an item of the station has none before it aired."""

    start: datetime
    title: str
    kind: ItemKind
    programme: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Broadcast:
    """A session, or an airing by itself. uid: the same in every plan. name: empty for what has none."""

    uid: str
    name: str
    start: datetime
    end: datetime
    lines: tuple[Line, ...]


def coming(station: Station) -> tuple[Broadcast, ...]:
    """Return what the station's own plan holds from this hour on, for `DAYS` days; nothing where it has no contact."""
    here = services()
    with here.database.reading() as session:
        present = revision.current(session)
    hour = here.clock.now().replace(minute=0, second=0, microsecond=0)
    return _planned(here.data, station.code, present, hour)


# The plan changes with the intent; strangers' questions within one hour share one answer.
@lru_cache(maxsize=64)
def _planned(_data: Path, code: StationCode, _revision: int, hour: datetime) -> tuple[Broadcast, ...]:
    here = services()
    door = here.doors.get(code)
    if door is None:
        return ()
    with here.database.reading() as session:
        names = {rule.id: rule.name for rule in sessions.in_force(session, code)}
    items = [
        item
        for item in door.plan(hour, hour + timedelta(days=DAYS)).items
        if item.kind is not ItemKind.EMERGENCY and not item.cancelled_by and not item.replaced_by
    ]
    found = []
    for uid, together in groupby(items, key=lambda item: item.session or item.slot):
        its = tuple(together)
        lines = tuple(_line(item) for item in its if item.kind in _SHOWN)
        if not lines:
            continue
        parts = uid.split("/")
        found.append(
            Broadcast(
                uid=uid,
                name=names.get(parts[1].split(".")[0], "") if its[0].session and len(parts) == 3 else "",
                start=its[0].start,
                end=max(item.end for item in its),
                lines=lines,
            )
        )
    return tuple(found)


def _line(item: RundownItem) -> Line:
    title = item.title if item.kind is ItemKind.RELAY else ""
    return Line(start=item.start, title=title, kind=item.kind, programme=item.programme or "")
