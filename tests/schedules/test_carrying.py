"""What a unit above sends for its stations to air: owed like a duty, by exactly this recording."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from schedules.airing import Facts, Verdict
from schedules.carrying import MARK, Sending, carry, is_sending
from schedules.clock import Interval
from schedules.duty import DutyState, DutyWindow
from schedules.intent import Intent
from schedules.planner import plan
from schedules.rundown import Rundown
from schedules.segment import Priority
from schedules.standing import settle_duties
from schedules.station import Station, Unit
from tests.schedules.builders import intent, local, place, row, segment, session

NOW = local(23, 12)
SENT = local(23, 8)


def sending(**more: Any) -> Sending:
    """Return a must-carry item, due on Friday evening."""
    values: dict[str, Any] = {
        "id": "s1",
        "name": "Bắt buộc phát: Phòng bão",
        "owner": "HUYEN",
        "segment": "bao",
        "stations": ("XA",),
        "sent_at": SENT,
        "deadline": local(27, 20),
        "must": True,
        "document": "Công văn 12",
    }
    return Sending(**{**values, **more})


def stocked(**more: Any) -> Intent:
    """Return a station with a session of news at 17:00 and an item of the unit above in another programme."""
    values: dict[str, Any] = {
        "segments": (
            segment("tin", programme="TIN"),
            segment("bao", programme="CDS", owner="HUYEN", seconds=120),
        ),
        "sessions": (session(place("a", programme="TIN"), name="chieu", starts=(time(17),)),),
    }
    return intent(**{**values, **more})


def made(decided: Intent, facts: Facts | None = None, now: datetime = NOW) -> Rundown:
    """Return the plan of the five days that follow."""
    return plan(decided, facts or Facts(station="XA"), now, Interval(now, now + timedelta(days=5)))


def test_what_must_be_carried_has_its_place_beside_the_grid() -> None:
    """No place of the grid asks for its programme: it airs all the same, in the time of the station's session."""
    rundown = made(carry(stocked(), [sending()]))

    (item,) = [one for one in rundown.items if one.segment == "bao"]
    assert local(23, 17) <= item.start < local(23, 18)
    assert item.duty == f"{MARK}s1"
    (stood,) = rundown.duties
    assert (stood.state, stood.deadline, stood.name) == (
        DutyState.PLANNED,
        local(27, 20),
        "Bắt buộc phát: Phòng bão",
    )


def test_a_place_of_its_programme_takes_it_before_what_is_newer() -> None:
    """Where the grid has a place for the programme, the item that must air goes before the commune's own new one."""
    decided = stocked(
        segments=(segment("bao", owner="HUYEN"), segment("xa", approved_at=local(22, 8))),
        sessions=(session(place("a", programme="CDS"), name="chieu", starts=(time(17),)),),
    )
    first = {one.segment for one in made(decided).items if one.start < local(24, 0)}
    carried = [one for one in made(carry(decided, [sending()])).items if one.start < local(24, 0)]

    assert first == {"xa"}
    assert [one.segment for one in carried] == ["bao"]
    assert "nhiệm vụ “Bắt buộc phát: Phòng bão” còn thiếu" in carried[0].why.vi


def test_after_a_miss_it_is_tried_again_and_then_it_is_done() -> None:
    """A miss is made up by itself; once it aired whole nothing more is owed."""
    decided = carry(stocked(), [sending()])
    item = next(one for one in made(decided).items if one.segment == "bao")
    missed = Facts(station="XA", airings=(row(item, Verdict.MISSED),))
    again = next(one for one in made(decided, missed, item.end).items if one.segment == "bao" and one.start > item.end)
    done = Facts(
        station="XA", airings=(row(item, Verdict.MISSED), row(again, Verdict.AIRED)), aired={"bao": again.start}
    )
    (stood,) = made(decided, done, again.end).duties

    assert again.slot != item.slot
    assert (stood.state, stood.slots) == (DutyState.MADE_UP, (again.slot,))


def test_a_copy_that_the_commune_made_counts_too() -> None:
    """Airing the commune's own card of the same sound is airing it."""
    decided = carry(stocked(segments=(segment("bao", owner="HUYEN"), segment("ban"))), [sending(copies=("ban",))])
    topics = {one.id: one.topics for one in decided.segments}

    assert topics == {"bao": ("DX-DGOV", "GUI-s1"), "ban": ("DX-DGOV", "GUI-s1")}


def test_what_is_free_owes_nothing_and_may_still_go_first() -> None:
    """Free items add no duty; a priority of the sending is one of the recording, an emergency stays what it is."""
    decided = stocked(segments=(segment("bao"), segment("gap", priority=Priority.EMERGENCY), segment("c")))
    free = [
        sending(must=False, priority=Priority.PRIORITY),
        sending(id="s2", segment="gap", must=False, priority=Priority.PRIORITY),
        sending(id="s3", segment="c", must=False),
    ]
    carried = carry(decided, free)

    assert carried.duties == ()
    assert [one.priority for one in carried.segments] == [Priority.PRIORITY, Priority.EMERGENCY, Priority.NORMAL]
    assert [one.topics for one in carried.segments] == [("DX-DGOV",)] * 3


def test_stations_that_broadcast_at_other_times_owe_it_in_their_own() -> None:
    """One duty for all stations alike; a session that ended, or of another station, gives no window."""
    stations = (
        Station(code="XA", name="Đài xã", unit="XA"),
        Station(code="XB", name="Đài xã B", unit="XA"),
        Station(code="XC", name="Đài xã C", unit="XA"),
        Station(code="XD", name="Đài xã D", unit="XA"),
    )
    late = session(name="dem", starts=(time(23, 30),), weekdays=(1,))
    decided = intent(
        stations=stations,
        segments=(segment("bao", owner="HUYEN"),),
        sessions=(
            session(name="chieu", starts=(time(17),), weekdays=(2, 1)),
            session(name="cu", until=SENT),
            replace(late, station="XB"),
        ),
    )
    duties = carry(decided, [sending(stations=("XA", "XB", "XC", "XY"))]).duties

    assert [(one.code, one.stations) for one in duties] == [
        ("GUI-s1", ("XA",)),
        ("GUI-s1", ("XB",)),
        ("GUI-s1", ("XC",)),
    ]
    assert duties[0].windows == (
        DutyWindow(weekday=1, start=time(17), end=time(18)),
        DutyWindow(weekday=2, start=time(17), end=time(18)),
    )
    assert duties[1].windows == (DutyWindow(weekday=1, start=time(23, 30), end=time(0)),)
    assert duties[2].windows == ()


def test_a_deadline_at_midnight_or_after_new_year_is_the_deadline() -> None:
    """Whatever the day, the duty is due at the moment that was set, and owed once."""
    for deadline in (
        local(27, 20),
        local(28, 0),
        datetime(2027, 1, 5, 10, tzinfo=UTC),
        datetime(2026, 12, 31, 17, tzinfo=UTC),
    ):
        decided = carry(stocked(), [sending(deadline=deadline)])
        after = deadline - timedelta(hours=3)
        found = plan(decided, Facts(station="XA"), after, Interval(after, after + timedelta(days=40))).duties
        assert [one.deadline for one in found] == [deadline]
    assert date(2026, 12, 31) == (datetime(2026, 12, 31, 17, tzinfo=UTC) - timedelta(hours=7)).date()


def test_what_never_aired_is_sealed_as_missed() -> None:
    """When the deadline has passed the station seals it like every duty; no later deed turns it green."""
    decided = carry(stocked(segments=()), [sending()])
    now = local(27, 20, 30)
    facts = Facts(station="XA", since=NOW)
    (outcome,) = settle_duties(decided, facts, made(decided, facts, now), now)

    assert (outcome.duty, outcome.state) == ("GUI-s1", DutyState.MISSED)


def test_what_was_recalled_is_owed_no_more() -> None:
    """Without its sending the intent is as before."""
    decided = stocked()

    assert carry(decided, []) == decided


def test_codes_of_sendings_are_told_from_those_of_people() -> None:
    """Boards of duties leave out what has pages of its own."""
    assert is_sending("GUI-s1-2")
    assert not is_sending("CDS-XA")
    assert Unit(code="HUYEN", name="Huyện") in stocked().units
