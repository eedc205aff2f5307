"""Everything decided survives the store: each field of each shape, with a value that is not its default."""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from datetime import date, time, timedelta

import pytest

from schedules.duty import Counting, Duty, DutyWindow, Excuse, Period
from schedules.grid import (
    CalendarDay,
    Change,
    DayKind,
    ItemKind,
    NthWeekday,
    OneOff,
    SessionException,
    SessionItem,
    SessionRule,
    Timing,
    WeekTemplate,
)
from schedules.intent import Intent
from schedules.programme import Order, Otherwise, Programme
from schedules.segment import Priority, Segment, SegmentKind
from schedules.sources import RelaySource, SourceKind, StreamFormat
from schedules.station import ClusterGroup, DaySpan, Limits, Station, Unit
from schedules.text import Text
from store import (
    calendar_days,
    duties,
    exceptions,
    excuses,
    one_offs,
    programmes,
    segments,
    sessions,
    sources,
    stations,
    templates,
    units,
)
from store.accounts import Role
from store.intent import load_intent
from store.segments import Audio, Card

SPAN = DaySpan(start=time(5, 15), end=time(6, 45), weekdays=(1, 3))


@pytest.fixture
def decided(now):
    """One of everything, as the core knows it."""
    later = now + timedelta(days=1)
    whole_rule = SessionRule(
        id="tet-sang",
        station="CU",
        name="Buổi sáng Tết",
        weekdays=(2, 4),
        starts=(time(5, 0), time(17, 30)),
        length_s=1800,
        items=(
            SessionItem(
                id="tiep-song",
                kind=ItemKind.RELAY,
                relay="VOV1",
                optional=True,
                timing=Timing.HARD,
                offset_s=60,
                bound_s=120,
                length_s=900,
            ),
            SessionItem(id="tin", kind=ItemKind.SEGMENT, programme="CDS"),
            SessionItem(id="nhac", kind=ItemKind.IDENT, segment="seg1"),
        ),
        since=now,
        until=later,
        valid_from=date(2026, 11, 1),
        valid_until=date(2027, 2, 28),
        every_weeks=2,
        anchor=date(2026, 11, 2),
        month_days=(1, -1),
        nth_weekdays=(NthWeekday(nth=-1, weekday=5),),
        only=(DayKind.TET, DayKind.HOLIDAY),
        template="tet",
        owner="MINHLONG",
        targets=("thon-1",),
    )
    return Intent(
        revision=0,
        issued_at=now,
        valid_until=now,
        units=(
            Unit(
                code="CU",
                name="Xã cũ",
                parent="MINHLONG",
                valid_from=date(2020, 1, 1),
                valid_until=date(2025, 6, 30),
                successor="LONGHIEP",
            ),
        ),
        stations=(
            Station(
                code="CU",
                name="Đài cũ",
                unit="CU",
                zone="Asia/Bangkok",
                permitted=(SPAN, DaySpan(start=time(16), end=time(0))),
                self_approval=True,
                quiet=(DaySpan(start=time(11, 30), end=time(13), weekdays=(7,)),),
                limits=Limits(session_s=2700, day_s=7200, sessions=3),
                groups=(ClusterGroup(code="thon-1", name="Thôn 1", permitted=(SPAN,)),),
                valid_from=date(2020, 1, 1),
                valid_until=date(2025, 6, 30),
                successor="LONGHIEP",
                ended_by="Nghị quyết 1677/NQ-UBTVQH15",
            ),
        ),
        programmes=(
            Programme(
                code="KECHUYEN",
                name="Kể chuyện",
                order=Order.SERIES,
                otherwise=(Otherwise.ROTATION, Otherwise.CENTRE),
                separation_s=3600,
            ),
        ),
        segments=(
            Segment(
                id="seg1",
                owner="LONGHIEP",
                programme="CDS",
                title="Tập 3",
                kind=SegmentKind.BAN_TIN,
                sha256="a" * 64,
                pcm_sha256="b" * 64,
                samples=48_000,
                approved_at=now,
                approved_by="Người approver",
                topics=("DX-NAT",),
                language="hre",
                valid_from=now,
                valid_until=later,
                evergreen=True,
                self_approved=True,
                episode=3,
                priority=Priority.PRIORITY,
            ),
        ),
        sessions=(whole_rule,),
        one_offs=(
            OneOff(
                id="khan",
                station="CU",
                segment="seg1",
                start=later,
                timing=Timing.HARD,
                ordered_by="Người operator",
                ordered_at=now,
                cancelled_by="Người approver",
                cancelled_at=now,
                priority=Priority.EMERGENCY,
            ),
        ),
        duties=(
            Duty(
                code="CDS",
                name="Chuyển đổi số",
                owner="MINHLONG",
                stations=("LONGHIEP", "CU"),
                programme="CDS",
                since=now,
                until=later,
                count=2,
                period=Period.MONTH,
                windows=(DutyWindow(weekday=5, start=time(17), end=time(18, 30)),),
                document="485/UBND-VX",
                topic_prefix="DX-",
                topics=("DX-NAT", "DX-EGOV"),
                counting=Counting.TOPICS,
                deadline_days=1,
                deadline_at=time(17, 30),
                warn_days=3,
                least_share=0.8,
            ),
        ),
        templates=(
            WeekTemplate(
                id="tet",
                station="CU",
                name="Tết Đinh Mùi",
                priority=9,
                valid_from=date(2027, 2, 5),
                valid_until=date(2027, 2, 11),
                day_kinds=(DayKind.TET,),
                document="12/KH-UBND",
                since=now,
                until=later,
            ),
        ),
        exceptions=(
            SessionException(
                id="doi",
                station="CU",
                session="tet-sang",
                day=date(2026, 12, 1),
                change=Change.MOVE,
                following=True,
                number=2,
                to_day=date(2026, 12, 2),
                to_start=time(18),
                reason="Họp thôn",
                since=now,
                until=later,
            ),
        ),
        calendar=(
            CalendarDay(day=date(2027, 1, 2), kind=DayKind.WORKING, name="Làm bù", works_as=1, document="99/TB-BNV"),
        ),
        excuses=(
            Excuse(
                station="CU",
                duty="CDS",
                first=date(2026, 11, 23),
                last=date(2026, 11, 29),
                document="15/QĐ-UBND",
                reason=Text("Đài hỏng.", "Out of service."),
            ),
        ),
        sources=(
            RelaySource(
                code="HUYEN",
                name="Đài huyện",
                kind=SourceKind.HTTP,
                address="https://phat.example/huyen",
                hosts=("cdn.example",),
                format=StreamFormat.MP3,
            ),
        ),
    )


def _save(session, decided, people, now):
    (segment,) = decided.segments
    units.save(session, decided.units[0])
    stations.save(session, decided.stations[0])
    programmes.save(session, decided.programmes[0])
    duties.save(session, decided.duties[0], now)
    duties.remove(session, "CDS", decided.duties[0].until)
    card = Card(
        station=None,
        **{name: getattr(segment, name) for name in Card.__dataclass_fields__ if hasattr(segment, name)},
    )
    audio = Audio(
        sha256=segment.sha256,
        pcm_sha256=segment.pcm_sha256,
        samples=segment.samples,
        loudness_lufs=-16,
        true_peak_dbtp=-2,
        gain_db=0,
        head_silence_s=0,
        tail_silence_s=0,
        source_format="wav",
    )
    approver = people[Role.APPROVER]
    segments.receive(session, segment="seg1", card=card, uploader=approver, file_name="", now=now, most_drafts=9)
    segments.claim(session, "seg1", now)
    segments.finish(session, "seg1", audio, now)
    segments.submit(session, "seg1", person=approver, now=now)
    segments.approve(
        session, "seg1", sha256="a" * 64, revision=1, person=approver, now=now, self_approval=segment.self_approved
    )
    one_offs.order(session, decided.one_offs[0], person=people[Role.OPERATOR].id)
    one_offs.cancel(session, "khan", person=approver.id, now=now)
    (template,) = decided.templates
    templates.publish(session, template, now)
    sessions.publish(session, decided.sessions[0], now)
    exceptions.decide(session, decided.exceptions[0], now)
    exceptions.take_back(session, "doi", decided.exceptions[0].until)
    calendar_days.decree(session, decided.calendar[0])
    excuses.grant(session, decided.excuses[0], now)
    sources.save(session, decided.sources[0])


@pytest.mark.parametrize(
    "section",
    [
        "units",
        "stations",
        "programmes",
        "segments",
        "sessions",
        "one_offs",
        "duties",
        "templates",
        "exceptions",
        "calendar",
        "excuses",
        "sources",
    ],
)
def test_everything_comes_back_as_it_was_decided(database, people, now, decided, section):
    """Whatever is kept is read back equal, into the snapshot that stations obey."""
    with database.writing() as session:
        _save(session, decided, people, now)
    with database.reading() as session:
        intent = load_intent(session, now, demo=False)
    (wanted,) = getattr(decided, section)
    assert wanted in getattr(intent, section)


def test_no_field_is_left_at_its_default(decided):
    """The example says something in every field, so that one which the store drops is missed above."""
    seen: dict[type, set[str]] = {}
    _walk(decided, seen)
    # A segment and a place say the same in either of three ways; revision and demo belong to the snapshot itself.
    snapshot = {"revision", "issued_at", "valid_until", "seed", "demo"}
    for kind, said in seen.items():
        names = {field.name for field in fields(kind) if field.default is not MISSING}
        assert names - said <= (snapshot if kind is Intent else set()), kind


def test_every_section_of_the_intent_is_tried(decided):
    """A section added to the snapshot has to be added here."""
    sections = {field.name for field in fields(Intent) if field.default == ()}
    assert {name for name in sections if getattr(decided, name)} == sections


def _walk(value, seen):
    if isinstance(value, tuple):
        for one in value:
            _walk(one, seen)
    elif is_dataclass(value):
        said = seen.setdefault(type(value), set())
        for field in fields(value):
            if getattr(value, field.name) != field.default:
                said.add(field.name)
            _walk(getattr(value, field.name), seen)
