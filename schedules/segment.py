"""One airable recording, identified by its content, as far as planning and airing need to know it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from schedules.programme import ProgrammeCode
from schedules.station import UnitCode

SegmentId = str

SAMPLE_RATE_HZ = 48_000


class SegmentState(StrEnum):
    """The way of a recording from upload to the air."""

    RECEIVED = "received"
    ANALYSING = "analysing"
    READY = "ready"
    REFUSED = "refused"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    RETURNED = "returned"
    WITHDRAWN = "withdrawn"


class SegmentKind(StrEnum):
    """What a recording is, as the reports count it."""

    TIN = "tin"
    BAI = "bai"
    BAN_TIN = "ban_tin"
    THONG_BAO = "thong_bao"
    TRA_LOI = "tra_loi"
    NHAC_HIEU = "nhac_hieu"


class Priority(StrEnum):
    """The three priorities of a bulletin (Circular 39/2020): as the commune schedules it, before others, at once."""

    NORMAL = "normal"
    PRIORITY = "priority"
    EMERGENCY = "emergency"


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """An approved recording. Its audio is named by `sha256` of the file and `pcm_sha256` of the samples inside.

    owner: the unit whose library it is in; units below may use it.
    samples: length at 48 kHz. approved_at: when the approval bound to this hash was given.
    evergreen: may fill a duty again and again when there is nothing newer.
    self_approved: uploader and approver are one person, which the station's setting allowed.
    episode: its number in a series, None outside of one. priority: a slot takes it before those of lower priority.
    """

    id: SegmentId
    owner: UnitCode
    programme: ProgrammeCode
    title: str
    kind: SegmentKind
    sha256: str
    pcm_sha256: str
    samples: int
    approved_at: datetime
    approved_by: str
    topics: tuple[str, ...] = ()
    language: str = "vi"
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    evergreen: bool = False
    self_approved: bool = False
    episode: int | None = None
    priority: Priority = Priority.NORMAL

    @property
    def duration(self) -> timedelta:
        """Length; rounded to the microsecond, so at most 0.5 µs from the samples."""
        return timedelta(microseconds=round(self.samples * 1_000_000 / SAMPLE_RATE_HZ))

    def valid_at(self, moment: datetime) -> bool:
        """Return whether it may air at `moment` by its own dates `[valid_from, valid_until)`."""
        return (self.valid_from is None or self.valid_from <= moment) and (
            self.valid_until is None or moment < self.valid_until
        )
