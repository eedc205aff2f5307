"""The benchmark of a whole day through the bus, faster than real time, with the file reader and a virtual output."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import soundfile

from playout.benches.bench import Figures
from playout.benches.studio import noise
from playout.outputs.output import Timeline
from playout.outputs.virtualoutput import VirtualOutput
from playout.player.bus import Bus, Event
from playout.player.filesource import FileSource
from playout.source import NS_PER_S, RATE_HZ, Cue, Source

_ITEM_S = 300
_TICK_NS = 100_000_000
_ARMED_AHEAD_NS = 10 * NS_PER_S


def day(n: int) -> Figures:
    """Play `n` hours of joined items of five minutes; tell what was not whole, and the memory all along."""
    with tempfile.TemporaryDirectory(prefix="loa-bench-") as folder:
        path = Path(folder) / "item.flac"
        sound = noise(np.random.default_rng(9), _ITEM_S)
        soundfile.write(path, sound, RATE_HZ, subtype="PCM_16")
        sha256, samples = hashlib.sha256(sound.astype("<i2").tobytes()).hexdigest(), len(sound)
        del sound
        descriptor = os.open(path, os.O_RDONLY)
        try:
            return _play(descriptor, sha256, samples, items=n * 3600 // _ITEM_S)
        finally:
            os.close(descriptor)


def _play(descriptor: int, sha256: str, samples: int, *, items: int) -> Figures:
    told = _Told(sha256=sha256)
    timeline = Timeline(origin_ns=0)
    output = VirtualOutput("main", timeline=timeline, report=lambda name, state, detail: None)
    bus = Bus(timeline=timeline, outputs=[output], opener=_Reader(descriptor), emit=told.hear)
    process = psutil.Process()
    resident_mb = []
    begun = time.monotonic()
    now_ns, armed = 0, 0
    while told.ended < items:
        while armed < items and armed * _ITEM_S * NS_PER_S < now_ns + _ARMED_AHEAD_NS:
            after = str(armed - 1) if armed else None
            bus.arm(Cue(airing=str(armed), samples=samples, from_sample=0, start_ns=NS_PER_S, after=after))
            armed += 1
            resident_mb.append(process.memory_info().rss / 1e6)
        bus.step(now_ns)
        now_ns += _TICK_NS
        if now_ns > (items + 2) * _ITEM_S * NS_PER_S:
            break
    took_s = time.monotonic() - begun
    return {
        "hours": round(items * _ITEM_S / 3600, 2),
        "times_real_time": round(items * _ITEM_S / took_s),
        "items_ended": told.ended,
        "items_not_whole_or_not_exact": told.not_whole,
        "holes": told.holes,
        "joins_late_by_samples": told.late_samples,
        "resident_mb": {
            "at_the_start": round(resident_mb[min(2, len(resident_mb) - 1)], 1),
            "in_the_middle": round(resident_mb[len(resident_mb) // 2], 1),
            "at_the_end": round(process.memory_info().rss / 1e6, 1),
        },
        "target": "no hole, every item bit by bit, memory flat",
    }


class _Told:
    """What the bus told, counted."""

    def __init__(self, *, sha256: str) -> None:
        self.ended = 0
        self.not_whole = 0
        self.holes = 0
        self.late_samples = 0
        self._sha256 = sha256

    def hear(self, event: Event) -> None:
        """Take one event."""
        if event["event"] == "ended":
            number = int(str(event["airing"]))
            ended_ns = event["ended_ns"]
            assert isinstance(ended_ns, int)
            due_ns = NS_PER_S + (number + 1) * _ITEM_S * NS_PER_S
            self.late_samples = max(self.late_samples, abs(ended_ns - due_ns) * RATE_HZ // NS_PER_S)
            self.ended += 1
            self.not_whole += event["handed_sha256"] != self._sha256 or event["cause"] != "complete"
            holes = event["holes"]
            assert isinstance(holes, list)
            self.holes += len(holes)


class _Reader:
    """Opens the one file again for every item."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def open(self, cue: Cue) -> Source:
        """Return a reader of the file."""
        return FileSource(self._descriptor, from_sample=cue.from_sample)

    def stand_in(self, cue: Cue, *, from_sample: int) -> Source | None:
        """Nothing stands in: whatever fails here must show."""
        return None

    def release(self, airing: str) -> None:
        """Nothing is held."""
