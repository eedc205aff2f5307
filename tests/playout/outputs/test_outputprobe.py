"""Asking devices whether they would sound, without a sound."""

from __future__ import annotations

import socket
import subprocess

import pytest

from playout.benches.soundlab import pulse_server
from playout.outputs.outputprobe import Wrong, ask_input, ask_output
from playout.specs import OutputSpec


def wrong(kind: str, device: str) -> Wrong | None:
    trouble = ask_output(OutputSpec(name="main", kind=kind, device=device))
    return None if trouble is None else trouble.wrong


def test_a_stream_server_answers_or_not() -> None:
    """The host of the mount is connected to; a mount without a path is no mount."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert wrong("icecast", f"http://127.0.0.1:{port}/xa.mp3") is None
        assert Wrong.BAD_ADDRESS is wrong("icecast", f"http://127.0.0.1:{port}/")
    assert Wrong.NO_SERVER is wrong("icecast", f"http://127.0.0.1:{port}/xa.mp3")


@pytest.mark.parametrize("address", ["127.0.0.1:8000/xa.mp3", "http:///xa.mp3", "http://x:99999/xa", "ftp://x/xa"])
def test_an_address_that_is_none_is_said_so(address: str) -> None:
    """A wrong line of config.yaml is another thing than a server that is away."""
    assert Wrong.BAD_ADDRESS is wrong("icecast", address)


@pytest.mark.parametrize("address", ["239.255.1.2", "239.255.1.2:0", "239.255.1.2:70000", "loa:5004", "1.2.3:x"])
def test_a_multicast_needs_address_and_port(address: str) -> None:
    """Nothing is sent for this."""
    assert Wrong.BAD_ADDRESS is wrong("rtp", address)


def test_a_route_is_enough_for_a_multicast_and_nothing_for_the_browser() -> None:
    """Loopback always has a route."""
    assert wrong("rtp", "127.0.0.1:5004") is None
    assert wrong("virtual", "") is None


def test_alsa_opens_what_there_is_and_names_what_there_is_not() -> None:
    """ALSA's null device plays nothing, which the player does not take for an output either."""
    assert Wrong.NO_DEVICE is wrong("alsa", "null")
    assert Wrong.NO_DEVICE is wrong("alsa", "plughw:CARD=NoSuchCard")
    assert ask_input("alsa", "plughw:CARD=NoSuchCard") is None


def test_without_a_sound_server_pulse_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    """The same answer for outputs and inputs."""
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path}/nobody")
    assert Wrong.NO_SERVER is wrong("pulse", "horn")
    trouble = ask_input("pulse", "microphone")
    assert trouble is not None
    assert Wrong.NO_SERVER is trouble.wrong


@pytest.mark.sound
def test_a_sink_is_there_missing_or_muted_and_its_monitor_can_be_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a real server; what is missing comes with the names that there are."""
    with pulse_server() as server:
        server.add_sink("horn")
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        assert wrong("pulse", "horn") is None
        assert ask_input("pulse", "horn.monitor") is None
        missing = ask_output(OutputSpec(name="main", kind="pulse", device="trumpet"))
        assert missing is not None
        assert (Wrong.NO_DEVICE, ("horn",)) == (missing.wrong, missing.others)
        subprocess.run(["pactl", "set-sink-mute", "horn", "1"], check=True, env=server.environment)
        assert Wrong.MUTED is wrong("pulse", "horn")
