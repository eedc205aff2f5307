"""The simulated disk: what was acknowledged outlives every power cut, and a cut may come with any single write."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

from link.codec import canonical
from playout.journal.journal import GENESIS, NewestState, Row, Trouble, row_hash
from schedules.clock import Clock
from schedules.errors import JournalBroken


class PowerCut(Exception):
    """The power went away in the middle of a write."""


class CutPoint(Enum):
    """Whether the write with which the power goes is on the disk afterwards; nobody was told that it is."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(slots=True)
class Disk:
    """What lies on a station's disk.

    cut_in: counts down the writes until the power goes, None for never. rows_only: counts rows of the journal alone.
    """

    rows: list[Row] = field(default_factory=list)
    checkpoints: dict[str, str] = field(default_factory=dict)
    heads: dict[int, str] = field(default_factory=dict)
    writes: int = 0
    cut_in: int | None = None
    cut_point: CutPoint = CutPoint.BEFORE
    rows_only: bool = False
    _verified: int = 0

    def verify(self) -> int:
        """Check the chain of the rows that were not checked yet; return how many that were, or raise JournalBroken."""
        previous = self.rows[self._verified - 1].hash if self._verified else GENESIS
        unchecked = self.rows[self._verified :]
        for expected, row in enumerate(unchecked, start=self._verified + 1):
            fields = {name: getattr(row, name) for name in Row.__dataclass_fields__}
            if row.seq != expected or row.prev != previous or row_hash(fields) != row.hash:
                raise JournalBroken(expected, "the chain of the simulated disk does not hold")
            previous = row.hash
        self._verified = len(self.rows)
        return len(unchecked)

    def newest(self) -> NewestState:
        """Return what `playout.journal.journal.newest_state` would read from the file."""
        row = next((row for row in reversed(self.rows) if row.clock == "trusted"), None)
        alive = json.loads(self.checkpoints["alive"]) if "alive" in self.checkpoints else {}
        times = [row.at] if row is not None else []
        times += [datetime.fromisoformat(alive["time"])] if alive.get("trusted") else []
        return NewestState(
            time=max(times, default=None),
            boot=alive.get("boot"),
            trusted=bool(alive.get("trusted", False)),
            offset_s=alive.get("offset_s"),
        )


class SimulatedJournal:
    """The journal of one boot on a simulated disk; the same face as playout.journal.journal.Journal."""

    def __init__(self, disk: Disk, *, clock: Clock, boot: str) -> None:
        self._disk = disk
        self._clock = clock
        self.boot = boot

    def start(self) -> None:
        """Check the chain; raises JournalBroken naming the first bad row."""
        self._disk.verify()

    @property
    def head(self) -> tuple[int, str]:
        """Number and hash of the last row; (0, 64 zeros) while empty."""
        rows = self._disk.rows
        return (rows[-1].seq, rows[-1].hash) if rows else (0, GENESIS)

    @property
    def landed(self) -> int:
        """The number of the last row that is on the disk: every one, as nothing here takes time."""
        return len(self._disk.rows)

    @property
    def troubles(self) -> tuple[Trouble, ...]:
        """None: what becomes of a disk that fails is shown with real ones."""
        return ()

    def append(self, kind: str, body: dict[str, Any]) -> Row:
        """Add one row and return it; raises PowerCut where the power goes with this write."""
        seq, prev = self.head
        text = canonical(body)
        fields: dict[str, Any] = {
            "seq": seq + 1,
            "prev": prev,
            "time": self._clock.now().isoformat(),
            "monotonic": self._clock.monotonic(),
            "boot": self.boot,
            "clock": "trusted" if self._clock.state().trusted else "untrusted",
            "kind": kind,
        }
        # The canonical text of the row without making that of its body twice: `body` sorts before all other names.
        whole = b'{"body":' + text + b"," + canonical(fields)[1:]
        row = Row(**fields, body=json.loads(text), hash=hashlib.sha256(whole).hexdigest())
        with _Write(self._disk, row=True):
            self._disk.rows.append(row)
        return row

    def rows(self, *, after: int = 0, kind: str | None = None, limit: int = -1) -> list[Row]:
        """Return rows with a larger number than `after`, in order; of one kind if given; -1 for no limit."""
        found = [row for row in self._disk.rows[after:] if kind is None or row.kind == kind]
        return found if limit < 0 else found[:limit]

    def set_checkpoint(self, name: str, body: object) -> None:
        """Overwrite the state kept under `name`, None removes it; raises PowerCut as `append` does."""
        with _Write(self._disk):
            if body is None:
                self._disk.checkpoints.pop(name, None)
            else:
                self._disk.checkpoints[name] = json.dumps(body, sort_keys=True)

    def checkpoints(self, prefix: str) -> dict[str, Any]:
        """Return the states kept under names that start so."""
        kept = sorted(self._disk.checkpoints.items())
        return {name: json.loads(text) for name, text in kept if name.startswith(prefix)}

    def sign_head(self) -> None:
        """Keep the newest row's hash as its witness."""
        seq, digest = self.head
        if seq:
            with _Write(self._disk):
                self._disk.heads[seq] = digest


class _Write:
    """One write: counts it, and cuts the power with it when its turn has come."""

    def __init__(self, disk: Disk, *, row: bool = False) -> None:
        self._disk = disk
        self._row = row
        self._cuts = False

    def __enter__(self) -> None:
        disk = self._disk
        disk.writes += 1
        if disk.cut_in is not None and (self._row or not disk.rows_only):
            disk.cut_in -= 1
            self._cuts = disk.cut_in <= 0
        if self._cuts and disk.cut_point is CutPoint.BEFORE:
            disk.cut_in = None
            raise PowerCut

    def __exit__(self, *_: object) -> None:
        if self._cuts:
            self._disk.cut_in = None
            raise PowerCut


@dataclass(slots=True)
class SimulatedMedia:
    """The audio files of a station by their hash: which are there, and which of those hold something else."""

    present: set[str] = field(default_factory=set)
    damaged: set[str] = field(default_factory=set)

    def has(self, sha256: str) -> bool:
        """Return whether a file of that name is there; its bytes are not looked at."""
        return sha256 in self.present

    def path(self, sha256: str) -> Path:
        """Return its name; no such file is on any real disk."""
        return Path(f"{sha256}.flac")

    def good(self, sha256: str) -> bool:
        """Return whether the file is there and is the one that was approved."""
        return sha256 in self.present and sha256 not in self.damaged
