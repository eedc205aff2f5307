"""What an airing should sound like, as the listener reads it: approved files by hash, and places for what has none."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import soundfile

from audio.matching import SEGMENT_S, Band, Sound
from playout.player.approvedfile import open_approved
from playout.player.pieces import FilePiece, Piece, SilencePiece
from playout.source import RATE_HZ

Pcm = npt.NDArray[np.int16]

_SEGMENT = round(RATE_HZ * SEGMENT_S)


class Reference:
    """The pieces of an airing from one sample on, read as far as they are needed and no further.

    Raises SegmentUnplayable, when it comes to a file that is not there or not the approved one.
    """

    def __init__(self, pieces: tuple[Piece, ...], *, from_sample: int) -> None:
        self._samples = _samples(pieces, from_sample)
        self._band = Band(RATE_HZ)
        self._unknown: list[tuple[int, int]] = []
        self._read = 0
        self._given = 0
        self._over = False

    def read(self, *, until_s: float) -> Iterator[tuple[Sound, bool]]:
        """Yield what follows, up to about so many seconds from its beginning: segments, and whether each is known."""
        while not self._over and self._read < until_s * RATE_HZ:
            pcm, known = next(self._samples, (None, True))
            if pcm is None:
                self._over = True
                yield from self._segments(self._band.flush())
                return
            if not known:
                self._unknown.append((self._read, self._read + len(pcm)))
            self._read += len(pcm)
            yield from self._segments(self._band.take(pcm))

    def _segments(self, sound: Sound) -> Iterator[tuple[Sound, bool]]:
        count = round(len(sound.wave) / SEGMENT_S / 8_000)
        if not count:
            return
        for wave, power in zip(np.split(sound.wave, count), np.split(sound.power, count), strict=True):
            begin, end = self._given, self._given + _SEGMENT
            self._unknown = [(first, last) for first, last in self._unknown if last > begin]
            known = not any(first < end for first, _ in self._unknown)
            self._given = end
            yield Sound(wave=wave, power=power), known


def _samples(pieces: tuple[Piece, ...], from_sample: int) -> Iterator[tuple[Pcm, bool]]:
    """Yield at most a second at a time, and whether it is what should be heard."""
    skip = from_sample
    for piece in pieces:
        first, skip = min(skip, piece.samples), max(0, skip - piece.samples)
        if first == piece.samples:
            continue
        if isinstance(piece, FilePiece):
            yield from ((pcm, True) for pcm in _of_file(piece, first))
        else:
            known = isinstance(piece, SilencePiece)
            for at in range(first, piece.samples, RATE_HZ):
                yield np.zeros(min(RATE_HZ, piece.samples - at), dtype=np.int16), known


def _of_file(piece: FilePiece, first: int) -> Iterator[Pcm]:
    descriptor = open_approved(piece.path, sha256=piece.sha256, samples=piece.samples)
    with soundfile.SoundFile(descriptor, closefd=True) as file:
        file.seek(first)
        while len(pcm := file.read(RATE_HZ, dtype="int16")):
            yield np.asarray(pcm, dtype=np.int16)
