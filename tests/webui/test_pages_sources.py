"""Relay sources by form: only addresses that can be one, for every station, and not taken from under a session."""

from __future__ import annotations

from datetime import time

from schedules.grid import ItemKind, SessionItem, SessionRule
from schedules.sources import RelaySource, SourceKind, StreamFormat
from store import sessions, sources, tables

FORM = {
    "code": "huyen",
    "name": "Đài huyện",
    "kind": "http",
    "address": "https://radio.example.vn:8000/live.mp3",
    "hosts": "cdn1.example.vn, CDN2.example.vn",
    "format": "mp3",
}


def known(world):
    """Return the sources by code."""
    with world.database.reading() as session:
        return {one.code: one for one in sources.every(session)}


def test_a_source_is_added_changed_and_removed(world):
    """It is kept as typed, changed under its code, and its removal is refused while a session relays it."""
    client = world.signed_in("centre-minhlong")
    admin = world.signed_in("admin")
    refused = world.post(admin, "/nguon/sua", FORM)
    assert (refused.status_code, "phải do đơn vị quản lý tất cả các đài" in refused.text) == (422, True)
    # The unit above all stations is the province in this world.
    with world.database.writing() as session:
        session.execute(
            tables.person.update().where(tables.person.c.name == "centre-minhlong").values(unit="QUANGNGAI")
        )
    assert world.post(client, "/nguon/sua", FORM).status_code == 303
    assert known(world)["HUYEN"] == RelaySource(
        code="HUYEN",
        name="Đài huyện",
        kind=SourceKind.HTTP,
        address="https://radio.example.vn:8000/live.mp3",
        hosts=("cdn1.example.vn", "cdn2.example.vn"),
        format=StreamFormat.MP3,
    )
    assert world.post(client, "/nguon/sua", FORM).status_code == 422
    assert world.post(client, "/nguon/sua", {"ma": "HUYEN", "name": "H", "kind": "line", "address": "line1"}).location
    assert known(world)["HUYEN"] == RelaySource(code="HUYEN", name="H", kind=SourceKind.LINE, address="line1")
    assert "line1" in client.get("/nguon").text
    assert client.get("/nguon/sua?ma=KHONG").status_code == 404
    rule = SessionRule(
        id="toi",
        station="LONGHIEP",
        name="Buổi tối",
        starts=(time(19),),
        length_s=600,
        items=(SessionItem(id="a", kind=ItemKind.RELAY, relay="HUYEN", length_s=600),),
        since=world.clock.now(),
    )
    with world.database.writing() as session:
        sessions.publish(session, rule, world.clock.now())
    held = world.post(client, "/nguon/bo", {"ma": "HUYEN"}, follow_redirects=True)
    assert "còn được tiếp âm trong: “Buổi tối”" in held.text
    with world.database.writing() as session:
        sessions.remove(session, "LONGHIEP", "toi", world.clock.now())
    world.post(client, "/nguon/bo", {"ma": "HUYEN"})
    assert "HUYEN" not in known(world)
    assert "Không có nguồn này." in world.post(client, "/nguon/bo", {"ma": "HUYEN"}, follow_redirects=True).text


WRONG = [
    ({"code": "h"}, "code"),
    ({"code": "VOV1"}, "code"),
    ({"name": " "}, "name"),
    ({"kind": "ftp"}, "kind"),
    ({"format": ""}, "format"),
    ({"address": "file:///etc/passwd"}, "address"),
    ({"address": "https://"}, "address"),
    ({"address": "https://radio.example.vn:99999/"}, "address"),
    ({"address": "https://a b.vn/"}, "address"),
    ({"address": "https://ai:matkhau@radio.example.vn/"}, "address"),
    ({"address": "https://radio.example.vn/#a"}, "address"),
    ({"kind": "line", "address": "https://radio.example.vn/"}, "address"),
    ({"hosts": "http://cdn.example.vn"}, "hosts"),
    ({"hosts": " ".join(f"c{n}.vn" for n in range(21))}, "hosts"),
]


def test_an_address_that_cannot_be_a_source_is_refused_beside_its_field(world):
    """No file, no password in a document that every station reads, no host that is none."""
    client = world.signed_in("centre-minhlong")
    for change, where in WRONG:
        bad = world.post(client, "/nguon/sua", FORM | change)
        assert (bad.status_code, f'id="e-{where}"' in bad.text) == (422, True), change
    assert set(known(world)) == {"VOV1", "HOITRUONG"}


def test_in_service_no_source_is_the_stations_own_machine(world):
    """Outside the demonstration an address cannot make a station ask itself."""
    app = world.new_app(demo=False)
    client = app.test_client()
    world.sign_in(client, "centre-minhlong")
    for host in ("127.0.0.1", "localhost", "169.254.169.254", "0.0.0.0"):
        bad = world.post(client, "/nguon/sua", FORM | {"address": f"http://{host}/live.mp3"})
        assert (bad.status_code, "chính máy phát của đài" in bad.text) == (422, True), host
