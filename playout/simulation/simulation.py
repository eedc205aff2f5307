"""Runs a scenario through simulated days, from one interesting moment to the next, all from one seed."""

from __future__ import annotations

import heapq
import random
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from link.scenario import Event, EventKind, FaultRates, Scenario
from playout.daemon import OutputSpec
from playout.simulation.authority import Authority
from playout.simulation.disk import CutPoint
from playout.simulation.fate import DAY_US, around, draw, outage_us, step_s
from playout.simulation.invariants import Witness, due_slots, midnight
from playout.simulation.report import SimulationReport, SlotOutcome, Violation
from playout.simulation.simulatedclock import micros, moment
from playout.simulation.station import Machine, SimulatedStation
from schedules.airing import Airing, Verdict
from schedules.calendar import period_interval, period_name, period_of
from schedules.duty import DutyOutcome
from schedules.grid import Change, SlotId, Timing
from schedules.segment import Priority, Segment
from schedules.standing import duty_standings
from schedules.station import Station

REPLAN_S = 4 * 3600.0
"""How old a plan may become here: a simulated station looks seldom, and plans anew after everything that happens."""

_AFTERWARDS_US = 3 * 3_600_000_000
_MOST_VIOLATIONS = 20
_TRACE = 25
_NEVER_US = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to simulate. machine: what keeps the time at every station, None to draw it. outputs: None to draw them."""

    machine: Machine | None = None
    outputs: tuple[OutputSpec, ...] | None = None
    replan_s: float = REPLAN_S


def simulate(
    scenario: Scenario,
    *,
    days: int,
    seed: int,
    first_day: date | None = None,
    faults: FaultRates | None = None,
    options: Options | None = None,
) -> SimulationReport:
    """Return what happens at every station of `scenario` in `days` local days, checked after every step.

    The same arguments give the same report. first_day: the first local day, by default that of the scenario's `now`,
    which must be known then. faults: how often things go wrong by chance; by default what the scenario says.
    """
    zone = ZoneInfo(scenario.stations[0].zone if scenario.stations else "UTC")
    if first_day is None:
        if scenario.now is None:
            raise ValueError("the scenario does not say when it is: name the first day")
        first_day = scenario.now.astimezone(zone).date()
    world = _World(
        scenario,
        days=days,
        seed=seed,
        first_day=first_day,
        zone=zone,
        faults=scenario.faults if faults is None else faults,
        options=options or Options(),
    )
    world.run()
    return world.report()


class _World:
    """All stations of one scenario and the authority above them, on one line of time."""

    def __init__(
        self,
        scenario: Scenario,
        *,
        days: int,
        seed: int,
        first_day: date,
        zone: ZoneInfo,
        faults: FaultRates,
        options: Options,
    ) -> None:
        self._scenario = scenario
        self._days = days
        self._seed = seed
        self._first_day = first_day
        self._faults = faults
        self._dice = random.Random(f"{seed}/world")
        self._start_us = micros(midnight(zone, first_day))
        self._end_us = self._start_us + days * DAY_US
        self.now_us = self._start_us
        self._entries: list[tuple[int, int, Callable[[], None]]] = []
        self._number = 0
        self._authority = Authority(scenario, first=moment(self._start_us), last=moment(self._end_us), seed=seed)
        self._residents = [
            _Resident(self, station, seed=seed, options=options, faults=faults) for station in scenario.stations
        ]
        self.violations: list[Violation] = []

    @property
    def authority(self) -> Authority:
        """The authority above all stations."""
        return self._authority

    @property
    def end_us(self) -> int:
        """When nothing goes wrong any more."""
        return self._end_us

    def at(self, at_us: int, action: Callable[[], None]) -> None:
        """Let `action` happen at a true time."""
        self._number += 1
        heapq.heappush(self._entries, (max(at_us, self.now_us), self._number, action))

    def run(self) -> None:
        """Live through all days, and a while longer in peace, so that everything is settled."""
        for segment in self._authority.coming:
            self.at(micros(segment.approved_at), partial(self._bring, segment))
        for resident in self._residents:
            resident.begin(self._start_us)
        for event in self._scenario.events:
            for resident in self._residents:
                if event.station in (None, resident.station.code):
                    resident.expect(event)
        self.at(self._end_us, self._make_peace)
        last_us = self._end_us + _AFTERWARDS_US
        while self._entries and self._entries[0][0] <= last_us and len(self.violations) < _MOST_VIOLATIONS:
            self.now_us, _, action = heapq.heappop(self._entries)
            action()
        for resident in self._residents:
            resident.end(self._first_day, self._first_day + timedelta(days=self._days - 1))

    def publish(self) -> None:
        """Send what is decided now to every station that can be reached."""
        for resident in self._residents:
            resident.send()

    def violated(self, violation: Violation) -> None:
        """Keep what did not hold."""
        self.violations.append(replace(violation, seed=self._seed))

    def report(self) -> SimulationReport:
        """Return what happened."""
        sometimes: Counter[str] = Counter()
        for resident in self._residents:
            sometimes.update(resident.station.sometimes)
        return SimulationReport(
            seed=self._seed,
            first_day=self._first_day,
            days=self._days,
            stations=tuple(station.code for station in self._scenario.stations),
            slots=tuple(slot for resident in self._residents for slot in resident.slots()),
            duties=tuple(duty for resident in self._residents for duty in resident.duties),
            faults=tuple(
                sorted(
                    (one for resident in self._residents for one in resident.station.happenings),
                    key=lambda one: (one.at, one.station),
                )
            ),
            checks=sum(resident.witness.checks for resident in self._residents),
            violations=tuple(self.violations),
            sometimes=dict(sorted(sometimes.items())),
        )

    def _bring(self, segment: Segment) -> None:
        self._authority.approve(segment)
        self.publish()

    def _make_peace(self) -> None:
        for resident in self._residents:
            resident.make_peace()


class _Resident:
    """One station in the world: wakes it when it should look, and lets its fate befall it."""

    def __init__(self, world: _World, station: Station, *, seed: int, options: Options, faults: FaultRates) -> None:
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
        )
        self.witness = Witness(self.station, wrong=self._wrong)
        self.duties: tuple[DutyOutcome, ...] = ()
        self._turn = 0
        self._aims: list[str] = []
        self._emergencies: set[str | None] = set()
        self._trace: deque[str] = deque(maxlen=_TRACE)
        self._rows_told = 0
        self._peace = False
        self._duty_programmes = {
            duty.programme for duty in world.authority.intent.duties if station.code in duty.stations
        }

    # Life

    def begin(self, now_us: int) -> None:
        """Give the station its intent and audio, and switch it on."""
        station = self.station
        station.on_armed, station.on_begun, station.observe = self._armed, self.witness.begun, self._observe
        station.receive(self._world.authority.intent, now_us)
        station.fetch_media(now_us)
        station.boot(now_us)
        station.time_service()
        days = (self._world.end_us - now_us) // DAY_US
        for stroke in draw(self._faults, self._dice, first_us=now_us, days=days):
            if stroke.aimed:
                self._world.at(stroke.at_us, partial(self._aims.append, stroke.kind))
            else:
                self._befall(stroke.at_us, partial(self._strike, stroke.kind, None))
        self._wake()

    def make_peace(self) -> None:
        """End all faults: from now on everything works."""
        station, now_us = self.station, self._world.now_us
        self._peace = True
        station.disk.cut_in = None
        for name in sorted(station.outlets.lost):
            station.return_output(name, now_us)
        station.link_up = True
        station.boot(now_us)
        station.time_service()
        station.receive(self._world.authority.intent, now_us)
        station.fetch_media(now_us)
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
        if aired and slot.startswith(f"{self.station.code}/oneoff/") and slot.rpartition("/")[2] in self._emergencies:
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

    # Fate

    def expect(self, event: Event) -> None:
        """Let a named event of the scenario befall the station in its time."""
        self._befall(micros(event.at), partial(self._happen, event))

    def _happen(self, event: Event) -> None:
        now_us, lasts_us = self._world.now_us, round(event.lasts_s * 1e6)
        sha256 = next((s.sha256 for s in self._world.authority.intent.segments if s.id == event.segment), None)
        match event.kind:
            case EventKind.POWER:
                self._power(lasts_us, why=event.reason or "by the scenario")
            case EventKind.CLOCK_STEP:
                self.station.step_clock(now_us, event.step_s)
            case EventKind.LINK:
                self._link(lasts_us)
            case EventKind.MEDIA_MISSING | EventKind.MEDIA_CORRUPT:
                self._spoil(sha256, missing=event.kind is EventKind.MEDIA_MISSING, lasts_us=lasts_us or DAY_US)
            case EventKind.OUTPUT:
                self._output(lasts_us)
            case EventKind.PLAYER:
                self.station.break_player("crash", now_us)
            case EventKind.EMERGENCY:
                self._emergency(event.segment)
        self._wake()

    def _befall(self, at_us: int, action: Callable[[], None]) -> None:
        """Let something happen, after a station that looked and saved as often as a real one does."""
        last_us = at_us - round(self._dice.uniform(0.02e6, 0.25e6))
        for before_us in (last_us - 510_000, last_us):
            self._schedule(before_us, lambda: None)
        self._world.at(at_us, action)

    def _armed(self, airing: str, start_us: int, length_us: int) -> None:
        """Let what was aimed at the next item strike around it."""
        slot = airing.rpartition("#")[0]
        aim = next((kind for kind in self._aims if kind != "emergency" or slot in self._owed_slots()), None)
        if aim is not None and not self._peace:
            kind = aim
            self._aims.remove(aim)
            at_us = max(self._world.now_us, start_us + around(self._dice, length_us=length_us))
            self._befall(at_us, lambda: self._strike(kind, (airing, start_us)))

    def _strike(self, kind: str, target: tuple[str, int] | None) -> None:
        if self._peace:
            return
        now_us, dice, station = self._world.now_us, self._dice, self.station
        station.clock.advance_to(now_us)
        match kind:
            case "power":
                if target is not None and abs(now_us - target[1]) <= 1_000_000:
                    station.sometimes["power_cut_within_a_second_of_a_start"] += station.powered
                self._power_by_chance()
            case "clock_step":
                seconds = step_s(dice)
                station.step_clock(now_us, seconds)
                back_us = outage_us(dice) if station.machine is Machine.HOST else round(dice.uniform(10e6, 1200e6))
                self._schedule(now_us + back_us, lambda: self._set_right(seconds))
            case "link":
                self._link(outage_us(dice) * 3)
            case "media_missing" | "media_corrupt":
                lasts_us = round(dice.uniform(60e6, 40_000e6))
                self._spoil(self._planned_hash(), missing=kind == "media_missing", lasts_us=lasts_us)
            case "output":
                self._output(min(outage_us(dice), 7_200_000_000))
            case "player":
                self._player(dice.random())
            case "emergency":
                self._emergency(None)
            case "late_edit":
                self._late_edit(target)
        self._wake()

    def _power_by_chance(self) -> None:
        dice, station = self._dice, self.station
        lasts_us = outage_us(dice)
        if dice.random() < 0.3:
            point = dice.choice(list(CutPoint))
            rows_only = dice.random() < 0.6
            station.cut_power_at_a_write(dice.randint(1, 4 if rows_only else 60), point, rows_only=rows_only)
            self._befall(self._world.now_us + 900_000_000, lambda: self._power(lasts_us, why="by chance"))
        elif dice.random() < 0.1:
            for number in range(12):  # F12: flapping
                self._befall(self._world.now_us + number * 90_000_000, lambda: self._power(20_000_000, why="flapping"))
        else:
            self._power(lasts_us, why="by chance")

    def _power(self, lasts_us: int, *, why: str) -> None:
        station, now_us = self.station, self._world.now_us
        if not station.powered or self._peace:
            return
        station.cut_power(now_us, back_us=now_us + lasts_us + round(self._dice.uniform(12e6, 40e6)), why=why)
        self._wake()

    def _set_right(self, seconds: float) -> None:
        station = self.station
        if station.powered and not self._peace and station.clock.offset_us:
            station.step_clock(self._world.now_us, -seconds)

    def _link(self, lasts_us: int) -> None:
        station, now_us = self.station, self._world.now_us
        if not station.link_up:
            return
        station.link_up = False
        station.clock.synchronised = False
        station.sometimes["link_down_for_a_day"] += lasts_us > DAY_US
        station.happened(now_us, "link", f"down for {lasts_us / 60e6:.0f} min")
        self._world.at(now_us + lasts_us, self._link_returns)

    def _link_returns(self) -> None:
        station = self.station
        if station.link_up:
            return
        station.link_up = True
        self._schedule(self._world.now_us + round(self._dice.uniform(2e6, 30e6)), station.time_service)
        self.send()

    def _spoil(self, sha256: str | None, *, missing: bool, lasts_us: int) -> None:
        station, now_us = self.station, self._world.now_us
        if sha256 is None:
            return
        if missing:
            station.media.present.discard(sha256)
        else:
            station.media.damaged.add(sha256)
        station.trouble(now_us - 60_000_000, now_us + lasts_us + 120_000_000, "media")
        station.happened(now_us, "media", f"{'missing' if missing else 'damaged'} {sha256[:8]}")
        self._fetch_later(now_us + lasts_us)

    def _fetch_later(self, at_us: int) -> None:
        def fetch() -> None:
            self.station.fetch_media(self._world.now_us)
            if not self.station.link_up and not self._peace:
                again_us = self._world.now_us + 3_600_000_000
                self.station.trouble(self._world.now_us, again_us + 120_000_000, "media")
                self._fetch_later(again_us)

        self._schedule(at_us, fetch)

    def _output(self, lasts_us: int) -> None:
        station, now_us = self.station, self._world.now_us
        name = self._dice.choice(station.outlets.names)
        if name in station.outlets.lost:
            return
        station.lose_output(name, now_us)
        station.trouble(now_us, now_us + lasts_us + 10_000_000, "output")
        self._schedule(now_us + lasts_us, lambda: station.return_output(name, self._world.now_us))

    def _player(self, drawn: float) -> None:
        station, now_us = self.station, self._world.now_us
        on_air = station.player is not None and station.player.on_air
        if drawn < 0.4:
            station.break_player("crash", now_us)
        elif drawn < 0.6:
            station.break_player("hang", now_us)
        elif drawn < 0.75:
            station.break_player("source_failure", now_us)
        else:
            how = station.restart_process if drawn < 0.9 else station.restart_worker
            station.sometimes[f"{how.__name__}_during_item"] += on_air
            station.happened(now_us, "restart", how.__name__)
            how(now_us)

    def _planned_hash(self) -> str | None:
        daemon = self.station.daemon
        rundown = daemon.rundown if daemon is not None else None
        if rundown is None:
            return None
        now = self.station.clock.now()
        coming = [item.sha256 for item in rundown.items if item.sha256 is not None and item.end > now]
        return coming[0] if coming else None

    def _emergency(self, segment: str | None) -> None:
        station, authority = self.station, self._world.authority
        intent = authority.intent
        if segment is None:
            mine = [s for s in intent.segments if s.sha256 in station.media.present]
            if not mine:
                return
            segment = self._dice.choice(sorted(mine, key=lambda s: (s.samples, s.id))[:3]).id
        now = moment(self._world.now_us)
        start = now + timedelta(seconds=round(self._dice.uniform(4, 40), 3))
        if self._duty_on_air():
            station.sometimes["emergency_inside_duty_item"] += 1
        self._emergencies.add(authority.order(station.code, segment, start, now, priority=Priority.EMERGENCY))
        station.happened(self._world.now_us, "emergency", segment)
        station.trouble(self._world.now_us - 30_000_000, self._world.now_us + 3_600_000_000, "emergency")
        self._world.publish()

    def _owed_slots(self) -> set[SlotId]:
        """Return the slots of the plan that would count for a duty."""
        daemon = self.station.daemon
        rundown = daemon.rundown if daemon is not None else None
        return {i.slot for i in rundown.items if i.programme in self._duty_programmes} if rundown is not None else set()

    def _duty_on_air(self) -> bool:
        daemon = self.station.daemon
        return daemon is not None and any(
            run.item.programme in self._duty_programmes and run.state == "playing" for run in daemon.runs
        )

    def _late_edit(self, target: tuple[str, int] | None) -> None:
        station, authority, dice = self.station, self._world.authority, self._dice
        now_us, now = self._world.now_us, moment(self._world.now_us)
        daemon = station.daemon
        rundown = daemon.rundown if daemon is not None else None
        if rundown is None:
            return
        wall = station.clock.now()
        coming = [item for item in rundown.items if item.segment is not None and item.end > wall]
        if target is not None:
            slot = target[0].rpartition("#")[0]
            coming = [item for item in coming if item.slot == slot] or coming
            station.sometimes["late_edit_inside_20_s"] += 0 <= target[1] - now_us <= 20_000_000
        if not coming:
            return
        item = coming[0]
        segment = authority.intent.segment(item.segment or "")
        # People order by the true time; a station whose clock is off airs it by its own.
        soon = now + timedelta(seconds=round(dice.uniform(3, 90), 3))
        drawn = dice.choice(("withdraw", "newer", "hard", "soft", "cancel", "except", "move", "drop", "stop", "old"))
        station.happened(now_us, "edit", f"{drawn} {item.slot}")
        station.trouble(now_us - 60_000_000, now_us + 7_200_000_000, f"edit {drawn}")
        match drawn:
            case "withdraw" if segment is not None and authority.withdraw(segment.id):
                later_us = now_us + round(dice.uniform(60e6, 90_000e6))
                known = segment.id
                self._world.at(later_us, lambda: self._restore(known))
            case "newer" if segment is not None:
                authority.approve_newer(segment, now)
            case "hard" | "soft" if segment is not None:
                timing = Timing.HARD if drawn == "hard" else Timing.SOFT
                order = authority.order(station.code, segment.id, soon, now, timing=timing)
                if order is not None and dice.random() < 0.3:
                    cancel_us = now_us + round(dice.uniform(0, 100e6))
                    self._world.at(cancel_us, partial(self._cancel, order))
            case "cancel":
                for one in authority.intent.one_offs:
                    if one.station == station.code and one.cancelled_at is None:
                        authority.cancel(one.id, now)
                        break
            case "except" | "move":
                authority.except_session(item.slot, Change.CANCEL if drawn == "except" else Change.MOVE, now)
            case "drop":
                authority.drop_last_place(item.slot)
            case "stop":
                station.silence(now_us)
            case "old":
                station.offer_old(replace(authority.intent, revision=max(1, authority.intent.revision - 3)))
        station.sometimes[f"edit_{drawn}"] += 1
        self._world.publish()

    def _restore(self, segment: str) -> None:
        self._world.authority.restore(segment)
        self._world.publish()

    def _cancel(self, order: str) -> None:
        self._world.authority.cancel(order, moment(self._world.now_us))
        self._world.publish()
