"""Thù lao: each item once, by the rates of its day; drawn up by one person, signed off by another."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime, timedelta

import openpyxl
import pytest

from schedules.airing import Airing, Evidence, OutputCount, Verdict
from store import airings, issued
from tests.webui.test_reports import document_text

LONGHIEP = "ky=2026-11&don_vi=LONGHIEP"
SIGNED = {"number": "3", "symbol": "BK-UBND", "signer_title": "CHỦ TỊCH", "signer": "Đinh Văn Lâm", "day": "2026-12-02"}


def aired(segment: str, day: int, month: int = 11) -> Airing:
    """Return a whole airing of that evening."""
    start = datetime(2026, month, day, 10, 45, tzinfo=UTC)
    samples = 300 * 48_000
    return Airing(
        slot=f"LONGHIEP/{month}/{day}/{segment}",
        station="LONGHIEP",
        kind="segment",
        programme="CDS",
        segment=segment,
        title="Tin",
        sha256="a" * 64,
        topics=(),
        planned_start=start,
        planned_end=start + timedelta(minutes=5),
        started_at=start,
        ended_at=start + timedelta(minutes=5),
        seconds_aired=300.0,
        samples_aired=samples,
        samples_expected=samples,
        bit_exact=True,
        start_error_s=0.0,
        holes_s=0.0,
        parts=(),
        outputs=(OutputCount(name="main", kind="pulse", samples=samples, grade=Evidence.E1),),
        verdict=Verdict.AIRED,
        reason=None,
        rehearsal=False,
        evidence=Evidence.E1,
    )


@pytest.fixture
def december(world):
    """Two items first aired in November, one of them twice, a third in October and again in November."""
    client = world.client()
    ids = [world.analysed(client, title=f"Bài {n}", kind=kind)["id"] for n, kind in enumerate(("tin", "bai", "tin"))]
    rows = [aired(ids[0], 6), aired(ids[0], 13), aired(ids[1], 20), aired(ids[2], 30, 10), aired(ids[2], 27)]
    with world.database.writing() as session:
        for seq, row in enumerate(rows, start=1):
            airings.record(session, "LONGHIEP", seq, f"{seq:064d}", row)
    world.clock.wall = datetime(2026, 12, 2, 3, 0, tzinfo=UTC)
    world.app = world.new_app(demo=False)
    return world


def rate(world, client, **more):
    """Enter a rate and return the answer."""
    form = {"kind": "tin", "amount": "45.000", "rule": "Nghị quyết 09/2026/NQ-HĐND", "valid_from": "2026-01-01"}
    return world.post(client, "/thu-lao/muc?don_vi=LONGHIEP", form | more)


def test_a_month_from_the_log_to_the_signed_sheet(december):
    """Rates, sheet, files, drawn up by the officer, not signed by the same person, signed by the leader, frozen."""
    officer = december.signed_in("operator")
    page = officer.get(f"/thu-lao?{LONGHIEP}").text
    assert "1 người, 2 tin, bài, 0 đồng." in page
    assert "2 tin, bài chưa có mức chi." in page
    assert rate(december, officer).status_code == 303
    assert rate(december, officer, kind="bai", amount="120000").status_code == 303
    for wrong in ({"amount": "0"}, {"amount": "x"}, {"rule": ""}, {"kind": "nhac_hieu"}, {"valid_until": "2025-01-01"}):
        assert rate(december, officer, **wrong).status_code == 422, wrong
    assert "1 người, 2 tin, bài, 165.000 đồng." in officer.get(f"/thu-lao?{LONGHIEP}").text

    book = openpyxl.load_workbook(io.BytesIO(officer.get(f"/thu-lao/tai/xlsx?{LONGHIEP}").data))
    sheet = book.worksheets[0]
    assert [sheet.cell(row, 7).value for row in (2, 3, 4)] == [45_000, 120_000, 165_000]
    text = document_text(officer.get(f"/thu-lao/tai/docx?{LONGHIEP}").data)
    assert "Tổng số tiền: 165.000 đồng. Bằng chữ: Một trăm sáu mươi lăm nghìn đồng." in text

    asked = {"ky": "2026-11", "don_vi": "LONGHIEP"}
    assert december.post(officer, "/thu-lao/lap", asked | {"ky": "2026-12"}).status_code == 422, "it still runs"
    leader = december.signed_in("approver")
    assert december.post(leader, "/thu-lao/lap", asked).status_code == 303
    own = leader.get(f"/thu-lao?{LONGHIEP}").text
    assert "Người lập bảng kê không tự ký duyệt" in own

    assert december.post(officer, "/thu-lao/lap", asked).status_code == 303
    draft = re.search(r'name="draft" value="([^"]+)"', leader.get(f"/thu-lao?{LONGHIEP}").text)
    assert draft is not None
    form = SIGNED | asked | {"draft": draft.group(1)}
    assert december.post(officer, "/thu-lao/ky", form).status_code == 403
    assert december.post(leader, "/thu-lao/ky", form | {"draft": "khac"}).status_code == 422
    signed = december.post(leader, "/thu-lao/ky", form)
    assert signed.status_code == 303, signed.text
    with december.database.reading() as session:
        kept = issued.find(session, signed.location.rsplit("/", 1)[1])
    assert (kept.what.kind, kept.content["total"], kept.prepared[1]) == ("pay", 165_000, "Người operator")
    assert "Đã ký duyệt" in officer.get(f"/thu-lao?{LONGHIEP}").text
    assert "Bảng kê thù lao" in officer.get("/bao-cao/da-ban-hanh").text


def test_s3_whoever_drew_the_sheet_up_does_not_sign_it(december):
    """S3: one person with both rights is refused by person, not by role."""
    leader = december.signed_in("approver")
    rate(december, leader)
    asked = {"ky": "2026-11", "don_vi": "LONGHIEP"}
    december.post(leader, "/thu-lao/lap", asked)
    with december.database.reading() as session:
        from store import pay

        draft = pay.draft(session, "LONGHIEP", "2026-11")
    answer = december.post(leader, "/thu-lao/ky", SIGNED | asked | {"draft": draft.id})
    assert answer.status_code == 422
    assert "không tự ký duyệt" in answer.text


def test_a_stale_sheet_is_not_signed(december):
    """When a rate changed after the sheet was drawn up, it has to be drawn up again."""
    officer, leader = december.signed_in("operator"), december.signed_in("approver")
    rate(december, officer)
    asked = {"ky": "2026-11", "don_vi": "LONGHIEP"}
    december.post(officer, "/thu-lao/lap", asked)
    draft = re.search(r'name="draft" value="([^"]+)"', leader.get(f"/thu-lao?{LONGHIEP}").text).group(1)
    removed = re.search(r'action="(/thu-lao/muc/[^"]+)"', officer.get("/thu-lao/muc").text)
    assert december.post(officer, removed.group(1).replace("&amp;", "&")).status_code == 303
    answer = december.post(leader, "/thu-lao/ky", SIGNED | asked | {"draft": draft})
    assert answer.status_code == 422
    assert "thay đổi" in answer.text


def test_s7_an_inspector_enters_no_rate(december):
    """Reading is allowed, so the act itself must refuse: 403, not the form again."""
    inspector = december.signed_in("inspector")
    form = {"kind": "tin", "amount": "50000", "rule": "QĐ 1", "valid_from": "2026-11-01"}

    assert inspector.get("/thu-lao/muc?don_vi=LONGHIEP").status_code == 200
    assert december.post(inspector, "/thu-lao/muc?don_vi=LONGHIEP", form).status_code == 403


def test_s2_pay_of_others_is_not_found(december):
    """S2: sheets and rates of foreign units are 404; a unit above lends its rates and may not be changed from below."""
    officer = december.signed_in("operator")
    for path in ("/thu-lao?don_vi=MINHLONG", "/thu-lao/muc?don_vi=LONGMAI", "/thu-lao/tai/csv?don_vi=BATO"):
        assert officer.get(path).status_code == 404, path
    assert officer.get("/thu-lao?ky=2026-W48").status_code in (404, 422)
    assert december.post(officer, "/thu-lao/muc/khongco/bo").status_code == 404
    above = december.signed_in("operator-minhlong")
    form = {"kind": "tin", "amount": "30000", "rule": "Quyết định 1", "valid_from": "2026-01-01"}
    assert december.post(above, "/thu-lao/muc?don_vi=MINHLONG", form).status_code == 303
    page = officer.get("/thu-lao/muc").text
    assert "theo đơn vị cấp trên" in page
    assert "Bỏ mức chi" not in page
