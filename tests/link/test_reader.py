"""Plain data into values: the forms that people may write, and what they are told where it is none of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from link.reader import Reader, Shape, day_of, span_of, time_of, weekdays_of, windows_of
from schedules.airing import Verdict
from schedules.station import DaySpan
from schedules.text import Text

VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """One field of every kind."""

    name: str
    number: int = 1
    share: float = 0.5
    yes: bool = False
    day: date | None = None
    at: time = time(0)
    moment: datetime | None = None
    verdict: Verdict = Verdict.AIRED
    said: Text | None = None
    names: tuple[str, ...] = ()
    hours: tuple[DaySpan, ...] = ()
    weekdays: tuple[int, ...] = ()
    inner: Thing | None = None


SHAPES = {
    Thing: Shape(bounds={"number": (1, 5)}, weekdays=("weekdays",)),
    DaySpan: Shape(word=span_of, word_form='"05:00-21:00"', weekdays=("weekdays",), until=("end",)),
}


def read(data: object, zone: ZoneInfo = VIETNAM) -> tuple[Thing | None, list[tuple[str, str]]]:
    reader = Reader(zone=zone, shapes=SHAPES)
    value = reader.value(Thing, data, "things[0]")
    assert all(f.message.vi and f.message.en and f.hint for f in reader.findings)
    return value, [(finding.code, finding.where) for finding in reader.findings]


def test_every_kind_of_field_is_read() -> None:
    """What a person writes becomes values of the core, times aware UTC."""
    value, findings = read(
        {
            "name": "a",
            "number": 3,
            "share": 1,
            "yes": True,
            "day": "23/11/2026",
            "at": "5h30",
            "moment": "2026-11-23 05:30",
            "verdict": "missed",
            "said": {"vi": "Mất điện", "en": "Power cut"},
            "names": ["x", "y"],
            "hours": ["T2-T6 05:00-24:00", {"start": "06:00", "end": "07:00"}],
            "weekdays": "T7,CN",
            "inner": {"name": "b"},
        }
    )

    assert [] == findings
    assert value == Thing(
        name="a",
        number=3,
        share=1.0,
        yes=True,
        day=date(2026, 11, 23),
        at=time(5, 30),
        moment=datetime(2026, 11, 22, 22, 30, tzinfo=UTC),
        verdict=Verdict.MISSED,
        said=Text("Mất điện", "Power cut"),
        names=("x", "y"),
        hours=(
            DaySpan(start=time(5), end=time(0), weekdays=(1, 2, 3, 4, 5)),
            DaySpan(start=time(6), end=time(7)),
        ),
        weekdays=(6, 7),
        inner=Thing(name="b"),
    )


@pytest.mark.parametrize(
    ("key", "wrong", "code"),
    [
        ("name", 5, "bad_value"),
        ("name", None, "empty"),
        ("name", ["a"], "bad_value"),
        ("number", "five", "bad_value"),
        ("number", True, "bad_value"),
        ("number", 1.5, "bad_value"),
        ("number", 6, "out_of_range"),
        ("share", "half", "bad_value"),
        ("yes", "yes", "bad_value"),
        ("day", "2026-02-30", "bad_date"),
        ("day", "30/02/2026", "bad_date"),
        ("day", "0001-01-01", "bad_date"),
        ("day", 20261123, "bad_date"),
        ("at", "25:00", "bad_time"),
        ("at", "24:00", "bad_time"),
        ("at", "0530", "bad_time"),
        ("at", 530, "bad_time"),
        ("moment", "tomorrow", "bad_moment"),
        ("moment", "9999-12-31T23:59:59-12:00", "bad_moment"),
        ("moment", "0001-01-01T00:00:00+14:00", "bad_moment"),
        ("moment", "2026-11-23T25:00", "bad_moment"),
        ("verdict", "airde", "unknown_choice"),
        ("said", {"vi": "a"}, "bad_value"),
        ("names", "x", "not_a_list"),
        ("hours", ["5-21"], "bad_value"),
        ("weekdays", "T9", "bad_weekday"),
        ("weekdays", 8, "bad_weekday"),
        ("weekdays", {"a": 1}, "bad_weekday"),
        ("inner", "b", "not_a_mapping"),
        ("inner", [], "not_a_mapping"),
    ],
)
def test_what_is_wrong_is_told_at_its_path(key: str, wrong: object, code: str) -> None:
    """Each wrong value is one finding, at the key that holds it, and gives no value."""
    value, findings = read({"name": "a", key: wrong})

    assert value is None
    assert [code] == [found for found, _ in findings]
    assert findings[0][1].startswith(f"things[0].{key}")


def test_all_mistakes_are_told_at_once() -> None:
    """Missing, unknown, wrong and deep inside: a person mends them in one go."""
    _, findings = read({"nmae": "a", "number": "x", "hours": [{"start": "99:00"}], "weekdays": ["T2", "T9"]})

    assert [
        ("unknown_key", "things[0].nmae"),
        ("missing_key", "things[0].name"),
        ("bad_value", "things[0].number"),
        ("bad_time", "things[0].hours[0].start"),
        ("missing_key", "things[0].hours[0].end"),
        ("bad_weekday", "things[0].weekdays[1]"),
    ] == findings


def test_an_unknown_key_names_the_nearest_and_else_all() -> None:
    """A slip of the finger is recognised; a wild guess gets the whole list."""
    reader = Reader(zone=VIETNAM, shapes=SHAPES)
    reader.value(Thing, {"name": "a", "momnet": 1, "zzz": 2}, "")

    hints = {finding.where: finding.hint.en for finding in reader.findings if finding.hint is not None}
    assert "Did you mean “moment”?" == hints["momnet"]
    assert "weekdays" in hints["zzz"]


def test_a_wrong_choice_names_the_nearest_and_all() -> None:
    """The word that was meant, and every word that there is."""
    reader = Reader(zone=VIETNAM, shapes=SHAPES)
    reader.value(Thing, {"name": "a", "verdict": "mised"}, "")

    found = reader.findings[0]
    assert found.hint is not None
    assert "“verdict” không thể là “mised”." == found.message.vi
    assert "Có phải là “missed”? Cần một trong: aired, partial, missed, replaced, cancelled." == found.hint.vi


def test_a_moment_with_its_offset_is_taken_as_it_says() -> None:
    """The zone of the file is only for moments that do not say."""
    value, _ = read({"name": "a", "moment": "2026-11-23T00:00:00Z"}, ZoneInfo("America/New_York"))

    assert value is not None
    assert datetime(2026, 11, 23, tzinfo=UTC) == value.moment


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("T2-T6", (1, 2, 3, 4, 5)),
        ("mon-fri", (1, 2, 3, 4, 5)),
        ("T7,CN", (6, 7)),
        ("CN", (7,)),
        ("daily", (1, 2, 3, 4, 5, 6, 7)),
        ("hằng ngày", (1, 2, 3, 4, 5, 6, 7)),
        ("1-3, 7", (1, 2, 3, 7)),
        ("CN-T2", None),
        ("T1", None),
        ("T8", None),
        ("", None),
        ("0", None),
        ("-", None),
    ],
)
def test_weekdays_in_a_word(text: str, days: tuple[int, ...] | None) -> None:
    """Ranges and lists, in both languages; Thứ Bảy is T7, and there is no T8."""
    assert days == weekdays_of(text)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [("05:00-21:00", "05:00", "21:00"), ("T2 22:00–24:00", "22:00", "24:00"), ("5h-6h30", "5h", "6h30")],
)
def test_hours_in_a_word(text: str, start: str, end: str) -> None:
    """Both dashes, both ways to write a time."""
    found = span_of(text)

    assert found is not None
    assert (start, end) == (found["start"], found["end"])


@pytest.mark.parametrize("text", ["05:00", "05:00-", "-05:00", "05:00-25:00", "T9 05:00-06:00", "x 05:00-06:00", ""])
def test_hours_that_are_none(text: str) -> None:
    """Nothing is guessed."""
    assert span_of(text) is None


def test_one_word_gives_a_window_for_each_weekday() -> None:
    """A make-up window on both days of the weekend is written once."""
    assert [
        {"weekday": 6, "start": "05:30", "end": "07:00"},
        {"weekday": 7, "start": "05:30", "end": "07:00"},
    ] == windows_of("T7,CN 05:30-07:00")
    assert ["05:30-07:00"] == windows_of("05:30-07:00")


def test_days_and_times_that_are_none() -> None:
    """29 February of a common year, minute 60, and nonsense are no days and times."""
    assert date(2028, 2, 29) == day_of("29/2/2028")
    assert day_of("2027-02-29") is None
    assert time(23, 59, 59) == time_of("23:59:59")
    assert time_of("12:60") is None
    assert time_of("12:") is None
