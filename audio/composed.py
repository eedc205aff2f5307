"""Several recordings of ours heard as one sound: pieces of HLS made when they are asked for, sample after sample."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.error
import numpy as np
import numpy.typing as npt

from audio.boxes import whole_boxes
from audio.rates import RATE_HZ
from schedules.errors import LoaError

_CODED = 4_608
_PIECE = 104 * _CODED
_WAY = {
    "movflags": "+empty_moov+default_base_moof+skip_trailer+frag_custom",
    "use_editlist": "0",
    "fflags": "+bitexact",
}

Pcm = npt.NDArray[np.int16]


class SoundUnreadable(LoaError):
    """A file of the library cannot be decoded, or holds less than was said; the text names the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """One recording: its canonical FLAC, and its length in samples at 48 kHz."""

    path: Path
    samples: int


def playlist(samples: int) -> str:
    """Return the list of pieces of a sound of so many samples; every name in it is `head.mp4` or `<number>.m4s`."""
    lengths = [min(_PIECE, samples - first) / RATE_HZ for first in range(0, samples, _PIECE)]
    return "".join(
        [
            "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:10\n#EXT-X-PLAYLIST-TYPE:VOD\n",
            '#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-MAP:URI="head.mp4"\n',
            *(f"#EXTINF:{length:.6f},\n{number}.m4s\n" for number, length in enumerate(lengths)),
            "#EXT-X-ENDLIST\n",
        ]
    )


def head() -> bytes:
    """Return what a player must read before any piece; it is the same for every sound."""
    return _boxes(np.zeros(_CODED, dtype=np.int16), number=0)[0]


def piece(sounds: Sequence[Sound], number: int) -> bytes | None:
    """Return one piece of the sounds in their order, without a gap between them; None past their end.

    Only the recordings that the piece touches are opened. Raises SoundUnreadable.
    """
    first = number * _PIECE
    if number < 0 or first >= sum(sound.samples for sound in sounds):
        return None
    return _boxes(np.concatenate(list(_stretches(sounds, first, first + _PIECE))), number=number)[1]


def _stretches(sounds: Sequence[Sound], first: int, last: int) -> Iterator[Pcm]:
    begin = 0
    for sound in sounds:
        end = begin + sound.samples
        if begin < last and first < end:
            yield _samples(sound.path, max(first, begin) - begin, min(last, end) - begin)
        begin = end


def _samples(path: Path, first: int, last: int) -> Pcm:
    """Return samples `[first, last)` of one file."""
    found: list[Pcm] = []
    try:
        with av.open(str(path), "r", format="flac") as container:
            stream = container.streams.audio[0]
            if first:
                container.seek(first, stream=stream)
            for frame in container.decode(stream):
                block = np.asarray(frame.to_ndarray(), dtype=np.int16).reshape(-1)
                at = frame.pts or 0
                if at >= last:
                    break
                found.append(block[max(0, first - at) : max(0, last - at)])
    except (av.error.FFmpegError, OSError) as error:
        raise SoundUnreadable(path.name) from error
    joined = np.concatenate(found) if found else np.zeros(0, dtype=np.int16)
    if len(joined) != last - first:
        raise SoundUnreadable(path.name)
    return joined


def _boxes(samples: Pcm, *, number: int) -> tuple[bytes, bytes]:
    """Return head and fragment of these samples, which are piece `number` of a longer sound."""
    written = _Written()
    with av.open(written, "w", format="mp4", container_options=_WAY, buffer_size=65_536) as container:
        stream = container.add_stream("flac", rate=RATE_HZ, layout="mono", format="s16")
        stream.codec_context.options = {"flags": "+bitexact", "compression_level": "5"}
        for at in range(0, len(samples), _CODED):
            frame = av.AudioFrame.from_ndarray(samples[at : at + _CODED].reshape(1, -1), format="s16", layout="mono")
            frame.sample_rate = RATE_HZ
            frame.pts = at
            frame.time_base = Fraction(1, RATE_HZ)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    before, fragment = b"", b""
    for name, box in whole_boxes(written.data):
        if name in (b"ftyp", b"moov"):
            before += box
        elif name in (b"moof", b"mdat"):
            fragment += _placed(box, number) if name == b"moof" else box
    return before, fragment


def _placed(moof: bytes, number: int) -> bytes:
    """Return the fragment's head with its place in the whole: it was written as if it were the first."""
    at = moof.index(b"mfhd") + 8
    moof = moof[:at] + (number + 1).to_bytes(4, "big") + moof[at + 4 :]
    at = moof.index(b"tfdt") + 8
    return moof[:at] + (number * _PIECE).to_bytes(8, "big") + moof[at + 8 :]


class _Written:
    """What FFmpeg writes into."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes) -> int:
        """Take the next bytes."""
        self.data += data
        return len(data)
