"""How much of a recording a person heard, and what an approval rested on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from schedules.segment import SegmentId
from schedules.station import UnitCode
from store import tables_texts
from store.accounts import Person
from store.rows import changed

_TABLE = tables_texts.listening
_APPROVAL = tables_texts.approval_listening
_RULE = tables_texts.listening_rule
# A player tells what it played a little late, and a clock is read twice.
_SLACK_S = 5
_UNHEARD_SHARE = 0.02
_UNHEARD_S = 2

Range = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What one person heard of one version. ranges: whole seconds, [first, end), in order and apart."""

    ranges: tuple[Range, ...]
    length_s: int
    heard_s: int

    @property
    def whole(self) -> bool:
        """Whether it was heard to its end, but for what a player skips at the seams."""
        missing = self.length_s - self.heard_s
        to_the_end = bool(self.ranges) and self.ranges[-1][1] >= self.length_s - 1
        return to_the_end and missing <= max(_UNHEARD_S, self.length_s * _UNHEARD_SHARE)


NOTHING = Heard(ranges=(), length_s=0, heard_s=0)


def merged(ranges: Iterable[Sequence[int]], length_s: int) -> tuple[Range, ...]:
    """Return ranges of seconds within the recording, in order, without overlaps."""
    found: list[Range] = []
    for first, end in sorted((max(0, one[0]), min(length_s, one[1])) for one in ranges):
        if end <= first:
            continue
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((first, end))
    return tuple(found)


def note(
    session: Session,
    *,
    segment: SegmentId,
    sha256: str,
    person: Person,
    ranges: Iterable[Sequence[int]],
    length_s: int,
    now: datetime,
) -> Heard:
    """Add what a player says was heard, and return all that counts.

    Nobody hears more seconds than went by: what is told beyond the time since the last report is not counted.
    """
    where = (_TABLE.c.segment == segment, _TABLE.c.sha256 == sha256, _TABLE.c.person == person.id)
    row = session.execute(select(_TABLE).where(*where)).one_or_none()
    if row is None:
        session.execute(
            insert(_TABLE).values(
                segment=segment,
                sha256=sha256,
                person=person.id,
                ranges=[],
                heard_s=0,
                length_s=length_s,
                begun_at=now,
                updated_at=now,
            )
        )
        return Heard(ranges=(), length_s=length_s, heard_s=0)
    before = merged(row.ranges, length_s)
    room_s = int((now - row.updated_at).total_seconds()) + _SLACK_S
    kept = _within(before, merged([*before, *ranges], length_s), room_s)
    heard_s = _seconds(kept)
    if heard_s > row.heard_s:
        session.execute(
            update(_TABLE).where(*where).values(ranges=[list(one) for one in kept], heard_s=heard_s, updated_at=now)
        )
    return Heard(ranges=kept, length_s=length_s, heard_s=heard_s)


def of_person(session: Session, person: Person, versions: Mapping[SegmentId, str]) -> dict[SegmentId, Heard]:
    """Return what the person heard of these versions (hash by recording); nothing for those never begun."""
    rows = session.execute(
        select(_TABLE).where(
            _TABLE.c.segment.in_(versions), _TABLE.c.person == person.id, _TABLE.c.sha256.in_(versions.values())
        )
    )
    return {
        row.segment: Heard(ranges=merged(row.ranges, row.length_s), length_s=row.length_s, heard_s=row.heard_s)
        for row in rows
        if versions.get(row.segment) == row.sha256
    }


def keep_approval(
    session: Session, *, segment: SegmentId, sha256: str, revision: int, person: Person, heard: Heard, now: datetime
) -> None:
    """Keep how much the approver had heard when they approved; what was undone and done again counts once."""
    session.execute(delete(_APPROVAL).where(_APPROVAL.c.segment == segment, _APPROVAL.c.at == now))
    session.execute(
        insert(_APPROVAL).values(
            segment=segment,
            at=now,
            sha256=sha256,
            revision=revision,
            person=person.id,
            heard_s=heard.heard_s,
            length_s=heard.length_s,
        )
    )


def approvals(session: Session, segment: SegmentId) -> dict[datetime, tuple[int, int]]:
    """Return how many seconds of how many were heard, by the moment of each approval of a recording."""
    rows = session.execute(select(_APPROVAL).where(_APPROVAL.c.segment == segment))
    return {row.at: (row.heard_s, row.length_s) for row in rows}


def set_rule(session: Session, unit: UnitCode, longer_than_s: int | None, *, person: Person, now: datetime) -> None:
    """Decide from which length on items of a unit are heard whole before they are approved; None: none of them."""
    values = {"longer_than_s": longer_than_s, "updated_by": person.id, "updated_at": now}
    if changed(session, update(_RULE).where(_RULE.c.unit == unit).values(**values)) == 0:
        session.execute(insert(_RULE).values(unit=unit, **values))


def rules(session: Session, units: Collection[UnitCode]) -> dict[UnitCode, int | None]:
    """Return what these units decided; a unit that decided nothing is not in it."""
    rows = session.execute(select(_RULE).where(_RULE.c.unit.in_(units)))
    return {row.unit: row.longer_than_s for row in rows}


def _seconds(ranges: Iterable[Range]) -> int:
    return sum(end - first for first, end in ranges)


def _within(before: tuple[Range, ...], wanted: tuple[Range, ...], room_s: int) -> tuple[Range, ...]:
    """Return `before` and as much of what is new in `wanted` as fits into `room_s` seconds, the earliest first."""
    left = room_s
    kept: list[Range] = list(before)
    for first, end in wanted:
        at = first
        for known_first, known_end in [*(one for one in before if first <= one[0] and one[1] <= end), (end, end)]:
            new = max(0, min(known_first - at, left))
            if new:
                kept.append((at, at + new))
                left -= new
            at = known_end
    return merged(kept, max((end for _first, end in wanted), default=0))
