"""Texts on the pages: written, shown as they will be said, spoken, heard to the end, submitted, approved, aired."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from audio.speech import Pace, Voice
from schedules.text import Text
from store import audit, listening, one_offs, onestop, pronunciations, scripts, segments
from webui.speaking import Speaking

CARD = {
    "title": "Họp thôn",
    "programme": "CDS",
    "station": "LONGHIEP",
    "kind": "thong_bao",
    "topics": "DX-NAT",
    "language": "vi",
    "priority": "normal",
}
BODY = "Ngày 5/11, UBND xã họp lúc 7h30."
SAID = "Ngày năm tháng mười một, Ủy ban nhân dân xã họp lúc bảy giờ ba mươi phút."
MOUTH = "voice:vi"
HOSTILE = "<script>alert(1)</script>{{7*7}}${jndi:x}%n"


class Mouth:
    """A voice that writes down what it was to say."""

    name = "voice"
    paced = True

    def __init__(self) -> None:
        self.said: list[tuple[str, str, Pace]] = []

    def voices(self):
        return (Voice(name="vi", label=Text("Giọng thử", "Test voice")),)

    def speak(self, text, *, voice, pace, out):
        self.said.append((text, voice, pace))
        out.write_bytes(b"SOUND " + text.encode())


@pytest.fixture
def mouth(world):
    """A world whose machine has one voice."""
    mouth = Mouth()
    engines = {mouth.name: mouth}
    world.intake = world.new_intake(ingest=Speaking(world.ingest, database=world.database, engines=engines))
    world.app = world.new_app(speech=engines)
    return mouth


def spoken(world, client, **changes) -> str:
    """Have a text spoken on the page and analysed; return the recording's id."""
    form = CARD | {"body": BODY, "voice": MOUTH, "pace": "slow", "act": "speak"} | changes
    answer = world.post(client, "/bai/van-ban/moi", form)
    assert answer.status_code == 303, answer.text
    world.intake.start()
    try:
        segment = answer.location.rsplit("/", 1)[1]
        world.wait(client, segment)
    finally:
        world.intake.stop()
    return segment


def record_of(world, segment: str):
    """Return a recording as the store has it."""
    with world.database.reading() as session:
        return segments.find(session, segment)


def hear(world, client, segment: str, *, until: int = 30, sha256: str | None = None):
    """Listen from the start as the page's player does: it tells when it begins, and again when it stops."""
    form = {"sha256": sha256 or record_of(world, segment).audio.sha256}
    world.post(client, f"/bai/{segment}/da-nghe", form | {"ranges": ""})
    world.clock.advance(until)
    return world.post(client, f"/bai/{segment}/da-nghe", form | {"ranges": f"0-{until}"})


def script_of(world, segment: str):
    """Return the text of a recording."""
    with world.database.reading() as session:
        return scripts.of_segment(session, segment)


def test_a_text_is_shown_as_it_will_be_said(world, mouth):
    """Before anything is spoken the page shows every word, with what differs from the writing marked."""
    client = world.signed_in("operator")
    answer = world.post(client, "/bai/van-ban/moi", CARD | {"body": BODY + " XYZ", "voice": MOUTH, "act": "look"})

    assert answer.status_code == 200
    assert "Máy sẽ đọc:" in answer.text
    assert '<mark title="UBND">Ủy ban nhân dân</mark>' in answer.text
    assert "Máy chưa biết chữ viết tắt này" in answer.text
    assert mouth.said == []


def test_what_a_machine_spoke_is_heard_to_the_end_before_it_is_submitted(world, mouth):
    """Spoken words are refused at submission until the one who submits has heard them all; then they go on as usual."""
    client = world.signed_in("operator")
    segment = spoken(world, client)
    assert mouth.said == [(SAID, "vi", Pace.SLOW)]
    page = client.get(f"/bai/{segment}").text
    assert "Phải nghe hết mới trình được" in page
    assert BODY in page

    refused = world.post(client, f"/bai/{segment}/trinh")
    assert (refused.status_code, "mới nghe 0:00/0:30" in refused.text) == (409, True)
    assert hear(world, client, segment, until=12).json == {"heard_s": 12, "whole": False, "changed": False}
    assert "mới nghe 0:12/0:30" in world.post(client, f"/bai/{segment}/trinh").text
    by_program = world.app.test_client().post(f"/api/v1/segments/{segment}/submit", headers=world.token("operator2"))
    assert by_program.status_code == 409, "nobody else's ears count, and a program has none"
    assert hear(world, client, segment).json["whole"] is True
    assert world.post(client, f"/bai/{segment}/trinh").status_code == 303
    assert record_of(world, segment).state == "submitted"


def test_nobody_hears_faster_than_time(world, mouth):
    """S33: who claims half a minute after one second is credited what the clock allows, of this version only."""
    client = world.signed_in("operator")
    segment = spoken(world, client)
    sha256 = record_of(world, segment).audio.sha256
    form = {"sha256": sha256, "ranges": "0-30"}
    assert world.post(client, f"/bai/{segment}/da-nghe", form).json["heard_s"] == 0
    world.clock.advance(1)
    assert world.post(client, f"/bai/{segment}/da-nghe", form).json["heard_s"] == 6
    world.clock.advance(3)
    nonsense = form | {"ranges": "20-1,-5-3,999999-9999999,a-b," + "1-2," * 3000}
    assert world.post(client, f"/bai/{segment}/da-nghe", nonsense).json["heard_s"] == 6
    other = world.post(client, f"/bai/{segment}/da-nghe", form | {"sha256": "0" * 64})
    assert (other.status_code, other.json["changed"]) == (409, True)


def test_an_approval_keeps_how_much_was_heard(world, mouth):
    """The leader's record says `đã nghe 0:12/0:30`, of the version that was approved."""
    client, leader = world.signed_in("operator"), world.signed_in("approver")
    segment = spoken(world, client)
    hear(world, client, segment)
    world.post(client, f"/bai/{segment}/trinh")
    hear(world, leader, segment, until=12)
    assert "Đã nghe 0:12 / 0:30" in leader.get("/duyet").text
    record = record_of(world, segment)
    form = {"sha256": record.audio.sha256, "revision": record.revision}
    assert world.post(leader, f"/bai/{segment}/duyet", form).status_code == 303

    assert "đã nghe 0:12/0:30" in client.get(f"/bai/{segment}").text
    with world.database.reading() as session:
        assert list(listening.approvals(session, segment).values()) == [(12, 30)]


def test_s33_a_unit_may_want_long_items_heard_whole(world, mouth):
    """S33: what is longer than a unit's limit is not approved until all of it was heard; other units keep theirs."""
    centre, leader = world.signed_in("centre-minhlong"), world.signed_in("approver")
    refused = world.post(centre, "/cai-dat/nghe-het", {"unit": "BADINH", "minutes": "0"})
    assert refused.status_code == 422
    assert world.post(centre, "/cai-dat/nghe-het", {"unit": "LONGHIEP", "minutes": "x"}).status_code == 422
    assert world.post(centre, "/cai-dat/nghe-het", {"unit": "MINHLONG", "minutes": "0"}).status_code == 303
    assert "bài nào cũng nghe hết" in centre.get("/cai-dat/nghe-het").text
    document = world.analysed(world.client())
    segment, form = document["id"], {"sha256": document["sha256"], "revision": document["revision"]}
    world.client().post(f"/api/v1/segments/{segment}/submit", headers=world.token("operator"))
    answer = world.post(leader, f"/bai/{segment}/duyet", form)
    assert (answer.status_code, "phải được nghe hết" in answer.text) == (409, True)
    assert world.post(centre, "/cai-dat/nghe-het", {"unit": "LONGHIEP", "never": "1"}).status_code == 303
    assert world.post(leader, f"/bai/{segment}/duyet", form).status_code == 303
    world.post(centre, "/cai-dat/nghe-het", {"unit": "LONGHIEP", "minutes": "0"})
    second = world.analysed(world.client(), content=b"SOUND 2")
    form = {"sha256": second["sha256"], "revision": second["revision"]}
    world.client().post(f"/api/v1/segments/{second['id']}/submit", headers=world.token("operator"))
    hear(world, leader, second["id"])
    assert world.post(leader, f"/bai/{second['id']}/duyet", form).status_code == 303


def test_an_urgent_notice_airs_when_it_was_wished(world, mouth):
    """Written, spoken, heard, with its time, submitted: the approval alone puts it on air at that time."""
    client, leader = world.signed_in("operator"), world.signed_in("approver")
    segment = spoken(world, client, airs_at="2026-11-23T19:00")
    assert "T2\u00a023/11\u00a019:00" in client.get(f"/bai/{segment}").text
    hear(world, client, segment)
    world.post(client, f"/bai/{segment}/trinh")
    assert "máy phát lúc T2\u00a023/11\u00a019:00 như yêu cầu" in leader.get("/duyet").text
    record = record_of(world, segment)
    form = {"sha256": record.audio.sha256, "revision": record.revision}
    answer = world.post(leader, f"/bai/{segment}/duyet", form, follow_redirects=True)
    assert "Máy sẽ phát lúc 19:00 23/11 như yêu cầu." in answer.text
    with world.database.reading() as session:
        (order,) = one_offs.of_segment(session, segment)
    assert order.station == "LONGHIEP"
    assert order.start.isoformat() == "2026-11-23T12:00:00+00:00"

    world.post(leader, f"/bai/{segment}/hoan-tac")
    world.clock.advance(1)
    world.post(leader, f"/bai/{segment}/duyet", form)
    with world.database.reading() as session:
        first, second = sorted(one_offs.of_segment(session, segment), key=lambda one: one.ordered_at)
    assert first.cancelled_at is not None, "undone with the approval that ordered it"
    assert second.cancelled_at is None


def test_a_wish_that_is_over_is_told(world, mouth):
    """An approval that comes too late says that nothing was ordered."""
    client, leader = world.signed_in("operator"), world.signed_in("approver")
    past = CARD | {"body": BODY, "voice": MOUTH, "act": "speak", "airs_at": "2026-11-23T16:00"}
    assert "Giờ phát phải là một lúc sắp tới." in world.post(client, "/bai/van-ban/moi", past).text
    segment = spoken(world, client, airs_at="2026-11-23T17:05")
    hear(world, client, segment)
    world.post(client, f"/bai/{segment}/trinh")
    world.clock.advance(timedelta(hours=1).total_seconds())
    record = record_of(world, segment)
    form = {"sha256": record.audio.sha256, "revision": record.revision}
    leader = world.signed_in("approver")
    answer = world.post(leader, f"/bai/{segment}/duyet", form, follow_redirects=True)
    assert "chưa xếp lượt phát nào" in answer.text


def test_a_text_that_is_spoken_anew_needs_a_new_approval(world, mouth):
    """Changed words make another sound under the same recording, unheard and unapproved; stale forms change nothing."""
    client = world.signed_in("operator")
    segment = spoken(world, client)
    hear(world, client, segment)
    world.post(client, f"/bai/{segment}/trinh")
    before, script = record_of(world, segment), script_of(world, segment)
    form = CARD | {"body": "Họp lúc 8h.", "voice": MOUTH, "act": "speak", "revision": script.revision}
    only_saved = world.post(client, f"/bai/van-ban/{script.id}", form | {"act": "save"})
    assert (only_saved.status_code, "Hãy bấm Tạo giọng nói" in only_saved.text) == (409, True)
    unspeakable = world.post(client, f"/bai/van-ban/{script.id}", form | {"body": "Họp [giờ]."})
    assert unspeakable.status_code == 409
    assert (record_of(world, segment).state, script_of(world, segment).wording.body) == ("submitted", BODY)
    assert world.post(client, f"/bai/van-ban/{script.id}", form).location.endswith(segment)
    world.intake.start()
    world.wait(client, segment)
    world.intake.stop()
    after = record_of(world, segment)
    assert (after.state, after.audio.sha256 != before.audio.sha256) == ("ready", True)
    assert mouth.said[-1][0] == "Họp lúc tám giờ."
    assert world.post(client, f"/bai/{segment}/trinh").status_code == 409
    assert world.post(client, f"/bai/van-ban/{script.id}", form).status_code == 409


def test_what_cannot_be_spoken_stays_a_text(world, mouth):
    """Places left to fill, an unknown voice, another language, no words, too many: refused, and nothing is lost."""
    client = world.signed_in("operator")
    form = CARD | {"voice": MOUTH, "act": "speak"}
    for changes, words in (
        ({"body": "Mời [thành phần] họp."}, "[thành phần]"),
        ({"body": "Họp", "voice": "piper:../../x"}, "Hãy chọn giọng đọc."),
        ({"body": "Họp", "language": "hre"}, "Máy chỉ đọc được tiếng Việt"),
        ({"body": " . "}, "Hãy viết lời đọc."),
    ):
        answer = world.post(client, "/bai/van-ban/moi", form | changes)
        assert (answer.status_code, words in answer.text) == (409, True), changes
    long = world.post(client, "/bai/van-ban/moi", form | {"body": "a " * 10_001})
    assert (long.status_code, "dài quá 20.000 ký tự" in long.text) == (422, True)
    assert world.post(client, "/bai/van-ban/moi", form | {"title": "", "body": "x"}).status_code == 422
    assert mouth.said == []
    with world.database.reading() as session:
        assert len(scripts.waiting(session, ["LONGHIEP"])) == 4
        assert len(scripts.waiting(session, ["LONGHIEP"], limit=2)) == 2


def test_a_voice_that_fails_is_told_on_the_item(world, mouth, monkeypatch):
    """The words are kept, and the page says what to do."""
    from audio.compose import SpeechUnavailable

    def broken(*_args, **_options):
        raise SpeechUnavailable("no model")

    client = world.signed_in("operator")
    first = spoken(world, client)
    monkeypatch.setattr(mouth, "speak", broken)
    segment = spoken(world, client, body="Lời khác.")
    page = client.get(f"/bai/{segment}").text
    assert "Máy chưa đọc được lời này thành tiếng." in page
    assert "Lời khác." in page
    script = script_of(world, first)
    form = CARD | {"body": "Lời mới.", "voice": MOUTH, "act": "speak", "revision": script.revision}
    world.post(client, f"/bai/van-ban/{script.id}", form)
    world.intake.start()
    world.wait(client, first)
    world.intake.stop()
    assert "Lần tạo giọng nói vừa rồi không thành" in client.get(f"/bai/{first}").text
    hear(world, client, first)
    answer = world.post(client, f"/bai/{first}/trinh")
    assert (answer.status_code, "tiếng và lời có thể khác nhau" in answer.text) == (409, True)


def test_an_upload_is_never_taken_for_words_to_speak(world, mouth):
    """Who uploads the bytes of an order gets them refused as no audio; nothing is spoken."""
    order = b'LOA-SPEECH 1\n{"engine":"voice","voice":"vi","pace":"usual","said":"x"}'
    document = world.analysed(world.client(), content=order)
    assert (document["state"], mouth.said) == ("refused", [])


def test_a_text_is_read_aloud_by_a_person(world, mouth):
    """It is shown in large letters, removed and brought back; what was recorded of it carries its words."""
    client = world.signed_in("operator")
    saved = world.post(client, "/bai/van-ban/moi", CARD | {"body": "Một.\nHai.", "voice": "", "act": "save"})
    script = saved.location.rsplit("/", 1)[1]
    assert "<p>Hai.</p>" in client.get(f"{saved.location}/doc").text
    assert "Họp thôn" in client.get("/bai/van-ban").text
    assert "Hoàn tác" in world.post(client, f"{saved.location}/bo", follow_redirects=True).text
    assert client.get(saved.location).status_code == 404
    world.post(client, f"{saved.location}/lay-lai")
    assert client.get(saved.location).status_code == 200
    document = world.analysed(world.client())
    written = CARD | {"body": "Lời đã đọc.", "act": "save", "bai": document["id"]}
    assert world.post(client, "/bai/van-ban/moi", written).location.endswith(document["id"])
    assert "Lời đã đọc." in client.get(f"/bai/{document['id']}").text
    assert world.post(client, f"/bai/{document['id']}/trinh").status_code == 303, "no machine spoke it"
    assert script_of(world, document["id"]).id != script
    second = world.analysed(world.client(), content=b"SOUND 2")
    assert world.post(client, f"{saved.location}/gan", {"segment": "khong"}).status_code == 422
    assert world.post(client, f"{saved.location}/gan", {"segment": second["id"]}).status_code == 303
    assert script_of(world, second["id"]).id == script


def test_words_beside_an_approved_recording_are_approved_too(world, mouth):
    """Whoever writes or changes the words of an approved item has it approved again: villagers may read them."""
    client = world.signed_in("operator")
    segment = world.approved(world.client())["id"]
    words = CARD | {"body": "Lời đã đọc.", "act": "save", "bai": segment}
    assert world.post(client, "/bai/van-ban/moi", words).status_code == 303
    assert record_of(world, segment).state == "ready"
    world.post(client, f"/bai/{segment}/trinh")
    script = script_of(world, segment)
    form = CARD | {"body": "Lời đã đọc.", "act": "save", "revision": script.revision, "author": "Bà Hoa"}
    world.post(client, f"/bai/van-ban/{script.id}", form)
    assert record_of(world, segment).state == "submitted", "the same words"
    world.post(client, f"/bai/van-ban/{script.id}", form | {"body": "Lời khác.", "revision": script.revision + 1})
    assert record_of(world, segment).state == "ready"


def test_s34_s37_texts_are_only_words(world, mouth):
    """S34, S37: markup and template code in texts, names, remarks and figures are shown as letters everywhere."""
    client = world.signed_in("operator")
    segment = spoken(world, client, title=HOSTILE, body=HOSTILE + " họp", author=HOSTILE)
    script = script_of(world, segment)
    world.post(client, f"/bai/{segment}/gop-y", {"comment": HOSTILE})
    world.post(client, "/bai/mau/sua", {"name": HOSTILE, "body": HOSTILE})
    world.post(client, "/bai/cach-doc", {"written": HOSTILE[:60], "said": HOSTILE})
    figures = {"received": "1", "online": "1", "on_time": "1", "late": "0", "notable": HOSTILE, "act": "script"}
    made = world.post(client, "/bai/mot-cua/2026-W48", figures)
    for path in (
        f"/bai/{segment}",
        f"/bai/van-ban/{script.id}",
        f"/bai/van-ban/{script.id}/doc",
        "/bai/van-ban",
        "/bai/mau",
        "/bai/cach-doc",
        "/bai/mot-cua/2026-W48",
        made.location,
    ):
        text = client.get(path).text
        assert "<script>alert" not in text, path
        assert "49${jndi" not in text, path


def test_remarks_stay_with_the_item(world, mouth):
    """Officer, leader and centre talk about an item; inspectors and sister communes do not join in."""
    officer = world.signed_in("operator")
    segment = spoken(world, officer)
    for name, body in (("approver", "Nói chậm lại."), ("centre-minhlong", "Thêm ví dụ."), ("operator", "Đã sửa.")):
        client = world.signed_in(name)
        answer = world.post(client, f"/bai/{segment}/gop-y", {"comment": body})
        assert answer.status_code == 303
    text = officer.get(f"/bai/{segment}").text
    assert text.index("Nói chậm lại.") < text.index("Thêm ví dụ.") < text.index("Đã sửa.")
    assert world.post(officer, f"/bai/{segment}/gop-y", {"comment": " "}).status_code == 422
    assert world.post(world.signed_in("inspector"), f"/bai/{segment}/gop-y", {"comment": "x"}).status_code == 403
    assert world.post(world.signed_in("operator-longmai"), f"/bai/{segment}/gop-y", {"comment": "x"}).status_code == 404


def test_s2_texts_of_a_sister_commune_are_not_there(world, mouth):
    """S2: another commune's texts, samples, figures and words are not found, whatever is asked."""
    officer, sister = world.signed_in("operator"), world.signed_in("operator-longmai")
    segment = spoken(world, officer)
    script = script_of(world, segment).id
    form = CARD | {"body": "x", "act": "save", "revision": 1, "station": "LONGMAI"}
    for method, path, data in (
        ("get", f"/bai/van-ban/{script}", None),
        ("get", f"/bai/van-ban/{script}/doc", None),
        ("post", f"/bai/van-ban/{script}", form),
        ("post", f"/bai/van-ban/{script}/bo", {}),
        ("post", f"/bai/van-ban/{script}/lay-lai", {}),
        ("post", f"/bai/{segment}/da-nghe", {"sha256": "x"}),
        ("get", f"/bai/van-ban/moi?bai={segment}", None),
        ("get", "/bai/mot-cua/2026-W48?don_vi=LONGHIEP", None),
    ):
        answer = sister.get(path) if method == "get" else world.post(sister, path, data)
        assert answer.status_code == 404, path
    assert world.post(sister, "/bai/van-ban/moi", form | {"station": "LONGHIEP"}).status_code == 422
    inspector = world.signed_in("inspector")
    assert inspector.get(f"/bai/van-ban/{script}").status_code == 200
    assert world.post(inspector, f"/bai/van-ban/{script}", form).status_code == 403


def test_a_word_is_corrected_for_good(world, mouth):
    """What was corrected once is said so from then on, in the unit and below it, until somebody takes it back."""
    centre, officer = world.signed_in("centre-minhlong"), world.signed_in("operator")
    world.post(centre, "/bai/cach-doc", {"written": "XYZ", "said": "ích xì cấp trên"})
    world.post(centre, "/bai/cach-doc", {"written": "VLB", "said": "vê lờ bê"})
    world.post(officer, "/bai/cach-doc", {"written": "XYZ", "said": "ích xì của xã 2"})
    spoken(world, officer, body="XYZ, VLB")
    assert mouth.said[-1][0] == "ích xì của xã hai, vê lờ bê"
    page = officer.get("/bai/cach-doc").text
    assert ("ích xì của xã 2" in page, "ích xì cấp trên" in page, "vê lờ bê" in page) == (True, False, True)
    for wrong in ({"written": "", "said": "x"}, {"written": "x", "said": " . "}, {"written": "x" * 81, "said": "x"}):
        assert world.post(officer, "/bai/cach-doc", wrong).status_code == 422
    world.post(officer, "/bai/cach-doc/bo", {"written": "XYZ"})
    spoken(world, officer, body="XYZ")
    assert mouth.said[-1][0] == "ích xì cấp trên"
    with world.database.reading() as session:
        assert pronunciations.of_unit(session, "LONGHIEP") == {}


FIGURES = {"received": "126", "online": "98", "on_time": "124", "late": "2", "notable": "Khai sinh nhiều nhất."}


def test_weekly_figures_become_a_text(world, mouth):
    """A week is entered beside the last one, and its text says the figures, the shares and the change."""
    client = world.signed_in("operator")
    assert client.get("/bai/mot-cua").location.endswith("/bai/mot-cua/2026-W48")
    before = FIGURES | {"received": "1.000", "online": "0", "act": "save"}
    assert world.post(client, "/bai/mot-cua/2026-W47", before).status_code == 303
    assert "Tuần trước: 1000" in client.get("/bai/mot-cua/2026-W48").text
    answer = world.post(client, "/bai/mot-cua/2026-W48", FIGURES | {"act": "script"})
    script = answer.location.rsplit("/", 1)[1]
    page = client.get(answer.location).text
    for words in (
        "tuần 48, từ ngày 23/11 đến ngày 29/11/2026",
        "126 hồ sơ",
        "77,8%",
        "98,4%",
        "số hồ sơ tiếp nhận giảm 874 hồ sơ",
        "Khai sinh nhiều nhất.",
    ):
        assert words in page
    assert re.search(r'value="DX-ONESTOP" checked', page)
    assert "một trăm hai mươi sáu" in page
    again = FIGURES | {"received": "127", "act": "script", "revision": 1}
    assert world.post(client, "/bai/mot-cua/2026-W48", again).location.endswith(script), "the same text, written anew"
    assert "127 hồ sơ" in client.get(answer.location).text
    with world.database.reading() as session:
        assert onestop.find(session, "LONGHIEP", "2026-W48").script == script


def test_wrong_figures_are_not_kept(world):
    """Letters, more online than received, a stale form, a week that is none, a reader: nothing is saved."""
    client = world.signed_in("operator")
    for changes in ({"received": "x"}, {"late": "-1"}, {"online": "127"}, {"on_time": ""}, {"notable": "a" * 2001}):
        answer = world.post(client, "/bai/mot-cua/2026-W48", FIGURES | {"act": "save"} | changes)
        assert answer.status_code == 422, changes
    assert client.get("/bai/mot-cua/2026-W60").status_code == 404
    world.post(client, "/bai/mot-cua/2026-W48", FIGURES | {"act": "save"})
    assert world.post(client, "/bai/mot-cua/2026-W48", FIGURES | {"act": "save"}).status_code == 409
    assert world.post(world.signed_in("inspector"), "/bai/mot-cua/2026-W48", FIGURES).status_code == 403
    centre = world.signed_in("centre-minhlong")
    assert "Long Mai" in centre.get("/bai/mot-cua/2026-W48?don_vi=LONGMAI").text


def test_samples_begin_a_text(world):
    """Loa's samples and the unit's own fill the form; only one's own are changed, and a copy of Loa's is one's own."""
    client = world.signed_in("operator")
    listed = client.get("/bai/mau").text
    assert listed.count("Mẫu chung") >= 12
    assert "[thành phần mời]" in client.get("/bai/van-ban/moi?mau=mau-thong-bao-hop").text
    assert client.get("/bai/mau/sua?ma=mau-dvc").status_code == 404
    assert client.get("/bai/mau/sua?tu=mau-dvc").status_code == 200
    world.post(client, "/bai/mau/sua", {"name": "Mẫu xã", "body": "Kính mời [ai]", "kind": "tin", "topic": "DX-NAT"})
    page = client.get("/bai/mau?loai=tin&chu_de=DX-NAT").text
    sample = re.search(r"mau/sua\?ma=(\w+)", page).group(1)
    assert world.post(client, "/bai/mau/sua", {"ma": sample, "name": " ", "body": "x"}).status_code == 422
    sister = world.signed_in("operator-longmai")
    assert world.post(sister, "/bai/mau/sua", {"ma": sample, "name": "x", "body": "x"}).status_code == 422
    assert world.post(sister, "/bai/mau/bo", {"ma": sample}).status_code == 404
    assert "Mẫu xã" not in sister.get("/bai/mau").text
    world.post(client, "/bai/mau/bo", {"ma": sample})
    assert "Mẫu xã" not in client.get("/bai/mau").text


def paper(world, client, path: str, content: bytes, **fields):
    """Send the form of a guidance page with a paper."""
    import io

    form = {"csrf_token": world.csrf(client), "title": "Cách ghi âm", "body": "Bước 1.\n\nBước 2."} | fields
    data = form | {"paper": (io.BytesIO(content), '../a"b.pdf')}
    return client.post(path, data=data, content_type="multipart/form-data")


def test_guidance_reaches_the_communes(world):
    """The centre writes, communes below read and download; sister districts see nothing, and nobody runs a paper."""
    centre, officer = world.signed_in("centre-minhlong"), world.signed_in("operator")
    assert "Chưa có hướng dẫn nào." in officer.get("/huong-dan").text
    assert paper(world, centre, "/huong-dan/moi", b"<html>").status_code == 422
    assert paper(world, centre, "/huong-dan/moi", b"%PDF-1.7 x", segment="khong").status_code == 422
    made = paper(world, centre, "/huong-dan/moi", b"%PDF-1.7 x")
    assert made.status_code == 303, made.text
    assert "Mới nhất: “Cách ghi âm”." in officer.get("/huong-dan").text
    assert "Bước 2." in officer.get(made.location).text
    answer = officer.get(f"{made.location}/tep")
    assert (answer.data, answer.mimetype) == (b"%PDF-1.7 x", "application/pdf")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    foreign = world.signed_in("centre-bato") if "centre-bato" in world.people else world.signed_in("operator-bato")
    for path in (made.location, f"{made.location}/tep"):
        assert foreign.get(path).status_code == 404
    assert world.post(officer, f"{made.location}/go").status_code == 403
    changed = world.post(centre, f"{made.location}/sua", {"title": "Mới", "body": "b", "no_paper": "1"})
    assert changed.status_code == 303
    assert officer.get(f"{made.location}/tep").status_code == 404
    assert world.post(centre, f"{made.location}/sua", {"title": "", "body": "b"}).status_code == 422
    assert "Hoàn tác" in world.post(centre, f"{made.location}/go", follow_redirects=True).text
    assert officer.get(made.location).status_code == 404
    world.post(centre, f"{made.location}/lay-lai")
    assert officer.get(made.location).status_code == 200


def test_acts_on_texts_leave_a_trace(world, mouth):
    """Every act of a person stands in the security log."""
    client = world.signed_in("operator")
    segment = spoken(world, client)
    world.post(client, f"/bai/{segment}/gop-y", {"comment": "x"})
    with world.database.reading() as session:
        traced = {entry.what for entry in audit.newest(session)}
    assert {"script.create", "script.speak", "segment.create", "segment.comment"} <= traced
