"""A station lived through in simulated time: the real plan and reconcile, a perfect player, and power that fails."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from playout import runs
from schedules.airing import Airing, Facts, Outage, Run, RunState, Verdict
from schedules.clock import Interval
from schedules.duty import DutyOutcome, DutyStanding
from schedules.intent import Intent
from schedules.planner import plan
from schedules.reconcile import ARM_AHEAD, SHORT_HOLE, Action, Arm, Cut, Decide, Disarm, Settle, reconcile
from schedules.rundown import Rundown
from schedules.segment import SAMPLE_RATE_HZ
from schedules.standing import settle_duties
from schedules.verdicts import judge, not_aired

OUTPUTS = (("main", "pulse"),)
AHEAD = timedelta(hours=30)
REPLAN = timedelta(hours=12)
HOUR = timedelta(hours=1)
INSTANT = timedelta(microseconds=1)


@dataclass(slots=True, kw_only=True)
class Life:
    """What became of a stretch of time: rows in the order in which they were written, and all that was heard.

    outages: when the power was off, in order, not touching. Recordings and orders are known from their moment on.
    """

    intent: Intent
    during: Interval
    outages: Sequence[Outage] = ()
    facts: Facts = field(default_factory=lambda: Facts(station="XA"))
    now: datetime = field(init=False)
    rundown: Rundown = field(init=False)
    rows: list[Airing] = field(default_factory=list)
    heard: list[tuple[datetime, datetime, str]] = field(default_factory=list)
    _runs: dict[str, Run] = field(default_factory=dict)
    _silent_at: dict[str, datetime] = field(default_factory=dict)
    _off: list[Outage] = field(default_factory=list)
    _planned_at: datetime | None = None

    def live(self) -> Life:
        """Let the time pass, and return this life with what became of it."""
        self.now = self.during.start
        self.facts = replace(self.facts, since=self.facts.since or self.now)
        while self.now < self.during.end:
            if (cut := self._power_cut()) is not None:
                self._lose_power(cut)
                continue
            self._play()
            while self._act():
                pass
            self.now = min(moment for moment in self._moments() if moment > self.now)
        self._plan(timedelta(0))
        return self

    def standings(self, moment: datetime) -> dict[tuple[str, str], DutyStanding]:
        """Return how every duty stands by code and period, seen at `moment`."""
        horizon = Interval(moment, moment + timedelta(minutes=1))
        return {(s.duty, s.period): s for s in plan(self._known(moment), self._facts(), moment, horizon).duties}

    def sealed(self, moment: datetime) -> dict[tuple[str, str], DutyOutcome]:
        """Return the outcomes that the station seals at `moment`, by duty and period."""
        rundown = plan(self._known(moment), self._facts(), moment, Interval(self.during.start, moment))
        outcomes = settle_duties(self._known(moment), self._facts(), rundown, moment)
        return {(o.duty, o.period): o for o in outcomes}

    def _power_cut(self) -> Outage | None:
        return next((o for o in self.outages if o.during.contains(self.now)), None)

    def _lose_power(self, cut: Outage) -> None:
        self._play()
        for run in list(self._runs.values()):
            if run.state is RunState.PLAYING:
                # Counted to the moment of the cut: the checkpoint is at most a second old.
                self._end_heard(run, self.now)
                samples = round((self.now - (run.part_started_at or self.now)).total_seconds() * SAMPLE_RATE_HZ)
                counted = runs.progressed(run, {"main": samples}, self.now)
                self._runs[run.slot] = runs.interrupted(counted, self.now)
            elif run.state is RunState.ARMED and not run.parts:
                del self._runs[run.slot]
            elif run.state is RunState.ARMED:
                self._runs[run.slot] = replace(run, state=RunState.INTERRUPTED)
        self._off.append(cut)
        self._planned_at = None
        self.now = min(cut.during.end, self.during.end)

    def _play(self) -> None:
        """Let the player tell what it has begun and ended up to now."""
        for run in list(self._runs.values()):
            if run.state is RunState.ARMED and run.start_at <= self.now:
                run = self._runs[run.slot] = runs.started(run, run.start_at)
            if run.state is RunState.PLAYING and (ends := self._ends(run)) <= self.now:
                self._end_heard(run, ends)
                whole = run.slot not in self._silent_at
                begun = run.part_started_at or ends
                samples = run.item.samples - run.part_first
                if not whole:
                    samples = min(samples, round((ends - begun).total_seconds() * SAMPLE_RATE_HZ))
                told = runs.progressed(run, {"main": samples}, ends)
                cause = "complete" if whole else "stopped"
                after = run.part_first + samples
                self._runs[run.slot] = runs.ended(
                    told, cause=cause, next_sample=after, holes_s=0.0, exact=whole, at=ends
                )

    def _ends(self, run: Run) -> datetime:
        begun = run.part_started_at or run.start_at
        ends = begun + timedelta(seconds=(run.item.samples - run.part_first) / SAMPLE_RATE_HZ)
        return min(ends, max(begun, self._silent_at.get(run.slot, ends)))

    def _end_heard(self, run: Run, at: datetime) -> None:
        begun = run.part_started_at
        if begun is not None and begun < at:
            self.heard.append((begun, at, run.slot))

    def _act(self) -> bool:
        planned = self._planned_at
        stale = planned is None or self.now - planned >= REPLAN
        if planned is None or stale or any(planned < news <= self.now for news in self._news()):
            self._plan(AHEAD)
        actions = reconcile(self.rundown, self._facts(), self.now, ready=True)
        for action in actions:
            self._do(action)
        return bool(actions) and not all(isinstance(a, Cut) for a in actions)

    def _do(self, action: Action) -> None:
        match action:
            case Arm():
                self._runs[action.item.slot] = runs.armed(action, self._runs.get(action.item.slot))
            case Disarm(slot):
                run = self._runs.pop(slot)
                if run.parts:
                    self._runs[slot] = replace(run, state=RunState.INTERRUPTED)
            case Cut(slot, reason, silent_at):
                run = self._runs[slot]
                ended = run.state is RunState.INTERRUPTED
                self._runs[slot] = replace(run, reason=reason, state=RunState.ENDED if ended else run.state)
                self._silent_at[slot] = silent_at
                return
            case Settle(slot, reason, by):
                run = self._runs.pop(slot)
                run = replace(run, reason=run.reason or reason, by=run.by or by)
                self._finish(judge(run, OUTPUTS, self.now))
            case Decide(item, verdict, reason, by):
                self._finish(not_aired(item, verdict, reason, OUTPUTS, self.now, by))
        self._planned_at = None

    def _finish(self, row: Airing) -> None:
        self.rows.append(row)
        if row.verdict is Verdict.AIRED and row.segment is not None and row.started_at is not None:
            aired = {**self.facts.aired, row.segment: row.started_at}
            self.facts = replace(self.facts, aired=aired)

    def _news(self) -> Iterator[datetime]:
        yield from (s.approved_at for s in self.intent.segments)
        yield from (o.ordered_at for o in self.intent.one_offs)

    def _known(self, moment: datetime) -> Intent:
        return replace(
            self.intent,
            segments=tuple(s for s in self.intent.segments if s.approved_at <= moment),
            one_offs=tuple(o for o in self.intent.one_offs if o.ordered_at <= moment),
        )

    def _facts(self) -> Facts:
        return replace(self.facts, airings=tuple(self.rows), runs=tuple(self._runs.values()), outages=tuple(self._off))

    def _plan(self, ahead: timedelta) -> None:
        self._planned_at = self.now
        # What was due while the power was off is decided within an hour after it came back.
        recent = [o.during.start for o in self._off if o.during.end + HOUR > self.now]
        start = max(self.facts.since or self.now, min([self.now, *recent]) - 2 * HOUR)
        during = Interval(min(start, self.now), self.now + ahead)
        self.rundown = plan(self._known(self.now), self._facts(), self.now, during, thorough=False)

    def _moments(self) -> Iterator[datetime]:
        """Yield when something may have to be done."""
        yield self.during.end
        yield (self._planned_at or self.now) + REPLAN
        yield from (o.during.start for o in self.outages)
        yield from self._news()
        for run in self._runs.values():
            yield run.start_at
            if run.state is RunState.PLAYING:
                yield self._ends(run)
                planned = self.rundown.item(run.slot)
                if planned is not None and planned.cut_at is not None and run.slot not in self._silent_at:
                    yield max(planned.cut_at - timedelta(seconds=1), self.now + INSTANT)
        settled = {row.slot for row in self.rows}
        for item in self.rundown.items:
            if item.slot not in settled and item.slot not in self._runs:
                yield item.due - ARM_AHEAD
                yield item.start
                yield item.start + timedelta(seconds=item.late_limit_s) + INSTANT
                yield item.due + (item.end - item.start) + SHORT_HOLE
