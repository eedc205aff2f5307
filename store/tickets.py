"""Fault tickets: opened by the system, staff or anyone with a link, and open until somebody else accepts the repair."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, and_, func, insert, or_, select, update
from sqlalchemy.orm import Session

from schedules.errors import Refused
from schedules.findings import Finding, Severity
from schedules.station import GroupCode, StationCode
from schedules.text import Text
from schedules.upkeep import TicketState, Trouble, UpkeepRules
from store import steps, tables_equipment, upkeep
from store.accounts import Person
from store.identity import new_id
from store.steps import Subject

_TABLE = tables_equipment.ticket
_STEPS = tables_equipment.step
MOST_REPORTS = 50
"""Reports of one trouble that are kept one by one; later ones are only counted."""

_LONGEST_TEXT = 1000


class Origin(StrEnum):
    """Who noticed."""

    SYSTEM = "system"
    STAFF = "staff"
    LINK = "link"
    INSPECTION = "inspection"
    COMPLAINT = "complaint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One ticket. cluster: a group of the station, empty for all of it. silent: nobody hears the loudspeakers there.

    silent_since, silent_until: that stretch; it lasts where there is no end. reports: how often it was reported.
    repairer: who repairs it, by name, also where that is a person with an account (`assignee`). tiers: how many tiers
    above it were told. opened_at: of its first opening, however often it came back.
    """

    id: str
    number: int
    station: StationCode
    cluster: GroupCode
    device: str | None
    trouble: Trouble
    what: str
    place: str
    origin: Origin
    fault_code: str
    fault_seq: int
    silent: bool
    silent_since: datetime | None
    silent_until: datetime | None
    state: TicketState
    reports: int
    opened_at: datetime
    opened_by: str | None
    assignee: str | None
    repairer: str
    due: date | None
    assigned_at: datetime | None
    repaired_at: datetime | None
    repaired_by: str | None
    accepted_at: datetime | None
    accepted_by: str | None
    returned: int
    reopened: int
    urged: int
    urged_at: datetime | None
    tiers: int
    told_at: datetime | None

    @property
    def open(self) -> bool:
        """Whether it is not accepted yet."""
        return self.state is not TicketState.ACCEPTED

    @property
    def name(self) -> str:
        """The number as it is written: `PBH-0112`."""
        return f"PBH-{self.number:04d}"

    @property
    def silent_now(self) -> bool:
        """Whether nobody hears the loudspeakers there now, as far as is known."""
        return self.silent and self.silent_since is not None and self.silent_until is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """What was done. by: who did it, by name. cost: in đồng, None where nobody said."""

    by: str
    done: str
    parts: str = ""
    cost: int | None = None


def report(
    session: Session,
    *,
    station: StationCode,
    cluster: GroupCode,
    what: str,
    place: str,
    picture: str | None,
    phone: str,
    link: str | None,
    now: datetime,
    trouble: Trouble = Trouble.SILENT,
    person: Person | None = None,
    name: str = "",
    device: str | None = None,
) -> Ticket:
    """Open a ticket, or join the one that is open for the same loudspeaker; one that came back soon is opened again.

    what, place: in the words of who reports. picture: SHA-256 of a photo already drawn anew. link: the id of the link
    that was used, None where `person` reports. name: of somebody without an account. The caller has checked station
    and cluster. Raises Refused where nothing is said.
    """
    what, place = _words(what)[:_LONGEST_TEXT], " ".join(place.split())[:200]
    if not what and trouble is Trouble.OTHER:
        raise Refused(_nothing_said())
    origin = Origin.STAFF if person is not None else Origin.LINK
    known = _same(session, station, cluster, place, now=now, rules=upkeep.rules(session))
    who: dict[str, Any] = {"at": now, "person": person, "name": " ".join(name.split()), "picture": picture}
    more = {"text": what, "phone": " ".join(phone.split()), "details": _said(trouble, place, link)}
    if known is not None:
        _join(session, known, trouble, now=now, who=who, more=more)
        return _required(session, known.id)
    return _open(
        session,
        station=station,
        cluster=cluster,
        device=device,
        trouble=trouble,
        what=what,
        place=place,
        origin=origin,
        silent=trouble is Trouble.SILENT,
        now=now,
        who=who,
        more=more,
    )


def find(session: Session, ticket: str) -> Ticket | None:
    """Return the ticket, or None."""
    row = session.execute(select(_TABLE).where(_TABLE.c.id == ticket)).one_or_none()
    return None if row is None else _ticket(row)


def _same(
    session: Session, station: StationCode, cluster: GroupCode, place: str, *, now: datetime, rules: UpkeepRules
) -> Ticket | None:
    """Return the ticket of the same loudspeaker: an open one, else one whose repair has not lasted."""
    key = folded(place)
    where = [_TABLE.c.station == station, _TABLE.c.cluster == cluster]
    if key:
        where.append(or_(_TABLE.c.place_key == key, _TABLE.c.place_key == ""))
    elif not cluster:
        where.append(_TABLE.c.place_key == "")
    since = now - timedelta(days=rules.returns_days)
    recent = and_(_TABLE.c.state == TicketState.ACCEPTED.value, _TABLE.c.accepted_at >= since)
    row = session.execute(
        select(_TABLE)
        .where(*where, or_(_TABLE.c.state != TicketState.ACCEPTED.value, recent))
        .order_by(recent, _TABLE.c.opened_at.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else _ticket(row)


def _join(
    session: Session, known: Ticket, trouble: Trouble, *, now: datetime, who: Mapping[str, Any], more: Mapping[str, Any]
) -> None:
    values: dict[str, Any] = {"reports": known.reports + 1}
    what = "reported"
    if not known.open:
        what = "reopened"
        values |= _again(known, now)
    if trouble is Trouble.SILENT and not known.silent_now:
        values |= {"silent": True, "silent_since": known.silent_since if known.open else now, "silent_until": None}
        values["silent_since"] = values["silent_since"] or now
    session.execute(update(_TABLE).where(_TABLE.c.id == known.id).values(**values))
    if known.reports < MOST_REPORTS or what == "reopened":
        steps.add(session, Subject.TICKET, known.id, what, **who, **more)


def _again(known: Ticket, now: datetime) -> dict[str, Any]:
    """Return the columns of a ticket that was accepted and is open again."""
    return {
        "state": TicketState.OPEN.value,
        "reopened": known.reopened + 1,
        "accepted_at": None,
        "accepted_by": None,
        "repaired_at": None,
        "repaired_by": None,
        "assigned_at": None,
        "due": None,
        "told_at": None,
        "tiers": 0,
    }


def _open(
    session: Session,
    *,
    station: StationCode,
    cluster: GroupCode,
    trouble: Trouble,
    what: str,
    place: str,
    origin: Origin,
    silent: bool,
    now: datetime,
    who: Mapping[str, Any],
    more: Mapping[str, Any],
    device: str | None = None,
    fault_code: str = "",
    fault_seq: int = 0,
    silent_since: datetime | None = None,
) -> Ticket:
    ticket = new_id()
    person: Person | None = who["person"]
    session.execute(
        insert(_TABLE).values(
            id=ticket,
            number=(session.scalar(select(func.max(_TABLE.c.number))) or 0) + 1,
            station=station,
            cluster=cluster,
            device=device,
            trouble=trouble.value,
            what=what,
            place=place,
            place_key=folded(place),
            origin=origin.value,
            fault_code=fault_code,
            fault_seq=fault_seq,
            silent=silent,
            silent_since=(silent_since or now) if silent else None,
            silent_until=None,
            state=TicketState.OPEN.value,
            reports=1,
            opened_at=now,
            opened_by=None if person is None else person.id,
            repairer="",
            returned=0,
            reopened=0,
            urged=0,
            tiers=0,
        )
    )
    steps.add(session, Subject.TICKET, ticket, "opened", **who, **more)
    return _required(session, ticket)


def folded(place: str) -> str:
    """Return a place as it is compared: without accents, case and anything but letters and digits."""
    plain = unicodedata.normalize("NFKD", place.casefold().replace("đ", "d"))
    return " ".join("".join(one if one.isalnum() else " " for one in plain if not unicodedata.combining(one)).split())


def _words(text: str) -> str:
    """Return free text as it is kept: line by line, without invisible characters."""
    lines = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    seen = ("".join(one for one in line if unicodedata.category(one)[0] != "C" or one == "\t") for line in lines)
    return "\n".join(" ".join(line.split()) for line in seen).strip()


def _said(trouble: Trouble, place: str, link: str | None) -> dict[str, str]:
    said = {"trouble": trouble.value, "place": place, "link": link or ""}
    return {name: value for name, value in said.items() if value}


def _required(session: Session, ticket: str) -> Ticket:
    found = find(session, ticket)
    assert found is not None
    return found


def _ticket(row: Row[Any]) -> Ticket:
    return Ticket(
        id=row.id,
        number=row.number,
        station=row.station,
        cluster=row.cluster,
        device=row.device,
        trouble=Trouble(row.trouble),
        what=row.what,
        place=row.place,
        origin=Origin(row.origin),
        fault_code=row.fault_code,
        fault_seq=row.fault_seq,
        silent=row.silent,
        silent_since=row.silent_since,
        silent_until=row.silent_until,
        state=TicketState(row.state),
        reports=row.reports,
        opened_at=row.opened_at,
        opened_by=row.opened_by,
        assignee=row.assignee,
        repairer=row.repairer,
        due=row.due,
        assigned_at=row.assigned_at,
        repaired_at=row.repaired_at,
        repaired_by=row.repaired_by,
        accepted_at=row.accepted_at,
        accepted_by=row.accepted_by,
        returned=row.returned,
        reopened=row.reopened,
        urged=row.urged,
        urged_at=row.urged_at,
        tiers=row.tiers,
        told_at=row.told_at,
    )


def _nothing_said() -> Finding:
    return Finding(
        code="what_wrong",
        severity=Severity.ERROR,
        where="what",
        message=Text("Hãy ghi loa bị gì. Chưa có phiếu nào được mở.", "Say what is wrong. No ticket was opened."),
    )
