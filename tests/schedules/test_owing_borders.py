"""What a station owes at the borders: of its service, of excuses, of periods, and of what a row is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest

from schedules.airing import Airing, Evidence, Facts, OutputCount, Verdict
from schedules.clock import Interval
from schedules.duty import Counting, Duty, DutyWindow, Excuse, Period
from schedules.intent import Intent
from schedules.owing import Owed, by_key, in_service, make_up_prefix, need, owing
from schedules.station import Station
from schedules.text import Text
from tests.schedules.builders import duty, intent, local, row
from tests.schedules.test_duty_words import FRIDAY, SATURDAY, item

MONDAY, END = local(23, 0), local(30, 0)
INSTANT = timedelta(microseconds=1)


def found(
    decided: Intent, *rows: Airing, start: datetime = MONDAY, end: datetime = MONDAY + INSTANT
) -> tuple[Owed, ...]:
    return owing(decided, decided.stations[0], Facts(station="XA", airings=rows), Interval(start, end))


def station(**more: object) -> Station:
    return Station(code="XA", name="Đài", unit="XA", **more)  # type: ignore[arg-type]


def weekly(**more: object) -> Intent:
    values: dict[str, object] = {"duties": (duty(),)}
    return intent(**{**values, **more})


def test_service_lasts_from_the_first_to_the_last_midnight() -> None:
    """Both dates are in service, whole, in the station's own time; open where none is given."""
    served = station(valid_from=date(2026, 11, 24), valid_until=date(2026, 11, 26))

    assert (local(24, 0), local(27, 0)) == in_service(served)
    assert (None, None) == in_service(station())


@pytest.mark.parametrize(
    ("first", "last", "during"),
    [
        (None, None, (MONDAY, END)),
        (date(2026, 11, 20), date(2026, 12, 20), (MONDAY, END)),
        (date(2026, 11, 25), None, (local(25, 0), END)),
        (None, date(2026, 11, 25), (MONDAY, local(26, 0))),
        (date(2026, 11, 23), date(2026, 11, 29), (MONDAY, END)),
        (date(2026, 11, 29), date(2026, 11, 29), (local(29, 0), END)),
        (date(2026, 11, 30), None, None),
        (None, date(2026, 11, 22), None),
    ],
)
def test_a_duty_is_owed_while_the_station_is_in_service(
    first: date | None, last: date | None, during: tuple[datetime, datetime] | None
) -> None:
    """The period is cut at the station's first and last day; outside of them nothing is owed."""
    owed = found(weekly(stations=(station(valid_from=first, valid_until=last),)))

    assert ([] if during is None else [during]) == [(o.during.start, o.during.end) for o in owed]
    if owed:
        assert (MONDAY, END) == (owed[0].whole.start, owed[0].whole.end)
        assert (None if during and during[1] == END else local(26, 0)) == owed[0].closed


def test_every_period_that_is_asked_for_is_owed_the_earliest_deadline_first() -> None:
    """Two weeks and a month that the question touches; at the same deadline by code."""
    decided = intent(duties=(duty(code="B"), duty(code="A"), duty(code="M", period=Period.MONTH)))

    owed = found(decided, end=END + INSTANT)

    assert [("A", "2026-W48"), ("B", "2026-W48"), ("M", "2026-11"), ("A", "2026-W49"), ("B", "2026-W49")] == [
        (o.duty.code, o.period) for o in owed
    ]
    assert [("A", "2026-W48"), ("B", "2026-W48"), ("M", "2026-11")] == [
        (o.duty.code, o.period) for o in found(decided, end=END)
    ]
    assert owed[0] is by_key(owed)["A", "2026-W48"]


def excuse(first: int, last: int, **more: object) -> Excuse:
    values: dict[str, object] = {
        "station": "XA",
        "first": date(2026, 11, first),
        "last": date(2026, 11, last),
        "document": "12/QĐ",
        "reason": Text("Bão.", "Storm."),
    }
    return Excuse(**{**values, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("excuses", "windowed", "excused"),
    [
        ((excuse(23, 29),), False, True),
        ((excuse(23, 28),), False, False),
        ((excuse(24, 29),), False, False),
        ((excuse(23, 25), excuse(26, 29)), False, True),
        ((excuse(23, 25), excuse(27, 29)), False, False),
        ((excuse(28, 29),), True, True),
        ((excuse(28, 28),), True, False),
        ((excuse(29, 29),), True, False),
        ((excuse(28, 28), excuse(29, 29)), True, True),
        ((excuse(23, 29, duty="CDS-XA"),), False, True),
        ((excuse(23, 29, duty="KHAC"),), False, False),
        ((excuse(23, 29, station="KHAC"),), False, False),
        ((excuse(23, 29, document=" "),), False, False),
        ((excuse(16, 22),), True, False),
    ],
)
def test_excuses_cover_the_period_or_every_window_in_it(
    excuses: tuple[Excuse, ...], windowed: bool, excused: bool
) -> None:
    """One day that is not covered leaves the duty owed; where it has windows, only their days matter."""
    owed = duty() if windowed else duty(windows=())
    (one,) = found(weekly(duties=(owed,), excuses=excuses))

    assert excused is (one.excuse is not None)
    assert (0 if excused else 1) == need(one).missing


def test_the_first_excuse_that_touches_the_period_is_named() -> None:
    """Of several documents the one with the earlier days; one of another week is not named for this one."""
    other, mine = excuse(16, 22, document="1/QĐ"), excuse(23, 29, document="2/QĐ")

    (one,) = found(weekly(excuses=(mine, other)))

    assert one.excuse is mine


def test_a_window_that_begins_on_an_excused_day_is_excused_as_a_whole() -> None:
    """A window across midnight belongs to the day on which it begins."""
    night = duty(windows=(DutyWindow(weekday=6, start=time(20), end=time(20, 30)),))

    (one,) = found(weekly(duties=(night,), excuses=(excuse(28, 28),)))

    assert one.excuse is not None


@pytest.mark.parametrize(
    ("one", "mine", "good"),
    [
        (row(FRIDAY, Verdict.AIRED), True, True),
        (row(FRIDAY, Verdict.MISSED), True, False),
        (row(FRIDAY, Verdict.AIRED, topics=("F-1",)), True, False),
        (row(FRIDAY, Verdict.MISSED, topics=()), True, False),
        (row(FRIDAY, Verdict.AIRED, programme="TIN"), False, False),
        (row(FRIDAY, Verdict.MISSED, programme="TIN", duty="CDS-XA"), True, False),
        (row(FRIDAY, Verdict.MISSED, programme="TIN", duty="KHAC"), False, False),
        (row(FRIDAY, Verdict.AIRED, started_at=END, planned_start=FRIDAY.start), False, False),
        (row(FRIDAY, Verdict.AIRED, started_at=MONDAY, planned_start=MONDAY - INSTANT), True, True),
        (row(FRIDAY, Verdict.MISSED, planned_start=MONDAY - INSTANT), False, False),
        (row(FRIDAY, Verdict.AIRED, rehearsal=True), True, False),
    ],
)
def test_which_rows_concern_a_duty_and_which_fulfil_it(one: Airing, mine: bool, good: bool) -> None:
    """Those of its programme or made for it, by when they really began; whole, of its topic and really out to count."""
    (owed,) = found(weekly(), one)

    assert (mine, good) == (one in owed.rows, one in owed.good)
    assert (0 if good else 1) == need(owed).missing


def test_a_duty_of_any_programme_is_not_concerned_by_every_row() -> None:
    """Without a programme only its topics say what belongs to it."""
    decided = weekly(duties=(duty(programme=None, topics=("DX-DGOV",)),))
    other = row(FRIDAY, Verdict.MISSED, topics=("F-1",))

    (owed,) = found(decided, other, row(SATURDAY, Verdict.AIRED, programme="TIN"))

    assert ["t7"] == [r.slot for r in owed.rows]
    assert ["t7"] == [r.slot for r in owed.good]


def test_no_more_rows_are_named_than_are_owed() -> None:
    """The third airing of two that are owed is a repeat; rows come in time order, each slot once."""
    rows = [row(item(f"s{n}", local(24 + n, 6)), Verdict.AIRED) for n in (2, 0, 1)]

    (owed,) = found(weekly(duties=(duty(count=2),)), *rows, rows[1])

    assert ["s0", "s1"] == [r.slot for r in owed.good]
    assert ["s0", "s1", "s2"] == [r.slot for r in owed.rows]
    assert 0 == need(owed).missing


@pytest.mark.parametrize(
    ("least_share", "heard", "counts"),
    [
        (1.0, (1.0, 0.95), True),
        (1.0, (1.0, 0.9), False),
        (0.5, (1.0, 0.0), True),
        (0.5, (0.94, 0.0), False),
        (0.5, (0.95, 0.0), True),
        (0.51, (1.0, 0.0), False),
    ],
)
def test_a_duty_may_be_content_with_a_share_of_the_outputs(
    least_share: float, heard: tuple[float, float], counts: bool
) -> None:
    """So many of the outputs must have played 95 % of it."""
    whole = FRIDAY.samples
    outputs = tuple(
        OutputCount(name=f"o{n}", kind="pulse", samples=round(whole * share), grade=Evidence.E1)
        for n, share in enumerate(heard)
    )
    verdict = Verdict.AIRED if min(heard) >= 0.95 else Verdict.PARTIAL
    one = row(FRIDAY, verdict, outputs=outputs, start_error_s=0.0, samples_expected=whole)

    (owed,) = found(weekly(duties=(duty(least_share=least_share),)), one)

    assert counts is (one in owed.good)


@pytest.mark.parametrize(
    "changes", [{"start_error_s": 300.1}, {"start_error_s": None}, {"outputs": ()}, {"samples_expected": 0}]
)
def test_a_share_is_not_enough_where_it_began_too_late_or_nothing_is_known(changes: dict[str, object]) -> None:
    """Five minutes late still counts; later, or without counts, it does not."""
    outputs = (OutputCount(name="o", kind="pulse", samples=FRIDAY.samples, grade=Evidence.E1),)
    good: dict[str, object] = {"outputs": outputs, "start_error_s": 300.0, "samples_expected": FRIDAY.samples}
    decided = weekly(duties=(duty(least_share=0.5),))

    assert 1 == len(found(decided, row(FRIDAY, Verdict.PARTIAL, **good))[0].good)
    # Who asks for all outputs asks for a whole airing, too.
    assert 0 == len(found(weekly(), row(FRIDAY, Verdict.PARTIAL, **good))[0].good)
    assert 0 == len(found(decided, row(FRIDAY, Verdict.PARTIAL, **{**good, **changes}))[0].good)


def versions(*spans: tuple[datetime, datetime | None]) -> tuple[Duty, ...]:
    return tuple(duty(name=f"v{n}", since=since, until=until) for n, (since, until) in enumerate(spans))


@pytest.mark.parametrize(
    ("spans", "name"),
    [
        (((local(1, 0), None),), "v0"),
        (((local(1, 0), local(25, 0)), (local(25, 0), None)), "v0"),
        (((local(1, 0), MONDAY), (MONDAY, None)), "v1"),
        (((local(24, 0), local(26, 0)), (local(26, 0), None)), "v0"),
        (((local(26, 0), None), (local(24, 0), local(26, 0))), "v1"),
        (((local(24, 0), local(24, 0)), (local(26, 0), None)), "v1"),
        (((END, None),), None),
        (((local(1, 0), MONDAY),), None),
        (((END - INSTANT, None),), "v0"),
    ],
)
def test_the_version_at_the_start_of_a_period_governs_it(
    spans: tuple[tuple[datetime, datetime | None], ...], name: str | None
) -> None:
    """The one in force when the week begins, else the first that comes into force in it; whatever their order."""
    owed = found(weekly(duties=versions(*spans)))

    assert ([] if name is None else [name]) == [o.duty.name for o in owed]


def test_make_ups_are_numbered_by_the_first_day_of_their_period() -> None:
    """The slot of a make-up names the duty and its period, also in a zone west of Greenwich."""
    (owed,) = found(weekly())

    assert "XA/makeup.CDS-XA/2026-11-23/" == make_up_prefix(weekly().stations[0], owed)


def test_a_topic_brings_a_duty_further_only_once() -> None:
    """`after` covers topics one by one; what is covered, of another prefix or outside the period does not count."""
    topical = duty(count=2, counting=Counting.TOPICS, topics=("DX-A", "DX-B", "F-1"))
    (owed,) = found(weekly(duties=(topical,)))
    start = need(owed)

    one = start.after("CDS", ("DX-A", "F-1"), FRIDAY.start)
    assert (1, frozenset({"DX-A"})) == (one.missing, one.covered)
    assert not one.counts("CDS", ("DX-A",), FRIDAY.start)
    assert one is one.after("CDS", ("DX-A",), FRIDAY.start)
    assert not one.counts("CDS", ("F-1",), FRIDAY.start)
    assert not one.counts("TIN", ("DX-B",), FRIDAY.start)
    assert not one.counts("CDS", ("DX-B",), END)
    done = one.after("CDS", ("DX-B",), FRIDAY.start)
    assert 0 == done.missing
    assert not done.counts("CDS", ("DX-C",), FRIDAY.start)
    assert 0 == start.after("CDS", ("DX-A", "DX-B"), FRIDAY.start).missing


def test_airings_are_missing_one_by_one_and_topics_are_not_kept_for_them() -> None:
    """A duty of airings does not remember topics: the same recording counts again."""
    (owed,) = found(weekly(duties=(duty(count=2),)), row(FRIDAY, Verdict.AIRED))
    left = need(owed)

    assert (1, frozenset()) == (left.missing, left.covered)
    assert 0 == left.after("CDS", ("DX-DGOV",), SATURDAY.start).missing
    assert replace(left, missing=0) == left.after("CDS", ("DX-DGOV",), SATURDAY.start)
