"""Scenario files: one planner input whole, in YAML, as people write it; the demonstration is one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from schedules.duty import Duty, Excuse
from schedules.errors import Refused
from schedules.findings import Finding, Severity
from schedules.grid import CalendarDay, OneOff, SessionException, SessionItem, SessionRule, WeekTemplate
from schedules.intent import Intent
from schedules.programme import Programme
from schedules.segment import Segment, SegmentKind
from schedules.station import Station, Unit
from schedules.text import Text

BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)
"""Since when rules and duties of a scenario hold if it does not say."""


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

    The n-th is `id`-n with the title `title` (where `{n}` stands for the number), `seconds` long, approved at `at` local
    time; `topics` are taken in turn, one a recording. forgets: share of them that never come, 0 to 1, by the seed.
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
    """What a scenario file holds. `now` is when it is planned; None means the present."""

    units: tuple[Unit, ...] = ()
    stations: tuple[Station, ...] = ()
    programmes: tuple[Programme, ...] = ()
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
    events: tuple[Event, ...] = ()
    faults: FaultRates = FaultRates()
    seed: int = 0
    title: str = ""
    now: datetime | None = None

    def intent(self, now: datetime) -> Intent:
        """Return the scenario as intent; recordings that were not made yet are not in it."""
        return Intent(
            revision=1,
            issued_at=now,
            valid_until=datetime.max.replace(tzinfo=UTC),
            units=self.units,
            stations=self.stations,
            programmes=self.programmes,
            segments=self.segments,
            sessions=self.sessions,
            one_offs=self.one_offs,
            duties=self.duties,
            templates=self.templates,
            exceptions=self.exceptions,
            calendar=self.calendar,
            excuses=self.excuses,
            seed=self.seed,
        )


def read(path: Path) -> Scenario:
    """Return the scenario in a file; raises Refused with every problem, each with its path."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise Refused(
            _finding("", f"Không đọc được tệp kịch bản: {error}", f"The scenario cannot be read: {error}")
        ) from error
    if not isinstance(data, dict):
        raise Refused(_finding("", "Tệp kịch bản phải gồm các mục.", "A scenario consists of sections."))
    return parse(data)


def parse(data: Mapping[str, Any]) -> Scenario:
    """Return the scenario in plain data; raises Refused with every problem, each with its path."""
    expanded = _expand(data)
    unknown = sorted(set(expanded) - set(Scenario.__dataclass_fields__))
    problems = [_finding(key, f"Không có mục “{key}”.", f"There is no section “{key}”.") for key in unknown]
    try:
        scenario: Scenario = TypeAdapter(Scenario).validate_python(
            {k: v for k, v in expanded.items() if k not in unknown}
        )
    except ValidationError as error:
        for problem in error.errors():
            where = ".".join(str(part) for part in problem["loc"])
            problems.append(_finding(where, f"Không hợp lệ: {problem['msg']}", str(problem["msg"])))
        raise Refused(*problems) from error
    if problems:
        raise Refused(*problems)
    return scenario


def _expand(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sections with `each_station` written out for every station, and with `since` filled in."""
    expanded = {key: value for key, value in data.items() if key != "each_station"}
    codes = [station["code"] for station in data.get("stations", []) if isinstance(station, dict) and "code" in station]
    each = data.get("each_station") or {}
    for section in ("sessions", "duties"):
        entries = list(data.get(section, []))
        for code in codes:
            for template in each.get(section, []):
                entry = fill(template, code)
                entries.append({**entry, "station": code} if section == "sessions" else entry)
        expanded[section] = [_since(entry) for entry in entries]
    return expanded


def _since(entry: Any) -> Any:  # noqa: ANN401 - plain YAML data, not checked yet
    return {"since": BEGINNING.isoformat(), **entry} if isinstance(entry, dict) else entry


def fill(template: Any, code: str) -> Any:  # noqa: ANN401 - plain YAML data, not checked yet
    """Return plain data with `{station}` replaced in every text."""
    if isinstance(template, str):
        return template.replace("{station}", code)
    if isinstance(template, dict):
        return {key: fill(value, code) for key, value in template.items()}
    if isinstance(template, Iterable):
        return [fill(value, code) for value in template]
    return template


def _finding(where: str, vi: str, en: str) -> Finding:
    return Finding(code="bad_scenario", severity=Severity.ERROR, where=where, message=Text(vi, en))
