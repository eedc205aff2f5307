"""Emergencies and live talks in a real browser, over the real pages, with doors that do what a station would."""

from __future__ import annotations

import importlib.util
import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect, sync_playwright
from waitress import create_server

from schedules.clock import ClockState
from schedules.emergency import AlertState
from schedules.text import Text

pytestmark = pytest.mark.browser

HERE = Path(__file__).parent
CHROMIUM = "/usr/bin/chromium"
SIZES = {"desktop": (1366, 900), "phone": (390, 844)}
AXE = HERE.parents[1] / "webui" / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
OUT = HERE.parents[1] / "tests" / "out" / "browser"


def _of(path: Path, name: str):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A small authority with an approved recording, served on a port of its own."""
    made = _of(HERE.parent / "webui" / "conftest.py", "webui_world")
    folder = tmp_path_factory.mktemp("world")
    for name in ("incoming", "originals", "scratch"):
        (folder / name).mkdir()
    world = made.World(folder)
    world.password = made.PASSWORD
    world.segment = world.approved(world.client(), title="Sơ tán khẩn cấp, lũ về")["id"]
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
    """Debian's Chromium with a microphone that beeps."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                *("--lang=vi", "--mute-audio", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"),
                *(["--no-sandbox"] if os.geteuid() == 0 else []),
            ],
        )
        yield browser
        browser.close()


class Somebody:
    """A person at a browser of one size; `complaints` holds what the console said, `found` what axe found."""

    def __init__(self, world, browser, name: str, size: str) -> None:
        width, height = SIZES[size]
        self.context = browser.new_context(
            viewport={"width": width, "height": height},
            locale="vi-VN",
            base_url=world.base,
            permissions=["microphone"],
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(15_000)
        self.complaints: list[str] = []
        self.found: list[str] = []
        self.page.on("console", lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto("/dang-nhap")
        self.page.fill("[name=name]", name)
        self.page.fill("[name=password]", world.password)
        self.page.click("main button[type=submit]")
        self.page.wait_for_selector(".shell")

    def look(self, label: str) -> None:
        """Keep a picture, and require a page that fits its screen and that axe has nothing to say about."""
        OUT.mkdir(parents=True, exist_ok=True)
        self.page.evaluate("document.fonts.ready.then(() => true)")
        size = self.page.viewport_size
        self.page.screenshot(path=OUT / f"{label}.{size['width']}.png", full_page=True)
        for width in (320, 390, size["width"]):
            self.page.set_viewport_size({"width": width, "height": size["height"]})
            wide = self.page.evaluate("document.documentElement.scrollWidth")
            self.found += [f"{label} is {wide} px wide on {width} px"] if wide > width else []
        self.page.evaluate(AXE.read_text("utf-8"))
        violations = self.page.evaluate("axe.run(document, {resultTypes: ['violations']}).then((r) => r.violations)")
        self.found += [f"{label} {one['id']}: {one['nodes'][0]['html'][:160]}" for one in violations]


@pytest.fixture
def somebody(world, browser):
    """Make persons; all of them leave at the end."""
    people = []

    def make(name: str, size: str = "desktop") -> Somebody:
        people.append(Somebody(world, browser, name, size))
        return people[-1]

    yield make
    for one in people:
        one.context.close()


def until(condition, within_s: float = 15.0) -> None:
    """Wait until a condition of the fake station holds."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_s53_two_persons_and_a_stop_from_a_phone(world, somebody):
    """S53: ordered by one, confirmed by another on a phone, seen on air at once, stopped from any page."""
    door = world.doors["LONGHIEP"]
    officer, leader = somebody("operator"), somebody("approver", "phone")
    officer.page.goto("/khan-cap")
    expect(officer.page.locator(".answer")).to_contain_text("Không có lệnh khẩn cấp nào đang chạy.")
    officer.look("30-emergency")
    officer.page.click(".way.drill")
    expect(officer.page.locator("h1")).to_have_text("DIỄN TẬP")
    ground = "getComputedStyle(document.querySelector('.kind')).backgroundColor"
    drill = officer.page.evaluate(ground)
    officer.look("31-drill-order")
    officer.page.goto("/khan-cap")
    officer.page.click(".way.real")
    assert officer.page.evaluate(ground) != drill
    expect(officer.page.locator("[name=stations]")).to_be_checked()
    officer.page.fill("[name=basis]", "Công điện 07/CĐ-BCH")
    officer.look("32-real-order")
    officer.page.click("main button[type=submit]")
    expect(officer.page.locator("main")).to_contain_text("Phát khi người thứ hai xác nhận")
    officer.look("33-review")
    assert door.documents == []
    officer.page.click("button.huge")
    expect(officer.page.locator("#emergency")).to_contain_text("chờ người thứ hai xác nhận")
    expect(officer.page.locator("main")).to_contain_text("nên phải để người khác xác nhận")
    assert door.documents == []

    leader.page.goto("/nhiem-vu")
    leader.page.click(".alarm a")
    leader.look("34-second-person")
    leader.page.click("button.huge")
    expect(leader.page.locator("#emergency")).to_contain_text("1/1 đài đã nhận")
    assert len(door.documents) == 1
    door.sound(AlertState.ON_AIR)
    expect(leader.page.locator("#emergency")).to_contain_text("Đang phát ở 1/1 đài.", timeout=5_000)
    expect(officer.page.locator("#emergency")).to_contain_text("Đang phát ở 1/1 đài.", timeout=5_000)
    leader.look("35-on-air")

    officer.page.goto("/bai")
    officer.page.click(".alarm button")
    expect(officer.page.locator("#emergency")).to_contain_text("Đã kết thúc")
    until(lambda: all(alert.state is AlertState.STOPPED for alert in door.alerts.values()))
    officer.look("36-over")
    expect(leader.page.locator("#emergency")).to_contain_text("Đã kết thúc", timeout=5_000)
    leader.page.goto("/khan-cap/mau")
    leader.look("37-templates")
    assert officer.found + leader.found == []
    assert officer.complaints + leader.complaints == []


def test_a_voice_goes_from_the_browser_to_the_station(world, somebody):
    """The microphone arrives as mono 48 kHz in its own speed; a refusal is told; leaving the page ends the talk."""
    door = world.doors["LONGHIEP"]
    officer = somebody("operator", "phone")
    door.refuses = Text("Ngoài giờ được phát, nên chưa nói được.", "Outside the permitted hours.")
    officer.page.goto("/dai/LONGHIEP/noi")
    button = officer.page.locator("[data-talk-button]")
    words = officer.page.locator("[data-talk-words]")
    button.click()
    expect(words).to_have_text("Ngoài giờ được phát, nên chưa nói được.")
    door.refuses = None
    officer.complaints.clear()

    button.click()
    until(lambda: len(door.heard) >= 48_000 * 2)
    before, began = len(door.heard), time.monotonic()
    until(lambda: len(door.heard) >= before + 48_000 * 2 * 2)
    speed = (len(door.heard) - before) / 2 / 48_000 / (time.monotonic() - began)
    assert 0.6 < speed < 1.5
    samples = np.frombuffer(door.heard[: len(door.heard) // 2 * 2], dtype="<i2").astype(float)
    assert np.abs(samples).max() > 1_000
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(officer.page.locator("[data-talk-left]")).to_contain_text("4:")
    officer.look("38-talk")
    assert door.talk.by == "Người operator"
    officer.page.goto("/dai")
    until(lambda: door.talk is None)
    assert officer.found == []
    assert officer.complaints == []


def test_a_clock_is_confirmed_and_an_output_sounded_from_the_stations_page(world, somebody):
    """A person sees the station's time large and says that it is right; a test says where to listen."""
    door = world.doors["LONGHIEP"]
    door.clock_state = ClockState(trusted=False, reason=Text("Chưa đồng bộ giờ.", "Not synchronised."))
    officer = somebody("operator", "phone")
    officer.page.goto("/dai/LONGHIEP")
    officer.page.click("text=Xem giờ của đài và xác nhận")
    expect(officer.page.locator(".bigclock")).to_have_text("17:00:00")
    officer.look("39-clock")
    officer.page.click("#right button")
    expect(officer.page.locator(".flash")).to_contain_text("do anh/chị xác nhận")
    assert [by for by, _shown in door.confirmed] == ["Người operator"]
    door.clock_state = ClockState(trusted=True, reason=Text("Đã đồng bộ.", "Synchronised."))
    officer.page.click("#thu-loa summary")
    officer.page.click("#thu-loa button")
    expect(officer.page.locator(".flash")).to_contain_text("Hãy nghe tại loa.")
    assert door.tested == [("main", "Người operator")]
    centre = somebody("centre-minhlong")
    centre.page.goto("/nguon")
    centre.look("40-sources")
    centre.page.goto("/nguon/sua")
    centre.look("41-source")
    assert officer.found + centre.found == []
    assert officer.complaints + centre.complaints == []
