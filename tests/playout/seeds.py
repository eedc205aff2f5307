"""Many seeds in few processes: what the long runs of the simulation share, and the seeds that once found a bug."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context

from playout.simulation import SimulationReport, simulate
from tests.playout.communes import ROUGH, variety

DAYS = 14
"""Local days that each seed lives through."""

FOUND_BUGS = {
    7: "an airing of an earlier start was shifted by 56 years with the clock and began again hours late",
    16: "after a clock step the next item began 0.25 s before the late one ended",
    21: "the same after a restart, for 0.5 s",
    36: "heard whole, cut with the very write that should have said so",
    53: "two exact orders sounded together",
    115: "an order that came in the last milliseconds before an item did not cut it",
    92: "behind a place without audio the next item did not follow the one that had begun late",
    304: "behind an item that started anew, an ordered airing began on its old time",
    453: "an emergency that a clock step had made late did not cut what had begun meanwhile",
    519: "an interrupted item started anew beside an emergency that came late",
    642: "withdrawn while it played, and begun again after its player had died",
    116: "behind an item that began late because its output was gone, the next one began on its old time",
}
"""Seed, and what went wrong with it when it was first run; those that time has changed have a named test as well."""


@dataclass(slots=True)
class Tally:
    """What many seeds gave together."""

    station_days: int = 0
    checks: int = 0
    sometimes: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Count another tally in."""
        self.station_days += other.station_days
        self.checks += other.checks
        self.sometimes.update(other.sometimes)
        self.violations += other.violations


def live(seed: int) -> SimulationReport:
    """Simulate one seed of the long runs."""
    scenario, first_day = variety(seed)
    return simulate(scenario, days=DAYS, seed=seed, first_day=first_day, faults=ROUGH)


def tally(seeds: range) -> Tally:
    """Simulate some seeds."""
    total = Tally()
    for seed in seeds:
        report = live(seed)
        total.station_days += report.days * len(report.stations)
        total.checks += report.checks
        total.sometimes.update(report.sometimes)
        total.violations += [str(violation) for violation in report.violations]
    return total


def tallies(seeds: range, *, at_once: int = 20, processes: int = 2) -> Iterator[tuple[range, Tally]]:
    """Simulate many seeds in processes of their own, and give what they gave, some seeds at a time."""
    shares = [seeds[first : first + at_once] for first in range(0, len(seeds), at_once)]
    with ProcessPoolExecutor(max_workers=processes, mp_context=get_context("spawn")) as pool:
        yield from zip(shares, pool.map(tally, shares), strict=True)
