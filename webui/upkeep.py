"""What people do about equipment: report, assign, repair, accept, urge; by right and unit, and with a trace."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy.orm import Session

from schedules.errors import Refused, Unknown
from schedules.findings import Finding, Severity
from schedules.station import GroupCode, Station, StationCode
from schedules.text import Text
from schedules.upkeep import Trouble
from store import equipment, outgoing, steps, tickets, upkeep
from store.accounts import Person, Role
from store.equipment import Device, Sheet, Spare
from store.steps import Step, Subject
from store.tickets import Repair, Ticket
from webui.addresses import absolute
from webui.services import services
from webui.work import no_such, require, station_of, trace

EDIT, ACCEPT = "equipment.edit", "tickets.accept"
_LONGEST_TEXT = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What somebody noticed. cluster: empty for the whole station; place: where, in words."""

    station: StationCode
    cluster: GroupCode
    trouble: Trouble
    what: str
    place: str
    device: str | None = None


def visible_ticket(ticket: str, *, person: Person) -> tuple[Ticket, Station, tuple[Step, ...]]:
    """Return a ticket of a station that the person reaches, with its steps. Raises Unknown for every other one."""
    with services().database.reading() as session:
        known, station = _ticket(session, ticket, person)
        return known, station, steps.of(session, Subject.TICKET, known.id)


def report(wanted: Report, *, picture: str | None, person: Person) -> Ticket:
    """Open a ticket, or join the one that is open for the same loudspeaker. Raises Unknown, NotAllowed, Refused."""
    here = services()
    with here.database.writing() as session:
        station = station_of(session, wanted.station, person)
        require(person, EDIT, station)
        _known_cluster(station, wanted.cluster)
        _known_device(session, station, wanted.device)
        ticket = tickets.report(
            session,
            station=station.code,
            cluster=wanted.cluster,
            what=wanted.what,
            place=wanted.place,
            picture=picture,
            phone="",
            link=None,
            now=here.clock.now(),
            trouble=wanted.trouble,
            person=person,
            device=wanted.device,
        )
        trace(session, "ticket.report", ticket.id, person, detail=f"{station.code} {wanted.cluster}")
    return ticket


def assign(ticket: str, *, assignee: str, repairer: str, due: date, text: str, person: Person) -> None:
    """Give a ticket to somebody of the station's unit or above who has an account, or to a repairer by name."""

    def act(session: Session, station: Station, now: datetime) -> str:
        somebody = None
        if assignee:
            somebody = next((one for one in repairers(session, station) if one.id == assignee), None)
            if somebody is None:
                raise Refused(wrong("assignee", "Không giao được cho người này.", "They cannot be given it."))
        tickets.assign(
            session, ticket, repairer=repairer, assignee=somebody, due=due, text=text, person=person, now=now
        )
        if somebody is not None and somebody.id != person.id:
            _tell(session, station, ticket, (somebody,), "ticket.assigned", text, now)
        return somebody.id if somebody is not None else repairer

    _act(ticket, EDIT, "ticket.assign", act, person)


def repaired(ticket: str, repair: Repair, *, picture: str | None, person: Person) -> None:
    """Say that it is repaired; somebody else accepts it."""

    def act(session: Session, station: Station, now: datetime) -> str:
        tickets.repaired(session, ticket, repair, picture=picture, person=person, now=now)
        leaders = upkeep.people_of(session, (station.unit,), (Role.APPROVER,))
        _tell(
            session,
            station,
            ticket,
            [one for one in leaders if one.id != person.id],
            "ticket.repaired",
            repair.done,
            now,
        )
        return repair.by

    _act(ticket, EDIT, "ticket.repaired", act, person)


def accept(ticket: str, *, text: str, picture: str | None, person: Person) -> None:
    """Close it after the repair was tried and heard. Raises NotAllowed for whoever repaired it."""

    def act(session: Session, station: Station, now: datetime) -> str:
        tickets.accept(session, ticket, text=text, picture=picture, person=person, now=now)
        return ""

    _act(ticket, ACCEPT, "ticket.accept", act, person)


def send_back(ticket: str, *, text: str, person: Person) -> None:
    """Refuse the repair with a reason."""

    def act(session: Session, station: Station, now: datetime) -> str:
        tickets.send_back(session, ticket, text=text, person=person, now=now)
        return text

    _act(ticket, ACCEPT, "ticket.return", act, person)


def reopen(ticket: str, *, text: str, person: Person) -> None:
    """Open an accepted ticket again: the fault is back."""

    def act(session: Session, station: Station, now: datetime) -> str:
        tickets.reopen(session, ticket, text=text, person=person, now=now)
        return text

    _act(ticket, EDIT, "ticket.reopen", act, person)


def remark(ticket: str, *, text: str, picture: str | None, person: Person) -> None:
    """Add a word or a photo to a ticket."""

    def act(session: Session, station: Station, now: datetime) -> str:
        tickets.remark(session, ticket, text=text, picture=picture, person=person, now=now)
        return ""

    _act(ticket, EDIT, "ticket.remark", act, person)


def urged(session: Session, station: Station) -> tuple[Person, ...]:
    """Return whom urging a station reaches: the officers and leaders of its unit."""
    return upkeep.people_of(session, (station.unit,), (Role.OPERATOR, Role.APPROVER))


def urge(ticket: str, *, text: str, person: Person) -> int:
    """Urge the commune to repair, by message to its officers and leaders; returns how many people it goes to."""
    words = text.strip()[:_LONGEST_TEXT]
    if not words:
        raise Refused(wrong("text", "Hãy ghi nội dung đôn đốc. Chưa gửi gì.", "Write what to say. Nothing was sent."))
    reached = 0

    def act(session: Session, station: Station, now: datetime) -> str:
        nonlocal reached
        people = [one for one in urged(session, station) if one.id != person.id]
        reached = len(people)
        tickets.urge(session, ticket, text=words, to=[one.full_name for one in people], person=person, now=now)
        _tell(session, station, ticket, people, "ticket.urged", words, now)
        return f"{reached}"

    _act(ticket, ACCEPT, "ticket.urge", act, person)
    return reached


def repairers(session: Session, station: Station) -> tuple[Person, ...]:
    """Return those with accounts who may be given a ticket of the station: its officers, leaders and administrators."""
    return upkeep.people_of(session, (station.unit,), (Role.OPERATOR, Role.APPROVER, Role.ADMIN))


def visible_device(device: str, *, person: Person) -> tuple[Device, Station]:
    """Return a device of a station that the person reaches. Raises Unknown for every other one."""
    with services().database.reading() as session:
        return _device(session, device, person)


def add_device(sheet: Sheet, *, person: Person) -> Device:
    """Enter a device. Raises Unknown, NotAllowed, Conflict."""
    here = services()
    with here.database.writing() as session:
        station = station_of(session, sheet.station, person)
        require(person, EDIT, station)
        _known_cluster(station, sheet.cluster)
        device = equipment.add(session, sheet, person=person, now=here.clock.now())
        trace(session, "device.add", device.id, person, detail=f"{sheet.station} {sheet.code}")
    return device


def change_device(device: str, sheet: Sheet, *, revision: int, person: Person) -> bool:
    """Write what a device is now; what it was stays in its record. False where nothing differs."""
    here = services()
    with here.database.writing() as session:
        _known, station = _device(session, device, person)
        require(person, EDIT, station)
        _known_cluster(station, sheet.cluster)
        done = equipment.change(
            session,
            device,
            replace(sheet, station=station.code),
            revision=revision,
            person=person,
            now=here.clock.now(),
        )
        if done:
            trace(session, "device.change", device, person, detail=f"{station.code} {sheet.code}")
    return done


def import_devices(sheets: Sequence[Sheet], *, person: Person) -> tuple[int, int]:
    """Enter or change all of these devices by their codes, or none; returns how many are new and how many changed."""
    here = services()
    now = here.clock.now()
    added = written = 0
    with here.database.writing() as session:
        for code in sorted({sheet.station for sheet in sheets}):
            station = station_of(session, code, person)
            require(person, EDIT, station)
            known = equipment.by_code(session, code)
            for sheet in (one for one in sheets if one.station == code):
                _known_cluster(station, sheet.cluster)
                before = known.get(sheet.code)
                if before is None:
                    equipment.add(session, sheet, person=person, now=now)
                    added += 1
                elif equipment.change(session, before.id, sheet, revision=before.revision, person=person, now=now):
                    written += 1
        trace(session, "device.import", person.unit, person, detail=f"{added} new, {written} changed")
    return added, written


def keep_spare(spare: Spare, *, text: str, person: Person) -> None:
    """Enter a spare part or how many there are now. Raises Unknown, NotAllowed."""
    here = services()
    with here.database.writing() as session:
        if spare.id:
            known = equipment.find_spare(session, spare.id)
            if known is None:
                raise Unknown(no_such("spare_unknown", "Không có vật tư này.", "There is no such spare part."))
            spare = replace(spare, station=known.station)
        station = station_of(session, spare.station, person)
        require(person, EDIT, station)
        kept = equipment.keep_spare(session, spare, text=text[:500], person=person, now=here.clock.now())
        trace(session, "spare.keep", kept.id, person, detail=f"{station.code} {spare.quantity}")


def _act(
    ticket: str, permission: str, what: str, act: Callable[[Session, Station, datetime], str], person: Person
) -> None:
    here = services()
    with here.database.writing() as session:
        _known, station = _ticket(session, ticket, person)
        require(person, permission, station)
        detail = act(session, station, here.clock.now())
        trace(session, what, ticket, person, detail=detail)


def _ticket(session: Session, ticket: str, person: Person) -> tuple[Ticket, Station]:
    known = tickets.find(session, ticket)
    if known is None:
        raise Unknown(no_such("ticket_unknown", "Không có phiếu này.", "There is no such ticket."))
    return known, station_of(session, known.station, person)


def _device(session: Session, device: str, person: Person) -> tuple[Device, Station]:
    known = equipment.find(session, device)
    if known is None:
        raise Unknown(no_such("device_unknown", "Không có thiết bị này.", "There is no such device."))
    return known, station_of(session, known.sheet.station, person)


def _known_cluster(station: Station, cluster: GroupCode) -> None:
    if cluster and all(group.code != cluster for group in station.groups):
        raise Refused(wrong("cluster", "Đài không có cụm loa này.", "The station has no such cluster."))


def _known_device(session: Session, station: Station, device: str | None) -> None:
    if device is None:
        return
    known = equipment.find(session, device)
    if known is None or known.sheet.station != station.code:
        raise Refused(wrong("device", "Đài không có thiết bị này.", "The station has no such device."))


_SUBJECTS = {
    "ticket.assigned": "Giao sửa",
    "ticket.repaired": "Chờ nghiệm thu",
    "ticket.urged": "Đôn đốc sửa chữa",
}


def _tell(
    session: Session, station: Station, ticket: str, people: Sequence[Person], kind: str, text: str, now: datetime
) -> None:
    known = tickets.find(session, ticket)
    if known is None or not people:
        return
    outgoing.queue(
        session,
        to=[one.id for one in people],
        subject=f"{_SUBJECTS[kind]}: {known.name}, {station.name}",
        text=f"{text or known.what}\n\n{absolute('pages.ticket', ticket=known.id)}",
        kind=kind,
        now=now,
        urgent=kind == "ticket.urged",
    )


def wrong(where: str, vi: str, en: str) -> Finding:
    """Return what is wrong with one field of a form."""
    return Finding(code=f"{where}_wrong", severity=Severity.ERROR, where=where, message=Text(vi, en))
