"""The simulated player beside the real bus: the same commands at the same instants give the same sound and events."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import pytest

from playout.outputs.output import Timeline
from playout.outputs.virtualoutput import VirtualOutput
from playout.player.bus import Bus
from playout.simulation.disk import SimulatedMedia
from playout.simulation.loudspeaker import Loudspeaker
from playout.simulation.simulatedclock import SimulatedClock
from playout.simulation.simulatedplayer import AHEAD_US, Outlets, SimulatedPlayer
from playout.source import RATE_HZ, SAMPLE_BYTES, Cue, Source
from playout.systemclock import ClockJudge
from schedules.errors import OutputError

START_US = 1_000_000_000
STEP_US = 10_000
LIVED_US = 30_000_000
APART_S = 0.025
"""The bus works in blocks of 20 ms and looks every 10."""

Command = dict[str, Any]


class Endless:
    """A source that has whatever is asked for."""

    kind = "file"
    live = False

    def available(self) -> int:
        return RATE_HZ

    def read(self, samples: int) -> bytes:
        return bytes(samples * SAMPLE_BYTES)

    def failure(self) -> str | None:
        return None

    def close(self) -> None:
        pass


class Shelf:
    """Opens an endless source for every cue."""

    def open(self, cue: Cue) -> Source:
        return Endless()

    def stand_in(self, cue: Cue, *, from_sample: int) -> Source | None:
        return None

    def release(self, airing: str) -> None:
        pass


@dataclass(slots=True)
class Told:
    """What a player told of one airing: when it was first heard, how it ended, and what was counted."""

    started_s: dict[str, float] = field(default_factory=dict)
    ended: dict[str, tuple[str, float, float, float]] = field(default_factory=dict)

    def take(self, event: Command) -> None:
        """Note an event."""
        airing = event.get("airing", "")
        if event["event"] == "started":
            self.started_s[airing] = event["monotonic_ns"] / 1e9
        elif event["event"] == "ended":
            samples = max((output["samples"] for output in event["outputs"].values()), default=0)
            counts = (event["first"] / RATE_HZ, event["next"] / RATE_HZ, samples / RATE_HZ)
            self.ended[airing] = (event["cause"], *counts)


def on_the_bus(script: list[tuple[int, Command]]) -> Told:
    """Let the real bus live through a script of (microseconds, command)."""
    told = Told()
    timeline = Timeline(origin_ns=START_US * 1000)
    output = VirtualOutput("main", timeline=timeline, report=lambda *state: None)
    bus = Bus(timeline=timeline, outputs=[output], opener=Shelf(), emit=told.take)
    left = list(script)
    for now_us in range(START_US, START_US + LIVED_US, STEP_US):
        while left and left[0][0] <= now_us:
            _, command = left.pop(0)
            if command["do"] == "stop":
                bus.stop(command["airing"], fade_ms=command["fade_ms"], silent_ns=command["silent_ns"])
            else:
                cue = Cue(
                    airing=command["airing"],
                    samples=command["samples"],
                    from_sample=command["from_sample"],
                    start_ns=command["start_ns"],
                    after=command["after"],
                )
                bus.arm(cue)
        bus.step(now_us * 1000)
    return told


def clock() -> SimulatedClock:
    """Return a clock whose monotonic microseconds are the true ones."""
    judge = ClockJudge(host=True, newest=None, carried_on=None)
    booted_us = 86_400_000_000
    return SimulatedClock(booted_us=booted_us, now_us=START_US, wall_us=START_US, judge=judge)


def simulated(script: list[tuple[int, Command]]) -> Told:
    """Let the simulated player live through the same script, woken only when it says so."""
    told = Told()
    player, time = player_and_clock(told)
    left = list(script)
    while time.true_us < START_US + LIVED_US:
        player.advance(time.true_us)
        player.report()
        while left and left[0][0] <= time.true_us:
            player.send(left.pop(0)[1])
        own = player.next_us() or START_US + LIVED_US
        following = left[0][0] if left else START_US + LIVED_US
        time.advance_to(max(time.true_us + 1, min(own, following)))
    return told


def player_and_clock(told: Told, *, media: SimulatedMedia | None = None) -> tuple[SimulatedPlayer, SimulatedClock]:
    """Return an open player, ready, and its clock."""
    time = clock()
    time.advance_to(START_US - 1_000_000)
    player = SimulatedPlayer(
        clock=time,
        media=media or SimulatedMedia(present={"s"}),
        outlets=Outlets(names=("main",)),
        loudspeaker=Loudspeaker(),
        on_event=told.take,
        on_exit=lambda code: None,
        on_armed=lambda airing, start_us, length_us: None,
        on_begun=lambda airing, content, at_us: None,
    )
    player.start()
    player.send({"do": "open", "outputs": [{"name": "main"}]})
    time.advance_to(START_US)
    player.report()
    return player, time


def arm(airing: str, start_us: int, seconds: float, *, first_s: float = 0.0, after: str | None = None) -> Command:
    return {
        "do": "arm",
        "airing": airing,
        "sha256": "s",
        "pcm_sha256": "p",
        "samples": round(seconds * RATE_HZ),
        "from_sample": round(first_s * RATE_HZ),
        "start_ns": start_us * 1000,
        "after": after,
    }


def stop(airing: str | None, *, fade_ms: int = 300, silent_us: int | None = None) -> Command:
    return {"do": "stop", "airing": airing, "fade_ms": fade_ms, "silent_ns": silent_us and silent_us * 1000}


def drawn(seed: int) -> list[tuple[int, Command]]:
    """Return a script: items one after the other, joined or not, some late, some from their middle, some stopped."""
    dice = random.Random(seed)
    script: list[tuple[int, Command]] = []
    at_us = START_US + 500_000
    before: str | None = None
    for number in range(6):
        seconds = dice.uniform(0.5, 5.0)
        first_s = dice.choice((0.0, 0.0, dice.uniform(0.0, seconds / 2)))
        joined = before if dice.random() < 0.5 and not first_s else None
        told_us = max(START_US, at_us - round(dice.uniform(-200_000, 2_000_000)))
        script.append((told_us, arm(f"a{number}", at_us, seconds, first_s=first_s, after=joined)))
        if dice.random() < 0.4:
            stop_us = max(told_us + 100_000, at_us + round(dice.uniform(-1.0, seconds - first_s) * 1e6))
            # Which block a stop at the very border meets is left to the bus.
            stop_us += 100_000 if abs(at_us - AHEAD_US - stop_us) < 50_000 else 0
            silent_us = stop_us + 1_000_000 if dice.random() < 0.5 else None
            script.append((stop_us, stop(f"a{number}", silent_us=silent_us)))
        at_us += round((seconds - first_s) * 1e6) + (0 if dice.random() < 0.5 else round(dice.uniform(0.5, 1.5) * 1e6))
        before = f"a{number}"
    return sorted(script, key=lambda entry: entry[0])


@pytest.mark.parametrize("seed", range(60))
def test_the_simulated_player_does_what_the_bus_does(seed: int) -> None:
    """Begun, ended, counted and for the same reason, within the two blocks that the bus needs to notice."""
    script = drawn(seed)
    real, made = on_the_bus(script), simulated(script)

    assert real.started_s.keys() == made.started_s.keys()
    for airing, started_s in real.started_s.items():
        assert started_s == pytest.approx(made.started_s[airing], abs=APART_S)
    assert real.ended.keys() == made.ended.keys()
    for airing, (cause, *counts) in real.ended.items():
        assert cause == made.ended[airing][0]
        assert counts == pytest.approx(made.ended[airing][1:], abs=APART_S)


def test_a_file_that_is_missing_or_another_one_is_refused() -> None:
    """Nothing of it sounds, and the reason is told."""
    events: list[Command] = []
    told = Told()
    player, _ = player_and_clock(told, media=SimulatedMedia(present={"s"}, damaged={"s"}))
    player._on_event = events.append
    player.send(arm("a", START_US + 1_000_000, 1))
    player.send({**arm("b", START_US + 1_000_000, 1), "sha256": "other"})

    assert [("refused", "media_hash"), ("refused", "media_missing")] == [(e["event"], e["code"]) for e in events]
    assert not player.waiting


def test_a_dead_player_takes_nothing_and_a_hung_one_says_nothing() -> None:
    """As after kill -9 and after SIGSTOP."""
    player, time = player_and_clock(Told())
    player.send(arm("a", START_US, 5))
    time.advance_to(START_US + 1_000_000)
    player.hang()
    time.advance_to(START_US + 3_000_000)
    player.report()
    assert player.next_us() is None

    player.kill()
    with pytest.raises(OutputError):
        player.send(stop(None))
