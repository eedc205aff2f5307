"""What really aired: facts of the station, counted at the outputs, and the verdict they allow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from schedules.station import StationCode
from schedules.text import Text

SlotId = str


class Verdict(StrEnum):
    """The one final outcome of a slot."""

    AIRED = "aired"
    PARTIAL = "partial"
    MISSED = "missed"
    REPLACED = "replaced"
    CANCELLED = "cancelled"


class Evidence(StrEnum):
    """How an airing is known: E0 player state only, E1 samples counted, E2 monitor, E3 sensor, H a named person."""

    E0 = "E0"
    E1 = "E1"
    E2 = "E2"
    E3 = "E3"
    H = "H"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputCount:
    """What one output really played of an airing."""

    name: str
    kind: str
    samples: int
    grade: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One unbroken stretch of an airing. `first` to `next` are samples of the file handed to the bus."""

    first: int
    next: int
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Airing:
    """One slot's row of the air log, final. Field names are those of the API.

    started_at: the instant of its first sample at the sink. seconds_aired, samples_aired: the least of the required outputs.
    holes_s: silence inside, seconds. rehearsal: only virtual outputs. by: the slot or person that replaced or cancelled it.
    """

    slot: SlotId
    station: StationCode
    kind: str
    programme: str | None
    segment: str | None
    title: str
    sha256: str | None
    topics: tuple[str, ...]
    planned_start: datetime
    planned_end: datetime
    started_at: datetime | None
    ended_at: datetime | None
    seconds_aired: float
    samples_aired: int
    samples_expected: int
    bit_exact: bool
    start_error_s: float | None
    holes_s: float
    parts: tuple[Part, ...]
    outputs: tuple[OutputCount, ...]
    verdict: Verdict
    reason: Text | None
    rehearsal: bool
    evidence: Evidence
    self_approved: bool = False
    by: str | None = None
    duty: str | None = None


class RunState(StrEnum):
    """Where an airing that has begun to be handled stands."""

    ARMED = "armed"
    PLAYING = "playing"
    INTERRUPTED = "interrupted"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """An airing under way, as the station knows it now; overwritten as a checkpoint, never a row.

    started_at: first sample at the sink, None before. position: next sample of the file to be heard.
    position_at: when that was so. counted: samples played per output. cause: why it ended.
    """

    slot: SlotId
    state: RunState
    planned_start: datetime
    due: datetime
    started_at: datetime | None = None
    position: int = 0
    position_at: datetime | None = None
    counted: Mapping[str, int] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()
    exact: bool = False
    cause: str | None = None
    ended_at: datetime | None = None
    attempts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the station knows when it plans.

    airings: final rows, at least those of the current periods. runs: airings under way.
    media: hashes of the audio that is on the station and was checked; None where nobody looked (previews elsewhere).
    since: slots that were due before it are settled; nothing older is decided again.
    silenced: sessions (slot prefixes) that a person stopped, with who and why.
    """

    station: StationCode
    airings: tuple[Airing, ...] = ()
    runs: tuple[Run, ...] = ()
    media: frozenset[str] | None = None
    since: datetime | None = None
    silenced: Mapping[str, tuple[str, str]] = field(default_factory=dict)
