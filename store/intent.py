"""Everything decided, as the one snapshot that stations obey."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from schedules.intent import Intent
from store import (
    calendar_days,
    duties,
    exceptions,
    excuses,
    one_offs,
    programmes,
    segments,
    sessions,
    sources,
    stations,
    templates,
    units,
)
from store.revision import bump, current

__all__ = ["bump", "current", "load_intent"]

# Without news from the authority a station goes on for two weeks, then only duties air.
VALID_FOR = timedelta(days=14)
# What is over stays in the snapshot so long, so that the station can still settle it and say who took it out.
KEPT_FOR = timedelta(days=35)


def load_intent(session: Session, now: datetime, *, demo: bool) -> Intent:
    """Return everything that is decided at `now`."""
    since = now - KEPT_FOR
    return Intent(
        revision=current(session),
        issued_at=now,
        valid_until=now + VALID_FOR,
        units=units.every(session),
        stations=stations.every(session),
        programmes=programmes.every(session),
        segments=segments.airable(session),
        sessions=sessions.since(session, since),
        one_offs=one_offs.since(session, since),
        duties=duties.every(session),
        templates=templates.since(session, since),
        exceptions=exceptions.since(session, since, since.date()),
        calendar=calendar_days.every(session),
        excuses=excuses.in_force(session),
        sources=sources.every(session),
        demo=demo,
    )
