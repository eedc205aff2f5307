"""How a network stream carries sound: MP3, Opus in Ogg pages, Opus or plain samples in packets."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

import av
import numpy as np

from playout.source import RATE_HZ, SAMPLE_BYTES

OPUS_FRAMES = 960
"""Length of an Opus packet: 20 ms."""

_MP3_FRAMES = 1152
_PAGE_PACKETS = 5
_FIRST_PAGE, _LATER_PAGE = 2, 0
_VENDOR = b"Loa"


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """Bytes for the network; with them the first `end` frames of what was given are complete."""

    data: bytes
    end: int


class Encoder(Protocol):
    """Turns mono 48 kHz s16 into one continuous stream. Used for one connection, from its beginning."""

    @property
    def content_type(self) -> str:
        """The stream's media type."""
        ...

    def encode(self, pcm: bytes) -> list[Encoded]:
        """Return what is ready after these samples; nothing at first, for some encoders look ahead."""
        ...


class Mp3Encoder:
    """MPEG layer 3, frame after frame."""

    content_type = "audio/mpeg"

    def __init__(self, *, kbps: int) -> None:
        self._codec = _codec("libmp3lame", layout_format="s16p", kbps=kbps, options={})
        self._feed = _Feed(_MP3_FRAMES)
        self._fed = 0

    def encode(self, pcm: bytes) -> list[Encoded]:
        """Return whole MP3 frames."""
        ready: list[Encoded] = []
        for samples in self._feed.whole(pcm):
            packets = _encode(self._codec, samples, at_frame=self._fed, layout_format="s16p")
            self._fed += _MP3_FRAMES
            ready += [Encoded(data=data, end=end) for data, end in packets]
        return ready


class OpusPackets:
    """Bare Opus packets of 20 ms, as RTP carries them. head: what a decoder must know first (OpusHead)."""

    content_type = "audio/opus"

    def __init__(self, *, kbps: int) -> None:
        self._codec = _codec(
            "libopus", layout_format="s16", kbps=kbps, options={"application": "audio", "frame_duration": "20"}
        )
        self._feed = _Feed(OPUS_FRAMES)
        self._fed = 0
        self.head = bytes(self._codec.extradata or b"")

    def encode(self, pcm: bytes) -> list[Encoded]:
        """Return whole packets."""
        ready: list[Encoded] = []
        for samples in self._feed.whole(pcm):
            packets = _encode(self._codec, samples, at_frame=self._fed, layout_format="s16")
            self._fed += OPUS_FRAMES
            ready += [Encoded(data=data, end=end) for data, end in packets]
        return ready


class OggOpusEncoder:
    """Opus in Ogg pages of 100 ms (RFC 7845), the two headers before the first of them. serial: names the stream."""

    content_type = "application/ogg"

    def __init__(self, *, kbps: int, serial: int) -> None:
        self._packets = OpusPackets(kbps=kbps)
        self._pages = _OggPages(serial)
        self._begun = False
        self._waiting: list[Encoded] = []
        self._granule = 0

    def encode(self, pcm: bytes) -> list[Encoded]:
        """Return whole pages."""
        ready: list[Encoded] = []
        if not self._begun:
            self._begun = True
            tags = b"OpusTags" + struct.pack("<I", len(_VENDOR)) + _VENDOR + struct.pack("<I", 0)
            head = self._pages.page([self._packets.head], granule=0, kind=_FIRST_PAGE)
            ready.append(Encoded(data=head + self._pages.page([tags], granule=0), end=0))
        for packet in self._packets.encode(pcm):
            self._waiting.append(packet)
            self._granule += OPUS_FRAMES
            if len(self._waiting) == _PAGE_PACKETS:
                page = self._pages.page([waiting.data for waiting in self._waiting], granule=self._granule)
                ready.append(Encoded(data=page, end=packet.end))
                self._waiting = []
        return ready


class _OggPages:
    """Ogg's framing (RFC 3533) of one logical stream."""

    def __init__(self, serial: int) -> None:
        self._serial = serial
        self._number = 0

    def page(self, packets: list[bytes], *, granule: int, kind: int = _LATER_PAGE) -> bytes:
        """Return one page of whole packets; `granule` is the position after its last one."""
        lacing = b"".join(b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255]) for packet in packets)
        head = struct.pack("<4sBBqIII", b"OggS", 0, kind, granule, self._serial, self._number, 0)
        page = bytearray(head + bytes([len(lacing)]) + lacing + b"".join(packets))
        page[22:26] = struct.pack("<I", _crc(page))
        self._number += 1
        return bytes(page)


class _Feed:
    """Cuts whatever comes into stretches of one length, as an encoder wants them."""

    def __init__(self, frames: int) -> None:
        self._bytes = frames * SAMPLE_BYTES
        self._rest = bytearray()

    def whole(self, pcm: bytes) -> Iterator[bytes]:
        """Take samples in; give each stretch that is complete."""
        self._rest += pcm
        while len(self._rest) >= self._bytes:
            yield bytes(self._rest[: self._bytes])
            del self._rest[: self._bytes]


def _codec(name: str, *, layout_format: str, kbps: int, options: dict[str, str]) -> av.AudioCodecContext:
    codec = av.CodecContext.create(name, "w")
    assert isinstance(codec, av.AudioCodecContext)
    codec.sample_rate = RATE_HZ
    codec.layout = "mono"
    codec.format = layout_format
    codec.bit_rate = kbps * 1000
    codec.time_base = Fraction(1, RATE_HZ)
    codec.options = options
    codec.open()
    return codec


def _encode(
    codec: av.AudioCodecContext, samples: bytes, *, at_frame: int, layout_format: str
) -> list[tuple[bytes, int]]:
    """Return packets, each with the frame up to which a decoder then has everything."""
    wave = np.frombuffer(samples, dtype="<i2").reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(wave, format=layout_format, layout="mono")
    frame.sample_rate = RATE_HZ
    frame.pts = at_frame
    frame.time_base = Fraction(1, RATE_HZ)
    return [(bytes(packet), max(0, (packet.pts or 0) + (packet.duration or 0))) for packet in codec.encode(frame)]


def _table() -> tuple[int, ...]:
    table = []
    for value in range(256):
        rest = value << 24
        for _ in range(8):
            rest = (rest << 1) ^ (0x04C11DB7 if rest & 0x80000000 else 0)
        table.append(rest & 0xFFFFFFFF)
    return tuple(table)


_CRC_TABLE = _table()


def _crc(page: bytearray) -> int:
    """Return Ogg's checksum: CRC-32 without reflection, begun with 0."""
    rest = 0
    for byte in page:
        rest = ((rest << 8) & 0xFFFFFFFF) ^ _CRC_TABLE[(rest >> 24) ^ byte]
    return rest


def encoder_for(form: str, *, kbps: int, serial: int) -> Callable[[], Encoder]:
    """Return what makes the encoder of an Icecast stream anew for each connection: `mp3` or `opus`."""
    if form == "opus":
        return lambda: OggOpusEncoder(kbps=kbps, serial=serial)
    return lambda: Mp3Encoder(kbps=kbps)
