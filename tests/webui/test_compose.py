"""The page of a new item, and trimming: what they say, and what they do without script."""

from __future__ import annotations

import re

import pytest

from schedules.segment import SegmentKind
from store import scripts, segments, uploads
from webui import writing
from webui.pages.trimming import moment_in

FIELDS = {"title": "Tin thôn 1", "programme": "CDS", "station": "LONGHIEP", "kind": "tin", "topics": "DX-NAT"}
TUS = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}


def test_a_card_is_checked_before_the_first_byte(world):
    """The form announces a file: wrong fields come back by name, right ones with the address for the parts."""
    client = world.signed_in("operator")
    wrong = world.post(client, "/bai/moi", FIELDS | {"length": "x", "title": ""})
    assert (wrong.status_code, wrong.json["fields"]) == (422, ["title", "audio"])
    answer = world.post(client, "/bai/moi", FIELDS | {"length": "5", "file_name": "ghi-am.webm", "language": "hre"})
    url = answer.json["upload"]
    with world.database.reading() as session:
        found = uploads.find(session, url.rsplit("/", 1)[1])
    assert (found.length, found.file_name, found.card.language) == (5, "ghi-am.webm", "hre")
    sent = client.patch(url, data=b"SOUND", headers=TUS | {"Upload-Offset": "0", "X-CSRFToken": world.csrf(client)})
    with world.database.reading() as session:
        record = segments.find(session, sent.headers["Loa-Segment"])
    assert (record.card.title, record.card.topics, record.uploader_name) == (
        "Tin thôn 1",
        ("DX-NAT",),
        "Người operator",
    )


def test_a_text_is_read_aloud_and_stays_with_its_recording(world):
    """From a text the form is filled in and shows what is to be read; the recording belongs to the text afterwards."""
    client = world.signed_in("operator")
    with world.app.test_request_context():
        script = writing.draft(
            station="LONGHIEP",
            programme="CDS",
            title="Cài VNeID",
            kind=SegmentKind.TIN,
            topics=("DX-NAT",),
            author="",
            body="Kính thưa bà con.",
            person=world.people["operator"],
        )
    page = client.get(f"/bai/moi?van_ban={script}").text
    assert "Kính thưa bà con." in page
    assert 'value="Cài VNeID"' in page
    url = world.post(client, "/bai/moi", FIELDS | {"length": "5", "van_ban": script}).json["upload"]
    headers = TUS | {"Upload-Offset": "0", "X-CSRFToken": world.csrf(client)}
    segment = client.patch(url, data=b"SOUND", headers=headers).headers["Loa-Segment"]
    with world.database.reading() as session:
        assert scripts.body_of_segment(session, segment) == "Kính thưa bà con."
    stranger = world.signed_in("operator-longmai")
    assert stranger.get(f"/bai/moi?van_ban={script}").status_code == 404
    assert world.post(stranger, "/bai/moi", FIELDS | {"length": "5", "van_ban": script}).status_code == 404


def test_a_full_quota_is_told_in_words(world):
    """Where no more files may be on their way, the form says so and what to do."""
    world.app = world.new_app(settings={"most_uploads": 1})
    client = world.signed_in("operator")
    assert world.post(client, "/bai/moi", FIELDS | {"length": "5"}).status_code == 200
    answer = world.post(client, "/bai/moi", FIELDS | {"length": "5"})
    assert answer.status_code == 422
    assert "hủy bớt" in answer.json["message"]


def test_a_file_begun_elsewhere_is_shown_and_can_be_given_up(world):
    """What is on its way from another machine is listed to its owner alone, and cancelled there."""
    client = world.signed_in("operator")
    url = world.post(client, "/bai/moi", FIELDS | {"length": "5000000", "file_name": "hop.wav"}).json["upload"]
    upload = url.rsplit("/", 1)[1]
    page = client.get("/bai/moi").text
    assert "Đang gửi dở" in page
    assert "hop.wav" in page
    other = world.signed_in("operator2")
    assert "Đang gửi dở" not in other.get("/bai/moi").text
    assert world.post(other, f"/bai/dang-gui/{upload}/huy").status_code == 404
    assert world.post(client, f"/bai/dang-gui/{upload}/huy").status_code == 303
    assert "Đang gửi dở" not in client.get("/bai/moi").text


def test_the_page_says_what_happens_without_a_new_item(world):
    """For the chosen programme and station: until when, and what airs if nobody does anything."""
    page = world.signed_in("operator").get("/bai/moi?chuyen_muc=CDS&dai=LONGHIEP").text
    assert "Làm bài cho chuyên mục Chuyển đổi số." in page
    assert "Nếu không có bài mới" in page
    assert "Chuyển đổi số hằng tuần" in page
    assert "Phải phát xong trước" in page
    for word in ("Tiếng Việt", "Tiếng Hrê", "Tiếng Co (Cor)", "Ca Dong"):
        assert word in page
    assert 'data-draft="' in page


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0:03,2", 3.2), ("3:02.5", 182.5), ("182", 182.0), (" 1:00 ", 60.0), ("1:0,25", 60.25)],
)
def test_times_are_read_as_people_write_them(text, seconds):
    """Minutes and seconds, with a comma or a point for the tenths."""
    assert moment_in(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "x", "-1", "1:2:3", "0:03,", "99999", "1e3", "nan", "٣"])
def test_what_is_no_time_is_not_one(text):
    """Everything else is refused, not guessed."""
    assert moment_in(text) is None


def test_head_and_tail_are_cut_at_two_moments(world):
    """The trim page shows the silence it found; its two times become a new file that needs a new approval."""
    client = world.signed_in("operator")
    document = world.analysed(world.client())
    url = f"/bai/{document['id']}/cat"
    shown = client.get(url)
    assert shown.status_code == 200
    nonce = re.search(r'data-nonce="([^"]+)"', shown.text).group(1)
    assert f"style-src 'self' 'nonce-{nonce}'" in shown.headers["Content-Security-Policy"]
    assert "nonce" not in client.get("/bai").headers["Content-Security-Policy"]
    start, end = (re.search(rf'name="{name}"[^>]* value="([^"]+)"', shown.text).group(1) for name in ("start", "end"))
    assert moment_in(start) is not None
    assert moment_in(end) == pytest.approx(document["duration_s"], abs=5)
    wrong = world.post(client, url, {"start": "đầu", "end": end, "revision": "1"})
    assert (wrong.status_code, 'aria-invalid="true"' in wrong.text) == (422, True)
    length = document["duration_s"]
    beyond = world.post(client, url, {"start": "0:00", "end": f"{length:.1f}".replace(".", ","), "revision": "1"})
    assert beyond.status_code == 409, "nothing to cut"
    cut = world.post(client, url, {"start": "0:01,5", "end": f"{length - 1:.1f}".replace(".", ","), "revision": "1"})
    assert cut.status_code == 303, cut.text
    with world.database.reading() as session:
        record = segments.find(session, document["id"])
    assert (record.pending_head_s, record.pending_tail_s) == pytest.approx((1.5, 1.0), abs=0.06)
    assert client.get(url).status_code == 303, "nothing can be cut while it is being cut"


def test_trimming_is_for_those_who_may_change_it(world):
    """S2: another commune's recording cannot be opened for trimming."""
    document = world.analysed(world.client())
    assert world.signed_in("operator-longmai").get(f"/bai/{document['id']}/cat").status_code == 404
    assert world.signed_in("inspector").get(f"/bai/{document['id']}/cat").status_code == 403
