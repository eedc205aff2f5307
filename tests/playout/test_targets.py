"""Items for some cluster groups: heard on their outputs only, judged by them, and silent elsewhere."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path

import pytest

from playout.specs import OutputSpec
from schedules.airing import Verdict
from schedules.grid import SessionRule
from schedules.station import WHOLE_DAY, ClusterGroup, DaySpan, Station
from tests.playout.village import Village
from tests.schedules.builders import local, place, session

START = local(23, 5, 30)
OUTPUTS = (
    OutputSpec(name="square", kind="pulse", device="a"),
    OutputSpec(name="one", kind="pulse", device="b", groups=("thon-1",)),
    OutputSpec(name="both", kind="pulse", device="c", groups=("thon-1", "thon-2")),
)
GROUPS = (ClusterGroup(code="thon-1", name="Thôn 1"), ClusterGroup(code="thon-2", name="Thôn 2"))


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder in memory where there is one."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


def village_of(
    folder: Path,
    *targets: str,
    outputs: tuple[OutputSpec, ...] = OUTPUTS,
    groups: tuple[ClusterGroup, ...] = GROUPS,
) -> Village:
    """A station with groups, and a session for some of them."""
    village = Village(folder, outputs=outputs)
    station = Station(code="XA", name="Đài", unit="XA", permitted=WHOLE_DAY, groups=groups)
    rule: SessionRule = replace(session(place("cds", programme="CDS")), targets=targets)
    village.decide(stations=(station,), segments=(village.recorded("cds", 30),), sessions=(rule,))
    return village


@pytest.mark.parametrize(
    ("targets", "heard"),
    [
        ((), ["square", "one", "both"]),
        (("thon-1", "thon-2"), ["square", "one", "both"]),
        (("thon-1",), ["square", "one", "both"]),
        (("thon-2",), ["square", "both"]),
    ],
)
def test_only_the_outputs_of_its_groups_are_asked_and_judged(
    folder: Path, targets: tuple[str, ...], heard: list[str]
) -> None:
    """An output without groups hears everything, the others what is meant for one of theirs; the row lists these."""
    village = village_of(folder, *targets)
    village.until(START - timedelta(seconds=10))
    (order,) = village.players[-1].armed.values()
    assert order["outputs"] == (None if len(heard) == 3 else heard)

    village.until(START + timedelta(minutes=1))
    (airing,) = village.airings()
    assert Verdict.AIRED is airing.verdict
    assert heard == [output.name for output in airing.outputs]
    assert all(output.samples == airing.samples_expected for output in airing.outputs)


def test_a_group_whose_hours_are_closed_does_not_hear_it(folder: Path) -> None:
    """The plan leaves the group out, and its output stays silent."""
    late = ClusterGroup(code="thon-1", name="Thôn 1", permitted=(DaySpan(start=time(6), end=time(20)),))
    village = village_of(folder, groups=(late, GROUPS[1]), outputs=OUTPUTS[1:])
    village.until(START + timedelta(minutes=1))
    (airing,) = village.airings()
    assert ["both"] == [output.name for output in airing.outputs]
    assert Verdict.AIRED is airing.verdict


def test_without_an_output_for_its_groups_it_is_missed_and_says_so(folder: Path) -> None:
    """Nothing sounds anywhere; the row names the reason when the time has come, and what follows airs."""
    village = village_of(folder, "thon-2", outputs=OUTPUTS[1:2])
    rules = (*village.decided.sessions, session(place("cds", programme="CDS"), name="chung", starts=(time(6),)))
    village.decide(sessions=rules)
    village.until(START - timedelta(seconds=1))
    assert [] == village.airings()
    village.until(START + timedelta(minutes=32))

    missed, aired = village.airings()
    assert (Verdict.MISSED, Verdict.AIRED) == (missed.verdict, aired.verdict)
    assert missed.reason is not None
    assert "cụm loa" in missed.reason.vi
    assert 1 == len([airing for airing in village.airings() if airing.verdict is Verdict.MISSED])
