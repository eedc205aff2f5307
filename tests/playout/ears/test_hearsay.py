"""What nobody can have heard does not count: seconds without power behind an output."""

from __future__ import annotations

from dataclasses import replace

from playout.ears.hearsay import found_or_whole, without_power
from schedules.airing import Evidence, Run, RunState
from schedules.verdicts import HeardShare
from tests.schedules.test_late import planned

MINUTE = {"main": 60 * 48_000}


def test_f78_seconds_without_power_are_taken_off_what_was_heard_at_the_monitor() -> None:
    """A monitor hears what an amplifier without power does not sound: ten seconds of sixty are gone, in words."""
    whole = HeardShare(share=1.0, seconds=60.0, grade=Evidence.E2)
    cut = without_power({"main": whole}, {"main": 10.0}, MINUTE)["main"]
    counted_only = without_power({}, {"main": 30.0}, MINUTE)["main"]
    less_heard = without_power(
        {"main": HeardShare(share=0.5, seconds=30.0, grade=Evidence.E2)}, {"main": 10.0}, MINUTE
    )["main"]

    never = without_power({"main": whole}, {"main": 59.8}, MINUTE)["main"]

    assert 0.0 == never.seconds == never.share
    assert (50.0, Evidence.E2) == (cut.seconds, cut.grade)
    assert cut.why is not None
    assert "10 giây" in cut.why.vi
    assert (0.5, Evidence.E1) == (counted_only.share, counted_only.grade)
    assert 30.0 == less_heard.seconds


def test_a_moment_of_switching_and_what_never_sounded_change_nothing() -> None:
    """Less than a second is the switch itself; without a sample there is nothing to take from."""
    whole = HeardShare(share=1.0, seconds=60.0, grade=Evidence.E2)

    assert {"main": whole} == without_power({"main": whole}, {"main": 0.8}, MINUTE)
    assert {} == without_power({}, {"main": 30.0}, {})


def test_an_ear_that_found_nothing_of_a_short_count_does_not_make_it_nothing() -> None:
    """Where an output was lost two seconds in, what it counted stays; a whole count that nobody heard is no airing."""
    item = replace(planned(), samples=10 * 48_000)
    nothing = {"main": HeardShare(share=0.0, seconds=0.0, grade=Evidence.E2)}
    short = Run(item=item, state=RunState.ENDED, start_at=item.start, counted={"main": 2 * 48_000})
    whole = Run(item=item, state=RunState.ENDED, start_at=item.start, counted={"main": 10 * 48_000})

    assert {} == found_or_whole(nothing, short)
    assert nothing == found_or_whole(nothing, whole)
