"""The demonstration: Minh Long seeded from schedules/demo.yaml, with items really spoken, ingested and approved."""

from __future__ import annotations

import secrets
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from audio.compose import signature_tune, speak
from audio.ingest import IngestLimits, ingest
from house.building import House
from link.scenario import DemoSession, Recording, Scenario
from link.scenariofile import fill, read
from playout.journal.journal import newest_state
from schedules.grid import SessionItem, SessionRule
from schedules.segment import SegmentId
from schedules.station import Station
from store import accounts, duties, intent, programmes, segments, sessions, stations, units
from store.accounts import Person, Role
from store.segments import Audio, Card

EVERY = timedelta(minutes=15)
A_DAY = timedelta(days=1)
FIRST_AFTER = timedelta(seconds=30)
"""From the moment its recordings are there to the first session: time to hear it coming."""

RULE = "trinh-dien"
PREFIX = "demo-"
_NEEDED_FIRST = ("nhac-hieu", "chao-", "cds-", "ket-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """An account of the demonstration and its random password, shown once."""

    name: str
    full_name: str
    role: str
    password: str


class Demonstration:
    """`prepare` before the stations start, `start` once Loa serves, `stop` at the end.

    say: told how the making of the recordings goes on, in Vietnamese.
    """

    def __init__(self, house: House, *, say: Callable[[str], None]) -> None:
        self._house = house
        self._say = say
        self._scenario = read(Path(__file__).parent.parent / "schedules" / "demo.yaml")
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._tell, name="demonstration", daemon=True)

    def prepare(self) -> tuple[Login, ...]:
        """Seed an empty store and return the new accounts; end the sessions of an earlier start when that one ended."""
        house = self._house
        now = house.clock.now()
        with house.database.writing() as session:
            logins = () if stations.every(session) else _seed(session, self._scenario, now)
            for station in house.config.stations:
                ended = newest_state(house.journal_path(station.code)).time or now
                for rule in sessions.in_force(session, station.code):
                    if rule.id.startswith(RULE):
                        sessions.remove(session, station.code, rule.id, min(now, ended))
            intent.bump(session)
        return logins

    def start(self) -> None:
        """Make the recordings that are missing, then open a session every 15 minutes."""
        self._thread.start()

    def stop(self) -> None:
        """Leave the rest for the next start."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(2.0)

    def _tell(self) -> None:
        missing = self._missing()
        first = [recording for recording in missing if recording.id.startswith(_NEEDED_FIRST)]
        rest = [recording for recording in missing if recording not in first]
        self._make_all(first, len(missing))
        self._open_sessions()
        self._make_all(rest, len(missing), done=len(first))

    def _missing(self) -> list[Recording]:
        with self._house.database.reading() as session:
            return [r for r in self._scenario.recordings if segments.find(session, _id(r.id)) is None]

    def _make_all(self, recordings: list[Recording], total: int, done: int = 0) -> None:
        for number, recording in enumerate(recordings, start=done + 1):
            if self._stopping.is_set():
                return
            self._make(recording)
            self._say(f"Bài trình diễn {number}/{total}: {recording.title}")
        if recordings:
            self._house.wake()

    def _make(self, recording: Recording) -> None:
        house = self._house
        scratch = house.data / "making"
        scratch.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=scratch, prefix="demo-") as folder:
            source = Path(folder) / "spoken.wav"
            if recording.tune is not None:
                signature_tune(recording.tune, source)
            else:
                speak(recording.text, out=source)
            canonical = ingest(
                source, library=house.library, scratch=Path(folder), limits=IngestLimits(), on_progress=_quiet
            )
        audio = Audio(
            **{name: getattr(canonical, name) for name in Audio.__dataclass_fields__},
        )
        now = house.clock.now()
        card = Card(
            owner=recording.owner,
            station=None if recording.owner == "MINHLONG" else recording.owner,
            programme=recording.programme,
            title=recording.title,
            kind=recording.kind,
            topics=recording.topics,
        )
        segment = _id(recording.id)
        with house.database.writing() as session:
            maker, approver = _maker_and_approver(session, recording.owner)
            made = segments.receive(
                session, segment=segment, card=card, uploader=maker, file_name="", now=now, most_drafts=1000
            )
            segments.claim(session, segment, now)
            segments.finish(session, segment, audio, now)
            segments.submit(session, segment, person=maker, now=now)
            segments.approve(
                session,
                segment,
                sha256=audio.sha256,
                revision=made.revision,
                person=approver,
                now=now,
                self_approval=False,
            )

    def _open_sessions(self) -> None:
        house, demo = self._house, self._scenario.demo_session
        if demo is None or self._stopping.is_set():
            return
        now = house.clock.now()
        with house.database.writing() as session:
            for station in stations.every(session):
                others = tuple(r for r in sessions.in_force(session, station.code) if not r.id.startswith(RULE))
                sessions.publish(session, _demo_rule(demo, station, now, others), now)
            intent.bump(session)
        house.wake()


def _seed(session: Session, demo: Scenario, now: datetime) -> tuple[Login, ...]:
    for unit in demo.units:
        units.save(session, unit)
    for station in demo.stations:
        stations.save(session, station)
    for programme in demo.programmes:
        programmes.save(session, programme)
    for duty in demo.duties:
        duties.save(session, replace(duty, since=now), now)
    for rule in demo.sessions:
        items = tuple(replace(item, segment=_known(item)) for item in rule.items)
        sessions.publish(session, replace(rule, items=items, since=now), now)
    logins: list[Login] = []
    for name, role, owner, full_name in _people(demo.stations):
        person = accounts.create(session, name=name, role=role, unit=owner, full_name=full_name, now=now, demo=True)
        if owner in (demo.units[0].code, demo.stations[0].unit):
            password = "-".join(secrets.token_hex(3) for _ in range(4))
            accounts.set_password(session, person, password)
            logins.append(Login(name=name, full_name=full_name, role=role.value, password=password))
    return tuple(logins)


def _people(known: tuple[Station, ...]) -> list[tuple[str, Role, str, str]]:
    people = []
    for station in known:
        place = station.name.removeprefix("Đài ")
        code = station.code.lower()
        people.append((f"canbo.{code}", Role.OPERATOR, station.unit, f"Cán bộ đài {place}"))
        people.append((f"lanhdao.{code}", Role.APPROVER, station.unit, f"Lãnh đạo xã {place}"))
    people.append(("trungtam", Role.CENTRE, "MINHLONG", "Cán bộ Trung tâm Minh Long"))
    people.append(("lanhdao.trungtam", Role.APPROVER, "MINHLONG", "Lãnh đạo Trung tâm Minh Long"))
    people.append(("kiemtra", Role.INSPECTOR, "MINHLONG", "Cán bộ kiểm tra"))
    people.append(("quantri.thu", Role.ADMIN, "MINHLONG", "Quản trị trình diễn"))
    return people


def _maker_and_approver(session: Session, owner: str) -> tuple[Person, Person]:
    code = owner.lower()
    names = ("trungtam", "lanhdao.trungtam") if owner == "MINHLONG" else (f"canbo.{code}", f"lanhdao.{code}")
    maker, approver = (accounts.named(session, name) for name in names)
    assert maker is not None and approver is not None
    return maker, approver


def _demo_rule(demo: DemoSession, station: Station, now: datetime, others: tuple[SessionRule, ...]) -> SessionRule:
    zone = ZoneInfo(station.zone)
    first = (now + FIRST_AFTER).replace(microsecond=0)
    items = tuple(
        SessionItem(id=i.id, kind=i.kind, programme=i.programme, segment=_known(i, station.code)) for i in demo.items
    )
    return SessionRule(
        id=RULE,
        station=station.code,
        name=demo.name,
        weekdays=(1, 2, 3, 4, 5, 6, 7),
        starts=demo_starts(first.astimezone(zone).time(), timedelta(seconds=demo.length_s), others),
        length_s=demo.length_s,
        items=items,
        since=now,
    )


def demo_starts(first: time, length: timedelta, others: tuple[SessionRule, ...]) -> tuple[time, ...]:
    """Return local starts every 15 minutes from `first` on, around the day, where none of the other sessions is.

    Where one is at `first` itself, they count from its end.
    """
    taken = [(_of_day(start), timedelta(seconds=rule.length_s)) for rule in others for start in rule.starts]

    def free_from(start: timedelta) -> timedelta:
        ends = [
            begin + lasts
            for begin, lasts in taken
            if (begin - start) % A_DAY < length or (start - begin) % A_DAY < lasts
        ]
        return max(ends, key=lambda end: (end - start) % A_DAY, default=start)

    begin = _of_day(first)
    for _ in taken:
        begin = free_from(begin)
    starts = [begin + number * EVERY for number in range(A_DAY // EVERY)]
    return tuple(sorted(_local(start % A_DAY) for start in starts if free_from(start) == start))


def _of_day(moment: time) -> timedelta:
    return timedelta(hours=moment.hour, minutes=moment.minute, seconds=moment.second)


def _local(of_day: timedelta) -> time:
    minutes, seconds = divmod(of_day.seconds, 60)
    return time(minutes // 60, minutes % 60, seconds)


def _known(item: SessionItem, station: str = "") -> SegmentId | None:
    return None if item.segment is None else _id(fill(item.segment, station))


def _id(recording: str) -> SegmentId:
    return f"{PREFIX}{recording.lower()}"


def _quiet(share: float) -> None:
    """Progress of these short items is told by their number."""
