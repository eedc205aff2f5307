"""What the village really heard: kept by the simulation, told by nobody, and the measure of all that is claimed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from schedules.grid import SlotId
from schedules.segment import SAMPLE_RATE_HZ


def samples_in(micros: int) -> int:
    """Return the whole samples in so many microseconds."""
    return micros * SAMPLE_RATE_HZ // 1_000_000


def micros_of(samples: int) -> int:
    """Return the microseconds of so many samples, rounded down."""
    return samples * 1_000_000 // SAMPLE_RATE_HZ


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One unbroken stretch that one output gave, true time in microseconds since 1970, `[start_us, end_us)`.

    first: the sample of the file that was heard at `start_us`. content: the hash of what was really played.
    loud_until_us: from then on it only faded.
    """

    output: str
    airing: str
    content: str
    first: int
    start_us: int
    end_us: int
    loud_until_us: int

    @property
    def slot(self) -> SlotId:
        """The slot it was played for."""
        return self.airing.rpartition("#")[0]

    @property
    def next(self) -> int:
        """The sample after the last one that was heard."""
        return self.first + samples_in(self.end_us - self.start_us)


@dataclass(slots=True)
class Loudspeaker:
    """Everything that one station's outputs gave, in the order in which it ended."""

    heard: list[Heard] = field(default_factory=list)
    by_slot: dict[SlotId, list[Heard]] = field(default_factory=dict)

    def note(self, stretch: Heard) -> None:
        """Keep a stretch that ended."""
        if stretch.end_us > stretch.start_us:
            self.heard.append(stretch)
            self.by_slot.setdefault(stretch.slot, []).append(stretch)

    def samples(self, slot: SlotId, output: str) -> int:
        """Return how many different samples of its recording were heard for `slot` at one output."""
        return covered((s.first, s.next) for s in self.by_slot.get(slot, ()) if s.output == output)


def covered(ranges: Iterable[tuple[int, int]]) -> int:
    """Return how many numbers lie in any of the half-open ranges."""
    total, reached = 0, 0
    for first, end in sorted(ranges):
        total += max(0, end - max(first, reached))
        reached = max(reached, end)
    return total
