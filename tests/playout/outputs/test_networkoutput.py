"""The player's side of a network stream: what counts, and when it is lost."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from playout.benches.soundlab import wait_until
from playout.outputs import streamsocket
from playout.outputs.networkoutput import NetworkOutput
from playout.outputs.output import Block, Timeline
from playout.outputs.tally import Span


class Desk:
    """An output, and the sender's end of its socket in the test's hand."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "net.sock"
        self.told: list[tuple[str, str]] = []
        self.timeline = Timeline(origin_ns=time.monotonic_ns())
        self.output = NetworkOutput(
            "net",
            path=self.path,
            volume_db=-6.0206,
            timeline=self.timeline,
            report=lambda name, state, detail: self.told.append((state, detail)),
        )
        self.server: socket.socket | None = None
        self.sender: socket.socket | None = None

    def answer(self) -> socket.socket:
        """Be the sender: take the output's connection and its greeting."""
        self.server = self.server or streamsocket.listen(self.path)
        self.server.setblocking(True)
        self.sender, _ = self.server.accept()
        assert streamsocket.unpack(streamsocket.receive(self.sender)) == (self.timeline.origin_ns, b"")
        return self.sender

    def tell(self, state: str, *passed: tuple[int, int], detail: str = "") -> None:
        """Send news to the output."""
        assert self.sender is not None
        self.sender.send(streamsocket.news(state=state, detail=detail, passed=list(passed)))

    def hand(self, frame: int, *, sample: int) -> None:
        """Hand over a block of an airing."""
        pcm = np.full(960, 1000, dtype="<i2").tobytes()
        self.output.hand(Block(frame=frame, pcm=pcm, spans=(Span("a", 0, 960, sample),)))

    def wait_told(self, state: str, *, timeout_s: float = 5) -> float:
        """Wait until the output's newest state is this; return for how many seconds."""
        begun = time.monotonic()
        wait_until(lambda: bool(self.told) and self.told[-1][0] == state, timeout_s=timeout_s, what=state)
        return time.monotonic() - begun

    def wait_counted(self, samples: int) -> None:
        """Wait until so many samples count."""
        wait_until(lambda: self.output.tally("a").samples == samples, timeout_s=5, what=f"{samples} samples")

    def close(self) -> None:
        """Stop the output and close both ends."""
        self.output.stop()
        for end in (self.sender, self.server):
            if end is not None:
                end.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """An output that is not started."""
    desk = Desk(tmp_path)
    yield desk
    desk.close()


def test_only_what_the_sender_says_has_left_counts(desk: Desk) -> None:
    """Blocks travel with the output's gain; what is told counts, what is left out is a hole, the rest is nothing."""
    desk.output.start()
    sender = desk.answer()
    desk.tell("ok")
    desk.wait_told("ok")
    for block in range(4):
        desk.hand(4800 + block * 960, sample=block * 960)
    frame, pcm = streamsocket.unpack(streamsocket.receive(sender))
    assert frame == 4800
    assert set(np.frombuffer(pcm, dtype="<i2")) == {500}
    desk.tell("ok", (4800, 5760), (6720, 7200))
    desk.wait_counted(1440)
    tally = desk.output.tally("a")
    assert (tally.first_ns, tally.next_sample) == (desk.timeline.due_ns(4800), 2400)
    assert [(hole.at_sample, hole.samples) for hole in tally.holes] == [(960, 960)]
    assert desk.output.settled(7200) and not desk.output.settled(7201)
    desk.output.forget("a")
    assert desk.output.tally("a").samples == 0


def test_what_was_under_way_when_it_was_lost_never_counts(desk: Desk) -> None:
    """News of a loss drops it all; nothing more can come of it, so nobody waits; what comes after counts again."""
    desk.output.start()
    desk.answer()
    desk.tell("ok")
    desk.wait_told("ok")
    desk.hand(0, sample=0)
    desk.tell("lost", detail="the server does not answer")
    desk.wait_told("lost")
    assert desk.told[-1] == ("lost", "the server does not answer")
    assert desk.output.settled(960)
    desk.hand(960, sample=960)
    desk.tell("ok", (0, 960), (960, 1920))
    desk.wait_counted(960)
    assert desk.output.tally("a").first_sample == 960


def test_a_sender_that_ends_or_hangs_is_lost_within_two_seconds_and_found_again(desk: Desk) -> None:
    """Its end shows at once, its silence after a second and a half; in between blocks go nowhere and block nothing."""
    desk.output.start()
    for ends in (True, False):
        sender = desk.answer()
        desk.tell("ok")
        desk.wait_told("ok")
        if ends:
            sender.close()
        assert desk.wait_told("lost") < 2
        for block in range(500):
            desk.hand(block * 960, sample=block * 960)
    assert desk.output.tally("a").samples == 0


def test_a_sender_that_is_not_there_yet_is_not_lost_yet(desk: Desk) -> None:
    """Both start at the same moment: only after a second and a half is it told, and then it is."""
    desk.output.start()
    assert desk.told == [("opening", "")]
    desk.hand(0, sample=0)
    assert 1.2 < desk.wait_told("lost") < 2.2
    assert desk.output.settled(0)
