"""The copy of the air log: rows once, in order, by page, and as the station wrote them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from schedules.airing import Airing, Evidence, OutputCount, Part, Verdict
from schedules.text import Text
from store import airings
from store.airings import Mark


@pytest.fixture
def airing(now):
    """A row in which every field says something."""
    return Airing(
        slot="LONGHIEP/sang/2026-11-23/cds",
        station="LONGHIEP",
        kind="segment",
        programme="CDS",
        segment="seg1",
        title="Tin thôn 1",
        sha256="a" * 64,
        topics=("DX-A1",),
        planned_start=now,
        planned_end=now + timedelta(seconds=30),
        started_at=now + timedelta(milliseconds=3),
        ended_at=now + timedelta(seconds=29),
        seconds_aired=28.5,
        samples_aired=1_368_000,
        samples_expected=1_440_000,
        bit_exact=False,
        start_error_s=0.003,
        holes_s=1.25,
        parts=(Part(first=0, next=1_368_000, started_at=now, ended_at=None),),
        outputs=(OutputCount(name="main", kind="pulse", samples=1_368_000, grade=Evidence.E1),),
        verdict=Verdict.PARTIAL,
        reason=Text("Bị dừng.", "Stopped."),
        rehearsal=False,
        evidence=Evidence.E1,
        self_approved=True,
        by="Người approver",
        duty="CDS",
    )


def test_a_row_comes_back_whole_and_only_once(database, airing):
    """The same number twice is one row, whatever is sent the second time."""
    with database.writing() as session:
        assert airings.record(session, "LONGHIEP", 7, "h" * 64, airing)
        assert not airings.record(session, "LONGHIEP", 7, "x" * 64, replace(airing, verdict=Verdict.AIRED))
        assert airings.record(session, "LONGMAI", 7, "m" * 64, replace(airing, station="LONGMAI"))
        assert airings.last_seq(session, "LONGHIEP") == 7
        assert airings.last_seq(session, "LONGSON") == 0
    with database.reading() as session:
        (row,) = airings.listing(session, stations=["LONGHIEP"])
        assert (row.seq, row.hash, row.airing) == (7, "h" * 64, airing)
        assert airings.of_slot(session, airing.slot).airing.slot == airing.slot
        assert airings.of_slot(session, "nowhere") is None


def test_a_missed_row_has_no_times(database, airing):
    """A row of something that never sounded keeps its empty fields empty."""
    missed = replace(
        airing,
        verdict=Verdict.MISSED,
        started_at=None,
        ended_at=None,
        segment=None,
        sha256=None,
        parts=(),
        outputs=(),
        reason=None,
        start_error_s=None,
        by=None,
        duty=None,
        programme=None,
    )
    with database.writing() as session:
        airings.record(session, "LONGHIEP", 1, "h" * 64, missed)
        assert airings.listing(session, stations=["LONGHIEP"])[0].airing == missed


def test_rows_are_filtered(database, airing, now):
    """Time, programme, verdict and station narrow the list; counts follow."""
    with database.writing() as session:
        for seq in range(1, 5):
            row = replace(
                airing,
                planned_start=now + timedelta(hours=seq),
                verdict=Verdict.AIRED if seq % 2 else Verdict.MISSED,
                programme="CDS" if seq < 3 else "BANTIN",
            )
            airings.record(session, "LONGHIEP", seq, "h" * 64, row)

        def found(**filters):
            return [row.seq for row in airings.listing(session, stations=["LONGHIEP"], **filters)]

        assert found(start=now + timedelta(hours=2), end=now + timedelta(hours=4)) == [2, 3]
        assert found(programme="CDS") == [1, 2]
        assert found(verdicts=[Verdict.MISSED]) == [2, 4]
        assert found(newest_first=True, limit=2) == [4, 3]
        assert airings.listing(session, stations=["LONGMAI"]) == ()
        counted = airings.counts(session, stations=["LONGHIEP"], start=now, end=now + timedelta(hours=4))
        assert counted == {Verdict.AIRED: 2, Verdict.MISSED: 1}
        assert len(airings.of_segment(session, "seg1", since=now, stations=["LONGHIEP"])) == 4
        airings.forget(session, "LONGHIEP")
        assert found() == []


@pytest.mark.parametrize("newest_first", [False, True])
def test_pages_neither_repeat_nor_skip(database, airing, now, newest_first):
    """Keyset pages give each row once, also where several were planned at one moment at several stations."""
    with database.writing() as session:
        for seq in range(1, 8):
            for station in ("LONGHIEP", "LONGMAI"):
                row = replace(airing, station=station, planned_start=now + timedelta(minutes=seq // 3))
                airings.record(session, station, seq, "h" * 64, row)
    seen, mark = [], None
    with database.reading() as session:
        while page := airings.listing(
            session, stations=["LONGHIEP", "LONGMAI"], newest_first=newest_first, after=mark, limit=3
        ):
            seen += [(row.airing.planned_start, row.station, row.seq) for row in page]
            mark = Mark(planned_start=page[-1].airing.planned_start, station=page[-1].station, seq=page[-1].seq)
    assert seen == sorted(set(seen), reverse=newest_first)
    assert len(seen) == 14
