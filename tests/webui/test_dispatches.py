"""Sending down: from the centre's tick list to the verdict row of each commune, everything told by facts."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from datetime import time, timedelta

import pytest
from webui_fakes import FakeDoor

from house.looking import Looker
from schedules.airing import Airing, Evidence, OutputCount, Verdict
from schedules.grid import ItemKind, SessionItem, SessionRule
from store import airings, dispatches, sessions, tables
from store.intent import load_intent, load_part


@pytest.fixture
def item(world, client):
    """An approved item of the centre's own library."""
    document = world.analysed(client, "centre-minhlong", station=None, unit="MINHLONG", title="Phòng chống bão")
    segment = document["id"]
    headers = world.token("centre-minhlong")
    assert client.post(f"/api/v1/segments/{segment}/submit", headers=headers).status_code == 200
    approver = world.token("approver-minhlong")
    body = {"sha256": document["sha256"], "revision": document["revision"]}
    assert client.post(f"/api/v1/segments/{segment}/approve", json=body, headers=approver).status_code == 200
    return segment


@pytest.fixture
def centre(world):
    """A browser of the centre."""
    return world.signed_in("centre-minhlong")


@pytest.fixture
def commune(world):
    """A browser of the officer of Long Hiệp."""
    return world.signed_in("operator")


def form(world, item, **more):
    """Return the form of a sending to everybody, due in five days."""
    due = (world.clock.now() + timedelta(days=5)).strftime("%Y-%m-%dT20:00")
    return {"segment": item, "where": "all", "must": "0", "priority": "normal", "deadline": due} | more


def sent(world, centre, item, **more) -> str:
    """Send the item and return the id of the sending."""
    answer = world.post(centre, "/gui/moi", form(world, item, **more))
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"].rsplit("/", 1)[1]


def evening(world, code="LONGHIEP") -> None:
    """Give a station a session at 18:00 every day, in which the bulletin has a place."""
    with world.database.writing() as session:
        rule = SessionRule(
            id="chieu",
            station=code,
            name="Buổi chiều",
            weekdays=(1, 2, 3, 4, 5, 6, 7),
            starts=(time(18),),
            length_s=1800,
            items=(SessionItem(id="a", kind=ItemKind.SEGMENT, programme="BANTIN"),),
            since=world.clock.now() - timedelta(days=1),
        )
        sessions.publish(session, rule, world.clock.now())


def aired(world, segment, *, code="LONGHIEP", verdict=Verdict.AIRED, seq=1) -> str:
    """Write the row of an airing of the recording and return its slot."""
    now = world.clock.now()
    slot = f"{code}/x/{seq}"
    samples = 48_000 * 30 if verdict is Verdict.AIRED else 0
    row = Airing(
        slot=slot,
        station=code,
        kind="segment",
        programme="CDS",
        segment=segment,
        title="Phòng chống bão",
        sha256="0" * 64,
        topics=("DX-CYBER",),
        planned_start=now,
        planned_end=now + timedelta(seconds=30),
        started_at=now if samples else None,
        ended_at=now + timedelta(seconds=30) if samples else None,
        seconds_aired=samples / 48_000,
        samples_aired=samples,
        samples_expected=48_000 * 30,
        bit_exact=bool(samples),
        start_error_s=0.0 if samples else None,
        holes_s=0.0,
        parts=(),
        outputs=(OutputCount(name="main", kind="virtual", samples=samples, grade=Evidence.E1),),
        verdict=verdict,
        reason=None,
        rehearsal=True,
        evidence=Evidence.E1 if samples else Evidence.E0,
    )
    with world.database.writing() as session:
        airings.record(session, code, seq, "h" * 64, row)
    return slot


def looked(world) -> None:
    """Look at the stations as the house does every minute, each with its plan of the next day at hand."""
    looker = Looker(database=world.database, doors=world.doors, clock=world.clock)
    for door in world.doors.values():
        now = world.clock.now()
        plan = door.plan(now, now + timedelta(days=1))
        told = replace(FakeDoor.status(door), revision=100, ahead=plan.items, duties=plan.duties)
        door.status = lambda told=told: told
    looker.look()


def test_an_item_goes_from_sent_to_aired_and_every_step_is_a_fact(world, centre, commune, item):
    """Sent, received by a named person, in the real plan, in the air log: the matrix follows each, and CSV has it."""
    evening(world)
    dispatch = sent(world, centre, item, must="1", document="Công văn 12", note="Phát trước bão")
    assert "0/2 đài đã phát." in centre.get(f"/gui/{dispatch}").text
    assert "2 đài chưa nhận." in centre.get(f"/gui/{dispatch}").text

    assert "Bài cấp trên gửi: Phòng chống bão" in commune.get("/?dai=LONGHIEP").text
    page = commune.get(f"/gui/{dispatch}/LONGHIEP").text
    assert "Phát trước bão" in page
    assert "Đã xếp lịch T2" in page, "the station's own plan has it already"
    assert world.post(commune, f"/gui/{dispatch}/LONGHIEP/nhan").status_code == 303
    looked(world)
    matrix = centre.get(f"/gui/{dispatch}").text
    assert "Người operator" in matrix
    assert "máy đài đã tải" in matrix
    assert "Đã xếp lịch" in matrix

    slot = aired(world, item)
    looked(world)
    matrix = centre.get(f"/gui/{dispatch}").text
    assert "1/2 đài đã phát." in matrix
    assert f'href="/nhat-ky/{slot}"' in matrix or slot in matrix
    rows = list(csv.reader(io.StringIO(centre.get(f"/gui/{dispatch}/bang.csv").text.lstrip("\ufeff"))))
    assert [row[12] for row in rows[1:]] == ["Đã xếp lịch", "Đã phát"] or rows[2][12] == "Đã phát"
    assert "Bài cấp trên gửi: Phòng chống bão" not in commune.get("/?dai=LONGHIEP").text


def test_three_taps_use_it_for_this_weeks_duty(world, centre, commune, item):
    """Choose, listen, use: the duty's next place takes it before the commune's own newer item."""
    own = world.approved(world.client(), title="Bài của xã")
    world.clock.advance(60)
    with world.database.writing() as session:
        rule = SessionRule(
            id="toi",
            station="LONGHIEP",
            name="Buổi tối",
            weekdays=(1, 2, 3, 4, 5, 6, 7),
            starts=(time(19),),
            length_s=1800,
            items=(SessionItem(id="a", kind=ItemKind.SEGMENT, programme="CDS"),),
            since=world.clock.now() - timedelta(days=1),
        )
        sessions.publish(session, rule, world.clock.now())
    door = world.doors["LONGHIEP"]

    def first() -> str:
        now = world.clock.now()
        return next(one.segment for one in door.plan(now, now + timedelta(days=1)).items if one.segment)

    dispatch = sent(world, centre, item)
    assert first() == own["id"]
    page = commune.get("/?dai=LONGHIEP").text
    target = re.search(rf'href="(/gui/{dispatch}/LONGHIEP)"', page).group(1)
    assert "Dùng cho tuần này" in commune.get(target).text
    assert world.post(commune, f"{target}/dung").status_code == 303
    assert first() == item
    page = commune.get(target).text
    assert "Người operator đã chọn bài này cho tuần này." in page
    assert "Xã đã nhận" in page
    assert world.post(commune, f"{target}/thoi-dung").status_code == 303
    assert first() == own["id"]


def test_an_item_of_another_programme_becomes_the_communes_own_card(world, centre, commune, client):
    """The duty asks for its programme: the commune gets a card of the same approved sound, and its airing counts."""
    document = world.analysed(client, "centre-minhlong", station=None, unit="MINHLONG", programme="BANTIN")
    headers = world.token("centre-minhlong")
    client.post(f"/api/v1/segments/{document['id']}/submit", headers=headers)
    body = {"sha256": document["sha256"], "revision": document["revision"]}
    client.post(f"/api/v1/segments/{document['id']}/approve", json=body, headers=world.token("approver-minhlong"))
    dispatch = sent(world, centre, document["id"])
    assert world.post(commune, f"/gui/{dispatch}/LONGHIEP/dung").status_code == 303
    with world.database.reading() as session:
        (receipt,) = dispatches.receipts(session, [dispatch], stations=["LONGHIEP"])[dispatch]
        copy = session.execute(tables.segment.select().where(tables.segment.c.id == receipt.copy)).one()
    assert (copy.owner, copy.programme, copy.origin, copy.state) == ("LONGHIEP", "CDS", "above", "approved")
    assert copy.sha256 == document["sha256"]
    aired(world, receipt.copy)
    looked(world)
    assert "1/2 đài đã phát." in centre.get(f"/gui/{dispatch}").text


def test_what_must_be_carried_is_only_objected_to(world, centre, commune, item):
    """The commune gives its reason, the station goes on owing it, the centre decides."""
    evening(world)
    dispatch = sent(world, centre, item, must="1")
    here = f"/gui/{dispatch}/LONGHIEP"

    def owed() -> list[str]:
        now = world.clock.now()
        return [one.duty for one in world.doors["LONGHIEP"].plan(now, now).duties if one.duty.startswith("GUI-")]

    assert len(owed()) == 1
    assert "Hãy ghi lý do" in world.post(commune, f"{here}/khong-phat", {"reason": " "}, follow_redirects=True).text
    world.post(commune, f"{here}/khong-phat", {"reason": "Loa hỏng cả xã"})
    matrix = centre.get(f"/gui/{dispatch}").text
    assert "1 đài báo không phát được." in matrix
    assert "Loa hỏng cả xã" in matrix
    assert len(owed()) == 1, "an objection alone frees nobody"
    world.post(commune, f"{here}/phat-lai")
    assert "1 đài báo không phát được." not in centre.get(f"/gui/{dispatch}").text
    world.post(commune, f"{here}/khong-phat", {"reason": "Loa hỏng cả xã"})
    world.post(centre, f"{here}/mien")
    assert owed() == []
    assert "Được miễn phát" in centre.get(f"/gui/{dispatch}").text


def test_a_deadline_that_passes_is_missed_or_unused(world, centre, item):
    """What had to air is missed, what was free was not used; and a late airing is an airing."""
    must = sent(world, centre, item, where="some", stations=["LONGHIEP"], must="1")
    free = sent(world, centre, item, where="some", stations=["LONGMAI"])
    world.clock.advance(6 * 86_400)
    world.sign_in(centre, "centre-minhlong")
    assert "1 đài quá hạn mà không phát." in centre.get(f"/gui/{must}").text
    assert "Hết hạn, không dùng" in centre.get(f"/gui/{free}").text
    aired(world, item)
    looked(world)
    assert "1/1 đài đã phát." in centre.get(f"/gui/{must}").text


def test_a_recalled_item_is_owed_nowhere(world, centre, commune, item):
    """Recalling takes it out of every plan; the communes cannot act on it any more."""
    dispatch = sent(world, centre, item, must="1")
    world.post(centre, f"/gui/{dispatch}/rut-lai", {"reason": "Gửi nhầm bản cũ"})
    with world.database.reading() as session:
        assert [d for d in load_intent(session, world.clock.now(), demo=True).duties if "GUI-" in d.code] == []
    assert "Gửi nhầm bản cũ" in centre.get(f"/gui/{dispatch}").text
    answer = world.post(commune, f"/gui/{dispatch}/LONGHIEP/nhan", follow_redirects=True).text
    assert "Đơn vị gửi đã rút bài này lại" in answer


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"deadline": ""}, "Hãy chọn hạn phát."),
        ({"deadline": "2026-11-23T17:10"}, "Hạn phát phải sau bây giờ"),
        ({"where": "some"}, "Hãy chọn ít nhất một xã"),
        ({"document": "x" * 201}, "Số văn bản dài quá 200 ký tự."),
        ({"note": "x" * 1001}, "Lời dặn dài quá 1000 ký tự."),
    ],
)
def test_a_wrong_form_says_what_is_wrong_and_keeps_what_was_written(world, centre, item, change, words):
    """Nothing is sent; the sentence stands beside its field."""
    answer = world.post(centre, "/gui/moi", form(world, item, **change))
    assert answer.status_code == 422
    assert words in answer.text
    with world.database.reading() as session:
        assert dispatches.listing(session, owners=["MINHLONG"]) == ()


def test_the_same_item_is_not_sent_twice_to_one_commune(world, centre, item):
    """Who has it already is left out; where all have it, the page says so."""
    sent(world, centre, item, where="some", stations=["LONGHIEP"])
    second = sent(world, centre, item)
    assert "0/1 đài đã phát." in centre.get(f"/gui/{second}").text
    again = world.post(centre, "/gui/moi", form(world, item))
    assert "đều đang có bài này" in again.text


def test_s2_sendings_of_others_do_not_exist(world, centre, item):
    """S2: a foreign unit finds neither the sending nor a commune's receipt; a sister commune not that of the other."""
    dispatch = sent(world, centre, item, where="some", stations=["LONGHIEP"])
    foreign = world.signed_in("centre-bato")
    sister = world.signed_in("operator-longmai")
    for path in (f"/gui/{dispatch}", f"/gui/{dispatch}/LONGHIEP", f"/gui/{dispatch}/bang.csv"):
        assert foreign.get(path).status_code == 404, path
        assert sister.get(path).status_code == 404, path
    for act in ("nhan", "dung", "thoi-dung", "khong-phat", "phat-lai"):
        assert world.post(foreign, f"/gui/{dispatch}/LONGHIEP/{act}", {"reason": "x"}).status_code == 404
        assert world.post(sister, f"/gui/{dispatch}/LONGHIEP/{act}", {"reason": "x"}).status_code == 404
        assert world.post(sister, f"/gui/{dispatch}/LONGMAI/{act}", {"reason": "x"}).status_code == 404
    assert world.post(foreign, f"/gui/{dispatch}/LONGHIEP/mien").status_code == 404
    assert world.post(foreign, f"/gui/{dispatch}/rut-lai", {"reason": "x"}).status_code == 404
    assert "Phòng chống bão" not in foreign.get("/gui").text
    wanted = form(world, item, where="some", stations=["BADINH"])
    assert world.post(centre, "/gui/moi", wanted).status_code == 404
    assert world.post(foreign, "/gui/moi", form(world, item)).status_code == 404


def test_s7_an_inspector_sees_sendings_and_changes_none(world, centre, item):
    """S7: the inspector reads the matrix; every act is refused."""
    dispatch = sent(world, centre, item)
    inspector = world.signed_in("inspector-minhlong")
    assert "Phòng chống bão" in inspector.get("/gui").text
    assert inspector.get(f"/gui/{dispatch}/LONGHIEP").status_code == 200
    for act in ("nhan", "dung", "khong-phat", "mien"):
        assert world.post(inspector, f"/gui/{dispatch}/LONGHIEP/{act}", {"reason": "x"}).status_code == 403
    assert world.post(inspector, f"/gui/{dispatch}/rut-lai", {"reason": "x"}).status_code == 403
    assert world.post(inspector, "/gui/moi", form(world, item)).status_code == 403


def test_s36_what_people_write_is_shown_and_never_run(world, centre, commune, client):
    """S36: a title, a note, a reason with markup or a formula is text on the page and text in a spreadsheet."""
    document = world.analysed(
        client, "centre-minhlong", station=None, unit="MINHLONG", title="=cmd|' /C calc'!A0<script>alert(1)</script>"
    )
    client.post(f"/api/v1/segments/{document['id']}/submit", headers=world.token("centre-minhlong"))
    body = {"sha256": document["sha256"], "revision": document["revision"]}
    client.post(f"/api/v1/segments/{document['id']}/approve", json=body, headers=world.token("approver-minhlong"))
    dispatch = sent(world, centre, document["id"], note="<img src=x onerror=alert(1)>")
    world.post(commune, f"/gui/{dispatch}/LONGHIEP/khong-phat", {"reason": "@SUM(1)<b>x</b>"})
    for page in (centre.get(f"/gui/{dispatch}").text, commune.get(f"/gui/{dispatch}/LONGHIEP").text):
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "<b>x</b>" not in page
    rows = list(csv.reader(io.StringIO(centre.get(f"/gui/{dispatch}/bang.csv").text.lstrip("\ufeff"))))
    cells = [cell for row in rows[1:] for cell in row]
    assert any(cell.startswith("'=cmd") for cell in cells)
    assert any(cell.startswith("'@SUM") for cell in cells)


def test_the_parts_of_the_intent_and_the_api_know_it_as_the_whole_does(world, centre, item):
    """A station's part holds the same duty and priority as the whole; the list of duties keeps to what people set."""
    sent(world, centre, item, must="1", priority="priority", where="some", stations=["LONGHIEP"])
    now = world.clock.now()
    with world.database.reading() as session:
        whole = load_intent(session, now, demo=True)
        parts = {code: load_part(session, [code], now, demo=True) for code in ("LONGHIEP", "LONGMAI")}
    for code, part in parts.items():
        assert [one.priority for one in part.segments] == [one.priority for one in whole.segments], code
        mine = [duty.code for duty in part.duties if duty.code.startswith("GUI-")]
        assert len(mine) == (code == "LONGHIEP")
    rows = centre.get("/api/v1/duties").json
    assert {row["duty"] for row in rows} == {"CDS"}
