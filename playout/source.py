"""Where the bus gets an item's samples from: one interface for libvlc decks and for the plain file reader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from playout.player.pieces import Piece

RATE_HZ = 48_000
SAMPLE_BYTES = 2
NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """One approved file that is to air at an instant.

    airing: the parent's name for it. samples: length of the whole file. from_sample: the first one to air.
    start_ns: CLOCK_MONOTONIC nanoseconds at which `from_sample` is due.
    after: the airing whose last sample the first of this one follows directly, if it runs to its end.
    outputs: the names of those on which it sounds, None for all; the others are silent meanwhile.
    pieces: what it consists of, where it is not one approved file.
    take_over: it begins at once, whatever `start_ns` says, and everything else is faded out for it.
    """

    airing: str
    samples: int
    from_sample: int
    start_ns: int
    after: str | None
    outputs: frozenset[str] | None = None
    pieces: tuple[Piece, ...] = ()
    take_over: bool = False

    def sounds_on(self, output: str) -> bool:
        """Return whether the output of that name is one of its own."""
        return self.outputs is None or output in self.outputs


class Source(Protocol):
    """Mono 48 kHz signed 16 bit samples of one airing, in order, each once."""

    @property
    def live(self) -> bool:
        """Whether what comes next comes when it comes: what is not there in time is silence, and never caught up."""
        ...

    @property
    def kind(self) -> str:
        """What decodes: `libvlc` or `file`."""
        ...

    def available(self) -> int:
        """Return how many samples `read` would give at once; never blocks."""
        ...

    def read(self, samples: int) -> bytes:
        """Take up to `samples` samples, little-endian; fewer where they are not decoded yet. Never blocks."""
        ...

    def skip(self, samples: int) -> None:
        """Let so many samples of a live source pass by, which were not there in time."""
        ...

    def failure(self) -> str | None:
        """Say why no more samples will come, None while all is well."""
        ...

    def close(self) -> None:
        """Give everything back; harmless twice. Never blocks."""
        ...


class SourceOpener(Protocol):
    """Opens sources for the bus."""

    def open(self, cue: Cue) -> Source:
        """Return the source that airs `cue`, decoding already."""
        ...

    def stand_in(self, cue: Cue, *, from_sample: int) -> Source | None:
        """Return another source that goes on at `from_sample`, None where there is none left."""
        ...

    def release(self, airing: str) -> None:
        """Forget the file of `airing`: nothing more will be asked of it."""
        ...
