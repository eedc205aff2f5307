"""The witness of the simulation notices: each invariant is broken on purpose, and named."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest

from link.codec import dump
from playout.simulation import Machine
from playout.simulation.disk import SimulatedJournal
from playout.simulation.fate import DAY_US, around, draw, outage_us, step_s
from playout.simulation.invariants import Witness, due_slots, open_at
from playout.simulation.loudspeaker import Heard, covered
from playout.simulation.simulatedclock import micros
from playout.simulation.station import SimulatedStation
from playout.specs import OutputSpec
from schedules.airing import Facts, Verdict
from schedules.clock import Interval
from schedules.duty import DutyOutcome, DutyState
from schedules.grid import Change, ItemKind, SessionException
from schedules.planner import plan
from schedules.station import DaySpan
from schedules.text import Text
from tests.playout.communes import MONDAY, ROUGH, at, commune
from tests.schedules.builders import row

NOON = at(1, 11)
DECIDED = commune().intent(at(1, 10))
NHAC = next(segment for segment in DECIDED.segments if segment.id == "nhac")
SLOT = "XA/XA-trua/2026-11-24/mo"


class Court:
    """A station at ten in the morning, its witness, and what the witness said."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.station = SimulatedStation(
            code="XA",
            outputs=(OutputSpec(name="main", kind="pulse"),),
            machine=Machine.HOST,
            seed=1,
            now_us=micros(at(1, 10)),
            schedule=lambda at_us, action: None,
            replan_s=60.0,
        )
        self.witness = Witness(self.station, wrong=lambda invariant, message: self.said.append(invariant))
        self.station.receive(DECIDED, micros(at(1, 9)))
        self.station.media.present = {segment.sha256 for segment in DECIDED.segments}
        self.station.boot(micros(at(1, 10)))
        self.station.wake(micros(at(1, 10)))
        self.station.troubles.clear()
        self.look()

    def look(self) -> list[str]:
        """Return what the witness says now."""
        self.witness.look()
        return self.said

    def heard(self, airing: str, start: datetime, seconds: float, *, content: str = NHAC.sha256) -> None:
        """Let something sound."""
        self.station.clock.advance_to(micros(start))
        self.witness.begun(airing, content, micros(start))
        end_us = micros(start + timedelta(seconds=seconds))
        self.station.loudspeaker.note(
            Heard(
                output="main",
                airing=airing,
                content=content,
                first=0,
                start_us=micros(start),
                end_us=end_us,
                loud_until_us=end_us,
            )
        )

    def wrote(self, kind: str, body: dict[str, object]) -> None:
        """Let the station write a row."""
        SimulatedJournal(self.station.disk, clock=self.station.clock, boot="boot-1").append(kind, body)

    def judged(self, verdict: Verdict) -> None:
        """Let the station write the row of the first item at noon."""
        rundown = plan(DECIDED, Facts(station="XA"), at(1, 10), Interval(at(1, 10), at(1, 12)))
        item = rundown.item(SLOT)
        assert item is not None
        self.wrote("verdict", dump(row(item, verdict)))


@pytest.fixture
def court() -> Court:
    """A station that did nothing wrong yet."""
    return Court()


def test_a_whole_airing_in_its_time_is_right(court: Court) -> None:
    """Approved, inside the hours, heard whole, one row: nothing to say, and that was checked."""
    court.heard(f"{SLOT}#1", NOON, 15)
    court.judged(Verdict.AIRED)

    assert [] == court.look()
    assert court.witness.checks > 5


def test_i1_a_recording_that_is_not_approved(court: Court) -> None:
    """What sounds is in no intent of the station."""
    court.heard(f"{SLOT}#1", NOON, 15, content="f" * 64)

    assert ["I1"] == court.look()


def test_i2_sound_outside_the_permitted_hours(court: Court) -> None:
    """From 20:59:50 to 21:00:05; up to nine is right."""
    court.heard(f"{SLOT}#1", at(1, 20, 59, 45), 15)
    assert "I2" not in court.look()
    court.heard(f"{SLOT}#2", at(2, 20, 59, 50), 15)

    assert "I2" in court.look()


def test_i2_sound_without_a_trusted_clock(court: Court) -> None:
    """Whatever sounds then is wrong."""
    court.station.clock.step(-20_000 * 86_400.0)
    court.witness.begun(f"{SLOT}#1", NHAC.sha256, micros(NOON))

    assert ["I2"] == court.said


def test_i3_two_at_once(court: Court) -> None:
    """For a tenth of a second; one that follows the other on the spot is right."""
    court.heard(f"{SLOT}#1", NOON, 15)
    court.heard("XA/b#1", NOON + timedelta(seconds=15), 15)
    assert [] == court.look()
    court.heard("XA/c#1", NOON + timedelta(seconds=29.9), 15)

    assert ["I3"] == court.look()


@pytest.mark.parametrize(("seconds", "wrong"), [(14.3, []), (14.2, ["I5"]), (0.0, ["I5"])])
def test_i5_aired_without_enough_sound(court: Court, seconds: float, wrong: list[str]) -> None:
    """At least 95 % must have been heard."""
    court.heard(f"{SLOT}#1", NOON, seconds)
    court.judged(Verdict.AIRED)

    assert wrong == court.look()


def test_i5_missed_although_it_was_heard(court: Court) -> None:
    """More than the second that a power cut may take from the record was heard."""
    court.heard(f"{SLOT}#1", NOON, 2)
    court.station.trouble(micros(NOON), micros(NOON), "something")
    court.judged(Verdict.MISSED)

    assert ["I5"] == court.look()


def test_i6_a_slot_that_ends_twice_or_never(court: Court) -> None:
    """Two rows for one slot, and none for another."""
    court.heard(f"{SLOT}#1", NOON, 15)
    court.judged(Verdict.AIRED)
    court.judged(Verdict.AIRED)
    assert ["I6"] == court.look()

    court.witness.look_at_the_end([SLOT, "XA/XA-trua/2026-11-24/cds"])
    assert ["I6", "I6"] == court.said


@pytest.mark.parametrize("state", [DutyState.MET, DutyState.MADE_UP, DutyState.MISSED])
def test_i7_a_duty_is_green_only_for_what_was_heard(court: Court, state: DutyState) -> None:
    """Met without any airing is wrong; missed is not. A slot that is named twice is wrong in any state."""
    duty = DECIDED.duties[0]
    outcome = DutyOutcome(
        duty=duty.code,
        station="XA",
        period="2026-W48",
        state=state,
        deadline=at(7, 0),
        slots=("a",),
        reason=Text("Vì", "Because"),
    )
    week = (at(0, 0), at(7, 0))
    court.witness.look_at_duty(outcome, duty, week)
    assert ([] if state is DutyState.MISSED else ["I7"]) == court.said

    court.witness.look_at_duty(replace(outcome, state=DutyState.EXCUSED, slots=("a", "a")), duty, week)
    assert "I7" == court.said[-1]


def test_i7_a_duty_that_ends_twice(court: Court) -> None:
    """One period of one duty is sealed once."""
    outcome = DutyOutcome(
        duty="CDS-XA",
        station="XA",
        period="2026-W48",
        state=DutyState.MISSED,
        deadline=at(7, 0),
        slots=(),
        reason=Text("Vì", "Because"),
    )
    court.wrote("duty", dump(outcome))
    court.wrote("duty", dump(outcome))

    assert ["I7"] == court.look()


def test_i8_a_row_is_missing(court: Court) -> None:
    """The numbers go on without a gap."""
    court.wrote("boot", {})
    court.station.disk.rows[-1] = replace(court.station.disk.rows[-1], seq=99)

    assert ["I8"] == court.look()


def test_i9_the_plan_goes_back(court: Court) -> None:
    """A lower revision after a higher one."""
    court.wrote("intent", {"revision": 7})
    court.wrote("intent", {"revision": 6})

    assert ["I9"] == court.look()


def test_i10_missed_without_a_cause(court: Court) -> None:
    """Nothing was wrong with the station around noon, so it should have aired; with a cause it may be missed."""
    court.station.clock.advance_to(micros(NOON + timedelta(minutes=6)))
    court.station.trouble(micros(at(1, 11, 20)), micros(at(1, 12)), "afterwards")
    court.judged(Verdict.MISSED)
    assert "I10" in court.look()

    other = Court()
    other.station.clock.advance_to(micros(NOON + timedelta(minutes=6)))
    other.station.trouble(micros(at(1, 10, 59)), micros(at(1, 11, 1)), "in time")
    other.judged(Verdict.MISSED)
    assert "I10" not in other.look()


def test_i11_an_overdue_slot_without_a_row(court: Court) -> None:
    """Late limit and twenty seconds are over, and the station, which did not look since ten, has no row."""
    court.station.clock.advance_to(micros(NOON + timedelta(seconds=300 + 19)))
    assert [] == court.look()
    court.station.clock.advance_to(micros(NOON + timedelta(seconds=300 + 21)))

    assert {"I11"} == set(court.look())


def test_what_is_due_is_reckoned_without_the_planner() -> None:
    """The slots of a Tuesday, with the start of their session; a rule with an end is left to the planner."""
    station = DECIDED.station("XA")
    due = due_slots(DECIDED, station, date(2026, 11, 24), date(2026, 11, 24))

    assert 9 == len(due)
    assert NOON == due[SLOT]
    ended = replace(DECIDED, sessions=tuple(replace(rule, until=at(9, 0)) for rule in DECIDED.sessions))
    assert {} == due_slots(ended, station, MONDAY, MONDAY)


def test_what_a_scenario_cancels_or_fills_is_left_to_the_planner() -> None:
    """A session with an exception is not reckoned; a filler takes slots of its own names, or none."""
    station, day = DECIDED.station("XA"), date(2026, 11, 24)
    session = SLOT.split("/")[1]
    cancelled = SessionException(
        id="x", station="XA", session=session, day=day, change=Change.CANCEL, since=at(1, 0), reason="Cắt điện"
    )
    filled = tuple(
        replace(rule, items=tuple(replace(item, kind=ItemKind.FILLER) for item in rule.items))
        for rule in DECIDED.sessions
    )

    left = due_slots(replace(DECIDED, exceptions=(cancelled,)), station, day, day)

    assert left
    assert not any(slot.split("/")[1] == session for slot in left)
    assert {} == due_slots(replace(DECIDED, sessions=filled), station, day, day)


def test_open_hours_are_reckoned_from_the_wall() -> None:
    """Over midnight, on some weekdays only, and without the rest in between."""
    spans = (DaySpan(start=time(22), end=time(2), weekdays=(2,)), DaySpan(start=time(10), end=time(13)))
    station = replace(DECIDED.station("XA"), permitted=spans, quiet=(DaySpan(start=time(11), end=time(12)),))

    assert open_at(station, at(1, 23))
    assert open_at(station, at(2, 1, 59, 59))
    assert not open_at(station, at(2, 2))
    assert not open_at(station, at(1, 1))
    assert open_at(station, at(1, 10, 59, 59))
    assert not open_at(station, at(1, 11))
    assert open_at(station, at(1, 12))


def test_samples_that_were_heard_twice_count_once() -> None:
    """Ranges may overlap, touch and lie inside of each other."""
    assert 0 == covered([])
    assert 30 == covered([(10, 20), (0, 15), (12, 14), (20, 30)])
    assert 11 == covered([(0, 10), (15, 16)])


def test_fate_is_drawn_from_the_seed_and_within_bounds() -> None:
    """The same dice give the same faults, in time order, about as many as the rates say; all strike near their item."""
    strokes = draw(ROUGH, random.Random(1), first_us=0, days=7000)
    assert strokes == draw(ROUGH, random.Random(1), first_us=0, days=7000)
    assert strokes == sorted(strokes, key=lambda stroke: stroke.at_us)
    assert 0 <= strokes[0].at_us
    assert strokes[-1].at_us <= 7000 * DAY_US
    assert 1350 < sum(stroke.kind == "power" for stroke in strokes) < 1650

    dice = random.Random(2)
    assert all(-18e6 <= around(dice, length_us=60_000_000) <= 60e6 for _ in range(1000))
    assert all(1e6 <= outage_us(dice) <= 2e11 for _ in range(1000))
    assert all(2.4 < abs(step_s(dice)) < 7201 for _ in range(1000))
