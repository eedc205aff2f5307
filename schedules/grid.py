"""The week as people decide it: templates with sessions (buổi phát thanh), exceptions, and one-off airings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum

from schedules.programme import ProgrammeCode
from schedules.segment import Priority, SegmentId
from schedules.station import GroupCode, StationCode, UnitCode

SlotId = str

EVERY_DAY = (1, 2, 3, 4, 5, 6, 7)


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


class DayKind(StrEnum):
    """What sort of day a date is. Where several are said of one date, the last of this list holds.

    day_off: a working day that was decreed free. working: a free day that was decreed a working day.
    """

    ORDINARY = "ordinary"
    DAY_OFF = "day_off"
    HOLIDAY = "holiday"
    TET = "tet"
    WORKING = "working"
    MOURNING = "mourning"


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarDay:
    """A date that is not an ordinary one: a public holiday, Tết, a decreed swap, a day of mourning.

    works_as: ISO weekday whose sessions the date follows (a Saturday worked instead of Monday 4 January: 1).
    document: the decision that says so; empty for what the law itself says.
    """

    day: date
    kind: DayKind
    name: str
    works_as: int | None = None
    document: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NthWeekday:
    """The n-th of a weekday in a month: `nth` 1 to 5, or -1 for the last; weekday ISO, 1 = Monday."""

    nth: int
    weekday: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekTemplate:
    """A week that replaces the others while it holds: a season, Tết, one replaced day. Without sessions it is silence.

    On each date one week holds: of the templates in force for it, the one of greatest `priority` (then the one with
    the later `valid_from`, then by id); where none is, the station's standing week, which is the rules without a
    template.
    valid_from, valid_until: first and last local date, open where None. day_kinds: only on such days; empty for all.
    since, until: decides only what starts in `[since, until)`; a template never changes what was due before it.
    """

    id: str
    station: StationCode
    name: str
    priority: int = 1
    valid_from: date | None = None
    valid_until: date | None = None
    day_kinds: tuple[DayKind, ...] = ()
    document: str = ""
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionItem:
    """One place in a session: a programme slot, one fixed segment, or a relay; exactly one of the three.

    timing: hard starts exactly `offset_s` after the session's start, and what is before it ends or is not begun;
    soft starts then or up to `bound_s` later, when the item before is over; relative follows the item before.
    optional: without audio it is left out silently, and it gives way early; otherwise an empty place is a missed slot.
    length_s: how long a relay or live place lasts; it ends then, whatever its source does.
    A place of kind filler takes as many recordings of its programme as fit before what comes next.
    """

    id: str
    kind: ItemKind
    programme: ProgrammeCode | None = None
    segment: SegmentId | None = None
    relay: str | None = None
    optional: bool = False
    timing: Timing = Timing.RELATIVE
    offset_s: int | None = None
    bound_s: int = 300
    length_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRule:
    """A session of a week. Its items follow each other without a gap from its start.

    On which dates: `weekdays` (ISO, 1 = Monday to 7 = Sunday) in every `every_weeks`-th ISO week, counted from the week
    that holds `anchor`; or, where `month_days` or `nth_weekdays` are given, those dates of the month instead. A month
    day of -1 is the last one; one that a month does not have is left out. `only`: on such days only; empty for all.
    starts: local times; usually one. length_s: the session's end, seconds after its start; what does not fit is not
    begun.
    template: the week it belongs to; None for the standing week. owner: whose session it is, None for the station's
    unit.
    targets: cluster groups that hear it; empty for all.
    since, until: occurrences that start in `[since, until)` are due; a rule never makes the past due.
    valid_from, valid_until: first and last local date, open where None.
    """

    id: str
    station: StationCode
    name: str
    weekdays: tuple[int, ...] = EVERY_DAY
    starts: tuple[time, ...]
    length_s: int
    items: tuple[SessionItem, ...]
    since: datetime
    until: datetime | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    every_weeks: int = 1
    anchor: date | None = None
    month_days: tuple[int, ...] = ()
    nth_weekdays: tuple[NthWeekday, ...] = ()
    only: tuple[DayKind, ...] = ()
    template: str | None = None
    owner: UnitCode | None = None
    targets: tuple[GroupCode, ...] = ()


class Change(StrEnum):
    """What an exception does."""

    CANCEL = "cancel"
    MOVE = "move"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionException:
    """A decision about one date of a session, or about it and all following ones. The slot keeps the date of the rule.

    day: the local date that the rule names. number: which of its several starts, 1 for the first; None for all.
    to_day, to_start: where it is moved to; with `following`, later dates move by as many days. An exception for exactly
    one date goes before one that holds from some date on; of several for one date, the one decided last.
    since, until: holds for what would have started in `[since, until)`; the past is not excepted.
    """

    id: str
    station: StationCode
    session: str
    day: date
    change: Change
    following: bool = False
    number: int | None = None
    to_day: date | None = None
    to_start: time | None = None
    reason: str = ""
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOff:
    """A single airing that a named person ordered. A cancelled one stays, so that the air log can name who did it.

    priority: emergency cuts everything, also outside the permitted hours and over every limit.
    """

    id: str
    station: StationCode
    segment: SegmentId
    start: datetime
    timing: Timing
    ordered_by: str
    ordered_at: datetime
    cancelled_by: str | None = None
    cancelled_at: datetime | None = None
    priority: Priority = Priority.NORMAL
