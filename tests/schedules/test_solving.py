"""The search for places by itself: on problems made by hand, at their borders, and when its effort is spent."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from schedules import placing
from schedules.airing import Facts
from schedules.choosing import Choice
from schedules.clock import Interval
from schedules.duty import Counting
from schedules.owing import Need, need, owing
from schedules.placing import Offer, Opening, Placement, Problem, Solution, Used, solve
from schedules.segment import Segment
from schedules.text import Text
from tests.schedules.builders import duty, intent, local, segment

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
MONDAY = local(23, 0)
WHY = Text("vì sao", "why")
WINDOW = Interval(local(28, 5, 30), local(28, 7))
CDS = segment("cds", seconds=600)


def needs(*counts: int, **more: object) -> tuple[Need, ...]:
    """Return what the duties A, B, … lack this week: so many airings of their programme each."""
    duties = tuple(
        duty(**{"code": f"{chr(65 + n)}", "programme": "CDS", "topic_prefix": "", "count": count, **more})
        for n, count in enumerate(counts)
    )
    decided = intent(duties=duties)
    facts = Facts(station="XA")
    return tuple(
        need(one) for one in owing(decided, decided.station("XA"), facts, Interval(MONDAY, MONDAY + placing.STEP))
    )


def offer(segment: Segment, since: datetime | None = None) -> Offer:
    """Return a recording that may be taken from `since` on, else from the beginning."""
    return Offer(Choice(segment=segment, why=WHY), segment, since or MONDAY - timedelta(days=9))


def problem(wanted: tuple[Need, ...], *segments: Segment, **more: object) -> Problem:
    """Return a problem in which every need may take each of `segments` again and again, in their order."""

    def offered(one: Need, used: Used) -> tuple[Offer, ...]:
        return tuple(offer(s) for s in segments)

    values: dict[str, object] = {
        "needs": wanted,
        "openings": (),
        "blocked": (),
        "windows": tuple((WINDOW,) for _ in wanted),
        "offered": offered,
        "earliest": MONDAY,
        "grace": timedelta(seconds=60),
        "zone": HANOI,
        "tries": tuple(6 for _ in wanted),
        "day_left_s": lambda day: None,
    }
    return Problem(**{**values, **more})  # type: ignore[arg-type]


def starts(solution: Solution) -> list[datetime]:
    return [one.start for one in solution.placements]


def opening(slot: str, start: datetime, minutes: float = 10, **more: object) -> Opening:
    values: dict[str, object] = {
        "slot": f"XA/sang/{slot}",
        "session": "XA/sang",
        "left_s": None,
        "programme": "CDS",
        "start": start,
        "until": start + timedelta(minutes=minutes),
    }
    return Opening(**{**values, **more})  # type: ignore[arg-type]


def test_nothing_is_missing_where_nothing_is_wanted() -> None:
    """An empty problem is solved, whole."""
    assert Solution(placements=(), missing=0, complete=True) == solve(problem(()))
    assert Solution(placements=(), missing=0, complete=True) == solve(problem(needs(0), CDS))


def test_a_make_up_starts_at_the_first_mark_of_its_window() -> None:
    """One airing, one window: its beginning, the whole recording, under no slot of the grid."""
    (one,) = solve(problem(needs(1), CDS)).placements

    assert (WINDOW.start, None, CDS) == (one.start, one.slot, one.segment)
    assert Interval(WINDOW.start, WINDOW.start + timedelta(minutes=10)) == one.during


def test_what_is_blocked_is_passed_by_on_marks() -> None:
    """Twelve minutes are taken: the next mark is at fifteen; what only touches is not in the way."""
    taken = Interval(WINDOW.start, WINDOW.start + timedelta(minutes=12))
    later = Interval(WINDOW.start + timedelta(minutes=25), WINDOW.end)

    assert [local(28, 5, 45)] == starts(solve(problem(needs(1), CDS, blocked=(later, taken))))
    assert [WINDOW.start] == starts(
        solve(problem(needs(1), CDS, blocked=(Interval(WINDOW.start + timedelta(minutes=10), WINDOW.end),)))
    )


def test_off_the_marks_is_tried_where_it_saves_a_duty() -> None:
    """Eleven minutes between two orders: the mark does not fit, the very end of the first order does."""
    blocked = (
        Interval(WINDOW.start, WINDOW.start + timedelta(minutes=12)),
        Interval(WINDOW.start + timedelta(minutes=22), WINDOW.end),
    )

    assert [local(28, 5, 42)] == starts(solve(problem(needs(1), CDS, blocked=blocked)))


@pytest.mark.parametrize(
    ("earliest", "start"),
    [
        (WINDOW.start - timedelta(seconds=1), WINDOW.start),
        (WINDOW.start + timedelta(seconds=60), WINDOW.start),
        (WINDOW.start + timedelta(seconds=61), local(28, 5, 35)),
        (local(28, 5, 36), local(28, 5, 35)),
        (local(28, 5, 36, 1), local(28, 5, 40)),
        (local(28, 6, 51), local(28, 6, 50)),
        (local(28, 6, 51, 1), None),
    ],
)
def test_a_mark_may_have_been_due_a_moment_ago(earliest: datetime, start: datetime | None) -> None:
    """So that a make-up holds still while it is armed: up to the grace before now, and never past its window's end."""
    assert ([] if start is None else [start]) == starts(solve(problem(needs(1), CDS, earliest=earliest)))


def test_what_is_over_already_is_not_put_on_a_mark_that_has_passed() -> None:
    """A short item due 30 s ago has still time to begin late; once it would be over, it waits for the next mark."""
    short = replace(CDS, samples=40 * 48_000)

    late = problem(needs(1), short, earliest=WINDOW.start + timedelta(seconds=30))
    over = problem(needs(1), short, earliest=WINDOW.start + timedelta(seconds=40))

    assert [WINDOW.start] == starts(solve(late))
    assert [local(28, 5, 35)] == starts(solve(over))


def test_windows_are_tried_in_their_order() -> None:
    """What does not fit into the first goes into the second."""
    first, second = Interval(local(25, 5), local(25, 5, 9)), Interval(local(26, 5), local(26, 5, 10))

    assert [local(26, 5)] == starts(solve(problem(needs(1), CDS, windows=((first, second),))))


def test_two_airings_follow_each_other() -> None:
    """Each takes its time; the second starts on the next free mark."""
    assert [WINDOW.start, local(28, 5, 40)] == starts(solve(problem(needs(2), CDS)))
    assert [WINDOW.start, local(28, 5, 45)] == starts(solve(problem(needs(2), replace(CDS, samples=601 * 48_000))))


def test_the_first_choice_that_fits_is_taken() -> None:
    """The best is too long for the window; the next one airs."""
    long = segment("dai", seconds=91 * 60)

    assert ["cds"] == [one.segment.id for one in solve(problem(needs(1), long, CDS)).placements]


def test_one_airing_may_serve_two_duties() -> None:
    """Both ask for the programme: one make-up fulfils both."""
    assert 1 == len(solve(problem(needs(1, 1), CDS)).placements)


def test_no_more_make_ups_than_tries() -> None:
    """Two are owed, one may be tried: one is placed and one stays missing."""
    found = solve(problem(needs(2), CDS, tries=(1,)))

    assert (1, 1, True) == (len(found.placements), found.missing, found.complete)
    assert (0, 2) == (
        len(solve(problem(needs(2), CDS, tries=(0,))).placements),
        solve(problem(needs(2), CDS, tries=(0,))).missing,
    )


def test_tries_are_counted_for_each_duty() -> None:
    """A make-up of one duty takes no try of another."""
    wanted = needs(1, 1, topics=())
    cds, tin = (
        wanted[0],
        replace(wanted[1], owed=replace(wanted[1].owed, duty=replace(wanted[1].owed.duty, programme="TIN"))),
    )

    found = solve(problem((cds, tin), CDS, segment("tin", seconds=600, programme="TIN"), tries=(1, 1)))

    assert 0 == found.missing


def test_a_slot_of_the_grid_goes_before_a_make_up() -> None:
    """A later slot of its programme serves first; the search does not make up what the grid can air."""
    (one,) = solve(problem(needs(1), CDS, openings=(opening("a", local(29, 6)),))).placements

    assert ("XA/sang/a", local(29, 6)) == (one.slot, one.start)


@pytest.mark.parametrize(
    "changes",
    [
        {"until": local(29, 6, 9, 59)},
        {"programme": "TIN"},
        {"left_s": 599.0},
    ],
)
def test_a_slot_that_cannot_serve_leaves_it_to_a_make_up(changes: dict[str, object]) -> None:
    """Too short, of another programme, over its session's limit."""
    slot = opening("a", local(29, 6), **changes)

    assert [None] == [one.slot for one in solve(problem(needs(1), CDS, openings=(slot,))).placements]


def test_a_slot_after_the_deadline_cannot_serve() -> None:
    """The slot that begins with the next week is no place for this one's."""
    assert [None] == [p.slot for p in solve(problem(needs(1), CDS, openings=(opening("a", local(30, 0)),))).placements]


def test_a_blocked_slot_cannot_serve() -> None:
    """What is ordered for its time stands in its way; what begins with its end does not."""
    slot = opening("a", local(29, 6))
    over = Interval(local(29, 6, 9), local(29, 6, 20))
    behind = Interval(local(29, 6, 10), local(29, 6, 20))

    assert [None] == [one.slot for one in solve(problem(needs(1), CDS, openings=(slot,), blocked=(over,))).placements]
    assert [slot.slot] == [
        one.slot for one in solve(problem(needs(1), CDS, openings=(slot,), blocked=(behind,))).placements
    ]


def test_a_slot_serves_once_and_the_limit_of_its_session_is_shared() -> None:
    """Two airings take two slots; where the session may air only ten minutes more, the second is made up."""
    slots = (opening("a", local(29, 6)), opening("b", local(29, 6, 10)))
    tight = tuple(replace(slot, left_s=1199.0) for slot in slots)
    wide = tuple(replace(slot, left_s=1200.0) for slot in slots)

    assert ["XA/sang/a", "XA/sang/b"] == [p.slot for p in solve(problem(needs(2), CDS, openings=slots)).placements]
    assert ["XA/sang/a", "XA/sang/b"] == [p.slot for p in solve(problem(needs(2), CDS, openings=wide)).placements]
    assert ["XA/sang/a", None] == [p.slot for p in solve(problem(needs(2), CDS, openings=tight)).placements]
    assert ["XA/sang/a", None] == [p.slot for p in solve(problem(needs(2), CDS, openings=slots[:1])).placements]


@pytest.mark.parametrize(("left_s", "days"), [(1200.0, [28, 28]), (1199.0, [28, 29]), (599.0, [29, 30])])
def test_a_day_s_limit_sends_what_is_left_to_another_day(left_s: float, days: list[int]) -> None:
    """Saturday has so many seconds left, the other days have enough."""
    windows = (WINDOW, Interval(local(29, 5), local(29, 5, 10)), Interval(local(30, 5), local(30, 6)))

    def left(day: date) -> float | None:
        return left_s if day == date(2026, 11, 28) else 900.0

    late = needs(2)
    late = tuple(replace(n, owed=replace(n.owed, during=Interval(MONDAY, local(30, 12)))) for n in late)
    found = solve(problem(late, CDS, windows=(windows,), day_left_s=left))

    assert days == [(start + timedelta(hours=7)).day for start in starts(found)]


def test_a_window_across_midnight_goes_on_with_the_next_day() -> None:
    """The evening is full: the same window's next local day is tried at its midnight."""
    night = Interval(local(28, 23), local(29, 2))

    def left(day: date) -> float | None:
        return 0.0 if day == date(2026, 11, 28) else None

    assert [local(29, 0)] == starts(solve(problem(needs(1), CDS, windows=((night,),), day_left_s=left)))


def test_nothing_longer_than_allowed_is_placed() -> None:
    """The limit of a session holds for a make-up by itself, too."""
    assert 0 == solve(problem(needs(1), CDS, longest_s=600.0)).missing
    assert 1 == solve(problem(needs(1), CDS, longest_s=599.0)).missing


def test_a_recording_is_placed_within_its_dates() -> None:
    """From its first moment on, on a mark; not when it has expired."""
    late = replace(CDS, valid_from=local(28, 5, 41))
    over = replace(CDS, valid_until=WINDOW.start)

    assert [local(28, 5, 45)] == starts(solve(problem(needs(1), late)))
    assert [] == starts(solve(problem(needs(1), over)))
    tight = (Interval(local(28, 5, 30), local(28, 5, 51)),)
    assert [local(28, 5, 41)] == starts(solve(problem(needs(1), late, windows=(tight,))))


def test_topics_are_covered_by_as_few_as_it_takes() -> None:
    """Two topics by one recording that carries both, where it is offered first."""
    both, one, other = (
        segment("ab", seconds=600, topics=("DX-A", "DX-B")),
        segment("a", seconds=600, topics=("DX-A",)),
        segment("b", seconds=600, topics=("DX-B",)),
    )
    wanted = needs(2, counting=Counting.TOPICS, topics=("DX-A", "DX-B"))

    assert ["ab"] == [p.segment.id for p in solve(problem(wanted, both, one, other)).placements]
    assert ["a", "b"] == [p.segment.id for p in solve(problem(wanted, one, other)).placements]
    alone = solve(problem(wanted, one))
    assert (["a"], 1) == ([p.segment.id for p in alone.placements], alone.missing)


def test_the_search_turns_back_where_the_first_way_leads_nowhere() -> None:
    """The first duty could take the only window of the second: it takes its other one."""
    wanted = needs(1, 1)
    tin = replace(wanted[1], owed=replace(wanted[1].owed, duty=replace(wanted[1].owed.duty, programme="TIN")))
    both, later = Interval(local(28, 6), local(28, 6, 10)), Interval(local(29, 6), local(29, 6, 10))

    found = solve(
        problem((wanted[0], tin), CDS, segment("tin", seconds=600, programme="TIN"), windows=((both, later), (both,)))
    )

    assert 0 == found.missing
    assert {("cds", local(29, 6)), ("tin", local(28, 6))} == {(p.segment.id, p.start) for p in found.placements}


def test_used_recordings_are_told_to_what_is_offered() -> None:
    """Each placement adds its recording, with its start, to those that the next offer knows as used."""
    asked: list[Used] = []

    def offered(one: Need, used: Used) -> tuple[Offer, ...]:
        asked.append(used)
        return (offer(CDS),)

    assert 0 == solve(problem(needs(2), offered=offered)).missing
    assert frozenset() == asked[0]
    assert frozenset({("cds", WINDOW.start)}) in asked
    assert {"cds"} == {name for used in asked for name, _ in used}


def test_a_recording_is_not_placed_before_it_may_be() -> None:
    """Offered from the second half hour of the window on, it starts there, and fills no slot before."""
    from_then = WINDOW.start + timedelta(minutes=30)
    posed = problem(
        needs(1), offered=lambda one, used: (offer(CDS, from_then),), openings=(opening("a", WINDOW.start),)
    )

    assert [from_then] == starts(solve(posed))


def test_spent_effort_gives_the_best_so_far_and_says_that_not_all_was_tried() -> None:
    """With steps for less than the whole search, what was found is kept, and the answer is not called complete."""
    wanted = needs(*[1] * 4)
    apart = tuple(
        replace(n, owed=replace(n.owed, duty=replace(n.owed.duty, programme=f"P{k}"))) for k, n in enumerate(wanted)
    )
    segments = [segment(f"s{k}", seconds=600, programme=f"P{k}") for k in range(4)]
    tight = tuple((Interval(local(28, 6), local(28, 6, 30)),) for _ in wanted)

    whole = solve(problem(apart, *segments, windows=tight))
    assert (3, 1, True) == (len(whole.placements), whole.missing, whole.complete)
    cut = placing._Search(problem=problem(apart, *segments, windows=tight), step=placing.STEP, least=0, effort=4).run()
    assert (3, 1, False) == (len(cut.placements), cut.missing, cut.complete)
    short = placing._Search(
        problem=problem(apart, *segments, windows=tight), step=placing.STEP, least=0, effort=1
    ).run()
    assert ((), 4, False) == (short.placements, short.missing, short.complete)


def test_placements_do_not_overlap() -> None:
    """Six airings of seven minutes each in one window, on marks."""
    found = solve(problem(needs(6), segment("a", seconds=420)))
    stretches = sorted(one.during for one in found.placements)

    assert 6 == len(stretches)
    assert all(one.end <= two.start for one, two in pairwise(stretches))
    assert all(isinstance(one, Placement) and one.start.minute % 5 == 0 for one in found.placements)


def test_the_same_placements_in_another_order_are_not_tried_again() -> None:
    """Two duties want the one free place, a third has its own: all is tried, and one stays missing."""
    wanted = tuple(
        replace(n, owed=replace(n.owed, duty=replace(n.owed.duty, programme=f"P{k}")))
        for k, n in enumerate(needs(1, 1, 1))
    )
    segments = [segment(f"s{k}", seconds=600, programme=f"P{k}") for k in range(3)]
    one, other = Interval(local(28, 6), local(28, 6, 10)), Interval(local(29, 6), local(29, 6, 10))

    found = solve(problem(wanted, *segments, windows=((one,), (other,), (one,))))

    assert (2, 1, True) == (len(found.placements), found.missing, found.complete)
