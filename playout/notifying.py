"""What systemd is told of this process: ready, alive as long as every station's loop is, stopping; and what it did."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import structlog

from schedules.clock import Clock

_log = structlog.get_logger()

LATE_S = 10.0
"""A loop that has not stepped for so long hangs."""

WATCHDOG_S = 30.0
"""After so long without a word systemd ends the process (WatchdogSec of deploy/loa.service)."""

FEED_S = 5.0


class Notifier:
    """Speaks to systemd over the socket that it named in NOTIFY_SOCKET; silent where there is none."""

    def __init__(self, address: str | None) -> None:
        # An abstract socket is written with @ in the environment.
        self._address = f"\0{address[1:]}" if address is not None and address.startswith("@") else address

    def tell(self, *states: str) -> None:
        """Send states such as `READY=1`; what cannot be sent is not sent, the station goes on."""
        if not self._address:
            return
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as connection,
        ):
            connection.setblocking(False)
            connection.sendto("\n".join(states).encode(), self._address)


class Heartbeat:
    """Which loops live: each beats its own name with every step; safe from any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._beats: dict[str, float] = {}

    def beat(self, name: str) -> None:
        """Note that a loop made a step; from its first beat on it is expected."""
        with self._lock:
            self._beats[name] = self._clock.monotonic()

    def forget(self, name: str) -> None:
        """Expect a loop no more: it was ended on purpose."""
        with self._lock:
            self._beats.pop(name, None)

    def late(self, limit_s: float = LATE_S) -> tuple[str, ...]:
        """Return the loops that have not stepped for that long."""
        now = self._clock.monotonic()
        with self._lock:
            return tuple(sorted(name for name, at in self._beats.items() if now - at > limit_s))


class Watchdog:
    """Tells systemd that this process lives, only while every loop does. `run` is a worker for the supervisor.

    note: a file that names the loops that hung, for the next start. every_s: half of what systemd waits, or less.
    """

    def __init__(
        self,
        *,
        heartbeat: Heartbeat,
        notifier: Notifier,
        note: Path,
        late_s: float = LATE_S,
        every_s: float = FEED_S,
    ) -> None:
        self._heartbeat = heartbeat
        self._notifier = notifier
        self._note = note
        self._late_s = late_s
        self._every_s = every_s
        self._noted: tuple[str, ...] = ()

    def run(self, stopping: threading.Event) -> None:
        """Look and tell until `stopping` is set."""
        while True:
            self.look()
            if stopping.wait(self._every_s):
                return

    def look(self) -> None:
        """Tell systemd that all is well, or say nothing and note who hangs."""
        late = self._heartbeat.late(self._late_s)
        if not late:
            self._notifier.tell("WATCHDOG=1")
        if late != self._noted:
            self._noted = late
            _log.error("loops_hang", loops=late)
            with contextlib.suppress(OSError):
                if late:
                    self._note.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                    self._note.write_text(json.dumps(late), encoding="utf-8")
                else:
                    self._note.unlink(missing_ok=True)


def feed_every_s(environment: Mapping[str, str] = os.environ) -> float:
    """Return how often systemd must hear of this process: half of what it waits, and at most FEED_S."""
    microseconds = environment.get("WATCHDOG_USEC", "")
    return min(FEED_S, int(microseconds) / 2e6) if microseconds.isdigit() and int(microseconds) else FEED_S


def take_note(note: Path) -> tuple[str, ...]:
    """Return the loops that hung before this start, once."""
    try:
        names = json.loads(note.read_text(encoding="utf-8"))
        note.unlink()
    except (OSError, ValueError):
        return ()
    return tuple(str(name) for name in names) if isinstance(names, list) else ()


class Restart(StrEnum):
    """Why a station starts, for its row of kind `boot`. WORKER: its loop failed and began anew in the same process."""

    FIRST = "FIRST"
    STOPPED = "STOPPED"
    POWER = "POWER"
    WATCHDOG = "WATCHDOG"
    CRASHED = "CRASHED"
    WORKER = "WORKER"


def why_started(
    alive: Mapping[str, Any] | None,
    *,
    boot: str,
    monotonic: float,
    hung: tuple[str, ...] = (),
    watchdog_s: float = WATCHDOG_S,
) -> Restart:
    """Return why the former process is gone.

    alive: the station's last mark of life (time, offset_s, boot, and `stopped` where it ended by itself), None at the
    first start. hung: what `take_note` gave. A process that was stopped as a whole noted nothing; then the mark is
    older than the watchdog waits.
    """
    if alive is None:
        return Restart.FIRST
    if alive.get("stopped"):
        return Restart.STOPPED
    if alive["boot"] != boot:
        return Restart.POWER
    marked = datetime.fromisoformat(alive["time"]).timestamp() - float(alive["offset_s"])
    return Restart.WATCHDOG if hung or monotonic - marked >= watchdog_s else Restart.CRASHED
