"""Two sessions at one time: the first overlap of any two rules, however far away, found from the rules themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from heapq import merge
from itertools import combinations_with_replacement, count, pairwise, takewhile
from math import gcd
from zoneinfo import ZoneInfo

from schedules.calendar import FIRST_YEAR, LAST_YEAR, Occurrence, changes_of, instant, occurrences, on_date, shift
from schedules.clock import Interval
from schedules.grid import Change, SessionException, SessionRule
from schedules.intent import Intent
from schedules.recurrence import Days, anchor_week, dates_in_month, days_of, monthly, recurs, week_number
from schedules.station import Station

_DAY = timedelta(days=1)
_DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Two sessions that are due at one time; `first` begins no later than `second`."""

    first: Occurrence
    second: Occurrence

    @property
    def start(self) -> datetime:
        """When both are due."""
        return self.second.during.start


def first_overlaps(intent: Intent, station: Station, after: datetime, until: date | None = None) -> tuple[Overlap, ...]:
    """Return for every two rules that ever overlap the first time, by time; a rule may overlap itself.

    Only overlaps that begin at or after `after` and before the local date `until` (None: as far as anybody plans).
    Ordinary days are reckoned with: which starts are at odds by the time of day, then on which first date both rules
    fall. Days that are not ordinary (calendar, exceptions, changes of the clock) are looked at one by one.
    """
    rules = tuple(rule for rule in intent.sessions if rule.station == station.code)
    longest = timedelta(seconds=max((rule.length_s for rule in rules), default=0))
    search = _Search(
        intent=intent,
        station=station,
        after=after,
        # What began before may still be on air; two days more, so that no zone matters.
        lowest=(after - longest).date() - 2 * _DAY,
        longest=longest,
        last=(until or date(LAST_YEAR + 1, 1, 1)) - _DAY,
        days=days_of(intent, station.code),
        changes=changes_of(intent, station.code),
        rules=rules,
        found={},
    )
    search.special_days()
    search.ordinary_days()
    return tuple(sorted(search.found.values(), key=_place))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Strand:
    """What a start of a rule does on ordinary days from `first` to `last`: `shift` days later, at `at_s` of the day."""

    rule: SessionRule
    number: int
    first: date
    last: date
    shift: int
    at_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    intent: Intent
    station: Station
    after: datetime
    lowest: date
    longest: timedelta
    last: date
    days: Days
    changes: Mapping[str, Sequence[SessionException]]
    rules: tuple[SessionRule, ...]
    found: dict[tuple[str, str], Overlap]

    def special_days(self) -> None:
        """Look at every date that is not like others, and at where its sessions were moved."""
        moves = [change for mine in self.changes.values() for change in mine if change.change is Change.MOVE]
        named = {*self.days.kinds, *self.days.works_as}
        named.update(change.day for mine in self.changes.values() for change in mine)
        dates = named | {day + shift(move) for move in moves if move.following for day in named}
        dates.update(move.day + shift(move) for move in moves)
        dates.update(clock_changes(self.station.zone, self.lowest.year, self.last.year))
        zone = ZoneInfo(self.station.zone)
        for first, last in _stretches(sorted(day for day in dates if self.lowest <= day <= self.last)):
            # A change of the clock can bring together what two dates hold apart.
            begin, end = first - 2 * _DAY, last + 3 * _DAY
            during = Interval(instant(zone, begin, time(0)) - self.longest, instant(zone, end, time(0)))
            self._among(occurrences(self.intent, self.station, during))

    def ordinary_days(self) -> None:
        """Reckon for every two starts when they first fall together."""
        plain = replace(self.days, kinds={}, works_as={})
        strands = [strand for rule in self.rules for strand in self._strands(rule, plain)]
        for one, other in combinations_with_replacement(strands, 2):
            for apart in _days_apart(one, other):
                if one is not other or apart > 0:
                    self._pair(one, other, apart)

    def _pair(self, one: _Strand, other: _Strand, apart: int) -> None:
        """Note the first time that `one` falls on a date and `other` on the date `apart` days later."""
        key = _key(one.rule, other.rule)
        for day in _together(one, other, apart):
            known = self.found.get(key)
            if known is not None and day + timedelta(days=one.shift - 2) > known.start.date():
                return
            first = self._due(one, day)
            second = self._due(other, day + timedelta(days=apart))
            if first is not None and second is not None and self._note(first, second):
                return

    def _due(self, strand: _Strand, day: date) -> Occurrence | None:
        rule = strand.rule
        if not self.days.due(rule, day):
            return None
        return on_date(rule, strand.number, day, self.station, self.days, self.changes.get(rule.id, ()))

    def _among(self, sessions: list[Occurrence]) -> None:
        for place, first in enumerate(sessions):
            for second in sessions[place + 1 :]:
                if second.during.start >= first.during.end:
                    break
                self._note(first, second)

    def _note(self, one: Occurrence, other: Occurrence) -> bool:
        """Keep the overlap if it is the first of its rules; return whether they overlap in the time asked about."""
        first, second = sorted((one, other), key=lambda o: (o.during.start, o.name, o.day))
        overlap = Overlap(first=first, second=second)
        local = overlap.start.astimezone(ZoneInfo(self.station.zone)).date()
        if not first.during.overlaps(second.during) or overlap.start < self.after or local > self.last:
            return False
        key = _key(one.rule, other.rule)
        known = self.found.get(key)
        if known is None or _place(overlap) < _place(known):
            self.found[key] = overlap
        return True

    def _strands(self, rule: SessionRule, plain: Days) -> Iterator[_Strand]:
        """Yield what the rule does on ordinary days, from edge to edge of everything that changes it."""
        lasting = [change for change in self.changes.get(rule.id, ()) if change.following]
        edges = self._edges(rule, lasting)
        for number, at in enumerate(rule.starts, start=1):
            held: _Strand | None = None
            for first, after in pairwise(edges):
                one = on_date(rule, number, first, self.station, plain, lasting) if plain.allow(rule, first) else None
                if one is not None:
                    moved = one.moved_by
                    strand = _Strand(
                        rule=rule,
                        number=number,
                        first=first,
                        last=after - _DAY,
                        shift=shift(moved).days if moved else 0,
                        at_s=_seconds((moved.to_start if moved else None) or at),
                    )
                    if held is not None and (held.shift, held.at_s) == (strand.shift, strand.at_s):
                        held = replace(held, last=strand.last)
                        continue
                    if held is not None:
                        yield held
                    held = strand
                elif held is not None:
                    yield held
                    held = None
            if held is not None:
                yield held

    def _edges(self, rule: SessionRule, lasting: Sequence[SessionException]) -> list[date]:
        """Return every date from which on the rule may behave otherwise than the day before, and the two ends."""
        zone = ZoneInfo(self.station.zone)
        begins = [rule.valid_from, self.station.valid_from, *(t.valid_from for t in self.days.templates)]
        begins += [change.day for change in lasting]
        ends = [rule.valid_until, self.station.valid_until, *(t.valid_until for t in self.days.templates)]
        moments: list[datetime | None] = [rule.since, rule.until]
        moments += [moment for template in self.days.templates for moment in (template.since, template.until)]
        moments += [moment for change in lasting for moment in (change.since, change.until)]
        near = {day for day in begins if day is not None and _known(day)}
        near |= {day + _DAY for day in ends if day is not None and _known(day)}
        for moment in moments:
            if moment is not None and _known(moment):
                day = moment.astimezone(zone).date()
                near |= {day + number * _DAY for number in range(-1, 3)}
        moved = {timedelta(0), *(shift(change) for change in lasting)}
        lowest, highest = self.lowest - max(moved), self.last - min(moved)
        inside = {day - by for by in moved for day in near if lowest < day - by <= highest}
        return sorted({lowest, *inside, highest + _DAY})


def _days_apart(one: _Strand, other: _Strand) -> range:
    """Return by how many days the rule's dates may lie apart so that the times of day overlap."""
    lead = one.at_s - other.at_s
    least = (lead - other.rule.length_s) // _DAY_S + 1
    most = -((-(lead + one.rule.length_s)) // _DAY_S) - 1
    moved = one.shift - other.shift
    return range(least + moved, most + moved + 1)


def _together(one: _Strand, other: _Strand, apart: int) -> Iterator[date]:
    """Yield the dates of `one` for which `other` falls on the date `apart` days later, in order."""
    by = timedelta(days=apart)
    first, last = max(one.first, other.first - by), min(one.last, other.last - by)
    if first > last:
        return
    if monthly(one.rule):
        for day in _monthly_dates(one.rule, first, last):
            if recurs(other.rule, day + by, (day + by).isoweekday()):
                yield day
    elif monthly(other.rule):
        for day in _monthly_dates(other.rule, first + by, last + by):
            if recurs(one.rule, day - by, (day - by).isoweekday()):
                yield day - by
    else:
        rows = [
            _weekly_dates(one.rule, weekday, other.rule, apart, first, last)
            for weekday in sorted(set(one.rule.weekdays))
            if (weekday + apart - 1) % 7 + 1 in other.rule.weekdays
        ]
        yield from merge(*rows)


def _weekly_dates(
    one: SessionRule, weekday: int, other: SessionRule, apart: int, first: date, last: date
) -> Iterator[date]:
    """Yield the dates on one weekday on which both cycles of weeks meet: two congruences, one step."""
    crossed = (weekday - 1 + apart) // 7  # weeks between the two dates
    one_cycle, other_cycle = one.every_weeks, other.every_weeks
    remainder, wanted = anchor_week(one) % one_cycle, (anchor_week(other) - crossed) % other_cycle
    common = gcd(one_cycle, other_cycle)
    if (wanted - remainder) % common:
        return
    step = one_cycle * other_cycle // common
    turns = (wanted - remainder) // common * pow(one_cycle // common, -1, other_cycle // common)
    meeting = (remainder + one_cycle * turns) % step
    week = week_number(first)
    if first.isoweekday() > weekday:
        week += 1
    week += (meeting - week) % step
    highest = last.toordinal()
    ordinals = takewhile(lambda ordinal: ordinal <= highest, count(week * 7 + weekday, step * 7))
    yield from map(date.fromordinal, ordinals)


def _monthly_dates(rule: SessionRule, first: date, last: date) -> Iterator[date]:
    month = first.replace(day=1)
    while month <= last:
        yield from (day for day in dates_in_month(rule, month) if first <= day <= last)
        month = (month + 31 * _DAY).replace(day=1)


def _stretches(days: Iterable[date]) -> Iterator[tuple[date, date]]:
    """Yield first and last date of what lies close together."""
    first: date | None = None
    last = date.min
    for day in days:
        if first is None:
            first = day
        elif day - last > 6 * _DAY:
            yield first, last
            first = day
        last = day
    if first is not None:
        yield first, last


@lru_cache(maxsize=16)
def clock_changes(name: str, first_year: int, last_year: int) -> tuple[date, ...]:
    """Return the dates around every change of the zone's clock. No zone changes there and back within a week."""
    zone = ZoneInfo(name)
    found: list[date] = []
    # Ordinals that are multiples of 7 are Sundays.
    monday = date(first_year, 1, 1).toordinal() // 7 * 7 + 1
    for first in range(monday, date(last_year, 12, 31).toordinal() + 1, 7):
        if _offset(zone, first) != _offset(zone, first + 7):
            for day in range(first, first + 7):
                if _offset(zone, day) != _offset(zone, day + 1):
                    found += [date.fromordinal(day), date.fromordinal(day + 1)]
    return tuple(found)


def _offset(zone: ZoneInfo, ordinal: int) -> timedelta | None:
    return datetime.combine(date.fromordinal(ordinal), time(12), tzinfo=UTC).astimezone(zone).utcoffset()


def _known(day: date) -> bool:
    return FIRST_YEAR <= day.year <= LAST_YEAR


def _seconds(at: time) -> int:
    return at.hour * 3600 + at.minute * 60 + at.second


def _key(one: SessionRule, other: SessionRule) -> tuple[str, str]:
    return (one.id, other.id) if one.id <= other.id else (other.id, one.id)


def _place(overlap: Overlap) -> tuple[object, ...]:
    first, second = overlap.first, overlap.second
    return overlap.start, first.during.start, first.name, first.day, second.name, second.day
