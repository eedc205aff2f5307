"""Looks after equipment: counts days on air, opens tickets for faults that last, tells the tier above, reminds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from config import StationOutputs
from link.door import StationDoor
from schedules.checklist import check_due
from schedules.clock import Clock
from schedules.station import GroupCode, Station, StationCode, Unit, units_above
from schedules.upkeep import FAULT_RULES, NO_CONTACT, FaultRule, Trouble, UpkeepRules, escalate_on, fault_rule
from schedules.upkeep import opens_ticket as opens
from store import airdays, faults, inspections, outgoing, stations, steps, tickets, units, upkeep
from store.accounts import Role
from store.database import Database
from store.faults import Fault
from store.tickets import Ticket

TEND_S = 60
"""How often faults and stations are looked at, seconds."""
_MOST = 500
_RECENT = timedelta(days=2)
_DAY = timedelta(days=1)
_MONDAY = 0
_SILENT_STATION = FaultRule(code=NO_CONTACT, after_s=0, trouble=Trouble.MACHINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tender:
    """Tends the equipment of one authority. clusters: by station and output, where an output is one cluster's.

    demo: rehearsals count as heard. base_url: of links in messages; empty for paths alone.
    """

    database: Database
    clock: Clock
    doors: Mapping[StationCode, StationDoor]
    clusters: Mapping[tuple[StationCode, str], GroupCode]
    demo: bool
    base_url: str = ""

    def run(self) -> None:
        """Do what is due now; may be run as often as one likes."""
        now = self.clock.now()
        with self.database.reading() as session:
            every = stations.every(session)
            rules = upkeep.rules(session)
        self._count_days(every)
        self._open(every, rules, now)
        self._end(every, now)
        self._escalate(every, rules, now)

    def daily(self) -> None:
        """Remind communes of their own checks, and forget telephone numbers whose time is over."""
        now = self.clock.now()
        with self.database.writing() as session:
            rules = upkeep.rules(session)
            steps.forget_phones(session, now - timedelta(days=rules.phone_days))
            every = stations.every(session)
            last = inspections.last_own(session, [one.code for one in every])
            for station in every:
                today = now.astimezone(ZoneInfo(station.zone)).date()
                if in_service(station, today) and reminder_due(last.get(station.code), rules, today):
                    self._remind(session, station, last.get(station.code), now)

    def _count_days(self, every: Sequence[Station]) -> None:
        with self.database.reading() as session:
            behind = [one for one in every if airdays.behind(session, one.code)]
        for station in behind:
            more = True
            while more:
                with self.database.writing() as session:
                    more = airdays.follow(session, station.code, station.zone, demo=self.demo)

    def _open(self, every: Sequence[Station], rules: UpkeepRules, now: datetime) -> None:
        codes = [one.code for one in every]
        with self.database.reading() as session:
            found = list(faults.listing(session, stations=codes, open=True, limit=_MOST))
            for rule in FAULT_RULES:
                if rule.momentary:
                    found += faults.listing(
                        session,
                        stations=codes,
                        open=False,
                        code=rule.code,
                        start=now - _RECENT,
                        end=now + _DAY,
                        limit=_MOST,
                    )
        due = [(one, its) for one in found if (its := fault_rule(one.code)) and _ripe(one, its, rules, now)]
        lost = [(one, contact) for one in every if (contact := self._lost(one, rules, now)) is not None]
        if not due and not lost:
            return
        with self.database.writing() as session:
            for fault, its in due:
                tickets.from_fault(
                    session,
                    station=fault.station,
                    cluster=self._cluster(fault),
                    code=fault.code,
                    seq=fault.seq,
                    rule=its,
                    since=fault.since if fault.trusted else now,
                    lasts=fault.open,
                    message=fault.message.vi if fault.message else fault.code,
                    now=now,
                    rules=rules,
                )
            for station, contact in lost:
                local = contact.astimezone(ZoneInfo(station.zone))
                tickets.from_fault(
                    session,
                    station=station.code,
                    cluster="",
                    code=NO_CONTACT,
                    seq=int(contact.timestamp() // 60),
                    rule=_SILENT_STATION,
                    since=contact,
                    lasts=True,
                    message=f"Không liên lạc được với máy phát của đài từ {local:%H:%M} ngày {local:%d/%m/%Y}.",
                    now=now,
                    rules=rules,
                )

    def _end(self, every: Sequence[Station], now: datetime) -> None:
        codes = [one.code for one in every]
        with self.database.reading() as session:
            watched = tickets.of_faults(session, codes)
            lasting = {
                (one.station, one.code) for one in faults.listing(session, stations=codes, open=True, limit=_MOST)
            }
            rules = upkeep.rules(session)
            by_code = {one.code: one for one in every}
            over = [
                one
                for one in watched
                if (one.station, one.fault_code) not in lasting
                and not (one.fault_code == NO_CONTACT and self._lost(by_code[one.station], rules, now) is not None)
            ]
            ends = {one.id: _ended(session, one) or now for one in over}
        if over:
            with self.database.writing() as session:
                for one in over:
                    tickets.recovered(session, one, at=ends[one.id], now=now)

    def _escalate(self, every: Sequence[Station], rules: UpkeepRules, now: datetime) -> None:
        days = timedelta(days=rules.escalate_days)
        with self.database.reading() as session:
            # A day less: the day counts as the station's people count it.
            old = tickets.not_accepted(session, opened_before=now - days + _DAY, told_before=now - days + _DAY)
            tree = units.every(session)
        by_code = {one.code: one for one in every}
        due = [one for one in old if one.station in by_code and _told_today(one, by_code[one.station], rules, now)]
        if not due:
            return
        with self.database.writing() as session:
            for one in due:
                self._tell_above(session, one, by_code[one.station], tree, now)

    def _tell_above(
        self, session: Session, ticket: Ticket, station: Station, tree: tuple[Unit, ...], now: datetime
    ) -> None:
        above = units_above(tree, station.unit)
        if ticket.tiers >= len(above):
            tickets.wait(session, ticket.id, now)
            return
        unit = above[ticket.tiers]
        name = next((one.name for one in tree if one.code == unit), unit)
        people = upkeep.people_of(session, (unit,), (Role.CENTRE,))
        tickets.escalated(session, ticket.id, to=name, people=[one.full_name for one in people], now=now)
        if people:
            age = (now - ticket.opened_at).days
            outgoing.queue(
                session,
                to=[one.id for one in people],
                subject=f"Chưa khắc phục sau {age} ngày: {ticket.name}, {station.name}",
                text=f"{ticket.what}\n\n{self.base_url}/thiet-bi/phieu/{ticket.id}",
                kind="ticket.escalated",
                now=now,
            )

    def _remind(self, session: Session, station: Station, last: date | None, now: datetime) -> None:
        officers = upkeep.people_of(session, (station.unit,), (Role.OPERATOR,))
        if not officers:
            return
        said = f"lần cuối {last:%d/%m/%Y}" if last else "chưa lần nào"
        outgoing.queue(
            session,
            to=[one.id for one in officers],
            subject=f"Đến kỳ tự kiểm tra thiết bị: {station.name}",
            text=f"{station.name}: {said}.\n\n{self.base_url}/kiem-tra",
            kind="check.due",
            now=now,
        )

    def _cluster(self, fault: Fault) -> GroupCode:
        rule = fault_rule(fault.code)
        output = fault.code.removeprefix(rule.code) if rule is not None else ""
        return self.clusters.get((fault.station, output), "")

    def _lost(self, station: Station, rules: UpkeepRules, now: datetime) -> datetime | None:
        """Return when a station was heard of last, where that is too long ago; one that has no door never was."""
        door = self.doors.get(station.code)
        if door is None:
            return None
        contact = door.status().contact_at
        return contact if now - contact > timedelta(minutes=rules.no_contact_min) else None


def clusters_of(machines: Sequence[StationOutputs]) -> Mapping[tuple[StationCode, str], GroupCode]:
    """Return which cluster each output sounds, where it is exactly one."""
    return {
        (station.code, output.name): output.groups[0]
        for station in machines
        for output in station.outputs
        if len(output.groups) == 1
    }


def reminder_due(last: date | None, rules: UpkeepRules, today: date) -> bool:
    """Return whether to remind today: the day it is owed, and every week after; where there was none, on Mondays."""
    if last is None:
        return today.weekday() == _MONDAY
    late = (today - check_due(last, today, rules.check_days)).days
    return late >= 0 and late % 7 == 0


def in_service(station: Station, today: date) -> bool:
    """Return whether the station is in service on that day."""
    return (station.valid_from or today) <= today <= (station.valid_until or today)


def _ripe(fault: Fault, rule: FaultRule, rules: UpkeepRules, now: datetime) -> bool:
    # Without a trusted clock nobody knows since when, and that by itself is long enough.
    lasted = (fault.until or now) - fault.since if fault.trusted else timedelta(days=1000)
    return opens(rule, rules, lasted=lasted, lasts=fault.open)


def _ended(session: Session, ticket: Ticket) -> datetime | None:
    newest = faults.listing(session, stations=(ticket.station,), code=ticket.fault_code, open=False, limit=1)
    return newest[0].until if newest else None


def _told_today(ticket: Ticket, station: Station, rules: UpkeepRules, now: datetime) -> bool:
    zone = ZoneInfo(station.zone)
    opened = ticket.opened_at.astimezone(zone).date()
    return escalate_on(opened, rules, tiers=ticket.tiers) <= now.astimezone(zone).date()
