"""What anybody may hear again: only what is approved, put up and aired; feed, calendar and the part for portals."""

from __future__ import annotations

import io
from datetime import UTC, datetime, time, timedelta

import feedparser
import podcastparser
import pytest
from icalendar import Calendar
from sqlalchemy import update

from schedules.airing import Airing, Evidence, Verdict
from schedules.grid import ItemKind, SessionItem, SessionRule
from schedules.segment import SegmentKind
from store import airings, authority, publications, revision, scripts, segments, sessions, tables, tables_texts
from webui import publishing
from webui.headers import CONTENT_SECURITY_POLICY

NASTY = '<script>alert("1")</script> & {{7*7}} \u202e'


def mp3(source, target) -> int:
    """Stand in for the encoder: something that depends on the recording."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(b"\xff\xfb" + source.read_bytes()[:20_000])
    return target.stat().st_size


class Stranger:
    """A browser that nobody has signed in with, which reads every answer to its end."""

    def __init__(self, app) -> None:
        self._client = app.test_client()

    def get(self, path: str, **options):
        """Return the answer, its file closed."""
        return self._client.get(path, buffered=True, **options)

    def post(self, path: str, **options):
        """Send something."""
        return self._client.post(path, **options)


class Listening:
    """A station with approved items, and hands to air and publish them."""

    def __init__(self, world) -> None:
        self.world = world
        self.stranger = Stranger(world.app)
        self.officer = world.signed_in("operator")
        self.seq = 0

    def item(self, title: str = "Tin thôn 1", content: bytes = b"SOUND 1", **fields) -> dict:
        """Return an approved recording."""
        return self.world.approved(self.stranger, title=title, content=content, **fields)

    def air(self, item: dict, **changes) -> None:
        """Let it have aired an hour ago."""
        self.seq += 1
        now = self.world.clock.now()
        start = changes.pop("at", now - timedelta(hours=1))
        values = {
            "slot": f"LONGHIEP/oneoff/{self.seq}",
            "station": "LONGHIEP",
            "kind": ItemKind.SEGMENT.value,
            "programme": "CDS",
            "segment": item["id"],
            "title": item["title"],
            "sha256": item["sha256"],
            "topics": ("DX-EGOV",),
            "planned_start": start,
            "planned_end": start + timedelta(seconds=30),
            "started_at": start,
            "ended_at": start + timedelta(seconds=30),
            "seconds_aired": 30.0,
            "samples_aired": 1_440_000,
            "samples_expected": 1_440_000,
            "bit_exact": True,
            "start_error_s": 0.0,
            "holes_s": 0.0,
            "parts": (),
            "outputs": (),
            "verdict": Verdict.AIRED,
            "reason": None,
            "rehearsal": False,
            "evidence": Evidence.E1,
        }
        with self.world.database.writing() as session:
            row = Airing(**(values | changes))
            airings.record(session, row.station, self.seq, f"{self.seq:064}", row)

    def publish(self, item: dict) -> str:
        """Have the officer put it up, make its file, and return its public id."""
        answer = self.world.post(self.officer, f"/cong-khai/LONGHIEP/{item['id']}/len")
        assert answer.status_code == 303, answer.text
        publishing.make_media(self.world.services(), make=mp3)
        with self.world.database.reading() as session:
            return session.scalar(
                publications._TABLE.select()
                .with_only_columns(publications._TABLE.c.id)
                .where(publications._TABLE.c.segment == item["id"])
            )

    def up(self, **fields) -> tuple[dict, str]:
        """Return an item that aired and is public, with its public id."""
        item = self.item(**fields)
        self.air(item)
        return item, self.publish(item)

    def status(self, path: str) -> int:
        """Return what a stranger gets at an address."""
        return self.stranger.get(path).status_code


@pytest.fixture
def listening(world):
    """The station and its listeners."""
    return Listening(world)


def addresses(publication: str) -> list[str]:
    """Return every address of a public item."""
    base = f"/nghe/LONGHIEP/{publication}"
    return [base, f"{base}.mp3", f"{base}/song"]


def test_an_item_is_public_once_it_is_approved_put_up_and_aired(listening):
    """Each of the three alone shows nothing; together it is on the page, in the feed and in the part for portals."""
    item = listening.item()
    publication = listening.publish(item)
    assert [listening.status(path) for path in addresses(publication)] == [410, 410, 410]
    assert item["title"] not in listening.stranger.get("/nghe/LONGHIEP").text

    listening.air(item)

    assert [listening.status(path) for path in addresses(publication)] == [200, 200, 200]
    for path in ("/nghe/LONGHIEP", "/nghe/LONGHIEP/podcast.xml", "/nghe/LONGHIEP/nhung"):
        assert item["title"] in listening.stranger.get(path).text, path
    other = listening.item("Bài không công khai", b"SOUND 2")
    listening.air(other)
    for path in ("/nghe/LONGHIEP", "/nghe/LONGHIEP/podcast.xml", "/nghe/LONGHIEP/nhung"):
        assert "Bài không công khai" not in listening.stranger.get(path).text, path


@pytest.mark.parametrize("change", ["taken back", "withdrawn", "edited", "emergency"])
def test_what_is_taken_away_is_gone_at_once(listening, change):
    """Taken back, withdrawn, changed or used for an emergency: page, feed and file say so at the next request."""
    item, publication = listening.up()
    world = listening.world
    cached = listening.stranger.get(f"/nghe/LONGHIEP/{publication}.mp3").headers["ETag"]
    if change == "taken back":
        assert world.post(listening.officer, f"/cong-khai/LONGHIEP/{item['id']}/xuong").status_code == 303
    elif change == "withdrawn":
        assert world.post(listening.officer, f"/bai/{item['id']}/thu-hoi", {"reason": "sai"}).status_code == 303
    elif change == "edited":
        with world.database.writing() as session:
            record = segments.find(session, item["id"])
            segments.edit(
                session,
                record.id,
                record.card,
                revision=record.revision,
                person=world.people["operator"],
                now=world.clock.now(),
            )
    else:
        with world.database.writing() as session:
            _template(session, item, world)

    assert [listening.status(path) for path in addresses(publication)] == [410, 410, 410]
    answer = listening.stranger.get(f"/nghe/LONGHIEP/{publication}.mp3", headers={"If-None-Match": cached})
    assert answer.status_code == 410
    assert item["title"] not in listening.stranger.get("/nghe/LONGHIEP").text
    assert item["title"] not in listening.stranger.get("/nghe/LONGHIEP/podcast.xml").text


def _template(session, item, world) -> None:
    """Let the recording stand in an emergency template."""
    session.execute(
        tables.emergency_template.insert().values(
            id="m1",
            owner="LONGHIEP",
            name="Bão",
            segment=item["id"],
            sha256=item["sha256"],
            urgency="immediate",
            repeats=1,
            tone_s=0.0,
            gap_s=0.0,
            prepared_by=world.people["operator"].id,
            prepared_at=world.clock.now(),
        )
    )


def test_the_file_of_what_was_taken_back_is_deleted(listening):
    """No copy stays in DATA for strangers; put up again it has the same address, and its guid stays."""
    item, publication = listening.up()
    path = publishing.media(listening.world.data, item["sha256"])
    assert path.is_file()
    listening.world.post(listening.officer, f"/cong-khai/LONGHIEP/{item['id']}/xuong")
    publishing.make_media(listening.world.services(), make=mp3)
    assert not path.exists()

    with listening.world.database.writing() as session:
        publications.media_made(session, publication, sha256=item["sha256"], size_bytes=None)
    assert listening.publish(item) == publication
    assert listening.status(f"/nghe/LONGHIEP/{publication}.mp3") == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"verdict": Verdict.MISSED},
        {"verdict": Verdict.PARTIAL},
        {"kind": ItemKind.EMERGENCY.value},
        {"station": "LONGMAI"},
    ],
)
def test_what_did_not_air_here_is_not_public(listening, changes):
    """A missed airing, an emergency, or an airing elsewhere does not make an item public here."""
    item = listening.item()
    listening.air(item, **changes)
    publication = listening.publish(item)
    assert listening.status(f"/nghe/LONGHIEP/{publication}") == 410


def test_rehearsals_count_only_in_the_demonstration(listening):
    """What only a virtual output heard was not aired, except where the whole machine is a demonstration."""
    item = listening.item()
    listening.air(item, rehearsal=True)
    publication = listening.publish(item)
    assert listening.status(f"/nghe/LONGHIEP/{publication}") == 200
    real = Stranger(listening.world.new_app(demo=False))
    assert real.get(f"/nghe/LONGHIEP/{publication}").status_code == 410


def test_only_people_of_the_station_put_up_and_take_back(listening):
    """Another commune's officer finds no such station; an inspector may not; every act is in the security log."""
    item = listening.item()
    world = listening.world
    path = f"/cong-khai/LONGHIEP/{item['id']}/len"
    assert world.post(world.signed_in("operator-longmai"), path).status_code == 404
    assert world.post(world.signed_in("inspector"), path).status_code == 403
    assert world.post(listening.officer, f"/cong-khai/LONGHIEP/{item['id']}/xuong").status_code == 409
    draft = world.analysed(listening.stranger, content=b"SOUND draft")
    assert world.post(listening.officer, f"/cong-khai/LONGHIEP/{draft['id']}/len").status_code == 409
    assert world.post(listening.officer, path).status_code == 303
    page = listening.officer.get("/cong-khai").text
    assert "Trang nghe lại" in page
    with world.database.reading() as session:
        assert (
            session.scalar(
                tables.audit.select()
                .with_only_columns(tables.audit.c.name)
                .where(tables.audit.c.what == "public.publish")
            )
            == "operator"
        )


def test_the_officer_sees_what_aired_and_copies_the_addresses(listening):
    """The page offers what aired, then shows it as public, with feed, calendar and the part for a portal."""
    item = listening.item()
    listening.air(item)
    offered = listening.officer.get("/cong-khai").text
    assert f"/cong-khai/LONGHIEP/{item['id']}/len" in offered
    listening.publish(item)
    shown = listening.officer.get("/cong-khai").text
    assert f"/cong-khai/LONGHIEP/{item['id']}/xuong" in shown
    assert "&lt;iframe src=" in shown
    assert "/nghe/LONGHIEP/podcast.xml" in shown


def test_s44_private_audio_never_comes_through_public_addresses(listening):
    """Hashes, ids of recordings, other stations' codes and paths give 404; private audio stays `private, no-store`."""
    item, publication = listening.up()
    hidden = listening.item("Riêng", b"SOUND 9")
    for wrong in (
        f"/nghe/LONGHIEP/{hidden['sha256']}.mp3",
        f"/nghe/LONGHIEP/{hidden['id']}.mp3",
        f"/nghe/LONGHIEP/{item['id']}.mp3",
        f"/nghe/LONGHIEP/{item['sha256']}",
        f"/nghe/LONGMAI/{publication}.mp3",
        f"/nghe/LONGMAI/{publication}",
        f"/nghe/LONGHIEP/../../media/{item['sha256'][:2]}/{item['sha256']}.flac",
        "/nghe/LONGHIEP/%2e%2e%2floa.db.mp3",
        "/nghe/KHONGCO",
        "/nghe/KHONGCO/podcast.xml",
    ):
        assert listening.status(wrong) == 404, wrong
    assert listening.status(f"/api/v1/segments/{item['id']}/audio") == 401
    private = Stranger(listening.world.app).get(
        f"/api/v1/segments/{hidden['id']}/audio", headers=listening.world.token("operator")
    )
    assert private.headers["Cache-Control"] == "private, no-store"
    # An ETag that was overheard tells nothing about what is private.
    answer = listening.stranger.get(
        f"/nghe/LONGHIEP/{hidden['id']}.mp3", headers={"If-None-Match": f'"{hidden["sha256"]}"'}
    )
    assert answer.status_code == 404


def test_the_player_gets_parts_and_caches_ask_each_time(listening):
    """Range and If-None-Match work; a shared cache must ask again each time, so that taking back holds at once."""
    _item, publication = listening.up()
    path = f"/nghe/LONGHIEP/{publication}.mp3"
    whole = listening.stranger.get(path)
    part = listening.stranger.get(path, headers={"Range": "bytes=2-5"})
    assert (part.status_code, part.data) == (206, whole.data[2:6])
    assert part.headers["Content-Range"] == f"bytes 2-5/{len(whole.data)}"
    assert listening.stranger.get(path, headers={"Range": f"bytes={10**9}-"}).status_code == 416
    assert whole.headers["Content-Type"] == "audio/mpeg"
    assert whole.headers["Cache-Control"] == "public, no-cache"
    assert listening.stranger.get(path, headers={"If-None-Match": whole.headers["ETag"]}).status_code == 304
    for page in ("/nghe/LONGHIEP", "/nghe/LONGHIEP/podcast.xml", "/nghe/LONGHIEP/lich.ics", "/nghe/LONGHIEP/nhung"):
        first = listening.stranger.get(page)
        assert first.headers["Cache-Control"] == "public, no-cache", page
        assert "Set-Cookie" not in first.headers, page
        again = listening.stranger.get(page, headers={"If-None-Match": first.headers["ETag"]})
        assert again.status_code == 304, page


def test_the_same_page_for_everybody(listening):
    """Nothing of who asks is on a public page: an officer and a stranger get the same bytes, without any name."""
    item, publication = listening.up(author="Đinh Thị Hạnh")
    for page in ("/nghe/LONGHIEP", f"/nghe/LONGHIEP/{publication}", "/nghe/LONGHIEP/nhung"):
        mine, theirs = listening.officer.get(page), listening.stranger.get(page)
        assert mine.data == theirs.data, page
        for name in ("Người operator", "Đinh Thị Hạnh", item["id"], "approver"):
            assert name not in mine.text, page
    feed = listening.stranger.get("/nghe/LONGHIEP/podcast.xml").text
    assert "Đinh Thị Hạnh" not in feed


def test_podcast_programs_read_the_feed(listening):
    """Two podcast readers get title, guid, file with its true length, day and duration; nothing is malformed."""
    item, publication = listening.up(title="Một cửa tuần 47 & VNeID <an toàn>")
    answer = listening.stranger.get("/nghe/LONGHIEP/podcast.xml")
    assert answer.headers["Content-Type"] == "application/rss+xml; charset=utf-8"
    parsed = podcastparser.parse("http://localhost/nghe/LONGHIEP/podcast.xml", io.BytesIO(answer.data))
    assert parsed["title"] == "Đài Long Hiệp"
    (episode,) = parsed["episodes"]
    assert episode["title"] == item["title"]
    assert episode["guid"] == f"urn:loa:{publication}"
    assert episode["total_time"] == 30
    assert datetime.fromtimestamp(episode["published"], UTC) == listening.world.clock.now() - timedelta(hours=1)
    (file,) = episode["enclosures"]
    assert file["mime_type"] == "audio/mpeg"
    got = listening.stranger.get(file["url"].removeprefix("http://localhost"))
    assert file["file_size"] == len(got.data)

    also = feedparser.parse(answer.data)
    assert not also.bozo
    assert also.entries[0].itunes_duration == "30"
    assert also.entries[0].id == f"urn:loa:{publication}"
    assert answer.data == listening.stranger.get("/nghe/LONGHIEP/podcast.xml").data


def test_s41_addresses_are_the_decided_ones(listening):
    """Links of feed, calendar and portal part use the decided address, whatever a stranger's headers say."""
    _item, publication = listening.up()
    with listening.world.database.writing() as session:
        authority.decide(
            session, authority.BASE_URL, "https://loa.example.vn", person=None, now=listening.world.clock.now()
        )
    forged = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "Forwarded": "host=evil.example"}
    feed = listening.stranger.get("/nghe/LONGHIEP/podcast.xml", headers=forged).text
    assert f"https://loa.example.vn/nghe/LONGHIEP/{publication}.mp3" in feed
    assert "evil.example" not in feed
    assert "https://loa.example.vn/nghe/LONGHIEP/nhung" in listening.officer.get("/cong-khai", headers=forged).text
    assert listening.stranger.get("/nghe/LONGHIEP/podcast.xml", headers={"Host": "evil.example"}).status_code == 400


def week(listening, name: str = "Buổi chiều; tin, bài") -> None:
    """Give the station a session every day at 17:30."""
    with listening.world.database.writing() as session:
        sessions.publish(
            session,
            SessionRule(
                id="chieu",
                station="LONGHIEP",
                name=name,
                since=listening.world.clock.now() - timedelta(days=1),
                starts=(time(17, 30),),
                length_s=900,
                items=(SessionItem(id="a", kind=ItemKind.SEGMENT, programme="CDS"),),
            ),
            listening.world.clock.now(),
        )
        revision.bump(session)


def test_calendar_programs_read_the_programme(listening):
    """Two weeks of sessions in local time with their zone, stable ids and escaped words."""
    week(listening)
    listening.item()
    answer = listening.stranger.get("/nghe/LONGHIEP/lich.ics")
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    read = Calendar.from_ical(answer.data)
    assert read.walk("VTIMEZONE")[0]["TZID"] == "Asia/Ho_Chi_Minh"
    events = read.walk("VEVENT")
    assert len(events) >= 13
    first = events[0]
    assert str(first["SUMMARY"]) == "Đài Long Hiệp: Buổi chiều; tin, bài"
    assert first.decoded("DTSTART").isoformat().endswith("T17:30:00+07:00")
    assert "17:30" in str(first["DESCRIPTION"])
    uids = [str(event["UID"]) for event in events]
    assert len(set(uids)) == len(uids)
    listening.world.clock.advance(3 * 3600)
    again = Calendar.from_ical(listening.stranger.get("/nghe/LONGHIEP/lich.ics").data)
    assert set(uids[1:]) <= {str(event["UID"]) for event in again.walk("VEVENT")}
    assert b"\\;" in answer.data and b"\\," in answer.data


def test_s43_only_the_part_for_portals_may_be_framed(listening):
    """Every other page forbids frames; the part itself has no form: nothing to be clicked by trick."""
    _item, publication = listening.up()
    framed = listening.stranger.get("/nghe/LONGHIEP/nhung")
    assert "frame-ancestors *" in framed.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in framed.headers
    assert "<form" not in framed.text
    for client, path in (
        (listening.stranger, "/nghe/LONGHIEP"),
        (listening.stranger, f"/nghe/LONGHIEP/{publication}"),
        (listening.stranger, "/nghe/LONGHIEP/podcast.xml"),
        (listening.stranger, "/dang-nhap"),
        (listening.officer, "/cong-khai"),
        (listening.officer, "/hop-tin"),
        (listening.officer, "/"),
    ):
        headers = client.get(path).headers
        assert headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY, path
        assert headers["X-Frame-Options"] == "DENY", path


def test_s34_s37_hostile_words_stay_words(listening):
    """Scripts, braces and marks in title, station and programme are shown as letters, in every form of it."""
    item, publication = listening.up(title=NASTY[:100])
    with listening.world.database.writing() as session:
        session.execute(update(tables.station).values(name=NASTY[:60]))
        session.execute(update(tables.programme).values(name=NASTY[:60]))
    for path in ("/nghe/LONGHIEP", f"/nghe/LONGHIEP/{publication}", "/nghe/LONGHIEP/nhung"):
        text = listening.stranger.get(path).text
        assert "<script>alert" not in text, path
        assert "{{7*7}}" in text, path
    shown = listening.officer.get("/cong-khai").text
    assert "<script>alert" not in shown
    parsed = feedparser.parse(listening.stranger.get("/nghe/LONGHIEP/podcast.xml").data)
    assert not parsed.bozo
    week(listening, name=f"BEGIN:VALARM {NASTY[:40]}")
    read = Calendar.from_ical(listening.stranger.get("/nghe/LONGHIEP/lich.ics").data)
    assert not read.walk("VALARM")
    assert item["id"] not in listening.stranger.get("/nghe/LONGHIEP").text


def test_s36_strange_parameters_find_nothing(listening):
    """Quotes, wildcards and SQL in addresses and filters give an empty page or 404, never an error."""
    listening.up()
    for strange in ("' OR 1=1 --", "%", "_", "CDS';DROP TABLE publication;--", "\x00", "a" * 3000, "../..", "\ud7ff"):
        answer = listening.stranger.get("/nghe/LONGHIEP", query_string={"chuyen_muc": strange, "truoc": strange})
        assert answer.status_code == 200, strange
        assert "Tin thôn 1" not in answer.text, strange
    assert listening.status("/nghe/LONGHIEP/%27%20OR%201=1") == 404


def test_strangers_have_a_limit_of_their_own(listening, world):
    """One address may ask often, and then waits; another address is served meanwhile."""
    codes = [listening.status("/nghe/KHONGCO") for _ in range(602)]
    assert codes[:600] == [404] * 600
    assert codes[600:] == [429, 429]
    elsewhere = Stranger(world.app)
    assert elsewhere.get("/nghe/LONGHIEP", environ_base={"REMOTE_ADDR": "10.0.0.9"}).status_code == 200
    world.clock.advance(61)
    assert listening.status("/nghe/LONGHIEP/nhung") == 200


def test_only_words_that_were_approved_are_shown(listening):
    """The text of an item stands on its page; changed after the approval it does not, until it is approved again."""
    world = listening.world
    item = listening.item()
    script = written(listening, "Xin chào bà con.", item["id"])
    listening.air(item)
    publication = listening.publish(item)
    assert "Xin chào bà con." not in listening.stranger.get(f"/nghe/LONGHIEP/{publication}").text
    with world.database.writing() as session:
        session.execute(update(tables_texts.script).values(updated_at=world.clock.now() - timedelta(hours=2)))
    assert "Xin chào bà con." in listening.stranger.get(f"/nghe/LONGHIEP/{publication}").text
    assert script


def written(listening, body: str, segment: str) -> str:
    """Return a text that belongs to a recording, changed after its approval."""
    listening.world.clock.advance(60)
    wording = scripts.Wording(
        owner="LONGHIEP",
        station="LONGHIEP",
        programme="CDS",
        title="Tin",
        body=body,
        kind=SegmentKind.TIN,
        topics=(),
        author="",
    )
    with listening.world.database.writing() as session:
        person = listening.world.people["operator"]
        made = scripts.write(session, wording, person=person, now=listening.world.clock.now())
        scripts.join(session, made, segment, spoken=True, now=listening.world.clock.now())
    return made


def test_topics_and_programmes_lead_to_what_is_wanted(listening):
    """The newest has its topics; the page of a programme shows only its items; older ones are a page further."""
    listening.up(title="Chuyển đổi số 1", topics="DX-EGOV")
    listening.world.clock.advance(60)
    listening.up(title="Bản tin 94", content=b"SOUND 3", programme="BANTIN")
    page = listening.stranger.get("/nghe/LONGHIEP").text
    assert page.index("Bản tin 94") < page.index("Chuyển đổi số 1")
    filtered = listening.stranger.get("/nghe/LONGHIEP?chuyen_muc=CDS").text
    assert "Chuyển đổi số 1" in filtered
    assert "Bản tin 94" not in filtered
