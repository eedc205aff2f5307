"""Looks around once a minute for what somebody should know, and makes one message of all that is due for a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from link.door import StationDoor
from schedules.clock import Clock
from schedules.noticing import Happening, NoticeKind, message
from schedules.station import Station, StationCode
from schedules.text import Text
from store import authority, channels, emergencies, faults, happenings, notices, outgoing, stations, units
from store.database import Database
from store.happenings import Item

LOOK_S = 60
SILENT_AFTER = timedelta(minutes=5)
"""How long a station may say nothing before its people are told."""
SOON = timedelta(hours=24)
"""How near the deadline of a duty at risk, or the window of an item that nobody approved, rings at once."""
_FRESH = timedelta(hours=2)
_MOST = 500
_PART = 25
_STANDING = (NoticeKind.DUTY_AT_RISK, NoticeKind.SILENT, NoticeKind.FAULT, NoticeKind.UNAPPROVED, NoticeKind.WAITING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookout:
    """Finds what happened in one database and at the stations of this machine. base_url: where none was decided."""

    database: Database
    clock: Clock
    doors: Mapping[StationCode, StationDoor]
    base_url: str = ""

    def run(self) -> int:
        """Note what is new, forget what is over, and queue what may go out; returns how many messages were queued."""
        now = self.clock.now()
        with self.database.reading() as session:
            here = stations.every(session)
            standing = self._standing(session, here, now)
            happened = tuple(_happened(session, here, now))
            told = notices.are_known(session, tuple(one.key for one in happened))
            once = tuple(one for one in happened if one.key not in told)
            known = notices.known(session, _STANDING)
        new = [one for one in standing if one.key not in known]
        true = {one.key for one in standing}
        self._tell((*new, *once), now)
        if known - true:
            with self.database.writing() as session:
                notices.settle(session, _STANDING, true, now)
        return self._queue(now)

    def _tell(self, news: tuple[Happening, ...], now: datetime) -> None:
        if not news:
            return
        with self.database.reading() as session:
            among = notices.colleagues(session, now)
            tree = units.every(session)
        # In parts: nobody waits for the one writer while a whole province falls silent.
        for start in range(0, len(news), _PART):
            with self.database.writing() as session:
                for one in news[start : start + _PART]:
                    notices.tell(session, one, now, among=among, tree=tree)

    def _standing(self, session: Session, here: tuple[Station, ...], now: datetime) -> tuple[Happening, ...]:
        by_code = {station.code: station for station in here}
        return (
            *_faults(session, by_code),
            *self._silences(here, now),
            *_duties(session, by_code, now),
            *_waiting(session, by_code, now),
        )

    def _silences(self, here: Iterable[Station], now: datetime) -> Iterable[Happening]:
        for station in here:
            door = self.doors.get(station.code)
            if door is None:
                continue
            since = door.status().contact_at
            if now - since >= SILENT_AFTER:
                at = since.astimezone(ZoneInfo(station.zone)).strftime("%H:%M %d/%m")
                yield Happening(
                    kind=NoticeKind.SILENT,
                    key=f"silent:{station.code}",
                    unit=station.unit,
                    zone=station.zone,
                    text=Text(
                        f"{station.name} mất liên lạc từ {at}. Máy phát tự phát theo lịch đã tải về.",
                        f"{station.name} has been without contact since {at}. It airs its stored schedule.",
                    ),
                    path=f"/dai/{station.code}",
                )

    def _queue(self, now: datetime) -> int:
        with self.database.reading() as session:
            pending = notices.waiting(session, now)
            base = authority.value(session, authority.BASE_URL) or self.base_url
            reached = channels.reached(session, tuple(pending))
            lately = {person: notices.told_at(session, person, now) for person in pending}
        queued = 0
        for person, its in pending.items():
            made = message(its, lately[person], now, base)
            if made is None:
                continue
            with self.database.writing() as session:
                if person in reached:
                    outgoing.send(
                        session, person=person, subject=made.subject, text=made.text, now=now, urgent=made.urgent
                    )
                    queued += 1
                notices.told(session, made.notices, now)
        return queued


def _faults(session: Session, here: Mapping[StationCode, Station]) -> Iterable[Happening]:
    for fault in faults.listing(session, stations=tuple(here), open=True, limit=_MOST):
        station = here[fault.station]
        said = fault.message or Text(fault.code, fault.code)
        yield Happening(
            kind=NoticeKind.FAULT,
            key=f"fault:{station.code}:{fault.code}",
            unit=station.unit,
            zone=station.zone,
            text=Text(f"{station.name}: {said.vi}", f"{station.name}: {said.en}"),
            path=f"/su-co?dai={station.code}",
        )


def _duties(session: Session, here: Mapping[StationCode, Station], now: datetime) -> Iterable[Happening]:
    for one in happenings.duties_at_risk(session, by=now + SOON, since=now - _FRESH, now=now):
        station = here.get(one.station)
        if station is None:
            continue
        at = one.deadline.astimezone(ZoneInfo(station.zone)).strftime("%H:%M %d/%m")
        yield Happening(
            kind=NoticeKind.DUTY_AT_RISK,
            key=f"duty:{station.code}:{one.duty}:{one.period}",
            unit=station.unit,
            zone=station.zone,
            text=Text(
                f"{station.name}: “{one.name}” có nguy cơ không đạt, phải phát xong trước {at}.",
                f"{station.name}: “{one.name}” is at risk and must have aired by {at}.",
            ),
            path=f"/nhiem-vu?dai={station.code}",
        )


def _waiting(session: Session, here: Mapping[StationCode, Station], now: datetime) -> Iterable[Happening]:
    pressing = {
        (one.station, one.programme)
        for one in happenings.duties_at_risk(session, by=now + SOON, since=now - _FRESH, now=now)
    }
    for item in happenings.submitted(session):
        near = (item.station, item.programme) in pressing
        yield _approval(item, NoticeKind.UNAPPROVED if near else NoticeKind.WAITING, here)


def _approval(item: Item, kind: NoticeKind, here: Mapping[StationCode, Station]) -> Happening:
    station = here.get(item.station or "")
    texts = {
        NoticeKind.UNAPPROVED: Text(
            f"Bài “{item.title}” chưa được duyệt mà nhiệm vụ của chuyên mục sắp hết hạn.",
            f"“{item.title}” is not approved, and the duty of its programme ends soon.",
        ),
        NoticeKind.WAITING: Text(
            f"Bài “{item.title}” của {item.uploader_name} chờ duyệt.",
            f"“{item.title}” by {item.uploader_name} waits for approval.",
        ),
    }
    return Happening(
        kind=kind,
        key=f"{kind.value}:{item.id}:{item.revision}",
        unit=item.owner,
        zone=station.zone if station else outgoing.ZONE,
        text=texts[kind],
        path="/duyet",
    )


def _happened(session: Session, here: tuple[Station, ...], now: datetime) -> Iterable[Happening]:
    """Yield what happened of late; the key keeps it from being told twice."""
    zones = {station.code: station.zone for station in here}
    units = {station.code: station.unit for station in here}
    since = now - timedelta(hours=6)
    for item in happenings.returned(session, since):
        yield Happening(
            kind=NoticeKind.RETURNED,
            key=f"returned:{item.id}:{item.updated_at.isoformat()}",
            people=(item.uploader,),
            zone=zones.get(item.station or "", outgoing.ZONE),
            text=Text(f"Bài “{item.title}” bị trả lại: {item.reason}", f"“{item.title}” was returned: {item.reason}"),
            path=f"/bai/{item.id}",
        )
    for ticket in happenings.overdue(session, now.astimezone(ZoneInfo(outgoing.ZONE)).date()):
        yield Happening(
            kind=NoticeKind.TICKET_OVERDUE,
            key=f"overdue:{ticket.id}:{ticket.due}",
            unit=units.get(ticket.station, ""),
            zone=zones.get(ticket.station, outgoing.ZONE),
            text=Text(
                f"Phiếu PBH-{ticket.number:04d} quá hạn: {ticket.what}",
                f"Ticket PBH-{ticket.number:04d} is overdue: {ticket.what}",
            ),
            path=f"/thiet-bi/phieu/{ticket.id}",
        )
    for order in emergencies.listing(session, open_only=True, limit=50):
        for code in order.stations:
            if not order.drill and code in units:
                yield Happening(
                    kind=NoticeKind.EMERGENCY,
                    key=f"emergency:{order.id}",
                    unit=units[code],
                    zone=zones[code],
                    text=Text(
                        f"Lệnh khẩn cấp: {order.message.title}. Xem đài nào đã phát.",
                        f"Emergency order: {order.message.title}. See which stations air it.",
                    ),
                    path=f"/khan-cap/{order.id}",
                )
