"""What the bus hands its sound to: the interface of an output, the blocks it takes, and the timeline they lie on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from playout.outputs.tally import Span, Tally
from playout.source import NS_PER_S, RATE_HZ

StateReport = Callable[[str, str, str], None]
"""Called with an output's name, its new state and a detail; from any thread, must not block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Frame numbers of the bus against CLOCK_MONOTONIC: frame 0 is due at `origin_ns`."""

    origin_ns: int

    def due_ns(self, frame: int) -> int:
        """Return the instant at which `frame` is to be heard."""
        return self.origin_ns + frame * NS_PER_S // RATE_HZ

    def frame_at(self, instant_ns: int) -> int:
        """Return the frame whose due time is nearest to `instant_ns`."""
        return round((instant_ns - self.origin_ns) * RATE_HZ / NS_PER_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A stretch of bus sound: mono s16 little-endian, its first frame, and which samples of which files it carries.

    Blocks come in order; a jump in `frame` means that the bus itself stood still meanwhile.
    """

    frame: int
    pcm: bytes
    spans: tuple[Span, ...]

    @property
    def frames(self) -> int:
        """Length in frames."""
        return len(self.pcm) // 2


class Output(Protocol):
    """A loudspeaker, or what stands for one. Its trouble is its own: nothing here blocks or raises."""

    @property
    def name(self) -> str:
        """The name that the configuration gives it."""
        ...

    @property
    def lead_ns(self) -> int:
        """How far ahead of the due time it needs its sound, in nanoseconds."""
        ...

    def start(self) -> None:
        """Begin to open the device, and go on trying."""
        ...

    def hand(self, block: Block) -> None:
        """Take a block that is due soon."""
        ...

    def advance(self, now_ns: int) -> None:
        """Let time pass, for outputs without a device of their own."""
        ...

    def tally(self, airing: str) -> Tally:
        """Return what of `airing` has really been played so far; never more than was."""
        ...

    def settled(self, frame: int) -> bool:
        """Return whether nothing before bus frame `frame` can be counted any more."""
        ...

    def forget(self, airing: str) -> None:
        """Drop the tally of `airing`."""
        ...

    def stop(self) -> None:
        """Fall silent now and close the device."""
        ...
