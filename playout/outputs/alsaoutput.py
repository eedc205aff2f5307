"""The output on a sound card by ALSA: an unbroken stream in which bus frames lie where the card's clock wants them."""

from __future__ import annotations

import threading
import time
from collections import deque

from playout.outputs.devicetime import DeviceTime
from playout.outputs.level import Gain
from playout.outputs.libasound import AlsaMixer, AlsaStream, UnderrunError
from playout.outputs.libpulse import Position
from playout.outputs.output import Block, StateReport, Timeline
from playout.outputs.tally import Ledger, Tally
from playout.source import NS_PER_S, RATE_HZ, SAMPLE_BYTES
from schedules.errors import OutputError

_LEAD_NS = 300_000_000
_LATENCY_MS = 320
_FILL_FRAMES = RATE_HZ * 250 // 1000
_LEAST_FRAMES = RATE_HZ * 60 // 1000
_STEP_FRAMES = RATE_HZ * 20 // 1000
_STEP_S = 0.01
_RETRY_S = 1.0
_FIRST_LOOKS = 10
# What a driver tells of a stream that has just begun may be far from the truth; sound waits for the first good looks.
_UNSURE_NS = 150_000_000
_SURE_LOOKS = 4
_LOOK_NS = NS_PER_S // 10
_COUNT_NS = NS_PER_S // 5
# Between two readings of the clock around a look; longer, and it is not known when the look was.
_BLURRED_NS = 2_000_000
# A card that is that far from where it should be, that many looks in a row, stopped or skipped without saying so.
_ASTRAY_FRAMES = RATE_HZ * 30 // 1000
_ASTRAY_LOOKS = 5
_STANDING_NS = NS_PER_S
_HUNG_NS = 1_500_000_000
_SHORT_RUN_NS = NS_PER_S // 2
_QUEUE_BLOCKS = 100


class AlsaOutput:
    """One card, opened by name and again every second while it is not there.

    A sample counts when the card's own count of what it still holds says that it was passed, and its mixer lets sound
    through. What has no clock, such as a file, takes all at once: there the monotonic clock says what would have been
    heard.
    """

    def __init__(self, name: str, *, device: str, volume_db: float, timeline: Timeline, report: StateReport) -> None:
        self._name = name
        self._device = device
        self._gain = Gain(volume_db)
        self._timeline = timeline
        self._report = report
        self._told = ("", "")
        self._telling = threading.Lock()
        self._ledger = Ledger()
        self._blocks: deque[Block] = deque(maxlen=_QUEUE_BLOCKS)
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._run: _Run | None = None
        self._busy_since_ns: int | None = None
        self._hung = False
        self._underruns = 0

    @property
    def name(self) -> str:
        """The name that the configuration gives it."""
        return self._name

    @property
    def lead_ns(self) -> int:
        """Longer than what the card holds, so that a stall of a tenth of a second leaves no hole."""
        return _LEAD_NS

    def start(self) -> None:
        """Begin to open the card."""
        self._tell("opening", self._device)
        threading.Thread(target=self._work, name=f"output-{self._name}", daemon=True).start()

    def hand(self, block: Block) -> None:
        """Queue a block for the writing thread."""
        self._blocks.append(block)
        self._wake.set()

    def advance(self, now_ns: int) -> None:
        """Look whether the card's driver still answers the writing thread."""
        since_ns = self._busy_since_ns
        if since_ns is not None and now_ns - since_ns > _HUNG_NS and not self._hung:
            self._hung = True
            self._tell("lost", "the device does not answer")

    def tally(self, airing: str) -> Tally:
        """Return what the card has passed."""
        return self._ledger.tally(airing)

    def settled(self, frame: int) -> bool:
        """Return whether the card has passed `frame`, or there is none, or none that answers."""
        run = self._run
        return run is None or self._hung or run.counted - run.time.current_shift >= frame

    def forget(self, airing: str) -> None:
        """Drop the tally of `airing`."""
        self._ledger.forget(airing)

    def stop(self) -> None:
        """Fall silent: the writing thread drops what the card holds."""
        self._stopping.set()
        self._wake.set()

    def _work(self) -> None:
        while not self._stopping.is_set():
            self._busy_since_ns = time.monotonic_ns()
            try:
                self._play()
            except OutputError as error:
                if not self._stopping.is_set():
                    self._tell("lost", str(error))
            self._busy_since_ns = None
            self._hung = False
            self._stopping.wait(_RETRY_S)

    def _play(self) -> None:
        """Open the card and write until it is lost; after an underrun it begins anew."""
        stream = AlsaStream(self._device)
        stream.open(latency_ms=_LATENCY_MS)
        mixer = AlsaMixer(stream.control())
        try:
            mixer.open()
            while not self._stopping.is_set():
                run = _Run(stream, timeline=self._timeline, ledger=self._ledger, gain=self._gain)
                run.begin()
                self._blocks.clear()
                self._run = run
                try:
                    self._keep(run, mixer)
                except UnderrunError:
                    if time.monotonic_ns() - run.begun_ns < _SHORT_RUN_NS:
                        raise
                    self._underruns += 1
                    self._ledger.lost()
        finally:
            self._run = None
            self._ledger.lost()
            mixer.close()
            stream.close()

    def _keep(self, run: _Run, mixer: AlsaMixer) -> None:
        counted_ns = 0
        while not self._stopping.is_set():
            self._busy_since_ns = None
            self._wake.wait(_STEP_S)
            self._wake.clear()
            self._busy_since_ns = time.monotonic_ns()
            if self._hung:
                raise OutputError("the device did not answer")
            run.look()
            if self._busy_since_ns - counted_ns > _COUNT_NS:
                counted_ns = self._busy_since_ns
                # After the look at where the card is: what was muted meanwhile is not counted.
                muted = mixer.muted()
                run.count(audible=muted is None)
                self._tell_audible(muted)
            run.fill(self._blocks)

    def _tell_audible(self, muted: str | None) -> None:
        if muted is not None:
            self._tell("muted", muted)
            return
        more = f", {self._underruns} underruns" if self._underruns else ""
        self._tell("ok", self._device + more)

    def _tell(self, state: str, detail: str) -> None:
        with self._telling:
            if self._told != (state, detail):
                self._told = (state, detail)
                self._report(self._name, state, detail)


class _Run:
    """The card from one start to the next: frames written, frames heard, and the clock between them."""

    def __init__(self, stream: AlsaStream, *, timeline: Timeline, ledger: Ledger, gain: Gain) -> None:
        self._stream = stream
        self._timeline = timeline
        self._ledger = ledger
        self._gain = gain
        self._next: tuple[Block, int] | None = None
        self._written = 0
        self._clocked = True
        self._looks = 0
        self._astray = 0
        self._seen_ns = 0
        self._moved_ns = 0
        self._heard = 0
        self._audible = True
        self.time = DeviceTime(timeline)
        self.begun_ns = 0
        self.counted = 0

    def begin(self) -> None:
        """Start the card on silence, and learn whether it has a clock."""
        self._stream.prepare()
        self._write(bytes(_FILL_FRAMES * SAMPLE_BYTES))
        self._stream.start()
        self.begun_ns = self._moved_ns = time.monotonic_ns()
        self._clocked = self._stream.delay() > _FILL_FRAMES // 2
        self.look()

    def look(self) -> None:
        """See where the card is; raises OutputError where it stands still."""
        before_ns = time.monotonic_ns()
        delay = self._stream.delay()
        now_ns = time.monotonic_ns()
        if self._clocked:
            heard = self._written - delay
        else:
            heard = min(self._written, (now_ns - self.begun_ns) * RATE_HZ // NS_PER_S)
        early = self._looks < _FIRST_LOOKS
        sharp = now_ns - before_ns < _BLURRED_NS and now_ns - self.begun_ns > _UNSURE_NS
        middle_ns = (before_ns + now_ns) // 2
        if sharp:
            self._judge(heard, middle_ns)
        if sharp and (early or now_ns - self._seen_ns > _LOOK_NS):
            self._looks += 1
            self._seen_ns = now_ns
            self.time.see(Position(instant_ns=middle_ns, heard_frame=heard, ahead_frames=self._written - heard))
        if heard > self._heard:
            self._heard = heard
            self._moved_ns = now_ns
        elif now_ns - self._moved_ns > _STANDING_NS:
            raise OutputError("the device stands still")

    def _judge(self, heard: int, instant_ns: int) -> None:
        """Raise UnderrunError where the card is not where its clock was: to begin anew is quicker than to follow."""
        if self._looks < _SURE_LOOKS:
            return
        clock_frame = (instant_ns - self._timeline.origin_ns) * RATE_HZ // NS_PER_S
        astray = abs(heard - clock_frame - self.time.current_shift) > _ASTRAY_FRAMES
        self._astray = self._astray + 1 if astray else 0
        if self._astray >= _ASTRAY_LOOKS:
            raise UnderrunError("the device stood still for a moment")

    def count(self, *, audible: bool) -> None:
        """Count what the card passed since the last call, if it could be heard then and can be now."""
        if audible and self._audible:
            self._ledger.heard(self.counted, self._heard, instant_ns=self.time.heard_ns)
        else:
            self._ledger.lost(self._heard)
        self._audible = audible
        self.counted = self._heard

    def fill(self, blocks: deque[Block]) -> None:
        """Write what is due soon, and silence where nothing is."""
        while self._looks >= _SURE_LOOKS and self._written - self._heard < _FILL_FRAMES:
            if self._next is None and blocks:
                block = blocks.popleft()
                self._next = (block, block.frame + self.time.shift(sounding=bool(block.spans)))
            if self._next is None:
                break
            block, at_frame = self._next
            gap = at_frame - self._written
            if gap > 0 and not (gap == 1 and block.spans):
                self._write(bytes(min(gap, _STEP_FRAMES) * SAMPLE_BYTES))
                continue
            self._next = None
            self._put(block, at_frame)
        least = _LEAST_FRAMES if self._looks >= _SURE_LOOKS else 2 * _LEAST_FRAMES
        short = least - (self._written - self._heard)
        if short > 0:
            self._write(bytes(short * SAMPLE_BYTES))

    def _put(self, block: Block, at_frame: int) -> None:
        """Write one block, without what comes too late."""
        cut = min(max(0, self._written - at_frame), block.frames)
        pcm = self._gain.of(block.pcm[cut * SAMPLE_BYTES :])
        if not pcm:
            return
        if at_frame == self._written + 1:
            # One frame slipped: the same sample twice is less of a click than a zero.
            pcm = pcm[:SAMPLE_BYTES] + pcm
        self._write(pcm)
        self._ledger.wrote(
            part.moved(at_frame) for span in block.spans if (part := span.cut(cut, span.end)) is not None
        )

    def _write(self, pcm: bytes) -> None:
        deadline_ns = time.monotonic_ns() + _STANDING_NS
        while pcm:
            taken = self._stream.write(pcm)
            self._written += taken
            pcm = pcm[taken * SAMPLE_BYTES :]
            if pcm and taken == 0:
                if time.monotonic_ns() > deadline_ns:
                    raise OutputError("the device takes nothing")
                time.sleep(_STEP_S)
