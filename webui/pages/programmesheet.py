"""Phiếu chương trình tuần: what the station really plans for a week, to print and pin on the wall."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, redirect, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from schedules.calendar import instant
from schedules.grid import ItemKind
from schedules.station import Station
from store import papers
from webui import reporting
from webui.auth import allowed
from webui.pages import states
from webui.pages.formats import iso_week, local, week_name, week_of
from webui.pages.layout import page
from webui.pages.reports import download
from webui.pages.scope import Scope, door, now, scope
from webui.papers import paper
from webui.papers.paper import Cell, Column, Kind, Paper, Paragraph, Table
from webui.services import services

_FORMS = ("pdf", "xlsx", "docx")
_DAYS = ("Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy", "Chủ Nhật")
_SAID = frozenset({ItemKind.SEGMENT, ItemKind.RELAY, ItemKind.NOTICE, ItemKind.LIVE, ItemKind.EMERGENCY})


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/phieu-chuong-trinh", "programme_sheet_now", programme_sheet_now)
    pages.add_url_rule("/lich/<week>/phieu", "programme_sheet", programme_sheet)
    pages.add_url_rule("/lich/<week>/phieu/<form>", "programme_sheet_file", programme_sheet_file)


@allowed("plan.read")
def programme_sheet_now() -> AnyResponse:
    """Go to the sheet of this week."""
    return redirect(url_for("pages.programme_sheet", week=week_of(local(now()).date())))


@allowed("plan.read")
def programme_sheet(week: str) -> AnyResponse:
    """Show the programme of a week of one station as it will be printed."""
    mine = scope()
    monday = _monday(week)
    station = mine.chosen()
    if station is None:
        return redirect(url_for("pages.stations"))
    made = _sheet(mine, station, monday)
    table = made.sheets[0]
    return page(
        "programme_sheet.html",
        active="week",
        station=station,
        stations_here=mine.stations[:200],
        week=week,
        week_words=week_name(*(iso_week(week) or (monday.year, 1))),
        before=week_of(monday - timedelta(days=7)),
        after=week_of(monday + timedelta(days=7)),
        paper=made,
        table=made.body,
        written=paper.written,
        numbered="",
        place_and_day=paper.place_and_day(made.letterhead),
        answer=ngettext("%(num)d mục trong tuần.", "%(num)d mục trong tuần.", len(table.rows))
        if table.rows
        else _("Tuần này chưa xếp mục nào, hoặc chưa liên lạc được với máy phát."),
        forms=_FORMS,
    )


@allowed("plan.read")
def programme_sheet_file(week: str, form: str) -> AnyResponse:
    """Give the sheet as a file."""
    mine = scope()
    monday = _monday(week)
    station = mine.chosen()
    if station is None or form not in _FORMS:
        abort(404)
    made = _sheet(mine, station, monday)
    return download(reporting.files(made, (form,), unit=station.unit)[form])


def _monday(week: str) -> date:
    known = iso_week(week)
    if known is None or not 1970 < known[0] < 2199:
        abort(404)
    return date.fromisocalendar(known[0], known[1], 1)


def _sheet(mine: Scope, station: Station, monday: date) -> Paper:
    zone = ZoneInfo(station.zone)
    its = door(station.code)
    start, end = instant(zone, monday, time(0)), instant(zone, monday + timedelta(days=7), time(0))
    rundown = its.plan(start, end) if its is not None else None
    rows: list[tuple[Cell, ...]] = []
    last = None
    for item in rundown.items if rundown is not None else ():
        if item.kind not in _SAID or not start <= item.start < end or item.cancelled_by or item.replaced_by:
            continue
        there = item.start.astimezone(zone)
        new = there.date() != last
        last = there.date()
        rows.append(
            (
                f"{_DAYS[there.weekday()]} {there:%d/%m}" if new else "",
                f"{there:%H:%M}",
                f"{item.end.astimezone(zone):%H:%M}",
                item.title or states.ITEMS[item.kind].vi,
                mine.programme_name(item.programme) or states.ITEMS[item.kind].vi,
            )
        )
    table = Table(
        key="bang",
        title="Chương trình phát thanh",
        columns=(
            Column(key="ngay", head="Ngày", width=1.3),
            Column(key="tu", head="Từ", width=0.6),
            Column(key="den", head="Đến", width=0.6),
            Column(key="noi_dung", head="Nội dung", width=3.6),
            Column(key="chuyen_muc", head="Chuyên mục", width=1.6),
        ),
        rows=tuple(rows),
    )
    unit = next((one for one in mine.all_units if one.code == station.unit), None)
    with services().database.reading() as session:
        head = papers.head(session, station.unit)
    if head is None and unit is not None:
        head = reporting.usual_head(unit, mine.all_units)
    assert head is not None
    number = monday.isocalendar().week
    return Paper(
        kind="sheet",
        stem=f"phieu-chuong-trinh-{station.code.lower()}-{monday.isocalendar().year}-w{number:02d}",
        letterhead=reporting.letterhead(head),
        name="CHƯƠNG TRÌNH PHÁT THANH",
        about=(
            station.name,
            f"Tuần {number} (từ ngày {monday:%d/%m/%Y} đến ngày {monday + timedelta(days=6):%d/%m/%Y})",
        ),
        text=(),
        body=table,
        rest=(
            Paragraph(
                text=f"Lập theo kế hoạch phát sóng của máy phát lúc {_moment(now(), zone)}; giờ có thể thay đổi."
            ),
        ),
        sheets=(table,),
    )


def _moment(moment: datetime, zone: ZoneInfo) -> str:
    there = moment.astimezone(zone)
    return f"{there:%H} giờ {there:%M} ngày {there:%d/%m/%Y}"


__all__ = ["Kind", "routes"]
