"""A station in its world: woken when it should look, sent what is decided, and its account at the end."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from link.scenario import FaultRates
from playout.simulation.fate import DAY_US
from playout.simulation.invariants import Witness, due_slots
from playout.simulation.misfortune import Misfortune, World
from playout.simulation.report import SlotOutcome, Violation
from playout.simulation.simulatedclock import moment
from playout.simulation.station import Machine, SimulatedStation
from playout.specs import OutputSpec
from schedules.airing import Airing, Verdict
from schedules.calendar import period_interval, period_name, period_of
from schedules.duty import DutyOutcome
from schedules.standing import duty_standings
from schedules.station import Station

REPLAN_S = 20 * 3600.0
"""How old a plan may become here: a simulated station looks seldom, and plans anew after everything that happens."""

_TRACE = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to simulate. machine: what keeps the time at every station, None to draw it. outputs: None to draw them.

    drift_ppm: by how much the quartz of every station is too fast while no time service keeps it.
    """

    machine: Machine | None = None
    outputs: tuple[OutputSpec, ...] | None = None
    replan_s: float = REPLAN_S
    drift_ppm: int = 0


class Home(World, Protocol):
    """The world as a resident needs it."""

    def violated(self, violation: Violation) -> None:
        """Keep what did not hold."""
        ...


class Resident:
    """One station at home in the world: woken when it should look, sent what was decided, and called to account."""

    def __init__(self, world: Home, station: Station, *, seed: int, options: Options, faults: FaultRates) -> None:
        self._world = world
        self._seed = seed
        self._faults = faults
        self._dice = random.Random(f"{seed}/{station.code}/fate")
        drawn = self._dice.choice(list(Machine))
        pulse = OutputSpec(name="main", kind="pulse", device="horn")
        one_or_two = (pulse,) if self._dice.random() < 0.7 else (pulse, replace(pulse, name="second"))
        self.station = SimulatedStation(
            code=station.code,
            outputs=options.outputs or one_or_two,
            machine=options.machine or drawn,
            seed=seed,
            now_us=world.now_us,
            schedule=self._schedule,
            replan_s=options.replan_s,
            drift_ppm=options.drift_ppm,
        )
        self.witness = Witness(self.station, wrong=self._wrong)
        self.duties: tuple[DutyOutcome, ...] = ()
        self._turn = 0
        self._trace: deque[str] = deque(maxlen=_TRACE)
        self._rows_told = 0
        self.misfortune = Misfortune(self.station, world=world, dice=self._dice, wake=self._wake, send=self.send)

    # Life

    def begin(self, now_us: int) -> None:
        """Give the station its intent and audio, and switch it on."""
        station = self.station
        station.on_armed, station.on_begun, station.observe = self.misfortune.armed, self.witness.begun, self._observe
        station.receive(self._world.authority.intent, now_us)
        station.fetch_media(now_us)
        station.boot(now_us)
        station.time_service()
        self.misfortune.begin(self._faults)
        self._wake()

    def make_peace(self) -> None:
        """End all faults: from now on everything works."""
        station, now_us = self.station, self._world.now_us
        self.misfortune.end()
        station.receive(self._world.authority.intent, now_us)
        station.fetch_media(now_us)
        # Periods that are over are sealed with the next plan; one is made before the end.
        self._schedule(now_us + 3_600_000_000, station.remind)
        self._wake()

    def end(self, first: date, last: date) -> None:
        """Check what can only be checked at the end, and draw up the account."""
        station, intent = self.station, self._world.authority.intent
        shape = intent.station(station.code)
        touched = {(code, rule) for code, rule in self._world.authority.touched if code == station.code}
        due = due_slots(self._world.authority.intent, shape, first, last)
        untouched = [slot for slot in due if (station.code, slot.split("/")[1].partition(".")[0]) not in touched]
        self.witness.look_at_the_end(untouched)
        self._close_duties(first, last)

    def slots(self) -> tuple[SlotOutcome, ...]:
        """Return how every slot ended."""
        rows = sorted(self.witness.airings.values(), key=lambda row: (row.planned_start, row.slot))
        return tuple(self._outcome(row) for row in rows)

    def _outcome(self, row: Airing) -> SlotOutcome:
        heard = [self.station.loudspeaker.samples(row.slot, output.name) for output in row.outputs]
        return SlotOutcome(
            station=row.station,
            slot=row.slot,
            planned_start=row.planned_start,
            title=row.title,
            verdict=row.verdict,
            reason=row.reason,
            started_at=row.started_at,
            heard_s=min(heard, default=0) / 48_000,
        )

    def _close_duties(self, first: date, last: date) -> None:
        intent = self._world.authority.intent
        shape = intent.station(self.station.code)
        zone = ZoneInfo(shape.zone)
        now = moment(self._world.now_us)
        found: dict[tuple[str, str], DutyOutcome] = {}
        periods = sorted(
            {
                period_name(duty.period, first + timedelta(days=n))
                for duty in intent.duties
                for n in range((last - first).days + 1)
            }
        )
        rows = self.witness.airings.values()
        for period in periods:
            for standing in duty_standings(intent, shape, rows, now, period):
                found[standing.duty, period] = DutyOutcome(
                    duty=standing.duty,
                    station=standing.station,
                    period=period,
                    state=standing.state,
                    deadline=standing.deadline,
                    slots=standing.slots,
                    reason=standing.reason,
                )
        found |= self.witness.outcomes
        for (code, period), outcome in sorted(found.items()):
            during = period_interval(period_of(period), period, zone)
            duty = next((duty for duty in intent.duties if duty.code == code), None)
            if duty is not None and during.start >= moment(self._world.end_us - (last - first).days * DAY_US - DAY_US):
                self.witness.look_at_duty(outcome, duty, (during.start, min(during.end, outcome.deadline)))
            self.station.sometimes[f"duty_{outcome.state}"] += 1
        self.duties = tuple(outcome for _, outcome in sorted(found.items()))

    # Steps

    def _schedule(self, at_us: int, action: Callable[[], None]) -> None:
        def act() -> None:
            action()
            self._wake()

        self._world.at(at_us, act)

    def _wake(self) -> None:
        """Let the station look now, and arrange when it looks next."""
        station = self.station
        self._turn += 1
        turn, before = self._turn, self._activity()
        station.wake(self._world.now_us)
        next_us = station.next_us(busy=self._activity() != before)

        def look() -> None:
            if turn == self._turn:
                self._wake()

        self._world.at(next_us, look)

    def _activity(self) -> tuple[int, int]:
        player = self.station.player
        return len(self.station.disk.rows), player.commands if player is not None else -1

    def _observe(self) -> None:
        rows = self.station.disk.rows
        for row in rows[self._rows_told :]:
            body = row.body
            told = ", ".join(
                f"{name}={body[name]}"
                for name in ("slot", "segment", "verdict", "code", "state", "step_s", "revision", "gap_s", "by")
                if body.get(name) is not None
            )
            self._trace.append(f"{row.time[5:23]} {row.clock} {row.kind} {told}")
            self._count(row.kind, body)
        self._rows_told = len(rows)
        self.witness.look()

    def _count(self, kind: str, body: dict[str, object]) -> None:
        sometimes = self.station.sometimes
        if kind == "fault" and body.get("state") != "closed":
            sometimes[f"fault_{body['code']}"] += 1
        if kind != "verdict":
            return
        sometimes[f"slot_{body['verdict']}"] += 1
        slot, parts = str(body["slot"]), body["parts"]
        aired = body["verdict"] == Verdict.AIRED
        if aired and "/makeup." in slot:
            sometimes["make_up_aired"] += 1
        if (
            aired
            and slot.startswith(f"{self.station.code}/oneoff/")
            and slot.rpartition("/")[2] in self.misfortune.emergencies
        ):
            sometimes["emergency_aired"] += 1
        if isinstance(parts, list) and len(parts) > 1:
            again = parts[-1]["first"] == 0
            short = not again and float(str(body["holes_s"])) <= 5.5 * (len(parts) - 1)
            name = "restarted_from_the_beginning" if again else "short_hole" if short else "resumed_in_the_middle"
            sometimes[name] += 1
            sometimes[f"{name}_and_aired"] += aired

    def _wrong(self, invariant: str, message: str) -> None:
        now_us = self._world.now_us
        self._world.violated(
            Violation(
                invariant=invariant,
                seed=self._seed,
                station=self.station.code,
                day=moment(now_us).date(),
                at=moment(now_us),
                step=self.station.step,
                message=message,
                trace=tuple(self._trace),
            )
        )

    # Link

    def send(self) -> None:
        """Send what is decided now down to the station, if the link is up."""
        station = self.station
        if not station.link_up:
            station.sometimes["intent_held_back"] += 1
            return
        intent = self._world.authority.intent
        arrives_us = self._world.now_us + round(self._dice.uniform(0.2e6, 3e6))
        audio_first = self._dice.random() < 0.7

        def arrive() -> None:
            if station.link_up:
                if audio_first:
                    station.media.present |= {segment.sha256 for segment in intent.segments}
                station.receive(intent, self._world.now_us)
                self._schedule(
                    self._world.now_us + round(self._dice.uniform(0.3e6, 60e6)),
                    lambda: station.fetch_media(self._world.now_us),
                )

        self._schedule(arrives_us, arrive)
