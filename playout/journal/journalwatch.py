"""Tells the faults of the journal itself, so that people hear of a disk before it is too late."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from playout.faults import FaultBook, fault
from playout.journal.journal import Trouble


class Troubled(Protocol):
    """A journal that knows what is wrong with it (playout.journal.journal.Journal)."""

    @property
    def troubles(self) -> Sequence[Trouble]:
        """What is wrong now."""
        ...


class JournalWatch:
    """Opens a fault for every trouble of the journal and closes it when it is over; `look` costs nothing."""

    def __init__(self, journal: Troubled, faults: FaultBook) -> None:
        self._journal = journal
        self._faults = faults
        self._told: set[str] = set()

    def look(self) -> None:
        """Compare what is wrong now with what was told; to be called at every turn of the station's loop."""
        troubles = {trouble.code: trouble for trouble in self._journal.troubles}
        for code in self._told - troubles.keys():
            self._faults.end(code)
        for code in troubles.keys() - self._told:
            self._faults.begin(code, fault(code), troubles[code].detail)
        self._told = set(troubles)

    def forget(self) -> None:
        """Begin with none told, as the faults do after a start."""
        self._told.clear()
