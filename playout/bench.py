"""Benchmarks of the player on a real sound server: starts, joins, kills, and what one player costs."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import soundfile

from playout.playerprocess import PlayerProcess
from playout.soundlab import PulseServer, Samples, pulse_server, wait_until
from playout.source import NS_PER_S, RATE_HZ

Figures = dict[str, object]

_SINK = "horn"
_STEADY_S = 2.0
_AHEAD_S = 2.5
_SAME = 0.9


def run(name: str, n: int) -> Figures:
    """Run the benchmark `name` with `n` trials (`player`: seconds on air); return its figures with the machine.

    Raises KeyError for a name that is not in BENCHMARKS.
    """
    return measured(name, n, BENCHMARKS[name])


def measured(name: str, n: int, benchmark: Callable[[int], Figures]) -> Figures:
    """Run any benchmark and return its figures with its name, its trials, its length and the machine."""
    steal_before = _steal()
    begun = time.monotonic()
    figures = benchmark(n)
    return {
        "name": name,
        "n": n,
        "seconds": round(time.monotonic() - begun, 1),
        **figures,
        "machine": _machine(_steal_percent(steal_before, _steal())),
    }


def start(n: int) -> Figures:
    """Start error against the monitor's recording, in ms, of `n` items at odd times."""
    rng = np.random.default_rng(1)
    sounds = [_noise(rng, 0.3) for _ in range(n)]
    with _studio() as studio, studio.server.recording(_SINK) as recording:
        first_ns = studio.after(_AHEAD_S)
        starts_ns = [first_ns + round((number + rng.uniform(0, 0.4)) * NS_PER_S) for number in range(n)]
        for number, sound in enumerate(sounds):
            studio.arm(str(number), sound, start_ns=starts_ns[number])
        studio.wait_for_ends(n)
        recording.wait_for(starts_ns[-1] + NS_PER_S)
        errors_ms = []
        for sound, start_ns in zip(sounds, starts_ns, strict=True):
            around = recording.position_at(start_ns)
            match = recording.find(sound, start=max(0, around - RATE_HZ // 2), end=around + RATE_HZ)
            if match.likeness > _SAME:
                heard_ns = int(recording.instants_ns([match.position])[0])
                errors_ms.append((heard_ns - start_ns) / 1e6)
    return {
        "start_error_ms": spread(errors_ms),
        "absolute_start_error_ms": spread([abs(error) for error in errors_ms]),
        "not_found": n - len(errors_ms),
        "bit_exact": studio.bit_exact,
        "target": "median of the absolute error <= 2, p99 <= 20",
    }


def join(n: int) -> Figures:
    """Samples between `n` pairs of joined items, in the monitor's recording; negative would be an overlap."""
    rng = np.random.default_rng(2)
    sounds = [_noise(rng, 0.8 + number % 7 / 50) for number in range(n + 1)]
    with _studio() as studio, studio.server.recording(_SINK) as recording:
        start_ns = studio.after(_AHEAD_S)
        for number, sound in enumerate(sounds):
            studio.arm(str(number), sound, start_ns=start_ns, after=str(number - 1) if number else None)
        studio.wait_for_ends(n + 1)
        recording.wait_for(time.monotonic_ns())
        expected = recording.position_at(start_ns)
        positions = []
        for sound in sounds:
            match = recording.find(sound, start=max(0, expected - RATE_HZ), end=expected + 3 * RATE_HZ)
            positions.append(match.position if match.likeness > _SAME else None)
            expected += len(sound)
    gaps = [
        after - before - len(sound)
        for before, after, sound in zip(positions, positions[1:], sounds, strict=False)
        if before is not None and after is not None
    ]
    return {
        "gap_samples": spread([float(gap) for gap in gaps]),
        "not_found": n - len(gaps),
        "bit_exact": studio.bit_exact,
        "target": "0 samples",
    }


def kill(n: int) -> Figures:
    """Seconds of silence in the monitor's recording when the player is killed in mid item and started again.

    The parent here does the least that a parent can: at the exit it starts a new player, which goes on at the place
    where the clock will be.
    """
    rng = np.random.default_rng(3)
    silences_s, errors_ms = [], []
    for _ in range(n):
        with _studio() as studio, studio.server.recording(_SINK) as recording:
            sound = _noise(rng, 6.0)
            start_ns = studio.after(_AHEAD_S)
            studio.arm("a", sound, start_ns=start_ns)
            killed_ns = start_ns + round(rng.uniform(1.0, 2.0) * NS_PER_S)
            studio.wait_until_instant(killed_ns)
            studio.kill_and_go_on("a", sound, start_ns=start_ns)
            recording.wait_for(start_ns + 6 * NS_PER_S)
            whole = recording.samples[recording.position_at(start_ns) :][: len(sound)]
            silences_s.append(longest_silence(whole) / RATE_HZ)
            late = sound[5 * RATE_HZ : 5 * RATE_HZ + RATE_HZ // 2]
            match = recording.find(late)
            heard_ns = int(recording.instants_ns([match.position])[0])
            errors_ms.append((heard_ns - start_ns) / 1e6 - 5000)
    return {
        "silence_s": spread(silences_s),
        "position_error_ms": spread(errors_ms),
        "target": "p99 of the silence <= 1",
    }


def player(n: int) -> Figures:
    """What one player on air costs over `n` seconds: resident memory, and CPU in per cent of one core."""
    rng = np.random.default_rng(4)
    with _studio(aircheck=True) as studio:
        sound = _noise(rng, n + 2.0)
        start_ns = studio.after(_AHEAD_S)
        studio.arm("a", sound, start_ns=start_ns)
        studio.wait_until_instant(start_ns + NS_PER_S)
        process = psutil.Process(studio.pid)
        writers = process.children()
        before, writers_before = _cpu_s(process), sum(map(_cpu_s, writers))
        begun = time.monotonic()
        resident: list[float] = []
        while time.monotonic() - begun < n:
            resident.append(process.memory_info().rss / 1e6)
            time.sleep(0.25)
        took_s = time.monotonic() - begun
        cpu = 100 * (_cpu_s(process) - before) / took_s
        writers_cpu = 100 * (sum(map(_cpu_s, writers)) - writers_before) / took_s
        writers_mb = [writer.memory_info().rss / 1e6 for writer in writers]
        studio.wait_for_ends(1)
    return {
        "resident_mb_max": round(max(resident), 1),
        "cpu_percent": round(cpu, 2),
        "aircheck_cpu_percent": round(writers_cpu, 2),
        "aircheck_resident_mb": [round(megabytes, 1) for megabytes in writers_mb],
        "bit_exact": studio.bit_exact,
        "target": "resident <= 80, CPU <= 5, without the aircheck's own process",
    }


BENCHMARKS: Mapping[str, Callable[[int], Figures]] = {
    "start": start,
    "join": join,
    "kill": kill,
    "player": player,
}


def longest_silence(samples: Samples) -> int:
    """Return the length of the longest run of zeros between sounds, in samples."""
    sounding = np.flatnonzero(samples)
    if len(sounding) < 2:
        return len(samples)
    return int(np.diff(sounding).max()) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """What a new player needs to go on with an airing."""

    airing: str
    path: Path
    sha256: str
    samples: int


class _Studio:
    """A sound server, one player on its sink, and the orders given."""

    def __init__(self, server: PulseServer, folder: Path, *, aircheck: bool) -> None:
        self.server = server
        self._folder = folder
        self._aircheck = aircheck
        self._events: list[Mapping[str, object]] = []
        self._exited = threading.Event()
        self._player = self._new_player()
        self._hashes: dict[str, str] = {}
        self._orders: dict[str, _Order] = {}

    @property
    def pid(self) -> int:
        """The player's process id."""
        return self._player.pid or 0

    @property
    def bit_exact(self) -> bool:
        """Whether every item that ended was handed to the bus as it is in its file."""
        ended = [event for event in self._events if event["event"] == "ended"]
        return bool(ended) and all(event["handed_sha256"] == self._hashes[str(event["airing"])] for event in ended)

    def open(self) -> None:
        """Start the player and open its sink."""
        self._player.start()
        folder = {"folder": str(self._folder / "aircheck")} if self._aircheck else None
        self._player.send(
            {
                "do": "open",
                "station": "BENCH",
                "outputs": [{"name": "main", "kind": "pulse", "device": _SINK, "volume_db": 0.0}],
                "aircheck": folder,
                "wall_offset_ns": time.time_ns() - time.monotonic_ns(),
            }
        )

    def wait_for_sink(self) -> None:
        """Return when the output is good."""
        wait_until(
            lambda: any(event.get("state") == "ok" for event in list(self._events)),
            timeout_s=10,
            what="the output",
        )

    def arm(self, airing: str, sound: Samples, *, start_ns: int, after: str | None = None) -> None:
        """Write `sound` to a FLAC file and order it."""
        path = self._folder / f"{airing}.flac"
        soundfile.write(path, sound, RATE_HZ, subtype="PCM_16")
        self._hashes[airing] = _sha256(sound.tobytes())
        self._orders[airing] = _Order(airing=airing, path=path, sha256=_sha256(path.read_bytes()), samples=len(sound))
        self._order(airing, start_ns=start_ns, from_sample=0, after=after)

    def kill_and_go_on(self, airing: str, sound: Samples, *, start_ns: int) -> None:
        """Kill the player and let a new one go on with `sound` where the clock is."""
        self._player.kill()
        self._exited.wait()
        self._player = self._new_player()
        self.open()
        ahead_ns = time.monotonic_ns() + NS_PER_S // 5
        position = (ahead_ns - start_ns) * RATE_HZ // NS_PER_S
        self._order(
            airing,
            start_ns=start_ns + position * NS_PER_S // RATE_HZ,
            from_sample=position,
            after=None,
        )

    def wait_for_ends(self, count: int) -> None:
        """Return when `count` items have ended."""
        wait_until(
            lambda: sum(event["event"] == "ended" for event in list(self._events)) >= count,
            timeout_s=3600,
            what="the last item",
        )

    def wait_until_instant(self, instant_ns: int) -> None:
        """Return at an instant."""
        time.sleep(max(0.0, (instant_ns - time.monotonic_ns()) / NS_PER_S))

    def after(self, seconds: float) -> int:
        """Return the instant so many seconds from now."""
        return time.monotonic_ns() + round(seconds * NS_PER_S)

    def close(self) -> None:
        """End the player."""
        self._player.kill()
        self._player.join(5)

    def _new_player(self) -> PlayerProcess:
        exited = self._exited = threading.Event()
        return PlayerProcess(
            station="BENCH",
            on_event=self._events.append,
            on_exit=lambda code: exited.set(),
            environment=self.server.environment,
        )

    def _order(self, airing: str, *, start_ns: int, from_sample: int, after: str | None) -> None:
        order = self._orders[airing]
        self._player.send(
            {
                "do": "arm",
                "airing": airing,
                "path": str(order.path),
                "sha256": order.sha256,
                "pcm_sha256": self._hashes[airing],
                "samples": order.samples,
                "from_sample": from_sample,
                "start_ns": start_ns,
                "after": after,
            }
        )


@contextmanager
def _studio(*, aircheck: bool = False) -> Iterator[_Studio]:
    folder = Path(tempfile.mkdtemp(prefix="loa-bench-"))
    try:
        with pulse_server() as server:
            server.add_sink(_SINK)
            studio = _Studio(server, folder, aircheck=aircheck)
            try:
                studio.open()
                studio.wait_for_sink()
                time.sleep(_STEADY_S)
                yield studio
            finally:
                studio.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _noise(rng: np.random.Generator, seconds: float) -> Samples:
    # No zeros, so that whatever is zero in the recording was silence.
    count = round(seconds * RATE_HZ)
    noise: Samples = (rng.integers(1, 8000, count) * rng.choice((-1, 1), count)).astype(np.int16)
    return noise


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def spread(values: list[float]) -> Figures:
    if not values:
        return {"n": 0}
    array = np.array(values)
    figures: Figures = {"n": len(values)}
    for name, figure in (
        ("min", array.min()),
        ("median", np.median(array)),
        ("p95", np.percentile(array, 95)),
        ("p99", np.percentile(array, 99)),
        ("max", array.max()),
    ):
        figures[name] = round(float(figure), 3)
    return figures


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _steal() -> tuple[int, int]:
    """Return the jiffies stolen from this machine and all jiffies, since it started."""
    fields = [int(field) for field in Path("/proc/stat").read_text(encoding="ascii").split("\n")[0].split()[1:]]
    return fields[7], sum(fields[:8])


def _steal_percent(before: tuple[int, int], after: tuple[int, int]) -> float:
    return round(100 * (after[0] - before[0]) / max(after[1] - before[1], 1), 2)


def _machine(steal_percent: float) -> Figures:
    models = [
        line.split(":", 1)[1].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if line.startswith("model name")
    ]
    return {
        "cpu": models[0] if models else platform.machine(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load": [round(load, 2) for load in os.getloadavg()],
        "steal_percent": steal_percent,
    }
