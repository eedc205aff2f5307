"""Our own FLAC: how it is written, always the same bytes for the same sound, and how it is measured."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
import av.filter
import numpy as np
import numpy.typing as npt

from audio.loudness import Loudness, Meter
from audio.plain import Samples
from audio.rates import PLAIN_RATE_HZ, RATE_HZ
from audio.silence import Levels

_FRAME = 4_608
_DECODED_AT_ONCE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Lift:
    """What is done to plain samples: gain in dB, then a look-ahead limiter at a ceiling in dBFS."""

    gain_db: float
    ceiling_dbfs: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What is in a file of ours."""

    samples: int
    pcm_sha256: str
    loudness: Loudness
    levels: Levels


def lifted(blocks: Iterable[Samples], lift: Lift) -> Iterator[av.AudioFrame]:
    """Yield 16 bit frames at 48 kHz of the plain samples, made louder and limited."""
    graph = _chain(lift)
    done = 0
    for block in blocks:
        frame = av.AudioFrame.from_ndarray(block.reshape(1, -1), format="flt", layout="mono")
        frame.sample_rate = PLAIN_RATE_HZ
        frame.pts = done
        frame.time_base = Fraction(1, PLAIN_RATE_HZ)
        done += len(block)
        graph.push(frame)
        yield from _pull(graph)
    graph.push(None)
    yield from _pull(graph)


def write_flac(frames: Iterable[av.AudioFrame], out: int) -> None:
    """Write the frames into an open file, from its beginning; what was there is gone."""
    os.ftruncate(out, 0)
    os.lseek(out, 0, os.SEEK_SET)
    written = 0
    # No encoder's name, no date: the same samples give the same bytes.
    with (
        io.FileIO(out, "r+", closefd=False) as file,
        av.open(file, "w", format="flac", container_options={"fflags": "+bitexact"}) as container,
    ):
        stream = container.add_stream("flac", rate=RATE_HZ, layout="mono", format="s16")
        stream.codec_context.options = {"flags": "+bitexact", "compression_level": "5"}
        for frame in frames:
            frame.pts = written
            frame.time_base = Fraction(1, RATE_HZ)
            written += frame.samples
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def measure_flac(out: int, on_samples: Callable[[int], None]) -> Measured:
    """Decode the file that was just written: what is reported is what is in it.

    on_samples: is told how many samples were measured so far.
    """
    meter, levels, digest, count = Meter(RATE_HZ), Levels(RATE_HZ), hashlib.sha256(), 0
    os.lseek(out, 0, os.SEEK_SET)
    with io.FileIO(out, "r", closefd=False) as file, av.open(file, "r", format="flac") as container:
        for block in _joined(container.decode(audio=0)):
            digest.update(block.astype("<i2", copy=False).tobytes())
            count += len(block)
            samples = block.astype(np.float32) / np.float32(32_768)
            meter.push(samples)
            levels.push(samples)
            on_samples(count)
    return Measured(samples=count, pcm_sha256=digest.hexdigest(), loudness=meter.result(), levels=levels)


def loudness_of(frames: Iterable[av.AudioFrame]) -> Loudness:
    """Return how loud these 16 bit frames at 48 kHz are."""
    meter = Meter(RATE_HZ)
    for block in _joined(frames):
        meter.push(block.astype(np.float32) / np.float32(32_768))
    return meter.result()


def _joined(frames: Iterable[av.AudioFrame]) -> Iterator[npt.NDArray[np.int16]]:
    """Yield the samples of some frames at a time: one by one they cost more in Python than in the filters."""
    waiting: list[npt.NDArray[np.int16]] = []
    for frame in frames:
        waiting.append(np.asarray(frame.to_ndarray(), dtype=np.int16).reshape(-1))
        if len(waiting) == _DECODED_AT_ONCE:
            yield np.concatenate(waiting)
            waiting.clear()
    if waiting:
        yield np.concatenate(waiting)


def _chain(lift: Lift) -> av.filter.Graph:
    graph = av.filter.Graph()
    graph.threads = 1
    source = graph.add_abuffer(
        sample_rate=PLAIN_RATE_HZ, format="flt", layout="mono", time_base=Fraction(1, PLAIN_RATE_HZ)
    )
    limit = 10 ** (lift.ceiling_dbfs / 20)
    graph.link_nodes(
        source,
        graph.add("aresample", f"{RATE_HZ}:filter_size=64:cutoff=0.97"),
        graph.add("volume", f"{lift.gain_db:.4f}dB:precision=double"),
        graph.add("alimiter", f"limit={limit:.6f}:attack=5:release=60:level=0:latency=1"),
        graph.add("aformat", "sample_fmts=s16:channel_layouts=mono"),
        graph.add("asetnsamples", f"n={_FRAME}:p=0"),
        graph.add("abuffersink"),
    ).configure()
    return graph


def _pull(graph: av.filter.Graph) -> Iterator[av.AudioFrame]:
    while True:
        try:
            frame = graph.pull()
        except (BlockingIOError, EOFError):
            return
        if isinstance(frame, av.AudioFrame):
            yield frame
