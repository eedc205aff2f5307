"""One run of the aircheck: a folder of numbered one-second files and the list of them, which only ever grows."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

HEAD = "head.mp4"
_LIST = "list.m3u8"
_TAIL_BYTES = 8_192
_STALE_S = 6.0
_NAME = re.compile(r"\d{8}T\d{6}Z(?:-\d{1,3})?")
_FILE = re.compile(r"head\.mp4|\d{6,9}\.m4s")
_ENTRY = re.compile(r"#EXT-X-PROGRAM-DATE-TIME:(\S+)\n#EXTINF:([\d.]+),\n(\d{6,9}\.m4s)\n")
_END = "#EXT-X-ENDLIST\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One file of sound: when its first sample went out (aware UTC) and how long it is."""

    name: str
    start: datetime
    seconds: float

    @property
    def end(self) -> datetime:
        """When the next piece begins."""
        return self.start + timedelta(seconds=self.seconds)

    @property
    def number(self) -> int:
        """Its place in the run, from 0."""
        return int(self.name.partition(".")[0])

    def entry(self, prefix: str = "") -> str:
        """Return its lines in a playlist."""
        moment = self.start.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return f"#EXT-X-PROGRAM-DATE-TIME:{moment}\n#EXTINF:{self.seconds:.6f},\n{prefix}{self.name}\n"


@dataclass(frozen=True, slots=True)
class Run:
    """A run's folder, `20261123T170500Z`: named by the UTC second in which it began."""

    folder: Path

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def start(self) -> datetime:
        """The second in which the run began, from its name."""
        return datetime.strptime(self.name[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)

    def pieces(self) -> tuple[Piece, ...]:
        """Return every piece whose entry was written whole: a writer may have died in the middle of one."""
        return tuple(_pieces(self._text(None)))

    def last_pieces(self, count: int) -> tuple[Piece, ...]:
        """Return the newest pieces; the cost does not grow with the run."""
        return tuple(_pieces(self._text(_TAIL_BYTES)))[-count:]

    def is_active(self) -> bool:
        """Return whether its writer is at work: no end was written, and the list grew in the last 6 s.

        Both are of this machine's file system and its clock, as the writer is; station time plays no part.
        """
        try:
            age_s = time.time() - (self.folder / _LIST).stat().st_mtime
        except FileNotFoundError:
            return False
        return -_STALE_S < age_s < _STALE_S and not self._text(_TAIL_BYTES).endswith(_END)

    def file(self, name: str) -> Path | None:
        """Return one of the run's own files."""
        path = self.folder / name
        return path if _FILE.fullmatch(name) and path.is_file() else None

    def begin(self, head: bytes) -> None:
        """Write what a player must read before any piece, and an empty list."""
        self._write(HEAD, head)
        with (self.folder / _LIST).open("w", encoding="ascii") as file:
            file.write(
                "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n#EXT-X-PLAYLIST-TYPE:EVENT\n"
                f'#EXT-X-MAP:URI="{HEAD}"\n'
            )

    def add(self, piece: Piece, data: bytes) -> None:
        """Write a piece, then its entry: what is listed can be played, whenever the writer dies."""
        self._write(piece.name, data)
        self._append(piece.entry())

    def end(self) -> None:
        """Write that nothing more will come."""
        self._append(_END)

    def _write(self, name: str, data: bytes) -> None:
        temporary = self.folder / f".{name}"
        temporary.write_bytes(data)
        temporary.replace(self.folder / name)

    def _append(self, text: str) -> None:
        with (self.folder / _LIST).open("a", encoding="ascii") as file:
            file.write(text)

    def _text(self, last_bytes: int | None) -> str:
        try:
            with (self.folder / _LIST).open("rb") as file:
                if last_bytes is not None:
                    file.seek(max(0, file.seek(0, os.SEEK_END) - last_bytes))
                return file.read().decode("ascii", errors="replace")
        except FileNotFoundError:
            return ""


def runs(root: Path) -> tuple[Run, ...]:
    """Return the runs below a station's folder, oldest first."""
    if not root.is_dir():
        return ()
    folders = (path for path in root.iterdir() if _NAME.fullmatch(path.name) and path.is_dir())
    return tuple(Run(folder) for folder in sorted(folders, key=lambda path: path.name))


def new_run(root: Path, start: datetime) -> Run:
    """Make the folder of a run that begins now; a second one in the same second gets a number."""
    name = start.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    root.mkdir(parents=True, exist_ok=True)
    for suffix in ("", *(f"-{number}" for number in range(2, 1000))):
        folder = root / f"{name}{suffix}"
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return Run(folder)
    raise FileExistsError(f"{root / name}: too many runs in one second")


def is_run_name(name: str) -> bool:
    """Return whether a folder of that name could be a run: no path can hide in it."""
    return _NAME.fullmatch(name) is not None


def _pieces(text: str) -> Iterator[Piece]:
    for moment, seconds, name in _ENTRY.findall(text):
        yield Piece(name=name, start=datetime.fromisoformat(moment), seconds=float(seconds))
