"""The station's only output: an append-only, hash-chained, signed log, with checkpoints beside it.

A thread of its own writes it: a disk that is slow, full, locked or broken never holds up what is on air.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog
from nacl.signing import SigningKey, VerifyKey

from link.chain import GENESIS, head_message, row_hash
from link.codec import canonical
from playout.journal.journalcheck import MARKS, Witness, examine, verify_file, verify_rows
from playout.journal.journaldisk import Reserve, fault_of, held_by_another, remove, writable
from playout.journal.journalfile import (
    Entry,
    JournalFile,
    Row,
    Seal,
    checkpoints_of,
    entries_of,
    entry_hash,
    is_blank,
    journal_files,
    next_file,
    reading,
    unsealed_of,
)
from playout.journal.journalhead import HeadNote, NewestState, newest_state, read_head
from playout.journal.journalsalvage import (
    SEAL_EVERY,
    Salvage,
    believed,
    make_seal,
    put_in_place,
    ranges,
    read_damaged,
    rebuild,
    signed,
)
from schedules.clock import Clock
from schedules.errors import JournalBroken

__all__ = [
    "GENESIS",
    "Journal",
    "NewestState",
    "Row",
    "Trouble",
    "head_message",
    "newest_state",
    "row_hash",
    "verify_file",
    "verify_rows",
]

_log = structlog.get_logger()

PATIENCE_S = 0.04
"""So long `append` waits for the disk; then the row is held in memory and written as soon as it can be."""
SLOW_S = 2.0
MOST_HELD = 20_000
"""So many rows are held in memory at most: weeks of a station. After that the oldest are let go, and that is said."""
BUSY_S = 5.0
"""So long another process may hold the file before the journal goes on in a new one."""
RESERVE_BYTES = 16 * 1024 * 1024
"""What a station keeps free for the rows that say that the disk is full."""
_RETRY_S = 1.0
_LONGEST_RETRY_S = 30.0
TIDY_ROWS = 500
"""After so many rows and checkpoints the write-ahead log is carried over into the file."""
_TIDY_S = 300.0
_STOP_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What is wrong with the journal now. code: of playout.faults; detail: for the administrator."""

    code: str
    detail: str


@dataclass(slots=True)
class _Held:
    """A row on its way to the disk; `since` by the stopwatch."""

    entry: Entry
    since: float
    own: bool = False


@dataclass(frozen=True, slots=True)
class _Batch:
    rows: tuple[_Held, ...]
    checkpoints: Mapping[str, str | None]
    seal: Seal | None


@dataclass(slots=True)
class _Retry:
    """When the next attempt is due, and since when they fail."""

    not_before: float = 0.0
    wait_s: float = _RETRY_S
    busy_since: float | None = None


@dataclass(slots=True)
class _Counts:
    tidied_at: float = 0.0
    since_tidy: int = 0
    unsealed: list[str] = field(default_factory=list)


class Journal:
    """The one writer of a station's journal.

    `append` gives every row its number, hash and signature at once. It is on disk (fsync) when `landed` has reached
    its number: mostly before `append` returns, which waits for that no longer than `patience_s`. Rows that had to be
    held in memory for longer than `slow_s` are named by a signed row once they are on disk.

    reserve_bytes: kept free beside the file for the rows that say that the disk is full. witness: number and hash of a
    row that is known elsewhere, as the authority's copy does. stopwatch: seconds of real time, whatever the clock says.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock,
        boot: str,
        key: SigningKey,
        reserve_bytes: int = 0,
        witness: tuple[int, str] | None = None,
        patience_s: float = PATIENCE_S,
        slow_s: float = SLOW_S,
        most_held: int = MOST_HELD,
        tidy_rows: int = TIDY_ROWS,
        stopwatch: Callable[[], float] = time.monotonic,
        open_file: Callable[[Path], JournalFile] = JournalFile,
    ) -> None:
        self.path = path
        self.boot = boot
        self._clock = clock
        self._key = key
        self._reserve = Reserve(path.with_suffix(".reserve"), reserve_bytes)
        self._witness = witness
        self._patience_s = patience_s
        self._slow_s = slow_s
        self._most_held = most_held
        self._tidy_rows = tidy_rows
        self._stopwatch = stopwatch
        self._open_file = open_file
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._seq = 0
        self._hash = GENESIS
        self._landed = 0
        self._late = False
        self._held: deque[_Held] = deque()
        self._in_flight = 0
        self._let_go: list[int] = []
        self._kept: dict[str, str] = {}
        self._unsaved: dict[str, str | None] = {}
        self._unsaved_since: float | None = None
        self._troubles: dict[str, str] = {}
        self._retry = _Retry()
        self._counts = _Counts()
        self._note = HeadNote(self._head_path)
        # Of the writing thread alone:
        self._file: JournalFile | None = None
        self._target = path
        self._fresh = False

    # Start and stop

    def start(self) -> None:
        """Verify what is there and begin to write; what is damaged is put aside, and what can be read of it is kept.

        A disk that cannot be written does not keep a station off the air: its rows are then held in memory.
        """
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(OSError):
            put_in_place(self.path, self._quarantine)
        try:
            self._survey()
        except (JournalBroken, sqlite3.Error, OSError) as error:
            self._recover(error)
        self._reserve.make()
        self._note.open()
        self._thread = threading.Thread(target=self._write_on, name=f"journal-{self.path.stem}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what is held, as long as the disk takes it, and close."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        with self._condition:
            self._stopping = True
            self._condition.notify_all()
        thread.join(_STOP_S)
        if thread.is_alive() or self._held:
            _log.error("journal_not_written", journal=self.path.stem, rows=len(self._held))
        self._note.close()

    @property
    def _quarantine(self) -> Path:
        return self.path.parent / "quarantine"

    @property
    def _head_path(self) -> Path:
        return self.path.with_suffix(".head")

    def _survey(self) -> None:
        """Take in what the files say; raises JournalBroken or sqlite3.DatabaseError where something is wrong."""
        files = journal_files(self.path)
        witnesses = self._witnesses()
        if not witnesses and (not files or (files == [self.path] and is_blank(self.path))):
            return
        examined = examine(self.path, self._key.verify_key, witnesses=witnesses)
        with reading(files[-1]) as connection:
            self._kept = checkpoints_of(connection)
            self._counts.unsealed = unsealed_of(connection)
        self._seq, self._hash, self._target = examined.rows, examined.head, files[-1]
        self._landed = self._seq

    def _witnesses(self) -> list[Witness]:
        own = read_head(self._head_path, self._key.verify_key)
        known = [*([own[:2]] if own is not None else []), *([self._witness] if self._witness is not None else [])]
        return [Witness(*one) for one in known]

    def _recover(self, error: Exception) -> None:
        """Go on from whatever can be read: in a rebuilt file, or where that cannot be written, in memory."""
        files = journal_files(self.path)
        salvaged = read_damaged(files)
        own = read_head(self._head_path, self._key.verify_key)
        if own is not None and own[0] in salvaged.entries:
            entry = salvaged.entries[own[0]]
            if entry.hash == own[1]:
                salvaged.entries[own[0]] = entry._replace(head_hash=own[1], head_time=own[2], signature=own[3])
        good = believed(salvaged, self._key)
        known = {seq: entry.hash for seq, entry in good.entries.items()} | dict(self._witnesses())
        last = max(known, default=0)
        lost = sorted(set(range(1, last + 1)) - set(good.entries))
        self._seq, self._hash = last, known.get(last, GENESIS)
        self._landed = last
        self._kept = good.checkpoints
        if not lost and files and not writable(self.path.parent):
            # Only unreadable in the usual way, as on a disk that became read-only: nothing is damaged.
            self._target = files[-1]
            return
        self._unsaved = dict(self._kept)
        damage, place = str(error), None
        if held_by_another(error):
            self._target, self._fresh = next_file(self.path), True
        else:
            place, damage = self._rebuild(good, damage)
            self._troubles["journal_rebuilt"] = f"{damage}; {len(good.entries)} rows kept, {len(lost)} lost; {place}"
        self._add_segment(why=damage, lost=lost, kept=place)

    def _rebuild(self, good: Salvage, damage: str) -> tuple[str | None, str]:
        """Put a good file in the place of the damaged ones; return where those are kept, and what was wrong."""
        try:
            rebuild(self.path, good, self._key)
            kept_in = put_in_place(self.path, self._quarantine)
        except (sqlite3.Error, OSError) as error:
            self._target, self._fresh = next_file(self.path), True
            return None, f"{damage}; not rebuilt: {error}"
        self._target = self.path
        return (None if kept_in is None else str(kept_in.relative_to(self.path.parent))), damage

    # The station's side

    @property
    def key(self) -> VerifyKey:
        """The public key by which the rows are signed."""
        return self._key.verify_key

    @property
    def head(self) -> tuple[int, str]:
        """Number and hash of the last row, on disk or held; (0, 64 zeros) while empty."""
        with self._condition:
            return self._seq, self._hash

    @property
    def landed(self) -> int:
        """The number of the last row that is on disk, with all before it."""
        return self._landed

    @property
    def troubles(self) -> tuple[Trouble, ...]:
        """What is wrong with the journal now; for the station to tell."""
        with self._condition:
            troubles = dict(self._troubles)
            waiting = [self._held[0].since] if self._held else []
            waiting += [self._unsaved_since] if self._unsaved_since is not None else []
        waited = self._stopwatch() - min(waiting, default=self._stopwatch())
        if waited > self._slow_s and not troubles.keys() - {"journal_rebuilt", "journal_suspect"}:
            troubles["journal_slow"] = f"the disk has not taken a row for {waited:.0f} s"
        return tuple(Trouble(code=code, detail=detail) for code, detail in troubles.items())

    def append(self, kind: str, body: dict[str, Any]) -> Row:
        """Add one row and return it; it is on disk when `landed` has reached its number."""
        with self._condition:
            if self._thread is None:
                raise RuntimeError("the journal was not started")
            entry = self._add(kind, body)
            self._condition.notify_all()
            if not self._late:
                self._condition.wait_for(lambda: self._landed >= entry.seq or self._late, self._patience_s)
                self._late = self._landed < entry.seq
        return entry.row()

    def set_checkpoint(self, name: str, body: object) -> None:
        """Overwrite the state kept under `name`; None removes it. Never waits; on disk no later than the next row."""
        with self._condition:
            text = None if body is None else canonical(body).decode()
            if text is None:
                self._kept.pop(name, None)
            else:
                self._kept[name] = text
            self._unsaved[name] = text
            if self._unsaved_since is None:
                self._unsaved_since = self._stopwatch()
            self._condition.notify_all()

    def checkpoints(self, prefix: str) -> dict[str, Any]:
        """Return the states kept under names that start so."""
        with self._condition:
            kept = dict(self._kept)
        return {name: json.loads(text) for name, text in sorted(kept.items()) if name.startswith(prefix)}

    def rows(self, *, after: int = 0, kind: str | None = None, limit: int = -1) -> list[Row]:
        """Return rows with a larger number than `after`, in order; of one kind if given; those held are among them."""
        return [entry.row() for entry in self._entries(after=after, kind=kind, limit=limit)]

    def signatures(self, first: int, last: int) -> dict[int, str]:
        """Return the signatures of rows `first` to `last` by number, each over `head_message` with the row's time."""
        entries = self._entries(after=first - 1, kind=None, limit=last - first + 1)
        return {entry.seq: entry.signature for entry in entries if entry.signature is not None and entry.seq <= last}

    def sign_head(self) -> None:
        """Nothing is left to do: every row is signed as it is written."""

    def flush(self, timeout_s: float) -> bool:
        """Wait until everything is on disk; False where it is not so in time."""
        with self._condition:
            return self._condition.wait_for(lambda: not self._held and not self._unsaved, timeout_s)

    def _entries(self, *, after: int, kind: str | None, limit: int) -> list[Entry]:
        with self._condition:
            # Held rows first: what reaches the disk meanwhile is then seen twice and never missed.
            held = [h.entry for h in self._held if h.entry.seq > after and kind in (None, h.entry.kind)]
        found = {entry.seq: entry for entry in self._stored(after, kind, limit)}
        found |= {entry.seq: entry for entry in held}
        entries = [found[seq] for seq in sorted(found)]
        return entries if limit < 0 else entries[:limit]

    def _stored(self, after: int, kind: str | None, limit: int) -> list[Entry]:
        files, found = journal_files(self.path), list[Entry]()
        try:
            for path in files:
                with reading(path) as connection:
                    found += entries_of(connection, after=after, kind=kind, limit=limit)
        except sqlite3.DatabaseError:
            entries = read_damaged(files).entries.values()
            found = [entry for entry in entries if entry.seq > after and kind in (None, entry.kind)]
        return found

    # Adding a row: with the lock held

    def _add(self, kind: str, body: Mapping[str, Any], *, own: bool = False) -> Entry:
        if kind in MARKS:
            body = {**body, "signed_by": bytes(self.key).hex()}
        bare = Entry(
            seq=self._seq + 1,
            prev=self._hash,
            time=self._clock.now().isoformat(),
            monotonic=self._clock.monotonic(),
            boot=self.boot,
            clock="trusted" if self._clock.state().trusted else "untrusted",
            kind=kind,
            text=canonical(dict(body)).decode(),
            hash="",
        )
        entry = signed(bare._replace(hash=entry_hash(bare)), self._key)
        self._seq, self._hash = entry.seq, entry.hash
        if not own and len(self._held) >= self._most_held + self._in_flight:
            # Those that are being written cannot be called back.
            self._let_go.append(self._held[self._in_flight].entry.seq)
            del self._held[self._in_flight]
        self._held.append(_Held(entry, self._stopwatch(), own))
        return entry

    def _add_segment(self, *, why: str, lost: list[int], kept: str | None = None) -> None:
        """Add the row that says why the journal goes on in another file, and which rows are lost for good."""
        body = {"file": self._target.name, "seq": self._landed, "why": why, "lost": ranges(lost), "kept": kept}
        self._add("segment", {**body, "head": self._hash}, own=True)

    # The writing thread

    def _write_on(self) -> None:
        while (batch := self._next_batch()) is not None:
            if not batch.rows and not batch.checkpoints:
                self._keep_tidy()
                continue
            try:
                self._put(batch)
            except (sqlite3.Error, OSError) as error:
                if not self._failed(error):
                    break
            else:
                self._put_down(batch)
        self._close()

    def _next_batch(self) -> _Batch | None:
        """Wait for something to write; an empty batch is time to tidy up. None: everything is done."""
        with self._condition:
            while True:
                wait_s = self._retry.not_before - self._stopwatch()
                if wait_s <= 0 or self._stopping:
                    if self._held or self._unsaved:
                        return self._batch()
                    if self._stopping:
                        return None
                    wait_s = self._counts.tidied_at + _TIDY_S - self._stopwatch()
                    if wait_s <= 0 or self._counts.since_tidy >= self._tidy_rows:
                        return _Batch((), {}, None)
                self._condition.wait(wait_s)

    def _batch(self) -> _Batch:
        if self._let_go:
            lost, self._let_go = self._let_go, []
            self._add_segment(why="more rows than memory holds", lost=lost)
        rows = tuple(self._held)
        self._in_flight = len(rows)
        signatures = [*self._counts.unsealed, *(str(held.entry.signature) for held in rows)]
        seal = None
        if len(signatures) >= SEAL_EVERY and self._goes_on(rows):
            seal = make_seal(rows[-1].entry.seq - len(signatures) + 1, signatures, self._key)
        return _Batch(rows, dict(self._kept if self._fresh else self._unsaved), seal)

    def _put(self, batch: _Batch) -> None:
        entries = [held.entry for held in batch.rows]
        if self._file is None:
            file = self._open_file(self._target)
            last = file.open()
            self._file = file
            if last is not None and not self._fresh and last[0] > self._landed:
                # It was written although the disk said no: it stands if it is the very same.
                if last not in [(entry.seq, entry.hash) for entry in entries]:
                    raise sqlite3.DatabaseError(f"row {last[0]} in the file is not the one that was written")
                entries = [entry for entry in entries if entry.seq > last[0]]
        self._file.write(entries, batch.checkpoints, batch.seal)

    def _put_down(self, batch: _Batch) -> None:
        now = self._stopwatch()
        slow = [h.entry.seq for h in batch.rows if now - h.since > self._slow_s and not h.own]
        with self._condition:
            for _ in batch.rows:
                self._held.popleft()
            self._in_flight = 0
            if batch.rows:
                last = batch.rows[-1].entry
                self._note_unsealed(batch)
                self._landed = last.seq
            self._unsaved = {
                n: t for n, t in self._unsaved.items() if n not in batch.checkpoints or batch.checkpoints[n] is not t
            }
            self._unsaved_since = now if self._unsaved else None
            self._late = bool(self._held)
            self._fresh = False
            self._retry = _Retry()
            self._counts.since_tidy += len(batch.rows) + len(batch.checkpoints)
            for code in ("journal_busy", "journal_read_only"):
                self._troubles.pop(code, None)
            if self._reserve.whole:
                self._troubles.pop("journal_full", None)
            if slow:
                oldest = max(now - h.since for h in batch.rows)
                held = {"first": slow[0], "last": slow[-1], "seconds": round(oldest, 1)}
                self._add("fault", {"code": "journal_held", "state": "once", "volatile": held}, own=True)
            self._condition.notify_all()
        if batch.rows:
            self._note.write(last)

    def _goes_on(self, rows: tuple[_Held, ...]) -> bool:
        """Return whether rows follow what is on disk without a gap."""
        return bool(rows) and rows[-1].entry.seq == self._landed + len(rows)

    def _note_unsealed(self, batch: _Batch) -> None:
        if batch.seal is not None or not self._goes_on(batch.rows):
            self._counts.unsealed = []
        else:
            self._counts.unsealed += [str(held.entry.signature) for held in batch.rows]

    def _keep_tidy(self) -> None:
        self._counts.tidied_at, self._counts.since_tidy = self._stopwatch(), 0
        if not self._reserve.whole and self._reserve.make():
            with self._condition:
                self._troubles.pop("journal_full", None)
        try:
            if self._file is not None:
                self._file.tidy()
        except (sqlite3.Error, OSError) as error:
            self._failed(error)

    def _failed(self, error: sqlite3.Error | OSError) -> bool:
        """Decide what to do after a write that did not succeed; return whether to go on at all."""
        now = self._stopwatch()
        code = fault_of(error, self.path.parent)
        busy = code == "journal_busy"
        if not busy:
            self._close()
        renew = code == "journal_suspect"
        with self._condition:
            self._in_flight = 0
            self._late = True
            self._troubles[code] = str(error)
            if self._stopping:
                return False
            retry = self._retry
            retry.not_before = now + (0.25 if busy else retry.wait_s)
            retry.busy_since = None if not busy else (now if retry.busy_since is None else retry.busy_since)
            renew = renew or (busy and now - (retry.busy_since or now) >= BUSY_S)
            if code == "journal_full" and self._reserve.release():
                retry.not_before = now
            self._condition.notify_all()
        _log.warning(code, journal=self.path.stem, error=str(error))
        if renew:
            self._renew(str(error))
        return True

    def _renew(self, why: str) -> None:
        """Trust the file no more: look which acknowledged rows are still there, and go on in a new one."""
        self._close()
        if self._fresh:
            remove(self._target)
            self._retry.wait_s = min(2 * self._retry.wait_s, _LONGEST_RETRY_S)
            return
        there = {entry.seq for entry in self._trusted()}
        target = next_file(self.path)
        with self._condition:
            lost = sorted(set(range(1, self._landed + 1)) - there - self._declared_lost())
            self._target, self._fresh = target, True
            self._counts.unsealed = []
            self._add_segment(why=why, lost=lost)
            self._retry = _Retry()

    def _trusted(self) -> list[Entry]:
        return [entry for entry in self._stored(0, None, -1) if entry.fits()]

    def _declared_lost(self) -> set[int]:
        rows = self._stored(0, "segment", -1)
        pairs = [pair for entry in rows for pair in entry.row().body.get("lost", [])]
        return {seq for first, last in pairs for seq in range(first, last + 1)}

    def _close(self) -> None:
        if self._file is not None:
            with suppress(sqlite3.Error):
                self._file.close()
            self._file = None
