"""Schedules under the pencil: one draft a person and station, with what the grid was when it was begun."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from json import dumps as to_json
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.orm import Session

from schedules.pencil import AddException, AddWeek, Edit, EndSession, Folded, SetSession, Step, TakeBack
from schedules.station import StationCode
from schedules.text import Text
from store import exceptions, sessions, tables, templates
from store.rows import changed
from store.shapes import dump, dumps, load
from store.tables_plans import grid_draft

_TABLE = grid_draft
_KINDS: dict[str, type[Edit]] = {
    "set_session": SetSession,
    "end_session": EndSession,
    "add_exception": AddException,
    "take_back": TakeBack,
    "add_week": AddWeek,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a person has pencilled for a station. base: fingerprint of the grid then; version: grows with each change.

    dropped: the steps that were thrown away last.
    """

    person: str
    station: StationCode
    base: str
    base_revision: int
    base_at: datetime
    changed_at: datetime
    version: int = 0
    steps: tuple[Step, ...] = ()
    dropped: tuple[Step, ...] = ()

    @property
    def edits(self) -> tuple[Edit, ...]:
        """All edits in order."""
        return tuple(edit for step in self.steps for edit in step.edits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pencil:
    """That somebody has a draft for a station: who, how many steps, when last."""

    person: str
    name: str
    station: StationCode
    steps: int
    changed_at: datetime


def find(session: Session, person: str, station: StationCode) -> Draft | None:
    """Return the draft, also one that holds nothing but what was thrown away; None where there is none."""
    row = session.execute(select(_TABLE).where(_TABLE.c.person == person, _TABLE.c.station == station)).one_or_none()
    return None if row is None else _draft(row)


def of_person(session: Session, person: str) -> tuple[Draft, ...]:
    """Return the person's drafts that hold steps, by station."""
    rows = session.execute(select(_TABLE).where(_TABLE.c.person == person).order_by(_TABLE.c.station))
    return tuple(draft for draft in map(_draft, rows) if draft.steps)


def of_stations(session: Session, stations: Collection[StationCode]) -> tuple[Pencil, ...]:
    """Return whose drafts there are for these stations, without what is in them; at most 500."""
    who = tables.person
    rows = session.execute(
        select(_TABLE.c.person, who.c.full_name, _TABLE.c.station, _TABLE.c.steps, _TABLE.c.changed_at)
        .join(who, who.c.id == _TABLE.c.person)
        .where(_TABLE.c.station.in_(stations))
        .order_by(_TABLE.c.changed_at.desc(), _TABLE.c.person)
        .limit(500)
    )
    return tuple(
        Pencil(
            person=row.person, name=row.full_name, station=row.station, steps=len(row.steps), changed_at=row.changed_at
        )
        for row in rows
        if row.steps
    )


def save(session: Session, draft: Draft) -> Draft | None:
    """Keep the draft as its next version; None where it was changed in another window since it was read."""
    after = replace(draft, version=draft.version + 1)
    values = {
        "base": after.base,
        "base_revision": after.base_revision,
        "base_at": after.base_at,
        "changed_at": after.changed_at,
        "version": after.version,
        "steps": [_step(step) for step in after.steps],
        "dropped": [_step(step) for step in after.dropped],
    }
    mine = (_TABLE.c.person == draft.person, _TABLE.c.station == draft.station)
    if draft.version == 0:
        if session.execute(select(_TABLE.c.version).where(*mine)).one_or_none() is not None:
            return None
        session.execute(insert(_TABLE).values(person=draft.person, station=draft.station, **values))
        return after
    seen = update(_TABLE).where(*mine, _TABLE.c.version == draft.version)
    return after if changed(session, seen.values(**values)) == 1 else None


def close(session: Session, draft: Draft) -> bool:
    """Put the pencil away; False where the draft was changed or closed since it was read."""
    statement = delete(_TABLE).where(
        _TABLE.c.person == draft.person, _TABLE.c.station == draft.station, _TABLE.c.version == draft.version
    )
    return changed(session, statement) == 1


def fingerprint(session: Session, station: StationCode) -> str:
    """Return what the grid of a station is now, as one hash: the same until somebody changes it."""
    known = [
        dumps(sessions.in_force(session, station)),
        dumps(templates.in_force(session, station)),
        dumps(exceptions.in_force(session, station)),
    ]
    return sha256(to_json(known, sort_keys=True).encode()).hexdigest()


def apply(session: Session, station: StationCode, change: Folded, now: datetime) -> dict[str, str]:
    """Put what a draft comes to in force, and return the names of its sessions there by their names here.

    The caller bumps the intent, and looks at what it did before it keeps it.
    """
    known = {rule.id for rule in sessions.in_force(session, station)}
    for template in change.weeks:
        templates.publish(session, replace(template, since=now), now)
    for exception in change.taken_back:
        exceptions.take_back(session, exception.id, now)
    # Before the sessions: what is decided about a session goes over to its next version.
    for exception in change.added:
        if exception.session in known:
            exceptions.decide(session, exception, now)
    called: dict[str, str] = {}
    # What ends or moves away first, so that ids are free and nothing is there twice.
    for before, after in sorted(change.rules, key=lambda pair: pair[1] is not None):
        if after is None:
            if before is not None:
                sessions.remove(session, station, before.id, now)
        else:
            rule = after if after.id in known else replace(after, since=now)
            called[sessions.publish(session, rule, now).id] = after.id
    for exception in change.added:
        if exception.session not in known:
            exceptions.decide(session, exception, now)
    return called


def _step(step: Step) -> dict[str, object]:
    return {
        "words": dump(step.words),
        "at": step.at.isoformat(),
        "edits": [{"kind": _NAMES[type(edit)], **dump(edit)} for edit in step.edits],
    }


def _load_step(stored: dict[str, Any]) -> Step:
    return Step(
        words=load(Text, stored["words"]),
        at=datetime.fromisoformat(stored["at"]),
        edits=tuple(_load_edit(edit) for edit in stored["edits"]),
    )


def _load_edit(stored: dict[str, Any]) -> Edit:
    kind: Any = _KINDS[stored["kind"]]
    edit: Edit = load(kind, {name: value for name, value in stored.items() if name != "kind"})
    return edit


def _steps(stored: Sequence[Any]) -> tuple[Step, ...]:
    return tuple(_load_step(step) for step in stored)


def _draft(row: Row[Any]) -> Draft:
    return Draft(
        person=row.person,
        station=row.station,
        base=row.base,
        base_revision=row.base_revision,
        base_at=row.base_at,
        changed_at=row.changed_at,
        version=row.version,
        steps=_steps(row.steps),
        dropped=_steps(row.dropped),
    )


__all__ = ["Draft", "Pencil", "apply", "close", "find", "fingerprint", "of_person", "of_stations", "save"]
