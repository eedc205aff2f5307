"""Says whether a journal is as its station wrote it: chain, signature of every row, seals, and what witnesses know."""

from __future__ import annotations

import re
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from nacl.signing import VerifyKey

from link.chain import GENESIS, row_hash
from link.keys import verify
from playout.journal.journalfile import Entry, Row, Seal, entries_of, joined, journal_files, reading, seals_of
from schedules.errors import JournalBroken, SignatureInvalid

MARKS = ("boot", "segment")
"""The rows that name the key by which every row is signed from there on."""

_REMEMBERED = 10_000
_HEX = re.compile("[0-9a-f]{128}")


class Witness(NamedTuple):
    """The number and hash of a row as somebody outside the journal knows it."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """A journal that was verified.

    rows, head: number and hash of the last row. signer: the key that the journal names. signed_from: the row from which
    on every row is signed, None where that was never so. lost: first and last number of rows that the station itself
    declared lost.
    """

    rows: int
    head: str
    signer: VerifyKey | None
    signed_from: int | None
    lost: tuple[tuple[int, int], ...]
    files: tuple[Path, ...]


def verify_rows(rows: Iterator[Row]) -> tuple[int, str]:
    """Recompute the chain; return the last number and hash, or raise JournalBroken at the first bad row."""
    expected, previous = 1, GENESIS
    for row in rows:
        if row.seq != expected:
            raise JournalBroken(expected, f"missing: row {row.seq} stands in its place")
        if row.prev != previous:
            raise JournalBroken(row.seq, "does not continue the row before it")
        if row_hash({name: getattr(row, name) for name in Row.__dataclass_fields__}) != row.hash:
            raise JournalBroken(row.seq, "its content does not fit its hash")
        expected, previous = row.seq + 1, row.hash
    return expected - 1, previous


def verify_file(path: Path, key: VerifyKey | None = None) -> tuple[int, str]:
    """Verify a journal with all its files, read-only; return the last number and hash. Raises JournalBroken.

    key: the station's; without it, the one that the journal names, which anybody could have put there.
    """
    examined = examine(path, key)
    return examined.rows, examined.head


def examine(path: Path, key: VerifyKey | None = None, *, witnesses: Sequence[Witness] = ()) -> Examined:
    """Verify the journal that begins with the file `path`, read-only, and say what it is.

    Raises JournalBroken at the first bad row; row 0 where a file cannot be read.
    """
    files = journal_files(path)
    if not files:
        raise JournalBroken(0, "the file cannot be read: there is none")
    # Nobody says where a later file begins when it is looked at alone.
    whole = not path.stem.rpartition(".")[2].isdigit()
    try:
        check = _run(files, _Terms(key=key, witnesses=witnesses, whole=whole), lenient=False)
    except sqlite3.OperationalError:
        try:  # once more, so that letters that are none are blamed on their row
            check = _run(files, _Terms(key=key, witnesses=witnesses, whole=whole), lenient=True)
        except sqlite3.DatabaseError as error:
            raise JournalBroken(0, f"the file cannot be read: {error}") from error
    except sqlite3.DatabaseError as error:
        raise JournalBroken(0, f"the file cannot be read: {error}") from error
    return Examined(
        rows=check.last,
        head=check.previous,
        signer=check.signer,
        signed_from=check.signed_from,
        lost=tuple(check.lost),
        files=tuple(files),
    )


def _run(files: Sequence[Path], terms: _Terms, *, lenient: bool) -> _Check:
    with ExitStack() as stack:
        connections = [stack.enter_context(reading(file, lenient=lenient)) for file in files]
        declared = [
            lost for file in connections for entry in entries_of(file, kind="segment") for lost in _lost_in(entry)
        ]
        seals = {seal.seq: seal for file in connections for seal in seals_of(file)}
        check = _Check(terms, seals=list(seals.values()), declared=declared)
        for entry in chain.from_iterable(entries_of(file, after=0) for file in connections):
            check.take(entry)
        check.end(_heads_alone(connections))
        for file in connections:
            for (seq,) in file.execute("SELECT seq FROM journal WHERE seq < 1 LIMIT 1"):
                raise JournalBroken(seq, "has a number that no row has")
        return check


def check_entries(
    entries: Iterable[Entry],
    *,
    key: VerifyKey | None,
    seals: Sequence[Seal] = (),
    heads_alone: Sequence[int] = (),
    witnesses: Sequence[Witness] = (),
) -> tuple[int, str]:
    """Verify rows that are in memory, as `examine` does those of a file. Raises JournalBroken."""
    entries = list(entries)
    declared = [lost for entry in entries if entry.kind == "segment" for lost in _lost_in(entry)]
    check = _Check(_Terms(key=key, witnesses=witnesses, whole=True), seals=seals, declared=declared)
    for entry in entries:
        check.take(entry)
    check.end(heads_alone)
    return check.last, check.previous


class _Terms(NamedTuple):
    """What a journal is held against. whole: it must begin with row 1."""

    key: VerifyKey | None
    witnesses: Sequence[Witness]
    whole: bool


class _Check:
    """Takes the rows one after the other and raises JournalBroken at the first bad one."""

    def __init__(self, terms: _Terms, *, seals: Sequence[Seal], declared: Sequence[tuple[int, int]]) -> None:
        self.last = 0
        self.previous = GENESIS
        self.signer: VerifyKey | None = None
        self.signed_from: int | None = None
        self.lost: list[tuple[int, int]] = []
        self._key = terms.key
        self._seals = deque(sorted(seals))
        self._newest_seal = max((seal.seq for seal in seals), default=0)
        self._declared = declared
        self._whole = terms.whole
        self._witnesses = {witness.seq: witness.hash for witness in terms.witnesses}
        # Rows whose signatures a seal further on will vouch for.
        self._open: list[Entry] = []
        self._hashes: deque[tuple[int, str]] = deque(maxlen=_REMEMBERED)

    def take(self, entry: Entry) -> None:
        """Check the next row."""
        if not self._whole and self.last == 0:
            self.last, self.previous = entry.seq - 1, entry.prev
        if entry.seq <= self.last and self.last:
            # What a file could not confirm any more stands again in the next one.
            if (entry.seq, entry.hash) not in self._hashes:
                self._fail(entry.seq, "stands twice, with different content")
            return
        follows = entry.seq == self.last + 1
        if not follows:
            gap = (self.last + 1, entry.seq - 1)
            if entry.seq < 1 or not self._was_declared(gap):
                self._fail(self.last + 1, f"missing: row {entry.seq} stands in its place")
            self.lost.append(gap)
        elif entry.prev != self.previous:
            self._fail(entry.seq, "does not continue the row before it")
        if not entry.fits():
            self._fail(entry.seq, "its content does not fit its hash")
        if entry.kind in MARKS:
            self._mark(entry)
        self._check_signature(entry, needed=self.signed_from is not None or not follows)
        known = self._witnesses.pop(entry.seq, entry.hash)
        if known != entry.hash:
            self._fail(entry.seq, "is not the row that was known elsewhere under this number")
        self.last, self.previous = entry.seq, entry.hash
        self._hashes.append((entry.seq, entry.hash))

    def end(self, heads_alone: Sequence[int]) -> None:
        """Check what stands after the last row. heads_alone: numbers of signatures that have no row."""
        self._check_open()
        for seq in heads_alone:
            if seq > self.last:
                self._fail(self.last + 1, f"cut off: a head was signed for row {seq}")
            if not any(first <= seq <= last for first, last in self.lost):
                self._fail(seq, "was removed: its signature is still there")
        if self._newest_seal > self.last:
            self._fail(self.last + 1, f"cut off: a seal was made for row {self._newest_seal}")
        beyond = [seq for seq in self._witnesses if seq > self.last]
        if beyond:
            self._fail(self.last + 1, f"cut off: row {max(beyond)} is known elsewhere")

    def _fail(self, seq: int, reason: str) -> None:
        # A changed row whose successors were chained anew is named by its signature, not by what comes after it.
        self._check_open()
        raise JournalBroken(seq, reason)

    def _was_declared(self, gap: tuple[int, int]) -> bool:
        missing = gap[0]
        for first, last in sorted(self._declared):
            if first <= missing:
                missing = max(missing, last + 1)
        return missing > gap[1]

    def _mark(self, entry: Entry) -> None:
        named = _body(entry).get("signed_by")
        if named is None:
            return
        try:
            key = VerifyKey(bytes.fromhex(str(named)))
        except (TypeError, ValueError):
            return
        if self.signer is not None and self.signer != key:
            self._fail(entry.seq, "names another key than the rows before it")
        if self.signed_from is None:
            self.signer, self.signed_from = key, entry.seq
        if self._key is not None and self._key != key:
            self._fail(entry.seq, "is not signed by this station, but names another key")

    def _check_signature(self, entry: Entry, *, needed: bool) -> None:
        if entry.signature is None:
            if needed:
                self._fail(entry.seq, "its signature was removed")
            return
        if entry.head_hash != entry.hash:
            self._fail(entry.seq, "differs from its signed head: it was changed after it was signed")
        while self._seals and self._seals[0].seq < entry.seq:
            self._check_open()
            self._seals.popleft()
        seal = self._seals[0] if self._seals else None
        if seal is None or (isinstance(seal.first, int) and entry.seq < seal.first):
            self._check_alone(entry)
            return
        if entry.head_time != entry.time:
            self._check_alone(entry)  # a seal vouches for signatures, not for what stands beside them
        self._open.append(entry)
        if entry.seq == seal.seq:
            self._check_seal(seal)

    def _check_seal(self, seal: Seal) -> None:
        key = self._key or self.signer
        if key is None:
            self._open.clear()
            return
        signatures = [str(entry.signature) for entry in self._open]
        numbers = [entry.seq for entry in self._open]
        fits = numbers == _numbers(seal) and joined(signatures) == seal.signatures
        if fits and _signed(key, seal.message(), seal.signature):
            self._open.clear()
            return
        self._check_open()
        raise JournalBroken(seal.seq, "its seal does not fit the signatures before it")

    def _check_open(self) -> None:
        pending, self._open = self._open, []
        for entry in pending:
            self._check_alone(entry)

    def _check_alone(self, entry: Entry) -> None:
        key = self._key or self.signer
        if key is not None and not _signed(key, entry.message(), entry.signature):
            raise JournalBroken(entry.seq, "is not signed by this station: content, place or time are not those signed")


def _signed(key: VerifyKey, message: bytes, signature: object) -> bool:
    # Out of a damaged file it may be anything; one signature is written in one way only.
    if not isinstance(signature, str) or _HEX.fullmatch(signature) is None:
        return False
    try:
        verify(key, message, signature)
    except SignatureInvalid:
        return False
    return True


def _numbers(seal: Seal) -> list[int]:
    """Return the numbers of the rows that a seal speaks of; none where it is damaged."""
    return list(range(seal.first, seal.seq + 1)) if isinstance(seal.first, int) else []


def is_signed(entry: Entry, key: VerifyKey) -> bool:
    """Return whether a row's own signature is of `key`, over this very row."""
    return (
        entry.head_hash == entry.hash and entry.signature is not None and _signed(key, entry.message(), entry.signature)
    )


def _body(entry: Entry) -> dict[str, object]:
    body = entry.row().body
    return body if isinstance(body, dict) else {}


def _lost_in(entry: Entry) -> list[tuple[int, int]]:
    """Return which rows a row of kind `segment` declares lost."""
    lost = _body(entry).get("lost")
    pairs = lost if isinstance(lost, list) else []
    return [(p[0], p[1]) for p in pairs if isinstance(p, list) and len(p) == 2 and all(type(n) is int for n in p)]


def _heads_alone(files: Sequence[sqlite3.Connection]) -> list[int]:
    """Return the numbers of signatures whose row is in none of the files."""
    query = "SELECT seq FROM head WHERE seq NOT IN (SELECT seq FROM journal)"
    alone = {seq for file in files for (seq,) in file.execute(query)}
    found: Callable[[sqlite3.Connection, int], bool] = lambda file, seq: (  # noqa: E731 - one question, named
        file.execute("SELECT count(*) FROM journal WHERE seq = ?", (seq,)).fetchone()[0] > 0
    )
    return sorted(seq for seq in alone if not any(found(file, seq) for file in files))
