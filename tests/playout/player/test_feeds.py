"""Which source airs a cue, with a real libvlc that is made to hang."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from playout.benches.soundlab import Samples, wait_until
from playout.player.feeds import Feeds
from playout.source import RATE_HZ, Cue, Source


@pytest.fixture
def feeds() -> Iterator[Feeds]:
    """Feeds with libvlc loaded."""
    feeds = Feeds()
    feeds.start()
    yield feeds
    feeds.stop()


def test_an_item_from_its_start_is_decoded_by_libvlc(feeds: Feeds, tmp_path: Path) -> None:
    """libvlc delivers exactly the samples of the file."""
    cue, sound = _cue(feeds, tmp_path, "a")
    source = feeds.open(cue)
    assert source.kind == "libvlc"
    assert _drain(source, len(sound)) == sound.tobytes()
    source.close()
    feeds.release("a")


def test_an_item_from_inside_its_file_is_read_plainly(feeds: Feeds, tmp_path: Path) -> None:
    """The file reader starts on the very sample that was named."""
    cue, sound = _cue(feeds, tmp_path, "a", from_sample=12_345)
    source = feeds.open(cue)
    assert source.kind == "file"
    assert _drain(source, len(sound) - 12_345) == sound[12_345:].tobytes()
    assert feeds.stand_in(cue, from_sample=0) is None
    source.close()
    feeds.release("a")


def test_f17_a_libvlc_that_never_returns_is_given_up_and_later_replaced(feeds: Feeds, tmp_path: Path) -> None:
    """When a call into libvlc does not return, the file reader stands in, and the next item gets new decks."""
    released = threading.Event()
    feeds.decks.submit(lambda instance: released.wait(30) and None)
    cue, sound = _cue(feeds, tmp_path, "a")
    source = feeds.open(cue)
    wait_until(lambda: source.available() == 0 and source.failure() is not None, timeout_s=5, what="giving up")
    stand_in = feeds.stand_in(cue, from_sample=1000)
    assert stand_in is not None
    assert _drain(stand_in, len(sound) - 1000) == sound[1000:].tobytes()
    assert feeds.stand_in(cue, from_sample=0) is None
    stand_in.close()
    wait_until(feeds.decks.hung, timeout_s=5, what="the hang to be seen")
    other, other_sound = _cue(feeds, tmp_path, "b")
    again = feeds.open(other)
    assert _drain(again, len(other_sound)) == other_sound.tobytes()
    again.close()
    released.set()


def _cue(feeds: Feeds, folder: Path, airing: str, *, from_sample: int = 0) -> tuple[Cue, Samples]:
    """Make a file of noise and let the feeds hold it."""
    sound = np.random.default_rng(5).integers(-8000, 8000, RATE_HZ).astype(np.int16)
    path = folder / f"{airing}.flac"
    soundfile.write(path, sound, RATE_HZ, subtype="PCM_16")
    feeds.hold(airing, [os.open(path, os.O_RDONLY)])
    cue = Cue(airing=airing, samples=len(sound), from_sample=from_sample, start_ns=time.monotonic_ns(), after=None)
    return cue, sound


def _drain(source: Source, samples: int) -> bytes:
    """Read until so many samples have come."""
    chunks: list[bytes] = []

    def complete() -> bool:
        if source.available():
            chunks.append(source.read(samples))
        return sum(map(len, chunks)) >= 2 * samples

    wait_until(complete, timeout_s=5, what="the samples")
    return b"".join(chunks)
