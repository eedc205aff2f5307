"""The player on a real Icecast server: what a listener heard, what counts, and what happens when the server goes."""

from __future__ import annotations

import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from playout.benches.soundlab import find
from playout.source import NS_PER_S, RATE_HZ
from tests.playout.stage import Stage, in_s, wait_for_instant
from tests.sound.streaming import IcecastServer, Listener, SenderProcess, speech_like

pytestmark = pytest.mark.sound

DESK = {"name": "desk", "kind": "virtual", "device": None, "volume_db": 0.0}


@pytest.fixture
def server() -> Iterator[IcecastServer]:
    """A running server; not in a folder of pytest's, which the user that it becomes could not enter."""
    with tempfile.TemporaryDirectory(prefix="loa-icecast-") as folder:
        server = IcecastServer(Path(folder))
        server.start()
        yield server
        server.stop()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A player, not yet started."""
    stage = Stage(tmp_path)
    yield stage
    stage.close()


def _output(server: IcecastServer, folder: Path, *, form: str, volume_db: float = 0.0) -> dict[str, object]:
    return {
        "name": form,
        "kind": "icecast",
        "device": server.mount(f"xa.{form}"),
        "volume_db": volume_db,
        "format": form,
        "kbps": 64,
        "user": "source",
        "password_file": str(server.password_file),
        "ttl": 1,
        "socket": str(folder / "run" / f"{form}.sock"),
    }


def test_listeners_hear_the_item_in_mp3_and_opus_and_stay_between_players(server: IcecastServer, stage: Stage) -> None:
    """Both streams carry the item and silence before and after; all of it counts, and the player has no network."""
    outputs = [
        _output(server, stage.folder, form="mp3"),
        _output(server, stage.folder, form="opus", volume_db=-6.0206),
    ]
    senders = [SenderProcess(output) for output in outputs]
    for sender in senders:
        sender.wait("ok")
    listeners = [Listener(server.port, f"xa.{form}") for form in ("mp3", "opus")]
    sound = speech_like(stage.rng, 2.0)
    stage.open(*outputs)
    for form in ("mp3", "opus"):
        stage.wait("output", name=form, state="ok")
    stage.arm("a", sound, start_ns=in_s(1.0))
    ended = stage.wait("ended", airing="a")
    stage.close()
    # Longer than Icecast, players and encoders hold back.
    wait_for_instant(in_s(1.5))
    assert all(listener.connected for listener in listeners)
    for listener in listeners:
        listener.close()
    for sender in senders:
        sender.close()
    assert stage.wait("ready")["network"] == "none"
    assert ended["cause"] == "complete"
    for listener, form, level in zip(listeners, ("mp3", "opus"), (1.0, 0.5), strict=True):
        codec, heard = listener.sound()
        assert form in codec
        match = find(heard, sound)
        assert match.likeness > 0.95
        recorded = heard[match.position : match.position + len(sound)].astype(float)
        assert np.std(recorded) / np.std(sound) == pytest.approx(level, rel=0.1)
        assert np.abs(heard[: match.position - RATE_HZ // 10]).max() < 50
        # All of it, but for what a busy machine was too late for.
        assert ended["outputs"][form]["samples"] > 0.9 * len(sound)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["dead", "hung"])
def test_f20_a_server_that_goes_is_lost_alone_and_taken_again(
    server: IcecastServer, stage: Stage, number: signal.Signals
) -> None:
    """A dead or hung server is told within 2 s and counts no more; the desk plays on; its return is used within 7 s."""
    output = _output(server, stage.folder, form="mp3")
    sender = SenderProcess(output)
    sender.wait("ok")
    sound = speech_like(stage.rng, 3.5)
    stage.open(output, DESK)
    stage.wait("output", name="mp3", state="ok")
    start_ns = in_s(1.0)
    stage.arm("a", sound, start_ns=start_ns)
    wait_for_instant(start_ns + NS_PER_S)
    gone_ns = time.monotonic_ns()
    server.stop(number)
    assert stage.wait_after(gone_ns, "output", name="mp3", state="lost", timeout_s=5) < 2.2
    ended = stage.wait("ended", airing="a")
    assert ended["outputs"]["desk"]["samples"] > 0.9 * len(sound)
    assert 0.3 * RATE_HZ < ended["outputs"]["mp3"]["samples"] <= 1.2 * RATE_HZ
    assert ended["cause"] == "complete"
    back_ns = time.monotonic_ns()
    if number == signal.SIGKILL:
        server.start()
    else:
        server.stop(signal.SIGCONT)
    assert stage.wait_after(back_ns, "output", name="mp3", state="ok", timeout_s=10) < 7
    sender.close()


def test_a_wrong_password_is_told_and_never_shown(server: IcecastServer, tmp_path: Path) -> None:
    """The refusal is told in words; mending the file is enough; the password stands in no argument of the process."""
    output = _output(server, tmp_path, form="mp3")
    server.password_file.write_text("sai-mat-khau")
    sender = SenderProcess(output)
    sender.wait("lost", detail="user or password")
    arguments = (Path("/proc") / str(sender.pid) / "cmdline").read_bytes()
    server.password_file.write_text("mat-khau-thu-nghiem")
    sender.wait("ok")
    sender.close()
    assert b"mat-khau" not in arguments
    assert not any("mat-khau" in detail for _, _, detail in sender.told)
