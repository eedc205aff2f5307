"""What systemd hears of us, and what becomes of a process that hangs."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from playout.benches.soundlab import wait_until
from playout.journal.journal import Journal
from playout.notifying import WATCHDOG_S, Heartbeat, Notifier, Restart, Watchdog, feed_every_s, take_note, why_started
from schedules.clock import ManualClock

NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)


class Listener:
    """A socket of ours in systemd's place."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(f"\0{address[1:]}" if address.startswith("@") else address)

    def heard(self, timeout_s: float) -> str | None:
        """Return what is said next, None where nothing is for so long."""
        self._socket.settimeout(timeout_s)
        try:
            return self._socket.recv(4096).decode()
        except TimeoutError:
            return None

    def close(self) -> None:
        """Hear no more."""
        self._socket.close()


@pytest.mark.parametrize("abstract", [True, False])
def test_states_arrive_at_the_socket_that_systemd_named(tmp_path: Path, abstract: bool) -> None:
    """Files and abstract names; several states are one message; without a socket nothing happens."""
    address = f"@loa-{os.getpid()}" if abstract else str(tmp_path / "notify")
    listener = Listener(address)
    Notifier(address).tell("READY=1", "STATUS=2 stations")
    assert "READY=1\nSTATUS=2 stations" == listener.heard(1.0)
    listener.close()
    Notifier(address).tell("READY=1")
    Notifier(None).tell("READY=1")


def test_the_watchdog_is_fed_only_while_every_loop_steps(tmp_path: Path) -> None:
    """One station of two hangs: no word to systemd, and a note for the next start; it steps again: all is well."""
    clock = ManualClock(NOW)
    heartbeat = Heartbeat(clock)
    listener = Listener(str(tmp_path / "notify"))
    note = tmp_path / "run" / "hung"
    watchdog = Watchdog(heartbeat=heartbeat, notifier=Notifier(str(tmp_path / "notify")), note=note)
    heard = []
    for beating in (("XA", "XB"), ("XA", "XB"), ("XA",), ("XA",), ("XA",), ("XA", "XB")):
        for name in beating:
            heartbeat.beat(name)
        watchdog.look()
        heard.append(listener.heard(0.01))
        if not heard[-1]:
            assert '["XB"]' == note.read_text()
        clock.advance(5.0)
    listener.close()

    fed = "WATCHDOG=1"
    assert [fed, fed, fed, fed, None, fed] == heard
    assert not note.exists()
    heartbeat.forget("XB")
    clock.advance(60)
    heartbeat.beat("XA")
    assert () == heartbeat.late()


def test_the_note_of_who_hung_is_taken_once(tmp_path: Path) -> None:
    """The next start but one knows nothing of it; a torn note is none."""
    note = tmp_path / "hung"
    note.write_text('["XA"]')
    assert ("XA",) == take_note(note)
    assert () == take_note(note)
    note.write_text('["X')
    assert () == take_note(note)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, 5.0),
        ({"WATCHDOG_USEC": "30000000"}, 5.0),
        ({"WATCHDOG_USEC": "4000000"}, 2.0),
        ({"WATCHDOG_USEC": "x"}, 5.0),
    ],
)
def test_systemd_hears_of_us_twice_as_often_as_it_asks(environment: dict[str, str], expected: float) -> None:
    """At least every five seconds, for the log of what hangs."""
    assert expected == feed_every_s(environment)


@pytest.mark.parametrize(
    ("mark", "hung", "expected"),
    [
        (None, (), Restart.FIRST),
        ({"boot": "before"}, (), Restart.POWER),
        ({"boot": "before", "stopped": True}, (), Restart.STOPPED),
        ({}, (), Restart.CRASHED),
        ({"time": "2026-11-23T04:59:36+00:00"}, (), Restart.CRASHED),
        ({"time": "2026-11-23T04:59:35+00:00"}, (), Restart.WATCHDOG),
        ({}, ("XB",), Restart.WATCHDOG),
        ({"stopped": True}, ("XB",), Restart.STOPPED),
    ],
)
def test_why_a_station_starts_is_read_from_its_last_mark(
    mark: dict[str, object] | None, hung: tuple[str, ...], expected: Restart
) -> None:
    """The mark was made at five by an offset that says monotonic 100; it is 105 now."""
    offset_s = NOW.timestamp() - 100.0
    alive = None if mark is None else {"time": NOW.isoformat(), "offset_s": offset_s, "boot": "now", **mark}
    assert expected is why_started(alive, boot="now", monotonic=105.0, hung=hung)


_STATION = """
import os, sys, threading
from pathlib import Path
from nacl.signing import SigningKey
from playout.journal.journal import Journal
from playout.notifying import WATCHDOG_S, Heartbeat, Notifier, Watchdog, take_note, why_started
from playout.systemclock import SystemClock
folder = Path(sys.argv[1])
clock = SystemClock(host=True)
journal = Journal(folder / "XA.db", clock=clock, boot="boot", key=SigningKey(b"s" * 32))
journal.start()
heartbeat, notifier = Heartbeat(clock), Notifier(os.environ["NOTIFY_SOCKET"])
watchdog = Watchdog(heartbeat=heartbeat, notifier=notifier, note=folder / "hung", late_s=1.0, every_s=0.1)
alive = journal.checkpoints("alive").get("alive")
hung = take_note(folder / "hung")
why = why_started(alive, boot="boot", monotonic=clock.monotonic(), hung=hung, watchdog_s=float(sys.argv[2]))
journal.append("boot", {"why": why, "hung": list(hung)})
stopping = threading.Event()

def step():
    heartbeat.beat("XA")
    now = clock.now()
    offset_s = now.timestamp() - clock.monotonic()
    mark = {"time": now.isoformat(), "offset_s": offset_s, "trusted": True, "boot": "boot"}
    journal.set_checkpoint("alive", mark)

step()
threading.Thread(target=watchdog.run, args=(stopping,), daemon=True).start()
notifier.tell("READY=1")
while not (folder / "stuck").exists():
    step()
    stopping.wait(0.05)
threading.Event().wait()
"""


def test_f18_a_process_or_a_loop_that_hangs_is_restarted_and_says_why(tmp_path: Path) -> None:
    """A supervisor of ours in systemd's place hears nothing for 0.8 s and starts it again.

    First the whole process is stopped, which leaves no note; then only the loop hangs, which is noted; at last it is
    killed, which is no watchdog's doing.
    """
    listener = Listener(str(tmp_path / "notify"))
    environment = os.environ | {"NOTIFY_SOCKET": str(tmp_path / "notify")}
    stuck = tmp_path / "stuck"

    def start(watchdog_s: float) -> subprocess.Popen[bytes]:
        stuck.unlink(missing_ok=True)
        command = [sys.executable, "-c", _STATION, str(tmp_path), str(watchdog_s)]
        child = subprocess.Popen(command, env=environment)
        while (heard := listener.heard(20.0)) != "READY=1":
            assert heard is not None, "it never became ready"
        assert "WATCHDOG=1" == listener.heard(5.0)
        return child

    def restart_when_silent(child: subprocess.Popen[bytes]) -> subprocess.Popen[bytes]:
        while listener.heard(0.8) is not None:
            pass
        child.kill()
        child.wait()
        return start(0.8)

    child = start(0.8)
    child.send_signal(signal.SIGSTOP)
    child = restart_when_silent(child)
    stuck.touch()
    wait_until((tmp_path / "hung").exists, timeout_s=10.0, what="the note of who hangs")
    child = restart_when_silent(child)
    child.kill()
    child.wait()
    child = start(30.0)  # however slowly this machine starts it
    child.kill()
    child.wait()
    listener.close()

    journal = Journal(tmp_path / "XA.db", clock=ManualClock(NOW), boot="boot", key=SigningKey(b"s" * 32))
    journal.start()
    rows = [(row.body["why"], row.body["hung"]) for row in journal.rows(kind="boot")]
    journal.stop()
    assert [("FIRST", []), ("WATCHDOG", []), ("WATCHDOG", ["XA"]), ("CRASHED", [])] == rows


def test_the_watchdog_ends_with_its_supervisor(tmp_path: Path) -> None:
    """It looks at least once, and goes when asked to."""
    heartbeat = Heartbeat(ManualClock(NOW))
    listener = Listener(str(tmp_path / "notify"))
    watchdog = Watchdog(heartbeat=heartbeat, notifier=Notifier(str(tmp_path / "notify")), note=tmp_path / "hung")
    stopping = threading.Event()
    stopping.set()
    watchdog.run(stopping)
    assert "WATCHDOG=1" == listener.heard(1.0)
    listener.close()


def test_the_unit_of_systemd_is_valid(tmp_path: Path) -> None:
    """`systemd-analyze verify` finds nothing, with the programs of this machine in the place of the installed ones."""
    deploy = Path(__file__).resolve().parents[2] / "deploy"
    loa = Path(sys.executable).parent / "loa"
    unit = (deploy / "loa.service").read_text("utf-8").replace("/opt/loa/.venv/bin/loa", str(loa))
    (tmp_path / "loa.service").write_text(unit)
    checked = subprocess.run(
        ["systemd-analyze", "--man=no", "verify", str(tmp_path / "loa.service")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (0, "") == (checked.returncode, checked.stderr)
    settings = dict(line.split("=", 1) for line in unit.splitlines() if "=" in line and not line.startswith("#"))
    assert ("notify", "always", "0") == tuple(settings[k] for k in ("Type", "Restart", "StartLimitIntervalSec"))
    assert WATCHDOG_S == float(settings["WatchdogSec"])
