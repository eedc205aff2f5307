"""Duties at the station: sealed once when their deadline has passed, and remembered as long as they need."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path

import pytest

from playout.journal.journal import verify_file
from schedules.airing import Verdict
from schedules.clock import ClockState
from schedules.duty import DutyState, Period
from schedules.text import Text
from tests.playout.village import Village
from tests.schedules.builders import BEFORE, duty, local, place, session

START = local(23, 5, 30)
EARLY = {"deadline_days": 6, "deadline_at": time(6), "windows": ()}
"""Due on Monday at six: the deadline of a week whose only session is on Monday at half past five."""

KNOWN = ClockState(trusted=True, reason=Text("Đã có giờ.", "The time is known."))
NEVER = ClockState(trusted=False, reason=Text("Chưa biết giờ.", "The time is not known."))


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder in memory where there is one."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


def owing(folder: Path, *duties_: object, weekdays: tuple[int, ...] = (1,), **more: object) -> Village:
    """A station with one short session and these duties."""
    village = Village(folder, **more)
    village.decide(
        segments=(village.recorded("cds", 60),),
        sessions=(session(place("cds", programme="CDS"), weekdays=weekdays),),
        duties=duties_,
    )
    return village


def test_a_duty_is_sealed_once_when_its_deadline_has_passed(folder: Path) -> None:
    """One row for the period, after the row that fulfilled it, also over a restart; the chain holds."""
    village = owing(folder, duty(**EARLY))
    village.until(START + timedelta(minutes=5))
    assert [] == village.outcomes()
    village.live(3600, step_s=20)

    (outcome,) = village.outcomes()
    assert (DutyState.MET, "2026-W48", local(23, 6)) == (outcome.state, outcome.period, outcome.deadline)
    assert ("XA/sang/2026-11-23/cds",) == outcome.slots

    village.crash()
    village.boot()
    village.live(600, step_s=20)
    assert [outcome] == village.outcomes()
    assert "2026-W48" in {standing.period for standing in village.daemon.plan(START, START).duties}
    assert verify_file(village.journal.path)[0] == village.journal.head[0]


def test_a_missed_duty_is_sealed_as_missed_with_its_reason(folder: Path) -> None:
    """Switched off over the session, the station says so when it is back, and nothing decided later turns it green."""
    village = owing(folder, duty(**EARLY))
    village.live(10)
    village.crash()
    village.clock.advance(7200)
    village.boot()
    village.live(1200, step_s=20)

    (outcome,) = village.outcomes()
    assert DutyState.MISSED is outcome.state
    assert "Máy phát tắt" in outcome.reason.vi

    village.decide(duties=(duty(**EARLY, count=0),))
    village.live(120, step_s=20)
    assert [outcome] == village.outcomes()


def test_nothing_is_sealed_while_the_time_is_not_known(folder: Path) -> None:
    """An untrusted clock may show next month: the outcome waits until the time is known."""
    village = owing(folder, duty(**EARLY))
    village.until(START + timedelta(minutes=5))
    village.clock.trusted = NEVER
    village.live(7200, step_s=20)
    assert [] == village.outcomes()

    village.clock.trusted = KNOWN
    village.live(10)
    assert [DutyState.MET] == [outcome.state for outcome in village.outcomes()]


def test_a_new_station_judges_no_week_before_its_own(folder: Path) -> None:
    """What was over before the station knew the time for the first time is nobody's verdict."""
    village = owing(folder, duty(**EARLY), now=local(25, 9))
    village.live(600, step_s=20)
    assert [] == village.outcomes()


@pytest.mark.parametrize("first", ["long", "week"])
def test_a_yearly_duty_still_knows_what_aired_in_spring(folder: Path, first: str) -> None:
    """Rows older than two months count for a yearly duty, also where the duty was ordered only afterwards."""
    yearly = duty(code="NAM", period=Period.YEAR, count=2)
    village = owing(folder, yearly if first == "long" else duty(), weekdays=(5,), now=START - timedelta(days=199))
    village.until(START - timedelta(days=199) + timedelta(minutes=40))
    assert [Verdict.AIRED] == [airing.verdict for airing in village.airings()]
    village.crash()
    village.clock.advance(199 * 86_400)
    village.boot()
    village.live(10)
    if first == "week":
        village.decide(duties=(yearly,))
        village.live(10)

    (standing,) = (s for s in village.daemon.plan(START, START).duties if s.duty == "NAM")
    assert village.airings()[0].slot in standing.slots


def test_a_duty_of_another_station_is_not_sealed_here(folder: Path) -> None:
    """Each station seals its own."""
    village = owing(folder, replace(duty(**EARLY), stations=("KHAC",), since=BEFORE))
    village.live(7200, step_s=20)
    assert [] == village.outcomes()
