"""The level of one output against the system's loudness, as gain on its samples alone."""

from __future__ import annotations

import numpy as np


class Gain:
    """A fixed gain on mono s16; at 0 dB nothing is touched."""

    def __init__(self, volume_db: float) -> None:
        self._factor = 10 ** (volume_db / 20)

    def of(self, pcm: bytes) -> bytes:
        """Return the samples at this level, rounded, not beyond full scale."""
        if self._factor == 1.0:
            return pcm
        wave = np.frombuffer(pcm, dtype="<i2") * np.float32(self._factor)
        return np.clip(np.rint(wave), -32768, 32767).astype("<i2").tobytes()
