"""How an airing under way changes with what the player tells: pure steps from run to run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from schedules.airing import Part, Run, RunState
from schedules.reconcile import Arm
from schedules.segment import SAMPLE_RATE_HZ
from schedules.text import Text

MADE_AHEAD = timedelta(seconds=1)
"""More than the bus ever makes ahead of what is heard."""


def armed(action: Arm, before: Run | None) -> Run:
    """Return the run of an item that was just handed over; `before` is its interrupted run, if it goes on."""
    if before is None:
        return Run(item=action.item, state=RunState.ARMED, start_at=action.start, part_first=action.first)
    return replace(
        before,
        state=RunState.ARMED,
        start_at=action.start,
        part_first=action.first,
        part_started_at=None,
        origin=None,
        part_counted={},
        exact=False,
        attempts=before.attempts + 1,
    )


def started(run: Run, at: datetime) -> Run:
    """Return the run whose current part's first sample is at the sink at `at`.

    What was silent before it stands in `holes_s` only now; a part that starts anew is counted anew, and the better of
    both tries holds.
    """
    again = bool(run.parts) and run.part_first == 0
    silent_s = 0.0
    if again and run.position_at is not None:
        silent_s = max(0.0, (at - run.position_at).total_seconds())
    elif run.parts:
        silent_s = max(0, run.part_first - run.position) / SAMPLE_RATE_HZ
    return replace(
        run,
        state=RunState.PLAYING,
        started_at=run.started_at or at,
        part_started_at=at,
        position=run.part_first,
        position_at=at,
        origin=at - timedelta(seconds=run.part_first / SAMPLE_RATE_HZ),
        counted={} if again else run.counted,
        earlier=_better(run.earlier, run.counted) if again else run.earlier,
        holes_s=run.holes_s + silent_s,
    )


def progressed(run: Run, counted: Mapping[str, int], at: datetime, *, handed: int | None = None) -> Run:
    """Return the run with what the outputs have really played of its current part so far.

    handed: the next sample of the file for the bus. Where it is far ahead of what the first heard sample lets expect,
    the part began unheard: its time in the file is that of the bus.
    """
    heard = max(counted.values(), default=0)
    origin = run.origin
    if origin is not None and handed is not None:
        of_bus = at - timedelta(seconds=handed / SAMPLE_RATE_HZ)
        origin = of_bus if origin - of_bus > MADE_AHEAD else origin
    return replace(
        run,
        part_counted=dict(counted),
        # Not before something is heard: what was silent since the part before is counted from its end.
        position=max(run.position, run.part_first + heard) if heard else run.position,
        position_at=at if heard else run.position_at,
        origin=origin,
    )


def shifted(run: Run, by: timedelta) -> Run:
    """Return the run after a step of the wall clock: how long things last has not changed with it."""

    def moved(moment: datetime | None) -> datetime | None:
        return None if moment is None else moment + by

    return replace(
        run,
        start_at=run.start_at + by,
        part_started_at=moved(run.part_started_at),
        position_at=moved(run.position_at),
        origin=moved(run.origin),
    )


def interrupted(run: Run, at: datetime) -> Run:
    """Return the run whose player is gone: its part ends where it was last known to be heard."""
    return replace(
        _close_part(run, run.position, run.position_at or at),
        state=RunState.INTERRUPTED,
        ended_at=run.position_at or run.ended_at,
        cause="player_lost",
    )


def ended(run: Run, *, cause: str, next_sample: int, holes_s: float, exact: bool, at: datetime) -> Run:
    """Return the run as the player ended it; a source that failed in the middle, or gave way, may yet go on."""
    whole = exact and run.part_first == 0 and not run.parts
    closed = replace(_close_part(run, next_sample, at), cause=cause, ended_at=at, exact=whole)
    closed = replace(closed, holes_s=closed.holes_s + holes_s, position=max(closed.position, next_sample))
    state = RunState.INTERRUPTED if cause in ("source_failed", "taken_over") else RunState.ENDED
    return replace(closed, state=state, position_at=at)


def refused(run: Run, reason: Text, at: datetime) -> Run:
    """Return the run of an item that the player would not take: its file is not the approved one."""
    return replace(run, state=RunState.ENDED, cause="refused", reason=reason, ended_at=at)


def _close_part(run: Run, next_sample: int, at: datetime) -> Run:
    counted = dict(run.counted)
    for name, samples in run.part_counted.items():
        counted[name] = counted.get(name, 0) + samples
    parts = run.parts
    if run.part_started_at is not None:
        part = Part(
            first=run.part_first, next=max(run.part_first, next_sample), started_at=run.part_started_at, ended_at=at
        )
        parts = (*parts, part)
    return replace(run, counted=counted, part_counted={}, parts=parts, part_started_at=None)


def _better(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    """Return the larger count of each output."""
    return {name: max(one.get(name, 0), other.get(name, 0)) for name in {**one, **other}}
