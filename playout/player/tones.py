"""The sounds that the player makes itself: attention before an emergency or a drill, chime, and test tone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from playout.player.pieces import Tone
from playout.source import RATE_HZ

Wave = npt.NDArray[np.float64]

_LEVEL = 0.35
"""Amplitude against full scale: near the loudness of speech in the system, and 9 dB below the highest peak."""

_EDGE_S = 0.01


def tone(kind: Tone, samples: int) -> bytes:
    """Return so many samples of a tone, s16 little-endian; longer than one round of it, it goes on from the start."""
    match kind:
        case Tone.ALERT:
            wave = _alert(samples)
        case Tone.DRILL:
            wave = _drill(samples)
        case Tone.CHIME:
            wave = _chime(samples)
        case Tone.TEST:
            wave = _softened(np.sin(2 * np.pi * 1000.0 * _times(samples)))
    return np.rint(np.clip(wave * _LEVEL, -1.0, 1.0) * 32767).astype("<i2").tobytes()


def _times(samples: int) -> Wave:
    return np.arange(samples, dtype=np.float64) / RATE_HZ


def _alert(samples: int) -> Wave:
    """Return a tone that climbs from 500 to 1,200 Hz twice a second: nothing else here sounds like it."""
    at = np.mod(_times(samples), 0.5)
    rising = 2 * np.pi * (500.0 * at + (1200.0 - 500.0) / 0.5 * at**2 / 2)
    return _softened(np.sin(rising) * np.minimum(1.0, np.minimum(at, 0.5 - at) / _EDGE_S))


def _drill(samples: int) -> Wave:
    """Return two even pips a second with pauses, the second one lower: calm, and not to be taken for an alert."""
    at = np.mod(_times(samples), 1.0)
    pitch = np.where(at < 0.5, 880.0, 660.0)
    inside = np.mod(at, 0.5)
    envelope = np.clip(np.minimum(inside, 0.2 - inside) / _EDGE_S, 0.0, 1.0)
    return _softened(np.sin(2 * np.pi * pitch * inside) * envelope)


def _chime(samples: int) -> Wave:
    """Return three falling notes that die away."""
    notes = ((0.0, 659.25), (0.5, 523.25), (1.0, 392.0))
    at = _times(samples)
    wave = np.zeros(samples)
    for start, pitch in notes:
        since = at - start
        struck = since >= 0
        decay = np.where(struck, np.exp(-3.0 * np.maximum(since, 0.0)), 0.0)
        wave += 0.6 * decay * np.minimum(1.0, np.maximum(since, 0.0) / _EDGE_S) * np.sin(2 * np.pi * pitch * since)
    return _softened(wave)


def _softened(wave: Wave) -> Wave:
    """Return it without a click at its start and end."""
    edge = min(len(wave) // 2, round(_EDGE_S * RATE_HZ))
    if edge:
        ramp = np.linspace(0.0, 1.0, edge, endpoint=False)
        wave[:edge] *= ramp
        wave[len(wave) - edge :] *= ramp[::-1]
    return wave
