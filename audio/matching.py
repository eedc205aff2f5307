"""Evidence of hearing: is a recording of the loudspeaker the programme that should have sounded, second by second?

Reference and recording are brought to one narrow band (`Band`), the reference is cut into segments of half a second,
and each is looked for in the recording: first everywhere in the search window, where several seconds must agree on one
offset, then only near that offset, which may drift as two clocks do. Nothing here reads files or knows of outputs.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

BAND_HZ = 8_000
"""Samples a second of the narrow band in which everything is compared."""

SEGMENT_S = 0.5
"""The grain of every judgement, seconds."""

AUDIBLE_DBFS = -40.0
"""What is quieter is silence, unless it is the programme itself (F21 of the fault catalogue)."""

Pcm = npt.NDArray[np.int16]
Wave = npt.NDArray[np.float32]

_SEGMENT = round(BAND_HZ * SEGMENT_S)
_WINDOW = BAND_HZ
_GRAIN = 400  # band samples a value of `Sound.power`
_LOW_HZ, _HIGH_HZ, _SLOPE_HZ = 300.0, 3_400.0, 120.0
_TILT = 0.5  # of the frequency: speech falls off, and without it a few low harmonics decide alone
_SIDE = 500  # band samples on each side of a block that its filter spoils
_FULL = 32_768.0

_VOTES = 6  # windows of a second, half a second apart, that agree before an offset is believed
_SPREAD = 6  # band samples by which their offsets may differ: 200 ppm over four seconds
_ACQUIRE = 0.30
_ACQUIRE_SHORT = 0.45
_AS_GOOD = 0.95
_MATCHED = 0.30
_WEAK = 0.18
_REACH = 24  # band samples around the known offset
_NEAR = 3
_FOLLOW = 0.25
_LOST_SEGMENTS = 3
_OPEN_SEGMENTS = 60
_QUIET_BELOW_MEAN = 10 ** (-15 / 10)
_SOUNDING_POWER = 10 ** (-50 / 10)
_AUDIBLE_POWER = 10 ** (AUDIBLE_DBFS / 10)
_IN_PAUSE = 10 ** (-8 / 10)  # of the loudest of the programme of late, in a pause of more than half a second
_ON_TOP = 0.7  # of the share of the energy that the programme usually explains
_USUAL = 0.7
_CLEAR_SEGMENTS = 240
_RECENT_SEGMENTS = 7
_BETWEEN = 0.10
_NO_ENERGY = 1e-9
_FIRST_OFFSETS = 5
_DRIFT_SPAN = 10 * BAND_HZ


class Judged(StrEnum):
    """What a segment of the reference was found to be in the recording; the letters make the map of a picture.

    quiet: nothing should sound, or too little to tell. mixed: found, with other sound as loud on top of it.
    sound, mute: of programmes without a reference only the level is known.
    """

    QUIET = "."
    MATCHED = "m"
    MIXED = "x"
    SILENT = "s"
    FOREIGN = "f"
    SOUND = "l"
    MUTE = "n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """A stretch of sound in the band. power: mean square of the whole sound, full scale = 1, of each 50 ms."""

    wave: Wave
    power: Wave


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """How much of a programme was found again.

    offset_ms: how much later than expected it was heard, None where it was not found. drift_ppm: how much slower than
    expected the recording runs, None for less than 10 s. share: 0..1 of the seconds that should sound and can be
    compared, None where there are none. clarity: share of the energy heard that the programme usually explains, 1 for
    a perfect copy, None where too little was found. level_dbfs: of the recording over the whole programme, -120 for
    nothing. map: one letter of `Judged` for each half second.
    """

    offset_ms: float | None
    drift_ppm: float | None
    share: float | None
    sounding_s: float
    matched_s: float
    silent_s: float
    foreign_s: float
    clarity: float | None
    level_dbfs: float
    map: str


class Band:
    """Brings samples that come in pieces of any length to the narrow band, without delay in what it returns."""

    def __init__(self, rate_hz: int) -> None:
        """rate_hz: a multiple of BAND_HZ."""
        if rate_hz % BAND_HZ:
            raise ValueError("the rate is not a multiple of 8 kHz")
        self._factor = rate_hz // BAND_HZ
        self._block = (_SEGMENT + 2 * _SIDE) * self._factor
        self._response = _response(self._block // 2 + 1, rate_hz)[: (_SEGMENT + 2 * _SIDE) // 2 + 1]
        self._waiting: list[Pcm] = [np.zeros(_SIDE * self._factor, dtype=np.int16)]
        self._count = _SIDE * self._factor

    def take(self, pcm: Pcm) -> Sound:
        """Take the next samples; return what became ready, whole segments."""
        self._waiting.append(pcm)
        self._count += len(pcm)
        if self._count < self._block:
            return _NOTHING
        samples = np.concatenate(self._waiting)
        step = _SEGMENT * self._factor
        blocks = (self._count - self._block) // step + 1
        ready = [self._convert(samples[at * step : at * step + self._block]) for at in range(blocks)]
        self._waiting = [samples[blocks * step :].copy()]
        self._count -= blocks * step
        return Sound(
            wave=np.concatenate([sound.wave for sound in ready]), power=np.concatenate([sound.power for sound in ready])
        )

    def flush(self) -> Sound:
        """Return the rest, with silence up to the end of its segment."""
        rest = self._count - _SIDE * self._factor
        if rest <= 0:
            return _NOTHING
        step = _SEGMENT * self._factor
        return self.take(np.zeros(-rest % step + _SIDE * self._factor, dtype=np.int16))

    def _convert(self, samples: Pcm) -> Sound:
        wave = samples.astype(np.float32) / np.float32(_FULL)
        spectrum = np.fft.rfft(wave)[: len(self._response)] * self._response
        narrow = np.fft.irfft(spectrum, _SEGMENT + 2 * _SIDE).astype(np.float32) / np.float32(self._factor)
        inner = wave[_SIDE * self._factor : (_SIDE + _SEGMENT) * self._factor]
        grains = inner.reshape(-1, _GRAIN * self._factor)
        power = np.einsum("ij,ij->i", grains, grains) / np.float32(grains.shape[1])
        return Sound(wave=narrow[_SIDE : _SIDE + _SEGMENT], power=power.astype(np.float32))


_NOTHING = Sound(wave=np.zeros(0, dtype=np.float32), power=np.zeros(0, dtype=np.float32))


def _response(bins: int, rate_hz: int) -> npt.NDArray[np.float32]:
    hz = np.arange(bins) * (rate_hz / 2 / (bins - 1))
    up = np.clip((hz - _LOW_HZ) / _SLOPE_HZ + 0.5, 0, 1)
    down = np.clip((_HIGH_HZ - hz) / _SLOPE_HZ + 0.5, 0, 1)
    smooth = np.sin(up * math.pi / 2) ** 2 * np.sin(down * math.pi / 2) ** 2
    return np.asarray(smooth * (hz / 1_000) ** _TILT, dtype=np.float32)


_FOUND = (Judged.MATCHED, Judged.MIXED)
_MISSED = (Judged.SILENT, Judged.FOREIGN)


@dataclass(slots=True)
class _Segment:
    """A piece of the reference: where it begins, whether it can be compared, what was found."""

    at: int
    known: bool
    sounding: bool
    power: float
    judged: Judged | None = None
    likeness: float = 0.0
    near: float = 0.0
    heard_power: float = 0.0


class _Tape:
    """Samples that are appended and forgotten from the front; positions count from the very first one."""

    def __init__(self) -> None:
        self._wave = np.zeros(4 * BAND_HZ, dtype=np.float32)
        self._power = np.zeros(4 * BAND_HZ // _GRAIN, dtype=np.float32)
        self.start = 0
        self.end = 0

    def append(self, sound: Sound) -> None:
        held, more = self.end - self.start, len(sound.wave)
        if held + more > len(self._wave):
            size = max(2 * (held + more), 4 * BAND_HZ)
            size += -size % _GRAIN
            self._wave = np.concatenate([self._wave[:held], np.zeros(size - held, dtype=np.float32)])
            self._power = np.concatenate(
                [self._power[: held // _GRAIN], np.zeros((size - held) // _GRAIN, dtype=np.float32)]
            )
        self._wave[held : held + more] = sound.wave
        self._power[held // _GRAIN : (held + more) // _GRAIN] = sound.power
        self.end += more

    def forget(self, before: int) -> None:
        """Drop what lies before a position, once it is worth moving the rest."""
        drop = (min(before, self.end) - self.start) // _GRAIN * _GRAIN
        held = self.end - self.start
        if drop > max(held - drop, 4 * BAND_HZ):
            self._wave[: held - drop] = self._wave[drop:held]
            self._power[: (held - drop) // _GRAIN] = self._power[drop // _GRAIN : held // _GRAIN]
            self.start += drop

    def wave(self, begin: int, end: int) -> Wave:
        """Return `[begin, end)`; what is not there is silence."""
        inside = self._wave[max(begin - self.start, 0) : max(min(end, self.end) - self.start, 0)]
        if len(inside) == end - begin:
            return inside
        padded = np.zeros(end - begin, dtype=np.float32)
        first = max(begin, self.start) - begin
        padded[first : first + len(inside)] = inside
        return padded

    def power(self, begin: int, end: int) -> float:
        """Return the mean power of `[begin, end)`, to 50 ms."""
        first = max((begin - self.start) // _GRAIN, 0)
        last = max((min(end, self.end) - self.start + _GRAIN - 1) // _GRAIN, 0)
        grains = self._power[first:last]
        return float(grains.mean()) if len(grains) else 0.0


class Matcher:
    """Compares one programme with what is heard while it is heard; both sides come in pieces of any length.

    early_s, late_s: how much before and after its expected time it may begin in the recording. The first sample given
    to `hear` was recorded `early_s` before the expected start. likely_ms: an offset that held before, None if none is
    known; it decides between offsets that are equally good, as of tones. clarity: `Match.clarity` of before.
    """

    def __init__(
        self, *, early_s: float = 3.0, late_s: float = 3.0, likely_ms: float | None = None, clarity: float = 0.0
    ) -> None:
        self._early = round(early_s * BAND_HZ)
        self._search = self._early + round(late_s * BAND_HZ)
        self._likely = None if likely_ms is None else self._early + likely_ms * BAND_HZ / 1_000
        self._reference = _Tape()
        self._recording = _Tape()
        self._segments: list[_Segment] = []
        self._next = 0  # the first segment that no offset was tried for
        self._votes: deque[Wave] = deque(maxlen=_VOTES)
        self._offset: float | None = None
        self._misses = 0
        self._missed_from = 0
        self._lines: list[list[tuple[int, float]]] = []
        self._clarity = clarity
        self._clear: deque[float] = deque(maxlen=_CLEAR_SEGMENTS)
        self._energies: deque[tuple[float, float]] = deque(maxlen=_RECENT_SEGMENTS)
        self._mean_power = 0.0
        self._heard_power = 0.0
        self._sounded = 0

    def expect(self, sound: Sound, *, known: bool = True) -> None:
        """Take the next part of the programme, whole segments. known: False where only its being there is known."""
        first = self._reference.end
        self._reference.append(sound)
        for at in range(first, self._reference.end, _SEGMENT):
            power = self._reference.power(at, at + _SEGMENT)
            wave = self._reference.wave(at, at + _SEGMENT)
            sounding = power > _SOUNDING_POWER and power > self._mean_power * _QUIET_BELOW_MEAN and bool(wave.any())
            if power > _SOUNDING_POWER:
                self._sounded += 1
                self._mean_power += (power - self._mean_power) / min(self._sounded, 60)
            self._segments.append(_Segment(at=at, known=known, sounding=sounding or not known, power=power))

    def hear(self, sound: Sound) -> None:
        """Take the next part of the recording and judge what can be judged."""
        self._recording.append(sound)
        self._advance(last=False)

    def finish(self, *, seconds: float | None = None) -> Match:
        """Judge the rest with what there is. seconds: where the programme was ended; what should follow is dropped."""
        if seconds is not None:
            keep = max(0, round(seconds / SEGMENT_S))
            del self._segments[keep:]
        self._advance(last=True)
        return self.match

    @property
    def offset_ms(self) -> float | None:
        """The offset of now, None while the programme is not found."""
        return None if self._offset is None else (self._offset - self._early) * 1_000 / BAND_HZ

    @property
    def judged(self) -> str:
        """The map up to now; segments that may still be found are given as what they are if they are not."""
        tried = self._segments[: self._next]
        letters = [segment.judged.value for segment in tried if segment.judged is not None]
        for at, segment in enumerate(tried[1:-1], start=1):
            # A weak syllable under noise; somebody else's half second would be less like ours still.
            if letters[at] in _MISSED and segment.near > _BETWEEN and letters[at - 1] in _FOUND:
                letters[at] = letters[at - 1] if letters[at + 1] in _FOUND else letters[at]
        return "".join(letters)

    @property
    def found(self) -> bool:
        """Whether the programme was found at any time."""
        return bool(self._lines)

    def recent(self, count: int) -> str:
        """Return the end of the map: the last segments that were judged."""
        tail = self._segments[max(0, self._next - count) : self._next]
        return "".join(segment.judged.value for segment in tail if segment.judged is not None)

    @property
    def match(self) -> Match:
        """What was found up to now."""
        letters = self.judged
        matched = letters.count(Judged.MATCHED) + letters.count(Judged.MIXED)
        silent, foreign = letters.count(Judged.SILENT), letters.count(Judged.FOREIGN)
        tried = self._segments[: self._next]
        sounding = sum(1 for segment in tried if segment.known and segment.sounding)
        power = sum(segment.heard_power for segment in tried) / max(len(tried), 1)
        mute = letters.count(Judged.MUTE)
        return Match(
            offset_ms=self._first_offset_ms(),
            drift_ppm=self._drift_ppm(),
            share=matched / sounding if sounding else None,
            sounding_s=sounding * SEGMENT_S,
            matched_s=matched * SEGMENT_S,
            silent_s=(silent + mute) * SEGMENT_S,
            foreign_s=(foreign + letters.count(Judged.MIXED)) * SEGMENT_S,
            clarity=None if self._usual is None else round(self._usual, 3),
            level_dbfs=round(max(-120.0, 10 * math.log10(power)) if power > 0 else -120.0, 1),
            map=letters,
        )

    # Walking along

    def _advance(self, *, last: bool) -> None:
        while self._step(last=last):
            pass
        if last and self._offset is None and self._votes:
            self._elect(_ACQUIRE_SHORT)
        oldest = max(0, self._next - _OPEN_SEGMENTS - 1) * _SEGMENT
        self._reference.forget(oldest)
        self._recording.forget(oldest)

    def _step(self, *, last: bool) -> bool:
        """Judge one more segment; False where the recording does not reach far enough yet."""
        if self._next >= len(self._segments):
            return False
        segment = self._segments[self._next]
        offset = self._offset
        needed = self._search + _WINDOW if offset is None else math.ceil(offset) + _REACH + _SEGMENT
        if not last and self._recording.end < segment.at + needed:
            return False
        self._next += 1
        if offset is None:
            self._judge_unfound(segment)
            if segment.known and segment.sounding:
                self._vote(segment.at)
            return True
        self._follow(segment, offset)
        if self._misses >= _LOST_SEGMENTS:
            # What was missed is looked for everywhere too: a jump of the recording is found before it alarms anybody.
            self._next = self._missed_from
            self._offset = None
            self._votes.clear()
        return True

    def _follow(self, segment: _Segment, offset: float) -> None:
        """Judge a segment where it should be, and follow the offset as it drifts."""
        found = self._judge(segment, offset)
        if found is not None:
            self._misses = 0
            self._offset = offset + _FOLLOW * (found - offset)
            self._lines[-1].append((segment.at, found))
        elif segment.known and segment.sounding:
            self._missed_from = self._missed_from if self._misses else self._next - 1
            self._misses += 1

    # Looking everywhere

    def _vote(self, at: int) -> None:
        """Note how alike a second of the reference is to the recording at every offset; elect one when enough did."""
        wanted = self._reference.wave(at, at + _WINDOW)
        heard = self._recording.wave(at, at + _WINDOW + self._search)
        votes = _likeness(heard, wanted)
        widened = votes.copy()
        for by in range(1, _SPREAD // 2 + 1):
            np.maximum(widened[by:], votes[:-by], out=widened[by:])
            np.maximum(widened[:-by], votes[by:], out=widened[:-by])
        self._votes.append(widened)
        if len(self._votes) == _VOTES:
            self._elect(_ACQUIRE)

    def _elect(self, enough: float) -> None:
        total = np.mean(np.stack(self._votes), axis=0)
        best = int(np.argmax(total))
        if total[best] < enough:
            return
        if self._likely is not None:
            near = round(self._likely)
            first = max(0, near - _REACH)
            close = total[first : near + _REACH]
            if len(close) and close.max() >= _AS_GOOD * total[best]:
                best = first + int(np.argmax(close))
        self._lock(float(best))

    def _lock(self, offset: float) -> None:
        """Believe in an offset: what was left open is judged there, from the newest backwards as the offset drifts."""
        self._votes.clear()
        self._misses = 0
        self._offset = offset
        self._lines.append([])
        newest: float | None = None
        for segment in reversed(self._segments[max(0, self._next - _OPEN_SEGMENTS) : self._next]):
            if segment.judged in _FOUND:
                break
            found = self._judge(segment, offset)
            if found is not None:
                offset += _FOLLOW * (found - offset)
                self._lines[-1].append((segment.at, found))
                newest = found if newest is None else newest
        self._offset = self._offset if newest is None else newest

    # Judging

    def _judge(self, segment: _Segment, offset: float) -> float | None:
        """Judge a segment at an offset; return its own offset where it was found."""
        middle = round(offset)
        begin = segment.at + middle
        segment.heard_power = self._recording.power(begin, begin + _SEGMENT)
        if not segment.known or not segment.sounding:
            self._judge_level(segment)
            if segment.known and self._sounds_in_pause(segment):
                segment.judged = Judged.FOREIGN
            return None
        wanted = self._reference.wave(segment.at, segment.at + _SEGMENT)
        heard = self._recording.wave(begin - _REACH, begin + _SEGMENT + _REACH)
        likeness = _likeness_near(heard, wanted)
        best = int(np.argmax(likeness))
        segment.near = float(likeness[_REACH - _NEAR : _REACH + _NEAR + 1].max())
        segment.likeness = float(likeness[best])
        if segment.likeness < _MATCHED and segment.near < _WEAK:
            segment.judged = Judged.FOREIGN if self._audible(segment) else Judged.SILENT
            return None
        energy = float(np.dot(heard[best : best + _SEGMENT], heard[best : best + _SEGMENT]))
        segment.judged = Judged.MIXED if self._something_on_top(segment.likeness**2, energy) else Judged.MATCHED
        if segment.judged is Judged.MATCHED:
            self._heard_power = max(segment.heard_power, 0.95 * self._heard_power)
        return float(middle - _REACH + best) if segment.likeness >= _MATCHED else None

    def _sounds_in_pause(self, segment: _Segment) -> bool:
        """Return whether there is sound as loud as the programme where it is quiet, and not only its echo."""
        before = segment.at // _SEGMENT - 1
        if before < 0 or self._segments[before].sounding:
            return False
        return segment.heard_power > max(_AUDIBLE_POWER, _IN_PAUSE * self._heard_power)

    def _something_on_top(self, explained: float, energy: float) -> bool:
        """Return whether for some seconds the programme explained much less of what is heard than it does otherwise."""
        self._energies.append((explained * energy, energy))
        of_programme, of_all = np.sum(self._energies, axis=0)
        clear = float(of_programme / max(of_all, _NO_ENERGY))
        if len(self._energies) == _RECENT_SEGMENTS:
            self._clear.append(clear)
        return clear < _ON_TOP * max(self._clarity, self._usual or 0.0)

    @property
    def _usual(self) -> float | None:
        return float(np.quantile(self._clear, _USUAL)) if self._clear else None

    def _judge_unfound(self, segment: _Segment) -> None:
        begin = segment.at + self._early
        segment.heard_power = self._recording.power(begin, begin + _SEGMENT)
        if segment.known and segment.sounding:
            segment.judged = Judged.FOREIGN if self._audible(segment) else Judged.SILENT
        else:
            self._judge_level(segment)

    def _judge_level(self, segment: _Segment) -> None:
        if not segment.known:
            segment.judged = Judged.SOUND if self._audible(segment) else Judged.MUTE
        else:
            segment.judged = Judged.QUIET

    @staticmethod
    def _audible(segment: _Segment) -> bool:
        return segment.heard_power > _AUDIBLE_POWER

    # Telling

    def _line(self) -> list[tuple[int, float]]:
        """Return places and offsets where the programme was followed longest without a break, in order."""
        longest: list[tuple[int, float]] = []
        for line in self._lines:
            longest = line if len(line) > len(longest) else longest
        return sorted(longest)

    def _first_offset_ms(self) -> float | None:
        line = self._line()
        if not line:
            return None
        first = float(np.median([offset for _, offset in line[:_FIRST_OFFSETS]]))
        return round((first - self._early) * 1_000 / BAND_HZ, 1)

    def _drift_ppm(self) -> float | None:
        line = self._line()
        if not line or line[-1][0] - line[0][0] < _DRIFT_SPAN:
            return None
        at, offset = np.array(line).T
        return round(float(np.polyfit(at - at[0], offset, 1)[0]) * 1e6, 1)


def _likeness(heard: Wave, wanted: Wave) -> Wave:
    """Return 0..1 for every place in `heard`: the normalised cross-correlation with `wanted`, of either polarity."""
    size = 1 << (len(heard) - 1).bit_length()
    spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(wanted, size))
    agreement = np.fft.irfft(spectrum, size)[: len(heard) - len(wanted) + 1]
    return _normalised(agreement, heard, wanted)


def _likeness_near(heard: Wave, wanted: Wave) -> Wave:
    """Do the same without a transform, for few places."""
    return _normalised(np.correlate(heard, wanted, "valid"), heard, wanted)


def _normalised(agreement: npt.NDArray[np.floating], heard: Wave, wanted: Wave) -> Wave:
    running = np.concatenate(([0.0], np.cumsum(heard.astype(np.float64) ** 2)))
    energy = running[len(wanted) :] - running[: -len(wanted)]
    own = float(np.dot(wanted, wanted))
    likeness = np.abs(agreement) / np.sqrt(np.maximum(energy, _NO_ENERGY) * max(own, _NO_ENERGY))
    return np.asarray(likeness, dtype=np.float32)


def match(reference: Pcm, recording: Pcm, *, rate_hz: int, early_s: float = 3.0, late_s: float = 3.0) -> Match:
    """Return how much of `reference` is in `recording`, which begins `early_s` before it is expected.

    rate_hz: of both, a multiple of 8,000. Works through both in pieces, whatever their length.
    """
    matcher = Matcher(early_s=early_s, late_s=late_s)
    wanted, heard = Band(rate_hz), Band(rate_hz)
    piece = 10 * rate_hz
    for begin in range(0, max(len(reference), len(recording)), piece):
        if begin < len(reference):
            matcher.expect(wanted.take(reference[begin : begin + piece]))
            if begin + piece >= len(reference):
                matcher.expect(wanted.flush())
        if begin < len(recording):
            matcher.hear(heard.take(recording[begin : begin + piece]))
    matcher.hear(heard.flush())
    return matcher.finish()
