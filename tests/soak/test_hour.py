"""An unattended hour: a running Loa, a fault every two minutes, and its air log against the recorded monitor."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil
import pytest
import requests
import soundfile

from playout.soundlab import PulseServer, Recording, Samples, pulse_server
from tests.running import RunningLoa, make_mp3

pytestmark = [pytest.mark.soak, pytest.mark.sound]

NAME = "LONGHIEP"
HORN = [{"name": "main", "kind": "pulse", "device": "horn"}]
RATE_HZ = 48_000
FAULT_EVERY_S = 120.0
ORDERED_AHEAD = timedelta(seconds=150)
JUDGED_AFTER = timedelta(seconds=20)
BETWEEN = timedelta(milliseconds=500)
_STEP = RATE_HZ // 20
_WORD = 48
_SAME_TRY = RATE_HZ // 10


@dataclass(slots=True)
class Ears:
    """Records the monitor whenever the sink is there, in one recording after the other."""

    server: PulseServer
    recordings: list[Recording] = field(default_factory=list)

    def listen(self) -> None:
        """Begin a new recording where the last one ended with its sink."""
        if self.recordings and self.recordings[-1].alive:
            return
        if self.recordings:
            self.recordings[-1].stop()
        if "horn" in self.server.sinks:
            recording = Recording("horn", environment=self.server.environment)
            recording.start()
            self.recordings.append(recording)

    def stop(self) -> None:
        """End the last recording."""
        for recording in self.recordings[-1:]:
            recording.stop()

    def drop(self, before: datetime) -> None:
        """Let go of what is older than a moment."""
        before_ns = _monotonic_ns(before)
        for recording in self.recordings:
            if recording.end and not recording.empty:
                recording.drop(recording.position_at(before_ns))
        self.recordings = [r for r in self.recordings if r.alive or not r.empty]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What of a sound stands in the recording, bit by bit: its seconds, and when the first of it was heard."""

    seconds: float
    began_at: datetime | None


def heard(ears: Ears, sound: Samples, start: datetime, end: datetime) -> Heard:
    """Look for `sound` between two moments, apart from anything that the station counts.

    A null sink passes samples unchanged, so each short word of the recording is looked up in the sound as it is; where
    one is found, everything around it is compared sample by sample. Of several tries at the same sound the best counts.
    """
    best, began_at = 0.0, None
    whole = sound.astype("<i2").tobytes()
    tries: list[tuple[int, float, int]] = []
    for recording in ears.recordings:
        if recording.empty:
            continue
        first = max(recording.begin, recording.position_at(_monotonic_ns(start)))
        piece = recording.piece(first, recording.position_at(_monotonic_ns(end)))
        for origin in _origins(piece, whole, len(sound)):
            mask = _equal(piece, sound, origin)
            count = int(mask.sum())
            if count:
                # On one time line over all recordings: when sample 0 would have been heard.
                position = int(np.flatnonzero(mask)[0])
                began_ns = int(recording.instants_ns([first + position])[0])
                zero_ns = began_ns - (position - origin) * 1_000_000_000 // RATE_HZ
                tries.append((zero_ns, count / RATE_HZ, began_ns))
    for zero_ns, _, _ in tries:
        together = [one for one in tries if abs(one[0] - zero_ns) < _SAME_TRY * 1_000_000_000 // RATE_HZ]
        seconds = sum(one[1] for one in together)
        if seconds > best:
            best = seconds
    if tries:
        began_at = _wall(min(one[2] for one in tries))
    return Heard(seconds=best, began_at=began_at)


def _origins(piece: Samples, whole: bytes, length: int) -> list[int]:
    """Return where in `piece` sample 0 of the sound lies or would lie, for every stretch that is the sound."""
    found: set[int] = set()
    for at in range(0, len(piece) - _WORD, _STEP):
        word = piece[at : at + _WORD]
        if (word != 0).sum() < _WORD // 2 or any(_word_at(word, whole, at - origin) for origin in found):
            continue
        place = whole.find(word.astype("<i2").tobytes())
        if place >= 0 and place % 2 == 0:
            found.add(at - place // 2)
    return sorted(found)


def _word_at(word: Samples, whole: bytes, sample: int) -> bool:
    return sample >= 0 and whole[2 * sample : 2 * (sample + len(word))] == word.astype("<i2").tobytes()


def _equal(piece: Samples, sound: Samples, origin: int) -> npt.NDArray[np.bool_]:
    """Return for each sample of `piece` whether it is the sound's, in stretches of at least a word."""
    mask = np.zeros(len(piece), dtype=bool)
    first, last = max(0, origin), min(len(piece), origin + len(sound))
    if last <= first:
        return mask
    equal = piece[first:last] == sound[first - origin : last - origin]
    words = len(equal) // _WORD
    by_word = equal[: words * _WORD].reshape(words, _WORD)
    # Silence equals silence: a word counts only where something sounds in it.
    sounding = piece[first : first + words * _WORD].reshape(words, _WORD).any(axis=1)
    mask[first : first + words * _WORD] = np.repeat(by_word.all(axis=1) & sounding, _WORD)
    return mask


def _monotonic_ns(moment: datetime) -> int:
    return time.monotonic_ns() + round((moment - datetime.now(UTC)).total_seconds() * 1e9)


def _wall(monotonic_ns: int) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=(monotonic_ns - time.monotonic_ns()) / 1e9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A recording that is approved: its segment, its canonical samples and its file."""

    segment: str
    sound: Samples
    file: Path

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return timedelta(seconds=len(self.sound) / RATE_HZ)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """An airing that was ordered."""

    slot: str
    piece: Piece
    start: datetime

    @property
    def end(self) -> datetime:
        """When it is over by its plan."""
        return self.start + self.piece.length


@dataclass(slots=True)
class Troubles:
    """Does one bad thing after the other to a Loa, and takes back what can be taken back."""

    loa: RunningLoa
    server: PulseServer
    coming: Callable[[], Ordered | None]
    dice: random.Random
    done: list[str] = field(default_factory=list)
    undo: Callable[[], None] | None = None
    undo_at: float = 0.0

    def make(self) -> None:
        """Do the next one."""
        kinds = (
            self.kill_player,
            self.mute,
            self.stop_player,
            self.take_sink_away,
            self.kill_daemon,
            self.change_file,
            self.busy,
            self.remove_file,
        )
        trouble = kinds[len(self.done) % len(kinds)]
        self.done.append(f"{datetime.now(UTC):%H:%M:%S} {trouble.__name__}")
        trouble()

    def mend(self, *, at_once: bool = False) -> None:
        """Take the last one back when its time is over."""
        if self.undo is not None and (at_once or time.monotonic() > self.undo_at):
            undo, self.undo = self.undo, None
            undo()

    def kill_player(self) -> None:
        """kill -9."""
        self._signal(signal.SIGKILL)

    def stop_player(self) -> None:
        """It hangs."""
        self._signal(signal.SIGSTOP)

    def kill_daemon(self) -> None:
        """kill -9 of everything, and a start some seconds later."""
        self.loa.kill()
        self._later(self.dice.uniform(0.0, 8.0), self.loa.start)

    def mute(self) -> None:
        """Somebody mutes the sink."""
        self.server.mute_sink("horn", muted=True)
        self._later(self.dice.uniform(3.0, 50.0), lambda: self.server.mute_sink("horn", muted=False))

    def take_sink_away(self) -> None:
        """The sound card is pulled."""
        self.server.remove_sink("horn")
        self._later(self.dice.uniform(3.0, 50.0), lambda: self.server.add_sink("horn"))

    def busy(self) -> None:
        """Three processes that only compute."""
        loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(3)]

        def end() -> None:
            for loop in loops:
                loop.kill()
                loop.wait()

        self._later(40.0, end)

    def remove_file(self) -> None:
        """The audio of the next item is gone until that is over."""
        if (ordered := self.coming()) is not None:
            file = ordered.piece.file
            aside = file.rename(file.with_suffix(".aside"))
            self._later_at(ordered.end, lambda: aside.rename(file) and None)

    def change_file(self) -> None:
        """Another byte stands in the audio of the next item."""
        if (ordered := self.coming()) is not None:
            file = ordered.piece.file
            former, mode = file.read_bytes(), file.stat().st_mode
            middle = len(former) // 2
            file.chmod(0o600)
            file.write_bytes(former[:middle] + bytes([former[middle] ^ 1]) + former[middle + 1 :])

            def restore() -> None:
                file.write_bytes(former)
                file.chmod(mode)

            self._later_at(ordered.end, restore)

    def _signal(self, sent: signal.Signals) -> None:
        assert self.loa.process is not None
        for child in psutil.Process(self.loa.process.pid).children():
            if "playout.player" in child.cmdline():
                os.kill(child.pid, sent)

    def _later(self, seconds: float, undo: Callable[[], None]) -> None:
        self.undo, self.undo_at = undo, time.monotonic() + seconds

    def _later_at(self, moment: datetime, undo: Callable[[], None]) -> None:
        self._later((moment - datetime.now(UTC)).total_seconds(), undo)


def untrue(row: dict[str, Any], ordered: Ordered, was: Heard) -> list[str]:
    """Return what a row of the air log says that the recording does not bear out."""
    length_s = len(ordered.piece.sound) / RATE_HZ
    wrong = []
    if row["verdict"] == "aired" and was.seconds < 0.95 * length_s:
        wrong.append(f"aired, but only {was.seconds:.2f} of {length_s:.2f} s were heard")
    if row["verdict"] == "missed" and was.seconds > 0.5:
        wrong.append(f"missed, but {was.seconds:.2f} s were heard")
    if abs(row["seconds_aired"] - was.seconds) > 1.0:
        wrong.append(f"{row['seconds_aired']:.2f} s, but {was.seconds:.2f} s were heard")
    if row["started_at"] is not None:
        started_at = datetime.fromisoformat(row["started_at"])
        # Behind a deaf beginning it counts from the first look that was good, a quarter of a second apart.
        most_s = 0.05 if abs((started_at - ordered.start).total_seconds()) < 0.5 else 0.6
        if was.began_at is None or abs((started_at - was.began_at).total_seconds()) > most_s:
            wrong.append(f"began at {started_at}, but was heard from {was.began_at}")
    return [f"{ordered.slot} (planned {ordered.start:%H:%M:%S}): {what}" for what in wrong]


@pytest.fixture
def server() -> Any:
    """A PulseAudio server with the sink `horn`."""
    with pulse_server() as server:
        server.add_sink("horn")
        yield server


@pytest.mark.timeout(0)
def test_f13_f14_f16_f20_f21_f24_f44_f46_every_row_of_a_troubled_hour_is_true(
    server: PulseServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Items back to back for an hour (LOA_MINUTES), a fault every two minutes: no row says what was not so."""
    minutes = float(os.environ.get("LOA_MINUTES", "60"))
    dice = random.Random(int(os.environ.get("LOA_SEED", "1")))
    loa = RunningLoa(tmp_path / "loa", {NAME: HORN}, environment=server.environment)
    loa.start()
    ears = Ears(server=server)
    troubles: Troubles | None = None
    try:
        loa.permit_whole_day(NAME)
        pieces = []
        for number in range(10):
            source = tmp_path / f"bai-{number}.mp3"
            make_mp3(source, seconds=dice.uniform(18.0, 45.0), seed=number + 1)
            segment = loa.approved(source, station=NAME, title=f"Bài {number}")
            sha256 = segment["sha256"]
            file = loa.data / "media" / sha256[:2] / f"{sha256}.flac"
            samples, _ = soundfile.read(file, dtype="int16")
            pieces.append(Piece(segment=segment["id"], sound=np.asarray(samples), file=file))
        waiting: list[Ordered] = []

        def coming() -> Ordered | None:
            soon = datetime.now(UTC) + timedelta(seconds=25)
            return next((ordered for ordered in waiting if ordered.start > soon), None)

        troubles = Troubles(loa=loa, server=server, coming=coming, dice=dice)
        verdicts, wrong, judged = _live(loa, ears, troubles, waiting, pieces, minutes)
    finally:
        if troubles is not None:
            troubles.mend(at_once=True)
        ears.stop()
        loa.stop()
    with capsys.disabled():
        lines = [f"{judged} rows judged, {verdicts}", "troubles: " + "; ".join(troubles.done), *wrong, ""]
        sys.stderr.write("\n".join(lines))
    assert [] == wrong
    assert judged


def _live(
    loa: RunningLoa,
    ears: Ears,
    troubles: Troubles,
    waiting: list[Ordered],
    pieces: list[Piece],
    minutes: float,
) -> tuple[dict[str, int], list[str], int]:
    """Let the time pass; return how often each verdict was, what was not true, and how many rows were judged."""
    turns = cycle(pieces)
    begun = time.monotonic()
    next_start = datetime.now(UTC) + timedelta(seconds=12)
    next_trouble = begun + FAULT_EVERY_S / 2
    verdicts: dict[str, int] = {}
    wrong: list[str] = []
    while (going := time.monotonic() - begun < minutes * 60) or waiting:
        ears.listen()
        troubles.mend()
        try:
            while going and next_start < datetime.now(UTC) + ORDERED_AHEAD:
                piece = next(turns)
                slot = loa.order(NAME, piece.segment, next_start)
                waiting.append(Ordered(slot=slot, piece=piece, start=next_start))
                next_start += piece.length + BETWEEN
            for ordered in [one for one in waiting if one.end + JUDGED_AFTER < datetime.now(UTC)]:
                row = loa.row(NAME, ordered.slot)
                waiting.remove(ordered)
                verdicts[row["verdict"]] = verdicts.get(row["verdict"], 0) + 1
                before = ordered.start - timedelta(seconds=1)
                # What waited for its output ends later than planned.
                ended = max(ordered.end, datetime.fromisoformat(row["ended_at"] or row["planned_end"]))
                was = heard(ears, ordered.piece.sound, before, ended + timedelta(seconds=2))
                wrong += untrue(row, ordered, was)
                ears.drop(ordered.end - timedelta(seconds=30))
        except requests.RequestException:
            # The daemon is down; asked again when it is back.
            assert troubles.undo is not None
        if going and time.monotonic() > next_trouble and troubles.undo is None:
            next_trouble += FAULT_EVERY_S
            troubles.make()
        time.sleep(0.5)
    assert all(result["ok"] for result in loa.verify())
    return verdicts, wrong, sum(verdicts.values())
