"""Items of the plan as they are made: with their recording, without one, and from the row that one became."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from schedules.airing import Airing, Verdict
from schedules.grid import ItemKind, SlotId, Timing
from schedules.rundown import RundownItem
from schedules.segment import Segment
from schedules.station import StationCode
from schedules.text import Text

LATE_LIMIT_S = {Timing.HARD: 30.0, Timing.SOFT: 300.0, Timing.RELATIVE: 300.0}
"""How late an item may begin and still count as aired."""


def sounds(item: RundownItem) -> bool:
    """Return whether the item takes time on air: it has audio or is a relay, and was not replaced."""
    return (item.sha256 is not None or item.relay is not None) and item.replaced_by is None


def bare(slot: SlotId, station: StationCode, start: datetime) -> RundownItem:
    """Return an item without a recording at `start`, for the rest to be filled in."""
    return RundownItem(
        slot=slot,
        station=station,
        session=None,
        session_end=None,
        start=start,
        end=start,
        due=start,
        kind=ItemKind.SEGMENT,
        programme=None,
        timing=Timing.HARD,
        late_limit_s=LATE_LIMIT_S[Timing.HARD],
        segment=None,
        title="",
        sha256=None,
        pcm_sha256=None,
        samples=0,
        topics=(),
        why=Text("", ""),
    )


def with_audio(item: RundownItem, segment: Segment | None) -> RundownItem:
    """Return the item with the recording that it will air, as long as that; unchanged without one."""
    if segment is None:
        return item
    return replace(
        item,
        segment=segment.id,
        title=segment.title,
        sha256=segment.sha256,
        pcm_sha256=segment.pcm_sha256,
        samples=segment.samples,
        topics=segment.topics,
        self_approved=segment.self_approved,
        end=item.start + segment.duration,
    )


def without_audio(item: RundownItem, why: Text) -> RundownItem:
    """Return the item as a place that stays empty, and why; the title stays, for those who read the plan."""
    return replace(
        item,
        segment=None,
        sha256=None,
        pcm_sha256=None,
        samples=0,
        topics=(),
        self_approved=False,
        relay=None,
        end=item.start,
        why=why,
    )


def from_row(row: Airing) -> RundownItem:
    """Return the item that a row of the air log was, for a plan whose past is shown beside its future."""
    aired = row.verdict in (Verdict.AIRED, Verdict.PARTIAL)
    return RundownItem(
        slot=row.slot,
        station=row.station,
        session=None,
        session_end=None,
        start=row.planned_start,
        end=row.planned_end,
        due=row.started_at or row.planned_start,
        kind=ItemKind(row.kind),
        programme=row.programme,
        segment=row.segment,
        title=row.title,
        sha256=row.sha256 if aired else None,
        pcm_sha256=None,
        samples=row.samples_expected,
        topics=row.topics,
        timing=Timing.RELATIVE,
        late_limit_s=0.0,
        why=row.reason or Text("Đã có trong nhật ký phát sóng.", "Already in the air log."),
        duty=row.duty,
    )
