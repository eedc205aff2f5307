"""The duty board over the API: the present period with what is planned, other periods from their rows."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from apiflask import APIBlueprint

from schedules.calendar import period_interval, period_of
from schedules.carrying import is_sending
from schedules.duty import DutyStanding
from schedules.errors import Refused
from schedules.findings import Finding, Severity
from schedules.intent import Intent
from schedules.standing import duty_standings
from schedules.station import Station
from schedules.text import Text
from store import airings, outcomes
from store.intent import load_intent
from webui.api.documents import DutiesAsked, DutyOut
from webui.api.openapi import many
from webui.auth import allowed, current_person
from webui.problems import language
from webui.services import services

bp = APIBlueprint("duties", __name__, tag="duties")

_MOST_ROWS = 20_000


@bp.get("/duties")
@bp.input(DutiesAsked, location="query", arg_name="asked")
@bp.output(many(DutyOut))
@bp.doc(summary="How duties stand at each station in a period; by default in the present ones")
@allowed("duties.read")
def board(asked: DutiesAsked) -> list[DutyOut]:
    """Return a row for every duty and station."""
    here = services()
    reached = current_person().reach
    with here.database.reading() as session:
        intent = load_intent(session, here.clock.now(), demo=here.demo)
    found = [
        standing
        for station in intent.stations
        if station.unit in reached
        for standing in _standings(intent, station, asked.period)
        # What was sent down has a table of its own.
        if not is_sending(standing.duty)
    ]
    return [DutyOut.of(standing, language()) for standing in found]


def _standings(intent: Intent, station: Station, period: str | None) -> tuple[DutyStanding, ...]:
    here = services()
    now = here.clock.now()
    door = here.doors.get(station.code)
    present = door.plan(now, now + timedelta(seconds=1)).duties if door is not None else ()
    if period is None:
        return present
    standing_now = tuple(standing for standing in present if standing.period == period)
    if standing_now:
        return standing_now
    try:
        during = period_interval(period_of(period), period, ZoneInfo(station.zone))
    except ValueError as error:
        raise Refused(
            Finding(
                code="period_unknown",
                severity=Severity.ERROR,
                where="period",
                message=Text(f"Không có kỳ {period}.", f"There is no period {period}."),
            )
        ) from error
    with here.database.reading() as session:
        rows = airings.listing(session, stations=(station.code,), start=during.start, end=during.end, limit=_MOST_ROWS)
        sealed = outcomes.listing(session, stations=(station.code,), periods=(period,))
    return duty_standings(intent, station, [row.airing for row in rows], now, period, sealed)
