"""Reports as acts: computed for those who may see the stations, issued by a named person, then frozen for good."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import rfc8785
from sqlalchemy.orm import Session

from link.keys import load_or_make
from schedules.airing import Airing, Verdict
from schedules.calendar import instant, period_interval
from schedules.clock import Interval
from schedules.duty import Duty, DutyOutcome, DutyStanding, DutyState, Period
from schedules.errors import Conflict, Refused, Unknown
from schedules.findings import Finding, Severity
from schedules.intent import Intent
from schedules.owing import duties_of
from schedules.report import (
    SPOKEN,
    Line,
    Report,
    ReportPeriod,
    StationFacts,
    report,
    report_period,
    stations_of,
    unit_today,
)
from schedules.standing import duty_standings
from schedules.station import Station, StationCode, Unit, UnitCode
from schedules.text import Text
from schedules.verdicts import WHOLE
from store import (
    airings,
    duties,
    evidence,
    excuses,
    issued,
    ledger,
    outcomes,
    papers,
    programmes,
    reportfacts,
    stations,
    units,
)
from store.accounts import Person
from store.identity import new_id
from store.issued import IssuedFile, IssuedReport, Signed, What
from store.papers import StoredHead
from webui import auth
from webui.papers.paper import Letterhead, Paper
from webui.papers.reportpaper import KIND, LogRow, report_paper
from webui.papers.sheets import comma_separated, workbook
from webui.printing import printed
from webui.rights import reach
from webui.services import Services, services
from webui.work import no_such, require, trace

FORMATS = ("docx", "pdf", "xlsx", "csv")
MEDIA = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}
MOST_LOG = 1000
"""Airings in a report's appendix; a spreadsheet of the air log holds the rest."""

_MOST_ROWS = 50_000
_ZONE = "Asia/Ho_Chi_Minh"
_DECIDED = frozenset({DutyState.MET, DutyState.MADE_UP, DutyState.EXCUSED})
_LONGEST = {"number": 40, "symbol": 80, "place": 80, "signer_title": 200, "signer": 200}
_OUTCOMES = {
    Verdict.AIRED: "Phát thành công",
    Verdict.PARTIAL: "Phát không đầy đủ",
    Verdict.MISSED: "Không phát",
    Verdict.REPLACED: "Đã thay bằng mục khác",
    Verdict.CANCELLED: "Đã hủy",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which report: of a unit with everything below it, or of one station; of one programme, or of all (empty)."""

    unit: Unit
    station: Station | None
    programme: str
    period: ReportPeriod

    @property
    def what(self) -> What:
        """As it is kept."""
        return What(
            kind=KIND,
            unit=self.unit.code,
            station=self.station.code if self.station else "",
            programme=self.programme,
            period=self.period.name,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    """A report with what its paper needs."""

    asked: Asked
    report: Report
    programme_name: str
    head: StoredHead


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a file turned out to be: the issued report, in which format, and what superseded it since."""

    report: IssuedReport
    format: str
    successor: str | None


def asked(*, unit: UnitCode, station: StationCode, programme: str, period: str, person: Person) -> Asked:
    """Return what was asked for. Raises Unknown for what the person does not reach, Refused for no period.

    A station is taken for its unit of today; a station of a unit that was merged into one the person reaches is theirs.
    """
    here = services()
    with here.database.reading() as session:
        return _asked(session, unit, station, programme, period, reach(person), here.clock.now())


def _asked(
    session: Session,
    unit: UnitCode,
    station: StationCode,
    programme: str,
    period: str,
    reached: frozenset[UnitCode],
    now: datetime,
) -> Asked:
    every = units.every(session)
    top = next((one for one in every if one.code == unit), None)
    if top is None or top.code not in reached:
        raise Unknown(no_such("unit_unknown", "Không có đơn vị này.", "There is no such unit."))
    chosen = None
    if station:
        mine = stations_of(every, stations.every(session), top.code)
        chosen = next((one for one in mine if one.code == station), None)
        if chosen is None:
            raise Unknown(no_such("station_unknown", "Không có đài này.", "There is no such station."))
    if programme and programmes.find(session, programme) is None:
        raise Unknown(no_such("programme_unknown", "Không có chuyên mục này.", "There is no such programme."))
    try:
        wanted = report_period(period)
    except ValueError as error:
        raise Refused(_no_period(period)) from error
    if wanted.first > now.astimezone(ZoneInfo(_ZONE)).date():
        raise Refused(_not_begun())
    return Asked(unit=top, station=chosen, programme=programme, period=wanted)


def compute(wanted: Asked, *, here: Services | None = None) -> Computed:
    """Return the report. here: the services, where no request is answered."""
    here = here or services()
    now = here.clock.now()
    with here.database.reading() as session:
        return _computed(session, wanted, now, demo=here.demo)


def _computed(session: Session, wanted: Asked, now: datetime, *, demo: bool) -> Computed:
    every = units.every(session)
    mine = (
        (wanted.station,)
        if wanted.station is not None
        else stations_of(every, stations.every(session), wanted.unit.code)
    )
    today = now.astimezone(ZoneInfo(_ZONE)).date()
    names = {unit.code: unit.name for unit in every}
    its = {station.code: unit_today(every, station.unit, today) for station in mine}
    ordered = sorted(mine, key=lambda one: (names.get(its[one.code], ""), one.name))
    codes = [station.code for station in ordered]
    period, programme = wanted.period, wanted.programme or None
    # Stations of one authority live in one time; what lies around midnight is looked at again day by day.
    zone = ZoneInfo(ordered[0].zone if ordered else _ZONE)
    inside = interval(period.first, period.last, zone)
    whole = interval(*period.whole, zone)
    found = reportfacts.broadcasts(session, codes, whole, programme, demo=demo)
    relays = reportfacts.relay_seconds(session, codes, inside, demo=demo)
    troubles = reportfacts.troubles(session, codes, inside, period.first, period.last)
    first = reportfacts.first_rows(session, codes)
    stood = _standings(session, every, ordered, period, programme, now, demo=demo)
    cards = reportfacts.cards(
        session, {one.segment for rows in found.values() for one in rows if one.segment is not None}
    )
    facts = [
        StationFacts(
            station=station,
            unit_name=names.get(its[station.code], its[station.code]),
            since=first[station.code].astimezone(zone).date() if station.code in first else None,
            broadcasts=found.get(station.code, ()),
            standings=stood.get(station.code, ()),
            relay_seconds=relays.get(station.code, 0.0),
            troubles=troubles[station.code],
        )
        for station in ordered
    ]
    known = programmes.find(session, wanted.programme) if wanted.programme else None
    return Computed(
        asked=wanted,
        report=report(period, programme, facts, cards, now, demo=demo),
        programme_name=known.name if known is not None else "Toàn bộ chương trình",
        head=_head(session, wanted, every),
    )


def interval(first: date, last: date, zone: ZoneInfo | None = None) -> Interval:
    """Return the instants from the beginning of a local day to the end of another."""
    zone = zone or ZoneInfo(_ZONE)
    return Interval(instant(zone, first, time(0)), instant(zone, last + timedelta(days=1), time(0)))


def _standings(
    session: Session,
    every: tuple[Unit, ...],
    mine: Sequence[Station],
    period: ReportPeriod,
    programme: str | None,
    now: datetime,
    *,
    demo: bool,
) -> Mapping[StationCode, tuple[DutyStanding, ...]]:
    """Return how the weekly duty of the programme stood at each station, week by week."""
    if programme is None:
        return {}
    weeks = period.weeks
    # All that judges a duty, without the thousands of recordings that a whole intent holds.
    intent = Intent(
        revision=0,
        issued_at=now,
        valid_until=now,
        units=every,
        stations=stations.every(session),
        duties=duties.every(session),
        excuses=excuses.in_force(session),
        demo=demo,
    )
    sealed: dict[tuple[StationCode, str, str], DutyOutcome] = {}
    for one in outcomes.listing(session, stations=[station.code for station in mine], periods=weeks):
        sealed[one.station, one.duty, one.period] = one
    # A thousand stations would else be looked through for each of them.
    successors = {station.successor for station in intent.stations}
    members = [(duty, frozenset(duty.stations)) for duty in intent.duties]
    found: dict[StationCode, tuple[DutyStanding, ...]] = {}
    rows = _Rows(session=session, stations=[station.code for station in mine], programme=programme, period=period)
    for station in mine:
        its = intent
        if station.code not in successors:
            own = tuple(replace(duty, stations=(station.code,)) for duty, codes in members if station.code in codes)
            its = replace(intent, stations=(station,), duties=own)
        owed = [duty for duty in duties_of(its, station) if duty.period is Period.WEEK and duty.programme == programme]
        if owed:
            found[station.code] = tuple(
                standing
                for week in weeks
                if (standing := _standing(rows, its, station, owed, sealed, week, now)) is not None
            )
    return found


@dataclass(slots=True, kw_only=True)
class _Rows:
    """The rows that judge weeks which no station has sealed; read once, and only where there is such a week."""

    session: Session
    stations: Sequence[StationCode]
    programme: str
    period: ReportPeriod
    known: dict[StationCode, list[Airing]] | None = None

    def of(self, station: Station, during: Interval) -> list[Airing]:
        """Return the rows of a station planned in `during`."""
        if self.known is None:
            self.known = {}
            whole = interval(*self.period.whole, ZoneInfo(station.zone))
            for row in airings.listing(
                self.session,
                stations=self.stations,
                programme=self.programme,
                start=whole.start,
                end=whole.end,
                limit=_MOST_ROWS,
            ):
                self.known.setdefault(row.station, []).append(row.airing)
        return [row for row in self.known.get(station.code, ()) if during.contains(row.planned_start)]


def _standing(
    rows: _Rows,
    intent: Intent,
    station: Station,
    owed: Sequence[Duty],
    sealed: Mapping[tuple[StationCode, str, str], DutyOutcome],
    week: str,
    now: datetime,
) -> DutyStanding | None:
    duty = owed[-1]
    outcome = next((sealed[key] for one in owed if (key := (station.code, one.code, week)) in sealed), None)
    if outcome is not None and outcome.state in _DECIDED:
        return DutyStanding(
            duty=outcome.duty,
            name=duty.name,
            owner=duty.owner,
            station=station.code,
            period=week,
            state=outcome.state,
            deadline=outcome.deadline,
            slots=outcome.slots,
            reason=outcome.reason,
        )
    during = period_interval(Period.WEEK, week, ZoneInfo(station.zone))
    if during.start > now:
        return None
    codes = {one.code for one in owed}
    sealed_one = () if outcome is None else (outcome,)
    judged = duty_standings(intent, station, rows.of(station, during), now, week, sealed_one)
    return next((one for one in judged if one.duty in codes), None)


def _head(session: Session, wanted: Asked, every: tuple[Unit, ...]) -> StoredHead:
    typed = papers.head(session, wanted.unit.code)
    if typed is not None:
        return typed
    basis = next(
        (
            duty.document
            for duty in duties.in_force(session)
            if duty.document and duty.programme == (wanted.programme or None)
        ),
        "",
    )
    return replace(usual_head(wanted.unit, every), basis=basis)


def usual_head(unit: Unit, every: tuple[Unit, ...]) -> StoredHead:
    """Return what a unit's papers bear before anybody typed it."""
    commune = unit.name.startswith(("Xã ", "Phường ", "Đặc khu "))
    if commune:
        return StoredHead(
            agency=f"Ủy ban nhân dân\n{unit.name}",
            place=unit.name.partition(" ")[2],
            signer_title="CHỦ TỊCH",
            recipients=("Đơn vị quản lý cấp trên;", "CT, các PCT UBND;", "Lưu: VT, VX."),
        )
    return StoredHead(
        above=next((one.name for one in every if one.code == unit.parent), ""),
        agency=unit.name,
        symbol="BC",
        place=unit.name,
        signer_title="GIÁM ĐỐC",
        recipients=("Đơn vị quản lý cấp trên;", "Lưu: VT."),
    )


def letterhead(head: StoredHead, signed: Signed | None = None) -> Letterhead:
    """Return what a paper bears; without `signed` number and day are left open."""
    return Letterhead(
        above=head.above,
        agency=head.agency,
        number=signed.number if signed else "",
        symbol=signed.symbol if signed else head.symbol,
        place=signed.place if signed else head.place,
        day=signed.day if signed else None,
        signer_title=signed.signer_title if signed else head.signer_title,
        signer=signed.signer if signed else head.signer,
        recipients=head.recipients,
    )


def paper(made: Computed, *, signed: Signed | None = None, remarks: str = "", here: Services | None = None) -> Paper:
    """Return the report as a paper, with the air log as its appendix."""
    here = here or services()
    with here.database.reading() as session:
        log, left = _log(session, made)
    wanted = made.asked
    stem = "-".join(
        ("bao-cao", (wanted.station.code if wanted.station else wanted.unit.code).lower(), wanted.period.name.lower())
    )
    return report_paper(
        made.report,
        letterhead(made.head, signed),
        programme_name=made.programme_name,
        basis=made.head.basis,
        remarks=remarks,
        log=log,
        log_left=left,
        stem=stem,
    )


def _log(session: Session, made: Computed) -> tuple[list[LogRow], int]:
    """Return the airings that the report counts or leaves out, and how many more there are."""
    codes = [line.station for line in made.report.lines]
    names = {line.station: line.name for line in made.report.lines}
    period = made.report.period
    zone = ZoneInfo(_ZONE)
    during = interval(period.first, period.last, zone)
    found = [
        row
        for row in airings.listing(
            session,
            stations=codes,
            programme=made.asked.programme or None,
            start=during.start,
            end=during.end,
            limit=MOST_LOG * 4,
        )
        if row.airing.kind in SPOKEN
    ]
    shown = found[:MOST_LOG]
    segments = {row.airing.segment for row in shown if row.airing.segment}
    approved = reportfacts.approvers(session, segments)
    cards = reportfacts.cards(session, segments)
    units_of = {station.code: station.unit for station in stations.every(session)}
    slots = [row.airing.slot for row in shown]
    heard, said = evidence.of_slots(session, slots), ledger.of_slots(session, slots)
    rows = []
    for row in shown:
        one = row.airing
        card = cards.get(one.segment or "")
        own = card is None or (card.origin == "own" and card.owner == units_of.get(row.station))
        start = (one.started_at or one.planned_start).astimezone(zone)
        known = heard.get(one.slot)
        measured = evidence.better(one.evidence, known.best) if known is not None else one.evidence
        marks = [_OUTCOMES[one.verdict]]
        if one.started_at is not None:
            marks.append(measured.value)
        if any(entry.confirms for entry in said.get(one.slot, ())):
            marks.append("người xác nhận")
        if one.rehearsal:
            marks.append("phát thử, không ra loa")
        if one.verdict is not Verdict.AIRED and one.reason is not None:
            marks.append(one.reason.vi)
        whole = sum(output.samples >= max(1, WHOLE * one.samples_expected) for output in one.outputs)
        rows.append(
            LogRow(
                day=start.date(),
                start=start,
                end=one.ended_at.astimezone(zone) if one.ended_at else None,
                title=one.title,
                station=names[row.station],
                origin="Tự sản xuất" if own else "Cấp trên gửi",
                approver=approved.get(one.segment or "", ""),
                clusters=f"{whole}/{len(one.outputs)}",
                outcome=", ".join(marks),
            )
        )
    return rows, max(0, len(found) - len(shown))


def files(
    made: Paper, formats: Sequence[str], *, unit: UnitCode, here: Services | None = None
) -> Mapping[str, IssuedFile]:
    """Return the paper in these formats. Raises Refused where it cannot be printed, SandboxUnavailable."""
    here = here or services()
    content: dict[str, bytes] = {}
    pressed = [form for form in ("docx", "pdf") if form in formats]
    if pressed:
        with here.database.reading() as session:
            own = papers.template(session, unit, made.kind) if "docx" in pressed else None
        content |= printed(made, pressed, template=own.content if own is not None else b"")
    if "xlsx" in formats:
        content["xlsx"] = workbook(made)
    if "csv" in formats:
        content["csv"] = comma_separated(made.sheets[0])
    return {
        form: IssuedFile(
            format=form,
            name=f"{made.stem}.{form}",
            sha256=hashlib.sha256(content[form]).hexdigest(),
            content=content[form],
        )
        for form in FORMATS
        if form in content
    }


def issue(made: Computed, *, signed: Signed, remarks: str, reason: str, after: str, person: Person) -> IssuedReport:
    """Issue the report in the name of the person: its figures and files are frozen, hashed and signed.

    Whoever prepared it may issue it: nobody but the machine makes its figures, and the person answers for it by name.
    after: the version that the person saw as the newest, empty for none; reason: why it is superseded. Raises Conflict
    where another one was issued meanwhile, or the period is not over; NotAllowed, Refused.
    """
    require(person, "reports.issue", made.asked.unit.code)
    auth.take_proof()
    auth.demand_proof()
    here = services()
    now = here.clock.now()
    signed = cleaned(signed)
    if made.asked.period.last >= now.astimezone(ZoneInfo(_ZONE)).date():
        raise Conflict(_not_over())
    finished = paper(made, signed=signed, remarks=remarks)
    return freeze(
        made.asked.what,
        finished,
        figures(made.report),
        signed=signed,
        reason=reason,
        after=after,
        prepared=(person.id, person.full_name),
        person=person,
    )


def freeze(
    what: What,
    finished: Paper,
    content: Mapping[str, Any],
    *,
    signed: Signed,
    reason: str,
    after: str,
    prepared: tuple[str, str],
    person: Person,
) -> IssuedReport:
    """Keep a paper for good, with its files, in the name of the person, and enter it into the authority's ledger."""
    here = services()
    now = here.clock.now()
    reason = _line(reason)
    if after and not reason:
        raise Refused(_reason_needed())
    with here.database.reading() as session:
        _check_after(issued.newest(session, what), after)
    made = files(finished, FORMATS, unit=what.unit)
    digest = hashlib.sha256(rfc8785.dumps(_plain(content))).hexdigest()
    key = load_or_make(here.data / "keys" / "authority.ed25519")
    with here.database.writing() as session:
        before = issued.newest(session, what)
        _check_after(before, after)
        report_id = new_id()
        entry = ledger.issued(
            session,
            report_id,
            person,
            says={
                "sha256": digest,
                "files": {form: one.sha256 for form, one in made.items()},
                "of": {name: value for name, value in asdict(what).items() if value},
                "number": f"{signed.number}/{signed.symbol}",
                "version": 1 if before is None else before.version + 1,
            },
            now=now,
            key=key,
        )
        kept = IssuedReport(
            id=report_id,
            what=what,
            version=1 if before is None else before.version + 1,
            supersedes=None if before is None else before.id,
            reason=reason,
            signed=signed,
            prepared=prepared,
            issued=(person.id, person.full_name),
            issued_at=now,
            content=_plain(content),
            sha256=digest,
            entry=entry,
        )
        issued.keep(session, kept, tuple(made.values()))
        trace(session, "report.issue", report_id, person, detail=f"{digest} v{kept.version}")
    return kept


def visible(report_id: str, *, person: Person) -> IssuedReport:
    """Return an issued report of a unit that the person reaches. Raises Unknown for every other one."""
    with services().database.reading() as session:
        found = issued.find(session, report_id)
    if found is None or found.what.unit not in reach(person):
        raise Unknown(no_such("report_unknown", "Không có báo cáo này.", "There is no such report."))
    return found


def attach_scan(report_id: str, *, content: bytes, media_type: str, person: Person) -> str:
    """Keep a scan of the signed paper beside the report and return its id. Raises Unknown, NotAllowed."""
    found = visible(report_id, person=person)
    require(person, "reports.issue", found.what.unit)
    here = services()
    digest = hashlib.sha256(content).hexdigest()
    with here.database.writing() as session:
        if any(one.sha256 == digest for one in issued.scans(session, report_id)):
            raise Conflict(no_such("scan_known", "Bản quét này đã có rồi.", "This scan is here already."))
        made = issued.add_scan(
            session,
            report_id,
            media_type=media_type,
            sha256=digest,
            content=content,
            person=(person.id, person.full_name),
            now=here.clock.now(),
        )
        trace(session, "report.scan", report_id, person, detail=digest)
    return made


def identify(sha256: str, *, person: Person) -> Known | None:
    """Return what a file with that hash is, None where it is none that was issued to the person's knowledge."""
    with services().database.reading() as session:
        found = issued.by_hash(session, sha256)
        known = issued.find(session, found[0]) if found is not None else None
        if found is None or known is None or known.what.unit not in reach(person):
            return None
        return Known(report=known, format=found[1], successor=issued.successor(session, known.id))


def save_head(unit: UnitCode, head: StoredHead, *, person: Person) -> None:
    """Keep what the unit's papers bear. Raises NotAllowed, Unknown."""
    if unit not in reach(person):
        raise Unknown(no_such("unit_unknown", "Không có đơn vị này.", "There is no such unit."))
    require(person, "reports.schedule", unit)
    here = services()
    with here.database.writing() as session:
        papers.save_head(session, unit, head)
        trace(session, "report.letterhead", unit, person)


def use_template(unit: UnitCode, kind: str, *, name: str, content: bytes, sample: Paper, person: Person) -> None:
    """Use a DOCX template of the office, once it was filled in with `sample`. Raises Refused, NotAllowed, Unknown."""
    if unit not in reach(person):
        raise Unknown(no_such("unit_unknown", "Không có đơn vị này.", "There is no such unit."))
    require(person, "reports.schedule", unit)
    here = services()
    printed(sample, ("docx",), template=content)
    with here.database.writing() as session:
        papers.add_template(
            session,
            unit=unit,
            kind=kind,
            name=name,
            sha256=hashlib.sha256(content).hexdigest(),
            content=content,
            by=person.full_name,
            now=here.clock.now(),
        )
        trace(session, "report.template", unit, person, detail=kind)


def drop_template(unit: UnitCode, kind: str, *, person: Person) -> None:
    """Go back to the template that Loa brings. Raises NotAllowed, Unknown."""
    if unit not in reach(person):
        raise Unknown(no_such("unit_unknown", "Không có đơn vị này.", "There is no such unit."))
    require(person, "reports.schedule", unit)
    here = services()
    with here.database.writing() as session:
        if papers.end_template(session, unit=unit, kind=kind, now=here.clock.now()):
            trace(session, "report.template", unit, person, detail=f"{kind} dropped")


def figures(made: Report) -> dict[str, Any]:
    """Return the numbers of a report as plain JSON data: what is frozen, and what the API answers."""
    return {
        "period": made.period.name,
        "first": made.period.first.isoformat(),
        "last": made.period.last.isoformat(),
        "programme": made.programme,
        "until": made.until.isoformat(),
        "demo": made.demo,
        "lines": [_figures(line) for line in made.lines],
        "total": _figures(made.total),
    }


def _figures(line: Line) -> dict[str, Any]:
    return {
        "station": line.station or None,
        "name": line.name,
        "unit": line.unit_name,
        "weeks_due": line.weeks_due,
        "weeks_aired": line.weeks_aired,
        "weeks": {state.value: count for state, count in line.week_states.items()},
        "week_states": [
            {
                "week": week.name,
                "state": week.state.value,
                "short": week.short,
                "reason": week.reason.vi if week.reason is not None else None,
            }
            for week in line.weeks
        ],
        "mains": line.mains,
        "repeats": line.repeats,
        "make_ups": line.make_ups,
        "partial": line.partial,
        "missed": line.missed,
        "rehearsals": line.rehearsals,
        "own_items": line.own_items,
        "upper_items": line.upper_items,
        "minutes": round(line.seconds / 60, 1),
        "cluster_airings": line.cluster_airings,
        "cluster_due": line.cluster_due,
        "cluster_share": None if line.share is None else round(line.share, 4),
        "topics": dict(line.topics),
        "tickets": line.troubles.tickets,
        "repaired": line.troubles.repaired,
        "silent_days": line.troubles.silent_days,
        "relay_hours": round(line.relay_seconds / 3600, 1),
        "since": line.since.isoformat() if line.since is not None else None,
    }


def cleaned(signed: Signed) -> Signed:
    """Return it with tidy lines. Raises Refused where something is missing or too long."""
    title = "\n".join(line for line in map(_line, signed.signer_title.splitlines()) if line)
    tidy = replace(
        signed,
        number=_line(signed.number),
        symbol=_line(signed.symbol),
        place=_line(signed.place),
        signer_title=title,
        signer=_line(signed.signer),
    )
    wrong = [
        _missing(name) for name, most in _LONGEST.items() if not getattr(tidy, name) or len(getattr(tidy, name)) > most
    ]
    if wrong:
        raise Refused(*wrong)
    return tidy


def _check_after(newest: IssuedReport | None, after: str) -> None:
    if (newest.id if newest is not None else "") != after:
        raise Conflict(
            Finding(
                code="issued_meanwhile",
                severity=Severity.ERROR,
                message=Text(
                    "Báo cáo kỳ này vừa được người khác ban hành. Chưa ban hành thêm.",
                    "This report was issued by somebody else meanwhile. It was not issued again.",
                ),
                hint=Text("Hãy xem bản đã ban hành trước.", "Look at what was issued first."),
            )
        )


def _plain(content: Mapping[str, Any]) -> dict[str, Any]:
    return dict(content)


def _line(text: str) -> str:
    kept = "".join(" " if unicodedata.category(letter) in {"Cc", "Cf", "Cs"} else letter for letter in text)
    return " ".join(unicodedata.normalize("NFC", kept).split())


def _missing(where: str) -> Finding:
    words = {
        "number": Text("Hãy ghi số văn bản.", "Give the document's number."),
        "symbol": Text("Hãy ghi ký hiệu, như BC-UBND.", "Give the symbol, such as BC-UBND."),
        "place": Text("Hãy ghi địa danh.", "Give the place."),
        "signer_title": Text("Hãy ghi chức vụ người ký.", "Give the signer's title."),
        "signer": Text("Hãy ghi họ tên người ký.", "Give the signer's name."),
    }
    return Finding(code=f"{where}_wrong", severity=Severity.ERROR, where=where, message=words[where])


def _no_period(name: str) -> Finding:
    return Finding(
        code="period_unknown",
        severity=Severity.ERROR,
        where="period",
        message=Text(f"Không có kỳ {name}.", f"There is no period {name}."),
        hint=Text("Ví dụ: 2026-W48, 2026-11, 2026-Q4, 2026.", "For example 2026-W48, 2026-11, 2026-Q4, 2026."),
    )


def _not_begun() -> Finding:
    return Finding(
        code="period_ahead",
        severity=Severity.ERROR,
        where="period",
        message=Text("Kỳ này chưa bắt đầu.", "This period has not begun."),
    )


def _not_over() -> Finding:
    return Finding(
        code="period_open",
        severity=Severity.ERROR,
        message=Text(
            "Kỳ này chưa kết thúc nên chưa ban hành được. Số liệu vẫn xem và tải về được.",
            "The period is not over, so it cannot be issued yet. Its figures can be seen and downloaded.",
        ),
    )


def _reason_needed() -> Finding:
    return Finding(
        code="reason_wrong",
        severity=Severity.ERROR,
        where="reason",
        message=Text(
            "Hãy ghi lý do thay bản đã ban hành. Chưa ban hành.",
            "Say why the issued version is superseded. Nothing was issued.",
        ),
    )
