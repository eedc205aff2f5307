"""The second confined step: plain samples in, our own measured FLAC out. No byte of an upload comes this far."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import av.logging

from audio.child import Job, Progress, Refusal, serve
from audio.flac import Lift, Measured, lifted, loudness_of, measure_flac, write_flac
from audio.loudness import Loudness, Meter
from audio.plain import PlainSamples, Samples
from audio.rates import PLAIN_RATE_HZ

_CLOSE_ENOUGH_LU = 0.3
_TRIES = 5
_GUESSES = 3
_SAMPLED_BLOCKS = 20
# The limiter looks at samples; what lies between them may be a little higher. The measurement decides.
_HEADROOM_DB = 0.4
_SILENT_LUFS = -60.0
_SILENCE_BELOW_TARGET_DB = 34.0
_LOOKED_AT = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What the finished file should be: see design.md, one loudness for the whole system."""

    target_lufs: float
    ceiling_dbtp: float
    most_limiting_db: float


def master(job: Job, descriptors: Sequence[int], progress: Progress) -> Mapping[str, object]:
    """Write the canonical FLAC and return what was measured on that very file.

    job: `first`, `last` (plain samples, `[first, last)`), `target_lufs`, `ceiling_dbtp`, `most_limiting_db`.
    descriptors: the plain samples, for reading; an empty file for the FLAC. Raises Refusal `silent`.
    """
    plain, out = descriptors
    samples = PlainSamples(plain, _whole(job["first"]), _whole(job["last"]))
    aim = Aim(
        target_lufs=_real(job["target_lufs"]),
        ceiling_dbtp=_real(job["ceiling_dbtp"]),
        most_limiting_db=_real(job["most_limiting_db"]),
    )
    third = _LOOKED_AT / 3
    samples.offset = _mean(_told(samples.blocks(), len(samples), progress, 0.0, third), len(samples))
    source = _measure(_told(samples.blocks(), len(samples), progress, third, 2 * third))
    if source.integrated_lufs < _SILENT_LUFS:
        raise Refusal("silent")
    most_gain_db = aim.ceiling_dbtp + aim.most_limiting_db - source.true_peak_dbtp
    lift, measured = _press(samples, out, source, aim, most_gain_db, progress)
    progress(1.0)
    below = measured.loudness.integrated_lufs - _SILENCE_BELOW_TARGET_DB
    silences = measured.levels.silences(below_dbfs=below)
    return {
        "samples": measured.samples,
        "pcm_sha256": measured.pcm_sha256,
        "loudness_lufs": measured.loudness.integrated_lufs,
        "true_peak_dbtp": measured.loudness.true_peak_dbtp,
        "gain_db": lift.gain_db,
        "held_back": measured.loudness.integrated_lufs < aim.target_lufs - 0.5,
        "head_s": silences.head_s,
        "tail_s": silences.tail_s,
        "between": [list(pair) for pair in silences.between],
    }


def _press(
    samples: PlainSamples, out: int, source: Loudness, aim: Aim, most_gain_db: float, progress: Progress
) -> tuple[Lift, Measured]:
    """Write and measure, and again until the measurement agrees with the aim; mostly once is enough."""
    ceiling = aim.ceiling_dbtp - _HEADROOM_DB
    gain = _guess(samples, min(aim.target_lufs - source.integrated_lufs, most_gain_db), ceiling, most_gain_db)
    begin = _LOOKED_AT
    for _ in range(_TRIES):
        lift = Lift(gain_db=gain, ceiling_dbfs=ceiling)
        half = (1.0 - begin) * 0.45
        write_flac(lifted(_told(samples.blocks(), len(samples), progress, begin, half), lift), out)
        measured = measure_flac(out, _counted(len(samples) * 2, progress, begin + half, half))
        off = aim.target_lufs - measured.loudness.integrated_lufs
        over = measured.loudness.true_peak_dbtp - aim.ceiling_dbtp
        wanted = min(gain + off, most_gain_db)
        if over <= 0 and (abs(off) <= _CLOSE_ENOUGH_LU or abs(wanted - gain) < 0.05):
            break
        gain, begin = wanted, begin + 2 * half
        if over > 0:
            ceiling -= over + 0.05
    return lift, measured


def _guess(samples: PlainSamples, gain: float, ceiling: float, most_gain_db: float) -> float:
    """Return the gain with what the limiter takes from the loudness added, as tried on parts of the recording."""
    parts = list(samples.some_blocks(_SAMPLED_BLOCKS))
    before = _measure(parts)
    if not math.isfinite(before.integrated_lufs):
        return gain
    wanted = before.integrated_lufs + gain
    for _ in range(_GUESSES):
        after = loudness_of(lifted(parts, Lift(gain_db=gain, ceiling_dbfs=ceiling)))
        if gain >= most_gain_db or abs(wanted - after.integrated_lufs) < 0.05:
            break
        gain = min(gain + wanted - after.integrated_lufs, most_gain_db)
    return gain


def _mean(blocks: Iterable[Samples], count: int) -> float:
    """Return the constant offset of a bad sound card: it is no sound, but it takes room from it."""
    return sum(float(block.sum(dtype="float64")) for block in blocks) / max(1, count)


def _measure(blocks: Iterable[Samples]) -> Loudness:
    """Return how loud plain samples are."""
    meter = Meter(PLAIN_RATE_HZ)
    for block in blocks:
        meter.push(block)
    return meter.result()


def _told(blocks: Iterator[Samples], total: int, progress: Progress, begin: float, span: float) -> Iterator[Samples]:
    """Yield the blocks and tell how far they are."""
    tell, done = _counted(total, progress, begin, span), 0
    for block in blocks:
        yield block
        done += len(block)
        tell(done)


def _counted(total: int, progress: Progress, begin: float, span: float) -> Progress:
    return lambda done: progress(begin + span * min(1.0, done / max(1, total)))


def _whole(value: object) -> int:
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
