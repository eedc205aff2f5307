"""Work beside the station's loop: what may hang (a relay board, a disk, a sound server) is done in a thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Done = TypeVar("Done")

Starter = Callable[[Callable[[], None]], None]
"""Starts something and returns at once."""


def in_thread(work: Callable[[], None]) -> None:
    """Start `work` in a thread that holds up nobody, not even the end of the process."""
    threading.Thread(target=work, name="aside", daemon=True).start()


class Aside(Generic[Done]):
    """One job at a time, and what became of it. `offer` and `take` are called by the loop alone.

    A job that hangs is never followed by another: threads that hang with it would heap up for days.
    """

    def __init__(self, start: Starter = in_thread) -> None:
        self._start = start
        self._lock = threading.Lock()
        self._since: float | None = None
        self._done: tuple[Done] | None = None

    def offer(self, job: Callable[[], Done], now: float) -> bool:
        """Start a job unless one runs or gave something that was not taken yet; `now` is the monotonic time."""
        with self._lock:
            if self._since is not None or self._done is not None:
                return False
            self._since = now
        self._start(lambda: self._run(job))
        return True

    def take(self) -> Done | None:
        """Return what the job gave, once; None while it runs."""
        with self._lock:
            done, self._done = self._done, None
        return None if done is None else done[0]

    def hangs(self, now: float, limit_s: float) -> bool:
        """Return whether the job runs longer than that; monotonic seconds."""
        with self._lock:
            return self._since is not None and now - self._since > limit_s

    def _run(self, job: Callable[[], Done]) -> None:
        done: tuple[Done] | None = None
        try:
            done = (job(),)
        finally:
            with self._lock:
                self._since, self._done = None, done
