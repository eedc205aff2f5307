"""Local rules to instants: clock changes, midnight, week and year ends."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedules.calendar import (
    common,
    deadline,
    duty_windows,
    instant,
    occurrences,
    open_groups,
    open_hours,
    open_until,
    period_interval,
    period_name,
    period_of,
    period_words,
    permitted,
)
from schedules.clock import Interval, ManualClock, utc
from schedules.duty import DutyWindow, Period
from schedules.station import WHOLE_DAY, ClusterGroup, DaySpan, Station
from tests.schedules.builders import duty, intent, local, place, session

VIET_NAM = ZoneInfo("Asia/Ho_Chi_Minh")
PARIS, LORD_HOWE = ZoneInfo("Europe/Paris"), ZoneInfo("Australia/Lord_Howe")
ZONES = st.sampled_from(sorted(available_timezones()))


@pytest.mark.parametrize(
    ("zone", "day", "at", "expected"),
    [
        (PARIS, date(2026, 3, 29), time(2, 30), datetime(2026, 3, 29, 1, tzinfo=UTC)),
        (PARIS, date(2026, 10, 25), time(2, 30), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        (ZoneInfo("America/New_York"), date(2026, 3, 8), time(2, 30), datetime(2026, 3, 8, 7, tzinfo=UTC)),
        (LORD_HOWE, date(2026, 10, 4), time(2, 15), datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
        (ZoneInfo("Asia/Ho_Chi_Minh"), date(2026, 11, 23), time(5, 30), datetime(2026, 11, 22, 22, 30, tzinfo=UTC)),
    ],
)
def test_a_local_time_has_one_instant(zone: ZoneInfo, day: date, at: time, expected: datetime) -> None:
    """In the gap of a clock change the first valid instant, in the fold the first of the two."""
    assert expected == instant(zone, day, at)


@given(ZONES, st.dates(date(2026, 1, 1), date(2027, 12, 31)), st.times())
def test_every_local_time_of_every_zone_has_an_instant_on_or_just_after_it(name: str, day: date, at: time) -> None:
    """Outside gaps the instant shows exactly that local time; in a gap it lies at most a few hours later."""
    zone = ZoneInfo(name)
    shown = instant(zone, day, at).astimezone(zone).replace(tzinfo=None)

    assert timedelta(0) <= shown - datetime.combine(day, at) <= timedelta(hours=26)


def test_a_session_over_midnight_belongs_to_the_day_it_starts() -> None:
    """Asked about the early morning, the session of the evening before is there, under its own date."""
    rule = session(place("a"), starts=(time(23, 30),), length_s=3600)
    station = Station(code="XA", name="", unit="XA")

    (found,) = occurrences(intent(sessions=(rule,)), station, Interval(local(24, 0, 5), local(24, 0, 10)))

    assert date(2026, 11, 23) == found.day


def test_several_starts_have_names_of_their_own() -> None:
    """A rule with two starts gives two slots a day."""
    rule = session(place("a"), starts=(time(5, 30), time(17)))
    station = Station(code="XA", name="", unit="XA")

    found = occurrences(intent(sessions=(rule,)), station, Interval(local(23, 0), local(24, 0)))

    assert ["sang.1", "sang.2"] == [occurrence.name for occurrence in found]


@pytest.mark.parametrize(
    ("period", "day", "name"),
    [
        (Period.WEEK, date(2026, 12, 31), "2026-W53"),
        (Period.WEEK, date(2027, 1, 3), "2026-W53"),
        (Period.WEEK, date(2027, 1, 4), "2027-W01"),
        (Period.MONTH, date(2028, 2, 29), "2028-02"),
        (Period.YEAR, date(2026, 12, 31), "2026"),
    ],
)
def test_a_period_holds_the_days_that_name_it(period: Period, day: date, name: str) -> None:
    """ISO weeks at the year's end, leap days: the day lies in the period of its name."""
    zone = ZoneInfo("Asia/Ho_Chi_Minh")

    assert name == period_name(period, day)
    assert period_interval(period, name, zone).contains(instant(zone, day, time(12)))


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("2026-W53", date(2026, 12, 28), date(2027, 1, 3)),
        ("2026-11", date(2026, 11, 1), date(2026, 11, 30)),
        ("2026-12", date(2026, 12, 1), date(2026, 12, 31)),
        ("2028-02", date(2028, 2, 1), date(2028, 2, 29)),
        ("2026", date(2026, 1, 1), date(2026, 12, 31)),
    ],
)
def test_a_period_goes_from_midnight_to_midnight(name: str, first: date, last: date) -> None:
    """From its first local day to the end of its last."""
    whole = period_interval(period_of(name), name, VIET_NAM)

    assert instant(VIET_NAM, first, time(0)) == whole.start
    assert instant(VIET_NAM, last, time(23, 59)) + timedelta(minutes=1) == whole.end


@pytest.mark.parametrize(
    ("name", "period"),
    [("2026-W53", Period.WEEK), ("2026-11", Period.MONTH), ("1970", Period.YEAR), ("2199", Period.YEAR)],
)
def test_the_name_of_a_period_tells_its_kind(name: str, period: Period) -> None:
    """Week, month and year are written differently."""
    assert period is period_of(name)


@pytest.mark.parametrize(
    "name", ["0001", "0001-01", "0001-W01", "9999", "9999-12", "9999-W52", "2026-W54", "2026-13", ""]
)
def test_a_period_that_cannot_be_reckoned_is_none(name: str) -> None:
    """At the ends of the calendar there is no next week and no other zone; such names are refused like wrong ones."""
    with pytest.raises(ValueError, match="not a period"):
        period_of(name)


def test_permitted_hours_may_go_over_midnight() -> None:
    """20:00 to 02:00 and 02:00 to 03:00 together permit what crosses both."""
    hours = (DaySpan(start=time(20), end=time(2)), DaySpan(start=time(2), end=time(3)))
    station = Station(code="XA", name="", unit="XA", permitted=hours)

    assert permitted(station, Interval(local(23, 23), local(24, 2, 30)))
    assert not permitted(station, Interval(local(24, 2, 30), local(24, 3, 30)))


def test_a_time_without_a_zone_is_rejected() -> None:
    """Nobody can say when a naive time is."""
    with pytest.raises(ValueError, match="zone"):
        utc(datetime(2026, 11, 23, 5, 30))  # noqa: DTZ001 - that is the point
    with pytest.raises(ValueError, match="UTC"):
        Interval(datetime(2026, 11, 23), datetime(2026, 11, 24))  # noqa: DTZ001 - that is the point


def test_an_interval_does_not_end_before_it_starts() -> None:
    """A stretch of negative length is a mistake of the caller."""
    with pytest.raises(ValueError, match="ends"):
        Interval(local(24, 0), local(23, 0))


def test_the_simulated_clock_moves_as_it_is_told() -> None:
    """Advancing moves both clocks, a step only the wall."""
    clock = ManualClock(local(23, 5))
    clock.advance(10)
    clock.step(3600)

    assert (local(23, 6, 0, 10), 10.0) == (clock.now(), clock.monotonic())
    assert clock.state().trusted


@pytest.mark.parametrize(
    ("hours", "moment", "until"),
    [
        (((5, 7), (7, 21)), local(23, 6), local(23, 21)),
        (((5, 7), (16, 18)), local(23, 6), local(23, 7)),
        (((5, 7),), local(23, 12), local(23, 12)),
        (((5, 0), (0, 5)), local(23, 6), local(27, 0)),
        (((0, 0),), local(23, 6), None),
    ],
)
def test_permitted_hours_end_where_no_other_stretch_follows(
    hours: tuple[tuple[int, int], ...], moment: datetime, until: datetime | None
) -> None:
    """Stretches that touch are one; outside all of them the end is the moment itself."""
    spans = tuple(DaySpan(start=time(start), end=time(end)) for start, end in hours)
    station = Station(code="XA", name="", unit="XA", permitted=spans)

    found = open_until(station, moment)

    if until is None or found is None:
        assert until == found
    else:
        assert min(until, moment + timedelta(days=2)) <= found <= until


NOON = DaySpan(start=time(11, 30), end=time(13, 30))
WORKING_DAYS = DaySpan(start=time(5), end=time(21), weekdays=(1, 2, 3, 4, 5))
WEEKEND = DaySpan(start=time(6), end=time(20), weekdays=(6, 7))


@pytest.mark.parametrize(
    ("moment", "until"),
    [
        (local(23, 6), local(23, 11, 30)),
        (local(23, 12), local(23, 12)),
        (local(23, 13, 30), local(23, 21)),
        (local(28, 5, 30), local(28, 5, 30)),
        (local(28, 6), local(28, 11, 30)),
        (local(28, 19), local(28, 20)),
    ],
)
def test_hours_end_with_the_next_quiet_stretch_and_by_the_weekday(moment: datetime, until: datetime) -> None:
    """Monday 23rd to Saturday 28th, with a midday rest every day."""
    station = Station(code="XA", name="", unit="XA", permitted=(WORKING_DAYS, WEEKEND), quiet=(NOON,))

    assert until == open_until(station, moment)


def test_a_quiet_stretch_interrupts_hours_without_an_end() -> None:
    """The whole day is permitted but for the rest; over midnight nothing ends."""
    station = Station(code="XA", name="", unit="XA", permitted=WHOLE_DAY, quiet=(NOON,))

    assert local(24, 11, 30) == open_until(station, local(23, 14))
    assert not permitted(station, Interval(local(23, 11), local(23, 12)))
    assert permitted(station, Interval(local(23, 22), local(24, 4)))


def test_the_open_hours_of_a_stretch_are_clipped_to_it() -> None:
    """From Monday noon to Tuesday morning, with overlapping spans told once."""
    spans = (DaySpan(start=time(5), end=time(18)), DaySpan(start=time(16), end=time(21)))
    station = Station(code="XA", name="", unit="XA", permitted=spans, quiet=(NOON,))

    found = open_hours(station, Interval(local(23, 11), local(24, 6)))

    expected = [(local(23, 11), local(23, 11, 30)), (local(23, 13, 30), local(23, 21)), (local(24, 5), local(24, 6))]
    assert [Interval(start, end) for start, end in expected] == found


def test_a_quiet_stretch_may_take_all_of_the_hours() -> None:
    """Then nothing is open, and a moment ends at once."""
    station = Station(code="XA", name="", unit="XA", permitted=(NOON,), quiet=(DaySpan(start=time(11), end=time(14)),))

    assert [] == open_hours(station, Interval(local(23, 0), local(24, 0)))
    assert local(23, 12) == open_until(station, local(23, 12))


def test_the_whole_day_is_open_without_a_look_at_the_days() -> None:
    """Where nothing closes, the stretch is open as it was asked."""
    during = Interval(local(23, 0), local(30, 0))

    assert [during] == open_hours(Station(code="XA", name="", unit="XA", permitted=WHOLE_DAY), during)


def test_a_span_that_lies_in_a_gap_is_none() -> None:
    """02:10 to 02:50 does not exist on 29 March 2026 in Paris."""
    station = Station(
        code="XA", name="", unit="XA", zone="Europe/Paris", permitted=(DaySpan(start=time(2, 10), end=time(2, 50)),)
    )

    assert [] == open_hours(
        station, Interval(datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 29, 12, tzinfo=UTC))
    )


def test_a_quiet_span_that_lies_in_a_gap_interrupts_nothing() -> None:
    """02:10 to 02:50 does not exist that night: the hours go on."""
    never = (DaySpan(start=time(2, 10), end=time(2, 50), weekdays=(7,)),)
    station = Station(code="XA", name="", unit="XA", zone="Europe/Paris", permitted=WHOLE_DAY, quiet=never)
    night = Interval(datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 29, 12, tzinfo=UTC))

    assert [night] == open_hours(station, night)


def grouped() -> Station:
    """Return a station with three cluster groups: two with hours of their own."""
    groups = (
        ClusterGroup(code="thon-2", name="Thôn 2", permitted=(DaySpan(start=time(6), end=time(20)),)),
        ClusterGroup(code="thon-1", name="Thôn 1"),
        ClusterGroup(code="truong", name="Trường học", permitted=(DaySpan(start=time(0), end=time(0)),)),
    )
    return Station(code="XA", name="", unit="XA", groups=groups)


@pytest.mark.parametrize(
    ("targets", "wanted", "heard"),
    [
        ((), (local(23, 7), local(23, 8)), None),
        ((), (local(23, 5, 30), local(23, 5, 45)), ("thon-1", "truong")),
        ((), (local(23, 19, 30), local(23, 20, 30)), ("thon-1", "truong")),
        (("truong", "thon-1", "thon-2"), (local(23, 7), local(23, 8)), None),
        (("truong", "thon-1"), (local(23, 7), local(23, 8)), ("thon-1", "truong")),
        (("thon-2",), (local(23, 5), local(23, 6)), ()),
        (("thon-2",), (local(23, 6), local(23, 6, 30)), ("thon-2",)),
    ],
)
def test_a_group_hears_what_lies_in_its_own_hours(
    targets: tuple[str, ...], wanted: tuple[datetime, datetime], heard: tuple[str, ...] | None
) -> None:
    """None means every group of the station; else those meant that are open for the whole time."""
    assert heard == open_groups(grouped(), targets, Interval(*wanted))


def test_a_station_without_groups_has_none_to_choose() -> None:
    """All that is there is meant."""
    assert open_groups(Station(code="XA", name="", unit="XA"), (), Interval(local(23, 5), local(23, 6))) is None


def test_the_windows_of_a_duty_lie_inside_the_hours() -> None:
    """Saturday and Sunday from 05:30, where the station may sound from 06:00 on and rests at midday."""
    station = Station(code="XA", name="", unit="XA", permitted=(WORKING_DAYS, WEEKEND), quiet=(NOON,))
    windows = (
        DutyWindow(weekday=6, start=time(5, 30), end=time(7)),
        DutyWindow(weekday=7, start=time(11), end=time(12)),
        DutyWindow(weekday=7, start=time(19, 30), end=time(0)),
    )

    found = duty_windows(station, duty(windows=windows), Interval(local(23, 0), local(30, 0)))

    expected = [(local(28, 6), local(28, 7)), (local(29, 11), local(29, 11, 30)), (local(29, 19, 30), local(29, 20))]
    assert [Interval(start, end) for start, end in expected] == found


def test_a_duty_without_windows_may_be_made_up_in_all_permitted_hours() -> None:
    """Then the station's hours are its windows."""
    station = Station(code="XA", name="", unit="XA", permitted=(WORKING_DAYS, WEEKEND))
    during = Interval(local(27, 12), local(28, 12))

    assert open_hours(station, during) == duty_windows(station, duty(windows=()), during)


SPANS = st.lists(
    st.builds(
        DaySpan,
        start=st.sampled_from([time(0), time(5), time(5, 30), time(12), time(21)]),
        end=st.sampled_from([time(0), time(5), time(6), time(13), time(22)]),
        weekdays=st.sampled_from([(1, 2, 3, 4, 5, 6, 7), (6, 7), (1,)]),
    ),
    max_size=3,
).map(tuple)


@given(SPANS, SPANS, st.lists(st.integers(0, 7 * 48 - 1), min_size=5, max_size=20))
def test_hours_are_open_where_a_span_holds_and_no_quiet_one(
    allowed: tuple[DaySpan, ...], quiet: tuple[DaySpan, ...], half_hours: list[int]
) -> None:
    """Any spans over any weekdays and midnights: each half hour is open by all three questions, or by none."""
    station = Station(code="XA", name="", unit="XA", permitted=allowed, quiet=quiet)
    monday = local(23, 0)
    week = open_hours(station, Interval(monday, monday + timedelta(days=7)))

    def inside(spans: tuple[DaySpan, ...], number: int) -> bool:
        for hours in spans:
            begins, ends = hours.start.hour * 60 + hours.start.minute, hours.end.hour * 60 + hours.end.minute
            length = (ends - begins) % 1440 or 1440
            for weekday in hours.weekdays:
                if (number * 30 - ((weekday - 1) * 1440 + begins)) % (7 * 1440) < length:
                    return True
        return False

    for number in half_hours:
        wanted = Interval(monday + timedelta(minutes=30 * number), monday + timedelta(minutes=30 * (number + 1)))
        expected = inside(allowed, number) and not inside(quiet, number)
        assert expected is permitted(station, wanted)
        assert expected is any(stretch.start <= wanted.start and wanted.end <= stretch.end for stretch in week)
        assert expected is bool(common(week, [wanted]))


@pytest.mark.parametrize(
    ("more", "period", "name", "due"),
    [
        ({}, Period.WEEK, "2026-W48", datetime(2026, 11, 29, 17, tzinfo=UTC)),
        ({"deadline_days": 2}, Period.WEEK, "2026-W48", datetime(2026, 11, 27, 17, tzinfo=UTC)),
        ({"deadline_at": time(18)}, Period.WEEK, "2026-W53", datetime(2027, 1, 3, 11, tzinfo=UTC)),
        (
            {"deadline_days": 2, "deadline_at": time(18)},
            Period.WEEK,
            "2026-W48",
            datetime(2026, 11, 27, 11, tzinfo=UTC),
        ),
        ({"deadline_days": 4}, Period.MONTH, "2028-02", datetime(2028, 2, 25, 17, tzinfo=UTC)),
        ({"deadline_days": 1}, Period.YEAR, "2026", datetime(2026, 12, 30, 17, tzinfo=UTC)),
    ],
)
def test_a_duty_is_due_so_many_days_before_the_end_of_its_period(
    more: dict[str, object], period: Period, name: str, due: datetime
) -> None:
    """At a local time, or at the midnight that ends the day."""
    assert due == deadline(duty(period=period, **more), period_interval(period, name, VIET_NAM), VIET_NAM)


@pytest.mark.parametrize(
    ("name", "vi", "en"),
    [
        ("2026-W08", "tuần 8/2026", "week 8/2026"),
        ("2026-11", "tháng 11/2026", "11/2026"),
        ("2026", "năm 2026", "2026"),
    ],
)
def test_periods_are_said_in_words(name: str, vi: str, en: str) -> None:
    """People read `tuần 8/2026`; the name that programs use stays out of sentences."""
    assert (period_words(name).vi, period_words(name).en) == (vi, en)
