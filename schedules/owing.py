"""What a station owes: its duties by version and period, what already counts, and what is still missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from schedules.airing import Airing, Facts, Verdict
from schedules.calendar import deadline, duty_windows, instant, local_dates, period_interval, period_name
from schedules.clock import Interval
from schedules.duty import Counting, Duty, DutyOutcome, Excuse, Period
from schedules.grid import SlotId
from schedules.intent import Intent
from schedules.segment import Segment
from schedules.station import Station, StationCode
from schedules.verdicts import WHOLE

_DAY = timedelta(days=1)
_LATEST_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """One duty in one period at one station.

    whole: the period. during: when an airing counts: from the period's start, or the day the station came into service,
    to the deadline. rows: final rows that concern the duty, in time order; good: those of them that count.
    closed: when the station went out of service inside the period; None where it did not.
    handed_over: another station took it over then, and owes it in its stead.
    """

    duty: Duty
    period: str
    whole: Interval
    during: Interval
    rows: tuple[Airing, ...] = ()
    good: tuple[Airing, ...] = ()
    excuse: Excuse | None = None
    outcome: DutyOutcome | None = None
    closed: datetime | None = None
    handed_over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a duty still lacks in its period: so many airings, or so many topics beside those covered already."""

    owed: Owed
    missing: int
    covered: frozenset[str] = frozenset()

    def counts(self, programme: str | None, topics: Iterable[str], start: datetime) -> bool:
        """Return whether a whole airing of this sort, begun at `start`, would bring the duty further."""
        carried = tuple(topics)
        if self.missing <= 0 or not self.owed.during.contains(start):
            return False
        if not matches(self.owed.duty, programme, carried):
            return False
        return self.owed.duty.counting is Counting.AIRINGS or bool(_topics(self.owed.duty, carried) - self.covered)

    def after(self, programme: str | None, topics: Iterable[str], start: datetime) -> Need:
        """Return what is still missing after such an airing; the same need where it does not count."""
        carried = tuple(topics)
        if not self.counts(programme, carried, start):
            return self
        if self.owed.duty.counting is Counting.AIRINGS:
            return replace(self, missing=self.missing - 1)
        covered = self.covered | _topics(self.owed.duty, carried)
        return replace(self, covered=covered, missing=max(0, self.owed.duty.count - len(covered)))


def need(owed: Owed) -> Need:
    """Return what the rows of a period leave missing; nothing once the duty is excused or its deadline has passed."""
    covered: frozenset[str] = frozenset()
    for row in owed.good:
        covered |= _topics(owed.duty, row.topics)
    topical = owed.duty.counting is Counting.TOPICS
    missing = owed.duty.count - (len(covered) if topical else len(owed.good))
    if owed.excuse is not None or owed.outcome is not None or owed.handed_over:
        missing = 0
    return Need(owed=owed, missing=max(0, missing), covered=covered if topical else frozenset())


def matches(duty: Duty, programme: str | None, topics: Iterable[str]) -> bool:
    """Return whether an item of this programme with these topics is of the duty."""
    if duty.programme is not None and programme != duty.programme:
        return False
    carried = tuple(topics)
    if duty.topic_prefix and not any(topic.startswith(duty.topic_prefix) for topic in carried):
        return False
    return not duty.topics or any(topic in duty.topics for topic in carried)


def fits(duty: Duty, segment: Segment) -> bool:
    """Return whether a recording is of the duty."""
    return matches(duty, segment.programme, segment.topics)


def counts(duty: Duty, row: Airing, *, demo: bool) -> bool:
    """Return whether a final row fulfils `duty` once: of its sort, whole, and really out (or a demonstration)."""
    return (demo or not row.rehearsal) and matches(duty, row.programme, row.topics) and _whole(duty, row)


def _whole(duty: Duty, row: Airing) -> bool:
    if row.verdict is Verdict.AIRED:
        return True
    if row.verdict is not Verdict.PARTIAL or duty.least_share >= 1 or not row.outputs or row.samples_expected == 0:
        return False
    late = row.start_error_s is None or row.start_error_s > _LATEST_S
    whole = sum(output.samples >= WHOLE * row.samples_expected for output in row.outputs)
    return not late and whole / len(row.outputs) >= duty.least_share


def _topics(duty: Duty, carried: Iterable[str]) -> frozenset[str]:
    """Return the topics that a duty counts among those carried."""
    return frozenset(
        topic for topic in carried if (not duty.topics or topic in duty.topics) and topic.startswith(duty.topic_prefix)
    )


def when(row: Airing) -> datetime:
    """Return the moment by which a row belongs to a period: its real start, else the planned one."""
    return row.started_at or row.planned_start


def in_service(station: Station) -> tuple[datetime | None, datetime | None]:
    """Return from when until when the station is in service, None where that is open."""
    zone = ZoneInfo(station.zone)
    start = None if station.valid_from is None else instant(zone, station.valid_from, time(0))
    end = None if station.valid_until is None else instant(zone, station.valid_until + _DAY, time(0))
    return start, end


def predecessors(intent: Intent, code: StationCode) -> frozenset[StationCode]:
    """Return the stations whose duties went over to `code`, at any depth."""
    found: set[StationCode] = set()
    while True:
        more = {s.code for s in intent.stations if s.successor in found | {code}} - found - {code}
        if not more:
            return frozenset(found)
        found |= more


def duties_of(intent: Intent, station: Station) -> tuple[Duty, ...]:
    """Return every version of every duty of the station, its own and those of the stations that it succeeded.

    Several inherited duties that ask for the same become one, the first by code; one that the station owes anyway
    is not inherited.
    """
    own = [duty for duty in intent.duties if station.code in duty.stations]
    before = predecessors(intent, station.code)
    asked = {_content(duty) for duty in own}
    heirs: dict[tuple[object, ...], str] = {}
    start, _ = in_service(station)
    found = list(own)
    for duty in sorted(intent.duties, key=lambda d: (d.code, d.since)):
        if station.code in duty.stations or not before.intersection(duty.stations) or _content(duty) in asked:
            continue
        if heirs.setdefault(_content(duty), duty.code) == duty.code:
            since = duty.since if start is None else max(duty.since, start)
            owner = station.unit if duty.owner in _units_of(intent, before) else duty.owner
            found.append(replace(duty, stations=(station.code,), owner=owner, since=since))
    return tuple(sorted(found, key=lambda d: (d.code, d.since)))


def _units_of(intent: Intent, codes: frozenset[StationCode]) -> frozenset[str]:
    return frozenset(station.unit for station in intent.stations if station.code in codes)


def _content(duty: Duty) -> tuple[object, ...]:
    return duty.programme, duty.period, duty.counting, duty.topic_prefix, duty.topics


def owing(intent: Intent, station: Station, facts: Facts, asked: Interval) -> tuple[Owed, ...]:
    """Return what the station owes in every period that `asked` touches, the earliest deadline first."""
    zone = ZoneInfo(station.zone)
    versions = duties_of(intent, station)
    if not versions:
        return ()
    rows = sorted(facts.airings, key=lambda row: (when(row), row.slot))
    sealed = {(outcome.duty, outcome.period): outcome for outcome in facts.duties}
    found = []
    for duty in versions:
        for name, whole in _periods(duty.period, zone, asked):
            if _governing(versions, duty, whole) is not duty:
                continue
            owed = _owed(intent, station, duty, name, whole, sealed.get((duty.code, name)), zone)
            if owed is not None:
                found.append(_with_rows(owed, rows, demo=intent.demo))
    return tuple(sorted(found, key=lambda owed: (owed.during.end, owed.duty.code, owed.period)))


def _periods(period: Period, zone: ZoneInfo, asked: Interval) -> Iterable[tuple[str, Interval]]:
    day = asked.start.astimezone(zone).date()
    while True:
        name = period_name(period, day)
        whole = period_interval(period, name, zone)
        yield name, whole
        if whole.end >= asked.end:
            return
        day = whole.end.astimezone(zone).date()


def _governing(versions: Iterable[Duty], duty: Duty, whole: Interval) -> Duty | None:
    """Return the version that governs a period: in force at its start, else the first to come into force in it."""
    alike = [known for known in versions if known.code == duty.code and known.period is duty.period]
    for known in alike:
        if known.since <= whole.start and (known.until is None or whole.start < known.until):
            return known
    coming = [k for k in alike if whole.start < k.since < whole.end and (k.until is None or k.since < k.until)]
    return min(coming, key=lambda known: known.since, default=None)


def _owed(
    intent: Intent,
    station: Station,
    duty: Duty,
    name: str,
    whole: Interval,
    outcome: DutyOutcome | None,
    zone: ZoneInfo,
) -> Owed | None:
    begins, ends = in_service(station)
    start = whole.start if begins is None else max(whole.start, begins)
    end = deadline(duty, whole, zone)
    closed = ends if ends is not None and ends < end else None
    if start >= end or (closed is not None and closed <= start):
        return None
    excuse = _excuse(intent, station, duty, Interval(start, closed or end))
    return Owed(
        duty=duty,
        period=name,
        whole=whole,
        during=Interval(start, closed or end),
        excuse=excuse,
        outcome=outcome,
        closed=closed,
        handed_over=closed is not None and station.successor is not None and bool(station.ended_by),
    )


def _excuse(intent: Intent, station: Station, duty: Duty, during: Interval) -> Excuse | None:
    zone = ZoneInfo(station.zone)
    mine = sorted(
        (e for e in intent.excuses if e.station == station.code and e.duty in (None, duty.code) and e.document.strip()),
        key=lambda e: (e.first, e.last, e.document),
    )
    for excuse in mine:
        if _covers(mine, station, duty, during, zone) and _touches(excuse, during, zone):
            return excuse
    return None


def _touches(excuse: Excuse, during: Interval, zone: ZoneInfo) -> bool:
    return any(excuse.first <= day <= excuse.last for day in _dates(during, zone))


def _covers(excuses: list[Excuse], station: Station, duty: Duty, during: Interval, zone: ZoneInfo) -> bool:
    """Return whether the excused dates cover the period, or leave no window of the duty in it."""

    def free(day: date) -> bool:
        return not any(excuse.first <= day <= excuse.last for excuse in excuses)

    if not any(free(day) for day in _dates(during, zone)):
        return True
    windows = duty_windows(station, duty, during)
    return bool(windows) and not any(free(window.start.astimezone(zone).date()) for window in windows)


def _dates(during: Interval, zone: ZoneInfo) -> Iterable[date]:
    return local_dates(zone, Interval(during.start, during.end - timedelta(microseconds=1)))


def _with_rows(owed: Owed, rows: Iterable[Airing], *, demo: bool) -> Owed:
    duty = owed.duty
    mine: list[Airing] = []
    good: list[Airing] = []
    covered: frozenset[str] = frozenset()
    seen: set[SlotId] = set()
    for row in rows:
        if not owed.during.contains(when(row)) or row.slot in seen:
            continue
        if not (matches(duty, row.programme, row.topics) or row.duty == duty.code or _same_programme(duty, row)):
            continue
        seen.add(row.slot)
        mine.append(row)
        if not counts(duty, row, demo=demo):
            continue
        if duty.counting is Counting.TOPICS:
            new = _topics(duty, row.topics) - covered
            if not new or len(covered) >= duty.count:
                continue
            covered |= new
        elif len(good) >= duty.count:
            continue
        good.append(row)
    return replace(owed, rows=tuple(mine), good=tuple(good))


def _same_programme(duty: Duty, row: Airing) -> bool:
    return duty.programme is not None and row.programme == duty.programme


def make_up_prefix(station: Station, owed: Owed) -> str:
    """Return how the slots of a duty's make-ups in one period begin; a number follows."""
    first = owed.whole.start.astimezone(ZoneInfo(station.zone)).date().isoformat()
    return f"{station.code}/makeup.{owed.duty.code}/{first}/"


def by_key(owed: Iterable[Owed]) -> Mapping[tuple[str, str], Owed]:
    """Return what is owed by duty and period."""
    return {(one.duty.code, one.period): one for one in owed}
