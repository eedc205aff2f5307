"""What people do about inspections: begin rounds, look item by item, close the minutes; what is broken is ticketed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from sqlalchemy.orm import Session

from schedules.checklist import CLUSTER, EVERY, OWN, Result, is_equipment
from schedules.errors import Refused, Unknown
from schedules.station import Station, StationCode
from schedules.upkeep import Trouble
from store import inspections, tickets
from store.accounts import Person
from store.inspections import Found, Inspection, Round
from store.tickets import Origin
from webui.rights import reach
from webui.services import services
from webui.upkeep import wrong
from webui.work import no_such, require, station_of, trace

ROUNDS, OWN_CHECKS = "inspections.write", "equipment.edit"
_MOST_DAYS = 400


def open_round(
    *,
    name: str,
    document: str,
    first: date,
    last: date,
    items: Collection[str],
    stations: Sequence[StationCode],
    person: Person,
) -> str:
    """Begin a round over these stations of the person's. Raises Unknown, NotAllowed, Refused."""
    if not name:
        raise Refused(wrong("name", "Hãy đặt tên đợt kiểm tra.", "Name the round."))
    if not 0 <= (last - first).days <= _MOST_DAYS:
        raise Refused(wrong("last", "Ngày kết thúc phải sau ngày bắt đầu.", "It ends after it begins."))
    chosen = [code for code in EVERY if code in items]
    if not chosen or not stations:
        raise Refused(wrong("items", "Hãy chọn nội dung và đài.", "Choose items and stations."))
    here = services()
    with here.database.writing() as session:
        require(person, ROUNDS, person.unit)
        every = [station_of(session, code, person) for code in stations]
        made = inspections.open_round(
            session,
            unit=person.unit,
            name=name,
            document=document,
            first=first,
            last=last,
            items=chosen,
            stations=every,
            person=person,
            now=here.clock.now(),
        )
        trace(session, "inspection.round", made, person, detail=f"{len(every)} stations")
    return made


def open_own(station: StationCode, *, person: Person) -> str:
    """Begin the commune's own check, or go on with the one that is open."""
    here = services()
    with here.database.writing() as session:
        where = station_of(session, station, person)
        require(person, OWN_CHECKS, where)
        made = inspections.open_own(session, where, [item.code for item in OWN], person=person, now=here.clock.now())
        trace(session, "inspection.own", made, person, detail=station)
    return made


def visible(inspection: str, *, person: Person) -> tuple[Inspection, Station, Round | None]:
    """Return an inspection of a station that the person reaches. Raises Unknown for every other one."""
    with services().database.reading() as session:
        known, station = _inspection(session, inspection, person)
        return known, station, inspections.find_round(session, known.round) if known.round else None


def visible_round(round: str, *, person: Person) -> Round:
    """Return a round of a unit that the person reaches, or one that holds a station of theirs. Raises Unknown."""
    with services().database.reading() as session:
        known = inspections.find_round(session, round)
        if known is not None and (known.unit in reach(person) or inspections.concerns(session, round, reach(person))):
            return known
    raise Unknown(no_such("round_unknown", "Không có đợt kiểm tra này.", "There is no such round."))


def save(
    inspection: str,
    *,
    found: Mapping[str, Found],
    day: date | None,
    present: str,
    conclusion: str,
    next_on: date | None,
    finish: bool,
    person: Person,
) -> int:
    """Write what was found, and close the minutes where `finish`; returns how many tickets that opened or joined.

    Raises Unknown, NotAllowed, Conflict once they are closed.
    """
    here = services()
    now = here.clock.now()
    opened = 0
    with here.database.writing() as session:
        known, station = _inspection(session, inspection, person)
        require(person, permission(known), station)
        for item, one in found.items():
            inspections.note(session, inspection, item, one)
        inspections.write(
            session,
            inspection,
            day=day,
            present=present,
            conclusion=conclusion,
            next_on=next_on,
            person=person,
        )
        if finish:
            opened = _finish(session, inspection, station, day, person, now)
        trace(session, "inspection.done" if finish else "inspection.save", inspection, person, detail=station.code)
    return opened


def permission(inspection: Inspection) -> str:
    """Return who may write it: the tier above for a round, the commune for its own check."""
    return ROUNDS if inspection.round is not None else OWN_CHECKS


def close_round(round: str, *, person: Person) -> None:
    """End a round; what was not inspected stays so."""
    here = services()
    with here.database.writing() as session:
        known = inspections.find_round(session, round)
        if known is None or known.unit not in reach(person):
            raise Unknown(no_such("round_unknown", "Không có đợt kiểm tra này.", "There is no such round."))
        require(person, ROUNDS, known.unit)
        inspections.close_round(session, round, here.clock.now())
        trace(session, "inspection.close", round, person)


def _finish(
    session: Session, inspection: str, station: Station, day: date | None, person: Person, now: datetime
) -> int:
    known = inspections.find(session, inspection)
    assert known is not None
    if day is None:
        raise Refused(wrong("day", "Hãy ghi ngày kiểm tra trước khi chốt.", "Enter the day before you close."))
    if not any(one.result is not Result.UNSEEN for one in known.found.values()):
        raise Refused(wrong("items", "Chưa xem mục nào nên chưa chốt được.", "Nothing was looked at yet."))
    opened = 0
    for item, one in known.found.items():
        if one.result is not Result.NOT or one.ticket is not None or not is_equipment(item):
            continue
        cluster = item.removeprefix(CLUSTER) if item.startswith(CLUSTER) else ""
        said = "" if cluster else EVERY[item].words.vi
        ticket = tickets.report(
            session,
            station=station.code,
            cluster=cluster,
            what=": ".join(part for part in (said, one.remark) if part),
            # Each item of the list is a thing of its own, though nobody knows its cluster.
            place=said,
            picture=one.picture,
            phone="",
            link=None,
            now=now,
            trouble=Trouble.SILENT if cluster else Trouble.MACHINE,
            person=person,
            origin=Origin.INSPECTION,
        )
        inspections.note(session, inspection, item, replace(one, ticket=ticket.id))
        opened += 1
    inspections.finish(session, inspection, person=person, now=now)
    return opened


def _inspection(session: Session, inspection: str, person: Person) -> tuple[Inspection, Station]:
    known = inspections.find(session, inspection)
    if known is None:
        raise Unknown(no_such("inspection_unknown", "Không có biên bản này.", "There are no such minutes."))
    return known, station_of(session, known.station, person)
