"""A named pipe of samples from a child to the player: who begins to read finds what came last, nothing that is old."""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import termios
from pathlib import Path

from playout.source import RATE_HZ, SAMPLE_BYTES

_SECOND_BYTES = RATE_HZ * SAMPLE_BYTES
_SLACK_BYTES = _SECOND_BYTES // 4
# More than any writer lets wait, pages that are not full included; the system's own limit for everybody is 1 MB.
_CAPACITY_BYTES = 1 << 17


def open_pipe(path: Path) -> int:
    """Make the pipe where it is missing, and return a descriptor that both reads and writes it, never blocking."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.is_fifo():
        path.unlink(missing_ok=True)
        os.mkfifo(path, 0o600)
    descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    # Who has too many pipes already gets a small one, and its reader a smaller cushion.
    with contextlib.suppress(PermissionError):
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _CAPACITY_BYTES)
    return descriptor


class PcmPipe:
    """The writing end. descriptor: of `open_pipe`; it stays the caller's.

    held_s: what waits in the pipe while nobody reads, up to 0.25 s more: a reader's cushion from its first sample on.
    """

    def __init__(self, descriptor: int, *, held_s: float) -> None:
        self._descriptor = descriptor
        self._held_bytes = round(held_s * RATE_HZ) * SAMPLE_BYTES
        self._most_bytes = self._held_bytes + _SLACK_BYTES

    def write(self, pcm: bytes) -> None:
        """Add whole samples; where nobody reads, the oldest give way."""
        waiting = self._waiting()
        if waiting + len(pcm) > self._most_bytes:
            self._drop(waiting + len(pcm) - self._held_bytes)
        try:
            os.write(self._descriptor, pcm)
        except BlockingIOError:
            self.empty()

    def empty(self) -> None:
        """Take out what nobody has read: it would sound long after its time."""
        self._drop(_CAPACITY_BYTES)

    def _waiting(self) -> int:
        count: int = struct.unpack("i", fcntl.ioctl(self._descriptor, termios.FIONREAD, bytes(4)))[0]
        return count

    def _drop(self, count: int) -> None:
        # Even, as everything that is read or written: half a sample would turn all that follows into noise.
        try:
            os.read(self._descriptor, count - count % SAMPLE_BYTES)
        except BlockingIOError:
            return
