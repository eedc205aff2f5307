"""Chờ duyệt: what waits for this leader, each to be heard and approved in two taps."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from schedules.segment import SegmentId, SegmentState
from store import segments
from store.segments import SegmentRecord
from webui.auth import allowed
from webui.pages.answers import latest
from webui.pages.formats import DEFAULT_ZONE, local
from webui.pages.items import Recording, recording
from webui.pages.layout import page
from webui.pages.scope import Scope, now, scope
from webui.rights import can
from webui.services import services

_MOST = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One recording that waits. own: the reader made it and the station asks for another pair of eyes."""

    record: SegmentRecord
    recording: Recording
    where: str
    zone: str
    own: bool
    airs: str


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
    cards = [card for record in sorted(waiting, key=lambda r: r.updated_at) if (card := _card(mine, record))]
    return page(
        "approvals.html",
        active="approve",
        today=local(now()).date(),
        cards=cards,
        scope=mine,
        last=latest([record.approved_at for record in done]),
    )


def _card(mine: Scope, record: SegmentRecord) -> Card | None:
    station = next((s for s in mine.stations if s.code == record.card.station), None)
    heard = recording(record)
    if heard is None or not can(mine.person, "segments.approve", station or record.card.owner):
        return None
    own = mine.person.id in {record.uploader, record.audio_by}
    return Card(
        record=record,
        recording=heard,
        where=station.name if station else mine.unit_name(record.card.owner),
        zone=station.zone if station else DEFAULT_ZONE,
        own=own and not (station.self_approval if station else False),
        airs=_airs(record.id),
    )


def _airs(_segment: SegmentId) -> str:
    return _("Duyệt xong, máy tự xếp vào buổi gần nhất của chuyên mục.")
