"""plan = f(intent, facts, now): the rundown of one station, with the reason for every item. Pure and replayable."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from schedules.airing import Airing, Facts, Run, RunState, Verdict
from schedules.calendar import Occurrence, occurrences, open_until, permitted
from schedules.choosing import Choice, choose, usable
from schedules.clock import Interval
from schedules.findings import Finding, Severity
from schedules.grid import ItemKind, OneOff, SessionItem, SlotId, Timing
from schedules.intent import Intent
from schedules.programme import ProgrammeCode
from schedules.reconcile import origin, starts_anew
from schedules.rundown import Rundown, RundownItem
from schedules.segment import Segment, SegmentId
from schedules.standing import Placed, open_programmes, stand
from schedules.station import Station, StationCode
from schedules.text import Text

LATE_LIMIT_S = {Timing.HARD: 30.0, Timing.SOFT: 300.0, Timing.RELATIVE: 300.0}
"""How late an item may begin and still count as aired."""

OVERRUN_LIMIT = timedelta(seconds=300)
"""How far a session that was delayed may run over its end."""

_LOOK_BACK = timedelta(hours=26)
_PAST = timedelta(seconds=5)
_LATEST = timedelta(seconds=max(LATE_LIMIT_S.values()))


def one_off_slot(station: StationCode, one_off: str) -> SlotId:
    """Return the slot of a one-off airing."""
    return f"{station}/oneoff/{one_off}"


def plan(intent: Intent, facts: Facts, now: datetime, horizon: Interval) -> Rundown:
    """Return what should air at `facts.station` in `horizon`, and how its duties stand.

    The same input gives the same rundown, in whatever order the parts of the input come.
    Slots with a final row come back as that row tells; runs that have begun keep the item they began with.
    """
    station = intent.station(facts.station)
    began = min(horizon.start, facts.since or horizon.start, now) - _LOOK_BACK
    flow = _Flow(intent=intent, station=station, facts=facts, now=now)
    flow.fill(Interval(began, horizon.end))
    # A slot of Friday keeps a duty from being made up on Saturday, also when only today was asked for.
    programmes, until = open_programmes(intent, station, facts, now, flow.items)
    if programmes and until > horizon.end:
        flow.look_ahead(Interval(horizon.end, until), programmes)
    placed = Placed(items=tuple(flow.items), taken=tuple(flow.taken), used=frozenset(flow.used))
    make_ups, standings, duty_findings = stand(intent, station, facts, now, placed)
    items = [*flow.items, *make_ups]
    kept = [i for i in items if i.start < horizon.end and max(i.end, i.due) >= horizon.start]
    return Rundown(
        station=station.code,
        revision=intent.revision,
        planned_at=now,
        items=tuple(sorted(kept, key=lambda i: (i.start, i.due, i.slot))),
        findings=(*flow.findings, *duty_findings),
        duties=standings,
    )


@dataclass(slots=True)
class _Flow:
    """One pass over the sessions and one-offs of a stretch, in time order."""

    intent: Intent
    station: Station
    facts: Facts
    now: datetime
    items: list[RundownItem] = field(default_factory=list)
    taken: list[Interval] = field(default_factory=list)
    used: set[SegmentId] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)
    finals: dict[SlotId, Airing] = field(default_factory=dict)
    begun: dict[SlotId, Run] = field(default_factory=dict)
    hard: list[RundownItem] = field(default_factory=list)
    soft: list[OneOff] = field(default_factory=list)
    busy_until: datetime | None = None
    on_air_until: datetime | None = None
    former: dict[str, list[Interval]] = field(default_factory=dict)

    def fill(self, during: Interval) -> None:
        """Place everything that is due in `during`."""
        self.finals = {row.slot: row for row in self.facts.airings}
        self.begun = {run.slot: run for run in self.facts.runs if run.state is not RunState.ARMED or run.parts}
        self._find_former()
        self.used = {run.item.segment for run in self.begun.values() if run.item.segment is not None}
        ordered = sorted(self.intent.one_offs, key=lambda o: (o.start, o.id))
        mine = [o for o in ordered if o.station == self.station.code and during.start <= o.start < during.end]
        for one_off in mine:
            if one_off.cancelled_at is not None:
                self._cancelled(one_off)
            elif one_off.timing is Timing.HARD:
                self._fixed(one_off)
            else:
                self.soft.append(one_off)
        under_way = [self._under_way(run) for run in self.begun.values() if run.state is not RunState.ENDED]
        self.on_air_until = max((self._ends(item) for item in under_way), default=None)
        sessions = occurrences(self.intent, self.station, during)
        for session in sessions:
            self._place_soft(session.during.start)
            self._session(session)
        self._place_soft(during.end)
        placed = {item.slot for item in self.items}
        for run in self.begun.values():
            if run.slot not in placed:
                # Its place is gone from the grid, or it is a make-up: it goes on, and takes its time.
                self._add(self._under_way(run))

    def look_ahead(self, during: Interval, programmes: frozenset[ProgrammeCode]) -> None:
        """Place the sessions of `during` that hold a slot of one of `programmes`."""
        for session in occurrences(self.intent, self.station, during):
            named = any(place.programme in programmes for place in session.rule.items)
            if named and session.during.start >= during.start:
                self._session(session)

    def _session(self, session: Occurrence) -> None:
        nominal = session.during.start
        due = max(nominal, self.busy_until or nominal)
        if due > nominal and session.during.end > self.now:
            self._delayed(session)
        previous: RundownItem | None = None
        for place in session.rule.items:
            slot = f"{self.station.code}/{session.name}/{session.day.isoformat()}/{place.id}"
            if (row := self.finals.get(slot)) is not None:
                nominal = max(nominal, row.planned_end)
                due = max(due, nominal if row.ended_at is None else row.ended_at)
                self._add(_from_row(row))
                previous = None
                continue
            if (run := self.begun.get(slot)) is not None:
                item = self._under_way(run)
                self._add(item)
                nominal = max(nominal, item.end)
                due = max(due, self._ends(item))
                if item.cut_at is not None:
                    due = max(nominal, self._ends(item))
                previous = item
                continue
            nominal = self._after_former(slot, nominal)
            due = self._soft_before(self._after_on_air(max(due, nominal)))
            choice = self._choice(place, due)
            if choice.segment is None and place.optional:
                continue
            length = choice.segment.duration if choice.segment else timedelta(0)
            clear = self._clear(nominal, length)
            due = self._clear(max(due, clear), length)
            pushed = clear != nominal
            nominal = clear
            item = self._item(slot, session, place, choice, nominal, due)
            item = self._admit(item, session, pushed=pushed)
            if item.sha256 is None or item.replaced_by is not None:
                self._add(item)
                continue
            if previous is not None and previous.due + (previous.end - previous.start) == item.due:
                item = replace(item, joins=previous.slot)
            self._add(item)
            lost = item.due + length <= self.now - _PAST or (self.now - nominal).total_seconds() > item.late_limit_s
            nominal = item.end
            if not lost:
                self.used.add(item.segment or "")
                started = max(item.due, self.now)
                due = started + length
                previous = item
            else:
                due = max(due, nominal)
                previous = None
        self.busy_until = max(due, self.busy_until or due)

    def _choice(self, place: SessionItem, due: datetime) -> Choice:
        if place.segment is not None:
            fixed = self.intent.segment(place.segment)
            if fixed is None:
                why = Text(
                    "Bài cố định của mục này không còn được duyệt.",
                    "The fixed item of this place is no longer approved.",
                )
                return Choice(segment=None, why=why)
            if self.facts.media is not None and fixed.sha256 not in self.facts.media:
                why = Text("Bài đã duyệt chưa có trên máy phát.", "The approved item is not on the station yet.")
                return Choice(segment=None, why=why)
            return Choice(segment=fixed, why=Text("Mục cố định của buổi phát.", "A fixed item of the session."))
        if place.programme is None:
            return Choice(segment=None, why=Text("Mục này chưa chọn bài.", "Nothing was chosen for this place."))
        return choose(self.intent, self.station, self.facts, place.programme, due, self.used)

    def _item(
        self,
        slot: SlotId,
        session: Occurrence,
        place: SessionItem,
        choice: Choice,
        start: datetime,
        due: datetime,
    ) -> RundownItem:
        segment = choice.segment
        first = place is session.rule.items[0]
        timing = Timing.HARD if first else Timing.RELATIVE
        item = RundownItem(
            slot=slot,
            station=self.station.code,
            session=f"{self.station.code}/{session.name}/{session.day.isoformat()}",
            session_end=session.during.end,
            start=start,
            end=start,
            due=due,
            kind=place.kind,
            programme=place.programme or (segment.programme if segment else None),
            timing=timing,
            segment=None,
            title="",
            sha256=None,
            pcm_sha256=None,
            samples=0,
            topics=(),
            late_limit_s=LATE_LIMIT_S[Timing.RELATIVE],
            why=choice.why,
        )
        return _with_audio(item, segment)

    def _admit(self, item: RundownItem, session: Occurrence, *, pushed: bool) -> RundownItem:
        """Return the item, or the same without audio where it may not begin: no room left, or outside the hours."""
        if item.sha256 is None:
            self._find("no_audio", item, item.why)
            return item
        length = item.end - item.start
        if item.end > session.during.end or item.due + length > session.during.end + OVERRUN_LIMIT:
            if pushed and (blocker := self._blocker(session.during)) is not None:
                why = Text("Nhường giờ cho lượt phát đã xếp riêng.", "Gives way to an airing ordered by itself.")
                return replace(item, replaced_by=blocker.slot, why=why)
            why = Text("Không đủ giờ trong buổi phát.", "Not enough time left in the session.")
            self._find("does_not_fit", item, why)
            return _without_audio(item, why)
        if not permitted(self.station, Interval(item.due, item.due + length)):
            why = Text("Ngoài khung giờ được phép phát.", "Outside the permitted hours.")
            self._find("outside_hours", item, why)
            return _without_audio(item, why)
        return replace(item, open_until=open_until(self.station, item.due))

    def _under_way(self, run: Run) -> RundownItem:
        """Return the item of a run that has begun, with the moment at which an ordered airing cuts it.

        Without audio where it was interrupted and is not approved any more: then it does not go on.
        """
        item = replace(run.item, due=origin(run))
        if run.state in (RunState.INTERRUPTED, RunState.ARMED):
            segment = self.intent.segment(run.item.segment or "")
            if segment is None or segment.sha256 != run.item.sha256:
                why = Text(
                    "Bài không còn được duyệt khi máy phát lại được.",
                    "The item was no longer approved when it could have gone on.",
                )
                return _without_audio(item, why)
        if run.state is RunState.INTERRUPTED and starts_anew(run, self.now):
            item = replace(item, due=max(item.due, self.now))
        ends = item.due + (item.end - item.start)
        cuts = [h.start for h in self.hard if h.slot != run.slot and item.due < h.start < ends]
        return replace(item, cut_at=min(cuts)) if cuts else item

    def _ends(self, item: RundownItem) -> datetime:
        """Return from when on the time of `item` is free again."""
        return item.due + (item.end - item.start) if item.cut_at is None else self._after_hard(item.cut_at)

    def _after_on_air(self, due: datetime) -> datetime:
        """Return `due`, or when what is on air now ends: there is one source at a time. What is long past stays so."""
        if self.on_air_until is None or due < self.now - _LATEST:
            return due
        return max(due, self.on_air_until)

    def _find_former(self) -> None:
        """Note per session and day what took its time there, also where its place is not in the grid any more."""
        times = [(row.slot, row.planned_start, row.planned_end) for row in self.finals.values()]
        times += [(run.slot, run.item.start, run.item.end) for run in self.begun.values()]
        for slot, start, end in times:
            if end > start:
                self.former.setdefault(slot.rpartition("/")[0], []).append(Interval(start, end))

    def _after_former(self, slot: SlotId, nominal: datetime) -> datetime:
        for stretch in sorted(self.former.get(slot.rpartition("/")[0], ())):
            if stretch.contains(nominal):
                nominal = stretch.end
        return nominal

    def _fixed(self, one_off: OneOff) -> None:
        item = self._one_off(one_off, one_off.start)
        row = self.finals.get(item.slot)
        # One that was stopped, missed or cancelled no longer keeps others away from the rest of its time.
        over = item.end if row is None else min(item.end, max(item.start, row.ended_at or item.start))
        self.hard.append(replace(item, end=over))
        self._add(item)

    def _soft_before(self, due: datetime) -> datetime:
        while self.soft and self.soft[0].start <= due:
            due = self._soft(self.soft.pop(0), due)
        return due

    def _place_soft(self, before: datetime) -> None:
        while self.soft and self.soft[0].start < before:
            one_off = self.soft.pop(0)
            ends = self._soft(one_off, max(one_off.start, self.busy_until or one_off.start))
            self.busy_until = max(ends, self.busy_until or ends)

    def _soft(self, one_off: OneOff, due: datetime) -> datetime:
        """Place a soft airing at or after `due`; return when it ends."""
        item = self._one_off(one_off, self._after_on_air(due))
        self._add(item)
        if item.slot in self.finals:
            return due
        return max(due, self._ends(item))

    def _one_off(self, one_off: OneOff, due: datetime) -> RundownItem:
        slot = one_off_slot(self.station.code, one_off.id)
        if (row := self.finals.get(slot)) is not None:
            return _from_row(row)
        if (run := self.begun.get(slot)) is not None:
            return replace(self._under_way(run), cancelled_by=one_off.cancelled_by)
        segment = self.intent.segment(one_off.segment)
        why = Text(
            f"Lượt phát riêng do {one_off.ordered_by} xếp.",
            f"A single airing ordered by {one_off.ordered_by}.",
        )
        if segment is not None and not usable(self.intent, self.station, segment):
            segment = None
        if segment is None:
            why = Text("Bài của lượt phát riêng không còn được duyệt.", "The ordered item is no longer approved.")
        elif self.facts.media is not None and segment.sha256 not in self.facts.media:
            segment, why = (
                None,
                Text("Bài đã duyệt chưa có trên máy phát.", "The approved item is not on the station yet."),
            )
        if segment is not None and one_off.timing is not Timing.HARD:
            due = self._clear(due, segment.duration)
        item = RundownItem(
            slot=slot,
            station=self.station.code,
            session=None,
            session_end=None,
            start=one_off.start,
            end=one_off.start,
            due=due,
            kind=ItemKind.SEGMENT,
            programme=segment.programme if segment else None,
            timing=one_off.timing,
            late_limit_s=LATE_LIMIT_S[one_off.timing],
            segment=None,
            title="",
            sha256=None,
            pcm_sha256=None,
            samples=0,
            topics=(),
            why=why,
            open_until=open_until(self.station, due),
            cancelled_by=one_off.cancelled_by,
        )
        item = _with_audio(item, segment)
        if segment is not None and not permitted(self.station, Interval(due, due + segment.duration)):
            why = Text("Ngoài khung giờ được phép phát.", "Outside the permitted hours.")
            self._find("outside_hours", item, why)
            return _without_audio(item, why)
        if segment is not None:
            self.used.add(segment.id)
        return item

    def _cancelled(self, one_off: OneOff) -> None:
        item = self._one_off(one_off, one_off.start)
        self.items.append(item)

    def _clear(self, start: datetime, length: timedelta) -> datetime:
        """Return the first moment at or after `start` at which `length` fits between the hard airings."""
        for blocked in sorted(self.hard, key=lambda item: item.start):
            if start < blocked.end and blocked.start < start + max(length, timedelta(microseconds=1)):
                start = max(start, blocked.end)
        return start

    def _after_hard(self, moment: datetime) -> datetime:
        ends = [item.end for item in self.hard if item.start <= moment < item.end]
        return max(ends, default=moment)

    def _blocker(self, during: Interval) -> RundownItem | None:
        inside = [h for h in self.hard if h.end > h.start and Interval(h.start, h.end).overlaps(during)]
        return min(inside, key=lambda h: h.start, default=None)

    def _add(self, item: RundownItem) -> None:
        self.items.append(item)
        if item.sha256 is not None and item.replaced_by is None:
            self.taken.append(Interval(item.due, item.due + (item.end - item.start)))

    def _delayed(self, session: Occurrence) -> None:
        message = Text(
            f"Buổi “{session.rule.name}” phải chờ: buổi trước chưa phát xong.",
            f"Session “{session.rule.name}” has to wait: the one before is not over.",
        )
        where = f"{self.station.code}/{session.name}/{session.day.isoformat()}"
        self.findings.append(Finding(code="session_delayed", severity=Severity.WARNING, where=where, message=message))

    def _find(self, code: str, item: RundownItem, message: Text) -> None:
        if item.end >= self.now - _LOOK_BACK:
            self.findings.append(Finding(code=code, severity=Severity.WARNING, where=item.slot, message=message))


def _with_audio(item: RundownItem, segment: Segment | None) -> RundownItem:
    if segment is None:
        return item
    return replace(
        item,
        segment=segment.id,
        title=segment.title,
        sha256=segment.sha256,
        pcm_sha256=segment.pcm_sha256,
        samples=segment.samples,
        topics=segment.topics,
        self_approved=segment.self_approved,
        end=item.start + segment.duration,
    )


def _without_audio(item: RundownItem, why: Text) -> RundownItem:
    """Return the item as a place that stays empty, and why; the title stays, for those who read the plan."""
    return replace(
        item,
        segment=None,
        sha256=None,
        pcm_sha256=None,
        samples=0,
        topics=(),
        self_approved=False,
        end=item.start,
        why=why,
    )


def _from_row(row: Airing) -> RundownItem:
    aired = row.verdict in (Verdict.AIRED, Verdict.PARTIAL)
    return RundownItem(
        slot=row.slot,
        station=row.station,
        session=None,
        session_end=None,
        start=row.planned_start,
        end=row.planned_end,
        due=row.started_at or row.planned_start,
        kind=ItemKind(row.kind),
        programme=row.programme,
        segment=row.segment,
        title=row.title,
        sha256=row.sha256 if aired else None,
        pcm_sha256=None,
        samples=row.samples_expected,
        topics=row.topics,
        timing=Timing.RELATIVE,
        late_limit_s=0.0,
        why=row.reason or Text("Đã có trong nhật ký phát sóng.", "Already in the air log."),
        duty=row.duty,
    )


def check_one_off(
    intent: Intent, one_off: OneOff, now: datetime, settled: Collection[SlotId] = ()
) -> tuple[Finding, ...]:
    """Return what speaks against ordering `one_off` (errors) and what it will cost (warnings).

    settled: slots that have their row already; such an order stands in nobody's way any more.
    """
    findings: list[Finding] = []

    def refuse(code: str, vi: str, en: str, hint: Text | None = None) -> None:
        findings.append(Finding(code=code, severity=Severity.ERROR, where="start", message=Text(vi, en), hint=hint))

    station = intent.station(one_off.station)
    segment = intent.segment(one_off.segment)
    if segment is None or not usable(intent, station, segment):
        refuse(
            "not_approved",
            "Bài này chưa được duyệt cho đài này.",
            "This item is not approved for this station.",
        )
        return tuple(findings)
    if one_off.start < now:
        refuse("in_the_past", "Giờ phát đã qua. Hãy chọn giờ sau.", "The start has passed. Choose a later time.")
    if not segment.valid_at(one_off.start):
        refuse("not_valid", "Bài không còn hiệu lực vào giờ đó.", "The item is not valid at that time.")
    during = Interval(one_off.start, one_off.start + segment.duration)
    if not permitted(station, during):
        hours = ", ".join(f"{h.start:%H:%M}–{h.end:%H:%M}" for h in station.permitted)
        refuse(
            "outside_hours",
            f"Ngoài khung giờ được phép phát của đài ({hours}).",
            f"Outside the station's permitted hours ({hours}).",
        )
    for other in intent.one_offs:
        if other.station != one_off.station or other.cancelled_at is not None or other.id == one_off.id:
            continue
        if one_off_slot(other.station, other.id) in settled:
            continue
        known = intent.segment(other.segment)
        if known is not None and Interval(other.start, other.start + known.duration).overlaps(during):
            over = (other.start + known.duration + timedelta(seconds=1)).astimezone(ZoneInfo(station.zone))
            free = f"{over:%H:%M:%S %d/%m/%Y}"
            refuse(
                "conflict",
                "Giờ đó đã có lượt phát riêng khác. Lịch chưa đổi.",
                "Another single airing is ordered for that time. Nothing was changed.",
                Text(f"Lượt đó phát xong trước {free}.", f"That airing is over by {free}."),
            )
    for session in occurrences(intent, station, during):
        message = Text(
            f"Trùng buổi “{session.rule.name}”: các mục của buổi phát sẽ nhường giờ.",
            f"Falls into session “{session.rule.name}”: its items give way.",
        )
        findings.append(Finding(code="gives_way", severity=Severity.WARNING, where=session.name, message=message))
    return tuple(findings)
