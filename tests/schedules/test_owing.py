"""What is owed: versions, deadlines, topics, shares of outputs, excuses, mergers, and the seal on what is over."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest

from schedules.airing import Airing, Evidence, Facts, OutputCount, Run, RunState, Verdict
from schedules.clock import Interval
from schedules.duty import Counting, Duty, DutyOutcome, DutyStanding, DutyState, DutyWindow, Excuse, Period
from schedules.intent import Intent
from schedules.owing import duties_of, predecessors
from schedules.planner import plan
from schedules.rundown import Rundown
from schedules.standing import duty_standings, settle_duties, totals
from schedules.station import Station, Unit
from schedules.text import Text
from tests.schedules.builders import duty, intent, local, one_off, place, row, segment, session

WEEK = Interval(local(23, 0), local(30, 0))
EARLY = local(23, 4)
WHY = Text("có lý do", "for a reason")


def week(decided: Intent, now: datetime = EARLY, facts: Facts | None = None) -> Rundown:
    return plan(decided, facts or Facts(station="XA"), now, WEEK)


def only(rundown: Rundown) -> DutyStanding:
    (standing,) = rundown.duties
    return standing


def weekly(*duties: Duty, **more: object) -> Intent:
    values: dict[str, object] = {
        "segments": (segment("moi", seconds=300),),
        "sessions": (session(place("cds", programme="CDS"), weekdays=(5,)),),
        "duties": duties or (duty(),),
    }
    return intent(**{**values, **more})


def friday(decided: Intent, verdict: Verdict = Verdict.AIRED, **more: object) -> Airing:
    item = next(item for item in week(decided).items if item.slot.endswith("/cds"))
    return row(item, verdict, **more)


def past(decided: Intent, rows: tuple[Airing, ...], period: str = "2026-W48", **more: object) -> DutyStanding:
    (standing,) = duty_standings(decided, decided.station("XA"), rows, local(30, 12), period, **more)  # type: ignore[arg-type]
    return standing


def test_a_duty_is_due_at_its_deadline_and_not_later() -> None:
    """Due on Sunday at 20:00: an airing of 20:30 no longer counts, and no make-up is planned after it."""
    owed = duty(deadline_at=time(20), windows=(DutyWindow(weekday=7, start=time(19, 50), end=time(21)),))
    decided = weekly(owed, sessions=())

    assert local(29, 20) == only(week(decided)).deadline
    make_up = next(item for item in week(decided).items if "/makeup." in item.slot)
    late = row(make_up, Verdict.AIRED, started_at=local(29, 20, 30), planned_start=local(29, 20, 30))
    assert local(29, 19, 50) == make_up.start
    assert DutyState.MISSED is past(decided, (late,)).state


def test_a_deadline_may_lie_days_before_the_end_of_the_period() -> None:
    """Due on Friday, two days before the week ends."""
    assert local(28, 0) == only(week(weekly(duty(deadline_days=2)))).deadline


def test_an_edit_never_changes_a_period_that_has_begun() -> None:
    """Asked for twice a week until Thursday's edit to once: this week still wants two, the next one one."""
    before = duty(count=2, until=local(26, 9))
    after = duty(count=1, since=local(26, 9))
    decided = weekly(before, after)
    aired = friday(decided)

    this = past(decided, (aired,))
    following = past(decided, (replace(aired, started_at=local(30, 6), planned_start=local(30, 6)),), "2026-W49")

    assert DutyState.MISSED is this.state
    assert DutyState.MET is following.state


def test_a_new_duty_counts_from_the_week_in_which_it_begins() -> None:
    """Ordered on a Wednesday, it is owed this week already; not in the week before."""
    decided = weekly(duty(since=local(25, 9)))

    assert DutyState.PLANNED is only(week(decided)).state
    assert () == duty_standings(decided, decided.station("XA"), (), local(30, 12), "2026-W47")


def test_a_duty_that_was_taken_back_is_owed_to_the_end_of_its_week() -> None:
    """Removing a duty in the middle of a week does not make the week disappear from the board."""
    decided = weekly(duty(until=local(25, 9)))

    assert DutyState.MISSED is past(decided, ()).state
    assert () == duty_standings(decided, decided.station("XA"), (), local(30, 12), "2026-W49")


def test_an_edit_between_deciding_and_beginning_leaves_one_version() -> None:
    """A version that ended before it began anything never governs."""
    decided = weekly(duty(count=3, since=local(25, 9), until=local(25, 9)), duty(since=local(25, 10)))

    assert DutyState.MET is past(decided, (friday(decided),)).state


TOPICS = ("DX-ONESTOP", "DX-MEETING")


def topical(**more: object) -> Duty:
    return duty(counting=Counting.TOPICS, topics=TOPICS, count=2, topic_prefix="", **more)


def test_group_f_wants_every_one_of_its_topics_each_week() -> None:
    """Two topics, carried by one item or by two: the same topic twice is not enough."""
    one, two = segment("a", topics=("DX-ONESTOP",)), segment("b", topics=("DX-MEETING", "DX-ONESTOP"))
    decided = weekly(topical(), segments=(one, two))
    aired = friday(decided)

    assert DutyState.MET is past(decided, (replace(aired, topics=TOPICS),)).state
    twice = (replace(aired, topics=("DX-ONESTOP",)), replace(aired, slot="XA/x", topics=("DX-ONESTOP",)))
    assert DutyState.MISSED is past(decided, twice).state
    assert DutyState.MET is past(decided, (*twice, replace(aired, slot="XA/y", topics=("DX-MEETING",)))).state


def test_missing_topics_are_made_up_by_the_items_that_carry_them() -> None:
    """The slot of Friday takes the item with both topics; with only single ones the second is made up."""
    both = weekly(topical(), segments=(segment("a", topics=("DX-ONESTOP",)), segment("b", topics=TOPICS)))
    single = weekly(
        topical(), segments=(segment("a", topics=("DX-ONESTOP",)), segment("b", topics=("DX-MEETING", "KHAC")))
    )

    assert ["b"] == [i.segment for i in week(both).items]
    assert {"a", "b"} == {i.segment for i in week(single).items}
    assert DutyState.PLANNED is only(week(single)).state


def test_a_duty_of_any_programme_counts_topics_wherever_they_air() -> None:
    """Without a programme, an item of the bulletin with the topic fulfils it too, and a make-up may be of any."""
    decided = weekly(
        duty(programme=None, topics=("DX-MEETING",), topic_prefix=""),
        segments=(segment("tin", programme="TIN", topics=("DX-MEETING",)),),
        sessions=(session(place("tin", programme="TIN"), weekdays=(4,)),),
    )
    without_grid = replace(decided, sessions=())

    assert DutyState.PLANNED is only(week(decided)).state
    assert ["tin"] == [i.segment for i in week(without_grid).items]


def test_a_month_s_topics_are_made_up_in_its_last_weeks_only() -> None:
    """Early in the month what is missing waits for the grid: planned, with how much is missing; late, it is placed."""
    decided = weekly(topical(period=Period.MONTH), segments=(segment("a", topics=TOPICS),), sessions=())
    early = plan(decided, Facts(station="XA"), local(2, 4), Interval(local(2, 0), local(3, 0)))

    assert DutyState.PLANNED is only(early).state
    assert "2 chủ đề" in only(early).reason.vi
    assert any("/makeup." in i.slot for i in week(decided).items)


def test_a_year_that_cannot_be_met_by_one_a_day_is_at_risk() -> None:
    """Four hundred airings a year with 38 days left are too many."""
    decided = weekly(duty(period=Period.YEAR, count=400), sessions=())

    assert DutyState.AT_RISK is only(week(decided)).state
    assert "400" in only(week(decided)).reason.vi


def heard(*samples: int) -> tuple[OutputCount, ...]:
    return tuple(OutputCount(name=str(n), kind="pulse", samples=s, grade=Evidence.E1) for n, s in enumerate(samples))


@pytest.mark.parametrize(
    ("share", "late_s", "state"),
    [(0.5, 1.0, DutyState.MET), (0.75, 1.0, DutyState.MISSED), (0.5, 400.0, DutyState.MISSED)],
)
def test_a_share_of_the_outputs_may_be_enough(share: float, late_s: float, state: DutyState) -> None:
    """One of two groups heard it whole: enough where half is asked for, unless it began too late."""
    decided = weekly(duty(least_share=share))
    samples = friday(decided).samples_expected
    half = friday(
        decided, Verdict.PARTIAL, outputs=heard(samples, 0), start_error_s=late_s, started_at=local(27, 5, 30)
    )

    assert state is past(decided, (half,)).state


def excuse(first: int, last: int, **more: object) -> Excuse:
    values: dict[str, object] = {
        "station": "XA",
        "first": date(2026, 11, first),
        "last": date(2026, 11, last),
        "document": "12/QĐ-UBND",
        "reason": WHY,
    }
    return Excuse(**{**values, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("excuses", "excused"),
    [
        ((excuse(23, 29),), True),
        ((excuse(23, 25), excuse(26, 29)), True),
        ((excuse(28, 29),), True),  # both of its windows
        ((excuse(28, 28),), False),
        ((excuse(23, 29, document=" "),), False),
        ((excuse(23, 29, station="KHAC"),), False),
        ((excuse(23, 29, duty="KHAC"),), False),
        ((excuse(23, 29, duty="CDS-XA"),), True),
    ],
)
def test_only_a_named_document_that_covers_the_period_excuses(excuses: tuple[Excuse, ...], excused: bool) -> None:
    """All days, or all of the duty's windows, by documents with a name; then nothing is made up any more."""
    decided = weekly(sessions=(), excuses=excuses)

    assert excused is (only(week(decided)).state is DutyState.EXCUSED)
    assert excused is (week(decided).items == ())
    if excused:
        assert "12/QĐ-UBND" in only(week(decided)).reason.vi


def test_what_aired_in_an_excused_week_is_met() -> None:
    """An excuse takes nothing away from a week that was served."""
    decided = weekly(excuses=(excuse(23, 29),))

    assert DutyState.MET is past(decided, (friday(decided),)).state


def test_a_week_is_sealed_once_and_stays_as_it_was() -> None:
    """Sealed as missed, no later edit and no late row turns it green; a document excuses it, which is not green."""
    decided = weekly()
    missed = friday(decided, Verdict.MISSED, reason=WHY)
    facts = Facts(station="XA", airings=(missed,), since=local(23, 0))
    now = local(30, 0, 15)
    rundown = plan(decided, facts, now, Interval(local(29, 0), local(30, 20)))

    (outcome,) = settle_duties(decided, facts, rundown, now)

    assert (DutyState.MISSED, "2026-W48", WHY) == (outcome.state, outcome.period, outcome.reason)
    assert () == settle_duties(decided, replace(facts, duties=(outcome,)), rundown, now)
    easier = replace(decided, duties=(duty(count=0),))
    assert DutyState.MISSED is past(easier, (friday(decided),), outcomes=(outcome,)).state
    assert DutyState.EXCUSED is past(replace(decided, excuses=(excuse(23, 29),)), (), outcomes=(outcome,)).state


def test_a_week_is_not_sealed_before_all_of_it_is_known() -> None:
    """Not at the deadline itself, not while a slot of it has no row, not while an airing of it goes on."""
    decided = weekly()
    facts = Facts(station="XA", since=local(23, 0))
    now = local(30, 0, 15)
    rundown = plan(decided, facts, now, Interval(local(27, 0), local(30, 20)))
    item = next(i for i in rundown.items if i.slot.endswith("27/cds"))
    playing = Run(item=item, state=RunState.PLAYING, start_at=item.start)
    empty = replace(rundown, items=())

    assert () == settle_duties(decided, facts, empty, local(30, 0, 5))
    assert () == settle_duties(decided, facts, rundown, now)
    assert () == settle_duties(decided, replace(facts, runs=(playing,)), empty, now)
    assert 1 == len([o for o in settle_duties(decided, facts, empty, now) if o.period == "2026-W48"])


def test_a_station_judges_no_week_before_its_own_time() -> None:
    """A station that knows no time, or began after the week was over, seals nothing of it."""
    decided = weekly()
    empty = replace(week(decided), items=())

    assert () == settle_duties(decided, Facts(station="XA"), empty, local(30, 1))
    assert () == settle_duties(decided, Facts(station="XA", since=local(30, 0, 1)), empty, local(30, 1))


def merged(**more: object) -> Intent:
    """Return three communes that became one on Wednesday the 25th of November."""
    old = tuple(
        Station(
            code=code,
            name=code,
            unit=code,
            valid_until=date(2026, 11, 24),
            successor="MOI",
            ended_by="Nghị quyết 1677/NQ-UBTVQH15",
        )
        for code in ("XA", "XB", "XC")
    )
    values: dict[str, object] = {
        "units": (
            Unit(code="HUYEN", name="Huyện"),
            *(
                Unit(code=c, name=c, parent="HUYEN", successor="MOI", valid_until=date(2026, 11, 24))
                for c in ("XA", "XB", "XC")
            ),
            Unit(code="MOI", name="Mới", parent="HUYEN", valid_from=date(2026, 11, 25)),
        ),
        "stations": (*old, Station(code="MOI", name="Mới", unit="MOI", valid_from=date(2026, 11, 25))),
        "segments": (segment("moi", seconds=300),),
        "duties": tuple(duty(code=f"CDS-{c}", stations=(c,), owner=c) for c in ("XA", "XB", "XC")),
    }
    return intent(**{**values, **more})


def test_duties_follow_the_successor_once() -> None:
    """Three communes become one in mid week: it owes the week once, in its own name, and airs their recording."""
    decided = merged()
    rundown = plan(decided, Facts(station="MOI"), local(25, 4), WEEK)

    assert frozenset({"XA", "XB", "XC"}) == predecessors(decided, "MOI")
    assert [("CDS-XA", "MOI", DutyState.PLANNED)] == [(d.duty, d.owner, d.state) for d in rundown.duties]
    assert ["moi"] == [i.segment for i in rundown.items]
    assert local(25, 0) == duties_of(decided, decided.station("MOI"))[0].since


def test_the_week_that_was_cut_is_excused_at_the_old_station() -> None:
    """It was handed over, by the document that ended the station; met before that, it stays met."""
    decided = merged(sessions=(session(place("cds", programme="CDS"), weekdays=(1,)),))
    before = plan(decided, Facts(station="XA"), local(23, 4), WEEK)
    aired = row(before.items[0], Verdict.AIRED)
    after = plan(decided, Facts(station="XA"), local(26, 4), WEEK)

    assert DutyState.EXCUSED is only(before).state
    assert "1677" in only(after).reason.vi and "MOI" in only(after).reason.vi
    assert DutyState.MET is only(plan(decided, Facts(station="XA", airings=(aired,)), local(26, 4), WEEK)).state
    assert () == duty_standings(decided, decided.station("XA"), (), local(30, 12), "2026-W49")


def test_a_station_that_closes_without_a_successor_is_excused_from_then_on() -> None:
    """Until it closes the week is still owed; afterwards the document excuses it, without one it is missed."""
    station = Station(code="XA", name="Xã", unit="XA", valid_until=date(2026, 11, 24), ended_by="7/QĐ-UBND")
    decided = weekly(duty(windows=()), stations=(station,))
    undocumented = replace(decided, stations=(replace(station, ended_by=""),))

    assert DutyState.PLANNED is only(week(decided)).state
    assert DutyState.EXCUSED is only(week(decided, local(26, 4))).state
    assert DutyState.MISSED is only(week(undocumented, local(26, 4))).state


def test_what_the_successor_owes_anyway_is_not_inherited() -> None:
    """It has the same duty of its own: one row on the board, not two."""
    decided = merged()
    own = replace(decided, duties=(*decided.duties, duty(code="CDS-MOI", stations=("MOI",), owner="HUYEN")))

    assert ["CDS-MOI"] == [d.code for d in duties_of(own, own.station("MOI"))]


def test_a_duty_of_the_centre_stays_the_centre_s() -> None:
    """What the centre owes at the old stations it owes at the new one: the owner does not change."""
    decided = merged(duties=(duty(code="CDSHUYEN", stations=("XA", "XB", "XC"), owner="HUYEN"),))

    assert ["HUYEN"] == [d.owner for d in duties_of(decided, decided.station("MOI"))]


def test_a_row_counts_once_however_often_it_is_told() -> None:
    """The same slot told twice (a copied row) is one airing."""
    decided = weekly(duty(count=2))
    aired = friday(decided)

    assert DutyState.MISSED is past(decided, (aired, aired)).state


def test_f70_an_original_and_its_make_up_that_both_ran_fulfil_one_week_once() -> None:
    """F70: the second of two whole airings is a repeat: one slot counts, and the standing names one."""
    decided = weekly()
    aired = friday(decided)
    again = replace(aired, slot="XA/makeup.CDS-XA/2026-11-23/1", started_at=local(28, 6), duty="CDS-XA")

    standing = past(decided, (again, aired))

    assert (aired.slot,) == standing.slots
    assert DutyState.MET is standing.state


def test_the_board_counts_its_states() -> None:
    """Every state has its number, also where it is none."""
    counted = totals((only(week(weekly())),))

    assert 1 == counted[DutyState.PLANNED] and 0 == counted[DutyState.EXCUSED]


def test_warnings_come_days_before() -> None:
    """Two days before the deadline without anything new, and with one chance left, the plan warns of both."""
    decided = weekly(
        duty(windows=(DutyWindow(weekday=6, start=time(5, 30), end=time(5, 35)),)),
        sessions=(session(place("cds", programme="CDS"), weekdays=(7,), starts=(time(20, 30),)),),
    )
    facts = Facts(station="XA", aired={"moi": local(20, 6)})

    early = {f.code for f in week(decided, local(23, 4), facts).findings}
    late = {f.code for f in week(decided, local(28, 6), facts).findings}

    assert "duty_one_chance" in late and "duty_no_new_audio" in late
    assert "duty_no_new_audio" not in early


def test_a_slot_of_the_duty_that_an_order_takes_is_told() -> None:
    """An ordered airing over Friday's session takes its place: the plan names what took it."""
    decided = weekly(
        segments=(segment("moi", seconds=300), segment("dai", seconds=3000, programme="TIN")),
        one_offs=(one_off("1", "dai", local(27, 5, 20)),),
    )

    lost = [f for f in week(decided).findings if f.code == "duty_window_lost"]

    assert ["XA/sang/2026-11-27/cds"] == [f.where for f in lost]
    assert "XA/oneoff/1" in lost[0].message.vi


def test_outcomes_keep_their_names() -> None:
    """A sealed outcome is a value of its own: duty, station, period, state, when, what, why."""
    outcome = DutyOutcome(
        duty="CDS-XA",
        station="XA",
        period="2026-W48",
        state=DutyState.MADE_UP,
        deadline=local(30, 0),
        slots=("s",),
        reason=WHY,
    )
    standing = past(weekly(), (), outcomes=(outcome,))

    assert (DutyState.MADE_UP, ("s",), WHY) == (standing.state, standing.slots, standing.reason)
    assert timedelta(0) == outcome.deadline - standing.deadline
