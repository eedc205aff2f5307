"""What must hold after every step, checked against what the village heard and not against what the station says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from link.codec import load
from playout.journal.journal import Row
from playout.simulation.loudspeaker import Heard
from playout.simulation.simulatedclock import EPOCH, micros, moment
from playout.simulation.station import SimulatedStation
from schedules.airing import Airing, RunState, Verdict
from schedules.duty import Counting, Duty, DutyOutcome, DutyState
from schedules.grid import ItemKind, SlotId
from schedules.intent import Intent
from schedules.segment import Priority
from schedules.station import DaySpan, Station

KNOWN_WITHIN = timedelta(seconds=20)
"""How soon the station itself knows of a missed slot (I11)."""

_WHOLE = 0.95
_TOLERANCE_US = 2_000
_APPROVED_BEFORE_US = 1_000_000
_UNSAVED_SAMPLES = 48_000
"""Progress inside an airing is saved at least once a second; what a power cut takes of it was heard all the same."""

_TAKEN_BACK_US = 1_000_000
_LOOK_BACK_US = 7_200_000_000
_BEFORE_US = 120_000_000

Report = Callable[[str, str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Begun:
    """What was known when an airing began to sound."""

    offset_us: int
    emergency: bool


class Witness:
    """The independent model of one station. `wrong` is told the invariant and what is wrong; checks goes up."""

    def __init__(self, station: SimulatedStation, *, wrong: Report) -> None:
        self._station = station
        self._wrong = wrong
        self.checks = 0
        self.airings: dict[SlotId, Airing] = {}
        self.outcomes: dict[tuple[str, str], DutyOutcome] = {}
        self._rows = 0
        self._revision = 0
        self._stretches = 0
        self._begun: dict[str, _Begun] = {}
        self._loud: dict[str, list[Heard]] = {}

    # After every step

    def look(self) -> None:
        """Check what happened since the last look."""
        self._look_at_rows()
        self._look_at_sound()
        self._look_at_what_is_owed()

    def begun(self, airing: str, sha256: str, at_us: int) -> None:
        """Check that what begins to sound now may: approved, as far as the station knew a second ago (I1, I2)."""
        self.checks += 2
        station = self._station
        intent = station.received
        slot = airing.rpartition("#")[0]
        emergency = intent is not None and _is_emergency(intent, slot)
        self._begun[airing] = _Begun(offset_us=station.clock.offset_us, emergency=emergency)
        # What is so near its start when the clock jumps is on the bus already; it is taken back at the next look.
        if not station.trusted and at_us - station.stepped_us > _TAKEN_BACK_US:
            self._wrong("I2", f"{slot} began to sound without a trusted clock")
        if intent is None or at_us - station.received_us < _APPROVED_BEFORE_US:
            return
        if all(segment.sha256 != sha256 for segment in intent.segments):
            self._wrong("I1", f"{slot} began with a recording that is not approved")

    def _look_at_rows(self) -> None:
        rows = self._station.disk.rows
        for row in rows[self._rows :]:
            self.checks += 1
            if row.seq != self._rows + 1:
                self._wrong("I8", f"row {row.seq} stands where {self._rows + 1} should")
            self._rows += 1
            match row.kind:
                case "verdict":
                    self._look_at_verdict(load(Airing, row.body))
                case "intent":
                    self._look_at_revision(row)
                case "duty":
                    outcome = load(DutyOutcome, row.body)
                    key = (outcome.duty, outcome.period)
                    if key in self.outcomes:
                        self._wrong("I7", f"duty {outcome.duty} of {outcome.period} ended twice")
                    self.outcomes[key] = outcome

    def _look_at_revision(self, row: Row) -> None:
        revision = int(row.body["revision"])
        if revision < self._revision:
            self._wrong("I9", f"the plan went back from revision {self._revision} to {revision}")
        self._revision = revision

    def _look_at_verdict(self, airing: Airing) -> None:
        self.checks += 3
        station = self._station
        slot = airing.slot
        if slot in self.airings:
            self._wrong("I6", f"{slot} ended twice: {self.airings[slot].verdict}, {airing.verdict}")
        self.airings[slot] = airing
        station.settled.add(slot)
        heard = [station.loudspeaker.samples(slot, output.name) for output in airing.outputs]
        least = min(heard, default=0)
        if airing.verdict is Verdict.AIRED and least < _WHOLE * airing.samples_expected - 100:
            self._wrong("I5", f"{slot} is aired, but {least} of {airing.samples_expected} samples were heard")
        if airing.verdict in (Verdict.CANCELLED, Verdict.REPLACED, Verdict.MISSED) and least > _UNSAVED_SAMPLES:
            self._wrong("I5", f"{slot} is {airing.verdict}, but {least} samples were heard")
        if airing.verdict in (Verdict.MISSED, Verdict.PARTIAL) and airing.sha256 is not None:
            self._look_for_a_cause(airing)

    def _look_for_a_cause(self, airing: Airing) -> None:
        """What had power, time, audio and an output must air, whatever the network does (I10)."""
        self.checks += 1
        station = self._station
        # A clock that shows 1970 says nothing about when it was planned.
        known = abs(station.clock.offset_us) < _LOOK_BACK_US
        start_us = micros(airing.planned_start) - (station.clock.offset_us if known else 0)
        since_us, until_us = start_us - _LOOK_BACK_US, max(station.clock.true_us, start_us)
        if any(t.start_us <= until_us and t.end_us >= since_us for t in station.troubles):
            return
        reason = airing.reason.en if airing.reason is not None else ""
        self._wrong("I10", f"{airing.slot} is {airing.verdict} without a cause: {reason}")

    def _look_at_sound(self) -> None:
        stretches = self._station.loudspeaker.heard
        for stretch in stretches[self._stretches :]:
            self.checks += 2
            loud = self._loud.setdefault(stretch.output, [])
            for other in loud[-4:]:
                both = min(other.loud_until_us, stretch.loud_until_us) - max(other.start_us, stretch.start_us)
                if both > _TOLERANCE_US:
                    self._wrong("I3", f"{stretch.airing} and {other.airing} sounded together for {both / 1e6:.3f} s")
            loud.append(stretch)
            self._look_at_hours(stretch)
        self._stretches = len(stretches)

    def _look_at_hours(self, stretch: Heard) -> None:
        begun, intent = self._begun.get(stretch.airing), self._station.received
        if begun is None or begun.emergency or intent is None:
            return
        stepped = abs(begun.offset_us - self._station.clock.offset_us) > _TOLERANCE_US
        station = intent.station(self._station.code)
        end_us = stretch.start_us if stepped else stretch.end_us - _TOLERANCE_US
        for at_us in (*range(stretch.start_us, end_us, 60_000_000), end_us):
            wall = moment(at_us + begun.offset_us)
            if not open_at(station, wall):
                self._wrong("I2", f"{stretch.slot} sounded at {wall:%H:%M:%S} UTC, outside the permitted hours")
                return

    def _look_at_what_is_owed(self) -> None:
        daemon = self._station.daemon
        rundown = daemon.rundown if daemon is not None else None
        if daemon is None or rundown is None or not self._station.trusted:
            return
        now, since = self._station.clock.now(), self._since()
        runs = {run.slot: run for run in daemon.runs}
        self.checks += 1
        for item in rundown.items:
            if item.start > now or since is None or item.slot in self.airings or item.slot in runs:
                continue
            # A relay may yet be joined as long as its place lasts.
            begins = item.end if item.relay is not None else item.start + timedelta(seconds=item.late_limit_s)
            latest = begins + KNOWN_WITHIN
            if now > latest and item.start >= since:
                self._wrong("I11", f"{item.slot} is overdue since {latest:%d.%m. %H:%M:%S} UTC and has no row")
        for run in runs.values():
            over = run.item.end + timedelta(minutes=6)
            if run.state is RunState.INTERRUPTED and now > max(over, run.item.due + timedelta(hours=1)):
                self._wrong("I11", f"{run.slot} is interrupted and was never judged")

    def _since(self) -> datetime | None:
        rows = self._station.disk.rows
        first = next((row for row in rows if row.clock == "trusted"), None)
        return first.at if first is not None else None

    # At the end

    def look_at_the_end(self, expected: Iterable[SlotId]) -> None:
        """Check the whole chain, and that every slot that was due has its row (I4, I6)."""
        self._station.disk.verify()
        self.checks += 1
        for slot in expected:
            self.checks += 1
            if slot not in self.airings:
                self._wrong("I6", f"{slot} was due and has no row")

    def look_at_duty(self, outcome: DutyOutcome, duty: Duty, during: tuple[datetime, datetime]) -> None:
        """Check that a duty is green only for whole airings that were heard, each once, and red only without (I7)."""
        self.checks += 1
        good = [row for row in self.airings.values() if self._counts(row, duty, during)]
        number = len(good)
        if duty.counting is Counting.TOPICS:
            number = len({topic for row in good for topic in row.topics if _wanted(duty, topic)})
        if len(set(outcome.slots)) != len(outcome.slots):
            self._wrong("I7", f"duty {duty.code} of {outcome.period} counts a slot twice")
        green = outcome.state in (DutyState.MET, DutyState.MADE_UP)
        if green and number < duty.count:
            self._wrong("I7", f"duty {duty.code} of {outcome.period} is {outcome.state}, but {number} were heard whole")
        if outcome.state is DutyState.MISSED and number >= duty.count:
            self._wrong("I7", f"duty {duty.code} of {outcome.period} is missed, but {number} were heard whole")

    def _counts(self, row: Airing, duty: Duty, during: tuple[datetime, datetime]) -> bool:
        began = row.started_at
        if row.verdict is not Verdict.AIRED or began is None or not during[0] <= began < during[1]:
            return False
        if duty.programme is not None and row.programme != duty.programme:
            return False
        narrow = duty.topic_prefix or duty.topics
        if narrow and not any(_wanted(duty, topic) for topic in row.topics):
            return False
        heard = (self._station.loudspeaker.samples(row.slot, output.name) for output in row.outputs)
        return all(samples >= _WHOLE * row.samples_expected - 100 for samples in heard)


def _wanted(duty: Duty, topic: str) -> bool:
    if duty.topics and topic not in duty.topics:
        return False
    return topic.startswith(duty.topic_prefix)


def _is_emergency(intent: Intent, slot: SlotId) -> bool:
    name = slot.rpartition("/")[2]
    return "/oneoff/" in slot and any(o.id == name and o.priority is Priority.EMERGENCY for o in intent.one_offs)


def open_at(station: Station, at: datetime) -> bool:
    """Return whether scheduled sound may go out at one moment; reckoned from the wall, not from stretches."""
    local = at.astimezone(ZoneInfo(station.zone)).replace(tzinfo=None)

    def inside(spans: tuple[DaySpan, ...]) -> bool:
        for span in spans:
            for back in (0, 1):
                day = local.date() - timedelta(days=back)
                end_day = day if span.end > span.start else day + timedelta(days=1)
                begin, end = datetime.combine(day, span.start), datetime.combine(end_day, span.end)
                if day.isoweekday() in span.weekdays and begin <= local < end:
                    return True
        return False

    return inside(station.permitted) and not inside(station.quiet)


def due_slots(intent: Intent, station: Station, first: date, last: date) -> Mapping[SlotId, datetime]:
    """Return the slots that the plain weekly rules of a station name on these dates, with the session's start.

    Reckoned here anew, from weekdays and local times alone; rules of any other kind, and with exceptions, are left
    out, and so are places that may stay empty without a word: optional ones, and fillers, which number what they take.
    """
    zone = ZoneInfo(station.zone)
    found: dict[SlotId, datetime] = {}
    if intent.templates or intent.calendar:
        return found
    changed = {(one.station, one.session) for one in intent.exceptions}
    for rule in intent.sessions:
        plain = rule.every_weeks == 1 and not rule.month_days and not rule.nth_weekdays and not rule.only
        if (rule.station, rule.id) in changed:
            continue
        if rule.station != station.code or not plain or rule.until is not None or rule.template is not None:
            continue
        for day in (first + timedelta(days=n) for n in range((last - first).days + 1)):
            inside = all((one.valid_from or day) <= day <= (one.valid_until or day) for one in (rule, station))
            if day.isoweekday() not in rule.weekdays or not inside:
                continue
            for number, at in enumerate(rule.starts, start=1):
                start = datetime.combine(day, at, tzinfo=zone).astimezone(EPOCH.tzinfo)
                name = rule.id if len(rule.starts) == 1 else f"{rule.id}.{number}"
                if start >= rule.since:
                    found |= {
                        f"{station.code}/{name}/{day.isoformat()}/{place.id}": start
                        for place in rule.items
                        if not place.optional and place.kind is not ItemKind.FILLER
                    }
    return found


def midnight(zone: ZoneInfo, day: date) -> datetime:
    """Return the instant at which a local day begins, where no clock change falls on it."""
    return datetime.combine(day, time(0), tzinfo=zone).astimezone(EPOCH.tzinfo)
