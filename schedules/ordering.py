"""What speaks against ordering a single airing, and what it will cost."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from schedules.calendar import occurrences, open_groups, permitted
from schedules.choosing import usable
from schedules.clock import Interval
from schedules.findings import Finding, Severity
from schedules.flow import one_off_slot
from schedules.grid import OneOff, SlotId
from schedules.intent import Intent
from schedules.segment import Priority
from schedules.text import Text


def check_one_off(
    intent: Intent, one_off: OneOff, now: datetime, settled: Collection[SlotId] = ()
) -> tuple[Finding, ...]:
    """Return what speaks against ordering `one_off` (errors) and what it will cost (warnings).

    settled: slots that have their row already; such an order stands in nobody's way any more.
    """
    findings: list[Finding] = []

    def refuse(code: str, vi: str, en: str, hint: Text | None = None) -> None:
        findings.append(Finding(code=code, severity=Severity.ERROR, where="start", message=Text(vi, en), hint=hint))

    station = intent.station(one_off.station)
    segment = intent.segment(one_off.segment)
    if segment is None or not usable(intent, station, segment):
        refuse(
            "not_approved",
            "Bài này chưa được duyệt cho đài này.",
            "This item is not approved for this station.",
        )
        return tuple(findings)
    if one_off.start < now:
        refuse("in_the_past", "Giờ phát đã qua. Hãy chọn giờ sau.", "The start has passed. Choose a later time.")
    if not segment.valid_at(one_off.start):
        refuse("not_valid", "Bài không còn hiệu lực vào giờ đó.", "The item is not valid at that time.")
    during = Interval(one_off.start, one_off.start + segment.duration)
    if one_off.priority is Priority.EMERGENCY:
        return tuple(findings)
    if not permitted(station, during) or open_groups(station, (), during) == ():
        hours = ", ".join(f"{h.start:%H:%M}–{h.end:%H:%M}" for h in station.permitted)
        refuse(
            "outside_hours",
            f"Ngoài khung giờ được phép phát của đài ({hours}).",
            f"Outside the station's permitted hours ({hours}).",
        )
    for other in intent.one_offs:
        if other.station != one_off.station or other.cancelled_at is not None or other.id == one_off.id:
            continue
        if one_off_slot(other.station, other.id) in settled:
            continue
        known = intent.segment(other.segment)
        if known is not None and Interval(other.start, other.start + known.duration).overlaps(during):
            over = (other.start + known.duration + timedelta(seconds=1)).astimezone(ZoneInfo(station.zone))
            free = f"{over:%H:%M:%S %d/%m/%Y}"
            refuse(
                "conflict",
                "Giờ đó đã có lượt phát riêng khác. Lịch chưa đổi.",
                "Another single airing is ordered for that time. Nothing was changed.",
                Text(f"Lượt đó phát xong trước {free}.", f"That airing is over by {free}."),
            )
    for session in occurrences(intent, station, during):
        message = Text(
            f"Trùng buổi “{session.rule.name}”: các mục của buổi phát sẽ nhường giờ.",
            f"Falls into session “{session.rule.name}”: its items give way.",
        )
        findings.append(Finding(code="gives_way", severity=Severity.WARNING, where=session.name, message=message))
    return tuple(findings)
