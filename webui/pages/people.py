"""Tài khoản: the accounts of the reader's units, and who approves for whom while a leader is away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from schedules.calendar import instant
from schedules.errors import Refused
from schedules.findings import Finding, Severity
from schedules.text import Text
from store import accounts, deputies, second_factors
from store.accounts import Account, Role
from webui import auth, staffing
from webui.auth import allowed
from webui.pages.entrance import base_url
from webui.pages.formats import DEFAULT_ZONE, local, parse_day
from webui.pages.layout import page
from webui.pages.scope import Scope, now, scope
from webui.rights import can
from webui.services import services

_A_PAGE = 50
_MAY_STAND_IN = (Role.OPERATOR, Role.APPROVER, Role.CENTRE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An account as its form shows it."""

    name: str = ""
    full_name: str = ""
    role: str = Role.OPERATOR.value
    unit: str = ""


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/nguoi-dung", "people", people, methods=["GET", "POST"])
    pages.add_url_rule("/nguoi-dung/<person_id>", "one_person", one_person, methods=["GET", "POST"])
    pages.add_url_rule("/nguoi-dung/<person_id>/lien-ket", "new_link", new_link, methods=["POST"])
    pages.add_url_rule("/nguoi-dung/<person_id>/khoa", "close_account", close_account, methods=["POST"])
    pages.add_url_rule("/nguoi-dung/<person_id>/mo-lai", "reopen_account", reopen_account, methods=["POST"])
    pages.add_url_rule("/nguoi-dung/<person_id>/tat-hai-buoc", "drop_second", drop_second, methods=["POST"])
    pages.add_url_rule("/duyet-thay", "deputies", deputies_page, methods=["GET", "POST"])
    pages.add_url_rule("/duyet-thay/<deputy>/bo", "revoke_deputy", revoke_deputy, methods=["POST"])


@allowed("accounts.manage")
def people() -> AnyResponse:
    """List the accounts, and make a new one with its one-time link."""
    mine = scope()
    if request.method == "GET":
        return _people(Wanted(unit=mine.person.unit))
    wanted = _wanted()
    role = _role(wanted.role)
    if role is None or wanted.unit not in mine.unit_codes:
        return _people(wanted, (_choose(),), code=422)
    auth.require_proof()
    try:
        made, secret = staffing.invite(
            name=wanted.name, full_name=wanted.full_name, role=role, unit=wanted.unit, person=mine.person
        )
    except Refused as refused:
        return _people(wanted, refused.findings, code=422)
    return _people(Wanted(unit=mine.person.unit), link=_link(secret), link_for=made.full_name)


@allowed("accounts.manage")
def one_person(person_id: str) -> AnyResponse:
    """Show one account with what may be changed: name, role, unit."""
    mine = scope()
    its = _account(mine, person_id)
    errors: tuple[Finding, ...] = ()
    if request.method == "POST":
        wanted = _wanted()
        role = _role(wanted.role)
        if role is None or wanted.unit not in mine.unit_codes:
            return _one(mine, its, wanted, (_choose(),))
        auth.require_proof()
        try:
            staffing.change(its.person.id, full_name=wanted.full_name, role=role, unit=wanted.unit, person=mine.person)
        except Refused as refused:
            errors = refused.findings
        else:
            flash(_("Đã lưu tài khoản của %(name)s.", name=wanted.full_name or its.person.name), "done")
            return redirect(url_for("pages.people"), 303)
        return _one(mine, its, wanted, errors)
    known = its.person
    shown = Wanted(name=known.name, full_name=known.full_name, role=known.role.value, unit=known.unit)
    return _one(mine, its, shown)


@allowed("accounts.manage")
def new_link(person_id: str) -> AnyResponse:
    """Give a person a new one-time link to choose a password; earlier links are void."""
    auth.require_proof()
    target, secret = staffing.new_link(person_id, person=scope().person)
    return _people(Wanted(unit=scope().person.unit), link=_link(secret), link_for=target.full_name)


@allowed("accounts.manage")
def close_account(person_id: str) -> AnyResponse:
    """Close an account: it is signed out everywhere and its tokens are void."""
    auth.require_proof()
    target = staffing.close(person_id, person=scope().person)
    flash(_("Đã khóa tài khoản của %(name)s.", name=target.full_name), "done")
    return redirect(url_for("pages.people"), 303)


@allowed("accounts.manage")
def reopen_account(person_id: str) -> AnyResponse:
    """Open a closed account again."""
    auth.require_proof()
    target = staffing.reopen(person_id, person=scope().person)
    flash(_("Đã mở lại tài khoản của %(name)s.", name=target.full_name), "done")
    return redirect(url_for("pages.people"), 303)


@allowed("accounts.manage")
def drop_second(person_id: str) -> AnyResponse:
    """Take off the second factor of somebody who lost their phone."""
    auth.require_proof()
    target = staffing.drop_second_factor(person_id, person=scope().person)
    flash(_("Đã tắt mã hai bước của %(name)s.", name=target.full_name), "done")
    return redirect(url_for("pages.one_person", person_id=target.id), 303)


@allowed("deputies.edit")
def deputies_page() -> AnyResponse:
    """Show who approves for whom, and name somebody with dates."""
    mine = scope()
    errors: tuple[Finding, ...] = ()
    today = local(now()).date()
    form = request.form
    if request.method == "POST":
        first, last = parse_day(form.get("since", "")), parse_day(form.get("until", ""))
        if first is None or last is None:
            errors = (_no_dates(),)
        else:
            auth.require_proof()
            try:
                staffing.name_deputy(
                    whom=form.get("person", ""),
                    leader=form.get("leader", ""),
                    unit=form.get("unit", "") or mine.person.unit,
                    since=_begin(first, today),
                    until=_midnight(last + timedelta(days=1)),
                    reason=form.get("reason", "")[:500],
                    person=mine.person,
                )
            except Refused as refused:
                errors = refused.findings
            else:
                flash(_("Đã giao quyền duyệt thay. Quyền tự hết sau ngày cuối."), "done")
                return redirect(url_for("pages.deputies"), 303)
    with services().database.reading() as session:
        known = deputies.listing(session, mine.unit_codes, since=now() - timedelta(days=60))
        every = accounts.of_units(session, mine.unit_codes, limit=500)
    staff = [one.person for one in every if one.disabled_at is None and one.has_password]
    leads = mine.person.role in (Role.APPROVER, Role.CENTRE)
    return page(
        "deputies.html",
        active="more",
        code=422 if errors else 200,
        errors=errors,
        scope=mine,
        now=now(),
        today=today,
        standing=[one for one in known if one.stands(now())],
        others=[one for one in known if not one.stands(now())],
        people=[one for one in staff if one.role in _MAY_STAND_IN and one.id != mine.person.id],
        leaders=[] if leads else [one for one in staff if one.role in (Role.APPROVER, Role.CENTRE)],
        typed=form,
    )


@allowed("deputies.edit")
def revoke_deputy(deputy: str) -> AnyResponse:
    """Take a naming back."""
    staffing.revoke_deputy(deputy, person=scope().person)
    flash(_("Đã thôi giao duyệt thay."), "done")
    return redirect(url_for("pages.deputies"), 303)


def _wanted() -> Wanted:
    form = request.form
    return Wanted(
        name=form.get("name", ""),
        full_name=form.get("full_name", ""),
        role=form.get("role", ""),
        unit=form.get("unit", ""),
    )


def _role(value: str) -> Role | None:
    return next((role for role in Role if role.value == value), None)


def _account(mine: Scope, person_id: str) -> Account:
    with services().database.reading() as session:
        found = accounts.account(session, person_id)
    if found is None or found.person.unit not in mine.unit_codes or not can(mine.person, "accounts.manage"):
        abort(404)
    return found


def _one(mine: Scope, its: Account, wanted: Wanted, errors: tuple[Finding, ...] = ()) -> AnyResponse:
    with services().database.reading() as session:
        second = second_factors.in_use(session, its.person)
    return page(
        "one_person.html",
        active="people",
        code=422 if errors else 200,
        its=its,
        wanted=wanted,
        errors=errors,
        scope=mine,
        roles=list(Role),
        second=second,
        own=its.person.id == mine.person.id,
    )


def _people(
    wanted: Wanted, errors: tuple[Finding, ...] = (), *, link: str = "", link_for: str = "", code: int = 200
) -> AnyResponse:
    mine = scope()
    after = request.args.get("sau", "")[:80]
    with services().database.reading() as session:
        found = accounts.of_units(session, mine.unit_codes, after=after, limit=_A_PAGE + 1)
    return page(
        "people.html",
        active="people",
        code=code,
        accounts=found[:_A_PAGE],
        more=found[_A_PAGE - 1].person.name if len(found) > _A_PAGE else "",
        wanted=wanted,
        errors=errors,
        link=link,
        link_for=link_for,
        scope=mine,
        roles=list(Role),
    )


def _link(secret: str) -> str:
    base = base_url()
    path = url_for("pages.invitation", token=secret)
    return f"{base}{path}" if base else url_for("pages.invitation", token=secret, _external=True)


def _choose() -> Finding:
    return Finding(
        code="account_wrong",
        severity=Severity.ERROR,
        where="unit",
        message=Text("Hãy chọn vai trò và đơn vị.", "Choose a role and a unit."),
    )


def _no_dates() -> Finding:
    return Finding(
        code="deputy_dates",
        severity=Severity.ERROR,
        where="until",
        message=Text("Hãy ghi ngày đầu và ngày cuối. Chưa có gì thay đổi.", "Give the first and the last day."),
    )


def _midnight(day: date) -> datetime:
    return instant(ZoneInfo(DEFAULT_ZONE), day, time(0))


def _begin(day: date, today: date) -> datetime:
    return now() if day <= today else _midnight(day)
