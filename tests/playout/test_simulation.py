"""Days of a station with everything that can go wrong: what must always hold, and what becomes of slots and duties."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from multiprocessing import get_context

import pytest

from link.scenario import Event, EventKind, FaultRates, Scenario
from playout.simulation import Machine, Options, SimulationReport, simulate
from playout.specs import OutputSpec
from schedules.airing import Verdict
from schedules.duty import DutyState
from schedules.grid import OneOff, Timing
from tests.playout.communes import CALM, MONDAY, ROUGH, at, commune, place, session
from tests.playout.seeds import DAYS, FOUND_BUGS, Tally, live, tallies

STEADY = Options(machine=Machine.HOST, outputs=(OutputSpec(name="main", kind="pulse", device="horn"),))

RARE = (
    "boot_without_trusted_time",
    "clock_step_during_item",
    "duty_made_up",
    "duty_met",
    "duty_missed",
    "edit_cancel",
    "edit_drop",
    "edit_except",
    "edit_hard",
    "edit_move",
    "edit_newer",
    "edit_soft",
    "edit_stop",
    "edit_withdraw",
    "emergency_aired",
    "emergency_inside_duty_item",
    "fault_media_refused",
    "intent_held_back",
    "late_edit_inside_20_s",
    "link_down_for_a_day",
    "make_up_aired",
    "older_intent_offered",
    "output_lost_during_item",
    "player_crash_during_item",
    "player_hang_during_item",
    "player_source_failure_during_item",
    "power_cut_with_a_write",
    "power_cut_within_a_second_of_a_start",
    "restart_process_during_item",
    "restart_worker_during_item",
    "restarted_from_the_beginning_and_aired",
    "resumed_in_the_middle",
    "short_hole_and_aired",
    "slot_cancelled",
    "slot_missed",
    "slot_partial",
    "slot_replaced",
    "time_became_known",
)


def steady(scenario: Scenario, *events: Event, days: int = 7, first_day: date = MONDAY) -> SimulationReport:
    """Simulate a machine that keeps its time, with nothing but these events."""
    eventful = replace(scenario, events=events)
    return simulate(eventful, days=days, seed=1, first_day=first_day, faults=CALM, options=STEADY)


def verdict(report: SimulationReport, slot: str) -> Verdict:
    """Return the one verdict of a slot."""
    found = [outcome.verdict for outcome in report.slots if outcome.slot == slot]
    assert 1 == len(found)
    return found[0]


def power(moment: datetime, seconds: float) -> Event:
    return Event(at=moment, kind=EventKind.POWER, lasts_s=seconds)


@pytest.mark.timeout(1200)
def test_ten_thousand_rough_station_days_break_no_invariant_and_reach_every_rare_state() -> None:
    """Everything goes wrong more often than in a year; each check holds, and each rare state was really there."""
    total = Tally()
    for _, share in tallies(range(-(-10_000 // DAYS))):
        total.add(share)

    assert [] == total.violations
    assert 10_000 <= total.station_days
    assert total.checks > 1_000_000
    assert [] == [name for name in RARE if not total.sometimes[name]]


@pytest.mark.parametrize("seed", FOUND_BUGS)
def test_a_seed_that_once_found_a_bug_finds_none(seed: int) -> None:
    """Every seed that broke an invariant is kept."""
    assert () == live(seed).violations


def test_a_seed_gives_the_same_report_in_any_process() -> None:
    """Replayable bit by bit: no hash order, no clock and no other dice get in."""
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        elsewhere = pool.submit(live, 3).result()

    assert live(3) == elsewhere
    assert live(4) != elsewhere


def test_a_calm_week_airs_whole() -> None:
    """Nothing goes wrong: every slot with audio is aired to the second, and the duty is met."""
    report = steady(commune())

    assert () == report.violations
    assert () == report.faults
    missed = [outcome for outcome in report.slots if outcome.verdict is not Verdict.AIRED]
    assert {"No approved item for this place."} >= {one.reason.en for one in missed if one.reason is not None}
    assert 40 < len(report.slots) - len(missed)
    assert all(one.started_at is not None for one in report.slots if one.verdict is Verdict.AIRED)
    assert [DutyState.MET] == [duty.state for duty in report.duties]


@pytest.mark.parametrize("offset_s", [-0.5, -0.01, 0.0, 0.01, 0.5, 3.0])
def test_f6_power_goes_around_the_start_of_an_item(offset_s: float) -> None:
    """Before, at or after the first sample: back within a minute, a short item airs from its beginning, once."""
    report = steady(commune(), power(at(1, 17, 0, 15 + offset_s), 10))

    assert () == report.violations
    assert Verdict.AIRED is verdict(report, "XA/XA-chieu/2026-11-24/tin")


def test_f7_power_goes_in_the_middle_of_a_long_item() -> None:
    """Two minutes lost of eight: it goes on where the clock is, is partial, and Friday's chance makes the duty good."""
    report = steady(commune(), power(at(1, 11, 2), 100))

    assert () == report.violations
    slot = next(outcome for outcome in report.slots if outcome.slot == "XA/XA-trua/2026-11-24/cds")
    assert Verdict.PARTIAL is slot.verdict
    assert slot.heard_s > 200
    assert ["XA/XA-trua/2026-11-27/cds"] == list(report.duties[0].slots)


@pytest.mark.parametrize("seconds", [1, 9, 17])
def test_after_a_late_start_nothing_overlaps(seconds: int) -> None:
    """Back a few seconds after the session began: its items follow each other, late, one at a time."""
    report = steady(commune(), power(at(1, 16, 59, 50), seconds), days=3)

    assert () == report.violations
    assert Verdict.AIRED is verdict(report, "XA/XA-chieu/2026-11-24/tin")


@pytest.mark.parametrize("seconds", [14, 25, 36])
def test_f20_behind_an_item_whose_output_came_late_nothing_overlaps(seconds: int) -> None:
    """The output is gone when the session begins and comes back: what then begins late is not sounded over."""
    lost = Event(at=at(1, 16, 59, 52), kind=EventKind.OUTPUT, lasts_s=seconds)
    report = steady(commune(), lost, days=3)

    assert () == report.violations
    assert Verdict.AIRED is verdict(report, "XA/XA-chieu/2026-11-24/ket")


@pytest.mark.parametrize("seconds", [68, 72, 76, 80, 84])
def test_f67_an_emergency_that_arrives_late_is_heard_alone(seconds: int) -> None:
    """The link was down when it was ordered: within its late limit it cuts what began meanwhile."""
    cut = Event(at=at(1, 10, 59), kind=EventKind.LINK, lasts_s=seconds)
    order = Event(at=at(1, 10, 59, 58), kind=EventKind.EMERGENCY, segment="nhac")
    report = steady(commune(), cut, order, days=2)

    assert () == report.violations
    assert 1 == report.sometimes["emergency_aired"]


def test_f63_an_emergency_at_night_is_heard() -> None:
    """Outside the permitted hours nothing else may sound."""
    order = Event(at=at(1, 2), kind=EventKind.EMERGENCY, segment="nhac")
    report = steady(commune(), order, days=2)

    assert () == report.violations
    assert 1 == report.sometimes["emergency_aired"]


@pytest.mark.parametrize("tenths", range(0, 32, 3))
def test_f63_an_emergency_that_arrives_with_the_start_of_an_item(tenths: int) -> None:
    """Ordered within the three seconds before: whatever began is cut for it, at every moment of its arrival."""
    order = Event(at=at(1, 11, 0, 15 - tenths / 10), kind=EventKind.EMERGENCY, segment="nhac")
    report = steady(commune(), order, days=3)

    assert () == report.violations
    assert 1 == report.sometimes["emergency_aired"]


@pytest.mark.parametrize("later_s", [1, 20, 60])
def test_f58_two_exact_orders_for_the_same_time(later_s: int) -> None:
    """The pages refuse that; a station that gets it all the same lets one sound at a time, and each has its row."""
    orders = tuple(
        OneOff(
            id=name,
            station="XA",
            segment=segment,
            start=start,
            timing=Timing.HARD,
            ordered_by="Bà Hạnh",
            ordered_at=at(0, 8),
        )
        for name, segment, start in (
            ("a", "nhac-dai", at(1, 9)),
            ("b", "nhac", at(1, 9) + timedelta(seconds=later_s)),
        )
    )
    report = steady(commune(one_offs=orders), days=3)

    assert () == report.violations
    assert {"XA/oneoff/a", "XA/oneoff/b"} == {one.slot for one in report.slots if "/oneoff/" in one.slot}


def test_f12_power_flaps_for_two_hours() -> None:
    """Eighty power cuts from before a session to after it: every slot has its one row, and no row is lost."""
    flaps = (power(at(1, 10, 30) + timedelta(seconds=90 * n), 20) for n in range(80))
    report = steady(commune(), *flaps)

    assert () == report.violations
    assert 80 == sum(fault.kind == "power" for fault in report.faults)
    assert DutyState.MADE_UP is report.duties[0].state


@pytest.mark.parametrize("hours", [1, -1])
def test_f26_f27_the_clock_jumps_by_an_hour(hours: int) -> None:
    """Forward over a session: it is missed once. Back over one: nothing airs again under the same slot."""
    jump = Event(at=at(1, 10, 45) if hours > 0 else at(1, 11, 20), kind=EventKind.CLOCK_STEP, step_s=hours * 3600.0)
    right = Event(at=at(1, 14), kind=EventKind.CLOCK_STEP, step_s=-hours * 3600.0)
    report = steady(commune(), jump, right)

    assert () == report.violations
    expected = (Verdict.MISSED, DutyState.MADE_UP) if hours > 0 else (Verdict.AIRED, DutyState.MET)
    assert expected == (verdict(report, "XA/XA-trua/2026-11-24/cds"), report.duties[0].state)


@pytest.mark.parametrize("machine", [Machine.NO_CLOCK_CHIP, Machine.LAST_TIME_SAVED])
def test_f28_f29_a_start_without_the_time_is_silent_until_it_is_known(machine: Machine) -> None:
    """No network for hours after a power cut: nothing sounds; with the network the next session airs."""
    events = (
        Event(at=at(1, 10), kind=EventKind.LINK, lasts_s=4 * 3600.0),
        power(at(1, 10, 1), 600),
    )
    options = replace(STEADY, machine=machine)
    report = simulate(commune(events=events), days=7, seed=1, first_day=MONDAY, faults=CALM, options=options)

    assert () == report.violations
    assert Verdict.MISSED is verdict(report, "XA/XA-trua/2026-11-24/cds")
    assert Verdict.AIRED is verdict(report, "XA/XA-chieu/2026-11-24/mo")
    assert report.sometimes["time_became_known"]


@pytest.mark.parametrize("kind", [EventKind.MEDIA_MISSING, EventKind.MEDIA_CORRUPT])
def test_f44_f45_f46_a_file_is_gone_or_another_one(kind: EventKind) -> None:
    """What is missing or damaged is not aired and said so; the rest of the session airs, and later the file too."""
    spoiled = Event(at=at(1, 16, 30), kind=kind, segment="nhac-dai", lasts_s=7200)
    report = steady(commune(), spoiled)

    assert () == report.violations
    assert Verdict.MISSED is verdict(report, "XA/XA-chieu/2026-11-24/ket")
    assert Verdict.AIRED is verdict(report, "XA/XA-chieu/2026-11-24/tin")
    assert Verdict.AIRED is verdict(report, "XA/XA-sang/2026-11-25/ket")


def test_f50_nine_days_without_a_link() -> None:
    """What is on the station airs on, to the second; the duty of both weeks is met with what there is."""
    cut = Event(at=at(0, 1), kind=EventKind.LINK, lasts_s=9 * 86_400.0)
    report = steady(commune(), cut, days=14)

    assert () == report.violations
    assert [DutyState.MET, DutyState.MET] == [duty.state for duty in report.duties]


@pytest.mark.parametrize("seed", range(6))
def test_f60_f61_edits_in_the_last_seconds(seed: int) -> None:
    """Ordered, withdrawn, cancelled, moved, exchanged around the very start of items, day after day."""
    rates = FaultRates(late_edit=40.0)
    report = simulate(commune(), days=14, seed=seed, first_day=MONDAY, faults=rates, options=STEADY)

    assert () == report.violations
    assert report.sometimes["late_edit_inside_20_s"]


def test_f63_an_emergency_inside_the_duty_item() -> None:
    """It is heard within a minute, over the duty; the duty is met all the same that week."""
    order = Event(at=at(1, 11, 1), kind=EventKind.EMERGENCY, segment="nhac")
    report = steady(commune(), order)

    assert () == report.violations
    assert 1 == report.sometimes["emergency_aired"] == report.sometimes["emergency_inside_duty_item"]
    assert Verdict.PARTIAL is verdict(report, "XA/XA-trua/2026-11-24/cds")
    assert report.duties[0].state in (DutyState.MET, DutyState.MADE_UP)


@pytest.mark.parametrize("hour", range(0, 11, 2))
def test_f68_a_missed_duty_is_made_up_by_the_station_alone(hour: int) -> None:
    """Off over every chance of the week and cut off from above: whole, on Saturday or Sunday, once."""
    cut = Event(at=at(0, 1), kind=EventKind.LINK, lasts_s=7 * 86_400.0)
    report = steady(commune(), cut, power(at(1, 10, 30), 3600), power(at(4, hour), (30 - hour) * 3600.0))

    assert () == report.violations
    assert [DutyState.MADE_UP] == [duty.state for duty in report.duties]
    assert 1 == report.sometimes["make_up_aired"]


def test_f69_audio_that_never_came_is_a_missed_duty_with_its_reason() -> None:
    """The link is dead all week and nothing for the duty is on the station: missed, and it says why."""
    plain = commune()
    bare = replace(plain, segments=tuple(one for one in plain.segments if one.programme != "CDS"))
    report = steady(bare, Event(at=at(0, 1), kind=EventKind.LINK, lasts_s=8 * 86_400.0))

    assert () == report.violations
    assert [DutyState.MISSED] == [duty.state for duty in report.duties]
    assert report.duties[0].reason.vi


def test_f70_a_duty_is_never_counted_twice() -> None:
    """Missed on Tuesday, aired on Friday in its own place: met by that, and no make-up airs besides."""
    report = steady(commune(), power(at(1, 10, 30), 7200))

    assert () == report.violations
    assert [("XA/XA-trua/2026-11-27/cds",)] == [duty.slots for duty in report.duties]
    assert "make_up_aired" not in report.sometimes


def test_two_stations_fare_each_for_itself() -> None:
    """Power goes at one of them: the other airs everything."""
    scenario = replace(commune("XA", "XB"), events=(replace(power(at(1, 16, 30), 7200), station="XB"),))
    report = simulate(scenario, days=3, seed=1, first_day=MONDAY, faults=CALM, options=STEADY)

    assert () == report.violations
    assert Verdict.AIRED is verdict(report, "XA/XA-chieu/2026-11-24/tin")
    assert Verdict.MISSED is verdict(report, "XB/XB-chieu/2026-11-24/tin")


def test_a_session_over_midnight_is_lived_through() -> None:
    """It begins on one day and ends on the next, with the name of the day on which it began."""
    late = session("XA", "dem", time(23, 58), place("a", fixed="nhac-dai"), place("b", fixed="nhac"), length_s=600)
    plain = commune()
    whole = tuple(
        replace(one, permitted=(replace(one.permitted[0], start=time(0), end=time(0)),)) for one in plain.stations
    )
    report = steady(replace(plain, sessions=(late,), stations=whole), days=3)

    assert () == report.violations
    assert Verdict.AIRED is verdict(report, "XA/XA-dem/2026-11-23/b")


def test_rough_days_with_a_plan_every_minute() -> None:
    """As often as a real station plans: the invariants hold as they do with the rarer plans of the long runs."""
    options = Options(replan_s=60.0)
    report = simulate(commune(), days=14, seed=5, first_day=MONDAY, faults=ROUGH, options=options)

    assert () == report.violations


def test_a_scenario_without_its_time_needs_a_first_day() -> None:
    """Nothing is guessed about when it is."""
    with pytest.raises(ValueError, match="first day"):
        simulate(commune(), days=1, seed=1)
