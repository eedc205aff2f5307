"""HLS as one stream of bytes: reads playlists itself and asks for piece after piece, each through the fetcher."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass
from urllib.parse import urljoin

from playout.intakes.fetching import Fetcher, FetchFailed

MOST_PLAYLIST_BYTES = 512_000
MOST_PIECE_BYTES = 20_000_000
MOST_LINES = 20_000

_BEHIND = 3
"""How many pieces before the newest one it begins, as players of HLS do."""

_LONGEST_S = 60.0
_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"]*"|[^",]*)')
_TS_PACKET = 188


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One file of a stream. head: the file that must come before it, of fragmented MP4. cut: something new begins."""

    number: int
    url: str
    seconds: float
    head: str | None = None
    cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Playlist:
    """What a playlist says. variants: URLs of other playlists with their bits per second; then there are no pieces."""

    variants: tuple[tuple[int, str], ...] = ()
    pieces: tuple[Piece, ...] = ()
    target_s: float = 6.0
    ended: bool = False


def parse(text: str, base: str) -> Playlist:
    """Return what the playlist at the URL `base` says; raises FetchFailed for what is none or cannot be relayed."""
    lines = [line.strip() for line in text.lstrip("\ufeff").splitlines()[:MOST_LINES]]
    if not lines or lines[0] != "#EXTM3U":
        raise FetchFailed("not_audio", "not a playlist of HLS")
    variants: list[tuple[int, str]] = []
    pieces: list[Piece] = []
    target_s, number, seconds, head = 6.0, 0, 0.0, None
    cut = ended = False
    bits: int | None = None
    for line in lines:
        tag, _, value = line.partition(":")
        match tag:
            case "#EXT-X-STREAM-INF":
                bits = _whole(_attributes(value).get("BANDWIDTH", "0"))
            case "#EXT-X-TARGETDURATION":
                target_s = _seconds(value)
            case "#EXT-X-MEDIA-SEQUENCE":
                number = _whole(value)
            case "#EXTINF":
                seconds = _seconds(value.partition(",")[0])
            case "#EXT-X-MAP":
                head = urljoin(base, _attributes(value).get("URI", ""))
            case "#EXT-X-DISCONTINUITY":
                cut = True
            case "#EXT-X-ENDLIST":
                ended = True
            case "#EXT-X-KEY" if _attributes(value).get("METHOD", "NONE") != "NONE":
                raise FetchFailed("not_audio", "the stream is encrypted")
            case "#EXT-X-BYTERANGE":
                raise FetchFailed("not_audio", "pieces that are parts of files")
        if not line or line.startswith("#"):
            continue
        if bits is not None:
            variants.append((bits, urljoin(base, line)))
            bits = None
            continue
        pieces.append(Piece(number=number, url=urljoin(base, line), seconds=seconds, head=head, cut=cut))
        number, cut = number + 1, False
    return Playlist(variants=tuple(variants), pieces=tuple(pieces), target_s=target_s, ended=ended)


class HlsStream:
    """The pieces of a live stream, one after the other, as bytes of one container. Used by one thread.

    container: FFmpeg's name of what the pieces are; target_s: length of a piece. Both are known after `open`.
    """

    def __init__(self, fetcher: Fetcher, url: str, *, stopping: threading.Event) -> None:
        self._fetcher = fetcher
        self._url = url
        self._stopping = stopping
        self._next = 0
        self._head: str | None = None
        self._waiting: list[Piece] = []
        self._rest = b""
        self._cut = False
        self.container = ""
        self.target_s = 6.0

    def open(self) -> None:
        """Read the playlist and the first piece; raises FetchFailed."""
        playlist = self._load(self._url)
        if playlist.variants:
            # Speech over horns: the leanest of them is good enough and the surest to arrive.
            self._url = min(playlist.variants)[1]
            playlist = self._load(self._url)
        if playlist.variants or not playlist.pieces:
            raise FetchFailed("not_audio", "a playlist without pieces")
        if playlist.ended:
            raise FetchFailed("ended", "the playlist is of a recording that is over")
        self.target_s = playlist.target_s
        self._waiting = list(playlist.pieces[-_BEHIND:])
        self._next = self._waiting[0].number
        self._cut = False
        self._rest = self._fetch(self._waiting.pop(0), first=True)
        self.container = _container(self._rest, fragmented=self._head is not None)

    def read(self, count: int) -> bytes:
        """Return up to `count` bytes, waiting for the next piece; none where another container begins."""
        while not self._rest:
            if self._stopping.is_set():
                return b""
            if not self._waiting:
                self._wait()
                continue
            piece = self._waiting[0]
            if piece.cut or piece.head != self._head:
                # Whoever goes on opens it anew.
                self._cut = True
                return b""
            self._rest = self._fetch(self._waiting.pop(0), first=False)
        data, self._rest = self._rest[:count], self._rest[count:]
        return data

    def go_on(self) -> bool:
        """Return whether another container begins here, and open it; raises FetchFailed."""
        if not self._cut:
            return False
        self._cut = False
        self._rest = self._fetch(self._waiting.pop(0), first=True)
        self.container = _container(self._rest, fragmented=self._head is not None)
        return True

    def _wait(self) -> None:
        """Ask for the playlist until there is a new piece; raises FetchFailed where none comes."""
        deadline = time.monotonic() + 3 * self.target_s + 5.0
        while time.monotonic() < deadline:
            playlist = self._load(self._url)
            self._waiting = [piece for piece in playlist.pieces if piece.number >= self._next]
            if self._waiting:
                return
            if playlist.ended:
                raise FetchFailed("ended", "the stream is over")
            if playlist.pieces and playlist.pieces[-1].number < self._next - 1:
                raise FetchFailed("ended", "the stream began anew")
            if self._stopping.wait(min(max(0.5, self.target_s / 2), 6.0)):
                return
        raise FetchFailed("stalled", "no new piece came")

    def _load(self, url: str) -> Playlist:
        answer = self._fetcher.get(url, text=True)
        data = answer.whole(MOST_PLAYLIST_BYTES)
        return parse(data.decode("utf-8", errors="replace"), answer.url)

    def _fetch(self, piece: Piece, *, first: bool) -> bytes:
        self._next = piece.number + 1
        head = b""
        if piece.head is not None and (first or piece.head != self._head):
            head = self._fetcher.get(piece.head).whole(MOST_PIECE_BYTES)
        self._head = piece.head
        return head + _bare(self._fetcher.get(piece.url).whole(MOST_PIECE_BYTES))


def _bare(data: bytes) -> bytes:
    """Return a piece without the tag that stands before plain frames and tells their time."""
    if data[:3] != b"ID3" or len(data) < 10:
        return data
    length = data[6] << 21 | data[7] << 14 | data[8] << 7 | data[9]
    return data[10 + length :]


def _container(data: bytes, *, fragmented: bool) -> str:
    """Return FFmpeg's name for what the bytes are; raises FetchFailed for what no stream of HLS consists of."""
    if fragmented and data[4:8] in (b"ftyp", b"styp", b"moov"):
        return "mp4"
    if len(data) > _TS_PACKET and data[0] == data[_TS_PACKET] == 0x47:
        return "mpegts"
    if len(data) > 1 and data[0] == 0xFF and data[1] & 0xE0 == 0xE0:
        # The two bits of the layer are zero in ADTS only.
        return "aac" if data[1] & 0xF6 == 0xF0 else "mp3"
    raise FetchFailed("not_audio", "pieces of an unknown kind")


def _attributes(text: str) -> dict[str, str]:
    return {name: value.strip('"') for name, value in _ATTRIBUTE.findall(text)}


def _whole(text: str) -> int:
    try:
        return min(max(0, int(text.strip())), 1 << 62)
    except ValueError as error:
        raise FetchFailed("not_audio", "a playlist that cannot be read") from error


def _seconds(text: str) -> float:
    try:
        value = float(text.strip())
    except ValueError as error:
        raise FetchFailed("not_audio", "a playlist that cannot be read") from error
    return min(max(value, 0.1), _LONGEST_S) if value == value else 0.1
