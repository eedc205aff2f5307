"""The first line of a page: its question answered, composed from the same values as the rest of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _
from flask_babel import ngettext

from link.door import StationStatus
from schedules.airing import Airing, Verdict
from schedules.duty import DutyStanding, DutyState
from schedules.rundown import RundownItem
from webui.pages.formats import clock
from webui.pages.language import say
from webui.pages.states import STATIONS, TROUBLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One sentence of the answer; tone `bad`, `ok` or empty picks its colour, the words carry the meaning."""

    text: str
    tone: str = ""


def today(
    status: StationStatus | None,
    airings: Sequence[Airing],
    duties: Sequence[DutyStanding],
    coming: Sequence[RundownItem],
    zone: str,
) -> tuple[Part, ...]:
    """Answer "is there anything to do right now?" for one station."""
    parts: list[Part] = []
    if status is None:
        parts.append(Part(text=_("Chưa liên lạc được với máy phát."), tone="bad"))
    elif status.state in TROUBLE:
        parts.append(Part(text=f"{say(STATIONS[status.state].word)}.", tone="bad"))
    elif status.on_air is not None:
        end = clock(status.on_air.ends_at, zone)
        parts.append(Part(text=_("Đang phát “%(title)s” tới %(end)s.", title=status.on_air.title, end=end)))
    parts += _so_far(airings)
    parts += [part for duty in duties for part in _duty(duty)]
    if not (status and status.on_air) and coming:
        parts.append(Part(text=_("Mục tới lúc %(time)s.", time=clock(coming[0].due, zone))))
    if not parts:
        parts.append(Part(text=_("Hôm nay không có gì phải làm ngay.")))
    return tuple(parts)


def _so_far(airings: Sequence[Airing]) -> list[Part]:
    if not airings:
        return []
    count = Counter(row.verdict for row in airings)
    if count[Verdict.MISSED]:
        n = count[Verdict.MISSED]
        return [Part(text=ngettext("%(num)d lượt không phát.", "%(num)d lượt không phát.", n), tone="bad")]
    if count[Verdict.PARTIAL]:
        n = count[Verdict.PARTIAL]
        return [
            Part(text=ngettext("%(num)d lượt phát không đầy đủ.", "%(num)d lượt phát không đầy đủ.", n), tone="warn")
        ]
    return [Part(text=_("Tới giờ đã phát đủ."))]


def _duty(duty: DutyStanding) -> list[Part]:
    if duty.state is DutyState.AT_RISK:
        return [Part(text=_("%(duty)s có nguy cơ không đạt.", duty=duty.name), tone="warn")]
    if duty.state is DutyState.MISSED:
        return [Part(text=_("%(duty)s không đạt.", duty=duty.name), tone="bad")]
    if duty.state in (DutyState.MET, DutyState.MADE_UP):
        return [Part(text=_("%(duty)s đã đạt.", duty=duty.name))]
    return []


def stations(words: Sequence[tuple[str, str]]) -> str:
    """Return the troubled stations in one sentence: `Long Môn mất liên lạc, Long Sơn im tiếng.`"""
    if not words:
        return ""
    return ", ".join(f"{name} {word[:1].lower()}{word[1:]}" for name, word in words) + "."


def log(counts: Mapping[Verdict, int]) -> tuple[Part, ...]:
    """Answer "what really went out?" for a stretch of the air log."""
    total = sum(counts.values())
    if not total:
        return (Part(text=_("Không có lượt phát nào trong khoảng này.")),)
    parts = [Part(text=ngettext("%(num)d lượt phát:", "%(num)d lượt phát:", total))]
    good = counts.get(Verdict.AIRED, 0)
    rest = []
    for verdict, singular, tone in (
        (Verdict.PARTIAL, _("không đầy đủ"), "warn"),
        (Verdict.MISSED, _("không phát"), "bad"),
        (Verdict.REPLACED, _("đã thay bằng mục khác"), ""),
        (Verdict.CANCELLED, _("đã hủy"), ""),
    ):
        if counts.get(verdict, 0):
            rest.append(Part(text=f"{counts[verdict]} {singular}", tone=tone))
    parts.append(Part(text=_("%(n)s phát thành công", n=good)))
    parts += rest
    closed = [
        Part(text=f"{part.text}{',' if n < len(parts) - 2 else '.'}", tone=part.tone)
        for n, part in enumerate(parts[1:])
    ]
    return (parts[0], *closed)


def until(seconds: float) -> str:
    """Return a word for how long is left, none below zero."""
    return "" if seconds < 0 else _("còn %(n)s phút", n=round(seconds / 60))


def latest(moments: Sequence[datetime | None]) -> datetime | None:
    """Return the newest of those that are known."""
    known = [moment for moment in moments if moment is not None]
    return max(known) if known else None
