"""Late, interrupted, replaced, taken back: every rule of reconcile at its border, on items made by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from schedules.airing import Facts, Outage, Part, Run, RunState, Silence, Verdict
from schedules.clock import Interval
from schedules.grid import ItemKind, Timing
from schedules.reconcile import LEAD, Arm, Cut, Decide, Disarm, Settle, player_wanted, reconcile
from schedules.rundown import Rundown, RundownItem
from schedules.segment import SAMPLE_RATE_HZ
from schedules.text import Text
from schedules.verdicts import judge, not_aired
from tests.schedules.builders import local, row

START = local(23, 5, 30)
WHY = Text("vì sao", "why")
CUT = Text("Mất điện.", "Power cut.")
OUTPUTS = (("main", "pulse"),)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def planned(seconds: float = 600, *, slot: str = "XA/sang/2026-11-23/a", **more: object) -> RundownItem:
    values: dict[str, object] = {
        "slot": slot,
        "station": "XA",
        "session": "XA/sang/2026-11-23",
        "session_end": at(1800),
        "start": START,
        "end": at(seconds),
        "due": START,
        "kind": ItemKind.SEGMENT,
        "programme": "CDS",
        "segment": "a",
        "title": "a",
        "sha256": "a" * 64,
        "pcm_sha256": "b" * 64,
        "samples": round(seconds * SAMPLE_RATE_HZ),
        "topics": (),
        "timing": Timing.RELATIVE,
        "late_limit_s": 300.0,
        "why": WHY,
    }
    return RundownItem(**{**values, **more})  # type: ignore[arg-type]


def running(item: RundownItem, state: RunState, heard_s: float = 0.0, **more: object) -> Run:
    """Return a run whose samples up to `heard_s` were heard, without a hole so far."""
    part = Part(first=0, next=round(heard_s * SAMPLE_RATE_HZ), started_at=item.due, ended_at=at(heard_s))
    values: dict[str, object] = {
        "item": item,
        "state": state,
        "start_at": item.due,
        "started_at": item.due,
        "position": round(heard_s * SAMPLE_RATE_HZ),
        "position_at": at(heard_s),
        "parts": (part,) if state is RunState.INTERRUPTED else (),
    }
    if state is RunState.ARMED:
        values |= {"started_at": None, "position_at": None}
    return Run(**{**values, **more})  # type: ignore[arg-type]


def asked(
    seconds: float, *items: RundownItem, ready: bool = True, runs: tuple[Run, ...] = (), **facts: object
) -> tuple[object, ...]:
    """Return what is to be done `seconds` after half past five."""
    rundown = Rundown(station="XA", revision=1, planned_at=at(seconds), items=items, findings=(), duties=())
    return reconcile(rundown, Facts(station="XA", runs=runs, **facts), at(seconds), ready=ready)  # type: ignore[arg-type]


def decided(action: object) -> tuple[Verdict, Text]:
    assert isinstance(action, Decide)
    return action.verdict, action.reason


@pytest.mark.parametrize(
    ("changes", "verdict", "reason"),
    [
        ({"sha256": None, "segment": None}, Verdict.MISSED, "why"),
        ({"replaced_by": "XA/oneoff/1"}, Verdict.REPLACED, "why"),
    ],
)
def test_what_cannot_air_is_decided_at_its_start_and_not_before(
    changes: dict[str, object], verdict: Verdict, reason: str
) -> None:
    """An empty place, a replaced one: until its moment something may still change."""
    item = planned(**changes)  # type: ignore[arg-type]

    assert () == asked(-0.001, item)
    (action,) = asked(0, item)
    assert verdict is decided(action)[0]
    assert reason in decided(action)[1].en
    assert item.replaced_by == action.by  # type: ignore[attr-defined]


def test_what_is_cancelled_or_silenced_is_decided_at_once_with_the_name() -> None:
    """Whoever took it out stands in the row, also before its time."""
    (cancelled,) = asked(-900, planned(cancelled_by="Bà Hạnh"))
    (silenced,) = asked(
        -900, planned(), silences=(Silence(session="XA/sang/2026-11-23", by="Ông Nghĩa", reason="Nhầm"),)
    )
    (one,) = asked(-10, planned(), silences=(Silence(session=planned().slot, by="Ông Nghĩa", reason="Nhầm"),))

    assert (Verdict.CANCELLED, "Bà Hạnh") == (cancelled.verdict, cancelled.by)  # type: ignore[attr-defined]
    assert (Verdict.CANCELLED, "Ông Nghĩa") == (silenced.verdict, silenced.by)  # type: ignore[attr-defined]
    assert Text("Nhầm", "Nhầm") == one.reason  # type: ignore[attr-defined]
    assert isinstance(asked(-10, planned(), silences=(Silence(session="XA/trua", by="x", reason="y"),))[0], Arm)


@pytest.mark.parametrize(("late_s", "armed"), [(299.65, True), (300.1, False)])
def test_an_item_begins_up_to_its_late_limit(late_s: float, armed: bool) -> None:
    """The player needs a third of a second: with less than that left it would begin too late, and is missed."""
    (action,) = asked(late_s, planned())

    assert armed is isinstance(action, Arm)
    if not armed:
        assert (Verdict.MISSED, "The station was not ready when it was due.") == (
            decided(action)[0],
            decided(action)[1].en,
        )


@pytest.mark.parametrize(("now_s", "armed"), [(24.9, True), (25.0, False)])
def test_an_item_that_would_be_over_by_now_is_missed(now_s: float, armed: bool) -> None:
    """Twenty seconds of audio are begun late while their end is less than five seconds ago."""
    assert armed is isinstance(asked(now_s, planned(20))[0], Arm)


def test_a_predecessor_that_takes_too_long_is_the_reason() -> None:
    """What is due only after its late limit is missed although the station is there."""
    (action,) = asked(301, planned(due=at(400)))
    (just_now,) = asked(301, planned(due=at(301)))

    assert "What came before it took too long." == decided(action)[1].en
    assert "not ready" in decided(just_now)[1].en


def test_the_outage_over_its_time_is_the_reason_of_a_miss() -> None:
    """Of several outages that one which covered the item; one that only touches it is none."""
    before = Outage(during=Interval(at(-600), START), reason=WHY)
    over = Outage(during=Interval(at(599), at(900)), reason=CUT)

    assert CUT == decided(asked(1000, planned(), outages=(before, over))[0])[1]
    assert "not ready" in decided(asked(1000, planned(), outages=(before,))[0])[1].en


def test_an_empty_place_of_no_length_is_covered_by_the_outage_of_its_second() -> None:
    """A place whose item has no length still has a moment that an outage can cover."""
    item = planned(0, sha256="c" * 64)

    assert CUT == decided(asked(400, item, outages=(Outage(during=Interval(at(0.5), at(10)), reason=CUT),))[0])[1]
    assert CUT != decided(asked(400, item, outages=(Outage(during=Interval(at(1), at(10)), reason=CUT),))[0])[1]


@pytest.mark.parametrize(("until_s", "armed"), [(610.35, True), (610.3, False), (None, True)])
def test_a_late_item_must_end_in_the_permitted_hours(until_s: float | None, armed: bool) -> None:
    """Begun ten seconds late it ends ten and a third late: the hours must still be open then."""
    item = planned(open_until=None if until_s is None else at(until_s))

    (action,) = asked(10, item)

    assert armed is isinstance(action, Arm)
    if not armed:
        assert "Outside the permitted hours." == decided(action)[1].en


def test_an_item_in_time_is_not_asked_for_its_hours_again() -> None:
    """The plan has looked at them; what starts as planned ends as planned."""
    assert isinstance(asked(-10, planned(open_until=at(10)))[0], Arm)


@pytest.mark.parametrize(("ahead_s", "armed"), [(20.0, True), (20.01, False)])
def test_an_item_is_armed_twenty_seconds_ahead(ahead_s: float, armed: bool) -> None:
    """Not earlier, so that late edits still reach it."""
    assert armed is bool(asked(-ahead_s, planned()))
    assert () == asked(-ahead_s, planned(), ready=False)


FIRST = planned(10)
SECOND = planned(10, slot="XA/sang/2026-11-23/b", start=at(10), end=at(20), due=at(10), joins=FIRST.slot)


@pytest.mark.parametrize("state", [RunState.ARMED, RunState.PLAYING])
def test_a_following_item_joins_the_one_before(state: RunState) -> None:
    """While the one before is armed or playing, it is told to follow its last sample."""
    (action,) = asked(2, FIRST, SECOND, runs=(running(FIRST, state),))

    assert isinstance(action, Arm)
    assert (SECOND.slot, FIRST.slot, at(10)) == (action.item.slot, action.joins, action.start)


def test_a_following_item_waits_for_the_one_before() -> None:
    """Before anything is armed only the first is; an interrupted one goes on first; what will be cut is not joined."""
    assert [FIRST.slot] == [a.item.slot for a in asked(-5, FIRST, SECOND) if isinstance(a, Arm)]
    interrupted = running(replace(FIRST, cut_at=None), RunState.INTERRUPTED, heard_s=4)
    assert [FIRST.slot] == [a.item.slot for a in asked(5, FIRST, SECOND, runs=(interrupted,)) if isinstance(a, Arm)]
    cut = running(replace(FIRST, cut_at=at(9)), RunState.PLAYING)
    (action,) = [a for a in asked(2, SECOND, runs=(cut,)) if isinstance(a, Arm)]
    assert action.joins is None


def test_a_following_item_starts_by_itself_once_the_one_before_is_over() -> None:
    """With its row written, or its time come, it no longer waits for the one before."""
    settled = row(FIRST, Verdict.MISSED)

    (after_row,) = asked(5, FIRST, SECOND, airings=(settled,))
    late = [a for a in asked(10, SECOND) if isinstance(a, Arm)]

    assert (SECOND.slot, None) == (after_row.item.slot, after_row.joins)  # type: ignore[attr-defined]
    assert [None] == [a.joins for a in late]


@pytest.mark.parametrize(
    "changed",
    [
        None,
        planned(cancelled_by="Bà Hạnh"),
        planned(replaced_by="XA/oneoff/1"),
        planned(sha256="f" * 64),
        planned(due=at(2)),
        planned(due=at(-2)),
    ],
)
def test_what_is_armed_is_taken_back_when_the_plan_has_changed(changed: RundownItem | None) -> None:
    """Gone, cancelled, replaced, another recording, moved by more than a second: it is handed over anew."""
    items = () if changed is None else (changed,)

    assert Disarm(FIRST.slot) in asked(-5, *items, runs=(running(planned(), RunState.ARMED),))


@pytest.mark.parametrize(
    ("moved_s", "joins", "stays"),
    [
        (-1.0, None, True),
        (-1.1, None, False),
        (0.05, None, True),
        (0.06, None, False),
        (1.0, "XA/sang/2026-11-23/x", True),
        (1.1, "XA/sang/2026-11-23/x", False),
    ],
)
def test_what_moved_a_little_stays_armed(moved_s: float, joins: str | None, stays: bool) -> None:
    """A second is less than arming again may cost; what joins nobody is moved at once when it would sound too early."""
    run = running(planned(joins=joins), RunState.ARMED)

    assert stays is (() == asked(-5, planned(due=at(moved_s), joins=joins), runs=(run,)))


def test_what_is_about_to_sound_or_goes_on_is_not_moved() -> None:
    """Within the player's lead, or where a part was heard already, a changed time changes nothing any more."""
    run = running(planned(), RunState.ARMED)

    assert () == asked(-0.2, planned(due=at(30)), runs=(run,))
    assert () == asked(-LEAD.total_seconds(), planned(due=at(30)), runs=(run,))
    assert (Disarm(run.slot),) == asked(-LEAD.total_seconds() - 0.01, planned(due=at(30)), runs=(run,))
    assert () == asked(-5, planned(due=at(-4.8)), runs=(run,))
    part = Part(first=0, next=1, started_at=at(-60), ended_at=at(-50))
    assert () == asked(-5, planned(due=at(30)), runs=(replace(run, parts=(part,)),))


def test_what_is_silenced_is_taken_back() -> None:
    """A person stopped the session while its next item was armed."""
    silence = Silence(session="XA/sang/2026-11-23", by="Ông Nghĩa", reason="Nhầm")

    assert (Disarm(FIRST.slot),) == asked(
        -5, planned(), runs=(running(planned(), RunState.ARMED),), silences=(silence,)
    )


@pytest.mark.parametrize(("seconds", "taken"), [(5.0, False), (5.1, True)])
def test_what_the_player_never_began_is_taken_back(seconds: float, taken: bool) -> None:
    """Five seconds after its start an armed item has begun, or the player is not doing its work."""
    assert taken is bool(asked(seconds, planned(), runs=(running(planned(), RunState.ARMED),)))


@pytest.mark.parametrize(("now_s", "cut"), [(28.9, False), (29.0, True), (40.0, True)])
def test_what_plays_is_told_a_second_ahead_when_to_be_silent(now_s: float, cut: bool) -> None:
    """The plan's cut reaches the player in time to fade."""
    actions = asked(now_s, planned(cut_at=at(30)), runs=(running(planned(), RunState.PLAYING, heard_s=now_s),))

    assert cut is bool(actions)
    if cut:
        assert [at(30)] == [a.silent_at for a in actions if isinstance(a, Cut)]


def test_what_plays_as_planned_or_off_the_plan_is_left_alone() -> None:
    """An item on air keeps its time when its place is gone from the plan."""
    run = running(planned(), RunState.PLAYING, heard_s=60)

    assert () == asked(60, planned(), runs=(run,)) == asked(60, runs=(run,))


def interrupted(heard_s: float, seconds: float = 600, **more: object) -> Run:
    return running(planned(seconds), RunState.INTERRUPTED, heard_s, **more)


def test_what_is_interrupted_ends_with_the_reason_of_whoever_ended_it() -> None:
    """Silenced, cancelled, its approval withdrawn: it does not go on, and the row says why."""
    silence = Silence(session="XA/sang/2026-11-23", by="Ông Nghĩa", reason="Nhầm")
    run = interrupted(60)

    (silenced,) = asked(62, planned(), runs=(run,), silences=(silence,))
    (cancelled,) = asked(62, planned(cancelled_by="Bà Hạnh"), runs=(run,))
    (withdrawn,) = asked(62, planned(sha256=None), runs=(run,))

    assert "Ông Nghĩa" == silenced.by and "Stopped by Ông Nghĩa: Nhầm" == silenced.reason.en  # type: ignore[attr-defined]
    assert "Bà Hạnh" == cancelled.by and "interrupted" in cancelled.reason.en  # type: ignore[attr-defined]
    assert Settle(run.slot, WHY) == withdrawn


@pytest.mark.parametrize(
    ("heard_s", "now_s", "seconds", "first_s"),
    [
        (60, 65.0, 600, 65.35),  # a hole of five seconds: where the clock is
        (500, 505.0, 600, 505.35),  # also with little left
        (60, 189.65, 250, 190.0),  # exactly a minute left after a long hole
        (60, 189.66, 250, None),
        (60, 1000, 1300, 1000.35),  # 299.65 s of 1,300 left: more than a fifth
        (60, 1039.65, 1300, 1040.0),  # exactly a fifth
        (60, 1039.66, 1300, None),
        (60, 66, 179, 0.0),  # short, a long hole: from the beginning
        (60, 66, 180, 66.35),  # three minutes are not short
        (60, 299.65, 179, 0.0),  # also when its time is over, if it ends within five minutes of that
        (60, 300.1, 179, None),
        (595, 599.66, 600, None),  # over by the time it could sound
    ],
)
def test_how_an_interrupted_item_goes_on(heard_s: float, now_s: float, seconds: float, first_s: float | None) -> None:
    """Where the clock is, from its beginning, or not at all: the table of docs/planner.md at its borders."""
    (action,) = asked(now_s, planned(seconds), runs=(interrupted(heard_s, seconds),))

    if first_s is None:
        assert Settle(planned().slot) == action
    else:
        assert isinstance(action, Arm)
        assert round(first_s * SAMPLE_RATE_HZ) == action.first
        assert at(now_s + LEAD.total_seconds()) == action.start


def test_what_cannot_go_on_yet_waits_and_what_never_can_is_settled() -> None:
    """Without a player nothing is armed, but what has no chance any more ends."""
    assert () == asked(70, planned(), runs=(interrupted(60),), ready=False)
    assert (Settle(planned().slot),) == asked(599, planned(), runs=(interrupted(60),), ready=False)


@pytest.mark.parametrize(("attempts", "goes_on"), [(5, True), (6, False)])
def test_an_item_is_tried_six_times(attempts: int, goes_on: bool) -> None:
    """A file that ends the player each time is not tried without end."""
    (action,) = asked(62, planned(), runs=(interrupted(60, attempts=attempts),))

    assert goes_on is isinstance(action, Arm)


def test_what_goes_on_stays_in_the_permitted_hours() -> None:
    """A restart would end after the hours: it does not begin; neither does the rest of a long item."""
    short = running(planned(170, open_until=at(200)), RunState.INTERRUPTED, 60)
    long = running(planned(600, open_until=at(590)), RunState.INTERRUPTED, 60)
    inside = running(planned(600, open_until=at(600)), RunState.INTERRUPTED, 60)

    assert "Outside the permitted hours." == asked(70, planned(170), runs=(short,))[0].reason.en  # type: ignore[attr-defined]
    assert "Outside the permitted hours." == asked(70, planned(), runs=(long,))[0].reason.en  # type: ignore[attr-defined]
    assert isinstance(asked(70, planned(), runs=(inside,))[0], Arm)


def test_a_short_item_that_will_be_cut_is_not_begun_again() -> None:
    """An ordered airing is near: what would be cut again is judged by what was counted."""
    item = planned(170, cut_at=at(100))

    assert (Settle(item.slot),) == asked(70, item, runs=(running(planned(170), RunState.INTERRUPTED, 60),))


def test_an_interruption_names_the_outage_after_what_was_heard() -> None:
    """One that was over when the last sample was heard is not to blame."""
    before = Outage(during=Interval(at(0), at(60)), reason=WHY)
    after = Outage(during=Interval(at(599), at(700)), reason=CUT)
    run = interrupted(60)

    assert (Settle(run.slot, CUT),) == asked(700, planned(), runs=(run,), outages=(before, after))
    assert (Settle(run.slot),) == asked(700, planned(), runs=(run,), outages=(before,))


def test_the_player_is_wanted_while_something_runs() -> None:
    """A run that has not ended keeps the player, whatever the plan holds; one that has ended does not."""
    empty = Rundown(station="XA", revision=1, planned_at=START, items=(), findings=(), duties=())

    for state in RunState:
        facts = Facts(station="XA", runs=(running(planned(), state),))
        assert (state is not RunState.ENDED) is player_wanted(empty, facts, START)


@pytest.mark.parametrize(
    "item",
    [planned(sha256=None), planned(replaced_by="x"), planned(cancelled_by="x")],
)
def test_the_player_is_not_wanted_for_what_will_not_air(item: RundownItem) -> None:
    """An empty, replaced or cancelled place needs no player; neither does a settled one."""
    rundown = Rundown(station="XA", revision=1, planned_at=START, items=(item, planned()), findings=(), duties=())
    done = Facts(station="XA", airings=(row(planned(), Verdict.AIRED),))

    assert not player_wanted(replace(rundown, items=(item,)), Facts(station="XA"), START)
    assert player_wanted(rundown, Facts(station="XA"), START)
    assert not player_wanted(rundown, done, START)


def test_a_late_item_keeps_its_player_until_it_is_due() -> None:
    """What waits behind another one keeps the player for as long as it waits."""
    rundown = Rundown(station="XA", revision=1, planned_at=START, items=(planned(due=at(900)),), findings=(), duties=())

    assert player_wanted(rundown, Facts(station="XA"), at(840))
    assert not player_wanted(rundown, Facts(station="XA"), at(839.9))
    assert player_wanted(rundown, Facts(station="XA"), at(899))
    assert not player_wanted(rundown, Facts(station="XA"), at(900))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"cause": "refused", "counted": {}}, "not the approved one"),
        ({"counted": {}}, "No sound went out: an output took no audio."),
        ({"started_at": at(301)}, "Began 301 s late."),
        ({"counted": {"main": 4_800_000}, "holes_s": 2.0}, "Interrupted for 2.0 s."),
        ({"counted": {"main": 4_800_000}}, "An output lost its sound while on air."),
        ({"counted": {"main": 4_800_000}, "reason": CUT}, "Power cut."),
        ({"started_at": None}, "No sound"),
    ],
)
def test_a_row_that_is_not_green_says_why(changes: dict[str, object], reason: str) -> None:
    """The file, silence, lateness, a hole, a lost output, or what is known better."""
    run = running(planned(), RunState.ENDED, 600, **{"counted": {"main": 28_800_000}, "exact": True, **changes})

    airing = judge(run, OUTPUTS, at(700))

    assert airing.verdict in (Verdict.MISSED, Verdict.PARTIAL)
    assert airing.reason is not None and reason in airing.reason.en
    assert not airing.bit_exact


def test_a_green_row_needs_no_reason_and_a_decided_one_has_its_own() -> None:
    """A whole airing says what it counted; a slot that never began says why, by whom, and that nothing was heard."""
    whole = judge(running(planned(), RunState.ENDED, 600, counted={"main": 28_800_000}, exact=True), OUTPUTS, at(700))
    never = not_aired(planned(duty="N"), Verdict.REPLACED, WHY, OUTPUTS, at(700), by="XA/oneoff/1")

    assert (Verdict.AIRED, None, True, 600.0) == (whole.verdict, whole.reason, whole.bit_exact, whole.seconds_aired)
    assert (0.0, START) == (whole.start_error_s, whole.started_at)
    assert (Verdict.REPLACED, WHY, "XA/oneoff/1", "N") == (never.verdict, never.reason, never.by, never.duty)
    assert (0, None, None, False) == (never.samples_aired, never.started_at, never.start_error_s, never.rehearsal)
    assert [0] == [count.samples for count in never.outputs]
    assert not_aired(planned(), Verdict.MISSED, WHY, (("v", "virtual"),), at(1)).rehearsal


def test_a_station_without_an_output_airs_nothing() -> None:
    """Where nothing could count, nothing was heard."""
    run = running(planned(), RunState.ENDED, 600, counted={}, exact=True)

    assert (Verdict.MISSED, 0) == (judge(run, (), at(700)).verdict, judge(run, (), at(700)).samples_aired)
