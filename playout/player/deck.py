"""Decks: libvlc decodes our FLAC ahead of time into memory, bit by bit the file's samples; the clock is the bus's."""

from __future__ import annotations

import ctypes
import queue
import threading
import time
from collections import deque
from collections.abc import Callable

import vlc

from playout.player.filesource import take
from playout.source import NS_PER_S, RATE_HZ, SAMPLE_BYTES

_OPTIONS = (
    "--quiet",
    "--intf=dummy",
    "--no-video",
    "--no-xlib",
    "--no-spu",
    "--no-osd",
    "--no-stats",
    "--no-sub-autodetect-file",
    "--no-audio-time-stretch",
    "--audio-replay-gain-mode=none",
    # Strict: whatever is not raw FLAC has no demuxer, so a playlist in disguise is never followed.
    "--demux=flac",
)
_FIRST_SAMPLES_NS = 800_000_000
_HANG_NS = 3 * NS_PER_S
# libvlc decodes 1.15 s ahead of a deck that is started 2 s ahead. More than this means that nobody reads.
_RING_SAMPLES = 12 * RATE_HZ
_PTS_TOLERANCE_US = 2_000


class Decks:
    """One libvlc instance and the one thread that touches it; callbacks of libvlc only enqueue."""

    def __init__(self) -> None:
        self._commands: queue.SimpleQueue[Callable[[vlc.Instance], None] | None] = queue.SimpleQueue()
        self._busy_since_ns: int | None = None
        self._thread = threading.Thread(target=self._run, name="libvlc", daemon=True)

    def start(self) -> None:
        """Begin to load libvlc; takes about 0.1 s, in the thread."""
        self._thread.start()

    def close(self) -> None:
        """Let the thread end after what it has to do."""
        self._commands.put(None)

    def submit(self, command: Callable[[vlc.Instance], None]) -> None:
        """Run `command` in the thread, in order."""
        self._commands.put(command)

    def hung(self) -> bool:
        """Return whether a call into libvlc has not come back for 3 s: these decks are lost, make new ones."""
        since_ns = self._busy_since_ns
        return since_ns is not None and time.monotonic_ns() - since_ns > _HANG_NS

    def _run(self) -> None:
        self._busy_since_ns = time.monotonic_ns()
        instance = vlc.Instance(*_OPTIONS)
        self._busy_since_ns = None
        while (command := self._commands.get()) is not None:
            self._busy_since_ns = time.monotonic_ns()
            command(instance)
            self._busy_since_ns = None


class DeckSource:
    """One file on a deck, from its first sample; tried twice before it reports a failure."""

    kind = "libvlc"
    live = False

    def __init__(self, decks: Decks, descriptor: int) -> None:
        self._decks = decks
        self._path = f"/proc/self/fd/{descriptor}"
        self._take: _Take | None = None
        self._takes = 0
        self._failure: str | None = None

    def start(self) -> None:
        """Begin to decode."""
        self._takes += 1
        self._take = _Take(self._path)
        self._decks.submit(self._take.play)

    def available(self) -> int:
        """Return how many samples are decoded; starts a second take where the first gave nothing in 0.8 s."""
        if self._take is None:
            return 0
        if self._take.silent_too_long():
            self._abandon()
            if self._takes < 2:
                self.start()
            else:
                self._failure = "libvlc gave no samples, twice"
            return 0
        if self._take.trouble is not None:
            self._failure = self._take.trouble
        return self._take.held

    def read(self, samples: int) -> bytes:
        """Take up to `samples` decoded samples."""
        return self._take.read(samples) if self._take is not None else b""

    def skip(self, samples: int) -> None:
        """Nothing: a deck waits."""

    def failure(self) -> str | None:
        """Say why libvlc is given up, None while all is well."""
        return self._failure

    def close(self) -> None:
        """Stop the deck, in its thread and its own time."""
        self._abandon()

    def _abandon(self) -> None:
        if self._take is not None:
            self._decks.submit(self._take.stop)
            self._take = None


class _Take:
    """One media player with its ring of samples."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._chunks: deque[bytes] = deque()
        self._lock = threading.Lock()
        self._player: vlc.MediaPlayer | None = None
        self._media: vlc.Media | None = None
        self._began_ns = time.monotonic_ns()
        self._next_pts_us: float | None = None
        self._came = 0
        self.held = 0
        self.trouble: str | None = None
        # Kept here: libvlc holds only the bare pointer.
        self._callback = vlc.CallbackDecorators.AudioPlayCb(self._on_samples)

    def play(self, instance: vlc.Instance) -> None:
        """Open and play; called in the libvlc thread."""
        self._media = instance.media_new_path(self._path)
        self._player = instance.media_player_new()
        self._player.set_media(self._media)
        self._player.audio_set_callbacks(self._callback, None, None, None, None, None)
        self._player.audio_set_format("S16N", RATE_HZ, 1)
        self._began_ns = time.monotonic_ns()
        self._player.play()

    def stop(self, instance: vlc.Instance) -> None:
        """Stop and free; called in the libvlc thread, never from a callback, where it would deadlock."""
        if self._player is not None and self._media is not None:
            self._player.stop()
            self._player.release()
            self._media.release()
            self._player = self._media = None
        with self._lock:
            self._chunks.clear()
            self.held = 0

    def silent_too_long(self) -> bool:
        """Return whether nothing came since the start for 0.8 s."""
        return self._came == 0 and time.monotonic_ns() - self._began_ns > _FIRST_SAMPLES_NS

    def read(self, samples: int) -> bytes:
        """Take up to `samples` samples."""
        with self._lock:
            pcm = take(self._chunks, samples * SAMPLE_BYTES)
            self.held -= len(pcm) // SAMPLE_BYTES
        return pcm

    def _on_samples(self, _data: int, samples: int, count: int, pts_us: int) -> None:
        if self.trouble is not None:
            return
        expected_us = self._next_pts_us
        if expected_us is not None and abs(pts_us - expected_us) > _PTS_TOLERANCE_US:
            # libvlc drops what it believes to be late and says nothing but this.
            self.trouble = f"libvlc left out {(pts_us - expected_us) / 1e6:.3f} s"
            return
        self._next_pts_us = (pts_us if expected_us is None else expected_us) + count * 1e6 / RATE_HZ
        if self.held > _RING_SAMPLES:
            self.trouble = "nobody reads the deck"
            return
        pcm = ctypes.string_at(samples, count * SAMPLE_BYTES)
        with self._lock:
            self._chunks.append(pcm)
            self._came += count
            self.held += count
