"""Thêm: everything that has no place in the bar, the own account, and for administrators the accounts of others."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from schedules.errors import Refused
from schedules.findings import Finding, Severity
from schedules.text import Text
from store import accounts, audit, invitations
from store.accounts import Account, Role
from webui import auth, work
from webui.auth import allowed
from webui.pages.layout import page
from webui.pages.navigation import menu
from webui.pages.scope import now, scope
from webui.services import services


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An account as its form shows it."""

    name: str = ""
    full_name: str = ""
    role: str = Role.OPERATOR.value
    unit: str = ""


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/them", "more", more)
    pages.add_url_rule("/tai-khoan", "account", account, methods=["GET", "POST"])
    pages.add_url_rule("/nguoi-dung", "people", people, methods=["GET", "POST"])
    pages.add_url_rule("/nguoi-dung/<person_id>/lien-ket", "new_link", new_link, methods=["POST"])
    pages.add_url_rule("/nguoi-dung/<person_id>/khoa", "close_account", close_account, methods=["POST"])


@allowed("account.own")
def more() -> AnyResponse:
    """List every page of the reader's role."""
    mine = scope()
    its = menu(mine.person.role.value)
    entries = [*(entry for group in its.groups for entry in group.entries), *its.foot]
    return page("more.html", active="more", entries=entries, scope=mine, version=services().version)


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
    return page(
        "account.html",
        active="more",
        code=422 if errors else 200,
        errors=errors,
        scope=mine,
        shortest=accounts.SHORTEST,
        unit=mine.unit_name(mine.person.unit),
    )


@allowed("accounts.manage")
def people() -> AnyResponse:
    """List the accounts, and make a new one with its one-time link."""
    if request.method == "GET":
        return _people(Wanted(unit=scope().person.unit))
    form = request.form
    wanted = Wanted(
        name=form.get("name", ""),
        full_name=form.get("full_name", ""),
        role=form.get("role", ""),
        unit=form.get("unit", ""),
    )
    mine = scope()
    role = next((role for role in Role if role.value == wanted.role), None)
    if role is None or wanted.unit not in mine.unit_codes:
        wrong = Finding(
            code="account_wrong",
            severity=Severity.ERROR,
            where="unit",
            message=Text("Hãy chọn vai trò và đơn vị.", "Choose a role and a unit."),
        )
        return _people(wanted, (wrong,), code=422)
    try:
        with services().database.writing() as session:
            person = accounts.create(
                session, name=wanted.name, role=role, unit=wanted.unit, full_name=wanted.full_name, now=now()
            )
            secret = invitations.issue(session, person, now())
            _trace(session, "account.create", person.id, f"{person.name} {role.value} {wanted.unit}")
    except Refused as refused:
        return _people(wanted, refused.findings, code=422)
    return _people(Wanted(unit=mine.person.unit), link=_link(secret), link_for=person.full_name)


@allowed("accounts.manage")
def new_link(person_id: str) -> AnyResponse:
    """Give a person a new one-time link to choose a password; earlier links are void."""
    with services().database.writing() as session:
        person = accounts.find(session, person_id)
        if person is None or person.unit not in scope().unit_codes:
            return redirect(url_for("pages.people"), 303)
        secret = invitations.issue(session, person, now())
        _trace(session, "account.invite", person.id, person.name)
    return _people(Wanted(unit=scope().person.unit), link=_link(secret), link_for=person.full_name)


@allowed("accounts.manage")
def close_account(person_id: str) -> AnyResponse:
    """Close an account: it is signed out everywhere and its tokens are void."""
    mine = scope()
    with services().database.writing() as session:
        person = accounts.find(session, person_id)
        if person is None or person.unit not in mine.unit_codes or person.id == mine.person.id:
            flash(_("Không khóa được tài khoản này."), "bad")
            return redirect(url_for("pages.people"), 303)
        accounts.disable(session, person, now())
        _trace(session, "account.close", person.id, person.name)
    flash(_("Đã khóa tài khoản của %(name)s.", name=person.full_name), "done")
    return redirect(url_for("pages.people"), 303)


def _people(
    wanted: Wanted, errors: tuple[Finding, ...] = (), *, link: str = "", link_for: str = "", code: int = 200
) -> AnyResponse:
    mine = scope()
    with services().database.reading() as session:
        every: tuple[Account, ...] = accounts.every(session)
    return page(
        "people.html",
        active="people",
        code=code,
        accounts=[one for one in every if one.person.unit in mine.unit_codes],
        wanted=wanted,
        errors=errors,
        link=link,
        link_for=link_for,
        scope=mine,
        roles=list(Role),
    )


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


def _link(secret: str) -> str:
    base = services().settings.base_url
    path = url_for("pages.invitation", token=secret)
    return f"{base.rstrip('/')}{path}" if base else url_for("pages.invitation", token=secret, _external=True)


def _trace(session: Session, what: str, subject: str, detail: str) -> None:
    audit.note(
        session,
        at=now(),
        what=what,
        person=scope().person,
        address=request.remote_addr or "",
        subject=subject,
        detail=detail,
    )
