"""Several recordings heard as one: the samples are theirs, in their order, from whatever piece one begins."""

from __future__ import annotations

import io
import os
import time
from fractions import Fraction

import av
import numpy as np
import pytest

from audio.composed import Sound, SoundUnreadable, head, piece, playlist
from audio.flac import write_flac

RATE = 48_000


def written(folder, name: str, samples) -> Sound:
    """Write a canonical FLAC of these samples."""
    path = folder / f"{name}.flac"

    def frames():
        for at in range(0, len(samples), 4_608):
            frame = av.AudioFrame.from_ndarray(samples[at : at + 4_608].reshape(1, -1), format="s16", layout="mono")
            frame.sample_rate = RATE
            frame.pts = at
            frame.time_base = Fraction(1, RATE)
            yield frame

    out = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        write_flac(frames(), out)
    finally:
        os.close(out)
    return Sound(path=path, samples=len(samples))


def noise(seconds: float, seed: int):
    """Return sound that is nowhere like itself, so that a shift by one sample shows."""
    count = round(seconds * RATE)
    dice = np.random.default_rng(seed)
    tone = np.sin(np.arange(count) * (0.02 + seed / 100)) * 8_000
    return (tone + dice.normal(0, 500, count)).astype(np.int16)


def heard(data: bytes):
    """Return samples and first place of what a player decodes from head and pieces."""
    with av.open(io.BytesIO(data)) as container:
        frames = list(container.decode(audio=0))
    return np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames]), frames[0].pts


@pytest.fixture
def three(tmp_path):
    """Three recordings whose ends fall inside pieces, one of them a single sample longer than a piece."""
    parts = [noise(12.3, 1), noise(9.984 + 1 / RATE, 2), noise(7.77, 3)]
    return parts, [written(tmp_path, str(number), part) for number, part in enumerate(parts)]


def pieces(sounds):
    """Return every piece in order."""
    found = []
    while (data := piece(sounds, len(found))) is not None:
        found.append(data)
    return found


def test_what_is_heard_are_the_samples_of_the_items_in_order(three):
    """Not one sample is lost, added or changed between the first item's first and the last item's last."""
    parts, sounds = three

    samples, first = heard(head() + b"".join(pieces(sounds)))

    assert first == 0
    assert np.array_equal(samples, np.concatenate(parts))


def test_a_piece_alone_is_the_same_sound_at_its_own_place(three):
    """Whoever skips to the middle hears exactly that stretch, and the player knows where it is."""
    parts, sounds = three
    whole = np.concatenate(parts)

    for number, data in enumerate(pieces(sounds)):
        samples, first = heard(head() + data)
        assert first == number * 479_232
        assert np.array_equal(samples, whole[first : first + 479_232])


def test_the_list_names_every_piece_with_its_length(three):
    """The lengths in the playlist add up to the whole, to a few microseconds."""
    _parts, sounds = three
    text = playlist(sum(sound.samples for sound in sounds))
    lengths = [float(line[8:-1]) for line in text.splitlines() if line.startswith("#EXTINF:")]

    assert len(lengths) == len(pieces(sounds))
    assert sum(lengths) == pytest.approx(sum(sound.samples for sound in sounds) / RATE, abs=1e-5)
    assert text.endswith("#EXT-X-ENDLIST\n")


def test_past_the_end_and_before_the_beginning_there_is_nothing(three):
    """A number that no playlist names gives nothing instead of an error."""
    _parts, sounds = three

    assert piece(sounds, 4) is None
    assert piece(sounds, -1) is None
    assert piece([], 0) is None


def test_a_damaged_file_is_named_and_not_played(three, tmp_path):
    """A file that ends too early or is no FLAC is told, not replaced by silence."""
    _parts, sounds = three
    sounds[1].path.write_bytes(sounds[1].path.read_bytes()[:5_000])
    with pytest.raises(SoundUnreadable, match=r"1\.flac"):
        piece(sounds, 1)
    sounds[1].path.write_bytes(b"no sound")
    with pytest.raises(SoundUnreadable, match=r"1\.flac"):
        piece(sounds, 1)
    sounds[1].path.unlink()
    with pytest.raises(SoundUnreadable, match=r"1\.flac"):
        piece(sounds, 1)


def test_a_piece_late_in_a_long_recording_is_quick(tmp_path):
    """A piece is made without decoding all that is before it: a request may not hold its thread."""
    sound = written(tmp_path, "long", np.tile(noise(30, 4), 20))
    began = time.perf_counter()

    assert piece([sound], 59) is not None

    assert time.perf_counter() - began < 1.0
