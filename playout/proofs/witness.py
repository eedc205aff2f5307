"""Names the recording of every airing in the journal: what the aircheck holds of it, by its hash, after the verdict."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from audio.aircheck import Stretch
from link.proof import sha256
from schedules.airing import Evidence
from schedules.clock import Clock

SOURCE = "aircheck"
SETTLED_S = 5.0
"""So long after an airing its last second is on the disk: the coder and its files lag some two seconds behind."""


class Recordings(Protocol):
    """What went out, as it was recorded (audio.aircheck.AircheckShelf)."""

    def stretches(self, start: datetime, end: datetime) -> tuple[Stretch, ...]:
        """Return the recorded pieces that overlap `[start, end)`, run by run."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Due:
    slot: str
    start: datetime
    end: datetime
    at: float


def aircheck_files(shelf: Recordings, start: datetime, end: datetime) -> list[dict[str, str]]:
    """Return name and hash of every stretch of the aircheck that overlaps `[start, end)`; reads them whole."""
    found = []
    for stretch in shelf.stretches(start, end):
        try:
            content = stretch.content()
        except OSError:
            continue  # purged meanwhile, or a disk that fails: the row names what could be read
        found.append({"name": stretch.name, "sha256": sha256(content)})
    return found


class AircheckWitness:
    """Reads the recording of each airing in a thread of its own and gives the body of its evidence row."""

    def __init__(self, shelf: Recordings, *, clock: Clock, settled_s: float = SETTLED_S) -> None:
        self._shelf = shelf
        self._clock = clock
        self._settled_s = settled_s
        self._due: list[_Due] = []
        self._busy: threading.Thread | None = None
        self._done: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def expect(self, slot: str, start: datetime | None, end: datetime | None) -> None:
        """Have the recording of `[start, end)` named a little later; nothing where the airing never sounded."""
        if start is not None and end is not None and start < end:
            at = self._clock.monotonic() + self._settled_s
            self._due.append(_Due(slot=slot, start=start, end=end, at=at))

    def recall(self, verdicts: Iterable[Mapping[str, Any]], evidence: Iterable[Mapping[str, Any]]) -> None:
        """Expect what an earlier start left undone. Bodies of the latest verdict and evidence rows."""
        named = {body["slot"] for body in evidence if body.get("source") == SOURCE}
        for body in verdicts:
            if body["slot"] not in named and body.get("started_at") and body.get("ended_at"):
                start, end = (datetime.fromisoformat(body[name]) for name in ("started_at", "ended_at"))
                if self._clock.now() - end < timedelta(hours=1):
                    self.expect(body["slot"], start, end)

    def step(self) -> list[dict[str, Any]]:
        """Return the rows that are ready, and begin with the next airing; returns at once."""
        now = self._clock.monotonic()
        if self._due and self._due[0].at <= now and (self._busy is None or not self._busy.is_alive()):
            due = self._due.pop(0)
            self._busy = threading.Thread(target=self._read, args=(due,), name="witness", daemon=True)
            self._busy.start()
        ready = []
        while not self._done.empty():
            ready.append(self._done.get_nowait())
        return ready

    def _read(self, due: _Due) -> None:
        files = aircheck_files(self._shelf, due.start, due.end)
        if files:
            self._done.put(row_of(due.slot, due.start, due.end, files))


def row_of(slot: str, start: datetime, end: datetime, files: list[dict[str, str]]) -> dict[str, Any]:
    """Return the body of an evidence row that only names recordings: nothing was heard, the grade is the bus's own."""
    return {
        "slot": slot,
        "output": None,
        "grade": Evidence.E1.value,
        "source": SOURCE,
        "offset_ms": None,
        "share": None,
        "matched_s": None,
        "silent_s": 0.0,
        "foreign_s": 0.0,
        "level_dbfs": None,
        "from": start.isoformat(),
        "to": end.isoformat(),
        "files": files,
    }
