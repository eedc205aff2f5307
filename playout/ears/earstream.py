"""What one ear hears as an endless stream at 16 kHz, with the instant of each sample; the last seconds are kept."""

from __future__ import annotations

from collections import deque

import numpy as np
import numpy.typing as npt

from playout.source import NS_PER_S, RATE_HZ

EAR_HZ = 16_000
"""Rate of what ears keep and judge: twice the band of a horn loudspeaker."""

Pcm = npt.NDArray[np.int16]

_THIN = RATE_HZ // EAR_HZ
_TAPS = 49
_KEPT_S = 20
_READS = 250
_GAP_NS = NS_PER_S // 2
_SURE_NS = 5 * NS_PER_S
_BLOCK = RATE_HZ // 4


class EarStream:
    """Positions count samples at 16 kHz from the first one heard.

    monitor: it is the monitor of a sink, which gives a block when its first sample is about to be heard; any other
    source gives it after its last one was heard. Times are good to some milliseconds of the sound server's blocks.
    """

    def __init__(self, *, monitor: bool) -> None:
        self._monitor = monitor
        self._blocks: deque[Pcm] = deque()
        self._bases: deque[int] = deque(maxlen=_READS)
        self._late: list[tuple[int, int]] = []
        self._waiting: list[npt.NDArray[np.float32]] = [np.zeros(_TAPS // 2, dtype=np.float32)]
        self._waits = _TAPS // 2
        self._read = 0  # samples at 48 kHz, gaps included
        self.start = 0
        self.end = 0

    @property
    def empty(self) -> bool:
        """Whether nothing was heard yet."""
        return not self._bases

    def take(self, pcm: Pcm, now_ns: int) -> None:
        """Add what was read at an instant. A pause of the device becomes silence, once it is sure that it was one."""
        known = self._read if self._monitor else self._read + len(pcm)
        base_ns = now_ns - known * NS_PER_S // RATE_HZ
        late_ns = base_ns - min(self._bases) if self._bases else 0
        if late_ns <= _GAP_NS:
            # What came late by a busy machine was not missing: the rest of it comes at once.
            self._late.clear()
            self._bases.append(base_ns)
        else:
            self._late.append((now_ns, base_ns))
            if late_ns > _SURE_NS or now_ns - self._late[0][0] > NS_PER_S:
                self._leave_out()
        self._add(pcm)

    def position_at(self, instant_ns: int) -> int:
        """Return the position that is heard at an instant, past or to come; raises ValueError while it is empty."""
        return (instant_ns - min(self._bases)) * EAR_HZ // NS_PER_S

    def instant_at(self, position: int) -> int:
        """Return the CLOCK_MONOTONIC nanoseconds at which a position is heard; raises ValueError while it is empty."""
        return min(self._bases) + position * NS_PER_S // EAR_HZ

    def samples(self, begin: int, end: int) -> Pcm:
        """Return `[begin, end)`, at most up to the end; what was before the start or is kept no more is silence."""
        end = min(end, self.end)
        found: list[Pcm] = [np.zeros(max(0, min(self.start, end) - begin), dtype=np.int16)]
        at = self.start
        for block in self._blocks:
            found.append(block[max(0, begin - at) : max(0, end - at)])
            at += len(block)
        return np.concatenate(found)

    def _leave_out(self) -> None:
        """Go on after a gap; a long one is not filled, since nobody asks for all of it."""
        base_ns = min(base for _, base in self._late)
        gap = (base_ns - min(self._bases)) * RATE_HZ // NS_PER_S // _THIN * _THIN
        self._late.clear()
        self._bases.clear()
        self._bases.append(base_ns - gap * NS_PER_S // RATE_HZ)
        if gap <= _KEPT_S * RATE_HZ:
            self._add(np.zeros(gap, dtype=np.int16))
            return
        self._read += gap
        self.start = self.end = self.end + gap // _THIN
        self._blocks.clear()

    def _add(self, pcm: Pcm) -> None:
        self._read += len(pcm)
        self._waiting.append(pcm.astype(np.float32))
        self._waits += len(pcm)
        if self._waits < _BLOCK:
            return
        wave = np.concatenate(self._waiting)
        count = (len(wave) - _TAPS) // _THIN + 1
        low = np.convolve(wave[: (count - 1) * _THIN + _TAPS], _FILTER, "valid")[::_THIN]
        self._waiting = [wave[count * _THIN :]]
        self._waits = len(self._waiting[0])
        block = np.clip(np.rint(low), -32_768, 32_767).astype(np.int16)
        self._blocks.append(block)
        self.end += len(block)
        while self.end - self.start - len(self._blocks[0]) > _KEPT_S * EAR_HZ:
            self.start += len(self._blocks.popleft())


def _low_pass() -> npt.NDArray[np.float32]:
    at = np.arange(_TAPS) - _TAPS // 2
    taps = np.sinc(at * 0.9 / _THIN) * np.hamming(_TAPS)
    return np.asarray(taps / taps.sum(), dtype=np.float32)


_FILTER = _low_pass()
