"""What a station keeps in mind: enough for its duties, and not more from year to year."""

from __future__ import annotations

from datetime import timedelta

import pytest

from playout.memory import LONG_SPANS, SPAN, Memory
from schedules.airing import Airing, Facts, Verdict
from schedules.clock import Interval
from schedules.duty import DutyOutcome, DutyState, Period
from schedules.planner import plan
from schedules.text import Text
from tests.schedules.builders import duty, intent, local, place, row, segment, session

NOW = local(23, 6)
A_DAY = timedelta(days=1)
YEARLY = duty(code="NAM", period=Period.YEAR)


def aired(slot: str, ago: timedelta, **more: object) -> Airing:
    """A row of an item that aired so long ago."""
    decided = intent(segments=(segment("cds"),), sessions=(session(place("cds", programme="CDS")),))
    (item,) = plan(decided, Facts(station="XA"), NOW, Interval(local(24, 0), local(25, 0))).items
    return row(item, Verdict.AIRED, slot=slot, planned_start=NOW - ago, started_at=NOW - ago, **more)


def test_two_months_are_kept_of_everything() -> None:
    """Younger rows are there whatever they are of; when a recording last aired is never forgotten."""
    memory = Memory()
    memory.keep(aired("new", SPAN - A_DAY, programme="TIN"), NOW)
    memory.keep(aired("old", SPAN + A_DAY), NOW)

    assert {"new"} == set(memory.airings)
    assert {"cds": NOW - SPAN - A_DAY} == memory.aired


@pytest.mark.parametrize(
    ("more", "kept"),
    [({}, True), ({"programme": "TIN"}, False), ({"topics": ()}, False), ({"programme": "TIN", "duty": "NAM"}, True)],
)
def test_a_long_duty_keeps_what_concerns_it(more: dict[str, object], kept: bool) -> None:
    """Rows of its programme and topic, and those that were planned for it, stay as long as its period needs."""
    memory = Memory()
    assert memory.expect([YEARLY, duty()])
    memory.keep(aired("old", timedelta(days=300), **more), NOW)

    assert kept is ("old" in memory.airings)


@pytest.mark.parametrize("period", [Period.MONTH, Period.YEAR])
def test_what_a_new_duty_needs_is_read_again(period: Period) -> None:
    """Only a duty that was not known asks for old rows; they come back as far as its period reaches."""
    memory = Memory()
    rows = [aired("old", LONG_SPANS[period] - A_DAY), aired("older", LONG_SPANS[period] + A_DAY)]
    assert not memory.expect([duty()])
    assert memory.expect([duty(code="DAI", period=period)])
    assert not memory.expect([duty(code="DAI", period=period)])
    memory.recall(rows, NOW)

    assert {"old"} == set(memory.airings)


def test_what_nothing_needs_is_let_go() -> None:
    """Time passes and duties end: rows go that were kept before."""
    memory = Memory()
    memory.expect([YEARLY])
    memory.keep(aired("spring", timedelta(days=200)), NOW)
    memory.keep(aired("today", timedelta(0)), NOW)
    memory.let_go(NOW)
    assert {"spring", "today"} == set(memory.airings)

    memory.expect([])
    memory.let_go(NOW)
    assert {"today"} == set(memory.airings)


def test_a_clock_that_is_ahead_costs_no_row() -> None:
    """Years ahead, what aired today is still known when the clock steps back."""
    memory = Memory()
    memory.keep(aired("today", timedelta(0)), NOW)
    memory.let_go(NOW + timedelta(days=1000))

    assert {"today"} == set(memory.airings)


def test_how_a_duty_ended_stays_as_it_was_sealed_first() -> None:
    """A second row for the period changes nothing; what ended long ago is let go."""
    memory = Memory()
    outcome = DutyOutcome(
        duty="CDS",
        station="XA",
        period="2026-W47",
        state=DutyState.MISSED,
        deadline=NOW,
        slots=(),
        reason=Text("Mất điện.", "No power."),
    )
    memory.keep_outcome(outcome, NOW)
    memory.keep_outcome(DutyOutcome(**{**_fields(outcome), "state": DutyState.MET}), NOW)
    memory.keep_outcome(DutyOutcome(**{**_fields(outcome), "period": "2025-W20", "deadline": NOW - 450 * A_DAY}), NOW)

    assert [outcome] == list(memory.outcomes.values())


def _fields(outcome: DutyOutcome) -> dict[str, object]:
    return {name: getattr(outcome, name) for name in DutyOutcome.__dataclass_fields__}
