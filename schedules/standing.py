"""How duties stand, and the make-ups that keep them: the earliest deadline first, whole, in the next allowed window."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from schedules.airing import Airing, Facts, Verdict
from schedules.calendar import open_until, period_interval, period_name, period_of, permitted, window_stretches
from schedules.choosing import choose
from schedules.clock import Interval
from schedules.duty import Duty, DutyStanding, DutyState
from schedules.findings import Finding, Severity
from schedules.grid import ItemKind, Timing
from schedules.intent import Intent
from schedules.rundown import RundownItem
from schedules.segment import Segment, SegmentId
from schedules.station import Station
from schedules.text import Text

TRIES = 6
"""How often a missed duty is tried again in its period."""

STEP = timedelta(minutes=5)
LATE_LIMIT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """What a plan holds before make-ups: its items, the time they take, and the recordings they use."""

    items: tuple[RundownItem, ...]
    taken: tuple[Interval, ...]
    used: frozenset[SegmentId]


def counts(duty: Duty, row: Airing, *, demo: bool) -> bool:
    """Return whether a final row fulfils `duty` once: aired whole, of its programme and topic, really out (or demo)."""
    return (
        row.verdict is Verdict.AIRED
        and row.programme == duty.programme
        and (demo or not row.rehearsal)
        and _topical(duty, row.topics)
    )


def stand(
    intent: Intent, station: Station, facts: Facts, now: datetime, placed: Placed
) -> tuple[tuple[RundownItem, ...], tuple[DutyStanding, ...], tuple[Finding, ...]]:
    """Return the make-ups to add, how each duty of the station stands in the period of `now`, and early warnings."""
    zone = ZoneInfo(station.zone)
    taken = list(placed.taken)
    make_ups: list[RundownItem] = []
    standings: list[DutyStanding] = []
    findings: list[Finding] = []
    owed = []
    for duty in intent.duties:
        if station.code in duty.stations:
            name = period_name(duty.period, now.astimezone(zone).date())
            owed.append((period_interval(duty.period, name, zone), name, duty))
    for during, name, duty in sorted(owed, key=lambda entry: (entry[0].end, entry[2].code)):
        rows = [row for row in facts.airings if _of(duty, row) and during.contains(_when(row))]
        good = [row for row in rows if counts(duty, row, demo=intent.demo)]
        coming = [item for item in placed.items if _will_count(duty, item, rows, now, during)]
        missing = duty.count - len(good) - len(coming)
        added: list[RundownItem] = []
        if missing > 0:
            added = _make_up(intent, station, facts, now, placed, duty, name, during, rows, taken, missing)
            make_ups += added
        standing = _standing(duty, station, name, during, rows, good, [*coming, *added], now)
        standings.append(standing)
        if standing.state is DutyState.AT_RISK:
            findings.append(
                Finding(code="duty_at_risk", severity=Severity.WARNING, where=duty.code, message=standing.reason)
            )
    return tuple(make_ups), tuple(standings), tuple(findings)


def open_programmes(
    intent: Intent, station: Station, facts: Facts, now: datetime, items: Iterable[RundownItem]
) -> tuple[frozenset[str], datetime]:
    """Return the programmes whose duties neither rows nor `items` fulfil yet, and when the last of them is due."""
    zone = ZoneInfo(station.zone)
    planned = tuple(items)
    found: set[str] = set()
    until = now
    for duty in intent.duties:
        if station.code not in duty.stations:
            continue
        during = period_interval(duty.period, period_name(duty.period, now.astimezone(zone).date()), zone)
        rows = [row for row in facts.airings if _of(duty, row) and during.contains(_when(row))]
        done = sum(counts(duty, row, demo=intent.demo) for row in rows)
        coming = sum(_will_count(duty, item, rows, now, during) for item in planned)
        if done + coming < duty.count:
            found.add(duty.programme)
            until = max(until, during.end)
    return frozenset(found), until


def duty_standings(
    intent: Intent, station: Station, airings: Iterable[Airing], now: datetime, period: str
) -> tuple[DutyStanding, ...]:
    """Return how each duty of the station stood in a named period from its rows alone; no plan, no make-ups."""
    zone = ZoneInfo(station.zone)
    kind = period_of(period)
    during = period_interval(kind, period, zone)
    rows = [row for row in airings if during.contains(_when(row))]
    found = []
    for duty in sorted(intent.duties, key=lambda d: d.code):
        if station.code not in duty.stations or duty.period is not kind or during.end <= duty.since:
            continue
        own = [row for row in rows if _of(duty, row)]
        good = [row for row in own if counts(duty, row, demo=intent.demo)]
        found.append(_standing(duty, station, period, during, own, good, [], now))
    return tuple(found)


def _topical(duty: Duty, topics: tuple[str, ...]) -> bool:
    return not duty.topic_prefix or any(topic.startswith(duty.topic_prefix) for topic in topics)


def _of(duty: Duty, row: Airing) -> bool:
    return row.programme == duty.programme or row.duty == duty.code


def _when(row: Airing) -> datetime:
    return row.started_at or row.planned_start


def _will_count(duty: Duty, item: RundownItem, rows: list[Airing], now: datetime, during: Interval) -> bool:
    if item.sha256 is None or item.replaced_by is not None or item.cancelled_by is not None or item.cut_at is not None:
        return False
    if any(row.slot == item.slot for row in rows):
        return False
    late = timedelta(seconds=item.late_limit_s)
    still_possible = item.start + late >= now or item.due + (item.end - item.start) > now
    return (
        item.programme == duty.programme
        and _topical(duty, item.topics)
        and during.contains(item.due)
        and still_possible
    )


def _make_up(
    intent: Intent,
    station: Station,
    facts: Facts,
    now: datetime,
    placed: Placed,
    duty: Duty,
    period: str,
    during: Interval,
    rows: list[Airing],
    taken: list[Interval],
    missing: int,
) -> list[RundownItem]:
    first = during.start.astimezone(ZoneInfo(station.zone)).date().isoformat()
    prefix = f"{station.code}/makeup.{duty.code}/{first}/"
    # Every try has a number of its own: those with a row are over, those among the items have begun.
    taken_slots = {row.slot for row in rows} | {item.slot for item in placed.items}
    added: list[RundownItem] = []
    used = set(placed.used)
    for slot in (f"{prefix}{number}" for number in range(1, TRIES + 1)):
        if slot in taken_slots:
            continue
        if len(added) == missing:
            break
        choice = choose(intent, station, facts, duty.programme, now, used, duty.topic_prefix)
        if choice.segment is None:
            break
        start = _gap(station, duty, choice.segment, now, during, taken)
        if start is None:
            break
        length = choice.segment.duration
        taken.append(Interval(start, start + length))
        used.add(choice.segment.id)
        why = Text(
            f"Phát bù cho nhiệm vụ “{duty.name}” kỳ {period}. {choice.why.vi}",
            f"Makes up duty “{duty.name}” of {period}. {choice.why.en}",
        )
        added.append(_item(station, duty, slot, choice.segment, start, why))
    return added


def _item(station: Station, duty: Duty, slot: str, segment: Segment, start: datetime, why: Text) -> RundownItem:
    return RundownItem(
        slot=slot,
        station=station.code,
        session=None,
        session_end=None,
        start=start,
        end=start + segment.duration,
        due=start,
        kind=ItemKind.SEGMENT,
        programme=segment.programme,
        segment=segment.id,
        title=segment.title,
        sha256=segment.sha256,
        pcm_sha256=segment.pcm_sha256,
        samples=segment.samples,
        topics=segment.topics,
        timing=Timing.SOFT,
        late_limit_s=LATE_LIMIT_S,
        why=why,
        open_until=open_until(station, start),
        self_approved=segment.self_approved,
        duty=duty.code,
    )


def _gap(
    station: Station, duty: Duty, segment: Segment, now: datetime, during: Interval, taken: list[Interval]
) -> datetime | None:
    """Return the first place for a whole make-up: on a 5-minute mark, so that it holds still while time passes."""
    earliest = now - timedelta(seconds=LATE_LIMIT_S)
    zone = ZoneInfo(station.zone)
    for window in window_stretches(zone, duty.windows, station.permitted, during):
        start = window.start
        if start < earliest:
            start += STEP * -((start - earliest) // STEP)
        while start + segment.duration <= window.end:
            wanted = Interval(start, start + segment.duration)
            free = not any(wanted.overlaps(other) for other in taken)
            if free and segment.valid_at(start) and permitted(station, wanted):
                return start
            start += STEP
    return None


def _standing(
    duty: Duty,
    station: Station,
    period: str,
    during: Interval,
    rows: list[Airing],
    good: list[Airing],
    coming: list[RundownItem],
    now: datetime,
) -> DutyStanding:
    failed = [row for row in rows if row.verdict in (Verdict.MISSED, Verdict.PARTIAL)]
    slots = [row.slot for row in good]
    fallback: Text | None = None
    if len(good) >= duty.count:
        counted = sorted(good, key=_when)[: duty.count]
        after_failure = any(_when(row) < _when(counted[-1]) for row in failed)
        made_up = any("/makeup." in row.slot for row in counted) or after_failure
        state = DutyState.MADE_UP if made_up else DutyState.MET
        when = _local(station, _when(counted[-1]))
        reason = (
            Text(f"Đã phát bù lúc {when}.", f"Made up at {when}.")
            if made_up
            else Text(f"Đã phát đủ lúc {when}.", f"Aired whole at {when}.")
        )
        slots = [row.slot for row in counted]
    elif now >= during.end:
        state = DutyState.MISSED
        last = max(failed, key=_when, default=None)
        reason = (
            last.reason
            if last is not None and last.reason is not None
            else Text("Hết kỳ mà chưa phát đủ.", "The period ended without a whole airing.")
        )
    else:
        enough = len(good) + len(coming) >= duty.count
        state = DutyState.PLANNED if enough and not failed else DutyState.AT_RISK
        slots += [item.slot for item in coming]
        if enough:
            item = min(coming, key=lambda i: i.due)
            when = _local(station, item.due)
            what = f"“{item.title}”"
            reason = Text(f"Sẽ phát {what} lúc {when}.", f"{what} airs at {when}.")
            if failed:
                reason = Text(f"Lần trước chưa đạt; {reason.vi}", f"An earlier airing failed; {reason.en}")
            fallback = Text(f"{when} máy tự phát {what}.", f"At {when} the station airs {what}.")
        elif not coming:
            reason = Text("Chưa có bài đã duyệt hoặc không còn khung giờ.", "No approved item, or no window left.")
        else:
            reason = Text("Chưa đủ số lần trong kỳ.", "Not enough airings in the period.")
    return DutyStanding(
        duty=duty.code,
        name=duty.name,
        owner=duty.owner,
        station=station.code,
        period=period,
        state=state,
        deadline=during.end,
        slots=tuple(slots),
        reason=reason,
        fallback=fallback,
    )


def _local(station: Station, moment: datetime) -> str:
    return f"{moment.astimezone(ZoneInfo(station.zone)):%H:%M %d/%m}"
