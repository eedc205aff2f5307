"""A station on a simulated clock, with a player that does at once what the real one does in time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from nacl.signing import SigningKey

from audio.library import Library
from link.codec import load
from link.orders import OrderKeys
from playout.daemon import Equip, StationDaemon
from playout.journal.journal import Journal
from playout.specs import InputSpec, OutputSpec
from schedules.airing import Airing
from schedules.clock import ClockState, ManualClock
from schedules.duty import DutyOutcome
from schedules.intent import Intent
from schedules.segment import SAMPLE_RATE_HZ, Segment
from schedules.station import WHOLE_DAY, Station
from tests.schedules.builders import intent, local, segment

NS = 1_000_000_000
FIVE = local(23, 5)
REAL_KEY = SigningKey(b"r" * 32)
DRILL_KEY = SigningKey(b"d" * 32)


class SimulatedPlayer:
    """Takes the commands of the protocol and answers with its events, by the simulated clock."""

    def __init__(
        self,
        clock: ManualClock,
        *,
        on_event: Callable[[dict[str, Any]], None],
        on_exit: Callable[[int], None],
        hears: Callable[[], bool],
        takes: Callable[[str], bool],
        answers: Callable[[], bool],
    ) -> None:
        self.pid = 4711
        self.armed: dict[str, dict[str, Any]] = {}
        self.dead = False
        self._clock = clock
        self._on_event = on_event
        self._on_exit = on_exit
        self._hears = hears
        self._takes = takes
        self._answers = answers
        self.most_at_once = 0
        self._counted: dict[str, int] = {}
        self._heard: set[str] = set()
        self._ends: dict[str, int] = {}
        self._outputs: list[str] = []
        self._last_ns = 0

    def start(self) -> None:
        """Nothing to start."""

    def send(self, command: Mapping[str, Any]) -> None:
        """Take one command."""
        if not self._answers():
            return
        match command["do"]:
            case "open":
                self._outputs = [output["name"] for output in command["outputs"]]
                self._on_event({"event": "ready"})
                for name in self._outputs:
                    self._on_event({"event": "output", "name": name, "state": "ok" if self._hears() else "lost"})
            case "arm":
                if not self._takes(_file(command)):
                    self._on_event({"event": "refused", "airing": command["airing"], "code": "media_hash"})
                    return
                taking_over = command.get("take_over", False)
                if taking_over:
                    for airing in list(self.armed):
                        self._end(airing, "taken_over" if airing in self._counted else "stopped")
                own = {"start_ns": round(self._clock.monotonic() * NS), "pcm_sha256": None} if taking_over else {}
                self.armed[command["airing"]] = {**command, **own}
                self._on_event({"event": "armed", "airing": command["airing"]})
            case "disarm":
                if command["airing"] not in self._counted:  # what is on the bus goes on, as in the real player
                    self._end(command["airing"], "stopped")
            case "stop":
                for airing in [command["airing"]] if command["airing"] else list(self.armed):
                    if command.get("silent_ns") is None:
                        self._end(airing, "stopped")
                    elif airing in self.armed:
                        self.armed[airing]["silent_ns"] = command["silent_ns"]

    def kill(self) -> None:
        """Be gone, as after kill -9."""
        if not self.dead:
            self.dead = True
            self.armed = {}
            self._on_exit(-9)

    def play(self) -> None:
        """Let the time that has passed be played."""
        if not self._answers():
            return
        now_ns = round(self._clock.monotonic() * NS)
        self._on_event({"event": "level", "rms_dbfs": -20.0, "peak_dbfs": -10.0})
        at_once = 0
        for airing, item in list(self.armed.items()):
            if item["after"] in self.armed:
                continue
            start_ns = item["start_ns"] = self._ends.get(item["after"], item["start_ns"])
            if now_ns < start_ns:
                continue
            self._counted.setdefault(airing, 0)
            played = min((now_ns - start_ns) * SAMPLE_RATE_HZ // NS, item["samples"] - item["from_sample"])
            if self._hears():
                since = max(self._last_ns, start_ns)
                if airing not in self._heard:
                    self._heard.add(airing)
                    self._on_event({"event": "started", "airing": airing, "monotonic_ns": since, "outputs": {}})
                self._counted[airing] += max(0, min((now_ns - since) * SAMPLE_RATE_HZ // NS, played))
                at_once += now_ns > start_ns
            counts = {name: min(self._counted[airing], played) for name in self._own(item)}
            if now_ns >= item.get("silent_ns", now_ns + 1):
                self._end(airing, "stopped")
            elif played < item["samples"] - item["from_sample"]:
                position = item["from_sample"] + played
                self._on_event({"event": "progress", "airing": airing, "position": position, "outputs": counts})
            else:
                self._ends[airing] = start_ns + (item["samples"] - item["from_sample"]) * NS // SAMPLE_RATE_HZ
                at_once -= self._hears()
                self._end(airing, "complete")
        self.most_at_once = max(self.most_at_once, at_once)
        self._last_ns = now_ns

    def _own(self, item: Mapping[str, Any]) -> list[str]:
        return self._outputs if item["outputs"] is None else [n for n in self._outputs if n in item["outputs"]]

    def _end(self, airing: str, cause: str) -> None:
        item = self.armed.pop(airing, None)
        if item is None:
            return
        now_ns = round(self._clock.monotonic() * NS)
        samples = self._counted.get(airing, 0)
        begun = airing in self._counted
        whole = item["samples"] - item["from_sample"]
        handed = whole if cause == "complete" else max(0, (now_ns - item["start_ns"]) * SAMPLE_RATE_HZ // NS)
        first_ns = item["start_ns"] if samples else None
        self._on_event(
            {
                "event": "ended",
                "airing": airing,
                "handed": handed if begun else 0,
                "handed_sha256": item.get("pcm_sha256") if cause == "complete" and item["from_sample"] == 0 else None,
                "first": item["from_sample"],
                "next": item["from_sample"] + min(handed, whole),
                "outputs": {
                    name: {"samples": min(samples, whole), "first_ns": first_ns, "last_ns": now_ns, "holes": []}
                    for name in self._own(item)
                },
                "cause": cause,
                "holes": [],
                "ended_ns": min(now_ns, item["start_ns"] + whole * NS // SAMPLE_RATE_HZ),
            }
        )


def _file(command: Mapping[str, Any]) -> str:
    """Return the path of a command, of the first file where it is made of pieces."""
    if "path" in command:
        return str(command["path"])
    return next((piece["path"] for piece in command["pieces"] if "path" in piece), "")


class Village:
    """A station daemon whose clock, player, output and intent a test moves by hand."""

    slow_s = 120.0

    def __init__(
        self,
        folder: Path,
        *,
        now: datetime = FIVE,
        kind: str = "pulse",
        clock: ClockState | ManualClock | None = None,
        outputs: tuple[OutputSpec, ...] = (),
        equip: Equip | None = None,
    ) -> None:
        if isinstance(clock, ManualClock):
            self.clock = clock
        else:
            self.clock = ManualClock(now) if clock is None else ManualClock(now, trusted=clock)
        self.folder = folder
        self.library = Library(folder / "media")
        self.hears = True
        self.takes = True
        self.answers = True
        self.players: list[SimulatedPlayer] = []
        self.most_at_once = 0
        self.decided: Intent = intent(stations=(Station(code="XA", name="Đài", unit="XA", permitted=WHOLE_DAY),))
        self.fetch: Callable[[], Intent] = lambda: self.decided
        self._outputs = outputs or (OutputSpec(name="main", kind=kind, device="horn"),)
        self._equip = equip
        self.boot()

    def boot(self) -> None:
        """Start the station, as after a power cut."""
        key = SigningKey(b"s" * 32)
        # The disk is real: that this machine is busy must not look like a disk that is slow.
        slow_s = self.slow_s
        self.journal = Journal(self.folder / "XA.db", clock=self.clock, boot="boot", key=key, slow_s=slow_s)
        self.journal.start()
        self.daemon = StationDaemon(
            code="XA",
            outputs=self._outputs,
            clock=self.clock,
            journal=self.journal,
            library=self.library,
            shelf=NoShelf(),
            aircheck=self.folder / "aircheck",
            intent=lambda: self.fetch(),
            make_player=self._player,
            keys=OrderKeys(real=REAL_KEY.verify_key, drill=DRILL_KEY.verify_key),
            inputs=(InputSpec(name="micro", kind="pulse", device="mic"),),
            folder=self.folder / "run",
            equip=self._equip,
        )
        self.daemon.begin()

    def crash(self) -> None:
        """Power off: no farewell, the player is gone too."""
        self.journal.stop()
        self.players.clear()

    def recorded(self, name: str, seconds: float, **more: Any) -> Segment:
        """Put a recording on the station and return it as an approved segment."""
        samples = np.zeros(round(seconds * SAMPLE_RATE_HZ), dtype=np.int16)
        samples[: len(name)] = [ord(letter) for letter in name]
        path = self.folder / f"{name}.flac"
        soundfile.write(path, samples, SAMPLE_RATE_HZ, subtype="PCM_16")
        pcm_sha256 = hashlib.sha256(samples.tobytes()).hexdigest()
        sha256 = self.library.adopt(path)
        return segment(name, sha256=sha256, pcm_sha256=pcm_sha256, samples=len(samples), **more)

    def decide(self, **more: Any) -> None:
        """Change the intent and tell the station."""
        self.decided = replace(self.decided, revision=self.decided.revision + 1, **more)
        self.daemon.wake()

    def live(self, seconds: float, step_s: float = 0.25) -> None:
        """Let time pass."""
        for _ in range(round(seconds / step_s)):
            self.clock.advance(step_s)
            for player in self.players[-1:]:
                if not player.dead:
                    player.play()
                    self.most_at_once = max(self.most_at_once, player.most_at_once)
            self.daemon.step(0)

    def until(self, moment: datetime) -> None:
        """Let time pass until `moment`."""
        self.live((moment - self.clock.now()).total_seconds())

    def airings(self) -> list[Airing]:
        """Return the air log."""
        return [load(Airing, row.body) for row in self.journal.rows(kind="verdict")]

    def outcomes(self) -> list[DutyOutcome]:
        """Return how duties ended, as sealed."""
        return [load(DutyOutcome, row.body) for row in self.journal.rows(kind="duty")]

    def faults(self) -> list[tuple[str, str]]:
        """Return the fault rows as (code, state)."""
        return [(row.body["code"], row.body["state"]) for row in self.journal.rows(kind="fault")]

    def _player(self, *, on_event: Callable[..., None], on_exit: Callable[[int], None]) -> SimulatedPlayer:
        player = SimulatedPlayer(
            self.clock,
            on_event=on_event,
            on_exit=on_exit,
            hears=lambda: self.hears,
            takes=lambda path: self.takes,
            answers=lambda: self.answers,
        )
        self.players.append(player)
        return player


class NoShelf:
    """Keeps no aircheck."""

    def live_playlist(self) -> str | None:
        """Nothing."""
        return None

    def playlist(self, start: datetime, end: datetime) -> str | None:
        """Nothing."""
        return None

    def file(self, run: str, name: str) -> Path | None:
        """Nothing."""
        return None


def minutes(count: float) -> timedelta:
    """Return so many minutes."""
    return timedelta(minutes=count)
