"""From counted samples to the one verdict of a slot."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from schedules.airing import Airing, Evidence, OutputCount, Part, Run, Verdict
from schedules.rundown import RundownItem
from schedules.segment import SAMPLE_RATE_HZ
from schedules.text import Text

WHOLE = 0.95
"""Share of the samples that makes an airing whole (interfaces: verdicts)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardShare:
    """What an ear or a sensor found again of an airing at one output.

    share: 0..1 of what should have sounded while its parts were on air; seconds: that in seconds. why: what kept the
    rest from being heard, where it is known.
    """

    share: float
    seconds: float
    grade: Evidence
    why: Text | None = None


def judge(
    run: Run,
    outputs: tuple[tuple[str, str], ...],
    now: datetime,
    *,
    heard: Mapping[str, HeardShare] = MappingProxyType({}),
) -> Airing:
    """Return the final row of an airing that ended.

    outputs: (name, kind) of every required output. What is counted is the least of them: sound on one loudspeaker group
    does not make up for silence on another. heard: by output; samples that were counted and not heard do not count.
    """
    item = run.item
    counts = tuple(_counted(run, name, kind, heard.get(name)) for name, kind in outputs)
    samples = min((count.samples for count in counts), default=0)
    late_s = None if run.started_at is None else (run.started_at - item.start).total_seconds()
    if samples == 0 or run.started_at is None:
        verdict = Verdict.MISSED
    elif samples >= WHOLE * item.samples and late_s is not None and late_s <= item.late_limit_s:
        verdict = Verdict.AIRED
    else:
        verdict = Verdict.PARTIAL
    reason = run.reason or _unheard(run, verdict, heard)
    if verdict is not Verdict.AIRED:
        reason = reason or _reason(run, verdict, late_s, counts)
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


def _counted(run: Run, name: str, kind: str, heard: HeardShare | None) -> OutputCount:
    samples = max(run.counted.get(name, 0), run.earlier.get(name, 0))
    if heard is not None and heard.share < WHOLE:
        # Not the product: what was not counted was not heard either.
        samples = min(samples, round(heard.seconds * SAMPLE_RATE_HZ))
    grade = Evidence.E1 if heard is None else heard.grade
    return OutputCount(name=name, kind=kind, samples=samples, grade=grade if samples else Evidence.E0)


def _unheard(run: Run, verdict: Verdict, heard: Mapping[str, HeardShare]) -> Text | None:
    """Return that samples went out and their sound did not, where that decided."""
    worst = min(heard.items(), key=lambda entry: (entry[1].share, entry[0]), default=None)
    if verdict is Verdict.AIRED or worst is None or worst[1].share >= WHOLE or not max(run.counted.values(), default=0):
        return None
    if worst[1].why is not None:
        return worst[1].why
    name, percent = worst[0], math.floor(worst[1].share * 100)
    counted_s = run.counted.get(name, 0) / SAMPLE_RATE_HZ
    if run.counted.get(name, 0) < WHOLE * run.item.samples and worst[1].seconds >= WHOLE * counted_s:
        # The ear only confirms what the count had lost already: what made it short is the better reason.
        return None
    return Text(
        f"Máy thu nghe lại ở đầu ra “{name}” chỉ nhận ra {percent}% bài này.",
        f"What was heard at output “{name}” held only {percent} % of it.",
    )


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
        evidence=min((count.grade for count in outputs), default=Evidence.E0) if samples else Evidence.E0,
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
        seconds = f"{run.holes_s:.1f}"
        return Text(f"Bị ngắt {seconds.replace('.', ',')} giây giữa bài.", f"Interrupted for {seconds} s.")
    return Text("Một đầu ra mất tiếng trong khi phát.", "An output lost its sound while on air.")
