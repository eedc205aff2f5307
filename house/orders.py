"""What the command line may ask: done by the running Loa that holds DATA, or by the command itself where none runs."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from house.building import House
from house.checking import check as check_machine
from house.facts import copied_facts
from house.keeping import back_up
from house.sheet import plan_answer
from link.codec import dump
from schedules.calendar import instant, period_name
from schedules.clock import Interval
from schedules.duty import Duty, Period
from schedules.errors import LoaError, Refused
from schedules.findings import Finding, Severity
from schedules.planner import plan as plan_station
from schedules.programme import Programme
from schedules.segment import SegmentState
from schedules.standing import duty_standings
from schedules.station import DaySpan, Station, Unit
from schedules.text import Text
from store import accounts, audit, invitations, programmes, segments, stations, tokens, units
from store import duties as store_duties
from store.accounts import Person, Role
from store.identity import new_id
from store.revision import bump
from store.segments import Card, SegmentRecord

Order = Callable[[House, Mapping[str, Any]], Mapping[str, Any]]

COMMAND_LINE = "dong-lenh"
"""The account in whose name the command line uploads; it has no password and approves nothing."""

PROGRAMMES = (("CDS", "Chuyển đổi số"), ("BANTIN", "Bản tin xã"), ("CDSHUYEN", "Chuyển đổi số của Trung tâm"))
"""What every new authority begins with (interfaces: the demonstration's programmes)."""


def user_add(house: House, order: Mapping[str, Any]) -> Mapping[str, Any]:
    """Make an account; answers with the one-time link by which the person chooses a password."""
    now = house.clock.now()
    with house.database.writing() as session:
        known = units.every(session)
        unit = order.get("unit") or next((u.code for u in known if u.parent is None), None)
        if unit is None or unit not in {u.code for u in known}:
            codes = ", ".join(u.code for u in known)
            raise Refused(
                _error(
                    "unknown_unit", f"Không có đơn vị “{unit}”. Có: {codes}.", f"No unit “{unit}”. There are: {codes}."
                )
            )
        if accounts.named(session, order["name"]) is not None:
            raise Refused(
                _error("name_taken", f"Đã có tài khoản “{order['name']}”.", f"“{order['name']}” exists already.")
            )
        person = accounts.create(
            session,
            name=order["name"],
            role=Role(order["role"]),
            unit=unit,
            full_name=order.get("full_name") or order["name"],
            now=now,
        )
        secret = invitations.issue(session, person, now)
        audit.note(session, at=now, what="account.create", subject=person.name, detail=f"{person.role} {unit}")
    return {"name": person.name, "role": person.role.value, "unit": unit, "link": house.link_to(f"/thiet-lap/{secret}")}


def token(house: House, order: Mapping[str, Any]) -> Mapping[str, Any]:
    """Issue a bearer token for an account; it is shown this once."""
    scopes = tuple(order.get("scopes", ()))
    if not tokens.SCOPES.issuperset(scopes):
        known = ", ".join(sorted(tokens.SCOPES))
        raise Refused(_error("unknown_scope", f"Quyền của mã là: {known}.", f"A token's scopes are: {known}."))
    now = house.clock.now()
    with house.database.writing() as session:
        person = accounts.named(session, order["name"])
        if person is None:
            raise Refused(
                _error("unknown_person", f"Không có tài khoản “{order['name']}”.", f"No account “{order['name']}”.")
            )
        secret = tokens.issue(session, person, now, label=order.get("label", "command line"), scopes=scopes)
        audit.note(session, at=now, what="token.issue", subject=person.name, detail=" ".join(scopes))
    return {"name": order["name"], "token": secret}


def _error(code: str, vi: str, en: str) -> Finding:
    return Finding(code=code, severity=Severity.ERROR, message=Text(vi, en))


def station_set(house: House, order: Mapping[str, Any]) -> Mapping[str, Any]:
    """Change what the unit decided for its station: name, permitted hours, self-approval; None leaves as it is."""
    now = house.clock.now()
    code = order["code"]
    with house.database.writing() as session:
        station = stations.find(session, code)
        if station is None:
            raise Refused(_error("unknown_station", f"Không có đài {code}.", f"No station {code}."))
        if order.get("name") is not None:
            station = replace(station, name=order["name"])
        if order.get("hours") is not None:
            station = replace(station, permitted=_hours(order["hours"]))
        if order.get("self_approval") is not None:
            station = replace(station, self_approval=bool(order["self_approval"]))
        stations.save(session, station)
        bump(session)
        audit.note(session, at=now, what="station.change", subject=code, detail=str(dict(order)))
    house.wake()
    return {**dump(station), "code": code}


def _hours(text: str) -> tuple[DaySpan, ...]:
    """Return `05:00-06:30,16:30-18:00` as spans; 00:00-00:00 is the whole day."""
    try:
        pairs = [span.split("-") for span in text.split(",")]
        return tuple(
            DaySpan(start=clock_time.fromisoformat(start.strip()), end=clock_time.fromisoformat(end.strip()))
            for start, end in pairs
        )
    except ValueError as error:
        vi, en = f"Không hiểu khung giờ “{text}”.", f"“{text}” is not a list of hours."
        hint = Text("Ví dụ: 05:00-06:30,16:30-18:00", "For example: 05:00-06:30,16:30-18:00")
        raise Refused(replace(_error("bad_hours", vi, en), hint=hint)) from error


def ingest(house: House, order: Mapping[str, Any]) -> Mapping[str, Any]:
    """Take a file into the library in the name of the command line, and wait until it is ready or refused."""
    source = Path(order["file"])
    if not source.is_file():
        raise Refused(_error("no_file", f"Không có tệp {source}.", f"There is no file {source}."))
    now = house.clock.now()
    segment = new_id()
    started = not house.intake_running
    if started:
        house.start_intake()
    try:
        original = house.intake.original(segment)
        shutil.copyfile(source, original)
        with house.database.writing() as session:
            station = stations.find(session, order["station"])
            if station is None:
                raise Refused(
                    _error("unknown_station", f"Không có đài {order['station']}.", f"No station {order['station']}.")
                )
            if programmes.find(session, order["programme"]) is None:
                code = order["programme"]
                raise Refused(_error("unknown_programme", f"Không có chuyên mục {code}.", f"No programme {code}."))
            person = _command_line(session, now)
            card = Card(owner=station.unit, station=station.code, programme=order["programme"], title=order["title"])
            segments.receive(
                session,
                segment=segment,
                card=card,
                uploader=person,
                file_name=source.name,
                now=now,
                most_drafts=10_000,
            )
        house.intake.notify()
        record = _analysed(house, segment)
        if order.get("submit") and record.state is SegmentState.READY:
            with house.database.writing() as session:
                segments.submit(session, segment, person=person, now=house.clock.now())
                record = segments.find(session, segment) or record
    finally:
        if started:
            house.intake.stop()
    audio = record.audio
    return {
        "id": segment,
        "state": record.state.value,
        "reason": None if record.reason is None else record.reason.vi,
        "revision": record.revision,
        "sha256": None if audio is None else audio.sha256,
        "samples": None if audio is None else audio.samples,
        "duration_s": record.duration_s,
        "loudness_lufs": None if audio is None else audio.loudness_lufs,
        "true_peak_dbtp": None if audio is None else audio.true_peak_dbtp,
    }


def _analysed(house: House, segment: str) -> SegmentRecord:
    deadline = time.monotonic() + 900.0
    while time.monotonic() < deadline:
        with house.database.reading() as session:
            record = segments.find(session, segment)
        if record is not None and record.state not in (SegmentState.RECEIVED, SegmentState.ANALYSING):
            return record
        time.sleep(0.1)
    raise LoaError("the analysis took longer than 15 minutes")


def _command_line(session: Session, now: datetime) -> Person:
    person = accounts.named(session, COMMAND_LINE)
    if person is not None:
        return person
    top = next(unit.code for unit in units.every(session) if unit.parent is None)
    return accounts.create(
        session, name=COMMAND_LINE, role=Role.CENTRE, unit=top, full_name="Dòng lệnh", now=now, demo=True
    )


def plan(house: House, order: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the plan of one station: its own where it runs here, else from intent and the copied air log."""
    now = house.clock.now()
    intent = house.intent()
    try:
        station = intent.station(order["station"])
    except KeyError as error:
        code = order["station"]
        raise Refused(_error("unknown_station", f"Không có đài {code}.", f"No station {code}.")) from error
    during = local_days(station.zone, order.get("first"), order.get("days", 1), now)
    door = house.daemons.get(station.code)
    if door is not None:
        return plan_answer(door.plan(during.start, during.end), intent, during)
    return plan_answer(
        plan_station(intent, copied_facts(house.database, station.code, now), now, during), intent, during
    )


def duties(house: House, order: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the duty board of one period, all stations."""
    now = house.clock.now()
    intent = house.intent()
    rows: list[dict[str, Any]] = []
    for station in intent.stations:
        present = period_name(Period.WEEK, now.astimezone(ZoneInfo(station.zone)).date())
        wanted = order.get("period") or present
        facts = copied_facts(house.database, station.code, now)
        try:
            standings = duty_standings(intent, station, facts.airings, now, wanted, facts.duties)
        except ValueError as error:
            raise Refused(_error("bad_period", f"Không hiểu kỳ “{wanted}”.", f"“{wanted}” is not a period.")) from error
        if wanted == present:
            rundown = plan_station(intent, facts, now, Interval(now, now + timedelta(days=7)))
            planned = {s.duty: s for s in rundown.duties if s.period == wanted}
            standings = tuple(planned.get(s.duty, s) for s in standings)
        rows += [{**dump(s), "reason": s.reason.vi, "reason_en": s.reason.en} for s in standings]
    return {"duties": rows}


def backup(house: House, order: Mapping[str, Any]) -> Mapping[str, Any]:
    """Write a consistent copy of everything."""
    report = back_up(house.data, Path(order["folder"]), house.clock.now(), copy_store=house.database.copy)
    return {"files": report.files, "bytes": report.bytes, "journals": report.journals}


def check(house: House, order: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return everything that would go wrong on this machine."""
    return {"findings": [dump(finding) for finding in check_machine(house)]}


def found_stations(house: House) -> None:
    """Put the stations of config.yaml and the three programmes of the letter into a store that has none yet.

    Hours, names and grids are then decided on the pages; nothing airs before that.
    """
    with house.database.writing() as session:
        if stations.every(session) or not house.config.stations:
            return
        units.save(session, Unit(code="TRUNGTAM", name="Trung tâm"))
        for configured in house.config.stations:
            units.save(session, Unit(code=configured.code, name=configured.code, parent="TRUNGTAM"))
            stations.save(session, Station(code=configured.code, name=f"Đài {configured.code}", unit=configured.code))
        for code, name in (
            ("CDS", "Chuyển đổi số"),
            ("BANTIN", "Bản tin xã"),
            ("CDSHUYEN", "Chuyển đổi số của Trung tâm"),
        ):
            programmes.save(session, Programme(code=code, name=name))
        now = house.clock.now()
        for configured in house.config.stations:
            store_duties.save(
                session,
                Duty(
                    code=f"CDS-{configured.code}",
                    name="Chuyên mục “Chuyển đổi số” hằng tuần",
                    owner=configured.code,
                    stations=(configured.code,),
                    programme="CDS",
                    since=now,
                    document="485/UBND-VX",
                    topic_prefix="DX-",
                ),
                now,
            )
        bump(session)


def local_days(zone: str, first: str | None, days: int, now: datetime) -> Interval:
    """Return the instants of `days` local days from `first` (YYYY-MM-DD, today if None). Raises Refused."""
    here = ZoneInfo(zone)
    try:
        day = date.fromisoformat(first) if first else now.astimezone(here).date()
    except ValueError as error:
        raise Refused(_error("bad_date", f"Không hiểu ngày “{first}”.", f"“{first}” is not a date.")) from error
    midnight = clock_time(0)
    return Interval(instant(here, day, midnight), instant(here, day + timedelta(days=days), midnight))


ORDERS: Mapping[str, Order] = {
    "user_add": user_add,
    "token": token,
    "station_set": station_set,
    "ingest": ingest,
    "plan": plan,
    "duties": duties,
    "backup": backup,
    "check": check,
}
