"""Ingest: what goes in, what comes out, and what an officer is told."""

from __future__ import annotations

import hashlib
import io
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from audio.ingest import IngestLimits
from audio.loudness import Meter
from audio.trim import Trim, suggest
from tests.audio.conftest import Studio
from tests.audio.recordings import (
    FORMATS,
    RATE,
    encoded,
    ogg_page,
    samples_of,
    silence,
    speech,
    tone,
    wav_header,
)
from tests.audio.watching import watched


def codes(canonical):
    return [finding.code for finding in canonical.warnings]


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_becomes_our_own_file(studio: Studio, kind: str) -> None:
    """Each format that is taken ends as mono 48 kHz FLAC of the same length, at the system's loudness."""
    found = studio.take(encoded(kind, speech(6.0), speech(6.0, seed=2)))
    path = studio.library.path(found.sha256)
    samples = samples_of(path)

    assert hashlib.sha256(path.read_bytes()).hexdigest() == found.sha256
    assert hashlib.sha256(samples.astype("<i2").tobytes()).hexdigest() == found.pcm_sha256
    assert len(samples) == found.samples
    assert found.samples / RATE == pytest.approx(6.0, abs=0.06)
    assert found.loudness_lufs == pytest.approx(-16.0, abs=0.5)
    assert found.true_peak_dbtp <= -1.5
    assert codes(found) == []


@pytest.mark.parametrize("kind", FORMATS)
def test_what_is_reported_is_in_the_file(studio: Studio, kind: str) -> None:
    """Loudness and peak are those of the canonical file, measured again here."""
    found = studio.take(encoded(kind, speech(4.0, level=0.02)))
    meter = Meter(RATE)
    meter.push(samples_of(studio.library.path(found.sha256)).astype(np.float32) / 32_768)
    measured = meter.result()

    assert measured.integrated_lufs == pytest.approx(found.loudness_lufs, abs=0.05)
    assert measured.true_peak_dbtp == pytest.approx(found.true_peak_dbtp, abs=0.05)


def test_low_rates_and_phone_recordings_are_taken(studio: Studio) -> None:
    """An 8 kHz recording from a telephone becomes 48 kHz of the same length."""
    found = studio.take(encoded("wav", speech(3.0, rate=8_000), rate=8_000))
    assert found.samples == pytest.approx(3 * RATE, abs=200)


def test_nothing_above_twelve_kilohertz_is_left(studio: Studio) -> None:
    """A 15 kHz tone under speech is gone; one of 10 kHz stays."""
    mixed = speech(4.0) + tone(4.0, 15_000, level=0.1) + tone(4.0, 10_000, level=0.1)
    found = studio.take(encoded("wav", mixed))
    spectrum = np.abs(np.fft.rfft(samples_of(studio.library.path(found.sha256)).astype(float)))
    bins = len(spectrum) / (RATE / 2)

    def around(hertz: int) -> float:
        return float(spectrum[int((hertz - 50) * bins) : int((hertz + 50) * bins)].max())

    assert 20 * np.log10(around(15_000) / around(10_000)) < -60


def test_the_same_recording_gives_the_same_bytes(studio: Studio) -> None:
    """The file names itself by its content: encoding it twice makes one file."""
    recording = encoded("mp3", speech(3.0))
    first, second = studio.take(recording), studio.take(recording)
    assert first == second
    assert len(list((studio.folder / "media").glob("**/*.flac"))) == 1


def test_progress_grows_from_nothing_to_all(studio: Studio) -> None:
    """Progress never goes back and ends at one."""
    studio.take(encoded("m4a", speech(20.0)))
    assert studio.shares == sorted(studio.shares)
    assert studio.shares[-1] == pytest.approx(1.0)
    assert len(studio.shares) > 5


def test_silence_at_both_ends_is_found_and_can_be_trimmed(studio: Studio) -> None:
    """Head and tail silence are measured, warned of, and a trim makes another, shorter file."""
    source = studio.upload(encoded("wav", np.concatenate((silence(3.0), speech(4.0), silence(2.0)))))
    found = studio.take(source)
    offer = suggest(
        head_silence_s=found.head_silence_s,
        tail_silence_s=found.tail_silence_s,
        seconds=found.samples / RATE,
    )
    assert offer is not None
    trimmed = studio.take(source, trim=offer)
    again = studio.take(studio.library.path(found.sha256), trim=offer)

    assert found.head_silence_s == pytest.approx(3.0, abs=0.1)
    assert found.tail_silence_s == pytest.approx(2.0, abs=0.2)
    assert codes(found) == ["head_silence", "tail_silence"]
    assert "3,0 giây" in found.warnings[0].message.vi
    assert trimmed.sha256 != found.sha256
    assert trimmed.samples / RATE == pytest.approx(4.6, abs=0.25)
    assert codes(trimmed) == []
    assert again.samples == pytest.approx(trimmed.samples, abs=RATE // 10)


def test_memory_does_not_grow_with_the_recording(studio: Studio) -> None:
    """Four minutes need no more than four seconds: far below the 400 MB that a long file may take."""
    recording = encoded("mp3", np.tile(speech(20.0), 12))
    with watched(most_mb=250, most_s=60):
        found = studio.take(recording)
    assert found.samples == pytest.approx(240 * RATE, abs=RATE // 5)


def test_the_sound_of_a_video_is_taken(studio: Studio) -> None:
    """A phone's MP4 holds a picture as well: no decoder for pictures is ever opened."""
    memory = io.BytesIO()
    with av.open(memory, "w", format="mp4") as container:
        video = container.add_stream("mpeg4", rate=10, width=64, height=64, pix_fmt="yuv420p")
        audio = container.add_stream("aac", rate=RATE, layout="mono")
        for shade in range(30):
            picture = np.full((64, 64, 3), shade * 8, dtype=np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(video.encode(None))
        sound = speech(3.0)[: 140 * 1_024].reshape(-1, 1, 1_024)
        for number, block in enumerate(sound):
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = RATE, number * 1_024, Fraction(1, RATE)
            container.mux(audio.encode(frame))
        container.mux(audio.encode(None))
    assert studio.take(memory.getvalue()).samples == pytest.approx(140 * 1_024, abs=RATE // 20)


def test_a_trim_that_leaves_nothing_is_refused(studio: Studio) -> None:
    """Nothing is made of less than half a second."""
    with pytest.raises(Exception, match="too short"):
        studio.take(encoded("wav", speech(3.0)), trim=Trim(start_s=2.9))


def test_s33_f25_what_hides_behind_a_long_silence_is_pointed_at(studio: Studio) -> None:
    """Decent speech, a long silence, then more: the place is named."""
    hidden = np.concatenate((speech(4.0), silence(15.0), speech(3.0, seed=3)))
    found = studio.take(encoded("flac", hidden))
    (warning,) = found.warnings
    assert warning.code == "long_silence"
    assert warning.where == "0:04"
    assert "0:15" in warning.message.vi


def test_s33_channels_that_cancel_do_not_air_as_silence(studio: Studio) -> None:
    """Left is right turned over: one channel is taken, and said so."""
    voice = speech(4.0)
    found = studio.take(encoded("wav", voice, -voice))
    assert codes(found) == ["channels_cancel"]
    assert found.loudness_lufs == pytest.approx(-16.0, abs=0.5)
    assert np.abs(samples_of(studio.library.path(found.sha256))).max() > 5_000


def test_s33_channels_that_cancel_in_places_are_pointed_at(studio: Studio) -> None:
    """A stretch that only exists in the difference of both channels is named with its place."""
    first, second = speech(6.0), speech(4.0, seed=4)
    found = studio.take(encoded("wav", np.concatenate((first, second)), np.concatenate((first, -second))))
    assert "channels_cancel" in codes(found)
    assert next(w for w in found.warnings if w.code == "channels_cancel").where in ("0:06", "0:05")


def test_one_empty_channel_is_no_problem(studio: Studio) -> None:
    """A microphone on the left only reaches the same loudness."""
    found = studio.take(encoded("wav", speech(4.0), silence(4.0)))
    assert found.loudness_lufs == pytest.approx(-16.0, abs=0.5)
    assert codes(found) == []


def test_a_quiet_recording_with_a_bang_is_not_squashed(studio: Studio) -> None:
    """Where the limiter would take more than 8 dB, the gain is less and the officer is told."""
    sound = speech(6.0, level=0.01)
    sound[RATE * 3 : RATE * 3 + 48] = tone(48 / RATE, 3_000, level=0.9)
    found = studio.take(encoded("wav", sound))
    assert "loudness_low" in codes(found)
    assert found.loudness_lufs < -16.5
    assert found.true_peak_dbtp <= -1.5


def test_a_constant_offset_is_not_sound(studio: Studio) -> None:
    """A broken sound card's offset counts as silence."""
    assert studio.refuse(encoded("wav", silence(3.0) + np.float32(0.2))).code == "silent"


def test_f25_silence_is_refused(studio: Studio) -> None:
    """A recording without any sound never reaches an approver."""
    finding = studio.refuse(encoded("mp3", silence(5.0)))
    assert finding.code == "silent"
    assert finding.message.vi == "Bản ghi gần như không có tiếng từ đầu đến cuối."


@pytest.mark.parametrize("data", [b"", encoded("wav", speech(0.0001)), wav_header(data_bytes=0)])
def test_nothing_in_it_is_refused(studio: Studio, data: bytes) -> None:
    """An empty file, and one with hardly a sample, are called empty."""
    assert studio.refuse(data).code == "empty"


@pytest.mark.parametrize("data", [bytes(range(256)) * 200, b"\x89PNG\r\n\x1a\n" * 99, b"PK\x03\x04" * 999])
def test_what_is_no_recording_is_refused(studio: Studio, data: bytes) -> None:
    """Other kinds of files get a sentence that names the formats that are taken."""
    finding = studio.refuse(data)
    assert finding.code == "not_audio"
    assert finding.hint is not None
    assert "MP3" in finding.hint.vi


def test_too_long_is_refused_before_and_after_decoding(studio: Studio) -> None:
    """Length is judged by the header where there is one, by the samples where not."""
    studio.limits = IngestLimits(max_seconds=5)
    for kind in ("wav", "aac"):
        finding = studio.refuse(encoded(kind, speech(9.0)))
        assert finding.code == "too_long"
        assert "0:05" in finding.message.vi


def test_too_big_is_refused_unread(studio: Studio) -> None:
    """Size is judged before anything is read."""
    studio.limits = IngestLimits(max_bytes=1_048_576)
    finding = studio.refuse(encoded("wav", speech(12.0)))
    assert finding.code == "too_big"
    assert "1 MB" in finding.message.vi


@pytest.mark.parametrize("kind", ["mp3", "wav", "flac"])
def test_a_cut_file_says_how_much_is_there(studio: Studio, kind: str) -> None:
    """A file cut in transfer is refused with both lengths: only 0:06 of 0:20."""
    recording = encoded(kind, speech(20.0))
    finding = studio.refuse(recording[: int(len(recording) * 0.31)])
    assert finding.code == "truncated"
    assert finding.message.vi == "Tệp bị cắt: chỉ có 0:06 trong 0:20."


def test_a_cut_opus_file_says_how_much_is_there(studio: Studio) -> None:
    """Ogg has no length in front: the missing end is seen by the missing last page."""
    recording = encoded("opus", speech(20.0))
    finding = studio.refuse(recording[: len(recording) // 2])
    assert finding.code == "truncated"
    assert "phần cuối bị thiếu" in finding.message.vi


def test_a_cut_m4a_file_has_lost_its_index(studio: Studio) -> None:
    """The table of an M4A file stands at its end: without it nothing can be read, and that is said."""
    recording = encoded("m4a", speech(20.0))
    finding = studio.refuse(recording[: len(recording) // 2])
    assert finding.code == "truncated"
    assert "không còn đoạn âm thanh nào" in finding.message.vi


def test_a_cut_m4a_file_with_its_index_in_front(studio: Studio, tmp_path: Path) -> None:
    """Where the table stands first, the samples that are there are counted."""
    path = tmp_path / "fast.m4a"
    with (
        av.open(io.BytesIO(encoded("m4a", speech(20.0)))) as source,
        av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as target,
    ):
        stream = target.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    whole = path.read_bytes()
    assert studio.refuse(whole[: int(len(whole) * 0.31)]).message.vi == "Tệp bị cắt: chỉ có 0:06 trong 0:20."
    assert studio.take(whole).samples == pytest.approx(20 * RATE, abs=RATE // 10)


@pytest.mark.parametrize(
    ("tail", "seconds"),
    [
        (b"TAG" + bytes(125), 5.0),
        (b"APETAGEX" + bytes(300), 5.0),
        (encoded("mp3", speech(3.0)), 8.0),
        (encoded("mp3", speech(3.0, rate=44_100), rate=44_100), 8.0),
    ],
)
def test_what_programs_put_behind_an_mp3_does_no_harm(studio: Studio, tail: bytes, seconds: float) -> None:
    """Tags at the end are no sound; another recording glued on, even of another rate, is."""
    found = studio.take(encoded("mp3", speech(5.0)) + tail)
    assert codes(found) == []
    assert found.samples / RATE == pytest.approx(seconds, abs=0.15)


def test_recordings_glued_together_are_one(studio: Studio) -> None:
    """Two Opus files in one are heard one after the other."""
    assert studio.take(encoded("opus", speech(3.0)) * 2).samples / RATE == pytest.approx(6.0, abs=0.05)


@pytest.mark.parametrize(
    "sound",
    [
        np.clip(speech(5.0) * 40, -1, 1),
        tone(5.0, 11_000, level=0.9),
        np.random.default_rng(1).uniform(-1, 1, 5 * RATE).astype(np.float32),
        speech(5.0, level=0.006),
    ],
)
def test_loudness_and_peak_hold_for_any_sound(studio: Studio, sound: np.ndarray) -> None:
    """Clipped speech, a shrill tone, noise and a whisper all end at −16 LUFS and below −1.5 dBTP."""
    found = studio.take(encoded("wav", sound))
    assert found.loudness_lufs == pytest.approx(-16.0, abs=0.5)
    assert found.true_peak_dbtp <= -1.5


def test_a_few_damaged_frames_are_mended_and_told(studio: Studio) -> None:
    """Damage of a moment in the middle becomes a warning, not a refusal."""
    recording = bytearray(encoded("flac", speech(20.0)))
    middle = len(recording) // 2
    recording[middle : middle + 40] = bytes(40)
    found = studio.take(bytes(recording))
    assert codes(found) == ["damaged_frames"]
    assert found.samples == pytest.approx(20 * RATE, abs=RATE // 5)


def test_much_damage_is_refused(studio: Studio) -> None:
    """A file with holes everywhere is called damaged."""
    recording = bytearray(encoded("flac", speech(20.0)))
    for place in range(9_000, len(recording), 9_000):
        recording[place : place + 200] = bytes(200)
    assert studio.refuse(bytes(recording)).code == "damaged"


def test_opus_from_our_own_pages_is_understood(studio: Studio) -> None:
    """The page writer of the tests is right: what it makes is decoded, here as plain silence."""
    head = b"OpusHead\x01\x01" + (312).to_bytes(2, "little") + RATE.to_bytes(4, "little") + b"\0\0\0"
    tags = b"OpusTags" + bytes(8)
    pages = ogg_page([head], granule=0, number=0, first=True) + ogg_page([tags], granule=0, number=1)
    pages += ogg_page([b"\xfb\x06"] * 20, granule=20 * 5_760, number=2, last=True)
    assert studio.refuse(pages).code == "silent"
