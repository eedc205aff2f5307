"""The matching of recordings with programmes: what it finds again through a loudspeaker chain, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from audio.matching import BAND_HZ, Band, Matcher, match
from playout.benches.hearingbench import CHAINS, RATE_HZ, Chain, joined, say, sentence
from tests.audio.recordings import speech

CLEAN = CHAINS["clean"]


@pytest.fixture(scope="module")
def sentences():
    """Twelve sentences of one voice."""
    rng = np.random.default_rng(3)
    return [say(sentence(rng)) for _ in range(12)]


@pytest.fixture(scope="module")
def programme(sentences):
    """Six of them with pauses: some half a minute."""
    return joined(sentences[:6])


@pytest.fixture
def rng():
    """Dice that always fall the same."""
    return np.random.default_rng(7)


def compared(programme, recording, **more):
    """Return the match of a recording made at 16 kHz from three seconds before."""
    return match(programme, recording, rate_hz=RATE_HZ, **more)


@pytest.mark.parametrize("name", CHAINS)
def test_a_programme_is_found_through_a_loudspeaker_chain(programme, rng, name: str) -> None:
    """Band, noise, gain, echo, another clock and all of them together leave the programme recognised and in time."""
    chain = CHAINS[name]
    found = compared(programme, chain.heard(programme, rng))
    assert found.share is not None and found.share >= 0.95
    assert found.offset_ms == pytest.approx(chain.late_ms, abs=5)
    assert found.drift_ppm == pytest.approx(chain.ppm, abs=15)
    assert found.foreign_s <= 0.05 * found.sounding_s
    assert found.silent_s <= 0.05 * found.sounding_s


@pytest.mark.parametrize("name", ["clean", "all", "all, loud"])
def test_f22_another_programme_by_the_same_voice_is_not_taken_for_it(sentences, programme, rng, name: str) -> None:
    """Six other sentences of the same voice are foreign sound."""
    found = compared(programme, CHAINS[name].heard(joined(sentences[6:]), rng))
    assert found.share is not None and found.share < 0.35
    assert found.foreign_s > 0.6 * found.sounding_s


@pytest.mark.parametrize("name", ["clean", "all"])
def test_f22_half_its_sentences_are_half_of_it(sentences, programme, rng, name: str) -> None:
    """Of a programme whose second half is another one, half is found, whatever the chain."""
    half = CHAINS[name].heard(joined(sentences[:3] + sentences[9:]), rng)
    found = compared(programme, half)
    assert found.share == pytest.approx(len(joined(sentences[:3])) / len(programme), abs=0.12)
    assert found.map.startswith("mmmm")
    assert "mm" not in found.map[-10:]


def test_f21_silence_is_silence(programme, rng) -> None:
    """Nothing, and noise below -40 dBFS, are silence for as long as the programme should have sounded."""
    for recording in (
        np.zeros(len(programme) + 6 * RATE_HZ, dtype=np.int16),
        rng.integers(-200, 200, len(programme) + 6 * RATE_HZ).astype(np.int16),
    ):
        found = compared(programme, recording)
        assert found.offset_ms is None
        assert found.share == 0
        assert found.silent_s == found.sounding_s > 20
        assert found.foreign_s == 0


def test_a_hole_is_seen_where_it_is(programme, rng) -> None:
    """Five seconds of silence inside are five seconds that were not found, and the rest was."""
    recording = CLEAN.heard(programme, rng)
    recording[13 * RATE_HZ : 18 * RATE_HZ] = 0
    found = compared(programme, recording)
    assert found.silent_s == pytest.approx(5, abs=1)
    assert set(found.map[20:29]) <= {"s", "."}
    assert found.matched_s == pytest.approx(found.sounding_s - 5, abs=1)


def test_f22_sound_on_top_is_foreign_though_the_programme_is_there(sentences, programme, rng) -> None:
    """Another voice, as loud, over the second half is told as foreign sound while the programme itself is found."""
    recording = CLEAN.heard(programme, rng).astype(np.int32)
    other = CLEAN.heard(joined(sentences[6:]), rng)
    middle, end = len(recording) // 2, min(len(recording), len(other))
    recording[middle:end] += other[middle:end]
    found = compared(programme, np.clip(recording, -32_768, 32_767).astype(np.int16))
    assert found.share is not None and found.share > 0.9
    assert found.foreign_s > 4
    assert "x" not in found.map[:20]


def test_f22_sound_in_a_long_pause_is_foreign(sentences, rng) -> None:
    """Another voice in six seconds of silence that belong to the programme is foreign; noise and echo there are not."""
    pause = np.zeros(6 * RATE_HZ, dtype=np.int16)
    programme = np.concatenate([*sentences[:2], pause, *sentences[2:4]])
    begin = 3 * RATE_HZ + len(sentences[0]) + len(sentences[1])
    recording = CHAINS["all"].heard(programme, rng)
    assert compared(programme, recording).foreign_s == 0
    recording[begin : begin + 6 * RATE_HZ] = CLEAN.heard(np.concatenate(sentences[6:10]), rng, before_s=0)[
        : 6 * RATE_HZ
    ]
    found = compared(programme, recording)
    assert found.foreign_s == pytest.approx(5, abs=1.5)
    assert found.share is not None and found.share > 0.9


def test_it_is_found_again_after_it_was_lost(programme, rng) -> None:
    """Where the recording leaves out a second, the rest is found at its new offset."""
    recording = CLEAN.heard(programme, rng)
    shorter = np.concatenate([recording[: 10 * RATE_HZ], recording[11 * RATE_HZ :]])
    found = compared(programme, shorter)
    assert found.share is not None and found.share > 0.9


def test_what_comes_piecemeal_is_judged_as_it_comes(programme, rng) -> None:
    """Handed over in odd pieces, it is found within ten seconds of its start, and ends as when handed over at once."""
    recording = CHAINS["all"].heard(programme, rng)
    matcher, wanted, heard = Matcher(), Band(RATE_HZ), Band(RATE_HZ)
    matcher.expect(wanted.take(programme))
    matcher.expect(wanted.flush())
    found_after_s = 0.0
    for begin in range(0, len(recording), 3_777):
        matcher.hear(heard.take(recording[begin : begin + 3_777]))
        if matcher.offset_ms is not None and not found_after_s:
            found_after_s = begin / RATE_HZ - 3
    matcher.hear(heard.flush())
    assert 0 < found_after_s < 10
    assert matcher.finish() == compared(programme, recording)


def test_what_was_cut_is_compared_up_to_the_cut(programme, rng) -> None:
    """A programme ended early is asked for only as far as it went."""
    recording = CLEAN.heard(programme[: 10 * RATE_HZ], rng)
    matcher, wanted, heard = Matcher(), Band(RATE_HZ), Band(RATE_HZ)
    matcher.expect(wanted.take(programme))
    matcher.hear(heard.take(recording))
    found = matcher.finish(seconds=9.8)
    assert len(found.map) == 20
    assert found.share == 1


def test_a_short_jingle_is_found(rng) -> None:
    """Two seconds are enough where nothing disturbs them."""
    jingle = (speech(2.0, seed=4, rate=RATE_HZ) * 32_767).astype(np.int16)
    found = compared(jingle, CLEAN.heard(jingle, rng))
    assert found.share == 1
    assert found.offset_ms == pytest.approx(0, abs=1)


def test_a_tone_lies_where_it_lay_before(rng) -> None:
    """A sine fits at every period; the offset known from before decides."""
    sine = (8_000 * np.sin(2 * np.pi * 500 * np.arange(10 * RATE_HZ) / RATE_HZ)).astype(np.int16)
    matcher, wanted, heard = Matcher(likely_ms=40), Band(RATE_HZ), Band(RATE_HZ)
    matcher.expect(wanted.take(sine))
    matcher.hear(heard.take(Chain(late_ms=40).heard(sine, rng)))
    found = matcher.finish()
    assert found.offset_ms == pytest.approx(40, abs=3)
    assert found.share is not None and found.share > 0.9


def test_f21_without_a_reference_the_level_is_judged(programme, rng) -> None:
    """Of a relay or a talk only its being there is known: what is silent counts as silent, and there is no share."""
    recording = CLEAN.heard(programme, rng)
    recording[13 * RATE_HZ :] = 0
    matcher, wanted, heard = Matcher(), Band(RATE_HZ), Band(RATE_HZ)
    matcher.expect(wanted.take(np.zeros_like(programme)), known=False)
    matcher.hear(heard.take(recording))
    found = matcher.finish()
    assert found.share is None
    assert found.silent_s == pytest.approx(len(found.map) / 2 - 9, abs=1.5)
    assert found.foreign_s == 0


def test_rates_and_lengths(rng) -> None:
    """The band has whole segments, the same for 48 kHz as for 16 kHz; other rates and empty programmes are told."""
    wide = (speech(3.3, seed=2, rate=48_000) * 32_767).astype(np.int16)
    band = Band(48_000)
    parts = [band.take(wide[:70_001]), band.take(wide[70_001:]), band.flush()]
    assert sum(len(part.wave) for part in parts) == round(3.5 * BAND_HZ)
    found = match(wide, np.concatenate([np.zeros(144_000, dtype=np.int16), wide]), rate_hz=48_000)
    assert found.share == 1
    with pytest.raises(ValueError, match="8 kHz"):
        Band(44_100)
    nothing = compared(np.zeros(0, dtype=np.int16), np.zeros(RATE_HZ, dtype=np.int16))
    assert (nothing.share, nothing.map, nothing.offset_ms) == (None, "", None)
