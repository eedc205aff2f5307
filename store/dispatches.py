"""What a unit sent to stations below it: kept with its receipts, and read as the sendings that plans obey."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, Select, and_, func, insert, or_, select, update
from sqlalchemy.orm import Session

from schedules.airing import Verdict
from schedules.carrying import MARK, Sending
from schedules.segment import Priority, SegmentId, SegmentState
from schedules.station import StationCode, UnitCode
from store import tables, tables_dispatches
from store.accounts import Person
from store.identity import new_id
from store.rows import changed

_TABLE = tables_dispatches.dispatch
_STATION = tables_dispatches.dispatch_station
_AIRING = tables.airing
_SEGMENT = tables.segment
_MOST_NAME = 150
_LONGEST_CODE = 40


class Step(StrEnum):
    """How far an item is at one commune, as facts tell it."""

    SENT = "sent"
    RECEIVED = "received"
    SCHEDULED = "scheduled"
    AIRED = "aired"
    DECLINED = "declined"
    OBJECTED = "objected"
    RELEASED = "released"
    MISSED = "missed"
    UNUSED = "unused"
    RECALLED = "recalled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """One item that was sent. must: its stations have to air it before the deadline. revision: the intent with it."""

    id: str
    owner: UnitCode
    segment: SegmentId
    title: str
    programme: str
    duration_s: float
    segment_state: SegmentState
    must: bool
    priority: Priority
    deadline: datetime
    document: str
    note: str
    revision: int
    sent_by: str
    sent_at: datetime
    recalled_at: datetime | None
    recall_reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Aired:
    """The airing that tells most of an item at a station: the first whole one, else the newest that was not."""

    slot: str
    at: datetime
    verdict: Verdict
    rehearsal: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """One item at one station. received_by, used_by, declined_by: names of persons.

    loaded_at: when its machine was seen to have it. planned_slot, planned_start: of the station's own plan.
    """

    dispatch: str
    station: StationCode
    received_by: str | None
    received_at: datetime | None
    copy: SegmentId | None
    wanted_until: datetime | None
    used_by: str | None
    used_at: datetime | None
    declined_by: str | None
    declined_at: datetime | None
    decline_reason: str
    released_at: datetime | None
    loaded_at: datetime | None
    planned_slot: str
    planned_start: datetime | None
    looked_at: datetime | None
    aired: Aired | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """At how many communes an item is how far; each count holds those that are further."""

    sent: int
    received: int
    scheduled: int
    aired: int
    declined: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a station says of one item. slot, start: in its plan; no start where it is more than a day ahead."""

    dispatch: str
    station: StationCode
    loaded: bool
    slot: str
    start: datetime | None


def step(dispatch: Dispatch, receipt: Receipt, now: datetime) -> Step:
    """Return how far an item is at a station; what really aired goes before everything that people said."""
    if receipt.aired is not None and receipt.aired.verdict is Verdict.AIRED:
        return Step.AIRED
    if receipt.released_at is not None:
        return Step.RELEASED
    if dispatch.recalled_at is not None:
        return Step.RECALLED
    if receipt.declined_at is not None and not dispatch.must:
        return Step.DECLINED
    if now >= dispatch.deadline:
        return Step.MISSED if dispatch.must else Step.UNUSED
    if receipt.declined_at is not None:
        return Step.OBJECTED
    if _is_planned(receipt.planned_slot, receipt.planned_start, now):
        return Step.SCHEDULED
    return Step.SENT if receipt.received_at is None else Step.RECEIVED


def send(
    session: Session,
    *,
    dispatch: str,
    owner: UnitCode,
    segment: SegmentId,
    stations: Collection[StationCode],
    must: bool,
    priority: Priority,
    deadline: datetime,
    document: str,
    note: str,
    revision: int,
    person: Person,
    now: datetime,
) -> None:
    """Keep a sending. revision: the intent that will be the first to hold it. The caller bumps the intent."""
    session.execute(
        insert(_TABLE).values(
            id=dispatch,
            owner=owner,
            segment=segment,
            must=must,
            priority=priority.value,
            deadline=deadline,
            document=document,
            note=note,
            revision=revision,
            sent_by=person.id,
            sent_at=now,
            recall_reason="",
        )
    )
    session.execute(
        insert(_STATION),
        [
            {"dispatch": dispatch, "station": station, "decline_reason": "", "planned_slot": ""}
            for station in sorted(set(stations))
        ],
    )


def recall(session: Session, dispatch: str, *, reason: str, person: Person, now: datetime) -> bool:
    """Take it back; False where it was before. The caller bumps the intent."""
    return (
        changed(
            session,
            update(_TABLE)
            .where(_TABLE.c.id == dispatch, _TABLE.c.recalled_at.is_(None))
            .values(recalled_by=person.id, recalled_at=now, recall_reason=reason),
        )
        == 1
    )


def receive(session: Session, dispatch: str, station: StationCode, *, person: Person, now: datetime) -> bool:
    """Note that a person of the commune has it; False where somebody said so before."""
    return _set(session, dispatch, station, _STATION.c.received_at.is_(None), received_by=person.id, received_at=now)


def decline(
    session: Session, dispatch: str, station: StationCode, *, reason: str, person: Person, now: datetime
) -> bool:
    """Note that the commune does not air it, and why; False where it said so before."""
    return _set(
        session,
        dispatch,
        station,
        _STATION.c.declined_at.is_(None),
        declined_by=person.id,
        declined_at=now,
        decline_reason=reason,
    )


def undecline(session: Session, dispatch: str, station: StationCode) -> bool:
    """Take back that the commune does not air it; False where nobody had said so, or it was released."""
    return _set(
        session,
        dispatch,
        station,
        and_(_STATION.c.declined_at.is_not(None), _STATION.c.released_at.is_(None)),
        declined_by=None,
        declined_at=None,
        decline_reason="",
    )


def release(session: Session, dispatch: str, station: StationCode, *, person: Person, now: datetime) -> bool:
    """Agree that it need not air there; False where that was agreed. The caller bumps the intent."""
    return _set(session, dispatch, station, _STATION.c.released_at.is_(None), released_by=person.id, released_at=now)


def use(
    session: Session,
    dispatch: str,
    station: StationCode,
    *,
    until: datetime,
    copy: SegmentId | None,
    person: Person,
    now: datetime,
) -> bool:
    """Have it aired before everything else till `until`; False where it is used already. The caller bumps the intent.

    copy: the commune's own card of it, where it is for another programme.
    """
    return _set(
        session,
        dispatch,
        station,
        or_(_STATION.c.wanted_until.is_(None), _STATION.c.wanted_until <= now),
        wanted_until=until,
        copy=func.coalesce(copy, _STATION.c.copy),
        used_by=person.id,
        used_at=now,
    )


def unuse(session: Session, dispatch: str, station: StationCode) -> bool:
    """Have it aired in its turn again; False where it is not wanted first. The caller bumps the intent."""
    return _set(
        session,
        dispatch,
        station,
        _STATION.c.wanted_until.is_not(None),
        wanted_until=None,
        used_by=None,
        used_at=None,
    )


def look(session: Session, seen: Collection[Seen], now: datetime) -> None:
    """Keep what stations say of items: whether their machines have them, and where they stand in their plans."""
    for one in seen:
        values: dict[str, Any] = {"planned_slot": one.slot, "planned_start": one.start, "looked_at": now}
        if one.loaded:
            values["loaded_at"] = func.coalesce(_STATION.c.loaded_at, now)
        _set(session, one.dispatch, one.station, _STATION.c.station == one.station, **values)


def adopt(
    session: Session, segment: SegmentId, *, owner: UnitCode, station: StationCode, programme: str, now: datetime
) -> SegmentId:
    """Return a card of the commune's own for the same approved sound, in a programme of its own.

    The approval stays that of the person who gave it: it is bound to the sound, which is the same, byte for byte.
    """
    row = session.execute(select(_SEGMENT).where(_SEGMENT.c.id == segment)).one()._mapping
    copy = new_id()
    values = {
        **row,
        "id": copy,
        "owner": owner,
        "station": station,
        "programme": programme,
        "origin": "above",
        "original": False,
        "evergreen": False,
        "episode": None,
        "revision": 1,
        "created_at": now,
        "updated_at": now,
        "approved_at": now,
    }
    session.execute(insert(_SEGMENT).values(**values))
    session.execute(
        insert(tables.segment_event).values(
            segment=copy,
            at=now,
            person=row["approver"],
            what="approved",
            revision=1,
            sha256=row["sha256"],
            reason="Bài cấp trên gửi, đã duyệt ở đơn vị gửi; âm thanh giữ nguyên.",
        )
    )
    return copy


def find(session: Session, dispatch: str) -> Dispatch | None:
    """Return it, or None."""
    row = session.execute(_select().where(_TABLE.c.id == dispatch)).one_or_none()
    return None if row is None else _dispatch(row)


def listing(
    session: Session, *, owners: Collection[UnitCode], before: str | None = None, limit: int = 50
) -> tuple[Dispatch, ...]:
    """Return what these units sent, newest first. before: the last id of the page before."""
    query = _select().where(_TABLE.c.owner.in_(owners)).order_by(_TABLE.c.sent_at.desc(), _TABLE.c.id.desc())
    return tuple(_dispatch(row) for row in session.execute(_after(session, query, before).limit(limit)))


def to_stations(
    session: Session, stations: Collection[StationCode], *, before: str | None = None, limit: int = 50
) -> tuple[Dispatch, ...]:
    """Return what was sent to any of these stations and not recalled, newest first."""
    there = select(_STATION.c.dispatch).where(_STATION.c.station.in_(stations))
    query = (
        _select()
        .where(_TABLE.c.id.in_(there), _TABLE.c.recalled_at.is_(None))
        .order_by(_TABLE.c.sent_at.desc(), _TABLE.c.id.desc())
    )
    return tuple(_dispatch(row) for row in session.execute(_after(session, query, before).limit(limit)))


def waiting(session: Session, station: StationCode, now: datetime, limit: int = 5) -> tuple[Dispatch, ...]:
    """Return what the commune has still to look at: sent to it, due later, neither received nor declined by anybody."""
    query = (
        _select()
        .join(_STATION, _STATION.c.dispatch == _TABLE.c.id)
        .where(
            _STATION.c.station == station,
            _STATION.c.received_at.is_(None),
            _STATION.c.declined_at.is_(None),
            _STATION.c.released_at.is_(None),
            _TABLE.c.recalled_at.is_(None),
            _TABLE.c.deadline > now,
        )
        .order_by(_TABLE.c.must.desc(), _TABLE.c.deadline, _TABLE.c.id)
        .limit(limit)
    )
    return tuple(_dispatch(row) for row in session.execute(query))


def receipts(
    session: Session, dispatches: Collection[str], *, stations: Collection[StationCode] | None = None
) -> Mapping[str, tuple[Receipt, ...]]:
    """Return the receipts of sendings by their id, in order of station, each with the airing that tells most."""
    people = [tables.person.alias(name) for name in ("receiver", "user", "decliner")]
    receiver, user, decliner = people
    query = (
        select(
            _STATION,
            receiver.c.full_name.label("receiver_name"),
            user.c.full_name.label("user_name"),
            decliner.c.full_name.label("decliner_name"),
            _TABLE.c.segment,
            _TABLE.c.sent_at,
        )
        .join(_TABLE, _TABLE.c.id == _STATION.c.dispatch)
        .outerjoin(receiver, receiver.c.id == _STATION.c.received_by)
        .outerjoin(user, user.c.id == _STATION.c.used_by)
        .outerjoin(decliner, decliner.c.id == _STATION.c.declined_by)
        .where(_STATION.c.dispatch.in_(dispatches))
        .order_by(_STATION.c.dispatch, _STATION.c.station)
    )
    if stations is not None:
        query = query.where(_STATION.c.station.in_(stations))
    rows = session.execute(query).all()
    aired = _aired(session, rows)
    found: dict[str, list[Receipt]] = defaultdict(list)
    for row in rows:
        found[row.dispatch].append(_receipt(row, aired.get((row.dispatch, row.station))))
    return {dispatch: tuple(its) for dispatch, its in found.items()}


def summaries(session: Session, dispatches: Collection[str], now: datetime) -> Mapping[str, Summary]:
    """Return how far sendings are in all, read in two looks however many communes there are."""
    aired = {
        (row.id, row.station)
        for key in (_TABLE.c.segment, _STATION.c.copy)
        for row in session.execute(
            select(_TABLE.c.id, _AIRING.c.station)
            .join(_STATION, _STATION.c.dispatch == _TABLE.c.id)
            .join(_AIRING, and_(_AIRING.c.segment == key, _AIRING.c.station == _STATION.c.station))
            .where(
                _TABLE.c.id.in_(dispatches),
                _AIRING.c.planned_start >= _TABLE.c.sent_at,
                _AIRING.c.verdict == Verdict.AIRED.value,
            )
            .distinct()
        )
    }
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    columns = ("dispatch", "station", "received_at", "planned_slot", "planned_start", "declined_at", "released_at")
    for row in session.execute(
        select(*(_STATION.c[name] for name in columns)).where(_STATION.c.dispatch.in_(dispatches))
    ):
        done = (row.dispatch, row.station) in aired
        count = counted[row.dispatch]
        count["sent"] += 1
        count["received"] += done or row.received_at is not None
        count["scheduled"] += done or _is_planned(row.planned_slot, row.planned_start, now)
        count["aired"] += done
        count["declined"] += row.declined_at is not None and row.released_at is None
    return {
        dispatch: Summary(
            sent=count["sent"],
            received=count["received"],
            scheduled=count["scheduled"],
            aired=count["aired"],
            declined=count["declined"],
        )
        for dispatch, count in counted.items()
    }


def airings_at(session: Session, dispatch: str, station: StationCode, limit: int = 20) -> tuple[Aired, ...]:
    """Return the airings of an item at a station since it was sent, newest first."""
    row = session.execute(
        select(_TABLE.c.segment, _TABLE.c.sent_at, _STATION.c.copy)
        .join(_STATION, _STATION.c.dispatch == _TABLE.c.id)
        .where(_TABLE.c.id == dispatch, _STATION.c.station == station)
    ).one()
    found = session.execute(
        select(_AIRING)
        .where(
            _AIRING.c.segment.in_([row.segment, row.copy] if row.copy else [row.segment]),
            _AIRING.c.station == station,
            _AIRING.c.planned_start >= row.sent_at,
        )
        .order_by(_AIRING.c.planned_start.desc())
        .limit(limit)
    )
    return tuple(_as_aired(one) for one in found)


def open_items(session: Session, now: datetime) -> tuple[tuple[Dispatch, tuple[Receipt, ...]], ...]:
    """Return what is still to air somewhere, with its receipts."""
    known = [
        _dispatch(row)
        for row in session.execute(
            _select().where(_TABLE.c.recalled_at.is_(None), _TABLE.c.deadline > now).order_by(_TABLE.c.deadline)
        )
    ]
    its = receipts(session, [one.id for one in known]) if known else {}
    return tuple((one, its.get(one.id, ())) for one in known)


def sendings(session: Session, since: datetime, stations: Collection[StationCode] | None = None) -> tuple[Sending, ...]:
    """Return what plans obey: whatever was due at `since` or later, was not recalled, and where not released.

    stations: only what concerns these; a priority concerns everybody who may use the recording.
    """
    query = (
        select(_TABLE, _SEGMENT.c.title, _STATION.c.station, _STATION.c.copy, _STATION.c.wanted_until)
        .join(_SEGMENT, _SEGMENT.c.id == _TABLE.c.segment)
        .join(_STATION, _STATION.c.dispatch == _TABLE.c.id)
        .where(
            _TABLE.c.recalled_at.is_(None),
            _STATION.c.released_at.is_(None),
            or_(_TABLE.c.deadline >= since, _STATION.c.wanted_until >= since),
        )
        .order_by(_TABLE.c.id, _STATION.c.station)
    )
    if stations is not None:
        query = query.where(or_(_STATION.c.station.in_(stations), _TABLE.c.priority != Priority.NORMAL.value))
    by_dispatch: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in session.execute(query):
        by_dispatch[row.id].append(row)
    found = []
    for dispatch, rows in by_dispatch.items():
        first = rows[0]
        title = first.title[:_MOST_NAME]
        if first.deadline >= since and (first.must or first.priority != Priority.NORMAL.value):
            found.append(
                Sending(
                    id=dispatch,
                    name=f"Bắt buộc phát: {title}",
                    owner=first.owner,
                    segment=first.segment,
                    stations=tuple(row.station for row in rows),
                    sent_at=first.sent_at,
                    deadline=first.deadline,
                    must=first.must,
                    priority=Priority(first.priority),
                    document=first.document,
                    copies=tuple(row.copy for row in rows if row.copy is not None),
                )
            )
        found += [
            Sending(
                id=f"{dispatch}-{row.station}"[: _LONGEST_CODE - len(MARK)],
                name=f"Dùng cho tuần này: {title}",
                owner=first.owner,
                segment=row.copy or row.segment,
                stations=(row.station,),
                sent_at=first.sent_at,
                deadline=row.wanted_until,
                must=True,
            )
            for row in rows
            if row.wanted_until is not None and row.wanted_until >= since
        ]
    return tuple(found)


def _is_planned(slot: str, start: datetime | None, now: datetime) -> bool:
    """Return whether it stands in a station's plan; further ahead than a day the plan says its slot and no time."""
    return bool(slot) and (start is None or start > now)


def _aired(session: Session, rows: Iterable[Row[Any]]) -> Mapping[tuple[str, str], Aired]:
    """Return the airing that tells most of each item at each station, read for all of them at once."""
    wanted = [(row.dispatch, row.station, row.sent_at, {row.segment, row.copy} - {None}) for row in rows]
    segments = sorted({segment for *_, those in wanted for segment in those})
    by_place: dict[tuple[str, str], list[Row[Any]]] = defaultdict(list)
    for first in range(0, len(segments), 500):
        names = ("station", "segment", "slot", "planned_start", "began", "verdict", "rehearsal")
        query = select(*(_AIRING.c[name] for name in names))
        query = query.where(_AIRING.c.segment.in_(segments[first : first + 500]))
        for row in session.execute(query.order_by(_AIRING.c.planned_start)):
            by_place[row.segment, row.station].append(row)
    found = {}
    for dispatch, station, sent_at, those in wanted:
        mine = [row for segment in those for row in by_place[segment, station] if row.planned_start >= sent_at]
        whole = [row for row in mine if row.verdict == Verdict.AIRED.value]
        if mine:
            best = (
                min(whole, key=lambda row: row.planned_start) if whole else max(mine, key=lambda row: row.planned_start)
            )
            found[dispatch, station] = _as_aired(best)
    return found


def _as_aired(row: Row[Any]) -> Aired:
    return Aired(
        slot=row.slot,
        at=row.began or row.planned_start,
        verdict=Verdict(row.verdict),
        rehearsal=row.rehearsal,
    )


def _set(session: Session, dispatch: str, station: StationCode, condition: Any, **values: Any) -> bool:  # noqa: ANN401 - a clause
    where = and_(_STATION.c.dispatch == dispatch, _STATION.c.station == station, condition)
    return changed(session, update(_STATION).where(where).values(**values)) == 1


def _after(session: Session, query: Select[Any], before: str | None) -> Select[Any]:
    if before is None:
        return query
    mark = session.scalar(select(_TABLE.c.sent_at).where(_TABLE.c.id == before))
    if mark is None:
        return query.where(_TABLE.c.id.is_(None))
    return query.where(or_(_TABLE.c.sent_at < mark, and_(_TABLE.c.sent_at == mark, _TABLE.c.id < before)))


def _select() -> Select[Any]:
    sender = tables.person.alias("sender")
    return (
        select(
            _TABLE,
            _SEGMENT.c.title,
            _SEGMENT.c.programme,
            _SEGMENT.c.samples,
            _SEGMENT.c.state.label("segment_state"),
            sender.c.full_name.label("sender_name"),
        )
        .join(_SEGMENT, _SEGMENT.c.id == _TABLE.c.segment)
        .join(sender, sender.c.id == _TABLE.c.sent_by)
    )


def _dispatch(row: Row[Any]) -> Dispatch:
    return Dispatch(
        id=row.id,
        owner=row.owner,
        segment=row.segment,
        title=row.title,
        programme=row.programme,
        duration_s=row.samples / 48_000,
        segment_state=SegmentState(row.segment_state),
        must=row.must,
        priority=Priority(row.priority),
        deadline=row.deadline,
        document=row.document,
        note=row.note,
        revision=row.revision,
        sent_by=row.sender_name,
        sent_at=row.sent_at,
        recalled_at=row.recalled_at,
        recall_reason=row.recall_reason,
    )


def _receipt(row: Row[Any], aired: Aired | None) -> Receipt:
    return Receipt(
        dispatch=row.dispatch,
        station=row.station,
        received_by=row.receiver_name,
        received_at=row.received_at,
        copy=row.copy,
        wanted_until=row.wanted_until,
        used_by=row.user_name,
        used_at=row.used_at,
        declined_by=row.decliner_name,
        declined_at=row.declined_at,
        decline_reason=row.decline_reason,
        released_at=row.released_at,
        loaded_at=row.loaded_at,
        planned_slot=row.planned_slot,
        planned_start=row.planned_start,
        looked_at=row.looked_at,
        aired=aired,
    )
