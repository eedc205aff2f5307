"""The power goes amid the journal's writes: every state that the disk can be left in has all that was told."""

from __future__ import annotations

import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from playout.journal.journal import Journal
from playout.journal.journalcheck import Witness, examine
from playout.journal.journalhead import read_head
from playout.systemclock import SystemClock
from tests.playout.journalwriter import KEY

SECTOR = 512
ROWS = 35
CALLS = "pwrite64,write,fsync,fdatasync,ftruncate,unlink"
_CALL = re.compile(r"^(\d+)\s+(\w+)\((.*)\)\s+=\s+(-?\d+)")
_UNFINISHED = re.compile(r"^(\d+)\s+(.*) <unfinished \.\.\.>$")
_RESUMED = re.compile(r"^(\d+)\s+<\.\.\. \w+ resumed>(.*)$")
_WRITE = re.compile(r'^\d+<([^>]*)>, "((?:\\x[0-9a-f]{2})*)", (\d+)(?:, (\d+))?$')
_FILE = re.compile(r"^\d+<([^>]*)>(?:, (\d+))?$")


@dataclass(frozen=True)
class Event:
    """One call: `write`, `cut` or `sync` of a file, `gone` with a file, or `told` with a row's number."""

    what: str
    name: str = ""
    offset: int = 0
    data: bytes = b""
    number: int = 0


def recorded(folder: Path) -> list[Event]:
    """Write a journal under strace and return what it did to its files and what it told, in order."""
    trace = folder / "trace"
    home = folder / "home"
    home.mkdir()
    command = [
        "strace",
        "-f",
        "-y",
        "-xx",
        "-s",
        "100000",
        "-e",
        f"trace={CALLS}",
        "-e",
        "signal=none",
        "-o",
        str(trace),
    ]
    writer = [sys.executable, "-m", "tests.playout.journalwriter", str(home), str(ROWS)]
    subprocess.run([*command, *writer], check=True, stdout=subprocess.DEVNULL)
    return list(_events(trace.read_text().splitlines(), home))


def _events(lines: list[str], home: Path) -> Iterator[Event]:
    waiting: dict[str, str] = {}
    for line in lines:
        if (begun := _UNFINISHED.match(line)) is not None:
            waiting[begun[1]] = begun[2]
            continue
        if (rest := _RESUMED.match(line)) is not None:
            line = f"{rest[1]} {waiting.pop(rest[1])}{rest[2]}"
        call = _CALL.match(line)
        if call is None or int(call[4]) < 0:
            continue
        name, arguments = call[2], call[3]
        if name == "unlink":
            yield Event("gone", _path(arguments.strip('"')).name)
        elif (written := _WRITE.match(arguments)) is not None:
            path, data = _path(written[1]), _letters(written[2])
            if path.parent == home and not path.name.endswith("-shm"):
                yield Event("write", path.name, int(written[4] or 0), data)
            elif name == "write" and data.strip().isdigit():
                yield Event("told", number=int(data))
        elif (on := _FILE.match(arguments)) is not None and _path(on[1]) == home:
            yield Event("folder")
        elif on is not None and _path(on[1]).parent == home:
            yield Event("cut" if name == "ftruncate" else "sync", _path(on[1]).name, int(on[2] or 0))


def _path(text: str) -> Path:
    return Path(_letters(text).decode() if text.startswith("\\x") else text)


def _letters(hexadecimal: str) -> bytes:
    return bytes.fromhex(hexadecimal.replace("\\x", ""))


@dataclass
class Disk:
    """What is on the disk for sure, and what was asked of it since."""

    sure: dict[str, bytearray] = field(default_factory=dict)
    asked: list[Event] = field(default_factory=list)
    told: int = 0

    def take(self, event: Event) -> None:
        """Let something happen."""
        if event.what == "told":
            self.told = event.number
        elif event.what == "folder":
            for one in [one for one in self.asked if one.what == "gone"]:
                self.asked.remove(one)
                self.sure.pop(one.name, None)
        elif event.what == "sync":
            for one in [one for one in self.asked if one.name == event.name]:
                apply(self.sure, one)
            self.asked = [one for one in self.asked if one.name != event.name]
        else:
            self.asked.append(event)

    def left(self, pieces: list[Event]) -> dict[str, bytes]:
        """Return the files if the power goes now and only these pieces of what was asked reached the disk."""
        files = {name: bytearray(content) for name, content in self.sure.items()}
        for piece in pieces:
            apply(files, piece)
        return {name: bytes(content) for name, content in files.items()}

    def sectors(self) -> list[Event]:
        """Return what was asked in pieces that a disk writes whole or not at all."""
        return [piece for event in self.asked for piece in _sectors(event)]


def _sectors(event: Event) -> list[Event]:
    if event.what != "write":
        return [event]
    starts = range(0, len(event.data), SECTOR)
    return [Event("write", event.name, event.offset + at, event.data[at : at + SECTOR]) for at in starts]


def apply(files: dict[str, bytearray], event: Event) -> None:
    """Do to the files what was asked."""
    content = files.setdefault(event.name, bytearray())
    if event.what == "gone":
        files.pop(event.name, None)
    elif event.what == "cut":
        del content[event.offset :]
    else:
        content.extend(bytes(max(0, event.offset - len(content))))
        content[event.offset : event.offset + len(event.data)] = event.data


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> list[Event]:
    """A writer's life, recorded once."""
    return recorded(tmp_path_factory.mktemp("recorded"))


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder in memory where there is one: what a real disk adds is only time."""
    place = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=place if place.is_dir() else None) as name:
        yield Path(name)


def test_f8_f9_whatever_the_power_leaves_of_the_writes_has_all_rows_that_were_told(
    events: list[Event], memory: Path
) -> None:
    """At every fsync, and torn between two of them in sectors, in order or not: all told rows are there and verify."""
    dice, disk, states, started = random.Random(8), Disk(), 0, 0
    synced = {event.name for event in events if event.what == "sync"}
    assert {"XA.db", "XA.db-wal"} <= synced
    assert sum(event.what == "sync" and event.name == "XA.db" for event in events) >= 2, "too few checkpoints"
    for event in events:
        disk.take(event)
        if event.what == "told":
            continue
        pieces = disk.sectors()
        torn = [pieces[: dice.randrange(len(pieces) + 1)], [piece for piece in pieces if dice.random() < 0.5]]
        for left in [disk.left([]), *([disk.left(some) for some in torn] if pieces else [])]:
            states += 1
            home = memory / str(states)
            home.mkdir()
            for name, content in left.items():
                (home / name).write_bytes(content)
            if disk.told == 0 or states % 9 == 0:
                started += 1
                start_again(home, disk.told)
            else:
                noted = read_head(home / "XA.head", KEY.verify_key)
                witnesses = [] if noted is None else [Witness(noted.seq, noted.hash)]
                assert examine(home / "XA.db", KEY.verify_key, witnesses=witnesses).rows >= disk.told
    assert ROWS == disk.told
    assert states > 200
    assert started > 20


def start_again(home: Path, told: int) -> None:
    """Start a station on what is left: it goes on behind the last row that was told, and had nothing to mend."""
    journal = Journal(home / "XA.db", clock=SystemClock(host=True), boot="next", key=KEY)
    journal.start()
    row = journal.append("boot", {})
    assert () == journal.troubles
    journal.stop()
    assert row.seq > told
    assert row.seq == examine(home / "XA.db", KEY.verify_key).rows
    assert not (home / "quarantine").exists()
