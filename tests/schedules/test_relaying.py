"""What airs in the place of a relay whose source is dead or silent, and when the place goes back to its source."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from schedules.airing import Airing, Facts, Run, RunState, Verdict
from schedules.clock import Interval
from schedules.grid import ItemKind, SessionItem
from schedules.intent import Intent
from schedules.planner import plan
from schedules.programme import Otherwise, Programme
from schedules.reconcile import Action, Arm, Decide, Settle, player_wanted, reconcile
from schedules.relaying import SourceState, filled_place, instead, sources_wanted, turn
from schedules.rundown import Rundown, RundownItem
from schedules.segment import SegmentKind
from schedules.sources import RelaySource, SourceKind, StreamFormat
from schedules.verdicts import judge
from tests.schedules.builders import intent, local, segment, session

START = local(24, 5, 30)
SOURCE = RelaySource(
    code="VOV1", name="Thời sự", kind=SourceKind.HTTP, address="http://vov.example/1", format=StreamFormat.MP3
)
RELAY = session(SessionItem(id="vov", kind=ItemKind.RELAY, relay="VOV1", length_s=900))
RESERVE = segment("du-phong", seconds=300, evergreen=True)
SONG = segment("bai-hat", seconds=240, evergreen=True)


def decided(*segments: Any, **more: Any) -> Intent:
    """Return intent with one relay of 15 minutes on Tuesday at 05:30, and these recordings."""
    return intent(segments=segments, sessions=(RELAY,), sources=(SOURCE,), **more)


def place(given: Intent) -> RundownItem:
    """Return the relay's place as it is planned."""
    during = Interval(START, START + timedelta(hours=1))
    (item,) = (i for i in plan(given, Facts(station="XA"), local(24, 5), during).items if i.relay is not None)
    return item


def fillers(given: Intent, *, start: datetime = START, facts: Facts | None = None, **more: Any) -> list[RundownItem]:
    """Return what airs from `start` on instead of the relay."""
    relay = replace(place(given), **more.pop("place", {}))
    return list(instead(relay, intent=given, facts=facts or Facts(station="XA"), start=start, **more))


def told(items: list[RundownItem]) -> list[tuple[str | None, int]]:
    """Return the recordings with the seconds after 05:30 at which they begin."""
    return [(item.segment, int((item.start - START).total_seconds())) for item in items]


def test_a_dead_relay_is_filled_by_reserve_items_to_its_end_and_not_beyond() -> None:
    """Three whole recordings in turn within 15 minutes, each with a slot of its own, joined, and saying why."""
    found = fillers(decided(RESERVE, SONG))

    assert [("bai-hat", 0), ("du-phong", 240), ("bai-hat", 540)] == told(found)
    assert all(item.end <= START + timedelta(minutes=15) and item.kind is ItemKind.FILLER for item in found)
    assert [f"XA/sang/2026-11-24/vov/F{n}" for n in (1, 2, 3)] == [item.slot for item in found]
    assert [None, found[0].slot, found[1].slot] == [item.joins for item in found]
    assert "Nguồn tiếp âm “Thời sự” không có tiếng: bài dự phòng “" in found[0].why.vi
    assert found[0].sha256 is not None and found[0].session_end == START + timedelta(minutes=30)


def test_it_goes_on_with_numbers_of_its_own_after_what_was_heard_already() -> None:
    """After the first filler of the place comes the second, with another recording, joined to nothing that is over."""
    given = decided(RESERVE, SONG)
    first = fillers(given)[0]

    later = fillers(given, start=START + timedelta(minutes=8), earlier=(first,))

    assert "XA/sang/2026-11-24/vov/F2" == later[0].slot
    assert later[0].segment != first.segment
    assert later[0].joins is None


def test_what_is_new_keeps_its_own_place_and_what_has_aired_comes_again() -> None:
    """An unaired item is not spent on a filler, nor a signature tune; what aired comes again, after reserve items."""
    new, old = segment("moi", seconds=60), segment("cu", seconds=120)
    tune = segment("nhac-hieu", seconds=20, kind=SegmentKind.NHAC_HIEU, evergreen=True)
    facts = Facts(station="XA", aired={"cu": local(23, 6)})

    assert [("cu", 0)] == told(fillers(decided(new, old, tune), facts=facts))
    both = fillers(decided(new, old, RESERVE, tune), facts=facts)
    assert [("du-phong", 0), ("cu", 300), ("du-phong", 420), ("cu", 720)] == told(both)
    assert "phát lại “cu”" in both[1].why.vi and "once more “cu”" in both[1].why.en


def test_a_programme_that_does_not_repeat_is_not_repeated() -> None:
    """Notices air once: their programme's rule holds here too."""
    rules = (Programme(code="CDS", name="", otherwise=(Otherwise.CENTRE,)),)
    facts = Facts(station="XA", aired={"cu": local(23, 6)})

    assert [] == fillers(decided(segment("cu"), programmes=rules), facts=facts)


def test_what_the_session_airs_itself_comes_last() -> None:
    """A reserve item that stands elsewhere in the session is taken only where no other fits."""
    given = decided(RESERVE, SONG)

    assert "bai-hat" == fillers(given, around={"du-phong"})[0].segment
    assert "du-phong" == fillers(given, around={"bai-hat"})[0].segment
    assert "du-phong" == fillers(decided(RESERVE), around={"du-phong"})[0].segment


@pytest.mark.parametrize(
    ("more", "ends"),
    [
        ({}, 780),
        ({"cut_at": START + timedelta(minutes=6)}, 240),
        ({"open_until": START + timedelta(minutes=4, seconds=59)}, 240),
        ({"end": START + timedelta(minutes=3)}, 0),
    ],
)
def test_nothing_sounds_after_the_place_must_be_silent(more: dict[str, datetime], ends: int) -> None:
    """Its end, an ordered airing that cuts it, the permitted hours: the earliest bounds every filler."""
    found = fillers(decided(RESERVE, SONG), place=more)

    assert ends == sum(item.samples for item in found) // 48_000
    assert all(item.open_until is not None and item.end <= item.open_until for item in found)


def test_no_recording_on_the_station_means_none_instead() -> None:
    """What is not on the disk cannot stand in."""
    assert [] == fillers(decided(RESERVE), facts=Facts(station="XA", media=frozenset()))


@pytest.mark.parametrize(
    ("state", "relays"),
    [
        (SourceState.WAITING, True),
        (SourceState.FLOWING, True),
        (SourceState.DEAD, False),
        (SourceState.SILENT, False),
    ],
)
def test_the_source_has_its_place_until_it_is_dead_or_silent(state: SourceState, relays: bool) -> None:
    """A source that was opened and has a moment yet keeps its turn; one known to be gone loses it at once."""
    relay = place(decided(RESERVE))

    before = turn(relay, state=state, lasting_s=99.0, filler_ends=None, now=START - timedelta(seconds=20))
    within = turn(relay, state=state, lasting_s=0.0, filler_ends=None, now=START + timedelta(seconds=20))

    assert (relays, START) == (before.relays, before.at)
    assert (relays, START + timedelta(seconds=20)) == (within.relays, within.at)


@pytest.mark.parametrize(
    ("state", "lasting_s", "filler_ends_s", "relays"),
    [
        (SourceState.FLOWING, 10.0, 840, True),
        (SourceState.FLOWING, 9.9, 840, False),
        (SourceState.FLOWING, 10.0, 841, False),
        (SourceState.SILENT, 60.0, 300, False),
        (SourceState.WAITING, 60.0, 300, False),
    ],
)
def test_the_place_goes_back_when_the_source_is_steady_and_it_is_worth_it(
    state: SourceState, lasting_s: float, filler_ends_s: int, relays: bool
) -> None:
    """Ten seconds of flow, and a minute of the place left after the recording on air, which ends first."""
    ends = START + timedelta(seconds=filler_ends_s)

    found = turn(
        place(decided(RESERVE)), state=state, lasting_s=lasting_s, filler_ends=ends, now=START + timedelta(seconds=60)
    )

    assert (relays, ends) == (found.relays, found.at)


def test_a_silent_place_goes_back_at_once() -> None:
    """Where no filler fits, the place waits for the source alone."""
    now = START + timedelta(minutes=5)

    found = turn(
        place(decided()), state=SourceState.FLOWING, lasting_s=10.0, filler_ends=now - timedelta(seconds=9), now=now
    )

    assert (True, now) == (found.relays, found.at)


@pytest.mark.parametrize(
    ("after_s", "more", "wanted"),
    [
        (-61, {}, False),
        (-60, {}, True),
        (899, {}, True),
        (900, {}, False),
        (0, {"relay": None}, False),
        (0, {"relay": "KHAC"}, False),
        (0, {"replaced_by": "x"}, False),
        (0, {"cancelled_by": "Bà Hạnh"}, False),
        (60, {"cut_at": START + timedelta(seconds=60)}, False),
    ],
)
def test_a_source_is_open_from_a_minute_before_its_place_to_its_end(
    after_s: int, more: dict[str, Any], wanted: bool
) -> None:
    """Not longer, and not for a place that will not air or a source that is not allowed."""
    item = replace(place(decided()), **more)

    found = sources_wanted((item,), (SOURCE,), START + timedelta(seconds=after_s))

    assert ({"VOV1": SOURCE} if wanted else {}) == found


def under_way(item: RundownItem, state: RunState, *, since: datetime) -> Run:
    """Return an airing that began at `since` and has lasted half a minute."""
    return Run(
        item=item,
        state=state,
        start_at=since,
        started_at=since,
        part_started_at=since,
        origin=since,
        position=30 * 48_000,
        position_at=since + timedelta(seconds=30),
    )


def aired_row(item: RundownItem) -> Airing:
    """Return the row of a filler that aired whole."""
    run = replace(under_way(item, RunState.ENDED, since=item.start), counted={"main": item.samples}, ended_at=item.end)
    return judge(run, (("main", "pulse"),), item.end)


def planned(given: Intent, *, after_s: int, rows: tuple[Airing, ...] = (), runs: tuple[Run, ...] = ()) -> Rundown:
    """Return the plan that the station makes so many seconds after the place began."""
    facts = Facts(station="XA", airings=rows, runs=runs)
    return plan(given, facts, START + timedelta(seconds=after_s), Interval(START, START + timedelta(hours=1)))


def with_news(*segments: Any) -> Intent:
    """Return the relay with a place after it."""
    after = SessionItem(id="tin", kind=ItemKind.SEGMENT, programme="TIN")
    items = (*RELAY.items, after)
    return replace(decided(RESERVE, SONG, segment("tin", programme="TIN"), *segments), sessions=(session(*items),))


def test_what_airs_instead_pushes_nobody() -> None:
    """With a filler on air or over, the relay keeps its place and what follows its time; both stay in the plan."""
    given = with_news()
    (relay,) = (item for item in planned(given, after_s=0).items if item.relay is not None)
    first, second = instead(relay, intent=given, facts=Facts(station="XA"), start=START)[:2]
    cases = (
        planned(given, after_s=30, runs=(under_way(first, RunState.PLAYING, since=START),)),
        planned(given, after_s=400, rows=(aired_row(first),)),
        planned(
            given,
            after_s=270,
            rows=(aired_row(first),),
            runs=(
                under_way(second, RunState.PLAYING, since=second.start),
                under_way(relay, RunState.INTERRUPTED, since=START - timedelta(seconds=1)),
            ),
        ),
    )

    for found in cases:
        known = {item.slot.rpartition("/")[2]: item for item in found.items}
        assert "VOV1" == known["vov"].relay
        assert known["vov"].due <= START and known["vov"].end == START + timedelta(minutes=15)
        assert START + timedelta(minutes=15) == known["tin"].due
        assert first.segment == known["F1"].segment and START == known["F1"].start
    over = planned(given, after_s=950, rows=(aired_row(first), replace(aired_row(first), slot=relay.slot)))
    assert "F1" in {item.slot.rpartition("/")[2] for item in over.items}
    facts = Facts(station="XA", airings=(aired_row(first),))
    later = plan(given, facts, local(25, 8), Interval(local(25, 7), local(25, 9)))
    assert "F1" not in {item.slot.rpartition("/")[2] for item in later.items}


def test_an_interrupted_relay_goes_on_unless_its_source_was_taken_from_the_list() -> None:
    """It has no recording that could lose its approval; its source can."""
    given = decided(RESERVE)
    run = under_way(replace(place(given), samples=900 * 48_000), RunState.INTERRUPTED, since=START)

    (kept,) = planned(given, after_s=60, runs=(run,)).items
    (gone,) = planned(replace(given, sources=()), after_s=60, runs=(run,)).items

    assert ("VOV1", START) == (kept.relay, kept.due)
    assert gone.relay is None and "không còn trong danh sách" in gone.why.vi


@pytest.mark.parametrize(
    ("slot", "relay"),
    [
        ("XA/sang/2026-11-24/vov/F1", "XA/sang/2026-11-24/vov"),
        ("XA/sang.2/2026-11-24/vov/F12", "XA/sang.2/2026-11-24/vov"),
        ("XA/sang/2026-11-24/F1", None),
        ("XA/sang/2026-11-24/vov.1", None),
        ("XA/emergency/F1", None),
    ],
)
def test_the_slot_of_a_filler_tells_whose_place_it_has(slot: str, relay: str | None) -> None:
    """An item that is called F1 is none."""
    assert relay == filled_place(slot)


def decided_at(after_s: float, *, down: bool = False, runs: tuple[Run, ...] = (), ready: bool = True) -> list[Action]:
    """Return what the station does about the relay so many seconds after its place began."""
    item = replace(place(decided(RESERVE)), samples=900 * 48_000)
    facts = Facts(station="XA", runs=runs, relays_down=frozenset({"VOV1"} if down else ()))
    now = START + timedelta(seconds=after_s)
    rundown = Rundown(station="XA", revision=1, planned_at=now, items=(item,), findings=(), duties=())
    assert player_wanted(rundown, facts, now) == (-60 <= after_s < 900 or bool(runs))
    return list(reconcile(rundown, facts, now, ready=ready))


def test_a_relay_is_joined_where_the_clock_is_as_long_as_it_is_worth_it() -> None:
    """Armed 20 s ahead, joined late at the sample of the clock, missed when less than five seconds are left."""
    (ahead,) = decided_at(-20)
    (late,) = decided_at(600)

    assert isinstance(ahead, Arm) and (START, 0) == (ahead.start, ahead.first)
    assert isinstance(late, Arm) and late.first == round((late.start - START).total_seconds() * 48_000)
    assert [] == decided_at(-61) == decided_at(-21) == decided_at(600, down=True) == decided_at(600, ready=False)
    for down, words in ((False, "không sẵn sàng"), (True, "Nguồn tiếp âm không có tiếng")):
        (over,) = decided_at(897, down=down)
        assert isinstance(over, Decide) and Verdict.MISSED is over.verdict
        assert words in over.reason.vi


def test_an_interrupted_relay_waits_for_its_source_and_is_judged_at_its_end() -> None:
    """It goes on at the clock's sample once its source can be heard; nothing while that is down."""
    run = under_way(replace(place(decided(RESERVE)), samples=900 * 48_000), RunState.INTERRUPTED, since=START)

    (again,) = decided_at(300, runs=(run,))

    assert isinstance(again, Arm) and again.first == round((again.start - START).total_seconds() * 48_000)
    assert [] == decided_at(300, runs=(run,), down=True)
    assert [Settle(run.slot)] == [replace(one, reason=None) for one in decided_at(897, runs=(run,))]
