"""Giao việc: who makes what by when, for a programme, a topic or a village."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from schedules.errors import NotAllowed, Refused, Unknown
from schedules.findings import Finding
from schedules.station import Station
from schedules.text import Text
from schedules.topics import BY_CODE
from store import assignments
from store.accounts import Role
from store.assignments import Assignment, AssignmentState, Mark, Task, Which
from webui import assigning
from webui.auth import allowed
from webui.pages import states, upkeepwords
from webui.pages.answers import Part
from webui.pages.formats import day_short, local, parse_day, period_name
from webui.pages.language import say
from webui.pages.layout import page
from webui.pages.scope import Scope, door, now, scope
from webui.rights import can
from webui.services import services

_PAGE = 50
_SOON = timedelta(days=2)
_WORDS = {
    Which.OPEN: Text("Đang làm", "To be done"),
    Which.OVERDUE: Text("Quá hạn", "Overdue"),
    Which.DONE: Text("Đã xong, đã hủy", "Done, cancelled"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An assignment in a list. compose: where its item is made; empty where the reader makes none."""

    assignment: Assignment
    mark: states.Mark
    about: str
    compose: str
    may_take: bool
    may_finish: bool
    may_cancel: bool


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/giao-viec", "assignments", listing)
    pages.add_url_rule("/giao-viec/moi", "new_assignment", new_assignment, methods=["GET", "POST"])
    pages.add_url_rule("/giao-viec/nhiem-vu", "assign_duty", assign_duty, methods=["POST"])
    pages.add_url_rule("/giao-viec/<assignment>", "move_assignment", move_assignment, methods=["POST"])


@allowed("assignments.read")
def listing() -> AnyResponse:
    """List assignments, what is due first, first; the own ones only where that is asked."""
    mine = scope()
    which = next((one for one in Which if one.value == request.args.get("xem", "")), Which.OPEN)
    own = request.args.get("cua_toi", "") == "1"
    today = local(now()).date()
    with services().database.reading() as session:
        found = assignments.listing(
            session,
            units=mine.unit_codes,
            which=which,
            today=today,
            assignee=mine.person.id if own else None,
            after=_mark(request.args.get("sau", "")),
            limit=_PAGE + 1,
        )
        opened, overdue = assignments.counts(session, units=mine.unit_codes, today=today)
        my_own = assignments.count_mine(session, mine.person)
    more = ""
    if len(found) > _PAGE:
        last = found[_PAGE - 1]
        more = _address(which, own, sau=f"{last.task.due.isoformat()}~{last.id}")
    numbers = {Which.OPEN: opened, Which.OVERDUE: overdue, Which.DONE: None}
    filters = [(say(_WORDS[one]), numbers[one], _address(one, own), one is which) for one in Which]
    filters.append((_("Chỉ việc của tôi"), my_own, _address(which, not own), own))
    return page(
        "assignments.html",
        active="assignments",
        answer=_answer(opened, overdue, my_own),
        rows=[_row(mine, one, today) for one in found[:_PAGE]],
        filters=filters,
        which=which,
        more=more,
        may_give=can(mine.person, assigning.EDIT),
    )


@allowed("assignments.edit")
def new_assignment() -> AnyResponse:
    """Show the form of an assignment, or give it."""
    mine = scope()
    form = request.form
    today = local(now()).date()
    if request.method == "GET":
        return _form(mine, request.args.to_dict(), ())
    due = parse_day(form.get("due", ""))
    errors: tuple[Finding, ...] = ()
    task = Task(
        unit=mine.person.unit,
        station=mine.station(form["station"]).code if form.get("station") else None,
        title=" ".join(form.get("title", "").split()),
        note=form.get("note", ""),
        programme=form.get("programme") if form.get("programme", "") in mine.programmes else None,
        topic=form.get("topic", "") if form.get("topic", "") in BY_CODE else "",
        village=" ".join(form.get("village", "").split()),
        assignee=form.get("assignee") or None,
        assignee_name=" ".join(form.get("assignee_name", "").split()),
        due=due or today + _SOON,
    )
    try:
        assigning.give(task, person=mine.person)
    except (NotAllowed, Unknown):
        raise
    except Refused as refused:
        errors = refused.findings
        return _form(mine, form.to_dict(), errors)
    flash(_("Đã giao việc “%(title)s”.", title=task.title), "done")
    return redirect(url_for("pages.assignments"), 303)


@allowed("assignments.edit")
def assign_duty() -> AnyResponse:
    """Give what a duty at risk needs to the station's officer, in one tap; where there is none, show the form."""
    mine = scope()
    form = request.form
    station = mine.station(form.get("station", ""))
    duty = next((one for one in mine.duties if one.code == form.get("duty", "")), None)
    period = form.get("period", "")[:10]
    if duty is None:
        flash(_("Không có nhiệm vụ này."), "bad")
        return redirect(url_for("pages.assignments"), 303)
    title = _("Làm bài cho %(duty)s, %(period)s", duty=duty.name, period=period_name(period))
    due = _deadline(station, duty.code, period)
    with services().database.reading() as session:
        officers = [one for one in assigning.makers(session, {station.unit}) if one.role is Role.OPERATOR]
    if not officers:
        values = {"title": title, "station": station.code, "due": due.isoformat(), "programme": duty.programme or ""}
        return redirect(f"{url_for('pages.new_assignment')}?{urlencode(values)}", 303)
    task = Task(
        unit=station.unit,
        station=station.code,
        title=title,
        programme=duty.programme,
        duty=duty.code,
        period=period,
        assignee=officers[0].id,
        due=due,
    )
    try:
        assigning.give(task, person=mine.person)
    except (NotAllowed, Unknown):
        raise
    except Refused as refused:
        flash(" ".join(say(one.message) for one in refused.findings), "bad")
    else:
        flash(_("Đã giao %(who)s: %(title)s.", who=officers[0].full_name, title=title), "done")
    return redirect(url_for("pages.assignments"), 303)


@allowed("assignments.edit")
def move_assignment(assignment: str) -> AnyResponse:
    """Take an assignment, say that it is done, or that it is not needed."""
    wanted = request.form.get("do", "")
    state = next((one for one in AssignmentState if one.value == wanted), AssignmentState.DONE)
    if state is AssignmentState.GIVEN:
        state = AssignmentState.TAKEN
    try:
        assigning.move(assignment, state, person=scope().person)
    except (NotAllowed, Unknown):
        raise
    except Refused as refused:
        flash(" ".join(say(one.message) for one in refused.findings), "bad")
    else:
        flash(_("Đã ghi: %(state)s.", state=say(upkeepwords.ASSIGNMENTS[state].word).lower()), "done")
    return redirect(url_for("pages.assignments"), 303)


def own_rows(mine: Scope) -> list[Row]:
    """Return what the reader still has to do, for Today: what is due first, first."""
    today = local(now()).date()
    with services().database.reading() as session:
        return [_row(mine, one, today) for one in assignments.mine(session, mine.person, limit=5)]


def _deadline(station: Station, duty: str, period: str) -> date:
    today = local(now(), station.zone).date()
    its = door(station.code)
    standings = its.plan(now(), now()).duties if its is not None else ()
    found = next((one for one in standings if one.duty == duty and one.period == period), None)
    if found is None:
        return today + _SOON
    # A day before it must have aired, for approval takes its time as well.
    return max(today, local(found.deadline, station.zone).date() - timedelta(days=1))


def _row(mine: Scope, one: Assignment, today: date) -> Row:
    task = one.task
    late = (today - task.due).days if one.open else 0
    about = [task.assignee_name or _("chưa rõ ai")]
    if task.station and len(mine.stations) > 1:
        about.append(mine.station_name(task.station))
    if task.programme:
        about.append(mine.programme_name(task.programme))
    if task.topic in BY_CODE:
        about.append(say(BY_CODE[task.topic].label))
    if task.village:
        about.append(task.village)
    if one.open:
        about.append(_("quá hạn %(n)s ngày", n=late) if late > 0 else _("hạn %(day)s", day=day_short(task.due)))
    about.append(_("%(who)s giao", who=one.given_by))
    giving = can(mine.person, assigning.EDIT, task.unit)
    own = task.assignee == mine.person.id
    compose = ""
    if one.open and own and can(mine.person, "segments.create"):
        compose = url_for(
            "pages.new_item",
            ten=task.title,
            dai=task.station,
            chuyen_muc=task.programme,
            chu_de=task.topic or None,
        )
    return Row(
        assignment=one,
        mark=upkeepwords.OVERDUE if late > 0 else upkeepwords.ASSIGNMENTS[one.state],
        about=" · ".join(about),
        compose=compose,
        may_take=one.state is AssignmentState.GIVEN and own,
        may_finish=one.open and (own or giving),
        may_cancel=one.open and giving,
    )


def _form(mine: Scope, values: dict[str, str], errors: tuple[Finding, ...]) -> AnyResponse:
    chosen = values.get("station", "")
    units = {mine.person.unit} | ({mine.station(chosen).unit} if chosen else set())
    with services().database.reading() as session:
        people = assigning.makers(session, units)
    return page(
        "assignment_new.html",
        active="assignments",
        code=422 if errors else 200,
        values=values,
        people=people,
        stations=mine.stations,
        programmes=list(mine.programmes.values()),
        topics=[(code, say(one.label)) for code, one in BY_CODE.items()],
        due=values.get("due") or (local(now()).date() + _SOON).isoformat(),
        errors=errors,
    )


def _answer(opened: int, overdue: int, own: int) -> tuple[Part, ...]:
    if not opened:
        return (Part(text=_("Không có việc nào đang giao.")),)
    parts = [Part(text=ngettext("%(num)d việc đang giao.", "%(num)d việc đang giao.", opened))]
    if overdue:
        parts.append(Part(text=ngettext("%(num)d quá hạn.", "%(num)d quá hạn.", overdue), tone="bad"))
    if own:
        parts.append(Part(text=ngettext("%(num)d việc của anh/chị.", "%(num)d việc của anh/chị.", own)))
    return tuple(parts)


def _address(which: Which, own: bool, **more: str) -> str:
    values = {"xem": "" if which is Which.OPEN else which.value, "cua_toi": "1" if own else ""} | more
    return f"{url_for('pages.assignments')}?{urlencode({name: value for name, value in values.items() if value})}"


def _mark(text: str) -> Mark | None:
    day, _tilde, assignment = text.partition("~")
    read = parse_day(day)
    return None if read is None else Mark(due=read, id=assignment[:16])
