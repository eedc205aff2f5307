"""Cách đọc riêng: words of the place that a voice says otherwise than the rules would."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from audio.reading import read
from schedules.errors import Refused
from schedules.findings import Finding
from store import pronunciations as store
from webui import work
from webui.auth import allowed
from webui.pages.layout import page
from webui.pages.scope import now, scope
from webui.rights import can
from webui.services import services
from webui.writing import own_words


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/bai/cach-doc", "pronunciations", pronunciations, methods=["GET", "POST"])
    pages.add_url_rule("/bai/cach-doc/bo", "forget_pronunciation", forget_pronunciation, methods=["POST"])


@allowed("segments.create")
def pronunciations() -> AnyResponse:
    """List the unit's words with a form for one more, or keep one."""
    mine = scope()
    if request.method == "GET":
        return _page(request.args.get("tu", "")[:80], request.args.get("doc", "")[:200])
    written, said = request.form.get("written", ""), request.form.get("said", "")
    try:
        with services().database.writing() as session:
            work.require(mine.person, "segments.create", mine.person.unit)
            store.save(session, mine.person.unit, written, said, person=mine.person, now=now())
            work.trace(session, "reading.save", mine.person.unit, mine.person, detail=f"{written[:80]} = {said[:200]}")
    except Refused as refused:
        return _page(written, said, refused.findings, code=422)
    flash(_("Từ nay máy đọc “%(written)s” là “%(said)s”.", written=written.strip(), said=said.strip()), "done")
    script = request.form.get("loi", "")
    if script.isalnum():
        return redirect(url_for("pages.text", script=script, _anchor="may-doc"), 303)
    return redirect(url_for("pages.pronunciations"), 303)


@allowed("segments.create")
def forget_pronunciation() -> AnyResponse:
    """Forget one of the unit's own words."""
    mine = scope()
    written = request.form.get("written", "")
    with services().database.writing() as session:
        work.require(mine.person, "segments.create", mine.person.unit)
        if store.remove(session, mine.person.unit, written):
            work.trace(session, "reading.forget", mine.person.unit, mine.person, detail=written[:80])
    flash(_("Đã bỏ. Máy đọc “%(written)s” theo cách chung.", written=written[:80]), "done")
    return redirect(url_for("pages.pronunciations"), 303)


def _page(written: str, said: str, problems: Sequence[Finding] = (), *, code: int = 200) -> AnyResponse:
    mine = scope()
    with services().database.reading() as session:
        own = store.of_unit(session, mine.person.unit)
        every = own_words(session, mine.person.unit)
    return page(
        "pronunciations.html",
        active="texts",
        code=code,
        scope=mine,
        own=own,
        above={word: how for word, how in every.items() if word not in own},
        written=written,
        said=said,
        usual=read(written).spoken.strip() if written else "",
        script=request.values.get("loi", "")[:16],
        errors=problems,
        may_write=can(mine.person, "segments.create", mine.person.unit),
    )
