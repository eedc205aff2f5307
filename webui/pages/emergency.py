"""Khẩn cấp: has the order reached the loudspeakers? Ordering, the second person, the stop, and prepared templates."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from schedules.emergency import LONGEST_TONE_S, MOST_REPEATS, SHORTEST_TONE_S, AlertState, Urgency
from schedules.errors import Refused
from schedules.findings import Finding
from schedules.segment import SAMPLE_RATE_HZ, SegmentState
from schedules.station import Station, units_above
from store import segments
from store.emergencies import OrderRecord, OrderState, Standing, TemplateRecord
from store.identity import new_id
from store.segments import SegmentRecord
from webui import auth, emergencies
from webui.auth import allowed
from webui.pages import states
from webui.pages.formats import DEFAULT_ZONE, clock_s, length, moment_short
from webui.pages.items import Recording, recording
from webui.pages.language import say
from webui.pages.layout import live_page, page
from webui.pages.scope import Scope, now, scope, statuses
from webui.rights import can
from webui.services import services

HOURS = (1, 3, 6, 12, 24)
_HISTORY = 30
_RECORDINGS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An order in a list, in words."""

    order: OrderRecord
    mark: states.Mark
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An order at one station. about: times and why; late: what to do where no machine answers."""

    name: str
    mark: states.Mark
    about: str
    late: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What can be ordered. value: `t:ID` or `s:ID`; alone: one person is enough."""

    value: str
    title: str
    about: str
    alone: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An order as its form shows it. id: the name it will have, so that a form sent twice is one order."""

    what: str = ""
    stations: tuple[str, ...] = ()
    repeat: str = ""
    hours: str = "1"
    urgency: str = ""
    basis: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What would happen, before it does. alone: at once, else after a second person. password: it is asked for."""

    what: str
    how: str
    where: str
    silent: str
    until: str
    alone: bool
    password: bool
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateRow:
    """A template in the list, with what the reader may do about it."""

    template: TemplateRecord
    mark: states.Mark
    about: str
    recording: Recording | None
    may_approve: bool
    may_retire: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A template as its form shows it."""

    name: str = ""
    owner: str = ""
    segment: str = ""
    urgency: str = Urgency.SEVERE.value
    repeat: str = "3"
    tone: str = "6"


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/khan-cap", "emergencies", overview)
    pages.add_url_rule("/khan-cap/thanh", "alarms", bar)
    pages.add_url_rule("/khan-cap/that", "emergency_real", real, methods=["GET", "POST"])
    pages.add_url_rule("/khan-cap/dien-tap", "emergency_drill", drill, methods=["GET", "POST"])
    pages.add_url_rule("/khan-cap/mau", "emergency_templates", templates, methods=["GET", "POST"])
    pages.add_url_rule(
        "/khan-cap/mau/<template>/duyet", "approve_emergency_template", approve_template, methods=["POST"]
    )
    pages.add_url_rule("/khan-cap/mau/<template>/bo", "retire_emergency_template", retire_template, methods=["POST"])
    pages.add_url_rule("/khan-cap/<order>", "emergency", one)
    pages.add_url_rule("/khan-cap/<order>/xac-nhan", "confirm_emergency", confirm, methods=["POST"])
    pages.add_url_rule("/khan-cap/<order>/dung", "stop_emergency", stop, methods=["POST"])


@allowed("emergencies.read")
def overview() -> AnyResponse:
    """Show what runs, what waits, what was, and the two ways to order."""
    mine = scope()
    known = emergencies.listing(person=mine.person, limit=_HISTORY)
    return live_page(
        "emergencies.html",
        "_emergencies.html",
        active="emergency",
        live_url=url_for("pages.emergencies"),
        answer=_answer(known),
        running=[_row(mine, order) for order in known if order.open],
        past=[_row(mine, order) for order in known if not order.open],
        may_order=can(mine.person, "emergencies.order"),
        may_prepare=can(mine.person, "emergencies.prepare"),
    )


@allowed("emergencies.read")
def bar() -> AnyResponse:
    """Return the bar that stands on every page while an order is not over."""
    return live_page("_alarms.html", "_alarms.html", active="")


@allowed("emergencies.order")
def real() -> AnyResponse:
    """Show, check or give a real order."""
    return _order(drill=False)


@allowed("emergencies.order")
def drill() -> AnyResponse:
    """Show, check or give the order of a drill."""
    return _order(drill=True)


@allowed("emergencies.read")
def one(order: str) -> AnyResponse:
    """Show one order as it stands at every station."""
    return _page(order)


@allowed("emergencies.confirm")
def confirm(order: str) -> AnyResponse:
    """Confirm an order as the second person."""
    try:
        done = emergencies.confirm(order, person=scope().person, password=request.form.get("password", ""))
    except Refused as refused:
        return _page(order, errors=refused.findings)
    flash(ngettext("Đã phát lệnh tới %(num)d đài.", "Đã phát lệnh tới %(num)d đài.", len(done.stations)), "done")
    return redirect(url_for("pages.emergency", order=order), 303)


@allowed("emergencies.stop")
def stop(order: str) -> AnyResponse:
    """End an order at once."""
    try:
        emergencies.stop(order, person=scope().person, reason=request.form.get("reason", ""))
    except Refused as refused:
        return _page(order, errors=refused.findings)
    flash(_("Đã gửi lệnh dừng."), "done")
    return redirect(url_for("pages.emergency", order=order), 303)


@allowed("emergencies.prepare")
def templates() -> AnyResponse:
    """List the templates, and prepare one."""
    mine = scope()
    if request.method == "GET":
        return _templates(mine, Prepared(owner=mine.person.unit))
    form = request.form
    wanted = Prepared(
        name=form.get("name", ""),
        owner=form.get("owner", ""),
        segment=form.get("segment", ""),
        urgency=form.get("urgency", ""),
        repeat=form.get("repeat", ""),
        tone=form.get("tone", ""),
    )
    try:
        emergencies.prepare(
            owner=wanted.owner,
            name=wanted.name,
            segment=wanted.segment,
            urgency=next((one for one in Urgency if one.value == wanted.urgency), Urgency.SEVERE),
            repeats=_number(wanted.repeat),
            tone_s=float(_number(wanted.tone)),
            person=mine.person,
        )
    except Refused as refused:
        return _templates(mine, wanted, refused.findings)
    flash(_("Đã soạn mẫu. Mẫu dùng được sau khi người thứ hai duyệt."), "done")
    return redirect(url_for("pages.emergency_templates"), 303)


@allowed("emergencies.approve")
def approve_template(template: str) -> AnyResponse:
    """Approve a template that somebody else prepared."""
    return _settle(lambda: emergencies.approve_template(template, person=scope().person), _("Đã duyệt mẫu."))


@allowed("emergencies.prepare")
def retire_template(template: str) -> AnyResponse:
    """Take a template out of use."""
    return _settle(lambda: emergencies.retire_template(template, person=scope().person), _("Đã bỏ mẫu."))


def _order(*, drill: bool) -> AnyResponse:
    mine = scope()
    offered = _choices(mine)
    here = [station for station in mine.stations if can(mine.person, "emergencies.order", station)]
    if request.method == "GET":
        asked = Asked(
            what=request.args.get("mau", "") or (offered[0].value if offered else ""),
            stations=tuple(station.code for station in here) if len(here) == 1 else (),
        )
        return _form(drill, here, offered, asked)
    form = request.form
    asked = Asked(
        what=form.get("what", ""),
        stations=tuple(code for code in form.getlist("stations") if code),
        repeat=form.get("repeat", ""),
        hours=form.get("hours", ""),
        urgency=form.get("urgency", ""),
        basis=" ".join(form.get("basis", "").split()),
        id=form.get("id", "") or new_id(),
    )
    step = form.get("step", "")
    if step == "edit":
        return _form(drill, here, offered, asked)
    wanted = _wanted(asked, drill=drill)
    errors: tuple[Finding, ...] = ()
    if step == "order":
        try:
            made = emergencies.order(wanted, person=mine.person, password=form.get("password", ""))
        except Refused as refused:
            errors = refused.findings
        else:
            return redirect(url_for("pages.emergency", order=made.id), 303)
    try:
        checked = emergencies.check(wanted, person=mine.person)
    except Refused as refused:
        return _form(drill, here, offered, asked, refused.findings)
    return page(
        "emergency_review.html",
        active="emergency",
        code=422 if errors else 200,
        drill=drill,
        asked=asked,
        errors=errors,
        summary=_summary(checked, [station for station in here if station.code in asked.stations], drill=drill),
        action=url_for("pages.emergency_drill" if drill else "pages.emergency_real"),
    )


def _form(
    drill: bool,
    here: Sequence[Station],
    offered: Sequence[Choice],
    asked: Asked,
    errors: tuple[Finding, ...] = (),
) -> AnyResponse:
    return page(
        "emergency_order.html",
        active="emergency",
        code=422 if errors else 200,
        drill=drill,
        asked=asked,
        errors=errors,
        offered=offered,
        stations=[(station, _readiness(station)) for station in here],
        hours=HOURS,
        repeats=range(1, MOST_REPEATS + 1),
        urgencies=list(Urgency),
        action=url_for("pages.emergency_drill" if drill else "pages.emergency_real"),
    )


def _wanted(asked: Asked, *, drill: bool) -> emergencies.Wanted:
    sort, _colon, name = asked.what.partition(":")
    hours = next((hours for hours in HOURS if str(hours) == asked.hours), 1)
    return emergencies.Wanted(
        stations=asked.stations,
        segment=name if sort == "s" else None,
        template=name if sort == "t" else None,
        repeats=_number(asked.repeat) if asked.repeat else None,
        urgency=next((one for one in Urgency if one.value == asked.urgency), None),
        expires_at=now() + timedelta(hours=hours),
        drill=drill,
        basis=asked.basis,
        id=asked.id,
    )


def _number(text: str) -> int:
    return int(text) if re.fullmatch(r"\d{1,3}", text) else 0


def _choices(mine: Scope) -> list[Choice]:
    prepared = [
        Choice(
            value=f"t:{template.id}",
            title=template.name,
            about=_(
                "“%(title)s”, %(length)s, phát %(n)s lần, %(name)s duyệt sẵn",
                title=record.card.title,
                length=length(record.duration_s or 0),
                n=template.repeats,
                name=template.approved_by_name or "",
            ),
            alone=True,
        )
        for template, record in emergencies.templates(person=mine.person)
        if template.approved and record is not None
    ]
    return prepared + [
        Choice(
            value=f"s:{record.id}",
            title=record.card.title,
            about=_("Bài đã duyệt, %(length)s", length=length(record.duration_s or 0)),
            alone=False,
        )
        for record in _approved(mine)
    ]


def _approved(mine: Scope) -> list[SegmentRecord]:
    libraries = mine.unit_codes | set(units_above(mine.all_units, mine.person.unit))
    with services().database.reading() as session:
        found = segments.listing(session, owners=libraries, states=(SegmentState.APPROVED,), limit=_RECORDINGS)
    return [record for record in found if (record.duration_s or 0) <= emergencies.MOST_MESSAGE_S]


def _readiness(station: Station) -> states.Mark:
    status = statuses().get(station.code)
    return states.STATIONS["silent"] if status is None else states.STATIONS[status.state]


def _summary(checked: emergencies.Checked, chosen: Sequence[Station], *, drill: bool) -> Summary:
    message = checked.message
    away = [station.name for station in chosen if station.code not in statuses()]
    zone = chosen[0].zone if chosen else DEFAULT_ZONE
    return Summary(
        what=_(
            "“%(title)s”, %(length)s, phát %(n)s lần",
            title=message.title,
            length=length(message.samples / SAMPLE_RATE_HZ),
            n=message.repeats,
        ),
        how=say(states.URGENCIES[message.urgency]),
        where=ngettext("%(num)d đài: %(names)s", "%(num)d đài: %(names)s", len(chosen), names=_names(chosen)),
        silent=_(
            "Chưa liên lạc được với %(names)s. Lệnh chờ sẵn và được gửi ngay khi có liên lạc, nếu chưa hết hạn.",
            names=", ".join(away),
        )
        if away
        else "",
        until=_("Đài nào chưa bắt đầu trước %(time)s thì không phát nữa.", time=moment_short(checked.expires_at, zone)),
        alone=checked.alone,
        password=not drill and not auth.recently(auth.current_person()),
        count=len(chosen),
    )


def _names(chosen: Sequence[Station]) -> str:
    return ", ".join(station.name for station in chosen)


def _page(order: str, errors: tuple[Finding, ...] = ()) -> AnyResponse:
    mine = scope()
    known = emergencies.visible(order, person=mine.person)
    here = {station.code: station for station in mine.stations}
    zone = next((here[code].zone for code in known.stations if code in here), DEFAULT_ZONE)
    may_confirm = all(code in here and can(mine.person, "emergencies.confirm", here[code]) for code in known.stations)
    with services().database.reading() as session:
        record = segments.find(session, known.message.segment)
    values = {
        "order": known,
        "zone": zone,
        "errors": errors,
        "mark": states.EMERGENCIES[known.state],
        "answer": _sentence(known, zone),
        "places": [_place(mine, standing, zone) for standing in known.standings],
        "waiting_for": [mine.station_name(code) for code in known.stations],
        "waiting": known.state is OrderState.AWAITING_SECOND,
        "recording": recording(record) if record is not None else None,
        "length": length(known.message.samples / SAMPLE_RATE_HZ),
        "may_confirm": may_confirm and known.ordered_by != mine.person.id,
        "own": known.ordered_by == mine.person.id,
        "may_stop": known.open
        and any(code in here and can(mine.person, "emergencies.stop", here[code]) for code in known.stations),
        "password": not known.drill and not auth.recently(auth.current_person()),
        "live_url": url_for("pages.emergency", order=order),
        "looked_at": now(),
    }
    if errors:
        return page("emergency.html", active="emergency", code=422, **values)
    return live_page("emergency.html", "_emergency.html", active="emergency", **values)


def _sentence(order: OrderRecord, zone: str) -> str:
    if order.state is OrderState.AWAITING_SECOND:
        return _("Chưa phát: chờ người thứ hai xác nhận trước %(time)s.", time=moment_short(order.expires_at, zone))
    if order.state is OrderState.CANCELLED:
        return _("Đã hủy trước khi phát.")
    if order.state is OrderState.EXPIRED:
        return _("Không ai xác nhận trong thời hạn, nên không phát.")
    count = len(order.standings)
    there = [standing.state for standing in order.standings]
    if AlertState.ON_AIR in there:
        return _("Đang phát ở %(n)s/%(all)s đài.", n=there.count(AlertState.ON_AIR), all=count)
    if order.open and not all(standing.final for standing in order.standings):
        got = sum(state is not AlertState.SENT for state in there)
        return _("Đã gửi, %(n)s/%(all)s đài đã nhận.", n=got, all=count)
    return _("Đã kết thúc: %(n)s/%(all)s đài phát hết.", n=there.count(AlertState.DONE), all=count)


def _place(mine: Scope, standing: Standing, zone: str) -> Place:
    words = []
    if standing.received_at:
        words.append(_("nhận %(time)s", time=clock_s(standing.received_at, zone)))
    if standing.started_at:
        words.append(_("phát %(time)s", time=clock_s(standing.started_at, zone)))
    if standing.ended_at:
        words.append(_("hết %(time)s", time=clock_s(standing.ended_at, zone)))
    if standing.said:
        words.append(ngettext("đã nói %(num)d lần", "đã nói %(num)d lần", standing.said))
    if standing.stopping and not standing.final:
        words.append(_("đang gửi lệnh dừng"))
    # Once the station has told, its own sentence names who stopped it.
    if standing.stopped_by_name and standing.why is None:
        words.append(_("%(name)s dừng", name=standing.stopped_by_name))
    about = ", ".join(words)
    if standing.why:
        about = f"{about}. {say(standing.why)}" if about else say(standing.why)
    away = standing.state is AlertState.SENT and standing.station not in statuses()
    return Place(
        name=mine.station_name(standing.station),
        mark=states.WAITING_FOR_LINK if away else states.ALERTS[standing.state],
        about=about[:1].upper() + about[1:],
        late=_("Chưa nhận. Hãy gọi trực đài.") if away else "",
    )


def _answer(known: Sequence[OrderRecord]) -> tuple[tuple[str, str], ...]:
    issued = [order for order in known if order.state is OrderState.ISSUED]
    alarms, drills = sum(not order.drill for order in issued), sum(order.drill for order in issued)
    waiting = sum(order.state is OrderState.AWAITING_SECOND for order in known)
    parts = []
    if alarms:
        parts.append(("bad", ngettext("Đang có %(num)d lệnh khẩn cấp.", "Đang có %(num)d lệnh khẩn cấp.", alarms)))
    else:
        parts.append(("", _("Không có lệnh khẩn cấp nào đang chạy.")))
    if waiting:
        parts.append(("warn", ngettext("%(num)d lệnh chờ xác nhận.", "%(num)d lệnh chờ xác nhận.", waiting)))
    if drills:
        parts.append(("", ngettext("%(num)d cuộc diễn tập.", "%(num)d cuộc diễn tập.", drills)))
    return tuple(parts)


def _row(mine: Scope, order: OrderRecord) -> Row:
    names = [order.ordered_by_name]
    if order.confirmed_by_name:
        names.append(_("%(name)s xác nhận", name=order.confirmed_by_name))
    if order.template_name:
        names.append(_("mẫu “%(name)s”", name=order.template_name))
    if order.stopped_by_name:
        names.append(_("%(name)s dừng", name=order.stopped_by_name))
    where = ", ".join(mine.station_name(code) for code in order.stations if code in mine.station_codes)
    about = f"{moment_short(order.ordered_at)} · {where} · {', '.join(names)}"
    return Row(order=order, mark=states.EMERGENCIES[order.state], about=about)


def _templates(mine: Scope, wanted: Prepared, errors: tuple[Finding, ...] = ()) -> AnyResponse:
    rows = [_template_row(mine, template, record) for template, record in emergencies.templates(person=mine.person)]
    return page(
        "emergency_templates.html",
        active="emergency",
        code=422 if errors else 200,
        rows=rows,
        wanted=wanted,
        errors=errors,
        recordings=_approved(mine),
        units=[unit for unit in mine.units if can(mine.person, "emergencies.prepare", unit)],
        urgencies=list(Urgency),
        repeats=range(1, MOST_REPEATS + 1),
        tones=range(int(SHORTEST_TONE_S), int(LONGEST_TONE_S) + 1),
        usable=sum(row.mark is states.SEGMENTS[SegmentState.APPROVED] for row in rows),
    )


def _template_row(mine: Scope, template: TemplateRecord, record: SegmentRecord | None) -> TemplateRow:
    approver = can(mine.person, "emergencies.approve", template.owner)
    about = [
        _("phát %(n)s lần, tín hiệu %(s)s giây", n=template.repeats, s=f"{template.tone_s:g}"),
        _("%(name)s soạn", name=template.prepared_by_name),
    ]
    if template.approved_by_name:
        about.append(_("%(name)s duyệt", name=template.approved_by_name))
    if record is None:
        mark = states.SEGMENTS[SegmentState.REFUSED]
    elif template.approved:
        mark = states.SEGMENTS[SegmentState.APPROVED]
    else:
        mark = states.SEGMENTS[SegmentState.SUBMITTED]
    return TemplateRow(
        template=template,
        mark=mark,
        about=", ".join(about),
        recording=recording(record) if record is not None else None,
        may_approve=approver
        and record is not None
        and not template.approved
        and template.prepared_by != mine.person.id,
        may_retire=can(mine.person, "emergencies.prepare", template.owner),
    )


def _settle(act: Callable[[], None], done: str) -> AnyResponse:
    try:
        act()
    except Refused as refused:
        flash(" ".join(say(finding.message) for finding in refused.findings), "bad")
    else:
        flash(done, "done")
    return redirect(url_for("pages.emergency_templates"), 303)
