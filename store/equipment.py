"""The register of equipment: devices with their record, spare parts, and which loudspeaker clusters work."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, func, insert, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from schedules.errors import Conflict
from schedules.findings import Finding, Severity
from schedules.station import GroupCode, Station, StationCode
from schedules.text import Text
from schedules.upkeep import TicketState
from store import steps, tables_equipment
from store.accounts import Person
from store.identity import new_id
from store.rows import changed
from store.steps import Subject

_TABLE = tables_equipment.device
_SPARE = tables_equipment.spare_part
_TICKET = tables_equipment.ticket


class DeviceKind(StrEnum):
    """What a device is."""

    AMPLIFIER = "amplifier"
    RECEIVER = "receiver"
    LOUDSPEAKER = "loudspeaker"
    MICROPHONE = "microphone"
    TRANSMITTER = "transmitter"
    MACHINE = "machine"
    POWER = "power"
    OTHER = "other"


class DeviceState(StrEnum):
    """How a device is. A retired one stays in the register."""

    WORKING = "working"
    WEAK = "weak"
    BROKEN = "broken"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What the asset record says of a device now. cluster: empty for what serves the whole station.

    latitude, longitude: degrees; both or none. contract: of maintenance, with whom and its number.
    """

    station: StationCode
    code: str
    kind: DeviceKind
    name: str = ""
    cluster: GroupCode = ""
    maker: str = ""
    model: str = ""
    serial: str = ""
    in_service: date | None = None
    warranty_until: date | None = None
    contract: str = ""
    contract_until: date | None = None
    place: str = ""
    latitude: float | None = None
    longitude: float | None = None
    state: DeviceState = DeviceState.WORKING
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A device of the register. revision: how often its sheet was written."""

    id: str
    sheet: Sheet
    created_at: datetime
    updated_at: datetime
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spare:
    """Spare parts of one kind that a station keeps. measure: what is counted, such as `cái` or `mét`."""

    id: str
    station: StationCode
    name: str
    measure: str
    quantity: int
    place: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterCount:
    """How many loudspeaker clusters a station has, and how many of them can be heard now."""

    working: int
    all: int
    silent: frozenset[GroupCode]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Where a page of devices ended."""

    station: StationCode
    code: str


def add(session: Session, sheet: Sheet, *, person: Person, now: datetime) -> Device:
    """Enter a device. Raises Conflict where the station has one with that code."""
    device = new_id()
    try:
        with session.begin_nested():
            session.execute(
                insert(_TABLE).values(id=device, created_at=now, updated_at=now, revision=1, **_columns(sheet))
            )
    except IntegrityError as error:
        raise Conflict(_code_taken(sheet.code)) from error
    steps.add(session, Subject.DEVICE, device, "added", at=now, person=person, details=_plain(sheet))
    return Device(id=device, sheet=sheet, created_at=now, updated_at=now, revision=1)


def change(session: Session, device: str, sheet: Sheet, *, revision: int, person: Person, now: datetime) -> bool:
    """Write the sheet anew; what it said before stays in the record. False where nothing differs.

    Raises Conflict where somebody else wrote it since `revision`, or the code is taken.
    """
    known = find(session, device)
    if known is None or known.revision != revision:
        raise Conflict(_written_meanwhile())
    before, after = _plain(known.sheet), _plain(sheet)
    differs = {name: [before.get(name, ""), after.get(name, "")] for name in before | after}
    differs = {name: both for name, both in differs.items() if both[0] != both[1]}
    if not differs:
        return False
    query = update(_TABLE).where(_TABLE.c.id == device, _TABLE.c.revision == revision)
    try:
        with session.begin_nested():
            done = changed(session, query.values(updated_at=now, revision=revision + 1, **_columns(sheet)))
    except IntegrityError as error:
        raise Conflict(_code_taken(sheet.code)) from error
    if done != 1:
        raise Conflict(_written_meanwhile())
    steps.add(session, Subject.DEVICE, device, "changed", at=now, person=person, details=differs)
    return True


def find(session: Session, device: str) -> Device | None:
    """Return the device, or None."""
    row = session.execute(select(_TABLE).where(_TABLE.c.id == device)).one_or_none()
    return None if row is None else _device(row)


def by_code(session: Session, station: StationCode) -> Mapping[str, Device]:
    """Return the devices of a station by code."""
    rows = session.execute(select(_TABLE).where(_TABLE.c.station == station))
    return {row.code: _device(row) for row in rows}


def listing(
    session: Session,
    *,
    stations: Collection[StationCode],
    kind: DeviceKind | None = None,
    state: DeviceState | None = None,
    cluster: GroupCode | None = None,
    after: Mark | None = None,
    limit: int = 50,
) -> tuple[Device, ...]:
    """Return devices in order of station and code; retired ones only where they are asked for."""
    keys = (_TABLE.c.station, _TABLE.c.code)
    query = select(_TABLE).where(_TABLE.c.station.in_(stations)).order_by(*keys).limit(limit)
    query = query.where(_TABLE.c.state == state.value if state else _TABLE.c.state != DeviceState.RETIRED.value)
    if kind is not None:
        query = query.where(_TABLE.c.kind == kind.value)
    if cluster is not None:
        query = query.where(_TABLE.c.cluster == cluster)
    if after is not None:
        query = query.where(tuple_(*keys) > tuple_(after.station, after.code, types=[key.type for key in keys]))
    return tuple(_device(row) for row in session.execute(query))


def counts(session: Session, stations: Collection[StationCode]) -> Mapping[DeviceState, int]:
    """Return how many devices are in each state."""
    rows = session.execute(
        select(_TABLE.c.state, func.count().label("n")).where(_TABLE.c.station.in_(stations)).group_by(_TABLE.c.state)
    )
    return {DeviceState(row.state): row.n for row in rows}


def working_clusters(session: Session, stations: Sequence[Station]) -> Mapping[StationCode, ClusterCount]:
    """Return how many clusters of each station can be heard now; a station without groups is one cluster.

    A cluster is silent while a ticket says so: of its own, or of the whole station.
    """
    rows = session.execute(
        select(_TICKET.c.station, _TICKET.c.cluster)
        .where(
            _TICKET.c.station.in_([station.code for station in stations]),
            _TICKET.c.state != TicketState.ACCEPTED.value,
            _TICKET.c.silent,
            _TICKET.c.silent_until.is_(None),
            # A single loudspeaker at some place that nobody knows the cluster of silences none.
            (_TICKET.c.cluster != "") | (_TICKET.c.place_key == ""),
        )
        .distinct()
    )
    down: dict[StationCode, set[GroupCode]] = {}
    for row in rows:
        down.setdefault(row.station, set()).add(row.cluster)
    return {station.code: _cluster_count(station, down.get(station.code, set())) for station in stations}


def spares(session: Session, stations: Collection[StationCode], *, limit: int = 500) -> tuple[Spare, ...]:
    """Return the spare parts of these stations, what has run out first."""
    rows = session.execute(
        select(_SPARE)
        .where(_SPARE.c.station.in_(stations))
        .order_by(_SPARE.c.quantity > 0, _SPARE.c.station, _SPARE.c.name)
        .limit(limit)
    )
    return tuple(_spare(row) for row in rows)


def find_spare(session: Session, spare: str) -> Spare | None:
    """Return the spare part, or None."""
    row = session.execute(select(_SPARE).where(_SPARE.c.id == spare)).one_or_none()
    return None if row is None else _spare(row)


def keep_spare(session: Session, spare: Spare, *, text: str, person: Person, now: datetime) -> Spare:
    """Enter a spare part (without an id), or write how many there are now; each count stays in its record."""
    known = find_spare(session, spare.id) if spare.id else None
    values = {
        "station": spare.station,
        "name": spare.name[:200],
        "measure": spare.measure[:20],
        "quantity": spare.quantity,
        "place": spare.place[:200],
        "note": spare.note[:1000],
        "updated_at": now,
    }
    if known is None:
        spare = replace(spare, id=new_id())
        session.execute(insert(_SPARE).values(id=spare.id, **values))
    else:
        session.execute(update(_SPARE).where(_SPARE.c.id == spare.id).values(**values))
    details = {"from": 0 if known is None else known.quantity, "to": spare.quantity, "name": spare.name}
    what = "added" if known is None else "changed"
    steps.add(session, Subject.SPARE, spare.id, what, at=now, person=person, text=text, details=details)
    return spare


def _cluster_count(station: Station, down: Collection[GroupCode]) -> ClusterCount:
    every = frozenset(group.code for group in station.groups) or frozenset({""})
    silent = every if "" in down else every & frozenset(down)
    return ClusterCount(working=len(every - silent), all=len(every), silent=silent)


def _columns(sheet: Sheet) -> dict[str, Any]:
    values = {one.name: getattr(sheet, one.name) for one in fields(sheet)}
    return values | {"kind": sheet.kind.value, "state": sheet.state.value}


def _plain(sheet: Sheet) -> dict[str, str | float]:
    """Return what the sheet says, as it is kept in the record: nothing for what is empty."""
    values = {one.name: getattr(sheet, one.name) for one in fields(sheet)}
    said = {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}
    return {
        name: str(value) if isinstance(value, StrEnum) else value
        for name, value in said.items()
        if value not in ("", None)
    }


def _device(row: Row[Any]) -> Device:
    return Device(
        id=row.id,
        sheet=Sheet(
            station=row.station,
            code=row.code,
            kind=DeviceKind(row.kind),
            name=row.name,
            cluster=row.cluster,
            maker=row.maker,
            model=row.model,
            serial=row.serial,
            in_service=row.in_service,
            warranty_until=row.warranty_until,
            contract=row.contract,
            contract_until=row.contract_until,
            place=row.place,
            latitude=row.latitude,
            longitude=row.longitude,
            state=DeviceState(row.state),
            note=row.note,
        ),
        created_at=row.created_at,
        updated_at=row.updated_at,
        revision=row.revision,
    )


def _spare(row: Row[Any]) -> Spare:
    return Spare(
        id=row.id,
        station=row.station,
        name=row.name,
        measure=row.measure,
        quantity=row.quantity,
        place=row.place,
        note=row.note,
    )


def _code_taken(code: str) -> Finding:
    return Finding(
        code="code_taken",
        severity=Severity.ERROR,
        where="code",
        message=Text(
            f"Đài đã có thiết bị mang mã {code}. Chưa lưu gì.",
            f"The station has a device with the code {code} already. Nothing was saved.",
        ),
    )


def _written_meanwhile() -> Finding:
    return Finding(
        code="device_written",
        severity=Severity.ERROR,
        message=Text(
            "Thiết bị này vừa được người khác sửa. Chưa lưu gì. Hãy mở lại rồi sửa tiếp.",
            "Somebody else has just changed this device. Nothing was saved. Open it again.",
        ),
    )
