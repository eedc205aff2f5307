"""Reports that were issued: their figures and files as they went out, never changed, and scans of what was signed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, func, insert, select, tuple_
from sqlalchemy.orm import Session

from schedules.station import UnitCode
from store import tables_reports
from store.identity import new_id

_REPORT = tables_reports.issued_report
_FILE = tables_reports.issued_file
_SCAN = tables_reports.report_scan


@dataclass(frozen=True, slots=True, kw_only=True)
class What:
    """What a report is of. kind: report, sheet or pay. station, programme: empty for all."""

    kind: str
    unit: UnitCode
    station: str = ""
    programme: str = ""
    period: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What it bears. day: the date on the paper."""

    number: str
    symbol: str
    place: str
    day: date
    signer_title: str
    signer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedFile:
    """One of its files; content is left out in lists."""

    format: str
    name: str
    sha256: str
    content: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """A picture or PDF of the paper as it was signed and stamped."""

    id: str
    report: str
    media_type: str
    sha256: str
    added_name: str
    added_at: datetime
    content: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedReport:
    """One issued report. version: 1 for the first; a later one supersedes the one before, for a reason.

    entry: its number in the authority's ledger. sha256: of the canonical JSON of `content`.
    prepared, issued: id and name of the persons, as they were called then.
    """

    id: str
    what: What
    version: int
    supersedes: str | None
    reason: str
    signed: Signed
    prepared: tuple[str, str]
    issued: tuple[str, str]
    issued_at: datetime
    content: Mapping[str, Any]
    sha256: str
    entry: int


def keep(session: Session, report: IssuedReport, files: Collection[IssuedFile]) -> None:
    """Keep an issued report with its files, for good."""
    what, signed = report.what, report.signed
    session.execute(
        insert(_REPORT).values(
            id=report.id,
            kind=what.kind,
            unit=what.unit,
            station=what.station,
            programme=what.programme,
            period=what.period,
            version=report.version,
            supersedes=report.supersedes,
            reason=report.reason,
            number=signed.number,
            symbol=signed.symbol,
            place=signed.place,
            day=signed.day,
            signer_title=signed.signer_title,
            signer=signed.signer,
            prepared_by=report.prepared[0],
            prepared_name=report.prepared[1],
            issued_by=report.issued[0],
            issued_name=report.issued[1],
            issued_at=report.issued_at,
            content=dict(report.content),
            sha256=report.sha256,
            entry=report.entry,
        )
    )
    for one in files:
        session.execute(
            insert(_FILE).values(
                report=report.id, format=one.format, name=one.name, sha256=one.sha256, content=one.content
            )
        )


def find(session: Session, report: str) -> IssuedReport | None:
    """Return it, or None."""
    row = session.execute(select(_REPORT).where(_REPORT.c.id == report)).one_or_none()
    return None if row is None else _issued(row)


def newest(session: Session, what: What) -> IssuedReport | None:
    """Return the version that stands, or None where none was issued."""
    row = session.execute(
        select(_REPORT)
        .where(
            _REPORT.c.kind == what.kind,
            _REPORT.c.unit == what.unit,
            _REPORT.c.station == what.station,
            _REPORT.c.programme == what.programme,
            _REPORT.c.period == what.period,
        )
        .order_by(_REPORT.c.version.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else _issued(row)


def successor(session: Session, report: str) -> str | None:
    """Return the report that superseded this one, None where it stands."""
    return session.scalar(select(_REPORT.c.id).where(_REPORT.c.supersedes == report))


def listing(
    session: Session,
    *,
    units: Collection[UnitCode],
    kind: str | None = None,
    before: tuple[datetime, str] | None = None,
    limit: int = 50,
) -> tuple[IssuedReport, ...]:
    """Return those of these units, the newest first. before: moment and id of the last one of the page before."""
    query = select(_REPORT).where(_REPORT.c.unit.in_(units)).limit(limit)
    query = query.order_by(_REPORT.c.issued_at.desc(), _REPORT.c.id.desc())
    if kind is not None:
        query = query.where(_REPORT.c.kind == kind)
    if before is not None:
        keys = (_REPORT.c.issued_at, _REPORT.c.id)
        query = query.where(tuple_(*keys) < tuple_(*before, types=[key.type for key in keys]))
    return tuple(_issued(row) for row in session.execute(query))


def count(session: Session, units: Collection[UnitCode]) -> int:
    """Return how many were issued."""
    return session.scalar(select(func.count()).select_from(_REPORT).where(_REPORT.c.unit.in_(units))) or 0


def files(session: Session, report: str) -> tuple[IssuedFile, ...]:
    """Return its files without their content."""
    rows = session.execute(
        select(_FILE.c.format, _FILE.c.name, _FILE.c.sha256).where(_FILE.c.report == report).order_by(_FILE.c.format)
    )
    return tuple(IssuedFile(format=row.format, name=row.name, sha256=row.sha256) for row in rows)


def file(session: Session, report: str, form: str) -> IssuedFile | None:
    """Return one of its files, or None."""
    row = session.execute(select(_FILE).where(_FILE.c.report == report, _FILE.c.format == form)).one_or_none()
    if row is None:
        return None
    return IssuedFile(format=row.format, name=row.name, sha256=row.sha256, content=row.content)


def by_hash(session: Session, sha256: str) -> tuple[str, str] | None:
    """Return id of the report that has a file or scan of this hash, and its format (`scan`); None for none."""
    row = session.execute(select(_FILE.c.report, _FILE.c.format).where(_FILE.c.sha256 == sha256).limit(1)).one_or_none()
    if row is not None:
        return row.report, row.format
    found = session.scalar(select(_SCAN.c.report).where(_SCAN.c.sha256 == sha256).limit(1))
    return None if found is None else (found, "scan")


def add_scan(
    session: Session,
    report: str,
    *,
    media_type: str,
    sha256: str,
    content: bytes,
    person: tuple[str, str],
    now: datetime,
) -> str:
    """Keep a scan of the signed paper, for good, and return its id. person: id and name."""
    made = new_id()
    session.execute(
        insert(_SCAN).values(
            id=made,
            report=report,
            media_type=media_type,
            sha256=sha256,
            content=content,
            added_by=person[0],
            added_name=person[1],
            added_at=now,
        )
    )
    return made


def scans(session: Session, report: str) -> tuple[Scan, ...]:
    """Return its scans without their content, oldest first."""
    columns = [column for column in _SCAN.c if column.name != "content"]
    rows = session.execute(select(*columns).where(_SCAN.c.report == report).order_by(_SCAN.c.added_at, _SCAN.c.id))
    return tuple(_scan(row) for row in rows)


def scan(session: Session, scan: str) -> Scan | None:
    """Return one scan with its content, or None."""
    row = session.execute(select(_SCAN).where(_SCAN.c.id == scan)).one_or_none()
    return None if row is None else _scan(row, row.content)


def _scan(row: Row[Any], content: bytes = b"") -> Scan:
    return Scan(
        id=row.id,
        report=row.report,
        media_type=row.media_type,
        sha256=row.sha256,
        added_name=row.added_name,
        added_at=row.added_at,
        content=content,
    )


def _issued(row: Row[Any]) -> IssuedReport:
    return IssuedReport(
        id=row.id,
        what=What(kind=row.kind, unit=row.unit, station=row.station, programme=row.programme, period=row.period),
        version=row.version,
        supersedes=row.supersedes,
        reason=row.reason,
        signed=Signed(
            number=row.number,
            symbol=row.symbol,
            place=row.place,
            day=row.day,
            signer_title=row.signer_title,
            signer=row.signer,
        ),
        prepared=(row.prepared_by, row.prepared_name),
        issued=(row.issued_by, row.issued_name),
        issued_at=row.issued_at,
        content=row.content,
        sha256=row.sha256,
        entry=row.entry,
    )
