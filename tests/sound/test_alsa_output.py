"""The player on ALSA, through its plug-ins for PulseAudio and for files: no machine of ours has a sound card."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from playout.benches.soundlab import PulseServer, Samples, find
from playout.source import NS_PER_S, RATE_HZ
from tests.playout.stage import Stage, in_s, wait_for_instant
from tests.sound.streaming import speech_like

pytestmark = pytest.mark.sound

CARD = {"name": "card", "kind": "alsa", "device": "horn", "volume_db": 0.0}
TAPE = {"name": "tape", "kind": "alsa", "device": "plug:tape", "volume_db": 0.0}


@pytest.fixture
def stage(tmp_path: Path, pulse: PulseServer) -> Iterator[Stage]:
    """A player whose ALSA knows `horn`, a sink of the test's server, and `tape`, a file."""
    config = tmp_path / "asound.conf"
    config.write_text(
        "pcm.horn { type pulse device horn }\n"
        "ctl.horn { type pulse sink horn source horn.monitor }\n"
        f'pcm.tape {{ type file file "{tmp_path}/tape.raw" format raw slave.pcm null }}\n'
    )
    environment = {**pulse.environment, "ALSA_CONFIG_PATH": f"/usr/share/alsa/alsa.conf:{config}"}
    stage = Stage(tmp_path, environment=environment)
    yield stage
    stage.close()


def _tape(stage: Stage) -> Samples:
    return np.fromfile(stage.folder / "tape.raw", dtype="<i2")


def test_a_card_plays_bit_by_bit_at_its_time(pulse: PulseServer, stage: Stage) -> None:
    """The recording holds every sample of the file, begun within 20 ms of its time; the counts are true."""
    sound = stage.noise(2.0)
    stage.open(CARD)
    stage.wait("output", state="ok")
    with pulse.recording("horn") as recording:
        start_ns = in_s(1.0)
        stage.arm("a", sound, start_ns=start_ns)
        ended = stage.wait("ended", airing="a")
        match = recording.find(sound[:RATE_HZ])
        recorded = recording.samples[match.position : match.position + len(sound)]
        heard_ns = int(recording.instants_ns([match.position])[0])
    assert np.array_equal(recorded, sound)
    assert abs(heard_ns - start_ns) < 20_000_000
    assert ended["cause"] == "complete"
    assert ended["outputs"]["card"]["samples"] == len(sound)
    assert ended["outputs"]["card"]["holes"] == ended["holes"] == []
    assert abs(ended["outputs"]["card"]["first_ns"] - heard_ns) < 20_000_000


def test_f20_a_card_that_vanishes_is_lost_alone_and_taken_again(pulse: PulseServer, stage: Stage) -> None:
    """Pulling the card is told within 2 s and ends its counting; the other card plays on whole; both go on later."""
    sound = stage.noise(3.0)
    stage.open(CARD, {**TAPE, "volume_db": -6.0206})
    stage.wait("output", name="card", state="ok")
    stage.wait("output", name="tape", state="ok")
    start_ns = in_s(1.0)
    stage.arm("a", sound, start_ns=start_ns)
    wait_for_instant(start_ns + NS_PER_S)
    removed_ns = time.monotonic_ns()
    pulse.remove_sink("horn")
    assert stage.wait_after(removed_ns, "output", name="card", state="lost", timeout_s=5) < 2
    ended = stage.wait("ended", airing="a")
    assert 0.5 * RATE_HZ < ended["outputs"]["card"]["samples"] <= 1.1 * RATE_HZ
    assert ended["outputs"]["tape"]["samples"] > 0.9 * len(sound)
    assert ended["cause"] == "complete"
    # The plug-in writes in large pieces: the end is not in the file yet.
    recorded, whole = _tape(stage), sound[: 2 * RATE_HZ]
    match = find(recorded, whole // 2)
    assert np.abs(recorded[match.position : match.position + len(whole)] - whole / 2).max() <= 1
    pulse.add_sink("horn")
    assert stage.wait_after(time.monotonic_ns(), "output", name="card", state="ok") < 3


def test_f19_what_is_no_card_or_not_there_counts_nothing(stage: Stage) -> None:
    """ALSA's `null`, which swallows everything, and a card that is not plugged in are lost from the outset."""
    sound = stage.noise(0.5)
    stage.open(
        {**CARD, "name": "nothing", "device": "null"}, {**CARD, "name": "unplugged", "device": "plughw:CARD=Device"}
    )
    opened_ns = time.monotonic_ns()
    assert stage.wait_after(opened_ns, "output", name="nothing", state="lost") < 2
    assert stage.wait_after(opened_ns, "output", name="unplugged", state="lost") < 2
    stage.arm("a", sound, start_ns=in_s(0.5))
    ended = stage.wait("ended", airing="a")
    assert {name: counted["samples"] for name, counted in ended["outputs"].items()} == {"nothing": 0, "unplugged": 0}
    assert ended["cause"] == "output_lost"
    assert stage.told("started") == []


def test_f21_what_the_cards_mixer_mutes_is_told_and_not_counted(pulse: PulseServer, stage: Stage) -> None:
    """Switched off or at its lowest, the card counts for nothing while it lasts: two holes, each told within 2 s."""
    sound = stage.noise(6.0)
    stage.open(CARD)
    stage.wait("output", state="ok")
    start_ns = in_s(1.0)
    stage.arm("a", sound, start_ns=start_ns)
    for second, silence, again in (
        (1, lambda: pulse.mute_sink("horn", muted=True), lambda: pulse.mute_sink("horn", muted=False)),
        (3.5, lambda: pulse.set_volume("horn", percent=0), lambda: pulse.set_volume("horn", percent=100)),
    ):
        wait_for_instant(start_ns + round(second * NS_PER_S))
        since_ns = time.monotonic_ns()
        silence()
        assert stage.wait_after(since_ns, "output", state="muted") < 2
        wait_for_instant(start_ns + round((second + 1.5) * NS_PER_S))
        since_ns = time.monotonic_ns()
        again()
        assert stage.wait_after(since_ns, "output", state="ok") < 2
    ended = stage.wait("ended", airing="a")
    first, second = ended["holes"]
    for hole, at in ((first, 1), (second, 3.5)):
        assert 1 < hole["seconds"] < 2.5
        assert abs(hole["at_sample"] - at * RATE_HZ) < RATE_HZ
    assert ended["outputs"]["card"]["samples"] < 4 * RATE_HZ


def test_a_driver_that_hangs_is_told_and_holds_up_nothing(pulse: PulseServer, stage: Stage) -> None:
    """When the card's driver stops answering, it is lost within 2 s, and the other card has every sample."""
    sound = stage.noise(3.5)
    stage.open(CARD, TAPE)
    stage.wait("output", name="card", state="ok")
    stage.wait("output", name="tape", state="ok")
    start_ns = in_s(1.0)
    stage.arm("a", sound, start_ns=start_ns)
    wait_for_instant(start_ns + NS_PER_S)
    since_ns = time.monotonic_ns()
    os.kill(pulse.pid, signal.SIGSTOP)
    try:
        assert stage.wait_after(since_ns, "output", name="card", state="lost", timeout_s=5) < 2.2
        ended = stage.wait("ended", airing="a")
    finally:
        os.kill(pulse.pid, signal.SIGCONT)
    assert ended["outputs"]["tape"]["samples"] > 0.9 * len(sound)
    assert ended["outputs"]["card"]["samples"] < 1.6 * RATE_HZ
    assert stage.wait_after(time.monotonic_ns(), "output", name="card", state="ok") < 4


def test_f24_after_an_underrun_it_goes_on_where_the_clock_is(pulse: PulseServer, stage: Stage) -> None:
    """When the process stood still for a second, the card ran dry: that is told and stated, and the rest is in time."""
    sound = speech_like(stage.rng, 5.0)
    stage.open(CARD)
    stage.wait("output", state="ok")
    with pulse.recording("horn") as recording:
        start_ns = in_s(1.0)
        stage.arm("a", sound, start_ns=start_ns)
        wait_for_instant(start_ns + NS_PER_S)
        os.kill(stage.player.pid, signal.SIGSTOP)
        wait_for_instant(start_ns + 2 * NS_PER_S)
        os.kill(stage.player.pid, signal.SIGCONT)
        ended = stage.wait("ended", airing="a")
        # Short enough to be found although frames are slipped, as they are while a busy machine's sink drifts.
        late = sound[4 * RATE_HZ : round(4.1 * RATE_HZ)]
        match = recording.find(late)
        heard_ns = int(recording.instants_ns([match.position])[0])
    assert match.likeness > 0.9
    assert abs(heard_ns - (start_ns + 4 * NS_PER_S)) < 20_000_000
    missing_s = sum(hole["seconds"] for hole in ended["holes"])
    assert missing_s > 0.5
    assert abs(len(sound) - ended["outputs"]["card"]["samples"] - missing_s * RATE_HZ) < RATE_HZ // 10
    assert ended["cause"] == "complete"
    assert "underruns" in stage.told("output", name="card")[-1]["detail"]
