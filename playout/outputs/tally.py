"""Counting what really played: spans of files as written to a device, and those of them that the device has passed."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from playout.source import RATE_HZ

SMALLEST_HOLE_SAMPLES = RATE_HZ // 1000
"""Less than a millisecond is the correction of a drifting sound card, not a hole."""


@dataclass(frozen=True, slots=True)
class Span:
    """`count` samples of `airing` from `sample` on, lying at `offset` (a frame of the block, or of the device)."""

    airing: str
    offset: int
    count: int
    sample: int

    @property
    def end(self) -> int:
        """First offset after the span."""
        return self.offset + self.count

    def cut(self, start: int, end: int) -> Span | None:
        """Return the part that lies in `[start, end)`, None where nothing does."""
        first, last = max(self.offset, start), min(self.end, end)
        if first >= last:
            return None
        return Span(self.airing, first, last - first, self.sample + first - self.offset)

    def moved(self, by: int) -> Span:
        """Return the same samples at another offset."""
        return Span(self.airing, self.offset + by, self.count, self.sample)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """`samples` samples of the file that were not heard, from `at_sample` on."""

    at_sample: int
    samples: int

    def as_json(self) -> dict[str, object]:
        """Return the form that goes to the parent."""
        return {"at_sample": self.at_sample, "seconds": round(self.samples / RATE_HZ, 6)}


@dataclass(slots=True)
class Tally:
    """What of one airing one output has played: a lower bound, in samples, with the instants of the first and last."""

    samples: int = 0
    first_sample: int | None = None
    first_ns: int | None = None
    last_ns: int | None = None
    next_sample: int | None = None
    holes: list[Hole] = field(default_factory=list)

    def add(self, span: Span, *, first_ns: int, last_ns: int) -> None:
        """Count `span`, heard from `first_ns` to `last_ns`."""
        if self.next_sample is not None and span.sample - self.next_sample >= SMALLEST_HOLE_SAMPLES:
            self.holes.append(Hole(at_sample=self.next_sample, samples=span.sample - self.next_sample))
        self.samples += span.count
        self.first_sample = span.sample if self.first_sample is None else self.first_sample
        self.next_sample = span.sample + span.count
        self.first_ns = first_ns if self.first_ns is None else self.first_ns
        self.last_ns = last_ns

    def holes_from(self, sample: int) -> list[Hole]:
        """Return the holes, counting what is missing between `sample` and the first sample that was played."""
        if self.first_sample is None:
            return []
        late = self.first_sample - sample
        if late < SMALLEST_HOLE_SAMPLES:
            return list(self.holes)
        return [Hole(at_sample=sample, samples=late), *self.holes]


class Ledger:
    """What one output has on its way to the loudspeaker, and the tally of what got there. Safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._written: deque[Span] = deque()
        self._tallies: dict[str, Tally] = {}

    def wrote(self, spans: Iterable[Span]) -> None:
        """Note spans at their device offsets, in order."""
        with self._lock:
            self._written.extend(spans)

    def heard(self, start: int, end: int, *, instant_ns: Callable[[int], int]) -> None:
        """Count what lies in the device's `[start, end)`; what lies before `start` was not heard.

        instant_ns: the instant at which a device offset was heard.
        """
        with self._lock:
            rests: list[Span] = []
            while self._written and self._written[0].offset < end:
                span = self._written.popleft()
                if (part := span.cut(start, end)) is not None:
                    self._tallies.setdefault(span.airing, Tally()).add(
                        part, first_ns=instant_ns(part.offset), last_ns=instant_ns(part.end)
                    )
                if (rest := span.cut(end, span.end)) is not None:
                    rests.append(rest)
            self._written.extendleft(reversed(rests))

    def missed(self, start: int, end: int) -> None:
        """Drop what lies in the device's `[start, end)` and was not counted yet: it came too late for the device."""
        with self._lock:
            parts = ((span.cut(span.offset, start), span.cut(end, span.end)) for span in self._written)
            self._written = deque(part for pair in parts for part in pair if part is not None)

    def lost(self, end: int | None = None) -> None:
        """Drop what lies before the device's `end` uncounted; everything, without `end`."""
        if end is not None:
            self.heard(end, end, instant_ns=lambda offset: offset)
            return
        with self._lock:
            self._written.clear()

    def tally(self, airing: str) -> Tally:
        """Return a copy of what was counted for `airing`."""
        with self._lock:
            known = self._tallies.get(airing, Tally())
            return replace(known, holes=list(known.holes))

    def forget(self, airing: str) -> None:
        """Drop the tally of `airing`."""
        with self._lock:
            self._tallies.pop(airing, None)
