"""Silent days: local days on which nothing of what was due was heard, counted from facts, of a station or a cluster."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from schedules.airing import Verdict
from schedules.text import Text

_DUE = frozenset({Verdict.AIRED, Verdict.PARTIAL, Verdict.MISSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one slot ended, as far as silence is concerned. real: it was meant for loudspeakers, no rehearsal."""

    planned_start: datetime
    verdict: Verdict
    real: bool
    reason: Text | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AirDay:
    """One local day of a station: how many slots were due and how many of them were heard, at least in part.

    first, last: starts of the first and last slot that was due. reason: why the last one that was missed was.
    """

    day: date
    due: int
    heard: int
    first: datetime
    last: datetime
    reason: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Down:
    """A stretch in which nobody heard the loudspeakers, whatever the station did. until: None while it lasts."""

    since: datetime
    until: datetime | None
    reason: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class SilentDay:
    """A day without a sound although something was due. reason: None where nobody knows."""

    day: date
    reason: Text | None


def air_days(outcomes: Iterable[Outcome], zone: str) -> tuple[AirDay, ...]:
    """Return the local days of these slots, in order. What was replaced by rule, or cancelled, was not due."""
    days: dict[date, AirDay] = {}
    local = ZoneInfo(zone)
    for one in outcomes:
        if one.verdict not in _DUE:
            continue
        day = one.planned_start.astimezone(local).date()
        heard = one.real and one.verdict is not Verdict.MISSED
        made = AirDay(
            day=day,
            due=1,
            heard=int(heard),
            first=one.planned_start,
            last=one.planned_start,
            reason=None if heard else one.reason,
        )
        days[day] = joined(days[day], made) if day in days else made
    return tuple(days[day] for day in sorted(days))


def joined(one: AirDay, other: AirDay) -> AirDay:
    """Return both parts of one day as one."""
    return replace(
        one,
        due=one.due + other.due,
        heard=one.heard + other.heard,
        first=min(one.first, other.first),
        last=max(one.last, other.last),
        reason=other.reason or one.reason,
    )


def silent_days(days: Sequence[AirDay], downs: Sequence[Down] = ()) -> tuple[SilentDay, ...]:
    """Return the silent ones of these days: nothing was heard, or all that was due lies in stretches of `downs`."""
    found = []
    for day in days:
        if day.heard == 0:
            found.append(SilentDay(day=day.day, reason=day.reason))
            continue
        down = _covering(day, downs)
        if down is not None:
            found.append(SilentDay(day=day.day, reason=down.reason))
    return tuple(found)


def _covering(day: AirDay, downs: Sequence[Down]) -> Down | None:
    """Return the stretch that begins the silence of a day which stretches cover from its first slot to its last."""
    reached = day.first
    begun: Down | None = None
    for down in sorted(downs, key=lambda one: one.since):
        if down.since > reached:
            break
        if down.until is None or down.until > reached:
            begun = begun or down
            if down.until is None or down.until > day.last:
                return begun
            reached = down.until
    return None
