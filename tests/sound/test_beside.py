"""What sounds beside the plan, at a real sink: an emergency over a programme, its stop, and the row that heard it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from playout.benches.soundlab import PulseServer, pulse_server
from playout.player.pieces import Tone
from playout.player.tones import tone
from tests.running import RunningLoa, make_mp3, wait_for

pytestmark = pytest.mark.sound

NAME = "LONGHIEP"
HORN = [{"name": "main", "kind": "pulse", "device": "horn"}]


@pytest.fixture(scope="module")
def pulse() -> Iterator[PulseServer]:
    """One PulseAudio server for all tests of this file."""
    with pulse_server() as server:
        server.add_sink("horn")
        yield server


@pytest.fixture(scope="module")
def loa(tmp_path_factory: pytest.TempPathFactory, pulse: PulseServer) -> Iterator[RunningLoa]:
    """One Loa for all tests of this file; its one station sounds on the sink `horn`."""
    running = RunningLoa(tmp_path_factory.mktemp("loa"), {NAME: HORN}, environment=pulse.environment)
    running.start()
    running.permit_whole_day(NAME)
    yield running
    running.stop()


def state_of(loa: RunningLoa, order: str) -> str:
    """Where an order stands at the station."""
    (standing,) = loa.ask("GET", f"/emergencies/{order}", "nghia")["stations"]
    return str(standing["state"])


def test_f63_f65_an_emergency_cuts_a_programme_within_half_a_second_and_the_programme_goes_on(
    loa: RunningLoa, pulse: PulseServer, tmp_path: Path
) -> None:
    """Tone at the sink at once after the second person's yes; stopped by a person; what was cut is said anew, whole."""
    loa.person("nghia", "approver", scopes=("emergency",))
    loa.person("bithu", "approver", scopes=("emergency",))
    make_mp3(tmp_path / "dai.mp3", seconds=30.0)
    make_mp3(tmp_path / "khan.mp3", seconds=4.0, seed=3)
    programme = loa.approved(tmp_path / "dai.mp3", station=NAME, title="Bài dài")
    message = loa.approved(tmp_path / "khan.mp3", station=NAME, title="Lũ quét")
    slot = loa.order(NAME, programme["id"], datetime.now(UTC) + timedelta(seconds=5))
    wait_for("the programme", lambda: loa.ask("GET", f"/stations/{NAME}", "hanh")["on_air"])
    time.sleep(3.0)
    body = {"stations": [NAME], "segment": message["id"], "repeat": 3}
    order = loa.ask("POST", "/emergencies", "nghia", expect=201, json=body)
    assert "awaiting_second" == order["state"]
    loa.ask("POST", f"/emergencies/{order['id']}/confirm", "nghia", expect=403, json={})
    with pulse.recording("horn") as recording:
        confirmed_ns = time.monotonic_ns()
        loa.ask("POST", f"/emergencies/{order['id']}/confirm", "bithu", json={})
        wait_for("the emergency on air", lambda: state_of(loa, order["id"]) == "on_air", 10)
        time.sleep(9.0)
        begun = recording.find(np.frombuffer(tone(Tone.ALERT, 288_000), dtype="<i2"))
        first_ns = int(recording.instants_ns([begun.position])[0])
        loa.ask("POST", f"/emergencies/{order['id']}/stop", "bithu", json={"reason": "Thử"})
        wait_for("the stop", lambda: state_of(loa, order["id"]) == "stopped", 10)
    wait_for("the programme again", lambda: loa.ask("GET", f"/stations/{NAME}", "hanh")["state"] == "on_air", 10)
    row = loa.row(NAME, slot, timeout_s=90)
    emergency = loa.row(NAME, f"{NAME}/emergency/{order['id']}")

    assert begun.likeness > 0.9
    assert 0 < (first_ns - confirmed_ns) / 1e9 < 2.0
    assert ("partial", "emergency") == (emergency["verdict"], emergency["kind"])
    assert 8 <= emergency["seconds_aired"] <= 14
    assert ("aired", "E2", 2) == (row["verdict"], row["evidence"], len(row["parts"]))
    assert 29 <= row["seconds_aired"] <= 31
