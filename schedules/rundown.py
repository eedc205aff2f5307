"""The rundown: what should air at one station, when, and why each item is there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from schedules.duty import DutyStanding
from schedules.findings import Finding
from schedules.grid import ItemKind, SlotId, Timing
from schedules.programme import ProgrammeCode
from schedules.segment import Priority, SegmentId
from schedules.station import GroupCode, StationCode
from schedules.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class RundownItem:
    """One slot of the plan.

    start, end: as planned, `[start, end)`. due: when it will really start as things stand (later after a delay).
    segment, sha256, samples: None and 0 where there is no audio: such a slot will be missed, `why` says it.
    joins: the slot whose last sample it follows without a gap. late_limit_s: begun later than this it is not `aired`.
    open_until: the permitted hours around `due` end then; None where they do not. It never sounds after them.
    cut_at: it must fall silent then, whatever is left. replaced_by: a slot that took its time.
    relay: the source of a relay, which has no file; it lasts from `start` to `end`.
    targets: cluster groups that hear it, None for all; where a group's hours are closed it is not among them.
    """

    slot: SlotId
    station: StationCode
    session: str | None
    session_end: datetime | None
    start: datetime
    end: datetime
    due: datetime
    kind: ItemKind
    programme: ProgrammeCode | None
    segment: SegmentId | None
    title: str
    sha256: str | None
    pcm_sha256: str | None
    samples: int
    topics: tuple[str, ...]
    timing: Timing
    late_limit_s: float
    why: Text
    joins: SlotId | None = None
    open_until: datetime | None = None
    cut_at: datetime | None = None
    replaced_by: SlotId | None = None
    cancelled_by: str | None = None
    self_approved: bool = False
    duty: str | None = None
    relay: str | None = None
    targets: tuple[GroupCode, ...] | None = None
    priority: Priority = Priority.NORMAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Rundown:
    """The plan of one station for a stretch of time, in order of `start`."""

    station: StationCode
    revision: int
    planned_at: datetime
    items: tuple[RundownItem, ...]
    findings: tuple[Finding, ...]
    duties: tuple[DutyStanding, ...]

    def item(self, slot: SlotId) -> RundownItem | None:
        """Return the item of that slot, or None where it is not in this stretch."""
        return next((item for item in self.items if item.slot == slot), None)
