"""Recordings made by the tests: something like speech, written by FFmpeg or byte by byte."""

from __future__ import annotations

import io
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

RATE = 48_000
Sound = npt.NDArray[np.float32]
FORMATS = {
    "mp3": ("mp3", "libmp3lame"),
    "wav": ("wav", "pcm_s16le"),
    "flac": ("flac", "flac"),
    "m4a": ("mp4", "aac"),
    "aac": ("adts", "aac"),
    "opus": ("ogg", "libopus"),
    "webm": ("webm", "libopus"),
}


def speech(seconds: float, *, seed: int = 1, rate: int = RATE, level: float = 0.25) -> Sound:
    """Return syllables with pauses: harmonics of a changing voice, and breath."""
    dice = np.random.default_rng(seed)
    count = int(seconds * rate)
    at = np.arange(count) / rate
    knots = np.arange(0, seconds + 1, 0.12)
    loud = np.interp(at, knots, dice.choice([0.05, 0.6, 0.8, 1.0], len(knots)))
    pitch = np.interp(at, knots, dice.uniform(110, 220, len(knots)))
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    voice = sum(np.sin(phase * number) / number for number in range(1, 12))
    return (level * loud * (0.5 * voice + 0.05 * dice.standard_normal(count))).astype(np.float32)


def tone(seconds: float, hertz: float, *, rate: int = RATE, level: float = 0.3) -> Sound:
    """Return a sine."""
    return (level * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


def silence(seconds: float, *, rate: int = RATE) -> Sound:
    """Return digital zeros."""
    return np.zeros(int(seconds * rate), dtype=np.float32)


def encoded(kind: str, *channels: Sound, rate: int = RATE) -> bytes:
    """Return the channels as a file of one of FORMATS."""
    muxer, codec = FORMATS[kind]
    layout = {1: "mono", 2: "stereo"}[len(channels)]
    planes = np.stack(channels)
    memory = io.BytesIO()
    with av.open(memory, "w", format=muxer) as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        stream.codec_context.open()
        resampler = av.AudioResampler(
            format=stream.codec_context.format.name,
            layout=layout,
            rate=rate,
            frame_size=stream.codec_context.frame_size or 4_096,
        )
        for begin in range(0, planes.shape[1], 9_600):
            block = np.ascontiguousarray(planes[:, begin : begin + 9_600])
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = rate, begin, Fraction(1, rate)
            for ready in resampler.resample(frame):
                container.mux(stream.encode(ready))
        for ready in resampler.resample(None):
            container.mux(stream.encode(ready))
        container.mux(stream.encode(None))
    return memory.getvalue()


def samples_of(path: Path) -> npt.NDArray[np.int16]:
    """Return the samples of a canonical file."""
    with av.open(str(path), "r", format="flac") as container:
        return np.concatenate([frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)])


def wav_header(*, data_bytes: int, channels: int = 1, rate: int = 48_000, bits: int = 16, extra: bytes = b"") -> bytes:
    """Return a WAV header that announces whatever is asked for."""
    block = channels * bits // 8
    form = struct.pack("<HHIIHH", 1, channels, rate, (rate * block) & 0xFFFFFFFF, block & 0xFFFF, bits)
    body = b"WAVEfmt " + struct.pack("<I", 16) + form + extra + b"data" + struct.pack("<I", data_bytes)
    return b"RIFF" + struct.pack("<I", (len(body) + data_bytes) & 0xFFFFFFFF) + body


def id3(body: bytes) -> bytes:
    """Return an ID3v2.4 tag around these frames."""
    size = len(body)
    return b"ID3\x04\x00\x00" + bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0)) + body


def box(name: bytes, body: bytes) -> bytes:
    """Return one MP4 box."""
    return struct.pack(">I4s", len(body) + 8, name) + body


def ogg_page(packets: list[bytes], *, granule: int, number: int, first: bool = False, last: bool = False) -> bytes:
    """Return one Ogg page of whole packets, each under 255 bytes."""
    kind = (2 if first else 0) | (4 if last else 0)
    table = bytes(len(packet) for packet in packets)
    head = b"OggS\0" + struct.pack("<BqIII", kind, granule, 7, number, 0) + bytes([len(table)]) + table
    page = head + b"".join(packets)
    return page[:22] + struct.pack("<I", _ogg_crc(page)) + page[26:]


def with_right_checksums(data: bytes) -> bytes:
    """Return the same bytes with the checksum of every whole Ogg page put right."""
    out, offset = bytearray(data), 0
    while (offset := data.find(b"OggS", offset)) >= 0:
        table = data[offset + 27 : offset + 27 + data[offset + 26]] if len(data) > offset + 26 else b""
        end = offset + 27 + len(table) + sum(table)
        if table and end <= len(data):
            page = bytes(out[offset : offset + 22]) + bytes(4) + bytes(out[offset + 26 : end])
            out[offset + 22 : offset + 26] = struct.pack("<I", _ogg_crc(page))
        offset += 4
    return bytes(out)


def _ogg_crc(page: bytes) -> int:
    crc = 0
    for byte in page:
        crc = (crc << 8 & 0xFFFFFFFF) ^ _OGG_TABLE[crc >> 24 ^ byte]
    return crc


def _ogg_step(index: int) -> int:
    value = index << 24
    for _ in range(8):
        value = (value << 1) ^ (0x04C11DB7 if value & 0x80000000 else 0)
    return value & 0xFFFFFFFF


_OGG_TABLE = [_ogg_step(index) for index in range(256)]
