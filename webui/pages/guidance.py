"""Hướng dẫn: what the centre writes down for its communes, with a paper to download or a recording to hear."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from schedules.errors import Refused, Unknown
from schedules.findings import Finding
from schedules.segment import SegmentState
from schedules.station import units_above
from store import guidance as store
from store import segments, units
from store.accounts import Person
from store.guidance import Guidance
from webui import heard, work
from webui.auth import allowed
from webui.bodies import takes
from webui.pages.items import problem, recording
from webui.pages.layout import page
from webui.pages.scope import now, scope
from webui.rights import can, reach
from webui.services import services

_PAGE = 50
PAPER_BYTES = 10 * 1024 * 1024
_SOUNDS = 100


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/huong-dan", "guidances", guidances)
    pages.add_url_rule("/huong-dan/moi", "new_guidance", new_guidance, methods=["GET", "POST"])
    pages.add_url_rule("/huong-dan/<guide>", "guidance", guidance)
    pages.add_url_rule("/huong-dan/<guide>/sua", "edit_guidance", edit_guidance, methods=["GET", "POST"])
    pages.add_url_rule("/huong-dan/<guide>/tep", "guidance_paper", guidance_paper)
    pages.add_url_rule("/huong-dan/<guide>/go", "remove_guidance", remove_guidance, methods=["POST"])
    pages.add_url_rule("/huong-dan/<guide>/lay-lai", "restore_guidance", restore_guidance, methods=["POST"])


@allowed("guidance.read")
def guidances() -> AnyResponse:
    """List the pages of the own units and those above, the newest first."""
    mine = scope()
    with services().database.reading() as session:
        found = store.listing(
            session, _around(session, mine.person), before=request.args.get("truoc") or None, limit=_PAGE + 1
        )
    return page(
        "guidances.html",
        active="guidance",
        scope=mine,
        listed=found[:_PAGE],
        next_url=url_for("pages.guidances", truoc=found[_PAGE - 1].id) if len(found) > _PAGE else "",
        may_edit=can(mine.person, "guidance.edit", mine.person.unit),
    )


@allowed("guidance.read")
def guidance(guide: str) -> AnyResponse:
    """Show one page."""
    mine = scope()
    found = _visible(guide, mine.person)
    player = None
    if found.segment is not None:
        with services().database.reading() as session:
            record = segments.find(session, found.segment)
            if record is not None and record.state is SegmentState.APPROVED:
                player = recording(record, heard.of(session, record, mine.person))
    return page(
        "guidance.html",
        active="guidance",
        scope=mine,
        guide=found,
        paragraphs=[part.strip() for part in found.body.split("\n\n") if part.strip()],
        player_of=player,
        may_edit=can(mine.person, "guidance.edit", found.owner),
    )


@takes(lambda: PAPER_BYTES)
@allowed("guidance.edit")
def new_guidance() -> AnyResponse:
    """Show an empty form, or keep a new page."""
    mine = scope()
    if request.method == "GET":
        return _form(None)
    return _sent(None, mine.person)


@takes(lambda: PAPER_BYTES)
@allowed("guidance.edit")
def edit_guidance(guide: str) -> AnyResponse:
    """Show the form of a page, or change it."""
    mine = scope()
    found = _visible(guide, mine.person)
    work.require(mine.person, "guidance.edit", found.owner)
    return _form(found) if request.method == "GET" else _sent(found, mine.person)


@allowed("guidance.read")
def guidance_paper(guide: str) -> Response:
    """Give the paper of a page, to be saved: it is never shown as a page of ours."""
    found = _visible(guide, scope().person)
    with services().database.reading() as session:
        paper = store.file_of(session, found.id)
    if paper is None:
        abort(404)
    name, content = paper
    response = Response(content, mimetype="application/pdf")
    response.headers.set("Content-Disposition", "attachment", filename=name)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "private, no-store"
    return response


@allowed("guidance.edit")
def remove_guidance(guide: str) -> AnyResponse:
    """Take a page out of the library; the next page offers it back."""
    mine = scope()
    found = _visible(guide, mine.person)
    work.require(mine.person, "guidance.edit", found.owner)
    with services().database.writing() as session:
        store.remove(session, found.id, now=now())
        work.trace(session, "guidance.remove", found.id, mine.person)
    offer: Any = {
        "said": _("Đã gỡ “%(title)s”.", title=found.title),
        "undo": url_for("pages.restore_guidance", guide=found.id),
    }
    flash(offer, "undo")
    return redirect(url_for("pages.guidances"), 303)


@allowed("guidance.edit")
def restore_guidance(guide: str) -> AnyResponse:
    """Put a removed page back."""
    mine = scope()
    found = _visible(guide, mine.person, removed=True)
    work.require(mine.person, "guidance.edit", found.owner)
    with services().database.writing() as session:
        store.restore(session, found.id)
        work.trace(session, "guidance.restore", found.id, mine.person)
    flash(_("Đã đưa trở lại thư viện."), "done")
    return redirect(url_for("pages.guidance", guide=guide), 303)


def _sent(found: Guidance | None, person: Person) -> AnyResponse:
    form = request.form
    title, body = form.get("title", "")[:201], form.get("body", "").replace("\r\n", "\n")
    segment = form.get("segment", "")
    file = request.files.get("paper")
    content = file.stream.read(PAPER_BYTES + 1) if file is not None and file.filename else b""
    problems = _paper_problems(content)
    owner = found.owner if found is not None else person.unit
    try:
        if problems:
            raise Refused(*problems)
        with services().database.writing() as session:
            work.require(person, "guidance.edit", owner)
            if segment and segment not in {record.id for record in _sounds(session, person)}:
                raise Refused(problem("segment", "Hãy chọn bản ghi trong danh sách.", "Choose from the list."))
            identity = store.save(
                session,
                guidance=found.id if found is not None else "",
                owner=owner,
                title=title,
                body=body,
                segment=segment or None,
                person=person,
                now=now(),
            )
            if content and file is not None:
                store.attach(session, identity, name=_named(work.label(file.filename or "")), content=content)
            elif form.get("no_paper") == "1":
                store.detach(session, identity)
            work.trace(session, "guidance.save", identity, person)
    except Refused as refused:
        return _form(found, title=title, body=body, segment=segment, problems=refused.findings, code=422)
    flash(_("Đã đăng. Các xã bên dưới thấy ngay."), "done")
    return redirect(url_for("pages.guidance", guide=identity), 303)


def _form(
    found: Guidance | None,
    *,
    title: str | None = None,
    body: str | None = None,
    segment: str | None = None,
    problems: Sequence[Finding] = (),
    code: int = 200,
) -> AnyResponse:
    mine = scope()
    with services().database.reading() as session:
        sounds = _sounds(session, mine.person)
    return page(
        "guidance_edit.html",
        active="guidance",
        code=code,
        guide=found,
        title=title if title is not None else found.title if found else "",
        body=body if body is not None else found.body if found else "",
        segment=segment if segment is not None else (found.segment or "") if found else "",
        sounds=sounds,
        errors=problems,
        scope=mine,
    )


def _paper_problems(content: bytes) -> tuple[Finding, ...]:
    if len(content) > PAPER_BYTES:
        return (problem("paper", "Tệp nặng quá 10 MB.", "The file is larger than 10 MB."),)
    if content and not content.startswith(b"%PDF-"):
        return (problem("paper", "Tệp này không phải PDF.", "This file is no PDF."),)
    return ()


def _named(name: str) -> str:
    return name if name.lower().endswith(".pdf") else f"{name}.pdf"


def _around(session: Session, person: Person) -> list[str]:
    return [*reach(person), *units_above(units.every(session), person.unit)]


def _visible(guide: str, person: Person, *, removed: bool = False) -> Guidance:
    with services().database.reading() as session:
        found = store.find(session, guide, removed=removed)
        if found is None or found.owner not in _around(session, person):
            raise Unknown(work.no_such("guidance_unknown", "Không có hướng dẫn này.", "There is no such guidance."))
    return found


def _sounds(session: Session, person: Person) -> tuple[segments.SegmentRecord, ...]:
    """Return recordings that may go with a page: approved ones of the person's own unit, the newest."""
    return segments.listing(session, owners=(person.unit,), states=(SegmentState.APPROVED,), limit=_SOUNDS)
