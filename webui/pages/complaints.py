"""Phản ánh: what residents say about the loudspeakers, by when they are answered, and how."""

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
from schedules.segment import SegmentKind
from schedules.text import Text
from store import complaints, upkeep
from store.complaints import About, Channel, Complaint, Mark, Which, Wish
from webui import complaints as acts
from webui.auth import allowed
from webui.pages import states, upkeepwords
from webui.pages.answers import Part
from webui.pages.formats import day_short, local, moment_short, parse_day
from webui.pages.language import say
from webui.pages.layout import page
from webui.pages.scope import Scope, now, scope
from webui.pages.tickets import Moment
from webui.rights import can
from webui.services import services

_PAGE = 50
_YEAR = timedelta(days=365)
_WORDS = {
    Which.OPEN: Text("Chưa trả lời", "Not answered"),
    Which.OVERDUE: Text("Quá hạn", "Overdue"),
    Which.ANSWERED: Text("Đã trả lời", "Answered"),
}
_LATE = states.Mark(sign="partial", word=Text("Trả lời trễ", "Answered late"))
_IN_TIME = states.Mark(sign="aired", word=Text("Trả lời đúng hạn", "Answered in time"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A complaint in a list."""

    complaint: Complaint
    mark: states.Mark
    name: str
    about: str


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/phan-anh", "complaints", listing)
    pages.add_url_rule("/phan-anh/moi", "new_complaint", new_complaint, methods=["GET", "POST"])
    pages.add_url_rule("/phan-anh/<complaint>", "complaint", complaint)
    pages.add_url_rule("/phan-anh/<complaint>/tra-loi", "answer_complaint", answer_complaint, methods=["POST"])
    pages.add_url_rule("/phan-anh/<complaint>/bo-sung", "amend_complaint", amend_complaint, methods=["POST"])


@allowed("complaints.read")
def listing() -> AnyResponse:
    """List complaints, what is due first, first."""
    mine = scope()
    chosen = request.args.get("dai", "")
    codes = (mine.station(chosen).code,) if chosen else mine.station_codes
    which = next((one for one in Which if one.value == request.args.get("xem", "")), Which.OPEN)
    about = next((one for one in About if one.value == request.args.get("ve", "")), None)
    today = local(now()).date()
    with services().database.reading() as session:
        found = complaints.listing(
            session,
            stations=codes,
            which=which,
            today=today,
            about=about,
            after=_mark(request.args.get("sau", "")),
            limit=_PAGE + 1,
        )
        counts = complaints.counts(session, stations=codes, today=today, since=today - _YEAR)
    more = ""
    if len(found) > _PAGE:
        last = found[_PAGE - 1]
        day = last.wish.received_on if which is Which.ANSWERED else last.wish.due
        more = _address(chosen, which, about, sau=f"{day.isoformat()}~{last.id}")
    numbers = {Which.OPEN: counts.open, Which.OVERDUE: counts.overdue, Which.ANSWERED: None}
    return page(
        "complaints.html",
        active="complaints",
        answer=_answer(counts),
        rows=[_row(mine, one, today) for one in found[:_PAGE]],
        filters=[(say(_WORDS[one]), numbers[one], _address(chosen, one, about), one is which) for one in Which],
        which=which,
        scope=mine,
        chosen=chosen,
        more=more,
        may_edit=can(mine.person, acts.EDIT),
    )


@allowed("complaints.edit")
def new_complaint() -> AnyResponse:
    """Show the form of a complaint, or take it down."""
    mine = scope()
    today = local(now()).date()
    with services().database.reading() as session:
        rules = upkeep.rules(session)
    form = request.form
    chosen = request.args.get("dai", "")
    errors: tuple[Finding, ...] = ()
    if request.method == "POST":
        station, _space, cluster = form.get("where", "").partition(" ")
        received = parse_day(form.get("received_on", "")) or today
        wish = Wish(
            station=station,
            cluster=cluster,
            received_on=min(received, today),
            sender=" ".join(form.get("sender", "").split()),
            contact=" ".join(form.get("contact", "").split()),
            channel=next((one for one in Channel if one.value == form.get("channel")), Channel.PHONE),
            about=next((one for one in About if one.value == form.get("about")), About.OTHER),
            text=form.get("text", ""),
            due=parse_day(form.get("due", "")) or min(received, today) + timedelta(days=rules.answer_days),
        )
        try:
            made = acts.receive(wish, person=mine.person)
        except (NotAllowed, Unknown):
            raise
        except Refused as refused:
            errors = refused.findings
        else:
            flash(_("Đã ghi phản ánh %(name)s.", name=made.name), "done")
            return redirect(url_for("pages.complaint", complaint=made.id), 303)
    return page(
        "complaint_new.html",
        active="complaints",
        code=422 if errors else 200,
        # One station is enough to look at: a thousand with their clusters would be a heavy page.
        stations=((mine.station(chosen),) if chosen else mine.stations)[:200],
        channels=[(one.value, say(word)) for one, word in upkeepwords.CHANNELS.items()],
        abouts=[(one.value, say(word)) for one, word in upkeepwords.ABOUTS.items()],
        form=form,
        today=today.isoformat(),
        due=(today + timedelta(days=rules.answer_days)).isoformat(),
        days=rules.answer_days,
        errors=errors,
    )


@allowed("complaints.read")
def complaint(complaint: str) -> AnyResponse:
    """Show one complaint and its answer."""
    return _complaint_page(complaint)


@allowed("complaints.edit")
def answer_complaint(complaint: str) -> AnyResponse:
    """Keep the answer that was given."""
    today = local(now()).date()
    on = parse_day(request.form.get("on", "")) or today
    try:
        acts.answer(complaint, request.form.get("answer", ""), on=min(on, today), person=scope().person)
    except (NotAllowed, Unknown):
        raise
    except Refused as refused:
        return _complaint_page(complaint, refused.findings)
    flash(_("Đã lưu câu trả lời."), "done")
    return redirect(url_for("pages.complaint", complaint=complaint), 303)


@allowed("complaints.edit")
def amend_complaint(complaint: str) -> AnyResponse:
    """Add a word after the answer."""
    try:
        acts.amend(complaint, request.form.get("text", ""), person=scope().person)
    except (NotAllowed, Unknown):
        raise
    except Refused as refused:
        return _complaint_page(complaint, refused.findings)
    flash(_("Đã ghi bổ sung."), "done")
    return redirect(url_for("pages.complaint", complaint=complaint), 303)


def _complaint_page(complaint: str, errors: tuple[Finding, ...] = ()) -> AnyResponse:
    mine = scope()
    known, station, found = acts.visible(complaint, person=mine.person)
    today = local(now(), station.zone).date()
    wish = known.wish
    cluster = next((group.name for group in station.groups if group.code == wish.cluster), "")
    with services().database.reading() as session:
        names = upkeep.names_of(session, [known.answered_by] if known.answered_by else [])
    title = _("Trả lời phản ánh của người dân về %(about)s", about=say(upkeepwords.ABOUTS[wish.about]).lower())
    return page(
        "complaint.html",
        active="complaints",
        code=422 if errors else 200,
        complaint=known,
        station=station,
        row=_row(mine, known, today),
        cluster=cluster,
        channel=say(upkeepwords.CHANNELS[wish.channel]),
        about=say(upkeepwords.ABOUTS[wish.about]),
        received=f"{wish.received_on:%d/%m/%Y}",
        due=f"{wish.due:%d/%m/%Y}",
        answered=f"{known.answered_on:%d/%m/%Y}" if known.answered_on else "",
        by=names.get(known.answered_by or "", ""),
        moments=[
            Moment(
                word=say(upkeepwords.STEPS.get(one.what, Text(one.what, one.what))),
                text=one.text if one.what == "remark" else "",
                about=f"{moment_short(one.at, station.zone)} · {one.name}",
                picture="",
                what=one.what,
            )
            for one in found
        ],
        compose=url_for("pages.new_item", the_loai=SegmentKind.TRA_LOI.value, ten=title, dai=station.code),
        may_compose=can(mine.person, "segments.create", station),
        may_edit=can(mine.person, acts.EDIT, station),
        today=today.isoformat(),
        form=request.form,
        errors=errors,
    )


def _row(mine: Scope, one: Complaint, today: date) -> Row:
    wish = one.wish
    about = [one.name, say(upkeepwords.ABOUTS[wish.about])]
    if len(mine.stations) > 1:
        about.append(mine.station_name(wish.station))
    if wish.sender:
        about.append(wish.sender)
    about.append(_("nhận %(day)s", day=day_short(wish.received_on)))
    if one.open:
        late = (today - wish.due).days
        about.append(_("quá hạn %(n)s ngày", n=late) if late > 0 else _("hạn %(day)s", day=day_short(wish.due)))
        mark = upkeepwords.OVERDUE if late > 0 else upkeepwords.WAITING
    else:
        mark = _IN_TIME if one.in_time else _LATE
    return Row(complaint=one, mark=mark, name=wish.text[:120], about=" · ".join(about))


def _answer(counts: complaints.Counts) -> tuple[Part, ...]:
    parts = []
    if counts.open:
        words = ngettext("%(num)d phản ánh chưa trả lời.", "%(num)d phản ánh chưa trả lời.", counts.open)
        parts.append(Part(text=words, tone="warn"))
        if counts.overdue:
            parts.append(Part(text=ngettext("%(num)d quá hạn.", "%(num)d quá hạn.", counts.overdue), tone="bad"))
    else:
        parts.append(Part(text=_("Không có phản ánh nào chưa trả lời.")))
    if counts.in_time + counts.late:
        parts.append(Part(text=_("Trong 12 tháng: %(n)s đúng hạn, %(m)s trễ.", n=counts.in_time, m=counts.late)))
    return tuple(parts)


def _address(station: str, which: Which, about: About | None, **more: str) -> str:
    values = {
        "dai": station,
        "xem": "" if which is Which.OPEN else which.value,
        "ve": about.value if about else "",
    } | more
    return f"{url_for('pages.complaints')}?{urlencode({name: value for name, value in values.items() if value})}"


def _mark(text: str) -> Mark | None:
    day, _tilde, complaint = text.partition("~")
    read = parse_day(day)
    return None if read is None else Mark(day=read, id=complaint[:16])
