"""What reports bear and where they go: letterhead and templates of an office, and reports by mail."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from zipfile import BadZipFile, ZipFile

from flask import Blueprint, Response, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from schedules.errors import Refused
from schedules.findings import Finding, Severity
from schedules.report import Span, period_before
from schedules.text import Text
from store import accounts
from store.accounts import Person
from store.mailings import Mailing
from store.papers import StoredHead
from webui import reporting, reportmail
from webui.auth import allowed
from webui.bodies import takes
from webui.pages.formats import local
from webui.pages.layout import page
from webui.pages.reports import address, asked, programme_choices, sample, template_in_use
from webui.pages.scope import Scope, now, scope
from webui.papers import docx
from webui.papers.reportpaper import KIND
from webui.reporting import FORMATS, MEDIA
from webui.services import services
from webui.work import label

_TEMPLATE_BYTES = 5 * 1024 * 1024
_UNPACKED_BYTES = 40 * 1024 * 1024
_PARTS = 200
_RELATION = re.compile(rb"<[^<>]{0,5000}TargetMode[^<>]{0,5000}>")
_BLOCKED = ("vbaProject", "embeddings/", "activeX/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The letterhead as its form shows it."""

    above: str = ""
    agency: str = ""
    symbol: str = ""
    place: str = ""
    signer_title: str = ""
    signer: str = ""
    recipients: str = ""
    basis: str = ""


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/bao-cao/the-thuc", "letterheads", letterheads, methods=["GET", "POST"])
    pages.add_url_rule("/bao-cao/mau.docx", "shipped_template", shipped_template)
    pages.add_url_rule("/bao-cao/mau", "paper_template", paper_template, methods=["POST"])
    pages.add_url_rule("/bao-cao/gui-thu", "report_mailings", report_mailings, methods=["GET", "POST"])
    pages.add_url_rule("/bao-cao/gui-thu/<mailing>/thoi", "end_mailing", end_mailing, methods=["POST"])


@allowed("reports.schedule")
def letterheads() -> AnyResponse:
    """Show the letterhead of a unit's papers and the template in use, or keep the letterhead."""
    mine = scope()
    unit = _unit(mine)
    if request.method == "GET":
        return _letterheads(mine, unit, _shown(mine, unit), ())
    typed = Head(
        **{
            name: request.form.get(name, "").strip()[:1000]
            for name in ("above", "agency", "symbol", "place", "signer_title", "signer", "recipients", "basis")
        }
    )
    wrong = tuple(
        _finding(name, "Ô này dài quá.", "This is too long.")
        for name, most in (
            ("above", 200),
            ("agency", 200),
            ("symbol", 80),
            ("place", 80),
            ("signer", 200),
            ("basis", 500),
        )
        if len(getattr(typed, name)) > most
    )
    if not typed.agency:
        wrong += (_finding("agency", "Hãy ghi tên cơ quan ban hành.", "Give the name of the agency."),)
    if wrong:
        return _letterheads(mine, unit, typed, wrong)
    head = StoredHead(
        above=" ".join(typed.above.split()),
        agency=_lines(typed.agency),
        symbol=" ".join(typed.symbol.split()),
        place=" ".join(typed.place.split()),
        signer_title=_lines(typed.signer_title)[:200],
        signer=" ".join(typed.signer.split()),
        recipients=tuple(line[:200] for line in _lines(typed.recipients).splitlines()[:20]),
        basis=" ".join(typed.basis.split()),
    )
    reporting.save_head(unit, head, person=mine.person)
    flash(_("Đã lưu thể thức văn bản."), "done")
    return redirect(url_for("pages.letterheads", don_vi=unit), 303)


@allowed("reports.read")
def shipped_template() -> AnyResponse:
    """Give the template that Loa brings, for an office to change."""
    mine = scope()
    content = docx.shipped(sample(mine, mine.person.unit))
    response = Response(content, content_type=MEDIA["docx"])
    response.headers["Content-Disposition"] = 'attachment; filename="mau-bao-cao.docx"'
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


@allowed("reports.schedule")
@takes(lambda: _TEMPLATE_BYTES)
def paper_template() -> AnyResponse:
    """Take an office's own template after it was tried, or go back to the one that Loa brings."""
    mine = scope()
    unit = _unit(mine)
    if request.form.get("drop"):
        reporting.drop_template(unit, KIND, person=mine.person)
        flash(_("Đã trở lại mẫu gốc của Loa."), "done")
        return redirect(url_for("pages.letterheads", don_vi=unit), 303)
    upload = request.files.get("template")
    try:
        if upload is None or not upload.filename:
            raise Refused(_finding("template", "Hãy chọn tệp DOCX.", "Choose a DOCX file."))
        content = upload.stream.read(_TEMPLATE_BYTES + 1)
        check_template(content)
        reporting.use_template(
            unit, KIND, name=label(upload.filename), content=content, sample=sample(mine, unit), person=mine.person
        )
    except Refused as refused:
        return _letterheads(mine, unit, _shown(mine, unit), refused.findings)
    flash(_("Đã dùng mẫu mới. Báo cáo tải về từ giờ theo mẫu này."), "done")
    return redirect(url_for("pages.letterheads", don_vi=unit), 303)


def check_template(content: bytes) -> None:
    """Raise Refused unless these bytes are a DOCX of a decent size without programs and without parts elsewhere."""
    if len(content) > _TEMPLATE_BYTES:
        raise Refused(_finding("template", "Tệp mẫu lớn quá 5 MB.", "The template exceeds 5 MB."))
    try:
        with ZipFile(io.BytesIO(content)) as packed:
            parts = packed.infolist()
            names = {part.filename for part in parts}
            if "word/document.xml" not in names:
                raise Refused(_finding("template", "Tệp này không phải DOCX.", "This is not a DOCX file."))
            # The sizes that the file claims are checked again while unpacking, in the locked room that fills it in.
            if len(parts) > _PARTS or sum(part.file_size for part in parts) > _UNPACKED_BYTES:
                raise Refused(_finding("template", "Tệp mẫu phồng quá lớn.", "The template unpacks to too much."))
            foreign = any(
                b"External" in relation and b"/hyperlink" not in relation
                for name in names
                if name.endswith(".rels")
                for relation in _RELATION.findall(packed.read(name))
            )
    except (BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise Refused(_finding("template", "Tệp này không phải DOCX.", "This is not a DOCX file.")) from error
    if foreign or any(word in name for name in names for word in _BLOCKED):
        raise Refused(
            _finding(
                "template",
                "Mẫu có macro, đối tượng nhúng hoặc liên kết ra ngoài nên không dùng được.",
                "The template holds macros, embedded objects or parts elsewhere and is not used.",
            )
        )


@allowed("reports.schedule")
def report_mailings() -> AnyResponse:
    """Show who gets which report by mail, or add a rule."""
    mine = scope()
    wanted = asked(mine)
    errors: tuple[Finding, ...] = ()
    if request.method == "POST":
        form = request.form
        try:
            reportmail.add(
                wanted,
                days_after=_whole(form.get("days_after", "0")),
                hour=_whole(form.get("hour", "7")),
                people=tuple(form.getlist("people")),
                addresses=tuple(form.get("addresses", "").replace(",", " ").replace(";", " ").split()),
                formats=tuple(form.getlist("formats")),
                person=mine.person,
            )
        except Refused as refused:
            errors = refused.findings
        else:
            flash(_("Đã đặt lịch gửi. Kỳ đầu tiên được gửi là kỳ đang chạy, khi kỳ đó kết thúc."), "done")
            return redirect(f"{url_for('pages.report_mailings')}?{address(wanted)}", 303)
    rules = reportmail.visible(wanted.unit.code, person=mine.person)
    people = _people(mine)
    return page(
        "report_mailings.html",
        active="reports",
        code=422 if errors else 200,
        errors=errors,
        rules=[(rule, _rule(mine, rule, people)) for rule in rules],
        people=people,
        wanted=wanted,
        query=address(wanted),
        programmes=programme_choices(mine),
        spans=_spans(wanted.period.span),
        formats=FORMATS,
        answer=ngettext("%(num)d lịch gửi thư đang dùng.", "%(num)d lịch gửi thư đang dùng.", len(rules))
        if rules
        else _("Chưa đặt lịch gửi báo cáo nào."),
        scope=mine,
    )


@allowed("reports.schedule")
def end_mailing(mailing: str) -> AnyResponse:
    """Send nothing by this rule any more."""
    reportmail.end(mailing, person=scope().person)
    flash(_("Đã thôi gửi."), "done")
    return redirect(url_for("pages.report_mailings"), 303)


def _spans(chosen: Span) -> list[tuple[str, str, bool]]:
    """Return how often a report may go out: a period of that length, its word, whether it is chosen."""
    words = {
        Span.WEEK: _("Mỗi tuần"),
        Span.MONTH: _("Mỗi tháng"),
        Span.QUARTER: _("Mỗi quý"),
        Span.YEAR: _("Mỗi năm"),
    }
    today = local(now()).date()
    return [(period_before(span, today).name, word, span is chosen) for span, word in words.items()]


def _unit(mine: Scope) -> str:
    code = request.values.get("don_vi", "") or mine.person.unit
    if code not in mine.unit_codes:
        abort(404)
    return code


def _shown(mine: Scope, unit: str) -> Head:
    made = reporting.asked(unit=unit, station="", programme="", period=str(now().year), person=mine.person)
    head = reporting.compute(made).head
    return Head(
        above=head.above,
        agency=head.agency,
        symbol=head.symbol,
        place=head.place,
        signer_title=head.signer_title,
        signer=head.signer,
        recipients="\n".join(head.recipients),
        basis=head.basis,
    )


def _letterheads(mine: Scope, unit: str, wanted: Head, errors: tuple[Finding, ...]) -> AnyResponse:
    return page(
        "report_letterhead.html",
        active="reports",
        code=422 if errors else 200,
        wanted=wanted,
        errors=errors,
        unit=unit,
        unit_name=mine.unit_name(unit),
        own=template_in_use(unit, KIND),
        scope=mine,
    )


def _people(mine: Scope) -> list[Person]:
    with services().database.reading() as session:
        every = accounts.every(session)
    return [one.person for one in every if one.disabled_at is None and one.person.unit in mine.unit_codes][:100]


def _rule(mine: Scope, rule: Mailing, people: list[Person]) -> str:
    names = [one.full_name for one in people if one.id in rule.people]
    return ", ".join([*names, *rule.addresses])


def _lines(text: str) -> str:
    return "\n".join(line for line in (" ".join(one.split()) for one in text.splitlines()) if line)


def _whole(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 4 else -1


def _finding(where: str, vi: str, en: str) -> Finding:
    return Finding(code=f"{where}_wrong", severity=Severity.ERROR, where=where, message=Text(vi, en))
