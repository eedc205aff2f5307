"""Phiếu báo hỏng: what is broken, since when, who repairs it by when, and who accepted the repair."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from schedules.errors import Conflict, NotAllowed, Refused, Unknown
from schedules.findings import Finding
from schedules.silence import Down, silent_days
from schedules.station import Station, units_above
from schedules.text import Text
from schedules.upkeep import TicketState, Trouble, UpkeepRules, escalate_on, overdue_days
from store import airdays, steps, tickets, upkeep
from store.steps import Step, Subject
from store.tickets import Mark, Origin, Repair, Ticket, Which
from webui import photos
from webui import upkeep as acts
from webui.auth import allowed
from webui.bodies import takes
from webui.pages import states, upkeepwords
from webui.pages.answers import Part
from webui.pages.formats import day_short, local, moment_short, number, parse_day
from webui.pages.language import say
from webui.pages.layout import page
from webui.pages.scope import Scope, now, scope
from webui.photos import photo_bytes
from webui.rights import can
from webui.services import services
from webui.upkeep import Report

_PAGE = 50
_SEEN = timedelta(days=365)
ORDER = (Which.OPEN, Which.SILENT, Which.OVERDUE, Which.REPAIRED, Which.ACCEPTED)
WORDS = {
    Which.OPEN: Text("Đang mở", "Open"),
    Which.SILENT: Text("Đang im tiếng", "Silent now"),
    Which.OVERDUE: Text("Quá hạn", "Overdue"),
    Which.REPAIRED: Text("Chờ nghiệm thu", "Waiting for acceptance"),
    Which.ACCEPTED: Text("Đã nghiệm thu", "Accepted"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A ticket in a list. name: what and where, in one line; late: days past the due day."""

    ticket: Ticket
    mark: states.Mark
    name: str
    about: str
    late: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A step as it shows. about: when and by whom; picture: the address of its photo."""

    word: str
    text: str
    about: str
    picture: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One of the four figures of a ticket."""

    value: str
    words: str
    bad: bool = False


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/thiet-bi/phieu", "tickets", listing)
    pages.add_url_rule("/thiet-bi/phieu/moi", "new_ticket", new_ticket, methods=["GET", "POST"])
    pages.add_url_rule("/thiet-bi/phieu/<ticket>", "ticket", ticket)
    pages.add_url_rule("/thiet-bi/phieu/<ticket>/giao", "assign_ticket", assign_ticket, methods=["POST"])
    pages.add_url_rule("/thiet-bi/phieu/<ticket>/sua-xong", "repair_ticket", repair_ticket, methods=["POST"])
    pages.add_url_rule("/thiet-bi/phieu/<ticket>/nghiem-thu", "accept_ticket", accept_ticket, methods=["POST"])
    pages.add_url_rule("/thiet-bi/phieu/<ticket>/tra-lai", "return_ticket", return_ticket, methods=["POST"])
    pages.add_url_rule("/thiet-bi/phieu/<ticket>/mo-lai", "reopen_ticket", reopen_ticket, methods=["POST"])
    pages.add_url_rule("/thiet-bi/phieu/<ticket>/ghi", "remark_ticket", remark_ticket, methods=["POST"])
    pages.add_url_rule("/thiet-bi/phieu/<ticket>/don-doc", "urge_ticket", urge_ticket, methods=["GET", "POST"])
    pages.add_url_rule("/thiet-bi/phieu/<ticket>/anh/<int:step>", "ticket_picture", ticket_picture)


@allowed("equipment.read")
def listing() -> AnyResponse:
    """List tickets, those open longest first."""
    mine = scope()
    chosen = request.args.get("dai", "")
    codes = (mine.station(chosen).code,) if chosen else mine.station_codes
    which = next((one for one in Which if one.value == request.args.get("xem", "")), Which.OPEN)
    today = local(now()).date()
    with services().database.reading() as session:
        found = tickets.listing(
            session,
            stations=codes,
            which=which,
            today=today,
            after=_mark(request.args.get("sau", "")),
            limit=_PAGE + 1,
        )
        counts = tickets.counts(session, stations=codes, today=today)
    more = ""
    if len(found) > _PAGE:
        last = found[_PAGE - 1]
        at = last.accepted_at if which is Which.ACCEPTED else last.opened_at
        more = _address(chosen, which, sau=f"{(at or last.opened_at).isoformat()}~{last.id}")
    numbers = {
        Which.OPEN: counts.open,
        Which.SILENT: counts.silent,
        Which.OVERDUE: counts.overdue,
        Which.REPAIRED: counts.repaired,
    }
    return page(
        "tickets.html",
        active="equipment",
        answer=_answer(counts),
        rows=[row(mine, one, today) for one in found[:_PAGE]],
        filters=[(say(WORDS[one]), numbers.get(one), _address(chosen, one), one is which) for one in ORDER],
        which=which,
        scope=mine,
        chosen=chosen,
        more=more,
        may_add=can(mine.person, acts.EDIT),
        may_urge=can(mine.person, acts.ACCEPT),
    )


@allowed("equipment.edit")
@takes(photo_bytes)
def new_ticket() -> AnyResponse:
    """Show the form of a new ticket, or open it; the same loudspeaker joins the ticket that is open."""
    mine = scope()
    if request.method == "GET":
        first = mine.station(request.args["dai"]).code if request.args.get("dai") else ""
        given = {"station": first, "cluster": request.args.get("cum", ""), "device": request.args.get("may", "")}
        return _new(given, ())
    form = request.form
    trouble = next((one for one in Trouble if one.value == form.get("trouble", "")), Trouble.SILENT)
    # One field names both: `LONGHIEP GOTRANH`; the station alone where nobody knows the cluster.
    station, _space, cluster = form.get("where", "").partition(" ")
    wanted = Report(
        station=station,
        cluster=cluster,
        trouble=trouble,
        what=form.get("what", ""),
        place=form.get("place", ""),
        device=form.get("device") or None,
    )
    try:
        taken = photos.taken(request.files.get("photo"))
        made = acts.report(wanted, picture=taken.sha256 if taken else None, person=mine.person)
    except (NotAllowed, Unknown):
        raise
    except Refused as refused:
        return _new(form.to_dict() | {"station": station, "cluster": cluster}, refused.findings)
    if made.reports > 1:
        flash(_("Đã ghi thêm vào phiếu %(name)s đang mở cho chỗ này.", name=made.name), "done")
    else:
        flash(_("Đã mở phiếu %(name)s.", name=made.name), "done")
    return redirect(url_for("pages.ticket", ticket=made.id), 303)


@allowed("equipment.read")
def ticket(ticket: str) -> AnyResponse:
    """Show one ticket: its figures, its steps, and the next step of whoever looks."""
    return _ticket_page(ticket)


@allowed("equipment.edit")
def assign_ticket(ticket: str) -> AnyResponse:
    """Give it to somebody, until a day."""
    form = request.form

    def act() -> None:
        due = parse_day(form.get("due", ""))
        if due is None:
            raise Refused(acts.wrong("due", "Hãy chọn hạn sửa.", "Choose by when."))
        acts.assign(
            ticket,
            assignee=form.get("assignee", ""),
            repairer=form.get("repairer", ""),
            due=due,
            text=form.get("text", ""),
            person=scope().person,
        )

    return _done(ticket, act, _("Đã giao sửa."))


@allowed("equipment.edit")
@takes(photo_bytes)
def repair_ticket(ticket: str) -> AnyResponse:
    """Say that it is repaired: by whom, what was done, parts, cost and a photo."""
    form = request.form

    def act() -> None:
        cost = "".join(one for one in form.get("cost", "") if one not in " .,đ\u00a0")
        if cost and not (cost.isascii() and cost.isdigit() and len(cost) <= 12):
            raise Refused(acts.wrong("cost", "Chi phí là một số đồng, ví dụ 1.250.000.", "A cost is a number of đồng."))
        repair = Repair(
            by=form.get("by", "") or scope().person.full_name,
            done=form.get("done", ""),
            parts=form.get("parts", ""),
            cost=int(cost) if cost else None,
        )
        acts.repaired(ticket, repair, picture=_picture(), person=scope().person)

    return _done(ticket, act, _("Đã báo sửa xong. Người khác sẽ nghiệm thu."))


@allowed("tickets.accept")
@takes(photo_bytes)
def accept_ticket(ticket: str) -> AnyResponse:
    """Accept the repair; whoever repaired it may not."""

    def act() -> None:
        acts.accept(ticket, text=request.form.get("text", ""), picture=_picture(), person=scope().person)

    return _done(ticket, act, _("Đã nghiệm thu. Phiếu đã đóng."))


@allowed("tickets.accept")
def return_ticket(ticket: str) -> AnyResponse:
    """Refuse the repair, with a reason."""

    def act() -> None:
        acts.send_back(ticket, text=request.form.get("text", ""), person=scope().person)

    return _done(ticket, act, _("Đã trả lại để sửa tiếp."))


@allowed("equipment.edit")
def reopen_ticket(ticket: str) -> AnyResponse:
    """Open an accepted ticket again."""

    def act() -> None:
        acts.reopen(ticket, text=request.form.get("text", ""), person=scope().person)

    return _done(ticket, act, _("Đã mở lại phiếu."))


@allowed("equipment.edit")
@takes(photo_bytes)
def remark_ticket(ticket: str) -> AnyResponse:
    """Add a word or a photo."""

    def act() -> None:
        acts.remark(ticket, text=request.form.get("text", ""), picture=_picture(), person=scope().person)

    return _done(ticket, act, _("Đã ghi thêm vào phiếu."))


@allowed("tickets.accept")
def urge_ticket(ticket: str) -> AnyResponse:
    """Show the words with which the commune is urged, ready to send, or send them."""
    mine = scope()
    known, station, _steps = acts.visible_ticket(ticket, person=mine.person)
    text = request.form.get("text", "")
    errors: tuple[Finding, ...] = ()
    if request.method == "POST":
        try:
            reached = acts.urge(ticket, text=text, person=mine.person)
        except (NotAllowed, Unknown):
            raise
        except Refused as refused:
            errors = refused.findings
        else:
            said = ngettext("Đã gửi đôn đốc tới %(num)d người.", "Đã gửi đôn đốc tới %(num)d người.", reached)
            flash(said, "done")
            return redirect(url_for("pages.ticket", ticket=ticket), 303)
    with services().database.reading() as session:
        people = acts.urged(session, station)
    return page(
        "urge.html",
        active="equipment",
        code=422 if errors else 200,
        ticket=known,
        name=name_of(known, station),
        text=text or _urging(mine, known, station),
        people=people,
        unit=mine.unit_name(station.unit),
        errors=errors,
    )


@allowed("equipment.read")
def ticket_picture(ticket: str, step: int) -> AnyResponse:
    """Give the photo of one step."""
    known, _station, _steps = acts.visible_ticket(ticket, person=scope().person)
    with services().database.reading() as session:
        found = steps.find(session, Subject.TICKET, known.id, step)
    if found is None or found.picture is None:
        abort(404)
    try:
        return photos.shown(found.picture)
    except FileNotFoundError:
        abort(404)


def row(mine: Scope, one: Ticket, today: date) -> Row:
    """Return a ticket as lists show it."""
    station = mine.station(one.station)
    late = overdue_days(one.due, today) if one.open else 0
    about = [one.name, station.name] if len(mine.stations) > 1 else [one.name]
    opened = local(one.opened_at, station.zone).date()
    if one.open:
        about.append(_days_open((today - opened).days))
    elif one.accepted_at is not None:
        about.append(_("nghiệm thu %(day)s", day=day_short(local(one.accepted_at, station.zone).date())))
    if one.repairer and one.open:
        about.append(_("%(who)s sửa", who=one.repairer))
    if one.due and one.open:
        about.append(_("quá hạn %(n)s ngày", n=late) if late else _("hạn %(day)s", day=day_short(one.due)))
    if one.urged:
        about.append(_("đã đôn đốc %(n)s lần", n=one.urged))
    return Row(
        ticket=one,
        mark=upkeepwords.OVERDUE if late else upkeepwords.TICKETS[one.state],
        name=name_of(one, station),
        about=" · ".join(about),
        late=late,
    )


def name_of(one: Ticket, station: Station) -> str:
    """Return what is broken and where: `cụm loa Gò Tranh: không có tiếng`."""
    cluster = next((group.name for group in station.groups if group.code == one.cluster), one.cluster)
    trouble = say(upkeepwords.TROUBLES[one.trouble])
    where = _("Cụm loa %(name)s", name=cluster) if cluster else one.place or station.name
    return f"{where}: {trouble[:1].lower()}{trouble[1:]}"


def figures(one: Ticket, station: Station, *, silent: int, today: date) -> tuple[Figure, ...]:
    """Return age, silent days, days until it is due and how often the commune was urged."""
    opened = local(one.opened_at, station.zone).date()
    end = local(one.accepted_at, station.zone).date() if one.accepted_at else today
    age = (end - opened).days
    left = "–"
    words = _("chưa có hạn sửa")
    late = overdue_days(one.due, today) if one.open else 0
    if one.due is not None:
        left = _("%(n)s ngày", n=late or (one.due - today).days)
        words = (
            _("quá hạn %(day)s", day=day_short(one.due))
            if late
            else _("còn tới hạn sửa %(day)s", day=day_short(one.due))
        )
    if not one.open:
        left, words = "–", _("đã nghiệm thu")
    return (
        Figure(value=_("%(n)s ngày", n=age), words=_("từ lúc mở phiếu")),
        Figure(
            value=_("%(n)s ngày", n=silent),
            words=_("cụm loa im tiếng") if one.cluster else _("im tiếng"),
            bad=silent > 0 and one.open,
        ),
        Figure(value=left, words=words, bad=late > 0),
        Figure(value=number(one.urged), words=_("lần đôn đốc")),
    )


def silent_count(session: Session, one: Ticket, station: Station, today: date) -> int:
    """Return on how many days since it was opened nothing was heard there, for whatever reason."""
    opened = local(one.opened_at, station.zone).date()
    first = max(opened, today - _SEEN)
    last = local(one.accepted_at, station.zone).date() if one.accepted_at else today
    days = airdays.between(session, (station.code,), first, last).get(station.code, ())
    downs: tuple[Down, ...] = ()
    if one.silent and one.silent_since is not None:
        downs = (Down(since=one.silent_since, until=one.silent_until, reason=Text(one.what, one.what)),)
    return len(silent_days(days, downs))


def moments(one: Ticket, station: Station, found: Sequence[Step]) -> tuple[Moment, ...]:
    """Return the steps as they show."""
    return tuple(_moment(one, station, step) for step in found)


def next_word(mine: Scope, one: Ticket, station: Station, rules: UpkeepRules) -> str:
    """Return what happens if nobody does anything, nothing for what is closed."""
    if not one.open:
        return ""
    above = units_above(mine.all_units, station.unit)
    if one.tiers >= len(above):
        return _("Đã báo hết các cấp trên. Phiếu còn mở tới khi có người nghiệm thu.") if above else ""
    opened = local(one.opened_at, station.zone).date()
    when = escalate_on(opened, rules, tiers=one.tiers)
    unit = mine.unit_name(above[one.tiers])
    return _(
        "Nếu tới %(day)s chưa nghiệm thu, phiếu tự báo lên %(unit)s.",
        day=day_short(max(when, local(now(), station.zone).date())),
        unit=unit,
    )


def _moment(one: Ticket, station: Station, step: Step) -> Moment:
    who = step.name
    if not who and step.person is None:
        who = _("máy ghi") if one.origin is Origin.SYSTEM or step.details.get("fault") else _("qua đường dẫn báo hỏng")
        if step.what in ("escalated", "recovered"):
            who = _("máy ghi")
    about = [moment_short(step.at, station.zone), who]
    if step.phone:
        about.append(step.phone)
    text = step.text
    details = step.details
    match step.what:
        case "assigned":
            due = date.fromisoformat(str(details["due"]))
            given = _("%(who)s, hạn %(day)s", who=details["to"], day=day_short(due))
            text = f"{given}. {text}" if text else given
        case "repaired":
            if details.get("by"):
                about.append(_("người sửa: %(who)s", who=details["by"]))
            if details.get("parts"):
                about.append(_("vật tư: %(parts)s", parts=details["parts"]))
            if details.get("cost") is not None:
                about.append(_("chi phí %(cost)s đồng", cost=number(int(details["cost"]))))
        case "escalated":
            text = str(details.get("unit", ""))
        case "urged":
            about.append(ngettext("gửi %(num)d người", "gửi %(num)d người", len(details.get("to", []))))
    if step.what in ("opened", "reported") and details.get("place"):
        about.append(str(details["place"]))
    return Moment(
        word=say(upkeepwords.STEPS.get(step.what, Text(step.what, step.what))),
        text=text,
        about=" · ".join(part for part in about if part),
        picture="" if step.picture is None else url_for("pages.ticket_picture", ticket=one.id, step=step.id),
        what=step.what,
    )


def _ticket_page(ticket: str, errors: tuple[Finding, ...] = (), code: int = 200) -> AnyResponse:
    mine = scope()
    known, station, found = acts.visible_ticket(ticket, person=mine.person)
    today = local(now(), station.zone).date()
    with services().database.reading() as session:
        silent = silent_count(session, known, station, today)
        rules = upkeep.rules(session)
        shown = moments(known, station, found)
        may_edit = can(mine.person, acts.EDIT, station)
        people = acts.repairers(session, station) if may_edit else ()
        names = upkeep.names_of(session, [one for one in (known.repaired_by, known.accepted_by) if one])
    done = mine.person.id in {known.repaired_by, known.assignee}
    wanted = known.due or today + timedelta(days=rules.repair_days)
    return page(
        "ticket.html",
        active="equipment",
        code=code,
        ticket=known,
        station=station,
        row=row(mine, known, today),
        answer=_ticket_answer(known, station, today),
        figures=figures(known, station, silent=silent, today=today),
        moments=shown,
        todo=_todo(known),
        next_word=next_word(mine, known, station, rules),
        may_edit=may_edit,
        may_accept=can(mine.person, acts.ACCEPT, station) and not done,
        accept_own=can(mine.person, acts.ACCEPT, station) and done,
        may_urge=can(mine.person, acts.ACCEPT, station) and known.open,
        may_test=can(mine.person, "stations.test", station),
        people=people,
        names=names,
        due=wanted.isoformat(),
        today=today.isoformat(),
        form=request.form,
        errors=errors,
        repairable=known.state in (TicketState.OPEN, TicketState.ASSIGNED),
        repaired=known.state is TicketState.REPAIRED,
        accepted=known.state is TicketState.ACCEPTED,
        trouble=say(upkeepwords.TROUBLES[known.trouble]),
        origin=say(upkeepwords.ORIGINS[known.origin]),
    )


def _todo(one: Ticket) -> list[tuple[str, str]]:
    coming = []
    if one.state is TicketState.OPEN:
        coming.append((_("Giao người sửa"), _("Chưa giao")))
    if one.state in (TicketState.OPEN, TicketState.ASSIGNED):
        coming.append((_("Sửa xong"), _("Chưa báo")))
    if one.open:
        coming.append((_("Nghiệm thu: phát thử và nghe được"), _("Lãnh đạo xã hoặc trung tâm, không phải người sửa")))
    return coming


def _ticket_answer(one: Ticket, station: Station, today: date) -> tuple[Part, ...]:
    age = (today - local(one.opened_at, station.zone).date()).days
    late = overdue_days(one.due, today) if one.open else 0
    parts = [Part(text=f"{name_of(one, station)}.")]
    match one.state:
        case TicketState.ACCEPTED:
            return (*parts, Part(text=_("Đã nghiệm thu."), tone="ok"))
        case TicketState.REPAIRED:
            parts.append(Part(text=_("Đã báo sửa xong, chờ nghiệm thu."), tone="warn"))
        case TicketState.ASSIGNED:
            parts.append(Part(text=_("%(who)s đang sửa.", who=one.repairer)))
        case _:
            parts.append(Part(text=_("Chưa giao ai sửa."), tone="bad"))
    if late:
        parts.append(Part(text=_("Quá hạn %(n)s ngày.", n=late), tone="bad"))
    elif age:
        parts.append(Part(text=_("Đã %(n)s ngày.", n=age)))
    return tuple(parts)


def _answer(counts: tickets.Counts) -> tuple[Part, ...]:
    if not counts.open:
        return (Part(text=_("Không có phiếu báo hỏng nào đang mở.")),)
    parts = [Part(text=ngettext("%(num)d phiếu báo hỏng đang mở.", "%(num)d phiếu báo hỏng đang mở.", counts.open))]
    if counts.silent:
        parts.append(Part(text=ngettext("%(num)d nơi im tiếng.", "%(num)d nơi im tiếng.", counts.silent), tone="bad"))
    if counts.overdue:
        parts.append(Part(text=ngettext("%(num)d quá hạn.", "%(num)d quá hạn.", counts.overdue), tone="bad"))
    if counts.repaired:
        parts.append(Part(text=ngettext("%(num)d chờ nghiệm thu.", "%(num)d chờ nghiệm thu.", counts.repaired)))
    return tuple(parts)


def _days_open(days: int) -> str:
    return ngettext("mở %(num)d ngày", "mở %(num)d ngày", days) if days else _("mở hôm nay")


def _urging(mine: Scope, one: Ticket, station: Station) -> str:
    today = local(now(), station.zone).date()
    age = (today - local(one.opened_at, station.zone).date()).days
    late = overdue_days(one.due, today)
    lines = [
        _("Kính gửi %(unit)s,", unit=mine.unit_name(station.unit)),
        _(
            "Phiếu %(name)s của %(station)s (%(what)s) đã mở %(days)s ngày mà chưa nghiệm thu.",
            name=one.name,
            station=station.name,
            what=name_of(one, station),
            days=age,
        )
        if age
        else _(
            "Phiếu %(name)s của %(station)s (%(what)s) mở hôm nay, chưa nghiệm thu.",
            name=one.name,
            station=station.name,
            what=name_of(one, station),
        ),
    ]
    if late and one.due is not None:
        lines.append(_("Hạn sửa %(day)s đã quá %(n)s ngày.", day=day_short(one.due), n=late))
    lines.append(_("Đề nghị khắc phục ngay, không để loa hỏng hoặc im tiếng, và báo kết quả trên phiếu."))
    return "\n".join(lines)


def _new(form: dict[str, str], errors: tuple[Finding, ...]) -> AnyResponse:
    mine = scope()
    stations = [one for one in mine.stations if can(mine.person, acts.EDIT, one)]
    if form.get("station"):
        # One station is enough to look at: a thousand with their clusters would be a heavy page.
        stations = [one for one in stations if one.code == form["station"]] or stations
    return page(
        "ticket_new.html",
        active="equipment",
        code=422 if errors else 200,
        stations=stations[:200],
        where=f"{form.get('station', '')} {form.get('cluster', '')}".strip(),
        form=form,
        troubles=[(one.value, say(word)) for one, word in upkeepwords.TROUBLES.items()],
        errors=errors,
    )


def _done(ticket: str, act: Callable[[], None], said: str) -> AnyResponse:
    try:
        act()
    except (NotAllowed, Unknown):
        raise
    except Conflict as refused:
        return _ticket_page(ticket, refused.findings, 409)
    except Refused as refused:
        return _ticket_page(ticket, refused.findings, 422)
    flash(said, "done")
    return redirect(url_for("pages.ticket", ticket=ticket), 303)


def _picture() -> str | None:
    taken = photos.taken(request.files.get("photo"))
    return taken.sha256 if taken else None


def _address(station: str, which: Which, **more: str) -> str:
    values = {"dai": station, "xem": "" if which is Which.OPEN else which.value} | more
    return f"{url_for('pages.tickets')}?{urlencode({name: value for name, value in values.items() if value})}"


def _mark(text: str) -> Mark | None:
    moment, _tilde, ticket = text.partition("~")
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return Mark(at=at, id=ticket[:16]) if at.tzinfo else None
