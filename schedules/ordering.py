"""What speaks against ordering a single airing, and what it will cost."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from math import ceil
from zoneinfo import ZoneInfo

from schedules.airing import Facts
from schedules.calendar import duty_windows, occurrences, open_groups, period_words, permitted
from schedules.choosing import usable
from schedules.clock import Interval
from schedules.findings import Finding, Severity
from schedules.flow import one_off_slot
from schedules.grid import OneOff, SlotId
from schedules.intent import Intent
from schedules.owing import Owed, fits, need, owing
from schedules.segment import Priority, Segment
from schedules.station import Station
from schedules.text import Text


def check_one_off(
    intent: Intent, one_off: OneOff, now: datetime, settled: Collection[SlotId] = ()
) -> tuple[Finding, ...]:
    """Return what speaks against ordering `one_off` (errors) and what it will cost (warnings).

    settled: slots that have their row already; such an order stands in nobody's way any more.
    """
    findings: list[Finding] = []

    def refuse(code: str, vi: str, en: str, hint: Text) -> None:
        findings.append(Finding(code=code, severity=Severity.ERROR, where="start", message=Text(vi, en), hint=hint))

    station = intent.station(one_off.station)
    segment = intent.segment(one_off.segment)
    if segment is None or not usable(intent, station, segment):
        refuse(
            "not_approved",
            "Bài này chưa được duyệt cho đài này.",
            "This item is not approved for this station.",
            Text("Trình duyệt bài, hoặc chọn bài khác.", "Have it approved, or choose another item."),
        )
        return tuple(findings)
    if one_off.start < now:
        refuse(
            "in_the_past",
            "Giờ phát đã qua. Hãy chọn giờ sau.",
            "The start has passed. Choose a later time.",
            Text("Chọn giờ muộn hơn bây giờ.", "Choose a time after now."),
        )
    if not segment.valid_at(one_off.start):
        refuse(
            "not_valid",
            "Bài không còn hiệu lực vào giờ đó.",
            "The item is not valid at that time.",
            Text("Chọn giờ trong thời hạn của bài, hoặc bài khác.", "Choose a time within its dates, or another item."),
        )
    during = Interval(one_off.start, one_off.start + segment.duration)
    if one_off.priority is Priority.EMERGENCY:
        return tuple(findings)
    heard = open_groups(station, (), during)
    if not permitted(station, during) or heard == ():
        hours = ", ".join(f"{h.start:%H:%M}–{h.end:%H:%M}" for h in station.permitted)
        refuse(
            "outside_hours",
            f"Ngoài khung giờ được phép phát của đài ({hours}).",
            f"Outside the station's permitted hours ({hours}).",
            Text(
                "Chọn giờ mà cả bài nằm trong khung giờ của đài và của cụm loa.",
                "Choose a time at which all of it lies in the hours of the station and of a cluster group.",
            ),
        )
    findings += _conflicts(intent, station, one_off, during, settled)
    findings += _over_limit(intent, station, one_off, segment, settled)
    if heard:
        deaf = ", ".join(f"“{group.name}”" for group in station.groups if group.code not in heard)
        findings.append(
            Finding(
                code="groups_closed",
                severity=Severity.WARNING,
                where="start",
                message=Text(
                    f"Ngoài khung giờ của {deaf}: các cụm loa đó sẽ không phát bài này.",
                    f"Outside the hours of {deaf}: these cluster groups will not hear it.",
                ),
                hint=Text("Chọn giờ mà mọi cụm loa được phát.", "Choose a time at which every group may hear it."),
            )
        )
    for session in occurrences(intent, station, during):
        message = Text(
            f"Trùng buổi “{session.rule.name}”: các mục của buổi phát sẽ nhường giờ.",
            f"Falls into session “{session.rule.name}”: its items give way.",
        )
        hint = Text("Chọn giờ ngoài buổi phát nếu không muốn vậy.", "Choose a time outside of it to avoid that.")
        findings.append(
            Finding(code="gives_way", severity=Severity.WARNING, where=session.name, message=message, hint=hint)
        )
    findings += _last_chances(intent, station, segment, during, now)
    return tuple(findings)


def _others(intent: Intent, one_off: OneOff, settled: Collection[SlotId]) -> list[tuple[OneOff, Segment]]:
    """Return the other orders of the station that are still to air, with their recordings."""
    return [
        (other, known)
        for other in intent.one_offs
        if other.station == one_off.station
        and other.cancelled_at is None
        and other.id != one_off.id
        and one_off_slot(other.station, other.id) not in settled
        and (known := intent.segment(other.segment)) is not None
    ]


def _conflicts(
    intent: Intent, station: Station, one_off: OneOff, during: Interval, settled: Collection[SlotId]
) -> Iterator[Finding]:
    for other, known in _others(intent, one_off, settled):
        if not Interval(other.start, other.start + known.duration).overlaps(during):
            continue
        over = (other.start + known.duration + timedelta(seconds=1)).astimezone(ZoneInfo(station.zone))
        free = f"{over:%H:%M:%S %d/%m/%Y}"
        yield Finding(
            code="conflict",
            severity=Severity.ERROR,
            where="start",
            message=Text(
                "Giờ đó đã có lượt phát riêng khác. Lịch chưa đổi.",
                "Another single airing is ordered for that time. Nothing was changed.",
            ),
            hint=Text(f"Lượt đó phát xong trước {free}.", f"That airing is over by {free}."),
        )


def _over_limit(
    intent: Intent, station: Station, one_off: OneOff, segment: Segment, settled: Collection[SlotId]
) -> Iterator[Finding]:
    """Yield an error where the orders of that day alone are more than the station may air on a day."""
    limit = station.limits.day_s
    zone = ZoneInfo(station.zone)
    day = one_off.start.astimezone(zone).date()
    same = [
        known.duration
        for other, known in _others(intent, one_off, settled)
        if other.priority is not Priority.EMERGENCY and other.start.astimezone(zone).date() == day
    ]
    total_s = sum((segment.duration, *same), timedelta(0)).total_seconds()
    if limit is None or total_s <= limit:
        return
    minutes, allowed = ceil(total_s / 60), limit // 60
    yield Finding(
        code="over_limit",
        severity=Severity.ERROR,
        where="start",
        message=Text(
            f"Các lượt phát riêng của ngày đó dài {minutes} phút, quá giới hạn {allowed} phút một ngày.",
            f"The single airings of that day take {minutes} min, over the limit of {allowed} min a day.",
        ),
        hint=Text(
            "Chọn ngày khác, hoặc hủy bớt lượt phát riêng.", "Choose another day, or cancel some single airings."
        ),
    )


def _last_chances(
    intent: Intent, station: Station, segment: Segment, during: Interval, now: datetime
) -> Iterator[Finding]:
    """Yield a warning for every duty that has places enough without the order, and too few with it.

    What has aired already is not known here: the warning may come for a duty that is met.
    """
    facts = Facts(station=station.code)
    for owed in owing(intent, station, facts, Interval(during.start, during.end)):
        lacks = need(owed).missing
        if fits(owed.duty, segment) or lacks > len(_places(intent, station, owed, now, None)):
            continue
        if lacks <= len(_places(intent, station, owed, now, during)):
            continue
        when = period_words(owed.period)
        yield Finding(
            code="takes_last_chance",
            severity=Severity.WARNING,
            where=owed.duty.code,
            message=Text(
                f"Lượt phát này lấy giờ cuối cùng còn lại của nhiệm vụ “{owed.duty.name}”, {when.vi}.",
                f"This airing takes the last time left for duty “{owed.duty.name}”, {when.en}.",
            ),
            hint=Text(
                "Chọn giờ khác, hoặc thêm khung giờ phát bù cho nhiệm vụ.",
                "Choose another time, or add a window for a make-up.",
            ),
        )


def _places(intent: Intent, station: Station, owed: Owed, now: datetime, taken: Interval | None) -> list[datetime]:
    """Return the starts of what is left for a duty outside of `taken`: slots of its programme and make-up windows."""
    start, end = max(now, owed.during.start), owed.during.end
    if start >= end:
        return []
    left = Interval(start, end)
    lengths = [s.duration for s in intent.segments if usable(intent, station, s) and fits(owed.duty, s)]
    shortest = min(lengths, default=timedelta(0))
    slots = [
        session.during.start
        for session in occurrences(intent, station, left)
        if left.contains(session.during.start) and (taken is None or not session.during.overlaps(taken))
        for place in session.rule.items
        if place.programme is not None and owed.duty.programme in (None, place.programme)
    ]
    free = []
    for window in duty_windows(station, owed.duty, left):
        pieces = [window]
        if taken is not None and window.overlaps(taken):
            ends = [(window.start, taken.start), (taken.end, window.end)]
            pieces = [Interval(a, b) for a, b in ends if a < b]
        free += [piece.start for piece in pieces if piece.end - piece.start >= shortest]
    return slots + free
