"""Hoàn tác: what was decided a moment ago is taken back, in place of being asked "are you sure" each time."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from schedules.errors import Refused
from webui import work
from webui.auth import allowed, safe_next
from webui.pages.language import say
from webui.pages.scope import scope


def routes(pages: Blueprint) -> None:
    """Add the route."""
    pages.add_url_rule("/bai/<segment>/hoan-tac", "undo_decision", undo_decision, methods=["POST"])


def offer_undo(said: str, endpoint: str, *, segment: str) -> None:
    """Say on the next page what was done, with a button that sends a POST to `endpoint` for the next 10 seconds."""
    offer: Any = {"said": said, "undo": url_for(endpoint, segment=segment)}
    flash(offer, "undo")


@allowed("segments.approve")
def undo_decision(segment: str) -> AnyResponse:
    """Undo the reader's own approval or return."""
    try:
        work.take_back(segment, person=scope().person)
    except Refused as refused:
        flash(say(refused.findings[0].message), "bad")
    else:
        flash(_("Đã hoàn tác. Bài lại chờ duyệt."), "done")
    return redirect(safe_next(request.form.get("back")) if "back" in request.form else url_for("pages.approvals"), 303)
