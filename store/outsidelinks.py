"""Links for people without an account: each opens one form, for one village, person or pole, until it ends."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, Select, and_, insert, or_, select, update
from sqlalchemy.orm import Session

from schedules.errors import Refused
from schedules.findings import Finding, Severity
from schedules.station import StationCode, UnitCode
from schedules.text import Text
from store import tables_public
from store.accounts import Person
from store.identity import fingerprint, new_id
from store.rows import changed

_TABLE = tables_public.outside_link
LONGEST_DAYS = 1100
MOST_QUOTA = 500
QUOTA_SPAN = timedelta(days=7)


class LinkKind(StrEnum):
    """What a link opens: the form of contributors, or the report of a broken loudspeaker."""

    CONTRIBUTE = "contribute"
    REPORT = "report"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideLink:
    """A link as its station knows it; the secret itself is kept by nobody here.

    village: a village, or the place of a pole. holder: whose link it is, empty where it is for everybody there.
    quota: how many forms within seven days.
    """

    id: str
    kind: LinkKind
    unit: UnitCode
    station: StationCode
    cluster: str
    village: str
    holder: str
    quota: int
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    used_at: datetime | None
    used: int

    def works(self, now: datetime) -> bool:
        """Return whether the form may be used."""
        return self.revoked_at is None and now < self.expires_at


def issue(
    session: Session,
    *,
    kind: LinkKind,
    unit: UnitCode,
    station: StationCode,
    cluster: str,
    village: str,
    holder: str,
    quota: int,
    days: int,
    person: Person,
    now: datetime,
) -> tuple[str, str]:
    """Return the id of a new link and its secret, which is shown this once. Raises Refused."""
    village, holder = " ".join(village.split()), " ".join(holder.split())
    if not village or len(village) > 200 or len(holder) > 200:
        raise Refused(
            _wrong(
                "village",
                "Hãy ghi tên thôn, tổ hoặc chỗ đặt loa (tối đa 200 ký tự). Chưa tạo liên kết.",
                "Name the village or the place of the loudspeaker (at most 200 characters). No link was made.",
            )
        )
    if not 1 <= days <= LONGEST_DAYS:
        raise Refused(
            _wrong(
                "days",
                f"Hãy chọn thời hạn từ 1 tới {LONGEST_DAYS} ngày. Chưa tạo liên kết.",
                f"Choose 1 to {LONGEST_DAYS} days. No link was made.",
            )
        )
    if not 1 <= quota <= MOST_QUOTA:
        raise Refused(
            _wrong(
                "quota",
                f"Hãy chọn từ 1 tới {MOST_QUOTA} tin mỗi tuần. Chưa tạo liên kết.",
                f"Choose 1 to {MOST_QUOTA} a week. No link was made.",
            )
        )
    # 128 bits: 22 letters still fit a small QR code that a cheap telephone reads from a pole.
    link, secret = new_id(), secrets.token_urlsafe(16)
    session.execute(
        insert(_TABLE).values(
            id=link,
            kind=kind.value,
            hash=fingerprint(secret),
            unit=unit,
            station=station,
            cluster=cluster,
            village=village,
            holder=holder,
            quota=quota,
            created_by=person.id,
            created_at=now,
            expires_at=now + timedelta(days=days),
            used=0,
        )
    )
    return link, secret


def opened_by(session: Session, secret: str, kind: LinkKind) -> OutsideLink | None:
    """Return the link of that secret, ended ones too; None where there is none."""
    if not 1 <= len(secret) <= 60:
        return None
    row = session.execute(_select().where(_TABLE.c.hash == fingerprint(secret), _TABLE.c.kind == kind.value)).first()
    return None if row is None else _link(row)


def find(session: Session, link: str) -> OutsideLink | None:
    """Return the link, or None."""
    row = session.execute(_select().where(_TABLE.c.id == link)).first()
    return None if row is None else _link(row)


def listing(
    session: Session,
    *,
    units: Collection[UnitCode],
    now: datetime,
    station: StationCode | None = None,
    before: str | None = None,
    limit: int = 50,
) -> tuple[OutsideLink, ...]:
    """Return links that work, newest first. before: the last id of the page before."""
    query = _select().where(_TABLE.c.unit.in_(units), _TABLE.c.revoked_at.is_(None), _TABLE.c.expires_at > now)
    if station is not None:
        query = query.where(_TABLE.c.station == station)
    if before is not None:
        mark = session.scalar(select(_TABLE.c.created_at).where(_TABLE.c.id == before))
        if mark is None:
            return ()
        query = query.where(or_(_TABLE.c.created_at < mark, and_(_TABLE.c.created_at == mark, _TABLE.c.id < before)))
    rows = session.execute(query.order_by(_TABLE.c.created_at.desc(), _TABLE.c.id.desc()).limit(limit))
    return tuple(_link(row) for row in rows)


def use(session: Session, link: str, now: datetime) -> None:
    """Count one form that came through the link."""
    session.execute(update(_TABLE).where(_TABLE.c.id == link).values(used=_TABLE.c.used + 1, used_at=now))


def revoke(session: Session, link: str, *, person: Person, now: datetime) -> bool:
    """End the link at once; False where it had ended before."""
    statement = update(_TABLE).where(_TABLE.c.id == link, _TABLE.c.revoked_at.is_(None))
    return changed(session, statement.values(revoked_at=now, revoked_by=person.id)) == 1


def forget_holders(session: Session, before: datetime) -> int:
    """Forget whose links they were that ended before that moment; return how many."""
    ended = or_(_TABLE.c.revoked_at < before, _TABLE.c.expires_at < before)
    return changed(session, update(_TABLE).where(ended, _TABLE.c.holder != "").values(holder=""))


def _select() -> Select[Any]:
    return select(_TABLE)


def _link(row: Row[Any]) -> OutsideLink:
    return OutsideLink(
        id=row.id,
        kind=LinkKind(row.kind),
        unit=row.unit,
        station=row.station,
        cluster=row.cluster,
        village=row.village,
        holder=row.holder,
        quota=row.quota,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        used_at=row.used_at,
        used=row.used,
    )


def _wrong(where: str, vi: str, en: str) -> Finding:
    return Finding(code=f"link_{where}", severity=Severity.ERROR, where=where, message=Text(vi, en))
