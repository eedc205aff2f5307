"""Lịch phát: the week as it will air, under the reader's own pencil, and every way into changing it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from threading import Lock
from typing import Any, cast
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, current_app, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from schedules.airing import Airing, Verdict
from schedules.calendar import Occurrence, day_kind, instant, occurrences
from schedules.clock import Interval
from schedules.duty import DutyStanding, DutyState
from schedules.grid import CalendarDay, OneOff, SessionException, SessionRule, WeekTemplate
from schedules.intent import Intent
from schedules.pencil import Reach
from schedules.planner import plan
from schedules.rundown import Rundown
from schedules.station import Station
from store import airings, one_offs
from webui import pencil
from webui.auth import allowed
from webui.pages import states, weekgrid
from webui.pages.answers import Part
from webui.pages.formats import day_name, iso_week, local, moment_short, week_name, week_of, week_text, weekday_long
from webui.pages.layout import page
from webui.pages.occurrence import Made, decided
from webui.pages.scope import Scope, now, scope
from webui.pages.session import recurrence
from webui.pages.weekgrid import Block, Clash
from webui.pages.weeks import holds_when
from webui.pencil import Look
from webui.planning import facts_of
from webui.rights import can
from webui.services import services

_FREQUENT = 4
_PLANNED_DAYS = 15
_SHOWN_CLASHES = 3
_SHOWN_DUTIES = 3
_MOST_ROWS = 5_000
_MOST_PLANS = 64
_FRESH = timedelta(minutes=1)
_PLANS = "loa.weekplans"


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
    wide: bool


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/lich", "this_week", this_week)
    pages.add_url_rule("/lich/<week>", "week", week)
    pages.record_once(lambda state: state.app.extensions.setdefault(_PLANS, Plans()))


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
    alone = request.headers.get("HX-Request") == "true"
    # The week stands at once; what its plan adds comes after it, for the plan of a busy week takes its time.
    values = drawn(mine, station, year, number, wait=alone or request.args.get("day-du") == "1")
    return page("_week.html" if alone else "week.html", active="week", **values)


def drawn(
    mine: Scope, station: Station, year: int, number: int, *, said: str = "", wrong: str = "", wait: bool = True
) -> dict[str, Any]:
    """Return everything that the page of a week shows. said, wrong: what just happened, or could not.

    wait: work the plan out where it is not known; else the page is drawn without it and says that it is pending.
    """
    week = week_text(year, number)
    zone = ZoneInfo(station.zone)
    monday = date.fromisocalendar(year, number, 1)
    during = Interval(instant(zone, monday, time(0)), instant(zone, monday + timedelta(days=7), time(0)))
    may_edit = can(mine.person, "grid.edit", station)
    seen = pencil.look(station.code, person=mine.person, with_draft=may_edit)
    intent = seen.intent
    with services().database.reading() as database:
        rows = airings.listing(database, stations=(station.code,), start=during.start, end=during.end, limit=_MOST_ROWS)
        singles = one_offs.of_station(database, station.code, during.start, during.end)
        rundown, pending = _planned(database, seen, during, mine.person.id, wait=wait)
    logged = [row.airing for row in rows]
    found = occurrences(intent, station, during)
    owed = frozenset(duty.programme for duty in intent.duties if duty.programme and station.code in duty.stations)
    segments = {segment.id: segment for segment in intent.segments}
    inside = weekgrid.pieces(rundown.items if rundown else (), logged, segments, owed)
    begun = [one for one in found if during.contains(one.during.start)]
    rules = tuple(rule for rule in seen.rules.values() if rule.until is None)
    frequent = [rule for rule in rules if len(rule.starts) > _FREQUENT]
    raw = [
        *_sessions(mine, seen, [one for one in begun if len(one.rule.starts) <= _FREQUENT], inside, logged, owed),
        *_singles(station, singles, segments, logged),
        *_reserved(station, rundown, during),
    ]
    blocks, clashes = weekgrid.placed(raw)
    bands, fold_end = weekgrid.bands(blocks, station, often=bool(frequent))
    today = local(now(), station.zone).date()
    chosen_day = _chosen_day(monday, today)
    wide = frozenset(clash.later.day for clash in clashes)
    standings = rundown.duties if rundown else ()
    return {
        "station": station,
        "stations_here": mine.stations[:12],
        "more_stations": len(mine.stations) > 12,
        "week": week,
        "week_words": week_name(year, number),
        "answer": _answer(rules, clashes, logged, standings, station.zone),
        "bands": bands,
        "fold_end": fold_end,
        "days": _days(monday, chosen_day, blocks, station, week, today, intent.calendar, wide),
        "wide": " ".join(f"x{day}" for day in sorted(wide)),
        "weeks_here": _weeks_here(intent, monday, station),
        "lasting": [rule for rule in rules if rule.template is None],
        "agenda": sorted((b for b in blocks if b.day == chosen_day.isoweekday()), key=lambda b: b.start),
        "agenda_day": chosen_day,
        "frequent": [(rule, _every(rule)) for rule in frequent],
        "before": week_text(*(monday - timedelta(days=7)).isocalendar()[:2]),
        "after": week_text(*(monday + timedelta(days=7)).isocalendar()[:2]),
        "today_week": week_of(today),
        "monday": monday.isoformat(),
        "may_edit": may_edit,
        "weekdays": recurrence,
        "holds_when": holds_when,
        "starts": _starts,
        "decisions": _decisions(seen.exceptions, rules, monday),
        "seen": seen,
        "clashes": clashes[:_SHOWN_CLASHES],
        "fixes": _fixes,
        "clash_words": lambda clash: _clash_words(clash, station),
        "standings": [(one, states.DUTIES[one.state]) for one in _this_week(standings, week)[:_SHOWN_DUTIES]],
        "reaches": Reach,
        "local": lambda moment: local(moment, station.zone),
        "pending": pending,
        "said": said,
        "wrong": wrong,
        "sheet_url": _sheet_url(station, week),
        "may_order": can(mine.person, "airings.order", station),
    }


class Plans:
    """The plans of weeks that were drawn lately: a page that is looked at again need not work them out again."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[object, ...], tuple[datetime, Rundown]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: tuple[object, ...], moment: datetime) -> Rundown | None:
        """Return the plan that was made under this name within the last minute, or None."""
        with self._lock:
            found = self._known.get(key)
        return found[1] if found is not None and timedelta(0) <= moment - found[0] < _FRESH else None

    def keep(self, key: tuple[object, ...], moment: datetime, rundown: Rundown) -> None:
        """Keep a plan; the oldest goes where there are too many."""
        with self._lock:
            self._known[key] = moment, rundown
            self._known.move_to_end(key)
            while len(self._known) > _MOST_PLANS:
                self._known.popitem(last=False)


def _planned(
    database: Session, seen: Look, during: Interval, person: str, *, wait: bool
) -> tuple[Rundown | None, bool]:
    """Return the plan of what is still to come of a week, and whether it is still to be worked out.

    There is none for weeks that are over or far away.
    """
    if during.start >= now() + timedelta(days=_PLANNED_DAYS) or during.end <= now():
        return None, False
    code = seen.station.code
    plans = cast(Plans, current_app.extensions[_PLANS])
    drafted = (person, seen.draft.version) if seen.draft and seen.steps else None
    key = (code, seen.intent.revision, drafted, during, airings.last_seq(database, code))
    known = plans.get(key, now())
    if known is None and wait:
        facts = facts_of(database, code, now())
        known = plan(seen.intent, facts, now(), Interval(max(during.start, now()), during.end), thorough=False)
        plans.keep(key, now(), known)
    return known, known is None


def _sessions(
    mine: Scope,
    seen: Look,
    found: Sequence[Occurrence],
    inside: Mapping[str, list[weekgrid.Piece]],
    logged: Sequence[Airing],
    owed: frozenset[str],
) -> list[Block]:
    station = seen.station
    worst = weekgrid.worst(logged)
    may_edit = can(mine.person, "grid.edit", station)
    known = {before.id: before for before, _after in _pencilled(seen) if before is not None}
    touched = {after.id for _before, after in _pencilled(seen) if after is not None} | known.keys()
    blocks = []
    for one in found:
        key = f"{station.code}/{one.name}/{one.day.isoformat()}"
        verdict = worst.get(key)
        name = seen.name(one.name)
        there = local(one.during.start, station.zone)
        coming = one.during.start > now()
        block = Block(
            day=there.isoweekday(),
            start=one.during.start,
            end=one.during.end,
            title=one.rule.name,
            about=_items_words(mine, one.rule),
            url=url_for("pages.occurrence", name=name, day=one.day.isoformat(), dai=station.code)
            if coming and may_edit
            else url_for("pages.day_plan", day=there.date().isoformat(), dai=station.code),
            look=weekgrid.look_of(one, owed, inside.get(key, ())),
            mark=states.VERDICTS[verdict] if verdict else None,
            name=name,
            rule_day=one.day,
            movable=coming and may_edit,
            pencilled=name.partition(".")[0] in touched or (one.moved_by is not None and _is_pencilled(seen, one)),
        )
        blocks.append(_with_strips(block, inside.get(key, ())))
    return blocks


def _with_strips(block: Block, inside: Sequence[weekgrid.Piece]) -> Block:
    return replace(block, strips=weekgrid.strips(block, inside))


def _pencilled(seen: Look) -> tuple[tuple[SessionRule | None, SessionRule | None], ...]:
    return seen.change.rules


def _is_pencilled(seen: Look, one: Occurrence) -> bool:
    made = {exception.id for exception in seen.change.added}
    return one.moved_by is not None and one.moved_by.id in made


def _singles(
    station: Station, singles: Sequence[OneOff], segments: Mapping[str, Any], logged: Sequence[Airing]
) -> list[Block]:
    worst = weekgrid.worst(logged)
    found = []
    for single in singles:
        if single.cancelled_at is not None:
            continue
        segment = segments.get(single.segment)
        verdict = worst.get(f"{station.code}/oneoff/{single.id}")
        found.append(
            Block(
                day=local(single.start, station.zone).isoweekday(),
                start=single.start,
                end=single.start + (segment.duration if segment else timedelta(minutes=1)),
                title=segment.title if segment else _("Phát riêng"),
                about=_("phát riêng"),
                url=url_for("pages.item", segment=single.segment),
                look="e-single",
                mark=states.VERDICTS[verdict] if verdict else None,
            )
        )
    return found


def _reserved(station: Station, rundown: Rundown | None, during: Interval) -> list[Block]:
    """Return the time that the planner keeps for duties beside the sessions."""
    items = rundown.items if rundown else ()
    return [
        Block(
            day=local(item.start, station.zone).isoweekday(),
            start=item.start,
            end=item.end,
            title=item.title,
            about=_("giữ chỗ cho nhiệm vụ"),
            url=url_for("pages.day_plan", day=local(item.start, station.zone).date().isoformat(), dai=station.code),
            look=weekgrid.RESERVED,
            mark=states.PLANNED,
        )
        for item in items
        if item.session is None and item.duty is not None and during.contains(item.start) and item.start > now()
    ]


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
        asked = date.fromisoformat(request.values.get("ngay", ""))
    except ValueError:
        asked = today
    return asked if monday <= asked < monday + timedelta(days=7) else monday


def _items_words(mine: Scope, rule: SessionRule) -> str:
    named = [mine.programme_name(item.programme) for item in rule.items if item.programme]
    return ", ".join(dict.fromkeys(named)) or ngettext("%(num)d mục", "%(num)d mục", len(rule.items))


def _days(
    monday: date,
    chosen: date,
    blocks: Sequence[Block],
    station: Station,
    week: str,
    today: date,
    calendar: Sequence[CalendarDay],
    wide: frozenset[int],
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
                mark=states.CLASH if day.isoweekday() in wide else mark,
                special=names.get(day, ""),
                wide=day.isoweekday() in wide,
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


def _answer(
    rules: Sequence[SessionRule],
    clashes: Sequence[Clash],
    rows: Sequence[Airing],
    standings: Sequence[DutyStanding],
    zone: str,
) -> tuple[Part, ...]:
    if not rules:
        return (Part(text=_("Chưa có buổi phát nào trong lịch tuần."), tone="warn"),)
    parts = []
    if clashes:
        parts.append(
            Part(
                text=_(
                    "%(what)s, đầu tiên lúc %(when)s.",
                    what=ngettext("%(num)d chỗ trùng giờ", "%(num)d chỗ trùng giờ", len(clashes)),
                    when=moment_short(clashes[0].later.start, zone),
                ),
                tone="bad",
            )
        )
    missed = sum(1 for row in rows if row.verdict is Verdict.MISSED)
    if missed:
        parts.append(Part(text=ngettext("%(num)d lượt không phát.", "%(num)d lượt không phát.", missed), tone="bad"))
    danger = [one for one in standings if one.state in (DutyState.AT_RISK, DutyState.MISSED)]
    if danger:
        parts.append(_danger(danger[0]))
    parts.append(Part(text=ngettext("%(num)d buổi trong lịch tuần.", "%(num)d buổi trong lịch tuần.", len(rules))))
    if not clashes:
        parts.append(Part(text=_("Không trùng giờ.")))
    if standings and not danger:
        parts.append(Part(text=_("Nhiệm vụ đủ khung để phát.")))
    return tuple(parts)


def _danger(standing: DutyStanding) -> Part:
    """Return what threatens a duty: that it failed, that its place is not sure, or that it has none."""
    if standing.state is DutyState.MISSED:
        return Part(text=_("Nhiệm vụ “%(name)s” không đạt.", name=standing.name), tone="bad")
    if standing.slots:
        return Part(text=_("Nhiệm vụ “%(name)s” có nguy cơ không đạt.", name=standing.name), tone="warn")
    return Part(text=_("Nhiệm vụ “%(name)s” chưa đủ chỗ phát.", name=standing.name), tone="bad")


def _this_week(standings: Sequence[DutyStanding], week: str) -> list[DutyStanding]:
    """Return the duties of this week first, then those of months and years, the troubled ones before the others."""
    calm = {DutyState.PLANNED: 1, DutyState.MET: 2, DutyState.MADE_UP: 2, DutyState.EXCUSED: 3}
    mine = [one for one in standings if "-W" not in one.period or one.period == week]
    return sorted(mine, key=lambda one: (calm.get(one.state, 0), one.period != week, one.deadline))


def _clash_words(clash: Clash, station: Station) -> tuple[str, str]:
    there = local(clash.later.start, station.zone)
    return (
        _(
            "%(day)s %(time)s: trùng giờ %(n)s phút",
            day=weekday_long(there.isoweekday()),
            time=f"{there:%H:%M}",
            n=clash.minutes,
        ),
        _(
            "“%(a)s” kéo dài tới %(end)s, đè lên “%(b)s”.",
            a=clash.earlier.title,
            end=f"{local(clash.earlier.end, station.zone):%H:%M}",
            b=clash.later.title,
        ),
    )


def _fixes(clash: Clash) -> dict[str, Any]:
    """Return the two ways out: the later one behind the earlier, or the earlier one cut."""
    left = round((clash.later.start - clash.earlier.start).total_seconds() / 60, 2)
    return {"move_to": clash.earlier.end, "cut_to": clash.later.start, "cut_min": left if left >= 1 else None}


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


def _sheet_url(station: Station, week: str) -> str:
    """Return where the programme sheet of the week is printed, nothing where this Loa has no such page."""
    if "pages.programme_sheet" not in current_app.view_functions:
        return ""
    return url_for("pages.programme_sheet", week=week, dai=station.code)
