"""Forms for people without an account: send something for the air (/g), report a broken loudspeaker (/b)."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from schedules.errors import Refused
from schedules.findings import Finding
from schedules.text import Text
from schedules.upkeep import Trouble
from store import authority, contributions
from store.outsidelinks import LinkKind
from webui import outside
from webui.auth import public
from webui.bodies import takes
from webui.pages.layout import page
from webui.pages.states import CONTRIBUTIONS
from webui.services import services
from webui.voices import VOICE_BYTES

_SHOWN = 5
# As people say it who live below the loudspeaker.
_OFFERED = {
    Trouble.SILENT: Text("Loa không kêu", "It is silent"),
    Trouble.WEAK: Text("Loa kêu nhỏ hoặc rè", "It is faint or rattles"),
    Trouble.HOWLING: Text("Loa hú, kêu suốt", "It howls or does not stop"),
    Trouble.FOREIGN: Text("Loa phát tiếng lạ", "It plays something strange"),
    Trouble.DAMAGED: Text("Loa, cột hoặc dây bị hư, đổ", "Loudspeaker, pole or wire is damaged"),
    Trouble.OTHER: Text("Việc khác", "Something else"),
}


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/g/<khoa>", "contribute", contribute, methods=["GET", "POST"])
    pages.add_url_rule("/b/<khoa>", "report_broken", report_broken, methods=["GET", "POST"])


def _contribution_bytes() -> int:
    return outside.form_bytes(LinkKind.CONTRIBUTE)


def _report_bytes() -> int:
    return outside.form_bytes(LinkKind.REPORT)


@public
@takes(_contribution_bytes)
def contribute(khoa: str) -> AnyResponse:
    """Show the contributor's form, or take in what was sent."""
    opened = outside.opened(khoa, LinkKind.CONTRIBUTE)
    if request.method == "GET":
        return _contributor_form(khoa, opened)
    form = request.form
    try:
        outside.contribute(
            opened.link,
            words=form.get("text", ""),
            name=form.get("name", ""),
            phone=form.get("phone", ""),
            credited=form.get("credited") == "1",
            photo=request.files.get("photo"),
            voice=request.files.get("voice"),
        )
    except Refused as refused:
        return _contributor_form(khoa, opened, refused.findings)
    flash(_("Đã gửi tới đài. Cảm ơn anh/chị."), "done")
    return redirect(url_for("pages.contribute", khoa=khoa), 303)


@public
@takes(_report_bytes)
def report_broken(khoa: str) -> AnyResponse:
    """Show the form of a broken loudspeaker, or open a ticket for it."""
    opened = outside.opened(khoa, LinkKind.REPORT)
    if request.method == "GET":
        return _report_form(khoa, opened)
    form = request.form
    trouble = next((one for one in _OFFERED if one.value == form.get("trouble")), Trouble.OTHER)
    cluster = form.get("cluster", "")
    try:
        ticket = outside.report(
            opened.link,
            trouble=trouble,
            cluster=cluster if any(code == cluster for code, _name in opened.clusters) else "",
            words=form.get("what", ""),
            place=form.get("place", ""),
            name=form.get("name", ""),
            phone=form.get("phone", ""),
            photo=request.files.get("photo"),
        )
    except Refused as refused:
        return _report_form(khoa, opened, refused.findings)
    flash(_("Đã báo. Số phiếu: %(ticket)s. Đài sẽ cho người đi sửa.", ticket=ticket), "done")
    return redirect(url_for("pages.report_broken", khoa=khoa), 303)


def _contributor_form(khoa: str, opened: outside.Opened, errors: Sequence[Finding] = ()) -> AnyResponse:
    with services().database.reading() as session:
        sent = contributions.of_link(session, opened.link.id, limit=_SHOWN)
        days = authority.value(session, authority.INBOX_DAYS)
    response = page(
        "contribute.html",
        active="",
        code=422 if errors else 200,
        khoa=khoa,
        opened=opened,
        errors=errors,
        typed=request.form,
        sent=[(one, CONTRIBUTIONS[one.state]) for one in sent],
        days=days,
        voice_bytes=VOICE_BYTES,
    )
    return _kept_off_indexes(response)


def _report_form(khoa: str, opened: outside.Opened, errors: Sequence[Finding] = ()) -> AnyResponse:
    with services().database.reading() as session:
        days = authority.value(session, authority.UPKEEP_PHONE_DAYS)
    response = page(
        "report_broken.html",
        active="",
        code=422 if errors else 200,
        khoa=khoa,
        opened=opened,
        errors=errors,
        typed=request.form,
        troubles=_OFFERED,
        days=days,
    )
    return _kept_off_indexes(response)


def _kept_off_indexes(response: AnyResponse) -> AnyResponse:
    """Keep the secret of the address from search engines and from the next site."""
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
