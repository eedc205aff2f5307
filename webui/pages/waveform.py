"""Bars of a recording's loudness, computed once a hash and kept: canonical audio never changes."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from audio.peaks import peaks
from webui.services import services

_BARS = 96


def peaks_of(sha256: str) -> tuple[int, ...]:
    """Return about a hundred heights 0 to 100; none where the audio is not here."""
    path = services().library.path(sha256)
    return _peaks(path) if path.is_file() else ()


@lru_cache(maxsize=256)
def _peaks(path: Path) -> tuple[int, ...]:
    return tuple(peaks(path, count=_BARS))
