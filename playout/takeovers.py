"""What sounds beside the plan: emergencies over everything, and live talks and tests of outputs where nothing airs."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from link.codec import dump, load
from link.door import LiveOrder, LiveStatus, Receipt
from playout import runs
from playout.player.pieces import FilePiece, Piece, PipePiece, SilencePiece, Tone, TonePiece, length
from playout.specs import OutputSpec
from schedules import alerting
from schedules.airing import Airing, Outage, Run, RunState, Verdict
from schedules.alerting import Desk
from schedules.clock import Clock, Interval
from schedules.emergency import Alert, AlertState, EmergencyOrder, EmergencyStop
from schedules.grid import ItemKind, SlotId, Timing
from schedules.reconcile import Arm
from schedules.rundown import RundownItem
from schedules.segment import SAMPLE_RATE_HZ, Priority
from schedules.text import Text
from schedules.verdicts import WHOLE, not_aired

LATE_S = 900.0
CHIME_S = 2.0
TEST_S = 5.0
SHORTEST_TALK_S = 15.0
LONGEST_TALK_S = 1800.0
KEEP_CLEAR = timedelta(seconds=2)
"""A talk or a test is over so long before the next planned item begins."""

CLEAR_AHEAD = timedelta(seconds=30)
"""No test begins when a planned item comes sooner than this."""

TRIES = 4
"""How often an order whose recording fails is begun."""

VAIN_TRIES = 8
"""How often an order is begun without one more of its messages being heard, whatever the cause."""

PATIENCE_S = 20.0
"""How long a talk or a test waits for a player and an output; what comes later would surprise everybody."""

FADE_MS = 100
_VOICE_BUFFER_S = 0.6
_MICROPHONE_BUFFER_S = 0.1

EMERGENCY_REASON = Text("Nhường sóng cho phát khẩn cấp.", "Gave way to an emergency.")
_CUT_OFF = Text("Máy phát khởi động lại trong lúc đang nói.", "The station restarted during the talk.")
_IN_VAIN = Text("Đã thử nhiều lần mà không phát ra được.", "It was tried many times and could not be heard.")
_NO_PIPE = Text(
    "Máy không mở được đường tiếng vào: đĩa đầy hoặc không ghi được.",
    "The way in for the sound cannot be opened: the disk is full, or cannot be written.",
)
_NO_OUTPUT = Text(
    "Trên máy phát này không có đầu ra nào cho các cụm loa đã chọn.",
    "No output of this machine belongs to the chosen loudspeaker groups.",
)


class Commands(Protocol):
    """The player as far as this needs it (playout.player.playerkeeper.PlayerKeeper)."""

    ready: bool
    outputs: dict[str, tuple[str, str]]

    def send(self, command: Mapping[str, Any]) -> None:
        """Hand down a command, if there is a player."""
        ...

    def new_airing(self, slot: SlotId) -> str:
        """Return a name for one more try at a slot."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a talk or a test must fit into. next_at: when the next planned item begins; open_until: the hours' end.

    busy: the title of what is on air by the plan.
    """

    permitted: bool
    open_until: datetime | None
    next_at: datetime | None
    busy: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sounding:
    """What began to sound beside the plan. outputs: None for all."""

    slot: SlotId
    pieces: tuple[Piece, ...]
    outputs: frozenset[str] | None


@dataclass(slots=True)
class _Turn:
    """What sounds now, or is about to: one try of the player at one slot."""

    slot: SlotId
    airing: str
    run: Run
    sounding: Sounding
    said: int = 0
    stopping: bool = False
    saved_at: float = 0.0


@dataclass(slots=True)
class _Total:
    """What was counted of a slot over all its turns."""

    started_at: datetime | None = None
    counted: dict[str, int] = field(default_factory=dict)
    parts: tuple[Any, ...] = ()
    holes_s: float = 0.0
    turns: int = 0
    vain: int = 0

    def keep_useful(self, alert: Alert) -> None:
        """Leave out what was heard of a message that is said again from its beginning."""
        useful = alerting.tone_samples(alert.order) + alert.said * (
            alert.order.samples + alerting.gap_samples(alert.order)
        )
        self.counted = {name: min(samples, useful) for name, samples in self.counted.items()}


@dataclass(slots=True)
class _Talk:
    order: LiveOrder
    ends_at: datetime
    pipe: Path
    began_at: datetime
    waiting_since: float
    ended_by: str | None = None


@dataclass(slots=True)
class _Test:
    slot: SlotId
    output: str
    by: str
    ordered_at: float


class Takeovers:
    """The orders from outside the plan. Used by the station's thread only, except what others may know.

    append: writes a journal row. finish: takes a final row of the air log; settle: takes what sounded and is over, for
    its row. make_pipe: makes a named pipe of that name
    and returns its path; microphone: the one of an input. media: where the file with a hash lies. listen: told what
    began to sound under which airing at which monotonic nanosecond, and without it that the airing is over.
    """

    def __init__(
        self,
        *,
        station: str,
        outputs: Sequence[OutputSpec],
        clock: Clock,
        player: Commands,
        append: Callable[[str, dict[str, Any]], None],
        checkpoint: Callable[[str, object], None],
        finish: Callable[[Airing], None],
        settle: Callable[[Run], None],
        media: Callable[[str], Path],
        make_pipe: Callable[[str], Path],
        microphone: Callable[[str], Path],
        listen: Callable[[Sounding | None, str, int], None],
    ) -> None:
        self._station = station
        self._outputs = tuple(outputs)
        self._clock = clock
        self._player = player
        self._append = append
        self._checkpoint = checkpoint
        self._finish = finish
        self._hand_over = settle
        self._media = media
        self._make_pipe = make_pipe
        self._microphone = microphone
        self._listen = listen
        self._desk = Desk()
        self._turn: _Turn | None = None
        self._totals: dict[SlotId, _Total] = {}
        self._talk: _Talk | None = None
        self._test: _Test | None = None
        self._emergency_since: float | None = None
        self._number = 0
        self._ahead = timedelta(0)

    # What others may know

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """Every order that is known, newest first."""
        return tuple(sorted(self._desk.alerts.values(), key=lambda alert: alert.received_at, reverse=True))

    @property
    def emergency(self) -> bool:
        """Whether an emergency sounds or waits for its turn: then nothing planned begins."""
        return bool(self._desk.waiting)

    @property
    def live(self) -> LiveStatus | None:
        """The live talk of now."""
        talk, turn = self._talk, self._turn
        if talk is None:
            return None
        mine = turn is not None and turn.slot == self._live_slot(talk)
        return LiveStatus(
            id=talk.order.id,
            by=talk.order.by,
            started_at=turn.run.started_at if turn is not None and mine else None,
            ends_at=talk.ends_at,
            input=talk.order.input,
        )

    @property
    def live_input(self) -> str | None:
        """The microphone that the live talk of now needs; None for the browser's, or where there is no talk."""
        talk = self._talk
        return talk.order.input if talk is not None else None

    @property
    def wants_player(self) -> bool:
        """Whether there is anything to sound."""
        return self.emergency or self._talk is not None or self._test is not None

    @property
    def run(self) -> Run | None:
        """What sounds now beside the plan."""
        turn = self._turn
        return turn.run if turn is not None else None

    def outage(self, now: datetime) -> Outage | None:
        """Return the stretch in which an emergency of now has taken everything else's time."""
        since, turn = self._emergency_since, self._turn
        if since is None:
            return None
        by = turn.slot if turn is not None else None
        # By how long it lasts: the wall clock may have been set meanwhile.
        began = now - timedelta(seconds=max(0.0, self._clock.monotonic() - since))
        return Outage(during=Interval(began, now), reason=EMERGENCY_REASON, by=by)

    def shift(self, by: timedelta) -> None:
        """Take a step of the wall clock: how long things last has not changed with it."""
        if self._turn is not None:
            self._turn.run = runs.shifted(self._turn.run, by)

    def knows(self, airing: str) -> bool:
        """Return whether an event of the player concerns what sounds beside the plan."""
        return self._turn is not None and self._turn.airing == airing

    # Orders

    def restore(
        self, rows: Sequence[Mapping[str, Any]], checkpoints: Mapping[str, Any], settled: Collection[SlotId]
    ) -> None:
        """Begin with what the journal tells: bodies of `alert` rows in order, and how far each order had been said.

        settled: slots that have their row in the air log.
        """
        alerts: dict[str, Alert] = {}
        stops: dict[str, EmergencyStop] = {}
        for body in rows:
            if "alert" in body:
                alert = load(Alert, body["alert"])
                alerts[alert.order.id] = alert
            elif "stop" in body:
                stop = load(EmergencyStop, body["stop"])
                stops[stop.order] = stop
        self._totals = {}
        for name, state in checkpoints.items():
            known = alerts.get(name.removeprefix("alert/"))
            if known is None:
                continue
            if not known.final:
                alerts[known.order.id] = replace(known, said=max(known.said, int(state["said"])))
            slot = self._slot_of(known.order)
            if slot in settled:
                self._checkpoint(name, None)
                continue
            total = _Total(started_at=known.started_at, counted=dict(state["counted"]), turns=1)
            if not known.final:
                total.keep_useful(alerts[known.order.id])
            self._totals[slot] = total
        self._desk = alerting.restored(alerts.values(), stops.values())
        self._turn = self._talk = self._test = None
        self._emergency_since = None

    def restore_talks(self, checkpoints: Mapping[str, Any], settled: Collection[SlotId]) -> None:
        """Write the rows of talks that an earlier start was in the middle of; nobody waits for them any more."""
        for name, state in checkpoints.items():
            run = load(Run, state)
            if run.slot not in settled:
                live = name.removeprefix("live/")
                self._append("live", {"live": live, "state": "ended", "by": run.by, "why": "restart"})
                self._hand_over(run)
            self._checkpoint(name, None)

    def order(self, order: EmergencyOrder | EmergencyStop) -> None:
        """Take an order or a stop that was signed; the next `step` obeys."""
        if not self._clock.state().trusted:
            # Where the station does not know the time, that of the newest order is the best there is.
            self._ahead = order.issued_at - self._clock.now()
        now = self._order_time()
        if isinstance(order, EmergencyStop):
            if self._station in order.stations:
                self._append("alert", {"stop": dump(order)})
                self._change(alerting.end(self._desk, order, now))
                self._silence_what_is_over()
        else:
            desk = alerting.take(self._desk, order, self._station, now)
            if order.id not in self._desk.alerts:
                desk = desk.put(replace(desk.alerts[order.id], received_at=self._clock.now()))
            self._change(desk)

    def go_live(self, order: LiveOrder, around: Surroundings, now: datetime) -> Receipt:
        """Begin a live talk, bounded by its limit, the hours, and the next planned item."""
        refusal = self._why_not(around)
        if refusal is not None:
            return refusal
        ends = [now + timedelta(seconds=min(order.limit_s, LONGEST_TALK_S))]
        ends += [around.open_until] if around.open_until is not None else []
        ends += [around.next_at - KEEP_CLEAR] if around.next_at is not None else []
        ends_at = min(ends)
        left_s = (ends_at - now).total_seconds()
        if left_s < SHORTEST_TALK_S:
            return Receipt(
                taken=False,
                why=Text(
                    f"Chỉ còn {max(0, math.floor(left_s))} giây trước mục kế tiếp hoặc hết khung giờ. Hãy đợi.",
                    f"Only {max(0, math.floor(left_s))} s are left before the next item or the end of the hours. "
                    "Wait until that is over.",
                ),
            )
        if not any(output.hears(self._talk_item(order, now, samples=1)) for output in self._outputs):
            return Receipt(taken=False, why=_NO_OUTPUT)
        try:
            pipe = self._make_pipe(f"live-{order.id}") if order.input is None else self._microphone(order.input)
        except OSError:
            return Receipt(taken=False, why=_NO_PIPE)
        self._talk = _Talk(order=order, ends_at=ends_at, pipe=pipe, began_at=now, waiting_since=self._clock.monotonic())
        self._append("live", {"live": order.id, "state": "opened", "by": order.by, "until": ends_at.isoformat()})
        return Receipt(taken=True)

    def pipe_of(self, live: str) -> Path | None:
        """Return where the sound of a live talk goes; None where it is over, or comes from a microphone."""
        talk = self._talk
        if talk is None or talk.order.id != live or talk.ended_by is not None or talk.order.input is not None:
            return None
        return talk.pipe

    def end_live(self, live: str, by: str) -> bool:
        """End a live talk; False where it is over already."""
        talk = self._talk
        if talk is None or talk.order.id != live:
            return False
        talk.ended_by = by
        self._end_talk(self._clock.now())
        return True

    def test(self, output: str, by: str, around: Surroundings, now: datetime) -> Receipt:
        """Sound chime and tone on one output."""
        if all(spec.name != output for spec in self._outputs):
            return Receipt(taken=False, why=Text(f"Đài không có đầu ra “{output}”.", f"There is no output “{output}”."))
        refusal = self._why_not(around)
        if refusal is not None:
            return refusal
        if around.next_at is not None and around.next_at - now < CLEAR_AHEAD:
            return Receipt(
                taken=False,
                why=Text("Sắp đến giờ phát, hãy thử loa sau.", "A planned item begins soon; test the output later."),
            )
        self._number += 1
        slot = f"{self._station}/test/{now:%Y%m%dT%H%M%S}-{self._number}"
        self._test = _Test(slot=slot, output=output, by=by, ordered_at=self._clock.monotonic())
        self._append("test", {"slot": slot, "output": output, "by": by, "state": "ordered"})
        return Receipt(taken=True)

    def stop_all(self, by: str, reason: str, now: datetime) -> bool:
        """Silence everything beside the plan for good; True where there was anything. The player is told elsewhere."""
        had = self.wants_player
        for alert in self._desk.waiting:
            order = alert.order
            stop = EmergencyStop(
                order=order.id,
                stations=(self._station,),
                by=by,
                reason=reason,
                issued_at=now,
                expires_at=order.expires_at,
                drill=order.drill,
            )
            self._append("alert", {"stop": dump(stop)})
            self._change(alerting.end(self._desk, stop, now))
        if self._talk is not None:
            self._talk.ended_by = by
            if not self._sounds(self._live_slot(self._talk)):
                self._close_talk(now)
        if self._test is not None and not self._sounds(self._test.slot):
            self._over_test("stopped", {})
        if self._turn is not None:
            self._turn.stopping = True
        return had

    def make_room(self, start: datetime, now: datetime) -> None:
        """Let a planned item have the time from `start` on: the plan goes before talks and tests."""
        silent_ns = round((self._clock.monotonic() + (start - now).total_seconds()) * 1e9)
        talk, test = self._talk, self._test
        if talk is not None:
            talk.ends_at = min(talk.ends_at, start - KEEP_CLEAR)
            if talk.ends_at <= now and self._sounds(self._live_slot(talk)):
                self._stop_turn(silent_ns)
        if test is not None and start < now + timedelta(seconds=CHIME_S + TEST_S) + KEEP_CLEAR:
            if self._sounds(test.slot):
                self._stop_turn(silent_ns)
            else:
                self._over_test("plan", {})

    def _why_not(self, around: Surroundings) -> Receipt | None:
        """Return why neither a talk nor a test may begin now."""
        if self.emergency:
            why = Text("Đang có phát khẩn cấp.", "An emergency is on air.")
        elif self._talk is not None:
            why = Text(f"{self._talk.order.by} đang nói trực tiếp.", f"{self._talk.order.by} is talking live.")
        elif self._test is not None:
            why = Text("Đang thử loa.", "An output is being tested.")
        elif around.busy is not None:
            why = Text(
                f"Đang phát “{around.busy}”. Hãy đợi phát xong, hoặc cho dừng trước.",
                f"“{around.busy}” is on air. Wait until it is over, or stop it first.",
            )
        elif not around.permitted:
            why = Text("Ngoài khung giờ được phép phát.", "Outside the permitted hours.")
        else:
            return None
        return Receipt(taken=False, why=why)

    # The loop

    def step(self, now: datetime, *, next_at: datetime | None, clear: Callable[[], None]) -> None:
        """Let sound what should. next_at: when the next planned item begins. clear: takes back what is armed."""
        self._change(alerting.expire(self._desk, self._order_time()))
        self._silence_what_is_over()
        if self._talk is not None and next_at is not None and next_at - KEEP_CLEAR < self._talk.ends_at:
            # The plan changed meanwhile: it goes before a talk.
            self._talk.ends_at = next_at - KEEP_CLEAR
        self._let_go_what_waits(now)
        if self._player.ready:
            self._begin_what_should(now, clear)
        self._save_progress()

    def _let_go_what_waits(self, now: datetime) -> None:
        """End a talk whose time is over, and talks and tests that found neither player nor output."""
        monotonic = self._clock.monotonic()
        talk, test = self._talk, self._test
        if talk is not None:
            waiting = not self._sounds(self._live_slot(talk))
            late = waiting and monotonic - talk.waiting_since > PATIENCE_S
            if late or now >= talk.ends_at or (waiting and talk.ended_by is not None):
                self._end_talk(now)
        if test is not None and not self._sounds(test.slot) and monotonic - test.ordered_at > PATIENCE_S:
            self._over_test("not_begun", {})

    def _begin_what_should(self, now: datetime, clear: Callable[[], None]) -> None:
        wanted = alerting.turn(self._desk)
        if wanted is not None:
            total = self._totals.get(self._slot_of(wanted.alert.order))
            if self._turn is None and total is not None and total.vain and not self._an_output_is_good():
                return  # said to nobody once already: it waits for an output
            current = alerting.on_air(self._desk)
            if wanted.at_once or current is None or self._turn is None:
                self._begin_alert(wanted.alert, now, clear)
            elif not self._turn.stopping:
                self._stop_turn(self._end_of_message(current.order))
            return
        if self._turn is not None or not self._an_output_is_good():
            return
        if self._talk is not None and self._talk.ended_by is None:
            self._begin_talk(self._talk, now)
        elif self._test is not None:
            self._begin_test(self._test, now)

    def _begin_alert(self, alert: Alert, now: datetime, clear: Callable[[], None]) -> None:
        order = alert.order
        clear()
        if self._turn is not None:
            self._give_way(self._turn, now)
        # What was not even begun does not come up behind an emergency.
        if self._talk is not None:
            self._talk.ended_by = self._talk.ended_by or EMERGENCY_REASON.vi
            self._close_talk(now)
        if self._test is not None:
            self._over_test("taken_over", {})
        file = FilePiece(path=self._media(order.sha256), sha256=order.sha256, samples=order.samples)
        kind = Tone.DRILL if order.drill else Tone.ALERT
        pieces: list[Piece] = [TonePiece(tone=kind, samples=alerting.tone_samples(order))]
        for number in range(order.repeats - alert.said):
            if number and alerting.gap_samples(order):
                pieces.append(SilencePiece(samples=alerting.gap_samples(order)))
            pieces.append(file)
        item = self._item_of(alert)
        if self._emergency_since is None:
            self._emergency_since = self._clock.monotonic()
        # Before its row, which a slow disk may hold up: that it was received is written already.
        self._arm(item, pieces, None, now, said=alert.said)
        self._change(self._desk.put(replace(alert, state=AlertState.ON_AIR)))

    def _give_way(self, turn: _Turn, now: datetime) -> None:
        """End what sounds beside the plan for a graver order; one that was begun is said to its end later."""
        turn.run = runs.interrupted(turn.run, now)
        other = self._alert_of(turn)
        self._close_turn(turn, now)
        if other is not None:
            self._wait_again(other, turn, turn.run.position, now)
        elif turn.slot == self._slot_of_test():
            self._over_test("taken_over", turn.run.counted)
        elif self._talk is not None:
            # It does not come back by itself.
            self._talk.ended_by = self._talk.ended_by or EMERGENCY_REASON.vi
            self._close_talk(now)

    def _begin_talk(self, talk: _Talk, now: datetime) -> None:
        chime = round(CHIME_S * SAMPLE_RATE_HZ)
        voice = round((talk.ends_at - now).total_seconds() * SAMPLE_RATE_HZ) - chime
        if voice <= 0:
            return
        buffer_s = _VOICE_BUFFER_S if talk.order.input is None else _MICROPHONE_BUFFER_S
        pieces: list[Piece] = [
            TonePiece(tone=Tone.CHIME, samples=chime),
            PipePiece(pipe=talk.pipe, samples=voice, buffer=round(buffer_s * SAMPLE_RATE_HZ)),
        ]
        item = self._talk_item(talk.order, talk.began_at, samples=chime + voice)
        own = [output.name for output in self._outputs if output.hears(item)]
        self._arm(item, pieces, own, now)

    def _talk_item(self, order: LiveOrder, began_at: datetime, *, samples: int) -> RundownItem:
        slot = f"{self._station}/live/{order.id}"
        item = self._item(slot, ItemKind.LIVE, f"Nói trực tiếp: {order.by}", start=began_at, samples=samples)
        return replace(item, targets=order.targets)

    def _begin_test(self, test: _Test, now: datetime) -> None:
        pieces: list[Piece] = [
            TonePiece(tone=Tone.CHIME, samples=round(CHIME_S * SAMPLE_RATE_HZ)),
            TonePiece(tone=Tone.TEST, samples=round(TEST_S * SAMPLE_RATE_HZ)),
        ]
        item = self._item(test.slot, ItemKind.NOTICE, "Thử loa", start=now, samples=length(tuple(pieces)))
        self._arm(item, pieces, [test.output], now)

    def _arm(
        self, item: RundownItem, pieces: Sequence[Piece], outputs: list[str] | None, now: datetime, *, said: int = 0
    ) -> None:
        airing = self._player.new_airing(item.slot)
        run = runs.armed(Arm(item, now), None)
        sounding = Sounding(
            slot=item.slot, pieces=tuple(pieces), outputs=None if outputs is None else frozenset(outputs)
        )
        self._turn = _Turn(slot=item.slot, airing=airing, run=run, sounding=sounding, said=said)
        self._totals.setdefault(item.slot, _Total()).turns += 1
        self._player.send(
            {
                "do": "arm",
                "airing": airing,
                "pieces": [piece.as_json() for piece in pieces],
                "samples": length(tuple(pieces)),
                "from_sample": 0,
                "start_ns": 0,
                "after": None,
                "outputs": outputs,
                "take_over": True,
            }
        )

    def _item(
        self,
        slot: SlotId,
        kind: ItemKind,
        title: str,
        *,
        start: datetime,
        samples: int,
        segment: str | None = None,
        sha256: str | None = None,
    ) -> RundownItem:
        return RundownItem(
            slot=slot,
            station=self._station,
            session=None,
            session_end=None,
            start=start,
            end=start + timedelta(seconds=samples / SAMPLE_RATE_HZ),
            due=start,
            kind=kind,
            programme=None,
            segment=segment,
            title=title,
            sha256=sha256,
            pcm_sha256=None,
            samples=samples,
            topics=(),
            timing=Timing.HARD,
            late_limit_s=LATE_S,
            why=Text("Theo lệnh, ngoài lịch.", "By order, outside the plan."),
            priority=Priority.EMERGENCY if kind is ItemKind.EMERGENCY else Priority.NORMAL,
        )

    # What the player tells

    def heard(self, event: Mapping[str, Any], now: datetime, to_wall: Callable[[int], datetime]) -> None:
        """Take an event of the player about what sounds beside the plan."""
        turn = self._turn
        if turn is None:
            return
        match event["event"]:
            case "started":
                turn.run = runs.started(turn.run, to_wall(event["monotonic_ns"]))
                self._listen(turn.sounding, turn.airing, event.get("due_ns", event["monotonic_ns"]))
                self._tell_started(turn, now)
            case "progress":
                turn.run = runs.progressed(turn.run, event["outputs"], now, handed=event["position"])
            case "refused":
                self._refused(turn, now)
            case "ended":
                self._ended(turn, event, now, to_wall)

    def lost(self, now: datetime) -> None:
        """Take that the player is gone: what sounded begins again as soon as there is another."""
        turn = self._turn
        if turn is None:
            return
        turn.run = runs.interrupted(turn.run, now)
        alert = self._alert_of(turn)
        self._close_turn(turn, now)
        if alert is not None:
            self._totals[turn.slot].vain += 1
            self._wait_again(alert, turn, turn.run.position, now)
        elif turn.slot == self._slot_of_test():
            self._over_test("player_lost", {})
        elif self._talk is not None and self._talk.ended_by is None and not turn.stopping:
            # It goes on with the next player, chime and all, as long as its time lasts.
            self._talk.waiting_since = self._clock.monotonic()
        else:
            self._close_talk(now)

    def _tell_started(self, turn: _Turn, now: datetime) -> None:
        alert = self._alert_of(turn)
        if alert is not None and alert.started_at is None:
            self._change(self._desk.put(replace(alert, started_at=turn.run.started_at or now)))
        elif self._talk is not None and turn.slot == self._live_slot(self._talk):
            self._append("live", {"live": self._talk.order.id, "state": "begun", "by": self._talk.order.by})

    def _refused(self, turn: _Turn, now: datetime) -> None:
        alert = self._alert_of(turn)
        turn.run = runs.refused(turn.run, _BAD_FILE, now)
        self._close_turn(turn, now)
        if alert is not None and not alert.final:
            refused = replace(alert, state=AlertState.REFUSED, why=_BAD_FILE)
            self._change(self._desk.put(refused))
            self._settle_alert(refused, now)

    def _ended(self, turn: _Turn, event: Mapping[str, Any], now: datetime, to_wall: Callable[[int], datetime]) -> None:
        outputs = event["outputs"]
        run = runs.progressed(turn.run, {name: output["samples"] for name, output in outputs.items()}, now)
        silent_s = max(
            (sum(hole["seconds"] for hole in output.get("holes", [])) for output in outputs.values()), default=0.0
        )
        turn.run = runs.ended(
            run,
            cause=event["cause"],
            next_sample=event["next"],
            holes_s=float(silent_s),
            exact=False,
            at=to_wall(event["ended_ns"]),
        )
        self._close_turn(turn, now)
        alert = self._alert_of(turn)
        if alert is not None:
            self._alert_turn_over(alert, turn, event, now)
        elif turn.slot == self._slot_of_test():
            self._over_test(event["cause"], {name: output["samples"] for name, output in outputs.items()})
        elif self._talk is not None and turn.slot == self._live_slot(self._talk):
            self._close_talk(now)

    def _alert_turn_over(self, alert: Alert, turn: _Turn, event: Mapping[str, Any], now: datetime) -> None:
        if alert.final:
            return
        heard = max((output["samples"] for output in event["outputs"].values()), default=0)
        whole = heard >= WHOLE * length(turn.sounding.pieces)
        if event["cause"] in ("complete", "output_lost") and whole:
            done = replace(alert, state=AlertState.DONE, said=alert.order.repeats, ended_at=turn.run.ended_at or now)
            self._change(self._desk.put(done))
            self._settle_alert(done, now)
        else:
            if event["cause"] != "stopped":
                self._totals[turn.slot].vain += 1
            # What went out to a muted or missing output was said to nobody.
            self._wait_again(alert, turn, min(turn.run.position, heard + SAMPLE_RATE_HZ), now)

    def _wait_again(self, alert: Alert, turn: _Turn, position: int, now: datetime) -> None:
        """Put back an order whose turn was cut short, not by a stop; give it up after several tries.

        position: the sample of the turn up to which it was heard.
        """
        if alert.final:
            return
        said = alerting.said_by(alert.order, position, said=turn.said)
        total = self._totals[turn.slot]
        if said > turn.said:
            total.vain = min(total.vain, 1)
        if said >= alert.order.repeats:
            over = replace(alert, state=AlertState.DONE, said=said, ended_at=now)
        elif total.vain >= TRIES and turn.run.cause == "source_failed":
            over = replace(alert, state=AlertState.STOPPED, said=said, ended_at=now, why=_BAD_FILE)
        elif total.vain >= VAIN_TRIES:
            over = replace(alert, state=AlertState.STOPPED, said=said, ended_at=now, why=_IN_VAIN)
        else:
            waiting = replace(alert, state=AlertState.RECEIVED, said=said)
            total.keep_useful(waiting)
            self._change(self._desk.put(waiting))
            return
        self._change(self._desk.put(over))
        self._settle_alert(over, now)

    def _over_test(self, cause: str, counted: Mapping[str, int]) -> None:
        test = self._test
        if test is not None:
            self._totals.pop(test.slot, None)
            self._append(
                "test",
                {
                    "slot": test.slot,
                    "output": test.output,
                    "by": test.by,
                    "state": "ended",
                    "cause": cause,
                    "samples": dict(counted),
                },
            )
            self._test = None

    # Ends

    def _end_talk(self, now: datetime) -> None:
        """Let the talk fall silent, or be over where it does not sound."""
        if self._talk is not None and self._sounds(self._live_slot(self._talk)):
            self._stop_turn(None)
        else:
            self._close_talk(now)

    def _sounds(self, slot: SlotId) -> bool:
        return self._turn is not None and self._turn.slot == slot

    def _silence_what_is_over(self) -> None:
        """Let fall silent at once what is over by order or expiry."""
        turn = self._turn
        alert = self._alert_of(turn) if turn is not None else None
        if turn is not None and alert is not None and alert.final and not turn.stopping:
            self._stop_turn(None)
        now = self._clock.now()
        for known in self._desk.alerts.values():
            slot = self._slot_of(known.order)
            playing = turn is not None and turn.slot == slot
            if known.final and slot in self._totals and not playing:
                self._settle_alert(known, now)
        if not self.emergency and self._turn is None:
            self._emergency_since = None

    def _stop_turn(self, silent_ns: int | None) -> None:
        turn = self._turn
        if turn is None or (turn.stopping and silent_ns is not None):
            return
        turn.stopping = True
        self._player.send({"do": "stop", "airing": turn.airing, "fade_ms": FADE_MS, "silent_ns": silent_ns})

    def _end_of_message(self, order: EmergencyOrder) -> int | None:
        """Return the instant, monotonic nanoseconds, at which the message of now is over."""
        turn = self._turn
        if turn is None or turn.run.origin is None:
            return None
        wait_s = (turn.run.origin - self._clock.now()).total_seconds()
        at = alerting.message_end(order, turn.run.position) / SAMPLE_RATE_HZ
        return round((self._clock.monotonic() + wait_s + at) * 1e9)

    def _close_turn(self, turn: _Turn, now: datetime) -> None:
        """Add what was counted in a turn to its slot's total."""
        total = self._totals.setdefault(turn.slot, _Total())
        run = turn.run
        alert = self._alert_of(turn)
        # The tone of a second turn is more than was ordered: it makes up for nothing.
        tone = alerting.tone_samples(alert.order) if alert is not None else 0
        total.started_at = total.started_at or run.started_at
        for name, samples in run.counted.items():
            before = total.counted.get(name, 0)
            total.counted[name] = before + max(0, samples - min(tone, before))
        total.parts = (*total.parts, *run.parts)
        total.holes_s += run.holes_s
        self._listen(None, turn.airing, round(self._clock.monotonic() * 1e9))
        if self._turn is turn:
            self._turn = None

    def _settle_alert(self, alert: Alert, now: datetime) -> None:
        item = self._item_of(alert)
        self._settle(item.slot, item, alert.ended_at or now, reason=alert.why, by=alert.by)
        self._checkpoint(f"alert/{alert.order.id}", None)

    def _settle(
        self, slot: SlotId, item: RundownItem, ended_at: datetime, *, reason: Text | None, by: str | None
    ) -> None:
        total = self._totals.pop(slot, None)
        if total is None:
            return
        counted = {name: min(samples, item.samples) for name, samples in total.counted.items()}
        run = Run(
            item=item,
            state=RunState.ENDED,
            start_at=item.start,
            started_at=total.started_at,
            counted=counted,
            parts=total.parts,
            holes_s=total.holes_s,
            reason=reason,
            by=by,
            ended_at=total.parts[-1].ended_at if total.parts else ended_at,
        )
        self._hand_over(run)

    def _close_talk(self, now: datetime) -> None:
        """End the talk, with the row of what was heard of it."""
        talk = self._talk
        if talk is None:
            return
        slot = self._live_slot(talk)
        total = self._totals.get(slot)
        if total is not None:
            # As long as it was, it was meant to be.
            spoken = max(sum(part.next - part.first for part in total.parts), 1)
            item = self._talk_item(talk.order, talk.began_at, samples=spoken)
            self._settle(slot, item, now, reason=None, by=talk.order.by)
        self._append("live", {"live": talk.order.id, "state": "ended", "by": talk.ended_by or talk.order.by})
        self._checkpoint(f"live/{talk.order.id}", None)
        if talk.order.input is None:
            with contextlib.suppress(OSError):
                talk.pipe.unlink(missing_ok=True)
        self._talk = None

    # Small things

    def _change(self, desk: Desk) -> None:
        """Put the new desk in the place of the old one, and write down what became of each order."""
        before, self._desk = self._desk, desk
        for name, alert in desk.alerts.items():
            known = before.alerts.get(name)
            if known is None or (known.state, known.started_at) != (alert.state, alert.started_at):
                self._append("alert", {"alert": dump(alert)})

            if alert.final and (known is None or not known.final):
                self._note_unsaid(alert)

    def _note_unsaid(self, alert: Alert) -> None:
        """Write the row of an order that ended without a sound."""
        verdict = _UNSAID.get(alert.state)
        item = self._item_of(alert)
        if verdict is None or item.slot in self._totals or alert.why is None:
            return
        outputs = tuple((output.name, output.kind) for output in self._outputs)
        self._finish(not_aired(item, verdict, alert.why, outputs, self._clock.now(), alert.by))

    def _item_of(self, alert: Alert) -> RundownItem:
        order = alert.order
        return self._item(
            self._slot_of(order),
            ItemKind.EMERGENCY,
            f"DIỄN TẬP: {order.title}" if order.drill else order.title,
            start=alert.received_at,
            samples=alerting.samples_of(order),
            segment=order.segment,
            sha256=order.sha256,
        )

    def _save_progress(self) -> None:
        turn = self._turn
        if turn is None or self._clock.monotonic() - turn.saved_at < 0.5:
            return
        turn.saved_at = self._clock.monotonic()
        alert = self._alert_of(turn)
        if alert is None:
            self._save_talk(turn)
            return
        said = alerting.said_by(alert.order, turn.run.position, said=turn.said)
        counted = dict(self._totals[turn.slot].counted)
        for name, samples in turn.run.part_counted.items():
            counted[name] = counted.get(name, 0) + samples
        self._checkpoint(f"alert/{alert.order.id}", {"said": said, "counted": counted})

    def _save_talk(self, turn: _Turn) -> None:
        """Keep what is known of a talk, as its row would be if the power went now."""
        talk, total = self._talk, self._totals[turn.slot]
        if talk is None or turn.slot != self._live_slot(talk):
            return
        run = runs.interrupted(turn.run, self._clock.now())
        names = {*run.counted, *total.counted}
        run = replace(
            run,
            state=RunState.ENDED,
            started_at=total.started_at or run.started_at,
            counted={name: run.counted.get(name, 0) + total.counted.get(name, 0) for name in names},
            parts=(*total.parts, *run.parts),
            holes_s=total.holes_s + run.holes_s,
            reason=_CUT_OFF,
            by=talk.order.by,
        )
        self._checkpoint(f"live/{talk.order.id}", dump(run))

    def _alert_of(self, turn: _Turn) -> Alert | None:
        return self._desk.alerts.get(turn.slot.removeprefix(f"{self._station}/emergency/"))

    def _slot_of(self, order: EmergencyOrder) -> SlotId:
        return f"{self._station}/emergency/{order.id}"

    def _live_slot(self, talk: _Talk) -> SlotId:
        return f"{self._station}/live/{talk.order.id}"

    def _slot_of_test(self) -> SlotId | None:
        return self._test.slot if self._test is not None else None

    def _an_output_is_good(self) -> bool:
        return any(state == "ok" for state, _ in self._player.outputs.values())

    def _order_time(self) -> datetime:
        """Return the time to judge orders by."""
        now = self._clock.now()
        return now if self._clock.state().trusted else now + self._ahead


_UNSAID = {
    AlertState.EXPIRED: Verdict.MISSED,
    AlertState.CANCELLED: Verdict.CANCELLED,
    AlertState.STOPPED: Verdict.MISSED,
}

_BAD_FILE = Text(
    "Tệp âm thanh khẩn cấp trên máy không đúng bản đã duyệt.",
    "The emergency recording on this machine is not the approved one.",
)
