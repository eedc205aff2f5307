"""What a simulation tells: the outcome of every slot and duty, the faults that happened, and what was checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from schedules.airing import Verdict
from schedules.duty import DutyOutcome
from schedules.grid import SlotId
from schedules.station import StationCode
from schedules.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotOutcome:
    """How one slot ended. title: of the recording, empty where there was none. heard_s: seconds that were heard.

    started_at: when its first sample was heard, None where none was.
    """

    station: StationCode
    slot: SlotId
    planned_start: datetime
    title: str
    verdict: Verdict
    reason: Text | None
    started_at: datetime | None = None
    heard_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something that happened to a station, by chance or by the scenario, in words for a person. kind: one word."""

    at: datetime
    station: StationCode
    kind: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """An invariant that did not hold.

    invariant: I1 to I11 of the catalogue of faults. step: number of the step of that station's simulation.
    trace: the last things that happened before it, oldest first.
    """

    invariant: str
    seed: int
    station: StationCode
    day: date
    at: datetime
    step: int
    message: str
    trace: tuple[str, ...] = ()

    def __str__(self) -> str:
        where = f"{self.invariant} seed {self.seed}, {self.station}, {self.day}, step {self.step}: {self.message}"
        return "\n  ".join((where, *self.trace))


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationReport:
    """One simulation of `days` local days from `first_day` on: the same scenario and seed give the same report.

    slots: by station, planned start and slot. duties: every period that was over, and the one under way at the end.
    checks: how often an invariant was checked. sometimes: how often a rare state was reached, by its name.
    """

    seed: int
    first_day: date
    days: int
    stations: tuple[StationCode, ...]
    slots: tuple[SlotOutcome, ...]
    duties: tuple[DutyOutcome, ...]
    faults: tuple[Happening, ...]
    checks: int
    violations: tuple[Violation, ...]
    sometimes: Mapping[str, int]
