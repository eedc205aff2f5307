"""The measuring itself: finding a sound, dating a recording, and the silence in it."""

from __future__ import annotations

import numpy as np
import pytest

from playout.benches.soundbench import longest_silence
from playout.benches.soundlab import Recording, find
from playout.source import NS_PER_S, RATE_HZ


@pytest.mark.parametrize("gain", [1.0, 0.1])
def test_a_sound_is_found_to_the_sample_among_louder_noise(gain: float) -> None:
    """The matched filter names the exact sample, whatever the level, beside something louder."""
    rng = np.random.default_rng(1)
    sound = rng.integers(-3000, 3000, 10_000).astype(np.int16)
    recorded = np.concatenate([rng.integers(-9000, 9000, 20_000), np.zeros(5_003), sound * gain, np.zeros(4_000)])
    match = find(recorded.astype(np.int16), sound)
    assert match.position == 25_003
    assert match.likeness > 0.99


def test_what_is_not_there_is_not_found() -> None:
    """Other noise, silence and a recording that is too short give no likeness."""
    rng = np.random.default_rng(2)
    sound, other = (rng.integers(-3000, 3000, 10_000).astype(np.int16) for _ in range(2))
    assert find(np.tile(other, 3), sound).likeness < 0.2
    assert find(np.zeros(30_000, np.int16), sound).likeness == 0
    assert find(sound[:100], sound).likeness == 0


def test_a_recording_is_dated_by_its_earliest_reads_also_after_a_stall() -> None:
    """Late reads change nothing; where the sink left out 60 ms, all later samples are 60 ms later."""
    rng = np.random.default_rng(3)
    recording = Recording("horn", environment={})
    stalled_at = 1000 * 240
    for number in range(2000):
        sample = number * 240
        stall_ns = 60_000_000 if sample >= stalled_at else 0
        late_ns = int(rng.exponential(2_000_000))
        recording.note(7 * NS_PER_S + sample * NS_PER_S // RATE_HZ + stall_ns + late_ns, bytes(480))
    before, after = recording.instants_ns([stalled_at - 24_000, stalled_at + 24_000])
    assert abs(before - 7 * NS_PER_S - (stalled_at - 24_000) * NS_PER_S // RATE_HZ) < 500_000
    assert abs(after - 7 * NS_PER_S - (stalled_at + 24_000) * NS_PER_S // RATE_HZ - 60_000_000) < 500_000
    assert abs(recording.position_at(int(after)) - stalled_at - 24_000) < 50


def test_a_recording_is_taken_piece_by_piece_and_lets_go_of_the_rest() -> None:
    """Positions stay what they were when something was dropped; what was dropped is not made up."""
    recording = Recording("horn", environment={})
    whole = np.arange(1, 4801, dtype=np.int16)
    for first in range(0, 4800, 480):
        recording.note(first * NS_PER_S // RATE_HZ, whole[first : first + 480].astype("<i2").tobytes())
    assert np.array_equal(recording.piece(100, 1500), whole[100:1500])

    recording.drop(1000)

    assert (960, 4800, False) == (recording.begin, recording.end, recording.empty)
    assert np.array_equal(recording.piece(1000, 9000), whole[1000:])
    assert 2400 == recording.find(whole[2400:3000], start=2000).position
    with pytest.raises(LookupError, match="begins at 960"):
        recording.piece(900, 1500)
    recording.drop(4800)
    assert recording.empty


def test_the_longest_silence_lies_between_sounds() -> None:
    """Zeros at the ends do not count, the longest run between two sounds does."""
    samples = np.array([0, 0, 0, 0, 5, 0, 0, 7, 0, 3, 0, 0, 0, 0], dtype=np.int16)
    assert longest_silence(samples) == 2
    assert longest_silence(np.zeros(9, np.int16)) == 9
