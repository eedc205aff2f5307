"""The week as people decide it: sessions (buổi phát thanh) with their items, and one-off airings beside them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum

from schedules.programme import ProgrammeCode
from schedules.segment import SegmentId
from schedules.station import StationCode

SlotId = str


class ItemKind(StrEnum):
    """What an item of the plan is."""

    IDENT = "ident"
    GREETING = "greeting"
    SEGMENT = "segment"
    RELAY = "relay"
    NOTICE = "notice"
    FILLER = "filler"
    CLOSING = "closing"
    LIVE = "live"
    EMERGENCY = "emergency"


class Timing(StrEnum):
    """When an item starts: exactly, cutting; at its time, waiting for the item before; when the item before ends."""

    HARD = "hard"
    SOFT = "soft"
    RELATIVE = "relative"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionItem:
    """One place in a session: either a programme slot or one fixed segment, never both.

    optional: without audio it is left out silently; otherwise an empty place is a missed slot.
    """

    id: str
    kind: ItemKind
    programme: ProgrammeCode | None = None
    segment: SegmentId | None = None
    optional: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRule:
    """A session of the weekly grid. Its items follow each other without a gap from its start.

    weekdays: ISO, 1 = Monday to 7 = Sunday. starts: local times; usually one.
    length_s: the session's end, seconds after its start; what does not fit is not begun.
    since, until: occurrences that start in `[since, until)` are due; a rule never makes the past due.
    valid_from, valid_until: first and last local date, open where None.
    """

    id: str
    station: StationCode
    name: str
    weekdays: tuple[int, ...]
    starts: tuple[time, ...]
    length_s: int
    items: tuple[SessionItem, ...]
    since: datetime
    until: datetime | None = None
    valid_from: date | None = None
    valid_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOff:
    """A single airing that a named person ordered. A cancelled one stays, so that the air log can name who did it."""

    id: str
    station: StationCode
    segment: SegmentId
    start: datetime
    timing: Timing
    ordered_by: str
    ordered_at: datetime
    cancelled_by: str | None = None
    cancelled_at: datetime | None = None
