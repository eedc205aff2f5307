"""The bus on a simulated clock: the code of the player, faster than real time."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import soundfile

from playout.outputs.output import Block, Timeline
from playout.outputs.tally import Tally
from playout.outputs.virtualoutput import VirtualOutput
from playout.player.bus import BLOCK_FRAMES, Bus
from playout.player.filesource import FileSource
from playout.source import NS_PER_S, RATE_HZ, Cue, Source

START_NS = 1_000 * NS_PER_S
TICK_NS = 10_000_000


class MemoryOutput:
    """A virtual output that keeps what it was handed, by frame."""

    lead_ns = 200_000_000

    def __init__(self, timeline: Timeline, name: str = "main") -> None:
        self.states: list[tuple[str, str, str]] = []
        self.name = name
        self._counter = VirtualOutput(name, timeline=timeline, report=lambda *state: self.states.append(state))
        self.blocks: list[Block] = []

    def start(self) -> None:
        self._counter.start()

    def hand(self, block: Block) -> None:
        self.blocks.append(block)
        self._counter.hand(block)

    def advance(self, now_ns: int) -> None:
        self._counter.advance(now_ns)

    def tally(self, airing: str) -> Tally:
        return self._counter.tally(airing)

    def settled(self, frame: int) -> bool:
        return self._counter.settled(frame)

    def forget(self, airing: str) -> None:
        self._counter.forget(airing)

    def stop(self) -> None:
        self._counter.stop()

    def samples(self) -> tuple[int, np.ndarray]:
        """Return the first frame and everything from there on, silence where the bus left frames out."""
        first = self.blocks[0].frame
        last = self.blocks[-1].frame + BLOCK_FRAMES
        sound = np.zeros(last - first, dtype=np.int16)
        for block in self.blocks:
            at = block.frame - first
            sound[at : at + block.frames] = np.frombuffer(block.pcm, dtype="<i2")
        return first, sound


class Files:
    """Opens files at once; `broken` names airings whose first source gives nothing, or stops after some samples."""

    def __init__(self) -> None:
        self.sounds: dict[str, Path] = {}
        self.broken: dict[str, int] = {}
        self.stood_in: list[tuple[str, int]] = []
        self.can_stand_in = True
        self.open_files: set[str] = set()

    def open(self, cue: Cue) -> Source:
        self.open_files.add(cue.airing)
        source = self._file(cue.airing, cue.from_sample)
        if cue.airing in self.broken:
            return StuckSource(source, gives=self.broken[cue.airing])
        return source

    def stand_in(self, cue: Cue, *, from_sample: int) -> Source | None:
        if not self.can_stand_in:
            return None
        self.stood_in.append((cue.airing, from_sample))
        self.can_stand_in = False
        return self._file(cue.airing, from_sample)

    def release(self, airing: str) -> None:
        self.open_files.discard(airing)

    def _file(self, airing: str, from_sample: int) -> FileSource:
        with self.sounds[airing].open("rb") as file:
            return FileSource(file.fileno(), from_sample=from_sample)


class StuckSource:
    """A source that gives a number of samples and then hangs without a word, as libvlc may."""

    kind = "libvlc"
    live = False

    def __init__(self, source: FileSource, *, gives: int) -> None:
        self._source = source
        self._gives = gives

    def available(self) -> int:
        return min(self._gives, self._source.available())

    def read(self, samples: int) -> bytes:
        pcm = self._source.read(min(samples, self._gives)) if self._gives else b""
        self._gives -= len(pcm) // 2
        return pcm

    def failure(self) -> str | None:
        return None

    def close(self) -> None:
        self._source.close()


class Rig:
    """A bus, its output, and a clock that moves when it is told."""

    def __init__(self, folder: Path, *, two: bool = False) -> None:
        self.folder = folder
        self.timeline = Timeline(origin_ns=START_NS)
        self.output = MemoryOutput(self.timeline)
        self.village = MemoryOutput(self.timeline, "village")
        self.files = Files()
        self.events: list[dict[str, object]] = []
        outputs = [self.output, self.village] if two else [self.output]
        self.bus = Bus(timeline=self.timeline, outputs=outputs, opener=self.files, emit=self.events.append)
        self.now_ns = START_NS
        self.rng = np.random.default_rng(7)

    def file(self, airing: str, *, samples: int) -> np.ndarray:
        """Make noise, and let `airing` be it."""
        sound = self.rng.integers(-8000, 8000, samples).astype(np.int16)
        path = self.folder / f"{airing}.flac"
        soundfile.write(path, sound, RATE_HZ, subtype="PCM_16")
        self.files.sounds[airing] = path
        return sound

    def arm(self, airing: str, *, samples: int, at_s: float, from_sample: int = 0, after=None, outputs=None) -> None:
        """Arm `airing` at `at_s` seconds of the rig's time."""
        self.bus.arm(
            Cue(
                airing=airing,
                samples=samples,
                from_sample=from_sample,
                start_ns=START_NS + round(at_s * NS_PER_S),
                after=after,
                outputs=outputs,
            )
        )

    def run_until(self, second: float) -> None:
        """Step every 10 ms up to `second`."""
        while self.now_ns < START_NS + second * NS_PER_S:
            self.now_ns += TICK_NS
            self.bus.step(self.now_ns)

    def stall(self, seconds: float) -> None:
        """Let the process stand still."""
        self.now_ns += round(seconds * NS_PER_S)

    def told(self, kind: str) -> list[dict[str, object]]:
        """Return the events of one kind."""
        return [event for event in self.events if event["event"] == kind]

    def ended(self, airing: str) -> dict[str, object]:
        """Return the one `ended` event of `airing`."""
        (event,) = [event for event in self.told("ended") if event["airing"] == airing]
        return event

    def heard(self, second: float, samples: int, output: MemoryOutput | None = None) -> np.ndarray:
        """Return what an output was handed from `second` on; the first one if none is named."""
        first, sound = (output or self.output).samples()
        at = round(second * RATE_HZ) - first
        return sound[at : at + samples]


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """A bus at second 0 of its clock."""
    return Rig(tmp_path)


def test_an_item_lies_on_its_exact_frames_bit_by_bit(rig: Rig) -> None:
    """A file airs from its first to its last sample on the frame that its start names, with silence around it."""
    sound = rig.file("a", samples=100_001)
    rig.arm("a", samples=100_001, at_s=3.25)
    rig.run_until(7)
    assert np.array_equal(rig.heard(3.25, 100_001), sound)
    assert not rig.heard(2.0, 60_000).any()
    assert not rig.heard(3.25 + 100_001 / RATE_HZ, 1000)[1:].any()
    ended = rig.ended("a")
    assert ended["cause"] == "complete"
    assert ended["handed"] == 100_001
    assert ended["handed_sha256"] == hashlib.sha256(sound.tobytes()).hexdigest()
    assert ended["holes"] == []
    assert ended["outputs"]["main"]["samples"] == 100_001
    assert ended["outputs"]["main"]["first_ns"] == START_NS + 3_250_000_000
    (started,) = rig.told("started")
    assert started["monotonic_ns"] == START_NS + 3_250_000_000
    assert rig.files.open_files == set()


def test_joined_items_have_no_sample_between_them(rig: Rig) -> None:
    """The first sample of the next item follows directly, also where the plan's own time would leave a gap."""
    lengths = (50_003, 70_001, 48_000)
    sounds = [rig.file(name, samples=length) for name, length in zip("abc", lengths, strict=True)]
    rig.arm("a", samples=lengths[0], at_s=2.5)
    rig.arm("b", samples=lengths[1], at_s=4.0, after="a")
    rig.arm("c", samples=lengths[2], at_s=5.0, after="b")
    rig.run_until(8)
    assert np.array_equal(rig.heard(2.5, sum(lengths)), np.concatenate(sounds))
    assert [event["airing"] for event in rig.told("ended")] == ["a", "b", "c"]
    assert all(event["handed_sha256"] for event in rig.told("ended"))


def test_the_next_of_a_cut_item_starts_at_its_own_time(rig: Rig) -> None:
    """Where the item before was stopped, the one after it waits for the time that it has of its own."""
    rig.file("a", samples=200_000)
    sound = rig.file("b", samples=50_000)
    rig.arm("a", samples=200_000, at_s=2.5)
    rig.arm("b", samples=50_000, at_s=5.5, after="a")
    rig.run_until(3.5)
    rig.bus.stop("a", fade_ms=100)
    rig.run_until(8)
    assert np.array_equal(rig.heard(5.5, 50_000), sound)
    assert not rig.heard(4.0, 60_000).any()


def test_stop_fades_and_counts_what_went_out(rig: Rig) -> None:
    """A stop fades within its time, names the first sample that was not handed, and gives no hash."""
    sound = rig.file("a", samples=480_000)
    rig.arm("a", samples=480_000, at_s=2.5)
    rig.run_until(4.0)
    rig.bus.stop(None, fade_ms=300)
    rig.run_until(6.0)
    ended = rig.ended("a")
    assert ended["cause"] == "stopped"
    assert ended["handed_sha256"] is None
    assert ended["next"] == ended["handed"]
    assert ended["outputs"]["main"]["samples"] == ended["handed"]
    faded_at = 2.5 + (ended["next"] - 14_400) / RATE_HZ
    assert 4.0 < faded_at < 4.3
    before, tail = rig.heard(faded_at - 0.5, 24_000), rig.heard(faded_at + 0.25, 2400)
    assert np.array_equal(before, sound[ended["next"] - 14_400 - 24_000 :][:24_000])
    assert np.abs(tail).mean() < 0.35 * np.abs(before).mean()
    assert not rig.heard(faded_at + 0.3, 4800).any()


def test_a_stop_for_an_instant_is_silent_then_and_not_before(rig: Rig) -> None:
    """The item before an exact airing ends its fade on that airing's first sample: one source at a time, no gap."""
    sound, after = rig.file("a", samples=480_000), rig.file("b", samples=48_000)
    rig.arm("a", samples=480_000, at_s=2.5)
    rig.arm("b", samples=48_000, at_s=5.0)
    rig.run_until(4.0)
    rig.bus.stop("a", fade_ms=300, silent_ns=START_NS + 5 * NS_PER_S)
    rig.run_until(8.0)
    ended = rig.ended("a")
    assert ended["cause"] == "stopped"
    assert ended["next"] == 120_000
    assert np.array_equal(rig.heard(4.0, 24_000), sound[72_000:][:24_000])
    assert np.array_equal(rig.heard(5.0, 48_000), after)


def test_stop_everything_also_takes_what_is_armed(rig: Rig) -> None:
    """After a stop of everything nothing starts, and each cue has had its one answer."""
    rig.file("a", samples=48_000)
    rig.arm("a", samples=48_000, at_s=3)
    rig.run_until(1.5)
    rig.bus.stop(None, fade_ms=300)
    rig.run_until(5)
    assert rig.ended("a")["handed"] == 0
    assert rig.ended("a")["cause"] == "stopped"
    assert not rig.output.samples()[1].any()


def test_an_emergency_starts_at_once_and_whole(rig: Rig) -> None:
    """A start that is past already does not cost the beginning of the file."""
    sound = rig.file("a", samples=48_000)
    rig.run_until(2)
    rig.arm("a", samples=48_000, at_s=1)
    rig.run_until(5)
    ended = rig.ended("a")
    first_ns = ended["outputs"]["main"]["first_ns"]
    assert 0 <= first_ns - START_NS - 2 * NS_PER_S <= 300_000_000
    assert ended["handed_sha256"] == hashlib.sha256(sound.tobytes()).hexdigest()


def test_a_resumed_item_is_where_the_clock_is(rig: Rig) -> None:
    """What goes on inside its file is tied to the clock: sample k lies where an uninterrupted airing had it."""
    sound = rig.file("a", samples=480_000)
    rig.run_until(2)
    rig.arm("a", samples=480_000, at_s=1.5, from_sample=100_000)
    rig.run_until(11)
    ended = rig.ended("a")
    assert ended["cause"] == "complete"
    first = ended["first"]
    assert 100_000 < first < 100_000 + RATE_HZ
    at = 1.5 + (first - 100_000) / RATE_HZ
    assert np.array_equal(rig.heard(at, 480_000 - first), sound[first:])
    assert ended["handed"] == 480_000 - first
    assert ended["handed_sha256"] is None


@pytest.mark.parametrize("seconds", [0.5, 1.7])
def test_a_stall_is_a_hole_and_the_end_stays(rig: Rig, seconds: float) -> None:
    """After the process stood still the item goes on where the clock is, and the hole has its place and length."""
    sound = rig.file("a", samples=480_000)
    rig.arm("a", samples=480_000, at_s=2.5)
    rig.run_until(5)
    rig.stall(seconds)
    rig.run_until(14)
    ended = rig.ended("a")
    (hole,) = ended["holes"]
    missing = round(hole["seconds"] * RATE_HZ)
    assert seconds - 0.3 < hole["seconds"] < seconds + 0.1
    assert ended["handed"] == 480_000 - missing
    assert ended["handed_sha256"] is None
    assert ended["outputs"]["main"]["samples"] == 480_000 - missing
    assert np.array_equal(rig.heard(12, 24_000), sound[round(9.5 * RATE_HZ) :])
    assert ended["cause"] == "complete"


@pytest.mark.parametrize("gives", [0, 1, 70_000])
def test_a_silent_deck_is_replaced_without_a_hole(rig: Rig, gives: int) -> None:
    """When libvlc gives nothing, or stops in the middle, the file reader goes on with the very next sample."""
    sound = rig.file("a", samples=144_000)
    rig.files.broken["a"] = gives
    rig.arm("a", samples=144_000, at_s=2.5)
    rig.run_until(7)
    assert np.array_equal(rig.heard(2.5, 144_000), sound)
    ended = rig.ended("a")
    assert ended["handed_sha256"] == hashlib.sha256(sound.tobytes()).hexdigest()
    assert [event["source"] for event in rig.told("source")] == ["file"]
    assert rig.files.stood_in[0][0] == "a"


def test_without_a_stand_in_the_item_fails_truthfully(rig: Rig) -> None:
    """With no source left the row says so: some samples, a cause, no hash."""
    rig.file("a", samples=144_000)
    rig.files.broken["a"] = 48_000
    rig.files.can_stand_in = False
    rig.arm("a", samples=144_000, at_s=2.5)
    rig.run_until(8)
    ended = rig.ended("a")
    assert ended["handed"] == 48_000
    assert ended["cause"] == "source_failed"
    assert ended["handed_sha256"] is None


def test_a_broken_file_never_holds_up_another(rig: Rig) -> None:
    """An item that gives nothing at all delays no other, and ends as failed."""
    rig.file("a", samples=144_000)
    rig.files.broken["a"] = 0
    rig.files.can_stand_in = False
    sound = rig.file("b", samples=96_000)
    rig.arm("a", samples=144_000, at_s=2.5)
    rig.arm("b", samples=96_000, at_s=3.0)
    rig.run_until(15)
    assert np.array_equal(rig.heard(3.0, 96_000), sound)
    assert rig.ended("a")["handed"] == 0
    assert rig.ended("a")["cause"] == "source_failed"


def test_two_items_at_once_are_summed(rig: Rig) -> None:
    """What overlaps is mixed, and each is counted whole."""
    first = rig.file("a", samples=96_000)
    second = rig.file("b", samples=48_000)
    rig.arm("a", samples=96_000, at_s=2.5)
    rig.arm("b", samples=48_000, at_s=3.0)
    rig.run_until(6)
    assert np.array_equal(rig.heard(3.0, 48_000), first[24_000:72_000] + second)
    assert rig.ended("a")["outputs"]["main"]["samples"] == 96_000
    assert rig.ended("b")["outputs"]["main"]["samples"] == 48_000


def test_disarm_forgets_only_what_has_not_started(rig: Rig) -> None:
    """A disarmed cue is silent; one that is on air goes on."""
    rig.file("a", samples=96_000)
    rig.file("b", samples=48_000)
    rig.arm("a", samples=96_000, at_s=2.5)
    rig.arm("b", samples=48_000, at_s=5)
    rig.run_until(3)
    rig.bus.disarm("a")
    rig.bus.disarm("b")
    rig.run_until(7)
    assert rig.ended("a")["handed"] == 96_000
    assert rig.ended("b")["handed"] == 0


def test_the_heartbeat_never_pauses(rig: Rig) -> None:
    """A level comes every half second, in silence too; progress comes while an item is on the bus."""
    rig.file("a", samples=96_000)
    rig.arm("a", samples=96_000, at_s=2.5)
    rig.run_until(6)
    assert 23 <= len(rig.told("level")) <= 25
    assert rig.told("level")[0]["rms_dbfs"] == -120.0
    assert any(event["rms_dbfs"] > -30 for event in rig.told("level"))
    assert len(rig.told("progress")) >= 4


@pytest.mark.parametrize("seed", range(12))
def test_every_cue_has_one_answer_and_no_count_exceeds_the_truth(rig: Rig, seed: int) -> None:
    """Whatever stalls, stops and failures come, each cue ends once, and counts agree with each other."""
    rng = np.random.default_rng(seed)
    names = [f"item{number}" for number in range(8)]
    lengths = {name: int(rng.integers(1, 120_000)) for name in names}
    for number, name in enumerate(names):
        rig.file(name, samples=lengths[name])
        if rng.random() < 0.3:
            rig.files.broken[name] = int(rng.integers(0, lengths[name]))
        rig.arm(
            name,
            samples=lengths[name],
            at_s=float(rng.uniform(0, 8)),
            from_sample=int(rng.integers(0, lengths[name])) if rng.random() < 0.3 else 0,
            after=str(rng.choice(names[:number])) if number and rng.random() < 0.4 else None,
        )
    for _ in range(20):
        rig.run_until((rig.now_ns - START_NS) / NS_PER_S + float(rng.uniform(0, 0.6)))
        if rng.random() < 0.2:
            rig.stall(float(rng.uniform(0, 1)))
        if rng.random() < 0.1:
            rig.bus.stop(str(rng.choice(names)), fade_ms=int(rng.integers(0, 500)))
    rig.run_until((rig.now_ns - START_NS) / NS_PER_S + 30)
    assert sorted(str(event["airing"]) for event in rig.told("ended")) == sorted(names)
    for event in rig.told("ended"):
        counted = event["outputs"]["main"]["samples"]
        assert counted <= event["handed"] <= lengths[str(event["airing"])]
        if event["handed_sha256"]:
            assert event["handed"] == lengths[str(event["airing"])]
    assert rig.files.open_files == set()


def test_an_item_for_one_output_leaves_the_others_silent(tmp_path: Path) -> None:
    """A village's notice is heard bit by bit in the village and nowhere else, and only its output is counted."""
    rig = Rig(tmp_path, two=True)
    taped: list[Block] = []
    rig.bus.tap(taped.append)
    notice = rig.file("notice", samples=50_001)
    everybody = rig.file("everybody", samples=48_000)
    rig.arm("notice", samples=50_001, at_s=2.0, outputs=frozenset({"village"}))
    rig.arm("everybody", samples=48_000, at_s=3.0, after="notice")
    rig.run_until(6)
    assert np.array_equal(rig.heard(2.0, 50_001, rig.village), notice)
    assert not rig.heard(2.0, 50_001).any()
    after = 2.0 + 50_001 / RATE_HZ
    for output in (rig.output, rig.village):
        assert np.array_equal(rig.heard(after, 48_000, output), everybody)
    (started, _) = rig.told("started")
    assert started["outputs"] == {"village": START_NS + 2 * NS_PER_S}
    ended = rig.ended("notice")
    assert ended["cause"] == "complete"
    assert {name: output["samples"] for name, output in ended["outputs"].items()} == {"village": 50_001}
    assert set(rig.ended("everybody")["outputs"]) == {"main", "village"}
    # The recording of what went out has everything that anybody heard.
    assert sum(any(span.airing == "notice" for span in block.spans) for block in taped) > 50


def test_what_fades_on_one_output_is_not_heard_on_another(tmp_path: Path) -> None:
    """While one item fades and the next begins elsewhere, each output has its own sound only."""
    rig = Rig(tmp_path, two=True)
    rig.file("a", samples=4 * RATE_HZ)
    other = rig.file("b", samples=RATE_HZ)
    rig.arm("a", samples=4 * RATE_HZ, at_s=1.0, outputs=frozenset({"main"}))
    rig.arm("b", samples=RATE_HZ, at_s=2.5, outputs=frozenset({"village"}))
    rig.run_until(1.5)
    rig.bus.stop("a", fade_ms=1000, silent_ns=START_NS + 3 * NS_PER_S)
    rig.run_until(5)
    assert np.array_equal(rig.heard(2.5, RATE_HZ, rig.village), other)
    assert not rig.heard(1.0, RATE_HZ, rig.village).any()
    assert rig.heard(2.5, RATE_HZ // 4).any()


def test_an_item_for_an_output_that_is_not_there_is_never_counted(rig: Rig) -> None:
    """It ends as lost and is heard nowhere."""
    rig.file("a", samples=RATE_HZ)
    rig.arm("a", samples=RATE_HZ, at_s=1.0, outputs=frozenset({"elsewhere"}))
    rig.run_until(4)
    assert rig.ended("a")["outputs"] == {}
    assert rig.ended("a")["cause"] == "output_lost"
    assert not rig.heard(1.0, RATE_HZ).any()


class LateLive:
    """A live source that gives nothing for a while, and then as much as is asked for, never ahead of its time."""

    kind = "pipe"
    live = True

    def __init__(self) -> None:
        self.held = 0

    def available(self) -> int:
        return RATE_HZ * 3600

    def read(self, samples: int) -> bytes:
        given = min(samples, self.held)
        self.held -= given
        return b"\x10\x00" * given

    def skip(self, samples: int) -> None:
        self.held = max(0, self.held - samples)

    def failure(self) -> str | None:
        return None

    def close(self) -> None:
        pass


class OneSource:
    """Opens the same source for every cue."""

    def __init__(self, source: LateLive) -> None:
        self.source = source

    def open(self, cue: Cue) -> LateLive:
        return self.source

    def stand_in(self, cue: Cue, *, from_sample: int) -> None:
        return None

    def release(self, airing: str) -> None:
        pass


@pytest.mark.parametrize("stall", [False, True])
def test_a_live_source_that_comes_late_ends_when_it_was_to_end(stall: bool) -> None:
    """Ten seconds of nothing, perhaps a stall of the player later: a relay of 30 s is over after 30 s, not after 40."""
    timeline = Timeline(origin_ns=START_NS)
    output, source = MemoryOutput(timeline), LateLive()
    told: list[dict[str, object]] = []
    bus = Bus(timeline=timeline, outputs=[output], opener=OneSource(source), emit=told.append)
    start_ns = START_NS + 2 * NS_PER_S
    bus.arm(Cue(airing="r", samples=30 * RATE_HZ, from_sample=0, start_ns=start_ns, after=None))
    now_ns = START_NS
    while now_ns < START_NS + 36 * NS_PER_S:
        now_ns += TICK_NS
        if now_ns > START_NS + 12 * NS_PER_S:
            source.held += RATE_HZ // 100
        if stall and now_ns == START_NS + 20 * NS_PER_S:
            now_ns += NS_PER_S
        bus.step(now_ns)
    first, sound = output.samples()
    heard = sound.nonzero()[0] + first
    (ended,) = [event for event in told if event["event"] == "ended"]

    assert "complete" == ended["cause"]
    assert heard[0] / RATE_HZ < 12.5
    assert heard[-1] / RATE_HZ < 32.1
