"""Duties: met by what aired, made up after a miss, never green by anything else."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from schedules.airing import Airing, Facts, Run, RunState, Verdict
from schedules.clock import Interval
from schedules.duty import DutyStanding, DutyState
from schedules.intent import Intent
from schedules.planner import plan
from schedules.rundown import Rundown, RundownItem
from schedules.standing import duty_standings
from tests.schedules.builders import duty, intent, local, place, row, segment, session

FRIDAY = (5,)


def week(decided: Intent, now: datetime, facts: Facts | None = None) -> Rundown:
    return plan(decided, facts or Facts(station="XA"), now, Interval(local(23, 0), local(30, 0)))


def only(rundown: Rundown) -> DutyStanding:
    (standing,) = rundown.duties
    return standing


def weekly(**more: object) -> Intent:
    return intent(
        segments=(segment("moi", seconds=300),),
        sessions=(session(place("cds", programme="CDS"), weekdays=FRIDAY),),
        duties=(duty(),),
        **more,
    )


def friday(decided: Intent) -> RundownItem:
    return next(item for item in week(decided, local(23, 4)).items if item.programme == "CDS")


def make_up(rundown: Rundown) -> RundownItem | None:
    """Return the first make-up that is still to come."""
    return next((i for i in rundown.items if "/makeup." in i.slot and i.late_limit_s > 0), None)


def test_a_duty_with_its_slot_ahead_is_planned() -> None:
    """The grid holds a slot before the deadline: planned; the reason says when, the fallback what follows a failure."""
    standing = only(week(weekly(), local(23, 4)))

    assert DutyState.PLANNED is standing.state
    assert local(30, 0) == standing.deadline
    assert "05:30 27/11" in standing.reason.vi
    assert standing.fallback is not None and "05:30 28/11" in standing.fallback.vi
    assert [local(27, 5, 30), local(28, 5, 30)] == [chance.start for chance in standing.chances]


def test_a_duty_that_aired_is_met_and_not_aired_again() -> None:
    """One whole airing fulfils the week; nothing is added."""
    decided = weekly()
    facts = Facts(station="XA", airings=(row(friday(decided), Verdict.AIRED),), aired={"moi": local(27, 5, 30)})

    rundown = week(decided, local(27, 7), facts)

    assert DutyState.MET is only(rundown).state
    assert make_up(rundown) is None


@pytest.mark.parametrize("verdict", [Verdict.MISSED, Verdict.PARTIAL])
def test_a_miss_is_made_up_whole_in_the_next_window(verdict: Verdict) -> None:
    """After a missed or cut Friday the station plans the whole item for Saturday 05:30, and says why."""
    decided = weekly()
    facts = Facts(station="XA", airings=(row(friday(decided), verdict),))

    rundown = week(decided, local(27, 7), facts)
    item = make_up(rundown)

    assert item is not None
    assert local(28, 5, 30) == item.start
    assert timedelta(seconds=300) == item.end - item.start
    assert "XA/makeup.CDS-XA/2026-11-23/1" == item.slot
    assert DutyState.AT_RISK is only(rundown).state


def test_a_duty_whose_make_up_is_planned_asks_nobody_for_a_recording() -> None:
    """At risk after a miss, with the make-up in the plan: the hint is to look again, not to upload."""
    decided = weekly()
    facts = Facts(station="XA", airings=(row(friday(decided), Verdict.MISSED),))

    (finding,) = (f for f in week(decided, local(27, 7), facts).findings if f.code == "duty_at_risk")

    assert finding.hint is not None and "look again" in finding.hint.en


def test_a_make_up_that_aired_is_made_up_not_met() -> None:
    """A week saved by a make-up says so for ever."""
    decided = weekly()
    missed = row(friday(decided), Verdict.MISSED)
    item = make_up(week(decided, local(27, 7), Facts(station="XA", airings=(missed,))))
    assert item is not None
    facts = Facts(station="XA", airings=(missed, row(item, Verdict.AIRED, duty="CDS-XA")))

    assert DutyState.MADE_UP is only(week(decided, local(29, 12), facts)).state


def test_a_failed_make_up_is_tried_again_under_the_next_number() -> None:
    """The second try has its own slot, so that both rows stand in the air log."""
    decided = weekly()
    missed = row(friday(decided), Verdict.MISSED)
    first = make_up(week(decided, local(27, 7), Facts(station="XA", airings=(missed,))))
    assert first is not None
    facts = Facts(station="XA", airings=(missed, row(first, Verdict.PARTIAL, duty="CDS-XA")))

    second = make_up(week(decided, local(28, 5, 40), facts))

    assert second is not None
    assert second.slot.endswith("/2")
    assert second.start >= local(28, 5, 40) - timedelta(seconds=60)


def test_a_make_up_stands_still_while_time_passes() -> None:
    """Planned again and again in its window's first minute, it keeps its start: it can be armed; then the next mark."""
    decided = intent(segments=(segment("moi", seconds=300),), duties=(duty(),))

    def start(second: int) -> datetime | None:
        item = make_up(week(decided, local(28, 5, 30, second)))
        return None if item is None else item.start

    assert {local(28, 5, 30)} == {start(second) for second in range(0, 51, 5)}
    # Begun with the last of its minute it would be too late.
    assert {local(28, 5, 35)} == {start(second) for second in (51, 55, 59)}


def test_a_make_up_under_way_keeps_its_place() -> None:
    """What has begun is not moved to a later mark."""
    decided = intent(segments=(segment("moi", seconds=300),), duties=(duty(),))
    item = make_up(week(decided, local(28, 5, 30)))
    assert item is not None
    run = Run(item=item, state=RunState.PLAYING, start_at=item.start, started_at=item.start)

    later = make_up(week(decided, local(28, 5, 33), Facts(station="XA", runs=(run,))))

    assert item == later


def test_without_audio_the_duty_is_at_risk_and_says_what_is_missing() -> None:
    """No approved item is an early warning, not a surprise on Sunday night."""
    rundown = week(replace(weekly(), segments=()), local(23, 4))

    assert DutyState.AT_RISK is only(rundown).state
    assert "không có bài đã duyệt" in only(rundown).reason.vi
    codes = {finding.code for finding in rundown.findings}
    assert "duty_impossible" in codes
    # One sentence about it is enough.
    assert "duty_at_risk" not in codes


def test_an_item_of_another_topic_does_not_count() -> None:
    """The weekly duty wants an item that carries a topic of the letter."""
    decided = weekly()
    aired = row(friday(decided), Verdict.AIRED, topics=("KHAC",))

    assert DutyState.MET is not only(week(decided, local(27, 7), Facts(station="XA", airings=(aired,)))).state


@pytest.mark.parametrize(("demo", "state"), [(False, DutyState.PLANNED), (True, DutyState.MET)])
def test_a_rehearsal_counts_only_in_the_demonstration(demo: bool, state: DutyState) -> None:
    """Nobody in the village heard a virtual output; only the demonstration takes it for an airing."""
    decided = weekly(demo=demo)
    aired = row(friday(decided), Verdict.AIRED, rehearsal=True)

    assert state is only(week(decided, local(27, 7), Facts(station="XA", airings=(aired,)))).state


def past(rows: tuple[Airing, ...], period: str = "2026-W48") -> DutyStanding:
    decided = weekly()
    (standing,) = duty_standings(decided, decided.station("XA"), rows, local(30, 12), period)
    return standing


def test_a_week_without_an_airing_is_missed_with_its_reason() -> None:
    """When the period is over, the state comes from the rows alone."""
    decided = weekly()
    missed = row(friday(decided), Verdict.MISSED, reason=friday(decided).why)

    assert DutyState.MISSED is past((missed,)).state
    assert friday(decided).why == past((missed,)).reason
    assert DutyState.MISSED is past(()).state


def test_an_airing_of_the_next_week_does_not_turn_the_last_one_green() -> None:
    """A make-up counts only inside its period."""
    decided = weekly()
    late = row(friday(decided), Verdict.AIRED, started_at=local(30, 5, 30), planned_start=local(30, 5, 30))

    assert DutyState.MISSED is past((late,)).state
    assert DutyState.MET is past((late,), "2026-W49").state


@pytest.mark.parametrize("period", ["2026-W60", "2026-13", "tuan nay", ""])
def test_a_name_that_is_no_period_is_rejected(period: str) -> None:
    """A period that does not exist is an error, not an empty board."""
    with pytest.raises(ValueError, match=r"period|week|month"):
        past((), period)


def test_a_short_look_sees_the_slot_of_friday() -> None:
    """Asked on Monday about Monday alone, the duty is planned for Friday's slot, not for a make-up on Saturday."""
    rundown = plan(weekly(), Facts(station="XA"), local(23, 4), Interval(local(23, 0), local(24, 0)))

    assert DutyState.PLANNED is only(rundown).state
    assert ("XA/sang/2026-11-27/cds",) == only(rundown).slots
    assert () == rundown.items
