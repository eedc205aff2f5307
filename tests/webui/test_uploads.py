"""Recordings in parts: the tus protocol to the letter, nothing acknowledged lost, nobody else's business."""

from __future__ import annotations

import base64
import hashlib
import threading
from datetime import timedelta

import pytest

from schedules.segment import SegmentState
from store import segments, uploads
from webui import uploading

URL = "/api/v1/uploads"
TUS = {"Tus-Resumable": "1.0.0"}
PARTS = "application/offset+octet-stream"
SOUND = b"SOUND " + bytes(range(256)) * 40
LENGTH = len(SOUND)


def said(**values) -> str:
    """Return an Upload-Metadata header."""
    return ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in values.items())


CARD = said(filename="tin thôn.mp3", title="Tin thôn 1", programme="CDS", station="LONGHIEP", topics="DX-NAT,DX-SWOT")


class Sender:
    """A tus client of the smallest kind, speaking for one person."""

    def __init__(self, world, name="operator", **headers) -> None:
        self.client = world.client()
        self.headers = TUS | world.token(name) | headers

    def create(self, length=LENGTH, metadata=CARD, **options):
        """Announce a file and return the answer."""
        headers = {"Upload-Length": str(length)} | ({"Upload-Metadata": metadata} if metadata else {})
        return self.ask("POST", URL, headers | options.pop("headers", {}), **options)

    def begin(self, **options) -> str:
        """Announce a file and return its address."""
        answer = self.create(**options)
        assert answer.status_code == 201, answer.text
        return answer.headers["Location"]

    def patch(self, url, offset, content, **headers):
        """Send a part and return the answer."""
        own = {"Upload-Offset": str(offset), "Content-Type": PARTS}
        return self.ask("PATCH", url, own | {name.replace("_", "-"): value for name, value in headers.items()}, content)

    def head(self, url):
        """Ask how much is safe."""
        return self.ask("HEAD", url)

    def delete(self, url):
        """Give it up."""
        return self.ask("DELETE", url)

    def ask(self, method, url, headers=(), data=None):
        """Send any request and return the answer; a header that is None is left out."""
        sent = {name: value for name, value in (self.headers | dict(headers)).items() if value is not None}
        answer = self.client.open(url, method=method, headers=sent, data=data)
        assert answer.headers.get("Tus-Resumable") == "1.0.0", (method, url)
        return answer


@pytest.fixture
def sender(world):
    """The operator's program."""
    return Sender(world)


def bytes_of(world, url) -> bytes:
    """Return what lies on the disk for an upload."""
    return (world.data / "incoming" / f"{url.rsplit('/', 1)[1]}.upload").read_bytes()


def test_what_is_spoken_is_told_to_anybody(world, client):
    """OPTIONS names version, extensions, largest size and checksums, without signing in and without a version asked."""
    answer = client.options(URL)
    assert answer.status_code == 204
    assert answer.headers["Tus-Version"] == answer.headers["Tus-Resumable"] == "1.0.0"
    assert answer.headers["Tus-Extension"] == "creation,creation-with-upload,expiration,checksum,termination"
    assert answer.headers["Tus-Max-Size"] == str(500 * 1024 * 1024)
    assert answer.headers["Tus-Checksum-Algorithm"] == "sha1,sha256"
    assert client.options(f"{URL}/x").status_code == 204
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_file_in_three_parts_becomes_a_recording(world, sender):
    """Announced with its card, sent in three parts, a file is analysed like any other upload."""
    world.intake.start()
    answer = sender.create()
    assert answer.status_code == 201
    assert answer.headers["Upload-Offset"] == "0"
    assert answer.headers["Upload-Expires"] == "Tue, 24 Nov 2026 10:00:00 GMT"
    url = answer.headers["Location"]
    assert url.startswith(f"{URL}/")
    for begun, ended in ((0, 1), (1, 5000), (5000, len(SOUND))):
        head = sender.head(url)
        assert (head.status_code, head.headers["Upload-Offset"]) == (200, str(begun))
        assert head.headers["Upload-Length"] == str(len(SOUND))
        assert head.headers["Cache-Control"] == "no-store"
        assert head.headers["Upload-Metadata"] == CARD
        answer = sender.patch(url, begun, SOUND[begun:ended])
        assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, str(ended))
        assert answer.data == b""
    document = world.wait(sender.client, answer.headers["Loa-Segment"])
    assert document["state"] == "ready"
    assert (document["title"], document["topics"]) == ("Tin thôn 1", ["DX-NAT", "DX-SWOT"])
    assert (world.data / "originals" / document["id"]).read_bytes() == SOUND
    assert list((world.data / "incoming").iterdir()) == []
    with world.database.reading() as session:
        assert segments.find(session, document["id"]).file_name == "tin thôn.mp3"


def test_an_answer_that_got_lost_is_given_again(world, sender):
    """Whoever did not hear that the last part arrived learns it by asking, and gets no second recording."""
    url = sender.begin()
    segment = sender.patch(url, 0, SOUND).headers["Loa-Segment"]
    head = sender.head(url)
    assert (head.headers["Upload-Offset"], head.headers["Loa-Segment"]) == (str(len(SOUND)), segment)
    assert sender.patch(url, 0, SOUND).status_code == 409
    again = sender.patch(url, len(SOUND), b"")
    assert (again.status_code, again.headers["Loa-Segment"]) == (204, segment)
    assert sender.patch(url, len(SOUND), b"x").status_code == 413
    assert len(sender.client.get("/api/v1/segments", headers=sender.headers).json) == 1


@pytest.mark.parametrize("version", [None, "0.2.2", "1.0", "2.0.0"])
def test_another_version_is_not_spoken(sender, version):
    """Without the protocol's version, or with another one, nothing is done and the right one is named."""
    for method, url in (("POST", URL), ("HEAD", f"{URL}/x"), ("PATCH", f"{URL}/x"), ("DELETE", f"{URL}/x")):
        answer = sender.ask(method, url, {"Tus-Resumable": version, "Upload-Length": "1"})
        assert (answer.status_code, answer.headers["Tus-Version"]) == (412, "1.0.0"), method


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Upload-Length": None}, 400),
        ({"Upload-Length": "-1"}, 400),
        ({"Upload-Length": "1e3"}, 400),
        ({"Upload-Length": "99999999999999999999"}, 400),
        ({"Upload-Length": str(500 * 1024 * 1024 + 1)}, 413),
        ({"Upload-Length": None, "Upload-Defer-Length": "1"}, 400),
        ({"Upload-Concat": "partial"}, 400),
        ({"Upload-Metadata": "title %%%"}, 400),
        ({"Upload-Metadata": "title YQ==,title YQ=="}, 400),
        ({"Upload-Metadata": "tên YQ=="}, 400),
        ({"Upload-Metadata": "title " + "A" * 8000}, 400),
        ({"Upload-Metadata": said(programme="CDS")}, 422),
        ({"Upload-Metadata": said(programme="CDS", title="x", kind="phim")}, 422),
        ({"Upload-Metadata": said(programme="KHONG", title="x", station="LONGHIEP")}, 422),
        ({"Upload-Metadata": said(programme="CDS", title="x", station="BADINH")}, 404),
        ({"X-HTTP-Method-Override": "PATCH"}, 400),
        ({"Content-Encoding": "gzip"}, 415),
    ],
)
def test_what_cannot_be_announced(world, sender, headers, status):
    """A wrong length, name, card or extension is refused before a byte is sent, and nothing is kept."""
    answer = sender.create(headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.mimetype == "application/problem+json"
    with world.database.reading() as session:
        assert uploads.waiting(session, world.clock.now()) == frozenset()


@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        ({"Upload_Offset": None}, b"x", 400),
        ({"Upload_Offset": "-1"}, b"x", 400),
        ({"Upload_Offset": "5"}, b"x", 409),
        ({"Content_Type": "application/octet-stream"}, b"x", 415),
        ({"Content_Type": "text/plain"}, b"x", 415),
        ({"Content_Encoding": "gzip"}, b"x", 415),
        ({"X_HTTP_Method_Override": "DELETE"}, b"x", 400),
        ({"Upload_Checksum": "crc32 YQ=="}, b"x", 400),
        ({"Upload_Checksum": "sha1 ///"}, b"x", 400),
        ({"Upload_Checksum": "sha1 " + base64.b64encode(hashlib.sha1(b"y").digest()).decode()}, b"x", 460),
        ({}, SOUND + b"x", 413),
    ],
)
def test_what_is_not_taken_counts_for_nothing(world, sender, headers, content, status):
    """A part of the wrong kind, place, length or checksum is refused, and what was safe stays as it was."""
    url = sender.begin()
    assert sender.patch(url, 0, SOUND[:10]).status_code == 204
    assert sender.patch(url, 10, content, **headers).status_code == status
    assert sender.head(url).headers["Upload-Offset"] == "10"
    assert bytes_of(world, url) == SOUND[:10]


def test_a_part_with_the_right_checksum_is_taken(world, sender):
    """sha1 and sha256 are compared with what arrived."""
    url = sender.begin()
    for begun, algorithm in ((0, "sha1"), (5000, "sha256")):
        part = SOUND[begun : begun + 5000]
        digest = base64.b64encode(hashlib.new(algorithm, part).digest()).decode()
        assert sender.patch(url, begun, part, Upload_Checksum=f"{algorithm} {digest}").status_code == 204
    assert bytes_of(world, url) == SOUND[:10_000]


def test_the_first_part_may_come_with_the_announcement(world, sender):
    """Creation with upload: some of it, all of it, and too much of it."""
    body = {"headers": {"Content-Type": PARTS}}
    some = sender.create(data=SOUND[:100], **body)
    assert (some.status_code, some.headers["Upload-Offset"]) == (201, "100")
    assert sender.head(some.headers["Location"]).headers["Upload-Offset"] == "100"
    whole = sender.create(data=SOUND, **body)
    assert (whole.status_code, whole.headers["Upload-Offset"]) == (201, str(len(SOUND)))
    assert whole.headers["Loa-Segment"]
    assert sender.create(data=SOUND + b"x", **body).status_code == 413
    assert sender.create(data=b"x", headers={"Content-Type": "audio/mpeg"}).status_code == 415
    wrong = "sha1 " + base64.b64encode(hashlib.sha1(b"y").digest()).decode()
    assert sender.create(data=SOUND, headers={"Content-Type": PARTS, "Upload-Checksum": wrong}).status_code == 460
    assert len(list((world.data / "incoming").iterdir())) == 1


def test_an_empty_file_is_whole_at_once(world, sender):
    """A length of 0 is allowed by the protocol: nothing is to be sent, and the analysis judges it."""
    answer = sender.create(length=0)
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (201, "0")
    assert answer.headers["Loa-Segment"]
    assert sender.create(length=0, metadata="").status_code == 201


def test_a_file_without_a_card_waits_for_one(world, sender):
    """Any tus client can send a file; what it becomes is said afterwards, once."""
    url = sender.begin(metadata=said(filename="a.wav"))
    card = {"title": "Tin", "programme": "CDS", "station": "LONGHIEP", "topics": ["DX-NAT"]}
    assert sender.client.post(f"{url}/segment", json=card, headers=sender.headers).status_code == 409
    answer = sender.patch(url, 0, SOUND)
    assert (answer.status_code, "Loa-Segment" in answer.headers) == (204, False)
    assert (
        sender.client.post(f"{url}/segment", json=card | {"state": "approved"}, headers=sender.headers).status_code
        == 400
    )
    made = sender.client.post(f"{url}/segment", json=card, headers=sender.headers)
    assert made.status_code == 202, made.text
    assert sender.head(url).headers["Loa-Segment"] == made.json["id"]
    assert (world.data / "originals" / made.json["id"]).read_bytes() == SOUND
    assert sender.client.post(f"{url}/segment", json=card, headers=sender.headers).status_code == 409


def test_an_upload_can_be_given_up(world, sender):
    """Termination frees the bytes; the address is gone for good, and what became a recording stays one."""
    url = sender.begin()
    sender.patch(url, 0, SOUND[:10])
    assert sender.delete(url).status_code == 204
    assert list((world.data / "incoming").iterdir()) == []
    assert [sender.head(url).status_code, sender.patch(url, 10, b"x").status_code, sender.delete(url).status_code] == [
        410,
        410,
        410,
    ]
    done = sender.begin()
    segment = sender.patch(done, 0, SOUND).headers["Loa-Segment"]
    assert sender.delete(done).status_code == 204
    with world.database.reading() as session:
        assert segments.find(session, segment).state is SegmentState.RECEIVED


def test_what_waits_too_long_is_gone(world, sender):
    """Each byte prolongs an upload by a week; after that it is gone, and in the end nobody remembers it."""
    url = sender.begin()
    world.clock.advance(timedelta(hours=23).total_seconds())
    answer = sender.patch(url, 0, SOUND[:10])
    assert answer.headers["Upload-Expires"] == "Tue, 01 Dec 2026 09:00:00 GMT"
    sender = Sender(world)
    world.clock.advance(timedelta(days=7).total_seconds())
    sender = Sender(world)
    assert sender.head(url).status_code == 410
    assert sender.patch(url, 10, b"x").status_code == 410
    world.intake.sweep(older_than_s=0)
    assert list((world.data / "incoming").iterdir()) == []
    world.clock.advance(timedelta(days=8).total_seconds())
    world.intake.sweep(older_than_s=0)
    assert Sender(world).head(url).status_code == 404


def test_s2_an_upload_of_somebody_else_is_not_there(world, sender):
    """S2: with the id of another person's upload one learns and does nothing, in the own commune too."""
    url = sender.begin()
    sender.patch(url, 0, SOUND[:10])
    for name in ("operator2", "operator-bato", "centre-minhlong", "admin-minhlong"):
        other = Sender(world, name)
        assert other.head(url).status_code == 404
        assert other.patch(url, 10, SOUND[10:]).status_code == 404
        assert other.delete(url).status_code == 404
        assert (
            other.client.post(
                f"{url}/segment", json={"title": "x", "programme": "CDS"}, headers=other.headers
            ).status_code
            == 404
        )
    assert Sender(world, "inspector").create().status_code == 403
    assert sender.ask("POST", URL, {"Authorization": None, "Upload-Length": "1"}).status_code == 401
    assert sender.head(url).headers["Upload-Offset"] == "10"


def test_s8_a_page_of_somebody_else_cannot_send(world):
    """S8: with a session cookie every part needs the session's token; a bearer token needs none."""
    client = world.signed_in("operator")
    token = {"X-CSRFToken": world.csrf(client)}
    announced = TUS | {"Upload-Length": "10", "Upload-Metadata": CARD}
    assert client.post(URL, headers=announced).status_code == 400
    url = client.post(URL, headers=announced | token).headers["Location"]
    part = TUS | {"Upload-Offset": "0", "Content-Type": PARTS}
    refused = client.patch(url, headers=part, data=b"0123456789")
    assert (refused.status_code, refused.headers["Tus-Resumable"]) == (400, "1.0.0")
    assert client.delete(url, headers=TUS).status_code == 400
    assert client.head(url, headers=TUS).headers["Upload-Offset"] == "0"
    assert client.patch(url, headers=part | token, data=b"0123456789").status_code == 204


def test_s25_s32_nobody_fills_the_disk(world, monkeypatch):
    """S25, S32: files on their way are limited by number, by bytes and by room; what is there stays."""
    world.app = world.new_app(settings={"most_uploads": 3, "max_upload_bytes": 1000, "most_uploads_bytes": 2500})
    sender = Sender(world)
    first = sender.begin(length=1000)
    sender.begin(length=1000)
    assert sender.create(length=1000).status_code == 429
    sender.begin(length=500)
    answer = sender.create(length=0)
    assert (answer.status_code, answer.json["findings"][0]["code"]) == (429, "too_many_uploads")
    assert sender.head(first).status_code == 200
    assert Sender(world, "operator2").create(length=1000).status_code == 201
    sender.delete(first)
    monkeypatch.setattr("webui.uploading._RESERVE_BYTES", 1 << 60)
    full = sender.create(length=1)
    assert (full.status_code, full.json["findings"][0]["code"]) == (507, "disk_full")


def test_f12_a_full_disk_takes_nothing_back(world, sender, monkeypatch):
    """A disk that fills while a part is written is told kindly; what was acknowledged stays and goes on later."""
    url = sender.begin()
    sender.patch(url, 0, SOUND[:100])
    real, calls = uploading.os.pwrite, []

    def full(descriptor, content, at):
        calls.append(at)
        if len(calls) > 1:
            raise OSError(28, "No space left on device")
        return real(descriptor, bytes(content)[:7], at)

    monkeypatch.setattr("webui.uploading.os.pwrite", full)
    answer = sender.patch(url, 100, SOUND[100:])
    assert (answer.status_code, answer.json["findings"][0]["code"]) == (507, "disk_full")
    monkeypatch.undo()
    assert bytes_of(world, url) == SOUND[:100]
    assert sender.patch(url, 100, SOUND[100:]).status_code == 204


def test_two_at_once_do_not_mix(world, sender):
    """While one request writes, a second one is told to wait; of twenty at the same place one counts."""
    url = sender.begin()
    path = world.data / "incoming" / f"{url.rsplit('/', 1)[1]}.upload"
    with uploading._locked(path):
        assert sender.patch(url, 0, b"x").status_code == 423
        assert sender.delete(url).status_code == 423
    codes = []

    def send(number):
        codes.append(Sender(world).patch(url, 0, bytes([number]) * 1000).status_code)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes.count(204) == 1
    assert set(codes) <= {204, 409, 423}
    assert len(set(bytes_of(world, url))) == 1


def test_a_crash_takes_back_nothing_that_was_acknowledged(world, sender):
    """What a killed server left behind the safe bytes is written over; the rest is where it was, also after a start."""
    url = sender.begin()
    sender.patch(url, 0, SOUND[:100])
    path = world.data / "incoming" / f"{url.rsplit('/', 1)[1]}.upload"
    with path.open("ab") as file:
        file.write(b"never acknowledged" * 1000)
    (world.data / "incoming" / "half.part").write_bytes(b"x")
    world.intake.start()
    world.intake.stop()
    assert [one.name for one in (world.data / "incoming").iterdir()] == [path.name]
    assert sender.head(url).headers["Upload-Offset"] == "100"
    segment = sender.patch(url, 100, SOUND[100:]).headers["Loa-Segment"]
    assert (world.data / "originals" / segment).read_bytes() == SOUND


def test_bytes_that_vanished_are_not_made_up(world, sender):
    """Where the disk lost what had been acknowledged, the upload is over instead of full of holes."""
    url = sender.begin()
    sender.patch(url, 0, SOUND[:100])
    (world.data / "incoming" / f"{url.rsplit('/', 1)[1]}.upload").write_bytes(SOUND[:50])
    assert sender.patch(url, 100, SOUND[100:]).status_code == 410
    assert sender.head(url).status_code == 410


def test_a_recording_that_cannot_be_made_leaves_the_bytes(world):
    """Where the last part meets a limit of drafts, it does not count; it can be sent again when there is room."""
    world.app = world.new_app(settings={"most_drafts": 1})
    sender = Sender(world)
    url = sender.begin()
    sender.patch(url, 0, SOUND[:100])
    segment = world.upload(sender.client, "operator").json["id"]
    assert sender.patch(url, 100, SOUND[100:]).status_code == 429
    assert sender.head(url).headers["Upload-Offset"] == "100"
    assert [one.name for one in (world.data / "originals").iterdir()] == [segment]
    withdrawn = sender.client.post(f"/api/v1/segments/{segment}/withdraw", json={"reason": "x"}, headers=sender.headers)
    assert withdrawn.status_code == 200
    assert sender.patch(url, 100, SOUND[100:]).status_code == 204
