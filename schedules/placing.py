"""Where duties go: a search that finds a place for all of them whenever there is one; earliest deadline first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from schedules.choosing import Choice
from schedules.clock import Interval
from schedules.duty import Counting
from schedules.grid import SlotId
from schedules.owing import Need
from schedules.programme import ProgrammeCode
from schedules.segment import Segment, SegmentId

STEP = timedelta(minutes=5)
"""Marks on which make-ups start, so that they hold still while time passes; only a tight place is taken off them."""

EFFORT = 4000
"""Steps of the search before it settles for the best it has found; far above what real weeks need."""


_EFFORT_IN_VAIN = 200
_LONG_AGO = timedelta(days=4000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A programme slot of the grid that has not begun: it starts at `start`, and must be over at `until`.

    left_s: seconds that its session may still air, None where there is no limit.
    """

    slot: SlotId
    session: str
    left_s: float | None
    programme: ProgrammeCode
    start: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """A recording put at a time: into a slot of the grid, or as a make-up for `need` where `slot` is None."""

    slot: SlotId | None
    need: Need
    choice: Choice
    segment: Segment
    start: datetime

    @property
    def during(self) -> Interval:
        """The time it takes."""
        return Interval(self.start, self.start + self.segment.duration)


Used = frozenset[tuple[SegmentId, datetime]]
"""Recordings that the search has placed, with their starts."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A recording that a need could air, and from when on it may."""

    choice: Choice
    segment: Segment
    since: datetime


Offered = Callable[[Need, Used], tuple[Offer, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What must find a place, and where it may.

    needs: the earliest deadline first. openings: slots of the grid that may serve. blocked: time that nothing may take.
    windows: per need (by its place in `needs`) the stretches of its make-ups, hours already cut out.
    offered: what a need could air, when some recordings are used already at their times; best first, each with the
    moment from which on it may.
    earliest: make-ups start then or later; on marks they may have been due up to `grace` before it.
    day_left_s: seconds that may still be aired on a local date; None where there is no limit.
    tries: make-ups that each need may still have.
    """

    needs: tuple[Need, ...]
    openings: tuple[Opening, ...]
    blocked: tuple[Interval, ...]
    windows: tuple[tuple[Interval, ...], ...]
    offered: Offered
    earliest: datetime
    grace: timedelta
    zone: ZoneInfo
    tries: tuple[int, ...]
    day_left_s: Callable[[date], float | None]
    longest_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """Placements in the order in which they were found, and how many airings or topics are still missing after them."""

    placements: tuple[Placement, ...]
    missing: int
    complete: bool


def solve(problem: Problem, effort: int = EFFORT) -> Solution:
    """Return placements that leave as little missing as can be; `complete` tells whether every possibility was tried.

    Make-ups are first tried on marks. Off the marks each takes the first moment that is free, in every order of the
    duties: in whatever order a fulfilling timetable has them, moving each as early as it can keeps it one, so this
    finds one if there is any. effort: steps at most, of each of the two ways.
    """
    least = _least(problem)
    if least:
        # Not all of it can be fulfilled anyway: what is worth some effort is not worth all.
        effort = min(effort, _EFFORT_IN_VAIN)
    best = _Search(problem=problem, step=STEP, least=least, effort=effort).run()
    if best.missing <= least:
        return best
    exact = _Search(problem=problem, step=None, least=least, effort=effort).run()
    return exact if exact.missing < best.missing else best


@dataclass(slots=True)
class _Search:
    problem: Problem
    step: timedelta | None
    least: int
    effort: int
    best: tuple[Placement, ...] = ()
    best_missing: int = 0
    known: set[tuple[object, ...]] = field(default_factory=set)

    def run(self) -> Solution:
        """Search until no more can be had, everything was tried, or the effort is spent."""
        needs = self.problem.needs
        self.best_missing = sum(need.missing for need in needs)
        blocked = sorted(self.problem.blocked)
        self._place(needs, (), blocked, frozenset())
        return Solution(placements=self.best, missing=self.best_missing, complete=self.effort > 0)

    def _place(
        self,
        needs: tuple[Need, ...],
        placed: tuple[Placement, ...],
        blocked: list[Interval],
        used: Used,
    ) -> bool:
        """Extend `placed`; True once only that is missing which nothing could bring."""
        missing = sum(need.missing for need in needs)
        if missing < self.best_missing:
            self.best, self.best_missing = placed, missing
        if missing <= self.least:
            return True
        state = (
            tuple((n.missing, n.covered) for n in needs),
            frozenset((p.slot, p.segment.id, p.start) for p in placed),
        )
        if state in self.known:
            return False
        self.known.add(state)
        self.effort -= 1
        if self.effort <= 0:
            return False
        for index, need in enumerate(needs):
            if need.missing == 0:
                continue
            for placement in self._possible(index, need, placed, blocked, used):
                segment, start = placement.segment, placement.start
                after = tuple(one.after(segment.programme, segment.topics, start) for one in needs)
                taken = sorted([*blocked, placement.during])
                if self._place(after, (*placed, placement), taken, used | {(segment.id, start)}):
                    return True
                if self.effort <= 0:
                    return False
        return False

    def _possible(
        self, index: int, need: Need, placed: tuple[Placement, ...], blocked: list[Interval], used: Used
    ) -> list[Placement]:
        """Return the ways to bring one need further: the grid's slots by time, then a make-up at its earliest."""
        found: list[Placement] = []
        offers = self.problem.offered(need, used)
        taken = {one.slot: one.during.seconds for one in placed if one.slot is not None}
        for opening in self.problem.openings:
            if opening.slot in taken or not need.owed.during.contains(opening.start):
                continue
            prefix = f"{opening.session}/"
            spent_s = sum(seconds for slot, seconds in taken.items() if slot.startswith(prefix))
            for offer in offers:
                segment = offer.segment
                if segment.programme != opening.programme or opening.start < offer.since:
                    continue
                during = Interval(opening.start, opening.start + segment.duration)
                left = opening.left_s is None or spent_s + during.seconds <= opening.left_s
                free = left and during.end <= opening.until and not _overlaps(during, blocked)
                if free and self._may(need, segment, during, placed):
                    found.append(
                        Placement(
                            slot=opening.slot, need=need, choice=offer.choice, segment=segment, start=opening.start
                        )
                    )
        made_up = sum(1 for one in placed if one.slot is None and one.need.owed == need.owed)
        if made_up >= self.problem.tries[index]:
            return found
        for offer in offers:
            start = self._earliest(index, need, offer, placed, blocked)
            if start is not None:
                found.append(Placement(slot=None, need=need, choice=offer.choice, segment=offer.segment, start=start))
        return found

    def _may(self, need: Need, segment: Segment, during: Interval, placed: tuple[Placement, ...]) -> bool:
        if not segment.valid_at(during.start) or not need.counts(segment.programme, segment.topics, during.start):
            return False
        if self.problem.longest_s is not None and during.seconds > self.problem.longest_s:
            return False
        day = during.start.astimezone(self.problem.zone).date()
        left = self.problem.day_left_s(day)
        if left is None:
            return True
        same = (one.during for one in placed if one.start.astimezone(self.problem.zone).date() == day)
        return sum(stretch.seconds for stretch in same) + during.seconds <= left

    def _earliest(
        self, index: int, need: Need, offer: Offer, placed: tuple[Placement, ...], blocked: list[Interval]
    ) -> datetime | None:
        """Return the first moment for a whole make-up in the windows of its duty, None where there is none."""
        segment, length = offer.segment, offer.segment.duration
        for window in self.problem.windows[index]:
            start = self._not_before(max(window.start, offer.since, segment.valid_from or offer.since), window)
            while start + length <= window.end:
                during = Interval(start, start + length)
                if during.end <= self.problem.earliest:
                    # The mark was within the grace, but what is so short would be over before it could begin.
                    start = self._not_before(self.problem.earliest, window)
                    continue
                blocker = next((b for b in blocked if b.overlaps(during)), None)
                if blocker is not None:
                    start = self._not_before(max(blocker.end, start + timedelta(microseconds=1)), window)
                    continue
                if self._may(need, segment, during, placed):
                    return start
                # The day is full, or the recording is over: on another day it may do.
                start = self._not_before(self._next_day(start), window)
        return None

    def _not_before(self, moment: datetime, window: Interval) -> datetime:
        """Return the first start at or after `moment` (and now) in a window: on a mark, or exactly."""
        if self.step is None:
            return max(moment, self.problem.earliest)
        moment = max(moment, self.problem.earliest - self.problem.grace)
        if moment <= window.start:
            return window.start
        return window.start + self.step * -((window.start - moment) // self.step)

    def _next_day(self, moment: datetime) -> datetime:
        local = moment.astimezone(self.problem.zone)
        midnight = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        return max(midnight.astimezone(moment.tzinfo), moment + timedelta(minutes=1))


def _least(problem: Problem) -> int:
    """Return how much will be missing at least, whatever is tried; an airing for one duty may serve another too."""
    nothing: Used = frozenset()
    offers = [problem.offered(need, nothing) if need.missing else () for need in problem.needs]
    return sum(max(0, need.missing - _most(problem, need, offers)) for need in problem.needs)


def _most(problem: Problem, need: Need, offers: list[tuple[Offer, ...]]) -> int:
    """Return how much a need could get at most if only what counts for it were placed.

    offers: what each need could air; a make-up of one that counts for `need` too may lie in the windows of that one.
    """
    during = need.owed.during

    def of_need(offer: Offer) -> bool:
        return need.counts(offer.segment.programme, offer.segment.topics, during.start)

    sharing = {n: tuple(filter(of_need, mine)) for n, mine in enumerate(offers) if any(map(of_need, mine))}
    fitting = [offer for mine in sharing.values() for offer in mine]
    if not fitting:
        return 0
    programmes = {offer.segment.programme for offer in fitting}
    shortest = min(offer.segment.duration for offer in fitting)
    openings = sum(o.programme in programmes and during.contains(o.start) for o in problem.openings)
    places = openings + sum(min(problem.tries[n], _rooms(problem, n, shortest)) for n in sharing)
    if need.owed.duty.counting is Counting.TOPICS:
        reached = need
        for offer in fitting:
            reached = reached.after(offer.segment.programme, offer.segment.topics, during.start)
        return need.missing - reached.missing if places else 0
    once = frozenset((offer.segment.id, during.start - _LONG_AGO) for offer in fitting)
    again = any(of_need(offer) for n in sharing for offer in problem.offered(problem.needs[n], once))
    return places if again else min(places, len(once))


def _rooms(problem: Problem, index: int, shortest: timedelta) -> int:
    """Return how many make-ups of that length the windows of a need hold beside what keeps its time."""
    rooms = 0
    blocked = sorted(problem.blocked)
    for window in problem.windows[index]:
        start = max(window.start, problem.earliest - problem.grace)
        for taken in (one for one in blocked if one.end > start):
            if taken.start >= window.end:
                break
            rooms += max(timedelta(0), taken.start - start) // shortest
            start = max(start, taken.end)
        rooms += max(timedelta(0), window.end - start) // shortest
    return rooms


def _overlaps(during: Interval, blocked: list[Interval]) -> bool:
    return any(one.overlaps(during) for one in blocked)
