"""Fault tickets: opened by the system, staff or anyone with a link, and open until somebody else accepts the repair."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, case, func, insert, or_, select, tuple_, update
from sqlalchemy.orm import Session

from schedules.errors import Conflict, NotAllowed, Refused, Unknown
from schedules.findings import Finding, Severity
from schedules.station import GroupCode, StationCode
from schedules.text import Text
from schedules.upkeep import FaultRule, TicketState, Trouble, UpkeepRules
from store import steps, tables_equipment, upkeep
from store.accounts import Person
from store.identity import new_id
from store.rows import changed
from store.steps import Subject

_TABLE = tables_equipment.ticket
_STEPS = tables_equipment.step
MOST_REPORTS = 50
"""Reports of one trouble that are kept one by one; later ones are only counted."""

_LONGEST_TEXT = 1000
_AGAIN = timedelta(hours=1)
_DONE = TicketState.ACCEPTED.value


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
    origin: Origin | None = None,
) -> Ticket:
    """Open a ticket, or join the one that is open for the same loudspeaker; one that came back soon is opened again.

    what, place: in the words of who reports. picture: SHA-256 of a photo already drawn anew. link: the id of the link
    that was used, None where `person` reports. name: of somebody without an account. The caller has checked station
    and cluster. Raises Refused where nothing is said.
    """
    what, place = _words(what)[:_LONGEST_TEXT], " ".join(place.split())[:200]
    if not what and trouble is Trouble.OTHER:
        raise Refused(_nothing_said())
    origin = origin or (Origin.STAFF if person is not None else Origin.LINK)
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


def assign(
    session: Session,
    ticket: str,
    *,
    repairer: str,
    assignee: Person | None,
    due: date,
    text: str,
    person: Person,
    now: datetime,
) -> None:
    """Give it to somebody with an account, or to a repairer by name. Raises Conflict where it is done already."""
    name = assignee.full_name if assignee is not None else " ".join(repairer.split())[:200]
    if not name:
        raise Refused(_finding("repairer_wrong", "repairer", "Hãy ghi giao cho ai sửa.", "Say who is to repair it."))
    _move(
        session,
        ticket,
        (TicketState.OPEN, TicketState.ASSIGNED),
        state=TicketState.ASSIGNED.value,
        assignee=None if assignee is None else assignee.id,
        repairer=name,
        due=due,
        assigned_at=now,
    )
    details = {"to": name, "due": due.isoformat()}
    steps.add(session, Subject.TICKET, ticket, "assigned", at=now, person=person, text=_words(text), details=details)


def repaired(
    session: Session, ticket: str, repair: Repair, *, picture: str | None, person: Person, now: datetime
) -> None:
    """Say that it is repaired. Raises Conflict where somebody said so before, Refused where nothing is said."""
    done = _words(repair.done)
    if not done:
        raise Refused(_finding("done_wrong", "done", "Hãy ghi đã sửa gì. Phiếu chưa đổi.", "Say what was done."))
    _move(
        session,
        ticket,
        (TicketState.OPEN, TicketState.ASSIGNED),
        state=TicketState.REPAIRED.value,
        repaired_at=now,
        repaired_by=person.id,
    )
    said = {"by": " ".join(repair.by.split())[:200], "parts": " ".join(repair.parts.split())[:500], "cost": repair.cost}
    details = {name: value for name, value in said.items() if value not in ("", None)}
    kept: dict[str, Any] = {"text": done, "details": details, "picture": picture}
    steps.add(session, Subject.TICKET, ticket, "repaired", at=now, person=person, **kept)


def accept(session: Session, ticket: str, *, text: str, picture: str | None, person: Person, now: datetime) -> None:
    """Close it: the repair was tried and heard. Raises NotAllowed for whoever repaired it, Conflict before a repair."""
    known = find(session, ticket)
    if known is not None and person.id in {known.repaired_by, known.assignee}:
        raise NotAllowed(
            Finding(
                code="accept_own",
                severity=Severity.ERROR,
                message=Text(
                    "Người sửa hoặc người báo đã sửa không tự nghiệm thu. Phiếu chưa đổi.",
                    "Who repaired it, or said so, does not accept it. Nothing was changed.",
                ),
                hint=Text("Hãy nhờ lãnh đạo hoặc trung tâm nghiệm thu.", "Ask a leader or the centre."),
            )
        )
    _move(
        session,
        ticket,
        (TicketState.REPAIRED,),
        state=TicketState.ACCEPTED.value,
        accepted_at=now,
        accepted_by=person.id,
        silent_until=case((and_(_TABLE.c.silent, _TABLE.c.silent_until.is_(None)), now), else_=_TABLE.c.silent_until),
    )
    kept: dict[str, Any] = {"text": _words(text), "picture": picture}
    steps.add(session, Subject.TICKET, ticket, "accepted", at=now, person=person, **kept)


def send_back(session: Session, ticket: str, *, text: str, person: Person, now: datetime) -> None:
    """Refuse the repair, with a reason: it is to be repaired again. Raises Conflict, Refused."""
    words = _words(text)
    if not words:
        raise Refused(_finding("text_wrong", "text", "Hãy ghi vì sao chưa đạt.", "Say why it is not accepted."))
    _move(
        session,
        ticket,
        (TicketState.REPAIRED,),
        state=case((_TABLE.c.repairer == "", TicketState.OPEN.value), else_=TicketState.ASSIGNED.value),
        returned=_TABLE.c.returned + 1,
        repaired_at=None,
        repaired_by=None,
    )
    steps.add(session, Subject.TICKET, ticket, "returned", at=now, person=person, text=words)


def reopen(session: Session, ticket: str, *, text: str, person: Person, now: datetime) -> None:
    """Open an accepted ticket again: the fault is back. Raises Conflict, Refused."""
    words = _words(text)
    if not words:
        raise Refused(_finding("text_wrong", "text", "Hãy ghi hỏng lại thế nào.", "Say how it came back."))
    known = find(session, ticket)
    if known is None or known.open:
        raise Conflict(_moved())
    again = _again(known, now) | ({"silent_since": now, "silent_until": None} if known.silent else {})
    _move(session, ticket, (TicketState.ACCEPTED,), **again)
    steps.add(session, Subject.TICKET, ticket, "reopened", at=now, person=person, text=words)


def remark(session: Session, ticket: str, *, text: str, picture: str | None, person: Person, now: datetime) -> None:
    """Add a word or a photo. Raises Refused where there is neither."""
    words = _words(text)
    if not words and picture is None:
        raise Refused(
            _finding("text_wrong", "text", "Hãy ghi nhận xét hoặc kèm ảnh.", "Write something or add a photo.")
        )
    steps.add(session, Subject.TICKET, ticket, "remark", at=now, person=person, text=words, picture=picture)


def urge(session: Session, ticket: str, *, text: str, to: Collection[str], person: Person, now: datetime) -> None:
    """Note that its commune was urged; to: names of those who were written to. Raises Conflict where it is done."""
    still = tuple(one for one in TicketState if one is not TicketState.ACCEPTED)
    _move(session, ticket, still, urged=_TABLE.c.urged + 1, urged_at=now)
    details = {"to": list(to)[:20]}
    steps.add(session, Subject.TICKET, ticket, "urged", at=now, person=person, text=_words(text), details=details)


def wait(session: Session, ticket: str, now: datetime) -> None:
    """Note that nobody is left above to be told now; it is looked at again later."""
    session.execute(update(_TABLE).where(_TABLE.c.id == ticket).values(told_at=now))


def escalated(session: Session, ticket: str, *, to: str, people: Collection[str], now: datetime) -> None:
    """Note that the next tier above was told; to: its name, people: names of those who were written to."""
    session.execute(update(_TABLE).where(_TABLE.c.id == ticket).values(tiers=_TABLE.c.tiers + 1, told_at=now))
    details = {"unit": to, "to": list(people)[:20]}
    steps.add(session, Subject.TICKET, ticket, "escalated", at=now, details=details)


def from_fault(
    session: Session,
    *,
    station: StationCode,
    cluster: GroupCode,
    code: str,
    seq: int,
    rule: FaultRule,
    since: datetime,
    lasts: bool,
    message: str,
    now: datetime,
    rules: UpkeepRules,
) -> bool:
    """Open a ticket for a fault of the register, or join the one that is open; whether there was anything to note.

    seq: of the row that opened the fault. One that comes back soon after the repair opens its ticket again, and so
    does one that still lasts an hour after somebody accepted.
    """
    known = _of_fault(session, station, code)
    if known is None and cluster:
        found = _same(session, station, cluster, "", now=now, rules=UpkeepRules(returns_days=0))
        known = found if found is not None and found.open and not found.fault_code else None
    silent: dict[str, Any] = {"silent_until": None}
    if rule.silent and lasts:
        silent |= {"silent": True, "silent_since": since}
    who: dict[str, Any] = {"at": now, "person": None, "name": "", "picture": None}
    more: dict[str, Any] = {"text": message, "phone": "", "details": {"fault": code, "seq": seq}}
    if known is not None and known.open:
        if seq <= known.fault_seq:
            return False
        newest = steps.newest(session, Subject.TICKET, (known.id,)).get(known.id)
        if known.silent_now:
            silent.pop("silent_since", None)
        session.execute(
            update(_TABLE)
            .where(_TABLE.c.id == known.id)
            .values(fault_code=code, fault_seq=seq, reports=known.reports + 1, **silent)
        )
        # A fault that flutters must not fill the ticket.
        if newest is None or newest.what != "fault" or now - newest.at >= _AGAIN:
            steps.add(session, Subject.TICKET, known.id, "fault", **who, **more)
        return True
    if known is not None and known.accepted_at is not None:
        contradicted = seq <= known.fault_seq and lasts and now - known.accepted_at >= _AGAIN
        soon = seq > known.fault_seq and now - known.accepted_at <= timedelta(days=rules.returns_days)
        if contradicted or soon:
            values = _again(known, now) | silent | {"fault_seq": max(seq, known.fault_seq)}
            session.execute(update(_TABLE).where(_TABLE.c.id == known.id).values(**values))
            steps.add(session, Subject.TICKET, known.id, "reopened", **who, **more)
            return True
        if seq <= known.fault_seq:
            return False
    _open(
        session,
        station=station,
        cluster=cluster,
        trouble=rule.trouble,
        what=message[:_LONGEST_TEXT],
        place="",
        origin=Origin.SYSTEM,
        silent=rule.silent and lasts,
        silent_since=since,
        fault_code=code,
        fault_seq=seq,
        now=now,
        who=who,
        more=more,
    )
    return True


def recovered(session: Session, ticket: Ticket, *, at: datetime, now: datetime) -> None:
    """Note that the machine no longer finds the fault; whether it is repaired, people say."""
    # What people reported is not over because the machine hears itself: such a ticket only loses its fault.
    values = {"silent_until": at} if ticket.origin is Origin.SYSTEM else {"fault_code": ""}
    session.execute(update(_TABLE).where(_TABLE.c.id == ticket.id).values(**values))
    steps.add(session, Subject.TICKET, ticket.id, "recovered", at=now, details={"at": at.isoformat()})


def of_faults(session: Session, stations: Collection[StationCode]) -> tuple[Ticket, ...]:
    """Return the open tickets that the system watches: those with a fault whose end is not noted yet."""
    rows = session.execute(
        select(_TABLE)
        .where(
            _TABLE.c.state != _DONE,
            _TABLE.c.fault_code != "",
            _TABLE.c.station.in_(stations),
            _TABLE.c.silent_until.is_(None),
        )
        .order_by(_TABLE.c.opened_at)
        .limit(1000)
    )
    return tuple(_ticket(row) for row in rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Where a page of tickets ended."""

    at: datetime
    id: str


class Which(StrEnum):
    """What a list of tickets shows."""

    OPEN = "open"
    SILENT = "silent"
    OVERDUE = "overdue"
    REPAIRED = "repaired"
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many tickets there are of each kind."""

    open: int
    silent: int
    overdue: int
    repaired: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StationTickets:
    """The open tickets of one station. oldest: when the longest open one was opened."""

    open: int
    silent: int
    overdue: int
    oldest: datetime


def listing(
    session: Session,
    *,
    stations: Collection[StationCode],
    which: Which | None,
    today: date,
    cluster: GroupCode | None = None,
    assignee: str | None = None,
    after: Mark | None = None,
    limit: int = 50,
) -> tuple[Ticket, ...]:
    """Return tickets, those open longest first, accepted ones newest first. which: None for all of them."""
    newest_first = which in (Which.ACCEPTED, None)
    at = _TABLE.c.accepted_at if which is Which.ACCEPTED else _TABLE.c.opened_at
    keys = (at, _TABLE.c.id)
    query = select(_TABLE).where(_TABLE.c.station.in_(stations)).limit(limit)
    query = query.order_by(*(key.desc() if newest_first else key for key in keys))
    if which is not None:
        query = query.where(_which(which, today))
    if cluster is not None:
        query = query.where(_TABLE.c.cluster == cluster)
    if assignee is not None:
        query = query.where(_TABLE.c.assignee == assignee)
    if after is not None:
        mark = tuple_(after.at, after.id, types=[key.type for key in keys])
        query = query.where(tuple_(*keys) < mark if newest_first else tuple_(*keys) > mark)
    return tuple(_ticket(row) for row in session.execute(query))


def of_device(session: Session, device: str, *, limit: int = 20) -> tuple[Ticket, ...]:
    """Return the tickets of one device, newest first."""
    query = select(_TABLE).where(_TABLE.c.device == device).order_by(_TABLE.c.opened_at.desc()).limit(limit)
    return tuple(_ticket(row) for row in session.execute(query))


def counts(session: Session, *, stations: Collection[StationCode], today: date) -> Counts:
    """Return how many tickets are open, silent, overdue and waiting for acceptance."""
    row = session.execute(
        select(
            func.count().label("open"),
            func.sum(_one(_which(Which.SILENT, today))).label("silent"),
            func.sum(_one(_which(Which.OVERDUE, today))).label("overdue"),
            func.sum(_one(_which(Which.REPAIRED, today))).label("repaired"),
        ).where(_TABLE.c.station.in_(stations), _TABLE.c.state != _DONE)
    ).one()
    return Counts(open=row.open, silent=row.silent or 0, overdue=row.overdue or 0, repaired=row.repaired or 0)


def count_open(session: Session, stations: Collection[StationCode]) -> int:
    """Return how many tickets are open."""
    query = select(func.count()).where(_TABLE.c.state != _DONE, _TABLE.c.station.in_(stations))
    return session.scalar(query) or 0


def by_station(
    session: Session, *, stations: Collection[StationCode], today: date
) -> Mapping[StationCode, StationTickets]:
    """Return the open tickets of each station that has some."""
    rows = session.execute(
        select(
            _TABLE.c.station,
            func.count().label("open"),
            func.sum(_one(_which(Which.SILENT, today))).label("silent"),
            func.sum(_one(_which(Which.OVERDUE, today))).label("overdue"),
            func.min(_TABLE.c.opened_at).label("oldest"),
        )
        .where(_TABLE.c.station.in_(stations), _TABLE.c.state != _DONE)
        .group_by(_TABLE.c.station)
    )
    return {
        row.station: StationTickets(open=row.open, silent=row.silent, overdue=row.overdue, oldest=row.oldest)
        for row in rows
    }


def silences(
    session: Session, stations: Collection[StationCode], *, start: datetime, end: datetime
) -> tuple[Ticket, ...]:
    """Return the tickets by which loudspeakers of these stations were silent at some time of `[start, end)`."""
    rows = session.execute(
        select(_TABLE)
        .where(
            _TABLE.c.station.in_(stations),
            _TABLE.c.silent,
            _TABLE.c.silent_since < end,
            or_(_TABLE.c.silent_until.is_(None), _TABLE.c.silent_until > start),
        )
        .order_by(_TABLE.c.silent_since)
    )
    return tuple(_ticket(row) for row in rows)


def not_accepted(session: Session, *, opened_before: datetime, told_before: datetime) -> tuple[Ticket, ...]:
    """Return the open tickets of that age whose last word to a tier above is older than `told_before`."""
    rows = session.execute(
        select(_TABLE)
        .where(
            _TABLE.c.state != _DONE,
            _TABLE.c.opened_at < opened_before,
            or_(_TABLE.c.told_at.is_(None), _TABLE.c.told_at < told_before),
        )
        .order_by(_TABLE.c.opened_at)
        .limit(500)
    )
    return tuple(_ticket(row) for row in rows)


def _which(which: Which, today: date) -> ColumnElement[bool]:
    match which:
        case Which.OPEN:
            return _TABLE.c.state != _DONE
        case Which.SILENT:
            return and_(_TABLE.c.state != _DONE, _TABLE.c.silent, _TABLE.c.silent_until.is_(None))
        case Which.OVERDUE:
            return and_(_TABLE.c.state != _DONE, _TABLE.c.due < today)
        case Which.REPAIRED:
            return _TABLE.c.state == TicketState.REPAIRED.value
    return _TABLE.c.state == _DONE


def _one(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return case((condition, 1), else_=0)


def _move(session: Session, ticket: str, states: Collection[TicketState], **values: Any) -> None:  # noqa: ANN401 - columns
    query = update(_TABLE).where(_TABLE.c.id == ticket, _TABLE.c.state.in_([one.value for one in states]))
    if changed(session, query.values(**values)) == 1:
        return
    if find(session, ticket) is None:
        raise Unknown(_finding("ticket_unknown", "", "Không có phiếu này.", "There is no such ticket."))
    raise Conflict(_moved())


def _of_fault(session: Session, station: StationCode, code: str) -> Ticket | None:
    row = session.execute(
        select(_TABLE)
        .where(_TABLE.c.station == station, _TABLE.c.fault_code == code)
        .order_by(_TABLE.c.state == _DONE, _TABLE.c.fault_seq.desc(), _TABLE.c.opened_at.desc())
        .limit(1)
    ).one_or_none()
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
    recent = and_(_TABLE.c.state == _DONE, _TABLE.c.accepted_at >= since)
    row = session.execute(
        select(_TABLE)
        .where(*where, or_(_TABLE.c.state != _DONE, recent))
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
        "silent_until": None,
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


def _finding(code: str, where: str, vi: str, en: str) -> Finding:
    return Finding(code=code, severity=Severity.ERROR, where=where, message=Text(vi, en))


def _moved() -> Finding:
    return Finding(
        code="ticket_moved",
        severity=Severity.ERROR,
        message=Text(
            "Phiếu đã sang bước khác trong lúc anh/chị xem. Chưa có gì thay đổi.",
            "The ticket has moved on meanwhile. Nothing was changed.",
        ),
        hint=Text("Hãy xem lại phiếu.", "Look at it again."),
    )


def _nothing_said() -> Finding:
    return _finding(
        "what_wrong",
        "what",
        "Hãy ghi loa bị gì. Chưa có phiếu nào được mở.",
        "Say what is wrong. No ticket was opened.",
    )
