"""Stations, one-off airings, the air log, listening and duties over the API."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import timedelta

import pytest

from link.door import OnAirStatus
from schedules.airing import Airing, Evidence, OutputCount, Verdict
from schedules.text import Text
from store import airings, sessions
from store.intent import load_intent


@pytest.fixture
def airing(world):
    """A row about something that aired."""
    now = world.clock.now()
    return Airing(
        slot="LONGHIEP/sang/2026-11-23/cds",
        station="LONGHIEP",
        kind="segment",
        programme="CDS",
        segment="seg1",
        title="Tin thôn 1",
        sha256="a" * 64,
        topics=("DX-A1",),
        planned_start=now,
        planned_end=now + timedelta(seconds=30),
        started_at=now + timedelta(milliseconds=3),
        ended_at=now + timedelta(seconds=30),
        seconds_aired=30.0,
        samples_aired=1_440_000,
        samples_expected=1_440_000,
        bit_exact=True,
        start_error_s=0.003,
        holes_s=0.0,
        parts=(),
        outputs=(OutputCount(name="main", kind="pulse", samples=1_440_000, grade=Evidence.E1),),
        verdict=Verdict.AIRED,
        reason=Text("Đã phát đủ.", "Aired whole."),
        rehearsal=False,
        evidence=Evidence.E1,
    )


def log(world, *rows, station="LONGHIEP"):
    with world.database.writing() as session:
        for seq, row in enumerate(rows, start=1):
            airings.record(session, station, seq, f"{seq:064d}", row)


def order(world, client, segment, *, seconds=20, station="LONGHIEP", name="operator", **extra):
    start = (world.clock.now() + timedelta(seconds=seconds)).isoformat()
    return client.post(
        f"/api/v1/stations/{station}/airings",
        json={"segment": segment, "start": start, "timing": "hard", **extra},
        headers=world.token(name),
    )


def test_health_tells_strangers_nothing(world, client):
    """S50: without a sign-in health is one word; with one it names version, clock and the own stations."""
    assert client.get("/api/v1/health").json == {"status": "ok"}
    assert client.get("/api/v1/health", headers={"Authorization": "Bearer loa_wrong"}).json == {"status": "ok"}
    known = client.get("/api/v1/health", headers=world.token("operator-minhlong")).json
    assert known["version"] == "0.1.0"
    assert known["clock"]["state"] == "trusted"
    assert known["stations"] == {code: {"state": "idle", "clock": "trusted"} for code in ("LONGHIEP", "LONGMAI")}
    assert set(client.get("/api/v1/health", headers=world.token("operator")).json["stations"]) == {"LONGHIEP"}


def test_lists_of_codes_and_the_own_person(world, client):
    """Units, programmes and oneself are told to whoever is signed in."""
    headers = world.token("centre-minhlong")
    assert {unit["code"] for unit in client.get("/api/v1/units", headers=headers).json} >= {"MINHLONG", "LONGHIEP"}
    assert [entry["code"] for entry in client.get("/api/v1/programmes", headers=headers).json] == ["BANTIN", "CDS"]
    me = client.get("/api/v1/me", headers=headers).json
    assert (me["role"], me["units"]) == ("centre", ["LONGHIEP", "LONGMAI", "MINHLONG"])


def test_stations_as_they_are_now(world, client):
    """A station tells its state, what is on air, its outputs and its last contact; one without a link is off."""
    now = world.clock.now()
    world.doors["LONGHIEP"].state = "on_air"
    world.doors["LONGHIEP"].on_air = OnAirStatus(
        slot="s", title="Tin", programme="CDS", kind="segment", segment="seg1", started_at=now,
        ends_at=now, position_s=3.0, duration_s=30.0,
    )  # fmt: skip
    stations = client.get("/api/v1/stations", headers=world.token("admin-minhlong")).json
    assert [station["code"] for station in stations] == ["LONGHIEP", "LONGMAI"]
    one = client.get("/api/v1/stations/LONGHIEP", headers=world.token("operator")).json
    assert one["state"] == "on_air"
    assert one["on_air"]["position_s"] == 3.0
    assert one["clock"] == {"state": "trusted", "reason": "Đồng hồ mô phỏng."}
    assert one["outputs"][0]["kind"] == "virtual"
    assert one["last_contact"] == "2026-11-23T10:00:00+00:00"
    assert one["level_dbfs"] == -20.0
    far = client.get("/api/v1/stations/BADINH", headers=world.token("operator-bato")).json
    assert (far["state"], far["last_contact"]) == ("off", None)
    for code in ("LONGHIEP", "KHONGCO"):
        assert client.get(f"/api/v1/stations/{code}", headers=world.token("admin-bato")).status_code == 404


def test_a_one_off_airing_stands_in_the_plan(world, client):
    """An approved recording is ordered, appears in the plan with its reason and slot, and wakes the stations."""
    segment = world.approved(client)["id"]
    woken = world.doors["LONGHIEP"].woken
    taken = order(world, client, segment)
    assert taken.status_code == 201, taken.text
    assert taken.json["slot"] == f"LONGHIEP/oneoff/{taken.json['id']}"
    assert world.doors["LONGHIEP"].woken == woken + 1
    items = client.get("/api/v1/stations/LONGHIEP/plan", headers=world.token("inspector")).json
    (item,) = (item for item in items if item["slot"] == taken.json["slot"])
    assert item["segment"] == segment
    assert item["timing"] == "hard"
    assert item["start"] == "2026-11-23T10:00:20+00:00"
    assert item["why"]
    with world.database.reading() as session:
        assert load_intent(session, world.clock.now(), demo=True).one_offs[0].ordered_by == "Người operator"


def test_a_one_off_that_cannot_be_is_told_why(world, client):
    """Unapproved, past, or at another unit's station: refused with a finding, and nothing is ordered."""
    draft = world.analysed(client, content=b"SOUND draft")["id"]
    unapproved = order(world, client, draft)
    assert (unapproved.status_code, unapproved.json["findings"][0]["code"]) == (409, "not_approved")
    segment = world.approved(client)["id"]
    past = order(world, client, segment, seconds=-5)
    assert (past.status_code, past.json["findings"][0]["code"]) == (409, "in_the_past")
    assert order(world, client, segment, station="LONGMAI").status_code == 404
    assert order(world, client, segment, name="inspector").status_code == 403
    assert order(world, client, "khongco").status_code == 404
    assert order(world, client, segment, timing="relative").status_code == 400
    assert order(world, client, segment, start="2026-11-23T10:00:20").status_code == 400
    with world.database.reading() as session:
        assert load_intent(session, world.clock.now(), demo=True).one_offs == ()


def test_a_one_off_is_cancelled_before_it_starts_only(world, client):
    """Cancelled once, by somebody of that unit, with the name kept; after its start it can only be stopped."""
    segment = world.approved(client)["id"]
    first, second = (order(world, client, segment, seconds=after).json["id"] for after in (100, 200))
    assert client.delete(f"/api/v1/airings/{first}", headers=world.token("operator-longmai")).status_code == 404
    assert client.delete(f"/api/v1/airings/{first}", headers=world.token("inspector")).status_code == 403
    gone = client.delete(f"/api/v1/airings/{first}", headers=world.token("approver"))
    assert (gone.status_code, gone.data) == (204, b"")
    assert client.delete(f"/api/v1/airings/{first}", headers=world.token("approver")).status_code == 409
    world.clock.advance(200)
    assert client.delete(f"/api/v1/airings/{second}", headers=world.token("approver")).status_code == 409
    with world.database.reading() as session:
        names = [one.cancelled_by for one in load_intent(session, world.clock.now(), demo=True).one_offs]
    assert names == ["Người approver", None]


def test_withdrawing_takes_an_ordered_airing_out_of_the_plan(world, client):
    """A recording that is withdrawn after it was ordered has no audio in the plan any more."""
    segment = world.approved(client)["id"]
    slot = order(world, client, segment).json["slot"]
    client.post(f"/api/v1/segments/{segment}/withdraw", json={"reason": "Sai"}, headers=world.token("approver"))
    items = client.get("/api/v1/stations/LONGHIEP/plan", headers=world.token("operator")).json
    assert all(item["sha256"] is None for item in items if item["slot"] == slot)


def test_stopping_names_who_and_why(world, client):
    """Silence is ordered with a reason by those who may, and the station hears the full name."""
    path = "/api/v1/stations/LONGHIEP/stop"
    assert client.post(path, json={"reason": ""}, headers=world.token("operator")).status_code == 400
    assert client.post(path, json={"reason": "x"}, headers=world.token("inspector")).status_code == 403
    assert client.post(path, json={"reason": "x"}, headers=world.token("operator-longmai")).status_code == 404
    assert world.doors["LONGHIEP"].stops == []
    stopped = client.post(path, json={"reason": "Có tang"}, headers=world.token("operator"))
    assert stopped.json == {"stopped": False}
    assert world.doors["LONGHIEP"].stops == [("Người operator", "Có tang")]


def test_the_plan_is_asked_for_a_stretch(world, client):
    """The stretch is given with offsets, also with an unescaped plus; senseless ones are refused."""
    headers = world.token("operator")
    good = "from=2026-11-23T00:00:00+07:00&to=2026-11-24T00:00:00%2B07:00"
    assert client.get(f"/api/v1/stations/LONGHIEP/plan?{good}", headers=headers).status_code == 200
    assert client.get(f"/api/v1/stations/LONGHIEP/plan/findings?{good}", headers=headers).status_code == 200
    for bad, status in (
        ("from=2026-11-23T00:00:00", 400),
        ("from=hom-nay", 400),
        ("from=2026-11-23T00:00:00Z&to=2026-11-22T00:00:00Z", 422),
        ("from=2026-01-01T00:00:00Z&to=2026-12-31T00:00:00Z", 422),
        ("sort=drop", 400),
    ):
        assert client.get(f"/api/v1/stations/LONGHIEP/plan?{bad}", headers=headers).status_code == status, bad


def test_the_air_log_tells_everything_of_a_row(world, client, airing):
    """Rows carry the fields of the contract, times with offset, and where to listen."""
    log(world, airing)
    (row,) = client.get("/api/v1/stations/LONGHIEP/airlog", headers=world.token("inspector")).json
    for field in [
        "slot",
        "programme",
        "segment",
        "sha256",
        "planned_start",
        "started_at",
        "ended_at",
        "seconds_aired",
        "samples_aired",
        "samples_expected",
        "bit_exact",
        "start_error_s",
        "holes_s",
        "parts",
        "outputs",
        "verdict",
        "reason",
        "rehearsal",
        "evidence",
        "seq",
        "hash",
        "aircheck",
    ]:
        assert field in row
    assert (row["verdict"], row["seq"], row["hash"]) == ("aired", 1, f"{1:064d}")
    assert row["started_at"] == "2026-11-23T10:00:00.003000+00:00"
    assert row["outputs"] == [{"name": "main", "kind": "pulse", "samples": 1_440_000, "grade": "E1"}]
    playlist = client.get(row["aircheck"], headers=world.token("inspector"))
    assert playlist.status_code == 200
    assert playlist.text.splitlines()[-2] == "aircheck/20261123T100000Z/1.m4s"


def test_the_air_log_is_paged_and_filtered(world, client, airing):
    """Parts follow each other by the Link header; verdict and time narrow them; other communes see nothing."""
    now = world.clock.now()
    rows = [
        replace(
            airing,
            slot=f"s{n}",
            planned_start=now + timedelta(minutes=n // 2),
            verdict=Verdict.MISSED if n == 3 else Verdict.AIRED,
        )
        for n in range(7)
    ]
    log(world, *rows)
    headers = world.token("operator")
    seen, path = [], "/api/v1/stations/LONGHIEP/airlog?limit=3"
    while path:
        answer = client.get(path, headers=headers)
        seen += [row["seq"] for row in answer.json]
        link = answer.headers.get("Link")
        path = link[1 : link.index(">")] if link else None
    assert seen == [1, 2, 3, 4, 5, 6, 7]
    missed = client.get("/api/v1/stations/LONGHIEP/airlog?verdict=missed,partial", headers=headers).json
    assert [row["seq"] for row in missed] == [4]
    late = client.get("/api/v1/stations/LONGHIEP/airlog?from=2026-11-23T10:03:00Z", headers=headers).json
    assert [row["seq"] for row in late] == [7]
    assert client.get("/api/v1/stations/LONGHIEP/airlog?verdict=tot", headers=headers).status_code == 422
    assert client.get("/api/v1/stations/LONGHIEP/airlog", headers=world.token("operator-bato")).status_code == 404


def test_s7_the_air_log_cannot_be_written(world, client, airing):
    """S7: there is no call that changes a row, for nobody."""
    log(world, airing)
    for name in ("centre-minhlong", "admin-minhlong", "inspector"):
        for method in ("post", "put", "patch", "delete"):
            answer = getattr(client, method)("/api/v1/stations/LONGHIEP/airlog", json={}, headers=world.token(name))
            assert answer.status_code == 405


FORMULAS = [
    "=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", ";=1", "\uff1d1", "|x", "%0A=1",
]  # fmt: skip


@pytest.mark.parametrize("title", FORMULAS)
def test_s38_the_table_holds_no_formula(world, client, airing, title):
    """S38: text that a spreadsheet would run is made text, and nothing of it is lost."""
    log(world, replace(airing, title=title, start_error_s=-0.25))
    answer = client.get("/api/v1/stations/LONGHIEP/airlog.csv", headers=world.token("operator"))
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    text = answer.data.decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert row["title"] == "'" + title
    assert row["start_error_s"] == "-0.25"
    assert row["reason"] == "Đã phát đủ."


def test_listening_live_and_to_pieces(world, client):
    """Playlists point to pieces by short private requests; silence and foreign names are 404."""
    door = world.doors["LONGHIEP"]
    folder = world.data / "aircheck" / "LONGHIEP" / "20261123T100000Z"
    folder.mkdir(parents=True)
    (folder / "1.m4s").write_bytes(b"moof")
    (world.data / "aircheck" / "LONGHIEP" / "secret").write_bytes(b"x")
    headers = world.token("operator")
    assert client.get("/api/v1/stations/LONGHIEP/live.m3u8", headers=headers).status_code == 404
    door.live = True
    live = client.get("/api/v1/stations/LONGHIEP/live.m3u8", headers=headers)
    assert live.mimetype == "application/vnd.apple.mpegurl"
    assert live.headers["Cache-Control"] == "private, no-store"
    assert 'URI="aircheck/20261123T100000Z/head.mp4"' in live.text
    uri = live.text.splitlines()[-1]
    with client.get(f"/api/v1/stations/LONGHIEP/{uri}", headers=headers) as piece:
        assert (piece.status_code, piece.data, piece.mimetype) == (200, b"moof", "audio/mp4")
        assert piece.headers["Cache-Control"].startswith("private")
    for bad in (
        "..%2f..%2fsecret/1.m4s", "../secret", "20261123T100000Z/..%2f..%2f..%2floa.db", "%2e%2e/secret", "./1.m4s",
        "20261123T100000Z/2.m4s", "20261123T100000Z/%00",
    ):  # fmt: skip
        answer = client.get(f"/api/v1/stations/LONGHIEP/aircheck/{bad}", headers=headers)
        assert answer.status_code in {400, 404}, bad
    assert client.get("/api/v1/stations/LONGHIEP/live.m3u8").status_code == 401
    other = world.token("operator-longmai")
    assert client.get("/api/v1/stations/LONGHIEP/live.m3u8", headers=other).status_code == 404
    assert client.get(f"/api/v1/stations/LONGHIEP/{uri}", headers=other).status_code == 404
    assert client.get("/api/v1/stations/LONGHIEP/aircheck.m3u8", headers=headers).status_code == 422
    gone = "from=2020-01-01T00:00:00Z&to=2020-01-01T00:01:00Z"
    assert client.get(f"/api/v1/stations/LONGHIEP/aircheck.m3u8?{gone}", headers=headers).status_code == 404


def test_the_duty_board(world, client, airing):
    """Present periods come with what is planned, others from their rows; unknown periods are refused."""
    log(world, airing)
    headers = world.token("centre-minhlong")
    now = client.get("/api/v1/duties", headers=headers).json
    assert {(row["station"], row["period"]) for row in now} == {
        ("LONGHIEP", "2026-W48"),
        ("LONGMAI", "2026-W48"),
    }
    (met,) = (row for row in now if row["station"] == "LONGHIEP")
    assert (met["state"], met["slots"], met["owner"]) == ("met", [airing.slot], "MINHLONG")
    before = client.get("/api/v1/duties?period=2026-W47", headers=headers).json
    assert {row["state"] for row in before} == {"missed"}
    assert client.get("/api/v1/duties?period=2026-W48", headers=world.token("operator")).json == [met]
    assert client.get("/api/v1/duties", headers=world.token("operator-bato")).json == []
    for bad in ("2026-W60", "2026-13", "x", "2026-W4"):
        assert client.get(f"/api/v1/duties?period={bad}", headers=headers).status_code in {400, 422}


def test_the_openapi_document_names_every_call(world, client):
    """The description lists exactly the routes that exist under /api/v1, each with a summary."""
    document = client.get("/api/v1/openapi.json").json
    described = {
        (method.upper(), path)
        for path, calls in document["paths"].items()
        for method in calls
        if method in {"get", "post", "patch", "put", "delete"}
    }
    real = {
        (method, rule.rule.replace("<path:", "<").replace("<", "{").replace(">", "}"))
        for rule in world.app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/") and not rule.endpoint.startswith("openapi")
        for method in rule.methods - {"HEAD", "OPTIONS"}
    }
    assert described == real
    assert all(call.get("summary") for calls in document["paths"].values() for call in calls.values())


def test_grid_changes_reach_the_stations(world, client):
    """The acts behind the grid's forms check the right, count the change and wake the stations."""
    from datetime import time

    from schedules.errors import NotAllowed, Unknown
    from schedules.grid import ItemKind, SessionItem, SessionRule
    from webui import planning

    rule = SessionRule(
        id="",
        station="LONGHIEP",
        name="Sáng",
        weekdays=(1,),
        starts=(time(5),),
        length_s=600,
        items=(SessionItem(id="a", kind=ItemKind.SEGMENT, programme="CDS"),),
        since=world.clock.now(),
    )
    with world.app.test_request_context():
        shown = planning.publish_session(rule, person=world.people["operator"], rehearse=True)
        planning.publish_session(rule, person=world.people["operator"], accepted=shown.key)
        with world.database.reading() as session:
            (kept,) = sessions.in_force(session, "LONGHIEP")
        with pytest.raises(NotAllowed):
            planning.publish_session(rule, person=world.people["inspector"])
        with pytest.raises(Unknown):
            planning.publish_session(rule, person=world.people["operator-longmai"])
        planning.remove_session("LONGHIEP", kept.id, person=world.people["operator"])
        with pytest.raises(Unknown):
            planning.remove_session("LONGHIEP", kept.id, person=world.people["operator"])
    assert world.doors["LONGHIEP"].woken == 2
    with world.database.reading() as session:
        assert sessions.in_force(session, "LONGHIEP") == ()
