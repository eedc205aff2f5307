"""A real player child with everything it says, for the tests of playout and of sound."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np
import soundfile

from playout.benches.soundlab import Samples, wait_until
from playout.player.playerprocess import PlayerProcess
from playout.source import NS_PER_S, RATE_HZ
from schedules.errors import OutputError


class Stage:
    """One player process, its files and its events."""

    def __init__(self, folder: Path, *, environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.events: list[dict[str, object]] = []
        self.exit_codes: list[int] = []
        self.rng = np.random.default_rng(11)
        self.player = PlayerProcess(
            station="LONGHIEP",
            on_event=lambda event: self.events.append({**event, "at_ns": time.monotonic_ns()}),
            on_exit=self.exit_codes.append,
            environment=environment,
        )

    def open(self, *outputs: Mapping[str, object], aircheck: Path | None = None) -> None:
        """Start the child and open its outputs."""
        self.player.start()
        self.player.send(
            {
                "do": "open",
                "station": "LONGHIEP",
                "outputs": list(outputs),
                "aircheck": {"folder": str(aircheck)} if aircheck else None,
                "wall_offset_ns": time.time_ns() - time.monotonic_ns(),
            }
        )

    def close(self) -> None:
        """End the child, whatever it does."""
        with suppress(OutputError):
            self.player.kill()
        self.player.join(5)

    def noise(self, seconds: float) -> Samples:
        """Return noise that is like nothing else."""
        return self.rng.integers(-8000, 8000, round(seconds * RATE_HZ)).astype(np.int16)

    def arm(
        self,
        airing: str,
        sound: Samples,
        *,
        start_ns: int,
        from_sample: int = 0,
        after: str | None = None,
        outputs: list[str] | None = None,
    ) -> None:
        """Put `sound` into a FLAC file and order its airing."""
        path = self.folder / f"{hashlib.sha256(sound.tobytes()).hexdigest()[:16]}.flac"
        soundfile.write(path, sound, RATE_HZ, subtype="PCM_16")
        self.arm_file(airing, path, sound, start_ns=start_ns, from_sample=from_sample, after=after, outputs=outputs)

    def arm_file(
        self,
        airing: str,
        path: Path,
        sound: Samples,
        *,
        start_ns: int,
        sha256: str | None = None,
        from_sample: int = 0,
        after: str | None = None,
        outputs: list[str] | None = None,
    ) -> None:
        """Order an airing of a file that is there already."""
        self.player.send(
            {
                "do": "arm",
                "airing": airing,
                "path": str(path),
                "sha256": sha256 or hashlib.sha256(path.read_bytes()).hexdigest(),
                "pcm_sha256": hashlib.sha256(sound.tobytes()).hexdigest(),
                "samples": len(sound),
                "from_sample": from_sample,
                "start_ns": start_ns,
                "after": after,
                "outputs": outputs,
            }
        )

    def told(self, kind: str, **fields: object) -> list[dict[str, object]]:
        """Return the events of a kind whose fields are these."""
        return [
            event
            for event in list(self.events)
            if event["event"] == kind and all(event.get(name) == value for name, value in fields.items())
        ]

    def wait(self, kind: str, *, timeout_s: float = 10, **fields: object) -> dict[str, object]:
        """Return the first such event, waiting for it."""
        wait_until(
            lambda: bool(self.told(kind, **fields)),
            timeout_s=timeout_s,
            what=f"{kind} {fields}; {self.player.last_words}",
        )
        return self.told(kind, **fields)[0]

    def wait_after(self, since_ns: int, kind: str, *, timeout_s: float = 10, **fields: object) -> float:
        """Return how many seconds after `since_ns` such an event came, waiting for it."""

        def later() -> list[int]:
            return [event["at_ns"] for event in self.told(kind, **fields) if event["at_ns"] > since_ns]

        wait_until(lambda: bool(later()), timeout_s=timeout_s, what=f"{kind} {fields}")
        return (later()[0] - since_ns) / NS_PER_S


def in_s(seconds: float) -> int:
    """Return the monotonic instant so many seconds from now."""
    return time.monotonic_ns() + round(seconds * NS_PER_S)


def wait_for_instant(instant_ns: int) -> None:
    """Return when `instant_ns` is past."""
    wait_until(
        lambda: time.monotonic_ns() >= instant_ns,
        timeout_s=max(0.0, (instant_ns - time.monotonic_ns()) / NS_PER_S) + 5,
        what="an instant",
    )
