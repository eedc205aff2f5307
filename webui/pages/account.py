"""Tài khoản của tôi: the own password, second factor, tokens of programs, and where one is signed in."""

from __future__ import annotations

import io
from dataclasses import dataclass

import segno
from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.wrappers import Response as AnyResponse

from schedules.errors import Refused
from schedules.findings import Finding, Severity
from schedules.text import Text
from store import accounts, second_factors, sign_ins, tokens
from webui import auth, staffing, work
from webui.auth import allowed
from webui.noticing import browser
from webui.pages.layout import page
from webui.pages.scope import now, scope
from webui.rights import can
from webui.services import services


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One browser in which the reader is signed in. mine: it is the one that shows this."""

    id: str
    words: Text
    sign_in: sign_ins.SignIn
    mine: bool


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/tai-khoan", "account", account, methods=["GET", "POST"])
    pages.add_url_rule("/tai-khoan/hai-buoc", "second_factor", second_factor, methods=["GET", "POST"])
    pages.add_url_rule("/tai-khoan/ma-truy-cap", "tokens", own_tokens, methods=["GET", "POST"])
    pages.add_url_rule("/tai-khoan/ma-truy-cap/<token>/bo", "revoke_token", revoke_token, methods=["POST"])
    pages.add_url_rule("/tai-khoan/thiet-bi", "sign_ins", own_sign_ins)
    pages.add_url_rule("/tai-khoan/thiet-bi/bo", "end_sign_ins", end_sign_ins, methods=["POST"])


@allowed("account.own")
def account() -> AnyResponse:
    """Show the own account and change the own password; every other session of it ends."""
    mine = scope()
    errors: tuple[Finding, ...] = ()
    if request.method == "POST":
        try:
            _change_password()
        except Refused as refused:
            errors = refused.findings
        else:
            with services().database.reading() as session:
                fresh = accounts.find(session, mine.person.id)
            if fresh is None:
                return redirect(url_for("pages.log_in"), 303)
            auth.enter(fresh)
            flash(_("Đã đổi mật khẩu. Các phiên đăng nhập khác đã kết thúc."), "done")
            return redirect(url_for("pages.account"), 303)
    with services().database.reading() as session:
        second = second_factors.find(session, mine.person)
        here = len(sign_ins.of_person(session, mine.person, now()))
        held = len(tokens.of_person(session, mine.person))
    return page(
        "account.html",
        active="more",
        code=422 if errors else 200,
        errors=errors,
        scope=mine,
        shortest=accounts.SHORTEST,
        unit=mine.unit_name(mine.person.unit),
        second=second is not None and second.confirmed_at is not None,
        devices=here,
        tokens=held,
    )


@allowed("account.own")
def second_factor() -> AnyResponse:
    """Set up the second factor by scanning its code, show recovery codes, or take it off."""
    who = scope().person
    form = request.form
    codes: tuple[str, ...] = ()
    errors: tuple[Finding, ...] = ()
    if request.method == "POST":
        match form.get("do", ""):
            case "begin":
                auth.require_proof()
                staffing.begin_second_factor(person=who)
            case "confirm":
                found = staffing.confirm_second_factor(code=form.get("code", "")[:40], person=who)
                codes = found or ()
                errors = () if found else (_wrong_code(),)
            case "codes":
                auth.require_proof()
                codes = staffing.new_recovery_codes(person=who)
            case "end":
                auth.require_proof()
                staffing.end_second_factor(person=who)
                flash(_("Đã tắt mã hai bước."), "done")
    with services().database.reading() as session:
        known = second_factors.find(session, who)
    begun = known is not None and known.confirmed_at is None
    address = second_factors.address(who, known.secret, "Loa") if known and begun else ""
    return page(
        "second_factor.html",
        active="more",
        code=422 if errors else 200,
        known=known,
        begun=begun,
        qr=_qr(address) if address else "",
        secret=" ".join(known.secret[i : i + 4] for i in range(0, len(known.secret), 4)) if known and begun else "",
        codes=codes,
        errors=errors,
        lacking=auth.current_person().lacking and not codes,
    )


@allowed("account.own")
def own_tokens() -> AnyResponse:
    """List the tokens of the reader's programs, and make one; it is shown this once."""
    who = scope().person
    made = ""
    errors: tuple[Finding, ...] = ()
    if request.method == "POST":
        auth.require_proof()
        days = request.form.get("days", "")
        try:
            made = staffing.issue_token(
                label=request.form.get("label", ""),
                scopes=tuple(request.form.getlist("scope")),
                days=int(days) if days.isascii() and days.isdigit() else None,
                person=who,
            )
        except Refused as refused:
            errors = refused.findings
    with services().database.reading() as session:
        held = tokens.of_person(session, who)
    return page(
        "tokens.html",
        active="more",
        code=422 if errors else 200,
        tokens=held,
        made=made,
        errors=errors,
        may_emergency=can(who, "emergencies.order"),
        scope_word=tokens.EMERGENCY,
        now=now(),
    )


@allowed("account.own")
def revoke_token(token: str) -> AnyResponse:
    """Make one of the reader's tokens void."""
    work.revoke_token(token, person=scope().person)
    flash(_("Đã bỏ mã truy cập. Chương trình dùng mã đó không vào được nữa."), "done")
    return redirect(url_for("pages.tokens"), 303)


@allowed("account.own")
def own_sign_ins() -> AnyResponse:
    """List where the reader is signed in."""
    who = auth.current_person()
    with services().database.reading() as session:
        known = sign_ins.of_person(session, who, now())
    mine = sign_ins.name_of(who.key)
    shown = [Device(id=one.id, words=browser(one.agent), sign_in=one, mine=one.id == mine) for one in known]
    return page("sign_ins.html", active="more", devices=shown)


@allowed("account.own")
def end_sign_ins() -> AnyResponse:
    """End one sign-in of the reader, or all but this one."""
    who = auth.current_person()
    wanted = request.form.get("phien", "")
    with services().database.writing() as session:
        if wanted:
            sign_ins.end_named(session, who, wanted)
        else:
            sign_ins.end_others(session, who, who.key)
        work.trace(session, "sign_out.other", who.id, who, detail=wanted or "all others")
    flash(_("Đã kết thúc phiên đăng nhập đó.") if wanted else _("Đã kết thúc mọi phiên đăng nhập khác."), "done")
    return redirect(url_for("pages.sign_ins"), 303)


def _change_password() -> None:
    form = request.form
    if form.get("password", "") != form.get("again", ""):
        raise Refused(
            Finding(
                code="passwords_differ",
                severity=Severity.ERROR,
                where="again",
                message=Text("Hai lần nhập mật khẩu không giống nhau.", "The two passwords are not the same."),
            )
        )
    work.change_password(old=form.get("old", ""), new=form.get("password", ""), person=scope().person)


def _wrong_code() -> Finding:
    return Finding(
        code="code_wrong",
        severity=Severity.ERROR,
        where="code",
        message=Text("Mã không đúng hoặc đã quá hạn. Mã hai bước chưa bật.", "The code is wrong or too old."),
        hint=Text("Kiểm tra giờ của điện thoại.", "Look at the phone's clock."),
    )


def _qr(text: str) -> Markup:
    drawn = io.BytesIO()
    code = segno.make(text, error="m")
    code.save(drawn, kind="svg", border=3, xmldecl=False, svgclass="qr", lineclass=None, omitsize=True)
    # Made by us from letters that were escaped in its address: there is no markup of anybody else in it.
    return Markup(drawn.getvalue().decode())
