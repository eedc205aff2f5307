"""Nhật ký: what really went out? Planned against real, how it is known, and the recording of every row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as AnyResponse

from schedules.airing import Airing, Evidence, Verdict
from schedules.clock import Interval
from schedules.station import Station
from schedules.text import Text
from store import airings
from store.airings import LoggedAiring, Mark
from webui import cells, witnessing
from webui.auth import allowed
from webui.pages import answers, states
from webui.pages.formats import clock_s, day_short, length, local, number, parse_day
from webui.pages.language import say
from webui.pages.layout import page
from webui.pages.scope import Scope, door, now, scope
from webui.services import services
from webui.witnessing import Standing

_PAGE = 50
_DAYS = 7
_MOST_DAYS = 400
_CSV_MOST = 20_000
_TROUBLE = (Verdict.MISSED, Verdict.PARTIAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class KindChoice:
    """A choice of the filter by kind. values: the kinds of rows that it stands for."""

    word: Text
    values: tuple[str, ...]


KINDS: Mapping[str, KindChoice] = MappingProxyType(
    {
        "tin-bai": KindChoice(word=Text("Tin, bài", "Items"), values=("segment", "notice", "filler")),
        "tiep-am": KindChoice(word=Text("Tiếp âm", "Relays"), values=("relay",)),
        "truc-tiep": KindChoice(word=Text("Trực tiếp", "Live"), values=("live",)),
        "khan-cap": KindChoice(word=Text("Khẩn cấp", "Emergencies"), values=("emergency",)),
        "nhac-hieu": KindChoice(
            word=Text("Nhạc hiệu, lời chào", "Idents and greetings"), values=("ident", "greeting", "closing")
        ),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row as it shows."""

    seq: int
    hash: str
    airing: Airing
    station: Station
    day: str
    planned: str
    actual: str
    late: str
    title: str
    about: str
    doubt: str
    listen: str
    stands: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The filters of the page. trouble: only rows that went wrong."""

    station: str
    programme: str
    verdict: str
    kind: str
    first: date
    last: date
    trouble: bool

    def query(self, **changes: str) -> str:
        """Return the address's query with these filters, some of them changed."""
        values = {
            "dai": self.station,
            "chuyen_muc": self.programme,
            "ket_qua": self.verdict,
            "loai": self.kind,
            "tu": self.first.isoformat(),
            "den": self.last.isoformat(),
            "van_de": "1" if self.trouble else "",
        } | changes
        return urlencode({key: value for key, value in values.items() if value})


def routes(pages: Blueprint) -> None:
    """Add the routes."""
    pages.add_url_rule("/nhat-ky", "airlog", airlog)
    pages.add_url_rule("/nhat-ky.csv", "airlog_csv", airlog_csv)


@allowed("airlog.read")
def airlog() -> AnyResponse:
    """Show the air log of a stretch of days, newest first."""
    mine = scope()
    chosen = _chosen()
    codes, verdicts, during = _asked(mine, chosen)
    with services().database.reading() as session:
        found = airings.listing(
            session,
            stations=codes,
            start=during.start,
            end=during.end,
            programme=chosen.programme or None,
            verdicts=verdicts,
            kinds=_kinds(chosen),
            newest_first=True,
            after=_mark(request.args.get("sau", "")),
            limit=_PAGE + 1,
        )
        counts = airings.counts(session, stations=codes, start=during.start, end=during.end)
    known = witnessing.standings([one.airing for one in found[:_PAGE]])
    rows = [_row(mine, one, known[one.airing.slot]) for one in found[:_PAGE]]
    more = ""
    if len(found) > _PAGE:
        last = found[_PAGE - 1]
        mark = f"{last.airing.planned_start.isoformat()}~{last.station}~{last.seq}"
        more = f"{url_for('pages.airlog')}?{chosen.query(sau=mark)}"
    base = url_for("pages.airlog")
    return page(
        "airlog.html",
        active="log",
        rows=rows,
        answer=answers.log(counts),
        chosen=chosen,
        scope=mine,
        now=now(),
        by_people=Evidence.H,
        more=more,
        troubles=sum(counts.get(verdict, 0) for verdict in _TROUBLE),
        trouble_url=f"{base}?{chosen.query(van_de='' if chosen.trouble else '1', ket_qua='')}",
        csv_url=f"{url_for('pages.airlog_csv')}?{chosen.query()}",
        verdicts=list(Verdict),
        kinds=KINDS,
    )


@allowed("airlog.read")
def airlog_csv() -> AnyResponse:
    """Give the same rows as a table for a spreadsheet; cells that look like formulas come as text."""
    mine = scope()
    chosen = _chosen()
    codes, verdicts, during = _asked(mine, chosen)
    with services().database.reading() as session:
        found = airings.listing(
            session,
            stations=codes,
            start=during.start,
            end=during.end,
            programme=chosen.programme or None,
            verdicts=verdicts,
            kinds=_kinds(chosen),
            limit=_CSV_MOST,
        )
    table = io.StringIO()
    writer = csv.writer(table)
    known = witnessing.standings([one.airing for one in found])
    writer.writerows(_cells(mine, found, known))
    # The mark at the start makes a spreadsheet read the file as UTF-8.
    response = Response("\ufeff" + table.getvalue(), mimetype="text/csv")
    response.headers["Content-Disposition"] = (
        f'attachment; filename="nhat-ky-{chosen.first.isoformat()}-{chosen.last.isoformat()}.csv"'
    )
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _cells(mine: Scope, found: tuple[LoggedAiring, ...], known: Mapping[str, Standing]) -> Iterator[list[str]]:
    yield [
        _("Ngày"),
        _("Đài"),
        _("Kế hoạch"),
        _("Thực tế"),
        _("Kết thúc"),
        _("Chuyên mục"),
        _("Tên bài"),
        _("Kết quả"),
        _("Đã phát (giây)"),
        _("Phải phát (giây)"),
        _("Minh chứng"),
        _("Phát thử"),
        _("Lý do"),
        "slot",
        "sha256",
        "seq",
        "hash",
    ]
    for one in found:
        row = one.airing
        zone = ZoneInfo(mine.station(one.station).zone)
        yield [
            cells.plain(cell)
            for cell in (
                row.planned_start.astimezone(zone).date().isoformat(),
                mine.station_name(one.station),
                row.planned_start.astimezone(zone).isoformat(),
                row.started_at.astimezone(zone).isoformat() if row.started_at else "",
                row.ended_at.astimezone(zone).isoformat() if row.ended_at else "",
                mine.programme_name(row.programme),
                row.title,
                say(states.VERDICTS[row.verdict].word),
                f"{row.seconds_aired:.3f}",
                f"{row.samples_expected / 48_000:.3f}",
                known[row.slot].grade.value,
                _("phát thử, không ra loa") if row.rehearsal else "",
                say(row.reason),
                row.slot,
                row.sha256 or "",
                str(one.seq),
                one.hash,
            )
        ]


def _chosen() -> Chosen:
    today = local(now()).date()
    last = parse_day(request.args.get("den", "")) or today
    first = parse_day(request.args.get("tu", "")) or last - timedelta(days=_DAYS - 1)
    first = max(min(first, last), last - timedelta(days=_MOST_DAYS))
    verdict = request.args.get("ket_qua", "")
    kind = request.args.get("loai", "")
    return Chosen(
        station=request.args.get("dai", ""),
        programme=request.args.get("chuyen_muc", ""),
        verdict=verdict if verdict in set(Verdict) else "",
        kind=kind if kind in KINDS else "",
        first=first,
        last=last,
        trouble=request.args.get("van_de") == "1",
    )


def _kinds(chosen: Chosen) -> tuple[str, ...]:
    return KINDS[chosen.kind].values if chosen.kind else ()


def _asked(mine: Scope, chosen: Chosen) -> tuple[tuple[str, ...], tuple[Verdict, ...], Interval]:
    codes = (mine.station(chosen.station).code,) if chosen.station else mine.station_codes
    zone = ZoneInfo(mine.stations[0].zone if mine.stations else "Asia/Ho_Chi_Minh")
    verdicts = (Verdict(chosen.verdict),) if chosen.verdict else _TROUBLE if chosen.trouble else ()
    start = datetime.combine(chosen.first, time(0), zone)
    end = datetime.combine(chosen.last + timedelta(days=1), time(0), zone)
    return codes, verdicts, Interval(_utc(start), _utc(end))


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(ZoneInfo("UTC"))


def _mark(text: str) -> Mark | None:
    moment, _tilde, rest = text.partition("~")
    station, _tilde, seq = rest.rpartition("~")
    try:
        start = datetime.fromisoformat(moment)
        return Mark(planned_start=_utc(start), station=station, seq=int(seq)) if start.tzinfo else None
    except ValueError:
        return None


def _row(mine: Scope, one: LoggedAiring, stands: Standing) -> Row:
    station = mine.station(one.station)
    row = one.airing
    zone = station.zone
    return Row(
        seq=one.seq,
        hash=one.hash,
        airing=row,
        station=station,
        day=day_short(local(row.planned_start, zone).date()),
        planned=clock_s(row.planned_start, zone),
        actual=clock_s(row.started_at, zone) if row.started_at else "",
        late=late(row),
        title=row.title or say(states.ITEMS_BY_VALUE.get(row.kind)),
        about=_about(row),
        doubt=doubt(stands),
        listen=listen_url(station, row),
        stands=stands,
    )


def late(row: Airing) -> str:
    """Return how much too early or too late it began, in words; nothing below two seconds."""
    if row.start_error_s is None or abs(row.start_error_s) < 2:
        return ""
    if row.start_error_s < 0:
        return _("sớm %(n)s giây", n=number(-row.start_error_s))
    return _("trễ %(n)s giây", n=number(row.start_error_s))


def _about(row: Airing) -> str:
    parts = []
    if row.evidence is not Evidence.E0 and row.samples_expected:
        expected = row.samples_expected / 48_000
        done = _("đủ") if row.verdict is Verdict.AIRED else _("trên %(all)s", all=length(expected))
        parts.append(f"{length(row.seconds_aired)}, {done}")
    if row.holes_s >= 0.05:
        parts.append(_("ngắt quãng %(n)s giây", n=number(row.holes_s, 1)))
    if row.reason is not None and row.verdict is not Verdict.AIRED:
        parts.append(say(row.reason))
    if row.self_approved:
        parts.append(_("tự duyệt"))
    return " · ".join(parts)


def doubt(stands: Standing) -> str:
    """Return what was heard, or not heard, against the verdict, in words; nothing where all fits."""
    known = stands.known
    parts = []
    if known.share is not None and known.too_little:
        parts.append(_("chỉ nghe khớp %(n)s%% nội dung", n=number(known.share * 100)))
    if known.silent_s >= 1:
        parts.append(_("có %(n)s giây im ở đầu ra", n=number(known.silent_s)))
    if known.foreign_s >= 1:
        parts.append(_("có %(n)s giây tiếng lạ ở đầu ra", n=number(known.foreign_s)))
    if stands.denied:
        parts.append(ngettext("%(num)d người không nghe thấy", "%(num)d người không nghe thấy", stands.denied))
    return ", ".join(parts)


def listen_url(station: Station, row: Airing) -> str:
    """Return the address of what was recorded of it, nothing where nothing was."""
    its = door(station.code)
    if its is None or row.started_at is None or row.ended_at is None:
        return ""
    if its.aircheck_playlist(row.started_at, row.ended_at) is None:
        return ""
    query = urlencode({"from": row.started_at.isoformat(), "to": row.ended_at.isoformat()})
    return f"/api/v1/stations/{station.code}/aircheck.m3u8?{query}"
