"""Evidence by hearing in real processes: a player on sinks, a listener on their monitors, and what it says."""

from __future__ import annotations

import contextlib
import hashlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from playout.benches.hearingbench import RATE_HZ as VOICE_HZ
from playout.benches.hearingbench import joined, say, sentence
from playout.benches.soundlab import PulseServer, pulse_server, wait_until
from playout.ears.listenerprocess import ListenerProcess
from playout.source import NS_PER_S, RATE_HZ
from tests.playout.stage import Stage, in_s, wait_for_instant

SINKS = ("right", "muted", "foreign", "idle", "relay")


class Ears:
    """A listener with everything it says."""

    def __init__(self, server: PulseServer, folder: Path) -> None:
        config = folder.parent / "asound.conf"
        config.write_text("pcm.horn { type pulse device right.monitor }\n")
        self.folder = folder
        self.events: list[dict] = []
        self.process = ListenerProcess(
            on_event=lambda event: self.events.append({**event, "at_ns": time.monotonic_ns()}),
            on_exit=lambda words: self.events.append({"event": "exit", "words": words, "at_ns": 0}),
            environment=server.environment | {"ALSA_CONFIG_PATH": f"/usr/share/alsa/alsa.conf:{config}"},
        )

    def open(self, *sinks: str) -> None:
        """Start it, with an ear on the monitor of each sink, and one by ALSA on that of the first."""
        self.process.start()
        ears = [{"output": name, "kind": "pulse", "device": f"{name}.monitor", "delay_s": 1.0} for name in sinks]
        ears.append({"output": "card", "kind": "alsa", "device": "horn", "delay_s": 1.0})
        self.process.send({"do": "open", "ears": ears, "folder": str(self.folder)})

    def told(self, event: str, **fields: object) -> list[dict]:
        """Return the events of a kind whose fields are these."""
        return [
            one
            for one in list(self.events)
            if one["event"] == event and all(one.get(name) == value for name, value in fields.items())
        ]

    def wait(self, event: str, *, timeout_s: float = 10, **fields: object) -> dict:
        """Return the first such event, waiting for it."""
        wait_until(
            lambda: bool(self.told(event, **fields)),
            timeout_s=timeout_s,
            what=f"{event} {fields}, told: {[one for one in self.events if one['event'] != 'alive'][-6:]}",
        )
        return self.told(event, **fields)[0]


@pytest.fixture
def server() -> Iterator[PulseServer]:
    """A sound server with a sink for each case."""
    with pulse_server() as server:
        for name in SINKS:
            server.add_sink(name)
        yield server


@pytest.fixture
def ears(server: PulseServer, tmp_path: Path) -> Iterator[Ears]:
    """A listener, not yet started."""
    ears = Ears(server, tmp_path / "heard")
    yield ears
    ears.process.kill()
    ears.process.join(5)


@contextlib.contextmanager
def playing(server: PulseServer, sink: str, path: Path) -> Iterator[None]:
    """Let somebody else's program play a file into a sink."""
    run = subprocess.Popen(["paplay", f"--device={sink}", str(path)], env=server.environment)
    try:
        yield
    finally:
        run.kill()
        run.wait()


def programme(path: Path, *, seed: int, seconds: float) -> np.ndarray:
    """Write spoken sentences at 48 kHz and return their samples."""
    rng = np.random.default_rng(seed)
    voice = joined([say(sentence(rng)) for _ in range(8)])[: round(seconds * VOICE_HZ)]
    at = np.arange(len(voice) * RATE_HZ // VOICE_HZ) * VOICE_HZ / RATE_HZ
    sound = np.interp(at, np.arange(len(voice)), voice).astype(np.int16)
    soundfile.write(path, sound, RATE_HZ, subtype="PCM_16")
    return sound


def test_f21_f22_f23_what_is_really_heard_is_told(server: PulseServer, ears: Ears, tmp_path: Path) -> None:
    """The right item is found again; silence, another file and sound out of hours are told in time, and nothing else.

    Five sinks at once: the programme, which a second ear hears through ALSA; the same, muted on its way; the same
    under somebody's file; nothing but somebody's file; and a relay, of which only the level is known.
    """
    path, other = tmp_path / "programme.flac", tmp_path / "other.wav"
    sound = programme(path, seed=1, seconds=19)
    programme(other, seed=2, seconds=19)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    stage = Stage(tmp_path, environment=server.environment)
    aired = ["right", "muted", "foreign", "relay"]
    stage.open(*({"name": name, "kind": "pulse", "device": name, "volume_db": 0.0} for name in aired))
    try:
        ears.open(*SINKS)
        for name in (*SINKS, "card"):
            ears.wait("ear", output=name, state="hearing")
        for name in aired:
            stage.wait("output", name=name, state="ok")
        start_ns = in_s(1.5)
        stage.arm_file("a#1", path, sound, sha256=sha256, start_ns=start_ns)
        begun_ns = int(stage.wait("started", airing="a#1")["monotonic_ns"])
        piece = {"path": str(path), "sha256": sha256, "samples": len(sound)}
        talk = {"pipe": "/nowhere", "samples": len(sound)}
        for pieces, outputs in (([piece], ["right", "card", "muted", "foreign"]), ([talk], ["relay"])):
            ears.process.send(
                {
                    "do": "expect",
                    "airing": "a#1",
                    "outputs": outputs,
                    "pieces": pieces,
                    "from_sample": 0,
                    "start_ns": begun_ns,
                }
            )
        wait_for_instant(start_ns + 4 * NS_PER_S)
        wrong_ns = time.monotonic_ns()
        server.mute_sink("muted", muted=True)
        with playing(server, "foreign", other), playing(server, "idle", other):
            silent = ears.wait("alarm", output="muted", kind="silent", timeout_s=16)
            foreign = ears.wait("alarm", output="foreign", kind="foreign", timeout_s=16)
            unscheduled = ears.wait("alarm", output="idle", kind="unscheduled", timeout_s=11)
        ended = stage.wait("ended", airing="a#1", timeout_s=30)
        ears.process.send({"do": "over", "airing": "a#1", "ended_ns": ended["ended_ns"]})
        heard = {name: ears.wait("heard", output=name, final=True) for name in (*aired, "card")}
    finally:
        stage.close()

    assert (silent["at_ns"] - wrong_ns) / NS_PER_S < 15
    assert (foreign["at_ns"] - wrong_ns) / NS_PER_S < 15
    assert (unscheduled["at_ns"] - wrong_ns) / NS_PER_S < 10
    for name in ("right", "relay", "card"):
        assert ears.told("alarm", output=name) == []
    for name in ("right", "card"):
        right = heard[name]
        assert right["share"] >= 0.95
        assert abs(right["offset_ms"]) < 150
        assert right["foreign_s"] == right["silent_s"] == 0
        assert -30 < right["level_dbfs"] < -10
    assert heard["muted"]["share"] < 0.5
    assert heard["muted"]["silent_s"] > 10
    assert heard["foreign"]["foreign_s"] > 5
    assert heard["relay"]["share"] is None
    assert heard["relay"]["silent_s"] < 3
    ears.wait("clear", output="muted")
    (recording,) = heard["right"]["files"]
    kept = tmp_path / "heard" / "right" / recording["name"]
    assert hashlib.sha256(kept.read_bytes()).hexdigest() == recording["sha256"]
    assert soundfile.info(kept).duration == pytest.approx(19 + 2.5, abs=1)
