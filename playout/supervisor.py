"""The one place that catches everything: a worker that dies is logged, told and started again, never forgotten."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

_log = structlog.get_logger()

BACK_OFF_S = (0.1, 0.5, 2.0, 5.0, 15.0)

SOUND_S = 60.0
"""A worker that ran so long was sound: its next failure counts as its first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A worker: `run(stopping)` goes on until `stopping` is set; `broken(error)` is told before each new start."""

    name: str
    run: Callable[[threading.Event], None]
    broken: Callable[[Exception], None]


class Supervisor:
    """Runs workers in threads of their own and keeps them running."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, work: Work) -> None:
        """Start one worker."""
        thread = threading.Thread(target=self._keep, args=(work,), name=work.name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def stop(self, timeout_s: float) -> bool:
        """Ask all workers to end and wait; True if every one did in time."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(timeout_s)
        return not any(thread.is_alive() for thread in self._threads)

    def _keep(self, work: Work) -> None:
        failures = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                work.run(self._stopping)
            except Exception as error:  # noqa: BLE001 - the supervisor: whatever broke, the station must go on
                _log.exception("worker_broken", worker=work.name)
                failures = failures + 1 if time.monotonic() - began < SOUND_S else 1
                self._tell(work, error)
                self._stopping.wait(BACK_OFF_S[min(failures, len(BACK_OFF_S)) - 1])

    def _tell(self, work: Work, error: Exception) -> None:
        try:
            work.broken(error)
        except Exception:  # noqa: BLE001 - what broke the worker, such as a full disk, may break this too
            _log.exception("failure_not_noted", worker=work.name)
