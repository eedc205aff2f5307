"""Phát trực tiếp: is my voice on the loudspeakers? From the browser's microphone or the station's own."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from schedules.errors import NotAllowed, Refused
from schedules.findings import Finding
from schedules.station import Station
from webui import talking
from webui.auth import allowed
from webui.pages import states
from webui.pages.formats import clock_s
from webui.pages.layout import live_page, page
from webui.pages.scope import scope, statuses
from webui.pages.session import Reading

MINUTES = (2, 5, 10, 20, 30)


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/dai/<code>/noi", "talk", talk, methods=["GET", "POST"])
    pages.add_url_rule("/dai/<code>/noi/dung", "end_talk", end_talk, methods=["POST"])


@allowed("stations.talk")
def talk(code: str) -> AnyResponse:
    """Show the page for talking, or begin a talk from a microphone of the station."""
    station = scope().station(code)
    if request.method == "GET":
        return _page(station)
    source, minutes = request.form.get("input", ""), request.form.get("minutes", "")
    reading = Reading()
    if not source:
        reading.wrong("input", "Hãy chọn micrô của đài.", "Choose a microphone of the station.")
    if minutes not in {str(one) for one in MINUTES}:
        reading.wrong("minutes", "Hãy chọn thời gian nói nhiều nhất.", "Choose how long the talk may last.")
    if reading.problems:
        return _page(station, tuple(reading.problems))
    try:
        talking.begin(code, limit_s=int(minutes) * 60.0, source=source, targets=None, person=scope().person)
    except NotAllowed:
        raise
    except Refused as refused:
        return _page(station, refused.findings)
    flash(_("Đã mở micrô của đài. Hãy nói sau tiếng chuông."), "done")
    return redirect(url_for("pages.talk", code=code), 303)


@allowed("stations.talk")
def end_talk(code: str) -> AnyResponse:
    """End the talk that is on air."""
    going = request.form.get("talk", "")
    scope().station(code)
    if talking.end(code, going, person=scope().person):
        flash(_("Đã kết thúc phát trực tiếp."), "done")
    else:
        flash(_("Lượt phát trực tiếp này đã kết thúc từ trước."), "info")
    return redirect(url_for("pages.talk", code=code), 303)


def _page(station: Station, errors: tuple[Finding, ...] = ()) -> AnyResponse:
    status = statuses().get(station.code)
    going = status.live if status else None
    if status is None:
        answer = _("Chưa liên lạc được với máy phát của đài, nên chưa nói được.")
    elif going is not None:
        until = clock_s(going.ends_at, station.zone)
        answer = _("%(name)s đang nói trực tiếp, nhiều nhất tới %(time)s.", name=going.by, time=until)
    elif status.state == "emergency":
        answer = _("Đang phát khẩn cấp, nên chưa nói trực tiếp được.")
    elif status.on_air is not None:
        answer = _(
            "Đang phát “%(title)s”. Hãy nói khi mục này phát xong, hoặc dừng phát trước.", title=status.on_air.title
        )
    else:
        answer = _("Sẵn sàng. Bà con nghe tiếng chuông trước, rồi tới lời nói.")
    values = {
        "station": station,
        "errors": errors,
        "status": status,
        "going": going,
        "answer": answer,
        "mark": states.STATIONS[status.state] if status else states.STATIONS["silent"],
        "minutes": MINUTES,
        "inputs": status.inputs if status else (),
        "live_url": url_for("pages.talk", code=station.code),
        "limit_s": talking.USUAL_S,
    }
    if errors:
        return page("talk.html", active="stations", code=422, **values)
    return live_page("talk.html", "_talk.html", active="stations", **values)
