"""The aircheck's writer, a process of its own: samples on standard input become one-second files of AAC."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import av
import av.logging
import numpy as np

from audio.boxes import sample_count, whole_boxes
from audio.rates import RATE_HZ
from audio.run import Piece, Run, new_run

_CODED = 1_024
_BITS_PER_SECOND = 48_000
_READ_BYTES = 19_200


def record(source: int, root: Path, start: datetime) -> Run:
    """Write everything that comes from `source` until it ends, and return the run.

    source: descriptor of little-endian s16 mono samples at 48 kHz. start: when the first of them goes out, aware.
    """
    run = new_run(root, start)
    pieces = _Pieces(run, start.astimezone(UTC))
    with av.open(
        pieces,
        "w",
        format="mp4",
        container_options={
            "movflags": "+empty_moov+default_base_moof+skip_trailer",
            "frag_duration": "1000000",
            "flush_packets": "1",
            "fflags": "+bitexact",
        },
        buffer_size=4_096,
    ) as container:
        stream = container.add_stream("aac", rate=RATE_HZ, layout="mono")
        stream.bit_rate = _BITS_PER_SECOND
        to_float = av.AudioResampler(format="fltp", layout="mono", rate=RATE_HZ, frame_size=_CODED)
        position = 0
        for samples in _read(source):
            frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
            frame.sample_rate = RATE_HZ
            frame.pts = position
            frame.time_base = Fraction(1, RATE_HZ)
            position += len(samples)
            for ready in to_float.resample(frame):
                container.mux(stream.encode(ready))
        for ready in to_float.resample(None):
            container.mux(stream.encode(ready))
        container.mux(stream.encode(None))
    pieces.end()
    return run


class _Pieces:
    """What FFmpeg writes into: cuts the stream of boxes into the head and the pieces."""

    def __init__(self, run: Run, start: datetime) -> None:
        self._run = run
        self._start = start
        self._buffer = bytearray()
        self._head = b""
        self._fragment = b""
        self._coded = 0
        self._written = 0

    def write(self, data: bytes) -> int:
        """Take the next bytes of the stream."""
        self._buffer += data
        for name, box in whole_boxes(self._buffer):
            if name in (b"ftyp", b"moov"):
                self._head += box
                if name == b"moov":
                    self._run.begin(self._head)
            elif name == b"moof":
                self._fragment = box
            elif name == b"mdat":
                self._deliver(self._fragment, box)
        return len(data)

    def end(self) -> None:
        """Close the list."""
        self._run.end()

    def _deliver(self, fragment: bytes, content: bytes) -> None:
        frames = sample_count(fragment)
        # The coder puts one frame of its own before the first sample.
        first_s = (self._coded - 1) * _CODED / RATE_HZ
        self._run.add(
            Piece(
                name=f"{self._written:06}.m4s",
                start=self._start + timedelta(seconds=first_s),
                seconds=frames * _CODED / RATE_HZ,
            ),
            fragment + content,
        )
        self._coded += frames
        self._written += 1


def _read(source: int) -> Iterator[np.ndarray[tuple[int], np.dtype[np.int16]]]:
    odd = b""
    while data := os.read(source, _READ_BYTES):
        data = odd + data
        even = len(data) // 2 * 2
        odd = data[even:]
        if even:
            yield np.frombuffer(data[:even], dtype="<i2").astype(np.int16)


def main(arguments: list[str]) -> int:
    """Record standard input: arguments are the station's folder and the start as ISO 8601 with offset."""
    folder, start = arguments
    began = datetime.fromisoformat(start)
    if began.utcoffset() is None:
        raise ValueError("the start has no offset")
    # Ctrl-C reaches the whole group; the end of standard input is what ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The player may run before everything else; what is only a recording of it may not.
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    os.setpriority(os.PRIO_PROCESS, 0, 5)
    av.logging.set_level(None)
    record(0, Path(folder), began)
    return 0
