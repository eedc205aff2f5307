"""One pass over a stretch of time: sessions and ordered airings become items of the plan, in time order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from math import inf
from zoneinfo import ZoneInfo

from schedules.airing import Airing, Facts, Run, RunState
from schedules.calendar import (
    Occurrence,
    common,
    instant,
    local_dates,
    occurrences,
    open_groups,
    open_hours,
    open_until,
    permitted,
)
from schedules.choosing import Choice, Stock, usable
from schedules.clock import Interval
from schedules.findings import Finding, Severity
from schedules.giving_way import Entry, Rank, Room, give_way
from schedules.grid import ItemKind, OneOff, SessionItem, SlotId, Timing
from schedules.intent import Intent
from schedules.itemmaking import LATE_LIMIT_S, bare, from_row, sounds, with_audio, without_audio
from schedules.owing import Need, matches, when
from schedules.placing import Opening, Placement
from schedules.programme import ProgrammeCode
from schedules.reasons import (
    HINT_ABSENT,
    HINT_AUDIO,
    HINT_HOURS,
    HINT_LIMIT,
    HINT_ROOM,
    HINT_SESSIONS,
    NO_ROOM,
    NOT_ON_STATION,
    OUTSIDE_HOURS,
    OVER_LIMIT,
    RELAY_GONE,
    TOO_LATE,
    TOO_MANY,
)
from schedules.reconcile import origin, starts_anew
from schedules.relaying import filled_place
from schedules.rundown import RundownItem
from schedules.segment import Priority, Segment, SegmentId
from schedules.station import GroupCode, Station, StationCode, units_above
from schedules.text import Text

EMERGENCY_LIMIT_S = 900.0
"""How late an emergency may still begin: another one may be on air."""

OVERRUN_LIMIT = timedelta(seconds=300)
"""How far a session that was delayed may run over its end."""

SHIFT_LIMIT = timedelta(minutes=15)
"""How far a session moves behind one that overlaps it; further away it gives way (docs/planner.md)."""

_LATEST = timedelta(seconds=max(LATE_LIMIT_S.values()))
_PAST = timedelta(seconds=5)
_LOOK_BACK = timedelta(hours=26)
_MOST_FILLERS = 50
_FRAME = (ItemKind.IDENT, ItemKind.GREETING, ItemKind.CLOSING)
_NOTHING = timedelta(0)


def one_off_slot(station: StationCode, one_off: str) -> SlotId:
    """Return the slot of a one-off airing."""
    return f"{station}/oneoff/{one_off}"


@dataclass(frozen=True, slots=True)
class _Place:
    """A place of a session with what was chosen for it."""

    place: SessionItem
    slot: SlotId
    choice: Choice
    length: timedelta
    rank: Rank


@dataclass(frozen=True, slots=True)
class _Before:
    """What is on air before a place, and when it is really over."""

    slot: SlotId
    ends: datetime


@dataclass(slots=True, kw_only=True)
class Flow:
    """The pass. `items` and `findings` are what it makes.

    needs: what duties still lack; grows less as items are placed. pinned: what the search for duties put where.
    taken: the time of every item with sound; firm: that part of it which nothing may displace.
    """

    intent: Intent
    station: Station
    facts: Facts
    now: datetime
    stock: Stock
    zone: ZoneInfo
    needs: list[Need] = field(default_factory=list)
    pinned: Mapping[SlotId, Placement] = field(default_factory=dict)
    make_ups: tuple[RundownItem, ...] = ()
    items: list[RundownItem] = field(default_factory=list)
    taken: list[Interval] = field(default_factory=list)
    firm: list[Interval] = field(default_factory=list)
    openings: list[Opening] = field(default_factory=list)
    used: dict[SegmentId, datetime] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    finals: dict[SlotId, Airing] = field(default_factory=dict)
    begun: dict[SlotId, Run] = field(default_factory=dict)
    _segments: dict[SegmentId, Segment] = field(default_factory=dict)
    _orders: list[RundownItem] = field(default_factory=list)
    _blocks: list[RundownItem] = field(default_factory=list)
    _soft: list[OneOff] = field(default_factory=list)
    _busy_until: datetime | None = None
    _planned_until: datetime | None = None
    _last_slot: SlotId | None = None
    _on_air_until: datetime | None = None
    _former: dict[str, list[Interval]] = field(default_factory=dict)
    _too_many: set[str] = field(default_factory=set)
    _day_s: dict[date, float] = field(default_factory=dict)
    _airing: set[SegmentId] = field(default_factory=set)
    _limited: set[SlotId] = field(default_factory=set)
    _over_limit: set[SlotId] = field(default_factory=set)
    _above: frozenset[str] = frozenset()

    # The whole

    def fill(self, during: Interval) -> None:
        """Place everything that is due in `during`."""
        self._segments = {segment.id: segment for segment in self.intent.segments}
        self._above = frozenset(units_above(self.intent.units, self.station.unit))
        self.finals = {row.slot: row for row in self.facts.airings}
        self.begun = {run.slot: run for run in self.facts.runs if run.state is not RunState.ARMED or run.parts}
        instead = self._instead_of_relays()
        self._find_former()
        self._account(during)
        self.used = {run.item.segment: run.item.start for run in self.begun.values() if run.item.segment is not None}
        self._order(during)
        for item in self.make_ups:
            self._blocks.append(item)
            self._add(item)
        self._blocks += [self._pinned_block(slot, one) for slot, one in self.pinned.items()]
        self._blocks += self._made_up()
        under_way = [self._under_way(run) for run in self.begun.values() if run.state is not RunState.ENDED]
        self._on_air_until = max((self._ends(item) for item in under_way), default=None)
        sessions = self._sessions(during)
        for number, session in enumerate(sessions):
            if session.during.start < during.end:
                self._place_soft(session.during.start)
                self._session(session, sessions[number + 1 :])
        self._place_soft(during.end)
        placed = {item.slot for item in self.items}
        for run in self.begun.values():
            if run.slot not in placed:
                # Its place is gone from the grid, or it is a make-up: it goes on, and takes its time.
                self._add(self._under_way(run))
        for row in self.finals.values():
            if row.slot not in placed and during.contains(row.planned_start):
                self._add(from_row(row))
        for item in instead:
            self._add(item)
        self._name_what_airs()

    def _instead_of_relays(self) -> list[RundownItem]:
        """Set aside what sounds or sounded in the place of a relay that may still go on: it takes no other time."""
        relays = {place.id for rule in self.intent.sessions for place in rule.items if place.relay is not None}

        def inside(slot: SlotId) -> bool:
            place = filled_place(slot)
            return place is not None and place not in self.finals and place.rpartition("/")[2] in relays

        rows = [row for row in self.finals.values() if inside(row.slot)]
        runs = [run for run in self.begun.values() if inside(run.slot)]
        for slot in (*(row.slot for row in rows), *(run.slot for run in runs)):
            self.finals.pop(slot, None)
            self.begun.pop(slot, None)
        return [*(from_row(row) for row in rows), *(replace(run.item, due=origin(run)) for run in runs)]

    def _name_what_airs(self) -> None:
        """Let what gave way name what airs in its stead; where nothing does, there was simply no room."""
        items = {item.slot: item for item in self.items}
        nobody = set()
        for number, item in enumerate(self.items):
            other, seen = item.replaced_by, {item.slot}
            while other in items and other not in seen and items[other].replaced_by is not None:
                seen.add(other)
                other = items[other].replaced_by
            if other is None or (other == item.replaced_by and other in items and sounds(items[other])):
                continue
            airs = other in items and sounds(items[other])
            if not airs:
                nobody.add(item.slot)
            why = item.why if airs else self._no_room(item.slot)[1]
            self.items[number] = replace(item, replaced_by=other if airs else None, why=why)
        self.findings = [self._named(f) if f.code == "gives_way" and f.where in nobody else f for f in self.findings]

    def _named(self, finding: Finding) -> Finding:
        code, why, hint = self._no_room(finding.where)
        return replace(finding, code=code, message=why, hint=hint)

    def look_ahead(self, during: Interval, programmes: frozenset[ProgrammeCode | None]) -> None:
        """Place the days of `during` on which a session holds a slot of one of `programmes`; None stands for any."""
        sessions = self._sessions(during)

        def day(session: Occurrence) -> date:
            return session.during.start.astimezone(self.zone).date()

        wanted = {
            day(s) for s in sessions if None in programmes or any(p.programme in programmes for p in s.rule.items)
        }
        for number, session in enumerate(sessions):
            if day(session) in wanted and during.contains(session.during.start):
                self._session(session, sessions[number + 1 :])

    def _sessions(self, during: Interval) -> list[Occurrence]:
        """Return the sessions of the local days of `during` in their order: what a day may hold is asked of all of it.

        Of those that start together, the one that keeps its time comes first.
        """
        first, *_, last = *local_dates(self.zone, during), during.end.astimezone(self.zone).date()
        start = instant(self.zone, first, time(0))
        longest = max((rule.length_s for rule in self.intent.sessions if rule.station == self.station.code), default=0)
        end = max(instant(self.zone, last + timedelta(days=1), time(0)), during.end + timedelta(seconds=longest))
        sessions = occurrences(self.intent, self.station, Interval(start, end))
        self._count_sessions([s for s in sessions if s.during.start >= start])
        sessions = [s for s in sessions if s.during.end > during.start]
        return sorted(sessions, key=lambda s: (s.during.start, -self._weight(s), s.name, s.day))

    def _account(self, during: Interval) -> None:
        """Count the time and the seconds of what has its row, also of make-ups and of places that are gone."""
        limited = self.station.limits.day_s is not None
        for row in self.finals.values():
            began = when(row)
            if row.samples_aired == 0 or began < during.start:
                continue
            ended = max(began, row.ended_at or row.planned_end)
            self.taken.append(Interval(began, ended))
            self.firm.append(Interval(began, ended))
            if limited and row.kind != ItemKind.EMERGENCY:
                self._spend(began, row.seconds_aired)
        for run in self.begun.values():
            if limited and run.item.kind is not ItemKind.EMERGENCY:
                self._spend(origin(run), (run.item.end - run.item.start).total_seconds())

    def _spend(self, began: datetime, seconds: float) -> None:
        day = began.astimezone(self.zone).date()
        self._day_s[day] = self._day_s.get(day, 0.0) + seconds

    def _count_sessions(self, sessions: Sequence[Occurrence]) -> None:
        """Note which sessions are more than a day may have: the lightest give way, then the latest."""
        most = self.station.limits.sessions
        if most is None:
            return
        days: dict[date, list[Occurrence]] = {}
        for session in (s for s in sessions if self._audible(s)):
            days.setdefault(session.during.start.astimezone(self.zone).date(), []).append(session)
        for mine in days.values():
            kept = sorted(mine, key=lambda s: (not self._has_begun(s), -self._weight(s), s.during.start, s.name))
            self._too_many |= {self._name(session) for session in kept[most:]}

    def _audible(self, session: Occurrence) -> bool:
        """Return whether the hours of the station and of any group meant are open for a part of the session."""
        hours = open_hours(self.station, session.during)
        meant = [g for g in self.station.groups if not session.rule.targets or g.code in session.rule.targets]
        if not hours or not meant:
            return bool(hours)
        theirs = (open_hours(replace(self.station, permitted=g.permitted, quiet=()), session.during) for g in meant)
        return any(not g.permitted or common(hours, mine) for g, mine in zip(meant, theirs, strict=True))

    def _has_begun(self, session: Occurrence) -> bool:
        prefix = f"{self._name(session)}/"
        aired = (row.slot for row in self.finals.values() if row.samples_aired)
        return any(slot.startswith(prefix) for slot in (*aired, *self.begun))

    def _order(self, during: Interval) -> None:
        """Place what people ordered for exact times, emergencies before anything else."""

        def turn(one: OneOff) -> tuple[object, ...]:
            slot = one_off_slot(self.station.code, one.id)
            return (
                not _urgent(one),
                slot not in self.finals and slot not in self.begun,
                one.ordered_at,
                one.start,
                one.id,
            )

        ordered = sorted(self.intent.one_offs, key=turn)
        mine = [o for o in ordered if o.station == self.station.code and during.start <= o.start < during.end]
        self._spend_orders(mine)
        for one_off in mine:
            if one_off.cancelled_at is not None:
                self.items.append(self._one_off(one_off, one_off.start))
            elif one_off.timing is Timing.HARD or _urgent(one_off):
                self._fixed(one_off)
        self._soft = sorted(
            (o for o in mine if o.cancelled_at is None and o.timing is not Timing.HARD and not _urgent(o)),
            key=lambda o: (o.start, o.id),
        )

    def _spend_orders(self, orders: Iterable[OneOff]) -> None:
        """Take what is ordered from the day's limit before any session; note what goes beyond it by itself."""
        limit = self.station.limits.day_s
        if limit is None:
            return
        for one_off in orders:
            slot = one_off_slot(self.station.code, one_off.id)
            taken = slot in self.finals or slot in self.begun or one_off.cancelled_at is not None
            if taken or _urgent(one_off) or self._ordered(one_off)[0] is None:
                continue
            seconds = self._length(one_off.segment).total_seconds()
            if self._day_s.get(one_off.start.astimezone(self.zone).date(), 0.0) + seconds > limit:
                self._over_limit.add(slot)
            else:
                self._spend(one_off.start, seconds)

    # Sessions

    def _session(self, session: Occurrence, later: Sequence[Occurrence]) -> None:
        start, end = session.during.start, session.during.end
        end_by = None
        for other in later:
            if other.during.start >= end:
                break
            if self._weight(other) > self._weight(session) and other.during.start > start:
                end, end_by = other.during.start, f"{self._name(other)}/{other.rule.items[0].id}"
                break
        nominal = start
        replaced_by = None
        if self._planned_until is not None and self._planned_until > start:
            # Overlapping by the rules: it moves behind the other one, or gives way to it.
            if self._planned_until - start <= SHIFT_LIMIT:
                nominal = self._planned_until
                end += nominal - start
            else:
                replaced_by = self._last_slot
        due = max(nominal, self._busy_until or nominal)
        if max(due, nominal) > start and session.during.end > self.now:
            self._delayed(session)
        before = dict(self.used)
        places, dropped, shortened = self._agreed(session, later, nominal, due, end, replaced_by)
        reserved = self.used.keys() - before.keys()
        hards = [(start + timedelta(seconds=p.place.offset_s or 0), p) for p in places if self._exact(p)]
        latest = max(end, session.during.end) + OVERRUN_LIMIT
        if end_by is not None:
            latest = end
        previous: _Before | None = None
        known = len(self.items)
        filled = _NOTHING
        for index, chosen in enumerate(places):
            place, slot = chosen.place, chosen.slot
            if place.offset_s is not None and place.timing is not Timing.RELATIVE:
                filled = _NOTHING
            if (row := self.finals.get(slot)) is not None:
                nominal = max(nominal, row.planned_end)
                due = max(due, nominal if row.ended_at is None else row.ended_at)
                self._add(from_row(row))
                # A place that stayed silent parts nobody: what comes after it still follows what came before.
                previous = previous if row.ended_at is None else None
                continue
            if (run := self.begun.get(slot)) is not None:
                item = self._under_way(run, [at for at, hard in hards if hard is not chosen and at > run.item.start])
                self._add(item)
                nominal = max(nominal, item.end)
                due = max(due, self._ends(item))
                if item.cut_at is not None:
                    due = max(item.cut_at, self._ends(item))
                    self._on_air_until = due
                previous = _Before(item.slot, self._ends(item)) if item.cut_at is None and sounds(item) else None
                continue
            if _fills(place):
                if place.offset_s is not None and place.timing is not Timing.RELATIVE:
                    nominal = max(nominal, start + timedelta(seconds=place.offset_s))
                until = self._room_after(start, end, places[index + 1 :], dropped, shortened)
                if any(self._has_passed(p) for p in places[index + 1 :]):
                    until = start  # its turn is over
                rest = [p for p in places[index + 1 :] if p.slot not in dropped and self._settled(p.slot) is None]
                kept_s = sum(shortened.get(p.slot, p.length).total_seconds() for p in rest)
                left_s = self._left_s(session, later, kept_s, max(nominal, due))
                begins, pieces = max(nominal, due), len(self.items)
                nominal, due, previous = self._fillers(session, chosen, nominal, due, until, left_s, previous)
                if all(item.slot not in self.begun and item.slot not in self.finals for item in self.items[pieces:]):
                    filled += max(due - begins, _NOTHING)
                continue
            if slot in self.pinned:
                item = self._pin(session, chosen, self.pinned[slot], nominal, previous)
                nominal, due = item.end, max(item.due, self.now) + (item.end - item.start)
                previous = _Before(slot, due)
                continue
            exact = self._exact(chosen)
            offset = start + timedelta(seconds=place.offset_s or 0)
            nominal = max(nominal, offset) if place.timing is not Timing.RELATIVE else nominal
            if not exact:
                nominal = self._after_former(slot, nominal)
            due = self._soft_before(self._after_on_air(max(due, nominal)))
            length = shortened.get(slot, chosen.length)
            clear = self._clear(nominal, length)
            due = self._clear(max(due, clear), length)
            pushed = clear != nominal
            nominal = clear
            item = self._item(session, chosen, nominal, due, length)
            if place.timing is Timing.SOFT:
                item = replace(item, late_limit_s=max(30.0, place.bound_s - (nominal - offset).total_seconds()))
            if (by := dropped.get(slot)) is not None and sounds(item):
                item = self._gave_way(item, by if by != slot else None, end_by, session, pushed=pushed)
            else:
                item = self._admit(item, session, end, latest, end_by, pushed=pushed)
            self._open(session, chosen, item, filled, min(end, latest))
            if sounds(item) and item.due > self.now and (item.due - nominal).total_seconds() > item.late_limit_s:
                self._find("too_late", item, TOO_LATE, HINT_ROOM)
                item = without_audio(item, TOO_LATE)
            if not sounds(item):
                self._add(item)
                continue
            item = _joined(item, previous)
            self._add(item)
            lost = item.due + length <= self.now - _PAST or (self.now - nominal).total_seconds() > item.late_limit_s
            nominal = item.end
            if not lost:
                self._use(item)
                # A relay that is joined late does not end later.
                due = max(item.due, self.now) + length if item.relay is None else max(due, item.end)
                previous = _Before(slot, due) if item.relay is None else None
            else:
                due = max(due, nominal)
                previous = None
        self._busy_until = max(due, self._busy_until or due)
        self._planned_until = max(nominal, self._planned_until or nominal)
        heard = (item.slot for item in reversed(self.items[known:]) if sounds(item))
        self._last_slot = next(heard, self._last_slot)
        for segment in reserved - self._airing:
            del self.used[segment]

    def _agreed(
        self,
        session: Occurrence,
        later: Sequence[Occurrence],
        nominal: datetime,
        due: datetime,
        end: datetime,
        replaced_by: SlotId | None,
    ) -> tuple[list[_Place], Mapping[SlotId, SlotId], Mapping[SlotId, timedelta]]:
        """Return the places of a session, what of it gives way to which slot, and relays that get shorter.

        A place that gives way keeps no recording from the others: they choose again without it.
        """
        before = dict(self.used)
        gone: dict[SlotId, _Place] = {}
        gone_by: dict[SlotId, SlotId] = {}
        while True:
            self.used = dict(before)
            places = self._all_chosen(session, nominal, due, gone)
            if replaced_by is None:
                dropped, shortened = self._gives_way(session, places, later, nominal, due, end)
            else:
                dropped, shortened = {p.slot: replaced_by for p in places if self._settled(p.slot) is None}, {}
            freed = [
                p
                for p in places
                if p.slot in dropped and p.place.programme and p.choice.segment and p.slot not in self.pinned
            ]
            gone_by |= dropped
            if not freed:
                order = {f"{self._name(session)}/{place.id}": n for n, place in enumerate(session.rule.items)}
                return sorted((*places, *gone.values()), key=lambda p: order[p.slot]), gone_by, shortened
            gone |= {p.slot: p for p in freed}

    def _name(self, session: Occurrence) -> str:
        return f"{self.station.code}/{session.name}/{session.day.isoformat()}"

    def _weight(self, session: Occurrence) -> int:
        """Return which overlapping session keeps its time: must-air, then one from above, then the commune's own."""
        owed = any(need.missing and need.owed.during.contains(session.during.start) for need in self.needs)
        if owed and any(self._owed(place, session.during.start) for place in session.rule.items):
            return 2
        return 1 if session.rule.owner in self._above else 0

    def _owed(self, place: SessionItem, moment: datetime) -> bool:
        return place.programme is not None and any(
            need.missing and need.owed.duty.programme in (None, place.programme) and need.owed.during.contains(moment)
            for need in self.needs
        )

    def _all_chosen(
        self, session: Occurrence, nominal: datetime, due: datetime, gone: Collection[SlotId]
    ) -> list[_Place]:
        """Return the places of a session but those `gone`, each with what fills it at about the time of its start."""
        found = []
        needs = self.needs
        for place in session.rule.items:
            if place.offset_s is not None and place.timing is not Timing.RELATIVE:
                nominal = max(nominal, session.during.start + timedelta(seconds=place.offset_s))
            if f"{self._name(session)}/{place.id}" in gone:
                continue
            chosen = self._chosen(session, place, max(nominal, due), needs)
            if chosen is None:
                continue
            found.append(chosen)
            lost = self.now - nominal > _LATEST or nominal + chosen.length <= self.now - _PAST
            segment = chosen.choice.segment
            if place.programme is not None and segment is not None and not lost:
                self.used.setdefault(segment.id, max(nominal, due))
                needs = [need.after(segment.programme, segment.topics, max(nominal, due)) for need in needs]
            nominal += chosen.length
        return found

    def _chosen(self, session: Occurrence, place: SessionItem, due: datetime, needs: Sequence[Need]) -> _Place | None:
        """Return a place with what fills it; None for an optional place that stays empty."""
        slot = f"{self._name(session)}/{place.id}"
        if slot in self.finals or slot in self.begun or _fills(place):
            empty = Choice(segment=None, why=NO_ROOM)
            return _Place(place, slot, empty, _NOTHING, Rank.FILLER)
        if place.relay is not None:
            why = Text("Tiếp sóng theo lịch.", "A relay of the grid.")
            return _Place(
                place, slot, Choice(segment=None, why=why), timedelta(seconds=place.length_s or 0), Rank.RELAY
            )
        waits_s = 0 if place.timing is Timing.RELATIVE else place.offset_s or 0
        longest = timedelta(seconds=session.rule.length_s - waits_s)
        choice = self._choice(place, slot, max(due, session.during.start), longest, needs)
        segment = choice.segment
        if segment is None:
            if place.optional:
                return None
            return _Place(place, slot, choice, _NOTHING, Rank.ORDINARY)
        return _Place(place, slot, choice, segment.duration, self._rank(place, choice, segment, due, needs))

    def _rank(self, place: SessionItem, choice: Choice, segment: Segment, due: datetime, needs: Sequence[Need]) -> Rank:
        if any(need.counts(segment.programme, segment.topics, due) for need in needs):
            return Rank.DUTY
        if segment.priority is not Priority.NORMAL:
            return Rank.PRIORITY
        if place.optional:
            return Rank.OPTIONAL
        if place.kind in _FRAME:
            return Rank.FRAME
        if place.programme is not None and not choice.fresh:
            return Rank.REPEAT
        return Rank.ABOVE if segment.owner in self._above and place.programme is not None else Rank.ORDINARY

    def _choice(
        self, place: SessionItem, slot: SlotId, due: datetime, longest: timedelta, needs: Sequence[Need]
    ) -> Choice:
        if (pin := self.pinned.get(slot)) is not None:
            return pin.choice
        if place.segment is not None:
            return self._fixed_choice(place.segment, due)
        if place.programme is None:
            return Choice(segment=None, why=Text("Mục này chưa chọn bài.", "Nothing was chosen for this place."))
        if due >= self.intent.valid_until and not self._owed(place, due):
            why = Text(
                "Lịch đã quá hạn, máy phát chưa nhận được lịch mới: chỉ phát nhiệm vụ bắt buộc.",
                "The schedule is too old and no new one has arrived: only duties air.",
            )
            return Choice(segment=None, why=why)
        found = self.stock.choices(place.programme, due, self.used, key=slot)
        if not found.found:
            return Choice(segment=None, why=found.why_nothing)
        first = found.found[0]
        if first.contested:
            self._contested(slot)
        fitting = tuple(c for c in found.found if c.segment and c.segment.duration <= longest) or found.found
        best = self._for_duty(place.programme, fitting, due, needs) or fitting[0]
        if first.segment is None or first in fitting:
            return best
        why = Text(f"“{first.segment.title}” dài hơn chỗ của mục này.", f"“{first.segment.title}” is too long here.")
        self.findings.append(
            Finding(code="too_long", severity=Severity.WARNING, where=slot, message=why, hint=HINT_ROOM)
        )
        return replace(best, why=Text(f"{why.vi} {best.why.vi}", f"{why.en} {best.why.en}"))

    def _contested(self, slot: SlotId) -> None:
        message = Text(
            "Bài ưu tiên của xã và bài ưu tiên của cấp trên cùng chờ một giờ phát: bài của xã phát trước.",
            "A priority item of the commune and one from above wait for the same slot: the commune's goes first.",
        )
        hint = Text(
            "Nếu muốn bài cấp trên phát trước, xếp một lượt phát riêng cho bài đó.",
            "To air the other one first, order a single airing of it.",
        )
        self.findings.append(
            Finding(code="priority_choice", severity=Severity.NOTE, where=slot, message=message, hint=hint)
        )

    def _fixed_choice(self, name: SegmentId, due: datetime) -> Choice:
        fixed = self._segments.get(name)
        if fixed is None or fixed.approved_at > max(due, self.now) or not usable(self.intent, self.station, fixed):
            why = Text(
                "Bài cố định của mục này chưa được duyệt hoặc không còn được duyệt.",
                "The fixed item of this place is not, or no longer, approved.",
            )
            return Choice(segment=None, why=why)
        if fixed.priority is Priority.EMERGENCY:
            why = Text(
                "Bài khẩn cấp chỉ phát theo lệnh, không phát theo lịch.",
                "An emergency airs by order only, never by the grid.",
            )
            return Choice(segment=None, why=why)
        if not fixed.valid_at(due):
            why = Text(
                "Bài cố định của mục này hết hạn hoặc chưa đến hạn phát.",
                "The fixed item of this place is out of its dates.",
            )
            return Choice(segment=None, why=why)
        if due >= self.intent.valid_until:
            why = Text("Lịch đã quá hạn: chỉ phát nhiệm vụ bắt buộc.", "The schedule is too old: only duties air.")
            return Choice(segment=None, why=why)
        if self.facts.media is not None and fixed.sha256 not in self.facts.media:
            return Choice(segment=None, why=NOT_ON_STATION)
        return Choice(segment=fixed, why=Text("Mục cố định của buổi phát.", "A fixed item of the session."), fresh=True)

    def _for_duty(
        self, programme: ProgrammeCode, found: tuple[Choice, ...], due: datetime, needs: Sequence[Need]
    ) -> Choice | None:
        """Return the choice that brings the most duties further, where the first one brings fewer."""
        owed = [n for n in needs if n.missing and n.owed.duty.programme in (None, programme)]
        if not owed or len(found) == 1:
            return None

        def gain(choice: Choice) -> int:
            segment = choice.segment
            return (
                0
                if segment is None
                else sum(n.missing - n.after(segment.programme, segment.topics, due).missing for n in owed)
            )

        first = gain(found[0])
        best = max(found, key=gain)
        if gain(best) == first or best.segment is None:
            return None
        topics = best.segment.topics
        named = next(n.owed.duty.name for n in owed if n.counts(programme, topics, due))
        why = Text(
            f"Chọn trước vì nhiệm vụ “{named}” còn thiếu. {best.why.vi}",
            f"Taken first because duty “{named}” still lacks it. {best.why.en}",
        )
        return replace(best, why=why)

    def _exact(self, chosen: _Place) -> bool:
        place = chosen.place
        return place.timing is Timing.HARD and place.offset_s is not None and not _fills(place)

    def _gives_way(
        self,
        session: Occurrence,
        places: list[_Place],
        later: Sequence[Occurrence],
        nominal: datetime,
        due: datetime,
        end: datetime,
    ) -> tuple[Mapping[SlotId, SlotId], Mapping[SlotId, timedelta]]:
        start = session.during.start
        exact = {p.slot: start + timedelta(seconds=p.place.offset_s or 0) for p in places if self._exact(p)}
        entries = []
        for chosen in places:
            place, slot = chosen.place, chosen.slot
            settled = self._settled(slot)
            pin = self.pinned.get(slot)
            wanted = None
            if place.offset_s is not None and (place.timing is Timing.SOFT or _fills(place)):
                wanted = session.during.start + timedelta(seconds=place.offset_s)
            entries.append(
                Entry(
                    slot=slot,
                    rank=Rank.DUTY if pin is not None else chosen.rank,
                    length=chosen.length,
                    late_limit=timedelta(seconds=LATE_LIMIT_S[Timing.HARD if slot in exact else Timing.RELATIVE]),
                    exact=pin.start if pin is not None else exact.get(slot),
                    wanted=wanted,
                    bound=timedelta(seconds=session.rule.length_s if _fills(place) else place.bound_s),
                    settled=settled,
                    relay=place.relay is not None,
                )
            )
        blocks = [block for block in self._blocks if block.slot not in exact and block.slot not in self.pinned]
        room = Room(
            start=nominal,
            end=end,
            due=self._after_on_air(due),
            latest=max(end, session.during.end) + OVERRUN_LIMIT,
            left_s=self._session_left_s(session),
            day_left_s=self._day_left(session, places, later),
            day=lambda moment: moment.astimezone(self.zone).date(),
            clear=lambda moment, length: _clear(blocks, moment, length),
            now=self.now,
        )
        verdicts = give_way(entries, room)
        self._limited |= verdicts.limited
        return verdicts.dropped, verdicts.shortened

    def _settled(self, slot: SlotId) -> tuple[datetime, datetime] | None:
        if (row := self.finals.get(slot)) is not None:
            return row.planned_end, row.ended_at or row.planned_end
        if (run := self.begun.get(slot)) is not None:
            item = self._under_way(run)
            return item.end, self._ends(item)
        return None

    def _has_passed(self, chosen: _Place) -> bool:
        """Return whether a place, or a piece of a filler, has begun or has its row."""
        prefix = f"{chosen.slot}."
        pieces = _fills(chosen.place) and any(s.startswith(prefix) for s in (*self.finals, *self.begun))
        return pieces or self._settled(chosen.slot) is not None

    def _session_left_s(self, session: Occurrence) -> float | None:
        """Return the seconds that the limit of a session leaves beside what has begun or is placed in it already."""
        left_s = self._begun_left_s(session)
        if left_s is None:
            return None
        begun = (*self.finals, *self.begun)
        mine = (i for i in self.items if i.session == self._name(session) and i.slot not in begun and sounds(i))
        return left_s - sum((item.end - item.start).total_seconds() for item in mine)

    def _begun_left_s(self, session: Occurrence) -> float | None:
        """Return the seconds that the limit of a session leaves beside what has begun."""
        limit = self.station.limits.session_s
        if limit is None:
            return None
        prefix = f"{self._name(session)}/"
        spent = sum(row.seconds_aired for row in self.finals.values() if row.slot.startswith(prefix))
        under_way = (run.item for run in self.begun.values() if run.slot.startswith(prefix))
        return limit - spent - sum((item.end - item.start).total_seconds() for item in under_way)

    def _left_s(self, session: Occurrence, later: Sequence[Occurrence], kept_s: float, moment: datetime) -> float:
        """Return the seconds that limits leave fillers at `moment`, beside what else of the session is to come."""
        left_s = self._session_left_s(session)
        day_left_s = self._day_left(session, (), later)
        left = [] if left_s is None else [left_s]
        if day_left_s is not None:
            left.append(day_left_s(moment.astimezone(self.zone).date()))
        return min(left, default=inf) - kept_s

    def _day_left(
        self, session: Occurrence, places: Sequence[_Place], later: Sequence[Occurrence]
    ) -> Callable[[date], float] | None:
        """Return what the limit of a day leaves a session, after what duties of later that day will need."""
        limit = self.station.limits.day_s
        if limit is None:
            return None
        kept: dict[date, float] = {}
        gone = {chosen.slot for chosen in places} | {item.slot for item in self.items}
        for slot, pin in self.pinned.items():
            if slot not in gone:
                day = pin.start.astimezone(self.zone).date()
                kept[day] = kept.get(day, 0.0) + pin.during.seconds
        last = (session.during.end + SHIFT_LIMIT).astimezone(self.zone).date()
        for other in later:
            day = other.during.start.astimezone(self.zone).date()
            if day > last:
                break
            kept[day] = kept.get(day, 0.0) + self._set_aside_s(other)
        return lambda day: limit - self._day_s.get(day, 0.0) - kept.get(day, 0.0)

    def _set_aside_s(self, session: Occurrence) -> float:
        """Return the seconds that slots of duties will need in a later session."""
        seconds = 0.0
        for place in session.rule.items:
            if place.programme is None or not self._owed(place, session.during.start):
                continue
            slot = f"{self._name(session)}/{place.id}"
            if slot in self.pinned or slot in self.finals or slot in self.begun:
                continue
            found = self.stock.choices(place.programme, session.during.start, self.used, key=slot).found
            if found and found[0].segment is not None:
                seconds += found[0].segment.duration.total_seconds()
        return seconds

    def _room_after(
        self,
        start: datetime,
        end: datetime,
        places: list[_Place],
        dropped: Mapping[SlotId, SlotId],
        shortened: Mapping[SlotId, timedelta],
    ) -> datetime:
        """Return until when fillers may last so that everything after them keeps its time."""
        needed = _NOTHING
        for chosen in places:
            if chosen.slot in dropped:
                continue
            pin = self.pinned.get(chosen.slot)
            if pin is not None:
                return pin.start - needed
            if chosen.place.timing is not Timing.RELATIVE and chosen.place.offset_s is not None:
                return start + timedelta(seconds=chosen.place.offset_s) - needed
            needed += shortened.get(chosen.slot, chosen.length)
        return end - needed

    def _fillers(
        self,
        session: Occurrence,
        chosen: _Place,
        nominal: datetime,
        due: datetime,
        until: datetime,
        left_s: float,
        previous: _Before | None,
    ) -> tuple[datetime, datetime, _Before | None]:
        """Place as many whole recordings as fit before `until`; each is a slot of its own, numbered."""
        known = [slot for slot in (*self.finals, *self.begun) if slot.startswith(f"{chosen.slot}.")]
        number = 1
        for slot in sorted(known, key=lambda s: (len(s), s)):
            number = max(number, int(slot.rpartition(".")[2]) + 1)
            row = self.finals.get(slot)
            item = from_row(row) if row is not None else self._under_way(self.begun[slot])
            ends = self._ends(item) if row is None else row.ended_at or row.planned_end
            self._add(item)
            nominal, due = max(nominal, item.end), max(due, ends)
            previous = _Before(slot, ends) if row is None else None
        # Time that has passed is not filled afterwards.
        begins = self._after_on_air(max(due, nominal, self.now if nominal < self.now - _LATEST else nominal))
        starts = max(nominal, begins) if begins - nominal > _LATEST else nominal
        for _ in range(_MOST_FILLERS):
            piece = self._piece(session, chosen, number, starts, begins, until, left_s)
            if piece is None or piece.segment is None:
                break
            length = piece.segment.duration
            one = replace(chosen, slot=f"{chosen.slot}.{number}", choice=piece, length=length)
            item = self._admit(
                self._item(session, one, starts, begins, length), session, until, until, None, pushed=False
            )
            if not sounds(item):
                break
            item = _joined(item, previous)
            self._add(item)
            self._use(item)
            number += 1
            nominal = starts = item.end
            due = begins = max(item.due, self.now) + length
            left_s -= length.total_seconds()
            previous = _Before(item.slot, due)
        return nominal, due, previous

    def _piece(
        self,
        session: Occurrence,
        chosen: _Place,
        number: int,
        nominal: datetime,
        due: datetime,
        until: datetime,
        left_s: float,
    ) -> Choice | None:
        """Return the first recording for a filler that is free, fits in whole, and is not the one just heard."""
        if due >= self.intent.valid_until:
            return None
        prefix = f"{self._name(session)}/"
        heard = (i.segment for i in reversed(self.items) if i.slot.startswith(prefix) and i.sha256 is not None)
        last = next(heard, None)
        for choice in self.stock.choices(chosen.place.programme, due, self.used, key=f"{chosen.slot}.{number}").found:
            if choice.segment is None or choice.segment.id == last:
                continue
            length = choice.segment.duration
            fit = max(nominal, due) + length <= until and length.total_seconds() <= left_s
            if fit and self._clear(nominal, length) == nominal and self._clear(due, length) == due:
                return choice
        return None

    def _made_up(self) -> Iterator[RundownItem]:
        """Yield the time of make-ups that have begun or are over: what waited for them still does."""
        for row in self.finals.values():
            if row.duty is not None:
                yield replace(bare(row.slot, row.station, row.planned_start), end=row.ended_at or row.planned_end)
        for run in self.begun.values():
            if run.item.duty is not None:
                item = self._under_way(run)
                yield replace(item, end=self._ends(item))

    def _pinned_block(self, slot: SlotId, one: Placement) -> RundownItem:
        """Return the time of a pinned slot as something that the others keep clear of."""
        item = bare(slot, self.station.code, one.start)
        return replace(item, end=one.during.end)

    def _pin(
        self, session: Occurrence, chosen: _Place, one: Placement, nominal: datetime, previous: _Before | None
    ) -> RundownItem:
        """Return the item of a slot that the search for duties filled; it is late where it could begin late only."""
        late = one.start - nominal
        start = nominal if _NOTHING <= late <= _LATEST else one.start
        length = one.segment.duration
        item = self._item(session, replace(chosen, choice=one.choice), start, one.start, length)
        item = _joined(self._admit(item, session, one.during.end, one.during.end, None, pushed=False), previous)
        self._add(item)
        self._use(item)
        return item

    def _open(self, session: Occurrence, chosen: _Place, item: RundownItem, filled: timedelta, until: datetime) -> None:
        """Note a programme slot that may yet serve a duty, with whatever recording; what fills before it gives way."""
        programme = chosen.place.programme
        if programme is None or item.start + timedelta(seconds=item.late_limit_s) < self.now:
            return
        if self._name(session) in self._too_many:
            return
        begins = max(item.due - filled, self.now) if item.start - filled < self.now else item.due - filled
        over = min(until, self._heard_until(session.rule.targets, begins) or until)
        left_s = self._begun_left_s(session)
        self.openings.append(
            Opening(
                slot=chosen.slot,
                session=self._name(session),
                left_s=left_s,
                programme=programme,
                start=begins,
                until=over,
            )
        )

    def _heard_until(self, targets: tuple[GroupCode, ...], moment: datetime) -> datetime | None:
        """Return until when what begins at `moment` may last by the hours of the station and of any group meant."""
        until = open_until(self.station, moment)
        meant = [group for group in self.station.groups if not targets or group.code in targets]
        if not meant or any(not group.permitted for group in meant):
            return until
        theirs = [open_until(replace(self.station, permitted=g.permitted, quiet=()), moment) for g in meant]
        if any(end is None for end in theirs):
            return until
        longest = max(end for end in theirs if end is not None)
        return longest if until is None else min(until, longest)

    def _item(
        self, session: Occurrence, chosen: _Place, start: datetime, due: datetime, length: timedelta
    ) -> RundownItem:
        place, segment = chosen.place, chosen.choice.segment
        exact = self._exact(chosen)
        source = None if place.relay is None else self.intent.source(place.relay)
        timing = place.timing
        if timing is Timing.RELATIVE and place is session.rule.items[0]:
            timing = Timing.HARD
        item = RundownItem(
            slot=chosen.slot,
            station=self.station.code,
            session=self._name(session),
            session_end=session.during.end,
            start=start,
            end=start + length if place.relay is not None else start,
            due=due,
            kind=place.kind,
            programme=place.programme or (segment.programme if segment else None),
            timing=timing,
            segment=None,
            title=source.name if source is not None else place.relay or "",
            sha256=None,
            pcm_sha256=None,
            samples=0,
            topics=(),
            late_limit_s=LATE_LIMIT_S[Timing.HARD if exact else Timing.RELATIVE],
            why=chosen.choice.why,
            relay=place.relay,
            targets=session.rule.targets or None,
        )
        return with_audio(item, segment)

    def _admit(
        self,
        item: RundownItem,
        session: Occurrence,
        end: datetime,
        latest: datetime,
        end_by: SlotId | None,
        *,
        pushed: bool,
    ) -> RundownItem:
        """Return the item, or the same without audio where it may not begin: no room left, or outside the hours."""
        if not sounds(item):
            absent = item.why == NOT_ON_STATION
            self._find("no_audio", item, item.why, HINT_ABSENT if absent else HINT_AUDIO)
            return item
        if self._name(session) in self._too_many:
            self._find("too_many_sessions", item, TOO_MANY, HINT_SESSIONS)
            return without_audio(item, TOO_MANY)
        length = item.end - item.start
        if item.end > end or item.due + length > latest:
            return self._gave_way(item, None, end_by, session, pushed=pushed)
        during = Interval(item.due, item.due + length)
        if not permitted(self.station, during):
            self._find("outside_hours", item, OUTSIDE_HOURS, HINT_HOURS)
            return without_audio(item, OUTSIDE_HOURS)
        groups = open_groups(self.station, session.rule.targets, during)
        if groups == ():
            self._find("outside_hours", item, OUTSIDE_HOURS, HINT_HOURS)
            return without_audio(item, OUTSIDE_HOURS)
        return replace(item, open_until=open_until(self.station, item.due), targets=groups)

    def _gave_way(
        self, item: RundownItem, by: SlotId | None, end_by: SlotId | None, session: Occurrence, *, pushed: bool
    ) -> RundownItem:
        """Return the item as one that does not air here: to what it gave way, or that there is no room."""
        blocker = self._blocker(session.during) if pushed else None
        if by is None and blocker is not None:
            why = Text("Nhường giờ cho lượt phát đã xếp riêng.", "Gives way to an airing ordered by itself.")
            return replace(without_audio(item, why), replaced_by=blocker.slot)
        if (other := by or end_by) is not None:
            why = Text(
                "Nhường giờ cho mục được ưu tiên hơn trong cùng khung giờ.",
                "Gives way to an item that goes before it in the same time.",
            )
            self._find("gives_way", item, why)
            return replace(without_audio(item, why), replaced_by=other)
        code, why, hint = self._no_room(item.slot)
        self._find(code, item, why, hint)
        return without_audio(item, why)

    def _no_room(self, slot: SlotId) -> tuple[str, Text, Text]:
        """Return the code, the reason and the hint for a place without room: of time, or of a limit's minutes."""
        if slot in self._limited:
            return "over_limit", OVER_LIMIT, HINT_LIMIT
        return "does_not_fit", NO_ROOM, HINT_ROOM

    # What is under way, and what was

    def _under_way(self, run: Run, exact: Iterable[datetime] = ()) -> RundownItem:
        """Return the item of a run that has begun, with the moment at which an ordered airing cuts it.

        Without audio where it was interrupted and is not approved any more: then it does not go on.
        exact: when later items of its session start exactly; it is cut for them unless it is of a duty.
        """
        item = replace(run.item, due=origin(run))
        if run.item.relay is not None:
            if self.intent.source(run.item.relay) is None:
                return without_audio(item, RELAY_GONE)
        elif run.state in (RunState.INTERRUPTED, RunState.ARMED):
            segment = self._segments.get(run.item.segment or "")
            if segment is None or segment.sha256 != run.item.sha256:
                why = Text(
                    "Bài không còn được duyệt khi máy phát lại được.",
                    "The item was no longer approved when it could have gone on.",
                )
                return without_audio(item, why)
        anew = run.state is RunState.INTERRUPTED and run.item.relay is None and starts_anew(run, self.now)
        if anew:
            item = replace(item, due=max(item.due, self.now))
        ends = item.due + (item.end - item.start)
        cuts = [
            at
            for order, at in ((order, self._begins(order)) for order in self._orders)
            if order.slot != run.slot
            and (item.due < at or (at == self.now and run.state is RunState.INTERRUPTED))
            and at < ends
            and item.priority is not Priority.EMERGENCY
        ]
        if not any(matches(need.owed.duty, item.programme, item.topics) for need in self.needs):
            grace = timedelta(seconds=LATE_LIMIT_S[Timing.HARD])
            # Where the plan let it run past the exact time, nothing is there to be cut for.
            cuts += [at for at in exact if item.due < at and item.end <= at and ends > at + grace]
        return replace(item, cut_at=min(cuts)) if cuts else item

    def _begins(self, order: RundownItem) -> datetime:
        """Return when an exact order begins as things stand: one that came after its time, but not too late, now."""
        late_s = (self.now - order.start).total_seconds()
        waits = order.slot not in self.begun and order.slot not in self.finals and sounds(order)
        return self.now if waits and 0 < late_s <= order.late_limit_s else order.start

    def _ends(self, item: RundownItem) -> datetime:
        """Return from when on the time of `item` is free again."""
        return item.due + (item.end - item.start) if item.cut_at is None else self._after_hard(item.cut_at)

    def _after_on_air(self, due: datetime) -> datetime:
        """Return `due`, or when what is on air now ends: there is one source at a time. What is long past stays so."""
        if self._on_air_until is None or due < self.now - _LATEST:
            return due
        return max(due, self._on_air_until)

    def _find_former(self) -> None:
        """Note per session and day what took its time there, also where its place is not in the grid any more."""
        times = [(row.slot, row.planned_start, row.planned_end) for row in self.finals.values()]
        times += [(run.slot, run.item.start, run.item.end) for run in self.begun.values()]
        for slot, start, end in times:
            if end > start:
                self._former.setdefault(slot.rpartition("/")[0], []).append(Interval(start, end))

    def _after_former(self, slot: SlotId, nominal: datetime) -> datetime:
        for stretch in sorted(self._former.get(slot.rpartition("/")[0], ())):
            if stretch.contains(nominal):
                nominal = stretch.end
        return nominal

    # Ordered airings

    def _fixed(self, one_off: OneOff) -> None:
        start = one_off.start
        if _urgent(one_off):
            start = self._clear(start, self._length(one_off.segment))
        item = self._one_off(one_off, start)
        if item.slot not in self.finals and item.slot not in self.begun and not _urgent(one_off) and sounds(item):
            # Of two for one time (the pages refuse that) the one ordered first keeps it.
            during = Interval(item.due, item.due + (item.end - item.start))
            over = [o for o in self._orders if Interval(o.start, o.end).overlaps(during)]
            if over:
                why = Text("Nhường giờ cho lượt phát đã xếp trước.", "Gives way to an airing ordered before it.")
                if over[0].priority is Priority.EMERGENCY:
                    why = Text("Nhường giờ cho thông báo khẩn cấp.", "Gives way to an emergency.")
                self._add(replace(without_audio(item, why), replaced_by=over[0].slot))
                return
        row = self.finals.get(item.slot)
        # One that was stopped, missed or cancelled no longer keeps others away from the rest of its time.
        over_at = item.end if row is None else min(item.end, max(item.start, row.ended_at or item.start))
        block = replace(item, start=max(item.start, item.due) if row is None else item.start, end=over_at)
        if row is None:
            block = replace(block, end=item.due + (item.end - item.start))
        self._orders.append(block)
        self._blocks.append(block)
        self._add(item)

    def _length(self, segment: SegmentId) -> timedelta:
        known = self._segments.get(segment)
        return _NOTHING if known is None else known.duration

    def _soft_before(self, due: datetime) -> datetime:
        while self._soft and self._soft[0].start <= due:
            due = self._softly(self._soft.pop(0), due)
        return due

    def _place_soft(self, before: datetime) -> None:
        while self._soft and self._soft[0].start < before:
            one_off = self._soft.pop(0)
            ends = self._softly(one_off, max(one_off.start, self._busy_until or one_off.start))
            self._busy_until = max(ends, self._busy_until or ends)

    def _softly(self, one_off: OneOff, due: datetime) -> datetime:
        """Place a soft airing at or after `due`; return when it ends."""
        item = self._one_off(one_off, self._after_on_air(due))
        self._add(item)
        if item.slot in self.finals or not sounds(item):
            return due
        return max(due, self._ends(item))

    def _one_off(self, one_off: OneOff, due: datetime) -> RundownItem:
        slot = one_off_slot(self.station.code, one_off.id)
        if (row := self.finals.get(slot)) is not None:
            return from_row(row)
        if (run := self.begun.get(slot)) is not None:
            return replace(self._under_way(run), cancelled_by=one_off.cancelled_by)
        segment, why = self._ordered(one_off)
        if segment is not None and one_off.timing is not Timing.HARD and not _urgent(one_off):
            due = self._clear(due, segment.duration)
        item = replace(
            bare(slot, self.station.code, one_off.start),
            due=due,
            kind=ItemKind.EMERGENCY if _urgent(one_off) else ItemKind.SEGMENT,
            programme=segment.programme if segment else None,
            timing=Timing.HARD if _urgent(one_off) else one_off.timing,
            late_limit_s=EMERGENCY_LIMIT_S if _urgent(one_off) else LATE_LIMIT_S[one_off.timing],
            why=why,
            cancelled_by=one_off.cancelled_by,
            priority=one_off.priority,
        )
        item = with_audio(item, segment)
        if segment is None:
            return item
        if not _urgent(one_off):
            if slot in self._over_limit:
                self._find("over_limit", item, OVER_LIMIT, HINT_LIMIT)
                return without_audio(item, OVER_LIMIT)
            during = Interval(due, due + segment.duration)
            groups = open_groups(self.station, (), during)
            if not permitted(self.station, during) or groups == ():
                self._find("outside_hours", item, OUTSIDE_HOURS, HINT_HOURS)
                return without_audio(item, OUTSIDE_HOURS)
            item = replace(item, open_until=open_until(self.station, due), targets=groups)
        self._use(item)
        return item

    def _ordered(self, one_off: OneOff) -> tuple[Segment | None, Text]:
        """Return the recording of an order, and why it airs or cannot."""
        segment = self._segments.get(one_off.segment)
        if segment is None or not usable(self.intent, self.station, segment):
            return None, Text(
                "Bài của lượt phát riêng không còn được duyệt.", "The ordered item is no longer approved."
            )
        if self.facts.media is not None and segment.sha256 not in self.facts.media:
            return None, NOT_ON_STATION
        by = one_off.ordered_by
        return segment, Text(f"Lượt phát riêng do {by} xếp.", f"A single airing ordered by {by}.")

    def _clear(self, start: datetime, length: timedelta) -> datetime:
        """Return the first moment at or after `start` at which `length` fits between what keeps its time."""
        return _clear(self._blocks, start, length)

    def _after_hard(self, moment: datetime) -> datetime:
        ends = [item.end for item in self._orders if item.start <= moment < item.end]
        return max(ends, default=moment)

    def _blocker(self, during: Interval) -> RundownItem | None:
        inside = [h for h in self._blocks if h.end > h.start and Interval(h.start, h.end).overlaps(during)]
        return min(inside, key=lambda h: h.start, default=None)

    # Keeping account

    def _add(self, item: RundownItem) -> None:
        self.items.append(item)
        if not sounds(item) or item.cancelled_by is not None or item.slot in self.finals:
            return
        during = Interval(item.due, item.due + (item.end - item.start))
        self.taken.append(during)
        firm = item.slot in self.begun or (item.session is None and item.duty is None)
        if firm:
            self.firm.append(during)
        limited = self.station.limits.day_s is not None and item.priority is not Priority.EMERGENCY
        ordered = item.session is None and item.duty is None  # its seconds are taken before any session
        if limited and item.slot not in self.begun and not ordered:
            self._spend(item.due, during.seconds)
        if self.will_count(item):
            self.needs = [need.after(item.programme, item.topics, item.due) for need in self.needs]

    def will_count(self, item: RundownItem) -> bool:
        """Return whether an item that has no row yet can still air whole."""
        if item.sha256 is None or item.replaced_by is not None or item.cancelled_by is not None:
            return False
        if item.cut_at is not None or item.slot in self.finals:
            return False
        late = timedelta(seconds=item.late_limit_s)
        return item.start + late >= self.now or item.due + (item.end - item.start) > self.now

    def day_unused_s(self, day: date) -> float | None:
        """Return the seconds that the limit of a day leaves beside everything planned."""
        limit = self.station.limits.day_s
        return None if limit is None else limit - self._day_s.get(day, 0.0)

    def day_left_s(self, day: date) -> float | None:
        """Return the seconds that the limit of a day leaves beside what nothing may displace."""
        limit = self.station.limits.day_s
        if limit is None:
            return None
        rows = [r for r in self.finals.values() if when(r).astimezone(self.zone).date() == day]
        firm = {
            i.slot: (i.end - i.start).total_seconds()
            for i in self.items
            if sounds(i)
            and i.slot not in self.finals
            and i.priority is not Priority.EMERGENCY
            and (i.slot in self.begun or (i.session is None and i.duty is None))
            and i.due.astimezone(self.zone).date() == day
        }
        return limit - sum(row.seconds_aired for row in rows) - sum(firm.values())

    def _use(self, item: RundownItem) -> None:
        if item.segment is not None:
            self.used[item.segment] = item.due
            self._airing.add(item.segment)

    def _delayed(self, session: Occurrence) -> None:
        message = Text(
            f"Buổi “{session.rule.name}” phải chờ: buổi trước chưa phát xong.",
            f"Session “{session.rule.name}” has to wait: the one before is not over.",
        )
        hint = Text("Dời một trong hai buổi, hoặc rút ngắn buổi trước.", "Move one of the two, or shorten the first.")
        self.findings.append(
            Finding(
                code="session_delayed", severity=Severity.WARNING, where=self._name(session), message=message, hint=hint
            )
        )

    def _find(self, code: str, item: RundownItem, message: Text, hint: Text | None = None) -> None:
        if item.end >= self.now - _LOOK_BACK:
            self.findings.append(
                Finding(code=code, severity=Severity.WARNING, where=item.slot, message=message, hint=hint)
            )


def _urgent(one_off: OneOff) -> bool:
    return one_off.priority is Priority.EMERGENCY


def _fills(place: SessionItem) -> bool:
    """Return whether a place takes as many recordings as fit. An exact time of its own lets it begin, cuts nobody."""
    return place.kind is ItemKind.FILLER and place.programme is not None


def _joined(item: RundownItem, previous: _Before | None) -> RundownItem:
    """Return the item, following the one before it without a gap where it begins when that one ends."""
    if previous is None or previous.ends != item.due or item.sha256 is None:
        return item
    return replace(item, joins=previous.slot)


def _clear(blocks: Iterable[RundownItem], start: datetime, length: timedelta) -> datetime:
    for blocked in sorted(blocks, key=lambda item: item.start):
        if start < blocked.end and blocked.start < start + max(length, timedelta(microseconds=1)):
            start = max(start, blocked.end)
    return start
