"""One SQLite file of a station's journal: rows with their signatures, seals, and what is under way."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from json.encoder import encode_basestring
from pathlib import Path
from typing import Any, NamedTuple

from link.chain import head_message
from link.codec import canonical

SCHEMA = """
CREATE TABLE IF NOT EXISTS journal (
    seq INTEGER PRIMARY KEY, prev TEXT NOT NULL, time TEXT NOT NULL, monotonic REAL NOT NULL, boot TEXT NOT NULL,
    clock TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL, hash TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS head (
    seq INTEGER PRIMARY KEY, hash TEXT NOT NULL, time TEXT NOT NULL, signature TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS seal (
    seq INTEGER PRIMARY KEY, first INTEGER NOT NULL, signatures TEXT NOT NULL, signature TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS checkpoint (name TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TRIGGER IF NOT EXISTS journal_no_update BEFORE UPDATE ON journal
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER IF NOT EXISTS journal_no_delete BEFORE DELETE ON journal
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
"""

ENTRIES = """
SELECT j.seq, j.prev, j.time, j.monotonic, j.boot, j.clock, j.kind, j.body, j.hash, h.hash, h.time, h.signature
FROM journal AS j LEFT JOIN head AS h ON h.seq = j.seq
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row. `prev` is the hash of the row before (64 zeros for the first); `clock` says trusted or untrusted."""

    seq: int
    prev: str
    time: str
    monotonic: float
    boot: str
    clock: str
    kind: str
    body: dict[str, Any]
    hash: str

    @property
    def at(self) -> datetime:
        """The wall time of the row."""
        return datetime.fromisoformat(self.time)


class Entry(NamedTuple):
    """A row as it lies in the file: its body as text, its signature beside it. Out of a damaged file, anything."""

    seq: int
    prev: str
    time: str
    monotonic: float
    boot: str
    clock: str
    kind: str
    text: str
    hash: str
    head_hash: str | None = None
    head_time: str | None = None
    signature: str | None = None

    def row(self) -> Row:
        """Return the row. A body that is no JSON comes back as text under `broken`, for people to see."""
        try:
            body = json.loads(self.text)
        except ValueError:
            body = {"broken": self.text}
        seq, prev, time, monotonic, boot, clock, kind, _, digest = self[:9]
        return Row(
            seq=seq,
            prev=prev,
            time=time,
            monotonic=monotonic,
            boot=boot,
            clock=clock,
            kind=kind,
            body=body,
            hash=digest,
        )

    def fits(self) -> bool:
        """Return whether the content is the one that the hash was made of."""
        try:
            return entry_hash(self) == self.hash
        except (TypeError, ValueError, AttributeError, UnicodeEncodeError):
            return False  # bytes and the like, which no row of ours holds

    def message(self) -> bytes:
        """Return what the row's signature should be over."""
        return head_message(self.seq, str(self.head_hash), str(self.head_time))


def entry_hash(entry: Entry) -> str:
    """Return the hash of a row as `link.chain.row_hash` does, six times as fast: its body is canonical text already."""
    monotonic = entry.monotonic
    # Python and RFC 8785 write these numbers alike; others are left to the slow way.
    plain = 1e-4 <= monotonic < 1e16 and not monotonic.is_integer()
    number = repr(monotonic) if plain else canonical(monotonic).decode()
    text = (
        f'{{"body":{entry.text},"boot":{encode_basestring(entry.boot)},"clock":{encode_basestring(entry.clock)},'
        f'"kind":{encode_basestring(entry.kind)},"monotonic":{number},"prev":{encode_basestring(entry.prev)},'
        f'"seq":{entry.seq},"time":{encode_basestring(entry.time)}}}'
    )
    return hashlib.sha256(text.encode()).hexdigest()


class Seal(NamedTuple):
    """The station vouches for all signatures of rows `first` to `seq`, so that a verifier need not check each."""

    seq: int
    first: int
    signatures: str
    signature: str

    def message(self) -> bytes:
        """Return what the seal's signature is over."""
        return canonical({"first": self.first, "seq": self.seq, "signatures": self.signatures})


def joined(signatures: Iterable[str]) -> str:
    """Return the SHA-256 of signatures one behind the other, as it stands in a seal."""
    return hashlib.sha256("".join(signatures).encode()).hexdigest()


class JournalFile:
    """A file open for writing, by one thread. Every method may raise sqlite3.Error or OSError.

    wait_s: how long to wait for another process that holds the file.
    """

    def __init__(self, path: Path, *, wait_s: float = 0.25) -> None:
        self.path = path
        self._wait_s = wait_s
        self._connection: sqlite3.Connection | None = None
        self._named = False

    def open(self) -> tuple[int, str] | None:
        """Open the file, made where there is none; return number and hash of its last row, None where it is empty."""
        connection = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None, timeout=self._wait_s)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            # SQLite hides it when fsync fails in a checkpoint of its own, and then asks the disk again.
            connection.execute("PRAGMA wal_autocheckpoint = 0")
            if connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'seal'").fetchone()[0] == 0:
                connection.executescript(f"BEGIN; {SCHEMA} COMMIT;")
            last = connection.execute("SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1").fetchone()
        except sqlite3.Error:
            connection.close()
            raise
        self._connection = connection
        return None if last is None else (last[0], last[1])

    def write(self, entries: Sequence[Entry], checkpoints: Mapping[str, str | None], seal: Seal | None = None) -> None:
        """Commit all of it or nothing; on the disk when this returns. A checkpoint that is None is removed."""
        connection = self._open()
        connection.execute("BEGIN IMMEDIATE")
        try:
            put_rows(connection, entries)
            for name, text in checkpoints.items():
                if text is None:
                    connection.execute("DELETE FROM checkpoint WHERE name = ?", (name,))
                else:
                    connection.execute("INSERT OR REPLACE INTO checkpoint VALUES (?, ?)", (name, text))
            if seal is not None:
                connection.execute("INSERT OR REPLACE INTO seal VALUES (?, ?, ?, ?)", seal)
            connection.execute("COMMIT")
        except sqlite3.Error:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            raise
        if not self._named:
            # A new file outlives a power cut only with its name.
            sync_folder(self.path.parent)
            self._named = True

    def tidy(self) -> None:
        """Carry what stands in the write-ahead log over into the file."""
        self._open().execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def close(self) -> None:
        """Close the file; what is not committed is gone."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            raise RuntimeError("the file was not opened")
        return self._connection


def put_rows(connection: sqlite3.Connection, entries: Iterable[Entry]) -> None:
    """Insert rows with their signatures."""
    for entry in entries:
        connection.execute("INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", entry[:9])
        if entry.signature is not None:
            head = (entry.seq, entry.head_hash, entry.head_time, entry.signature)
            connection.execute("INSERT INTO head VALUES (?, ?, ?, ?)", head)


@contextmanager
def reading(path: Path, *, lenient: bool = False) -> Iterator[sqlite3.Connection]:
    """Open a file that another connection may be writing; raises sqlite3.DatabaseError for what is no journal.

    lenient: letters that are none are given back as they are, for the hash to find.
    """
    log = path.with_name(f"{path.name}-wal")
    # On a medium that cannot be written SQLite wants to be told that nobody else writes either.
    alone = not os.access(path.parent, os.W_OK) and (not log.exists() or log.stat().st_size == 0)
    address = f"{path.absolute().as_uri()}?{'immutable=1' if alone else 'mode=ro'}"
    with closing(sqlite3.connect(address, uri=True, timeout=5.0)) as connection:
        if lenient:
            connection.text_factory = decoded
        yield connection


def decoded(letters: bytes) -> str:
    """Return text out of a damaged file, where letters may be none."""
    return letters.decode("utf-8", "surrogateescape")


def is_blank(path: Path) -> bool:
    """Return whether a file was only begun: the power went before there was anything in it.

    Raises sqlite3.Error for what is no database, and OSError.
    """
    half_made = path.with_name(f"{path.name}-journal")
    if half_made.exists():
        # Only a connection that may write takes back what the first moments left behind.
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode = WAL").fetchall()
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
        half_made.unlink(missing_ok=True)
    with reading(path) as connection:
        return bool(connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0)


def entries_of(
    connection: sqlite3.Connection, *, after: int | None = None, kind: str | None = None, limit: int = -1
) -> Iterator[Entry]:
    """Yield rows with a larger number than `after`, in order; of one kind if given; -1 for no limit."""
    conditions, values = ["j.seq > ?"] if after is not None else ["1"], [after] if after is not None else []
    if kind is not None:
        conditions.append("j.kind = ?")
    query = f"{ENTRIES} WHERE {' AND '.join(conditions)} ORDER BY j.seq LIMIT ?"
    named = (kind,) if kind is not None else ()
    return map(Entry._make, connection.execute(query, (*values, *named, limit)))


def seals_of(connection: sqlite3.Connection) -> list[Seal]:
    """Return the seals; files that were begun before there were any have none."""
    if connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'seal'").fetchone()[0] == 0:
        return []
    return [Seal._make(row) for row in connection.execute("SELECT seq, first, signatures, signature FROM seal")]


def checkpoints_of(connection: sqlite3.Connection) -> dict[str, str]:
    """Return what is under way, by name."""
    return dict(connection.execute("SELECT name, body FROM checkpoint"))


def journal_files(path: Path) -> list[Path]:
    """Return the files of the journal that begins with `path` (CODE.db, then CODE.1.db and on), those that are there.

    A path that is one of the later files stands for itself alone.
    """
    pattern = re.compile(re.escape(path.stem) + r"\.([0-9]+)\.db")
    found = {
        int(match[1]): file for file in path.parent.glob(f"{path.stem}.*.db") if (match := pattern.fullmatch(file.name))
    }
    return [*([path] if path.exists() else []), *(file for _, file in sorted(found.items()))]


def journals_in(folder: Path) -> list[Path]:
    """Return the first file of every journal in a folder, also where only later files are left of one."""
    stems = {path.name.split(".")[0] for path in folder.glob("*.db")}
    return [folder / f"{stem}.db" for stem in sorted(stems)]


def next_file(path: Path) -> Path:
    """Return the name of the file that would follow the last one of the journal `path`."""
    numbers = [int(file.name.split(".")[-2]) for file in journal_files(path) if file != path]
    return path.with_name(f"{path.stem}.{max(numbers, default=0) + 1}.db")


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def unsealed_of(connection: sqlite3.Connection) -> list[str]:
    """Return the signatures of the last rows that no seal vouches for yet."""
    sealed = max((seal.seq for seal in seals_of(connection)), default=0)
    run: list[tuple[int, str]] = []
    for entry in entries_of(connection, after=sealed):
        if entry.signature is None or (run and run[-1][0] != entry.seq - 1):
            run = []
        if entry.signature is not None:
            run.append((entry.seq, entry.signature))
    return [signature for _, signature in run]
