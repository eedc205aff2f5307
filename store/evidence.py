"""What was heard of airings at their outputs: the copy of the stations' evidence rows, and the best and worst of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, insert, select
from sqlalchemy.orm import Session

from schedules.airing import Evidence
from schedules.station import StationCode
from store import tables

_TABLE = tables.evidence
_ENOUGH = 0.95
_NOTICED_S = 1.0
AIRCHECK = "aircheck"
"""The source of rows that name the recording of what went out; nothing was heard there."""

_RANK = {grade: place for place, grade in enumerate(Evidence)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One evidence row. share: 0 to 1 of the seconds that should sound, None where only the level was looked at.

    source: what heard it, `aircheck` where the row only names recordings. files: names of recordings it stands on.
    """

    station: StationCode
    seq: int
    hash: str
    slot: str
    at: datetime
    grade: Evidence
    output: str | None
    source: str
    offset_ms: float | None
    share: float | None
    matched_s: float | None
    silent_s: float
    foreign_s: float
    level_dbfs: float | None
    files: tuple[str, ...]

    @property
    def heard(self) -> bool:
        """Whether something listened."""
        return self.source != AIRCHECK

    @property
    def supports(self) -> bool:
        """Whether it says that what should sound did sound."""
        if not self.heard:
            return False
        if self.share is not None:
            return self.share >= _ENOUGH
        sounding_s = (self.matched_s or 0.0) + self.silent_s
        return sounding_s > 0 and self.silent_s <= (1 - _ENOUGH) * sounding_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """All that is known of one airing beside its verdict. best: None where nothing that was heard supports it.

    share: the least of any output. silent_s, foreign_s: the worst of any output.
    """

    best: Evidence | None = None
    share: float | None = None
    silent_s: float = 0.0
    foreign_s: float = 0.0

    @property
    def too_little(self) -> bool:
        """Whether too little of it was recognised at some output."""
        return self.share is not None and self.share < _ENOUGH

    @property
    def doubtful(self) -> bool:
        """Whether something was heard that should not be so."""
        return self.too_little or self.silent_s >= _NOTICED_S or self.foreign_s >= _NOTICED_S


def record(
    session: Session, station: StationCode, seq: int, row_hash: str, at: datetime, body: Mapping[str, Any]
) -> bool:
    """Copy an evidence row; False where it is here already, or names no airing. at: the row's time."""
    known = session.scalar(select(_TABLE.c.hash).where(_TABLE.c.station == station, _TABLE.c.seq == seq))
    if known is not None:
        return False
    grade = body.get("grade")
    session.execute(
        insert(_TABLE).values(
            station=station,
            seq=seq,
            hash=row_hash,
            slot=str(body.get("slot", ""))[:200],
            at=at,
            # A grade of a later version is kept in the body; here it counts for nothing.
            grade=grade if grade in set(Evidence) else Evidence.E0.value,
            body=dict(body),
        )
    )
    return "slot" in body


def last_seq(session: Session, station: StationCode) -> int:
    """Return the number of the newest evidence row that was copied, 0 where there is none."""
    return session.scalar(select(func.max(_TABLE.c.seq)).where(_TABLE.c.station == station)) or 0


def forget(session: Session, station: StationCode) -> None:
    """Empty the copy of one station, to rebuild it from its journal."""
    session.execute(delete(_TABLE).where(_TABLE.c.station == station))


def of_slot(session: Session, slot: str) -> tuple[Measurement, ...]:
    """Return every piece of evidence of one airing, oldest first."""
    rows = session.execute(select(_TABLE).where(_TABLE.c.slot == slot).order_by(_TABLE.c.seq))
    return tuple(_measurement(row) for row in rows)


def of_slots(session: Session, slots: Collection[str]) -> Mapping[str, Known]:
    """Return what is known of airings; those without evidence are left out."""
    by_slot: dict[str, list[Measurement]] = {}
    for some in _bundles(slots):
        for row in session.execute(select(_TABLE).where(_TABLE.c.slot.in_(some)).order_by(_TABLE.c.seq)):
            by_slot.setdefault(row.slot, []).append(_measurement(row))
    return {slot: known(found) for slot, found in by_slot.items()}


def known(found: Iterable[Measurement]) -> Known:
    """Return the best and the worst of one airing's evidence; of one output and source the newest row counts."""
    newest = {(one.output, one.source): one for one in found if one.heard}
    supporting = [one.grade for one in newest.values() if one.supports]
    shares = [one.share for one in newest.values() if one.share is not None]
    return Known(
        best=max(supporting, key=_RANK.__getitem__, default=None),
        share=min(shares, default=None),
        silent_s=max((one.silent_s for one in newest.values()), default=0.0),
        foreign_s=max((one.foreign_s for one in newest.values()), default=0.0),
    )


def better(one: Evidence, other: Evidence | None) -> Evidence:
    """Return the better grade of two, by E0 < E1 < E2 < E3 < H."""
    return one if other is None or _RANK[one] >= _RANK[other] else other


def _bundles(slots: Collection[str], most: int = 500) -> Iterable[list[str]]:
    # SQLite takes some 32,000 values in one statement, other databases fewer.
    every = list(dict.fromkeys(slots))
    return (every[first : first + most] for first in range(0, len(every), most))


def _measurement(row: Row[Any]) -> Measurement:
    body: Mapping[str, Any] = row.body
    return Measurement(
        station=row.station,
        seq=row.seq,
        hash=row.hash,
        slot=row.slot,
        at=row.at,
        grade=Evidence(row.grade),
        output=body.get("output"),
        source=str(body.get("source") or ""),
        offset_ms=body.get("offset_ms"),
        share=body.get("share"),
        matched_s=body.get("matched_s"),
        silent_s=float(body.get("silent_s") or 0.0),
        foreign_s=float(body.get("foreign_s") or 0.0),
        level_dbfs=body.get("level_dbfs"),
        files=tuple(str(file.get("name")) for file in body.get("files") or ()),
    )
