"""Keeps the children that take in relays and inputs: there while they are wanted, replaced when they die or hang."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

from audio import seccomp
from audio.sandbox import Confinement, command_with_network
from playout.faults import FaultBook, fault
from playout.intakes.intake import DEAD_S
from playout.intakes.pcmpipe import open_pipe
from playout.specs import InputSpec
from schedules.clock import Clock
from schedules.errors import SandboxUnavailable
from schedules.relaying import SourceState
from schedules.sources import RelaySource, SourceCode, SourceKind

Event = Mapping[str, Any]

START_S = 10.0
"""How long a child may take until its first word."""

HANG_S = 5.0
"""Silence of a child, which says its level each second, after which it is replaced."""

STUCK_S = 60.0
"""How long a dead source may stay without a new try: longer than any answer may take."""

PAUSES_S = (1.0, 2.0, 4.0, 8.0, 10.0)
"""How long a child that ended is left alone before the next one, longer each time until a source flows."""

# A day of decoding; address space is more than memory: each thread reserves some.
_CONFINEMENT = Confinement(memory_bytes=2_000_000_000, cpu_s=86_400, output_bytes=0, threads=16, nice=0)
_LAST_WORDS = 20
_STATES = {
    "flowing": SourceState.FLOWING,
    "back": SourceState.FLOWING,
    "dead": SourceState.DEAD,
    "silent": SourceState.SILENT,
}


@dataclass(frozen=True, slots=True)
class Report:
    """Whose faults are told: kind `relay` with a source's code, or `input` with that of a microphone."""

    kind: str
    code: str
    name: str

    def fault(self, what: str) -> str:
        """Return the code of a fault: `dead` or `silent`."""
        return f"{self.kind}_{what}_{self.code}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What one pipe is for: a source that is fetched, or an input of this machine."""

    key: str
    source: RelaySource | None = None
    input: InputSpec | None = None


class IntakeProcess:
    """One run of a child. `on_event` and, once, `on_exit` are called from a thread of its own."""

    def __init__(
        self,
        wanted: Wanted,
        pipe: int,
        *,
        environment: Mapping[str, str],
        on_event: Callable[[Event], None],
        on_exit: Callable[[str], None],
    ) -> None:
        self._wanted = wanted
        # Its own: the keeper may close the other one while the child is being born.
        self._pipe = os.dup(pipe)
        self._environment = dict(environment)
        self._on_event = on_event
        self._on_exit = on_exit
        self._child: subprocess.Popen[bytes] | None = None
        self._killed = False
        self._lock = threading.Lock()
        # It lives as long as the child, which is killed with the thread that started it.
        self._thread = threading.Thread(target=self._run, name=f"intake-{wanted.key}", daemon=True)

    def start(self) -> None:
        """Start it; returns at once."""
        self._thread.start()

    @property
    def pid(self) -> int | None:
        """Number of its outermost process, None before it exists."""
        return None if self._child is None else self._child.pid

    def kill(self) -> None:
        """End it now; returns at once."""
        with self._lock:
            self._killed = True
            if self._child is not None and self._child.poll() is None:
                self._child.send_signal(signal.SIGKILL)

    def join(self, timeout_s: float) -> None:
        """Wait until it is gone."""
        self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            child = self._spawn()
        except (OSError, SandboxUnavailable) as error:
            cause = "no_room" if self._wanted.source is not None else "no_input"
            self._on_event({"event": "dead", "cause": cause, "detail": str(error)})
            self._on_exit(str(error))
            return
        finally:
            os.close(self._pipe)
        assert child.stdin is not None and child.stdout is not None and child.stderr is not None
        with self._lock:
            self._child = child
            if self._killed:
                child.kill()
        words: deque[str] = deque(maxlen=_LAST_WORDS)
        listener = threading.Thread(target=_listen, args=(child.stderr, words), daemon=True)
        listener.start()
        for line in child.stdout:
            # The last line of a killed child may be half a line.
            with contextlib.suppress(json.JSONDecodeError):
                event = json.loads(line)
                if isinstance(event, dict):
                    self._on_event(event)
        code = child.wait()
        listener.join(1.0)
        child.stdin.close()
        child.stdout.close()
        self._on_exit(f"exit {code}: {' '.join(words)[-300:]}")

    def _spawn(self) -> subprocess.Popen[bytes]:
        with contextlib.ExitStack() as opened:
            passed = [self._pipe]
            if self._wanted.source is not None:
                filter_fd: int | None = None
                rules = seccomp.program(network=True)
                if rules is not None:
                    filter_fd = os.memfd_create("seccomp")
                    opened.callback(os.close, filter_fd)
                    os.write(filter_fd, rules)
                    os.lseek(filter_fd, 0, os.SEEK_SET)
                    passed.append(filter_fd)
                room = command_with_network(
                    "playout.intakes.relay", _CONFINEMENT, project=("playout", "schedules"), filter_fd=filter_fd
                )
                command, environment = [*room, _as_argument(self._wanted.source), str(self._pipe)], {}
            else:
                spec = self._wanted.input
                if spec is None:
                    raise FileNotFoundError("no input of that name in config.yaml")
                given = (spec.kind, spec.device, str(self._pipe), str(os.getpid()))
                command = [sys.executable, "-m", "playout.intakes.linein", *given]
                environment = self._environment | {"OPENBLAS_NUM_THREADS": "1"}
            return subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=passed,
                env=environment,
                process_group=0,
            )


class _Kept:
    """One pipe with its child of the moment, as the station's thread knows it."""

    def __init__(self, wanted: Wanted, path: Path, now: float) -> None:
        self.wanted = wanted
        self.pipe = open_pipe(path)
        self.process: IntakeProcess | None = None
        self.generation = 0
        self.state = SourceState.WAITING
        self.since = now
        self.heard_at = now
        self.started_at = now
        self.tried_at = now
        self.spoke = False
        self.failures = 0
        self.not_before = now
        self.level_dbfs: float | None = None
        self.cause, self.detail = "no_answer", ""

    def turn(self, state: SourceState, now: float) -> None:
        """Note a state; its beginning stays where it is the same."""
        if state is not self.state:
            self.state, self.since = state, now


class RelayKeeper:
    """Used by the station's thread only; never waits.

    folder: DATA/run/CODE, where the pipes are. inputs: what config.yaml gives this station.
    """

    def __init__(
        self,
        *,
        folder: Path,
        inputs: Collection[InputSpec],
        clock: Clock,
        faults: FaultBook,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._folder = folder
        self._inputs = {spec.name: spec for spec in inputs}
        self._clock = clock
        self._faults = faults
        self._environment = dict(os.environ if environment is None else environment)
        self._news: queue.SimpleQueue[tuple[str, int, Event | None, str]] = queue.SimpleQueue()
        self._kept: dict[str, _Kept] = {}
        self._keys: dict[SourceCode, str] = {}
        self._told: set[str] = set()
        self._unopened: dict[str, tuple[float, str]] = {}
        self._generation = 0

    def keep(self, sources: Mapping[SourceCode, RelaySource], microphones: Collection[str] = ()) -> None:
        """Let exactly these be open: start, replace and end children, open and close faults. Called each tick.

        microphones: names of inputs for live talks; one that is a source's too is opened once.
        """
        now = self._clock.monotonic()
        wanted: dict[str, Wanted] = {}
        reports: dict[str, list[Report]] = {}
        self._keys = {}
        for code, source in sources.items():
            one = self._for_source(source)
            self._keys[code] = one.key
            wanted[one.key] = one
            reports.setdefault(one.key, []).append(Report("relay", code, source.name))
        for name in microphones:
            spec = self._inputs.get(name)
            if spec is not None:
                wanted[_input_key(name)] = Wanted(key=_input_key(name), input=spec)
                reports.setdefault(_input_key(name), []).append(Report("input", name, name))
        for key in [key for key, kept in self._kept.items() if wanted.get(key) != kept.wanted]:
            self._let_go(key)
        for key, one in wanted.items():
            if key not in self._kept:
                self._open(one, now)
        self._unopened = {key: why for key, why in self._unopened.items() if key in wanted}
        self._hear(now)
        for kept in self._kept.values():
            self._look_after(kept, now)
        self._tell(reports)

    def pipe(self, code: SourceCode) -> Path:
        """Return the named pipe of a source that is wanted; raises KeyError for another."""
        return self._path(self._keys[code])

    def state(self, code: SourceCode) -> SourceState:
        """Return how a source is; waiting where it is not wanted."""
        kept = self._of(code)
        if kept is None and self._keys.get(code) in self._unopened:
            return SourceState.DEAD
        return SourceState.WAITING if kept is None else kept.state

    def lasting_s(self, code: SourceCode) -> float:
        """Return for how long it has been so, seconds."""
        kept = self._of(code)
        if kept is None:
            since, _ = self._unopened.get(self._keys.get(code, ""), (self._clock.monotonic(), ""))
            return self._clock.monotonic() - since
        return self._clock.monotonic() - kept.since

    def level_dbfs(self, code: SourceCode) -> float | None:
        """Return the level of its last second, None where nothing came."""
        kept = self._of(code)
        return None if kept is None else kept.level_dbfs

    def microphone_pipe(self, name: str) -> Path:
        """Return the named pipe of an input."""
        return self._path(_input_key(name))

    def microphone_state(self, name: str) -> SourceState:
        """Return how an input is; waiting where it is not open."""
        kept = self._kept.get(_input_key(name))
        return SourceState.WAITING if kept is None else kept.state

    @property
    def pids(self) -> tuple[int, ...]:
        """Numbers of the children, for measuring and for tests."""
        processes = [kept.process for kept in self._kept.values() if kept.process is not None]
        return tuple(process.pid for process in processes if process.pid is not None)

    def close(self) -> None:
        """End every child; their faults stay open, as after a power cut."""
        ending = [kept.process for kept in self._kept.values() if kept.process is not None]
        for key in list(self._kept):
            self._let_go(key)
        for process in ending:
            process.join(2.0)

    def _for_source(self, source: RelaySource) -> Wanted:
        if source.kind is not SourceKind.LINE:
            return Wanted(key=f"relay-{source.code}", source=source)
        # An input that config.yaml does not know is one that nothing comes from.
        return Wanted(key=_input_key(source.address), input=self._inputs.get(source.address))

    def _of(self, code: SourceCode) -> _Kept | None:
        return self._kept.get(self._keys.get(code, ""))

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}.pcm"

    def _open(self, one: Wanted, now: float) -> None:
        """Make the pipe; where the disk does not take it, the source counts as dead and the station goes on."""
        try:
            self._kept[one.key] = _Kept(one, self._path(one.key), now)
        except OSError as error:
            self._unopened.setdefault(one.key, (now, str(error)))
        else:
            self._unopened.pop(one.key, None)

    def _look_after(self, kept: _Kept, now: float) -> None:
        if kept.process is None:
            if now >= kept.not_before:
                self._start(kept, now)
        elif now - kept.heard_at > (HANG_S if kept.spoke else START_S) or (
            kept.state is SourceState.DEAD and now - max(kept.tried_at, kept.since) > STUCK_S
        ):
            kept.process.kill()
            self._gone(kept, now, "it did not answer")
        if kept.state is SourceState.WAITING and now - kept.since > DEAD_S + START_S:
            kept.turn(SourceState.DEAD, now)

    def _start(self, kept: _Kept, now: float) -> None:
        self._generation += 1
        key, generation = kept.wanted.key, self._generation
        kept.generation = generation
        kept.heard_at = kept.started_at = kept.tried_at = now
        kept.spoke = False
        kept.process = IntakeProcess(
            kept.wanted,
            kept.pipe,
            environment=self._environment,
            on_event=lambda event: self._news.put((key, generation, event, "")),
            on_exit=lambda words: self._news.put((key, generation, None, words)),
        )
        kept.process.start()

    def _gone(self, kept: _Kept, now: float, words: str) -> None:
        kept.process = None
        kept.detail = kept.detail if kept.state is SourceState.DEAD else words
        kept.not_before = now + PAUSES_S[min(kept.failures, len(PAUSES_S) - 1)]
        kept.failures += 1
        kept.level_dbfs = None
        if kept.state is not SourceState.DEAD:
            kept.turn(SourceState.WAITING, now)

    def _hear(self, now: float) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                key, generation, event, words = self._news.get_nowait()
                kept = self._kept.get(key)
                if kept is None or kept.generation != generation or kept.process is None:
                    continue
                if event is None:
                    self._gone(kept, now, words)
                else:
                    self._heard(kept, event, now)

    def _heard(self, kept: _Kept, event: Event, now: float) -> None:
        kept.heard_at, kept.spoke = now, True
        name = event.get("event")
        if name == "level":
            kept.level_dbfs = float(event["rms_dbfs"]) if kept.state is not SourceState.DEAD else None
        elif name in ("trying", "trouble"):
            kept.tried_at = now
        if name in ("dead", "trouble"):
            kept.cause, kept.detail = str(event.get("cause", "")), str(event.get("detail", ""))
        state = _STATES.get(str(name))
        if state is not None:
            kept.turn(state, now)
            if state is SourceState.FLOWING:
                kept.failures = 0

    def _tell(self, reports: Mapping[str, list[Report]]) -> None:
        """Open and close the faults of what is wanted, and close those of what is not any more."""
        current: set[str] = set()
        for key, (_, why) in self._unopened.items():
            for report in reports[key]:
                self._faults.begin(report.fault("dead"), fault("relay_dead", name=report.name), why)
                current.add(report.fault("dead"))
        for key, kept in self._kept.items():
            for report in reports[key]:
                dead, silent = report.fault("dead"), report.fault("silent")
                if kept.state is SourceState.DEAD:
                    sentence = _SENTENCES.get(kept.cause, "relay_dead")
                    self._faults.begin(dead, fault(sentence, name=report.name), kept.detail)
                    current.add(dead)
                elif kept.state is SourceState.SILENT:
                    self._faults.begin(silent, fault(f"{report.kind}_silent", name=report.name), "below -40 dBFS")
                    current.add(silent)
                elif kept.state is SourceState.WAITING:
                    current |= self._told & {dead, silent}
        for code in self._told - current:
            self._faults.end(code)
        self._told = current

    def _let_go(self, key: str) -> None:
        kept = self._kept.pop(key)
        if kept.process is not None:
            kept.process.kill()
        os.close(kept.pipe)


_SENTENCES = {
    "refused": "relay_refused",
    "not_audio": "relay_not_audio",
    "no_input": "relay_no_input",
    "no_room": "relay_no_room",
}


def _input_key(name: str) -> str:
    """Return a name that a file can have, for whatever an input is called."""
    return f"input-{quote(name, safe='')}"


def _as_argument(source: RelaySource) -> str:
    shape = None if source.format is None else source.format.value
    given = {"kind": source.kind.value, "address": source.address, "hosts": list(source.hosts), "format": shape}
    return json.dumps(given)


def _listen(stream: IO[bytes], words: deque[str]) -> None:
    with stream:
        for line in stream:
            words.append(line.decode(errors="replace").rstrip())
