"""What an ear makes of what it hears, on a simulated clock: alarms, evidence and what it cannot know."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import soundfile

from playout.ears.earstream import EAR_HZ, EarStream
from playout.ears.heardfiles import HeardFile, HeardFiles
from playout.ears.hearing import Hearing
from playout.player.pieces import FilePiece, PipePiece, SilencePiece, Tone, TonePiece
from playout.source import NS_PER_S, RATE_HZ
from tests.audio.recordings import speech

NOW = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
TICK = RATE_HZ // 4


class Room:
    """One ear in a room where any sound can be made, a quarter of a second at a time."""

    def __init__(self, folder: Path, *, source: str = "horn.monitor", delay_s: float = 1.0) -> None:
        self.folder = folder
        self.now_ns = 1000 * NS_PER_S
        self.events: list[dict] = []
        self.hearing = Hearing(
            output="main",
            source=source,
            delay_s=delay_s,
            folder=folder / "heard",
            say=lambda event: self.events.append({**event, "at_ns": self.now_ns}),
            wall=lambda instant_ns: NOW + timedelta(seconds=instant_ns / NS_PER_S - 1000),
        )

    def sound(self, pcm: np.ndarray, *, deaf: bool = False) -> None:
        """Let it be heard, or not, and time pass."""
        for begin in range(0, len(pcm) - TICK + 1, TICK):
            if not deaf:
                self.hearing.hear(pcm[begin : begin + TICK], self.now_ns)
            self.now_ns += NS_PER_S // 4
            self.hearing.step(self.now_ns)

    def quiet(self, seconds: float, *, deaf: bool = False) -> None:
        """Let nothing be heard."""
        self.sound(np.zeros(round(seconds * RATE_HZ), dtype=np.int16), deaf=deaf)

    def file(self, pcm: np.ndarray) -> FilePiece:
        """Return an approved file."""
        digest = hashlib.sha256(pcm.tobytes()).hexdigest()
        path = self.folder / f"{digest[:12]}.flac"
        soundfile.write(path, pcm, RATE_HZ, subtype="PCM_16")
        return FilePiece(path=path, sha256=hashlib.sha256(path.read_bytes()).hexdigest(), samples=len(pcm))

    def expect(self, *pieces, airing: str = "a#1", from_sample: int = 0, in_s: float = 0.0) -> None:
        """Expect an airing now or in a moment."""
        start_ns = self.now_ns + round(in_s * NS_PER_S)
        self.hearing.expect(airing, pieces, from_sample=from_sample, start_ns=start_ns)

    def told(self, event: str, **fields: object) -> list[dict]:
        """Return the events of a kind whose fields are these."""
        return [
            one
            for one in self.events
            if one["event"] == event and all(one.get(name) == value for name, value in fields.items())
        ]

    def heard(self, airing: str = "a#1") -> dict:
        """Return the last word on an airing."""
        (event,) = self.told("heard", airing=airing, final=True)
        return event


@pytest.fixture
def room(tmp_path: Path) -> Room:
    """A room where nothing was heard yet."""
    return Room(tmp_path)


def voice(seconds: float, seed: int) -> np.ndarray:
    """Return something like speech at 48 kHz."""
    return (speech(seconds, seed=seed) * 32_767).astype(np.int16)


def after_s(room: Room, since_ns: int, event: dict) -> float:
    """Return how long after an instant an event was told."""
    return (event["at_ns"] - since_ns) / NS_PER_S


def test_what_is_heard_right_raises_nothing_and_leaves_a_recording(room: Room) -> None:
    """Two items one after the other are found whole, each with its recording, which lasts as long as it is kept."""
    first, second = voice(12, 1), voice(12, 2)
    room.quiet(5)
    begun_ns = room.now_ns
    room.expect(room.file(first), in_s=1.0)
    room.expect(room.file(second), airing="b#2", in_s=13.0)
    room.quiet(1)
    room.sound(first)
    room.sound(second)
    room.quiet(25)
    assert [room.heard(airing)["share"] for airing in ("a#1", "b#2")] == [1.0, 1.0]
    assert room.heard()["start_ns"] == begun_ns + NS_PER_S
    assert abs(room.heard()["offset_ms"]) < 5
    assert room.told("alarm") == []
    assert [event["state"] for event in room.told("ear")] == ["hearing", "matching", "hearing"]
    files = HeardFiles(room.folder)
    (recording,) = room.heard("b#2")["files"]
    assert recording["name"].startswith("20261124T050018Z-")
    path = files.path("heard", recording["name"])
    assert path is not None
    assert recording["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert soundfile.info(path).duration == pytest.approx(12 + 2.3, abs=0.6)
    assert files.path("..", recording["name"]) is files.path("heard", "../secret") is None
    assert files.purge(datetime.now(UTC) - timedelta(days=1)) == 0
    assert files.purge(datetime.now(UTC) + timedelta(days=1)) == 2
    assert files.path("heard", recording["name"]) is None


def test_f22_another_item_is_told_within_15_s_and_cleared_when_it_is_over(room: Room) -> None:
    """Something else from the first second on is foreign sound; after its end the alarm is over."""
    room.quiet(5)
    begun_ns = room.now_ns
    room.expect(room.file(voice(20, 1)))
    room.sound(voice(20, 2))
    room.quiet(8)
    (alarm,) = room.told("alarm")
    assert alarm["kind"] == "foreign"
    assert 6 < after_s(room, begun_ns, alarm) < 15
    assert len(room.told("clear", kind="foreign")) == 1
    assert room.heard()["share"] < 0.2
    assert room.heard()["foreign_s"] > 12


@pytest.mark.parametrize("jump_s", [-0.12, 0.4])
def test_a_jump_of_the_recording_alarms_nobody(room: Room, jump_s: float) -> None:
    """Where the ear loses some sound, or stands still for a moment, the item is found again before anybody is told."""
    item = voice(30, 3)
    room.quiet(5)
    room.expect(room.file(item))
    room.sound(item[: 12 * RATE_HZ])
    if jump_s > 0:
        room.hearing.hear(np.zeros(round(jump_s * RATE_HZ), dtype=np.int16), room.now_ns)
    room.sound(item[round((12 - min(jump_s, 0)) * RATE_HZ) :])
    room.quiet(10)
    assert room.told("alarm") == []
    assert room.heard()["share"] > 0.95


def test_f21_silence_is_told_within_15_s_and_the_alarm_ends_with_it(room: Room) -> None:
    """Nothing comes out from the tenth second on, and again something from the thirtieth on."""
    sound = voice(45, 3)
    room.quiet(5)
    room.expect(room.file(sound))
    room.sound(sound[: 10 * RATE_HZ])
    mute_ns = room.now_ns
    room.quiet(20)
    room.sound(sound[30 * RATE_HZ :])
    room.quiet(8)
    (alarm,) = room.told("alarm")
    (clear,) = room.told("clear")
    assert alarm["kind"] == clear["kind"] == "silent"
    assert after_s(room, mute_ns, alarm) < 15
    assert after_s(room, mute_ns, clear) < 30
    assert room.heard()["silent_s"] == pytest.approx(20 * room.heard()["sounding_s"] / 45, abs=3)


def test_f21_silence_of_a_relay_is_told_after_20_s(room: Room) -> None:
    """Where only the level is known, twenty seconds below -40 dBFS are silence, and sound before it is nothing bad."""
    room.quiet(5)
    room.expect(PipePiece(pipe=Path("/nowhere"), samples=60 * RATE_HZ))
    room.sound(voice(10, 4))
    mute_ns = room.now_ns
    room.quiet(30)
    (alarm,) = room.told("alarm", kind="silent")
    assert 18 < after_s(room, mute_ns, alarm) < 27


def test_f23_sound_out_of_hours_is_told_within_10_s(room: Room) -> None:
    """A voice while nothing is on air raises the alarm, also right after an item; its end ends it."""
    item = voice(8, 1)
    room.quiet(5)
    room.expect(room.file(item))
    room.sound(item)
    strange_ns = room.now_ns
    room.sound(voice(20, 5))
    room.quiet(15)
    (alarm,) = room.told("alarm")
    assert alarm["kind"] == "unscheduled"
    assert after_s(room, strange_ns, alarm) < 10
    assert len(room.told("clear", kind="unscheduled")) == 1
    room.sound(voice(3, 6))
    room.quiet(10)
    assert len(room.told("alarm")) == 1


def test_what_was_cut_is_asked_for_up_to_the_cut(room: Room) -> None:
    """An item ended after ten of its thirty seconds was heard whole as far as it went; silence after it is no fault."""
    item = voice(30, 1)
    room.quiet(5)
    room.expect(room.file(item))
    room.sound(item[: 10 * RATE_HZ])
    room.hearing.over("a#1", ended_ns=room.now_ns)
    room.quiet(20)
    assert room.heard()["share"] == 1.0
    assert len(room.heard()["map"]) == 20
    assert room.told("alarm") == []


def test_the_rest_of_an_item_is_known_by_its_place(room: Room) -> None:
    """After a crash the rest is expected from its sample on, whatever pieces it lies in."""
    item = voice(15, 7)
    pieces = (TonePiece(tone=Tone.ALERT, samples=4 * RATE_HZ), room.file(item), SilencePiece(samples=RATE_HZ))
    room.quiet(5)
    room.expect(*pieces, from_sample=6 * RATE_HZ)
    room.sound(item[2 * RATE_HZ :])
    room.quiet(10)
    assert room.heard()["share"] == 1.0
    assert abs(room.heard()["offset_ms"]) < 5


@pytest.mark.parametrize("seconds", [0.3, 1.0, 1.9])
def test_what_is_too_short_to_be_found_is_not_called_foreign(room: Room, seconds: float) -> None:
    """A piece of an item before a crash has a share where it was found, and otherwise nothing is said of it."""
    item = voice(20, 9)
    room.quiet(5)
    room.expect(room.file(item))
    room.sound(item[: round(seconds * RATE_HZ) // TICK * TICK])
    room.hearing.over("a#1", ended_ns=room.now_ns)
    room.quiet(12)
    assert room.heard()["share"] in (None, 1.0)
    assert room.heard()["foreign_s"] == 0
    assert room.told("alarm") == []


def test_f21_a_short_item_that_is_silent_is_silent(room: Room) -> None:
    """Silence needs no place to be told, however short."""
    room.quiet(5)
    room.expect(room.file(voice(2.5, 9)))
    room.quiet(15)
    assert room.heard()["share"] == 0
    assert room.heard()["silent_s"] >= 1.5


def test_a_tone_is_only_listened_for(room: Room) -> None:
    """A tone of the player's own has no reference: it is there, and what follows is compared."""
    item = voice(10, 7)
    room.quiet(5)
    room.expect(TonePiece(tone=Tone.ALERT, samples=4 * RATE_HZ), room.file(item))
    room.sound(voice(4, 8))
    room.sound(item)
    room.quiet(10)
    assert room.heard()["map"].startswith("llllllll")
    assert room.heard()["share"] == 1.0
    assert room.told("alarm") == []


@pytest.mark.parametrize(("spoil", "problem"), [("missing", "media_missing"), ("bytes", "media_hash")])
def test_without_the_approved_file_nothing_is_claimed(room: Room, spoil: str, problem: str) -> None:
    """A reference that is gone or changed gives no share, whatever was heard."""
    item = voice(8, 1)
    file = room.file(item)
    if spoil == "missing":
        file.path.unlink()
    else:
        file.path.write_bytes(file.path.read_bytes() + b"x")
    room.quiet(5)
    room.expect(file)
    room.sound(item)
    room.quiet(12)
    assert (room.heard()["share"], room.heard()["problem"]) == (None, problem)
    assert room.told("alarm", kind="foreign") == []


def test_a_deaf_ear_claims_and_alarms_nothing(room: Room) -> None:
    """While the ear gives nothing it is lost; what was missed then is neither silence nor a share."""
    item = voice(30, 1)
    room.quiet(5)
    room.expect(room.file(item))
    room.sound(item[: 10 * RATE_HZ])
    room.quiet(10, deaf=True)
    room.sound(item[20 * RATE_HZ :])
    room.quiet(15)
    assert [event["state"] for event in room.told("ear")] == ["hearing", "matching", "lost", "matching", "hearing"]
    assert room.told("alarm") == []
    assert room.heard()["share"] is None
    assert room.heard()["deaf_s"] == pytest.approx(10, abs=0.6)
    assert room.heard()["silent_s"] < 1


def test_an_ear_that_never_heard_says_so(room: Room) -> None:
    """Without any device the ear is lost after a moment, and the airing ends as unheard."""
    room.hearing.lose("no such device", room.now_ns)
    room.expect(room.file(voice(5, 1)))
    room.quiet(3, deaf=True)
    assert room.told("ear") == []
    room.quiet(17, deaf=True)
    assert room.told("ear")[0]["detail"] == "no such device"
    assert room.heard()["share"] is None
    assert room.heard()["deaf_s"] == 5


def test_an_ear_that_opens_in_the_middle_claims_and_alarms_nothing(room: Room) -> None:
    """What was aired before the ear was there is neither silence nor a share."""
    item = voice(30, 1)
    room.expect(room.file(item))
    room.quiet(15, deaf=True)
    room.sound(item[15 * RATE_HZ :])
    room.quiet(10)
    assert room.told("alarm") == []
    assert room.heard()["share"] is None
    assert room.heard()["deaf_s"] == pytest.approx(15, abs=0.6)


def test_a_receiver_may_be_seconds_late(tmp_path: Path) -> None:
    """An ear behind a stream finds the item with its delay, and what still sounds after its time is no alarm."""
    room = Room(tmp_path, source="radio", delay_s=7.0)
    item = voice(15, 1)
    room.quiet(5)
    room.expect(room.file(item))
    room.quiet(6)
    room.sound(item)
    room.quiet(10)
    assert room.heard()["share"] == 1.0
    assert room.heard()["offset_ms"] == pytest.approx(6_000, abs=300)
    assert room.told("alarm") == []


def test_a_full_disk_leaves_no_recording_and_does_not_deafen(room: Room) -> None:
    """Where the recording cannot be written, the share is told all the same."""
    (room.folder / "heard").write_text("in the way")
    item = voice(8, 1)
    room.quiet(5)
    room.expect(room.file(item))
    room.sound(item)
    room.quiet(8)
    assert (room.heard()["share"], room.heard()["files"]) == (1.0, [])


def test_the_oldest_recordings_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an output may keep is bounded, whatever the days."""
    monkeypatch.setattr("playout.ears.heardfiles.MOST_BYTES", 40_000)
    names = []
    for hour in range(4):
        file = HeardFile(tmp_path, start=NOW + timedelta(hours=hour), airing="a#1")
        file.open()
        file.write(np.random.default_rng(hour).integers(-9000, 9000, EAR_HZ // 2).astype(np.int16))
        assert file.close()
        names.append(file.name)
    assert sorted(path.name for path in tmp_path.iterdir()) == names[1:]


def test_the_stream_keeps_its_time_over_a_gap() -> None:
    """A sample lies where the clock says, before and after a pause of the device and over hours."""
    stream = EarStream(monitor=True)
    now_ns = 10 * NS_PER_S

    def read(level: int, seconds: float) -> None:
        nonlocal now_ns
        for _ in range(round(seconds * 50)):
            stream.take(np.full(RATE_HZ // 50, level, dtype=np.int16), now_ns)
            now_ns += NS_PER_S // 50

    read(1000, 1)
    assert stream.position_at(10 * NS_PER_S) == 0
    now_ns += 2 * NS_PER_S
    read(2000, 2)
    assert stream.position_at(now_ns) == 5 * EAR_HZ
    assert abs(stream.end - 5 * EAR_HZ) < EAR_HZ // 2
    assert stream.samples(3 * EAR_HZ + EAR_HZ // 2, 4 * EAR_HZ - 600).max() == 0
    assert stream.samples(4 * EAR_HZ + 600, stream.end).min() > 1900
    assert stream.instant_at(5 * EAR_HZ) == pytest.approx(now_ns, abs=NS_PER_S // 1000)
    now_ns += 3600 * NS_PER_S
    read(3000, 2)
    assert stream.samples(stream.end - 1000, stream.end).min() > 2900
    assert stream.position_at(now_ns) == 3607 * EAR_HZ


def test_f24_what_a_busy_machine_reads_late_was_not_missing() -> None:
    """After a stall of a second the samples come all at once, and each keeps its place."""
    stream = EarStream(monitor=True)
    sound = np.arange(4 * RATE_HZ, dtype=np.int64).astype(np.int16)
    for number in range(200):
        at = number * RATE_HZ // 50
        late_s = max(0.0, 2.0 - number / 50) if number >= 50 else 0.0
        stream.take(sound[at : at + RATE_HZ // 50], round((10 + number / 50 + late_s) * NS_PER_S))
    assert stream.position_at(10 * NS_PER_S) == 0
    assert stream.end == pytest.approx(4 * EAR_HZ, abs=EAR_HZ // 2)
