"""Phát riêng: one recording at one time, now or later, with what gives way shown before it is ordered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from schedules.errors import NotAllowed, Refused, Unknown
from schedules.findings import Finding, Severity, errors
from schedules.grid import Timing
from schedules.station import Station
from schedules.text import Text
from webui import singles, work
from webui.auth import allowed
from webui.pages.answers import Part
from webui.pages.formats import clock, local, moment_short, parse_moment, week_of
from webui.pages.layout import page
from webui.pages.scope import Scope, now, scope
from webui.rights import can
from webui.singles import Prospect

_OFFERED = 200
_SHOWN = 8
# Long enough to press the button again after having read what gives way, and for the player to arm.
_AT_ONCE = timedelta(seconds=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An order as its form shows it. when: now or later."""

    segment: str = ""
    when: str = "now"
    at: str = ""
    timing: str = Timing.SOFT.value


def routes(pages: Blueprint) -> None:
    """Add the route."""
    pages.add_url_rule("/lich/phat-rieng", "order_single", order_single, methods=["GET", "POST"])


@allowed("airings.order")
def order_single() -> AnyResponse:
    """Show the form, what the order would cost, or order it."""
    mine = scope()
    station = mine.chosen()
    if station is None:
        return redirect(url_for("pages.stations"))
    if not can(mine.person, "airings.order", station):
        raise NotAllowed(Finding(code="not_allowed", severity=Severity.ERROR, message=_not_here()))
    if request.method == "GET":
        asked = Wanted(segment=request.args.get("bai", "")[:20], when="now")
        return _form(mine, station, asked)
    form = request.form
    wanted = Wanted(
        segment=form.get("segment", "")[:20],
        when="later" if form.get("when") == "later" else "now",
        at=form.get("at", "")[:40],
        timing=form.get("timing", ""),
    )
    timing = Timing.HARD if wanted.timing == Timing.HARD.value else Timing.SOFT
    start = now() + _AT_ONCE if wanted.when == "now" else parse_moment(wanted.at, station.zone)
    if start is None or not 1971 <= start.year <= 2198:
        return _form(mine, station, wanted, errors=(_no_time(),))
    try:
        prospect = singles.look_at(station.code, wanted.segment, start, timing, person=mine.person)
        wrong = errors(prospect.findings)
        if wrong:
            return _form(mine, station, wanted, errors=wrong)
        if form.get("confirm") != _agreed(wanted, prospect):
            return _form(mine, station, wanted, prospect=prospect, start=start)
        work.order_airing(station=station.code, segment=wanted.segment, start=start, timing=timing, person=mine.person)
    except (NotAllowed, Unknown):
        raise
    except Refused as refused:
        return _form(mine, station, wanted, errors=refused.findings)
    flash(_("Đã xếp phát riêng lúc %(time)s.", time=moment_short(start, station.zone)), "done")
    day = local(start, station.zone).date()
    return redirect(url_for("pages.week", week=week_of(day), dai=station.code, ngay=day.isoformat()), 303)


def _agreed(wanted: Wanted, prospect: Prospect) -> str:
    """Name what was shown: another time, item or cost needs another look."""
    costs = [*(item.slot for item in prospect.displaced), *(f.code for f in prospect.findings)]
    return "|".join([wanted.segment, wanted.when, wanted.at, wanted.timing, *costs])[:2000]


def _form(
    mine: Scope,
    station: Station,
    wanted: Wanted,
    *,
    errors: tuple[Finding, ...] = (),
    prospect: Prospect | None = None,
    start: datetime | None = None,
) -> AnyResponse:
    offered = singles.airable_here(station, person=mine.person, limit=_OFFERED)
    code = 422 if errors else 409 if prospect else 200
    title = next((one.title for one in offered if one.id == wanted.segment), "")
    return page(
        "single.html",
        active="week",
        code=code,
        station=station,
        stations_here=[one for one in mine.stations if can(mine.person, "airings.order", one)],
        offered=offered,
        wanted=wanted,
        errors=errors,
        prospect=prospect,
        confirm=_agreed(wanted, prospect) if prospect else "",
        costs=_costs(prospect, station) if prospect else [],
        title=title,
        week=week_of(local(now(), station.zone).date()),
        answer=_answer(prospect, title, start, station),
    )


def _costs(prospect: Prospect, station: Station) -> list[str]:
    zone = station.zone
    found = [
        _("“%(title)s” lúc %(time)s nhường giờ, không phát.", title=item.title, time=clock(item.due, zone))
        for item in prospect.displaced
    ]
    found += [
        _(
            "“%(title)s” bắt đầu muộn hơn: %(new)s thay vì %(old)s.",
            title=old.title,
            new=clock(new.due, zone),
            old=clock(old.due, zone),
        )
        for old, new in prospect.delayed
    ]
    if len(found) > _SHOWN:
        left = len(found) - _SHOWN
        found = [*found[:_SHOWN], ngettext("và %(num)d mục nữa", "và %(num)d mục nữa", left)]
    return found


def _answer(prospect: Prospect | None, title: str, start: datetime | None, station: Station) -> tuple[Part, ...]:
    if prospect is None or start is None:
        return (Part(text=_("Chọn bài đã duyệt và giờ phát.")),)
    when = moment_short(start, station.zone)
    first = Part(text=_("“%(title)s” sẽ phát %(when)s.", title=title, when=when))
    if prospect.displaced:
        words = ngettext("%(num)d mục nhường giờ.", "%(num)d mục nhường giờ.", len(prospect.displaced))
        return first, Part(text=words, tone="warn")
    return first, Part(text=_("Không mục nào phải nhường giờ."), tone="ok")


def _no_time() -> Finding:
    return Finding(
        code="start_wrong",
        severity=Severity.ERROR,
        where="at",
        message=Text("Hãy chọn ngày và giờ phát.", "Choose the day and time."),
    )


def _not_here() -> Text:
    return Text(
        "Anh/chị không có quyền xếp phát riêng ở đài này. Chưa có gì thay đổi.",
        "You may not order single airings at this station. Nothing was changed.",
    )
