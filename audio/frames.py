"""Formats without a header: a chain of frames, each telling where the next one begins (MP3, AAC in ADTS)."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass

from audio.container import Bytes, Container, Sniffed

_JUNK_BYTES = 65_536
_CHAIN = 4
_SYNC = re.compile(rb"\xff[\xe0-\xff]")
_BITRATES_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_BITRATES_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_AAC_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)


@dataclass(frozen=True, slots=True)
class _Frame:
    length: int
    rate_hz: int
    samples: int
    kind: int
    side_bytes: int = 0


def sniff_frames(source: Bytes, start: int) -> Sniffed | None:
    """Return the MP3 or ADTS recording that begins within 64 KiB of `start`.

    Four frames in a row (or all up to the end of a very short file) must fit: one frame header alone is found
    in any random bytes.
    """
    head = source.at(start, _JUNK_BYTES + 4_096)
    for match in _SYNC.finditer(head):
        for container, read in ((Container.MP3, _mp3_frame), (Container.AAC, _adts_frame)):
            offset = start + match.start()
            first = read(source.at(offset, 8))
            if first is not None and _is_chain(source, offset, first, read):
                if container is Container.MP3:
                    return _mp3(source, offset, first)
                return Sniffed(container=container, start_byte=offset)
        if match.start() >= _JUNK_BYTES:
            break
    return None


def _is_chain(source: Bytes, offset: int, first: _Frame, read: Callable[[bytes], _Frame | None]) -> bool:
    frame = first
    for _ in range(_CHAIN - 1):
        offset += frame.length
        if offset >= source.size:
            return True
        following = read(source.at(offset, 8))
        if following is None or (following.kind, following.rate_hz) != (first.kind, first.rate_hz):
            return False
        frame = following
    return True


def _mp3_frame(header: bytes) -> _Frame | None:
    if len(header) < 4:
        return None
    word = struct.unpack(">I", header[:4])[0]
    version, layer = word >> 19 & 3, word >> 17 & 3
    bitrate, rate, padding, mode = word >> 12 & 15, word >> 10 & 3, word >> 9 & 1, word >> 6 & 3
    if word >> 21 != 0x7FF or version == 1 or layer != 1 or not 0 < bitrate < 15 or rate == 3:
        return None
    newest = version == 3
    samples = 1152 if newest else 576
    rate_hz = _RATES[version][rate]
    kbits = (_BITRATES_1 if newest else _BITRATES_2)[bitrate]
    side = (17 if mode == 3 else 32) if newest else (9 if mode == 3 else 17)
    return _Frame(samples // 8 * kbits * 1000 // rate_hz + padding, rate_hz, samples, version, side)


def _adts_frame(header: bytes) -> _Frame | None:
    if len(header) < 7 or header[0] != 0xFF or header[1] & 0xF6 != 0xF0:
        return None
    rate = header[2] >> 2 & 15
    length = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
    if rate >= len(_AAC_RATES) or length < 8:
        return None
    return _Frame(length, _AAC_RATES[rate], 1024, header[2] & 0xFC)


def _mp3(source: Bytes, offset: int, first: _Frame) -> Sniffed:
    """Read what the encoder wrote into the first, silent frame: how many frames and bytes it made."""
    body = source.at(offset, max(first.length, 64))
    count: int | None = None
    announced: int | None = None
    tag = 4 + first.side_bytes
    if body[tag : tag + 4] in (b"Xing", b"Info") and len(body) >= tag + 16:
        flags = struct.unpack(">I", body[tag + 4 : tag + 8])[0]
        fields = struct.unpack(">II", body[tag + 8 : tag + 16])
        if flags & 1:
            count = fields[0]
        if flags & 2:
            announced = fields[flags & 1]
    elif body[36:40] == b"VBRI" and len(body) >= 54:
        announced, count = struct.unpack(">II", body[46:54])
    return Sniffed(
        container=Container.MP3,
        start_byte=offset,
        declared_s=count * first.samples / first.rate_hz if count else None,
        cut=offset + announced > source.size + first.length if announced else None,
    )
