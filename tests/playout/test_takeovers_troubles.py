"""What is ordered beside the plan, in trouble: no player, no output, no room on the disk, the plan in its way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from link.door import LiveOrder
from link.orders import seal_order
from playout import glance
from schedules.airing import Verdict
from schedules.clock import ClockState, Interval
from schedules.emergency import AlertState
from schedules.grid import ItemKind, SessionItem
from schedules.planner import plan
from schedules.sources import RelaySource, SourceKind
from schedules.text import Text
from tests.playout.test_takeovers import START, asked, ordered, send, states, stopped
from tests.playout.village import REAL_KEY, Village
from tests.schedules.builders import one_off, place, session

TALK = LiveOrder(id="noi", by="Trưởng đài", limit_s=600)


@pytest.fixture
def village(tmp_path: Path) -> Iterator[Village]:
    """A station four minutes before a session that a test decides."""
    village = Village(tmp_path, now=START - timedelta(minutes=4))
    yield village
    village.journal.stop()


def tell_output(village: Village, state: str) -> None:
    """Let the player say how its output is, and hear or not hear accordingly."""
    village.hears = state == "ok"
    village.players[-1]._on_event({"event": "output", "name": "main", "state": state})


def bodies(village: Village, kind: str) -> list[dict[str, Any]]:
    """The rows of one kind."""
    return [row.body for row in village.journal.rows(kind=kind)]


def test_a_talk_is_kept_out_of_a_relay_and_ends_before_one(village: Village) -> None:
    """A relay has no file and is a planned item all the same, also while its source is dead."""
    village.decide(
        sessions=(session(SessionItem(id="vov", kind=ItemKind.RELAY, relay="VOV1", length_s=300)),),
        sources=(RelaySource(code="VOV1", name="Thời sự", kind=SourceKind.HLS, address="https://vov.example/a"),),
    )
    village.until(START - timedelta(minutes=1))
    first = asked(village, lambda: village.daemon.go_live(TALK))
    live = village.daemon.status().live
    coming = village.daemon.status().next
    village.until(START + timedelta(seconds=30))
    second = asked(village, lambda: village.daemon.go_live(replace(TALK, id="hai")))

    assert first.taken
    assert live is not None and START - timedelta(seconds=2) == live.ends_at
    assert coming is not None and "VOV1" == coming.relay
    assert not second.taken and "Thời sự" in second.why.vi


def test_an_interrupted_item_is_still_on_air_for_whoever_wants_to_talk(village: Village) -> None:
    """Between two players nothing plays, and the item comes back in a moment: no talk, no test."""
    village.decide(segments=(village.recorded("cds", 300),), sessions=(session(place("cds", programme="CDS")),))
    village.until(START + timedelta(seconds=20))
    village.answers = False
    village.players[-1].kill()
    village.live(0.5)
    talk = asked(village, lambda: village.daemon.go_live(TALK))
    test = asked(village, lambda: village.daemon.test_output("main", by="Thợ"))

    assert [False, False] == [talk.taken, test.taken]
    assert "cds" in talk.why.vi


def test_a_test_and_a_talk_without_an_output_are_given_up_and_never_come_up_later(village: Village) -> None:
    """After 20 s both are over, with their rows; when the output comes back the planned item has it for itself."""
    village.hears = False
    village.decide(segments=(village.recorded("cds", 60),), sessions=(session(place("cds", programme="CDS")),))
    village.live(1)
    assert asked(village, lambda: village.daemon.test_output("main", by="Thợ")).taken
    village.live(25)
    assert asked(village, lambda: village.daemon.go_live(TALK)).taken
    village.live(25)
    over = village.daemon.status().live
    village.until(START - timedelta(seconds=30))
    tell_output(village, "ok")
    village.until(START + timedelta(seconds=70))

    assert ["ordered", "ended"] == [row["state"] for row in bodies(village, "test")]
    assert "not_begun" == bodies(village, "test")[1]["cause"]
    assert over is None
    assert ["opened", "ended"] == [row["state"] for row in bodies(village, "live")]
    assert [Verdict.AIRED] == [row.verdict for row in village.airings()]
    assert 1 == village.most_at_once


def test_what_is_armed_at_once_ends_a_test_before_it_sounds(village: Village) -> None:
    """An airing ordered for in a moment takes the test's time: never both at once."""
    village.decide(segments=(village.recorded("cds", 60),))
    village.live(1)
    assert asked(village, lambda: village.daemon.test_output("main", by="Thợ")).taken
    village.live(3)
    village.decide(one_offs=(one_off("ngay", "cds", start=village.clock.now() + timedelta(seconds=2)),))
    village.live(70)

    (ended,) = [row for row in bodies(village, "test") if row["state"] == "ended"]
    assert "stopped" == ended["cause"]
    assert 4 * 48_000 <= ended["samples"]["main"] <= 5.5 * 48_000
    assert [Verdict.AIRED] == [row.verdict for row in village.airings()]
    assert 1 == village.most_at_once


def test_f63_ending_a_talk_that_never_began_does_not_end_the_emergency(village: Village) -> None:
    """The order takes the place of a talk that waits for its player; it is not cut and the talk does not follow it."""
    message = village.recorded("lu", 10, programme="KHAN")
    village.decide(segments=(message,))
    village.hears = False
    village.live(1)
    assert asked(village, lambda: village.daemon.go_live(TALK)).taken
    village.live(2)
    village.hears = True
    send(village, ordered(village, message))
    village.live(3)
    assert not asked(village, lambda: village.daemon.end_live("noi", by="Trưởng đài"))
    village.live(60)

    (row,) = village.airings()
    assert ("XA/emergency/lu", Verdict.AIRED, 1) == (row.slot, row.verdict, len(row.parts))


def test_f20_f63_an_emergency_that_nobody_could_hear_is_not_done(village: Village) -> None:
    """Without an output it waits for one, and then says what was not heard; the messages that were stay said."""
    message = village.recorded("lu", 10, programme="KHAN")
    village.decide(segments=(message,))
    village.hears = False
    village.live(1)
    send(village, ordered(village, message))
    village.live(120)
    assert {"lu": AlertState.RECEIVED} == states(village)
    tell_output(village, "ok")
    village.live(18)
    tell_output(village, "lost")
    village.live(60)
    half = village.daemon.status().alerts[0]
    tell_output(village, "ok")
    village.live(60)
    (done,) = village.daemon.status().alerts
    (row,) = village.airings()

    assert (AlertState.RECEIVED, 1) == (half.state, half.said)
    assert (AlertState.DONE, 3) == (done.state, done.said)
    assert Verdict.AIRED is row.verdict


def test_f63_an_order_that_expires_unheard_says_so_and_one_that_kills_every_player_is_given_up(
    village: Village,
) -> None:
    """The row of the first is missed, not late; the second does not hold the station silent for its whole hour."""
    message = village.recorded("lu", 10, programme="KHAN")
    village.decide(segments=(message,))
    village.hears = False
    village.live(1)
    order = ordered(village, message)
    send(village, replace(order, expires_at=order.issued_at + timedelta(seconds=90)))
    village.live(100)
    village.hears = True
    send(village, ordered(village, message, "doc"))
    for _ in range(12):
        village.live(3)
        village.players[-1].kill()
    village.live(60)
    rows = {row.slot.rpartition("/")[2]: row for row in village.airings()}

    assert AlertState.EXPIRED is states(village)["lu"]
    assert Verdict.MISSED is rows["lu"].verdict
    assert "chưa phát được" in rows["lu"].reason.vi
    assert AlertState.STOPPED is states(village)["doc"]
    assert Verdict.PARTIAL is rows["doc"].verdict


def test_f63_a_second_tone_makes_up_for_no_message(village: Village) -> None:
    """A player dies after the second message, and the tone that follows is counted for nothing: not aired."""
    message = village.recorded("lu", 10, programme="KHAN")
    village.decide(segments=(message,))
    village.live(1)
    order = ordered(village, message)
    send(village, order)
    village.live(35)
    village.players[-1].kill()
    village.live(8)
    send(village, stopped(village, order))
    village.live(3)
    (row,) = village.airings()

    assert Verdict.PARTIAL is row.verdict
    assert 28 <= row.seconds_aired <= 33


def test_f7_a_talk_that_a_power_cut_ended_has_its_row(village: Village) -> None:
    """What was heard of it stands in the air log as partial, with the reason, and the talk is over."""
    village.decide(segments=())
    village.live(1)
    assert asked(village, lambda: village.daemon.go_live(replace(TALK, limit_s=120))).taken
    village.live(40)
    village.crash()
    village.clock.advance(600)
    village.boot()
    village.live(2)
    village.crash()
    village.boot()
    village.live(2)
    (row,) = village.airings()

    assert ("XA/live/noi", Verdict.PARTIAL) == (row.slot, row.verdict)
    assert 38 <= row.seconds_aired <= 40.5
    assert "khởi động lại" in row.reason.vi
    assert row.ended_at is not None and row.ended_at < village.clock.now() - timedelta(minutes=9)
    assert ["opened", "begun", "ended"] == [body["state"] for body in bodies(village, "live")]
    assert village.daemon.status().live is None


def test_a_talk_that_was_ended_just_as_its_player_died_has_its_row_and_is_over(village: Village) -> None:
    """Otherwise nobody could talk until its limit, and what was heard would stand nowhere."""
    village.decide(segments=())
    village.live(1)
    assert asked(village, lambda: village.daemon.go_live(TALK)).taken
    village.live(20)
    village.answers = False
    assert asked(village, lambda: village.daemon.end_live("noi", by="Trưởng đài"))
    village.players[-1].kill()
    village.live(1)
    village.answers = True

    assert [Verdict.AIRED] == [row.verdict for row in village.airings()]
    assert village.daemon.status().live is None


def test_f36_a_talk_is_refused_where_its_pipe_cannot_be_made(village: Village) -> None:
    """A full or read-only disk is told to the person; the station goes on."""
    (village.folder / "run").write_text("", encoding="ascii")
    village.decide(segments=())
    village.live(1)
    receipt = asked(village, lambda: village.daemon.go_live(TALK))

    assert not receipt.taken and "đĩa" in receipt.why.vi
    assert village.daemon.status().live is None


def test_a_crash_between_the_end_of_an_order_and_its_row_loses_neither(village: Village) -> None:
    """The row is written after the start, with the end that the order had, not with the time of the start."""
    message = village.recorded("lu", 10, programme="KHAN")
    village.decide(segments=(message,))
    village.live(1)
    send(village, ordered(village, message))
    write = village.journal.append

    def failing(kind: str, body: dict[str, Any]) -> Any:
        if kind == "verdict":
            raise MemoryError
        return write(kind, body)

    village.journal.append = failing  # type: ignore[method-assign]
    with pytest.raises(MemoryError):
        village.live(60)
    ended = village.clock.now()
    village.crash()
    village.clock.advance(3600)
    village.boot()
    village.live(2)
    (row,) = village.airings()

    assert ("XA/emergency/lu", Verdict.AIRED) == (row.slot, row.verdict)
    assert row.ended_at is not None and abs(row.ended_at - ended) <= timedelta(seconds=3)


def test_f26_f63_a_clock_step_during_an_emergency_gives_it_no_more_of_the_plan_than_it_took(village: Village) -> None:
    """The clock goes an hour on in the middle of it; the items of the skipped hour were not replaced by the order."""
    message = village.recorded("lu", 10, programme="KHAN")
    village.decide(segments=(village.recorded("cds", 30), message), sessions=(session(place("cds", programme="CDS")),))
    village.until(START - timedelta(minutes=2))
    send(village, ordered(village, message, expires_at=village.clock.now() + timedelta(hours=9)))
    village.live(10)
    village.clock.step(3600)
    village.live(60)
    rows = {row.slot: row for row in village.airings()}
    (planned,) = [row for slot, row in rows.items() if "emergency" not in slot]

    assert Verdict.AIRED is rows["XA/emergency/lu"].verdict
    assert Verdict.MISSED is planned.verdict
    assert planned.by is None


def test_f28_an_emergency_under_an_unknown_clock_goes_on_after_the_station_failed(tmp_path: Path) -> None:
    """A station that restarts within one boot of the machine knows its orders, whatever year the clock shows."""
    unknown = ClockState(trusted=False, reason=Text("Chưa rõ giờ.", "Unknown."))
    village = Village(tmp_path)
    village.live(1)
    village.crash()
    village.clock.trusted = unknown
    village.clock.step(-50 * 365 * 86_400)
    village.boot()
    message = village.recorded("lu", 10, programme="KHAN")
    village.decide(segments=(message,))
    village.live(1)
    document = seal_order(ordered(village, message), REAL_KEY)
    assert village.daemon.emergency(document).taken
    village.live(20)
    village.crash()
    village.boot()
    village.live(40)

    assert {"lu": AlertState.DONE} == states(village)
    village.journal.stop()


def test_what_is_under_way_is_what_should_be_heard_by_the_plan(village: Village) -> None:
    """An item that is due counts though nothing plays it, one that has its row does not."""
    village.decide(segments=(village.recorded("cds", 60),), sessions=(session(place("cds", programme="CDS")),))
    village.live(1)
    facts = village.daemon._facts()
    (item,) = plan(village.decided, facts, START, Interval(START, START + timedelta(hours=1))).items
    inside = START + timedelta(seconds=30)

    assert "cds" == glance.under_way([item], set(), {}, inside)
    assert glance.under_way([item], {item.slot}, {}, inside) is None
    assert glance.under_way([item], set(), {}, START - timedelta(seconds=1)) is None
    assert glance.under_way([item], set(), {}, START + timedelta(seconds=60)) is None
