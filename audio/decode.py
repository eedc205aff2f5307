"""The confined decoder: hostile bytes in, plain samples out (mono, 24 kHz, float), and nothing else ever leaves it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import av
import av.error
import av.filter
import av.logging
import numpy as np
import numpy.typing as npt

from audio.child import Job, Progress, Refusal, serve
from audio.plain import Samples
from audio.rates import PLAIN_RATE_HZ

_BLOCK = 8_192
_LOUDEST = 16.0
_CODECS = {
    "mp3": "mp3float,mp3",
    "wav": "pcm_s16le,pcm_s24le,pcm_s32le,pcm_u8,pcm_f32le,pcm_f64le,pcm_alaw,pcm_mulaw,adpcm_ms,adpcm_ima_wav",
    "flac": "flac",
    "mp4": "aac,alac,mp3float,mp3",
    "aac": "aac",
    "ogg": "opus,libopus,vorbis,flac",
    "webm": "opus,libopus",
}
_MAX_ERRORS = 2_000
_HOLE_S = 0.005
# Shorter ones stand where recordings were glued together, and nobody hears them.
_HEARD_S = 0.06
_LONGEST_HOLE_S = 10.0
_FATAL = (av.error.MemoryError,)


class Window:
    """A file seen from some byte on, for FFmpeg: it reads here and opens nothing by itself."""

    def __init__(self, descriptor: int, start: int, size: int) -> None:
        self._descriptor = descriptor
        self._start = start
        self._length = max(0, size - start)
        self._position = 0

    @property
    def share(self) -> float:
        """How far it was read, 0..1."""
        return self._position / self._length if self._length else 1.0

    def read(self, count: int) -> bytes:
        """Return up to `count` bytes from here; none at the end."""
        data = os.pread(
            self._descriptor, min(count, max(0, self._length - self._position)), self._start + self._position
        )
        self._position += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move within the window and return the new place."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._length}[whence]
        self._position = max(0, base + offset)
        return self._position

    def tell(self) -> int:
        """Return the place in the window."""
        return self._position


def decode(job: Job, descriptors: Sequence[int], progress: Progress) -> Mapping[str, object]:
    """Write the recording's samples and return how many, how long it says it is, and what was odd.

    job: `container`, `start_byte`, `size_bytes`, `max_seconds`, `declared_s` (for progress only),
    `channel` (None: all, equally).
    descriptors: the upload, for reading; an empty file for little-endian float32 samples.
    Raises Refusal with `not_audio`, `too_long`, `too_complex`, `damaged`, `empty`, `outside`.
    """
    source, sink = descriptors
    window = Window(source, _whole(job["start_byte"]), _whole(job["size_bytes"]))
    tally = _Tally()
    mixer = _Mixer(channel=None if job.get("channel") is None else _whole(job["channel"]))
    limit = int(float(str(job["max_seconds"])) * PLAIN_RATE_HZ)
    expected = float(str(job.get("declared_s") or 0.0)) * PLAIN_RATE_HZ
    written = 0
    for block in _plain(_frames(window, str(job["container"]), tally)):
        mono = mixer.mix(block)
        if written + len(mono) > limit:
            raise Refusal("too_long", seconds=written / PLAIN_RATE_HZ)
        _write(sink, mono.astype("<f4", copy=False).tobytes())
        written += len(mono)
        progress(min(1.0, written / expected) if expected else window.share)
    if tally.outside:
        raise Refusal("outside")
    if tally.errors and not written:
        raise Refusal("damaged", errors=tally.errors, packets=tally.packets, seconds=0.0)
    return {
        "samples": written,
        "errors": tally.errors,
        "holes": tally.holes,
        "packets": tally.packets,
        "lost_s": tally.lost_s,
        "end_s": tally.end_s,
        **mixer.findings(),
    }


@dataclass(slots=True)
class _Tally:
    """What decoding met on its way."""

    packets: int = 0
    errors: int = 0
    holes: int = 0
    lost_s: float = 0.0
    end_s: float = 0.0
    outside: bool = False


def _frames(window: Window, container_name: str, tally: _Tally) -> Iterator[av.AudioFrame | float]:
    """Yield what can be decoded; what cannot is counted, and its length in seconds yielded instead."""

    def refuse_to_open(url: str, flags: int, options: object) -> None:
        tally.outside = True
        raise PermissionError("a recording does not open other files")

    try:
        container = av.open(
            window,
            "r",
            format=container_name,
            container_options={
                "protocol_whitelist": "none",
                "format_whitelist": "mp3,wav,flac,aac,ogg,mov,matroska",
                "codec_whitelist": _CODECS[container_name],
                "probesize": "1000000",
                "max_streams": "16",
            },
            metadata_errors="replace",
            io_open=refuse_to_open,
        )
    except _FATAL:
        raise
    except (av.error.FFmpegError, ValueError, UnicodeError) as error:
        raise Refusal("outside" if tally.outside else "damaged", said=str(error)) from error
    with container:
        if not container.streams.audio:
            raise Refusal("not_audio", said="no audio stream")
        stream = container.streams.audio[0]
        context = stream.codec_context
        if context is None or context.codec.name not in _CODECS[container_name].split(","):
            raise Refusal("not_audio", said="a codec that is not taken")
        if not (1 <= context.channels <= 8 and 4_000 <= context.sample_rate <= 192_000):
            raise Refusal("too_complex", channels=context.channels, rate_hz=context.sample_rate)
        context.thread_count = 1
        context.options = {"err_detect": "crccheck+explode"} if container_name == "flac" else {}
        reached_s = 0.0
        for packet in _packets(container, stream, tally):
            try:
                decoded = packet.decode()
            except _FATAL:
                raise
            except av.error.FFmpegError:
                tally.errors += 1
                continue
            for frame in decoded:
                begins_s = _begin_s(frame, stream.start_time or 0, otherwise=reached_s)
                if begins_s - reached_s > _HOLE_S and reached_s > 0:
                    tally.holes += begins_s - reached_s > _HEARD_S
                    tally.lost_s += begins_s - reached_s
                    yield min(begins_s - reached_s, _LONGEST_HOLE_S)
                reached_s = tally.end_s = begins_s + frame.samples / max(1, frame.sample_rate)
                yield frame


def _begin_s(frame: av.AudioFrame, origin: int, *, otherwise: float) -> float:
    """Return when the frame begins by its own word; by what came before it where it says nothing."""
    if frame.pts is None or not frame.time_base:
        return otherwise
    return float((frame.pts - origin) * frame.time_base)


def _packets(
    container: av.container.InputContainer, stream: av.AudioStream, tally: _Tally
) -> Iterator[av.Packet[av.AudioStream]]:
    """Yield the stream's packets; goes on after damage between them."""
    while tally.errors < _MAX_ERRORS:
        try:
            for packet in container.demux(stream):
                tally.packets += 1
                yield packet
                if tally.errors >= _MAX_ERRORS:
                    break
        except _FATAL:
            raise
        except av.error.FFmpegError:
            tally.errors += 1
            continue
        return


def _plain(frames: Iterator[av.AudioFrame | float]) -> Iterator[Samples]:
    """Yield blocks of channels × samples at the plain rate; the rate or layout may change on the way.

    A hole becomes silence, so that what follows keeps its place in time.
    """
    graph: av.filter.Graph | None = None
    shape: tuple[int, str, str] | None = None
    for frame in frames:
        if isinstance(frame, float):
            yield np.zeros((1, int(frame * PLAIN_RATE_HZ)), dtype=np.float32)
            continue
        current = (frame.sample_rate, frame.layout.name, frame.format.name)
        if graph is None or current != shape:
            if not 4_000 <= frame.sample_rate <= 192_000 or frame.layout.nb_channels > 8:
                raise Refusal("too_complex", channels=frame.layout.nb_channels, rate_hz=frame.sample_rate)
            if graph is not None:
                yield from _pull(graph, last=True)
            graph, shape = _resampler(*current), current
        frame.pts = None
        graph.push(frame)
        yield from _pull(graph, last=False)
    if graph is not None:
        yield from _pull(graph, last=True)


def _resampler(rate_hz: int, layout: str, sample_format: str) -> av.filter.Graph:
    graph = av.filter.Graph()
    graph.threads = 1
    source = graph.add_abuffer(sample_rate=rate_hz, format=sample_format, layout=layout, time_base=Fraction(1, rate_hz))
    graph.link_nodes(
        source,
        graph.add("aresample", f"{PLAIN_RATE_HZ}:filter_size=64:cutoff=0.97"),
        # Not planar: PyAV looks for a ninth plane behind the eighth and reads what is not there.
        graph.add("aformat", "sample_fmts=flt"),
        graph.add("asetnsamples", f"n={_BLOCK}:p=0"),
        graph.add("abuffersink"),
    ).configure()
    return graph


def _pull(graph: av.filter.Graph, *, last: bool) -> Iterator[Samples]:
    if last:
        graph.push(None)
    while True:
        try:
            frame = graph.pull()
        except (BlockingIOError, EOFError):
            return
        if isinstance(frame, av.AudioFrame):
            packed = np.asarray(frame.to_ndarray(), dtype=np.float32)
            yield packed.reshape(-1, frame.layout.nb_channels).T


@dataclass(slots=True)
class _Mixer:
    """All channels equally into one; notices where they cancel each other out (left is right turned over)."""

    channel: int | None = None
    _single: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(8))
    _mixed: float = 0.0
    _cancelled_s: float = 0.0
    _first_cancelled_s: float | None = None
    _position: int = 0

    def mix(self, block: Samples) -> Samples:
        """Return the mono samples of a block of channels × samples, without infinities."""
        clean = np.clip(np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0), -_LOUDEST, _LOUDEST)
        mono: Samples = clean.mean(axis=0, dtype=np.float32)
        if len(clean) > 1:
            powers = np.square(clean, dtype=np.float64).mean(axis=1)
            mixed = float(np.square(mono, dtype=np.float64).mean())
            self._single[: len(powers)] += powers * mono.size
            self._mixed += mixed * mono.size
            if powers.max() > 1e-5 and mixed < 0.03 * powers.max():
                self._cancelled_s += mono.size / PLAIN_RATE_HZ
                if self._first_cancelled_s is None:
                    self._first_cancelled_s = self._position / PLAIN_RATE_HZ
        self._position += mono.size
        if self.channel is not None:
            return np.ascontiguousarray(clean[min(self.channel, len(clean) - 1)])
        return mono

    def findings(self) -> dict[str, object]:
        """Return what the parent needs to decide whether one channel must be taken alone."""
        loudest = int(self._single.argmax())
        cancelling = bool(self._single[loudest] > 0 and self._mixed < 0.03 * self._single[loudest])
        return {
            "cancelling": cancelling,
            "loudest_channel": loudest,
            "cancelled_s": self._cancelled_s,
            "first_cancelled_s": self._first_cancelled_s,
        }


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
    serve(decode)
