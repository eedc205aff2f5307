"""The boxes of an MP4 stream that is being written: what a live listener fetches as one file each."""

from __future__ import annotations

import struct
from collections.abc import Iterator


def whole_boxes(buffer: bytearray) -> Iterator[tuple[bytes, bytes]]:
    """Yield name and bytes of each box that is complete, and take it out of the buffer."""
    while len(buffer) >= 8:
        length, name = struct.unpack(">I4s", buffer[:8])
        if length < 8:
            raise ValueError("a box without an end has no place in a live stream")
        if len(buffer) < length:
            return
        box = bytes(buffer[:length])
        del buffer[:length]
        yield name, box


def sample_count(moof: bytes) -> int:
    """Return how many coded frames a fragment announces."""
    return sum(struct.unpack(">I", body[4:8])[0] for body in _inside(moof[8:], (b"traf", b"trun")))


def _inside(content: bytes, way: tuple[bytes, ...]) -> Iterator[bytes]:
    buffer = bytearray(content)
    for name, box in whole_boxes(buffer):
        if name == way[0]:
            if len(way) == 1:
                yield box[8:]
            else:
                yield from _inside(box[8:], way[1:])
