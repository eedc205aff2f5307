"""Equipment of a simulated station that hears, relays and switches as a test says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from playout.ears.earkeeper import Heard
from playout.equipment import News, View
from playout.faults import FaultBook
from playout.player.pieces import Piece
from playout.specs import OutputSpec
from schedules.airing import Airing
from schedules.clock import Clock
from schedules.relaying import SourceState


class SimulatedEquipment:
    """One ear at the output `main` and one relay.

    listens: whether an ear is there. hears: what share of an airing it finds again, None for nothing told at all.
    source: how the relay is, and since how many seconds.
    """

    damaged: frozenset[str] = frozenset()

    def __init__(self, clock: Clock) -> None:
        self.listens = True
        self.power = True
        self.hears: float | None = 1.0
        self.tells_after_s = 3.0
        self.source: tuple[SourceState, float] = (SourceState.FLOWING, 60.0)
        self.views: list[View] = []
        self.slots: dict[str, str] = {}
        self.holes: list[float] = []
        self.closed = 0
        self._clock = clock
        self._over: list[tuple[float, str]] = []

    def __call__(self, *, faults: FaultBook, append: Callable[[str, dict[str, Any]], None]) -> SimulatedEquipment:
        """Be the equipment of the station that starts now."""
        self._over = []
        return self

    def step(self, view: View) -> News:
        """Tell of what was over long enough ago."""
        self.views = [view]
        now_s = self._clock.monotonic()
        due = [airing for at, airing in self._over if now_s - at >= self.tells_after_s]
        self._over = [(at, airing) for at, airing in self._over if airing not in due]
        if self.hears is None:
            return News()
        heard = tuple(self._heard(airing, self.hears) for airing in due)
        return News(rows=tuple(one.as_row() for one in heard), heard=heard)

    def _heard(self, airing: str, share: float) -> Heard:
        end = self._clock.now()
        return Heard(
            slot=self.slots[airing],
            airing=airing,
            output="main",
            grade="E2",
            begin=end - timedelta(seconds=40),
            end=end,
            share=share,
            matched_s=40 * share,
            silent_s=40 - 40 * share,
            foreign_s=0.0,
            source="main.monitor",
        )

    def listens_to(self, output: str) -> bool:
        """As it was said."""
        return self.listens

    def began(self, *, airing: str, slot: str, pieces: tuple[Piece, ...], **more: object) -> None:
        """Remember the airing."""
        self.slots[airing] = slot

    def ended(self, airing: str, *, ended_ns: int) -> None:
        """Tell of it a little later."""
        if airing in self.slots:
            self._over.append((self._clock.monotonic(), airing))

    def settled(self, airing: Airing) -> None:
        """Nothing to record."""

    def recall(self, verdicts: Iterable[Mapping[str, Any]], evidence: Iterable[Mapping[str, Any]]) -> None:
        """Nothing to go on with."""

    def heard_holes(self, seconds: float) -> bool:
        """Remember the holes; many of them are for a new player."""
        self.holes.append(seconds)
        return seconds > 3

    def ear_state(self, output: str) -> str | None:
        """Always well."""
        return "hearing"

    def amplifier_state(self, output: str) -> str | None:
        """None is there."""
        return None

    def hold_amplifiers(self, until: float | None) -> None:
        """None is there."""

    def opening(self, output: OutputSpec) -> Mapping[str, Any]:
        """Nothing more to know."""
        return {}

    def relay_pipe(self, code: str) -> Path | None:
        """A name, as the simulated player reads none."""
        return Path("/nowhere")

    def relay_state(self, code: str) -> tuple[SourceState, float]:
        """As it was said."""
        return self.source

    def microphone_pipe(self, name: str) -> Path:
        """A name, as the simulated player reads none."""
        return Path("/nowhere")

    def has_power(self, output: str) -> bool:
        """Return what the test set: whether the amplifier has power."""
        return self.power

    def close(self) -> None:
        """Count it."""
        self.closed += 1
