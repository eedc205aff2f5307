"""The simulated clock: the true time, what the machine takes for it, and what the real rules make of that."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from playout.systemclock import ClockJudge
from schedules.clock import ClockState

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(moment: datetime) -> int:
    """Return microseconds since 1970."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def moment(at_us: int) -> datetime:
    """Return the instant of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=at_us)


class SimulatedClock:
    """The clock of one boot. True time is in microseconds since 1970.

    booted_us: true time of the boot; monotonic time counts from a day before it. wall_us: what the wall clock shows
    then.
    """

    def __init__(self, *, booted_us: int, now_us: int, wall_us: int, judge: ClockJudge) -> None:
        self.booted_us = booted_us
        self._judge = judge
        self.synchronised = False
        self.offset_us = wall_us - now_us
        self.true_us = now_us
        self._wall = moment(wall_us)

    def now(self) -> datetime:
        """Return what the wall clock shows."""
        return self._wall

    def monotonic(self) -> float:
        """Return the seconds of this boot, and a day."""
        return (self.true_us - self.booted_us) / 1e6 + 86_400.0

    def state(self) -> ClockState:
        """Return whether the wall clock can be believed, by the rules of the real one."""
        return self._judge.state(self._wall, self.monotonic(), synchronised=lambda: self.synchronised)

    def restart(self, judge: ClockJudge) -> None:
        """Begin anew to judge, as a process that started in the same boot."""
        self._judge = judge

    def advance_to(self, true_us: int) -> None:
        """Let time pass."""
        self.true_us = true_us
        self._wall = moment(true_us + self.offset_us)

    def step(self, seconds: float) -> None:
        """Set the wall clock forward or back."""
        self.offset_us += round(seconds * 1e6)
        self._wall = moment(self.true_us + self.offset_us)

    def synchronise(self) -> None:
        """Let a time service set the wall clock right and keep it."""
        self.offset_us = 0
        self._wall = moment(self.true_us)
        self.synchronised = True

    def true_of(self, monotonic_ns: int) -> int:
        """Return the true time of a monotonic one."""
        return self.booted_us + monotonic_ns // 1000 - 86_400_000_000

    def monotonic_ns_of(self, true_us: int) -> int:
        """Return the monotonic time of a true one."""
        return (true_us - self.booted_us + 86_400_000_000) * 1000
