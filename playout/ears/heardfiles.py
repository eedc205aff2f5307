"""Recordings of what ears heard: one FLAC file an airing below DATA/heard/STATION/OUTPUT, kept for a time, bounded."""

from __future__ import annotations

import contextlib
import hashlib
import re
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from playout.ears.earstream import EAR_HZ

MOST_BYTES = 2_000_000_000
"""Of all recordings of one output: some fifty hours; the oldest go first."""

_STAMP = "%Y%m%dT%H%M%SZ"
_NAME = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}\.flac")
_OUTPUT = re.compile(r"[^/\0]{1,64}")
_CHUNK_BYTES = 1 << 20


class HeardFiles:
    """The recordings of one station, a folder an output."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def path(self, output: str, name: str) -> Path | None:
        """Return a recording that an evidence row names, None where it is not kept or the name is not one."""
        if not _NAME.fullmatch(name) or not _OUTPUT.fullmatch(output) or output in (".", ".."):
            return None
        path = self._root / output / name
        return path if path.is_file() else None

    def purge(self, before: datetime) -> int:
        """Remove recordings that ended before a moment, aware; return how many."""
        old = [path for path in self._root.glob("*/*.flac") if path.stat().st_mtime < before.timestamp()]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)


class HeardFile:
    """One recording that is being written. Where the disk does not take it, `problem` says so and hearing goes on."""

    def __init__(self, folder: Path, *, start: datetime, airing: str) -> None:
        self.name = f"{start.strftime(_STAMP)}-{hashlib.sha256(airing.encode()).hexdigest()[:8]}.flac"
        self.problem: str | None = None
        self._path = folder / self.name
        self._file: soundfile.SoundFile | None = None

    def open(self) -> None:
        """Make room and begin."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            _make_room(self._path.parent)
            self._file = soundfile.SoundFile(
                self._path, "w", samplerate=EAR_HZ, channels=1, format="FLAC", subtype="PCM_16"
            )
        except (OSError, soundfile.LibsndfileError) as error:
            self.problem = str(error)

    def write(self, pcm: npt.NDArray[np.int16]) -> None:
        """Add samples."""
        if self._file is not None and self.problem is None:
            try:
                self._file.write(pcm)
            except (OSError, soundfile.LibsndfileError) as error:
                self.problem = str(error)

    def close(self) -> str | None:
        """End the file and return its SHA-256, None where it is not whole."""
        if self._file is None:
            return None
        with contextlib.suppress(soundfile.LibsndfileError):
            self._file.close()
        self._file = None
        if self.problem is not None:
            return None
        digest = hashlib.sha256()
        with self._path.open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
        return digest.hexdigest()


def _make_room(folder: Path) -> None:
    files = sorted(folder.glob("*.flac"))
    total = sum(path.stat().st_size for path in files)
    for path in files:
        if total <= MOST_BYTES:
            return
        total -= path.stat().st_size
        path.unlink(missing_ok=True)
