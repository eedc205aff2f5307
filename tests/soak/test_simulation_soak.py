"""The long run of the simulation: two hundred thousand station-days, to be taken up again at any seed."""

from __future__ import annotations

import os
import sys

import pytest

from tests.playout.seeds import DAYS, Tally, tallies

STATION_DAYS = 200_000


def wanted(text: str | None) -> range:
    """Return the seeds that `LOA_SEEDS` names as `first-last`; without it, as many as make the whole run."""
    if not text:
        return range(-(-STATION_DAYS // DAYS))
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_two_hundred_thousand_rough_station_days_break_no_invariant(capsys: pytest.CaptureFixture[str]) -> None:
    """Every seed lives through its days without one broken invariant; the seeds done are printed as they are done."""
    total = Tally()
    for seeds, share in tallies(wanted(os.environ.get("LOA_SEEDS")), processes=os.cpu_count() or 1):
        total.add(share)
        with capsys.disabled():
            done = f"seeds {seeds[0]}-{seeds[-1]} done: {total.station_days} station-days, {total.checks} checks"
            sys.stderr.write("\n".join([done, *share.violations, ""]))

    assert [] == total.violations
    assert total.station_days


@pytest.mark.soak
@pytest.mark.parametrize(("text", "first", "last"), [(None, 0, 14_285), ("40-99", 40, 99), ("7", 7, 7)])
def test_the_seeds_of_a_run_can_be_named(text: str | None, first: int, last: int) -> None:
    """A run that was broken off goes on where it was: LOA_SEEDS=40-99."""
    seeds = wanted(text)

    assert (first, last) == (seeds[0], seeds[-1])
