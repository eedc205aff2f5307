"""Sổ thiết bị: every device with its record, spare parts, and the register as a table to take away and bring back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from schedules.errors import NotAllowed, Refused, Unknown
from schedules.findings import Finding
from schedules.station import Station
from schedules.text import Text
from store import equipment, steps, tickets
from store.equipment import Device, DeviceKind, DeviceState, Mark, Sheet, Spare
from store.steps import Step, Subject
from webui import devicesheet
from webui import upkeep as acts
from webui.auth import allowed
from webui.bodies import takes
from webui.devicesheet import Unreadable, Vocabulary
from webui.pages import states, upkeepwords
from webui.pages.answers import Part
from webui.pages.formats import language, local, moment_short, number
from webui.pages.language import say
from webui.pages.layout import page
from webui.pages.scope import Scope, now, scope
from webui.pages.session import Reading
from webui.pages.tickets import Moment
from webui.pages.tickets import row as ticket_row
from webui.rights import can
from webui.services import services

_PAGE = 50
_TABLE_MOST = 50_000
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
VOCABULARY = Vocabulary(
    columns=upkeepwords.FIELDS,
    kinds=upkeepwords.KINDS,
    states={state: mark.word for state, mark in upkeepwords.CONDITIONS.items()},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A device in a list."""

    device: Device
    mark: states.Mark
    name: str
    about: str


def table_bytes() -> int:
    """Return how many bytes a table of devices may have."""
    return devicesheet.MOST_BYTES


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/thiet-bi/may", "devices", devices)
    pages.add_url_rule("/thiet-bi/may/moi", "new_device", new_device, methods=["GET", "POST"])
    pages.add_url_rule("/thiet-bi/may/nhap", "import_devices", import_devices, methods=["GET", "POST"])
    pages.add_url_rule("/thiet-bi/may.csv", "devices_csv", devices_csv)
    pages.add_url_rule("/thiet-bi/may.xlsx", "devices_xlsx", devices_xlsx)
    pages.add_url_rule("/thiet-bi/may/<device>", "device", device)
    pages.add_url_rule("/thiet-bi/may/<device>", "change_device", change_device, methods=["POST"])
    pages.add_url_rule("/thiet-bi/vat-tu", "spares", spares)
    pages.add_url_rule("/thiet-bi/vat-tu", "keep_spare", keep_spare, methods=["POST"])


@allowed("equipment.read")
def devices() -> AnyResponse:
    """List the devices."""
    mine = scope()
    chosen, kind, state, cluster = _asked(mine)
    codes = (chosen,) if chosen else mine.station_codes
    with services().database.reading() as session:
        found = equipment.listing(
            session,
            stations=codes,
            kind=kind,
            state=state,
            cluster=cluster or None,
            after=_mark(request.args.get("sau", "")),
            limit=_PAGE + 1,
        )
        counts = equipment.counts(session, codes)
    query = {
        "dai": chosen,
        "loai": kind.value if kind else "",
        "tinh_trang": state.value if state else "",
        "cum": cluster,
    }
    given = urlencode({name: value for name, value in query.items() if value})
    more = ""
    if len(found) > _PAGE:
        last = found[_PAGE - 1].sheet
        more = f"{url_for('pages.devices')}?{given}&{urlencode({'sau': f'{last.station}~{last.code}'})}"
    return page(
        "devices.html",
        active="equipment",
        answer=_answer(counts),
        rows=[_row(mine, one) for one in found[:_PAGE]],
        scope=mine,
        chosen=chosen,
        kind=kind,
        state=state,
        kinds=list(upkeepwords.KINDS.items()),
        conditions=list(upkeepwords.CONDITIONS.items()),
        more=more,
        csv_url=f"{url_for('pages.devices_csv')}?{given}",
        xlsx_url=f"{url_for('pages.devices_xlsx')}?{given}",
        may_edit=can(mine.person, acts.EDIT),
    )


@allowed("equipment.edit")
def new_device() -> AnyResponse:
    """Show the form of a new device, or enter it."""
    mine = scope()
    if request.method == "GET":
        first = mine.station(request.args["dai"]).code if request.args.get("dai") else ""
        return _form(mine, {"station": first, "cluster": request.args.get("cum", "")}, None, ())
    values = request.form.to_dict()
    sheet, problems = _read(mine, values, None)
    if sheet is None:
        return _form(mine, values, None, problems)
    try:
        made = acts.add_device(sheet, person=mine.person)
    except (NotAllowed, Unknown):
        raise
    except Refused as refused:
        return _form(mine, values, None, refused.findings)
    flash(_("Đã ghi thiết bị %(code)s vào sổ.", code=sheet.code), "done")
    return redirect(url_for("pages.device", device=made.id), 303)


@allowed("equipment.read")
def device(device: str) -> AnyResponse:
    """Show the record of a device."""
    mine = scope()
    known, station = acts.visible_device(device, person=mine.person)
    return _record(mine, known, station, _shown(known.sheet), ())


@allowed("equipment.edit")
def change_device(device: str) -> AnyResponse:
    """Write what a device is now; what it was stays in its record."""
    mine = scope()
    known, station = acts.visible_device(device, person=mine.person)
    values = request.form.to_dict() | {"station": station.code}
    sheet, problems = _read(mine, values, known)
    if sheet is None:
        return _record(mine, known, station, values, problems)
    try:
        revision = int(values.get("revision", "0")) if values.get("revision", "").isdecimal() else 0
        done = acts.change_device(device, sheet, revision=revision, person=mine.person)
    except (NotAllowed, Unknown):
        raise
    except Refused as refused:
        return _record(mine, known, station, values, refused.findings)
    flash(_("Đã lưu. Lý lịch giữ cả điều trước đó.") if done else _("Không có gì thay đổi."), "done")
    return redirect(url_for("pages.device", device=device), 303)


@allowed("equipment.read")
def devices_csv() -> AnyResponse:
    """Give the register as CSV."""
    content = devicesheet.as_csv(_all_asked(), VOCABULARY, language())
    return _file(content, "text/csv; charset=utf-8", "csv")


@allowed("equipment.read")
def devices_xlsx() -> AnyResponse:
    """Give the register as a workbook."""
    return _file(devicesheet.as_xlsx(_all_asked(), VOCABULARY, language()), _XLSX, "xlsx")


@allowed("equipment.edit")
@takes(table_bytes)
def import_devices() -> AnyResponse:
    """Take a table of devices in: all of its rows, or none and what is wrong with them."""
    mine = scope()
    if request.method == "GET":
        return page("devices_import.html", active="equipment", errors=(), columns=_columns())
    problems: tuple[Finding, ...]
    try:
        upload = request.files.get("table")
        content = upload.stream.read(devicesheet.MOST_BYTES + 1) if upload is not None else b""
        if not content or len(content) > devicesheet.MOST_BYTES:
            raise Unreadable
        folded = {" ".join(text.casefold().split()): one.code for one in mine.stations for text in (one.code, one.name)}
        sheets, problems = devicesheet.sheets_of(devicesheet.rows_of(content), VOCABULARY, folded)
        if not problems:
            added, written = acts.import_devices(sheets, person=mine.person)
    except Unreadable:
        problems = (
            acts.wrong(
                "table",
                "Tệp này không phải bảng CSV (UTF-8) hay XLSX, hoặc lớn quá 2 MB. Chưa nhập gì.",
                "This is no CSV (UTF-8) or XLSX table, or it exceeds 2 MB. Nothing was taken.",
            ),
        )
    except (NotAllowed, Unknown):
        raise
    except Refused as refused:
        problems = refused.findings
    if problems:
        return page("devices_import.html", active="equipment", code=422, errors=problems, columns=_columns())
    flash(_("Đã nhập: %(new)s thiết bị mới, %(changed)s thiết bị có thay đổi.", new=added, changed=written), "done")
    return redirect(url_for("pages.devices"), 303)


@allowed("equipment.read")
def spares() -> AnyResponse:
    """List the spare parts, what has run out first."""
    return _spares(())


@allowed("equipment.edit")
def keep_spare() -> AnyResponse:
    """Enter a spare part, or write how many there are now."""
    form = request.form
    reading = Reading()
    quantity = form.get("quantity", "").strip()
    name = " ".join(form.get("name", "").split())
    if not name:
        reading.wrong("name", "Hãy ghi tên vật tư.", "Name the part.")
    if not (quantity.isascii() and quantity.isdecimal() and len(quantity) <= 6):
        reading.wrong("quantity", "Số lượng là số từ 0.", "A quantity is a number from 0.")
    if reading.problems:
        return _spares(tuple(reading.problems))
    spare = Spare(
        id=form.get("ma", ""),
        station=form.get("station", ""),
        name=name,
        measure=" ".join(form.get("measure", "").split()) or "cái",
        quantity=int(quantity),
        place=" ".join(form.get("place", "").split()),
        note="",
    )
    acts.keep_spare(spare, text=form.get("text", ""), person=scope().person)
    flash(_("Đã lưu “%(name)s”.", name=name), "done")
    return redirect(url_for("pages.spares", dai=request.args.get("dai") or None), 303)


def _spares(errors: tuple[Finding, ...]) -> AnyResponse:
    mine = scope()
    chosen = request.args.get("dai", "")
    codes = (mine.station(chosen).code,) if chosen else mine.station_codes
    with services().database.reading() as session:
        found = equipment.spares(session, codes)
    gone = sum(1 for one in found if one.quantity == 0)
    answer = [Part(text=_("Chưa ghi vật tư nào."))]
    if found:
        answer = [Part(text=ngettext("%(num)d loại vật tư.", "%(num)d loại vật tư.", len(found)))]
    if gone:
        answer.append(Part(text=ngettext("%(num)d loại đã hết.", "%(num)d loại đã hết.", gone), tone="warn"))
    return page(
        "spares.html",
        active="equipment",
        code=422 if errors else 200,
        answer=answer,
        found=found,
        scope=mine,
        chosen=chosen,
        errors=errors,
        form=request.form,
        may_edit=can(mine.person, acts.EDIT),
    )


def _asked(mine: Scope) -> tuple[str, DeviceKind | None, DeviceState | None, str]:
    chosen = request.args.get("dai", "")
    kind = next((one for one in DeviceKind if one.value == request.args.get("loai", "")), None)
    state = next((one for one in DeviceState if one.value == request.args.get("tinh_trang", "")), None)
    return mine.station(chosen).code if chosen else "", kind, state, request.args.get("cum", "")


def _all_asked() -> tuple[Device, ...]:
    mine = scope()
    chosen, kind, state, cluster = _asked(mine)
    with services().database.reading() as session:
        return equipment.listing(
            session,
            stations=(chosen,) if chosen else mine.station_codes,
            kind=kind,
            state=state,
            cluster=cluster or None,
            limit=_TABLE_MOST,
        )


def _file(content: bytes, media_type: str, suffix: str) -> Response:
    response = Response(content, content_type=media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="thiet-bi-{local(now()).date()}.{suffix}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _answer(counts: Mapping[DeviceState, int]) -> tuple[Part, ...]:
    used = sum(n for state, n in counts.items() if state is not DeviceState.RETIRED)
    if not used:
        return (Part(text=_("Chưa có thiết bị nào trong sổ.")),)
    parts = [Part(text=ngettext("%(num)d thiết bị đang dùng.", "%(num)d thiết bị đang dùng.", used))]
    broken, weak = counts.get(DeviceState.BROKEN, 0), counts.get(DeviceState.WEAK, 0)
    if broken:
        parts.append(Part(text=ngettext("%(num)d hỏng.", "%(num)d hỏng.", broken), tone="bad"))
    if weak:
        parts.append(Part(text=ngettext("%(num)d xuống cấp.", "%(num)d xuống cấp.", weak), tone="warn"))
    return tuple(parts)


def _row(mine: Scope, one: Device) -> Row:
    sheet = one.sheet
    station = mine.station(sheet.station)
    cluster = next((group.name for group in station.groups if group.code == sheet.cluster), sheet.cluster)
    about = [sheet.code, say(upkeepwords.KINDS[sheet.kind])]
    if len(mine.stations) > 1:
        about.append(station.name)
    about += [part for part in (cluster, sheet.place) if part]
    today = local(now(), station.zone).date()
    if sheet.warranty_until is not None:
        covered = sheet.warranty_until >= today
        day = f"{sheet.warranty_until:%d/%m/%Y}"
        about.append(_("bảo hành tới %(day)s", day=day) if covered else _("hết bảo hành %(day)s", day=day))
    name = sheet.name or " ".join(part for part in (sheet.maker, sheet.model) if part)
    return Row(
        device=one,
        mark=upkeepwords.CONDITIONS[sheet.state],
        name=name or say(upkeepwords.KINDS[sheet.kind]),
        about=" · ".join(about),
    )


def _read(mine: Scope, values: Mapping[str, str], known: Device | None) -> tuple[Sheet | None, tuple[Finding, ...]]:
    reading = Reading()
    text = {name: " ".join(values.get(name, "").split())[:200] for name in upkeepwords.FIELDS}
    # One field names both: the station, and the cluster where there is one.
    station, _space, cluster = (
        text["cluster"].partition(" ") if known is None else (known.sheet.station, "", text["cluster"])
    )
    if not any(one.code == station for one in mine.stations):
        reading.wrong("cluster", "Hãy chọn đài.", "Choose the station.")
    if not devicesheet.readable_code(text["code"]):
        reading.wrong(
            "code",
            "Mã thiết bị gồm chữ không dấu, số, . _ / -, tới 40 ký tự.",
            "A device code is letters, digits, . _ / -, at most 40.",
        )
    kind = next((one for one in DeviceKind if one.value == text["kind"]), DeviceKind.OTHER)
    state = next((one for one in DeviceState if one.value == text["state"]), DeviceState.WORKING)
    days = {
        name: reading.day(name, values.get(name, "")) for name in ("in_service", "warranty_until", "contract_until")
    }
    places: dict[str, float | None] = {"latitude": None, "longitude": None}
    for name, most in (("latitude", 90.0), ("longitude", 180.0)):
        try:
            places[name] = devicesheet.read_degrees(text[name], most)
        except ValueError:
            reading.wrong(name, "Tọa độ là số thập phân, như 14,9163.", "A coordinate is a number such as 14.9163.")
    if (places["latitude"] is None) != (places["longitude"] is None) and not reading.problems:
        reading.wrong("longitude", "Tọa độ cần cả vĩ độ và kinh độ.", "Coordinates are both latitude and longitude.")
    if reading.problems:
        return None, tuple(reading.problems)
    return (
        Sheet(
            station=station,
            code=text["code"],
            kind=kind,
            name=text["name"],
            cluster=cluster,
            maker=text["maker"],
            model=text["model"],
            serial=text["serial"][:80],
            in_service=days["in_service"],
            warranty_until=days["warranty_until"],
            contract=text["contract"],
            contract_until=days["contract_until"],
            place=text["place"],
            latitude=places["latitude"],
            longitude=places["longitude"],
            state=state,
            note=values.get("note", "").strip()[:1000],
        ),
        (),
    )


def _shown(sheet: Sheet) -> dict[str, str]:
    values: dict[str, str] = {}
    for name in upkeepwords.FIELDS:
        value = getattr(sheet, name)
        values[name] = value.isoformat() if isinstance(value, date) else "" if value is None else str(value)
    return values


def _form(mine: Scope, values: Mapping[str, str], known: Device | None, errors: tuple[Finding, ...]) -> AnyResponse:
    stations = [one for one in mine.stations if can(mine.person, acts.EDIT, one)]
    first = values.get("station", "")
    where = values.get("cluster", "")
    return page(
        "device_new.html",
        active="equipment",
        code=422 if errors else 200,
        stations=([one for one in stations if one.code == first] or stations)[:200],
        where=f"{first} {where}".strip() if first else where,
        values=values,
        errors=errors,
        words=upkeepwords.FIELDS,
        kinds=list(upkeepwords.KINDS.items()),
        conditions=list(upkeepwords.CONDITIONS.items()),
    )


def _record(
    mine: Scope, known: Device, station: Station, values: Mapping[str, str], errors: tuple[Finding, ...]
) -> AnyResponse:
    today = local(now(), station.zone).date()
    with services().database.reading() as session:
        found = steps.of(session, Subject.DEVICE, known.id)
        its = tickets.of_device(session, known.id)
    return page(
        "device.html",
        active="equipment",
        code=422 if errors else 200,
        device=known,
        station=station,
        row=_row(mine, known),
        values=values,
        errors=errors,
        words=upkeepwords.FIELDS,
        kinds=list(upkeepwords.KINDS.items()),
        conditions=list(upkeepwords.CONDITIONS.items()),
        moments=[_moment(station, one) for one in reversed(found)],
        tickets=[ticket_row(mine, one, today) for one in its],
        may_edit=can(mine.person, acts.EDIT, station),
        fields=_facts(known.sheet, station),
    )


def _facts(sheet: Sheet, station: Station) -> list[tuple[str, str]]:
    facts = []
    for name, word in upkeepwords.FIELDS.items():
        if name in ("name", "note", "state", "latitude", "longitude", "station"):
            continue
        said = _said(station, name, getattr(sheet, name))
        if said:
            facts.append((say(word), said))
    if sheet.latitude is not None and sheet.longitude is not None:
        facts.append((_("Tọa độ"), f"{number(sheet.latitude, 5)}; {number(sheet.longitude, 5)}"))
    return facts


def _said(station: Station, name: str, value: object) -> str:
    text = "" if value is None else str(value)
    if isinstance(value, date) or (name in ("in_service", "warranty_until", "contract_until") and text):
        return f"{date.fromisoformat(text):%d/%m/%Y}"
    if name == "kind":
        return say(upkeepwords.KINDS[DeviceKind(text)]) if text else ""
    if name == "state":
        return say(upkeepwords.CONDITIONS[DeviceState(text)].word) if text else ""
    if name == "cluster":
        return next((group.name for group in station.groups if group.code == text), text)
    return text


def _moment(station: Station, step: Step) -> Moment:
    lines = []
    for name, both in step.details.items():
        if step.what != "changed" or name not in upkeepwords.FIELDS:
            continue
        before, after = (_said(station, name, one) or "–" for one in both)
        lines.append(f"{say(upkeepwords.FIELDS[name])}: {before} → {after}")
    return Moment(
        word=say(upkeepwords.STEPS.get(step.what, Text(step.what, step.what))),
        text="; ".join(lines) or step.text,
        about=f"{moment_short(step.at, station.zone)} · {step.name}",
        picture="",
        what=step.what,
    )


def _columns() -> str:
    return ", ".join(say(upkeepwords.FIELDS[name]) for name in devicesheet.COLUMNS)


def _mark(text: str) -> Mark | None:
    station, tilde, code = text.partition("~")
    return Mark(station=station, code=code) if tilde else None
