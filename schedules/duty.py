"""A duty: a programme that must air so often in each period, by an order; and how it stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum

from schedules.programme import ProgrammeCode
from schedules.station import StationCode, UnitCode
from schedules.text import Text


class Period(StrEnum):
    """The period in which a duty counts, in the station's local time; a week is the ISO week."""

    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


class Counting(StrEnum):
    """What is counted: whole airings, or the different topics that whole airings carried."""

    AIRINGS = "airings"
    TOPICS = "topics"


class DutyState(StrEnum):
    """How a duty stands in one period at one station."""

    PLANNED = "planned"
    AT_RISK = "at_risk"
    MET = "met"
    MADE_UP = "made_up"
    MISSED = "missed"
    EXCUSED = "excused"


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyWindow:
    """A local stretch of one weekday (ISO, 1 = Monday) in which a make-up may air; an end of 00:00 is midnight."""

    weekday: int
    start: time
    end: time


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """What must air.

    owner: the unit that owes it. stations: where it must air, each counted for itself; a station that ended hands its
    duties to its successor. programme: None for any. document: the order it comes from.
    count: airings a period, or with `counting` topics the number of different `topics` that must have aired in it.
    topics: a counting item carries one of them; topic_prefix: it carries a topic that starts so, such as `DX-`; empty:
    any.
    windows: where the planner may make it up; none means all permitted hours.
    deadline_days, deadline_at: it is due at that local time, so many days before the period's last day; 00:00 is the
    midnight at that day's end. What airs later does not count.
    warn_days: warn when so many days before the deadline nothing approved could fulfil it.
    least_share: of the outputs that must have played it whole. since, until: versions of one code follow each other;
    the one in force when a period begins governs it, so that a change never rewrites a period that has begun.
    Periods that end at or before `since` do not count.
    """

    code: str
    name: str
    owner: UnitCode
    stations: tuple[StationCode, ...]
    programme: ProgrammeCode | None
    since: datetime
    until: datetime | None = None
    count: int = 1
    period: Period = Period.WEEK
    windows: tuple[DutyWindow, ...] = ()
    document: str = ""
    topic_prefix: str = ""
    topics: tuple[str, ...] = ()
    counting: Counting = Counting.AIRINGS
    deadline_days: int = 0
    deadline_at: time = time(0)
    warn_days: int = 2
    least_share: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Excuse:
    """Days on which a duty is not owed, by a named document: station out of service, mourning, merged away.

    A period is excused where the days cover it, or leave no window of the duty in it. duty: None for all duties.
    first, last: local dates, both included.
    """

    station: StationCode
    duty: str | None = None
    first: date
    last: date
    document: str
    reason: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyOutcome:
    """How a duty ended in one period, sealed by the station when it was over; nothing decided later turns it green."""

    duty: str
    station: StationCode
    period: str
    state: DutyState
    deadline: datetime
    slots: tuple[str, ...]
    reason: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """A place where a duty can still be fulfilled: its slot, None where the place would only be taken after a miss."""

    slot: str | None
    start: datetime
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyStanding:
    """How one duty stands at one station in one period.

    period: `2026-W48`, `2026-11` or `2026`. slots: the airings that count or will, in time order.
    fallback: what happens if what is planned fails. chances: the places that are left, first to last.
    """

    duty: str
    name: str
    owner: UnitCode
    station: StationCode
    period: str
    state: DutyState
    deadline: datetime
    slots: tuple[str, ...]
    reason: Text
    fallback: Text | None = None
    chances: tuple[Chance, ...] = ()
