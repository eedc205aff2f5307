"""The station on a simulated clock: what it airs, what it refuses to air, and what it writes down."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from playout.journal import verify_file
from schedules.airing import Verdict
from schedules.clock import ClockState
from schedules.errors import SignatureInvalid
from schedules.intent import Intent
from schedules.text import Text
from tests.playout.village import Village
from tests.schedules.builders import duty, local, one_off, place, session

START = local(23, 5, 30)
NEVER = ClockState(trusted=False, reason=Text("Chưa biết giờ.", "The time is not known."))


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder in memory where there is one: hours of checkpoints pass in seconds, and no power will be cut here."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


@pytest.fixture
def village(folder: Path) -> Village:
    """A station at five in the morning with a session of three items at half past."""
    village = Village(folder)
    items = [village.recorded(name, seconds) for name, seconds in (("chao", 10), ("cds", 600), ("ket", 5))]
    places = (place("chao", fixed="chao"), place("cds", fixed="cds"), place("ket", fixed="ket"))
    village.decide(segments=tuple(items), sessions=(session(*places),))
    return village


def verdicts(village: Village) -> dict[str | None, Verdict]:
    return {airing.segment: airing.verdict for airing in village.airings()}


def test_a_session_airs_whole_and_in_order(village: Village) -> None:
    """Three items, three rows, each aired, bit by bit, one after the other, begun at half past five."""
    village.until(START + timedelta(minutes=11))

    rows = village.airings()
    assert ["chao", "cds", "ket"] == [row.segment for row in rows]
    assert {Verdict.AIRED} == {row.verdict for row in rows}
    assert all(row.bit_exact for row in rows)
    assert START == rows[0].started_at
    assert all(one.planned_end == two.planned_start for one, two in pairwise(rows))


def test_the_player_is_there_only_around_the_session(village: Village) -> None:
    """Outside a session silence is right, and nothing is there that could break it."""
    village.until(START - timedelta(minutes=2))
    assert [] == village.players
    village.until(START - timedelta(seconds=30))
    assert "armed" == village.daemon.status().state
    village.until(START + timedelta(minutes=11))
    assert "idle" == village.daemon.status().state


def test_f28_an_untrusted_clock_is_silent_and_says_so(village: Village) -> None:
    """No scheduled sound while the time is not known; what passed is missed with that reason; then it goes on."""
    village.clock.trusted = NEVER
    village.until(START + timedelta(minutes=12))

    assert [] == village.players
    assert "untrusted_clock" == village.daemon.status().state
    assert {Verdict.MISSED} == set(verdicts(village).values())
    assert "Đồng hồ chưa tin cậy" in str(village.airings()[0].reason)

    village.clock.trusted = ClockState(trusted=True, reason=Text("Đã có giờ.", "Known again."))
    village.until(local(24, 5, 42))
    assert Verdict.AIRED is village.airings()[-1].verdict
    assert ("clock_untrusted", "closed") in village.faults()


@pytest.mark.parametrize("step_s", [-3600.0, 3600.0])
def test_f26_f27_a_clock_step_airs_nothing_twice(village: Village, step_s: float) -> None:
    """An hour forward or back in the middle of an item: every slot keeps one row, and the jump is told."""
    village.until(START + timedelta(minutes=3))
    village.clock.step(step_s)
    village.live(7200)

    slots = [airing.slot for airing in village.airings()]
    assert len(slots) == len(set(slots)) == 3
    assert ("clock_step", "once") in village.faults()


@pytest.mark.parametrize("heard_s", [2.0, 200.0, 595.0])
def test_f13_a_lost_player_is_replaced_and_the_item_ends_as_planned(village: Village, heard_s: float) -> None:
    """kill -9 in the long item: another player goes on where the clock is; the hole is in the row."""
    village.until(START + timedelta(seconds=10 + heard_s))
    village.players[-1].kill()
    village.until(START + timedelta(minutes=11))

    row = next(airing for airing in village.airings() if airing.segment == "cds")
    assert 2 == len(village.players)
    assert 2 == len(row.parts)
    assert 0 < row.holes_s < 3
    assert Verdict.AIRED is row.verdict
    assert not row.bit_exact
    assert row.samples_aired < row.samples_expected


@pytest.mark.parametrize(
    ("off_s", "verdict", "parts"), [(2.0, Verdict.AIRED, 2), (25.0, Verdict.AIRED, 2), (120.0, Verdict.PARTIAL, 2)]
)
def test_f14_f7_a_power_cut_in_mid_item_goes_on_by_the_rule(
    village: Village, off_s: float, verdict: Verdict, parts: int
) -> None:
    """The station is gone for a while: after the start it goes on where the clock is, and the row tells the gap."""
    village.until(START + timedelta(seconds=100))
    village.crash()
    village.clock.advance(off_s)
    village.boot()
    village.until(START + timedelta(minutes=11))

    row = next(airing for airing in village.airings() if airing.segment == "cds")
    assert (verdict, parts) == (row.verdict, len(row.parts))
    assert off_s <= row.holes_s <= off_s + 2
    assert len(village.airings()) == 3
    assert verify_file(village.folder / "XA.db")[0] > 0


def test_f6_what_passed_during_a_power_cut_is_missed_with_its_reason(village: Village) -> None:
    """Off from before the session until long after it: three rows, each with the outage as reason, none doubled."""
    village.until(START - timedelta(minutes=5))
    village.crash()
    village.clock.advance(3600)
    village.boot()
    village.live(10)

    assert {Verdict.MISSED} == set(verdicts(village).values())
    assert "mất điện" in str(village.airings()[0].reason)
    village.crash()
    village.boot()
    village.live(10)
    assert 3 == len(village.airings())


def test_f19_without_an_output_nothing_is_aired(village: Village) -> None:
    """The sink is missing from the start: the fault is there before the session, every row is missed."""
    village.hears = False
    village.until(START - timedelta(seconds=10))
    assert "fault" == village.daemon.status().state
    village.until(START + timedelta(minutes=11))

    assert {Verdict.MISSED} == set(verdicts(village).values())
    assert all(row.started_at is None and row.samples_aired == 0 for row in village.airings())


def test_f46_a_file_that_is_not_the_approved_one_is_not_aired(village: Village) -> None:
    """The player refuses it: the row is missed, a fault row names the slot, the station goes on."""
    village.takes = False
    village.until(START + timedelta(minutes=11))

    assert {Verdict.MISSED} == set(verdicts(village).values())
    assert ("media_refused", "once") in village.faults()


def test_stop_cuts_what_plays_and_cancels_the_rest(village: Village) -> None:
    """The person's name and reason stand in both rows; tomorrow's session airs."""
    village.until(START + timedelta(seconds=60))
    stopping = threading.Thread(target=village.daemon.stop, kwargs={"by": "Ông Nghĩa", "reason": "Nhầm bài"})
    stopping.start()
    while stopping.is_alive():
        village.live(0.25)
    village.until(START + timedelta(minutes=11))

    found = {airing.segment: airing for airing in village.airings()}
    assert (Verdict.PARTIAL, Verdict.CANCELLED) == (found["cds"].verdict, found["ket"].verdict)
    assert "Nhầm bài" in str(found["cds"].reason) and "Ông Nghĩa" in str(found["cds"].reason)
    assert "Ông Nghĩa" == found["ket"].by
    village.until(local(24, 5, 31))
    assert Verdict.AIRED is village.airings()[-1].verdict


def test_an_ordered_airing_cuts_what_is_already_on_air(village: Village) -> None:
    """Ordered while the long item plays: that one is partial with the reason, the ordered one begins on its second."""
    village.until(START + timedelta(seconds=60))
    village.decide(
        segments=(*village.decided.segments, village.recorded("gap", 20)),
        one_offs=(one_off("1", "gap", START + timedelta(seconds=100)),),
    )
    village.until(START + timedelta(minutes=11))

    found = {airing.segment: airing for airing in village.airings()}
    assert (Verdict.PARTIAL, Verdict.AIRED) == (found["cds"].verdict, found["gap"].verdict)
    assert "đúng giờ" in str(found["cds"].reason)
    assert START + timedelta(seconds=100) == found["gap"].started_at


def test_f60_an_edit_does_not_touch_the_item_on_air(village: Village) -> None:
    """The grid is emptied while an item plays: it plays to its end, what was still to come does not air."""
    village.until(START + timedelta(seconds=60))
    rule = village.decided.sessions[0]
    village.decide(sessions=(replace(rule, items=rule.items[:2]),))
    village.until(START + timedelta(minutes=11))

    assert {"chao": Verdict.AIRED, "cds": Verdict.AIRED} == verdicts(village)


def test_a_withdrawn_item_is_taken_off_the_player(village: Village) -> None:
    """Ten seconds before its start the approval is withdrawn: it does not air, and the row says why."""
    village.until(START - timedelta(seconds=10))
    assert village.players[-1].armed
    village.decide(segments=tuple(s for s in village.decided.segments if s.id != "chao"))
    village.until(START + timedelta(minutes=11))

    assert Verdict.MISSED is next(row for row in village.airings() if row.slot.endswith("/chao")).verdict


def test_the_session_flows_around_an_ordered_airing(village: Village) -> None:
    """A hard one-off known before the session: the long item moves behind it, and all four air whole."""
    village.decide(
        segments=(*village.decided.segments, village.recorded("gap", 20)),
        one_offs=(one_off("1", "gap", START + timedelta(seconds=100)),),
    )
    village.until(START + timedelta(seconds=50))
    village.until(START + timedelta(minutes=20))

    assert {"chao": Verdict.AIRED, "cds": Verdict.AIRED, "gap": Verdict.AIRED, "ket": Verdict.AIRED} == verdicts(
        village
    )
    order = {airing.segment: airing.started_at for airing in village.airings()}
    assert START + timedelta(seconds=100) == order["gap"]


def test_f68_a_missed_duty_is_made_up_by_the_station_alone(folder: Path) -> None:
    """The power is off on Friday at the time of the duty; on Saturday the station airs it whole, by itself."""
    village = Village(folder, now=local(27, 5))
    village.decide(
        segments=(village.recorded("cds", 60),),
        sessions=(session(place("cds", programme="CDS"), weekdays=(5,)),),
        duties=(duty(),),
    )
    village.live(60)
    village.crash()
    village.clock.advance(3600)
    village.boot()
    village.until(local(28, 5, 32))

    first, second = village.airings()
    assert (Verdict.MISSED, Verdict.AIRED) == (first.verdict, second.verdict)
    assert local(28, 5, 30) == second.planned_start
    assert "CDS-XA" == second.duty
    (standing,) = village.daemon.plan(local(28, 0), local(29, 0)).duties
    assert "made_up" == standing.state


def test_a_player_that_is_silent_is_replaced(village: Village) -> None:
    """No sign of life for three seconds on air: it is killed and another goes on."""
    village.until(START + timedelta(seconds=60))
    village.players[-1].play = lambda: None  # type: ignore[method-assign]
    village.live(5)

    assert ("player_hang", "once") in village.faults()
    assert 2 == len(village.players)


def test_virtual_outputs_make_rehearsals(folder: Path) -> None:
    """What only the browser heard says so."""
    village = Village(folder, now=local(23, 5, 29), kind="virtual")
    village.decide(segments=(village.recorded("a", 5),), sessions=(session(place("a", fixed="a")),))
    village.until(START + timedelta(seconds=30))

    assert village.airings()[0].rehearsal
    assert village.daemon.status().rehearsal


def test_the_last_intent_stays_when_the_next_is_not_signed(village: Village) -> None:
    """A document that does not verify opens a fault; the station goes on with what it has."""

    def forged() -> Intent:
        raise SignatureInvalid("not from the authority")

    village.live(1)
    village.fetch = forged
    village.daemon.wake()
    village.until(START + timedelta(minutes=11))

    assert ("intent_refused", "open") in village.faults()
    assert {Verdict.AIRED} == set(verdicts(village).values())
