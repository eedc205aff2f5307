"""Tin, bài: from the upload over its card to approval and the air; each step says what happens next."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from schedules.airing import Airing
from schedules.errors import Refused
from schedules.findings import Finding, Severity
from schedules.grid import Timing
from schedules.segment import Priority, SegmentKind, SegmentState
from schedules.station import Station
from schedules.text import Text
from schedules.topics import BY_CODE, GROUPS, in_group
from store import airings, comments, listening, one_offs, scripts, segments
from store.listening import NOTHING, Heard
from store.segments import Card, Event, SegmentRecord
from webui import heard, work, writing
from webui.auth import allowed
from webui.pages import states
from webui.pages.formats import DEFAULT_ZONE, local, megabytes, parse_moment
from webui.pages.language import say
from webui.pages.layout import live_page, page
from webui.pages.scope import Scope, now, scope
from webui.pages.undo import offer_undo
from webui.rights import can
from webui.services import services

_PAGE = 50
_TITLE = 200
_SOON = timedelta(minutes=5)
OFFERED_PRIORITIES = (Priority.NORMAL, Priority.PRIORITY)
WORKING = frozenset({SegmentState.RECEIVED, SegmentState.ANALYSING})
CHANGEABLE = frozenset({SegmentState.READY, SegmentState.RETURNED, SegmentState.SUBMITTED, SegmentState.APPROVED})
STEPS = {
    "received": Text("Đã nhận tệp", "File received"),
    "ready": Text("Đã kiểm tra xong, dùng được", "Checked, can be used"),
    "refused": Text("Không dùng được", "Cannot be used"),
    "edited": Text("Đã sửa thẻ bài", "Card edited"),
    "trimmed": Text("Đã yêu cầu cắt đầu, cuối", "Trim asked for"),
    "submitted": Text("Đã trình duyệt", "Submitted"),
    "approved": Text("Đã duyệt", "Approved"),
    "returned": Text("Đã trả lại", "Returned"),
    "taken_back": Text("Đã hoàn tác, chờ duyệt lại", "Taken back, waits for approval again"),
    "withdrawn": Text("Đã thu hồi", "Withdrawn"),
    "respoken": Text("Đã tạo lại giọng nói", "Spoken anew"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What the player needs to know of a recording. heard_s, heard_ranges: what the reader heard of it before."""

    id: str
    title: str
    duration_s: float
    waveform_url: str
    audio_url: str
    sha256: str = ""
    listening_url: str = ""
    heard_s: int = 0
    heard_ranges: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A card as the form shows it, right or wrong."""

    title: str = ""
    station: str = ""
    programme: str = ""
    kind: str = SegmentKind.BAI.value
    topics: tuple[str, ...] = ()
    author: str = ""
    language: str = "vi"
    evergreen: bool = False
    valid_from: str = ""
    valid_until: str = ""
    episode: str = ""
    priority: str = Priority.NORMAL.value


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/bai", "items", items)
    pages.add_url_rule("/bai/<segment>", "item", item)
    pages.add_url_rule("/bai/<segment>/sua", "edit_item", edit_item, methods=["GET", "POST"])
    pages.add_url_rule("/bai/<segment>/trinh", "submit_item", submit_item, methods=["POST"])
    pages.add_url_rule("/bai/<segment>/duyet", "approve_item", approve_item, methods=["POST"])
    pages.add_url_rule("/bai/<segment>/tra-lai", "return_item", return_item, methods=["POST"])
    pages.add_url_rule("/bai/<segment>/thu-hoi", "withdraw_item", withdraw_item, methods=["POST"])
    pages.add_url_rule("/bai/<segment>/phat", "order_airing", order_airing, methods=["POST"])
    pages.add_url_rule("/phat-rieng/<one_off>/huy", "cancel_airing", cancel_airing, methods=["POST"])


@allowed("segments.read")
def items() -> AnyResponse:
    """List recordings, newest first."""
    mine = scope()
    state = _state(request.args.get("trang_thai", ""))
    code = request.args.get("dai", "")
    with services().database.reading() as session:
        found = segments.listing(
            session,
            owners=mine.unit_codes,
            states=(state,) if state else (),
            station=mine.station(code).code if code else None,
            programme=request.args.get("chuyen_muc") or None,
            before=request.args.get("truoc") or None,
            limit=_PAGE + 1,
        )
    more = len(found) > _PAGE
    found = found[:_PAGE]
    next_url = (
        f"{url_for('pages.items')}?{urlencode({**request.args.to_dict(), 'truoc': found[-1].id})}" if more else ""
    )
    return page(
        "items.html",
        active="items",
        items=found,
        next_url=next_url,
        state=state,
        station_code=code,
        programme_code=request.args.get("chuyen_muc", ""),
        scope=mine,
        waiting=sum(1 for record in found if record.state is SegmentState.SUBMITTED),
        returned=sum(1 for record in found if record.state is SegmentState.RETURNED),
        may_create=any(can(mine.person, "segments.create", one) for one in mine.stations),
        states_offered=list(states.SEGMENTS),
        filtered=bool(state or code or request.args.get("chuyen_muc")),
    )


@allowed("segments.read")
def item(segment: str) -> AnyResponse:
    """Show one recording."""
    mine = scope()
    return item_page(mine, work.visible_segment(segment, person=mine.person))


@allowed("segments.create")
def edit_item(segment: str) -> AnyResponse:
    """Show the card's form, or change the card; an approved one then needs a new approval."""
    mine = scope()
    record = own_record(mine, segment)
    if record.state not in CHANGEABLE:
        flash(_("Bài này không sửa được nữa."), "bad")
        return redirect(url_for("pages.item", segment=segment), 303)
    if request.method == "GET":
        return page("item_edit.html", active="items", record=record, **card_values(mine, _of_card(record.card), ()))
    filled = filled_card()
    card, problems = card_from(mine, filled, origin=record.card.origin)
    if card is None or problems:
        return page("item_edit.html", active="items", code=422, record=record, **card_values(mine, filled, problems))
    try:
        work.edit(segment, card=card, revision=revision_shown(), person=mine.person)
    except Refused as refused:
        return page(
            "item_edit.html", active="items", code=409, record=record, **card_values(mine, filled, refused.findings)
        )
    flash(_("Đã lưu thẻ bài."), "done")
    return redirect(url_for("pages.item", segment=segment), 303)


@allowed("segments.submit")
def submit_item(segment: str) -> AnyResponse:
    """Ask for approval."""
    mine = scope()
    own_record(mine, segment)
    try:
        work.submit(segment, person=mine.person)
    except Refused as refused:
        return item_page(mine, own_record(mine, segment), refused.findings, code=409)
    flash(_("Đã trình duyệt. Người duyệt sẽ thấy bài ở trang Chờ duyệt."), "done")
    return redirect(url_for("pages.item", segment=segment), 303)


@allowed("segments.approve")
def approve_item(segment: str) -> AnyResponse:
    """Approve exactly the audio and card that were shown."""
    mine = scope()
    record = own_record(mine, segment)
    try:
        work.approve(segment, sha256=request.form.get("sha256", ""), revision=revision_shown(), person=mine.person)
    except Refused as refused:
        return item_page(mine, own_record(mine, segment), refused.findings, code=409)
    offer_undo(_("Đã duyệt “%(title)s”.", title=record.card.title), "pages.undo_decision", segment=segment)
    _air_as_wished(mine, segment)
    return redirect(_back(url_for("pages.item", segment=segment)), 303)


@allowed("segments.approve")
def return_item(segment: str) -> AnyResponse:
    """Give it back to its maker with a reason."""
    mine = scope()
    record = own_record(mine, segment)
    try:
        work.send_back(segment, reason=request.form.get("reason", ""), person=mine.person)
    except Refused as refused:
        return item_page(mine, own_record(mine, segment), refused.findings, code=409)
    said = _("Đã trả lại “%(title)s” kèm lý do.", title=record.card.title)
    offer_undo(said, "pages.undo_decision", segment=segment)
    return redirect(_back(url_for("pages.item", segment=segment)), 303)


@allowed("segments.withdraw")
def withdraw_item(segment: str) -> AnyResponse:
    """Take it out for good."""
    mine = scope()
    record = own_record(mine, segment)
    try:
        work.withdraw(segment, reason=request.form.get("reason", ""), person=mine.person)
    except Refused as refused:
        return item_page(mine, own_record(mine, segment), refused.findings, code=409)
    flash(_("Đã thu hồi “%(title)s”. Bài không phát nữa.", title=record.card.title), "done")
    return redirect(url_for("pages.item", segment=segment), 303)


@allowed("airings.order")
def order_airing(segment: str) -> AnyResponse:
    """Order one airing at one time."""
    mine = scope()
    record = work.visible_segment(segment, person=mine.person)
    one = mine.station(request.form.get("station", ""))
    start = parse_moment(request.form.get("start", ""), one.zone)
    timing = Timing.HARD if request.form.get("timing") == Timing.HARD.value else Timing.SOFT
    if start is None:
        wrong = problem("start", "Hãy chọn ngày và giờ phát.", "Choose day and time.")
        return item_page(mine, record, (wrong,), code=422)
    try:
        work.order_airing(station=one.code, segment=segment, start=start, timing=timing, person=mine.person)
    except Refused as refused:
        return item_page(mine, record, refused.findings, code=409)
    there = local(start, one.zone)
    flash(_("Đã xếp phát lúc %(time)s ở %(station)s.", time=f"{there:%H:%M:%S %d/%m}", station=one.name), "done")
    return redirect(url_for("pages.item", segment=segment), 303)


@allowed("airings.order")
def cancel_airing(one_off: str) -> AnyResponse:
    """Take a single airing out before it starts."""
    mine = scope()
    with services().database.reading() as session:
        known = one_offs.find(session, one_off)
    if known is None:
        abort(404)
    mine.station(known.station)
    try:
        work.cancel_airing(one_off, person=mine.person)
    except Refused as refused:
        for finding in refused.findings:
            flash(say(finding.message), "bad")
    else:
        flash(_("Đã hủy lượt phát. Nhật ký sẽ ghi ai hủy."), "done")
    return redirect(url_for("pages.item", segment=known.segment), 303)


def recording(record: SegmentRecord, known: Heard = NOTHING) -> Recording | None:
    """Return what the player needs, None while there is no audio. known: what the reader heard of it before."""
    if record.audio is None:
        return None
    return Recording(
        id=record.id,
        title=record.card.title,
        duration_s=round(record.duration_s or 0.0, 2),
        waveform_url=url_for("pages.waveform", segment=record.id, sha256=record.audio.sha256),
        audio_url=f"/api/v1/segments/{record.id}/audio?sha256={record.audio.sha256}",
        sha256=record.audio.sha256,
        listening_url=url_for("pages.note_heard", segment=record.id),
        heard_s=known.heard_s,
        heard_ranges=",".join(f"{first}-{end}" for first, end in known.ranges),
    )


def item_page(mine: Scope, record: SegmentRecord, problems: Sequence[Finding] = (), *, code: int = 200) -> Response:
    """Return the page of a recording, with what was refused on top."""
    with services().database.reading() as session:
        history: tuple[Event, ...] = segments.history(session, record.id)
        orders = one_offs.of_segment(session, record.id)
        aired: list[Airing] = [
            row.airing
            for row in airings.of_segment(
                session, record.id, since=now() - timedelta(days=62), stations=mine.station_codes
            )
        ][:10]
        script = scripts.of_segment(session, record.id)
        remarks = comments.of_segment(session, record.id)
        known = heard.of(session, record, mine.person)
        heard_at = listening.approvals(session, record.id)
        hear_all = heard.must_be_whole(session, record)
    where = _station_of(mine, record)
    zone = where.zone if where else DEFAULT_ZONE
    first = local(now() + _SOON, zone).replace(second=0, microsecond=0)
    values = {
        "record": record,
        "recording": recording(record, known),
        "script": script,
        "remarks": remarks,
        "may_comment": _may(mine, "segments.create", record),
        "heard_whole": known.whole,
        "heard_at": heard_at,
        "hear_all": hear_all,
        "mark": states.SEGMENTS[record.state],
        "scope": mine,
        "station": where,
        "zone": zone,
        "errors": problems,
        "history": [(event, STEPS.get(event.what, Text(event.what, event.what))) for event in reversed(history)],
        "topics": [BY_CODE[code].label for code in record.card.topics if code in BY_CODE],
        "orders": orders,
        "aired": aired,
        "now": now(),
        "working": record.state in WORKING,
        "percent": round(100 * work.progress(record.id)),
        "may_edit": record.state in CHANGEABLE and _may(mine, "segments.create", record),
        "may_submit": record.state in (SegmentState.READY, SegmentState.RETURNED)
        and _may(mine, "segments.submit", record),
        "may_approve": record.state is SegmentState.SUBMITTED and _may(mine, "segments.approve", record),
        "own": mine.person.id in {record.uploader, record.audio_by},
        "self_approval": where.self_approval if where else False,
        "may_withdraw": record.state not in (SegmentState.WITHDRAWN, SegmentState.REFUSED)
        and _may(mine, "segments.withdraw", record),
        "may_order": record.state is SegmentState.APPROVED
        and any(can(mine.person, "airings.order", s) for s in mine.stations),
        "order_stations": [s for s in mine.stations if can(mine.person, "airings.order", s)],
        "order_start": f"{first:%Y-%m-%dT%H:%M}",
        "ordered": request.form if request.method == "POST" else {},
        "offer_trim": _offers_trim(record),
        "progress_url": url_for("pages.item", segment=record.id),
        "size": megabytes,
    }
    if code != 200:
        return page("item.html", active="items", code=code, **values)
    return live_page("item.html", "_item_working.html", active="items", **values)


def _air_as_wished(mine: Scope, segment: str) -> None:
    start, findings = writing.air_as_wished(segment, person=mine.person)
    if start is not None:
        flash(_("Máy sẽ phát lúc %(time)s như yêu cầu.", time=f"{local(start):%H:%M %d/%m}"), "done")
    for finding in findings:
        flash(say(finding.message), "bad")


def _offers_trim(record: SegmentRecord) -> bool:
    audio = record.audio
    if audio is None or record.state not in CHANGEABLE:
        return False
    return audio.head_silence_s >= 0.8 or audio.tail_silence_s >= 0.8


def _may(mine: Scope, permission: str, record: SegmentRecord) -> bool:
    return can(mine.person, permission, _station_of(mine, record) or record.card.owner)


def _station_of(mine: Scope, record: SegmentRecord) -> Station | None:
    return next((station for station in mine.stations if station.code == record.card.station), None)


def own_record(mine: Scope, segment: str) -> SegmentRecord:
    """Return a recording of the units that the person sees; 404 for every other one."""
    with services().database.reading() as session:
        record = segments.find(session, segment)
    if record is None or record.card.owner not in mine.unit_codes:
        abort(404)
    return record


def _state(text: str) -> SegmentState | None:
    try:
        return SegmentState(text)
    except ValueError:
        return None


def filled_card() -> Filled:
    """Return the card as the form was filled in."""
    form = request.form
    return Filled(
        title=" ".join(form.get("title", "").split())[: _TITLE + 1],
        station=form.get("station", ""),
        programme=form.get("programme", ""),
        kind=form.get("kind", ""),
        topics=tuple(code for code in BY_CODE if code in set(form.getlist("topics"))),
        author=" ".join(form.get("author", "").split())[:200],
        language=form.get("language", "vi") if form.get("language") in states.LANGUAGES else "vi",
        evergreen=form.get("evergreen") == "1",
        valid_from=form.get("valid_from", "").strip(),
        valid_until=form.get("valid_until", "").strip(),
        episode=form.get("episode", "").strip(),
        priority=form.get("priority", Priority.NORMAL.value),
    )


def _of_card(card: Card) -> Filled:
    return Filled(
        title=card.title,
        station=card.station or "",
        programme=card.programme,
        kind=card.kind.value,
        topics=card.topics,
        author=card.author,
        language=card.language,
        evergreen=card.evergreen,
        valid_from=_typed(card.valid_from),
        valid_until=_typed(card.valid_until),
        episode="" if card.episode is None else str(card.episode),
        priority=card.priority.value,
    )


def _typed(moment: datetime | None) -> str:
    return "" if moment is None else f"{local(moment):%Y-%m-%dT%H:%M}"


def card_from(mine: Scope, filled: Filled, *, origin: str = "own") -> tuple[Card | None, tuple[Finding, ...]]:
    """Return the card that the fields make, or what is wrong with them."""
    problems: list[Finding] = []
    if not filled.title:
        problems.append(problem("title", "Hãy đặt tên bài.", "Give the item a title."))
    elif len(filled.title) > _TITLE:
        problems.append(
            problem("title", f"Tên bài dài quá {_TITLE} ký tự.", f"The title is longer than {_TITLE} characters.")
        )
    station = next((s for s in mine.stations if s.code == filled.station), None)
    if filled.station and (station is None or not can(mine.person, "segments.create", station)):
        problems.append(problem("station", "Hãy chọn đài.", "Choose a station."))
    if not filled.station and not can(mine.person, "segments.create", mine.person.unit):
        problems.append(problem("station", "Hãy chọn đài.", "Choose a station."))
    if filled.programme not in mine.programmes:
        problems.append(problem("programme", "Hãy chọn chuyên mục.", "Choose a programme."))
    kind = next((k for k in SegmentKind if k.value == filled.kind), None)
    if kind is None:
        problems.append(problem("kind", "Hãy chọn thể loại.", "Choose a kind."))
    if _needs_topic(mine, filled.programme) and not filled.topics:
        problems.append(
            problem(
                "topics",
                "Bài của chuyên mục này cần ít nhất một chủ đề, nếu không sẽ không được tính cho nhiệm vụ.",
                "An item of this programme needs at least one topic, else it does not count for the duty.",
            )
        )
    valid_from, valid_until = parse_moment(filled.valid_from), parse_moment(filled.valid_until)
    if filled.valid_from and valid_from is None:
        problems.append(problem("valid_from", "Ngày giờ này không đúng.", "This is not a date and time."))
    if filled.valid_until and (valid_until is None or (valid_from is not None and valid_until <= valid_from)):
        problems.append(problem("valid_until", "Hạn dùng phải sau lúc bắt đầu.", "It must end after it begins."))
    if filled.episode and not re.fullmatch(r"[1-9]\d{0,4}", filled.episode):
        problems.append(problem("episode", "Số kỳ là số từ 1.", "An episode is a number from 1 on."))
    priority = next((one for one in OFFERED_PRIORITIES if one.value == filled.priority), None)
    if priority is None:
        problems.append(problem("priority", "Hãy chọn mức ưu tiên.", "Choose the priority."))
    if problems or kind is None or priority is None:
        return None, tuple(problems)
    return (
        Card(
            owner=station.unit if station else mine.person.unit,
            station=station.code if station else None,
            programme=filled.programme,
            title=filled.title,
            kind=kind,
            topics=filled.topics,
            language=filled.language,
            author=filled.author,
            origin=origin,
            evergreen=filled.evergreen,
            valid_from=valid_from,
            valid_until=valid_until,
            episode=int(filled.episode) if filled.episode else None,
            priority=priority,
        ),
        (),
    )


def _needs_topic(mine: Scope, programme: str) -> bool:
    return any(duty.programme == programme and duty.topic_prefix for duty in mine.duties)


def problem(where: str, vi: str, en: str) -> Finding:
    """Return what is wrong with a field."""
    return Finding(code=f"{where}_wrong", severity=Severity.ERROR, where=where, message=Text(vi, en))


def card_values(mine: Scope, filled: Filled, problems: Sequence[Finding]) -> dict[str, Any]:
    """Return what the fields of a card need."""
    return {
        "card": filled,
        "errors": problems,
        "scope": mine,
        "stations_offered": [s for s in mine.stations if can(mine.person, "segments.create", s)],
        "own_unit": mine.unit_name(mine.person.unit) if can(mine.person, "segments.create", mine.person.unit) else "",
        "groups": [(group, in_group(group.letter)) for group in GROUPS],
        "languages": states.LANGUAGES,
    }


def revision_shown() -> int:
    """Return the revision that the form was made from; -1 where it does not say."""
    try:
        return int(request.form.get("revision", ""))
    except ValueError:
        return -1


def _back(default: str) -> str:
    return url_for("pages.approvals") if request.form.get("back") == "approvals" else default
