"""Sự cố: what is wrong at the stations, since when, why, and who was told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from flask import Blueprint, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from schedules.airing import Verdict
from store import faults
from store.faults import Fault
from webui.api.faults import mark_from, mark_text
from webui.auth import allowed
from webui.pages import states
from webui.pages.answers import Part
from webui.pages.formats import minutes, moment_short
from webui.pages.language import say
from webui.pages.layout import page
from webui.pages.scope import Scope, now, scope
from webui.pages.states import Mark
from webui.services import services

_PAGE = 50
_OVER = states.VERDICTS[Verdict.AIRED]
_LASTS = states.STATIONS["fault"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One fault as it shows. details: what else the station wrote, in few words."""

    fault: Fault
    mark: Mark
    word: str
    text: str
    hint: str
    station: str
    since: str
    until: str
    lasted: str
    details: str
    told: tuple[str, ...]
    told_at: str


def routes(pages: Blueprint) -> None:
    """Add the route."""
    pages.add_url_rule("/su-co", "faults", register)


@allowed("faults.read")
def register() -> AnyResponse:
    """Show the register of faults, those that last first."""
    mine = scope()
    chosen = request.args.get("dai", "")
    codes = (mine.station(chosen).code,) if chosen else mine.station_codes
    only = request.args.get("dang", "") == "1"
    with services().database.reading() as session:
        found = faults.listing(
            session,
            stations=codes,
            open=True if only else None,
            after=mark_from(request.args.get("sau", "")),
            limit=_PAGE + 1,
        )
        lasting = faults.count_open(session, codes)
    more = ""
    if len(found) > _PAGE:
        more = _address(chosen, only, sau=mark_text(found[_PAGE - 1]))
    return page(
        "faults.html",
        active="faults",
        rows=[_row(mine, one) for one in found[:_PAGE]],
        answer=_answer(lasting),
        scope=mine,
        chosen=chosen,
        only=only,
        lasting=lasting,
        only_url=_address(chosen, not only),
        more=more,
    )


def _address(station: str, only: bool, **more: str) -> str:
    values = {"dai": station, "dang": "1" if only else ""} | more
    return f"{url_for('pages.faults')}?{urlencode({name: value for name, value in values.items() if value})}"


def _answer(lasting: int) -> Part:
    if not lasting:
        return Part(text=_("Không có sự cố nào đang kéo dài."))
    return Part(text=ngettext("%(num)d sự cố đang kéo dài.", "%(num)d sự cố đang kéo dài.", lasting), tone="bad")


def _row(mine: Scope, one: Fault) -> Row:
    zone = mine.station(one.station).zone
    ended = "" if one.until is None or one.until == one.since else moment_short(one.until, zone)
    lasted = "" if one.until == one.since else minutes(((one.until or now()) - one.since) / timedelta(seconds=1))
    return Row(
        fault=one,
        mark=_LASTS if one.open else _OVER,
        word=_word(one),
        text=say(one.message) or one.code,
        hint=say(one.hint) if one.open else "",
        station=mine.station_name(one.station),
        since=moment_short(one.since, zone) if one.trusted else _("giờ chưa tin được"),
        until=ended,
        lasted=lasted if one.trusted else "",
        details=", ".join(f"{name}: {value}" for name, value in one.details.items() if value not in ("", None))[:300],
        told=tuple(f"{told.name} ({mine.unit_name(told.unit)})" for told in one.told),
        told_at=moment_short(one.told[0].at, zone) if one.told else "",
    )


def _word(one: Fault) -> str:
    match one.state:
        case faults.OPEN:
            return _("đang kéo dài")
        case faults.ONCE:
            return _("xảy ra một lần")
        case faults.RESTARTED:
            return _("hết khi máy khởi động lại")
    return _("đã hết")
