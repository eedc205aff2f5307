"""Why a duty has no place: a smallest set of facts, each of them needed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time

import pytest

from schedules.airing import Facts, Verdict
from schedules.clock import Interval
from schedules.duty import Counting, Duty, DutyWindow
from schedules.findings import Finding, Severity
from schedules.impossible import why_impossible
from schedules.intent import Intent
from schedules.owing import Need
from schedules.placing import Problem
from schedules.planner import plan
from schedules.station import DaySpan, Limits, Station
from schedules.text import Text
from tests.schedules.builders import duty, intent, local, one_off, row, segment
from tests.schedules.test_solving import CDS, needs, problem

WEEK = Interval(local(23, 0), local(30, 0))
EARLY = local(23, 4)

WINDOWS = "khung giờ phát bù của nhiệm vụ không đủ chỗ"
HOURS = "khung giờ được phép phát của đài không đủ chỗ"
LIMIT = "giới hạn số phút phát trong ngày hoặc trong buổi"
TIME = "thời gian còn lại của kỳ không đủ"
ORDERS = "các lượt phát đã xếp riêng chiếm hết giờ"
TRIES = "đã phát bù hết số lần cho phép"
TOO_LONG = "không bài nào của mục này vừa giờ phát"
OTHERS = "các nhiệm vụ khác cần cùng khung giờ"


def window(start: time, end: time, weekday: int = 6) -> DutyWindow:
    return DutyWindow(weekday=weekday, start=start, end=end)


def owed(*windows: DutyWindow, **more: object) -> Duty:
    return duty(**{"windows": windows, "topic_prefix": "", **more})


def station(*, until: int = 21, **more: object) -> Station:
    hours = (DaySpan(start=time(5), end=time(until)),)
    return Station(code="XA", name="Đài", unit="XA", permitted=hours, **more)  # type: ignore[arg-type]


def told(decided: Intent, now: datetime = EARLY, facts: Facts | None = None, code: str = "CDS-XA") -> Finding:
    """Return the one finding that says why the duty is impossible."""
    rundown = plan(decided, facts or Facts(station="XA"), now, WEEK)
    (finding,) = (f for f in rundown.findings if f.code == "duty_impossible" and f.where == code)
    return finding


def reasons(finding: Finding) -> set[str]:
    return set(finding.message.vi.partition(": ")[2].rstrip(".").split("; "))


def week(*duties: Duty, seconds: float = 600, **more: object) -> Intent:
    values: dict[str, object] = {
        "segments": (segment("a", seconds=seconds), segment("k", seconds=1200, programme="TIN")),
        "stations": (station(),),
        "duties": duties,
    }
    return intent(**{**values, **more})


SATURDAY = owed(window(time(5, 30), time(5, 50, 40)))


@pytest.mark.parametrize(
    ("decided", "now", "expected", "severity"),
    [
        (week(owed(window(time(5, 30), time(5, 30, 40)))), EARLY, {WINDOWS}, Severity.ERROR),
        (week(owed(window(time(5, 30), time(5, 35)))), EARLY, {WINDOWS, TOO_LONG}, Severity.WARNING),
        (week(owed(window(time(22), time(23)))), EARLY, {WINDOWS, HOURS}, Severity.ERROR),
        (week(owed(), stations=(station(limits=Limits(day_s=59)),)), EARLY, {LIMIT}, Severity.ERROR),
        (week(owed(), stations=(station(limits=Limits(session_s=59)),)), EARLY, {LIMIT}, Severity.ERROR),
        (
            week(owed(), seconds=61, stations=(station(limits=Limits(day_s=60)),)),
            EARLY,
            {LIMIT, TOO_LONG},
            Severity.WARNING,
        ),
        (week(owed()), local(29, 23, 59, 20), {TIME}, Severity.WARNING),
        (week(SATURDAY), local(28, 6), {WINDOWS, TIME}, Severity.WARNING),
        (
            week(SATURDAY, one_offs=(one_off("1", "k", local(28, 5, 30, 20)),)),
            EARLY,
            {WINDOWS, ORDERS},
            Severity.WARNING,
        ),
        (week(SATURDAY, replace(SATURDAY, code="A", programme="TIN")), EARLY, {WINDOWS, OTHERS}, Severity.WARNING),
        (week(owed(count=2), segments=()), EARLY, {"không có bài đã duyệt cho mục này"}, Severity.WARNING),
    ],
)
def test_the_facts_named_suffice_and_none_is_too_many(
    decided: Intent, now: datetime, expected: set[str], severity: Severity
) -> None:
    """Windows, hours, limits, the time left, orders, other duties, no recording: alone or just as many as it takes."""
    finding = told(decided, now)

    assert expected == reasons(finding)
    assert severity is finding.severity
    assert finding.hint is not None


def test_tries_that_are_used_up_are_named() -> None:
    """Six make-ups failed: nothing else stands in the way of a seventh."""
    decided = week(owed())
    item = plan(decided, Facts(station="XA"), EARLY, WEEK).items[0]
    prefix = item.slot.rpartition("/")[0]
    rows = tuple(row(item, Verdict.MISSED, slot=f"{prefix}/{number}") for number in range(1, 7))

    finding = told(decided, local(23, 12), Facts(station="XA", airings=rows))

    assert {TRIES} == reasons(finding)


def test_what_is_impossible_says_which_duty_and_which_week() -> None:
    """The sentence names the duty and its period in both languages, and what to do."""
    finding = told(week(owed(window(time(5, 30), time(5, 30, 40)))))

    assert finding.message.vi.startswith("Chuyển đổi số, tuần 48/2026, không thể phát đủ: ")
    assert finding.message.en.startswith("Chuyển đổi số, week 48/2026, cannot be fulfilled: ")
    assert finding.hint is not None and "Add windows to the duty." == finding.hint.en


def test_two_lacking_recordings_of_a_topic_each_are_imagined_apart() -> None:
    """A duty of three topics that only lacks audio is not told that its windows are too small."""
    topical = owed(count=3, counting=Counting.TOPICS, topics=("F-1", "F-2", "F-3"))

    assert 1 == len(reasons(told(week(topical))))


def direct(posed: Problem, wanting: Need) -> Finding:
    return why_impossible(station(), posed, wanting, Text("Không có bài.", "No recording."), EARLY)


def test_a_duty_that_the_problem_does_not_hold_is_added_to_it() -> None:
    """Asked about a duty beside a problem of others: its own windows and its lack of audio are what is looked at."""
    wanted = needs(1, 1, windows=(window(time(5, 30), time(5, 40)),))
    posed = problem(wanted[:1], CDS, offered=lambda one, used: ())

    assert {"không có bài"} == reasons(direct(posed, wanted[1]))
    assert {"không có bài"} == reasons(direct(posed, wanted[0]))


def test_where_no_smaller_set_suffices_every_fact_is_named() -> None:
    """A duty that has a place after all blames everything, rather than a fact that is not to blame."""
    (wanted,) = needs(1)

    assert {WINDOWS, HOURS, LIMIT, TIME, ORDERS, TRIES, OTHERS, "không có bài"} == reasons(
        direct(problem((wanted,), CDS), wanted)
    )
