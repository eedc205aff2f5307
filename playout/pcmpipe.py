"""A named pipe of samples from a child to the player: who begins to read finds what came last, nothing that is old."""

from __future__ import annotations

import fcntl
import os
import struct
import termios
from pathlib import Path

from playout.source import RATE_HZ, SAMPLE_BYTES

HELD_BYTES = RATE_HZ * SAMPLE_BYTES // 4
"""What waits in the pipe while nobody reads: a quarter of a second, a reader's cushion from its first sample on."""

_MOST_BYTES = 2 * HELD_BYTES


def open_pipe(path: Path) -> int:
    """Make the pipe where it is missing, and return a descriptor that both reads and writes it, never blocking."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.is_fifo():
        path.unlink(missing_ok=True)
        os.mkfifo(path, 0o600)
    return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)


class PcmPipe:
    """The writing end. descriptor: of `open_pipe`; it stays the caller's."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, pcm: bytes) -> None:
        """Add whole samples; where nobody has read for half a second, the oldest give way."""
        if self._waiting() + len(pcm) > _MOST_BYTES:
            self._drop(self._waiting() + len(pcm) - HELD_BYTES)
        try:
            os.write(self._descriptor, pcm)
        except BlockingIOError:
            self._drop(_MOST_BYTES)

    def empty(self) -> None:
        """Take out what nobody has read: it would sound long after its time."""
        self._drop(_MOST_BYTES)

    def _waiting(self) -> int:
        count: int = struct.unpack("i", fcntl.ioctl(self._descriptor, termios.FIONREAD, bytes(4)))[0]
        return count

    def _drop(self, count: int) -> None:
        # Even, as everything that is read or written: half a sample would turn all that follows into noise.
        try:
            os.read(self._descriptor, count - count % SAMPLE_BYTES)
        except BlockingIOError:
            return
