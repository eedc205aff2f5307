"""What a network stream is made of, decoded by FFmpeg."""

from __future__ import annotations

import io

import av
import numpy as np
import pytest

from playout.outputs.encoding import Encoder, OpusPackets, encoder_for
from playout.source import RATE_HZ

SECONDS = 3


@pytest.mark.parametrize(("form", "container", "most_behind"), [("mp3", "mp3", 8000), ("opus", "ogg", 6000)])
def test_a_stream_decodes_whole_and_says_how_far_it_is(form: str, container: str, most_behind: int) -> None:
    """A tone comes out as that tone; what is called complete is never more than was given or than can be decoded."""
    tone = _tone()
    encoder: Encoder = encoder_for(form, kbps=64, serial=7)()
    stream, end = bytearray(), 0
    for given in range(0, len(tone), 960):
        for encoded in encoder.encode(tone[given : given + 960].tobytes()):
            stream += encoded.data
            assert end <= encoded.end <= given + 960
            end = encoded.end
    assert len(tone) - most_behind < end <= len(tone)
    with av.open(io.BytesIO(bytes(stream))) as opened:
        assert opened.format.name == container
        heard = np.concatenate([frame.to_ndarray()[0] for frame in opened.decode(audio=0)])
    assert len(heard) >= end
    spectrum = np.abs(np.fft.rfft(heard[RATE_HZ : 2 * RATE_HZ].astype(float)))
    assert int(np.argmax(spectrum)) == 440


def test_every_stream_begins_anew() -> None:
    """A second connection gets headers of its own: the first bytes of two streams are alike."""
    make = encoder_for("opus", kbps=32, serial=7)
    silence = bytes(9600)
    first, second = make().encode(silence), make().encode(silence)
    assert first == second
    assert first[0].data.startswith(b"OggS")
    assert b"OpusHead" in first[0].data


def test_opus_packets_are_20_ms_each() -> None:
    """Four chunks of 20 ms are four packets, however they were cut when they came."""
    encoder = OpusPackets(kbps=32)
    packets = [packet for size in (100, 1820, 1920, 3840) for packet in encoder.encode(bytes(size))]
    assert len(packets) == 4
    assert packets[-1].end <= 4 * 960


def _tone() -> np.ndarray:
    return (8000 * np.sin(2 * np.pi * 440 * np.arange(SECONDS * RATE_HZ) / RATE_HZ)).astype("<i2")
