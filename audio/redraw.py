"""The confined painter: the bytes of a photo in, a small plain JPEG out, and nothing of what else the photo held."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from fractions import Fraction

import av
import av.error
import av.logging
import numpy as np
import numpy.typing as npt
from av.codec.context import Flags

from audio.child import Job, Progress, Refusal, serve

_CODECS = ("mjpeg", "png", "webp")
# About what cameras call 85 %.
_QUALITY = "4"


def redraw(job: Job, descriptors: Sequence[int], progress: Progress) -> Mapping[str, object]:
    """Write the photo as JPEG, upright, at most `side_px` wide and high; what is transparent becomes white.

    job: `codec`, `size_bytes`, `side_px`, `max_pixels`. descriptors: the photo, for reading; an empty file.
    Raises Refusal with `damaged` or `too_complex`.
    """
    source, sink = descriptors
    codec = str(job["codec"])
    if codec not in _CODECS:
        raise Refusal("damaged", said="a codec that is not taken")
    content = os.pread(source, _whole(job["size_bytes"]), 0)
    frame = _decoded(codec, content, _whole(job["max_pixels"]))
    progress(0.5)
    side_px = _whole(job["side_px"])
    scale = min(1.0, side_px / max(frame.width, frame.height))
    width, height = max(2, round(frame.width * scale)), max(2, round(frame.height * scale))
    turns = round(frame.rotation / 90) % 4
    small = frame.reformat(width=width, height=height, format="rgba", interpolation="AREA")
    _write(
        sink, _encoded(np.ascontiguousarray(np.rot90(_on_white(np.asarray(small.to_ndarray(), dtype=np.uint8)), turns)))
    )
    return {}


def _decoded(codec: str, content: bytes, max_pixels: int) -> av.VideoFrame:
    """Return the first picture in the bytes, decoded without a container: nothing in it can name another file."""
    context = av.CodecContext.create(codec, "r")
    assert isinstance(context, av.VideoCodecContext)
    context.thread_count = 1
    context.options = {"max_pixels": str(max_pixels), "err_detect": "crccheck+explode"}
    try:
        frames = [*context.decode(av.Packet(content)), *context.decode(None)]
    except av.error.MemoryError:
        raise
    except (av.error.FFmpegError, ValueError) as error:
        raise Refusal("damaged", said=str(error)) from error
    if not frames or frames[0].is_corrupt:
        raise Refusal("damaged", said="no whole picture")
    if frames[0].width * frames[0].height > max_pixels:
        raise Refusal("too_complex")
    return frames[0]


def _on_white(rgba: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    alpha = rgba[:, :, 3:].astype(np.uint16)
    if int(alpha.min()) == 255:
        return rgba[:, :, :3]
    blended = (rgba[:, :, :3] * alpha + 255 * (255 - alpha) + 127) // 255
    return np.asarray(blended, dtype=np.uint8)


def _encoded(rgb: npt.NDArray[np.uint8]) -> bytes:
    # A new frame from bare numbers: nothing that hung on the old one can come along.
    frame = av.VideoFrame.from_ndarray(rgb, "rgb24").reformat(format="yuvj420p")
    frame.pts = 0
    context = av.CodecContext.create("mjpeg", "w")
    assert isinstance(context, av.VideoCodecContext)
    context.width, context.height, context.pix_fmt = frame.width, frame.height, "yuvj420p"
    context.time_base = Fraction(1, 1)
    context.thread_count = 1
    context.options = {"qmin": _QUALITY, "qmax": _QUALITY}
    # Without it FFmpeg writes its name and version into every picture.
    context.flags |= Flags.bitexact
    return b"".join(bytes(packet) for packet in [*context.encode(frame), *context.encode(None)])


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise Refusal("damaged", said=f"not a whole number: {value!r}")
    return value


if __name__ == "__main__":
    av.logging.set_level(None)
    serve(redraw)
