"""Who is told what and when: the responsible ones, by day at once, at night only emergencies, never a flood."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from schedules.noticing import (
    GAP,
    LISTED,
    NAMES,
    RINGS,
    SAME_TROUBLE,
    Colleague,
    Happening,
    NoticeKind,
    Pending,
    again,
    message,
    tell_at,
    whom,
)
from schedules.text import Text

HERE = ZoneInfo("Asia/Ho_Chi_Minh")
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=HERE).astimezone(UTC)
PEOPLE = (
    Colleague(id="officer", role="operator", unit="LONGHIEP"),
    Colleague(id="leader", role="approver", unit="LONGHIEP"),
    Colleague(id="keeper", role="admin", unit="LONGHIEP"),
    Colleague(id="deputy", role="operator", unit="LONGMAI", deputy=frozenset({"LONGHIEP"})),
    Colleague(id="centre", role="centre", unit="MINHLONG"),
    Colleague(id="far", role="centre", unit="BATO"),
)


def happening(kind, **fields):
    """Return something that happened in Long Hiệp."""
    values = {"key": "k", "text": Text("Việc", "Thing"), "path": "/x", "unit": "LONGHIEP"} | fields
    return Happening(kind=kind, **values)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (NoticeKind.FAULT, ("officer", "leader", "centre")),
        (NoticeKind.SILENT, ("officer", "leader", "centre")),
        (NoticeKind.EMERGENCY, ("officer", "leader", "centre")),
        (NoticeKind.TICKET_OVERDUE, ("officer", "leader", "centre")),
        (NoticeKind.DUTY_AT_RISK, ("officer", "leader")),
        (NoticeKind.SENT_DOWN, ("officer",)),
        (NoticeKind.INBOX, ("officer",)),
        (NoticeKind.WAITING, ("leader", "deputy")),
        (NoticeKind.UNAPPROVED, ("leader", "deputy")),
        (NoticeKind.NEW_DEVICE, ()),
    ],
)
def test_the_responsible_are_told_and_nobody_else(kind, told):
    """Officer and leader of the unit, the leader's deputy for approvals, the centre above for what it must mend."""
    assert whom(happening(kind), PEOPLE, above=("MINHLONG",)) == told


def test_what_concerns_one_person_is_told_to_that_person():
    """A returned item goes to its maker, whoever is responsible for the station."""
    assert whom(happening(NoticeKind.RETURNED, people=("maker",)), PEOPLE, above=()) == ("maker",)


@pytest.mark.parametrize(
    ("kind", "at", "expected"),
    [
        (NoticeKind.FAULT, "23 12:00", "23 12:00"),
        (NoticeKind.FAULT, "23 06:00", "23 06:00"),
        (NoticeKind.FAULT, "23 20:59", "23 20:59"),
        (NoticeKind.FAULT, "23 21:00", "24 06:00"),
        (NoticeKind.FAULT, "23 05:59", "23 06:00"),
        (NoticeKind.EMERGENCY, "23 03:00", "23 03:00"),
        (NoticeKind.WAITING, "23 03:00", "23 07:30"),
        (NoticeKind.WAITING, "23 07:30", "24 07:30"),
        (NoticeKind.WAITING, "23 12:00", "24 07:30"),
    ],
)
def test_nothing_rings_at_night_but_an_emergency(kind, at, expected):
    """At once from 06:00 to 21:00 local time, the summary at 07:30, emergencies whenever they are."""

    def moment(text):
        day, clock = text.split()
        hour, minute = clock.split(":")
        return datetime(2026, 11, int(day), int(hour), int(minute), tzinfo=HERE)

    assert tell_at(kind, moment(at).astimezone(UTC), "Asia/Ho_Chi_Minh") == moment(expected)


def test_every_kind_has_a_name_and_a_loudness():
    """No kind is forgotten in a table."""
    assert set(NAMES) == set(RINGS) == set(NoticeKind)


def test_a_trouble_that_comes_back_soon_is_the_same_one():
    """A fault that comes and goes rings once; after some hours it is news again."""
    assert again(None, NOON)
    assert again(NOON - SAME_TROUBLE + timedelta(seconds=1), NOON)
    assert not again(NOON - SAME_TROUBLE, NOON)


def pending(number, kind=NoticeKind.FAULT, *, at=NOON, text="Mất điện"):
    """Return a notice that waits to be sent."""
    return Pending(id=number, kind=kind, text=Text(text, "Power is gone"), path=f"/p{number}", tell_at=at)


def test_what_is_due_goes_out_in_one_message():
    """Five of a kind are listed, the rest is counted, and what is not due yet stays."""
    many = [pending(number) for number in range(LISTED + 3)]
    later = pending(99, at=NOON + timedelta(seconds=1))
    made = message([*many, later, pending(50, NoticeKind.WAITING)], None, NOON, "https://loa.vn/")
    assert made.notices == (*range(LISTED + 3), 50)
    assert made.subject == "Loa: 9 việc cần xem, trước hết: sự cố ở đài"
    assert "Sự cố ở đài (8)" in made.text
    assert "… và 3 việc khác cùng loại." in made.text
    assert "https://loa.vn/p0" in made.text
    assert made.text.count("https://") == LISTED + 1
    assert not made.urgent


def test_one_thing_is_its_own_subject_and_several_of_a_kind_are_counted():
    """The subject says what it is about, so that a phone's lock screen is enough."""
    assert message([pending(1)], None, NOON, "").subject == "Loa: Mất điện"
    assert message([pending(1), pending(2)], None, NOON, "").subject == "Loa: 2 × sự cố ở đài"
    assert "http" not in message([pending(1)], None, NOON, "").text


def test_messages_keep_their_distance_except_urgent_ones():
    """What happens within a quarter of an hour after a message comes with the next one; an emergency does not wait."""
    assert message([], None, NOON, "") is None
    assert message([pending(1, at=NOON + timedelta(hours=1))], None, NOON, "") is None
    assert message([pending(1)], NOON - GAP + timedelta(seconds=1), NOON, "") is None
    assert message([pending(1)], NOON - GAP, NOON, "") is not None
    assert message([pending(1), pending(2, NoticeKind.EMERGENCY)], NOON, NOON, "").urgent
