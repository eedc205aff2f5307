"""Plain samples between decoding and mastering: mono, 24 kHz, float32 in a file; raw numbers cannot attack anyone."""

from __future__ import annotations

import os
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from audio.rates import PLAIN_RATE_HZ, PLAIN_SAMPLE_BYTES

_BLOCK = PLAIN_RATE_HZ * 2
_LOUDEST = 16.0
_EDGE_S = 0.01

Samples = npt.NDArray[np.float32]


class PlainSamples:
    """The samples `[first, last)` of such a file, read in blocks; whatever it holds, the blocks are sound.

    offset: constant part that is taken away, once it is known.
    """

    def __init__(self, descriptor: int, first: int, last: int) -> None:
        self._descriptor = descriptor
        self._first = first
        self._last = last
        self.offset = 0.0

    def __len__(self) -> int:
        return max(0, self._last - self._first)

    def blocks(self) -> Iterator[Samples]:
        """Yield all samples in order, two seconds at a time."""
        for begin in range(self._first, self._last, _BLOCK):
            yield self._read(begin)

    def some_blocks(self, count: int) -> Iterator[Samples]:
        """Yield up to `count` blocks, evenly over the recording: enough to know its character."""
        begins = range(self._first, self._last, _BLOCK)
        for place in sorted({round(index) for index in np.linspace(0, len(begins) - 1, count)}):
            yield self._read(begins[place])

    def _read(self, begin: int) -> Samples:
        count = min(_BLOCK, self._last - begin)
        data = os.pread(self._descriptor, count * PLAIN_SAMPLE_BYTES, begin * PLAIN_SAMPLE_BYTES)
        block = np.frombuffer(data, dtype="<f4").astype(np.float32)
        block = np.clip(np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0), -_LOUDEST, _LOUDEST)
        block -= np.float32(self.offset)
        return self._with_soft_edges(block, begin)

    def _with_soft_edges(self, block: Samples, begin: int) -> Samples:
        """Return the block with 10 ms fades where something was trimmed away, so that it does not click."""
        edge = int(_EDGE_S * PLAIN_RATE_HZ)
        places = np.arange(begin, begin + len(block))
        if self._first > 0 and begin < self._first + edge:
            block *= np.clip((places - self._first) / edge, 0.0, 1.0).astype(np.float32)
        whole = os.fstat(self._descriptor).st_size // PLAIN_SAMPLE_BYTES
        if self._last < whole and begin + len(block) > self._last - edge:
            block *= np.clip((self._last - places) / edge, 0.0, 1.0).astype(np.float32)
        return block
