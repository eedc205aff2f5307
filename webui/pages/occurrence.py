"""Một buổi của một ngày: cancelled, moved, or this and all following, without touching the rule of the week."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from schedules.calendar import Occurrence, instant, occurrences
from schedules.clock import Interval
from schedules.errors import Refused
from schedules.grid import Change, SessionException, SessionRule
from schedules.station import Station
from store import sessions
from webui import pencil, planning
from webui.auth import allowed
from webui.pages.answers import Part
from webui.pages.formats import clock, day_long, day_short, local, parse_day, week_of
from webui.pages.layout import page
from webui.pages.review import Review, review
from webui.pages.scope import Scope, now, scope
from webui.pages.session import Reading, editable, parse_times, recurrence
from webui.services import services

_FAR = timedelta(days=62)
_REASON = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A decision as its form shows it. what: cancel or move."""

    what: str = Change.CANCEL.value
    following: bool = False
    to_day: str = ""
    to_start: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A decision that holds for this occurrence, in words."""

    id: str
    text: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class One:
    """Which occurrence the address names. number: of its several starts, None where it has one."""

    rule: SessionRule
    name: str
    number: int | None
    day: date
    planned: datetime


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/lich/buoi/<name>/<day>", "occurrence", occurrence, methods=["GET", "POST"])
    pages.add_url_rule("/lich/buoi/<name>/<day>/bo-quyet-dinh", "take_back", take_back, methods=["POST"])


@allowed("grid.edit")
def occurrence(name: str, day: str) -> AnyResponse:
    """Show one occurrence, what was decided about it, and the forms that cancel or move it."""
    mine = scope()
    station = editable(mine)
    one = _one(station, name, day)
    if request.method == "GET":
        return _page(mine, station, one, Wanted(to_day=one.day.isoformat()), Review())
    form = request.form
    wanted = Wanted(
        what=form.get("what", ""),
        following=form.get("following") == "1",
        to_day=form.get("to_day", "").strip(),
        to_start=form.get("to_start", "").strip(),
        reason=" ".join(form.get("reason", "").split())[:_REASON],
    )
    exception, wrong = _exception(station, one, wanted)
    if exception is None:
        return _page(mine, station, one, wanted, wrong)
    decided = exception

    def decide(key: str, rehearse: bool) -> planning.Consequences:
        return planning.except_session(decided, person=mine.person, accepted=key, rehearse=rehearse)

    found = review(decide, wanted, about="exceptions")
    if not found.done:
        return _page(mine, station, one, wanted, found)
    flash(
        _("Đã hủy buổi này.") if decided.change is Change.CANCEL else _("Đã dời buổi này."),
        "done",
    )
    return redirect(url_for("pages.week", week=week_of(one.day), dai=station.code, ngay=one.day.isoformat()), 303)


@allowed("grid.edit")
def take_back(name: str, day: str) -> AnyResponse:
    """Let the session be as its rule says again."""
    mine = scope()
    station = editable(mine)
    asked = request.form.get("ma", "")
    try:
        if request.form.get("nhap"):
            pencil.take_back(station.code, asked, person=mine.person)
            flash(_("Đã ghi vào bản nháp: bỏ quyết định này."), "done")
            return redirect(url_for("pages.occurrence", name=name, day=day, dai=station.code), 303)
        planning.take_back_exception(station.code, asked, person=mine.person)
    except Refused:
        flash(_("Quyết định này đã được bỏ trước đó."), "bad")
    else:
        flash(_("Đã bỏ quyết định. Buổi phát theo lịch tuần như cũ."), "done")
    return redirect(url_for("pages.occurrence", name=name, day=day, dai=station.code), 303)


def _one(station: Station, name: str, day: str) -> One:
    asked = parse_day(day)
    rule_id, _dot, tail = name.partition(".")
    seen = pencil.look(station.code, person=scope().person)
    rule = seen.rules.get(rule_id)
    if rule is None:
        with services().database.reading() as session:
            rule = sessions.find(session, station.code, rule_id)
    if rule is None or asked is None or not 1971 <= asked.year <= 2198 or (tail and not tail.isdecimal()):
        abort(404)
    number = int(tail[:3]) if tail else 1
    if not 1 <= number <= len(rule.starts):
        abort(404)
    return One(
        rule=rule,
        name=name,
        number=number if len(rule.starts) > 1 else None,
        day=asked,
        planned=instant(ZoneInfo(station.zone), asked, rule.starts[number - 1]),
    )


def _exception(station: Station, one: One, wanted: Wanted) -> tuple[SessionException | None, Review]:
    reading = Reading()
    change = next((change for change in Change if change.value == wanted.what), None)
    to_day: date | None = None
    to_start: time | None = None
    if change is None:
        reading.wrong("what", "Hãy chọn hủy hoặc dời.", "Choose to cancel or to move.")
    if change is Change.MOVE:
        to_day = reading.day("to_day", wanted.to_day)
        starts = parse_times(wanted.to_start)
        if starts is None or len(starts) != 1:
            reading.wrong("to_start", "Giờ mới viết như 17:30.", "Write the new time as 17:30.")
        else:
            to_start = starts[0]
        if to_day is None and not reading.problems:
            reading.wrong("to_day", "Hãy chọn ngày mới.", "Choose the new day.")
        elif to_day and to_start and instant(ZoneInfo(station.zone), to_day, to_start) <= now():
            reading.wrong("to_day", "Giờ mới đã qua rồi.", "The new time is past already.")
    if one.planned <= now() and not wanted.following:
        reading.wrong("what", "Buổi này đã đến giờ, không đổi được nữa.", "This session is due already.")
    if change is None or reading.problems:
        return None, Review(errors=tuple(reading.problems))
    return (
        SessionException(
            id="",
            station=station.code,
            session=one.rule.id,
            day=one.day,
            change=change,
            following=wanted.following,
            number=one.number,
            to_day=to_day,
            to_start=to_start,
            reason=wanted.reason,
            since=now(),
        ),
        Review(),
    )


def _page(mine: Scope, station: Station, one: One, wanted: Wanted, found: Review) -> AnyResponse:
    seen = pencil.look(station.code, person=mine.person)
    made = [
        known
        for known in seen.exceptions
        if known.session == one.rule.id
        and (known.number is None or known.number == (one.number or 1))
        and (known.day == one.day or (known.following and known.day <= one.day))
    ]
    far = max([_FAR, *(abs(known.to_day - known.day) + _FAR for known in made if known.to_day)])
    around = Interval(one.planned - far, one.planned + far)
    found_there = occurrences(seen.intent, station, around)
    due = next((x for x in found_there if seen.name(x.name) == one.name and x.day == one.day), None)
    pencilled = {rule.id for pair in seen.change.rules for rule in pair if rule is not None}
    new_ones = {known.id for known in seen.change.added}
    there = local(due.during.start if due else one.planned, station.zone)
    return page(
        "occurrence.html",
        active="week",
        code=found.code,
        station=station,
        one=one,
        due=due,
        rule_words=recurrence(one.rule),
        wanted=wanted,
        errors=found.errors,
        review=found,
        made=[decided(known) for known in made],
        answer=_answer(station, one, due),
        week=week_of(one.day),
        over=one.planned <= now(),
        scope=mine,
        day_words=day_long(one.day),
        there=there,
        minutes=f"{one.rule.length_s / 60:g}",
        at_once=one.rule.id not in pencilled,
        new_ones=new_ones,
        steps=seen.steps,
        stations_here=mine.stations,
    )


def decided(exception: SessionException) -> Made:
    """Return a decision in words."""
    if exception.change is Change.CANCEL:
        text = (
            _("Hủy từ %(day)s trở đi", day=day_short(exception.day))
            if exception.following
            else _("Hủy buổi %(day)s", day=day_short(exception.day))
        )
    else:
        there = " ".join(
            [
                *([f"{exception.to_start:%H:%M}"] if exception.to_start else []),
                *([day_short(exception.to_day)] if exception.to_day else []),
            ]
        )
        text = (
            _("Dời từ %(day)s trở đi, sang %(there)s", day=day_short(exception.day), there=there)
            if exception.following
            else _("Dời buổi %(day)s sang %(there)s", day=day_short(exception.day), there=there)
        )
    return Made(id=exception.id, text=text, reason=exception.reason)


def _answer(station: Station, one: One, due: Occurrence | None) -> tuple[Part, ...]:
    if due is None:
        return (
            Part(text=_("%(name)s %(day)s", name=one.rule.name, day=day_short(one.day))),
            Part(text=_("không phát."), tone="warn"),
        )
    start = due.during.start
    words = _(
        "%(name)s phát %(day)s, %(start)s đến %(end)s.",
        name=one.rule.name,
        day=day_short(local(start, station.zone).date()),
        start=clock(start, station.zone),
        end=clock(due.during.end, station.zone),
    )
    return (Part(text=words),)
