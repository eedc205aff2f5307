"""How loud a stretch of sound is, by ITU-R BS.1770 and EBU R 128, measured as it passes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import av
import av.filter
import numpy as np
import numpy.typing as npt

_NOTHING_LUFS = -70.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Loudness:
    """Integrated loudness in LUFS (-inf for silence) and true peak in dBTP (-inf for digital zero)."""

    integrated_lufs: float
    true_peak_dbtp: float


class Meter:
    """Measures mono sound that is pushed through it, in constant memory."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._graph: av.filter.Graph | None = None
        self._last: dict[str, str] = {}
        self._samples = 0

    def push(self, samples: npt.NDArray[np.float32]) -> None:
        """Take the next samples, full scale ±1."""
        if self._graph is None:
            self._graph = _meter(self._rate_hz)
        if len(samples) == 0:
            return
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(samples, dtype=np.float32).reshape(1, -1), format="flt", layout="mono"
        )
        frame.sample_rate = self._rate_hz
        frame.pts = self._samples
        frame.time_base = Fraction(1, self._rate_hz)
        self._samples += len(samples)
        self._graph.push(frame)
        last: av.AudioFrame | None = None
        while True:
            try:
                pulled = self._graph.pull()
            except BlockingIOError:
                break
            if isinstance(pulled, av.AudioFrame):
                last = pulled
        if last is not None:
            self._last = dict(last.metadata)

    def result(self) -> Loudness:
        """Return the measurement of everything pushed; the meter takes nothing afterwards."""
        self.push(np.zeros(0, dtype=np.float32))
        integrated = float(self._last.get("lavfi.r128.I", "-inf"))
        # The filter reports every 100 ms: silence brings the last, unfinished step out, for the peak only.
        self.push(np.zeros(self._rate_hz // 5, dtype=np.float32))
        peak = float(self._last.get("lavfi.r128.true_peak", "0"))
        return Loudness(
            integrated_lufs=integrated if integrated > _NOTHING_LUFS else -math.inf,
            true_peak_dbtp=20 * math.log10(peak) if peak > 0 else -math.inf,
        )


def _meter(rate_hz: int) -> av.filter.Graph:
    graph = av.filter.Graph()
    graph.threads = 1
    source = graph.add_abuffer(sample_rate=rate_hz, format="flt", layout="mono", time_base=Fraction(1, rate_hz))
    graph.link_nodes(source, graph.add("ebur128", "metadata=1:peak=true"), graph.add("abuffersink")).configure()
    return graph
