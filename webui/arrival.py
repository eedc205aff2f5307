"""An upload while it arrives: written straight into DATA/incoming, and gone again unless somebody keeps it."""

from __future__ import annotations

import io
import os
import shutil
from pathlib import Path
from typing import IO, cast

from flask import Request

from store.identity import new_id
from webui.services import services

_BLOCK = 1 << 20


class Arrival(io.FileIO):
    """A file under a temporary name; closing it removes it, `keep` gives it a name that lasts."""

    def __init__(self, folder: Path) -> None:
        self._path: Path | None = folder / f"{new_id()}.part"
        super().__init__(self._path, "x+")

    def keep(self, target: Path) -> None:
        """Put the bytes on the disk, then the name: a power cut leaves all of it or nothing."""
        if self._path is None:
            raise ValueError("this upload was kept already")
        self.flush()
        os.fsync(self.fileno())
        self._path.rename(target)
        self._path = None
        sync_folder(target.parent)

    def close(self) -> None:
        """Close, and remove what nobody kept."""
        super().close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)
            self._path = None


class ArrivalRequest(Request):
    """A request whose files are written where they will stay, instead of through a second temporary folder."""

    _arrivals: tuple[Arrival, ...] = ()

    def close(self) -> None:
        """Close every file, those too that came before a part that was refused."""
        super().close()
        for arrived in self._arrivals:
            arrived.close()

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        arrived = Arrival(services().intake.incoming)
        self._arrivals = (*self._arrivals, arrived)
        return cast(IO[bytes], arrived)


def keep(stream: IO[bytes], target: Path) -> None:
    """Keep an uploaded stream as `target`, whatever kind of stream it is."""
    raw = getattr(stream, "stream", stream)
    if isinstance(raw, Arrival):
        raw.keep(target)
        return
    arrival = Arrival(services().intake.incoming)
    try:
        shutil.copyfileobj(stream, cast(IO[bytes], arrival), _BLOCK)
        arrival.keep(target)
    finally:
        arrival.close()


def sync_folder(folder: Path) -> None:
    """Put the names in a folder on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
