"""What really aired: facts of the station, counted at the outputs, and the verdict they allow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from schedules.clock import Interval
from schedules.duty import DutyOutcome
from schedules.grid import SlotId
from schedules.rundown import RundownItem
from schedules.sources import SourceCode
from schedules.station import StationCode
from schedules.text import Text


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

    started_at: the instant of its first sample at the sink. holes_s: silence inside, seconds.
    seconds_aired, samples_aired: the least of the required outputs. rehearsal: only virtual outputs.
    by: the slot or person that replaced or cancelled it.
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

    item: the plan it was started from; edits no longer touch it.
    start_at: when its current part was asked to start, with sample `part_first` of the file.
    started_at: its very first sample at the sink, None before. part_started_at: that of the current part.
    position, position_at: the next sample of the file to be heard, and when that was so.
    origin: when sample 0 of the file was or would have been at the sink, had its part been the whole; None before.
    counted: samples really played per output, over all parts; `part_counted` the current part's share; `earlier` those
    of the best try before it started anew from its beginning.
    exact: the whole file was handed to the bus in one part, bit by bit as approved.
    cause: why it ended: complete, stopped, source_failed, output_lost, refused.
    """

    item: RundownItem
    state: RunState
    start_at: datetime
    part_first: int = 0
    started_at: datetime | None = None
    part_started_at: datetime | None = None
    position: int = 0
    position_at: datetime | None = None
    origin: datetime | None = None
    counted: Mapping[str, int] = field(default_factory=dict)
    part_counted: Mapping[str, int] = field(default_factory=dict)
    earlier: Mapping[str, int] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()
    holes_s: float = 0.0
    exact: bool = False
    cause: str | None = None
    reason: Text | None = None
    ended_at: datetime | None = None
    attempts: int = 1
    by: str | None = None

    @property
    def slot(self) -> SlotId:
        """The slot it fills."""
        return self.item.slot


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A stretch in which the station could not air, and why: switched off, clock not trusted, player missing.

    by: the slot that took the time, where it was given to something else.
    """

    during: Interval
    reason: Text
    by: SlotId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """A person silenced one session, or one airing outside sessions."""

    session: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the station knows when it plans.

    airings: final rows, at least those of the current periods. runs: airings under way.
    aired: when each recording last aired whole here, however long ago.
    media: hashes of the audio that is on the station; None where nobody looked (a preview elsewhere).
    since: nothing that was due before it is decided any more. duties: how they ended in periods that are over.
    relays_down: sources of relays that cannot be heard now; their places are silent, or have local recordings.
    """

    station: StationCode
    airings: tuple[Airing, ...] = ()
    aired: Mapping[str, datetime] = field(default_factory=dict)
    runs: tuple[Run, ...] = ()
    media: frozenset[str] | None = None
    since: datetime | None = None
    silences: tuple[Silence, ...] = ()
    outages: tuple[Outage, ...] = ()
    duties: tuple[DutyOutcome, ...] = ()
    relays_down: frozenset[SourceCode] = frozenset()
