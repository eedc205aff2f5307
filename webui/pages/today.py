"""Hôm nay: is there anything to do right now? One station, its duties, its day and its machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, Response, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from link.door import StationStatus
from schedules.airing import Airing
from schedules.duty import DutyStanding, DutyState
from schedules.grid import ItemKind
from schedules.rundown import Rundown, RundownItem
from schedules.segment import SegmentState
from schedules.station import Station
from schedules.text import Text
from store import airings, segments
from webui.auth import allowed
from webui.pages import answers, firststeps, ribbon, states
from webui.pages.assignments import own_rows
from webui.pages.dispatches import waiting_at
from webui.pages.formats import deadline, local, week_of
from webui.pages.language import say
from webui.pages.layout import ago, live_page
from webui.pages.scope import Scope, door, now, scope, statuses
from webui.rights import can
from webui.services import services

_COMING = 6
_AUDIBLE = frozenset({ItemKind.SEGMENT, ItemKind.NOTICE, ItemKind.RELAY, ItemKind.LIVE, ItemKind.EMERGENCY})


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyCard:
    """A duty as its card shows it."""

    name: str
    programme: str
    mark: states.Mark
    edge: str
    reason: Text
    fallback: Text | None
    deadline_words: str
    actions: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """An item that is still to air."""

    start: object
    title: str
    about: str
    mark: states.Mark
    warn: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many airings of today came out alike."""

    mark: states.Mark
    text: str


def routes(pages: Blueprint) -> None:
    """Add the route."""
    pages.add_url_rule("/", "today", today)


@allowed("stations.read")
def today() -> AnyResponse:
    """Show the day of one station; the centre comes to all stations, a leader to what waits for them."""
    mine = scope()
    role = mine.person.role.value
    if request.query_string == b"" and role in {"centre", "inspector", "admin"} and len(mine.stations) > 1:
        return redirect(url_for("pages.stations"))
    station = mine.chosen()
    if station is None:
        return redirect(url_for("pages.stations"))
    return _page(mine, station)


def _page(mine: Scope, station: Station) -> Response:
    day = local(now(), station.zone).date()
    hours = ribbon.day_interval(station, day)
    its = door(station.code)
    status = statuses().get(station.code)
    plan: Rundown | None = its.plan(hours.start, hours.end) if its else None
    with services().database.reading() as session:
        rows = airings.listing(session, stations=(station.code,), start=hours.start, end=hours.end, limit=2000)
        returned = segments.listing(
            session, owners=mine.unit_codes, states=(SegmentState.RETURNED,), station=station.code, limit=100
        )
        waiting = segments.listing(
            session, owners=mine.unit_codes, states=(SegmentState.SUBMITTED,), station=station.code, limit=100
        )
    done = [row.airing for row in rows]
    coming = _coming(plan, done)
    duties = plan.duties if plan else ()
    state = states.STATIONS[status.state] if status else states.STATIONS["silent"]
    return live_page(
        "today.html",
        "_today.html",
        active="today",
        now=now(),
        today=day,
        this_week=week_of(day),
        assigned=own_rows(mine),
        answer=(
            *_own_work(mine, station, len(returned), len(waiting)),
            *answers.today(status, done, duties, coming, station.zone),
        ),
        stations_here=mine.stations,
        station=station,
        status=status or _unknown(station),
        state=state,
        machine=_machine(status),
        duties=[_card(mine, station, duty) for duty in duties],
        on_air=status.on_air if status else None,
        on_air_percent=_percent(status),
        live_audio=live_audio(station),
        upcoming=[_row(item) for item in coming[:_COMING]],
        day=ribbon.draw(station, day, plan.items if plan else (), done, now()),
        first_steps=firststeps.of(mine, station),
        returned=[{"id": r.id, "title": r.card.title, "reason": r.reason} for r in returned[:3]],
        waiting=len(waiting),
        sent=waiting_at(station),
        may_approve=can(mine.person, "segments.approve", station),
        aired=_tally(done),
        rehearsal_today=any(row.rehearsal for row in done),
        rehearsals_count=services().demo,
        live_url=url_for("pages.today", dai=station.code),
    )


def _own_work(mine: Scope, station: Station, returned: int, waiting: int) -> list[answers.Part]:
    """Return what waits for this reader's own hand: items that came back, items to approve."""
    parts = []
    if returned and can(mine.person, "segments.create", station):
        words = ngettext("%(num)d bài bị trả lại cần sửa.", "%(num)d bài bị trả lại cần sửa.", returned)
        parts.append(answers.Part(text=words, tone="warn"))
    if waiting and can(mine.person, "segments.approve", station):
        parts.append(
            answers.Part(text=ngettext("%(num)d bài chờ duyệt.", "%(num)d bài chờ duyệt.", waiting), tone="warn")
        )
    return parts


def live_audio(station: Station) -> str:
    """Return where the live playlist of a station is."""
    return f"/api/v1/stations/{station.code}/live.m3u8"


def _coming(plan: Rundown | None, done: Sequence[Airing]) -> list[RundownItem]:
    if plan is None:
        return []
    settled = {row.slot for row in done}
    return [
        item
        for item in plan.items
        if item.due > now() and item.slot not in settled and item.replaced_by is None and not item.cancelled_by
    ]


def _row(item: RundownItem) -> Coming:
    empty = item.sha256 is None and item.kind in _AUDIBLE
    mark = states.EMPTY if empty else states.PLANNED
    return Coming(
        start=item.due,
        title=item.title or say(states.ITEMS[item.kind]),
        about=say(states.ITEMS[item.kind]),
        mark=mark,
        warn=empty,
    )


def _card(mine: Scope, station: Station, duty: DutyStanding) -> DutyCard:
    mark = states.DUTIES[duty.state]
    open_still = duty.state in (DutyState.PLANNED, DutyState.AT_RISK)
    return DutyCard(
        name=duty.name,
        programme=mine.duty_programme(duty.duty),
        mark=mark,
        edge=mark.sign,
        reason=duty.reason,
        fallback=duty.fallback if open_still else None,
        deadline_words=_("Phải phát xong trước %(time)s.", time=deadline(duty.deadline, station.zone))
        if open_still
        else "",
        actions=open_still and duty.owner in mine.unit_codes and can(mine.person, "segments.create", station),
    )


def _tally(done: Sequence[Airing]) -> list[Tally]:
    count = Counter(row.verdict for row in done)
    return [
        Tally(mark=states.VERDICTS[verdict], text=f"{count[verdict]} {say(states.VERDICTS[verdict].word).lower()}")
        for verdict in states.VERDICTS
        if count[verdict]
    ]


def _percent(status: StationStatus | None) -> int:
    if status is None or status.on_air is None or status.on_air.duration_s <= 0:
        return 0
    return min(100, round(100 * status.on_air.position_s / status.on_air.duration_s))


def _machine(status: StationStatus | None) -> str:
    if status is None:
        return _("Máy này chưa nối với đài.")
    word = _("đồng hồ đúng") if status.clock.trusted else _("đồng hồ chưa tin được")
    return _("Liên lạc %(when)s, %(clock)s", when=ago(status.contact_at), clock=word)


def _unknown(station: Station) -> StationStatus:
    state = services().clock.state()
    return StationStatus(
        code=station.code,
        state="silent",
        clock=state,
        contact_at=now(),
        on_air=None,
        next=None,
        outputs=(),
        faults=(),
        level_dbfs=None,
        peak_dbfs=None,
        rehearsal=False,
        revision=0,
    )
