"""What the person who asks may see: their unit, the units below it, and the stations of those."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flask import g, request
from werkzeug.exceptions import NotFound

from link.door import StationDoor, StationStatus
from schedules.duty import Duty
from schedules.programme import Programme, ProgrammeCode
from schedules.station import Station, StationCode, Unit, UnitCode, units_below
from store import duties, programmes, stations, units
from store.accounts import Person
from webui.auth import current_person
from webui.services import services


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The person's part of the world. units, stations: those they see; all_units: the whole tree, for names."""

    person: Person
    all_units: tuple[Unit, ...]
    units: tuple[Unit, ...]
    stations: tuple[Station, ...]
    programmes: Mapping[ProgrammeCode, Programme]
    duties: tuple[Duty, ...]

    @property
    def unit_codes(self) -> frozenset[UnitCode]:
        """Codes of the units they see."""
        return frozenset(unit.code for unit in self.units)

    @property
    def station_codes(self) -> tuple[StationCode, ...]:
        """Codes of the stations they see."""
        return tuple(station.code for station in self.stations)

    def unit_name(self, code: UnitCode) -> str:
        """Return a unit's name, its code where it is unknown."""
        return next((unit.name for unit in self.all_units if unit.code == code), code)

    def station_name(self, code: StationCode | None) -> str:
        """Return a station's name, its code where they do not see it, nothing for none."""
        return next((station.name for station in self.stations if station.code == code), code or "")

    def programme_name(self, code: ProgrammeCode | None) -> str:
        """Return a programme's name, its code where it is unknown, nothing for none."""
        known = self.programmes.get(code or "")
        return known.name if known else code or ""

    def duty_programme(self, code: str) -> ProgrammeCode:
        """Return the programme that a duty asks for, nothing where it asks for none or is unknown."""
        return next((duty.programme or "" for duty in self.duties if duty.code == code), "")

    def station(self, code: StationCode) -> Station:
        """Return a station they see; 404 for every other one, so that nobody learns what exists elsewhere."""
        for station in self.stations:
            if station.code == code:
                return station
        raise NotFound

    def chosen(self) -> Station | None:
        """Return the station that the address names (`dai=`), else their first; 404 for one they do not see."""
        asked = request.args.get("dai", "")
        if asked:
            return self.station(asked)
        return self.stations[0] if self.stations else None


def person() -> Person:
    """Return the signed-in person."""
    return current_person()


def scope() -> Scope:
    """Return the scope of the signed-in person, read once a request."""
    known: Scope | None = g.get("scope")
    if known is not None:
        return known
    who = person()
    with services().database.reading() as session:
        every = units.every(session)
        below = units_below(every, who.unit)
        found = Scope(
            person=who,
            all_units=every,
            units=tuple(unit for unit in every if unit.code in below),
            stations=tuple(station for station in stations.every(session) if station.unit in below),
            programmes={programme.code: programme for programme in programmes.every(session)},
            duties=duties.in_force(session),
        )
    g.scope = found
    return found


def door(code: StationCode) -> StationDoor | None:
    """Return the door of a station, None where this machine has none."""
    return services().doors.get(code)


def statuses() -> Mapping[StationCode, StationStatus]:
    """Return how every visible station is now, asked once a request."""
    known: dict[StationCode, StationStatus] | None = g.get("statuses")
    if known is None:
        known = {}
        for station in scope().stations:
            its = door(station.code)
            if its is not None:
                known[station.code] = its.status()
        g.statuses = known
    return known


def now() -> datetime:
    """Return the time of this request; one for the whole page."""
    if "now" not in g:
        g.now = services().clock.now()
    moment: datetime = g.now
    return moment
