"""What a station has around its player: streams, amplifiers, relays, ears, and the look at its own health."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from playout.ears.earkeeper import Alarm, EarKeeper, Heard
from playout.ears.listenerprocess import ListenerProcess
from playout.faults import FaultBook
from playout.health import HealthWatch
from playout.intakes.relaykeeper import RelayKeeper
from playout.lookahead import CheckedMedia, LookAhead
from playout.outputs.amplifier import AmplifierKeeper, amplifiers_wanted
from playout.outputs.senderkeeper import NETWORK_KINDS, SenderKeeper, socket_path
from playout.player.pieces import Piece
from playout.proofs.witness import AircheckWitness, Recordings
from playout.specs import HealthSpec, InputSpec, OutputSpec
from schedules.airing import Airing, Run, RunState
from schedules.clock import Clock
from schedules.grid import SlotId
from schedules.relaying import SourceState, sources_wanted
from schedules.rundown import RundownItem
from schedules.sources import RelaySource, SourceCode

_NOT_OURS = frozenset({"foreign", "unscheduled"})
"""Alarms of sound that should not be there: the amplifier is switched off for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What the station knows at a tick.

    items: the next minutes of the plan; ahead: all of it. runs: what sounds, also beside it. well: outputs that the
    player has open and that sound. emergency: one sounds or waits for its turn.
    """

    now: datetime
    items: Sequence[RundownItem]
    ahead: Sequence[RundownItem]
    runs: Mapping[SlotId, Run]
    settled: Collection[SlotId]
    sources: Iterable[RelaySource]
    well: Collection[str]
    microphone: str | None = None
    emergency: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What a tick brought. rows: bodies of kind `evidence` to write. heard: final results. replan: media changed."""

    rows: tuple[Mapping[str, Any], ...] = ()
    heard: tuple[Heard, ...] = ()
    replan: bool = False


class Equipment:
    """Everything around the player of one station. Used by the station's thread only; nothing here waits."""

    def __init__(
        self,
        *,
        outputs: tuple[OutputSpec, ...],
        inputs: tuple[InputSpec, ...],
        folder: Path,
        heard: Path,
        data: Path,
        media: CheckedMedia,
        shelf: Recordings,
        health: HealthSpec,
        clock: Clock,
        faults: FaultBook,
        append: Callable[[str, dict[str, Any]], object],
    ) -> None:
        self._outputs = outputs
        self._folder = folder
        self._senders = SenderKeeper(specs=outputs, run=folder, faults=faults, clock=clock)
        self._amplifiers = AmplifierKeeper(outputs, clock=clock, faults=faults, append=append)
        self._relays = RelayKeeper(folder=folder, inputs=inputs, clock=clock, faults=faults)
        self._ears = EarKeeper(outputs=outputs, folder=heard, clock=clock, faults=faults, make_listener=ListenerProcess)
        self._health = HealthWatch(spec=health, data=data, clock=clock, faults=faults)
        self._lookahead = LookAhead(outputs=outputs, media=media, clock=clock, faults=faults)
        self._witness = AircheckWitness(shelf, clock=clock)
        self._not_ours: set[tuple[str, str]] = set()

    @property
    def damaged(self) -> frozenset[str]:
        """Hashes of files that are on the disk and not what they should be."""
        return self._lookahead.damaged

    def step(self, view: View) -> News:
        """Let everything be as it should be now."""
        self._senders.keep(self._senders.names)
        wanted = amplifiers_wanted(view.items, view.runs, view.settled, view.now, self._outputs)
        self._amplifiers.keep(wanted)
        microphones = () if view.microphone is None else (view.microphone,)
        sounding = {run.item.relay for run in view.runs.values() if run.state is RunState.PLAYING and run.item.relay}
        self._relays.keep(sources_wanted(view.items, view.sources, view.now, sounding=sounding), microphones)
        self._health.step()
        self._health.watch_preroll(view.items, view.runs, view.settled, view.now)
        replan = self._lookahead.keep(view.ahead, view.settled, well=view.well)
        heard = []
        for news in self._ears.step():
            if isinstance(news, Heard):
                heard.append(news)
            elif news.kind in _NOT_OURS:
                self._note_alarm(news)
        self._cut_what_is_not_ours(emergency=view.emergency)
        rows = (*self._witness.step(), *(one.as_row() for one in heard))
        return News(rows=rows, heard=tuple(heard), replan=replan)

    def _note_alarm(self, alarm: Alarm) -> None:
        change = self._not_ours.add if alarm.on else self._not_ours.discard
        change((alarm.output, alarm.kind))

    def _cut_what_is_not_ours(self, *, emergency: bool) -> None:
        """Take the power from amplifiers that sound what they should not; an emergency is heard in spite of that."""
        cut = frozenset() if emergency else {output for output, _ in self._not_ours}
        for output in self._outputs:
            if output.name in cut:
                self._amplifiers.cut(output.name)
            else:
                self._amplifiers.release(output.name)

    def listens_to(self, output: str) -> bool:
        """Return whether what goes out there is heard and will be told of."""
        return self._ears.state(output) not in (None, "lost")

    def began(
        self,
        *,
        airing: str,
        slot: SlotId,
        pieces: tuple[Piece, ...],
        outputs: frozenset[str] | None,
        from_sample: int,
        start_ns: int,
    ) -> None:
        """Listen to an airing that began to sound. outputs: None for all. start_ns: of `from_sample`, monotonic."""
        self._ears.expect(
            airing=airing, slot=slot, pieces=pieces, outputs=outputs, from_sample=from_sample, start_ns=start_ns
        )

    def ended(self, airing: str, *, ended_ns: int) -> None:
        """Tell that an airing fell silent."""
        self._ears.over(airing, ended_ns=ended_ns)

    def settled(self, airing: Airing) -> None:
        """Have the recording of a finished airing named in the journal."""
        self._witness.expect(airing.slot, airing.started_at, airing.ended_at)

    def recall(self, verdicts: Iterable[Mapping[str, Any]], evidence: Iterable[Mapping[str, Any]]) -> None:
        """Go on with the recordings that an earlier start did not name. Bodies of rows."""
        self._witness.recall(verdicts, evidence)

    def heard_holes(self, seconds: float) -> bool:
        """Note silence inside an item; True where the player should be replaced."""
        return self._health.heard_holes(seconds)

    def ear_state(self, output: str) -> str | None:
        """Return what an output's ear does, None where it has none."""
        return self._ears.state(output)

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

    def has_power(self, output: str) -> bool:
        """Return whether what goes out there can be heard: its amplifier has power, or nothing is known of one."""
        return self._amplifiers.powered(output) is not False

    def close(self) -> None:
        """Switch off and end everything; what may take seconds comes last."""
        self._ears.close()
        self._senders.close()
        self._not_ours.clear()
        try:
            self._amplifiers.end()
        finally:
            self._relays.close()
