"""The door a station shows to the pages: asked on the spot on one machine, answered from the last sync in a fleet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from schedules.clock import ClockState
from schedules.duty import DutyStanding
from schedules.emergency import Alert
from schedules.rundown import Rundown, RundownItem
from schedules.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputStatus:
    """One output as it is now. state: ok, opening, lost, muted, suspended, moved, or idle outside sessions.

    amplifier: on, off or fault; ear: hearing, lost, matching, foreign, silent or unscheduled; None where there is none.
    """

    name: str
    kind: str
    device: str | None
    state: str
    detail: str = ""
    amplifier: str | None = None
    ear: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultStatus:
    """A fault that is open now, in whole sentences."""

    code: str
    since: datetime
    message: Text
    hint: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OnAirStatus:
    """The item that is being heard now. position_s, duration_s: seconds."""

    slot: str
    title: str
    programme: str | None
    kind: str
    segment: str | None
    started_at: datetime | None
    ends_at: datetime
    position_s: float
    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a station answers to an order: taken or not, and why not in a sentence."""

    taken: bool
    why: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveOrder:
    """A live talk. input: a microphone of the station, by its name in config.yaml; None for sound from a browser.

    limit_s: it ends by itself after so long. targets: cluster groups, None for all.
    """

    id: str
    by: str
    limit_s: float
    input: str | None = None
    targets: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveStatus:
    """A live talk that is on air or about to be."""

    id: str
    by: str
    started_at: datetime | None
    ends_at: datetime
    input: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StationStatus:
    """A station at a glance.

    state: off, idle, armed, on_air, live, emergency, fault or untrusted_clock (interfaces: station states).
    level_dbfs, peak_dbfs: of the last quarter of a second on the bus, None while no player runs.
    alerts: emergency orders of the last day, newest first. inputs: names of its microphones and lines.
    ahead, duties: what it obeys now: its plan of the next day, and how its duties stand with it; nothing is planned
    anew for who asks.
    """

    code: str
    state: str
    clock: ClockState
    contact_at: datetime
    on_air: OnAirStatus | None
    next: RundownItem | None
    outputs: tuple[OutputStatus, ...]
    faults: tuple[FaultStatus, ...]
    level_dbfs: float | None
    peak_dbfs: float | None
    rehearsal: bool
    revision: int
    alerts: tuple[Alert, ...] = ()
    live: LiveStatus | None = None
    inputs: tuple[str, ...] = ()
    ahead: tuple[RundownItem, ...] = ()
    duties: tuple[DutyStanding, ...] = ()


class StationDoor(Protocol):
    """What pages and API may ask of one station."""

    code: str

    def status(self) -> StationStatus:
        """Return the station as it is now."""
        ...

    def plan(self, start: datetime, end: datetime) -> Rundown:
        """Return the station's own plan of `[start, end)`, past slots without their outcome included."""
        ...

    def wake(self) -> None:
        """Tell the station that there is new intent; it looks at once."""
        ...

    def stop(self, *, by: str, reason: str) -> bool:
        """Silence now; the rest of the running session is cancelled too. True where anything was cut or cancelled."""
        ...

    def live_playlist(self) -> str | None:
        """Return the HLS playlist of what goes out now, None where nothing does. URIs are `RUN/NAME`."""
        ...

    def aircheck_playlist(self, start: datetime, end: datetime) -> str | None:
        """Return an HLS playlist of what went out in `[start, end)`, None where no recording is kept."""
        ...

    def aircheck_file(self, run: str, name: str) -> Path | None:
        """Return one file of an aircheck playlist, None where there is none by that name."""
        ...

    def emergency(self, document: bytes) -> Receipt:
        """Obey a signed emergency order or stop, at once; one that came before is taken again without effect."""
        ...

    def go_live(self, order: LiveOrder) -> Receipt:
        """Open the station for a live talk: a chime, then the voice."""
        ...

    def live_audio(self, live: str, pcm: bytes) -> bool:
        """Hand over sound of a live talk, mono 48 kHz s16 little-endian; False where it is over."""
        ...

    def end_live(self, live: str, *, by: str) -> bool:
        """End a live talk; False where it is over already."""
        ...

    def test_output(self, output: str, *, by: str) -> Receipt:
        """Sound chime and test tone on one output; refused while anything is on air or outside the permitted hours."""
        ...

    def confirm_time(self, *, by: str, shown: datetime) -> Receipt:
        """Believe the clock until the next start, because a named person found that `shown` was right."""
        ...

    def proof(self, slot: str) -> bytes | None:
        """Return the proof file of an airing, None where the station has no row of that slot."""
        ...
