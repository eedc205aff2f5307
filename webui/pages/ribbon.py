"""The day as a picture: plan with an outline above, what really happened filled below, silence hatched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask_babel import gettext as _

from schedules.airing import Airing, Verdict
from schedules.calendar import instant
from schedules.clock import Interval
from schedules.rundown import RundownItem
from schedules.station import Station
from webui.pages.formats import clock
from webui.pages.states import VERDICTS

_WIDTH = 360.0
_JOIN = timedelta(seconds=90)
_MANY = 30
_THIN = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar; positions in the picture's own units."""

    sign: str
    x: float
    width: float
    round: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """An hour under the rows."""

    x: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ribbon:
    """Everything to draw. now_x is None outside the hours shown."""

    label: str
    planned: tuple[Bar, ...]
    aired: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    now_x: float | None
    now_box: float
    now_text: str


def day_interval(station: Station, day: date) -> Interval:
    """Return the instants of a local day; it has 23 to 25 hours."""
    zone = ZoneInfo(station.zone)
    return Interval(instant(zone, day, time(0)), instant(zone, day + timedelta(days=1), time(0)))


def draw(station: Station, day: date, plan: Sequence[RundownItem], airings: Sequence[Airing], now: datetime) -> Ribbon:
    """Return the picture of one day of one station."""
    hours = _hours(station, day)
    stretches = _stretches((item.start, item.end, "plan") for item in plan if item.end > item.start)
    past = [(row.started_at or row.planned_start, _end(row), VERDICTS[row.verdict].sign) for row in airings]
    done = _stretches(sorted(past))
    todo = [(start, end, "todo") for start, end, _sign in stretches if start >= now]
    lower = [*done, *(todo if len(todo) <= _MANY else [])]
    x_now = _x(hours, now) if hours.contains(now) else None
    return Ribbon(
        label=_words(stretches, airings),
        planned=tuple(_bar(hours, *stretch) for stretch in stretches),
        aired=tuple(_bar(hours, *stretch) for stretch in lower),
        ticks=_ticks(hours, station.zone),
        now_x=x_now,
        now_box=0.0 if x_now is None else min(max(x_now - 46, 0.0), _WIDTH - 42),
        now_text=clock(now, station.zone),
    )


def _hours(station: Station, day: date) -> Interval:
    whole = day_interval(station, day)
    if any(span.whole_day for span in station.permitted):
        return whole
    zone = ZoneInfo(station.zone)
    starts = [instant(zone, day, span.start) for span in station.permitted]
    ends = [instant(zone, day, span.end) if span.end > span.start else whole.end for span in station.permitted]
    margin = timedelta(minutes=30)
    return Interval(max(whole.start, min(starts) - margin), min(whole.end, max(ends) + margin))


def _end(row: Airing) -> datetime:
    return max(row.ended_at or row.planned_end, row.started_at or row.planned_start)


def _stretches(found: Iterable[tuple[datetime, datetime, str]]) -> list[tuple[datetime, datetime, str]]:
    joined: list[tuple[datetime, datetime, str]] = []
    for start, end, sign in found:
        if joined and joined[-1][2] == sign and start - joined[-1][1] <= _JOIN:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end), sign)
        else:
            joined.append((start, end, sign))
    return joined


def _x(hours: Interval, moment: datetime) -> float:
    return round((moment - hours.start).total_seconds() / hours.seconds * _WIDTH, 1)


def _bar(hours: Interval, start: datetime, end: datetime, sign: str) -> Bar:
    left = max(0.0, _x(hours, start))
    width = max(1.6, round(min(_WIDTH, _x(hours, end)) - left, 1))
    if width < _THIN:
        sign = f"{sign} thin"
    return Bar(sign=sign, x=left, width=width, round=round(min(4.0, width / 2), 1))


def _ticks(hours: Interval, zone: str) -> tuple[Tick, ...]:
    step = timedelta(hours=6 if hours.seconds > 20 * 3600 else 3)
    local = hours.start.astimezone(ZoneInfo(zone))
    moment = local.replace(minute=0, second=0, microsecond=0)
    if moment < local:
        moment += timedelta(hours=1)
    ticks = []
    while moment <= hours.end:
        x = _x(hours, moment)
        ticks.append(Tick(x=min(max(x, 17.0), _WIDTH - 17.0), text=f"{moment:%H:%M}"))
        moment += step
    return tuple(ticks)


def _words(stretches: Sequence[tuple[datetime, datetime, str]], airings: Sequence[Airing]) -> str:
    good = sum(1 for row in airings if row.verdict is Verdict.AIRED)
    bad = sum(1 for row in airings if row.verdict in (Verdict.MISSED, Verdict.PARTIAL))
    return _(
        "Dải ngày: hàng trên là kế hoạch, hàng dưới là thực tế. %(planned)s lần phát theo kế hoạch, "
        "%(good)s lượt đã phát thành công, %(bad)s lượt có vấn đề.",
        planned=len(stretches),
        good=good,
        bad=bad,
    )
