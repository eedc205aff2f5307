"""A whole Loa with one station on a sound card, an Icecast server and IP loudspeakers at once."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import soundfile

from playout.benches.soundlab import PulseServer, find
from tests.running import RunningLoa, make_mp3, wait_for
from tests.sound.streaming import IcecastServer, Listener

pytestmark = pytest.mark.sound

NAME = "LONGHIEP"


@pytest.fixture
def server() -> Iterator[IcecastServer]:
    """A running Icecast server."""
    with tempfile.TemporaryDirectory(prefix="loa-icecast-") as folder:
        server = IcecastServer(Path(folder))
        server.start()
        yield server
        server.stop()


@pytest.fixture
def loa(tmp_path: Path, pulse: PulseServer, server: IcecastServer) -> Iterator[RunningLoa]:
    """A Loa with three outputs of different kinds, configured as an operator does."""
    config = tmp_path / "asound.conf"
    config.write_text("pcm.horn { type pulse device horn }\nctl.horn { type pulse sink horn source horn.monitor }\n")
    password = {"format": "mp3", "password_file": str(server.password_file)}
    outputs = [
        {"name": "card", "kind": "alsa", "device": "horn", "volume_db": -3.0},
        {"name": "web", "kind": "icecast", "device": server.mount("xa.mp3"), **password},
        {"name": "speakers", "kind": "rtp", "device": "239.255.77.3:5004@lo", "format": "l16"},
    ]
    environment = {**pulse.environment, "ALSA_CONFIG_PATH": f"/usr/share/alsa/alsa.conf:{config}"}
    loa = RunningLoa(tmp_path / "loa", {NAME: outputs}, environment=environment)
    loa.start()
    loa.permit_whole_day(NAME)
    yield loa
    loa.stop()


def test_f20_one_item_goes_out_on_every_kind_of_output_though_one_dies(
    loa: RunningLoa, pulse: PulseServer, server: IcecastServer, tmp_path: Path
) -> None:
    """Card and loudspeakers have all of it, the listener what came before the server died; fault and row say so."""
    make_mp3(tmp_path / "bai.mp3", seconds=7.0)
    segment = loa.approved(tmp_path / "bai.mp3", station=NAME)
    sha256 = segment["sha256"]
    sound, _ = soundfile.read(loa.data / "media" / sha256[:2] / f"{sha256}.flac", dtype="int16")
    with pulse.recording("horn") as recording:
        slot = loa.order(NAME, segment["id"], datetime.now(UTC) + timedelta(seconds=7))
        listener = wait_for("the mount", lambda: _listen(server))
        wait_for("the item to be on air", lambda: loa.ask("GET", f"/stations/{NAME}", "hanh")["on_air"])
        heard = len(recording.samples)
        wait_for("four seconds of it", lambda: len(recording.samples) > heard + 4 * 48_000)
        server.stop()
        wait_for("the fault", lambda: {"stream_web", "output_web"} & _faults(loa), 5.0)
        row = loa.row(NAME, slot)
        on_card = recording.find(sound)
    listener.close()
    assert row["verdict"] == "partial"
    counted = {output["name"]: output["samples"] / len(sound) for output in row["outputs"]}
    assert counted["card"] > 0.8 and counted["speakers"] > 0.8
    assert 0.3 < counted["web"] < 0.9
    assert not row["rehearsal"]
    assert on_card.likeness > 0.9
    _, streamed = listener.sound()
    assert find(streamed, sound[: 2 * 48_000]).likeness > 0.9
    assert all(result["ok"] for result in loa.verify())


def _faults(loa: RunningLoa) -> set[str]:
    return {fault["code"] for fault in loa.ask("GET", f"/stations/{NAME}", "hanh")["faults"]}


def _listen(server: IcecastServer) -> Listener | None:
    """Return a listener, once there is something to listen to."""
    listener = Listener(server.port, "xa.mp3")
    if listener.welcome():
        return listener
    listener.close()
    return None
