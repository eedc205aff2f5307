"""A process of its own that writes a journal and says which rows are on disk, for tests that kill it or break its disk.

With FOLDER ROWS it writes so many rows; with FOLDER RESERVE loop it is a station's loop; alone it forks writers.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import structlog
from nacl.signing import SigningKey

from playout.journal.journal import Journal, verify_file
from playout.systemclock import SystemClock

KEY = SigningKey(b"k" * 32)
BLOCK = 20
"""So many kills befall one journal before the next one is begun: verifying it at each start would take the time."""


def write(folder: Path, rows: int) -> None:
    """Append rows and print the number of each that is on disk."""
    journal = Journal(folder / "XA.db", clock=SystemClock(host=True), boot="b", key=KEY, tidy_rows=25)
    journal.start()
    number = 0
    while rows == 0 or number < rows:
        number += 1
        row = journal.append("boot" if number == 1 else "test", {"text": "x" * 200, "number": number})
        journal.set_checkpoint("alive", {"row": row.seq})
        if journal.landed >= row.seq or journal.flush(60):
            # Past any buffer: what was said was said, whatever becomes of the process.
            os.write(1, f"{row.seq}\n".encode())
    journal.stop()


def loop(folder: Path, reserve_bytes: int) -> None:
    """Be a station's loop: a row and a checkpoint every 50 ms until standard input ends; tell how that went."""
    journal = Journal(folder / "XA.db", clock=SystemClock(host=True), boot="b", key=KEY, reserve_bytes=reserve_bytes)
    journal.start()
    journal.append("boot", {})
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    slowest_s = 0.0
    while not ended.wait(0.05):
        began = time.monotonic()
        row = journal.append("test", {"text": "x" * 200})
        journal.set_checkpoint("alive", {"row": row.seq})
        slowest_s = max(slowest_s, time.monotonic() - began)
        said = {
            "seq": row.seq,
            "landed": journal.landed,
            "slowest_s": slowest_s,
            "troubles": [trouble.code for trouble in journal.troubles],
        }
        os.write(1, f"{json.dumps(said)}\n".encode())
    journal.stop()
    os.write(1, f'{{"landed": {journal.landed}}}\n'.encode())


class Writers:
    """Starts writers quickly: one process loads everything once and forks them."""

    def __init__(self) -> None:
        self._parent = subprocess.Popen(
            [sys.executable, "-m", "tests.playout.journalwriter"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )

    def killed_after(self, folder: Path, rows: int, delay_s: float) -> int:
        """Let a writer write, kill it with -9 a moment after it said so many rows; return the last number it said."""
        parent = self._parent
        assert parent.stdin is not None and parent.stdout is not None
        parent.stdin.write(f"{folder} {rows} {delay_s}\n".encode())
        return int(parent.stdout.readline())

    def close(self) -> None:
        """End the process."""
        assert self._parent.stdin is not None and self._parent.stdout is not None
        self._parent.stdin.close()
        self._parent.wait(10)
        self._parent.stdout.close()


def _fork(folder: Path, rows: int, delay_s: float) -> int:
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        os.dup2(writer, 1)
        write(folder, 0)
        os._exit(0)
    os.close(writer)
    said = b""
    while said.count(b"\n") < rows and (piece := os.read(reader, 4096)):
        said += piece
    # Any moment of a row's way to the disk.
    signal.sigtimedwait([], delay_s)
    os.kill(pid, signal.SIGKILL)
    while piece := os.read(reader, 4096):
        said += piece
    os.close(reader)
    os.waitpid(pid, 0)
    return int(said.split(b"\n")[-2])


def serve() -> None:
    """Fork and kill a writer for each line, and answer with the last row that it said."""
    for line in sys.stdin:
        folder, rows, delay_s = line.rsplit(" ", 2)
        sys.stdout.write(f"{_fork(Path(folder), int(rows), float(delay_s))}\n")
        sys.stdout.flush()


def rows_lost_in_kills(folder: Path, kills: Sequence[int]) -> tuple[int, int]:
    """Kill writers, each kill at a moment that its number decides; return rows acknowledged, and those lost."""
    writers = Writers()
    acknowledged = lost = 0
    try:
        for kill in kills:
            dice = random.Random(kill)
            home = folder / f"{kill // BLOCK}"
            home.mkdir(exist_ok=True)
            last = writers.killed_after(home, dice.randrange(1, 12), dice.random() * 0.004)
            there, _ = verify_file(home / "XA.db", KEY.verify_key)
            acknowledged += last
            lost += max(0, last - there)
    finally:
        writers.close()
    return acknowledged, lost


if __name__ == "__main__":
    # What it says on standard output is for the test.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    if len(sys.argv) > 3:
        loop(Path(sys.argv[1]), int(sys.argv[2]))
    elif len(sys.argv) > 1:
        write(Path(sys.argv[1]), int(sys.argv[2]))
    else:
        serve()
