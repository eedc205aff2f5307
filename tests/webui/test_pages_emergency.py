"""The emergency pages: nothing airs before the last button, a drill never looks real, every list tells its names."""

from __future__ import annotations

import re

import pytest

from schedules.emergency import AlertState
from webui import emergencies


@pytest.fixture
def segment(world, client):
    """An approved recording; its id."""
    return world.approved(client, title="Sơ tán, lũ về")["id"]


def order(world, browser, segment, path="/khan-cap/that", **fields):
    """Look at an order and send it, as the form does; return the last answer."""
    form = {"what": f"s:{segment}", "stations": "LONGHIEP", "hours": "1", "basis": "Công điện 07"} | fields
    shown = world.post(browser, path, form | {"step": "review"})
    if shown.status_code != 200:
        return shown
    name = re.search(r'name="id" value="([a-z0-9]{10})"', shown.text).group(1)
    return world.post(browser, path, form | {"step": "order", "id": name})


def test_the_form_leads_over_a_summary_to_one_order_however_often_it_is_sent(world, segment):
    """What will happen stands above the button; the same form sent twice is one order."""
    browser = world.signed_in("operator")
    shown = world.post(
        browser, "/khan-cap/that", {"what": f"s:{segment}", "stations": "LONGHIEP", "repeat": "2", "step": "review"}
    )
    assert "“Sơ tán, lũ về”, 0:30, phát 2 lần" in shown.text
    assert "Gửi lệnh cho 1 đài" in shown.text
    assert world.doors["LONGHIEP"].documents == []
    sent = order(world, browser, segment)
    again = world.post(
        browser,
        "/khan-cap/that",
        {"what": f"s:{segment}", "stations": "LONGHIEP", "step": "order", "id": sent.location.rsplit("/")[-1]},
    )
    assert again.location == sent.location
    other = world.post(
        world.signed_in("approver"),
        "/khan-cap/that",
        {"what": f"s:{segment}", "stations": "LONGHIEP", "step": "order", "id": sent.location.rsplit("/")[-1]},
    )
    assert (other.status_code, "đã kết thúc từ trước" in other.text) == (422, True)
    edited = world.post(browser, "/khan-cap/that", {"what": f"s:{segment}", "stations": "LONGHIEP", "step": "edit"})
    assert f'value="s:{segment}" required checked' in edited.text
    nothing = order(world, browser, segment, stations="")
    assert (nothing.status_code, 'href="#f-stations"' in nothing.text) == (422, True)


def test_a_drill_never_looks_like_the_real_thing(world, segment):
    """Word, sign and colour of a drill are its own on every page that shows it, and the bar says it too."""
    browser = world.signed_in("operator")
    real = browser.get("/khan-cap/that").text
    drill = browser.get("/khan-cap/dien-tap").text
    assert ('class="kind real"' in real, "DIỄN TẬP" in real) == (True, False)
    assert ('class="kind drill"' in drill, "<h1>DIỄN TẬP</h1>" in drill) == (True, True)
    sent = order(world, browser, segment, "/khan-cap/dien-tap")
    shown = browser.get(sent.location).text
    assert ('class="kind drill"' in shown, "<h1>DIỄN TẬP</h1>" in shown) == (True, True)
    bar = world.signed_in("inspector").get("/nhat-ky").text
    assert 'class="alarm drill"' in bar
    assert "DIỄN TẬP: Sơ tán, lũ về" in re.sub(r"<[^>]+>", "", bar).replace("\n", " ")
    assert "DIỄN TẬP" in browser.get("/khan-cap").text
    assert 'class="alarm drill"' not in world.signed_in("operator-longmai").get("/nhat-ky").text


def test_the_second_person_and_the_history_with_names(world, segment):
    """The one who ordered is told to call another; afterwards the list names who ordered, confirmed and stopped."""
    browser, leader = world.signed_in("operator"), world.signed_in("approver")
    sent = order(world, browser, segment).location
    assert "nên phải để người khác xác nhận" in browser.get(sent).text
    assert "Xác nhận, phát khẩn cấp tới 1 đài" in leader.get(sent).text
    assert "Cần một người có quyền xác nhận" in world.signed_in("operator2").get(sent).text
    world.clock.advance(301)
    refused = world.post(leader, f"{sent}/xac-nhan", {"password": "sai sai sai"})
    assert (refused.status_code, "Mật khẩu hoặc mã không đúng" in refused.text) == (422, True)
    assert world.post(leader, f"{sent}/xac-nhan", {"password": "bốn con vịt bơi chậm"}).status_code == 303
    door = world.doors["LONGHIEP"]
    door.sound(AlertState.ON_AIR)
    part = leader.get(sent, headers={"HX-Request": "true"}).text
    assert ("Đang phát ở 1/1 đài." in part, "<html" in part) == (True, False)
    assert world.post(leader, f"{sent}/dung", {"reason": "Báo nhầm"}).status_code == 303
    assert world.post(leader, f"{sent}/dung", {}).status_code == 422
    listed = re.sub(r"<[^>]+>", " ", leader.get("/khan-cap").text)
    assert "Người operator, Người approver xác nhận, Người approver dừng" in listed
    shown = leader.get(sent).text
    assert ("Báo nhầm" in shown, "Công điện 07" in shown, "Người approver dừng" in shown) == (True, True, True)


def test_templates_are_prepared_by_one_and_approved_by_another(world, segment):
    """A template offers itself for one person only after a second one approved it; nobody approves their own."""
    officer, leader = world.signed_in("operator"), world.signed_in("approver")
    path = "/khan-cap/mau"
    form = {"name": "Mưa lũ", "owner": "LONGHIEP", "segment": segment, "urgency": "extreme", "repeat": "2", "tone": "8"}
    bad = world.post(officer, path, form | {"name": " ", "repeat": "99", "tone": "30"})
    assert (bad.status_code, bad.text.count('class="err"')) == (422, 3)
    assert world.post(officer, path, form).status_code == 303
    with world.database.reading() as session:
        (template,) = emergencies.emergencies.templates(session, owners=["LONGHIEP"])
    assert "Mưa lũ" not in officer.get("/khan-cap/that").text
    assert f"{path}/{template.id}/duyet" not in officer.get(path).text
    assert world.post(leader, f"{path}/{template.id}/duyet", follow_redirects=True).text.count("Đã duyệt mẫu.") == 1
    again = world.post(leader, f"{path}/{template.id}/duyet", follow_redirects=True)
    assert "đã được duyệt hoặc đã bỏ" in again.text
    assert "Một người ra lệnh là đủ." in officer.get("/khan-cap/that").text
    sent = order(world, officer, segment, what=f"t:{template.id}")
    assert "1/1 đài đã nhận" in officer.get(sent.location).text
    assert world.post(officer, f"{path}/{template.id}/bo").status_code == 303
    assert "Mưa lũ" not in officer.get("/khan-cap/that").text


def test_a_station_without_contact_is_told_before_and_after(world, segment):
    """Who orders knows which station will not hear it now, and whom to call."""
    world.doors.pop("LONGHIEP")
    browser = world.signed_in("operator")
    shown = world.post(
        browser, "/khan-cap/dien-tap", {"what": f"s:{segment}", "stations": "LONGHIEP", "step": "review"}
    )
    assert "Chưa liên lạc được với Đài Long Hiệp." in shown.text
    sent = order(world, browser, segment, "/khan-cap/dien-tap")
    page = browser.get(sent.location).text
    assert ("Chờ liên lạc" in page, "Hãy gọi trực đài." in page) == (True, True)
