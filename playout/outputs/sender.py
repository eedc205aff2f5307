"""The sender of one network output: a child with network and without the library, between player and listeners."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import threading
import time
import zlib
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from playout.isolation import ask_for_priority, die_with_parent
from playout.outputs import streamsocket
from playout.outputs.encoding import encoder_for
from playout.outputs.icecast import Icecast
from playout.outputs.rtp import Rtp, Target
from playout.outputs.streamsocket import Ranges
from playout.source import NS_PER_S, RATE_HZ, SAMPLE_BYTES

CHUNK_FRAMES = 960

_CHUNK_NS = CHUNK_FRAMES * NS_PER_S // RATE_HZ
# Sound leaves so long before it is due: later than any bus makes it, earlier than encoder and network need.
_AHEAD_NS = 60_000_000
_LATEST_NS = 200_000_000
_NEWS_NS = NS_PER_S // 4
_SIGN_OF_LIFE_NS = NS_PER_S
_QUEUE_PACKETS = 200


class Carrier(Protocol):
    """What takes a continuous stream to its listeners. state: `opening`, `ok` or `lost`.

    generation: grows with each connection, from whose beginning `left` counts.
    """

    state: str
    detail: str
    generation: int

    def step(self, now_ns: int) -> None:
        """Do what is due, without waiting."""
        ...

    def carry(self, pcm: bytes, *, at_frame: int) -> None:
        """Take the next samples, whose place on the stream is `at_frame`."""
        ...

    def left(self) -> int:
        """Return how many frames of those given since the connection began have left."""
        ...


class Intake:
    """The player's side: its samples by their bus frames, and what it is told. One player at a time, the newest."""

    def __init__(self, server: socket.socket, *, begun_ns: int) -> None:
        self._server = server
        self._begun_ns = begun_ns
        self._player: socket.socket | None = None
        self._shift: int | None = None
        self._packets: deque[tuple[int, bytes]] = deque(maxlen=_QUEUE_PACKETS)

    def step(self) -> bool:
        """Take in what has come; True where another player is there now, whose bus counts otherwise."""
        another = False
        with contextlib.suppress(BlockingIOError):
            connection, _ = self._server.accept()
            connection.setblocking(False)
            self.hang_up()
            self._player = connection
            another = True
        with contextlib.suppress(BlockingIOError):
            while self._player is not None:
                self._take(self._player)
        return another

    def take(self, stream_frame: int) -> tuple[bytes, Ranges]:
        """Return the chunk that belongs to a frame of the stream, and which bus frames of it really came."""
        if self._shift is None:
            return bytes(CHUNK_FRAMES * SAMPLE_BYTES), []
        begin = stream_frame + self._shift
        end = begin + CHUNK_FRAMES
        chunk = bytearray(CHUNK_FRAMES * SAMPLE_BYTES)
        came: Ranges = []
        while self._packets and self._packets[0][0] < end:
            frame, pcm = self._packets.popleft()
            until = frame + len(pcm) // SAMPLE_BYTES
            first, last = max(frame, begin), min(until, end)
            if first < last:
                part = pcm[(first - frame) * SAMPLE_BYTES : (last - frame) * SAMPLE_BYTES]
                chunk[(first - begin) * SAMPLE_BYTES : (last - begin) * SAMPLE_BYTES] = part
                came.append((first, last))
            if until > end:
                self._packets.appendleft((end, pcm[(max(end, frame) - frame) * SAMPLE_BYTES :]))
                break
        return bytes(chunk), _merged(came)

    def tell(self, packet: bytes) -> bool:
        """Return whether the player took some news."""
        if self._player is None:
            return True
        try:
            self._player.send(packet)
        except BlockingIOError:
            return False
        except OSError:
            self.hang_up()
        return True

    def hang_up(self) -> None:
        """Let the player go; what it gave and was not sent goes with it, so that a stop is silent at once."""
        if self._player is not None:
            self._player.close()
            self._player = None
        self._shift = None
        self._packets.clear()

    def _take(self, player: socket.socket) -> None:
        try:
            packet = streamsocket.receive(player)
            if not packet:
                self.hang_up()
                return
            number, pcm = streamsocket.unpack(packet)
        except BlockingIOError:
            raise
        except (OSError, ValueError):
            self.hang_up()
            return
        if self._shift is None:
            self._shift = round((self._begun_ns - number) * RATE_HZ / NS_PER_S)
        elif pcm:
            self._packets.append((number, pcm))


class Sender:
    """Hands a chunk to the carrier every 20 ms, whether or not there is a player: silence keeps listeners."""

    def __init__(self, *, intake: Intake, carrier: Carrier, begun_ns: int) -> None:
        self._intake = intake
        self._carrier = carrier
        self._begun_ns = begun_ns
        self._frame = 0
        self._generation = 0
        self._given = 0
        self._on_the_way: deque[tuple[int, Ranges]] = deque()
        self._passed: Ranges = []
        self._news_at_ns = 0
        self._told = ("", "")

    def wait_ns(self, now_ns: int) -> int:
        """Return how long nothing is due."""
        return max(0, self._due_ns() - _AHEAD_NS - now_ns)

    def step(self, now_ns: int) -> None:
        """Send every chunk that is due, and tell the player what left."""
        carrier = self._carrier
        if self._intake.step():
            self._on_the_way.clear()
            self._passed = []
        late_ns = now_ns + _AHEAD_NS - self._due_ns()
        if late_ns > _LATEST_NS:
            self._frame += late_ns // _CHUNK_NS * CHUNK_FRAMES
        carrier.step(now_ns)
        while self._due_ns() - _AHEAD_NS <= now_ns:
            self._send_one()
        carrier.step(now_ns)
        self._collect()
        self._tell(now_ns)

    def _due_ns(self) -> int:
        return self._begun_ns + self._frame * NS_PER_S // RATE_HZ

    def _send_one(self) -> None:
        pcm, came = self._intake.take(self._frame)
        if self._carrier.generation != self._generation:
            self._generation = self._carrier.generation
            self._given = 0
            self._on_the_way.clear()
        self._carrier.carry(pcm, at_frame=self._frame)
        self._frame += CHUNK_FRAMES
        self._given += CHUNK_FRAMES
        if came:
            self._on_the_way.append((self._given, came))

    def _collect(self) -> None:
        if self._carrier.state != "ok" or self._carrier.generation != self._generation:
            self._on_the_way.clear()
            return
        left = self._carrier.left()
        while self._on_the_way and self._on_the_way[0][0] <= left:
            self._passed = _merged([*self._passed, *self._on_the_way.popleft()[1]])

    def _tell(self, now_ns: int) -> None:
        standing = (self._carrier.state, self._carrier.detail)
        if not self._passed and standing == self._told and now_ns < self._news_at_ns:
            return
        packet = streamsocket.news(state=standing[0], detail=standing[1], passed=self._passed)
        if self._intake.tell(packet):
            self._passed = []
            self._told = standing
            self._news_at_ns = now_ns + _NEWS_NS


def carrier_for(output: Mapping[str, Any]) -> Carrier:
    """Return the carrier of an output's configuration (OutputSpec.for_player); raises ValueError where it is wrong."""
    name, kbps = str(output["name"]), int(output["kbps"])
    serial = zlib.crc32(f"{output['device']} {name}".encode())
    if output["kind"] == "rtp":
        target = Target.parse(str(output["device"]))
        return Rtp(target, form=output["format"] or "l16", kbps=kbps, ttl=int(output["ttl"]), serial=serial)
    password_file = output["password_file"]
    return Icecast(
        str(output["device"]),
        name=name,
        user=str(output["user"]),
        password_file=Path(password_file) if password_file is not None else None,
        kbps=kbps,
        make_encoder=encoder_for(output["format"] or "mp3", kbps=kbps, serial=serial),
    )


def run(output: Mapping[str, Any], path: Path) -> None:
    """Be the sender of one output, for players that come to the socket at `path`, for ever."""
    try:
        carrier = carrier_for(output)
    except (ValueError, OSError):
        _report("lost", "the address of this output is wrong")
        raise SystemExit(78) from None
    begun_ns = time.monotonic_ns()
    sender = Sender(intake=Intake(streamsocket.listen(path), begun_ns=begun_ns), carrier=carrier, begun_ns=begun_ns)
    told, at_ns = ("", ""), 0
    while True:
        time.sleep(sender.wait_ns(time.monotonic_ns()) / NS_PER_S)
        now_ns = time.monotonic_ns()
        sender.step(now_ns)
        standing = (carrier.state, carrier.detail)
        if standing != told or now_ns - at_ns > _SIGN_OF_LIFE_NS:
            told, at_ns = standing, now_ns
            _report(*standing)


def _merged(ranges: Ranges) -> Ranges:
    """Return the same frames in as few ranges as there can be."""
    merged: Ranges = []
    for start, end in ranges:
        if merged and merged[-1][1] == start:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged


def _report(state: str, detail: str) -> None:
    line = json.dumps({"event": "state", "state": state, "detail": detail}).encode() + b"\n"
    # A parent that does not read, or is gone, must not hold up the stream.
    with contextlib.suppress(BlockingIOError, BrokenPipeError):
        os.write(1, line)


def _end_with_input() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def main(arguments: list[str]) -> None:
    """Run for the parent whose id is the one argument; its order is the first line of standard input."""
    die_with_parent(int(arguments[0]))
    ask_for_priority()
    os.set_blocking(1, False)
    order = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_input, name="parent", daemon=True).start()
    run(order["output"], Path(order["socket"]))


if __name__ == "__main__":
    main(sys.argv[1:])
