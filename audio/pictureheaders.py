"""The first look at a photo: only its own bytes say which kind it is and how large it will be."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_PNG = b"\x89PNG\r\n\x1a\n"
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis"})
# Start-of-frame markers; C4, C8 and CC among them mean something else.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ALONE = frozenset(range(0xD0, 0xD8)) | {0x01}
_OURS = frozenset({0xDB, 0xC4, 0xC0, 0xE0})
_MOST_SEGMENTS = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """What a file says it is. codec: FFmpeg's name of its decoder, None for a kind that is known and not taken."""

    codec: str | None
    width_px: int
    height_px: int


def sniff_picture(content: bytes) -> Drawing | None:
    """Return what the picture is by its first bytes and its header; None for everything else."""
    if content.startswith(b"\xff\xd8\xff"):
        return _jpeg(content)
    if content.startswith(_PNG) and content[12:16] == b"IHDR" and len(content) > 33:
        width, height = struct.unpack(">II", content[16:24])
        return Drawing(codec="png", width_px=width, height_px=height)
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP" and len(content) > 30:
        return _webp(content)
    if content[4:8] == b"ftyp" and content[8:12] in _HEIC_BRANDS:
        return Drawing(codec=None, width_px=0, height_px=0)
    return None


def own_size(content: bytes) -> tuple[int, int] | None:
    """Return width and height of a JPEG that has a picture in it and nothing else; None for any other bytes.

    What a locked room wrote is not believed either: no comments, no tags, nothing behind the end.
    """
    if not content.startswith(b"\xff\xd8") or not content.endswith(b"\xff\xd9"):
        return None
    size: tuple[int, int] | None = None
    for marker, start, end in _segments(content):
        if marker == 0xDA:
            scan = content[end:-2]
            marks = {scan[at + 1] for at in range(len(scan) - 1) if scan[at] == 0xFF} if b"\xff" in scan else set()
            return size if marks <= {0x00} | set(range(0xD0, 0xD8)) else None
        if marker not in _OURS or (marker == 0xE0 and content[start : start + 5] != b"JFIF\0"):
            return None
        if marker == 0xC0:
            height, width = struct.unpack(">HH", content[start + 1 : start + 5])
            size = width, height
    return None


def _segments(content: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield each marker up to the first scan, with where its content begins and ends."""
    at = 2
    for _ in range(_MOST_SEGMENTS):
        if at + 4 > len(content) or content[at] != 0xFF:
            return
        marker = content[at + 1]
        if marker == 0xFF or marker in _ALONE:
            at += 1 if marker == 0xFF else 2
            continue
        length = int.from_bytes(content[at + 2 : at + 4], "big")
        if length < 2 or at + 2 + length > len(content):
            return
        yield marker, at + 4, at + 2 + length
        if marker == 0xDA:
            return
        at += 2 + length


def _jpeg(content: bytes) -> Drawing | None:
    for marker, start, end in _segments(content):
        if marker in _FRAMES and end - start >= 6:
            height, width = struct.unpack(">HH", content[start + 1 : start + 5])
            return Drawing(codec="mjpeg", width_px=width, height_px=height)
    return None


def _webp(content: bytes) -> Drawing | None:
    match content[12:16]:
        case b"VP8X":
            width = int.from_bytes(content[24:27], "little") + 1
            height = int.from_bytes(content[27:30], "little") + 1
        case b"VP8L":
            bits = int.from_bytes(content[21:25], "little")
            width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            width, height = (part & 0x3FFF for part in struct.unpack("<HH", content[26:30]))
        case _:
            return None
    return Drawing(codec="webp", width_px=width, height_px=height)
