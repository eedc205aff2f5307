"""Which file brings the player down: after three deaths within a minute it is left out, and the next one airs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from schedules.airing import Run, RunState

DEATHS = 3
WITHIN_S = 60.0
OPENED_AHEAD = timedelta(seconds=3)
"""The player opens a file two seconds before it sounds: a death then is the coming one's, not that of what plays."""


class Poison:
    """Counts deaths of the player by the file that it had in hand."""

    def __init__(self) -> None:
        self._deaths: dict[str, list[float]] = {}
        self.files: frozenset[str] = frozenset()

    def died(self, runs: Iterable[Run], now: datetime, monotonic: float) -> Run | None:
        """Take a death; return the run whose file is left out from now on, None while none is."""
        suspect = _suspect(runs, now)
        if suspect is None or suspect.item.sha256 is None:
            return None
        sha256 = suspect.item.sha256
        recent = [at for at in self._deaths.get(sha256, []) if monotonic - at < WITHIN_S]
        self._deaths[sha256] = [*recent, monotonic]
        if len(self._deaths[sha256]) < DEATHS:
            return None
        self.files = self.files | {sha256}
        return suspect


def _suspect(runs: Iterable[Run], now: datetime) -> Run | None:
    known = list(runs)
    opening = [
        run for run in known if run.state is RunState.ARMED and run.start_at - OPENED_AHEAD <= now and not run.parts
    ]
    if opening:
        return min(opening, key=lambda run: run.start_at)
    playing = next((run for run in known if run.state is RunState.PLAYING), None)
    # One that goes on after a death is opened too.
    again = [run for run in known if run.state is RunState.ARMED and run.parts and run.start_at - OPENED_AHEAD <= now]
    return playing or min(again, key=lambda run: run.start_at, default=None)
