"""The station: keeps its plan, arms the player, counts what aired, writes the journal. One thread owns all of it."""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import structlog

from link.codec import dump, load
from link.door import LiveOrder, OutputStatus, Receipt, StationStatus
from link.orders import OrderKeys, unseal_order
from playout import glance, runs
from playout.ears.earkeeper import Heard
from playout.ears.hearsay import found_or_whole, shares, without_power
from playout.equipment import Equipment, View
from playout.faults import FaultBook, fault, output_fault
from playout.intakes.relaydesk import RelayDesk
from playout.journal.journal import Row, Trouble
from playout.journal.journalwatch import JournalWatch
from playout.memory import Memory
from playout.outputs.amplifier import held_off_until
from playout.player.pieces import FilePiece, Piece, PipePiece
from playout.player.playerkeeper import PlayerEvent, PlayerExit, PlayerKeeper, PlayerMaker
from playout.player.poison import Poison
from playout.specs import InputSpec, OutputSpec
from playout.systemclock import trust_row, zone_mismatch
from playout.takeovers import Sounding, Surroundings, Takeovers
from schedules.airing import Airing, Facts, Outage, Run, RunState, Silence, Verdict
from schedules.calendar import open_until
from schedules.clock import Clock, ClockState, Interval
from schedules.duty import DutyOutcome
from schedules.emergency import EmergencyOrder, EmergencyStop
from schedules.errors import IntentMissing, OutputError, SignatureInvalid
from schedules.grid import SlotId
from schedules.intent import Intent
from schedules.planner import plan
from schedules.reconcile import Action, Arm, Cut, Decide, Disarm, Settle, player_wanted, reconcile, stopped
from schedules.relaying import place_ends
from schedules.rundown import Rundown, RundownItem
from schedules.segment import SAMPLE_RATE_HZ
from schedules.standing import settle_duties
from schedules.text import Text
from schedules.verdicts import judge, not_aired

_log = structlog.get_logger()

TICK_S = 0.25
REPLAN_S = 60.0
ASK_S = 2.0
NEAR = timedelta(seconds=330)
CHECKPOINT_S = 0.5
ALIVE_S = 2.0
FADE_MS = 300
LISTEN = timedelta(seconds=8)
"""How long after an airing its row waits for what was heard of it."""

RELAY_BUFFER = SAMPLE_RATE_HZ * 2 // 5
"""Samples of a relay that are gathered before it sounds: a cushion for a busy machine."""

AHEAD = timedelta(hours=30)
OLDEST_DEBT = timedelta(days=31)
JUMP_S = 2.0
AS_PLANNED = timedelta(milliseconds=100)
"""What begins and ends so close to its plan gives no reason to plan anew at once."""
A_DAY_S = 86_400.0

_ANSWER_S = 3.0

_NO_KEYS = Text("Đài này không nhận lệnh khẩn cấp.", "This station takes no emergency orders.")
_BAD_SIGNATURE = Text("Lệnh không có chữ ký đúng, không phát.", "The order has no valid signature; it does not air.")
_NOT_MEANT = Text("Lệnh không dành cho đài này.", "The order is not for this station.")
_NO_ANSWER = Text("Máy phát không trả lời. Hãy thử lại.", "The station does not answer. Try again.")
_NOT_HERE = Text("Máy phát này chưa làm được việc này.", "This station cannot do that.")

_NO_OUTPUT = Text(
    "Trên máy phát này không có đầu ra nào cho cụm loa của mục này.",
    "No output of this machine belongs to the loudspeaker groups of this item.",
)


class Shelf(Protocol):
    """The recordings of what went out (audio.aircheck.AircheckShelf)."""

    def live_playlist(self) -> str | None:
        """Return what goes out now as an HLS playlist."""
        ...

    def playlist(self, start: datetime, end: datetime) -> str | None:
        """Return what went out in `[start, end)` as an HLS playlist."""
        ...

    def file(self, run: str, name: str) -> Path | None:
        """Return one file of a playlist."""
        ...


class Record(Protocol):
    """Where the station writes what happened (`Journal`); what it took is there after any power cut."""

    @property
    def boot(self) -> str:
        """The name of this boot of the machine."""
        ...

    def append(self, kind: str, body: dict[str, Any]) -> Row:
        """Add one row at the end of the chain and return it."""
        ...

    def rows(self, *, after: int = 0, kind: str | None = None, limit: int = -1) -> list[Row]:
        """Return rows with a larger number than `after`, in order; of one kind if given; -1 for no limit."""
        ...

    def set_checkpoint(self, name: str, body: object) -> None:
        """Overwrite the state kept under `name`; None removes it."""
        ...

    def checkpoints(self, prefix: str) -> dict[str, Any]:
        """Return the states kept under names that start so."""
        ...

    @property
    def troubles(self) -> Sequence[Trouble]:
        """What is wrong with it now."""
        ...


class Media(Protocol):
    """The audio that is on the station, by hash (audio.library.Library)."""

    def has(self, sha256: str) -> bool:
        """Return whether a file of that name is there; its bytes are not looked at."""
        ...

    def path(self, sha256: str) -> Path:
        """Return where the file with this hash lies or would lie."""
        ...


class Equip(Protocol):
    """Builds what a station has around its player."""

    def __call__(self, *, faults: FaultBook, append: Callable[[str, dict[str, Any]], None]) -> Equipment:
        """Return it, with nothing begun."""
        ...


class ProofMaking(Protocol):
    """Makes the proof file of an airing (playout.proofs.proofmaking.ProofMaker.make)."""

    def __call__(self, slot: SlotId, *, name: str, zone: str) -> bytes | None:
        """Return it, None where the slot has no row. name, zone: the station's own."""
        ...


class Confirm(Protocol):
    """Lets a person vouch for the clock (playout.systemclock.SystemClock.confirm)."""

    def __call__(self, *, by: str, shown: datetime) -> Text | None:
        """Return why it is not believed, None where it is."""
        ...


@dataclass(slots=True)
class StopOrder:
    """An order to be silent. done: it was obeyed. cut: something was cut by it."""

    by: str
    reason: str
    done: threading.Event = field(default_factory=threading.Event)
    cut: bool = False


@dataclass(frozen=True, slots=True)
class _Wake:
    pass


@dataclass(frozen=True, slots=True)
class _Ask:
    """Something to be done in the station's thread, told the time."""

    answer: Callable[[datetime], object]


class StationDaemon:
    """One station. `run` is its loop, for the supervisor; the rest is its door, safe from any thread.

    replan_s: how old a plan may become, seconds, if nothing happens. keys: what emergency orders are checked with.
    folder: where its named pipes lie. equip: builds what the station has around its player. on_step: told at each step.
    confirm: lets a person vouch for the clock; returns why not. why_started: told the last mark of life. spare: a
    second player process waits, for emergencies and crashes.
    """

    def __init__(
        self,
        *,
        code: str,
        outputs: tuple[OutputSpec, ...],
        clock: Clock,
        journal: Record,
        library: Media,
        shelf: Shelf,
        aircheck: Path,
        intent: Callable[[], Intent],
        make_player: PlayerMaker,
        on_row: Callable[[Row], None] = lambda row: None,
        replan_s: float = REPLAN_S,
        keys: OrderKeys | None = None,
        inputs: tuple[InputSpec, ...] = (),
        folder: Path | None = None,
        equip: Equip | None = None,
        on_step: Callable[[], None] = lambda: None,
        confirm: Confirm | None = None,
        make_proof: ProofMaking = lambda slot, *, name, zone: None,
        why_started: Callable[[Mapping[str, Any] | None], str] = lambda alive: "",
        spare: bool = False,
    ) -> None:
        self.code = code
        self._outputs = outputs
        self._clock = clock
        self._journal = journal
        self._library = library
        self._shelf = shelf
        self._aircheck = aircheck
        self._fetch_intent = intent
        self._on_row = on_row
        self._replan_s = replan_s
        self._inbox: queue.SimpleQueue[object] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._faults = FaultBook(clock=clock, write=lambda body: self._append("fault", dict(body)))
        self._player = PlayerKeeper(
            make_player=make_player,
            opening=self._opening,
            deliver=self._inbox.put,
            clock=clock,
            faults=self._faults,
            spare=spare,
        )
        self._watch = JournalWatch(journal, self._faults)
        self._make_proof = make_proof
        self._why_started = why_started
        self._keys = keys
        self._inputs = inputs
        self._folder = folder
        self._equipment = None if equip is None else equip(faults=self._faults, append=self._append)
        self._on_step = on_step
        self._confirm = confirm
        self._unpowered: dict[SlotId, dict[str, float]] = {}
        self._equipped_at: float | None = None
        self._heard: dict[SlotId, dict[str, list[Heard]]] = {}
        self._trust: ClockState | None = None
        self._zone_told: str | None = None
        self._muffled_at = float("-inf")
        self._poison = Poison()
        self._relays = RelayDesk()
        self._takeovers = Takeovers(
            station=code,
            outputs=outputs,
            clock=clock,
            player=self._player,
            append=self._append,
            checkpoint=journal.set_checkpoint,
            finish=lambda airing: self._finish(airing, self._clock.now()),
            settle=self._settle_beside,
            media=library.path,
            make_pipe=self._make_pipe,
            microphone=self._microphone,
            listen=self._listen_beside,
        )
        self._intent: Intent | None = None
        self._memory = Memory()
        self._runs: dict[SlotId, Run] = {}
        # What sounded beside the plan and is over: its row waits for what was heard.
        self._beside_ended: dict[SlotId, Run] = {}
        # Those of an earlier start, until they sound again: their times are not of the clock of now.
        self._former: set[SlotId] = set()
        self._silences: tuple[Silence, ...] = ()
        self._outages: tuple[Outage, ...] = ()
        self._untrusted_at: float | None = None
        self._off_since: datetime | None = None
        self._began_at = 0.0
        self._since: datetime | None = None
        self._debt_from: datetime | None = None
        self._rundown: Rundown | None = None
        self._near: Rundown | None = None
        self._plan_due = True
        self._sealing_due = False
        self._planned_at = float("-inf")
        self._neared_at = float("-inf")
        self._asked_at = float("-inf")
        self._checked_at = float("-inf")
        self._alive_at = float("-inf")
        self._let_go_at = float("-inf")
        self._offset: float | None = None
        self._up = False

    # The loop

    def run(self, stopping: threading.Event) -> None:
        """Be the station until `stopping` is set; a fresh start after a failure reads everything from the journal."""
        self.begin()
        try:
            while not stopping.is_set():
                self.step(TICK_S)
        finally:
            self.end()

    def begin(self) -> None:
        """Read from the journal what was, and note the start."""
        self._remember()
        self._up = True

    def step(self, wait_s: float) -> None:
        """Wait for news at most so long, and do whatever should be done now."""
        self._listen(wait_s)
        self._tick()
        self._on_step()

    def end(self) -> None:
        """Silence, and leave everything so that the next start finds it."""
        self._up = False
        # First what takes no time: an amplifier that does not answer holds up the rest for seconds.
        try:
            self._player.close()
            self._lose_player(self._clock.now())
            self._save_runs()
            self._note_alive(stopped=True)
        finally:
            if self._equipment is not None:
                self._equipment.close()

    def broken(self, error: Exception) -> None:
        """Note that the loop failed and will start again."""
        self._faults.note("daemon_broken", detail=type(error).__name__)

    def _listen(self, wait_s: float) -> None:
        try:
            message = self._inbox.get(timeout=wait_s) if wait_s > 0 else self._inbox.get_nowait()
        except queue.Empty:
            return
        # First, or what the player tells would be reckoned with two different clocks.
        self._notice_step()
        while message is not None:
            self._handle(message)
            try:
                message = self._inbox.get_nowait()
            except queue.Empty:
                message = None

    def _handle(self, message: object) -> None:
        match message:
            case PlayerEvent() if self._player.concerns(message):
                self._player_said(message.event)
            case PlayerExit() if self._player.concerns(message):
                if not self._player.recycled and self._takeovers.run is None:
                    self._blame()
                self._player.died(message.code)
                self._lose_player(self._clock.now())
            case PlayerEvent() | PlayerExit():
                self._player.of_spare(message)
            case StopOrder():
                self._stop_now(message)
            case _Wake():
                self._take_intent()
            case EmergencyOrder() | EmergencyStop():
                self._takeovers.order(message)
            case _Ask():
                message.answer(self._clock.now())

    def _tick(self) -> None:
        now, monotonic = self._clock.now(), self._clock.monotonic()
        self._watch.look()
        self._notice_step()
        trusted = self._watch_clock(now)
        if self._intent is None and monotonic - self._asked_at >= ASK_S:
            self._asked_at = monotonic
            self._take_intent()
        if self._intent is None:
            self._keep_player(now, wanted=False)
            self._step_beside(now)
            self._step_equipment(now, ())
            return
        if self._plan_due or monotonic - self._planned_at >= self._replan_s:
            self._plan(now, monotonic)
        if monotonic - self._neared_at >= REPLAN_S:
            self._draw_near(now, monotonic)
        rundown = self._near
        if rundown is None:
            return
        self._step_equipment(now, rundown.items)
        rundown = self._with_relays(rundown, now)
        # What sounds goes on, whatever the wall clock does: how long things last it does not decide.
        sounding = any(run.state is RunState.PLAYING for run in self._runs.values())
        self._keep_player(now, wanted=sounding or (trusted and player_wanted(rundown, self._facts(), now)))
        self._step_beside(now)
        # Nothing planned begins beside an emergency.
        ready = trusted and self._player.ready and not self._takeovers.emergency
        for action in reconcile(rundown, self._facts(), now, ready=ready):
            if trusted or self._may_be_done_at_any_time(action):
                self._do(action, now)
        if trusted and self._sealing_due and not self._plan_due:
            self._seal_duties(now)
        if monotonic - self._checked_at >= CHECKPOINT_S:
            self._checked_at = monotonic
            self._save_runs()
        if monotonic - self._alive_at >= ALIVE_S:
            self._alive_at = monotonic
            self._note_alive()
            self._player.rest_if_tired(self._runs.values())

    def _step_equipment(self, now: datetime, items: Sequence[RundownItem]) -> None:
        """Keep streams, amplifiers and sources as the next minutes need them."""
        if self._equipment is None:
            return
        if any(state != "ok" for state, _ in self._player.outputs.values()):
            self._muffled_at = self._clock.monotonic()
        self._note_power()
        beside = self._takeovers.run
        sounding = self._runs if beside is None else {**self._runs, beside.slot: beside}
        news = self._equipment.step(
            View(
                now=now,
                items=items,
                ahead=self._rundown.items if self._rundown is not None else (),
                runs=sounding,
                settled=self._memory.airings,
                sources=self._intent.sources if self._intent is not None else (),
                well=[name for name, (state, _) in self._player.outputs.items() if state == "ok"],
                microphone=self._takeovers.live_input,
                emergency=self._takeovers.emergency,
            )
        )
        for row in news.rows:
            self._append("evidence", dict(row))
        for heard in news.heard:
            if heard.slot in self._memory.airings or heard.slot.startswith(f"{self.code}/test/"):
                continue  # it has its row already, or never gets one
            self._heard.setdefault(heard.slot, {}).setdefault(heard.output, []).append(heard)
        self._plan_due = self._plan_due or news.replan

    def _note_power(self) -> None:
        """Count how long amplifiers had no power behind what sounds: nobody hears that."""
        monotonic = self._clock.monotonic()
        passed_s = 0.0 if self._equipped_at is None else monotonic - self._equipped_at
        self._equipped_at = monotonic
        off = [output for output in self._outputs if self._equipment and not self._equipment.has_power(output.name)]
        beside = self._takeovers.run
        for run in [*self._runs.values(), *([] if beside is None else [beside])]:
            if run.state is RunState.PLAYING and off:
                seconds = self._unpowered.setdefault(run.slot, {})
                for output in off:
                    seconds[output.name] = seconds.get(output.name, 0.0) + passed_s

    def _with_relays(self, rundown: Rundown, now: datetime) -> Rundown:
        """Return the plan with what airs in the places of relays that cannot be heard; those fall silent first."""
        if self._intent is None or all(item.relay is None for item in rundown.items):
            return rundown
        if self._equipment is None:
            self._relays.down = frozenset(item.relay for item in rundown.items if item.relay is not None)
            return rundown
        self._relays.step(
            rundown.items,
            runs=self._runs,
            settled=self._memory.airings,
            intent=self._intent,
            facts=self._facts_with_media,
            state_of=self._equipment.relay_state,
            now=now,
        )
        for slot, run in list(self._runs.items()):
            if run.item.relay not in self._relays.down:
                continue
            if run.state is RunState.ARMED:
                self._take_back(slot)
            elif run.state is RunState.PLAYING:
                self._player.send({"do": "stop", "airing": self._player.airing_of(slot), "fade_ms": FADE_MS})
        return replace(rundown, items=(*rundown.items, *self._relays.fillers))

    def _keep_player(self, now: datetime, *, wanted: bool) -> None:
        if self._player.keep(wanted=wanted or self._takeovers.wants_player):
            self._lose_player(now)

    def _step_beside(self, now: datetime) -> None:
        """Let sound what is ordered beside the plan, and note whose time an emergency took."""
        for run in list(self._beside_ended.values()):
            self._settle_beside(run)
        taken = self._takeovers.outage(now)
        self._takeovers.step(now, next_at=self._next_at(now), clear=self._clear_for_emergency)
        if taken is not None and self._takeovers.outage(now) is None:
            self._outages = (*self._outages, taken)
            self._plan_due = True

    def _clear_for_emergency(self) -> None:
        for slot, run in list(self._runs.items()):
            if run.state is RunState.ARMED:
                self._take_back(slot)

    def _next_at(self, now: datetime) -> datetime | None:
        """Return when the next planned item begins."""
        item = glance.next_item(self._rundown, self._memory.airings, self._runs, now)
        return item.due if item is not None else None

    def _may_be_done_at_any_time(self, action: Action) -> bool:
        """Return whether an action holds whatever the time is; that a slot was missed is said when time is known."""
        match action:
            case Decide(verdict=verdict):
                return verdict is Verdict.CANCELLED
            case Settle(slot):
                return self._runs[slot].state is RunState.ENDED
            case Cut():
                return False
        return True

    # Memory: what the journal tells after a start

    def _remember(self) -> None:
        now = self._clock.now()
        rows = self._journal.rows()
        alive = self._journal.checkpoints("alive").get("alive")
        self._memory, self._runs, self._beside_ended = Memory(), {}, {}
        self._faults.forget()
        self._watch.forget()
        self._began_at = self._clock.monotonic()
        self._untrusted_at = None
        self._player.drop()
        # Only what was written under a trusted clock tells when things were: another clock may have shown any year.
        known = [row.at for row in rows if row.clock == "trusted"]
        if alive is not None and alive["trusted"]:
            known.append(datetime.fromisoformat(alive["time"]))
        newest = max(known, default=now)
        for row in rows:
            if row.kind == "verdict":
                self._memory.keep(load(Airing, row.body), newest)
            elif row.kind == "duty":
                self._memory.keep_outcome(load(DutyOutcome, row.body), newest)
        self._silences = tuple(
            load(Silence, silence)
            for row in rows
            if row.kind == "stop" and newest - row.at < timedelta(hours=26)
            for silence in row.body["silences"]
        )
        day_ago = newest - timedelta(hours=96)
        self._takeovers.restore(
            [
                row.body
                for row in rows
                # What this boot wrote is not older than it, whatever year its clock showed.
                if row.kind == "alert" and (row.at > day_ago or row.boot == self._journal.boot)
            ],
            self._journal.checkpoints("alert/"),
            {*self._memory.airings, *(name.removeprefix("run/") for name in self._journal.checkpoints("run/"))},
        )
        self._since = min(known, default=None)
        self._debt_from = None if self._since is None else max(self._since, newest - timedelta(hours=2))
        self._off_since = newest if known else None
        self._outages = ()
        for body in self._journal.checkpoints("run/").values():
            run = load(Run, body)
            if run.slot in self._memory.airings:
                self._journal.set_checkpoint(f"run/{run.slot}", None)
            elif run.slot.startswith((f"{self.code}/emergency/", f"{self.code}/live/")):
                self._beside_ended[run.slot] = run
            elif run.state is RunState.PLAYING:
                self._runs[run.slot] = runs.interrupted(run, run.position_at or run.start_at)
            elif run.state is not RunState.ARMED or run.parts:
                self._runs[run.slot] = replace(
                    run, state=RunState.INTERRUPTED if run.state is RunState.ARMED else run.state
                )
        self._former = set(self._runs)
        trusted = self._clock.state().trusted
        if self._since is None and trusted:
            self._since = self._debt_from = now
        gap_s = (now - newest).total_seconds() if known and trusted else 0.0
        boot = {"gap_s": round(gap_s, 3), "outputs": [dump(output) for output in self._outputs]}
        self._append("boot", {**boot, "why": self._why_started(alive)})
        self._takeovers.restore_talks(self._journal.checkpoints("live/"), {*self._memory.airings, *self._beside_ended})
        if self._equipment is not None:
            self._equipment.recall(
                [row.body for row in rows if row.kind == "verdict"][-50:],
                [row.body for row in rows if row.kind == "evidence"][-200:],
            )
            self._equipment.hold_amplifiers(held_off_until(self._journal.rows(after=max(0, len(rows) - 500))))
        self._plan_due = True

    def _recall(self, intent: Intent, now: datetime) -> None:
        """Read again what longer duties need, once they are known, and let go once a day what nothing needs."""
        if self._memory.expect(intent.duties):
            self._memory.recall((load(Airing, row.body) for row in self._journal.rows(kind="verdict")), now)
        if self._clock.monotonic() - self._let_go_at >= A_DAY_S:
            self._let_go_at = self._clock.monotonic()
            self._memory.let_go(now)

    def _facts_with_media(self) -> Facts:
        media = self._media(self._intent) if self._intent is not None else None
        return replace(self._facts(), media=media)

    def _facts(self) -> Facts:
        return Facts(
            station=self.code,
            airings=tuple(self._memory.airings.values()),
            aired=self._memory.aired,
            runs=tuple(self._runs.values()),
            since=self._since,
            silences=self._silences,
            outages=self._current_outages(),
            media=None,
            duties=tuple(self._memory.outcomes.values()),
            relays_down=self._relays.down,
        )

    def _current_outages(self) -> tuple[Outage, ...]:
        now = self._clock.now()
        silent = [known for known in self._faults.open if known.code.startswith(("output_", "player_down"))]
        lasting = [(known.since, known.message) for known in silent]
        # Pages ask too: what is None now may not be in a moment, and the other way round.
        if (untrusted_at := self._untrusted_at) is not None:
            lasting.insert(0, (self._ago(untrusted_at), fault("clock_untrusted")))
        taken = self._takeovers.outage(now)
        before = self._outages if taken is None else (*self._outages, taken)
        return (*before, *(Outage(during=Interval(s, max(now, s)), reason=why) for s, why in lasting))

    # Plan and actions

    def _take_intent(self) -> None:
        try:
            intent = self._fetch_intent()
        except (SignatureInvalid, IntentMissing) as error:
            code = "intent_refused" if isinstance(error, SignatureInvalid) else "intent_missing"
            self._faults.begin(code, fault(code), str(error))
            return
        self._faults.end("intent_refused")
        self._faults.end("intent_missing")
        if self._intent is None or intent.revision >= self._intent.revision:
            if self._intent is None or intent.revision != self._intent.revision:
                self._append("intent", {"revision": intent.revision})
            self._intent = intent
            self._look_at_zone(intent, self._clock.now())
            self._plan_due = True

    def _look_at_zone(self, intent: Intent, now: datetime) -> None:
        """Tell once where the machine's own time zone would mislead whoever reads its clock."""
        there = zone_mismatch(intent.station(self.code).zone, now)
        if there is not None and self._equipment is not None and there != self._zone_told:
            self._faults.note("zone_mismatch", detail=there)
        self._zone_told = there

    def _plan(self, now: datetime, monotonic: float) -> None:
        if self._intent is None:
            return
        self._plan_due = False
        self._planned_at = monotonic
        if self._untrusted_at is None:
            self._recall(self._intent, now)
        start = max(min(now - timedelta(hours=2), self._debt_from or now), now - OLDEST_DEBT)
        facts = replace(self._facts(), media=self._media(self._intent))
        rundown = plan(self._intent, facts, now, Interval(start, now + AHEAD), thorough=False)
        with self._lock:
            self._rundown = rundown
        self._sealing_due = True
        self._draw_near(now, monotonic)
        if self._untrusted_at is None and self._debt_from is not None:
            self._debt_from = max(self._debt_from, now - timedelta(hours=2))

    def _seal_duties(self, now: datetime) -> None:
        """Write once for good how each duty ended whose deadline has passed; after the rows that decide it."""
        self._sealing_due = False
        if self._intent is None or self._rundown is None:
            return
        for outcome in settle_duties(self._intent, self._facts(), self._rundown, now):
            if (outcome.duty, outcome.period) not in self._memory.outcomes:
                self._append("duty", dump(outcome))
                self._memory.keep_outcome(outcome, now)
                self._plan_due = True

    def _draw_near(self, now: datetime, monotonic: float) -> None:
        """Keep of the plan what reconcile has to look at until it is drawn again."""
        rundown = self._rundown
        if rundown is None:
            return
        self._neared_at = monotonic
        near = [
            i
            for i in rundown.items
            if i.slot in self._runs or (i.slot not in self._memory.airings and i.start <= now + NEAR)
        ]
        self._near = replace(rundown, items=tuple(near))

    def _media(self, intent: Intent) -> frozenset[str]:
        """Return the audio that may be planned: what is there, whole, and does not bring the player down."""
        there = frozenset(s.sha256 for s in intent.segments if self._library.has(s.sha256))
        damaged = self._equipment.damaged if self._equipment is not None else frozenset()
        return there - damaged - self._poison.files

    def _do(self, action: Action, now: datetime) -> None:
        match action:
            case Arm():
                self._arm(action)
            case Disarm(slot):
                self._take_back(slot)
            case Cut(slot, reason, silent_at):
                self._cut(self._runs[slot], reason, silent_at)
            case Settle(slot, reason, by):
                run = self._runs[slot]
                run = replace(run, reason=run.reason or reason, by=run.by or by)
                if not self._still_listening(run, now):
                    heard = without_power(shares(self._heard.pop(slot, {})), self._unpowered.pop(slot, {}), run.counted)
                    if self._muffled_since(run):
                        heard = found_or_whole(heard, run)
                    self._finish(judge(run, self._required(run.item), now, heard=heard), now)
            case Decide(item, verdict, reason, by):
                self._finish(not_aired(item, verdict, reason, self._required(item), now, by), now)

    def _settle_beside(self, run: Run) -> None:
        """Write the row of what sounded beside the plan, once it is known what was heard of it."""
        if run.slot not in self._beside_ended:
            self._beside_ended[run.slot] = run
            self._save_run(run)
        now = self._clock.now()
        if not self._still_listening(run, now):
            del self._beside_ended[run.slot]
            unpowered = self._unpowered.pop(run.slot, {})
            heard = without_power(shares(self._heard.pop(run.slot, {})), unpowered, run.counted)
            self._finish(judge(run, self._required(run.item), now, heard=heard), now)

    def _still_listening(self, run: Run, now: datetime) -> bool:
        """Return whether an ear has yet to say what it heard of an airing that ended; it is waited for some seconds."""
        if self._equipment is None or not run.parts or run.ended_at is None:
            return False
        # Either way: the wall clock may have been set since.
        if abs(now - run.ended_at) > LISTEN:
            return False
        told = self._heard.get(run.slot, {})
        return any(
            len(told.get(name, ())) < len(run.parts) and self._equipment.listens_to(name)
            for name, _ in self._required(run.item)
            if run.counted.get(name)
        )

    def _take_back(self, slot: SlotId) -> None:
        self._player.take_back(slot)
        run = self._runs.pop(slot)
        if run.parts:
            self._runs[slot] = replace(run, state=RunState.INTERRUPTED)
        else:
            self._journal.set_checkpoint(f"run/{slot}", None)
        self._plan_due = True

    def _cut(self, run: Run, reason: Text, silent_at: datetime) -> None:
        if run.state is RunState.INTERRUPTED:
            self._runs[run.slot] = replace(run, state=RunState.ENDED, reason=reason)
        elif run.reason is None:
            self._runs[run.slot] = replace(run, reason=reason)
            self._player.send(
                {
                    "do": "stop",
                    "airing": self._player.airing_of(run.slot),
                    "fade_ms": FADE_MS,
                    "silent_ns": self._to_monotonic_ns(silent_at),
                }
            )

    def _required(self, item: RundownItem) -> tuple[tuple[str, str], ...]:
        """Return name and kind of the outputs that must play the item; all of them where it is meant for none."""
        own = [output for output in self._outputs if output.hears(item)] or self._outputs
        return tuple((output.name, output.kind) for output in own)

    def _arm(self, action: Arm) -> None:
        item = action.item
        if item.relay is not None:
            length = place_ends(item) - item.due
            item = replace(item, samples=round(length.total_seconds() * SAMPLE_RATE_HZ))
            action = replace(action, item=item)
        elif item.sha256 is None:
            return
        own = [output.name for output in self._outputs if output.hears(item)]
        if not own:
            now = self._clock.now()
            if now >= item.start:
                self._finish(not_aired(item, Verdict.MISSED, _NO_OUTPUT, self._required(item), now), now)
            return
        self._takeovers.make_room(action.start, self._clock.now())
        airing = self._player.new_airing(item.slot)
        joined = None if action.joins is None else self._player.airing_of(action.joins)
        self._runs[item.slot] = runs.armed(action, self._runs.get(item.slot))
        self._player.send(
            {
                "do": "arm",
                "airing": airing,
                **self._sound_of(item),
                "samples": item.samples,
                "from_sample": action.first,
                "start_ns": self._to_monotonic_ns(action.start),
                "after": joined,
                "outputs": None if len(own) == len(self._outputs) else own,
            }
        )

    def _sound_of(self, item: RundownItem) -> Mapping[str, Any]:
        """Return where the player gets an item from: the approved file, or the pipe of a relay."""
        if item.sha256 is not None:
            path = str(self._library.path(item.sha256))
            return {"path": path, "sha256": item.sha256, "pcm_sha256": item.pcm_sha256}
        pipe = self._equipment.relay_pipe(item.relay) if self._equipment is not None and item.relay else None
        piece = PipePiece(pipe=pipe or Path("/nowhere"), samples=item.samples, buffer=RELAY_BUFFER)
        return {"pieces": [piece.as_json()]}

    def _finish(self, airing: Airing, now: datetime) -> None:
        self._append("verdict", dump(airing))
        self._memory.keep(airing, now)
        self._runs.pop(airing.slot, None)
        self._journal.set_checkpoint(f"run/{airing.slot}", None)
        if self._equipment is not None:
            self._equipment.settled(airing)
        as_planned = (
            airing.verdict is Verdict.AIRED
            and airing.ended_at is not None
            and abs(airing.ended_at - airing.planned_end) <= AS_PLANNED
        )
        self._plan_due = self._plan_due or not as_planned

    # Player

    def _opening(self) -> Mapping[str, Any]:
        return {
            "do": "open",
            "station": self.code,
            "outputs": [{**output.for_player(), **self._beside(output)} for output in self._outputs],
            "aircheck": {"folder": str(self._aircheck)},
            "wall_offset_ns": round((self._clock.now().timestamp() - self._clock.monotonic()) * 1e9),
        }

    def _beside(self, output: OutputSpec) -> Mapping[str, Any]:
        return self._equipment.opening(output) if self._equipment is not None else {}

    def _blame(self) -> None:
        """Count a death against the file that the player had in hand; one that kills it three times is left out."""
        poisoned = self._poison.died(self._runs.values(), self._clock.now(), self._clock.monotonic())
        if poisoned is None:
            return
        self._faults.note("item_poison", slot=poisoned.slot, sha256=poisoned.item.sha256 or "")
        self._plan_due = True
        if poisoned.parts or poisoned.state is RunState.PLAYING:
            over = runs.interrupted(poisoned, self._clock.now()) if poisoned.state is RunState.PLAYING else poisoned
            self._runs[poisoned.slot] = replace(over, state=RunState.ENDED, cause="poison", reason=fault("item_poison"))

    def _lose_player(self, now: datetime) -> None:
        self._takeovers.lost(now)
        self._lose_runs(now)

    def _lose_runs(self, now: datetime) -> None:
        # What is on air keeps its place in the plan though it was withdrawn meanwhile; what is interrupted does not.
        self._plan_due = self._plan_due or bool(self._runs)
        ended_ns = round(self._clock.monotonic() * 1e9)
        for slot, run in list(self._runs.items()):
            if run.state is RunState.PLAYING:
                self._runs[slot] = runs.interrupted(run, now)
                if self._equipment is not None and (airing := self._player.lost_airing_of(slot)) is not None:
                    self._equipment.ended(airing, ended_ns=ended_ns)
            elif run.state is RunState.ARMED:
                if run.parts:
                    self._runs[slot] = replace(run, state=RunState.INTERRUPTED)
                else:
                    del self._runs[slot]
                    self._journal.set_checkpoint(f"run/{slot}", None)

    def _player_said(self, event: dict[str, Any]) -> None:
        player = self._player
        player.heard()
        match event["event"]:
            case "ready":
                player.ready = True
            case "level":
                player.rms_dbfs, player.peak_dbfs = event["rms_dbfs"], event["peak_dbfs"]
            case "output":
                self._output_changed(event["name"], event["state"], event.get("detail", ""))
            case "started" | "progress" | "ended" | "refused" if self._takeovers.knows(event["airing"]):
                self._takeovers.heard(event, self._clock.now(), self._to_wall)
            case "started" | "progress" | "ended" | "refused":
                self._airing_changed(event)

    def _airing_changed(self, event: dict[str, Any]) -> None:
        slot = self._player.slot_of(event["airing"])
        run = self._runs.get(slot) if slot is not None else None
        if slot is None or run is None:
            return
        now = self._clock.now()
        match event["event"]:
            case "started":
                at = self._to_wall(event["monotonic_ns"])
                run = self._runs[slot] = runs.started(run, at)
                self._former.discard(slot)
                self._hear(event["airing"], run, event.get("due_ns", event["monotonic_ns"]))
                # Before its row: after a crash between the two it has begun, and does not begin again.
                self._save_run(run)
                self._append(
                    "start",
                    {
                        "slot": slot,
                        "segment": run.item.segment,
                        "sha256": run.item.sha256,
                        "planned_start": run.item.start.isoformat(),
                        "started_at": at.isoformat(),
                        "first": run.part_first,
                        "drift_s": self._clock.state().drift_s,
                    },
                )
                # What goes as planned leaves the plan as it is.
                self._plan_due = self._plan_due or not self._as_planned(run, at)
            case "progress":
                run = runs.progressed(run, event["outputs"], now, handed=event["position"])
            case "ended":
                run = self._part_ended(run, event)
                if self._equipment is not None:
                    self._equipment.ended(event["airing"], ended_ns=event["ended_ns"])
                    # What a muted or missing output did not play is not the machine's slowness.
                    if not self._muffled_since(run) and self._equipment.heard_holes(_holes_s(event)):
                        self._player.recycle("underruns")
            case "refused":
                self._faults.note("media_refused", slot=slot, why=event["code"])
                run = runs.refused(run, fault("media_refused"), now)
        self._runs[slot] = run
        if event["event"] != "progress":
            self._save_run(run)

    def _muffled_since(self, run: Run) -> bool:
        """Return whether an output was not good at any moment of the part that just ended."""
        return self._muffled_at >= self._to_monotonic_ns(run.start_at) / 1e9

    def _hear(self, airing: str, run: Run, start_ns: int) -> None:
        """Let the ears know what should be heard from now on."""
        if self._equipment is None:
            return
        item = run.item
        pieces: tuple[Piece, ...] = (PipePiece(pipe=Path("/nowhere"), samples=item.samples),)
        if item.sha256 is not None:
            pieces = (FilePiece(path=self._library.path(item.sha256), sha256=item.sha256, samples=item.samples),)
        own = [output.name for output in self._outputs if output.hears(item)]
        self._equipment.began(
            airing=airing,
            slot=item.slot,
            pieces=pieces,
            outputs=None if len(own) == len(self._outputs) else frozenset(own),
            from_sample=run.part_first,
            start_ns=start_ns,
        )

    def _listen_beside(self, turn: Sounding | None, airing: str, instant_ns: int) -> None:
        """Let the ears know what sounds beside the plan, or that it is over."""
        if self._equipment is None:
            return
        if turn is None:
            self._equipment.ended(airing, ended_ns=instant_ns)
            return
        self._equipment.began(
            airing=airing,
            slot=turn.slot,
            pieces=turn.pieces,
            outputs=turn.outputs,
            from_sample=0,
            start_ns=instant_ns,
        )

    def _as_planned(self, run: Run, at: datetime) -> bool:
        """Return whether a first part began when the plan of now has it: then what follows is where it should be."""
        planned = self._rundown.item(run.slot) if self._rundown is not None else None
        return not run.parts and planned is not None and abs(at - planned.due) <= AS_PLANNED

    def _part_ended(self, run: Run, event: dict[str, Any]) -> Run:
        outputs = event["outputs"]
        run = runs.progressed(run, {name: output["samples"] for name, output in outputs.items()}, self._clock.now())
        starts = [output["first_ns"] for output in outputs.values() if output["first_ns"] is not None]
        if run.started_at is None and starts:
            run = runs.started(run, self._to_wall(min(starts)))
            run = runs.progressed(run, {n: o["samples"] for n, o in outputs.items()}, self._clock.now())
        over = runs.ended(
            run,
            cause=event["cause"],
            next_sample=event["next"],
            holes_s=_holes_s(event),
            exact=event["handed_sha256"] is not None and event["handed_sha256"] == run.item.pcm_sha256,
            at=self._to_wall(event["ended_ns"]),
        )
        gave_way = run.item.relay is not None and event["cause"] == "stopped" and run.reason is None
        # Its source may come back while its place lasts.
        return replace(over, state=RunState.INTERRUPTED) if gave_way else over

    def _output_changed(self, name: str, state: str, detail: str) -> None:
        self._player.outputs[name] = (state, detail)
        code = f"output_{name}"
        if state == "ok":
            for known in self._faults.open:
                if known.code == code:
                    during = Interval(known.since, max(self._clock.now(), known.since))
                    self._outages = (*self._outages, Outage(during=during, reason=known.message))
            self._faults.end(code)
        elif state != "opening":
            self._faults.begin(code, output_fault(state, name), detail or state)

    # Orders from people

    def _stop_now(self, order: StopOrder) -> None:
        now = self._clock.now()
        reason = stopped(order.by, order.reason)
        known = {silence.session for silence in self._silences}
        stopping: list[str] = []
        for slot, run in list(self._runs.items()):
            if run.state is RunState.ARMED and not run.parts:
                # The player forgets it too; what is not part of the session is handed over anew.
                del self._runs[slot]
                stopping += [run.item.session] if run.item.session is not None else []
            elif run.state is not RunState.ENDED:
                if run.by is None:
                    run = replace(run, reason=reason, by=order.by)
                self._runs[slot] = run if run.state is RunState.PLAYING else replace(run, state=RunState.ENDED)
                stopping.append(run.item.session or slot)
                order.cut = True
        rundown = self._rundown
        for item in rundown.items if rundown is not None else ():
            if item.session is not None and item.session_end is not None and item.slot not in self._memory.airings:
                stopping += [item.session] if item.start <= now < item.session_end else []
        silences = [
            Silence(session=session, by=order.by, reason=order.reason)
            for session in dict.fromkeys(stopping)
            if session not in known
        ]
        beside = self._takeovers.stop_all(order.by, order.reason, now)
        order.cut = order.cut or bool(silences) or beside
        self._player.send({"do": "stop", "airing": None, "fade_ms": FADE_MS})
        self._silences = (*self._silences, *silences)
        body = {"by": order.by, "reason": order.reason, "silences": [dump(silence) for silence in silences]}
        self._append("stop", body)
        self._plan_due = True
        order.done.set()

    def _ask(self, question: Callable[[datetime], Receipt]) -> Receipt:
        """Let the loop answer, from any thread."""
        answers: queue.SimpleQueue[Receipt] = queue.SimpleQueue()
        given_up = threading.Event()

        def answer(now: datetime) -> None:
            # Nothing begins behind the back of somebody who was told to try again.
            if not given_up.is_set():
                answers.put(question(now))

        self._inbox.put(_Ask(answer))
        try:
            return answers.get(timeout=_ANSWER_S)
        except queue.Empty:
            given_up.set()
            return Receipt(taken=False, why=_NO_ANSWER)

    def _around(self, now: datetime) -> Surroundings:
        near = self._near.items if self._near is not None else ()
        intent = self._intent
        known = intent is not None and self._clock.state().trusted
        station = intent.station(self.code) if intent is not None and known else None
        until = open_until(station, now) if station is not None else now
        return Surroundings(
            permitted=until is None or until > now,
            open_until=until,
            next_at=self._next_at(now),
            busy=glance.under_way((*near, *self._relays.fillers), self._memory.airings, self._runs, now),
        )

    def _microphone(self, name: str) -> Path:
        if self._equipment is None:
            return self._make_pipe(f"input-{name}")
        return self._equipment.microphone_pipe(name)

    def _make_pipe(self, name: str) -> Path:
        if self._folder is None:
            raise OutputError("this station has no folder for pipes")
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._folder / f"{name}.pcm"
        path.unlink(missing_ok=True)
        os.mkfifo(path, 0o600)
        return path

    # Clock

    def _notice_step(self) -> None:
        now = self._clock.now()
        offset = now.timestamp() - self._clock.monotonic()
        if self._offset is not None and abs(offset - self._offset) > JUMP_S:
            step_s = round(offset - self._offset, 3)
            self._faults.note("clock_step", step_s=step_s)
            self._takeovers.shift(timedelta(seconds=step_s))
            for slot, run in list(self._runs.items()):
                if slot not in self._former:
                    self._runs[slot] = runs.shifted(run, timedelta(seconds=step_s))
                if run.state is RunState.ARMED:
                    self._do(Disarm(slot), now)
            self._plan_due = True
        self._offset = offset

    def _watch_clock(self, now: datetime) -> bool:
        state = self._clock.state()
        changed = trust_row(self._trust, state)
        self._trust = state
        if changed is not None:
            self._append("clock", dict(changed))
        if state.trusted:
            self._faults.end("clock_untrusted")
            self._reckon_up(now)
        elif self._untrusted_at is None:
            self._untrusted_at = self._clock.monotonic()
            self._faults.begin("clock_untrusted", fault("clock_untrusted"), state.reason.en)
        return state.trusted

    def _reckon_up(self, now: datetime) -> None:
        """Note, once the time is known, since when the station was off and how long it did not know the time."""
        if self._since is None:
            self._since = self._debt_from = now
        if self._off_since is not None:
            back = max(self._off_since, self._ago(self._began_at))
            why = Text(
                "Máy phát tắt, mất điện hoặc khởi động lại.", "The station was off, without power, or restarting."
            )
            self._outages = (*self._outages, Outage(during=Interval(self._off_since, back), reason=why))
            self._off_since = None
            self._plan_due = True
        if self._untrusted_at is not None:
            during = Interval(min(self._ago(self._untrusted_at), now), now)
            self._outages = (*self._outages, Outage(during=during, reason=fault("clock_untrusted")))
            self._untrusted_at = None
            self._plan_due = True

    def _ago(self, monotonic: float) -> datetime:
        """Return when a moment of this boot was, by the wall clock of now."""
        return self._clock.now() - timedelta(seconds=self._clock.monotonic() - monotonic)

    def _to_wall(self, monotonic_ns: int) -> datetime:
        return self._clock.now() + timedelta(seconds=monotonic_ns / 1e9 - self._clock.monotonic())

    def _to_monotonic_ns(self, moment: datetime) -> int:
        ahead = (moment - self._clock.now()).total_seconds()
        return round((self._clock.monotonic() + ahead) * 1e9)

    # Journal

    def _append(self, kind: str, body: dict[str, Any]) -> None:
        self._on_row(self._journal.append(kind, body))

    def _save_runs(self) -> None:
        for run in self._runs.values():
            if run.state is not RunState.ARMED or run.parts:
                self._save_run(run)

    def _save_run(self, run: Run) -> None:
        self._journal.set_checkpoint(f"run/{run.slot}", dump(run))

    def _note_alive(self, *, stopped: bool = False) -> None:
        if not self._clock.state().trusted:
            return  # the mark tells when things were: the last one that can be believed stays
        body = {
            "time": self._clock.now().isoformat(),
            "offset_s": self._clock.now().timestamp() - self._clock.monotonic(),
            "trusted": True,
            "boot": self._journal.boot,
            "stopped": stopped,
        }
        self._journal.set_checkpoint("alive", body)

    # The door

    @property
    def rundown(self) -> Rundown | None:
        """The plan that is obeyed now; None before the first one."""
        with self._lock:
            return self._rundown

    @property
    def runs(self) -> tuple[Run, ...]:
        """The airings under way."""
        return tuple(self._runs.values())

    def status(self) -> StationStatus:
        """Return the station as it is now."""
        now = self._clock.now()
        with self._lock:
            rundown = self._rundown
        runs = dict(self._runs)
        beside = self._takeovers.run
        on_air = glance.on_air([*runs.values(), *([beside] if beside is not None else [])], now)
        faults = self._faults.open
        clock = self._clock.state()
        player = self._player
        return StationStatus(
            code=self.code,
            state=glance.state(
                up=self._up,
                trusted=clock.trusted,
                faulty=bool(faults),
                on_air=on_air is not None,
                player=player.present,
                emergency=self._takeovers.emergency,
                live=self._takeovers.live is not None,
            ),
            clock=clock,
            contact_at=now,
            on_air=on_air,
            next=glance.next_item(rundown, self._memory.airings, runs, now),
            outputs=tuple(self._output_status(output) for output in self._outputs),
            faults=faults,
            level_dbfs=player.rms_dbfs,
            peak_dbfs=player.peak_dbfs,
            rehearsal=all(output.kind == "virtual" for output in self._outputs),
            revision=self._intent.revision if self._intent is not None else 0,
            alerts=self._takeovers.alerts,
            live=self._takeovers.live,
            inputs=tuple(one.name for one in self._inputs),
            ahead=rundown.items if rundown is not None else (),
            duties=rundown.duties if rundown is not None else (),
        )

    def _output_status(self, output: OutputSpec) -> OutputStatus:
        state, detail = self._player.outputs.get(output.name, ("idle", ""))
        amplifier = self._equipment.amplifier_state(output.name) if self._equipment is not None else None
        ear = self._equipment.ear_state(output.name) if self._equipment is not None else None
        return OutputStatus(
            name=output.name,
            kind=output.kind,
            device=output.device,
            state=state,
            detail=detail,
            amplifier=amplifier,
            ear=ear,
        )

    def plan(self, start: datetime, end: datetime) -> Rundown:
        """Return the station's own plan of `[start, end)` with the facts of this moment."""
        now = self._clock.now()
        intent = self._intent
        if intent is None:
            return Rundown(station=self.code, revision=0, planned_at=now, items=(), findings=(), duties=())
        facts = replace(self._facts(), media=self._media(intent))
        return plan(intent, facts, now, Interval(start, end))

    def wake(self) -> None:
        """Tell the station that there is new intent."""
        self._inbox.put(_Wake())

    def stop(self, *, by: str, reason: str) -> bool:
        """Silence now; True where something was cut."""
        order = self.order_stop(by=by, reason=reason)
        order.done.wait(3.0)
        return order.cut

    def order_stop(self, *, by: str, reason: str) -> StopOrder:
        """Ask for silence without waiting for it."""
        order = StopOrder(by=by, reason=reason)
        self._inbox.put(order)
        return order

    def emergency(self, document: bytes) -> Receipt:
        """Take a signed order or stop; the loop obeys it at once."""
        if self._keys is None:
            return Receipt(taken=False, why=_NO_KEYS)
        try:
            order = unseal_order(document, self._keys)
        except SignatureInvalid:
            self._inbox.put(_Ask(lambda now: self._faults.note("order_refused")))
            return Receipt(taken=False, why=_BAD_SIGNATURE)
        if self.code not in order.stations:
            return Receipt(taken=False, why=_NOT_MEANT)
        self._inbox.put(order)
        return Receipt(taken=True)

    def go_live(self, order: LiveOrder) -> Receipt:
        """Open the station for a live talk."""
        if order.input is not None and all(one.name != order.input for one in self._inputs):
            why = Text(f"Máy không có micro “{order.input}”.", f"This machine has no input “{order.input}”.")
            return Receipt(taken=False, why=why)
        return self._ask(lambda now: self._takeovers.go_live(order, self._around(now), now))

    def live_audio(self, live: str, pcm: bytes) -> bool:
        """Put sound of a live talk into its pipe; what does not fit is lost, as time goes on."""
        pipe = self._takeovers.pipe_of(live)
        if pipe is None:
            return False
        try:
            # For reading too: a pipe that nobody reads yet could not be opened.
            descriptor = os.open(pipe, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return False  # over since it was looked for
        try:
            with contextlib.suppress(BlockingIOError):
                os.write(descriptor, pcm[: len(pcm) - len(pcm) % 2])
        finally:
            os.close(descriptor)
        return True

    def end_live(self, live: str, *, by: str) -> bool:
        """End a live talk."""
        ended: list[bool] = []

        def end(now: datetime) -> Receipt:
            ended.append(self._takeovers.end_live(live, by))
            return Receipt(taken=True)

        self._ask(end)
        return any(ended)

    def test_output(self, output: str, *, by: str) -> Receipt:
        """Sound chime and test tone on one output."""
        return self._ask(lambda now: self._takeovers.test(output, by, self._around(now), now))

    def confirm_time(self, *, by: str, shown: datetime) -> Receipt:
        """Believe the clock until the next start, because a named person looked at it."""
        if self._confirm is None:
            return Receipt(taken=False, why=_NOT_HERE)
        confirm = self._confirm

        def confirmed(now: datetime) -> Receipt:
            why_not = confirm(by=by, shown=shown)
            if why_not is None:
                self._append("clock", {"state": "confirmed", "by": by, "shown": shown.isoformat()})
            return Receipt(taken=why_not is None, why=why_not)

        return self._ask(confirmed)

    def proof(self, slot: str) -> bytes | None:
        """Return the proof file of an airing; made in the thread that asks."""
        intent = self._intent
        if intent is None:
            return None
        station = intent.station(self.code)
        return self._make_proof(slot, name=station.name, zone=station.zone)

    def live_playlist(self) -> str | None:
        """Return the HLS playlist of what goes out now, None where nothing does."""
        return self._shelf.live_playlist()

    def aircheck_playlist(self, start: datetime, end: datetime) -> str | None:
        """Return an HLS playlist of what went out in `[start, end)`, None where no recording is kept."""
        return self._shelf.playlist(start, end)

    def aircheck_file(self, run: str, name: str) -> Path | None:
        """Return one file of an aircheck playlist."""
        return self._shelf.file(run, name)


def _holes_s(event: Mapping[str, Any]) -> float:
    """Return the seconds of silence inside a part, as the bus or the worst output told them."""
    of_outputs = [output.get("holes", []) for output in event["outputs"].values()]
    return float(max(sum(hole["seconds"] for hole in holes) for holes in [event["holes"], *of_outputs]))
