"""Who broadcasts and where: units of the administration and their loudspeaker stations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time

UnitCode = str
StationCode = str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A unit of the administration; `parent` supervises it. Dates say from when until when it exists (open if None)."""

    code: UnitCode
    name: str
    parent: UnitCode | None = None
    valid_from: date | None = None
    valid_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySpan:
    """A stretch of the local day `[start, end)`; an end of 00:00 means midnight at the day's end."""

    start: time
    end: time

    @property
    def whole_day(self) -> bool:
        """Whether every moment of the day lies inside."""
        return self.start == time(0) and self.end == time(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """A loudspeaker station: what its unit decided for it. Outputs belong to the machine's config.yaml, not here.

    zone: IANA name; local time exists in grids and on screens only.
    permitted: hours in which scheduled sound may go out; 05:00 to 21:00 for new stations.
    self_approval: the uploader may approve their own recording; the air log then says so.
    """

    code: StationCode
    name: str
    unit: UnitCode
    zone: str = "Asia/Ho_Chi_Minh"
    permitted: tuple[DaySpan, ...] = (DaySpan(start=time(5), end=time(21)),)
    self_approval: bool = False


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
