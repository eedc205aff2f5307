"""Intent: all that the authority decided and the station obeys, as one snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from schedules.duty import Duty, Excuse
from schedules.grid import CalendarDay, OneOff, SessionException, SessionRule, WeekTemplate
from schedules.programme import Programme
from schedules.segment import Segment, SegmentId
from schedules.sources import RelaySource, SourceCode
from schedules.station import Station, StationCode, Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """One revision of everything decided. Only approved segments are in it.

    revision: grows with every change; a station never goes back. valid_until: after it only duties air.
    demo: rehearsals on virtual outputs count for duties. seed: breaks ties in rotations, so that a plan can be
    replayed. sources: what may be relayed; a relay that names no such source does not air.
    """

    revision: int
    issued_at: datetime
    valid_until: datetime
    units: tuple[Unit, ...] = ()
    stations: tuple[Station, ...] = ()
    programmes: tuple[Programme, ...] = ()
    segments: tuple[Segment, ...] = ()
    sessions: tuple[SessionRule, ...] = ()
    one_offs: tuple[OneOff, ...] = ()
    duties: tuple[Duty, ...] = ()
    templates: tuple[WeekTemplate, ...] = ()
    exceptions: tuple[SessionException, ...] = ()
    calendar: tuple[CalendarDay, ...] = ()
    excuses: tuple[Excuse, ...] = ()
    sources: tuple[RelaySource, ...] = ()
    seed: int = 0
    demo: bool = False

    def station(self, code: StationCode) -> Station:
        """Return the station; raises KeyError for an unknown code."""
        for station in self.stations:
            if station.code == code:
                return station
        raise KeyError(code)

    def segment(self, segment: SegmentId) -> Segment | None:
        """Return the approved segment, or None where it is not (or no longer) approved."""
        return next((known for known in self.segments if known.id == segment), None)

    def source(self, code: SourceCode) -> RelaySource | None:
        """Return the relay source of that code, or None where none is allowed by that name."""
        return next((known for known in self.sources if known.code == code), None)
