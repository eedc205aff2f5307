"""What gives way in a session that holds too much: rank by rank, on sessions made by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest

from schedules.giving_way import LEAST_RELAY, Entry, Rank, Room, Verdicts, give_way
from tests.schedules.builders import local

START = local(23, 5, 30)
MINUTE = timedelta(minutes=1)


def at(minutes: float) -> datetime:
    return START + minutes * MINUTE


def entry(slot: str, minutes: float, rank: Rank = Rank.ORDINARY, **more: object) -> Entry:
    values: dict[str, object] = {"slot": slot, "rank": rank, "length": minutes * MINUTE, "late_limit": 5 * MINUTE}
    return Entry(**{**values, **more})  # type: ignore[arg-type]


def room(minutes: float = 30, **more: object) -> Room:
    values: dict[str, object] = {
        "start": START,
        "end": at(minutes),
        "due": START,
        "latest": at(minutes),
        "left_s": None,
        "day_left_s": None,
        "day": lambda moment: (moment + timedelta(hours=7)).date(),
        "clear": lambda moment, length: moment,
        "now": START - MINUTE,
    }
    return Room(**{**values, **more})  # type: ignore[arg-type]


NOTHING = Verdicts(dropped={}, shortened={}, limited=frozenset())


def gone(verdicts: Verdicts) -> dict[str, str]:
    return dict(verdicts.dropped)


def test_what_fits_exactly_stays() -> None:
    """Thirty minutes in thirty minutes; a second more, and the last gives way to nobody."""
    assert NOTHING == give_way([entry("a", 10), entry("b", 20)], room())
    assert {"b": "b"} == gone(give_way([entry("a", 10), entry("b", 20 + 1 / 60)], room()))


def test_an_empty_session_has_room_for_everything() -> None:
    """Nothing is dropped where there is nothing."""
    assert NOTHING == give_way([], room(0))


@pytest.mark.parametrize("lower", list(Rank)[:-1])
def test_the_lower_rank_gives_way_wherever_it_stands(lower: Rank) -> None:
    """Of two that do not fit together the one of lower rank goes, named by what needs its time."""
    higher = Rank(lower + 1)

    assert {"a": "b"} == gone(give_way([entry("a", 20, lower), entry("b", 20, higher)], room()))
    assert {"b": "b"} == gone(give_way([entry("a", 20, higher), entry("b", 20, lower)], room()))


def test_among_equals_the_later_gives_way() -> None:
    """Three of ten minutes in twenty-five: the last one goes."""
    assert {"c": "c"} == gone(give_way([entry(name, 10) for name in "abc"], room(25)))


def test_one_by_one_until_it_fits() -> None:
    """The lowest first, then the next: no more than needed."""
    entries = [
        entry("frame", 2, Rank.FRAME),
        entry("optional", 10, Rank.OPTIONAL),
        entry("repeat", 10, Rank.REPEAT),
        entry("duty", 20, Rank.DUTY),
    ]

    assert {"optional": "duty"} == gone(give_way(entries, room(32)))
    assert {"optional", "frame"} == gone(give_way(entries, room(30))).keys()
    assert {"optional", "frame", "repeat"} == gone(give_way(entries, room(20))).keys()


def test_what_gave_way_to_something_that_does_not_fit_either_comes_back() -> None:
    """The long one is too long by itself; the short one that made room for it airs after all."""
    entries = [entry("short", 10, Rank.REPEAT), entry("long", 31, Rank.PRIORITY)]

    assert {"long": "long"} == gone(give_way(entries, room()))


def test_the_highest_rank_comes_back_first() -> None:
    """Of two that gave way to what does not fit, there is room for one: the higher."""
    entries = [
        entry("low", 20, Rank.OPTIONAL),
        entry("high", 20, Rank.REPEAT),
        entry("long", 31, Rank.PRIORITY),
    ]

    assert {"low", "long"} == gone(give_way(entries, room())).keys()


@pytest.mark.parametrize(("minutes", "left"), [(25, 5.0), (28, 2.0), (29, 1.0), (29.1, None)])
def test_a_relay_is_shortened_to_a_minute_at_least(minutes: float, left: float | None) -> None:
    """It gives the time that the rest needs; less than a minute of it is left out."""
    relay = entry("relay", 10, Rank.RELAY, relay=True)

    verdicts = give_way([relay, entry("news", minutes)], room())

    if left is None:
        assert ({"relay": "news"}, {}) == (gone(verdicts), dict(verdicts.shortened))
    else:
        assert ({}, {"relay": left * MINUTE}) == (gone(verdicts), dict(verdicts.shortened))
    assert MINUTE == LEAST_RELAY


def test_a_shortened_relay_that_is_dropped_in_the_end_is_not_called_shortened() -> None:
    """First shortened for one, then dropped for the next."""
    entries = [entry("relay", 20, Rank.RELAY, relay=True), entry("a", 15), entry("b", 15)]

    verdicts = give_way(entries, room(30))

    assert ({"relay"}, {}) == (gone(verdicts).keys(), dict(verdicts.shortened))


def test_nothing_stands_between_an_item_and_its_exact_time() -> None:
    """What would run into it gives way, whatever room the session has; up to the second it may."""
    exact = entry("exact", 5, exact=at(10))

    assert {} == gone(give_way([entry("a", 10), exact], room()))
    assert {"a": "exact"} == gone(give_way([entry("a", 10.1), exact], room()))
    assert {"a", "b"} == gone(give_way([entry("a", 10.1), entry("b", 11), exact], room())).keys()
    assert {"b": "exact"} == gone(give_way([entry("a", 8), entry("b", 3), exact], room()))


def test_an_exact_time_gives_way_to_a_higher_rank_and_names_it() -> None:
    """A duty before it is not cut: the exact item is what gives way, to the duty's slot."""
    entries = [entry("duty", 11, Rank.DUTY), entry("exact", 5, exact=at(10))]

    assert {"exact": "duty"} == gone(give_way(entries, room()))


def test_an_exact_time_of_equal_rank_stays() -> None:
    """Among equals what is not at an exact time gives way."""
    assert {"a": "exact"} == gone(give_way([entry("a", 11), entry("exact", 5, exact=at(10))], room()))


def test_an_exact_time_that_lies_before_what_has_begun_gives_way_to_nobody() -> None:
    """What is settled cannot give way: the exact item has no room."""
    begun = entry("begun", 0, settled=(at(12), at(12)))

    assert {"exact": "exact"} == gone(give_way([begun, entry("exact", 5, exact=at(10))], room()))


@pytest.mark.parametrize(("late_s", "stays"), [(30, True), (31, False)])
def test_a_delay_of_half_a_minute_is_borne_before_an_exact_time(late_s: float, stays: bool) -> None:
    """A session that began late: what is before the exact item goes when that would be more than 30 s late."""
    delayed = room(due=START + timedelta(seconds=late_s), latest=at(40))

    assert stays is ({} == gone(give_way([entry("a", 10), entry("exact", 5, exact=at(10))], delayed)))


def test_a_delay_before_an_exact_time_with_nothing_between_is_only_a_delay() -> None:
    """Where nothing could give way, the exact item starts late or is missed by its own limit."""
    delayed = room(due=at(12), latest=at(40))

    assert {} == gone(give_way([entry("exact", 5, exact=at(10))], delayed))


@pytest.mark.parametrize(("minutes", "stays"), [(12.0, True), (12.1, False)])
def test_a_wanted_time_may_wait_for_its_bound(minutes: float, stays: bool) -> None:
    """Wanted at ten minutes, up to two later."""
    soft = entry("soft", 5, wanted=at(10), bound=2 * MINUTE)

    assert stays is ({} == gone(give_way([entry("a", minutes, Rank.REPEAT), soft], room())))


def test_a_wanted_time_is_waited_for() -> None:
    """What comes after it begins after it: a gap is not filled by pulling things forward."""
    soft = entry("soft", 5, wanted=at(20))

    assert {} == gone(give_way([entry("a", 1), soft, entry("b", 5)], room()))
    assert {"b": "b"} == gone(give_way([entry("a", 1), soft, entry("b", 6)], room()))


def test_what_is_settled_takes_its_time_and_never_gives_way() -> None:
    """Its planned and its real end count; what came before it is past giving way."""
    settled = entry("s", 0, Rank.FILLER, settled=(at(20), at(22)))

    assert {} == gone(give_way([settled, entry("a", 10)], room(latest=at(32))))
    assert {"a": "a"} == gone(give_way([settled, entry("a", 10)], room(latest=at(31))))
    assert {"a": "a"} == gone(give_way([settled, entry("a", 11)], room(latest=at(40))))


def test_a_late_session_may_overrun_up_to_its_latest_moment() -> None:
    """Begun five minutes late it may end five minutes late, not more."""
    entries = [entry("a", 20), entry("b", 10)]

    assert {} == gone(give_way(entries, room(due=at(5), latest=at(35))))
    assert {"b": "b"} == gone(give_way(entries, room(due=at(5.1), latest=at(35))))


def test_ordered_airings_push_what_does_not_fit_before_them() -> None:
    """Ten minutes are taken from five minutes past: what needs ten starts behind them."""

    def clear(moment: datetime, length: timedelta) -> datetime:
        return at(15) if moment < at(15) and moment + length > at(5) else moment

    assert {} == gone(give_way([entry("a", 5), entry("b", 15)], room(clear=clear)))
    assert {"b": "b"} == gone(give_way([entry("a", 6), entry("b", 10)], room(clear=clear, end=at(30), latest=at(30))))


@pytest.mark.parametrize(
    ("left_s", "dropped"), [(1800.0, set()), (1799.0, {"b"}), (1200.0, {"b"}), (599.0, {"a", "b"})]
)
def test_a_session_keeps_its_limit(left_s: float, dropped: set[str]) -> None:
    """Seconds of sound count, wherever the exact times are; to the second."""
    entries = [entry("a", 10, Rank.REPEAT), entry("c", 0), entry("b", 20, Rank.OPTIONAL)]
    if left_s == 599.0:
        entries = [entry("a", 10), entry("b", 20)]

    verdicts = give_way(entries, room(left_s=left_s))

    assert dropped == gone(verdicts).keys() == verdicts.limited


def test_the_limit_of_a_session_counts_what_is_before_an_exact_time_too() -> None:
    """The lowest rank of the whole session gives way, not only of what stands next."""
    entries = [entry("a", 10, Rank.OPTIONAL), entry("exact", 10, exact=at(15))]

    assert {"a": "exact"} == gone(give_way(entries, room(left_s=900.0)))


def by_day(**left: float) -> Callable[[date], float]:
    return lambda day: left[f"d{day.day}"]


def test_each_day_has_its_own_limit() -> None:
    """Across midnight what airs before and after counts for its own date, and gives way there."""
    night = local(23, 23, 50)
    entries = [entry("a", 10, Rank.REPEAT), entry("b", 10, Rank.OPTIONAL), entry("c", 10)]

    def limited(**left: float) -> dict[str, str]:
        end = night + 30 * MINUTE
        return gone(give_way(entries, room(start=night, due=night, end=end, latest=end, day_left_s=by_day(**left))))

    assert {} == limited(d23=600.0, d24=1200.0)
    assert {"a": "a"} == {k: v for k, v in limited(d23=599.0, d24=1800.0).items() if k == "a"}
    assert {"b": "c"} == limited(d23=600.0, d24=1199.0)


def test_what_is_lost_already_takes_nothing_from_the_limits() -> None:
    """What should have begun longer ago than its limit will not sound, and leaves its seconds to the rest."""
    entries = [entry("a", 10), entry("b", 10)]

    assert {} == gone(give_way(entries, room(now=at(10.5), left_s=600.0, day_left_s=by_day(d23=600.0))))
    assert {"b": "b"} == gone(give_way(entries, room(now=at(4), left_s=600.0, latest=at(40))))


def test_an_item_under_its_late_limit_is_not_lost() -> None:
    """Five minutes late it may still begin, and then what follows begins later."""
    entries = [entry("a", 10), entry("b", 10)]

    assert {"b": "b"} == gone(give_way(entries, room(20, now=at(5), latest=at(24.9))))
    assert {} == gone(give_way(entries, room(20, now=at(5), latest=at(25))))
    assert {} == gone(give_way(entries, room(20, now=at(5.1), latest=at(20))))


def test_what_gave_way_for_lack_of_time_is_not_called_limited() -> None:
    """Only what a limit took is said to be over it; and not what came back."""
    assert frozenset() == give_way([entry("a", 20), entry("b", 20)], room()).limited
    long = [entry("short", 10, Rank.REPEAT), entry("long", 20, Rank.PRIORITY)]
    assert frozenset({"long"}) == give_way(long, room(left_s=1100.0)).limited
