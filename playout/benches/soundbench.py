"""Benchmarks of one player on a real sound server: starts, joins, an hour on air, and what it costs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import psutil

from playout.benches.bench import Figures, cpu_s, spread
from playout.benches.soundlab import Recording, Samples
from playout.benches.studio import AHEAD_S, SINK, noise, studio
from playout.source import NS_PER_S, RATE_HZ

_SAME = 0.9
_ORDERED_AHEAD_NS = 5 * NS_PER_S
_ITEM_S = 30.0


def start(n: int) -> Figures:
    """Start error against the monitor's recording, in ms, of `n` short items at odd times, on one open player."""
    rng = np.random.default_rng(1)
    with studio() as stage, stage.server.recording(SINK) as recording:
        listening = _Listening(recording)
        first_ns = stage.after(AHEAD_S + _ORDERED_AHEAD_NS / NS_PER_S)
        for number in range(n):
            start_ns = first_ns + round((0.5 * number + rng.uniform(0, 0.15)) * NS_PER_S)
            stage.wait_until_instant(start_ns - _ORDERED_AHEAD_NS)
            sound = noise(rng, 0.3)
            stage.arm(str(number), sound, start_ns=start_ns)
            listening.expect(sound, start_ns)
            listening.look()
        stage.wait_for_ends(n)
        listening.finish()
    return {
        "start_error_ms": spread(listening.errors_ms),
        "absolute_start_error_ms": spread([abs(error) for error in listening.errors_ms]),
        "not_found": listening.not_found,
        "bit_exact": stage.bit_exact,
        "stand_ins": stage.stand_ins,
        "not_whole": stage.troubles,
        "target": "median of the absolute error <= 1, p99 <= 20, with three busy loops (--busy 3)",
    }


def join(n: int) -> Figures:
    """Samples between `n` pairs of joined short items in the monitor's recording; negative would be an overlap."""
    rng = np.random.default_rng(2)
    with studio() as stage, stage.server.recording(SINK) as recording:
        first_ns = due_ns = stage.after(AHEAD_S)
        listening = _Listening(recording)
        for number in range(n + 1):
            stage.wait_until_instant(due_ns - _ORDERED_AHEAD_NS)
            sound = noise(rng, 0.5 + number % 7 / 50)
            stage.arm(str(number), sound, start_ns=first_ns, after=str(number - 1) if number else None)
            listening.expect(sound, due_ns)
            listening.look()
            due_ns += len(sound) * NS_PER_S // RATE_HZ
        stage.wait_for_ends(n + 1)
        listening.finish()
    return {
        "gap_samples": spread([float(gap) for gap in listening.gaps]),
        "joins_with_a_gap": sum(gap != 0 for gap in listening.gaps),
        "not_found": listening.not_found,
        "samples_that_differ_in_the_recording": listening.different,
        "bit_exact": stage.bit_exact,
        "stand_ins": stage.stand_ins,
        "not_whole": stage.troubles,
        "target": "0 samples",
    }


def hour(n: int) -> Figures:
    """Continuous playing for `n` minutes in real time: holes, start errors all along, memory of the player."""
    rng = np.random.default_rng(8)
    items = max(2, round(n * 60 / _ITEM_S))
    resident_mb = []
    with studio(aircheck=True) as stage, stage.server.recording(SINK) as recording:
        process = psutil.Process(stage.pid)
        first_ns = due_ns = stage.after(AHEAD_S)
        listening = _Listening(recording)
        for number in range(items):
            stage.wait_until_instant(due_ns - _ORDERED_AHEAD_NS)
            sound = noise(rng, _ITEM_S)
            stage.arm(str(number), sound, start_ns=first_ns, after=str(number - 1) if number else None)
            listening.expect(sound, due_ns)
            listening.look()
            resident_mb.append(process.memory_info().rss / 1e6)
            due_ns += len(sound) * NS_PER_S // RATE_HZ
        stage.wait_for_ends(items, timeout_s=120.0)
        listening.finish()
        resident_mb.append(process.memory_info().rss / 1e6)
    return {
        "minutes": round(items * _ITEM_S / 60, 1),
        "holes_counted_by_the_player": stage.holes,
        "seconds_in_holes": round(stage.hole_s, 3),
        "silent_samples_in_the_recording": listening.silent,
        "samples_that_differ_in_the_recording": listening.different,
        "gap_samples": spread([float(gap) for gap in listening.gaps]),
        "start_error_ms": spread(listening.errors_ms),
        "start_error_ms_at_the_end": round(listening.errors_ms[-1], 3) if listening.errors_ms else None,
        "not_found": listening.not_found,
        "bit_exact": stage.bit_exact,
        "stand_ins": stage.stand_ins,
        "not_whole": stage.troubles,
        "resident_mb": {
            # The first minute fills libvlc's and Python's own pools.
            "after_a_minute": round(resident_mb[min(2, len(resident_mb) - 1)], 1),
            "in_the_middle": round(resident_mb[len(resident_mb) // 2], 1),
            "at_the_end": round(resident_mb[-1], 1),
        },
        "target": "no hole of ours, the last start as good as the first, memory flat",
    }


def player(n: int) -> Figures:
    """What one player on air costs over `n` seconds: resident memory, and CPU in per cent of one core."""
    rng = np.random.default_rng(4)
    with studio(aircheck=True) as stage:
        sound = noise(rng, n + 2.0)
        start_ns = stage.after(AHEAD_S)
        stage.arm("a", sound, start_ns=start_ns)
        stage.wait_until_instant(start_ns + NS_PER_S)
        process = psutil.Process(stage.pid)
        writers = process.children()
        before, writers_before = cpu_s(process), sum(map(cpu_s, writers))
        begun = time.monotonic()
        resident: list[float] = []
        while time.monotonic() - begun < n:
            resident.append(process.memory_info().rss / 1e6)
            time.sleep(0.25)
        took_s = time.monotonic() - begun
        cpu = 100 * (cpu_s(process) - before) / took_s
        writers_cpu = 100 * (sum(map(cpu_s, writers)) - writers_before) / took_s
        writers_mb = [writer.memory_info().rss / 1e6 for writer in writers]
        stage.wait_for_ends(1)
    return {
        "resident_mb_max": round(max(resident), 1),
        "cpu_percent": round(cpu, 2),
        "aircheck_cpu_percent": round(writers_cpu, 2),
        "aircheck_resident_mb": [round(megabytes, 1) for megabytes in writers_mb],
        "bit_exact": stage.bit_exact,
        "stand_ins": stage.stand_ins,
        "not_whole": stage.troubles,
        "target": "resident <= 80, CPU <= 5, without the aircheck's own process",
    }


def kill(n: int) -> Figures:
    """Seconds of silence in the monitor's recording when the player is killed in mid item and started again.

    The parent here does the least that a parent can: at the exit it starts a new player, which goes on at the place
    where the clock will be.
    """
    rng = np.random.default_rng(3)
    silences_s, errors_ms = [], []
    for _ in range(n):
        with studio() as stage, stage.server.recording(SINK) as recording:
            sound = noise(rng, 6.0)
            start_ns = stage.after(AHEAD_S)
            stage.arm("a", sound, start_ns=start_ns)
            stage.wait_until_instant(start_ns + round(rng.uniform(1.0, 2.0) * NS_PER_S))
            stage.kill_and_go_on("a", start_ns=start_ns)
            recording.wait_for(start_ns + 6 * NS_PER_S)
            first = recording.position_at(start_ns)
            silences_s.append(longest_silence(recording.piece(first, first + len(sound))) / RATE_HZ)
            late = sound[5 * RATE_HZ : 5 * RATE_HZ + RATE_HZ // 2]
            heard_ns = int(recording.instants_ns([recording.find(late).position])[0])
            errors_ms.append((heard_ns - start_ns) / 1e6 - 5000)
    return {
        "silence_s": spread(silences_s),
        "position_error_ms": spread(errors_ms),
        "target": "p99 of the silence <= 1",
    }


BENCHMARKS: Mapping[str, Callable[[int], Figures]] = {
    "start": start,
    "join": join,
    "hour": hour,
    "kill": kill,
    "player": player,
}


def longest_silence(samples: Samples) -> int:
    """Return the length of the longest run of zeros between sounds, in samples."""
    sounding = np.flatnonzero(samples)
    if len(sounding) < 2:
        return len(samples)
    return int(np.diff(sounding).max()) - 1


@dataclass(slots=True)
class _Listening:
    """Looks for one sound after the other in a recording that grows, and lets go of what it has looked at.

    silent, different: samples that were zero, and those that were not the file's, between the first and the last of
    a sound. gaps: samples between each sound and the one before it.
    """

    recording: Recording
    errors_ms: list[float] = field(default_factory=list)
    gaps: list[int] = field(default_factory=list)
    not_found: int = 0
    silent: int = 0
    different: int = 0
    _waiting: list[tuple[Samples, int]] = field(default_factory=list)
    _end: int | None = None

    def expect(self, sound: Samples, due_ns: int) -> None:
        """Wait for `sound`, whose first sample is due at an instant."""
        self._waiting.append((sound, due_ns))

    def look(self) -> None:
        """Look at whatever is over since a second."""
        while self._waiting:
            sound, due_ns = self._waiting[0]
            if time.monotonic_ns() < due_ns + len(sound) * NS_PER_S // RATE_HZ + NS_PER_S:
                return
            self._waiting.pop(0)
            self._look_at(sound, due_ns)

    def finish(self) -> None:
        """Look at everything that is left, when it is over."""
        while self._waiting:
            sound, due_ns = self._waiting[-1]
            self.recording.wait_for(due_ns + len(sound) * NS_PER_S // RATE_HZ + NS_PER_S)
            self.look()

    def _look_at(self, sound: Samples, due_ns: int) -> None:
        around = self.recording.position_at(due_ns)
        beginning = sound[: RATE_HZ // 2]
        from_sample = max(0, around - RATE_HZ // 4)
        match = self.recording.find(beginning, start=from_sample, end=around + len(beginning) + RATE_HZ // 4)
        self.recording.drop(from_sample)
        if match.likeness < _SAME:
            self.not_found += 1
            self._end = None
            return
        heard_ns = int(self.recording.instants_ns([match.position])[0])
        self.errors_ms.append((heard_ns - due_ns) / 1e6)
        heard = self.recording.piece(match.position, match.position + len(sound))
        self.silent += int((heard == 0).sum())
        self.different += int((heard != sound).sum()) if len(heard) == len(sound) else len(sound)
        if self._end is not None:
            self.gaps.append(match.position - self._end)
        self._end = match.position + len(sound)
