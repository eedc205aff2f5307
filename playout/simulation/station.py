"""A simulated station: the real daemon on simulated clock, disk, media, player and outputs, and what befalls it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Any

from playout.daemon import StationDaemon, StopOrder
from playout.simulation.disk import CutPoint, Disk, PowerCut, SimulatedJournal, SimulatedMedia
from playout.simulation.loudspeaker import Loudspeaker
from playout.simulation.report import Happening
from playout.simulation.simulatedclock import SimulatedClock, micros, moment
from playout.simulation.simulatedplayer import Outlets, SimulatedPlayer
from playout.specs import OutputSpec
from playout.systemclock import BUILT, ClockJudge
from schedules.airing import RunState
from schedules.errors import IntentMissing
from schedules.grid import SlotId
from schedules.intent import Intent
from schedules.reconcile import ARM_AHEAD, CUT_AHEAD, WAKE_AHEAD

TICK_US = 250_000
"""How often the loop of a real station looks."""

IDLE_US = 6 * 3_600_000_000
_NIGHT_US = 600_000_000
_WAITING_US = 2_000_000
_RESTING_US = 3_300_000
_SAVING_US = 500_000

Schedule = Callable[[int, Callable[[], None]], None]


class Machine(Enum):
    """What keeps the time of a machine through a power cut, and who vouches for it."""

    HOST = "host"
    CLOCK_CHIP = "clock_chip"
    NO_CLOCK_CHIP = "no_clock_chip"
    LAST_TIME_SAVED = "last_time_saved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A stretch of true time, microseconds, in which the station could not do its work as planned."""

    start_us: int
    end_us: int
    what: str


class SimulatedStation:
    """One station. All times are true times in microseconds since 1970 unless a name says otherwise.

    on_armed: told the airing, its start and its length when the player took an item. on_begun: told the airing, what is
    in its file, and the moment at which it begins to sound. observe: called after every step.
    settled: the slots that have their row. troubles: what may excuse that something did not air.
    drift_ppm: by how much its quartz is too fast. stepped_us: when its trusted clock was set last.
    """

    def __init__(
        self,
        *,
        code: str,
        outputs: tuple[OutputSpec, ...],
        machine: Machine,
        seed: int,
        now_us: int,
        schedule: Schedule,
        replan_s: float,
        drift_ppm: int = 0,
    ) -> None:
        self.code = code
        self.outputs = outputs
        self.machine = machine
        self.dice = random.Random(f"{seed}/{code}/machine")
        self.schedule = schedule
        self.disk = Disk()
        self.media = SimulatedMedia()
        self.outlets = Outlets(names=tuple(output.name for output in outputs))
        self.loudspeaker = Loudspeaker()
        self.received: Intent | None = None
        self.received_us = now_us
        self.offered: Intent | None = None
        self._began = moment(now_us)
        self._drift_ppm = drift_ppm
        self.stepped_us = 0
        self.clock = self._clock(now_us)
        self.daemon: StationDaemon | None = None
        self.player: SimulatedPlayer | None = None
        self.link_up = True
        self.boots = 0
        self.step = 0
        self.sometimes: Counter[str] = Counter()
        self.happenings: list[Happening] = []
        self.troubles: list[Trouble] = []
        self.settled: set[SlotId] = set()
        self.on_armed: Callable[[str, int, int], None] = lambda slot, start_us, length_us: None
        self.on_begun: Callable[[str, str, int], None] = lambda airing, content, at_us: None
        self.observe: Callable[[], None] = lambda: None
        self._replan_s = replan_s
        self._stop_orders: list[StopOrder] = []

    # Power

    @property
    def powered(self) -> bool:
        """Whether the machine runs."""
        return self.daemon is not None

    @property
    def trusted(self) -> bool:
        """Whether the machine runs and believes its clock."""
        return self.powered and self.clock.state().trusted

    def boot(self, now_us: int) -> None:
        """Start the machine with whatever its clock makes of the time."""
        if self.powered:
            return
        self.boots += 1
        self.clock = self._clock(now_us)
        if not self.clock.state().trusted:
            self.sometimes["boot_without_trusted_time"] += 1
        if self.link_up:
            self.schedule(now_us + round(self.dice.uniform(1e6, 15e6)), self.time_service)
        self._start_daemon(now_us)
        self.trouble(now_us, now_us + 60_000_000, "boot")

    def cut_power(self, now_us: int, *, back_us: int, why: str) -> None:
        """Take the power away until `back_us`: no farewell; the disk keeps what it acknowledged."""
        if not self.powered:
            return
        if self.player is not None and not self.player.dead:
            self.clock.advance_to(now_us)
            self.player.kill()
        self.daemon, self.player = None, None
        self.disk.cut_in = None
        self.trouble(now_us, back_us + 60_000_000, "power")
        self.happened(now_us, "power", f"off for {(back_us - now_us) / 1e6:.0f} s, {why}")
        self.schedule(back_us, lambda: self.boot(back_us))

    def _lose_power_with_a_write(self, now_us: int) -> None:
        self.sometimes["power_cut_with_a_write"] += 1
        self.cut_power(now_us, back_us=now_us + round(self.dice.uniform(5e6, 200e6)), why="with a write")

    def cut_power_at_a_write(self, writes: int, point: CutPoint, *, rows_only: bool) -> None:
        """Let the power go with the n-th write, or the n-th row, from now on."""
        if self.powered:
            self.disk.cut_in, self.disk.cut_point, self.disk.rows_only = writes, point, rows_only

    def restart_process(self, now_us: int) -> None:
        """End the daemon's process without farewell and start it again in the same boot."""
        if not self.powered:
            return
        if self.player is not None and not self.player.dead:
            self.player.kill()
        newest = self.disk.newest()
        kept = newest.offset_s if newest.trusted else None
        self.clock.restart(self._judge(carried_on=kept))
        self._start_daemon(now_us)
        self.trouble(now_us, now_us + 10_000_000, "process")

    def restart_worker(self, now_us: int) -> None:
        """Let the station's loop fail and be started again by its supervisor."""
        if self.daemon is None:
            return
        self.trouble(now_us, now_us + 10_000_000, "worker")
        try:
            self.daemon.end()
            self.daemon.broken(RuntimeError())
            self.daemon.begin()
        except PowerCut:
            self._lose_power_with_a_write(now_us)

    def _start_daemon(self, now_us: int) -> None:
        # What lies beside the daemon is the newest document again: that is kept by the link, not by the daemon.
        self.player, self.offered = None, None
        journal = SimulatedJournal(self.disk, clock=self.clock, boot=f"boot-{self.boots}")
        journal.start()
        daemon = StationDaemon(
            code=self.code,
            outputs=self.outputs,
            clock=self.clock,
            journal=journal,
            library=self.media,
            shelf=_NoShelf(),
            aircheck=Path("aircheck"),
            intent=self._read_intent,
            make_player=self._make_player,
            replan_s=self._replan_s,
        )
        daemon.begin()
        self.daemon = daemon

    def _clock(self, now_us: int) -> SimulatedClock:
        judge = self._judge(carried_on=None)
        wall_us = now_us
        if self.machine is Machine.NO_CLOCK_CHIP:
            wall_us = 10_000_000
        elif self.machine is Machine.LAST_TIME_SAVED:
            newest = self.disk.newest().time
            wall_us = now_us if newest is None else micros(newest) + 15_000_000
        return SimulatedClock(booted_us=now_us, now_us=now_us, wall_us=wall_us, judge=judge, drift_ppm=self._drift_ppm)

    def _judge(self, *, carried_on: float | None) -> ClockJudge:
        # A scenario may lie in the past: then the software of its stations is older than this one.
        built = min(BUILT, self._began)
        host = self.machine is Machine.HOST
        return ClockJudge(host=host, newest=self.disk.newest().time, carried_on=carried_on, built=built)

    # Time

    def wake(self, now_us: int) -> None:
        """Let the station live until now, look once, and find out when to look again."""
        self.clock.advance_to(now_us)
        daemon = self.daemon
        if daemon is None:
            return
        player = self.player
        if player is not None:
            player.advance(now_us)
            player.report()
        self.step += 1
        if not self.trusted:
            self.trouble(now_us, now_us + _NIGHT_US, "untrusted")
        try:
            daemon.step(0)
        except PowerCut:
            self._lose_power_with_a_write(now_us)
            return
        self.observe()

    def next_us(self, *, busy: bool) -> int:
        """Return when the station should look again, if nothing happens to it before."""
        now_us, daemon = self.clock.true_us, self.daemon
        if daemon is None:
            return now_us + IDLE_US
        if busy:
            return now_us + TICK_US
        moments = [now_us + IDLE_US]
        player = self.player if self.player is not None and not self.player.dead else None
        if player is not None:
            if (own := player.next_us()) is not None:
                moments.append(max(own, now_us))
            if player.hung or not player.waiting:
                moments.append(now_us + _RESTING_US)
            if player.on_air and self.disk.cut_in is not None:
                moments.append(now_us + _SAVING_US)
        if not self.trusted:
            moments.append(now_us + _NIGHT_US)
            return min(moments)
        if self.received is None:
            moments.append(now_us + _WAITING_US)
        for run in daemon.runs:
            if run.state is RunState.INTERRUPTED:
                moments.append(now_us + 1_000_000)
            elif run.state is RunState.ARMED:
                moments.append(self.clock.true_at(run.start_at + timedelta(seconds=5)) + TICK_US)
        moments += self._planned(now_us)
        return max(now_us + 1, min(moments))

    def _planned(self, now_us: int) -> list[int]:
        """Return when the next thing in the plan is due."""
        daemon = self.daemon
        rundown = daemon.rundown if daemon is not None else None
        if daemon is None or rundown is None:
            return []
        now, runs = self.clock.now(), {run.slot for run in daemon.runs}
        found = []
        for item in rundown.items:
            if item.slot in self.settled:
                continue
            moments = [item.cut_at - CUT_AHEAD] if item.cut_at is not None else []
            if item.slot not in runs:
                limit = timedelta(seconds=item.late_limit_s)
                moments += [item.due - WAKE_AHEAD, item.due - ARM_AHEAD, item.start, item.start + limit]
            found += [moment for moment in moments if moment >= now]
        # The loop of the real station looks at a time of its own, up to a tick later.
        jitter_us = round(self.dice.random() * TICK_US)
        return [self.clock.true_at(min(found)) + jitter_us] if found else []

    def time_service(self) -> None:
        """Let a time service set the clock right, if it can be reached."""
        if not self.powered or not self.link_up:
            return
        was = self.trusted
        self.clock.synchronise()
        if not was and self.trusted:
            self.sometimes["time_became_known"] += 1

    def step_clock(self, now_us: int, seconds: float) -> None:
        """Set the wall clock forward or back."""
        if not self.powered:
            return
        if self.trusted:
            self.stepped_us = now_us
        self.clock.step(seconds)
        if self.player is not None and self.player.on_air:
            self.sometimes["clock_step_during_item"] += 1
        self.trouble(now_us - 7_200_000_000, now_us + 26 * 3_600_000_000, "clock step")
        self.happened(now_us, "clock_step", f"{seconds:+.1f} s")

    # Link and media

    def receive(self, intent: Intent, now_us: int) -> None:
        """Take a newer snapshot from above; what it needs of audio follows later."""
        if self.received is not None and intent.revision <= self.received.revision:
            return
        self.received = intent
        self.received_us = now_us
        self.trouble(now_us - 30_000_000, now_us + 30_000_000, "edit")
        if self.daemon is not None:
            self.daemon.wake()

    def remind(self) -> None:
        """Tell the station that there may be something new."""
        if self.daemon is not None:
            self.daemon.wake()

    def offer_old(self, intent: Intent) -> None:
        """Let an older snapshot lie where the station looks, as after a restore above."""
        if self.received is None or intent.revision >= self.received.revision:
            return
        self.offered = intent
        if self.daemon is not None:
            self.sometimes["older_intent_offered"] += 1
            self.daemon.wake()

    def fetch_media(self, now_us: int) -> None:
        """Bring every file that the intent names and that is missing or damaged."""
        if self.received is None or not self.link_up:
            return
        wanted = {segment.sha256 for segment in self.received.segments}
        if wanted - self.media.present or self.media.damaged:
            self.media.present |= wanted
            self.media.damaged.clear()
            self.trouble(now_us - 120_000_000, now_us + 120_000_000, "media fetched")
            if self.daemon is not None:
                self.daemon.wake()

    def _read_intent(self) -> Intent:
        if self.offered is not None:
            offered, self.offered = self.offered, None
            return offered
        if self.received is None:
            raise IntentMissing
        return self.received

    # Sound

    def lose_output(self, name: str, now_us: int) -> None:
        """Unplug an output."""
        self.outlets.lost.add(name)
        if self.player is not None:
            self.sometimes["output_lost_during_item"] += self.player.on_air
            self.player.outlets_changed()
        self.happened(now_us, "output", f"{name} lost")

    def return_output(self, name: str, now_us: int) -> None:
        """Plug an output in again."""
        self.outlets.lost.discard(name)
        if self.player is not None:
            self.player.outlets_changed()
        self.happened(now_us, "output", f"{name} back")

    def break_player(self, how: str, now_us: int) -> None:
        """Let the player crash, hang, or find its file cut short while it plays."""
        player = self.player
        if player is None or player.dead or player.hung:
            return
        if player.on_air:
            self.sometimes[f"player_{how}_during_item"] += 1
        self.trouble(now_us, now_us + 30_000_000, f"player {how}")
        self.happened(now_us, "player", how)
        match how:
            case "crash":
                player.crash()
            case "hang":
                player.hang()
            case _:
                player.break_sources()

    def silence(self, now_us: int) -> None:
        """Let a person stop what plays."""
        if self.daemon is not None:
            self._stop_orders.append(self.daemon.order_stop(by="Ông Bình", reason="thử"))
            self.trouble(now_us, now_us + 7_200_000_000, "stopped")
            self.happened(now_us, "stop", "by a person")

    def _make_player(
        self, *, on_event: Callable[[dict[str, Any]], None], on_exit: Callable[[int], None]
    ) -> SimulatedPlayer:
        self.player = SimulatedPlayer(
            clock=self.clock,
            media=self.media,
            outlets=self.outlets,
            loudspeaker=self.loudspeaker,
            on_event=on_event,
            on_exit=on_exit,
            on_armed=lambda airing, start_us, length_us: self.on_armed(airing, start_us, length_us),
            on_begun=lambda airing, content, at_us: self.on_begun(airing, content, at_us),
        )
        return self.player

    # Telling

    def trouble(self, start_us: int, end_us: int, what: str) -> None:
        """Note a stretch in which things could not go as planned."""
        self.troubles.append(Trouble(start_us=start_us, end_us=end_us, what=what))

    def happened(self, now_us: int, kind: str, detail: str) -> None:
        """Note what befell the station."""
        self.happenings.append(Happening(at=moment(now_us), station=self.code, kind=kind, detail=detail))


class _NoShelf:
    """Keeps no aircheck."""

    def live_playlist(self) -> str | None:
        """Nothing goes out that could be listened to."""
        return None

    def playlist(self, start: object, end: object) -> str | None:
        """Nothing was recorded."""
        return None

    def file(self, run: str, name: str) -> Path | None:
        """Nothing was recorded."""
        return None
