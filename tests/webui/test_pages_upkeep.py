"""Equipment pages: the story of a broken cluster, who may do what about it, and the register as a table."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from schedules.airing import Verdict
from schedules.station import ClusterGroup
from schedules.upkeep import Trouble
from store import stations, steps, tickets
from store.steps import Subject


@pytest.fixture
def world(world):
    """The authority with three clusters at one station."""
    with world.database.writing() as session:
        station = stations.find(session, "LONGHIEP")
        groups = (ClusterGroup(code="GOTRANH", name="Gò Tranh"), ClusterGroup(code="HALIET", name="Hà Liệt"))
        stations.save(session, replace(station, groups=groups))
    return world


def reported(world, **fields):
    """Report a loudspeaker through a link and return the ticket."""
    values = {"station": "LONGHIEP", "cluster": "GOTRANH", "what": "Loa không kêu", "place": "", "picture": None}
    values |= {"phone": "0905 123 456", "link": "abc", "now": world.clock.now()}
    with world.database.writing() as session:
        return tickets.report(session, **(values | fields))


def now_is(world, ticket):
    """Return the ticket as it is now."""
    with world.database.reading() as session:
        return tickets.find(session, ticket.id)


def test_a_broken_cluster_from_link_to_acceptance(world):
    """Reported, assigned, repaired, returned, repaired again, accepted by somebody else; all of it in its story."""
    ticket = reported(world)
    officer = world.signed_in("operator")
    leader = world.signed_in("approver")
    base = f"/thiet-bi/phieu/{ticket.id}"
    shown = officer.get("/thiet-bi")
    assert "1/2 cụm loa tốt." in shown.text
    assert "0905 123 456" in officer.get(base).text
    assert world.post(officer, f"{base}/giao", {"repairer": "Điện tử An Phú", "due": "2026-11-25"}).status_code == 303
    assert world.post(officer, f"{base}/sua-xong", {"done": "Thay cầu chì", "cost": "1.250.000"}).status_code == 303
    refused = world.post(officer, f"{base}/nghiem-thu", {})
    assert refused.status_code == 403
    assert world.post(leader, f"{base}/tra-lai", {"text": "Vẫn rè"}).status_code == 303
    assert world.post(leader, f"{base}/nghiem-thu", {}).status_code == 409
    world.post(officer, f"{base}/sua-xong", {"done": "Thay tăng âm"})
    assert world.post(leader, f"{base}/nghiem-thu", {"text": "Nghe rõ"}).status_code == 303

    text = leader.get(base).text
    known = now_is(world, ticket)
    assert (known.state.value, known.returned, known.silent_until) == ("accepted", 1, world.clock.now())
    for words in ("Điện tử An Phú, hạn", "Thay cầu chì", "chi phí 1.250.000 đồng", "Vẫn rè", "Nghe rõ"):
        assert words in text
    assert "2/2 cụm loa tốt." in officer.get("/thiet-bi").text


def test_who_repaired_does_not_accept(world):
    """A leader who reported the repair, or was given it, leaves the acceptance to another leader."""
    ticket = reported(world)
    leader = world.signed_in("approver")
    base = f"/thiet-bi/phieu/{ticket.id}"
    world.post(leader, f"{base}/sua-xong", {"done": "Cắm lại điện"})

    assert world.post(leader, f"{base}/nghiem-thu", {}).status_code == 403
    assert "nên người khác nghiệm thu" in leader.get(base).text
    assert world.post(world.signed_in("approver2"), f"{base}/nghiem-thu", {}).status_code == 303


def test_s2_a_foreign_commune_sees_and_does_nothing(world):
    """S2: tickets, devices, complaints and inspections of another commune are not there, by whatever id."""
    ticket = reported(world)
    stranger = world.signed_in("approver-longmai")
    base = f"/thiet-bi/phieu/{ticket.id}"
    for path in (base, f"{base}/don-doc", f"{base}/anh/1", "/thiet-bi?dai=LONGHIEP", "/thiet-bi/may?dai=LONGHIEP"):
        assert stranger.get(path).status_code == 404, path
    for act in ("giao", "sua-xong", "nghiem-thu", "tra-lai", "mo-lai", "ghi", "don-doc"):
        assert world.post(stranger, f"{base}/{act}", {"due": "2026-11-25", "text": "x", "done": "x"}).status_code == 404
    where = {"where": "LONGHIEP GOTRANH", "trouble": "silent", "what": "x"}
    assert world.post(stranger, "/thiet-bi/phieu/moi", where).status_code == 404
    assert world.post(stranger, "/kiem-tra/tu-kiem-tra", {"dai": "LONGHIEP"}).status_code == 404
    assert world.post(stranger, "/phan-anh/moi", {"where": "LONGHIEP", "text": "x"}).status_code == 404
    assert now_is(world, ticket).state.value == "open"


def test_s7_an_inspector_reads_only(world):
    """S7: an inspector opens every page about equipment and changes nothing on any."""
    ticket = reported(world)
    inspector = world.signed_in("inspector")
    for path in ("/thiet-bi", "/thiet-bi/phieu", f"/thiet-bi/phieu/{ticket.id}", "/thiet-bi/may", "/thiet-bi/vat-tu"):
        assert inspector.get(path).status_code == 200, path
    for path in ("/kiem-tra", "/phan-anh", "/giao-viec", "/thiet-bi/may.csv", "/thiet-bi/may.xlsx"):
        assert inspector.get(path).status_code == 200, path
    for rule in world.app.url_map.iter_rules():
        if "POST" in rule.methods and re.match("/(thiet-bi|kiem-tra|phan-anh|giao-viec)", rule.rule):
            path = re.sub("<[^>]*>", ticket.id, rule.rule)
            assert world.post(inspector, path, {"dai": "LONGHIEP"}).status_code == 403, path


def test_s4_fields_that_no_form_has_change_nothing(world):
    """S4: state, station, number and origin cannot be posted."""
    officer = world.signed_in("operator")
    extra = {"state": "accepted", "accepted_by": "x", "station": "LONGMAI", "number": "99", "origin": "system"}
    where = {"where": "LONGHIEP GOTRANH", "trouble": "weak", "what": "Rè"}
    answer = world.post(officer, "/thiet-bi/phieu/moi", where | extra)
    with world.database.reading() as session:
        made = tickets.find(session, answer.location.rsplit("/", 1)[1])

    assert (made.station, made.state.value, made.number, made.origin.value) == ("LONGHIEP", "open", 1, "staff")
    assert made.trouble is Trouble.WEAK


def test_urging_takes_two_clicks_and_is_counted(world):
    """The words are ready; sending them is queued for officers and leaders and stands in the story."""
    ticket = reported(world)
    centre = world.signed_in("centre-minhlong")
    page = centre.get(f"/thiet-bi/phieu/{ticket.id}/don-doc").text
    text = re.search(r"<textarea[^>]*>(.*?)</textarea>", page, re.S).group(1)
    assert "PBH-0001" in text

    sent = world.post(centre, f"/thiet-bi/phieu/{ticket.id}/don-doc", {"text": text}, follow_redirects=True)

    assert "Đã gửi đôn đốc tới 4 người." in sent.text
    assert now_is(world, ticket).urged == 1
    assert world.post(world.signed_in("operator"), f"/thiet-bi/phieu/{ticket.id}/don-doc", {}).status_code == 403


XSS = "<script>alert(1)</script>"


def test_s34_what_people_write_is_shown_as_text(world):
    """S34: words of strangers, repairers, residents and devices are escaped on every page that shows them."""
    ticket = reported(world, what=XSS, name=XSS, cluster="", place=XSS)
    officer = world.signed_in("operator")
    base = f"/thiet-bi/phieu/{ticket.id}"
    world.post(officer, f"{base}/ghi", {"text": XSS})
    world.post(officer, f"{base}/giao", {"repairer": XSS, "due": "2026-12-01"})
    world.post(officer, f"{base}/sua-xong", {"done": XSS, "by": XSS, "parts": XSS})
    device = {
        "cluster": "LONGHIEP GOTRANH",
        "code": "TA-1",
        "kind": "amplifier",
        "name": XSS,
        "maker": XSS,
        "note": XSS,
    }
    made = world.post(officer, "/thiet-bi/may/moi", device)
    world.post(officer, "/thiet-bi/vat-tu", {"station": "LONGHIEP", "name": XSS, "quantity": "2"})
    wish = {"where": "LONGHIEP", "text": XSS, "sender": XSS, "contact": XSS}
    complaint = world.post(officer, "/phan-anh/moi", wish)
    world.post(officer, "/giao-viec/moi", {"station": "LONGHIEP", "title": XSS, "assignee_name": XSS, "note": XSS})
    pages = [base, made.location, complaint.location, "/thiet-bi", "/thiet-bi/phieu", "/thiet-bi/may"]
    for path in (*pages, "/thiet-bi/vat-tu", "/phan-anh", "/giao-viec", f"{base}/don-doc"):
        shown = world.signed_in("approver").get(path)
        assert shown.status_code == 200, path
        assert "<script>alert" not in shown.text, path


def test_s36_hostile_filters_and_marks_are_only_words(world):
    """S36: whatever stands in the address is compared, never executed; nonsense shows the list."""
    reported(world)
    officer = world.signed_in("operator")
    for bad in ("' OR 1=1--", "1; DROP TABLE ticket", "%", "_", "\0", '{"a":1}', "2026-13-45~x", "x~y~z"):
        names = dict.fromkeys(("sau", "xem", "loai", "tinh_trang", "ve", "cum", "cua_toi"), bad)
        for path in ("/thiet-bi/phieu", "/thiet-bi/may", "/phan-anh", "/giao-viec", "/thiet-bi"):
            assert officer.get(path, query_string=names).status_code == 200, (path, bad)
    with world.database.reading() as session:
        assert tickets.count_open(session, ("LONGHIEP",)) == 1


DEVICE = {"cluster": "LONGHIEP GOTRANH", "code": "TA-01", "kind": "amplifier", "name": "Tăng âm nhà văn hóa"}


def test_a_device_keeps_what_it_was(world):
    """Its record names what changed, from what to what, and by whom; two people do not overwrite each other."""
    officer = world.signed_in("operator")
    made = world.post(officer, "/thiet-bi/may/moi", DEVICE | {"latitude": "14,9163", "longitude": "108,7"})
    assert made.status_code == 303, made.text
    path = made.location
    change = {"cluster": "HALIET", "code": "TA-01", "kind": "amplifier", "state": "broken", "revision": "1"}
    assert world.post(officer, path, change).status_code == 303
    late = world.post(officer, path, change | {"state": "weak"})
    text = officer.get(path).text

    assert (late.status_code, "vừa được người khác sửa" in late.text) == (422, True)
    assert "Cụm loa: Gò Tranh → Hà Liệt" in text
    assert "Tình trạng: Đang dùng tốt → Hỏng" in text
    where = {"where": "LONGHIEP GOTRANH", "what": "Cháy", "device": path.rsplit("/", 1)[1]}
    assert world.post(officer, "/thiet-bi/phieu/moi", where).status_code == 303
    assert "PBH-0001" in officer.get(path).text
    assert world.post(officer, "/thiet-bi/phieu/moi", where | {"device": "khongco"}).status_code == 422
    assert world.post(officer, "/thiet-bi/may/moi", DEVICE).status_code == 422
    wrong = world.post(officer, "/thiet-bi/may/moi", DEVICE | {"code": "=1", "latitude": "95", "in_service": "x"})
    assert [f'id="e-{name}"' in wrong.text for name in ("code", "latitude", "in_service")] == [True] * 3


FORMULA = "=cmd|'/C calc'!A0"


def test_s38_the_register_goes_out_and_comes_back_without_formulas(world):
    """S38: a name that a spreadsheet would calculate is text in CSV and XLSX, and the round trip keeps it."""
    from openpyxl import load_workbook

    officer = world.signed_in("operator")
    world.post(officer, "/thiet-bi/may/moi", DEVICE | {"name": FORMULA, "latitude": "14.9", "longitude": "-1"})
    comma = officer.get("/thiet-bi/may.csv")
    book = officer.get("/thiet-bi/may.xlsx")
    assert f"'{FORMULA}" in comma.text
    assert not re.search(r'(^|,)"?[=+@]', comma.text, re.M)
    cells = [cell for row in load_workbook(io.BytesIO(book.data)).active.iter_rows() for cell in row]
    assert all(cell.data_type != "f" for cell in cells)
    assert FORMULA in [cell.value for cell in cells]
    for content, name in ((comma.data, "a.csv"), (book.data, "a.xlsx")):
        back = world.post(officer, "/thiet-bi/may/nhap", {"table": (io.BytesIO(content), name)}, follow_redirects=True)
        assert "Đã nhập: 0 thiết bị mới, 0 thiết bị có thay đổi." in back.text, back.text[-3000:]


def test_a_table_with_one_wrong_row_changes_nothing(world):
    """All rows or none; each problem names its row."""
    officer = world.signed_in("operator")
    table = "Đài;Mã thiết bị;Loại;Vĩ độ\nĐài Long Hiệp;L1;Loa;\nLONGMAI;L2;Loa;\nLONGHIEP;L 3;Tàu;200\n"
    bad = world.post(officer, "/thiet-bi/may/nhap", {"table": (io.BytesIO(table.encode()), "a.csv")})
    assert bad.status_code == 422
    assert "Dòng 3: không có đài này" in bad.text
    assert bad.text.count("Dòng 4:") >= 3
    good = "Đài;Mã thiết bị;Loại\nĐài Long Hiệp;L1;Loa\n"
    world.post(officer, "/thiet-bi/may/nhap", {"table": (io.BytesIO(good.encode()), "a.csv")})
    assert "L1" in officer.get("/thiet-bi/may").text
    assert "L2" not in officer.get("/thiet-bi/may").text


def bomb():
    """Return a workbook whose page is 60 MB of nothing."""
    import zipfile

    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/worksheets/sheet1.xml", b"<a>" + b" " * 60_000_000 + b"</a>")
    return made.getvalue()


def entity():
    """Return a workbook whose page names a file of the server."""
    import zipfile

    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as book:
        page = (
            '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><worksheet><row><c><v>&x;</v></c></row></worksheet>'
        )
        book.writestr("xl/worksheets/sheet1.xml", page)
    return made.getvalue()


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\0", b"PK\x03\x04rubbish", b"a\0b", bomb(), entity()])
def test_what_is_no_table_is_refused(world, content):
    """Neither a bomb nor an entity nor rubbish is read."""
    officer = world.signed_in("operator")
    answer = world.post(officer, "/thiet-bi/may/nhap", {"table": (io.BytesIO(content), "a.xlsx")})

    assert answer.status_code == 422
    assert "root:" not in answer.text


def test_a_round_of_inspections_opens_tickets_for_what_is_broken(world):
    """Items are looked at one by one, the minutes close for good, and broken equipment has its ticket."""
    centre = world.signed_in("centre-minhlong")
    form = {"name": "Đợt 4/2026", "first": "2026-11-20", "last": "2026-12-20", "items": ["log_book", "machine"]}
    made = world.post(centre, "/kiem-tra/moi", form | {"all": "1"})
    assert made.status_code == 303, made.text
    round = centre.get(made.location).text
    assert "Đã kiểm tra 0/2 đài." in round
    path = re.search(r'href="(/kiem-tra/[a-z0-9]{10})"', round).group(1)
    found = {"result-0": "not", "remark-0": "Thiếu tuần 46", "result-1": "ok", "result-2": "not", "day": "2026-11-23"}
    assert world.post(world.signed_in("operator"), path, found).status_code == 403
    closed = world.post(centre, path, found | {"do": "finish", "conclusion": "Sửa ngay"}, follow_redirects=True)
    assert "1 phiếu báo hỏng đã mở." in closed.text
    assert "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM" in closed.text
    assert world.post(centre, path, found).status_code == 422
    with world.database.reading() as session:
        (ticket,) = tickets.listing(session, stations=("LONGHIEP",), which=None, today=world.clock.now().date())
    assert (ticket.cluster, ticket.origin.value) == ("GOTRANH", "inspection")
    assert "1/2 đài" in centre.get("/kiem-tra").text
    assert "Đợt 4/2026" in world.signed_in("operator").get("/kiem-tra").text
    assert "Đợt 4/2026" not in world.signed_in("operator-bato").get("/kiem-tra").text


def test_a_commune_checks_itself_and_owes_the_next_one(world):
    """A station that never looked owes it; after a check it does not until the period is over."""
    officer = world.signed_in("operator")
    assert "1 đài cần tự kiểm tra." in officer.get("/kiem-tra").text
    made = world.post(officer, "/kiem-tra/tu-kiem-tra", {"dai": "LONGHIEP"})
    again = world.post(officer, "/kiem-tra/tu-kiem-tra", {"dai": "LONGHIEP"})
    assert made.location == again.location
    world.post(officer, made.location, {"result-0": "ok", "day": "2026-11-23", "do": "finish"})
    assert "1 đài quá hạn" not in officer.get("/kiem-tra").text
    world.clock.advance(31 * 86_400)
    assert "1 đài cần tự kiểm tra." in world.signed_in("operator").get("/kiem-tra").text


def test_a_complaint_is_answered_once_and_in_time_or_late(world):
    """It is due by the rule, the answer stays as given, and one about a broken loudspeaker has its ticket."""
    officer = world.signed_in("operator")
    wish = {"where": "LONGHIEP GOTRANH", "about": "broken", "channel": "portal", "text": "Loa hú suốt đêm"}
    made = world.post(officer, "/phan-anh/moi", wish | {"received_on": "2026-11-01", "due": "2026-11-05"})
    shown = officer.get(made.location).text
    assert "Chưa trả lời, hạn 05/11/2026." in shown
    assert "/thiet-bi/phieu/" in shown
    assert "1 quá hạn." in officer.get("/phan-anh").text
    path = f"{made.location}/tra-loi"
    assert world.post(officer, path, {"answer": "Đã thay loa."}).status_code == 303
    assert world.post(officer, path, {"answer": "Khác"}).status_code == 422
    assert "Trả lời trễ" in officer.get("/phan-anh?xem=answered").text
    assert "0 đúng hạn, 1 trễ" in officer.get("/phan-anh").text


def test_a_duty_at_risk_is_given_in_one_tap_and_stands_once(world):
    """The officer of the station gets it; a second tap does not give it twice; done is done."""
    leader = world.signed_in("approver")
    officer = world.signed_in("operator")
    tap = {"duty": "CDS", "station": "LONGHIEP", "period": "2026-W48"}
    first = world.post(leader, "/giao-viec/nhiem-vu", tap, follow_redirects=True)
    assert "Làm bài cho Chuyển đổi số hằng tuần, tuần 48/2026" in first.text
    world.post(leader, "/giao-viec/nhiem-vu", tap)
    assert "Việc được giao" in officer.get("/").text
    listed = officer.get("/giao-viec?cua_toi=1").text
    assert listed.count('name="do" value="done"') == 1
    path = re.search(r'action="(/giao-viec/[a-z0-9]{10})"', listed).group(1)
    assert world.post(world.signed_in("operator-longmai"), path, {"do": "done"}).status_code == 404
    world.post(officer, path, {"do": "done"})
    assert "Không có việc nào đang giao." in officer.get("/giao-viec").text


def test_silent_days_are_counted_from_the_air_log(world):
    """A day on which nothing of what was due was heard counts, with its reason; a heard one does not."""
    from store import airdays, airings

    officer = world.signed_in("operator")
    with world.database.writing() as session:
        for seq, (days, verdict) in enumerate([(3, Verdict.MISSED), (2, Verdict.AIRED), (1, Verdict.MISSED)], start=1):
            start = world.clock.now() - timedelta(days=days)
            airings.record(session, "LONGHIEP", seq, "0" * 64, aired(start, verdict))
        while airdays.follow(session, "LONGHIEP", "Asia/Ho_Chi_Minh", demo=True):
            pass
        assert not airdays.follow(session, "LONGHIEP", "Asia/Ho_Chi_Minh", demo=True)

    shown = officer.get("/thiet-bi").text
    assert "2 ngày: Mất điện" in shown


def aired(start, verdict):
    """Return a row of the air log that begins then."""
    from schedules.airing import Airing, Evidence
    from schedules.text import Text

    return Airing(
        slot=f"LONGHIEP/{start.isoformat()}",
        station="LONGHIEP",
        kind="segment",
        programme="CDS",
        segment=None,
        title="Bài",
        sha256=None,
        topics=(),
        planned_start=start,
        planned_end=start + timedelta(minutes=5),
        started_at=start if verdict is Verdict.AIRED else None,
        ended_at=None,
        seconds_aired=300.0 if verdict is Verdict.AIRED else 0.0,
        samples_aired=0,
        samples_expected=0,
        bit_exact=False,
        start_error_s=None,
        holes_s=0.0,
        parts=(),
        outputs=(),
        verdict=verdict,
        reason=Text("Mất điện", "Power cut") if verdict is Verdict.MISSED else None,
        rehearsal=False,
        evidence=Evidence.E1,
    )


def test_every_list_is_paged(world):
    """Fifty at a time, the next ones by key, none twice."""
    for number in range(60):
        reported(world, cluster="", place=f"Cột số {number}", now=world.clock.now() - timedelta(hours=number))
    officer = world.signed_in("operator")
    first = officer.get("/thiet-bi/phieu").text
    more = re.search(r'href="(/thiet-bi/phieu\?sau=[^"]+)"', first).group(1).replace("&amp;", "&")
    second = officer.get(more).text
    links = [re.findall(r'href="/thiet-bi/phieu/([a-z0-9]{10})"', text) for text in (first, second)]

    assert (len(links[0]), len(links[1]), len(set(links[0]) & set(links[1]))) == (50, 10, 0)


def test_a_photo_is_seen_by_those_who_see_the_ticket(world):
    """S2: a photo belongs to its ticket; by another id, or for a stranger, it is not there."""
    from audio.picture import pictures

    sha = "ab" * 32
    path = pictures(world.data).path(sha)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\xff\xd8\xff")
    ticket = reported(world, picture=sha)
    other = reported(world, cluster="HALIET")
    with world.database.reading() as session:
        (step,) = steps.of(session, Subject.TICKET, ticket.id)
        assert steps.pictures(session) == {sha}
    officer = world.signed_in("operator")

    with officer.get(f"/thiet-bi/phieu/{ticket.id}/anh/{step.id}") as shown:
        assert (shown.mimetype, shown.data) == ("image/jpeg", b"\xff\xd8\xff")
    assert officer.get(f"/thiet-bi/phieu/{other.id}/anh/{step.id}").status_code == 404
    assert world.signed_in("operator-bato").get(f"/thiet-bi/phieu/{ticket.id}/anh/{step.id}").status_code == 404
