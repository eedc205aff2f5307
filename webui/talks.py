"""Live talks whose voice comes from a browser: whose they are, how far they are, and which of them fell silent."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from datetime import datetime

from schedules.station import StationCode

SILENT_S = 6.0
"""After so many seconds without a sound from its browser a talk is over: the page was closed, or its link is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """A talk that is open. person: an account's id. last: number of the newest piece. heard_s: on the steady clock."""

    id: str
    station: StationCode
    person: str
    by: str
    ends_at: datetime
    heard_s: float
    last: int = 0


class Talks:
    """The open talks of this machine; a restart ends them all."""

    def __init__(self) -> None:
        self._open: dict[str, Talk] = {}
        self._lock = threading.Lock()

    def add(self, talk: Talk) -> None:
        """Remember a talk that has begun."""
        with self._lock:
            self._open[talk.id] = talk

    def of(self, talk: str, *, station: StationCode, person: str) -> Talk | None:
        """Return the open talk of that person at that station, or None."""
        with self._lock:
            known = self._open.get(talk)
        return known if known is not None and (known.station, known.person) == (station, person) else None

    def heard(self, talk: str, number: int, monotonic_s: float) -> bool:
        """Note that a piece came; False where it came before, or after one that should follow it."""
        with self._lock:
            known = self._open.get(talk)
            if known is None or number <= known.last:
                return False
            self._open[talk] = replace(known, last=number, heard_s=monotonic_s)
            return True

    def end(self, talk: str) -> None:
        """Forget a talk."""
        with self._lock:
            self._open.pop(talk, None)

    def silent(self, monotonic_s: float, now: datetime) -> tuple[Talk, ...]:
        """Return those of which nothing was heard for `SILENT_S`, or whose time is up."""
        with self._lock:
            known = tuple(self._open.values())
        return tuple(talk for talk in known if monotonic_s - talk.heard_s > SILENT_S or now >= talk.ends_at)
