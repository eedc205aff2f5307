"""What should be armed, playing, stopped or settled now? Level-triggered: harmless to ask twice, late or again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from schedules.airing import Facts, Outage, Run, RunState, Silence, Verdict
from schedules.clock import Interval
from schedules.grid import SlotId
from schedules.relaying import place_ends
from schedules.rundown import Rundown, RundownItem
from schedules.segment import SAMPLE_RATE_HZ
from schedules.text import Text

ARM_AHEAD = timedelta(seconds=20)
"""How long before its start an item is handed to the player: hash check and decoding take well under a second."""

WAKE_AHEAD = timedelta(seconds=60)
"""How long before an item the player is started, so that a missing output is known before it is needed."""

LEAD = timedelta(milliseconds=350)
"""What a running player needs from the command to the first sample of an item."""

SHORT_HOLE = timedelta(seconds=5)
RESUME_LEFT = timedelta(seconds=60)
RESUME_SHARE = 0.20
SHORT_ITEM = timedelta(minutes=3)
RESTART_OVERRUN = timedelta(minutes=5)
CUT_AHEAD = timedelta(seconds=1)
"""How long before an exact airing the one on air is told when to be silent: more than a fade and what is made ahead."""
TRIES = 6


@dataclass(frozen=True, slots=True)
class Arm:
    """Hand an item to the player: sample `first` of the file sounds at `start`, or right after the slot it joins."""

    item: RundownItem
    start: datetime
    first: int = 0
    joins: SlotId | None = None


@dataclass(frozen=True, slots=True)
class Disarm:
    """Take back an item that is armed and should not be, or not so."""

    slot: SlotId


@dataclass(frozen=True, slots=True)
class Cut:
    """Fade out what is playing so that it is silent at `silent_at`, because an ordered airing takes its time."""

    slot: SlotId
    reason: Text
    silent_at: datetime


@dataclass(frozen=True, slots=True)
class Settle:
    """An airing ended for good: judge what was counted. `reason` and `by` say why it does not go on, where known."""

    slot: SlotId
    reason: Text | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Decide:
    """A slot ends without having begun."""

    item: RundownItem
    verdict: Verdict
    reason: Text
    by: str | None = None


_OUTSIDE_HOURS = Text("Ngoài khung giờ được phép phát.", "Outside the permitted hours.")

_NO_RELAY = Text("Nguồn tiếp âm không có tiếng.", "No sound came from the source of the relay.")

RELAY_WORTH = timedelta(seconds=5)
"""A relay is not begun, or gone on with, for less than this."""

Action = Arm | Disarm | Cut | Settle | Decide


def player_wanted(rundown: Rundown, facts: Facts, now: datetime) -> bool:
    """Return whether the player should be there: something airs, or will within a minute."""
    if any(run.state is not RunState.ENDED for run in facts.runs):
        return True
    settled = {row.slot for row in facts.airings}
    return any(
        (item.sha256 is not None or item.relay is not None)
        and item.slot not in settled
        and item.replaced_by is None
        and item.cancelled_by is None
        and item.due - WAKE_AHEAD <= now < _latest(item)
        for item in rundown.items
    )


def _latest(item: RundownItem) -> datetime:
    """Return until when an item may still begin."""
    if item.relay is not None:
        return place_ends(item)
    return max(item.due, item.start + timedelta(seconds=item.late_limit_s))


def reconcile(rundown: Rundown, facts: Facts, now: datetime, *, ready: bool) -> tuple[Action, ...]:
    """Return what to do now.

    ready: the player is there and the clock may be believed; without it nothing is armed, but time still passes.
    """
    settled = {row.slot for row in facts.airings}
    runs = {run.slot: run for run in facts.runs}
    actions: list[Action] = []
    for item in rundown.items:
        if item.slot in settled or item.slot in runs:
            continue
        action = _unbegun(item, runs, facts, now, ready=ready)
        if action is not None:
            actions.append(action)
    for run in facts.runs:
        planned = rundown.item(run.slot)
        actions += _begun(run, planned, facts, now, ready=ready)
    return tuple(actions)


def _unbegun(item: RundownItem, runs: dict[SlotId, Run], facts: Facts, now: datetime, *, ready: bool) -> Action | None:
    if facts.since is not None and item.start < facts.since:
        return None
    if item.cancelled_by is not None:
        reason = Text("Đã hủy trước giờ phát.", "Cancelled before it started.")
        return Decide(item, Verdict.CANCELLED, reason, by=item.cancelled_by)
    if (silence := _silenced(item, facts)) is not None:
        return Decide(item, Verdict.CANCELLED, Text(silence.reason, silence.reason), by=silence.by)
    if item.replaced_by is not None:
        return Decide(item, Verdict.REPLACED, item.why, by=item.replaced_by) if now >= item.start else None
    if item.relay is not None:
        return _unbegun_relay(item, facts, now, ready=ready)
    if item.sha256 is None:
        return Decide(item, Verdict.MISSED, item.why) if now >= item.start else None
    late = now - item.start
    length = item.end - item.start
    over = item.due + length <= now - SHORT_HOLE and item.due < now
    if late.total_seconds() > item.late_limit_s or over:
        return _too_late(item, facts.outages, now)
    if not ready or item.due - ARM_AHEAD > now:
        return None
    start = max(item.due, now + LEAD)
    if (start - item.start).total_seconds() > item.late_limit_s:
        return _too_late(item, facts.outages, now)
    if start > item.due and not _open(item, start + length):
        return Decide(item, Verdict.MISSED, _OUTSIDE_HOURS)
    joined = runs.get(item.joins) if item.joins is not None else None
    if joined is not None and joined.state in (RunState.ARMED, RunState.PLAYING) and _complete_so_far(joined):
        return Arm(item, start, joins=item.joins)
    if item.joins is not None and item.joins not in {row.slot for row in facts.airings}:
        # Its predecessor is neither armed nor over: arm that first, or this one would sound beside it.
        if joined is None and item.due > now:
            return None
        if joined is not None and joined.state is RunState.INTERRUPTED:
            return None
    return Arm(item, start)


def _unbegun_relay(item: RundownItem, facts: Facts, now: datetime, *, ready: bool) -> Action | None:
    """Return what to do with a relay's place: it is joined late, as long as enough of it is left, and ends in time."""
    start = max(item.due, now + LEAD)
    if place_ends(item) - start < RELAY_WORTH:
        decided = _too_late(item, facts.outages, now)
        return decided if item.relay not in facts.relays_down else replace(decided, reason=_NO_RELAY)
    if not ready or item.due - ARM_AHEAD > now or item.relay in facts.relays_down:
        return None
    return Arm(item, start, first=_samples(start - item.due))


def _samples(length: timedelta) -> int:
    return round(length.total_seconds() * SAMPLE_RATE_HZ)


def _open(item: RundownItem, end: datetime) -> bool:
    return item.open_until is None or end <= item.open_until


def _complete_so_far(run: Run) -> bool:
    return run.item.cut_at is None


def _begun(run: Run, planned: RundownItem | None, facts: Facts, now: datetime, *, ready: bool) -> list[Action]:
    if run.state is RunState.ENDED:
        return [Settle(run.slot)]
    if run.state is RunState.ARMED:
        return _armed(run, planned, facts, now)
    if planned is not None and planned.cut_at is not None and now >= planned.cut_at - CUT_AHEAD:
        reason = Text("Ngắt để phát lượt đã xếp đúng giờ.", "Cut for an airing ordered for an exact time.")
        return [Cut(run.slot, reason, planned.cut_at)]
    if run.state is RunState.INTERRUPTED:
        return _interrupted(run, planned, facts, now, ready=ready)
    return []


def _armed(run: Run, planned: RundownItem | None, facts: Facts, now: datetime) -> list[Action]:
    if planned is None or planned.cancelled_by is not None or planned.replaced_by is not None:
        return [Disarm(run.slot)]
    if planned.sha256 != run.item.sha256 or _silenced(planned, facts) is not None:
        return [Disarm(run.slot)]
    later_s = (planned.due - run.start_at).total_seconds()
    # What follows nobody without a gap would sound beside what now ends a little later.
    moved = abs(later_s) > 1.0 or (run.item.joins is None and later_s > 0.05)
    if not run.parts and moved and run.start_at > now + LEAD and planned.due > now + LEAD:
        return [Disarm(run.slot)]
    if now - run.start_at > SHORT_HOLE:
        # Handed over long ago and never begun: the player is not doing its work with it.
        return [Disarm(run.slot)]
    return []


def _interrupted(run: Run, planned: RundownItem | None, facts: Facts, now: datetime, *, ready: bool) -> list[Action]:
    """Return how an interrupted airing goes on: where the clock is, from its beginning, or not at all."""
    if (silence := _silenced(run.item, facts)) is not None:
        return [Settle(run.slot, stopped(silence.by, silence.reason), silence.by)]
    if planned is not None and planned.cancelled_by is not None:
        reason = Text("Đã hủy trong lúc bị ngắt.", "Cancelled while it was interrupted.")
        return [Settle(run.slot, reason, planned.cancelled_by)]
    if planned is not None and planned.sha256 != run.item.sha256:
        return [Settle(run.slot, planned.why)]
    action = _going_on(run, planned, now) if run.item.relay is None else _relay_going_on(run, facts, now)
    if action is None:
        return []
    if isinstance(action, Settle) and action.reason is None:
        action = Settle(run.slot, _why_interrupted(run, facts.outages))
    # What cannot go on now may do so later, as long as enough of it is left.
    return [action] if ready or isinstance(action, Settle) else []


def _relay_going_on(run: Run, facts: Facts, now: datetime) -> Arm | Settle | None:
    """Return how a relay goes on that was interrupted: where the clock is, once its source can be heard."""
    start = now + LEAD
    if place_ends(run.item) - start < RELAY_WORTH:
        return Settle(run.slot)
    if run.item.relay in facts.relays_down:
        return None
    return Arm(run.item, start, first=_samples(start - run.item.due))


def _going_on(run: Run, planned: RundownItem | None, now: datetime) -> Arm | Settle:
    start = now + LEAD
    hole = now - (run.position_at or run.start_at)
    first = position_now(run, start)
    samples = run.item.samples
    left = timedelta(seconds=(samples - first) / SAMPLE_RATE_HZ)
    length = run.item.end - run.item.start
    if run.attempts >= TRIES:
        return Settle(run.slot)
    if starts_anew(run, now):
        if start + length > run.item.end + RESTART_OVERRUN or (planned is not None and planned.cut_at is not None):
            return Settle(run.slot)
        return Arm(run.item, start, first=0) if _open(run.item, start + length) else Settle(run.slot, _OUTSIDE_HOURS)
    if first < samples and (hole <= SHORT_HOLE or (left >= RESUME_LEFT and left >= RESUME_SHARE * length)):
        return Arm(run.item, start, first=first) if _open(run.item, start + left) else Settle(run.slot, _OUTSIDE_HOURS)
    return Settle(run.slot)


def starts_anew(run: Run, now: datetime) -> bool:
    """Return whether an interrupted airing would begin again: it is short, and its hole is not."""
    hole = now - (run.position_at or run.start_at)
    return hole > SHORT_HOLE and run.item.end - run.item.start < SHORT_ITEM


def origin(run: Run) -> datetime:
    """Return when sample 0 of the file was or would have been at the sink, as the airing runs or ran last."""
    return run.origin or run.start_at - timedelta(seconds=run.part_first / SAMPLE_RATE_HZ)


def position_now(run: Run, moment: datetime) -> int:
    """Return the sample of the file that belongs to `moment` if the airing had not been interrupted."""
    return max(0, round((moment - origin(run)).total_seconds() * SAMPLE_RATE_HZ))


def stopped(by: str, reason: str) -> Text:
    """Return the reason in the row of an airing that a person stopped."""
    return Text(f"{by} cho dừng: {reason}", f"Stopped by {by}: {reason}")


def _silenced(item: RundownItem, facts: Facts) -> Silence | None:
    for silence in facts.silences:
        if silence.session in (item.session, item.slot):
            return silence
    return None


def _why_interrupted(run: Run, outages: Iterable[Outage]) -> Text | None:
    heard_until = run.position_at or run.start_at
    lost = Interval(heard_until, max(run.item.end, heard_until + timedelta(seconds=1)))
    return next((outage.reason for outage in outages if outage.during.overlaps(lost)), None)


def _too_late(item: RundownItem, outages: Iterable[Outage], now: datetime) -> Decide:
    if item.due > now:
        return Decide(item, Verdict.MISSED, Text("Lượt trước kéo dài quá lâu.", "What came before it took too long."))
    due = Interval(item.start, max(item.end, item.start + timedelta(seconds=1)))
    for outage in outages:
        if outage.during.overlaps(due):
            return Decide(item, Verdict.REPLACED if outage.by else Verdict.MISSED, outage.reason, by=outage.by)
    reason = Text("Máy phát không sẵn sàng vào giờ phát.", "The station was not ready when it was due.")
    return Decide(item, Verdict.MISSED, reason)
