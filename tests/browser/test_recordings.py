"""Recordings in a real Chromium: recorded through a microphone that beeps, sent over a line that breaks, trimmed."""

from __future__ import annotations

import importlib.util
import os
import re
import threading
import wave
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect, sync_playwright
from waitress.server import create_server

from audio.ingest import ingest
from house.salvage import keep_remainders
from schedules.segment import SegmentState
from store import segments, uploads
from tests.brokenline import BrokenLine

pytestmark = pytest.mark.browser

HERE = Path(__file__).parent
OUT = HERE.parents[0] / "out" / "browser"
AXE = HERE.parents[1] / "webui" / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM = "/usr/bin/chromium"
SIZES = {"desktop": (1366, 900), "phone": (390, 844)}
MEGABYTE = 1024 * 1024
CUTS = 10


def _of(path: Path, name: str):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A small authority that really decodes, served on a port of its own, reached over a line that can break."""
    made = _of(HERE.parent / "webui" / "conftest.py", "webui_world")
    world = made.World(tmp_path_factory.mktemp("world"))
    world.password = made.PASSWORD
    world.intake = world.new_intake(ingest=ingest)
    world.intake.start()
    server = create_server(world.new_app(), host="127.0.0.1", port=0, threads=8, ident=None)
    keep_remainders(server)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    world.line = BrokenLine(("127.0.0.1", server.effective_port), [])
    yield world
    world.line.close()
    server.close()
    thread.join(5)
    world.stop()


@pytest.fixture(scope="module")
def chromium():
    """Debian's Chromium with a microphone that beeps; it allows itself to use it."""
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


class Officer:
    """An officer at a browser. `complaints` holds what the console said apart from the broken line itself."""

    def __init__(self, world, browser, size: str) -> None:
        width, height = SIZES[size]
        self.complaints: list[str] = []
        self.found: list[str] = []
        self.context = browser.new_context(
            viewport={"width": width, "height": height},
            locale="vi-VN",
            base_url=world.line.url,
            permissions=["microphone"],
        )
        self.page = self._new_page()
        self.page.goto("/dang-nhap")
        self.page.fill("[name=name]", "operator")
        self.page.fill("[name=password]", world.password)
        self.page.click("main button[type=submit]")
        self.page.wait_for_selector(".shell")

    def reopen(self, path: str) -> None:
        """Close the page as a person does who leaves, and open it again."""
        self.page.close()
        self.page = self._new_page()
        self.page.goto(path)

    def look(self, label: str) -> None:
        """Keep pictures at both sizes, and require that nothing sticks out and that axe has nothing to say."""
        OUT.mkdir(parents=True, exist_ok=True)
        was = self.page.viewport_size
        for width, height in SIZES.values():
            self.page.set_viewport_size({"width": width, "height": height})
            self.page.evaluate("document.fonts.ready.then(() => true)")
            wide = self.page.evaluate("document.documentElement.scrollWidth")
            self.found += [f"{label} is {wide} px wide on {width} px"] if wide > width else []
            self.page.screenshot(path=OUT / f"{label}.{width}.png", full_page=True)
            before = len(self.complaints)
            self.page.evaluate(AXE.read_text("utf-8"))
            found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']}).then((r) => r.violations)")
            self.found += [f"{label} {one['id']}: {one['nodes'][0]['html'][:160]}" for one in found]
            # axe copies style sheets of shadow roots into the page, which the policy rightly refuses.
            del self.complaints[before:]
        self.page.set_viewport_size(was)

    def fill_card(self, title: str) -> None:
        """Fill in what has to be filled in."""
        self.page.fill("[name=title]", title)
        self.page.select_option("[name=programme]", "CDS")
        self.page.check("[value=DX-ONESTOP]")

    def sent(self) -> str:
        """Wait for the page of the recording, and return its id."""
        self.page.wait_for_url(re.compile(r"/bai/[a-z0-9]{10}$"), timeout=120_000)
        return self.page.url.rsplit("/", 1)[1]

    def _new_page(self):
        page = self.context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._heard)
        return page

    def _heard(self, message) -> None:
        broken = "/api/v1/uploads/" in message.location.get("url", "")
        if message.type in ("error", "warning") and not broken:
            self.complaints.append(f"{message.text} {message.location.get('url', '')}")


@pytest.fixture
def officer(world, chromium):
    """Make officers; all of them leave at the end."""
    people = []

    def make(size: str = "desktop") -> Officer:
        people.append(Officer(world, chromium, size))
        return people[-1]

    yield make
    for one in people:
        one.context.close()


def test_a_recording_survives_a_closed_page_and_is_trimmed(world, officer):
    """Recorded with a pause, lost with the page and found again, heard, sent, decoded, cut at both ends by keyboard."""
    someone = officer("phone")
    page = someone.page
    page.goto("/bai/moi?chuyen_muc=CDS")
    big = page.locator("[data-rec-big]")
    expect(big).to_have_accessible_name("Bắt đầu ghi")
    someone.look("60-record")
    big.click()
    expect(page.locator("[data-rec-time]")).to_have_text("00:02")
    expect(page.locator("[data-rec-level] rect.g").first).to_be_visible()
    someone.look("61-recording")
    big.click()
    expect(page.locator("[data-rec-state]")).to_have_text("Đang tạm dừng")
    stood = page.text_content("[data-rec-time]")
    big.click()
    expect(page.locator("[data-rec-state]")).to_have_text("Đang ghi")
    expect(page.locator("[data-rec-time]")).not_to_have_text(stood)
    expect(page.locator("[data-rec-time]")).to_have_text("00:07")
    page.fill("[name=title]", "Ghi ở nhà văn hóa thôn 2")
    expect(page.locator("[data-draft-words]")).to_contain_text("Bản nháp đã lưu", timeout=10_000)

    page.on("dialog", lambda dialog: dialog.accept())
    someone.reopen("/bai/moi?chuyen_muc=CDS")
    page = someone.page
    expect(page.locator("[data-rec-words]")).to_contain_text("Bản ghi lần trước vẫn còn")
    expect(page.locator("[name=title]")).to_have_value("Ghi ở nhà văn hóa thôn 2")
    expect(page.locator("[data-draft-words]")).to_contain_text("Đã lấy lại bản nháp")
    _until(page, lambda: page.evaluate("document.querySelector('[data-rec-hear] audio').readyState > 0"))
    someone.look("62-found-again")
    page.check("[value=DX-ONESTOP]")
    page.click("form[data-compose] button[type=submit]")
    segment = someone.sent()
    expect(page.locator(".card h2").first).not_to_have_text("Đang kiểm tra tệp", timeout=60_000)
    record = _record(world, segment)
    assert (record.state, record.reason) == (SegmentState.READY, None)
    assert "webm" in record.audio.source_format
    assert record.duration_s > 3
    assert record.card.title == "Ghi ở nhà văn hóa thôn 2"

    page.click("a[href$='/cat']")
    expect(page.get_by_role("slider", name="Chỗ ra")).to_be_visible()
    page.fill("#f-start", "0:00,0")
    page.focus("#f-start")
    page.keyboard.press("PageUp")
    page.keyboard.press("ArrowUp")
    expect(page.locator("#f-start")).to_have_value("0:01,1")
    tail = page.get_by_role("slider", name="Chỗ ra")
    tail.focus()
    before = page.input_value("#f-end")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#f-end")).not_to_have_value(before)
    handle = page.get_by_role("slider", name="Chỗ vào")
    box = handle.bounding_box()
    assert box["width"] >= 24
    page.mouse.move(box["x"] + 12, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 52, box["y"] + 40, steps=6)
    page.mouse.up()
    expect(page.locator("#f-start")).not_to_have_value("0:01,1")
    someone.look("63-trim")
    page.click("[data-trim-play=tail]:visible")
    _until(page, lambda: page.evaluate("document.querySelector('[data-trim] audio').currentTime > 1"))
    page.click("form[action$='/cat'] button[type=submit]")
    page.wait_for_selector("form[action$='/trinh']", timeout=60_000)
    cut = _record(world, segment)
    assert cut.audio.sha256 != record.audio.sha256
    assert cut.duration_s < record.duration_s - 1
    assert someone.found == []
    assert someone.complaints == []


def test_sixty_megabytes_in_a_browser_over_ten_cuts_and_a_closed_page(world, officer, tmp_path):
    """tus-js-client over a line that breaks ten times, the page closed in the middle: it arrives, byte for byte."""
    recording = tmp_path / "phong-van-to-cong-nghe-so.wav"
    with wave.open(str(recording), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(np.random.default_rng(1).integers(-9000, 9000, 30 * MEGABYTE, dtype=np.int16).tobytes())
    someone = officer("desktop")
    page = someone.page
    page.goto("/bai/moi")
    page.set_input_files("[name=audio]", recording)
    someone.fill_card("Phỏng vấn tổ công nghệ số")
    world.line.cuts += [4 * MEGABYTE + 10_000 * number for number in range(CUTS)]
    page.click("form[data-compose] button[type=submit]")
    _until(page, lambda: world.line.broken >= 1)
    # Which of the two stands there when somebody looks depends on how soon the line breaks again.
    expect(page.locator("[data-send-note]")).to_contain_text(re.compile("Mạng ngắt (khi đã gửi|[0-9]+ lần, đã tự nối)"))
    someone.look("64-sending")
    _until(page, lambda: world.line.broken >= 4)
    someone.reopen("/bai/moi")
    page = someone.page
    expect(page.locator("[data-send-name]")).to_have_text("phong-van-to-cong-nghe-so.wav")
    page.click("[data-send-pause]")
    expect(page.locator("[data-send-pause]")).to_have_text("Gửi tiếp")
    someone.look("65-paused")
    page.click("[data-send-pause]")
    segment = someone.sent()
    assert world.line.broken == CUTS
    assert (world.data / "originals" / segment).read_bytes() == recording.read_bytes()
    with world.database.reading() as session:
        assert uploads.waiting(session, world.clock.now()) == frozenset()
    page.goto("/bai/moi")
    expect(page.locator("[data-outbox]")).to_be_empty()
    assert someone.found == []
    assert someone.complaints == []


def _until(page, condition) -> None:
    for _ in range(600):
        if condition():
            return
        page.wait_for_timeout(100)
    raise AssertionError("it did not happen")


def _record(world, segment: str):
    with world.database.reading() as session:
        return segments.find(session, segment)
