"""Reports on pages, as files and over the API: the same numbers everywhere; issued ones never change."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import openpyxl
import pytest
from docx import Document
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from house.reportmail import send_reports
from link.keys import load_or_make
from schedules.airing import Airing, Evidence, OutputCount, Verdict
from schedules.errors import Refused
from schedules.report import Span
from schedules.text import Text
from store import airdays, airings, audit, issued, ledger, mailings, outgoing, tables, tables_reports
from webui import printing, reportmail
from webui.pages.reportrules import check_template
from webui.papers.paper import Letterhead, numbered, place_and_day

NOVEMBER = "ky=2026-11&loai=CDS&noi=u:MINHLONG"
SIGNED = {
    "number": "12",
    "symbol": "BC-TTVH",
    "place": "Minh Long",
    "day": "2026-12-02",
    "signer_title": "GIÁM ĐỐC",
    "signer": "Đinh Văn Lâm",
}
SAMPLES = 300 * 48_000


def aired(station: str, day: int, segment: str, verdict: Verdict = Verdict.AIRED, **more) -> Airing:
    """Return a row of that evening in November 2026: five minutes on two clusters."""
    start = datetime(2026, 11, day, 10, 45, tzinfo=UTC)
    whole = verdict is Verdict.AIRED
    values = {
        "slot": f"{station}/cds/{day}/{segment}",
        "station": station,
        "kind": "segment",
        "programme": "CDS",
        "segment": segment,
        "title": "Tin thôn 1",
        "sha256": "a" * 64,
        "topics": ("DX-NAT",),
        "planned_start": start,
        "planned_end": start + timedelta(minutes=5),
        "started_at": start if whole else None,
        "ended_at": start + timedelta(minutes=5) if whole else None,
        "seconds_aired": 300.0 if whole else 0.0,
        "samples_aired": SAMPLES if whole else 0,
        "samples_expected": SAMPLES,
        "bit_exact": whole,
        "start_error_s": 0.0 if whole else None,
        "holes_s": 0.0,
        "parts": (),
        "outputs": tuple(
            OutputCount(name=name, kind="pulse", samples=SAMPLES if whole else 0, grade=Evidence.E1)
            for name in ("thôn 1", "thôn 2")
        ),
        "verdict": verdict,
        "reason": None if whole else Text("Mất điện cả buổi.", "No power."),
        "rehearsal": False,
        "evidence": Evidence.E1 if whole else Evidence.E0,
    }
    return Airing(**(values | more))


def fill(world, *rows: Airing) -> None:
    """Put rows into the copy of the air log and count the days."""
    with world.database.writing() as session:
        for row in rows:
            seq = airings.last_seq(session, row.station) + 1
            airings.record(session, row.station, seq, hashlib.sha256(row.slot.encode()).hexdigest(), row)
        for station in {row.station for row in rows}:
            airdays.follow(session, station, "Asia/Ho_Chi_Minh", demo=False)


@pytest.fixture
def november(world):
    """November at two stations, in December, outside of the demonstration.

    LONGHIEP: its own item on the 6th and again on the 12th, the 20th missed, a rehearsal on the 27th, a relay of two
    hours. LONGMAI: the item of LONGHIEP on the 13th.
    """
    item = world.analysed(world.client(), title="Tin <b>thôn</b> {{ 7*7 }}")["id"]
    fill(
        world,
        aired("LONGHIEP", 6, item, title="Tin <b>thôn</b> {{ 7*7 }}"),
        aired("LONGHIEP", 12, item, title="=HYPERLINK(1)"),
        aired("LONGHIEP", 20, item, Verdict.MISSED),
        aired("LONGHIEP", 27, item, rehearsal=True),
        aired("LONGHIEP", 7, None, kind="relay", programme="BANTIN", seconds_aired=7200.0),
        aired("LONGMAI", 13, item),
    )
    world.clock.wall = datetime(2026, 12, 2, 3, 0, tzinfo=UTC)
    world.app = world.new_app(demo=False)
    return world


def test_the_page_says_what_the_rows_say(november):
    """Weeks, airings, items and relay hours of two stations; the rehearsal counts nowhere and is told."""
    page = november.signed_in("centre-minhlong").get(f"/bao-cao?{NOVEMBER}").text

    assert "3/8 tuần đài có phát" in page
    assert "Thời lượng tiếp âm (tính riêng): 2,0 giờ." in page
    assert "phát thử, không ra loa" in page
    assert "Số tin, bài: 01 tự sản xuất" in page
    assert not re.search(r"\sstyle\s*=", page)
    assert "<b>thôn</b>" not in page


def test_the_last_month_stands_there_at_once(november):
    """Two clicks: the entry of the menu, then the file; nothing has to be chosen before."""
    client = november.signed_in("operator")
    page = client.get("/bao-cao").text

    assert '<option value="2026-11" selected>' in page
    link = re.search(r'class="btn p" href="([^"]+)"', page)
    assert link is not None
    answer = client.get(link.group(1).replace("&amp;", "&"))
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == 'attachment; filename="bao-cao-longhiep-2026-11.docx"'


def figures(world, name: str = "centre-minhlong", **asked):
    """Return the API's answer."""
    query = {"period": "2026-11", "programme": "CDS"} | asked
    return world.client().get("/api/v1/reports", query_string=query, headers=world.token(name))


def test_page_files_and_api_have_the_same_numbers(november):
    """One computation: JSON, XLSX, CSV and DOCX agree cell by cell, and numbers are numbers."""
    line = figures(november).json["lines"][0]
    assert (line["name"], line["mains"], line["repeats"], line["make_ups"]) == ("Đài Long Hiệp", 1, 1, 0)
    assert (line["missed"], line["rehearsals"], line["minutes"], line["relay_hours"]) == (1, 1, 10.0, 2.0)
    assert (line["cluster_airings"], line["cluster_due"]) == (4, 6)
    assert (line["own_items"], line["upper_items"]) == (1, 0)
    assert line["silent_days"] == 2, "the 20th, and the 27th, when only a rehearsal ran"
    other = figures(november).json["lines"][1]
    assert (other["own_items"], other["upper_items"]) == (0, 1)

    client = november.signed_in("centre-minhlong")
    book = openpyxl.load_workbook(io.BytesIO(client.get(f"/bao-cao/tai/xlsx?{NOVEMBER}").data))
    sheet = book.worksheets[0]
    assert sheet.freeze_panes == "A2"
    heads = {cell.value: cell.column for cell in sheet[1]}
    assert sheet.cell(2, heads["Số lần phát chính"]).value == 1
    assert sheet.cell(2, heads["Thời lượng (phút)"]).value == 10
    assert sheet.cell(2, heads["Tỷ lệ cụm loa phát thành công (%)"]).value == pytest.approx(4 / 6)
    log = book.worksheets[1]
    assert isinstance(log.cell(2, 2).value, datetime)

    table = list(csv.DictReader(io.StringIO(client.get(f"/bao-cao/tai/csv?{NOVEMBER}").data.decode("utf-8-sig"))))
    assert [row["Số lần phát chính"] for row in table] == ["1", "1"]
    assert table[0]["Giờ tiếp âm (tính riêng)"] == "2.0"

    text = document_text(client.get(f"/bao-cao/tai/docx?{NOVEMBER}").data)
    assert "Phát trọn vẹn 03 lượt: 02 lần phát chính, 01 lần phát lại, 0 lần phát bù" in text


def document_text(content: bytes) -> str:
    """Return all text of a DOCX, tables too."""
    document = Document(io.BytesIO(content))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(paragraph.text for paragraph in document.paragraphs), *cells])


def test_s37_what_looks_like_a_template_in_a_title_stays_text(november):
    """S37: `{{ 7*7 }}` in a title is printed as it was typed, in DOCX as on the page."""
    client = november.signed_in("centre-minhlong")
    text = document_text(client.get(f"/bao-cao/tai/docx?{NOVEMBER}").data)
    assert "Tin <b>thôn</b> {{ 7*7 }}" in text
    assert "49" not in text


def test_s38_no_cell_is_a_formula(november):
    """S38: a title that begins with `=` is text in XLSX and carries a mark in case somebody saves it as CSV."""
    client = november.signed_in("centre-minhlong")
    book = openpyxl.load_workbook(io.BytesIO(client.get(f"/bao-cao/tai/xlsx?{NOVEMBER}").data))
    cells = [cell for sheet in book.worksheets for row in sheet.iter_rows() for cell in row]
    assert all(cell.data_type != "f" for cell in cells)
    assert "'=HYPERLINK(1)" in {cell.value for cell in cells}


def test_s36_and_s2_what_is_not_there_or_not_theirs_is_not_found(november):
    """S2, S36: foreign units and stations are 404, nonsense periods and programmes are refused, never an error page."""
    client = november.signed_in("operator")
    for place in ("u:MINHLONG", "u:BATO", "d:LONGMAI", "d:BADINH", "u:' OR 1=1 --"):
        assert client.get("/bao-cao", query_string={"noi": place}).status_code == 404, place
        assert client.get("/bao-cao/tai/csv", query_string={"noi": place}).status_code == 404, place
    for period in ("2026-13", "x", "2026-Q9", "9999", "2027-01", "' OR 1=1 --"):
        assert client.get("/bao-cao", query_string={"ky": period}).status_code in (404, 422), period
    assert client.get("/bao-cao", query_string={"loai": "KHONGCO"}).status_code == 404
    assert client.get("/bao-cao/tai/exe").status_code == 404
    assert figures(november, "operator", unit="MINHLONG").status_code == 404
    assert figures(november, "operator", station="LONGMAI").status_code == 404
    assert figures(november, period="2026-00").status_code == 422
    assert figures(november, unit="MINHLONG", more="1").status_code in (400, 422)


def issue(world, client, query: str = NOVEMBER, **more):
    """Issue the report through its form and return the answer."""
    return world.post(client, f"/bao-cao/ban-hanh?{query}", SIGNED | more)


def test_an_issued_report_is_frozen(november):
    """What the log learns later changes neither figures nor files; a new version supersedes it, for a reason.

    The database itself refuses to change or delete what was issued.
    """
    client = november.signed_in("centre-minhlong")
    answer = issue(november, client)
    assert answer.status_code == 303, answer.text
    path = answer.location
    page = client.get(path).text
    docx = client.get(f"{path}/tep/docx").data
    assert hashlib.sha256(docx).hexdigest() in page
    assert "Số: 12/BC-TTVH" in document_text(docx)
    assert "Minh Long, ngày 02 tháng 12 năm 2026" in document_text(docx)
    pdf = client.get(f"{path}/tep/pdf")
    assert pdf.data.startswith(b"%PDF-")
    assert pdf.headers["Content-Disposition"].startswith("attachment")

    for table in (tables_reports.issued_report, tables_reports.issued_file):
        with pytest.raises(IntegrityError, match="does not change"), november.database.writing() as session:
            session.execute(table.delete())
    with pytest.raises(IntegrityError, match="does not change"), november.database.writing() as session:
        session.execute(update(tables_reports.issued_report).values(number="99"))

    fill(november, aired("LONGHIEP", 28, "muon"))
    assert client.get(f"{path}/tep/docx").data == docx
    first = path.rsplit("/", 1)[1]
    assert issue(november, client).status_code == 422, "the newest version has to be named"
    assert issue(november, client, after=first).status_code == 422, "and a reason given"
    second = issue(november, client, after=first, reason="Bổ sung nhật ký gửi muộn", number="13")
    assert second.status_code == 303, second.text
    assert "Đã có bản thay thế" in client.get(path).text
    with november.database.reading() as session:
        old, new = issued.find(session, first), issued.find(session, second.location.rsplit("/", 1)[1])
        assert (new.version, new.supersedes, old.version) == (2, first, 1)
        assert old.content["total"]["mains"] == 2
        assert new.content["total"]["mains"] == 3


def test_s72_the_ledger_names_every_hash(november):
    """S72: the signed, chained ledger holds the hashes of figures and files; a forged file is told from the issued."""
    client = november.signed_in("centre-minhlong")
    path = issue(november, client).location
    key = load_or_make(november.data / "keys" / "authority.ed25519").verify_key
    with november.database.reading() as session:
        count, _hash = ledger.verify(session, key)
        body = session.scalars(select(tables.ledger.c.body)).one()
        files = {one.format: one.sha256 for one in issued.files(session, path.rsplit("/", 1)[1])}
    assert count == 1
    assert body["files"] == files
    assert set(files) == {"docx", "pdf", "xlsx", "csv"}

    genuine = client.get(f"{path}/tep/pdf").data
    assert "Đúng là bản đã ban hành" in verify(november, client, genuine).text
    assert "không phải bản đã ban hành" in verify(november, client, genuine + b" ").text
    stranger = november.signed_in("centre-bato") if "centre-bato" in november.people else november.signed_in("operator")
    assert "không phải bản đã ban hành" in verify(november, stranger, genuine).text
    assert stranger.get(path).status_code == 404
    assert stranger.get(f"{path}/tep/pdf").status_code == 404


def verify(world, client, content: bytes):
    """Upload a file to be checked."""
    data = {"csrf_token": world.csrf(client), "file": (io.BytesIO(content), "x.pdf")}
    return client.post("/bao-cao/doi-chieu", data=data)


def test_s3_s7_who_issues_and_when(november):
    """S3, S7: operators, inspectors and administrators issue nothing, nobody issues a period that still runs.

    A leader may issue what they prepared: the machine makes the figures, and the person answers for them by name.
    """
    for name in ("operator-minhlong", "inspector-minhlong", "admin-minhlong"):
        assert issue(november, november.signed_in(name)).status_code == 403, name
    assert issue(november, november.signed_in("approver-longmai")).status_code == 404
    client = november.signed_in("approver-minhlong")
    running = issue(november, client, "ky=2026-12&loai=CDS&noi=u:MINHLONG")
    assert running.status_code == 422
    assert "chưa kết thúc" in running.text
    empty = november.post(client, f"/bao-cao/ban-hanh?{NOVEMBER}", {"number": "", "signer": ""})
    assert empty.status_code == 422
    assert "Hãy ghi số văn bản." in empty.text
    assert issue(november, client).status_code == 303
    with november.database.reading() as session:
        assert "report.issue" in {entry.what for entry in audit.newest(session)}


def test_a_scan_of_the_signed_paper_is_kept(november):
    """A PDF by its first bytes, kept as it came and given as a file to save; anything else that is no photo is not."""
    client = november.signed_in("centre-minhlong")
    path = issue(november, client).location

    def send(content: bytes, name: str):
        data = {"csrf_token": november.csrf(client), "scan": (io.BytesIO(content), name)}
        return client.post(f"{path}/quet", data=data)

    assert send(b"%PDF-1.7 scan", "scan.pdf").status_code == 303
    assert send(b"<script>alert(1)</script>", "scan.pdf").status_code == 422
    assert send(b"", "").status_code == 422
    page = client.get(path).text
    link = re.search(r'href="([^"]+/quet/[^"]+)"', page)
    assert link is not None
    answer = client.get(link.group(1))
    assert answer.data == b"%PDF-1.7 scan"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "Đúng là bản đã ban hành" in verify(november, client, b"%PDF-1.7 scan").text
    assert november.signed_in("operator").get(link.group(1)).status_code == 404


def test_an_office_changes_the_template(november):
    """The shipped template, a word changed in it, is filled in from then on; going back is one click."""
    client = november.signed_in("operator")
    shipped = client.get("/bao-cao/mau.docx").data
    document = Document(io.BytesIO(shipped))
    document.paragraphs[0].insert_paragraph_before("MẪU CỦA XÃ")
    assert send_template(november, client, document).status_code == 303
    assert "MẪU CỦA XÃ" in document_text(client.get("/bao-cao/tai/docx").data)
    assert "mau.docx" in client.get("/bao-cao/the-thuc").text
    assert november.post(client, "/bao-cao/mau", {"drop": "1"}).status_code == 303
    assert "MẪU CỦA XÃ" not in document_text(client.get("/bao-cao/tai/docx").data)


def send_template(world, client, document):
    """Upload a template and return the answer; `document`: of python-docx, or bytes."""
    target = io.BytesIO()
    if isinstance(document, bytes):
        target.write(document)
    else:
        document.save(target)
    target.seek(0)
    return client.post("/bao-cao/mau", data={"csrf_token": world.csrf(client), "template": (target, "mau.docx")})


HOSTILE = (
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(99999) %}x{% endfor %}{% endfor %}"
    "{% endfor %}",
    "{% include '/etc/passwd' %}",
    "{% if %}",
)


def test_s37_a_template_is_code_and_gets_nowhere(november, monkeypatch):
    """S37: a hostile template is refused with a sentence; it reads nothing, runs nothing and ends in its limits."""
    small = replace(printing._LIMITS, cpu_s=2)
    monkeypatch.setattr(printing, "_LIMITS", small)
    client = november.signed_in("operator")
    for code in HOSTILE:
        document = Document()
        document.add_paragraph(code)
        answer = send_template(november, client, document)
        assert answer.status_code == 422, code
        assert "không điền được" in answer.text
        assert "root:" not in answer.text


def zipped(**parts: bytes) -> bytes:
    """Return a ZIP of these parts; `__` in a name is a slash."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            made.writestr(name.replace("__", "/"), content)
    return target.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"not a zip",
        zipped(**{"hello.txt": b"x"}),
        zipped(**{"word__document.xml": b"x", "word__vbaProject.bin": b"x"}),
        zipped(**{"word__document.xml": b"x", "word__embeddings__a.bin": b"x"}),
        zipped(
            **{
                "word__document.xml": b"x",
                "word___rels__document.xml.rels": b'<R><Relationship Type="x/attachedTemplate" '
                b'Target="http://evil" TargetMode="External"/></R>',
            }
        ),
        zipped(**{"word__document.xml": b"0" * (41 * 1024 * 1024)}),
        zipped(**{"word__document.xml": b"x"} | {f"p{n}": b"" for n in range(201)}),
    ],
)
def test_s30_only_a_plain_docx_is_a_template(content):
    """Macros, embedded objects, parts elsewhere, bombs and other files are refused before anything opens them."""
    with pytest.raises(Refused):
        check_template(content)


def test_a_link_in_a_template_is_no_harm():
    """A hyperlink points elsewhere by its nature and is let through."""
    check_template(
        zipped(
            **{
                "word__document.xml": b"x",
                "word___rels__document.xml.rels": b'<R><Relationship Type="x/hyperlink" Target="https://a.vn" '
                b'TargetMode="External"/></R>',
            }
        )
    )


def test_the_letterhead_is_kept(november):
    """What an office typed stands on its papers; an empty agency is refused."""
    client = november.signed_in("operator")
    head = {
        "agency": "Ủy ban nhân dân\nxã Long Hiệp",
        "symbol": "BC-UBND",
        "place": "Long Hiệp",
        "signer_title": "KT. CHỦ TỊCH\nPHÓ CHỦ TỊCH",
        "signer": "Phạm Văn Nghĩa",
        "recipients": "Như trên;\nLưu: VT.",
        "basis": "Công văn số 485/UBND-VX ngày 23/5/2023",
        "above": "",
    }
    assert november.post(client, "/bao-cao/the-thuc", head).status_code == 303
    page = client.get("/bao-cao").text
    assert "Thực hiện Công văn số 485/UBND-VX ngày 23/5/2023, Ủy ban nhân dân xã Long Hiệp báo cáo" in page
    assert "PHÓ CHỦ TỊCH" in page
    assert november.post(client, "/bao-cao/the-thuc", head | {"agency": ""}).status_code == 422
    assert november.post(client, "/bao-cao/the-thuc", head | {"symbol": "x" * 90}).status_code == 422
    assert november.post(client, "/bao-cao/the-thuc?don_vi=MINHLONG", head).status_code == 404


def test_dates_and_numbers_of_papers():
    """Days below 10 and the months 1 and 2 have a zero, as Nghị định 30/2020 wants; open places have dots."""
    head = Letterhead(agency="x", number="5", symbol="BC", place="Minh Long", day=date(2027, 2, 3))
    assert place_and_day(head) == "Minh Long, ngày 03 tháng 02 năm 2027"
    assert numbered(head) == "Số: 5/BC"
    assert "……" in place_and_day(Letterhead(agency="x"))
    later = Letterhead(agency="x", day=date(2027, 11, 30), place="P")
    assert place_and_day(later) == "P, ngày 30 tháng 11 năm 2027"


def test_reports_go_out_by_mail_once(november):
    """A rule sends the period that has just ended, to people and addresses, with the files asked for, and only once."""
    client = november.signed_in("operator")
    form = {
        "days_after": "2",
        "hour": "8",
        "formats": ["csv", "xlsx"],
        "people": november.people["operator"].id,
        "addresses": "so.vhttdl@quangngai.gov.vn",
    }
    query = "ky=2026-11&loai=CDS&noi=u:LONGHIEP"
    assert november.post(client, f"/bao-cao/gui-thu?{query}", form).status_code == 303
    for wrong in ({"addresses": "x@y", "people": []}, {"formats": []}, {"addresses": "", "people": []}, {"hour": "x"}):
        assert november.post(client, f"/bao-cao/gui-thu?{query}", form | wrong).status_code == 422, wrong
    stranger = november.people["operator-bato"].id if "operator-bato" in november.people else "khongco"
    assert november.post(client, f"/bao-cao/gui-thu?{query}", form | {"people": stranger}).status_code == 422
    assert "so.vhttdl@quangngai.gov.vn" in client.get(f"/bao-cao/gui-thu?{query}").text

    here = november.services(demo=False)
    assert reportmail.send_due(here) == 0, "November was over when the rule was made"
    november.clock.wall = datetime(2027, 1, 3, 0, 59, tzinfo=UTC)
    assert reportmail.send_due(here) == 0, "three days after it, at eight"
    november.clock.wall = datetime(2027, 1, 3, 1, 1, tzinfo=UTC)
    assert send_reports(here) == 1
    assert send_reports(here) == 0
    assert send_reports(None) == 0
    with november.database.reading() as session:
        sent = outgoing.newest(session)
        assert "so.vhttdl@quangngai.gov.vn" in {one.address for one in sent}
        assert "tháng 12 năm 2026" in sent[0].subject
        names = [one.name for one in outgoing.attachments(session, sent[0].outgoing)]
        (rule,) = mailings.in_force(session)
    assert names == ["bao-cao-longhiep-2026-12.xlsx", "bao-cao-longhiep-2026-12.csv"]
    assert (rule.span, rule.sent) == (Span.MONTH, "2026-12")
    client = november.signed_in("operator")
    assert november.post(client, f"/bao-cao/gui-thu/{rule.id}/thoi").status_code == 303
    assert november.post(client, f"/bao-cao/gui-thu/{rule.id}/thoi").status_code == 404
    november.clock.wall += timedelta(days=40)
    assert reportmail.send_due(here) == 0


def test_the_programme_sheet_of_a_week(november):
    """The real plan of a week, on the page and as XLSX; a foreign station is not found."""
    client = november.signed_in("operator")
    assert client.get("/phieu-chuong-trinh", follow_redirects=True).status_code == 200
    assert client.get("/lich/2026-W49/phieu?dai=LONGMAI").status_code == 404
    assert client.get("/lich/2026-W60/phieu").status_code == 404
    assert client.get("/lich/2026-W49/phieu/xlsx").data.startswith(b"PK")
    assert client.get("/lich/2026-W49/phieu/exe").status_code == 404
