"""Which recording fills a place, and why: the newest unaired one, else by the rules of its programme."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from schedules.airing import Facts
from schedules.intent import Intent
from schedules.programme import Otherwise, ProgrammeCode
from schedules.segment import Segment, SegmentId
from schedules.station import Station, UnitCode, units_above
from schedules.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A recording for a place, or None with the reason why the place stays empty."""

    segment: Segment | None
    why: Text


def usable(intent: Intent, station: Station, segment: Segment) -> bool:
    """Return whether `station` may air `segment`: its own unit's, or one from a unit above it."""
    return segment.owner == station.unit or segment.owner in units_above(intent.units, station.unit)


def choose(
    intent: Intent,
    station: Station,
    facts: Facts,
    programme: ProgrammeCode,
    moment: datetime,
    used: Collection[SegmentId],
    topic_prefix: str = "",
) -> Choice:
    """Return what airs in a slot of `programme` at `moment`.

    used: recordings that earlier places of the same plan take. Order: own new, the unit above's new, last good repeat,
    evergreen. Only what is valid at `moment`, on the station, and carries the wanted topic is considered.
    """
    aired = facts.aired
    fitting = [
        segment
        for segment in intent.segments
        if segment.programme == programme
        and usable(intent, station, segment)
        and segment.valid_at(moment)
        and (not topic_prefix or any(topic.startswith(topic_prefix) for topic in segment.topics))
    ]
    present = [s for s in fitting if facts.media is None or s.sha256 in facts.media]
    if not present:
        return Choice(segment=None, why=_nothing(bool(fitting)))
    new = [s for s in present if s.id not in aired and s.id not in used and not s.evergreen]
    rule = next((known for known in intent.programmes if known.code == programme), None)
    if own := _newest(new, station.unit, own=True):
        return Choice(
            segment=own,
            why=Text("Bài mới nhất đã duyệt, chưa phát.", "The newest approved item, not aired yet."),
        )
    if above := _newest(new, station.unit, own=False):
        why = Text("Bài mới của cấp trên gửi, chưa phát.", "A new item from the unit above, not aired yet.")
        return Choice(segment=above, why=why)
    if rule is not None and Otherwise.REPEAT not in rule.otherwise:
        why = Text("Không có bài mới; chuyên mục này không phát lại.", "No new item; this programme does not repeat.")
        return Choice(segment=None, why=why)
    lasting = [s for s in present if not s.evergreen]
    if lasting:
        last = max(lasting, key=lambda s: (aired.get(s.id, s.approved_at), s.id))
        return Choice(
            segment=last,
            why=Text("Không có bài mới: phát lại bài gần nhất.", "No new item: the last one again."),
        )
    reserve = min(
        present,
        key=lambda s: (s.id in used, aired.get(s.id, datetime.min.replace(tzinfo=moment.tzinfo)), s.id),
    )
    return Choice(segment=reserve, why=Text("Không có bài mới: phát bài dự phòng.", "No new item: the reserve item."))


def _newest(segments: list[Segment], unit: UnitCode, *, own: bool) -> Segment | None:
    mine = [segment for segment in segments if (segment.owner == unit) is own]
    return max(mine, key=lambda segment: (segment.approved_at, segment.id), default=None)


def _nothing(elsewhere: bool) -> Text:
    if elsewhere:
        return Text("Bài đã duyệt chưa có trên máy phát.", "The approved item is not on the station yet.")
    return Text("Không có bài đã duyệt cho mục này.", "No approved item for this place.")
