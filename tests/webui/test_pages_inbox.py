"""What villages send through a link: taken in with limits, seen by their station only, made into items, answered."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from audio.picture import pictures
from schedules.upkeep import Trouble
from store import contributions, tables, tables_equipment, tables_public
from store.contributions import ContributionState
from tests.audio.drawing import SECRET, photo, with_exif
from tests.audio.recordings import encoded, speech
from webui import outside, voices
from webui.voices import check_waiting, original

_CONTRIBUTION = tables_public.contribution
_LINK = tables_public.outside_link
NASTY = "<img src=x onerror=alert(1)>{{7*7}}"


class Village:
    """A village with a link, and the officer of its station."""

    def __init__(self, world) -> None:
        self.world = world
        (world.data / "scratch").mkdir(exist_ok=True)
        self.officer = world.signed_in("operator")
        self.phone = world.client()

    def link(self, kind: str = "contribute", **fields) -> str:
        """Have the officer make a link; return its path."""
        form = {"kind": kind, "station": "LONGHIEP", "village": "Thôn Gò Chè", "days": "30", "quota": "20"} | fields
        answer = self.world.post(self.officer, "/lien-ket", form)
        assert answer.status_code == 200, answer.text
        found = re.search(r"http://localhost(/[gb]/[A-Za-z0-9_-]+)", answer.text)
        assert found, answer.text
        return found.group(1)

    def send(self, path: str, client=None, **fields):
        """Send a form of the link and return the answer."""
        client = client or self.phone
        self.world.clock.advance(1)
        files = {key: value for key, value in fields.items() if isinstance(value, bytes)}
        form = {key: value for key, value in fields.items() if not isinstance(value, bytes)}
        form |= {key: (io.BytesIO(value), f"{key}.bin") for key, value in files.items()}
        return self.world.post(client, path, form, content_type="multipart/form-data")

    def newest(self):
        """Return what was sent last."""
        with self.world.database.reading() as session:
            return contributions.listing(session, stations=["LONGHIEP"], limit=1)[0]

    def hear(self) -> None:
        """Let the machine check what was spoken."""
        check_waiting(self.world.services(), ingest=self.world.ingest)


@pytest.fixture
def village(world):
    """The village and its officer."""
    return Village(world)


def test_words_go_from_the_phone_to_the_officers_list(village):
    """One form, no account: the station's officer sees it as new, with the village's name, and thanks."""
    path = village.link()
    form = village.phone.get(path)
    assert form.status_code == 200
    assert "Thôn Gò Chè" in form.text
    assert "90 ngày" in form.text

    answer = village.send(path, text="Cầu Suối Tía bị ngập.\nNgười đi xe chú ý.", name="Đinh Văn Nam", phone="0905 1")
    assert answer.status_code == 303
    shown = village.officer.get("/hop-tin").text
    assert "1 tin mới" in shown
    assert "Cầu Suối Tía bị ngập." in shown

    one = village.newest()
    opened = village.officer.get(f"/hop-tin/{one.id}").text
    assert "Đinh Văn Nam" in opened
    thanked = village.world.post(
        village.officer, f"/hop-tin/{one.id}/tra-loi", {"what": "thank", "answer": "Đài sẽ báo chiều nay."}
    )
    assert thanked.status_code == 303
    assert "Đài sẽ báo chiều nay." in village.phone.get(path).text
    assert "Cầu Suối Tía" not in village.phone.get(path).text
    assert "Không có tin mới." in village.officer.get("/hop-tin").text


def test_a_photo_comes_without_its_place(village):
    """The photo is drawn anew before anybody sees it, and only the station's people get it."""
    path = village.link()
    assert village.send(path, photo=with_exif(photo())).status_code == 303
    one = village.newest()
    assert one.picture is not None
    shown = village.officer.get(f"/hop-tin/{one.id}/anh", buffered=True)
    assert shown.headers["Content-Type"] == "image/jpeg"
    assert shown.headers["Cache-Control"] == "private, no-cache"
    assert SECRET not in shown.data
    assert SECRET not in b"".join(file.read_bytes() for file in village.world.data.rglob("*") if file.is_file())
    assert village.phone.get(f"/hop-tin/{one.id}/anh").status_code == 302
    assert village.world.signed_in("operator-longmai").get(f"/hop-tin/{one.id}/anh").status_code == 404


def test_a_photo_that_is_none_is_refused_with_what_was_typed(village):
    """SVG instead of a photo: a sentence, the words still in the form, nothing kept."""
    path = village.link()
    answer = village.send(path, text="Tin của thôn", photo=b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    assert answer.status_code == 422
    assert "không phải ảnh JPEG" in answer.text
    assert "Tin của thôn" in answer.text
    assert not list((village.world.data / "pictures").glob("**/*.jpg"))
    with village.world.database.reading() as session:
        assert session.scalar(select(_CONTRIBUTION.c.id)) is None


def test_a_voice_is_heard_only_after_the_locked_room(village):
    """Before the check nobody can fetch it; after it the officer hears it and makes an item with the sender's name."""
    path = village.link()
    assert village.send(path, voice=b"SOUND voice", name="Đinh Văn Nam", credited="1").status_code == 303
    one = village.newest()
    assert village.officer.get(f"/hop-tin/{one.id}/tieng").status_code == 404
    assert "đang được kiểm tra" in village.officer.get("/hop-tin").text
    form = {"title": "Ngập ở Suối Tía", "programme": "BANTIN", "from": "voice"}
    assert village.world.post(village.officer, f"/hop-tin/{one.id}/bai", form).status_code == 409

    village.hear()
    heard = village.officer.get(f"/hop-tin/{one.id}/tieng", buffered=True)
    assert heard.status_code == 200
    assert heard.headers["Cache-Control"] == "private, no-store"
    answer = village.world.post(village.officer, f"/hop-tin/{one.id}/bai", form)
    assert answer.status_code == 303, answer.text
    segment = answer.headers["Location"].rsplit("/", 1)[-1]
    world = village.world
    world.intake.start()
    try:
        document = world.wait(world.client(), segment)
    finally:
        world.intake.stop()
    assert (document["state"], document["author"]) == ("ready", "Đinh Văn Nam (Thôn Gò Chè)")
    assert village.newest().state is ContributionState.USED
    assert village.newest().segment == segment


def test_a_sender_who_does_not_agree_is_not_named(village):
    """Without consent only the village stands as the author."""
    path = village.link()
    village.send(path, text="Tin thôn", name="Đinh Văn Nam")
    one = village.newest()
    form = {"title": "Tin thôn", "programme": "BANTIN", "from": "text"}
    answer = village.world.post(village.officer, f"/hop-tin/{one.id}/bai", form)
    assert answer.status_code == 303, answer.text
    page = village.officer.get(answer.headers["Location"]).text
    assert "Tin thôn" in page
    assert "Đinh Văn Nam" not in page
    assert village.newest().script is not None


def test_what_is_no_recording_says_so(village):
    """A voice that cannot be used has its reason, and its file is gone; the machine's own trouble is tried again."""
    path = village.link()
    village.send(path, voice=b"no sound")
    village.hear()
    one = village.newest()
    assert "Tệp này không phải âm thanh." in village.officer.get(f"/hop-tin/{one.id}").text
    assert not original(village.world.data, one.id).exists()

    village.send(path, voice=b"SOUND", text="x")
    for _round in range(3):
        village.world.ingest.trouble.append(OSError(28, "full"))
        village.hear()
    assert village.newest().voice.value == "refused"


def test_a_real_recording_goes_through_the_real_room(village):
    """An MP3 from a telephone, checked by the real decoder in its sandbox, can be heard; a playlist cannot."""
    path = village.link()
    village.send(path, voice=encoded("mp3", speech(2.0)))
    one = village.newest()
    check_waiting(village.world.services())
    assert village.newest().voice.value == "ready"
    assert village.officer.get(f"/hop-tin/{one.id}/tieng", buffered=True).data.startswith(b"fLaC")
    assert village.officer.get(f"/hop-tin/{one.id}/song").text.count("<rect") > 90
    village.send(path, voice=b"#EXTM3U\nhttp://127.0.0.1/x.mp3\n", text="x")
    check_waiting(village.world.services())
    assert village.newest().voice.value == "refused"
    assert voices.voices(village.world.data).has(one.voice_sha256 or village_hash(village, one.id))


def village_hash(village, contribution: str) -> str:
    """Return the hash of the plain recording of a contribution."""
    with village.world.database.reading() as session:
        return session.scalar(select(_CONTRIBUTION.c.voice_sha256).where(_CONTRIBUTION.c.id == contribution))


def test_the_secret_is_kept_nowhere(village):
    """The link is shown once; the store keeps its hash, the page does not show it again, no log has it."""
    path = village.link()
    secret = path.rsplit("/", 1)[-1]
    assert len(secret) >= 22
    village.send(path, text="x")
    assert secret not in village.officer.get("/lien-ket").text
    with village.world.database.reading() as session:
        rows = [*session.execute(select(_LINK)), *session.execute(select(tables.audit))]
    assert secret not in repr(rows)
    headers = village.phone.get(path).headers
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in headers["X-Robots-Tag"]


def test_a_link_ends_when_it_expires_or_is_taken_back(village):
    """An ended link shows a sentence and takes nothing; an unknown one is not told from it by its answer."""
    path, other = village.link(days="30"), village.link()
    listed = village.officer.get("/lien-ket").text
    assert listed.count("Thôn Gò Chè") >= 2
    with village.world.database.reading() as session:
        first = session.scalar(select(_LINK.c.id).order_by(_LINK.c.created_at))
        links = list(session.scalars(select(_LINK.c.id)))
    for link in links:
        assert (
            village.world.post(village.world.signed_in("operator-longmai"), f"/lien-ket/{link}/thu-hoi").status_code
            == 404
        )
    assert village.world.post(village.officer, f"/lien-ket/{first}/thu-hoi").status_code == 303
    assert village.world.post(village.officer, f"/lien-ket/{first}/thu-hoi").status_code == 409
    ended = [one for one in (path, other) if village.phone.get(one).status_code == 404]
    assert len(ended) == 1
    assert "hết hạn hoặc đã bị thu hồi" in village.phone.get(ended[0]).text
    assert village.send(ended[0], text="x").status_code == 404
    village.world.clock.advance(31 * 86_400)
    assert [village.phone.get(one).status_code for one in (path, other)] == [404, 404]
    assert village.phone.get("/g/khongco").status_code == 404


def test_a_link_has_a_quota_and_a_limit_that_stop_no_other_link(village):
    """20 forms in ten minutes from one address: ten are taken; another link and another address go on."""
    path, other = village.link(quota="12"), village.link()
    codes = [village.send(path, text=f"Tin {n}").status_code for n in range(12)]
    assert codes == [303] * 10 + [429] * 2
    assert village.send(other, text="Tin khác").status_code == 303
    elsewhere = village.world.app.test_client()
    village.world.csrf(elsewhere)
    form = {"text": "Tin", "csrf_token": village.world.csrf(elsewhere)}
    said = [elsewhere.post(path, data=form, environ_base={"REMOTE_ADDR": "10.0.0.7"}) for _n in range(3)]
    assert [one.status_code for one in said] == [303, 303, 422]
    assert "12 tin trong 7 ngày" in said[-1].text
    village.world.clock.advance(8 * 86_400)
    assert village.send(path, text="Tuần sau").status_code == 303


def test_nothing_is_read_for_an_unknown_link(village):
    """60 MB for a link that does not exist is refused before the body; guessing addresses are slowed down."""
    answer = village.phone.post("/g/khongco", data=b"", headers={"Content-Length": "60000000"})
    assert answer.status_code == 404
    codes = {village.phone.get(f"/g/doan{n}").status_code for n in range(61)}
    assert codes == {404, 429}
    assert village.phone.get(village.link()).status_code == 200


def test_too_much_is_refused(village, monkeypatch):
    """An empty form, a text that is too long, and more bytes than a voice needs are refused in words."""
    path = village.link()
    assert village.send(path, text="   ").status_code == 422
    long = village.send(path, text="a" * 5001)
    assert (long.status_code, "5000 ký tự" in long.text) == (422, True)
    monkeypatch.setattr(outside, "VOICE_BYTES", 1000)
    monkeypatch.setattr(outside, "PHOTO_BYTES", 1000)
    assert village.send(path, voice=b"SOUND" + bytes(2000)).status_code == 422
    token = village.world.csrf(village.phone)
    head = f'--x\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{token}\r\n--x\r\n'
    body = f'{head}Content-Disposition: form-data; name="voice"; filename="a"\r\n\r\n'.encode() + bytes(1_200_000)
    heavy = village.phone.post(path, data=body + b"\r\n--x--\r\n", content_type="multipart/form-data; boundary=x")
    assert heavy.status_code == 413
    assert not list((village.world.data / "voices" / "sent").glob("*"))


def test_s8_a_form_without_its_token_is_not_taken(village):
    """A page elsewhere that knows a link still cannot send for the person who visits it."""
    path = village.link()
    assert village.world.app.test_client().post(path, data={"text": "x"}).status_code == 400
    assert village.world.app.test_client().post(village.link("report"), data={"trouble": "silent"}).status_code == 400


def test_villages_are_counted_by_week(village):
    """Who sends how much is a table of weeks; a village with a link that sent nothing this week stands first."""
    first = village.link(village="Thôn 1")
    village.link(village="Thôn 2")
    village.send(first, text="Tuần trước")
    village.world.clock.advance(7 * 86_400)
    village.officer = village.world.signed_in("operator")
    page = village.officer.get("/hop-tin").text
    assert "2 thôn chưa gửi gì trong tuần này." in page
    village.send(first, text="Tuần này 1")
    village.send(first, text="Tuần này 2")
    page = village.officer.get("/hop-tin").text
    assert "1 thôn chưa gửi gì trong tuần này." in page
    rows = re.findall(r'<tr><th scope="row">(Thôn \d)</th>((?:<td[^>]*>\d+</td>)+)', page)
    counts = {name: [int(n) for n in re.findall(r">(\d+)<", cells)] for name, cells in rows}
    assert [name for name, _cells in rows] == ["Thôn 2", "Thôn 1"]
    assert counts["Thôn 1"][-2:] == [1, 2]
    assert sum(counts["Thôn 2"]) == 0


def test_only_the_stations_people_see_and_answer(village):
    """Sister commune: 404; inspector and administrator: 403; the unit above may."""
    path = village.link()
    village.send(path, text="Tin")
    one = village.newest()
    world = village.world
    form = {"what": "reject", "answer": "Trùng"}
    for name, status in (("operator-longmai", 404), ("operator-bato", 404), ("inspector", 403), ("admin", 403)):
        client = world.signed_in(name)
        assert client.get(f"/hop-tin/{one.id}").status_code == status, name
        assert world.post(client, f"/hop-tin/{one.id}/tra-loi", form).status_code == status, name
        assert world.post(client, f"/hop-tin/{one.id}/bai", {"title": "x"}).status_code == status, name
    above = world.signed_in("centre-minhlong")
    assert above.get("/hop-tin?dai=LONGHIEP").status_code == 200
    assert world.post(above, f"/hop-tin/{one.id}/tra-loi", {"what": "reject"}).status_code == 409
    assert world.post(above, f"/hop-tin/{one.id}/tra-loi", form).status_code == 303
    assert village.newest().state is ContributionState.REJECTED
    assert world.post(village.officer, f"/hop-tin/{one.id}/tra-loi", {"what": "again"}).status_code == 303
    assert village.newest().state is ContributionState.NEW
    with world.database.reading() as session:
        names = set(session.scalars(select(tables.audit.c.what)))
    assert {"link.issue", "contribution", "contribution.rejected", "contribution.new"} <= names


def test_s34_s35_what_a_stranger_writes_stays_words(village):
    """Markup in text, name, village and answer is shown as letters everywhere."""
    path = village.link(village=NASTY, holder=NASTY)
    village.send(path, text=NASTY, name=NASTY, phone=NASTY[:40])
    one = village.newest()
    village.world.post(village.officer, f"/hop-tin/{one.id}/tra-loi", {"what": "thank", "answer": NASTY})
    for client, page in (
        (village.phone, path),
        (village.officer, "/hop-tin"),
        (village.officer, f"/hop-tin/{one.id}"),
        (village.officer, "/lien-ket"),
    ):
        text = client.get(page).text
        assert "<img src=x" not in text, page
        assert "{{7*7}}" in text, page


def test_a_broken_loudspeaker_is_reported_in_a_minute(village):
    """Behind the pole's link: what, where, photo, telephone; it is a ticket of the station with its number shown."""
    path = village.link("report", village="Cột loa ngã ba Gò Chè")
    assert "Loa không kêu" in village.phone.get(path).text
    answer = village.send(path, trouble="howling", what="Hú suốt đêm", phone="0905", photo=photo())
    assert answer.status_code == 303, answer.text
    assert re.search(r"PBH-\d+", village.phone.get(path).text)
    with village.world.database.reading() as session:
        (trouble,) = session.scalars(select(tables_equipment.ticket.c.trouble))
    assert trouble == Trouble.HOWLING.value
    assert len(list((village.world.data / "pictures").glob("??/*.jpg"))) == 1
    assert pictures(village.world.data)
    # The links of one kind open nothing of the other.
    secret = path.rsplit("/", 1)[-1]
    assert village.phone.get(f"/g/{secret}").status_code == 404


def test_links_are_made_by_those_who_may_and_with_sense(village):
    """Another commune's station, an inspector, nonsense in the form: refused; nothing is made."""
    world = village.world
    form = {"kind": "contribute", "station": "LONGHIEP", "village": "Thôn 1"}
    assert world.post(world.signed_in("operator-longmai"), "/lien-ket", form).status_code == 404
    assert world.post(world.signed_in("inspector"), "/lien-ket", form).status_code == 403
    for wrong in ({"village": " "}, {"days": "0"}, {"days": "9999"}, {"days": "mai"}, {"quota": "0"}, {"quota": "9 9"}):
        assert world.post(village.officer, "/lien-ket", form | wrong).status_code == 422, wrong
    report = form | {"kind": "report", "cluster": "KHONGCO"}
    assert world.post(village.officer, "/lien-ket", report).status_code in {404, 422}
    with world.database.reading() as session:
        assert session.scalar(select(_LINK.c.id)) is None
    made = world.post(village.officer, "/lien-ket", form)
    assert made.text.count("data:image/svg+xml") >= 1
    assert timedelta(days=180) == _days(village)


def _days(village) -> timedelta:
    """Return how long the only link works."""
    with village.world.database.reading() as session:
        row = session.execute(select(_LINK)).one()
    return row.expires_at - row.created_at
