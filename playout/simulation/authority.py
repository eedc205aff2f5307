"""The simulated authority: intent as people change it from day to day, late and badly timed too."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, datetime, timedelta

from link.scenario import Scenario
from schedules.findings import errors
from schedules.grid import Change, OneOff, SessionException, SlotId, Timing
from schedules.intent import Intent
from schedules.ordering import check_one_off
from schedules.segment import Priority, Segment
from schedules.station import StationCode


class Authority:
    """What is decided now. Every act makes a new revision, `intent`; `touched` are the sessions that were edited."""

    def __init__(self, scenario: Scenario, *, first: datetime, last: datetime, seed: int) -> None:
        self._random = random.Random(f"{seed}/authority")
        self._number = 0
        self._withdrawn: dict[str, Segment] = {}
        self.intent: Intent = scenario.intent(first)
        known = {segment.id for segment in self.intent.segments}
        self.coming: tuple[Segment, ...] = tuple(
            sorted(
                (one for one in scenario.intent(last).segments if one.id not in known),
                key=lambda one: (one.approved_at, one.id),
            )
        )
        self.touched: set[tuple[StationCode, str]] = set()

    def approve(self, segment: Segment) -> None:
        """Approve a recording that an officer brought."""
        self._decide(segments=(*self.intent.segments, segment))

    def restore(self, segment: str) -> None:
        """Approve again what was withdrawn."""
        known = self._withdrawn.pop(segment, None)
        if known is not None:
            self.approve(known)

    def withdraw(self, segment: str) -> bool:
        """Take an approval back; False where there is none."""
        known = self.intent.segment(segment)
        if known is None:
            return False
        self._withdrawn[segment] = known
        self._decide(segments=tuple(one for one in self.intent.segments if one.id != segment))
        return True

    def approve_newer(self, like: Segment, now: datetime) -> None:
        """Approve a recording of the same programme at the last moment."""
        self._number += 1
        name = f"late-{self._number}"
        sha256 = name.encode().hex().ljust(64, "0")
        self.approve(
            replace(like, id=name, title=name, sha256=sha256, pcm_sha256=sha256, approved_at=now, episode=None)
        )

    def order(
        self,
        station: StationCode,
        segment: str,
        start: datetime,
        now: datetime,
        *,
        timing: Timing = Timing.HARD,
        priority: Priority = Priority.NORMAL,
    ) -> str | None:
        """Order a single airing as the pages do; returns its id, None where it is refused. Emergencies are not."""
        self._number += 1
        one_off = OneOff(
            id=f"o{self._number}",
            station=station,
            segment=segment,
            start=start,
            timing=timing,
            ordered_by="Bà Hạnh",
            ordered_at=now,
            priority=priority,
        )
        if priority is not Priority.EMERGENCY and errors(check_one_off(self.intent, one_off, now)):
            return None
        self._decide(one_offs=(*self.intent.one_offs, one_off))
        return one_off.id

    def cancel(self, one_off: str, now: datetime) -> None:
        """Cancel a single airing."""
        changed = tuple(
            replace(one, cancelled_by="Ông Bình", cancelled_at=now) if one.id == one_off else one
            for one in self.intent.one_offs
        )
        self._decide(one_offs=changed)

    def except_session(self, slot: SlotId, change: Change, now: datetime) -> bool:
        """Cancel or move the session of a slot on its date; False where the slot is of no session."""
        station, session, day, _ = slot.split("/") if slot.count("/") == 3 else ("", "", "", "")
        rule = next(
            (r for r in self.intent.sessions if r.station == station and r.id == session.partition(".")[0]), None
        )
        if rule is None:
            return False
        self._number += 1
        number = int(session.partition(".")[2] or 1)
        moved = (datetime.combine(date.fromisoformat(day), rule.starts[number - 1]) + timedelta(minutes=20)).time()
        exception = SessionException(
            id=f"e{self._number}",
            station=station,
            session=rule.id,
            day=date.fromisoformat(day),
            change=change,
            number=number if len(rule.starts) > 1 else None,
            to_start=moved if change is Change.MOVE else None,
            since=now,
        )
        self.touched.add((station, rule.id))
        self._decide(exceptions=(*self.intent.exceptions, exception))
        return True

    def drop_last_place(self, slot: SlotId) -> bool:
        """Take the last place out of the session of a slot; False where that is not possible."""
        station, session = slot.split("/")[:2]
        for rule in self.intent.sessions:
            if rule.station == station and rule.id == session.partition(".")[0] and len(rule.items) > 2:
                shorter = replace(rule, items=rule.items[:-1])
                self.touched.add((station, rule.id))
                self._decide(sessions=tuple(shorter if one is rule else one for one in self.intent.sessions))
                return True
        return False

    def _decide(self, **changes: object) -> None:
        # dataclasses.replace takes any field by name; the callers above name only fields of Intent.
        self.intent = replace(self.intent, revision=self.intent.revision + 1, **changes)  # type: ignore[arg-type]
