"""Health, who asks, and the lists of units and programmes."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response, jsonify
from flask_login import current_user

from schedules.station import Station
from store import programmes, stations, units
from webui.api.documents import ClockOut, Health, Me, ProgrammeOut, StationHealth, UnitOut
from webui.api.openapi import many
from webui.auth import current_person, public, signed_in
from webui.problems import language
from webui.services import services

bp = APIBlueprint("health", __name__, tag="health")


@bp.get("/health")
@bp.output(Health)
@bp.doc(summary="Whether Loa works; details only for those who are signed in")
@public
def health() -> Health | Response:
    """Answer when the database answers."""
    here = services()
    with here.database.reading() as session:
        known = stations.every(session)
    if not current_user.is_authenticated:
        return jsonify(status="ok")
    reached = current_person().reach
    found = {station.code: _health(station) for station in known if station.unit in reached}
    return Health(
        status="ok",
        version=here.version,
        clock=ClockOut.of(here.clock.state(), language()),
        stations={code: state for code, state in found.items() if state is not None},
    )


@bp.get("/me")
@bp.output(Me)
@bp.doc(summary="Whose token or session this is")
@signed_in
def me() -> Me:
    """Return the person who asks."""
    who = current_person()
    return Me(name=who.name, full_name=who.full_name, role=who.role.value, unit=who.unit, units=sorted(who.reach))


@bp.get("/units")
@bp.output(many(UnitOut))
@bp.doc(summary="Units of the administration")
@signed_in
def every_unit() -> list[UnitOut]:
    """Return all units."""
    with services().database.reading() as session:
        return [UnitOut.of(unit) for unit in units.every(session)]


@bp.get("/programmes")
@bp.output(many(ProgrammeOut))
@bp.doc(summary="Recurring programmes")
@signed_in
def every_programme() -> list[ProgrammeOut]:
    """Return all programmes."""
    with services().database.reading() as session:
        return [ProgrammeOut.of(programme) for programme in programmes.every(session)]


def _health(station: Station) -> StationHealth | None:
    door = services().doors.get(station.code)
    if door is None:
        return None
    status = door.status()
    return StationHealth(state=status.state, clock="trusted" if status.clock.trusted else "untrusted")
