"""The list of sources that sessions may relay."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, delete, insert, select
from sqlalchemy.orm import Session

from schedules.sources import RelaySource, SourceCode, SourceKind, StreamFormat
from store import tables
from store.rows import changed

_TABLE = tables.relay_source


def save(session: Session, source: RelaySource) -> None:
    """Keep a source; one of the same code is changed. The caller bumps the intent."""
    remove(session, source.code)
    session.execute(
        insert(_TABLE).values(
            code=source.code,
            name=source.name,
            kind=source.kind.value,
            address=source.address,
            hosts=list(source.hosts),
            format=None if source.format is None else source.format.value,
        )
    )


def remove(session: Session, code: SourceCode) -> bool:
    """Forget a source; False where there was none. The caller bumps the intent."""
    return changed(session, delete(_TABLE).where(_TABLE.c.code == code)) == 1


def every(session: Session) -> tuple[RelaySource, ...]:
    """Return all sources, by code."""
    return tuple(_source(row) for row in session.execute(select(_TABLE).order_by(_TABLE.c.code)))


def _source(row: Row[Any]) -> RelaySource:
    return RelaySource(
        code=row.code,
        name=row.name,
        kind=SourceKind(row.kind),
        address=row.address,
        hosts=tuple(row.hosts),
        format=None if row.format is None else StreamFormat(row.format),
    )
