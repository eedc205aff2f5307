"""Inputs of the machine as they are: a source of PulseAudio that goes and comes, and a capture device of ALSA."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from playout.benches.soundlab import PulseServer
from playout.faults import FaultBook
from playout.intakes.relaykeeper import RelayKeeper
from playout.source import RATE_HZ
from playout.specs import InputSpec
from playout.systemclock import SystemClock
from schedules.relaying import SourceState
from schedules.sources import RelaySource, SourceKind
from tests.playout.broadcaster import tone

pytestmark = pytest.mark.sound

LINE = RelaySource(code="HOITRUONG", name="Hội trường", kind=SourceKind.LINE, address="Micro hội trường")
INPUTS = (
    InputSpec(name="Micro hội trường", kind="pulse", device="horn.monitor"),
    InputSpec(name="card", kind="alsa", device="mic"),
)


@pytest.fixture
def keeper(tmp_path: Path, pulse: PulseServer) -> Iterator[RelayKeeper]:
    """A keeper that sees that server, and a device of ALSA that gives a file."""
    (tmp_path / "mic.raw").write_bytes(tone(120, hz=1_000).tobytes())
    setting = f'pcm.mic {{ type file slave.pcm null file /dev/null infile "{tmp_path}/mic.raw" format raw }}\n'
    (tmp_path / "asound.conf").write_text(f"</usr/share/alsa/alsa.conf>\n{setting}", encoding="utf-8")
    clock = SystemClock(host=True)
    keeper = RelayKeeper(
        folder=tmp_path / "run",
        inputs=INPUTS,
        clock=clock,
        faults=FaultBook(clock=clock, write=lambda row: None),
        environment=pulse.environment | {"ALSA_CONFIG_PATH": str(tmp_path / "asound.conf")},
    )
    yield keeper
    keeper.close()


def until(keeper: RelayKeeper, state: SourceState, *, within_s: float) -> None:
    """Step until the line is so."""
    deadline = time.monotonic() + within_s
    while keeper.state("HOITRUONG") is not state or keeper.microphone_state("card") is SourceState.WAITING:
        assert time.monotonic() < deadline, (keeper.state("HOITRUONG"), keeper.microphone_state("card"))
        keeper.keep({"HOITRUONG": LINE}, ("card", "Micro hội trường"))
        time.sleep(0.05)


def heard(path: Path, seconds: float) -> float:
    """Return the loudest frequency of what comes by a pipe, Hz; 0 where nothing comes."""
    pipe = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    end = time.monotonic() + seconds
    parts = []
    while time.monotonic() < end:
        with suppress(BlockingIOError):
            parts.append(os.read(pipe, 1 << 20))
        time.sleep(0.05)
    os.close(pipe)
    sound = np.frombuffer(b"".join(parts), dtype="<i2").astype(np.float64)
    if not len(sound):
        return 0.0
    assert seconds * 0.8 < len(sound) / RATE_HZ < seconds + 0.7
    return float(np.argmax(np.abs(np.fft.rfft(sound)))) * RATE_HZ / len(sound)


def test_an_input_is_heard_from_its_pipe_and_told_when_it_is_unplugged(
    keeper: RelayKeeper, pulse: PulseServer, tmp_path: Path
) -> None:
    """What a source of PulseAudio and a device of ALSA give comes in real time, one child each; when the source goes,
    no other one takes its place though its sound is moved there: it is dead, and back when it is plugged in again."""
    (tmp_path / "voice.raw").write_bytes(tone(120, hz=2_000).tobytes())
    pulse.add_sink("other")
    form = ("--raw", "--format=s16le", "--rate=48000", "--channels=1")
    voice = subprocess.Popen(
        ["paplay", *form, "--device=horn", str(tmp_path / "voice.raw")],
        env=pulse.environment,
    )
    try:
        until(keeper, SourceState.FLOWING, within_s=10)

        assert 2 == len(keeper.pids)
        assert abs(heard(keeper.microphone_pipe("card"), 0.5) - 1_000) < 5
        assert keeper.pipe("HOITRUONG") == keeper.microphone_pipe("Micro hội trường")
        assert abs(heard(keeper.pipe("HOITRUONG"), 0.5) - 2_000) < 5
        pulse.remove_sink("horn")
        until(keeper, SourceState.DEAD, within_s=12)
        assert 0 == heard(keeper.pipe("HOITRUONG"), 0.2)
        pulse.add_sink("horn")
        until(keeper, SourceState.FLOWING, within_s=5)
    finally:
        voice.kill()
        voice.wait()
