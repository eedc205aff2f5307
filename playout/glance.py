"""The station at a glance, for the pages: what is on air, what comes next, how the outputs are."""

from __future__ import annotations

from collections.abc import Collection, Mapping
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
        sounding = item.sha256 is not None and item.replaced_by is None and item.cancelled_by is None
        if waiting and sounding and item.due > now:
            return item
    return None
