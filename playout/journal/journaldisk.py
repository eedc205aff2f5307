"""What the journal knows of the disk it is on: room kept for bad days, and what an error of it stands for."""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path


class Reserve:
    """Room that is kept on the disk, to be given back when it is full; `size` 0 for none."""

    def __init__(self, path: Path, size: int) -> None:
        self._path = path
        self._size = size
        self.whole = size == 0

    def make(self) -> bool:
        """Take the room, if it is there; return whether it is taken."""
        if self._size == 0:
            return True
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            with closing(os.fdopen(descriptor, "r+b", buffering=0)) as file:
                os.posix_fallocate(file.fileno(), 0, self._size)
        except OSError:
            self.release()
        else:
            self.whole = True
        return self.whole

    def release(self) -> bool:
        """Give the room back; False where none was taken."""
        self.whole = self._size == 0
        try:
            self._path.unlink()
        except OSError:
            return False
        return True


def fault_of(error: sqlite3.Error | OSError, folder: Path) -> str:
    """Return the fault that an error of the disk stands for."""
    primary = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if held_by_another(error):
        return "journal_busy"
    if primary == sqlite3.SQLITE_FULL or getattr(error, "errno", None) == errno.ENOSPC:
        return "journal_full"
    if primary in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR) or isinstance(
        error, OSError
    ):
        # SQLite says only that it did not work; the folder knows more.
        state = _state_of(folder)
        if state is not None:
            return state
        if primary != sqlite3.SQLITE_IOERR:
            return "journal_read_only"
    return "journal_suspect"


def held_by_another(error: BaseException | None) -> bool:
    """Return whether an error, or what caused it, is that another process holds the file."""
    while error is not None:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return True
        error = error.__cause__
    return False


def _state_of(folder: Path) -> str | None:
    try:
        _probe(folder)
    except OSError as error:
        return "journal_full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "journal_read_only"
    return None


def writable(folder: Path) -> bool:
    """Return whether a folder could be written, were there room."""
    try:
        _probe(folder)
    except OSError as error:
        return error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM)
    return True


def _probe(folder: Path) -> None:
    """Raise OSError where nothing can be written into a folder."""
    path = folder / f".probe-{os.getpid()}"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, bytes(4096))
    finally:
        os.close(descriptor)
        path.unlink()


def remove(path: Path) -> None:
    """Delete a file of SQLite's with what belongs to it, as far as that can be done."""
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        with suppress(OSError):
            path.with_name(name).unlink()
