"""Nghe: what players tell was heard, remarks about an item, and from which length on all of it is heard."""

from __future__ import annotations

import re

from flask import Blueprint, Response, flash, jsonify, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from schedules.errors import Refused
from schedules.findings import Finding
from store import comments, listening
from webui import heard, work
from webui.auth import allowed
from webui.pages.items import item_page, problem
from webui.pages.layout import page
from webui.pages.scope import now, scope
from webui.services import services

_MOST_RANGES = 500
_SHOWN = 200
_LONGEST_RULE_MIN = 24 * 60


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/bai/<segment>/da-nghe", "note_heard", note_heard, methods=["POST"])
    pages.add_url_rule("/bai/<segment>/gop-y", "comment_item", comment_item, methods=["POST"])
    pages.add_url_rule("/cai-dat/nghe-het", "listening_rules", listening_rules, methods=["GET", "POST"])


@allowed("segments.read")
def note_heard(segment: str) -> Response:
    """Add what the page's player played of exactly the version that it names; answers with what counts so far."""
    mine = scope()
    record = work.visible_segment(segment, person=mine.person)
    sha256 = request.form.get("sha256", "")
    if record.audio is None or record.audio.sha256 != sha256:
        answer = jsonify({"heard_s": 0, "whole": False, "changed": True})
        answer.status_code = 409
        return answer
    with services().database.writing() as session:
        found = listening.note(
            session,
            segment=record.id,
            sha256=sha256,
            person=mine.person,
            ranges=_ranges(request.form.get("ranges", "")),
            length_s=heard.length_s(record),
            now=now(),
        )
    return jsonify({"heard_s": found.heard_s, "whole": found.whole, "changed": False})


@allowed("segments.create")
def comment_item(segment: str) -> AnyResponse:
    """Say something about an item to those who make, approve and guide it."""
    mine = scope()
    record = work.visible_segment(segment, person=mine.person)
    try:
        with services().database.writing() as session:
            work.require(mine.person, "segments.create", record.card.owner)
            body = request.form.get("comment", "").replace("\r\n", "\n")
            comments.add(session, segment, body, revision=record.revision, person=mine.person, now=now())
            work.trace(session, "segment.comment", segment, mine.person)
    except Refused as refused:
        return item_page(mine, record, refused.findings, code=422)
    flash(_("Đã gửi góp ý."), "done")
    return redirect(url_for("pages.item", segment=segment, _anchor="gop-y"), 303)


@allowed("settings.edit")
def listening_rules() -> AnyResponse:
    """Show from which length on items are heard whole before they are approved, by unit, or decide it for one."""
    mine = scope()
    problems: tuple[Finding, ...] = ()
    if request.method == "POST":
        unit = next((one for one in mine.units if one.code == request.form.get("unit", "")), None)
        minutes = request.form.get("minutes", "").strip()
        never = request.form.get("never") == "1"
        valid = re.fullmatch(r"\d{1,4}", minutes, re.ASCII) is not None and int(minutes) <= _LONGEST_RULE_MIN
        if unit is None:
            problems = (problem("unit", "Hãy chọn đơn vị.", "Choose a unit."),)
        elif not never and not valid:
            problems = (problem("minutes", "Hãy ghi số phút, từ 0 đến 1440.", "Write minutes from 0 to 1440."),)
        else:
            work.require(mine.person, "settings.edit", unit.code)
            seconds = None if never else int(minutes) * 60
            with services().database.writing() as session:
                listening.set_rule(session, unit.code, seconds, person=mine.person, now=now())
                work.trace(session, "listening.rule", unit.code, mine.person, detail=str(seconds))
            flash(_("Đã lưu."), "done")
            return redirect(url_for("pages.listening_rules"), 303)
    with services().database.reading() as session:
        decided = listening.rules(session, mine.unit_codes)
        holds = heard.limits(session, [unit.code for unit in mine.units[:_SHOWN]])
    return page(
        "listening_rules.html",
        active="more",
        code=422 if problems else 200,
        scope=mine,
        units=[(unit, holds[unit.code], unit.code in decided) for unit in mine.units[:_SHOWN]],
        errors=problems,
    )


def _ranges(text: str) -> list[tuple[int, int]]:
    """Return `0-12,30-45` as ranges; what is no range is left out."""
    found = re.findall(r"(\d{1,6})-(\d{1,6})", text[:10_000], re.ASCII)
    return [(int(first), int(end)) for first, end in found[:_MOST_RANGES]]
