"""Kế hoạch thật: why is this item here? One day as the station's own planner sees it, with the reason of each item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from flask import Blueprint, abort, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from schedules.airing import Airing, Verdict
from schedules.clock import Interval
from schedules.findings import Finding
from schedules.planner import plan
from schedules.rundown import Rundown, RundownItem
from schedules.station import Station
from store import airings, sessions
from webui import hearing, pencil
from webui.auth import allowed
from webui.hearing import Composed
from webui.pages import ribbon, states
from webui.pages.answers import Part
from webui.pages.formats import clock, clock_s, deadline, local, parse_day, week_of
from webui.pages.language import say
from webui.pages.layout import page
from webui.pages.scope import Scope, door, now, scope
from webui.pages.session import editable
from webui.planning import facts_of
from webui.services import services

_SHOWN = 6
_FURTHEST = timedelta(days=62)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One item of the plan, with what became of it. at_s: where it begins in the session's sound, None outside."""

    time: str
    title: str
    kind: str
    programme: str
    length_s: float
    why: str
    delayed: str
    mark: states.Mark
    segment: str | None
    quiet: bool
    heard_by: str
    at_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Items that belong to one session, or one single airing.

    playlist: address of its sound, empty where there is none. length_s: of that sound. holes: words for the places
    that cannot be heard yet.
    """

    name: str
    rows: tuple[Row, ...]
    over: bool
    playlist: str
    length_s: float
    holes: tuple[str, ...]


def routes(pages: Blueprint) -> None:
    """Add the route."""
    pages.add_url_rule("/lich/<day>/ke-hoach", "day_plan", day_plan)
    pages.add_url_rule("/lich/nhap/ke-hoach", "draft_plan", draft_plan)


@allowed("plan.read")
def day_plan(day: str) -> AnyResponse:
    """Show one day of one station."""
    mine = scope()
    try:
        asked = date.fromisoformat(day)
    except ValueError:
        abort(404)
    station = mine.chosen()
    if station is None:
        return redirect(url_for("pages.stations"))
    hours = ribbon.day_interval(station, asked)
    its = door(station.code)
    return _shown(mine, station, asked, its.plan(hours.start, hours.end) if its else None)


@allowed("grid.edit")
def draft_plan() -> AnyResponse:
    """Show one day as it would air if the reader's draft were published (`ngay=`; today)."""
    mine = scope()
    station = editable(mine)
    today = local(now(), station.zone).date()
    asked = parse_day(request.args.get("ngay", "")) or today
    if not today <= asked <= today + _FURTHEST:
        asked = today
    hours = ribbon.day_interval(station, asked)
    seen = pencil.look(station.code, person=mine.person)
    if not seen.steps:
        return redirect(url_for("pages.day_plan", day=asked.isoformat(), dai=station.code))
    with services().database.reading() as session:
        facts = facts_of(session, station.code, now())
    rundown = plan(seen.intent, facts, now(), Interval(max(hours.start, now()), hours.end))
    names = {rule.id: rule.name for rule in seen.intent.sessions}
    return _shown(mine, station, asked, rundown, drafted=True, names=names)


def _shown(
    mine: Scope,
    station: Station,
    asked: date,
    rundown: Rundown | None,
    *,
    drafted: bool = False,
    names: Mapping[str, str] | None = None,
) -> AnyResponse:
    hours = ribbon.day_interval(station, asked)
    with services().database.reading() as session:
        rows = airings.listing(session, stations=(station.code,), start=hours.start, end=hours.end, limit=5000)
    done = {row.airing.slot: row.airing for row in rows}
    items = [item for item in rundown.items if item.start < hours.end] if rundown else []
    stretches = _stretches(mine, names or _session_names(station), station, items, done)
    empty = sum(1 for item in items if item.sha256 is None and item.slot not in done and item.due > now())
    return page(
        "plan.html",
        active="week",
        station=station,
        stations_here=mine.stations,
        day=asked,
        day_iso=asked.isoformat(),
        week=week_of(asked),
        before=(asked - timedelta(days=1)).isoformat(),
        after=(asked + timedelta(days=1)).isoformat(),
        answer=_answer(rundown is not None, len(items), empty),
        drafted=drafted,
        coming=[stretch for stretch in stretches if not stretch.over],
        over=[stretch for stretch in stretches if stretch.over],
        shown=_SHOWN,
        plan_findings=_once(rundown.findings if rundown else ()),
        drawing=ribbon.draw(station, asked, items, [row.airing for row in rows], now()),
        revision=rundown.revision if rundown else 0,
        owed=[(one, states.DUTIES[one.state]) for one in rundown.duties] if rundown else [],
        deadline=deadline,
    )


def _once(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return each sentence once: the same clash every day is one thing to mend."""
    return tuple({finding.message.vi: finding for finding in findings}.values())


def _answer(connected: bool, count: int, empty: int) -> tuple[Part, ...]:
    if not connected:
        return (Part(text=_("Chưa liên lạc được với máy phát, nên chưa xem được kế hoạch thật."), tone="bad"),)
    if not count:
        return (Part(text=_("Ngày này không phát gì. Ngoài buổi phát, im lặng là đúng.")),)
    parts = [Part(text=ngettext("%(num)d mục theo kế hoạch thật.", "%(num)d mục theo kế hoạch thật.", count))]
    if empty:
        parts.append(Part(text=ngettext("%(num)d mục chưa có bài.", "%(num)d mục chưa có bài.", empty), tone="warn"))
    return tuple(parts)


def _stretches(
    mine: Scope, names: Mapping[str, str], station: Station, items: list[RundownItem], done: dict[str, Airing]
) -> list[Stretch]:
    sounds = {one.session: one for one in hearing.composed(items)}
    stretches: list[Stretch] = []
    key: object = None
    rows: list[Row] = []
    name = ""
    over = False

    def close(sound: Composed | None) -> None:
        if rows:
            stretches.append(
                Stretch(
                    name=name,
                    rows=tuple(rows),
                    over=over,
                    playlist=url_for("preview.whole", code=station.code, key=sound.key) if sound and sound.key else "",
                    length_s=sound.length_s if sound else 0.0,
                    holes=_holes(mine, sound) if sound else (),
                )
            )

    session = ""
    for item in items:
        mine_key = (item.session, item.session_end) if item.session else item.slot
        if mine_key != key:
            close(sounds.get(session))
            rows = []
            key = mine_key
            session = item.session or ""
            rule = _rule_of(item.session)
            title = names.get(rule) or (_("Phát riêng") if "/oneoff/" in item.slot else _("Phát bù"))
            name = _("%(name)s, %(time)s", name=title, time=clock(item.start, station.zone))
            over = True
        sound = sounds.get(session)
        at_s = next((mark.at_s for mark in sound.marks if mark.item is item), None) if sound else None
        rows.append(_row(mine, station, item, done.get(item.slot), at_s))
        over = over and item.slot in done
    close(sounds.get(session))
    return stretches


def _holes(mine: Scope, sound: Composed) -> tuple[str, ...]:
    """Return what a listener must know is not in the sound: places without a recording, and relays."""
    return tuple(
        [
            _("%(what)s: chưa có bài", what=mine.programme_name(item.programme) or say(states.ITEMS[item.kind]))
            for item in sound.empty
        ]
        + [
            _("%(what)s: chỉ nghe được khi phát", what=item.title or say(states.ITEMS[item.kind]))
            for item in sound.live
        ]
    )


def _rule_of(session: str | None) -> str:
    """Return the rule in `STATION/rule.2/2026-11-27`."""
    parts = (session or "").split("/")
    return parts[1].split(".")[0] if len(parts) == 3 else ""


def _session_names(station: Station) -> dict[str, str]:
    with services().database.reading() as session:
        known = sessions.since(session, now() - timedelta(days=35))
    return {rule.id: rule.name for rule in known if rule.station == station.code}


def _heard_by(station: Station, item: RundownItem) -> str:
    """Return which cluster groups hear it, nothing where all do."""
    if item.targets is None:
        return ""
    names = [group.name for group in station.groups if group.code in item.targets]
    return _("cho %(groups)s", groups=", ".join(names)) if names else _("không cụm loa nào mở giờ này")


def _row(mine: Scope, station: Station, item: RundownItem, row: Airing | None, at_s: float | None) -> Row:
    if row is not None:
        mark = states.VERDICTS[row.verdict]
    elif item.cancelled_by:
        mark = states.VERDICTS[Verdict.CANCELLED]
    elif item.replaced_by:
        mark = states.VERDICTS[Verdict.REPLACED]
    elif item.sha256 is None:
        mark = states.EMPTY
    else:
        mark = states.PLANNED
    late = (item.due - item.start).total_seconds()
    return Row(
        time=clock_s(item.start, station.zone),
        title=item.title or say(states.ITEMS[item.kind]),
        kind=say(states.ITEMS[item.kind]),
        programme=mine.programme_name(item.programme),
        length_s=(item.end - item.start).total_seconds(),
        why=say(row.reason if row is not None and row.reason else item.why),
        delayed=_("bắt đầu lúc %(time)s", time=clock_s(item.due, station.zone)) if row is None and late >= 1 else "",
        mark=mark,
        segment=item.segment,
        quiet=row is not None,
        heard_by=_heard_by(station, item),
        at_s=at_s,
    )
