"""A scenario: one planner input whole, and what a simulation makes of it; `link.scenariofile` reads one from YAML."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from schedules.airing import Facts
from schedules.calendar import instant
from schedules.duty import Duty, Excuse
from schedules.grid import CalendarDay, OneOff, SessionException, SessionItem, SessionRule, WeekTemplate
from schedules.intent import Intent
from schedules.programme import Programme
from schedules.segment import SAMPLE_RATE_HZ, Segment, SegmentKind
from schedules.sources import RelaySource
from schedules.station import Station, StationCode, Unit

MADE_UP = "00000000"
"""How the hash of a recording begins that exists in a scenario only: no real audio has it."""

BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)
"""Since when rules and duties of a scenario hold, and its recordings are approved, if it does not say."""

APPROVER = "Lãnh đạo xã"
"""Who approved the recordings of a scenario if it does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A recording that has yet to be made: spoken from `text`, or a signature tune composed from the seed `tune`."""

    id: str
    owner: str
    programme: str
    title: str
    kind: SegmentKind = SegmentKind.BAI
    topics: tuple[str, ...] = ()
    text: str = ""
    tune: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSession:
    """The session that the demonstration airs every 15 minutes; `{station}` in an item stands for the code."""

    name: str
    length_s: int
    items: tuple[SessionItem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """Recordings that an officer brings in regularly: one every `every_days` from the local date `first` on, approved.

    The n-th is `id`-n with the title `title` (where `{n}` stands for the number), `seconds` long, approved at `at`
    local time; `topics` are taken in turn, one a recording. forgets: share of them that never come, 0 to 1, by the
    seed.
    """

    id: str
    owner: str
    programme: str
    title: str
    first: date
    every_days: int
    seconds: float
    at: time = time(15)
    kind: SegmentKind = SegmentKind.BAI
    topics: tuple[str, ...] = ()
    forgets: float = 0.0


class EventKind(StrEnum):
    """What happens to a station in a simulation."""

    POWER = "power"
    CLOCK_STEP = "clock_step"
    LINK = "link"
    MEDIA_MISSING = "media_missing"
    MEDIA_CORRUPT = "media_corrupt"
    OUTPUT = "output"
    PLAYER = "player"
    EMERGENCY = "emergency"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happens at a named time. station: None for all of them.

    lasts_s: how long power, link or output are gone. step_s: by how much the clock is set. segment: the recording whose
    file is lost or damaged, or that is aired as an emergency.
    """

    at: datetime
    kind: EventKind
    station: str | None = None
    lasts_s: float = 0.0
    step_s: float = 0.0
    segment: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRates:
    """How often things go wrong by chance, events per station and week; the seed decides when and how long."""

    power: float = 0.0
    clock_step: float = 0.0
    link: float = 0.0
    media_missing: float = 0.0
    media_corrupt: float = 0.0
    output: float = 0.0
    player: float = 0.0
    emergency: float = 0.0
    late_edit: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What a scenario file holds.

    zone: of moments and supplies, which belong to no station. now: when it is planned; None means the present.
    """

    units: tuple[Unit, ...] = ()
    stations: tuple[Station, ...] = ()
    programmes: tuple[Programme, ...] = ()
    sources: tuple[RelaySource, ...] = ()
    sessions: tuple[SessionRule, ...] = ()
    one_offs: tuple[OneOff, ...] = ()
    duties: tuple[Duty, ...] = ()
    segments: tuple[Segment, ...] = ()
    recordings: tuple[Recording, ...] = ()
    demo_session: DemoSession | None = None
    templates: tuple[WeekTemplate, ...] = ()
    exceptions: tuple[SessionException, ...] = ()
    calendar: tuple[CalendarDay, ...] = ()
    excuses: tuple[Excuse, ...] = ()
    supplies: tuple[Supply, ...] = ()
    facts: tuple[Facts, ...] = ()
    events: tuple[Event, ...] = ()
    faults: FaultRates = FaultRates()
    seed: int = 0
    title: str = ""
    zone: str = "Asia/Ho_Chi_Minh"
    now: datetime | None = None

    def intent(self, now: datetime) -> Intent:
        """Return the scenario as intent, with the recordings that are approved by `now`, supplies included."""
        return Intent(
            revision=1,
            issued_at=now,
            valid_until=datetime.max.replace(tzinfo=UTC),
            units=self.units,
            stations=self.stations,
            programmes=self.programmes,
            segments=(*(one for one in self.segments if one.approved_at <= now), *self.supplied(now)),
            sessions=self.sessions,
            one_offs=self.one_offs,
            duties=self.duties,
            templates=self.templates,
            exceptions=self.exceptions,
            calendar=self.calendar,
            excuses=self.excuses,
            sources=self.sources,
            seed=self.seed,
        )

    def supplied(self, until: datetime) -> tuple[Segment, ...]:
        """Return the recordings that the supplies have brought by `until`, each approved at its time."""
        zone = ZoneInfo(self.zone)
        return tuple(segment for supply in self.supplies for segment in _brought(supply, zone, self.seed, until))

    def facts_of(self, station: StationCode) -> Facts:
        """Return what the station knows in this scenario; nothing where the file does not say."""
        return next((facts for facts in self.facts if facts.station == station), Facts(station=station))


def made_up_hash(what: str) -> str:
    """Return a hash for a recording that exists in a scenario only; `what` makes it unlike others."""
    return MADE_UP + hashlib.sha256(what.encode()).hexdigest()[len(MADE_UP) :]


def made_up_samples(seconds: float) -> int:
    """Return the length of a recording of so many seconds at the rate of the library."""
    return round(seconds * SAMPLE_RATE_HZ)


def _brought(supply: Supply, zone: ZoneInfo, seed: int, until: datetime) -> Iterator[Segment]:
    number = 1
    while True:
        approved_at = instant(zone, supply.first + timedelta(days=supply.every_days * (number - 1)), supply.at)
        if approved_at > until:
            return
        if not _forgotten(supply, seed, number):
            yield _recording(supply, number, approved_at)
        number += 1


def _forgotten(supply: Supply, seed: int, number: int) -> bool:
    drawn = int.from_bytes(hashlib.sha256(f"{seed}/{supply.id}/{number}".encode()).digest()[:8])
    return drawn < supply.forgets * 2**64


def _recording(supply: Supply, number: int, approved_at: datetime) -> Segment:
    name = f"{supply.id}-{number}"
    topic = (supply.topics[(number - 1) % len(supply.topics)],) if supply.topics else ()
    return Segment(
        id=name,
        owner=supply.owner,
        programme=supply.programme,
        title=supply.title.replace("{n}", str(number)),
        kind=supply.kind,
        sha256=made_up_hash(name),
        pcm_sha256=made_up_hash(f"{name} pcm"),
        samples=made_up_samples(supply.seconds),
        approved_at=approved_at,
        approved_by=APPROVER,
        topics=topic,
    )
