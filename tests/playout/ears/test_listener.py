"""The listener child without any sound server: what it says then, and how it ends."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from playout.benches.soundlab import wait_until
from playout.ears.listenerprocess import ListenerProcess


class Told:
    """A listener child with what it says."""

    def __init__(self, folder: Path) -> None:
        self.events: list[dict] = []
        self.exits: list[str] = []
        self.process = ListenerProcess(
            on_event=self.events.append,
            on_exit=self.exits.append,
            environment=os.environ | {"PULSE_SERVER": f"unix:{folder}/nobody"},
        )

    def wait(self, **fields: object) -> None:
        """Wait for an event with these fields."""
        wait_until(
            lambda: any(all(event.get(name) == value for name, value in fields.items()) for event in self.events),
            timeout_s=20,
            what=f"{fields}, told {self.events}, {self.exits}",
        )


@pytest.fixture
def told(tmp_path: Path):
    """A child with one ear on a server that is not there."""
    told = Told(tmp_path)
    told.process.send(
        {
            "do": "open",
            "ears": [{"output": "main", "kind": "pulse", "device": "horn.monitor", "delay_s": 1.0}],
            "folder": None,
        }
    )
    told.process.start()
    yield told
    told.process.kill()
    told.process.join(5)


def test_an_ear_that_is_not_there_is_lost_and_airings_end_unheard(told: Told) -> None:
    """It says so, goes on living, does not heed an unknown command, and ends when it is told to."""
    told.wait(event="ear", output="main", state="lost", detail="the sound server is not there")
    told.process.send({"do": "dance"})
    told.wait(event="fault")
    piece = {"path": "/nowhere.flac", "sha256": "ab", "samples": 4800}
    told.process.send({"do": "expect", "airing": "a#1", "pieces": [piece], "from_sample": 0, "start_ns": 0})
    told.process.send({"do": "over", "airing": "a#1", "ended_ns": 1})
    told.wait(event="heard", airing="a#1", final=True, share=None)
    told.wait(event="alive")
    told.process.send({"do": "quit"})
    told.process.join(5)
    assert told.exits[0].startswith("exit 0")


def test_a_killed_listener_is_told_once(told: Told) -> None:
    """Its exit comes after its last word, and commands to it are no error."""
    told.wait(event="ready")
    assert told.process.pid is not None
    os.kill(told.process.pid, signal.SIGKILL)
    told.process.join(5)
    told.process.send({"do": "quit"})
    assert told.exits == ["exit -9: "]
