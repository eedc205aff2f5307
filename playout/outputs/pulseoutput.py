"""The output on a PulseAudio or PipeWire sink: bus frames on the clock of the device, counted when it passed them."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, replace

from playout.outputs.devicetime import DeviceTime
from playout.outputs.level import Gain
from playout.outputs.libpulse import Position, PulseStream
from playout.outputs.output import Block, StateReport, Timeline
from playout.outputs.tally import Ledger, Tally
from playout.source import NS_PER_S, SAMPLE_BYTES
from schedules.errors import OutputError

_LEAD_NS = 300_000_000
# Half of it is the sink's own buffer: what the bus makes 300 ms ahead is late only after a stall of 0.2 s.
_LATENCY_MS = 120
_RETRY_S = 1.0
_FIRST_ASKS = 6
_FIRST_ASK_S = 0.015
_ASK_NS = NS_PER_S // 10
_LOOK_S = 0.25
_SLOW_LOOK_NS = NS_PER_S // 2
_NO_LOOK_NS = 1_500_000_000
_ANSWER_S = 1.0
_STANDING_NS = NS_PER_S
_QUEUE_BLOCKS = 100


class PulseOutput:
    """One stream on one sink, opened by name and again every second while it is not there.

    Two threads: one writes, one looks at sink and stream, since their state is not told otherwise. A sample is counted
    when the device has passed it and both looks around that moment were good.
    """

    def __init__(
        self,
        name: str,
        *,
        sink: str | None,
        server: str | None,
        volume_db: float,
        timeline: Timeline,
        report: StateReport,
    ) -> None:
        self._name = name
        self._sink = sink
        self._server = server
        self._gain = Gain(volume_db)
        self._timeline = timeline
        self._report = report
        self._told = ("", "")
        self._telling = threading.Lock()
        self._ledger = Ledger()
        self._blocks: deque[Block] = deque(maxlen=_QUEUE_BLOCKS)
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._stream: PulseStream | None = None
        self._time = DeviceTime(timeline)
        self._written = 0
        self._looked_ns = 0
        self._looked_frame: int | None = None
        self._resumed = False
        self._asked_ns = 0
        self._dry_frame: int | None = None

    @property
    def name(self) -> str:
        """The name that the configuration gives it."""
        return self._name

    @property
    def lead_ns(self) -> int:
        """Longer than the stream's buffer, so that a stall of 0.2 s leaves no hole."""
        return _LEAD_NS

    def start(self) -> None:
        """Begin to open the sink."""
        self._tell("opening", self._sink or "default")
        for work in (self._write, self._look):
            threading.Thread(target=work, name=f"output-{self._name}", daemon=True).start()

    def hand(self, block: Block) -> None:
        """Queue a block for the writing thread."""
        self._blocks.append(block)
        self._wake.set()

    def advance(self, now_ns: int) -> None:
        """Nothing: the device has a clock of its own."""

    def tally(self, airing: str) -> Tally:
        """Return what the device has passed between good looks."""
        return self._ledger.tally(airing)

    def settled(self, frame: int) -> bool:
        """Return whether a look came after `frame` was heard, or there is no stream that could carry it."""
        looked = self._looked_frame
        return self._stream is None or (looked is not None and looked >= frame)

    def forget(self, airing: str) -> None:
        """Drop the tally of `airing`."""
        self._ledger.forget(airing)

    def stop(self) -> None:
        """Fall silent and leave the server."""
        self._stopping.set()
        self._wake.set()
        stream = self._stream
        if stream is not None:
            stream.close()

    # Writing

    def _write(self) -> None:
        while not self._stopping.is_set():
            try:
                self._play()
            except OutputError as error:
                self._lose(str(error))
                self._stopping.wait(_RETRY_S)

    def _play(self) -> None:
        """Open the sink and write until it is lost, or was suspended and runs again."""
        stream = PulseStream(description=f"Loa {self._name}")
        stream.open(server=self._server, sink=self._sink, latency_ms=_LATENCY_MS)
        self._time = DeviceTime(self._timeline)
        for _ in range(_FIRST_ASKS):
            stream.ask()
            self._stopping.wait(_FIRST_ASK_S)
            self._time.see(stream.position())
        self._written = 0
        self._looked_frame = None
        self._looked_ns = self._asked_ns = time.monotonic_ns()
        self._blocks.clear()
        stream.ran_dry()
        self._dry_frame = None
        self._stream = stream
        while not self._stopping.is_set():
            self._wake.wait(0.1)
            self._wake.clear()
            if self._resumed:
                # Where it is now is not known for seconds; of a new stream it is, at once.
                self._resumed = False
                self._let_go()
                return
            self._keep_time(stream)
            while self._blocks:
                self._put(stream, self._blocks.popleft())

    def _keep_time(self, stream: PulseStream) -> None:
        now_ns = time.monotonic_ns()
        if now_ns - self._looked_ns > _NO_LOOK_NS:
            raise OutputError("the sound server does not answer")
        position = stream.position()
        self._time.see(position)
        self._note_dry(stream, position)
        if self._dry_frame is not None or now_ns - self._asked_ns > _ASK_NS:
            self._asked_ns = now_ns
            stream.ask()

    def _note_dry(self, stream: PulseStream, position: Position | None) -> None:
        """Count nothing from where the server ran dry to where it was seen to go on: what came for that came too late.

        A server that was stopped or starved takes what it has when it runs again, and drops what arrives behind that;
        by our own clock it was written in time.
        """
        dry = stream.ran_dry()
        if self._dry_frame is None:
            self._dry_frame = dry
        if self._dry_frame is None or position is None or not position.playing:
            return
        if position.read_frame > self._dry_frame:
            self._ledger.missed(self._dry_frame, position.read_frame)
            self._written = max(self._written, position.read_frame)
            self._dry_frame = dry if dry is not None and dry > position.read_frame else None

    def _put(self, stream: PulseStream, block: Block) -> None:
        """Write one block where the device's clock wants it, without what comes too late for it."""
        at_frame = block.frame + self._time.shift(sounding=bool(block.spans))
        lowest = max(self._written, self._time.taken_frame(time.monotonic_ns()))
        if at_frame < lowest:
            cut = min(lowest - at_frame, block.frames)
        else:
            cut = 0
        pcm = block.pcm[cut * SAMPLE_BYTES :]
        if not pcm:
            return
        start = at_frame + cut
        if block.spans and start == self._written + 1:
            # One frame slipped: the same sample twice is less of a click than a zero.
            pcm, start = pcm[:SAMPLE_BYTES] + pcm, self._written
        stream.write(self._gain.of(pcm), at_frame=start)
        self._written = at_frame + block.frames
        self._ledger.wrote(
            part.moved(at_frame) for span in block.spans if (part := span.cut(cut, span.end)) is not None
        )

    def _lose(self, why: str) -> None:
        self._let_go()
        if not self._stopping.is_set():
            self._tell("lost", why)

    def _let_go(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()
        self._ledger.lost()

    # Looking

    def _look(self) -> None:
        before: _Look | None = None
        while not self._stopping.wait(_LOOK_S):
            stream = self._stream
            if stream is None:
                before = None
                continue
            try:
                before = self._look_once(stream, before)
            except OutputError:
                before = None

    def _look_once(self, stream: PulseStream, before: _Look | None) -> _Look | None:
        """Count what was heard since the last good look; return this one.

        The position is older than the look: whatever went bad after it shows now or at the next look, before anything
        later is counted.
        """
        position = stream.position()
        begun_ns = time.monotonic_ns()
        state, detail = _state_of(stream, self._sink)
        if before is not None and before.stream is not stream:
            before = None
        if time.monotonic_ns() - begun_ns > _SLOW_LOOK_NS:
            state, detail = "lost", "the sound server answers slowly"
        if self._stream is not stream or position is None:
            return before
        look = _Look(stream=stream, frame=int(position.heard_frame), good=state == "ok", moved_ns=begun_ns)
        if before is not None and look.frame <= before.frame:
            look = replace(look, frame=before.frame, moved_ns=before.moved_ns)
            if look.good and begun_ns - look.moved_ns > _STANDING_NS:
                state, detail = "suspended", "the sink does not move"
                look = replace(look, good=False)
        if state == "ok" and self._told[0] == "suspended":
            self._resumed = True
        if look.good and before is not None and before.good:
            self._ledger.heard(before.frame, look.frame, instant_ns=self._time.heard_ns)
        else:
            self._ledger.lost(look.frame)
        self._looked_frame = look.frame - self._time.current_shift
        self._looked_ns = time.monotonic_ns()
        self._tell(state, detail)
        return look

    def _tell(self, state: str, detail: str) -> None:
        with self._telling:
            if self._told != (state, detail):
                self._told = (state, detail)
                self._report(self._name, state, detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """What one look saw: the stream was at `frame`, where it had got to at `moved_ns`."""

    stream: PulseStream
    frame: int
    good: bool
    moved_ns: int


def _state_of(stream: PulseStream, wanted: str | None) -> tuple[str, str]:
    """Return the state of an output from the server's own account of its stream and sink; raises OutputError."""
    account = stream.account(timeout_s=_ANSWER_S)
    if account is None:
        return "lost", "the sink is not there"
    if not account.same_sink or (wanted is not None and account.sink != wanted):
        return "moved", account.sink
    if account.suspended:
        return "suspended", account.sink
    if account.sink_silent:
        return "muted", account.sink
    if account.stream_silent:
        return "muted", "stream"
    return "ok", account.sink
