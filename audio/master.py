"""The second confined step: plain samples in, our own measured FLAC out. No byte of an upload comes this far."""

from __future__ import annotations

import hashlib
import io
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import av
import av.filter
import av.logging
import numpy as np
import numpy.typing as npt

from audio.child import Job, Progress, Refusal, serve
from audio.loudness import Loudness, Meter
from audio.silence import Levels

PLAIN_RATE_HZ = 24_000
RATE_HZ = 48_000
_BLOCK = PLAIN_RATE_HZ * 2
_FRAME = 4_608
_LOUDEST = 16.0
_EDGE_S = 0.01
_CLOSE_ENOUGH_LU = 0.2
_TRIES = 4
# The limiter looks at samples; what lies between them may be a little higher. The measurement decides.
_HEADROOM_DB = 0.4
_SILENT_LUFS = -60.0
_SILENCE_BELOW_TARGET_DB = 34.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What the finished file should be: see design.md, one loudness for the whole system."""

    target_lufs: float = -16.0
    ceiling_dbtp: float = -1.5
    most_limiting_db: float = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    samples: int
    pcm_sha256: str
    loudness: Loudness
    levels: Levels


class PlainSamples:
    """A file of float32 samples at 24 kHz, read in blocks; whatever it holds, the blocks are sound.

    offset: constant part that is taken away, once it is known.
    """

    def __init__(self, descriptor: int, first: int, last: int) -> None:
        self._descriptor = descriptor
        self._first = first
        self._last = last
        self.offset = 0.0

    def __len__(self) -> int:
        return max(0, self._last - self._first)

    def blocks(self) -> Iterator[npt.NDArray[np.float32]]:
        """Yield the samples in order, with 10 ms fades where something was trimmed away."""
        edge = int(_EDGE_S * PLAIN_RATE_HZ)
        for begin in range(self._first, self._last, _BLOCK):
            count = min(_BLOCK, self._last - begin)
            data = os.pread(self._descriptor, count * 4, begin * 4)
            block = np.frombuffer(data, dtype="<f4").astype(np.float32)
            block = np.clip(np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0), -_LOUDEST, _LOUDEST)
            block -= np.float32(self.offset)
            places = np.arange(begin, begin + len(block))
            if self._first > 0 and begin < self._first + edge:
                block *= np.clip((places - self._first) / edge, 0.0, 1.0)
            whole = os.fstat(self._descriptor).st_size // 4
            if self._last < whole and begin + count > self._last - edge:
                block *= np.clip((self._last - places) / edge, 0.0, 1.0)
            yield block.astype(np.float32)


def master(job: Job, descriptors: Sequence[int], progress: Progress) -> Mapping[str, object]:
    """Write the canonical FLAC and return what was measured on that very file.

    job: `first`, `last` (plain samples, `[first, last)`), `target_lufs`, `ceiling_dbtp`, `most_limiting_db`.
    descriptors: the plain samples, for reading; an empty file for the FLAC. Raises Refusal `silent`, `empty`.
    """
    plain, out = descriptors
    samples = PlainSamples(plain, _number(job["first"]), _number(job["last"]))
    aim = Aim(
        target_lufs=_real(job["target_lufs"]),
        ceiling_dbtp=_real(job["ceiling_dbtp"]),
        most_limiting_db=_real(job["most_limiting_db"]),
    )
    samples.offset = _mean(samples)
    source = _measure_plain(samples, lambda share: progress(share * 0.15))
    if source.integrated_lufs < _SILENT_LUFS:
        raise Refusal("silent", loudness_lufs=_or_none(source.integrated_lufs))
    most_gain = aim.ceiling_dbtp + aim.most_limiting_db - source.true_peak_dbtp
    gain = min(aim.target_lufs - source.integrated_lufs, most_gain)
    ceiling = aim.ceiling_dbtp - _HEADROOM_DB
    for attempt in range(_TRIES):
        begin = 0.15 + 0.85 * attempt / (attempt + 1) * 0.5
        span = (1.0 - begin) / 2
        _encode(samples, out, gain_db=gain, ceiling_dbfs=ceiling, progress=_part(progress, begin, span))
        measured = _measure_file(out, len(samples) * 2, _part(progress, begin + span, span))
        off = aim.target_lufs - measured.loudness.integrated_lufs
        over = measured.loudness.true_peak_dbtp - aim.ceiling_dbtp
        wanted = min(gain + off, most_gain)
        if over <= 0 and (abs(off) <= _CLOSE_ENOUGH_LU or abs(wanted - gain) < 0.05):
            break
        gain = wanted
        ceiling -= max(0.0, over + 0.05 if over > 0 else 0.0)
    progress(1.0)
    silence = measured.levels.silences(below_dbfs=measured.loudness.integrated_lufs - _SILENCE_BELOW_TARGET_DB)
    return {
        "samples": measured.samples,
        "pcm_sha256": measured.pcm_sha256,
        "loudness_lufs": measured.loudness.integrated_lufs,
        "true_peak_dbtp": measured.loudness.true_peak_dbtp,
        "gain_db": gain,
        "held_back": gain < aim.target_lufs - source.integrated_lufs - 0.5 and gain >= most_gain - 0.01,
        "head_s": silence.head_s,
        "tail_s": silence.tail_s,
        "between": [list(pair) for pair in silence.between],
    }


def _mean(samples: PlainSamples) -> float:
    """Return the constant offset of a bad sound card: it is no sound, but it takes room from it."""
    total = sum(float(block.sum(dtype=np.float64)) for block in samples.blocks())
    return total / max(1, len(samples))


def _measure_plain(samples: PlainSamples, progress: Progress) -> Loudness:
    meter = Meter(PLAIN_RATE_HZ)
    done = 0
    for block in samples.blocks():
        meter.push(block)
        done += len(block)
        progress(done / len(samples))
    return meter.result()


def _encode(samples: PlainSamples, out: int, *, gain_db: float, ceiling_dbfs: float, progress: Progress) -> None:
    os.ftruncate(out, 0)
    os.lseek(out, 0, os.SEEK_SET)
    graph = av.filter.Graph()
    graph.threads = 1
    limit = 10 ** (ceiling_dbfs / 20)
    graph.link_nodes(
        graph.add_abuffer(sample_rate=PLAIN_RATE_HZ, format="flt", layout="mono", time_base=Fraction(1, PLAIN_RATE_HZ)),
        graph.add("aresample", f"{RATE_HZ}:filter_size=64:cutoff=0.97"),
        graph.add("volume", f"{gain_db:.4f}dB:precision=double"),
        graph.add("alimiter", f"limit={limit:.6f}:attack=5:release=60:level=0:latency=1"),
        graph.add("aformat", "sample_fmts=s16:channel_layouts=mono"),
        graph.add("asetnsamples", f"n={_FRAME}:p=0"),
        graph.add("abuffersink"),
    ).configure()
    done = 0
    # No encoder's name, no date: the same samples give the same bytes.
    with (
        io.FileIO(out, "r+", closefd=False) as file,
        av.open(file, "w", format="flac", container_options={"fflags": "+bitexact"}) as container,
    ):
        stream = container.add_stream("flac", rate=RATE_HZ, layout="mono", format="s16")
        stream.codec_context.options = {"flags": "+bitexact", "compression_level": "5"}
        written = 0

        def deliver() -> None:
            nonlocal written
            while True:
                try:
                    frame = graph.pull()
                except (BlockingIOError, EOFError):
                    return
                if isinstance(frame, av.AudioFrame):
                    frame.pts = written
                    frame.time_base = Fraction(1, RATE_HZ)
                    written += frame.samples
                    container.mux(stream.encode(frame))

        for block in samples.blocks():
            frame = av.AudioFrame.from_ndarray(block.reshape(1, -1), format="flt", layout="mono")
            frame.sample_rate = PLAIN_RATE_HZ
            frame.pts = done
            frame.time_base = Fraction(1, PLAIN_RATE_HZ)
            graph.push(frame)
            deliver()
            done += len(block)
            progress(done / len(samples))
        graph.push(None)
        deliver()
        container.mux(stream.encode(None))


def _measure_file(out: int, expected: int, progress: Progress) -> _Measured:
    """Decode the file that was just written: what is reported is what is in it."""
    meter, levels, digest, count = Meter(RATE_HZ), Levels(RATE_HZ), hashlib.sha256(), 0
    os.lseek(out, 0, os.SEEK_SET)
    pending: list[npt.NDArray[np.int16]] = []

    def take() -> None:
        samples = np.concatenate(pending).astype(np.float32) / np.float32(32_768)
        meter.push(samples)
        levels.push(samples)
        pending.clear()

    with io.FileIO(out, "r", closefd=False) as file, av.open(file, "r", format="flac") as container:
        for frame in container.decode(audio=0):
            block = np.asarray(frame.to_ndarray(), dtype=np.int16).reshape(-1)
            digest.update(block.astype("<i2", copy=False).tobytes())
            count += len(block)
            pending.append(block)
            if len(pending) >= 20:
                take()
                progress(min(1.0, count / max(1, expected)))
    if pending:
        take()
    return _Measured(samples=count, pcm_sha256=digest.hexdigest(), loudness=meter.result(), levels=levels)


def _part(progress: Progress, begin: float, span: float) -> Progress:
    return lambda share: progress(begin + span * share)


def _or_none(level: float) -> float | None:
    return level if math.isfinite(level) else None


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise Refusal("damaged", said=f"not a whole number: {value!r}")
    return value


def _real(value: object) -> float:
    if not isinstance(value, int | float):
        raise Refusal("damaged", said=f"not a number: {value!r}")
    return float(value)


if __name__ == "__main__":
    av.logging.set_level(None)
    serve(master)
