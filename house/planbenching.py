"""Benchmarks of the planner: a week of one station, the same after an edit, and a week of a whole fleet."""

from __future__ import annotations

import os
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil

from link.manifest import for_station
from link.scenariofile import read
from playout.benches.bench import spread
from schedules.airing import Facts
from schedules.clock import Interval
from schedules.intent import Intent
from schedules.planner import plan

_SCENARIO = Path(__file__).parent.parent / "schedules" / "scenarios" / "ordinary-week.yaml"
_STATION = "MINHLONG"
_NOW = datetime(2026, 11, 22, 21, tzinfo=UTC)
_WEEK = Interval(_NOW, _NOW + timedelta(days=7))


def plan_a_week(count: int) -> dict[str, object]:
    """Milliseconds to plan the shipped ordinary week of one station, chances and causes included."""
    intent = _intent()
    facts = Facts(station=_STATION)
    took_ms = []
    for _ in range(count):
        begun = time.perf_counter()
        rundown = plan(intent, facts, _NOW, _WEEK)
        took_ms.append((time.perf_counter() - begun) * 1e3)
    return {"milliseconds": spread(took_ms), "items": len(rundown.items), "target": "<= 50 ms"}


def plan_again(count: int) -> dict[str, object]:
    """Milliseconds to plan that week again after one edit, and what the station itself does then: its next 30 hours."""
    intent = _intent()
    facts = Facts(station=_STATION)
    week_ms, station_ms = [], []
    for number in range(count):
        rule = intent.sessions[number % len(intent.sessions)]
        edited = replace(rule, length_s=rule.length_s - 60)
        intent = replace(
            intent,
            revision=intent.revision + 1,
            sessions=tuple(edited if known is rule else known for known in intent.sessions),
        )
        begun = time.perf_counter()
        plan(intent, facts, _NOW, _WEEK)
        week_ms.append((time.perf_counter() - begun) * 1e3)
        begun = time.perf_counter()
        plan(intent, facts, _NOW, Interval(_NOW, _NOW + timedelta(hours=30)), thorough=False)
        station_ms.append((time.perf_counter() - begun) * 1e3)
    return {"week_ms": spread(week_ms), "station_ms": spread(station_ms), "target": "<= 20 ms"}


def plan_a_fleet(count: int) -> dict[str, object]:
    """Seconds to plan a week for `count` stations, each with its own intent, one process a core; memory of each."""
    workers = os.cpu_count() or 1
    shares = [range(first, count, workers) for first in range(workers)]
    begun = time.monotonic()
    with ProcessPoolExecutor(max_workers=workers) as pool:
        told = list(pool.map(_plan_share, shares))
    took_s = time.monotonic() - begun
    return {
        "seconds": round(took_s, 2),
        "stations": count,
        "items": sum(items for items, _, _ in told),
        "resident_mb_after_a_tenth": [round(early, 1) for _, early, _ in told],
        "resident_mb_at_the_end": [round(late, 1) for _, _, late in told],
        "target": "<= 60 s for 5,000 stations on 2 cores, memory flat",
    }


def _plan_share(share: range) -> tuple[int, float, float]:
    """Plan a share one after the other; return the items, and the memory early and at the end in MB."""
    template = _intent()
    process = psutil.Process()
    items, early = 0, 0.0
    for place, number in enumerate(share):
        intent = _renamed(template, f"DAI{number:05d}", minutes=number % 7)
        items += len(plan(intent, Facts(station=f"DAI{number:05d}"), _NOW, _WEEK).items)
        if place == len(share) // 10:
            early = process.memory_info().rss / 1e6
    return items, early, process.memory_info().rss / 1e6


def _intent() -> Intent:
    return for_station(read(_SCENARIO).intent(_NOW), _STATION)


def _renamed(intent: Intent, code: str, *, minutes: int) -> Intent:
    """Return the same week for another station, its seed and its sessions' lengths its own."""
    (station,) = intent.stations
    return replace(
        intent,
        seed=minutes,
        stations=(replace(station, code=code),),
        sessions=tuple(replace(s, station=code, length_s=s.length_s - minutes) for s in intent.sessions),
        one_offs=tuple(replace(o, station=code) for o in intent.one_offs),
        duties=tuple(replace(d, stations=(code,)) for d in intent.duties),
        templates=tuple(replace(t, station=code) for t in intent.templates),
        exceptions=tuple(replace(e, station=code) for e in intent.exceptions),
        excuses=tuple(replace(e, station=code) for e in intent.excuses),
    )
