"""The demonstration's session: every quarter of an hour, and never in the way of the station's own."""

from __future__ import annotations

from datetime import time, timedelta

import pytest

from house.demonstration import demo_starts
from tests.schedules.builders import session

LENGTH = timedelta(minutes=4)


def test_without_other_sessions_every_quarter_of_an_hour() -> None:
    """96 starts around the day, from the first on."""
    starts = demo_starts(time(23, 7, 30), LENGTH, ())
    assert 96 == len(starts)
    assert time(23, 7, 30) in starts
    assert time(23, 22, 30) in starts
    assert time(0, 7, 30) in starts


def test_starts_that_would_overlap_are_left_out() -> None:
    """Neither does one of them run into a session nor begin while it lasts."""
    own = session(starts=(time(5, 30), time(23, 58)), length_s=300)
    starts = demo_starts(time(12, 12), LENGTH, (own,))
    # Of 12:12 and every quarter after it: 05:27 would run into 05:30, 23:57 and 00:12 lie beside 23:58 to 00:03.
    assert 94 == len(starts)
    assert {time(5, 27), time(23, 57)}.isdisjoint(starts)
    assert {time(5, 42), time(0, 12), time(5, 12)} <= set(starts)


@pytest.mark.parametrize("first", [time(16, 57), time(17, 0), time(17, 3)])
def test_where_a_session_is_at_the_first_start_they_begin_at_its_end(first: time) -> None:
    """Whoever starts Loa then hears the station's own session, and the next one right after it."""
    own = session(starts=(time(17),), length_s=300)
    following = session(name="sau", starts=(time(17, 7),), length_s=120)
    assert time(17, 5) in demo_starts(first, LENGTH, (own,))
    starts = demo_starts(first, LENGTH, (own, following))
    assert time(17, 9) in starts
    assert {time(17, 9), time(17, 24)} <= set(starts)
