"""The report on broadcasts in words and tables, as an office sends it up: Nghị định 30/2020, numbers 1.234,5."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from schedules.report import Line, Report, ReportPeriod, Span, Week, WeekState, monday
from schedules.topics import TOPICS
from webui.papers.paper import Cell, Column, Kind, Letterhead, Paper, Paragraph, Table, number, padded, roman

KIND = "report"
DX = "CDS"
"""Code of the programme that letter 485/UBND-VX asks for: its report has the letter's own name."""

_LABELS = {topic.code: topic.label.vi for topic in TOPICS}
_MOST_REASONS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """One airing in the appendix. start, end: local. clusters: `3/4` of the clusters played it to the end."""

    day: date
    start: datetime
    end: datetime | None
    title: str
    station: str
    origin: str
    approver: str
    clusters: str
    outcome: str


def period_words(period: ReportPeriod) -> str:
    """Return `tháng 11 năm 2026`, and a week with its days."""
    year = period.first.year
    match period.span:
        case Span.WEEK:
            week = int(period.name[6:])
            days = f"từ ngày {period.first:%d/%m/%Y} đến ngày {period.last:%d/%m/%Y}"
            return f"tuần {week} năm {period.name[:4]} ({days})"
        case Span.MONTH:
            return f"tháng {period.first.month} năm {year}"
        case Span.QUARTER:
            return f"quý {roman(int(period.name[-1]))} năm {year}"
        case Span.YEAR:
            return f"năm {year}"


def subject(programme: str | None, programme_name: str) -> str:
    """Return what the report is about."""
    if programme == DX:
        return "Kết quả tuyên truyền chuyển đổi số trên hệ thống truyền thanh cơ sở"
    if programme is not None:
        return f"Kết quả phát chuyên mục “{programme_name}” trên hệ thống truyền thanh cơ sở"
    return "Kết quả hoạt động truyền thanh cơ sở"


def report_paper(
    made: Report,
    head: Letterhead,
    *,
    programme_name: str,
    basis: str,
    remarks: str = "",
    log: Sequence[LogRow] = (),
    log_left: int = 0,
    stem: str = "bao-cao",
) -> Paper:
    """Return the report as a paper. basis: the order it follows. log: the appendix; log_left: rows that it left out."""
    about = subject(made.programme, programme_name)
    words = period_words(made.period)
    agency = " ".join(head.agency.split())
    opening = f"Thực hiện {basis}, " if basis else ""
    said = f"{opening}{agency} báo cáo {about[:1].lower()}{about[1:]} {words} như sau:"
    parts = [
        ("SỐ LƯỢT PHÁT, TIN BÀI, THỜI LƯỢNG", _numbers(made)),
        ("NỘI DUNG TUYÊN TRUYỀN", _topics(made)),
        ("SỰ CỐ, HƯ HỎNG", _troubles(made)),
        ("NHẬN XÉT, KIẾN NGHỊ", [_plain(line) for line in remarks.splitlines() if line.strip()]),
    ]
    told = [(name, text) for name, text in parts if text]
    rest = [
        *_weeks(made),
        *(
            one
            for count, (name, text) in enumerate(told, start=2)
            for one in (_heading(f"{roman(count)}. {name}"), *text)
        ),
        *_notes(made, log_left),
        _plain(f"Trên đây là báo cáo {about[:1].lower()}{about[1:]} {words} của {agency}./."),
    ]
    appendices = [_whole_table(made, programme_name)]
    if log:
        appendices.append(_log_table(log))
    return Paper(
        kind=KIND,
        stem=stem,
        letterhead=head,
        name="BÁO CÁO",
        about=(about, words),
        text=(_plain(said), _heading("I. KẾT QUẢ THEO ĐÀI")),
        body=short_table(made),
        rest=tuple(rest),
        appendices=tuple(appendices),
        sheets=(detail_table(made, programme_name), *((_log_table(log),) if log else ())),
    )


def short_table(made: Report) -> Table:
    """Return the table that stands in the text: what matters most, a line a station."""
    columns = (
        Column(key="tt", head="TT", kind=Kind.COUNT, width=0.55),
        Column(key="don_vi", head="Đơn vị (đài)", width=2.0),
        Column(key="tuan", head="trong kỳ", kind=Kind.COUNT, group="Số tuần", width=0.85),
        Column(key="co_phat", head="có phát", kind=Kind.COUNT, group="Số tuần", width=0.8),
        Column(key="khong_phat", head="không phát", kind=Kind.COUNT, group="Số tuần", width=0.95),
        Column(key="chinh", head="chính", kind=Kind.COUNT, group="Số lần phát", width=0.9),
        Column(key="phat_lai", head="phát lại", kind=Kind.COUNT, group="Số lần phát", width=0.8),
        Column(key="phat_bu", head="phát bù", kind=Kind.COUNT, group="Số lần phát", width=0.8),
        Column(key="tu_san_xuat", head="tự sản xuất", kind=Kind.COUNT, group="Số tin, bài", width=0.95),
        Column(key="cap_tren", head="cấp trên gửi", kind=Kind.COUNT, group="Số tin, bài", width=0.95),
        Column(key="phut", head="Thời lượng (phút)", kind=Kind.DECIMAL, width=1.05),
        Column(key="cum_loa", head="Cụm loa phát đạt (%)", kind=Kind.PERCENT, width=1.0),
    )

    def cells(line: Line) -> tuple[Cell, ...]:
        return (
            line.weeks_due,
            line.weeks_aired,
            line.week_states[WeekState.MISSED],
            line.mains,
            line.repeats,
            line.make_ups,
            line.own_items,
            line.upper_items,
            line.seconds / 60,
            percent(line),
        )

    rows = tuple((count, line.name, *cells(line)) for count, line in enumerate(made.lines, start=1))
    total = ("", "Cộng", *cells(made.total)) if len(made.lines) > 1 else None
    return Table(key="bang", title="Kết quả theo đài", columns=columns, rows=rows, total=total)


def _whole_table(made: Report, programme_name: str) -> Table:
    """Return the sixteen columns that a report on the programme has."""
    columns = (
        Column(key="tt", head="TT", kind=Kind.COUNT, width=0.45),
        Column(key="don_vi", head="Đơn vị (xã)", width=1.7),
        Column(key="chuyen_muc", head="Tên chuyên mục", width=1.1),
        Column(key="so_tuan", head="Số tuần trong kỳ", kind=Kind.COUNT, width=0.75),
        Column(key="tuan_co_phat", head="Số tuần có phát", kind=Kind.COUNT, width=0.75),
        Column(key="tuan_khong_phat", head="Số tuần không phát (lý do)", width=1.9),
        Column(key="lan_chinh", head="Số lần phát chính", kind=Kind.COUNT, width=0.8),
        Column(key="lan_lai_bu", head="Số lần phát lại/phát bù", width=0.6),
        Column(key="bai_tu_san_xuat", head="Số tin, bài tự sản xuất", kind=Kind.COUNT, width=0.85),
        Column(key="bai_cap_tren", head="Số tin, bài cấp trên gửi", kind=Kind.COUNT, width=0.85),
        Column(key="thoi_luong", head="Thời lượng (phút)", kind=Kind.DECIMAL, width=0.9),
        Column(key="luot_cum_loa", head="Số lượt phát theo cụm loa", kind=Kind.COUNT, width=0.85),
        Column(key="ty_le", head="Tỷ lệ cụm loa phát thành công (%)", kind=Kind.PERCENT, width=0.95),
        Column(key="noi_dung", head="Nội dung (mã chủ đề)", width=1.8),
        Column(key="su_co", head="Sự cố, hư hỏng (số phiếu; đã khắc phục; ngày ngừng phát)", width=1.25),
        Column(key="ghi_chu", head="Ghi chú", width=1.7),
    )

    def cells(line: Line, *, last: bool = False) -> tuple[Cell, ...]:
        return (
            line.weeks_due,
            line.weeks_aired,
            number(line.week_states[WeekState.MISSED]) if last else _missed_words(line),
            line.mains,
            f"{line.repeats}/{line.make_ups}",
            line.own_items,
            line.upper_items,
            line.seconds / 60,
            line.cluster_airings,
            percent(line),
            ", ".join(f"{code}: {count}" for code, count in line.topics.items()),
            f"{line.troubles.tickets}; {line.troubles.repaired}; {line.troubles.silent_days}",
            "; ".join(_remarks(line, made)),
        )

    rows = tuple((count, place(line), programme_name, *cells(line)) for count, line in enumerate(made.lines, start=1))
    total = ("", "Cộng", "", *cells(made.total, last=True)) if len(made.lines) > 1 else None
    return Table(key="bang_day_du", title="Bảng tổng hợp kết quả", columns=columns, rows=rows, total=total)


def detail_table(made: Report, programme_name: str) -> Table:
    """Return the same columns for a spreadsheet: where a document puts two numbers into a cell, each has its own."""
    columns = (
        Column(key="tt", head="TT", kind=Kind.COUNT, width=0.5),
        Column(key="don_vi", head="Đơn vị (xã)", width=2),
        Column(key="dai", head="Đài", width=2),
        Column(key="chuyen_muc", head="Tên chuyên mục", width=1.4),
        Column(key="so_tuan", head="Số tuần trong kỳ", kind=Kind.COUNT),
        Column(key="tuan_co_phat", head="Số tuần có phát", kind=Kind.COUNT),
        Column(key="tuan_phat_bu", head="trong đó nhờ phát bù", kind=Kind.COUNT),
        Column(key="tuan_khong_phat", head="Số tuần không phát", kind=Kind.COUNT),
        Column(key="tuan_duoc_mien", head="Số tuần được miễn", kind=Kind.COUNT),
        Column(key="ly_do", head="Lý do không phát, được miễn", width=3),
        Column(key="lan_chinh", head="Số lần phát chính", kind=Kind.COUNT),
        Column(key="lan_lai", head="Số lần phát lại", kind=Kind.COUNT),
        Column(key="lan_bu", head="Số lần phát bù", kind=Kind.COUNT),
        Column(key="khong_day_du", head="Lượt phát không đầy đủ", kind=Kind.COUNT),
        Column(key="luot_khong_phat", head="Lượt không phát", kind=Kind.COUNT),
        Column(key="bai_tu_san_xuat", head="Số tin, bài tự sản xuất", kind=Kind.COUNT),
        Column(key="bai_cap_tren", head="Số tin, bài cấp trên gửi", kind=Kind.COUNT),
        Column(key="thoi_luong", head="Thời lượng (phút)", kind=Kind.DECIMAL),
        Column(key="luot_cum_loa", head="Số lượt phát theo cụm loa", kind=Kind.COUNT),
        Column(key="ty_le", head="Tỷ lệ cụm loa phát thành công (%)", kind=Kind.PERCENT),
        Column(key="noi_dung", head="Nội dung (mã chủ đề)", width=2.5),
        Column(key="so_phieu", head="Sự cố: số phiếu", kind=Kind.COUNT),
        Column(key="khac_phuc", head="Sự cố: đã khắc phục", kind=Kind.COUNT),
        Column(key="ngay_ngung", head="Số ngày ngừng phát", kind=Kind.COUNT),
        Column(key="gio_tiep_am", head="Giờ tiếp âm (tính riêng)", kind=Kind.DECIMAL),
        Column(key="phat_thu", head="Lượt phát thử, không ra loa", kind=Kind.COUNT),
        Column(key="ghi_chu", head="Ghi chú", width=2.5),
    )

    def cells(line: Line) -> tuple[Cell, ...]:
        return (
            line.weeks_due,
            line.weeks_aired,
            line.week_states[WeekState.MADE_UP],
            line.week_states[WeekState.MISSED],
            line.week_states[WeekState.EXCUSED],
            "; ".join(
                f"tuần {int(week.name[6:])}: {_why(week)}"
                for week in line.weeks
                if week.state in (WeekState.MISSED, WeekState.EXCUSED)
            ),
            line.mains,
            line.repeats,
            line.make_ups,
            line.partial,
            line.missed,
            line.own_items,
            line.upper_items,
            line.seconds / 60,
            line.cluster_airings,
            percent(line),
            ", ".join(f"{code}: {count}" for code, count in line.topics.items()),
            line.troubles.tickets,
            line.troubles.repaired,
            line.troubles.silent_days,
            line.relay_seconds / 3600,
            line.rehearsals,
            "; ".join(_remarks(line, made)),
        )

    rows = tuple(
        (count, line.unit_name, line.name, programme_name, *cells(line))
        for count, line in enumerate(made.lines, start=1)
    )
    total = ("", "Cộng", "", "", *cells(made.total)) if len(made.lines) > 1 else None
    return Table(key="chi_tiet", title="Kết quả theo đài", columns=columns, rows=rows, total=total)


def percent(line: Line) -> float | None:
    """Return the share of clusters from 0 to 100, None where none was due."""
    return None if line.share is None else line.share * 100


def place(line: Line) -> str:
    """Return a station under the unit it belongs to today: `Đài Long Hiệp, xã Minh Long`."""
    return line.name if not line.unit_name or line.unit_name in line.name else f"{line.name}, {_lower(line.unit_name)}"


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:] if name.startswith(("Xã ", "Phường ", "Đặc khu ")) else name


def _log_table(log: Sequence[LogRow]) -> Table:
    columns = (
        Column(key="tt", head="TT", kind=Kind.COUNT, width=0.5),
        Column(key="ngay", head="Ngày", kind=Kind.DAY, width=0.9),
        Column(key="bat_dau", head="Bắt đầu", width=0.6),
        Column(key="ket_thuc", head="Kết thúc", width=0.6),
        Column(key="dai", head="Đài", width=1.5),
        Column(key="chuong_trinh", head="Tên chương trình", width=3),
        Column(key="nguon", head="Nguồn", width=1.1),
        Column(key="nguoi_duyet", head="Người duyệt", width=1.4),
        Column(key="cum", head="Cụm loa", width=0.6),
        Column(key="ket_qua", head="Kết quả", width=1.8),
    )
    rows = tuple(
        (
            count,
            row.day,
            f"{row.start:%H:%M}",
            "" if row.end is None else f"{row.end:%H:%M}",
            row.station,
            row.title,
            row.origin,
            row.approver,
            row.clusters,
            row.outcome,
        )
        for count, row in enumerate(log, start=1)
    )
    return Table(key="nhat_ky", title="Nhật ký phát sóng", columns=columns, rows=rows)


def _weeks(made: Report) -> list[Paragraph]:
    total = made.total
    parts = [f"{number(total.weeks_aired)}/{number(total.weeks_due)} tuần đài có phát"]
    if total.week_states[WeekState.MADE_UP]:
        parts.append(f"trong đó {padded(total.week_states[WeekState.MADE_UP])} tuần nhờ phát bù")
    if total.week_states[WeekState.MISSED]:
        parts.append(f"{padded(total.week_states[WeekState.MISSED])} tuần không phát")
    if total.week_states[WeekState.EXCUSED]:
        parts.append(f"{padded(total.week_states[WeekState.EXCUSED])} tuần được miễn theo văn bản")
    if total.week_states[WeekState.OPEN]:
        parts.append(f"{padded(total.week_states[WeekState.OPEN])} tuần chưa kết thúc, chưa tính")
    said = [_plain(f"Số tuần: {', '.join(parts)}.")]
    for state, word in ((WeekState.MISSED, "Tuần không phát"), (WeekState.EXCUSED, "Tuần được miễn")):
        told = [
            f"{line.name}, tuần {int(week.name[6:])} ({monday(week.name):%d/%m/%Y}): {_why(week)}"
            for line in made.lines
            for week in line.weeks
            if week.state is state
        ]
        said += [_plain(f"- {word}: {one}") for one in told[:_MOST_REASONS]]
        if len(told) > _MOST_REASONS:
            said.append(_plain(f"- {word}: còn {padded(len(told) - _MOST_REASONS)} tuần khác, xem phụ lục."))
    return said


def _why(week: Week) -> str:
    text = week.reason.vi if week.reason is not None else "không rõ lý do"
    return text if text.endswith(".") else f"{text}."


def _missed_words(line: Line) -> str:
    missed = [week for week in line.weeks if week.state is WeekState.MISSED]
    told = "; ".join(f"tuần {int(week.name[6:])}: {_why(week).rstrip('.')}" for week in missed)
    return f"{len(missed)} ({told})" if missed else "0"


def _numbers(made: Report) -> list[Paragraph]:
    total = made.total
    cluster = (
        f"{number(total.cluster_airings)}/{number(total.cluster_due)} lượt phát theo cụm loa, "
        f"đạt {number(total.share * 100, 1)}%"
        if total.share is not None
        else "không có lượt phát nào theo cụm loa"
    )
    said = [
        _plain(
            f"Phát trọn vẹn {padded(total.airings)} lượt: {padded(total.mains)} lần phát chính, "
            f"{padded(total.repeats)} lần phát lại, {padded(total.make_ups)} lần phát bù; {cluster}."
        ),
        _plain(
            f"Số tin, bài: {padded(total.own_items)} tự sản xuất, {padded(total.upper_items)} do cấp trên gửi. "
            f"Thời lượng: {number(total.seconds / 60, 1)} phút."
        ),
        _plain(f"Thời lượng tiếp âm (tính riêng): {number(total.relay_seconds / 3600, 1)} giờ."),
    ]
    if total.partial or total.missed:
        said.append(
            _plain(
                f"Không tính vào kết quả: {padded(total.partial)} lượt phát không đầy đủ, "
                f"{padded(total.missed)} lượt không phát."
            )
        )
    return said


def _topics(made: Report) -> list[Paragraph]:
    if not made.total.topics:
        return []
    told = "; ".join(f"{_LABELS.get(code, code)} ({code}): {padded(n)} lượt" for code, n in made.total.topics.items())
    return [_plain(f"{told}.")]


def _troubles(made: Report) -> list[Paragraph]:
    found = made.total.troubles
    if not (found.tickets or found.silent_days):
        return [_plain("Trong kỳ không có sự cố, hư hỏng; không có ngày nào ngừng phát.")]
    return [
        _plain(
            f"{padded(found.tickets)} phiếu, {padded(found.repaired)} phiếu đã khắc phục; "
            f"{padded(found.silent_days)} ngày đài ngừng phát."
        )
    ]


def _notes(made: Report, log_left: int) -> list[Paragraph]:
    zone = ZoneInfo("Asia/Ho_Chi_Minh")
    until = made.until.astimezone(zone)
    said = [
        f"Số liệu do máy phát ghi, tổng hợp đến {until:%H} giờ {until:%M} ngày {until:%d/%m/%Y}; tuần tính cho kỳ có "
        "ngày Thứ Năm của tuần đó."
    ]
    if made.total.rehearsals and made.demo:
        said.append(
            f"BẢN TRÌNH DIỄN: {padded(made.total.rehearsals)} lượt là phát thử, không ra loa, chỉ để xem mẫu báo cáo."
        )
    elif made.total.rehearsals:
        said.append(f"{padded(made.total.rehearsals)} lượt phát thử, không ra loa, không tính vào kết quả.")
    if made.total.since is not None and made.total.since > made.period.first:
        said.append(f"Nhật ký máy ghi có từ ngày {made.total.since:%d/%m/%Y}; thời gian trước đó không có số liệu.")
    if made.programme is None:
        said.append("Nhạc hiệu, lời chào, lời kết không tính là lượt phát; tiếp âm tính riêng.")
    if log_left:
        said.append(f"Phụ lục nhật ký còn {number(log_left)} lượt nữa, xem trong tệp XLSX hoặc trang Nhật ký.")
    return [_plain(f"Ghi chú: {one}") for one in said]


def _remarks(line: Line, made: Report) -> list[str]:
    told = []
    if line.relay_seconds:
        told.append(f"tiếp âm {number(line.relay_seconds / 3600, 1)} giờ (tính riêng)")
    if line.week_states[WeekState.MADE_UP]:
        told.append(f"{padded(line.week_states[WeekState.MADE_UP])} tuần nhờ phát bù")
    if line.week_states[WeekState.EXCUSED]:
        told.append(f"{padded(line.week_states[WeekState.EXCUSED])} tuần được miễn")
    short = [int(week.name[6:]) for week in line.weeks if week.short]
    if short:
        told.append(f"tuần {', '.join(map(str, short))} chưa đủ số lần")
    if line.partial:
        told.append(f"{padded(line.partial)} lượt phát không đầy đủ, không tính")
    if line.rehearsals:
        word = "phát thử, không ra loa" if made.demo else "phát thử, không ra loa, không tính"
        told.append(f"{padded(line.rehearsals)} lượt {word}")
    if line.since is not None and line.since > made.period.first and line.station:
        told.append(f"có nhật ký từ {line.since:%d/%m/%Y}")
    return told


def _plain(text: str) -> Paragraph:
    return Paragraph(text=text)


def _heading(text: str) -> Paragraph:
    return Paragraph(text=text, heading=True)


def by_topic(made: Report) -> Mapping[str, str]:
    """Return the words of the topics that the report counts, by code."""
    return {code: _LABELS.get(code, code) for code in made.total.topics}
