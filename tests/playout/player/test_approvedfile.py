"""The last look at a file before it may air."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from playout.player.approvedfile import open_approved
from playout.source import RATE_HZ
from schedules.errors import SegmentUnplayable


@pytest.fixture
def approved(tmp_path: Path) -> Path:
    """A second of noise in the shape that airs."""
    path = tmp_path / "a.flac"
    soundfile.write(path, _noise(RATE_HZ), RATE_HZ, subtype="PCM_16")
    return path


def test_the_approved_file_is_opened_at_its_beginning(approved: Path) -> None:
    """The descriptor gives the very bytes that were hashed, from the first on."""
    content = approved.read_bytes()
    descriptor = open_approved(approved, sha256=hashlib.sha256(content).hexdigest(), samples=RATE_HZ)
    approved.unlink()
    with os.fdopen(descriptor, "rb") as file:
        assert file.read() == content


def test_one_changed_byte_is_refused(approved: Path) -> None:
    """A file that differs anywhere is not the approved one."""
    good = hashlib.sha256(approved.read_bytes()).hexdigest()
    content = bytearray(approved.read_bytes())
    content[-1] ^= 1
    approved.write_bytes(content)
    assert _refusal(approved, sha256=good, samples=RATE_HZ) == "media_hash"


def test_f39_a_block_that_cannot_be_read_refuses_the_file_before_it_airs(approved: Path) -> None:
    """The disk answers EIO in the middle of the file: it is refused and told, so that the next one may air."""
    look = (
        "from schedules.errors import SegmentUnplayable as S\n"
        "from playout.player.approvedfile import open_approved as o\n"
        "from pathlib import Path\nimport sys\n"
        f"try: o(Path(sys.argv[1]), sha256='{_hash(approved)}', samples={RATE_HZ})\n"
        "except S as error: print(error.findings[0].code, error)\n"
    )
    strace = ["strace", "-qq", "-o", os.devnull, "-P", str(approved), "-e", "inject=read:error=EIO:when=1"]
    run = subprocess.run([*strace, sys.executable, "-c", look, str(approved)], capture_output=True, text=True)

    assert run.stdout.startswith("media_missing"), run.stderr
    assert "Input/output error" in run.stdout


@pytest.mark.parametrize(
    ("rate_hz", "channels", "subtype"),
    [(44_100, 1, "PCM_16"), (RATE_HZ, 2, "PCM_16"), (RATE_HZ, 1, "PCM_24")],
)
def test_another_shape_is_refused_with_its_true_hash(tmp_path: Path, rate_hz: int, channels: int, subtype: str) -> None:
    """Only mono 48 kHz 16 bit airs."""
    path = tmp_path / "b.flac"
    soundfile.write(path, _noise(RATE_HZ * channels).reshape(-1, channels), rate_hz, subtype=subtype)
    assert _refusal(path, sha256=_hash(path), samples=RATE_HZ) == "decode"


def test_another_length_is_refused(approved: Path) -> None:
    """The header must state the length that was approved."""
    assert _refusal(approved, sha256=_hash(approved), samples=RATE_HZ + 1) == "decode"


@pytest.mark.parametrize("content", [b"", b"fLaC", b"ID3" + bytes(100), b"#EXTM3U\nhttp://192.0.2.1/\n"])
def test_what_is_not_flac_is_refused(tmp_path: Path, content: bytes) -> None:
    """Empty, cut, tagged and playlist files do not air, whatever their hash."""
    path = tmp_path / "c.flac"
    path.write_bytes(content)
    assert _refusal(path, sha256=_hash(path), samples=RATE_HZ) == "decode"


def test_a_refusal_leaves_nothing_open(tmp_path: Path) -> None:
    """A hundred refusals use no descriptor."""
    path = tmp_path / "c.flac"
    path.write_bytes(b"nothing")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(100):
        _refusal(path, sha256="0" * 64, samples=1)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def _refusal(path: Path, *, sha256: str, samples: int) -> str:
    with pytest.raises(SegmentUnplayable) as caught:
        open_approved(path, sha256=sha256, samples=samples)
    return caught.value.findings[0].code


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _noise(samples: int) -> np.ndarray:
    return np.random.default_rng(2).integers(-8000, 8000, samples).astype(np.int16)
