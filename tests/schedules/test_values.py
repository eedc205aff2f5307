"""Small values of the core: sentences, units above and below, recordings, stretches of the day, things by name."""

from __future__ import annotations

from datetime import time, timedelta

import pytest

from schedules.rundown import Rundown
from schedules.segment import Segment
from schedules.station import DaySpan, Unit, merged_into, units_above, units_below
from schedules.text import Text
from tests.schedules.builders import intent, local, segment

UNITS = (
    Unit(code="TINH", name=""),
    Unit(code="HUYEN", name="", parent="TINH"),
    Unit(code="XA", name="", parent="HUYEN"),
    Unit(code="THON", name="", parent="XA"),
    Unit(code="KHAC", name="", parent="HUYEN", successor="XA"),
    Unit(code="CU", name="", successor="KHAC"),
    Unit(code="VONG", name="", parent="TRON", successor="TRON"),
    Unit(code="TRON", name="", parent="VONG", successor="VONG"),
)


def test_a_sentence_is_vietnamese_unless_english_is_asked_for() -> None:
    """Whatever begins with `en` is English; everything else, and a plain string, is Vietnamese."""
    said = Text("một", "one")

    assert ["one", "one", "một", "một"] == [said.in_language(code) for code in ("en", "EN-gb", "vi", "fr")]
    assert "một" == str(said)


def test_units_below_are_those_at_any_depth() -> None:
    """A unit itself is among them; its neighbours and those above are not."""
    assert {"HUYEN", "XA", "THON", "KHAC"} == units_below(UNITS, "HUYEN")
    assert {"THON"} == units_below(UNITS, "THON")


def test_units_above_come_nearest_first_and_never_without_end() -> None:
    """The chain stops at a unit without a parent, an unknown one, and one that was there already."""
    assert ("XA", "HUYEN", "TINH") == units_above(UNITS, "THON")
    assert () == units_above(UNITS, "KHONG")
    assert ("TRON", "VONG") == units_above(UNITS, "VONG")


def test_units_that_were_merged_are_found_at_any_depth() -> None:
    """A unit that took over one that took over another has both; it is never among its own."""
    assert {"KHAC", "CU"} == merged_into(UNITS, "XA")
    assert {"TRON"} == merged_into(UNITS, "VONG")
    assert frozenset() == merged_into(UNITS, "CU")


@pytest.mark.parametrize(
    ("span", "whole"),
    [
        (DaySpan(start=time(0), end=time(0)), True),
        (DaySpan(start=time(0), end=time(0), weekdays=(1, 2, 3, 4, 5, 6)), False),
        (DaySpan(start=time(0), end=time(0), weekdays=(1, 1, 2, 3, 4, 5, 6)), False),
        (DaySpan(start=time(0), end=time(23, 59)), False),
        (DaySpan(start=time(0, 1), end=time(0)), False),
    ],
)
def test_only_every_moment_of_every_day_is_the_whole_day(span: DaySpan, whole: bool) -> None:
    """From midnight to midnight on seven weekdays, nothing less."""
    assert whole is span.whole_day


@pytest.mark.parametrize(
    ("samples", "duration"),
    [
        (48_000, timedelta(seconds=1)),
        (1, timedelta(microseconds=21)),
        (0, timedelta(0)),
        (48_003, timedelta(microseconds=1_000_062)),
    ],
)
def test_the_length_of_a_recording_is_that_of_its_samples(samples: int, duration: timedelta) -> None:
    """48,000 samples are a second; the rest is rounded to the microsecond."""
    assert duration == segment("a", seconds=samples / 48_000).duration


@pytest.mark.parametrize(
    ("moment", "valid"),
    [(local(24, 5, 59), False), (local(24, 6), True), (local(25, 5, 59), True), (local(25, 6), False)],
)
def test_a_recording_is_valid_from_its_first_to_before_its_last_moment(moment: object, valid: bool) -> None:
    """`[valid_from, valid_until)`; open where a date is not given."""
    dated: Segment = segment("a", valid_from=local(24, 6), valid_until=local(25, 6))

    assert valid is dated.valid_at(moment)  # type: ignore[arg-type]
    assert segment("b").valid_at(moment)  # type: ignore[arg-type]


def test_things_are_found_by_name() -> None:
    """A station that is not there is an error; a recording or a slot that is not there may have been withdrawn."""
    decided = intent(segments=(segment("a"),))
    rundown = Rundown(station="XA", revision=1, planned_at=local(23, 0), items=(), findings=(), duties=())

    assert "XA" == decided.station("XA").code
    with pytest.raises(KeyError):
        decided.station("KHONG")
    assert decided.segment("a") is decided.segments[0]
    assert decided.segment("b") is None
    assert rundown.item("XA/x") is None
