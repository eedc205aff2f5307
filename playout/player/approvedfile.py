"""The last look at a file before it may air: the opened file itself is hashed, and it must be FLAC of our shape."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from pathlib import Path

from playout.source import RATE_HZ
from schedules.errors import SegmentUnplayable
from schedules.findings import Finding, Severity
from schedules.text import Text

_CHUNK_BYTES = 1 << 20
_STREAMINFO_END = 42


def open_approved(path: Path, *, sha256: str, samples: int) -> int:
    """Return an open descriptor of `path` whose bytes have the hash `sha256` and are `samples` samples of FLAC.

    Whoever plays must play from this descriptor: the name may point elsewhere a moment later.
    Raises SegmentUnplayable with the code `media_missing`, `media_hash` or `decode`.
    """
    try:
        # Non-blocking, because opening a FIFO that somebody put there would wait for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise SegmentUnplayable(_missing(path, error.strerror or str(error))) from error
    with contextlib.ExitStack() as unless_good:
        unless_good.callback(os.close, descriptor)
        _check(descriptor, path=path, sha256=sha256, samples=samples)
        unless_good.pop_all()
    return descriptor


def _check(descriptor: int, *, path: Path, sha256: str, samples: int) -> None:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise SegmentUnplayable(_missing(path, "not a regular file"))
    digest = hashlib.sha256()
    head = b""
    try:
        while chunk := os.read(descriptor, _CHUNK_BYTES):
            head = head or chunk[:_STREAMINFO_END]
            digest.update(chunk)
        os.lseek(descriptor, 0, os.SEEK_SET)
    except OSError as error:
        raise SegmentUnplayable(_missing(path, error.strerror or str(error))) from error
    if digest.hexdigest() != sha256:
        raise SegmentUnplayable(
            Finding(
                code="media_hash",
                severity=Severity.ERROR,
                message=Text(
                    "Tệp âm thanh trên đĩa không phải là tệp đã được duyệt.",
                    "The audio file on disk is not the approved one.",
                ),
                where=path.name,
            )
        )
    if _flac_samples(head) != samples:
        raise SegmentUnplayable(
            Finding(
                code="decode",
                severity=Severity.ERROR,
                message=Text(
                    "Tệp âm thanh không đúng định dạng phát của hệ thống.",
                    "The audio file does not have the format that this system airs.",
                ),
                where=path.name,
            )
        )


def _missing(path: Path, why: str) -> Finding:
    return Finding(
        code="media_missing",
        severity=Severity.ERROR,
        message=Text(
            f"Không mở được tệp âm thanh ({why}).",
            f"The audio file cannot be opened ({why}).",
        ),
        where=path.name,
    )


def _flac_samples(head: bytes) -> int | None:
    """Return the length that a FLAC header states, None unless it is mono 48 kHz 16 bit (RFC 9639 section 8.2)."""
    if len(head) < _STREAMINFO_END or head[:4] != b"fLaC" or head[4] & 0x7F != 0:
        return None
    packed = int.from_bytes(head[18:26], "big")
    rate_hz, channels, bits = packed >> 44, ((packed >> 41) & 0x7) + 1, ((packed >> 36) & 0x1F) + 1
    if (rate_hz, channels, bits) != (RATE_HZ, 1, 16):
        return None
    return packed & 0xF_FFFF_FFFF
