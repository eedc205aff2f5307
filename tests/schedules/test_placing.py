"""Where duties go: beside the grid, off the marks where it is tight, instead of ordinary items, or nowhere and why."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import datetime, time, timedelta
from types import FrameType

import pytest

from schedules.airing import Facts, Run, RunState, Verdict
from schedules.clock import Interval
from schedules.duty import Counting, Duty, DutyState, DutyWindow
from schedules.findings import Severity
from schedules.grid import ItemKind, SessionItem, Timing
from schedules.intent import Intent
from schedules.planner import TRIES, plan
from schedules.programme import Otherwise, Programme
from schedules.rundown import Rundown, RundownItem
from schedules.station import ClusterGroup, DaySpan, Limits, Station
from tests.schedules.builders import duty, intent, local, one_off, place, row, segment, session

WEEK = Interval(local(23, 0), local(30, 0))
EARLY = local(23, 4)


def week(decided: Intent, now: datetime = EARLY, facts: Facts | None = None) -> Rundown:
    return plan(decided, facts or Facts(station="XA"), now, WEEK)


def window(weekday: int, start: time, end: time) -> DutyWindow:
    return DutyWindow(weekday=weekday, start=start, end=end)


def owed(code: str, programme: str, *windows: DutyWindow, **more: object) -> Duty:
    return duty(code=code, name=code, programme=programme, topic_prefix="", windows=windows, **more)


def states(rundown: Rundown) -> set[DutyState]:
    return {standing.state for standing in rundown.duties}


def make_ups(rundown: Rundown) -> list[RundownItem]:
    """Return the make-ups that are still to come."""
    return [item for item in rundown.items if "/makeup." in item.slot and item.late_limit_s > 0]


def impossible(rundown: Rundown) -> str:
    (finding,) = (f for f in rundown.findings if f.code == "duty_impossible")
    return finding.message.vi


def station(**more: object) -> Station:
    values: dict[str, object] = {"code": "XA", "name": "Đài xã", "unit": "XA"}
    return Station(**{**values, **more})  # type: ignore[arg-type]


def test_the_earliest_deadline_is_placed_first() -> None:
    """Both fit into Saturday's window only one after the other; the one that is due on Saturday night goes first."""
    saturday = window(6, time(5, 30), time(5, 50))
    decided = intent(
        segments=(segment("cds", seconds=600), segment("tin", seconds=600, programme="TIN")),
        duties=(owed("A", "CDS", saturday), owed("B", "TIN", saturday, deadline_days=1)),
    )

    placed = make_ups(week(decided))

    assert [("tin", local(28, 5, 30)), ("cds", local(28, 5, 40))] == [(i.segment, i.start) for i in placed]


def test_a_place_off_the_marks_is_found_where_it_is_tight() -> None:
    """Two items of seven minutes fill a window of fourteen: the second starts off the five-minute marks."""
    saturday = window(6, time(5, 30), time(5, 44))
    decided = intent(
        segments=(segment("cds", seconds=420), segment("tin", seconds=420, programme="TIN")),
        duties=(owed("A", "CDS", saturday), owed("B", "TIN", saturday)),
    )

    placed = make_ups(week(decided))

    assert {local(28, 5, 30), local(28, 5, 37)} == {i.start for i in placed}
    assert {DutyState.PLANNED} == states(week(decided))


def test_a_shorter_recording_is_taken_where_the_newest_does_not_fit() -> None:
    """The newest lasts twenty minutes, the window ten: the older one of eight minutes serves the duty."""
    decided = intent(
        segments=(segment("dai", seconds=1200, approved_at=local(22, 9)), segment("ngan", seconds=480)),
        duties=(owed("A", "CDS", window(6, time(5, 30), time(5, 40))),),
    )

    assert ["ngan"] == [i.segment for i in make_ups(week(decided))]


def test_ordinary_items_give_way_where_a_duty_has_no_other_place() -> None:
    """The bulletin fills the only window: the duty takes its time, the bulletin is replaced by it, by name."""
    decided = intent(
        segments=(segment("tin", seconds=1800, programme="TIN"), segment("cds", seconds=600)),
        sessions=(session(place("tin", programme="TIN"), weekdays=(6,)),),
        duties=(owed("A", "CDS", window(6, time(5, 30), time(6, 0))),),
    )

    rundown = week(decided)
    bulletin = next(i for i in rundown.items if i.slot.endswith("28/tin"))

    assert [local(28, 5, 30)] == [i.start for i in make_ups(rundown)]
    assert make_ups(rundown)[0].slot == bulletin.replaced_by
    assert {DutyState.PLANNED} == states(rundown)


def test_what_was_ordered_does_not_give_way_to_a_duty() -> None:
    """A person ordered an airing over the whole window: the duty is impossible, and the plan says by what."""
    decided = intent(
        segments=(segment("dai", seconds=1800, programme="TIN"), segment("cds", seconds=600)),
        one_offs=(one_off("1", "dai", local(28, 5, 30)),),
        duties=(owed("A", "CDS", window(6, time(5, 30), time(6, 0))),),
    )

    rundown = week(decided)

    assert [] == make_ups(rundown)
    assert {DutyState.AT_RISK} == states(rundown)
    assert "đã xếp riêng" in impossible(rundown) and "khung giờ phát bù" in impossible(rundown)


def test_a_slot_of_the_grid_serves_another_duty_where_that_saves_both() -> None:
    """The slot of Friday holds either of two topics; the other one can be made up, this one has no window left."""
    a, b = (
        segment("a", seconds=300, topics=("DX-A",), approved_at=local(22, 9)),
        segment("b", seconds=300, topics=("DX-B",)),
    )
    decided = intent(
        segments=(a, b),
        sessions=(session(place("cds", programme="CDS"), weekdays=(5,)),),
        duties=(
            duty(code="A", topic_prefix="DX-A", windows=(window(6, time(5, 30), time(6)),)),
            duty(code="B", topic_prefix="DX-B", windows=(window(1, time(4, 30), time(4, 50)),)),
        ),
    )

    rundown = week(decided)

    assert {DutyState.PLANNED} == states(rundown)
    assert {"XA/sang/2026-11-27/cds": "b", "XA/makeup.A/2026-11-23/1": "a"} == {
        i.slot: i.segment for i in rundown.items
    }


def test_a_full_day_sends_the_make_up_to_the_next() -> None:
    """Saturday's limit is used up by an ordered airing: the make-up goes to Sunday."""
    decided = intent(
        stations=(station(limits=Limits(day_s=900)),),
        segments=(segment("dai", seconds=600, programme="TIN"), segment("cds", seconds=600)),
        one_offs=(one_off("1", "dai", local(28, 12)),),
        duties=(duty(topic_prefix=""),),
    )

    assert [local(29, 5, 30)] == [i.start for i in make_ups(week(decided))]


def test_a_recording_that_becomes_valid_later_is_waited_for() -> None:
    """Valid from Sunday on: the make-up is planned for Sunday, not declared impossible."""
    decided = intent(segments=(segment("cds", seconds=600, valid_from=local(29, 0)),), duties=(duty(),))

    assert [local(29, 5, 30)] == [i.start for i in make_ups(week(decided))]


def test_a_recording_is_not_made_up_after_its_dates() -> None:
    """Valid until Saturday six o'clock: it airs before."""
    decided = intent(segments=(segment("cds", seconds=600, valid_until=local(28, 5, 35)),), duties=(duty(),))

    assert [local(28, 5, 30)] == [i.start for i in make_ups(week(decided))]
    later = week(decided, now=local(28, 5, 36))
    assert [] == make_ups(later)


def test_a_make_up_airs_where_every_group_may_hear_it() -> None:
    """Gò Rộc is closed on weekend mornings: the make-up waits for the afternoon window, unless a share is enough."""
    groups = (
        ClusterGroup(code="TRUNGTAM", name="Trung tâm"),
        ClusterGroup(code="GOROC", name="Gò Rộc", permitted=(DaySpan(start=time(8), end=time(20)),)),
    )
    windows = (window(6, time(5, 30), time(7)), window(7, time(17), time(18)))
    decided = intent(
        stations=(station(groups=groups),), segments=(segment("cds"),), duties=(owed("A", "CDS", *windows),)
    )
    shared = replace(decided, duties=(owed("A", "CDS", *windows, least_share=0.5),))

    assert [(local(29, 17), None)] == [(i.start, i.targets) for i in make_ups(week(decided))]
    assert [(local(28, 5, 30), ("TRUNGTAM",))] == [(i.start, i.targets) for i in make_ups(week(shared))]


def failed(decided: Intent, count: int) -> Facts:
    """Return facts in which so many make-ups of Saturday and Sunday were missed."""
    facts = Facts(station="XA")
    now = local(28, 5, 29)
    for _ in range(count):
        item = make_ups(week(decided, now, facts))[0]
        facts = replace(facts, airings=(*facts.airings, row(item, Verdict.MISSED)))
        now = item.end
    return facts


def test_after_six_tries_nothing_more_is_tried() -> None:
    """The seventh is not planned, and the plan says that the tries are used up."""
    decided = intent(segments=(segment("cds", seconds=300),), duties=(duty(),))
    rundown = week(decided, local(29, 5), failed(decided, TRIES))

    assert [] == make_ups(rundown)
    assert "hết số lần" in impossible(rundown)


def test_a_make_up_that_aired_keeps_its_time_and_its_minutes() -> None:
    """Two of one minute are owed: the second does not take the mark of the first, and shows it as a row."""
    decided = intent(segments=(segment("cds", seconds=40),), duties=(duty(count=2),))
    first = make_ups(week(decided))[0]
    facts = Facts(station="XA", airings=(row(first, Verdict.AIRED, duty="CDS-XA"),), aired={"cds": first.start})

    rundown = week(decided, first.end, facts)

    assert [local(28, 5, 35)] == [i.start for i in make_ups(rundown)]
    assert local(28, 5, 30) == next(i for i in rundown.items if i.slot == first.slot).start


def test_what_waits_for_a_make_up_waits_also_when_that_has_begun() -> None:
    """An ordinary item of ten minutes moves behind the make-up in its time, and stays there: while the make-up is on
    air, when it has its row, and when it was missed."""
    decided = intent(
        segments=(segment("cds", seconds=600), segment("a", seconds=600, programme="X")),
        sessions=(session(place("a", fixed="a"), weekdays=(6,), starts=(time(5, 30),)),),
        duties=(owed("A", "CDS", window(6, time(5, 35), time(5, 45))),),
    )

    def item(facts: Facts, now: datetime = EARLY) -> datetime:
        return next(i.due for i in week(decided, now, facts).items if i.session == "XA/sang/2026-11-28")

    made = make_ups(week(decided))[0]
    run = Run(item=made, state=RunState.PLAYING, start_at=made.start, started_at=made.start)
    aired, missed = row(made, Verdict.AIRED, duty="A"), row(made, Verdict.MISSED, duty="A")

    assert local(28, 5, 45) == item(Facts(station="XA"))
    assert local(28, 5, 45) == item(Facts(station="XA", runs=(run,)), local(28, 5, 41))
    assert local(28, 5, 45) == item(Facts(station="XA", airings=(aired,)), local(28, 5, 45))
    assert local(28, 5, 45) == item(Facts(station="XA", airings=(missed,)), local(28, 5, 41))


def test_a_make_up_counts_for_the_day_s_limit() -> None:
    """Ten minutes a day, eight of them gone with a make-up: a session of five minutes has no room any more."""
    decided = intent(
        stations=(station(limits=Limits(day_s=600)),),
        segments=(segment("cds", seconds=480), segment("a", seconds=300, programme="X")),
        sessions=(session(place("a", fixed="a"), weekdays=(6, 7), starts=(time(17),)),),
        duties=(duty(),),
    )
    item = make_ups(week(decided))[0]
    facts = Facts(station="XA", airings=(row(item, Verdict.AIRED, duty="CDS-XA"),))

    evening = [i for i in week(decided, local(28, 12), facts).items if i.session is not None]

    assert [(local(28, 17), False), (local(29, 17), True)] == [(i.start, i.sha256 is not None) for i in evening]


def test_a_slot_outside_the_hours_serves_no_duty() -> None:
    """The programme's slot lies in a quiet stretch, the duty's window under an ordinary session: that gives way."""
    decided = intent(
        stations=(station(quiet=(DaySpan(start=time(12), end=time(13)),)),),
        segments=(segment("cds", seconds=600), segment("a", seconds=1200, programme="X")),
        sessions=(
            session(place("cds", programme="CDS"), name="trua", starts=(time(12, 30),)),
            session(place("a", fixed="a"), weekdays=(6,)),
        ),
        duties=(owed("A", "CDS", window(6, time(5, 35), time(5, 45))),),
    )

    rundown = week(decided)

    assert [local(28, 5, 35)] == [i.start for i in make_ups(rundown)]
    assert {DutyState.PLANNED} == states(rundown)


def test_a_slot_outside_every_group_s_hours_serves_no_duty() -> None:
    """The same where no cluster group may hear the slot at its time."""
    groups = tuple(
        ClusterGroup(code=code, name=code, permitted=(DaySpan(start=time(5), end=time(12)),)) for code in ("A", "B")
    )
    decided = intent(
        stations=(station(groups=groups),),
        segments=(segment("cds", seconds=600), segment("a", seconds=1200, programme="X")),
        sessions=(
            session(place("cds", programme="CDS"), name="trua", starts=(time(12, 30),)),
            session(place("a", fixed="a"), weekdays=(6,)),
        ),
        duties=(owed("A", "CDS", window(6, time(5, 35), time(5, 45))),),
    )

    assert [local(28, 5, 35)] == [i.start for i in make_ups(week(decided))]


def test_slots_of_one_session_share_its_minutes() -> None:
    """Two duties want slots of one session that may sound for ten minutes: one takes the slot, one its window."""
    decided = intent(
        stations=(station(limits=Limits(session_s=600)),),
        segments=(segment("cds", seconds=400), segment("tin", seconds=400, programme="TIN")),
        sessions=(
            session(place("cds", programme="CDS"), place("tin", programme="TIN"), weekdays=(6,)),
            session(place("x", fixed="tin"), name="x", weekdays=(7,)),
        ),
        duties=(
            owed("A", "CDS", window(1, time(5), time(5, 1))),
            owed("B", "TIN", window(7, time(5, 30), time(5, 40))),
        ),
    )

    rundown = week(decided)

    assert {DutyState.PLANNED} == states(rundown)
    assert "cds" == next(i.segment for i in rundown.items if i.start == local(28, 5, 30) and i.sha256 is not None)


def test_a_make_up_of_one_duty_serves_another_without_a_window_of_its_own() -> None:
    """The window of the first duty is over; the second's make-up takes the recording that counts for both, not the
    newer one that counts for itself alone."""
    decided = intent(
        segments=(
            segment("hai", seconds=300, topics=("DX-DGOV", "F-1")),
            segment("moi", seconds=300, approved_at=local(20, 8)),
        ),
        duties=(
            owed("F", "CDS", window(1, time(5), time(5, 20)), topics=("F-1",), counting=Counting.TOPICS),
            owed("G", "CDS", window(7, time(5), time(5, 20))),
        ),
    )

    rundown = week(decided, local(24, 6))

    assert ["hai"] == [i.segment for i in make_ups(rundown)]
    assert {DutyState.PLANNED} == states(rundown)


def test_one_duty_takes_ordinary_time_though_another_has_no_recording() -> None:
    """What can be saved is saved; the other one says what it lacks."""
    decided = intent(
        segments=(segment("cds", seconds=600), segment("a", seconds=1800, programme="X")),
        sessions=(session(place("a", fixed="a"), weekdays=(6,)),),
        duties=(
            owed("A", "CDS", window(6, time(5, 40), time(5, 50))),
            owed("B", "TIN", window(7, time(5, 40), time(5, 50))),
        ),
    )

    rundown = week(decided)

    assert [local(28, 5, 40)] == [i.start for i in make_ups(rundown)]
    assert {"A": DutyState.PLANNED, "B": DutyState.AT_RISK} == {s.duty: s.state for s in rundown.duties}


def test_a_slot_that_the_search_took_keeps_its_time_and_its_minutes() -> None:
    """The evening's slot must take the older recording, or the second duty has no place: what fills before it stops
    in time, and the morning, the make-up and it stay within the day's 25 minutes."""
    decided = intent(
        stations=(station(limits=Limits(day_s=1500)),),
        programmes=(*intent().programmes, Programme(code="NHAC", name="Ca nhạc", otherwise=(Otherwise.ROTATION,))),
        segments=(
            segment("f2", seconds=600, topics=("F-2",)),
            segment("f1", seconds=600, topics=("F-1",), approved_at=local(20, 8)),
            segment("ca", seconds=200, programme="NHAC"),
            segment("a", seconds=400, programme="X"),
        ),
        sessions=(
            session(place("a", fixed="a", optional=False), weekdays=(6,), starts=(time(6, 30),)),
            session(
                SessionItem(id="dem", kind=ItemKind.FILLER, programme="NHAC"),
                place("cds", programme="CDS"),
                name="toi",
                weekdays=(6,),
                starts=(time(17),),
                length_s=900,
            ),
        ),
        duties=(
            owed("A", "CDS", window(6, time(5, 30), time(5, 40)), topics=("F-1",)),
            owed("B", "CDS", window(1, time(5), time(5, 1)), topics=("F-2",)),
        ),
    )

    rundown = week(decided, local(24, 6))
    sounding = [i for i in rundown.items if i.sha256 is not None and i.due > local(24, 6)]

    assert {DutyState.PLANNED} == states(rundown)
    assert {"f1": local(28, 5, 30), "f2": local(28, 17)} == {
        i.segment: i.start for i in sounding if i.segment in ("f1", "f2")
    }
    assert sum((i.end - i.start).total_seconds() for i in sounding) <= 1500


@pytest.mark.parametrize(
    "more",
    [
        {"stations": (station(permitted=()),)},
        {"segments": ()},
        {"duties": (duty(count=30), duty(code="B", count=30, windows=()))},
    ],
    ids=["no hours", "no recordings", "more than the week holds"],
)
def test_what_cannot_be_fulfilled_is_not_searched_for_long(more: dict[str, object]) -> None:
    """A hopeless duty costs a few hundred steps, not all of them: counted by what it asks for."""
    decided = intent(
        **{"segments": tuple(segment(f"s{n}", seconds=300) for n in range(6)), "duties": (duty(count=2),), **more}
    )
    asked = 0

    def counting(frame: FrameType, event: str, arg: object) -> None:
        nonlocal asked
        asked += event == "call" and frame.f_code.co_name == "_possible"

    sys.setprofile(counting)
    try:
        plan(decided, Facts(station="XA"), EARLY, WEEK, thorough=False)
    finally:
        sys.setprofile(None)

    assert asked <= 1000


def test_a_programme_that_does_not_repeat_serves_no_second_airing() -> None:
    """Two airings are owed and one recording may air once: one is planned, and what lacks is a recording."""
    once = Programme(code="CDS", name="Chuyển đổi số", otherwise=(Otherwise.CENTRE,))
    decided = intent(programmes=(once,), segments=(segment("cds", seconds=300),), duties=(duty(count=2),))
    rundown = week(decided)

    assert 1 == len(make_ups(rundown))
    assert {DutyState.AT_RISK} == states(rundown)
    assert "hết số lần" not in impossible(rundown)


@pytest.mark.parametrize(
    ("more", "now", "said", "severity"),
    [
        ({"segments": ()}, EARLY, "không có bài đã duyệt", Severity.WARNING),
        (
            {"duties": (owed("A", "CDS", window(6, time(22), time(23))),)},
            EARLY,
            "khung giờ phát bù của nhiệm vụ không đủ chỗ",
            Severity.ERROR,
        ),
        (
            {"stations": (station(limits=Limits(day_s=30)),)},
            EARLY,
            "giới hạn số phút",
            Severity.ERROR,
        ),
        ({}, local(29, 6, 58), "thời gian còn lại", Severity.WARNING),
    ],
)
def test_what_is_impossible_is_told_with_a_smallest_reason(
    more: dict[str, object], now: datetime, said: str, severity: Severity
) -> None:
    """No audio, windows outside the hours, a limit, no time left: only what suffices is named, with what to do."""
    values: dict[str, object] = {"segments": (segment("cds", seconds=300),), "duties": (duty(),)}
    rundown = week(intent(**{**values, **more}), now)
    (finding,) = (f for f in rundown.findings if f.code == "duty_impossible")

    assert said in finding.message.vi
    assert severity is finding.severity
    assert finding.hint is not None
    assert finding.message.vi.count(";") <= 2


def test_duties_that_need_the_same_time_name_each_other() -> None:
    """One window of ten minutes and two duties of ten: one is placed, the other is told that others need the time."""
    saturday = window(6, time(5, 30), time(5, 40))
    decided = intent(
        segments=(segment("cds", seconds=600), segment("tin", seconds=600, programme="TIN")),
        duties=(owed("A", "CDS", saturday), owed("B", "TIN", saturday)),
    )

    rundown = week(decided)

    assert 1 == len(make_ups(rundown))
    assert "nhiệm vụ khác" in impossible(rundown)


def test_the_reserve_may_take_ordinary_time() -> None:
    """What is planned has a second chance even where the only other window is full of ordinary items."""
    decided = intent(
        segments=(segment("tin", seconds=1800, programme="TIN"), segment("cds", seconds=600)),
        sessions=(
            session(place("cds", programme="CDS"), weekdays=(5,), name="sau"),
            session(place("tin", programme="TIN"), weekdays=(6,)),
        ),
        duties=(owed("A", "CDS", window(6, time(5, 30), time(6, 0))),),
    )

    (standing,) = week(decided).duties

    assert [local(27, 5, 30), local(28, 5, 30)] == [chance.start for chance in standing.chances]
    assert standing.chances[1].slot is None
    assert standing.fallback is not None and "05:30 28/11" in standing.fallback.vi


def test_a_miss_leaves_its_minutes_to_the_reserve() -> None:
    """Ten minutes a day for a duty of ten: if the morning's airing fails, the evening of that day has them again."""
    decided = intent(
        stations=(station(limits=Limits(day_s=600)),),
        segments=(segment("cds", seconds=600),),
        sessions=(session(place("cds", programme="CDS"), weekdays=(6,)),),
        duties=(owed("A", "CDS", window(6, time(18), time(19))),),
    )

    (standing,) = week(decided).duties

    assert [local(28, 5, 30), local(28, 18)] == [c.start for c in standing.chances]


def test_the_programme_s_next_slot_takes_again_what_failed() -> None:
    """It does not repeat, so the second slot of the week is empty; it takes the recording if the first one fails."""
    once = Programme(code="CDS", name="CDS", otherwise=())
    decided = intent(
        programmes=(once,),
        segments=(segment("cds", seconds=600),),
        sessions=(session(place("cds", programme="CDS"), weekdays=(2, 4)),),
        duties=(owed("A", "CDS", window(7, time(18), time(19))),),
    )

    (standing,) = week(decided).duties

    assert ("XA/sang/2026-11-26/cds", local(26, 5, 30)) == (standing.chances[1].slot, standing.chances[1].start)
    assert "05:30 26/11" in standing.fallback.vi


def test_the_grid_s_further_slots_are_chances_too() -> None:
    """Friday's slot fulfils the week, Sunday's would if that fails."""
    decided = intent(
        segments=(segment("cds", seconds=600),),
        sessions=(session(place("cds", programme="CDS"), weekdays=(5, 7)),),
        duties=(owed("A", "CDS"),),
    )

    (standing,) = week(decided).duties

    assert ["XA/sang/2026-11-27/cds", "XA/sang/2026-11-29/cds"] == [chance.slot for chance in standing.chances]
    assert standing.fallback is not None and "29/11" in standing.fallback.vi


def test_f69_without_audio_all_week_the_last_valid_one_repeats_if_the_programme_allows() -> None:
    """F69: nothing new came: the last good recording serves the week; where repeats are not allowed it is at risk."""
    facts = Facts(station="XA", aired={"cu": local(18, 5, 30)})
    decided = intent(segments=(segment("cu", seconds=300),), duties=(duty(),))
    strict = replace(decided, programmes=(Programme(code="CDS", name="Chuyển đổi số", otherwise=()),))

    assert ["cu"] == [i.segment for i in make_ups(week(decided, EARLY, facts))]
    assert {DutyState.PLANNED} == states(week(decided, EARLY, facts))
    assert {DutyState.AT_RISK} == states(week(strict, EARLY, facts))


def test_a_plain_look_gives_the_same_items() -> None:
    """The station plans without working out further chances: not one item differs."""
    decided = intent(
        segments=(segment("tin", seconds=1800, programme="TIN"), segment("cds", seconds=600)),
        sessions=(session(place("tin", programme="TIN"), weekdays=(6,)),),
        duties=(owed("A", "CDS", window(6, time(5, 30), time(6, 0))),),
    )

    plain = plan(decided, Facts(station="XA"), EARLY, WEEK, thorough=False)

    assert week(decided).items == plain.items
    assert () == plain.duties[0].chances


def test_a_make_up_s_timing_is_soft() -> None:
    """It waits for what is before it, a minute at most; then the next mark is taken."""
    (item,) = make_ups(week(intent(segments=(segment("cds"),), duties=(duty(),))))

    assert (Timing.SOFT, 60.0) == (item.timing, item.late_limit_s)
    assert timedelta(seconds=60) == item.end - item.start
