"""What people do about complaints of residents: take them down, answer them, have repaired what is broken."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from sqlalchemy.orm import Session

from schedules.errors import Unknown
from schedules.station import Station
from schedules.upkeep import Trouble
from store import complaints, steps, tickets
from store.accounts import Person
from store.complaints import About, Complaint, Wish
from store.steps import Step, Subject
from store.tickets import Origin
from webui.services import services
from webui.work import no_such, require, station_of, trace

EDIT = "complaints.edit"


def visible(complaint: str, *, person: Person) -> tuple[Complaint, Station, tuple[Step, ...]]:
    """Return a complaint about a station that the person reaches. Raises Unknown for every other one."""
    with services().database.reading() as session:
        known, station = _complaint(session, complaint, person)
        return known, station, steps.of(session, Subject.COMPLAINT, complaint)


def receive(wish: Wish, *, person: Person) -> Complaint:
    """Take a complaint down; one about something broken opens a ticket, or joins it. Raises Unknown, NotAllowed."""
    here = services()
    now = here.clock.now()
    with here.database.writing() as session:
        station = station_of(session, wish.station, person)
        require(person, EDIT, station)
        if all(group.code != wish.cluster for group in station.groups):
            wish = replace(wish, cluster="")
        ticket = None
        if wish.about is About.BROKEN and wish.text.strip():
            ticket = tickets.report(
                session,
                station=station.code,
                cluster=wish.cluster,
                what=wish.text,
                place="",
                picture=None,
                phone="",
                link=None,
                now=now,
                trouble=Trouble.SILENT,
                person=person,
                origin=Origin.COMPLAINT,
            ).id
        made = complaints.receive(session, wish, ticket=ticket, person=person, now=now)
        trace(session, "complaint.receive", made.id, person, detail=station.code)
    return made


def answer(complaint: str, text: str, *, on: date, person: Person) -> None:
    """Keep the answer that was given."""
    here = services()
    with here.database.writing() as session:
        _known, station = _complaint(session, complaint, person)
        require(person, EDIT, station)
        complaints.answer(session, complaint, text, on=on, person=person, now=here.clock.now())
        trace(session, "complaint.answer", complaint, person)


def amend(complaint: str, text: str, *, person: Person) -> None:
    """Add a word after the answer."""
    here = services()
    with here.database.writing() as session:
        _known, station = _complaint(session, complaint, person)
        require(person, EDIT, station)
        complaints.amend(session, complaint, text, person=person, now=here.clock.now())
        trace(session, "complaint.amend", complaint, person)


def _complaint(session: Session, complaint: str, person: Person) -> tuple[Complaint, Station]:
    known = complaints.find(session, complaint)
    if known is None:
        raise Unknown(no_such("complaint_unknown", "Không có phản ánh này.", "There is no such complaint."))
    return known, station_of(session, known.wish.station, person)
