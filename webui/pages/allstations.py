"""Lịch mọi đài trong ngày: one row a station, so that the centre sees who airs what, and when nobody does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from schedules.calendar import Occurrence, instant, occurrences
from schedules.clock import Interval
from schedules.station import Station
from store import drafts
from store.intent import load_part
from webui.auth import allowed
from webui.pages.answers import Part
from webui.pages.formats import clock, local, parse_day, week_of
from webui.pages.layout import page
from webui.pages.scope import now, scope
from webui.pages.weekgrid import BAD, DUTY, OWN, RELAY
from webui.rights import can
from webui.services import services

_PAGE = 50
_WIDTH = 720.0
_SHOWN = 6
_FREQUENT = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One session in the row of its station. words: what it is, for who points at it or cannot see it."""

    x: float
    width: float
    look: str
    words: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One station on one day. often: x and width of sessions that come many times a day; frequent: words for them."""

    station: Station
    bars: tuple[Bar, ...]
    often: tuple[tuple[float, float], ...]
    frequent: tuple[str, ...]
    clashes: int
    pencils: tuple[str, ...]
    url: str

    @property
    def rest(self) -> int:
        """How many are not listed."""
        return max(0, len(self.bars) - _SHOWN)


def routes(pages: Blueprint) -> None:
    """Add the route."""
    pages.add_url_rule("/lich/cac-dai", "all_stations_day", all_stations_day)


@allowed("grid.read")
def all_stations_day() -> AnyResponse:
    """Show one day (`ngay=`) of fifty stations at a time; `sau=` is the last one of the page before."""
    mine = scope()
    today = local(now()).date()
    day = parse_day(request.args.get("ngay", "")) or today
    if not 1971 <= day.year <= 2198:
        day = today
    after = request.args.get("sau", "")
    asked = " ".join(request.args.get("tim", "").split())[:80]
    wanted = [one for one in mine.stations if asked.casefold() in f"{one.name} {mine.unit_name(one.unit)}".casefold()]
    later = sorted((one for one in wanted if one.code > after), key=lambda one: one.code)
    here = later[:_PAGE]
    codes = [one.code for one in here]
    with services().database.reading() as session:
        intent = load_part(session, codes, now(), demo=services().demo)
        pencils = drafts.of_stations(session, codes)
    found = {one.code: occurrences(intent, one, _during(one, day)) for one in here}
    first_h, last_h = _hours(here, found)
    owed = {(code, duty.programme) for duty in intent.duties for code in duty.stations if duty.programme is not None}
    rows = [
        _row(
            one,
            found[one.code],
            day,
            first_h,
            last_h,
            frozenset(programme for code, programme in owed if code == one.code),
            tuple(p.name for p in pencils if p.station == one.code),
            may_edit=can(mine.person, "grid.edit", one),
        )
        for one in here
    ]
    return page(
        "allstations.html",
        active="week",
        day=day,
        day_iso=day.isoformat(),
        before=(day - timedelta(days=1)).isoformat(),
        after=(day + timedelta(days=1)).isoformat(),
        today_iso=today.isoformat(),
        asked=asked,
        rows=rows,
        shown=_SHOWN,
        ticks=_ticks(first_h, last_h),
        width=_WIDTH,
        more=here[-1].code if len(later) > _PAGE else "",
        earlier=bool(after),
        answer=_answer(rows, len(wanted)),
    )


def _during(station: Station, day: date) -> Interval:
    zone = ZoneInfo(station.zone)
    return Interval(instant(zone, day, time(0)), instant(zone, day + timedelta(days=1), time(0)))


def _hours(here: Sequence[Station], found: dict[str, list[Occurrence]]) -> tuple[int, int]:
    """Return the hours of the day to draw: all in which some station is on."""
    starts = [local(one.during.start, s.zone).hour for s in here for one in found[s.code]]
    ends = [local(one.during.end, s.zone) for s in here for one in found[s.code]]
    if not starts:
        return 5, 20
    last = max(24 if end.hour == 0 else end.hour + (1 if end.minute else 0) for end in ends)
    return min(starts), max(last, min(starts) + 1)


def _row(
    station: Station,
    found: Sequence[Occurrence],
    day: date,
    first_h: int,
    last_h: int,
    owed: frozenset[str],
    pencils: tuple[str, ...],
    *,
    may_edit: bool,
) -> Row:
    bars = []
    often: list[tuple[float, float]] = []
    frequent: dict[str, int] = {}
    clashes = 0
    until: datetime | None = None
    for one in found:
        start, end = one.during.start, one.during.end
        bad = until is not None and start < until
        clashes += bad
        until = end if until is None else max(until, end)
        if any(item.programme in owed for item in one.rule.items if item.programme):
            look = DUTY
        elif sum(item.length_s or 0 for item in one.rule.items if item.relay) * 2 > one.rule.length_s:
            look = RELAY
        else:
            look = OWN
        x = max(0.0, _x(local(start, station.zone), first_h, last_h))
        width = max(3.0, round((end - start).total_seconds() / 3600 / (last_h - first_h) * _WIDTH, 1))
        if len(one.rule.starts) > _FREQUENT:
            often.append((x, min(width, _WIDTH - x)))
            frequent[one.rule.name] = frequent.get(one.rule.name, 0) + 1
            continue
        there = local(start, station.zone).date()
        coming = start > now() and may_edit
        span = f"{clock(start, station.zone)}–{clock(end, station.zone)}"
        bars.append(
            Bar(
                x=x,
                width=min(width, _WIDTH - x),
                look=BAD if bad else look,
                words=_("%(span)s %(name)s, trùng giờ", span=span, name=one.rule.name)
                if bad
                else f"{span} {one.rule.name}",
                url=url_for("pages.occurrence", name=one.name, day=one.day.isoformat(), dai=station.code)
                if coming
                else url_for("pages.day_plan", day=there.isoformat(), dai=station.code),
            )
        )
    return Row(
        station=station,
        bars=tuple(bars),
        often=tuple(often),
        frequent=tuple(
            ngettext("%(name)s: %(num)d lần", "%(name)s: %(num)d lần", count, name=name)
            for name, count in frequent.items()
        ),
        clashes=clashes,
        pencils=pencils,
        url=url_for("pages.week", week=week_of(day), dai=station.code, ngay=day.isoformat()),
    )


def _x(there: datetime, first_h: int, last_h: int) -> float:
    hours = there.hour + there.minute / 60 - first_h
    return round(hours / (last_h - first_h) * _WIDTH, 1)


def _ticks(first_h: int, last_h: int) -> list[tuple[float, str]]:
    step = 1 if last_h - first_h <= 12 else 2
    return [
        (round((hour - first_h) / (last_h - first_h) * _WIDTH, 1), f"{hour:02d}:00")
        for hour in range(first_h, last_h + 1, step)
    ]


def _answer(rows: Sequence[Row], whole: int) -> tuple[Part, ...]:
    silent = sum(1 for row in rows if not row.bars and not row.often)
    clashes = sum(row.clashes for row in rows)
    parts = [Part(text=ngettext("%(num)d đài.", "%(num)d đài.", whole))]
    if clashes:
        parts.append(Part(text=ngettext("%(num)d chỗ trùng giờ.", "%(num)d chỗ trùng giờ.", clashes), tone="bad"))
    if silent:
        words = ngettext(
            "%(num)d đài trên trang này không có buổi nào.", "%(num)d đài trên trang này không có buổi nào.", silent
        )
        parts.append(Part(text=words, tone="warn"))
    elif rows and not clashes:
        parts.append(Part(text=_("Đài nào trên trang này cũng có buổi phát, không trùng giờ.")))
    return tuple(parts)
