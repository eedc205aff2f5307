"""What is told to a person who orders a single airing: every reason against it, and what gives way."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time

import pytest

from schedules.findings import Severity
from schedules.flow import one_off_slot
from schedules.grid import OneOff
from schedules.intent import Intent
from schedules.ordering import check_one_off
from schedules.segment import Priority
from schedules.station import ClusterGroup, DaySpan, Station
from tests.schedules.builders import intent, local, one_off, place, segment, session

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
