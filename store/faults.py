"""The register of faults: what went wrong at which station, since when, until when, and who was told of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Select, delete, func, insert, or_, select, tuple_, update
from sqlalchemy.orm import Session

from schedules.station import StationCode, units_above
from schedules.text import Text
from store import accounts, stations, tables, units
from store.accounts import Role

KINDS = ("fault", "boot")
"""The kinds of journal rows that make the register: a start ends whatever was open before it."""

OPEN, CLOSED, ONCE, RESTARTED = "open", "closed", "once", "restarted"
_SAID = frozenset({"code", "state", "message", "message_en", "hint", "hint_en", "since"})
_TABLE = tables.fault
_NEWS = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Somebody who sees the fault on their pages since `at`."""

    name: str
    role: str
    unit: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault. seq, hash: of the row that opened it. until: None while it is open.

    state: open, closed, once (it happened and was over), restarted (the station stopped while it was open).
    message: None where the station told only the code. details: whatever else the row says, by name.
    trusted: whether the station believed its clock when it wrote `since`.
    """

    station: StationCode
    seq: int
    hash: str
    code: str
    state: str
    since: datetime
    until: datetime | None
    trusted: bool
    message: Text | None
    hint: Text | None
    details: Mapping[str, Any]
    told: tuple[Told, ...]

    @property
    def open(self) -> bool:
        """Whether it lasts."""
        return self.state == OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Where a page of the register ended."""

    open: bool
    since: datetime
    station: StationCode
    seq: int


def record(
    session: Session,
    station: StationCode,
    *,
    seq: int,
    row_hash: str,
    at: datetime,
    kind: str,
    trusted: bool,
    body: Mapping[str, Any],
    now: datetime,
) -> None:
    """Copy a row of one of `KINDS`, in order of number; one that was copied already changes nothing.

    at: the row's time. now: when those who see it are told.
    """
    if kind == "boot":
        _close(session, station, seq, at, state=RESTARTED)
        return
    code, state = str(body.get("code", ""))[:200], body.get("state")
    if state == CLOSED:
        _close(session, station, seq, at, state=CLOSED, code=code)
        return
    mine = (_TABLE.c.station == station, _TABLE.c.code == code, _TABLE.c.last_seq < seq)
    lasting = session.scalar(select(_TABLE.c.seq).where(*mine, _TABLE.c.state == OPEN))
    if state == OPEN and lasting is not None:
        # The same fault in other words: it began when it began.
        said = {"body": dict(body), "last_seq": seq}
        session.execute(update(_TABLE).where(_TABLE.c.station == station, _TABLE.c.seq == lasting).values(**said))
        return
    if session.scalar(select(_TABLE.c.seq).where(_TABLE.c.station == station, _TABLE.c.last_seq >= seq)) is not None:
        return
    session.execute(
        insert(_TABLE).values(
            station=station,
            seq=seq,
            last_seq=seq,
            hash=row_hash,
            code=code,
            since=at,
            until=None if state == OPEN else at,
            state=OPEN if state == OPEN else ONCE,
            trusted=trusted,
            body=dict(body),
            # What is copied long afterwards, such as by a new version, was news to nobody.
            told=[_told_json(one) for one in (whom(session, station, now) if now - at < _NEWS else ())],
        )
    )


def whom(session: Session, station: StationCode, now: datetime) -> tuple[Told, ...]:
    """Return who is told about a station: its unit's operators and approvers, and the centre of every unit above."""
    known = stations.find(session, station)
    if known is None:
        return ()
    above = units_above(units.every(session), known.unit)
    return tuple(
        Told(name=person.full_name, role=person.role.value, unit=person.unit, at=now)
        for account in accounts.every(session)
        if account.disabled_at is None
        for person in (account.person,)
        if (person.role in (Role.OPERATOR, Role.APPROVER) and person.unit == known.unit)
        or (person.role is Role.CENTRE and person.unit in above)
    )


def last_seq(session: Session, station: StationCode) -> int:
    """Return the number of the newest row that changed the register, 0 where there is none."""
    return session.scalar(select(func.max(_TABLE.c.last_seq)).where(_TABLE.c.station == station)) or 0


def forget(session: Session, station: StationCode) -> None:
    """Empty the register of one station, to rebuild it from its journal; who was told is then told anew."""
    session.execute(delete(_TABLE).where(_TABLE.c.station == station))


def listing(
    session: Session,
    *,
    stations: Collection[StationCode],
    open: bool | None = None,
    code: str = "",
    start: datetime | None = None,
    end: datetime | None = None,
    after: Mark | None = None,
    limit: int = 50,
) -> tuple[Fault, ...]:
    """Return faults, those that last first, then the newest. open: only these, or only the others; None for all.

    code: only codes that begin so. start, end: those that lasted at some time of `[start, end)`.
    """
    lasting = _TABLE.c.state == OPEN
    query: Select[Any] = select(_TABLE).where(_TABLE.c.station.in_(stations)).limit(limit)
    query = query.order_by(lasting.desc(), _TABLE.c.since.desc(), _TABLE.c.station.desc(), _TABLE.c.seq.desc())
    if open is not None:
        query = query.where(lasting if open else ~lasting)
    if code:
        query = query.where(_TABLE.c.code.startswith(code, autoescape=True))
    if start is not None:
        query = query.where(or_(_TABLE.c.until.is_(None), _TABLE.c.until >= start))
    if end is not None:
        query = query.where(_TABLE.c.since < end)
    if after is not None:
        keys = (_TABLE.c.since, _TABLE.c.station, _TABLE.c.seq)
        mark = tuple_(after.since, after.station, after.seq, types=[key.type for key in keys])
        older = tuple_(*keys) < mark
        query = query.where(or_(~lasting, older) if after.open else (~lasting & older))
    return tuple(_fault(row) for row in session.execute(query))


def count_open(session: Session, stations: Collection[StationCode]) -> int:
    """Return how many faults last now."""
    query = select(func.count()).where(_TABLE.c.station.in_(stations), _TABLE.c.state == OPEN)
    return session.scalar(query) or 0


def _close(
    session: Session, station: StationCode, seq: int, at: datetime, *, state: str, code: str | None = None
) -> None:
    query = update(_TABLE).where(_TABLE.c.station == station, _TABLE.c.state == OPEN, _TABLE.c.last_seq < seq)
    if code is not None:
        query = query.where(_TABLE.c.code == code)
    session.execute(query.values(state=state, until=at, last_seq=seq))


def _told_json(one: Told) -> dict[str, str]:
    return {"name": one.name, "role": one.role, "unit": one.unit, "at": one.at.isoformat()}


def _told(stored: Iterable[Mapping[str, str]]) -> tuple[Told, ...]:
    return tuple(
        Told(name=one["name"], role=one["role"], unit=one["unit"], at=datetime.fromisoformat(one["at"]))
        for one in stored
    )


def _fault(row: Row[Any]) -> Fault:
    body: Mapping[str, Any] = row.body
    return Fault(
        station=row.station,
        seq=row.seq,
        hash=row.hash,
        code=row.code,
        state=row.state,
        since=row.since,
        until=row.until,
        trusted=row.trusted,
        message=_text(body, "message"),
        hint=_text(body, "hint"),
        details={name: value for name, value in body.items() if name not in _SAID},
        told=_told(row.told),
    )


def _text(body: Mapping[str, Any], name: str) -> Text | None:
    vi = body.get(name)
    return None if vi is None else Text(str(vi), str(body.get(f"{name}_en", vi)))
