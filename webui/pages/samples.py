"""Mẫu lời: sample texts to begin from, Loa's and the unit's own."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from schedules.errors import Refused
from schedules.findings import Finding
from schedules.segment import SegmentKind
from schedules.topics import BY_CODE
from store.script_templates import Sample
from webui import samples as library
from webui.auth import allowed
from webui.pages.layout import page
from webui.pages.scope import scope
from webui.rights import can
from webui.services import services


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/bai/mau", "samples", samples)
    pages.add_url_rule("/bai/mau/sua", "sample", sample, methods=["GET", "POST"])
    pages.add_url_rule("/bai/mau/bo", "remove_sample", remove_sample, methods=["POST"])


@allowed("segments.read")
def samples() -> AnyResponse:
    """List the samples; `loai=` and `chu_de=` narrow them down."""
    mine = scope()
    with services().database.reading() as session:
        found = library.every(session, mine.person)
    kind, topic = request.args.get("loai", ""), request.args.get("chu_de", "")
    listed = [one for one in found if (not kind or one.kind == kind) and (not topic or one.topic == topic)]
    return page(
        "samples.html",
        active="texts",
        scope=mine,
        listed=[
            (one, BY_CODE[one.topic].label if one.topic in BY_CODE else None, library.changeable(one, mine.person))
            for one in listed
        ],
        kinds=[(kind.value, kind) for kind in SegmentKind if any(one.kind == kind.value for one in found)],
        topics=[BY_CODE[code] for code in BY_CODE if any(one.topic == code for one in found)],
        kind=kind,
        topic=topic,
        may_write=can(mine.person, "segments.create", mine.person.unit),
    )


@allowed("segments.create")
def sample() -> AnyResponse:
    """Show the form of a sample (`ma=`), of a new one, or of a copy of Loa's (`tu=`); or keep what was written."""
    mine = scope()
    if request.method == "POST":
        form = request.form
        typed = Sample(
            id=form.get("ma", "")[:16],
            owner=mine.person.unit,
            name=form.get("name", "")[:201],
            body=form.get("body", "").replace("\r\n", "\n"),
            kind=form.get("kind", "") if form.get("kind") in {kind.value for kind in SegmentKind} else "",
            topic=form.get("topic", "") if form.get("topic") in BY_CODE else "",
        )
        try:
            library.save(typed, person=mine.person)
        except Refused as refused:
            return _form(typed, refused.findings, code=422)
        flash(_("Đã lưu mẫu “%(name)s”.", name=typed.name), "done")
        return redirect(url_for("pages.samples"), 303)
    wanted, source = request.args.get("ma", ""), request.args.get("tu", "")
    if not wanted and not source:
        return _form(Sample(id="", owner=mine.person.unit, name="", body=""))
    with services().database.reading() as session:
        found = library.one(session, wanted or source, mine.person)
    if found is None or (wanted and not library.changeable(found, mine.person)):
        abort(404)
    return _form(
        found
        if wanted
        else Sample(id="", owner=mine.person.unit, name=found.name, body=found.body, kind=found.kind, topic=found.topic)
    )


@allowed("segments.create")
def remove_sample() -> AnyResponse:
    """Take one of the unit's own samples out of the list."""
    library.remove(request.form.get("ma", ""), person=scope().person)
    flash(_("Đã bỏ mẫu. Các lời đã viết từ mẫu này vẫn còn."), "done")
    return redirect(url_for("pages.samples"), 303)


def _form(typed: Sample, problems: Sequence[Finding] = (), *, code: int = 200) -> AnyResponse:
    return page(
        "sample.html",
        active="texts",
        code=code,
        sample=typed,
        errors=problems,
        kinds=list(SegmentKind),
        topics=list(BY_CODE.values()),
    )
