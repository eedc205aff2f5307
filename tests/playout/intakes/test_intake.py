"""What lies between a source and a pipe, on simulated time: pace, gaps, silence, clocks that differ, stale sound."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from playout.intakes.intake import BLOCK, SILENT_S, Intake, Voice
from playout.intakes.pcmpipe import PcmPipe, open_pipe
from playout.source import NS_PER_S, RATE_HZ, SAMPLE_BYTES

SECOND = 50
SOUND = (np.sin(np.arange(BLOCK) / 10) * 8_000).astype("<i2").tobytes()
QUIET = bytes(BLOCK * SAMPLE_BYTES)


class Bench:
    """An intake on a clock of the test's own, and everything it says and gives."""

    def __init__(self, descriptor: int, *, held_s: float = 3.0, fresh: bool = True) -> None:
        self.now_ns = 0
        self.descriptor = descriptor
        self.events: list[dict[str, object]] = []
        self.given = bytearray()
        self.intake = Intake(
            pipe=PcmPipe(descriptor, held_s=0.25),
            say=lambda event: self.events.append(dict(event)),
            held_s=held_s,
            again_s=1.0,
            fresh=fresh,
            monotonic_ns=lambda: self.now_ns,
        )

    def live(self, seconds: float, coming: Callable[[int], bytes] = lambda block: SOUND) -> None:
        """Let time pass, with what comes at each block of 20 ms; a reader takes what is given."""
        for block in range(round(seconds * SECOND)):
            self.intake.offer(coming(block))
            self.intake.step(self.now_ns)
            self.now_ns += NS_PER_S // SECOND
            if block % 5 < 4:
                continue
            try:
                self.given += os.read(self.descriptor, 1 << 16)
            except BlockingIOError:
                continue

    @property
    def told(self) -> list[str]:
        """What was said, levels apart."""
        return [str(event["event"]) for event in self.events if event["event"] != "level"]


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[int]:
    """A named pipe, open."""
    descriptor = open_pipe(tmp_path / "run" / "a.pcm")
    yield descriptor
    os.close(descriptor)


def test_a_burst_is_cut_to_what_is_held_and_then_all_goes_on(pipe: int) -> None:
    """Eight seconds at once, as Icecast gives them, become three; from then on nothing is lost or added."""
    bench = Bench(pipe)
    bench.intake.offer(SOUND * 8 * SECOND)

    bench.live(10)

    assert ["flowing"] == bench.told
    assert 10 * RATE_HZ * SAMPLE_BYTES == len(bench.given)
    assert bench.given == SOUND * 10 * SECOND
    assert {"held_s": 2.98, "rms_dbfs": -15.3, "dropped": 0} == {
        name: bench.events[-1][name] for name in ("held_s", "rms_dbfs", "dropped")
    }


def test_a_gap_shorter_than_what_is_held_is_not_heard(pipe: int) -> None:
    """Two seconds without anything, then all of it: the listener notices nothing."""
    bench = Bench(pipe)
    bench.live(4)

    bench.live(2, lambda block: b"")
    bench.intake.offer(SOUND * 2 * SECOND)
    bench.live(4)

    assert ["flowing"] == bench.told
    # The first three seconds were gathered.
    assert len(bench.given) == (4 + 2 + 4 - 3) * RATE_HZ * SAMPLE_BYTES + len(SOUND)


def test_nothing_for_five_seconds_is_dead_and_one_second_held_is_back(pipe: int) -> None:
    """It is said when what was held is used up too, with the reason, and what is old is taken out of the pipe."""
    bench = Bench(pipe)
    bench.live(4)
    bench.intake.trouble("no_answer", "the server answers 404")

    bench.live(4.9, lambda block: b"")
    assert ["flowing"] == bench.told
    bench.live(0.2, lambda block: b"")
    assert ["flowing", "dead"] == bench.told
    (dead,) = [event for event in bench.events if event["event"] == "dead"]
    assert {"event": "dead", "cause": "no_answer", "detail": "the server answers 404"} == dead
    bench.live(0.9)
    assert ["flowing", "dead"] == bench.told
    bench.live(0.2)
    assert ["flowing", "dead", "back"] == bench.told


def test_a_source_that_never_comes_is_dead_after_five_seconds(pipe: int) -> None:
    """Nothing was held, nothing came."""
    bench = Bench(pipe)

    bench.live(4.9, lambda block: b"")
    assert [] == bench.told
    bench.live(0.2, lambda block: b"")

    assert ["dead"] == bench.told
    assert not bench.given


def test_a_source_that_comes_too_slowly_is_dead(pipe: int) -> None:
    """A third of the sound in time is no relay."""
    bench = Bench(pipe)
    bench.live(4)

    bench.live(40, lambda block: SOUND if block % 3 == 0 else b"")

    assert ["flowing", "dead"] == bench.told[:2]


@pytest.mark.parametrize(("dbfs", "silent"), [(-41, True), (-39, False)])
def test_twenty_seconds_below_the_limit_are_silence_until_sound_comes(pipe: int, dbfs: float, silent: bool) -> None:
    """Measured by the second: 19 are a pause, 20 are not, and one with sound ends it."""
    faint = (np.sin(np.arange(BLOCK) / 10) * 32_768 * 2**0.5 * 10 ** (dbfs / 20)).astype("<i2").tobytes()
    bench = Bench(pipe, held_s=0.1)
    bench.live(2)

    bench.live(SILENT_S, lambda block: faint)
    assert ["flowing"] == bench.told
    bench.live(2, lambda block: faint)
    assert (["flowing", "silent"] if silent else ["flowing"]) == bench.told
    bench.live(2.5)

    assert (["flowing", "silent", "back"] if silent else ["flowing"]) == bench.told


@pytest.mark.parametrize("ppm", [8_000, -8_000])
def test_a_source_with_another_clock_neither_overflows_nor_runs_dry(pipe: int, ppm: int) -> None:
    """Far beyond any real clock, for ten minutes: what is too much or missing is left out or said twice in pauses."""
    bench = Bench(pipe)
    clock = RATE_HZ * (1 + ppm / 1e6) / SECOND
    pcm = (SOUND * 45 + QUIET * 5) * 2
    sent = 0.0

    def coming(_block: int) -> bytes:
        nonlocal sent
        before, sent = int(sent), sent + clock
        at = before * SAMPLE_BYTES % (len(pcm) // 2)
        return pcm[at : at + (int(sent) - before) * SAMPLE_BYTES]

    bench.live(600, coming)

    held = [float(str(event["held_s"])) for event in bench.events[200:] if event["event"] == "level"]
    assert ["flowing"] == bench.told
    assert 0.2 < min(held) and max(held) < 6.5
    last = bench.events[-1]
    assert (ppm > 0) == (last["dropped"] != 0) and (ppm < 0) == (last["inserted"] != 0)


def test_who_begins_to_read_gets_what_came_last(pipe: int) -> None:
    """After ten seconds without a reader at most 0.75 s lie there, whole samples, and the newest of all."""
    writer = PcmPipe(pipe, held_s=0.5)
    ramp = np.arange(10 * RATE_HZ, dtype=np.int64).astype("<i2")
    for first in range(0, len(ramp), BLOCK):
        writer.write(ramp[first : first + BLOCK].tobytes())

    read = np.frombuffer(os.read(pipe, 1 << 20), dtype="<i2")

    assert 0.5 <= len(read) / RATE_HZ <= 0.75
    assert np.array_equal(ramp[-len(read) :], read)
    writer.write(SOUND)
    writer.empty()
    with pytest.raises(BlockingIOError):
        os.read(pipe, 1)


def test_the_pipe_is_private_and_takes_the_place_of_what_is_none(tmp_path: Path) -> None:
    """0700 and 0600; a file of that name gives way, a pipe of before is used again."""
    path = tmp_path / "run" / "XA" / "relay-A.pcm"
    path.parent.mkdir(parents=True)
    path.parent.rmdir()
    first = open_pipe(path)
    again = open_pipe(path)
    os.write(first, SOUND)
    assert SOUND == os.read(again, len(SOUND))
    assert (0o700, 0o600) == (path.parent.stat().st_mode & 0o777, path.stat().st_mode & 0o777)
    os.close(first)
    os.close(again)
    path.unlink()
    path.write_bytes(b"old")
    os.close(open_pipe(path))
    assert path.is_fifo()


def test_a_parent_that_does_not_listen_never_holds_the_sound() -> None:
    """When the pipe to it is full, what is said is left out."""
    reading, writing = os.pipe()
    voice = Voice(writing)
    for _ in range(10_000):
        voice.say({"event": "level", "rms_dbfs": -20.0})
    os.close(reading)
    voice.say({"event": "level"})
    os.close(writing)
