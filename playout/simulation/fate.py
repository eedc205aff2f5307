"""What goes wrong when, drawn from the seed: some of it at any time, most of it where it hurts."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from link.scenario import FaultRates

DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Stroke:
    """One fault, due at `at_us` (true time). aimed: it waits for the next item that is armed, and strikes around it."""

    at_us: int
    kind: str
    aimed: bool


def draw(rates: FaultRates, dice: random.Random, *, first_us: int, days: int) -> list[Stroke]:
    """Return the faults of one station, in time order; a rate is the mean number a week."""
    strokes = []
    for kind in FaultRates.__dataclass_fields__:
        for day in range(days):
            for _ in range(_poisson(getattr(rates, kind) / 7, dice)):
                at_us = first_us + day * DAY_US + round(dice.random() * DAY_US)
                strokes.append(Stroke(at_us=at_us, kind=kind, aimed=dice.random() < 0.75))
    return sorted(strokes, key=lambda stroke: (stroke.at_us, stroke.kind))


def around(dice: random.Random, *, length_us: int) -> int:
    """Return when to strike an item, microseconds from its start: just before, at the very start, or inside."""
    drawn = dice.random()
    if drawn < 0.25:
        return -round(dice.random() * 18e6)
    if drawn < 0.45:
        return round((dice.random() * 2 - 1) * 1e6)
    return round(dice.random() * length_us)


def outage_us(dice: random.Random) -> int:
    """Return how long power or a line is gone: mostly seconds to minutes, sometimes hours, seldom days."""
    drawn = dice.random()
    low_s, high_s = (
        (1, 60) if drawn < 0.4 else (60, 900) if drawn < 0.7 else (3600, 30_000) if drawn < 0.93 else (1e5, 2e5)
    )
    return round(math.exp(dice.uniform(math.log(low_s), math.log(high_s))) * 1e6)


def step_s(dice: random.Random) -> float:
    """Return by how much a clock is set: two seconds to two hours, forward or back."""
    return round(math.exp(dice.uniform(math.log(2.5), math.log(7200))) * dice.choice((-1, 1)), 3)


def _poisson(mean: float, dice: random.Random) -> int:
    limit, product, count = math.exp(-mean), dice.random(), 0
    while product > limit:
        product *= dice.random()
        count += 1
    return count
