"""Composed sound: spoken words and tunes that ingest takes like any recording."""

from __future__ import annotations

from pathlib import Path

import pytest

from audio.compose import SpeechUnavailable, chime, signature_tune, speak
from tests.audio.conftest import Studio
from tests.audio.recordings import RATE


@pytest.mark.parametrize("text", ["Kính chào bà con xã Long Hiệp.", "-v en --help là một câu bình thường."])
def test_spoken_vietnamese_can_be_ingested(studio: Studio, text: str) -> None:
    """Text becomes speech at the system's loudness, also when it begins like an option."""
    out = studio.folder / "spoken.wav"
    speak(text, out=out)
    found = studio.take(out)
    assert 1.0 < found.samples / RATE < 8.0
    assert found.loudness_lufs == pytest.approx(-16.0, abs=0.5)


def test_nothing_to_say_is_refused(tmp_path: Path) -> None:
    """A text without words is the caller's mistake."""
    with pytest.raises(ValueError, match="nothing to speak"):
        speak(" \n", out=tmp_path / "x.wav")


def test_without_a_voice_the_reason_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where espeak-ng is not installed, the administrator is told what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SpeechUnavailable, match="espeak-ng"):
        speak("xin chào", out=tmp_path / "x.wav")


def test_a_failed_voice_is_an_error(tmp_path: Path) -> None:
    """A file that cannot be written is no spoken text."""
    with pytest.raises(SpeechUnavailable, match="failed"):
        speak("xin chào", out=tmp_path / "missing" / "x.wav")


def test_each_station_has_its_own_tune(studio: Studio) -> None:
    """The same seed gives the same tune, another seed another one; both air well."""
    paths = [studio.folder / f"{name}.wav" for name in "abc"]
    for path, seed in zip(paths, (1, 1, 2), strict=True):
        signature_tune(seed, path)
    assert paths[0].read_bytes() == paths[1].read_bytes() != paths[2].read_bytes()
    found = studio.take(paths[0])
    assert 4 < found.samples / RATE < 12
    assert found.loudness_lufs == pytest.approx(-16.0, abs=0.5)
    assert found.warnings == ()


def test_the_chime_is_short_and_sounds(studio: Studio) -> None:
    """Two seconds that ask for attention."""
    out = studio.folder / "chime.wav"
    chime(out)
    assert studio.take(out).samples / RATE == pytest.approx(2.0, abs=0.1)
