"""The grid and its sessions in a real browser: looked at before publishing, and heard before they air."""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def tomorrow() -> str:
    """Return tomorrow's date at the station."""
    return (datetime.now(ZONE).date() + timedelta(days=1)).isoformat()


def becomes(page, condition: str) -> None:
    """Wait until the listening bar's `audio` fulfils a condition; the pages' own policy forbids waiting inside."""
    deadline = time.monotonic() + 20
    while not page.evaluate(f"(audio => {condition})(document.querySelector('#listener audio'))"):
        if time.monotonic() > deadline:
            at = page.evaluate("document.querySelector('#listener audio').currentTime")
            raise AssertionError(f"never {condition}, it stands at {at} s")
        page.wait_for_timeout(100)


def test_a_whole_session_is_heard_with_skips_before_it_airs(reader):
    """One button plays the items in a row; a skip lands on its item, and the bar says which one it is."""
    officer = reader("phone")
    officer.sign_in("canbo.longhiep")
    officer.page.goto(f"/lich/{tomorrow()}/ke-hoach?dai=LONGHIEP")
    whole = officer.page.locator("[data-listen]").first
    playlist = whole.get_attribute("href")
    marks = officer.page.locator(f"[data-skip='{playlist}']")
    assert marks.count() >= 3
    expect(marks.first).to_be_visible()

    whole.click()
    becomes(officer.page, "audio.currentTime > 0.5")
    expect(officer.page.locator("[data-listener-words]")).to_have_text(marks.nth(0).get_attribute("data-title"))
    total = officer.page.evaluate("document.querySelector('#listener audio').duration")
    officer.page.click("[data-listener-after]")
    second = float(marks.nth(1).get_attribute("data-at"))
    becomes(officer.page, f"audio.currentTime >= {second}")
    expect(marks.nth(1)).to_have_attribute("aria-current", "true")
    officer.shoot("20-hearing-a-session")
    third = float(marks.nth(2).get_attribute("data-at"))
    marks.nth(2).press("Enter")
    becomes(officer.page, f"audio.currentTime > {third} + 0.3")
    expect(officer.page.locator("[data-listener-words]")).to_have_text(marks.nth(2).get_attribute("data-title"))
    officer.page.click("[data-listener-before]")
    becomes(officer.page, f"audio.currentTime < {third}")
    officer.page.evaluate(f"document.querySelector('#listener audio').currentTime = {total} - 0.5")

    expect(officer.page.locator("[data-listener-words]")).to_have_text("Đã nghe hết buổi.", timeout=20_000)
    assert officer.complaints == []


def test_a_skip_begins_to_play_from_there(reader):
    """Who wants one item only does not have to hear what comes before it."""
    officer = reader()
    officer.sign_in("canbo.longhiep")
    officer.page.goto(f"/lich/{tomorrow()}/ke-hoach?dai=LONGHIEP")
    mark = officer.page.locator("[data-skip]").nth(2)
    at = float(mark.get_attribute("data-at"))

    mark.click()

    becomes(officer.page, f"audio.currentTime > {at} + 0.3")
    expect(mark).to_have_attribute("aria-current", "true")
    assert officer.complaints == []


def test_a_session_is_changed_after_a_look_and_one_date_cancelled(reader):
    """The form hides what does not belong to its choice, shows what will change, and then publishes."""
    officer = reader()
    officer.sign_in("canbo.longhiep")
    week = datetime.now(ZONE).strftime("%G-W%V")
    officer.page.goto(f"/lich/{week}?dai=LONGHIEP")
    # The session of the demonstration comes every quarter of an hour for four minutes: this one goes between.
    first = re.search(r"từ \d\d:(\d\d)", officer.page.inner_text("main"))
    free = (int(first.group(1)) + 6) % 15
    officer.page.goto(f"/lich/{week}/buoi?dai=LONGHIEP")
    expect(officer.page.locator("#f-month_days")).to_be_hidden()
    officer.page.select_option("[name=how]", "month_days")
    expect(officer.page.locator("#f-weekdays")).to_be_hidden()
    officer.page.fill("[name=name]", "Buổi rằm")
    officer.page.fill("[name=month_days]", "15, cuối")
    officer.page.fill("[name=starts]", f"03:{free:02d}")
    officer.page.fill("[name=minutes]", "3")
    officer.page.select_option("[name=what-0]", "p:BANTIN")
    officer.page.click("main form.form button[type=submit]")
    expect(officer.page.locator("#xem-lai")).to_contain_text("14 ngày tới")
    officer.shoot("21-review")
    officer.page.click("#xem-lai button[type=submit]")
    expect(officer.page.locator(".flash")).to_contain_text("Đã công bố “Buổi rằm”")

    officer.page.goto(f"/lich/buoi/sang/{tomorrow()}?dai=LONGHIEP")
    officer.page.click("#doi-buoi summary")
    expect(officer.page.locator("#f-to_day")).to_be_hidden()
    officer.page.select_option("#f-what", "move")
    expect(officer.page.locator("#f-to_day")).to_be_visible()
    officer.page.select_option("#f-what", "cancel")
    officer.page.fill("[name=reason]", "Sửa điện")
    officer.page.click("#doi-buoi button[type=submit]")
    expect(officer.page.locator("#xem-lai")).to_contain_text("bỏ 1 buổi")
    officer.page.click("#doi-buoi button[type=submit]")
    expect(officer.page.locator(".flash")).to_contain_text("Đã hủy buổi này.")
    officer.page.goto(f"/lich/buoi/sang/{tomorrow()}?dai=LONGHIEP")
    expect(officer.page.locator(".answer")).to_contain_text("không phát")
    officer.page.click("text=Bỏ quyết định")
    expect(officer.page.locator(".answer")).to_contain_text(re.compile(r"05:30 đến"))
    complaints = [one for one in officer.complaints if "409" not in one]
    assert complaints == []
