"""Báo cáo đã ban hành: who issued which, when, with what hash; files, scans of what was signed, checking a file."""

from __future__ import annotations

import hashlib
from datetime import datetime

from flask import Blueprint, Response, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from audio.picture import pictures
from schedules.errors import Refused
from schedules.findings import Finding, Severity
from schedules.report import report_period
from schedules.text import Text
from store import issued
from store.issued import IssuedReport
from webui import photos, reporting
from webui.auth import allowed
from webui.bodies import takes
from webui.pages.formats import local
from webui.pages.layout import page
from webui.pages.reports import download, period_label
from webui.pages.scope import Scope, now, scope
from webui.reporting import Known
from webui.rights import can
from webui.services import services

_PAGE = 50
_SCAN_BYTES = 20 * 1024 * 1024
_FILE_BYTES = 64 * 1024 * 1024
_PDF = b"%PDF-"


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/bao-cao/da-ban-hanh", "issued_reports", issued_reports)
    pages.add_url_rule("/bao-cao/da-ban-hanh/<report>", "issued_report", issued_report)
    pages.add_url_rule("/bao-cao/da-ban-hanh/<report>/tep/<form>", "issued_file", issued_file)
    pages.add_url_rule("/bao-cao/da-ban-hanh/<report>/quet", "add_scan", add_scan, methods=["POST"])
    pages.add_url_rule("/bao-cao/da-ban-hanh/<report>/quet/<scan>", "report_scan", report_scan)
    pages.add_url_rule("/bao-cao/doi-chieu", "verify_report", verify_report, methods=["GET", "POST"])


@allowed("reports.read")
def issued_reports() -> AnyResponse:
    """List what was issued, the newest first."""
    mine = scope()
    with services().database.reading() as session:
        found = issued.listing(
            session, units=mine.unit_codes, before=_mark(request.args.get("sau", "")), limit=_PAGE + 1
        )
        count = issued.count(session, mine.unit_codes)
    more = ""
    if len(found) > _PAGE:
        last = found[_PAGE - 1]
        more = url_for("pages.issued_reports", sau=f"{last.issued_at.isoformat()}~{last.id}")
    return page(
        "reports_issued.html",
        active="reports",
        rows=[(one, title(one, mine)) for one in found[:_PAGE]],
        answer=ngettext("%(num)d báo cáo đã ban hành.", "%(num)d báo cáo đã ban hành.", count)
        if count
        else _("Chưa có báo cáo nào được ban hành."),
        more=more,
        scope=mine,
    )


@allowed("reports.read")
def issued_report(report: str) -> AnyResponse:
    """Show one issued report: who, when, hashes, files and scans."""
    return _one(report, ())


@allowed("reports.read")
def issued_file(report: str, form: str) -> AnyResponse:
    """Give a file of an issued report, byte by byte as it was issued."""
    reporting.visible(report, person=scope().person)
    with services().database.reading() as session:
        found = issued.file(session, report, form)
    if found is None:
        abort(404)
    return download(found)


@allowed("reports.issue")
@takes(lambda: _SCAN_BYTES)
def add_scan(report: str) -> AnyResponse:
    """Keep a scan of the signed paper: a PDF as it came, a photo drawn anew."""
    mine = scope()
    reporting.visible(report, person=mine.person)
    upload = request.files.get("scan")
    try:
        if upload is None or not upload.filename:
            raise Refused(_finding("scan", "Hãy chọn tệp PDF hoặc ảnh.", "Choose a PDF or a photo."))
        head = upload.stream.read(len(_PDF))
        upload.stream.seek(0)
        if head == _PDF:
            content, media = upload.stream.read(_SCAN_BYTES + 1), "application/pdf"
            if len(content) > _SCAN_BYTES:
                raise Refused(_finding("scan", "Tệp lớn quá 20 MB.", "The file exceeds 20 MB."))
        else:
            made = photos.taken(upload)
            if made is None:
                raise Refused(_finding("scan", "Hãy chọn tệp PDF hoặc ảnh.", "Choose a PDF or a photo."))
            content, media = pictures(services().data).path(made.sha256).read_bytes(), "image/jpeg"
        reporting.attach_scan(report, content=content, media_type=media, person=mine.person)
    except Refused as refused:
        return _one(report, refused.findings)
    flash(_("Đã lưu bản quét."), "done")
    return redirect(url_for("pages.issued_report", report=report), 303)


@allowed("reports.read")
def report_scan(report: str, scan: str) -> AnyResponse:
    """Give a scan, to be saved."""
    reporting.visible(report, person=scope().person)
    with services().database.reading() as session:
        found = issued.scan(session, scan)
    if found is None or found.report != report:
        abort(404)
    name = f"ban-quet-{report}.{'pdf' if found.media_type == 'application/pdf' else 'jpg'}"
    response = Response(found.content, content_type=found.media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


@allowed("reports.read")
@takes(lambda: _FILE_BYTES)
def verify_report() -> AnyResponse:
    """Say whether a file is one that was issued: by its hash alone, nothing of it is opened or kept."""
    mine = scope()
    known: Known | None = None
    digest = ""
    errors: tuple[Finding, ...] = ()
    if request.method == "POST":
        upload = request.files.get("file")
        if upload is None or not upload.filename:
            errors = (_finding("file", "Hãy chọn tệp cần đối chiếu.", "Choose the file to check."),)
        else:
            digest = hashlib.file_digest(upload.stream, "sha256").hexdigest()  # type: ignore[arg-type]
            known = reporting.identify(digest, person=mine.person)
    return page(
        "report_verify.html",
        active="reports",
        code=422 if errors else 200,
        errors=errors,
        digest=digest,
        known=known,
        title=title(known.report, mine) if known is not None else "",
        answer=_verdict(known, digest),
        scope=mine,
    )


def title(one: IssuedReport, mine: Scope) -> str:
    """Return what an issued report is about, in few words."""
    what = one.what
    where = mine.station_name(what.station) or mine.unit_name(what.unit)
    label = period_label(report_period(what.period), local(now()).date())
    name = {
        "pay": _("Bảng kê thù lao"),
        "report": mine.programme_name(what.programme) or _("Toàn bộ chương trình"),
    }.get(what.kind, what.kind)
    return f"{name}, {label}, {where}"


def _one(report: str, errors: tuple[Finding, ...]) -> AnyResponse:
    mine = scope()
    found = reporting.visible(report, person=mine.person)
    with services().database.reading() as session:
        files = issued.files(session, report)
        scans = issued.scans(session, report)
        successor = issued.successor(session, report)
    return page(
        "report_issued.html",
        active="reports",
        code=422 if errors else 200,
        one=found,
        title=title(found, mine),
        files=files,
        scans=scans,
        successor=successor,
        errors=errors,
        may_issue=can(mine.person, "reports.issue", found.what.unit),
        scope=mine,
    )


def _verdict(known: Known | None, digest: str) -> str:
    if not digest:
        return _("Chọn một tệp để biết có đúng là bản đã ban hành không.")
    if known is None:
        return _("Tệp này không phải bản đã ban hành trong phạm vi của anh/chị.")
    if known.successor is not None:
        return _("Đúng là bản đã ban hành, nhưng đã có bản thay thế.")
    return _("Đúng là bản đã ban hành, không khác một chữ nào.")


def _mark(text: str) -> tuple[datetime, str] | None:
    moment, _tilde, last = text.partition("~")
    try:
        found = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return (found, last) if found.tzinfo is not None else None


def _finding(where: str, vi: str, en: str) -> Finding:
    return Finding(code=f"{where}_wrong", severity=Severity.ERROR, where=where, message=Text(vi, en))
