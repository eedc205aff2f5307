"""People without an account, in a real browser on a telephone: sending news, reporting a loudspeaker, hearing again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from schedules.airing import Airing, Evidence, Verdict
from schedules.segment import SegmentState
from store import accounts, airings, publications, segments, tables
from tests.audio.drawing import photo, with_exif
from tests.audio.recordings import encoded, speech
from tests.browser.test_walk import axe

pytestmark = pytest.mark.browser


def aired(loa) -> list[str]:
    """Let every approved recording of the demonstration have aired yesterday and be public; return their titles."""
    engine = create_engine(f"sqlite:///{loa.data / 'loa.db'}")
    with Session(engine) as session, session.begin():
        officer = session.scalar(select(tables.person.c.id).where(tables.person.c.name == "canbo.longhiep"))
        person = accounts.find(session, officer)
        found = segments.listing(session, states=[SegmentState.APPROVED], limit=12)
        now = datetime.now(UTC)
        for number, record in enumerate(found, start=900_000):
            start = now - timedelta(days=1, minutes=number - 900_000)
            row = Airing(
                slot=f"LONGHIEP/oneoff/{number}",
                station="LONGHIEP",
                kind="segment",
                programme=record.card.programme,
                segment=record.id,
                title=record.card.title,
                sha256=record.audio.sha256,
                topics=record.card.topics,
                planned_start=start,
                planned_end=start + timedelta(seconds=30),
                started_at=start,
                ended_at=start + timedelta(seconds=30),
                seconds_aired=30.0,
                samples_aired=record.audio.samples,
                samples_expected=record.audio.samples,
                bit_exact=True,
                start_error_s=0.0,
                holes_s=0.0,
                parts=(),
                outputs=(),
                verdict=Verdict.AIRED,
                reason=None,
                rehearsal=True,
                evidence=Evidence.E1,
            )
            airings.record(session, "LONGHIEP", number, f"{number:064}", row)
            publications.publish(
                session, station="LONGHIEP", segment=record.id, sha256=record.audio.sha256, person=person, now=start
            )
    engine.dispose()
    return [record.card.title for record in found]


def link(officer, kind: str, village: str) -> str:
    """Have the officer make a link and return its address."""
    officer.page.goto("/lien-ket?loai=report" if kind == "report" else "/lien-ket")
    officer.page.fill("[name=village]", village)
    officer.page.click("text=Tạo liên kết và mã QR")
    officer.page.wait_for_selector("img.qr")
    officer.shoot(f"link-{kind}")
    assert axe(officer.page) == []
    address = officer.page.text_content(".sheet .mono")
    assert address
    return address.strip()


def test_a_village_sends_and_its_officer_makes_an_item(loa, reader, tmp_path):
    """Link, form on a telephone without training, list, listening, draft: no complaint, no axe violation."""
    (tmp_path / "anh.jpg").write_bytes(with_exif(photo("jpeg", 1200, 900), orientation=6))
    (tmp_path / "noi.mp3").write_bytes(encoded("mp3", speech(3.0)))
    officer, villager = reader(), reader("phone")
    officer.sign_in("canbo.longhiep")
    address = link(officer, "contribute", "Thôn Gò Chè")

    villager.page.goto(address)
    villager.shoot("contribute")
    assert axe(villager.page) == []
    villager.page.fill("[name=text]", "Cầu Suối Tía ngập 30 cm từ 05:00, xe máy không qua được.")
    villager.page.set_input_files("[name=photo]", tmp_path / "anh.jpg")
    villager.page.set_input_files("[name=voice]", tmp_path / "noi.mp3")
    villager.page.click("button:has-text('Gửi tới đài')")
    expect(villager.page.locator(".flash.done")).to_contain_text("Đã gửi tới đài")
    villager.shoot("contributed")

    officer.page.goto("/hop-tin")
    expect(officer.page.locator(".answer")).to_contain_text("1 tin mới")
    officer.shoot("inbox")
    assert axe(officer.page) == []
    officer.page.click("main .list a >> nth=0")
    officer.page.wait_for_selector("img.photo")
    for _look in range(12):
        if officer.page.locator("[data-player]").count():
            break
        officer.page.wait_for_timeout(2500)
        officer.page.reload()
    expect(officer.page.locator(".wavebox svg")).to_be_visible()
    officer.shoot("contribution")
    assert axe(officer.page) == []
    officer.page.click("text=Tạo bản nháp văn bản")
    expect(officer.page.locator(".flash.done")).to_contain_text("bản nháp")
    assert officer.complaints + villager.complaints == []


def test_anybody_reports_and_hears_again(loa, reader):
    """A pole's link makes a ticket in three taps; the public page plays, has feed and calendar, and fits a frame."""
    officer, villager = reader(), reader("phone")
    officer.sign_in("canbo.longhiep")
    villager.page.goto(link(officer, "report", "Cột loa ngã ba Gò Chè"))
    villager.shoot("report-broken")
    assert axe(villager.page) == []
    villager.page.click("text=Loa không kêu")
    villager.page.click("button:has-text('Báo cho đài')")
    expect(villager.page.locator(".flash.done")).to_contain_text("Số phiếu: PBH-")

    titles = aired(loa)
    villager.page.goto("/nghe/LONGHIEP")
    for _look in range(30):
        if villager.page.locator("[data-player]").count():
            break
        villager.page.wait_for_timeout(2000)
        villager.page.reload()
    expect(villager.page.locator(".wavebox svg")).to_be_visible()
    villager.shoot("listen-again")
    assert axe(villager.page) == []
    villager.page.click("[data-play]")
    expect(villager.page.locator("[data-heard]")).to_contain_text("Đã nghe", timeout=20_000)
    villager.page.goto("/nghe/LONGHIEP/nhung")
    villager.shoot("listen-framed")
    assert axe(villager.page) == []
    officer.page.goto("/cong-khai")
    officer.shoot("publishing")
    assert axe(officer.page) == []
    assert titles
    assert officer.complaints + villager.complaints == []
