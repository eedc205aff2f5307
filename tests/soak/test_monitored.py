"""The analysis that judges the air log in the soak: what it finds in recordings whose truth is known."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from playout.benches.soundlab import PulseServer, Recording, Samples
from playout.source import NS_PER_S, RATE_HZ
from tests.soak.monitored import Ears, heard

LENGTH_S = 12


@pytest.fixture
def sound() -> Samples:
    """Noise without a zero."""
    rng = np.random.default_rng(4)
    return (rng.integers(1, 8000, LENGTH_S * RATE_HZ) * rng.choice((-1, 1), LENGTH_S * RATE_HZ)).astype(np.int16)


def recorded(tmp_path, *pieces: tuple[float, Samples], seconds: float = 40.0) -> tuple[Ears, datetime]:
    """Return ears that heard pieces at so many seconds, and when their recording began."""
    whole = np.zeros(round(seconds * RATE_HZ), dtype=np.int16)
    for at_s, piece in pieces:
        first = round(at_s * RATE_HZ)
        whole[first : first + len(piece)] = piece
    begun_ns, begun = time.monotonic_ns() - 60 * NS_PER_S, datetime.now(UTC) - timedelta(seconds=60)
    recording = Recording("horn", environment={})
    for first in range(0, len(whole), 4800):
        recording.note(begun_ns + first * NS_PER_S // RATE_HZ, whole[first : first + 4800].astype("<i2").tobytes())
    ears = Ears(server=PulseServer(tmp_path), recordings=[recording])
    return ears, begun


def test_what_was_heard_whole_is_found_with_its_instant(tmp_path, sound: Samples) -> None:
    """All seconds of a sound, and its beginning to the millisecond."""
    ears, begun = recorded(tmp_path, (5.0, sound))
    was = heard(ears, sound, begun + timedelta(seconds=2), begun + timedelta(seconds=30))
    assert was.seconds == pytest.approx(LENGTH_S, abs=0.01)
    assert was.began_at is not None
    assert abs((was.began_at - begun).total_seconds() - 5.0) < 0.01


def test_a_hole_counts_as_not_heard_and_a_mute_as_nothing(tmp_path, sound: Samples) -> None:
    """What goes on at its place after a hole is one try; another sound and silence hold nothing of it."""
    with_hole = sound.copy()
    with_hole[3 * RATE_HZ : 5 * RATE_HZ] = 0
    ears, begun = recorded(tmp_path, (5.0, with_hole))
    was = heard(ears, sound, begun, begun + timedelta(seconds=30))
    assert was.seconds == pytest.approx(LENGTH_S - 2, abs=0.01)

    other = np.random.default_rng(9).integers(-8000, 8000, len(sound)).astype(np.int16)
    ears, begun = recorded(tmp_path, (5.0, other))
    nothing = heard(ears, sound, begun, begun + timedelta(seconds=30))
    assert (0.0, None) == (nothing.seconds, nothing.began_at)


def test_of_two_tries_the_better_counts(tmp_path, sound: Samples) -> None:
    """A beginning that was broken off and the whole from its start afterwards are not added up."""
    ears, begun = recorded(tmp_path, (5.0, sound[: 4 * RATE_HZ]), (12.0, sound))
    was = heard(ears, sound, begun, begun + timedelta(seconds=30))
    assert was.seconds == pytest.approx(LENGTH_S, abs=0.01)
    assert was.began_at is not None
    assert abs((was.began_at - begun).total_seconds() - 5.0) < 0.01


def test_what_fell_into_two_recordings_is_one_try(tmp_path, sound: Samples) -> None:
    """The sink was gone in the middle: both halves count together, what lies between does not."""
    ears, begun = recorded(tmp_path, (5.0, sound[: 4 * RATE_HZ]), seconds=9.0)
    later, _ = recorded(tmp_path, (11.0, sound[6 * RATE_HZ :]), seconds=30.0)
    both = Ears(server=ears.server, recordings=[*ears.recordings, *later.recordings])
    was = heard(both, sound, begun, begun + timedelta(seconds=30))
    assert was.seconds == pytest.approx(LENGTH_S - 2, abs=0.01)
