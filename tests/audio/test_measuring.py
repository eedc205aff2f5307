"""Loudness, silence, peaks and trims: figures against signals whose figures are known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from audio.loudness import Meter
from audio.peaks import peaks
from audio.sentences import clock
from audio.silence import Levels
from audio.trim import Trim, suggest
from tests.audio.conftest import Studio
from tests.audio.recordings import RATE, encoded, silence, speech, tone


def measured(sound: np.ndarray, rate: int = RATE):
    meter = Meter(rate)
    for begin in range(0, len(sound), 7_001):
        meter.push(sound[begin : begin + 7_001])
    return meter.result()


@pytest.mark.parametrize("rate", [RATE, 24_000])
def test_a_calibrated_tone_has_its_loudness(rate: int) -> None:
    """A 997 Hz sine at −20 dBFS is −23.0 LUFS in one channel (BS.1770), at both rates that are measured."""
    found = measured(tone(5.0, 997, rate=rate, level=0.1), rate)
    assert found.integrated_lufs == pytest.approx(-23.0, abs=0.1)
    assert found.true_peak_dbtp == pytest.approx(-20.0, abs=0.1)


def test_a_peak_between_samples_is_seen() -> None:
    """A sine at a quarter of the rate, sampled beside its peaks, is 3 dB higher than its samples."""
    at = np.arange(RATE * 2)
    sound = (0.5 * np.sin(np.pi / 2 * at + np.pi / 4) * np.hanning(len(at))).astype(np.float32)
    assert np.abs(sound).max() == pytest.approx(0.354, abs=0.001)
    assert measured(sound).true_peak_dbtp == pytest.approx(-6.0, abs=0.3)


def test_a_peak_in_the_last_moment_is_seen() -> None:
    """The last fraction of a step counts as well."""
    sound = tone(2.03, 997, level=0.1)
    sound[-40:] = 0.9
    assert measured(sound).true_peak_dbtp > -2.0


def test_silence_has_no_loudness() -> None:
    """Digital zeros are -inf, for loudness and for peak."""
    found = measured(silence(2.0))
    assert (found.integrated_lufs, found.true_peak_dbtp) == (-math.inf, -math.inf)


def test_silences_are_found_where_they_are() -> None:
    """Head, tail and the long one between are measured within a window of 20 ms."""
    levels = Levels(RATE)
    sound = np.concatenate((silence(1.0), speech(2.0), silence(11.0), speech(2.0), silence(0.51)))
    for begin in range(0, len(sound), 12_345):
        levels.push(sound[begin : begin + 12_345])
    found = levels.silences(below_dbfs=-55)
    assert found.head_s == pytest.approx(1.0, abs=0.03)
    assert found.tail_s == pytest.approx(0.51, abs=0.03)
    ((start, length),) = found.between
    assert (start, length) == (pytest.approx(3.0, abs=0.05), pytest.approx(11.0, abs=0.05))


def test_only_silence_is_all_head() -> None:
    """Where nothing sounds, there is no tail."""
    levels = Levels(RATE)
    levels.push(silence(3.0))
    found = levels.silences(below_dbfs=-55)
    assert (found.head_s, found.tail_s, found.between) == (3.0, 0.0, ())
    assert Levels(RATE).silences(below_dbfs=-55).head_s == 0.0


def test_peaks_draw_the_recording(studio: Studio) -> None:
    """Sound, silence, sound: the row of numbers shows it, whatever its length."""
    recording = np.concatenate((speech(2.0), silence(2.0), speech(2.0)))
    path = studio.library.path(studio.take(encoded("wav", recording)).sha256)
    row = peaks(path, count=60)
    assert len(row) == 60
    assert np.mean(row[:19]) > 10
    assert max(row[22:38]) <= 1
    assert max(row) <= 100
    assert len(peaks(path, count=100_000)) == 100_000
    with pytest.raises(ValueError, match="at least one"):
        peaks(path, count=0)


def test_a_trim_is_offered_only_where_it_helps() -> None:
    """Under a second nobody trims; a recording of silence only is not trimmed to nothing."""
    assert suggest(head_silence_s=0.9, tail_silence_s=0.5, seconds=60) is None
    assert suggest(head_silence_s=5, tail_silence_s=5, seconds=10) is None
    assert suggest(head_silence_s=2.0, tail_silence_s=0.5, seconds=60) == Trim(start_s=1.7)
    assert suggest(head_silence_s=0, tail_silence_s=2.0, seconds=60) == Trim(end_s=58.3)


@pytest.mark.parametrize("wrong", [{"start_s": -1.0}, {"start_s": 3.0, "end_s": 3.0}])
def test_a_trim_keeps_something(wrong: dict[str, float]) -> None:
    """A trim that keeps nothing cannot be made."""
    with pytest.raises(ValueError, match="keeps"):
        Trim(**wrong)


@pytest.mark.parametrize(("seconds", "written"), [(0, "0:00"), (59.6, "1:00"), (340, "5:40"), (3_940, "1:05:40")])
def test_lengths_are_written_as_people_do(seconds: float, written: str) -> None:
    """5:40, and hours only where there are any."""
    assert clock(seconds) == written
