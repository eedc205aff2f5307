"""Who broadcasts and where: units of the administration and their loudspeaker stations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time

UnitCode = str
StationCode = str
GroupCode = str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A unit of the administration; `parent` supervises it. Dates: first and last day it exists (open if None).

    successor: the unit that took over when it ended; its library and its duties go on there.
    """

    code: UnitCode
    name: str
    parent: UnitCode | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    successor: UnitCode | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySpan:
    """A stretch of the local day `[start, end)`; an end at or before the start lies on the next day.

    weekdays: ISO weekdays on which it begins, 1 = Monday.
    """

    start: time
    end: time
    weekdays: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7)

    @property
    def whole_day(self) -> bool:
        """Whether every moment of every day lies inside."""
        return self.start == time(0) and self.end == time(0) and len(set(self.weekdays)) == 7


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterGroup:
    """Loudspeaker clusters that are switched together, such as a village. permitted: empty for the hours of all."""

    code: GroupCode
    name: str
    permitted: tuple[DaySpan, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a station may air at most: seconds of sound a session and a local day, relays included; sessions a day."""

    session_s: int | None = None
    day_s: int | None = None
    sessions: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """A loudspeaker station: what its unit decided for it. Outputs belong to the machine's config.yaml, not here.

    zone: IANA name; local time exists in grids and on screens only.
    permitted: hours in which scheduled sound may go out; 05:00 to 21:00 for new stations.
    quiet: stretches inside of them in which none may, such as the midday rest.
    self_approval: the uploader may approve their own recording; the air log then says so.
    valid_from, valid_until: first and last local day it is in service; open where None.
    successor: the station that took over its duties when it ended, by `ended_by`, the document that says so.
    """

    code: StationCode
    name: str
    unit: UnitCode
    zone: str = "Asia/Ho_Chi_Minh"
    permitted: tuple[DaySpan, ...] = (DaySpan(start=time(5), end=time(21)),)
    self_approval: bool = False
    quiet: tuple[DaySpan, ...] = ()
    limits: Limits = Limits()
    groups: tuple[ClusterGroup, ...] = ()
    valid_from: date | None = None
    valid_until: date | None = None
    successor: StationCode | None = None
    ended_by: str = ""


WHOLE_DAY = (DaySpan(start=time(0), end=time(0)),)


def units_below(units: tuple[Unit, ...], top: UnitCode) -> frozenset[UnitCode]:
    """Return `top` and every unit under it, at any depth."""
    found = {top}
    while True:
        more = {unit.code for unit in units if unit.parent in found} - found
        if not more:
            return frozenset(found)
        found |= more


def units_above(units: tuple[Unit, ...], code: UnitCode) -> tuple[UnitCode, ...]:
    """Return the units that supervise `code`, nearest first; stops at an unknown or repeated parent."""
    parents = {unit.code: unit.parent for unit in units}
    chain: list[UnitCode] = []
    parent = parents.get(code)
    while parent is not None and parent not in chain:
        chain.append(parent)
        parent = parents.get(parent)
    return tuple(chain)


def merged_into(units: tuple[Unit, ...], code: UnitCode) -> frozenset[UnitCode]:
    """Return the units that `code` took over, at any depth, without itself."""
    found: set[UnitCode] = set()
    while True:
        more = {unit.code for unit in units if unit.successor in found | {code}} - found - {code}
        if not more:
            return frozenset(found)
        found |= more
