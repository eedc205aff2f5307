"""The weekly grid: sessions with their items, versioned so that no slot ever names two airings."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, time
from typing import Any

from sqlalchemy import Row, insert, or_, select, update
from sqlalchemy.orm import Session

from schedules.grid import ItemKind, SessionItem, SessionRule
from schedules.station import StationCode
from store import tables
from store.identity import new_id
from store.rows import changed

_TABLE = tables.session_rule
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def publish(session: Session, rule: SessionRule, now: datetime) -> SessionRule:
    """Put the rule in force and return it as it stands then. The caller bumps the intent.

    An unknown id is a new session (an empty one gets an id), due from its own `since` on. A known one keeps id and
    `since` where only its name, items, length or dates differ. Other times or weekdays retire it at `now` and start
    a new version under a new id: under the old one, an occurrence moved to later today would count as aired already.
    Raises ValueError for an id that could not stand in a slot, or for items that share one.
    """
    rule = replace(rule, id=rule.id or new_id(), items=tuple(_named(rule.items)))
    if len(rule.id) > 40 or not _ID.fullmatch(rule.id):
        raise ValueError(f"a session's id is made of a-z, 0-9 and single dashes: {rule.id!r}")
    if len({item.id for item in rule.items}) != len(rule.items):
        raise ValueError("two items of one session share an id")
    present = find(session, rule.station, rule.id)
    if present is None:
        session.execute(insert(_TABLE).values(station=rule.station, id=rule.id, **_values(rule)))
        return rule
    if present.until is None and _times(present) == _times(rule):
        rule = replace(rule, since=present.since, until=None)
        session.execute(_at(rule.station, rule.id).values(**_values(rule)))
        return rule
    remove(session, rule.station, rule.id, now)
    successor = replace(rule, id=_next_id(session, rule), since=now, until=None)
    session.execute(insert(_TABLE).values(station=successor.station, id=successor.id, **_values(successor)))
    return successor


def remove(session: Session, station: StationCode, rule: str, now: datetime) -> bool:
    """End the rule at `now`; False where it is unknown or has ended. The caller bumps the intent."""
    return changed(session, _at(station, rule).where(_TABLE.c.until.is_(None)).values(until=now)) == 1


def find(session: Session, station: StationCode, rule: str) -> SessionRule | None:
    """Return the rule, ended or not, or None."""
    row = session.execute(select(_TABLE).where(_TABLE.c.station == station, _TABLE.c.id == rule)).one_or_none()
    return None if row is None else _rule(row)


def in_force(session: Session, station: StationCode) -> tuple[SessionRule, ...]:
    """Return the rules of the station that have not been ended, in order of id."""
    rows = session.execute(
        select(_TABLE).where(_TABLE.c.station == station, _TABLE.c.until.is_(None)).order_by(_TABLE.c.id)
    )
    return tuple(_rule(row) for row in rows)


def since(session: Session, moment: datetime) -> tuple[SessionRule, ...]:
    """Return the rules of all stations that were in force at `moment` or later, in order of station and id."""
    rows = session.execute(
        select(_TABLE)
        .where(or_(_TABLE.c.until.is_(None), _TABLE.c.until > moment))
        .order_by(_TABLE.c.station, _TABLE.c.id)
    )
    return tuple(_rule(row) for row in rows)


def _at(station: StationCode, rule: str) -> Any:  # noqa: ANN401 - SQLAlchemy's Update is generic over nothing useful
    return update(_TABLE).where(_TABLE.c.station == station, _TABLE.c.id == rule)


def _times(rule: SessionRule) -> tuple[object, ...]:
    return tuple(sorted(rule.weekdays)), tuple(rule.starts)


def _named(items: Iterable[SessionItem]) -> Iterable[SessionItem]:
    return (item if item.id else replace(item, id=new_id()) for item in items)


def _next_id(session: Session, rule: SessionRule) -> str:
    stem = re.sub(r"-\d+$", "", rule.id)[:34].rstrip("-")
    taken = set(session.scalars(select(_TABLE.c.id).where(_TABLE.c.station == rule.station)))
    number = 2
    while f"{stem}-{number}" in taken:
        number += 1
    return f"{stem}-{number}"


def _values(rule: SessionRule) -> dict[str, object]:
    return {
        "name": rule.name,
        "weekdays": sorted(rule.weekdays),
        "starts": [start.isoformat() for start in rule.starts],
        "length_s": rule.length_s,
        "items": [
            {
                "id": item.id,
                "kind": item.kind.value,
                "programme": item.programme,
                "segment": item.segment,
                "optional": item.optional,
            }
            for item in rule.items
        ],
        "since": rule.since,
        "until": rule.until,
        "valid_from": rule.valid_from,
        "valid_until": rule.valid_until,
    }


def _rule(row: Row[Any]) -> SessionRule:
    return SessionRule(
        id=row.id,
        station=row.station,
        name=row.name,
        weekdays=tuple(row.weekdays),
        starts=tuple(time.fromisoformat(start) for start in row.starts),
        length_s=row.length_s,
        items=tuple(
            SessionItem(
                id=item["id"],
                kind=ItemKind(item["kind"]),
                programme=item["programme"],
                segment=item["segment"],
                optional=item["optional"],
            )
            for item in row.items
        ),
        since=row.since,
        until=row.until,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
    )
