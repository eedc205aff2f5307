"""The pay sheet of contributions (bảng kê thù lao) as an office pays by it."""

from __future__ import annotations

from collections.abc import Mapping

from schedules.remuneration import PaySheet, in_words
from schedules.report import ReportPeriod
from schedules.segment import SegmentKind
from webui.papers.paper import Column, Kind, Letterhead, Paper, Paragraph, Table, number, padded
from webui.papers.reportpaper import period_words

KIND = "pay"
WORDS: Mapping[SegmentKind, str] = {
    SegmentKind.TIN: "Tin",
    SegmentKind.BAI: "Bài",
    SegmentKind.BAN_TIN: "Bản tin",
    SegmentKind.THONG_BAO: "Thông báo",
    SegmentKind.TRA_LOI: "Trả lời phản ánh",
    SegmentKind.NHAC_HIEU: "Nhạc hiệu",
}


def pay_paper(sheet: PaySheet, period: ReportPeriod, head: Letterhead, *, prepared: str, stem: str) -> Paper:
    """Return the sheet as a paper. prepared: who drew it up, empty before."""
    words = period_words(period)
    authors = Table(
        key="bang",
        title="Tổng hợp theo người",
        columns=(
            Column(key="tt", head="TT", kind=Kind.COUNT, width=0.5),
            Column(key="ho_ten", head="Họ và tên", width=2.6),
            Column(key="so_bai", head="Số tin, bài", kind=Kind.COUNT, width=1),
            Column(key="so_tien", head="Số tiền (đồng)", kind=Kind.MONEY, width=1.5),
            Column(key="ky_nhan", head="Ký nhận", width=1.5),
        ),
        rows=tuple((place, one.author, one.items, one.amount, "") for place, one in enumerate(sheet.authors, start=1)),
        total=("", "Cộng", len(sheet.lines), sheet.total, ""),
    )
    items = Table(
        key="chi_tiet",
        title="Kê chi tiết tin, bài",
        columns=(
            Column(key="tt", head="TT", kind=Kind.COUNT, width=0.5),
            Column(key="tac_gia", head="Tác giả", width=1.8),
            Column(key="ten_bai", head="Tên tin, bài", width=3.4),
            Column(key="the_loai", head="Thể loại", width=1),
            Column(key="ngay_phat", head="Ngày phát đầu tiên", kind=Kind.DAY, width=1),
            Column(key="so_luot", head="Số lượt phát trong kỳ", kind=Kind.COUNT, width=0.8),
            Column(key="thanh_tien", head="Thành tiền (đồng)", kind=Kind.MONEY, width=1.2),
            Column(key="can_cu", head="Căn cứ mức chi", width=1.8),
        ),
        rows=tuple(
            (
                place,
                line.item.author,
                line.item.title,
                WORDS[line.item.kind],
                line.item.day,
                line.item.airings,
                line.amount,
                line.rate.rule if line.rate is not None else "chưa có mức chi",
            )
            for place, line in enumerate(sheet.lines, start=1)
        ),
        total=("", "Cộng", "", "", "", sum(line.item.airings for line in sheet.lines), sheet.total, ""),
    )
    rules = f"Căn cứ {'; '.join(sheet.rules)}, " if sheet.rules else ""
    rest = [
        Paragraph(text=f"Tổng số tiền: {number(sheet.total)} đồng. Bằng chữ: {in_words(sheet.total)}."),
        Paragraph(
            text="Ghi chú: mỗi tin, bài tính một lần, cho kỳ có lượt phát trọn vẹn đầu tiên theo nhật ký máy ghi; phát "
            "lại, phát bù không tính thêm."
        ),
    ]
    if sheet.unpriced:
        rest.append(Paragraph(text=f"Ghi chú: {padded(sheet.unpriced)} tin, bài chưa có mức chi nên chưa tính tiền."))
    if prepared:
        rest.append(Paragraph(text=f"Người lập bảng: {prepared}."))
    agency = " ".join(head.agency.split())
    return Paper(
        kind=KIND,
        stem=stem,
        letterhead=head,
        name="BẢNG KÊ",
        about=("Thù lao tin, bài phát trên đài truyền thanh cơ sở", words),
        text=(Paragraph(text=f"{rules}{agency} kê thù lao cho người viết tin, bài đã phát {words} như sau:"),),
        body=authors,
        rest=tuple(rest),
        appendices=(items,),
        sheets=(items, authors),
    )
