"""Gửi xuống xã: which commune has it, which has planned it, which has aired it? And what a commune was sent."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from schedules.errors import NotAllowed, Refused, Unknown
from schedules.findings import Finding
from schedules.segment import Priority, SegmentState
from schedules.station import Station, UnitCode, units_above
from schedules.text import Text
from store import dispatches, segments
from store.dispatches import Aired, Dispatch, Receipt, Step, Summary
from webui import dispatching
from webui.auth import allowed
from webui.cells import plain
from webui.pages import states
from webui.pages.answers import Part
from webui.pages.formats import DEFAULT_ZONE, local, parse_moment
from webui.pages.items import recording
from webui.pages.language import say
from webui.pages.layout import page
from webui.pages.scope import Scope, door, now, scope
from webui.rights import can
from webui.services import services

_PAGE = 20
_ROWS = 50
_OFFERED = 100
_AHEAD = timedelta(days=7)
_AT = time(20)
_PLAN_AHEAD = timedelta(days=14)

STEPS = {
    Step.SENT: states.Mark(sign="planned", word=Text("Đã gửi, xã chưa nhận", "Sent, not received")),
    Step.RECEIVED: states.Mark(sign="approved", word=Text("Xã đã nhận, chưa xếp lịch", "Received, not scheduled")),
    Step.SCHEDULED: states.Mark(sign="planned", word=Text("Đã xếp lịch", "Scheduled")),
    Step.AIRED: states.Mark(sign="aired", word=Text("Đã phát", "Aired")),
    Step.DECLINED: states.Mark(sign="cancelled", word=Text("Xã không dùng", "Not used by the commune")),
    Step.OBJECTED: states.Mark(sign="at_risk", word=Text("Xã báo không phát được", "The commune says it cannot")),
    Step.RELEASED: states.Mark(sign="excused", word=Text("Được miễn phát", "Released")),
    Step.MISSED: states.Mark(sign="missed", word=Text("Quá hạn, không phát", "Deadline missed")),
    Step.UNUSED: states.Mark(sign="cancelled", word=Text("Hết hạn, không dùng", "Expired, not used")),
    Step.RECALLED: states.Mark(sign="cancelled", word=Text("Đã rút lại", "Recalled")),
}
MODES = {True: Text("Bắt buộc phát", "Must be carried"), False: Text("Xã tự chọn", "Free to use")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One sending in the list of its sender."""

    dispatch: Dispatch
    summary: Summary


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One item at one commune. note: what stands behind the state, in words."""

    dispatch: Dispatch
    receipt: Receipt
    station: Station
    unit: str
    step: Step
    mark: states.Mark
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Communes of one unit in the tick list."""

    unit: str
    stations: tuple[Station, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """The form as it was filled in."""

    segment: str = ""
    everywhere: bool = True
    stations: frozenset[str] = frozenset()
    must: bool = False
    priority: str = Priority.NORMAL.value
    deadline: str = ""
    document: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What the commune of a station has still to look at. programme: of the duty it could serve, if one does."""

    station: Station | None = None
    items: tuple[Dispatch, ...] = field(default=())


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/gui", "dispatches", dispatch_list)
    pages.add_url_rule("/gui/moi", "new_dispatch", new_dispatch, methods=["GET", "POST"])
    pages.add_url_rule("/gui/den", "received", received)
    pages.add_url_rule("/gui/<dispatch>", "dispatch", dispatch_matrix)
    pages.add_url_rule("/gui/<dispatch>/bang.csv", "dispatch_csv", dispatch_csv)
    pages.add_url_rule("/gui/<dispatch>/rut-lai", "recall_dispatch", recall_dispatch, methods=["POST"])
    pages.add_url_rule("/gui/<dispatch>/<code>", "dispatch_station", dispatch_station)
    pages.add_url_rule("/gui/<dispatch>/<code>/nhan", "receive_dispatch", receive_dispatch, methods=["POST"])
    pages.add_url_rule("/gui/<dispatch>/<code>/dung", "use_dispatch", use_dispatch, methods=["POST"])
    pages.add_url_rule("/gui/<dispatch>/<code>/thoi-dung", "unuse_dispatch", unuse_dispatch, methods=["POST"])
    pages.add_url_rule("/gui/<dispatch>/<code>/khong-phat", "decline_dispatch", decline_dispatch, methods=["POST"])
    pages.add_url_rule("/gui/<dispatch>/<code>/phat-lai", "undecline_dispatch", undecline_dispatch, methods=["POST"])
    pages.add_url_rule("/gui/<dispatch>/<code>/mien", "release_dispatch", release_dispatch, methods=["POST"])


@allowed("dispatch.read")
def dispatch_list() -> AnyResponse:
    """Show the sender how far each item is; a commune comes to what it was sent."""
    mine = scope()
    if not _sends(mine):
        return redirect(url_for("pages.received"))
    with services().database.reading() as session:
        found = dispatches.listing(
            session, owners=mine.unit_codes, before=request.args.get("truoc") or None, limit=_PAGE + 1
        )
        sums = dispatches.summaries(session, [one.id for one in found], now())
    more = len(found) > _PAGE
    found = found[:_PAGE]
    lines = [Line(dispatch=one, summary=sums[one.id]) for one in found]
    late = [line for line in lines if line.dispatch.must and _open(line.dispatch) and _behind(line)]
    return page(
        "dispatches.html",
        active="dispatches",
        lines=lines,
        answer=_list_answer(lines, late),
        late={line.dispatch.id for line in late},
        modes=MODES,
        scope=mine,
        now=now(),
        zone=DEFAULT_ZONE,
        next_url=url_for("pages.dispatches", truoc=found[-1].id) if more else "",
        may_send=can(mine.person, "dispatch.send"),
    )


@allowed("dispatch.send")
def new_dispatch() -> AnyResponse:
    """Choose an item, communes, and how far it binds them; then send it."""
    mine = scope()
    if request.method == "GET":
        day = local(now()).date() + _AHEAD
        filled = Filled(segment=request.args.get("bai", ""), deadline=f"{day.isoformat()}T{_AT:%H:%M}")
        return _form(mine, filled)
    form = request.form
    filled = Filled(
        segment=form.get("segment", ""),
        everywhere=form.get("where", "all") == "all",
        stations=frozenset(form.getlist("stations")),
        must=form.get("must") == "1",
        priority=form.get("priority", Priority.NORMAL.value),
        deadline=form.get("deadline", ""),
        document=form.get("document", ""),
        note=form.get("note", ""),
    )
    codes = mine.station_codes if filled.everywhere else tuple(sorted(filled.stations))
    try:
        made = dispatching.send(
            filled.segment,
            codes=codes,
            must=filled.must,
            priority=Priority.PRIORITY if filled.priority == Priority.PRIORITY.value else Priority.NORMAL,
            deadline=parse_moment(filled.deadline),
            document=filled.document,
            note=filled.note,
            person=mine.person,
        )
    except (NotAllowed, Unknown):
        raise
    except Refused as refused:
        return _form(mine, filled, refused.findings, code=422)
    known = dispatching.visible(made, person=mine.person)
    with services().database.reading() as session:
        count = dispatches.summaries(session, [made], now())[made].sent
    flash(_("Đã gửi “%(title)s” tới %(n)s đài.", title=known.title, n=count), "done")
    return redirect(url_for("pages.dispatch", dispatch=made), 303)


@allowed("dispatch.read")
def dispatch_matrix(dispatch: str) -> AnyResponse:
    """Show one item at every commune: sent, received, scheduled, aired."""
    mine = scope()
    known = dispatching.visible(dispatch, person=mine.person)
    rows = _rows(mine, known)
    asked = request.args.get("trang_thai", "")
    counted = Counter(row.step for row in rows)
    shown = [row for row in rows if asked in ("", row.step.value)]
    first = _first()
    return page(
        "dispatch.html",
        active="dispatches",
        dispatch=known,
        rows=shown[first : first + _ROWS],
        total=len(rows),
        counted=[(step, mark, counted[step]) for step, mark in STEPS.items() if counted[step]],
        asked=asked,
        answer=_matrix_answer(known, rows),
        modes=MODES,
        scope=mine,
        now=now(),
        zone=DEFAULT_ZONE,
        next_url=_with(tu=str(first + _ROWS)) if len(shown) > first + _ROWS else "",
        before_url=_with(tu=str(max(0, first - _ROWS))) if first else "",
        may_send=can(mine.person, "dispatch.send", known.owner),
        errors=(),
    )


@allowed("dispatch.read")
def dispatch_csv(dispatch: str) -> AnyResponse:
    """Give the whole table of one item for a spreadsheet."""
    mine = scope()
    known = dispatching.visible(dispatch, person=mine.person)
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(
        [
            _("Đài"),
            _("Đơn vị"),
            _("Tên bài"),
            _("Hình thức"),
            _("Gửi lúc"),
            _("Hạn phát"),
            _("Người nhận"),
            _("Nhận lúc"),
            _("Máy đài có bài lúc"),
            _("Xếp lịch lúc"),
            _("Phát lúc"),
            _("Kết quả"),
            _("Trạng thái"),
            _("Phát thử"),
            _("Lý do"),
            "slot",
        ]
    )
    for row in _rows(mine, known):
        receipt, aired = row.receipt, row.receipt.aired
        zone = ZoneInfo(row.station.zone)
        cells = [
            row.station.name,
            row.unit,
            known.title,
            say(MODES[known.must]),
            _stamp(known.sent_at, zone),
            _stamp(known.deadline, zone),
            receipt.received_by or "",
            _stamp(receipt.received_at, zone),
            _stamp(receipt.loaded_at, zone),
            _stamp(receipt.planned_start, zone) if row.step is Step.SCHEDULED else "",
            _stamp(aired.at, zone) if aired else "",
            say(states.VERDICTS[aired.verdict].word) if aired else "",
            say(row.mark.word),
            _("phát thử, không ra loa") if aired and aired.rehearsal else "",
            receipt.decline_reason,
            aired.slot if aired else receipt.planned_slot,
        ]
        writer.writerow([plain(cell) for cell in cells])
    # The mark at the start makes a spreadsheet read the file as UTF-8.
    response = Response("\ufeff" + table.getvalue(), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="gui-xuong-xa-{known.sent_at:%Y-%m-%d}.csv"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


@allowed("dispatch.send")
def recall_dispatch(dispatch: str) -> AnyResponse:
    """Take a sending back."""
    mine = scope()
    known = dispatching.visible(dispatch, person=mine.person)
    _tried(
        lambda: dispatching.recall(dispatch, reason=request.form.get("reason", ""), person=mine.person),
        _("Đã rút lại “%(title)s”. Các xã không phải phát nữa.", title=known.title),
    )
    return redirect(url_for("pages.dispatch", dispatch=dispatch), 303)


@allowed("dispatch.read")
def received() -> AnyResponse:
    """Show a commune what it was sent, what waits first."""
    mine = scope()
    station = mine.chosen()
    found: tuple[Dispatch, ...] = ()
    rows: list[Row] = []
    if station is not None:
        with services().database.reading() as session:
            found = dispatches.to_stations(
                session, [station.code], before=request.args.get("truoc") or None, limit=_PAGE + 1
            )
            its = dispatches.receipts(session, [one.id for one in found], stations=[station.code])
        rows = [_row(mine, one, its[one.id][0], station) for one in found[:_PAGE]]
    waiting = [row for row in rows if row.step is Step.SENT]
    return page(
        "received.html",
        active="items",
        station=station,
        rows=rows,
        waiting=waiting,
        modes=MODES,
        scope=mine,
        next_url=_with(truoc=found[_PAGE - 1].id) if len(found) > _PAGE else "",
    )


@allowed("dispatch.read")
def dispatch_station(dispatch: str, code: str) -> AnyResponse:
    """Show one item at one commune: listen, confirm, use it, or say why not."""
    return _station_page(dispatch, code)


@allowed("dispatch.receive")
def receive_dispatch(dispatch: str, code: str) -> AnyResponse:
    """Confirm the receipt."""
    return _act(dispatch, code, lambda p: dispatching.receive(dispatch, code, person=p), _("Đã xác nhận nhận bài."))


@allowed("dispatch.receive")
def use_dispatch(dispatch: str, code: str) -> AnyResponse:
    """Use it for this week's duty."""
    return _act(
        dispatch,
        code,
        lambda p: dispatching.use_this_week(dispatch, code, person=p),
        _("Đã chọn bài này cho nhiệm vụ tuần này. Máy xếp vào lượt phát gần nhất."),
    )


@allowed("dispatch.receive")
def unuse_dispatch(dispatch: str, code: str) -> AnyResponse:
    """Let it wait for its turn."""
    return _act(
        dispatch, code, lambda p: dispatching.unuse(dispatch, code, person=p), _("Đã thôi dùng bài này cho tuần này.")
    )


@allowed("dispatch.receive")
def decline_dispatch(dispatch: str, code: str) -> AnyResponse:
    """Say why it is not aired."""
    reason = request.form.get("reason", "")
    return _act(
        dispatch,
        code,
        lambda p: dispatching.decline(dispatch, code, reason=reason, person=p),
        _("Đã báo đơn vị gửi kèm lý do."),
    )


@allowed("dispatch.receive")
def undecline_dispatch(dispatch: str, code: str) -> AnyResponse:
    """Take back that it is not aired."""
    return _act(dispatch, code, lambda p: dispatching.undecline(dispatch, code, person=p), _("Đã bỏ báo không phát."))


@allowed("dispatch.send")
def release_dispatch(dispatch: str, code: str) -> AnyResponse:
    """Agree that it need not air there."""
    return _act(
        dispatch,
        code,
        lambda p: dispatching.release(dispatch, code, person=p),
        _("Đã đồng ý cho xã không phát bài này."),
    )


def waiting_at(station: Station) -> Waiting:
    """Return what the commune of a station has still to look at, for other pages to show."""
    with services().database.reading() as session:
        return Waiting(station=station, items=dispatches.waiting(session, station.code, now()))


def glance(mine: Scope) -> tuple[str, Summary]:
    """Return this month and how far what was sent in it is, for other pages."""
    today = local(now()).date()
    start = datetime.combine(today.replace(day=1), time(0), ZoneInfo(DEFAULT_ZONE))
    with services().database.reading() as session:
        if _sends(mine):
            found = dispatches.listing(session, owners=mine.unit_codes, limit=_ROWS)
            sums = dispatches.summaries(session, [one.id for one in found if one.sent_at >= start], now())
            parts = list(sums.values())
        else:
            found = dispatches.to_stations(session, mine.station_codes, limit=_ROWS)
            known = {one.id: one for one in found if one.sent_at >= start}
            its = dispatches.receipts(session, list(known), stations=mine.station_codes)
            steps = [dispatches.step(known[key], one, now()) for key, those in its.items() for one in those]
            parts = [_reached(step) for step in steps]
    return f"{today:%Y-%m}", Summary(
        sent=sum(one.sent for one in parts),
        received=sum(one.received for one in parts),
        scheduled=sum(one.scheduled for one in parts),
        aired=sum(one.aired for one in parts),
        declined=sum(one.declined for one in parts),
    )


def _reached(step: Step) -> Summary:
    aired = step is Step.AIRED
    scheduled = aired or step is Step.SCHEDULED
    return Summary(
        sent=1,
        received=int(scheduled or step is Step.RECEIVED),
        scheduled=int(scheduled),
        aired=int(aired),
        declined=int(step in (Step.DECLINED, Step.OBJECTED)),
    )


def _act(dispatch: str, code: str, act: Any, done: str) -> AnyResponse:  # noqa: ANN401 - an act of a person
    mine = scope()
    dispatching.visible(dispatch, person=mine.person)
    _tried(lambda: act(mine.person), done)
    return redirect(url_for("pages.dispatch_station", dispatch=dispatch, code=code), 303)


def _tried(act: Any, done: str) -> None:  # noqa: ANN401 - an act of a person
    try:
        act()
    except (NotAllowed, Unknown):
        raise
    except Refused as refused:
        flash(" ".join(say(finding.message) for finding in refused.findings), "bad")
    else:
        flash(done, "done")


def _station_page(dispatch: str, code: str) -> AnyResponse:
    mine = scope()
    known = dispatching.visible(dispatch, person=mine.person)
    station = mine.station(code)
    receipt = dispatching.receipt_of(known, code, person=mine.person)
    rows: tuple[Aired, ...]
    with services().database.reading() as session:
        record = segments.find(session, known.segment)
        rows = dispatches.airings_at(session, dispatch, code)
        card = record.card if record is not None else None
        duty = card and dispatching.weekly_duty(session, station, card.topics, card.programme)
    approved = record is not None and record.state is SegmentState.APPROVED
    receipt = _with_plan(known, receipt, station)
    row = _row(mine, known, receipt, station)
    may_act = dispatching.may_act(mine.person, station) and known.recalled_at is None
    open_still = row.step in (Step.SENT, Step.RECEIVED, Step.SCHEDULED, Step.OBJECTED)
    return page(
        "dispatch_station.html",
        active="dispatches" if _sends(mine) else "items",
        dispatch=known,
        receipt=receipt,
        row=row,
        rows=rows,
        station=station,
        sender=mine.unit_name(known.owner),
        modes=MODES,
        duty=duty,
        used=receipt.wanted_until is not None and receipt.wanted_until > now(),
        # What was withdrawn meanwhile is its owner's alone.
        recording=recording(record) if record is not None and approved else None,
        approved=approved,
        open_still=open_still,
        may_act=may_act,
        may_order=may_act and can(mine.person, "airings.order", station),
        order_start=(local(now(), station.zone) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:00"),
        may_release=can(mine.person, "dispatch.send", known.owner) and row.step is Step.OBJECTED,
        now=now(),
        sends=_sends(mine),
    )


def _with_plan(known: Dispatch, receipt: Receipt, station: Station) -> Receipt:
    """Return the receipt with what the station itself says now, where it can be asked."""
    its = door(station.code)
    if its is None:
        return receipt
    wanted = {known.segment, receipt.copy}
    plan = its.plan(now(), now() + _PLAN_AHEAD)
    item = next(
        (one for one in plan.items if one.segment in wanted and one.start > now() and one.replaced_by is None), None
    )
    status = its.status()
    loaded = receipt.loaded_at or (status.contact_at if status.revision >= known.revision else None)
    return replace(
        receipt,
        loaded_at=loaded,
        planned_slot=item.slot if item else "",
        planned_start=item.start if item else None,
        looked_at=now(),
    )


def _form(mine: Scope, filled: Filled, errors: Sequence[Finding] = (), *, code: int = 200) -> Response:
    record = None
    with services().database.reading() as session:
        chosen = segments.find(session, filled.segment) if filled.segment else None
        if chosen is not None and chosen.card.owner in mine.unit_codes:
            record = chosen
        offered = segments.listing(
            session, owners=_own_libraries(mine), states=(SegmentState.APPROVED,), limit=_OFFERED
        )
    if record is not None and record.id not in {one.id for one in offered}:
        offered = (record, *offered)
    groups = [
        Group(unit=unit.name, stations=its)
        for unit in mine.units
        if (its := tuple(station for station in mine.stations if station.unit == unit.code))
    ]
    return page(
        "dispatch_new.html",
        active="dispatches",
        code=code,
        filled=filled,
        offered=offered,
        groups=groups,
        count=len(mine.stations),
        errors=errors,
        scope=mine,
        priorities=(Priority.NORMAL, Priority.PRIORITY),
    )


def _own_libraries(mine: Scope) -> frozenset[UnitCode]:
    """Return the units whose items can be sent: those of the person that have stations below them."""
    above = {parent for station in mine.stations for parent in units_above(mine.all_units, station.unit)}
    return frozenset(mine.unit_codes & above) or frozenset({mine.person.unit})


def _sends(mine: Scope) -> bool:
    """Return whether the reader looks at communes from above."""
    return any(mine.person.unit in units_above(mine.all_units, station.unit) for station in mine.stations)


def _rows(mine: Scope, known: Dispatch) -> list[Row]:
    """Return the communes that the reader sees, trouble first."""
    here = {station.code: station for station in mine.stations}
    with services().database.reading() as session:
        found = dispatches.receipts(session, [known.id]).get(known.id, ())
    rows = [_row(mine, known, one, here[one.station]) for one in found if one.station in here]
    return sorted(rows, key=lambda row: (dispatching.trouble(row.step), row.unit, row.station.name))


def _row(mine: Scope, known: Dispatch, receipt: Receipt, station: Station) -> Row:
    step = dispatches.step(known, receipt, now())
    return Row(
        dispatch=known,
        receipt=receipt,
        station=station,
        unit=mine.unit_name(station.unit),
        step=step,
        mark=STEPS[step],
        url=url_for("pages.dispatch_station", dispatch=known.id, code=station.code),
    )


def _open(known: Dispatch) -> bool:
    return known.recalled_at is None


def _behind(line: Line) -> bool:
    due_soon = line.dispatch.deadline - now() <= timedelta(days=1)
    return line.summary.aired < line.summary.sent and due_soon


def _list_answer(lines: Sequence[Line], late: Sequence[Line]) -> tuple[Part, ...]:
    if not lines:
        return (Part(text=_("Chưa gửi bài nào xuống xã.")),)
    going = [line for line in lines if _open(line.dispatch) and line.dispatch.deadline > now()]
    parts = [Part(text=ngettext("%(num)d bài đang trong hạn phát.", "%(num)d bài đang trong hạn phát.", len(going)))]
    if late:
        parts.append(
            Part(
                text=ngettext(
                    "%(num)d bài bắt buộc sát hạn hoặc quá hạn mà chưa phát đủ.",
                    "%(num)d bài bắt buộc sát hạn hoặc quá hạn mà chưa phát đủ.",
                    len(late),
                ),
                tone="bad",
            )
        )
    return tuple(parts)


def _matrix_answer(known: Dispatch, rows: Sequence[Row]) -> tuple[Part, ...]:
    aired = sum(row.step is Step.AIRED for row in rows)
    parts = [Part(text=_("%(aired)s/%(all)s đài đã phát.", aired=aired, all=len(rows)))]
    if known.recalled_at is not None:
        return (*parts, Part(text=_("Bài đã rút lại: %(why)s", why=known.recall_reason), tone="warn"))
    missed = sum(row.step is Step.MISSED for row in rows)
    objected = sum(row.step is Step.OBJECTED for row in rows)
    waiting = sum(row.step is Step.SENT for row in rows)
    if missed:
        text = ngettext("%(num)d đài quá hạn mà không phát.", "%(num)d đài quá hạn mà không phát.", missed)
        parts.append(Part(text=text, tone="bad"))
    if objected:
        text = ngettext("%(num)d đài báo không phát được.", "%(num)d đài báo không phát được.", objected)
        parts.append(Part(text=text, tone="warn"))
    if waiting:
        parts.append(Part(text=ngettext("%(num)d đài chưa nhận.", "%(num)d đài chưa nhận.", waiting), tone="warn"))
    return tuple(parts)


def _first() -> int:
    asked = request.args.get("tu", "0")
    if not asked.isdecimal() or len(asked) > 6:
        abort(404)
    return int(asked)


def _with(**more: str) -> str:
    return f"{request.path}?{urlencode({**request.args.to_dict(), **more})}"


def _stamp(moment: datetime | None, zone: ZoneInfo) -> str:
    return "" if moment is None else moment.astimezone(zone).isoformat(timespec="seconds")
