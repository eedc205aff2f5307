"""Benchmarks by name: each prints its figures, how many trials, and the machine with its steal time."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import av
import numpy as np
import psutil
import soundfile
import yaml
from nacl.signing import SigningKey

from audio.aircheck import AircheckShelf
from audio.ingest import IngestLimits, ingest
from audio.library import Library
from house import planbenching
from playout import bench as player_bench
from playout.daemon import StationDaemon
from playout.journal import Journal
from playout.playerkeeper import Player
from playout.playerprocess import PlayerProcess
from playout.soundlab import pulse_server, wait_until
from playout.specs import OutputSpec
from playout.supervisor import Supervisor, Work
from playout.systemclock import SystemClock, boot_id
from schedules.grid import OneOff, Timing
from schedules.intent import Intent
from schedules.programme import Programme
from schedules.segment import SAMPLE_RATE_HZ, Segment, SegmentKind
from schedules.station import WHOLE_DAY, Station, Unit

Figures = Mapping[str, Any]

DEFAULT_N: Mapping[str, int] = {
    "start": 100,
    "join": 20,
    "resume": 50,
    "player": 30,
    "idle": 30,
    "ingest": 1,
    "plan": 50,
    "replan": 50,
    "fleet": 5000,
}
NAMES = tuple(DEFAULT_N)


def bench(name: str, count: int | None) -> Figures:
    """Run the benchmark `name` with `count` trials, or its own default. Raises KeyError for an unknown name."""
    trials = count or DEFAULT_N[name]
    if name in player_bench.BENCHMARKS:
        return player_bench.run(name, trials)
    return player_bench.measured(name, trials, _OWN[name])


def resume(count: int) -> dict[str, object]:
    """Seconds of silence at the monitor when the player is killed with -9 in mid item, with the real station daemon."""
    dice = random.Random(7)
    with pulse_server() as server, tempfile.TemporaryDirectory(prefix="loa-bench-") as folder:
        server.add_sink("horn")
        with _village(Path(folder), server.environment, items=count) as village, server.recording("horn") as recording:
            silences_s, errors_ms = [], []
            for start in village.starts:
                begin_ns = village.monotonic_ns(start)
                kill_ns = begin_ns + round(dice.uniform(1.0, 3.0) * 1e9)
                time.sleep(max(0.0, (kill_ns - time.monotonic_ns()) / 1e9))
                os.kill(village.player_pid, signal.SIGKILL)
                recording.wait_for(begin_ns + round(village.length_s * 1e9))
                first = recording.position_at(begin_ns)
                whole = recording.samples[first : first + len(village.sound)]
                silences_s.append(player_bench.longest_silence(whole) / SAMPLE_RATE_HZ)
                tail = recording.find(village.sound[-24_000:], start=first, end=first + len(village.sound) + 24_000)
                errors_ms.append((tail.position - first - len(village.sound) + 24_000) / 48.0)
    return {
        "silence_s": player_bench.spread(silences_s),
        "end_error_ms": player_bench.spread(errors_ms),
        "target": "p99 of the silence <= 1",
    }


def idle(count: int) -> dict[str, object]:
    """CPU of `loa run` with five idle stations over `count` seconds, in per cent of a core, and its memory."""
    with tempfile.TemporaryDirectory(prefix="loa-bench-") as folder:
        settings = Path(folder) / "config.yaml"
        codes = ("LONGHIEP", "LONGMAI", "LONGMON", "LONGSON", "THANHAN")
        outputs = [{"name": "main", "kind": "virtual"}]
        stations = [{"code": code, "outputs": outputs} for code in codes]
        settings.write_text(
            yaml.safe_dump({"web": {"listen": "127.0.0.1:0"}, "clock": {"source": "host"}, "stations": stations})
        )
        command = [str(Path(sys.executable).parent / "loa"), "run", "--config", str(settings)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_until((Path(folder) / "data" / "loa.sock").exists, timeout_s=60.0, what="loa to run")
            time.sleep(3.0)
            seen = psutil.Process(process.pid)
            before, begun = sum(seen.cpu_times()[:2]), time.monotonic()
            time.sleep(count)
            cpu = 100 * (sum(seen.cpu_times()[:2]) - before) / (time.monotonic() - begun)
            resident = seen.memory_info().rss / 1e6
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(10)
    return {"cpu_percent": round(cpu, 2), "resident_mb": round(resident, 1), "target": "CPU <= 1.5 % of a core"}


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
        "ingest_s": player_bench.spread(took_s),
        "peak_mb": player_bench.spread(children_mb),
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


_OWN: Mapping[str, Callable[[int], dict[str, object]]] = {
    "resume": resume,
    "idle": idle,
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


class _Village:
    """A station daemon of its own with one sound ordered `items` times, ten seconds apart."""

    length_s = 8.0

    def __init__(self, folder: Path, environment: Mapping[str, str], items: int) -> None:
        self.sound = np.random.default_rng(5).normal(0, 4000, round(self.length_s * SAMPLE_RATE_HZ)).astype(np.int16)
        self._environment = environment
        self._players: list[PlayerProcess] = []
        self._clock = SystemClock(host=True)
        self._supervisor = Supervisor()
        key = SigningKey.generate()
        self._journal = Journal(folder / "journal.db", clock=self._clock, boot=boot_id(), key=key)
        self._library = Library(folder / "media")
        now = self._clock.now()
        self.starts = [now + timedelta(seconds=6 + 10 * number) for number in range(items)]
        self._intent = self._decided(folder, now)
        self._daemon = StationDaemon(
            code="XA",
            outputs=(OutputSpec(name="main", kind="pulse", device="horn"),),
            clock=self._clock,
            journal=self._journal,
            library=self._library,
            shelf=AircheckShelf(folder / "aircheck"),
            aircheck=folder / "aircheck",
            intent=lambda: self._intent,
            make_player=self._player,
        )

    @property
    def player_pid(self) -> int:
        """The process id of the newest player."""
        pid = self._players[-1].pid
        assert pid is not None
        return pid

    def monotonic_ns(self, moment: datetime) -> int:
        """Return when `moment` is on CLOCK_MONOTONIC."""
        return time.monotonic_ns() + round((moment - self._clock.now()).total_seconds() * 1e9)

    def start(self) -> None:
        self._journal.start()
        self._supervisor.start(Work(name="village", run=self._daemon.run, broken=self._daemon.broken))

    def stop(self) -> None:
        self._supervisor.stop(3.0)
        self._journal.stop()

    def _player(self, *, on_event: Callable[..., None], on_exit: Callable[[int], None]) -> Player:
        player = PlayerProcess(station="XA", on_event=on_event, on_exit=on_exit, environment=self._environment)
        self._players.append(player)
        return player

    def _decided(self, folder: Path, now: datetime) -> Intent:
        path = folder / "sound.flac"
        soundfile.write(path, self.sound, SAMPLE_RATE_HZ, subtype="PCM_16")
        segment = Segment(
            id="noise",
            owner="XA",
            programme="CDS",
            title="noise",
            kind=SegmentKind.BAI,
            sha256=self._library.adopt(path),
            pcm_sha256=hashlib.sha256(self.sound.astype("<i2").tobytes()).hexdigest(),
            samples=len(self.sound),
            approved_at=now,
            approved_by="bench",
        )
        order = OneOff(
            id="0", station="XA", segment="noise", start=now, timing=Timing.HARD, ordered_by="bench", ordered_at=now
        )
        return Intent(
            revision=1,
            issued_at=now,
            valid_until=now + timedelta(days=1),
            units=(Unit(code="XA", name="XA"),),
            stations=(Station(code="XA", name="XA", unit="XA", permitted=WHOLE_DAY),),
            programmes=(Programme(code="CDS", name="CDS"),),
            segments=(segment,),
            one_offs=tuple(replace(order, id=str(n), start=start) for n, start in enumerate(self.starts)),
        )


@contextmanager
def _village(folder: Path, environment: Mapping[str, str], items: int) -> Iterator[_Village]:
    village = _Village(folder, environment, items)
    village.start()
    try:
        yield village
    finally:
        village.stop()
