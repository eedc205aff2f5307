"""The bus of a player: puts items on exact frames of the monotonic clock, mixes, hashes, and feeds the outputs."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from playout.outputs.output import Block, Output, Timeline
from playout.outputs.tally import Hole, Span, Tally
from playout.source import NS_PER_S, RATE_HZ, SAMPLE_BYTES, Cue, Source, SourceOpener

Event = dict[str, object]
_Share = tuple[Span, bytes, float, float]
"""What one item gives to a block: where it lies, its samples, and its level at the start and the end."""
Emit = Callable[[Event], None]

BLOCK_FRAMES = 960
FLOOR_DBFS = -120.0

_SILENCE = bytes(BLOCK_FRAMES * SAMPLE_BYTES)
_OPEN_AHEAD_NS = 2 * NS_PER_S
# Sound that reaches an output later than this is too late for its device.
_LAST_MOMENT_NS = 60_000_000
# With no more than this left, a source that has nothing is given up and the stand-in reads on: it needs about 20 ms.
_STAND_IN_NS = 140_000_000
_START_PATIENCE_NS = 10 * NS_PER_S
# A far streaming server confirms a second late.
_SETTLE_NS = 1_500_000_000
_REPORT_NS = NS_PER_S // 4
# With nothing to sound soon, less is made ahead: silence may have holes, and what comes at once comes sooner.
_IDLE_LEAD_NS = 150_000_000
_SOON_NS = 2 * NS_PER_S
_TAKE_OVER_MS = 100


@dataclass(slots=True)
class _Item:
    """A cue on its way over the bus."""

    cue: Cue
    start_frame: int | None = None
    source: Source | None = None
    taken: int = 0
    handed: int = 0
    first: int | None = None
    next_sample: int = 0
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)
    waiting_since_ns: int | None = None
    holes: list[Hole] = field(default_factory=list)
    fade_from: int | None = None
    fade_frames: int = 0
    over_frame: int | None = None
    cause: str = "complete"
    announced: bool = False
    taken_over: bool = False
    why: str = ""

    @property
    def airing(self) -> str:
        return self.cue.airing

    @property
    def end_frame(self) -> int | None:
        """The frame after the last sample, were it to run to its end."""
        if self.start_frame is None:
            return None
        return self.start_frame + self.cue.samples - self.cue.from_sample

    @property
    def on_air(self) -> bool:
        return self.handed > 0 and self.over_frame is None


class Bus:
    """One station's sound, clocked by whoever calls `step`: a thread in the player, a loop in a simulation.

    An item whose `from_sample` is 0 starts late rather than without its beginning; one that starts inside its file is
    tied to the clock from the outset, and what is past is left out. Once started, every item is tied to the clock: what
    a stall took is a hole, and the end stays where it was.
    Every cue is answered by exactly one `ended` event.
    """

    def __init__(self, *, timeline: Timeline, outputs: Sequence[Output], opener: SourceOpener, emit: Emit) -> None:
        self._timeline = timeline
        self._outputs = outputs
        self._opener = opener
        self._emit = emit
        self._tap: Callable[[Block], None] | None = None
        self._items: dict[str, _Item] = {}
        self._ends: dict[str, int] = {}
        self._head = 0
        self._now_ns = 0
        self._reported_ns = 0
        self._meter = _Meter()

    def tap(self, listener: Callable[[Block], None]) -> None:
        """Let `listener` have every block, as the aircheck needs it."""
        self._tap = listener

    @property
    def lead_ns(self) -> int:
        """How far ahead of its due time sound is made, while there is any."""
        return max((output.lead_ns for output in self._outputs), default=200_000_000)

    def arm(self, cue: Cue) -> None:
        """Air `cue` when it is due, or at once where it takes over; a second cue of the same name is ignored."""
        if cue.airing in self._items:
            return
        if cue.take_over:
            self._give_way()
            cue = replace(cue, start_ns=self._timeline.due_ns(self._head), after=None)
        else:
            # As far ahead as ever: what is not urgent begins as it would if there had been sound before it.
            self._make_ahead(self._now_ns, self.lead_ns)
        self._items[cue.airing] = _Item(cue, next_sample=cue.from_sample)

    def _give_way(self) -> None:
        """Fade out what is on air and drop what waits, for something that takes over."""
        for item in self._items.values():
            # What a person had stopped before stays stopped.
            item.taken_over = item.over_frame is None and item.fade_from is None
        self.stop(None, fade_ms=_TAKE_OVER_MS)

    def disarm(self, airing: str) -> None:
        """Forget a cue that has not started; what is on air needs `stop`."""
        item = self._items.get(airing)
        if item is not None and not item.on_air:
            self._finish(item, self._head, "stopped")

    def stop(self, airing: str | None, *, fade_ms: int, silent_ns: int | None = None) -> None:
        """Fade out `airing`, or everything and all that was armed: at once, or so that it is silent at `silent_ns`."""
        fade_frames = fade_ms * RATE_HZ // 1000
        wanted = self._head if silent_ns is None else self._timeline.frame_at(silent_ns) - fade_frames
        for item in list(self._items.values()):
            if airing not in (None, item.airing) or item.over_frame is not None:
                continue
            if item.on_air and fade_ms > 0:
                begin = max(self._head, wanted)
                if item.fade_from is None or begin < item.fade_from:
                    item.fade_from, item.fade_frames = begin, fade_frames
            else:
                self._finish(item, self._head, "stopped")

    def step(self, now_ns: int) -> None:
        """Make all sound that is due within the lead, and report what happened."""
        self._now_ns = now_ns
        self._skip_what_is_past(now_ns)
        self._open_sources(now_ns)
        lead_ns = self.lead_ns if self._sounds_soon(now_ns) else min(self.lead_ns, _IDLE_LEAD_NS)
        self._make_ahead(now_ns, lead_ns)
        for output in self._outputs:
            output.advance(now_ns)
        self._report(now_ns)

    def conclude(self, now_ns: int) -> None:
        """End everything at once and tell it with what was counted until now: the player is going."""
        for item in list(self._items.values()):
            self._finish(item, self._head, "stopped")
            tallies = self._tallies(item)
            self._announce(item, tallies)
            self._end(item, tallies, now_ns)

    # What comes next

    def _make_ahead(self, now_ns: int, lead_ns: int) -> None:
        target = self._timeline.frame_at(now_ns + lead_ns)
        while self._head + BLOCK_FRAMES <= target and self._may_render(now_ns):
            self._render(now_ns)

    def _sounds_soon(self, now_ns: int) -> bool:
        return any(
            item.over_frame is None
            and (item.start_frame is None or self._timeline.due_ns(item.start_frame) - now_ns < _SOON_NS)
            for item in self._items.values()
        )

    def _skip_what_is_past(self, now_ns: int) -> None:
        # Only what was due already: how much later is too late for a device, each output knows better.
        late = self._timeline.frame_at(now_ns) - self._head
        if late > 0:
            self._head += -(-late // BLOCK_FRAMES) * BLOCK_FRAMES

    def _open_sources(self, now_ns: int) -> None:
        for item in list(self._items.values()):
            if item.over_frame is not None:
                continue
            if item.start_frame is None or not (item.handed or self._waits_for_nobody(item)):
                item.start_frame = self._start_of(item)
            if item.source is None and self._timeline.due_ns(item.start_frame) - now_ns < _OPEN_AHEAD_NS:
                item.source = self._opener.open(item.cue)

    def _waits_for_nobody(self, item: _Item) -> bool:
        """Return whether an item has begun though nothing came yet: a live one is tied to the clock, as is its end."""
        return (
            item.source is not None
            and item.source.live
            and item.start_frame is not None
            and item.start_frame <= self._head
        )

    def _start_of(self, item: _Item) -> int:
        wanted = self._timeline.frame_at(item.cue.start_ns)
        before = item.cue.after
        if before is not None:
            earlier = self._items.get(before)
            if earlier is not None and earlier.fade_from is None and earlier.cause == "complete":
                end = earlier.end_frame if earlier.over_frame is None else earlier.over_frame
                # Not yet placed itself: the next step knows more, and nothing starts before its own time.
                wanted = end if end is not None else wanted
            elif before in self._ends:
                wanted = self._ends[before]
        if item.cue.from_sample == 0:
            return max(wanted, self._head)
        return wanted

    def _may_render(self, now_ns: int) -> bool:
        """Return whether the next block can be made; gives up sources that have nothing at the last moment."""
        left_ns = self._timeline.due_ns(self._head) - now_ns
        ready = True
        for item in list(self._items.values()):
            missing = self._missing(item)
            if missing is None:
                continue
            source = item.source
            broken = source is not None and source.failure() is not None
            if broken or left_ns < _STAND_IN_NS:
                self._stand_in(item)
            if self._missing(item) is not None:
                if not item.handed and item.cue.from_sample == 0 and left_ns < _STAND_IN_NS // 2:
                    continue
                ready = False
        return ready or left_ns < _LAST_MOMENT_NS

    def _missing(self, item: _Item) -> int | None:
        """Return how many samples `item` lacks for the next block, None where it lacks none."""
        span = self._next_span(item)
        if span is None or item.source is None or item.source.live:
            return None
        lack = span.sample + span.count - (item.cue.from_sample + item.taken) - item.source.available()
        return lack if lack > 0 else None

    def _next_span(self, item: _Item) -> Span | None:
        """Return what of `item` falls into the next block; offsets count within the block."""
        start, end = item.start_frame, item.end_frame
        if start is None or end is None or item.over_frame is not None:
            return None
        if item.fade_from is not None:
            end = min(end, item.fade_from + item.fade_frames)
        whole = Span(item.airing, start - self._head, end - start, item.cue.from_sample)
        return whole.cut(0, BLOCK_FRAMES)

    def _stand_in(self, item: _Item) -> None:
        span = self._next_span(item)
        if span is None or item.source is None:
            return
        # What the tired source still holds comes from the stand-in too: it reads from the sample that is next.
        replacement = self._opener.stand_in(item.cue, from_sample=span.sample)
        if replacement is None:
            return
        why = item.source.failure() or "no samples in time"
        item.source.close()
        item.source = replacement
        item.taken = span.sample - item.cue.from_sample
        self._emit({"event": "source", "airing": item.airing, "source": replacement.kind, "detail": why})

    # Making sound

    def _render(self, now_ns: int) -> None:
        parts: list[_Share] = []
        for item in list(self._items.values()):
            self._take(item, parts, now_ns)
        block = _block(self._head, parts)
        self._head += BLOCK_FRAMES
        self._meter.add(block.pcm)
        for output in self._outputs:
            output.hand(self._block_for(output.name, parts, block))
        if self._tap is not None:
            self._tap(block)

    def _block_for(self, output: str, parts: Sequence[_Share], whole: Block) -> Block:
        """Return what one output gets: silence in the place of what is meant for others."""
        own = [part for part in parts if self._items[part[0].airing].cue.sounds_on(output)]
        return whole if len(own) == len(parts) else _block(whole.frame, own)

    def _take(self, item: _Item, parts: list[_Share], now_ns: int) -> None:
        span = self._next_span(item)
        if span is None:
            self._end_if_past(item)
            return
        pcm = self._read(item, span)
        got = len(pcm) // SAMPLE_BYTES
        failure = item.source.failure() if item.source is not None and got < span.count else None
        live = item.source is not None and item.source.live
        if failure is None and got == 0 and not item.handed and not live:
            self._start_later(item, now_ns)
            return
        if got:
            self._count(item, span, pcm)
            played = Span(span.airing, span.offset, got, span.sample)
            parts.append((played, pcm, self._gain(item, played.offset), self._gain(item, played.end)))
        end = item.end_frame
        last = span.sample + span.count == item.cue.samples
        faded = item.fade_from is not None and self._head + span.end >= item.fade_from + item.fade_frames
        if failure is not None:
            # Whatever could stand in was tried when this block was prepared.
            item.why = failure
            self._finish(item, self._head + span.offset + got, "source_failed")
        elif faded:
            self._finish(item, self._head + span.end, "stopped")
        elif last and end is not None:
            self._finish_at_its_end(item, end)

    def _read(self, item: _Item, span: Span) -> bytes:
        source = item.source
        if source is None:
            return b""
        behind = span.sample - item.cue.from_sample - item.taken
        while behind > 0:
            dropped = len(source.read(behind)) // SAMPLE_BYTES
            if dropped == 0 and source.live:
                # What never came passes by like what came: else as much of what comes next would be lost.
                source.skip(behind)
                dropped = behind
            if dropped == 0:
                return b""
            item.taken += dropped
            behind -= dropped
        pcm = source.read(span.count)
        got = len(pcm) // SAMPLE_BYTES
        if source.live and got < span.count:
            source.skip(span.count - got)
            got = span.count
        item.taken += got
        return pcm

    def _count(self, item: _Item, span: Span, pcm: bytes) -> None:
        got = len(pcm) // SAMPLE_BYTES
        if span.sample > item.next_sample:
            item.holes.append(Hole(at_sample=item.next_sample, samples=span.sample - item.next_sample))
        if item.first is None:
            item.first = span.sample
        item.digest.update(pcm)
        item.handed += got
        item.next_sample = span.sample + got

    def _start_later(self, item: _Item, now_ns: int) -> None:
        if item.waiting_since_ns is None:
            item.waiting_since_ns = now_ns
        if now_ns - item.waiting_since_ns > _START_PATIENCE_NS:
            item.why = "no samples"
            self._finish(item, self._head, "source_failed")
        elif item.cue.from_sample == 0:
            item.start_frame = self._head + BLOCK_FRAMES

    def _end_if_past(self, item: _Item) -> None:
        """End an item that has nothing more to give: a stall swallowed its end, or its fade."""
        end = item.end_frame
        if item.over_frame is not None or end is None:
            return
        if item.fade_from is not None and self._head >= item.fade_from + item.fade_frames:
            self._finish(item, self._head, "stopped")
        elif self._head >= end:
            self._finish_at_its_end(item, end)

    def _finish_at_its_end(self, item: _Item, end: int) -> None:
        live = item.source is not None and item.source.live
        if item.next_sample < item.cue.samples and not live:
            item.why = "the end fell into a stall"
        self._finish(item, end, "complete" if not item.why else "source_failed")

    def _gain(self, item: _Item, offset: int) -> float:
        if item.fade_from is None:
            return 1.0
        done = (self._head + offset - item.fade_from) / item.fade_frames
        return math.cos(min(max(done, 0.0), 1.0) * math.pi / 2)

    def _finish(self, item: _Item, frame: int, cause: str) -> None:
        if item.over_frame is not None:
            return
        item.over_frame = frame
        item.cause = "taken_over" if cause == "stopped" and item.taken_over else cause
        if cause == "complete":
            self._ends[item.airing] = frame
        if item.source is not None:
            item.source.close()
        self._opener.release(item.airing)

    # Telling

    def _report(self, now_ns: int) -> None:
        due = now_ns - self._reported_ns >= _REPORT_NS
        for item in list(self._items.values()):
            if not item.handed and item.over_frame is None:
                continue
            tallies = self._tallies(item)
            self._announce(item, tallies)
            if item.over_frame is not None and (not item.handed or self._is_settled(item, item.over_frame, now_ns)):
                self._end(item, tallies, now_ns)
            elif due:
                self._emit(
                    {
                        "event": "progress",
                        "airing": item.airing,
                        "position": item.next_sample,
                        "handed": item.handed,
                        "outputs": {name: tally.samples for name, tally in tallies.items()},
                    }
                )
        if due:
            self._reported_ns = now_ns
            rms_dbfs, peak_dbfs = self._meter.take()
            self._emit({"event": "level", "rms_dbfs": rms_dbfs, "peak_dbfs": peak_dbfs})
            self._forget_old_ends()

    def _announce(self, item: _Item, tallies: Mapping[str, Tally]) -> None:
        if item.announced:
            return
        started = {name: tally.first_ns for name, tally in tallies.items() if tally.first_ns is not None}
        if started:
            item.announced = True
            first_ns = next(iter(started.values()))
            due_ns = self._timeline.due_ns(item.start_frame) if item.start_frame is not None else first_ns
            self._emit(
                {
                    "event": "started",
                    "airing": item.airing,
                    "monotonic_ns": first_ns,
                    # What began unheard has been going on since then.
                    "due_ns": due_ns,
                    "outputs": started,
                }
            )

    def _own(self, item: _Item) -> list[Output]:
        return [output for output in self._outputs if item.cue.sounds_on(output.name)]

    def _tallies(self, item: _Item) -> dict[str, Tally]:
        return {output.name: output.tally(item.airing) for output in self._own(item)}

    def _is_settled(self, item: _Item, frame: int, now_ns: int) -> bool:
        late = now_ns - self._timeline.due_ns(frame) > _SETTLE_NS
        return late or all(output.settled(frame) for output in self._own(item))

    def _end(self, item: _Item, tallies: Mapping[str, Tally], now_ns: int) -> None:
        del self._items[item.airing]
        whole = item.cue.from_sample == 0 and item.handed == item.cue.samples
        best = max(tallies.values(), key=lambda tally: tally.samples, default=Tally())
        cause = item.cause
        if cause == "complete" and item.handed and not self._heard_to_the_end(item, best):
            cause = "output_lost"
        over_ns = self._timeline.due_ns(item.over_frame if item.over_frame is not None else self._head)
        event: Event = {
            "event": "ended",
            "airing": item.airing,
            "handed": item.handed,
            "handed_sha256": item.digest.hexdigest() if whole else None,
            "first": item.first if item.first is not None else item.cue.from_sample,
            "next": item.next_sample,
            "outputs": {
                name: {
                    "samples": tally.samples,
                    "first_ns": tally.first_ns,
                    "last_ns": tally.last_ns,
                    "holes": [hole.as_json() for hole in tally.holes_from(item.cue.from_sample)],
                }
                for name, tally in tallies.items()
            },
            "cause": cause,
            "holes": [
                hole.as_json() for hole in (best.holes_from(item.cue.from_sample) if best.samples else item.holes)
            ],
            "ended_ns": min(over_ns, now_ns),
        }
        if item.why:
            event["detail"] = item.why
        self._emit(event)
        for output in self._outputs:
            output.forget(item.airing)

    def _heard_to_the_end(self, item: _Item, best: Tally) -> bool:
        return best.next_sample is not None and item.next_sample - best.next_sample < RATE_HZ // 10

    def _forget_old_ends(self) -> None:
        horizon = self._head - 60 * RATE_HZ
        self._ends = {airing: frame for airing, frame in self._ends.items() if frame > horizon}


class _Meter:
    """The level of what went out since it was last asked."""

    def __init__(self) -> None:
        self._power = 0.0
        self._frames = 0
        self._peak = 0

    def add(self, pcm: bytes) -> None:
        """Measure one block."""
        self._frames += len(pcm) // SAMPLE_BYTES
        if pcm is _SILENCE:
            return
        wave = np.frombuffer(pcm, dtype="<i2").astype(np.float32)
        self._power += float(np.dot(wave, wave))
        self._peak = max(self._peak, int(np.abs(wave).max()))

    def take(self) -> tuple[float, float]:
        """Return level and peak in dBFS, not below FLOOR_DBFS, and start anew."""
        rms = math.sqrt(self._power / self._frames) if self._frames else 0.0
        levels = (_dbfs(rms), _dbfs(self._peak))
        self._power, self._frames, self._peak = 0.0, 0, 0
        return levels


def _dbfs(amplitude: float) -> float:
    if amplitude <= 0:
        return FLOOR_DBFS
    return round(max(20 * math.log10(amplitude / 32768), FLOOR_DBFS), 1)


def _block(frame: int, parts: Sequence[_Share]) -> Block:
    spans = sorted((part[0] for part in parts), key=lambda span: span.offset)
    return Block(frame=frame, pcm=_mix(parts), spans=tuple(spans))


def _mix(parts: Sequence[_Share]) -> bytes:
    """Return one block of sound; a single item at full level passes untouched."""
    if not parts:
        return _SILENCE
    span, pcm, gain_start, gain_end = parts[0]
    if len(parts) == 1 and span.count == BLOCK_FRAMES and gain_start == gain_end == 1.0:
        return pcm
    total: npt.NDArray[np.float32] = np.zeros(BLOCK_FRAMES, dtype=np.float32)
    for span, pcm, gain_start, gain_end in parts:
        ramp = np.linspace(gain_start, gain_end, span.count, endpoint=False, dtype=np.float32)
        total[span.offset : span.end] += np.frombuffer(pcm, dtype="<i2") * ramp
    return np.clip(np.rint(total), -32768, 32767).astype("<i2").tobytes()
