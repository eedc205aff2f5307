"""One airing: what was planned, what really went out, how that is known, and the proof to take away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from link import proof as proofs
from link.keys import station_keys
from link.proof import ProofReport
from schedules.airing import Airing, Evidence, Verdict
from schedules.errors import Refused, Unknown
from schedules.station import Station
from schedules.text import Text
from store.airings import LoggedAiring
from store.evidence import Measurement
from store.ledger import Entry
from webui import witnessing
from webui.api.proofs import as_file
from webui.auth import allowed, can
from webui.pages import airlog, states
from webui.pages.answers import Part
from webui.pages.formats import clock_s, day_short, length, local, moment_short, number
from webui.pages.language import say
from webui.pages.layout import page
from webui.pages.scope import scope
from webui.pages.states import Mark
from webui.services import services
from webui.witnessing import Standing

_ON_TIME_S = 2.0
_GOOD = Mark(sign="aired", word=Text("Đạt", "Good"))
_BAD = Mark(sign="missed", word=Text("Không đạt", "Bad"))
_PART = Mark(sign="partial", word=Text("Không đủ", "Not whole"))
_DOUBT = Mark(sign="partial", word=Text("Chưa chắc", "In doubt"))
_LEVEL = Mark(sign="planned", word=Text("Chỉ đo mức tiếng", "Only its level"))
_OPEN = Mark(sign="planned", word=Text("Chưa có", "Nothing yet"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One reason for the verdict, with its sign."""

    mark: Mark
    title: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """One picture: bars of 0 to 100, scaled to its own height. kind: its colour, `rest` or `past`."""

    title: str
    about: str
    kind: str
    bars: tuple[int, ...]


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/nhat-ky/luot/<path:slot>", "airing", airing)
    pages.add_url_rule("/nhat-ky/minh-chung/<path:slot>", "proof", proof)
    pages.add_url_rule("/nhat-ky/tai-ve/<path:slot>", "proof_file", proof_file)
    pages.add_url_rule("/nhat-ky/xac-nhan/<path:slot>", "confirm_airing", confirm_airing, methods=["POST"])
    pages.add_url_rule("/nhat-ky/nhan-xet/<path:slot>", "remark_airing", remark_airing, methods=["POST"])


@allowed("airlog.read")
def airing(slot: str) -> AnyResponse:
    """Show one airing whole."""
    return _page(witnessing.visible_airing(slot, person=scope().person))


@allowed("aircheck.listen")
def proof(slot: str) -> AnyResponse:
    """Show what the proof file holds: pictures, place in the chain, whether it is whole; a part of the page."""
    row = witnessing.visible_airing(slot, person=scope().person)
    station = scope().station(row.station)
    report: ProofReport | None = None
    try:
        made = witnessing.proof(slot, person=scope().person)
    except Unknown:
        made = b""
    if made:
        report = proofs.verify(made, station_keys(services().data / "keys"))
    waves = _waves(report)
    if request.headers.get("HX-Request") == "true":
        drawn = render_template("_proof.html", row=row, slot=slot, report=report, waves=waves, station=station)
        response = make_response(drawn)
    else:
        response = page("proof.html", active="log", row=row, slot=slot, report=report, waves=waves, station=station)
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Vary"] = "HX-Request, Cookie"
    return response


@allowed("aircheck.listen")
def proof_file(slot: str) -> AnyResponse:
    """Give the proof as a file."""
    return as_file(witnessing.proof(slot, person=scope().person), slot)


@allowed("airings.confirm")
def confirm_airing(slot: str) -> AnyResponse:
    """Write down that the reader heard the airing, or did not."""
    heard = request.form.get("nghe", "")
    row = witnessing.visible_airing(slot, person=scope().person)
    if heard not in {"co", "khong"}:
        return redirect(url_for("pages.airing", slot=slot), 303)
    try:
        witnessing.confirm(slot, yes=heard == "co", text=request.form.get("text", ""), person=scope().person)
    except Refused as refused:
        return _page(row, refused)
    flash(_("Đã ghi xác nhận vào sổ của đơn vị quản lý."), "done")
    return redirect(url_for("pages.airing", slot=slot), 303)


@allowed("airings.confirm")
def remark_airing(slot: str) -> AnyResponse:
    """Add a remark."""
    row = witnessing.visible_airing(slot, person=scope().person)
    try:
        witnessing.remark(slot, text=request.form.get("text", ""), person=scope().person)
    except Refused as refused:
        return _page(row, refused)
    flash(_("Đã ghi nhận xét."), "done")
    return redirect(url_for("pages.airing", slot=slot), 303)


def _page(row: LoggedAiring, refused: Refused | None = None) -> AnyResponse:
    mine = scope()
    station = mine.station(row.station)
    one = row.airing
    stands = witnessing.standings([one])[one.slot]
    measured, said = witnessing.heard(one.slot), witnessing.said(one.slot)
    may = can(mine.person, "airings.confirm", station)
    own = any(entry.heard is not None and entry.person == mine.person.id for entry in said)
    response = page(
        "airing.html",
        active="log",
        code=422 if refused else 200,
        errors=refused.findings if refused else (),
        row=row,
        airing=one,
        station=station,
        title=one.title or say(states.ITEMS_BY_VALUE.get(one.kind)),
        answer=_answer(one, stands),
        stands=stands,
        by_people=Evidence.H,
        points=_points(one, measured, said, station),
        planned=_planned(one, station),
        actual=_actual(one, station),
        programme=mine.programme_name(one.programme),
        listen=airlog.listen_url(station, one),
        remarks=[entry for entry in said if entry.text],
        may_confirm=may and not own,
        may_remark=may,
        longest=witnessing.LONGEST,
    )
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _answer(one: Airing, stands: Standing) -> list[Part]:
    parts = []
    if one.verdict is Verdict.AIRED:
        late = one.start_error_s or 0.0
        share = number(100 * one.samples_aired / max(one.samples_expected, 1), 1)
        words = [_("đủ") if _whole(one) else _("được %(n)s%%", n=share)]
        words += [_("đúng giờ") if abs(late) < _ON_TIME_S else airlog.late(one)]
        words += [_("đúng bản đã duyệt")] if one.bit_exact else []
        parts += [Part(text=_("Đã phát")), Part(text=f"{', '.join(words)}.", tone="ok")]
    else:
        tone = "bad" if one.verdict is Verdict.MISSED else "warn" if one.verdict is Verdict.PARTIAL else ""
        parts.append(Part(text=f"{say(states.VERDICTS[one.verdict].word)}.", tone=tone))
        parts += [Part(text=say(one.reason))] if one.reason is not None else []
    doubt = airlog.doubt(stands)
    if not doubt:
        return parts
    more = (
        _("Nhưng %(what)s.", what=doubt) if one.verdict is Verdict.AIRED else _("Ghi nhận thêm: %(what)s.", what=doubt)
    )
    return [*parts, Part(text=more, tone="warn")]


def _whole(one: Airing) -> bool:
    return one.samples_aired >= one.samples_expected


def _planned(one: Airing, station: Station) -> list[str]:
    return [
        f"{clock_s(one.planned_start, station.zone)}, {day_short(local(one.planned_start, station.zone).date())}",
        _("Dài %(length)s.", length=length(one.samples_expected / 48_000)),
    ]


def _actual(one: Airing, station: Station) -> list[str]:
    if one.started_at is None:
        return [_("không có"), ""]
    start = _exact(one.started_at, station.zone)
    end = "" if one.ended_at is None else _exact(one.ended_at, station.zone)
    share = 100 * one.samples_aired / one.samples_expected if one.samples_expected else 0.0
    about = _("Ra đầu ra %(share)s%%.", share=number(share, 1 if share < 99.95 else 0))
    return [_("%(a)s đến %(b)s", a=start, b=end) if end else start, about]


def _exact(moment: datetime, zone: str) -> str:
    there = local(moment, zone)
    return f"{there:%H:%M:%S},{there.microsecond // 1000:03}"


def _points(one: Airing, measured: tuple[Measurement, ...], said: tuple[Entry, ...], station: Station) -> list[Point]:
    """Return why the row says what it says, from the bus to the people."""
    counted = _("%(a)s/%(b)s mẫu", a=number(one.samples_aired), b=number(one.samples_expected))
    exact = _("giống từng bit bản đã duyệt") if one.bit_exact else _("không giống hoàn toàn bản đã duyệt")
    holes = _("ngắt quãng %(n)s giây", n=number(one.holes_s, 1)) if one.holes_s >= 0.05 else ""
    whole = one.verdict is Verdict.AIRED
    needed = max(1, one.samples_aired if whole else one.samples_expected)
    points = [
        Point(
            mark=_GOOD if whole else _BAD if one.samples_aired == 0 else _PART,
            title=_("Đã ra đủ âm thanh")
            if _whole(one)
            else _("Đã ra gần đủ âm thanh")
            if whole
            else _("Âm thanh ra không đủ"),
            detail=", ".join(
                part for part in (counted, exact if one.samples_aired and one.sha256 else "", holes) if part
            ),
        )
    ]
    points += [
        Point(
            mark=_GOOD if output.samples >= needed else _PART if output.samples else _BAD,
            title=_("Đầu ra “%(name)s”", name=output.name),
            detail=_("%(n)s mẫu, %(how)s", n=number(output.samples), how=say(states.EVIDENCE[output.grade]).lower()),
        )
        for output in one.outputs
    ]
    points += [_measured(each, station) for each in measured if each.heard]
    if not any(each.heard for each in measured):
        points.append(
            Point(
                mark=_OPEN,
                title=_("Nghe tại đầu ra"),
                detail=_("Không có gì nghe lại lượt phát này ở đầu ra hay tại loa."),
            )
        )
    points += [
        Point(
            mark=_GOOD if entry.heard else _BAD,
            title=_("Người xác nhận: đã nghe") if entry.heard else _("Người xác nhận: không nghe thấy"),
            detail=f"{entry.name}, {moment_short(entry.at, station.zone)}",
        )
        for entry in said
        if entry.heard is not None
    ]
    if all(entry.heard is None for entry in said):
        points.append(Point(mark=_OPEN, title=_("Người xác nhận"), detail=_("Chưa ai xác nhận.")))
    return points


def _measured(one: Measurement, station: Station) -> Point:
    said = [] if one.share is None else [_("khớp %(n)s%% nội dung", n=number(one.share * 100, 1))]
    said += [_("im %(n)s giây", n=number(one.silent_s, 1))] if one.silent_s >= 0.05 else []
    said += [_("tiếng lạ %(n)s giây", n=number(one.foreign_s, 1))] if one.foreign_s >= 0.05 else []
    said += [_("lệch %(n)s ms", n=number(one.offset_ms))] if one.offset_ms is not None else []
    said += [_("mức %(n)s dBFS", n=number(one.level_dbfs, 1))] if one.level_dbfs is not None else []
    at_loudspeaker = one.grade is Evidence.E3
    name = one.output or ""
    title = (
        _("Nghe tại loa của “%(name)s”", name=name) if at_loudspeaker else _("Đo được ở đầu ra “%(name)s”", name=name)
    )
    troubled = one.silent_s >= 1 or one.foreign_s >= 1
    if one.share is None and not one.matched_s and not troubled:
        # Talks and relays: nothing approved to compare with, so the level is all that can be told.
        mark = _LEVEL
    else:
        mark = _GOOD if one.supports and not troubled else _DOUBT if one.supports else _BAD
    return Point(
        mark=mark,
        title=title,
        detail=", ".join([*said, clock_s(one.at, station.zone)]),
    )


def _waves(report: ProofReport | None) -> list[Wave]:
    peaks = None if report is None or report.proof is None else report.proof.peaks
    if peaks is None:
        return []
    found = [
        Wave(title=_("Bản đã duyệt"), about=length(peaks.seconds), kind="rest", bars=_scaled(peaks.approved)),
        Wave(title=_("Bản thu tiếng đưa ra đầu ra"), about="", kind="past", bars=_scaled(peaks.aircheck)),
    ]
    found += [
        Wave(title=_("Tiếng nghe được ở đầu ra “%(name)s”", name=output), about="", kind="past", bars=_scaled(bars))
        for output, bars in peaks.heard.items()
    ]
    return [wave for wave in found if wave.bars]


def _scaled(bars: tuple[int, ...]) -> tuple[int, ...]:
    """Return bars that fill their height, so that shapes can be compared; what is all but silent stays flat."""
    highest = max(bars, default=0)
    return bars if highest < 4 else tuple(round(bar * 100 / highest) for bar in bars)
