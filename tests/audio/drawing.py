"""Photos for tests, honest and hostile, made with the encoders that are there anyway."""

from __future__ import annotations

import struct
import zlib
from fractions import Fraction

import av
import numpy as np

_CODECS = {"jpeg": ("mjpeg", "yuvj420p"), "png": ("png", "rgb24"), "webp": ("libwebp", "yuv420p")}
SECRET = b"15.0522N 108.7461E Redmi-9A"


def photo(kind: str = "jpeg", width: int = 640, height: int = 480) -> bytes:
    """Return a picture whose upper left quarter is red, lower right blue and the rest dark grey."""
    pixels = np.full((height, width, 3), 40, dtype=np.uint8)
    pixels[: height // 2, : width // 2] = (250, 0, 0)
    pixels[height // 2 :, width // 2 :] = (0, 0, 250)
    return encoded(kind, pixels)


def encoded(kind: str, pixels: np.ndarray, pixel_format: str = "rgb24") -> bytes:
    """Return the pixels (height × width × channels) as a file of that kind."""
    name, wanted = _CODECS[kind]
    wanted = "rgba" if pixel_format == "rgba" else wanted
    frame = av.VideoFrame.from_ndarray(pixels, pixel_format).reformat(format=wanted)
    frame.pts = 0
    context = av.CodecContext.create(name, "w")
    context.width, context.height, context.pix_fmt = frame.width, frame.height, wanted
    context.time_base = Fraction(1, 1)
    return b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])


def pixels_of(jpeg: bytes) -> np.ndarray:
    """Return what a JPEG shows, as height × width × red, green, blue."""
    context = av.CodecContext.create("mjpeg", "r")
    (frame,) = [*context.decode(av.Packet(jpeg)), *context.decode(None)]
    return frame.to_ndarray(format="rgb24")


def with_exif(jpeg: bytes, *, orientation: int = 1) -> bytes:
    """Return the JPEG with a tag that tells the orientation, and the place and telephone in plain letters."""
    directory = struct.pack("<HHHII", 2, 0x0112, 3, 1, orientation) + struct.pack("<HHII", 0x010F, 2, len(SECRET), 38)
    tag = b"Exif\0\0II*\0" + struct.pack("<I", 8) + directory + bytes(4) + SECRET
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(tag) + 2) + tag + jpeg[2:]


def png_chunk(kind: bytes, content: bytes) -> bytes:
    """Return a chunk of a PNG file with its checksum."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_bomb(width: int, height: int, *, told: tuple[int, int] | None = None) -> bytes:
    """Return a small PNG that becomes very large; told: the size in its header, where it lies."""
    header = struct.pack(">IIBBBBB", *(told or (width, height)), 1, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    content = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    chunks = png_chunk(b"IHDR", header) + png_chunk(b"IDAT", content) + png_chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks
