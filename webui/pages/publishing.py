"""Trang nghe lại, for officers: which aired items anybody may hear again, and what to copy to a portal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import escape
from werkzeug.wrappers import Response as AnyResponse

from schedules.errors import Conflict
from schedules.findings import Finding
from schedules.station import Station
from store import publications
from store.publications import Candidate
from webui import publishing as acts
from webui.addresses import absolute
from webui.auth import allowed
from webui.pages.answers import Part
from webui.pages.layout import page
from webui.pages.scope import now, scope
from webui.rights import can
from webui.services import services

_BACK = timedelta(days=92)
_SHOWN = 60


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/cong-khai", "publishing", publishing)
    pages.add_url_rule("/cong-khai/<dai>/<segment>/len", "publish_item", publish_item, methods=["POST"])
    pages.add_url_rule("/cong-khai/<dai>/<segment>/xuong", "take_back_item", take_back_item, methods=["POST"])


@allowed("public.publish")
def publishing() -> AnyResponse:
    """Show what aired lately at a station, and what of it is public."""
    return _page()


@allowed("public.publish")
def publish_item(dai: str, segment: str) -> AnyResponse:
    """Put an item up."""
    try:
        acts.publish(scope().station(dai).code, segment, person=scope().person)
    except Conflict as refused:
        return _page(refused.findings, code=409)
    flash(_("Đã công khai. Bài hiện ở trang nghe lại sau khoảng một phút, khi máy làm xong tệp MP3."), "done")
    return redirect(url_for("pages.publishing", dai=dai), 303)


@allowed("public.publish")
def take_back_item(dai: str, segment: str) -> AnyResponse:
    """Take an item off."""
    try:
        acts.take_back(scope().station(dai).code, segment, person=scope().person)
    except Conflict as refused:
        return _page(refused.findings, code=409)
    flash(_("Đã gỡ. Từ lúc này không ai mở được bài ở trang nghe lại nữa."), "done")
    return redirect(url_for("pages.publishing", dai=dai), 303)


def _page(errors: Sequence[Finding] = (), *, code: int = 200) -> AnyResponse:
    mine = scope()
    asked = (request.view_args or {}).get("dai", "")
    station = mine.station(asked) if asked else mine.chosen()
    found: tuple[Candidate, ...] = ()
    if station is not None:
        with services().database.reading() as session:
            found = publications.candidates(
                session, station.code, since=now() - _BACK, rehearsals=services().demo, limit=_SHOWN
            )
    return page(
        "publishing.html",
        active="publishing",
        code=code,
        scope=mine,
        station=station,
        errors=errors,
        answer=_answer(station, found),
        public=[one for one in found if one.public],
        private=[one for one in found if not one.public],
        addresses=_addresses(station) if station else {},
        may_publish=station is not None and can(mine.person, "public.publish", station),
    )


def _answer(station: Station | None, found: Sequence[Candidate]) -> tuple[Part, ...]:
    if station is None:
        return (Part(text=_("Đơn vị chưa có đài nào.")),)
    public = sum(1 for one in found if one.public)
    if not public:
        return (Part(text=_("Chưa bài nào ở trang nghe lại.")),)
    return (Part(text=ngettext("%(num)d bài ai cũng nghe lại được.", "%(num)d bài ai cũng nghe lại được.", public)),)


def _addresses(station: Station) -> dict[str, str]:
    """Return what is copied to elsewhere: addresses, and the parts for a portal's page."""
    listen = absolute("pages.listen_again", dai=station.code)
    framed = absolute("pages.listen_framed", dai=station.code)
    name = escape(station.name)
    return {
        "listen": listen,
        "podcast": absolute("pages.podcast", dai=station.code),
        "calendar": absolute("pages.programme_calendar", dai=station.code),
        "frame": f'<iframe src="{framed}" title="{name}" width="100%" height="560" loading="lazy"></iframe>',
        "link": f'<a href="{listen}">Nghe lại {name}</a>',
    }
