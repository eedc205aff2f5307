"""Emergency orders as the authority keeps them: who ordered what, the signed bytes, and how each station stands."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, Select, func, insert, or_, select, update
from sqlalchemy.orm import Session

from schedules.emergency import FINAL, Alert, AlertState, EmergencyOrder, OrderId, Urgency
from schedules.segment import SegmentId
from schedules.station import StationCode, UnitCode
from schedules.text import Text
from store import tables
from store.rows import changed

_TABLE = tables.emergency
_STATION = tables.emergency_station
_TEMPLATE = tables.emergency_template
_FINAL = [state.value for state in FINAL]
FORGOTTEN = timedelta(days=1)


class OrderState(StrEnum):
    """Where an order stands as a whole. A cancelled or expired one was never signed."""

    AWAITING_SECOND = "awaiting_second"
    ISSUED = "issued"
    OVER = "over"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is said and how: a recording by the hash of its sound. tone_s, gap_s: seconds."""

    segment: SegmentId
    title: str
    sha256: str
    pcm_sha256: str
    samples: int
    urgency: Urgency
    repeats: int
    tone_s: float
    gap_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An order at one station. stopping: it was ended here; stop_taken: and the station knows.

    at: when this was learned. said: messages heard whole.
    """

    station: StationCode
    state: AlertState
    at: datetime
    received_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    said: int = 0
    why: Text | None = None
    stopping: bool = False
    stop_taken: bool = False
    stopped_by_name: str | None = None

    @property
    def final(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state in FINAL


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRecord:
    """One order. confirmed_by: the second person, None where a template or a drill needed none.

    basis: the document or event it rests on. stopped_*: who ended or cancelled it as a whole.
    """

    id: OrderId
    stations: tuple[StationCode, ...]
    message: Message
    drill: bool
    template: str | None
    template_name: str | None
    basis: str
    state: OrderState
    ordered_by: str
    ordered_by_name: str
    ordered_at: datetime
    expires_at: datetime
    confirmed_by: str | None
    confirmed_by_name: str | None
    issued_at: datetime | None
    stopped_by_name: str | None
    stopped_at: datetime | None
    stop_reason: str
    standings: tuple[Standing, ...]

    @property
    def open(self) -> bool:
        """Whether something may still come of it."""
        return self.state in {OrderState.AWAITING_SECOND, OrderState.ISSUED}


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateRecord:
    """An order that was prepared: everything but where and when. Good while it is approved and not retired."""

    id: str
    owner: UnitCode
    name: str
    segment: SegmentId
    sha256: str
    urgency: Urgency
    repeats: int
    tone_s: float
    gap_s: float
    prepared_by: str
    prepared_by_name: str
    prepared_at: datetime
    approved_by_name: str | None
    approved_at: datetime | None
    retired_by_name: str | None
    retired_at: datetime | None

    @property
    def approved(self) -> bool:
        """Whether one person may order by it."""
        return self.approved_at is not None and self.retired_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What a station has to be told: the order's bytes until it is received, the stop's until it is taken."""

    order: OrderId
    station: StationCode
    state: AlertState
    expires_at: datetime
    document: bytes
    stop_document: bytes | None


def keep(
    session: Session,
    *,
    order: OrderId,
    stations: Collection[StationCode],
    message: Message,
    drill: bool,
    template: str | None,
    basis: str,
    person: str,
    now: datetime,
    expires_at: datetime,
) -> None:
    """Keep an order of the person with that id that is not signed yet: it awaits a second person, or `issue`."""
    session.execute(
        insert(_TABLE).values(
            id=order,
            stations=list(stations),
            segment=message.segment,
            title=message.title,
            sha256=message.sha256,
            pcm_sha256=message.pcm_sha256,
            samples=message.samples,
            urgency=message.urgency.value,
            repeats=message.repeats,
            tone_s=message.tone_s,
            gap_s=message.gap_s,
            drill=drill,
            template=template,
            basis=basis,
            state=OrderState.AWAITING_SECOND.value,
            ordered_by=person,
            ordered_at=now,
            expires_at=expires_at,
            stop_reason="",
        )
    )


def issue(session: Session, order: EmergencyOrder, document: bytes, *, confirmed_by: str | None) -> bool:
    """Keep the signed order; False where it does not wait to be signed any more."""
    done = changed(
        session,
        update(_TABLE)
        .where(_TABLE.c.id == order.id, _TABLE.c.state == OrderState.AWAITING_SECOND.value)
        .values(state=OrderState.ISSUED.value, confirmed_by=confirmed_by, issued_at=order.issued_at, document=document),
    )
    if done:
        session.execute(
            insert(_STATION),
            [
                {
                    "emergency": order.id,
                    "station": station,
                    "state": AlertState.SENT.value,
                    "at": order.issued_at,
                    "said": 0,
                    "why_vi": "",
                    "why_en": "",
                    "stop_taken": False,
                }
                for station in order.stations
            ],
        )
    return done == 1


def cancel(session: Session, order: OrderId, *, person: str, reason: str, now: datetime) -> bool:
    """End an order that nobody has signed; False where it does not wait any more."""
    statement = update(_TABLE).where(_TABLE.c.id == order, _TABLE.c.state == OrderState.AWAITING_SECOND.value)
    values = {"stopped_by": person, "stopped_at": now, "stop_reason": reason}
    return changed(session, statement.values(state=OrderState.CANCELLED.value, **values)) == 1


def stop(
    session: Session,
    order: OrderId,
    stations: Collection[StationCode],
    document: bytes,
    *,
    person: str,
    reason: str,
    now: datetime,
) -> int:
    """Keep the signed end of an order at some of its stations; returns at how many it was not ended before."""
    stopped = changed(
        session,
        update(_STATION)
        .where(
            _STATION.c.emergency == order,
            _STATION.c.station.in_(stations),
            _STATION.c.stop_document.is_(None),
            _STATION.c.state.not_in(_FINAL),
        )
        .values(stop_document=document, stopped_by=person),
    )
    if stopped:
        values = {"stopped_by": person, "stopped_at": now, "stop_reason": reason}
        session.execute(update(_TABLE).where(_TABLE.c.id == order, _TABLE.c.stopped_at.is_(None)).values(**values))
    return stopped


def learn(
    session: Session, order: OrderId, station: StationCode, state: AlertState, now: datetime, *, why: Text | None = None
) -> bool:
    """Keep how an order stands at a station; False where that is final already."""
    values: dict[str, object] = {"state": state.value, "at": now}
    if why is not None:
        values |= {"why_vi": why.vi[:2000], "why_en": why.en[:2000]}
    return _at(session, order, station, values)


def learn_alert(session: Session, station: StationCode, alert: Alert, now: datetime) -> bool:
    """Keep what a station itself tells of an order; False where that is final already."""
    values: dict[str, object] = {
        "state": alert.state.value,
        "at": now,
        "received_at": alert.received_at,
        "started_at": alert.started_at,
        "ended_at": alert.ended_at,
        "said": alert.said,
        "why_vi": "" if alert.why is None else alert.why.vi[:2000],
        "why_en": "" if alert.why is None else alert.why.en[:2000],
    }
    return _at(session, alert.order.id, station, values)


def stop_taken(session: Session, order: OrderId, station: StationCode) -> None:
    """Keep that a station has taken the end of an order."""
    session.execute(
        update(_STATION).where(_STATION.c.emergency == order, _STATION.c.station == station).values(stop_taken=True)
    )


def close(session: Session, now: datetime) -> int:
    """End what is over; returns how many.

    Those are orders that nobody confirmed in time, those that are final everywhere, and those of which nothing was
    heard for so long that the stations do not tell of them any more.
    """
    waiting = _TABLE.c.state == OrderState.AWAITING_SECOND.value
    lapsed = changed(
        session, update(_TABLE).where(waiting, _TABLE.c.expires_at <= now).values(state=OrderState.EXPIRED.value)
    )
    unsettled = select(_STATION.c.emergency).where(_STATION.c.state.not_in(_FINAL))
    issued = _TABLE.c.state == OrderState.ISSUED.value
    settled = or_(_TABLE.c.id.not_in(unsettled), _TABLE.c.expires_at <= now - FORGOTTEN)
    return lapsed + changed(session, update(_TABLE).where(issued, settled).values(state=OrderState.OVER.value))


def due(session: Session, order: OrderId | None = None) -> tuple[Due, ...]:
    """Return what is not settled, of one order or of all, oldest order first."""
    query = (
        select(
            _STATION.c.emergency,
            _STATION.c.station,
            _STATION.c.state,
            _STATION.c.stop_document,
            _STATION.c.stop_taken,
            _TABLE.c.document,
            _TABLE.c.expires_at,
        )
        .join(_TABLE, _TABLE.c.id == _STATION.c.emergency)
        .where(_TABLE.c.state == OrderState.ISSUED.value, _STATION.c.state.not_in(_FINAL))
        .order_by(_TABLE.c.issued_at, _STATION.c.station)
    )
    if order is not None:
        query = query.where(_TABLE.c.id == order)
    return tuple(
        Due(
            order=row.emergency,
            station=row.station,
            state=AlertState(row.state),
            expires_at=row.expires_at,
            document=row.document,
            stop_document=None if row.stop_taken else row.stop_document,
        )
        for row in session.execute(query)
    )


def closing(session: Session, now: datetime) -> bool:
    """Return whether an order that nobody confirmed has expired, or one was forgotten (see `close`)."""
    waiting = _TABLE.c.state == OrderState.AWAITING_SECOND.value
    issued = _TABLE.c.state == OrderState.ISSUED.value
    over = or_(waiting & (_TABLE.c.expires_at <= now), issued & (_TABLE.c.expires_at <= now - FORGOTTEN))
    return session.scalar(select(_TABLE.c.id).where(over).limit(1)) is not None


def find(session: Session, order: OrderId) -> OrderRecord | None:
    """Return an order, or None."""
    return next(iter(_records(session, _select().where(_TABLE.c.id == order))), None)


def listing(
    session: Session, *, open_only: bool = False, before: OrderId | None = None, limit: int = 50
) -> tuple[OrderRecord, ...]:
    """Return orders, newest first. before: the last id of the page before."""
    query = _select().order_by(_TABLE.c.ordered_at.desc(), _TABLE.c.id.desc()).limit(limit)
    if open_only:
        states = [OrderState.AWAITING_SECOND.value, OrderState.ISSUED.value]
        query = query.where(_TABLE.c.state.in_(states))
    if before is not None:
        mark = session.scalar(select(_TABLE.c.ordered_at).where(_TABLE.c.id == before))
        if mark is None:
            return ()
        older = or_(_TABLE.c.ordered_at < mark, (_TABLE.c.ordered_at == mark) & (_TABLE.c.id < before))
        query = query.where(older)
    return _records(session, query)


def ordered_since(session: Session, person: str, moment: datetime, *, drill: bool) -> tuple[int, datetime | None]:
    """Return how many orders of that kind the person has given since, and when the first of those was."""
    row = session.execute(
        select(func.count(), func.min(_TABLE.c.ordered_at)).where(
            _TABLE.c.ordered_by == person, _TABLE.c.ordered_at > moment, _TABLE.c.drill.is_(drill)
        )
    ).one()
    return row[0], row[1]


def prepare(
    session: Session, *, template: str, owner: UnitCode, name: str, message: Message, person: str, now: datetime
) -> None:
    """Keep a template that the person with that id prepared; it is good from its approval on."""
    session.execute(
        insert(_TEMPLATE).values(
            id=template,
            owner=owner,
            name=name,
            segment=message.segment,
            sha256=message.sha256,
            urgency=message.urgency.value,
            repeats=message.repeats,
            tone_s=message.tone_s,
            gap_s=message.gap_s,
            prepared_by=person,
            prepared_at=now,
        )
    )


def approve_template(session: Session, template: str, *, person: str, now: datetime) -> bool:
    """Approve it; False for whoever prepared it, and where it was approved or retired before."""
    statement = update(_TEMPLATE).where(
        _TEMPLATE.c.id == template,
        _TEMPLATE.c.prepared_by != person,
        _TEMPLATE.c.approved_at.is_(None),
        _TEMPLATE.c.retired_at.is_(None),
    )
    return changed(session, statement.values(approved_by=person, approved_at=now)) == 1


def retire_template(session: Session, template: str, *, person: str, now: datetime) -> bool:
    """Take it out of use; False where it was before. It stays to be seen in the orders that used it."""
    statement = update(_TEMPLATE).where(_TEMPLATE.c.id == template, _TEMPLATE.c.retired_at.is_(None))
    return changed(session, statement.values(retired_by=person, retired_at=now)) == 1


def find_template(session: Session, template: str) -> TemplateRecord | None:
    """Return a template, retired or not, or None."""
    row = session.execute(_templates().where(_TEMPLATE.c.id == template)).one_or_none()
    return None if row is None else _template(row)


def templates(session: Session, *, owners: Collection[UnitCode]) -> tuple[TemplateRecord, ...]:
    """Return the templates of these units that are not retired, by name."""
    query = _templates().where(_TEMPLATE.c.owner.in_(owners), _TEMPLATE.c.retired_at.is_(None))
    return tuple(_template(row) for row in session.execute(query.order_by(_TEMPLATE.c.name, _TEMPLATE.c.id)))


def _at(session: Session, order: OrderId, station: StationCode, values: dict[str, object]) -> bool:
    statement = update(_STATION).where(
        _STATION.c.emergency == order, _STATION.c.station == station, _STATION.c.state.not_in(_FINAL)
    )
    return changed(session, statement.values(**values)) == 1


def _select() -> Select[Any]:
    ordered, confirmed = tables.person.alias("ordered"), tables.person.alias("confirmed")
    stopped = tables.person.alias("stopped")
    return (
        select(
            _TABLE,
            ordered.c.full_name.label("ordered_by_name"),
            confirmed.c.full_name.label("confirmed_by_name"),
            stopped.c.full_name.label("stopped_by_name"),
            _TEMPLATE.c.name.label("template_name"),
        )
        .join(ordered, ordered.c.id == _TABLE.c.ordered_by)
        .outerjoin(confirmed, confirmed.c.id == _TABLE.c.confirmed_by)
        .outerjoin(stopped, stopped.c.id == _TABLE.c.stopped_by)
        .outerjoin(_TEMPLATE, _TEMPLATE.c.id == _TABLE.c.template)
    )


def _records(session: Session, query: Select[Any]) -> tuple[OrderRecord, ...]:
    rows = session.execute(query).all()
    if not rows:
        return ()
    stopped = tables.person.alias("stopped")
    standings: dict[str, list[Standing]] = {row.id: [] for row in rows}
    found = session.execute(
        select(_STATION, stopped.c.full_name.label("stopped_by_name"))
        .outerjoin(stopped, stopped.c.id == _STATION.c.stopped_by)
        .where(_STATION.c.emergency.in_(list(standings)))
        .order_by(_STATION.c.station)
    )
    for row in found:
        standings[row.emergency].append(_standing(row))
    return tuple(_record(row, tuple(standings[row.id])) for row in rows)


def _standing(row: Row[Any]) -> Standing:
    return Standing(
        station=row.station,
        state=AlertState(row.state),
        at=row.at,
        received_at=row.received_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        said=row.said,
        why=Text(row.why_vi, row.why_en) if row.why_vi else None,
        stopping=row.stop_document is not None,
        stop_taken=row.stop_taken,
        stopped_by_name=row.stopped_by_name,
    )


def _record(row: Row[Any], standings: tuple[Standing, ...]) -> OrderRecord:
    return OrderRecord(
        id=row.id,
        stations=tuple(row.stations),
        message=Message(
            segment=row.segment,
            title=row.title,
            sha256=row.sha256,
            pcm_sha256=row.pcm_sha256,
            samples=row.samples,
            urgency=Urgency(row.urgency),
            repeats=row.repeats,
            tone_s=row.tone_s,
            gap_s=row.gap_s,
        ),
        drill=row.drill,
        template=row.template,
        template_name=row.template_name,
        basis=row.basis,
        state=OrderState(row.state),
        ordered_by=row.ordered_by,
        ordered_by_name=row.ordered_by_name,
        ordered_at=row.ordered_at,
        expires_at=row.expires_at,
        confirmed_by=row.confirmed_by,
        confirmed_by_name=row.confirmed_by_name,
        issued_at=row.issued_at,
        stopped_by_name=row.stopped_by_name,
        stopped_at=row.stopped_at,
        stop_reason=row.stop_reason,
        standings=standings,
    )


def _templates() -> Select[Any]:
    prepared, approved = tables.person.alias("prepared"), tables.person.alias("approved")
    retired = tables.person.alias("retired")
    return (
        select(
            _TEMPLATE,
            prepared.c.full_name.label("prepared_by_name"),
            approved.c.full_name.label("approved_by_name"),
            retired.c.full_name.label("retired_by_name"),
        )
        .join(prepared, prepared.c.id == _TEMPLATE.c.prepared_by)
        .outerjoin(approved, approved.c.id == _TEMPLATE.c.approved_by)
        .outerjoin(retired, retired.c.id == _TEMPLATE.c.retired_by)
    )


def _template(row: Row[Any]) -> TemplateRecord:
    return TemplateRecord(
        id=row.id,
        owner=row.owner,
        name=row.name,
        segment=row.segment,
        sha256=row.sha256,
        urgency=Urgency(row.urgency),
        repeats=row.repeats,
        tone_s=row.tone_s,
        gap_s=row.gap_s,
        prepared_by=row.prepared_by,
        prepared_by_name=row.prepared_by_name,
        prepared_at=row.prepared_at,
        approved_by_name=row.approved_by_name,
        approved_at=row.approved_at,
        retired_by_name=row.retired_by_name,
        retired_at=row.retired_at,
    )
