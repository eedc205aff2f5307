"""The copy of what was heard of airings: rows once, and the best and the worst that they say."""

from __future__ import annotations

import pytest

from schedules.airing import Evidence
from store import evidence

SLOT = "LONGHIEP/sang/2026-11-23/cds"


def body(**changes):
    """Return an evidence row of a good recording at the monitor."""
    values = {
        "slot": SLOT,
        "output": "main",
        "grade": "E2",
        "offset_ms": 12.5,
        "share": 0.998,
        "matched_s": 29.9,
        "silent_s": 0.1,
        "foreign_s": 0.0,
        "level_dbfs": -18.5,
        "source": "monitor",
        "from": "2026-11-23T10:00:00+00:00",
        "to": "2026-11-23T10:00:30+00:00",
        "files": [{"name": "main/0001.flac", "sha256": "a" * 64}],
    }
    return values | changes


@pytest.fixture
def session(database):
    """A session that writes."""
    with database.writing() as session:
        yield session


def seen(session, now, *bodies):
    """Copy rows with growing numbers and return what is known of the airing."""
    for seq, one in enumerate(bodies, start=evidence.last_seq(session, "LONGHIEP") + 1):
        evidence.record(session, "LONGHIEP", seq, "h" * 64, now, one)
    return evidence.of_slots(session, [SLOT]).get(SLOT)


def test_a_row_comes_back_whole_and_only_once(session, now):
    """The same number is not copied twice; the copy can be emptied and made again."""
    assert evidence.record(session, "LONGHIEP", 7, "h" * 64, now, body())
    assert not evidence.record(session, "LONGHIEP", 7, "x" * 64, now, body(share=0.1))
    (one,) = evidence.of_slot(session, SLOT)
    assert (one.grade, one.share, one.output, one.offset_ms, one.files) == (
        Evidence.E2,
        0.998,
        "main",
        12.5,
        ("main/0001.flac",),
    )
    assert evidence.last_seq(session, "LONGHIEP") == 7
    evidence.forget(session, "LONGHIEP")
    assert evidence.of_slots(session, [SLOT]) == {}


@pytest.mark.parametrize(
    ("changes", "best", "doubtful"),
    [
        ({}, Evidence.E2, False),
        ({"grade": "E3"}, Evidence.E3, False),
        ({"share": 0.5}, None, True),
        ({"share": 0.97, "foreign_s": 3.0}, Evidence.E2, True),
        ({"share": None, "matched_s": 20.0, "silent_s": 0.0}, Evidence.E2, False),
        ({"share": None, "matched_s": 10.0, "silent_s": 10.0}, None, True),
        ({"share": None, "matched_s": None, "silent_s": 0.0}, None, False),
        ({"grade": "E9"}, Evidence.E0, False),
        ({"source": "aircheck", "share": None, "matched_s": None}, None, False),
    ],
)
def test_only_what_was_heard_raises_the_grade(session, now, changes, best, doubtful):
    """A recording that does not match, a foreign sound or a mere recording of the bus never counts as heard."""
    known = seen(session, now, body(**changes))
    assert (known.best, known.doubtful) == (best, doubtful)


def test_the_best_of_all_outputs_and_the_worst_of_them_both_show(session, now):
    """A silent second output does not hide behind the first; a later row of the same ear stands for the earlier."""
    known = seen(session, now, body(), body(output="thon", share=0.2, silent_s=24.0))
    assert (known.best, known.share, known.silent_s) == (Evidence.E2, 0.2, 24.0)
    later = seen(session, now, body(output="thon"))
    assert (later.best, later.doubtful) == (Evidence.E2, False)


def test_grades_are_ordered():
    """Samples counted are less than a monitor, a sensor is more, a person's word the most."""
    grades = list(Evidence)
    assert grades == [Evidence.E0, Evidence.E1, Evidence.E2, Evidence.E3, Evidence.H]
    assert evidence.better(Evidence.E1, Evidence.E2) is Evidence.E2
    assert evidence.better(Evidence.E3, Evidence.E2) is Evidence.E3
    assert evidence.better(Evidence.E1, None) is Evidence.E1
