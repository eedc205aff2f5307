"""What a clock that is wrong, lost, set or drifting does to a station: nothing at a wrong time, nothing twice."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from link.scenario import Event, EventKind
from playout.simulation import Machine, Options, simulate
from playout.simulation.simulatedclock import SimulatedClock, micros
from playout.specs import OutputSpec
from playout.systemclock import ClockJudge
from schedules.airing import Verdict
from tests.playout.communes import CALM, MONDAY, at, commune
from tests.playout.judged import Judged
from tests.playout.village import FIVE, Village
from tests.schedules.builders import local, place, session

START = local(23, 5, 30)
HOUR = timedelta(hours=1)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder in memory where there is one."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


def station(folder: Path, clock: Judged) -> Village:
    """Return a station with a session of one item at half past five and one at half past six."""
    village = Village(folder, clock=clock)
    item = village.recorded("cds", 60)
    rules = tuple(
        session(place("cds", fixed="cds"), name=name, starts=(start.astimezone(UTC).time(),))
        for name, start in (("sang", START + timedelta(hours=7)), ("sau", START + timedelta(hours=8)))
    )
    village.decide(segments=(item,), sessions=rules)
    return village


def slots(village: Village) -> dict[str, Verdict]:
    return {row.slot.split("/")[1]: row.verdict for row in village.airings()}


def started(village: Village) -> list[datetime]:
    return [row.started_at for row in village.airings() if row.started_at is not None]


@pytest.mark.parametrize("word", ["service", "authority", "person"])
def test_f28_after_a_boot_in_1970_it_airs_within_ten_seconds_of_knowing_the_time(folder: Path, word: str) -> None:
    """Silent and told until the clock is set; then any one of three words is enough."""
    clock = Judged(datetime(1970, 1, 1, 0, 0, 20, tzinfo=UTC))
    village = station(folder, clock)
    village.live(30)
    assert [("clock_untrusted", "open")] == village.faults()
    assert [] == village.players
    if word != "service":
        assert clock.confirm() is not None

    known_at = START - timedelta(seconds=10)
    clock.step((known_at - clock.now()).total_seconds())
    match word:
        case "service":
            clock.kept = True
        case "authority":
            clock.hear(off_s=2)
        case "person":
            assert clock.confirm() is None
    village.live(80)

    assert ("clock_untrusted", "closed") in village.faults()
    assert {"sang": Verdict.AIRED} == slots(village)
    assert abs(started(village)[0] - START) < timedelta(seconds=0.1)


def test_f29_a_boot_at_the_last_saved_time_airs_nothing_until_a_person_says_so(folder: Path) -> None:
    """The saved time is later than the log, but five hours may have passed: nothing sounds before somebody looks."""
    clock = Judged(FIVE, host=True)
    village = station(folder, clock)
    village.until(FIVE + timedelta(minutes=1))
    village.crash()
    clock.advance(15)
    clock.judged_by(newest=FIVE + timedelta(minutes=1))
    village.boot()
    village.until(START + timedelta(minutes=10))
    assert {} == slots(village)

    clock.step(40 * 60)
    assert clock.confirm("Ông Bình") is None
    village.until(START + HOUR + timedelta(minutes=2))

    assert {"sang": Verdict.MISSED, "sau": Verdict.AIRED} == slots(village)
    assert {"untrusted", "trusted"} == {row.clock for row in village.journal.rows(kind="boot")} | {"untrusted"}


@pytest.mark.parametrize("hours", [1, -1])
def test_f26_f27_a_jump_by_an_hour_in_mid_item_needs_a_new_word_and_airs_nothing_twice(
    folder: Path, hours: int
) -> None:
    """Nothing more begins by such a clock; set right again, the day goes on as planned, each slot with one row."""
    clock = Judged(FIVE)
    clock.kept = True
    village = station(folder, clock)
    village.until(START + timedelta(seconds=20))
    clock.step(hours * 3600.0)
    village.live(60)
    assert ("clock_untrusted", "open") in village.faults()
    assert ("clock_step", "once") in village.faults()
    jumped = village.journal.rows(kind="fault")[-1]
    assert "untrusted" == jumped.clock

    clock.step(hours * -3600.0)
    village.until(START + HOUR + timedelta(minutes=2))

    assert 2 == len(village.airings())
    assert Verdict.AIRED is slots(village)["sau"]
    assert slots(village)["sang"] in (Verdict.AIRED, Verdict.PARTIAL)


@pytest.mark.parametrize("hours", [1, -1])
def test_f26_f27_a_jump_that_the_authority_confirms_is_caught_up_once(folder: Path, hours: int) -> None:
    """Forward over the session: missed, once. Back over it: it is not aired again under the same slot."""
    clock = Judged(FIVE)
    clock.kept = True
    village = station(folder, clock)
    before = START + (timedelta(minutes=-10) if hours > 0 else timedelta(minutes=5))
    village.until(before)
    clock.step(hours * 3600.0)
    clock.hear()
    village.until(max(clock.now(), START) + timedelta(minutes=15))

    assert [Verdict.MISSED if hours > 0 else Verdict.AIRED] == [
        row.verdict for row in village.airings() if "/sang/" in row.slot
    ]


def test_f30_nine_days_on_a_quartz_are_aired_within_a_minute_and_the_bound_is_told() -> None:
    """50 ppm for 9 days are 39 s: the clock stays trusted, says how far it may be off, and every slot is as without."""
    link = Event(at=at(0, 1), kind=EventKind.LINK, lasts_s=9 * 86_400.0)
    horn = (OutputSpec(name="main", kind="pulse", device="horn"),)
    lives = [
        simulate(
            commune(events=(link,)),
            days=11,
            seed=1,
            first_day=MONDAY,
            faults=CALM,
            options=Options(machine=Machine.CLOCK_CHIP, outputs=horn, drift_ppm=ppm),
        )
        for ppm in (50, 0)
    ]
    assert () == lives[0].violations
    steady, drifting = ([(slot.slot, slot.verdict) for slot in life.slots] for life in lives)
    assert steady == drifting
    assert Counter(verdict for _, verdict in drifting)[Verdict.AIRED] >= 50
    assert 1 == lives[0].sometimes["fault_clock_step"]
    assert lives[1].sometimes.get("fault_clock_step", 0) == 0

    now_us = micros(FIVE)
    judge = ClockJudge(host=False, newest=None, carried_on=None)
    clock = SimulatedClock(booted_us=now_us, now_us=now_us, wall_us=now_us, judge=judge, drift_ppm=50)
    clock.synchronise()
    assert 0.0 == clock.state().drift_s
    clock.lose_service()
    clock.advance_to(now_us + 9 * 86_400_000_000)
    state = clock.state()
    off_s = abs((clock.now() - (FIVE + timedelta(days=9))).total_seconds())
    assert (True, "runs_on") == (state.trusted, state.ground)
    assert state.drift_s is not None
    assert 38.0 < off_s <= state.drift_s < 60.0


ZONES = (
    *("UTC", "Asia/Ho_Chi_Minh", "Asia/Shanghai", "Asia/Bangkok", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Tokyo"),
    *(
        "Europe/Paris",
        "Europe/London",
        "America/New_York",
        "America/St_Johns",
        "America/Sao_Paulo",
        "Pacific/Kiritimati",
    ),
    *("Pacific/Pago_Pago", "Pacific/Chatham", "Australia/Lord_Howe", "Africa/Cairo", "Antarctica/Troll"),
    *("Nowhere/At_All", ":/nonexistent", ""),
)


def test_f32_the_zone_of_the_machine_changes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty zones, right, wrong and nonsense: the session begins at half past five of the station, to the sample."""
    found = set()
    try:
        for number, zone in enumerate(ZONES):
            monkeypatch.setenv("TZ", zone)
            time.tzset()
            place_of = folder / str(number)
            place_of.mkdir()
            village = station(place_of, Judged(START - timedelta(seconds=30), host=True))
            village.live(95)
            found |= {(row.slot, row.planned_start, row.verdict, row.start_error_s) for row in village.airings()}
            village.crash()
    finally:
        monkeypatch.undo()
        time.tzset()
    assert 1 == len(found)
    (slot, planned, verdict, error_s) = found.pop()
    assert ("XA/sang/2026-11-23/cds", START, Verdict.AIRED) == (slot, planned, verdict)
    assert error_s is not None
    assert abs(error_s) < 0.01
