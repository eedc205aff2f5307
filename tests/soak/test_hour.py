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
import pytest
import requests
import soundfile

from playout.benches.soundlab import PulseServer, Samples, pulse_server
from tests.running import RunningLoa, make_mp3
from tests.soak.monitored import RATE_HZ, Ears, Heard, heard

pytestmark = [pytest.mark.soak, pytest.mark.sound]

NAME = "LONGHIEP"
HORN = [{"name": "main", "kind": "pulse", "device": "horn"}]
FAULT_EVERY_S = 120.0
ORDERED_AHEAD = timedelta(seconds=150)
JUDGED_AFTER = timedelta(seconds=20)
BETWEEN = timedelta(milliseconds=500)


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
        for pid in self.server.playing_on("horn"):
            os.kill(pid, sent)

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
