"""The station's only output: an append-only, hash-chained log in one SQLite file, with checkpoints beside it."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from nacl.signing import SigningKey, VerifyKey

from link.codec import canonical
from link.keys import sign, verify
from schedules.clock import Clock
from schedules.errors import JournalBroken, SignatureInvalid

GENESIS = "0" * 64

_SCHEMA = """
CREATE TABLE IF NOT EXISTS journal (
    seq INTEGER PRIMARY KEY, prev TEXT NOT NULL, time TEXT NOT NULL, monotonic REAL NOT NULL, boot TEXT NOT NULL,
    clock TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL, hash TEXT NOT NULL UNIQUE
);
CREATE INDEX IF NOT EXISTS journal_kind ON journal (kind, seq);
CREATE TABLE IF NOT EXISTS head (
    seq INTEGER PRIMARY KEY, hash TEXT NOT NULL, time TEXT NOT NULL, signature TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS checkpoint (name TEXT PRIMARY KEY, body TEXT NOT NULL);
CREATE TRIGGER IF NOT EXISTS journal_no_update BEFORE UPDATE ON journal
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER IF NOT EXISTS journal_no_delete BEFORE DELETE ON journal
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
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


def row_hash(row: dict[str, Any]) -> str:
    """Return the SHA-256 of the canonical JSON of a row without its own hash."""
    return hashlib.sha256(canonical({key: value for key, value in row.items() if key != "hash"})).hexdigest()


class Journal:
    """The one writer of a station's journal. Rows are on disk (fsync) when `append` returns."""

    def __init__(self, path: Path, *, clock: Clock, boot: str, key: SigningKey) -> None:
        self.path = path
        self._clock = clock
        self.boot = boot
        self._key = key
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._seq = 0
        self._hash = GENESIS

    def start(self) -> None:
        """Open the file and check its chain; raises JournalBroken naming the first bad row."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA busy_timeout = 5000")
        connection.executescript(_SCHEMA)
        self._connection = connection
        self._seq, self._hash = verify_rows(read_rows(connection))

    def stop(self) -> None:
        """Sign the last head and close the file."""
        if self._connection is not None:
            self.sign_head()
            with self._lock:
                self._connection.close()
                self._connection = None

    @property
    def head(self) -> tuple[int, str]:
        """Number and hash of the last row; (0, 64 zeros) while empty."""
        return self._seq, self._hash

    def append(self, kind: str, body: dict[str, Any]) -> Row:
        """Add one row and return it; it is committed before this returns."""
        with self._lock:
            row: dict[str, Any] = {
                "seq": self._seq + 1,
                "prev": self._hash,
                "time": self._clock.now().isoformat(),
                "monotonic": self._clock.monotonic(),
                "boot": self.boot,
                "clock": "trusted" if self._clock.state().trusted else "untrusted",
                "kind": kind,
                "body": json.loads(canonical(body)),
            }
            row["hash"] = row_hash(row)
            stored = {**row, "body": canonical(body).decode()}
            self._open().execute(
                "INSERT INTO journal VALUES (:seq, :prev, :time, :monotonic, :boot, :clock, :kind, :body, :hash)",
                stored,
            )
            self._seq, self._hash = row["seq"], row["hash"]
        return Row(**row)

    def sign_head(self) -> None:
        """Sign the newest row, as a witness that later shows a cut tail."""
        with self._lock:
            if self._seq == 0:
                return
            time = self._clock.now().isoformat()
            signature = sign(self._key, head_message(self._seq, self._hash, time))
            statement = "INSERT OR REPLACE INTO head VALUES (?, ?, ?, ?)"
            self._open().execute(statement, (self._seq, self._hash, time, signature))

    def set_checkpoint(self, name: str, body: object) -> None:
        """Overwrite the state kept under `name`; None removes it."""
        with self._lock:
            if body is None:
                self._open().execute("DELETE FROM checkpoint WHERE name = ?", (name,))
                return
            text = canonical(body).decode()
            self._open().execute("INSERT OR REPLACE INTO checkpoint VALUES (?, ?)", (name, text))

    def checkpoints(self, prefix: str) -> dict[str, Any]:
        """Return the states kept under names that start so."""
        with self._lock:
            rows = self._open().execute("SELECT name, body FROM checkpoint").fetchall()
        return {name: json.loads(body) for name, body in rows if name.startswith(prefix)}

    def rows(self, *, after: int = 0, kind: str | None = None, limit: int = -1) -> list[Row]:
        """Return rows with a larger number than `after`, in order; of one kind if given."""
        with self._lock:
            return list(read_rows(self._open(), after=after, kind=kind, limit=limit))

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            raise RuntimeError("the journal was not started")
        return self._connection


def head_message(seq: int, row: str, time: str) -> bytes:
    """Return the bytes that a head's signature is over."""
    return canonical({"seq": seq, "hash": row, "time": time})


def read_rows(
    connection: sqlite3.Connection, *, after: int = 0, kind: str | None = None, limit: int = -1
) -> Iterator[Row]:
    """Yield rows by number. A body that is no JSON comes back as text under `broken`, for the verifier to name."""
    where = "seq > ?" if kind is None else "seq > ? AND kind = ?"
    values: tuple[object, ...] = (after, limit) if kind is None else (after, kind, limit)
    columns = "seq, prev, time, monotonic, boot, clock, kind, body, hash"
    query = f"SELECT {columns} FROM journal WHERE {where} ORDER BY seq LIMIT ?"
    for seq, prev, time, monotonic, boot, clock, name, body, digest in connection.execute(query, values):
        try:
            parsed = json.loads(body)
        except ValueError:
            parsed = {"broken": body}
        yield Row(
            seq=seq,
            prev=prev,
            time=time,
            monotonic=monotonic,
            boot=boot,
            clock=clock,
            kind=name,
            body=parsed,
            hash=digest,
        )


def verify_rows(rows: Iterator[Row]) -> tuple[int, str]:
    """Recompute the chain; return the last number and hash, or raise JournalBroken at the first bad row."""
    expected, previous = 1, GENESIS
    for row in rows:
        if row.seq != expected:
            raise JournalBroken(expected, f"missing: row {row.seq} stands in its place")
        if row.prev != previous:
            raise JournalBroken(row.seq, "does not continue the row before it")
        fields = {name: getattr(row, name) for name in Row.__dataclass_fields__}
        try:
            fits = row_hash(fields) == row.hash
        except (TypeError, ValueError):
            fits = False  # bytes and the like, which no row of ours holds
        if not fits:
            raise JournalBroken(row.seq, "its content does not fit its hash")
        expected, previous = row.seq + 1, row.hash
    return expected - 1, previous


def verify_file(path: Path, key: VerifyKey | None = None) -> tuple[int, str]:
    """Verify a journal file read-only: chain, then signed heads if `key` is given. Returns the last number and hash.

    Raises JournalBroken, with row 0 for a file that SQLite cannot read.
    """
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        last, digest = verify_rows(read_rows(connection))
        for seq, row, time, signature in connection.execute("SELECT seq, hash, time, signature FROM head ORDER BY seq"):
            if seq > last:
                raise JournalBroken(last + 1, f"cut off: a head was signed for row {seq}")
            known = connection.execute("SELECT hash FROM journal WHERE seq = ?", (seq,)).fetchone()
            if known is None or known[0] != row:
                raise JournalBroken(seq, "differs from its signed head")
            if key is not None:
                try:
                    verify(key, head_message(seq, row, time), signature)
                except SignatureInvalid as error:
                    raise JournalBroken(seq, "its head is not signed by this station") from error
        return last, digest
    except sqlite3.DatabaseError as error:
        raise JournalBroken(0, f"the file cannot be read: {error}") from error
    finally:
        connection.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewestState:
    """What a journal file knows: its newest time that was believed, and the last alive mark with its boot and clock."""

    time: datetime | None = None
    boot: str | None = None
    trusted: bool = False
    offset_s: float | None = None


def newest_state(path: Path) -> NewestState:
    """Return the newest state of a journal file that nobody holds; empty where there is no file yet."""
    if not path.exists():
        return NewestState()
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        # A row of an untrusted clock says nothing about the time: after a start in the past it would lower the mark.
        last = "SELECT time FROM journal WHERE clock = 'trusted' ORDER BY seq DESC LIMIT 1"
        row = connection.execute(last).fetchone()
        alive = connection.execute("SELECT body FROM checkpoint WHERE name = 'alive'").fetchone()
    except sqlite3.DatabaseError:
        return NewestState()  # no tables yet, or a damaged file, which the start names
    finally:
        connection.close()
    state = json.loads(alive[0]) if alive else {}
    texts = ([row[0]] if row else []) + ([state["time"]] if state.get("trusted") else [])
    times = [datetime.fromisoformat(text) for text in texts]
    return NewestState(
        time=max(times, default=None),
        boot=state.get("boot"),
        trusted=bool(state.get("trusted", False)),
        offset_s=state.get("offset_s"),
    )
