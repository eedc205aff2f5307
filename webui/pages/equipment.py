"""Thiết bị: what is broken, who repairs it, which clusters can be heard; for one station, or for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from flask import Blueprint, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from schedules.checklist import check_due
from schedules.silence import AirDay, Down, SilentDay, silent_days
from schedules.station import Station
from schedules.text import Text
from schedules.upkeep import Trouble
from store import airdays, equipment, inspections, steps, tickets, upkeep
from store.equipment import ClusterCount, DeviceState
from store.steps import Subject
from store.tickets import StationTickets, Ticket, Which
from webui import upkeep as acts
from webui.auth import allowed
from webui.pages import states, upkeepwords
from webui.pages import tickets as shown
from webui.pages.answers import Part
from webui.pages.formats import day_short, local
from webui.pages.language import say
from webui.pages.layout import page
from webui.pages.scope import Scope, now, scope
from webui.rights import can
from webui.services import services

_PAGE = 50
_WORST = 8
_LOOKED_BACK = timedelta(days=29)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A loudspeaker cluster as its station's page shows it."""

    name: str
    mark: states.Mark
    word: str
    about: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A station in the list of all."""

    station: Station
    mark: states.Mark
    word: str
    about: str


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/thiet-bi", "equipment", show)


@allowed("equipment.read")
def show() -> AnyResponse:
    """Show one station (`dai=`, or the only one there is), or all of them with the troubled ones first."""
    mine = scope()
    asked = request.args.get("dai", "")
    if asked or len(mine.stations) == 1:
        return _one(mine, mine.station(asked) if asked else mine.stations[0])
    return _all(mine)


def _all(mine: Scope) -> AnyResponse:
    today = local(now()).date()
    first = today - _LOOKED_BACK
    with services().database.reading() as session:
        worst = tickets.listing(session, stations=mine.station_codes, which=Which.OPEN, today=today, limit=_WORST)
        counts = tickets.counts(session, stations=mine.station_codes, today=today)
        its = tickets.by_station(session, stations=mine.station_codes, today=today)
        silent = airdays.count_silent(session, mine.station_codes, first, today)
        clusters = equipment.working_clusters(session, mine.stations)
    ordered = sorted(mine.stations, key=lambda one: _trouble(one, its, silent))
    start = next((n + 1 for n, one in enumerate(ordered) if one.code == request.args.get("sau", "")), 0)
    some = ordered[start : start + _PAGE]
    working = sum(one.working for one in clusters.values())
    every = sum(one.all for one in clusters.values())
    return page(
        "equipment_all.html",
        active="equipment",
        answer=_answer(working, every, counts),
        rows=[shown.row(mine, one, today) for one in worst],
        counts=counts,
        working=working,
        every=every,
        silent_stations=len(silent),
        lines=[_line(one, clusters[one.code], its.get(one.code), silent.get(one.code, 0), today) for one in some],
        more=url_for("pages.equipment", sau=some[-1].code) if start + _PAGE < len(ordered) else "",
        beginning=start == 0,
        may_add=can(mine.person, acts.EDIT),
        may_urge=can(mine.person, acts.ACCEPT),
    )


def _one(mine: Scope, station: Station) -> AnyResponse:
    today = local(now(), station.zone).date()
    first = today - _LOOKED_BACK
    with services().database.reading() as session:
        its = tickets.listing(session, stations=(station.code,), which=Which.OPEN, today=today, limit=_PAGE)
        counts = tickets.counts(session, stations=(station.code,), today=today)
        count = equipment.working_clusters(session, (station,))[station.code]
        devices = equipment.counts(session, (station.code,))
        start = now() - _LOOKED_BACK - timedelta(days=1)
        silences = tickets.silences(session, (station.code,), start=start, end=now())
        days = airdays.between(session, (station.code,), first, today).get(station.code, ())
        rules = upkeep.rules(session)
        worst = _worst(its)
        story: tuple[shown.Moment, ...] = ()
        figures: tuple[shown.Figure, ...] = ()
        if worst is not None:
            story = shown.moments(worst, station, steps.of(session, Subject.TICKET, worst.id))
            silent = shown.silent_count(session, worst, station, today)
            figures = shown.figures(worst, station, silent=silent, today=today)
        last = inspections.last_own(session, (station.code,)).get(station.code)
        opened = next(iter(inspections.open_ones(session, (station.code,), limit=1)), None)
        done = inspections.seen(session, (opened.id,)).get(opened.id, (0, 0)) if opened is not None else (0, 0)
    whole = silent_days(days, [_down(one) for one in silences if not one.cluster and not one.place])
    return page(
        "equipment.html",
        active="equipment",
        station=station,
        answer=_answer(count.working, count.all, counts),
        worst=worst,
        row=shown.row(mine, worst, today) if worst else None,
        figures=figures,
        moments=story[-4:],
        earlier=max(0, len(story) - 4),
        next_word=shown.next_word(mine, worst, station, rules) if worst else "",
        others=[shown.row(mine, one, today) for one in its if worst is None or one.id != worst.id],
        clusters=[
            _cluster(station, group.code, group.name, its, silences, days, count, today) for group in station.groups
        ],
        count=count,
        silent=whole,
        silent_words=_silent_words(whole),
        since=day_short(first),
        devices=[(mark, devices[state]) for state, mark in upkeepwords.CONDITIONS.items() if devices.get(state)],
        broken=devices.get(DeviceState.BROKEN, 0),
        check=opened,
        check_seen=done[0],
        check_due=_check_words(last, station, rules.check_days, today),
        may_add=can(mine.person, acts.EDIT, station),
        may_urge=can(mine.person, acts.ACCEPT, station),
        may_repair=can(mine.person, acts.EDIT, station),
    )


def _worst(its: Sequence[Ticket]) -> Ticket | None:
    return min(its, key=lambda one: (not one.silent_now, one.opened_at), default=None)


def _trouble(
    one: Station, its: Mapping[str, StationTickets], silent: Mapping[str, int]
) -> tuple[int, int, int, int, str]:
    known = its.get(one.code)
    if known is None:
        return (0, 0, -silent.get(one.code, 0), 0, one.code)
    return (-known.silent, -known.overdue, -silent.get(one.code, 0), -known.open, one.code)


def _line(station: Station, clusters: ClusterCount, known: StationTickets | None, silent: int, today: date) -> Line:
    about = [_("%(working)s/%(all)s cụm loa tốt", working=clusters.working, all=clusters.all)]
    mark = upkeepwords.GOOD
    if known is not None:
        days = (today - local(known.oldest, station.zone).date()).days
        about.append(ngettext("%(num)d phiếu đang mở", "%(num)d phiếu đang mở", known.open))
        about.append(_("lâu nhất %(n)s ngày", n=days))
        if known.overdue:
            about.append(_("%(n)s quá hạn", n=known.overdue))
        mark = upkeepwords.OVERDUE if known.overdue else upkeepwords.IN_REPAIR
    if clusters.working < clusters.all:
        mark = upkeepwords.SILENT
    if silent:
        about.append(_("%(n)s ngày im tiếng trong 30 ngày", n=silent))
    word = say(mark.word)
    return Line(station=station, mark=mark, word=word, about=" · ".join(about))


def _cluster(
    station: Station,
    code: str,
    name: str,
    its: Sequence[Ticket],
    silences: Sequence[Ticket],
    days: Sequence[AirDay],
    count: ClusterCount,
    today: date,
) -> Cluster:
    mine = [one for one in its if one.cluster == code]
    downs = [_down(one) for one in silences if one.cluster == code or (not one.cluster and not one.place)]
    silent = len(silent_days(days, downs))
    about = [_("%(n)s ngày im tiếng trong 30 ngày", n=silent)] if silent else []
    if not mine:
        good = code not in count.silent
        return Cluster(
            name=name,
            mark=upkeepwords.GOOD if good else upkeepwords.SILENT,
            word=say((upkeepwords.GOOD if good else upkeepwords.SILENT).word),
            about=" · ".join(about),
            url="",
        )
    one = min(mine, key=lambda ticket: (not ticket.silent_now, ticket.opened_at))
    age = (today - local(one.opened_at, station.zone).date()).days
    about.insert(0, _("%(name)s, %(n)s ngày", name=one.name, n=age))
    return Cluster(
        name=name,
        mark=upkeepwords.SILENT if one.silent_now else upkeepwords.IN_REPAIR,
        word=say(upkeepwords.TROUBLES[one.trouble]) if one.trouble is not Trouble.OTHER else _("Có phiếu"),
        about=" · ".join(about),
        url=url_for("pages.ticket", ticket=one.id),
    )


def _down(one: Ticket) -> Down:
    assert one.silent_since is not None
    return Down(since=one.silent_since, until=one.silent_until, reason=Text(one.name, one.name))


def _silent_words(days: Sequence[SilentDay]) -> list[tuple[str, int]]:
    """Return the reasons of the silent days, the commonest first."""
    reasons: dict[str, int] = {}
    for one in days:
        word = say(one.reason) or _("chưa rõ nguyên nhân")
        reasons[word] = reasons.get(word, 0) + 1
    return sorted(reasons.items(), key=lambda both: -both[1])


def _check_words(last: date | None, station: Station, every_days: int, today: date) -> str:
    if last is None and station.valid_from is None:
        return _("Chưa tự kiểm tra lần nào.")
    due = check_due(last, station.valid_from or today, every_days)
    if due < today:
        return _("Quá hạn tự kiểm tra từ %(day)s.", day=day_short(due))
    return _("Lần tới trước %(day)s.", day=day_short(due))


def _answer(working: int, every: int, counts: tickets.Counts) -> tuple[Part, ...]:
    parts = [Part(text=_("%(working)s/%(all)s cụm loa tốt.", working=working, all=every))]
    if counts.open:
        said = ngettext("%(num)d phiếu báo hỏng", "%(num)d phiếu báo hỏng", counts.open)
        parts.append(Part(text=f"{said}.", tone="bad"))
        if counts.overdue:
            parts.append(Part(text=ngettext("%(num)d quá hạn.", "%(num)d quá hạn.", counts.overdue), tone="bad"))
        if counts.repaired:
            parts.append(Part(text=ngettext("%(num)d chờ nghiệm thu.", "%(num)d chờ nghiệm thu.", counts.repaired)))
    else:
        parts.append(Part(text=_("Không có phiếu báo hỏng nào.")))
    return tuple(parts)
