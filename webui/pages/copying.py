"""Chép lịch: a session or a whole week to other stations and weeks, into drafts that are looked at and published."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from schedules.errors import NotAllowed, Refused, Unknown
from schedules.findings import Finding
from schedules.station import Station
from webui import pencil
from webui.auth import allowed
from webui.pages.answers import Part
from webui.pages.formats import iso_week, local, week_name, week_of, week_text
from webui.pages.layout import page
from webui.pages.scope import Scope, now, scope
from webui.pages.session import editable
from webui.rights import can

_WEEKS = 12
_PAGE = 50


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/lich/chep/buoi", "copy_session", copy_session, methods=["GET", "POST"])
    pages.add_url_rule("/lich/<week>/chep", "copy_week", copy_week, methods=["GET", "POST"])


@allowed("grid.edit")
def copy_session() -> AnyResponse:
    """Choose stations for one session, or pencil it there."""
    mine = scope()
    station = editable(mine)
    name = request.values.get("session", "")[:60]
    rule = pencil.look(station.code, person=mine.person).rules.get(name.partition(".")[0])
    if rule is None:
        abort(404)
    errors: Sequence[Finding] = ()
    if request.method == "POST":
        try:
            done = pencil.copy_session(station.code, name, _targets(mine), person=mine.person)
        except (NotAllowed, Unknown):
            raise
        except Refused as refused:
            errors = refused.findings
        else:
            return _done(done)
    return _form(
        mine, station, errors, name=name, what=rule.name, answer=_("Chép “%(name)s” sang đài khác.", name=rule.name)
    )


@allowed("grid.edit")
def copy_week(week: str) -> AnyResponse:
    """Choose stations or weeks for a whole week, or pencil it there."""
    mine = scope()
    station = editable(mine)
    known = iso_week(week)
    if known is None:
        abort(404)
    monday = date.fromisocalendar(*known, 1)
    errors: Sequence[Finding] = ()
    if request.method == "POST":
        mondays = [date.fromisocalendar(*found, 1) for text in _weeks() if (found := iso_week(text))]
        targets = _targets(mine) or ((station.code,) if mondays else ())
        if not mondays and station.code in targets:
            targets = tuple(code for code in targets if code != station.code)
        try:
            done = pencil.copy_week(station.code, monday, targets, mondays, person=mine.person)
        except (NotAllowed, Unknown):
            raise
        except Refused as refused:
            errors = refused.findings
        else:
            return _done(done)
    first = max(monday, _this_monday()) + timedelta(days=7)
    weeks = [(first + timedelta(days=7 * n)).isocalendar()[:2] for n in range(_WEEKS)]
    return _form(
        mine,
        station,
        errors,
        week=week,
        weeks=[(week_text(*one), week_name(*one)) for one in weeks],
        chosen_weeks=_weeks(),
        what=week_name(*known),
        answer=_("Chép %(week)s của %(station)s.", week=week_name(*known), station=station.name),
    )


def _form(mine: Scope, station: Station, errors: Sequence[Finding], *, answer: str, **values: object) -> AnyResponse:
    after = request.values.get("sau", "")
    offered = [
        one
        for one in mine.stations
        if one.code > after and one.code != station.code and can(mine.person, "grid.edit", one)
    ]
    return page(
        "copy.html",
        active="week",
        code=422 if errors else 200,
        station=station,
        offered=offered[:_PAGE],
        more=offered[_PAGE - 1].code if len(offered) > _PAGE else "",
        chosen=_targets(mine),
        most=pencil.MOST_TOGETHER,
        errors=errors,
        back=week_of(local(now()).date()),
        answer=(Part(text=answer), Part(text=_("Thay đổi nằm ở bản nháp tới khi công bố."))),
        **values,
    )


def _done(stations: Sequence[str]) -> AnyResponse:
    flash(
        ngettext("Đã ghi vào bản nháp của %(num)d đài.", "Đã ghi vào bản nháp của %(num)d đài.", len(stations)), "done"
    )
    if len(stations) == 1:
        return redirect(url_for("pages.review_draft", dai=stations[0]), 303)
    return redirect(url_for("pages.my_drafts"), 303)


def _targets(mine: Scope) -> tuple[str, ...]:
    """Return the stations that were chosen; 404 for one that the person does not see."""
    asked = tuple(dict.fromkeys(request.form.getlist("stations")))[: pencil.MOST_TOGETHER + 1]
    for code in asked:
        mine.station(code)
    return asked


def _weeks() -> list[str]:
    return list(dict.fromkeys(request.form.getlist("weeks")))[:_WEEKS]


def _this_monday() -> date:
    today = local(now()).date()
    return today - timedelta(days=today.weekday())
