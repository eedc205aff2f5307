"""Plain data into the core's frozen values, as people write them: every mistake at once, with its path and a hint.

Not pydantic: its messages are English and speak of types, it keeps offsets instead of UTC, and takes 60 for 00:01.
"""

from __future__ import annotations

import difflib
import re
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from datetime import UTC, date, datetime, time
from enum import Enum
from functools import lru_cache
from types import UnionType
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from schedules.calendar import FIRST_YEAR, LAST_YEAR, instant
from schedules.findings import Finding, Severity
from schedules.text import Text

T = TypeVar("T")

WEEKDAYS = {
    **{f"t{number + 1}": number for number in range(1, 7)},
    "cn": 7,
    **{name: number for number, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), start=1)},
}

_TIME = re.compile(r"(\d{1,2})(?::|h|g)(\d{2})?(?::(\d{2}))?")
_ENGLISH_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_VIETNAMESE_DAY = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_PART = re.compile(r"\.?([^.\[\]]+)$")


class _Missing:
    """What could not be read: told already, and left out."""


MISSED = _Missing()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How people may write one class, beyond its fields.

    before: turns a written mapping into one of fields; where it tells a mistake itself, the field is MISSED.
    also: keys that `before` understands and that are no fields. defaults: of fields that have none in the class.
    word: turns a word into such a mapping, None where it does not have the form `word_form`.
    bounds: least and greatest value of numbers. weekdays, weekday: fields that hold names of weekdays.
    until: times where 24:00 may be written. zones: fields that name a time zone.
    many: of list fields, turns one word into several entries.
    """

    before: Callable[[Reader, Mapping[str, Any], str], Mapping[str, Any]] | None = None
    also: tuple[str, ...] = ()
    word: Callable[[str], Mapping[str, Any] | None] | None = None
    word_form: str = ""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    weekdays: tuple[str, ...] = ()
    weekday: tuple[str, ...] = ()
    until: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    many: Mapping[str, Callable[[str], list[Any]]] = field(default_factory=dict)


@dataclass(slots=True)
class Reader:
    """Reads values one after the other and keeps what was wrong.

    zone: of moments that are written without an offset. shapes: what differs from the fields of a class.
    """

    zone: ZoneInfo
    shapes: Mapping[type, Shape]
    findings: list[Finding] = field(default_factory=list)

    def value(self, kind: type[T], data: object, where: str) -> T | None:
        """Return a value of the dataclass `kind`, or None where it cannot be: the findings say why."""
        found = self._dataclass(kind, data, where)
        return None if isinstance(found, _Missing) else typing.cast(T, found)

    def find(self, code: str, where: str, message: Text, hint: Text) -> None:
        """Keep an error."""
        self.findings.append(Finding(code=code, severity=Severity.ERROR, where=where, message=message, hint=hint))

    def any(self, kind: Any, data: Any, where: str) -> Any:  # noqa: ANN401 - what a type annotation is
        if data is MISSED:
            return MISSED
        origin = typing.get_origin(kind)
        if origin in (typing.Union, UnionType):
            if data is None:
                return None
            return self.any(next(one for one in typing.get_args(kind) if one is not type(None)), data, where)
        if origin is tuple:
            return self._list(typing.get_args(kind)[0], data, where)
        if data is None:
            self.find("empty", where, _left_empty(_name(where)), _add(_name(where)))
            return MISSED
        if kind is Text:
            return self._text(data, where)
        if isinstance(kind, type) and issubclass(kind, Enum):
            return self._enum(kind, data, where)
        if is_dataclass(kind):
            return self._dataclass(typing.cast(type, kind), data, where)
        return _SIMPLE[kind](self, data, where)

    def _dataclass(self, kind: type, data: object, where: str) -> Any:  # noqa: ANN401 - a value of `kind`
        shape = self.shapes.get(kind, Shape())
        if isinstance(data, str) and shape.word is not None:
            taken = shape.word(data)
            if taken is None:
                self._wrong(where, data, Text(f"cần dạng {shape.word_form}", f"should look like {shape.word_form}"))
                return MISSED
            data = taken
        if not isinstance(data, dict):
            names = ", ".join(one.name for one in fields(kind))
            self._wrong(
                where, data, Text(f"cần một nhóm mục ({names})", f"should be a mapping ({names})"), code="not_a_mapping"
            )
            return MISSED
        known = [one.name for one in fields(kind)]
        for key in sorted(set(data) - set(known) - set(shape.also)):
            self.unknown(f"{where}.{key}" if where else key, key, [*known, *shape.also])
        if shape.before is not None:
            data = shape.before(self, data, where)
        hints = _hints(kind)
        values: dict[str, Any] = {}
        for one in fields(kind):
            path = f"{where}.{one.name}" if where else one.name
            if one.name in data:
                values[one.name] = self._field(shape, one.name, hints[one.name], data[one.name], path)
            elif one.name in shape.defaults:
                values[one.name] = shape.defaults[one.name]
            elif one.default is MISSING and one.default_factory is MISSING:
                self.find("missing_key", path, _lacking(one.name), _add(one.name))
                values[one.name] = MISSED
        return MISSED if any(value is MISSED for value in values.values()) else kind(**values)

    def _field(self, shape: Shape, name: str, kind: Any, data: Any, where: str) -> Any:  # noqa: ANN401
        if name in shape.weekdays:
            return self._weekdays(data, where)
        if name in shape.weekday and data is not None:
            return self._weekday(data, where)
        if name in shape.until and data in ("24:00", "24h", "24h00"):
            return time(0)
        if name in shape.many:
            data = _spread(data, shape.many[name])
        found = self.any(kind, data, where)
        if name in shape.bounds and isinstance(found, int | float):
            least, most = shape.bounds[name]
            if not least <= found <= most:
                least, most = (int(end) if end == int(end) else end for end in (least, most))
                told = Text(f"cần từ {least} đến {most}", f"should be {least} to {most}")
                self._wrong(where, data, told, code="out_of_range")
                return MISSED
        if name in shape.zones and isinstance(found, str):
            return self.known_zone(found, where)
        return found

    def _list(self, kind: Any, data: object, where: str) -> Any:  # noqa: ANN401 - what a type annotation is
        if data is None:
            return ()
        if not isinstance(data, list):
            self._wrong(where, data, Text("cần một danh sách [..]", "should be a list [..]"), code="not_a_list")
            return MISSED
        values = [self.any(kind, one, f"{where}[{index}]") for index, one in enumerate(data)]
        return MISSED if any(value is MISSED for value in values) else tuple(values)

    def _enum(self, kind: type[Enum], data: object, where: str) -> Any:  # noqa: ANN401 - a member of `kind`
        names = [str(member.value) for member in kind]
        if data in names:
            return kind(data)
        listed = ", ".join(names)
        told = Text(f"cần một trong: {listed}", f"should be one of: {listed}")
        self._wrong(where, data, told, code="unknown_choice", hint=_nearest(data, names))
        return MISSED

    def _text(self, data: object, where: str) -> Any:  # noqa: ANN401 - a text, or what is missing
        if isinstance(data, dict) and set(data) == {"vi", "en"} and all(isinstance(one, str) for one in data.values()):
            return Text(data["vi"], data["en"])
        found = self._str(data, where)
        return Text(found, found) if isinstance(found, str) else MISSED

    def _str(self, data: object, where: str) -> Any:  # noqa: ANN401 - a text, or what is missing
        if isinstance(data, str):
            return data
        hint = None
        if isinstance(data, bool | int | float):
            hint = Text(f'Đặt trong ngoặc kép: "{data}".', f'Put it in quotes: "{data}".')
        self._wrong(where, data, Text("cần chữ", "should be text"), hint=hint)
        return MISSED

    def _bool(self, data: object, where: str) -> Any:  # noqa: ANN401 - yes or no, or what is missing
        if isinstance(data, bool):
            return data
        self._wrong(where, data, Text("cần true hoặc false", "should be true or false"))
        return MISSED

    def _int(self, data: object, where: str) -> Any:  # noqa: ANN401 - a number, or what is missing
        if isinstance(data, int) and not isinstance(data, bool):
            return data
        self._wrong(where, data, Text("cần một số nguyên", "should be a whole number"))
        return MISSED

    def _float(self, data: object, where: str) -> Any:  # noqa: ANN401 - a number, or what is missing
        if isinstance(data, int | float) and not isinstance(data, bool):
            return float(data)
        self._wrong(where, data, Text("cần một số", "should be a number"))
        return MISSED

    def _date(self, data: object, where: str) -> Any:  # noqa: ANN401 - a day, or what is missing
        found = day_of(data) if isinstance(data, str) else None
        if found is not None and FIRST_YEAR <= found.year < LAST_YEAR:
            return found
        told = Text("cần một ngày có thật, như 2026-11-23", "should be a day that exists, such as 2026-11-23")
        self._wrong(where, data, told, code="bad_date")
        return MISSED

    def _time(self, data: object, where: str) -> Any:  # noqa: ANN401 - a time of day, or what is missing
        found = time_of(data) if isinstance(data, str) else None
        if found is None:
            told = Text("cần giờ từ 00:00 đến 23:59, như 05:30", "should be a time from 00:00 to 23:59, such as 05:30")
            self._wrong(where, data, told, code="bad_time")
            return MISSED
        return found

    def _datetime(self, data: object, where: str) -> Any:  # noqa: ANN401 - a moment, or what is missing
        found = self._moment(data) if isinstance(data, str) else None
        if found is not None and FIRST_YEAR < found.year < LAST_YEAR:
            return found
        told = Text(
            "cần một thời điểm, như 2026-11-23 05:30 (giờ địa phương) hoặc 2026-11-22T22:30:00Z",
            "should be a moment, such as 2026-11-23 05:30 (local time) or 2026-11-22T22:30:00Z",
        )
        self._wrong(where, data, told, code="bad_moment")
        return MISSED

    def _moment(self, text: str) -> datetime | None:
        day = day_of(text)
        try:
            read = datetime.fromisoformat(text) if day is None else datetime.combine(day, time(0))
            if not FIRST_YEAR < read.year < LAST_YEAR:
                return None
            if read.utcoffset() is None:
                return instant(self.zone, read.date(), read.time())
            return read.astimezone(UTC)
        except (ValueError, OverflowError):
            return None

    def _weekday(self, data: object, where: str) -> Any:  # noqa: ANN401 - 1 to 7, or what is missing
        found = weekday_of(data)
        if found is None:
            told = Text(
                "cần một thứ: T2 đến T7, CN, hoặc 1 (Thứ Hai) đến 7",
                "should be a weekday: mon to sun, T2 to T7, CN, or 1 (Monday) to 7",
            )
            self._wrong(where, data, told, code="bad_weekday")
            return MISSED
        return found

    def _weekdays(self, data: object, where: str) -> Any:  # noqa: ANN401 - weekdays, or what is missing
        if isinstance(data, str | int):
            found = weekdays_of(str(data))
            if found is None:
                self._weekday(data, where)
                return MISSED
            return found
        return self._list_of_weekdays(data, where)

    def _list_of_weekdays(self, data: object, where: str) -> Any:  # noqa: ANN401 - weekdays, or what is missing
        if not isinstance(data, list):
            told = Text("cần các thứ, như T2-T6 hoặc [1, 3, 5]", "should be weekdays, such as mon-fri or [1, 3, 5]")
            self._wrong(where, data, told, code="bad_weekday")
            return MISSED
        values: list[Any] = []
        for index, one in enumerate(data):
            several = weekdays_of(one) if isinstance(one, str) else None
            values += several or (self._weekday(one, f"{where}[{index}]"),)
        return MISSED if any(value is MISSED for value in values) else tuple(sorted(set(values)))

    def known_zone(self, name: str, where: str) -> Any:  # noqa: ANN401 - the name, or what is missing
        """Return the name of a time zone, or what is missing where there is none of that name."""
        try:
            ZoneInfo(name)
        except (ValueError, OSError, KeyError):
            hint = Text("Việt Nam: Asia/Ho_Chi_Minh.", "Vietnam: Asia/Ho_Chi_Minh.")
            message = Text(f"Không có múi giờ “{name}”.", f"There is no time zone “{name}”.")
            self.find("bad_zone", where, message, hint)
            return MISSED
        return name

    def unknown(self, where: str, key: str, known: Iterable[str]) -> None:
        """Keep that there is no such key, with the nearest one that there is."""
        message = Text(f"Không có mục “{key}”.", f"There is no key “{key}”.")
        names = sorted(known)
        listed = Text(f"Có các mục: {', '.join(names)}.", f"There are: {', '.join(names)}.")
        self.find("unknown_key", where, message, _nearest(key, names) or listed)

    def _wrong(
        self, where: str, data: object, told: Text, *, code: str = "bad_value", hint: Text | None = None
    ) -> None:
        """Keep that a value cannot be. told: what it should be, begun in small letters; hint: a guess that helps."""
        shown, name = _shown(data), _name(where)
        message = Text(f"“{name}” không thể là {shown.vi}.", f"“{name}” cannot be {shown.en}.")
        wanted = Text(f"C{told.vi[1:]}.", f"It {told.en}.")
        if hint is not None:
            wanted = Text(f"{hint.vi} {wanted.vi}", f"{hint.en} {wanted.en}")
        self.find(code, where, message, wanted)


_SIMPLE: dict[Any, Callable[[Reader, Any, str], Any]] = {
    str: Reader._str,
    bool: Reader._bool,
    int: Reader._int,
    float: Reader._float,
    date: Reader._date,
    time: Reader._time,
    datetime: Reader._datetime,
}


def day_of(text: str) -> date | None:
    """Return the day of `2026-11-23` or `23/11/2026`, or None."""
    match = _ENGLISH_DAY.fullmatch(text)
    parts = match.groups() if match else None
    if parts is None and (match := _VIETNAMESE_DAY.fullmatch(text)):
        parts = match.groups()[::-1]
    try:
        return None if parts is None else date(int(parts[0]), int(parts[1]), int(parts[2]))
    except ValueError:
        return None


def time_of(text: str) -> time | None:
    """Return the time of day of `05:30`, `5h30` or `05:30:15`, or None."""
    match = _TIME.fullmatch(text)
    if match is None or (match[2] is None and ":" in text):
        return None
    try:
        return time(int(match[1]), int(match[2] or 0), int(match[3] or 0))
    except ValueError:
        return None


def weekday_of(data: object) -> int | None:
    """Return the ISO weekday of `T2`, `CN`, `mon` or 1, or None."""
    if isinstance(data, int) and not isinstance(data, bool):
        return data if 1 <= data <= 7 else None
    return WEEKDAYS.get(data.strip().lower()) if isinstance(data, str) else None


def weekdays_of(text: str) -> tuple[int, ...] | None:
    """Return the ISO weekdays of `T2-T6`, `T7,CN`, `mon-fri` or `daily`, or None."""
    if text.strip().lower() in ("daily", "hằng ngày", "hàng ngày"):
        return (1, 2, 3, 4, 5, 6, 7)
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        ends = [
            weekday_of(int(end) if end.strip().isdecimal() else end) for end in ((first, last) if dash else (first,))
        ]
        if ends[0] is None or ends[-1] is None or ends[0] > ends[-1]:
            return None
        found |= set(range(ends[0], ends[-1] + 1))
    return tuple(sorted(found))


def span_of(text: str) -> Mapping[str, Any] | None:
    """Return weekdays, start and end of `05:00-21:00` or `T7,CN 06:00-20:00`, or None; the end may be 24:00."""
    days, _, hours = text.strip().rpartition(" ")
    start, dash, end = hours.partition("-")
    if not dash:
        start, dash, end = hours.partition("–")
    weekdays = weekdays_of(days) if days else None
    if not dash or time_of(start) is None or (days and weekdays is None):
        return None
    if end not in ("24:00", "24h", "24h00") and time_of(end) is None:
        return None
    found = {"start": start, "end": end}
    return {**found, "weekdays": list(weekdays)} if weekdays else found


def windows_of(text: str) -> list[Any]:
    """Return the windows of `T7,CN 05:30-07:00`, one for each weekday; what is none comes back as it is."""
    found = span_of(text)
    if found is None or "weekdays" not in found:
        return [text]
    return [{"weekday": day, "start": found["start"], "end": found["end"]} for day in found["weekdays"]]


def _spread(data: object, several: Callable[[str], list[Any]]) -> object:
    if not isinstance(data, list):
        return data
    return [entry for one in data for entry in (several(one) if isinstance(one, str) else [one])]


@lru_cache(maxsize=256)
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _lacking(name: str) -> Text:
    return Text(f"Thiếu mục “{name}”.", f"“{name}” is missing.")


def _left_empty(name: str) -> Text:
    return Text(f"Mục “{name}” để trống.", f"“{name}” is left empty.")


def _add(name: str) -> Text:
    return Text(f"Ghi giá trị sau “{name}:”.", f"Write a value after “{name}:”.")


def _nearest(data: object, names: Iterable[str]) -> Text | None:
    close = difflib.get_close_matches(str(data)[:100], sorted(names), n=1)
    return Text(f"Có phải là “{close[0]}”?", f"Did you mean “{close[0]}”?") if close else None


def _name(where: str) -> str:
    match = _PART.search(where)
    return match[1] if match else where.rpartition(".")[2] or where


def _shown(data: object) -> Text:
    if isinstance(data, dict):
        return Text("một nhóm mục", "a mapping")
    if isinstance(data, list):
        return Text("một danh sách", "a list")
    if data is None:
        return Text("để trống", "nothing")
    short = str(data) if len(str(data)) <= 60 else f"{str(data)[:60]}…"
    return Text(f"“{short}”", f"“{short}”")
