"""Feeds the aircheck writer, a process of its own, with what goes to the outputs; its trouble never reaches the bus."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections import deque
from datetime import UTC, datetime
from pathlib import Path

from playout.outputs.output import Block, Timeline
from playout.source import NS_PER_S, RATE_HZ, SAMPLE_BYTES

_QUEUE_BLOCKS = 500
_RESTART_S = 10.0
_LONGEST_GAP_FRAMES = 5 * RATE_HZ
_ORDINARY_NICE = 5


class AircheckTap:
    """Takes the bus's blocks and writes them, gapless, to the standard input of `python -m audio.aircheck`."""

    def __init__(self, folder: Path, *, timeline: Timeline, wall_offset_ns: int) -> None:
        self._folder = folder
        self._timeline = timeline
        self._wall_offset_ns = wall_offset_ns
        self._blocks: deque[Block] = deque(maxlen=_QUEUE_BLOCKS)
        self._wake = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="aircheck", daemon=True)
        self._writer: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def take(self, block: Block) -> None:
        """Queue a block; the oldest one gives way when the writer is 10 s behind, and silence takes its place."""
        self._blocks.append(block)
        self._wake.set()

    def stop(self, *, timeout_s: float) -> None:
        """Close the writer's input and wait a little for it to finish its last segment."""
        self._stopping = True
        self._wake.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        not_before_s = 0.0
        while not self._stopping:
            if not self._blocks or time.monotonic() < not_before_s:
                self._wake.wait(0.5)
                self._wake.clear()
                continue
            not_before_s = time.monotonic() + _RESTART_S
            self._record()

    def _record(self) -> None:
        """Run one writer until it ends, or until this tap is stopped."""
        first = self._blocks[0].frame
        wall_ns = self._timeline.due_ns(first) + self._wall_offset_ns
        start = datetime.fromtimestamp(wall_ns / NS_PER_S, tz=UTC)
        writer = subprocess.Popen(
            [sys.executable, "-m", "audio.aircheck", str(self._folder), start.isoformat()],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, writer.pid, _ORDINARY_NICE)
        with writer, contextlib.suppress(BrokenPipeError):
            if writer.stdin is not None:
                self._feed(writer.stdin.fileno(), first)

    def _feed(self, descriptor: int, frame: int) -> None:
        while not self._stopping:
            if not self._blocks:
                self._wake.wait(0.5)
                self._wake.clear()
                continue
            block = self._blocks.popleft()
            gap = block.frame - frame
            if gap > _LONGEST_GAP_FRAMES:
                # Cheaper than silence, and the new run states its own start.
                return
            _write(descriptor, bytes(max(gap, 0) * SAMPLE_BYTES) + block.pcm)
            frame = block.frame + block.frames


def _write(descriptor: int, pcm: bytes) -> None:
    view = memoryview(pcm)
    while view:
        view = view[os.write(descriptor, view) :]
