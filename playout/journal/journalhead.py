"""What is known of a journal beside its rows: the newest row's signature, and how its station last was."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from nacl.signing import VerifyKey

from link.chain import head_message
from link.codec import canonical
from link.keys import verify
from playout.journal.journalfile import Entry, checkpoints_of, journal_files, reading
from playout.journal.journalsalvage import read_damaged
from schedules.errors import SignatureInvalid

_HEAD_BYTES = 512


class Head(NamedTuple):
    """A row's number, hash and time with the station's signature over them."""

    seq: int
    hash: str
    time: str
    signature: str


class HeadNote:
    """The newest row's signature beside the file: whoever cuts the file's tail off would have to know of it.

    Not brought to the disk each time, so after a power cut it may be older than the file, never newer.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def open(self) -> None:
        """Get ready to write; where that cannot be there is no note."""
        with suppress(OSError):
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def write(self, last: Entry) -> None:
        """Note a row that is on disk."""
        if self._file is None:
            return
        text = canonical({"hash": last.hash, "seq": last.seq, "signature": last.signature, "time": last.time})
        with suppress(OSError):  # it is no more than a witness
            os.pwrite(self._file, text.ljust(_HEAD_BYTES), 0)


def read_head(path: Path, key: VerifyKey) -> Head | None:
    """Return the note of `HeadNote`; None where there is none that `key` signed."""
    try:
        note = json.loads(path.read_bytes())
        head = Head(note["seq"], note["hash"], note["time"], note["signature"])
        verify(key, head_message(head.seq, head.hash, head.time), head.signature)
    except (OSError, ValueError, KeyError, TypeError, SignatureInvalid):
        return None
    return head


@dataclass(frozen=True, slots=True, kw_only=True)
class NewestState:
    """What a journal knows: its newest time that was believed, and the last alive mark with its boot and clock."""

    time: datetime | None = None
    boot: str | None = None
    trusted: bool = False
    offset_s: float | None = None


def newest_state(path: Path) -> NewestState:
    """Return the newest state of a journal that nobody writes, damaged or not; empty where there is none yet."""
    # A row of an untrusted clock says nothing about the time: after a start in the past it would lower the mark.
    newest = "SELECT time FROM journal WHERE clock = 'trusted' ORDER BY seq DESC LIMIT 1"
    texts: list[str] = []
    state: dict[str, Any] = {}
    waiting = path.with_suffix(".rebuilt")
    files = [*journal_files(path), *([waiting] if waiting.exists() else [])]
    try:
        for file in files:
            with reading(file) as connection:
                texts += [row[0] for row in connection.execute(newest)]
                state = json.loads(checkpoints_of(connection).get("alive", "null")) or state
    except (sqlite3.DatabaseError, ValueError):
        salvaged = read_damaged(files)
        texts = [entry.time for entry in salvaged.entries.values() if entry.clock == "trusted"]
        state = json.loads(salvaged.checkpoints.get("alive", "{}"))
    texts += [state["time"]] if state.get("trusted") else []
    times = [datetime.fromisoformat(text) for text in texts]
    return NewestState(
        time=max(times, default=None),
        boot=state.get("boot"),
        trusted=bool(state.get("trusted", False)),
        offset_s=state.get("offset_s"),
    )
