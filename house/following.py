"""Copies what stations wrote into the store, where pages find it; the link between the two on one machine."""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from link.codec import load
from playout.journal.journal import Row
from schedules.airing import Airing
from schedules.clock import Clock
from schedules.duty import DutyOutcome
from store import airings, evidence, faults, outcomes
from store.database import Database

KINDS = frozenset({"verdict", "duty", "evidence", *faults.KINDS})


class Rows(Protocol):
    """A station's journal as far as it is copied."""

    @property
    def landed(self) -> int:
        """The number of the last row that is on the disk."""
        ...

    def rows(self, *, after: int = 0, kind: str | None = None, limit: int = -1) -> list[Row]:
        """Return rows with a larger number than `after`, in order; of one kind if given; -1 for no limit."""
        ...


@dataclass(slots=True)
class Follower:
    """Follows the journals of this machine, from wherever the store left off."""

    database: Database
    journals: Mapping[str, Rows]
    clock: Clock
    bell: queue.SimpleQueue[str] = field(default_factory=queue.SimpleQueue)
    _later: set[str] = field(default_factory=set)

    def ring(self, code: str, row: Row) -> None:
        """Tell that a station wrote a row."""
        if row.kind in KINDS:
            self.bell.put(code)

    def run(self, stopping: threading.Event) -> None:
        """Follow until `stopping`; starts with whatever was missed."""
        for code in self.journals:
            self._follow(code)
        while not stopping.is_set():
            try:
                self._follow(self.bell.get(timeout=0.5))
            except queue.Empty:
                for code in tuple(self._later):
                    self._later.discard(code)
                    self._follow(code)

    def _follow(self, code: str) -> None:
        with self.database.reading() as session:
            copied = {
                "verdict": airings.last_seq(session, code),
                "duty": outcomes.last_seq(session, code),
                "evidence": evidence.last_seq(session, code),
                **dict.fromkeys(faults.KINDS, faults.last_seq(session, code)),
            }
        journal = self.journals[code]
        landed = journal.landed
        found = [row for kind, seq in copied.items() for row in journal.rows(after=seq, kind=kind)]
        # A row that is only in memory may be lost with the power: it is copied when it has landed.
        new = [row for row in found if row.seq <= landed]
        if len(new) < len(found):
            self._later.add(code)
        if not new:
            return
        with self.database.writing() as session:
            for row in sorted(new, key=lambda row: row.seq):
                match row.kind:
                    case "verdict":
                        airings.record(session, code, row.seq, row.hash, load(Airing, row.body))
                    case "duty":
                        outcomes.record(session, code, row.seq, row.hash, load(DutyOutcome, row.body))
                    case "evidence":
                        evidence.record(session, code, row.seq, row.hash, row.at, row.body)
                    case _:
                        faults.record(
                            session,
                            code,
                            seq=row.seq,
                            row_hash=row.hash,
                            at=row.at,
                            kind=row.kind,
                            trusted=row.clock == "trusted",
                            body=row.body,
                            now=self.clock.now(),
                        )
