"""The weekly grid: sessions with their items, versioned so that no slot ever names two airings."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, insert, or_, select, update
from sqlalchemy.orm import Session

from schedules.grid import DayKind, NthWeekday, SessionItem, SessionRule
from schedules.station import StationCode
from store import exceptions, tables
from store import stations as known_stations
from store.identity import new_id, next_version, stands_in_a_slot
from store.rows import changed
from store.shapes import dumps, loads

_TABLE = tables.session_rule


def publish(session: Session, rule: SessionRule, now: datetime) -> SessionRule:
    """Put the rule in force and return it as it stands then. The caller bumps the intent.

    An unknown id is a new session (an empty one gets an id), due from its own `since` on. A known one keeps id and
    `since` where only its name, owner, items or length differ, or its dates from tomorrow on. Any other time,
    recurrence, template or target retires it at `now` and starts a new version under a new id: under the old one, an
    occurrence moved to later today would count as aired already. What was excepted stays so in the new version.
    Raises ValueError for an id that could not stand in a slot, or for items that share one.
    """
    rule = _named(rule)
    present = find(session, rule.station, rule.id)
    if present is None:
        _insert(session, rule)
        return rule
    today = _today(session, rule.station, now)
    if present.until is None and _times(present) == _times(rule) and _same_until(present, rule, today):
        rule = replace(rule, since=present.since, until=None)
        session.execute(_at(rule.station, rule.id).values(**_values(rule)))
        return rule
    return succeed(session, present, rule, now)


def publish_from(session: Session, rule: SessionRule, day: date, now: datetime) -> SessionRule:
    """Put the rule in force from the local date `day` on, and leave the one of its id as it is until the day before.

    Returns the new version, which has an id of its own. A day that is not in the future, or that no earlier version
    comes before, means from now on, as in `publish`. Raises ValueError as `publish`.
    """
    rule = _named(rule)
    present = find(session, rule.station, rule.id)
    begins_before = present is not None and (present.valid_from is None or present.valid_from < day)
    if present is None or present.until is not None or day <= _today(session, rule.station, now) or not begins_before:
        first = day if rule.valid_from is None else max(day, rule.valid_from)
        return publish(session, replace(rule, valid_from=first if present is None else rule.valid_from), now)
    last = day - timedelta(days=1)
    if present.valid_until is None or present.valid_until > last:
        session.execute(_at(present.station, present.id).values(valid_until=last))
    successor = replace(rule, id=_next_id(session, rule), since=now, until=None, valid_from=day)
    _insert(session, successor)
    exceptions.carry_over(session, present, successor, from_day=day)
    return successor


def succeed(session: Session, present: SessionRule, rule: SessionRule, now: datetime) -> SessionRule:
    """End `present` at `now` and let `rule` go on in its place under a new id. The caller bumps the intent."""
    remove(session, present.station, present.id, now)
    successor = replace(rule, id=_next_id(session, rule), since=now, until=None)
    _insert(session, successor)
    exceptions.carry_over(session, present, successor)
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


def since(
    session: Session, moment: datetime, stations: Collection[StationCode] | None = None
) -> tuple[SessionRule, ...]:
    """Return the rules that were in force at `moment` or later, in order of station and id. stations: None for all."""
    query = select(_TABLE).where(or_(_TABLE.c.until.is_(None), _TABLE.c.until > moment))
    if stations is not None:
        query = query.where(_TABLE.c.station.in_(stations))
    rows = session.execute(query.order_by(_TABLE.c.station, _TABLE.c.id))
    return tuple(_rule(row) for row in rows)


def _at(station: StationCode, rule: str) -> Any:  # noqa: ANN401 - SQLAlchemy's Update is generic over nothing useful
    return update(_TABLE).where(_TABLE.c.station == station, _TABLE.c.id == rule)


def _insert(session: Session, rule: SessionRule) -> None:
    session.execute(insert(_TABLE).values(station=rule.station, id=rule.id, **_values(rule)))


def _times(rule: SessionRule) -> tuple[object, ...]:
    """Return what names occurrences: where it differs, one slot could mean two airings."""
    return (
        frozenset(rule.weekdays),
        tuple(rule.starts),
        rule.every_weeks,
        rule.anchor if rule.every_weeks > 1 else None,
        frozenset(rule.month_days),
        frozenset(rule.nth_weekdays),
        frozenset(rule.only),
        rule.template,
        frozenset(rule.targets),
    )


def _same_until(present: SessionRule, rule: SessionRule, today: date) -> bool:
    """Return whether both mean the same dates up to and with `today`: other dates are not past yet."""
    began = (
        present.valid_from == rule.valid_from
        or min(day or date.min for day in (present.valid_from, rule.valid_from)) > today
    )
    ends = (
        present.valid_until == rule.valid_until
        or min(day or date.max for day in (present.valid_until, rule.valid_until)) >= today
    )
    return began and ends


def _today(session: Session, station: StationCode, now: datetime) -> date:
    known = known_stations.find(session, station)
    return now.astimezone(ZoneInfo(known.zone) if known is not None else now.tzinfo).date()


def _named(rule: SessionRule) -> SessionRule:
    """Return the rule with ids wherever one is missing; raises ValueError for ids that cannot be."""
    rule = replace(rule, id=rule.id or new_id(), items=tuple(_with_ids(rule.items)))
    if not stands_in_a_slot(rule.id):
        raise ValueError(f"a session's id is made of a-z, 0-9 and single dashes: {rule.id!r}")
    if len({item.id for item in rule.items}) != len(rule.items):
        raise ValueError("two items of one session share an id")
    return rule


def _with_ids(items: Iterable[SessionItem]) -> Iterable[SessionItem]:
    return (item if item.id else replace(item, id=new_id()) for item in items)


def _next_id(session: Session, rule: SessionRule) -> str:
    return next_version(rule.id, set(session.scalars(select(_TABLE.c.id).where(_TABLE.c.station == rule.station))))


def _values(rule: SessionRule) -> dict[str, object]:
    return {
        "name": rule.name,
        "weekdays": sorted(rule.weekdays),
        "starts": [start.isoformat() for start in rule.starts],
        "length_s": rule.length_s,
        "items": dumps(rule.items),
        "since": rule.since,
        "until": rule.until,
        "valid_from": rule.valid_from,
        "valid_until": rule.valid_until,
        "every_weeks": rule.every_weeks,
        "anchor": rule.anchor,
        "month_days": list(rule.month_days),
        "nth_weekdays": dumps(rule.nth_weekdays),
        "only": [kind.value for kind in rule.only],
        "template": rule.template,
        "owner": rule.owner,
        "targets": list(rule.targets),
    }


def _rule(row: Row[Any]) -> SessionRule:
    return SessionRule(
        id=row.id,
        station=row.station,
        name=row.name,
        weekdays=tuple(row.weekdays),
        starts=tuple(time.fromisoformat(start) for start in row.starts),
        length_s=row.length_s,
        items=loads(SessionItem, row.items),
        since=row.since,
        until=row.until,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        every_weeks=row.every_weeks,
        anchor=row.anchor,
        month_days=tuple(row.month_days),
        nth_weekdays=loads(NthWeekday, row.nth_weekdays),
        only=tuple(DayKind(kind) for kind in row.only),
        template=row.template,
        owner=row.owner,
        targets=tuple(row.targets),
    )
