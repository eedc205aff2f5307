"""A whole session heard before it airs: its items' own samples, in order, by those who may read the plan."""

from __future__ import annotations

import hashlib
import io
import os
from dataclasses import replace
from fractions import Fraction
from urllib.parse import urljoin

import av
import numpy as np
import pytest

from audio.flac import write_flac

RATE = 48_000
FORM = {
    "dai": "LONGHIEP",
    "name": "Buổi tối",
    "how": "daily",
    "starts": "19:00",
    "minutes": "30",
    "kind-0": "ident",
    "kind-1": "segment",
    "what-1": "p:CDS",
    "kind-2": "segment",
    "what-2": "p:BANTIN",
    "kind-3": "relay",
    "what-3": "r:",
    "relay-3": "VOV1",
    "length-3": "5",
    "kind-4": "closing",
}


def sound(seconds: float, seed: int):
    """Return noise that is nowhere like itself."""
    return np.random.default_rng(seed).integers(-9_000, 9_000, round(seconds * RATE)).astype(np.int16)


def real(world):
    """Let the ingest of this world make real canonical FLACs; return what it made, by hash."""
    made = {}
    plain = world.ingest.__class__()

    def ingest(source, *, library, scratch, limits, on_progress, trim=None):
        canonical = plain(source, library=library, scratch=scratch, limits=limits, on_progress=on_progress, trim=trim)
        content = source.read_bytes()
        samples = sound(4 + len(content) * 0.37, seed=len(content))
        target = scratch / "real.flac"
        out = os.open(target, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            write_flac(frames(samples), out)
        finally:
            os.close(out)
        sha256 = library.adopt(target)
        made[sha256] = samples
        return replace(
            canonical, sha256=sha256, samples=len(samples), pcm_sha256=hashlib.sha256(samples.tobytes()).hexdigest()
        )

    world.intake = world.new_intake(ingest=ingest)
    world.app = world.new_app()
    return made


def frames(samples):
    """Yield the samples as frames."""
    for at in range(0, len(samples), 4_608):
        frame = av.AudioFrame.from_ndarray(samples[at : at + 4_608].reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = RATE
        frame.pts = at
        frame.time_base = Fraction(1, RATE)
        yield frame


def listen(client, playlist: str, headers=None):
    """Fetch a playlist and all its pieces as a player does, and return the samples."""
    answer = client.get(playlist, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.content_type == "application/vnd.apple.mpegurl"
    names = [line for line in answer.text.splitlines() if line and not line.startswith("#")]
    data = client.get(urljoin(playlist, "head.mp4"), headers=headers).data
    for name in names:
        piece = client.get(urljoin(playlist, name), headers=headers)
        assert piece.status_code == 200
        assert piece.content_type == "audio/mp4"
        assert len(piece.data) < 1_500_000
        data += piece.data
    with av.open(io.BytesIO(data)) as container:
        return np.concatenate([frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)])


def asked(client, headers):
    """Return the evening's session as the API tells it."""
    answer = client.get(
        "/api/v1/stations/LONGHIEP/plan/sessions?from=2026-11-24T18:00:00%2B07:00&to=2026-11-24T22:00:00%2B07:00",
        headers=headers,
    )
    assert answer.status_code == 200, answer.text
    (found,) = answer.json
    return found


def test_a_session_is_heard_as_the_samples_of_its_items_in_order(world):
    """What the browser plays are the approved recordings, sample by sample, one after the other; holes are named."""
    made = real(world)
    client = world.client()
    item = world.approved(client, title="Tin thôn 1", content=b"SOUND of the new item", programme="CDS")
    close = world.approved(client, title="Lời kết", content=b"SOUND bye", programme="CDS", topics="DX-A1")
    operator = world.signed_in("operator")
    form = FORM | {"what-0": f"s:{close['id']}", "what-1": f"s:{item['id']}", "what-4": f"s:{close['id']}"}
    assert world.publish(operator, "/lich/2026-W48/buoi", form).status_code == 303

    found = asked(client, world.token("inspector"))
    heard = listen(client, found["playlist"], world.token("inspector"))

    wanted = [made[close["sha256"]], made[item["sha256"]], made[close["sha256"]]]
    assert np.array_equal(heard, np.concatenate(wanted))
    assert found["duration_s"] == pytest.approx(len(heard) / RATE)
    assert [one["title"] for one in found["items"]] == ["Lời kết", "Tin thôn 1", "Lời kết"]
    starts = np.cumsum([0, *(len(one) for one in wanted[:-1])]) / RATE
    assert [one["at_s"] for one in found["items"]] == pytest.approx(list(starts))
    assert [one["programme"] for one in found["empty"]] == ["BANTIN"]
    assert [one["relay"] for one in found["live"]] == ["VOV1"]


def test_the_preview_page_offers_it_with_a_mark_for_every_item(world):
    """The page has one button for the whole, one for each item at its place, and says what is not in it."""
    real(world)
    client = world.client()
    item = world.approved(client, title="Tin thôn 1", content=b"SOUND 1", programme="CDS")
    operator = world.signed_in("operator")
    form = FORM | {"what-0": f"s:{item['id']}", "what-1": "p:CDS", "what-4": f"s:{item['id']}"}
    world.publish(operator, "/lich/2026-W48/buoi", form)

    page = operator.get("/lich/2026-11-24/ke-hoach?dai=LONGHIEP").text

    assert page.count("data-listen ") == 1
    assert "Nghe thử cả buổi" in page
    assert page.count("data-skip=") >= 2
    assert 'data-at="0.0"' in page
    assert "Bản tin xã: chưa có bài" in page
    playlist = page.split('href="/api/v1/stations/LONGHIEP/preview/', 1)[1].split('"', 1)[0]
    assert operator.get(f"/api/v1/stations/LONGHIEP/preview/{playlist}").status_code == 200


def test_only_who_may_read_the_plan_hears_it_and_only_for_half_a_day(world):
    """A key is of one station, cannot be made up, and ends; strangers and neighbours get nothing."""
    real(world)
    client = world.client()
    item = world.approved(client, title="Tin thôn 1", content=b"SOUND 1", programme="CDS")
    world.publish(world.signed_in("operator"), "/lich/2026-W48/buoi", FORM | {"what-0": f"s:{item['id']}"})
    headers = world.token("operator")
    playlist = asked(client, headers)["playlist"]
    key = playlist.split("/")[-2]

    assert client.get(playlist).status_code == 401
    assert client.get(playlist, headers=world.token("operator-longmai")).status_code == 404
    other = playlist.replace("LONGHIEP", "LONGMAI")
    assert client.get(other, headers=world.token("operator-longmai")).status_code == 404
    assert client.get(playlist.replace(key, key[:-2] + "xx"), headers=headers).status_code == 404
    assert client.get(playlist.replace(key, "khong"), headers=headers).status_code == 404
    for name in ("99.m4s", "x.m4s", "../x", "-1.m4s", "head.mp3"):
        assert client.get(urljoin(playlist, name), headers=headers).status_code == 404, name
    world.library.path(item["sha256"]).chmod(0o600)
    world.library.path(item["sha256"]).write_bytes(b"no sound")
    broken = client.get(urljoin(playlist, "0.m4s"), headers=headers)
    assert broken.status_code == 422
    assert broken.json["findings"][0]["code"] == "media_unreadable"


def test_what_is_cancelled_or_cut_is_not_heard(world):
    """A recording whose file is not here is an empty place; nothing is played in its stead."""
    real(world)
    client = world.client()
    item = world.approved(client, title="Tin thôn 1", content=b"SOUND 1", programme="CDS")
    world.publish(world.signed_in("operator"), "/lich/2026-W48/buoi", FORM | {"what-0": f"s:{item['id']}"})
    world.library.path(item["sha256"]).unlink()

    found = asked(client, world.token("operator"))

    assert found["playlist"] is None
    assert found["items"] == []
    assert found["duration_s"] == 0
    assert item["id"] in [one["segment"] for one in found["empty"]]
