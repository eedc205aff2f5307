"""Where bus frames belong on a device that has a clock of its own: its frames against the monotonic clock."""

from __future__ import annotations

from collections import deque

from playout.outputs.libpulse import Position
from playout.outputs.output import Timeline
from playout.source import NS_PER_S, RATE_HZ

_WINDOW = 50
_RECENT = 10
# The same answer of the server, dated again: reading two clocks takes a moment.
_SAME_NS = 1_000_000
# In silence the bus is moved by whole frames when it is off by more than this.
_FINE_FRAMES = 4
# In sound, one frame at a time: from 2 ms until within 1 ms.
_SLIP_FRAMES = RATE_HZ * 2 // 1000
_SLIPPED_FRAMES = RATE_HZ // 1000
# Beyond this it is a stall of the device, or another device: back to the clock at once.
_JUMP_FRAMES = RATE_HZ * 30 // 1000


class DeviceTime:
    """The difference between device frames and bus frames that are heard at the same time, measured and then held.

    A position is dated too late on a busy machine, hardly ever too early, so the true difference is near the highest of
    those measured: of the last 5 s the third highest is believed.
    """

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._seen: deque[float] = deque(maxlen=_WINDOW)
        self._seen_ns = 0
        self._ahead_frames = 0.0
        self._slipping = False
        self.current_shift = 0

    def see(self, position: Position | None) -> None:
        """Take a measurement; the same one twice is taken once."""
        if position is None or abs(position.instant_ns - self._seen_ns) < _SAME_NS:
            return
        clock_frame = (position.instant_ns - self._timeline.origin_ns) * RATE_HZ / NS_PER_S
        early = len(self._seen) < _RECENT
        self._seen_ns = position.instant_ns
        self._seen.append(position.heard_frame - clock_frame)
        self._ahead_frames = position.ahead_frames
        if early:
            self.current_shift = round(max(self._seen))

    def shift(self, *, sounding: bool) -> int:
        """Return what to add to a bus frame now; while something sounds it changes by one at most, or jumps."""
        if len(self._seen) < _RECENT:
            return self.current_shift
        recent = sorted(list(self._seen)[-_RECENT:])
        believed, middle = recent[-2], recent[_RECENT // 2]
        if believed < self.current_shift - _JUMP_FRAMES or middle > self.current_shift + _JUMP_FRAMES:
            self._seen.clear()
            self._seen.extend(recent)
            self._slipping = False
            self.current_shift = round(believed)
            return self.current_shift
        error = self._believed() - self.current_shift
        if not sounding:
            if abs(error) > _FINE_FRAMES:
                self.current_shift += round(error)
            return self.current_shift
        self._slipping = abs(error) > (_SLIPPED_FRAMES if self._slipping else _SLIP_FRAMES)
        if self._slipping:
            self.current_shift += 1 if error > 0 else -1
        return self.current_shift

    def taken_frame(self, now_ns: int) -> int:
        """Return an estimate of the device frame before which nothing can be written any more."""
        clock_frame = (now_ns - self._timeline.origin_ns) * RATE_HZ / NS_PER_S
        return round(clock_frame + self._believed() + self._ahead_frames)

    def heard_ns(self, frame: int) -> int:
        """Return the instant at which device frame `frame` was or will be heard."""
        return self._timeline.origin_ns + round((frame - self._believed()) * NS_PER_S / RATE_HZ)

    def _believed(self) -> float:
        if not self._seen:
            return float(self.current_shift)
        return sorted(self._seen)[-min(3, len(self._seen))]
