"""From counted samples to a verdict: green only when enough was really heard, on every output."""

from __future__ import annotations

from datetime import timedelta

import pytest

from schedules.airing import Evidence, Facts, Run, RunState, Verdict
from schedules.clock import Interval
from schedules.planner import plan
from schedules.rundown import RundownItem
from schedules.verdicts import judge
from tests.schedules.builders import intent, local, place, segment, session

OUTPUTS = (("main", "pulse"), ("thon", "pulse"))


def item() -> RundownItem:
    decided = intent(segments=(segment("moi", seconds=100),), sessions=(session(place("cds", programme="CDS")),))
    return plan(decided, Facts(station="XA"), local(23, 4), Interval(local(23, 0), local(24, 0))).items[0]


def run(main: int, thon: int, *, late_s: float = 0.0, **more: object) -> Run:
    planned = item()
    started = planned.start + timedelta(seconds=late_s)
    return Run(
        item=planned,
        state=RunState.ENDED,
        start_at=planned.start,
        started_at=started,
        counted={"main": main, "thon": thon},
        exact=True,
        cause="complete",
        ended_at=planned.end,
        **more,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("main", "thon", "late_s", "verdict"),
    [
        (4_800_000, 4_800_000, 0.0, Verdict.AIRED),
        (4_560_000, 4_800_000, 0.0, Verdict.AIRED),
        (4_559_999, 4_800_000, 0.0, Verdict.PARTIAL),
        (4_800_000, 1, 0.0, Verdict.PARTIAL),
        (4_800_000, 0, 0.0, Verdict.MISSED),
        (4_800_000, 4_800_000, 300.0, Verdict.AIRED),
        (4_800_000, 4_800_000, 301.0, Verdict.PARTIAL),
    ],
)
def test_the_verdict_follows_the_worst_output(main: int, thon: int, late_s: float, verdict: Verdict) -> None:
    """95 % on every required output, begun within the late limit; sound in one village is no sound in the other."""
    assert verdict is judge(run(main, thon, late_s=late_s), OUTPUTS, local(23, 6)).verdict


def test_a_row_tells_what_was_counted() -> None:
    """Seconds, samples and evidence are those of the worst output; the others stand beside it."""
    row = judge(run(4_800_000, 2_400_000), OUTPUTS, local(23, 6))

    assert (50.0, 2_400_000, 4_800_000) == (row.seconds_aired, row.samples_aired, row.samples_expected)
    assert [4_800_000, 2_400_000] == [output.samples for output in row.outputs]
    assert Evidence.E1 is row.evidence
    assert row.reason is not None


def test_a_missed_row_has_no_start_and_no_evidence() -> None:
    """Where an output heard nothing, the row does not say that it began."""
    row = judge(run(4_800_000, 0), OUTPUTS, local(23, 6))

    assert row.started_at is None
    assert "Đầu ra “thon” không có tiếng" in str(row.reason)
    assert Evidence.E0 is row.evidence
    assert not row.bit_exact


@pytest.mark.parametrize(("kinds", "rehearsal"), [(("virtual", "virtual"), True), (("virtual", "pulse"), False)])
def test_only_virtual_outputs_make_a_rehearsal(kinds: tuple[str, str], rehearsal: bool) -> None:
    """One real loudspeaker is enough to be an airing."""
    outputs = (("main", kinds[0]), ("thon", kinds[1]))

    assert rehearsal is judge(run(4_800_000, 4_800_000), outputs, local(23, 6)).rehearsal


def test_what_was_heard_before_an_airing_started_anew_is_not_lost() -> None:
    """Half a minute was heard, the second try was silent: partial, with the better try's count on each output."""
    airing = judge(run(0, 0, earlier={"main": 1_440_000, "thon": 1_430_000}), OUTPUTS, local(23, 7))

    assert Verdict.PARTIAL is airing.verdict
    assert 1_430_000 == airing.samples_aired
