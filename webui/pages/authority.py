"""Cài đặt: what people decide for the whole authority, its units, and what the machine was told instead."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from schedules.errors import Refused
from schedules.findings import Finding
from schedules.station import Station, Unit
from schedules.text import Text
from store import audit, authority, units
from store.authority import EVERY, AnySetting, Value
from webui import auth, governing
from webui.auth import allowed
from webui.pages.layout import page
from webui.pages.scope import Scope, now, scope
from webui.pages.session import Reading
from webui.services import services

_GROUPS = (
    (Text("Duyệt bài", "Approval"), "approval."),
    (Text("An toàn", "Safety"), "safety."),
    (Text("Tin thôn gửi", "Contributions"), "inbox."),
    (Text("Địa chỉ hệ thống", "Address"), "web."),
    (Text("Thư điện tử", "Mail"), "mail."),
    (Text("Telegram", "Telegram"), "telegram."),
)
_CODE = re.compile(r"[A-Z][A-Z0-9]{1,19}")
_AUDIT_PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A setting as its form shows it. value: never that of a secret; set: whether there is one."""

    setting: AnySetting
    kind: str
    value: str
    chosen: tuple[str, ...] = ()
    set: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedUnit:
    """A unit as its form shows it, and whether a station is made with it."""

    code: str = ""
    name: str = ""
    parent: str = ""
    valid_from: str = ""
    valid_until: str = ""
    successor: str = ""
    station: bool = False


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/cai-dat", "authority", settings, methods=["GET", "POST"])
    pages.add_url_rule("/don-vi", "units", units_page)
    pages.add_url_rule("/don-vi/moi", "new_unit", new_unit, methods=["GET", "POST"])
    pages.add_url_rule("/don-vi/<code>", "unit", unit, methods=["GET", "POST"])
    pages.add_url_rule("/so-an-ninh", "audit", security_log)


@allowed("settings.edit")
def settings() -> AnyResponse:
    """Show what was decided for the whole authority, and decide it anew."""
    mine = scope()
    errors: tuple[Finding, ...] = ()
    if request.method == "POST":
        auth.require_proof()
        try:
            changed = governing.decide(_typed(), person=mine.person)
        except Refused as refused:
            errors = refused.findings
        else:
            flash(_("Đã lưu cài đặt.") if changed else _("Không có gì thay đổi."), "done")
            return redirect(url_for("pages.authority"), 303)
    with services().database.reading() as session:
        fields = [_field(setting, authority.any_value(session, setting)) for setting in EVERY.values()]
    if errors:
        fields = [_as_typed(field) for field in fields]
    groups = [(name, [field for field in fields if field.setting.key.startswith(prefix)]) for name, prefix in _GROUPS]
    rest = [field for field in fields if not any(field.setting.key.startswith(prefix) for _name, prefix in _GROUPS)]
    return page(
        "authority.html",
        active="authority",
        code=422 if errors else 200,
        errors=errors,
        groups=[(name, its) for name, its in (*groups, (Text("Khác", "Other"), rest)) if its],
        machine=services().settings.machine,
        whole=governing.of_whole(mine.person),
    )


@allowed("settings.edit")
def units_page() -> AnyResponse:
    """List the units of the reader with their stations, those that ended too."""
    mine = scope()
    stations: dict[str, list[Station]] = {}
    for station in mine.stations:
        stations.setdefault(station.unit, []).append(station)
    return page(
        "units.html",
        active="authority",
        scope=mine,
        stations=stations,
        depth=_depths(mine),
    )


@allowed("settings.edit")
def new_unit() -> AnyResponse:
    """Add a unit below one of the reader's, with a loudspeaker station of its own if asked."""
    mine = scope()
    if request.method == "GET":
        return _unit_form(mine, WantedUnit(parent=mine.person.unit, station=True), None)
    wanted = _wanted_unit()
    reading = Reading()
    made = _unit_of(mine, wanted, reading, None)
    if made is None:
        return _unit_form(mine, wanted, None, tuple(reading.problems))
    auth.require_proof()
    try:
        governing.add_unit(made, station=wanted.station, person=mine.person)
    except Refused as refused:
        return _unit_form(mine, wanted, None, refused.findings)
    flash(_("Đã thêm đơn vị %(name)s.", name=made.name), "done")
    return redirect(url_for("pages.units"), 303)


@allowed("settings.edit")
def unit(code: str) -> AnyResponse:
    """Show a unit with its dates and successor, or change it."""
    mine = scope()
    known = next((one for one in mine.units if one.code == code), None)
    if known is None:
        abort(404)
    if request.method == "GET":
        shown = WantedUnit(
            code=known.code,
            name=known.name,
            parent=known.parent or "",
            valid_from=known.valid_from.isoformat() if known.valid_from else "",
            valid_until=known.valid_until.isoformat() if known.valid_until else "",
            successor=known.successor or "",
        )
        return _unit_form(mine, shown, known)
    wanted = replace(_wanted_unit(), code=code)
    reading = Reading()
    made = _unit_of(mine, wanted, reading, known)
    if made is None:
        return _unit_form(mine, wanted, known, tuple(reading.problems))
    auth.require_proof()
    try:
        governing.change_unit(made, person=mine.person)
    except Refused as refused:
        return _unit_form(mine, wanted, known, refused.findings)
    flash(_("Đã lưu đơn vị %(name)s.", name=made.name), "done")
    return redirect(url_for("pages.units"), 303)


@allowed("audit.read")
def security_log() -> AnyResponse:
    """Show who did, or tried to do, what: the security log, newest first."""
    mine = scope()
    asked = request.args.get("truoc", "")
    before = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 16 else None
    with services().database.reading() as session:
        whole = governing.of_whole(mine.person)
        found = audit.newest(session, before=before, limit=_AUDIT_PAGE + 1, units=None if whole else mine.unit_codes)
    more = found[_AUDIT_PAGE - 1].id if len(found) > _AUDIT_PAGE else None
    return page("audit.html", active="more", entries=found[:_AUDIT_PAGE], more=more, whole=whole)


def _typed() -> dict[str, Value | None]:
    form = request.form
    found: dict[str, Value | None] = {}
    for key, setting in EVERY.items():
        if isinstance(setting.usual, bool):
            found[key] = form.get(key) == "1"
        elif isinstance(setting.usual, tuple):
            found[key] = tuple(form.getlist(key))
        elif isinstance(setting.usual, int):
            typed = form.get(key, "").strip()
            found[key] = None if key not in form else int(typed) if re.fullmatch(r"\d{1,7}", typed) else -1
        elif setting.secret:
            # An empty field leaves the secret as it is; it is taken away by its own tick.
            typed = form.get(key, "")
            found[key] = "" if form.get(f"{key}.remove") == "1" else typed or None
        else:
            found[key] = None if key not in form else form.get(key, "").strip()
    return found


def _field(setting: AnySetting, value: object) -> Field:
    if isinstance(value, bool):
        return Field(setting=setting, kind="tick", value="1" if value else "")
    if isinstance(value, tuple):
        return Field(setting=setting, kind="several", value="", chosen=value)
    if setting.secret:
        return Field(setting=setting, kind="secret", value="", set=bool(value))
    kind = "one" if setting.among else "number" if isinstance(value, int) else "text"
    return Field(setting=setting, kind=kind, value=str(value))


def _as_typed(field: Field) -> Field:
    if field.kind == "secret":
        return field
    if field.kind == "several":
        return replace(field, chosen=tuple(request.form.getlist(field.setting.key)))
    return replace(field, value=request.form.get(field.setting.key, "")[:500])


def _wanted_unit() -> WantedUnit:
    form = request.form

    def line(name: str, most: int = 200) -> str:
        return " ".join(form.get(name, "").split())[:most]

    return WantedUnit(
        code=line("code", 40).upper(),
        name=line("name"),
        parent=line("parent", 40),
        valid_from=line("valid_from", 20),
        valid_until=line("valid_until", 20),
        successor=line("successor", 40),
        station=form.get("station") == "1",
    )


def _unit_of(mine: Scope, wanted: WantedUnit, reading: Reading, known: Unit | None) -> Unit | None:
    if not _CODE.fullmatch(wanted.code):
        reading.wrong("code", "Mã gồm 2 đến 20 chữ in hoa không dấu và chữ số.", "A code is 2 to 20 of A-Z and 0-9.")
    if known is None and any(one.code == wanted.code for one in mine.all_units):
        reading.wrong("code", "Mã này đã có đơn vị dùng.", "A unit has this code already.")
    if not wanted.name:
        reading.wrong("name", "Hãy ghi tên đơn vị.", "Name the unit.")
    top = known is not None and known.code == mine.person.unit
    if not top and (wanted.parent not in mine.unit_codes or wanted.parent == wanted.code):
        reading.wrong("parent", "Hãy chọn đơn vị cấp trên.", "Choose the unit above.")
    if wanted.successor and (wanted.successor not in mine.unit_codes or wanted.successor == wanted.code):
        reading.wrong("successor", "Không có đơn vị này.", "There is no such unit.")
    first, last = reading.day("valid_from", wanted.valid_from), reading.day("valid_until", wanted.valid_until)
    if first and last and last < first:
        reading.wrong("valid_until", "Ngày cuối trước ngày đầu.", "The last day is before the first.")
    if reading.problems:
        return None
    return Unit(
        code=wanted.code,
        name=wanted.name,
        parent=known.parent if top and known else wanted.parent,
        valid_from=first,
        valid_until=last,
        successor=wanted.successor or None,
    )


def _unit_form(mine: Scope, wanted: WantedUnit, known: Unit | None, errors: tuple[Finding, ...] = ()) -> AnyResponse:
    with services().database.reading() as session:
        every = units.every(session)
    here: list[Station] = [one for one in mine.stations if known is not None and one.unit == known.code]
    return page(
        "unit.html",
        active="authority",
        code=422 if errors else 200,
        errors=errors,
        wanted=wanted,
        known=known,
        stations=here,
        others=[one for one in every if one.code in mine.unit_codes and one.code != wanted.code],
        top=known is not None and known.code == mine.person.unit,
        today=now(),
    )


def _depths(mine: Scope) -> list[tuple[Unit, int]]:
    """Return the reader's units as a tree: each with how far it is below theirs."""
    children: dict[str | None, list[Unit]] = {}
    for one in mine.units:
        children.setdefault(one.parent, []).append(one)
    found: list[tuple[Unit, int]] = []
    waiting = [(one, 0) for one in mine.units if one.code == mine.person.unit]
    while waiting:
        one, depth = waiting.pop()
        found.append((one, depth))
        waiting += [(child, depth + 1) for child in reversed(children.get(one.code, []))]
    return found
