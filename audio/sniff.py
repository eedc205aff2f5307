"""The first look at an upload: only its own bytes say which of the formats we take it is, never its name."""

from __future__ import annotations

from audio.container import Bytes, Sniffed
from audio.disguise import Disguise, is_text, kind_of_text
from audio.frames import sniff_frames
from audio.headers import sniff_header

_HEAD_BYTES = 4_096
_MAX_TAGS = 16


def sniff(descriptor: int, size_bytes: int) -> Sniffed | Disguise:
    """Return what the open file holds; it is read at a few places only, never written, its position stays."""
    source = Bytes(descriptor, size_bytes)
    start = _after_tags(source)
    # Text before frames: those of an MP3 may stand behind the lines of a playlist.
    for head in (source.at(0, _HEAD_BYTES), source.at(start, _HEAD_BYTES)):
        if is_text(head) and head[:4] not in (b"RIFF", b"RF64", b"fLaC", b"OggS"):
            return kind_of_text(head)
    return sniff_header(source, start) or sniff_frames(source, start) or Disguise.NOT_AUDIO


def _after_tags(source: Bytes) -> int:
    """Return where the ID3v2 tags and their padding end: pictures and a million fields are never parsed."""
    offset = 0
    for _ in range(_MAX_TAGS):
        tag = source.at(offset, 10)
        if len(tag) < 10 or tag[:3] != b"ID3" or any(byte & 0x80 for byte in tag[6:10]):
            break
        length = tag[6] << 21 | tag[7] << 14 | tag[8] << 7 | tag[9]
        offset += 10 + length + (10 if tag[5] & 0x10 else 0)
    padding = source.at(offset, _HEAD_BYTES) if offset else b""
    return offset + len(padding) - len(padding.lstrip(b"\0"))
