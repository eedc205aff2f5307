"""Scenario files (docs/scenario.md): YAML as people write it into a `Scenario`, or every problem at once."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from link.document import Document, read_document
from link.holidays import national_days, with_decrees
from link.reader import MISSED, Reader, Shape, span_of, windows_of
from link.scenario import (
    APPROVER,
    BEGINNING,
    DemoSession,
    Event,
    FaultRates,
    Recording,
    Scenario,
    Supply,
    made_up_hash,
    made_up_samples,
)
from schedules.airing import Airing, Evidence, Facts, Outage, OutputCount, Silence, Verdict
from schedules.calendar import FIRST_YEAR, LAST_YEAR, Occurrence, occurrences
from schedules.clock import Interval
from schedules.duty import Duty, DutyOutcome, DutyWindow, Excuse
from schedules.errors import Refused
from schedules.findings import Finding, Severity
from schedules.grid import (
    CalendarDay,
    NthWeekday,
    OneOff,
    SessionException,
    SessionItem,
    SessionRule,
    WeekTemplate,
)
from schedules.programme import Otherwise, Programme
from schedules.segment import Segment, SegmentKind
from schedules.sources import RelaySource
from schedules.station import DaySpan, Limits, Station, Unit
from schedules.structure import check_intent
from schedules.text import Text

T = TypeVar("T")

_ENTRY = re.compile(r"(\w+)\[(\d+)\]")
_KEY = re.compile(r"(\w+)(\[\d+\])?$")

A_DAY_S = 86_400
MOST = 1_000_000_000
MOST_EXPANDED = 5_000_000
"""Values of `each_station`, times the stations."""
MOST_SUPPLIED = 100_000
"""Recordings that all supplies together have brought by `now`."""
MOST_YEARS = 50
"""Years whose holidays are filled in."""
MOST_TOLD = 1_000
"""Problems that are told of one file; whoever has more has another problem."""


class BadScenario(Refused):
    """The writer of the scenario file must mend it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastAiring:
    """A slot that is over, in short. Named by `slot`, or by session, day and item of the grid.

    planned_start: when it started, else the session's start, if left out. started_at: the planned start if left out and
    it sounded.
    seconds: how long it sounded; if left out, all of the recording where it was aired, nothing where it was missed.
    rehearsal: only virtual outputs.
    """

    verdict: Verdict
    slot: str | None = None
    session: str | None = None
    day: date | None = None
    item: str | None = None
    segment: str | None = None
    planned_start: datetime | None = None
    started_at: datetime | None = None
    seconds: float | None = None
    reason: Text | None = None
    by: str | None = None
    duty: str | None = None
    rehearsal: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PastOutage:
    """A stretch `[start, end)` in which the station could not air; written `from` and `to`."""

    start: datetime
    end: datetime
    reason: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class StationFacts:
    """What one station knows when it plans. media: recordings that are on it; left out: nobody looked."""

    station: str
    airings: tuple[PastAiring, ...] = ()
    media: tuple[str, ...] | None = None
    outages: tuple[PastOutage, ...] = ()
    silences: tuple[Silence, ...] = ()
    duties: tuple[DutyOutcome, ...] = ()
    since: datetime | None = None


SECTIONS: Mapping[str, type] = {
    "units": Unit,
    "stations": Station,
    "programmes": Programme,
    "sources": RelaySource,
    "templates": WeekTemplate,
    "sessions": SessionRule,
    "exceptions": SessionException,
    "calendar": CalendarDay,
    "one_offs": OneOff,
    "duties": Duty,
    "excuses": Excuse,
    "segments": Segment,
    "supplies": Supply,
    "recordings": Recording,
    "facts": StationFacts,
    "events": Event,
}
"""The sections that are lists, and what an entry is."""

WITH_STATION = frozenset({"templates", "sessions", "exceptions", "one_offs", "excuses", "facts", "events"})
"""Sections whose entries belong to a station; `each_station` fills it in."""

EACH = frozenset({*WITH_STATION, "duties", "segments", "supplies", "recordings"})
"""Sections that `each_station` may hold."""

NAMES: Mapping[str, frozenset[str]] = {
    "unit": frozenset({"units"}),
    "owner": frozenset({"units"}),
    "parent": frozenset({"units"}),
    "successor": frozenset({"units", "stations"}),
    "station": frozenset({"stations"}),
    "stations": frozenset({"stations"}),
    "targets": frozenset({"stations"}),
    "programme": frozenset({"programmes"}),
    "relay": frozenset({"sources"}),
    "template": frozenset({"templates"}),
    "session": frozenset({"sessions"}),
    "duty": frozenset({"duties"}),
    "segment": frozenset({"segments", "recordings", "supplies"}),
    "media": frozenset({"segments", "supplies"}),
}
"""Keys that name an entry of another section, and of which."""

GRID = frozenset({"stations", "sessions", "exceptions", "templates", "calendar"})
"""Sections that decide where a slot lies."""

SINGLE: Mapping[str, type] = {"demo_session": DemoSession, "faults": FaultRates}
WORDS = ("title", "zone", "now", "seed", "holidays", "each_station")


@dataclass(frozen=True, slots=True, kw_only=True)
class Holidays:
    """Which public holidays are filled into the calendar. years: those around `now` if left out."""

    country: str
    years: tuple[int, ...] = ()


def read(path: Path) -> Scenario:
    """Return the scenario in a file; raises BadScenario with every problem, each with its path and line."""
    try:
        document = read_document(path)
    except Refused as error:
        raise BadScenario(*error.findings) from error
    return _Parser(document).scenario()


def parse(data: Mapping[str, Any]) -> Scenario:
    """Return the scenario in plain data; raises BadScenario with every problem, each with its path."""
    return _Parser(Document(data=dict(data), lines={})).scenario()


class _Parser:
    """One reading of one document; entries keep the path of what was written, also where it was written once for all
    stations."""

    def __init__(self, document: Document) -> None:
        self._data: Mapping[str, Any] = document.data
        self._lines = document.lines
        self._reader = Reader(zone=ZoneInfo("Asia/Ho_Chi_Minh"), shapes=SHAPES)
        self._origins: dict[str, list[str]] = {}
        self._each: Mapping[str, Any] = {}
        self._lost: set[str] = set()
        self._unread: list[tuple[str, Any]] = []
        self._written: dict[str, set[str]] = {}
        self._grid_broken = False

    def scenario(self) -> Scenario:
        """Return the scenario; raises BadScenario with every problem."""
        reader, data = self._reader, self._data
        for key in sorted(set(data) - set(SECTIONS) - set(SINGLE) - set(WORDS)):
            reader.unknown(key, key, [*SECTIONS, *SINGLE, *WORDS])
        values: dict[str, Any] = {}
        self._take(values, "zone", str)
        if "zone" in values and not isinstance(reader.known_zone(values["zone"], "zone"), str):
            del values["zone"]
        reader.zone = ZoneInfo(values.get("zone", reader.zone.key))
        for name, kind in {"title": str, "now": datetime, "seed": int, **SINGLE}.items():
            self._take(values, name, kind)
        self._check_each()
        values |= {name: tuple(self._section(name, kind)) for name, kind in SECTIONS.items()}
        values["calendar"] = self._with_holidays(values["calendar"], values.get("now"))
        facts = values.pop("facts")
        values["supplies"] = self._bounded(values["supplies"], values.get("now", BEGINNING))
        scenario = Scenario(**values)
        told = len(reader.findings)
        self._check(scenario)
        # Occurrences of a broken grid cannot be reckoned; its places are then not looked for.
        grid = replace(scenario, sessions=()) if self._grid_broken else scenario
        known = tuple(_Facts(grid, reader, self._origins["facts"]).read(facts))
        # What names an entry that could not be read is no mistake of its own.
        reader.findings[told:] = [one for one in reader.findings[told:] if not self._names_lost(one)]
        self._check_lost()
        if reader.findings:
            raise BadScenario(*self._told())
        return replace(scenario, facts=known)

    def _check(self, scenario: Scenario) -> None:
        """Add what does not hold together, under the paths of the file."""
        everything = replace(scenario.intent(BEGINNING), segments=scenario.segments)
        for finding in check_intent(everything, recordings=_Recordings(scenario)):
            self._grid_broken |= finding.where.partition("[")[0] in GRID
            self._reader.findings.append(replace(finding, where=self._origin(finding.where)))
        units = {unit.code for unit in scenario.units}
        programmes = {programme.code for programme in scenario.programmes}
        stations = {station.code for station in scenario.stations}
        known = {"owner": units, "programme": programmes, "station": stations, "segment": _Recordings(scenario)}
        named = {
            "supplies": ("owner", "programme"),
            "recordings": ("owner", "programme"),
            "events": ("station", "segment"),
        }
        for section, keys in named.items():
            for where, entry in zip(self._origins[section], getattr(scenario, section), strict=True):
                for key in keys:
                    self._unknown(getattr(entry, key), known[key], f"{where}.{key}")

    def _unknown(self, name: str | None, known: Collection[str], where: str) -> None:
        if name is not None and name not in known:
            message = Text(f"Không có “{name}”.", f"There is no “{name}”.")
            listed = ", ".join(sorted(known)[:8]) or "–"
            self._reader.find("unknown_name", where, message, Text(f"Đang có: {listed}.", f"There are: {listed}."))

    def _origin(self, where: str) -> str:
        """Return the path of the file for one of the core, which counts entries after they were written out."""
        match = _ENTRY.match(where)
        if match is None or int(match[2]) >= len(self._origins.get(match[1], ())):
            return where
        return self._origins[match[1]][int(match[2])] + where[match.end() :]

    def _check_lost(self) -> None:
        """Add the unknown names of entries that could not be read: else they would be told only after the mending."""
        for place, entry in self._unread:
            for where, key, name in _named(entry, place):
                brought = any(name.startswith(f"{supply}-") for supply in self._written["supplies"])
                if not (key in {"segment", "media"} and brought):
                    self._unknown(name, set().union(*(self._written[section] for section in NAMES[key])), where)

    def _names_lost(self, finding: Finding) -> bool:
        """Return whether a finding only says that a name is unknown whose entry is there, but could not be read."""
        if finding.code == "unknown_slot":
            return self._grid_broken or not self._lost.isdisjoint(GRID)
        match = _KEY.search(finding.where)
        named = NAMES.get(match[1], frozenset()) if match else frozenset()
        return finding.code.startswith("unknown_") and not self._lost.isdisjoint(named)

    def _check_each(self) -> None:
        each = self._data.get("each_station")
        if each is None:
            return
        if not isinstance(each, dict):
            message = Text("“each_station” cần các mục như trong lịch.", "“each_station” should hold sections.")
            hint = Text(f"Có các mục: {', '.join(sorted(EACH))}.", f"There are: {', '.join(sorted(EACH))}.")
            self._reader.find("not_a_mapping", "each_station", message, hint)
            return
        for key in sorted(set(each) - EACH):
            self._reader.unknown(f"each_station.{key}", key, EACH)
        if _size(each) * len(self._stations()) > MOST_EXPANDED:
            message = Text(
                "“each_station” nhân với số đài thành quá lớn.", "“each_station” times the stations is too much."
            )
            hint = Text("Chia thành nhiều tệp.", "Divide it into several files.")
            self._reader.find("too_many_values", "each_station", message, hint)
            return
        self._each = each

    def _take(self, values: dict[str, Any], name: str, kind: Any) -> None:  # noqa: ANN401 - what a field is
        if self._data.get(name) is not None:
            found = self._reader.any(kind, self._data[name], name)
            if found is not MISSED:
                values[name] = found

    def _section(self, name: str, kind: type[T]) -> list[T]:
        entries, origins = [], []
        written = self._written.setdefault(name, set())
        for where, entry in self._entries(name):
            if isinstance(entry, dict):
                written.add(str(entry.get("code", entry.get("id"))))
            value = self._reader.value(kind, entry, where)
            if value is None:
                self._lost.add(name)
                self._unread.append((where, entry))
            else:
                entries.append(value)
                origins.append(where)
        self._origins[name] = origins
        return entries

    def _entries(self, name: str) -> Iterator[tuple[str, Any]]:
        """Yield the entries of a section with their paths: its own, then those of every station."""
        own = self._list(self._data.get(name), name)
        yield from ((f"{name}[{index}]", entry) for index, entry in enumerate(own))
        templates = self._list(self._each.get(name), f"each_station.{name}") if name in EACH else []
        for station in self._stations():
            for index, template in enumerate(templates):
                entry = fill(template, station["code"], station.get("unit"), station.get("name"))
                if name in WITH_STATION and isinstance(entry, dict):
                    entry = {"station": station["code"], **entry}
                yield f"each_station.{name}[{index}]", entry

    def _stations(self) -> list[dict[str, Any]]:
        stations = self._data.get("stations")
        found = [one for one in stations if isinstance(one, dict)] if isinstance(stations, list) else []
        return [one for one in found if isinstance(one.get("code"), str)]

    def _list(self, data: Any, where: str) -> list[Any]:  # noqa: ANN401 - plain data, not checked yet
        if data is None or isinstance(data, list):
            return data or []
        message = Text(f"“{where}” cần một danh sách.", f"“{where}” should be a list.")
        hint = Text("Mỗi phần tử bắt đầu bằng dấu “-”.", "Each entry begins with `-`.")
        self._reader.find("not_a_list", where, message, hint)
        return []

    def _holidays(self, now: datetime | None) -> list[CalendarDay]:
        data = self._data.get("holidays")
        if data is None:
            return []
        found = self._reader.value(Holidays, {"country": data} if isinstance(data, str) else data, "holidays")
        if found is None:
            return []
        if found.country != "VN":
            message = Text(f"Chưa có ngày lễ của “{found.country}”.", f"No holidays of “{found.country}” are known.")
            self._reader.find("unknown_country", "holidays", message, Text("Viết VN.", "Write VN."))
            return []
        years = found.years
        if not years:
            if now is None:
                message = Text("Không biết ngày lễ của năm nào.", "Holidays of which years is not said.")
                hint = Text(
                    "Thêm mục “now”, hoặc viết {country: VN, years: [2026, 2027]}.",
                    "Add “now”, or write {country: VN, years: [2026, 2027]}.",
                )
                self._reader.find("holidays_without_years", "holidays", message, hint)
                return []
            years = tuple(range(now.year - 1, now.year + 3))
        if len(years) > MOST_YEARS or not all(FIRST_YEAR < year < LAST_YEAR for year in years):
            message = Text("“years” có năm không tính được, hoặc quá nhiều năm.", "“years” cannot all be reckoned.")
            hint = Text(f"Nhiều nhất {MOST_YEARS} năm, như [2026, 2027].", f"Up to {MOST_YEARS}, such as [2026, 2027].")
            self._reader.find("out_of_range", "holidays.years", message, hint)
            return []
        return list(national_days(years))

    def _with_holidays(self, decreed: tuple[CalendarDay, ...], now: datetime | None) -> tuple[CalendarDay, ...]:
        days = with_decrees(self._holidays(now), decreed)
        origins = {id(day): where for day, where in zip(decreed, self._origins["calendar"], strict=True)}
        self._origins["calendar"] = [origins.get(id(day), "holidays") for day in days]
        return days

    def _bounded(self, supplies: tuple[Supply, ...], now: datetime) -> tuple[Supply, ...]:
        brought = sum(max(0, (now.date() - supply.first).days) // supply.every_days for supply in supplies)
        if brought <= MOST_SUPPLIED:
            return supplies
        message = Text(
            f"Đến “now” các nguồn bài đã có {brought} bài, nhiều hơn {MOST_SUPPLIED}.",
            f"By “now” the supplies have brought {brought} recordings, more than {MOST_SUPPLIED}.",
        )
        hint = Text("Để “first” gần “now” hơn.", "Let “first” be nearer to “now”.")
        self._reader.find("too_many_values", "supplies", message, hint)
        self._lost.add("supplies")
        self._origins["supplies"] = []
        return ()

    def _told(self) -> Iterator[Finding]:
        """Yield each problem once, with the line it stands in; of very many, only the first ones."""
        different = {(finding.code, finding.where): finding for finding in reversed(self._reader.findings)}
        for finding in list(reversed(different.values()))[:MOST_TOLD]:
            line = self._line(finding.where)
            if line is not None:
                text = finding.message
                message = Text(f"{text.vi} (dòng {line})", f"{text.en} (line {line})")
                finding = replace(finding, message=message)
            yield finding
        if len(different) > MOST_TOLD:
            more = len(different) - MOST_TOLD
            text = Text(f"Và {more} lỗi nữa.", f"And {more} more problems.")
            yield Finding(code="more_problems", severity=Severity.ERROR, message=text)

    def _line(self, where: str) -> int | None:
        while where:
            if where in self._lines:
                return self._lines[where]
            where = re.sub(r"(\.[^.\[\]]*|\[\d+\]|^[^.\[\]]*)$", "", where)
        return None


class _Recordings(Collection[str]):
    """The names of all recordings of a scenario, also of those that supplies bring later and of those to be made."""

    def __init__(self, scenario: Scenario) -> None:
        self._known = frozenset((*(one.id for one in scenario.segments), *(one.id for one in scenario.recordings)))
        self._supplies = frozenset(one.id for one in scenario.supplies)

    def __contains__(self, name: object) -> bool:
        supply, _, number = str(name).rpartition("-")
        return name in self._known or (number.isdecimal() and supply in self._supplies)

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


class _Facts:
    """Turns the short rows of a file into the facts of stations; needs the grid and the recordings."""

    def __init__(self, scenario: Scenario, reader: Reader, origins: list[str]) -> None:
        self._scenario = scenario
        self._reader = reader
        self._origins = origins
        now = scenario.now or BEGINNING
        known = (*scenario.segments, *scenario.supplied(now))
        self._segments = {segment.id: segment for segment in known}
        self._intent = scenario.intent(now)
        self._around: dict[tuple[str, date], list[Occurrence]] = {}

    def read(self, stations: Iterable[StationFacts]) -> Iterator[Facts]:
        """Yield the facts of each station; what cannot be is told to the reader."""
        known = {station.code: station for station in self._scenario.stations}
        for where, facts in zip(self._origins, stations, strict=True):
            if facts.station not in known:
                message = Text(f"Không có đài {facts.station}.", f"There is no station {facts.station}.")
                hint = Text(f"Có các đài: {', '.join(sorted(known))}.", f"There are: {', '.join(sorted(known))}.")
                self._reader.find("unknown_station", f"{where}.station", message, hint)
                continue
            yield self._of(known[facts.station], facts, where)

    def _of(self, station: Station, facts: StationFacts, where: str) -> Facts:
        rows = [self._row(station, airing, f"{where}.airings[{index}]") for index, airing in enumerate(facts.airings)]
        airings = tuple(row for row in rows if row is not None)
        whole = sorted(
            (r for r in airings if r.verdict is Verdict.AIRED), key=lambda r: r.started_at or r.planned_start
        )
        media = None
        if facts.media is not None:
            found = [self._segment(name, f"{where}.media[{index}]") for index, name in enumerate(facts.media)]
            media = frozenset(segment.sha256 for segment in found if segment is not None)
        return Facts(
            station=station.code,
            airings=airings,
            aired={row.segment: row.started_at or row.planned_start for row in whole if row.segment is not None},
            media=media,
            since=facts.since,
            silences=facts.silences,
            outages=tuple(self._outages(facts, where)),
            duties=facts.duties,
        )

    def _outages(self, facts: StationFacts, where: str) -> Iterator[Outage]:
        for index, outage in enumerate(facts.outages):
            if outage.end <= outage.start:
                message = Text("“to” phải sau “from”.", "“to” should be later than “from”.")
                hint = Text("Đổi chỗ hai thời điểm, hoặc sửa một.", "Swap the two, or correct one of them.")
                self._reader.find("ends_before_start", f"{where}.outages[{index}].to", message, hint)
                continue
            yield Outage(during=Interval(outage.start, outage.end), reason=outage.reason)

    def _segment(self, name: str, where: str) -> Segment | None:
        segment = self._segments.get(name)
        if segment is None:
            message = Text(f"Không có bài “{name}” đã duyệt.", f"There is no approved recording “{name}”.")
            hint = Text("Thêm vào “segments”, hoặc sửa lại tên.", "Add it to “segments”, or correct the name.")
            self._reader.find("unknown_segment", where, message, hint)
        return segment

    def _row(self, station: Station, past: PastAiring, where: str) -> Airing | None:
        segment = None if past.segment is None else self._segment(past.segment, f"{where}.segment")
        if past.segment is not None and segment is None:
            return None
        if past.verdict in (Verdict.AIRED, Verdict.PARTIAL) and segment is None:
            message = Text("Lượt phát có tiếng cần “segment”.", "What sounded needs its “segment”.")
            hint = Text("Ghi mã của bài đã phát.", "Give the id of the recording that aired.")
            self._reader.find("missing_key", f"{where}.segment", message, hint)
            return None
        slot, place, session_start = self._slot(station, past)
        planned = past.planned_start or past.started_at or session_start
        if slot is None or planned is None:
            message = Text("Không tìm thấy mục này trong lịch.", "The grid has no such place on that day.")
            hint = Text(
                "Ghi session, day, item đúng như lịch; hoặc ghi slot và planned_start.",
                "Give session, day and item as in the grid; or slot and planned_start.",
            )
            self._reader.find("unknown_slot", where, message, hint)
            return None
        return _airing(station, past, slot, place, segment, planned)

    def _slot(self, station: Station, past: PastAiring) -> tuple[str | None, SessionItem | None, datetime | None]:
        slot = past.slot
        if slot is None and past.session is not None and past.day is not None and past.item is not None:
            slot = f"{station.code}/{past.session}/{past.day.isoformat()}/{past.item}"
        parts = (slot or "").split("/")
        if slot is None or parts[0] != station.code:
            return None, None, None
        if len(parts) == 4:
            try:
                day = date.fromisoformat(parts[2])
            except ValueError:
                return slot, None, None
            for session in self._sessions(station, day):
                places = [place for place in session.rule.items if place.id == parts[3]]
                if places and (session.name, session.day) == (parts[1], day):
                    return slot, places[0], session.during.start
        return slot, None, None

    def _sessions(self, station: Station, day: date) -> list[Occurrence]:
        """Return the sessions around a day; one that was moved farther away has to be named with its time."""
        key = (station.code, day)
        if key not in self._around:
            noon = datetime.combine(day, time(12), tzinfo=UTC)
            around = Interval(noon - timedelta(days=3), noon + timedelta(days=3))
            self._around[key] = occurrences(self._intent, station, around)
        return self._around[key]


def _airing(
    station: Station, past: PastAiring, slot: str, place: SessionItem | None, segment: Segment | None, planned: datetime
) -> Airing:
    sounded = past.verdict in (Verdict.AIRED, Verdict.PARTIAL)
    whole_s = 0.0 if segment is None else segment.duration.total_seconds()
    part_s = whole_s / 2 if past.verdict is Verdict.PARTIAL else whole_s
    seconds = past.seconds if past.seconds is not None else (part_s if sounded else 0.0)
    started = (past.started_at or planned) if sounded else None
    samples = made_up_samples(seconds)
    return Airing(
        slot=slot,
        station=station.code,
        kind="segment" if place is None else place.kind.value,
        programme=segment.programme if segment else (place.programme if place else None),
        segment=None if segment is None else segment.id,
        title="" if segment is None else segment.title,
        sha256=None if segment is None else segment.sha256,
        topics=() if segment is None else segment.topics,
        planned_start=planned,
        planned_end=planned + timedelta(seconds=whole_s),
        started_at=started,
        ended_at=None if started is None else started + timedelta(seconds=seconds),
        seconds_aired=seconds,
        samples_aired=samples,
        samples_expected=0 if segment is None else segment.samples,
        bit_exact=past.verdict is Verdict.AIRED,
        start_error_s=None if started is None else (started - planned).total_seconds(),
        holes_s=0.0,
        parts=(),
        outputs=(OutputCount(name="loa", kind="pulse", samples=samples, grade=Evidence.E1),) if sounded else (),
        verdict=past.verdict,
        reason=past.reason,
        rehearsal=past.rehearsal,
        evidence=Evidence.E1 if sounded else Evidence.E0,
        by=past.by,
        duty=past.duty,
    )


def fill(template: Any, code: str, unit: Any = None, name: Any = None) -> Any:  # noqa: ANN401 - plain YAML data
    """Return plain data with `{station}`, `{unit}` and `{place}` replaced in every text.

    place: the station's name without the word for station, such as `xã Long Hiệp`.
    """
    if isinstance(template, str):
        place = re.sub(r"^Đài( truyền thanh)? ", "", name) if isinstance(name, str) else code
        return (
            template.replace("{station}", code)
            .replace("{unit}", unit if isinstance(unit, str) else code)
            .replace("{place}", place)
        )
    if isinstance(template, dict):
        return {key: fill(value, code, unit, name) for key, value in template.items()}
    if isinstance(template, list):
        return [fill(value, code, unit, name) for value in template]
    return template


def _named(data: object, where: str) -> Iterator[tuple[str, str, str]]:
    """Yield the path, the key and the name of all that plain data names; slots and cluster groups are not looked at."""
    if isinstance(data, list):
        for index, one in enumerate(data):
            yield from _named(one, f"{where}[{index}]")
    elif isinstance(data, dict):
        for key, value in data.items():
            path = f"{where}.{key}"
            if key in NAMES and key != "targets":
                listed = (
                    [(f"{path}[{index}]", one) for index, one in enumerate(value)] if isinstance(value, list) else []
                )
                for place, name in listed or [(path, value)]:
                    if isinstance(name, str) and "/" not in name:
                        yield place, key, name
            else:
                yield from _named(value, path)


def _size(data: Any) -> int:  # noqa: ANN401 - plain YAML data
    """Return how many values plain data holds."""
    if isinstance(data, dict):
        data = list(data.values())
    return 1 + sum(_size(one) for one in data) if isinstance(data, list) else 1


def _segment(reader: Reader, data: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    """Fill in what a scenario need not say: length in seconds, hashes that no file has."""
    taken = {key: value for key, value in data.items() if key != "seconds"}
    name = str(data.get("id", ""))
    taken.setdefault("sha256", made_up_hash(name))
    taken.setdefault("pcm_sha256", made_up_hash(f"{name} pcm"))
    seconds = data.get("seconds")
    if "seconds" in data and "samples" in data:
        message = Text("Chỉ ghi một trong hai: “seconds” hoặc “samples”.", "Give “seconds” or “samples”, not both.")
        hint = Text("Bỏ “samples”, trừ khi cần đúng từng mẫu.", "Remove “samples”, unless it must be exact.")
        reader.find("two_lengths", f"{where}.seconds", message, hint)
    elif "seconds" in data:
        found = reader.any(float, seconds, f"{where}.seconds")
        taken["samples"] = made_up_samples(found) if isinstance(found, float) else MISSED
        if isinstance(found, float) and not 0 < found <= A_DAY_S:
            message = Text(
                "“seconds” phải lớn hơn 0 và không quá một ngày.", "“seconds” should be above 0, a day at most."
            )
            hint = Text("Ghi thời lượng của bài, tính bằng giây.", "Give the length of the recording in seconds.")
            reader.find("out_of_range", f"{where}.seconds", message, hint)
            taken["samples"] = MISSED
    elif "samples" not in data:
        message = Text("Thiếu thời lượng: “seconds”, tính bằng giây.", "The length is missing: “seconds”.")
        hint = Text("Ghi giá trị sau “seconds:”.", "Write a value after “seconds:”.")
        reader.find("missing_key", f"{where}.seconds", message, hint)
        taken["samples"] = MISSED
    return taken


def _programme(reader: Reader, data: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    """Take the short form `repeats: false`: everything but the last one again."""
    taken = {key: value for key, value in data.items() if key != "repeats"}
    if "repeats" not in data:
        return taken
    repeats = reader.any(bool, data["repeats"], f"{where}.repeats")
    if "otherwise" in data:
        message = Text("Đã có “otherwise” thì bỏ “repeats”.", "Where there is “otherwise”, “repeats” says nothing.")
        hint = Text("Giữ “otherwise”.", "Keep “otherwise”.")
        reader.find("repeats_and_otherwise", f"{where}.repeats", message, hint)
    elif repeats is False:
        taken["otherwise"] = [one.value for one in (Otherwise.CENTRE, Otherwise.EVERGREEN)]
    return taken


def _outage(reader: Reader, data: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    """Take `from` and `to`, which cannot be names of fields."""
    taken = {key: value for key, value in data.items() if key not in ("from", "to")}
    for key, name in (("from", "start"), ("to", "end")):
        if name not in taken:
            found = reader.any(datetime, data.get(key), f"{where}.{key}")
            taken[name] = found.isoformat() if isinstance(found, datetime) else MISSED
    return taken


_SPAN_FORM = '"05:00-21:00" / "T2-T6 05:00-21:00"'
_RATES = {one.name: (0.0, 10_000.0) for one in fields(FaultRates)}

SHAPES: Mapping[type, Shape] = {
    Station: Shape(zones=("zone",)),
    DaySpan: Shape(word=span_of, word_form=_SPAN_FORM, weekdays=("weekdays",), until=("end",)),
    Limits: Shape(bounds={"session_s": (1, MOST), "day_s": (1, MOST), "sessions": (1, 1000)}),
    Programme: Shape(before=_programme, also=("repeats",), bounds={"separation_s": (0, MOST)}),
    WeekTemplate: Shape(defaults={"since": BEGINNING}, bounds={"priority": (-1000, 1000)}),
    NthWeekday: Shape(weekday=("weekday",)),
    SessionRule: Shape(
        defaults={"since": BEGINNING},
        weekdays=("weekdays",),
        bounds={"length_s": (1, 2 * A_DAY_S)},
    ),
    SessionItem: Shape(
        bounds={"offset_s": (0, 2 * A_DAY_S), "bound_s": (0, A_DAY_S), "length_s": (1, 2 * A_DAY_S)},
    ),
    SessionException: Shape(defaults={"since": BEGINNING}, bounds={"number": (1, 1000)}),
    CalendarDay: Shape(weekday=("works_as",)),
    OneOff: Shape(defaults={"ordered_at": BEGINNING, "ordered_by": APPROVER}),
    Duty: Shape(
        defaults={"since": BEGINNING},
        many={"windows": windows_of},
        until=("deadline_at",),
        bounds={"count": (1, 1000), "deadline_days": (0, 366), "warn_days": (0, 366), "least_share": (0.01, 1)},
    ),
    DutyWindow: Shape(word=lambda _: None, word_form='"T7,CN 05:30-07:00"', weekday=("weekday",), until=("end",)),
    Segment: Shape(
        before=_segment,
        also=("seconds",),
        defaults={"kind": SegmentKind.BAI, "approved_at": BEGINNING, "approved_by": APPROVER},
        bounds={"samples": (1, A_DAY_S * 48_000), "episode": (0, MOST)},
    ),
    Supply: Shape(
        bounds={"every_days": (1, 3660), "seconds": (0.001, A_DAY_S), "forgets": (0, 1)},
    ),
    DemoSession: Shape(bounds={"length_s": (1, A_DAY_S)}),
    Event: Shape(bounds={"lasts_s": (0, MOST), "step_s": (-MOST, MOST)}),
    FaultRates: Shape(bounds=_RATES),
    PastAiring: Shape(bounds={"seconds": (0, A_DAY_S)}),
    PastOutage: Shape(before=_outage, also=("from", "to")),
}
"""How the classes of a scenario file may be written, beyond their fields."""
