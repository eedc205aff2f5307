"""Runs a scenario through simulated days, from one interesting moment to the next, all from one seed."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from link.scenario import FaultRates, Scenario
from playout.simulation.authority import Authority
from playout.simulation.fate import DAY_US
from playout.simulation.invariants import midnight
from playout.simulation.report import SimulationReport, Violation
from playout.simulation.resident import Options, Resident
from playout.simulation.simulatedclock import micros, moment
from schedules.segment import Segment

_AFTERWARDS_US = 3 * 3_600_000_000
_MOST_VIOLATIONS = 20


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
        self._start_us = micros(midnight(zone, first_day))
        self._end_us = self._start_us + days * DAY_US
        self.now_us = self._start_us
        self._entries: list[tuple[int, int, Callable[[], None]]] = []
        self._number = 0
        self._authority = Authority(scenario, first=moment(self._start_us), last=moment(self._end_us), seed=seed)
        self._residents = [
            Resident(self, station, seed=seed, options=options, faults=faults) for station in scenario.stations
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
                    resident.misfortune.expect(event)
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
