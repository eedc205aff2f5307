"""What to arm, cut and settle now: harmless to ask twice, late, or after a crash."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest

from schedules.airing import Facts, Outage, Part, Run, RunState, Silence, Verdict
from schedules.clock import Interval
from schedules.grid import Timing
from schedules.intent import Intent
from schedules.planner import plan
from schedules.reconcile import LEAD, Arm, Cut, Decide, Disarm, Settle, player_wanted, reconcile
from schedules.rundown import Rundown, RundownItem
from schedules.text import Text
from tests.schedules.builders import intent, local, one_off, place, row, segment, session

START = local(23, 5, 30)
DAY = Interval(local(23, 0), local(24, 0))


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def decided(seconds: float = 600, **more: object) -> Intent:
    return intent(
        segments=(segment("moi", seconds=seconds),), sessions=(session(place("cds", programme="CDS")),), **more
    )


def made(now: datetime, facts: Facts | None = None, what: Intent | None = None) -> tuple[Rundown, Facts]:
    known = facts or Facts(station="XA")
    return plan(what or decided(), known, now, DAY), known


def asked(
    now: datetime, facts: Facts | None = None, what: Intent | None = None, *, ready: bool = True
) -> tuple[object, ...]:
    rundown, known = made(now, facts, what)
    return reconcile(rundown, known, now, ready=ready)


def item_of(what: Intent) -> RundownItem:
    return made(local(23, 4), what=what)[0].items[0]


def playing(item: RundownItem, *, heard_s: float, state: RunState = RunState.PLAYING, **more: object) -> Facts:
    run = Run(
        item=item,
        state=state,
        start_at=item.start,
        started_at=item.start,
        part_started_at=item.start,
        position=round(heard_s * 48_000),
        position_at=item.start + timedelta(seconds=heard_s),
        **more,  # type: ignore[arg-type]
    )
    if state is RunState.INTERRUPTED:
        part = Part(first=0, next=run.position, started_at=item.start, ended_at=run.position_at)
        run = replace(run, parts=(part,), part_started_at=None)
    return Facts(station="XA", runs=(run,))


def test_an_item_is_armed_shortly_before_its_start() -> None:
    """Twenty seconds ahead it is handed over for its exact start, a minute ahead nothing happens yet."""
    assert () == asked(after(-60))
    (action,) = asked(after(-15))
    assert isinstance(action, Arm)
    assert (START, 0) == (action.start, action.first)


def test_nothing_is_armed_while_the_clock_or_the_player_is_not_ready() -> None:
    """An untrusted clock arms nothing, and a slot whose late limit has passed is missed all the same."""
    assert () == asked(after(-5), ready=False)
    (action,) = asked(after(301), ready=False)
    assert isinstance(action, Decide)
    assert Verdict.MISSED is action.verdict


def test_the_next_item_is_armed_to_join_the_one_before() -> None:
    """Without a gap: the second item is handed over to follow the first one's last sample."""
    what = intent(
        segments=(segment("a", seconds=10), segment("b", seconds=10)),
        sessions=(session(place("a", fixed="a"), place("b", fixed="b")),),
    )
    first = item_of(what)
    run = Run(item=first, state=RunState.ARMED, start_at=START)

    (action,) = asked(after(-5), Facts(station="XA", runs=(run,)), what)

    assert isinstance(action, Arm)
    assert first.slot == action.joins


def test_asking_twice_changes_nothing() -> None:
    """What is armed as planned is left alone."""
    run = Run(item=item_of(decided()), state=RunState.ARMED, start_at=START)

    assert () == asked(after(-5), Facts(station="XA", runs=(run,)))


def test_an_armed_item_is_taken_back_when_the_plan_no_longer_holds_it() -> None:
    """An approval withdrawn ten seconds before air time takes the item off the player."""
    run = Run(item=item_of(decided()), state=RunState.ARMED, start_at=START)
    withdrawn = replace(decided(), segments=())

    actions = asked(after(-5), Facts(station="XA", runs=(run,)), withdrawn)

    assert [Disarm(run.slot)] == [action for action in actions if isinstance(action, Disarm)]


@pytest.mark.parametrize("hole_s", [1.0, 4.0, 120.0])
def test_an_interrupted_programme_goes_on_where_the_clock_is(hole_s: float) -> None:
    """A player killed in a ten-minute programme: whatever the hole, the end stays where it was planned."""
    facts = playing(item_of(decided()), heard_s=60, state=RunState.INTERRUPTED)

    (action,) = asked(after(60 + hole_s), facts)

    assert isinstance(action, Arm)
    assert round((60 + hole_s + LEAD.total_seconds()) * 48_000) == action.first
    assert after(60 + hole_s + LEAD.total_seconds()) == action.start


def test_a_short_notice_is_begun_again_after_a_long_hole() -> None:
    """An announcement of a minute that lost ten seconds is told from the beginning."""
    what = decided(seconds=60)
    facts = playing(item_of(what), heard_s=20, state=RunState.INTERRUPTED)

    (action,) = asked(after(32), facts, what)

    assert isinstance(action, Arm)
    assert 0 == action.first


def test_the_rest_of_a_programme_is_left_when_too_little_remains() -> None:
    """With under a minute of ten left after a long hole, the airing ends as what it is."""
    facts = playing(item_of(decided()), heard_s=500, state=RunState.INTERRUPTED)

    assert (Settle(facts.runs[0].slot),) == asked(after(560), facts)


def test_an_airing_that_a_power_cut_ended_says_so() -> None:
    """The row names what happened to the station, and does not accuse an output."""
    off = Text("Máy tắt.", "Switched off.")
    outage = Outage(during=Interval(after(505), after(600)), reason=off)
    facts = replace(playing(item_of(decided()), heard_s=500, state=RunState.INTERRUPTED), outages=(outage,))

    assert (Settle(facts.runs[0].slot, off),) == asked(after(600), facts)


def test_an_ended_run_is_settled() -> None:
    """What the player ended is judged at once."""
    facts = playing(item_of(decided()), heard_s=600, state=RunState.ENDED)

    assert (Settle(facts.runs[0].slot),) == asked(after(601), facts)


def test_an_ordered_airing_cuts_what_plays_just_in_time() -> None:
    """A second ahead the item on air is told when to be silent: at the ordered instant."""
    what = decided(one_offs=(one_off("1", "moi", after(30)),))
    facts = playing(replace(item_of(decided())), heard_s=20)

    assert not any(isinstance(action, Cut) for action in asked(after(28.5), facts, what))
    assert [after(30)] == [action.silent_at for action in asked(after(29.2), facts, what) if isinstance(action, Cut)]


def test_a_slot_that_passed_while_the_station_was_off_says_so() -> None:
    """The reason of the row is the outage that covered its time."""
    why = Text("Mất điện.", "No power.")
    facts = Facts(station="XA", outages=(Outage(during=Interval(after(-60), after(900)), reason=why),))

    (action,) = asked(after(1000), facts)

    assert isinstance(action, Decide)
    assert (Verdict.MISSED, why) == (action.verdict, action.reason)


def test_nothing_older_than_the_station_is_decided() -> None:
    """A slot due before the station's first row was never its to air."""
    assert () == asked(after(1000), Facts(station="XA", since=after(900)))


def test_a_settled_slot_is_never_decided_again() -> None:
    """One slot, one row: a clock set back does not air it twice."""
    facts = Facts(station="XA", airings=(row(item_of(decided()), Verdict.AIRED),), aired={"moi": START})

    assert () == asked(after(-5), facts)
    assert () == asked(after(1000), facts)


def test_a_cancelled_order_is_decided_with_the_name_of_who_took_it_out() -> None:
    """The air log says cancelled, and by whom."""
    what = intent(
        segments=(segment("moi"),),
        one_offs=(one_off("1", "moi", after(600), cancelled_by="Ông Nghĩa", cancelled_at=after(0)),),
    )

    (action,) = asked(after(1), what=what)

    assert isinstance(action, Decide)
    assert (Verdict.CANCELLED, "Ông Nghĩa") == (action.verdict, action.by)


def test_the_rest_of_a_silenced_session_is_cancelled() -> None:
    """Whoever stops a session stops what was still to come in it, not the next session."""
    what = intent(
        segments=(segment("a", seconds=60), segment("b", seconds=60)),
        sessions=(
            session(place("a", fixed="a"), place("b", fixed="b")),
            session(place("c", fixed="a"), name="trua", starts=(time(11),)),
        ),
    )
    silence = Silence(session="XA/sang/2026-11-23", by="Ông Nghĩa", reason="Nhầm bài")
    first = item_of(what)
    facts = Facts(station="XA", airings=(row(first, Verdict.PARTIAL),), silences=(silence,))

    (action,) = asked(after(30), facts, what)

    assert isinstance(action, Decide)
    assert "XA/sang/2026-11-23/b" == action.item.slot
    assert Verdict.CANCELLED is action.verdict


@pytest.mark.parametrize(("seconds", "wanted"), [(-90, False), (-59, True), (10, True), (290, True), (301, False)])
def test_the_player_is_there_from_a_minute_before_until_it_is_too_late(seconds: float, wanted: bool) -> None:
    """It is started early enough to see that an output is missing, and goes when nothing can begin any more."""
    rundown, facts = made(after(seconds))

    assert wanted is player_wanted(rundown, facts, after(seconds))


def test_a_hard_order_too_late_is_missed_after_half_a_minute() -> None:
    """Exact times are kept or missed: at most 30 seconds late."""
    what = intent(segments=(segment("moi"),), one_offs=(one_off("1", "moi", START, Timing.HARD),))

    assert isinstance(asked(after(29), what=what)[0], Arm)
    assert isinstance(asked(after(31), what=what)[0], Decide)


def test_what_could_only_begin_after_its_limit_is_not_begun() -> None:
    """Half a minute late is allowed, and the player needs a moment: what could not sound by then is missed."""
    order = intent(
        segments=(segment("moi", seconds=600),), sessions=(), one_offs=(one_off("o", "moi", START, Timing.HARD),)
    )
    last = after(30) - LEAD

    (in_time,), (too_late,) = asked(last, what=order), asked(last + timedelta(milliseconds=1), what=order)

    assert isinstance(in_time, Arm) and after(30) == in_time.start
    assert isinstance(too_late, Decide) and Verdict.MISSED is too_late.verdict
