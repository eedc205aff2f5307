"""Chờ duyệt: what waits for this leader, each to be heard and approved in two taps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from flask import Blueprint
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from schedules.rundown import RundownItem
from schedules.segment import SegmentState
from schedules.station import Station
from store import listening, scripts, segments
from store.listening import NOTHING, Heard
from store.segments import SegmentRecord
from webui.auth import allowed
from webui.pages.answers import latest
from webui.pages.formats import DEFAULT_ZONE, local, minutes, moment_short
from webui.pages.items import Recording, recording
from webui.pages.layout import page
from webui.pages.scope import Scope, door, now, scope
from webui.rights import can
from webui.services import services

_MOST = 30
_AHEAD = timedelta(days=7)
_SOON = timedelta(hours=24)
_LOOKED_AT = 5
"""An item for all stations: so many of them are looked at for the window that it would fill."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One recording that waits. own: the reader made it and the station asks for another pair of eyes."""

    record: SegmentRecord
    recording: Recording
    where: str
    zone: str
    own: bool
    airs: str
    soon: bool


def routes(pages: Blueprint) -> None:
    """Add the route."""
    pages.add_url_rule("/duyet", "approvals", approvals)


@allowed("segments.approve")
def approvals() -> AnyResponse:
    """Show what waits, oldest first."""
    mine = scope()
    with services().database.reading() as session:
        waiting = segments.listing(session, owners=mine.unit_codes, states=(SegmentState.SUBMITTED,), limit=_MOST)
        done = segments.listing(session, owners=mine.unit_codes, states=(SegmentState.APPROVED,), limit=_MOST)
        versions = {record.id: record.audio.sha256 for record in waiting if record.audio is not None}
        known = listening.of_person(session, mine.person, versions)
        wished = scripts.wishes(session, versions)
    ordered = sorted(waiting, key=lambda record: record.updated_at)
    cards = [card for record in ordered if (card := _card(mine, record, known.get(record.id, NOTHING)))]
    cards = [_wished(card, wished.get(card.record.id)) for card in cards]
    return page(
        "approvals.html",
        active="approve",
        today=local(now()).date(),
        cards=cards,
        scope=mine,
        last=latest([record.approved_at for record in done]),
    )


def _card(mine: Scope, record: SegmentRecord, known: Heard) -> Card | None:
    station = next((s for s in mine.stations if s.code == record.card.station), None)
    heard = recording(record, known)
    if heard is None or not can(mine.person, "segments.approve", station or record.card.owner):
        return None
    own = mine.person.id in {record.uploader, record.audio_by}
    places = _places(record, (station,) if station else mine.stations[:_LOOKED_AT])
    due = min((item.due for item in places if item.sha256 is None), default=None)
    return Card(
        record=record,
        recording=heard,
        where=station.name if station else mine.unit_name(record.card.owner),
        zone=station.zone if station else DEFAULT_ZONE,
        own=own and not (station.self_approval if station else False),
        airs=_airs(due, bool(places), station.zone if station else DEFAULT_ZONE),
        soon=due is not None and due - now() < _SOON,
    )


def _wished(card: Card, start: datetime | None) -> Card:
    """Return the card with the time at which its text asks to be aired, where that is still to come."""
    if start is None or start <= now():
        return card
    words = _("Duyệt xong, máy phát lúc %(time)s như yêu cầu.", time=moment_short(start, card.zone))
    return replace(card, airs=words, soon=card.soon or start - now() < _SOON)


def _places(record: SegmentRecord, stations: Sequence[Station]) -> list[RundownItem]:
    """Return the places of the programme at any of the stations within a week, with and without a recording."""
    moment = now()
    return [
        item
        for station in stations
        if (its := door(station.code)) is not None and (rundown := its.plan(moment, moment + _AHEAD)) is not None
        for item in rundown.items
        if item.programme == record.card.programme and item.due > moment and item.cancelled_by is None
    ]


def _airs(due: datetime | None, has_place: bool, zone: str) -> str:
    if due is None and not has_place:
        return _(
            "Bảy ngày tới chưa có buổi nào của chuyên mục: duyệt xong, bài chỉ phát khi lịch có buổi hoặc khi phát bù."
        )
    if due is None:
        return _("Duyệt xong, máy tự xếp vào buổi gần nhất của chuyên mục.")
    left = (due - now()).total_seconds()
    if due - now() >= _SOON:
        return _("Buổi gần nhất còn trống của chuyên mục: %(time)s.", time=moment_short(due, zone))
    return _("Chưa duyệt thì %(time)s sẽ trống, còn %(span)s.", time=moment_short(due, zone), span=minutes(left))
