"""Finding a device's time among answers that are dated too late."""

from __future__ import annotations

import numpy as np
import pytest

from playout.outputs.devicetime import DeviceTime
from playout.outputs.libpulse import Position
from playout.outputs.output import Timeline
from playout.source import NS_PER_S, RATE_HZ

ORIGIN_NS = 500 * NS_PER_S
SHIFT = 12_345.0


class Device:
    """A device that is asked ten times a second, and whose answers are late by chance."""

    def __init__(self, *, seed: int = 1, ppm: float = 0.0, late_ms: float = 0.05) -> None:
        self.time = DeviceTime(Timeline(origin_ns=ORIGIN_NS))
        self.rng = np.random.default_rng(seed)
        self.ppm = ppm
        self.late_ms = late_ms
        self.lost_frames = 0.0
        self.now_s = 0.0

    def true_shift(self) -> float:
        """The difference that an exact look would give."""
        return SHIFT + self.now_s * RATE_HZ * self.ppm / 1e6 - self.lost_frames

    def run(self, seconds: float, *, sounding: bool) -> list[int]:
        """Return the shift after each tenth of a second."""
        shifts = []
        for _ in range(round(seconds * 10)):
            self.now_s += 0.1
            late_s = float(self.rng.exponential(self.late_ms)) / 1000
            self.time.see(
                Position(
                    instant_ns=ORIGIN_NS + round((self.now_s + late_s) * NS_PER_S),
                    heard_frame=self.now_s * RATE_HZ + self.true_shift(),
                    ahead_frames=1920.0,
                )
            )
            for _ in range(5):
                shift = self.time.shift(sounding=sounding)
            shifts.append(shift)
        return shifts


def test_a_quiet_machine_is_exact_to_a_few_frames() -> None:
    """In silence the shift is within a tenth of a millisecond after a second."""
    device = Device()
    shifts = device.run(5, sounding=False)
    assert max(abs(shift - SHIFT) for shift in shifts[10:]) <= 5


@pytest.mark.parametrize("late_ms", [1.0, 5.0, 15.0])
def test_a_busy_machine_moves_nothing_that_sounds(late_ms: float) -> None:
    """When every answer is late by chance, on average by milliseconds, no frame of an item is doubled or dropped."""
    device = Device()
    device.run(5, sounding=False)
    before = device.time.current_shift
    device.late_ms = late_ms
    assert set(device.run(60, sounding=True)) == {before}


@pytest.mark.parametrize("ppm", [-200.0, -20.0, 20.0, 200.0])
def test_a_drifting_device_is_followed_frame_by_frame(ppm: float) -> None:
    """An item of ten minutes stays within 3 ms of the clock, and changes by single frames."""
    device = Device(ppm=ppm)
    device.run(5, sounding=False)
    shifts = device.run(600, sounding=True)
    assert abs(shifts[-1] - device.true_shift()) < 0.003 * RATE_HZ
    assert max(abs(np.diff(shifts))) <= 5


def test_a_device_that_stood_still_is_put_back_at_once() -> None:
    """Within a second after it lost 60 ms, what sounds is on the clock again."""
    device = Device()
    device.run(5, sounding=False)
    device.lost_frames = 0.06 * RATE_HZ
    shifts = device.run(1.2, sounding=True)
    assert abs(shifts[-1] - device.true_shift()) <= 10


def test_one_wild_answer_changes_nothing() -> None:
    """A clock that is set while an answer is on its way dates it wrongly by an hour; it is not believed."""
    device = Device()
    device.run(5, sounding=False)
    before = device.time.current_shift
    for step_s in (3600, -3600):
        device.time.see(
            Position(
                instant_ns=ORIGIN_NS + round((device.now_s + step_s) * NS_PER_S),
                heard_frame=device.now_s * RATE_HZ,
                ahead_frames=1920.0,
            )
        )
        assert set(device.run(3, sounding=True)) == {before}


def test_a_frame_is_heard_when_the_device_says_so() -> None:
    """The instant of a frame is that of the device's own account."""
    device = Device()
    device.run(5, sounding=False)
    frame = round(3.0 * RATE_HZ + SHIFT)
    assert abs(device.time.heard_ns(frame) - ORIGIN_NS - 3 * NS_PER_S) < 100_000
