"""What was heard: merged, within the recording, within the time that went by."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from store.listening import Heard, _within, merged

RANGES = st.lists(st.tuples(st.integers(-5, 70), st.integers(-5, 70)), max_size=8)
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def seconds(ranges) -> set[int]:
    """Return every second of the ranges."""
    return {second for first, end in ranges for second in range(first, end)}


@given(RANGES, st.integers(0, 60))
def test_ranges_are_merged_into_the_same_seconds(ranges, length_s):
    """In order, apart from each other, and no second beyond the recording."""
    found = merged(ranges, length_s)

    assert seconds(found) == {one for one in seconds(ranges) if 0 <= one < length_s}
    assert all(end < first for (_, end), (first, _last) in pairwise(found))


@given(RANGES, RANGES, st.integers(0, 80))
def test_no_more_is_credited_than_time_allows(before, told, room_s):
    """What was known stays; of what is new the earliest seconds count, as many as went by."""
    known = merged(before, 60)
    wanted = merged([*known, *told], 60)
    kept = _within(known, wanted, room_s)
    new = sorted(seconds(wanted) - seconds(known))

    assert seconds(kept) == seconds(known) | set(new[:room_s])


def test_whole_means_to_the_end():
    """A seam of two seconds is forgiven, the last second is not."""
    assert Heard(ranges=((0, 300),), length_s=300, heard_s=300).whole
    assert Heard(ranges=((0, 100), (104, 300)), length_s=300, heard_s=296).whole
    assert not Heard(ranges=((0, 294),), length_s=300, heard_s=294).whole
    assert not Heard(ranges=((0, 100), (120, 300)), length_s=300, heard_s=280).whole
    assert not Heard(ranges=(), length_s=0, heard_s=0).whole


def test_nothing_is_forgotten_between_reports(database, people):
    """Seconds of several reports add up, each once, and only those of the version that is asked about."""
    from schedules.segment import SegmentKind
    from store import listening, segments
    from store.accounts import Role
    from store.segments import Card

    person = people[Role.OPERATOR]
    with database.writing() as session:
        card = Card(owner="LONGHIEP", station="LONGHIEP", programme="CDS", title="t", kind=SegmentKind.TIN)
        segments.receive(session, segment="s1", card=card, uploader=person, file_name="", now=NOW, most_drafts=9)
        for minute, ranges in enumerate(([], [(0, 20)], [(10, 30)], [(0, 5)])):
            found = listening.note(
                session,
                segment="s1",
                sha256="a" * 64,
                person=person,
                ranges=ranges,
                length_s=60,
                now=NOW + timedelta(minutes=minute),
            )
        assert (found.heard_s, found.ranges) == (30, ((0, 30),))
        assert listening.of_person(session, person, {"s1": "b" * 64}) == {}
        assert listening.of_person(session, person, {"s1": "a" * 64})["s1"].heard_s == 30
