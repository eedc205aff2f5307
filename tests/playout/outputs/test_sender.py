"""The sender between player and network: silence without a player, exact frames with one, and what it says left."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from playout.outputs import streamsocket
from playout.outputs.icecast import Icecast
from playout.outputs.rtp import Rtp, Target, session_description
from playout.outputs.sender import CHUNK_FRAMES, Intake, Sender, carrier_for
from playout.source import NS_PER_S, RATE_HZ

BEGUN_NS = 7_000 * NS_PER_S
ORIGIN_NS = BEGUN_NS - 3 * NS_PER_S - 123_456
CHUNK_NS = CHUNK_FRAMES * NS_PER_S // RATE_HZ


class Wire:
    """A carrier that keeps what it is given, and lets it leave when the test says so."""

    def __init__(self) -> None:
        self.state, self.detail, self.generation = "ok", "", 1
        self.given: list[tuple[int, bytes]] = []
        self.frames_left = 0
        self.at_once = True
        self.steps = 0

    def step(self, now_ns: int) -> None:
        """Count."""
        self.steps += 1

    def carry(self, pcm: bytes, *, at_frame: int) -> None:
        """Keep."""
        self.given.append((at_frame, pcm))
        if self.at_once:
            self.frames_left += len(pcm) // 2

    def left(self) -> int:
        """Tell what the test wants."""
        return self.frames_left

    def connect_again(self) -> None:
        """Be on a new connection, of which nothing has left."""
        self.generation += 1
        self.frames_left = 0


class Room:
    """A sender on a clock that the test moves, and players at its socket."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "run" / "net.sock"
        self.wire = Wire()
        self.server = streamsocket.listen(self.path)
        self.intake = Intake(self.server, begun_ns=BEGUN_NS)
        self.sender = Sender(intake=self.intake, carrier=self.wire, begun_ns=BEGUN_NS)
        self.now_ns = BEGUN_NS - NS_PER_S // 5
        self.players: list[socket.socket] = []

    def player(self, *, origin_ns: int = ORIGIN_NS) -> socket.socket:
        """Return a player's end of a connection."""
        player = streamsocket.connect(self.path)
        player.setblocking(False)
        player.send(streamsocket.hello(origin_ns=origin_ns))
        self.players.append(player)
        return player

    def run(self, seconds: float) -> None:
        """Let time pass in steps of 20 ms."""
        for _ in range(round(seconds * 50)):
            self.now_ns += CHUNK_NS
            self.sender.step(self.now_ns)

    def sent(self) -> np.ndarray:
        """Return all that the carrier was given."""
        return np.frombuffer(b"".join(pcm for _, pcm in self.wire.given), dtype="<i2")

    def close(self) -> None:
        """Close every socket."""
        self.intake.hang_up()
        for player in self.players:
            player.close()
        self.server.close()


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """A sender that nobody speaks to yet."""
    room = Room(tmp_path)
    yield room
    room.close()


def _news(player: socket.socket) -> list[dict[str, object]]:
    told = []
    try:
        while packet := streamsocket.receive(player):
            told.append(json.loads(packet))
    except BlockingIOError:
        pass
    return told


def _passed(player: socket.socket) -> list[int]:
    """Return every bus frame that was told to have left, in order."""
    ranges = [stretch for news in _news(player) for stretch in news["passed"]]
    return [frame for start, end in ranges for frame in range(start, end)]


def _bus_frame(stream_frame: int) -> int:
    return round((BEGUN_NS - ORIGIN_NS) * RATE_HZ / NS_PER_S) + stream_frame


def test_without_a_player_there_is_silence_in_real_time(room: Room) -> None:
    """A chunk leaves for every 20 ms, one after the other, and all are silent."""
    room.run(1.0)
    frames = [at for at, _ in room.wire.given]
    assert frames == list(range(0, len(frames) * CHUNK_FRAMES, CHUNK_FRAMES))
    assert 40 <= len(frames) <= 45
    assert not room.sent().any()
    assert 0 < room.sender.wait_ns(room.now_ns) <= CHUNK_NS


def test_samples_lie_where_their_time_is_and_count_when_they_left(room: Room) -> None:
    """What comes in time goes out on its frame, whatever the blocks' edges; the player is told exactly those frames."""
    player = room.player()
    sound = np.arange(1, 5001, dtype="<i2")
    begin = _bus_frame(2000)
    for first, last in ((0, 333), (333, 3000), (3000, 5000)):
        player.send(streamsocket.sound(frame=begin + first, pcm=sound[first:last].tobytes()))
    room.run(0.5)
    sent = room.sent()
    assert np.array_equal(sent[2000:7000], sound)
    assert not sent[:2000].any() and not sent[7000:].any()
    assert _passed(player) == list(range(begin, begin + 5000))


def test_what_comes_late_is_silent_and_not_counted(room: Room) -> None:
    """A block whose time has passed is dropped; of one that is half late the rest goes out and counts."""
    player = room.player()
    room.run(0.4)
    done = room.wire.given[-1][0] + CHUNK_FRAMES
    begin = _bus_frame(done - 1500)
    player.send(streamsocket.sound(frame=begin, pcm=np.full(1000, 7, dtype="<i2").tobytes()))
    player.send(streamsocket.sound(frame=begin + 1000, pcm=np.full(1000, 9, dtype="<i2").tobytes()))
    room.run(0.2)
    assert 7 not in room.sent()
    assert np.count_nonzero(room.sent() == 9) == 500
    assert _passed(player) == list(range(_bus_frame(done), _bus_frame(done) + 500))


def test_what_did_not_leave_is_not_counted(room: Room) -> None:
    """Frames count once the carrier says that they left, and never when the connection broke before that."""
    player = room.player()
    room.wire.at_once = False
    begin = _bus_frame(0)
    for block in range(25):
        player.send(streamsocket.sound(frame=begin + block * 960, pcm=bytes(1920)))
    room.run(0.5)
    given = len(room.wire.given) * CHUNK_FRAMES
    assert _passed(player) == []
    room.wire.frames_left = 2500
    room.run(0.02)
    # Two whole chunks: of the third, the end has not left.
    assert _passed(player) == list(range(begin, begin + 1920))
    room.wire.connect_again()
    room.run(0.2)
    room.wire.frames_left = 10 * CHUNK_FRAMES
    room.run(0.02)
    assert _passed(player)[0] >= begin + given


def test_a_lost_carrier_is_told_and_nothing_of_its_time_counts_later(room: Room) -> None:
    """While the state is not ok, frames are gone for good, and the player hears of it at once."""
    player = room.player()
    begin = _bus_frame(0)
    for block in range(25):
        player.send(streamsocket.sound(frame=begin + block * 960, pcm=bytes(1920)))
    room.run(0.3)
    _news(player)
    room.wire.state, room.wire.detail = "lost", "the server does not answer"
    room.run(0.02)
    assert _news(player) == [{"state": "lost", "detail": "the server does not answer", "passed": []}]
    room.run(0.2)
    room.wire.state, room.wire.detail = "ok", ""
    lost_until = room.wire.given[-1][0] + CHUNK_FRAMES
    room.run(0.2)
    assert _passed(player)[0] >= _bus_frame(lost_until)


def test_the_newest_player_is_heard_and_the_one_before_hung_up(room: Room) -> None:
    """A new player replaces one that hangs; its own frames are counted from its own beginning."""
    old, origin_ns = room.player(), ORIGIN_NS + 777_000_000
    old.send(streamsocket.sound(frame=_bus_frame(20_000), pcm=np.full(4000, 3, dtype="<i2").tobytes()))
    room.run(0.2)
    new = room.player(origin_ns=origin_ns)
    begin = _bus_frame(20_000) - round(0.777 * RATE_HZ)
    new.send(streamsocket.sound(frame=begin, pcm=np.full(4000, 5, dtype="<i2").tobytes()))
    room.run(0.5)
    _news(old)
    assert streamsocket.receive(old) == b""
    assert 3 not in room.sent()
    assert np.array_equal(np.flatnonzero(room.sent() == 5), np.arange(20_000, 24_000))
    assert _passed(new) == list(range(begin, begin + 4000))


@pytest.mark.parametrize("speak", [lambda player: player.send(b"abc"), lambda player: player.close()])
def test_a_player_that_babbles_or_goes_ends_nothing(room: Room, speak: Callable[[socket.socket], object]) -> None:
    """Rubbish is hung up on; either way the stream runs on, and the next player is welcome."""
    speak(room.player())
    room.run(0.3)
    assert len(room.wire.given) > 5
    another = room.player()
    another.send(streamsocket.sound(frame=_bus_frame(20_000), pcm=np.full(960, 5, dtype="<i2").tobytes()))
    room.run(0.5)
    assert np.count_nonzero(room.sent() == 5) == 960


def test_after_standing_still_it_goes_on_where_the_clock_is(room: Room) -> None:
    """A second of standstill is left out rather than sent late, and time on the stream has moved on by as much."""
    room.run(0.4)
    before = len(room.wire.given)
    room.now_ns += NS_PER_S
    room.run(0.02)
    frames = [at for at, _ in room.wire.given]
    assert len(frames) - before <= 2
    assert frames[-1] - frames[before - 1] >= RATE_HZ * 0.98


def test_a_socket_in_a_deep_folder_works_and_is_private(tmp_path: Path) -> None:
    """Paths longer than a socket's address can be are no trouble; others on the machine have no way in."""
    path = tmp_path / ("x" * 60) / ("y" * 60) / "net.sock"
    with streamsocket.listen(path) as server, streamsocket.connect(path) as player:
        accepted, _ = server.accept()
        player.send(streamsocket.sound(frame=-5, pcm=b"ab"))
        assert streamsocket.unpack(streamsocket.receive(accepted)) == (-5, b"ab")
        accepted.close()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    with streamsocket.listen(path):
        pass


OUTPUT = {"name": "net", "kbps": 64, "user": "source", "password_file": None, "ttl": 2, "format": None}


def test_each_kind_has_its_carrier(tmp_path: Path) -> None:
    """Icecast and RTP are made of what config.yaml says; a wrong address is an error."""
    icecast = carrier_for({**OUTPUT, "kind": "icecast", "device": "http://127.0.0.1:8000/xa.mp3"})
    rtp = carrier_for({**OUTPUT, "kind": "rtp", "device": "239.1.2.3:5004"})
    assert isinstance(icecast, Icecast) and isinstance(rtp, Rtp)
    assert (icecast.state, rtp.state) == ("opening", "opening")
    for wrong in ("239.1.2.3", "239.1.2.3:0", "239.1.2.3:x", "239.1.2.3:70000"):
        with pytest.raises(ValueError, match=wrong):
            Target.parse(wrong)
    with pytest.raises(OSError):
        carrier_for({**OUTPUT, "kind": "rtp", "device": "loa.example:5004"})


def test_receivers_can_be_given_a_description() -> None:
    """The SDP names address, port, coding and clock."""
    target = Target.parse("239.1.2.3:5004@eth0")
    assert target.interface == "eth0"
    lines = session_description(target, name="xa", form="l16", ttl=3).splitlines()
    assert "c=IN IP4 239.1.2.3/3" in lines
    assert "m=audio 5004 RTP/AVP 96" in lines
    assert "a=rtpmap:96 L16/48000/1" in lines
    assert "a=rtpmap:97 opus/48000/2" in session_description(target, name="xa", form="opus", ttl=3).splitlines()
