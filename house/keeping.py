"""Backup and restore: a consistent copy of everything in DATA, verified before it replaces anything."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from nacl.signing import SigningKey, VerifyKey

from playout.journal.journal import verify_file
from playout.journal.journalfile import journal_files, journals_in
from schedules.errors import JournalBroken, Refused
from schedules.findings import Finding, Severity
from schedules.text import Text

MANIFEST = "loa-backup.json"
_SMALL = ("keys", "intent")
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupReport:
    """What a backup holds: files, bytes, and per station the last journal row."""

    files: int
    bytes: int
    journals: dict[str, int]


def back_up(data: Path, target: Path, now: datetime, *, copy_store: Callable[[Path], None]) -> BackupReport:
    """Write a consistent copy of DATA into the new or empty folder `target`, while Loa may be running.

    copy_store: copies the database to a file, consistently. Journals are copied by SQLite's own backup, media by name:
    they never change. Raises Refused where `target` holds something.
    """
    if target.exists() and any(target.iterdir()):
        raise Refused(_error("not_empty", f"Thư mục {target} không trống.", f"The folder {target} is not empty."))
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    copy_store(target / "loa.db")
    journals: dict[str, int] = {}
    (target / "journal").mkdir()
    for first in journals_in(data / "journal"):
        for path in journal_files(first):
            _copy_journal(path, target / "journal" / path.name)
        copy = target / "journal" / first.name
        journals[first.stem] = verify_file(copy, station_key(data, first.stem))[0]
    for name in _SMALL:
        if (data / name).is_dir():
            shutil.copytree(data / name, target / name)
    if (data / "secret").exists():
        shutil.copy2(data / "secret", target / "secret")
    for folder in ("media", "originals", "pictures", "voices"):
        if (data / folder).is_dir():
            shutil.copytree(data / folder, target / folder, ignore=shutil.ignore_patterns("*.part", "*.tmp"))
    hashes = {str(path.relative_to(target)): _hash(path) for path in sorted(target.rglob("*")) if path.is_file()}
    manifest = {"made_at": now.isoformat(), "files": hashes}
    (target / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True))
    _sync(target)
    size = sum((target / name).stat().st_size for name in hashes)
    return BackupReport(files=len(hashes), bytes=size, journals=journals)


def verify_backup(source: Path) -> tuple[Finding, ...]:
    """Return everything that speaks against restoring `source`."""
    try:
        files = json.loads((source / MANIFEST).read_text())["files"]
    except (OSError, ValueError, KeyError):
        return (_error("no_backup", f"{source} không phải bản sao lưu của Loa.", f"{source} is no backup of Loa."),)
    found = []
    for name, digest in files.items():
        path = source / name
        if not path.is_file():
            found.append(_error("file_missing", f"Thiếu tệp {name}.", f"{name} is missing.", name))
        elif _hash(path) != digest:
            found.append(_error("file_changed", f"Tệp {name} đã bị thay đổi.", f"{name} was changed.", name))
    if found:
        return tuple(found)
    for path in journals_in(source / "journal"):
        try:
            verify_file(path, station_key(source, path.stem))
        except JournalBroken as error:
            vi, en = (
                f"Nhật ký {path.stem} hỏng ở dòng {error.seq}.",
                f"Journal {path.stem} is broken at row {error.seq}.",
            )
            found.append(_error("journal_broken", vi, en, path.stem))
    connection = sqlite3.connect(f"file:{source / 'loa.db'}?mode=ro", uri=True)
    try:
        if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            found.append(_error("store_broken", "Cơ sở dữ liệu hỏng.", "The database is damaged.", "loa.db"))
    finally:
        connection.close()
    return tuple(found)


def restore(source: Path, data: Path, now: datetime) -> Path | None:
    """Put a verified backup in the place of DATA; returns where the former DATA lies now. Raises Refused.

    Nothing may be running on DATA. The former one is kept beside it, never deleted.
    """
    if found := verify_backup(source):
        raise Refused(*found)
    fresh = data.with_name(f"{data.name}.restoring")
    if fresh.exists():
        shutil.rmtree(fresh)
    shutil.copytree(source, fresh, ignore=shutil.ignore_patterns(MANIFEST))
    fresh.chmod(0o700)
    _sync(fresh)
    former: Path | None = None
    if data.exists():
        former = _free(data.with_name(f"{data.name}.before-{now:%Y%m%dT%H%M%SZ}"))
        data.rename(former)
    fresh.rename(data)
    return former


def station_key(data: Path, code: str) -> VerifyKey | None:
    """Return the public key of a station whose key lies in `data`, None where it does not."""
    path = data / "keys" / f"station-{code}.ed25519"
    return SigningKey(path.read_bytes()).verify_key if path.exists() else None


def _free(wanted: Path) -> Path:
    """Return `wanted`, or with a number behind it where something is there already: two restores within a second."""
    path, number = wanted, 1
    while path.exists():
        number += 1
        path = wanted.with_name(f"{wanted.name}-{number}")
    return path


def _copy_journal(path: Path, copy: Path) -> None:
    source, target = sqlite3.connect(f"file:{path}?mode=ro", uri=True), sqlite3.connect(copy)
    try:
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")
    finally:
        target.close()
        source.close()


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(folder: Path) -> None:
    for path in folder.rglob("*"):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _error(code: str, vi: str, en: str, where: str = "") -> Finding:
    return Finding(code=code, severity=Severity.ERROR, where=where, message=Text(vi, en))
