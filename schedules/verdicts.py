"""From counted samples to the one verdict of a slot."""

from __future__ import annotations

from datetime import datetime

from schedules.airing import Airing, Evidence, OutputCount, Part, Run, Verdict
from schedules.rundown import RundownItem
from schedules.segment import SAMPLE_RATE_HZ
from schedules.text import Text

WHOLE = 0.95
"""Share of the samples that makes an airing whole (interfaces: verdicts)."""


def judge(run: Run, outputs: tuple[tuple[str, str], ...], now: datetime) -> Airing:
    """Return the final row of an airing that ended.

    outputs: (name, kind) of every required output. What is counted is the least of them: sound on one loudspeaker group
    does not make up for silence on another.
    """
    item = run.item
    counts = tuple(_counted(run, name, kind) for name, kind in outputs)
    samples = min((count.samples for count in counts), default=0)
    late_s = None if run.started_at is None else (run.started_at - item.start).total_seconds()
    if samples == 0 or run.started_at is None:
        verdict = Verdict.MISSED
    elif samples >= WHOLE * item.samples and late_s is not None and late_s <= item.late_limit_s:
        verdict = Verdict.AIRED
    else:
        verdict = Verdict.PARTIAL
    reason = run.reason if verdict is Verdict.AIRED else (run.reason or _reason(run, verdict, late_s, counts))
    return _row(
        item,
        now,
        verdict,
        reason,
        started_at=run.started_at if samples else None,
        ended_at=run.ended_at if samples else None,
        samples=samples,
        bit_exact=run.exact and verdict is Verdict.AIRED,
        start_error_s=late_s if samples else None,
        holes_s=run.holes_s,
        parts=run.parts,
        outputs=counts,
        rehearsal=all(kind == "virtual" for _, kind in outputs),
        by=run.by,
    )


def _counted(run: Run, name: str, kind: str) -> OutputCount:
    samples = max(run.counted.get(name, 0), run.earlier.get(name, 0))
    return OutputCount(name=name, kind=kind, samples=samples, grade=Evidence.E1 if samples else Evidence.E0)


def not_aired(
    item: RundownItem,
    verdict: Verdict,
    reason: Text,
    outputs: tuple[tuple[str, str], ...],
    now: datetime,
    by: str | None = None,
) -> Airing:
    """Return the final row of a slot that never began."""
    counts = tuple(OutputCount(name=name, kind=kind, samples=0, grade=Evidence.E0) for name, kind in outputs)
    rehearsal = all(kind == "virtual" for _, kind in outputs)
    return _row(item, now, verdict, reason, outputs=counts, rehearsal=rehearsal, by=by)


def _row(
    item: RundownItem,
    now: datetime,
    verdict: Verdict,
    reason: Text | None,
    *,
    outputs: tuple[OutputCount, ...],
    rehearsal: bool,
    by: str | None,
    started_at: datetime | None = None,
    ended_at: datetime | None = None,
    samples: int = 0,
    bit_exact: bool = False,
    start_error_s: float | None = None,
    holes_s: float = 0.0,
    parts: tuple[Part, ...] = (),
) -> Airing:
    return Airing(
        slot=item.slot,
        station=item.station,
        kind=item.kind.value,
        programme=item.programme,
        segment=item.segment,
        title=item.title,
        sha256=item.sha256,
        topics=item.topics,
        planned_start=item.start,
        planned_end=item.end,
        started_at=started_at,
        ended_at=ended_at,
        seconds_aired=samples / SAMPLE_RATE_HZ,
        samples_aired=samples,
        samples_expected=item.samples,
        bit_exact=bit_exact,
        start_error_s=start_error_s,
        holes_s=holes_s,
        parts=parts,
        outputs=outputs,
        verdict=verdict,
        reason=reason,
        rehearsal=rehearsal,
        evidence=Evidence.E1 if samples else Evidence.E0,
        self_approved=item.self_approved,
        by=by,
        duty=item.duty,
    )


def _reason(run: Run, verdict: Verdict, late_s: float | None, counts: tuple[OutputCount, ...]) -> Text:
    if run.cause == "refused":
        return Text("Tệp trên máy không đúng bản đã duyệt.", "The file on the station is not the approved one.")
    if verdict is Verdict.MISSED:
        if any(count.samples for count in counts):
            silent = ", ".join(f"“{count.name}”" for count in counts if not count.samples)
            return Text(f"Đầu ra {silent} không có tiếng.", f"No sound went out by {silent}.")
        return Text(
            "Không có tiếng ra loa: đầu ra không nhận âm thanh.",
            "No sound went out: an output took no audio.",
        )
    if late_s is not None and late_s > run.item.late_limit_s:
        return Text(f"Bắt đầu trễ {late_s:.0f} giây.", f"Began {late_s:.0f} s late.")
    if run.holes_s > 0:
        return Text(f"Bị ngắt {run.holes_s:.1f} giây giữa bài.", f"Interrupted for {run.holes_s:.1f} s.")
    return Text("Một đầu ra mất tiếng trong khi phát.", "An output lost its sound while on air.")
