"""What befalls one simulated station: the named events of a scenario, and what chance does, mostly where it hurts."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Protocol

from link.scenario import Event, EventKind, FaultRates
from playout.simulation.authority import Authority
from playout.simulation.disk import CutPoint
from playout.simulation.fate import DAY_US, around, draw, outage_us, step_s
from playout.simulation.simulatedclock import micros, moment
from playout.simulation.station import Machine, SimulatedStation
from schedules.grid import Change, SlotId, Timing
from schedules.segment import Priority


class World(Protocol):
    """What stands around a station. now_us, end_us: the true time, and when chance does no more."""

    now_us: int

    @property
    def authority(self) -> Authority:
        """The authority above all stations."""
        ...

    @property
    def end_us(self) -> int:
        """When nothing goes wrong any more."""
        ...

    def at(self, at_us: int, action: Callable[[], None]) -> None:
        """Let `action` happen at a true time."""
        ...

    def publish(self) -> None:
        """Send what is decided now to every station that can be reached."""
        ...


class Misfortune:
    """The fate of one station.

    wake: lets the station look now. send: sends it what is decided now. emergencies: ids of those that were ordered.
    """

    def __init__(
        self,
        station: SimulatedStation,
        *,
        world: World,
        dice: random.Random,
        wake: Callable[[], None],
        send: Callable[[], None],
    ) -> None:
        self._station = station
        self._world = world
        self._dice = dice
        self._wake = wake
        self._send = send
        self._aims: list[str] = []
        self._peace = False
        self._duty_programmes = {
            duty.programme for duty in world.authority.intent.duties if station.code in duty.stations
        }
        self.emergencies: set[str | None] = set()

    def begin(self, rates: FaultRates) -> None:
        """Draw what goes wrong from now to the end."""
        now_us = self._world.now_us
        for stroke in draw(rates, self._dice, first_us=now_us, days=(self._world.end_us - now_us) // DAY_US):
            if stroke.aimed:
                self._world.at(stroke.at_us, partial(self._aims.append, stroke.kind))
            else:
                self._befall(stroke.at_us, partial(self._strike, stroke.kind, None))

    def end(self) -> None:
        """Let nothing go wrong any more, and mend what is broken."""
        station, now_us = self._station, self._world.now_us
        self._peace = True
        station.disk.cut_in = None
        for name in sorted(station.outlets.lost):
            station.return_output(name, now_us)
        station.link_up = True
        station.boot(now_us)
        station.time_service()

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
                self._station.step_clock(now_us, event.step_s)
            case EventKind.LINK:
                self._link(lasts_us)
            case EventKind.MEDIA_MISSING | EventKind.MEDIA_CORRUPT:
                self._spoil(sha256, missing=event.kind is EventKind.MEDIA_MISSING, lasts_us=lasts_us or DAY_US)
            case EventKind.OUTPUT:
                self._output(lasts_us)
            case EventKind.PLAYER:
                self._station.break_player("crash", now_us)
            case EventKind.EMERGENCY:
                self._emergency(event.segment)
        self._wake()

    def _befall(self, at_us: int, action: Callable[[], None]) -> None:
        """Let something happen, after a station that looked and saved as often as a real one does."""
        last_us = at_us - round(self._dice.uniform(0.02e6, 0.25e6))
        for before_us in (last_us - 510_000, last_us):
            self._station.schedule(before_us, lambda: None)
        self._world.at(at_us, action)

    def armed(self, airing: str, start_us: int, length_us: int) -> None:
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
        now_us, dice, station = self._world.now_us, self._dice, self._station
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
                self._station.schedule(now_us + back_us, lambda: self._set_right(seconds))
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
        dice, station = self._dice, self._station
        lasts_us = outage_us(dice)
        if dice.random() < 0.3:
            point = dice.choice(list(CutPoint))
            rows_only = dice.random() < 0.6
            station.cut_power_at_a_write(dice.randint(1, 4 if rows_only else 60), point, rows_only=rows_only)
            self._befall(self._world.now_us + 900_000_000, lambda: self._power(lasts_us, why="by chance"))
        elif dice.random() < 0.1:
            for number in range(8):  # F12: flapping
                self._befall(self._world.now_us + number * 90_000_000, lambda: self._power(20_000_000, why="flapping"))
        else:
            self._power(lasts_us, why="by chance")

    def _power(self, lasts_us: int, *, why: str) -> None:
        station, now_us = self._station, self._world.now_us
        if not station.powered or self._peace:
            return
        station.cut_power(now_us, back_us=now_us + lasts_us + round(self._dice.uniform(12e6, 40e6)), why=why)
        self._wake()

    def _set_right(self, seconds: float) -> None:
        station = self._station
        if station.powered and not self._peace and station.clock.offset_us:
            station.step_clock(self._world.now_us, -seconds)

    def _link(self, lasts_us: int) -> None:
        station, now_us = self._station, self._world.now_us
        if not station.link_up:
            return
        station.link_up = False
        station.clock.lose_service()
        station.sometimes["link_down_for_a_day"] += lasts_us > DAY_US
        station.happened(now_us, "link", f"down for {lasts_us / 60e6:.0f} min")
        self._world.at(now_us + lasts_us, self._link_returns)

    def _link_returns(self) -> None:
        station = self._station
        if station.link_up:
            return
        station.link_up = True
        self._station.schedule(self._world.now_us + round(self._dice.uniform(2e6, 30e6)), station.time_service)
        self._send()

    def _spoil(self, sha256: str | None, *, missing: bool, lasts_us: int) -> None:
        station, now_us = self._station, self._world.now_us
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
            self._station.fetch_media(self._world.now_us)
            if not self._station.link_up and not self._peace:
                again_us = self._world.now_us + 3_600_000_000
                self._station.trouble(self._world.now_us, again_us + 120_000_000, "media")
                self._fetch_later(again_us)

        self._station.schedule(at_us, fetch)

    def _output(self, lasts_us: int) -> None:
        station, now_us = self._station, self._world.now_us
        name = self._dice.choice(station.outlets.names)
        if name in station.outlets.lost:
            return
        station.lose_output(name, now_us)
        station.trouble(now_us, now_us + lasts_us + 10_000_000, "output")
        self._station.schedule(now_us + lasts_us, lambda: station.return_output(name, self._world.now_us))

    def _player(self, drawn: float) -> None:
        station, now_us = self._station, self._world.now_us
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
        daemon = self._station.daemon
        rundown = daemon.rundown if daemon is not None else None
        if rundown is None:
            return None
        now = self._station.clock.now()
        coming = [item.sha256 for item in rundown.items if item.sha256 is not None and item.end > now]
        return coming[0] if coming else None

    def _emergency(self, segment: str | None) -> None:
        station, authority = self._station, self._world.authority
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
        self.emergencies.add(authority.order(station.code, segment, start, now, priority=Priority.EMERGENCY))
        station.happened(self._world.now_us, "emergency", segment)
        station.trouble(self._world.now_us - 30_000_000, self._world.now_us + 3_600_000_000, "emergency")
        self._world.publish()

    def _owed_slots(self) -> set[SlotId]:
        """Return the slots of the plan that would count for a duty."""
        daemon = self._station.daemon
        rundown = daemon.rundown if daemon is not None else None
        return {i.slot for i in rundown.items if i.programme in self._duty_programmes} if rundown is not None else set()

    def _duty_on_air(self) -> bool:
        daemon = self._station.daemon
        return daemon is not None and any(
            run.item.programme in self._duty_programmes and run.state == "playing" for run in daemon.runs
        )

    def _late_edit(self, target: tuple[str, int] | None) -> None:
        station, authority, dice = self._station, self._world.authority, self._dice
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
