"""A station with an ear and a relay on a simulated clock: what was heard decides, and one thing sounds at a time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from link.door import LiveOrder
from schedules.airing import Evidence, Verdict
from schedules.clock import ManualClock
from schedules.grid import ItemKind, SessionItem
from schedules.relaying import SourceState
from schedules.sources import RelaySource, SourceKind
from tests.playout.equipped import SimulatedEquipment
from tests.playout.test_takeovers import START, asked, ordered, send
from tests.playout.village import Village
from tests.schedules.builders import place, session

SOURCE = RelaySource(code="VOV1", name="Thời sự", kind=SourceKind.HLS, address="https://vov.example/a")


@pytest.fixture
def clock() -> ManualClock:
    """Four minutes before the session."""
    return ManualClock(START - timedelta(minutes=4))


@pytest.fixture
def equipment(clock: ManualClock) -> SimulatedEquipment:
    """An ear that hears everything, and a relay that flows."""
    return SimulatedEquipment(clock)


@pytest.fixture
def village(tmp_path: Path, clock: ManualClock, equipment: SimulatedEquipment) -> Iterator[Village]:
    """A station with them."""
    village = Village(tmp_path, clock=clock, equip=equipment)  # type: ignore[arg-type]
    yield village
    village.journal.stop()


def one_item(village: Village, seconds: float = 40) -> None:
    """A session of one item."""
    village.decide(segments=(village.recorded("cds", seconds),), sessions=(session(place("cds", programme="CDS")),))


def a_relay(village: Village, seconds: float = 300) -> None:
    """A session of one relay, and a reserve item of a minute."""
    village.decide(
        segments=(village.recorded("du-phong", 60, evergreen=True),),
        sessions=(session(SessionItem(id="vov", kind=ItemKind.RELAY, relay="VOV1", length_s=seconds)),),
        sources=(SOURCE,),
    )


@pytest.mark.parametrize(("share", "verdict"), [(1.0, Verdict.AIRED), (0.5, Verdict.PARTIAL), (0.0, Verdict.MISSED)])
def test_f22_what_was_heard_of_an_emergency_decides_too(
    village: Village, equipment: SimulatedEquipment, share: float, verdict: Verdict
) -> None:
    """Its row waits for the ear like any other, and says no more than what came out."""
    message = village.recorded("lu", 10, programme="KHAN")
    village.decide(segments=(message,))
    village.live(1)
    equipment.hears = share
    send(village, ordered(village, message))
    village.live(42)
    waiting = village.airings()
    village.live(5)
    (row,) = village.airings()

    assert [] == waiting
    assert verdict is row.verdict
    assert (Evidence.E2 if share else Evidence.E0) is row.evidence


def test_a_row_that_waits_for_an_ear_is_written_once_after_a_restart(
    village: Village, equipment: SimulatedEquipment
) -> None:
    """Power off while an item and then an emergency wait: each has one row, counted as the player counted it."""
    message = village.recorded("lu", 10, programme="KHAN")
    one_item(village)
    village.decide(segments=(*village.decided.segments, message))
    village.until(START + timedelta(seconds=42))
    assert [] == village.airings()
    village.crash()
    equipment.listens = False
    village.boot()
    village.live(2)
    equipment.listens = True
    send(village, ordered(village, message))
    village.live(41)
    village.crash()
    village.boot()
    village.live(12)

    rows = village.airings()
    assert [("cds", Verdict.AIRED), ("lu", Verdict.AIRED)] == [(row.segment, row.verdict) for row in rows]
    assert {Evidence.E1} == {row.evidence for row in rows}


def test_f27_a_clock_set_back_does_not_hold_up_a_row(village: Village, equipment: SimulatedEquipment) -> None:
    """An hour back while the ear is waited for: the row comes within seconds, and nothing airs again."""
    one_item(village)
    equipment.hears = None
    village.until(START + timedelta(seconds=42))
    village.clock.step(-3600)
    village.live(10)

    assert [Verdict.AIRED] == [row.verdict for row in village.airings()]


def test_an_ear_that_never_answers_costs_eight_seconds(village: Village, equipment: SimulatedEquipment) -> None:
    """The row is written with what the player counted."""
    one_item(village)
    equipment.hears = None
    village.until(START + timedelta(seconds=47))
    assert [] == village.airings()
    village.live(3)
    assert [(Verdict.AIRED, Evidence.E1)] == [(row.verdict, row.evidence) for row in village.airings()]


def test_a_relay_that_dies_and_comes_back_is_never_two_things_at_once(
    village: Village, equipment: SimulatedEquipment
) -> None:
    """Source, local recordings, source; a person cannot talk into the silence between; it ends where its place ends."""
    a_relay(village)
    village.until(START + timedelta(seconds=60))
    equipment.source = (SourceState.DEAD, 5.0)
    village.live(2)
    talk = asked(village, lambda: village.daemon.go_live(LiveOrder(id="noi", by="Trưởng đài", limit_s=600)))
    village.live(30)
    during = village.daemon.status().on_air
    equipment.source = (SourceState.FLOWING, 60.0)
    village.until(START + timedelta(seconds=299))
    back = village.daemon.status().on_air
    village.until(START + timedelta(seconds=320))
    rows = {row.slot.rpartition("/")[2]: row for row in village.airings()}

    assert not talk.taken
    assert during is not None and "filler" == during.kind
    assert back is not None and "relay" == back.kind
    assert Verdict.AIRED is rows["F1"].verdict
    assert Verdict.PARTIAL is rows["vov"].verdict
    assert rows["vov"].ended_at <= START + timedelta(seconds=300.5)
    assert 1 == village.most_at_once


@pytest.mark.parametrize("step_s", [-3600.0, 3600.0])
def test_f26_f27_a_relay_on_air_outlives_a_step_of_the_clock(
    village: Village, equipment: SimulatedEquipment, step_s: float
) -> None:
    """It goes on for the rest of its place by elapsed time, with its source open, and is told once."""
    a_relay(village)
    village.until(START + timedelta(seconds=60))
    village.clock.step(step_s)
    village.live(200)
    still = village.daemon.status().on_air
    open_for = [run.item.relay for run in equipment.views[-1].runs.values() if run.item.relay]
    village.live(60)
    relays = [row for row in village.airings() if row.kind == "relay"]

    assert still is not None and "relay" == still.kind
    assert ["VOV1"] == open_for
    assert [Verdict.AIRED] == [row.verdict for row in relays]
    assert 1 == village.most_at_once


def test_f24_a_player_that_is_replaced_for_its_holes_is_no_death_and_no_file_is_blamed(village: Village) -> None:
    """Three times within a minute, in the middle of an item: it goes on each time, and is not left out."""
    one_item(village, 120)
    village.until(START + timedelta(seconds=10))
    for _ in range(3):
        village.daemon._player.recycle("underruns")
        village.live(5)
    village.until(START + timedelta(seconds=140))
    codes = [code for code, _ in village.faults()]

    assert 3 == codes.count("player_replaced")
    assert not {"item_poison", "player_lost", "player_down"} & {*codes}
    assert [4] == [len(row.parts) for row in village.airings()]


def test_the_player_is_silent_before_what_takes_seconds_is_switched_off(
    village: Village, equipment: SimulatedEquipment
) -> None:
    """When the station ends, an amplifier that hangs neither keeps it sounding nor loses what was counted."""
    one_item(village)
    village.until(START + timedelta(seconds=10))
    close = equipment.close

    def hanging() -> None:
        assert village.players[-1].dead
        assert [True] == [run["parts"] != [] for run in village.journal.checkpoints("run/").values()]
        close()

    equipment.close = hanging  # type: ignore[method-assign]
    village.daemon.end()

    assert 1 == equipment.closed


def test_f78_what_no_amplifier_gave_out_does_not_count_though_the_monitor_heard_it(
    village: Village, equipment: SimulatedEquipment
) -> None:
    """Twenty seconds without power in an item of a minute: partial, and the row says what kept it from being heard."""
    village.decide(segments=(village.recorded("cds", 60),), sessions=(session(place("cds", programme="CDS")),))
    village.until(START + timedelta(seconds=10))
    equipment.power = False
    village.live(20)
    equipment.power = True
    village.until(START + timedelta(seconds=90))
    (row,) = village.airings()

    assert Verdict.PARTIAL is row.verdict
    assert 39 <= row.seconds_aired <= 41
    assert row.reason is not None
    assert "không có điện" in row.reason.vi


def test_f78_an_emergency_behind_an_amplifier_without_power_is_no_airing(
    village: Village, equipment: SimulatedEquipment
) -> None:
    """The monitor hears every second of it, the loudspeakers none: its row does not say aired."""
    message = village.recorded("lu", 10, programme="KHAN")
    village.decide(segments=(message,))
    village.live(1)
    equipment.power = False
    send(village, ordered(village, message))
    village.live(60)
    (row,) = village.airings()

    assert Verdict.AIRED is not row.verdict
    assert row.seconds_aired < 2
    assert row.reason is not None
    assert "không có điện" in row.reason.vi
