"""Between a source that gives as it likes and a pipe that is read by the clock: holds some, paces, measures, judges."""

from __future__ import annotations

import contextlib
import json
import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping

import numpy as np

from playout.intakes.pcmpipe import PcmPipe
from playout.source import NS_PER_S, RATE_HZ, SAMPLE_BYTES

Event = Mapping[str, object]

BLOCK = RATE_HZ // 50
DEAD_S = 5.0
"""Without anything for so long a source is dead: what is held sounds first, then two seconds at least are waited."""

SILENT_S = 20
"""So many seconds below SILENT_DBFS, one after the other, and a source is silent."""

SILENT_DBFS = -40.0
MOST_HELD_S = 30.0

_DRY_S = 2.0
_BLOCK_NS = NS_PER_S // 50
_PAUSED_NS = NS_PER_S
_QUIET_DBFS = -50.0
_TREND_S = 30
_MOST_OVER_S = 2.0
_LEAST_LEFT_S = 0.5
_LEAST_SHARE = 0.5
_FLOOR_DBFS = -96.0


class Intake:
    """One source on its way into one pipe.

    `offer` is called by whoever decodes, `run` holds its own thread. held_s: what is gathered before the first sample
    goes on; again_s: the same after a gap. fresh: what came before that is left out, for sources that give a lot at
    once. say: gets the events `flowing`, `dead`, `silent`, `back` and, each second, `level`.
    """

    def __init__(
        self,
        *,
        pipe: PcmPipe,
        say: Callable[[Event], None],
        held_s: float,
        again_s: float,
        fresh: bool,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._pipe = pipe
        self._say = say
        self._held = round(held_s * RATE_HZ)
        self._again = round(again_s * RATE_HZ)
        self._fresh = fresh
        self._monotonic_ns = monotonic_ns
        self._room = threading.Condition()
        self._chunks: deque[bytes] = deque()
        self._count = 0
        self._dry_ns = monotonic_ns()
        self._why = ("no_answer", "nothing came")
        self._state = "waiting"
        self._begun = self._giving = False
        self._second: list[np.ndarray[tuple[int], np.dtype[np.int16]]] = []
        self._blocks = 0
        self._given: deque[int] = deque(maxlen=20)
        self._lows: deque[float] = deque(maxlen=_TREND_S)
        self._low = math.inf
        self._quiet_s = 0
        self._corrected_at = 0
        self._dropped = self._inserted = 0

    def hold(self, *, held_s: float) -> None:
        """Gather so much before the first sample goes on; called before anything was offered."""
        self._held = max(self._held, round(held_s * RATE_HZ))

    def offer(self, pcm: bytes) -> None:
        """Take samples; waits while 30 s are held, so that a server that gives more has to wait too."""
        if not pcm:
            return
        with self._room:
            self._room.wait_for(lambda: self._count < MOST_HELD_S * RATE_HZ, timeout=MOST_HELD_S)
            self._chunks.append(pcm)
            self._count += len(pcm) // SAMPLE_BYTES

    def trouble(self, cause: str, detail: str) -> None:
        """Note why nothing comes at the moment, for when it is said."""
        self._why = (cause, detail)

    def run(self, stopping: threading.Event) -> None:
        """Give a block to the pipe every 20 ms until `stopping` is set."""
        # What a child before this one left there is old.
        self._pipe.empty()
        due_ns = self._dry_ns = self._monotonic_ns()
        while not stopping.is_set():
            now_ns = self._monotonic_ns()
            if now_ns - due_ns > _PAUSED_NS:
                # Was stopped for a while: what was due then is over, and nobody could have given anything.
                due_ns = self._dry_ns = now_ns
            while due_ns <= now_ns:
                self.step(now_ns)
                due_ns += _BLOCK_NS
            stopping.wait(max(0.0, (due_ns - self._monotonic_ns()) / NS_PER_S))

    def step(self, now_ns: int) -> None:
        """Give the next block, and after every fifty say how it stands."""
        self._begin()
        pcm = self._next() if self._giving else b""
        if pcm:
            self._pipe.write(pcm)
            self._second.append(np.frombuffer(pcm, dtype="<i2"))
        self._judge_life(now_ns)
        self._blocks += 1
        if self._blocks % 50 == 0:
            self._tell_second()

    def _begin(self) -> None:
        if self._giving or self._count < (self._again if self._begun else self._held) or not self._count:
            return
        if self._fresh and not self._begun:
            with self._room:
                self._take(self._count - self._held)
        self._begun = self._giving = True
        if self._state == "waiting":
            self._turn("flowing")
        elif self._state == "dead":
            self._turn("back")

    def _next(self) -> bytes:
        """Return the next block; fewer samples where no more are there, none where silence was put in between."""
        with self._room:
            held_s = self._count / RATE_HZ
            self._low = min(self._low, held_s)
            pcm = self._take(BLOCK)
            self._room.notify()
        if len(pcm) < BLOCK * SAMPLE_BYTES:
            self._giving = False
            return pcm
        if len(self._lows) == _TREND_S and self._blocks - self._corrected_at >= 25:
            return self._corrected(pcm)
        return pcm

    def _corrected(self, pcm: bytes) -> bytes:
        """Let the source's clock and ours meet: in a pause, leave a block out or say it twice."""
        least_s = min(self._lows)
        over = least_s > self._held / RATE_HZ + _MOST_OVER_S
        under = least_s < _LEAST_LEFT_S * min(1.0, self._held / RATE_HZ)
        if not (over or under) or _dbfs(np.frombuffer(pcm, dtype="<i2")) > _QUIET_DBFS:
            return pcm
        self._corrected_at = self._blocks
        if over:
            self._dropped += BLOCK
            with self._room:
                return self._take(BLOCK)
        self._inserted += BLOCK
        with self._room:
            self._chunks.appendleft(pcm)
            self._count += BLOCK
        return pcm

    def _take(self, samples: int) -> bytes:
        parts: list[bytes] = []
        wanted = samples * SAMPLE_BYTES
        while wanted > 0 and self._chunks:
            chunk = self._chunks.popleft()
            if len(chunk) > wanted:
                self._chunks.appendleft(chunk[wanted:])
                chunk = chunk[:wanted]
            wanted -= len(chunk)
            parts.append(chunk)
        taken = b"".join(parts)
        self._count -= len(taken) // SAMPLE_BYTES
        return taken

    def _judge_life(self, now_ns: int) -> None:
        if self._giving:
            self._dry_ns = now_ns
        # Not the last sample that came: what a decoder gives when it is closed is no sign of life.
        patience_s = max(_DRY_S, DEAD_S - self._held / RATE_HZ) if self._begun else DEAD_S
        if self._state != "dead" and now_ns - self._dry_ns >= patience_s * NS_PER_S:
            self._die(*self._why)

    def _die(self, cause: str, detail: str) -> None:
        self._pipe.empty()
        self._quiet_s = 0
        self._given.clear()
        self._turn("dead", cause=cause, detail=detail)

    def _tell_second(self) -> None:
        sound = np.concatenate(self._second) if self._second else np.zeros(0, dtype=np.int16)
        self._second = []
        rms, peak = _dbfs(sound), _peak_dbfs(sound)
        if math.isfinite(self._low):
            self._lows.append(self._low)
        self._low = math.inf
        self._judge_sound(rms, len(sound))
        self._say(
            {
                "event": "level",
                "rms_dbfs": round(rms, 1),
                "peak_dbfs": round(peak, 1),
                "held_s": round(self._count / RATE_HZ, 2),
                "dropped": self._dropped,
                "inserted": self._inserted,
            }
        )

    def _judge_sound(self, rms_dbfs: float, samples: int) -> None:
        if self._state == "dead" or not self._begun:
            return
        self._given.append(samples)
        if len(self._given) == self._given.maxlen and sum(self._given) < _LEAST_SHARE * RATE_HZ * len(self._given):
            self._giving = False
            self._die("stalled", "less than half of the sound comes in time")
            return
        if samples == 0:
            return
        self._quiet_s = self._quiet_s + 1 if rms_dbfs < SILENT_DBFS else 0
        if self._quiet_s >= SILENT_S and self._state != "silent":
            self._turn("silent")
        elif self._quiet_s == 0 and self._state == "silent":
            self._turn("back")

    def _turn(self, event: str, **more: object) -> None:
        self._state = "flowing" if event == "back" else event
        self._say({"event": event, **more})


class Voice:
    """Says events on standard output as JSON lines; what nobody reads is left out, so that the sound never waits."""

    def __init__(self, descriptor: int = 1) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()
        os.set_blocking(descriptor, False)

    def say(self, event: Event) -> None:
        """Say one event; from any thread."""
        # Shorter than what a pipe takes whole or not at all.
        line = json.dumps(event).encode()[:4_000] + b"\n"
        with self._lock, contextlib.suppress(BlockingIOError, BrokenPipeError):
            os.write(self._descriptor, line)


def end_with_parent(stopping: threading.Event, descriptor: int = 0) -> None:
    """Set `stopping` when standard input ends: the parent has gone, or wants no more."""

    def wait() -> None:
        while os.read(descriptor, 4_096):
            pass
        stopping.set()

    threading.Thread(target=wait, name="parent", daemon=True).start()


def _dbfs(pcm: np.ndarray[tuple[int], np.dtype[np.int16]]) -> float:
    if not len(pcm):
        return _FLOOR_DBFS
    power = float(np.mean(np.square(pcm, dtype=np.float64))) / 32_768.0**2
    return max(_FLOOR_DBFS, 10 * math.log10(power)) if power else _FLOOR_DBFS


def _peak_dbfs(pcm: np.ndarray[tuple[int], np.dtype[np.int16]]) -> float:
    highest = int(np.abs(pcm.astype(np.int32)).max(initial=0))
    return 20 * math.log10(highest / 32_768) if highest else _FLOOR_DBFS
