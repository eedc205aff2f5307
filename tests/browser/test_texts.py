"""Words to sound in a real Chromium: an urgent notice from a phone in five taps, heard to its end, approved."""

from __future__ import annotations

import importlib.util
import threading
from pathlib import Path

import pytest
from playwright.sync_api import expect
from waitress import create_server

from audio.ingest import ingest
from audio.speech import Espeak
from webui.speaking import Speaking

pytestmark = pytest.mark.browser

HERE = Path(__file__).parent


def _of(path: Path, name: str):
    """Return a module by its file: these folders are no packages."""
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


people = _of(HERE / "test_emergency.py", "people_at_browsers")
browser = people.browser
somebody = people.somebody


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A small authority that really speaks and decodes, served on a port of its own."""
    made = _of(HERE.parent / "webui" / "conftest.py", "webui_world")
    world = made.World(tmp_path_factory.mktemp("world"))
    world.password = made.PASSWORD
    engines = {"espeak": Espeak()}
    world.intake = world.new_intake(ingest=Speaking(ingest, database=world.database, engines=engines))
    world.intake.start()
    server = create_server(world.new_app(speech=engines), host="127.0.0.1", port=0, threads=8, ident=None)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    world.base = f"http://127.0.0.1:{server.effective_port}"
    yield world
    server.close()
    thread.join(5)
    world.stop()


def wait_for_audio(page, condition: str) -> None:
    """Wait until the player's audio is as asked; the page's policy allows no function to be sent into it."""
    for _look in range(300):
        if page.evaluate(f"(a => {condition})(document.querySelector('.player audio'))"):
            return
        page.wait_for_timeout(100)
    raise AssertionError(condition)


def test_an_urgent_notice_in_five_taps(world, somebody):
    """New item, text, speak, hear all of it, submit: five taps on a phone; the leader sees how much they heard."""
    officer = somebody("operator", "phone")
    page = officer.page
    page.goto("/")
    taps = 0

    def tap(selector: str) -> None:
        nonlocal taps
        taps += 1
        page.click(selector)

    tap(".tabbar .mk")
    tap("main a[href*='/bai/van-ban/moi']")
    page.fill("[name=title]", "Khẩn: mưa lớn đêm nay")
    page.select_option("[name=programme]", "BANTIN")
    page.fill("[name=body]", "UBND xã báo: 19h tối nay mưa to, nước lên 50 cm.")
    page.fill("[name=airs_at]", "2026-11-23T19:00")
    page.click("button[value=look]")
    expect(page.locator("#may-doc")).to_contain_text("mười chín giờ tối nay mưa to")
    officer.look("t60-said")
    tap("button[value=speak]")
    play = page.locator(".player [data-play]")
    expect(play).to_be_visible(timeout=30_000)
    expect(page.locator("main")).to_contain_text("Phải nghe hết mới trình được")
    officer.look("t61-spoken")
    tap(".player [data-play]")
    wait_for_audio(page, "a.currentTime > 0.2")
    world.clock.advance(60)
    wait_for_audio(page, "a.ended")
    submit = page.locator("form[action$='/trinh'] button")
    expect(submit).to_have_class("btn p")
    page.wait_for_timeout(300)
    tap("form[action$='/trinh'] button")
    expect(page.locator("main")).to_contain_text("Đã trình duyệt.")
    assert taps == 5

    leader = somebody("approver")
    leader.page.goto("/duyet")
    leader.page.click(".player [data-play]")
    wait_for_audio(leader.page, "a.currentTime > 1.2")
    world.clock.advance(5)
    leader.page.click(".player [data-play]")
    expect(leader.page.locator("[data-heard]")).to_contain_text("Đã nghe 0:0")
    leader.look("t62-approve")
    leader.page.wait_for_timeout(300)
    leader.page.click("form[action$='/duyet'] button")
    expect(leader.page.locator("main")).to_contain_text("Máy sẽ phát lúc 19:00 23/11 như yêu cầu.")
    page.reload()
    expect(page.locator("main")).to_contain_text("Đã duyệt, đã nghe 0:0")
    assert officer.found + leader.found == []
    assert officer.complaints + leader.complaints == []


def test_the_other_pages_of_texts_fit_and_are_accessible(world, somebody):
    """The weekly form, samples, pronunciations, reading page and guidance stand on both screens without a complaint."""
    officer, centre = somebody("operator", "phone"), somebody("centre-minhlong")
    page = officer.page
    page.goto("/bai/mot-cua/2026-W48")
    for name, value in (("received", "126"), ("online", "98"), ("on_time", "124"), ("late", "2")):
        page.fill(f"[name={name}]", value)
    officer.look("t63-onestop")
    page.click("button[value=script]")
    expect(page.locator("#may-doc")).to_contain_text("một trăm hai mươi sáu hồ sơ")
    officer.look("t64-script")
    page.click("text=Để người đọc")
    officer.look("t65-reading")
    for label, path in (
        ("t66-texts", "/bai/van-ban"),
        ("t67-samples", "/bai/mau"),
        ("t68-words", "/bai/cach-doc?tu=UBND"),
    ):
        page.goto(path)
        officer.look(label)
    centre.page.goto("/huong-dan/moi")
    centre.page.fill("[name=title]", "Cách ghi âm cho rõ tiếng")
    centre.page.fill("[name=body]", "Ghi ở phòng kín.\n\nGiữ máy cách miệng một gang tay.")
    centre.look("t69-guidance-form")
    centre.page.click("main button[type=submit]")
    expect(centre.page.locator("main")).to_contain_text("một gang tay")
    centre.look("t70-guidance")
    centre.page.goto("/cai-dat/nghe-het")
    centre.look("t71-listening-rule")
    assert officer.found + centre.found == []
    assert officer.complaints + centre.complaints == []
