"""Sending down in a real browser: the centre's ticks, the officer's three taps, the matrix, the boards beside them."""

from __future__ import annotations

import importlib.util
import threading
from pathlib import Path

import pytest
from playwright.sync_api import expect
from waitress import create_server

pytestmark = pytest.mark.browser

HERE = Path(__file__).parent


def _of(path: Path, name: str):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_people = _of(HERE / "test_emergency.py", "browser_people")
browser = _people.browser


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A centre with an approved item, two stations with a session in the evening, served on a port of its own."""
    made = _of(HERE.parent / "webui" / "conftest.py", "webui_world_of_sending")
    hands = _of(HERE.parent / "webui" / "test_dispatches.py", "webui_sending")
    folder = tmp_path_factory.mktemp("world")
    for name in ("incoming", "originals", "scratch"):
        (folder / name).mkdir()
    world = made.World(folder)
    world.password = made.PASSWORD
    world.hands = hands
    client = world.client()
    centre, approver = world.token("centre-minhlong"), world.token("approver-minhlong")
    document = world.analysed(client, "centre-minhlong", station=None, unit="MINHLONG", title="Phòng chống lừa đảo")
    client.post(f"/api/v1/segments/{document['id']}/submit", headers=centre)
    body = {"sha256": document["sha256"], "revision": document["revision"]}
    assert client.post(f"/api/v1/segments/{document['id']}/approve", json=body, headers=approver).status_code == 200
    world.segment = document["id"]
    for code in ("LONGHIEP", "LONGMAI"):
        hands.evening(world, code)
    server = create_server(world.new_app(), host="127.0.0.1", port=0, threads=8, ident=None)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    world.base = f"http://127.0.0.1:{server.effective_port}"
    yield world
    server.close()
    thread.join(5)
    world.stop()


def test_from_the_centres_ticks_to_the_verdict_of_a_commune(world, browser):
    """The centre sends, the officer uses it in three taps, what airs shows; every page at both sizes, axe silent."""
    centre = _people.Somebody(world, browser, "centre-minhlong", "desktop")
    officer = _people.Somebody(world, browser, "operator", "phone")

    centre.page.goto("/gui")
    centre.look("d-01-none-sent")
    centre.page.click("main a.btn.p")
    centre.page.click("text=Danh sách xã")
    centre.page.click("[data-tick=all]")
    expect(centre.page.locator("[data-ticked]")).to_have_text("Đã chọn 2 đài")
    centre.page.check("[name=must][value='1']")
    centre.page.fill("#f-document", "Công văn 12")
    centre.page.fill("#f-note", "Phát trước ngày hội")
    centre.look("d-02-form")
    centre.page.click("main button.btn.p")
    expect(centre.page.locator(".answer")).to_contain_text("0/2 đài đã phát.")
    centre.look("d-03-matrix")

    officer.page.goto("/")
    officer.look("d-04-today")
    officer.page.click("text=Nghe và chọn")
    expect(officer.page.locator(".play").first).to_be_visible()
    officer.look("d-05-choose")
    officer.page.click("text=Dùng cho tuần này")
    expect(officer.page.locator("main")).to_contain_text("đã chọn bài này cho tuần này")
    officer.look("d-06-used")
    officer.page.goto("/gui/den")
    officer.look("d-07-received")

    world.hands.aired(world, world.segment)
    world.hands.aired(world, world.segment, code="LONGMAI", seq=2, verdict=world.hands.Verdict.MISSED)
    world.hands.looked(world)
    centre.page.reload()
    expect(centre.page.locator(".answer")).to_contain_text("1/2 đài đã phát.")
    centre.look("d-08-matrix-aired")
    centre.page.set_viewport_size({"width": 390, "height": 844})
    centre.look("d-08-matrix-aired-phone")
    centre.page.set_viewport_size({"width": 1366, "height": 900})
    pages = {
        "d-09-sent": "/gui",
        "d-10-duties": "/nhiem-vu?dai=LONGHIEP&tuan=2026-W48&nhiem_vu=CDS",
        "d-11-topics": "/nhiem-vu/chu-de",
        "d-12-portal": "/cong",
        "d-13-portal-new": "/cong/moi",
        "d-14-feeds": "/cong/nguon",
        "d-15-stations": "/dai",
        "d-16-station": "/dai/LONGHIEP",
    }
    world.post(
        world.signed_in("centre-minhlong"),
        "/cong/moi",
        {"title": "Ra mắt Zalo", "url": "https://a.example/1", "published": "2026-11-20", "topics": ["DX-EGOV"]},
    )
    for label, path in pages.items():
        for width, height in ((1366, 900), (390, 844)):
            centre.page.set_viewport_size({"width": width, "height": height})
            centre.page.goto(path)
            centre.look(label)
    assert centre.found + officer.found == []
    assert centre.complaints + officer.complaints == []
