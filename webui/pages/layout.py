"""What every page shows around its own content: navigation by role, the heartbeat line, how values are written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Flask, Response, make_response, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from flask_login import current_user

from schedules.segment import SegmentState
from store import assignments, complaints, contributions, emergencies, faults, notices, segments, tickets
from store.emergencies import OrderState
from webui.pages import formats, hints, states
from webui.pages.assets import Assets
from webui.pages.language import say
from webui.pages.navigation import menu
from webui.pages.scope import now, person, scope, statuses
from webui.rights import can
from webui.services import services

_BARS = 40
_LOWEST_DBFS = -60.0
_SPEECH_DBFS = -18.0
_CLIPPING_DBFS = -1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the reader is: their station or their unit."""

    name: str
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """An emergency order that is not over, for the bar on every page. waiting: for the second person."""

    id: str
    title: str
    drill: bool
    waiting: bool
    words: str
    may_stop: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Heart:
    """The line that says whether the machines are well."""

    mark: states.Mark
    text: str
    rest: str


def meter(dbfs: float | None) -> int:
    """Return how many of the 40 segments are lit: -60 dBFS and less light none, speech 25, the last 5 are clipping."""
    if dbfs is None or dbfs <= _LOWEST_DBFS:
        return 0
    if dbfs <= _SPEECH_DBFS:
        return max(1, round((dbfs - _LOWEST_DBFS) / (_SPEECH_DBFS - _LOWEST_DBFS) * 25))
    if dbfs <= _CLIPPING_DBFS:
        return round(25 + (dbfs - _SPEECH_DBFS) / (_CLIPPING_DBFS - _SPEECH_DBFS) * 10)
    return min(_BARS, round(35 + (dbfs - _CLIPPING_DBFS) * 5))


def page(template: str, *, active: str, code: int = 200, **values: Any) -> Response:  # noqa: ANN401 - what the template wants
    """Return a whole page."""
    return make_response(render_template(template, active=active, **values), code)


def live_page(template: str, fragment: str, *, active: str, **values: Any) -> Response:  # noqa: ANN401 - as above
    """Return a page whose live part is polled: the part alone for htmx, and nothing where it did not change."""
    alone = request.headers.get("HX-Request") == "true"
    response = page(fragment if alone else template, active=active, **values)
    response.headers["Vary"] = "HX-Request, Cookie"
    response.headers["Cache-Control"] = "private, no-cache"
    if alone:
        response.add_etag()
        response.make_conditional(request)
    return response


def ago(moment: datetime) -> str:
    """Return `12 giây trước`; a moment that is still to come counts as now."""
    seconds = (now() - moment).total_seconds()
    if seconds < 10:
        return _("vừa xong")
    return _("%(span)s trước", span=formats.minutes(seconds))


def _with_language(language: str) -> str:
    args = {**request.args.to_dict(flat=True), **(request.view_args or {}), "lang": language}
    if request.endpoint is None or request.method != "GET":
        return f"?lang={language}"
    return url_for(request.endpoint, **args)


def _initials(name: str) -> str:
    words = name.split()
    return "".join(word[0] for word in ([words[0], words[-1]] if len(words) > 1 else words)).upper()


def _place() -> Place:
    mine = scope()
    unit = mine.unit_name(mine.person.unit)
    if len(mine.stations) == 1:
        return Place(name=mine.stations[0].name, about=unit)
    count = len(mine.stations)
    return Place(name=unit, about=ngettext("%(num)d đài", "%(num)d đài", count))


def _heart() -> Heart | None:
    mine = scope().stations
    if not mine:
        return None
    found = statuses()
    well = [s for s in mine if s.code in found and found[s.code].state not in states.TROUBLE]
    if len(mine) == 1:
        status = found.get(mine[0].code)
        if status is None:
            return Heart(
                mark=states.STATIONS["silent"], text=_("Mất liên lạc với máy phát"), rest=_("chưa rõ từ khi nào")
            )
        clock_word = _("đồng hồ đúng") if status.clock.trusted else _("đồng hồ chưa tin được")
        return Heart(
            mark=states.NORMAL if well else states.STATIONS[status.state],
            text=_("Máy phát bình thường")
            if well
            else states.STATIONS[status.state].word.in_language(formats.language()),
            rest=_("liên lạc %(when)s · %(clock)s", when=ago(status.contact_at), clock=clock_word),
        )
    return Heart(
        mark=states.NORMAL if len(well) == len(mine) else states.STATIONS["untrusted_clock"],
        text=_("%(well)s/%(all)s đài bình thường", well=len(well), all=len(mine)),
        rest=_("cập nhật %(time)s", time=formats.clock_s(now())),
    )


def alarms() -> list[Alarm]:
    """Return the emergency orders that are not over, for stations that the reader sees."""
    mine = scope()
    with services().database.reading() as session:
        known = emergencies.listing(session, open_only=True, limit=20)
    here = {station.code: station for station in mine.stations}
    return [
        Alarm(
            id=one.id,
            title=one.message.title,
            drill=one.drill,
            waiting=one.state is OrderState.AWAITING_SECOND,
            words=say(states.EMERGENCIES[one.state].word)
            if one.state is OrderState.AWAITING_SECOND
            else ngettext("%(num)d đài", "%(num)d đài", len(one.stations)),
            may_stop=any(code in here and can(mine.person, "emergencies.stop", here[code]) for code in one.stations),
        )
        for one in known
        if any(code in here for code in one.stations)
    ]


def _waiting() -> int:
    with services().database.reading() as session:
        return len(segments.listing(session, owners=scope().unit_codes, states=(SegmentState.SUBMITTED,), limit=100))


def _inbox() -> int:
    if not can(person(), "inbox.read"):
        return 0
    with services().database.reading() as session:
        return contributions.count_new(session, scope().unit_codes)


def _upkeep() -> dict[str, int]:
    mine = scope()
    with services().database.reading() as session:
        return {
            "tickets": tickets.count_open(session, mine.station_codes),
            "complaints": complaints.count_open(session, mine.station_codes)
            if can(mine.person, "complaints.read")
            else 0,
            "assignments": assignments.count_mine(session, mine.person),
        }


def _faults() -> int:
    with services().database.reading() as session:
        return faults.count_open(session, scope().station_codes)


def _notices() -> int:
    with services().database.reading() as session:
        return notices.unread(session, scope().person.id)


def register(app: Flask, assets: Assets) -> None:
    """Give the templates their words, marks and frame."""
    app.jinja_env.filters.update(
        clock=formats.clock,
        clock_s=formats.clock_s,
        moment=formats.moment_short,
        day_short=formats.day_short,
        day_long=formats.day_long,
        day_of=formats.day_of,
        length_text=formats.length,
        span=formats.minutes,
        num=formats.number,
        megabytes=formats.megabytes,
        ago=ago,
        period=formats.period_name,
    )
    app.jinja_env.globals.update(asset=assets.url, meter=meter, marks=states, with_language=_with_language)
    app.jinja_env.trim_blocks = False

    @app.context_processor
    def frame() -> dict[str, Any]:
        values: dict[str, Any] = {
            "lang": formats.language(),
            "sprite": assets.url("sprite.svg"),
            "demo": services().demo,
        }
        if not current_user.is_authenticated:
            return values
        who = person()
        return values | {
            "person": who,
            "menu": menu(who.role.value, deputy=can(who, "segments.approve")),
            "hints": hints.of(request.endpoint),
            "place": _place(),
            "counts": {"waiting": _waiting(), "faults": _faults(), **_upkeep(), "notices": _notices()},
            "alarms": alarms(),
            "initials": _initials(who.full_name),
            "heart": _heart(),
        }
