"""The station at a glance, for the pages: what is on air, what comes next, how the outputs are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

from link.door import OnAirStatus
from schedules.airing import Run, RunState
from schedules.grid import SlotId
from schedules.rundown import Rundown, RundownItem
from schedules.segment import SAMPLE_RATE_HZ


def state(
    *, up: bool, trusted: bool, faulty: bool, on_air: bool, player: bool, emergency: bool = False, live: bool = False
) -> str:
    """Return the one word for the station (interfaces: station states), the gravest first."""
    if not up:
        return "off"
    if emergency:
        return "emergency"
    if not trusted:
        return "untrusted_clock"
    if live:
        return "live"
    if faulty:
        return "fault"
    if on_air:
        return "on_air"
    return "armed" if player else "idle"


def on_air(runs: Collection[Run], now: datetime) -> OnAirStatus | None:
    """Return the item that plays, None where nothing does."""
    playing = [run for run in runs if run.state is RunState.PLAYING]
    if not playing:
        return None
    run = max(playing, key=lambda run: run.start_at)
    began = run.part_started_at or run.start_at
    position_s = run.part_first / SAMPLE_RATE_HZ + max(0.0, (now - began).total_seconds())
    duration_s = run.item.samples / SAMPLE_RATE_HZ
    return OnAirStatus(
        slot=run.slot,
        title=run.item.title,
        programme=run.item.programme,
        kind=run.item.kind.value,
        segment=run.item.segment,
        started_at=run.started_at,
        ends_at=began + timedelta(seconds=(run.item.samples - run.part_first) / SAMPLE_RATE_HZ),
        position_s=min(position_s, duration_s),
        duration_s=duration_s,
    )


def next_item(
    rundown: Rundown | None, settled: Collection[SlotId], runs: Mapping[SlotId, Run], now: datetime
) -> RundownItem | None:
    """Return the next item that will sound, None where the plan holds none."""
    for item in rundown.items if rundown is not None else ():
        run = runs.get(item.slot)
        waiting = item.slot not in settled and (run is None or run.state is RunState.ARMED)
        if waiting and _sounds(item) and item.due > now:
            return item
    return None


def under_way(
    items: Iterable[RundownItem], settled: Collection[SlotId], runs: Mapping[SlotId, Run], now: datetime
) -> str | None:
    """Return the title of what is on air by the plan or should be, also where it is silent just now; None for nothing.

    items: those of the next minutes, with what airs in the places of relays.
    """
    for run in runs.values():
        if run.state in (RunState.PLAYING, RunState.INTERRUPTED) or (
            run.state is RunState.ARMED and run.start_at <= now
        ):
            return run.item.title
    for item in items:
        run_of = runs.get(item.slot)
        ended = item.slot in settled or (run_of is not None and run_of.state is RunState.ENDED)
        if not ended and _sounds(item) and item.due <= now < item.due + (item.end - item.start):
            return item.title
    return None


def _sounds(item: RundownItem) -> bool:
    return (
        (item.sha256 is not None or item.relay is not None) and item.replaced_by is None and item.cancelled_by is None
    )
