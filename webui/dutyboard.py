"""Stations by periods: how each duty stands or ended, in one look at the store, for five stations or a thousand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from schedules.airing import Airing, Verdict
from schedules.calendar import instant, period_interval, period_name
from schedules.carrying import is_sending
from schedules.duty import Duty, DutyStanding, DutyState, Period
from schedules.intent import Intent
from schedules.owing import duties_of
from schedules.standing import duty_standings
from schedules.station import Station, StationCode, Unit
from store import airings, coverage, duties, outcomes
from store.coverage import Standing
from store.intent import load_part

LIVE = 12
"""So many stations are asked themselves how they stand now; of more, what they said in the last minutes is shown."""

FRESH = timedelta(minutes=30)
_DECIDING = 30
_MOST_RECKONED = 240
_BAD = frozenset({DutyState.AT_RISK, DutyState.MISSED})
_OVER = frozenset({DutyState.MET, DutyState.MADE_UP, DutyState.MISSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One duty at one station. states: of the periods asked for, oldest first; None where it is not known."""

    station: Station
    duty: Duty
    states: tuple[DutyState | None, ...]

    @property
    def due(self) -> int:
        """How many of the periods are decided."""
        return sum(state in _OVER for state in self.states)

    @property
    def met(self) -> int:
        """How many of these were met, made up ones too."""
        return self.due - sum(state is DutyState.MISSED for state in self.states)

    @property
    def made_up(self) -> int:
        """How many were met by a make-up."""
        return sum(state is DutyState.MADE_UP for state in self.states)

    @property
    def trouble(self) -> tuple[int, int]:
        """What sorts first: bad now, then how often it was missed."""
        now = self.states[-1]
        return (
            0 if now is DutyState.MISSED else 1 if now in _BAD else 2,
            -sum(s is DutyState.MISSED for s in self.states),
        )


def periods(kind: Period, today: date, count: int) -> tuple[str, ...]:
    """Return the names of the last `count` periods with the one that goes on, oldest first."""
    names: list[str] = []
    day = today
    while len(names) < count:
        name = period_name(kind, day)
        names.append(name)
        first = period_interval(kind, name, ZoneInfo("UTC")).start.date()
        day = first - timedelta(days=1)
    return tuple(reversed(names))


def owed(
    known: Collection[Duty], stations: Sequence[Station], units: tuple[Unit, ...], kind: Period
) -> Mapping[StationCode, tuple[Duty, ...]]:
    """Return the duties of each station that are counted by that period, in their newest version."""
    here = {station.code for station in stations}
    found: dict[StationCode, dict[str, Duty]] = defaultdict(dict)
    for duty in sorted(known, key=lambda duty: duty.since):
        if duty.period is kind and not is_sending(duty.code):
            for code in here.intersection(duty.stations):
                found[code][duty.code] = duty
    heirs = {station.successor for station in stations if station.successor}
    if heirs:
        intent = Intent(
            revision=0,
            issued_at=_ANY,
            valid_until=_ANY,
            units=units,
            stations=tuple(stations),
            duties=tuple(known),
        )
        for station in stations:
            if station.code in heirs:
                found[station.code] |= {d.code: d for d in duties_of(intent, station) if d.period is kind}
    return {code: tuple(its.values()) for code, its in found.items()}


def lines(
    session: Session,
    stations: Sequence[Station],
    units: tuple[Unit, ...],
    names: tuple[str, ...],
    kind: Period,
    now: datetime,
) -> list[Line]:
    """Return every duty of these stations with what is sealed or was said of it; one look for all of them."""
    its = owed(duties.every(session), stations, units, kind)
    known: dict[tuple[str, str, str], Standing] = {
        (one.station, one.duty, one.period): one for one in coverage.standings(session, names, since=now - FRESH)
    }
    return [
        Line(
            station=station,
            duty=duty,
            states=tuple(
                found.state if (found := known.get((station.code, duty.code, name))) is not None else None
                for name in names
            ),
        )
        for station in stations
        for duty in its.get(station.code, ())
    ]


def reckoned(
    session: Session, shown: Sequence[Line], names: tuple[str, ...], kind: Period, now: datetime, *, demo: bool
) -> list[Line]:
    """Return the lines with what no station sealed, reckoned from their rows; of the lines of one page, not of all."""
    missing = [
        (line, name)
        for line in shown
        for name, state in zip(names, line.states, strict=True)
        if state is None and _owed_in(line, name, kind)
    ][-_MOST_RECKONED:]
    if not missing:
        return list(shown)
    codes = sorted({line.station.code for line, _name in missing})
    intent = load_part(session, codes, now, demo=demo)
    wanted: dict[StationCode, list[str]] = defaultdict(list)
    for line, name in missing:
        if name not in wanted[line.station.code]:
            wanted[line.station.code].append(name)
    found: dict[tuple[str, str, str], DutyState] = {}
    for code, its in wanted.items():
        station = intent.station(code)
        asked = {line.duty.programme for line, _name in missing if line.station.code == code}
        rows = _rows(session, station, its, kind, asked)
        for name in its:
            for one in duty_standings(intent, station, rows, now, name):
                found[code, one.duty, name] = one.state
    return [
        Line(
            station=line.station,
            duty=line.duty,
            states=tuple(
                state if state is not None else found.get((line.station.code, line.duty.code, name))
                for name, state in zip(names, line.states, strict=True)
            ),
        )
        for line in shown
    ]


def detail(
    session: Session, station: Station, duty: str, name: str, kind: Period, now: datetime, *, demo: bool
) -> tuple[DutyStanding | None, Duty | None, tuple[Airing, ...]]:
    """Return how one duty stands or ended in one period, from what was sealed and from its rows; and these rows."""
    intent = load_part(session, [station.code], now, demo=demo)
    where = intent.station(station.code)
    known = [one for one in duties_of(intent, where) if one.code == duty]
    rows = _rows(session, where, [name], kind, {one.programme for one in known})
    sealed = outcomes.listing(session, stations=[station.code], periods=[name])
    mine = [one for one in sealed if one.station == station.code]
    found = (one for one in duty_standings(intent, where, rows, now, name, mine) if one.duty == duty)
    return next(found, None), known[-1] if known else None, tuple(rows)


def _owed_in(line: Line, name: str, kind: Period) -> bool:
    whole = period_interval(kind, name, ZoneInfo(line.station.zone))
    begins = line.station.valid_from
    if begins is not None and instant(ZoneInfo(line.station.zone), begins, time(0)) >= whole.end:
        return False
    # An older version may have been in force before the newest one: that is looked at when it is reckoned.
    return line.duty.since < whole.end or line.duty.until is None


def _rows(
    session: Session, station: Station, names: Sequence[str], kind: Period, programmes: Collection[str | None]
) -> list[Airing]:
    """Return the airings of these periods that decide duties: those that aired, and those that did not.

    programmes: whose rows are read; a duty of any programme (None) wants all of them.
    """
    zone = ZoneInfo(station.zone)
    whole = [period_interval(kind, name, zone) for name in names]
    start, end = min(one.start for one in whole), max(one.end for one in whole)
    asked = [None] if None in programmes else sorted(one for one in programmes if one is not None)
    return [
        row.airing
        for programme in asked
        for verdicts in ((Verdict.AIRED,), (Verdict.PARTIAL, Verdict.MISSED, Verdict.REPLACED, Verdict.CANCELLED))
        for row in airings.listing(
            session,
            stations=(station.code,),
            programme=programme,
            verdicts=verdicts,
            start=start,
            end=end,
            limit=_DECIDING * len(names) * (1 if kind is Period.WEEK else 5),
        )
    ]


_ANY = datetime.fromisoformat("2000-01-01T00:00:00+00:00")
