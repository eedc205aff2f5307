"""Kiểm tra: rounds of the tier above with their check list and minutes, and the communes' own checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from schedules.checklist import CLUSTER, EVERY, ROUND, Result, check_due
from schedules.errors import NotAllowed, Refused, Unknown
from schedules.findings import Finding
from schedules.station import Station
from store import inspections, tickets, upkeep
from store.inspections import Found, Inspection
from webui import inspecting, photos
from webui.auth import allowed
from webui.bodies import takes
from webui.pages import states, upkeepwords
from webui.pages.answers import Part
from webui.pages.formats import day_long, day_short, local, parse_day
from webui.pages.language import say
from webui.pages.layout import page
from webui.pages.scope import Scope, now, scope
from webui.rights import can
from webui.services import services

_PAGE = 50
_DUE_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line of the check list as it shows. picture, ticket: addresses, empty for none."""

    code: str
    words: str
    found: Found
    mark: states.Mark
    picture: str
    ticket: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An inspection in a list."""

    inspection: Inspection
    name: str
    about: str
    mark: states.Mark


def photos_bytes() -> int:
    """Return how many bytes the photos of one inspection may have together."""
    return 3 * photos.PHOTO_BYTES


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/kiem-tra", "inspections", show)
    pages.add_url_rule("/kiem-tra/moi", "new_round", new_round, methods=["GET", "POST"])
    pages.add_url_rule("/kiem-tra/tu-kiem-tra", "own_check", own_check, methods=["POST"])
    pages.add_url_rule("/kiem-tra/dot/<round>", "inspection_round", inspection_round)
    pages.add_url_rule("/kiem-tra/dot/<round>/ket-thuc", "close_round", close_round, methods=["POST"])
    pages.add_url_rule("/kiem-tra/<inspection>", "inspection", inspection)
    pages.add_url_rule("/kiem-tra/<inspection>", "save_inspection", save_inspection, methods=["POST"])
    pages.add_url_rule("/kiem-tra/<inspection>/bien-ban", "minutes", minutes)
    pages.add_url_rule("/kiem-tra/<inspection>/anh/<item>", "inspection_picture", inspection_picture)


@allowed("inspections.read")
def show() -> AnyResponse:
    """Show the rounds, the communes' own checks, and which of these are owed."""
    mine = scope()
    today = local(now()).date()
    with services().database.reading() as session:
        rounds = inspections.rounds_with(session, mine.station_codes)
        progress = inspections.progress(session, [one.id for one in rounds])
        opened = [one for one in inspections.open_ones(session, mine.station_codes, limit=200) if one.round is None]
        newest = inspections.listing(session, stations=mine.station_codes)
        last = inspections.last_own(session, mine.station_codes)
        rules = upkeep.rules(session)
        seen = inspections.seen(session, [one.id for one in (*opened, *newest)])
    owed = _owed(mine.stations, last, rules.check_days, today)
    going = [one for one in rounds if one.closed_at is None]
    return page(
        "inspections.html",
        active="inspections",
        answer=_answer(len(going), progress, [one.id for one in going], len(owed)),
        rounds=[(one, progress.get(one.id), f"{day_short(one.first)} – {day_short(one.last)}") for one in rounds],
        opened=[_row(mine, one, seen.get(one.id, (0, 0)), today) for one in opened],
        newest=[_row(mine, one, seen.get(one.id, (0, 0)), today) for one in newest],
        owed=owed[:_DUE_SHOWN],
        more_owed=max(0, len(owed) - _DUE_SHOWN),
        may_round=can(mine.person, inspecting.ROUNDS),
        may_check=can(mine.person, inspecting.OWN_CHECKS),
        every_days=rules.check_days,
        scope=mine,
    )


@allowed("inspections.write")
def new_round() -> AnyResponse:
    """Show the form of a new round, or begin it over the chosen stations."""
    mine = scope()
    today = local(now()).date()
    form = request.form
    errors: tuple[Finding, ...] = ()
    if request.method == "POST":
        first, last = parse_day(form.get("first", "")), parse_day(form.get("last", ""))
        chosen = form.getlist("stations")
        codes = mine.station_codes if "all" in form else tuple(mine.station(code).code for code in chosen)
        try:
            made = inspecting.open_round(
                name=" ".join(form.get("name", "").split()),
                document=" ".join(form.get("document", "").split()),
                first=first or today,
                last=last or today,
                items=form.getlist("items"),
                stations=codes,
                person=mine.person,
            )
        except (NotAllowed, Unknown):
            raise
        except Refused as refused:
            errors = refused.findings
        else:
            flash(_("Đã mở đợt kiểm tra."), "done")
            return redirect(url_for("pages.inspection_round", round=made), 303)
    return page(
        "inspection_new.html",
        active="inspections",
        code=422 if errors else 200,
        items=[(item.code, say(item.words)) for item in ROUND],
        chosen=form.getlist("items") if request.method == "POST" else [item.code for item in ROUND],
        stations=mine.stations[:200],
        picked=form.getlist("stations"),
        every=request.method == "GET" or "all" in form,
        form=form,
        first=form.get("first") or today.isoformat(),
        last=form.get("last") or (today + timedelta(days=30)).isoformat(),
        errors=errors,
    )


@allowed("equipment.edit")
def own_check() -> AnyResponse:
    """Begin the commune's own check, or go on with the one that is open."""
    mine = scope()
    made = inspecting.open_own(mine.station(request.form.get("dai", "")).code, person=mine.person)
    return redirect(url_for("pages.inspection", inspection=made), 303)


@allowed("inspections.read")
def inspection_round(round: str) -> AnyResponse:
    """Show how far a round is, station by station."""
    mine = scope()
    known = inspecting.visible_round(round, person=mine.person)
    today = local(now()).date()
    with services().database.reading() as session:
        after = request.args.get("sau", "")
        found = inspections.of_round(session, round, stations=mine.station_codes, after=after, limit=_PAGE + 1)
        seen = inspections.seen(session, [one.id for one in found])
        progress = inspections.progress(session, (round,)).get(round)
    done, every, wrong = (progress.done, progress.all, progress.wrong) if progress else (0, 0, 0)
    return page(
        "inspection_round.html",
        active="inspections",
        round=known,
        answer=(
            Part(text=_("Đã kiểm tra %(n)s/%(all)s đài.", n=done, all=every)),
            Part(text=ngettext("%(num)d mục chưa đạt.", "%(num)d mục chưa đạt.", wrong), tone="warn")
            if wrong
            else Part(text=_("Chưa thấy mục nào chưa đạt.")),
        ),
        done=done,
        every=every,
        rows=[_row(mine, one, seen.get(one.id, (0, 0)), today) for one in found[:_PAGE]],
        words=[say(EVERY[item].words) for item in known.items if item in EVERY],
        more=url_for("pages.inspection_round", round=round, sau=found[_PAGE - 1].station) if len(found) > _PAGE else "",
        days=f"{day_short(known.first)} – {day_short(known.last)}",
        may_close=known.closed_at is None and can(mine.person, inspecting.ROUNDS, known.unit),
    )


@allowed("inspections.write")
def close_round(round: str) -> AnyResponse:
    """End a round."""
    inspecting.close_round(round, person=scope().person)
    flash(_("Đã kết thúc đợt kiểm tra. Đài chưa kiểm tra vẫn ghi là chưa."), "done")
    return redirect(url_for("pages.inspection_round", round=round), 303)


@allowed("inspections.read")
def inspection(inspection: str) -> AnyResponse:
    """Show one inspection."""
    return _inspection_page(scope(), inspection)


@allowed("equipment.edit")
@takes(photos_bytes)
def save_inspection(inspection: str) -> AnyResponse:
    """Write what was found, or close the minutes; a round's are written by the tier above alone."""
    mine = scope()
    known, station, _round = inspecting.visible(inspection, person=mine.person)
    if not can(mine.person, inspecting.permission(known), station):
        abort(403)
    form = request.form
    try:
        found = {item: _read(place, known, item) for place, item in enumerate(known.items)}
        finish = form.get("do") == "finish"
        opened = inspecting.save(
            inspection,
            found=found,
            day=parse_day(form.get("day", "")),
            present=" ".join(form.get("present", "").split()),
            conclusion=form.get("conclusion", "").strip(),
            next_on=parse_day(form.get("next_on", "")),
            finish=finish,
            person=mine.person,
        )
    except (NotAllowed, Unknown):
        raise
    except Refused as refused:
        return _inspection_page(mine, inspection, refused.findings)
    if not finish:
        flash(_("Đã lưu. Biên bản chưa chốt, sửa tiếp được."), "done")
        return redirect(url_for("pages.inspection", inspection=inspection), 303)
    said = ngettext("%(num)d phiếu báo hỏng đã mở.", "%(num)d phiếu báo hỏng đã mở.", opened)
    flash(_("Đã chốt biên bản.") + (f" {said}" if opened else ""), "done")
    return redirect(url_for("pages.minutes", inspection=inspection), 303)


@allowed("inspections.read")
def minutes(inspection: str) -> AnyResponse:
    """Show the minutes as they are printed and signed."""
    mine = scope()
    known, station, round = inspecting.visible(inspection, person=mine.person)
    above = next((unit.parent for unit in mine.all_units if unit.code == station.unit), None)
    return page(
        "minutes.html",
        active="inspections",
        inspection=known,
        station=station,
        round=round,
        agency=mine.unit_name(round.unit if round else station.unit),
        above=mine.unit_name(above) if above and round is None else "",
        unit=mine.unit_name(station.unit),
        day=day_long(known.day) if known.day else "",
        date=known.day,
        items=_items(known, station),
        next_on=f"{known.next_on:%d/%m/%Y}" if known.next_on else "",
    )


@allowed("inspections.read")
def inspection_picture(inspection: str, item: str) -> AnyResponse:
    """Give the photo of one item."""
    known, _station, _round = inspecting.visible(inspection, person=scope().person)
    found = known.found.get(item)
    if found is None or found.picture is None:
        abort(404)
    try:
        return photos.shown(found.picture)
    except FileNotFoundError:
        abort(404)


def _inspection_page(mine: Scope, inspection: str, errors: tuple[Finding, ...] = ()) -> AnyResponse:
    known, station, round = inspecting.visible(inspection, person=mine.person)
    today = local(now(), station.zone).date()
    items = _items(known, station)
    seen = sum(1 for one in items if one.found.result is not Result.UNSEEN)
    with services().database.reading() as session:
        rules = upkeep.rules(session)
        still = tickets.count_open(session, (station.code,))
    editable = known.open and can(mine.person, inspecting.permission(known), station)
    return page(
        "inspection.html",
        active="inspections",
        code=422 if errors else 200,
        inspection=known,
        station=station,
        round=round,
        answer=_("%(n)s/%(all)s mục đã xem.", n=seen, all=len(items))
        if known.open
        else _("Biên bản đã chốt ngày %(day)s.", day=day_short(known.day or today)),
        items=items,
        editable=editable,
        results=list(upkeepwords.RESULTS.items()),
        day=(known.day or today).isoformat(),
        next_on=(known.next_on or today + timedelta(days=rules.check_days)).isoformat(),
        open_tickets=still,
        errors=errors,
    )


def _read(place: int, known: Inspection, item: str) -> Found:
    form = request.form
    result = next((one for one in Result if one.value == form.get(f"result-{place}", "")), Result.UNSEEN)
    taken = photos.taken(request.files.get(f"photo-{place}"))
    before = known.found.get(item)
    return Found(
        result=result,
        remark=form.get(f"remark-{place}", "").strip()[:1000],
        picture=taken.sha256 if taken else before.picture if before else None,
        ticket=before.ticket if before else None,
    )


def _items(known: Inspection, station: Station) -> list[Item]:
    names = {f"{CLUSTER}{group.code}": _("Cụm loa %(name)s", name=group.name) for group in station.groups}
    items = []
    for code in known.items:
        words = say(EVERY[code].words) if code in EVERY else names.get(code, code.removeprefix(CLUSTER))
        found = known.found.get(code, Found(result=Result.UNSEEN))
        picture = url_for("pages.inspection_picture", inspection=known.id, item=code) if found.picture else ""
        items.append(
            Item(
                code=code,
                words=words,
                found=found,
                mark=upkeepwords.RESULTS[found.result],
                picture=picture,
                ticket=url_for("pages.ticket", ticket=found.ticket) if found.ticket else "",
            )
        )
    return items


def _row(mine: Scope, one: Inspection, seen: tuple[int, int], today: date) -> Row:
    looked, wrong = seen
    about = [_("%(n)s/%(all)s mục", n=looked, all=len(one.items))]
    if wrong:
        about.append(ngettext("%(num)d chưa đạt", "%(num)d chưa đạt", wrong))
    if one.day:
        about.insert(0, day_short(one.day))
    if one.inspector_name:
        about.append(one.inspector_name)
    if one.next_on and not one.open:
        about.append(_("lần tới %(day)s", day=day_short(one.next_on)))
    about.append(_("tự kiểm tra") if one.round is None else _("đợt của cấp trên"))
    mark = upkeepwords.WAITING if one.open else upkeepwords.RESULTS[Result.NOT if wrong else Result.OK]
    return Row(inspection=one, name=mine.station_name(one.station), about=" · ".join(about), mark=mark)


def _owed(
    stations: Sequence[Station], last: Mapping[str, date], every_days: int, today: date
) -> list[tuple[Station, str]]:
    owed = []
    for station in stations:
        done = last.get(station.code)
        if done is None:
            owed.append((date.min, station, _("chưa tự kiểm tra lần nào")))
            continue
        due = check_due(done, today, every_days)
        if due < today:
            owed.append((due, station, _("lần cuối %(day)s", day=day_short(done))))
    return [(station, words) for _due, station, words in sorted(owed, key=lambda one: (one[0], one[1].code))]


def _answer(
    going: int, progress: Mapping[str, inspections.Progress], ids: Sequence[str], owed: int
) -> tuple[Part, ...]:
    parts = []
    if going:
        done = sum(progress[one].done for one in ids if one in progress)
        every = sum(progress[one].all for one in ids if one in progress)
        parts.append(Part(text=_("Đợt đang mở: đã kiểm tra %(n)s/%(all)s đài.", n=done, all=every)))
    else:
        parts.append(Part(text=_("Không có đợt kiểm tra nào đang mở.")))
    if owed:
        words = ngettext("%(num)d đài cần tự kiểm tra.", "%(num)d đài cần tự kiểm tra.", owed)
        parts.append(Part(text=words, tone="warn"))
    return tuple(parts)
