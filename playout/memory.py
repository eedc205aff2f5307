"""What a station keeps in mind of its journal: as much as its plan and its duties need, and no more."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from schedules.airing import Airing, Verdict
from schedules.duty import Duty, DutyOutcome, Period
from schedules.grid import SlotId
from schedules.owing import matches

SPAN = timedelta(days=62)
LONG_SPANS = {Period.WEEK: SPAN, Period.MONTH: SPAN + timedelta(days=31), Period.YEAR: SPAN + timedelta(days=366)}
"""How long rows stay in mind that concern a duty, by its period: as long as one, and two months."""


class Memory:
    """Rows and outcomes by their names, and when each recording last aired whole, however long ago."""

    def __init__(self) -> None:
        self.airings: dict[SlotId, Airing] = {}
        self.aired: dict[str, datetime] = {}
        self.outcomes: dict[tuple[str, str], DutyOutcome] = {}
        self._long: frozenset[Duty] = frozenset()

    def keep(self, airing: Airing, now: datetime) -> None:
        """Keep a final row in mind, where it is needed at `now`."""
        if airing.verdict is Verdict.AIRED and airing.segment is not None:
            self.aired[airing.segment] = airing.started_at or airing.planned_start
        if self._needed(airing, now):
            self.airings[airing.slot] = airing

    def keep_outcome(self, outcome: DutyOutcome, now: datetime) -> None:
        """Keep how a duty ended; what was sealed first stands."""
        if now - outcome.deadline < LONG_SPANS[Period.YEAR]:
            self.outcomes.setdefault((outcome.duty, outcome.period), outcome)

    def expect(self, duties: Iterable[Duty]) -> bool:
        """Take in which duties there are; True where they need older rows than were kept, which come by `recall`."""
        long = frozenset(duty for duty in duties if duty.period is not Period.WEEK)
        more = not long <= self._long
        self._long = long
        return more

    def recall(self, airings: Iterable[Airing], now: datetime) -> None:
        """Take old rows in again, where they are needed at `now`; what is in mind stays as it is."""
        for airing in airings:
            if airing.slot not in self.airings and self._needed(airing, now):
                self.airings[airing.slot] = airing

    def let_go(self, now: datetime) -> None:
        """Forget rows that nothing needs at `now` any more."""
        newest = max((airing.planned_start for airing in self.airings.values()), default=now)
        # A clock that is far ahead may step back, and what it made old is needed again.
        reference = min(now, newest)
        self.airings = {slot: airing for slot, airing in self.airings.items() if self._needed(airing, reference)}

    def _needed(self, airing: Airing, now: datetime) -> bool:
        age = now - airing.planned_start
        return age < SPAN or any(
            age < LONG_SPANS[duty.period]
            and (duty.code == airing.duty or matches(duty, airing.programme, airing.topics))
            for duty in self._long
        )
