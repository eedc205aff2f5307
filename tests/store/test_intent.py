"""The snapshot that stations obey, and the number that says which is newer."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date, time, timedelta

from schedules.duty import Duty, DutyWindow, Period
from schedules.grid import OneOff, Timing
from schedules.station import DaySpan, Station, Unit
from store import duties, one_offs, revision, segments, stations, units
from store.accounts import Role
from store.intent import load_intent
from store.segments import Audio, Card


def test_everything_comes_back_as_it_was_decided(database, now):
    """Units, stations and duties are read back with every field."""
    unit = Unit(code="CU", name="Xã cũ", parent="MINHLONG", valid_from=date(2020, 1, 1), valid_until=date(2025, 6, 30))
    station = Station(
        code="CU",
        name="Đài cũ",
        unit="CU",
        zone="Asia/Bangkok",
        permitted=(DaySpan(start=time(5), end=time(6, 30)), DaySpan(start=time(16), end=time(0))),
        self_approval=True,
    )
    duty = Duty(
        code="CDS",
        name="Chuyển đổi số",
        owner="MINHLONG",
        stations=("LONGHIEP", "CU"),
        programme="CDS",
        since=now,
        count=2,
        period=Period.MONTH,
        windows=(DutyWindow(weekday=5, start=time(17), end=time(18, 30)),),
        document="485/UBND-VX",
        topic_prefix="DX-",
    )
    with database.writing() as session:
        units.save(session, unit)
        stations.save(session, station)
        duties.save(session, duty)
    with database.reading() as session:
        intent = load_intent(session, now, demo=True)
    assert unit in intent.units
    assert intent.station("CU") == station
    assert intent.duties == (duty,)
    assert (intent.issued_at, intent.valid_until, intent.demo) == (now, now + timedelta(days=14), True)
    with database.writing() as session:
        duties.save(session, replace(duty, count=1))
        stations.save(session, replace(station, self_approval=False))
        assert duties.every(session)[0].count == 1
        assert not stations.find(session, "CU").self_approval
        assert duties.remove(session, "CDS")
        assert not duties.remove(session, "CDS")


def test_the_number_grows_with_every_change(database):
    """Each bump is one more than the last, also when many write at once; a failed change does not count."""
    with database.reading() as session:
        before = revision.current(session)

    def change():
        for _ in range(10):
            with database.writing() as session:
                revision.bump(session)

    threads = [threading.Thread(target=change) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    try:
        with database.writing() as session:
            revision.bump(session)
            raise RuntimeError("half way")
    except RuntimeError:
        pass
    with database.reading() as session:
        assert revision.current(session) == before + 40


def test_one_offs_name_who_ordered_and_who_cancelled(database, people, now):
    """A cancelled airing stays in the snapshot, with the names, and is cancelled once."""
    operator, approver = people[Role.OPERATOR], people[Role.APPROVER]
    card = Card(owner="LONGHIEP", station="LONGHIEP", programme="CDS", title="Tin")
    audio = Audio(
        sha256="a" * 64,
        pcm_sha256="b" * 64,
        samples=48_000,
        loudness_lufs=-16,
        true_peak_dbtp=-2,
        gain_db=0,
        head_silence_s=0,
        tail_silence_s=0,
        source_format="wav",
    )
    order = OneOff(
        id="lan1",
        station="LONGHIEP",
        segment="seg1",
        start=now + timedelta(hours=1),
        timing=Timing.HARD,
        ordered_by="Người operator",
        ordered_at=now,
    )
    with database.writing() as session:
        segments.receive(session, segment="seg1", card=card, uploader=operator, file_name="x", now=now, most_drafts=9)
        segments.claim(session, "seg1", now)
        segments.finish(session, "seg1", audio, now)
        one_offs.order(session, order, person=operator.id)
        assert one_offs.find(session, "lan1") == order
        assert load_intent(session, now, demo=False).one_offs == (order,)
        assert one_offs.cancel(session, "lan1", person=approver.id, now=now)
        assert not one_offs.cancel(session, "lan1", person=operator.id, now=now)
        (cancelled,) = load_intent(session, now, demo=False).one_offs
        assert (cancelled.cancelled_by, cancelled.cancelled_at) == ("Người approver", now)
        assert one_offs.of_segment(session, "seg1") == (cancelled,)
        assert one_offs.of_station(session, "LONGHIEP", now, now + timedelta(hours=1)) == ()
        assert one_offs.of_station(session, "LONGHIEP", now, now + timedelta(hours=2)) == (cancelled,)
        assert load_intent(session, now + timedelta(days=40), demo=False).one_offs == ()
