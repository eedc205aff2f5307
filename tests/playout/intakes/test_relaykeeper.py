"""Relays through real children and a real server on loopback: what flows, what is refused, what dies and comes back."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from playout.benches.soundlab import Samples
from playout.faults import FaultBook
from playout.intakes.relaykeeper import RelayKeeper
from playout.source import RATE_HZ
from playout.specs import InputSpec
from playout.systemclock import SystemClock
from schedules.relaying import SourceState
from schedules.sources import RelaySource, SourceKind, StreamFormat
from tests.playout.broadcaster import Broadcaster, encoded, hls, tone

TICK_S = 0.05


class Relays:
    """A keeper that is stepped as a station steps it, with its faults."""

    def __init__(self, folder: Path) -> None:
        self.rows: list[Mapping[str, Any]] = []
        clock = SystemClock(host=True)
        self.faults = FaultBook(clock=clock, write=self.rows.append)
        spec = InputSpec(name="mic", kind="alsa", device="there-is-no-such-device")
        self.keeper = RelayKeeper(folder=folder, inputs=(spec,), clock=clock, faults=self.faults)
        self.sources: dict[str, RelaySource] = {}

    def want(self, *sources: RelaySource) -> None:
        """Let these be open."""
        self.sources = {source.code: source for source in sources}

    def until(self, done: Callable[[], bool], *, within_s: float) -> None:
        """Step until it is so."""
        deadline = time.monotonic() + within_s
        while not done():
            assert time.monotonic() < deadline, (self.states(), self.rows)
            self.keeper.keep(self.sources)
            time.sleep(TICK_S)

    def states(self) -> dict[str, SourceState]:
        """Return how all of them are."""
        return {code: self.keeper.state(code) for code in self.sources}

    def all(self, state: SourceState, *, within_s: float) -> None:
        """Step until all are so."""
        self.until(lambda: set(self.states().values()) == {state}, within_s=within_s)

    def heard(self, code: str, seconds: float) -> Samples:
        """Step, and return what a player that begins now would read."""
        return self.heard_of([code], seconds)[code]

    def heard_of(self, codes: list[str], seconds: float) -> dict[str, Samples]:
        """The same of several at one time."""
        pipes = {code: os.open(self.keeper.pipe(code), os.O_RDONLY | os.O_NONBLOCK) for code in codes}
        read: dict[str, list[bytes]] = {code: [] for code in codes}
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.keeper.keep(self.sources)
            for code, pipe in pipes.items():
                with suppress(BlockingIOError):
                    read[code].append(os.read(pipe, 1 << 20))
            time.sleep(TICK_S)
        for pipe in pipes.values():
            os.close(pipe)
        return {code: np.frombuffer(b"".join(parts), dtype="<i2") for code, parts in read.items()}


@pytest.fixture
def server() -> Iterator[Broadcaster]:
    """A broadcaster that answers."""
    broadcaster = Broadcaster()
    broadcaster.start()
    yield broadcaster
    broadcaster.close()


@pytest.fixture
def relays(tmp_path: Path) -> Iterator[Relays]:
    """A keeper without anything to keep."""
    relays = Relays(tmp_path / "run")
    yield relays
    relays.keeper.close()


def source(code: str, address: str, kind: str = "http", **more: Any) -> RelaySource:
    """Return a source; of an endless stream, MP3 where nothing else is said."""
    given = {"format": StreamFormat.MP3 if kind == "http" else None, **more}
    return RelaySource(code=code, name=f"Đài {code}", kind=SourceKind(kind), address=address, **given)


def is_tone(sound: Samples, hz: float) -> bool:
    """Return whether one frequency holds nearly all of the sound's power."""
    power = np.abs(np.fft.rfft(sound.astype(np.float64))) ** 2
    at = round(hz * len(sound) / RATE_HZ)
    return bool(power[at - 5 : at + 6].sum() > 0.95 * power.sum())


def test_every_kind_of_stream_flows_at_the_pace_of_the_clock(server: Broadcaster, relays: Relays) -> None:
    """Chunked MP3, ADTS, Opus in Ogg, HLS of both kinds of pieces and a redirect: each gives its own tone in real time,
    loud ones limited, from a locked room that sees no data."""
    server.stream("/mp3", encoded(tone(30, hz=400)), seconds=30)
    server.stream("/aac", encoded(tone(30, hz=500), container="adts", codec="aac"), seconds=30, kind="audio/aac")
    server.stream("/ogg", encoded(tone(30, hz=600), container="ogg", codec="libopus"), seconds=30, kind="audio/ogg")
    server.stream("/loud", encoded(tone(30, hz=12_000, amplitude=1.0), codec="libmp3lame"), seconds=30)
    server.redirect("/elsewhere", "/mp3")
    hls(server, "/ts", tone(24, hz=700), container="mpegts")
    hls(server, "/fmp4", tone(24, hz=800), container="mp4", master=True)
    kinds = {
        "MP3": (source("MP3", server.url("/mp3")), 400),
        "AAC": (source("AAC", server.url("/aac"), format=StreamFormat.AAC), 500),
        "OGG": (source("OGG", server.url("/ogg"), format=StreamFormat.OGG), 600),
        "LOUD": (source("LOUD", server.url("/loud")), 12_000),
        "MOVED": (source("MOVED", server.url("/elsewhere")), 400),
        "TS": (source("TS", server.url("/ts/live.m3u8"), "hls"), 700),
        "FMP4": (source("FMP4", server.url("/fmp4/live.m3u8"), "hls"), 800),
    }
    relays.want(*(given for given, _hz in kinds.values()))

    relays.all(SourceState.FLOWING, within_s=20)
    heard = relays.heard_of(list(kinds), 3.0)

    for code, (_given, hz) in kinds.items():
        # Up to three quarters of a second lie in the pipe when reading begins.
        assert 2.8 < len(heard[code]) / RATE_HZ < 3.9, code
        assert is_tone(heard[code], hz), code
    assert np.abs(heard["LOUD"]).max() <= 32_768 * 10 ** (-1.5 / 20)
    assert [] == relays.rows
    for pid in relays.keeper.pids:
        (child,) = psutil.Process(pid).children()
        inside = {path.name for path in Path(f"/proc/{child.pid}/root").iterdir()}
        assert {"loa", "packages", "usr", "etc"} <= inside
        assert not {"home", "root", "tmp", "var", "work", "proc", "sys", "run"} & inside
        assert {"playout", "schedules"} == {path.name for path in Path(f"/proc/{child.pid}/root/loa").iterdir()}


def test_what_is_refused_says_why_and_what_stalls_or_dies_comes_back(server: Broadcaster, relays: Relays) -> None:
    """Another host by redirect, playlist or piece, a page instead of sound, another container, an encrypted or finished
    stream: nothing of it is relayed, and whoever was not to be asked was not asked. A source that stalls is dead
    after five seconds and told, with nothing old left in the pipe, and flows again when it gives again; a killed child
    is replaced; what is wanted no more is gone with its faults."""
    canary = Broadcaster()
    canary.start()
    other = f"http://localhost:{canary.port}"
    sound = encoded(tone(4))
    canary.file("/a.mp3", sound, "audio/mpeg")
    server.redirect("/away", f"{other}/a.mp3")
    server.redirect("/file", "file:///etc/passwd")
    server.redirect("/round", "/round")
    server.file("/page", b"<html><body>Not found</body></html>", "text/html")
    server.file("/lying", b"<html><body>Not found</body></html>" * 2_000, "audio/mpeg")
    head = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n"
    server.file("/named.mp3", f"{head}#EXTINF:2,\n{other}/a.mp3\n".encode(), "audio/mpeg")
    server.file("/piece.m3u8", f"{head}#EXTINF:2,\n{other}/a.mp3\n".encode())
    server.file("/local.m3u8", f"{head}#EXTINF:2,\nfile:///etc/passwd\n".encode())
    server.file("/list.m3u8", f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{other}/b.m3u8\n".encode())
    server.file("/key.m3u8", f'{head}#EXT-X-KEY:METHOD=AES-128,URI="k"\n#EXTINF:2,\na.mp3\n'.encode())
    server.file("/over.m3u8", f"{head}#EXTINF:2,\na.mp3\n#EXT-X-ENDLIST\n".encode())
    expected = {
        "AWAY": (source("AWAY", server.url("/away")), "không được phép"),
        "FILE": (source("FILE", server.url("/file")), "không được phép"),
        "ROUND": (source("ROUND", server.url("/round")), "không được phép"),
        "PIECE": (source("PIECE", server.url("/piece.m3u8"), "hls"), "không được phép"),
        "LOCAL": (source("LOCAL", server.url("/local.m3u8"), "hls"), "không được phép"),
        "LIST": (source("LIST", server.url("/list.m3u8"), "hls"), "không được phép"),
        "PAGE": (source("PAGE", server.url("/page")), "đúng dạng đã khai báo"),
        "LYING": (source("LYING", server.url("/lying")), "đúng dạng đã khai báo"),
        "NAMED": (source("NAMED", server.url("/named.mp3")), "đúng dạng đã khai báo"),
        "KEY": (source("KEY", server.url("/key.m3u8"), "hls"), "đúng dạng đã khai báo"),
        "OVER": (source("OVER", server.url("/over.m3u8"), "hls"), "mất tín hiệu"),
        "NONE": (source("NONE", server.url("/none")), "mất tín hiệu"),
        "LINE": (source("LINE", "mic", "line"), "hoặc đã bị rút"),
        "LINE2": (source("LINE2", "mic 2", "line"), "hoặc đã bị rút"),
    }
    server.stream("/mp3", encoded(tone(60)), seconds=60)
    good = source("GOOD", server.url("/mp3"))
    relays.want(good)
    relays.all(SourceState.FLOWING, within_s=20)
    server.stalled.set()
    stalled_at = time.monotonic()
    relays.want(good, *(given for given, _sentence in expected.values()))

    relays.until(lambda: relays.keeper.state("GOOD") is SourceState.DEAD, within_s=20)
    assert 4.5 < time.monotonic() - stalled_at < 9.0
    relays.all(SourceState.DEAD, within_s=25)

    def told(code: str) -> str:
        return next((row["message"] for row in reversed(relays.rows) if row["code"] == f"relay_dead_{code}"), "")

    relays.until(lambda: all(sentence in told(code) for code, (_given, sentence) in expected.items()), within_s=20)
    canary.close()
    assert all(row["detail"] for row in relays.rows)
    assert [] == canary.asked
    relays.want(good)
    assert 0 == len(relays.heard("GOOD", 0.2))
    assert ["relay_dead_GOOD"] == [known.code for known in relays.faults.open]
    server.stalled.clear()
    relays.all(SourceState.FLOWING, within_s=20)
    assert () == relays.faults.open
    (pid,) = relays.keeper.pids
    os.kill(pid, signal.SIGKILL)
    relays.until(lambda: relays.keeper.pids != (pid,) and len(relays.keeper.pids) == 1, within_s=15)
    relays.all(SourceState.FLOWING, within_s=20)
    # Without the first moment of the stream, where it begins anew.
    assert is_tone(relays.heard("GOOD", 1.0)[-RATE_HZ // 2 :], 440)
    (pid,) = relays.keeper.pids
    relays.want()
    relays.until(lambda: not psutil.pid_exists(pid), within_s=10)
