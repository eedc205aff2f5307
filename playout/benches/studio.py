"""The studio of the benchmarks: a sound server with a null sink, one player on it, and the orders given to it."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from playout.benches.soundlab import PulseServer, Samples, pulse_server, wait_until
from playout.player.playerprocess import PlayerProcess
from playout.source import NS_PER_S, RATE_HZ

SINK = "horn"
STEADY_S = 2.0
"""How long after the sink was opened the stream has found its pace."""

AHEAD_S = 2.5
"""How long before its start the first item is ordered."""

_TROUBLES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """What a new player needs to go on with an airing."""

    airing: str
    path: Path
    sha256: str
    pcm_sha256: str
    samples: int


class Studio:
    """A sound server, one player on its sink, and the orders given; what is over is only counted.

    stand_ins: how often a file was read instead of decoded by libvlc. troubles: the last items that were not whole.
    """

    def __init__(self, server: PulseServer, folder: Path, *, aircheck: bool) -> None:
        self.server = server
        self.ends = 0
        self.not_whole = 0
        self.holes = 0
        self.hole_s = 0.0
        self.stand_ins = 0
        self.troubles: list[str] = []
        self._folder = folder
        self._aircheck = aircheck
        self._states: list[str] = []
        self._exited = threading.Event()
        self._player = self._new_player()
        self._orders: dict[str, _Order] = {}

    @property
    def pid(self) -> int:
        """The player's process id."""
        return self._player.pid or 0

    @property
    def bit_exact(self) -> bool:
        """Whether every item that ended was handed to the bus as it is in its file."""
        return self.ends > 0 and self.not_whole == 0

    def open(self) -> None:
        """Start the player and open its sink."""
        self._player.start()
        folder = {"folder": str(self._folder / "aircheck")} if self._aircheck else None
        self._player.send(
            {
                "do": "open",
                "station": "BENCH",
                "outputs": [{"name": "main", "kind": "pulse", "device": SINK, "volume_db": 0.0}],
                "aircheck": folder,
                "wall_offset_ns": time.time_ns() - time.monotonic_ns(),
            }
        )

    def wait_for_sink(self) -> None:
        """Return when the output is good."""
        wait_until(lambda: "ok" in self._states, timeout_s=30, what="the output")

    def arm(self, airing: str, sound: Samples, *, start_ns: int, after: str | None = None) -> None:
        """Write `sound` to a FLAC file and order it."""
        path = self._folder / f"{airing}.flac"
        soundfile.write(path, sound, RATE_HZ, subtype="PCM_16")
        self._orders[airing] = _Order(
            airing=airing,
            path=path,
            sha256=_sha256(path.read_bytes()),
            pcm_sha256=_sha256(sound.astype("<i2").tobytes()),
            samples=len(sound),
        )
        self._order(airing, start_ns=start_ns, from_sample=0, after=after)

    def kill_and_go_on(self, airing: str, *, start_ns: int) -> None:
        """Kill the player and let a new one go on with an airing where the clock is."""
        self._player.kill()
        self._exited.wait()
        self._player = self._new_player()
        self.open()
        ahead_ns = time.monotonic_ns() + NS_PER_S // 5
        position = (ahead_ns - start_ns) * RATE_HZ // NS_PER_S
        self._order(airing, start_ns=start_ns + position * NS_PER_S // RATE_HZ, from_sample=position, after=None)

    def wait_for_ends(self, count: int, *, timeout_s: float = 60.0) -> None:
        """Return when `count` items have ended."""
        wait_until(lambda: self.ends >= count, timeout_s=timeout_s, what="the last item")

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
            on_event=self._hear,
            on_exit=lambda code: exited.set(),
            environment=self.server.environment,
        )

    def _hear(self, event: Mapping[str, object]) -> None:
        if event["event"] == "output":
            self._states.append(str(event["state"]))
        elif event["event"] == "source":
            self.stand_ins += 1
        elif event["event"] == "ended":
            order = self._orders.pop(str(event["airing"]))
            order.path.unlink(missing_ok=True)
            if event["handed_sha256"] != order.pcm_sha256:
                self.not_whole += 1
                told = f"{event['airing']}: {event['cause']}, {event.get('detail', '')}, holes {event['holes']}"
                self.troubles = [*self.troubles, told][-_TROUBLES:]
            holes = event["holes"]
            assert isinstance(holes, list)
            self.holes += len(holes)
            self.hole_s += sum(float(hole["seconds"]) for hole in holes)
            self.ends += 1

    def _order(self, airing: str, *, start_ns: int, from_sample: int, after: str | None) -> None:
        order = self._orders[airing]
        self._player.send(
            {
                "do": "arm",
                "airing": airing,
                "path": str(order.path),
                "sha256": order.sha256,
                "pcm_sha256": order.pcm_sha256,
                "samples": order.samples,
                "from_sample": from_sample,
                "start_ns": start_ns,
                "after": after,
            }
        )


@contextmanager
def studio(*, aircheck: bool = False) -> Iterator[Studio]:
    """Run a studio whose sink is open and whose stream has found its pace."""
    folder = Path(tempfile.mkdtemp(prefix="loa-bench-"))
    try:
        with pulse_server() as server:
            server.add_sink(SINK)
            stage = Studio(server, folder, aircheck=aircheck)
            try:
                stage.open()
                stage.wait_for_sink()
                time.sleep(STEADY_S)
                yield stage
            finally:
                stage.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def noise(rng: np.random.Generator, seconds: float) -> Samples:
    """Return noise without a single zero, so that whatever is zero in the recording was silence."""
    count = round(seconds * RATE_HZ)
    wave: Samples = (rng.integers(1, 8000, count) * rng.choice((-1, 1), count)).astype(np.int16)
    return wave


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
