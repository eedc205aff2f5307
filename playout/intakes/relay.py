"""The relay child: fetches one signed source, in a locked room with a network and no data, and gives its sound on."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any, Protocol

import av
import av.error
import av.filter
import av.logging
import numpy as np

from playout.intakes.fetching import Answer, Fetcher, FetchFailed
from playout.intakes.hls import HlsStream
from playout.intakes.intake import Intake, Voice, end_with_parent
from playout.intakes.pcmpipe import PcmPipe
from playout.source import RATE_HZ
from schedules.sources import host_of

HELD_S = 3.0
"""What is held before the first sample goes on: as long as an ordinary trouble of a network may last."""

AGAIN_S = 1.0
CUSHION_S = 0.5
"""What the player finds in the pipe: as long as a busy machine may keep this child waiting."""

PAUSES_S = (1.0, 2.0, 4.0, 8.0, 10.0)
"""How long it rests before it tries again, longer each time; from the beginning after something came."""

_FRAGMENT = 1_200
_OVERSAMPLED_HZ = 192_000
# The limiter looks at four samples for one: -2 dBFS there is below -1.5 dBTP after the way back to 48 kHz.
_LIMIT = 10 ** (-2.0 / 20)
_CODECS = {
    "mp3": "mp3float,mp3",
    "aac": "aac",
    "ogg": "opus,libopus,vorbis,flac",
    "mpegts": "aac,mp3float,mp3",
    "mp4": "aac",
}
_DEMUXERS = {"mp3": "mp3", "aac": "aac", "ogg": "ogg", "mpegts": "mpegts", "mp4": "mov"}
_MOST_ERRORS = 200


class _Bytes(Protocol):
    """Bytes of one container, as they come."""

    def read(self, count: int) -> bytes:
        """Return up to `count` bytes, waiting for some; none at the end."""
        ...


class _Guarded:
    """What FFmpeg reads from: the network's own trouble is kept, for it would come out as an unreadable stream."""

    def __init__(self, source: _Bytes, stopping: threading.Event) -> None:
        self._source = source
        self._stopping = stopping
        self.trouble: FetchFailed | None = None

    def read(self, count: int) -> bytes:
        """Return up to `count` bytes; none at the end, after trouble, and when all is over."""
        if self._stopping.is_set() or self.trouble is not None:
            return b""
        try:
            return self._source.read(count)
        except FetchFailed as trouble:
            self.trouble = trouble
            return b""


class Relay:
    """One source, fetched again and again until `stopping` is set."""

    def __init__(self, source: Mapping[str, Any], intake: Intake, voice: Voice, stopping: threading.Event) -> None:
        self._source = source
        self._intake = intake
        self._voice = voice
        self._stopping = stopping
        self._fetcher = Fetcher(host_of(source["address"]) or "", source["hosts"])
        self._came = False

    def run(self) -> None:
        """Fetch; every end is told, and after a pause it begins anew."""
        failures = 0
        while not self._stopping.is_set():
            self._came = False
            self._voice.say({"event": "trying"})
            try:
                self._once()
                trouble = FetchFailed("ended", "the stream ended")
            except FetchFailed as failed:
                trouble = failed
            failures = 0 if self._came else failures + 1
            self._intake.trouble(trouble.cause, trouble.detail)
            self._voice.say({"event": "trouble", "cause": trouble.cause, "detail": trouble.detail[:300]})
            self._stopping.wait(PAUSES_S[min(max(failures - 1, 0), len(PAUSES_S) - 1)])

    def _once(self) -> None:
        if self._source["kind"] == "hls":
            stream = HlsStream(self._fetcher, self._source["address"], stopping=self._stopping)
            stream.open()
            # Whole pieces come at once and then nothing for as long as one lasts.
            self._intake.hold(held_s=min(1.5 * stream.target_s, 12.0))
            self._pass_on(stream, stream.container)
            while stream.go_on():
                self._pass_on(stream, stream.container)
            return
        answer: Answer = self._fetcher.get(self._source["address"])
        try:
            self._pass_on(answer, str(self._source["format"]))
        finally:
            answer.close()

    def _pass_on(self, source: _Bytes, container: str) -> None:
        guarded = _Guarded(source, self._stopping)
        came = False
        try:
            for pcm in decoded(guarded, container):
                if self._stopping.is_set():
                    return
                self._came = came = True
                self._intake.offer(pcm)
        except (av.error.FFmpegError, ValueError) as error:
            raise guarded.trouble or FetchFailed("not_audio", f"{container} that cannot be decoded: {error}") from error
        if guarded.trouble is not None:
            raise guarded.trouble
        if not came:
            raise FetchFailed("not_audio", f"no {container} in what came")


def decoded(source: _Bytes, container: str) -> Iterator[bytes]:
    """Yield the sound of one container as mono 48 kHz s16, limited to -1.5 dBTP, in pieces of 25 ms.

    container: FFmpeg's name; nothing is guessed, and what the bytes name besides is not opened. Raises FFmpegError,
    ValueError, FetchFailed.
    """

    def refuse_to_open(url: str, flags: int, options: object) -> None:
        raise PermissionError("a relay opens nothing by itself")

    with av.open(
        source,
        "r",
        format=container,
        container_options={
            "protocol_whitelist": "none",
            "format_whitelist": _DEMUXERS[container],
            "codec_whitelist": _CODECS[container],
            "probesize": "65536",
            "analyzeduration": "500000",
            "max_streams": "16",
        },
        metadata_errors="replace",
        buffer_size=4_096,
        io_open=refuse_to_open,
    ) as opened:
        if not opened.streams.audio:
            raise FetchFailed("not_audio", "no audio in it")
        stream = opened.streams.audio[0]
        stream.codec_context.thread_count = 1
        graph: av.filter.Graph | None = None
        shape: tuple[int, str, str] | None = None
        errors = 0
        for packet in opened.demux(stream):
            try:
                frames = packet.decode()
            except av.error.InvalidDataError:
                errors += 1
                if errors > _MOST_ERRORS:
                    raise
                continue
            for frame in frames:
                current = (frame.sample_rate, frame.layout.name, frame.format.name)
                if graph is None or current != shape:
                    if not (4_000 <= frame.sample_rate <= 192_000 and 1 <= frame.layout.nb_channels <= 8):
                        raise FetchFailed("not_audio", f"{frame.layout.nb_channels} channels, {frame.sample_rate} Hz")
                    graph, shape = _chain(*current), current
                errors = 0
                frame.pts = None
                graph.push(frame)
                yield from _pull(graph)


def _chain(rate_hz: int, layout: str, sample_format: str) -> av.filter.Graph:
    graph = av.filter.Graph()
    graph.threads = 1
    source = graph.add_abuffer(sample_rate=rate_hz, format=sample_format, layout=layout, time_base=Fraction(1, rate_hz))
    graph.link_nodes(
        source,
        graph.add("aformat", "channel_layouts=mono"),
        graph.add("aresample", str(_OVERSAMPLED_HZ)),
        graph.add("alimiter", f"limit={_LIMIT:.4f}:level=0:attack=2:release=80:asc=0"),
        graph.add("aresample", str(RATE_HZ)),
        graph.add("aformat", "sample_fmts=s16"),
        graph.add("asetnsamples", f"n={_FRAGMENT}:p=0"),
        graph.add("abuffersink"),
    ).configure()
    return graph


def _pull(graph: av.filter.Graph) -> Iterator[bytes]:
    while True:
        try:
            frame = graph.pull()
        except (BlockingIOError, EOFError):
            return
        if isinstance(frame, av.AudioFrame):
            yield np.ascontiguousarray(frame.to_ndarray()).astype("<i2").tobytes()


def main(arguments: list[str]) -> None:
    """Relay one source: arguments are it as JSON, and the descriptor of the pipe, which was inherited."""
    source, descriptor = json.loads(arguments[0]), int(arguments[1])
    av.logging.set_level(None)
    stopping = threading.Event()
    voice = Voice()
    pipe = PcmPipe(descriptor, held_s=CUSHION_S)
    intake = Intake(pipe=pipe, say=voice.say, held_s=HELD_S, again_s=AGAIN_S, fresh=source["kind"] != "hls")
    end_with_parent(stopping)
    threading.Thread(target=Relay(source, intake, voice, stopping).run, name="relay", daemon=True).start()
    voice.say({"event": "opened"})
    intake.run(stopping)
    # Not by returning: the other thread may be waiting for a server.
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
