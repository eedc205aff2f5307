"""The week under the pencil in a real browser: drag, resize, copy, keys, publish; agenda and form on the phone."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
AXE = Path(__file__).parents[2] / "webui" / "frontend" / "node_modules" / "axe-core" / "axe.min.js"


def monday() -> datetime:
    """Return next Monday at the station: a week in which everything is still to come."""
    today = datetime.now(ZONE)
    return today + timedelta(days=7 - today.weekday())


def block(page, title: str, day: str):
    """Return the session's block on a day."""
    return page.locator(f'[data-block][data-title="{title}"][data-date="{day}"]')


def drag(page, source, *, rows: int = 0, days: int = 0, at_foot: bool = False) -> None:
    """Drag a block by so many rows of five minutes and columns, or its lower edge."""
    source.scroll_into_view_if_needed()
    box = source.bounding_box()
    band = page.evaluate(
        "one => one.closest('.band').getBoundingClientRect().height / one.closest('.band').dataset.rows",
        source.element_handle(),
    )
    column = page.locator(".dcol.d3").first.bounding_box()["width"]
    x, y = box["x"] + box["width"] / 2, box["y"] + (box["height"] - 2 if at_foot else 4)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + days * column / 2, y + rows * band / 2, steps=4)
    page.mouse.move(x + days * column, y + rows * band, steps=4)
    page.mouse.up()


def axe(page, name: str) -> None:
    """Require that axe finds nothing to complain about."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(
        "axe.run().then(result => result.violations.map(v => v.id + ': ' + v.nodes.map(n => n.target).join(' ')))"
    )
    assert found == [], f"{name}: {found}"


def test_the_week_is_changed_by_pointer_keys_and_form_and_then_published(reader):
    """What is dragged, resized, copied and moved by keys stands in the draft, can be taken back, and is published."""
    first = monday()
    week = first.strftime("%G-W%V")
    day = [(first + timedelta(days=n)).date().isoformat() for n in range(7)]
    officer = reader()
    officer.sign_in("canbo.longhiep")
    page = officer.page
    page.goto(f"/lich/{week}?dai=LONGHIEP")
    expect(page.locator("[data-rest]")).to_have_count(0)
    title = page.locator("[data-block]").first.get_attribute("data-title")
    start = block(page, title, day[2]).get_attribute("data-start")
    officer.shoot("80-week")
    axe(page, "week")
    page.set_viewport_size({"width": 1366, "height": 900})

    page.check("[name=reach][value=once]")
    # The session of the demonstration comes every quarter of an hour for four minutes: this one goes between.
    quarter = int(re.search(r"từ \d\d:(\d\d)", page.inner_text("main")).group(1)) % 15
    hour, minute = int(start[:2]), int(start[3:])
    taken = {(quarter + n) % 15 for n in range(4)}
    rows = next(n for n in (1, 2, 3) if taken.isdisjoint((minute + 5 * n + m) % 15 for m in range(5)))
    drag(page, block(page, title, day[2]), rows=rows)
    expect(page.locator(".stickbar")).to_contain_text("1 thay đổi")
    at = minute + 5 * rows
    later = f"{hour + at // 60:02d}:{at % 60:02d}"
    expect(block(page, title, day[2])).to_have_attribute("data-start", later)

    page.check("[name=reach][value=every]")
    long = float(block(page, title, day[3]).get_attribute("data-minutes"))
    drag(page, block(page, title, day[3]), rows=2, at_foot=True)
    expect(page.locator(".stickbar")).to_contain_text("2 thay đổi")
    assert float(block(page, title, day[3]).get_attribute("data-minutes")) > long

    moved = block(page, title, day[4])
    moved.focus()
    page.keyboard.press("ArrowRight")
    expect(block(page, title, day[5])).to_be_focused()
    page.keyboard.press("c")
    expect(page.locator("[data-spoken]")).to_contain_text("Đang chép")
    for _n in range(3):
        page.keyboard.press("ArrowDown")
    expect(page.locator("[data-spoken]")).to_contain_text(title)
    page.keyboard.press("Escape")
    expect(page.locator("[data-spoken]")).to_contain_text("Đã thôi")
    expect(page.locator(".evb.ghost")).to_have_count(0)
    page.keyboard.press("c")
    for _n in range(2):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".stickbar")).to_contain_text("3 thay đổi")
    expect(page.locator(".answer")).to_contain_text("trùng giờ")
    expect(page.locator("text=Chưa công bố được")).to_be_visible()
    officer.shoot("81-week-conflict")
    axe(page, "week with a conflict")
    page.set_viewport_size({"width": 1366, "height": 900})
    page.click(".stickbar button")
    expect(page.locator(".stickbar")).to_contain_text("2 thay đổi")
    expect(page.locator(".answer")).to_contain_text("Không trùng giờ")
    page.click(".stickbar button")
    expect(page.locator(".stickbar")).to_contain_text("1 thay đổi")

    page.click("text=Xem lại, công bố")
    expect(page.locator("main")).to_contain_text("thay đổi trong bản nháp")
    officer.shoot("82-draft-review")
    axe(page, "review")
    page.click("text=Xem trước kế hoạch thật")
    expect(page.locator("main")).to_contain_text("Đây là kế hoạch nếu công bố bản nháp.")
    page.go_back()
    page.click("main .acts button.p")
    expect(page.locator(".flash").first).to_contain_text("Đã công bố lịch")
    assert [one for one in officer.complaints if "422" not in one] == []

    phone = reader("phone")
    phone.sign_in("canbo.longhiep")
    phone.page.goto(f"/lich/{week}?dai=LONGHIEP&ngay={day[2]}")
    expect(phone.page.locator(".agenda")).to_contain_text(later)
    phone.page.click(f".agenda .list a:has-text('{title}')")
    phone.page.fill("[name=to_start] >> nth=0", start)
    phone.shoot("83-occurrence")
    axe(phone.page, "one date")
    phone.page.set_viewport_size({"width": 390, "height": 844})
    phone.page.click("#sua-nhap button[type=submit]")
    expect(phone.page.locator(".stickbar")).to_contain_text("1 thay đổi")
    expect(phone.page.locator(".agenda")).to_contain_text(start)
    phone.shoot("84-week-phone-draft")
    phone.page.set_viewport_size({"width": 390, "height": 844})
    phone.page.click(".stickbar button")
    expect(phone.page.locator(".stickbar")).to_have_count(0)

    centre = reader()
    centre.sign_in("trungtam")
    centre.page.goto(f"/lich/cac-dai?ngay={day[2]}")
    centre.shoot("85-all-stations")
    axe(centre.page, "all stations")
    centre.page.goto(f"/lich/{week}/chep?dai=LONGHIEP")
    centre.shoot("86-copy")
    axe(centre.page, "copy")
    centre.page.goto("/lich/phat-rieng?dai=LONGHIEP")
    centre.shoot("87-single")
    axe(centre.page, "single airing")
