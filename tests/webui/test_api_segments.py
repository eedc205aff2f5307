"""Recordings over the API: from the upload to the approval, and what nobody may do."""

from __future__ import annotations

import pytest


def test_the_whole_way_by_two_people(world, client):
    """A recording is sent, analysed, submitted by one and approved by another; every document tells where it stands."""
    document = world.analysed(client)
    assert document["state"] == "ready"
    assert document["duration_s"] == 30
    assert document["loudness_lufs"] == -16.0
    assert document["topics"] == ["DX-A1"]
    assert document["owner"] == "LONGHIEP"
    assert document["warnings"][0]["message"] == "Đầu bài im lặng 1,5 giây."
    segment = document["id"]
    submitted = client.post(f"/api/v1/segments/{segment}/submit", headers=world.token("operator"))
    assert submitted.json["state"] == "submitted"
    approved = client.post(
        f"/api/v1/segments/{segment}/approve",
        json={"sha256": document["sha256"], "revision": 1},
        headers=world.token("approver"),
    )
    assert approved.json["state"] == "approved"
    assert approved.json["approved_by"] == "Người approver"
    assert not (world.data / "originals" / segment).exists()
    assert all(door.woken == 1 for door in world.doors.values())


def test_a_file_that_is_no_audio_is_refused_with_a_sentence(world, client):
    """What cannot be used says why, in the language that is asked for, and its file is gone."""
    document = world.analysed(client, content=b"hello")
    assert document["state"] == "refused"
    assert document["reason"] == "Tệp này không phải âm thanh."
    english = client.get(
        f"/api/v1/segments/{document['id']}", headers=world.token("operator") | {"Accept-Language": "en"}
    )
    assert english.json["reason"] == "This file is no audio."
    assert list((world.data / "originals").iterdir()) == []


def test_s3_nobody_approves_their_own_recording(world, client):
    """S3: leader or not, whoever sent it cannot approve it; a second leader can."""
    document = world.analysed(client, name="approver")
    approval = {"sha256": document["sha256"], "revision": 1}
    path = f"/api/v1/segments/{document['id']}"
    client.post(f"{path}/submit", headers=world.token("approver"))
    refused = client.post(f"{path}/approve", json=approval, headers=world.token("approver"))
    assert refused.status_code == 403
    assert refused.json["findings"][0]["code"] == "four_eyes"
    operator = client.post(f"{path}/approve", json=approval, headers=world.token("operator"))
    assert operator.status_code == 403
    assert client.post(f"{path}/approve", json=approval, headers=world.token("approver2")).status_code == 200


def test_s4_nobody_sets_what_is_not_theirs(world, client):
    """S4: state, revision, owner and role in a form or a document are ignored or refused."""
    document = world.analysed(client, state="approved", owner="MINHLONG", revision="7", sha256="a" * 64)
    assert (document["state"], document["owner"], document["revision"]) == ("ready", "LONGHIEP", 1)
    path = f"/api/v1/segments/{document['id']}"
    for extra in ({"state": "approved"}, {"owner": "MINHLONG"}, {"uploader": "x"}, {"sha256": "a" * 64}):
        refused = client.patch(path, json={"revision": 1, **extra}, headers=world.token("operator"))
        assert refused.status_code == 400
    assert client.get(path, headers=world.token("operator")).json["revision"] == 1


def test_s5_an_approval_of_something_else_is_a_conflict(world, client):
    """S5: a wrong hash, a wrong revision, and a card that changed after it was read are all 409."""
    document = world.analysed(client)
    path = f"/api/v1/segments/{document['id']}"
    client.post(f"{path}/submit", headers=world.token("operator"))
    for approval in (
        {"sha256": "f" * 64, "revision": 1},
        {"sha256": document["sha256"], "revision": 2},
    ):
        answer = client.post(f"{path}/approve", json=approval, headers=world.token("approver"))
        assert answer.status_code == 409
    changed = client.patch(path, json={"revision": 1, "title": "Tên khác"}, headers=world.token("operator"))
    assert (changed.json["state"], changed.json["revision"]) == ("ready", 2)
    client.post(f"{path}/submit", headers=world.token("operator"))
    answer = client.post(
        f"{path}/approve", json={"sha256": document["sha256"], "revision": 1}, headers=world.token("approver")
    )
    assert answer.status_code == 409
    assert answer.json["findings"][0]["code"] == "changed_meanwhile"


def test_changing_an_approved_card_takes_it_off_the_air(world, client):
    """An approved recording whose card is changed has to be approved again."""
    document = world.approved(client)
    path = f"/api/v1/segments/{document['id']}"
    changed = client.patch(
        path,
        json={"revision": 1, "evergreen": True, "valid_until": "2026-12-31T00:00:00+07:00"},
        headers=world.token("operator"),
    )
    assert changed.json["state"] == "ready"
    assert changed.json["evergreen"] is True
    assert changed.json["valid_until"] == "2026-12-30T17:00:00+00:00"
    assert changed.json["title"] == "Tin thôn 1"
    assert changed.json["approved_at"] is None


def test_trimming_makes_a_new_file_that_needs_approval(world, client):
    """A cut gives another hash and revision; cuts add up from the kept original."""
    document = world.analysed(client)
    path = f"/api/v1/segments/{document['id']}"
    world.intake.start()
    cut = client.post(f"{path}/trim", json={"revision": 1, "head_s": 1.2}, headers=world.token("operator"))
    assert (cut.status_code, cut.json["state"]) == (202, "received")
    after = world.wait(client, document["id"])
    world.intake.stop()
    assert after["sha256"] != document["sha256"]
    assert after["revision"] == 2
    world.intake.start()
    client.post(f"{path}/trim", json={"revision": 2, "tail_s": 2}, headers=world.token("operator"))
    world.wait(client, document["id"])
    first, second = (call["trim"] for call in world.ingest.calls[1:])
    assert (first.start_s, first.end_s) == (1.2, None)
    assert (second.start_s, second.end_s) == (1.2, pytest.approx(29.2))
    for cut in ({"head_s": 0}, {"head_s": 30}, {"head_s": 20, "tail_s": 9.5}, {"head_s": -1}):
        refused = client.post(f"{path}/trim", json={"revision": 3, **cut}, headers=world.token("operator"))
        assert refused.status_code in {400, 422}


def test_returning_and_withdrawing(world, client):
    """A returned recording tells its reason; a withdrawn one is out, and both steps are in the history."""
    document = world.analysed(client)
    path = f"/api/v1/segments/{document['id']}"
    client.post(f"{path}/submit", headers=world.token("operator"))
    assert client.post(f"{path}/return", json={"reason": " "}, headers=world.token("approver")).status_code == 400
    returned = client.post(f"{path}/return", json={"reason": "Sai tên thôn"}, headers=world.token("approver"))
    assert (returned.json["state"], returned.json["reason"]) == ("returned", "Sai tên thôn")
    withdrawn = client.post(f"{path}/withdraw", json={"reason": "Không dùng nữa"}, headers=world.token("operator"))
    assert withdrawn.json["state"] == "withdrawn"
    again = client.post(f"{path}/withdraw", json={"reason": "x"}, headers=world.token("operator"))
    assert again.status_code == 409
    history = client.get(f"{path}/history", headers=world.token("inspector")).json
    assert [step["what"] for step in history] == ["received", "ready", "submitted", "returned", "withdrawn"]
    assert history[3]["person"] == "Người approver"


def test_s2_other_communes_do_not_see_it(world, client):
    """S2: recordings of another commune are 404 in every call, and cannot be sent in its name."""
    document = world.analysed(client)
    path = f"/api/v1/segments/{document['id']}"
    for name in ("operator-longmai", "approver-bato", "admin-bato"):
        headers = world.token(name)
        assert client.get(path, headers=headers).status_code == 404
        assert client.get(f"{path}/audio", headers=headers).status_code == 404
        assert client.get("/api/v1/segments", headers=headers).json == []
        for call in ("submit", "withdraw", "trim"):
            body = {"withdraw": {"reason": "x"}, "trim": {"revision": 1, "head_s": 2}}.get(call)
            answer = client.post(f"{path}/{call}", json=body, headers=headers)
            assert answer.status_code in {403, 404}
        assert world.upload(client, name, station="LONGHIEP").status_code in {403, 404}
    assert client.get(path, headers=world.token("operator")).json["state"] == "ready"
    centre = client.get("/api/v1/segments", headers=world.token("centre-minhlong")).json
    assert [segment["id"] for segment in centre] == [document["id"]]


def test_what_the_centre_approved_may_be_heard_below(world, client):
    """An approved recording of the unit above can be read and heard in the communes, a draft cannot."""
    document = world.analysed(client, name="operator-minhlong", station=None)
    assert document["owner"] == "MINHLONG"
    path = f"/api/v1/segments/{document['id']}"
    assert client.get(path, headers=world.token("operator-longmai")).status_code == 404
    client.post(f"{path}/submit", headers=world.token("operator-minhlong"))
    client.post(
        f"{path}/approve",
        json={"sha256": document["sha256"], "revision": 1},
        headers=world.token("approver-minhlong"),
    )
    assert client.get(path, headers=world.token("operator-longmai")).status_code == 200
    assert client.get(path, headers=world.token("operator-bato")).status_code == 404
    denied = client.post(f"{path}/withdraw", json={"reason": "x"}, headers=world.token("operator-longmai"))
    assert denied.status_code == 403


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/cron.d/x", "..\\..\\x.mp3", "%2e%2e/%2e%2e/x", "a" * 4096, "tin\u202e3pm.mp3", "CON", "-i",
        "; rm -rf .mp3", "x\r\nSet-Cookie: a=b.mp3", "<script>alert(1)</script>.mp3", "", ".",
    ],
)  # fmt: skip
def test_s19_a_file_name_is_only_a_label(world, client, name):
    """S19: whatever a file is called, it lies under its id, and its name is shown short and without tricks."""
    answer = world.upload(client, "operator", file_name=name or "x")
    if "\r" in name:
        # A line break splits the part's own header: then there is no file in it at all.
        assert answer.status_code == 422
        return
    assert answer.status_code == 202
    segment = answer.json["id"]
    assert [path.name for path in (world.data / "originals").iterdir()] == [segment]
    assert list((world.data / "incoming").iterdir()) == []
    shown = client.get(f"/api/v1/segments/{segment}", headers=world.token("operator")).json["file_name"]
    assert len(shown) <= 120
    assert not any(letter in shown for letter in "/\\\r\n\u202e")


def test_an_upload_without_what_it_needs_is_refused(world, client):
    """A missing file or title, an unknown programme or station: each is told with its field."""
    headers = world.token("operator")
    assert client.post("/api/v1/segments", data={"title": "x", "programme": "CDS"}, headers=headers).status_code == 422
    for fields, status in (
        ({"title": " "}, 400),
        ({"title": None}, 400),
        ({"programme": "KHONGCO"}, 422),
        ({"station": "KHONGCO"}, 404),
        ({"kind": "khac"}, 400),
        ({"topics": ",".join(f"T{n}" for n in range(40))}, 422),
        ({"title": "x" * 300}, 400),
        ({"valid_until": "2026-12-31T00:00:00"}, 400),
    ):
        answer = world.upload(client, "operator", **fields)
        assert answer.status_code == status, (fields, answer.text)
        assert answer.mimetype == "application/problem+json"
    assert list((world.data / "originals").iterdir()) == []
    assert list((world.data / "incoming").iterdir()) == []


def test_topics_may_be_repeated_or_parted(world, client):
    """Several topics come as repeated fields or in one field with commas."""
    answer = world.upload(client, "operator", topics=["DX-A1,DX-B2", "DX-C3"])
    document = client.get(f"/api/v1/segments/{answer.json['id']}", headers=world.token("operator")).json
    assert document["topics"] == ["DX-A1", "DX-B2", "DX-C3"]


def test_s32_too_many_drafts_are_refused(world, client):
    """S32: over the limit of drafts an upload is 429 with a sentence, and its file is not kept."""
    world.app = world.new_app(settings={"most_drafts": 2})
    client = world.client()
    for _ in range(2):
        assert world.upload(client, "operator").status_code == 202
    refused = world.upload(client, "operator")
    assert refused.status_code == 429
    assert refused.json["findings"][0]["code"] == "too_many_drafts"
    assert len(list((world.data / "originals").iterdir())) == 2
    assert world.upload(client, "operator2").status_code == 202


def test_a_recording_over_the_limit_is_refused(world, client):
    """A file over the limit is 413 with a sentence that names the limit, before it is kept."""
    world.app = world.new_app(settings={"max_upload_bytes": 3 * 1024 * 1024})
    client = world.client()
    assert world.upload(client, "operator", content=b"SOUND" * 500_000).status_code == 202
    refused = world.upload(client, "operator", content=b"SOUND" * 1_000_000)
    assert refused.status_code == 413
    assert "3 MB" in refused.json["detail"]
    assert list((world.data / "incoming").iterdir()) == []


def test_s27_too_many_parts_or_too_long_fields_are_refused(world, client):
    """S27: 1,001 form parts and a field of 600 kB are 413."""
    headers = world.token("operator")
    parts = {f"f{number}": "x" for number in range(1001)}
    answer = world.upload(client, "operator", headers=headers, **parts)
    assert answer.status_code == 413
    assert world.upload(client, "operator", headers=headers, author="x" * 600_000).status_code == 413
    assert (
        client.post("/api/v1/stations/LONGHIEP/stop", json={"reason": "x" * 2_000_000}, headers=headers).status_code
        == 413
    )
    assert list((world.data / "incoming").iterdir()) == []


def test_s26_packed_bodies_are_not_unpacked(world, client):
    """S26: a body that claims to be gzip is refused."""
    answer = client.post(
        "/api/v1/stations/LONGHIEP/stop",
        data=b"\x1f\x8b" + b"0" * 100,
        headers=world.token("operator") | {"Content-Encoding": "gzip", "Content-Type": "application/json"},
    )
    assert answer.status_code == 415


def test_s44_audio_is_private(world, client):
    """S44: audio is answered to those who may hear it only, in parts too, and no cache keeps it."""
    document = world.analysed(client)
    path = f"/api/v1/segments/{document['id']}/audio"
    headers = world.token("operator")
    whole = client.get(path, headers=headers)
    part = client.get(path, headers=headers | {"Range": "bytes=0-3"})
    assert (part.status_code, part.data) == (206, b"fLaC")
    assert part.headers["Content-Range"] == f"bytes 0-3/{len(whole.data)}"
    for answer in (whole, part):
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.mimetype == "audio/flac"
        assert "ETag" not in answer.headers
    assert client.get(path).status_code == 401
    for answer in (whole, part, client.get(f"{path}?sha256={document['sha256']}", headers=headers)):
        assert answer.status_code in {200, 206}
        answer.close()
    assert client.get(f"{path}?sha256={'0' * 64}", headers=headers).status_code == 409
    assert client.get(path, headers=headers | {"Range": "bytes=999999999-"}).status_code == 416


def test_a_recording_without_audio_cannot_be_heard(world, client):
    """Before its analysis there is nothing to hear and no waveform."""
    segment = world.upload(client, "operator").json["id"]
    for call in ("audio", "peaks"):
        answer = client.get(f"/api/v1/segments/{segment}/{call}", headers=world.token("operator"))
        assert answer.status_code == 404


def test_the_list_is_filtered_and_paged(world, client):
    """States and stations narrow the list; pages follow each other by the Link header without gaps."""
    headers = world.token("centre-minhlong")
    sent = [world.upload(client, "operator", title=f"Tin {n}").json["id"] for n in range(5)]
    world.upload(client, "operator-longmai", station="LONGMAI")
    assert len(client.get("/api/v1/segments?state=received,ready", headers=headers).json) == 6
    assert client.get("/api/v1/segments?state=approved", headers=headers).json == []
    assert client.get("/api/v1/segments?state=bay", headers=headers).status_code == 422
    seen, path = [], "/api/v1/segments?station=LONGHIEP&limit=2"
    while path:
        answer = client.get(path, headers=headers)
        seen += [segment["id"] for segment in answer.json]
        link = answer.headers.get("Link")
        path = link[1 : link.index(">")] if link else None
    assert sorted(seen) == sorted(sent)
