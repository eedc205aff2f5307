"""What a station has around its player: streams, amplifiers, relays, ears, and the look at its own health."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from playout.amplifier import AmplifierKeeper, amplifiers_wanted
from playout.faults import FaultBook
from playout.relaykeeper import RelayKeeper
from playout.senderkeeper import NETWORK_KINDS, SenderKeeper, socket_path
from playout.specs import InputSpec, OutputSpec
from schedules.airing import Run
from schedules.clock import Clock
from schedules.grid import SlotId
from schedules.relaying import SourceState, sources_wanted
from schedules.rundown import RundownItem
from schedules.sources import RelaySource, SourceCode


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What the station knows at a tick. items: the next minutes of the plan. runs: what sounds, also beside it."""

    now: datetime
    items: Sequence[RundownItem]
    runs: Mapping[SlotId, Run]
    settled: Collection[SlotId]
    sources: Iterable[RelaySource]
    microphone: str | None = None


class Equipment:
    """Everything around the player of one station. Used by the station's thread only; nothing here waits."""

    def __init__(
        self,
        *,
        outputs: tuple[OutputSpec, ...],
        inputs: tuple[InputSpec, ...],
        folder: Path,
        clock: Clock,
        faults: FaultBook,
        append: Callable[[str, dict[str, Any]], object],
    ) -> None:
        self._outputs = outputs
        self._folder = folder
        self._senders = SenderKeeper(specs=outputs, run=folder, faults=faults, clock=clock)
        self._amplifiers = AmplifierKeeper(outputs, clock=clock, faults=faults, append=append)
        self._relays = RelayKeeper(folder=folder, inputs=inputs, clock=clock, faults=faults)

    def step(self, view: View) -> None:
        """Let everything be as it should be now."""
        self._senders.keep(self._senders.names)
        wanted = amplifiers_wanted(view.items, view.runs, view.settled, view.now, self._outputs)
        self._amplifiers.keep(wanted)
        microphones = () if view.microphone is None else (view.microphone,)
        self._relays.keep(sources_wanted(view.items, view.sources, view.now), microphones)

    def hold_amplifiers(self, until: float | None) -> None:
        """Hold the amplifiers off until a monotonic time: the power flaps."""
        self._amplifiers.hold(until)

    def opening(self, output: OutputSpec) -> Mapping[str, Any]:
        """Return what the player must know of an output beside what config.yaml says."""
        if output.kind not in NETWORK_KINDS:
            return {}
        return {"socket": str(socket_path(self._folder, output.name))}

    def relay_pipe(self, code: SourceCode) -> Path | None:
        """Return where the sound of a source comes, None where it is not open."""
        try:
            return self._relays.pipe(code)
        except KeyError:
            return None

    def relay_state(self, code: SourceCode) -> tuple[SourceState, float]:
        """Return how a source is, and for how many seconds."""
        return self._relays.state(code), self._relays.lasting_s(code)

    def microphone_pipe(self, name: str) -> Path:
        """Return where the sound of a microphone comes."""
        return self._relays.microphone_pipe(name)

    def amplifier_state(self, output: str) -> str | None:
        """Return `on`, `off` or `fault`, None where there is no amplifier."""
        return self._amplifiers.state(output)

    def close(self) -> None:
        """Switch off and end everything."""
        self._amplifiers.end()
        self._relays.close()
        self._senders.close()
