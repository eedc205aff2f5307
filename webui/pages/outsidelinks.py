"""Links for people without an account: made for a village, a person or a pole, shown once with a QR sheet, ended."""

from __future__ import annotations

from dataclasses import dataclass

import segno
from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from schedules.errors import Conflict, NotAllowed, Refused, Unknown
from schedules.findings import Finding, Severity
from schedules.text import Text
from store import outsidelinks
from store.outsidelinks import LinkKind
from webui import inbox as acts
from webui.addresses import absolute
from webui.auth import allowed
from webui.pages.layout import page
from webui.pages.scope import now, scope
from webui.services import services

_PAGE = 50
_PAGES = {LinkKind.CONTRIBUTE: "pages.contribute", LinkKind.REPORT: "pages.report_broken"}
_USUAL_DAYS = {LinkKind.CONTRIBUTE: 180, LinkKind.REPORT: 1095}
_USUAL_QUOTA = {LinkKind.CONTRIBUTE: 20, LinkKind.REPORT: 50}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A link as its form shows it."""

    kind: LinkKind = LinkKind.CONTRIBUTE
    village: str = ""
    holder: str = ""
    cluster: str = ""
    days: str = ""
    quota: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A link just made, as it is printed. code: the QR code as an address of an image."""

    link: outsidelinks.OutsideLink
    address: str
    code: str


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/lien-ket", "outside_links", outside_links, methods=["GET", "POST"])
    pages.add_url_rule("/lien-ket/<link>/thu-hoi", "revoke_link", revoke_link, methods=["POST"])


@allowed("inbox.manage")
def outside_links() -> AnyResponse:
    """List the links that work, or make one: its address and QR code are shown this once."""
    mine = scope()
    if request.method == "GET":
        asked = LinkKind.REPORT if request.args.get("loai") == LinkKind.REPORT.value else LinkKind.CONTRIBUTE
        return _page(Wanted(kind=asked, cluster=request.args.get("cum", "")))
    form = request.form
    kind = LinkKind.REPORT if form.get("kind") == LinkKind.REPORT.value else LinkKind.CONTRIBUTE
    wanted = Wanted(
        kind=kind,
        village=form.get("village", ""),
        holder=form.get("holder", ""),
        cluster=form.get("cluster", ""),
        days=form.get("days", ""),
        quota=form.get("quota", ""),
    )
    days, quota = _number(wanted.days, _USUAL_DAYS[kind]), _number(wanted.quota, _USUAL_QUOTA[kind])
    if days is None or quota is None:
        wrong = Finding(
            code="number_wrong",
            severity=Severity.ERROR,
            where="days" if days is None else "quota",
            message=Text("Hãy ghi một số.", "Enter a number."),
        )
        return _page(wanted, (wrong,), code=422)
    try:
        issued = acts.issue_link(
            kind=kind,
            station=form.get("station", ""),
            cluster=wanted.cluster if kind is LinkKind.REPORT else "",
            village=wanted.village,
            holder=wanted.holder if kind is LinkKind.CONTRIBUTE else "",
            quota=quota,
            days=days,
            person=mine.person,
        )
    except (Unknown, NotAllowed):
        raise
    except Refused as refused:
        return _page(wanted, refused.findings, code=422)
    address = absolute(_PAGES[kind], khoa=issued.secret)
    # Middle error correction: it hangs on a pole, in rain and sun.
    code = segno.make(address, error="m", micro=False).svg_data_uri(scale=8, border=2, xmldecl=False)
    return _page(Wanted(kind=kind), sheet=Sheet(link=issued.link, address=address, code=code))


@allowed("inbox.manage")
def revoke_link(link: str) -> AnyResponse:
    """End a link at once; what came through it stays."""
    try:
        ended = acts.revoke_link(link, person=scope().person)
    except Conflict as refused:
        return _page(Wanted(), refused.findings, code=409)
    flash(_("Đã thu hồi liên kết của %(village)s. Ai mở nó cũng không gửi được nữa.", village=ended.village), "done")
    return redirect(url_for("pages.outside_links", dai=ended.station), 303)


def _number(text: str, usual: int) -> int | None:
    """Return a number of a form; the usual one where nothing was entered, None for what is no number."""
    if not text.strip():
        return usual
    return int(text) if text.strip().isascii() and text.strip().isdigit() and len(text) < 7 else None


def _page(
    wanted: Wanted, errors: tuple[Finding, ...] = (), *, sheet: Sheet | None = None, code: int = 200
) -> AnyResponse:
    mine = scope()
    station = mine.station(request.form["station"]) if "station" in request.form else mine.chosen()
    found: tuple[outsidelinks.OutsideLink, ...] = ()
    if station is not None:
        with services().database.reading() as session:
            found = outsidelinks.listing(
                session,
                units=[station.unit],
                station=station.code,
                now=now(),
                before=request.args.get("truoc") or None,
                limit=_PAGE + 1,
            )
    more = len(found) > _PAGE
    return page(
        "outside_links.html",
        active="inbox",
        code=code,
        scope=mine,
        station=station,
        unit=mine.unit_name(station.unit) if station else "",
        links=found[:_PAGE],
        next_url=url_for("pages.outside_links", dai=station.code, truoc=found[_PAGE - 1].id)
        if station and more
        else "",
        wanted=wanted,
        errors=errors,
        sheet=sheet,
        usual_days=_USUAL_DAYS[wanted.kind],
        usual_quota=_USUAL_QUOTA[wanted.kind],
    )
