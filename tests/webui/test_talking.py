"""Hands at a station: live talks from a browser, tests of outputs, and a clock that a person vouches for."""

from __future__ import annotations

from datetime import timedelta

from link.door import OutputStatus
from schedules.text import Text
from store import audit
from webui import talking

LIVE = "/api/v1/stations/LONGHIEP/live"
PIECE = b"\x01\x00" * 12_000


def send(client, world, talk, number, pcm=PIECE, who="operator"):
    """Send a piece of a talk and return the answer."""
    return client.post(
        f"{LIVE}/{talk}/audio?n={number}",
        data=pcm,
        content_type="application/octet-stream",
        headers=world.token(who),
    )


def test_a_talk_takes_each_piece_once_and_from_its_own_speaker(world, client):
    """A piece that comes twice is heard once, nobody talks into another's talk, and its end is the end."""
    door = world.doors["LONGHIEP"]
    begun = client.post(LIVE, json={"limit_s": 60}, headers=world.token("operator"))
    talk = begun.json["id"]
    assert (begun.status_code, begun.headers["Location"]) == (201, f"{LIVE}/{talk}")
    assert (door.talk.by, door.talk.input) == ("Người operator", None)
    assert send(client, world, talk, 1).json == {"going": True}
    assert send(client, world, talk, 1).json == {"going": True}
    assert send(client, world, talk, 3).json == {"going": True}
    assert send(client, world, talk, 2).json == {"going": True}
    assert door.heard == PIECE * 2
    assert send(client, world, talk, 4, who="operator2").json == {"going": False}
    assert send(client, world, talk, 4, pcm=b"\x01").status_code == 422
    assert send(client, world, talk, 4, pcm=b"").status_code == 422
    assert send(client, world, talk, 4, pcm=b"\0" * (talking.MOST_BYTES + 2)).status_code == 413
    assert client.post(f"{LIVE}/{talk}/audio?n=4", data=PIECE, headers=world.token("operator")).status_code == 415
    assert client.get("/api/v1/stations/LONGHIEP", headers=world.token("inspector")).json["live"]["id"] == talk
    assert client.delete(f"{LIVE}/{talk}", headers=world.token("approver")).json == {"going": False}
    assert door.talk is None
    assert send(client, world, talk, 5).json == {"going": False}
    with world.database.reading() as session:
        rows = [(one.what, one.name) for one in audit.newest(session, limit=2)]
    assert rows == [("live.end", "approver"), ("live.begin", "operator")]


def test_a_talk_that_cannot_be_is_refused_in_plain_words(world, client):
    """The station's reason is the answer; a limit, a microphone or a group that is not there is named at once."""
    door = world.doors["LONGHIEP"]
    door.refuses = Text("Đang phát khẩn cấp.", "An emergency is on air.")
    refused = client.post(LIVE, json={}, headers=world.token("operator"))
    assert (refused.status_code, refused.json["detail"]) == (409, "Đang phát khẩn cấp.")
    wrong = client.post(
        LIVE, json={"limit_s": 1, "input": "mic", "targets": ["thon-1"]}, headers=world.token("operator")
    )
    assert wrong.status_code == 422
    assert [one["where"] for one in wrong.json["findings"]] == ["limit_s", "input", "targets"]
    door.refuses, door.inputs = None, ("mic",)
    assert client.post(LIVE, json={"input": "mic"}, headers=world.token("operator")).status_code == 201
    assert door.talk.input == "mic"
    assert client.post(LIVE, json={}, headers=world.token("admin")).status_code == 403
    assert client.post(LIVE, json={}, headers=world.token("operator-longmai")).status_code == 404
    world.doors.pop("LONGHIEP")
    gone = client.post(LIVE, json={}, headers=world.token("operator"))
    assert gone.json["findings"][0]["code"] == "station_unreached"


def test_a_browser_that_falls_silent_ends_its_talk(world, client):
    """A closed lid does not leave a station on air until the limit; a talk that still speaks goes on."""
    here = world.app.extensions["loa"]
    door = world.doors["LONGHIEP"]
    talk = client.post(LIVE, json={"limit_s": 60}, headers=world.token("operator")).json["id"]
    world.clock.advance(5)
    send(client, world, talk, 1)
    world.clock.advance(5)
    assert talking.sweep(here) == 0
    world.clock.advance(2)
    assert talking.sweep(here) == 1
    assert door.talk is None
    assert talking.sweep(here) == 0
    again = client.post(LIVE, json={"limit_s": 20}, headers=world.token("operator")).json["id"]
    world.clock.advance(20)
    send(client, world, again, 1)
    assert talking.sweep(here) == 1


def test_an_output_is_sounded_by_name(world, client):
    """Only an output that the station has, only where it agrees, and with the name of who did it."""
    door = world.doors["LONGHIEP"]
    path = "/api/v1/stations/LONGHIEP/outputs/{}/test"
    assert client.post(path.format("main"), headers=world.token("operator")).status_code == 204
    assert door.tested == [("main", "Người operator")]
    assert client.post(path.format("other"), headers=world.token("operator")).status_code == 404
    assert client.post(path.format("main"), headers=world.token("inspector")).status_code == 403
    door.refuses = Text("Đang phát, nên không thử được.", "On air, so nothing is tested.")
    refused = client.post(path.format("main"), headers=world.token("operator"))
    assert (refused.status_code, refused.json["detail"]) == (409, "Đang phát, nên không thử được.")


def test_f28_a_person_vouches_for_the_time_that_was_shown(world, client):
    """F28: what was on a page for more than two minutes is no longer what the person saw."""
    door = world.doors["LONGHIEP"]
    path = "/api/v1/stations/LONGHIEP/clock"
    shown = world.clock.now()
    world.clock.advance(120)
    body = {"shown": shown.isoformat()}
    assert client.post(path, json=body, headers=world.token("operator")).status_code == 204
    assert door.confirmed == [("Người operator", shown)]
    world.clock.advance(1)
    late = client.post(path, json=body, headers=world.token("operator"))
    assert (late.status_code, late.json["findings"][0]["code"]) == (409, "time_shown_is_old")
    ahead = {"shown": (world.clock.now() + timedelta(seconds=121)).isoformat()}
    assert client.post(path, json=ahead, headers=world.token("operator")).status_code == 409
    assert len(door.confirmed) == 1


def test_pages_show_amplifier_and_ear_and_take_the_same_acts(world):
    """What hangs on an output is told in words beside it; a refusal of the station is shown, not swallowed."""
    door = world.doors["LONGHIEP"]
    door.outputs = (
        OutputStatus(name="main", kind="pulse", device="loa", state="ok", amplifier="fault", ear="foreign"),
    )
    client = world.signed_in("operator")
    page = client.get("/dai/LONGHIEP").text
    assert "Tăng âm không bật, tắt được" in page
    assert "Đầu ra có tiếng khác với bài đang phát" in page
    assert "Thử loa main" in page
    document = client.get("/api/v1/stations/LONGHIEP", headers=world.token("operator")).json
    assert [(one["amplifier"], one["ear"]) for one in document["outputs"]] == [("fault", "foreign")]

    door.refuses = Text("Ngoài giờ được phát.", "Outside the permitted hours.")
    back = world.post(client, "/dai/LONGHIEP/thu-loa", {"output": "main"}, follow_redirects=True)
    assert "Chưa thử loa được. Ngoài giờ được phát." in back.text
    stale = world.post(client, "/dai/LONGHIEP/dong-ho", {"shown": "hôm qua"})
    assert (stale.status_code, "đã cũ" in stale.text) == (422, True)
    door.inputs = ("mic",)
    refused = world.post(client, "/dai/LONGHIEP/noi", {"input": "mic", "minutes": "5"})
    assert (refused.status_code, "Ngoài giờ được phát." in refused.text) == (422, True)
    wrong = world.post(client, "/dai/LONGHIEP/noi", {"minutes": "7"})
    assert wrong.text.count('class="err"') == 2
    door.refuses = None
    world.post(client, "/dai/LONGHIEP/noi", {"input": "mic", "minutes": "5"})
    assert (door.talk.input, (door.talk.ends_at - world.clock.now()).total_seconds()) == ("mic", 300)
    assert "đang nói trực tiếp" in client.get("/dai/LONGHIEP/noi").text
    over = world.post(client, "/dai/LONGHIEP/noi/dung", {"talk": door.talk.id}, follow_redirects=True)
    assert "Đã kết thúc phát trực tiếp." in over.text
    assert door.talk is None
