"""The player's multicast for IP loudspeakers on the loopback network: what a receiver got, packet by packet."""

from __future__ import annotations

import contextlib
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from playout.benches.soundlab import find
from playout.outputs.rtp import Target, session_description
from playout.source import NS_PER_S
from tests.playout.stage import Stage, in_s, wait_for_instant
from tests.sound.streaming import SenderProcess, decoded, speech_like

pytestmark = pytest.mark.sound

GROUP = "239.255.77.1"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A player, not yet started."""
    stage = Stage(tmp_path)
    yield stage
    stage.close()


class Receiver:
    """An IP loudspeaker: joins a group on the loopback network and keeps every packet with its instant."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((GROUP, 0))
        self.port: int = self._socket.getsockname()[1]
        membership = socket.inet_aton(GROUP) + socket.inet_aton("127.0.0.1")
        self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
        self.packets: list[tuple[int, bytes]] = []
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Leave the group."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._socket.close()

    def _receive(self) -> None:
        with contextlib.suppress(OSError):
            while packet := self._socket.recv(4096):
                self.packets.append((time.monotonic_ns(), packet))


def _output(port: int, folder: Path, *, form: str) -> dict[str, object]:
    return {
        "name": form,
        "kind": "rtp",
        "device": f"{GROUP}:{port}@lo",
        "volume_db": 0.0,
        "format": form,
        "kbps": 64,
        "user": "source",
        "password_file": None,
        "ttl": 1,
        "socket": str(folder / "run" / f"{form}.sock"),
    }


def test_ip_loudspeakers_get_every_sample_in_l16_and_opus(stage: Stage, tmp_path: Path) -> None:
    """Plain samples arrive bit by bit, in order and at their time; a decoder that was given the SDP hears the Opus."""
    plain, packed = Receiver(), Receiver()
    outputs = [_output(plain.port, stage.folder, form="l16"), _output(packed.port, stage.folder, form="opus")]
    senders = [SenderProcess(output) for output in outputs]
    for sender in senders:
        sender.wait("ok")
    stage.open(*outputs)
    for form in ("l16", "opus"):
        stage.wait("output", name=form, state="ok")
    sound = speech_like(stage.rng, 2.0)
    start_ns = in_s(1.0)
    stage.arm("a", sound, start_ns=start_ns)
    ended = stage.wait("ended", airing="a")
    wait_for_instant(start_ns + 5 * NS_PER_S // 2)
    for sender in senders:
        sender.close()
    for receiver in (plain, packed):
        receiver.close()
    for form in ("l16", "opus"):
        assert ended["outputs"][form]["samples"] == len(sound)
        assert ended["outputs"][form]["holes"] == []
    heads = [struct.unpack(">BBHII", packet[:12]) for _, packet in plain.packets]
    assert {(first, kind, serial) for first, kind, _, _, serial in heads} == {(0x80, 96, heads[0][4])}
    assert {(after[2] - before[2]) % 65_536 for before, after in pairwise(heads)} == {1}
    # Where the machine stood still, time jumps, but never inside a packet.
    assert {(after[3] - before[3]) % 480 for before, after in pairwise(heads)} == {0}
    received = np.frombuffer(b"".join(packet[12:] for _, packet in plain.packets), dtype=">i2").astype(np.int16)
    match = find(received, sound)
    assert np.array_equal(received[match.position : match.position + len(sound)], sound)
    arrived_ns = plain.packets[match.position // 480][0]
    assert -120_000_000 < arrived_ns - start_ns < 80_000_000
    heard = _replayed(packed.packets, tmp_path / "opus.sdp")
    assert find(heard, sound).likeness > 0.95


_CABLE = (
    "ip link add near type veth peer name far; ip address add 10.9.9.1/24 dev near; ip link set near up;"
    'ip route add 239.0.0.0/8 dev near; exec "$@"'
)


def test_f20_a_cable_that_is_out_is_told_and_its_return_used(tmp_path: Path) -> None:
    """The kernel takes packets for a network without a cable: the sender looks, says lost within 2 s, and ok again."""
    output = {**_output(5004, tmp_path, form="l16"), "device": f"{GROUP}:5004"}
    sender = SenderProcess(output, inside=("unshare", "-Urn", "sh", "-c", _CABLE, "sh"))
    sender.wait("lost", detail="near is not connected")
    enter = ("nsenter", "-t", str(sender.pid), "-U", "-n", "--preserve-credentials", "ip", "link", "set", "far")
    subprocess.run([*enter, "up"], check=True)
    sender.wait("ok", timeout_s=3)
    subprocess.run([*enter, "down"], check=True)
    sender.wait("lost", timeout_s=2, detail="near is not connected")
    sender.close()


def _replayed(packets: list[tuple[int, bytes]], description: Path) -> np.ndarray:
    """Return what FFmpeg's receiver makes of packets that are sent to it again, by the description we give out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    target = Target(address="127.0.0.1", port=port, interface=None)
    description.write_text(session_description(target, name="opus", form="opus", ttl=1))
    again = threading.Thread(target=_send_again, args=(packets, port), daemon=True)
    again.start()
    options = {"protocol_whitelist": "file,udp,rtp"}
    codec, heard = decoded(str(description), format="sdp", options=options, timeout=(5.0, 1.0))
    again.join(5)
    assert "opus" in codec
    return heard


def _send_again(packets: list[tuple[int, bytes]], port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(2):
            wait_for_instant(in_s(0.2))
            for number, (_, packet) in enumerate(packets):
                sender.sendto(packet, ("127.0.0.1", port))
                if number % 10 == 0:
                    wait_for_instant(in_s(0.005))
