"""The shape of a recording as a row of numbers, for drawing its waveform on a page."""

from __future__ import annotations

import io
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

_BLOCK = 48_000
_FULL_SCALE = {"s16": 32_768.0, "s16p": 32_768.0, "s32": 2_147_483_648.0}


def peaks(path: Path, *, count: int) -> list[int]:
    """Return the highest sample of each of `count` equal stretches, 0..100 of full scale.

    path: a canonical file of ours, read in constant memory; never an upload. Raises ValueError below one.
    """
    if count < 1:
        raise ValueError("a waveform has at least one stretch")
    with av.open(str(path), "r", format="flac") as container:
        stream = container.streams.audio[0]
        total = int((stream.duration or 0) * (stream.time_base or 0) * stream.rate)
        highest = np.zeros(count, dtype=np.int32)
        position = 0
        waiting: list[npt.NDArray[np.int16]] = []

        def take() -> None:
            nonlocal position
            block = np.abs(np.concatenate(waiting).astype(np.int32))
            waiting.clear()
            places = np.minimum((np.arange(len(block)) + position) * count // max(total, 1), count - 1)
            np.maximum.at(highest, places, block)
            position += len(block)

        for frame in container.decode(stream):
            waiting.append(np.asarray(frame.to_ndarray(), dtype=np.int16).reshape(-1))
            if sum(map(len, waiting)) >= _BLOCK:
                take()
        if waiting:
            take()
    return [int(value) for value in np.ceil(highest * 100 / 32_768)]


def recorded_peaks(content: bytes, *, kind: str, skip_s: float, seconds: float, count: int) -> list[int]:
    """Return the highest sample of each of `count` equal stretches of `seconds`, 0..100; 0 where nothing was recorded.

    content: a recording that Loa made itself, whole; kind: its container, `mp4` or `flac`.
    skip_s: where the stretch begins in it; less than 0 where the recording begins later.
    """
    highest = np.zeros(count, dtype=np.float64)
    with av.open(io.BytesIO(content), "r", format=kind) as container:
        stream = container.streams.audio[0]
        position = 0
        for frame in container.decode(stream):
            block = np.abs(np.asarray(frame.to_ndarray(), dtype=np.float64))
            # Frames are some 20 ms long: the place of their first sample serves for all of them.
            place = int((position / stream.rate - skip_s) / seconds * count) if seconds > 0 else -1
            if 0 <= place < count and block.size:
                highest[place] = max(highest[place], float(block.max()) / _FULL_SCALE.get(frame.format.name, 1.0))
            position += frame.samples
    return [min(100, int(np.ceil(value * 100))) for value in highest]
