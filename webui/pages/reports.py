"""Báo cáo: how did the period end? Figures, the page as it will be printed, files, and issuing in a person's name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from schedules.errors import Conflict, Refused
from schedules.findings import Finding
from schedules.report import (
    Line,
    ReportPeriod,
    Span,
    WeekState,
    period_around,
    period_before,
    report_period,
    stations_of,
)
from schedules.station import Station
from store import issued, mailings, papers, stations
from store.issued import IssuedFile, Signed, What
from store.papers import StoredHead
from webui import reporting
from webui.auth import allowed
from webui.pages.answers import Part
from webui.pages.formats import local, number, parse_day
from webui.pages.layout import page
from webui.pages.scope import Scope, now, scope
from webui.papers import paper
from webui.papers.paper import Paper
from webui.papers.reportpaper import DX, KIND, report_paper
from webui.reporting import MEDIA, Asked, Computed
from webui.rights import can
from webui.services import services

_OFFERED = {Span.WEEK: 10, Span.MONTH: 13, Span.QUARTER: 8, Span.YEAR: 5}
_SHOWN = 60
_UNITS, _STATIONS = 100, 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One entry of a select."""

    value: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One station as the phone shows it. log_url: the airings that were counted."""

    line: Line
    place: str
    about: str
    weeks: str
    bad: bool
    log_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The form of issuing, as it was typed."""

    number: str = ""
    symbol: str = ""
    place: str = ""
    day: str = ""
    signer_title: str = ""
    signer: str = ""
    remarks: str = ""
    reason: str = ""
    after: str = ""


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/bao-cao", "reports", reports)
    pages.add_url_rule("/bao-cao/tai/<form>", "report_file", report_file)
    pages.add_url_rule("/bao-cao/ban-hanh", "issue_report", issue_report, methods=["GET", "POST"])


@allowed("reports.read")
def reports() -> AnyResponse:
    """Show a report, by default of the last month and everything the reader is responsible for."""
    mine = scope()
    wanted = asked(mine)
    made = reporting.compute(wanted)
    finished = preview(made)
    query = address(wanted)
    with services().database.reading() as session:
        standing = issued.newest(session, wanted.what)
        rules = mailings.in_force(session, [wanted.unit.code])
    return page(
        "reports.html",
        active="reports",
        made=made,
        report=made.report,
        paper=short(finished),
        table=finished.body,
        whole=finished.appendices[0],
        written=paper.written,
        numbered=paper.numbered(finished.letterhead),
        place_and_day=paper.place_and_day(finished.letterhead),
        rows=[row(one, wanted) for one in made.report.lines[:_SHOWN]],
        left=max(0, len(made.report.lines) - _SHOWN),
        answer=answer(made),
        query=query,
        period=period_label(wanted.period, local(now()).date()),
        scope=mine,
        programmes=programme_choices(mine),
        periods=period_choices(wanted.period, local(now()).date()),
        places=place_choices(mine),
        chosen_place=f"d:{wanted.station.code}" if wanted.station else f"u:{wanted.unit.code}",
        standing=standing,
        open=wanted.period.last >= local(now()).date(),
        this_month=address(wanted, ky=f"{local(now()):%Y-%m}"),
        rules=len(rules),
        may_issue=can(mine.person, "reports.issue", wanted.unit.code),
        may_schedule=can(mine.person, "reports.schedule", wanted.unit.code),
        formats=("pdf", "xlsx", "csv"),
    )


@allowed("reports.read")
def report_file(form: str) -> AnyResponse:
    """Give the report as a file, not issued yet."""
    if form not in MEDIA:
        abort(404)
    wanted = asked(scope())
    made = reporting.compute(wanted)
    found = reporting.files(reporting.paper(made), (form,), unit=wanted.unit.code)
    return download(found[form])


@allowed("reports.issue")
def issue_report() -> AnyResponse:
    """Show the form of issuing, or issue the report in the name of the person."""
    mine = scope()
    wanted = asked(mine)
    made = reporting.compute(wanted)
    with services().database.reading() as session:
        standing = issued.newest(session, wanted.what)
    if request.method == "GET":
        return _issue_form(mine, made, _proposed(made, mine), (), standing)
    form = request.form
    typed = Wanted(
        **{
            name: form.get(name, "")[:4000]
            for name in ("number", "symbol", "place", "day", "signer_title", "signer", "remarks", "reason", "after")
        }
    )
    day = parse_day(typed.day) or local(now()).date()
    signed = Signed(
        number=typed.number,
        symbol=typed.symbol,
        place=typed.place,
        day=day,
        signer_title=typed.signer_title,
        signer=typed.signer,
    )
    try:
        kept = reporting.issue(
            made, signed=signed, remarks=typed.remarks, reason=typed.reason, after=typed.after, person=mine.person
        )
    except (Conflict, Refused) as refused:
        return _issue_form(mine, made, typed, refused.findings, standing)
    flash(_("Đã ban hành báo cáo số %(number)s/%(symbol)s.", number=signed.number, symbol=signed.symbol), "done")
    return redirect(url_for("pages.issued_report", report=kept.id), 303)


def asked(mine: Scope) -> Asked:
    """Return the report that the address names, the usual one where it names none."""
    period = request.values.get("ky", "") or period_before(Span.MONTH, local(now()).date()).name
    programme = request.values.get("loai", "") or usual_programme(mine)
    chosen = request.values.get("noi", "")
    unit, station = mine.person.unit, ""
    if chosen.startswith("u:"):
        unit = chosen[2:]
    elif chosen.startswith("d:"):
        station = chosen[2:]
        unit = next((one.unit for one in mine.stations if one.code == station), mine.person.unit)
    return reporting.asked(
        unit=unit,
        station=station,
        programme="" if programme == "tat-ca" else programme,
        period=period,
        person=mine.person,
    )


def usual_programme(mine: Scope) -> str:
    """Return the programme that reports are usually on: the one that every week is owed, else all."""
    if DX in mine.programmes:
        return DX
    return next((duty.programme for duty in mine.duties if duty.programme), "tat-ca")


def address(wanted: Asked, **more: str) -> str:
    """Return the query of an address that asks for this report."""
    place = f"d:{wanted.station.code}" if wanted.station else f"u:{wanted.unit.code}"
    values = {"loai": wanted.programme or "tat-ca", "ky": wanted.period.name, "noi": place} | more
    return urlencode(values)


def download(found: IssuedFile) -> Response:
    """Return a file to be saved, never shown."""
    response = Response(found.content, content_type=MEDIA[found.format])
    response.headers["Content-Disposition"] = f'attachment; filename="{found.name}"'
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def preview(made: Computed) -> Paper:
    """Return the paper without its log, for the page."""
    return report_paper(
        made.report,
        reporting.letterhead(made.head),
        programme_name=made.programme_name,
        basis=made.head.basis,
    )


def short(finished: Paper) -> Paper:
    """Return the same paper; the page shows its text and tables one below the other."""
    return finished


def row(line: Line, wanted: Asked) -> Row:
    """Return a station in few words."""
    query = urlencode(
        {
            "dai": line.station,
            "chuyen_muc": wanted.programme,
            "tu": wanted.period.first.isoformat(),
            "den": wanted.period.last.isoformat(),
        }
    )
    about = [
        ngettext("%(num)d lần phát chính", "%(num)d lần phát chính", line.mains),
        _("%(n)s phát lại", n=line.repeats),
        _("%(n)s phát bù", n=line.make_ups),
        _("%(n)s phút", n=number(line.seconds / 60, 1)),
    ]
    if line.share is not None:
        about.append(_("cụm loa đạt %(n)s%%", n=number(line.share * 100, 1)))
    return Row(
        line=line,
        place=line.unit_name,
        about=", ".join(about),
        weeks=_("%(a)s/%(b)s tuần", a=line.weeks_aired, b=line.weeks_due),
        bad=line.week_states[WeekState.MISSED] > 0,
        log_url=f"{url_for('pages.airlog')}?{query}",
    )


def answer(made: Computed) -> tuple[Part, ...]:
    """Answer "how did the period end?"."""
    total = made.report.total
    if not made.report.lines:
        return (Part(text=_("Chưa có đài nào trong phạm vi này."), tone="warn"),)
    if not total.weeks_due:
        return (Part(text=_("Kỳ này chưa có số liệu.")),)
    aired = _("%(a)s/%(b)s tuần đài có phát", a=total.weeks_aired, b=total.weeks_due)
    made_up = total.week_states[WeekState.MADE_UP]
    if made_up:
        aired += ngettext(", %(num)d nhờ phát bù", ", %(num)d nhờ phát bù", made_up)
    parts = [Part(text=f"{aired}.")]
    missed = [
        (line.name, int(week.name[6:]))
        for line in made.report.lines
        for week in line.weeks
        if week.state is WeekState.MISSED
    ]
    if missed:
        parts.append(
            Part(text=ngettext("%(num)d tuần không phát:", "%(num)d tuần không phát:", len(missed)), tone="bad")
        )
        told = ", ".join(_("%(station)s tuần %(week)s", station=name, week=week) for name, week in missed[:3])
        parts.append(Part(text=f"{told}{'…' if len(missed) > 3 else '.'}"))
    excused = total.week_states[WeekState.EXCUSED]
    if excused:
        parts.append(Part(text=ngettext("%(num)d tuần được miễn.", "%(num)d tuần được miễn.", excused)))
    return tuple(parts)


def programme_choices(mine: Scope) -> list[Choice]:
    """Return the programmes to choose from, and all of them together."""
    known = sorted(mine.programmes.values(), key=lambda one: (one.code != DX, one.name))
    return [
        *(Choice(value=one.code, label=one.name) for one in known),
        Choice(value="tat-ca", label=_("Toàn bộ chương trình")),
    ]


def period_choices(chosen: ReportPeriod, today: date) -> list[tuple[str, list[Choice]]]:
    """Return the periods to choose from by their span, the last ones first; the one that runs is there as well."""
    names = {
        Span.MONTH: _("Tháng"),
        Span.WEEK: _("Tuần"),
        Span.QUARTER: _("Quý"),
        Span.YEAR: _("Năm"),
    }
    found = []
    for span, name in names.items():
        periods = [period_around(span, today)]
        while len(periods) < _OFFERED[span]:
            periods.append(period_around(span, periods[-1].first - timedelta(days=1)))
        if chosen.span is span and chosen not in periods:
            periods.append(chosen)
        found.append((name, [Choice(value=one.name, label=period_label(one, today)) for one in periods]))
    return found


def period_label(period: ReportPeriod, today: date) -> str:
    """Return `Tháng 11/2026`; one that is not over says so."""
    match period.span:
        case Span.WEEK:
            text = _("Tuần %(n)s/%(year)s", n=int(period.name[6:]), year=period.name[:4])
        case Span.MONTH:
            text = _("Tháng %(n)s/%(year)s", n=period.first.month, year=period.first.year)
        case Span.QUARTER:
            text = _("Quý %(n)s/%(year)s", n=paper.roman(int(period.name[-1])), year=period.first.year)
        case Span.YEAR:
            text = _("Năm %(year)s", year=period.first.year)
    return _("%(period)s (chưa hết kỳ)", period=text) if period.last >= today else text


def place_choices(mine: Scope) -> list[tuple[str, list[Choice]]]:
    """Return units and stations to choose from; units with the number of their stations."""
    with services().database.reading() as session:
        every = stations.every(session)
    counted = []
    for unit in mine.units[:_UNITS]:
        its = stations_of(mine.all_units, every, unit.code)
        if its:
            text = ngettext("%(num)d đài", "%(num)d đài", len(its))
            counted.append(Choice(value=f"u:{unit.code}", label=f"{unit.name}, {text}"))
    below: Sequence[Station] = stations_of(mine.all_units, every, mine.person.unit)
    single = [Choice(value=f"d:{one.code}", label=one.name) for one in below[:_STATIONS]]
    return [(_("Đơn vị"), counted), (_("Một đài"), single)]


def _proposed(made: Computed, mine: Scope) -> Wanted:
    head: StoredHead = made.head
    with services().database.reading() as session:
        standing = issued.newest(session, made.asked.what)
    return Wanted(
        symbol=head.symbol,
        place=head.place,
        day=local(now()).date().isoformat(),
        signer_title=head.signer_title,
        signer=head.signer or mine.person.full_name,
        after=standing.id if standing else "",
    )


def _issue_form(
    mine: Scope,
    made: Computed,
    wanted: Wanted,
    errors: Sequence[Finding],
    standing: issued.IssuedReport | None,
) -> AnyResponse:
    return page(
        "report_issue.html",
        active="reports",
        code=422 if errors else 200,
        made=made,
        wanted=wanted,
        errors=errors,
        standing=standing,
        query=address(made.asked),
        answer=answer(made),
        period=period_label(made.asked.period, local(now()).date()),
        scope=mine,
    )


def template_in_use(unit: str, kind: str) -> papers.PaperTemplate | None:
    """Return the office's own template, without its content."""
    with services().database.reading() as session:
        return papers.template(session, unit, kind, whole=False)


def sample(mine: Scope, unit: str) -> Paper:
    """Return the paper of the last month, to try a template with."""
    wanted = reporting.asked(
        unit=unit,
        station="",
        programme="" if (usual := usual_programme(mine)) == "tat-ca" else usual,
        period=period_before(Span.MONTH, local(now()).date()).name,
        person=mine.person,
    )
    return reporting.paper(reporting.compute(wanted))


__all__ = ["KIND", "What", "answer", "asked", "download", "report_period", "routes", "sample", "template_in_use"]
