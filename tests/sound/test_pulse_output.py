"""The player on a real PulseAudio server: what its monitor recorded, and what the player says of it."""

from __future__ import annotations

import hashlib
import os
import signal
import time

import numpy as np
import pytest

from playout.benches.soundlab import PulseServer, Samples, wait_until
from playout.source import NS_PER_S, RATE_HZ
from tests.playout.stage import Stage, in_s, wait_for_instant

pytestmark = pytest.mark.sound

HORN = {"name": "main", "kind": "pulse", "device": "horn", "volume_db": 0.0}
OTHER = {"name": "other", "kind": "pulse", "device": "other", "volume_db": 0.0}
REHEARSAL = {"name": "desk", "kind": "virtual", "device": None, "volume_db": 0.0}


def _begin(stage: Stage, sound: Samples) -> int:
    """Open the horn and order `sound`; return the instant at which it is due."""
    stage.open(HORN)
    stage.wait("output", state="ok")
    start_ns = in_s(2.2)
    stage.arm("a", sound, start_ns=start_ns)
    return start_ns


def test_an_item_is_heard_bit_by_bit_at_its_time(pulse: PulseServer, stage: Stage) -> None:
    """The monitor holds every sample of the file, begun within 20 ms of its time; the counts are complete and true."""
    sound = stage.noise(2.0)
    with pulse.recording("horn") as recording:
        start_ns = _begin(stage, sound)
        ended = stage.wait("ended", airing="a")
        match = recording.find(sound[:RATE_HZ])
        recorded = recording.samples[match.position : match.position + len(sound)]
        heard_ns = int(recording.instants_ns([match.position])[0])
    assert np.array_equal(recorded, sound)
    assert abs(heard_ns - start_ns) < 20_000_000
    assert ended["handed_sha256"] == hashlib.sha256(sound.tobytes()).hexdigest()
    assert ended["cause"] == "complete"
    assert ended["outputs"]["main"]["samples"] == len(sound)
    assert ended["outputs"]["main"]["holes"] == ended["holes"] == []
    assert abs(ended["outputs"]["main"]["first_ns"] - heard_ns) < 20_000_000
    assert stage.wait("started")["monotonic_ns"] == ended["outputs"]["main"]["first_ns"]


def test_joined_items_are_heard_without_a_sample_between(pulse: PulseServer, stage: Stage) -> None:
    """Three items follow one another in the recording as if they were one file."""
    sounds = [stage.noise(seconds) for seconds in (1.0001, 0.73, 1.2)]
    stage.open(HORN)
    stage.wait("output", state="ok")
    with pulse.recording("horn") as recording:
        start_ns = in_s(2.5)
        for number, sound in enumerate(sounds):
            stage.arm(str(number), sound, start_ns=start_ns, after=str(number - 1) if number else None)
        stage.wait("ended", airing="2")
        whole = np.concatenate(sounds)
        match = recording.find(whole)
        assert np.array_equal(recording.samples[match.position : match.position + len(whole)], whole)


def test_what_a_starved_server_dropped_is_not_counted(pulse: PulseServer, stage: Stage) -> None:
    """A server that stands still for a moment drops what then arrives late: a hole, though sent in time."""
    sound = stage.noise(8.0)
    with pulse.recording("horn") as recording:
        start_ns = _begin(stage, sound)
        for after_s in (1.5, 3.0, 4.5, 6.0):
            wait_for_instant(start_ns + round(after_s * NS_PER_S))
            os.kill(pulse.pid, signal.SIGSTOP)
            wait_for_instant(start_ns + round((after_s + 0.48) * NS_PER_S))
            os.kill(pulse.pid, signal.SIGCONT)
        ended = stage.wait("ended", airing="a")
        recording.wait_for(start_ns + 9 * NS_PER_S)
        heard = int(np.count_nonzero(recording.samples))
    counted = ended["outputs"]["main"]["samples"]
    assert heard < len(sound) - RATE_HZ // 20
    assert heard - RATE_HZ <= counted <= heard + RATE_HZ // 100


def test_a_stop_is_heard_as_a_fade(pulse: PulseServer, stage: Stage) -> None:
    """After a stop the sound is gone within the fade and half a second, and the counts agree with the recording."""
    sound = stage.noise(6.0)
    with pulse.recording("horn") as recording:
        start_ns = _begin(stage, sound)
        wait_for_instant(start_ns + NS_PER_S)
        stop_ns = time.monotonic_ns()
        stage.player.send({"do": "stop", "airing": None, "fade_ms": 300})
        ended = stage.wait("ended", airing="a")
        recording.wait_for(stop_ns + NS_PER_S)
        match = recording.find(sound[:RATE_HZ])
        tail = recording.samples[recording.position_at(stop_ns + 800_000_000) :]
        heard = np.flatnonzero(recording.samples[match.position :])[-1] + 1
    assert not tail.any()
    assert ended["cause"] == "stopped"
    assert abs(heard - ended["handed"]) < RATE_HZ // 100
    assert ended["outputs"]["main"]["samples"] == ended["handed"]


@pytest.mark.parametrize("second", [False, True], ids=["only-sink", "second-sink-present"])
def test_a_removed_sink_is_lost_and_nothing_moves(pulse: PulseServer, stage: Stage, second: bool) -> None:
    """Taking the sink away in mid item is told within 2 s and ends the counting; another sink carries nothing."""
    if second:
        pulse.add_sink("other")
    sound = stage.noise(5.0)
    start_ns = _begin(stage, sound)
    if second:
        with pulse.recording("other") as recording:
            lost_after_s = _remove(pulse, stage, at_ns=start_ns + 2 * NS_PER_S)
            ended = stage.wait("ended", airing="a")
        assert not recording.samples.any()
    else:
        lost_after_s = _remove(pulse, stage, at_ns=start_ns + 2 * NS_PER_S)
        ended = stage.wait("ended", airing="a")
    assert lost_after_s < 2
    assert ended["cause"] == "output_lost"
    assert 1.5 * RATE_HZ < ended["outputs"]["main"]["samples"] <= 2.1 * RATE_HZ
    assert ended["handed"] == len(sound)


def _remove(pulse: PulseServer, stage: Stage, *, at_ns: int) -> float:
    """Remove the sink at an instant; return after how many seconds that was told."""
    wait_for_instant(at_ns)
    removed_ns = time.monotonic_ns()
    pulse.remove_sink("horn")
    return stage.wait_after(removed_ns, "output", state="lost", timeout_s=5)


def test_a_sink_that_comes_back_goes_on_where_the_clock_is(pulse: PulseServer, stage: Stage) -> None:
    """After the gap the recording continues with the samples that are due then, and the hole is stated."""
    sound = stage.noise(8.0)
    start_ns = _begin(stage, sound)
    _remove(pulse, stage, at_ns=start_ns + 2 * NS_PER_S)
    pulse.add_sink("horn")
    with pulse.recording("horn") as recording:
        ended = stage.wait("ended", airing="a")
        late = sound[7 * RATE_HZ : round(7.5 * RATE_HZ)]
        match = recording.find(late)
        heard_ns = int(recording.instants_ns([match.position])[0])
    assert match.likeness > 0.99
    assert abs(heard_ns - (start_ns + 7 * NS_PER_S)) < 20_000_000
    (hole,) = ended["holes"]
    assert 0.2 < hole["seconds"] < 3.5
    counted = ended["outputs"]["main"]["samples"]
    assert abs(len(sound) - counted - hole["seconds"] * RATE_HZ) < RATE_HZ // 20
    assert ended["cause"] == "complete"


def test_a_sink_missing_from_the_start_is_lost_until_it_comes(pulse: PulseServer, stage: Stage) -> None:
    """Nothing is counted without a sink; when one appears under the name, it is used within 2 s."""
    sound = stage.noise(1.0)
    stage.open({**HORN, "device": "nowhere"})
    opened_ns = time.monotonic_ns()
    assert stage.wait_after(opened_ns, "output", state="lost") < 2
    start_ns = in_s(0.3)
    stage.arm("a", sound, start_ns=start_ns)
    ended = stage.wait("ended", airing="a")
    assert ended["outputs"]["main"]["samples"] == 0
    assert ended["cause"] == "output_lost"
    assert stage.told("started") == []
    pulse.add_sink("nowhere")
    assert stage.wait_after(time.monotonic_ns(), "output", state="ok") < 2.5


def test_without_a_name_the_default_sink_is_used_and_kept(pulse: PulseServer, stage: Stage) -> None:
    """An output without a device takes the server's default sink, and stays when the default becomes another."""
    pulse.add_sink("other")
    pulse.pactl("set-default-sink", "horn")
    sound = stage.noise(1.0)
    stage.open({**HORN, "device": None})
    assert stage.wait("output", state="ok")["detail"] == "horn"
    pulse.pactl("set-default-sink", "other")
    with pulse.recording("other") as recording:
        stage.arm("a", sound, start_ns=in_s(1.5))
        ended = stage.wait("ended", airing="a")
    assert ended["outputs"]["main"]["samples"] == len(sound)
    assert not recording.samples.any()


@pytest.mark.parametrize("way", ["mute", "volume", "stream", "suspend"])
def test_what_nobody_hears_is_not_counted(pulse: PulseServer, stage: Stage, way: str) -> None:
    """A sink muted, at volume 0 or suspended, or a muted stream, counts for nothing while it lasts, and is told."""
    sound = stage.noise(6.0)
    start_ns = _begin(stage, sound)
    wait_for_instant(start_ns + 2 * NS_PER_S)
    told_after_s = _silence(pulse, stage, way)
    wait_for_instant(start_ns + 4 * NS_PER_S)
    _unsilence(pulse, way)
    ended = stage.wait("ended", airing="a")
    assert told_after_s < 2
    missing = len(sound) - ended["outputs"]["main"]["samples"]
    assert 1.9 * RATE_HZ < missing < 3.5 * RATE_HZ
    (hole,) = ended["holes"]
    assert abs(hole["seconds"] - missing / RATE_HZ) < 0.1
    assert abs(hole["at_sample"] - 2 * RATE_HZ) < RATE_HZ


def _silence(pulse: PulseServer, stage: Stage, way: str) -> float:
    since_ns = time.monotonic_ns()
    match way:
        case "mute":
            pulse.mute_sink("horn", muted=True)
        case "volume":
            pulse.set_volume("horn", percent=0)
        case "stream":
            pulse.mute_streams(muted=True)
        case "suspend":
            pulse.suspend_sink("horn", suspended=True)
    return stage.wait_after(since_ns, "output", state="suspended" if way == "suspend" else "muted")


def _unsilence(pulse: PulseServer, way: str) -> None:
    match way:
        case "mute":
            pulse.mute_sink("horn", muted=False)
        case "volume":
            pulse.set_volume("horn", percent=100)
        case "stream":
            pulse.mute_streams(muted=False)
        case "suspend":
            pulse.suspend_sink("horn", suspended=False)


def test_muted_from_the_start_counts_nothing(pulse: PulseServer, stage: Stage) -> None:
    """A whole item on a muted sink has not been played."""
    pulse.mute_sink("horn", muted=True)
    sound = stage.noise(1.0)
    stage.open(HORN)
    stage.wait("output", state="muted")
    stage.arm("a", sound, start_ns=in_s(0.5))
    ended = stage.wait("ended", airing="a")
    assert ended["outputs"]["main"]["samples"] == 0
    assert ended["handed_sha256"] == hashlib.sha256(sound.tobytes()).hexdigest()
    assert ended["cause"] == "output_lost"


def test_the_trouble_of_one_output_is_its_own(pulse: PulseServer, stage: Stage) -> None:
    """While one sink is away, the other and the rehearsal desk play and count everything."""
    pulse.add_sink("other")
    sound = stage.noise(4.0)
    stage.open(HORN, OTHER, REHEARSAL)
    for name in ("main", "other", "desk"):
        stage.wait("output", name=name, state="ok")
    with pulse.recording("other") as recording:
        start_ns = in_s(2.2)
        stage.arm("a", sound, start_ns=start_ns)
        _remove(pulse, stage, at_ns=start_ns + NS_PER_S)
        ended = stage.wait("ended", airing="a")
        match = recording.find(sound)
        assert np.array_equal(recording.samples[match.position : match.position + len(sound)], sound)
    assert ended["outputs"]["other"]["samples"] == len(sound)
    assert ended["outputs"]["desk"]["samples"] == len(sound)
    assert ended["outputs"]["main"]["samples"] < 1.2 * RATE_HZ
    assert ended["cause"] == "complete"


def test_volume_is_gain_on_the_output_alone(pulse: PulseServer, stage: Stage) -> None:
    """At -6 dB the recording is half as loud, and the file handed to the bus is still the approved one."""
    sound = stage.noise(1.0)
    stage.open({**HORN, "volume_db": -6.0206})
    stage.wait("output", state="ok")
    with pulse.recording("horn") as recording:
        stage.arm("a", sound, start_ns=in_s(2.2))
        ended = stage.wait("ended", airing="a")
        match = recording.find(sound)
        recorded = recording.samples[match.position : match.position + len(sound)]
    assert np.abs(recorded - sound / 2).max() <= 1
    assert ended["handed_sha256"] == hashlib.sha256(sound.tobytes()).hexdigest()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["dead", "hung"])
def test_a_server_that_dies_or_hangs_is_told(pulse: PulseServer, stage: Stage, number: int) -> None:
    """Without an answering sound server nothing more is counted, and the heartbeat goes on."""
    sound = stage.noise(6.0)
    start_ns = _begin(stage, sound)
    wait_for_instant(start_ns + NS_PER_S)
    since_ns = time.monotonic_ns()
    os.kill(pulse.pid, number)
    assert stage.wait_after(since_ns, "output", state="lost") < 3
    ended = stage.wait("ended", airing="a")
    assert ended["outputs"]["main"]["samples"] <= 1.1 * RATE_HZ
    assert ended["handed"] == len(sound)
    levels = [event["at_ns"] for event in stage.told("level")]
    assert max(np.diff(levels)) < 1.5 * NS_PER_S


def test_a_stopped_player_goes_on_where_the_clock_is(pulse: PulseServer, stage: Stage) -> None:
    """After the process stood still for a second, the rest lies where it would have been, and the hole is stated."""
    sound = stage.noise(6.0)
    with pulse.recording("horn") as recording:
        start_ns = _begin(stage, sound)
        wait_for_instant(start_ns + 2 * NS_PER_S)
        os.kill(stage.player.pid, signal.SIGSTOP)
        wait_for_instant(start_ns + 3 * NS_PER_S)
        os.kill(stage.player.pid, signal.SIGCONT)
        ended = stage.wait("ended", airing="a")
        late = sound[5 * RATE_HZ : round(5.5 * RATE_HZ)]
        match = recording.find(late)
        heard_ns = int(recording.instants_ns([match.position])[0])
    assert match.likeness > 0.99
    assert abs(heard_ns - (start_ns + 5 * NS_PER_S)) < 20_000_000
    assert 0.5 < sum(hole["seconds"] for hole in ended["holes"]) < 2
    assert ended["outputs"]["main"]["samples"] < len(sound)
    assert ended["cause"] == "complete"


def test_a_killed_player_is_silent_and_another_goes_on(
    pulse: PulseServer, stage: Stage, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """After kill -9 the exit is told, and a new player airs the rest of the item at its place on the clock."""
    sound = stage.noise(7.0)
    with pulse.recording("horn") as recording:
        start_ns = _begin(stage, sound)
        wait_for_instant(start_ns + 2 * NS_PER_S)
        stage.player.kill()
        assert stage.player.join(2)
        assert stage.exit_codes == [-signal.SIGKILL]
        second = Stage(tmp_path_factory.mktemp("second"), environment=pulse.environment)
        second.open(HORN)
        ready_ns = in_s(0.2)
        first = (ready_ns - start_ns) * RATE_HZ // NS_PER_S
        second.arm("a", sound, start_ns=ready_ns, from_sample=int(first))
        ended = second.wait("ended", airing="a")
        second.close()
        late = sound[6 * RATE_HZ : round(6.5 * RATE_HZ)]
        match = recording.find(late)
        heard_ns = int(recording.instants_ns([match.position])[0])
    assert match.likeness > 0.99
    assert abs(heard_ns - (start_ns + 6 * NS_PER_S)) < 20_000_000
    assert ended["cause"] == "complete"
    assert ended["handed_sha256"] is None


def test_without_a_parent_the_sound_stops_within_a_second(pulse: PulseServer, stage: Stage) -> None:
    """When standard input ends, the child ends, and the loudspeaker is silent."""
    sound = stage.noise(6.0)
    with pulse.recording("horn") as recording:
        start_ns = _begin(stage, sound)
        wait_for_instant(start_ns + NS_PER_S)
        closed_ns = time.monotonic_ns()
        stage.player.close()
        assert stage.player.join(1)
        recording.wait_for(closed_ns + 2 * NS_PER_S)
        after = recording.samples[recording.position_at(closed_ns + NS_PER_S) :]
    assert len(after) > RATE_HZ // 2
    assert not after.any()
    assert stage.exit_codes == [0]
    wait_until(lambda: not pulse.pactl("list", "short", "sink-inputs"), timeout_s=2, what="no stream")
