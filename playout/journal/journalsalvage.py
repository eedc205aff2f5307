"""Reads out of damaged journal files whatever is left, and makes one good file of it; the damaged ones are kept."""

from __future__ import annotations

import os
import sqlite3
import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from nacl.signing import SigningKey

from link.chain import GENESIS, head_message
from link.keys import sign
from playout.journal.journalcheck import MARKS, is_signed
from playout.journal.journalfile import (
    ENTRIES,
    SCHEMA,
    Entry,
    Seal,
    checkpoints_of,
    decoded,
    joined,
    journal_files,
    put_rows,
    sync_folder,
)

SEAL_EVERY = 256
"""So many signatures stand under one seal."""

_PAGE = 4096
_WAL_HEADER, _FRAME_HEADER = 32, 24


@dataclass(slots=True)
class Salvage:
    """What was read: rows whose content fits their hash, by number, and what was under way, by name."""

    entries: dict[int, Entry] = field(default_factory=dict)
    checkpoints: dict[str, str] = field(default_factory=dict)


def read_damaged(paths: Sequence[Path]) -> Salvage:
    """Read the files of a journal whatever state they are in; what cannot be read is left out."""
    found = Salvage()
    for path in paths:
        for image in _images(path):
            # A new first page is for files that SQLite does not even know as its own.
            whole, seen = _take(_plain(image), found)
            if seen == 0:
                whole, _ = _take(_plain(_first_page() + image[_PAGE:]), found)
            if whole:
                break
    return found


def _take(image: bytes, found: Salvage) -> tuple[bool, int]:
    """Take what is new; return whether everything was readable, and how many rows were."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.text_factory = decoded
        try:
            connection.deserialize(image)
        except sqlite3.DatabaseError:
            return False, 0
        whole, seen = True, 0
        # A damaged page stops a reader; from the other end it gets as far as the page's other side.
        for order in ("ASC", "DESC"):
            clean, some = _take_rows(connection, f"{ENTRIES} ORDER BY j.seq {order}", found)
            seen += some
            if clean:
                break
            whole = False
            # Where the table of signatures is damaged the rows are still worth having.
            bare = "SELECT seq, prev, time, monotonic, boot, clock, kind, body, hash FROM journal"
            seen += _take_rows(connection, f"{bare} ORDER BY seq {order}", found)[1]
        try:
            found.checkpoints.update(checkpoints_of(connection))
        except sqlite3.DatabaseError:
            whole = False
        return whole, seen


def _take_rows(connection: sqlite3.Connection, query: str, found: Salvage) -> tuple[bool, int]:
    clean, seen = True, 0
    try:
        for raw in connection.execute(query):
            entry = Entry(*raw)
            seen += 1
            known = found.entries.get(entry.seq)
            if known is not None and (entry.signature is None or known.signature is not None) and known[:9] == raw[:9]:
                continue
            if entry.seq < 1 or not entry.fits():
                clean = False
            elif known is None or isinstance(entry.signature, str):
                found.entries[entry.seq] = entry
    except sqlite3.DatabaseError:
        return False, seen
    return clean, seen


def _images(path: Path) -> Iterator[bytes]:
    """Yield the file as it may have been meant: with its write-ahead log, then without."""
    try:
        main = path.read_bytes()
    except OSError:
        return
    for image in (_with_log(main, path.with_name(f"{path.name}-wal")), main):
        if image:
            yield image


def _first_page() -> bytes:
    """Return the first page of an empty journal: it is the same in every journal that holds rows."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(SCHEMA)
        return bytes(connection.serialize()[:_PAGE])


def _plain(image: bytes) -> bytes:
    """Return an image that can be opened without a write-ahead log, and whose length is the one it tells."""
    whole = image[: len(image) // _PAGE * _PAGE] or image
    counter = whole[24:28]
    return (
        whole[:18]
        + b"\1\1"
        + whole[20:28]
        + struct.pack(">I", len(whole) // _PAGE)
        + whole[32:92]
        + counter
        + whole[96:]
    )


def _with_log(main: bytes, log: Path) -> bytes:
    """Return the file with its log laid over it to the last commit, good frames or not: each row has its hash.

    Empty where there is no log.
    """
    try:
        text = log.read_bytes()
    except OSError:
        return b""
    salt = text[16:24]
    length = _FRAME_HEADER + _PAGE
    frames = [text[start : start + length] for start in range(_WAL_HEADER, len(text) - length + 1, length)]
    most = len(main) // _PAGE + len(frames) + 1
    numbered = [(*struct.unpack(">II", frame[:8]), frame[_FRAME_HEADER:]) for frame in frames if frame[8:16] == salt]
    commits = [place for place, (_, pages, _) in enumerate(numbered) if pages]
    image = bytearray(main)
    for number, _, page in numbered[: commits[-1] + 1 if commits else 0]:
        if 1 <= number <= most:
            image.extend(bytes(max(0, number * _PAGE - len(image))))
            image[(number - 1) * _PAGE : number * _PAGE] = page
    return bytes(image)


def believed(salvaged: Salvage, key: SigningKey) -> Salvage:
    """Return what the station wrote: rows that are signed, or chained to a row that is.

    Of older journals also unsigned rows that go on from the first one. Whose signature is lost gets it anew.
    """
    entries, good = salvaged.entries, dict[int, Entry]()
    for seq in sorted(entries, reverse=True):
        entry, after = entries[seq], good.get(seq + 1)
        if (after is not None and after.prev == entry.hash) or is_signed(entry, key.verify_key):
            # Quicker than a look at each signature; a sound one comes out as it was.
            good[seq] = signed(entry, key)
    previous, seq, every = GENESIS, 1, False
    while seq in entries and entries[seq].prev == previous:
        entry = entries[seq]
        every = every or _marks(entry)
        if seq not in good and (every or entry.signature is not None):
            break
        good.setdefault(seq, entry)
        previous, seq = entry.hash, seq + 1
    return Salvage(entries=dict(sorted(good.items())), checkpoints=salvaged.checkpoints)


def _marks(entry: Entry) -> bool:
    return entry.kind in MARKS and '"signed_by"' in entry.text


def signed(entry: Entry, key: SigningKey) -> Entry:
    """Return a row with the station's signature."""
    signature = sign(key, head_message(entry.seq, entry.hash, entry.time))
    return entry._replace(head_hash=entry.hash, head_time=entry.time, signature=signature)


def ranges(numbers: Iterable[int]) -> list[list[int]]:
    """Return numbers as pairs of first and last: 1, 2, 3, 7 are [[1, 3], [7, 7]]."""
    found: list[list[int]] = []
    for number in sorted(numbers):
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return found


def rebuild(path: Path, salvaged: Salvage, key: SigningKey) -> None:
    """Write what was salvaged into one new file beside the damaged ones; `put_in_place` then exchanges them.

    Raises sqlite3.Error or OSError, and then nothing has changed.
    """
    making = path.with_suffix(".rebuilding")
    _remove(making)
    entries = salvaged.entries.values()
    with closing(sqlite3.connect(making, isolation_level=None)) as connection:
        # Nobody relies on this file before it is whole: it is brought to the disk once, at the end.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.executescript(SCHEMA)
        connection.execute("BEGIN")
        put_rows(connection, entries)
        connection.executemany("INSERT INTO seal VALUES (?, ?, ?, ?)", seals_for(list(entries), key))
        connection.executemany("INSERT INTO checkpoint VALUES (?, ?)", salvaged.checkpoints.items())
        connection.execute("COMMIT")
    with making.open("rb") as file:
        os.fsync(file.fileno())
    making.replace(path.with_suffix(".rebuilt"))
    sync_folder(path.parent)


def seals_for(entries: Sequence[Entry], key: SigningKey) -> Iterator[Seal]:
    """Yield the seals over every full run of signed rows."""
    run: list[Entry] = []
    for entry in entries:
        if entry.signature is None or (run and run[-1].seq != entry.seq - 1):
            run = []
        if entry.signature is not None:
            run.append(entry)
        if len(run) == SEAL_EVERY:
            yield make_seal(run[0].seq, [str(e.signature) for e in run], key)
            run = []


def make_seal(first: int, signatures: Sequence[str], key: SigningKey) -> Seal:
    """Return the seal over the signatures of rows `first` and on."""
    bare = Seal(seq=first + len(signatures) - 1, first=first, signatures=joined(signatures), signature="")
    return bare._replace(signature=sign(key, bare.message()))


def put_in_place(path: Path, quarantine: Path) -> Path | None:
    """Exchange damaged files for the rebuilt one, also where an earlier attempt was cut off.

    Returns the folder below `quarantine` in which the damaged files are kept, None where nothing was rebuilt. Raises
    OSError.
    """
    rebuilt = path.with_suffix(".rebuilt")
    if not rebuilt.exists():
        return None
    number = 1
    while (place := quarantine / f"{path.stem}-{number}").exists() and (place / "complete").exists():
        number += 1
    place.mkdir(parents=True, exist_ok=True)
    # Logs first: a new file must never meet the log of the old one.
    for damaged in journal_files(path):
        for name in (f"{damaged.name}-wal", f"{damaged.name}-shm", damaged.name):
            if damaged.with_name(name).exists():
                damaged.with_name(name).replace(place / name)
    (place / "complete").touch()
    sync_folder(place)
    rebuilt.replace(path)
    sync_folder(path.parent)
    return place


def _remove(path: Path) -> None:
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        path.with_name(name).unlink(missing_ok=True)
