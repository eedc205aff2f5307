"""What gives way when a session holds more than fits: the least first, never what has begun."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import IntEnum

from schedules.grid import SlotId

LEAST_RELAY = timedelta(seconds=60)
"""A relay that would be left shorter than this is dropped instead of shortened."""

LATE = timedelta(seconds=30)
"""How late an item at an exact time may begin when what is before it cannot give way."""


class Rank(IntEnum):
    """The order of giving way: the lowest first; among equals what is not at an exact time, then the later."""

    FILLER = 0
    OPTIONAL = 1
    FRAME = 2
    REPEAT = 3
    RELAY = 4
    ORDINARY = 5
    ABOVE = 6
    PRIORITY = 7
    DUTY = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One place of a session while it is worked out what fits.

    length: of its audio, or of a relay. exact: starts at this moment and not later; wanted: at this moment or up to
    `bound` later. settled: it has a row or is under way; planned and real end. late_limit: later it does not begin.
    """

    slot: SlotId
    rank: Rank
    length: timedelta
    late_limit: timedelta
    exact: datetime | None = None
    wanted: datetime | None = None
    bound: timedelta = timedelta(0)
    settled: tuple[datetime, datetime] | None = None
    relay: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """The time that a session has.

    start, end: as planned; due: when its first item can really begin; latest: when it must be over after a delay.
    left_s: seconds of sound that limits leave the session; day_left_s: that they leave a local date; None for any.
    day: the local date of a moment. clear: the first moment at or after one from which so much time is free of ordered
    airings. now: what should have begun before it, longer ago than its limit, is lost.
    """

    start: datetime
    end: datetime
    due: datetime
    latest: datetime
    left_s: float | None
    day_left_s: Callable[[date], float] | None
    day: Callable[[datetime], date]
    clear: Callable[[datetime, timedelta], datetime]
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """What does not air, by slot, with the slot it gave way to (its own where there is no room); and cut relays.

    limited: those of them for which not the time was too short, but a limit of minutes too low.
    """

    dropped: Mapping[SlotId, SlotId]
    shortened: Mapping[SlotId, timedelta]
    limited: frozenset[SlotId]


@dataclass(frozen=True, slots=True)
class _Clash:
    entry: Entry
    among: tuple[Entry, ...]
    over: timedelta
    limited: bool = False


def give_way(entries: Sequence[Entry], room: Room) -> Verdicts:
    """Return what must give way so that the rest fits, one by one from the lowest rank.

    What has room after all, because what it gave way to did not fit either, comes back: the highest rank first.
    """
    kept = list(entries)
    dropped: dict[SlotId, SlotId] = {}
    shortened: dict[SlotId, timedelta] = {}
    limited: set[SlotId] = set()
    while (clash := _first_clash(kept, room)) is not None:
        order = {entry.slot: number for number, entry in enumerate(kept)}
        victim = min(clash.among, key=lambda entry: (entry.rank, entry.exact is not None, -order[entry.slot]))
        left = victim.length - clash.over
        if victim.relay and left >= LEAST_RELAY:
            shortened[victim.slot] = left
            kept[order[victim.slot]] = replace(victim, length=left)
            continue
        tight = victim is clash.entry and victim.exact is not None and len(clash.among) > 1
        dropped[victim.slot] = clash.among[-2].slot if tight else clash.entry.slot
        kept.remove(victim)
        if clash.limited:
            limited.add(victim.slot)
    for entry in sorted((e for e in entries if e.slot in dropped), key=lambda e: -e.rank):
        back = [e for e in entries if e.slot not in dropped or e is entry]
        back = [replace(e, length=shortened.get(e.slot, e.length)) for e in back]
        if _first_clash(back, room) is None:
            del dropped[entry.slot]
    return Verdicts(
        dropped=dropped,
        shortened={slot: left for slot, left in shortened.items() if slot not in dropped},
        limited=frozenset(limited & dropped.keys()),
    )


def _first_clash(entries: Sequence[Entry], room: Room) -> _Clash | None:
    planned, due = room.start, room.due
    left_s = room.left_s
    days: dict[date, tuple[float, tuple[Entry, ...]]] = {}
    since: list[Entry] = []
    every: list[Entry] = []
    for entry in entries:
        if entry.settled is not None:
            planned, due = max(planned, entry.settled[0]), max(due, entry.settled[1])
            since = []
            continue
        if entry.exact is not None:
            if planned > entry.exact:
                return _clash(entry, since, planned - entry.exact)
            if due > entry.exact + LATE and since:
                return _clash(entry, since, due - entry.exact)
            planned, since = entry.exact, []
        elif entry.wanted is not None:
            planned = max(planned, entry.wanted)
            if planned > entry.wanted + entry.bound:
                return _clash(entry, since, planned - entry.wanted - entry.bound)
        due = max(due, planned)
        if entry.length == timedelta(0):
            continue
        planned = room.clear(planned, entry.length)
        due = room.clear(max(due, planned), entry.length)
        over = max(planned + entry.length - room.end, due + entry.length - room.latest)
        if over > timedelta(0):
            return _clash(entry, since, over)
        lost = room.now - planned > entry.late_limit or due + entry.length <= room.now
        if not lost and left_s is not None:
            left_s -= entry.length.total_seconds()
            if left_s < 0:
                return _clash(entry, every, timedelta(seconds=-left_s), limited=True)
        if not lost and room.day_left_s is not None:
            day = room.day(due)
            left, same = days.get(day) or (room.day_left_s(day), ())
            left -= entry.length.total_seconds()
            if left < 0:
                return _clash(entry, same, timedelta(seconds=-left), limited=True)
            days[day] = (left, (*same, entry))
        planned += entry.length
        due = max(due, planned) if lost else max(due, room.now) + entry.length
        if not lost:
            since.append(entry)
            every.append(entry)
    return None


def _clash(entry: Entry, before: Sequence[Entry], over: timedelta, *, limited: bool = False) -> _Clash:
    return _Clash(entry=entry, among=(*before, entry), over=over, limited=limited)
