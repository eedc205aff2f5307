"""Looks at what the child processes of a test need while it runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil


@contextmanager
def watched(*, most_mb: float = 800.0, most_s: float = 60.0) -> Iterator[None]:
    """Fail when this process' children need more memory, or all of it more time."""
    over, highest = threading.Event(), [0.0]
    me = psutil.Process()

    def look() -> None:
        while not over.wait(0.02):
            total = 0
            for child in me.children(recursive=True):
                try:
                    total += child.memory_info().rss
                except psutil.Error:
                    continue
            highest[0] = max(highest[0], total / 1e6)

    thread = threading.Thread(target=look)
    thread.start()
    began = time.monotonic()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert time.monotonic() - began < most_s
    assert highest[0] < most_mb
