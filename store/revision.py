"""The number of the newest intent: grows with every change, in the transaction that makes the change."""

from __future__ import annotations

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from store import tables
from store.rows import changed

_TABLE = tables.revision


def current(session: Session) -> int:
    """Return the number of the newest intent; 0 where nothing was decided yet."""
    return session.scalar(select(_TABLE.c.revision)) or 0


def bump(session: Session) -> int:
    """Count a change of intent and return the new number."""
    if changed(session, update(_TABLE).values(revision=_TABLE.c.revision + 1)) == 0:
        session.execute(insert(_TABLE).values(id=1, revision=1))
    return current(session)
