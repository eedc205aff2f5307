"""One airing over the API: what is known of it, its proof, what people say; and the register of faults."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote

import pytest
from nacl.signing import SigningKey

from schedules.airing import Airing, Evidence, OutputCount, Verdict
from store import airings, audit, evidence, faults, ledger

SLOT = "LONGHIEP/sang/2026-11-23/cds"
AT = f"/api/v1/airings/{quote(SLOT)}"
HEARD = {
    "slot": SLOT,
    "output": "main",
    "grade": "E2",
    "share": 0.99,
    "offset_ms": 10.0,
    "matched_s": 29.7,
    "silent_s": 0.3,
    "foreign_s": 0.0,
    "level_dbfs": -18.0,
    "source": "monitor",
    "files": [{"name": "main/1.flac", "sha256": "a" * 64}],
}


@pytest.fixture
def airing(world):
    """An airing half an hour ago, known by its samples; copied from the journal."""
    start = world.clock.now() - timedelta(minutes=30)
    row = Airing(
        slot=SLOT,
        station="LONGHIEP",
        kind="segment",
        programme="CDS",
        segment=None,
        title="Tin thôn 1",
        sha256="a" * 64,
        topics=(),
        planned_start=start,
        planned_end=start + timedelta(seconds=30),
        started_at=start,
        ended_at=start + timedelta(seconds=30),
        seconds_aired=30.0,
        samples_aired=1_440_000,
        samples_expected=1_440_000,
        bit_exact=True,
        start_error_s=0.0,
        holes_s=0.0,
        parts=(),
        outputs=(OutputCount(name="main", kind="pulse", samples=1_440_000, grade=Evidence.E1),),
        verdict=Verdict.AIRED,
        reason=None,
        rehearsal=False,
        evidence=Evidence.E1,
    )
    with world.database.writing() as session:
        airings.record(session, "LONGHIEP", 7, "h" * 64, row)
    return row


def hear(world, seq=8, **changes):
    """Copy an evidence row."""
    with world.database.writing() as session:
        evidence.record(session, "LONGHIEP", seq, "e" * 64, world.clock.now(), HEARD | changes)


def test_the_best_grade_is_told_everywhere(world, client, airing):
    """Samples, then a monitor, then a person: the row of the log, the airing and the table show the best known now."""
    headers = world.token("operator")
    grades = []

    def grade():
        (row,) = client.get("/api/v1/stations/LONGHIEP/airlog", headers=headers).json
        whole = client.get(AT, headers=headers).json
        assert whole["airing"] == row
        assert f",{row['evidence']}," in client.get("/api/v1/stations/LONGHIEP/airlog.csv", headers=headers).text
        grades.append((row["evidence"], whole["doubtful"]))
        return whole

    assert grade()["measured"] == []
    hear(world, share=0.5, silent_s=15.0)
    grade()
    hear(world, seq=9)
    (first, second) = grade()["measured"]
    assert (first["share"], second["share"], second["files"], second["at"]) == (
        0.5,
        0.99,
        ["main/1.flac"],
        world.clock.now().isoformat(),
    )
    client.post(f"{AT}/confirmations", json={"heard": True}, headers=headers)
    grade()
    client.post(f"{AT}/confirmations", json={"heard": False}, headers=world.token("approver"))
    grade()
    assert grades == [("E1", False), ("E1", True), ("E2", False), ("H", False), ("H", True)]


def test_a_person_confirms_once_with_name_and_time(world, client, airing):
    """201, then 409 for good; it stands signed in the authority's ledger, and the security log knows."""
    headers = world.token("operator")
    answer = client.post(f"{AT}/confirmations", json={"heard": True, "text": "Nghe  rõ\u202e."}, headers=headers)

    assert answer.status_code == 201
    assert answer.json["name"] == "Người operator"
    assert (answer.json["heard"], answer.json["text"], answer.json["at"]) == (
        True,
        "Nghe rõ .",
        world.clock.now().isoformat(),
    )
    again = client.post(f"{AT}/confirmations", json={"heard": False}, headers=headers)
    assert (again.status_code, again.json["findings"][0]["code"]) == (409, "confirmed_before")
    remark = client.post(f"{AT}/remarks", json={"text": "Hơi nhỏ."}, headers=headers)
    assert (remark.status_code, remark.json["kind"], remark.json["heard"]) == (201, "remark", None)
    whole = client.get(AT, headers=world.token("inspector")).json
    assert [said["kind"] for said in whole["said"]] == ["confirmation", "remark"]
    key = SigningKey((world.data / "keys" / "authority.ed25519").read_bytes())
    with world.database.reading() as session:
        assert ledger.verify(session, key.verify_key)[0] == 2
        assert {"airing.confirm", "airing.remark"} <= {entry.what for entry in audit.newest(session)}


@pytest.mark.parametrize(
    ("name", "status"), [("inspector", 403), ("operator-longmai", 404), ("operator-minhlong", 201), ("approver", 201)]
)
def test_only_people_of_the_station_and_above_confirm(world, client, airing, name, status):
    """An inspector only reads; for others the airing does not exist."""
    answer = client.post(f"{AT}/confirmations", json={"heard": True}, headers=world.token(name))
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (f"{AT}/confirmations", {}, 422),
        (f"{AT}/confirmations", {"heard": True, "text": "x" * 501}, 422),
        (f"{AT}/remarks", {"text": ""}, 422),
        (f"{AT}/remarks", {"text": "   "}, 422),
        ("/api/v1/airings/LONGHIEP/no/such/confirmations", {"heard": True}, 404),
    ],
)
def test_what_cannot_be_written_is_refused(world, client, airing, path, body, status):
    """Nothing half-said gets into the ledger."""
    answer = client.post(path, json=body, headers=world.token("operator"))
    assert answer.status_code in {status, 400 if status == 422 else status}
    with world.database.reading() as session:
        assert ledger.of_slot(session, SLOT) == ()


def test_what_is_still_to_come_cannot_have_been_heard(world, client, airing):
    """A row of the future, such as of a cancelled item, takes no confirmation yet."""
    later = replace(airing, slot="LONGHIEP/x", planned_start=world.clock.now() + timedelta(hours=1))
    with world.database.writing() as session:
        airings.record(session, "LONGHIEP", 9, "z" * 64, later)
    answer = client.post(
        "/api/v1/airings/LONGHIEP/x/confirmations", json={"heard": True}, headers=world.token("operator")
    )
    assert (answer.status_code, answer.json["findings"][0]["code"]) == (422, "not_aired_yet")


def test_the_proof_is_a_file_for_this_person_alone(world, client, airing):
    """The station's own bytes, not kept on the way; 404 without a station, and for other units."""
    headers = world.token("inspector")
    assert client.get(f"{AT}/proof", headers=headers).status_code == 404
    world.doors["LONGHIEP"].proofs = {SLOT: b"PK\x03\x04 proof"}
    answer = client.get(f"{AT}/proof", headers=headers)

    assert (answer.status_code, answer.data) == (200, b"PK\x03\x04 proof")
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["Content-Disposition"].endswith('"loa-proof-LONGHIEP-sang-2026-11-23-cds.zip"')
    assert client.get(f"{AT}/proof", headers=world.token("operator-bato")).status_code == 404


def fault(world, seq, station="LONGHIEP", *, minutes=0, **body):
    """Copy a fault row."""
    row = {"code": "output_main", "state": "open", "message": "Không có tiếng.", "message_en": "No sound."} | body
    with world.database.writing() as session:
        faults.record(
            session,
            station,
            seq=seq,
            row_hash="f" * 64,
            at=world.clock.now() + timedelta(minutes=minutes),
            kind="fault",
            trusted=True,
            body=row,
            now=world.clock.now(),
        )


def test_the_register_of_faults(world, client):
    """What lasts first, in the reader's language, with cause and who was told; by station and state."""
    fault(world, 1, detail="lost")
    fault(world, 2, code="player_hang", state="once", minutes=1)
    fault(world, 1, "LONGMAI", code="clock_untrusted", minutes=2)
    centre = world.token("centre-minhlong")

    def codes(query, headers=centre):
        return [(row["station"], row["code"]) for row in client.get(f"/api/v1/faults{query}", headers=headers).json]

    lasting = [("LONGMAI", "clock_untrusted"), ("LONGHIEP", "output_main")]
    assert codes("") == [*lasting, ("LONGHIEP", "player_hang")]
    assert codes("?open=true") == lasting
    assert codes("?open=false&station=LONGHIEP") == [("LONGHIEP", "player_hang")]
    assert codes("?code=output") == [("LONGHIEP", "output_main")]
    assert codes("", world.token("operator")) == [("LONGHIEP", "output_main"), ("LONGHIEP", "player_hang")]
    assert client.get("/api/v1/faults?station=BADINH", headers=centre).status_code == 404
    row = client.get("/api/v1/faults?open=true&station=LONGHIEP", headers=centre | {"Accept-Language": "en"}).json[0]
    assert (row["message"], row["details"], row["until"], row["state"]) == (
        "No sound.",
        {"detail": "lost"},
        None,
        "open",
    )
    assert {"Người operator", "Người approver", "Người centre-minhlong"} <= {one["name"] for one in row["told"]}
    assert not {"Người operator-longmai", "Người inspector"} & {one["name"] for one in row["told"]}


def test_the_register_comes_in_parts(world, client):
    """Each part leads to the next; none is repeated or left out."""
    for seq in range(1, 6):
        fault(world, seq, code=f"player_hang_{seq}", state="once", minutes=seq)
    fault(world, 9, code="output_main", minutes=-60)
    seen, path = [], "/api/v1/faults?limit=2"
    while path:
        answer = client.get(path, headers=world.token("operator"))
        seen += [row["seq"] for row in answer.json]
        path = answer.headers.get("Link", "").partition("<")[2].partition(">")[0]
    assert seen == [9, 5, 4, 3, 2, 1]
