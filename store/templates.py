"""Week templates: a season, Tết, one replaced day; versioned like sessions, and their sessions with them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, or_, select, update
from sqlalchemy.orm import Session

from schedules.grid import DayKind, WeekTemplate
from schedules.station import StationCode
from store import sessions, tables
from store.identity import new_id, next_version, stands_in_a_slot
from store.rows import changed

_TABLE = tables.week_template


def publish(session: Session, template: WeekTemplate, now: datetime) -> WeekTemplate:
    """Put the template in force and return it as it stands then. The caller bumps the intent.

    An unknown id is a new one (an empty one gets an id), which decides from its own `since` on. A known one keeps its
    id where only its name or document differs. Otherwise it ends at `now`, and a new version begins under a new id
    with new versions of its sessions: what it decided before stays as it was.
    Raises ValueError for an id that could not stand in an address.
    """
    template = replace(template, id=template.id or new_id())
    if not stands_in_a_slot(template.id):
        raise ValueError(f"a template's id is made of a-z, 0-9 and single dashes: {template.id!r}")
    present = find(session, template.station, template.id)
    if present is None:
        _insert(session, template)
        return template
    if present.until is None and _decides(present) == _decides(template):
        statement = update(_TABLE).where(_TABLE.c.station == template.station, _TABLE.c.id == template.id)
        session.execute(statement.values(name=template.name, document=template.document))
        return replace(template, since=present.since, until=None)
    taken = set(session.scalars(select(_TABLE.c.id).where(_TABLE.c.station == template.station)))
    successor = replace(template, id=next_version(template.id, taken), since=now, until=None)
    _insert(session, successor)
    for rule in sessions.in_force(session, template.station):
        if rule.template == template.id:
            sessions.succeed(session, rule, replace(rule, template=successor.id), now)
    remove(session, template.station, template.id, now)
    return successor


def remove(session: Session, station: StationCode, template: str, now: datetime) -> bool:
    """End the template and its sessions at `now`; False where it is unknown or has ended. The caller bumps."""
    for rule in sessions.in_force(session, station):
        if rule.template == template:
            sessions.remove(session, station, rule.id, now)
    statement = update(_TABLE).where(_TABLE.c.station == station, _TABLE.c.id == template, _TABLE.c.until.is_(None))
    return changed(session, statement.values(until=now)) == 1


def find(session: Session, station: StationCode, template: str) -> WeekTemplate | None:
    """Return the template, ended or not, or None."""
    row = session.execute(select(_TABLE).where(_TABLE.c.station == station, _TABLE.c.id == template)).one_or_none()
    return None if row is None else _template(row)


def in_force(session: Session, station: StationCode) -> tuple[WeekTemplate, ...]:
    """Return the templates of the station that have not been ended, in order of id."""
    rows = session.execute(
        select(_TABLE).where(_TABLE.c.station == station, _TABLE.c.until.is_(None)).order_by(_TABLE.c.id)
    )
    return tuple(_template(row) for row in rows)


def since(
    session: Session, moment: datetime, stations: Collection[StationCode] | None = None
) -> tuple[WeekTemplate, ...]:
    """Return the templates that were in force at `moment` or later, in order of station and id. stations: None: all."""
    query = select(_TABLE).where(or_(_TABLE.c.until.is_(None), _TABLE.c.until > moment))
    if stations is not None:
        query = query.where(_TABLE.c.station.in_(stations))
    rows = session.execute(query.order_by(_TABLE.c.station, _TABLE.c.id))
    return tuple(_template(row) for row in rows)


def _decides(template: WeekTemplate) -> tuple[object, ...]:
    return template.priority, template.valid_from, template.valid_until, frozenset(template.day_kinds)


def _insert(session: Session, template: WeekTemplate) -> None:
    session.execute(
        insert(_TABLE).values(
            station=template.station,
            id=template.id,
            name=template.name,
            priority=template.priority,
            valid_from=template.valid_from,
            valid_until=template.valid_until,
            day_kinds=[kind.value for kind in template.day_kinds],
            document=template.document,
            since=template.since,
            until=template.until,
        )
    )


def _template(row: Row[Any]) -> WeekTemplate:
    return WeekTemplate(
        id=row.id,
        station=row.station,
        name=row.name,
        priority=row.priority,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        day_kinds=tuple(DayKind(kind) for kind in row.day_kinds),
        document=row.document,
        since=row.since,
        until=row.until,
    )
