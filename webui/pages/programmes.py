"""Chuyên mục: what fills the slots of a programme, and in which order when nothing new was approved."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from schedules.errors import Refused
from schedules.findings import Finding
from schedules.programme import Order, Otherwise, Programme
from webui import planning
from webui.auth import allowed
from webui.pages import states
from webui.pages.language import say
from webui.pages.layout import page
from webui.pages.scope import scope
from webui.pages.session import Reading
from webui.rights import can

_CODE = re.compile(r"[A-Z0-9]{2,20}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A programme as its form shows it. hours: as typed."""

    code: str = ""
    name: str = ""
    order: str = Order.NEWEST.value
    otherwise: tuple[str, ...] = ()
    hours: str = "0"


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/chuyen-muc", "programmes", programmes)
    pages.add_url_rule("/chuyen-muc/sua", "programme", programme, methods=["GET", "POST"])


@allowed("grid.read")
def programmes() -> AnyResponse:
    """List the programmes with their rules in words."""
    mine = scope()
    known = sorted(mine.programmes.values(), key=lambda one: one.name)
    return page(
        "programmes.html",
        active="programmes",
        listed=[(one, rules(one)) for one in known],
        may_edit=can(mine.person, "programmes.edit"),
        answer=ngettext("%(num)d chuyên mục.", "%(num)d chuyên mục.", len(known)),
    )


@allowed("programmes.edit")
def programme() -> AnyResponse:
    """Show the form of a programme (`ma=` names it, none is a new one), or save it."""
    mine = scope()
    asked = request.values.get("ma", "")
    known = mine.programmes.get(asked)
    if asked and known is None:
        abort(404)
    if request.method == "GET":
        return _form(_shown(known or Programme(code="", name="")), known, ())
    form = request.form
    wanted = Wanted(
        code=known.code if known else form.get("code", "").strip().upper()[:20],
        name=" ".join(form.get("name", "").split())[:200],
        order=form.get("order", ""),
        otherwise=tuple(form.get(f"otherwise-{n}", "") for n in range(len(Otherwise))),
        hours=form.get("hours", "").strip(),
    )
    made, problems = _programme(wanted, known)
    if made is None:
        return _form(wanted, known, problems)
    try:
        planning.save_programme(made, person=mine.person)
    except Refused as refused:
        return _form(wanted, known, refused.findings)
    flash(_("Đã lưu chuyên mục “%(name)s”.", name=made.name), "done")
    return redirect(url_for("pages.programmes"), 303)


def rules(one: Programme) -> str:
    """Return in words what fills a slot of the programme."""
    words = [say(states.ORDERS[one.order])]
    if one.otherwise:
        steps = ", ".join(say(states.OTHERWISE[step]) for step in one.otherwise)
        words.append(_("nếu không có bài mới: %(steps)s", steps=steps))
    else:
        words.append(_("nếu không có bài mới thì để trống"))
    if Otherwise.REPEAT not in one.otherwise and Otherwise.ROTATION not in one.otherwise:
        words.append(_("không phát lại"))
    if one.separation_s:
        hours = f"{one.separation_s / 3600:g}"
        words.append(_("bài cũ nghỉ ít nhất %(hours)s giờ", hours=hours))
    return "; ".join(words)


def _shown(known: Programme) -> Wanted:
    return Wanted(
        code=known.code,
        name=known.name,
        order=known.order.value,
        otherwise=tuple(one.value for one in known.otherwise),
        hours=f"{known.separation_s / 3600:g}",
    )


def _programme(wanted: Wanted, known: Programme | None) -> tuple[Programme | None, tuple[Finding, ...]]:
    reading = Reading()
    if known is None and (not _CODE.fullmatch(wanted.code) or wanted.code in scope().programmes):
        reading.wrong(
            "code",
            "Mã gồm 2 tới 20 chữ in hoa không dấu hoặc số, và chưa dùng cho chuyên mục khác.",
            "A code is 2 to 20 capital letters or digits that no other programme has.",
        )
    if not wanted.name:
        reading.wrong("name", "Hãy đặt tên chuyên mục.", "Give the programme a name.")
    order = next((one for one in Order if one.value == wanted.order), None)
    if order is None:
        reading.wrong("order", "Hãy chọn thứ tự.", "Choose the order.")
    steps = tuple(one for value in wanted.otherwise for one in Otherwise if one.value == value)
    if len(set(steps)) != len(steps):
        reading.wrong("otherwise-0", "Mỗi cách chỉ chọn một lần.", "Choose each way only once.")
    hours = wanted.hours.replace(",", ".")
    if not re.fullmatch(r"\d{1,4}(\.\d)?", hours):
        reading.wrong("hours", "Hãy ghi số giờ, như 0 hoặc 48.", "Write a number of hours, such as 0 or 48.")
    if reading.problems or order is None:
        return None, tuple(reading.problems)
    return (
        Programme(
            code=wanted.code,
            name=wanted.name,
            order=order,
            otherwise=steps,
            separation_s=round(float(hours) * 3600),
        ),
        (),
    )


def _form(wanted: Wanted, known: Programme | None, problems: tuple[Finding, ...]) -> AnyResponse:
    return page(
        "programme.html",
        active="programmes",
        code=422 if problems else 200,
        wanted=wanted,
        known=known,
        errors=problems,
        orders=list(Order),
        ways=list(Otherwise),
    )
