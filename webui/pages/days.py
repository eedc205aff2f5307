"""Ngày lễ, ngày đặc biệt: what the law and what decrees say of dates, the same for every station."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from schedules.errors import Refused
from schedules.grid import EVERY_DAY, CalendarDay, DayKind
from store import calendar_days
from webui import planning
from webui.auth import allowed
from webui.pages.answers import Part
from webui.pages.formats import day_long, local, parse_day, weekday_long
from webui.pages.language import say
from webui.pages.layout import page
from webui.pages.review import Review, review
from webui.pages.scope import now, scope
from webui.pages.session import Reading
from webui.rights import can
from webui.services import services

_AHEAD = timedelta(days=400)
_NAME = 200
_DOCUMENT = 500
DECREED = (DayKind.MOURNING, DayKind.DAY_OFF, DayKind.WORKING, DayKind.HOLIDAY, DayKind.TET)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A decreed day as its form shows it."""

    day: str = ""
    kind: str = DayKind.MOURNING.value
    name: str = ""
    works_as: str = ""
    document: str = ""


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/lich/ngay-dac-biet", "special_days", special_days)
    pages.add_url_rule("/lich/ngay-dac-biet/moi", "decree_day", decree_day, methods=["GET", "POST"])
    pages.add_url_rule("/lich/ngay-dac-biet/bo", "take_back_day", take_back_day, methods=["POST"])


@allowed("grid.read")
def special_days() -> AnyResponse:
    """List the dates to come that are not ordinary ones."""
    mine = scope()
    today = local(now()).date()
    with services().database.reading() as session:
        known = calendar_days.every(session)
        decreed = {(one.day, one.kind) for one in calendar_days.decreed(session)}
    coming = [one for one in known if today <= one.day <= today + _AHEAD]
    return page(
        "days.html",
        active="week",
        coming=coming,
        decreed=decreed,
        day_long=day_long,
        weekday_long=weekday_long,
        may_edit=can(mine.person, "calendar.edit"),
        answer=_answer(coming, today),
    )


@allowed("calendar.edit")
def decree_day() -> AnyResponse:
    """Show the form of a decreed day, what it would change at every station, or put it in force."""
    mine = scope()
    if request.method == "GET":
        return _form(Wanted(day=request.args.get("ngay", "")), Review())
    form = request.form
    wanted = Wanted(
        day=form.get("day", "").strip(),
        kind=form.get("kind", ""),
        name=" ".join(form.get("name", "").split())[:_NAME],
        works_as=form.get("works_as", ""),
        document=" ".join(form.get("document", "").split())[:_DOCUMENT],
    )
    day, wrong = _day(wanted)
    if day is None:
        return _form(wanted, wrong)
    decreed = day

    def decide(key: str, rehearse: bool) -> planning.Consequences:
        return planning.decree_day(decreed, person=mine.person, accepted=key, rehearse=rehearse)

    found = review(decide, wanted, about="calendar")
    if not found.done:
        return _form(wanted, found)
    flash(_("Đã ghi %(name)s, %(day)s.", name=day.name, day=day_long(day.day)), "done")
    return redirect(url_for("pages.special_days"), 303)


@allowed("calendar.edit")
def take_back_day() -> AnyResponse:
    """Forget a decreed day that is still to come."""
    mine = scope()
    day = parse_day(request.form.get("day", ""))
    kind = next((kind for kind in DayKind if kind.value == request.form.get("kind")), None)
    if day is None or kind is None or day <= local(now()).date():
        flash(_("Ngày này đã qua hoặc không có, nên không bỏ được."), "bad")
        return redirect(url_for("pages.special_days"), 303)
    try:
        planning.take_back_day(day, kind, person=mine.person)
    except Refused as refused:
        flash(say(refused.findings[0].message), "bad")
    else:
        flash(_("Đã bỏ. Ngày này lại theo luật chung."), "done")
    return redirect(url_for("pages.special_days"), 303)


def _answer(coming: list[CalendarDay], today: date) -> tuple[Part, ...]:
    if not coming:
        return (Part(text=_("Trong 400 ngày tới chưa ghi ngày nào khác ngày thường.")),)
    first = coming[0]
    left = (first.day - today).days
    when = ngettext("còn %(num)d ngày", "còn %(num)d ngày", left) if left else _("hôm nay")
    return (
        Part(text=_("Gần nhất: %(name)s, %(day)s, %(when)s.", name=first.name, day=day_long(first.day), when=when)),
    )


def _day(wanted: Wanted) -> tuple[CalendarDay | None, Review]:
    reading = Reading()
    day = reading.day("day", wanted.day)
    if day is None and not reading.problems:
        reading.wrong("day", "Hãy chọn ngày.", "Choose the day.")
    if day is not None and day <= local(now()).date():
        reading.wrong("day", "Chỉ ghi được ngày sau hôm nay.", "Only a day after today can be entered.")
    kind = next((kind for kind in DECREED if kind.value == wanted.kind), None)
    if kind is None:
        reading.wrong("kind", "Hãy chọn loại ngày.", "Choose the kind of day.")
    if not wanted.name:
        reading.wrong("name", "Hãy ghi tên ngày.", "Name the day.")
    if not wanted.document:
        reading.wrong("document", "Hãy ghi số văn bản quyết định ngày này.", "Name the document that decrees it.")
    works_as = int(wanted.works_as) if wanted.works_as in set("1234567") else None
    if day is None or kind is None or reading.problems:
        return None, Review(errors=tuple(reading.problems))
    return (
        CalendarDay(day=day, kind=kind, name=wanted.name, works_as=works_as, document=wanted.document),
        Review(),
    )


def _form(wanted: Wanted, found: Review) -> AnyResponse:
    return page(
        "day.html",
        active="week",
        code=found.code,
        wanted=wanted,
        errors=found.errors,
        review=found,
        kinds=DECREED,
        weekdays=[(number, weekday_long(number)) for number in EVERY_DAY],
    )
