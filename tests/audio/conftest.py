"""What tests of sound share: a library in a temporary folder and a way to bring bytes into it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from audio.ingest import Canonical, IngestLimits, ingest
from audio.library import Library
from audio.trim import Trim
from schedules.errors import IngestRefused
from schedules.findings import Finding


@dataclass
class Studio:
    """A library, and uploads for it."""

    folder: Path
    limits: IngestLimits = field(default_factory=IngestLimits)
    shares: list[float] = field(default_factory=list)

    @property
    def library(self) -> Library:
        return Library(self.folder / "media")

    def upload(self, data: bytes, name: str = "upload") -> Path:
        """Return a file that holds these bytes."""
        path = self.folder / name
        path.write_bytes(data)
        return path

    def take(self, recording: bytes | Path, *, trim: Trim | None = None) -> Canonical:
        """Ingest bytes or a file."""
        source = recording if isinstance(recording, Path) else self.upload(recording)
        return ingest(
            source,
            library=self.library,
            scratch=self.folder / "scratch",
            limits=self.limits,
            on_progress=self.shares.append,
            trim=trim,
        )

    def refuse(self, recording: bytes | Path) -> Finding:
        """Return why it was refused; nothing may be left behind."""
        with pytest.raises(IngestRefused) as caught:
            self.take(recording)
        assert not list((self.folder / "media").glob("**/*.flac"))
        assert not list((self.folder / "scratch").glob("*"))
        (finding,) = caught.value.findings
        assert finding.message.vi != finding.message.en
        return finding


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


@dataclass
class Canary:
    """A server that nothing may ever talk to."""

    port: int
    requests: list[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/bai.mp3"


@pytest.fixture
def canary() -> Iterator[Canary]:
    """Give a listening server, and fail the test if anything connected to it."""
    server = socket.create_server(("127.0.0.1", 0))
    requests: list[bytes] = []

    def answer() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(2)
                requests.append(b"connected")

    thread = threading.Thread(target=answer)
    thread.start()
    yield Canary(server.getsockname()[1], requests)
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join(5)
    assert not thread.is_alive()
    assert requests == []
