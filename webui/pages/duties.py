"""Nhiệm vụ: who met their duty and who did not, stations by weeks."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from schedules.airing import Airing, Verdict
from schedules.calendar import period_interval
from schedules.duty import Duty, DutyOutcome, DutyStanding, DutyState, Period
from schedules.intent import Intent
from schedules.owing import duties_of, matches
from schedules.standing import duty_standings
from schedules.station import Station
from store import airings, outcomes
from store.intent import load_intent
from webui.auth import allowed
from webui.pages import states
from webui.pages.answers import Part
from webui.pages.formats import deadline, iso_week, local, week_name, week_of
from webui.pages.layout import page
from webui.pages.scope import Scope, door, now, scope
from webui.rights import can
from webui.services import services

_WEEKS = 12
_DECIDING = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One station in one week; mark is None before the duty began."""

    period: str
    mark: states.Mark | None
    url: str
    selected: bool
    current: bool
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One station's weeks, oldest first. met, due: of the weeks that are over."""

    station: Station
    unit: str
    cells: tuple[Cell, ...]
    met: int
    due: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """What is owed every week: a programme, or a duty that any programme fulfils. key: unique on the page."""

    name: str
    key: str
    weeks: tuple[str, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """The selected cell."""

    station: Station
    period: str
    standing: DutyStanding
    mark: states.Mark
    rows: tuple[Airing, ...]


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
    """Show the duty board and the reason of the selected week."""
    mine = scope()
    today = local(now()).date()
    weeks = [week_of(today - timedelta(weeks=back)) for back in reversed(range(_WEEKS))]
    with services().database.reading() as session:
        intent = load_intent(session, now(), demo=services().demo)
        weekly = {station.code: _weekly(intent, station) for station in mine.stations}
        of_station = {
            station.code: [
                row
                for week in weeks
                for programme in _asked(weekly[station.code])
                for row in _rows(session, station, programme, week)
            ]
            for station in mine.stations
        }
        sealed = outcomes.listing(session, stations=[station.code for station in mine.stations], periods=weeks)
    standings = {
        (station.code, week): {
            standing.duty: standing
            for standing in _standings(intent, station, of_station.get(station.code, []), sealed, week, weeks[-1])
        }
        for station in mine.stations
        for week in weeks
    }
    chosen = (request.args.get("dai", ""), request.args.get("tuan", ""), request.args.get("nhiem_vu", ""))
    boards: list[Board] = []
    keys = {_board_key(duty) for duties in weekly.values() for duty in duties}
    for key in sorted(keys, key=lambda key: (key != ("CDS", ""), key)):
        lines = [
            _line(mine.unit_name(station.unit), station, duty, weeks, standings, chosen)
            for station in mine.stations
            for duty in weekly[station.code]
            if _board_key(duty) == key
        ]
        if lines:
            boards.append(
                Board(
                    name=mine.programme_name(key[0]) or key[1],
                    key=str(len(boards) + 1),
                    weeks=tuple(weeks),
                    lines=tuple(lines),
                )
            )
    detail = None
    if chosen[0] and (chosen[0], chosen[1]) in standings:
        standing = standings[chosen[0], chosen[1]].get(chosen[2])
        if standing is not None:
            detail = _detail(mine.station(chosen[0]), standing, of_station.get(chosen[0], []), intent)
    return page(
        "duties.html",
        active="duties",
        boards=boards,
        detail=detail,
        answer=_answer(boards, weeks[-1]),
        sub=_past(boards),
        this_week=week_name(*(iso_week(weeks[-1]) or (today.year, 1))),
        legend=[states.DUTIES[state] for state in DutyState],
        scope=mine,
        others=_others(mine),
        deadline=deadline,
        may_excuse=can(mine.person, "duties.excuse"),
    )


def _others(mine: Scope) -> tuple[Other, ...]:
    """Return how the duties of months and years stand now, trouble first."""
    found = [
        Other(station=station, standing=standing, mark=states.DUTIES[standing.state])
        for station in mine.stations
        if (its := door(station.code)) is not None
        for standing in its.plan(now(), now()).duties
        if "-W" not in standing.period
    ]
    return tuple(sorted(found, key=lambda one: (not _troubled(one.standing), one.standing.name, one.station.name)))


def _troubled(standing: DutyStanding) -> bool:
    return standing.state in (DutyState.AT_RISK, DutyState.MISSED)


def _board_key(duty: Duty) -> tuple[str, str]:
    """Return what duties share that stand on one board: their programme, or where any will do their name."""
    return (duty.programme, "") if duty.programme else ("", duty.name)


def _weekly(intent: Intent, station: Station) -> list[Duty]:
    """Return the weekly duties of a station, inherited ones too, each in its newest version."""
    found = {duty.code: duty for duty in duties_of(intent, station) if duty.period is Period.WEEK}
    return list(found.values())


def _asked(weekly: list[Duty]) -> tuple[str | None, ...]:
    """Return the programmes whose rows decide these duties; None for all, which then holds the others."""
    asked = {duty.programme for duty in weekly}
    return (None,) if None in asked else tuple(sorted(programme for programme in asked if programme))


def _rows(session: Session, station: Station, programme: str | None, week: str) -> list[Airing]:
    """Return the airings of a week that decide a duty: the first that aired and the first that did not."""
    during = period_interval(Period.WEEK, week, ZoneInfo(station.zone))
    return [
        row.airing
        for verdicts in ((Verdict.AIRED,), (Verdict.PARTIAL, Verdict.MISSED, Verdict.REPLACED, Verdict.CANCELLED))
        for row in airings.listing(
            session,
            stations=(station.code,),
            programme=programme,
            verdicts=verdicts,
            start=during.start,
            end=during.end,
            limit=_DECIDING,
        )
    ]


def _standings(
    intent: Intent, station: Station, rows: list[Airing], sealed: tuple[DutyOutcome, ...], week: str, current: str
) -> tuple[DutyStanding, ...]:
    its = door(station.code)
    if week == current and its is not None:
        return tuple(standing for standing in its.plan(now(), now()).duties if standing.period == week)
    mine = [outcome for outcome in sealed if outcome.station == station.code]
    return duty_standings(intent, station, rows, now(), week, mine)


def _line(
    unit: str,
    station: Station,
    duty: Duty,
    weeks: list[str],
    standings: dict[tuple[str, str], dict[str, DutyStanding]],
    chosen: tuple[str, str, str],
) -> Line:
    cells = []
    met = due = 0
    for week in weeks:
        standing = standings[station.code, week].get(duty.code)
        mark = states.DUTIES[standing.state] if standing else None
        number = int(week.split("-W")[1])
        if standing and standing.state in (DutyState.MET, DutyState.MADE_UP, DutyState.MISSED):
            due += 1
            met += standing.state is not DutyState.MISSED
        cells.append(
            Cell(
                period=week,
                mark=mark,
                url=f"{url_for('pages.duties', dai=station.code, tuan=week, nhiem_vu=duty.code)}#chi-tiet",
                selected=chosen == (station.code, week, duty.code),
                current=week == weeks[-1],
                label=_("%(station)s, tuần %(week)s", station=station.name, week=number),
            )
        )
    return Line(station=station, unit=unit, cells=tuple(cells), met=met, due=due)


def _detail(station: Station, standing: DutyStanding, rows: list[Airing], intent: Intent) -> Detail:
    duty = next(duty for duty in reversed(duties_of(intent, station)) if duty.code == standing.duty)
    during = period_interval(Period.WEEK, standing.period, ZoneInfo(station.zone))
    return Detail(
        station=station,
        period=standing.period,
        standing=standing,
        mark=states.DUTIES[standing.state],
        rows=tuple(row for row in rows if _of(duty, row) and during.contains(row.started_at or row.planned_start))[
            -20:
        ],
    )


def _of(duty: Duty, row: Airing) -> bool:
    """Return whether an airing belongs to what is told of a duty; one of any programme asks for its topics."""
    if duty.programme is not None:
        return duty.programme == row.programme
    return row.duty == duty.code or matches(duty, row.programme, row.topics)


def _answer(boards: list[Board], week: str) -> tuple[Part, ...]:
    number = int(week.split("-W")[1])
    if not boards:
        return (Part(text=_("Chưa đặt nhiệm vụ nào.")),)
    board = boards[0]
    now_marks = [cell.mark for line in board.lines for cell in line.cells if cell.current and cell.mark]
    count = Counter(mark.sign for mark in now_marks)
    good = count["aired"] + count["made_up"]
    parts = [
        Part(
            text=_(
                "%(name)s, tuần %(week)s: %(good)s/%(all)s đài đã đạt",
                name=board.name,
                week=number,
                good=good,
                all=len(now_marks),
            )
            + ("," if count["at_risk"] or count["missed"] else ".")
        )
    ]
    if count["at_risk"]:
        tail = "," if count["missed"] else "."
        parts.append(
            Part(text=ngettext("%(num)d có nguy cơ", "%(num)d có nguy cơ", count["at_risk"]) + tail, tone="warn")
        )
    if count["missed"]:
        parts.append(Part(text=ngettext("%(num)d không đạt", "%(num)d không đạt", count["missed"]) + ".", tone="bad"))
    return tuple(parts)


def _past(boards: list[Board]) -> str:
    if not boards:
        return ""
    met = sum(line.met for line in boards[0].lines)
    due = sum(line.due for line in boards[0].lines)
    if not due:
        return ""
    return _("Trong %(n)s tuần gần đây: %(met)s/%(due)s tuần đài đạt.", n=_WEEKS, met=met, due=due)
