"""plan = f(intent, facts, now): the rundown of one station, with the reason for every item. Pure and replayable.

A pass over sessions and orders (flow) gives the grid; what duties then still lack is placed beside it (placing), and
where that cannot be, instead of ordinary items. What is left without a place is named with the reason (impossible).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from schedules.airing import Facts
from schedules.calendar import common, duty_windows, instant, open_groups, open_until, period_words
from schedules.choosing import Stock
from schedules.clock import Interval
from schedules.duty import Chance, DutyStanding
from schedules.findings import Finding, Severity
from schedules.flow import Flow, one_off_slot
from schedules.grid import ItemKind, SlotId, Timing
from schedules.impossible import why_impossible
from schedules.intent import Intent
from schedules.itemmaking import LATE_LIMIT_S
from schedules.ordering import check_one_off
from schedules.owing import Need, Owed, fits, make_up_prefix, matches, need, owing
from schedules.placing import Offer, Placement, Problem, Solution, Used, solve
from schedules.rundown import Rundown, RundownItem
from schedules.segment import SegmentId
from schedules.standing import chance, coming, pressing, standing, warnings
from schedules.station import Station
from schedules.text import Text

__all__ = ["LATE_LIMIT_S", "TRIES", "check_one_off", "one_off_slot", "plan"]

TRIES = 6
"""How often a missed duty is tried again in its period."""

MAKE_UP_LATE = timedelta(seconds=60)
"""How late a make-up may begin; later the next mark is taken."""

_GRACE = timedelta(seconds=50)
"""How long after its mark a make-up keeps it: the rest of its lateness is for the player to begin."""

_LOOK_BACK = timedelta(hours=26)
_FURTHEST = timedelta(days=35)
_AT_ONCE = timedelta(microseconds=1)


def plan(intent: Intent, facts: Facts, now: datetime, horizon: Interval, *, thorough: bool = True) -> Rundown:
    """Return what should air at `facts.station` in `horizon`, and how its duties stand in the periods up to its end.

    The same input gives the same rundown, in whatever order the parts of the input come.
    Slots with a final row come back as that row tells; runs that have begun keep the item they began with.
    thorough: work out the further chances of each duty too, and why what is impossible is so; it changes no item.
    """
    station = intent.station(facts.station)
    owed = owing(intent, station, facts, Interval(now, max(horizon.end, now + _AT_ONCE)))
    began = min(horizon.start, now) - _LOOK_BACK
    making = _Making(
        intent=intent, station=station, facts=facts, now=now, during=Interval(began, horizon.end), owed=owed
    )
    flow, make_ups = making.made()
    items = [*flow.items, *make_ups]
    standings, findings = making.stood(flow, items, thorough=thorough)
    kept = [i for i in items if i.start < horizon.end and max(i.end, i.due) >= horizon.start]
    seen = [f for f in flow.findings if _within(f, flow.items, kept)]
    return Rundown(
        station=station.code,
        revision=intent.revision,
        planned_at=now,
        items=tuple(sorted(kept, key=lambda i: (i.start, i.due, i.slot))),
        findings=tuple(dict.fromkeys((*seen, *findings))),
        duties=standings,
    )


def _within(finding: Finding, items: Sequence[RundownItem], kept: Sequence[RundownItem]) -> bool:
    """Return whether a finding about an item or a session is about the stretch that was asked for."""
    known = any(finding.where in (item.slot, item.session) for item in items)
    return not known or any(finding.where in (item.slot, item.session) for item in kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Making:
    """The making of one plan. during: the stretch in which sessions are placed. owed: what the station owes."""

    intent: Intent
    station: Station
    facts: Facts
    now: datetime
    during: Interval
    owed: tuple[Owed, ...]

    def made(self) -> tuple[Flow, tuple[RundownItem, ...]]:
        """Return the pass over the grid and the make-ups beside it."""
        flow = self._flow(self.during.end)
        ahead = self._open(flow)
        if ahead and (until := self._until(ahead)) > self.during.end:
            # A slot of Friday keeps a duty from being made up on Saturday, also when only today was asked for.
            flow.look_ahead(Interval(self.during.end, until), frozenset(n.owed.duty.programme for n in ahead))
            if self._open(flow):
                flow = self._flow(until)
        lacking = self._open(flow)
        if not lacking:
            return flow, ()
        beside = solve(self._problem(flow, lacking))
        make_ups = self._make_ups(flow, beside)
        if beside.missing == 0:
            return flow, make_ups
        return self._instead(flow, make_ups, beside)

    def _flow(self, until: datetime, pinned: Mapping[SlotId, Placement] | None = None) -> Flow:
        flow = self._new(pinned or {}, ())
        flow.fill(Interval(self.during.start, until))
        return flow

    def _new(self, pinned: Mapping[SlotId, Placement], make_ups: tuple[RundownItem, ...]) -> Flow:
        return Flow(
            intent=self.intent,
            station=self.station,
            facts=self.facts,
            now=self.now,
            stock=Stock(intent=self.intent, station=self.station, facts=self.facts),
            zone=ZoneInfo(self.station.zone),
            needs=[need(owed) for owed in self.owed],
            pinned=pinned,
            make_ups=make_ups,
        )

    def _open(self, flow: Flow) -> tuple[Need, ...]:
        """Return what is missing after a pass and must find a place now."""
        return tuple(n for n in flow.needs if n.missing and pressing(n.owed, self.now))

    def _until(self, needs: Sequence[Need]) -> datetime:
        return min(max(n.owed.during.end for n in needs), self.now + _FURTHEST)

    # Beside the grid, or instead of ordinary items

    def _instead(
        self, flow: Flow, make_ups: tuple[RundownItem, ...], beside: Solution
    ) -> tuple[Flow, tuple[RundownItem, ...]]:
        """Return the plan in which duties take the time of ordinary items, where it fulfils more of them."""
        problem = self._problem_instead(flow)
        instead = solve(problem)
        if instead.missing >= beside.missing:
            return flow, make_ups
        pinned = {one.slot: one for one in instead.placements if one.slot is not None}
        other = self._new(pinned, self._make_ups(flow, instead))
        other.fill(Interval(self.during.start, max(self.during.end, self._until(problem.needs))))
        left = sum(n.missing for n in self._open(other))
        more: tuple[RundownItem, ...] = ()
        if left:
            rest = solve(self._problem(other, self._open(other)))
            left, more = rest.missing, self._make_ups(other, rest)
        return (other, more) if left < beside.missing else (flow, make_ups)

    def _problem(self, flow: Flow, lacking: tuple[Need, ...]) -> Problem:
        return self._posed(flow, lacking, blocked=tuple(flow.taken), used=flow.used, openings=False)

    def _problem_instead(self, flow: Flow) -> Problem:
        """Return the problem in which only what has begun, or was ordered, keeps its time."""
        firm = {item.slot for item in flow.items if item.slot in flow.begun or (item.session is None and not item.duty)}
        needs = []
        for owed in self.owed:
            kept = [i for i in flow.items if i.slot in firm and flow.will_count(i)]
            _, left = coming(owed, kept)
            if left.missing and pressing(owed, self.now):
                needs.append(left)
        used = {i.segment: i.due for i in flow.items if i.slot in firm and i.segment is not None}
        return self._posed(flow, tuple(needs), blocked=tuple(flow.firm), used=used, openings=True)

    def _posed(
        self,
        flow: Flow,
        needs: tuple[Need, ...],
        *,
        blocked: tuple[Interval, ...],
        used: Mapping[SegmentId, datetime],
        openings: bool,
    ) -> Problem:
        ordered = tuple(sorted(needs, key=lambda n: (n.owed.during.end, n.owed.duty.code)))
        stock = flow.stock
        moments: dict[tuple[str, str], tuple[datetime, ...]] = {}

        def offered(wanting: Need, taken: Used) -> tuple[Offer, ...]:
            name = (wanting.owed.duty.code, wanting.owed.period)
            if name not in moments:
                moments[name] = self._moments(wanting.owed)
            taken_at = {**used, **dict(sorted(taken, key=lambda one: one[1]))}
            return self._offered(stock, wanting, moments[name], taken_at)

        return Problem(
            needs=ordered,
            openings=tuple(flow.openings) if openings else (),
            blocked=blocked,
            windows=tuple(tuple(self._windows(n.owed)) for n in ordered),
            offered=offered,
            earliest=self.now,
            grace=_GRACE,
            zone=flow.zone,
            tries=tuple(TRIES - len(self._tried(flow, n.owed)) for n in ordered),
            day_left_s=(flow.day_left_s if openings else flow.day_unused_s),
            longest_s=self.station.limits.session_s,
        )

    def _windows(self, owed: Owed) -> list[Interval]:
        """Return the windows of make-ups from yesterday on: from a midnight, so that marks hold still."""
        zone = ZoneInfo(self.station.zone)
        yesterday = instant(zone, (self.now - timedelta(days=1)).astimezone(zone).date(), time(0))
        start = max(owed.during.start, yesterday)
        during = Interval(start, max(start, owed.during.end))
        windows = duty_windows(self.station, owed.duty, during)
        if owed.duty.least_share < 1:
            return windows
        # Every group must hear it: only where all of their own hours are open too.
        for group in self.station.groups:
            if group.permitted:
                station = replace(self.station, permitted=group.permitted)
                windows = common(windows, duty_windows(station, owed.duty, during))
        return windows

    def _moments(self, owed: Owed) -> tuple[datetime, ...]:
        """Return when what a duty could air may change: now, where recordings become valid, or rested long enough."""
        duty, during = owed.duty, owed.during
        begins = max(self.now, during.start)
        moments = {begins} | {
            s.valid_from for s in self.intent.segments if s.valid_from and begins < s.valid_from < during.end
        }
        if any(p.separation_s for p in self.intent.programmes if duty.programme in (None, p.code)):
            moments |= {window.start for window in self._windows(owed) if window.start > begins}
        return tuple(sorted(moments))

    def _offered(
        self, stock: Stock, wanting: Need, moments: Sequence[datetime], used: Mapping[SegmentId, datetime]
    ) -> tuple[Offer, ...]:
        """Return what a need could air, each recording from the moment on at which it may."""
        duty, during = wanting.owed.duty, wanting.owed.during
        key = make_up_prefix(self.station, wanting.owed)
        found: dict[SegmentId, Offer] = {}
        for moment in moments:
            since = during.start if moment == moments[0] else moment
            those = stock.choices(duty.programme, moment, used, wanted=lambda s: fits(duty, s), key=key).found
            found |= {
                s.id: Offer(one, s, since) for one in those if (s := one.segment) is not None and s.id not in found
            }

        def gain(one: Offer) -> int:
            return wanting.after(one.segment.programme, one.segment.topics, moments[0]).missing

        return tuple(sorted(found.values(), key=gain))

    def _tried(self, flow: Flow, owed: Owed) -> frozenset[SlotId]:
        """Return the make-ups of a period that have begun or are over: every try has a number of its own."""
        prefix = make_up_prefix(self.station, owed)
        return frozenset(slot for slot in (*flow.finals, *flow.begun) if slot.startswith(prefix))

    def _make_ups(self, flow: Flow, solution: Solution) -> tuple[RundownItem, ...]:
        taken = {slot for owed in self.owed for slot in self._tried(flow, owed)} | {item.slot for item in flow.items}
        items = []
        for one in sorted((p for p in solution.placements if p.slot is None), key=lambda p: (p.start, p.segment.id)):
            prefix = make_up_prefix(self.station, one.need.owed)
            slot = next(s for n in range(1, 2 * TRIES + 1) if (s := f"{prefix}{n}") not in taken)
            taken.add(slot)
            items.append(self._make_up(slot, one))
        return tuple(items)

    def _make_up(self, slot: SlotId, one: Placement) -> RundownItem:
        owed, segment = one.need.owed, one.segment
        when = period_words(owed.period)
        why = Text(
            f"Phát bù cho nhiệm vụ “{owed.duty.name}”, {when.vi}. {one.choice.why.vi}",
            f"Makes up duty “{owed.duty.name}”, {when.en}. {one.choice.why.en}",
        )
        return RundownItem(
            slot=slot,
            station=self.station.code,
            session=None,
            session_end=None,
            start=one.start,
            end=one.during.end,
            due=one.start,
            kind=ItemKind.SEGMENT,
            programme=segment.programme,
            segment=segment.id,
            title=segment.title,
            sha256=segment.sha256,
            pcm_sha256=segment.pcm_sha256,
            samples=segment.samples,
            topics=segment.topics,
            timing=Timing.SOFT,
            late_limit_s=MAKE_UP_LATE.total_seconds(),
            why=why,
            open_until=open_until(self.station, one.start),
            targets=open_groups(self.station, (), one.during),
            self_approved=segment.self_approved,
            duty=owed.duty.code,
        )

    # How the duties stand

    def stood(
        self, flow: Flow, items: Sequence[RundownItem], *, thorough: bool
    ) -> tuple[tuple[DutyStanding, ...], tuple[Finding, ...]]:
        """Return how every duty stands with this plan, and what there is to warn of."""
        able = [item for item in items if flow.will_count(item)]
        standings: list[DutyStanding] = []
        findings: list[Finding] = []
        for owed in self.owed:
            planned, left = coming(owed, able)
            chances: tuple[Chance, ...] = ()
            why_not: Text | None = None
            open_now = owed.outcome is None and owed.excuse is None and pressing(owed, self.now)
            if thorough and open_now and left.missing and need(owed).missing:
                facts = self._why_not(flow, owed, left)
                why_not = facts.message
                findings.append(facts)
            elif thorough and open_now and planned:
                chances = self._chances(flow, owed, planned, able)
            stood = standing(self.station, owed, self.now, planned, chances, why_not)
            standings.append(stood)
            fresh = any(i.segment not in self.facts.aired for i in planned) or need(owed).missing == 0
            told = warnings(self.station, owed, stood, self.now, fresh=fresh, thorough=thorough)
            # Why it is impossible says more than that it is at risk.
            findings += [w for w in told if why_not is None or w.code != "duty_at_risk"]
            findings += self._lost(owed, items)
        return tuple(standings), tuple(findings)

    def _chances(
        self, flow: Flow, owed: Owed, planned: Sequence[RundownItem], able: Sequence[RundownItem]
    ) -> tuple[Chance, ...]:
        """Return the places left for a duty: what is planned, the grid's further slots, and the next make-up."""
        first = planned[0]
        ends = first.due + (first.end - first.start)
        further = [
            item
            for item in able
            if item not in planned
            and matches(owed.duty, item.programme, item.topics)
            and owed.during.contains(item.due)
        ]
        found = [chance(item) for item in (*planned, *further)]
        known = {item.slot for item in (*planned, *further)}
        # What failed has not aired: the programme's next slot that has the room takes it again.
        found += [
            Chance(slot=opening.slot, start=opening.start, title=first.title)
            for opening in flow.openings
            if opening.slot not in known
            and opening.programme == first.programme
            and opening.start >= max(ends, self.now)
            and opening.start + (first.end - first.start) <= opening.until
            and owed.during.contains(opening.start)
        ]
        if not any(one.start > first.due for one in found if one.slot not in {item.slot for item in planned}):
            failed = replace(need(owed), missing=max(1, need(owed).missing))
            # What failed has not aired whole: its recordings may be tried again.
            again = {i.segment for i in planned}
            used = {segment: at for segment, at in flow.used.items() if segment not in again}
            posed = self._posed(flow, (failed,), blocked=tuple(flow.taken), used=used, openings=False)
            missed_on = first.due.astimezone(flow.zone).date()
            missed_s = (first.end - first.start).total_seconds()

            def unused_s(day: date) -> float | None:
                left_s = flow.day_unused_s(day)
                return left_s if left_s is None or day != missed_on else left_s + missed_s

            posed = replace(posed, earliest=max(ends, self.now), grace=timedelta(0), day_left_s=unused_s)
            spare = solve(replace(posed, needs=(replace(failed, missing=1),)))
            if not spare.placements:
                posed = replace(
                    posed, blocked=(*flow.firm, *(Interval(i.due, i.due + (i.end - i.start)) for i in planned))
                )
                spare = solve(replace(posed, needs=(replace(failed, missing=1),)))
            found += [Chance(slot=None, start=p.start, title=p.segment.title) for p in spare.placements[:1]]
        return tuple(sorted(found, key=lambda one: (one.start, one.slot or "")))

    def _lost(self, owed: Owed, items: Sequence[RundownItem]) -> list[Finding]:
        """Return the slots of a duty's programme that something else has taken."""
        if need(owed).missing == 0 or owed.duty.programme is None:
            return []
        taken = [
            i
            for i in items
            if i.programme == owed.duty.programme
            and i.replaced_by is not None
            and i.start > self.now
            and owed.during.contains(i.start)
        ]
        hint = Text("Dời lượt phát kia sang giờ khác.", "Move the other airing to another time.")
        return [
            Finding(
                code="duty_window_lost",
                severity=Severity.WARNING,
                where=i.slot,
                message=Text(
                    f"Giờ phát của nhiệm vụ “{owed.duty.name}” bị chiếm bởi {i.replaced_by}.",
                    f"The slot of duty “{owed.duty.name}” is taken by {i.replaced_by}.",
                ),
                hint=hint,
            )
            for i in taken
        ]

    def _why_not(self, flow: Flow, owed: Owed, left: Need) -> Finding:
        """Return why a duty cannot be fulfilled: a smallest set of facts that makes it so."""
        problem = self._problem_instead(flow)
        wanting = next((n for n in problem.needs if n.owed == owed), left)
        nothing = flow.stock.choices(
            owed.duty.programme, self.now, {}, wanted=lambda s: fits(owed.duty, s), key=""
        ).why_nothing
        return why_impossible(self.station, problem, wanting, nothing, self.now)
