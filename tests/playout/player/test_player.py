"""The player child with a rehearsal output: protocol, decks, refusals, and how it ends."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
import soundfile

from playout.benches.soundlab import wait_until
from playout.player.playerprocess import PlayerProcess
from playout.source import NS_PER_S, RATE_HZ
from schedules.errors import OutputError
from tests.playout.stage import Stage, in_s, wait_for_instant

DESK = {"name": "desk", "kind": "virtual", "device": None, "volume_db": 0.0}


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A player, not yet started."""
    stage = Stage(tmp_path)
    yield stage
    stage.close()


class Canary:
    """A web server that must not be asked for anything."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.requests: list[bytes] = []
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                self.requests.append(connection.recv(1000))

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@pytest.fixture
def canary() -> Iterator[Canary]:
    """A listening server on this machine."""
    canary = Canary()
    yield canary
    canary.close()


def test_a_file_goes_through_libvlc_bit_by_bit(stage: Stage) -> None:
    """The samples that libvlc handed to the bus are the file's, each once, and no file reader stood in."""
    sound = stage.noise(3.00013)
    stage.open(DESK)
    start_ns = in_s(1.0)
    stage.arm("a", sound, start_ns=start_ns)
    ended = stage.wait("ended", airing="a")
    assert ended["handed_sha256"] == hashlib.sha256(sound.tobytes()).hexdigest()
    assert ended["handed"] == ended["next"] == ended["outputs"]["desk"]["samples"] == len(sound)
    assert ended["cause"] == "complete"
    assert stage.told("source") == []
    assert abs(stage.wait("started")["monotonic_ns"] - start_ns) < 30_000
    assert stage.wait("ready")["network"] == "none"
    assert [event["event"] for event in stage.events if event["event"] in ("armed", "started", "ended")] == [
        "armed",
        "started",
        "ended",
    ]


def test_an_emergency_is_on_the_bus_within_a_second_of_the_first_thought(stage: Stage) -> None:
    """A player that does not run yet starts an item that is due now from its first sample."""
    sound = stage.noise(0.5)
    begun_ns = time.monotonic_ns()
    stage.open(DESK)
    stage.arm("a", sound, start_ns=begun_ns)
    ended = stage.wait("ended", airing="a")
    assert ended["outputs"]["desk"]["first_ns"] - begun_ns < 3 * NS_PER_S
    assert ended["handed_sha256"] == hashlib.sha256(sound.tobytes()).hexdigest()


def test_an_item_for_one_output_is_counted_there_only(stage: Stage) -> None:
    """Named outputs play it whole, bit by bit; the others are not in what the player tells, until an item for all."""
    notice, everybody = stage.noise(0.7), stage.noise(0.5)
    stage.open(DESK, {**DESK, "name": "village"})
    start_ns = in_s(1.0)
    stage.arm("notice", notice, start_ns=start_ns, outputs=["village"])
    stage.arm("everybody", everybody, start_ns=start_ns, after="notice")
    first, second = stage.wait("ended", airing="notice"), stage.wait("ended", airing="everybody")
    assert {name: output["samples"] for name, output in first["outputs"].items()} == {"village": len(notice)}
    assert {name: output["samples"] for name, output in second["outputs"].items()} == {
        "desk": len(everybody),
        "village": len(everybody),
    }
    assert first["cause"] == second["cause"] == "complete"
    assert set(stage.wait("started", airing="notice")["outputs"]) == {"village"}


def test_a_file_that_is_not_the_approved_one_is_refused(stage: Stage) -> None:
    """Another hash, no file, a folder, a FIFO: refused with the code that says what is wrong, and nothing airs."""
    sound = stage.noise(0.5)
    path = stage.folder / "a.flac"
    soundfile.write(path, sound, RATE_HZ, subtype="PCM_16")
    fifo = stage.folder / "fifo.flac"
    os.mkfifo(fifo)
    link = stage.folder / "link.flac"
    link.symlink_to(path)
    stage.open(DESK)
    good = hashlib.sha256(path.read_bytes()).hexdigest()
    stage.arm_file("swapped", path, sound, sha256="0" * 64, start_ns=in_s(0))
    stage.arm_file("missing", stage.folder / "b.flac", sound, sha256=good, start_ns=in_s(0))
    stage.arm_file("folder", stage.folder, sound, sha256=good, start_ns=in_s(0))
    stage.arm_file("fifo", fifo, sound, sha256=good, start_ns=in_s(0))
    stage.arm_file("link", link, sound, sha256=good, start_ns=in_s(0))
    assert stage.wait("refused", airing="swapped")["code"] == "media_hash"
    for airing in ("missing", "folder", "fifo", "link"):
        assert stage.wait("refused", airing=airing)["code"] == "media_missing"
    assert stage.told("ended") == []


@pytest.mark.parametrize("text", ["#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n{url}\n#EXT-X-ENDLIST\n", "{url}\n"])
def test_s20_a_playlist_in_the_library_is_refused_and_never_followed(stage: Stage, canary: Canary, text: str) -> None:
    """Security test 20: HLS text as .flac, with its true hash, airs nothing and fetches nothing."""
    path = stage.folder / "evil.flac"
    path.write_text(text.format(url=f"http://127.0.0.1:{canary.port}/a.ts"))
    stage.open(DESK)
    stage.arm_file("evil", path, np.zeros(RATE_HZ, np.int16), start_ns=in_s(0))
    assert stage.wait("refused", airing="evil")["code"] == "decode"
    assert canary.requests == []


def test_s20_the_demuxer_follows_no_playlist_even_if_it_gets_one(tmp_path: Path, canary: Canary) -> None:
    """The second wall alone, with the network at hand: libvlc has no demuxer for such a file and asks for nothing."""
    path = tmp_path / "evil.flac"
    path.write_text(f"#EXTM3U\n#EXTINF:6,\nhttp://127.0.0.1:{canary.port}/a.mp3\n")
    script = (
        "import os, sys, time\n"
        "from playout.player.deck import Decks, DeckSource\n"
        "decks = Decks(); decks.start()\n"
        "deck = DeckSource(decks, os.open(sys.argv[1], os.O_RDONLY)); deck.start()\n"
        "while deck.failure() is None: deck.available(); time.sleep(0.05)\n"
        "print(deck.failure()); sys.stdout.flush(); os._exit(0)\n"
    )
    run = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True, timeout=30)
    assert run.stdout.strip() == "libvlc gave no samples, twice"
    assert canary.requests == []


def test_a_player_has_no_network(stage: Stage) -> None:
    """The first wall alone: the child's only network interface is a loopback that is not even up."""
    stage.open(DESK)
    stage.wait("ready")
    theirs = Path(f"/proc/{stage.player.pid}/ns/net").readlink()
    assert theirs != Path("/proc/self/ns/net").readlink()
    lines = Path(f"/proc/{stage.player.pid}/net/dev").read_text().splitlines()[2:]
    assert [line.split(":")[0].strip() for line in lines] == ["lo"]


def test_a_file_swapped_after_the_check_does_not_air(stage: Stage) -> None:
    """Security test 31: what airs is the file that was hashed, also when its name points elsewhere meanwhile."""
    sound, other = stage.noise(1.0), stage.noise(1.0)
    stage.open(DESK)
    stage.arm("a", sound, start_ns=in_s(3.0))
    stage.wait("armed")
    (path,) = stage.folder.glob("*.flac")
    swapped = stage.folder / "swapped"
    soundfile.write(swapped, other, RATE_HZ, subtype="PCM_16", format="FLAC")
    swapped.rename(path)
    ended = stage.wait("ended", airing="a")
    assert ended["handed_sha256"] == hashlib.sha256(sound.tobytes()).hexdigest()


def test_a_file_damaged_in_place_is_not_called_the_approved_one(stage: Stage) -> None:
    """Bytes changed under the open file show in the hash of what was handed."""
    sound = stage.noise(4.0)
    stage.open(DESK)
    stage.arm("a", sound, start_ns=in_s(2.8))
    stage.wait("armed")
    (path,) = stage.folder.glob("*.flac")
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(os.urandom(40_000))
    ended = stage.wait("ended", airing="a", timeout_s=20)
    assert ended["handed_sha256"] != hashlib.sha256(sound.tobytes()).hexdigest()


def test_a_cut_file_that_was_hashed_so_ends_as_failed(stage: Stage) -> None:
    """A header that promises more than there is gives what is there, and says that the source failed."""
    sound = stage.noise(4.0)
    path = stage.folder / "cut.flac"
    soundfile.write(path, sound, RATE_HZ, subtype="PCM_16")
    os.truncate(path, path.stat().st_size // 2)
    stage.open(DESK)
    stage.arm_file("a", path, sound, start_ns=in_s(1.0))
    ended = stage.wait("ended", airing="a", timeout_s=20)
    assert ended["cause"] == "source_failed"
    assert 1.5 * RATE_HZ < ended["handed"] < 2.1 * RATE_HZ
    assert ended["handed_sha256"] is None


def test_a_stop_reaches_what_is_still_being_checked(stage: Stage) -> None:
    """A stop right behind an order leaves no sound, whether the file was hashed already or not."""
    stage.open(DESK)
    for number in range(5):
        stage.arm(str(number), stage.noise(0.5), start_ns=in_s(0))
    stage.player.send({"do": "stop", "airing": None, "fade_ms": 0})
    for number in range(5):
        ended = stage.wait("ended", airing=str(number))
        assert ended["handed"] <= RATE_HZ // 2
    silent_ns = time.monotonic_ns() + NS_PER_S
    wait_for_instant(silent_ns)
    assert stage.told("level")[-1]["rms_dbfs"] == -120.0


def test_an_order_taken_back_is_answered(stage: Stage) -> None:
    """A disarmed order ends with nothing handed."""
    stage.open(DESK)
    stage.arm("a", stage.noise(0.5), start_ns=in_s(5))
    stage.wait("armed")
    stage.player.send({"do": "disarm", "airing": "a"})
    ended = stage.wait("ended", airing="a")
    assert (ended["handed"], ended["cause"]) == (0, "stopped")


def test_joined_items_through_two_decks_are_complete(stage: Stage) -> None:
    """Ten short items, each after the one before, are each bit by bit the approved file, with no frame between."""
    sounds = [stage.noise(0.4 + number / 100) for number in range(10)]
    stage.open(DESK)
    start_ns = in_s(1.0)
    for number, sound in enumerate(sounds):
        stage.arm(str(number), sound, start_ns=start_ns, after=str(number - 1) if number else None)
    stage.wait("ended", airing="9", timeout_s=20)
    endings = {event["airing"]: event for event in stage.told("ended")}
    for number, sound in enumerate(sounds):
        assert endings[str(number)]["handed_sha256"] == hashlib.sha256(sound.tobytes()).hexdigest()
        if number:
            before, after = endings[str(number - 1)]["outputs"], endings[str(number)]["outputs"]
            assert after["desk"]["first_ns"] == before["desk"]["last_ns"]


def test_quit_ends_what_is_on_air_and_says_so(stage: Stage) -> None:
    """After `quit` the cut item has its row and the child ends with 0."""
    stage.open(DESK)
    stage.arm("a", stage.noise(5.0), start_ns=in_s(0.5))
    stage.wait("started")
    stage.player.send({"do": "quit"})
    assert stage.player.join(2)
    assert stage.exit_codes == [0]
    (ended,) = stage.told("ended")
    assert ended["cause"] == "stopped"


def test_a_player_outlives_no_parent(tmp_path: Path) -> None:
    """When the parent is killed with -9, the child is gone within a second."""
    script = (
        "import sys, time\n"
        "from playout.player.playerprocess import PlayerProcess\n"
        "player = PlayerProcess(station='X', on_event=lambda event: None, on_exit=lambda code: None)\n"
        "player.start(); print(player.pid, flush=True); time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    child = psutil.Process(int(parent.stdout.readline()))
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    wait_until(
        lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE,
        timeout_s=1,
        what="the end of the child",
    )


def test_ctrl_c_at_the_terminal_does_not_reach_a_player(stage: Stage) -> None:
    """The child is in a process group of its own, so that its parent can end it in order."""
    stage.open(DESK)
    assert os.getpgid(stage.player.pid) == stage.player.pid != os.getpgid(0)


def test_the_same_order_twice_airs_once(stage: Stage) -> None:
    """A second order of the same name changes nothing, as a parent may send it after a doubt."""
    sound = stage.noise(0.5)
    stage.open(DESK)
    for _ in range(2):
        stage.arm("a", sound, start_ns=in_s(1.0))
    stage.wait("ended", airing="a")
    wait_for_instant(time.monotonic_ns() + NS_PER_S)
    assert len(stage.told("ended")) == len(stage.told("started")) == 1


def test_a_player_lives_on_when_the_thread_that_started_it_ends(stage: Stage) -> None:
    """Starting a player from a passing thread, as a supervisor may, does not bind its life to that thread."""
    starter = threading.Thread(target=lambda: stage.open(DESK))
    starter.start()
    starter.join()
    stage.wait("level")
    count = len(stage.told("level"))
    wait_until(lambda: len(stage.told("level")) >= count + 3, timeout_s=5, what="the heartbeat")
    assert stage.player.alive


def test_a_player_that_is_gone_refuses_commands(stage: Stage) -> None:
    """Sending to a dead child raises an OutputError instead of blocking or passing silently."""
    stage.open(DESK)
    stage.wait("ready")
    stage.player.kill()
    stage.player.join(2)
    with pytest.raises(OutputError):
        stage.player.send({"do": "quit"})
    assert stage.exit_codes == [-signal.SIGKILL]


def test_a_hung_player_never_blocks_its_parent(stage: Stage) -> None:
    """When the child does not read, sending raises after the pipe is full, and does not wait."""
    stage.open(DESK)
    stage.wait("ready")
    os.kill(stage.player.pid, signal.SIGSTOP)
    begun = time.monotonic()
    with pytest.raises(OutputError):
        for _ in range(100_000):
            stage.player.send({"do": "disarm", "airing": "x" * 200})
    assert time.monotonic() - begun < 5
    stage.player.kill()
    assert stage.player.join(2)


def test_a_player_that_cannot_start_says_why() -> None:
    """A child that fails at once is told by its code, and its last words are kept."""
    codes: list[int] = []
    player = PlayerProcess(
        station="X",
        on_event=lambda event: None,
        on_exit=codes.append,
        environment={"PYTHONPATH": "/nonexistent", "PYTHONSAFEPATH": "1", "PYTHONHOME": "/nonexistent"},
    )
    player.start()
    assert player.join(10)
    assert codes[0] != 0
    assert player.last_words
