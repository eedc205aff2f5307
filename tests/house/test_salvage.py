"""A whole server behind a line that breaks: what came of an upload is kept, and nothing acknowledged is lost."""

from __future__ import annotations

import base64
import hashlib
import wave
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
import requests

from tests.brokenline import BrokenLine
from tests.running import RunningLoa, wait_for

MEGABYTE = 1024 * 1024
TUS = {"Tus-Resumable": "1.0.0"}
CUTS = 10


@pytest.fixture
def loa(tmp_path: Path) -> Iterator[RunningLoa]:
    """A Loa with one station."""
    running = RunningLoa(tmp_path / "loa", {"LONGHIEP": [{"name": "main", "kind": "virtual"}]})
    running.start()
    yield running
    running.stop()


def test_sixty_megabytes_survive_ten_cuts_and_a_killed_server(loa: RunningLoa, tmp_path: Path) -> None:
    """A client that sends all it has in one request gets on with every broken line, and over a kill -9 too."""
    recording = tmp_path / "hop-dan.wav"
    _write_wav(recording, 60 * MEGABYTE)
    content = recording.read_bytes()
    headers = TUS | {"Authorization": f"Bearer {loa.person('hanh', 'operator')}"}
    line = BrokenLine(_address(loa), [5 * MEGABYTE + 1000 * number for number in range(CUTS)])
    try:
        announced = {"Upload-Length": str(len(content)), "Upload-Metadata": _card("Họp dân thôn 1")}
        created = requests.post(f"{line.url}/api/v1/uploads", headers=headers | announced, timeout=10)
        assert created.status_code == 201, created.text
        url = f"{line.url}{created.headers['Location']}"
        safe, requests_sent, killed, segment = 0, 0, False, ""
        while not segment:
            known = int(requests.head(url, headers=headers, timeout=10).headers["Upload-Offset"])
            assert known >= safe, "bytes that were acknowledged are gone"
            safe = known
            if line.broken == 5 and not killed:
                killed = True
                loa.kill()
                loa.start()
                line.target = _address(loa)
                continue
            requests_sent += 1
            assert requests_sent < 3 * CUTS, f"{safe} of {len(content)} bytes"
            part = headers | {"Upload-Offset": str(safe), "Content-Type": "application/offset+octet-stream"}
            try:
                answer = requests.patch(url, headers=part, data=content[safe:], timeout=30)
            except requests.ConnectionError:
                wait_for("the broken part", lambda known=safe: _offset(url, headers) > known, 10)
                continue
            assert answer.status_code == 204, answer.text
            segment = answer.headers["Loa-Segment"]
    finally:
        line.close()
    assert line.broken == CUTS
    assert requests_sent == CUTS + 1
    with (loa.data / "originals" / segment).open("rb") as file:
        assert hashlib.file_digest(file, "sha256").digest() == hashlib.sha256(content).digest()
    assert list((loa.data / "incoming").iterdir()) == []
    assert loa.ask("GET", f"/segments/{segment}", "hanh")["state"] in {"received", "analysing", "ready"}


def _offset(url: str, headers: dict[str, str]) -> int:
    return int(requests.head(url, headers=headers, timeout=10).headers["Upload-Offset"])


def _address(loa: RunningLoa) -> tuple[str, int]:
    parts = urlsplit(loa.url)
    return str(parts.hostname), int(parts.port or 0)


def _card(title: str) -> str:
    told = {"filename": "hop-dan.wav", "title": title, "programme": "CDS", "station": "LONGHIEP", "topics": "DX-NAT"}
    return ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in told.items())


def _write_wav(path: Path, size: int) -> None:
    dice = np.random.default_rng(60)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(dice.integers(-8000, 8000, size // 2, dtype=np.int16).tobytes())
