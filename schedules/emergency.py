"""Emergency orders (phát khẩn cấp): what a station obeys at once, over everything planned."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from schedules.segment import SegmentId
from schedules.station import StationCode
from schedules.text import Text

OrderId = str

SHORTEST_TONE_S = 4.0
LONGEST_TONE_S = 10.0
"""Bounds of the attention tone before a message (design marks of voice alarm systems)."""

MOST_REPEATS = 10


class Urgency(StrEnum):
    """How an order stands against another: extreme cuts what is lower at once, severe waits for a message to end."""

    MODERATE = "moderate"
    SEVERE = "severe"
    EXTREME = "extreme"


class AlertState(StrEnum):
    """Where an order stands at one station. A refused one, an expired one and a cancelled one never sounded there."""

    SENT = "sent"
    RECEIVED = "received"
    ON_AIR = "on_air"
    DONE = "done"
    STOPPED = "stopped"
    REFUSED = "refused"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


FINAL = frozenset({AlertState.DONE, AlertState.STOPPED, AlertState.REFUSED, AlertState.EXPIRED, AlertState.CANCELLED})


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyOrder:
    """One order, for one station or several. It is good once a station, and not after `expires_at`.

    repeats: how often the message is said. tone_s: length of the attention tone before it, seconds, 4 to 10.
    gap_s: silence between two messages, seconds. drill: an exercise, signed with another key, said so in sound.
    ordered_by, confirmed_by: the two persons; a prepared template stands for the second one, then `template` names it.
    """

    id: OrderId
    stations: tuple[StationCode, ...]
    segment: SegmentId
    title: str
    sha256: str
    pcm_sha256: str
    samples: int
    urgency: Urgency = Urgency.SEVERE
    repeats: int = 3
    tone_s: float = 6.0
    gap_s: float = 2.0
    issued_at: datetime
    expires_at: datetime
    drill: bool
    ordered_by: str
    confirmed_by: str | None = None
    template: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyStop:
    """The end of an order: what sounds falls silent at once, and what has not come yet will not sound when it comes.

    expires_at: that of the order; until then the stop is remembered. drill: as in the order it ends.
    """

    order: OrderId
    stations: tuple[StationCode, ...]
    by: str
    reason: str
    issued_at: datetime
    expires_at: datetime
    drill: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """An order as one station knows it. received_at, started_at, ended_at: by the station's clock.

    said: how many messages were heard whole. why: of a refusal, an expiry or a stop.
    """

    order: EmergencyOrder
    state: AlertState
    received_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    said: int = 0
    why: Text | None = None
    by: str | None = None

    @property
    def final(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state in FINAL
