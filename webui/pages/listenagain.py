"""Nghe lại: what anybody may hear of a station, without an account: page, podcast, calendar, and a part for portals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, make_response, render_template, request, send_file, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from schedules.station import Station
from schedules.topics import BY_CODE
from store import programmes, publications, scripts, segments, stations, units
from store.publications import PublicItem
from webui import broadcasts, feeds, publishing
from webui.addresses import absolute
from webui.auth import public
from webui.broadcasts import Broadcast, Line
from webui.feeds import Channel, Episode
from webui.headers import framable
from webui.pace import Limit
from webui.pages.formats import local
from webui.pages.items import Recording
from webui.pages.language import say
from webui.pages.layout import page
from webui.pages.scope import now
from webui.pages.states import ITEMS
from webui.pages.waveform import bars
from webui.services import services

# Many villagers share one address of their telephone company.
_PAGES = Limit(purpose="public pages", most=600, span_s=60)
_FILES = Limit(purpose="public files", most=300, span_s=60)
_PAGE = 20
_FEED = 100
_FRAMED = 5
_PUBLIC = "public, no-cache"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A station as strangers know it."""

    station: Station
    unit: str
    programmes: dict[str, str]


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/nghe/<dai>", "listen_again", listen_again)
    pages.add_url_rule("/nghe/<dai>/nhung", "listen_framed", listen_framed)
    pages.add_url_rule("/nghe/<dai>/podcast.xml", "podcast", podcast)
    pages.add_url_rule("/nghe/<dai>/lich.ics", "programme_calendar", programme_calendar)
    pages.add_url_rule("/nghe/<dai>/<publication>", "public_item", public_item)
    pages.add_url_rule("/nghe/<dai>/<publication>/song", "public_waveform", public_waveform)
    pages.add_url_rule("/nghe/<dai>/<publication>.mp3", "public_file", public_file)


@public
def listen_again(dai: str) -> AnyResponse:
    """Show what can be heard again, the newest with its player, and what comes today."""
    place = _place(dai, _PAGES)
    wanted = request.args.get("chuyen_muc") or None
    with services().database.reading() as session:
        found = publications.listing(
            session,
            dai,
            rehearsals=services().demo,
            programme=wanted,
            before=request.args.get("truoc") or None,
            limit=_PAGE + 1,
        )
        offered = publications.programmes(session, dai, rehearsals=services().demo)
    more = len(found) > _PAGE
    found = found[:_PAGE]
    plan = [one for one in broadcasts.coming(place.station) if one.end > now()]
    today = local(now(), place.station.zone).date()
    lines = [line for one in plan for line in one.lines if local(line.start, place.station.zone).date() == today]
    return _shared(
        page(
            "listen_again.html",
            active="",
            place=place,
            station=place.station,
            newest=found[0] if found and "truoc" not in request.args else None,
            player_item=_recording(found[0]) if found else None,
            items=found if "truoc" in request.args else found[1:],
            offered=[(code, place.programmes.get(code, code)) for code in offered],
            wanted=wanted,
            older=url_for("pages.listen_again", dai=dai, chuyen_muc=wanted, truoc=found[-1].id) if more else "",
            next_one=_next_words(place, plan[0]) if plan else "",
            today=today,
            lines=[(line, _words(place, line)) for line in lines if line.start >= now()][:12],
            topics=_topics(found[0]) if found else (),
        )
    )


@public
def public_item(dai: str, publication: str) -> AnyResponse:
    """Show one item, to be heard and shared; an address that was public once says that it is gone."""
    place = _place(dai, _PAGES)
    item = _item(dai, publication)
    with services().database.reading() as session:
        body = _approved_words(session, item)
    return _shared(
        page(
            "listen_item.html",
            active="",
            place=place,
            station=place.station,
            item=item,
            player_item=_recording(item),
            topics=_topics(item),
            body=body,
            address=absolute("pages.public_item", dai=dai, publication=publication),
        )
    )


@public
def public_waveform(dai: str, publication: str) -> Response:
    """Give the drawing of a public item's loudness."""
    _place(dai, _FILES)
    item = _item(dai, publication)
    return bars(services().library.path(item.sha256), key=item.id, cache=_PUBLIC)


@public
def public_file(dai: str, publication: str) -> Response:
    """Give the sound, whole or in parts; whoever keeps a copy must ask each time whether it is still public."""
    _place(dai, _FILES)
    item = _item(dai, publication)
    path = publishing.media(services().data, item.sha256)
    if not path.is_file():
        publishing.media_lost(item.id, item.sha256)
        abort(404)
    response = send_file(path, mimetype="audio/mpeg", conditional=True, etag=item.sha256, last_modified=None)
    response.headers["Cache-Control"] = _PUBLIC
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Content-Disposition"] = f'inline; filename="{item.id}.mp3"'
    return response


@public
@framable
def listen_framed(dai: str) -> AnyResponse:
    """Show the newest items small, for a frame on the commune's portal."""
    place = _place(dai, _PAGES)
    with services().database.reading() as session:
        found = publications.listing(session, dai, rehearsals=services().demo, limit=_FRAMED)
    return _shared(
        make_response(render_template("listen_framed.html", active="", place=place, station=place.station, items=found))
    )


@public
def podcast(dai: str) -> AnyResponse:
    """Give the feed that podcast programs read."""
    place = _place(dai, _PAGES)
    with services().database.reading() as session:
        found = publications.listing(session, dai, rehearsals=services().demo, limit=_FEED)
    name = place.station.name
    channel = Channel(
        title=name,
        about=f"Nghe lại tin, bài đã phát trên loa của {name}, {place.unit}.",
        author=f"{name}, {place.unit}",
        link=absolute("pages.listen_again", dai=dai),
        feed=absolute("pages.podcast", dai=dai),
    )
    response = make_response(feeds.podcast(channel, [_episode(place, item) for item in found]))
    response.content_type = "application/rss+xml; charset=utf-8"
    return _shared(response)


@public
def programme_calendar(dai: str) -> AnyResponse:
    """Give the programme of the next two weeks as a calendar to subscribe to."""
    place = _place(dai, _PAGES)
    link = absolute("pages.listen_again", dai=dai)
    made = feeds.calendar(
        place.station.name,
        broadcasts.coming(place.station),
        zone=place.station.zone,
        host=urlsplit(link).hostname or "loa",
        link=link,
        day=now().replace(hour=0, minute=0, second=0, microsecond=0),
        words=lambda line: _words(place, line),
        unnamed="Buổi phát thanh",
    )
    response = make_response(made)
    response.content_type = "text/calendar; charset=utf-8"
    response.headers["Content-Disposition"] = 'inline; filename="lich-phat.ics"'
    return _shared(response)


def _next_words(place: Place, one: Broadcast) -> str:
    """Return when listeners hear something next: `17:00 hôm nay`."""
    there, today = local(one.start, place.station.zone), local(now(), place.station.zone).date()
    days = (there.date() - today).days
    when = _("hôm nay") if days <= 0 else _("ngày mai") if days == 1 else f"{there:%d/%m}"
    return f"{there:%H:%M} {when}"


def _place(code: str, limit: Limit) -> Place:
    """Return the station that strangers ask about; 404 where there is none. Raises TooMany."""
    here = services()
    here.pace.spend(limit, request.remote_addr or "", here.clock.monotonic())
    with here.database.reading() as session:
        station = stations.find(session, code)
        if station is None:
            abort(404)
        unit = next((unit.name for unit in units.every(session) if unit.code == station.unit), station.unit)
        known = {one.code: one.name for one in programmes.every(session)}
    return Place(station=station, unit=unit, programmes=known)


def _item(dai: str, publication: str) -> PublicItem:
    with services().database.reading() as session:
        found = publications.find(session, dai, publication, rehearsals=services().demo)
        gone = found is None and publications.was_up(session, dai, publication)
    if found is None:
        abort(410 if gone else 404)
    return found


def _approved_words(session: Session, item: PublicItem) -> str:
    """Return what is said in the item; nothing where the words were changed after somebody approved the recording."""
    script, record = scripts.of_segment(session, item.segment), segments.find(session, item.segment)
    if script is None or record is None or record.approved_at is None or script.updated_at > record.approved_at:
        return ""
    return script.wording.body


def _recording(item: PublicItem) -> Recording:
    return Recording(
        id=item.id,
        title=item.title,
        duration_s=round(item.length_s, 2),
        waveform_url=url_for("pages.public_waveform", dai=item.station, publication=item.id),
        audio_url=url_for("pages.public_file", dai=item.station, publication=item.id),
    )


def _episode(place: Place, item: PublicItem) -> Episode:
    topics = tuple(BY_CODE[code].label.vi for code in item.topics if code in BY_CODE)
    programme = place.programmes.get(item.programme, "")
    aired: datetime = local(item.aired_at, place.station.zone)
    about = f"{programme}. Phát trên loa ngày {aired:%d/%m/%Y}."
    return Episode(
        guid=f"urn:loa:{item.id}",
        title=item.title,
        about=f"{about} Chủ đề: {'; '.join(topics)}." if topics else about,
        link=absolute("pages.public_item", dai=item.station, publication=item.id),
        address=absolute("pages.public_file", dai=item.station, publication=item.id),
        size_bytes=item.media_bytes or 0,
        length_s=item.length_s,
        aired_at=item.aired_at,
        topics=topics,
    )


def _topics(item: PublicItem) -> tuple[str, ...]:
    return tuple(say(BY_CODE[code].label) for code in item.topics if code in BY_CODE)


def _words(place: Place, line: Line) -> str:
    """Return what comes: a relay by its name, the station's own items by their programme; titles wait for the air."""
    return line.title or place.programmes.get(line.programme, "") or say(ITEMS[line.kind])


def _shared(response: Any) -> AnyResponse:  # noqa: ANN401 - a page or a file
    """Let anybody keep a copy that asks each time whether it is still right; it holds nothing of who asked."""
    made: AnyResponse = response
    made.headers["Cache-Control"] = _PUBLIC
    made.headers["Vary"] = "Cookie"
    made.add_etag()
    made.make_conditional(request.environ)
    return made
