"""What an ear found again of an airing decides what of the counted samples counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from schedules.airing import Evidence, Run, RunState, Verdict
from schedules.text import Text
from schedules.verdicts import HeardShare, judge
from tests.schedules.builders import local
from tests.schedules.test_late import planned

NOW = local(23, 5, 31)
OUTPUTS = (("main", "pulse"), ("village", "pulse"))


def run(**counted: int) -> Run:
    """A minute that began in time and ended, counted on each output."""
    item = replace(planned(), samples=60 * 48_000)
    return Run(
        item=item,
        state=RunState.ENDED,
        start_at=item.start,
        started_at=item.start,
        counted=counted,
        ended_at=item.start + timedelta(seconds=60),
    )


def share(part: float, grade: Evidence = Evidence.E2) -> HeardShare:
    """So much of the minute."""
    return HeardShare(share=part, seconds=60 * part, grade=grade)


def test_what_was_heard_raises_the_grade_and_leaves_the_count() -> None:
    """Both outputs heard: the row is E2, or E3 on one of them; the least of both is the row's."""
    whole = 60 * 48_000
    row = judge(
        run(main=whole, village=whole), OUTPUTS, NOW, heard={"main": share(1.0), "village": share(0.96, Evidence.E3)}
    )
    one = judge(run(main=whole, village=whole), OUTPUTS, NOW, heard={"main": share(0.95)})

    assert (Verdict.AIRED, Evidence.E2, whole) == (row.verdict, row.evidence, row.samples_aired)
    assert [Evidence.E2, Evidence.E3] == [count.grade for count in row.outputs]
    assert row.reason is None
    assert (Verdict.AIRED, Evidence.E1) == (one.verdict, one.evidence)


def test_what_was_counted_and_not_heard_does_not_count() -> None:
    """Half of it found again: partial, in words; nothing found: missed, though every sample was counted."""
    whole = 60 * 48_000
    half = judge(run(main=whole, village=whole), OUTPUTS, NOW, heard={"main": share(0.5), "village": share(1.0)})
    nothing = judge(run(main=whole, village=whole), OUTPUTS, NOW, heard={"main": share(0.0), "village": share(0.0)})

    assert (Verdict.PARTIAL, whole // 2) == (half.verdict, half.samples_aired)
    assert half.reason is not None
    assert "50%" in half.reason.vi
    assert "main" in half.reason.vi
    assert (Verdict.MISSED, 0, Evidence.E0) == (nothing.verdict, nothing.samples_aired, nothing.evidence)
    assert nothing.reason is not None
    assert "0%" in nothing.reason.vi


def test_what_was_not_counted_is_not_taken_off_twice() -> None:
    """Half muted: half counted and half found again make half, not a quarter; the reason of a person goes first."""
    half = 30 * 48_000
    row = judge(run(main=half, village=half), OUTPUTS, NOW, heard={"main": share(0.5), "village": share(0.5)})
    silent = judge(run(), OUTPUTS, NOW, heard={"main": share(0.0), "village": share(0.0)})

    assert half == row.samples_aired
    assert silent.reason is not None
    assert "%" not in silent.reason.vi


def test_what_kept_it_from_being_heard_is_the_reason() -> None:
    """Where it is known, as with an amplifier without power, the row says that instead of a share."""
    whole = 60 * 48_000
    why = Text("Tăng âm không có điện.", "The amplifier had no power.")
    row = judge(run(main=whole, village=whole), OUTPUTS, NOW, heard={"main": replace(share(0.5), why=why)})

    assert why == row.reason


def test_an_ear_that_only_confirms_a_mute_is_not_the_reason() -> None:
    """Ten seconds were not counted and not heard: the row says that it was interrupted, with a Vietnamese comma."""
    fifty = 50 * 48_000
    muted = replace(run(main=fifty, village=60 * 48_000), holes_s=10.0)
    row = judge(muted, OUTPUTS, NOW, heard={"main": share(49 / 60), "village": share(1.0)})

    assert (Verdict.PARTIAL, 49 * 48_000) == (row.verdict, row.samples_aired)
    assert row.reason == Text("Bị ngắt 10,0 giây giữa bài.", "Interrupted for 10.0 s.")
