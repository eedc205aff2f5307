"""Moments, lengths and numbers as people here write them, in Vietnamese and English, always in the station's zone."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from flask_babel import get_locale

DEFAULT_ZONE = "Asia/Ho_Chi_Minh"
NBSP = "\u00a0"

_DAYS_SHORT = {
    "vi": ("T2", "T3", "T4", "T5", "T6", "T7", "CN"),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}
_DAYS_LONG = {
    "vi": ("Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy", "Chủ Nhật"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}


def language() -> str:
    """Return the language of this page: `vi` or `en`."""
    locale = get_locale()
    return "en" if locale is not None and locale.language == "en" else "vi"


def local(moment: datetime, zone: str = DEFAULT_ZONE) -> datetime:
    """Return the moment in the station's local time."""
    return moment.astimezone(ZoneInfo(zone))


def clock(moment: datetime, zone: str = DEFAULT_ZONE) -> str:
    """Return `17:45`."""
    return f"{local(moment, zone):%H:%M}"


def clock_s(moment: datetime, zone: str = DEFAULT_ZONE) -> str:
    """Return `17:45:02`."""
    # To the nearest second: a start 4 ms before its time would else seem a whole second early.
    return f"{local(moment + timedelta(milliseconds=500), zone):%H:%M:%S}"


def day_short(day: date) -> str:
    """Return `T6 27/11`."""
    return f"{_DAYS_SHORT[language()][day.weekday()]}{NBSP}{day:%d/%m}"


def day_name(day: date) -> str:
    """Return `T6`, `CN`."""
    return _DAYS_SHORT[language()][day.weekday()]


def weekday_short(number: int) -> str:
    """Return `T2`, `CN` of an ISO weekday, 1 = Monday."""
    return _DAYS_SHORT[language()][number - 1]


def weekday_long(number: int) -> str:
    """Return the name of an ISO weekday, 1 = Monday."""
    return _DAYS_LONG[language()][number - 1]


def day_long(day: date) -> str:
    """Return `Thứ Sáu 27/11/2026`."""
    return f"{_DAYS_LONG[language()][day.weekday()]} {day:%d/%m/%Y}"


def day_of(moment: datetime, zone: str = DEFAULT_ZONE) -> str:
    """Return the day of a moment as documents write it: `27/11/2026`."""
    return f"{local(moment, zone):%d/%m/%Y}"


def moment_short(moment: datetime, zone: str = DEFAULT_ZONE) -> str:
    """Return `T6 27/11 17:45`; day and time never break over a line."""
    there = local(moment, zone)
    return f"{day_short(there.date())}{NBSP}{there:%H:%M}"


def deadline(moment: datetime, zone: str = DEFAULT_ZONE) -> str:
    """Return `24:00 CN 29/11` for the midnight that ends that Sunday; people count a night to the day before it."""
    there = local(moment, zone)
    if there.hour == there.minute == 0:
        return f"24:00{NBSP}{day_short(there.date() - timedelta(days=1))}"
    return f"{there:%H:%M}{NBSP}{day_short(there.date())}"


def length(seconds: float) -> str:
    """Return `5:40`, and from an hour on `2 giờ 10 phút`. seconds: 0 or more, rounded to the nearest."""
    whole = max(0, round(seconds))
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d}"
    hours, minutes = whole // 3600, whole % 3600 // 60
    if language() == "en":
        return f"{hours} h {minutes} min"
    return f"{hours} giờ {minutes} phút"


def minutes(seconds: float) -> str:
    """Return a span in words: `12 giây`, `8 phút`, `1 giờ 5 phút`, `3 ngày`."""
    whole = max(0, round(seconds))
    english = language() == "en"
    if whole < 60:
        return f"{whole} s" if english else f"{whole} giây"
    if whole < 3600:
        return f"{whole // 60} min" if english else f"{whole // 60} phút"
    if whole < 86400:
        hours, rest = whole // 3600, whole % 3600 // 60
        tail = (f" {rest} min" if english else f" {rest} phút") if rest else ""
        return (f"{hours} h" if english else f"{hours} giờ") + tail
    days = whole // 86400
    return (f"{days} day" + ("s" if days > 1 else "")) if english else f"{days} ngày"


def number(value: float, digits: int = 0) -> str:
    """Return `1.234,5` in Vietnamese and `1,234.5` in English."""
    text = f"{value:,.{digits}f}"
    if text.startswith("-"):
        text = f"\u2212{text[1:]}"
    if language() == "en":
        return text
    return text.translate(str.maketrans(",.", ".,"))


def megabytes(count: int) -> str:
    """Return `38,5 MB` of a number of bytes."""
    return f"{number(count / 1_048_576, 0 if count >= 10_485_760 else 1)}{NBSP}MB"


def iso_week(text: str) -> tuple[int, int] | None:
    """Return year and week of `2026-W48`, or None where there is no such week."""
    match = re.fullmatch(r"(\d{4})-W(\d{2})", text)
    if match is None:
        return None
    year, week = int(match[1]), int(match[2])
    try:
        date.fromisocalendar(year, week, 1)
    except ValueError:
        return None
    return year, week


def week_text(year: int, week: int) -> str:
    """Return `2026-W48`."""
    return f"{year:04d}-W{week:02d}"


def week_of(day: date) -> str:
    """Return the ISO week that the day is in."""
    year, week, _ = day.isocalendar()
    return week_text(year, week)


def week_name(year: int, week: int) -> str:
    """Return `tuần 48 (23/11 đến 29/11/2026)`."""
    monday = date.fromisocalendar(year, week, 1)
    sunday = monday + timedelta(days=6)
    if language() == "en":
        return f"week {week} ({monday:%d/%m} to {sunday:%d/%m/%Y})"
    return f"tuần {week} ({monday:%d/%m} đến {sunday:%d/%m/%Y})"


def period_name(period: str) -> str:
    """Return the name of `2026-W48`, `2026-11` or `2026`."""
    english = language() == "en"
    if "-W" in period:
        year, week = period.split("-W")
        return f"week {int(week)}/{year}" if english else f"tuần {int(week)}/{year}"
    if "-" in period:
        year, month = period.split("-")
        return f"{month}/{year}" if english else f"tháng {int(month)}/{year}"
    return period if english else f"năm {period}"


def parse_day(text: str) -> date | None:
    """Return the day of `2026-11-27`, or None where the text is no day."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def parse_moment(text: str, zone: str = DEFAULT_ZONE) -> datetime | None:
    """Return the moment of a form's `2026-11-27T17:45` or `…:30` in the station's zone, in UTC, or None."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (read.replace(tzinfo=ZoneInfo(zone)) if read.tzinfo is None else read).astimezone(UTC)
