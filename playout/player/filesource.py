"""The plain file reader behind the Source interface: starts on any sample, and runs as fast as the bus asks."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque

import soundfile

from playout.source import RATE_HZ, SAMPLE_BYTES, Source

_AHEAD_SAMPLES = 2 * RATE_HZ
_STEP_SAMPLES = RATE_HZ // 4


class FileSource:
    """Reads the FLAC file behind an open descriptor with libsndfile; each read decodes on the spot.

    The descriptor stays the caller's and may be shared: it is opened anew by its number, so that positions are apart.
    """

    kind = "file"
    live = False

    def __init__(self, descriptor: int, *, from_sample: int) -> None:
        self._failure: str | None = None
        self._file: soundfile.SoundFile | None = None
        self._left = 0
        try:
            self._file = soundfile.SoundFile(f"/proc/self/fd/{descriptor}")
            self._file.seek(from_sample)
            self._left = self._file.frames - from_sample
        except (OSError, RuntimeError) as error:
            self._fail(str(error))

    def available(self) -> int:
        """Return what is left of the file: every sample of it can be read at once."""
        return self._left

    def read(self, samples: int) -> bytes:
        """Decode up to `samples` samples."""
        if self._file is None:
            return b""
        try:
            pcm: bytes = self._file.read(min(samples, self._left), dtype="int16").astype("<i2").tobytes()
        except (OSError, RuntimeError) as error:
            self._fail(str(error))
            return b""
        got = len(pcm) // SAMPLE_BYTES
        self._left -= got
        if got == 0 and self._left > 0:
            self._fail("the file ends early")
        return pcm

    def skip(self, samples: int) -> None:
        """Nothing: a file waits."""

    def failure(self) -> str | None:
        """Say why decoding ended, None while all is well."""
        return self._failure

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
        self._left = 0

    def _fail(self, why: str) -> None:
        self._failure = why
        self.close()


class AheadSource:
    """Reads another source ahead in a thread of its own, so that a slow disk never holds the bus."""

    live = False

    def __init__(self, descriptor: int, *, from_sample: int) -> None:
        # A duplicate, since the thread may still be reading when the item is over and its descriptor closed.
        self._descriptor = os.dup(descriptor)
        self._from_sample = from_sample
        self._chunks: deque[bytes] = deque()
        self._held = 0
        self._failure: str | None = None
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="file-source", daemon=True)

    @property
    def kind(self) -> str:
        """The same as of the source that it reads."""
        return FileSource.kind

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def available(self) -> int:
        """Return how many samples were read ahead."""
        return self._held

    def read(self, samples: int) -> bytes:
        """Take up to `samples` of the samples read ahead."""
        with self._changed:
            pcm = take(self._chunks, samples * SAMPLE_BYTES)
            self._held -= len(pcm) // SAMPLE_BYTES
            self._changed.notify()
        return pcm

    def skip(self, samples: int) -> None:
        """Nothing: a file waits."""

    def failure(self) -> str | None:
        """Say why decoding ended, None while all is well."""
        return self._failure

    def close(self) -> None:
        """Let the thread end."""
        with self._changed:
            self._closed = True
            self._chunks.clear()
            self._held = 0
            self._changed.notify()

    def _run(self) -> None:
        with contextlib.closing(FileSource(self._descriptor, from_sample=self._from_sample)) as source:
            os.close(self._descriptor)
            self._pump(source)

    def _pump(self, source: Source) -> None:
        while pcm := source.read(_STEP_SAMPLES):
            if not self._keep(pcm):
                return
        self._failure = source.failure()

    def _keep(self, pcm: bytes) -> bool:
        """Hold `pcm` and wait until there is room for more; return whether more is wanted."""
        with self._changed:
            if not self._closed:
                self._chunks.append(pcm)
                self._held += len(pcm) // SAMPLE_BYTES
            self._changed.wait_for(lambda: self._closed or self._held < _AHEAD_SAMPLES)
            return not self._closed


def take(chunks: deque[bytes], size: int) -> bytes:
    """Remove the first `size` bytes from `chunks`, fewer where there are not so many."""
    taken: list[bytes] = []
    while size > 0 and chunks:
        chunk = chunks.popleft()
        if len(chunk) > size:
            chunks.appendleft(chunk[size:])
            chunk = chunk[:size]
        taken.append(chunk)
        size -= len(chunk)
    return b"".join(taken)
