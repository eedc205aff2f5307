"""The sensor behind an amplifier: a file that reads `1` while something there hears sound (evidence of grade E3)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

HELD_S = 1.5
"""Pauses of speech that are no silence: so long after sound the loudspeaker still counts as sounding."""


@dataclass(slots=True)
class Sensed:
    """How long an airing was heard behind the amplifier. start_s, end_s: CLOCK_MONOTONIC."""

    start_s: float
    end_s: float
    heard_s: float = 0.0
    seen_s: float = 0.0

    @property
    def share(self) -> float | None:
        """0..1 of the time in which the sensor could be read; None where that was less than half of the airing."""
        length_s = self.end_s - self.start_s
        if length_s <= 0 or self.seen_s < length_s / 2:
            return None
        return round(min(1.0, self.heard_s / self.seen_s), 3)


@dataclass(slots=True)
class Sensor:
    """Reads the file of one output, four times a second, and adds up for each airing that is going on."""

    path: Path
    sounds: bool | None = None
    airings: dict[str, Sensed] = field(default_factory=dict)
    _looked_s: float | None = None
    _heard_s: float = float("-inf")

    def look(self, now_s: float) -> None:
        """Read the file and count the time since the look before. now_s: CLOCK_MONOTONIC."""
        try:
            self.sounds = self.path.read_text(encoding="ascii", errors="replace").strip() == "1"
        except OSError:
            self.sounds = None
        before_s, self._looked_s = self._looked_s, now_s
        if self.sounds:
            self._heard_s = now_s
        if before_s is None or self.sounds is None:
            return
        held = now_s - self._heard_s <= HELD_S
        for sensed in self.airings.values():
            during_s = max(0.0, min(now_s, sensed.end_s) - max(before_s, sensed.start_s))
            sensed.seen_s += during_s
            sensed.heard_s += during_s if held else 0.0

    def expect(self, airing: str, *, start_s: float, end_s: float) -> None:
        """Begin to add up for an airing."""
        self.airings[airing] = Sensed(start_s=start_s, end_s=end_s)

    def over(self, airing: str, *, ended_s: float) -> None:
        """Note when it ended."""
        sensed = self.airings.get(airing)
        if sensed is not None:
            sensed.end_s = min(sensed.end_s, max(ended_s, sensed.start_s))

    def finished(self, now_s: float) -> dict[str, Sensed]:
        """Return the airings that are over, and forget them."""
        over = {airing: sensed for airing, sensed in self.airings.items() if sensed.end_s < now_s - HELD_S}
        for airing in over:
            del self.airings[airing]
        return over
