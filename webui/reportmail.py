"""Reports by mail: who gets which, and sending those whose time has come; each period goes out once."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from schedules.errors import Refused, SandboxUnavailable, Unknown
from schedules.findings import Finding, Severity
from schedules.report import ReportPeriod, Span, period_before
from schedules.station import UnitCode, units_below
from schedules.text import Text
from store import accounts, mailings, outgoing, programmes, stations, units
from store.accounts import Person
from store.mailings import Mailing
from store.outgoing import Attachment
from webui import reporting
from webui.papers.reportpaper import period_words, subject
from webui.reporting import FORMATS, MEDIA, Asked
from webui.rights import reach
from webui.services import Services, services
from webui.work import no_such, require, trace

MOST_RECIPIENTS = 20
_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
_ADDRESS = re.compile(r"[^@\s,;<>\"']{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?\.[A-Za-z]{2,24}")

_log = structlog.get_logger()


def add(
    wanted: Asked,
    *,
    days_after: int,
    hour: int,
    people: tuple[str, ...],
    addresses: tuple[str, ...],
    formats: tuple[str, ...],
    person: Person,
) -> str:
    """Send this report after each of its periods from now on, and return the rule's id. Raises Refused, NotAllowed.

    people: ids of persons of the units that `person` reaches. The period that is over already is not sent.
    """
    require(person, "reports.schedule", wanted.unit.code)
    here = services()
    now = here.clock.now()
    wrong = []
    if not (people or addresses):
        wrong.append(_wrong("addresses", "Hãy chọn người nhận hoặc ghi địa chỉ thư.", "Name who gets it."))
    if len(people) + len(addresses) > MOST_RECIPIENTS:
        wrong.append(
            _wrong("addresses", f"Nhiều nhất {MOST_RECIPIENTS} nơi nhận.", f"At most {MOST_RECIPIENTS} recipients.")
        )
    bad = [one for one in addresses if not _ADDRESS.fullmatch(one)]
    if bad:
        wrong.append(
            _wrong("addresses", f"Không phải địa chỉ thư: {bad[0][:80]}", f"Not a mail address: {bad[0][:80]}")
        )
    if not formats or any(one not in FORMATS for one in formats):
        wrong.append(_wrong("formats", "Hãy chọn ít nhất một loại tệp.", "Choose at least one kind of file."))
    if not (0 <= days_after <= 60 and 0 <= hour <= 23):
        wrong.append(_wrong("days_after", "Gửi sau 0 đến 60 ngày.", "0 to 60 days afterwards."))
    with here.database.writing() as session:
        known = {account.person.id: account.person for account in accounts.every(session)}
        if any(one not in known or known[one].unit not in reach(person) for one in people):
            wrong.append(_wrong("people", "Không có người nhận này.", "There is no such recipient."))
        if wrong:
            raise Refused(*wrong)
        made = mailings.add(
            session,
            unit=wanted.unit.code,
            station=wanted.station.code if wanted.station else "",
            programme=wanted.programme,
            span=wanted.period.span,
            days_after=days_after,
            hour=hour,
            people=people,
            addresses=addresses,
            formats=formats,
            person=person.id,
            sent=period_before(wanted.period.span, now.astimezone(_ZONE).date()).name,
            now=now,
        )
        trace(session, "report.mailing", made, person, detail=", ".join(addresses)[:300])
    return made


def end(mailing: str, *, person: Person) -> None:
    """Send nothing by this rule any more. Raises Unknown, NotAllowed."""
    here = services()
    with here.database.writing() as session:
        found = mailings.find(session, mailing)
        if found is None or found.unit not in reach(person):
            raise Unknown(no_such("mailing_unknown", "Không có lịch gửi này.", "There is no such rule."))
        require(person, "reports.schedule", found.unit)
        mailings.end(session, mailing, here.clock.now())
        trace(session, "report.mailing", mailing, person, detail="ended")


def due(rule: Mailing, now: datetime) -> ReportPeriod | None:
    """Return the period that is to be sent now, None where nothing is."""
    there = now.astimezone(_ZONE)
    over = period_before(rule.span, there.date())
    if rule.sent is not None and rule.sent == over.name:
        return None
    at = datetime.combine(over.last + timedelta(days=1 + rule.days_after), datetime.min.time(), _ZONE)
    return over if there >= at + timedelta(hours=rule.hour) else None


def send_due(here: Services) -> int:
    """Queue every report whose time has come, and return how many. One that fails is told and tried again next time."""
    now = here.clock.now()
    with here.database.reading() as session:
        rules = mailings.in_force(session)
    sent = 0
    for rule in rules:
        period = due(rule, now)
        if period is None:
            continue
        try:
            sent += _send(here, rule, period, now)
        except (Refused, SandboxUnavailable) as error:
            _log.warning("report_not_mailed", mailing=rule.id, period=period.name, error=str(error)[:200])
    return sent


def _send(here: Services, rule: Mailing, period: ReportPeriod, now: datetime) -> bool:
    wanted = _asked(here, rule, period)
    if wanted is None:
        return False
    made = reporting.compute(wanted, here=here)
    found = reporting.files(reporting.paper(made, here=here), rule.formats, unit=rule.unit, here=here)
    about = f"{subject(rule.programme or None, made.programme_name)} {period_words(period)}"
    where = wanted.station.name if wanted.station else wanted.unit.name
    with here.database.writing() as session:
        # Claimed with the letter in one stroke: a second job finds it sent.
        if not mailings.claim(session, rule, period.name, now):
            return False
        outgoing.queue(
            session,
            to=rule.people,
            addresses=rule.addresses,
            subject=f"Báo cáo: {about}, {where}",
            text=_text(made, about, where),
            attachments=[
                Attachment(name=one.name, media_type=MEDIA[one.format].partition(";")[0], content=one.content)
                for one in found.values()
            ],
            kind="report",
            now=now,
        )
    return True


def _asked(here: Services, rule: Mailing, period: ReportPeriod) -> Asked | None:
    """Return what the rule asks for, None once its unit, or the one who made it, is gone."""
    with here.database.reading() as session:
        maker = accounts.find(session, rule.added_by)
        every = units.every(session)
        unit = next((one for one in every if one.code == rule.unit), None)
        if unit is None or maker is None or rule.unit not in units_below(every, maker.unit):
            return None
        station = stations.find(session, rule.station) if rule.station else None
        if (rule.station and station is None) or (rule.programme and programmes.find(session, rule.programme) is None):
            return None
    return Asked(unit=unit, station=station, programme=rule.programme, period=period)


def _text(made: reporting.Computed, about: str, where: str) -> str:
    total = made.report.total
    return (
        f"{about} của {where}.\n\n"
        f"{total.weeks_aired}/{total.weeks_due} tuần đài có phát; {total.airings} lượt phát trọn vẹn; "
        f"{total.own_items} tin, bài tự sản xuất, {total.upper_items} do cấp trên gửi.\n\n"
        "Tệp đính kèm là bản máy tự tổng hợp, chưa ký ban hành.\n"
    )


def visible(unit: UnitCode, *, person: Person) -> tuple[Mailing, ...]:
    """Return the rules of a unit. Raises Unknown where the person does not reach it."""
    if unit not in reach(person):
        raise Unknown(no_such("unit_unknown", "Không có đơn vị này.", "There is no such unit."))
    with services().database.reading() as session:
        return mailings.in_force(session, [unit])


def _wrong(where: str, vi: str, en: str) -> Finding:
    return Finding(code=f"{where}_wrong", severity=Severity.ERROR, where=where, message=Text(vi, en))


__all__ = ["MOST_RECIPIENTS", "Span", "add", "due", "end", "send_due", "visible"]
