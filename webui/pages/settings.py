"""Cài đặt đài: the hours in which a station may be heard, its quiet stretches, limits and cluster groups."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from schedules.station import ClusterGroup, Limits, Station
from webui import planning
from webui.auth import allowed
from webui.pages.hours import parse_spans, spans_text
from webui.pages.layout import page
from webui.pages.review import Review, review
from webui.pages.scope import Scope, scope
from webui.pages.session import Reading
from webui.rights import can

_BLANKS = 2
_MOST_GROUPS = 300
_CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRow:
    """A cluster group as its form shows it."""

    code: str = ""
    name: str = ""
    hours: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A station's settings as their form shows them. Minutes and numbers: as typed."""

    name: str
    permitted: str
    quiet: str
    session_min: str
    day_min: str
    sessions: str
    valid_until: str
    successor: str
    ended_by: str
    groups: tuple[GroupRow, ...]


def routes(pages: Blueprint) -> None:
    """Add the route."""
    pages.add_url_rule("/dai/<code>/cai-dat", "station_settings", station_settings, methods=["GET", "POST"])


@allowed("stations.edit")
def station_settings(code: str) -> AnyResponse:
    """Show a station's settings, what a change would do to its sessions, or put it in force."""
    mine = scope()
    station = mine.station(code)
    if not can(mine.person, "stations.edit", station):
        abort(403)
    if request.method == "GET":
        return _form(mine, station, _shown(station), Review())
    wanted = _typed()
    changed, wrong = _changed(mine, station, wanted)
    if changed is None:
        return _form(mine, station, wanted, wrong)
    made = changed

    def decide(key: str, rehearse: bool) -> planning.Consequences:
        return planning.save_station(made, person=mine.person, accepted=key, rehearse=rehearse)

    found = review(decide, wanted, about="stations", name=station.code)
    if not found.done:
        return _form(mine, station, wanted, found)
    flash(_("Đã lưu cài đặt của %(name)s.", name=made.name), "done")
    return redirect(url_for("pages.station", code=station.code), 303)


def _shown(station: Station) -> Wanted:
    limits = station.limits
    return Wanted(
        name=station.name,
        permitted=spans_text(station.permitted),
        quiet=spans_text(station.quiet),
        session_min="" if limits.session_s is None else f"{limits.session_s / 60:g}",
        day_min="" if limits.day_s is None else f"{limits.day_s / 60:g}",
        sessions="" if limits.sessions is None else str(limits.sessions),
        valid_until=station.valid_until.isoformat() if station.valid_until else "",
        successor=station.successor or "",
        ended_by=station.ended_by,
        groups=tuple(
            GroupRow(code=group.code, name=group.name, hours=spans_text(group.permitted, "; "))
            for group in station.groups
        ),
    )


def _typed() -> Wanted:
    form = request.form

    def line(name: str, most: int = 200) -> str:
        return " ".join(form.get(name, "").split())[:most]

    rows = [
        GroupRow(code=line(f"code-{n}", 40), name=line(f"group-{n}"), hours=line(f"hours-{n}", 500))
        for n in range(_MOST_GROUPS)
    ]
    return Wanted(
        name=line("name"),
        permitted=form.get("permitted", "")[:2000],
        quiet=form.get("quiet", "")[:2000],
        session_min=line("session_min"),
        day_min=line("day_min"),
        sessions=line("sessions"),
        valid_until=line("valid_until"),
        successor=line("successor", 40),
        ended_by=line("ended_by", 500),
        groups=tuple(row for row in rows if row.code or row.name),
    )


def _changed(mine: Scope, station: Station, wanted: Wanted) -> tuple[Station | None, Review]:
    reading = Reading()
    if not wanted.name:
        reading.wrong("name", "Hãy ghi tên đài.", "Name the station.")
    permitted, quiet = parse_spans(wanted.permitted), parse_spans(wanted.quiet)
    if not permitted:
        reading.wrong(
            "permitted",
            "Mỗi dòng một khung giờ, như 05:00–21:00 hoặc 05:00–07:00 T2 T3 T4.",
            "One stretch a line, such as 05:00–21:00 or 05:00–07:00 Mon Tue Wed.",
        )
    if quiet is None:
        reading.wrong(
            "quiet",
            "Mỗi dòng một khoảng, như 11:30–13:30. Để trống nếu không có.",
            "One stretch a line, such as 11:30–13:30. Empty for none.",
        )
    limits = Limits(
        session_s=_minutes(reading, "session_min", wanted.session_min),
        day_s=_minutes(reading, "day_min", wanted.day_min),
        sessions=_count(reading, "sessions", wanted.sessions),
    )
    until = reading.day("valid_until", wanted.valid_until)
    if until and not wanted.ended_by:
        reading.wrong(
            "ended_by", "Hãy ghi số văn bản cho đài ngừng hoạt động.", "Name the document that ends the station."
        )
    if wanted.successor and (wanted.successor == station.code or wanted.successor not in mine.station_codes):
        reading.wrong("successor", "Không có đài này.", "There is no such station.")
    groups = _groups(reading, wanted.groups)
    if reading.problems or permitted is None or quiet is None:
        return None, Review(errors=tuple(reading.problems))
    return (
        replace(
            station,
            name=wanted.name,
            permitted=permitted,
            quiet=quiet,
            limits=limits,
            groups=groups,
            valid_until=until,
            successor=wanted.successor or None,
            ended_by=wanted.ended_by,
        ),
        Review(),
    )


def _groups(reading: Reading, rows: tuple[GroupRow, ...]) -> tuple[ClusterGroup, ...]:
    found: list[ClusterGroup] = []
    for number, row in enumerate(rows):
        hours = parse_spans(row.hours)
        if not row.name or not _CODE.fullmatch(row.code) or any(row.code == group.code for group in found):
            reading.wrong(
                f"group-{number}",
                f"Cụm loa {number + 1}: mã gồm a-z, 0-9 và dấu gạch nối, không trùng; tên không trống.",
                f"Cluster group {number + 1}: a code of a-z, 0-9 and dashes that is not used twice, and a name.",
            )
        elif hours is None:
            reading.wrong(
                f"group-{number}",
                f"Cụm loa {number + 1}: khung giờ viết như 05:00–21:00; 05:00–07:00 T2.",
                f"Cluster group {number + 1}: write hours as 05:00–21:00; 05:00–07:00 Mon.",
            )
        else:
            found.append(ClusterGroup(code=row.code, name=row.name, permitted=hours))
    return tuple(found)


def _minutes(reading: Reading, where: str, text: str) -> int | None:
    count = _count(reading, where, text)
    return None if count is None else count * 60


def _count(reading: Reading, where: str, text: str) -> int | None:
    if not text:
        return None
    if not re.fullmatch(r"\d{1,4}", text) or not 1 <= int(text) <= 1440:
        reading.wrong(where, "Hãy ghi số từ 1 tới 1440, hoặc để trống.", "A number from 1 to 1440, or empty.")
        return None
    return int(text)


def _form(mine: Scope, station: Station, wanted: Wanted, found: Review) -> AnyResponse:
    rows = [*wanted.groups, *(GroupRow() for _n in range(_BLANKS))][:_MOST_GROUPS]
    return page(
        "settings.html",
        active="stations",
        code=found.code,
        station=station,
        wanted=wanted,
        groups=rows,
        errors=found.errors,
        review=found,
        others=[one for one in mine.stations if one.code != station.code],
    )
