"""Lịch phát: the week as it will air, drawn from the rules, and the forms that change the rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from schedules.airing import Airing, Verdict
from schedules.calendar import Occurrence, day_kind, instant, occurrences
from schedules.clock import Interval
from schedules.grid import CalendarDay, ItemKind, OneOff, SessionException, SessionRule, WeekTemplate
from schedules.intent import Intent
from schedules.segment import Segment
from schedules.station import Station
from store import airings, exceptions, one_offs, sessions
from store.intent import load_intent
from webui.auth import allowed
from webui.pages import states
from webui.pages.answers import Part
from webui.pages.formats import day_name, iso_week, local, week_name, week_of, week_text
from webui.pages.layout import page
from webui.pages.occurrence import Made, decided
from webui.pages.scope import Scope, now, scope
from webui.pages.session import recurrence
from webui.pages.weeks import holds_when
from webui.rights import can
from webui.services import services

_ROW_MIN = 5
_FREQUENT = 4
_FOLD_MIN = 60
_LONGEST_H = 12
_BLANKS = 3
_BLANKS_NEW = 5
_MOST_ITEMS = 30
_ORDER = (Verdict.MISSED, Verdict.PARTIAL, Verdict.CANCELLED, Verdict.REPLACED, Verdict.AIRED)
_OFFERED = (
    ItemKind.IDENT,
    ItemKind.GREETING,
    ItemKind.SEGMENT,
    ItemKind.NOTICE,
    ItemKind.FILLER,
    ItemKind.CLOSING,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One session or single airing in the calendar. classes: its place, by row classes of the built CSS."""

    day: int
    start: datetime
    end: datetime
    name: str
    about: str
    url: str
    look: str
    classes: str
    mark: states.Mark | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A stretch of the day in which something is on. fold: words for the silence before it, empty for none."""

    fold: str
    rows: int
    ticks: tuple[tuple[int, str], ...]
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day of the strip and of the head."""

    date: date
    name: str
    number: str
    today: bool
    selected: bool
    url: str
    mark: states.Mark | None
    special: str


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/lich", "this_week", this_week)
    pages.add_url_rule("/lich/<week>", "week", week)


@allowed("grid.read")
def this_week() -> AnyResponse:
    """Go to the week that it is at the station."""
    return redirect(url_for("pages.week", week=week_of(local(now()).date()), dai=request.args.get("dai") or None))


@allowed("grid.read")
def week(week: str) -> AnyResponse:
    """Show one week of one station."""
    mine = scope()
    year, number = _week(week)
    station = mine.chosen()
    if station is None:
        return redirect(url_for("pages.stations"))
    zone = ZoneInfo(station.zone)
    monday = date.fromisocalendar(year, number, 1)
    during = Interval(instant(zone, monday, time(0)), instant(zone, monday + timedelta(days=7), time(0)))
    with services().database.reading() as database:
        intent = load_intent(database, now(), demo=services().demo)
        rows = airings.listing(database, stations=(station.code,), start=during.start, end=during.end, limit=20_000)
        singles = one_offs.of_station(database, station.code, during.start, during.end)
        rules = sessions.in_force(database, station.code)
        decisions = exceptions.in_force(database, station.code)
    found = occurrences(intent, station, during)
    worst = _worst([row.airing for row in rows])
    owed = {duty.programme for duty in intent.duties if duty.programme and station.code in duty.stations}
    # What began before Monday stands in the week in which it began.
    begun = [one for one in found if during.contains(one.during.start)]
    drawn = [one for one in begun if len(one.rule.starts) <= _FREQUENT]
    frequent = [rule for rule in rules if len(rule.starts) > _FREQUENT]
    blocks = _blocks(mine, station, monday, drawn, singles, worst, owed, intent.segments, week)
    bands, fold_end = _bands(blocks, station, often=bool(frequent))
    chosen_day = _chosen_day(monday, local(now(), station.zone).date())
    clashes = sum(1 for block in blocks if block.look == "e-bad") // 2
    return page(
        "week.html",
        active="week",
        station=station,
        stations_here=mine.stations,
        week=week,
        week_words=week_name(year, number),
        answer=_answer(rules, clashes, [row.airing for row in rows]),
        bands=bands,
        fold_end=fold_end,
        days=_days(monday, chosen_day, blocks, station, week, local(now(), station.zone).date(), intent.calendar),
        weeks_here=_weeks_here(intent, monday, station),
        lasting=[rule for rule in rules if rule.template is None],
        agenda=sorted((b for b in blocks if b.day == chosen_day.isoweekday()), key=lambda b: b.start),
        agenda_day=chosen_day,
        frequent=[(rule, _every(rule)) for rule in frequent],
        rules=rules,
        before=week_text(*(monday - timedelta(days=7)).isocalendar()[:2]),
        after=week_text(*(monday + timedelta(days=7)).isocalendar()[:2]),
        today_week=week_of(local(now(), station.zone).date()),
        may_edit=can(mine.person, "grid.edit", station),
        weekdays=recurrence,
        holds_when=holds_when,
        starts=_starts,
        decisions=_decisions(decisions, rules, monday),
    )


def _decisions(
    decisions: Sequence[SessionException], rules: Sequence[SessionRule], monday: date
) -> list[tuple[str, str, str, Made]]:
    """Return what was decided about single dates of the week: session's name, its name in addresses, date, words."""
    sunday = monday + timedelta(days=6)
    of = {rule.id: rule for rule in rules}
    found = []
    for one in decisions:
        touched = monday <= one.day <= sunday or (one.to_day is not None and monday <= one.to_day <= sunday)
        rule = of.get(one.session)
        if rule is not None and (touched or (one.following and one.day <= sunday)):
            name = rule.id if len(rule.starts) == 1 else f"{rule.id}.{one.number or 1}"
            found.append((rule.name, name, one.day.isoformat(), decided(one)))
    return found


def _week(text: str) -> tuple[int, int]:
    known = iso_week(text)
    if known is None:
        abort(404)
    return known


def _chosen_day(monday: date, today: date) -> date:
    try:
        asked = date.fromisoformat(request.args.get("ngay", ""))
    except ValueError:
        asked = today
    return asked if monday <= asked < monday + timedelta(days=7) else monday


def _worst(rows: Sequence[Airing]) -> Mapping[str, Verdict]:
    worst: dict[str, Verdict] = {}
    for row in rows:
        key = row.slot.rpartition("/")[0] if row.slot.count("/") >= 3 else row.slot
        if key not in worst or _ORDER.index(row.verdict) < _ORDER.index(worst[key]):
            worst[key] = row.verdict
    return worst


def _blocks(
    mine: Scope,
    station: Station,
    monday: date,
    found: Sequence[Occurrence],
    singles: Sequence[OneOff],
    worst: Mapping[str, Verdict],
    owed: set[str],
    approved: Sequence[Segment],
    week: str,
) -> list[Block]:
    raw: list[Block] = []
    for one in found:
        verdict = worst.get(f"{station.code}/{one.name}/{one.day.isoformat()}")
        raw.append(
            Block(
                day=local(one.during.start, station.zone).isoweekday(),
                start=one.during.start,
                end=one.during.end,
                name=one.rule.name,
                about=_items_words(mine, one.rule),
                url=_block_url(mine, station, one),
                look="e-duty" if any(item.programme in owed for item in one.rule.items) else "e-own",
                classes="",
                mark=states.VERDICTS[verdict] if verdict else None,
            )
        )
    lengths = {segment.id: segment for segment in approved}
    for single in singles:
        if single.cancelled_at is not None:
            continue
        segment = lengths.get(single.segment)
        verdict = worst.get(f"{station.code}/oneoff/{single.id}")
        raw.append(
            Block(
                day=local(single.start, station.zone).isoweekday(),
                start=single.start,
                end=single.start + (segment.duration if segment else timedelta(minutes=1)),
                name=segment.title if segment else _("Phát riêng"),
                about=_("phát riêng"),
                url=url_for("pages.item", segment=single.segment),
                look="e-resv",
                classes="",
                mark=states.VERDICTS[verdict] if verdict else None,
            )
        )
    raw.sort(key=lambda block: (block.day, block.start))
    placed: list[Block] = []
    for block in raw:
        clash = [n for n, other in enumerate(placed) if other.day == block.day and other.end > block.start]
        if clash and block.look != "e-resv" and placed[clash[-1]].look != "e-resv":
            last = clash[-1]
            placed[last] = replace(placed[last], look="e-bad", classes="half-l")
            block = replace(block, look="e-bad", classes="half-r")
        elif clash:
            block = replace(block, classes="half-r")
        placed.append(block)
    return placed


def _block_url(mine: Scope, station: Station, one: Occurrence) -> str:
    if one.during.start > now() and can(mine.person, "grid.edit", station):
        return url_for("pages.occurrence", name=one.name, day=one.day.isoformat(), dai=station.code)
    there = local(one.during.start, station.zone).date()
    return url_for("pages.day_plan", day=there.isoformat(), dai=station.code)


def _items_words(mine: Scope, rule: SessionRule) -> str:
    named = [mine.programme_name(item.programme) for item in rule.items if item.programme]
    return ", ".join(dict.fromkeys(named)) or ngettext("%(num)d mục", "%(num)d mục", len(rule.items))


def _bands(blocks: Sequence[Block], station: Station, *, often: bool) -> tuple[tuple[Band, ...], str]:
    spans = sorted({(_row(block.start, station), _end_row(block, station)) for block in blocks})
    merged: list[list[int]] = []
    for first, last in spans:
        if merged and first - merged[-1][1] < _FOLD_MIN // _ROW_MIN:
            merged[-1][1] = max(merged[-1][1], last)
        else:
            merged.append([first, last])
    bands = []
    silent_from = 0
    for first, last in merged:
        fold = _fold(silent_from, first, often=often) if first > silent_from else ""
        ticks = tuple(
            (row - first + 1, _row_text(row))
            for row in range(first, last)
            if row % (30 // _ROW_MIN) == 0 or row == first
        )
        inside = tuple(
            replace(
                block,
                classes=f"{block.look} d{block.day} q{_row(block.start, station) - first + 1} "
                f"n{min(72, max(1, _end_row(block, station) - _row(block.start, station)))} {block.classes}".strip(),
            )
            for block in blocks
            if first <= _row(block.start, station) < last
        )
        bands.append(Band(fold=fold, rows=last - first, ticks=ticks, blocks=inside))
        silent_from = last
    whole = 24 * 60 // _ROW_MIN
    return tuple(bands), _fold(silent_from, whole, often=often) if silent_from < whole else ""


def _row(moment: datetime, station: Station) -> int:
    there = local(moment, station.zone)
    return (there.hour * 60 + there.minute) // _ROW_MIN


def _end_row(block: Block, station: Station) -> int:
    whole = max(1, -(-int((block.end - block.start).total_seconds()) // (_ROW_MIN * 60)))
    return min(24 * 60 // _ROW_MIN, _row(block.start, station) + whole)


def _row_text(row: int) -> str:
    return f"{row * _ROW_MIN // 60:02d}:{row * _ROW_MIN % 60:02d}"


def _fold(first: int, last: int, *, often: bool) -> str:
    if often:
        return _("%(a)s đến %(b)s: chỉ có buổi lặp lại ở trên", a=_row_text(first), b=_row_text(last))
    return _("%(a)s đến %(b)s: im lặng", a=_row_text(first), b=_row_text(last))


def _days(
    monday: date,
    chosen: date,
    blocks: Sequence[Block],
    station: Station,
    week: str,
    today: date,
    calendar: Sequence[CalendarDay],
) -> tuple[Day, ...]:
    days = []
    names = {one.day: one.name for one in calendar}
    for offset in range(7):
        day = monday + timedelta(days=offset)
        here = [block.mark for block in blocks if block.day == day.isoweekday()]
        known = [mark for mark in here if mark is not None]
        bad = [mark for mark in known if mark.sign in ("missed", "partial")]
        mark = bad[0] if bad else known[0] if known else states.PLANNED if here else None
        days.append(
            Day(
                date=day,
                name=day_name(day),
                number=f"{day:%d/%m}",
                today=day == today,
                selected=day == chosen,
                url=url_for("pages.week", week=week, dai=station.code, ngay=day.isoformat()),
                mark=mark,
                special=names.get(day, ""),
            )
        )
    return tuple(days)


def _weeks_here(intent: Intent, monday: date, station: Station) -> tuple[WeekTemplate, ...]:
    """Return the week templates that hold on some day of the week."""
    days = [monday + timedelta(days=offset) for offset in range(7)]
    kinds = {day: day_kind(intent, day) for day in days}
    return tuple(
        template
        for template in intent.templates
        if template.station == station.code
        and template.until is None
        and any(
            (template.valid_from is None or template.valid_from <= day)
            and (template.valid_until is None or day <= template.valid_until)
            and (not template.day_kinds or kinds[day] in template.day_kinds)
            for day in days
        )
    )


def _answer(rules: Sequence[SessionRule], clashes: int, rows: Sequence[Airing]) -> tuple[Part, ...]:
    if not rules:
        return (Part(text=_("Chưa có buổi phát nào trong lịch tuần."), tone="warn"),)
    parts = []
    if clashes:
        parts.append(Part(text=ngettext("%(num)d chỗ trùng giờ.", "%(num)d chỗ trùng giờ.", clashes), tone="bad"))
    missed = sum(1 for row in rows if row.verdict is Verdict.MISSED)
    if missed:
        parts.append(Part(text=ngettext("%(num)d lượt không phát.", "%(num)d lượt không phát.", missed), tone="bad"))
    parts.append(Part(text=ngettext("%(num)d buổi trong lịch tuần.", "%(num)d buổi trong lịch tuần.", len(rules))))
    if not clashes:
        parts.append(Part(text=_("Không trùng giờ.")))
    return tuple(parts)


def _every(rule: SessionRule) -> str:
    starts = sorted(rule.starts)
    gaps = {(b.hour * 60 + b.minute) - (a.hour * 60 + a.minute) for a, b in pairwise(starts)}
    if len(gaps) == 1:
        return _(
            "%(n)s lần mỗi ngày, cách nhau %(gap)s phút, từ %(first)s",
            n=len(starts),
            gap=gaps.pop(),
            first=f"{starts[0]:%H:%M}",
        )
    return _("%(n)s lần mỗi ngày, từ %(first)s", n=len(starts), first=f"{starts[0]:%H:%M}")


def _starts(rule: SessionRule) -> str:
    if len(rule.starts) > _FREQUENT:
        return _every(rule)
    return ", ".join(f"{start:%H:%M}" for start in rule.starts)
