"""The output on a network stream: its sound goes to the sender by a socket, and counts when the sender says it left."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from pathlib import Path

from playout.outputs import streamsocket
from playout.outputs.level import Gain
from playout.outputs.output import Block, StateReport, Timeline
from playout.outputs.tally import Ledger, Tally

_LEAD_NS = 300_000_000
_RETRY_S = 0.3
_LISTEN_S = 0.25
_SILENT_NS = 1_500_000_000


class NetworkOutput:
    """One stream, sent by a process of its own that has the network (playout.outputs.sender).

    A frame counts when it left: accepted by the Icecast server, or sent as a datagram. Whether anybody listens is not
    known here.
    """

    def __init__(self, name: str, *, path: Path, volume_db: float, timeline: Timeline, report: StateReport) -> None:
        self._name = name
        self._path = path
        self._gain = Gain(volume_db)
        self._timeline = timeline
        self._report = report
        self._told = ("", "")
        self._ledger = Ledger()
        self._stopping = threading.Event()
        self._connection: socket.socket | None = None
        self._passed: int | None = None
        self._begun_ns = 0

    @property
    def name(self) -> str:
        """The name that the configuration gives it."""
        return self._name

    @property
    def lead_ns(self) -> int:
        """As long as that of a sound card."""
        return _LEAD_NS

    def start(self) -> None:
        """Begin to look for the sender."""
        self._begun_ns = time.monotonic_ns()
        self._tell("opening", "")
        threading.Thread(target=self._run, name=f"output-{self._name}", daemon=True).start()

    def hand(self, block: Block) -> None:
        """Send a block; where the sender does not take it at once it is lost."""
        connection = self._connection
        if connection is None:
            return
        # First noted, then sent: its answer may come before the next line runs.
        self._ledger.wrote(span.moved(block.frame) for span in block.spans)
        packet = streamsocket.sound(frame=block.frame, pcm=self._gain.of(block.pcm))
        # A connection that broke is noticed by the thread that reads from it.
        with contextlib.suppress(OSError):
            connection.send(packet, socket.MSG_DONTWAIT)

    def advance(self, now_ns: int) -> None:
        """Nothing: what left is told by the sender."""

    def tally(self, airing: str) -> Tally:
        """Return what has left this machine."""
        return self._ledger.tally(airing)

    def settled(self, frame: int) -> bool:
        """Return whether the sender told of `frame`, or can tell of nothing."""
        passed = self._passed
        return passed is None or passed >= frame

    def forget(self, airing: str) -> None:
        """Drop the tally of `airing`."""
        self._ledger.forget(airing)

    def stop(self) -> None:
        """Leave the sender, which falls silent at once and goes on with silence."""
        self._stopping.set()
        connection = self._connection
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with streamsocket.connect(self._path) as connection:
                    connection.settimeout(_LISTEN_S)
                    connection.send(streamsocket.hello(origin_ns=self._timeline.origin_ns))
                    self._connection = connection
                    self._listen(connection)
            except OSError as error:
                self._lose(f"no sender: {error.strerror}")
            finally:
                self._connection = None
                self._passed = None
            self._stopping.wait(_RETRY_S)

    def _listen(self, connection: socket.socket) -> None:
        """Count what the sender tells, until it is gone or silent."""
        heard_ns = time.monotonic_ns()
        while not self._stopping.is_set():
            try:
                packet = streamsocket.receive(connection)
            except TimeoutError:
                if time.monotonic_ns() - heard_ns > _SILENT_NS:
                    self._lose("the sender does not answer")
                    return
                continue
            if not packet:
                self._lose("the sender ended")
                return
            heard_ns = time.monotonic_ns()
            self._take(packet)

    def _take(self, packet: bytes) -> None:
        told = streamsocket.read_news(packet)
        for start, end in told["passed"]:
            self._ledger.heard(start, end, instant_ns=self._timeline.due_ns)
            self._passed = end
        if told["state"] == "ok":
            self._tell("ok", told["detail"])
            if self._passed is None:
                self._passed = -1
        elif told["state"] == "opening":
            self._ledger.lost()
            self._passed = None
        else:
            self._lose(told["detail"])

    def _lose(self, why: str) -> None:
        self._ledger.lost()
        self._passed = None
        # Both may be starting: what is not there yet is not lost yet.
        early = self._told[0] == "opening" and time.monotonic_ns() - self._begun_ns < _SILENT_NS
        if not early and not self._stopping.is_set():
            self._tell("lost", why)

    def _tell(self, state: str, detail: str) -> None:
        if self._told != (state, detail):
            self._told = (state, detail)
            self._report(self._name, state, detail)
