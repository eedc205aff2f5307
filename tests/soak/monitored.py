"""What really stands in the recording of a sink, found apart from anything that Loa counts."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from playout.benches.soundlab import PulseServer, Recording, Samples

RATE_HZ = 48_000
_STEP = RATE_HZ // 20
_WORD = 48
_SAME_TRY = RATE_HZ // 10


@dataclass(slots=True)
class Ears:
    """Records the monitor whenever the sink is there, in one recording after the other."""

    server: PulseServer
    recordings: list[Recording] = field(default_factory=list)

    def listen(self) -> None:
        """Begin a new recording where the last one ended with its sink."""
        if self.recordings and self.recordings[-1].alive:
            return
        if self.recordings:
            self.recordings[-1].stop()
        if "horn" in self.server.sinks:
            recording = Recording("horn", environment=self.server.environment)
            recording.start()
            self.recordings.append(recording)

    def stop(self) -> None:
        """End the last recording."""
        for recording in self.recordings[-1:]:
            recording.stop()

    def drop(self, before: datetime) -> None:
        """Let go of what is older than a moment."""
        before_ns = monotonic_ns(before)
        for recording in self.recordings:
            if recording.end and not recording.empty:
                recording.drop(recording.position_at(before_ns))
        self.recordings = [r for r in self.recordings if r.alive or not r.empty]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What of a sound stands in the recording, bit by bit: its seconds, and when the first of it was heard."""

    seconds: float
    began_at: datetime | None


def heard(ears: Ears, sound: Samples, start: datetime, end: datetime) -> Heard:
    """Look for `sound` between two moments, apart from anything that the station counts.

    A null sink passes samples unchanged, so each short word of the recording is looked up in the sound as it is; where
    one is found, everything around it is compared sample by sample. Of several tries at the same sound the best counts.
    """
    best, began_at = 0.0, None
    whole = sound.astype("<i2").tobytes()
    tries: list[tuple[int, float, int]] = []
    for recording in ears.recordings:
        if recording.empty:
            continue
        first = max(recording.begin, recording.position_at(monotonic_ns(start)))
        piece = recording.piece(first, recording.position_at(monotonic_ns(end)))
        for origin in _origins(piece, whole, len(sound)):
            mask = _equal(piece, sound, origin)
            count = int(mask.sum())
            if count:
                # On one time line over all recordings: when sample 0 would have been heard.
                position = int(np.flatnonzero(mask)[0])
                began_ns = int(recording.instants_ns([first + position])[0])
                zero_ns = began_ns - (position - origin) * 1_000_000_000 // RATE_HZ
                tries.append((zero_ns, count / RATE_HZ, began_ns))
    for zero_ns, _, _ in tries:
        together = [one for one in tries if abs(one[0] - zero_ns) < _SAME_TRY * 1_000_000_000 // RATE_HZ]
        seconds = sum(one[1] for one in together)
        if seconds > best:
            best = seconds
    if tries:
        began_at = _wall(min(one[2] for one in tries))
    return Heard(seconds=best, began_at=began_at)


def _origins(piece: Samples, whole: bytes, length: int) -> list[int]:
    """Return where in `piece` sample 0 of the sound lies or would lie, for every stretch that is the sound."""
    found: set[int] = set()
    for at in range(0, len(piece) - _WORD, _STEP):
        word = piece[at : at + _WORD]
        if (word != 0).sum() < _WORD // 2 or any(_word_at(word, whole, at - origin) for origin in found):
            continue
        place = whole.find(word.astype("<i2").tobytes())
        if place >= 0 and place % 2 == 0:
            found.add(at - place // 2)
    return sorted(found)


def _word_at(word: Samples, whole: bytes, sample: int) -> bool:
    return sample >= 0 and whole[2 * sample : 2 * (sample + len(word))] == word.astype("<i2").tobytes()


def _equal(piece: Samples, sound: Samples, origin: int) -> npt.NDArray[np.bool_]:
    """Return for each sample of `piece` whether it is the sound's, in stretches of at least a word."""
    mask = np.zeros(len(piece), dtype=bool)
    first, last = max(0, origin), min(len(piece), origin + len(sound))
    if last <= first:
        return mask
    equal = piece[first:last] == sound[first - origin : last - origin]
    words = len(equal) // _WORD
    by_word = equal[: words * _WORD].reshape(words, _WORD)
    # Silence equals silence: a word counts only where something sounds in it.
    sounding = piece[first : first + words * _WORD].reshape(words, _WORD).any(axis=1)
    mask[first : first + words * _WORD] = np.repeat(by_word.all(axis=1) & sounding, _WORD)
    return mask


def monotonic_ns(moment: datetime) -> int:
    """Return when a moment of the wall clock is on the monotonic one."""
    return time.monotonic_ns() + round((moment - datetime.now(UTC)).total_seconds() * 1e9)


def _wall(monotonic_ns: int) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=(monotonic_ns - time.monotonic_ns()) / 1e9)
