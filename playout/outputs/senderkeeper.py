"""Keeps the senders of a station's network outputs: one child each, restarted when it ends or hangs."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from playout.faults import FaultBook, stream_fault
from playout.outputs.rtp import Target, session_description
from playout.specs import OutputSpec
from schedules.clock import Clock

NETWORK_KINDS = frozenset({"icecast", "rtp"})

_HANG_S = 4.0
_START_S = 15.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 5.0
_WELL_S = 30.0
_GRACE_S = 2.0


def socket_path(run: Path, output: str) -> Path:
    """Return where the sender of an output listens for players; `run` is the station's folder for that."""
    return run / f"{output}.sock"


class SenderKeeper:
    """The senders of one station. Used by the station's thread only; nothing here waits.

    run: the station's folder of sockets, made if it is missing. A stream that is lost for 2 s is a fault `stream_NAME`,
    whether or not something airs.
    """

    def __init__(
        self,
        *,
        specs: tuple[OutputSpec, ...],
        run: Path,
        faults: FaultBook,
        clock: Clock,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._specs = {spec.name: spec for spec in specs if spec.kind in NETWORK_KINDS}
        self._run = run
        self._faults = faults
        self._clock = clock
        self._environment = dict(os.environ if environment is None else environment)
        self._senders: dict[str, _Sender] = {}

    @property
    def names(self) -> frozenset[str]:
        """The network outputs of this station: what to want while its streams are to stand."""
        return frozenset(self._specs)

    def keep(self, wanted: frozenset[str]) -> None:
        """Start, end or replace senders, and open and close their faults."""
        now = self._clock.monotonic()
        for name, spec in self._specs.items():
            sender = self._senders.setdefault(name, _Sender(changed_at=now))
            if name in wanted:
                self._keep_one(spec, sender, now)
            elif sender.child is not None or sender.troubled:
                self._end_one(name, sender)

    def state(self, name: str) -> tuple[str, str]:
        """Return state (`idle`, `opening`, `ok` or `lost`) and detail of an output's stream."""
        sender = self._senders.get(name)
        return (sender.state, sender.detail) if sender is not None else ("idle", "")

    def pids(self) -> Mapping[str, int]:
        """Return the process of each sender that runs."""
        running = {name: sender.child.pid for name, sender in self._senders.items() if sender.child is not None}
        return {name: pid for name, pid in running.items() if pid is not None}

    def close(self) -> None:
        """End every sender."""
        for name, sender in self._senders.items():
            self._end_one(name, sender)

    def _keep_one(self, spec: OutputSpec, sender: _Sender, now: float) -> None:
        child = sender.child
        if child is None:
            if now >= sender.start_at:
                self._start(spec, sender, now)
        else:
            over, told = child.over, child.take()
            if told is not None:
                sender.heard_at = now
                sender.spoke = True
                sender.set(*told, now=now)
            if over:
                why = sender.detail if sender.state == "lost" and sender.spoke else child.last_words
                self._restart_later(sender, now, why=why or "the sender ended")
            elif now - sender.heard_at > (_HANG_S if sender.spoke else _START_S):
                child.kill()
                self._restart_later(sender, now, why="the sender hung")
        self._judge(spec.name, sender, now)

    def _start(self, spec: OutputSpec, sender: _Sender, now: float) -> None:
        self._run.mkdir(mode=0o700, parents=True, exist_ok=True)
        if spec.kind == "rtp":
            self._describe(spec)
        sender.child = _Child(
            {"output": dict(spec.for_player()), "socket": str(socket_path(self._run, spec.name))},
            environment=self._environment,
        )
        sender.child.start()
        sender.started_at = sender.heard_at = now
        sender.spoke = False
        if sender.state == "idle":
            sender.set("opening", "", now=now)

    def _describe(self, spec: OutputSpec) -> None:
        """Put the description of a multicast beside its socket, for whoever sets up a receiver."""
        form = spec.format or "l16"
        # A wrong address is told by the sender itself.
        with contextlib.suppress(ValueError, OSError):
            text = session_description(Target.parse(spec.device or ""), name=spec.name, form=form, ttl=spec.ttl)
            (self._run / f"{spec.name}.sdp").write_text(text, encoding="utf-8")

    def _restart_later(self, sender: _Sender, now: float, *, why: str) -> None:
        sender.child = None
        if now - sender.started_at > _WELL_S:
            sender.failures = 0
        pause_s = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0**sender.failures)
        sender.failures += 1
        sender.start_at = now + pause_s
        sender.set("lost", why, now=now)

    def _judge(self, name: str, sender: _Sender, now: float) -> None:
        code = f"stream_{name}"
        if sender.state == "ok":
            if sender.troubled:
                sender.troubled = False
                self._faults.end(code)
        elif not sender.troubled and now - sender.changed_at >= (_GRACE_S if sender.state == "lost" else _START_S):
            sender.troubled = True
            self._faults.begin(code, stream_fault(name), sender.detail or sender.state)

    def _end_one(self, name: str, sender: _Sender) -> None:
        if sender.child is not None:
            sender.child.kill()
        self._senders[name] = _Sender(changed_at=self._clock.monotonic())
        if sender.troubled:
            self._faults.end(f"stream_{name}")


@dataclass(slots=True)
class _Sender:
    """One output's sender. changed_at: since when it is `ok`, or is not."""

    changed_at: float
    child: _Child | None = None
    state: str = "idle"
    detail: str = ""
    heard_at: float = 0.0
    started_at: float = 0.0
    start_at: float = field(default=float("-inf"))
    failures: int = 0
    spoke: bool = False
    troubled: bool = False

    def set(self, state: str, detail: str, *, now: float) -> None:
        """Take a state in; going from one trouble to another does not begin anew."""
        if (state == "ok") != (self.state == "ok"):
            self.changed_at = now
        self.state, self.detail = state, detail


class _Child:
    """One run of `python -m playout.outputs.sender`, watched by a thread that lives as long as it does."""

    def __init__(self, order: Mapping[str, object], *, environment: Mapping[str, str]) -> None:
        self._order = order
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._killed = False
        self._told: tuple[str, str] | None = None
        self.over = False
        self.last_words = ""

    @property
    def pid(self) -> int | None:
        """Process id, None before there is one."""
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        """Start it in the background."""
        threading.Thread(target=self._run, name="sender", daemon=True).start()

    def take(self) -> tuple[str, str] | None:
        """Return what it told last, once."""
        told, self._told = self._told, None
        return told

    def kill(self) -> None:
        """End it now."""
        with self._lock:
            self._killed = True
            if self._process is not None and self._process.poll() is None:
                self._process.send_signal(signal.SIGKILL)

    def _run(self) -> None:
        try:
            with self._lock:
                if self._killed:
                    return
                # In this thread, which lives as long: the child is killed when the thread that made it ends.
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "playout.outputs.sender", str(os.getpid())],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    env={**self._environment, "OPENBLAS_NUM_THREADS": "1"},
                    process_group=0,
                )
            self._follow(self._process)
        except OSError as error:
            self.last_words = error.strerror or str(error)
        finally:
            self.over = True

    def _follow(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        with process.stdin, process.stdout, process.stderr as complaints:
            process.stdin.write(json.dumps(self._order).encode() + b"\n")
            process.stdin.flush()
            listener = threading.Thread(target=self._listen, args=(complaints,), daemon=True)
            listener.start()
            for line in process.stdout:
                # The last line of a killed child may be half a line.
                with contextlib.suppress(json.JSONDecodeError):
                    told = json.loads(line)
                    self._told = (told["state"], told["detail"])
            process.wait()
            listener.join(1.0)

    def _listen(self, complaints: IO[bytes]) -> None:
        for line in complaints:
            self.last_words = line.decode(errors="replace").rstrip()[-200:]
