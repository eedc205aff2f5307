"""Formats with a header: what WAV, FLAC, Ogg, MP4 and WebM files say of their length, and whether bytes are missing."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from audio.container import Bytes, Container, Sniffed, is_too_wide

_MAX_PARTS = 20_000
_TAIL_BYTES = 131_072
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_UNKNOWN_LENGTHS = (0, 0xFFFFFFFF)
_EBML = b"\x1a\x45\xdf\xa3"
# The kind of document, four letters: Matroska itself can name other files, WebM cannot.
_WEBM = b"\x42\x82\x84webm"


def sniff_header(source: Bytes, start: int) -> Sniffed | None:
    """Return what the header at `start` announces; None where it is none of the five."""
    head = source.at(start, 64)
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return _wav(source, start)
    if head[:4] == b"fLaC" and len(head) >= 42 and head[4] & 0x7F == 0:
        return _flac(head[8:42], Container.FLAC, start)
    if head[:4] == b"OggS":
        return _ogg(source, start)
    if head[4:8] == b"ftyp":
        return _mp4(source, start)
    if head[:4] == _EBML and _WEBM in head:
        # Recorded by a browser. It is written while it is heard, so it says neither its length nor where it ends.
        return Sniffed(container=Container.WEBM, start_byte=start)
    return None


def _wav(source: Bytes, start: int) -> Sniffed:
    offset, long_length, per_second, wide = start + 12, 0, 0, False
    for _ in range(_MAX_PARTS):
        chunk = source.at(offset, 24)
        if len(chunk) < 8:
            break
        name, length = chunk[:4], struct.unpack("<I", chunk[4:8])[0]
        if name == b"ds64" and len(chunk) == 24:
            long_length = struct.unpack("<Q", chunk[16:24])[0]
        elif name == b"fmt " and len(chunk) == 24:
            tag, channels, rate, bytes_per_second, _, bits = struct.unpack("<HHIIHH", chunk[8:24])
            wide = is_too_wide(channels, rate)
            # For PCM the bytes a second only repeat the other figures, and a repetition may lie.
            linear = tag in (_PCM, _FLOAT, _EXTENSIBLE)
            per_second = rate * channels * ((bits + 7) // 8) if linear else bytes_per_second
        elif name == b"data":
            length = long_length if length == 0xFFFFFFFF and long_length else length
            known = length not in _UNKNOWN_LENGTHS and per_second > 0
            return Sniffed(
                container=Container.WAV,
                start_byte=start,
                declared_s=length / per_second if known else None,
                cut=offset + 8 + length > source.size if known else None,
                too_wide=wide,
            )
        offset += 8 + length + (length & 1)
    return Sniffed(container=Container.WAV, start_byte=start, cut=True, too_wide=wide)


def _flac(streaminfo: bytes, container: Container, start: int) -> Sniffed:
    packed = struct.unpack(">Q", streaminfo[10:18])[0]
    rate, channels, samples = packed >> 44, (packed >> 41 & 7) + 1, packed & 0xFFFFFFFFF
    return Sniffed(
        container=container,
        start_byte=start,
        declared_s=samples / rate if rate and samples else None,
        too_wide=is_too_wide(channels, rate),
    )


def _ogg(source: Bytes, start: int) -> Sniffed | None:
    page = source.at(start, 4_096)
    if len(page) < 28:
        return None
    packet = page[27 + page[26] :]
    serial = page[14:18]
    before = 0
    if packet[:8] == b"OpusHead" and len(packet) >= 19:
        channels, before, rate = packet[9], struct.unpack("<H", packet[10:12])[0], 48_000
    elif packet[:7] == b"\x01vorbis" and len(packet) >= 30:
        channels, rate = packet[11], struct.unpack("<I", packet[12:16])[0]
    elif packet[:5] == b"\x7fFLAC" and len(packet) >= 51:
        packed = struct.unpack(">Q", packet[27:35])[0]
        channels, rate = (packed >> 41 & 7) + 1, packed >> 44
    else:
        return None
    if is_too_wide(channels, rate):
        return Sniffed(container=Container.OGG, start_byte=start, too_wide=True)
    last = _last_page(source)
    if last is None or last[14:18] != serial:
        # Several recordings joined: only decoding tells how long they are together.
        return Sniffed(container=Container.OGG, start_byte=start)
    position = struct.unpack("<q", last[6:14])[0]
    return Sniffed(
        container=Container.OGG,
        start_byte=start,
        declared_s=max(0, position - before) / rate if position > 0 else None,
        cut=not last[5] & 4,
    )


def _last_page(source: Bytes) -> bytes | None:
    """Return the header of the last page that is there whole."""
    begin = max(0, source.size - _TAIL_BYTES)
    tail = source.at(begin, _TAIL_BYTES)
    end = len(tail)
    while (found := tail.rfind(b"OggS", 0, end)) >= 0:
        end = found
        header = tail[found : found + 27 + 255]
        if len(header) >= 27 and header[4] == 0:
            body = sum(header[27 : 27 + header[26]])
            if found + 27 + header[26] + body <= len(tail):
                return header
    return None


def _mp4(source: Bytes, start: int) -> Sniffed:
    declared: float | None = None
    end = start
    found: set[bytes] = set()
    for name, body, end in _boxes(source, start, source.size):
        found.add(name)
        if name == b"moov":
            for inner, inner_body, _ in _boxes(source, body, min(end, source.size)):
                if inner == b"mvhd":
                    declared = _mvhd(source.at(inner_body, 32))
    return Sniffed(
        container=Container.M4A,
        start_byte=start,
        declared_s=declared,
        cut=end > source.size or b"moov" not in found or not found & {b"mdat", b"moof"},
    )


def _mvhd(body: bytes) -> float | None:
    if len(body) < 32:
        return None
    scale, duration = struct.unpack(">IQ", body[20:32]) if body[0] == 1 else struct.unpack(">II", body[12:20])
    unknown = duration in (0, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF)
    return None if unknown or scale == 0 else float(duration) / float(scale)


def _boxes(source: Bytes, begin: int, limit: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, start of the body and announced end of each box in `[begin, limit)`."""
    offset = begin
    for _ in range(_MAX_PARTS):
        header = source.at(offset, 16)
        if offset >= limit or len(header) < 8:
            return
        length, name = struct.unpack(">I4s", header[:8])
        body = offset + 8
        if length == 1 and len(header) == 16:
            length, body = struct.unpack(">Q", header[8:16])[0], offset + 16
        elif length == 0:
            length = limit - offset
        if length < body - offset:
            return
        yield name, body, offset + length
        offset += length
