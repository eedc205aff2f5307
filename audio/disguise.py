"""Text that was sent as a recording: mostly a playlist, by which a player would fetch and air something else."""

from __future__ import annotations

import re
from enum import StrEnum


class Disguise(StrEnum):
    """What a file is instead of a recording."""

    PLAYLIST = "playlist"
    NOT_AUDIO = "not_audio"


_PLAYLIST = re.compile(
    r"""\#EXT|\[playlist\]|\[reference\]
    |<\s*(?:\w+:)?(?:asx|smil|mpd|playlist|rss|wpl)\b
    |^\s*ffconcat\b|^v=0\s*$
    |^\s*file\s+['"]|^\s*track\s+\d+\s+audio|^\s*(?:file|ref)\d+\s*=
    |^\s*["']?[a-z][a-z0-9+.-]{1,14}:(?://|\S*[./])\S+
    |^[^<>{}\n]{1,200}\.(?:mp3|wav|flac|m4a|aac|ogg|oga|opus|wma|ts|mp4|m3u8?|pls)\s*["']?\s*$""",
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff")
_PLAIN = frozenset(b"\t\n\r\f") | frozenset(range(0x20, 0x7F)) | frozenset(range(0x80, 0x100))


def is_text(head: bytes) -> bool:
    """Return whether the first bytes are for reading: no control characters, many ASCII letters."""
    if head[:2] in _WIDE_MARKS:
        # The second bytes of UTF-16 letters are zero; of sound after such a frame header they are not.
        return len(head) >= 8 and 0 in (head[2] | head[4] | head[6], head[3] | head[5] | head[7])
    sample = head.removeprefix(b"\xef\xbb\xbf")
    # A few lines may stand before something else; in longer text there may be many Vietnamese letters.
    return _reads_as_text(sample[:24], high_share=0.2) or _reads_as_text(sample[:200], high_share=0.5)


def _reads_as_text(sample: bytes, *, high_share: float) -> bool:
    high = sum(byte > 0x7F for byte in sample)
    return bool(sample) and _PLAIN.issuperset(sample) and high < len(sample) * high_share


def kind_of_text(head: bytes) -> Disguise:
    """Return whether the text names other files to be played."""
    wide = head[:2] in _WIDE_MARKS
    text = head.decode("utf-16" if wide else "utf-8-sig", errors="replace")
    return Disguise.PLAYLIST if _PLAYLIST.search(text) else Disguise.NOT_AUDIO
