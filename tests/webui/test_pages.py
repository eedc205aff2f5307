"""The pages, walked as people of each role do it, without a script running."""

from __future__ import annotations

import html
import io
import re
from datetime import timedelta

import pytest

from link.door import FaultStatus, OnAirStatus
from schedules.airing import Airing, Evidence, OutputCount, Verdict
from schedules.text import Text
from store import airings, invitations, sessions
from store.accounts import Role
from webui.auth import access
from webui.rights import MATRIX

ROLES = [role.value for role in Role]
PAGES = [
    ("/", "stations.read"),
    ("/?dai=LONGHIEP", "stations.read"),
    ("/dai", "stations.read"),
    ("/dai?loc=xu-ly", "stations.read"),
    ("/dai/LONGHIEP", "stations.read"),
    ("/bai", "segments.read"),
    ("/bai?trang_thai=approved&dai=LONGHIEP&chuyen_muc=CDS", "segments.read"),
    ("/bai/moi", "segments.create"),
    ("/duyet", "segments.approve"),
    ("/lich", "grid.read"),
    ("/lich/2026-W48", "grid.read"),
    ("/lich/2026-W48/buoi?dai=LONGHIEP", "grid.edit"),
    ("/lich/2026-11-23/ke-hoach", "plan.read"),
    ("/lich/tuan-mau?dai=LONGHIEP", "grid.read"),
    ("/lich/tuan-mau/sua?dai=LONGHIEP", "grid.edit"),
    ("/lich/tuan-mau/sua?dai=LONGHIEP&thay=2026-11-27", "grid.edit"),
    ("/lich/ngay-dac-biet", "grid.read"),
    ("/lich/ngay-dac-biet/moi", "calendar.edit"),
    ("/nhiem-vu", "duties.read"),
    ("/nhiem-vu/danh-sach", "duties.read"),
    ("/nhiem-vu/sua", "duties.edit"),
    ("/nhiem-vu/mien?dai=LONGHIEP&ma=CDS", "duties.excuse"),
    ("/chuyen-muc", "grid.read"),
    ("/chuyen-muc/sua?ma=CDS", "programmes.edit"),
    ("/dai/LONGHIEP/cai-dat", "stations.edit"),
    ("/nhat-ky", "airlog.read"),
    ("/nhat-ky?van_de=1", "airlog.read"),
    ("/nhat-ky.csv", "airlog.read"),
    ("/su-co", "faults.read"),
    ("/su-co?dang=1", "faults.read"),
    ("/khan-cap", "emergencies.read"),
    ("/khan-cap/that", "emergencies.order"),
    ("/khan-cap/dien-tap", "emergencies.order"),
    ("/khan-cap/mau", "emergencies.prepare"),
    ("/nguon", "sources.read"),
    ("/nguon/sua", "sources.edit"),
    ("/dai/LONGHIEP/noi", "stations.talk"),
    ("/dai/LONGHIEP/dong-ho", "stations.clock"),
    ("/them", "account.own"),
    ("/tai-khoan", "account.own"),
    ("/nguoi-dung", "accounts.manage"),
]
NAMES = [
    "Đài Long Hiệp",
    "Đài Long Mai",
    "Long Hiệp",
    "Long Mai",
    "Minh Long",
    "Chuyển đổi số hằng tuần",
    "Chuyển đổi số",
    "Bản tin xã",
    "Tin thôn 1",
    "Tiếng Việt",
    "Hrê",
    "Buổi sáng",
    "Quảng Ngãi",
    "Hội trường",
]


def text_of(page: str) -> str:
    """Return what a reader sees and a screen reader speaks: text and labels, without markup."""
    page = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.S)
    labels = " ".join(re.findall(r'(?:aria-label|title|alt|placeholder|data-[a-z-]+|value)="([^"]*)"', page))
    return html.unescape(re.sub(r"<[^>]+>", " ", page) + " " + labels)


def post(world, client, path, data=None, **options):
    """Send a form with the CSRF token that a page of the same session gives."""
    page = client.get("/them")
    if page.status_code == 302:
        page = client.get("/dang-nhap")
    return client.post(path, data={"csrf_token": hidden(page.text, "csrf_token")} | (data or {}), **options)


def airing(world, *, code="LONGHIEP", seq=1, minutes=-30, **changes):
    """Put one row into the air log and return it."""
    start = world.clock.now() + timedelta(minutes=minutes)
    values = {
        "slot": f"{code}/sang/2026-11-23/{seq}",
        "station": code,
        "kind": "segment",
        "programme": "CDS",
        "segment": None,
        "title": "Tin thôn 1",
        "sha256": "a" * 64,
        "topics": ("DX-ONESTOP",),
        "planned_start": start,
        "planned_end": start + timedelta(seconds=30),
        "started_at": start,
        "ended_at": start + timedelta(seconds=30),
        "seconds_aired": 30.0,
        "samples_aired": 1_440_000,
        "samples_expected": 1_440_000,
        "bit_exact": True,
        "start_error_s": 0.001,
        "holes_s": 0.0,
        "parts": (),
        "outputs": (OutputCount(name="main", kind="virtual", samples=1_440_000, grade=Evidence.E1),),
        "verdict": Verdict.AIRED,
        "reason": None,
        "rehearsal": True,
        "evidence": Evidence.E1,
    } | changes
    row = Airing(**values)
    with world.database.writing() as session:
        airings.record(session, code, seq, f"{seq:064d}", row)
    return row


def ready(world, client, title="Tin thôn 1"):
    """Send a recording through the page's form and wait until it can be submitted; return its id."""
    world.intake.start()
    try:
        answer = post(
            world,
            client,
            "/bai/moi",
            {
                "title": title,
                "programme": "CDS",
                "station": "LONGHIEP",
                "kind": "bai",
                "topics": "DX-ONESTOP",
                "audio": (io.BytesIO(b"SOUND 1"), "tin.mp3"),
            },
            content_type="multipart/form-data",
        )
        assert answer.status_code == 303, answer.text
        segment = answer.location.rsplit("/", 1)[-1]
        assert world.wait(world.client(), segment)["state"] == "ready"
    finally:
        world.intake.stop()
    return segment


def hidden(page: str, name: str) -> str:
    """Return the value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, f"no field {name}"
    return found.group(1)


def test_nobody_sees_a_page_without_signing_in(world, client):
    """A page asks for the sign-in and comes back afterwards."""
    for path, _permission in PAGES:
        answer = client.get(path)

        assert answer.status_code == 302, path
        assert answer.location.startswith("/dang-nhap?next="), path


@pytest.mark.parametrize("role", ROLES)
def test_each_role_sees_its_pages_and_no_others(world, role):
    """The matrix decides, on every page and for every role; what is refused says so in words."""
    client = world.signed_in(role)
    for path, permission in PAGES:
        answer = client.get(path, follow_redirects=True)

        allowed = Role(role) in MATRIX[permission]
        assert answer.status_code == (200 if allowed else 403), path
        assert allowed or "không có quyền" in answer.text, path


def test_every_page_route_is_in_the_matrix(world):
    """A route that says nothing about its readers would be open or closed by chance."""
    for rule in world.app.url_map.iter_rules():
        if rule.endpoint.startswith("pages."):
            assert access(world.app, rule.endpoint) in {"public", "signed in", *MATRIX}, rule.endpoint


@pytest.mark.parametrize("role", ["operator", "approver", "centre-minhlong", "inspector", "admin"])
def test_pages_hold_no_inline_style_or_script(world, role):
    """The content security policy would block it, so a page must not rely on it."""
    client = world.signed_in(role)
    for path, _permission in PAGES:
        page = client.get(path, follow_redirects=True).text

        assert not re.search(r"\sstyle\s*=", page), path
        assert not re.search(r"<style\b", page), path
        assert not re.search(r"\son[a-z]+\s*=", page), path
        assert not re.search(r"<script(?![^>]*\bsrc=)", page), path
        assert "hx-on" not in page, path
        assert "javascript:" not in page, path
        assert "js:" not in page, path


@pytest.mark.parametrize("role", ["operator", "approver", "centre-minhlong", "admin"])
def test_pages_are_sound_documents(world, role):
    """One heading of the first rank, unique ids, labelled fields, a language, and a way past the navigation."""
    client = world.signed_in(role)
    airing(world)
    for path, _permission in PAGES:
        if path.endswith(".csv"):
            continue
        answer = client.get(path, follow_redirects=True)
        page = answer.text

        assert page.count("<h1") == 1, path
        ids = re.findall(r'\sid="([^"]+)"', page)
        assert len(ids) == len(set(ids)), (path, [one for one in ids if ids.count(one) > 1])
        assert '<html lang="vi">' in page, path
        assert 'href="#main"' in page, path
        for field in re.findall(r"<(?:input|select|textarea)\b[^>]*>", page):
            if 'type="hidden"' in field or "aria-label=" in field:
                continue
            name = re.search(r'\sid="([^"]+)"', field)
            wrapped = re.search(r"<label[^>]*>\s*" + re.escape(field), page)
            assert wrapped or (name and f'for="{name.group(1)}"' in page), (path, field)


@pytest.mark.parametrize("role", ["operator", "approver", "centre-minhlong", "admin"])
def test_english_pages_hold_no_vietnamese_sentence(world, role):
    """Whoever chose English reads English; names of people, units and programmes stay as they are."""
    client = world.signed_in(role)
    segment = ready(world, world.signed_in("operator"))
    airing(world)
    airing(world, seq=2, verdict=Verdict.PARTIAL, samples_aired=1, reason=Text("Mất điện.", "Power cut."))
    for path in [path for path, _permission in PAGES] + [f"/bai/{segment}"]:
        page = text_of(
            client.get(path, query_string={"lang": "en"} if "?" not in path else None, follow_redirects=True).text
        )
        for name in NAMES:
            page = page.replace(name, " ")
        page = re.sub(r"Người [a-z0-9-]+", " ", page)

        left = re.findall(r"\S*[ăâđêôơưạảấầẩẫậắằẳẵặẹẻẽếềểễệịỉĩọỏốồổỗộớờởỡợụủũứừửữựỳỵỷỹ]\S*", page, flags=re.I)

        assert not left, (path, left[:10])


def test_the_language_is_remembered(world):
    """A choice in the address holds for the next pages."""
    client = world.signed_in("operator")
    client.get("/dai?lang=en")

    assert '<html lang="en">' in client.get("/dai").text
    assert '<html lang="vi">' in client.get("/dai?lang=vi").text


def test_signing_in_leads_to_the_page_that_was_asked_for(world, client):
    """After the form the reader is where they wanted to go, and never on another site."""
    data = {"name": "operator", "password": "bốn con vịt bơi chậm"}

    answer = post(world, client, "/dang-nhap", data | {"next": "/nhat-ky?dai=LONGHIEP"})
    away = post(world, world.client(), "/dang-nhap", data | {"next": "//evil.example/"})

    assert answer.location == "/nhat-ky?dai=LONGHIEP"
    assert away.location == "/"


def test_a_wrong_password_says_so_in_place(world, client):
    """Nobody learns which of name and password was wrong."""
    answer = post(world, client, "/dang-nhap", {"name": "operator", "password": "sai hoàn toàn mật khẩu"})

    assert answer.status_code in (401, 403)
    assert "Tên đăng nhập hoặc mật khẩu không đúng." in answer.text
    assert 'value="operator"' in answer.text


def test_the_first_set_up_makes_the_first_administrator(world, client):
    """The link makes one administrator, signs them in, and is void afterwards."""
    with world.database.writing() as session:
        secret = invitations.issue(session, None, world.clock.now())
    path = f"/thiet-lap/{secret}"
    data = {
        "name": "chu.may",
        "full_name": "Đinh Văn Chủ",
        "password": "quạt bàn thóc trăng",
        "again": "quạt bàn thóc trăng",
    }

    shown = client.get(path)
    differ = post(world, client, path, data | {"again": "khác"})
    done = post(world, client, path, data)
    again = world.client().get(path)

    assert shown.status_code == 200
    assert differ.status_code == 422
    assert "Hai lần nhập mật khẩu không giống nhau." in differ.text
    assert done.status_code == 303
    assert "Đinh Văn Chủ" in client.get("/them").text
    assert again.status_code == 404
    assert "đã dùng rồi" in again.text


def test_from_upload_to_approval_by_forms_alone(world):
    """Upload, submit, approve by another person: the whole way without a script."""
    operator, approver = world.signed_in("operator"), world.signed_in("approver")
    segment = ready(world, operator)

    assert post(world, operator, f"/bai/{segment}/trinh").status_code == 303
    waiting = approver.get("/duyet").text
    data = {"sha256": hidden(waiting, "sha256"), "revision": hidden(waiting, "revision"), "back": "approvals"}
    answer = post(world, approver, f"/bai/{segment}/duyet", data)

    assert "1 bài chờ duyệt." in waiting
    assert answer.location == "/duyet"
    assert "Đã duyệt “Tin thôn 1”." in approver.get("/duyet").text
    assert "Không có bài chờ duyệt." in approver.get("/duyet").text
    assert "Đã duyệt" in operator.get(f"/bai/{segment}").text


def test_an_approval_names_what_was_heard(world):
    """A card that changed meanwhile is not approved, and the page says what to do."""
    operator, approver = world.signed_in("operator"), world.signed_in("approver")
    segment = ready(world, operator)
    post(world, operator, f"/bai/{segment}/trinh")
    page = approver.get("/duyet").text
    sha256, revision = hidden(page, "sha256"), hidden(page, "revision")

    wrong = post(world, approver, f"/bai/{segment}/duyet", {"sha256": "0" * 64, "revision": revision})
    old = post(world, approver, f"/bai/{segment}/duyet", {"sha256": sha256, "revision": "0"})
    own = post(world, operator, f"/bai/{segment}/duyet", {"sha256": sha256, "revision": revision})

    assert (wrong.status_code, old.status_code, own.status_code) == (409, 409, 403)
    assert 'role="alert"' in old.text
    assert "Chờ duyệt" in approver.get(f"/bai/{segment}").text


def test_a_returned_item_shows_its_reason_on_today(world):
    """Whoever made it reads why it came back, and finds the way to mend it."""
    operator, approver = world.signed_in("operator"), world.signed_in("approver")
    segment = ready(world, operator)
    post(world, operator, f"/bai/{segment}/trinh")

    empty = post(world, approver, f"/bai/{segment}/tra-lai", {"reason": " "})
    post(world, approver, f"/bai/{segment}/tra-lai", {"reason": "Sửa lại ngày cắt điện."})
    today = operator.get("/?dai=LONGHIEP").text

    assert empty.status_code == 409
    assert "Trả lại: Tin thôn 1" in today
    assert "Sửa lại ngày cắt điện." in today
    assert f"/bai/{segment}" in today


def test_a_changed_card_needs_a_new_approval(world):
    """Editing gives a new revision; the old form cannot overwrite it."""
    operator = world.signed_in("operator")
    segment = ready(world, operator)
    form = operator.get(f"/bai/{segment}/sua").text
    card = {"title": "Tên mới", "programme": "CDS", "station": "LONGHIEP", "kind": "tin", "topics": "DX-STORY"}

    done = post(world, operator, f"/bai/{segment}/sua", card | {"revision": hidden(form, "revision")})
    stale = post(world, operator, f"/bai/{segment}/sua", card | {"revision": hidden(form, "revision"), "title": "Cũ"})

    assert done.status_code == 303
    assert stale.status_code == 409
    assert "Tên mới" in operator.get(f"/bai/{segment}").text


def test_a_card_with_gaps_keeps_what_was_typed(world):
    """Every problem stands beside its field, nothing that was typed is lost."""
    client = world.signed_in("operator")

    answer = post(world, client, "/bai/moi", {"title": "", "author": "Thôn Hà Liệt", "programme": "KHONG"})

    assert answer.status_code == 422
    assert "Hãy đặt tên bài." in answer.text
    assert "Hãy chọn chuyên mục." in answer.text
    assert "Hãy chọn tệp âm thanh." in answer.text
    assert 'value="Thôn Hà Liệt"' in answer.text
    assert 'aria-invalid="true"' in answer.text


def test_a_script_gets_the_same_answer_as_a_form(world):
    """What sends in parts reads a sentence with its fields, or where the parts go, before the first byte is sent."""
    client = world.signed_in("operator")

    answer = post(world, client, "/bai/moi", {"title": "", "length": "60000000"})

    assert answer.status_code == 422
    assert "Hãy đặt tên bài." in answer.json["message"]


def test_a_refused_file_says_why(world):
    """What is not audio is told in a sentence, with the way on."""
    operator = world.signed_in("operator")
    world.intake.start()
    answer = post(
        world,
        operator,
        "/bai/moi",
        {
            "title": "Không phải tiếng",
            "programme": "BANTIN",
            "station": "LONGHIEP",
            "kind": "tin",
            "audio": (io.BytesIO(b"\x00\x01"), "x.mp3"),
        },
        content_type="multipart/form-data",
    )
    segment = answer.location.rsplit("/", 1)[-1]
    world.wait(world.client(), segment)
    world.intake.stop()

    page = operator.get(f"/bai/{segment}").text

    assert "Không dùng được tệp này" in page
    assert "Tệp này không phải âm thanh." in page
    assert "Gửi tệp khác" in page


def approved(world):
    """Return the id of an approved recording."""
    return world.approved(world.client())["id"]


def test_a_single_airing_is_ordered_and_cancelled_on_the_item(world):
    """The order stands on the item's page with its name, and can be taken out before it starts."""
    segment = approved(world)
    operator = world.signed_in("operator")
    path = f"/bai/{segment}/phat"

    empty = post(world, operator, path, {"station": "LONGHIEP", "start": "", "timing": "hard"})
    past = post(world, operator, path, {"station": "LONGHIEP", "start": "2026-11-23T16:00", "timing": "hard"})
    done = post(world, operator, path, {"station": "LONGHIEP", "start": "2026-11-23T18:30:15", "timing": "hard"})
    page = operator.get(f"/bai/{segment}").text
    cancel = re.search(r'action="(/phat-rieng/[a-z0-9]+/huy)"', page)
    assert cancel
    post(world, operator, cancel.group(1))

    assert empty.status_code == 422
    assert past.status_code == 409
    assert done.status_code == 303
    assert "18:30:15" in page
    assert "Người operator đã hủy" in operator.get(f"/bai/{segment}").text
    assert world.doors["LONGHIEP"].woken >= 2


def test_stopping_needs_a_reason_and_passes_it_on(world):
    """Silence at once, with a name and a reason for the log."""
    client = world.signed_in("operator")

    without = post(world, client, "/dai/LONGHIEP/dung", {"reason": " "})
    with_one = post(world, client, "/dai/LONGHIEP/dung", {"reason": "Phát nhầm bài"})

    assert without.status_code == 422
    assert "lý do" in without.text
    assert with_one.status_code == 302
    assert world.doors["LONGHIEP"].stops == [("Người operator", "Phát nhầm bài")]


def test_a_session_is_made_changed_and_removed_by_forms(world):
    """The weekly grid is edited in forms; what changes is shown first, and a clash is refused beside its field."""
    client = world.signed_in("operator")
    path = "/lich/2026-W48/buoi"
    form = {
        "dai": "LONGHIEP",
        "buoi": "",
        "name": "Buổi sáng",
        "weekdays": ["1", "3", "5"],
        "starts": "05:30, 17:00",
        "minutes": "30",
        "kind-0": "segment",
        "what-0": "p:CDS",
        "place-0": "2",
        "kind-1": "segment",
        "what-1": "p:BANTIN",
        "place-1": "1",
    }

    bad = post(world, client, path, form | {"starts": "25:00", "weekdays": [], "what-0": "", "what-1": ""})
    shown = post(world, client, path, form)
    with world.database.reading() as session:
        assert sessions.in_force(session, "LONGHIEP") == ()
    made = world.publish(client, path, form)
    with world.database.reading() as session:
        (rule,) = sessions.in_force(session, "LONGHIEP")
    clash = post(world, client, path, form | {"name": "Buổi khác"})
    bypassed = post(world, client, path, form | {"name": "Buổi khác", "confirm": hidden(shown.text, "confirm")})
    other = world.publish(client, path, form | {"name": "Buổi khác", "starts": "19:00"})
    week = client.get("/lich/2026-W48?dai=LONGHIEP").text
    removed = post(world, client, f"{path}/bo", {"dai": "LONGHIEP", "buoi": rule.id})

    assert bad.status_code == 422
    assert "Giờ bắt đầu viết như" in bad.text
    assert "Buổi phát cần ít nhất một mục." in bad.text
    assert made.status_code == 303
    assert [item.programme for item in rule.items] == ["BANTIN", "CDS"]
    assert [f"{start:%H:%M}" for start in rule.starts] == ["05:30", "17:00"]
    assert "thêm 12 buổi" in shown.text
    assert clash.status_code == bypassed.status_code == 422
    assert re.search(r"trùng giờ với buổi “Buổi (sáng|khác)”", clash.text)
    assert 'id="e-starts"' in clash.text
    assert 'name="confirm"' not in clash.text
    assert other.status_code == 303
    assert "Buổi khác" in week
    assert removed.status_code == 303
    with world.database.reading() as session:
        assert [one.name for one in sessions.in_force(session, "LONGHIEP")] == ["Buổi khác"]


def test_editing_a_session_keeps_its_items_identity(world):
    """The same session with another name is the same session, so nothing that aired is due again."""
    client = world.signed_in("operator")
    form = {
        "dai": "LONGHIEP",
        "name": "Buổi sáng",
        "weekdays": ["1"],
        "starts": "05:30",
        "minutes": "30",
        "kind-0": "segment",
        "what-0": "p:CDS",
    }
    world.publish(client, "/lich/2026-W48/buoi", form)
    with world.database.reading() as session:
        (before,) = sessions.in_force(session, "LONGHIEP")
    page = client.get(f"/lich/2026-W48/buoi?dai=LONGHIEP&buoi={before.id}").text

    world.publish(
        client,
        "/lich/2026-W48/buoi",
        form | {"buoi": before.id, "name": "Sớm mai", "item-0": hidden(page, "item-0")},
    )
    with world.database.reading() as session:
        (after,) = sessions.in_force(session, "LONGHIEP")

    assert after.name == "Sớm mai"
    assert (after.id, after.since, after.items[0].id) == (before.id, before.since, before.items[0].id)


def test_the_plan_gives_a_reason_for_every_item(world):
    """The preview is the station's own plan; an empty place says why it is empty."""
    client = world.signed_in("operator")
    world.publish(
        client,
        "/lich/2026-W48/buoi",
        {
            "dai": "LONGHIEP",
            "name": "Buổi tối",
            "weekdays": ["1"],
            "starts": "19:00",
            "minutes": "30",
            "kind-0": "segment",
            "what-0": "p:CDS",
        },
    )

    page = client.get("/lich/2026-11-23/ke-hoach?dai=LONGHIEP").text

    assert "Buổi tối, 19:00" in page
    assert "Chưa có bài" in page
    assert re.search(r'<span class="why">\S', page)


def test_the_now_page_shows_what_is_on_air_and_what_is_wrong(world):
    """Troubled stations stand first and in the answer; on air means title, level and a way to listen."""
    now = world.clock.now()
    hiep, mai = world.doors["LONGHIEP"], world.doors["LONGMAI"]
    hiep.state = "on_air"
    hiep.on_air = OnAirStatus(
        slot="s",
        title="Tin đang phát",
        programme="CDS",
        kind="segment",
        segment=None,
        started_at=now,
        ends_at=now + timedelta(seconds=60),
        position_s=15.0,
        duration_s=60.0,
    )
    mai.state = "fault"
    mai.faults = (FaultStatus(code="output_lost", since=now, message=Text("Mất đầu ra.", "Output lost.")),)

    page = world.signed_in("centre-minhlong").get("/dai").text

    assert "1 đài cần xử lý:" in page
    assert page.index("Đài Long Mai</a>") < page.index("Đài Long Hiệp</a>")
    assert "Mất đầu ra." in page
    assert "Tin đang phát" in page
    assert 'value="25"' in page
    assert "/api/v1/stations/LONGHIEP/live.m3u8" in page
    assert "trung bình −20 dB" in page


def test_a_poll_of_an_unchanged_page_costs_nothing(world):
    """The live part comes alone and with a tag; asked again with the tag, the answer is 304 and empty."""
    client = world.signed_in("operator")

    first = client.get("/dai", headers={"HX-Request": "true"})
    second = client.get("/dai", headers={"HX-Request": "true", "If-None-Match": first.headers["ETag"]})
    whole = client.get("/dai")

    assert "<html" not in first.text
    assert second.status_code == 304
    assert not second.data
    assert "<html" in whole.text


def test_the_air_log_filters_and_tells_plan_from_fact(world):
    """Planned against real, evidence, rehearsal, and only the rows with trouble where that is asked."""
    airing(world, seq=1, start_error_s=0.002)
    airing(world, seq=2, verdict=Verdict.MISSED, started_at=None, ended_at=None, evidence=Evidence.E0, title="Tin hỏng")
    airing(world, code="LONGMAI", seq=1, title="Tin Long Mai")
    client = world.signed_in("centre-minhlong")

    every = client.get("/nhat-ky").text
    trouble = client.get("/nhat-ky?van_de=1").text
    mai = client.get("/nhat-ky?dai=LONGMAI").text
    old = client.get("/nhat-ky?tu=2026-01-01&den=2026-01-02").text

    assert "3 lượt phát:" in every
    assert "phát thử, không ra loa" in every
    assert "Đã đếm mẫu" in every
    assert "Tin hỏng" in trouble
    assert "Tin thôn 1" not in trouble
    assert "Tin Long Mai" in mai
    assert "Tin hỏng" not in mai
    assert "Không có lượt phát nào trong khoảng này." in old


def test_the_table_for_spreadsheets_starts_no_formula(world):
    """A title that begins like a formula comes as text."""
    airing(world, title='=HYPERLINK("http://evil")')

    answer = world.signed_in("operator").get("/nhat-ky.csv")

    assert answer.mimetype == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert "'=HYPERLINK" in answer.text
    assert ",=HYPERLINK" not in answer.text


def test_long_logs_come_in_pages_without_gap_or_repeat(world):
    """The second page goes on where the first ended."""
    for seq in range(1, 61):
        airing(world, seq=seq, minutes=-seq, title=f"Bài số {seq:02d}")
    client = world.signed_in("operator")

    first = client.get("/nhat-ky?dai=LONGHIEP").text
    onward = re.search(r'href="(/nhat-ky\?[^"]*sau=[^"]*)"', first)
    assert onward
    second = client.get(html.unescape(onward.group(1))).text

    titles = [set(re.findall(r"Bài số (\d\d)", page)) for page in (first, second)]
    assert len(titles[0]) == 50
    assert len(titles[1]) == 10
    assert not titles[0] & titles[1]


def test_the_log_can_be_asked_for_one_kind(world):
    """Relays alone, with the choice kept in the address of the table to take away."""
    airing(world, seq=1, minutes=-5, title="Bài của xã")
    airing(world, seq=2, minutes=-9, title="Đài tỉnh", kind="relay")
    client = world.signed_in("operator")

    relays = client.get("/nhat-ky?dai=LONGHIEP&loai=tiep-am").text
    unknown = client.get("/nhat-ky?dai=LONGHIEP&loai=x").text

    assert "Đài tỉnh" in relays
    assert "Bài của xã" not in relays
    assert re.search(r'href="/nhat-ky\.csv\?[^"]*loai=tiep-am', relays)
    assert "Đài tỉnh" in unknown
    assert "Bài của xã" in unknown


def test_other_units_stations_and_items_are_not_found(world):
    """Nobody learns what exists elsewhere."""
    segment = ready(world, world.signed_in("operator"))
    stranger = world.signed_in("operator-bato")

    for path in ("/dai/LONGHIEP", "/?dai=LONGHIEP", f"/bai/{segment}", f"/bai/{segment}/sua", "/nhat-ky?dai=LONGHIEP"):
        assert stranger.get(path).status_code == 404, path
    assert post(world, stranger, f"/bai/{segment}/trinh").status_code == 404
    assert post(world, stranger, "/dai/LONGHIEP/dung", {"reason": "x"}).status_code == 404


def test_a_missing_page_says_what_to_do(world):
    """Errors are words: what happened, what is safe, what to do."""
    answer = world.signed_in("operator").get("/khong-co")

    assert answer.status_code == 404
    assert "Chưa có gì thay đổi." in answer.text
    assert "trang Hôm nay" in answer.text


def test_a_form_without_its_token_changes_nothing(world):
    """A foreign page cannot act in the reader's name."""
    client = world.signed_in("operator")

    answer = client.post("/dai/LONGHIEP/dung", data={"reason": "x"})

    assert answer.status_code == 400
    assert world.doors["LONGHIEP"].stops == []


def test_an_administrator_makes_an_account_with_a_one_time_link(world, client):
    """The new person chooses the password; the administrator never knows it."""
    admin = world.signed_in("admin-minhlong")
    form = {"name": "moi.den", "full_name": "Đinh Thị Mới", "role": "operator", "unit": "LONGHIEP"}

    taken = post(world, admin, "/nguoi-dung", form | {"name": "operator"})
    page = post(world, admin, "/nguoi-dung", form).text
    link = re.search(r"/thiet-lap/[\w-]+", page)
    assert link
    chosen = post(world, client, link.group(0), {"password": "quạt bàn thóc trăng", "again": "quạt bàn thóc trăng"})

    assert taken.status_code == 422
    assert chosen.status_code == 303
    assert "Đài Long Hiệp" in client.get("/").text


def test_the_duty_board_opens_the_reason_of_a_week(world):
    """A cell leads to its reason and rows below the table."""
    airing(world, rehearsal=False)
    client = world.signed_in("centre-minhlong")

    board = client.get("/nhiem-vu").text
    detail = client.get("/nhiem-vu?dai=LONGHIEP&tuan=2026-W48&nhiem_vu=CDS").text

    assert "Chuyển đổi số, tuần 48" in board
    assert 'id="chi-tiet"' not in board
    assert 'id="chi-tiet"' in detail
    assert "Tin thôn 1" in detail


def test_a_duty_of_any_programme_tells_only_what_carries_its_topic(world):
    """The signature tune is no airing of the weekly topic, though it may be said by any programme."""
    client = world.signed_in("centre-minhlong")
    form = {
        "name": "Tin một cửa hằng tuần",
        "code": "MOTCUA",
        "owner": "LONGHIEP",
        "stations": ["LONGHIEP"],
        "programme": "",
        "counting": "topics",
        "count": "1",
        "period": "week",
        "topics": "DX-ONESTOP",
        "topic_prefix": "",
        "windows": "",
        "deadline_days": "0",
        "deadline_at": "24:00",
        "warn_days": "2",
        "share": "100",
        "document": "Kế hoạch 3",
    }
    world.publish(client, "/nhiem-vu/sua", form)
    airing(world, rehearsal=False)
    airing(world, seq=2, minutes=-40, rehearsal=False, title="Nhạc hiệu xã", topics=(), programme="KHUNG")

    page = client.get("/nhiem-vu?dai=LONGHIEP&tuan=2026-W48&nhiem_vu=MOTCUA").text

    detail = page[page.index('id="chi-tiet"') :]
    assert "Tin thôn 1" in detail
    assert "Nhạc hiệu xã" not in detail


def test_an_approval_is_undone_with_one_tap_and_not_by_another(world):
    """For half a minute whoever approved takes it back; afterwards, and for everybody else, it stands."""
    operator, approver, centre = (world.signed_in(name) for name in ("operator", "approver", "centre-minhlong"))
    segment = ready(world, operator)
    post(world, operator, f"/bai/{segment}/trinh")
    page = approver.get("/duyet").text
    data = {"sha256": hidden(page, "sha256"), "revision": hidden(page, "revision"), "back": "approvals"}

    post(world, approver, f"/bai/{segment}/duyet", data)
    offered = approver.get("/duyet").text
    post(world, centre, f"/bai/{segment}/hoan-tac")
    refused = centre.get("/duyet").text
    post(world, approver, f"/bai/{segment}/hoan-tac")
    undone = approver.get("/duyet").text
    world.clock.advance(1)
    post(world, approver, f"/bai/{segment}/duyet", data)
    world.clock.advance(31)
    post(world, approver, f"/bai/{segment}/hoan-tac")
    late = approver.get("/duyet").text

    assert f'action="/bai/{segment}/hoan-tac"' in offered
    assert "Không hoàn tác được nữa." in refused
    assert "Đã hoàn tác. Bài lại chờ duyệt." in undone
    assert "1 bài chờ duyệt." in undone
    assert "Không hoàn tác được nữa." in late
    assert "Không có bài chờ duyệt." in late
