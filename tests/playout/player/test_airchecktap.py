"""The aircheck of a real player: what the writer's segments hold, and what happens when the writer dies."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import av
import numpy as np
import psutil
import pytest

from playout.benches.soundlab import Samples, find, wait_until
from playout.source import NS_PER_S, RATE_HZ
from tests.playout.stage import Stage, in_s, wait_for_instant

DESK = {"name": "desk", "kind": "virtual", "device": None, "volume_db": -60.0}


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A player, not yet started."""
    stage = Stage(tmp_path)
    yield stage
    stage.close()


def test_the_aircheck_holds_what_went_out_at_its_wall_time(stage: Stage) -> None:
    """The item is found in the decoded segments within 50 ms of its place on the wall clock."""
    shelf = stage.folder / "aircheck"
    stage.open(DESK, aircheck=shelf)
    sound = _sweep(2.0)
    start_ns = in_s(2.0)
    wall_ns = start_ns + time.time_ns() - time.monotonic_ns()
    stage.arm("a", sound, start_ns=start_ns)
    stage.wait("ended", airing="a")
    wait_for_instant(start_ns + 4 * NS_PER_S)
    stage.player.close()
    stage.player.join(5)
    (run,) = shelf.iterdir()
    wait_until(
        lambda: "#EXT-X-ENDLIST" in (run / "list.m3u8").read_text(), timeout_s=10, what="the end of the aircheck"
    )
    begun, recorded = _decode(run)
    match = find(recorded, sound)
    heard_ns = begun.timestamp() * 1e9 + match.position * NS_PER_S / RATE_HZ
    assert match.likeness > 0.9
    assert abs(heard_ns - wall_ns) < 50_000_000


def test_a_writer_that_dies_costs_ten_seconds_of_aircheck_and_no_sound(stage: Stage) -> None:
    """When the writer is killed, the item goes on untouched and a new run begins."""
    shelf = stage.folder / "aircheck"
    stage.open(DESK, aircheck=shelf)
    sound = _sweep(6.0)
    stage.arm("a", sound, start_ns=in_s(2.0))
    stage.wait("started")
    (writer,) = psutil.Process(stage.player.pid).children()
    writer.kill()
    ended = stage.wait("ended", airing="a")
    assert ended["outputs"]["desk"]["samples"] == len(sound)
    assert ended["holes"] == []
    wait_until(lambda: len(list(shelf.iterdir())) == 2, timeout_s=15, what="a second run")


def _sweep(seconds: float) -> Samples:
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (8000 * np.sin(2 * np.pi * (300 * time_s + 700 * time_s**2))).astype(np.int16)


def _decode(run: Path) -> tuple[datetime, Samples]:
    """Return when the run begins and its sound."""
    for line in (run / "list.m3u8").read_text().splitlines():
        if line.startswith("#EXT-X-PROGRAM-DATE-TIME:"):
            begun = datetime.fromisoformat(line.partition(":")[2]).astimezone(UTC)
            break
    content = b"".join(path.read_bytes() for path in (run / "head.mp4", *sorted(run.glob("*.m4s"))))
    resampler = av.AudioResampler("s16", "mono", RATE_HZ)
    with av.open(io.BytesIO(content), format="mp4") as container:
        frames = [part for frame in container.decode(audio=0) for part in resampler.resample(frame)]
    return begun, np.concatenate([frame.to_ndarray().ravel() for frame in frames]).astype(np.int16)
