"""Sound of our own: spoken Vietnamese, a signature tune, a chime; all of it is ingested like any recording."""

from __future__ import annotations

import random
import shutil
import subprocess
import warnings
from pathlib import Path

with warnings.catch_warnings():
    # It looks for ffmpeg when it is imported; we only give it samples and WAV files.
    warnings.simplefilter("ignore")
    from pydub import AudioSegment
    from pydub.generators import Sine, Triangle

from audio.rates import RATE_HZ
from schedules.errors import LoaError

_WORDS_PER_MINUTE = 150
_SPEAKING_S = 120.0
# Five tones to the octave, as in many Vietnamese melodies; in hertz, from G4.
_SCALE_HZ = (392.00, 440.00, 523.25, 587.33, 659.25, 783.99, 880.00)


class SpeechUnavailable(LoaError):
    """No voice can speak on this machine: its administrator must install one."""


def speak(text: str, *, out: Path) -> None:
    """Write `text`, spoken by the Vietnamese voice of espeak-ng, as a WAV file.

    Raises ValueError for a text without words, SpeechUnavailable where there is no voice or it fails.
    """
    if not text.strip():
        raise ValueError("nothing to speak")
    program = shutil.which("espeak-ng")
    if program is None:
        raise SpeechUnavailable("espeak-ng is missing; install the system package espeak-ng")
    # The text comes on standard input: one that begins with a dash is no option there.
    spoken = subprocess.run(
        [program, "-v", "vi", "-s", str(_WORDS_PER_MINUTE), "-b", "1", "-w", str(out), "--stdin"],
        input=text.encode(),
        capture_output=True,
        timeout=_SPEAKING_S,
        check=False,
    )
    if spoken.returncode != 0 or not out.exists() or out.stat().st_size <= 44:
        raise SpeechUnavailable(f"espeak-ng failed: {spoken.stderr.decode(errors='replace').strip()[-500:]}")


def signature_tune(seed: int, out: Path) -> None:
    """Write a station's signature tune, about eight seconds; the same seed always gives the same tune."""
    dice = random.Random(seed)
    place = dice.randrange(2, 5)
    melody: list[tuple[float, int]] = []
    for beats in (1, 1, 2, 1, 1, 2, 1, 1, 4):
        melody.append((_SCALE_HZ[place], beats))
        place = min(len(_SCALE_HZ) - 1, max(0, place + dice.choice((-2, -1, 1, 1, 2))))
    beat_ms = dice.choice((420, 460, 500))
    tune = AudioSegment.silent(0, frame_rate=RATE_HZ)
    for frequency_hz, beats in melody:
        tune += _bell(frequency_hz, beat_ms * beats)
    _save(tune + AudioSegment.silent(300, frame_rate=RATE_HZ), out)


def chime(out: Path) -> None:
    """Write the three falling notes that ask for attention, about two seconds."""
    notes = AudioSegment.silent(0, frame_rate=RATE_HZ)
    for frequency_hz, length_ms in ((659.25, 500), (523.25, 500), (392.00, 1_000)):
        notes += _bell(frequency_hz, length_ms)
    _save(notes, out)


def _bell(frequency_hz: float, length_ms: int) -> AudioSegment:
    """Return one struck note: a tone, its octave and a softer body, dying away."""
    body = Triangle(frequency_hz, sample_rate=RATE_HZ).to_audio_segment(duration=length_ms, volume=-14)
    tone = Sine(frequency_hz, sample_rate=RATE_HZ).to_audio_segment(duration=length_ms, volume=-10)
    octave = Sine(frequency_hz * 2, sample_rate=RATE_HZ).to_audio_segment(duration=length_ms, volume=-20)
    return tone.overlay(body).overlay(octave).fade_in(8).fade_out(int(length_ms * 0.7))


def _save(sound: AudioSegment, out: Path) -> None:
    sound.set_channels(1).set_frame_rate(RATE_HZ).set_sample_width(2).export(str(out), format="wav").close()
