"""What is told to a person who orders a single airing: every reason against it, and what gives way."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time

import pytest

from schedules.duty import DutyWindow
from schedules.findings import Severity
from schedules.flow import one_off_slot
from schedules.grid import OneOff
from schedules.intent import Intent
from schedules.ordering import check_one_off
from schedules.segment import Priority
from schedules.station import ClusterGroup, DaySpan, Limits, Station
from tests.schedules.builders import duty, intent, local, one_off, place, segment, session

NOW = local(23, 8)


def codes(decided: Intent, order: OneOff, now: datetime = NOW, **more: object) -> list[str]:
    return [finding.code for finding in check_one_off(decided, order, now, **more)]  # type: ignore[arg-type]


def decided(*others: OneOff, **more: object) -> Intent:
    values: dict[str, object] = {"segments": (segment("a", seconds=600),), "one_offs": others}
    return intent(**{**values, **more})


@pytest.mark.parametrize(("start", "found"), [(local(23, 7, 59), ["in_the_past"]), (NOW, []), (local(23, 9), [])])
def test_an_order_is_for_now_or_later(start: datetime, found: list[str]) -> None:
    """This very moment is not past yet."""
    assert found == codes(decided(), one_off("1", "a", start))


def test_an_order_needs_a_recording_that_is_valid_then() -> None:
    """What has expired by its start is refused; what becomes valid by then is not."""
    dated = decided(segments=(segment("a", valid_from=local(23, 10), valid_until=local(23, 12)),))

    assert ["not_valid"] == codes(dated, one_off("1", "a", local(23, 9)))
    assert [] == codes(dated, one_off("1", "a", local(23, 10)))
    assert ["not_valid"] == codes(dated, one_off("1", "a", local(23, 12)))


@pytest.mark.parametrize("owner", ["XA", "HUYEN"])
def test_an_order_takes_recordings_of_its_unit_and_of_those_above(owner: str) -> None:
    """A neighbour's recording is as unknown as one that was never approved, and nothing more is said then."""
    order = one_off("1", "a", local(22, 9))

    assert ["in_the_past"] == codes(decided(segments=(segment("a", owner=owner),)), order)
    assert ["not_approved"] == codes(decided(segments=(segment("a", owner="KHAC"),)), order)
    assert ["not_approved"] == codes(decided(segments=()), order)


def test_an_order_stays_in_the_hours_as_a_whole() -> None:
    """Ten minutes that would end at one minute past nine in the evening are refused, with the hours."""
    late = one_off("1", "a", local(23, 20, 51))

    (finding,) = check_one_off(decided(), late, NOW)

    assert ("outside_hours", Severity.ERROR) == (finding.code, finding.severity)
    assert "(05:00–21:00)" in finding.message.vi and "(05:00–21:00)" in finding.message.en
    assert [] == codes(decided(), replace(late, start=local(23, 20, 50)))


def test_an_order_that_no_group_may_hear_is_refused() -> None:
    """Where every cluster group is closed then, nobody would hear it."""
    morning = ClusterGroup(code="THON", name="Thôn", permitted=(DaySpan(start=time(5), end=time(9)),))
    station = Station(code="XA", name="Đài", unit="XA", groups=(morning,))

    assert ["outside_hours"] == codes(decided(stations=(station,)), one_off("1", "a", local(23, 8, 55)))
    assert [] == codes(decided(stations=(station,)), one_off("1", "a", local(23, 8, 50)))


def test_an_emergency_is_not_asked_for_hours_or_for_others() -> None:
    """It airs at once; only a past start or a recording that may not air speaks against it."""
    other = one_off("2", "a", local(23, 22))
    urgent = one_off("1", "a", local(23, 22), priority=Priority.EMERGENCY)

    assert [] == codes(decided(other), urgent)
    assert ["in_the_past"] == codes(decided(other), replace(urgent, start=local(23, 7)))


def test_an_order_does_not_take_the_time_of_another() -> None:
    """The other's end is told to the second; one right behind it is free."""
    other = one_off("2", "a", local(23, 9))

    (finding,) = check_one_off(decided(other), one_off("1", "a", local(23, 9, 9, 59)), NOW)

    assert "conflict" == finding.code
    assert finding.hint is not None
    assert "09:10:01 23/11/2026" in finding.hint.vi and "09:10:01 23/11/2026" in finding.hint.en
    assert [] == codes(decided(other), one_off("1", "a", local(23, 9, 10)))
    assert [] == codes(decided(other), one_off("1", "a", local(23, 8, 50)))


@pytest.mark.parametrize(
    "other",
    [
        one_off("1", "a", local(23, 9)),
        replace(one_off("2", "a", local(23, 9)), station="KHAC"),
        replace(one_off("2", "a", local(23, 9)), cancelled_at=NOW, cancelled_by="x"),
        one_off("2", "gone", local(23, 9)),
    ],
)
def test_what_is_no_other_order_stands_in_nobody_s_way(other: OneOff) -> None:
    """Itself, one of another station, a cancelled one, one whose recording is gone."""
    assert [] == codes(decided(other), one_off("1", "a", local(23, 9)))


def test_an_order_that_has_its_row_stands_in_nobody_s_way() -> None:
    """A missed or stopped order frees its time; the next one is still looked at."""
    orders = (one_off("2", "a", local(23, 9)), one_off("3", "a", local(23, 9, 10)))
    order = one_off("1", "a", local(23, 9, 5))

    assert ["conflict", "conflict"] == codes(decided(*orders), order)
    assert ["conflict"] == codes(decided(*orders), order, settled={one_off_slot("XA", "2")})


def test_the_sessions_that_give_way_are_named() -> None:
    """A warning for each session that the order falls into; it is taken all the same."""
    grid = (
        session(place("x", fixed="a"), name="sang", starts=(time(9),)),
        session(place("x", fixed="a"), name="trua", starts=(time(11),)),
    )

    (finding,) = check_one_off(decided(sessions=grid), one_off("1", "a", local(23, 9, 20)), NOW)

    assert ("gives_way", Severity.WARNING, "sang") == (finding.code, finding.severity, finding.where)
    assert "“sang”" in finding.message.vi and "“sang”" in finding.message.en


def test_an_order_beyond_the_day_s_minutes_is_refused() -> None:
    """Fifteen minutes a day: one order of ten is taken, a second one of that day is not, one of the next day is."""
    limited = Station(code="XA", name="Đài", unit="XA", limits=Limits(day_s=900))
    known = decided(one_off("2", "a", local(23, 12)), stations=(limited,))

    (finding,) = check_one_off(known, one_off("1", "a", local(23, 18)), NOW)

    assert ("over_limit", Severity.ERROR, "start") == (finding.code, finding.severity, finding.where)
    assert "20 phút" in finding.message.vi and "15 phút" in finding.message.vi
    assert [] == codes(known, one_off("1", "a", local(24, 18)))
    assert [] == codes(known, one_off("1", "a", local(23, 18)), settled={one_off_slot("XA", "2")})


def test_groups_that_will_not_hear_an_order_are_named() -> None:
    """One of two cluster groups is closed then: a warning with its name."""
    groups = (
        ClusterGroup(code="A", name="Thôn Một", permitted=(DaySpan(start=time(5), end=time(9)),)),
        ClusterGroup(code="B", name="Thôn Hai"),
    )
    known = decided(stations=(Station(code="XA", name="Đài", unit="XA", groups=groups),))

    (finding,) = check_one_off(known, one_off("1", "a", local(23, 12)), NOW)

    assert ("groups_closed", Severity.WARNING) == (finding.code, finding.severity)
    assert "“Thôn Một”" in finding.message.vi and "Thôn Hai" not in finding.message.vi


def must(**more: object) -> Intent:
    """Return a week with the duty of programme CDS on Friday, and no other place for it."""
    window = DutyWindow(weekday=5, start=time(17), end=time(17, 15))
    return decided(
        segments=(segment("a", seconds=600, programme="TIN"), segment("cds", seconds=600)),
        duties=(duty(windows=(window,)),),
        **more,
    )


def test_an_order_that_takes_the_last_chance_of_a_duty_says_so() -> None:
    """The only window of the week is fifteen minutes long; an order of ten in it leaves nothing."""
    assert ["takes_last_chance"] == codes(must(), one_off("1", "a", local(27, 17)))
    assert [] == codes(must(), one_off("1", "a", local(27, 17, 15)))
    # Its own recording fulfils it; where the window is over, or another slot is left, nothing is lost by the order.
    assert [] == codes(must(), one_off("1", "cds", local(27, 17)))
    assert [] == codes(must(), one_off("1", "a", local(27, 18)), now=local(27, 17, 30))
    other = session(place("cds", programme="CDS"), name="toi", starts=(time(19),), weekdays=(5,))
    assert [] == codes(must(sessions=(other,)), one_off("1", "a", local(27, 17)))
    assert ["gives_way"] == codes(must(sessions=(other,)), one_off("1", "a", local(27, 19)))


def test_a_duty_whose_deadline_is_over_loses_nothing() -> None:
    """On Sunday the week's deadline of Saturday has passed: an order then is nobody's loss."""
    known = must()
    early = replace(known, duties=tuple(replace(d, deadline_days=1) for d in known.duties))

    assert [] == codes(early, one_off("1", "a", local(29, 12)), now=local(29, 8))


def test_every_finding_says_what_to_do() -> None:
    """Whatever speaks against an order comes with a hint in both languages."""
    limited = Station(code="XA", name="Đài", unit="XA", limits=Limits(day_s=900))
    known = must(
        sessions=(session(place("cds", programme="CDS"), weekdays=(5,)),),
        stations=(limited,),
        one_offs=(one_off("2", "a", local(27, 20, 55)),),
    )
    findings = [
        *check_one_off(known, one_off("1", "a", local(27, 20, 55)), local(27, 21)),
        *check_one_off(known, one_off("1", "zz", local(27, 20)), NOW),
        *check_one_off(known, one_off("1", "a", local(27, 5, 30)), NOW),
    ]

    assert {"in_the_past", "outside_hours", "conflict", "over_limit", "not_approved", "gives_way"} <= {
        finding.code for finding in findings
    }
    assert all(finding.hint is not None and finding.hint.vi and finding.hint.en for finding in findings)
