"""Tuần mẫu: weeks that replace the standing one for a season, for Tết, or for a single day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from schedules.calendar import instant, occurrences
from schedules.clock import Interval
from schedules.errors import Refused
from schedules.grid import EVERY_DAY, DayKind, SessionRule, WeekTemplate
from schedules.station import Station
from store import sessions, templates
from store.identity import new_id
from store.intent import load_intent
from webui import planning
from webui.auth import allowed
from webui.pages import states
from webui.pages.answers import Part
from webui.pages.formats import local, parse_day, week_of
from webui.pages.language import say
from webui.pages.layout import page
from webui.pages.review import Review, review
from webui.pages.scope import Scope, now, scope
from webui.pages.session import Reading, editable, recurrence
from webui.rights import can
from webui.services import services

_DOCUMENT = 500
_ONE_DAY = 10
_MOST_PRIORITY = 99


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A week template as its form shows it. begin: empty or copy; only a new one is asked."""

    id: str = ""
    name: str = ""
    valid_from: str = ""
    valid_until: str = ""
    day_kinds: tuple[str, ...] = ()
    priority: str = "1"
    document: str = ""
    begin: str = "copy"
    day: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A week template in the list. about: when it holds; sessions: name and words of each."""

    template: WeekTemplate
    about: str
    sessions: tuple[tuple[SessionRule, str], ...]


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/lich/tuan-mau", "week_templates", week_templates)
    pages.add_url_rule("/lich/tuan-mau/sua", "week_template", week_template, methods=["GET", "POST"])
    pages.add_url_rule("/lich/tuan-mau/ket-thuc", "end_week_template", end_week_template, methods=["POST"])


@allowed("grid.read")
def week_templates() -> AnyResponse:
    """List the week templates of a station that hold or are to come."""
    mine = scope()
    station = mine.chosen()
    if station is None:
        return redirect(url_for("pages.stations"))
    with services().database.reading() as session:
        known = templates.in_force(session, station.code)
        rules = sessions.in_force(session, station.code)
    today = local(now(), station.zone).date()
    open_ones = [one for one in known if one.valid_until is None or one.valid_until >= today]
    return page(
        "weeks.html",
        active="week",
        station=station,
        stations_here=mine.stations,
        listed=[_listed(one, rules) for one in sorted(open_ones, key=lambda one: one.valid_from or date.min)],
        past=len(known) - len(open_ones),
        this_week=week_of(today),
        may_edit=can(mine.person, "grid.edit", station),
        answer=_answer(open_ones, today),
    )


@allowed("grid.edit")
def week_template() -> AnyResponse:
    """Show the form of a week template (`ma=`), of a new one, or of one that replaces a day (`thay=`); publish it."""
    mine = scope()
    station = editable(mine)
    asked = request.values.get("ma", "")
    with services().database.reading() as session:
        known = templates.find(session, station.code, asked) if asked else None
    if asked and (known is None or known.until is not None):
        abort(404)
    if request.method == "GET":
        return _form(mine, station, _shown(known), Review())
    form = request.form
    wanted = Wanted(
        id=known.id if known else "",
        name=" ".join(form.get("name", "").split())[:200],
        valid_from=form.get("valid_from", "").strip(),
        valid_until=form.get("valid_until", "").strip(),
        day_kinds=tuple(form.getlist("day_kinds")),
        priority=form.get("priority", "").strip(),
        document=" ".join(form.get("document", "").split())[:_DOCUMENT],
        begin=form.get("begin", "empty"),
        day=form.get("day", ""),
    )
    template, wrong = _template(station, wanted, known)
    if template is None:
        return _form(mine, station, wanted, wrong)
    made = template
    rules = () if known else _copied(station, wanted)

    def decide(key: str, rehearse: bool) -> planning.Consequences:
        if known:
            return planning.publish_template(made, person=mine.person, accepted=key, rehearse=rehearse)
        return planning.replace_day(made, rules, person=mine.person, accepted=key, rehearse=rehearse)

    found = review(decide, wanted, about="templates", name=wanted.id)
    if not found.done:
        return _form(mine, station, wanted, found)
    flash(_("Đã công bố “%(name)s”.", name=made.name), "done")
    return redirect(url_for("pages.week_templates", dai=station.code), 303)


@allowed("grid.edit")
def end_week_template() -> AnyResponse:
    """End a week template now; the standing week holds again."""
    mine = scope()
    station = editable(mine)
    try:
        planning.end_template(station.code, request.form.get("ma", ""), person=mine.person)
    except Refused:
        flash(_("Tuần mẫu này đã kết thúc trước đó."), "bad")
    else:
        flash(_("Đã kết thúc tuần mẫu. Lịch tuần thường có hiệu lực lại từ bây giờ."), "done")
    return redirect(url_for("pages.week_templates", dai=station.code), 303)


def holds_when(template: WeekTemplate) -> str:
    """Return when a template holds, in words."""
    first, last = template.valid_from, template.valid_until
    if first and first == last:
        when = _("ngày %(day)s", day=f"{first:%d/%m/%Y}")
    elif first and last:
        when = _("từ %(first)s đến %(last)s", first=f"{first:%d/%m/%Y}", last=f"{last:%d/%m/%Y}")
    elif first:
        when = _("từ %(day)s", day=f"{first:%d/%m/%Y}")
    elif last:
        when = _("đến %(day)s", day=f"{last:%d/%m/%Y}")
    else:
        when = _("không giới hạn ngày")
    if template.day_kinds:
        kinds = ", ".join(say(states.DAYS[kind]) for kind in template.day_kinds)
        when = _("%(when)s, chỉ %(kinds)s", when=when, kinds=kinds)
    return when


def _listed(template: WeekTemplate, rules: Sequence[SessionRule]) -> Listed:
    of_it = [rule for rule in rules if rule.template == template.id]
    return Listed(
        template=template,
        about=holds_when(template),
        sessions=tuple(
            (rule, f"{', '.join(f'{start:%H:%M}' for start in rule.starts)} · {recurrence(rule)}")
            for rule in sorted(of_it, key=lambda rule: rule.starts)
        ),
    )


def _answer(known: Sequence[WeekTemplate], today: date) -> tuple[Part, ...]:
    if not known:
        return (Part(text=_("Mọi tuần theo lịch tuần thường. Chưa có tuần mẫu nào.")),)
    holding = [
        one
        for one in known
        if not one.day_kinds
        and (one.valid_from is None or one.valid_from <= today)
        and (one.valid_until is None or today <= one.valid_until)
    ]
    parts = [Part(text=ngettext("%(num)d tuần mẫu.", "%(num)d tuần mẫu.", len(known)))]
    if holding:
        first = max(holding, key=lambda one: one.priority)
        parts.append(Part(text=_("Hôm nay theo “%(name)s”.", name=first.name)))
    else:
        parts.append(Part(text=_("Hôm nay theo lịch tuần thường.")))
    return tuple(parts)


def _shown(known: WeekTemplate | None) -> Wanted:
    if known is not None:
        return Wanted(
            id=known.id,
            name=known.name,
            valid_from=known.valid_from.isoformat() if known.valid_from else "",
            valid_until=known.valid_until.isoformat() if known.valid_until else "",
            day_kinds=tuple(kind.value for kind in known.day_kinds),
            priority=str(known.priority),
            document=known.document,
        )
    day = parse_day(request.args.get("thay", ""))
    if day is None:
        return Wanted()
    return Wanted(
        name=_("Thay ngày %(day)s", day=f"{day:%d/%m/%Y}"),
        valid_from=day.isoformat(),
        valid_until=day.isoformat(),
        priority=str(_ONE_DAY),
        day=day.isoformat(),
    )


def _template(station: Station, wanted: Wanted, known: WeekTemplate | None) -> tuple[WeekTemplate | None, Review]:
    reading = Reading()
    if not wanted.name:
        reading.wrong("name", "Hãy đặt tên tuần mẫu.", "Give the week template a name.")
    first = reading.day("valid_from", wanted.valid_from)
    last = reading.day("valid_until", wanted.valid_until)
    kinds = tuple(kind for kind in DayKind if kind.value in wanted.day_kinds)
    if first and last and last < first:
        reading.wrong("valid_until", "Ngày cuối đứng trước ngày đầu.", "The last day comes before the first.")
    if not first and not last and not kinds and not reading.problems:
        reading.wrong(
            "valid_from",
            "Hãy chọn ngày hoặc loại ngày: tuần mẫu không giới hạn sẽ thay hẳn lịch tuần thường.",
            "Choose dates or kinds of days: without any it would replace the standing week for good.",
        )
    if not wanted.priority.isdecimal() or not 1 <= int(wanted.priority[:3]) <= _MOST_PRIORITY:
        reading.wrong("priority", "Mức ưu tiên là số từ 1 tới 99.", "The priority is a number from 1 to 99.")
    if reading.problems:
        return None, Review(errors=tuple(reading.problems))
    return (
        WeekTemplate(
            id=wanted.id,
            station=station.code,
            name=wanted.name,
            priority=int(wanted.priority),
            valid_from=first,
            valid_until=last,
            day_kinds=kinds,
            document=wanted.document,
            since=known.since if known else now(),
        ),
        Review(),
    )


def _copied(station: Station, wanted: Wanted) -> tuple[SessionRule, ...]:
    """Return the sessions that a new template begins with: those of the day, of the standing week, or none."""
    if wanted.begin != "copy":
        return ()
    day = parse_day(wanted.day)
    with services().database.reading() as session:
        if day is None:
            rules = [rule for rule in sessions.in_force(session, station.code) if rule.template is None]
            return tuple(_fresh(rule) for rule in rules)
        intent = load_intent(session, now(), demo=services().demo)
    zone = ZoneInfo(station.zone)
    during = Interval(instant(zone, day, time(0)), instant(zone, day + timedelta(days=1), time(0)))
    due = [one for one in occurrences(intent, station, during) if during.contains(one.during.start)]
    return tuple(
        replace(
            _fresh(one.rule),
            starts=(local(one.during.start, station.zone).time(),),
            weekdays=EVERY_DAY,
            every_weeks=1,
            anchor=None,
            month_days=(),
            nth_weekdays=(),
            only=(),
        )
        for one in due
    )


def _fresh(rule: SessionRule) -> SessionRule:
    return replace(rule, id=new_id(), template=None, since=now(), until=None, valid_from=None, valid_until=None)


def _form(mine: Scope, station: Station, wanted: Wanted, found: Review) -> AnyResponse:
    return page(
        "week_template.html",
        active="week",
        code=found.code,
        station=station,
        wanted=wanted,
        errors=found.errors,
        review=found,
        kinds=list(DayKind),
        scope=mine,
    )
