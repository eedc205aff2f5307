"""Benchmarks by name: each prints its figures, how many trials, and the machine with its steal time."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import av
import numpy as np
import psutil

from audio.ingest import IngestLimits, ingest
from audio.library import Library
from house import housebenching, pagebenching, planbenching, stationbenching
from playout.benches import daybench, hearingbench, journalbench, peersbench, soundbench
from playout.benches.bench import Figures, measured, spread

DEFAULT_N: Mapping[str, int] = {
    "start": 100,
    "join": 100,
    "hour": 3,
    "day": 1,
    "crash": 50,
    "hang": 12,
    "emergency": 20,
    "matching": 40,
    "journal": 40,
    "peers": 20,
    "player": 30,
    "idle": 30,
    "twenty": 60,
    "pages": 20,
    "thousand": 5,
    "ingest": 1,
    "plan": 50,
    "replan": 50,
    "fleet": 5000,
}
NAMES = tuple(DEFAULT_N)


def bench(name: str, count: int | None, *, busy: int = 0) -> Figures:
    """Run the benchmark `name` with `count` trials, or its own default. Raises KeyError for an unknown name.

    busy: so many processes that only compute run beside it.
    """
    return measured(name, count or DEFAULT_N[name], _BENCHMARKS[name], busy=busy)


def ingest_half_an_hour(count: int) -> dict[str, object]:
    """Seconds and peak memory (MB, of the largest child and of this process) to ingest a 30-minute MP3."""
    took_s, children_mb = [], []
    with tempfile.TemporaryDirectory(prefix="loa-bench-") as folder:
        source = Path(folder) / "half-an-hour.mp3"
        _write_mp3(source, seconds=1800)
        library = Library(Path(folder) / "media")
        for _ in range(count):
            peak = _PeakOfChildren()
            peak.start()
            begun = time.monotonic()
            ingest(
                source,
                library=library,
                scratch=Path(folder) / "scratch",
                limits=IngestLimits(),
                on_progress=lambda share: None,
            )
            took_s.append(time.monotonic() - begun)
            children_mb.append(peak.stop())
    return {
        "ingest_s": spread(took_s),
        "peak_mb": spread(children_mb),
        "target": "<= 60 s, <= 400 MB",
    }


def _write_mp3(path: Path, *, seconds: int) -> None:
    """Write an MP3 of noise whose level changes like speech, a minute at a time."""
    dice = np.random.default_rng(6)
    with av.open(str(path), "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=44_100, layout="mono")
        resampler = av.AudioResampler(format="s16p", layout="mono", rate=44_100, frame_size=1152)
        for _ in range(seconds // 60):
            level = np.repeat(dice.uniform(0.1, 1.0, 300), 8820)
            wave = (dice.normal(0.0, 5000.0, len(level)) * level).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(wave.reshape(1, -1), format="s16", layout="mono")
            frame.sample_rate = 44_100
            for piece in resampler.resample(frame):
                container.mux(stream.encode(piece))
        for piece in resampler.resample(None):
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))


_BENCHMARKS: Mapping[str, Callable[[int], Figures]] = {
    **soundbench.BENCHMARKS,
    **stationbenching.BENCHMARKS,
    "day": daybench.day,
    "matching": hearingbench.matching,
    "journal": journalbench.journal,
    "peers": peersbench.peers,
    **housebenching.BENCHMARKS,
    **pagebenching.BENCHMARKS,
    "ingest": ingest_half_an_hour,
    "plan": planbenching.plan_a_week,
    "replan": planbenching.plan_again,
    "fleet": planbenching.plan_a_fleet,
}


class _PeakOfChildren:
    """The largest resident memory that this process and its children had together, seen ten times a second."""

    def __init__(self) -> None:
        self._done = threading.Event()
        self._peak = 0.0
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> float:
        self._done.set()
        self._thread.join()
        return self._peak

    def _watch(self) -> None:
        me = psutil.Process()
        while not self._done.wait(0.1):
            total = 0.0
            for child in me.children(recursive=True):
                try:
                    total += child.memory_info().rss / 1e6
                except psutil.NoSuchProcess:
                    continue
            self._peak = max(self._peak, total)
