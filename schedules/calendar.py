"""From local rules to instants: occurrences of sessions, permitted hours and duty periods, expanded once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from schedules.clock import Interval
from schedules.duty import Duty, Period
from schedules.grid import Change, DayKind, SessionException, SessionRule
from schedules.intent import Intent
from schedules.recurrence import Days, days_of
from schedules.station import ClusterGroup, DaySpan, GroupCode, Station, StationCode
from schedules.text import Text

_DAY = timedelta(days=1)

FIRST_YEAR, LAST_YEAR = 1970, 2199
"""The years that anybody may ask about; at the ends of the calendar weeks and zones cannot be reckoned."""


def instant(zone: ZoneInfo, day: date, at: time) -> datetime:
    """Return the UTC instant of a local time.

    In the gap of a clock change: the first valid instant after it. In the fold: the first of the two.
    """
    local = datetime.combine(day, at, tzinfo=zone)
    moment = local.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return moment
    # In a gap the offset before the change lands past it: step to the change itself.
    before = local.replace(fold=0).utcoffset() or timedelta(0)
    after = local.replace(fold=1).utcoffset() or timedelta(0)
    low = local.replace(tzinfo=UTC) - max(before, after)
    high = local.replace(tzinfo=UTC) - min(before, after)
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).utcoffset() == low.astimezone(zone).utcoffset():
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


def local_dates(zone: ZoneInfo, during: Interval) -> Iterator[date]:
    """Yield every local date that `during` touches, in order."""
    # A clock that is set back at midnight shows the day before once more.
    first, last = sorted((during.start.astimezone(zone).date(), during.end.astimezone(zone).date()))
    for number in range((last - first).days + 1):
        yield first + number * _DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """One session on one day. `name` is its identity in slots: the rule, and the number of the start if several.

    day: the local date that the rule names; `during` lies elsewhere where an exception moved it. number: from 1.
    """

    rule: SessionRule
    name: str
    number: int
    day: date
    during: Interval
    moved_by: SessionException | None = None


def occurrences(intent: Intent, station: Station, during: Interval) -> list[Occurrence]:
    """Return the sessions of `station` that overlap `during` and are due, by start and then by rule."""
    zone = ZoneInfo(station.zone)
    days = days_of(intent, station.code)
    changes = changes_of(intent, station.code)
    found: list[Occurrence] = []
    for rule in intent.sessions:
        if rule.station != station.code:
            continue
        earliest = during.start - timedelta(seconds=rule.length_s)
        if rule.since >= during.end or (rule.until is not None and rule.until <= earliest):
            continue
        mine = changes.get(rule.id, ())
        for day in _candidates(zone, Interval(earliest, during.end), mine):
            if days.due(rule, day):
                dated = (on_date(rule, number, day, station, days, mine) for number in range(1, len(rule.starts) + 1))
                found += (one for one in dated if one is not None and one.during.overlaps(during))
    return sorted(found, key=lambda one: (one.during.start, one.name, one.day))


def on_date(
    rule: SessionRule, number: int, day: date, station: Station, days: Days, changes: Sequence[SessionException]
) -> Occurrence | None:
    """Return the `number`-th session of a rule that names `day`, wherever its exceptions `changes` move it.

    None where it is not due: another week holds, it is cancelled, or rule or station have ended or not begun.
    """
    zone = ZoneInfo(station.zone)
    at = rule.starts[number - 1]
    start, held, moved_by = instant(zone, day, at), day, None
    if days.template(day, start) != rule.template:
        return None
    if changes and (change := _change(changes, day, number, start)) is not None:
        if change.change is Change.CANCEL:
            return None
        moved_to = day + shift(change)
        moved = instant(zone, moved_to, change.to_start or at)
        # What was over when it was decided cannot be made due: the session stays where the rule has it.
        if moved >= change.since:
            start, held, moved_by = moved, moved_to, change
    if (
        start < rule.since
        or (rule.until is not None and start >= rule.until)
        or (station.valid_from is not None and held < station.valid_from)
        or (station.valid_until is not None and held > station.valid_until)
    ):
        return None
    return Occurrence(
        rule=rule,
        name=rule.id if len(rule.starts) == 1 else f"{rule.id}.{number}",
        number=number,
        day=day,
        during=Interval(start, start + timedelta(seconds=rule.length_s)),
        moved_by=moved_by,
    )


def changes_of(intent: Intent, station: StationCode) -> dict[str, list[SessionException]]:
    """Return the exceptions of a station by session."""
    found: dict[str, list[SessionException]] = {}
    for exception in intent.exceptions:
        if exception.station == station:
            found.setdefault(exception.session, []).append(exception)
    return found


def day_kind(intent: Intent, day: date) -> DayKind:
    """Return what sort of day a date is."""
    return days_of(intent, "").kind(day)


def _candidates(zone: ZoneInfo, starts: Interval, changes: Sequence[SessionException]) -> set[date]:
    """Return every date whose sessions can start in `starts`, moved or not."""
    # A clock set back at midnight shows a date that is not the last one begun: one more on either side.
    first = starts.start.astimezone(zone).date() - _DAY
    last = starts.end.astimezone(zone).date() + _DAY
    near = [first + number * _DAY for number in range((last - first).days + 1)]
    found = set(near)
    for change in changes:
        if change.change is Change.MOVE and change.to_day is not None:
            if change.following:
                found.update(day - shift(change) for day in near)
            elif first <= change.to_day <= last:
                found.add(change.day)
    return found


def _change(changes: Sequence[SessionException], day: date, number: int, start: datetime) -> SessionException | None:
    """Return the exception that decides the `number`-th start of `day`, which the rule has at `start`."""
    fitting = [
        change
        for change in changes
        if (change.day == day or (change.following and change.day < day))
        and change.number in (None, number)
        and change.since <= start
        and (change.until is None or start < change.until)
    ]
    return max(fitting, key=lambda c: (not c.following, c.since, c.number is not None, c.day, c.id), default=None)


def shift(change: SessionException) -> timedelta:
    """Return by how much an exception moves the date of a session."""
    return timedelta(0) if change.to_day is None else change.to_day - change.day


def span(zone: ZoneInfo, day: date, start: time, end: time) -> Interval:
    """Return the instants of a local stretch; an end at or before the start lies on the next day."""
    last = day if end > start else day + _DAY
    return Interval(instant(zone, day, start), instant(zone, last, end))


def open_until(station: Station, moment: datetime) -> datetime | None:
    """Return when the permitted hours around `moment` end, or the next quiet stretch begins.

    None where they never do; `moment` itself outside of them. Hours without an end in sight are told for two days.
    """
    return _until(station.zone, station.permitted, station.quiet, moment)


def permitted(station: Station, wanted: Interval) -> bool:
    """Return whether the whole of `wanted` lies in the station's permitted hours and in no quiet stretch."""
    until = open_until(station, wanted.start)
    return until is None or (until >= wanted.end and until > wanted.start)


def open_hours(station: Station, during: Interval) -> list[Interval]:
    """Return the stretches of `during` in which scheduled sound may go out, clipped to it, in order."""
    if _endless(station.permitted, station.quiet):
        return [during]
    return list(_open(station.zone, station.permitted, station.quiet, during))


def open_groups(station: Station, targets: tuple[GroupCode, ...], wanted: Interval) -> tuple[GroupCode, ...] | None:
    """Return which of the cluster groups `targets` (empty: all) may hear the whole of `wanted` by their own hours.

    None where that is every group of the station, or it has none. The station's hours are asked with `permitted`.
    """
    meant = [group for group in station.groups if not targets or group.code in targets]
    heard = [group.code for group in meant if not group.permitted or _within(station.zone, group, wanted)]
    return None if len(heard) == len(station.groups) else tuple(sorted(heard))


def _within(zone: str, group: ClusterGroup, wanted: Interval) -> bool:
    until = _until(zone, group.permitted, (), wanted.start)
    return until is None or (until >= wanted.end and until > wanted.start)


def _until(zone: str, allowed: tuple[DaySpan, ...], quiet: tuple[DaySpan, ...], moment: datetime) -> datetime | None:
    if _endless(allowed, quiet):
        return None
    for stretch in _around(zone, allowed, quiet, moment.astimezone(ZoneInfo(zone)).date()):
        if stretch.start <= moment < stretch.end:
            return stretch.end
    return moment


@lru_cache(maxsize=4096)
def _around(zone: str, allowed: tuple[DaySpan, ...], quiet: tuple[DaySpan, ...], day: date) -> tuple[Interval, ...]:
    """Return the open stretches around a local date. Asked for every item of a plan, so remembered."""
    local = ZoneInfo(zone)
    near = Interval(instant(local, day - _DAY, time(0)), instant(local, day + 3 * _DAY, time(0)))
    return tuple(_without(_joined(_spans(local, allowed, near)), _joined(_spans(local, quiet, near))))


@lru_cache(maxsize=256)
def _open(
    zone: str, allowed: tuple[DaySpan, ...], quiet: tuple[DaySpan, ...], during: Interval
) -> tuple[Interval, ...]:
    """Return the open stretches of a period, clipped to it. Asked for every duty of a plan, so remembered."""
    local = ZoneInfo(zone)
    stretches = _without(_joined(_spans(local, allowed, during)), _joined(_spans(local, quiet, during)))
    return tuple(_clipped(stretches, during))


def _endless(allowed: tuple[DaySpan, ...], quiet: tuple[DaySpan, ...]) -> bool:
    return not quiet and any(hours.whole_day for hours in allowed)


def _spans(zone: ZoneInfo, spans: tuple[DaySpan, ...], around: Interval) -> Iterator[Interval]:
    for day in local_dates(zone, Interval(around.start - _DAY, around.end)):
        weekday = day.isoweekday()
        for hours in spans:
            if weekday in hours.weekdays:
                stretch = span(zone, day, hours.start, hours.end)
                if stretch.end > stretch.start:  # in a gap nothing may be left of it
                    yield stretch


def _joined(stretches: Iterable[Interval]) -> list[Interval]:
    """Return the stretches in order, those that touch or overlap as one."""
    found: list[Interval] = []
    for stretch in sorted(stretches):
        if found and stretch.start <= found[-1].end:
            found[-1] = Interval(found[-1].start, max(found[-1].end, stretch.end))
        else:
            found.append(stretch)
    return found


def _without(stretches: Sequence[Interval], taken: Sequence[Interval]) -> list[Interval]:
    """Return what is left of `stretches`; both in order and without overlaps."""
    found: list[Interval] = []
    first = 0
    for stretch in stretches:
        start = stretch.start
        while first < len(taken) and taken[first].end <= start:
            first += 1
        for gone in taken[first:]:
            if gone.start >= stretch.end:
                break
            if start < gone.start:
                found.append(Interval(start, gone.start))
            start = gone.end
        if start < stretch.end:
            found.append(Interval(start, stretch.end))
    return found


def _clipped(stretches: Iterable[Interval], during: Interval) -> list[Interval]:
    return [
        Interval(max(stretch.start, during.start), min(stretch.end, during.end))
        for stretch in stretches
        if stretch.overlaps(during)
    ]


def common(some: Sequence[Interval], others: Sequence[Interval]) -> list[Interval]:
    """Return what lies in both; each in order and without overlaps."""
    return _without(some, _without(some, others))


def duty_windows(station: Station, duty: Duty, during: Interval) -> list[Interval]:
    """Return where in `during` the duty may be made up: its windows inside the station's hours, clipped, in order."""
    hours = open_hours(station, during)
    if not duty.windows:
        return hours
    zone = ZoneInfo(station.zone)
    windows = (
        span(zone, day, window.start, window.end)
        for day in local_dates(zone, Interval(during.start - _DAY, during.end))
        for window in duty.windows
        if window.weekday == day.isoweekday()
    )
    return common(_joined(windows), hours)


def deadline(duty: Duty, during: Interval, zone: ZoneInfo) -> datetime:
    """Return when the duty is due in its period `during`."""
    last = (during.end - timedelta(microseconds=1)).astimezone(zone).date()
    day = last - timedelta(days=duty.deadline_days)
    return instant(zone, day + _DAY if duty.deadline_at == time(0) else day, duty.deadline_at)


def period_name(period: Period, day: date) -> str:
    """Return `2026-W48`, `2026-11` or `2026` for the period that holds the local `day`."""
    if period is Period.WEEK:
        year, week, _ = day.isocalendar()
        return f"{year}-W{week:02d}"
    return f"{day.year}-{day.month:02d}" if period is Period.MONTH else str(day.year)


def period_words(name: str) -> Text:
    """Return a named period as people say it: `tuần 48/2026`, `tháng 11/2026` or `năm 2026`."""
    year, _, part = name.partition("-")
    if part.startswith("W"):
        return Text(f"tuần {int(part[1:])}/{year}", f"week {int(part[1:])}/{year}")
    return Text(f"tháng {int(part)}/{year}", f"{part}/{year}") if part else Text(f"năm {year}", year)


def period_interval(period: Period, name: str, zone: ZoneInfo) -> Interval:
    """Return the instants of a named period; raises ValueError for a name that is not one of `period`."""
    if period is Period.WEEK:
        year, _, week = name.partition("-W")
        first = date.fromisocalendar(int(year), int(week), 1)
        last = first + timedelta(days=7)
    elif period is Period.MONTH:
        first = date.fromisoformat(f"{name}-01")
        last = (first + timedelta(days=32)).replace(day=1)
    else:
        first, last = date(int(name), 1, 1), date(int(name) + 1, 1, 1)
    return Interval(instant(zone, first, time(0)), instant(zone, last, time(0)))


def period_of(name: str) -> Period:
    """Return which kind of period a name means; raises ValueError for anything else."""
    for period in Period:
        try:
            period_interval(period, name, ZoneInfo("UTC"))
        except (ValueError, OverflowError):
            continue
        if (period is Period.WEEK) == ("W" in name) and FIRST_YEAR <= int(name[:4]) <= LAST_YEAR:
            return period
    raise ValueError(f"not a period: {name!r}")
