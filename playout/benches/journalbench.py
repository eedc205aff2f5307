"""The benchmark of the journal: how long a row takes to the disk, a verification, and what is left after kills."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import structlog
from nacl.signing import SigningKey

from playout.benches.bench import Figures, spread
from playout.isolation import die_with_parent
from playout.journal.journal import Journal, verify_file
from playout.systemclock import SystemClock

_ROWS = 2_000
_LANDED_S = 60.0
_PER_FILE = 20
_KEY = SigningKey(b"b" * 32)


def journal(n: int) -> Figures:
    """Kill a process that writes rows `n` times, and count what it said to be on disk against what is there.

    Before that, rows one after the other: milliseconds until each is on disk, and seconds to verify 2,000 of them.
    """
    with tempfile.TemporaryDirectory(prefix="loa-bench-") as name:
        folder = Path(name)
        landed_ms, verified_s = _written(folder / "rows")
        acknowledged = lost = 0
        dice = random.Random(11)
        for kill in range(n):
            home = folder / str(kill // _PER_FILE)
            home.mkdir(exist_ok=True)
            last = _killed(home, dice.randrange(1, 20), dice.random() * 0.004)
            there, _ = verify_file(home / "XA.db", _KEY.verify_key)
            acknowledged += last
            lost += max(0, last - there)
    return {
        "row_on_disk_ms": spread(landed_ms),
        "rows_verified_a_second": round(_ROWS / verified_s),
        "kills": n,
        "newest_rows_acknowledged_in_all": acknowledged,
        "acknowledged_rows_lost": lost,
        "target": "0 acknowledged rows lost",
    }


def _written(folder: Path) -> tuple[list[float], float]:
    folder.mkdir()
    book = _open(folder)
    took_ms = []
    for number in range(_ROWS):
        begun = time.perf_counter()
        row = book.append("boot" if number == 0 else "test", {"text": "x" * 200, "number": number})
        while book.landed < row.seq:
            book.flush(_LANDED_S)
        took_ms.append((time.perf_counter() - begun) * 1e3)
    book.stop()
    begun = time.perf_counter()
    verify_file(folder / "XA.db", _KEY.verify_key)
    return took_ms, time.perf_counter() - begun


def _killed(folder: Path, rows: int, delay_s: float) -> int:
    """Return the number of the last row that a writer said to be on disk before it was killed."""
    command = [sys.executable, "-m", "playout.benches.journalbench", str(folder), str(os.getpid())]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        said = [writer.stdout.readline() for _ in range(rows)]
        time.sleep(delay_s)
        writer.kill()
        said += writer.stdout.readlines()
    # The last line of a killed process may be half a line.
    return int(next(line for line in reversed(said) if line.endswith(b"\n")))


def _open(folder: Path) -> Journal:
    book = Journal(folder / "XA.db", clock=SystemClock(host=True), boot="bench", key=_KEY)
    book.start()
    return book


def _write_until_killed(folder: Path) -> None:
    book = _open(folder)
    while True:
        row = book.append("test", {"text": "x" * 200})
        if book.landed >= row.seq or book.flush(_LANDED_S):
            os.write(1, f"{row.seq}\n".encode())


if __name__ == "__main__":
    die_with_parent(int(sys.argv[2]))
    # What it says on standard output is for the benchmark.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    _write_until_killed(Path(sys.argv[1]))
