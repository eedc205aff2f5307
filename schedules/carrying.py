"""Must-carry: what a unit above sent for its stations to air, as duties that only these recordings can fulfil.

The planner knows no other obligation than a duty, and needs no other: a recording that must air carries a topic of its
own, and each station owes one airing of that topic by the deadline. So it has its place before ordinary items, its
make-up after a miss, its warning in time and its sealed outcome from the same rules as the weekly programme.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from schedules.calendar import instant
from schedules.duty import Duty, DutyWindow, Period
from schedules.grid import SessionRule
from schedules.intent import Intent
from schedules.segment import Priority, Segment, SegmentId
from schedules.station import Station, StationCode, UnitCode

MARK = "GUI-"
"""How the topic and the duty of a must-carry item begin; no topic of people begins so."""

_DAY = timedelta(days=1)
_BESIDE = timedelta(minutes=30)
"""How long after a session a must-carry item may still air; further away silence is right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """One recording that a unit sent to stations below it.

    must: its stations owe one whole airing before `deadline`; else it is theirs to use or not. copies: recordings that
    communes made of it for a programme of their own; airing one of them is airing it.
    """

    id: str
    name: str
    owner: UnitCode
    segment: SegmentId
    stations: tuple[StationCode, ...]
    sent_at: datetime
    deadline: datetime
    must: bool
    priority: Priority = Priority.NORMAL
    document: str = ""
    copies: tuple[SegmentId, ...] = ()

    @property
    def topic(self) -> str:
        """The topic that only this item carries."""
        return f"{MARK}{self.id}"


def carry(intent: Intent, sendings: Iterable[Sending]) -> Intent:
    """Return the intent with what was sent: topics and priority on the recordings, duties for what must air."""
    topics: dict[SegmentId, list[str]] = defaultdict(list)
    urgent: set[SegmentId] = set()
    duties: list[Duty] = []
    for sending in sorted(sendings, key=lambda one: one.id):
        if sending.priority is not Priority.NORMAL:
            urgent.add(sending.segment)
        if not sending.must:
            continue
        for segment in (sending.segment, *sending.copies):
            topics[segment].append(sending.topic)
        duties += _duties(intent, sending)
    return replace(
        intent,
        segments=tuple(_marked(segment, topics[segment.id], segment.id in urgent) for segment in intent.segments),
        duties=(*intent.duties, *duties),
    )


def is_sending(code: str) -> bool:
    """Return whether a duty's code or a topic is that of a must-carry item."""
    return code.startswith(MARK)


def _marked(segment: Segment, topics: list[str], urgent: bool) -> Segment:
    priority = Priority.PRIORITY if urgent and segment.priority is Priority.NORMAL else segment.priority
    return replace(segment, topics=(*segment.topics, *topics), priority=priority)


def _duties(intent: Intent, sending: Sending) -> list[Duty]:
    """Return one duty for all stations that broadcast at the same times, since a duty has one set of windows."""
    alike: dict[tuple[str, tuple[DutyWindow, ...]], list[StationCode]] = defaultdict(list)
    for station in intent.stations:
        if station.code in sending.stations:
            alike[station.zone, _windows(intent, station)].append(station.code)
    found = []
    for (name, windows), codes in sorted(alike.items(), key=lambda one: one[1]):
        zone = ZoneInfo(name)
        local = sending.deadline.astimezone(zone)
        # A deadline of 00:00 belongs to the day before.
        last = local.date() - _DAY if local.time() == time(0) else local.date()
        new_year = instant(zone, date(last.year, 1, 1), time(0))
        found.append(
            Duty(
                # One code at every station, whoever else broadcasts at its times: slots are named after it.
                code=sending.topic,
                name=sending.name,
                owner=sending.owner,
                stations=tuple(codes),
                programme=None,
                # Owed in the year of its deadline only: sent before New Year, it would be owed in both.
                since=max(sending.sent_at, new_year),
                until=sending.deadline,
                period=Period.YEAR,
                windows=windows,
                document=sending.document,
                topics=(sending.topic,),
                deadline_days=(date(last.year, 12, 31) - last).days,
                deadline_at=local.time(),
            )
        )
    return found


def _windows(intent: Intent, station: Station) -> tuple[DutyWindow, ...]:
    """Return the station's broadcasting times and a little after; none, which is all permitted hours, without any."""
    found = {
        window
        for rule in intent.sessions
        if rule.station == station.code and rule.until is None
        for window in _of_rule(rule)
    }
    return tuple(sorted(found, key=lambda window: (window.weekday, window.start, window.end)))


def _of_rule(rule: SessionRule) -> Iterable[DutyWindow]:
    for start in rule.starts:
        begins = datetime.combine(date(2000, 1, 1), start)
        ends = begins + timedelta(seconds=rule.length_s) + _BESIDE
        end = ends.time() if ends.date() == begins.date() else time(0)
        for weekday in rule.weekdays:
            yield DutyWindow(weekday=weekday, start=start, end=end)
