"""Where a recording is silent: at its head, at its tail, and for long in between."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

WINDOW_MS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Silences:
    """Seconds of silence at both ends, and the long silences between, each as (start, length) in seconds."""

    head_s: float
    tail_s: float
    between: tuple[tuple[float, float], ...]


@dataclass(slots=True)
class Levels:
    """Collects the level of every 20 ms as sound passes; a constant offset is no sound."""

    rate_hz: int
    _rest: npt.NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    _levels: list[npt.NDArray[np.float32]] = field(default_factory=list)
    _samples: int = 0

    def push(self, samples: npt.NDArray[np.float32]) -> None:
        """Take the next mono samples, full scale ±1."""
        size = self.rate_hz * WINDOW_MS // 1000
        joined = np.concatenate((self._rest, samples))
        whole = len(joined) // size * size
        self._levels.append(joined[:whole].reshape(-1, size).std(axis=1))
        self._rest = joined[whole:]
        self._samples += len(samples)

    def silences(self, *, below_dbfs: float, long_s: float = 10.0) -> Silences:
        """Return the stretches that stay below a level; a recording without any sound is all head."""
        rest = [self._rest.std(keepdims=True)] if len(self._rest) else []
        levels = np.concatenate([*self._levels, *rest]) if self._levels or rest else np.zeros(0)
        duration_s = self._samples / self.rate_hz
        sounding = np.flatnonzero(levels > 10 ** (below_dbfs / 20))
        if len(sounding) == 0:
            return Silences(head_s=duration_s, tail_s=0.0, between=())
        step = WINDOW_MS / 1000
        gaps = np.diff(sounding)
        between = tuple(
            (float((sounding[index] + 1) * step), float((gaps[index] - 1) * step))
            for index in np.flatnonzero(gaps > math.ceil(long_s / step))
        )
        return Silences(
            head_s=float(sounding[0] * step),
            tail_s=max(0.0, duration_s - float((sounding[-1] + 1) * step)),
            between=between,
        )
