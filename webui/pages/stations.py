"""Các đài: which station needs help now? And one station whole, with stop and listening."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from link.door import FaultStatus, StationStatus
from schedules.carrying import is_sending
from schedules.clock import ClockState, utc
from schedules.duty import DutyStanding
from schedules.errors import NotAllowed, Refused
from schedules.findings import Finding
from schedules.station import Station
from store import airings, coverage
from webui import talking, work
from webui.auth import allowed
from webui.dutyboard import LIVE
from webui.pages import answers, ribbon, states
from webui.pages.formats import clock, local, minutes, week_of
from webui.pages.hours import spans_text
from webui.pages.language import say
from webui.pages.layout import ago, live_page, page
from webui.pages.scope import Scope, door, now, scope, statuses
from webui.pages.today import live_audio
from webui.rights import can
from webui.services import services

_PAGE = 50
_GROUPED = 30
_POLL_S = 3
_POLL_MANY_S = 10
_OLD = timedelta(seconds=90)
_LOST = timedelta(minutes=10)
_SAID_LATELY = timedelta(minutes=30)
_SORT = {"missed": 0, "fault": 1, "at_risk": 2, "silent": 3, "emergency": 4, "on_air": 5, "planned": 6, "off": 7}


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyMark:
    """How a duty stands, in a word."""

    mark: states.Mark
    short: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One station in the list."""

    code: str
    name: str
    unit: str
    mark: states.Mark
    edge: str
    headline: str
    left_s: float | None
    progress: int | None
    level: float | None
    peak: float | None
    faults: tuple[FaultStatus, ...]
    note: str
    contact: str
    outputs: str
    rehearsal: bool
    duties: tuple[DutyMark, ...]
    on_air: bool
    live_url: str
    troubled: bool
    heading: str = ""
    stale: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Glimpse:
    """As much of a station as is looked at to sort a thousand. lost: nothing was heard from it for minutes."""

    station: Station
    unit: str
    mark: states.Mark
    troubled: bool
    on_air: bool
    lost: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One way to see fewer stations."""

    label: str
    count: int
    url: str
    on: bool


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/dai", "stations", stations)
    pages.add_url_rule("/dai/<code>", "station", station)
    pages.add_url_rule("/dai/<code>/dung", "stop_station", stop_station, methods=["POST"])
    pages.add_url_rule("/dai/<code>/thu-loa", "test_output", test_output, methods=["POST"])
    pages.add_url_rule("/dai/<code>/dong-ho", "station_clock", station_clock, methods=["GET", "POST"])


@allowed("stations.read")
def stations() -> AnyResponse:
    """Show the stations that the reader sees, those that need help first; of many one page, grouped by unit."""
    mine = scope()
    every = [_glimpse(mine, one) for one in _filtered(mine)]
    asked = request.args.get("loc", "")
    troubled = [one for one in every if one.troubled]
    airing = [one for one in every if one.on_air]
    wanted = troubled if asked == "xu-ly" else airing if asked == "dang-phat" else every
    grouped = len(wanted) > _GROUPED
    ordered = _ordered(wanted, grouped=grouped)
    first = _first()
    part = ordered[first : first + _PAGE]
    duties = _standings([one.station for one in part])
    rows = []
    heading = ""
    for one in part:
        begins = one.unit if grouped and one.unit != heading else ""
        heading = one.unit
        rows.append(replace(_row(mine, one.station, duties.get(one.station.code, ())), heading=begins))
    kinds = ((_("Tất cả"), every, None), (_("Cần xử lý"), troubled, "xu-ly"), (_("Đang phát"), airing, "dang-phat"))
    filters = [
        Filter(label=label, count=len(those), url=_with(loc=key, tu=None), on=asked == (key or ""))
        for label, those, key in kinds
    ]
    worst = _ordered(troubled, grouped=False)
    return live_page(
        "stations.html",
        "_stations.html",
        active="stations",
        now=now(),
        today=local(now()).date(),
        rows=rows,
        total=len(ordered),
        first=first,
        troubled=troubled,
        trouble_words=answers.stations([(one.station.name, say(one.mark.word)) for one in worst]),
        rest_words=_rest(every, airing, troubled),
        filters=filters,
        clock=_clock(),
        legend=[],
        live_url=_with(),
        every_s=_POLL_S if len(every) <= LIVE else _POLL_MANY_S,
        before_url=_with(tu=str(max(0, first - _PAGE))) if first else "",
        next_url=_with(tu=str(first + _PAGE)) if len(ordered) > first + _PAGE else "",
        many=len(mine.stations) > LIVE,
        units=[unit for unit in mine.units if any(one.unit == unit.code for one in mine.stations)],
        unit=request.args.get("don_vi", ""),
        searched=request.args.get("tim", ""),
        filtered=bool(request.args.get("don_vi") or request.args.get("tim") or asked),
    )


@allowed("stations.read")
def station(code: str) -> AnyResponse:
    """Show one station: its day, what it does now, its outputs, and the way to silence it."""
    mine = scope()
    return _station_page(mine, mine.station(code))


@allowed("stations.stop")
def stop_station(code: str) -> AnyResponse:
    """Silence the station now, for a reason that goes into the air log."""
    mine = scope()
    one = mine.station(code)
    try:
        cut = work.stop(code, reason=request.form.get("reason", ""), person=mine.person)
    except NotAllowed:
        raise
    except Refused as refused:
        return _station_page(mine, one, stop_error=" ".join(say(f.message) for f in refused.findings), code=422)
    if cut:
        flash(_("Đã dừng phát ở %(name)s. Phần còn lại của buổi này cũng không phát nữa.", name=one.name), "done")
    else:
        flash(_("%(name)s không phát gì lúc này, nên không có gì để dừng.", name=one.name), "info")
    return redirect(url_for("pages.station", code=code))


@allowed("stations.test")
def test_output(code: str) -> AnyResponse:
    """Sound chime and test tone on one output."""
    mine = scope()
    one = mine.station(code)
    output = request.form.get("output", "")
    try:
        talking.sound_output(code, output, person=mine.person)
    except NotAllowed:
        raise
    except Refused as refused:
        why = " ".join(say(finding.message) for finding in refused.findings)
        flash(_("Chưa thử loa được. %(why)s", why=why), "bad")
    else:
        flash(_("Đang thử loa %(output)s ở %(name)s. Hãy nghe tại loa.", output=output, name=one.name), "done")
    return redirect(url_for("pages.station", code=code), 303)


@allowed("stations.clock")
def station_clock(code: str) -> AnyResponse:
    """Show the station's time large, or take a person's word that it is right."""
    mine = scope()
    one = mine.station(code)
    errors: tuple[Finding, ...] = ()
    if request.method == "POST":
        try:
            talking.confirm_time(code, shown=_shown(request.form.get("shown", "")), person=mine.person)
        except NotAllowed:
            raise
        except Refused as refused:
            errors = refused.findings
        else:
            flash(_("Đã ghi nhận giờ của %(name)s là đúng, do anh/chị xác nhận.", name=one.name), "done")
            return redirect(url_for("pages.station", code=code), 303)
    values = {
        "station": one,
        "clock": _clock(statuses().get(code)),
        "now": now(),
        "day": local(now(), one.zone).date(),
        "errors": errors,
        "may_confirm": can(mine.person, "stations.clock", one),
        "live_url": url_for("pages.station_clock", code=code),
    }
    if errors:
        return page("station_clock.html", active="stations", code=422, **values)
    return live_page("station_clock.html", "_station_clock.html", active="stations", **values)


def _shown(text: str) -> datetime:
    try:
        return utc(datetime.fromisoformat(text))
    except ValueError:
        # Nothing was shown: as old as it gets, and refused as such.
        return datetime.min.replace(tzinfo=UTC)


def _station_page(mine: Scope, one: Station, *, stop_error: str = "", code: int = 200) -> Response:
    day = local(now(), one.zone).date()
    hours = ribbon.day_interval(one, day)
    its = door(one.code)
    status = statuses().get(one.code)
    plan = its.plan(hours.start, hours.end) if its else None
    with services().database.reading() as session:
        rows = airings.listing(session, stations=(one.code,), start=hours.start, end=hours.end, limit=2000)
        newest = airings.listing(session, stations=(one.code,), newest_first=True, limit=5)
    row = _row(mine, one, _duties(one))
    values = {
        "now": now(),
        "today": day,
        "station": one,
        "unit": mine.unit_name(one.unit),
        "status": status,
        "row": row,
        "day": ribbon.draw(one, day, plan.items if plan else (), [r.airing for r in rows], now()),
        "newest": [r.airing for r in newest],
        "next_item": status.next if status else None,
        "may_stop": can(mine.person, "stations.stop", one),
        "may_set": can(mine.person, "stations.edit", one),
        "may_talk": can(mine.person, "stations.talk", one),
        "may_test": can(mine.person, "stations.test", one),
        "may_confirm_time": can(mine.person, "stations.clock", one),
        "stop_error": stop_error,
        "clock": _clock(status),
        "live_url": url_for("pages.station", code=one.code),
        "hours": _hours(one),
    }
    if code != 200:
        return page("station.html", active="stations", code=code, **values)
    return live_page("station.html", "_station.html", active="stations", **values)


def _hours(one: Station) -> str:
    hours = _("cả ngày") if any(span.whole_day for span in one.permitted) else spans_text(one.permitted, ", ")
    if not one.quiet:
        return hours
    return _("%(hours)s, trừ %(quiet)s", hours=hours, quiet=spans_text(one.quiet, ", "))


def _clock(status: StationStatus | None = None) -> ClockState:
    return status.clock if status else services().clock.state()


def _filtered(mine: Scope) -> list[Station]:
    unit = request.args.get("don_vi", "")
    if unit and unit not in mine.unit_codes:
        abort(404)
    words = request.args.get("tim", "").casefold().split()
    return [
        station
        for station in mine.stations
        if (not unit or station.unit == unit)
        and all(word in f"{station.name} {mine.unit_name(station.unit)}".casefold() for word in words)
    ]


def _glimpse(mine: Scope, one: Station) -> Glimpse:
    status = statuses().get(one.code)
    lost = status is None or now() - status.contact_at > _LOST
    mark = states.STATIONS["silent"] if status is None or lost else states.STATIONS[status.state]
    return Glimpse(
        station=one,
        unit=mine.unit_name(one.unit),
        mark=mark,
        troubled=status is None or lost or status.state in states.TROUBLE or bool(status.faults),
        on_air=status is not None and not lost and status.on_air is not None,
        lost=lost,
    )


def _ordered(those: Sequence[Glimpse], *, grouped: bool) -> list[Glimpse]:
    """Return stations with trouble first; many of them by unit, the unit in trouble first."""

    def rank(one: Glimpse) -> tuple[bool, int]:
        return not one.troubled, _SORT.get(one.mark.sign, 9)

    if not grouped:
        return sorted(those, key=lambda one: (rank(one), one.station.name))
    worst: dict[str, tuple[bool, int]] = {}
    for one in those:
        worst[one.station.unit] = min(worst.get(one.station.unit, rank(one)), rank(one))
    return sorted(
        those, key=lambda one: (worst[one.station.unit], one.unit, one.station.unit, rank(one), one.station.name)
    )


def _standings(those: Sequence[Station]) -> Mapping[str, tuple[DutyMark, ...]]:
    """Return how the duties of these stations stand; only few of them are asked for a plan to tell it."""
    told = {
        station.code: _marks(status.duties)
        for station in those
        if (status := statuses().get(station.code)) is not None and status.duties
    }
    rest = [station for station in those if station.code not in told]
    if not rest:
        return told
    if len(rest) <= LIVE:
        return told | {station.code: _duties(station) for station in rest}
    week = week_of(local(now()).date())
    with services().database.reading() as session:
        said = coverage.standings(session, [week], since=now() - _SAID_LATELY)
    found: dict[str, list[DutyMark]] = {}
    for one in sorted(said, key=lambda one: one.duty):
        mark = DutyMark(mark=states.DUTIES[one.state], short=duty_short(one.duty, one.period))
        found.setdefault(one.station, []).append(mark)
    return {code: tuple(marks) for code, marks in found.items()} | told


def _stale(status: StationStatus, one: Station) -> str:
    """Return that what is shown is old, in words; nothing while it is fresh."""
    if now() - status.contact_at <= _OLD:
        return ""
    return _("Số liệu lúc %(time)s, có thể đã khác.", time=clock(status.contact_at, one.zone))


def _lost_words(status: StationStatus, one: Station) -> str:
    words = _("Không liên lạc từ %(time)s.", time=clock(status.contact_at, one.zone))
    if status.next is None:
        return words
    planned = _("Kế hoạch: %(title)s", title=status.next.title or say(states.ITEMS[status.next.kind]))
    return f"{words} {planned}"


def _first() -> int:
    asked = request.args.get("tu", "0")
    if not asked.isdecimal() or len(asked) > 6:
        abort(404)
    return int(asked)


def _with(**more: str | None) -> str:
    values = {**request.args.to_dict(), **more}
    query = urlencode({key: value for key, value in values.items() if value})
    return url_for("pages.stations") + (f"?{query}" if query else "")


def _row(mine: Scope, one: Station, duties: tuple[DutyMark, ...]) -> Row:
    """Return one station as its row shows it."""
    status = statuses().get(one.code)
    if status is None:
        return Row(
            code=one.code,
            name=one.name,
            unit=mine.unit_name(one.unit),
            mark=states.STATIONS["silent"],
            edge="missed",
            headline=_("Chưa liên lạc được với máy phát của đài."),
            left_s=None,
            progress=None,
            level=None,
            peak=None,
            faults=(),
            note=_("Máy tự phát theo lịch đã tải về. Nhật ký sẽ gửi bù khi có mạng."),
            contact=_("Chưa rõ lần liên lạc cuối"),
            outputs="",
            rehearsal=False,
            duties=(),
            on_air=False,
            live_url="",
            troubled=True,
        )
    glimpse = _glimpse(mine, one)
    mark, troubled = glimpse.mark, glimpse.troubled
    on_air = status.on_air if not glimpse.lost else None
    percent = None
    left = None
    if on_air is not None:
        percent = min(100, round(100 * on_air.position_s / on_air.duration_s)) if on_air.duration_s > 0 else 0
        left = max(0.0, on_air.duration_s - on_air.position_s)
    return Row(
        code=one.code,
        name=one.name,
        unit=mine.unit_name(one.unit),
        mark=mark,
        edge="missed"
        if glimpse.lost
        else mark.sign
        if status.state in states.TROUBLE or status.state == "emergency"
        else "fault"
        if troubled
        else "",
        headline=_lost_words(status, one) if glimpse.lost else _headline(status, one),
        left_s=left,
        progress=percent,
        level=status.level_dbfs if on_air is not None else None,
        peak=status.peak_dbfs if on_air is not None else None,
        faults=status.faults,
        note=_("Máy tự phát theo lịch đã tải về. Nhật ký sẽ gửi bù khi có mạng.")
        if glimpse.lost
        else _note(status, one),
        contact=_("Liên lạc %(when)s", when=ago(status.contact_at)),
        outputs=_outputs(status),
        rehearsal=status.rehearsal,
        duties=duties,
        on_air=on_air is not None,
        live_url=live_audio(one),
        troubled=troubled,
        stale=_stale(status, one),
    )


def _headline(status: StationStatus, one: Station) -> str:
    if status.on_air is not None:
        return status.on_air.title
    if status.next is not None:
        wait = (status.next.due - now()).total_seconds()
        when = clock(status.next.due, one.zone)
        if wait < 0:
            return _("Sắp phát “%(title)s”", title=status.next.title)
        if wait < 86_400:
            return _(
                "Mục tới lúc %(time)s, sau %(span)s: %(title)s",
                time=when,
                span=minutes(wait) if wait >= 60 else _("chưa đầy 1 phút"),
                title=status.next.title or say(states.ITEMS[status.next.kind]),
            )
        return _("Mục tới: %(title)s", title=status.next.title)
    return _("Không có mục nào sắp tới. Ngoài buổi phát, im lặng là đúng.")


def _note(status: StationStatus, one: Station) -> str:
    if status.on_air is not None and status.next is not None:
        return _("Tiếp theo %(time)s: %(title)s", time=clock(status.next.due, one.zone), title=status.next.title)
    if status.on_air is None and status.next is not None and status.next.sha256 is None:
        return _("Mục tới chưa có bài.")
    return ""


def _outputs(status: StationStatus) -> str:
    good = sum(1 for output in status.outputs if output.state in {"ok", "idle", "opening"})
    return _("%(good)s/%(all)s đầu ra tốt", good=good, all=len(status.outputs))


def _duties(one: Station) -> tuple[DutyMark, ...]:
    status = statuses().get(one.code)
    if status is not None and status.duties:
        return _marks(status.duties)
    its = door(one.code)
    return () if its is None else _marks(its.plan(now(), now()).duties)


def _marks(duties: Sequence[DutyStanding]) -> tuple[DutyMark, ...]:
    return tuple(
        DutyMark(mark=states.DUTIES[duty.state], short=duty_short(duty.duty, duty.period))
        for duty in duties
        if not is_sending(duty.duty)
    )


def duty_short(duty: str, period: str) -> str:
    """Return a duty and its period in few letters: `CDS T48`."""
    code = scope().duty_programme(duty) or duty
    if "-W" in period:
        return _("%(duty)s T%(week)s", duty=code, week=period.split("-W")[1])
    return f"{code} {period}"


def _rest(rows: Sequence[Glimpse], airing: Sequence[Glimpse], troubled: Sequence[Glimpse]) -> str:
    calm = len(rows) - len({row.station.code for row in (*airing, *troubled)})
    words = []
    if airing:
        words.append(ngettext("%(num)d đài đang phát", "%(num)d đài đang phát", len(airing)))
    if calm:
        words.append(ngettext("%(num)d đài chờ buổi", "%(num)d đài chờ buổi", calm))
    if not troubled:
        words.append(_("không đài nào cần xử lý"))
    return ", ".join(words) + "." if words else ""
