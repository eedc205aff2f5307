"""The shape of a recording as a row of numbers, for drawing its waveform on a page."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

_BLOCK = 48_000


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
