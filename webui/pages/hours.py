"""Stretches of the day as people type and read them: `05:00–21:00`, `05:00–07:00 T2 T3 T4`, one a line; days may also
stand in front, as in scenario files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import time

from schedules.duty import DutyWindow
from schedules.grid import EVERY_DAY
from schedules.station import DaySpan
from webui.pages.formats import weekday_short

_SPAN = re.compile(
    r"((?:[^\W\d]\w*[\s,]+)*)(\d{1,2})[:hH](\d{2})\s*(?:[-–—]|đến|to)\s*(\d{1,2})[:hH](\d{2})((?:[\s,]+\w+)*)"
)
_DAYS = {
    word: number
    for number, words in enumerate(
        (
            ("t2", "mon"),
            ("t3", "tue"),
            ("t4", "wed"),
            ("t5", "thu"),
            ("t6", "fri"),
            ("t7", "sat"),
            ("cn", "sun"),
        ),
        start=1,
    )
    for word in words
}


def spans_text(spans: Sequence[DaySpan], between: str = "\n") -> str:
    """Return spans as they are typed; `between` stands between two of them."""
    return between.join(span_text(span) for span in spans)


def span_text(span: DaySpan) -> str:
    """Return `05:00–21:00`, with its days where it is not for all; midnight at the end is 24:00."""
    end = "24:00" if span.end == time(0) else f"{span.end:%H:%M}"
    days = "" if set(span.weekdays) == set(EVERY_DAY) else " " + " ".join(weekday_short(day) for day in span.weekdays)
    return f"{span.start:%H:%M}–{end}{days}"


def parse_spans(text: str) -> tuple[DaySpan, ...] | None:
    """Return the spans that were typed, each on its line or behind a semicolon; None where one is not understood."""
    found = []
    for line in re.split(r"[\n;]+", text):
        if not line.strip():
            continue
        match = _SPAN.fullmatch(line.strip())
        start, end = (_time(match[2], match[3]), _time(match[4], match[5])) if match else (None, None)
        days = [_DAYS.get(word.lower()) for word in re.findall(r"\w+", f"{match[1]} {match[6]}")] if match else []
        if start is None or end is None or None in days:
            return None
        weekdays = tuple(sorted({day for day in days if day})) or EVERY_DAY
        found.append(DaySpan(start=start, end=end, weekdays=weekdays))
    return tuple(found)


def windows_text(windows: Sequence[DutyWindow]) -> str:
    """Return duty windows as they are typed: windows of the same hours share a line."""
    by_hours: dict[tuple[time, time], list[int]] = {}
    for window in windows:
        by_hours.setdefault((window.start, window.end), []).append(window.weekday)
    return spans_text(
        [DaySpan(start=start, end=end, weekdays=tuple(sorted(days))) for (start, end), days in by_hours.items()]
    )


def windows(spans: Sequence[DaySpan]) -> tuple[DutyWindow, ...]:
    """Return one duty window for each day of each span."""
    return tuple(
        DutyWindow(weekday=day, start=span.start, end=span.end) for span in spans for day in sorted(span.weekdays)
    )


def _time(hour: str, minute: str) -> time | None:
    if (int(hour), int(minute)) == (24, 0):
        return time(0)
    return time(int(hour), int(minute)) if int(hour) < 24 and int(minute) < 60 else None
