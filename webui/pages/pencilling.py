"""Bản nháp của lịch: changing the week with a pencil, looking at what that would do, and publishing it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from schedules.duty import DutyState
from schedules.errors import Conflict, NotAllowed, Refused, Unknown
from schedules.findings import Finding
from schedules.pencil import Reach
from store.audit import Entry
from webui import pencil
from webui.auth import allowed
from webui.pages import states, week
from webui.pages.answers import Part
from webui.pages.formats import iso_week, local, moment_short, parse_day, week_of
from webui.pages.language import say
from webui.pages.layout import page
from webui.pages.review import Line, lines, summary
from webui.pages.scope import Scope, now, scope
from webui.pages.session import editable, minutes_s, parse_times
from webui.pencil import Gesture, Outlook

_SHOWN = 12
_LONGEST_S = 12 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """One thing that a draft costs, in words."""

    sign: str
    text: str


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/lich/<week>/sua", "edit_week", edit_week, methods=["POST"])
    pages.add_url_rule("/lich/nhap", "my_drafts", my_drafts)
    pages.add_url_rule("/lich/nhap/xem", "review_draft", review_draft)
    pages.add_url_rule("/lich/nhap/kiem", "draft_check", draft_check)
    pages.add_url_rule("/lich/nhap/cong-bo", "publish_draft", publish_draft, methods=["POST"])
    pages.add_url_rule("/lich/nhap/hoan-tac", "undo_draft", undo_draft, methods=["POST"])
    pages.add_url_rule("/lich/nhap/bo", "discard_draft", discard_draft, methods=["POST"])
    pages.add_url_rule("/lich/nhap/lay-lai", "restore_draft", restore_draft, methods=["POST"])
    pages.add_url_rule("/lich/nhap/mang-sang", "carry_draft", carry_draft, methods=["POST"])


@allowed("grid.edit")
def edit_week(week: str) -> AnyResponse:
    """Do one gesture in the draft: move, copy, cancel or end; the week comes back as it looks then."""
    mine = scope()
    station = editable(mine)
    if iso_week(week) is None:
        abort(404)
    said = wrong = ""
    try:
        step = pencil.gesture(station.code, _gesture(), person=mine.person)
        said = _("Đã ghi vào bản nháp: %(what)s.", what=say(step.words))
    except NotAllowed:
        raise
    except Refused as refused:
        wrong = _sentence(refused.findings)
    return _week_again(mine, station.code, week, said, wrong)


@allowed("grid.edit")
def my_drafts() -> AnyResponse:
    """List the reader's drafts and those of others at stations in reach."""
    mine = scope()
    own = pencil.mine(person=mine.person)
    others = pencil.of_others(person=mine.person)
    return page(
        "drafts.html",
        active="week",
        own=own,
        others=others,
        name=mine.station_name,
        this_week=week_of(local(now()).date()),
        most=pencil.MOST_TOGETHER,
        answer=(
            Part(text=ngettext("%(num)d bản nháp chưa công bố.", "%(num)d bản nháp chưa công bố.", len(own)))
            if own
            else Part(text=_("Không có bản nháp nào. Đài phát theo bản đã công bố.")),
        ),
    )


@allowed("grid.edit")
def review_draft() -> AnyResponse:
    """Show what publishing would do, and the button that does it; several stations by `dai=` each."""
    return _review(_wanted())


@allowed("grid.edit")
def draft_check() -> AnyResponse:
    """Show what speaks against a draft, as a part of the week's page."""
    mine = scope()
    station = editable(mine)
    try:
        (one,) = pencil.outlook((station.code,), person=mine.person)
    except Unknown:
        return page("_draft_check.html", active="week", one=None)
    return page("_draft_check.html", active="week", one=one, costs=_costs(one), station=station)


@allowed("grid.edit")
def publish_draft() -> AnyResponse:
    """Put drafts in force."""
    mine = scope()
    wanted = _wanted()
    for code in wanted:
        mine.station(code)
    try:
        done = pencil.publish(wanted, person=mine.person, accepted=request.form.get("confirm", ""))
    except NotAllowed:
        raise
    except Unknown as gone:
        flash(_sentence(gone.findings), "bad")
        return redirect(url_for("pages.my_drafts"), 303)
    except Conflict as conflict:
        return _review(wanted, conflict.findings, 409)
    except Refused as refused:
        return _review(wanted, refused.findings, 422)
    flash(
        _("Đã công bố lịch của %(what)s. Đài phát theo lịch mới từ bây giờ.", what=done[0].station.name)
        if len(done) == 1
        else ngettext("Đã công bố lịch của %(num)d đài.", "Đã công bố lịch của %(num)d đài.", len(done)),
        "done",
    )
    return redirect(url_for("pages.week", week=_back(), dai=wanted[0]), 303)


@allowed("grid.edit")
def undo_draft() -> AnyResponse:
    """Take back the last step."""
    mine = scope()
    station = editable(mine)
    said = wrong = ""
    try:
        said = _("Đã hoàn tác: %(what)s.", what=say(pencil.undo(station.code, person=mine.person).words))
    except Unknown as gone:
        wrong = _sentence(gone.findings)
    return _week_again(mine, station.code, _back(), said, wrong)


@allowed("grid.edit")
def discard_draft() -> AnyResponse:
    """Throw a draft away; the week's page offers to have it back."""
    mine = scope()
    station = editable(mine)
    try:
        count = pencil.discard(station.code, person=mine.person)
    except Unknown as gone:
        flash(_sentence(gone.findings), "bad")
    else:
        flash(_("Đã bỏ %(n)s thay đổi. Có thể lấy lại ở cuối trang này.", n=count), "done")
    return redirect(url_for("pages.week", week=_back(), dai=station.code), 303)


@allowed("grid.edit")
def restore_draft() -> AnyResponse:
    """Have back what was thrown away."""
    mine = scope()
    station = editable(mine)
    try:
        count = pencil.restore(station.code, person=mine.person)
    except Unknown as gone:
        flash(_sentence(gone.findings), "bad")
    else:
        flash(_("Đã lấy lại %(n)s thay đổi.", n=count), "done")
    return redirect(url_for("pages.week", week=_back(), dai=station.code), 303)


@allowed("grid.edit")
def carry_draft() -> AnyResponse:
    """Bring the edits to the grid as it is now."""
    mine = scope()
    station = editable(mine)
    try:
        carried = pencil.carry_over(station.code, person=mine.person)
    except Unknown as gone:
        flash(_sentence(gone.findings), "bad")
        return redirect(url_for("pages.my_drafts"), 303)
    flash(_("Đã mang các thay đổi sang bản mới. Hãy xem lại rồi công bố."), "done")
    for name, field in carried.both:
        flash(
            _(
                "Buổi “%(name)s”: cả hai cùng sửa %(what)s; giữ theo bản nháp của anh/chị.",
                name=name,
                what=say(states.SESSION_FIELDS.get(field, states.SESSION_FIELDS["name"])),
            ),
            "bad",
        )
    for name in carried.lost:
        flash(_("“%(name)s” không còn trong lịch, nên thay đổi của nó không mang sang được.", name=name), "bad")
    if not carried.steps:
        return redirect(url_for("pages.week", week=_back(), dai=station.code), 303)
    return redirect(url_for("pages.review_draft", dai=station.code), 303)


def _week_again(mine: Scope, code: str, text: str, said: str, wrong: str) -> AnyResponse:
    known = iso_week(text)
    if request.headers.get("HX-Request") == "true" and known is not None:
        values = week.drawn(mine, mine.station(code), *known, said=said, wrong=wrong)
        return page("_week.html", active="week", code=200 if not wrong else 422, **values)
    flash(wrong or said, "bad" if wrong else "done")
    day = parse_day(request.form.get("to_day", "")) if not wrong else None
    shown = week_of(day) if day and 1971 <= day.year <= 2198 else text
    return redirect(
        url_for("pages.week", week=shown, dai=code, ngay=day.isoformat() if day else request.form.get("day") or None),
        303,
    )


def _gesture() -> Gesture:
    form = request.form
    day, from_day = parse_day(form.get("day", "")), parse_day(form.get("from_day", ""))
    to_day = parse_day(form["to_day"]) if form.get("to_day") else None
    starts = parse_times(form["to_start"]) if form.get("to_start") else None
    length_s = minutes_s(form["minutes"]) if form.get("minutes") else None
    reach = next((reach for reach in Reach if reach.value == form.get("reach", "every")), None)
    days = [one for one in (day, from_day, to_day) if one is not None]
    wrong = (
        day is None
        or (form.get("to_day") and to_day is None)
        or (form.get("to_start") and (starts is None or len(starts) != 1))
        or (form.get("minutes") and length_s is None)
        or reach is None
        or any(not 1971 <= one.year <= 2198 for one in days)
    )
    if wrong or day is None or reach is None:
        raise Refused(pencil.not_understood())
    return Gesture(
        what=form.get("what", ""),
        name=form.get("session", "")[:60],
        day=day,
        from_day=from_day or day,
        reach=reach,
        to_day=to_day,
        to_start=starts[0] if starts else None,
        length_s=length_s,
    )


def _wanted() -> tuple[str, ...]:
    return tuple(dict.fromkeys(request.values.getlist("dai")))[: pencil.MOST_TOGETHER]


def _back() -> str:
    text = request.values.get("tuan", "")
    return text if iso_week(text) is not None else week_of(local(now()).date())


def _review(wanted: Sequence[str], problems: Sequence[Finding] = (), code: int = 200) -> AnyResponse:
    mine = scope()
    for one in wanted:
        mine.station(one)
    if not wanted:
        return redirect(url_for("pages.my_drafts"))
    try:
        found = pencil.outlook(wanted, person=mine.person)
    except Unknown as gone:
        flash(_sentence(gone.findings), "bad")
        return redirect(url_for("pages.my_drafts"))
    steps = {draft.station: draft.steps for draft in pencil.mine(person=mine.person)}
    moved = [one for one in found if one.moved_by]
    wrong = [finding for one in found for finding in one.consequences.errors]
    warned = [finding for one in found for finding in one.consequences.warnings]
    told = {finding.message.vi for finding in (*wrong, *warned)}
    return page(
        "draft_review.html",
        active="week",
        code=code,
        found=[
            (one, *_lines(one), summary(one.consequences.shifts), _costs(one), steps[one.station.code]) for one in found
        ],
        problems=[finding for finding in problems if finding.message.vi not in told],
        moved=moved,
        who=lambda one: [_did(entry) for entry in one.moved_by],
        wrong=wrong,
        warned=warned,
        confirm=pencil.key(found) if not wrong and not moved else "",
        back=_back(),
        answer=_answer(found, wrong, warned, moved),
        one=found[0].station if len(found) == 1 else None,
    )


def _answer(
    found: Sequence[Outlook], wrong: Sequence[Finding], warned: Sequence[Finding], moved: Sequence[Outlook]
) -> tuple[Part, ...]:
    if moved:
        return (Part(text=_("Lịch đã được người khác sửa từ khi bắt đầu bản nháp."), tone="bad"),)
    if wrong:
        words = ngettext("Chưa công bố được: %(num)d chỗ sai.", "Chưa công bố được: %(num)d chỗ sai.", len(wrong))
        return (Part(text=words, tone="bad"),)
    first = Part(text=summary([shift for one in found for shift in one.consequences.shifts]))
    if warned:
        words = ngettext("%(num)d điều cần đồng ý.", "%(num)d điều cần đồng ý.", len(warned))
        return first, Part(text=words, tone="warn")
    return first, Part(text=_("Không có gì cản trở."), tone="ok")


def _lines(one: Outlook) -> tuple[list[Line], list[Line]]:
    every = lines(one.consequences.shifts)
    return every[:_SHOWN], every[_SHOWN:]


def _costs(one: Outlook) -> list[Cost]:
    zone = one.station.zone
    found = [
        Cost(
            sign="at_risk",
            text=_("“%(title)s” mất chỗ phát (%(when)s).", title=item.title, when=moment_short(item.start, zone)),
        )
        for item in one.effects.lost
    ]
    for turn in one.effects.duties:
        before = states.DUTIES[turn.before].word if turn.before else None
        after = states.DUTIES[turn.after.state]
        good = turn.after.state in (DutyState.PLANNED, DutyState.MET, DutyState.MADE_UP)
        found.append(
            Cost(
                sign="planned" if good else after.sign,
                text=_(
                    "Nhiệm vụ “%(name)s”: từ “%(before)s” thành “%(after)s”.",
                    name=turn.after.name,
                    before=say(before),
                    after=say(after.word),
                )
                if before
                else _("Nhiệm vụ “%(name)s”: %(after)s.", name=turn.after.name, after=say(after.word)),
            )
        )
    found += [Cost(sign="on_air", text=_touched(one.before, one.after, zone)) for one in one.effects.today]
    return found


def _touched(before: Any, after: Any, zone: str) -> str:  # noqa: ANN401 - items of a plan, or none
    if after is None:
        return _("Hôm nay: “%(title)s” %(when)s không phát nữa.", title=before.title, when=_at(before.due, zone))
    if before is None:
        return _("Hôm nay: thêm “%(title)s” %(when)s.", title=after.title, when=_at(after.due, zone))
    return _(
        "Hôm nay: “%(title)s” từ %(old)s sang %(new)s.",
        title=after.title,
        old=_at(before.due, zone),
        new=_at(after.due, zone),
    )


def _at(moment: datetime, zone: str) -> str:
    return f"{local(moment, zone):%H:%M}"


def _did(entry: Entry) -> str:
    what = say(states.GRID_ACTS.get(entry.what, states.GRID_ACTS["grid"]))
    detail = f": {entry.detail}" if entry.detail and entry.what == pencil.PUBLISHED else ""
    return _(
        "%(who)s %(what)s, %(when)s%(detail)s", who=entry.name, what=what, when=moment_short(entry.at), detail=detail
    )


def _sentence(findings: Sequence[Finding]) -> str:
    return " ".join(f"{say(one.message)} {say(one.hint)}".strip() for one in findings)


def day_of(text: str) -> date:
    """Return the day of an address; 404 for what is none."""
    found = parse_day(text)
    if found is None or not 1971 <= found.year <= 2198:
        abort(404)
    return found
