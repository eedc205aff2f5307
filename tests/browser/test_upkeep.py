"""A broken cluster in a real browser: from a stranger's link to acceptance; then rounds, complaints, assignments."""

from __future__ import annotations

import importlib.util
import os
import re
import struct
import threading
import zlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright
from waitress import create_server

from schedules.station import ClusterGroup
from schedules.upkeep import Trouble
from store import equipment, outsidelinks, stations, tickets
from store.equipment import DeviceKind, DeviceState, Sheet
from store.outsidelinks import LinkKind

pytestmark = pytest.mark.browser

HERE = Path(__file__).parent
SIZES = {"desktop": (1366, 900), "phone": (390, 844)}
AXE = HERE.parents[1] / "webui" / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
OUT = HERE.parents[1] / "tests" / "out" / "browser"
CLUSTERS = ("Gò Tranh", "Hà Liệt", "Thiệp Xuyên", "Dục Ái", "Hà Bôi", "Trung tâm xã")


def photo() -> bytes:
    """Return a small PNG, as a telephone might send one."""
    rows = b"".join(b"\0" + bytes((40 + x, 90, 140 - y) * 1)[:3] * 96 for y in range(72) for x in (y % 40,))

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", 96, 72, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A small authority whose station has six clusters, an older ticket and a few devices, on a port of its own."""
    spec = importlib.util.spec_from_file_location("webui_world", HERE.parent / "webui" / "conftest.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    folder = tmp_path_factory.mktemp("world")
    for name in ("incoming", "originals", "scratch"):
        (folder / name).mkdir()
    world = made.World(folder)
    world.password = made.PASSWORD
    officer = world.people["operator"]
    now = world.clock.now()
    with world.database.writing() as session:
        groups = tuple(ClusterGroup(code=f"C{n}", name=name) for n, name in enumerate(CLUSTERS))
        stations.save(session, replace(stations.find(session, "LONGHIEP"), groups=groups))
        tickets.report(
            session,
            station="LONGHIEP",
            cluster="C4",
            what="Tiếng nhỏ, rè từ sau bão",
            place="",
            picture=None,
            phone="",
            link=None,
            now=now - timedelta(days=4),
            trouble=Trouble.WEAK,
            person=officer,
        )
        for code, kind, state in (
            ("TA-01", DeviceKind.AMPLIFIER, DeviceState.WORKING),
            ("CT-02", DeviceKind.RECEIVER, DeviceState.WEAK),
            ("LOA-07", DeviceKind.LOUDSPEAKER, DeviceState.BROKEN),
        ):
            sheet = Sheet(
                station="LONGHIEP", code=code, kind=kind, state=state, cluster="C1", maker="TOA", place="UBND xã"
            )
            equipment.add(session, sheet, person=officer, now=now)
        _link, world.secret = outsidelinks.issue(
            session,
            kind=LinkKind.REPORT,
            unit="LONGHIEP",
            station="LONGHIEP",
            cluster="C0",
            village="Thôn Gò Tranh",
            holder="",
            quota=20,
            days=30,
            person=officer,
            now=now,
        )
    server = create_server(world.new_app(), host="127.0.0.1", port=0, threads=8, ident=None)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    world.base = f"http://127.0.0.1:{server.effective_port}"
    yield world
    server.close()
    thread.join(5)
    world.stop()


@pytest.fixture(scope="module")
def browser():
    """Debian's Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--lang=vi", *(["--no-sandbox"] if os.geteuid() == 0 else [])],
        )
        yield browser
        browser.close()


class Somebody:
    """A person at a browser, signed in unless nameless; `found` holds what axe and sizes gave to complain of."""

    def __init__(self, world, browser, name: str, size: str) -> None:
        width, height = SIZES[size]
        self.context = browser.new_context(
            viewport={"width": width, "height": height}, locale="vi-VN", base_url=world.base
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(15_000)
        self.found: list[str] = []
        self.page.on("pageerror", lambda error: self.found.append(str(error)))
        if name:
            self.page.goto("/dang-nhap")
            self.page.fill("[name=name]", name)
            self.page.fill("[name=password]", world.password)
            self.page.click("main button[type=submit]")
            self.page.wait_for_selector(".shell")

    def look(self, label: str) -> None:
        """Keep pictures at both sizes, and note what sticks out and what axe complains about."""
        OUT.mkdir(parents=True, exist_ok=True)
        before = self.page.viewport_size
        self.page.evaluate("document.fonts.ready.then(() => true)")
        for size, (width, height) in SIZES.items():
            self.page.set_viewport_size({"width": width, "height": height})
            wide = self.page.evaluate("document.documentElement.scrollWidth")
            self.found += [f"{label} is {wide} px wide on the {size}"] if wide > width else []
            self.page.screenshot(path=OUT / f"{label}.{size}.png", full_page=True)
        self.page.evaluate(AXE.read_text("utf-8"))
        violations = self.page.evaluate("axe.run(document, {resultTypes: ['violations']}).then((r) => r.violations)")
        self.found += [f"{label} {one['id']}: {one['nodes'][0]['html'][:160]}" for one in violations]
        self.page.set_viewport_size(before)


@pytest.fixture
def somebody(world, browser):
    """Make people; all of them leave at the end, and none may have found anything to complain about."""
    people = []

    def make(name: str = "", size: str = "desktop") -> Somebody:
        people.append(Somebody(world, browser, name, size))
        return people[-1]

    yield make
    found = [complaint for one in people for complaint in one.found]
    for one in people:
        one.context.close()
    assert found == []


def test_a_broken_cluster_from_link_to_acceptance(world, somebody):
    """A villager reports with a photo, the officer assigns and repairs by phone, the leader accepts."""
    villager = somebody(size="phone")
    villager.page.goto(f"/b/{world.secret}")
    villager.page.check(f"[name=trouble][value={Trouble.SILENT.value}]")
    villager.page.fill("[name=what]", "Sau sét đêm qua loa không kêu nữa")
    villager.page.set_input_files("[name=photo]", {"name": "a.png", "mimeType": "image/png", "buffer": photo()})
    villager.page.fill("[name=phone]", "0905 123 456")
    villager.page.click("main button[type=submit]")
    expect(villager.page.locator("main")).to_contain_text("PBH-0002")

    officer = somebody("operator", "phone")
    officer.page.goto("/thiet-bi")
    expect(officer.page.locator(".answer")).to_contain_text("5/6 cụm loa tốt. 2 phiếu báo hỏng.")
    expect(officer.page.locator("main")).to_contain_text("Nếu tới")
    officer.look("100-equipment")
    officer.page.click("text=Giao sửa, báo đã sửa")
    expect(officer.page.locator("img.shot")).to_be_visible()
    officer.page.fill("[name=repairer]", "Công ty Điện tử An Phú")
    officer.page.locator("form[action$='/giao'] button[type=submit]").click()
    expect(officer.page.locator(".flash")).to_contain_text("Đã giao sửa.")
    officer.look("101-ticket-assigned")

    centre = somebody("centre-minhlong")
    centre.page.goto("/thiet-bi")
    expect(centre.page.locator(".answer")).to_contain_text("2 phiếu báo hỏng")
    centre.look("102-equipment-all")
    centre.page.locator("a:has-text('Đôn đốc')").last.click()
    expect(centre.page.locator("textarea")).to_have_value(re.compile("Đề nghị khắc phục ngay"))
    centre.look("103-urge")
    centre.page.click("text=Gửi đôn đốc")
    expect(centre.page.locator(".flash")).to_contain_text("Đã gửi đôn đốc")
    where = centre.page.url

    officer.page.goto(where)
    officer.page.fill("[name=done]", "Thay tăng âm 50 W, thêm chống sét")
    officer.page.fill("[name=cost]", "1.250.000")
    officer.page.set_input_files(
        "form[action$='/sua-xong'] [name=photo]", {"name": "b.png", "mimeType": "image/png", "buffer": photo()}
    )
    officer.page.locator("form[action$='/sua-xong'] button.p").click()
    expect(officer.page.locator(".answer")).to_contain_text("chờ nghiệm thu")
    expect(officer.page.locator("text=Lãnh đạo xã hoặc trung tâm nghiệm thu.")).to_be_visible()

    leader = somebody("approver", "phone")
    leader.page.goto(where)
    leader.page.fill("form[action$='/nghiem-thu'] [name=text]", "Phát thử, nghe rõ ở nhà văn hóa")
    leader.look("104-ticket-repaired")
    leader.page.locator("form[action$='/nghiem-thu'] button.p").click()
    expect(leader.page.locator(".answer")).to_contain_text("Đã nghiệm thu.")
    leader.look("105-ticket-accepted")


def test_rounds_registers_complaints_and_assignments(world, somebody):
    """The centre opens a round and closes its minutes; devices, complaints and assignments are entered and listed."""
    centre = somebody("centre-minhlong")
    page = centre.page
    page.goto("/kiem-tra/moi")
    page.fill("[name=name]", "Kiểm tra quý IV/2026")
    page.fill("[name=document]", "Kế hoạch 12/KH-TTVH ngày 02/11/2026")
    centre.look("106-round-new")
    page.click("main button.p")
    expect(page.locator(".answer")).to_contain_text("Đã kiểm tra 0/2 đài.")
    page.click("main a:has-text('Đài Long Hiệp')")
    for number, result in enumerate(("ok", "ok", "not", "ok")):
        page.check(f"[name=result-{number}][value={result}]")
    page.locator(".checkitem summary").nth(2).click()
    page.fill("[name=remark-2]", "Tuần 46 thiếu chuyên mục")
    page.check("[name=result-12][value=not]")
    page.fill("[name=present]", "Ông Phạm Văn Nghĩa, Phó Chủ tịch UBND xã")
    page.fill("[name=conclusion]", "Khắc phục trước 05/12/2026.")
    page.click("button[value=save]")
    expect(page.locator(".answer")).to_contain_text("mục đã xem")
    centre.look("107-inspection")
    page.click("button[value=finish]")
    expect(page.locator(".flash")).to_contain_text("Đã chốt biên bản.")
    centre.look("108-minutes")
    page.goto("/kiem-tra")
    expect(page.locator("main")).to_contain_text("1/2 đài")
    centre.look("109-inspections")

    officer = somebody("operator", "phone")
    page = officer.page
    page.goto("/thiet-bi/may")
    officer.look("110-devices")
    page.click("main a:has-text('TOA')")
    page.click("summary:has-text('Sửa lý lịch')")
    page.fill("[name=latitude]", "14,9163")
    page.fill("[name=longitude]", "108,7012")
    page.select_option("[name=state]", "broken")
    page.locator("form[action*='/thiet-bi/may/'] button.p").click()
    expect(page.locator("main")).to_contain_text("Vĩ độ")
    officer.look("111-device")
    page.goto("/phan-anh/moi")
    page.fill("[name=text]", "Loa phát lúc 5 giờ sáng quá to, sát nhà có trẻ nhỏ")
    page.select_option("[name=about]", "noise")
    page.fill("[name=sender]", "Bà Đinh Thị Lan")
    page.click("main button.p")
    officer.look("112-complaint")
    page.fill("[name=answer]", "Đã giảm âm lượng cụm loa và lùi giờ phát tới 5 giờ 30.")
    page.click("main button.p")
    expect(page.locator(".answer")).to_contain_text("Đã trả lời ngày")
    page.goto("/giao-viec/moi")
    page.fill("[name=title]", "Làm bài về đăng ký khai sinh trực tuyến")
    page.select_option("[name=assignee]", index=1)
    officer.look("113-assignment-new")
    page.click("main button.p")
    expect(page.locator("main")).to_contain_text("đăng ký khai sinh trực tuyến")
    officer.look("114-assignments")
    page.goto("/phan-anh?xem=answered")
    officer.look("115-complaints")
    page.goto("/thiet-bi/vat-tu")
    officer.look("116-spares")
