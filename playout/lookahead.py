"""Fifteen minutes ahead: whether files and devices of what is due soon are there, while somebody can still act."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import timedelta
from typing import Protocol

from playout.aside import Aside, Starter, in_thread
from playout.faults import FaultBook, fault
from playout.outputs.outputprobe import Trouble, Wrong, ask_output
from playout.specs import OutputSpec
from schedules.clock import Clock
from schedules.errors import SegmentUnplayable
from schedules.rundown import RundownItem
from schedules.text import Text

AHEAD = timedelta(minutes=15)
LOOK_S = 5.0
HASH_S = 60.0
"""How old the hash of a file may become; one is read again after that, earliest first."""

ASK_S = 30.0
"""The same for an output's answer, and the time after which no answer is a bad one."""


class CheckedMedia(Protocol):
    """The audio on the station whose bytes can be checked (audio.library.Library)."""

    def has(self, sha256: str) -> bool:
        """Return whether a file of that name is there."""
        ...

    def open_verified(self, sha256: str) -> int:
        """Return a descriptor of the file, whose hash is right; raises SegmentUnplayable."""
        ...


class LookAhead:
    """Used by the station's thread, which it never holds up.

    probe: asks whether an output would sound. start: starts a job beside the loop.
    """

    def __init__(
        self,
        *,
        outputs: Iterable[OutputSpec],
        media: CheckedMedia,
        clock: Clock,
        faults: FaultBook,
        probe: Callable[[OutputSpec], Trouble | None] = ask_output,
        start: Starter = in_thread,
    ) -> None:
        self._outputs = tuple(outputs)
        self._media = media
        self._clock = clock
        self._faults = faults
        self._probe = probe
        # Apart: a sound server that hangs does not keep anybody from reading files.
        self._reading: Aside[Mapping[str, str]] = Aside(start)
        self._probing: Aside[Mapping[str, Trouble | None]] = Aside(start)
        self._looked_at = float("-inf")
        self._wrong: dict[str, str] = {}
        self._hashed_at: dict[str, float] = {}
        self._troubles: dict[str, Trouble | None] = {}
        self._asked_at: dict[str, float] = {}
        self._asking: tuple[str, ...] = ()
        self._told: set[str] = set()

    @property
    def damaged(self) -> frozenset[str]:
        """Hashes of files that are there and not what they should be: the plan should do without them."""
        return frozenset(sha256 for sha256, code in self._wrong.items() if code == "media_hash")

    def keep(self, items: Iterable[RundownItem], settled: Collection[str], *, well: Collection[str] = ()) -> bool:
        """Look at what is due within fifteen minutes; True where `damaged` changed, so that a new plan is due.

        settled: slots that have their row. well: outputs that the player has open and that sound; nobody asks those.
        """
        now, before = self._clock.monotonic(), self.damaged
        self._learn(now)
        if now - self._looked_at < LOOK_S:
            return self.damaged != before
        self._looked_at = now
        wall = self._clock.now()
        coming = sorted(
            (
                item
                for item in items
                if wall <= item.due < wall + AHEAD
                and item.relay is None
                and item.slot not in settled
                and item.replaced_by is None
                and item.cancelled_by is None
            ),
            key=lambda item: item.due,
        )
        outputs = [one for one in self._outputs if any(one.hears(item) for item in coming)]
        for gone in [name for name in self._troubles if name in well or all(name != one.name for one in outputs)]:
            del self._troubles[gone]
            self._asked_at.pop(gone, None)
        self._tell(coming, outputs)
        self._look(coming, [one for one in outputs if one.name not in well], now)
        return self.damaged != before

    def _learn(self, now: float) -> None:
        self._wrong |= self._reading.take() or {}
        answers = self._probing.take()
        if answers is not None:
            self._troubles |= answers
        elif self._probing.hangs(now, ASK_S):
            hanging = Trouble(wrong=Wrong.NO_SERVER, detail=f"no answer within {ASK_S:.0f} s")
            self._troubles |= dict.fromkeys(self._asking, hanging)

    def _look(self, coming: list[RundownItem], outputs: list[OutputSpec], now: float) -> None:
        """Start jobs for the files and outputs whose last answer is too old."""
        wanted = dict.fromkeys(item.sha256 for item in coming if item.sha256 is not None)
        for known in [sha256 for sha256 in self._wrong if sha256 not in wanted]:
            del self._wrong[known]
            self._hashed_at.pop(known, None)
        files = [sha256 for sha256 in wanted if now - self._hashed_at.get(sha256, float("-inf")) >= HASH_S]
        if files and self._reading.offer(lambda: {sha256: self._check(sha256) for sha256 in files}, now):
            self._hashed_at |= dict.fromkeys(files, now)
        asked = [one for one in outputs if now - self._asked_at.get(one.name, float("-inf")) >= ASK_S]
        if asked and self._probing.offer(lambda: {one.name: self._probe(one) for one in asked}, now):
            self._asking = tuple(one.name for one in asked)
            self._asked_at |= dict.fromkeys(self._asking, now)

    def _check(self, sha256: str) -> str:
        try:
            descriptor = self._media.open_verified(sha256)
        except SegmentUnplayable as error:
            return error.findings[0].code
        except OSError:
            return "media_missing"  # its disk gives errors: for the air that is the same
        with contextlib.suppress(OSError):
            os.close(descriptor)
        return ""

    def _tell(self, coming: list[RundownItem], outputs: list[OutputSpec]) -> None:
        """Open a fault for everything that is wrong, and close those that are over."""
        told = {f"ahead_media_{item.slot}": self._media_trouble(item) for item in coming}
        known = {one.code for one in self._faults.open}
        for output in outputs:
            trouble = self._troubles.get(output.name)
            # What the player lost is told already, and this would say it a second time.
            if trouble is not None and f"output_{output.name}" not in known:
                code = "ahead_output_muted" if trouble.wrong is Wrong.MUTED else "ahead_output"
                told[f"ahead_output_{output.name}"] = fault(code, name=output.name), trouble.detail
        wrong = {code: said for code, said in told.items() if said is not None}
        for code in sorted(self._told - set(wrong)):
            self._faults.end(code)
        for code, (message, detail) in wrong.items():
            self._faults.begin(code, message, detail)
        self._told = set(wrong)

    def _media_trouble(self, item: RundownItem) -> tuple[Text, str] | None:
        if item.sha256 is None:
            return fault("ahead_media_missing", title=item.title), item.why.en
        # Its name is looked at each time: a file that comes or goes is told before it is hashed again.
        there = self._media.has(item.sha256)
        code = self._wrong.get(item.sha256, "") if there else "media_missing"
        if there and code == "media_missing":
            self._hashed_at.pop(item.sha256, None)
        return (fault(f"ahead_{code}", title=item.title), item.sha256) if code else None
