"""Intent and facts for the tests of the core: small, named, in local time of Viet Nam."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

from schedules.airing import Airing, Evidence, OutputCount, Verdict
from schedules.duty import Duty, DutyWindow
from schedules.grid import ItemKind, OneOff, SessionItem, SessionRule, Timing
from schedules.intent import Intent
from schedules.programme import Programme
from schedules.rundown import RundownItem
from schedules.segment import SAMPLE_RATE_HZ, Segment, SegmentKind
from schedules.station import Station, Unit

BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
PCM = "p" * 64


def local(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    """Return an instant of November 2026 in local time (UTC+7); the 23rd is a Monday."""
    return datetime(2026, 11, day, hour, minute, second, tzinfo=UTC) - timedelta(hours=7)


def segment(name: str, *, seconds: float = 60, programme: str = "CDS", owner: str = "XA", **more: Any) -> Segment:
    """Return an approved recording."""
    values: dict[str, Any] = {
        "id": name,
        "owner": owner,
        "programme": programme,
        "title": name,
        "kind": SegmentKind.BAI,
        "sha256": name.encode().hex().ljust(64, "0")[:64],
        "pcm_sha256": PCM,
        "samples": round(seconds * SAMPLE_RATE_HZ),
        "approved_at": BEFORE,
        "approved_by": "Lãnh đạo",
        "topics": ("DX-DGOV",),
    }
    return Segment(**{**values, **more})


def session(
    *items: SessionItem, name: str = "sang", starts: tuple[time, ...] = (time(5, 30),), **more: Any
) -> SessionRule:
    """Return a daily session of 30 minutes."""
    values: dict[str, Any] = {
        "id": name,
        "station": "XA",
        "name": name,
        "weekdays": (1, 2, 3, 4, 5, 6, 7),
        "starts": starts,
        "length_s": 1800,
        "items": items,
        "since": BEFORE,
    }
    return SessionRule(**{**values, **more})


def place(name: str, *, programme: str | None = None, fixed: str | None = None, **more: Any) -> SessionItem:
    """Return a place of a session."""
    return SessionItem(id=name, kind=ItemKind.SEGMENT, programme=programme, segment=fixed, **more)


def one_off(name: str, item: str, start: datetime, timing: Timing = Timing.HARD, **more: Any) -> OneOff:
    """Return a single airing."""
    return OneOff(
        id=name,
        station="XA",
        segment=item,
        start=start,
        timing=timing,
        ordered_by="Bà Hạnh",
        ordered_at=BEFORE,
        **more,
    )


def duty(**more: Any) -> Duty:
    """Return the weekly duty, to be made up on Saturday or Sunday between 05:30 and 07:00."""
    values: dict[str, Any] = {
        "code": "CDS-XA",
        "name": "Chuyển đổi số",
        "owner": "XA",
        "stations": ("XA",),
        "programme": "CDS",
        "since": BEFORE,
        "topic_prefix": "DX-",
        "windows": (
            DutyWindow(weekday=6, start=time(5, 30), end=time(7)),
            DutyWindow(weekday=7, start=time(5, 30), end=time(7)),
        ),
    }
    return Duty(**{**values, **more})


def intent(**more: Any) -> Intent:
    """Return intent for the station XA under the unit HUYEN."""
    values: dict[str, Any] = {
        "revision": 1,
        "issued_at": BEFORE,
        "valid_until": BEFORE + timedelta(days=3650),
        "units": (Unit(code="HUYEN", name="Huyện"), Unit(code="XA", name="Xã", parent="HUYEN")),
        "stations": (Station(code="XA", name="Đài xã", unit="XA"),),
        "programmes": (Programme(code="CDS", name="Chuyển đổi số"), Programme(code="TIN", name="Bản tin")),
    }
    return Intent(**{**values, **more})


def row(item: RundownItem, verdict: Verdict, **more: Any) -> Airing:
    """Return the final row of a planned item: whole if aired, nothing if missed."""
    samples = item.samples if verdict is Verdict.AIRED else 0
    values: dict[str, Any] = {
        "slot": item.slot,
        "station": item.station,
        "kind": item.kind.value,
        "programme": item.programme,
        "segment": item.segment,
        "title": item.title,
        "sha256": item.sha256,
        "topics": item.topics,
        "planned_start": item.start,
        "planned_end": item.end,
        "started_at": item.start if samples else None,
        "ended_at": item.end if samples else None,
        "seconds_aired": samples / SAMPLE_RATE_HZ,
        "samples_aired": samples,
        "samples_expected": item.samples,
        "bit_exact": bool(samples),
        "start_error_s": 0.0 if samples else None,
        "holes_s": 0.0,
        "parts": (),
        "outputs": (OutputCount(name="main", kind="pulse", samples=samples, grade=Evidence.E1),),
        "verdict": verdict,
        "reason": None,
        "rehearsal": False,
        "evidence": Evidence.E1 if samples else Evidence.E0,
    }
    return Airing(**{**values, **more})
