"""A library of files of ours: each named by the SHA-256 of its bytes, each checked before it is played."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Collection
from pathlib import Path

from schedules.errors import SegmentUnplayable
from schedules.findings import Finding, Severity
from schedules.text import Text

_BLOCK = 1 << 20
_TEMPORARY = ".part"


class Library:
    """Files under `root`, as `ab/<sha256>.flac`, or with another suffix; written once, never changed."""

    def __init__(self, root: Path, *, suffix: str = ".flac") -> None:
        self._root = root
        self._suffix = suffix

    def path(self, sha256: str) -> Path:
        """Return where the file with this hash lies or would lie; raises ValueError for anything but a hash."""
        if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
            raise ValueError(f"not a SHA-256: {sha256!r}")
        return self._root / sha256[:2] / f"{sha256}{self._suffix}"

    def has(self, sha256: str) -> bool:
        """Return whether a file of that name is there; its bytes are not looked at."""
        return self.path(sha256).is_file()

    def open_verified(self, sha256: str) -> int:
        """Return an open file, at its first byte, whose bytes were hashed through that very descriptor.

        The caller closes it and must read through it: the name may mean another file by then.
        Raises SegmentUnplayable with `media_missing` or `media_hash`.
        """
        try:
            descriptor = os.open(self.path(sha256), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            raise SegmentUnplayable(_missing(sha256)) from error
        with contextlib.ExitStack() as unless_good:
            unless_good.callback(os.close, descriptor)
            if not stat.S_ISREG(os.fstat(descriptor).st_mode) or _hash(descriptor) != sha256:
                raise SegmentUnplayable(_changed(sha256))
            os.lseek(descriptor, 0, os.SEEK_SET)
            unless_good.pop_all()
        return descriptor

    def adopt(self, temporary: Path) -> str:
        """Move a finished file into the library and return its SHA-256; safe against power cuts.

        The bytes are on the disk before the name is, and the name before this returns. `temporary` is gone
        afterwards; a file of the same bytes that is there already is replaced by it.
        """
        self._root.mkdir(parents=True, exist_ok=True)
        placed = _on_same_disk(temporary, self._root)
        with placed.open("rb") as file:
            sha256 = _hash(file.fileno())
            os.fchmod(file.fileno(), 0o440)
            os.fsync(file.fileno())
        target = self.path(sha256)
        target.parent.mkdir(exist_ok=True)
        placed.replace(target)
        _sync_folder(target.parent)
        _sync_folder(self._root)
        return sha256

    def remove(self, sha256: str) -> None:
        """Remove the file with this hash, where it is there: nobody needs it any more."""
        self.path(sha256).unlink(missing_ok=True)

    def sweep(self, keep: Collection[str], older_than_s: float) -> tuple[str, ...]:
        """Remove files that nobody keeps and that are older than that many seconds; return their hashes.

        Leftovers of interrupted writing go as well, after the same time.
        """
        kept, removed = set(keep), []
        before = time.time() - older_than_s
        for file in sorted(self._root.glob(f"??/*{self._suffix}")) + sorted(self._root.glob(f"*{_TEMPORARY}")):
            if file.stem not in kept and file.lstat().st_mtime < before:
                file.unlink(missing_ok=True)
                removed.append(file.stem)
        return tuple(removed)


def _on_same_disk(temporary: Path, root: Path) -> Path:
    """Return the file where it can be renamed into the library: itself, or a copy when it is on another disk."""
    if temporary.stat().st_dev == root.stat().st_dev:
        return temporary
    handle, name = tempfile.mkstemp(dir=root, suffix=_TEMPORARY)
    with temporary.open("rb") as source, os.fdopen(handle, "wb") as copy:
        shutil.copyfileobj(source, copy, _BLOCK)
    temporary.unlink()
    return Path(name)


def _hash(descriptor: int) -> str:
    digest = hashlib.sha256()
    offset = 0
    while block := os.pread(descriptor, _BLOCK, offset):
        digest.update(block)
        offset += len(block)
    return digest.hexdigest()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _missing(sha256: str) -> Finding:
    return Finding(
        code="media_missing",
        severity=Severity.ERROR,
        message=Text("Không tìm thấy tệp âm thanh đã duyệt.", "The approved sound file is missing."),
        where=sha256,
    )


def _changed(sha256: str) -> Finding:
    return Finding(
        code="media_hash",
        severity=Severity.ERROR,
        message=Text(
            "Tệp âm thanh không còn đúng với bản đã duyệt nên không được phát.",
            "The sound file is no longer the approved one, so it does not air.",
        ),
        where=sha256,
    )
