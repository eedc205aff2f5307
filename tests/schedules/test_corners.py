"""Corners of a plan that a week seldom has: pushed fillers, ordered airings without a chance, sessions under way."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from itertools import pairwise

import pytest

from schedules.airing import Facts, Run, RunState, Verdict
from schedules.clock import Interval
from schedules.duty import DutyWindow
from schedules.grid import ItemKind, OneOff, SessionItem, Timing
from schedules.intent import Intent
from schedules.planner import plan
from schedules.programme import Otherwise, Programme
from schedules.rundown import Rundown, RundownItem
from schedules.segment import Priority
from schedules.station import ClusterGroup, DaySpan, Limits, Station
from tests.schedules.builders import duty, intent, local, one_off, place, row, segment, session

MONDAY = Interval(local(23, 0), local(24, 0))
EARLY = local(23, 4)


def planned(decided: Intent, now: datetime = EARLY, facts: Facts | None = None, during: Interval = MONDAY) -> Rundown:
    return plan(decided, facts or Facts(station="XA"), now, during)


def by_place(rundown: Rundown) -> dict[str, RundownItem]:
    return {item.slot.split("/")[-1]: item for item in rundown.items}


def station(**more: object) -> Station:
    return Station(code="XA", name="Đài", unit="XA", **more)  # type: ignore[arg-type]


def test_a_place_that_names_nothing_stays_empty_and_says_so() -> None:
    """Neither a programme nor a recording: an empty place, a warning, and nothing else is disturbed."""
    nothing = SessionItem(id="x", kind=ItemKind.NOTICE)
    items = by_place(planned(intent(segments=(segment("a"),), sessions=(session(nothing, place("a", fixed="a")),))))

    assert (None, "Mục này chưa chọn bài.") == (items["x"].sha256, items["x"].why.vi)
    assert local(23, 5, 30) == items["a"].due


def test_an_optional_place_without_audio_is_left_out_and_gives_way_early() -> None:
    """It has no slot at all without audio; with audio it goes before a frame does."""
    optional = place("o", programme="TIN", optional=True)
    empty = planned(intent(segments=(segment("a"),), sessions=(session(optional, place("a", fixed="a")),)))
    full = by_place(
        planned(
            intent(
                segments=(
                    segment("a", seconds=1500),
                    segment("t", programme="TIN", seconds=200),
                    segment("n", seconds=200),
                ),
                sessions=(
                    session(replace(place("n", fixed="n"), kind=ItemKind.IDENT), optional, place("a", fixed="a")),
                ),
            )
        )
    )

    assert ["a"] == list(by_place(empty))
    assert (None, "a") == (full["o"].sha256, (full["o"].replaced_by or "").split("/")[-1])
    assert full["n"].sha256 is not None


def test_fillers_stop_where_nothing_else_fits_or_the_hours_end() -> None:
    """A filler that would run past the hours is not begun; one that was just heard is not heard again at once."""
    filler = SessionItem(id="f", kind=ItemKind.FILLER, programme="NHAC", optional=True)
    rule = Programme(code="NHAC", name="Nhạc", otherwise=(Otherwise.ROTATION,))
    late = session(place("a", fixed="a"), filler, starts=(time(20, 50),))
    decided = intent(
        segments=(
            segment("a"),
            segment("m", programme="NHAC", seconds=400),
            segment("n", programme="NHAC", seconds=100),
        ),
        sessions=(late,),
        programmes=(rule,),
    )

    items = [i for i in planned(decided).items if i.kind is ItemKind.FILLER]

    assert items
    assert all(i.due + (i.end - i.start) <= local(23, 21) for i in items)
    assert all(one.segment != two.segment for one, two in pairwise(items))


@pytest.mark.parametrize("valid_until", [local(23, 5, 30), local(23, 5, 29)])
def test_an_old_intent_airs_no_filler_and_no_ordinary_item(valid_until: datetime) -> None:
    """From its last moment on only what fulfils a duty sounds."""
    filler = SessionItem(id="f", kind=ItemKind.FILLER, programme="NHAC", optional=True)
    decided = intent(
        valid_until=valid_until,
        segments=(segment("a", programme="TIN"), segment("m", programme="NHAC"), segment("d")),
        sessions=(session(place("t", programme="TIN"), place("d", programme="CDS"), filler),),
        duties=(duty(),),
    )

    heard = [i.slot.split("/")[-1] for i in planned(decided).items if i.sha256 is not None]

    assert ["d"] == heard


ORDER = one_off("1", "k", local(23, 9))


@pytest.mark.parametrize(
    ("decided", "facts", "why"),
    [
        (intent(one_offs=(ORDER,)), None, "không còn được duyệt"),
        (intent(segments=(segment("k", owner="KHAC"),), one_offs=(ORDER,)), None, "không còn được duyệt"),
        (
            intent(segments=(segment("k"),), one_offs=(ORDER,)),
            Facts(station="XA", media=frozenset()),
            "chưa có trên máy phát",
        ),
        (intent(segments=(segment("k"),), one_offs=(replace(ORDER, start=local(23, 21)),)), None, "Ngoài khung giờ"),
        (
            intent(
                segments=(segment("k", seconds=61),), one_offs=(ORDER,), stations=(station(limits=Limits(day_s=60)),)
            ),
            None,
            "",
        ),
    ],
)
@pytest.mark.parametrize("timing", [Timing.HARD, Timing.SOFT])
def test_an_order_without_a_chance_says_why(decided: Intent, facts: Facts | None, why: str, timing: Timing) -> None:
    """No approval, no file, no hours, over the limit of the day: it keeps its slot, without audio, with its reason."""
    timed = replace(decided, one_offs=tuple(replace(o, timing=timing) for o in decided.one_offs))
    (item,) = planned(timed, facts=facts).items

    assert item.sha256 is None
    assert why in item.why.vi
    assert 0 == item.samples


def test_two_orders_for_one_time_leave_it_to_the_first_ordered() -> None:
    """The one ordered later is replaced by it, by name; an emergency goes before both."""
    first = replace(one_off("1", "k", local(23, 9, 5)), ordered_at=local(20, 8))
    second = replace(one_off("2", "k", local(23, 9)), ordered_at=local(20, 9))
    urgent = replace(one_off("3", "u", local(23, 9, 5, 1)), ordered_at=local(20, 10), priority=Priority.EMERGENCY)
    segments = (segment("k", seconds=600), segment("u", seconds=60))

    items = by_place(planned(intent(segments=segments, one_offs=(second, first))))
    assert (None, "XA/oneoff/2") == (items["1"].replaced_by, items["1"].slot.replace("1", "2"))
    assert ("XA/oneoff/1", "Nhường giờ cho lượt phát đã xếp trước.") == (items["2"].replaced_by, items["2"].why.vi)

    with_urgent = by_place(planned(intent(segments=segments, one_offs=(second, first, urgent))))
    assert local(23, 9, 5, 1) == with_urgent["3"].due
    assert {"XA/oneoff/3"} == {with_urgent["1"].replaced_by, with_urgent["2"].replaced_by}
    assert "Nhường giờ cho thông báo khẩn cấp." == with_urgent["1"].why.vi


def order_on_air(one: OneOff, decided: Intent, now: datetime) -> Rundown:
    (item,) = planned(decided).items
    run = Run(item=item, state=RunState.PLAYING, start_at=item.due, started_at=item.due, position_at=now)
    changed = replace(decided, one_offs=(one,))
    return planned(changed, now, Facts(station="XA", runs=(run,)))


def test_an_order_on_air_that_is_cancelled_keeps_its_item_and_the_name() -> None:
    """What has begun keeps what it began with; who took it out stands beside it."""
    decided = intent(segments=(segment("k", seconds=600),), one_offs=(ORDER,))
    cancelled = replace(ORDER, cancelled_by="Bà Hạnh", cancelled_at=local(23, 9, 1))

    (item,) = order_on_air(cancelled, decided, local(23, 9, 2)).items

    assert ("k", "Bà Hạnh", local(23, 9)) == (item.segment, item.cancelled_by, item.due)


def test_a_group_without_hours_of_its_own_hears_to_the_end() -> None:
    """Where one of the groups meant has no hours of its own, only the station's end it."""
    closed = ClusterGroup(code="A", name="A", permitted=(DaySpan(start=time(5), end=time(5, 40)),))
    always = ClusterGroup(code="B", name="B", permitted=(DaySpan(start=time(0), end=time(0)),))
    free = ClusterGroup(code="C", name="C")
    grid = session(place("a", programme="CDS"))

    def targets(*groups: ClusterGroup, **more: object) -> tuple[str, ...] | None:
        decided = intent(
            stations=(station(groups=groups, **more),),
            segments=(segment("a", seconds=900),),
            sessions=(grid,),
            duties=(duty(),),
        )
        return by_place(planned(decided))["a"].targets

    assert ("B",) == targets(closed, always)
    assert ("C",) == targets(closed, free)
    assert ("B",) == targets(closed, always, permitted=(DaySpan(start=time(0), end=time(0)),))


def test_the_evening_s_duty_is_set_aside_once() -> None:
    """A duty slot of the evening that has its row, or is under way, takes nothing from the morning any more."""
    decided = intent(
        stations=(station(limits=Limits(day_s=900)),),
        segments=(segment("t", seconds=600, programme="TIN"), segment("d", seconds=600)),
        sessions=(
            session(place("t", programme="TIN"), name="sang"),
            session(place("d", programme="CDS"), name="chieu", starts=(time(17),)),
        ),
        duties=(duty(windows=(DutyWindow(weekday=1, start=time(17), end=time(18)),)),),
    )
    before = by_place(planned(decided))
    evening = next(i for i in planned(decided).items if i.slot.endswith("/d"))
    facts = Facts(station="XA", airings=(row(evening, Verdict.MISSED),))

    assert (None, "d") == (before["t"].sha256, before["d"].segment)
    assert "t" == by_place(planned(decided, facts=facts))["t"].segment


def test_a_duty_without_audio_sets_nothing_aside() -> None:
    """What has no recording needs no seconds of the day: the morning airs."""
    decided = intent(
        stations=(station(limits=Limits(day_s=900)),),
        segments=(segment("t", seconds=600, programme="TIN"),),
        sessions=(
            session(place("t", programme="TIN"), name="sang"),
            session(place("d", programme="CDS"), name="chieu", starts=(time(17),)),
        ),
        duties=(duty(),),
    )

    assert "t" == by_place(planned(decided))["t"].segment


def test_findings_of_long_ago_are_not_told() -> None:
    """What was without audio days ago is in the log; the plan warns of what is to come."""
    decided = intent(sessions=(session(place("x", programme="CDS")),))
    long = Interval(local(20, 0), local(26, 0))

    found = plan(decided, Facts(station="XA"), local(24, 12), long).findings

    told = {f.where.split("/")[2] for f in found if f.code == "no_audio"}
    assert {"2026-11-24", "2026-11-25"} <= told
    assert not told & {"2026-11-20", "2026-11-21", "2026-11-22"}


def test_a_session_that_overlaps_a_long_past_one_does_not_wait_for_it() -> None:
    """The delay is told while it is to come; afterwards it is only a row."""
    grid = (
        session(place("a", fixed="a"), name="mot", length_s=3600),
        session(place("b", fixed="b"), name="hai", starts=(time(5, 40),)),
    )
    decided = intent(segments=(segment("a", seconds=900), segment("b")), sessions=grid)

    assert "session_delayed" in {f.code for f in planned(decided).findings}
    assert "session_delayed" not in {f.code for f in planned(decided, now=local(23, 12)).findings}
    assert timedelta(minutes=5) == by_place(planned(decided))["b"].due - local(23, 5, 40)


def test_what_gave_way_names_what_airs_in_the_end() -> None:
    """The optional item gave way to a repeat that then gave way to the duty: the log names the duty's slot for both."""
    decided = intent(
        segments=(
            segment("i", seconds=120, programme="NHAC"),
            segment("o", seconds=600, programme="LE"),
            segment("r", seconds=600, programme="TIN"),
            segment("d", seconds=1200),
        ),
        sessions=(
            session(
                place("i", fixed="i"),
                place("o", fixed="o", optional=True),
                place("r", programme="TIN"),
                place("d", programme="CDS"),
                length_s=1260,
            ),
        ),
        duties=(duty(),),
    )

    items = by_place(planned(decided, facts=Facts(station="XA", aired={"r": local(20, 5)})))

    assert "d" == items["d"].segment
    assert {"XA/sang/2026-11-23/d"} == {items[name].replaced_by for name in ("i", "o", "r")}


def test_a_cancelled_and_an_urgent_order_take_nothing_from_the_day_s_limit() -> None:
    """Only what is still to air, and is no emergency, takes its seconds before the sessions do."""
    orders = (
        one_off("huy", "k", local(23, 9), cancelled_by="x", cancelled_at=EARLY),
        one_off("khan", "k", local(23, 10), priority=Priority.EMERGENCY),
        one_off("xa", "gone", local(23, 11)),
    )

    def morning(*more: OneOff) -> str | None:
        decided = intent(
            stations=(station(limits=Limits(day_s=600)),),
            segments=(segment("t", seconds=600, programme="TIN"), segment("k", seconds=600, programme="KHAN")),
            sessions=(session(place("t", programme="TIN")),),
            one_offs=(*orders, *more),
        )
        return by_place(planned(decided))["t"].segment

    assert "t" == morning()
    assert morning(one_off("mai", "k", local(23, 9, 30))) is None


def test_a_session_whose_places_are_all_left_out_takes_no_time() -> None:
    """Only optional places without audio: no slot, and the next session is not delayed by it."""
    grid = (
        session(place("o", programme="LE", optional=True), name="mot"),
        session(place("a", fixed="a"), name="hai", starts=(time(5, 40),)),
    )

    (item,) = planned(intent(segments=(segment("a"),), sessions=grid)).items

    assert local(23, 5, 40) == item.due


FILLER = SessionItem(id="f", kind=ItemKind.FILLER, programme="NHAC", optional=True)
ROTATING = (Programme(code="NHAC", name="Nhạc", otherwise=(Otherwise.ROTATION,)),)


def filled(*after: SessionItem, seconds: float = 60, **more: object) -> dict[str, RundownItem]:
    values: dict[str, object] = {
        "segments": (
            segment("m", programme="NHAC", seconds=seconds),
            segment("n", programme="NHAC", seconds=seconds),
            segment("a", programme="TIN", seconds=300),
            segment("b", programme="TIN", seconds=1900),
        ),
        "sessions": (session(FILLER, *after),),
        "programmes": ROTATING,
    }
    return by_place(planned(intent(**{**values, **more})))


def test_fillers_leave_room_for_what_follows_at_its_time() -> None:
    """Up to an exact place; for what follows without a time, so that it ends with the session."""
    exact = filled(place("a", fixed="a", timing=Timing.HARD, offset_s=600))
    relative = filled(place("a", fixed="a"))

    assert local(23, 5, 40) == exact["a"].due == exact["f.10"].due + timedelta(minutes=1)
    assert local(23, 5, 55) == relative["a"].due == relative["f.25"].due + timedelta(minutes=1)
    assert "f.11" not in exact and "f.26" not in relative


def test_fillers_leave_no_room_for_what_has_none() -> None:
    """What is too long for the session gives its time back to the fillers."""
    items = filled(place("b", fixed="b"))

    assert items["b"].sha256 is None
    assert local(23, 6) == items["f.30"].due + timedelta(minutes=1)


def test_fillers_do_not_go_on_without_end() -> None:
    """Fifty short pieces are enough: a rotation of jingles fills no half hour."""
    items = filled(seconds=5)

    assert {f"f.{n}" for n in range(1, 51)} == items.keys()


def test_fillers_make_room_for_a_duty_that_took_a_later_slot() -> None:
    """A duty that found its place only in a slot behind fillers airs there, whole, and the fillers end before it."""
    decided = intent(
        stations=(station(permitted=(DaySpan(start=time(5, 30), end=time(6)),)),),
        segments=(
            segment("m", programme="NHAC", seconds=60),
            segment("n", programme="NHAC", seconds=60),
            segment("moi", programme="TIN", seconds=300, approved_at=local(20, 8)),
            segment("dx", programme="TIN", seconds=600, topics=("DX-A",), approved_at=local(10, 8)),
        ),
        sessions=(session(FILLER, place("t", programme="TIN"), weekdays=(1,)),),
        programmes=ROTATING,
        duties=(
            duty(
                code="N", programme=None, topics=("DX-A",), windows=(DutyWindow(weekday=2, start=time(1), end=time(2)),)
            ),
        ),
    )

    items = by_place(planned(decided))

    assert "dx" == items["t"].segment
    heard = sorted((i.due, i.due + (i.end - i.start)) for i in items.values() if i.sha256 is not None)
    assert all(one[1] <= two[0] for one, two in pairwise(heard))


def test_a_session_too_many_serves_no_duty() -> None:
    """Of two sessions with the duty's programme the day may have one: the other stays silent, and the duty is kept."""
    decided = intent(
        stations=(station(limits=Limits(sessions=1)),),
        segments=(segment("d"),),
        sessions=(
            session(place("d", programme="CDS"), name="sang"),
            session(place("d", programme="CDS"), name="chieu", starts=(time(17),)),
        ),
        duties=(duty(count=2, windows=(DutyWindow(weekday=7, start=time(5), end=time(6)),)),),
    )

    items = planned(decided).items

    assert ["XA/sang/2026-11-23/d"] == [i.slot for i in items if i.sha256 is not None]
    assert "Quá số buổi được phát trong ngày." == items[-1].why.vi
