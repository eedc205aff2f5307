"""Time as a value: when (aware UTC), how long (monotonic), and whether the wall clock can be believed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

from schedules.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockState:
    """Whether the wall clock may decide what airs, and why.

    ground: the rule that decided, one word for the journal. drift_s: how far an ordinary quartz may have carried the
    clock away since something outside last confirmed it, in seconds; None where nothing ever did.
    """

    trusted: bool
    reason: Text
    ground: str = ""
    drift_s: float | None = None


class Clock(Protocol):
    """The only source of time; a parameter everywhere."""

    def now(self) -> datetime:
        """Return the wall time, aware UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds of CLOCK_MONOTONIC: how long, never when; the same in every process of this boot."""
        ...

    def state(self) -> ClockState:
        """Return whether the wall time can be believed now."""
        ...


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """A stretch of time `[start, end)`, aware UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start.utcoffset() != timedelta(0) or self.end.utcoffset() != timedelta(0):
            raise ValueError("an interval is in aware UTC")
        if self.end < self.start:
            raise ValueError("an interval ends at or after its start")

    def overlaps(self, other: Interval) -> bool:
        """Return whether both share more than a border."""
        return self.start < other.end and other.start < self.end

    def contains(self, moment: datetime) -> bool:
        """Return whether `moment` lies in `[start, end)`."""
        return self.start <= moment < self.end

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return (self.end - self.start).total_seconds()


@dataclass(slots=True)
class ManualClock:
    """The simulated clock: stands until it is told to move; wall and monotonic can be moved apart."""

    wall: datetime
    ticks: float = 0.0
    trusted: ClockState = field(
        default_factory=lambda: ClockState(trusted=True, reason=Text("Đồng hồ mô phỏng.", "Simulated clock."))
    )

    def now(self) -> datetime:
        """Return the simulated wall time."""
        return self.wall

    def monotonic(self) -> float:
        """Return the simulated monotonic seconds."""
        return self.ticks

    def state(self) -> ClockState:
        """Return the state that the simulation set."""
        return self.trusted

    def advance(self, seconds: float) -> None:
        """Let time pass: both clocks move."""
        self.wall += timedelta(seconds=seconds)
        self.ticks += seconds

    def step(self, seconds: float) -> None:
        """Set the wall clock forward or back, as NTP or a person does; monotonic time does not move."""
        self.wall += timedelta(seconds=seconds)


def utc(moment: datetime) -> datetime:
    """Return `moment` in UTC; raises ValueError for a naive one, since nobody could say when that is."""
    if moment.utcoffset() is None:
        raise ValueError("a time without a zone")
    return moment.astimezone(UTC)
