"""The authority's copy of what stations reported: a projection of their journals that can be rebuilt at any time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, tuple_
from sqlalchemy.orm import Session

from schedules.airing import Airing, Evidence, OutputCount, Part, Verdict
from schedules.clock import utc
from schedules.programme import ProgrammeCode
from schedules.station import StationCode
from schedules.text import Text
from schedules.verdicts import WHOLE
from store import tables

_TABLE = tables.airing


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedAiring:
    """One row of the air log with its place in the station's journal."""

    station: StationCode
    seq: int
    hash: str
    airing: Airing


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Where a page of the air log ended."""

    planned_start: datetime
    station: StationCode
    seq: int


def record(session: Session, station: StationCode, seq: int, row_hash: str, airing: Airing) -> bool:
    """Copy a verdict row; False where the row with that number is here already (a journal never changes a row)."""
    known = session.scalar(select(_TABLE.c.hash).where(_TABLE.c.station == station, _TABLE.c.seq == seq))
    if known is not None:
        return False
    session.execute(insert(_TABLE).values(**values(station, seq, row_hash, airing)))
    return True


def values(station: StationCode, seq: int, row_hash: str, airing: Airing) -> dict[str, Any]:
    """Return a verdict row as its columns, for those who copy many at once."""
    body = _body(airing)
    return {
        "station": station,
        "seq": seq,
        "hash": row_hash,
        "slot": airing.slot,
        "kind": airing.kind,
        "programme": airing.programme,
        "verdict": airing.verdict.value,
        "planned_start": airing.planned_start,
        "rehearsal": airing.rehearsal,
        "body": body,
        **reported(body),
    }


def reported(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what stands beside the body of a row for those who count: all of it is in the body as well."""
    outputs = body["outputs"]
    expected = body["samples_expected"]
    return {
        "segment": body["segment"],
        "began": _moment(body["started_at"]),
        "seconds": body["seconds_aired"],
        "clusters": len(outputs),
        "clusters_whole": sum(output["samples"] >= max(1, WHOLE * expected) for output in outputs),
    }


def last_seq(session: Session, station: StationCode) -> int:
    """Return the number of the newest verdict row that was copied, 0 where there is none."""
    return session.scalar(select(func.max(_TABLE.c.seq)).where(_TABLE.c.station == station)) or 0


def forget(session: Session, station: StationCode) -> None:
    """Empty the copy of one station, to rebuild it from its journal."""
    session.execute(delete(_TABLE).where(_TABLE.c.station == station))


def listing(
    session: Session,
    *,
    stations: Collection[StationCode],
    start: datetime | None = None,
    end: datetime | None = None,
    programme: ProgrammeCode | None = None,
    verdicts: Collection[Verdict] = (),
    kinds: Collection[str] = (),
    newest_first: bool = False,
    after: Mark | None = None,
    limit: int = 50,
) -> tuple[LoggedAiring, ...]:
    """Return rows whose planned start is in `[start, end)`, in order of it. after: the last row of the page before."""
    keys = (_TABLE.c.planned_start, _TABLE.c.station, _TABLE.c.seq)
    query = select(_TABLE).where(_TABLE.c.station.in_(stations)).limit(limit)
    query = query.order_by(*(key.desc() if newest_first else key for key in keys))
    if start is not None:
        query = query.where(_TABLE.c.planned_start >= start)
    if end is not None:
        query = query.where(_TABLE.c.planned_start < end)
    if programme is not None:
        query = query.where(_TABLE.c.programme == programme)
    if verdicts:
        query = query.where(_TABLE.c.verdict.in_([verdict.value for verdict in verdicts]))
    if kinds:
        query = query.where(_TABLE.c.kind.in_(kinds))
    if after is not None:
        mark = tuple_(after.planned_start, after.station, after.seq, types=[key.type for key in keys])
        query = query.where(tuple_(*keys) < mark if newest_first else tuple_(*keys) > mark)
    return tuple(_logged(row) for row in session.execute(query))


def of_slot(session: Session, slot: str) -> LoggedAiring | None:
    """Return the newest row about the slot, or None."""
    row = session.execute(
        select(_TABLE).where(_TABLE.c.slot == slot).order_by(_TABLE.c.seq.desc()).limit(1)
    ).one_or_none()
    return None if row is None else _logged(row)


def of_segment(
    session: Session, segment: str, *, since: datetime, stations: Collection[StationCode]
) -> tuple[LoggedAiring, ...]:
    """Return the airings of one recording planned since then, newest first."""
    rows = session.execute(
        select(_TABLE)
        .where(_TABLE.c.segment == segment, _TABLE.c.planned_start >= since, _TABLE.c.station.in_(stations))
        .order_by(_TABLE.c.planned_start.desc())
    )
    return tuple(map(_logged, rows))


def last_whole(session: Session, station: StationCode) -> Mapping[str, datetime]:
    """Return when each recording last aired whole at a station, however long ago; rehearsals count too."""
    began = func.max(func.coalesce(_TABLE.c.began, _TABLE.c.planned_start), type_=_TABLE.c.planned_start.type)
    rows = session.execute(
        select(_TABLE.c.segment, began.label("began"))
        .where(_TABLE.c.station == station, _TABLE.c.verdict == Verdict.AIRED.value, _TABLE.c.segment.is_not(None))
        .group_by(_TABLE.c.segment)
    )
    return {row.segment: row.began for row in rows}


def counts(
    session: Session, *, stations: Collection[StationCode], start: datetime, end: datetime
) -> Mapping[Verdict, int]:
    """Return how many rows of `[start, end)` have each verdict; rehearsals are counted too."""
    rows = session.execute(
        select(_TABLE.c.verdict, func.count().label("n"))
        .where(_TABLE.c.station.in_(stations), _TABLE.c.planned_start >= start, _TABLE.c.planned_start < end)
        .group_by(_TABLE.c.verdict)
    )
    return {Verdict(row.verdict): row.n for row in rows}


def _logged(row: Row[Any]) -> LoggedAiring:
    return LoggedAiring(station=row.station, seq=row.seq, hash=row.hash, airing=_airing(row.body))


def _body(airing: Airing) -> dict[str, object]:
    return {
        "slot": airing.slot,
        "station": airing.station,
        "kind": airing.kind,
        "programme": airing.programme,
        "segment": airing.segment,
        "title": airing.title,
        "sha256": airing.sha256,
        "topics": list(airing.topics),
        "planned_start": airing.planned_start.isoformat(),
        "planned_end": airing.planned_end.isoformat(),
        "started_at": _iso(airing.started_at),
        "ended_at": _iso(airing.ended_at),
        "seconds_aired": airing.seconds_aired,
        "samples_aired": airing.samples_aired,
        "samples_expected": airing.samples_expected,
        "bit_exact": airing.bit_exact,
        "start_error_s": airing.start_error_s,
        "holes_s": airing.holes_s,
        "parts": [
            {
                "first": part.first,
                "next": part.next,
                "started_at": _iso(part.started_at),
                "ended_at": _iso(part.ended_at),
            }
            for part in airing.parts
        ],
        "outputs": [
            {"name": output.name, "kind": output.kind, "samples": output.samples, "grade": output.grade.value}
            for output in airing.outputs
        ],
        "verdict": airing.verdict.value,
        "reason": None if airing.reason is None else {"vi": airing.reason.vi, "en": airing.reason.en},
        "rehearsal": airing.rehearsal,
        "evidence": airing.evidence.value,
        "self_approved": airing.self_approved,
        "by": airing.by,
        "duty": airing.duty,
    }


def _airing(body: Mapping[str, Any]) -> Airing:
    return Airing(
        slot=body["slot"],
        station=body["station"],
        kind=body["kind"],
        programme=body["programme"],
        segment=body["segment"],
        title=body["title"],
        sha256=body["sha256"],
        topics=tuple(body["topics"]),
        planned_start=_required(body["planned_start"]),
        planned_end=_required(body["planned_end"]),
        started_at=_moment(body["started_at"]),
        ended_at=_moment(body["ended_at"]),
        seconds_aired=body["seconds_aired"],
        samples_aired=body["samples_aired"],
        samples_expected=body["samples_expected"],
        bit_exact=body["bit_exact"],
        start_error_s=body["start_error_s"],
        holes_s=body["holes_s"],
        parts=tuple(
            Part(
                first=part["first"],
                next=part["next"],
                started_at=_moment(part["started_at"]),
                ended_at=_moment(part["ended_at"]),
            )
            for part in body["parts"]
        ),
        outputs=tuple(
            OutputCount(
                name=output["name"],
                kind=output["kind"],
                samples=output["samples"],
                grade=Evidence(output["grade"]),
            )
            for output in body["outputs"]
        ),
        verdict=Verdict(body["verdict"]),
        reason=None if body["reason"] is None else Text(body["reason"]["vi"], body["reason"]["en"]),
        rehearsal=body["rehearsal"],
        evidence=Evidence(body["evidence"]),
        self_approved=body["self_approved"],
        by=body["by"],
        duty=body["duty"],
    )


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _moment(text: str | None) -> datetime | None:
    return None if text is None else _required(text)


def _required(text: str) -> datetime:
    return utc(datetime.fromisoformat(text))
