"""A session as a hot clock: exact and soft places, fillers, relays, what gives way, limits and emergencies."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest

from schedules.airing import Facts, Run, RunState, Verdict
from schedules.clock import Interval
from schedules.duty import Counting
from schedules.giving_way import LATE
from schedules.grid import ItemKind, SessionItem, Timing
from schedules.intent import Intent
from schedules.planner import plan
from schedules.programme import Otherwise, Programme
from schedules.rundown import Rundown, RundownItem
from schedules.segment import Priority
from schedules.station import WHOLE_DAY, ClusterGroup, DaySpan, Limits, Station
from tests.schedules.builders import duty, intent, local, one_off, place, row, segment, session

MONDAY = Interval(local(23, 0), local(24, 0))
EARLY = local(23, 4)


def planned(decided: Intent, now: datetime = EARLY, facts: Facts | None = None) -> Rundown:
    return plan(decided, facts or Facts(station="XA"), now, MONDAY)


def by_place(rundown: Rundown) -> dict[str, RundownItem]:
    return {item.slot.rpartition("/")[2]: item for item in rundown.items}


def at(name: str, minutes: float, *, fixed: str, timing: Timing = Timing.HARD, **more: object) -> SessionItem:
    return place(name, fixed=fixed, timing=timing, offset_s=round(minutes * 60), **more)


def station(**more: object) -> Station:
    values: dict[str, object] = {"code": "XA", "name": "Đài xã", "unit": "XA"}
    return Station(**{**values, **more})  # type: ignore[arg-type]


def test_an_exact_place_starts_at_its_second() -> None:
    """Ten minutes after the session's start, whatever is before it; the relative one follows it."""
    decided = intent(
        segments=(segment("a", seconds=60), segment("b", seconds=60), segment("c", seconds=60)),
        sessions=(session(place("a", fixed="a"), at("b", 10, fixed="b"), place("c", fixed="c")),),
    )

    items = by_place(planned(decided))

    assert local(23, 5, 40) == items["b"].start
    assert Timing.HARD is items["b"].timing
    assert LATE.total_seconds() == items["b"].late_limit_s
    assert local(23, 5, 41) == items["c"].start
    assert items["b"].joins is None and items["c"].joins == items["b"].slot


def test_what_would_run_into_an_exact_place_is_not_begun() -> None:
    """Eleven minutes do not fit before the tenth: the item gives way to the exact one, by name."""
    decided = intent(
        segments=(segment("a", seconds=660), segment("b", seconds=60)),
        sessions=(session(place("a", fixed="a"), at("b", 10, fixed="b")),),
    )

    items = by_place(planned(decided))

    assert items["b"].slot == items["a"].replaced_by
    assert items["a"].sha256 is None
    assert local(23, 5, 40) == items["b"].start


def test_an_exact_place_gives_way_to_a_duty_that_needs_its_time() -> None:
    """A duty is never eaten: what stands at an exact time behind it goes instead, replaced by it."""
    decided = intent(
        segments=(segment("cds", seconds=660), segment("b", seconds=60, programme="TIN")),
        sessions=(session(place("cds", programme="CDS"), at("b", 10, fixed="b")),),
        duties=(duty(),),
    )

    items = by_place(planned(decided))

    assert items["cds"].sha256 is not None
    assert items["cds"].slot == items["b"].replaced_by


@pytest.mark.parametrize(("bound_s", "airs"), [(120, True), (30, False)])
def test_a_soft_place_waits_up_to_its_bound(bound_s: int, airs: bool) -> None:
    """The item before it runs a minute over its time: within the bound it follows, beyond it one of them gives way."""
    decided = intent(
        segments=(segment("a", seconds=660), segment("b", seconds=60)),
        sessions=(session(place("a", fixed="a"), at("b", 10, fixed="b", timing=Timing.SOFT, bound_s=bound_s)),),
    )

    items = by_place(planned(decided))

    assert airs is (items["a"].sha256 is not None and items["b"].sha256 is not None)
    if airs:
        assert local(23, 5, 41) == items["b"].start
        assert 60 == items["b"].late_limit_s


def test_a_soft_place_does_not_start_before_its_time() -> None:
    """With time to spare it starts at its own second."""
    decided = intent(
        segments=(segment("a", seconds=60),),
        sessions=(session(at("b", 10, fixed="a", timing=Timing.SOFT)),),
    )

    assert local(23, 5, 40) == by_place(planned(decided))["b"].start


def test_a_late_item_is_cut_for_an_exact_place() -> None:
    """What began late and would run into it is cut at its second; fulfilling a duty it would not be."""
    decided = intent(
        segments=(segment("a", seconds=540), segment("b", seconds=60)),
        sessions=(session(place("a", fixed="a"), at("b", 10, fixed="b")),),
    )
    item = by_place(planned(decided))["a"]
    began = item.start + timedelta(minutes=2)
    run = Run(item=item, state=RunState.PLAYING, start_at=began, started_at=began)

    ordinary = planned(decided, now=local(23, 5, 33), facts=Facts(station="XA", runs=(run,)))
    owed = planned(
        replace(decided, duties=(duty(topic_prefix=""),)), now=local(23, 5, 33), facts=Facts(station="XA", runs=(run,))
    )

    assert local(23, 5, 40) == by_place(ordinary)["a"].cut_at
    assert local(23, 5, 40) == by_place(ordinary)["b"].due
    assert by_place(owed)["a"].cut_at is None
    assert by_place(owed)["b"].sha256 is None
    assert "too_late" in {
        finding.code
        for finding in planned(
            replace(decided, duties=(duty(topic_prefix=""),)),
            now=local(23, 5, 33),
            facts=Facts(station="XA", runs=(run,)),
        ).findings
    }


FILLING = Programme(code="NHAC", name="Ca nhạc", otherwise=(Otherwise.ROTATION,))


def filled(**more: object) -> Intent:
    pieces = tuple(segment(f"ca{n}", seconds=180, programme="NHAC") for n in range(4))
    return intent(
        programmes=(*intent().programmes, FILLING),
        segments=(segment("a", seconds=60), segment("b", seconds=60), *pieces),
        sessions=(
            session(
                place("a", fixed="a"),
                SessionItem(id="dem", kind=ItemKind.FILLER, programme="NHAC"),
                at("b", 10, fixed="b"),
                **more,
            ),
        ),
    )


def test_fillers_take_what_is_left_before_the_next_fixed_time() -> None:
    """Nine minutes are free before the exact place: three whole pieces of three minutes, each a slot of its own."""
    items = [i for i in planned(filled()).items if "/dem." in i.slot]

    assert ["dem.1", "dem.2", "dem.3"] == [i.slot.rpartition("/")[2] for i in items]
    assert [local(23, 5, 31), local(23, 5, 34), local(23, 5, 37)] == [i.start for i in items]
    assert 3 == len({i.segment for i in items})
    assert {ItemKind.FILLER} == {i.kind for i in items}


def test_time_that_has_passed_is_not_filled_afterwards() -> None:
    """The station comes up eight minutes late: what is left is filled, nothing of the filler is missed."""
    rundown = planned(filled(), now=local(23, 5, 36, 30))
    items = [i for i in rundown.items if "/dem." in i.slot]

    assert [local(23, 5, 36, 30)] == [i.due for i in items]
    assert "dem.1" in items[0].slot


def test_fillers_go_on_counting_after_those_that_aired() -> None:
    """The first piece has its row and the second is on air: the third follows under its own number."""
    decided = filled()
    first, second, _third = (i for i in planned(decided).items if "/dem." in i.slot)
    aired = row(first, Verdict.AIRED)
    run = Run(item=second, state=RunState.PLAYING, start_at=second.start, started_at=second.start)
    facts = Facts(station="XA", airings=(aired,), runs=(run,), aired={first.segment or "": first.start})

    items = [i for i in planned(decided, now=local(23, 5, 36), facts=facts).items if "/dem." in i.slot]

    assert ["dem.1", "dem.2", "dem.3"] == [i.slot.rpartition("/")[2] for i in items]
    assert local(23, 5, 37) == items[2].due
    assert items[2].joins == second.slot


def test_a_filler_repeats_by_its_programme_but_nothing_twice_in_a_row() -> None:
    """Two songs in rotation fill nine minutes in turn, in the next session too; one song alone is heard once."""
    decided = filled()
    two = replace(decided, segments=tuple(s for s in decided.segments if s.id in ("a", "b", "ca0", "ca1")))
    two = replace(two, sessions=(replace(two.sessions[0], starts=(time(5, 30), time(17))),))
    one = replace(two, segments=tuple(s for s in two.segments if s.id != "ca1"))

    heard = [i.segment or "" for i in planned(two).items if "/dem." in i.slot]

    assert 6 == len(heard)
    assert heard[0] == heard[2] != heard[1] and heard[3] == heard[5] != heard[4]
    assert ["ca0", "ca0"] == [i.segment for i in planned(one).items if "/dem." in i.slot]


def test_what_a_filler_takes_does_not_change_when_its_piece_before_has_aired() -> None:
    """The plan of the morning and the one in the middle of the filler name the same recordings."""
    decided = filled()
    decided = replace(decided, segments=tuple(s for s in decided.segments if s.id in ("a", "b", "ca0", "ca1")))
    morning = {i.slot: i.segment for i in planned(decided).items}
    rows = tuple(row(i, Verdict.AIRED) for i in planned(decided).items if i.start < local(23, 5, 34))
    facts = Facts(station="XA", airings=rows, aired={r.segment or "": r.planned_start for r in rows})

    assert morning == {i.slot: i.segment for i in planned(decided, now=local(23, 5, 34), facts=facts).items}


@pytest.mark.parametrize("timing", [Timing.HARD, Timing.SOFT])
def test_a_filler_with_a_time_of_its_own_cuts_nobody(timing: Timing) -> None:
    """It begins at its time, or when the item before it is over; a begun one is not cut for it."""
    filler = SessionItem(id="dem", kind=ItemKind.FILLER, programme="NHAC", timing=timing, offset_s=600)

    def with_first(seconds: float) -> Intent:
        return intent(
            programmes=(*intent().programmes, FILLING),
            segments=(segment("a", seconds=seconds), segment("ca", seconds=180, programme="NHAC")),
            sessions=(session(place("a", fixed="a"), filler),),
        )

    short, long = by_place(planned(with_first(60))), by_place(planned(with_first(900)))

    assert local(23, 5, 40) == short["dem.1"].start
    assert long["a"].sha256 is not None and local(23, 5, 45) == long["dem.1"].start
    run = Run(item=long["a"], state=RunState.PLAYING, start_at=long["a"].start, started_at=long["a"].start)
    later = planned(with_first(900), now=local(23, 5, 31), facts=Facts(station="XA", runs=(run,)))
    assert by_place(later)["a"].cut_at is None


def test_a_filler_takes_no_turn_after_the_place_behind_it() -> None:
    """The exact place behind it has begun: what is left of the session is not filled before it any more."""
    decided = filled()
    item = by_place(planned(decided))["b"]
    run = Run(item=item, state=RunState.PLAYING, start_at=item.start, started_at=item.start)

    later = planned(decided, now=local(23, 5, 40, 10), facts=Facts(station="XA", runs=(run,)))

    assert [] == [i.slot for i in later.items if "/dem." in i.slot]


def test_what_the_plan_let_run_past_an_exact_place_is_not_cut_for_it() -> None:
    """Twenty minutes of an item from above, an exact place for a repeat in the middle: the repeat gives way, also
    when the long one has begun."""
    decided = intent(
        segments=(segment("tren", seconds=1200, owner="HUYEN"), segment("cu", seconds=60, programme="TIN")),
        sessions=(
            session(
                place("a", programme="CDS"),
                place("b", programme="TIN", timing=Timing.HARD, offset_s=600),
            ),
        ),
    )
    facts = Facts(station="XA", aired={"cu": local(20, 6)})
    item = by_place(planned(decided, facts=facts))["a"]
    run = Run(item=item, state=RunState.PLAYING, start_at=item.start, started_at=item.start)

    later = by_place(planned(decided, now=local(23, 5, 31), facts=replace(facts, runs=(run,))))

    assert item.sha256 is not None
    assert later["a"].cut_at is None


def test_what_gave_way_for_nothing_comes_back() -> None:
    """An item longer than the session is left out; the tune that would have had to give way to it stays."""
    decided = intent(
        segments=(segment("nhac", seconds=60), segment("dai", seconds=2000)),
        sessions=(session(place("nhac", fixed="nhac"), place("dai", fixed="dai", optional=False)),),
    )

    items = by_place(planned(decided))

    assert items["nhac"].sha256 is not None
    assert items["dai"].sha256 is None and items["dai"].replaced_by is None


def test_what_gave_way_names_what_airs() -> None:
    """It gave way to one that is silent, being outside the hours: then there was no room, and nobody took its time."""
    decided = intent(
        segments=(segment("a", seconds=1200), segment("b", seconds=1200, programme="TIN", owner="HUYEN")),
        sessions=(session(place("a", fixed="a"), place("b", programme="TIN"), starts=(time(20, 45),)),),
    )

    rundown = planned(decided)

    assert [(None, None), (None, None)] == [(i.sha256, i.replaced_by) for i in rundown.items]
    assert "gives_way" not in {finding.code for finding in rundown.findings}


def test_what_gave_way_to_one_that_gave_way_names_the_last() -> None:
    """The tune goes for the news, the news for the duty: both name the duty's slot, which airs."""
    decided = intent(
        segments=(
            segment("nhac", seconds=900, programme="NHAC"),
            segment("tin", seconds=1000, programme="TIN"),
            segment("cds", seconds=1500),
        ),
        sessions=(
            session(
                SessionItem(id="nhac", kind=ItemKind.IDENT, segment="nhac"),
                place("tin", fixed="tin"),
                place("cds", programme="CDS"),
            ),
        ),
        duties=(duty(),),
    )

    items = by_place(planned(decided))

    assert items["cds"].sha256 is not None
    assert items["cds"].slot == items["tin"].replaced_by == items["nhac"].replaced_by


def test_what_an_order_pushes_too_far_has_no_room() -> None:
    """A soft order of eight minutes between two items: the second would end more than five minutes late."""
    decided = intent(
        segments=(segment("a", seconds=1200), segment("o", seconds=480), segment("b", seconds=540)),
        sessions=(session(place("a", fixed="a"), place("b", fixed="b")),),
        one_offs=(one_off("o", "o", local(23, 5, 40), Timing.SOFT),),
    )

    rundown = planned(decided)

    assert ["a", "o"] == [i.segment for i in rundown.items if i.sha256 is not None]
    assert "does_not_fit" in {finding.code for finding in rundown.findings}


def test_what_gives_way_leaves_its_recording_to_the_others() -> None:
    """Two slots of a programme and room for one: the one that stays takes the newest, and keeps it when planned again
    after the other has its row."""
    decided = intent(
        segments=(segment("cu", seconds=900), segment("moi", seconds=1000, approved_at=local(20, 8))),
        sessions=(session(place("a", programme="CDS", optional=True), place("b", programme="CDS")),),
    )

    first = by_place(planned(decided))
    facts = Facts(station="XA", airings=(row(first["a"], Verdict.REPLACED, by=first["b"].slot),))
    later = by_place(planned(decided, now=local(23, 5, 30, 1), facts=facts))

    assert first["b"].slot == first["a"].replaced_by
    assert "moi" == first["b"].segment == later["b"].segment


def test_a_recording_that_gave_way_is_still_new_where_it_was_planned_before() -> None:
    """It airs on Monday morning; that a repeat of it has no room at noon does not make it new for the evening."""
    once = Programme(code="CDS", name="CDS", otherwise=(Otherwise.ROTATION,))
    decided = intent(
        programmes=(once,),
        segments=(segment("moi", seconds=600), segment("a", seconds=1700, programme="X", owner="HUYEN")),
        sessions=(
            session(place("cds", programme="CDS"), name="sang"),
            session(place("cds", programme="CDS"), place("a", fixed="a"), name="trua", starts=(time(11),)),
            session(place("cds", programme="CDS"), name="toi", starts=(time(17),)),
        ),
    )

    items = {i.session or "": i for i in planned(decided).items if i.slot.endswith("/cds")}

    assert [True, False, True] == [i.sha256 is not None for i in items.values()]
    assert "chưa phát" not in items["XA/toi/2026-11-23"].why.vi


def test_a_recording_longer_than_its_place_is_passed_over_and_told() -> None:
    """The newest lasts longer than the session: the one before it airs, reason and finding name the long one."""
    decided = intent(
        segments=(segment("vua", seconds=600), segment("dai", seconds=2400, approved_at=local(20, 8))),
        sessions=(session(place("cds", programme="CDS")),),
    )

    rundown = planned(decided)

    assert "vua" == rundown.items[0].segment
    assert "“dai”" in rundown.items[0].why.vi
    assert ["too_long"] == [finding.code for finding in rundown.findings]


def test_two_slots_of_a_session_bring_a_duty_two_topics() -> None:
    """Both recordings have aired before: the second slot takes the topic that the first one leaves open."""
    decided = intent(
        segments=(segment("f1", seconds=60, topics=("F-1",)), segment("f2", seconds=60, topics=("F-2",))),
        sessions=(session(place("a", programme="CDS"), place("b", programme="CDS"), weekdays=(1,)),),
        duties=(duty(counting=Counting.TOPICS, topic_prefix="F-", count=2),),
    )
    facts = Facts(station="XA", aired={"f1": local(16, 6), "f2": local(17, 6)})

    assert {"f1", "f2"} == {i.segment for i in planned(decided, facts=facts).items}


def test_of_sessions_at_one_time_the_one_that_must_air_keeps_it() -> None:
    """The commune's own, first by name, follows the duty's."""
    decided = intent(
        segments=(segment("a", seconds=600, programme="X"), segment("cds", seconds=600)),
        sessions=(session(place("a", fixed="a"), name="a"), session(place("cds", programme="CDS"), name="b")),
        duties=(duty(),),
    )

    assert [("cds", local(23, 5, 30)), ("a", local(23, 5, 40))] == [
        (i.segment, i.start) for i in planned(decided).items
    ]


def test_a_relay_ends_at_its_time_and_gives_way_by_getting_shorter() -> None:
    """A relay of half an hour before a ten-minute item in a session of 35 minutes: it ends five minutes earlier."""
    relay = SessionItem(id="voi", kind=ItemKind.RELAY, relay="VOV1", length_s=1800)
    decided = intent(
        segments=(segment("a", seconds=600),),
        sessions=(session(relay, place("a", fixed="a"), length_s=2100),),
    )

    items = by_place(planned(decided))

    assert "VOV1" == items["voi"].relay
    assert local(23, 5, 55) == items["voi"].end
    assert local(23, 5, 55) == items["a"].start


def test_what_gives_way_goes_by_rank_not_by_place() -> None:
    """In a session too short for all, filler and repeats go before new items, and the duty stays."""
    decided = intent(
        segments=(
            segment("cu", seconds=600, programme="TIN"),
            segment("thong-bao", seconds=600, programme="KHAC"),
            segment("cds", seconds=600),
        ),
        sessions=(
            session(
                place("tin", programme="TIN"),
                place("thong-bao", fixed="thong-bao", optional=False),
                place("cds", programme="CDS"),
                length_s=1200,
            ),
        ),
        duties=(duty(),),
    )
    facts = Facts(station="XA", aired={"cu": local(22, 6)})

    items = by_place(planned(decided, facts=facts))

    assert items["cds"].slot == items["tin"].replaced_by
    assert items["thong-bao"].sha256 is not None and items["cds"].sha256 is not None
    assert "gives_way" in {finding.code for finding in planned(decided, facts=facts).findings}


def test_a_limit_of_a_session_counts_every_second_of_it() -> None:
    """Three items of ten minutes in a session that may sound for 25: the last of equals gives way."""
    decided = intent(
        stations=(station(limits=Limits(session_s=1500)),),
        segments=(segment("a", seconds=600), segment("b", seconds=600), segment("c", seconds=600)),
        sessions=(session(place("a", fixed="a"), place("b", fixed="b"), place("c", fixed="c")),),
    )

    assert ["a", "b"] == [i.segment for i in planned(decided).items if i.sha256 is not None]


def test_a_limit_of_a_day_keeps_room_for_the_duty_of_the_evening() -> None:
    """25 minutes a day, two morning items of ten and the duty of ten in the evening: one morning item goes."""
    decided = intent(
        stations=(station(limits=Limits(day_s=1500)),),
        segments=(
            segment("a", seconds=600, programme="X"),
            segment("b", seconds=600, programme="X"),
            segment("cds", seconds=600),
        ),
        sessions=(
            session(place("a", fixed="a"), place("b", fixed="b")),
            session(place("cds", programme="CDS"), name="chieu", starts=(time(17),), weekdays=(1,)),
        ),
        duties=(duty(),),
    )

    sounding = [i.segment for i in planned(decided).items if i.sha256 is not None]

    assert ["a", "cds"] == sounding


def test_fillers_leave_the_session_s_minutes_to_what_follows() -> None:
    """Eleven minutes may sound: tune, three pieces of three minutes and the exact place are eleven, no more."""
    decided = filled()
    limited = replace(decided, stations=(station(limits=Limits(session_s=600)),))
    daily = replace(decided, stations=(station(limits=Limits(day_s=600)),))

    for one in (limited, daily):
        items = by_place(planned(one))
        assert {"a", "dem.1", "dem.2", "b"} == {name for name, item in items.items() if item.sha256 is not None}


def test_what_is_on_air_counts_for_the_limits() -> None:
    """Ten of fifteen minutes are on air: another ten are not begun, by the session's limit nor by the day's."""
    decided = intent(
        segments=(segment("a", seconds=600), segment("b", seconds=600)),
        sessions=(session(place("a", fixed="a"), place("b", fixed="b", optional=False)),),
    )
    item = by_place(planned(decided))["a"]
    run = Run(item=item, state=RunState.PLAYING, start_at=item.start, started_at=item.start)

    for limits in (Limits(session_s=900), Limits(day_s=900)):
        one = replace(decided, stations=(station(limits=limits),))
        later = by_place(planned(one, now=local(23, 5, 31), facts=Facts(station="XA", runs=(run,))))
        assert later["b"].sha256 is None


@pytest.mark.parametrize("limits", [Limits(session_s=300), Limits(day_s=300)])
def test_what_a_limit_leaves_out_says_so(limits: Limits) -> None:
    """Ten minutes where five are allowed: not a lack of time in the session, but the limit of minutes."""
    decided = intent(
        stations=(station(limits=limits),),
        segments=(segment("a", seconds=600),),
        sessions=(session(place("a", fixed="a")),),
    )

    rundown = planned(decided)

    assert ["over_limit"] == [finding.code for finding in rundown.findings]
    assert "số phút" in rundown.items[0].why.vi


def test_a_session_that_nobody_may_hear_is_none_of_the_day_s() -> None:
    """One session a day: one wholly outside the hours, and one outside its group's, leave it to the third."""
    decided = intent(
        stations=(
            station(
                limits=Limits(sessions=1),
                groups=(ClusterGroup(code="A", name="A", permitted=(DaySpan(start=time(8), end=time(20)),)),),
            ),
        ),
        segments=(segment("a", seconds=60),),
        sessions=tuple(session(place("a", fixed="a"), name=f"b{h}", starts=(time(h),)) for h in (4, 6, 17)),
    )

    assert [False, False, True] == [i.sha256 is not None for i in planned(decided).items]


def test_a_session_over_midnight_is_counted_on_both_days() -> None:
    """Ten minutes a day: of a session around midnight one item airs on each day, two on one day do not."""
    decided = intent(
        stations=(station(permitted=WHOLE_DAY, limits=Limits(day_s=600)),),
        segments=tuple(segment(name, seconds=600) for name in "abc"),
        sessions=(session(*[place(n, fixed=n, optional=False) for n in "abc"], starts=(time(23, 50),), weekdays=(1,)),),
    )

    rundown = plan(decided, Facts(station="XA"), EARLY, Interval(local(23, 0), local(24, 12)))

    assert ["a", "b"] == [i.segment for i in rundown.items if i.sha256 is not None]


def test_a_short_look_counts_the_sessions_of_the_whole_day() -> None:
    """One session a day is allowed, the duty's in the evening: the morning stays silent, also when asked till noon."""
    decided = intent(
        stations=(station(limits=Limits(sessions=1)),),
        segments=(segment("a", seconds=60, programme="X"), segment("cds", seconds=600)),
        sessions=(
            session(place("a", fixed="a")),
            session(place("cds", programme="CDS"), name="toi", starts=(time(17),)),
        ),
        duties=(duty(),),
    )

    rundown = plan(decided, Facts(station="XA"), EARLY, Interval(local(23, 0), local(23, 12)))

    assert [None] == [i.sha256 for i in rundown.items]


def test_who_asks_for_a_day_is_told_of_friday_what_who_asks_for_the_week_is() -> None:
    """On Friday the day's limit leaves the session of the duty without its tune: also in the plan of Monday alone."""
    decided = intent(
        stations=(station(limits=Limits(day_s=1300)),),
        segments=(
            segment("a", seconds=690, programme="X"),
            segment("nhac", seconds=60, programme="X"),
            segment("cds", seconds=600),
        ),
        sessions=(
            session(place("a", fixed="a"), name="a", weekdays=(5,)),
            session(
                SessionItem(id="nhac", kind=ItemKind.IDENT, segment="nhac"),
                place("cds", programme="CDS"),
                name="b",
                weekdays=(5,),
                starts=(time(17),),
            ),
        ),
        duties=(duty(),),
    )

    def said(days: int) -> str:
        (standing,) = plan(decided, Facts(station="XA"), EARLY, Interval(EARLY, EARLY + timedelta(days=days))).duties
        return standing.reason.vi

    assert said(6) == said(1)


@pytest.mark.parametrize("timing", [Timing.HARD, Timing.SOFT])
def test_an_order_takes_its_minutes_before_any_session(timing: Timing) -> None:
    """Fifteen minutes a day: an order of ten at noon leaves a session of ten in the morning no room; a second order
    beyond the limit does not sound, and the plan says why."""
    decided = intent(
        stations=(station(limits=Limits(day_s=900)),),
        segments=(segment("a", seconds=600), segment("b", seconds=600, programme="X")),
        sessions=(session(place("a", fixed="a", optional=False)),),
        one_offs=(one_off("mot", "b", local(23, 12), timing), one_off("hai", "b", local(23, 13), timing)),
    )

    rundown = planned(decided)

    assert ["XA/oneoff/mot"] == [i.slot for i in rundown.items if i.sha256 is not None]
    assert {"XA/oneoff/hai", "XA/sang/2026-11-23/a"} == {f.where for f in rundown.findings if f.code == "over_limit"}


def test_more_sessions_than_allowed_stay_silent() -> None:
    """Two sessions a day are allowed and three are due: the last one has no sound, and says why."""
    decided = intent(
        stations=(station(limits=Limits(sessions=2)),),
        segments=(segment("a", seconds=60),),
        sessions=tuple(session(place("a", fixed="a"), name=f"b{h}", starts=(time(h),)) for h in (6, 11, 17)),
    )

    rundown = planned(decided)

    assert [True, True, False] == [i.sha256 is not None for i in rundown.items]
    assert "too_many_sessions" in {finding.code for finding in rundown.findings}


def emergency(start: datetime, name: str = "khan", seconds: float = 120) -> Intent:
    urgent = segment(name, seconds=seconds, programme="KHAN")
    return intent(
        segments=(urgent, segment("a", seconds=600), segment("b", seconds=60)),
        sessions=(session(place("a", fixed="a")),),
        one_offs=(one_off("e", name, start, priority=Priority.EMERGENCY),),
    )


def test_an_emergency_airs_outside_the_hours() -> None:
    """At three in the morning nothing else may sound; the emergency does."""
    items = planned(emergency(local(23, 3)), now=local(23, 2)).items

    urgent = next(i for i in items if i.kind is ItemKind.EMERGENCY)
    assert local(23, 3) == urgent.due
    assert urgent.sha256 is not None and urgent.open_until is None
    assert Priority.EMERGENCY is urgent.priority


def test_an_emergency_cuts_what_is_on_air_also_an_ordered_airing() -> None:
    """Whatever is playing falls silent at its second; an ordered airing of the same time is replaced by it."""
    decided = emergency(local(23, 5, 35))
    item = by_place(planned(decided, now=EARLY))["a"]
    run = Run(item=item, state=RunState.PLAYING, start_at=local(23, 5, 30), started_at=local(23, 5, 30))
    ordered = replace(decided, one_offs=(*decided.one_offs, one_off("1", "b", local(23, 5, 36))))

    items = planned(ordered, now=local(23, 5, 33), facts=Facts(station="XA", runs=(run,))).items
    cut = next(i for i in items if i.segment == "a")
    other = next(i for i in items if i.slot.endswith("/oneoff/1"))

    assert local(23, 5, 35) == cut.cut_at
    assert other.replaced_by == "XA/oneoff/e"


def test_of_two_emergencies_the_second_waits_for_the_first() -> None:
    """Equal emergencies queue: the later one starts when the first is over, and is not cut by anything."""
    decided = emergency(local(23, 5, 35))
    both = replace(
        decided, one_offs=(*decided.one_offs, one_off("f", "khan", local(23, 5, 36), priority=Priority.EMERGENCY))
    )

    due = {i.slot: i.due for i in planned(both).items if i.kind is ItemKind.EMERGENCY}

    assert local(23, 5, 37) == due["XA/oneoff/f"]


def test_an_emergency_on_air_is_not_cut_by_an_ordered_airing() -> None:
    """Whoever ordered something for its time waits or is replaced."""
    decided = emergency(local(23, 5, 35))
    item = next(i for i in planned(decided).items if i.kind is ItemKind.EMERGENCY)
    run = Run(item=item, state=RunState.PLAYING, start_at=item.start, started_at=item.start)
    ordered = replace(decided, one_offs=(*decided.one_offs, one_off("1", "b", local(23, 5, 36))))

    items = planned(ordered, now=local(23, 5, 35, 30), facts=Facts(station="XA", runs=(run,))).items

    assert next(i for i in items if i.slot == item.slot).cut_at is None


def test_an_old_intent_airs_duties_only() -> None:
    """After its `valid_until` the station keeps to what must air; everything else is missed with that reason."""
    decided = intent(
        valid_until=local(23, 5),
        segments=(segment("a", seconds=60, programme="TIN"), segment("cds", seconds=60)),
        sessions=(session(place("a", fixed="a"), place("t", programme="TIN"), place("cds", programme="CDS")),),
        duties=(duty(),),
    )

    items = by_place(planned(decided))

    assert items["cds"].sha256 is not None
    assert items["a"].sha256 is None and "quá hạn" in items["a"].why.vi
    assert items["t"].sha256 is None and "quá hạn" in items["t"].why.vi


def overlapping(first: str, second: str, **more: object) -> Intent:
    return intent(
        segments=(segment("a", seconds=1500, programme="TIN"), segment("cds", seconds=300)),
        sessions=(
            session(place("x", **{"fixed" if first == "a" else "programme": first})),  # type: ignore[arg-type]
            session(
                place("y", **{"fixed" if second == "a" else "programme": second}), name="sau", starts=(time(5, 50),)
            ),  # type: ignore[arg-type]
        ),
        duties=(duty(),),
        **more,
    )


def test_f58_of_overlapping_sessions_the_one_that_must_air_keeps_its_time() -> None:
    """F58: a long bulletin of 05:30 would run into the duty's session of 05:50: the bulletin is replaced by it."""
    items = by_place(planned(overlapping("a", "CDS")))

    assert local(23, 5, 50) == items["y"].due
    assert items["y"].slot == items["x"].replaced_by


def test_f58_a_session_moves_behind_an_overlapping_one_of_its_weight() -> None:
    """F58: of two of the commune's own the earlier keeps its time, the later moves behind it, by at most 15 minutes."""
    decided = replace(overlapping("a", "CDS"), duties=())

    near = by_place(planned(decided))
    far = by_place(
        planned(
            replace(
                decided,
                segments=(segment("a", seconds=2280, programme="TIN"), segment("cds")),
                sessions=(replace(decided.sessions[0], length_s=3600), decided.sessions[1]),
            )
        )
    )

    assert local(23, 5, 55) == near["y"].start
    assert far["x"].slot == far["y"].replaced_by


def test_a_session_from_above_goes_before_the_commune_s_own() -> None:
    """The centre's session of 05:50 keeps its time against the commune's bulletin of 05:30."""
    decided = overlapping("a", "CDS")
    above = replace(decided, duties=(), sessions=(decided.sessions[0], replace(decided.sessions[1], owner="HUYEN")))

    assert local(23, 5, 50) == by_place(planned(above))["y"].due


def test_a_group_hears_only_what_its_own_hours_allow_whole() -> None:
    """The village of Gò Rộc is open until 05:35 only: the longer item goes to the others alone."""
    groups = (
        ClusterGroup(code="TRUNGTAM", name="Trung tâm xã"),
        ClusterGroup(code="GOROC", name="Gò Rộc", permitted=(DaySpan(start=time(5), end=time(5, 35)),)),
    )
    decided = intent(
        stations=(station(groups=groups),),
        segments=(segment("a", seconds=60), segment("b", seconds=600)),
        sessions=(session(place("a", fixed="a"), place("b", fixed="b")),),
    )
    closed = replace(decided, sessions=(replace(decided.sessions[0], targets=("GOROC",), starts=(time(9),)),))

    items = by_place(planned(decided))

    assert items["a"].targets is None
    assert ("TRUNGTAM",) == items["b"].targets
    assert {"outside_hours"} == {finding.code for finding in planned(closed).findings}


def test_a_one_off_outside_every_group_s_hours_does_not_sound() -> None:
    """A station all of whose groups are closed is silent for an ordered airing too."""
    groups = (ClusterGroup(code="GOROC", name="Gò Rộc", permitted=(DaySpan(start=time(5), end=time(6)),)),)
    decided = intent(
        stations=(station(groups=groups),), segments=(segment("a"),), one_offs=(one_off("1", "a", local(23, 9)),)
    )

    assert planned(decided).items[0].sha256 is None


def test_a_fixed_recording_needs_its_dates_and_its_file() -> None:
    """Expired, not valid yet, of a neighbour, or not on the station: the place stays empty and says which."""
    base = segment("a", seconds=60)
    why = {}
    for name, one, facts in (
        ("expired", replace(base, valid_until=local(22, 0)), Facts(station="XA")),
        ("early", replace(base, valid_from=local(24, 0)), Facts(station="XA")),
        ("neighbour", replace(base, owner="KHAC"), Facts(station="XA")),
        ("absent", base, Facts(station="XA", media=frozenset())),
    ):
        decided = intent(segments=(one,), sessions=(session(place("a", fixed="a")),))
        why[name] = planned(decided, facts=facts).items[0].why.vi

    assert "hết hạn" in why["expired"] and why["expired"] == why["early"]
    assert "chưa được duyệt" in why["neighbour"]
    assert "chưa có trên máy" in why["absent"]


def test_two_priority_items_leave_the_order_to_the_commune() -> None:
    """Own and above both wait with priority: the own one airs first, and a note says how to order otherwise."""
    decided = intent(
        segments=(
            segment("xa", priority=Priority.PRIORITY),
            segment("huyen", owner="HUYEN", priority=Priority.PRIORITY),
            segment("moi", approved_at=local(22, 9)),
        ),
        sessions=(session(place("cds", programme="CDS")),),
    )

    rundown = planned(decided)

    assert "xa" == rundown.items[0].segment
    assert "priority_choice" in {finding.code for finding in rundown.findings}


def test_a_slot_takes_what_an_open_duty_lacks_before_what_is_newer() -> None:
    """The newest item has no topic of the duty; the older one has, and is taken first with that reason."""
    decided = intent(
        segments=(segment("moi", topics=("KHAC",), approved_at=local(22, 9)), segment("cu")),
        sessions=(session(place("cds", programme="CDS")),),
        duties=(duty(),),
    )

    item = planned(decided).items[0]

    assert "cu" == item.segment
    assert "còn thiếu" in item.why.vi


def test_whole_day_hours_know_no_end() -> None:
    """A station that is open day and night lets an item run over midnight."""
    decided = intent(
        stations=(station(permitted=WHOLE_DAY),),
        segments=(segment("a", seconds=600),),
        sessions=(session(place("a", fixed="a"), starts=(time(23, 55),)),),
    )

    item = planned(decided).items[-1]

    assert local(24, 0, 5) == item.end
    assert item.open_until is None
