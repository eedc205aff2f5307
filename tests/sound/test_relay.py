"""A relay on its whole way: from a server over the locked child, the pipe and a real player to the sink."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from playout.faults import FaultBook
from playout.pieces import PipePiece
from playout.relaykeeper import RelayKeeper
from playout.soundlab import PulseServer, find, wait_until
from playout.source import RATE_HZ
from playout.systemclock import SystemClock
from schedules.relaying import SourceState
from schedules.sources import RelaySource, SourceKind, StreamFormat
from tests.playout.broadcaster import Broadcaster, encoded
from tests.playout.stage import Stage, in_s

pytestmark = pytest.mark.sound


def test_a_relay_sounds_without_a_hole_and_its_samples_are_counted(
    stage: Stage, pulse: PulseServer, tmp_path: Path
) -> None:
    """Four seconds of speech-like noise come out of the sink as they were sent, in one piece; what does not
    come any more after the server stopped is not counted."""
    server = Broadcaster()
    server.start()
    smooth = np.convolve(stage.noise(14).astype(np.float64), np.ones(8) / 8, mode="same").astype(np.int16)
    server.stream("/live", encoded(smooth), seconds=14)
    clock = SystemClock(host=True)
    keeper = RelayKeeper(
        folder=tmp_path / "run", inputs=(), clock=clock, faults=FaultBook(clock=clock, write=lambda row: None)
    )
    source = RelaySource(code="A", name="A", kind=SourceKind.HTTP, address=server.url("/live"), format=StreamFormat.MP3)

    def flowing() -> bool:
        keeper.keep({"A": source})
        return keeper.state("A") is SourceState.FLOWING

    try:
        wait_until(flowing, timeout_s=10, what="the relay")
        stage.open({"name": "main", "kind": "pulse", "device": "horn", "volume_db": 0.0})
        stage.wait("output", state="ok")
        with pulse.recording("horn") as recording:
            piece = PipePiece(pipe=keeper.pipe("A"), samples=7 * RATE_HZ)
            order = {"do": "arm", "airing": "relay", "pieces": [piece.as_json()], "samples": 7 * RATE_HZ}
            start_ns = in_s(0.6)
            stage.player.send({**order, "from_sample": 0, "start_ns": start_ns, "after": None, "outputs": None})
            stage.wait("started", airing="relay")
            time.sleep(2.0)
            # What is held goes on for three seconds more.
            server.stalled.set()
            ended = stage.wait("ended", airing="relay", timeout_s=10)
            recording.wait_for(in_s(0.0))
        first = recording.position_at(start_ns)
        sound = recording.samples[first : first + 4 * RATE_HZ]
    finally:
        keeper.close()
        server.close()

    parts = [find(smooth, sound[at * RATE_HZ : (at + 1) * RATE_HZ]) for at in range(4)]
    assert all(part.likeness > 0.9 for part in parts)
    # One piece: each second of it lies a second after the one before.
    assert np.ptp([part.position - at * RATE_HZ for at, part in enumerate(parts)]) <= 2
    outputs = ended["outputs"]
    assert isinstance(outputs, dict)
    counted = outputs["main"]["samples"] / RATE_HZ
    assert 5.0 < counted < 6.6, counted
