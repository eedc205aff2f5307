"""A relay on its whole way: from a real Icecast over the locked child, the pipe and a real player to the sink."""

from __future__ import annotations

import socket
import tempfile
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from playout.benches.soundlab import PulseServer, find, wait_until
from playout.faults import FaultBook
from playout.intakes.relaykeeper import RelayKeeper
from playout.player.pieces import PipePiece
from playout.source import RATE_HZ
from playout.systemclock import SystemClock
from schedules.relaying import SourceState
from schedules.sources import RelaySource, SourceKind, StreamFormat
from tests.playout.broadcaster import encoded
from tests.playout.stage import Stage, in_s
from tests.sound.streaming import PASSWORD, IcecastServer

pytestmark = pytest.mark.sound


@pytest.fixture
def icecast() -> Iterator[Path]:
    """A folder that the user whom Icecast becomes may enter."""
    with tempfile.TemporaryDirectory(prefix="loa-icecast-") as folder:
        yield Path(folder)


def send(server: IcecastServer, content: bytes, seconds: float, sent: threading.Event) -> None:
    """Be the station that is relayed: give content to the mount at its own pace, until the server goes."""
    key = b64encode(f"source:{PASSWORD}".encode()).decode()
    with socket.create_connection(("127.0.0.1", server.port)) as connection, suppress(OSError):
        head = f"PUT /live.mp3 HTTP/1.0\r\nAuthorization: Basic {key}\r\nContent-Type: audio/mpeg\r\n\r\n"
        connection.sendall(head.encode())
        began = time.monotonic()
        at = 0
        while at < len(content):
            due = min(len(content), round((time.monotonic() - began + 0.5) * len(content) / seconds))
            connection.sendall(content[at:due])
            at = due
            if time.monotonic() - began > 0.3:
                sent.set()
            time.sleep(0.05)


def test_a_relay_sounds_without_a_hole_and_its_samples_are_counted(
    stage: Stage, pulse: PulseServer, tmp_path: Path, icecast: Path
) -> None:
    """Four seconds of speech-like noise come out of the sink as they were sent, in one piece; what does not
    come any more after the server stopped is not counted."""
    smooth = np.convolve(stage.noise(14).astype(np.float64), np.ones(8) / 8, mode="same").astype(np.int16)
    server = IcecastServer(icecast)
    server.start()
    sent = threading.Event()
    threading.Thread(target=send, args=(server, encoded(smooth), 14.0, sent), daemon=True).start()
    sent.wait(5)
    clock = SystemClock(host=True)
    keeper = RelayKeeper(
        folder=tmp_path / "run", inputs=(), clock=clock, faults=FaultBook(clock=clock, write=lambda row: None)
    )
    address = server.mount("live.mp3")
    source = RelaySource(code="A", name="A", kind=SourceKind.HTTP, address=address, format=StreamFormat.MP3)

    def flowing() -> bool:
        keeper.keep({"A": source})
        return keeper.state("A") is SourceState.FLOWING

    try:
        wait_until(flowing, timeout_s=10, what="the relay")
        stage.open({"name": "main", "kind": "pulse", "device": "horn", "volume_db": 0.0})
        stage.wait("output", state="ok")
        with pulse.recording("horn") as recording:
            piece = PipePiece(pipe=keeper.pipe("A"), samples=7 * RATE_HZ, buffer=RATE_HZ * 2 // 5)
            order = {"do": "arm", "airing": "relay", "pieces": [piece.as_json()], "samples": 7 * RATE_HZ}
            start_ns = in_s(0.6)
            stage.player.send({**order, "from_sample": 0, "start_ns": start_ns, "after": None, "outputs": None})
            stage.wait("started", airing="relay")
            time.sleep(2.0)
            # What is held goes on for three seconds more.
            server.stop()
            ended = stage.wait("ended", airing="relay", timeout_s=10)
            recording.wait_for(in_s(0.0))
        first = recording.position_at(start_ns)
        sound = recording.samples[first : first + 4 * RATE_HZ]
    finally:
        keeper.close()
        server.stop()

    parts = [find(smooth, sound[at * RATE_HZ : (at + 1) * RATE_HZ]) for at in range(4)]
    assert all(part.likeness > 0.9 for part in parts)
    # One piece: each second of it lies a second after the one before.
    assert np.ptp([part.position - at * RATE_HZ for at, part in enumerate(parts)]) <= 2
    outputs = ended["outputs"]
    assert isinstance(outputs, dict)
    counted = outputs["main"]["samples"] / RATE_HZ
    assert 5.0 < counted < 6.9, counted
