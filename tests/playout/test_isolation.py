"""What a player process does to itself, as root and as an ordinary user."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from playout.isolation import leave_network

_ORDINARY = """
import ctypes, os, socket, sys
import playout.isolation
if os.getuid() == 0:
    os.setgroups([]); os.setgid(12345); os.setuid(12345)
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # own /proc again, as for a process born as this user
before = (os.getuid(), os.getgid())
kept = playout.isolation.leave_network({})
assert kept is None, kept
assert (os.getuid(), os.getgid()) == before
"""

_PROOF = """
import os, socket
import playout.isolation
assert playout.isolation.leave_network({}) is None
"""

_NOTHING_THERE = """
assert [line.split(":")[0].strip() for line in open("/proc/self/net/dev").readlines()[2:]] == ["lo"]
try:
    socket.create_connection(("127.0.0.1", 9), timeout=1)
except OSError as error:
    print(error.errno)
left, right = socket.socketpair(); left.send(b"x"); assert right.recv(1) == b"x"
"""


@pytest.mark.parametrize("script", [_PROOF, _ORDINARY], ids=["as-we-are", "ordinary-user"])
def test_there_is_no_network_and_the_user_stays_the_same(script: str) -> None:
    """No interface is up, nothing can be reached, Unix sockets work, and the ids are those of before."""
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script + _NOTHING_THERE],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert run.stderr == ""
    assert run.stdout.strip() == "101"


def test_a_sound_server_over_tcp_keeps_the_network() -> None:
    """Without it there would be no sound; the reason is told."""
    before = Path("/proc/self/ns/net").stat().st_ino
    assert leave_network({"PULSE_SERVER": "tcp:192.0.2.1:4713"}) == "the sound server is reached over TCP"
    assert Path("/proc/self/ns/net").stat().st_ino == before
