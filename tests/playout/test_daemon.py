"""The station on a simulated clock: what it airs, what it refuses to air, and what it writes down."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import time, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from playout.journal.journal import verify_file
from schedules.airing import Verdict
from schedules.clock import ClockState
from schedules.errors import IntentMissing, SignatureInvalid
from schedules.grid import ItemKind, SessionItem
from schedules.intent import Intent
from schedules.segment import Priority
from schedules.station import DaySpan, Station
from schedules.text import Text
from tests.playout.village import Village
from tests.schedules.builders import duty, local, one_off, place, session

START = local(23, 5, 30)
KNOWN = ClockState(trusted=True, reason=Text("Đã có giờ.", "The time is known."))
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
    """No scheduled sound and no verdict while the time is not known; then what passed is missed with that reason."""
    village.clock.trusted = NEVER
    village.until(START + timedelta(minutes=12))

    assert [] == village.players
    assert "untrusted_clock" == village.daemon.status().state
    assert [] == village.airings()

    village.clock.trusted = KNOWN
    village.live(5)
    assert {Verdict.MISSED} == set(verdicts(village).values())
    assert 3 == len(village.airings())
    assert "Đồng hồ chưa tin cậy" in str(village.airings()[0].reason)

    village.until(local(24, 5, 42))
    assert Verdict.AIRED is village.airings()[-1].verdict
    assert ("clock_untrusted", "closed") in village.faults()


def test_f28_what_a_power_cut_interrupted_is_judged_when_the_time_is_known(village: Village) -> None:
    """Cut in the middle, started in 1970, the right time an hour later: partial, and nothing sounds out of its time."""
    village.until(START + timedelta(seconds=100))
    village.crash()
    village.clock.advance(30)
    village.clock.step(-20_000 * 86_400)
    village.clock.trusted = NEVER
    village.boot()
    village.live(60)
    village.clock.advance(3600)
    village.clock.step(20_000 * 86_400)
    village.clock.trusted = KNOWN
    village.live(30)

    assert {"chao": Verdict.AIRED, "cds": Verdict.PARTIAL, "ket": Verdict.MISSED} == verdicts(village)
    assert ["chao", "cds"] == [row.body["segment"] for row in village.journal.rows(kind="start")]


def test_f61_what_was_withdrawn_while_it_played_does_not_go_on_after_a_crash(village: Village) -> None:
    """It plays on while it plays; when its player dies, what is not approved any more is not begun again."""
    village.until(START + timedelta(seconds=100))
    village.decide(segments=tuple(one for one in village.decided.segments if one.id != "cds"))
    village.live(5)
    village.players[-1].kill()
    village.live(20)

    assert ["chao", "cds"] == [row.body["segment"] for row in village.journal.rows(kind="start")]
    assert Verdict.PARTIAL is verdicts(village)["cds"]


def test_f29_a_clock_that_was_ahead_has_cost_no_slot(village: Village) -> None:
    """Years ahead and not trusted, over a restart: when the time is known again, the session of today airs."""
    village.live(10)
    village.clock.trusted = NEVER
    village.clock.step(4 * 365 * 86_400)
    village.live(60)
    village.crash()
    village.boot()
    village.live(60)
    assert [] == village.airings()

    village.clock.step(-4 * 365 * 86_400)
    village.clock.trusted = KNOWN
    village.until(START + timedelta(minutes=11))

    assert {Verdict.AIRED} == set(verdicts(village).values())
    assert 3 == len(village.airings())


def test_a_first_start_without_the_time_owes_nothing(folder: Path) -> None:
    """A station that never knew the time decides nothing about the past when it learns it, and airs from then on."""
    village = Village(folder, now=local(23, 5) - timedelta(days=20_000), clock=NEVER)
    village.decide(segments=(village.recorded("cds", 30),), sessions=(session(place("cds", fixed="cds")),))
    village.live(30)
    village.clock.step(20_000 * 86_400)
    village.clock.trusted = KNOWN
    village.live(10)
    assert [] == village.airings()
    village.until(START + timedelta(minutes=1))
    assert [Verdict.AIRED] == [airing.verdict for airing in village.airings()]


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


def stop(village: Village, reason: str = "Nhầm bài") -> bool:
    """Press stop and let the station live until it has answered."""
    answers: list[bool] = []
    stopping = threading.Thread(
        target=lambda: answers.append(village.daemon.stop(by="Ông Nghĩa", reason=reason)), daemon=True
    )
    stopping.start()
    while stopping.is_alive():
        village.live(0.25)
    return answers[0]


def test_f19_a_sink_that_comes_late_hears_the_item_once_and_whole(village: Village) -> None:
    """Nothing can be heard for the first 22 s: what was handed over in vain does not sound beside the new try."""
    village.hears = False
    village.until(START + timedelta(seconds=22))
    village.hears = True
    village.until(START + timedelta(minutes=12))

    assert 1 == village.most_at_once
    row = next(airing for airing in village.airings() if airing.segment == "cds")
    assert Verdict.AIRED is row.verdict
    assert 0.99 * row.samples_expected < row.samples_aired <= row.samples_expected
    assert row.started_at is not None and START + timedelta(seconds=22) <= row.started_at


def test_nothing_is_counted_twice_after_a_deaf_beginning(folder: Path) -> None:
    """Silent for 4 s, heard for 6 s, then the player is killed: it goes on where the clock is, not 4 s before."""
    village = Village(folder, now=local(23, 5, 29))
    village.decide(segments=(village.recorded("tin", 60),), sessions=(session(place("tin", fixed="tin")),))
    village.hears = False
    village.until(START + timedelta(seconds=4))
    village.hears = True
    village.until(START + timedelta(seconds=10))
    village.players[-1].kill()
    village.until(START + timedelta(minutes=2))

    (row,) = village.airings()
    assert row.seconds_aired <= 60 - 4 - 0.25
    assert Verdict.PARTIAL is row.verdict
    assert row.holes_s >= 4


@pytest.mark.parametrize("power", [False, True])
def test_what_a_person_stopped_stays_silent_when_the_player_dies_in_the_fade(village: Village, power: bool) -> None:
    """The order is given, the fade is cut short by a crash: nothing sounds again, the row names the person."""
    village.until(START + timedelta(seconds=60))
    player = village.players[-1]
    village.players[-1].send = lambda command: None  # type: ignore[method-assign]
    stopping = threading.Thread(target=village.daemon.stop, kwargs={"by": "Ông Nghĩa", "reason": "Nhầm bài"})
    stopping.start()
    while stopping.is_alive():
        village.daemon.step(0.01)
    if power:
        village.crash()
        village.boot()
    else:
        player.kill()
    village.until(START + timedelta(minutes=11))

    found = {airing.slot.rpartition("/")[2]: airing for airing in village.airings()}
    assert (Verdict.PARTIAL, Verdict.CANCELLED) == (found["cds"].verdict, found["ket"].verdict)
    assert "Ông Nghĩa" == found["cds"].by
    assert "Nhầm bài" in str(found["cds"].reason)
    assert 61 > found["cds"].seconds_aired
    assert all(not player.armed for player in village.players)


def test_stop_takes_back_what_is_armed_and_says_who_did_it(village: Village) -> None:
    """Stopped while the next item is armed: it is cancelled by that person, not missed for want of an output."""
    village.until(START + timedelta(seconds=600))
    assert 2 == len(village.players[-1].armed)
    assert stop(village)
    stop(village, "Lần nữa")
    village.until(START + timedelta(minutes=11))

    found = {airing.segment: airing for airing in village.airings()}
    assert Verdict.CANCELLED is found["ket"].verdict
    assert "Ông Nghĩa" == found["cds"].by
    assert "Nhầm bài" in str(found["cds"].reason)
    assert "Ông Nghĩa" == found["ket"].by


def test_stop_leaves_an_ordered_airing_that_has_not_begun(village: Village) -> None:
    """A one-off armed for ten seconds later is another airing: it sounds as ordered."""
    village.decide(
        segments=(*village.decided.segments, village.recorded("gap", 20)),
        one_offs=(one_off("1", "gap", START + timedelta(seconds=100)),),
    )
    village.until(START + timedelta(seconds=5))
    village.live(85)
    stop(village)
    village.until(START + timedelta(minutes=11))

    found = {airing.segment: airing for airing in village.airings()}
    assert Verdict.AIRED is found["gap"].verdict
    assert START + timedelta(seconds=100) == found["gap"].started_at


def test_stop_with_nothing_there_changes_nothing(village: Village) -> None:
    """Pressed long before the session: False, and the session airs."""
    village.live(1)
    assert not stop(village)
    village.until(START + timedelta(minutes=11))
    assert {Verdict.AIRED} == set(verdicts(village).values())


def test_f60_an_item_taken_out_while_on_air_ends_before_the_next_begins(village: Village) -> None:
    """Its place is deleted from the grid while it plays: what follows waits for its end, one source at a time."""
    village.until(START + timedelta(seconds=60))
    rule = village.decided.sessions[0]
    village.decide(sessions=(replace(rule, items=(rule.items[0], rule.items[2])),))
    village.until(START + timedelta(minutes=12))

    assert 1 == village.most_at_once
    assert {"chao": Verdict.AIRED, "cds": Verdict.AIRED, "ket": Verdict.AIRED} == verdicts(village)


def test_an_ordered_airing_cuts_a_make_up_too(folder: Path) -> None:
    """A make-up is on air when an exact airing is due: it is cut like anything else, never mixed."""
    village = Village(folder, now=local(28, 5, 25))
    village.decide(segments=(village.recorded("cds", 300),), duties=(duty(),))
    village.until(local(28, 5, 31))
    assert village.daemon.status().on_air is not None
    village.decide(
        segments=(*village.decided.segments, village.recorded("gap", 20, programme="TIN")),
        one_offs=(one_off("1", "gap", local(28, 5, 33)),),
    )
    village.until(local(28, 5, 45))

    assert 1 == village.most_at_once
    first, second, third = village.airings()
    assert (Verdict.PARTIAL, Verdict.AIRED, Verdict.AIRED) == (first.verdict, second.verdict, third.verdict)
    assert [first.slot[:-1] + "1", first.slot[:-1] + "2"] == [first.slot, third.slot]


def test_a_session_waits_for_an_item_that_began_anew(folder: Path) -> None:
    """A short item starts again after a power cut: the session right behind it begins when it is over."""
    village = Village(folder, now=local(23, 5, 29))
    one = session(place("a", fixed="a"), length_s=120)
    two = session(place("b", fixed="b"), name="sau", starts=(time(5, 32),), length_s=600)
    village.decide(segments=(village.recorded("a", 60), village.recorded("b", 30)), sessions=(one, two))
    village.until(START + timedelta(seconds=30))
    village.crash()
    village.clock.advance(20)
    village.boot()
    village.until(START + timedelta(minutes=4))

    assert 1 == village.most_at_once
    a, b = village.airings()
    assert (Verdict.AIRED, Verdict.AIRED) == (a.verdict, b.verdict)
    assert a.started_at == START
    assert 20 <= a.holes_s <= 23
    assert b.started_at is not None and a.ended_at is not None and a.ended_at <= b.started_at


def test_f61_what_was_withdrawn_during_a_hole_does_not_go_on(village: Village) -> None:
    """The approval is withdrawn while the power is off in mid item: it does not sound again, the row is partial."""
    village.until(START + timedelta(seconds=100))
    village.crash()
    village.clock.advance(3)
    village.decided = replace(
        village.decided, revision=9, segments=tuple(s for s in village.decided.segments if s.id != "cds")
    )
    village.boot()
    village.until(START + timedelta(minutes=11))

    row = next(airing for airing in village.airings() if airing.segment == "cds")
    assert (Verdict.PARTIAL, 1) == (row.verdict, len(row.parts))
    assert "duyệt" in str(row.reason)


def test_f61_a_make_up_that_is_armed_is_taken_back_when_withdrawn(folder: Path) -> None:
    """Ten seconds before it starts its approval is withdrawn: nothing sounds."""
    village = Village(folder, now=local(28, 5, 25))
    village.decide(segments=(village.recorded("cds", 60),), duties=(duty(),))
    village.until(local(28, 5, 29, 50))
    assert village.players[-1].armed
    village.decide(segments=())
    village.live(1)

    assert not village.players[-1].armed
    village.until(local(28, 5, 32))
    assert [] == village.airings()


@pytest.mark.parametrize("off_s", [230, 30])
def test_nothing_sounds_after_the_permitted_hours(folder: Path, off_s: int) -> None:
    """The power comes back when there is no more time to air the item before the hours end: silence, and the reason."""
    village = Village(folder, now=local(23, 5, 29))
    hours = (DaySpan(start=time(5), end=time(5, 31, 30)),)
    village.decide(
        stations=(Station(code="XA", name="Đài", unit="XA", permitted=hours),),
        segments=(village.recorded("a", 80),),
        sessions=(session(place("a", fixed="a")),),
    )
    village.until(START - timedelta(seconds=50) if off_s > 100 else START + timedelta(seconds=20))
    village.crash()
    village.clock.advance(off_s if off_s < 100 else 70)
    village.boot()
    village.until(START + timedelta(minutes=5))

    (row,) = village.airings()
    assert 1 >= len(row.parts)
    assert row.verdict in (Verdict.MISSED, Verdict.PARTIAL)
    assert "khung giờ" in str(row.reason)


def test_an_item_waits_out_a_long_absence_of_the_clock(village: Village) -> None:
    """Untrusted for five and a half minutes with no player, it waits; then it goes on where the clock is."""
    village.until(START + timedelta(seconds=40))
    village.clock.trusted = NEVER
    village.players[-1].kill()
    village.live(330)
    village.clock.trusted = ClockState(trusted=True, reason=Text("Đã có giờ.", "Known again."))
    village.until(START + timedelta(minutes=11))

    row = next(airing for airing in village.airings() if airing.segment == "cds")
    assert (Verdict.PARTIAL, 2) == (row.verdict, len(row.parts))
    assert 320 < row.holes_s < 340


@pytest.mark.parametrize("step_s", [-3600.0, 3600.0])
def test_f26_a_player_lost_after_a_clock_step_goes_on_where_it_was(village: Village, step_s: float) -> None:
    """The place in the file is a matter of elapsed time, not of what the clock says meanwhile."""
    village.until(START + timedelta(minutes=3))
    village.clock.step(step_s)
    village.live(10)
    village.players[-1].kill()
    village.live(700)

    row = next(airing for airing in village.airings() if airing.segment == "cds")
    assert (Verdict.AIRED, 2) == (row.verdict, len(row.parts))
    assert row.holes_s < 3


def test_a_missed_item_names_the_output_that_was_lost(village: Village) -> None:
    """The reason is what was seen: no output, not a station that was not ready."""
    village.hears = False
    village.until(START + timedelta(minutes=11))

    assert all("không có tiếng ra loa" in str(row.reason).lower() for row in village.airings())


def test_a_station_without_intent_says_so_and_goes_on_asking(folder: Path) -> None:
    """The authority does not know it: a fault, no crash; when it does, the fault is over."""
    village = Village(folder)
    known = village.fetch

    def unknown() -> Intent:
        raise IntentMissing("no such station")

    village.fetch = unknown
    village.live(5)
    assert "fault" == village.daemon.status().state
    village.fetch = known
    village.live(5)
    assert "idle" == village.daemon.status().state
    assert [("intent_missing", "open"), ("intent_missing", "closed")] == village.faults()


def test_a_player_that_loads_slowly_is_given_time(village: Village) -> None:
    """On a slow card a player needs more than three seconds to say that it is ready: it is not killed for that."""
    village.answers = False
    village.until(START - timedelta(seconds=52))
    assert 1 == len(village.players)


def test_a_worker_that_starts_again_has_forgotten_no_slot(village: Village) -> None:
    """The loop fails in mid item and is started again: one row each, the hole in the row, faults open anew."""
    village.until(START + timedelta(seconds=100))
    village.daemon.end()
    village.daemon.broken(RuntimeError("broken"))
    village.clock.advance(0.5)
    village.daemon.begin()
    village.until(START + timedelta(minutes=11))

    assert {"chao": Verdict.AIRED, "cds": Verdict.AIRED, "ket": Verdict.AIRED} == verdicts(village)
    row = next(airing for airing in village.airings() if airing.segment == "cds")
    assert 2 == len(row.parts)
    assert ("daemon_broken", "once") in village.faults()


def test_f15_a_player_that_cannot_live_is_a_fault(village: Village) -> None:
    """Each one ends at once: the station shows it within seconds, the rows name it, and it goes on trying."""
    until = START + timedelta(minutes=11)
    while village.clock.now() < until:
        village.live(0.25)
        for player in village.players[-1:]:
            player.kill()
        if village.clock.now() == START - timedelta(seconds=55):
            assert "fault" == village.daemon.status().state

    assert {Verdict.MISSED} == set(verdicts(village).values())
    assert all("Trình phát không chạy được" in str(row.reason) for row in village.airings())
    assert 10 < len(village.players) < 200
    village.until(local(24, 5, 41))
    assert Verdict.AIRED is village.airings()[-1].verdict
    assert ("player_down", "closed") in village.faults()


def test_an_emergency_airs_outside_the_permitted_hours_and_over_what_plays(folder: Path) -> None:
    """At night it is heard whole; in the morning it cuts what is on air, at its time."""
    village = Village(folder, now=local(23, 2))
    station = Station(code="XA", name="Đài", unit="XA", permitted=(DaySpan(start=time(5), end=time(6)),))
    village.decide(
        stations=(station,),
        segments=(village.recorded("cds", 120), village.recorded("lu", 20, programme="TIN")),
        sessions=(session(place("cds", fixed="cds")),),
        one_offs=(one_off("dem", "lu", local(23, 2, 5), priority=Priority.EMERGENCY),),
    )
    village.live(360)
    village.clock.advance(3 * 3600)
    village.until(START + timedelta(seconds=30))
    urgent = one_off("sang", "lu", START + timedelta(seconds=40), priority=Priority.EMERGENCY)
    village.decide(one_offs=(*village.decided.one_offs, urgent))
    village.until(START + timedelta(minutes=4))

    rows = {airing.slot: airing for airing in village.airings()}
    night, morning = rows["XA/oneoff/dem"], rows["XA/oneoff/sang"]
    assert (Verdict.AIRED, Verdict.AIRED) == (night.verdict, morning.verdict)
    assert (local(23, 2, 5), START + timedelta(seconds=40)) == (night.started_at, morning.started_at)
    assert Verdict.PARTIAL is rows["XA/sang/2026-11-23/cds"].verdict
    assert 1 == village.most_at_once


def test_a_relay_is_missed_and_says_why(folder: Path) -> None:
    """A source that cannot be heard is a row with an honest reason, and what follows it airs."""
    village = Village(folder)
    relay = SessionItem(id="vov", kind=ItemKind.RELAY, relay="VOV1", length_s=60)
    village.decide(segments=(village.recorded("cds", 30),), sessions=(session(relay, place("cds", fixed="cds")),))
    village.until(START + timedelta(minutes=3))

    missed, aired = village.airings()
    assert (Verdict.MISSED, Verdict.AIRED) == (missed.verdict, aired.verdict)
    assert "tiếp âm" in str(missed.reason)
