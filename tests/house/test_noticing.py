"""What the lookout notices: each trouble once, over when it is over, and one message for all that is due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import insert, update

from house.noticing import SILENT_AFTER, Lookout
from schedules.clock import ManualClock
from schedules.duty import Duty
from schedules.programme import Programme
from schedules.station import Station, Unit
from store import (
    accounts,
    duties,
    faults,
    happenings,
    notices,
    outgoing,
    programmes,
    segments,
    stations,
    tables,
    tables_dispatches,
    tables_notices,
    units,
)
from store.accounts import Role
from store.database import Database
from store.segments import Card

NOON = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
PASSWORD = "bốn con vịt bơi chậm"


@dataclass
class Door:
    """A station's door that only says when it was last heard of."""

    contact_at: datetime

    def status(self) -> Door:
        """Return what is known."""
        return self


class Town:
    """A commune with an officer and a leader, its centre, and a lookout."""

    def __init__(self, folder) -> None:
        self.database = Database(f"sqlite:///{folder / 'loa.db'}")
        self.database.start()
        self.clock = ManualClock(wall=NOON)
        self.door = Door(NOON)
        with self.database.writing() as session:
            units.save(session, Unit(code="MINHLONG", name="Minh Long"))
            units.save(session, Unit(code="LONGHIEP", name="Long Hiệp", parent="MINHLONG"))
            stations.save(session, Station(code="LONGHIEP", name="Đài Long Hiệp", unit="LONGHIEP"))
            programmes.save(session, Programme(code="CDS", name="Chuyển đổi số"))
            duty = Duty(
                code="CDS",
                name="Chuyển đổi số hằng tuần",
                owner="LONGHIEP",
                stations=("LONGHIEP",),
                programme="CDS",
                since=NOON - timedelta(days=30),
            )
            duties.save(session, duty, NOON)
            self.people = {
                name: accounts.create(session, name=name, role=role, unit=unit, full_name=name, now=NOON)
                for name, role, unit in (
                    ("hanh", Role.OPERATOR, "LONGHIEP"),
                    ("nghia", Role.APPROVER, "LONGHIEP"),
                    ("thu", Role.CENTRE, "MINHLONG"),
                )
            }
            session.execute(update(tables.person).values(password_hash="x"))
            session.execute(
                insert(tables_notices.channel).values(
                    id="c",
                    person=self.people["hanh"].id,
                    kind="mail",
                    address="hanh@x.vn",
                    secret="",
                    created_at=NOON,
                    code_tries=0,
                    confirmed_at=NOON,
                )
            )
        self.lookout = Lookout(
            database=self.database, clock=self.clock, doors={"LONGHIEP": self.door}, base_url="https://loa.vn"
        )

    def fault(self, seq, state):
        """Let the station write that a fault opened or closed."""
        with self.database.writing() as session:
            faults.record(
                session,
                "LONGHIEP",
                seq=seq,
                row_hash="h",
                at=self.clock.now(),
                kind="fault",
                trusted=True,
                body={"code": "output_lost", "state": state, "message": "Mất đầu ra.", "message_en": "Output lost."},
                now=self.clock.now(),
            )

    def look(self, minutes=0):
        """Let time pass and look; return how many messages were queued."""
        self.clock.advance(minutes * 60)
        return self.lookout.run()

    def told(self, name):
        """Return a person's notices."""
        with self.database.reading() as session:
            return notices.listing(session, self.people[name].id)

    def mails(self):
        """Return what was queued, newest first."""
        with self.database.reading() as session:
            return outgoing.newest(session)


@pytest.fixture
def town(tmp_path):
    """The commune."""
    made = Town(tmp_path)
    yield made
    made.database.stop()


def test_a_fault_is_told_once_to_those_who_answer_for_it(town):
    """Officer, leader and centre have it on their page; who has an address gets one mail with the link."""
    town.fault(1, "open")
    assert town.look() == 1
    assert [len(town.told(name)) for name in ("hanh", "nghia", "thu")] == [1, 1, 1]
    (mail,) = town.mails()
    assert mail.subject == "Loa: Đài Long Hiệp: Mất đầu ra."
    assert "https://loa.vn/su-co?dai=LONGHIEP" in mail.text
    assert town.look(4) == 0
    assert len(town.told("hanh")) == 1


def test_a_fault_that_comes_and_goes_does_not_ring_each_time(town):
    """Over and there again within hours: the same notice, counted, without another mail."""
    for number in range(1, 7):
        town.fault(number, "open" if number % 2 else "closed")
        town.clock.advance(20 * 60)
        town.door.contact_at = town.clock.now()
        town.look()
    (one,) = town.told("hanh")
    assert (one.times, one.over_at is not None) == (3, True)
    assert len(town.mails()) == 1


def test_a_station_that_says_nothing_is_noticed_and_its_return_too(town):
    """After five minutes without a word its people are told; when it is back the notice is over."""
    town.clock.advance(SILENT_AFTER.total_seconds() - 1)
    town.look()
    assert town.told("hanh") == ()
    town.clock.advance(1)
    town.look()
    assert town.told("thu")[0].kind.value == "silent"
    town.door.contact_at = town.clock.now()
    town.look()
    assert town.told("thu")[0].over_at == town.clock.now()


def item(town, state, segment="seg1"):
    """Put a recording of the officer into a state."""
    with town.database.writing() as session:
        card = Card(owner="LONGHIEP", station="LONGHIEP", programme="CDS", title="Bài một")
        segments.receive(
            session,
            segment=segment,
            card=card,
            uploader=town.people["hanh"],
            file_name="a.mp3",
            now=NOON,
            most_drafts=9,
        )
        session.execute(
            update(tables.segment)
            .where(tables.segment.c.id == segment)
            .values(state=state, reason_vi="Sai tên", updated_at=town.clock.now())
        )


def test_what_waits_is_for_the_leader_and_the_summary_what_came_back_for_its_maker(town):
    """A submitted item rings nobody at once; a returned one tells its maker why."""
    item(town, "submitted")
    assert town.look() == 0
    assert town.told("nghia")[0].text.vi == "Bài “Bài một” của hanh chờ duyệt."
    item(town, "returned", "seg2")
    assert town.look() == 1
    assert town.told("hanh")[0].text.vi == "Bài “Bài một” bị trả lại: Sai tên"
    assert town.told("hanh")[0].path == "/bai/seg2"


def test_a_duty_at_risk_rings_when_its_deadline_is_near_and_asks_for_the_approval_that_it_waits_for(town):
    """Less than a day before the end: officer and leader; an item of that programme that waits becomes an alarm."""
    item(town, "submitted")
    with town.database.writing() as session:
        session.execute(
            insert(tables_dispatches.duty_now).values(
                station="LONGHIEP",
                duty="CDS",
                period="2026-W48",
                state="at_risk",
                deadline=NOON + timedelta(hours=30),
                looked_at=NOON,
            )
        )
    town.look()
    assert {one.kind.value for one in (*town.told("hanh"), *town.told("nghia"))} == {"waiting"}
    town.clock.advance(7 * 3600)
    town.door.contact_at = town.clock.now()
    with town.database.writing() as session:
        session.execute(update(tables_dispatches.duty_now).values(looked_at=town.clock.now()))
    town.look()
    assert [one.kind.value for one in town.told("hanh")] == ["duty_at_risk"]
    assert {one.kind.value for one in town.told("nghia")} == {"waiting", "duty_at_risk", "unapproved"}
    assert next(one for one in town.told("nghia") if one.kind.value == "waiting").over_at is not None


def test_at_night_it_waits_for_the_morning(town):
    """A fault at ten in the evening goes out at six."""
    town.clock.advance(10 * 3600)
    town.door.contact_at = town.clock.now()
    town.fault(1, "open")
    assert town.look() == 0
    town.clock.advance(8 * 3600 - 60)
    town.door.contact_at = town.clock.now()
    assert town.look() == 0
    town.door.contact_at = town.clock.now()
    assert town.look(1) == 1


def test_what_the_store_knows_of_tickets_is_read_by_day(town):
    """Tickets past their day are found; there are none here."""
    with town.database.reading() as session:
        assert happenings.overdue(session, date(2026, 11, 23)) == ()
