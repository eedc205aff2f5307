"""Of what an airing consists that is not one approved file: tones, files, silence and pipes, one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any


class Tone(StrEnum):
    """Sounds that the player makes itself. alert: what is real; drill: an exercise, unlike it; chime: before talk."""

    ALERT = "alert"
    DRILL = "drill"
    CHIME = "chime"
    TEST = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class TonePiece:
    """A sound of the player's own. samples: its length at 48 kHz."""

    tone: Tone
    samples: int

    def as_json(self) -> Mapping[str, Any]:
        """Return the form that goes to the player."""
        return {"tone": self.tone.value, "samples": self.samples}


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePiece:
    """An approved file, whole."""

    path: Path
    sha256: str
    samples: int

    def as_json(self) -> Mapping[str, Any]:
        """Return the form that goes to the player."""
        return {"path": str(self.path), "sha256": self.sha256, "samples": self.samples}


@dataclass(frozen=True, slots=True, kw_only=True)
class SilencePiece:
    """Nothing, for so long."""

    samples: int

    def as_json(self) -> Mapping[str, Any]:
        """Return the form that goes to the player."""
        return {"silence": True, "samples": self.samples}


@dataclass(frozen=True, slots=True, kw_only=True)
class PipePiece:
    """Mono 48 kHz s16 little-endian from a named pipe, for at most so long. Where nothing comes in time: silence.

    buffer: samples that are gathered before the first one sounds, and again after nothing came.
    """

    pipe: Path
    samples: int
    buffer: int = 0

    def as_json(self) -> Mapping[str, Any]:
        """Return the form that goes to the player."""
        return {"pipe": str(self.pipe), "samples": self.samples, "buffer": self.buffer}


Piece = TonePiece | FilePiece | SilencePiece | PipePiece


def length(pieces: tuple[Piece, ...]) -> int:
    """Return the samples of all pieces together."""
    return sum(piece.samples for piece in pieces)


def pieces_from(data: Sequence[Mapping[str, Any]]) -> tuple[Piece, ...]:
    """Return the pieces of a command; raises KeyError or ValueError for what is none."""
    return tuple(_piece(one) for one in data)


def _piece(data: Mapping[str, Any]) -> Piece:
    samples = int(data["samples"])
    if "tone" in data:
        return TonePiece(tone=Tone(data["tone"]), samples=samples)
    if "pipe" in data:
        return PipePiece(pipe=Path(data["pipe"]), samples=samples, buffer=int(data.get("buffer", 0)))
    if data.get("silence"):
        return SilencePiece(samples=samples)
    return FilePiece(path=Path(data["path"]), sha256=str(data["sha256"]), samples=samples)
