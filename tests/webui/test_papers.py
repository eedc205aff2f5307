"""Papers as files: opened by LibreOffice, rendered, and measured against Nghị định 30/2020/NĐ-CP."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from datetime import UTC, date, datetime
from pathlib import Path

import openpyxl
import pytest

from schedules.airing import Verdict
from schedules.report import Broadcast, ItemCard, StationFacts, Troubles, report, report_period
from schedules.station import Station
from schedules.text import Text
from webui.papers import pdf
from webui.papers.paper import Letterhead, Paper
from webui.papers.reportpaper import LogRow, report_paper
from webui.papers.sheets import comma_separated, workbook
from webui.printing import printed

OUT = Path(__file__).parents[1] / "out" / "papers"
A4 = (595.3, 841.9)
CARDS = {"tin": ItemCard(id="tin", owner="LONGHIEP", origin="own", topics=("DX-ONESTOP", "DX-NAT"))}


def broadcast(station: str, day: int, verdict: Verdict = Verdict.AIRED, **more) -> Broadcast:
    """Return an airing of that evening on four clusters."""
    whole = verdict is Verdict.AIRED
    values = {
        "station": station,
        "slot": f"{station}/cds/{day}",
        "kind": "segment",
        "programme": "CDS",
        "segment": "tin",
        "at": datetime(2026, 11, day, 10, 45, tzinfo=UTC),
        "verdict": verdict,
        "rehearsal": False,
        "seconds": 340.0 if whole else 0.0,
        "clusters": 4,
        "clusters_whole": 4 if whole else 0,
        "repeated": day > 7,
        "reason": None if whole else Text("Mất điện cả hai khung giờ phát.", "No power."),
    }
    return Broadcast(**(values | more))


def november(signed: bool = True) -> Paper:
    """Return the report of November of three stations under today's commune, with fifty rows of log."""
    facts = [
        StationFacts(
            station=Station(code=code, name=f"Đài {name}", unit=code),
            unit_name="Xã Minh Long",
            since=date(2026, 1, 1),
            broadcasts=tuple(
                broadcast(code, day, Verdict.MISSED if (code, day) == ("LONGMON", 20) else Verdict.AIRED)
                for day in (6, 13, 20, 27)
            ),
            relay_seconds=178_200.0,
            troubles=Troubles(tickets=1, repaired=1, silent_days=0),
        )
        for code, name in (("LONGHIEP", "Long Hiệp"), ("THANHAN", "Thanh An"), ("LONGMON", "Long Môn"))
    ]
    made = report(report_period("2026-11"), "CDS", facts, CARDS, datetime(2026, 12, 2, tzinfo=UTC), demo=False)
    head = Letterhead(
        agency="Ủy ban nhân dân\nxã Minh Long",
        number="12" if signed else "",
        symbol="BC-UBND",
        place="Minh Long",
        day=date(2026, 12, 2) if signed else None,
        signer_title="KT. CHỦ TỊCH\nPHÓ CHỦ TỊCH",
        signer="Phạm Văn Nghĩa",
        recipients=("Đơn vị quản lý cấp trên;", "CT, các PCT UBND xã;", "Lưu: VT, VX."),
    )
    log = [
        LogRow(
            day=date(2026, 11, 1 + row % 28),
            start=datetime(2026, 11, 1 + row % 28, 17, 45, tzinfo=UTC),
            end=datetime(2026, 11, 1 + row % 28, 17, 50, tzinfo=UTC),
            title="Kết quả giải quyết thủ tục hành chính tại bộ phận một cửa {{ 7*7 }} <b>x</b>",
            station="Đài Long Hiệp",
            origin="Tự sản xuất",
            approver="Phạm Văn Nghĩa",
            clusters="4/4",
            outcome="Phát thành công, E2",
        )
        for row in range(50)
    ]
    return report_paper(
        made,
        head,
        programme_name="Chuyển đổi số",
        basis="Công văn số 485/UBND-VX ngày 23/5/2023 của Ủy ban nhân dân huyện Minh Long",
        remarks="Đề nghị cấp kinh phí thay tăng âm đài Long Môn.",
        log=log,
    )


def run(*command: str) -> str:
    """Run a tool and return what it printed."""
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


def pages(path: Path) -> list[tuple[float, float]]:
    """Return width and height of every page of a PDF, in points."""
    told = run("pdfinfo", "-l", "99", str(path))
    return [(float(w), float(h)) for w, h in re.findall(r"Page +\d+ size: +([\d.]+) x ([\d.]+)", told)]


def fonts(path: Path) -> set[str]:
    """Return the families that a PDF embeds."""
    lines = run("pdffonts", str(path)).splitlines()[2:]
    return {re.sub(r"^[A-Z]{6}\+", "", line.split()[0]).replace("-", "")[:15] for line in lines}


def words(path: Path, page: int) -> list[tuple[float, float, float, str]]:
    """Return left, right, top and text of each word of a page, in points."""
    told = run("pdftotext", "-bbox", "-f", str(page), "-l", str(page), str(path), "-")
    return [
        (float(a), float(b), float(c), text)
        for a, c, b, text in re.findall(
            r'<word xMin="([\d.]+)" yMin="([\d.]+)" xMax="([\d.]+)"[^>]*>([^<]*)</word>', told
        )
    ]


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """Print the report as DOCX and PDF, and have LibreOffice render DOCX and XLSX; once for all tests here."""
    folder = tmp_path_factory.mktemp("papers")
    paper = november()
    made = printed(paper, ("docx", "pdf"))
    (folder / "bao-cao.pdf").write_bytes(made["pdf"])
    (folder / "word.docx").write_bytes(made["docx"])
    (folder / "excel.xlsx").write_bytes(workbook(paper))
    profile = f"-env:UserInstallation=file://{folder / 'profile'}"
    run("soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", str(folder), str(folder / "word.docx"))
    run("soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", str(folder), str(folder / "excel.xlsx"))
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    for name in ("bao-cao", "word", "excel"):
        run("pdftoppm", "-r", "60", "-png", str(folder / f"{name}.pdf"), str(OUT / name))
    return folder


@pytest.mark.parametrize("name", ["bao-cao", "word"])
def test_the_report_is_laid_out_after_decree_30(rendered, name):
    """A4; text upright, wide tables across; margins 20, 20, 30, 15 mm; numbers at the top from page 2; one font."""
    path = rendered / f"{name}.pdf"
    sizes = pages(path)
    upright = [size for size in sizes if size[0] < size[1]]
    across = [size for size in sizes if size[0] > size[1]]
    assert 1 <= len(upright) <= 2
    assert 3 <= len(across) <= 5
    assert sizes == upright + across
    assert all(size == pytest.approx(A4, abs=1.5) for size in upright)
    assert all(size == pytest.approx(A4[::-1], abs=1.5) for size in across)
    assert fonts(path) == {"LiberationSerif"}, "as wide as Times New Roman, and with every Vietnamese letter"

    first, second = words(path, 1), words(path, 2)
    millimetre = 72 / 25.4
    assert min(word[0] for word in first) == pytest.approx(30 * millimetre, abs=6)
    assert max(word[1] for word in first) <= A4[0] - 15 * millimetre + 4
    assert min(word[2] for word in first) >= 19 * millimetre
    number = min(second, key=lambda word: word[2])
    assert number[3] == "2"
    assert number[2] < 20 * millimetre
    assert (number[0] + number[1]) / 2 == pytest.approx((sizes[1][0] + 15 * millimetre) / 2, abs=6)
    assert min(first, key=lambda word: word[2])[3] != "1"


@pytest.mark.parametrize("name", ["bao-cao", "word"])
def test_the_report_says_what_a_report_says(rendered, name):
    """Motto, agency, number, place and date, subject, body, signer, recipients; appendices name their report."""
    text = " ".join(run("pdftotext", "-layout", str(rendered / f"{name}.pdf"), "-").split())
    for said in (
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
        "Độc lập - Tự do - Hạnh phúc",
        "ỦY BAN NHÂN DÂN",
        "XÃ MINH LONG",
        "Số: 12/BC-UBND",
        "Minh Long, ngày 02 tháng 12 năm 2026",
        "BÁO CÁO",
        "Kết quả tuyên truyền chuyển đổi số trên hệ thống truyền thanh cơ sở",
        "Thực hiện Công văn số 485/UBND-VX ngày 23/5/2023",
        "11/12 tuần đài có phát, 01 tuần không phát",
        "Đài Long Môn, tuần 47 (16/11/2026): Mất điện cả hai khung giờ phát.",
        "Thời lượng tiếp âm (tính riêng): 148,5 giờ.",
        "03 phiếu, 03 phiếu đã khắc phục",
        "KT. CHỦ TỊCH",
        "Phạm Văn Nghĩa",
        "Nơi nhận:",
        "Lưu: VT, VX.",
        "Phụ lục I",
        "Phụ lục II",
        "(Kèm theo Báo cáo số 12/BC-UBND ngày 02 tháng 12 năm 2026 của Ủy ban nhân dân xã Minh Long)",
        "{{ 7*7 }} <b>x</b>",
        "01/11/2026",
    ):
        assert said in text, said


def test_the_workbook_opens(rendered):
    """LibreOffice opens it, two sheets, across, each as wide as one page."""
    text = run("pdftotext", "-layout", str(rendered / "excel.pdf"), "-")
    assert "Đài Long Hiệp" in text
    assert all(width > height for width, height in pages(rendered / "excel.pdf"))


def test_rows_grow_with_their_notes():
    """LibreOffice grows none by itself: a row with a long note says its own height, a short one is one line."""
    sheet = openpyxl.load_workbook(io.BytesIO(workbook(november()))).worksheets[0]
    height = {row: sheet.row_dimensions[row].height for row in range(2, sheet.max_row + 1)}
    for row, points in height.items():
        longest = max(
            len(str(cell.value or "")) / sheet.column_dimensions[cell.column_letter].width for cell in sheet[row]
        )
        assert points >= 15 * longest
    assert max(height.values()) > 15


def test_s36_a_paper_fetches_nothing():
    """S36: whatever address a paper held, no server and no file would be asked."""
    for url in ("http://127.0.0.1/x", "file:///etc/passwd", "data:text/plain,x"):
        with pytest.raises(pdf.NothingIsFetched):
            pdf.refuse(url)
    assert "<script" not in pdf.page(november())
    assert "&lt;b&gt;x&lt;/b&gt;" in pdf.page(november())


def test_csv_has_its_mark_and_points():
    """UTF-8 with the mark that spreadsheets want, and numbers that programs read."""
    made = comma_separated(november(signed=False).sheets[0])
    assert made.startswith(b"\xef\xbb\xbf")
    assert ",17.0,12,75.0," in made.decode()
