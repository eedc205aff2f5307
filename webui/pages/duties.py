"""Nhiệm vụ: who met their duty and who did not, stations by weeks, months or years."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from schedules.airing import Airing
from schedules.calendar import period_interval
from schedules.carrying import is_sending
from schedules.duty import Duty, DutyStanding, DutyState, Period
from schedules.owing import matches
from schedules.station import Station
from store import duties as duty_store
from webui import dutyboard
from webui.auth import allowed
from webui.dutyboard import Line
from webui.pages import coverage, dispatches, portal, states
from webui.pages.airlog import listen_url
from webui.pages.answers import Part
from webui.pages.formats import deadline, iso_week, local, number, period_name, week_name
from webui.pages.layout import page
from webui.pages.scope import Scope, door, now, scope, statuses
from webui.rights import can
from webui.services import services

_COUNTS = {Period.WEEK: (12, 26, 52), Period.MONTH: (12,), Period.YEAR: (5,)}
_KINDS = {"tuan": Period.WEEK, "thang": Period.MONTH, "nam": Period.YEAR}
_PAGE = 50
_GROUPED = 30
_TROUBLE = frozenset({DutyState.AT_RISK, DutyState.MISSED})
_SHOWN_ROWS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One station in one period; mark is None before the duty began, or where nothing is known."""

    period: str
    mark: states.Mark | None
    url: str
    selected: bool
    current: bool
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardLine:
    """One station's periods, oldest first. heading: the unit whose stations begin here, where they are grouped."""

    station: Station
    unit: str
    heading: str
    cells: tuple[Cell, ...]
    met: int
    due: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """What is owed: a programme, or a duty that any programme fulfils. key: unique on the page."""

    name: str
    key: str
    lines: tuple[BoardLine, ...]
    all: tuple[Line, ...]
    before_url: str
    next_url: str
    first: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """The selected cell, with where each row can be listened to."""

    station: Station
    period: str
    standing: DutyStanding
    mark: states.Mark
    rows: tuple[tuple[Airing, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """A duty of a longer period, as it stands now at one station."""

    station: Station
    standing: DutyStanding
    mark: states.Mark


def routes(pages: Blueprint) -> None:
    """Add the route."""
    pages.add_url_rule("/nhiem-vu", "duties", duties)


@allowed("duties.read")
def duties() -> AnyResponse:
    """Show the duty board and the reason of the selected period."""
    mine = scope()
    kind = _KINDS.get(request.args.get("ky", "tuan"), Period.WEEK)
    count = next((n for n in _COUNTS[kind] if str(n) == request.args.get("so", "")), _COUNTS[kind][0])
    names = dutyboard.periods(kind, local(now()).date(), count)
    chosen = (request.args.get("dai", ""), request.args.get("tuan", ""), request.args.get("nhiem_vu", ""))
    stations = _filtered(mine)
    with services().database.reading() as session:
        every = dutyboard.lines(session, stations, mine.all_units, names, kind, now())
        shown_boards = _boards(mine, every, names, kind, chosen, session)
        kinds = {
            duty.period
            for duty in duty_store.in_force(session)
            if not set(duty.stations).isdisjoint(mine.station_codes)
        }
    boards = [board for board in shown_boards if board.all]
    detail = _chosen_detail(mine, chosen)
    year, published, target = portal.glance(mine)
    answered = _asked_troubles(request.args.get("loc", ""))
    return page(
        "duties.html",
        active="duties",
        boards=boards,
        weeks=names,
        kind=kind,
        short=_short,
        kinds=[(key, states.PERIODS[one], _with(ky=key, tu=None)) for key, one in _KINDS.items() if one in kinds],
        counts=[(n, _with(so=str(n))) for n in _COUNTS[kind]] if len(_COUNTS[kind]) > 1 else [],
        count=count,
        detail=detail,
        answer=_answer(boards, kind, names[-1]),
        sub=_past(boards, count, kind),
        this_week=_title(kind, names[-1]),
        legend=[states.DUTIES[state] for state in DutyState],
        scope=mine,
        others=_others(mine) if kind is Period.WEEK else (),
        deadline=deadline,
        may_excuse=can(mine.person, "duties.excuse"),
        units=[unit for unit in mine.units if any(one.unit == unit.code for one in mine.stations)],
        unit=request.args.get("don_vi", ""),
        troubled_only=answered,
        coverage=coverage.month_glance(mine, stations),
        sent=dispatches.glance(mine),
        portal_year=year,
        portal_count=published,
        portal_target=target,
        many=len(mine.stations) > dutyboard.LIVE,
    )


def _filtered(mine: Scope) -> tuple[Station, ...]:
    unit = request.args.get("don_vi", "")
    if unit and unit not in mine.unit_codes:
        abort(404)
    words = request.args.get("tim", "").casefold().split()
    return tuple(
        station
        for station in mine.stations
        if (not unit or station.unit == unit)
        and all(word in f"{station.name} {mine.unit_name(station.unit)}".casefold() for word in words)
    )


def _asked_troubles(text: str) -> bool:
    return text == "van-de"


def _boards(
    mine: Scope,
    every: Sequence[Line],
    names: tuple[str, ...],
    kind: Period,
    chosen: tuple[str, str, str],
    session: Session,
) -> list[Board]:
    keys = sorted({_board_key(line.duty) for line in every}, key=lambda key: (key != ("CDS", ""), key))
    first = _first()
    found = []
    for number_, key in enumerate(keys, start=1):
        lines = [line for line in every if _board_key(line.duty) == key]
        grouped = len(lines) > _GROUPED
        if _asked_troubles(request.args.get("loc", "")):
            lines = [line for line in lines if line.states[-1] in _TROUBLE]
        ordered = _ordered(mine, lines, grouped=grouped)
        part = ordered[first : first + _PAGE]
        shown = _filled_in(part, names, kind, session)
        whole = tuple(ordered[:first]) + tuple(shown) + tuple(ordered[first + _PAGE :])
        if not grouped and len(shown) == len(ordered):
            shown = _ordered(mine, shown, grouped=False)
        heading = ""
        rows = []
        for line in shown:
            unit = mine.unit_name(line.station.unit)
            begins = unit if grouped and unit != heading else ""
            heading = unit
            rows.append(_line(unit, begins, line, names, chosen))
        found.append(
            Board(
                name=mine.programme_name(key[0]) or key[1],
                key=str(number_),
                lines=tuple(rows),
                all=whole,
                before_url=_with(tu=str(max(0, first - _PAGE))) if first else "",
                next_url=_with(tu=str(first + _PAGE)) if len(ordered) > first + _PAGE else "",
                first=first,
            )
        )
    return found


def _ordered(mine: Scope, lines: Sequence[Line], *, grouped: bool) -> list[Line]:
    """Return the lines as they stand on the board: many by unit, the unit in trouble first."""
    if not grouped:
        return list(lines)
    worst: dict[str, tuple[int, int]] = {}
    for line in lines:
        worst[line.station.unit] = min(worst.get(line.station.unit, line.trouble), line.trouble)
    return sorted(
        lines,
        key=lambda line: (
            worst[line.station.unit],
            mine.unit_name(line.station.unit),
            line.station.unit,
            line.trouble,
            line.station.name,
        ),
    )


def _filled_in(part: Sequence[Line], names: tuple[str, ...], kind: Period, session: Session) -> list[Line]:
    """Return the lines of one page with what the stations say themselves now, and what no row has sealed."""
    live = _live(part)
    shown = [
        replace(
            line,
            states=(*line.states[:-1], live.get((line.station.code, line.duty.code, names[-1]), line.states[-1])),
        )
        for line in part
    ]
    return dutyboard.reckoned(session, shown, names, kind, now(), demo=services().demo)


def _live(lines: Sequence[Line]) -> dict[tuple[str, str, str], DutyState]:
    """Return how the stations of one page say that their duties stand; only few are asked for a plan to tell it."""
    codes = {line.station.code for line in lines}
    said = {code: status.duties for code in codes if (status := statuses().get(code)) is not None}
    silent = [code for code in codes if not said.get(code)]
    if len(silent) <= dutyboard.LIVE:
        said |= {code: its.plan(now(), now()).duties for code in silent if (its := door(code)) is not None}
    return {(code, one.duty, one.period): one.state for code, duties in said.items() for one in duties}


def _others(mine: Scope) -> tuple[Other, ...]:
    """Return how the duties of months and years stand now, trouble first; of many stations their boards tell it."""
    if len(mine.stations) > dutyboard.LIVE:
        return ()
    found = [
        Other(station=station, standing=standing, mark=states.DUTIES[standing.state])
        for station in mine.stations
        for standing in _said(station)
        if "-W" not in standing.period and not is_sending(standing.duty)
    ]
    return tuple(sorted(found, key=lambda one: (not _troubled(one.standing), one.standing.name, one.station.name)))


def _said(station: Station) -> tuple[DutyStanding, ...]:
    status = statuses().get(station.code)
    if status is not None and status.duties:
        return status.duties
    its = door(station.code)
    return its.plan(now(), now()).duties if its is not None else ()


def _troubled(standing: DutyStanding) -> bool:
    return standing.state in _TROUBLE


def _board_key(duty: Duty) -> tuple[str, str]:
    """Return what duties share that stand on one board: their programme, or where any will do their name."""
    return (duty.programme, "") if duty.programme else ("", duty.name)


def _line(unit: str, heading: str, line: Line, names: tuple[str, ...], chosen: tuple[str, str, str]) -> BoardLine:
    cells = []
    station = line.station
    for name, state in zip(names, line.states, strict=True):
        cells.append(
            Cell(
                period=name,
                mark=states.DUTIES[state] if state is not None else None,
                url=f"{_with(dai=station.code, tuan=name, nhiem_vu=line.duty.code)}#chi-tiet",
                selected=chosen == (station.code, name, line.duty.code),
                current=name == names[-1],
                label=_("%(station)s, %(period)s", station=station.name, period=period_name(name)),
            )
        )
    return BoardLine(station=station, unit=unit, heading=heading, cells=tuple(cells), met=line.met, due=line.due)


def _chosen_detail(mine: Scope, chosen: tuple[str, str, str]) -> Detail | None:
    code, name, duty_code = chosen
    if not (code and name and duty_code):
        return None
    station = mine.station(code)
    kind = next((one for one in Period if _is(one, name)), None)
    if kind is None or is_sending(duty_code):
        return None
    with services().database.reading() as session:
        standing, duty, rows = dutyboard.detail(session, station, duty_code, name, kind, now(), demo=services().demo)
    its = door(code)
    if its is not None:
        live = (one for one in its.plan(now(), now()).duties if one.duty == duty_code and one.period == name)
        standing = next(live, standing)
    if standing is None or duty is None:
        return None
    during = period_interval(kind, name, ZoneInfo(station.zone))
    mine_rows = [row for row in rows if _of(duty, row) and during.contains(row.started_at or row.planned_start)]
    return Detail(
        station=station,
        period=name,
        standing=standing,
        mark=states.DUTIES[standing.state],
        rows=tuple((row, listen_url(station, row)) for row in mine_rows[-_SHOWN_ROWS:]),
    )


def _is(kind: Period, name: str) -> bool:
    try:
        period_interval(kind, name, ZoneInfo("UTC"))
    except (ValueError, OverflowError):
        return False
    return (kind is Period.WEEK) == ("-W" in name)


def _of(duty: Duty, row: Airing) -> bool:
    """Return whether an airing belongs to what is told of a duty; one of any programme asks for its topics."""
    if duty.programme is not None:
        return duty.programme == row.programme
    return row.duty == duty.code or matches(duty, row.programme, row.topics)


def _title(kind: Period, name: str) -> str:
    if kind is Period.WEEK:
        return week_name(*(iso_week(name) or (2000, 1)))
    return period_name(name)


def _short(name: str) -> str:
    """Return the head of a column: `T48`, `11/26`, `2026`."""
    if "-W" in name:
        return f"T{name[-2:]}"
    return f"{name[5:]}/{name[2:4]}" if "-" in name else name


def _answer(boards: Sequence[Board], kind: Period, name: str) -> tuple[Part, ...]:
    if not boards:
        if request.args.get("loc") or request.args.get("tim") or request.args.get("don_vi"):
            return (Part(text=_("Không có đài nào khớp bộ lọc.")),)
        return (Part(text=_("Chưa đặt nhiệm vụ nào.")),)
    board = boards[0]
    present = [line.states[-1] for line in board.all if line.states[-1] is not None]
    count = Counter(present)
    good = count[DutyState.MET] + count[DutyState.MADE_UP]
    bad, risk = count[DutyState.MISSED], count[DutyState.AT_RISK]
    parts = [
        Part(
            text=_(
                "%(name)s, %(period)s: %(good)s/%(all)s đài đã đạt",
                name=board.name,
                period=_title(kind, name).split(" (")[0],
                good=good,
                all=len(present),
            )
            + ("," if risk or bad else ".")
        )
    ]
    if risk:
        tail = "," if bad else "."
        parts.append(Part(text=ngettext("%(num)d có nguy cơ", "%(num)d có nguy cơ", risk) + tail, tone="warn"))
    if bad:
        parts.append(Part(text=ngettext("%(num)d không đạt", "%(num)d không đạt", bad) + ".", tone="bad"))
    return tuple(parts)


def _past(boards: Sequence[Board], count: int, kind: Period) -> str:
    if not boards:
        return ""
    met = sum(line.met for line in boards[0].all)
    due = sum(line.due for line in boards[0].all)
    made_up = sum(line.made_up for line in boards[0].all)
    if not due or kind is not Period.WEEK:
        return ""
    share = number(100 * met / due, 1)
    if not made_up:
        return _("%(n)s tuần qua: %(met)s/%(due)s tuần đài đạt (%(share)s%%).", n=count, met=met, due=due, share=share)
    return _(
        "%(n)s tuần qua: %(met)s/%(due)s tuần đài đạt (%(share)s%%), trong đó %(made)s nhờ phát bù.",
        n=count,
        met=met,
        due=due,
        share=share,
        made=made_up,
    )


def _first() -> int:
    asked = request.args.get("tu", "0")
    if not asked.isdecimal() or len(asked) > 6:
        abort(404)
    return int(asked)


def _with(**more: str | None) -> str:
    values = {**request.args.to_dict(), **more}
    query = urlencode({key: value for key, value in values.items() if value is not None})
    return f"{url_for('pages.duties')}?{query}"
