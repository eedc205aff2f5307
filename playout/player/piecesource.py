"""An airing made of pieces as one source: tones, files, silence and pipes, one after the other without a gap."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from playout.player.filesource import AheadSource
from playout.player.pieces import FilePiece, Piece, PipePiece, SilencePiece, TonePiece
from playout.player.tones import tone
from playout.source import RATE_HZ, SAMPLE_BYTES, Source

_FULL_PIPE_BYTES = 1 << 20
_PIPE_BYTES = 1 << 18
_STALE_BYTES = RATE_HZ * SAMPLE_BYTES // 2
"""More than half a second that waits in a pipe is old: a live voice would lag behind by it."""


class MemorySource:
    """Samples that are there already."""

    kind = "tone"
    live = False

    def __init__(self, pcm: bytes) -> None:
        self._pcm = memoryview(pcm)

    def available(self) -> int:
        """Return how many samples are left."""
        return len(self._pcm) // SAMPLE_BYTES

    def read(self, samples: int) -> bytes:
        """Take up to `samples` samples."""
        taken, self._pcm = self._pcm[: samples * SAMPLE_BYTES], self._pcm[samples * SAMPLE_BYTES :]
        return bytes(taken)

    def skip(self, samples: int) -> None:
        """Nothing: what is there waits."""

    def failure(self) -> str | None:
        """Return None: nothing can go wrong."""
        return None

    def close(self) -> None:
        """Give the memory back."""
        self._pcm = memoryview(b"")


class PipeSource:
    """A named pipe, as long as its place lasts: what is there is taken, what is not there in time never was."""

    kind = "pipe"
    live = True

    def __init__(self, path: Path, *, samples: int, buffer: int = 0) -> None:
        self._path = path
        self._left = samples
        self._buffer = buffer
        self._gathering = buffer > 0
        self._descriptor: int | None = None
        self._held = b""

    def open(self) -> None:
        """Open the pipe; where there is none it is looked for again at each read."""
        with contextlib.suppress(OSError):
            self._descriptor = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            # Two seconds and a half: what comes before it is wanted, as during the chime, is not lost.
            fcntl.fcntl(self._descriptor, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)

    def available(self) -> int:
        """Return what is left of its place: it is never waited for."""
        return self._left

    def read(self, samples: int) -> bytes:
        """Take what is there, at most `samples` samples and what is left of its place."""
        wanted = min(samples, self._left) * SAMPLE_BYTES
        self._fill()
        if self._gathering and len(self._held) < self._buffer * SAMPLE_BYTES:
            return b""
        keep = wanted + self._buffer * SAMPLE_BYTES
        old = len(self._held) - keep
        if old > _STALE_BYTES:
            self._held = self._held[old - old % SAMPLE_BYTES :]
        usable = len(self._held) - len(self._held) % SAMPLE_BYTES
        taken, self._held = self._held[: min(wanted, usable)], self._held[min(wanted, usable) :]
        self._left -= len(taken) // SAMPLE_BYTES
        self._gathering = self._buffer > 0 and len(taken) < wanted
        return taken

    def skip(self, samples: int) -> None:
        """Let time pass."""
        self._left = max(0, self._left - samples)

    def failure(self) -> str | None:
        """Return None: a pipe that gives nothing is silent, not broken."""
        return None

    def close(self) -> None:
        """Close the pipe."""
        self._left = 0
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _fill(self) -> None:
        if self._descriptor is None and self._left:
            self.open()
        while self._descriptor is not None:
            try:
                chunk = os.read(self._descriptor, 1 << 16)
            except BlockingIOError:
                return
            if not chunk:
                return
            self._held = (self._held + chunk)[-_FULL_PIPE_BYTES:]


@dataclass(slots=True)
class _Opened:
    """A piece that is open, and how many samples of its place are left."""

    source: Source
    left: int


class SequenceSource:
    """Several pieces in order. Files are those that were opened and checked for it, in the order of the pieces."""

    kind = "pieces"

    def __init__(self, pieces: Sequence[Piece], descriptors: Sequence[int], *, from_sample: int) -> None:
        self._pieces = deque(pieces)
        self._descriptors = deque(descriptors)
        self._passed = from_sample
        self._here: _Opened | None = None
        self._coming: _Opened | None = None
        self._failure: str | None = None

    def start(self) -> None:
        """Begin to read, the piece after the first one too."""
        self._here, self._coming = self._open_next(), self._open_next()

    @property
    def live(self) -> bool:
        """Whether the piece of now comes when it comes."""
        return self._here is not None and self._here.source.live

    def available(self) -> int:
        """Return how many samples can be read at once, as far as the pieces that are open reach."""
        if self._here is None:
            return 0
        here = min(self._here.source.available(), self._here.left)
        if here < self._here.left or self._coming is None:
            return here
        return here + min(self._coming.source.available(), self._coming.left)

    def read(self, samples: int) -> bytes:
        """Take up to `samples` samples, over the end of a piece into the next."""
        taken: list[bytes] = []
        while samples > 0 and self._here is not None:
            pcm = self._here.source.read(min(samples, self._here.left))
            got = len(pcm) // SAMPLE_BYTES
            if got == 0:
                self._failure = self._here.source.failure()
                break
            taken.append(pcm)
            samples -= got
            self._go_on(got)
        return b"".join(taken)

    def skip(self, samples: int) -> None:
        """Let so much of a live piece pass by."""
        if self._here is not None:
            self._here.source.skip(samples)
            self._go_on(samples)

    def failure(self) -> str | None:
        """Say which file failed, None while all is well."""
        return self._failure

    def close(self) -> None:
        """Close what is open; the descriptors stay the caller's."""
        for opened in (self._here, self._coming):
            if opened is not None:
                opened.source.close()
        self._here = self._coming = None
        self._pieces.clear()

    def _go_on(self, samples: int) -> None:
        here = self._here
        if here is None:
            return
        here.left -= samples
        if here.left <= 0:
            here.source.close()
            self._here, self._coming = self._coming, self._open_next()

    def _open_next(self) -> _Opened | None:
        """Open the next piece that does not lie before the sample to begin with."""
        while self._pieces:
            piece = self._pieces.popleft()
            descriptor = self._descriptors.popleft() if isinstance(piece, FilePiece) else None
            first, self._passed = min(self._passed, piece.samples), max(0, self._passed - piece.samples)
            if first < piece.samples:
                return _Opened(_open(piece, descriptor, first), piece.samples - first)
        return None


def _open(piece: Piece, descriptor: int | None, first: int) -> Source:
    match piece:
        case TonePiece(tone=kind, samples=samples):
            return MemorySource(tone(kind, samples)[first * SAMPLE_BYTES :])
        case SilencePiece(samples=samples):
            return MemorySource(bytes((samples - first) * SAMPLE_BYTES))
        case PipePiece(pipe=path, samples=samples, buffer=buffer):
            pipe = PipeSource(path, samples=samples - first, buffer=buffer)
            pipe.open()
            return pipe
        case FilePiece():
            if descriptor is None:
                raise ValueError("a file that was not opened")
            source = AheadSource(descriptor, from_sample=first)
            source.start()
            return source
