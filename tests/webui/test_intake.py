"""The intake worker: order, retries, crashes, and what is left on the disk."""

from __future__ import annotations

import io
import math
import os
import threading
import time
import wave

import pytest

from audio.ingest import ingest
from schedules.segment import SegmentState
from store import segments


def wait_for(condition):
    """Wait until the condition gives something, at most ten seconds, and return that."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError("it did not happen")


def state(world, segment):
    with world.database.reading() as session:
        return segments.find(session, segment).state


def age(path, seconds):
    """Make a file look as old as that."""
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_f1_an_upload_cut_off_is_never_listed(world, client):
    """F1: what was arriving when the power went is not in the list, and is gone after the next start."""
    (world.data / "incoming" / "half.part").write_bytes(b"SOUND ha")
    world.intake.start()
    assert list((world.data / "incoming").iterdir()) == []
    assert client.get("/api/v1/segments", headers=world.token("operator")).json == []


def test_f1_a_body_that_ends_early_leaves_nothing(world, client):
    """F1: a form that ends in the middle of its file is refused and leaves neither row nor file."""
    line = "loa-loa"
    whole = (
        f'--{line}\r\nContent-Disposition: form-data; name="title"\r\n\r\nx\r\n'
        f'--{line}\r\nContent-Disposition: form-data; name="programme"\r\n\r\nCDS\r\n'
        f'--{line}\r\nContent-Disposition: form-data; name="audio"; filename="a.mp3"\r\n\r\n' + "SOUND" * 10_000
    ).encode()
    headers = world.token("operator")
    for cut in (0, 1, len(whole) // 2, len(whole) - 1):
        answer = client.post(
            "/api/v1/segments",
            data=whole[:cut],
            content_type=f"multipart/form-data; boundary={line}",
            headers=headers,
        )
        assert answer.status_code in {400, 422}, cut
    assert list((world.data / "incoming").iterdir()) == []
    assert list((world.data / "originals").iterdir()) == []
    assert client.get("/api/v1/segments", headers=headers).json == []


def test_f2_a_file_without_a_row_goes(world, client):
    """F2: a file whose row was never written is removed at the start, or after an hour; needed ones stay."""
    segment = world.upload(client, "operator").json["id"]
    originals = world.data / "originals"
    (originals / "orphan").write_bytes(b"x")
    world.intake.sweep()
    assert (originals / "orphan").exists(), "it may still be about to get its row"
    age(originals / "orphan", 3700)
    age(originals / segment, 3700)
    world.intake.sweep()
    assert [path.name for path in originals.iterdir()] == [segment]


def test_f2_the_worker_looks_for_orphans_by_itself(world, monkeypatch):
    """F2: while nothing is to be analysed the worker sweeps, so that no orphan stays for an hour."""
    monkeypatch.setattr("webui.intake._SWEEP_S", 0.02)
    world.intake.start()
    orphan = world.data / "originals" / "orphan"
    orphan.write_bytes(b"x")
    age(orphan, 1900)
    wait_for(lambda: not orphan.exists())


def test_f3_an_analysis_that_was_cut_off_is_done_again(world, client):
    """F3: what stood in the middle of its analysis when the power went is analysed at the next start."""
    segment = world.upload(client, "operator").json["id"]
    with world.database.writing() as session:
        segments.claim(session, segment, world.clock.now())
    (world.data / "scratch" / "canonical-half.flac").write_bytes(b"half")
    world.intake.start()
    wait_for(lambda: state(world, segment) is SegmentState.READY)
    assert list((world.data / "scratch").iterdir()) == []


def test_f3_after_three_tries_it_is_refused(world, client):
    """F3: a file that takes the machine down three times is refused with a sentence, not tried for ever."""
    segment = world.upload(client, "operator").json["id"]
    with world.database.writing() as session:
        for _ in range(3):
            segments.claim(session, segment, world.clock.now())
    world.intake.start()
    wait_for(lambda: state(world, segment) is SegmentState.REFUSED)
    assert world.ingest.calls == []
    with world.database.reading() as session:
        assert "3 lần" in segments.find(session, segment).reason.vi


def test_trouble_of_the_machine_is_tried_again(world, client, monkeypatch):
    """A full disk is not the recording's fault: it is tried again, and others do not wait for it."""
    monkeypatch.setattr("webui.intake._RETRY_S", 0.05)
    world.ingest.trouble = [OSError(28, "No space left on device")]
    first = world.upload(client, "operator").json["id"]
    second = world.upload(client, "operator", content=b"SOUND 2").json["id"]
    world.intake.start()
    wait_for(lambda: state(world, second) is SegmentState.READY)
    wait_for(lambda: state(world, first) is SegmentState.READY)
    world.ingest.trouble = [RuntimeError("a decoder that crashes")] * 3
    third = world.upload(client, "operator", content=b"SOUND 3").json["id"]
    wait_for(lambda: state(world, third) is SegmentState.REFUSED)


def test_stopping_leaves_the_analysis_for_the_next_start(world, client):
    """A stop in the middle of an analysis is quick, and the analysis is done at the next start."""
    world.ingest.gate = threading.Event()
    segment = world.upload(client, "operator").json["id"]
    world.intake.start()
    wait_for(lambda: world.intake.progress(segment) == 0.5)
    document = client.get(f"/api/v1/segments/{segment}", headers=world.token("operator")).json
    assert (document["state"], document["progress"]) == ("analysing", 0.5)
    worker = world.intake._thread
    world.intake.stop(timeout_s=0.05)
    world.ingest.gate.set()
    worker.join(10)
    assert state(world, segment) is SegmentState.ANALYSING
    world.intake = world.new_intake()
    world.intake.start()
    wait_for(lambda: state(world, segment) is SegmentState.READY)


def test_a_recording_withdrawn_during_its_analysis_stays_withdrawn(world, client):
    """Withdrawing wins over an analysis that ends afterwards."""
    world.ingest.gate = threading.Event()
    segment = world.upload(client, "operator").json["id"]
    world.intake.start()
    wait_for(lambda: world.intake.progress(segment) == 0.5)
    answer = client.post(
        f"/api/v1/segments/{segment}/withdraw", json={"reason": "Nhầm"}, headers=world.token("operator")
    )
    assert answer.status_code == 200
    world.ingest.gate.set()
    wait_for(lambda: world.intake.progress(segment) == 0.0)
    world.intake.stop()
    assert state(world, segment) is SegmentState.WITHDRAWN


def test_a_recording_may_be_withdrawn_before_it_is_analysed(world, client):
    """What was withdrawn while it waited is not analysed at all."""
    segment = world.upload(client, "operator").json["id"]
    client.post(f"/api/v1/segments/{segment}/withdraw", json={"reason": "Nhầm"}, headers=world.token("operator"))
    world.intake.start()
    other = world.upload(client, "operator", content=b"SOUND 2").json["id"]
    wait_for(lambda: state(world, other) is SegmentState.READY)
    assert len(world.ingest.calls) == 1
    assert not (world.data / "originals" / segment).exists()


@pytest.mark.parametrize("step", ["row", "quota"])
def test_a_refused_row_leaves_no_file(world, step, monkeypatch):
    """Where the row cannot be written the file that was kept already goes again."""
    world.app = world.new_app(settings={"most_drafts": 0 if step == "quota" else 50})
    if step == "row":
        monkeypatch.setattr(segments, "receive", lambda *_args, **_fields: 1 / 0)
    answer = world.upload(world.client(), "operator")
    assert answer.status_code == (429 if step == "quota" else 500)
    assert list((world.data / "originals").iterdir()) == []


def test_the_real_analysis_obeys_the_same_contract(world, client):
    """A recording goes through the real analysis: measured, named by its hash, and trimmed into another file."""
    rate, seconds = 48_000, 4
    wave_file = io.BytesIO()
    with wave.open(wave_file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        for block in range(seconds):
            loud = 0 if block in {0, seconds - 1} else 9000
            samples = (round(loud * math.sin(n * 0.06)) for n in range(rate))
            out.writeframes(b"".join(sample.to_bytes(2, "little", signed=True) for sample in samples))
    world.intake = world.new_intake(ingest=ingest)
    world.app = world.new_app()
    client = world.client()
    document = world.analysed(client, content=wave_file.getvalue(), file_name="tin.wav")
    assert document["state"] == "ready", document["reason"]
    assert document["duration_s"] == pytest.approx(seconds, abs=0.01)
    assert document["loudness_lufs"] == pytest.approx(-16, abs=0.5)
    assert document["head_silence_s"] == pytest.approx(1, abs=0.2)
    path = f"/api/v1/segments/{document['id']}"
    headers = world.token("operator")
    world.intake.start()
    client.post(f"{path}/trim", json={"revision": 1, "head_s": 0.8, "tail_s": 0.7}, headers=headers)
    trimmed = world.wait(client, document["id"])
    assert trimmed["duration_s"] == pytest.approx(seconds - 1.5, abs=0.01)
    assert trimmed["sha256"] != document["sha256"]
    shape = client.get(f"{path}/peaks?count=20", headers=headers).json["peaks"]
    assert len(shape) == 20
    assert max(shape) > 20
    assert shape[0] < 5
    with client.get(f"{path}/audio", headers=headers) as audio:
        assert audio.data.startswith(b"fLaC")
    refused = world.upload(client, "operator", content=b"#EXTM3U\nhttp://127.0.0.1:9/x.ts\n", file_name="tin.mp3")
    document = world.wait(client, refused.json["id"])
    assert document["state"] == "refused"
    assert document["reason"]
