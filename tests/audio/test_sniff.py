"""The first look: only bytes count."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from audio.container import Container, Sniffed
from audio.disguise import Disguise
from audio.sniff import sniff
from tests.audio.recordings import RATE, encoded, id3, speech, wav_header


def look(folder: Path, data: bytes) -> Sniffed | Disguise:
    path = folder / "upload"
    path.write_bytes(data)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return sniff(descriptor, len(data))
    finally:
        os.close(descriptor)


@pytest.mark.parametrize(
    ("kind", "container"),
    [
        ("mp3", Container.MP3),
        ("wav", Container.WAV),
        ("flac", Container.FLAC),
        ("m4a", Container.M4A),
        ("aac", Container.AAC),
        ("opus", Container.OGG),
        ("webm", Container.WEBM),
    ],
)
def test_each_format_is_known_by_its_bytes(tmp_path: Path, kind: str, container: Container) -> None:
    """Every format is recognised, whole, and its announced length is right where it announces one."""
    found = look(tmp_path, encoded(kind, speech(2.0)))
    assert isinstance(found, Sniffed)
    assert found.container is container
    assert not found.cut
    assert found.declared_s is None if kind in {"aac", "webm"} else found.declared_s == pytest.approx(2.0, abs=0.08)


@pytest.mark.parametrize("kind", ["mp3", "flac", "aac", "wav"])
def test_tags_in_front_are_skipped(tmp_path: Path, kind: str) -> None:
    """ID3 tags, even two of them and padding, are never given to a decoder."""
    recording = encoded(kind, speech(1.0))
    if recording[:3] == b"ID3":
        recording = recording[10 + recording[9] :]
    tag = id3(b"TIT2" + bytes(500)) + id3(b"APIC" + bytes(70_000)) + bytes(300)
    found = look(tmp_path, tag + recording)
    assert isinstance(found, Sniffed)
    assert found.start_byte == len(tag)


def test_junk_before_the_first_frame_is_skipped(tmp_path: Path) -> None:
    """A recording cut out of a stream begins within a frame."""
    found = look(tmp_path, encoded("mp3", speech(2.0))[3_001:])
    assert isinstance(found, Sniffed)
    assert found.container is Container.MP3


def test_single_frame_headers_in_noise_are_no_recording(tmp_path: Path) -> None:
    """Random bytes hold many frame headers, and no chain of them."""
    noise = bytearray(bytes(i * 73 + (i >> 3) * 31 & 0xFF for i in range(200_000)))
    noise[5_000:5_004] = b"\xff\xfb\x90\x00"
    assert look(tmp_path, bytes(noise)) is Disguise.NOT_AUDIO


@pytest.mark.parametrize(
    "head",
    [
        wav_header(data_bytes=1_000, channels=255, rate=768_000, bits=32),
        wav_header(data_bytes=1_000, channels=9),
        wav_header(data_bytes=1_000, rate=0),
    ],
)
def test_figures_no_recording_has_are_seen(tmp_path: Path, head: bytes) -> None:
    """255 channels at 768 kHz are refused by the header alone."""
    found = look(tmp_path, head + bytes(1_000))
    assert isinstance(found, Sniffed)
    assert found.too_wide


def test_a_wav_that_says_nothing_about_its_length_is_unknown(tmp_path: Path) -> None:
    """A recorder that lost its power leaves a length of zero: that is no lie and no cut."""
    for length in (0, 0xFFFFFFFF):
        found = look(tmp_path, wav_header(data_bytes=length) + bytes(2 * RATE))
        assert isinstance(found, Sniffed)
        assert (found.declared_s, found.cut) == (None, None)


@pytest.mark.parametrize("size", [1, 3, 4, 8, 11, 12, 20, 27, 28, 40, 43])
@pytest.mark.parametrize("kind", ["mp3", "wav", "flac", "m4a", "aac", "opus", "webm"])
def test_the_first_bytes_alone_never_hurt(tmp_path: Path, kind: str, size: int) -> None:
    """A file that ends within its header is looked at without an error."""
    found = look(tmp_path, encoded(kind, speech(0.3))[:size])
    assert isinstance(found, Sniffed | Disguise)
