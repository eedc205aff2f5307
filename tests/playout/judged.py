"""A simulated clock under the rules of the real one, for the tests of what airs by it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from playout.systemclock import ClockJudge
from schedules.clock import ClockState, ManualClock
from schedules.text import Text

NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)


class Judged(ManualClock):
    """A simulated clock that is judged by the rules of the real one."""

    def __init__(self, wall: datetime = NOW, **judging: Any) -> None:
        super().__init__(wall, ticks=1000.0)
        self.kept = False
        self.judged_by(**judging)

    def judged_by(self, **judging: Any) -> None:
        """Begin anew to judge, as after a start."""
        self.judge = ClockJudge(**{"host": False, "newest": None, "carried_on": None, **judging})

    def state(self) -> ClockState:
        """Return what the judge says."""
        return self.judge.state(self.wall, self.ticks, synchronised=lambda: self.kept)

    def confirm(self, by: str = "Bà Hạnh", *, off_s: float = 0.0) -> Text | None:
        """Let a person find a time right that is `off_s` ahead of the clock's own."""
        return self.judge.confirm(self.wall, self.ticks, by=by, shown=self.wall + timedelta(seconds=off_s))

    def hear(self, *, off_s: float = 0.0) -> None:
        """Let the authority sign a time that is `off_s` ahead of the clock's own."""
        self.judge.hear(self.wall + timedelta(seconds=off_s), self.ticks)
