"""From the log to the signed report in a real browser: two clicks to the file, issuing, the sheet of the week, pay."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from schedules.airing import Airing, Evidence, OutputCount, Verdict
from schedules.remuneration import Rate
from schedules.segment import SegmentKind
from schedules.text import Text
from store import airings, pay
from tests.webui.conftest import PASSWORD, World

pytestmark = pytest.mark.browser

OUT = Path(__file__).parents[1] / "out" / "browser"
AXE = Path(__file__).parents[2] / "webui" / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
SIZES = {"desktop": (1366, 900), "phone": (390, 844)}


def aired(station: str, day: int, segment: str, verdict: Verdict = Verdict.AIRED, **more) -> Airing:
    """Return a row of that evening in November 2026, on four clusters."""
    start = datetime(2026, 11, day, 10, 45, tzinfo=UTC)
    whole = verdict is Verdict.AIRED
    samples = 340 * 48_000 if whole else 0
    values = {
        "slot": f"{station}/cds/{day}/{segment}",
        "station": station,
        "kind": "segment",
        "programme": "CDS",
        "segment": segment,
        "title": "Kết quả bộ phận một cửa trong tuần",
        "sha256": "a" * 64,
        "topics": ("DX-ONESTOP",),
        "planned_start": start,
        "planned_end": start + timedelta(seconds=340),
        "started_at": start if whole else None,
        "ended_at": start + timedelta(seconds=340) if whole else None,
        "seconds_aired": samples / 48_000,
        "samples_aired": samples,
        "samples_expected": 340 * 48_000,
        "bit_exact": whole,
        "start_error_s": 0.0 if whole else None,
        "holes_s": 0.0,
        "parts": (),
        "outputs": tuple(
            OutputCount(name=f"thôn {n}", kind="pulse", samples=samples if n < 4 or day != 12 else 0, grade=Evidence.E1)
            for n in range(1, 5)
        ),
        "verdict": verdict,
        "reason": None if whole else Text("Mất điện cả hai khung giờ phát.", "No power."),
        "rehearsal": False,
        "evidence": Evidence.E1 if whole else Evidence.E0,
    }
    return Airing(**(values | more))


@pytest.fixture
def district(tmp_path):
    """A small authority with November in its log, served on a free port, on 2 December."""
    for folder in ("incoming", "originals", "scratch"):
        (tmp_path / folder).mkdir()
    world = World(tmp_path)
    item = world.analysed(world.client(), title="Kết quả bộ phận một cửa trong tuần", topics="DX-ONESTOP")["id"]
    rows = [aired("LONGHIEP", day, item) for day in (6, 13, 27)]
    rows += [aired("LONGHIEP", 20, item, Verdict.MISSED), aired("LONGMAI", 12, item), aired("LONGMAI", 19, item)]
    relay = {"kind": "relay", "programme": "BANTIN", "seconds_aired": 5400.0}
    rows += [aired("LONGHIEP", day, None, **relay) for day in (3, 4, 5)]
    with world.database.writing() as session:
        for row in rows:
            seq = airings.last_seq(session, row.station) + 1
            airings.record(session, row.station, seq, f"{seq:064d}", row)
        for kind, amount in ((SegmentKind.BAI, 120_000), (SegmentKind.TIN, 45_000)):
            rate = Rate(kind=kind, amount=amount, rule="Nghị quyết 09/2026/NQ-HĐND", valid_from=date(2026, 1, 1))
            pay.add_rate(session, "MINHLONG", rate, person=world.people["admin"].id, now=world.clock.now())
    world.clock.wall = datetime(2026, 12, 2, 3, 0, tzinfo=UTC)
    server = make_server("127.0.0.1", 0, world.new_app(demo=False), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    world.base = f"http://127.0.0.1:{server.server_port}"
    yield world
    server.shutdown()
    thread.join(5)
    server.server_close()
    world.stop()


class Office:
    """Somebody of the office at a browser; what looks wrong to axe, or complains, fails."""

    def __init__(self, world, browser, name: str) -> None:
        self.complaints: list[str] = []
        self.context = browser.new_context(
            viewport={"width": 1366, "height": 900}, base_url=world.base, locale="vi-VN", accept_downloads=True
        )
        self.page = self.context.new_page()
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        self.page.goto("/dang-nhap")
        self.page.fill("[name=name]", name)
        self.page.fill("[name=password]", PASSWORD)
        self.page.click("main button[type=submit]")
        self.page.wait_for_selector(".shell")

    def shoot(self, name: str) -> None:
        """Keep a picture at both sizes; nothing sticks out sideways, and axe finds nothing."""
        OUT.mkdir(parents=True, exist_ok=True)
        for size, (width, height) in SIZES.items():
            self.page.set_viewport_size({"width": width, "height": height})
            self.page.evaluate("document.fonts.ready.then(() => true)")
            self.page.screenshot(path=OUT / f"{name}.{size}.png", full_page=True)
            assert self.page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} {size}"
            self.page.evaluate(AXE.read_text("utf-8"))
            found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']}).then((r) => r.violations)")
            assert [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found] == [], f"{name} {size}"
        self.page.set_viewport_size({"width": 1366, "height": 900})


def test_from_the_log_to_the_signed_report(district, chromium):
    """Báo cáo, Tải DOCX: two clicks. Then issued, checked, and the sheets of the week and of pay beside it."""
    office = Office(district, chromium, "centre-minhlong")
    page = office.page
    page.click("nav.side a:has-text('Báo cáo')")
    assert "5/8 tuần đài có phát" in page.inner_text(".answer")
    with page.expect_download() as saved:
        page.click("text=Tải DOCX")
    assert saved.value.suggested_filename == "bao-cao-minhlong-2026-11.docx"
    assert Path(saved.value.path()).read_bytes().startswith(b"PK")
    office.shoot("report")

    page.click("text=Ký, ban hành")
    page.fill("[name=number]", "12")
    office.shoot("report-issue")
    page.click("main form button[type=submit]:has-text('Ban hành')")
    page.wait_for_selector("text=Hồ sơ ban hành")
    office.shoot("report-issued")
    with page.expect_download() as issued:
        page.click("main a:has-text('.pdf')")
    page.goto("/bao-cao/doi-chieu")
    page.set_input_files(
        "[name=file]",
        {"name": "a.pdf", "mimeType": "application/pdf", "buffer": Path(issued.value.path()).read_bytes()},
    )
    page.click("main form button[type=submit]")
    assert "Đúng là bản đã ban hành" in page.inner_text(".answer")
    office.shoot("report-verify")
    for path, name in (
        ("/bao-cao/da-ban-hanh", "reports-issued"),
        ("/bao-cao/the-thuc", "report-letterhead"),
        ("/bao-cao/gui-thu", "report-mailings"),
        ("/phieu-chuong-trinh?dai=LONGHIEP", "programme-sheet"),
        ("/thu-lao?ky=2026-11&don_vi=LONGHIEP", "pay"),
        ("/thu-lao/muc", "pay-rates"),
    ):
        page.goto(path)
        office.shoot(name)
    assert office.complaints == []
    office.context.close()
