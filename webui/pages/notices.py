"""Thông báo: what the reader should know, each with the page that solves it, and where else they want to be told."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from schedules.errors import Refused
from schedules.findings import Finding, Severity
from schedules.noticing import NAMES, RINGS, NoticeKind, Ring
from schedules.text import Text
from store import authority, channels, notices, outgoing
from store.channels import ChannelKind
from webui import auth, work
from webui.auth import allowed, safe_next
from webui.pages.layout import page
from webui.pages.scope import now, scope
from webui.services import services

_A_PAGE = 50
_SIGNS = {
    NoticeKind.EMERGENCY: "emergency",
    NoticeKind.DUTY_AT_RISK: "at_risk",
    NoticeKind.SILENT: "silent",
    NoticeKind.FAULT: "fault",
    NoticeKind.RETURNED: "at_risk",
    NoticeKind.UNAPPROVED: "at_risk",
    NoticeKind.GUESSING: "at_risk",
    NoticeKind.TICKET_OVERDUE: "at_risk",
}


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/thong-bao", "notices", own_notices)
    pages.add_url_rule("/thong-bao/<int:notice>", "open_notice", open_notice, methods=["POST"])
    pages.add_url_rule("/thong-bao/da-doc", "read_notices", read_notices, methods=["POST"])
    pages.add_url_rule("/thong-bao/dia-chi", "channels", own_channels, methods=["GET", "POST"])
    pages.add_url_rule("/thong-bao/dia-chi/<channel>", "confirm_channel", confirm_channel, methods=["POST"])
    pages.add_url_rule("/thong-bao/dia-chi/<channel>/bo", "end_channel", end_channel, methods=["POST"])
    pages.add_url_rule("/thong-bao/chon", "mute_notices", mute_notices, methods=["POST"])
    pages.add_url_rule("/thong-bao/gui-di", "deliveries", deliveries)


@allowed("account.own")
def own_notices() -> AnyResponse:
    """List the reader's notices, newest first."""
    who = scope().person
    asked = request.args.get("truoc", "")
    before = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 16 else None
    with services().database.reading() as session:
        found = notices.listing(session, who.id, before=before, limit=_A_PAGE + 1)
        new = notices.unread(session, who.id)
    return page(
        "notices.html",
        active="notices",
        notices=found[:_A_PAGE],
        more=found[_A_PAGE - 1].id if len(found) > _A_PAGE else None,
        new=new,
        names=NAMES,
        signs=_SIGNS,
        standing=notices.STANDING,
    )


@allowed("account.own")
def open_notice(notice: int) -> AnyResponse:
    """Note that the reader saw one notice and lead to the page that solves it."""
    who = scope().person
    with services().database.writing() as session:
        found = notices.listing(session, who.id, before=notice + 1, limit=1)
        if not found or found[0].id != notice:
            abort(404)
        notices.read(session, who.id, now(), notice=notice)
    return redirect(safe_next(found[0].path), 303)


@allowed("account.own")
def read_notices() -> AnyResponse:
    """Note that the reader saw all of them."""
    with services().database.writing() as session:
        notices.read(session, scope().person.id, now())
    return redirect(url_for("pages.notices"), 303)


@allowed("account.own")
def own_channels() -> AnyResponse:
    """Show where the reader is told, and add an address, to which a code is sent."""
    who = scope().person
    if request.method == "GET":
        return _channels()
    auth.require_proof()
    kind = next((one for one in ChannelKind if one.value == request.form.get("kind", "")), None)
    if kind is None:
        return _channels((_no_kind(),))
    try:
        with services().database.writing() as session:
            channel, code = channels.add(session, who.id, kind, request.form.get("address", ""), now())
            outgoing.queue_channel(
                session,
                channel=channel,
                subject=_("Loa: mã xác nhận địa chỉ"),
                text=_("Mã xác nhận: %(code)s\nNhập mã này ở trang Thông báo trong 30 phút.", code=code),
                kind="code",
                now=now(),
            )
            work.trace(session, "channel.add", channel, who, detail=kind.value)
    except Refused as refused:
        return _channels(refused.findings)
    flash(_("Đã gửi mã tới địa chỉ đó. Hãy nhập mã để xác nhận."), "done")
    return redirect(url_for("pages.channels"), 303)


@allowed("account.own")
def confirm_channel(channel: str) -> AnyResponse:
    """Take the code that came to an address."""
    who = scope().person
    with services().database.writing() as session:
        right = channels.confirm(session, who.id, channel, request.form.get("code", "")[:40], now())
        if right:
            work.trace(session, "channel.confirm", channel, who)
    if not right:
        return _channels((_wrong_code(),))
    flash(_("Đã xác nhận. Từ nay thông báo được gửi cả tới địa chỉ này."), "done")
    return redirect(url_for("pages.channels"), 303)


@allowed("account.own")
def end_channel(channel: str) -> AnyResponse:
    """Send nothing to an address any more."""
    who = scope().person
    with services().database.writing() as session:
        if not channels.end(session, who.id, channel, now()):
            abort(404)
        work.trace(session, "channel.end", channel, who)
    flash(_("Đã bỏ địa chỉ đó."), "done")
    return redirect(url_for("pages.channels"), 303)


@allowed("account.own")
def mute_notices() -> AnyResponse:
    """Keep which kinds stay on the page only; urgent ones always go out."""
    wanted = set(request.form.getlist("gui"))
    silent = [kind for kind in NoticeKind if kind.value not in wanted and RINGS[kind] is not Ring.URGENT]
    with services().database.writing() as session:
        notices.mute(session, scope().person.id, silent)
    flash(_("Đã lưu lựa chọn thông báo."), "done")
    return redirect(url_for("pages.channels"), 303)


@allowed("notices.manage")
def deliveries() -> AnyResponse:
    """Show what went out, what waits and what failed, for people of the reader's units; addresses are masked."""
    mine = scope()
    with services().database.reading() as session:
        found = outgoing.newest_of_units(session, mine.unit_codes, limit=_A_PAGE)
        server = authority.value(session, authority.MAIL_SERVER)
    return page("deliveries.html", active="more", deliveries=found, masked=channels.masked, no_server=not server)


def _channels(errors: tuple[Finding, ...] = ()) -> AnyResponse:
    who = scope().person
    with services().database.reading() as session:
        known = channels.of_person(session, who.id)
        silent = notices.muted(session, who.id)
        telegram = bool(authority.value(session, authority.TELEGRAM_TOKEN))
        mail = bool(authority.value(session, authority.MAIL_SERVER))
    return page(
        "channels.html",
        active="notices",
        code=422 if errors else 200,
        errors=errors,
        channels=known,
        kinds=[(kind, NAMES[kind]) for kind in NoticeKind if RINGS[kind] is not Ring.URGENT],
        silent=silent,
        telegram=telegram,
        mail=mail,
        typed=request.form,
    )


def _no_kind() -> Finding:
    return Finding(
        code="channel_wrong",
        severity=Severity.ERROR,
        where="kind",
        message=Text("Hãy chọn thư, Telegram hoặc webhook.", "Choose mail, Telegram or a webhook."),
    )


def _wrong_code() -> Finding:
    return Finding(
        code="code_wrong",
        severity=Severity.ERROR,
        where="code",
        message=Text(
            "Mã không đúng, đã quá 30 phút hoặc đã nhập sai 5 lần. Địa chỉ chưa được xác nhận.",
            "The code is wrong, older than 30 minutes, or was mistyped five times. The address is not confirmed.",
        ),
        hint=Text("Hãy bỏ địa chỉ rồi thêm lại để nhận mã mới.", "Remove the address and add it again for a new code."),
    )
