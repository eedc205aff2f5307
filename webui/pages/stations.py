"""Các đài: which station needs help now? And one station whole, with stop and listening."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from link.door import FaultStatus, StationStatus
from schedules.clock import ClockState, utc
from schedules.duty import DutyStanding
from schedules.errors import NotAllowed, Refused
from schedules.findings import Finding
from schedules.station import Station
from store import airings
from webui import talking, work
from webui.auth import allowed
from webui.pages import answers, ribbon, states
from webui.pages.formats import clock, local, minutes
from webui.pages.hours import spans_text
from webui.pages.language import say
from webui.pages.layout import ago, live_page, page
from webui.pages.scope import Scope, door, now, scope, statuses
from webui.pages.today import live_audio
from webui.rights import can
from webui.services import services

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
    """Show every station that the reader sees, troubled ones first."""
    mine = scope()
    rows = sorted((_row(mine, one) for one in mine.stations), key=lambda r: (_SORT.get(r.mark.sign, 9), r.name))
    asked = request.args.get("loc", "")
    troubled = [row for row in rows if row.troubled]
    airing = [row for row in rows if row.on_air]
    shown = troubled if asked == "xu-ly" else airing if asked == "dang-phat" else rows
    filters = [
        Filter(label=_("Tất cả"), count=len(rows), url=url_for("pages.stations"), on=asked == ""),
        Filter(
            label=_("Cần xử lý"), count=len(troubled), url=url_for("pages.stations", loc="xu-ly"), on=asked == "xu-ly"
        ),
        Filter(
            label=_("Đang phát"),
            count=len(airing),
            url=url_for("pages.stations", loc="dang-phat"),
            on=asked == "dang-phat",
        ),
    ]
    return live_page(
        "stations.html",
        "_stations.html",
        active="stations",
        now=now(),
        today=local(now()).date(),
        rows=shown,
        troubled=troubled,
        trouble_words=answers.stations([(row.name, say(row.mark.word)) for row in troubled]),
        rest_words=_rest(rows, airing, troubled),
        filters=filters,
        clock=_clock(),
        legend=[],
        live_url=url_for("pages.stations", loc=asked or None),
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
    row = _row(mine, one)
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


def _row(mine: Scope, one: Station) -> Row:
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
    mark = states.STATIONS[status.state]
    on_air = status.on_air
    troubled = status.state in states.TROUBLE or bool(status.faults)
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
        edge=mark.sign
        if status.state in states.TROUBLE or status.state == "emergency"
        else "fault"
        if troubled
        else "",
        headline=_headline(status, one),
        left_s=left,
        progress=percent,
        level=status.level_dbfs,
        peak=status.peak_dbfs,
        faults=status.faults,
        note=_note(status, one),
        contact=_("Liên lạc %(when)s", when=ago(status.contact_at)),
        outputs=_outputs(status),
        rehearsal=status.rehearsal,
        duties=_duties(one),
        on_air=on_air is not None,
        live_url=live_audio(one),
        troubled=troubled,
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
    its = door(one.code)
    if its is None:
        return ()
    return tuple(
        DutyMark(mark=states.DUTIES[duty.state], short=duty_short(duty)) for duty in its.plan(now(), now()).duties
    )


def duty_short(duty: DutyStanding) -> str:
    """Return a duty and its period in few letters: `CDS T48`."""
    code = scope().duty_programme(duty.duty) or duty.duty
    if "-W" in duty.period:
        return _("%(duty)s T%(week)s", duty=code, week=duty.period.split("-W")[1])
    return f"{code} {duty.period}"


def _rest(rows: Sequence[Row], airing: Sequence[Row], troubled: Sequence[Row]) -> str:
    calm = len(rows) - len({row.code for row in (*airing, *troubled)})
    words = []
    if airing:
        words.append(ngettext("%(num)d đài đang phát", "%(num)d đài đang phát", len(airing)))
    if calm:
        words.append(ngettext("%(num)d đài chờ buổi", "%(num)d đài chờ buổi", calm))
    if not troubled:
        words.append(_("không đài nào cần xử lý"))
    return ", ".join(words) + "." if words else ""
