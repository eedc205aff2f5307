"""The way in: first set-up, invitation, sign-in with its second factor, a forgotten password, and out."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from schedules.errors import Refused, TooMany
from schedules.findings import Finding, Severity
from schedules.text import Text
from store import accounts, audit, authority, channels, invitations, outgoing
from store.accounts import Person
from webui import auth
from webui.pages.layout import page
from webui.pages.proving import KEPT, kept_form
from webui.pages.scope import now
from webui.services import services


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/dang-nhap", "log_in", log_in, methods=["GET", "POST"])
    pages.add_url_rule("/dang-nhap/ma", "log_in_code", log_in_code, methods=["GET", "POST"])
    pages.add_url_rule("/dang-xuat", "log_out", log_out, methods=["POST"])
    pages.add_url_rule("/quen-mat-khau", "forgotten", forgotten, methods=["GET", "POST"])
    pages.add_url_rule("/thiet-lap/<token>", "invitation", invitation, methods=["GET", "POST"])


@auth.public
def log_in() -> AnyResponse:
    """Show the form, or sign in. Which of name and password was wrong is not told."""
    wanted = request.values.get("next", "")
    if request.method == "GET":
        if current_user.is_authenticated:
            return redirect(auth.safe_next(wanted))
        return page("login.html", active="", errors=(), name="", next=wanted, kept=None)
    name, kept = request.form.get("name", ""), kept_form(request.form.get(KEPT, ""))
    try:
        entered = auth.sign_in(name, request.form.get("password", ""))
    except Refused as refused:
        return page("login.html", active="", code=401, errors=refused.findings, name=name, next=wanted, kept=kept)
    return _entered(wanted, request.form.get(KEPT, "")) if entered else _code_page(wanted)


@auth.public
def log_in_code() -> AnyResponse:
    """Take the code of the second factor from somebody whose password was right."""
    person = auth.half_in()
    if person is None:
        return redirect(url_for("pages.log_in"), 303)
    wanted = request.values.get("next", "")
    if request.method == "GET":
        return _code_page(wanted)
    try:
        auth.finish(person, request.form.get("code", "")[:100])
    except Refused as refused:
        return _code_page(wanted, refused.findings)
    return _entered(wanted, request.form.get(KEPT, ""))


@auth.public
def log_out() -> AnyResponse:
    """End this session."""
    auth.sign_out()
    flash(_("Đã đăng xuất."), "done")
    return redirect(url_for("pages.log_in"), 303)


@auth.public
def forgotten() -> AnyResponse:
    """Send a one-time link to the person's own confirmed address; whether there is one is told to nobody."""
    if request.method == "GET":
        return page("forgotten.html", active="", asked=False, errors=(), name="")
    name = accounts.folded(request.form.get("name", ""))[:80]
    address = request.remote_addr or ""
    throttle = auth.doorkeeper().throttle
    wait_s = throttle.wait_to_ask_s(name, address)
    if wait_s > 0:
        many = TooMany(
            Finding(
                code="asked_often",
                severity=Severity.ERROR,
                message=Text("Đã xin liên kết nhiều lần.", "Links were asked for many times."),
                hint=Text("Hãy đợi một giờ, hoặc hỏi quản trị viên.", "Wait an hour, or ask the administrator."),
            ),
            retry_after_s=wait_s,
        )
        return page("forgotten.html", active="", code=429, asked=False, errors=many.findings, name=name)
    throttle.asked(name, address)
    _send_link(name, address)
    return page("forgotten.html", active="", asked=True, errors=(), name="")


@auth.public
def invitation(token: str) -> AnyResponse:
    """Choose a password behind a one-time link; the first link makes the first administrator."""
    if len(token) > 200:
        abort(404)
    with services().database.reading() as database:
        found = invitations.find(database, token, now())
    if found is None:
        return _form(first=False, void=True, code=404)
    first = found.person is None
    if request.method == "GET":
        return _form(first=first, invited=found.person)
    password = request.form.get("password", "")
    name, full_name = request.form.get("name", ""), request.form.get("full_name", "")
    if password != request.form.get("again", ""):
        differ = Finding(
            code="passwords_differ",
            severity=Severity.ERROR,
            where="again",
            message=Text("Hai lần nhập mật khẩu không giống nhau.", "The two passwords are not the same."),
        )
        return _form(first=first, invited=found.person, errors=(differ,), name=name, full_name=full_name, code=422)
    try:
        with services().database.writing() as database:
            person = invitations.redeem(database, token, password=password, now=now(), name=name, full_name=full_name)
            audit.note(
                database,
                at=now(),
                what="account.password",
                person=person,
                address=request.remote_addr or "",
                detail="link",
            )
    except Refused as refused:
        return _form(
            first=first, invited=found.person, errors=refused.findings, name=name, full_name=full_name, code=422
        )
    # A link that came by mail proves the address, not the phone: the second factor is asked for all the same.
    if not auth.go_on(person):
        return _code_page("")
    flash(_("Đã lưu mật khẩu."), "done")
    return redirect(url_for("pages.today"), 303)


def link_to_password(token: str) -> str:
    """Return the whole address of a one-time link; never one that the request itself named, as S18 has it."""
    return f"{base_url()}{url_for('pages.invitation', token=token)}"


def base_url() -> str:
    """Return the configured address of this system without a slash at its end, nothing where none is configured."""
    with services().database.reading() as database:
        decided = authority.value(database, authority.BASE_URL)
    return (decided or services().settings.base_url or "").rstrip("/")


def _send_link(name: str, address: str) -> None:
    base = base_url()
    with services().database.writing() as database:
        person = accounts.named(database, name)
        mail = None if person is None else channels.mail_of(database, person.id)
        audit.note(database, at=now(), what="account.forgotten", name=name, address=address)
        if person is None or mail is None or not base or person.demo:
            return
        secret = invitations.issue(database, person, now())
        link = f"{base}{url_for('pages.invitation', token=secret)}"
        outgoing.queue_channel(
            database,
            channel=mail,
            subject=_("Loa: chọn mật khẩu mới"),
            text=_(
                "Có người xin chọn mật khẩu mới cho tài khoản %(name)s. Liên kết dùng được một lần trong 24 giờ:\n"
                "%(link)s\nNếu không phải anh/chị, hãy bỏ qua thư này: mật khẩu hiện tại vẫn dùng được.",
                name=person.name,
                link=link,
            ),
            kind="password",
            now=now(),
        )


def _entered(wanted: str, kept_text: str) -> AnyResponse:
    kept = kept_form(kept_text)
    if kept is not None:
        return page("resend.html", active="", kept=kept)
    return redirect(auth.safe_next(wanted), 303)


def _code_page(wanted: str, errors: tuple[Finding, ...] = ()) -> AnyResponse:
    kept = kept_form(request.form.get(KEPT, ""))
    return page("login_code.html", active="", code=401 if errors else 200, errors=errors, next=wanted, kept=kept)


def _form(
    *,
    first: bool,
    invited: Person | None = None,
    errors: tuple[Finding, ...] = (),
    name: str = "",
    full_name: str = "",
    void: bool = False,
    code: int = 200,
) -> AnyResponse:
    return page(
        "invitation.html",
        active="",
        code=code,
        first=first,
        invited=invited,
        errors=errors,
        name=name,
        full_name=full_name,
        void=void,
        shortest=accounts.SHORTEST,
    )
