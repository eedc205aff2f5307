"""Who may approve in a leader's place, in which unit, from when until when: named by a person, never by a rule."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from schedules.station import UnitCode
from store import tables, tables_notices
from store.accounts import Person
from store.identity import new_id
from store.rows import changed

_TABLE = tables_notices.deputy


@dataclass(frozen=True, slots=True, kw_only=True)
class Deputy:
    """One naming. leader, person: ids. revoked_at: when it was taken back before its end."""

    id: str
    unit: UnitCode
    leader: str
    leader_name: str
    person: str
    person_name: str
    since: datetime
    until: datetime
    reason: str
    named_at: datetime
    revoked_at: datetime | None

    @property
    def last(self) -> datetime:
        """The last moment of it, for people: an end at midnight belongs to the day before."""
        return self.until - timedelta(seconds=1)

    def stands(self, now: datetime) -> bool:
        """Return whether the deputy may approve now."""
        return self.revoked_at is None and self.since <= now < self.until


def name(
    session: Session,
    *,
    unit: UnitCode,
    leader: Person,
    person: Person,
    since: datetime,
    until: datetime,
    reason: str,
    named_by: Person,
    now: datetime,
) -> str:
    """Keep that `person` approves for `leader` in `[since, until)` and return the id of it."""
    made = new_id()
    session.execute(
        insert(_TABLE).values(
            id=made,
            unit=unit,
            leader=leader.id,
            person=person.id,
            since=since,
            until=until,
            reason=reason[:500],
            named_by=named_by.id,
            named_at=now,
        )
    )
    return made


def revoke(session: Session, deputy: str, *, person: Person, now: datetime) -> bool:
    """Take a naming back; False where it is unknown, over or taken back already."""
    mine = (_TABLE.c.id == deputy, _TABLE.c.revoked_at.is_(None), _TABLE.c.until > now)
    return changed(session, update(_TABLE).where(*mine).values(revoked_at=now, revoked_by=person.id)) == 1


def units_of(session: Session, person: str, now: datetime) -> frozenset[UnitCode]:
    """Return the units in which the person approves for somebody now; a leader who left names nobody any more."""
    leader = tables.person
    rows = session.scalars(
        select(_TABLE.c.unit)
        .join(leader, leader.c.id == _TABLE.c.leader)
        .where(
            _TABLE.c.person == person,
            _TABLE.c.revoked_at.is_(None),
            _TABLE.c.since <= now,
            _TABLE.c.until > now,
            leader.c.disabled_at.is_(None),
        )
    )
    return frozenset(rows)


def listing(session: Session, units: Collection[UnitCode], *, since: datetime, limit: int = 100) -> tuple[Deputy, ...]:
    """Return the namings of these units that end after `since`, the newest first."""
    leader, deputy = tables.person.alias("leader"), tables.person.alias("deputy_person")
    rows = session.execute(
        select(_TABLE, leader.c.full_name.label("leader_name"), deputy.c.full_name.label("person_name"))
        .join(leader, leader.c.id == _TABLE.c.leader)
        .join(deputy, deputy.c.id == _TABLE.c.person)
        .where(_TABLE.c.unit.in_(units), _TABLE.c.until > since)
        .order_by(_TABLE.c.named_at.desc(), _TABLE.c.id)
        .limit(limit)
    )
    return tuple(
        Deputy(
            id=row.id,
            unit=row.unit,
            leader=row.leader,
            leader_name=row.leader_name,
            person=row.person,
            person_name=row.person_name,
            since=row.since,
            until=row.until,
            reason=row.reason,
            named_at=row.named_at,
            revoked_at=row.revoked_at,
        )
        for row in rows
    )
