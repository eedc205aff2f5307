"""The file that strangers get to hear again: MP3, made once from a canonical recording, for any telephone."""

from __future__ import annotations

import os
from pathlib import Path

import av

KBPS = 64


def mp3_path(root: Path, sha256: str) -> Path:
    """Return where the MP3 of a canonical file lies or would lie; raises ValueError for anything but a hash."""
    if len(sha256) != 64 or not set(sha256) <= set("0123456789abcdef"):
        raise ValueError(f"not a SHA-256: {sha256!r}")
    return root / sha256[:2] / f"{sha256}.mp3"


def make_mp3(source: Path, target: Path) -> int:
    """Write `source`, a canonical file of ours, as MP3 and return its length in bytes; never an upload.

    The same recording gives the same bytes, without a name or a tag in them. A file is there whole or not at all.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part")
    try:
        options = {"id3v2_version": "0", "write_xing": "1", "fflags": "+bitexact"}
        with (
            av.open(str(source), "r", format="flac") as recording,
            av.open(str(part), "w", format="mp3", container_options=options) as made,
        ):
            stream = recording.streams.audio[0]
            out = made.add_stream("libmp3lame", rate=stream.rate, options={"flags": "+bitexact"})
            assert isinstance(out, av.AudioStream)
            out.bit_rate = KBPS * 1000
            out.layout = "mono"
            for frame in recording.decode(stream):
                frame.pts = None
                made.mux(out.encode(frame))
            made.mux(out.encode(None))
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return target.stat().st_size
