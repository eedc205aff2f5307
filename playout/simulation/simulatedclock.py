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
    then. drift_ppm: by how much the quartz is too fast while no time service keeps it; wall and monotonic time run on
    the same one.
    """

    def __init__(self, *, booted_us: int, now_us: int, wall_us: int, judge: ClockJudge, drift_ppm: int = 0) -> None:
        self.booted_us = booted_us
        self._judge = judge
        self._drift_ppm = drift_ppm
        self._kept = False
        self._set_us = wall_us - now_us
        self._gained_us = 0
        self._gained_at_us = now_us
        self.true_us = now_us
        self._wall = moment(wall_us)

    def now(self) -> datetime:
        """Return what the wall clock shows."""
        return self._wall

    def monotonic(self) -> float:
        """Return the seconds of this boot, and a day."""
        return (self.true_us + self._gain_us(self.true_us) - self.booted_us) / 1e6 + 86_400.0

    def state(self) -> ClockState:
        """Return whether the wall clock can be believed, by the rules of the real one."""
        return self._judge.state(self._wall, self.monotonic(), synchronised=lambda: self._kept)

    @property
    def offset_us(self) -> int:
        """By how much the wall clock is ahead of the true time."""
        return self._set_us + self._gain_us(self.true_us)

    @property
    def synchronised(self) -> bool:
        """Whether a time service keeps the clock."""
        return self._kept

    def restart(self, judge: ClockJudge) -> None:
        """Begin anew to judge, as a process that started in the same boot."""
        self._judge = judge

    def advance_to(self, true_us: int) -> None:
        """Let time pass."""
        self.true_us = true_us
        self._wall = moment(true_us + self.offset_us)

    def step(self, seconds: float) -> None:
        """Set the wall clock forward or back."""
        self._set_us += round(seconds * 1e6)
        self._wall = moment(self.true_us + self.offset_us)

    def synchronise(self) -> None:
        """Let a time service set the wall clock right and keep it."""
        self._keep(kept=True)
        self._set_us = -self._gained_us
        self._wall = moment(self.true_us)

    def lose_service(self) -> None:
        """Let the clock run on without a time service."""
        self._keep(kept=False)

    def true_at(self, wall: datetime) -> int:
        """Return the true time at which the wall clock shows `wall`, if nobody sets it before."""
        return self._true(micros(wall) - self._set_us)

    def true_of(self, monotonic_ns: int) -> int:
        """Return the true time of a monotonic one."""
        return self._true(self.booted_us + monotonic_ns // 1000 - 86_400_000_000)

    def monotonic_ns_of(self, true_us: int) -> int:
        """Return the monotonic time of a true one."""
        return (true_us + self._gain_us(true_us) - self.booted_us + 86_400_000_000) * 1000

    def _keep(self, *, kept: bool) -> None:
        self._gained_us = self._gain_us(self.true_us)
        self._gained_at_us = self.true_us
        self._kept = kept

    def _gain_us(self, true_us: int) -> int:
        drift_ppm = 0 if self._kept else self._drift_ppm
        return self._gained_us + (true_us - self._gained_at_us) * drift_ppm // 1_000_000

    def _true(self, local_us: int) -> int:
        drift_ppm = 0 if self._kept else self._drift_ppm
        since_us = local_us - self._gained_us - self._gained_at_us
        return self._gained_at_us + since_us * 1_000_000 // (1_000_000 + drift_ppm)
