"""Phiếu một cửa tuần: a week's figures, last week beside them, and the text for the air that they become."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from schedules.errors import Refused
from schedules.findings import Finding
from schedules.segment import SegmentKind
from schedules.station import Unit
from store import onestop as store
from store import scripts
from store.onestop import OneStopWeek
from store.scripts import Wording
from webui import samples, speaking, work, writing
from webui.auth import allowed
from webui.onestopscript import filled, percent
from webui.pages.formats import iso_week, local, week_name, week_of, week_text
from webui.pages.items import problem
from webui.pages.layout import page
from webui.pages.scope import Scope, now, scope
from webui.rights import can
from webui.services import services

_MOST = 1_000_000
_NOTABLE = 2000
_SHOWN = 300
_FIELDS = ("received", "online", "on_time", "late")


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """The form as it was filled in."""

    received: str = ""
    online: str = ""
    on_time: str = ""
    late: str = ""
    notable: str = ""
    revision: int = 0


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/bai/mot-cua", "onestop", onestop)
    pages.add_url_rule("/bai/mot-cua/<week>", "onestop_week", onestop_week, methods=["GET", "POST"])


@allowed("segments.read")
def onestop() -> AnyResponse:
    """Lead to this week's form."""
    return redirect(url_for("pages.onestop_week", week=week_of(local(now()).date()), don_vi=request.args.get("don_vi")))


@allowed("segments.read")
def onestop_week(week: str) -> AnyResponse:
    """Show a week's form with last week beside it, or keep its figures and make a text of them."""
    mine = scope()
    if iso_week(week) is None:
        abort(404)
    unit = _unit(mine)
    with services().database.reading() as session:
        known = store.find(session, unit.code, week)
    if request.method == "GET":
        return _page(mine, unit, week, known, _typed_of(known))
    work.require(mine.person, "segments.create", unit.code)
    typed = _typed()
    figures, problems = _figures(unit.code, week, typed)
    if figures is None:
        return _page(mine, unit, week, known, typed, problems, code=422)
    try:
        with services().database.writing() as session:
            store.save(session, figures, person=mine.person, now=now())
            work.trace(session, "onestop.save", f"{unit.code} {week}", mine.person)
        if request.form.get("act") != "script":
            flash(_("Đã lưu phiếu %(week)s.", week=_named(week)), "done")
            return redirect(url_for("pages.onestop_week", week=week, don_vi=unit.code), 303)
        script = _script(mine, unit, week, figures)
    except Refused as refused:
        with services().database.reading() as session:
            known = store.find(session, unit.code, week)
        return _page(mine, unit, week, known, typed, refused.findings, code=409)
    flash(_("Đã lưu phiếu và viết sẵn lời đọc. Hãy xem lại rồi tạo giọng nói, hoặc để người đọc."), "done")
    return redirect(url_for("pages.text", script=script), 303)


def _script(mine: Scope, unit: Unit, week: str, figures: OneStopWeek) -> str:
    """Write the week's text, or write it anew where nothing was spoken of it yet; return its id."""
    with services().database.reading() as session:
        sample = samples.onestop(session, mine.person)
        before = store.find(session, unit.code, _shifted(week, -1))
        known = store.find(session, unit.code, week)
        old = scripts.find(session, known.script) if known is not None and known.script else None
    monday = _monday(week)
    body = filled(sample.body, figures, before=before, unit=unit.name, first=monday, last=monday + timedelta(days=6))
    station = next((one for one in mine.stations if one.unit == unit.code), None)
    if station is None and unit.code != mine.person.unit:
        raise Refused(problem("unit", "Đơn vị này chưa có đài.", "This unit has no station."))
    offered = speaking.voices(services().speech)
    owed = sorted((duty for duty in mine.duties if duty.programme), key=lambda duty: not duty.topic_prefix)
    programme = owed[0].programme if owed else None
    wording = Wording(
        owner=unit.code,
        station=station.code if station else None,
        programme=programme or next(iter(mine.programmes), ""),
        title=_("Kết quả bộ phận một cửa tuần %(week)s", week=int(week[-2:])),
        body=body,
        kind=SegmentKind.TIN,
        topics=("DX-ONESTOP",),
        engine=offered[0][0].name if offered else "",
        voice=offered[0][1].name if offered else "",
    )
    if old is not None and old.segment is None:
        writing.rewrite(old.id, wording, revision=old.revision, person=mine.person)
        return old.id
    script = writing.write(wording, person=mine.person)
    with services().database.writing() as session:
        store.join(session, unit.code, week, script)
    return script


def _figures(unit: str, week: str, typed: Typed) -> tuple[OneStopWeek | None, tuple[Finding, ...]]:
    problems: list[Finding] = []
    values = {}
    for name in _FIELDS:
        text = getattr(typed, name).replace(".", "")
        if not text.isascii() or not text.isdigit() or int(text) > _MOST:
            problems.append(problem(name, "Hãy ghi một số, từ 0.", "Write a number, 0 or more."))
        else:
            values[name] = int(text)
    if len(typed.notable) > _NOTABLE:
        problems.append(problem("notable", "Phần này dài quá 2.000 ký tự.", "This is longer than 2,000 characters."))
    if not problems and values["online"] > values["received"]:
        problems.append(
            problem(
                "online",
                "Số hồ sơ trực tuyến không thể nhiều hơn số hồ sơ tiếp nhận.",
                "There cannot be more files online than were received.",
            )
        )
    if problems:
        return None, tuple(problems)
    figures = OneStopWeek(
        unit=unit,
        week=week,
        received=values["received"],
        online=values["online"],
        on_time=values["on_time"],
        late=values["late"],
        notable=typed.notable,
        revision=typed.revision,
    )
    return figures, ()


def _page(
    mine: Scope,
    unit: Unit,
    week: str,
    known: OneStopWeek | None,
    typed: Typed,
    problems: Sequence[Finding] = (),
    *,
    code: int = 200,
) -> AnyResponse:
    with services().database.reading() as session:
        before = store.find(session, unit.code, _shifted(week, -1))
        recent = store.newest(session, unit.code, limit=8)
        script = scripts.find(session, known.script) if known is not None and known.script else None
    with_station = {station.unit for station in mine.stations}
    return page(
        "onestop.html",
        active="texts",
        code=code,
        scope=mine,
        unit=unit,
        units=[one for one in mine.units if one.code == unit.code or one.code in with_station][:_SHOWN],
        week=week,
        week_words=_named(week),
        known=known,
        before=before,
        recent=recent,
        typed=typed,
        script=script,
        percent=percent,
        earlier=_shifted(week, -1),
        later=_shifted(week, 1) if _monday(week) <= local(now()).date() else "",
        errors=problems,
        may_write=can(mine.person, "segments.create", unit),
    )


def _unit(mine: Scope) -> Unit:
    """Return the unit of the form: the one named, else the reader's, else the first below it that has a station."""
    wanted = request.values.get("don_vi", "")
    if wanted:
        found = next((one for one in mine.units if one.code == wanted), None)
        if found is None:
            abort(404)
        return found
    own = next((one for one in mine.units if one.code == mine.person.unit), None)
    if own is not None and _has_station(mine, own):
        return own
    below = next((one for one in mine.units if _has_station(mine, one)), own)
    if below is None:
        abort(404)
    return below


def _has_station(mine: Scope, unit: Unit) -> bool:
    return any(station.unit == unit.code for station in mine.stations)


def _typed() -> Typed:
    form = request.form
    revision = form.get("revision", "0")
    return Typed(
        **{name: form.get(name, "").strip()[:12] for name in _FIELDS},
        notable=" ".join(form.get("notable", "").split()),
        revision=int(revision) if revision.isascii() and revision.isdigit() and len(revision) < 9 else 0,
    )


def _typed_of(known: OneStopWeek | None) -> Typed:
    if known is None:
        return Typed()
    return Typed(
        **{name: str(getattr(known, name)) for name in _FIELDS}, notable=known.notable, revision=known.revision
    )


def _monday(week: str) -> date:
    year, number = iso_week(week) or (2000, 1)
    return date.fromisocalendar(year, number, 1)


def _shifted(week: str, by: int) -> str:
    year, number, _day = (_monday(week) + timedelta(days=7 * by)).isocalendar()
    return week_text(year, number)


def _named(week: str) -> str:
    year, number = iso_week(week) or (2000, 1)
    return week_name(year, number)
