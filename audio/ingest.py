"""From an upload to a segment's canonical file: sniffed here, decoded in one locked room, mastered in another."""

from __future__ import annotations

import errno
import math
import os
import stat
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from audio import sentences
from audio.child import Refusal
from audio.container import Container, Sniffed
from audio.disguise import Disguise
from audio.library import Library
from audio.rates import PLAIN_RATE_HZ, PLAIN_SAMPLE_BYTES, RATE_HZ
from audio.sandbox import Confinement, Sandbox
from audio.sniff import sniff
from audio.trim import Trim
from schedules.errors import IngestRefused
from schedules.findings import Finding

_SHORTEST_S = 0.5
_SLACK_S = 0.5
_DAMAGED_SHARE = 0.02
_DAMAGED_COUNT = 3
_NOTICED_S = 0.15
_DECODING = 0.4
# Mastering reads only our own samples: about 100 times real time here, ten times is a slow machine.
_MASTER_SPEED = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestLimits:
    """What one upload may cost; the kernel enforces memory, processor time and output, we the rest.

    cpu_s, wall_s: for decoding; what is long or large gets more, see `_budget_s`. stall_s: without progress.
    target_lufs, ceiling_dbtp, most_limiting_db: the one loudness of the whole system.
    """

    max_bytes: int = 500 * 1024 * 1024
    max_seconds: float = 10_800.0
    memory_mb: int = 800
    cpu_s: float = 50.0
    wall_s: float = 60.0
    stall_s: float = 30.0
    target_lufs: float = -16.0
    ceiling_dbtp: float = -1.5
    most_limiting_db: float = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Canonical:
    """Our own file, as it was measured: mono, 48 000 Hz, 16 bit FLAC in the library.

    pcm_sha256: over the raw little-endian s16 samples of the whole file.
    gain_db: how far the recording was lifted before the limiter.
    """

    sha256: str
    pcm_sha256: str
    samples: int
    loudness_lufs: float
    true_peak_dbtp: float
    gain_db: float
    head_silence_s: float
    tail_silence_s: float
    source_format: str
    warnings: tuple[Finding, ...] = field(default=())


def ingest(
    source: Path,
    *,
    library: Library,
    scratch: Path,
    limits: IngestLimits,
    on_progress: Callable[[float], None],
    trim: Trim | None = None,
) -> Canonical:
    """Bring one recording into the library and return what is there now.

    source: never followed if it is a link; its name means nothing. scratch: a folder on the library's disk.
    on_progress: gets 0..1, in this thread. Raises IngestRefused with a finding for the uploader,
    SandboxUnavailable where nothing can be decoded safely, OSError where the disk fails.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    descriptor = _open(source)
    try:
        size = os.fstat(descriptor).st_size
        found = _look(descriptor, size, limits)
        with tempfile.TemporaryFile(dir=scratch) as plain:
            decoded = _decode(
                descriptor, size, found, plain.fileno(), limits, lambda share: on_progress(share * _DECODING)
            )
            first, last = _kept(trim, _count(decoded, "samples"))
            handle, name = tempfile.mkstemp(dir=scratch, prefix="canonical-", suffix=".flac")
            try:
                with os.fdopen(handle, "r+b") as out:
                    measured = _master(
                        plain.fileno(),
                        out.fileno(),
                        (first, last),
                        limits,
                        lambda share: on_progress(_DECODING + share * (1 - _DECODING)),
                    )
                sha256 = library.adopt(Path(name))
            finally:
                Path(name).unlink(missing_ok=True)
    finally:
        os.close(descriptor)
    return Canonical(
        sha256=sha256,
        pcm_sha256=str(measured["pcm_sha256"]),
        samples=_count(measured, "samples"),
        loudness_lufs=_real(measured, "loudness_lufs"),
        true_peak_dbtp=_real(measured, "true_peak_dbtp"),
        gain_db=_real(measured, "gain_db"),
        head_silence_s=_real(measured, "head_s"),
        tail_silence_s=_real(measured, "tail_s"),
        source_format=found.container.name.lower(),
        warnings=_warnings(found, decoded, measured, limits),
    )


def _open(source: Path) -> int:
    try:
        descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise IngestRefused(sentences.not_a_file()) from error
        raise
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
        os.close(descriptor)
        raise IngestRefused(sentences.not_a_file())
    return descriptor


def _look(descriptor: int, size: int, limits: IngestLimits) -> Sniffed:
    """Return what the upload is, or refuse it for what can be seen without decoding."""
    if size == 0:
        raise IngestRefused(sentences.empty(0.0))
    if size > limits.max_bytes:
        raise IngestRefused(sentences.too_big(size, limits.max_bytes))
    found = sniff(descriptor, size)
    if found is Disguise.PLAYLIST:
        raise IngestRefused(sentences.playlist())
    if not isinstance(found, Sniffed):
        raise IngestRefused(sentences.not_audio())
    if found.too_wide:
        raise IngestRefused(sentences.too_complex())
    if found.declared_s is not None and found.declared_s > limits.max_seconds and not found.cut:
        raise IngestRefused(sentences.too_long(found.declared_s, limits.max_seconds))
    return found


def _decode(
    descriptor: int,
    size: int,
    found: Sniffed,
    plain: int,
    limits: IngestLimits,
    on_progress: Callable[[float], None],
) -> Mapping[str, object]:
    """Fill `plain` with samples; a second time, from one channel, where both together are silence."""
    job: dict[str, object] = {
        "container": str(found.container),
        "start_byte": found.start_byte,
        "size_bytes": size,
        "max_seconds": limits.max_seconds,
        "declared_s": found.declared_s,
        "channel": None,
    }
    budget_s = _budget_s(found, size, limits)
    # The processor is shared, and a decoder runs at the lowest priority.
    wall_s = limits.wall_s + 3 * (budget_s - limits.cpu_s)
    confinement = Confinement(
        memory_bytes=limits.memory_mb * 1_000_000,
        cpu_s=int(budget_s),
        output_bytes=int((limits.max_seconds + 60) * PLAIN_RATE_HZ * PLAIN_SAMPLE_BYTES),
    )

    def done(sandbox: Sandbox) -> Mapping[str, object]:
        return sandbox.do(job, [descriptor, plain], wall_s=wall_s, stall_s=limits.stall_s, on_progress=on_progress)

    try:
        with Sandbox("audio.decode", confinement) as sandbox:
            decoded = done(sandbox)
            if decoded.get("cancelling") is True:
                os.ftruncate(plain, 0)
                os.lseek(plain, 0, os.SEEK_SET)
                job["channel"] = _count(decoded, "loudest_channel")
                done(sandbox)
    except Refusal as refusal:
        if refusal.code in ("not_audio", "damaged", "empty") and found.cut:
            raise IngestRefused(sentences.truncated(0.0, found.declared_s)) from refusal
        raise _refused(refusal, limits) from refusal
    # The file's own length, not the child's word, is what the next step reads.
    there = os.fstat(plain).st_size // PLAIN_SAMPLE_BYTES
    decoded = {**decoded, "samples": there}
    _judge(found, decoded, there / PLAIN_RATE_HZ)
    return decoded


def _budget_s(found: Sniffed, size: int, limits: IngestLimits) -> float:
    """Return the processor time for decoding: three hours of MP3 on a small computer, not for a small bomb."""
    return limits.cpu_s + min(540.0, max((found.declared_s or 0.0) / 20, size / 320_000))


def _judge(found: Sniffed, decoded: Mapping[str, object], seconds: float) -> None:
    """Refuse what is not whole."""
    declared = found.declared_s
    errors = max(_count(decoded, "errors"), _count(decoded, "holes"))
    short_s = 0.0 if declared is None else declared - seconds
    reaches_the_end = declared is not None and _real(decoded, "end_s") >= declared - _SLACK_S
    if found.cut:
        if declared is None or short_s > _SLACK_S or found.container is Container.OGG:
            total = None if found.container is Container.OGG else declared
            raise IngestRefused(sentences.truncated(seconds, total))
    elif short_s > max(_SLACK_S, _DAMAGED_SHARE * (declared or 0.0)) and not reaches_the_end:
        raise IngestRefused(sentences.truncated(seconds, declared))
    if errors > _DAMAGED_COUNT and errors > _DAMAGED_SHARE * _count(decoded, "packets"):
        raise IngestRefused(sentences.damaged())
    lost_s = max(short_s, _real(decoded, "lost_s"))
    if lost_s > max(_SLACK_S, _DAMAGED_SHARE * (declared or seconds)):
        raise IngestRefused(sentences.damaged())
    if seconds < _SHORTEST_S:
        raise IngestRefused(sentences.empty(seconds))


def _master(
    plain: int, out: int, kept: tuple[int, int], limits: IngestLimits, on_progress: Callable[[float], None]
) -> Mapping[str, object]:
    seconds = (kept[1] - kept[0]) / PLAIN_RATE_HZ
    if seconds < _SHORTEST_S:
        raise IngestRefused(sentences.empty(max(0.0, seconds)))
    job = {
        "first": kept[0],
        "last": kept[1],
        "target_lufs": limits.target_lufs,
        "ceiling_dbtp": limits.ceiling_dbtp,
        "most_limiting_db": limits.most_limiting_db,
    }
    longest_s = 120 + seconds / _MASTER_SPEED
    confinement = Confinement(
        memory_bytes=limits.memory_mb * 1_000_000,
        cpu_s=int(longest_s),
        # Noise does not shrink in FLAC; 16 bit samples and some headers are the most there can be.
        output_bytes=int(seconds * RATE_HZ * 2 * 1.1) + 1_000_000,
    )
    try:
        with Sandbox("audio.master", confinement) as sandbox:
            return sandbox.do(job, [plain, out], wall_s=longest_s * 3, on_progress=on_progress)
    except Refusal as refusal:
        raise _refused(refusal, limits) from refusal


def _kept(trim: Trim | None, samples: int) -> tuple[int, int]:
    if trim is None:
        return 0, samples
    last = samples if trim.end_s is None else min(samples, round(trim.end_s * PLAIN_RATE_HZ))
    return min(last, round(trim.start_s * PLAIN_RATE_HZ)), last


def _refused(refusal: Refusal, limits: IngestLimits) -> IngestRefused | OSError:
    match refusal.code:
        case "os_error":
            number = refusal.details.get("errno")
            if number in (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS):
                return OSError(number, str(refusal.details.get("said", "")))
            return IngestRefused(sentences.too_complex() if number == errno.EFBIG else sentences.damaged())
        case "silent":
            return IngestRefused(sentences.silent())
        case "empty":
            return IngestRefused(sentences.empty(0.0))
        case "too_long":
            return IngestRefused(sentences.too_long(None, limits.max_seconds))
        case "too_complex":
            return IngestRefused(sentences.too_complex())
        case "outside":
            return IngestRefused(sentences.outside())
        case "not_audio":
            return IngestRefused(sentences.not_audio())
        case _:
            return IngestRefused(sentences.damaged())


def _damaged_places(sniffed: Sniffed, decoded: Mapping[str, object]) -> int:
    """Return how many places a listener may notice.

    Recordings that were glued together give a decoding error or two where nothing is missing; where no length
    was announced, such an error is all there is to know.
    """
    errors, holes = _count(decoded, "errors"), _count(decoded, "holes")
    short_s = (sniffed.declared_s or 0.0) - _count(decoded, "samples") / PLAIN_RATE_HZ
    noticed = errors > _DAMAGED_COUNT or short_s > _NOTICED_S or sniffed.declared_s is None
    return max(errors, holes, 1) if holes or (errors and noticed) else 0


def _warnings(
    sniffed: Sniffed, decoded: Mapping[str, object], measured: Mapping[str, object], limits: IngestLimits
) -> tuple[Finding, ...]:
    found: list[Finding] = []
    if decoded.get("cancelling") is True:
        found.append(sentences.one_channel_only())
    elif _real(decoded, "cancelled_s") > 1.0:
        found.append(sentences.partly_cancelled(_real(decoded, "first_cancelled_s"), _real(decoded, "cancelled_s")))
    if damaged := _damaged_places(sniffed, decoded):
        found.append(sentences.damaged_frames(damaged))
    if (head := _real(measured, "head_s")) > 1.0:
        found.append(sentences.head_silence(head))
    if (tail := _real(measured, "tail_s")) > 1.0:
        found.append(sentences.tail_silence(tail))
    between = measured.get("between")
    if isinstance(between, list):
        found += [sentences.long_silence(float(start), float(length)) for start, length in between]
    if measured.get("held_back"):
        found.append(sentences.held_back(_real(measured, "loudness_lufs"), limits.target_lufs))
    return tuple(found)


def _count(answer: Mapping[str, object], key: str) -> int:
    value = answer.get(key)
    return min(value, 10**12) if isinstance(value, int) else 0


def _real(answer: Mapping[str, object], key: str) -> float:
    value = answer.get(key)
    return value if isinstance(value, float) and math.isfinite(value) else 0.0
