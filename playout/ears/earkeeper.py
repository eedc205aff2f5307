"""Keeps a station's listener running, tells it what is expected, and turns what it hears into evidence and faults."""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from playout.ears.sensing import Sensor
from playout.faults import FaultBook, fault
from playout.player.pieces import Piece, length
from playout.source import NS_PER_S, RATE_HZ
from playout.specs import OutputSpec
from schedules.clock import Clock

HANG_S = 15.0
"""Silence of the listener, which says each second that it lives, after which it is replaced: a long file is hashed
before the first comparison."""

PAUSES_S = (1.0, 2.0, 5.0, 10.0)
"""How long a listener that ended is left alone, longer each time within ten minutes."""

_KINDS = ("silent", "foreign", "unscheduled")
_FORGIVEN_S = 600.0


class Listener(Protocol):
    """The listener process (playout.ears.listenerprocess.ListenerProcess)."""

    def start(self) -> None:
        """Start it; returns at once."""
        ...

    def send(self, command: Mapping[str, Any]) -> None:
        """Send a command; never blocks."""
        ...

    def kill(self) -> None:
        """End it at once."""
        ...


class ListenerMaker(Protocol):
    """Makes a listener that reports to the two callbacks, from threads of its own."""

    def __call__(self, *, on_event: Callable[[dict[str, Any]], None], on_exit: Callable[[str], None]) -> Listener:
        """Return a listener that is not started yet."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardRecording:
    """A recording of what an ear heard, below DATA/heard/STATION/OUTPUT."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What was heard of an airing at one output, once it is over.

    grade: `E2` by an ear, `E3` by the sensor behind the amplifier. share: 0..1 of the seconds that should sound; None
    where nothing can be said, as of relays, of which only the level is known. problem: why there is no share, a code.
    map: one letter of audio.matching.Judged each half second.
    """

    slot: str
    airing: str
    output: str
    grade: str
    begin: datetime
    end: datetime
    share: float | None
    matched_s: float
    silent_s: float
    foreign_s: float
    source: str
    offset_ms: float | None = None
    level_dbfs: float | None = None
    problem: str | None = None
    map: str = ""
    files: tuple[HeardRecording, ...] = ()

    def as_row(self) -> dict[str, Any]:
        """Return the body of its row of kind `evidence`. Without a share it proves no more than the device's count."""
        row = {
            "slot": self.slot,
            "output": self.output,
            "grade": "E1" if self.share is None else self.grade,
            "offset_ms": self.offset_ms,
            "share": None if self.share is None else round(self.share, 4),
            "matched_s": self.matched_s,
            "silent_s": self.silent_s,
            "foreign_s": self.foreign_s,
            "level_dbfs": self.level_dbfs,
            "source": self.source,
            "from": self.begin.isoformat(),
            "to": self.end.isoformat(),
            "files": [{"name": file.name, "sha256": file.sha256} for file in self.files],
        }
        return row if self.problem is None else row | {"problem": self.problem}


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Something else, nothing, or sound out of hours at an output: kind `foreign`, `silent` or `unscheduled`.

    on: False when it is over. Its fault is begun and ended already.
    """

    output: str
    kind: str
    on: bool
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Expected:
    """What the listener was told of an airing, to tell it to the next one too."""

    slot: str
    command: Mapping[str, Any]
    start_ns: int
    end_ns: int


class EarKeeper:
    """The ears of one station. Used by the station's thread only; nothing here waits.

    folder: where recordings go (DATA/heard/STATION), None for none.
    """

    def __init__(
        self,
        *,
        outputs: tuple[OutputSpec, ...],
        folder: Path | None,
        clock: Clock,
        faults: FaultBook,
        make_listener: ListenerMaker,
    ) -> None:
        self._ears = {
            output.name: output.ear for output in outputs if output.ear is not None and output.ear.kind != "none"
        }
        self._sensors = {output.name: Sensor(path=output.sensor) for output in outputs if output.sensor is not None}
        self._folder = folder
        self._clock = clock
        self._faults = faults
        self._make_listener = make_listener
        self._inbox: queue.SimpleQueue[tuple[int, dict[str, Any] | str]] = queue.SimpleQueue()
        self._generation = 0
        self._listener: Listener | None = None
        self._alive_at = 0.0
        self._ended: list[float] = []
        self._expected: dict[str, _Expected] = {}
        self._states: dict[str, str] = {}
        self._alarms: dict[str, str] = {}
        # Seconds found, silent and foreign, by airing and output: of this listener, and of those before it.
        self._so_far: dict[tuple[str, str], tuple[float, float, float]] = {}
        self._before: dict[tuple[str, str], tuple[float, float, float]] = {}

    def expect(
        self,
        *,
        airing: str,
        slot: str,
        pieces: tuple[Piece, ...],
        outputs: frozenset[str] | None,
        from_sample: int,
        start_ns: int,
    ) -> None:
        """Listen to an airing. Best called when it has begun, with the instant of its first sample.

        pieces: one FilePiece for a recording. outputs: None for all. start_ns: CLOCK_MONOTONIC.
        """
        end_ns = start_ns + max(0, length(pieces) - from_sample) * NS_PER_S // RATE_HZ
        command = {
            "do": "expect",
            "airing": airing,
            "pieces": [dict(piece.as_json()) for piece in pieces],
            "outputs": None if outputs is None else sorted(outputs),
            "from_sample": from_sample,
            "start_ns": start_ns,
        }
        self._expected[airing] = _Expected(slot=slot, command=command, start_ns=start_ns, end_ns=end_ns)
        self._send(command)
        for name, sensor in self._sensors.items():
            if outputs is None or name in outputs:
                sensor.expect(airing, start_s=start_ns / NS_PER_S, end_s=end_ns / NS_PER_S)

    def over(self, airing: str, *, ended_ns: int) -> None:
        """Tell that an airing ended, at its end or before."""
        known = self._expected.get(airing)
        if known is not None and ended_ns < known.end_ns:
            # A listener that starts now does not wait for the rest of it.
            self._expected[airing] = replace(known, end_ns=ended_ns)
        self._send({"do": "over", "airing": airing, "ended_ns": ended_ns})
        for sensor in self._sensors.values():
            sensor.over(airing, ended_s=ended_ns / NS_PER_S)

    def step(self) -> list[Heard | Alarm]:
        """Keep the listener running and return what is new. Called at each tick, four times a second."""
        news: list[Heard | Alarm] = []
        now_s = self._clock.monotonic()
        if self._ears:
            news += self._keep(now_s)
            while not self._inbox.empty():
                generation, message = self._inbox.get_nowait()
                if generation != self._generation:
                    continue
                if isinstance(message, str):
                    news += self._ended_with(message, now_s)
                else:
                    self._alive_at = now_s
                    news += self._take(message)
        for name, sensor in self._sensors.items():
            sensor.look(now_s)
            for airing, sensed in sensor.finished(now_s).items():
                expected = self._expected.get(airing)
                if expected is not None:
                    news.append(
                        Heard(
                            slot=expected.slot,
                            airing=airing,
                            output=name,
                            grade="E3",
                            begin=self._wall(round(sensed.start_s * NS_PER_S)),
                            end=self._wall(round(sensed.end_s * NS_PER_S)),
                            share=sensed.share,
                            matched_s=round(sensed.heard_s, 1),
                            silent_s=round(sensed.seen_s - sensed.heard_s, 1),
                            foreign_s=0.0,
                            source=str(sensor.path),
                            problem="sensor_unread" if sensed.share is None else None,
                        )
                    )
        self._forget(now_s)
        return news

    def state(self, output: str) -> str | None:
        """Return what an output's ear does: hearing, matching, silent, foreign, unscheduled or lost; None: none."""
        return None if output not in self._ears else self._states.get(output, "lost")

    def close(self) -> None:
        """End the listener."""
        if self._listener is not None:
            self._send({"do": "quit"})
            self._listener.kill()
            self._listener = None
            self._generation += 1

    # The child

    def _keep(self, now_s: float) -> list[Alarm]:
        if self._listener is not None:
            if now_s - self._alive_at > HANG_S:
                self._listener.kill()
                return self._ended_with("does not answer", now_s)
            return []
        self._ended = [at for at in self._ended if now_s - at < _FORGIVEN_S]
        if self._ended and now_s - self._ended[-1] < PAUSES_S[min(len(self._ended), len(PAUSES_S)) - 1]:
            return []
        self._generation += 1
        generation = self._generation
        self._listener = self._make_listener(
            on_event=lambda event: self._inbox.put((generation, event)),
            on_exit=lambda words: self._inbox.put((generation, words)),
        )
        self._alive_at = now_s
        self._listener.start()
        ears = [
            {"output": name, "kind": ear.kind, "device": ear.device, "delay_s": ear.delay_s}
            for name, ear in self._ears.items()
        ]
        self._send({"do": "open", "ears": ears, "folder": None if self._folder is None else str(self._folder)})
        now_ns = round(now_s * NS_PER_S)
        for expected in self._expected.values():
            if expected.end_ns > now_ns:
                self._send(expected.command)
        return []

    def _ended_with(self, words: str, now_s: float) -> list[Alarm]:
        """Note the end of the listener; what it alarmed of is known no more, and the next one says it anew."""
        self._listener = None
        self._generation += 1
        self._ended.append(now_s)
        self._states = {}
        self._faults.note("ear_down", detail=words)
        for output, kind in self._alarms.items():
            self._faults.end(f"ear_{kind}_{output}")
        over = [
            Alarm(output=output, kind=kind, on=False, since=self._clock.now()) for output, kind in self._alarms.items()
        ]
        self._alarms = {}
        for key, seconds in self._so_far.items():
            self._before[key] = _sum(self._before.get(key), seconds)
        self._so_far = {}
        return over

    def _send(self, command: Mapping[str, Any]) -> None:
        if self._listener is not None:
            self._listener.send(command)

    # What it says

    def _take(self, event: dict[str, Any]) -> list[Heard | Alarm]:
        match event["event"]:
            case "ear":
                self._ear_changed(str(event["output"]), str(event["state"]), str(event["detail"]))
            case "heard" if event["airing"] in self._expected:
                key = event["airing"], event["output"]
                self._so_far[key] = event["matched_s"], event["silent_s"], event["foreign_s"]
                return [self._heard(event)] if event["final"] else []
            case "alarm" | "clear" if event["kind"] in _KINDS:
                return [self._alarm(event)]
        return []

    def _ear_changed(self, output: str, state: str, detail: str) -> None:
        self._states[output] = state
        if state == "lost":
            self._faults.begin(f"ear_lost_{output}", fault("ear_lost", name=output), detail)
        else:
            self._faults.end(f"ear_lost_{output}")

    def _heard(self, event: dict[str, Any]) -> Heard:
        key = event["airing"], event["output"]
        matched_s, silent_s, foreign_s = _sum(self._before.pop(key, None), self._so_far.pop(key))
        return Heard(
            slot=self._expected[event["airing"]].slot,
            airing=event["airing"],
            output=event["output"],
            grade="E2",
            begin=self._wall(event["start_ns"]),
            end=self._wall(event["end_ns"]),
            share=event["share"],
            matched_s=matched_s,
            silent_s=silent_s,
            foreign_s=foreign_s,
            source=event["source"],
            offset_ms=event["offset_ms"],
            level_dbfs=event["level_dbfs"],
            problem=event["problem"] or ("ear_lost" if event["deaf_s"] > 0 and event["share"] is None else None),
            map=event["map"],
            files=tuple(HeardRecording(name=file["name"], sha256=file["sha256"]) for file in event["files"]),
        )

    def _alarm(self, event: dict[str, Any]) -> Alarm:
        output, kind, on = event["output"], event["kind"], event["event"] == "alarm"
        since = self._wall(event["since_ns"]) if on else self._clock.now()
        before = self._alarms.pop(output, None)
        if before is not None and before != kind:
            self._faults.end(f"ear_{before}_{output}")
        if on:
            self._alarms[output] = kind
            self._faults.begin(f"ear_{kind}_{output}", fault(f"ear_{kind}", name=output), since.isoformat())
        else:
            self._faults.end(f"ear_{kind}_{output}")
        return Alarm(output=output, kind=kind, on=on, since=since)

    def _wall(self, instant_ns: int) -> datetime:
        return self._clock.now() + timedelta(seconds=instant_ns / NS_PER_S - self._clock.monotonic())

    def _forget(self, now_s: float) -> None:
        """Drop what ended long ago and of which nothing more will be told."""
        long_ago_ns = round((now_s - 60.0) * NS_PER_S)
        self._expected = {airing: one for airing, one in self._expected.items() if one.end_ns > long_ago_ns}
        for kept in (self._so_far, self._before):
            for key in [key for key in kept if key[0] not in self._expected]:
                del kept[key]


def _sum(one: tuple[float, float, float] | None, other: tuple[float, float, float]) -> tuple[float, float, float]:
    if one is None:
        return other
    return round(one[0] + other[0], 1), round(one[1] + other[1], 1), round(one[2] + other[2], 1)
