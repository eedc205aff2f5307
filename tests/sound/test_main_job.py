"""The main job: a recording goes in by the API, another person approves it, it is heard; or the row says why not."""

from __future__ import annotations

import os
import signal
import subprocess
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import soundfile

from link.keys import station_keys
from link.proof import COVER, verify
from playout.benches.soundlab import PulseServer, Recording, pulse_server
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
def running(tmp_path_factory: pytest.TempPathFactory, pulse: PulseServer) -> Iterator[RunningLoa]:
    """One Loa for all tests of this file; its one station sounds on the sink `horn`."""
    running = RunningLoa(tmp_path_factory.mktemp("loa"), {NAME: HORN}, environment=pulse.environment)
    running.start()
    running.permit_whole_day(NAME)
    yield running
    running.stop()


@pytest.fixture
def loa(running: RunningLoa, pulse: PulseServer) -> Iterator[RunningLoa]:
    """That Loa, alive, with its sink there and unmuted again afterwards."""
    if running.process is None or running.process.poll() is not None:
        running.start()
    running.settle()
    yield running
    if "horn" not in pulse.sinks:
        pulse.add_sink("horn")
    if "other" in pulse.sinks:
        pulse.remove_sink("other")
    pulse.mute_sink("horn", muted=False)


def in_seconds(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def heard_at(recording: Recording, position: int) -> datetime:
    """Return the wall time at which a sample of the recording was heard."""
    ago_s = time.monotonic() - int(recording.instants_ns([position])[0]) / 1e9
    return datetime.now(UTC) - timedelta(seconds=ago_s)


def canonical(loa: RunningLoa, segment: dict[str, Any]) -> np.ndarray[Any, np.dtype[np.int16]]:
    sha256 = segment["sha256"]
    samples, rate = soundfile.read(loa.data / "media" / sha256[:2] / f"{sha256}.flac", dtype="int16")
    assert rate == 48_000
    return np.asarray(samples)


def test_a_recording_is_heard_at_its_time_and_the_row_is_true(
    loa: RunningLoa, pulse: PulseServer, tmp_path: Path
) -> None:
    """MP3 in, approved by a second account, ordered 20 s ahead: the monitor holds that audio within 20 ms of plan."""
    make_mp3(tmp_path / "bai.mp3", seconds=6.0)
    segment = loa.approved(tmp_path / "bai.mp3", station=NAME)
    sound = canonical(loa, segment)
    start = in_seconds(20)
    with pulse.recording("horn") as recording:
        slot = loa.order(NAME, segment["id"], start)
        row = loa.row(NAME, slot)
        match = recording.find(sound)
        heard = heard_at(recording, match.position)

    assert match.likeness > 0.98
    assert abs((heard - start).total_seconds()) < 0.020
    assert row["verdict"] == "aired"
    assert row["evidence"] >= "E1"
    assert row["bit_exact"] is True
    assert row["samples_aired"] == row["samples_expected"] == len(sound)
    assert not row["rehearsal"]
    assert abs((datetime.fromisoformat(row["started_at"]) - heard).total_seconds()) < 0.020
    assert all(result["ok"] for result in loa.verify())
    proves(loa, slot, tmp_path)


def proves(loa: RunningLoa, slot: str, folder: Path) -> None:
    """Require a proof whose recording a row names; the command line knows it, and names the row that was forged."""

    def named() -> bytes | None:
        made: bytes = loa.ask("GET", f"/airings/{slot}/proof", "hanh", expect=200).content
        proof = verify(made, {}).proof
        assert proof is not None
        return made if any(file.what == "aircheck" and file.row is not None for file in proof.files) else None

    whole, forged = folder / "whole.zip", folder / "forged.zip"
    whole.write_bytes(wait_for("the recording's row", named))
    report = verify(whole, station_keys(loa.data / "keys"))
    assert (report.genuine, report.known_as, report.findings) == (True, NAME, ())
    assert report.proof is not None
    assert report.proof.peaks is not None
    assert min(max(report.proof.peaks.approved), max(report.proof.peaks.aircheck)) > 10
    turned = b'"verdict": "aired"', b'"verdict": "missed"'
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(forged, "w") as target:
        for name in source.namelist():
            target.writestr(name, source.read(name).replace(*turned) if name == COVER else source.read(name))
    assert "nguyên vẹn" in loa.command("journal", "verify", str(whole)).stdout
    answer = loa.command("journal", "verify", str(forged), check=False)
    assert (answer.returncode, f"row {report.proof.verdict}" in answer.stdout) == (1, True)


@pytest.mark.parametrize("second", [False, True], ids=["only_sink", "second_sink_present"])
def test_f20_a_sink_removed_in_mid_item_is_never_aired(
    loa: RunningLoa, pulse: PulseServer, tmp_path: Path, second: bool
) -> None:
    """The row is partial, the station shows the fault within 5 s, and another sink carries nothing."""
    if second:
        pulse.add_sink("other")
    make_mp3(tmp_path / "bai.mp3", seconds=10.0)
    segment = loa.approved(tmp_path / "bai.mp3", station=NAME)
    slot = loa.order(NAME, segment["id"], in_seconds(5))
    wait_for("the item to be on air", lambda: loa.ask("GET", f"/stations/{NAME}", "hanh")["on_air"])
    with pulse.recording("other" if second else "horn") as recording:
        time.sleep(2.0)
        pulse.remove_sink("horn")
        removed = time.monotonic()
        wait_for("the fault", lambda: loa.ask("GET", f"/stations/{NAME}", "hanh")["faults"], 5.0)
        assert time.monotonic() - removed < 5.0
        assert loa.ask("GET", f"/stations/{NAME}", "hanh")["state"] == "fault"
        row = loa.row(NAME, slot)
        other = recording.samples if second else np.zeros(1, dtype=np.int16)

    assert row["verdict"] == "partial"
    assert row["samples_aired"] < 0.95 * row["samples_expected"]
    assert not other.any()
    assert row["reason"]
    pulse.add_sink("horn")
    again = loa.order(NAME, segment["id"], in_seconds(8))
    assert loa.row(NAME, again)["verdict"] == "aired"


@pytest.mark.parametrize("state", ["missing", "muted"])
def test_f19_a_sink_missing_or_muted_from_the_start_is_never_aired(
    loa: RunningLoa, pulse: PulseServer, tmp_path: Path, state: str
) -> None:
    """No sound went out, so the row is missed, and the fault stands before the item is over."""
    if state == "missing":
        pulse.remove_sink("horn")
    else:
        pulse.mute_sink("horn", muted=True)
    make_mp3(tmp_path / "bai.mp3", seconds=4.0)
    segment = loa.approved(tmp_path / "bai.mp3", station=NAME)
    slot = loa.order(NAME, segment["id"], in_seconds(4))
    wait_for("the fault", lambda: loa.ask("GET", f"/stations/{NAME}", "hanh")["faults"], 9.0)

    row = loa.row(NAME, slot)

    assert row["verdict"] == "missed"
    assert row["samples_aired"] == 0
    assert row["started_at"] is None


@pytest.mark.parametrize("moment_s", [0.3, 2.7, 5.9])
def test_f13_a_killed_player_sounds_again_and_the_hole_is_in_the_row(
    loa: RunningLoa, pulse: PulseServer, tmp_path: Path, moment_s: float
) -> None:
    """kill -9 at a moment of the airing: the same item goes on, ends as planned, and the row tells what is missing."""
    # Another recording each time: one that is there at three deaths in a minute is left out as their cause.
    make_mp3(tmp_path / "bai.mp3", seconds=9.0, seed=round(10 * moment_s) + 1)
    segment = loa.approved(tmp_path / "bai.mp3", station=NAME)
    sound = canonical(loa, segment)
    start = in_seconds(5)
    with pulse.recording("horn") as recording:
        slot = loa.order(NAME, segment["id"], start)
        wait_for("the start", lambda: datetime.now(UTC) >= start + timedelta(seconds=moment_s))
        (player,) = pulse.playing_on("horn")
        os.kill(player, signal.SIGKILL)
        row = loa.row(NAME, slot)
        tail = recording.find(sound[-48_000:])
        ended = heard_at(recording, tail.position + 48_000)

    assert tail.likeness > 0.98
    assert abs((ended - start).total_seconds() - len(sound) / 48_000) < 0.3
    assert abs(row["holes_s"] + row["seconds_aired"] - len(sound) / 48_000) < 0.3
    assert len(row["parts"]) == 2
    assert row["samples_aired"] < row["samples_expected"]
    assert row["verdict"] == ("aired" if row["samples_aired"] >= 0.95 * row["samples_expected"] else "partial")
    assert not row["bit_exact"]
    assert all(result["ok"] for result in loa.verify())


@pytest.mark.parametrize("moment_s", [-1.0, 1.5, 6.0])
def test_f14_a_killed_daemon_goes_on_after_its_restart(
    loa: RunningLoa, pulse: PulseServer, tmp_path: Path, moment_s: float
) -> None:
    """kill -9 of everything but the sink: sound stops, returns after the restart, one row tells it, the chain holds."""
    make_mp3(tmp_path / "bai.mp3", seconds=14.0)
    segment = loa.approved(tmp_path / "bai.mp3", station=NAME)
    sound = canonical(loa, segment)
    start = in_seconds(6)
    with pulse.recording("horn") as recording:
        slot = loa.order(NAME, segment["id"], start)
        wait_for("the moment", lambda: datetime.now(UTC) >= start + timedelta(seconds=moment_s))
        loa.kill()
        loa.start()
        row = loa.row(NAME, slot)
        tail = recording.find(sound[-48_000:])

    assert tail.likeness > 0.98
    assert row["verdict"] == ("aired" if row["samples_aired"] >= 0.95 * row["samples_expected"] else "partial")
    assert row["samples_aired"] <= row["samples_expected"]
    if moment_s > 0:
        assert row["holes_s"] > 0
        assert len(row["parts"]) == 2
    assert all(result["ok"] for result in loa.verify())
    assert len([r for r in loa.airlog(NAME) if r["slot"] == slot]) == 1


def test_stop_silences_and_names_who_and_why(loa: RunningLoa, pulse: PulseServer, tmp_path: Path) -> None:
    """Stop now: silence within a second, the row is partial with the name and the reason."""
    make_mp3(tmp_path / "bai.mp3", seconds=10.0)
    segment = loa.approved(tmp_path / "bai.mp3", station=NAME)
    slot = loa.order(NAME, segment["id"], in_seconds(4))
    wait_for("the item to be on air", lambda: loa.ask("GET", f"/stations/{NAME}", "hanh")["on_air"])
    time.sleep(1.0)
    with pulse.recording("horn") as recording:
        loa.ask("POST", f"/stations/{NAME}/stop", "nghia", json={"reason": "Nhầm bài"})
        stopped = len(recording.samples)
        row = loa.row(NAME, slot, 10.0)
        wait_for("a second of recording", lambda: len(recording.samples) > stopped + 96_000)
        silence = recording.samples[stopped + 48_000 :]

    assert not silence.any()
    assert row["verdict"] == "partial"
    assert "Nhầm bài" in row["reason"] and "nghia" in row["reason"]


def test_ctrl_c_ends_everything_within_three_seconds(loa: RunningLoa, pulse: PulseServer, tmp_path: Path) -> None:
    """In the middle of an airing: exit code 0, no player or aircheck of ours runs on, the sink is silent."""
    make_mp3(tmp_path / "bai.mp3", seconds=10.0)
    segment = loa.approved(tmp_path / "bai.mp3", station=NAME)
    loa.order(NAME, segment["id"], in_seconds(4))
    wait_for("the item to be on air", lambda: loa.ask("GET", f"/stations/{NAME}", "hanh")["on_air"])
    assert loa.process is not None
    family = psutil.Process(loa.process.pid).children(recursive=True)
    assert family

    began = time.monotonic()
    code = loa.stop()
    took_s = time.monotonic() - began

    assert code == 0
    assert took_s < 3.0
    psutil.wait_procs(family, timeout=2.0)
    assert not [child for child in family if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]


def test_a_file_changed_on_disk_is_not_aired(loa: RunningLoa, pulse: PulseServer, tmp_path: Path) -> None:
    """S31: one flipped byte in the library after approval: nothing sounds, the row is missed, a fault says why."""
    make_mp3(tmp_path / "bai.mp3", seconds=3.0)
    segment = loa.approved(tmp_path / "bai.mp3", station=NAME)
    sha256 = segment["sha256"]
    path = loa.data / "media" / sha256[:2] / f"{sha256}.flac"
    path.chmod(0o600)
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)
    with pulse.recording("horn") as recording:
        slot = loa.order(NAME, segment["id"], in_seconds(4))
        row = loa.row(NAME, slot)

    assert row["verdict"] == "missed"
    assert "đã duyệt" in row["reason"]
    assert not recording.samples.any()


def test_the_command_line_writes_through_the_running_loa(loa: RunningLoa, tmp_path: Path) -> None:
    """`loa ingest` while Loa runs, `loa run` twice, and `loa check` with a missing sink: each says what is so."""
    make_mp3(tmp_path / "bai.mp3", seconds=2.0)
    arguments = ("--station", NAME, "--programme", "CDS", "--title", "Thử")

    taken = loa.command("ingest", str(tmp_path / "bai.mp3"), *arguments, "--submit", "--json")
    refused = loa.command("ingest", str(loa.config), *arguments, "--json", check=False)
    twice = loa.command("run", check=False)

    assert '"state": "submitted"' in taken.stdout
    assert refused.returncode == 1
    assert '"state": "refused"' in refused.stdout
    assert twice.returncode == 2
    assert isinstance(taken, subprocess.CompletedProcess)
