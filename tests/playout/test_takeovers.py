"""Emergencies, live talks and tests of outputs on a simulated clock: over the plan, beside it, and after a crash."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path
from typing import Any

import pytest

from link.door import LiveOrder, Receipt
from link.orders import seal_order
from schedules.airing import Verdict
from schedules.emergency import AlertState, EmergencyOrder, EmergencyStop, Urgency
from schedules.segment import Segment
from schedules.station import DaySpan, Station
from tests.playout.village import DRILL_KEY, REAL_KEY, Village
from tests.schedules.builders import local, place, session

START = local(23, 5, 30)


@pytest.fixture
def village(tmp_path: Path) -> Iterator[Village]:
    """A station with a session of ten minutes at 05:30 and an emergency recording of 10 s."""
    village = Village(tmp_path, now=START - timedelta(minutes=4))
    yield village
    village.journal.stop()


def ordered(village: Village, message: Segment, name: str = "lu", **more: Any) -> EmergencyOrder:
    """An order that is valid for an hour."""
    now = village.clock.now()
    values: dict[str, Any] = {
        "id": name,
        "stations": ("XA",),
        "segment": message.id,
        "title": message.title,
        "sha256": message.sha256,
        "pcm_sha256": message.pcm_sha256,
        "samples": message.samples,
        "issued_at": now,
        "expires_at": now + timedelta(hours=1),
        "drill": False,
        "ordered_by": "Chủ tịch",
        "confirmed_by": "Bí thư",
    }
    return EmergencyOrder(**{**values, **more})


def send(village: Village, order: EmergencyOrder | EmergencyStop) -> Receipt:
    """Sign it with the key of its kind and hand it over."""
    return village.daemon.emergency(seal_order(order, DRILL_KEY if order.drill else REAL_KEY))


def stopped(village: Village, order: EmergencyOrder) -> EmergencyStop:
    """The stop of an order."""
    return EmergencyStop(
        order=order.id,
        stations=("XA",),
        by="Bí thư",
        reason="Hết nguy hiểm",
        issued_at=village.clock.now(),
        expires_at=order.expires_at,
        drill=order.drill,
    )


def states(village: Village) -> dict[str, AlertState]:
    """Every order and where it stands, as the pages see it."""
    return {alert.order.id: alert.state for alert in village.daemon.status().alerts}


def asked(village: Village, question: Callable[[], Any]) -> Any:
    """Ask the station from another thread, as a page does, while its loop steps."""
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.append(question()))
    thread.start()
    while thread.is_alive():
        village.daemon.step(0.01)
    return answers[0]


def in_the_morning(village: Village) -> Segment:
    """Nothing is planned now, and there is an emergency recording of 10 s."""
    message = village.recorded("lu", 10, programme="KHAN")
    village.decide(segments=(message,))
    village.live(1)
    return message


def on_the_hour(village: Village, seconds: float = 600) -> Segment:
    """A session of one item at 05:30, and an emergency recording; the clock stands a minute before."""
    message = village.recorded("lu", 10, programme="KHAN")
    village.decide(
        segments=(village.recorded("cds", seconds), message), sessions=(session(place("cds", programme="CDS")),)
    )
    village.until(START - timedelta(minutes=1))
    return message


def test_f63_an_emergency_cuts_the_programme_is_said_three_times_and_the_programme_goes_on(village: Village) -> None:
    """Tone and three messages at once; the long item goes on where the clock is, and both rows say what happened."""
    message = on_the_hour(village)
    village.until(START + timedelta(minutes=2))
    assert send(village, ordered(village, message)).taken
    village.live(1)
    during = village.daemon.status()
    village.live(60)
    after = village.daemon.status()
    village.until(START + timedelta(minutes=11))
    emergency, programme = village.airings()

    assert ("emergency", AlertState.ON_AIR) == (during.state, states_of(during)["lu"])
    assert during.on_air is not None and "emergency" == during.on_air.kind
    assert ("on_air", AlertState.DONE) == (after.state, states_of(after)["lu"])
    assert (Verdict.AIRED, "XA/emergency/lu", 40.0) == (emergency.verdict, emergency.slot, emergency.seconds_aired)
    assert emergency.started_at is not None
    assert timedelta(0) <= emergency.started_at - (START + timedelta(minutes=2)) <= timedelta(seconds=0.5)
    assert programme.verdict is Verdict.PARTIAL
    assert 555 <= programme.seconds_aired <= 565
    assert 39 <= programme.holes_s <= 42
    assert 1 == village.most_at_once


def states_of(status: Any) -> dict[str, AlertState]:
    """The states in one status."""
    return {alert.order.id: alert.state for alert in status.alerts}


def test_f63_a_short_item_that_an_emergency_swallowed_names_it(village: Village) -> None:
    """What could not begin in its time was replaced, and its row names the order."""
    message = on_the_hour(village, seconds=20)
    village.until(START - timedelta(seconds=2))
    send(village, ordered(village, message, repeats=10, gap_s=20.0, tone_s=10.0))
    village.live(500)
    rows = {row.slot: row for row in village.airings()}
    (programme,) = [row for slot, row in rows.items() if "emergency" not in slot]

    assert Verdict.REPLACED is programme.verdict
    assert "XA/emergency/lu" == programme.by
    assert "khẩn cấp" in programme.reason.vi


def test_an_emergency_sounds_at_night_outside_the_hours_and_before_any_plan(village: Village) -> None:
    """Quiet hours do not hold it, and neither does a station that has no intent yet."""
    message = village.recorded("lu", 10, programme="KHAN")
    five_to_six = (DaySpan(start=time(17), end=time(18)),)
    village.decide(stations=(Station(code="XA", name="Đài", unit="XA", permitted=five_to_six),), segments=(message,))
    village.live(1)
    send(village, ordered(village, message))
    village.live(45)

    assert [Verdict.AIRED] == [row.verdict for row in village.airings()]


def test_f65_stopped_at_once_and_cancelled_before_it_came(village: Village) -> None:
    """A stop ends the sound within a step; a stop that came first keeps the order silent, and the row says who."""
    message = in_the_morning(village)
    order = ordered(village, message)
    send(village, order)
    village.live(12)
    send(village, stopped(village, order))
    village.live(0.5)
    silent_at = village.clock.now()
    second = ordered(village, message, "hai")
    send(village, stopped(village, second))
    send(village, second)
    village.live(5)
    rows = {row.slot: row for row in village.airings()}
    first, other = rows["XA/emergency/lu"], rows["XA/emergency/hai"]

    assert {"lu": AlertState.STOPPED, "hai": AlertState.CANCELLED} == states(village)
    assert (Verdict.PARTIAL, "Bí thư") == (first.verdict, first.by)
    assert first.ended_at is not None and first.ended_at <= silent_at
    assert (Verdict.CANCELLED, 0) == (other.verdict, other.samples_aired)


def test_f64_extreme_cuts_severe_which_is_said_to_its_end_afterwards(village: Village) -> None:
    """The graver one is first, one at a time; the other keeps the messages that it still owes."""
    message = in_the_morning(village)
    send(village, ordered(village, message, "mot"))
    village.live(20)
    send(village, ordered(village, message, "hai", urgency=Urgency.EXTREME, repeats=1))
    send(village, ordered(village, message, "hai", urgency=Urgency.EXTREME, repeats=1))
    village.live(2)
    during = states(village)
    village.live(60)
    rows = {row.slot: row for row in village.airings()}

    assert {"mot": AlertState.RECEIVED, "hai": AlertState.ON_AIR} == during
    assert {AlertState.DONE} == set(states(village).values())
    assert Verdict.AIRED is rows["XA/emergency/hai"].verdict is rows["XA/emergency/mot"].verdict
    assert rows["XA/emergency/mot"].ended_at > rows["XA/emergency/hai"].ended_at
    assert 1 == village.most_at_once


def test_f64_severe_waits_until_a_moderate_one_ends_its_message(village: Village) -> None:
    """The message of now is said whole, then the graver one comes, then the rest."""
    message = in_the_morning(village)
    send(village, ordered(village, message, "mot", urgency=Urgency.MODERATE))
    village.live(8)
    send(village, ordered(village, message, "hai"))
    village.live(7)
    assert {"mot": AlertState.ON_AIR, "hai": AlertState.RECEIVED} == states(village)
    village.live(5)
    assert {"mot": AlertState.RECEIVED, "hai": AlertState.ON_AIR} == states(village)
    village.live(100)

    (first,) = [alert for alert in village.daemon.status().alerts if alert.order.id == "mot"]
    assert (AlertState.DONE, 3) == (first.state, first.said)


def test_an_emergency_goes_on_after_a_crash_and_does_not_come_again_when_it_is_over(village: Village) -> None:
    """Power cut in the second message: the rest is said after the start; a third start says nothing more."""
    message = in_the_morning(village)
    send(village, ordered(village, message))
    village.live(22)
    village.crash()
    village.boot()
    village.live(2)
    assert "emergency" == village.daemon.status().state
    village.live(60)
    village.crash()
    village.boot()
    village.live(30)
    rows = [row for row in village.airings() if "emergency" in row.slot]

    assert [Verdict.AIRED] == [row.verdict for row in rows]
    assert {"lu": AlertState.DONE} == states(village)
    assert [] == [player for player in village.players if not player.dead and player.armed]


def test_a_dead_player_and_a_bad_file(village: Village) -> None:
    """A player that dies is replaced and says what is left; a file that is not the approved one is refused for good."""
    message = in_the_morning(village)
    send(village, ordered(village, message))
    village.live(18)
    village.players[-1].kill()
    village.live(60)
    village.takes = False
    send(village, ordered(village, message, "xau"))
    village.live(3)
    rows = {row.slot: row for row in village.airings()}

    assert {"lu": AlertState.DONE, "xau": AlertState.REFUSED} == states(village)
    assert Verdict.AIRED is rows["XA/emergency/lu"].verdict
    assert Verdict.MISSED is rows["XA/emergency/xau"].verdict


def test_only_the_right_key_orders_and_a_drill_says_that_it_is_one(village: Village) -> None:
    """A real order under the drill key, changed bytes and other stations are refused; a drill has a tone of its own."""
    message = in_the_morning(village)
    order = ordered(village, message)
    real = seal_order(order, REAL_KEY)
    wrong = [
        seal_order(order, DRILL_KEY),
        seal_order(replace(order, drill=True), REAL_KEY),
        real.replace(b'"repeats":3', b'"repeats":9'),
        b"{}",
        seal_order(replace(order, stations=("KHAC",)), REAL_KEY),
    ]
    assert [False] * 5 == [village.daemon.emergency(document).taken for document in wrong]
    village.live(2)
    assert {} == states(village)

    send(village, replace(order, drill=True))
    village.live(2)
    command = next(iter(village.players[-1].armed.values()))
    assert "drill" == command["pieces"][0]["tone"]
    assert "DIỄN TẬP: lu" == village.daemon.status().on_air.title


def test_f28_an_emergency_sounds_though_nothing_scheduled_may(tmp_path: Path) -> None:
    """With a clock that nobody confirms the order of the moment is obeyed, judged by its own time."""
    from schedules.clock import ClockState
    from schedules.text import Text

    village = Village(tmp_path, clock=ClockState(trusted=False, reason=Text("Chưa rõ giờ.", "Unknown.")))
    message = village.recorded("lu", 10, programme="KHAN")
    village.decide(segments=(message,))
    village.live(1)
    order = ordered(village, message)
    wrong_by = timedelta(days=20_000)
    send(village, replace(order, issued_at=order.issued_at - wrong_by, expires_at=order.expires_at - wrong_by))
    village.live(5)

    assert "lu" in village.daemon.status().on_air.title
    village.journal.stop()


def test_a_live_talk_begins_with_a_chime_and_ends_before_the_next_item(village: Village) -> None:
    """Bounded by the plan; its row is as long as it was; the voice goes through a pipe that only its user may open."""
    on_the_hour(village, seconds=60)
    order = LiveOrder(id="noi", by="Trưởng đài", limit_s=600)
    receipt = asked(village, lambda: village.daemon.go_live(order))
    village.live(2)
    status = village.daemon.status()
    pipe = village.folder / "run" / "live-noi.pcm"
    mode = pipe.stat().st_mode & 0o777
    heard = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    taken = village.daemon.live_audio("noi", b"\1\2\3")
    voice = os.read(heard, 100)
    os.close(heard)
    second = asked(village, lambda: village.daemon.go_live(replace(order, id="khac")))
    village.until(START + timedelta(seconds=90))
    talk, programme = village.airings()

    assert receipt.taken
    assert "live" == status.state and status.live is not None
    assert status.live.ends_at == START - timedelta(seconds=2)
    assert (taken, voice) == (True, b"\1\2")
    assert not village.daemon.live_audio("noi", b"\1\2")
    assert not second.taken and "Trưởng đài" in second.why.vi
    assert ("live", Verdict.AIRED) == (talk.kind, talk.verdict)
    assert 55 <= talk.seconds_aired <= 59
    assert Verdict.AIRED is programme.verdict
    assert 0o600 == mode
    assert not pipe.exists()


def test_a_talk_is_refused_where_it_does_not_fit(village: Village) -> None:
    """On air, outside the hours, too near the next item, an unknown microphone, beside an emergency: each in words."""
    message = on_the_hour(village, seconds=60)
    order = LiveOrder(id="noi", by="Trưởng đài", limit_s=600)

    def talk(**more: Any) -> Receipt:
        return asked(village, lambda: village.daemon.go_live(replace(order, **more)))

    village.until(START - timedelta(seconds=14))
    near = talk()
    village.until(START + timedelta(seconds=10))
    busy = talk()
    unknown = talk(input="khong")
    village.until(START + timedelta(seconds=70))
    send(village, ordered(village, message))
    village.live(1)
    beside = talk()
    village.live(60)
    station = Station(code="XA", name="Đài", unit="XA", permitted=(DaySpan(start=time(17), end=time(18)),))
    village.decide(stations=(station,))
    village.live(1)
    night = talk()

    assert [False] * 5 == [one.taken for one in (near, busy, unknown, beside, night)]
    assert ["giây", "cds", "micro", "khẩn cấp", "khung giờ"] == [
        word
        for word, one in zip(
            ["giây", "cds", "micro", "khẩn cấp", "khung giờ"], (near, busy, unknown, beside, night), strict=True
        )
        if word in one.why.vi
    ]


def test_a_talk_is_ended_by_a_person_by_stop_and_by_an_emergency(village: Village) -> None:
    """Each way it falls silent, has one row, and the next talk may begin."""
    message = in_the_morning(village)
    for number, how in enumerate(("end", "stop", "emergency")):
        order = LiveOrder(id=f"noi{number}", by="Trưởng đài", limit_s=120)
        assert asked(village, lambda order=order: village.daemon.go_live(order)).taken
        village.live(20)
        if how == "end":
            assert asked(village, lambda order=order: village.daemon.end_live(order.id, by="Trưởng đài"))
            assert not asked(village, lambda: village.daemon.end_live("khac", by="Trưởng đài"))
        elif how == "stop":
            assert asked(village, lambda: village.daemon.stop(by="Bí thư", reason="Ồn"))
        else:
            send(village, ordered(village, message, repeats=1))
        village.live(30)
        assert village.daemon.status().live is None
    talks = [row for row in village.airings() if row.kind == "live"]

    assert 3 == len(talks)
    assert all(19 <= row.seconds_aired <= 21 for row in talks)


def test_an_output_is_tested_with_chime_and_tone_only_when_nothing_is_near(village: Village) -> None:
    """Seven seconds on the one output, a row that says what was counted; refused on air, near an item, unknown."""
    on_the_hour(village, seconds=60)

    def test(output: str = "main") -> Receipt:
        return asked(village, lambda: village.daemon.test_output(output, by="Thợ"))

    village.until(START - timedelta(seconds=20))
    near = test()
    village.until(START + timedelta(seconds=70))
    unknown = test("khac")
    good = test()
    again = test()
    village.live(12)
    rows = [row.body for row in village.journal.rows(kind="test")]

    assert [False, False, True, False] == [one.taken for one in (near, unknown, good, again)]
    assert ["ordered", "ended"] == [row["state"] for row in rows]
    assert {"main": 7 * 48_000} == rows[1]["samples"]
    assert [] == [row for row in village.airings() if "test" in row.slot]


def test_f65_a_person_silences_everything_and_the_emergency_stays_silent(village: Village) -> None:
    """The red button ends an emergency too, with the name, and it does not come back."""
    message = in_the_morning(village)
    send(village, ordered(village, message))
    village.live(10)
    asked(village, lambda: village.daemon.stop(by="Bí thư", reason="Nhầm"))
    village.live(60)

    assert {"lu": AlertState.STOPPED} == states(village)
    (row,) = [row for row in village.airings() if "emergency" in row.slot]
    assert (Verdict.PARTIAL, "Bí thư") == (row.verdict, row.by)
    assert 9 <= row.seconds_aired <= 11
