"""What anybody may hear again: approved, put up by a person, and really aired; taken back at once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, func, insert, or_, select, update
from sqlalchemy.orm import Session

from schedules.airing import Verdict
from schedules.grid import ItemKind
from schedules.programme import ProgrammeCode
from schedules.segment import SAMPLE_RATE_HZ, SegmentId, SegmentState
from schedules.station import StationCode
from store import tables, tables_public
from store.accounts import Person
from store.identity import new_id
from store.rows import changed

_TABLE = tables_public.publication
_SEGMENT = tables.segment
_AIRING = tables.airing


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicItem:
    """One item that strangers may hear. aired_at: when it first went out. No person's name is in it.

    media_bytes: length of the file they get, None while it is being made.
    """

    id: str
    station: StationCode
    segment: SegmentId
    sha256: str
    title: str
    programme: ProgrammeCode
    topics: tuple[str, ...]
    language: str
    length_s: float
    aired_at: datetime
    published_at: datetime
    media_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A recording that aired at a station, and whether it is public there. id: of its publication, None for never."""

    segment: SegmentId
    title: str
    programme: ProgrammeCode
    length_s: float
    aired_at: datetime | None
    id: str | None
    public: bool
    media_bytes: int | None


def publish(
    session: Session, *, station: StationCode, segment: SegmentId, sha256: str, person: Person, now: datetime
) -> str:
    """Put a recording up, again under the same id where it was up before; return the id."""
    known = session.execute(select(_TABLE).where(_TABLE.c.station == station, _TABLE.c.segment == segment)).first()
    if known is None:
        publication = new_id()
        session.execute(
            insert(_TABLE).values(
                id=publication,
                station=station,
                segment=segment,
                sha256=sha256,
                published_at=now,
                published_by=person.id,
            )
        )
        return publication
    values: dict[str, object] = {
        "published_at": now,
        "published_by": person.id,
        "withdrawn_at": None,
        "withdrawn_by": None,
    }
    if known.sha256 != sha256:
        values |= {"sha256": sha256, "media_bytes": None}
    session.execute(update(_TABLE).where(_TABLE.c.id == known.id).values(**values))
    return str(known.id)


def take_back(session: Session, *, station: StationCode, segment: SegmentId, person: Person, now: datetime) -> bool:
    """Take a recording off at once; False where it was not up."""
    up = (_TABLE.c.station == station, _TABLE.c.segment == segment, _TABLE.c.withdrawn_at.is_(None))
    return changed(session, update(_TABLE).where(*up).values(withdrawn_at=now, withdrawn_by=person.id)) == 1


def listing(
    session: Session,
    station: StationCode,
    *,
    rehearsals: bool,
    programme: ProgrammeCode | None = None,
    before: str | None = None,
    limit: int = 20,
) -> tuple[PublicItem, ...]:
    """Return what strangers may hear of a station, last put up first. rehearsals: also what virtual outputs heard."""
    query = _public(rehearsals).where(_TABLE.c.station == station, _TABLE.c.media_bytes.is_not(None))
    if programme is not None:
        query = query.where(_SEGMENT.c.programme == programme)
    if before is not None:
        mark = session.scalar(select(_TABLE.c.published_at).where(_TABLE.c.id == before))
        if mark is None:
            return ()
        query = query.where(
            or_(_TABLE.c.published_at < mark, and_(_TABLE.c.published_at == mark, _TABLE.c.id < before))
        )
    rows = session.execute(query.order_by(_TABLE.c.published_at.desc(), _TABLE.c.id.desc()).limit(limit))
    return tuple(_item(row) for row in rows)


def find(session: Session, station: StationCode, publication: str, *, rehearsals: bool) -> PublicItem | None:
    """Return an item that strangers may hear now, else None."""
    query = _public(rehearsals).where(
        _TABLE.c.station == station, _TABLE.c.id == publication, _TABLE.c.media_bytes.is_not(None)
    )
    row = session.execute(query).first()
    return None if row is None else _item(row)


def was_up(session: Session, station: StationCode, publication: str) -> bool:
    """Return whether strangers could once hear it: it is gone now, which is another thing than never there."""
    found = select(_TABLE.c.id).where(_TABLE.c.station == station, _TABLE.c.id == publication)
    return session.scalar(found) is not None


def programmes(session: Session, station: StationCode, *, rehearsals: bool) -> tuple[ProgrammeCode, ...]:
    """Return the programmes of which there is something to hear."""
    query = _public(rehearsals).where(_TABLE.c.station == station, _TABLE.c.media_bytes.is_not(None))
    return tuple(
        session.scalars(query.with_only_columns(_SEGMENT.c.programme).distinct().order_by(_SEGMENT.c.programme))
    )


def without_media(session: Session, limit: int) -> tuple[tuple[str, str], ...]:
    """Return id and hash of what is up and has no file for strangers yet."""
    query = (
        select(_TABLE.c.id, _TABLE.c.sha256)
        .where(_TABLE.c.withdrawn_at.is_(None), _TABLE.c.media_bytes.is_(None))
        .order_by(_TABLE.c.published_at)
    )
    return tuple((row.id, row.sha256) for row in session.execute(query.limit(limit)))


def media_made(session: Session, publication: str, *, sha256: str, size_bytes: int | None) -> None:
    """Keep how long the file is; None where it has to be made anew."""
    same = (_TABLE.c.id == publication, _TABLE.c.sha256 == sha256)
    session.execute(update(_TABLE).where(*same).values(media_bytes=size_bytes))


def media_to_keep(session: Session) -> frozenset[str]:
    """Return the hashes of which strangers may have the file."""
    return frozenset(session.scalars(select(_TABLE.c.sha256).where(_TABLE.c.withdrawn_at.is_(None))))


def candidates(
    session: Session, station: StationCode, *, since: datetime, rehearsals: bool, limit: int
) -> tuple[Candidate, ...]:
    """Return what aired at a station since then and could be public, last aired first, and whether it is."""
    aired = (
        select(_AIRING.c.segment, func.max(_AIRING.c.planned_start).label("aired_at"))
        .where(_AIRING.c.station == station, _AIRING.c.planned_start >= since, _AIRING.c.segment.is_not(None))
        # Nobody looks for signature tunes and greetings here.
        .where(_AIRING.c.kind.in_([ItemKind.SEGMENT.value, ItemKind.NOTICE.value]), *_heard(rehearsals))
        .group_by(_AIRING.c.segment)
        .subquery()
    )
    here = and_(_TABLE.c.segment == _SEGMENT.c.id, _TABLE.c.station == station)
    query = (
        select(
            _SEGMENT.c.id,
            _SEGMENT.c.title,
            _SEGMENT.c.programme,
            _SEGMENT.c.samples,
            aired.c.aired_at,
            _TABLE.c.id.label("publication"),
            _TABLE.c.withdrawn_at,
            _TABLE.c.media_bytes,
            _TABLE.c.sha256,
            _SEGMENT.c.sha256.label("present"),
        )
        .join(aired, aired.c.segment == _SEGMENT.c.id)
        .outerjoin(_TABLE, here)
        .where(_SEGMENT.c.state == SegmentState.APPROVED.value, ~_emergency())
        .order_by(aired.c.aired_at.desc(), _SEGMENT.c.id.desc())
        .limit(limit)
    )
    return tuple(
        Candidate(
            segment=row.id,
            title=row.title,
            programme=row.programme,
            length_s=row.samples / SAMPLE_RATE_HZ,
            aired_at=row.aired_at,
            id=row.publication,
            public=row.publication is not None and row.withdrawn_at is None and row.sha256 == row.present,
            media_bytes=row.media_bytes,
        )
        for row in session.execute(query)
    )


def is_emergency(session: Session, segment: SegmentId) -> bool:
    """Return whether the recording was made for emergencies, or went out as one."""
    return bool(session.scalar(select(_SEGMENT.c.id).where(_SEGMENT.c.id == segment, _emergency())))


def stations_with_items(session: Session, stations: Collection[StationCode]) -> frozenset[StationCode]:
    """Return those stations of which something is up."""
    asked = select(_TABLE.c.station).where(_TABLE.c.station.in_(stations), _TABLE.c.withdrawn_at.is_(None)).distinct()
    return frozenset(session.scalars(asked))


def _emergency() -> Any:  # noqa: ANN401 - SQLAlchemy's expressions are generic over nothing useful
    orders, texts = tables.emergency, tables.emergency_template
    return or_(_SEGMENT.c.id.in_(select(orders.c.segment)), _SEGMENT.c.id.in_(select(texts.c.segment)))


def _heard(rehearsals: bool) -> list[Any]:
    heard = [_AIRING.c.verdict == Verdict.AIRED.value, _AIRING.c.kind != ItemKind.EMERGENCY.value]
    return heard if rehearsals else [*heard, _AIRING.c.rehearsal.is_(False)]


def _public(rehearsals: bool) -> Select[Any]:
    """Return the one question on which everything public stands."""
    first = (
        select(func.min(_AIRING.c.planned_start))
        # Not a bare column: by the recording there are a few airings to look at, by the station five years of them.
        .where(_AIRING.c.segment == _TABLE.c.segment, _AIRING.c.station + "" == _TABLE.c.station, *_heard(rehearsals))
        .scalar_subquery()
    )
    return (
        select(
            _TABLE,
            _SEGMENT.c.title,
            _SEGMENT.c.programme,
            _SEGMENT.c.topics,
            _SEGMENT.c.language,
            _SEGMENT.c.samples,
            first.label("aired_at"),
        )
        .join(_SEGMENT, _SEGMENT.c.id == _TABLE.c.segment)
        .where(
            _TABLE.c.withdrawn_at.is_(None),
            _SEGMENT.c.state == SegmentState.APPROVED.value,
            _SEGMENT.c.sha256 == _TABLE.c.sha256,
            first.is_not(None),
            ~_emergency(),
        )
    )


def _item(row: Row[Any]) -> PublicItem:
    return PublicItem(
        id=row.id,
        station=row.station,
        segment=row.segment,
        sha256=row.sha256,
        title=row.title,
        programme=row.programme,
        topics=tuple(row.topics),
        language=row.language,
        length_s=row.samples / SAMPLE_RATE_HZ,
        aired_at=row.aired_at,
        published_at=row.published_at,
        media_bytes=row.media_bytes,
    )
