"""Items of a plan as a test needs them, without planning."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from schedules.grid import ItemKind, Timing
from schedules.rundown import RundownItem
from schedules.segment import SAMPLE_RATE_HZ
from schedules.text import Text


def planned(name: str, start: datetime, seconds: float, **more: Any) -> RundownItem:
    """Return an item of one recording that starts at `start`."""
    end = start + timedelta(seconds=seconds)
    values: dict[str, Any] = {
        "slot": f"XA/{name}",
        "station": "XA",
        "session": None,
        "session_end": None,
        "start": start,
        "end": end,
        "due": start,
        "kind": ItemKind.SEGMENT,
        "programme": "CDS",
        "segment": name,
        "title": name,
        "sha256": name.encode().hex().ljust(64, "0")[:64],
        "pcm_sha256": "p" * 64,
        "samples": round(seconds * SAMPLE_RATE_HZ),
        "topics": (),
        "timing": Timing.SOFT,
        "late_limit_s": 60.0,
        "why": Text("Có trong lịch.", "Planned."),
    }
    return RundownItem(**{**values, **more})
