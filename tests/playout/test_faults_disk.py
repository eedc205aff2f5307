"""Disks that are slow, full, locked, read-only or broken: the station goes on, no row is lost without a word."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from playout.faults import FaultBook, fault, hint
from playout.journal.journal import Journal
from playout.journal.journalcheck import examine
from playout.journal.journalfile import JournalFile, journal_files
from playout.journal.journalwatch import JournalWatch
from schedules.clock import ManualClock
from tests.playout.journalwriter import KEY

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def opened(path: Path, **more: Any) -> Journal:
    journal = Journal(path, **{"clock": ManualClock(NOW), "boot": "boot", "key": KEY, **more})
    journal.start()
    return journal


def codes(journal: Journal) -> set[str]:
    return {trouble.code for trouble in journal.troubles}


def wait_until(there: Callable[[], bool], what: str, timeout_s: float = 30.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not there():
        assert time.monotonic() < deadline, f"waited {timeout_s} s for {what}"
        time.sleep(0.02)


class Broken(JournalFile):
    """A file whose disk answers with an error as long as `error` says one."""

    error: sqlite3.Error | None = None
    writes = 0

    def write(self, *arguments: Any) -> None:
        """Refuse, or write."""
        Broken.writes += 1
        if Broken.error is not None:
            raise Broken.error
        super().write(*arguments)


@contextmanager
def broken(code: int) -> Iterator[None]:
    """Let the disk answer with an error of SQLite's."""
    Broken.error = sqlite3.OperationalError("the disk does not")
    Broken.error.sqlite_errorcode = code
    try:
        yield
    finally:
        Broken.error = None


# Errors as SQLite tells them


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (sqlite3.SQLITE_FULL, "journal_full"),
        (sqlite3.SQLITE_READONLY, "journal_read_only"),
        (sqlite3.SQLITE_CANTOPEN, "journal_read_only"),
        (sqlite3.SQLITE_BUSY, "journal_busy"),
    ],
)
def test_f36_f38_f41_rows_wait_in_memory_and_the_journal_says_so(tmp_path: Path, number: int, told: str) -> None:
    """Appending goes on at once, what waits is read like the rest, lands in order, and a signed row names it."""
    journal = opened(tmp_path / "XA.db", open_file=Broken, stopwatch=lambda: 3 * time.monotonic())
    journal.append("boot", {})
    assert journal.flush(30)
    with broken(number):
        began = time.monotonic()
        rows = [journal.append("test", {"number": n}) for n in range(50)]
        journal.set_checkpoint("alive", {"at": 1})
        assert time.monotonic() - began < 1.0
        wait_until(lambda: codes(journal) == {told}, told)
        assert rows == journal.rows(kind="test")
        assert {"alive": {"at": 1}} == journal.checkpoints("")
        assert 1 == journal.landed
        wait_until(lambda: Broken.writes > 3, "another attempt")
        if told != "journal_busy":
            time.sleep(0.7)  # longer than a row may wait unnamed
    assert journal.flush(30)
    wait_until(lambda: not journal.troubles, "the trouble's end")
    journal.stop()

    assert rows == journal.rows(kind="test")
    assert examine(journal.path, KEY.verify_key).rows >= 51
    held = [row.body["volatile"] for row in journal.rows(kind="fault") if row.body["code"] == "journal_held"]
    assert told == "journal_busy" or (2, 51) == (held[0]["first"], held[-1]["last"])


def test_f36_what_memory_cannot_hold_is_let_go_and_said(tmp_path: Path) -> None:
    """The oldest rows that wait go first; a signed row names them, and the verifier reads their absence as declared."""
    journal = opened(tmp_path / "XA.db", open_file=Broken, most_held=40)
    with broken(sqlite3.SQLITE_FULL):
        journal.append("boot", {})
        for number in range(60):
            journal.append("test", {"number": number})
        wait_until(lambda: codes(journal) == {"journal_full"}, "the fault")
    assert journal.flush(30)
    journal.append("test", {"number": 60})
    journal.stop()

    examined = examine(journal.path, KEY.verify_key)
    lost = examined.lost[0][1] - examined.lost[0][0] + 1
    assert 21 <= lost <= 22
    assert 61 + 2 - lost <= len(journal.rows()) <= 61 + 3 - lost
    assert [[examined.lost[0][0], examined.lost[0][1]]] == journal.rows(kind="segment")[0].body["lost"]


def test_f40_a_failing_fsync_ends_the_file(tmp_path: Path) -> None:
    """The file is not asked again: what it had acknowledged is checked, a new one goes on behind its last row."""
    journal = opened(tmp_path / "XA.db", open_file=Broken)
    first = journal.append("boot", {})
    assert journal.flush(30)
    with broken(sqlite3.SQLITE_IOERR_FSYNC):
        second = journal.append("test", {})
        wait_until(lambda: codes(journal) == {"journal_suspect"}, "the fault")
        wait_until(lambda: Broken.writes >= 3, "an attempt at the new file")
    assert journal.flush(60)
    journal.stop()

    assert ["XA.db", "XA.1.db"] == [path.name for path in journal_files(journal.path)]
    segment = journal.rows(kind="segment")[0]
    assert (1, [], "XA.1.db") == (segment.body["seq"], segment.body["lost"], segment.body["file"])
    assert [first, second] == journal.rows(limit=2)
    assert segment.seq == examine(journal.path, KEY.verify_key).rows
    again = opened(tmp_path / "XA.db")
    assert segment.seq + 1 == again.append("boot", {}).seq
    again.stop()
    assert segment.seq + 1 == examine(journal.path, KEY.verify_key).rows


def test_f40_rows_that_the_broken_file_lost_are_named(tmp_path: Path) -> None:
    """What was acknowledged and cannot be read back is declared lost by a signed row, number by number."""
    journal = opened(tmp_path / "XA.db", open_file=Broken)
    journal.append("boot", {})
    journal.append("test", {})
    assert journal.flush(30)
    Broken.writes = 0
    with broken(sqlite3.SQLITE_IOERR_READ):
        for path in tmp_path.glob("XA.db*"):
            path.unlink()
        journal.append("test", {})
        wait_until(lambda: Broken.writes >= 2, "an attempt at the new file")
    assert journal.flush(60)
    journal.stop()

    assert [[1, 2]] == journal.rows(kind="segment")[0].body["lost"]
    assert ((1, 2),) == examine(journal.path, KEY.verify_key).lost


def test_f41_a_file_that_another_program_holds_is_left_to_it(tmp_path: Path) -> None:
    """A minute of an exclusive lock: rows go on into a new file after five seconds, readers see all of them."""
    journal = opened(tmp_path / "XA.db", stopwatch=lambda: 30 * time.monotonic())
    journal.append("boot", {})
    backup = sqlite3.connect(tmp_path / "XA.db", isolation_level=None)
    backup.execute("BEGIN EXCLUSIVE")
    began = time.monotonic()
    rows = [journal.append("test", {"number": number}) for number in range(20)]
    assert time.monotonic() - began < 1.0
    wait_until(lambda: codes(journal) == {"journal_busy"}, "the fault")
    assert journal.flush(20)
    assert rows == journal.rows(kind="test")
    backup.close()
    journal.stop()

    assert 2 == len(journal_files(journal.path))
    assert examine(journal.path, KEY.verify_key).rows >= 22


def test_what_is_wrong_with_the_journal_is_a_fault_with_its_end(tmp_path: Path) -> None:
    """Every trouble has its sentence and what to do, opens once, and closes when it is over."""
    written: list[dict[str, Any]] = []
    journal = opened(tmp_path / "XA.db", open_file=Broken)
    faults = FaultBook(clock=ManualClock(NOW), write=lambda body: written.append(dict(body)))
    watch = JournalWatch(journal, faults)
    with broken(sqlite3.SQLITE_READONLY):
        journal.append("boot", {})
        wait_until(lambda: bool(codes(journal)), "the trouble")
        watch.look()
        watch.look()
        assert ["journal_read_only"] == [known.code for known in faults.open]
    assert journal.flush(30)
    watch.look()
    journal.stop()

    assert [("journal_read_only", "open"), ("journal_read_only", "closed")] == [
        (body["code"], body["state"]) for body in written
    ]
    for code in ("slow", "full", "busy", "read_only", "suspect", "rebuilt"):
        assert fault(f"journal_{code}").vi and hint(f"journal_{code}") is not None


# Real disks, real processes


class Loop:
    """A process that appends a row every 50 ms, as a station's loop would."""

    def __init__(self, folder: Path, *, reserve_bytes: int = 0, before: tuple[str, ...] = ()) -> None:
        self.folder = folder
        command = [sys.executable, "-m", "tests.playout.journalwriter", str(folder), str(reserve_bytes), "loop"]
        self.process = subprocess.Popen([*before, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.slowest_s = 0.0

    def __enter__(self) -> Loop:
        return self

    def __exit__(self, *_: object) -> None:
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()
        self.process.kill()
        self.process.wait(10)

    def said(self) -> dict[str, Any]:
        """Return what it says next."""
        assert self.process.stdout is not None
        said: dict[str, Any] = json.loads(self.process.stdout.readline())
        self.slowest_s = said.get("slowest_s", self.slowest_s)
        return said

    def until(self, there: Callable[[dict[str, Any]], bool], what: str, timeout_s: float = 40.0) -> dict[str, Any]:
        """Listen until it says something like this."""
        deadline = time.monotonic() + timeout_s
        while not there(said := self.said()):
            assert time.monotonic() < deadline, f"{what}; last said: {said}"
        return said

    def end(self) -> int:
        """Let it stop; return the last row that is on disk."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        return int(self.until(lambda said: "seq" not in said, "its end")["landed"])


@contextmanager
def disk_fault(loop: Loop, *inject: str) -> Iterator[None]:
    """Let calls of a running process that concern its journal fail or wait, by strace."""
    names = ["XA.db", "XA.db-wal", "XA.1.db", "XA.1.db-wal", f".probe-{loop.process.pid}"]
    paths = [word for name in names for word in ("-P", str(loop.folder / name))]
    calls = ",".join(one.split(":")[0] for one in inject)
    injections = [word for one in inject for word in ("-e", f"inject={one}")]
    command = ["strace", "-f", "-qq", "-p", str(loop.process.pid), "-e", f"trace={calls}", *injections, *paths]
    tracer = subprocess.Popen([*command, "-o", os.devnull])
    try:
        yield
    finally:
        tracer.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            tracer.wait(10)
        tracer.kill()
        tracer.wait()


def test_f38_f40_f72_a_running_station_outlives_slow_read_only_and_failing_disks(tmp_path: Path) -> None:
    """Five seconds a write, then no write at all, then a failing fsync: no turn of the loop takes a second."""
    with Loop(tmp_path) as loop:
        loop.until(lambda said: said["landed"] == said["seq"] > 3, "a healthy start")
        with disk_fault(loop, "fdatasync:delay_enter=5000000"):
            loop.until(lambda said: said["troubles"] == ["journal_slow"], "journal_slow")
        loop.until(lambda said: said["troubles"] == [] and said["landed"] > said["seq"] - 5, "the backlog on disk")
        no_writing = [f"{call}:error=EROFS" for call in ("openat", "pwrite64", "write", "fdatasync")]
        with disk_fault(loop, *no_writing):
            before = loop.until(lambda said: said["troubles"] == ["journal_read_only"], "journal_read_only")
            waiting = loop.until(lambda said: said["seq"] > before["seq"] + 20, "rows in memory")
            assert before["landed"] == waiting["landed"]
        loop.until(lambda said: said["troubles"] == [] and said["landed"] > said["seq"] - 5, "the backlog on disk")
        with disk_fault(loop, "fdatasync:error=EIO"):
            loop.until(lambda said: "journal_suspect" in said["troubles"], "journal_suspect")
        loop.until(lambda said: said["landed"] > said["seq"] - 5, "the new file", 60)
        landed = loop.end()

    examined = examine(tmp_path / "XA.db", KEY.verify_key)
    assert (landed, ()) == (examined.rows, examined.lost)
    assert 2 == len(examined.files)
    assert loop.slowest_s < 1.0
    journal = opened(tmp_path / "XA.db")
    held = [row.body for row in journal.rows(kind="fault")]
    journal.stop()
    assert {"journal_held"} == {body["code"] for body in held}


NAMESPACE = ("unshare", "-Urm", "bash", "-ec", 'mount -t tmpfs -o "$1" none "$2"; shift 2; exec "$@"', "bash")
"""Runs a command where a folder is a small disk of its own."""


def test_f36_a_full_disk_is_told_from_the_reserve(tmp_path: Path) -> None:
    """Filled to the last byte: the reserve takes the rows that say so, then memory; room again takes them all."""
    with Loop(tmp_path, reserve_bytes=1 << 19, before=(*NAMESPACE, "size=3m", str(tmp_path))) as loop:
        # What the process sees as the folder is its own disk; from here it is reached through the process.
        disk = Path(f"/proc/{loop.process.pid}/root{tmp_path}")
        loop.until(lambda said: said["landed"] == said["seq"] > 3, "a healthy start")
        assert (disk / "XA.reserve").stat().st_size == 1 << 19
        filler = disk / "filler"
        fill(filler)
        full = loop.until(lambda said: said["troubles"] == ["journal_full"], "journal_full")
        loop.until(lambda said: said["landed"] > full["seq"], "rows in the reserve")
        assert not (disk / "XA.reserve").exists()
        fill(filler)
        stuck = loop.until(lambda said: said["landed"] < said["seq"] - 10, "rows in memory")
        filler.unlink()
        loop.until(lambda said: said["landed"] > stuck["seq"], "the backlog on disk")
        shutil.copytree(disk, tmp_path / "copy", ignore=shutil.ignore_patterns("*-shm"))
        landed = examine(tmp_path / "copy" / "XA.db", KEY.verify_key).rows
        assert loop.end() >= landed > stuck["seq"]
        assert loop.slowest_s < 1.0


def fill(path: Path) -> None:
    """Take all room that there is."""
    with suppress(OSError), path.open("ab", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def test_f37_f38_a_station_starts_on_a_disk_that_takes_nothing(tmp_path: Path) -> None:
    """No name left for a file: its rows wait in memory; as soon as there is one they are written."""
    with Loop(tmp_path, before=(*NAMESPACE, "size=3m,nr_inodes=2", str(tmp_path))) as loop:
        disk = Path(f"/proc/{loop.process.pid}/root{tmp_path}")
        waiting = loop.until(lambda said: said["troubles"] == ["journal_full"] and said["seq"] > 5, "journal_full")
        assert 0 == waiting["landed"]
        assert [] == list(disk.glob("*.db-wal"))
        remount = [
            "nsenter",
            "-t",
            str(loop.process.pid),
            "-U",
            "-m",
            "mount",
            "-o",
            "remount,nr_inodes=100",
            str(tmp_path),
        ]
        subprocess.run(remount, check=True)
        loop.until(lambda said: said["landed"] > waiting["seq"], "the backlog on disk")
        loop.end()


def test_f38_a_station_starts_on_a_read_only_disk(tmp_path: Path) -> None:
    """What the journal holds is known, the chain goes on in memory, nothing is taken for damaged."""
    home = tmp_path / "home"
    home.mkdir()
    journal = opened(home / "XA.db")
    for _ in range(5):
        journal.append("boot", {})
    journal.set_checkpoint("alive", {"x": 1})
    journal.stop()
    read_only = (
        "unshare",
        "-Urm",
        "bash",
        "-ec",
        'mount --bind "$1" "$1"; mount -o remount,bind,ro "$1"; shift; exec "$@"',
    )
    with Loop(home, before=(*read_only, "bash", str(home))) as loop:
        said = loop.until(lambda said: said["troubles"] == ["journal_read_only"], "journal_read_only")
        loop.end()

    assert said["seq"] > 5
    assert ["XA.db", "XA.head"] == sorted(path.name for path in home.iterdir())
