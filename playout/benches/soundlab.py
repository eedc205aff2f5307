"""A sound laboratory for benchmarks and tests: its own PulseAudio server, null sinks, timed recordings of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt

from playout.source import NS_PER_S, RATE_HZ, SAMPLE_BYTES
from schedules.errors import OutputError

Samples = npt.NDArray[np.int16]

_START_S = 10.0
_POLL_S = 0.01
_CHUNK_BYTES = 4096
# A read is late by chance, never early, and what a stalled sink leaves out makes all later ones later still: the
# earliest of the next second's reads shows the time.
_READS = 200


def wait_until(there: Callable[[], bool], *, timeout_s: float, what: str) -> None:
    """Look every 10 ms until `there`; raises TimeoutError that names `what` after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not there():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout_s} s for {what}")
        time.sleep(_POLL_S)


class PulseServer:
    """One PulseAudio server in a folder of its own; nothing else on the machine is touched."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._modules: dict[str, str] = {}

    @property
    def environment(self) -> dict[str, str]:
        """What a client of this server has in its environment, and nothing of the user's own sound set-up."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("PULSE_")}
        return kept | {
            "PULSE_SERVER": f"unix:{self._folder}/socket",
            "PULSE_COOKIE": str(self._folder / "cookie"),
            "XDG_RUNTIME_DIR": str(self._folder),
            "XDG_CONFIG_HOME": str(self._folder / "config"),
            "HOME": str(self._folder),
        }

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self._folder.chmod(0o700)
        # Twenty stations need more than the 256 files that it allows itself.
        configuration = self._folder / "daemon.conf"
        configuration.write_text("rlimit-nofile = 4096\n", encoding="ascii")
        self._process = subprocess.Popen(
            [
                "pulseaudio",
                "-n",
                "--daemonize=no",
                "--use-pid-file=no",
                "--exit-idle-time=-1",
                "--disallow-exit=no",
                "--log-level=error",
                f"--load=module-native-protocol-unix auth-anonymous=1 socket={self._folder}/socket",
            ],
            env=self.environment | {"PULSE_SERVER": "", "PULSE_CONFIG": str(configuration)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(self._answers, timeout_s=_START_S, what="PulseAudio")

    def stop(self) -> None:
        """End the server."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @property
    def pid(self) -> int:
        """The server's process id."""
        if self._process is None:
            raise OutputError("the server is not running")
        return self._process.pid

    @property
    def sinks(self) -> frozenset[str]:
        """The sinks that were added and not removed."""
        return frozenset(self._modules)

    def add_sink(self, name: str) -> None:
        """Add a null sink, mono 48 kHz, whose monitor holds exactly what was played."""
        self._modules[name] = self.pactl(
            "load-module",
            "module-null-sink",
            f"sink_name={name}",
            "norewinds=1",
            f"rate={RATE_HZ}",
            "channels=1",
            "channel_map=mono",
        )

    def remove_sink(self, name: str) -> None:
        """Take a sink away, as when its cable is pulled."""
        self.pactl("unload-module", self._modules.pop(name))

    def mute_sink(self, name: str, *, muted: bool) -> None:
        """Mute a sink, or unmute it."""
        self.pactl("set-sink-mute", name, "1" if muted else "0")

    def set_volume(self, name: str, *, percent: int) -> None:
        """Set the volume of a sink."""
        self.pactl("set-sink-volume", name, f"{percent}%")

    def suspend_sink(self, name: str, *, suspended: bool) -> None:
        """Suspend a sink, or resume it."""
        self.pactl("suspend-sink", name, "1" if suspended else "0")

    def mute_streams(self, *, muted: bool) -> None:
        """Mute every stream that plays now, or unmute it."""
        for line in self.pactl("list", "short", "sink-inputs").splitlines():
            self.pactl("set-sink-input-mute", line.split()[0], "1" if muted else "0")

    def playing_on(self, sink: str) -> tuple[int, ...]:
        """Return the process ids of those who have a stream open on a sink."""
        sinks = {entry["name"]: entry["index"] for entry in json.loads(self.pactl("--format=json", "list", "sinks"))}
        streams = json.loads(self.pactl("--format=json", "list", "sink-inputs"))
        return tuple(
            int(stream["properties"]["application.process.id"])
            for stream in streams
            if stream["sink"] == sinks.get(sink)
        )

    def pactl(self, *arguments: str) -> str:
        """Run pactl and return what it prints; raises CalledProcessError where it refuses."""
        run = subprocess.run(
            ["pactl", *arguments], env=self.environment, capture_output=True, text=True, check=True, timeout=10
        )
        return run.stdout.strip()

    @contextmanager
    def recording(self, sink: str) -> Iterator[Recording]:
        """Record the monitor of `sink` while the block runs; the recording grows and is there afterwards."""
        recording = Recording(sink, environment=self.environment)
        recording.start()
        try:
            yield recording
        finally:
            recording.stop()

    def _answers(self) -> bool:
        try:
            self.pactl("info")
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            return False
        return True


class Recording:
    """What a sink's monitor gave, with the instant of each sample; what was looked at may be dropped.

    The null sink renders each 5 ms block at the moment at which its first sample counts as heard, and the reader gets
    it some 0.1 ms later: the earliest of the next second's reads gives the time line, good to about 0.5 ms.
    """

    def __init__(self, sink: str, *, environment: Mapping[str, str]) -> None:
        self._sink = sink
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        # Of each read: its instant, the position of its first sample, and what it gave.
        self._reads: deque[tuple[int, int, bytes]] = deque()
        self._taken = 0
        self._thread = threading.Thread(target=self._read, name=f"recording-{sink}", daemon=True)

    def start(self) -> None:
        """Begin, and return when the first sound has come."""
        self._process = subprocess.Popen(
            [
                "parec",
                "--raw",
                "--format=s16le",
                f"--rate={RATE_HZ}",
                "--channels=1",
                "--latency-msec=5",
                f"--device={self._sink}.monitor",
            ],
            env=dict(self._environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self._thread.start()
        wait_until(lambda: self._taken > RATE_HZ // 10, timeout_s=_START_S, what="the monitor")

    def stop(self) -> None:
        """End; what was recorded stays."""
        if self._process is not None:
            self._process.kill()
            self._thread.join()
            if self._process.stdout is not None:
                self._process.stdout.close()
            self._process.wait()
            self._process = None

    @property
    def alive(self) -> bool:
        """Whether more comes: the server and the sink are there."""
        return self._thread.is_alive()

    @property
    def samples(self) -> Samples:
        """Everything recorded so far that was not dropped."""
        with self._lock:
            return np.frombuffer(b"".join(pcm for _, _, pcm in self._reads), dtype="<i2")

    @property
    def begin(self) -> int:
        """The position of the oldest sample that is still kept."""
        with self._lock:
            return self._reads[0][1] if self._reads else self._taken

    @property
    def end(self) -> int:
        """The position after the newest sample."""
        return self._taken

    @property
    def empty(self) -> bool:
        """Whether nothing is kept."""
        return self.begin == self._taken

    def piece(self, start: int, end: int) -> Samples:
        """Return the samples `[start, end)`, as far as they are there; raises LookupError for what was dropped."""
        with self._lock:
            first = self._reads[0][1] if self._reads else self._taken
            chunks = [pcm for _, at, pcm in self._reads if at < end and at + len(pcm) // SAMPLE_BYTES > start]
            begun = next((at for _, at, pcm in self._reads if at + len(pcm) // SAMPLE_BYTES > start), start)
        if start < first:
            raise LookupError(f"the recording begins at {first}, not at {start}")
        whole: Samples = np.frombuffer(b"".join(chunks), dtype="<i2")
        return whole[start - begun : end - begun]

    def drop(self, before: int) -> None:
        """Let go of what lies before a position, so that an hour of recording takes no more room than a minute."""
        with self._lock:
            while self._reads and self._reads[0][1] + len(self._reads[0][2]) // SAMPLE_BYTES <= before:
                self._reads.popleft()

    def instants_ns(self, positions: npt.ArrayLike) -> npt.NDArray[np.int64]:
        """Return the CLOCK_MONOTONIC instants at which the samples at `positions` were heard."""
        with self._lock:
            reads = np.array([(instant_ns, at) for instant_ns, at, _ in self._reads], dtype=np.int64)
        base_ns = reads[:, 0] - reads[:, 1] * NS_PER_S // RATE_HZ
        wanted = np.asarray(positions, dtype=np.int64)
        containing = np.maximum(np.searchsorted(reads[:, 1], wanted, side="right") - 1, 0)
        earliest = np.array([base_ns[first : first + _READS].min() for first in np.atleast_1d(containing)])
        return (earliest.reshape(wanted.shape) + wanted * NS_PER_S // RATE_HZ).astype(np.int64)

    def position_at(self, instant_ns: int) -> int:
        """Return the sample that was heard at `instant_ns`, to the nearest 5 ms block where the sink stood still."""
        first_ns = int(self.instants_ns([0])[0])
        guess = max(0, (instant_ns - first_ns) * RATE_HZ // NS_PER_S)
        for _ in range(3):
            guess += (instant_ns - int(self.instants_ns([guess])[0])) * RATE_HZ // NS_PER_S
            guess = max(0, int(guess))
        return guess

    def wait_for(self, instant_ns: int) -> None:
        """Return when everything that was heard by `instant_ns` is recorded."""
        seconds = max(0.0, (instant_ns - time.monotonic_ns()) / NS_PER_S)
        wait_until(
            lambda: self._newest_ns > instant_ns + NS_PER_S // 10,
            timeout_s=seconds + _START_S,
            what=f"the recording of {self._sink}",
        )

    def find(self, sound: Samples, *, start: int = 0, end: int | None = None) -> Match:
        """Return where `sound` begins in the recording, by cross-correlation within the samples `[start, end)`."""
        return find(self.piece(start, self._taken if end is None else end), sound).moved(start)

    def note(self, instant_ns: int, pcm: bytes) -> None:
        """Add what was read at an instant."""
        with self._lock:
            self._reads.append((instant_ns, self._taken, pcm))
            self._taken += len(pcm) // SAMPLE_BYTES

    @property
    def _newest_ns(self) -> int:
        with self._lock:
            return self._reads[-1][0] if self._reads else 0

    def _read(self) -> None:
        if self._process is None or self._process.stdout is None:
            return
        descriptor = self._process.stdout.fileno()
        rest = b""
        while chunk := os.read(descriptor, _CHUNK_BYTES):
            now_ns = time.monotonic_ns()
            whole = rest + chunk
            cut = len(whole) // SAMPLE_BYTES * SAMPLE_BYTES
            rest = whole[cut:]
            self.note(now_ns, whole[:cut])


class Match:
    """Where a sound was found: `position` in samples, and `likeness` from 0 (not at all) to 1 (the same)."""

    __slots__ = ("likeness", "position")

    def __init__(self, position: int, likeness: float) -> None:
        self.position = position
        self.likeness = likeness

    def moved(self, by: int) -> Match:
        """Return the same match, counted from elsewhere."""
        return Match(self.position + by, self.likeness)


def find(recorded: Samples, sound: Samples) -> Match:
    """Return the best match of `sound` in `recorded`: a matched filter, normalised by both energies."""
    wave = recorded.astype(np.float64)
    template = sound.astype(np.float64)
    if len(wave) < len(template) or not template.any():
        return Match(0, 0.0)
    size = 1 << (len(wave) + len(template)).bit_length()
    spectrum = np.fft.rfft(wave, size) * np.conj(np.fft.rfft(template, size))
    agreement = np.fft.irfft(spectrum, size)[: len(wave) - len(template) + 1]
    running = np.concatenate(([0.0], np.cumsum(wave**2)))
    energy = running[len(template) :] - running[: -len(template)]
    floor = max(float(energy.max()) * 1e-6, 1.0)
    likeness = agreement / np.sqrt(np.maximum(energy, floor) * np.dot(template, template))
    best = int(np.argmax(likeness))
    return Match(best, float(likeness[best]))


@contextmanager
def pulse_server() -> Iterator[PulseServer]:
    """Run a PulseAudio server in a temporary folder."""
    folder = Path(tempfile.mkdtemp(prefix="loa-sound-"))
    server = PulseServer(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
