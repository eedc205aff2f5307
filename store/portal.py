"""What was published on the portal, on Zalo and on the fanpage: items, the feeds they come from, the year's target."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, Select, and_, func, insert, or_, select, update
from sqlalchemy.orm import Session

from schedules.segment import SegmentId
from schedules.station import UnitCode
from store import tables, tables_dispatches
from store.accounts import Person
from store.identity import new_id
from store.rows import changed

_ITEM = tables_dispatches.portal_item
_FEED = tables_dispatches.portal_feed
_TARGET = tables_dispatches.portal_target

USUAL_TARGET = 20
"""Items a year, as letter 485/UBND-VX asks."""


class Place(StrEnum):
    """Where an item was published."""

    PORTAL = "portal"
    ZALO = "zalo"
    FANPAGE = "fanpage"


class ItemState(StrEnum):
    """Whether an item counts: what a feed brought waits for a person, unless its rule counts it."""

    WAITING = "waiting"
    COUNTED = "counted"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewItem:
    """An item as it is entered or brought. guid: the mark by which a feed knows it, hashed; None where entered."""

    owner: UnitCode
    title: str
    url: str
    published: date
    topics: tuple[str, ...] = ()
    place: Place = Place.PORTAL
    text: str = ""
    feed: str | None = None
    guid: str | None = None
    segment: SegmentId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One published item. added_by, decided_by: names of persons, None where Loa did it by a rule."""

    id: str
    content: NewItem
    state: ItemState
    added_by: str | None
    added_at: datetime
    decided_by: str | None
    decided_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A feed that is looked into. counts: what fits `words` counts without a person's look."""

    id: str
    owner: UnitCode
    name: str
    url: str
    words: tuple[str, ...]
    counts: bool
    fetched_at: datetime | None
    trouble: str


def add(session: Session, item: NewItem, *, state: ItemState, person: Person | None, now: datetime) -> str | None:
    """Keep an item and return its id; None where the unit has one of that mark already."""
    if item.guid is not None and session.scalar(
        select(_ITEM.c.id).where(_ITEM.c.owner == item.owner, _ITEM.c.guid == item.guid)
    ):
        return None
    made = new_id()
    session.execute(
        insert(_ITEM).values(
            id=made,
            owner=item.owner,
            title=item.title,
            url=item.url,
            published=item.published,
            topics=list(item.topics),
            place=item.place.value,
            text=item.text,
            state=state.value,
            feed=item.feed,
            guid=item.guid,
            segment=item.segment,
            added_by=None if person is None else person.id,
            added_at=now,
            decided_by=None if person is None or state is ItemState.WAITING else person.id,
            decided_at=None if state is ItemState.WAITING else now,
        )
    )
    return made


def decide(
    session: Session, item: str, state: ItemState, *, topics: tuple[str, ...] | None, person: Person, now: datetime
) -> bool:
    """Count it or not, in a person's name; False where it is so already. topics: as corrected, None to leave them."""
    values: dict[str, Any] = {"state": state.value, "decided_by": person.id, "decided_at": now}
    if topics is not None:
        values["topics"] = list(topics)
    return changed(session, update(_ITEM).where(_ITEM.c.id == item, _ITEM.c.state != state.value).values(**values)) == 1


def find(session: Session, item: str) -> Item | None:
    """Return the item, or None."""
    row = session.execute(_select().where(_ITEM.c.id == item)).one_or_none()
    return None if row is None else _item(row)


def listing(
    session: Session,
    owners: Collection[UnitCode],
    *,
    states: Collection[ItemState],
    year: int | None = None,
    before: str | None = None,
    limit: int = 50,
) -> tuple[Item, ...]:
    """Return items, the newest publication first. before: the last id of the page before."""
    query = _select().where(_ITEM.c.owner.in_(owners), _ITEM.c.state.in_([state.value for state in states]))
    if year is not None:
        query = query.where(_ITEM.c.published >= date(year, 1, 1), _ITEM.c.published < date(year + 1, 1, 1))
    if before is not None:
        mark = session.execute(select(_ITEM.c.published, _ITEM.c.id).where(_ITEM.c.id == before)).one_or_none()
        if mark is None:
            return ()
        query = query.where(
            or_(_ITEM.c.published < mark.published, and_(_ITEM.c.published == mark.published, _ITEM.c.id < mark.id))
        )
    query = query.order_by(_ITEM.c.published.desc(), _ITEM.c.id.desc()).limit(limit)
    return tuple(_item(row) for row in session.execute(query))


def counted(session: Session, owner: UnitCode, year: int) -> int:
    """Return how many items of a year count."""
    return (
        session.scalar(
            select(func.count())
            .select_from(_ITEM)
            .where(
                _ITEM.c.owner == owner,
                _ITEM.c.state == ItemState.COUNTED.value,
                _ITEM.c.published >= date(year, 1, 1),
                _ITEM.c.published < date(year + 1, 1, 1),
            )
        )
        or 0
    )


def target(session: Session, owner: UnitCode, year: int) -> tuple[int, str]:
    """Return how many items a unit has to publish that year, and by which document."""
    row = session.execute(
        select(_TARGET).where(_TARGET.c.owner == owner, _TARGET.c.year <= year).order_by(_TARGET.c.year.desc()).limit(1)
    ).one_or_none()
    return (USUAL_TARGET, "") if row is None else (row._mapping["count"], row.document)


def set_target(session: Session, owner: UnitCode, year: int, count: int, document: str) -> None:
    """Set how many items a unit has to publish from that year on."""
    where = and_(_TARGET.c.owner == owner, _TARGET.c.year == year)
    if changed(session, update(_TARGET).where(where).values(count=count, document=document)) == 0:
        session.execute(insert(_TARGET).values(owner=owner, year=year, count=count, document=document))


def add_feed(
    session: Session,
    *,
    owner: UnitCode,
    name: str,
    url: str,
    words: tuple[str, ...],
    counts: bool,
    person: Person,
    now: datetime,
) -> str:
    """Keep a feed and return its id."""
    made = new_id()
    session.execute(
        insert(_FEED).values(
            id=made,
            owner=owner,
            name=name,
            url=url,
            words=list(words),
            counts=counts,
            added_by=person.id,
            added_at=now,
            trouble="",
        )
    )
    return made


def remove_feed(session: Session, feed: str, now: datetime) -> bool:
    """Look into it no more; False where that was so."""
    return (
        changed(session, update(_FEED).where(_FEED.c.id == feed, _FEED.c.removed_at.is_(None)).values(removed_at=now))
        == 1
    )


def feeds(session: Session, owners: Collection[UnitCode] | None = None) -> tuple[Feed, ...]:
    """Return the feeds that are looked into, of all units or of these."""
    query = select(_FEED).where(_FEED.c.removed_at.is_(None)).order_by(_FEED.c.name, _FEED.c.id)
    if owners is not None:
        query = query.where(_FEED.c.owner.in_(owners))
    return tuple(_feed(row) for row in session.execute(query))


def note_fetch(session: Session, feed: str, *, trouble: str, now: datetime) -> None:
    """Keep when a feed was looked into, and what was wrong."""
    session.execute(update(_FEED).where(_FEED.c.id == feed).values(fetched_at=now, trouble=trouble[:500]))


def _select() -> Select[Any]:
    adder, decider = tables.person.alias("adder"), tables.person.alias("decider")
    return (
        select(_ITEM, adder.c.full_name.label("adder_name"), decider.c.full_name.label("decider_name"))
        .outerjoin(adder, adder.c.id == _ITEM.c.added_by)
        .outerjoin(decider, decider.c.id == _ITEM.c.decided_by)
    )


def _item(row: Row[Any]) -> Item:
    return Item(
        id=row.id,
        content=NewItem(
            owner=row.owner,
            title=row.title,
            url=row.url,
            published=row.published,
            topics=tuple(row.topics),
            place=Place(row.place),
            text=row.text,
            feed=row.feed,
            guid=row.guid,
            segment=row.segment,
        ),
        state=ItemState(row.state),
        added_by=row.adder_name,
        added_at=row.added_at,
        decided_by=row.decider_name,
        decided_at=row.decided_at,
    )


def _feed(row: Row[Any]) -> Feed:
    return Feed(
        id=row.id,
        owner=row.owner,
        name=row.name,
        url=row.url,
        words=tuple(row.words),
        counts=row.counts,
        fetched_at=row.fetched_at,
        trouble=row.trouble,
    )
