"""The page of one airing, with its proof and what people say, and the register of faults, as people use them."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import pytest
from nacl.signing import SigningKey

from link.chain import head_message, row_hash
from link.keys import fingerprint, load_or_make, sign
from link.proof import PLANNED, Head, Peaks, Proof, ProofRow, Signed, pack
from schedules.airing import Airing, Evidence, OutputCount, Verdict
from schedules.text import Text
from store import airings, evidence, faults, ledger

SLOT = "LONGHIEP/sang/2026-11-23/cds"
PAGE = f"/nhat-ky/luot/{SLOT}"
ZONE_START = "16:30:00"


@pytest.fixture
def logged(world):
    """A function that puts an airing of half an hour ago into the log."""

    def put(seq=7, **changes):
        start = world.clock.now() - timedelta(minutes=30)
        values = {
            "slot": SLOT,
            "station": "LONGHIEP",
            "kind": "segment",
            "programme": "CDS",
            "segment": None,
            "title": "Tin thôn 1",
            "sha256": "a" * 64,
            "topics": (),
            "planned_start": start,
            "planned_end": start + timedelta(seconds=30),
            "started_at": start,
            "ended_at": start + timedelta(seconds=30),
            "seconds_aired": 30.0,
            "samples_aired": 1_440_000,
            "samples_expected": 1_440_000,
            "bit_exact": True,
            "start_error_s": 0.0004,
            "holes_s": 0.0,
            "parts": (),
            "outputs": (OutputCount(name="main", kind="pulse", samples=1_440_000, grade=Evidence.E1),),
            "verdict": Verdict.AIRED,
            "reason": None,
            "rehearsal": False,
            "evidence": Evidence.E1,
        }
        row = Airing(**(values | changes))
        with world.database.writing() as session:
            airings.record(session, "LONGHIEP", seq, f"{seq:064d}", row)
        return row

    return put


def hear(world, seq=8, **changes):
    """Copy an evidence row of the monitor."""
    body = {"slot": SLOT, "output": "main", "grade": "E2", "share": 0.998, "source": "monitor", "level_dbfs": -18.2}
    with world.database.writing() as session:
        evidence.record(session, "LONGHIEP", seq, "e" * 64, world.clock.now(), body | changes)


def text_of(page: str) -> str:
    """Return what a reader sees."""
    page = re.sub(r"<svg\b.*?</svg>", " ", page, flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def main(answer) -> str:
    """Return what stands in the page's own part."""
    return text_of(re.search(r"<main.*?</main>", answer.text, flags=re.S).group(0))


def proof_of(world, key: SigningKey) -> bytes:
    """Return a small proof of the airing, sealed by that key."""
    body = {"slot": SLOT, "station": "LONGHIEP", "title": "Tin thôn 1"}
    fields = {
        "seq": 7,
        "prev": "0" * 64,
        "time": world.clock.now().isoformat(),
        "monotonic": 1.5,
        "boot": "b",
        "clock": "trusted",
        "kind": "verdict",
        "body": body,
    }
    digest = row_hash(fields)
    signature = sign(key, head_message(7, digest, fields["time"]))
    proof = Proof(
        station="LONGHIEP",
        slot=SLOT,
        made_at=fields["time"],
        verdict=7,
        first=7,
        last=7,
        planned={name: body.get(name) for name in PLANNED},
        rows=(ProofRow(**fields, hash=digest, signed=Signed(time=fields["time"], signature=signature)),),
        head=Head(seq=7, hash=digest, time=fields["time"], signature=signature),
        files=(),
        peaks=Peaks(start=fields["time"], seconds=30.0, approved=(10, 50), aircheck=(9, 49), heard={"main": (0, 3)}),
        key=bytes(key.verify_key).hex(),
    )
    return pack(proof, {}, lambda message: sign(key, message))


def test_the_page_tells_planned_real_verdict_and_how_it_is_known(world, logged):
    """From the log to one airing: both times, what each output counted, what was heard, place in the journal."""
    logged()
    hear(world)
    client = world.signed_in("inspector")
    log = client.get("/nhat-ky")
    assert f'href="{PAGE}"' in log.text
    answer = client.get(PAGE)

    assert answer.headers["Cache-Control"] == "private, no-store"
    shown = main(answer)
    for said in (
        "Đã phát đủ, đúng giờ, đúng bản đã duyệt.",
        "Phát thành công Đã đo đầu ra",
        "16:30:00, T2\u00a023/11".replace("\u00a0", " "),
        "16:30:00,000 đến 16:30:30,000",
        "1.440.000/1.440.000 mẫu, giống từng bit bản đã duyệt",
        "Đo được ở đầu ra “main” khớp 99,8% nội dung, mức −18,2 dBFS, 17:00:00",
        "Số dòng nhật ký 7",
        "Chưa ai xác nhận.",
        "Tải minh chứng",
    ):
        assert said in shown, said
    assert "Tôi đã nghe" not in shown, "an inspector only reads"


@pytest.mark.parametrize(
    ("changes", "heard", "said"),
    [
        ({}, {"share": 0.5, "silent_s": 15.0}, "Nhưng chỉ nghe khớp 50% nội dung, có 15 giây im ở đầu ra."),
        ({}, {"foreign_s": 12.0}, "Nhưng có 12 giây tiếng lạ ở đầu ra."),
        (
            {"verdict": Verdict.MISSED, "samples_aired": 0, "started_at": None, "ended_at": None, "segment": None}
            | {"reason": Text("Mất điện.", "Power cut."), "start_error_s": None, "evidence": Evidence.E0},
            None,
            "Không phát. Mất điện.",
        ),
        ({"start_error_s": 4.0}, None, "Đã phát đủ, trễ 4 giây, đúng bản đã duyệt."),
        ({"samples_aired": 1_425_600, "bit_exact": False}, None, "Đã phát được 99,0%, đúng giờ."),
    ],
)
def test_what_speaks_against_it_is_said_first(world, logged, changes, heard, said):
    """A foreign or silent stretch, a late start or a missed slot stands in the answer line and in the log."""
    logged(**changes)
    if heard:
        hear(world, **heard)
    client = world.signed_in("operator")
    assert said in main(client.get(PAGE))
    doubt = said.removeprefix("Nhưng ").rstrip(".")
    assert heard is None or doubt in main(client.get("/nhat-ky"))


def test_a_person_confirms_from_the_page(world, logged):
    """Two buttons; name and time stand beside the measured grade; the second time there is nothing to press."""
    logged()
    client = world.signed_in("operator")
    assert "Tôi đã nghe" in main(client.get(PAGE))
    answer = world.post(client, f"/nhat-ky/xac-nhan/{SLOT}", {"nghe": "co", "text": "Loa thôn 2 rõ."})
    assert (answer.status_code, answer.location) == (303, PAGE)
    shown = main(client.get(PAGE))

    assert "Người xác nhận: đã nghe Người operator, T2\u00a023/11\u00a017:00" in shown.replace(
        "T2 23/11 17:00", "T2\u00a023/11\u00a017:00"
    )
    assert "“Loa thôn 2 rõ.”" in shown
    assert "Đã đếm mẫu Người xác nhận" in shown
    assert "Tôi đã nghe" not in shown
    again = world.post(client, f"/nhat-ky/xac-nhan/{SLOT}", {"nghe": "khong"})
    assert again.status_code == 422
    assert "Xác nhận không sửa được." in again.text
    other = world.signed_in("approver")
    world.post(other, f"/nhat-ky/xac-nhan/{SLOT}", {"nghe": "khong"})
    assert "Nhưng 1 người không nghe thấy." in main(other.get(PAGE))
    assert world.post(other, f"/nhat-ky/xac-nhan/{SLOT}", {"nghe": "?"}).status_code == 303
    with world.database.reading() as session:
        assert [entry.heard for entry in ledger.of_slot(session, SLOT)] == [True, False]


def test_remarks_are_added(world, logged):
    """By whoever acts there; an empty one is refused in its place."""
    logged()
    client = world.signed_in("centre-minhlong")
    assert world.post(client, f"/nhat-ky/nhan-xet/{SLOT}", {"text": " "}).status_code == 422
    assert world.post(client, f"/nhat-ky/nhan-xet/{SLOT}", {"text": "Đúng nội dung."}).status_code == 303
    assert "“Đúng nội dung.” Người centre-minhlong" in main(client.get(PAGE))


def test_the_proof_is_drawn_and_given_away(world, logged):
    """Both waveforms, the place in the chain and the key; a foreign key shows; without a station it says so."""
    logged()
    client = world.signed_in("inspector")
    part = f"/nhat-ky/minh-chung/{SLOT}"
    assert "Chưa lấy được minh chứng từ máy phát." in client.get(part, headers={"HX-Request": "true"}).text
    assert client.get(f"/nhat-ky/tai-ve/{SLOT}").status_code == 404
    key = load_or_make(world.data / "keys" / "station-LONGHIEP.ed25519")
    world.doors["LONGHIEP"].proofs = {SLOT: proof_of(world, key)}
    alone = client.get(part, headers={"HX-Request": "true"})

    assert "<html" not in alone.text
    assert alone.text.count('<svg class="wave"') == 3
    shown = text_of(alone.text)
    assert "Chuỗi nhật ký nguyên vẹn dòng 7 đến 7, kết quả ở dòng 7" in shown
    assert fingerprint(key.verify_key) in shown
    assert client.get(part).text.count("<h1") == 1
    given = client.get(f"/nhat-ky/tai-ve/{SLOT}")
    assert (given.data, given.headers["Cache-Control"]) == (world.doors["LONGHIEP"].proofs[SLOT], "private, no-store")
    world.doors["LONGHIEP"].proofs = {SLOT: proof_of(world, SigningKey(b"f" * 32))}
    forged = text_of(client.get(part, headers={"HX-Request": "true"}).text)
    assert "Chuỗi nhật ký không khớp" in forged
    assert "Chữ ký không phải của đài LONGHIEP" in forged


def test_other_units_airings_are_not_found(world, logged):
    """Neither page, nor proof, nor a confirmation."""
    logged()
    client = world.signed_in("operator-bato")
    for path in (PAGE, f"/nhat-ky/minh-chung/{SLOT}", f"/nhat-ky/tai-ve/{SLOT}", "/nhat-ky/luot/khong/co"):
        assert client.get(path).status_code == 404, path
    assert world.post(client, f"/nhat-ky/xac-nhan/{SLOT}", {"nghe": "co"}).status_code == 404


def fault(world, seq, station="LONGHIEP", *, minutes=-5, trusted=True, **body):
    """Copy a fault row."""
    row = {
        "code": "output_main",
        "state": "open",
        "message": "Đầu ra “main” đang bị tắt tiếng.",
        "message_en": "Output “main” is muted.",
        "hint": "Kiểm tra dây.",
        "hint_en": "Check the cable.",
        "detail": "muted",
    }
    with world.database.writing() as session:
        faults.record(
            session,
            station,
            seq=seq,
            row_hash="f" * 64,
            at=world.clock.now() + timedelta(minutes=minutes),
            kind="fault",
            trusted=trusted,
            body=row | body,
            now=world.clock.now(),
        )


def test_the_register_tells_what_since_when_why_and_who_knows(world):
    """In an officer's words; what lasts first; ended ones with their end; a time that was not believed says so."""
    fault(world, 1, minutes=-60)
    fault(world, 2, minutes=-58, state="closed")
    fault(world, 3)
    fault(world, 4, minutes=-2, code="clock_step", state="once", message="Đồng hồ máy vừa nhảy giờ.", trusted=False)
    fault(world, 1, "LONGMAI", code="player_down", message="Trình phát không chạy được.")
    client = world.signed_in("centre-minhlong")
    shown = main(client.get("/su-co"))

    assert "2 sự cố đang kéo dài." in shown
    for said in (
        "Đầu ra “main” đang bị tắt tiếng. Đài Long Hiệp · từ T2\u00a023/11\u00a016:55 · 5 phút Kiểm tra dây.",
        "T2\u00a023/11\u00a016:00 đến T2\u00a023/11\u00a016:02 · 2 phút",
        "Người operator (Long Hiệp)",
        "Người centre-minhlong (Minh Long)",
        "detail: muted",
        "giờ chưa tin được",
        "xảy ra một lần",
    ):
        assert " ".join(said.split()) in " ".join(shown.split()), said
    only = main(client.get("/su-co?dang=1&dai=LONGMAI"))
    assert "Trình phát không chạy được." in only
    assert "đang bị tắt tiếng" not in only
    assert "1 sự cố đang kéo dài." in main(world.signed_in("operator").get("/su-co"))
    assert client.get("/su-co?dai=BADINH").status_code == 404


def test_a_long_register_comes_in_pages(world):
    """Fifty a page, none twice."""
    for seq in range(1, 54):
        fault(world, seq, minutes=-seq, code=f"player_hang_{seq}", state="once", message=f"Treo lần {seq}.")
    client = world.signed_in("operator")
    first = client.get("/su-co").text
    more = html.unescape(re.search(r'class="pager"><a class="btn" href="([^"]+)"', first).group(1))
    both = re.findall(r"Treo lần (\d+)\.", first + client.get(more).text)
    assert [int(number) for number in both] == list(range(1, 54))


def test_an_airing_that_was_not_whole_is_called_good_nowhere(world, logged):
    """What was heard adds to a verdict that is bad already, and an output that lacks samples is not “Đạt”."""
    count = OutputCount(name="main", kind="pulse", samples=700_000, grade=Evidence.E1)
    logged(verdict=Verdict.PARTIAL, reason=Text("Mất điện.", "Power cut."), samples_aired=700_000, outputs=(count,))
    hear(world, share=0.5, silent_s=15.0)

    said = main(world.signed_in("inspector").get(PAGE))

    assert "Ghi nhận thêm: chỉ nghe khớp 50% nội dung" in said
    assert "Nhưng" not in said
    assert re.search(r"\bĐạt\b", said) is None


def test_a_talk_is_not_blamed_for_having_nothing_to_compare_with(world, logged):
    """There is no approved recording of it: its level was measured, and neither failed nor matched."""
    logged(sha256=None, bit_exact=False)
    hear(world, share=None, matched_s=0.0, silent_s=0.0, offset_ms=None)

    said = main(world.signed_in("inspector").get(PAGE))

    assert "Chỉ đo mức tiếng" in said
    assert "Không đạt" not in said
    assert "bản đã duyệt" not in said.partition("Vì sao ghi")[2]


@pytest.mark.parametrize("role", ["operator", "inspector"])
def test_the_pages_are_sound_in_both_languages(world, logged, role):
    """One heading, unique ids, labelled fields, nothing inline; English readers read English."""
    logged(verdict=Verdict.PARTIAL, reason=Text("Mất điện.", "Power cut."), samples_aired=700_000, holes_s=2.0)
    hear(world, share=0.4, silent_s=3.0, foreign_s=2.0, offset_ms=12.0)
    hear(world, seq=9, grade="E3", share=None, matched_s=20.0, source="sensor")
    fault(world, 20)
    key = load_or_make(world.data / "keys" / "station-LONGHIEP.ed25519")
    world.doors["LONGHIEP"].proofs = {SLOT: proof_of(world, key)}
    world.post(world.signed_in("approver"), f"/nhat-ky/xac-nhan/{SLOT}", {"nghe": "co"})
    client = world.signed_in(role)
    for path in (PAGE, f"/nhat-ky/minh-chung/{SLOT}", "/su-co"):
        page = client.get(path).text
        assert page.count("<h1") == 1, path
        ids = re.findall(r'\sid="([^"]+)"', page)
        assert len(ids) == len(set(ids)), path
        assert not re.search(r"\s(style|on[a-z]+)\s*=|<style\b|<script(?![^>]*\bsrc=)", page), path
        for field in re.findall(r"<(?:input|select)\b[^>]*>", page):
            name = re.search(r'\sid="([^"]+)"', field)
            assert 'type="hidden"' in field or (name and f'for="{name.group(1)}"' in page), (path, field)
        english = text_of(client.get(path, query_string={"lang": "en"}).text)
        for name in ("Đài Long Hiệp", "Long Hiệp", "Minh Long", "Chuyển đổi số", "Tin thôn 1", "Tiếng Việt"):
            english = english.replace(name, " ")
        english = re.sub(r"Người [a-z0-9-]+", " ", english)
        left = re.findall(r"\S*[ăâđêôơưạảấầẩẫậắằẵặẹẻếềểễệịỉọỏốồổộớờởợụủứừửựỳ]\S*", english, flags=re.I)
        assert not left, (path, left[:10])
        client.get(path, query_string={"lang": "vi"})


def test_lasting_faults_are_told_on_every_page(world):
    """Whoever the register says was told sees their number beside the menu's word, wherever they are."""
    client = world.signed_in("operator")
    assert "Đang kéo dài:" not in client.get("/them").text
    fault(world, 1)
    fault(world, 1, "LONGMAI")
    assert re.search(
        r"Sự cố<span class=\"n\"><span class=\"sr\">Đang kéo dài: </span>1</span>", client.get("/them").text
    )
