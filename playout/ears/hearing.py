"""What one ear makes of what it hears: each airing compared with its programme, and alarms for what should not be."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from audio.matching import AUDIBLE_DBFS, SEGMENT_S, Band, Judged, Match, Matcher
from playout.ears.earstream import EAR_HZ, EarStream
from playout.ears.heardfiles import HeardFile
from playout.ears.reference import Reference
from playout.player.pieces import Piece, length
from playout.source import NS_PER_S, RATE_HZ
from schedules.errors import SegmentUnplayable

Event = Mapping[str, object]
Pcm = npt.NDArray[np.int16]

EARLY_S = 3.0
"""How much before and after its time an airing is looked for; later where the ear itself is later."""

DEAF_S = 3.0
"""An ear from which nothing comes for so long is lost."""

_AHEAD_S = 10.0
_TOLD_NS = 5 * NS_PER_S
_FILE_BEFORE_S = 1.0
_AFTER_S = 1.3
_LONGEST_WAIT_S = 8.0
_MOST_DEAF = 0.05
_LEAST_SOUNDING_S = 3.0
_MONITOR_CLARITY = 0.9
_GOOD = 0.9

_WINDOW = 14  # segments that should sound, the newest
_BAD = 12
_FOREIGN_AT_LEAST = 4
_CLEAR_WINDOW, _CLEAR_BAD = 8, 2
_MUTE = 40
_TAIL = 60
_STRANGE = (Judged.FOREIGN, Judged.MIXED)
_NOTHING = (Judged.SILENT, Judged.MUTE)

_HALF = round(EAR_HZ * SEGMENT_S)
_AUDIBLE = 10 ** (AUDIBLE_DBFS / 10) * 32_768.0**2
_LOUD_WINDOW, _LOUD = 14, 10
_QUIET_WINDOW, _QUIET_LOUD = 20, 2
_BEFORE_NS = 2 * NS_PER_S
_AFTERSOUND_S = 1.5


@dataclass(slots=True)
class _Airing:
    """One airing that is listened to."""

    airing: str
    reference: Reference
    matcher: Matcher
    start_ns: int
    seconds: float
    end_ns: int
    file: HeardFile | None
    band: Band = field(default_factory=lambda: Band(EAR_HZ))
    begin: int | None = None
    fed: int = 0
    told_ns: int = 0
    deaf_s: float = 0.0
    problem: str | None = None


class Hearing:
    """Everything about one output's ear but the device itself. For one thread.

    source: the ear's device, for the record. delay_s: how much later than the output it hears at most. folder: where
    recordings go, None for none. wall: the wall time of a CLOCK_MONOTONIC instant, for their names.
    """

    def __init__(
        self,
        *,
        output: str,
        source: str,
        delay_s: float,
        folder: Path | None,
        say: Callable[[Event], None],
        wall: Callable[[int], datetime],
    ) -> None:
        self._output = output
        self._source = source
        self._monitor = source.endswith(".monitor")
        self._delay_s = delay_s
        self._late_s = max(EARLY_S, delay_s + 1.0)
        self._folder = folder
        self._say = say
        self._wall = wall
        self._stream = EarStream(monitor=self._monitor)
        self._airings: list[_Airing] = []
        self._past: deque[tuple[int, int]] = deque(maxlen=50)
        self._tail = ""
        self._alarm: str | None = None
        self._levelled = 0
        self._loud: deque[bool] = deque(maxlen=_QUIET_WINDOW)
        self._lost: str | None = "not opened"
        self._heard_ns: int | None = None
        # From ever on, until it is heard for the first time.
        self._deaf_since_ns: int | None = 0
        self._quiet_until_ns = 0
        self._told = ("", "")
        self._opening_ns: int | None = None
        self._likely_ms: float | None = 0.0 if self._monitor else None
        self._clarity = _MONITOR_CLARITY if self._monitor else 0.0

    # What comes in

    def hear(self, pcm: Pcm, now_ns: int) -> None:
        """Take what the ear gave at an instant."""
        self._stream.take(pcm, now_ns)
        self._heard_ns = now_ns
        if self._lost is not None:
            self._lost = None
            self._regain(now_ns)

    def lose(self, detail: str, now_ns: int) -> None:
        """Note that the ear gives nothing, and why."""
        if self._lost is None and self._heard_ns is not None:
            self._deaf_since_ns = self._heard_ns
        self._lost = detail

    def expect(self, airing: str, pieces: tuple[Piece, ...], *, from_sample: int, start_ns: int) -> None:
        """Listen to an airing that begins at an instant, past by some seconds or to come."""
        self.over(airing, ended_ns=start_ns)
        seconds = max(0, length(pieces) - from_sample) / RATE_HZ
        matcher = Matcher(early_s=EARLY_S, late_s=self._late_s, likely_ms=self._likely_ms, clarity=self._clarity)
        file = None
        if self._folder is not None:
            file = HeardFile(self._folder, start=self._wall(start_ns), airing=airing)
        self._airings.append(
            _Airing(
                airing=airing,
                reference=Reference(pieces, from_sample=from_sample),
                matcher=matcher,
                start_ns=start_ns,
                seconds=seconds,
                end_ns=start_ns + round(seconds * NS_PER_S),
                file=file,
            )
        )

    def over(self, airing: str, *, ended_ns: int) -> None:
        """Note when an airing ended; what was expected of it later is not expected any more."""
        for one in self._airings:
            if one.airing == airing:
                one.end_ns = min(one.end_ns, max(ended_ns, one.start_ns))

    def step(self, now_ns: int) -> None:
        """Judge what was heard, and tell what is new. A few times a second."""
        if self._heard_ns is not None and self._lost is None and now_ns - self._heard_ns > DEAF_S * NS_PER_S:
            self.lose("nothing comes from it", now_ns)
        for one in list(self._airings):
            self._listen(one, now_ns)
            if self._complete(one, now_ns):
                self._conclude(one, now_ns)
        self._watch_idle(now_ns)
        self._judge(now_ns)
        self._opening_ns = self._opening_ns or now_ns
        # A device takes a moment to open, which is no loss of it.
        if self._heard_ns is not None or now_ns - self._opening_ns > DEAF_S * NS_PER_S:
            self._tell_state()

    # Airings

    def _listen(self, one: _Airing, now_ns: int) -> None:
        if self._stream.empty or now_ns < one.start_ns - round(EARLY_S * NS_PER_S):
            return
        if one.begin is None:
            one.begin = one.fed = self._stream.position_at(one.start_ns) - round(EARLY_S * EAR_HZ)
            if one.file is not None:
                one.file.open()
        self._read_reference(one, until_s=(now_ns - one.start_ns) / NS_PER_S + _AHEAD_S)
        if self._stream.end <= one.fed:
            return
        pcm = self._stream.samples(one.fed, self._stream.end)
        if one.file is not None:
            first = one.begin + round((EARLY_S - _FILE_BEFORE_S) * EAR_HZ)
            one.file.write(pcm[max(0, first - one.fed) :])
        one.fed = self._stream.end
        one.matcher.hear(one.band.take(pcm))
        if now_ns - max(one.told_ns, one.start_ns) > _TOLD_NS:
            one.told_ns = now_ns
            self._tell(one, one.matcher.match, final=False)

    def _read_reference(self, one: _Airing, *, until_s: float) -> None:
        if one.problem is not None:
            return
        try:
            for sound, known in one.reference.read(until_s=until_s):
                one.matcher.expect(sound, known=known)
        except SegmentUnplayable as error:
            one.problem = error.findings[0].code
        except soundfile.LibsndfileError:
            one.problem = "decode"

    def _complete(self, one: _Airing, now_ns: int) -> bool:
        offset_ms = one.matcher.offset_ms
        after_s = (self._late_s if offset_ms is None else max(0.0, offset_ms / 1_000)) + _AFTER_S
        if now_ns > one.end_ns + round((self._late_s + _LONGEST_WAIT_S) * NS_PER_S):
            return True
        if one.begin is None or now_ns < one.end_ns:
            return False
        end = one.begin + round(EARLY_S * EAR_HZ) + (one.end_ns - one.start_ns) * EAR_HZ // NS_PER_S
        return one.fed >= end + round(after_s * EAR_HZ)

    def _conclude(self, one: _Airing, now_ns: int) -> None:
        self._airings.remove(one)
        if self._lost is not None and self._deaf_since_ns is not None:
            one.deaf_s += max(0, one.end_ns - max(self._deaf_since_ns, one.start_ns)) / NS_PER_S
        self._past.append((one.start_ns, one.end_ns))
        found = one.matcher.finish(seconds=(one.end_ns - one.start_ns) / NS_PER_S)
        self._tail = telling(self._tail + found.map[-_TAIL:])[-_TAIL:]
        if found.share is not None and found.share >= _GOOD and found.clarity is not None:
            self._likely_ms, self._clarity = found.offset_ms, found.clarity
        self._tell(one, found, final=True)

    def _tell(self, one: _Airing, found: Match, *, final: bool) -> None:
        planned_s = max((one.end_ns - one.start_ns) / NS_PER_S, SEGMENT_S)
        deaf = one.begin is None or one.deaf_s > _MOST_DEAF * planned_s
        # Too little to vote on a place: that it was not found says nothing.
        short = found.offset_ms is None and found.silent_s < found.sounding_s < _LEAST_SOUNDING_S
        problem = one.problem or ("too_short" if short else None)
        event: dict[str, object] = {
            "event": "heard",
            "airing": one.airing,
            "output": self._output,
            "source": self._source,
            "final": final,
            "start_ns": one.start_ns,
            "end_ns": one.end_ns,
            "offset_ms": found.offset_ms,
            "share": None if deaf or problem is not None else found.share,
            "sounding_s": found.sounding_s,
            "matched_s": found.matched_s,
            "silent_s": max(0.0, round(found.silent_s - one.deaf_s, 1)),
            "foreign_s": 0.0 if short else found.foreign_s,
            "deaf_s": round(planned_s if one.begin is None else one.deaf_s, 1),
            "level_dbfs": found.level_dbfs,
            "problem": problem,
        }
        if final:
            event["map"] = found.map
            sha256 = one.file.close() if one.file is not None else None
            event["files"] = [{"name": one.file.name, "sha256": sha256}] if one.file is not None and sha256 else []
        self._say(event)

    # Alarms

    def _judge(self, now_ns: int) -> None:
        active = [one for one in self._airings if one.matcher.recent(1)]
        if not active:
            if not self._covered(now_ns) and self._alarm in ("silent", "foreign"):
                self._clear()
            return
        letters = self._tail
        for one in active:
            letters += telling(one.matcher.recent(_TAIL))
        if now_ns < self._quiet_until_ns or self._lost is not None:
            return
        kind = wrong(letters)
        if kind is not None:
            bad = len(letters) - len(letters.rstrip("".join((*_STRANGE, *_NOTHING))))
            self._raise(kind, now_ns - round(max(bad, 1) * SEGMENT_S * NS_PER_S))
        elif self._alarm in ("silent", "foreign") and _well(letters):
            self._clear()

    def _watch_idle(self, now_ns: int) -> None:
        """Look for sound while nothing should sound."""
        if self._stream.empty:
            return
        self._levelled = max(self._levelled, self._stream.start)
        while self._levelled + _HALF <= self._stream.end:
            position, self._levelled = self._levelled, self._levelled + _HALF
            if self._covered(self._stream.instant_at(position)):
                self._loud.clear()
                if self._alarm == "unscheduled":
                    self._clear()
                continue
            wave = self._stream.samples(position, position + _HALF).astype(np.float32)
            self._loud.append(float(np.mean(wave**2)) > _AUDIBLE)
        recent = list(self._loud)
        if sum(recent[-_LOUD_WINDOW:]) >= _LOUD:
            self._raise("unscheduled", now_ns - round(len(recent) * SEGMENT_S * NS_PER_S))
        elif self._alarm == "unscheduled" and len(recent) == _QUIET_WINDOW and sum(recent) <= _QUIET_LOUD:
            self._clear()

    def _covered(self, instant_ns: int) -> bool:
        """Return whether something should be heard at an instant, or may be by the delay of the ear."""
        after_ns = round((self._delay_s + _AFTERSOUND_S) * NS_PER_S)
        spans = [*self._past, *((one.start_ns, one.end_ns) for one in self._airings)]
        return any(start - _BEFORE_NS <= instant_ns <= end + after_ns for start, end in spans)

    def _raise(self, kind: str, since_ns: int) -> None:
        if self._alarm != kind:
            self._alarm = kind
            self._say({"event": "alarm", "output": self._output, "kind": kind, "since_ns": since_ns})

    def _clear(self) -> None:
        self._say({"event": "clear", "output": self._output, "kind": self._alarm})
        self._alarm = None
        self._tail = ""

    # The ear itself

    def _regain(self, now_ns: int) -> None:
        since_ns, self._deaf_since_ns = self._deaf_since_ns, None
        if since_ns is None:
            return
        for one in self._airings:
            one.deaf_s += max(0, min(now_ns, one.end_ns) - max(since_ns, one.start_ns)) / NS_PER_S
        # The gap is silence in the stream, and nobody knows what was heard then.
        self._quiet_until_ns = now_ns + round(_WINDOW * SEGMENT_S * NS_PER_S) + 2 * NS_PER_S

    def _tell_state(self) -> None:
        if self._lost is not None:
            told = ("lost", self._lost)
        elif self._alarm is not None:
            told = (self._alarm, self._source)
        else:
            told = ("matching" if any(one.begin is not None for one in self._airings) else "hearing", self._source)
        if told != self._told:
            self._told = told
            self._say({"event": "ear", "output": self._output, "state": told[0], "detail": told[1]})


def telling(letters: str) -> str:
    """Return what says something about right and wrong."""
    return letters.replace(Judged.QUIET, "")


def wrong(letters: str) -> str | None:
    """Return `foreign` or `silent` where the newest segments are that; letters as in Match.map, without quiet ones."""
    window = letters[-_WINDOW:]
    strange = sum(letter in _STRANGE for letter in window)
    if strange + window.count(Judged.SILENT) >= _BAD:
        return "foreign" if strange >= _FOREIGN_AT_LEAST else "silent"
    if len(letters) >= _MUTE and all(letter in _NOTHING for letter in letters[-_MUTE:]):
        return "silent"
    return None


def _well(letters: str) -> bool:
    window = letters[-_CLEAR_WINDOW:]
    return sum(letter in (*_STRANGE, *_NOTHING) for letter in window) <= _CLEAR_BAD
