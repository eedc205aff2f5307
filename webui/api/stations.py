"""Stations over the API: how they are, what they will air, one-off airings, and silence."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from apiflask import APIBlueprint
from flask import abort, request

from link.door import StationStatus
from schedules.clock import utc
from schedules.errors import Refused
from schedules.findings import Finding, Severity
from schedules.grid import Timing
from schedules.rundown import Rundown
from schedules.station import StationCode
from schedules.text import Text
from store import stations
from webui import talking, work
from webui.api.documents import (
    FindingOut,
    ItemOut,
    LiveIn,
    LiveOut,
    Order,
    OrderedOut,
    PieceIn,
    PieceOut,
    ReasonIn,
    Shown,
    Span,
    StationOut,
    Stopped,
)
from webui.api.openapi import many
from webui.auth import allowed, current_person
from webui.problems import language
from webui.services import services

bp = APIBlueprint("stations", __name__, tag="stations")

_AHEAD = timedelta(hours=24)
_LONGEST = timedelta(days=35)


@bp.get("/stations")
@bp.output(many(StationOut))
@bp.doc(summary="The stations that one reaches, as they are now")
@allowed("stations.read")
def listing() -> list[StationOut]:
    """Return every station."""
    reached = current_person().reach
    with services().database.reading() as session:
        known = [station for station in stations.every(session) if station.unit in reached]
    return [StationOut.of(station, _status(station.code), language()) for station in known]


@bp.get("/stations/<code>")
@bp.output(StationOut)
@bp.doc(summary="One station as it is now")
@allowed("stations.read")
def one(code: StationCode) -> StationOut:
    """Return a station."""
    station = work.visible_station(code, person=current_person())
    return StationOut.of(station, _status(code), language())


@bp.get("/stations/<code>/plan")
@bp.input(Span, location="query", arg_name="span")
@bp.output(many(ItemOut))
@bp.doc(summary="What it will air in [from, to), by default the next 24 hours, with the reason for every item")
@allowed("plan.read")
def plan(code: StationCode, span: Span) -> list[ItemOut]:
    """Return the items of the station's own plan."""
    rundown = asked_plan(code, span)
    return [ItemOut.of(item, language()) for item in rundown.items] if rundown else []


@bp.get("/stations/<code>/plan/findings")
@bp.input(Span, location="query", arg_name="span")
@bp.output(many(FindingOut))
@bp.doc(summary="What is wrong or tight in that plan")
@allowed("plan.read")
def plan_findings(code: StationCode, span: Span) -> list[FindingOut]:
    """Return the findings of the station's own plan."""
    rundown = asked_plan(code, span)
    return [FindingOut.of(finding, language()) for finding in rundown.findings] if rundown else []


@bp.post("/stations/<code>/airings")
@bp.input(Order, arg_name="order")
@bp.output(OrderedOut, status_code=201)
@bp.doc(summary="Order a one-off airing; 409 with findings where it cannot be")
@allowed("airings.order")
def order_airing(code: StationCode, order: Order) -> Any:  # noqa: ANN401
    """Order one airing of an approved recording."""
    taken = work.order_airing(
        station=code,
        segment=order.segment,
        start=utc(order.start),
        timing=Timing(order.timing),
        person=current_person(),
    )
    document = OrderedOut(
        id=taken.one_off.id,
        slot=taken.slot,
        findings=[FindingOut.of(finding, language()) for finding in taken.findings],
    )
    return document, 201, {"Location": f"/api/v1/airings/{taken.one_off.id}"}


@bp.delete("/airings/<one_off>")
@bp.output({}, status_code=204)
@bp.doc(summary="Take a one-off airing out before it starts")
@allowed("airings.order")
def cancel_airing(one_off: str) -> str:
    """Take it out."""
    work.cancel_airing(one_off, person=current_person())
    return ""


@bp.post("/stations/<code>/stop")
@bp.input(ReasonIn, arg_name="why")
@bp.output(Stopped)
@bp.doc(summary="Silence now; what is cut becomes partial, with name and reason")
@allowed("stations.stop")
def stop(code: StationCode, why: ReasonIn) -> Stopped:
    """Silence the station."""
    return Stopped(stopped=work.stop(code, reason=why.reason, person=current_person()))


@bp.post("/stations/<code>/live")
@bp.input(LiveIn, arg_name="wanted")
@bp.output(LiveOut, status_code=201)
@bp.doc(summary="Begin a live talk, announced by a chime; 409 with the reason where the station refuses")
@allowed("stations.talk")
def go_live(code: StationCode, wanted: LiveIn) -> Any:  # noqa: ANN401
    """Begin it."""
    order = talking.begin(
        code,
        limit_s=wanted.limit_s,
        source=wanted.input,
        targets=None if wanted.targets is None else tuple(wanted.targets),
        person=current_person(),
    )
    address = f"/api/v1/stations/{code}/live/{order.id}"
    return LiveOut(id=order.id, limit_s=order.limit_s), 201, {"Location": address}


@bp.post("/stations/<code>/live/<talk>/audio")
@bp.input(PieceIn, location="query", arg_name="piece")
@bp.output(PieceOut)
@bp.doc(summary="Hand on a piece of one's own talk: mono 48 kHz s16 little-endian, application/octet-stream")
@allowed("stations.talk")
def live_audio(code: StationCode, talk: str, piece: PieceIn) -> PieceOut:
    """Take the sound."""
    if (request.content_length or 0) > talking.MOST_BYTES:
        abort(413)
    pcm = request.get_data(cache=False)
    return PieceOut(going=talking.say(code, talk, number=piece.n, pcm=pcm, person=current_person()))


@bp.delete("/stations/<code>/live/<talk>")
@bp.output(PieceOut)
@bp.doc(summary="End a live talk")
@allowed("stations.talk")
def end_live(code: StationCode, talk: str) -> PieceOut:
    """End it; once more changes nothing."""
    talking.end(code, talk, person=current_person())
    return PieceOut(going=False)


@bp.post("/stations/<code>/outputs/<output>/test")
@bp.output({}, status_code=204)
@bp.doc(summary="Sound chime and test tone on one output; 409 with the reason where the station refuses")
@allowed("stations.test")
def test_output(code: StationCode, output: str) -> str:
    """Sound it."""
    talking.sound_output(code, output, person=current_person())
    return ""


@bp.post("/stations/<code>/clock")
@bp.input(Shown, arg_name="shown")
@bp.output({}, status_code=204)
@bp.doc(
    summary="Say that a station's clock is right: `shown` is its time as the person saw it, at most two minutes ago"
)
@allowed("stations.clock")
def confirm_time(code: StationCode, shown: Shown) -> str:
    """Believe it."""
    talking.confirm_time(code, shown=utc(shown.shown), person=current_person())
    return ""


def _status(code: StationCode) -> StationStatus | None:
    door = services().doors.get(code)
    return None if door is None else door.status()


def asked_plan(code: StationCode, span: Span) -> Rundown | None:
    """Return the plan of a visible station for the stretch asked for, by default a day; None without its door."""
    work.visible_station(code, person=current_person())
    here = services()
    start = utc(span.from_) if span.from_ else here.clock.now()
    end = utc(span.to) if span.to else start + _AHEAD
    if end <= start or end - start > _LONGEST:
        raise Refused(
            Finding(
                code="span_wrong",
                severity=Severity.ERROR,
                where="to",
                message=Text(
                    f"Khoảng thời gian phải dài hơn 0 và không quá {_LONGEST.days} ngày.",
                    f"The stretch must be longer than nothing and at most {_LONGEST.days} days.",
                ),
            )
        )
    door = here.doors.get(code)
    return None if door is None else door.plan(start, end)
