"""The station's side of its senders: there when wanted, replaced when they end or hang, their trouble a fault."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from playout.benches.soundlab import wait_until
from playout.faults import FaultBook
from playout.outputs import streamsocket
from playout.outputs.senderkeeper import SenderKeeper, socket_path
from playout.specs import OutputSpec
from schedules.clock import ManualClock

SECRET = "mat-khau-cua-luong"


class Station:
    """Senders of a station whose clock the test moves; it stands still while a child is waited for."""

    def __init__(self, folder: Path, *specs: OutputSpec) -> None:
        self.clock = ManualClock(datetime(2026, 11, 23, 5, tzinfo=UTC))
        self.rows: list[dict[str, Any]] = []
        self.run = folder / "run" / "LONGHIEP"
        self.keeper = SenderKeeper(
            specs=specs,
            run=self.run,
            faults=FaultBook(clock=self.clock, write=lambda body: self.rows.append(dict(body))),
            clock=self.clock,
        )
        self.wanted = self.keeper.names

    def keep(self, seconds: float = 0.0) -> None:
        """Let time pass, and look after the senders once."""
        self.clock.advance(seconds)
        self.keeper.keep(self.wanted)

    def until(self, there: Callable[[], bool], what: str) -> None:
        """Look after the senders until something is so."""

        def looked() -> bool:
            self.keep()
            return there()

        wait_until(looked, timeout_s=15, what=f"{what}; {self.keeper.state('net')}")

    def until_state(self, state: str) -> None:
        """Look after the senders until the stream's state is this."""
        self.until(lambda: self.keeper.state("net")[0] == state, state)

    def faults(self) -> list[tuple[str, str]]:
        """Return code and state of every fault row."""
        return [(row["code"], row["state"]) for row in self.rows]


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    """A station with a multicast and a loudspeaker."""
    password = tmp_path / "password"
    password.write_text(SECRET)
    net = OutputSpec(name="net", kind="rtp", device="239.255.77.2:5004@lo", format="opus", password_file=password)
    station = Station(tmp_path, net, OutputSpec(name="horn", kind="pulse", device="horn"))
    yield station
    station.keeper.close()


def test_f20_a_sender_that_dies_or_hangs_is_replaced_and_its_fault_told(station: Station) -> None:
    """Killed or stopped, another runs soon; what lasts 2 s is a fault, which ends with the stream's return."""
    assert station.keeper.names == {"net"}
    assert station.keeper.state("net") == ("idle", "")
    station.until_state("ok")
    with streamsocket.connect(socket_path(station.run, "net")):
        pass
    assert station.run.stat().st_mode & 0o777 == 0o700
    assert "opus/48000/2" in (station.run / "net.sdp").read_text()
    first = station.keeper.pids()["net"]
    told = b" ".join((Path("/proc") / str(first) / name).read_bytes() for name in ("cmdline", "environ"))
    assert SECRET.encode() not in told

    os.kill(first, signal.SIGKILL)
    station.until_state("lost")
    assert station.faults() == []
    station.keep(0.3)
    station.keep(1.8)
    assert station.faults() == [("stream_net", "open")]
    assert "“net”" in station.rows[0]["message"] and "config.yaml" in station.rows[0]["hint"]
    station.until_state("ok")
    assert station.faults()[1:] == [("stream_net", "closed")]

    second = station.keeper.pids()["net"]
    os.kill(second, signal.SIGSTOP)
    station.keep(4.1)
    assert station.keeper.state("net") == ("lost", "the sender hung")
    wait_until(lambda: not psutil.pid_exists(second), timeout_s=5, what="the hung sender's end")
    station.keep(1.1)
    station.until_state("ok")
    assert station.faults()[2:] == []

    third = station.keeper.pids()["net"]
    station.wanted = frozenset()
    station.keep()
    assert station.keeper.state("net") == ("idle", "")
    wait_until(lambda: not psutil.pid_exists(third), timeout_s=5, what="the end of a sender nobody wants")


def test_a_wrong_address_is_told_and_tried_ever_more_rarely(tmp_path: Path) -> None:
    """The sender says what is wrong and ends; the pauses grow to 5 s; letting the output go ends the fault."""
    station = Station(tmp_path, OutputSpec(name="net", kind="rtp", device="loa:x"))
    for pause_s in (0.5, 1.0):
        station.until(lambda: bool(station.keeper.pids()), "a sender")
        station.until(lambda: not station.keeper.pids(), "its end")
        assert station.keeper.state("net") == ("lost", "the address of this output is wrong")
        station.keep(pause_s - 0.1)
        assert station.keeper.pids() == {}
        station.keep(0.2)
    station.keep(2.0)
    assert station.faults() == [("stream_net", "open")]
    station.keeper.close()
    assert station.faults() == [("stream_net", "open"), ("stream_net", "closed")]
