"""Communes for the simulation: three sessions a day, a weekly duty, officers who bring recordings and forget some."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from link.scenario import FaultRates, Scenario, Supply
from schedules.duty import Duty, DutyWindow
from schedules.grid import ItemKind, SessionItem, SessionRule
from schedules.programme import Programme
from schedules.segment import SAMPLE_RATE_HZ, Segment, SegmentKind
from schedules.station import DaySpan, Station, Unit

MONDAY = date(2026, 11, 23)
BEFORE = datetime(2026, 1, 1, tzinfo=UTC)

ROUGH = FaultRates(
    power=1.5,
    clock_step=0.4,
    link=0.6,
    media_missing=0.4,
    media_corrupt=0.4,
    output=0.7,
    player=1.0,
    emergency=0.4,
    late_edit=1.6,
)
"""More goes wrong in such a week than in a year of a real station."""

CALM = FaultRates()


def at(day: int, hour: int, minute: int = 0, second: float = 0) -> datetime:
    """Return an instant of the days from Monday 23 November 2026 on (day 0), in local time (UTC+7)."""
    return datetime(2026, 11, 23, tzinfo=UTC) + timedelta(days=day, hours=hour - 7, minutes=minute, seconds=second)


def recording(name: str, seconds: float, *, programme: str, owner: str, **more: Any) -> Segment:
    """Return an approved recording of this length."""
    sha256 = name.encode().hex().ljust(64, "0")[:64]
    values: dict[str, Any] = {
        "id": name,
        "owner": owner,
        "programme": programme,
        "title": name,
        "kind": SegmentKind.BAI,
        "sha256": sha256,
        "pcm_sha256": sha256,
        "samples": round(seconds * SAMPLE_RATE_HZ),
        "approved_at": BEFORE,
        "approved_by": "Lãnh đạo",
    }
    return Segment(**{**values, **more})


def place(name: str, *, programme: str | None = None, fixed: str | None = None, **more: Any) -> SessionItem:
    """Return a place of a session."""
    return SessionItem(id=name, kind=ItemKind.SEGMENT, programme=programme, segment=fixed, **more)


def session(station: str, name: str, start: time, *items: SessionItem, **more: Any) -> SessionRule:
    """Return a session, of half an hour and every day if nothing else is said."""
    return SessionRule(
        **{
            "id": f"{station}-{name}",
            "station": station,
            "name": name,
            "starts": (start,),
            "length_s": 1800,
            "items": items,
            "since": BEFORE,
            **more,
        }
    )


def commune(*codes: str, duty_days: tuple[int, ...] = (2, 5), first: date = MONDAY, **more: Any) -> Scenario:
    """Return communes with a morning and an evening session, and one at noon on `duty_days` (ISO) for the weekly duty.

    The evening session is so short that an ordered airing pushes out its last item.
    From `first` on a new item for the duty comes each week and sometimes does not; the bulletin comes each day.
    """
    codes = codes or ("XA",)
    values: dict[str, Any] = {
        "units": (Unit(code="HUYEN", name="Huyện"), *(Unit(code=c, name=c, parent="HUYEN") for c in codes)),
        "stations": tuple(
            Station(code=c, name=c, unit=c, permitted=(DaySpan(start=time(5), end=time(21)),)) for c in codes
        ),
        "programmes": (
            Programme(code="CDS", name="Chuyển đổi số"),
            Programme(code="TIN", name="Bản tin"),
            Programme(code="NHAC", name="Nhạc hiệu"),
        ),
        "segments": (
            recording("nhac", 15, programme="NHAC", owner="HUYEN"),
            recording("nhac-dai", 130, programme="NHAC", owner="HUYEN"),
            recording("cds-huyen", 400, programme="CDS", owner="HUYEN", topics=("DX-DGOV",)),
        ),
        "supplies": tuple(
            supply
            for c in codes
            for supply in (
                Supply(
                    id=f"cds-{c}",
                    owner=c,
                    programme="CDS",
                    title="Bài {n}",
                    first=first,
                    every_days=7,
                    seconds=480,
                    at=time(15),
                    topics=("DX-DGOV", "DX-DECO"),
                    forgets=0.2,
                ),
                Supply(
                    id=f"tin-{c}",
                    owner=c,
                    programme="TIN",
                    title="Bản tin {n}",
                    first=first - timedelta(days=1),
                    every_days=1,
                    seconds=170,
                    at=time(16),
                    forgets=0.1,
                ),
            )
        ),
        "sessions": tuple(
            rule
            for c in codes
            for rule in (
                session(
                    c,
                    "sang",
                    time(5, 30),
                    place("mo", fixed="nhac"),
                    place("tin", programme="TIN"),
                    place("ket", fixed="nhac-dai"),
                ),
                session(
                    c,
                    "trua",
                    time(11, 0),
                    place("mo", fixed="nhac"),
                    place("cds", programme="CDS"),
                    place("tin", programme="TIN"),
                    weekdays=duty_days,
                ),
                session(
                    c,
                    "chieu",
                    time(17, 0),
                    place("mo", fixed="nhac"),
                    place("tin", programme="TIN"),
                    place("ket", fixed="nhac-dai"),
                    length_s=400,
                ),
            )
        ),
        "duties": tuple(
            Duty(
                code=f"CDS-{c}",
                name="Chuyển đổi số",
                owner=c,
                stations=(c,),
                programme="CDS",
                since=BEFORE,
                topic_prefix="DX-",
                windows=tuple(DutyWindow(weekday=day, start=time(5, 30), end=time(20)) for day in (5, 6, 7)),
            )
            for c in codes
        ),
    }
    return Scenario(**{**values, **more})


def variety(seed: int) -> tuple[Scenario, date]:
    """Return the commune that a seed of the long runs simulates, and its first day: four kinds in turn.

    A chance on Tuesdays and one on Fridays; one chance a week and narrow hours with a rest; no chance at all, so that
    the duty is only ever made up; and a zone in the week in which its clocks are put forward.
    """
    narrow = tuple(DaySpan(start=time(a), end=time(b)) for a, b in ((5, 8), (10, 13), (16, 19)))
    rest = (DaySpan(start=time(11, 20), end=time(11, 50), weekdays=(6, 7)),)
    match seed % 4:
        case 0:
            return commune(), MONDAY
        case 1:
            station = Station(code="XA", name="XA", unit="XA", permitted=narrow, quiet=rest)
            return commune(duty_days=(3,), stations=(station,)), MONDAY
        case 2:
            plain = commune()
            return replace(plain, sessions=plain.sessions[::2]), MONDAY
        case _:
            station = Station(code="XA", name="XA", unit="XA", zone="Europe/Paris")
            spring = date(2027, 3, 22)
            return commune(stations=(station,), first=spring), spring
