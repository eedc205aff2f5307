"""Pay sheets as acts: computed from what aired, prepared by one person, signed off by another, then frozen."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import rfc8785
from sqlalchemy.orm import Session

from schedules.errors import Conflict, NotAllowed, Refused, Unknown
from schedules.findings import Finding, Severity
from schedules.remuneration import PAID, Contribution, PaySheet, Rate, pay_sheet
from schedules.report import ReportPeriod, Span, report_period, stations_of
from schedules.segment import SegmentKind
from schedules.station import Unit, UnitCode, merged_into, units_above, units_below
from schedules.text import Text
from store import issued, papers, pay, stations, units
from store.accounts import Person
from store.issued import IssuedReport, Signed, What
from store.papers import StoredHead
from store.pay import Draft
from webui import reporting
from webui.papers.paper import Letterhead, Paper
from webui.papers.paypaper import KIND, pay_paper
from webui.rights import reach
from webui.services import services
from webui.work import no_such, require, trace

MOST_AMOUNT = 100_000_000
_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reckoned:
    """A sheet with what stands around it. draft: prepared, waiting to be signed off; stale: what aired says otherwise.

    signed: the version that was signed off last.
    """

    unit: Unit
    period: ReportPeriod
    sheet: PaySheet
    head: StoredHead
    draft: Draft | None
    stale: bool
    signed: IssuedReport | None

    @property
    def what(self) -> What:
        """As it is kept."""
        return What(kind=KIND, unit=self.unit.code, period=self.period.name)


def reckon(unit: UnitCode, period: str, *, person: Person) -> Reckoned:
    """Return the sheet of a unit and what lies below it. Raises Unknown, Refused for anything but month and quarter."""
    here = services()
    try:
        wanted = report_period(period)
    except ValueError as error:
        raise Refused(_no_period()) from error
    if wanted.span not in (Span.MONTH, Span.QUARTER):
        raise Refused(_no_period())
    with here.database.reading() as session:
        return _reckon(session, unit, wanted, person, demo=here.demo)


def paper(made: Reckoned, *, signed: Signed | None = None, prepared: str = "") -> Paper:
    """Return the sheet as a paper."""
    head: Letterhead = reporting.letterhead(made.head, signed)
    return pay_paper(
        made.sheet,
        made.period,
        head,
        prepared=prepared or (made.draft.prepared_name if made.draft else ""),
        stem=f"bang-ke-thu-lao-{made.unit.code.lower()}-{made.period.name.lower()}",
    )


def prepare(unit: UnitCode, period: str, *, person: Person) -> str:
    """Draw the sheet up, to be signed off by somebody else. Raises NotAllowed, Unknown, Conflict before its end."""
    made = reckon(unit, period, person=person)
    require(person, "pay.edit", unit)
    here = services()
    now = here.clock.now()
    if made.period.last >= now.astimezone(_ZONE).date():
        raise Conflict(
            _finding("period_open", "", "Kỳ chưa hết nên chưa lập bảng kê được.", "The period is not over yet.")
        )
    if not made.sheet.lines:
        raise Conflict(
            _finding("nothing_to_pay", "", "Kỳ này không có tin, bài nào để kê.", "There is nothing to pay.")
        )
    content = figures(made.sheet)
    with here.database.writing() as session:
        draft = pay.prepare(
            session,
            unit=unit,
            period=made.period.name,
            content=content,
            sha256=_digest(content),
            person=person.id,
            now=now,
        )
        trace(session, "pay.prepare", draft, person, detail=f"{made.sheet.total}")
    return draft


def sign_off(unit: UnitCode, period: str, *, draft: str, signed: Signed, reason: str, person: Person) -> IssuedReport:
    """Sign a prepared sheet off: it is frozen and hashed as a report is. Never by who prepared it: it is money.

    draft: the id of what the person saw. Raises NotAllowed, Conflict where it changed meanwhile, Refused, Unknown.
    """
    require(person, "reports.issue", unit)
    made = reckon(unit, period, person=person)
    if made.draft is None or made.draft.id != draft:
        raise Conflict(
            _finding(
                "sheet_changed", "", "Bảng kê đã được lập lại. Chưa ký.", "The sheet was drawn up anew. Not signed."
            )
        )
    if made.draft.prepared_by == person.id:
        raise NotAllowed(
            _finding(
                "own_sheet",
                "",
                "Người lập bảng kê không tự ký duyệt. Chưa ký.",
                "Whoever drew the sheet up does not sign it off. Not signed.",
            )
        )
    if made.stale:
        raise Conflict(
            _finding(
                "sheet_stale",
                "",
                "Số liệu đã thay đổi từ khi lập bảng kê. Chưa ký; hãy lập lại.",
                "The figures changed since the sheet was drawn up. Not signed; draw it up again.",
            )
        )
    signed = reporting.cleaned(signed)
    kept = reporting.freeze(
        made.what,
        paper(made, signed=signed),
        made.draft.content,
        signed=signed,
        reason=reason,
        after=made.signed.id if made.signed is not None else "",
        prepared=(made.draft.prepared_by, made.draft.prepared_name),
        person=person,
    )
    here = services()
    with here.database.writing() as session:
        pay.signed_off(session, draft, kept.id, here.clock.now())
    return kept


def add_rate(unit: UnitCode, rate: Rate, *, person: Person) -> str:
    """Enter a rate. Raises NotAllowed, Unknown, Refused."""
    _reached(unit, person)
    require(person, "pay.edit", unit)
    wrong = []
    if rate.kind not in PAID:
        wrong.append(_finding("kind_wrong", "kind", "Thể loại này không tính thù lao.", "This kind is not paid."))
    if not 0 < rate.amount <= MOST_AMOUNT:
        wrong.append(_finding("amount_wrong", "amount", "Số tiền không đúng.", "The amount is wrong."))
    if not rate.rule.strip() or len(rate.rule) > 500:
        wrong.append(_finding("rule_wrong", "rule", "Hãy ghi số văn bản quy định mức chi.", "Name the decision."))
    if rate.valid_until is not None and rate.valid_until < rate.valid_from:
        wrong.append(
            _finding("valid_until_wrong", "valid_until", "Ngày hết trước ngày đầu.", "It ends before it begins.")
        )
    if wrong:
        raise Refused(*wrong)
    here = services()
    with here.database.writing() as session:
        made = pay.add_rate(session, unit, rate, person=person.id, now=here.clock.now())
        trace(session, "pay.rate", made, person, detail=f"{rate.kind.value} {rate.amount}")
    return made


def remove_rate(unit: UnitCode, rate: str, *, person: Person) -> None:
    """Take a rate out of use. Raises NotAllowed, Unknown."""
    _reached(unit, person)
    require(person, "pay.edit", unit)
    here = services()
    with here.database.writing() as session:
        if not pay.remove_rate(session, rate, [unit], here.clock.now()):
            raise Unknown(no_such("rate_unknown", "Không có mức chi này.", "There is no such rate."))
        trace(session, "pay.rate", rate, person, detail="removed")


def rates(unit: UnitCode, *, person: Person) -> tuple[tuple[Rate, bool], ...]:
    """Return the rates that hold for a unit, each with whether they are its own; else those of the unit above."""
    _reached(unit, person)
    with services().database.reading() as session:
        owner, found = _rates(session, units.every(session), unit)
        return tuple((rate, owner == unit) for rate in found)


def figures(sheet: PaySheet) -> dict[str, Any]:
    """Return the sheet as plain JSON data: what is frozen."""
    return {
        "lines": [
            {
                "segment": line.item.segment,
                "author": line.item.author,
                "title": line.item.title,
                "kind": line.item.kind.value,
                "day": line.item.day.isoformat(),
                "airings": line.item.airings,
                "amount": line.amount,
                "rule": line.rate.rule if line.rate is not None else None,
            }
            for line in sheet.lines
        ],
        "authors": [{"author": one.author, "items": one.items, "amount": one.amount} for one in sheet.authors],
        "total": sheet.total,
        "unpriced": sheet.unpriced,
    }


def _reckon(session: Session, unit: UnitCode, period: ReportPeriod, person: Person, *, demo: bool) -> Reckoned:
    every = units.every(session)
    top = next((one for one in every if one.code == unit), None)
    if top is None or unit not in reach(person):
        raise Unknown(no_such("unit_unknown", "Không có đơn vị này.", "There is no such unit."))
    below = units_below(every, unit)
    owners = below | {merged for one in below for merged in merged_into(every, one)}
    mine = stations_of(every, stations.every(session), unit)
    during = reporting.interval(period.first, period.last)
    # A centre's item airs at the stations of others, too: any station of the authority makes it aired.
    codes = [one.code for one in (mine or stations.every(session))]
    items = [
        Contribution(
            segment=one.segment, author=one.author, title=one.title, kind=one.kind, day=day, airings=one.airings
        )
        for one in pay.aired(session, owners=owners, stations=codes, during=during, demo=demo)
        if period.first <= (day := _local(one.first)) <= period.last
    ]
    sheet = pay_sheet(items, _rates(session, every, unit)[1])
    draft = pay.draft(session, unit, period.name)
    return Reckoned(
        unit=top,
        period=period,
        sheet=sheet,
        head=papers.head(session, unit) or reporting.usual_head(top, every),
        draft=draft,
        stale=draft is not None and draft.sha256 != _digest(figures(sheet)),
        signed=issued.newest(session, What(kind=KIND, unit=unit, period=period.name)),
    )


def _rates(session: Session, every: tuple[Unit, ...], unit: UnitCode) -> tuple[UnitCode, tuple[Rate, ...]]:
    """Return the rates of the unit, or of the nearest one above that has any."""
    chain = (unit, *units_above(every, unit))
    found = pay.rates(session, chain)
    for code in chain:
        mine = tuple(rate for owner, rate in found if owner == code)
        if mine:
            return code, mine
    return unit, ()


def _reached(unit: UnitCode, person: Person) -> None:
    if unit not in reach(person):
        raise Unknown(no_such("unit_unknown", "Không có đơn vị này.", "There is no such unit."))


def _local(moment: Any) -> date:  # noqa: ANN401 - a datetime of the database
    day: date = moment.astimezone(_ZONE).date()
    return day


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(rfc8785.dumps(content)).hexdigest()


def _no_period() -> Finding:
    return _finding("period_unknown", "ky", "Bảng kê lập theo tháng hoặc quý.", "A sheet is of a month or a quarter.")


def _finding(code: str, where: str, vi: str, en: str) -> Finding:
    return Finding(code=code, severity=Severity.ERROR, where=where, message=Text(vi, en))


__all__ = ["SegmentKind", "add_rate", "paper", "prepare", "rates", "reckon", "remove_rate", "sign_off"]
