"""The player: a disposable child that takes cues as JSON lines, puts their sound on outputs, and tells what played."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

from playout.isolation import ask_for_priority, die_with_parent, leave_network
from playout.outputs.output import Output, Timeline
from playout.outputs.outputs import open_output
from playout.player.airchecktap import AircheckTap
from playout.player.approvedfile import open_approved
from playout.player.bus import Bus, Event
from playout.player.feeds import Feeds
from playout.player.pieces import FilePiece, pieces_from
from playout.source import Cue
from schedules.errors import SegmentUnplayable

Command = Mapping[str, object]

_TICK_S = 0.02
_BACKLOG_EVENTS = 200
_GOODBYE_S = 0.5


class Player:
    """One station's player: commands in, events out, a bus between them."""

    def __init__(self, *, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._voice = _Voice()
        self._feeds = Feeds()
        self._desk = _ArmingDesk(feeds=self._feeds, emit=self._voice.say)
        self._outputs: list[Output] = []
        self._aircheck: AircheckTap | None = None
        self._bus: Bus | None = None
        self._ticker: _Ticker | None = None

    def run(self, *, network: str | None) -> None:
        """Obey standard input until it ends or says `quit`, then fall silent."""
        self._voice.start()
        self._feeds.start()
        self._voice.say({"event": "ready", "network": "kept" if network else "none", "detail": network or ""})
        for line in sys.stdin.buffer:
            command = cast(Command, json.loads(line))
            if command["do"] == "quit":
                break
            self._obey(command)
        self._end()

    def _obey(self, command: Command) -> None:
        match command["do"]:
            case "open":
                self._open(command)
            case "arm":
                self._desk.arm(command)
            case "disarm":
                airing = str(command["airing"])
                if not self._desk.cancel(airing):
                    self._on_bus(lambda bus: bus.disarm(airing))
            case "stop":
                self._stop(command)
            case unknown:
                self._voice.say({"event": "fault", "detail": f"unknown command {unknown!r}"})

    def _open(self, command: Command) -> None:
        if self._bus is not None:
            self._voice.say({"event": "fault", "detail": "already open"})
            return
        timeline = Timeline(origin_ns=time.monotonic_ns())
        for given in cast(list[Mapping[str, object]], command["outputs"]):
            self._outputs.append(
                open_output(given, timeline=timeline, report=self._tell_output, environment=self._environment)
            )
        bus = Bus(timeline=timeline, outputs=self._outputs, opener=self._feeds, emit=self._voice.say)
        aircheck = cast(Mapping[str, str] | None, command.get("aircheck"))
        if aircheck is not None:
            self._aircheck = AircheckTap(
                Path(aircheck["folder"]),
                timeline=timeline,
                wall_offset_ns=cast(int, command["wall_offset_ns"]),
            )
            self._aircheck.start()
            bus.tap(self._aircheck.take)
        for output in self._outputs:
            output.start()
        self._bus = bus
        self._ticker = _Ticker(bus)
        self._ticker.start()
        self._desk.open(self._on_bus)

    def _stop(self, command: Command) -> None:
        airing = cast(str | None, command.get("airing"))
        fade_ms = cast(int, command.get("fade_ms", 0))
        if airing is None:
            self._desk.cancel_all()
        elif self._desk.cancel(airing):
            return
        silent_ns = cast(int | None, command.get("silent_ns"))
        self._on_bus(lambda bus: bus.stop(airing, fade_ms=fade_ms, silent_ns=silent_ns))

    def _on_bus(self, action: Callable[[Bus], None]) -> None:
        if self._ticker is not None:
            self._ticker.do(action)

    def _tell_output(self, name: str, state: str, detail: str) -> None:
        self._voice.say({"event": "output", "name": name, "state": state, "detail": detail})

    def _end(self) -> None:
        self._desk.cancel_all()
        if self._ticker is not None:
            self._ticker.do(lambda bus: bus.conclude(time.monotonic_ns()))
            self._ticker.stop()
        for output in self._outputs:
            output.stop()
        if self._aircheck is not None:
            self._aircheck.stop(timeout_s=_GOODBYE_S)
        self._voice.stop(timeout_s=_GOODBYE_S)


class _ArmingDesk:
    """Hashes files in threads of its own and hands the good ones to the bus, unless they are cancelled meanwhile."""

    def __init__(self, *, feeds: Feeds, emit: Callable[[Event], None]) -> None:
        self._feeds = feeds
        self._emit = emit
        self._lock = threading.Lock()
        self._waiting: set[str] = set()
        self._known: set[str] = set()
        self._orders: queue.SimpleQueue[Command] = queue.SimpleQueue()
        self._urgent: queue.SimpleQueue[Command] = queue.SimpleQueue()
        self._on_bus: Callable[[Callable[[Bus], None]], None] | None = None

    def open(self, on_bus: Callable[[Callable[[Bus], None]], None]) -> None:
        """Begin to work: the bus is there."""
        self._on_bus = on_bus
        threading.Thread(target=self._run, args=(self._orders,), name="arming", daemon=True).start()
        threading.Thread(target=self._run, args=(self._urgent,), name="arming-urgent", daemon=True).start()

    def arm(self, order: Command) -> None:
        """Queue an order; a second one of the same name is ignored."""
        airing = str(order["airing"])
        with self._lock:
            if airing in self._known:
                return
            self._known.add(airing)
            self._waiting.add(airing)
        # On a slow card a long file is read for seconds: what takes over does not wait behind it.
        (self._urgent if order.get("take_over") else self._orders).put(order)

    def cancel(self, airing: str) -> bool:
        """Return whether `airing` was still here; then it will not air."""
        with self._lock:
            if airing not in self._waiting:
                return False
            self._waiting.discard(airing)
            return True

    def cancel_all(self) -> None:
        """Cancel whatever is still here."""
        with self._lock:
            self._waiting.clear()

    def _run(self, orders: queue.SimpleQueue[Command]) -> None:
        while True:
            self._prepare(orders.get())

    def _prepare(self, order: Command) -> None:
        outputs = cast(list[str] | None, order.get("outputs"))
        cue = Cue(
            airing=str(order["airing"]),
            samples=cast(int, order["samples"]),
            from_sample=cast(int, order["from_sample"]),
            start_ns=cast(int, order["start_ns"]),
            after=cast(str | None, order.get("after")),
            outputs=None if outputs is None else frozenset(outputs),
            pieces=pieces_from(cast(list[Mapping[str, object]], order.get("pieces", []))),
            take_over=bool(order.get("take_over", False)),
        )
        try:
            descriptors = _open_files(order, cue)
        except SegmentUnplayable as error:
            self.cancel(cue.airing)
            finding = error.findings[0]
            self._emit(
                {
                    "event": "refused",
                    "airing": cue.airing,
                    "code": finding.code,
                    "detail": finding.message.en,
                }
            )
            return
        with self._lock:
            wanted = cue.airing in self._waiting
            self._waiting.discard(cue.airing)
            if wanted and self._on_bus is not None:
                self._feeds.hold(cue.airing, descriptors)
                self._emit({"event": "armed", "airing": cue.airing})
                # Inside the lock, so that a `stop` that comes now finds it here or on the bus.
                self._on_bus(lambda bus: bus.arm(cue))
                return
        for descriptor in descriptors:
            os.close(descriptor)
        self._emit(_never_aired(cue))


class _Ticker:
    """The thread that runs the bus; everything that touches the bus happens in it."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._actions: queue.SimpleQueue[Callable[[Bus], None]] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bus", daemon=True)

    def start(self) -> None:
        """Begin to tick."""
        self._thread.start()

    def do(self, action: Callable[[Bus], None]) -> None:
        """Let the bus do `action` before its next step."""
        self._actions.put(action)

    def stop(self) -> None:
        """Do what was asked, and end."""
        self._stopping.set()
        self._thread.join(_GOODBYE_S)

    def _run(self) -> None:
        while not self._stopping.wait(_TICK_S):
            self._act()
            self._bus.step(time.monotonic_ns())
        self._act()

    def _act(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                self._actions.get_nowait()(self._bus)


class _Voice:
    """Writes events to standard output in a thread, so that a parent that does not read never holds the bus."""

    def __init__(self) -> None:
        self._events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="voice", daemon=True)

    def start(self) -> None:
        """Begin to speak."""
        self._thread.start()

    def say(self, event: Event) -> None:
        """Queue an event; while nobody listens, what the next one says better is left out."""
        if event["event"] in ("level", "progress") and self._events.qsize() > _BACKLOG_EVENTS:
            return
        self._events.put(event)

    def stop(self, *, timeout_s: float) -> None:
        """Say what is queued, and end."""
        self._events.put(None)
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while (event := self._events.get()) is not None:
            line = json.dumps(event, ensure_ascii=False).encode() + b"\n"
            try:
                while line:
                    line = line[os.write(1, line) :]
            except BrokenPipeError:
                return


def _open_files(order: Command, cue: Cue) -> list[int]:
    """Return open descriptors of every file of an order, each checked; raises SegmentUnplayable with none left open."""
    if not cue.pieces:
        wanted = [(Path(str(order["path"])), str(order["sha256"]), cue.samples)]
    else:
        wanted = [(piece.path, piece.sha256, piece.samples) for piece in cue.pieces if isinstance(piece, FilePiece)]
    with contextlib.ExitStack() as unless_good:
        opened: list[int] = []
        for path, sha256, samples in wanted:
            opened.append(open_approved(path, sha256=sha256, samples=samples))
            unless_good.callback(os.close, opened[-1])
        unless_good.pop_all()
    return opened


def _never_aired(cue: Cue) -> Event:
    return {
        "event": "ended",
        "airing": cue.airing,
        "handed": 0,
        "handed_sha256": None,
        "first": cue.from_sample,
        "next": cue.from_sample,
        "outputs": {},
        "cause": "stopped",
        "holes": [],
        "ended_ns": time.monotonic_ns(),
    }


def _die_of(failure: threading.ExceptHookArgs) -> None:
    """End the process when one of its threads fails: half a player is worse than the new one that the parent starts."""
    traceback.print_exception(failure.exc_type, failure.exc_value, failure.exc_traceback)
    sys.stderr.flush()
    os._exit(70)


def main(arguments: list[str]) -> None:
    """Run a player for the parent process whose id is the one argument."""
    die_with_parent(int(arguments[0]))
    kept = leave_network(os.environ)
    ask_for_priority()
    threading.excepthook = _die_of
    Player(environment=os.environ).run(network=kept)
    # Not by returning: libvlc's own threads may hang while the interpreter ends.
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
