"""The listener: a child that hears what really went out of a station, and compares it with what should have."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import numpy as np

from playout.ears.hearing import Hearing
from playout.intakes.capture import open_capture
from playout.isolation import die_with_parent, leave_network
from playout.player.pieces import pieces_from
from playout.source import NS_PER_S
from schedules.errors import OutputError

Command = Mapping[str, object]
Event = Mapping[str, object]

_STEP_S = 0.25
_ALIVE_NS = NS_PER_S
_RETRY_S = 1.0
_BACKLOG_READS = 2_000


class Ear:
    """Holds one capture device open, again every second while it is not there, in a thread of its own."""

    def __init__(self, *, kind: str, device: str) -> None:
        self._kind = kind
        self._device = device
        self._reads: deque[tuple[int, bytes]] = deque(maxlen=_BACKLOG_READS)
        self._trouble: str | None = None
        self._thread = threading.Thread(target=self._run, name=f"ear-{device}", daemon=True)

    def start(self) -> None:
        """Begin to hear."""
        self._thread.start()

    def give(self, hearing: Hearing) -> None:
        """Hand over what came since the last time, and what is wrong now."""
        trouble = self._trouble
        if trouble is not None:
            hearing.lose(trouble, time.monotonic_ns())
        with contextlib.suppress(IndexError):
            while True:
                now_ns, pcm = self._reads.popleft()
                hearing.hear(np.frombuffer(pcm, dtype="<i2"), now_ns)

    def _run(self) -> None:
        while True:
            try:
                capture = open_capture(self._kind, self._device)
                try:
                    while True:
                        pcm = capture.read()
                        self._trouble = None
                        if pcm:
                            self._reads.append((time.monotonic_ns(), pcm))
                finally:
                    capture.close()
            except OutputError as error:
                self._trouble = str(error)
            time.sleep(_RETRY_S)


class Listener:
    """One station's listener: commands in, events out, an ear for each output that has one."""

    def __init__(self) -> None:
        self._commands: queue.SimpleQueue[Command | None] = queue.SimpleQueue()
        self._ears: dict[str, tuple[Ear, Hearing]] = {}

    def run(self) -> None:
        """Obey standard input until it ends or says `quit`."""
        threading.Thread(target=self._read, name="commands", daemon=True).start()
        self._say({"event": "ready"})
        alive_ns = 0
        while True:
            try:
                command = self._commands.get(timeout=_STEP_S)
            except queue.Empty:
                pass
            else:
                if command is None or command["do"] == "quit":
                    return
                self._obey(command)
            now_ns = time.monotonic_ns()
            for ear, hearing in self._ears.values():
                ear.give(hearing)
                hearing.step(now_ns)
            if now_ns - alive_ns > _ALIVE_NS:
                alive_ns = now_ns
                self._say({"event": "alive"})

    def _obey(self, command: Command) -> None:
        match command["do"]:
            case "open":
                self._open(command)
            case "expect":
                pieces = pieces_from(cast(list[Mapping[str, object]], command["pieces"]))
                outputs = cast(list[str] | None, command.get("outputs"))
                for name, (_, hearing) in self._ears.items():
                    if outputs is None or name in outputs:
                        hearing.expect(
                            str(command["airing"]),
                            pieces,
                            from_sample=cast(int, command["from_sample"]),
                            start_ns=cast(int, command["start_ns"]),
                        )
            case "over":
                for _, hearing in self._ears.values():
                    hearing.over(str(command["airing"]), ended_ns=cast(int, command["ended_ns"]))
            case unknown:
                self._say({"event": "fault", "detail": f"unknown command {unknown!r}"})

    def _open(self, command: Command) -> None:
        folder = cast(str | None, command.get("folder"))
        for given in cast(list[Mapping[str, object]], command["ears"]):
            output, device = str(given["output"]), str(given["device"])
            hearing = Hearing(
                output=output,
                source=device,
                delay_s=cast(float, given.get("delay_s", 1.0)),
                folder=Path(folder) / output if folder is not None else None,
                say=self._say,
                wall=_wall,
            )
            ear = Ear(kind=str(given["kind"]), device=device)
            self._ears[output] = ear, hearing
            ear.start()

    def _read(self) -> None:
        for line in sys.stdin.buffer:
            self._commands.put(cast(Command, json.loads(line)))
        self._commands.put(None)

    def _say(self, event: Event) -> None:
        line = json.dumps(event, ensure_ascii=False).encode() + b"\n"
        with contextlib.suppress(BrokenPipeError):
            while line:
                line = line[os.write(1, line) :]


def _wall(instant_ns: int) -> datetime:
    """Return the wall time of an instant of CLOCK_MONOTONIC."""
    ago_s = (time.monotonic_ns() - instant_ns) / NS_PER_S
    return datetime.fromtimestamp(time.time() - ago_s, tz=UTC)


def _die_of(failure: threading.ExceptHookArgs) -> None:
    """End the process when one of its threads fails: half a listener is worse than the next one."""
    traceback.print_exception(failure.exc_type, failure.exc_value, failure.exc_traceback)
    sys.stderr.flush()
    os._exit(70)


def main(arguments: list[str]) -> None:
    """Run a listener for the parent process whose id is the one argument."""
    die_with_parent(int(arguments[0]))
    leave_network(os.environ)
    threading.excepthook = _die_of
    Listener().run()
    # Not by returning: a thread may be waiting for its device.
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
