"""The way in: first set-up, invitation, sign-in and out."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from schedules.errors import Refused
from schedules.findings import Finding, Severity
from schedules.text import Text
from store import accounts, invitations
from webui import auth
from webui.pages.layout import page
from webui.pages.scope import now
from webui.services import services


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/dang-nhap", "log_in", log_in, methods=["GET", "POST"])
    pages.add_url_rule("/dang-xuat", "log_out", log_out, methods=["POST"])
    pages.add_url_rule("/thiet-lap/<token>", "invitation", invitation, methods=["GET", "POST"])


@auth.public
def log_in() -> AnyResponse:
    """Show the form, or sign in. Which of name and password was wrong is not told."""
    wanted = request.values.get("next", "")
    if request.method == "GET":
        if current_user.is_authenticated:
            return redirect(auth.safe_next(wanted))
        return page("login.html", active="", errors=(), name="", next=wanted)
    name = request.form.get("name", "")
    try:
        auth.sign_in(name, request.form.get("password", ""))
    except Refused as refused:
        return page("login.html", active="", code=401, errors=refused.findings, name=name, next=wanted)
    return redirect(auth.safe_next(wanted), 303)


@auth.public
def log_out() -> AnyResponse:
    """End this session."""
    auth.sign_out()
    flash(_("Đã đăng xuất."), "done")
    return redirect(url_for("pages.log_in"), 303)


@auth.public
def invitation(token: str) -> AnyResponse:
    """Choose a password behind a one-time link; the first link makes the first administrator."""
    if len(token) > 200:
        abort(404)
    with services().database.reading() as session:
        found = invitations.find(session, token, now())
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
        with services().database.writing() as session:
            person = invitations.redeem(session, token, password=password, now=now(), name=name, full_name=full_name)
    except Refused as refused:
        return _form(
            first=first, invited=found.person, errors=refused.findings, name=name, full_name=full_name, code=422
        )
    auth.enter(person)
    flash(_("Đã lưu mật khẩu."), "done")
    return redirect(url_for("pages.today"), 303)


def _form(
    *,
    first: bool,
    invited: accounts.Person | None = None,
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
