"""A duty: a programme that must air so often in each period, by an order; and how it stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum

from schedules.programme import ProgrammeCode
from schedules.station import StationCode, UnitCode
from schedules.text import Text


class Period(StrEnum):
    """The period in which a duty counts, in the station's local time; a week is the ISO week."""

    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


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

    owner: the unit that owes it. stations: where it must air, each counted for itself.
    count: airings a period. windows: where the planner may make it up; none means all permitted hours.
    document: the order it comes from. since: periods that end at or before it do not count.
    topic_prefix: a counting item carries a topic that starts so, such as `DX-`; empty for any.
    """

    code: str
    name: str
    owner: UnitCode
    stations: tuple[StationCode, ...]
    programme: ProgrammeCode
    since: datetime
    count: int = 1
    period: Period = Period.WEEK
    windows: tuple[DutyWindow, ...] = ()
    document: str = ""
    topic_prefix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyStanding:
    """How one duty stands at one station in one period.

    period: `2026-W48`, `2026-11` or `2026`. slots: the airings that count or will, in time order.
    fallback: what happens if nobody does anything.
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
