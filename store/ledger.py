"""The authority's own record of what people say about airings and issue: chained, signed, only ever added to."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import rfc8785
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey
from sqlalchemy import Row, insert, select
from sqlalchemy.orm import Session

from schedules.errors import Conflict, JournalBroken
from schedules.findings import Finding, Severity
from schedules.text import Text
from store import tables
from store.accounts import Person
from store.airings import LoggedAiring

CONFIRMATION, REMARK, ISSUED = "confirmation", "remark", "report"
_GENESIS = "0" * 64
_TABLE = tables.ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry. name, role, unit: of the person, as they were then. heard: None for a remark.

    row: number and hash of the verdict's row in the station's journal that it speaks of.
    """

    seq: int
    hash: str
    at: datetime
    kind: str
    slot: str
    station: str
    row: tuple[int, str]
    person: str
    name: str
    role: str
    unit: str
    heard: bool | None
    text: str

    @property
    def confirms(self) -> bool:
        """Whether a person says that they heard it."""
        return self.kind == CONFIRMATION and self.heard is True


def confirm(
    session: Session, airing: LoggedAiring, person: Person, *, heard: bool, text: str, now: datetime, key: SigningKey
) -> Entry:
    """Add that the person heard the airing, or did not. Raises Conflict where they have said so or otherwise before."""
    slot = airing.airing.slot
    said = (_TABLE.c.subject == slot, _TABLE.c.person == person.id, _TABLE.c.kind == CONFIRMATION)
    if session.scalar(select(_TABLE.c.seq).where(*said)) is not None:
        raise Conflict(_said_before())
    return _add(session, CONFIRMATION, airing, person, {"heard": heard, "text": text}, now, key)


def remark(
    session: Session, airing: LoggedAiring, person: Person, *, text: str, now: datetime, key: SigningKey
) -> Entry:
    """Add a remark about the airing."""
    return _add(session, REMARK, airing, person, {"text": text}, now, key)


def issued(
    session: Session, report: str, person: Person, *, says: Mapping[str, object], now: datetime, key: SigningKey
) -> int:
    """Add that the person issued a report, with the hashes of its content and files; return the entry's number.

    Its subject is `report/ID`, which no slot is called.
    """
    return _append(session, ISSUED, f"report/{report}", person, dict(says), now, key)


def of_slot(session: Session, slot: str) -> tuple[Entry, ...]:
    """Return what people said of one airing, oldest first."""
    return tuple(
        _entry(row) for row in session.execute(select(_TABLE).where(_TABLE.c.subject == slot).order_by(_TABLE.c.seq))
    )


def of_slots(session: Session, slots: Collection[str]) -> Mapping[str, tuple[Entry, ...]]:
    """Return what people said of airings; those of which nobody said anything are left out."""
    found: dict[str, tuple[Entry, ...]] = {}
    every = list(dict.fromkeys(slots))
    for first in range(0, len(every), 500):
        some = every[first : first + 500]
        for row in session.execute(select(_TABLE).where(_TABLE.c.subject.in_(some)).order_by(_TABLE.c.seq)):
            found[row.subject] = (*found.get(row.subject, ()), _entry(row))
    return found


def verify(session: Session, key: VerifyKey) -> tuple[int, str]:
    """Recompute chain and signatures; return the last number and hash. Raises JournalBroken at the first bad entry."""
    expected, previous = 1, _GENESIS
    for row in session.execute(select(_TABLE).order_by(_TABLE.c.seq)):
        if row.seq != expected:
            raise JournalBroken(expected, f"missing: entry {row.seq} stands in its place")
        if row.prev != previous:
            raise JournalBroken(row.seq, "does not continue the entry before it")
        if _hash(dict(row._mapping)) != row.hash:
            raise JournalBroken(row.seq, "its content does not fit its hash")
        try:
            key.verify(row.hash.encode(), bytes.fromhex(row.signature))
        except (BadSignatureError, ValueError) as error:
            raise JournalBroken(row.seq, "it is not signed by this authority") from error
        expected, previous = row.seq + 1, row.hash
    return expected - 1, previous


def _add(
    session: Session,
    kind: str,
    airing: LoggedAiring,
    person: Person,
    says: Mapping[str, object],
    now: datetime,
    key: SigningKey,
) -> Entry:
    row = {"station": airing.station, "row": airing.seq, "row_hash": airing.hash}
    seq = _append(session, kind, airing.airing.slot, person, {**says, **row}, now, key)
    return _entry(session.execute(select(_TABLE).where(_TABLE.c.seq == seq)).one())


def _append(
    session: Session,
    kind: str,
    subject: str,
    person: Person,
    says: Mapping[str, object],
    now: datetime,
    key: SigningKey,
) -> int:
    last = session.execute(select(_TABLE.c.seq, _TABLE.c.hash).order_by(_TABLE.c.seq.desc()).limit(1)).one_or_none()
    values: dict[str, Any] = {
        "seq": 1 if last is None else last.seq + 1,
        "prev": _GENESIS if last is None else last.hash,
        "time": now.isoformat(),
        "kind": kind,
        "subject": subject,
        "person": person.id,
        "body": {**says, "name": person.full_name, "role": person.role.value, "unit": person.unit},
    }
    values["hash"] = _hash(values)
    values["signature"] = bytes(key.sign(values["hash"].encode()).signature).hex()
    session.execute(insert(_TABLE).values(**values))
    seq: int = values["seq"]
    return seq


def _hash(values: Mapping[str, Any]) -> str:
    content = {name: values[name] for name in ("seq", "prev", "time", "kind", "subject", "person", "body")}
    return hashlib.sha256(rfc8785.dumps(content)).hexdigest()


def _entry(row: Row[Any]) -> Entry:
    body = row.body
    return Entry(
        seq=row.seq,
        hash=row.hash,
        at=datetime.fromisoformat(row.time),
        kind=row.kind,
        slot=row.subject,
        station=body["station"],
        row=(body["row"], body["row_hash"]),
        person=row.person,
        name=body["name"],
        role=body["role"],
        unit=body["unit"],
        heard=body.get("heard"),
        text=body["text"],
    )


def _said_before() -> Finding:
    return Finding(
        code="confirmed_before",
        severity=Severity.ERROR,
        message=Text(
            "Anh/chị đã xác nhận lượt phát này rồi. Xác nhận không sửa được.",
            "You have confirmed this airing before. A confirmation cannot be changed.",
        ),
        hint=Text("Cần nói thêm thì ghi nhận xét.", "To say more, add a remark."),
    )
