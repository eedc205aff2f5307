"""The formats that are taken, and what a file's first bytes claim about it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum


class Container(StrEnum):
    """A format that is taken; the value is FFmpeg's name for it, pinned when decoding."""

    MP3 = "mp3"
    WAV = "wav"
    FLAC = "flac"
    M4A = "mp4"
    AAC = "aac"
    OGG = "ogg"
    WEBM = "webm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sniffed:
    """What the bytes say about themselves: a claim, not yet a fact.

    start_byte: where the recording begins; tags before it are never given to a decoder.
    declared_s: length that the header claims; None where it claims none.
    cut: True when announced bytes are missing; None where that cannot be known.
    too_wide: more channels or another rate than any recording has.
    """

    container: Container
    start_byte: int = 0
    declared_s: float | None = None
    cut: bool | None = None
    too_wide: bool = False


@dataclass(frozen=True, slots=True)
class Bytes:
    """An open file of which only what is asked for is read; its position never moves."""

    descriptor: int
    size: int

    def at(self, offset: int, count: int) -> bytes:
        """Return up to `count` bytes from `offset`; fewer at the end, none outside."""
        return os.pread(self.descriptor, count, offset) if 0 <= offset < self.size else b""


def is_too_wide(channels: int, rate_hz: int) -> bool:
    """Return whether no recording of speech has these figures; they cost memory and time only."""
    return not (1 <= channels <= 8 and 4_000 <= rate_hz <= 192_000)
