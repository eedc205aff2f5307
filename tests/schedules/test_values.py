"""Small values of the core: sentences, units above and below, recordings, stretches of the day, things by name."""

from __future__ import annotations

from dataclasses import MISSING, fields
from datetime import time, timedelta
from enum import StrEnum

import pytest

from schedules.airing import Evidence, RunState, Verdict
from schedules.duty import Counting, Duty, DutyState, Excuse, Period
from schedules.findings import Severity
from schedules.grid import (
    CalendarDay,
    Change,
    DayKind,
    ItemKind,
    OneOff,
    SessionException,
    SessionItem,
    SessionRule,
    Timing,
    WeekTemplate,
)
from schedules.intent import Intent
from schedules.programme import Order, Otherwise, Programme
from schedules.rundown import Rundown
from schedules.segment import Priority, Segment, SegmentKind, SegmentState
from schedules.station import DaySpan, Limits, Station, Unit, merged_into, units_above, units_below
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


def defaults(shape: type) -> dict[str, object]:
    """Return what holds of a shape where nothing is said, without what is empty or open."""
    said = {f.name: f.default for f in fields(shape) if f.default is not MISSING}
    return {name: value for name, value in said.items() if value not in (None, (), "")}


def test_what_holds_where_nothing_is_said() -> None:
    """Rules written down without a word about it mean this; changing one would change every grid there is."""
    assert {"demo": False, "seed": 0} == defaults(Intent)
    assert {
        "evergreen": False,
        "language": "vi",
        "priority": Priority.NORMAL,
        "self_approved": False,
    } == defaults(Segment)
    assert {"optional": False, "timing": Timing.RELATIVE, "bound_s": 300} == defaults(SessionItem)
    assert {"weekdays": (1, 2, 3, 4, 5, 6, 7), "every_weeks": 1} == defaults(SessionRule)
    assert {"priority": 1} == defaults(WeekTemplate)
    assert {"following": False} == defaults(SessionException)
    assert {"priority": Priority.NORMAL} == defaults(OneOff)
    assert {
        "count": 1,
        "period": Period.WEEK,
        "counting": Counting.AIRINGS,
        "deadline_days": 0,
        "deadline_at": time(0),
        "warn_days": 2,
        "least_share": 1.0,
    } == defaults(Duty)
    assert {
        "order": Order.NEWEST,
        "otherwise": (Otherwise.CENTRE, Otherwise.REPEAT, Otherwise.EVERGREEN),
        "separation_s": 0,
    } == defaults(Programme)
    assert {"weekdays": (1, 2, 3, 4, 5, 6, 7)} == defaults(DaySpan)
    assert {
        "zone": "Asia/Ho_Chi_Minh",
        "permitted": (DaySpan(start=time(5), end=time(21)),),
        "self_approval": False,
        "limits": Limits(),
    } == defaults(Station)
    assert {} == defaults(Limits) == defaults(Unit) == defaults(CalendarDay) == defaults(Excuse)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (ItemKind, "ident greeting segment relay notice filler closing live emergency"),
        (Timing, "hard soft relative"),
        (DayKind, "ordinary day_off holiday tet working mourning"),
        (Change, "cancel move"),
        (Period, "week month year"),
        (Counting, "airings topics"),
        (DutyState, "planned at_risk met made_up missed excused"),
        (Order, "newest series"),
        (Otherwise, "centre repeat rotation evergreen"),
        (SegmentKind, "tin bai ban_tin thong_bao tra_loi nhac_hieu"),
        (SegmentState, "received analysing ready refused submitted approved returned withdrawn"),
        (Priority, "normal priority emergency"),
        (Verdict, "aired partial missed replaced cancelled"),
        (Evidence, "E0 E1 E2 E3 H"),
        (RunState, "armed playing interrupted ended"),
        (Severity, "error warning note"),
    ],
)
def test_words_in_documents_and_journals_do_not_change(kind: type[StrEnum], values: str) -> None:
    """They stand in signed documents, in rows that are never rewritten, and in the API."""
    assert values.split() == [one.value for one in kind]
