"""Thù lao: who is paid how much? What aired, the rates, and the sheet that one draws up and another signs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from schedules.errors import Conflict, NotAllowed, Refused
from schedules.findings import Finding
from schedules.remuneration import PAID, Rate
from schedules.report import Span, period_around, period_before, report_period
from schedules.segment import SegmentKind
from store.issued import Signed
from webui import paying, reporting
from webui.auth import allowed
from webui.pages.answers import Part
from webui.pages.formats import local, number, parse_day
from webui.pages.layout import page
from webui.pages.reports import Choice, download, period_label
from webui.pages.scope import Scope, now, scope
from webui.papers import paper
from webui.papers.paypaper import WORDS
from webui.paying import Reckoned
from webui.reporting import MEDIA
from webui.rights import can

_MONTHS, _QUARTERS = 13, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedRate:
    """A rate as its form shows it."""

    kind: str = ""
    amount: str = ""
    rule: str = ""
    valid_from: str = ""
    valid_until: str = ""


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/thu-lao", "pay", pay)
    pages.add_url_rule("/thu-lao/tai/<form>", "pay_file", pay_file)
    pages.add_url_rule("/thu-lao/lap", "prepare_pay", prepare_pay, methods=["POST"])
    pages.add_url_rule("/thu-lao/ky", "sign_pay", sign_pay, methods=["POST"])
    pages.add_url_rule("/thu-lao/muc", "pay_rates", pay_rates, methods=["GET", "POST"])
    pages.add_url_rule("/thu-lao/muc/<rate>/bo", "remove_rate", remove_rate, methods=["POST"])


@allowed("pay.read")
def pay() -> AnyResponse:
    """Show the sheet of a month or quarter, by default the last month."""
    return _sheet(scope(), ())


@allowed("pay.read")
def pay_file(form: str) -> AnyResponse:
    """Give the sheet as a file, not signed yet."""
    if form not in MEDIA:
        abort(404)
    mine = scope()
    made = _reckoned(mine)
    found = reporting.files(paying.paper(made), (form,), unit=made.unit.code)
    return download(found[form])


@allowed("pay.edit")
def prepare_pay() -> AnyResponse:
    """Draw the sheet up, to be signed off by somebody else."""
    mine = scope()
    made = _reckoned(mine)
    try:
        paying.prepare(made.unit.code, made.period.name, person=mine.person)
    except Conflict as refused:
        return _sheet(mine, refused.findings)
    flash(_("Đã lập bảng kê. Chờ người khác ký duyệt."), "done")
    return redirect(url_for("pages.pay", ky=made.period.name, don_vi=made.unit.code), 303)


@allowed("reports.issue")
def sign_pay() -> AnyResponse:
    """Sign a prepared sheet off."""
    mine = scope()
    made = _reckoned(mine)
    form = request.form
    signed = Signed(
        number=form.get("number", ""),
        symbol=form.get("symbol", ""),
        place=form.get("place", "") or made.head.place or made.unit.name,
        day=parse_day(form.get("day", "")) or local(now()).date(),
        signer_title=form.get("signer_title", ""),
        signer=form.get("signer", ""),
    )
    try:
        kept = paying.sign_off(
            made.unit.code,
            made.period.name,
            draft=form.get("draft", ""),
            signed=signed,
            reason=form.get("reason", ""),
            person=mine.person,
        )
    except (Conflict, NotAllowed, Refused) as refused:
        return _sheet(mine, refused.findings)
    flash(_("Đã ký duyệt bảng kê."), "done")
    return redirect(url_for("pages.issued_report", report=kept.id), 303)


@allowed("pay.read")
def pay_rates() -> AnyResponse:
    """Show the rates that hold for a unit, or enter one."""
    mine = scope()
    unit = _unit(mine)
    if request.method == "GET":
        return _rates(mine, unit, WantedRate(valid_from=local(now()).date().replace(day=1).isoformat()), ())
    form = request.form
    wanted = WantedRate(
        **{name: form.get(name, "").strip()[:500] for name in ("kind", "amount", "rule", "valid_from", "valid_until")}
    )
    digits = wanted.amount.replace(".", "").replace(" ", "")
    starts = parse_day(wanted.valid_from)
    try:
        rate = Rate(
            kind=SegmentKind(wanted.kind) if wanted.kind in set(SegmentKind) else SegmentKind.NHAC_HIEU,
            amount=int(digits) if digits.isdecimal() and len(digits) < 10 else 0,
            rule=" ".join(wanted.rule.split()),
            valid_from=starts or date(1970, 1, 1),
            valid_until=parse_day(wanted.valid_until),
        )
        paying.add_rate(unit, rate, person=mine.person)
    except NotAllowed:
        raise
    except Refused as refused:
        return _rates(mine, unit, wanted, refused.findings)
    flash(_("Đã thêm mức chi."), "done")
    return redirect(url_for("pages.pay_rates", don_vi=unit), 303)


@allowed("pay.edit")
def remove_rate(rate: str) -> AnyResponse:
    """Take a rate out of use."""
    mine = scope()
    unit = _unit(mine)
    paying.remove_rate(unit, rate, person=mine.person)
    flash(_("Đã bỏ mức chi. Bảng kê đã ký vẫn giữ nguyên."), "done")
    return redirect(url_for("pages.pay_rates", don_vi=unit), 303)


def _reckoned(mine: Scope) -> Reckoned:
    period = request.values.get("ky", "") or period_before(Span.MONTH, local(now()).date()).name
    return paying.reckon(_unit(mine), period, person=mine.person)


def _unit(mine: Scope) -> str:
    code = request.values.get("don_vi", "") or mine.person.unit
    if code not in mine.unit_codes:
        abort(404)
    return code


def _sheet(mine: Scope, errors: Sequence[Finding]) -> AnyResponse:
    made = _reckoned(mine)
    finished = paying.paper(made)
    today = local(now()).date()
    return page(
        "pay.html",
        active="pay",
        code=422 if errors else 200,
        made=made,
        sheet=made.sheet,
        paper=finished,
        table=finished.body,
        items=finished.appendices[0],
        written=paper.written,
        answer=_answer(made, today),
        period=period_label(made.period, today),
        periods=_periods(made, today),
        units=[Choice(value=unit.code, label=unit.name) for unit in mine.units][:200],
        errors=errors,
        may_prepare=can(mine.person, "pay.edit", made.unit.code) and made.period.last < today,
        may_sign=can(mine.person, "reports.issue", made.unit.code),
        own=made.draft is not None and made.draft.prepared_by == mine.person.id,
        today=today.isoformat(),
        scope=mine,
    )


def _answer(made: Reckoned, today: date) -> tuple[Part, ...]:
    sheet = made.sheet
    if not sheet.lines:
        return (Part(text=_("Kỳ này chưa có tin, bài tự sản xuất nào phát lần đầu.")),)
    people = ngettext("%(num)d người", "%(num)d người", len(sheet.authors))
    items = ngettext("%(num)d tin, bài", "%(num)d tin, bài", len(sheet.lines))
    parts = [Part(text=_("%(people)s, %(items)s, %(sum)s đồng.", people=people, items=items, sum=number(sheet.total)))]
    if sheet.unpriced:
        parts.append(
            Part(
                text=ngettext("%(num)d tin, bài chưa có mức chi.", "%(num)d tin, bài chưa có mức chi.", sheet.unpriced),
                tone="warn",
            )
        )
    if made.signed is not None and made.draft is None:
        parts.append(Part(text=_("Đã ký duyệt.")))
    elif made.draft is not None:
        parts.append(Part(text=_("Chờ ký duyệt."), tone="warn"))
    elif made.period.last >= today:
        parts.append(Part(text=_("Kỳ chưa hết.")))
    return tuple(parts)


def _periods(made: Reckoned, today: date) -> list[Choice]:
    found = []
    for span, most in ((Span.MONTH, _MONTHS), (Span.QUARTER, _QUARTERS)):
        period = period_around(span, today)
        for _place in range(most):
            found.append(Choice(value=period.name, label=period_label(period, today)))
            period = period_around(span, period.first - timedelta(days=1))
    if all(one.value != made.period.name for one in found):
        found.append(Choice(value=made.period.name, label=period_label(report_period(made.period.name), today)))
    return found


def _rates(mine: Scope, unit: str, wanted: WantedRate, errors: Sequence[Finding]) -> AnyResponse:
    known = paying.rates(unit, person=mine.person)
    return page(
        "pay_rates.html",
        active="pay",
        code=422 if errors else 200,
        rates=[(rate, own, WORDS[rate.kind]) for rate, own in known],
        wanted=wanted,
        errors=errors,
        unit=unit,
        unit_name=mine.unit_name(unit),
        kinds=[(kind.value, WORDS[kind]) for kind in PAID],
        may_edit=can(mine.person, "pay.edit", unit),
        answer=ngettext("%(num)d mức chi đang dùng.", "%(num)d mức chi đang dùng.", len(known))
        if known
        else _("Chưa có mức chi nào: tin, bài được kê nhưng chưa tính tiền."),
        scope=mine,
    )
