"""Chủ đề đã phát: the 26 topics by month from what really aired, where the gaps are, and which to take next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from flask import Blueprint, abort, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from schedules.duty import Period
from schedules.station import Station
from schedules.text import Text
from schedules.topics import GROUPS, TOPICS, Topic, TopicGroup, in_group
from store import coverage as aired
from webui import dutyboard
from webui.auth import allowed
from webui.pages.answers import Part
from webui.pages.formats import day_short, local, period_name
from webui.pages.language import say
from webui.pages.layout import page
from webui.pages.scope import Scope, now, scope
from webui.services import services

_MONTHS = 12
_STEPS = (1, 2, 4, 8)
_NEXT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One topic in one month. level: 0 for none to 4; label: the same in words."""

    count: int
    level: int
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """One topic over the months, oldest first. gap: what is missing, in words; nothing where it aired lately."""

    topic: Topic
    cells: tuple[Cell, ...]
    total: int
    last: str
    gap: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The topics of one group."""

    group: TopicGroup
    strips: tuple[Strip, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """The groups in this month: how many of their topics aired."""

    month: str
    done: int
    all: int
    rows: tuple[tuple[TopicGroup, int, int], ...]
    url: str


def routes(pages: Blueprint) -> None:
    """Add the route."""
    pages.add_url_rule("/nhiem-vu/chu-de", "coverage", coverage)


@allowed("duties.read")
def coverage() -> AnyResponse:
    """Show which topics aired in which month, at one station, in one unit, or at all of them."""
    mine = scope()
    stations, name = _chosen(mine)
    months = dutyboard.periods(Period.MONTH, local(now()).date(), _MONTHS)
    found = _months(stations, months[0])
    by_topic: dict[str, dict[str, int]] = defaultdict(dict)
    last: dict[str, datetime] = {}
    for one in found:
        by_topic[one.topic][one.month] = one.airings
        last[one.topic] = max(last.get(one.topic, one.last_at), one.last_at)
    sections = [
        Section(
            group=group,
            strips=tuple(
                _strip(topic, months, by_topic[topic.code], last.get(topic.code)) for topic in in_group(group.letter)
            ),
        )
        for group in GROUPS
    ]
    this_month = sum(1 for topic in TOPICS if by_topic[topic.code].get(months[-1]))
    return page(
        "coverage.html",
        active="duties",
        sections=sections,
        months=[(name_, f"{int(name_[5:])}/{name_[2:4]}") for name_ in months],
        scope=mine,
        station=request.args.get("dai", ""),
        unit=request.args.get("don_vi", ""),
        units=[unit for unit in mine.units if any(one.unit == unit.code for one in mine.stations)],
        answer=_answer(name, this_month, months[-1]),
        gaps=[strip for section in sections for strip in section.strips if strip.gap],
        following=_following(sections, months[-1], by_topic),
        rehearsals=services().demo,
    )


def month_glance(mine: Scope, stations: Sequence[Station]) -> Glance:
    """Return how much of each group aired this month, for the side of the duty board."""
    month = dutyboard.periods(Period.MONTH, local(now()).date(), 1)[0]
    there = {one.topic for one in _months(stations, month) if one.airings}
    rows = tuple(
        (group, sum(topic.code in there for topic in in_group(group.letter)), len(in_group(group.letter)))
        for group in GROUPS
    )
    code = mine.stations[0].code if len(mine.stations) == 1 else None
    return Glance(
        month=month,
        done=sum(done for _group, done, _all in rows),
        all=len(TOPICS),
        rows=rows,
        url=url_for("pages.coverage", dai=code, don_vi=request.args.get("don_vi") or None),
    )


def _chosen(mine: Scope) -> tuple[tuple[Station, ...], str]:
    code, unit = request.args.get("dai", ""), request.args.get("don_vi", "")
    if code:
        station = mine.station(code)
        return (station,), station.name
    if unit:
        if unit not in mine.unit_codes:
            abort(404)
        return tuple(station for station in mine.stations if station.unit == unit), mine.unit_name(unit)
    if len(mine.stations) == 1:
        return mine.stations, mine.stations[0].name
    return mine.stations, mine.unit_name(mine.person.unit)


def _months(stations: Sequence[Station], since: str) -> tuple[aired.TopicMonth, ...]:
    with services().database.reading() as session:
        return aired.months(session, [station.code for station in stations], since=since, rehearsals=services().demo)


def _strip(topic: Topic, months: Sequence[str], counted: dict[str, int], last: datetime | None) -> Strip:
    label = say(topic.label)
    cells = []
    for month in months:
        count = counted.get(month, 0)
        words = ngettext("%(num)d lượt phát", "%(num)d lượt phát", count) if count else _("không phát")
        cells.append(
            Cell(
                count=count,
                level=sum(count >= step for step in _STEPS),
                label=_("%(topic)s, %(month)s: %(count)s", topic=label, month=period_name(month), count=words),
            )
        )
    return Strip(
        topic=topic,
        cells=tuple(cells),
        total=sum(counted.values()),
        last=day_short(local(last).date()) if last else "",
        gap=_gap(topic, months, counted),
    )


def _gap(topic: Topic, months: Sequence[str], counted: dict[str, int]) -> str:
    """Return since when a topic has not aired; two months without it are a gap."""
    silent = 0
    for month in reversed(months):
        if counted.get(month):
            break
        silent += 1
    if silent == len(months):
        return _("%(code)s chưa phát lần nào trong %(n)s tháng qua", code=topic.code, n=len(months))
    if silent < 2:
        return ""
    since = date.fromisoformat(f"{months[-silent]}-01")
    return _("%(code)s chưa phát lần nào từ tháng %(month)s", code=topic.code, month=f"{since.month}/{since.year}")


def _following(
    sections: Sequence[Section], month: str, by_topic: dict[str, dict[str, int]]
) -> list[tuple[Topic, Text]]:
    """Return the topics to take next: what is owed every week first, then what rested longest."""
    weekly = [
        (strip.topic, Text("tin hằng tuần, tháng này chưa phát", "weekly news, not aired this month"))
        for section in sections
        if section.group.weekly
        for strip in section.strips
        if not by_topic[strip.topic.code].get(month)
    ]
    others = [
        (strip, max((key for key, count in by_topic[strip.topic.code].items() if count), default=""))
        for section in sections
        if not section.group.weekly
        for strip in section.strips
    ]
    rested = [
        (strip.topic, Text("lâu nhất chưa phát", "rested longest"))
        for strip, latest in sorted(others, key=lambda one: (one[1], one[0].total, one[0].topic.code))
        if latest < month
    ]
    return (weekly + rested)[:_NEXT]


def _answer(name: str, done: int, month: str) -> tuple[Part, ...]:
    return (
        Part(
            text=_(
                "%(name)s, %(month)s: đã phát %(done)s/%(all)s chủ đề.",
                name=name,
                month=period_name(month),
                done=done,
                all=len(TOPICS),
            )
        ),
    )
