"""The snapshot that stations obey, and the number that says which is newer."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from schedules.grid import OneOff, Timing
from schedules.station import Station, Unit
from store import one_offs, revision, segments, stations, units
from store.accounts import Role
from store.intent import load_intent
from store.segments import Audio, Card


def test_the_snapshot_says_what_it_is(database, now):
    """It has the moment it was made, and how long it holds without another."""
    with database.reading() as session:
        intent = load_intent(session, now, demo=True)
    assert (intent.issued_at, intent.valid_until, intent.demo) == (now, now + timedelta(days=14), True)


def test_what_is_known_is_changed_in_its_place(database, now):
    """Saving a station again changes it."""
    with database.writing() as session:
        station = stations.find(session, "LONGHIEP")
        stations.save(session, replace(station, self_approval=True))
        assert stations.find(session, "LONGHIEP").self_approval
        assert len(stations.every(session)) == 2


def test_a_successor_may_be_written_after_whom_it_succeeds(database):
    """A merger is written in any order, in one change; one that nobody takes over is refused at its end."""
    with database.writing() as session:
        units.save(session, Unit(code="CU", name="Xã cũ", successor="MOI"))
        units.save(session, Unit(code="MOI", name="Xã mới"))
        stations.save(session, Station(code="CU", name="Đài cũ", unit="CU", successor="MOI"))
        stations.save(session, Station(code="MOI", name="Đài mới", unit="MOI"))
    with pytest.raises(IntegrityError), database.writing() as session:
        units.save(session, Unit(code="X", name="X", successor="NOWHERE"))


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
