"""The parent's handle of a player: starts the child, sends commands, hands on its events, kills rather than stops."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import cast

from playout.health import cap_memory
from schedules.errors import OutputError

Event = Mapping[str, object]

_LAST_WORDS_LINES = 40
# As a shell says it: there was nothing that could be started.
_NO_CHILD = 127


class PlayerProcess:
    """One run of a player child; a new one is made for every start.

    `on_event` gets each event and `on_exit` the return code (negative: the signal), both in the thread of this
    handle, one after the other; `on_exit` is called exactly once, after the last event.
    """

    def __init__(
        self,
        *,
        station: str,
        on_event: Callable[[Event], None],
        on_exit: Callable[[int], None],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.station = station
        self._on_event = on_event
        self._on_exit = on_exit
        self._environment = dict(os.environ if environment is None else environment)
        self._child: subprocess.Popen[bytes] | None = None
        self._born = threading.Event()
        self._lock = threading.Lock()
        self._words: deque[str] = deque(maxlen=_LAST_WORDS_LINES)
        self._thread = threading.Thread(target=self._run, name=f"player-{station}", daemon=True)

    def start(self) -> None:
        """Start the child; returns when its process exists, some 0.3 s before it says `ready`."""
        self._thread.start()
        self._born.wait()

    @property
    def pid(self) -> int | None:
        """The child's process id, None before it exists."""
        return self._child.pid if self._child is not None else None

    @property
    def alive(self) -> bool:
        """Whether the child still runs."""
        return self._child is not None and self._child.poll() is None

    @property
    def last_words(self) -> str:
        """What the child wrote to its standard error last."""
        return "\n".join(self._words)

    def send(self, command: Mapping[str, object]) -> None:
        """Send one command; never blocks. Raises OutputError where the child is gone or does not read."""
        line = json.dumps(command).encode() + b"\n"
        with self._lock:
            if self._child is None or self._child.stdin is None or self._child.stdin.closed:
                raise OutputError("the player is not there")
            try:
                written = os.write(self._child.stdin.fileno(), line)
            except (BrokenPipeError, BlockingIOError) as error:
                raise OutputError("the player does not take commands") from error
            if written < len(line):
                # Half a line would spoil the next: such a player is of no use any more.
                self._kill()
                raise OutputError("the player does not take commands")

    def close(self) -> None:
        """Close the child's standard input: it falls silent and ends within a second."""
        with self._lock:
            if self._child is not None and self._child.stdin is not None:
                self._child.stdin.close()

    def kill(self) -> None:
        """End the child now."""
        with self._lock:
            self._kill()

    def join(self, timeout_s: float) -> bool:
        """Wait until the child has ended and everything was told; return whether that is so."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _kill(self) -> None:
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(signal.SIGKILL)

    def _run(self) -> None:
        # The child is born in this thread, which lives as long as it does: it asks to be killed when the thread that
        # started it ends, not only when the process does.
        try:
            child = subprocess.Popen(
                [sys.executable, "-m", "playout.player.player", str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=self._environment | {"OPENBLAS_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"},
                # A group of its own: Ctrl-C at the terminal is for the parent, which ends its players itself.
                process_group=0,
            )
        except OSError as error:
            self._words.append(str(error))
            self._born.set()
            self._on_exit(_NO_CHILD)
            return
        assert child.stdin is not None and child.stdout is not None and child.stderr is not None
        os.set_blocking(child.stdin.fileno(), False)
        cap_memory(child.pid)
        self._child = child
        self._born.set()
        listener = threading.Thread(target=self._listen, args=(child,), daemon=True)
        listener.start()
        for line in child.stdout:
            # The last line of a killed child may be half a line.
            with contextlib.suppress(json.JSONDecodeError):
                self._on_event(cast(Event, json.loads(line)))
        code = child.wait()
        listener.join(1.0)
        with self._lock:
            child.stdin.close()
        child.stdout.close()
        self._on_exit(code)

    def _listen(self, child: subprocess.Popen[bytes]) -> None:
        if child.stderr is not None:
            with child.stderr:
                for line in child.stderr:
                    self._words.append(line.decode(errors="replace").rstrip())
