"""The plan of a station: what airs, when, and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedules.airing import Facts, Outage, Run, RunState, Silence, Verdict
from schedules.clock import Interval
from schedules.grid import Timing
from schedules.intent import Intent
from schedules.planner import check_one_off, one_off_slot, plan
from schedules.rundown import Rundown
from schedules.station import WHOLE_DAY, Station
from tests.schedules.builders import duty, intent, local, one_off, place, row, segment, session

MONDAY = Interval(local(23, 0), local(24, 0))


EARLY = local(23, 4)


def planned(decided: Intent, now: datetime = EARLY, facts: Facts | None = None) -> Rundown:
    return plan(decided, facts or Facts(station="XA"), now, MONDAY)


def test_items_follow_each_other_without_a_gap() -> None:
    """The first item starts with the session, each next one with the last sample of the one before."""
    decided = intent(
        segments=(segment("chao", seconds=10), segment("moi")),
        sessions=(session(place("chao", fixed="chao"), place("cds", programme="CDS")),),
    )

    items = planned(decided).items

    assert [local(23, 5, 30), local(23, 5, 30, 10)] == [item.start for item in items]
    assert items[0].slot == items[1].joins


def test_a_slot_keeps_its_name_when_the_plan_is_made_again() -> None:
    """The slot is station, session, local date and place: re-planning later changes none of it."""
    decided = intent(segments=(segment("moi"),), sessions=(session(place("cds", programme="CDS")),))

    early, late = planned(decided), planned(decided, now=local(23, 5, 29))

    assert ["XA/sang/2026-11-23/cds"] == [item.slot for item in early.items]
    assert early.items == late.items


def test_the_newest_unaired_item_is_chosen_and_says_so() -> None:
    """Of two approved items the newer one airs; the reason stands beside it in both languages."""
    old, new = segment("cu"), segment("moi", approved_at=local(20, 8))
    decided = intent(segments=(old, new), sessions=(session(place("cds", programme="CDS")),))

    item = planned(decided).items[0]

    assert "moi" == item.segment
    assert "chưa phát" in item.why.vi and "not aired" in item.why.en


def test_an_aired_item_gives_way_to_the_centre_and_then_repeats() -> None:
    """After the own new item comes the new one from above; when all have aired, the last one again."""
    own, above = segment("xa"), segment("huyen", owner="HUYEN")
    rules = (session(place("cds", programme="CDS")),)

    aired_own = Facts(station="XA", aired={"xa": local(22, 6)})
    aired_all = Facts(station="XA", aired={"xa": local(22, 6), "huyen": local(21, 6)})

    assert "huyen" == planned(intent(segments=(own, above), sessions=rules), facts=aired_own).items[0].segment
    assert "xa" == planned(intent(segments=(own, above), sessions=rules), facts=aired_all).items[0].segment


def test_items_of_a_neighbour_are_never_used() -> None:
    """A recording of another commune is not a recording of this one."""
    decided = intent(segments=(segment("khac", owner="XA-KHAC"),), sessions=(session(place("cds", programme="CDS")),))

    item = planned(decided).items[0]

    assert item.sha256 is None
    assert "no_audio" in {finding.code for finding in planned(decided).findings}


def test_audio_that_is_not_on_the_station_is_not_planned() -> None:
    """What is approved but not on the disk cannot air, and the plan says so before it is due."""
    decided = intent(segments=(segment("moi"),), sessions=(session(place("cds", programme="CDS")),))

    item = planned(decided, facts=Facts(station="XA", media=frozenset())).items[0]

    assert item.sha256 is None
    assert "chưa có trên máy" in item.why.vi


def test_what_does_not_fit_is_not_begun() -> None:
    """An item longer than what is left of the session is not planned to be cut."""
    decided = intent(segments=(segment("dai", seconds=1801),), sessions=(session(place("cds", programme="CDS")),))

    assert planned(decided).items[0].sha256 is None
    assert {"does_not_fit"} == {finding.code for finding in planned(decided).findings}


def test_nothing_is_planned_outside_the_permitted_hours() -> None:
    """A session at 04:50 does not air at a station that is permitted from 05:00."""
    decided = intent(
        segments=(segment("moi"),), sessions=(session(place("cds", programme="CDS"), starts=(time(4, 50),)),)
    )

    assert planned(decided, now=local(23, 4)).items[0].sha256 is None
    assert {"outside_hours"} == {finding.code for finding in planned(decided, now=local(23, 4)).findings}


def test_a_rule_does_not_make_the_past_due() -> None:
    """A session that was put into the grid at ten o'clock did not miss half past five."""
    decided = intent(
        segments=(segment("moi"),), sessions=(session(place("cds", programme="CDS"), since=local(23, 10)),)
    )

    assert () == planned(decided, now=local(23, 11)).items


def test_a_hard_airing_pushes_the_session_aside() -> None:
    """An ordered airing keeps its second; the session's items go on after it."""
    decided = intent(
        segments=(segment("chao", seconds=60), segment("gap", seconds=30)),
        sessions=(session(place("chao", fixed="chao")),),
        one_offs=(one_off("1", "gap", local(23, 5, 30, 20)),),
    )

    starts = {item.segment: item.start for item in planned(decided).items}

    assert local(23, 5, 30, 20) == starts["gap"]
    assert local(23, 5, 30, 50) == starts["chao"]


def test_a_hard_airing_cuts_what_is_already_playing() -> None:
    """What has begun is not moved: it is told when to fall silent."""
    decided = intent(segments=(segment("chao"), segment("gap")), sessions=(session(place("chao", fixed="chao")),))
    item = planned(decided).items[0]
    run = Run(item=item, state=RunState.PLAYING, start_at=item.start, started_at=item.start)
    ordered = replace(decided, one_offs=(one_off("1", "gap", local(23, 5, 30, 30)),))

    items = planned(ordered, now=local(23, 5, 30, 10), facts=Facts(station="XA", runs=(run,))).items

    assert local(23, 5, 30, 30) == next(i for i in items if i.segment == "chao").cut_at


def test_what_gives_way_wholly_is_replaced_by_the_slot_that_took_its_time() -> None:
    """A session of one minute under an ordered airing of two has its item replaced, by name."""
    decided = intent(
        segments=(segment("chao", seconds=50), segment("gap", seconds=120)),
        sessions=(session(place("chao", fixed="chao"), length_s=60),),
        one_offs=(one_off("1", "gap", local(23, 5, 30)),),
    )

    item = next(i for i in planned(decided).items if i.session is not None)

    assert one_off_slot("XA", "1") == item.replaced_by


def test_a_soft_airing_waits_for_the_item_before_it() -> None:
    """A soft airing due in the middle of an item starts when that item ends, and the next one follows it."""
    decided = intent(
        segments=(segment("a", seconds=60), segment("b", seconds=60), segment("mem", seconds=30)),
        sessions=(session(place("a", fixed="a"), place("b", fixed="b")),),
        one_offs=(one_off("1", "mem", local(23, 5, 30, 20), Timing.SOFT),),
    )

    due = {item.segment: item.due for item in planned(decided).items}

    assert local(23, 5, 31) == due["mem"]
    assert local(23, 5, 31, 30) == due["b"]


def test_a_late_station_starts_with_what_should_be_on_air_now() -> None:
    """Ten minutes late, items that are over stay over; the one of the moment is begun whole."""
    decided = intent(
        segments=(segment("a", seconds=300), segment("b", seconds=600)),
        sessions=(session(place("a", fixed="a"), place("b", fixed="b")),),
    )

    items = {item.segment: item for item in planned(decided, now=local(23, 5, 37)).items}

    assert local(23, 5, 30) == items["a"].start
    assert items["b"].joins is None
    assert local(23, 5, 35) == items["b"].start


def test_a_final_slot_is_not_planned_again() -> None:
    """A slot with a row in the air log stands in the plan as that row tells, and nothing else is chosen for it."""
    decided = intent(segments=(segment("moi"),), sessions=(session(place("cds", programme="CDS")),))
    item = planned(decided).items[0]
    facts = Facts(station="XA", airings=(row(item, Verdict.AIRED),), aired={"moi": item.start})

    again = planned(decided, now=local(23, 12), facts=facts)

    assert [item.slot] == [i.slot for i in again.items]
    assert item.start == again.items[0].start


@pytest.mark.parametrize(
    ("start", "code"),
    [
        (local(23, 3), "in_the_past"),
        (local(23, 22), "outside_hours"),
        (local(23, 12, 0, 30), "conflict"),
    ],
)
def test_an_order_that_cannot_be_kept_is_refused(start: datetime, code: str) -> None:
    """The past, the quiet hours and another order's time are errors, each with its code."""
    decided = intent(segments=(segment("moi"),), one_offs=(one_off("1", "moi", local(23, 12)),))

    assert code in {finding.code for finding in check_one_off(decided, one_off("2", "moi", start), local(23, 4))}


def test_the_hint_of_a_conflict_names_the_local_time() -> None:
    """An officer reads the station's own time, not that of Greenwich."""
    decided = intent(segments=(segment("moi"),), one_offs=(one_off("1", "moi", local(23, 12)),))

    (found,) = check_one_off(decided, one_off("2", "moi", local(23, 12, 0, 30)), local(23, 4))

    assert found.hint is not None
    assert "trước 12:" in found.hint.vi


def test_an_order_for_an_unapproved_item_is_refused() -> None:
    """What nobody approved is not in the intent, so it cannot be ordered."""
    assert {"not_approved"} == {f.code for f in check_one_off(intent(), one_off("1", "la", local(23, 8)), local(23, 4))}


def test_an_order_inside_a_session_is_taken_with_a_warning() -> None:
    """An urgent notice may push a session aside; whoever orders it is told."""
    decided = intent(segments=(segment("moi"),), sessions=(session(place("cds", programme="CDS")),))

    found = check_one_off(decided, one_off("1", "moi", local(23, 5, 40)), local(23, 4))

    assert ["gives_way"] == [finding.code for finding in found]
    assert "warning" == found[0].severity


@st.composite
def busy_days(draw: st.DrawFn) -> Intent:
    lengths = draw(st.lists(st.integers(5, 900), min_size=1, max_size=6))
    segments = tuple(segment(f"s{n}", seconds=length) for n, length in enumerate(lengths))
    names = [s.id for s in segments]
    sessions = tuple(
        session(
            *(place(f"p{n}", fixed=draw(st.sampled_from(names))) for n in range(draw(st.integers(1, 4)))),
            name=f"buoi{number}",
            starts=(time(draw(st.integers(5, 20)), draw(st.integers(0, 59))),),
            length_s=draw(st.integers(60, 3600)),
        )
        for number in range(draw(st.integers(1, 3)))
    )
    orders = [
        (local(23, draw(st.integers(5, 20)), draw(st.integers(0, 59))), draw(st.sampled_from(names)))
        for _ in range(draw(st.integers(0, 3)))
    ]
    one_offs = []
    for number, (start, name) in enumerate(orders):
        wanted = one_off(str(number), name, start, draw(st.sampled_from([Timing.HARD, Timing.SOFT])))
        if not any(
            f.severity == "error"
            for f in check_one_off(intent(segments=segments, one_offs=tuple(one_offs)), wanted, local(22, 0))
        ):
            one_offs.append(wanted)
    return intent(segments=segments, sessions=sessions, one_offs=tuple(one_offs), duties=(duty(),))


@settings(max_examples=150, deadline=None)
@given(busy_days())
def test_a_plan_never_sounds_twice_at_once_nor_outside_the_hours(decided: Intent) -> None:
    """Whatever is in the grid and ordered: no two items overlap, and none leaves the permitted hours."""
    sounding = [i for i in planned(decided).items if i.sha256 is not None and i.replaced_by is None]
    stretches = sorted((i.due, i.due + (i.end - i.start)) for i in sounding)

    assert all(one[1] <= two[0] for one, two in pairwise(stretches))
    assert all(local(23, 5) <= start and end <= local(23, 21) for start, end in stretches)


@settings(max_examples=50, deadline=None)
@given(busy_days())
def test_a_plan_does_not_depend_on_the_order_of_its_input(decided: Intent) -> None:
    """The same intent written down in another order gives the same plan."""
    turned = replace(
        decided,
        segments=decided.segments[::-1],
        sessions=decided.sessions[::-1],
        one_offs=decided.one_offs[::-1],
    )

    assert planned(decided) == planned(turned)


def test_the_whole_day_may_be_permitted() -> None:
    """A station whose hours are 00:00 to 00:00 may air at any time, as the demonstration does."""
    night = Station(code="XA", name="Đài", unit="XA", permitted=WHOLE_DAY)
    decided = intent(
        stations=(night,),
        segments=(segment("moi"),),
        sessions=(session(place("cds", programme="CDS"), starts=(time(23, 59),)),),
    )

    assert planned(decided).items[0].sha256 is not None


def test_unused_facts_do_not_change_a_plan() -> None:
    """Silences and outages are for settling slots; they move nothing in the plan."""
    decided = intent(segments=(segment("moi"),), sessions=(session(place("cds", programme="CDS")),))
    silence = Silence(session="XA/sang/2026-11-22", by="Bà Hạnh", reason="thử")
    outage = Outage(during=Interval(local(22, 0), local(22, 1)), reason=planned(decided).items[0].why)

    other = planned(decided, facts=Facts(station="XA", silences=(silence,), outages=(outage,)))

    assert planned(decided) == other
    assert timedelta(seconds=60) == other.items[0].end - other.items[0].start


def test_a_session_that_must_wait_is_told() -> None:
    """The first session's item is still on air when the second should start: it follows, and the plan warns."""
    decided = intent(
        segments=(segment("dai", seconds=600), segment("ngan", seconds=60)),
        sessions=(
            session(place("a", fixed="dai")),
            session(place("b", fixed="ngan"), name="sau", starts=(time(5, 35),)),
        ),
    )

    rundown = planned(decided)

    assert local(23, 5, 40) == next(item.due for item in rundown.items if item.segment == "ngan")
    assert ["session_delayed"] == [finding.code for finding in rundown.findings]


def test_an_order_that_was_stopped_keeps_nobody_away() -> None:
    """After a stop the rest of its time is free: for another order, and for the session it pushed aside."""
    decided = intent(
        segments=(segment("moi"), segment("gap", seconds=600)),
        sessions=(session(place("cds", programme="CDS")),),
        one_offs=(one_off("1", "gap", local(23, 5, 30)),),
    )
    ordered = next(item for item in planned(decided).items if item.segment == "gap")
    stopped = row(ordered, Verdict.PARTIAL, started_at=ordered.start, ended_at=local(23, 5, 31))
    later = one_off("2", "moi", local(23, 5, 35))

    assert "conflict" in {finding.code for finding in check_one_off(decided, later, local(23, 5, 32))}
    assert "conflict" not in {f.code for f in check_one_off(decided, later, local(23, 5, 32), {ordered.slot})}
    after = planned(decided, now=local(23, 5, 31), facts=Facts(station="XA", airings=(stopped,)))
    assert local(23, 5, 31) == next(item.start for item in after.items if item.segment == "moi")


@pytest.mark.parametrize("state", [RunState.PLAYING, RunState.INTERRUPTED])
def test_what_is_on_air_takes_its_time_when_its_place_is_gone(state: RunState) -> None:
    """Its place is deleted while it plays: the next item is planned behind it, for that time."""
    decided = intent(
        segments=(segment("dai", seconds=600), segment("ket", seconds=10)),
        sessions=(session(place("dai", fixed="dai"), place("ket", fixed="ket")),),
    )
    item = planned(decided).items[0]
    now = local(23, 5, 31)
    run = Run(item=item, state=state, start_at=item.start, started_at=item.start, position_at=now)
    edited = replace(decided, sessions=(session(place("ket", fixed="ket")),))

    items = planned(edited, now=now, facts=Facts(station="XA", runs=(run,))).items

    assert [("dai", item.start), ("ket", local(23, 5, 40))] == [(i.segment, i.start) for i in items]
    assert local(23, 5, 40) == items[1].due


def test_what_was_interrupted_needs_its_approval_to_go_on() -> None:
    """Withdrawn while it plays: it plays on. Withdrawn while it is interrupted: there is no audio for it any more."""
    decided = intent(segments=(segment("dai", seconds=600),), sessions=(session(place("dai", fixed="dai")),))
    item = planned(decided).items[0]
    run = Run(item=item, state=RunState.PLAYING, start_at=item.start, started_at=item.start)
    now = local(23, 5, 31)

    playing, broken = (
        planned(replace(decided, segments=()), now=now, facts=Facts(station="XA", runs=(replace(run, state=state),)))
        for state in (RunState.PLAYING, RunState.INTERRUPTED)
    )

    assert item.sha256 == playing.items[0].sha256
    assert broken.items[0].sha256 is None
    assert "duyệt" in str(broken.items[0].why)
