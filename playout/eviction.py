"""Room on a station's disk: the oldest audio that nothing decided names any more goes first, and nothing else ever."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path


class Evictor:
    """Makes room in one library of a machine that can fetch its audio again; never built where people upload.

    pinned: gives the hashes that stay: everything approved, emergency templates among it, and what is on air.
    """

    def __init__(self, root: Path, *, pinned: Callable[[], Iterable[str]]) -> None:
        self._root = root
        self._pinned = pinned
        self._lock = threading.Lock()

    def make_room(self, enough: Callable[[], bool]) -> tuple[str, ...]:
        """Remove files, oldest first, until it is enough or none is left that may go; return their hashes."""
        removed: list[str] = []
        with self._lock:
            if enough():
                return ()
            pinned = frozenset(self._pinned())
            for _, path in sorted(self._unpinned(pinned)):
                path.unlink(missing_ok=True)
                removed.append(path.stem)
                if enough():
                    break
        return tuple(removed)

    def _unpinned(self, pinned: frozenset[str]) -> list[tuple[int, Path]]:
        found = []
        for path in self._root.glob("??/*.flac"):
            if path.stem not in pinned:
                try:
                    found.append((path.lstat().st_mtime_ns, path))
                except FileNotFoundError:
                    continue
        return found
