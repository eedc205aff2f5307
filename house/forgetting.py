"""What contributors sent is forgotten when its time is over: rows emptied, photos and voices deleted, for good."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from audio.picture import pictures
from schedules.clock import Clock
from store import authority, contributions, outsidelinks, steps
from store.database import Database
from webui.voices import original, voices

_AT_ONCE = 200
# A photo is on the disk a moment before the row that names it.
_FRESH_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What one round removed: contributions emptied, files deleted, holders of links forgotten."""

    contributions: int
    files: int
    holders: int


def forget(database: Database, data: Path, clock: Clock) -> Forgotten:
    """Forget what is over by the setting: so many days after somebody dealt with it, twice as many where nobody did.

    Files go with their row, and so do those that no row names.
    """
    now = clock.now()
    with database.reading() as session:
        keep = timedelta(days=authority.value(session, authority.INBOX_DAYS))
    count, files = 0, 0
    gone: list[Path] = []
    while True:
        with database.writing() as session:
            over = contributions.to_forget(session, decided=now - keep, untouched=now - 2 * keep, limit=_AT_ONCE)
            for one in over:
                contributions.forget(session, one.id, now)
        for one in over:
            original(data, one.id).unlink(missing_ok=True)
            gone += [pictures(data).path(one.picture)] if one.picture else []
            gone += [voices(data).path(one.voice_sha256)] if one.voice_sha256 else []
        count += len(over)
        if len(over) < _AT_ONCE:
            break
    with database.writing() as session:
        holders = outsidelinks.forget_holders(session, now - keep)
    with database.reading() as session:
        wanted_pictures = contributions.pictures(session) | steps.pictures(session)
        wanted_voices = contributions.voices(session)
    # Two people may have sent the same photo.
    for file in gone:
        if file.stem not in wanted_pictures | wanted_voices and file.is_file():
            file.unlink(missing_ok=True)
            files += 1
    files += _sweep(data / "pictures", "??/*.jpg", wanted_pictures) + _sweep(
        data / "voices", "??/*.flac", wanted_voices
    )
    files += _sweep(data / "voices" / "sent", "*", wanted_voices)
    return Forgotten(contributions=count, files=files, holders=holders)


def _sweep(folder: Path, pattern: str, wanted: Collection[str]) -> int:
    """Delete the files that nobody needs and that are not just being written; return how many."""
    removed = 0
    before = time.time() - _FRESH_S
    for file in folder.glob(pattern):
        if file.stem not in wanted and file.is_file() and file.lstat().st_mtime < before:
            file.unlink(missing_ok=True)
            removed += 1
    return removed
