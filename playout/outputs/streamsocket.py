"""The Unix socket between a player, which has no network, and the sender of one of its network outputs, which has."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_HEAD = struct.Struct("<q")
_LARGEST_PACKET = 65_536

Ranges = list[tuple[int, int]]
"""Half-open stretches of bus frames."""


def listen(path: Path) -> socket.socket:
    """Return a listening socket at `path`, for this user only; what lay there before is taken away."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        with _short(path) as address:
            server.bind(address)
        path.chmod(0o600)
        server.listen(2)
        server.setblocking(False)
    except OSError:
        server.close()
        raise
    return server


def connect(path: Path) -> socket.socket:
    """Return a connection to the sender that listens at `path`; raises OSError where none does."""
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        with _short(path) as address:
            client.connect(address)
    except OSError:
        client.close()
        raise
    return client


def hello(*, origin_ns: int) -> bytes:
    """Return the first packet of a player: when its bus frame 0 was due, on CLOCK_MONOTONIC."""
    return _HEAD.pack(origin_ns)


def sound(*, frame: int, pcm: bytes) -> bytes:
    """Return a packet of samples that begin at a bus frame."""
    return _HEAD.pack(frame) + pcm


def unpack(packet: bytes) -> tuple[int, bytes]:
    """Return number and samples of a player's packet; raises ValueError where it is none."""
    if len(packet) < _HEAD.size:
        raise ValueError("not a packet of a player")
    (number,) = _HEAD.unpack_from(packet)
    return number, packet[_HEAD.size :]


def news(*, state: str, detail: str, passed: Ranges) -> bytes:
    """Return a packet of a sender: how its stream stands, and which bus frames have left since the last packet."""
    return json.dumps({"state": state, "detail": detail, "passed": passed}).encode()


def read_news(packet: bytes) -> Mapping[str, Any]:
    """Return what a sender tells."""
    told: Mapping[str, Any] = json.loads(packet)
    return told


def receive(connection: socket.socket) -> bytes:
    """Return the next packet, empty where the other side is gone; raises BlockingIOError or TimeoutError."""
    return connection.recv(_LARGEST_PACKET)


@contextmanager
def _short(path: Path) -> Iterator[str]:
    """Give a name of `path` that fits a socket's address: those of deep folders are longer than its 107 characters."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
