"""Sample texts of a unit, beside those that come with Loa."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.orm import Session

from schedules.station import UnitCode
from store import tables_texts
from store.accounts import Person
from store.identity import new_id
from store.rows import changed

_TABLE = tables_texts.script_template
_MOST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A text to begin from; places to fill stand in square brackets.

    owner: the unit that wrote it, empty for one that comes with Loa. kind, programme, topic: what it is meant for,
    empty where for anything.
    """

    id: str
    owner: UnitCode
    name: str
    body: str
    kind: str = ""
    programme: str = ""
    topic: str = ""


def save(session: Session, sample: Sample, *, person: Person, now: datetime) -> str:
    """Keep a sample; one without an id is new. Returns its id."""
    values = {
        "name": sample.name,
        "body": sample.body,
        "kind": sample.kind,
        "programme": sample.programme,
        "topic": sample.topic,
        "updated_by": person.id,
        "updated_at": now,
    }
    if sample.id:
        session.execute(update(_TABLE).where(_TABLE.c.id == sample.id).values(**values))
        return sample.id
    identity = new_id()
    session.execute(insert(_TABLE).values(id=identity, owner=sample.owner, **values))
    return identity


def remove(session: Session, sample: str, *, now: datetime) -> bool:
    """Take a sample out of the list; False where there is none."""
    statement = update(_TABLE).where(_TABLE.c.id == sample, _TABLE.c.removed_at.is_(None)).values(removed_at=now)
    return changed(session, statement) == 1


def find(session: Session, sample: str) -> Sample | None:
    """Return a sample, None where there is none."""
    row = session.execute(select(_TABLE).where(_TABLE.c.id == sample, _TABLE.c.removed_at.is_(None))).one_or_none()
    return None if row is None else _sample(row)


def of_units(session: Session, owners: Collection[UnitCode]) -> tuple[Sample, ...]:
    """Return the samples of these units, by name."""
    rows = session.execute(
        select(_TABLE)
        .where(_TABLE.c.owner.in_(owners), _TABLE.c.removed_at.is_(None))
        .order_by(_TABLE.c.name, _TABLE.c.id)
        .limit(_MOST)
    )
    return tuple(_sample(row) for row in rows)


def _sample(row: Row[Any]) -> Sample:
    return Sample(
        id=row.id,
        owner=row.owner,
        name=row.name,
        body=row.body,
        kind=row.kind,
        programme=row.programme,
        topic=row.topic,
    )
