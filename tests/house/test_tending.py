"""Equipment is tended: faults that last become tickets, those that end say so, and the tiers above are told in turn."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest

from house.tending import Tender, clusters_of, in_service, reminder_due
from schedules.clock import ManualClock
from schedules.station import ClusterGroup, Station, Unit
from schedules.upkeep import UpkeepRules
from store import accounts, faults, stations, steps, tables_notices, tickets, units
from store.accounts import Role
from store.database import Database
from store.steps import Subject
from store.tickets import Which

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


@dataclass
class Door:
    """A station that was heard of at `contact`."""

    contact: datetime

    def status(self):
        """Return how it is."""
        return SimpleNamespace(contact_at=self.contact)


class Farm:
    """One station with two clusters under two tiers, and its tender."""

    def __init__(self, path, template=None) -> None:
        if template is not None:
            shutil.copy(template, path / "loa.db")
        self.database = Database(f"sqlite:///{path / 'loa.db'}")
        self.database.start()
        self.clock = ManualClock(wall=NOW)
        self.door = Door(NOW)
        if template is None:
            self._fill()
        with self.database.reading() as session:
            self.people = {one.person.name: one.person for one in accounts.every(session)}
        self.tender = Tender(
            database=self.database,
            clock=self.clock,
            doors={"XA": self.door},
            clusters={("XA", "loa1"): "GOTRANH"},
            demo=False,
        )
        self.seq = 0

    def _fill(self) -> None:
        groups = (ClusterGroup(code="GOTRANH", name="Gò Tranh"), ClusterGroup(code="HALIET", name="Hà Liệt"))
        with self.database.writing() as session:
            for code, parent in (("TINH", None), ("HUYEN", "TINH"), ("XA", "HUYEN")):
                units.save(session, Unit(code=code, name=f"Đơn vị {code}", parent=parent))
            stations.save(session, Station(code="XA", name="Đài xã", unit="XA", groups=groups))
            for name, role, unit in (
                ("officer", Role.OPERATOR, "XA"),
                ("leader", Role.APPROVER, "XA"),
                ("centre", Role.CENTRE, "HUYEN"),
            ):
                accounts.create(session, name=name, role=role, unit=unit, full_name=name, now=NOW)

    def fault(self, code: str, state: str, *, at: datetime | None = None) -> None:
        """Write a row of the register of faults, now."""
        self.seq += 1
        body = {"code": code, "state": state, "message": f"Sự cố {code}", "message_en": code}
        with self.database.writing() as session:
            faults.record(
                session,
                "XA",
                seq=self.seq,
                row_hash="0" * 64,
                at=at or self.clock.now(),
                kind="fault",
                trusted=True,
                body=body,
                now=self.clock.now(),
            )

    def later(self, **span: float) -> None:
        """Let time go on, with the station heard of all the while, and tend."""
        self.clock.advance(timedelta(**span).total_seconds())
        self.door.contact = self.clock.now()
        self.tender.run()

    def tickets(self, which: Which | None = None):
        """Return the tickets of the station."""
        with self.database.reading() as session:
            return tickets.listing(session, stations=("XA",), which=which, today=self.clock.now().date())

    def story(self, ticket) -> list[str]:
        """Return what happened to a ticket, step by step."""
        with self.database.reading() as session:
            return [step.what for step in steps.of(session, Subject.TICKET, ticket.id)]

    def repair(self, ticket) -> None:
        """Have it repaired by one and accepted by another."""
        now = self.clock.now()
        with self.database.writing() as session:
            repair = tickets.Repair(by="", done="Đã sửa")
            tickets.repaired(session, ticket.id, repair, picture=None, person=self.people["officer"], now=now)
            tickets.accept(session, ticket.id, text="", picture=None, person=self.people["leader"], now=now)


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """Make the database once; every test gets a copy."""
    folder = tmp_path_factory.mktemp("farm")
    farm = Farm(folder)
    farm.database.copy(folder / "copy.db")
    farm.database.stop()
    return folder / "copy.db"


@pytest.fixture
def farm(tmp_path, template):
    """A fresh one."""
    farm = Farm(tmp_path, template)
    yield farm
    farm.database.stop()


def test_a_fault_that_lasts_opens_one_ticket(farm):
    """A minute opens none, six open one for the output's cluster, and looking again opens no other."""
    farm.fault("output_loa1", "open")
    farm.later(minutes=1)
    assert farm.tickets() == ()
    farm.later(minutes=5)
    farm.later(minutes=5)

    (ticket,) = farm.tickets()
    assert (ticket.cluster, ticket.silent_now, ticket.silent_since) == ("GOTRANH", True, NOW)
    assert farm.story(ticket) == ["opened"]


def test_what_recovers_says_so_and_what_comes_back_joins(farm):
    """The end is noted once; a new fault of the same kind joins the ticket that nobody has accepted."""
    farm.fault("output_loa1", "open")
    farm.later(minutes=6)
    farm.fault("output_loa1", "closed")
    farm.later(minutes=1)
    farm.later(minutes=1)
    (ticket,) = farm.tickets()
    assert (ticket.silent_now, farm.story(ticket)) == (False, ["opened", "recovered"])
    farm.fault("output_loa1", "open")
    farm.later(minutes=6)

    (again,) = farm.tickets()
    assert (again.silent_now, farm.story(again)) == (True, ["opened", "recovered", "fault"])


def test_a_fault_that_comes_back_after_acceptance_opens_its_ticket_again(farm):
    """Within two weeks it is the same ticket; later it is a new one."""
    farm.fault("amplifier_loa1", "open")
    farm.later(minutes=6)
    farm.fault("amplifier_loa1", "closed")
    farm.later(minutes=1)
    (ticket,) = farm.tickets()
    farm.repair(ticket)
    farm.later(days=3)
    farm.fault("amplifier_loa1", "open")
    farm.later(minutes=6)
    (again,) = farm.tickets(Which.OPEN)
    assert (again.id, again.reopened) == (ticket.id, 1)
    farm.fault("amplifier_loa1", "closed")
    farm.later(minutes=1)
    farm.repair(again)
    farm.later(days=30)
    farm.fault("amplifier_loa1", "open")
    farm.later(minutes=6)

    (new,) = farm.tickets(Which.OPEN)
    assert new.id != ticket.id


def test_who_accepts_against_the_measurement_has_it_back_in_an_hour(farm):
    """A fault that still lasts an hour after acceptance opens the ticket again."""
    farm.fault("output_loa1", "open")
    farm.later(minutes=6)
    (ticket,) = farm.tickets()
    farm.repair(ticket)
    farm.later(minutes=30)
    assert farm.tickets(Which.OPEN) == ()
    farm.later(minutes=31)

    assert [one.id for one in farm.tickets(Which.OPEN)] == [ticket.id]


def test_a_foreign_voice_is_looked_into_though_it_is_over(farm):
    """It lasted five seconds between two looks, and has its ticket, once."""
    farm.fault("ear_foreign_loa1", "open")
    farm.fault("ear_foreign_loa1", "closed", at=NOW + timedelta(seconds=5))
    farm.later(minutes=1)
    farm.later(minutes=1)

    (ticket,) = farm.tickets()
    assert (ticket.trouble.value, ticket.silent, farm.story(ticket)) == ("foreign", False, ["opened", "recovered"])


def test_a_report_of_people_and_the_fault_are_one_ticket(farm):
    """The system joins what a villager reported of that cluster; its own recovery does not end theirs."""
    with farm.database.writing() as session:
        ticket = tickets.report(
            session,
            station="XA",
            cluster="GOTRANH",
            what="Không kêu",
            place="",
            picture=None,
            phone="",
            link="a",
            now=NOW,
        )
    farm.fault("output_loa1", "open")
    farm.later(minutes=6)
    farm.fault("output_loa1", "closed")
    farm.later(minutes=1)

    (known,) = farm.tickets()
    assert (known.id, known.silent_now) == (ticket.id, True)
    assert farm.story(known) == ["opened", "fault", "recovered"]


def test_a_station_that_is_not_heard_of_has_a_ticket(farm):
    """After an hour without contact, once, and its return is noted."""
    farm.clock.advance(59 * 60)
    farm.tender.run()
    assert farm.tickets() == ()
    farm.clock.advance(2 * 60)
    farm.tender.run()
    farm.tender.run()
    (ticket,) = farm.tickets()
    assert (ticket.fault_code, ticket.cluster) == ("no_contact", "")
    farm.later(minutes=1)

    assert farm.story(ticket) == ["opened", "recovered"]


def test_the_tiers_above_are_told_in_turn_and_once(farm):
    """After five days the centre, after ten the tier above it, and then nobody is left."""
    farm.fault("output_loa1", "open")
    farm.later(minutes=6)
    (ticket,) = farm.tickets()
    for days in (4, 1, 1, 4, 1, 6, 6):
        farm.later(days=days)
        farm.later(minutes=1)

    (known,) = farm.tickets()
    assert (known.tiers, farm.story(ticket).count("escalated")) == (2, 2)
    with farm.database.reading() as session:
        told = session.execute(tables_notices.outgoing.select()).all()
    assert len(told) == 1, "the province has nobody to write to"
    assert told[0].subject.startswith("Chưa khắc phục sau 5 ngày: PBH-0001")


def test_checks_are_reminded_of_and_phones_forgotten(farm):
    """Mondays where there never was a check; numbers go after their days."""
    with farm.database.writing() as session:
        ticket = tickets.report(
            session,
            station="XA",
            cluster="",
            what="Rơi loa",
            place="Cổng chợ",
            picture=None,
            phone="0905",
            link="a",
            now=NOW,
        )
    farm.tender.daily()
    with farm.database.reading() as session:
        subjects = [row.subject for row in session.execute(tables_notices.outgoing.select())]
        assert subjects == ["Đến kỳ tự kiểm tra thiết bị: Đài xã"]
        assert steps.of(session, Subject.TICKET, ticket.id)[0].phone == "0905"
    farm.clock.advance(91 * 86_400)
    farm.tender.daily()

    with farm.database.reading() as session:
        assert steps.of(session, Subject.TICKET, ticket.id)[0].phone == ""


def test_a_reminder_comes_on_its_day_and_weekly():
    """Not before it is due, then every seven days."""
    rules = UpkeepRules(check_days=30)
    last = date(2026, 11, 1)
    due = [day for day in range(1, 31) if reminder_due(last, rules, date(2026, 12, day))]

    assert due == [1, 8, 15, 22, 29]
    assert not reminder_due(None, rules, date(2026, 11, 24))


def test_a_station_out_of_service_is_left_alone():
    """Before its first day and after its last one."""
    station = Station(code="XA", name="Đài", unit="XA", valid_from=date(2026, 1, 1))

    assert in_service(station, date(2026, 1, 1))
    assert not in_service(station, date(2025, 12, 31))
    assert not in_service(replace(station, valid_until=date(2026, 6, 30)), date(2026, 7, 1))


def test_an_output_of_several_clusters_names_none():
    """Only where the output is one cluster's is the cluster known."""
    outputs = (SimpleNamespace(name="a", groups=("X",)), SimpleNamespace(name="b", groups=("X", "Y")))

    assert clusters_of([SimpleNamespace(code="XA", outputs=outputs)]) == {("XA", "a"): "X"}
