"""A report on broadcasts: verdict rows and facts of a period in, one line of numbers a station out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from schedules.airing import Verdict
from schedules.calendar import FIRST_YEAR, LAST_YEAR
from schedules.duty import DutyStanding, DutyState
from schedules.grid import ItemKind
from schedules.programme import ProgrammeCode
from schedules.segment import SegmentId
from schedules.station import Station, StationCode, Unit, UnitCode
from schedules.text import Text

SPOKEN = frozenset({ItemKind.SEGMENT.value, ItemKind.NOTICE.value, ItemKind.LIVE.value, ItemKind.EMERGENCY.value})
"""Kinds of rows that a report counts as broadcasts; relays are counted apart, tunes and greetings not at all."""

OWN = "own"
_SOUNDED = (Verdict.AIRED, Verdict.PARTIAL)
_DAY = timedelta(days=1)
_THURSDAY = 4
_QUARTER = re.compile(r"(\d{4})-Q([1-4])")
_WEEK = re.compile(r"(\d{4})-W(\d{2})")
_MONTH = re.compile(r"(\d{4})-(\d{2})")
_YEAR = re.compile(r"\d{4}")


class Span(StrEnum):
    """How long a period of a report is."""

    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPeriod:
    """The period of a report. name: `2026-W48`, `2026-11`, `2026-Q4` or `2026`. first, last: local days, included."""

    name: str
    span: Span
    first: date
    last: date

    @property
    def weeks(self) -> tuple[str, ...]:
        """The ISO weeks that belong to it: those whose Thursday lies in it, so that each week is in one period."""
        thursday = self.first + timedelta(days=(_THURSDAY - self.first.isoweekday()) % 7)
        found = []
        while thursday <= self.last:
            found.append(week_name(thursday))
            thursday += timedelta(days=7)
        return tuple(found)

    @property
    def whole(self) -> tuple[date, date]:
        """Its first and last day together with every day of its weeks."""
        weeks = self.weeks
        return min(self.first, monday(weeks[0])), max(self.last, monday(weeks[-1]) + 6 * _DAY)


class WeekState(StrEnum):
    """How a week of a programme ended at one station."""

    AIRED = "aired"
    MADE_UP = "made_up"
    MISSED = "missed"
    EXCUSED = "excused"
    OPEN = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Broadcast:
    """One row of the air log as a report needs it.

    at: when it began, else when it was due. seconds: that really sounded. clusters: loudspeaker clusters (outputs)
    that were to play it; clusters_whole: those that did to the end. repeated: the recording had aired whole at the
    station before. reason: why it is not `aired`.
    """

    station: StationCode
    slot: str
    kind: str
    programme: ProgrammeCode | None
    segment: SegmentId | None
    at: datetime
    verdict: Verdict
    rehearsal: bool
    seconds: float
    clusters: int
    clusters_whole: int
    repeated: bool
    reason: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemCard:
    """What a recording is. origin: `own` where its owner made it. topics: as it was approved."""

    id: SegmentId
    owner: UnitCode
    origin: str
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Troubles:
    """Faults in the period: tickets opened, those of them that were repaired, days on which the station was silent."""

    tickets: int = 0
    repaired: int = 0
    silent_days: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StationFacts:
    """What is known of one station.

    unit_name: of the unit that it belongs to today. since: the first day of which there are rows; None for none.
    broadcasts: of `ReportPeriod.whole`. standings: of the weekly duty for the programme, where there is one.
    relay_seconds: of relays in the period.
    """

    station: Station
    unit_name: str
    since: date | None = None
    broadcasts: tuple[Broadcast, ...] = ()
    standings: tuple[DutyStanding, ...] = ()
    relay_seconds: float = 0.0
    troubles: Troubles = Troubles()


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """One week of a programme at a station; short: it aired, but less often than the duty asks."""

    name: str
    state: WeekState
    reason: Text | None = None
    short: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The numbers of one station, or of all (`station` is empty).

    mains, repeats, make_ups: whole airings, each in one of the three. partial, missed: airings that are none.
    rehearsals: airings on virtual outputs, which are not in any other number unless the demonstration runs.
    own_items, upper_items: different recordings among the whole airings. seconds: of whole airings. cluster_airings:
    whole airings by cluster, of `cluster_due`. topics: whole airings that carried each. weeks: empty in the sum.
    """

    station: StationCode = ""
    name: str = ""
    unit_name: str = ""
    weeks: tuple[Week, ...] = ()
    week_states: Mapping[WeekState, int]
    mains: int = 0
    repeats: int = 0
    make_ups: int = 0
    partial: int = 0
    missed: int = 0
    rehearsals: int = 0
    own_items: int = 0
    upper_items: int = 0
    seconds: float = 0.0
    cluster_airings: int = 0
    cluster_due: int = 0
    topics: Mapping[str, int]
    troubles: Troubles = Troubles()
    relay_seconds: float = 0.0
    since: date | None = None

    @property
    def weeks_due(self) -> int:
        """Weeks of the period, those that are not over yet left out."""
        return sum(count for state, count in self.week_states.items() if state is not WeekState.OPEN)

    @property
    def weeks_aired(self) -> int:
        """Weeks with an airing, made up or not."""
        return self.week_states[WeekState.AIRED] + self.week_states[WeekState.MADE_UP]

    @property
    def share(self) -> float | None:
        """Whole airings by cluster of those that were due, 0 to 1; None where none was due."""
        return self.cluster_airings / self.cluster_due if self.cluster_due else None

    @property
    def airings(self) -> int:
        """All whole airings."""
        return self.mains + self.repeats + self.make_ups


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The table: a line a station, and the sum. programme: None for all. until: the newest moment that it knows of."""

    period: ReportPeriod
    programme: ProgrammeCode | None
    lines: tuple[Line, ...]
    total: Line
    until: datetime
    demo: bool


def report_period(name: str) -> ReportPeriod:
    """Return the period of that name; raises ValueError for any other text."""
    if match := _WEEK.fullmatch(name):
        first = date.fromisocalendar(int(match[1]), int(match[2]), 1)
        made = ReportPeriod(name=name, span=Span.WEEK, first=first, last=first + 6 * _DAY)
    elif match := _QUARTER.fullmatch(name):
        first = date(int(match[1]), int(match[2]) * 3 - 2, 1)
        made = ReportPeriod(name=name, span=Span.QUARTER, first=first, last=_month_end(first + timedelta(days=62)))
    elif match := _MONTH.fullmatch(name):
        first = date(int(match[1]), int(match[2]), 1)
        made = ReportPeriod(name=name, span=Span.MONTH, first=first, last=_month_end(first))
    elif _YEAR.fullmatch(name):
        made = ReportPeriod(name=name, span=Span.YEAR, first=date(int(name), 1, 1), last=date(int(name), 12, 31))
    else:
        raise ValueError(f"not a period: {name!r}")
    if not FIRST_YEAR <= made.first.year <= LAST_YEAR:
        raise ValueError(f"not a period: {name!r}")
    return made


def period_around(span: Span, day: date) -> ReportPeriod:
    """Return the period that the day lies in."""
    names = {
        Span.WEEK: week_name(day),
        Span.MONTH: f"{day.year:04d}-{day.month:02d}",
        Span.QUARTER: f"{day.year:04d}-Q{(day.month + 2) // 3}",
        Span.YEAR: f"{day.year:04d}",
    }
    return report_period(names[span])


def period_before(span: Span, day: date) -> ReportPeriod:
    """Return the period that was over last on that day."""
    return period_around(span, period_around(span, day).first - _DAY)


def week_name(day: date) -> str:
    """Return the ISO week of a day, such as `2026-W48`."""
    year, week, _ = day.isocalendar()
    return f"{year:04d}-W{week:02d}"


def monday(week: str) -> date:
    """Return the first day of `2026-W48`."""
    return date.fromisocalendar(int(week[:4]), int(week[6:]), 1)


def stations_of(units: tuple[Unit, ...], stations: Iterable[Station], top: UnitCode) -> tuple[Station, ...]:
    """Return the stations of a unit and of all below it, those of units that were merged into them too."""
    every = {top}
    while more := {unit.code for unit in units if unit.parent in every or unit.successor in every} - every:
        every |= more
    return tuple(station for station in stations if station.unit in every)


def unit_today(units: tuple[Unit, ...], code: UnitCode, day: date) -> UnitCode:
    """Return the unit that stands for `code` on that day: itself, or the last that took over."""
    known = {unit.code: unit for unit in units}
    seen: set[UnitCode] = set()
    while code in known and code not in seen:
        seen.add(code)
        unit = known[code]
        if unit.successor is None or unit.valid_until is None or unit.valid_until >= day:
            return code
        code = unit.successor
    return code


def report(
    period: ReportPeriod,
    programme: ProgrammeCode | None,
    facts: Iterable[StationFacts],
    cards: Mapping[SegmentId, ItemCard],
    now: datetime,
    *,
    demo: bool,
) -> Report:
    """Return the report; the stations stand in the order in which they are given.

    A rehearsal is no broadcast unless `demo`. A recording is counted once in the sum, wherever it aired; one that a
    station made is its own, every other one comes from above.
    """
    made = [_line(period, one, cards, now, demo=demo) for one in facts]
    return Report(
        period=period,
        programme=programme,
        lines=tuple(line for line, _ in made),
        total=_total([line for line, _ in made], [items for _, items in made]),
        until=now,
        demo=demo,
    )


def _line(
    period: ReportPeriod, facts: StationFacts, cards: Mapping[SegmentId, ItemCard], now: datetime, *, demo: bool
) -> tuple[Line, Mapping[SegmentId, bool]]:
    """Return the line of a station and its items, each with whether it is the station's own."""
    zone = ZoneInfo(facts.station.zone)
    dated = [(one, one.at.astimezone(zone).date()) for one in facts.broadcasts]
    real = [(one, day) for one, day in dated if demo or not one.rehearsal]
    weeks = _weeks(period, facts, real, now, zone)
    make_ups = {
        one.slots[-1] for one in facts.standings if one.state is DutyState.MADE_UP and one.slots
    }  # the last airing of a week that was made up is what made it up
    inside = [one for one, day in real if period.first <= day <= period.last]
    whole = [one for one in inside if one.verdict is Verdict.AIRED]
    others = [one for one in whole if "/makeup." not in one.slot and one.slot not in make_ups]
    items = {one.segment: _own(cards.get(one.segment), facts.station) for one in whole if one.segment is not None}
    topics = Counter(
        topic for one in whole if (card := cards.get(one.segment or "")) is not None for topic in card.topics
    )
    due = [one for one in inside if one.verdict in (Verdict.AIRED, Verdict.PARTIAL, Verdict.MISSED)]
    line = Line(
        station=facts.station.code,
        name=facts.station.name,
        unit_name=facts.unit_name,
        weeks=weeks,
        week_states=_counted(week.state for week in weeks),
        mains=sum(not one.repeated for one in others),
        repeats=sum(one.repeated for one in others),
        make_ups=len(whole) - len(others),
        partial=sum(one.verdict is Verdict.PARTIAL for one in inside),
        missed=sum(one.verdict is Verdict.MISSED for one in inside),
        rehearsals=sum(
            one.rehearsal and one.verdict in _SOUNDED and period.first <= day <= period.last for one, day in dated
        ),
        own_items=sum(items.values()),
        upper_items=len(items) - sum(items.values()),
        seconds=sum(one.seconds for one in whole),
        cluster_airings=sum(one.clusters_whole for one in due),
        cluster_due=sum(one.clusters for one in due),
        topics=dict(sorted(topics.items())),
        troubles=facts.troubles,
        relay_seconds=facts.relay_seconds,
        since=facts.since,
    )
    return line, items


def _own(card: ItemCard | None, station: Station) -> bool:
    """Return whether the station made it; a live talk has no card and is its own as well."""
    return card is None or (card.origin == OWN and card.owner == station.unit)


def _weeks(
    period: ReportPeriod,
    facts: StationFacts,
    real: Sequence[tuple[Broadcast, date]],
    now: datetime,
    zone: ZoneInfo,
) -> tuple[Week, ...]:
    """Return the weeks that the station owes an account of: in service, and not before its first row."""
    stood = {one.period: one for one in facts.standings}
    of_monday: dict[date, list[Broadcast]] = {}
    for one, day in real:
        of_monday.setdefault(day - timedelta(days=day.weekday()), []).append(one)
    station = facts.station
    found = []
    for name in period.weeks:
        first, last = monday(name), monday(name) + 6 * _DAY
        before = facts.since is None or last < facts.since
        early = station.valid_from is not None and last < station.valid_from
        late = station.valid_until is not None and first > station.valid_until
        if name in stood:
            found.append(_judged(stood[name]))
        elif not (before or early or late):
            found.append(_week(name, of_monday.get(first, ()), over=now.astimezone(zone).date() > last))
    return tuple(found)


def _judged(stood: DutyStanding) -> Week:
    states = {
        DutyState.MET: WeekState.AIRED,
        DutyState.MADE_UP: WeekState.MADE_UP,
        DutyState.EXCUSED: WeekState.EXCUSED,
        DutyState.MISSED: WeekState.AIRED if stood.slots else WeekState.MISSED,
    }
    short = stood.state is DutyState.MISSED and bool(stood.slots)
    return Week(name=stood.period, state=states.get(stood.state, WeekState.OPEN), reason=stood.reason, short=short)


def _week(name: str, mine: Sequence[Broadcast], *, over: bool) -> Week:
    if any(one.verdict is Verdict.AIRED for one in mine):
        return Week(name=name, state=WeekState.AIRED)
    if not over:
        return Week(name=name, state=WeekState.OPEN)
    reasons = [one.reason for one in mine if one.reason is not None]
    nothing = Text("Không có lượt phát nào trong tuần.", "No airing was due in the week.")
    return Week(name=name, state=WeekState.MISSED, reason=reasons[-1] if reasons else nothing)


def _counted(states: Iterable[WeekState]) -> Mapping[WeekState, int]:
    counted = Counter(states)
    return {state: counted[state] for state in WeekState}


def _total(lines: Sequence[Line], items: Sequence[Mapping[SegmentId, bool]]) -> Line:
    def added(number: Callable[[Line], int]) -> int:
        return sum(number(line) for line in lines)

    # What one station made and another one aired as well is still one item, and somebody's own.
    once: dict[SegmentId, bool] = {}
    for of_one in items:
        for segment, own in of_one.items():
            once[segment] = own or once.get(segment, False)
    topics: Counter[str] = Counter()
    for line in lines:
        topics.update(line.topics)
    return Line(
        week_states={state: sum(line.week_states[state] for line in lines) for state in WeekState},
        mains=added(lambda line: line.mains),
        repeats=added(lambda line: line.repeats),
        make_ups=added(lambda line: line.make_ups),
        partial=added(lambda line: line.partial),
        missed=added(lambda line: line.missed),
        rehearsals=added(lambda line: line.rehearsals),
        own_items=sum(once.values()),
        upper_items=len(once) - sum(once.values()),
        seconds=sum(line.seconds for line in lines),
        cluster_airings=added(lambda line: line.cluster_airings),
        cluster_due=added(lambda line: line.cluster_due),
        topics=dict(sorted(topics.items())),
        troubles=Troubles(
            tickets=added(lambda line: line.troubles.tickets),
            repaired=added(lambda line: line.troubles.repaired),
            silent_days=added(lambda line: line.troubles.silent_days),
        ),
        relay_seconds=sum(line.relay_seconds for line in lines),
        since=min((line.since for line in lines if line.since is not None), default=None),
    )


def marked_repeats(broadcasts: Iterable[Broadcast], known: Iterable[SegmentId], *, demo: bool) -> tuple[Broadcast, ...]:
    """Return the broadcasts of one station in order of time, each with whether its recording had aired whole before.

    known: recordings that had aired whole there before the first of them. A rehearsal is no airing unless `demo`.
    """
    aired = set(known)
    found = []
    for one in sorted(broadcasts, key=lambda one: (one.at, one.slot)):
        again = one.segment is not None and one.segment in aired
        found.append(one if one.repeated is again else replace(one, repeated=again))
        if one.verdict is Verdict.AIRED and one.segment is not None and (demo or not one.rehearsal):
            aired.add(one.segment)
    return tuple(found)


def _month_end(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1) - _DAY
