"""The file for strangers: as long as the recording, with its sound, and without a word of its own."""

from __future__ import annotations

import av
import numpy as np
import pytest

from audio.ingest import Canonical
from audio.mp3 import make_mp3, mp3_path
from tests.audio.conftest import Studio
from tests.audio.recordings import encoded, speech


def canonical(studio: Studio) -> Canonical:
    """Return three seconds of speech in the library."""
    return studio.take(encoded("mp3", speech(3.0)))


def test_the_mp3_sounds_as_the_recording(studio: Studio) -> None:
    """Length within 50 ms and the same loudness within 1 dB; twice made it is the same, byte for byte."""
    made = canonical(studio)
    target = mp3_path(studio.folder / "public", made.sha256)
    size = make_mp3(studio.library.path(made.sha256), target)
    content = target.read_bytes()
    assert size == len(content)
    assert content[:2] == b"\xff\xfb"
    assert b"Lavc" not in content
    with av.open(str(target)) as container:
        sound = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])
        assert container.streams.audio[0].rate == 48_000
    with av.open(str(studio.library.path(made.sha256))) as container:
        before = np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)]) / 32_768
    assert abs(len(sound) - len(before)) < 48_000 * 0.05
    assert 0.89 < np.sqrt(np.mean(sound**2)) / np.sqrt(np.mean(before**2)) < 1.12
    make_mp3(studio.library.path(made.sha256), target)
    assert target.read_bytes() == content
    assert [file.suffix for file in target.parent.iterdir()] == [".mp3"]


def test_a_name_that_is_no_hash_has_no_place(studio: Studio) -> None:
    """A path can never come out of what somebody sent."""
    with pytest.raises(ValueError, match="not a SHA-256"):
        mp3_path(studio.folder, "../../loa")
