"""Benchmarks of the pages: five stations with five years of log, or a thousand stations; every page as each role."""

from __future__ import annotations

import hashlib
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from datetime import time as at
from itertools import count, islice
from pathlib import Path
from urllib.parse import urlencode

import requests
from flask import Flask
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

import config as settings
from audio.compose import speak
from audio.ingest import IngestLimits, ingest
from house import orders
from house.building import House
from playout.benches.bench import Figures
from schedules.airing import Airing, Evidence, OutputCount, Verdict
from schedules.grid import ItemKind, SessionItem, SessionRule
from schedules.segment import SAMPLE_RATE_HZ, SegmentKind
from schedules.station import WHOLE_DAY, Unit
from schedules.text import Text
from store import accounts, airings, segments, sessions, stations, tables, units
from store.accounts import Person, Role
from store.revision import bump
from store.segments import Audio, Card

LOCAL = ("LONGHIEP", "LONGMAI", "LONGMON", "LONGSON", "THANHAN")
"""The stations that this machine plays; all others are known by what they told."""

TARGET_MS = 150.0
LARGEST_KB = 250.0
_CHUNK = 5_000
_LENGTH_S = 60
_PASSWORD = "bốn con vịt bơi chậm"
_ROLES = {
    "officer": (Role.OPERATOR, "LONGHIEP"),
    "leader": (Role.APPROVER, "LONGHIEP"),
    "centre": (Role.CENTRE, "TRUNGTAM"),
    "inspector": (Role.INSPECTOR, "TRUNGTAM"),
    "admin": (Role.ADMIN, "TRUNGTAM"),
}
_ARGUMENT = re.compile(r"<(?:[^:>]+:)?([^>]+)>")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scale:
    """How much there is. a_day: airings of a station each day. recordings: approved ones of each station."""

    stations: tuple[str, ...]
    days: int
    a_day: int
    recordings: int


_FIVE = _Scale(stations=LOCAL, days=365 * 5, a_day=16, recordings=1040)
_THOUSAND = _Scale(stations=(*LOCAL, *(f"XA{number:04d}" for number in range(995))), days=60, a_day=2, recordings=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """One page as one role: how long each asking took, its status, and what came over the wire."""

    role: str
    path: str
    status: int
    times_ms: tuple[float, ...]
    wire_kb: float

    @property
    def p95_ms(self) -> float:
        """Of its askings."""
        return sorted(self.times_ms)[max(0, round(0.95 * len(self.times_ms)) - 1)]


def pages(rounds: int) -> Figures:
    """Time to the last byte of every page, asked `rounds` times as each of five roles, over HTTP on this machine."""
    return _measured(_FIVE, rounds)


def thousand(rounds: int) -> Figures:
    """The same with a thousand stations and two months of log."""
    return _measured(_THOUSAND, rounds)


def _measured(scale: _Scale, rounds: int) -> Figures:
    with tempfile.TemporaryDirectory(prefix="loa-bench-") as folder:
        house = _house(Path(folder))
        try:
            known = _fill(house, scale)
            house.start({})
            asked = list(_ask_everything(house, known, rounds))
        finally:
            house.stop()
    answered = [one for one in asked if one.status == 200]
    slow = sorted((one for one in answered if one.p95_ms > TARGET_MS), key=lambda one: -one.p95_ms)
    everything = sorted(one.p95_ms for one in answered)
    return {
        "stations": len(scale.stations),
        "airings": known.airings,
        "recordings": known.recordings,
        "pages": len({one.path for one in answered}),
        "askings": sum(len(one.times_ms) for one in answered),
        "p95_ms_median_page": round(everything[len(everything) // 2], 1),
        "p95_ms_worst_page": round(everything[-1], 1),
        "over_target": [f"{one.path} as {one.role}: {one.p95_ms:.0f} ms" for one in slow],
        "largest_kb": [f"{one.path}: {one.wire_kb:.0f}" for one in sorted(answered, key=lambda one: -one.wire_kb)[:3]],
        "errors": sorted({f"{one.status} {one.path} as {one.role}" for one in asked if one.status >= 500}),
        "target": f"p95 <= {TARGET_MS:.0f} ms for every page",
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What the addresses of pages can name."""

    airings: int
    recordings: int
    slot: str
    segment: str


def _house(folder: Path) -> House:
    listed = [f"  - code: {code}\n    outputs: [{{name: main, kind: virtual}}]\n" for code in LOCAL]
    path = folder / "config.yaml"
    path.write_text(
        "data: data\ndemo: false\nweb: {listen: '127.0.0.1:0'}\nclock: {source: host}\nstations:\n" + "".join(listed)
    )
    house = House(settings.load(path, {}), environment={})
    house.open()
    orders.found_stations(house)
    return house


def _fill(house: House, scale: _Scale) -> _Known:
    """Stations, recordings and airings: written as copies, since no station could air them now."""
    now = house.clock.now()
    source = house.data / "spoken.wav"
    speak("Kính thưa bà con, bộ phận một cửa của xã làm việc từ bảy giờ ba mươi.", out=source)
    made = ingest(
        source, library=house.library, scratch=house.data, limits=IngestLimits(), on_progress=lambda share: None
    )
    audio = Audio(**{name: getattr(made, name) for name in Audio.__dataclass_fields__})
    with house.database.writing() as session:
        people = {
            name: accounts.create(session, name=name, role=role, unit=unit, full_name=name.title(), now=now)
            for name, (role, unit) in _ROLES.items()
        }
        for person in people.values():
            accounts.set_password(session, person, _PASSWORD)
        model = stations.find(session, LOCAL[0])
        assert model is not None
        for code in scale.stations:
            if code not in LOCAL:
                units.save(session, Unit(code=code, name=f"Xã {code}", parent="TRUNGTAM"))
            stations.save(session, replace(model, code=code, unit=code, name=f"Đài {code}", permitted=WHOLE_DAY))
            sessions.publish(session, _rule(code, scale, since=now), now)
        recordings = _recordings(session, scale, audio, people["officer"], people["leader"], now)
        bump(session)
    rows = _airings(scale, recordings, audio, now)
    total = 0
    while chunk := list(islice(rows, _CHUNK)):
        with house.database.writing() as session:
            session.execute(insert(tables.airing), chunk)
        total += len(chunk)
        newest = str(chunk[-1]["slot"])
    return _Known(airings=total, recordings=len(recordings), slot=newest, segment=recordings[-1])


def _rule(code: str, scale: _Scale, *, since: datetime) -> SessionRule:
    """Two sessions a day."""
    items = tuple(
        SessionItem(id=f"muc{number}", kind=ItemKind.SEGMENT, programme="CDS") for number in range(scale.a_day // 2)
    )
    return SessionRule(
        id="ngay",
        name="Hằng ngày",
        station=code,
        starts=(at(5, 30), at(17, 0)),
        length_s=1800,
        items=items,
        since=since,
    )


def _recordings(
    session: Session, scale: _Scale, audio: Audio, maker: Person, approver: Person, now: datetime
) -> list[str]:
    """Return the ids of approved recordings: one that went the whole way, and its likes of all the time."""
    card = Card(
        owner="LONGHIEP",
        station="LONGHIEP",
        programme="CDS",
        title="Bài 0",
        kind=SegmentKind.BAI,
        topics=("DX-ONESTOP",),
    )
    record = segments.receive(
        session, segment="bench-0", card=card, uploader=maker, file_name="", now=now, most_drafts=10
    )
    segments.claim(session, record.id, now)
    segments.finish(session, record.id, audio, now)
    segments.submit(session, record.id, person=maker, now=now)
    segments.approve(
        session,
        record.id,
        sha256=audio.sha256,
        revision=record.revision,
        person=approver,
        now=now,
        self_approval=False,
    )
    model = dict(session.execute(select(tables.segment).where(tables.segment.c.id == record.id)).mappings().one())
    copies = []
    total = scale.recordings * len(scale.stations)
    for number in range(1, total):
        made = now - timedelta(days=scale.days) * (1 - number / total)
        code = scale.stations[number % len(scale.stations)]
        mine = {"id": f"bench-{number}", "owner": code, "station": code, "title": f"Bài {number} của tuần"}
        copies.append(model | mine | {"created_at": made, "updated_at": made, "approved_at": made})
    session.execute(insert(tables.segment), copies)
    return [record.id, *(copy["id"] for copy in copies)]


def _airings(scale: _Scale, recordings: list[str], audio: Audio, now: datetime) -> Iterator[dict[str, object]]:
    """Yield rows of every station and day, one in fifty of them partial and one in a hundred missed."""
    number = count(1)
    first = now.replace(hour=22, minute=30, second=0, microsecond=0) - timedelta(days=scale.days)
    for day in range(scale.days - 1):
        for code in scale.stations:
            for item in range(scale.a_day):
                seq = next(number)
                start = first + timedelta(days=day, hours=11.5 * (item % 2), seconds=_LENGTH_S * (item // 2))
                verdict = Verdict.MISSED if seq % 100 == 0 else Verdict.PARTIAL if seq % 50 == 0 else Verdict.AIRED
                share = {Verdict.AIRED: 1.0, Verdict.PARTIAL: 0.4}.get(verdict, 0.0)
                samples = _LENGTH_S * SAMPLE_RATE_HZ
                end = start + timedelta(seconds=_LENGTH_S)
                airing = Airing(
                    slot=f"{code}/ngay/{start.date().isoformat()}/muc{item}",
                    station=code,
                    kind="segment",
                    programme="CDS",
                    segment=recordings[seq % len(recordings)],
                    title=f"Bài {seq % len(recordings)} của tuần",
                    sha256=audio.sha256,
                    topics=("DX-ONESTOP",),
                    planned_start=start,
                    planned_end=end,
                    started_at=start if share else None,
                    ended_at=end if share else None,
                    seconds_aired=share * _LENGTH_S,
                    samples_aired=round(share * samples),
                    samples_expected=samples,
                    bit_exact=verdict is Verdict.AIRED,
                    start_error_s=0.0 if share else None,
                    holes_s=0.0,
                    parts=(),
                    outputs=(
                        OutputCount(name="main", kind="pulse", samples=round(share * samples), grade=Evidence.E1),
                    ),
                    verdict=verdict,
                    reason=None if share == 1 else Text("Mất điện giữa buổi.", "The power failed."),
                    rehearsal=False,
                    evidence=Evidence.E1 if share else Evidence.E0,
                    self_approved=False,
                    by=None,
                    duty=None,
                )
                yield airings.values(code, seq, hashlib.sha256(str(seq).encode()).hexdigest(), airing)


def _ask_everything(house: House, known: _Known, rounds: int) -> Iterator[_Asked]:
    base = house.link_to("")
    for role in _ROLES:
        with requests.Session() as browser:
            _sign_in(browser, base, role)
            for path in _paths(_app(house), known):
                first = browser.get(f"{base}{path}", timeout=60, allow_redirects=False)
                times = []
                for _ in range(rounds if first.status_code == 200 else 0):
                    begun = time.perf_counter()
                    answer = browser.get(f"{base}{path}", timeout=60, allow_redirects=False)
                    times.append((time.perf_counter() - begun) * 1000)
                    first = answer
                yield _Asked(
                    role=role,
                    path=path,
                    status=first.status_code,
                    times_ms=tuple(times) or (0.0,),
                    wire_kb=len(first.content) / 1000,
                )


def _app(house: House) -> Flask:
    if house.app is None:
        raise RuntimeError("the pages are not served")
    return house.app


def _sign_in(browser: requests.Session, base: str, name: str) -> None:
    form = browser.get(f"{base}/dang-nhap", timeout=60).text
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form)
    assert token is not None
    answer = browser.post(
        f"{base}/dang-nhap", data={"name": name, "password": _PASSWORD, "csrf_token": token[1]}, timeout=60
    )
    answer.raise_for_status()


def _paths(app: Flask, known: _Known) -> list[str]:
    """Return the address of every page that only needs what is known here; files and the API are left out."""
    today = datetime.now(UTC).date()
    year, week, _day = today.isocalendar()
    values = {
        "code": "LONGHIEP",
        "dai": "LONGHIEP",
        "station": "LONGHIEP",
        "segment": known.segment,
        "slot": known.slot,
        "day": today.isoformat(),
        "week": f"{year}-W{week:02d}",
    }
    found = []
    for rule in app.url_map.iter_rules():
        if (
            "GET" not in (rule.methods or ())
            or not rule.endpoint.startswith("pages.")
            or not rule.arguments <= set(values)
        ):
            continue
        found.append(_ARGUMENT.sub(lambda argument: values[argument[1]], rule.rule))
    extra = {"/nhat-ky": {"tu": f"{year - 5}-12-01", "den": today.isoformat()}}
    return [path for path in sorted(set(found)) if path not in _LEFT_OUT] + [
        f"{path}?{urlencode(query)}" for path, query in extra.items()
    ]


_LEFT_OUT = {"/dang-xuat"}
BENCHMARKS: Mapping[str, Callable[[int], Figures]] = {"pages": pages, "thousand": thousand}
