"""The week's figures of the one-stop shop as a text for the air: a sample text with its places filled. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from store.onestop import OneStopWeek

PLACES = (
    *("tuần", "từ ngày", "đến ngày", "đơn vị", "tiếp nhận", "trực tuyến", "tỷ lệ trực tuyến", "đã giải quyết"),
    *("đúng hạn", "tỷ lệ đúng hạn", "quá hạn", "so với tuần trước", "đáng chú ý"),
)
"""What a sample text may name; anything else in brackets is left for a person to fill."""


def filled(sample: str, week: OneStopWeek, *, before: OneStopWeek | None, unit: str, first: date, last: date) -> str:
    """Return the sample with this week's figures in its places; sentences without a figure behind them are left out."""
    values = _values(week, before, unit, first, last)
    lines = []
    for line in sample.splitlines():
        words = line
        # Figures are put in as they stand: nothing that somebody typed is a place of its own.
        for place in PLACES:
            words = words.replace(f"[{place}]", f"\0{place}\0")
        for place, value in values.items():
            words = words.replace(f"\0{place}\0", value)
        if words.strip():
            lines.append(words.strip())
    return "\n".join(lines)


def percent(part: int, whole: int) -> str:
    """Return a share as people write it, 98,4; 100 where there was nothing to do."""
    if whole == 0:
        return "100"
    share = f"{100 * part / whole:.1f}"
    return share.removesuffix(".0").replace(".", ",")


def _values(week: OneStopWeek, before: OneStopWeek | None, unit: str, first: date, last: date) -> Mapping[str, str]:
    return {
        "tuần": str(int(week.week[-2:])),
        "từ ngày": f"{first.day}/{first.month}",
        "đến ngày": f"{last.day}/{last.month}/{last.year}",
        "đơn vị": unit,
        "tiếp nhận": str(week.received),
        "trực tuyến": str(week.online),
        "tỷ lệ trực tuyến": percent(week.online, week.received),
        "đã giải quyết": str(week.solved),
        "đúng hạn": str(week.on_time),
        "tỷ lệ đúng hạn": percent(week.on_time, week.solved),
        "quá hạn": str(week.late),
        "so với tuần trước": _compared(week, before),
        "đáng chú ý": week.notable.replace("\0", ""),
    }


def _compared(week: OneStopWeek, before: OneStopWeek | None) -> str:
    if before is None:
        return ""
    change = week.received - before.received
    if change == 0:
        return "Số hồ sơ tiếp nhận bằng tuần trước."
    word = "tăng" if change > 0 else "giảm"
    return f"So với tuần trước, số hồ sơ tiếp nhận {word} {abs(change)} hồ sơ."
