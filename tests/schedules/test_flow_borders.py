"""Borders of the pass over the grid: limits to the second, late rows, places at a time, a look beyond the horizon."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time, timedelta
from itertools import pairwise

import pytest

from schedules.airing import Facts, Run, RunState, Verdict
from schedules.clock import Interval
from schedules.duty import DutyState, DutyWindow
from schedules.flow import EMERGENCY_LIMIT_S
from schedules.grid import ItemKind, SessionItem, Timing
from schedules.intent import Intent
from schedules.planner import plan
from schedules.programme import Otherwise, Programme
from schedules.rundown import Rundown, RundownItem
from schedules.segment import Priority
from schedules.station import ClusterGroup, DaySpan, Limits, Station
from tests.schedules.builders import duty, intent, local, one_off, place, row, segment, session

MONDAY = Interval(local(23, 0), local(24, 0))
EARLY = local(23, 4)


def planned(decided: Intent, now: datetime = EARLY, facts: Facts | None = None) -> Rundown:
    return plan(decided, facts or Facts(station="XA"), now, MONDAY)


def by_place(rundown: Rundown) -> dict[str, RundownItem]:
    return {item.slot.split("/")[-1]: item for item in rundown.items}


def station(**more: object) -> Station:
    return Station(code="XA", name="Đài", unit="XA", **more)  # type: ignore[arg-type]


def codes(rundown: Rundown) -> set[str]:
    return {finding.code for finding in rundown.findings}


def test_orders_of_other_stations_and_of_other_times_are_not_planned() -> None:
    """Only this station's orders of the stretch that is asked for."""
    orders = (
        one_off("1", "k", local(23, 9)),
        replace(one_off("2", "k", local(23, 10)), station="KHAC"),
        one_off("3", "k", local(26, 9)),
    )

    assert ["1"] == list(by_place(planned(intent(segments=(segment("k"),), one_offs=orders))))


def test_a_cancelled_order_fulfils_no_duty() -> None:
    """It stays in the plan under its name; the duty is made up all the same."""
    order = one_off("1", "k", local(23, 9), cancelled_by="Bà Hạnh", cancelled_at=EARLY)
    decided = intent(segments=(segment("k"),), one_offs=(order,), duties=(duty(),))

    (standing,) = planned(decided).duties

    assert ("XA/makeup.CDS-XA/2026-11-23/1",) == standing.slots


@pytest.mark.parametrize(("limit", "airs"), [(600, True), (599, False)])
@pytest.mark.parametrize("what", ["session", "order"])
def test_a_day_is_full_to_the_second(limit: int, airs: bool, what: str) -> None:
    """Ten minutes of sound fit into a limit of ten minutes, of a session as of an order."""
    decided = intent(
        stations=(station(limits=Limits(day_s=limit)),),
        segments=(segment("k", seconds=600),),
        sessions=(session(place("1", fixed="k")),) if what == "session" else (),
        one_offs=(one_off("1", "k", local(23, 9)),) if what == "order" else (),
    )

    assert airs is (by_place(planned(decided))["1"].sha256 is not None)


@pytest.mark.parametrize(("seconds", "airs"), [(300, True), (301, False)])
def test_what_aired_of_a_session_counts_for_its_limit(seconds: float, airs: bool) -> None:
    """Ten of fifteen minutes have aired: five are left."""
    decided = intent(
        stations=(station(limits=Limits(session_s=900)),),
        segments=(segment("a", seconds=600), segment("b", seconds=seconds)),
        sessions=(session(place("a", fixed="a"), place("b", fixed="b")),),
    )
    first = replace(by_place(planned(decided))["a"])
    aired = row(first, Verdict.AIRED)
    on_air = Run(item=first, state=RunState.PLAYING, start_at=first.due, started_at=first.due)

    for facts in (Facts(station="XA", airings=(aired,)), Facts(station="XA", runs=(on_air,))):
        assert airs is (by_place(planned(decided, local(23, 5, 39), facts))["b"].sha256 is not None)


def test_a_session_that_was_wholly_missed_has_not_begun() -> None:
    """Of the one session that a day may have, the duty's goes before one of which nothing was heard."""
    decided = intent(
        stations=(station(limits=Limits(sessions=1)),),
        segments=(segment("t", programme="TIN"), segment("d")),
        sessions=(
            session(place("t", programme="TIN"), name="sang"),
            session(place("d", programme="CDS"), name="chieu", starts=(time(17),)),
        ),
        duties=(duty(),),
    )
    missed = row(replace(by_place(planned(decided))["t"], sha256="a" * 64, samples=1), Verdict.MISSED)

    assert "d" == by_place(planned(decided, local(23, 12), Facts(station="XA", airings=(missed,))))["d"].segment


def test_what_ended_late_makes_what_follows_late() -> None:
    """The first ended two minutes after its time: the second is planned as before, and due when that was over."""
    decided = intent(
        segments=(segment("a", seconds=600), segment("b", seconds=60)),
        sessions=(session(place("a", fixed="a"), place("b", fixed="b")),),
    )
    first = by_place(planned(decided))["a"]
    late = row(first, Verdict.AIRED, started_at=local(23, 5, 32), ended_at=local(23, 5, 42))

    second = by_place(planned(decided, local(23, 5, 41), Facts(station="XA", airings=(late,))))["b"]

    assert (local(23, 5, 40), local(23, 5, 42)) == (second.start, second.due)


def test_a_row_that_ended_early_pulls_nothing_forward() -> None:
    """A file that broke off leaves silence until the next item's time."""
    decided = intent(
        segments=(segment("a", seconds=600), segment("b", seconds=60)),
        sessions=(session(place("a", fixed="a"), place("b", fixed="b")),),
    )
    first = by_place(planned(decided))["a"]
    broken = row(first, Verdict.PARTIAL, started_at=first.start, ended_at=local(23, 5, 31))

    second = by_place(planned(decided, local(23, 5, 31), Facts(station="XA", airings=(broken,))))["b"]

    assert local(23, 5, 40) == second.due == second.start


@pytest.mark.parametrize("timing", [Timing.HARD, Timing.SOFT])
def test_a_place_at_a_time_is_filled_for_that_time(timing: Timing) -> None:
    """What becomes valid ten minutes into the session fills the place that begins then."""
    decided = intent(
        segments=(segment("a", valid_from=local(23, 5, 40)),),
        sessions=(session(place("t", programme="CDS", timing=timing, offset_s=600)),),
    )

    assert ("a", local(23, 5, 40)) == (by_place(planned(decided))["t"].segment, by_place(planned(decided))["t"].due)


def test_what_was_lost_is_still_new_for_the_next_place() -> None:
    """Six minutes late, a place is lost though its item would still run: the evening takes it as new."""
    decided = intent(
        segments=(segment("a", seconds=1200),),
        sessions=(session(place("t", programme="CDS"), starts=(time(5, 30), time(17))),),
    )

    evening = planned(decided, local(23, 5, 36)).items[-1]

    assert "a" == evening.segment
    assert "chưa phát" in evening.why.vi


@pytest.mark.parametrize(
    ("offset_s", "seconds", "chosen"),
    [(None, 1800, "moi"), (None, 1801, "cu"), (600, 1200, "moi"), (600, 1201, "cu")],
)
def test_a_place_takes_what_can_fit_at_all(offset_s: int | None, seconds: float, chosen: str) -> None:
    """The newest, if it is no longer than the session from the place's time on; else the next that is."""
    timing = Timing.RELATIVE if offset_s is None else Timing.HARD
    decided = intent(
        segments=(segment("moi", seconds=seconds, approved_at=local(20, 8)), segment("cu")),
        sessions=(session(place("t", programme="CDS", timing=timing, offset_s=offset_s)),),
    )

    assert chosen == by_place(planned(decided))["t"].segment


def test_how_places_are_timed_is_told() -> None:
    """The first begins exactly; what follows follows, or has a time of its own; a relay has its source's name."""
    relay = SessionItem(id="r", kind=ItemKind.RELAY, relay="VOV1", length_s=300)
    items = by_place(
        planned(
            intent(
                segments=(segment("a"), segment("b"), segment("c")),
                sessions=(
                    session(
                        place("a", fixed="a"),
                        place("b", fixed="b"),
                        place("c", fixed="c", timing=Timing.SOFT, offset_s=600),
                        relay,
                    ),
                ),
            )
        )
    )

    assert [Timing.HARD, Timing.RELATIVE, Timing.SOFT] == [items[name].timing for name in "abc"]
    assert ("VOV1", "VOV1", timedelta(minutes=5)) == (
        items["r"].title,
        items["r"].relay,
        items["r"].end - items["r"].start,
    )
    assert {"", "a", "b", "c"} >= {items[name].title for name in "abc"} and "" not in {items[n].title for n in "abc"}


def test_what_is_on_air_is_cut_by_the_first_order_that_meets_it() -> None:
    """Of two exact orders inside its time the earlier one ends it."""
    decided = intent(segments=(segment("a", seconds=1200), segment("k")), sessions=(session(place("a", fixed="a")),))
    first = by_place(planned(decided))["a"]
    run = Run(item=first, state=RunState.PLAYING, start_at=first.due, started_at=first.due)
    orders = (one_off("2", "k", local(23, 5, 45)), one_off("1", "k", local(23, 5, 40)))

    cut = by_place(planned(replace(decided, one_offs=orders), local(23, 5, 31), Facts(station="XA", runs=(run,))))["a"]

    assert local(23, 5, 40) == cut.cut_at


@pytest.mark.parametrize("programme", ["CDS", None])
def test_a_look_at_monday_sees_what_friday_holds(programme: str | None) -> None:
    """The slot of Friday keeps the duty from being made up, though only Monday was asked for; it is not in the plan."""
    decided = intent(
        segments=(segment("d"), segment("t", programme="TIN")),
        sessions=(
            session(place("d", programme="CDS"), weekdays=(5,)),
            session(place("t", programme="TIN"), name="chieu", weekdays=(6,), starts=(time(17),)),
        ),
        duties=(duty(programme=programme),),
    )

    rundown = planned(decided)

    assert () == rundown.items
    assert [("XA/sang/2026-11-27/d",)] == [standing.slots for standing in rundown.duties]


def test_nothing_new_before_the_deadline_is_told() -> None:
    """Only a repeat is coming two days before the deadline: somebody should bring a new item; with one, all is well."""
    decided = intent(
        segments=(segment("cu"),),
        duties=(duty(windows=(DutyWindow(weekday=7, start=time(6), end=time(9)),)),),
    )
    saturday = local(28, 12)
    old = Facts(station="XA", aired={"cu": local(20, 6)})

    assert "duty_no_new_audio" in codes(planned(decided, saturday, old))
    assert "duty_no_new_audio" not in codes(planned(decided, saturday))


def test_codes_of_what_keeps_an_order_from_airing() -> None:
    """Outside the hours, over the day's limit: each with its code and what to do."""
    late = intent(segments=(segment("k"),), one_offs=(one_off("1", "k", local(23, 22)),))
    over = intent(
        stations=(station(limits=Limits(day_s=59)),),
        segments=(segment("k"),),
        one_offs=(one_off("1", "k", local(23, 9)),),
    )

    for decided, code in ((late, "outside_hours"), (over, "over_limit")):
        (finding,) = planned(decided).findings
        assert (code, "XA/oneoff/1") == (finding.code, finding.where)
        assert finding.hint is not None


def test_a_make_up_and_an_order_share_the_day() -> None:
    """An order takes its minutes first; the make-up goes to the day that has enough left."""
    windows = (DutyWindow(weekday=6, start=time(6), end=time(9)), DutyWindow(weekday=7, start=time(6), end=time(9)))
    decided = intent(
        stations=(station(limits=Limits(day_s=1000)),),
        segments=(segment("d", seconds=600), segment("k", seconds=401, programme="KHAC")),
        one_offs=(one_off("1", "k", local(28, 15)),),
        duties=(duty(windows=windows),),
    )
    whole = Interval(local(23, 0), local(30, 0))

    def starts(what: Intent) -> list[datetime]:
        return [i.start for i in plan(what, Facts(station="XA"), EARLY, whole).items if i.duty is not None]

    assert [local(29, 6)] == starts(decided)
    shorter = (segment("d", seconds=600), segment("k", seconds=400, programme="KHAC"))
    assert [local(28, 6)] == starts(replace(decided, segments=shorter))


def test_a_session_that_gave_way_names_what_airs_not_what_gave_way_too() -> None:
    """The second session gives way to the first, whose exact last place gave way to the duty: that slot is named."""
    decided = intent(
        segments=(segment("d", seconds=1500), segment("x", programme="LE"), segment("b", programme="NHAC")),
        sessions=(
            session(
                place("d", programme="CDS"),
                place("x", fixed="x", timing=Timing.HARD, offset_s=1200),
                name="mot",
                weekdays=(1,),
            ),
            session(place("b", fixed="b"), name="hai", weekdays=(1,), starts=(time(5, 38),)),
        ),
        duties=(duty(),),
    )

    items = by_place(planned(decided))

    assert {"XA/mot/2026-11-23/d"} == {items["x"].replaced_by, items["b"].replaced_by}


def test_of_two_recordings_that_serve_a_duty_alike_the_newest_airs() -> None:
    """The duty changes nothing where the first choice already is what it lacks."""
    decided = intent(
        segments=(segment("cu", approved_at=local(10, 8)), segment("moi", approved_at=local(20, 8))),
        sessions=(session(place("d", programme="CDS")),),
        duties=(duty(),),
    )

    item = by_place(planned(decided))["d"]

    assert "moi" == item.segment
    assert "Chọn trước" not in item.why.vi


def two_duties(*more_duties: object, limit: int | None = 5000) -> Intent:
    """Return a day whose evening slot must serve B, which has no window of its own, so that A is made up."""
    nowhere = (DutyWindow(weekday=1, start=time(1), end=time(2)),)
    morning = (DutyWindow(weekday=1, start=time(8), end=time(9)),)
    return intent(
        stations=(station(limits=Limits(day_s=limit)),),
        segments=(
            segment("a", seconds=300, topics=("DX-A",), approved_at=local(20, 8)),
            segment("b", seconds=600, topics=("DX-B",), approved_at=local(10, 8)),
            segment("t", seconds=600, programme="TIN"),
            segment("m", seconds=60, programme="NHAC"),
            segment("n", seconds=60, programme="NHAC"),
        ),
        programmes=(
            Programme(code="NHAC", name="Nhạc", otherwise=(Otherwise.ROTATION,)),
            Programme(code="CDS", name="CDS"),
        ),
        sessions=(
            session(place("t", programme="TIN"), name="sang", weekdays=(1,)),
            session(
                SessionItem(id="f", kind=ItemKind.FILLER, programme="NHAC", optional=True),
                place("d", programme="CDS"),
                name="chieu",
                weekdays=(1,),
                starts=(time(17),),
            ),
        ),
        duties=(
            duty(code="A", topics=("DX-A",), windows=morning),
            duty(code="B", topics=("DX-B",), windows=nowhere),
            *more_duties,
        ),
    )


def without_filler(decided: Intent) -> Intent:
    """Return the same day with nothing before the evening's slot."""
    morning, evening = decided.sessions
    return replace(decided, sessions=(morning, replace(evening, items=evening.items[1:])))


@pytest.mark.parametrize("before", [without_filler, lambda decided: decided], ids=["alone", "behind fillers"])
def test_a_slot_serves_the_duty_that_has_no_other_place(before: Callable[[Intent], Intent]) -> None:
    """The evening's slot airs what only it can air; the other duty is made up in its window, the morning as it was."""
    rundown = planned(before(two_duties()))
    items = by_place(rundown)

    assert ("b", "t") == (items["d"].segment, items["t"].segment)
    assert {DutyState.PLANNED} == {standing.state for standing in rundown.duties}
    assert ["a"] == [i.segment for i in rundown.items if i.duty == "A"]
    heard = sorted((i.due, i.due + (i.end - i.start)) for i in rundown.items if i.sha256 is not None)
    assert all(one[1] <= two[0] for one, two in pairwise(heard))


def test_a_pinned_slot_of_the_evening_is_set_aside_from_the_day_s_limit() -> None:
    """With seconds for the two duties only, the morning's ordinary item stays silent."""
    rundown = planned(two_duties(limit=900))

    assert by_place(rundown)["t"].sha256 is None
    assert {DutyState.PLANNED} == {standing.state for standing in rundown.duties}


@pytest.mark.parametrize("before", [without_filler, lambda decided: decided], ids=["alone", "behind fillers"])
def test_a_third_duty_without_a_chance_spoils_nothing_for_the_others(before: Callable[[Intent], Intent]) -> None:
    """Two of three can be fulfilled: they are, and the third says why not."""
    rundown = planned(before(two_duties(duty(code="C", topics=("DX-C",)))))

    assert {"A": DutyState.PLANNED, "B": DutyState.PLANNED, "C": DutyState.AT_RISK} == {
        standing.duty: standing.state for standing in rundown.duties
    }


def test_an_emergency_fills_no_place_of_the_grid() -> None:
    """A recording for emergencies that is fixed in a session stays silent there, and says why."""
    decided = intent(segments=(segment("k", priority=Priority.EMERGENCY),), sessions=(session(place("k", fixed="k")),))

    item = by_place(planned(decided))["k"]

    assert item.sha256 is None
    assert "chỉ phát theo lệnh" in item.why.vi


@pytest.mark.parametrize(("minutes", "waits"), [(15, True), (15.02, False)])
def test_a_session_waits_fifteen_minutes_for_another_and_no_second_more(minutes: float, waits: bool) -> None:
    """The first runs so long into the second: exactly a quarter of an hour is waited for."""
    decided = intent(
        segments=(segment("a", seconds=600 + minutes * 60, programme="TIN"), segment("b", programme="NHAC")),
        sessions=(
            session(place("a", fixed="a"), name="mot"),
            session(place("b", fixed="b"), name="hai", starts=(time(5, 40),)),
        ),
    )

    assert waits is (by_place(planned(decided))["b"].sha256 is not None)


def test_how_late_an_order_may_begin_is_told() -> None:
    """Half a minute for an exact one, five minutes for one that waits, and an emergency as long as it matters."""
    orders = (
        one_off("chinh", "k", local(23, 9)),
        one_off("cho", "k", local(23, 10), Timing.SOFT),
        one_off("khan", "k", local(23, 11), priority=Priority.EMERGENCY),
    )
    items = by_place(planned(intent(segments=(segment("k"),), one_offs=orders)))

    assert (30.0, 300.0) == (items["chinh"].late_limit_s, items["cho"].late_limit_s)
    assert EMERGENCY_LIMIT_S == items["khan"].late_limit_s > 300.0
    assert Timing.HARD is items["khan"].timing


@pytest.mark.parametrize(("late_s", "lost"), [(300, False), (301, True)])
def test_a_place_is_lost_after_its_late_limit_and_no_second_before(late_s: int, lost: bool) -> None:
    """Five minutes late the first place still takes its recording; then the evening takes it as new."""
    decided = intent(
        segments=(segment("a", seconds=1200),),
        sessions=(session(place("t", programme="CDS"), starts=(time(5, 30), time(17))),),
    )

    evening = planned(decided, local(23, 5, 30) + timedelta(seconds=late_s)).items[-1]

    assert lost is ("chưa phát" in evening.why.vi)


@pytest.mark.parametrize(("ago_s", "lost"), [(4.9, False), (5.0, True)])
def test_a_short_place_that_is_over_is_lost(ago_s: float, lost: bool) -> None:
    """A jingle of a minute whose end is five seconds ago is still new for the evening."""
    decided = intent(
        segments=(segment("a", seconds=60),),
        sessions=(session(place("t", programme="CDS"), starts=(time(5, 30), time(17))),),
    )

    evening = planned(decided, local(23, 5, 31) + timedelta(seconds=ago_s)).items[-1]

    assert lost is ("chưa phát" in evening.why.vi)


@pytest.mark.parametrize(("late_s", "cut"), [(30, False), (31, True)])
def test_what_began_late_is_cut_for_an_exact_place_beyond_half_a_minute(late_s: int, cut: bool) -> None:
    """Ten minutes begun late would run into the exact place behind it: half a minute is borne."""
    decided = intent(
        segments=(segment("a", seconds=600, programme="TIN"), segment("b", programme="NHAC")),
        sessions=(session(place("a", fixed="a"), place("b", fixed="b", timing=Timing.HARD, offset_s=600)),),
    )
    first = by_place(planned(decided))["a"]
    began = first.due + timedelta(seconds=late_s)
    run = Run(item=first, state=RunState.PLAYING, start_at=began, started_at=began, origin=began)

    item = by_place(planned(decided, local(23, 5, 35), Facts(station="XA", runs=(run,))))["a"]

    assert (local(23, 5, 40) if cut else None) == item.cut_at


def test_what_aired_takes_its_time_from_make_ups() -> None:
    """A row of this morning, of a place that is gone from the grid, blocks its stretch: nothing is planned into it."""
    decided = intent(
        segments=(segment("a", seconds=600), segment("t", seconds=600, programme="TIN")),
        sessions=(session(place("t", fixed="t"), starts=(time(6),)),),
        duties=(duty(windows=(DutyWindow(weekday=1, start=time(6), end=time(6, 20)),)),),
    )
    aired = row(by_place(planned(decided))["t"], Verdict.AIRED)
    now = local(23, 6, 0, 30)
    gone = replace(decided, sessions=())

    rundown = planned(gone, now, Facts(station="XA", airings=(aired,)))

    assert [local(23, 6, 10)] == [i.start for i in rundown.items if i.duty is not None]


def test_only_the_groups_that_are_meant_decide_how_long_a_slot_is_heard() -> None:
    """A session for one village whose hours end at six is not lengthened by another village's."""
    short = ClusterGroup(code="A", name="A", permitted=(DaySpan(start=time(5), end=time(5, 40)),))
    long = ClusterGroup(code="B", name="B", permitted=(DaySpan(start=time(5), end=time(21)),))

    def state(*targets: str) -> DutyState:
        decided = intent(
            stations=(station(groups=(short, long)),),
            segments=(
                segment("moi", seconds=60, topics=("DX-A",), approved_at=local(20, 8)),
                segment("dx", seconds=900, topics=("DX-B",)),
            ),
            sessions=(session(place("d", programme="CDS"), weekdays=(1,), targets=targets),),
            duties=(
                duty(code="A", topics=("DX-A",), windows=(DutyWindow(weekday=1, start=time(5, 5), end=time(5, 20)),)),
                duty(code="B", topics=("DX-B",), windows=(DutyWindow(weekday=1, start=time(1), end=time(2)),)),
            ),
        )
        return next(s.state for s in planned(decided).duties if s.duty == "B")

    assert DutyState.PLANNED is state("A", "B")
    assert DutyState.AT_RISK is state("A")


def test_a_lost_slot_is_told_while_it_is_to_come() -> None:
    """A slot of the duty that an order takes is told before its time; not when that has come."""
    decided = intent(
        segments=(segment("d", seconds=600), segment("k", seconds=1800, programme="KHAC")),
        sessions=(session(place("d", programme="CDS"), weekdays=(1,), starts=(time(17),)),),
        one_offs=(one_off("1", "k", local(23, 17)),),
        duties=(duty(count=2),),
    )

    assert "duty_window_lost" in codes(planned(decided, local(23, 16)))
    assert "duty_window_lost" not in codes(planned(decided, local(23, 17, 30)))


def test_an_item_of_priority_does_not_give_way_to_an_ordinary_one() -> None:
    """The session has room for one of two: the fixed ordinary item goes, though it comes first."""
    decided = intent(
        segments=(segment("a", seconds=1000), segment("p", seconds=1000, programme="TIN", priority=Priority.PRIORITY)),
        sessions=(session(place("a", fixed="a"), place("p", programme="TIN")),),
    )

    items = by_place(planned(decided))

    assert ("p", "XA/sang/2026-11-23/p") == (items["p"].segment, items["a"].replaced_by)


@pytest.mark.parametrize(("limit", "pieces"), [(600, 10), (599, 9)])
def test_fillers_keep_the_limit_of_the_session_to_the_second(limit: int, pieces: int) -> None:
    """Pieces of a minute each, until the limit is reached exactly."""
    filler = SessionItem(id="f", kind=ItemKind.FILLER, programme="NHAC", optional=True)
    decided = intent(
        stations=(station(limits=Limits(session_s=limit)),),
        segments=(segment("m", programme="NHAC"), segment("n", programme="NHAC")),
        programmes=(Programme(code="NHAC", name="Nhạc", otherwise=(Otherwise.ROTATION,)),),
        sessions=(session(filler),),
    )

    assert pieces == len(planned(decided).items)


def test_findings_are_those_of_the_stretch_that_was_asked_for() -> None:
    """Friday's empty slot is looked at for the duty, but told only to who asks for Friday."""
    decided = intent(
        sessions=(
            session(place("d", programme="CDS"), weekdays=(5,)),
            session(place("t", programme="TIN"), name="chieu", weekdays=(1,), starts=(time(17),)),
        ),
        duties=(duty(),),
    )

    told = {(f.code, f.where) for f in planned(decided).findings if f.code == "no_audio"}
    friday = plan(decided, Facts(station="XA"), EARLY, Interval(local(27, 0), local(28, 0))).findings

    assert {("no_audio", "XA/chieu/2026-11-23/t")} == told
    assert ("no_audio", "XA/sang/2026-11-27/d") in {(f.code, f.where) for f in friday}


def test_a_plan_ends_before_the_end_of_its_stretch() -> None:
    """What begins with the first moment after it belongs to the next stretch; what reaches into it is in both."""
    decided = intent(segments=(segment("a", seconds=600),), sessions=(session(place("a", fixed="a")),))

    def slots(start: datetime, end: datetime) -> list[str]:
        return [i.slot for i in plan(decided, Facts(station="XA"), EARLY, Interval(start, end)).items]

    assert [] == slots(local(23, 5), local(23, 5, 30))
    assert ["XA/sang/2026-11-23/a"] == slots(local(23, 5), local(23, 5, 30, 1))
    assert ["XA/sang/2026-11-23/a"] == slots(local(23, 5, 39), local(23, 6))


def on_air(item: RundownItem) -> Run:
    return Run(item=item, state=RunState.PLAYING, start_at=item.due, started_at=item.due, origin=item.due)


def test_a_silent_place_parts_nobody_from_what_is_on_air() -> None:
    """The place between has its row without a sound: what comes after it still follows what is on air."""
    decided = intent(
        segments=(segment("a", seconds=600), segment("c", seconds=60)),
        sessions=(session(place("a", fixed="a"), place("b", programme="TIN"), place("c", fixed="c")),),
    )
    items = by_place(planned(decided))
    silent = row(items["b"], Verdict.MISSED)

    after = by_place(
        planned(decided, local(23, 5, 35), Facts(station="XA", airings=(silent,), runs=(on_air(items["a"]),)))
    )

    assert (items["a"].slot, local(23, 5, 40)) == (after["c"].joins, after["c"].due)


def test_nothing_joins_what_will_be_cut() -> None:
    """An order ends what is on air: what follows starts by itself, behind the order."""
    decided = intent(
        segments=(segment("a", seconds=600), segment("c", seconds=60), segment("k", seconds=120)),
        sessions=(session(place("a", fixed="a"), place("c", fixed="c")),),
    )
    items = by_place(planned(decided))
    ordered = replace(decided, one_offs=(one_off("1", "k", local(23, 5, 36)),))

    after = by_place(planned(ordered, local(23, 5, 35), Facts(station="XA", runs=(on_air(items["a"]),))))

    assert local(23, 5, 36) == after["a"].cut_at
    assert after["c"].joins is None
    assert after["c"].due >= local(23, 5, 38)


@pytest.mark.parametrize(("bound_s", "late_limit_s"), [(0, 30.0), (30, 30.0), (120, 120.0)])
def test_a_soft_place_may_begin_as_late_as_its_bound(bound_s: int, late_limit_s: float) -> None:
    """But half a minute at least: no clock is better than that."""
    soft = place("a", fixed="a", timing=Timing.SOFT, offset_s=60, bound_s=bound_s)

    item = by_place(planned(intent(segments=(segment("a"),), sessions=(session(soft),))))["a"]

    assert late_limit_s == item.late_limit_s


@pytest.mark.parametrize(("limit", "airs"), [(1199, False), (1200, True)])
def test_all_duties_of_the_evening_are_set_aside_together(limit: int, airs: bool) -> None:
    """Two slots of five minutes that the duty needs leave the morning what is beside them."""
    evening = tuple(
        session(place("d", programme="CDS"), name=f"chieu{n}", weekdays=(1,), starts=(time(17 + n),)) for n in (0, 1)
    )
    decided = intent(
        stations=(station(limits=Limits(day_s=limit)),),
        segments=(
            segment("t", seconds=600, programme="TIN"),
            segment("d1", seconds=300),
            segment("d2", seconds=300),
        ),
        sessions=(session(place("t", programme="TIN"), weekdays=(1,)), *evening),
        duties=(duty(count=2, windows=(DutyWindow(weekday=1, start=time(1), end=time(2)),)),),
    )

    rundown = planned(decided)

    assert airs is (by_place(rundown)["t"].sha256 is not None)
    assert {DutyState.PLANNED} == {standing.state for standing in rundown.duties}


def test_a_look_ahead_sees_a_slot_among_others() -> None:
    """Friday's session holds the duty's slot beside another programme's: it is seen from Monday all the same."""
    decided = intent(
        segments=(segment("d"), segment("t", programme="TIN")),
        sessions=(session(place("t", programme="TIN"), place("d", programme="CDS"), weekdays=(5,)),),
        duties=(duty(),),
    )

    assert [("XA/sang/2026-11-27/d",)] == [standing.slots for standing in planned(decided).duties]


def test_fillers_of_one_session_know_nothing_of_another() -> None:
    """The only jingle is not heard twice running in a session; the next session begins with it again."""
    filler = SessionItem(id="f", kind=ItemKind.FILLER, programme="NHAC", optional=True)
    decided = intent(
        segments=(segment("m", programme="NHAC"),),
        programmes=(Programme(code="NHAC", name="Nhạc", otherwise=(Otherwise.ROTATION,)),),
        sessions=(session(filler, name="sang"), session(filler, name="trua", starts=(time(11),))),
    )

    assert ["XA/sang/2026-11-23/f.1", "XA/trua/2026-11-23/f.1"] == [i.slot for i in planned(decided).items]


def test_nothing_is_set_aside_for_what_is_no_duty() -> None:
    """The day is too short for both: what comes first airs, the evening's ordinary item does not."""
    decided = intent(
        stations=(station(limits=Limits(day_s=1200)),),
        segments=(segment("t", seconds=600, programme="TIN"), segment("k", seconds=700, programme="KHAC")),
        sessions=(
            session(place("t", programme="TIN"), name="sang"),
            session(place("k", programme="KHAC"), name="chieu", starts=(time(17),)),
        ),
    )

    items = by_place(planned(decided))

    assert ("t", None) == (items["t"].segment, items["k"].sha256)


def test_an_order_of_the_evening_cuts_nothing_in_the_morning() -> None:
    """What is on air is cut by orders inside its time only."""
    decided = intent(
        segments=(segment("a", seconds=600), segment("k")),
        sessions=(session(place("a", fixed="a")),),
        one_offs=(one_off("1", "k", local(23, 17)), one_off("2", "k", local(23, 5, 40))),
    )
    first = by_place(planned(decided))["a"]

    assert by_place(planned(decided, local(23, 5, 31), Facts(station="XA", runs=(on_air(first),))))["a"].cut_at is None


def test_the_order_that_took_the_time_is_named() -> None:
    """Of two orders of the morning the one inside the session is who took its item's time."""
    decided = intent(
        segments=(segment("a", seconds=1500), segment("k", seconds=600)),
        sessions=(session(place("a", fixed="a")),),
        one_offs=(one_off("0", "k", local(23, 5, 5)), one_off("1", "k", local(23, 5, 40))),
    )

    assert "XA/oneoff/1" == by_place(planned(decided))["a"].replaced_by
