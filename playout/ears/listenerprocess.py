"""The parent's handle of a listener: starts the child, sends what is expected, hands on what it says."""

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
from typing import Any

_LAST_WORDS_LINES = 20

Event = dict[str, Any]


class ListenerProcess:
    """One run of a listener child. Both callbacks are called from threads of its own, `on_exit` exactly once, last.

    on_exit gets what the child said of its end.
    """

    def __init__(
        self,
        *,
        on_event: Callable[[Event], None],
        on_exit: Callable[[str], None],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._on_event = on_event
        self._on_exit = on_exit
        self._environment = dict(os.environ if environment is None else environment)
        self._child: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._waiting: list[bytes] = []
        self._killed = False
        # It lives as long as the child, which is killed with the thread that started it.
        self._thread = threading.Thread(target=self._run, name="listener", daemon=True)

    def start(self) -> None:
        """Start the child; returns at once."""
        self._thread.start()

    @property
    def pid(self) -> int | None:
        """The child's process id, None before it exists."""
        return None if self._child is None else self._child.pid

    def send(self, command: Mapping[str, Any]) -> None:
        """Send one command; never blocks, and says nothing where the child is gone: its exit tells."""
        line = json.dumps(command).encode() + b"\n"
        with self._lock:
            if self._child is None:
                self._waiting.append(line)
            else:
                self._write(self._child, line)

    def kill(self) -> None:
        """End the child now."""
        with self._lock:
            self._killed = True
            if self._child is not None and self._child.poll() is None:
                self._child.send_signal(signal.SIGKILL)

    def join(self, timeout_s: float) -> None:
        """Wait until it is gone and everything was told."""
        self._thread.join(timeout_s)

    def _write(self, child: subprocess.Popen[bytes], line: bytes) -> None:
        if child.stdin is None or child.stdin.closed:
            return
        try:
            whole = os.write(child.stdin.fileno(), line) == len(line)
        except OSError:
            whole = False
        if not whole and child.poll() is None:
            # Half a line would spoil the next, and one that does not read is of no use.
            child.send_signal(signal.SIGKILL)

    def _run(self) -> None:
        try:
            child = subprocess.Popen(
                [sys.executable, "-m", "playout.ears.listener", str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=self._environment | {"OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"},
                process_group=0,
            )
        except OSError as error:
            self._on_exit(str(error))
            return
        assert child.stdin is not None and child.stdout is not None and child.stderr is not None
        os.set_blocking(child.stdin.fileno(), False)
        with self._lock:
            self._child = child
            for line in self._waiting:
                self._write(child, line)
            self._waiting.clear()
            if self._killed:
                child.send_signal(signal.SIGKILL)
        words: deque[str] = deque(maxlen=_LAST_WORDS_LINES)
        errors = threading.Thread(target=_gather, args=(child, words), daemon=True)
        errors.start()
        for line in child.stdout:
            # The last line of a killed child may be half a line.
            with contextlib.suppress(json.JSONDecodeError):
                self._on_event(json.loads(line))
        code = child.wait()
        errors.join(1.0)
        with self._lock:
            child.stdin.close()
        child.stdout.close()
        self._on_exit(f"exit {code}: {' '.join(words)[-300:]}")


def _gather(child: subprocess.Popen[bytes], words: deque[str]) -> None:
    if child.stderr is not None:
        with child.stderr:
            words.extend(line.decode(errors="replace").rstrip() for line in child.stderr)
