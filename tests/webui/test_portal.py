"""The portal's items: counted by persons or by a rule, brought by feeds that are believed nothing."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from link.outward import OutwardRefused
from store import portal as published
from store.portal import ItemState
from webui import newsfeed
from webui import portal as acts

FEED = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0"><channel><title>Cổng</title>
<item><title>Tổ công nghệ số &lt;b&gt;ra quân&lt;/b&gt;</title><link>https://cong.example/1</link><guid>g1</guid>
<pubDate>Mon, 16 Nov 2026 08:00:00 +0700</pubDate><description>Chuyển đổi số tới từng nhà</description></item>
<item><title>Giải bóng đá</title><link>https://cong.example/2</link><guid>g2</guid></item>
<item><title>Chuyển đổi số &lt;script&gt;alert(1)&lt;/script&gt;</title>
<link>javascript:alert(1)</link><guid>g3</guid></item>
<item><title>=HYPERLINK("x") chuyển đổi số</title><link>https://cong.example/4</link><guid>g4</guid>
<pubDate>Mon, 16 Nov 2099 08:00:00 +0700</pubDate></item>
</channel></rss>"""


class FakeOutward:
    """Gives what a test put there, or the trouble it put there."""

    def __init__(self) -> None:
        self.gives: bytes | OutwardRefused = FEED.encode()
        self.asked: list[str] = []

    def get(self, url, *, most_bytes=0):
        """Return the feed."""
        self.asked.append(url)
        if isinstance(self.gives, OutwardRefused):
            raise self.gives
        return self.gives


@pytest.fixture
def outward(world):
    """The internet of this test, and an app that asks it."""
    fake = FakeOutward()
    world.app = world.new_app(outward=fake)
    return fake


@pytest.fixture
def office(world, outward):
    """A browser of the centre."""
    return world.signed_in("centre-minhlong")


def feed(world, office, **more) -> str:
    """Add a feed and return its id."""
    form = {"name": "Cổng huyện", "url": "https://cong.example/rss", "words": "Chuyển đổi số, một cửa"}
    assert world.post(office, "/cong/nguon", form | more).status_code == 303
    with world.database.reading() as session:
        return published.feeds(session)[-1].id


def test_an_entered_item_counts_at_once_towards_the_years_target(world, office):
    """Title, address, day, topic and place; the counter says what is left."""
    assert "Năm 2026: 0/20 tin, bài." in office.get("/cong").text
    form = {
        "title": "Ra mắt trang Zalo",
        "url": "https://zalo.example/1",
        "published": "2026-11-20",
        "place": "zalo",
        "topics": ["DX-EGOV"],
    }
    assert world.post(office, "/cong/moi", form).status_code == 303
    page = office.get("/cong").text
    assert "Năm 2026: 1/20 tin, bài." in page
    assert "Ra mắt trang Zalo" in page
    assert "Zalo OA" in page
    assert "Chiến lược phát triển Chính phủ điện tử" in page
    assert "0/20" in office.get("/cong?nam=2025").text
    assert "1/20" in office.get("/nhiem-vu").text
    wrong = world.post(office, "/cong/moi", form | {"url": "javascript:alert(1)", "title": "", "published": ""})
    assert wrong.status_code == 422
    assert wrong.text.count('class="err"') == 3


def test_the_target_is_a_setting_from_a_year_on(world, office):
    """Another document may ask for more; the years before keep theirs."""
    form = {"owner": "MINHLONG", "year": "2026", "count": "24", "document": "Kế hoạch 7"}
    assert world.post(office, "/cong/chi-tieu", form).status_code == 303
    assert "0/24" in office.get("/cong").text
    assert "Kế hoạch 7" in office.get("/cong").text
    assert "0/20" in office.get("/cong?nam=2025").text
    assert world.post(office, "/cong/chi-tieu", form | {"count": "0"}).status_code == 303
    assert "0/24" in office.get("/cong").text


def test_what_a_feed_brings_waits_for_a_person_and_comes_once(world, office, outward):
    """Only what holds a word is kept, once by its mark; it counts when somebody says so."""
    one = feed(world, office)
    first = world.post(office, f"/cong/nguon/{one}/lay", follow_redirects=True).text
    again = world.post(office, f"/cong/nguon/{one}/lay", follow_redirects=True).text
    assert "Có 2 tin mới." in first
    assert "Không có tin mới." in again
    page = office.get("/cong").text
    assert "Năm 2026: 0/20" in page
    assert "Chờ xác nhận" in page
    with world.database.reading() as session:
        waiting = published.listing(session, ["MINHLONG"], states=[ItemState.WAITING])
    assert [item.content.title for item in waiting] == [
        '=HYPERLINK("x") chuyển đổi số',
        "Tổ công nghệ số ra quân",
    ]
    assert waiting[0].content.published.isoformat() == "2026-11-23", "the future is today"
    world.post(office, f"/cong/{waiting[1].id}/tinh")
    world.post(office, f"/cong/{waiting[0].id}/khong-tinh")
    office.get("/cong")
    page = office.get("/cong").text
    assert "Năm 2026: 1/20" in page
    assert "HYPERLINK" not in page
    assert world.post(office, f"/cong/nguon/{one}/lay", follow_redirects=True).text.count("Không có tin mới.") == 1


def test_a_rule_counts_by_itself_and_needs_words(world, office, outward):
    """Without words every item of a site would count: that is refused."""
    refused = world.post(office, "/cong/nguon", {"name": "x", "url": "https://a.example/", "words": "", "counts": "1"})
    assert refused.status_code == 422
    one = feed(world, office, counts="1")
    world.post(office, f"/cong/nguon/{one}/lay")
    assert "Năm 2026: 2/20" in office.get("/cong").text
    assert "tự tính theo từ khóa" in office.get("/cong").text
    world.post(office, f"/cong/nguon/{one}/bo")
    with world.database.reading() as session:
        assert published.feeds(session) == ()


@pytest.mark.parametrize(
    ("gives", "words"),
    [
        (OutwardRefused("refused", "x"), "Địa chỉ không được phép lấy tin"),
        (OutwardRefused("no_answer", "x"), "Trang không trả lời."),
        (b"<html><body>404</body></html>", "không phải nguồn tin RSS"),
        (b"", "không phải nguồn tin RSS"),
        (b"\x00\xff" * 1000, "không phải nguồn tin RSS"),
    ],
)
def test_a_feed_that_cannot_be_read_changes_nothing_and_says_why(world, office, outward, gives, words):
    """What happened, what is safe; the trouble stands beside the feed until it works again."""
    one = feed(world, office)
    outward.gives = gives
    said = world.post(office, f"/cong/nguon/{one}/lay", follow_redirects=True).text
    assert words in said
    assert "Danh mục không thay đổi." in said
    assert words in office.get("/cong").text
    outward.gives = FEED.encode()
    world.post(office, f"/cong/nguon/{one}/lay")
    assert words not in office.get("/cong").text


def test_s22_an_expanding_feed_is_no_feed(world, office, outward):
    """S22: entities that unfold into gigabytes, or name files, give nothing and take no time."""
    bomb = (
        '<!DOCTYPE r [<!ENTITY a "'
        + "x" * 1000
        + '">'
        + "".join(
            f'<!ENTITY {name} "{("&" + before + ";") * 50}">' for before, name in zip("abcdefg", "bcdefgh", strict=True)
        )
    )
    one = feed(world, office)
    for document in (
        f"{bomb}]><rss version='2.0'><channel><item><title>&h; chuyển đổi số</title>"
        "<link>https://a.example/</link></item></channel></rss>",
        '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss version="2.0"><channel><item>'
        "<title>chuyển đổi số &x;</title><link>https://a.example/</link></item></channel></rss>",
    ):
        outward.gives = document.encode()
        world.post(office, f"/cong/nguon/{one}/lay")
        page = office.get("/cong").text
        assert "root:" not in page
        assert len(page) < 60_000
    assert outward.asked == ["https://cong.example/rss"] * 2


def test_s22_an_address_inside_is_refused_as_it_is_asked(world):
    """S22: the page's own fetcher does not look into this machine, whatever address people enter."""
    office = world.signed_in("centre-minhlong")
    one = feed(world, office, url="http://127.0.0.1:8080/rss")
    said = world.post(office, f"/cong/nguon/{one}/lay", follow_redirects=True).text
    assert "Địa chỉ không được phép lấy tin" in said
    for url in ("file:///etc/passwd", "http://a@b.example/", "x"):
        form = {"name": "x", "url": url, "words": "x"}
        assert world.post(office, "/cong/nguon", form).status_code == 422


def test_one_text_serves_portal_and_loudspeaker(world, office, client):
    """A recording's title and topics fill the portal's form; a published text becomes a text for the air."""
    segment = world.approved(world.client(), title="Hướng dẫn nộp hồ sơ", topics="DX-ONESTOP")
    page = world.signed_in("operator").get(f"/cong/moi?bai={segment['id']}").text
    assert 'value="Hướng dẫn nộp hồ sơ"' in page
    assert 'value="DX-ONESTOP" checked' in page
    form = {
        "title": "Một cửa tuần này",
        "url": "https://cong.example/9",
        "published": "2026-11-20",
        "text": "Tuần qua bộ phận một cửa đã giải quyết 12 hồ sơ.",
    }
    operator = world.signed_in("operator")
    world.post(operator, "/cong/moi", form)
    with world.database.reading() as session:
        (item,) = published.listing(session, ["LONGHIEP"], states=[ItemState.COUNTED])
    made = world.post(operator, f"/cong/{item.id}/thanh-bai")
    assert made.status_code == 303
    assert "đã giải quyết 12 hồ sơ" in operator.get(made.headers["Location"]).text


def test_s2_items_and_feeds_of_others_do_not_exist(world, office, outward):
    """S2: foreign units see neither items nor feeds, and change none."""
    one = feed(world, office)
    world.post(office, f"/cong/nguon/{one}/lay")
    with world.database.reading() as session:
        item = published.listing(session, ["MINHLONG"], states=[ItemState.WAITING])[0].id
    foreign = world.signed_in("centre-bato")
    assert "Cổng huyện" not in foreign.get("/cong/nguon").text
    assert foreign.get("/cong?don_vi=MINHLONG").status_code == 404
    for path in (f"/cong/nguon/{one}/lay", f"/cong/nguon/{one}/bo", f"/cong/{item}/tinh", f"/cong/{item}/thanh-bai"):
        assert world.post(foreign, path).status_code == 404, path
    target = {"owner": "MINHLONG", "year": "2026", "count": "1"}
    assert world.post(foreign, "/cong/chi-tieu", target).status_code == 404


def test_s7_an_inspector_reads_the_counter_and_changes_nothing(world, office):
    """S7: reading is all."""
    inspector = world.signed_in("inspector-minhlong")
    assert inspector.get("/cong").status_code == 200
    assert inspector.get("/cong/moi").status_code == 403
    for path in ("/cong/moi", "/cong/nguon", "/cong/x/tinh", "/cong/chi-tieu"):
        assert world.post(inspector, path).status_code == 403, path


def test_s36_what_a_feed_says_is_shown_and_never_run(world, office, outward):
    """S36: markup in titles is text, an address that is no web address is no link."""
    outward.gives = FEED.replace("javascript:alert(1)", "https://cong.example/3").encode()
    one = feed(world, office)
    world.post(office, f"/cong/nguon/{one}/lay")
    page = office.get("/cong").text
    assert "<script>alert" not in page
    assert "javascript:" not in page
    (first, *_rest) = newsfeed.entries(FEED.encode(), world.clock.now().date(), ZoneInfo("Asia/Ho_Chi_Minh"))
    assert first.title == "Tổ công nghệ số ra quân"


def test_days_of_the_portal_are_days_of_here_not_of_greenwich(world):
    """Before seven in the morning it is yesterday in UTC: for a feed's dates, and for what counts as the future."""
    early = FEED.replace("Mon, 16 Nov 2026 08:00:00 +0700", "Thu, 01 Jan 2026 06:00:00 +0700").encode()
    world.clock.wall = datetime(2026, 11, 24, 22, 0, tzinfo=UTC)
    office = world.signed_in("centre-minhlong")
    form = {"title": "Sáng sớm", "url": "https://x.example/1", "published": "2026-11-25", "place": "zalo"}

    (first, *_rest) = newsfeed.entries(early, date(2026, 11, 25), ZoneInfo("Asia/Ho_Chi_Minh"))

    assert date(2026, 1, 1) == first.published
    assert world.post(office, "/cong/moi", form).status_code == 303


def test_feeds_are_looked_into_one_after_the_other(world, outward, office):
    """The house looks into all of them; the trouble of one keeps none of the others from being read."""
    feed(world, office)
    feed(world, office, name="Thứ hai", url="https://hai.example/rss")
    services = dataclasses.replace(world.services(), outward=outward)
    assert acts.fetch_all(services) == 2
    assert len(outward.asked) == 2
