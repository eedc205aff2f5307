"""A report from hand-made weeks: every number is reckoned by hand beside the rows that it is made of."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from schedules.airing import Verdict
from schedules.duty import DutyStanding, DutyState
from schedules.report import (
    Broadcast,
    ItemCard,
    Line,
    Report,
    Span,
    StationFacts,
    Troubles,
    WeekState,
    marked_repeats,
    period_around,
    period_before,
    report,
    report_period,
    stations_of,
    unit_today,
    week_name,
)
from schedules.station import Station, Unit
from schedules.text import Text

HIEP = Station(code="HIEP", name="Đài Long Hiệp", unit="XAHIEP")
MAI = Station(code="MAI", name="Đài Long Mai", unit="XAMAI")
NOVEMBER = report_period("2026-11")
NOW = datetime(2026, 12, 10, 3, tzinfo=UTC)
CARDS = {
    "own1": ItemCard(id="own1", owner="XAHIEP", origin="own", topics=("DX-ONESTOP", "DX-NAT")),
    "own2": ItemCard(id="own2", owner="XAHIEP", origin="own", topics=("DX-ONESTOP",)),
    "above": ItemCard(id="above", owner="TRUNGTAM", origin="above", topics=("DX-DSOC",)),
}


def at(day: int, hour: int = 17, month: int = 11) -> datetime:
    """Return a local time in Minh Long."""
    return datetime(2026, month, day, hour, 45, tzinfo=UTC) - timedelta(hours=7)


def cast(day: int, segment: str | None = "own1", verdict: Verdict = Verdict.AIRED, **more: object) -> Broadcast:
    values: dict[str, object] = {
        "station": "HIEP",
        "slot": f"HIEP/cds/{day}/{segment}",
        "kind": "segment",
        "programme": "CDS",
        "segment": segment,
        "at": at(day),
        "verdict": verdict,
        "rehearsal": False,
        "seconds": 300.0 if verdict is Verdict.AIRED else 0.0,
        "clusters": 4,
        "clusters_whole": 4 if verdict is Verdict.AIRED else 0,
        "repeated": False,
    }
    return Broadcast(**(values | more))  # type: ignore[arg-type]


def stood(week: str, state: DutyState, *slots: str, why: str = "Lý do.") -> DutyStanding:
    return DutyStanding(
        duty="CDS",
        name="Chuyển đổi số",
        owner="XAHIEP",
        station="HIEP",
        period=week,
        state=state,
        deadline=at(1),
        slots=slots,
        reason=Text(why, why),
    )


def facts(*rows: Broadcast, station: Station = HIEP, **more: object) -> StationFacts:
    values: dict[str, object] = {"unit_name": "Xã Minh Long", "since": date(2026, 1, 1), "broadcasts": rows}
    return StationFacts(station=station, **(values | more))  # type: ignore[arg-type]


def made(*known: StationFacts, period: str = "2026-11", now: datetime = NOW, demo: bool = False) -> Report:
    return report(report_period(period), "CDS", known, CARDS, now, demo=demo)


def only(*rows: Broadcast, **more: object) -> Line:
    return made(facts(*rows, **more)).lines[0]


def test_a_month_of_one_station_counted_by_hand() -> None:
    """Four weeks: two items of its own, one from above, a repeat, a make-up, a failure and a rehearsal.

    2–8 Nov: own1 aired. 9–15: missed, made up two days later with own2. 16–22: item from above, and own1 again.
    23–29: partly aired, then nothing. One rehearsal on the 24th counts nowhere else.
    """
    rows = (
        cast(6),
        cast(13, "own2", Verdict.MISSED, reason=Text("Mất điện.", "No power.")),
        cast(15, "own2", slot="HIEP/makeup.CDS/2026-W46/1", seconds=240.0),
        cast(20, "above", seconds=180.0, clusters_whole=3),
        cast(21, "own1", repeated=True),
        cast(27, "own2", Verdict.PARTIAL, seconds=60.0, clusters_whole=1, reason=Text("Bị cắt.", "Cut.")),
        cast(24, "own2", rehearsal=True),
    )
    line = only(*rows, relay_seconds=7200.0, troubles=Troubles(tickets=3, repaired=2, silent_days=1))

    assert ["2026-W45", "2026-W46", "2026-W47", "2026-W48"] == [week.name for week in line.weeks]
    assert [WeekState.AIRED, WeekState.AIRED, WeekState.AIRED, WeekState.MISSED] == [w.state for w in line.weeks]
    assert line.weeks[3].reason == Text("Bị cắt.", "Cut.")
    assert (line.weeks_due, line.weeks_aired, line.week_states[WeekState.MISSED]) == (4, 3, 1)
    assert (line.mains, line.repeats, line.make_ups, line.airings) == (2, 1, 1, 4)
    assert (line.partial, line.missed, line.rehearsals) == (1, 1, 1)
    assert (line.own_items, line.upper_items) == (2, 1)
    assert line.seconds == 300 + 240 + 180 + 300
    assert (line.cluster_airings, line.cluster_due) == (4 + 0 + 4 + 3 + 4 + 1, 24)
    assert line.share == pytest.approx(16 / 24)
    assert line.topics == {"DX-ONESTOP": 3, "DX-NAT": 2, "DX-DSOC": 1}
    assert line.relay_seconds == 7200.0
    assert line.troubles == Troubles(tickets=3, repaired=2, silent_days=1)


def test_a_rehearsal_counts_only_in_the_demonstration() -> None:
    """On virtual outputs nobody heard anything; only the demonstration shows what a report would look like."""
    rows = (cast(6, rehearsal=True), cast(13, "own2", Verdict.MISSED, rehearsal=True))
    real = made(facts(*rows)).lines[0]
    shown = made(facts(*rows), demo=True).lines[0]

    assert (real.airings, real.seconds, real.weeks_aired, real.rehearsals) == (0, 0, 0, 1)
    assert (shown.airings, shown.seconds, shown.weeks_aired, shown.rehearsals) == (1, 300, 1, 1)
    assert real.share is None
    assert shown.share == pytest.approx(0.5)


def test_the_duty_board_decides_where_there_is_a_duty() -> None:
    """Met, made up, excused, missed, less than asked, still open: as the duty stood, each week in one state."""
    line = only(
        cast(6),
        cast(15, "own2"),
        standings=(
            stood("2026-W45", DutyState.MET, "HIEP/cds/6/own1"),
            stood("2026-W46", DutyState.MADE_UP, "HIEP/cds/15/own2"),
            stood("2026-W47", DutyState.EXCUSED, why="Được miễn theo 12/QĐ-UBND."),
            stood("2026-W48", DutyState.MISSED, why="Mất điện."),
        ),
    )
    assert [w.state for w in line.weeks] == [
        WeekState.AIRED,
        WeekState.MADE_UP,
        WeekState.EXCUSED,
        WeekState.MISSED,
    ]
    assert (line.mains, line.make_ups) == (1, 1), "what made a week up is a make-up, wherever it aired"
    assert (line.weeks_due, line.weeks_aired) == (4, 2)
    assert line.weeks[3].reason == Text("Mất điện.", "Mất điện.")

    short, opened = only(
        standings=(stood("2026-W45", DutyState.MISSED, "a"), stood("2026-W46", DutyState.PLANNED))
    ).weeks[:2]
    assert (short.state, short.short) == (WeekState.AIRED, True)
    assert (opened.state, opened.short) == (WeekState.OPEN, False)


def test_a_made_up_week_without_slots_counts_no_make_up() -> None:
    """A seal that names no airing makes no airing a make-up."""
    line = only(cast(6), standings=(stood("2026-W45", DutyState.MADE_UP),))
    assert (line.mains, line.make_ups) == (1, 0)


def test_weeks_are_owed_in_service_and_from_the_first_row_on() -> None:
    """Nobody answers for weeks before the log began, before the station opened or after it closed."""
    started = only(cast(20), since=date(2026, 11, 18))
    assert [w.name for w in started.weeks] == ["2026-W47", "2026-W48"]
    assert made(facts(since=None)).lines[0].weeks == ()

    opened = Station(code="HIEP", name="", unit="X", valid_from=date(2026, 11, 16))
    assert [w.name for w in only(station=opened).weeks] == ["2026-W47", "2026-W48"]
    closed = Station(code="HIEP", name="", unit="X", valid_until=date(2026, 11, 10))
    assert [w.name for w in only(station=closed).weeks] == ["2026-W45", "2026-W46"]


def test_a_week_that_is_not_over_is_open() -> None:
    """In the middle of a week nothing is missed yet; a week that aired is settled at once."""
    now = at(25, 9)
    line = made(facts(cast(20)), now=now).lines[0]
    assert [w.state for w in line.weeks] == [
        WeekState.MISSED,
        WeekState.MISSED,
        WeekState.AIRED,
        WeekState.OPEN,
    ]
    assert line.weeks_due == 3
    assert line.weeks[0].reason is not None
    assert "Không có lượt phát" in line.weeks[0].reason.vi


def test_a_week_belongs_to_the_month_of_its_thursday() -> None:
    """1 November 2026 is a Sunday: its week is October's, though its airing is November's; both say so."""
    sunday = cast(1)
    assert NOVEMBER.weeks[0] == "2026-W45"
    assert NOVEMBER.whole == (date(2026, 11, 1), date(2026, 11, 30))
    october, november = made(facts(sunday), period="2026-10"), made(facts(sunday))
    assert october.lines[0].weeks[-1].state is WeekState.AIRED
    assert (october.lines[0].airings, november.lines[0].airings) == (0, 1)
    assert {week for month in range(1, 13) for week in report_period(f"2026-{month:02d}").weeks} == set(
        report_period("2026").weeks
    )


def test_the_sum_counts_an_item_once() -> None:
    """One item on two stations is one item, own where one of them made it; airings, minutes and weeks are added."""
    hiep = facts(cast(6), cast(13, "above"), relay_seconds=60.0)
    mai = facts(
        *(cast(day, segment, station="MAI") for day, segment in ((7, "own1"), (14, "above"), (20, None))),
        station=MAI,
        troubles=Troubles(tickets=1, repaired=0, silent_days=2),
        relay_seconds=30.0,
        since=date(2026, 2, 1),
    )
    found = made(hiep, mai)
    assert (found.lines[1].own_items, found.lines[1].upper_items) == (0, 2)
    total = found.total
    assert (total.own_items, total.upper_items) == (1, 1)
    assert (total.mains, total.seconds, total.relay_seconds) == (5, 1500, 90)
    assert total.week_states[WeekState.AIRED] == 5
    assert total.troubles == Troubles(tickets=1, repaired=0, silent_days=2)
    assert total.topics == {"DX-DSOC": 2, "DX-NAT": 2, "DX-ONESTOP": 2}
    assert total.since == date(2026, 1, 1)
    assert made().total.since is None


def test_repeats_are_told_by_what_aired_before() -> None:
    """The second whole airing of a recording is a repeat; a failed one or a rehearsal before it makes none."""
    rows = (
        cast(20, "own1"),
        cast(6, "own1", Verdict.MISSED),
        cast(7, "own1", rehearsal=True),
        cast(13, "own1"),
        cast(14, "old"),
        cast(15, None),
    )
    told = [(one.at.day, one.repeated) for one in marked_repeats(rows, ["old"], demo=False)]
    assert told == [(6, False), (7, False), (13, False), (14, True), (15, False), (20, True)]
    assert [one.repeated for one in marked_repeats(rows, [], demo=True)][2] is True


@pytest.mark.parametrize(
    ("name", "first", "last", "weeks"),
    [
        ("2026-W53", date(2026, 12, 28), date(2027, 1, 3), 1),
        ("2026-02", date(2026, 2, 1), date(2026, 2, 28), 4),
        ("2026-Q4", date(2026, 10, 1), date(2026, 12, 31), 14),
        ("2026", date(2026, 1, 1), date(2026, 12, 31), 53),
    ],
)
def test_periods_have_names(name: str, first: date, last: date, weeks: int) -> None:
    """Week, month, quarter and year by name; 2026 has 53 ISO weeks."""
    period = report_period(name)
    assert (period.first, period.last, len(period.weeks)) == (first, last, weeks)
    assert period_around(period.span, date(2026, 12, 29)) == report_period(
        {Span.WEEK: "2026-W53", Span.MONTH: "2026-12", Span.QUARTER: "2026-Q4", Span.YEAR: "2026"}[period.span]
    )


@pytest.mark.parametrize("name", ["", "2026-13", "2026-W54", "2026-Q5", "1900", "2026-1", "x", "9999-W01", "0000"])
def test_what_is_no_period_is_refused(name: str) -> None:
    """Nonsense and years outside the calendar."""
    with pytest.raises(ValueError):
        report_period(name)


def test_the_last_period_is_the_one_that_is_over() -> None:
    """On 1 January the last month is December, the last quarter the fourth, the last year the old one."""
    day = date(2027, 1, 1)
    assert [period_before(span, day).name for span in Span] == ["2026-W52", "2026-12", "2026-Q4", "2026"]
    assert week_name(day) == "2026-W53"


def test_old_stations_stand_under_todays_commune() -> None:
    """Who asks for the new commune gets the stations of those that were merged into it, under its name."""
    gone = date(2025, 6, 30)
    units = (
        Unit(code="TINH", name=""),
        Unit(code="HUYEN", name="", parent="TINH", valid_until=gone, successor="TINH"),
        Unit(code="XAHIEP", name="", parent="HUYEN", valid_until=gone, successor="MOI"),
        Unit(code="XAMAI", name="", parent="HUYEN", valid_until=gone, successor="KHAC"),
        Unit(code="MOI", name="", parent="TINH"),
        Unit(code="VONG1", name="", valid_until=gone, successor="VONG2"),
        Unit(code="VONG2", name="", valid_until=gone, successor="VONG1"),
    )
    assert stations_of(units, (HIEP, MAI), "MOI") == (HIEP,)
    assert stations_of(units, (HIEP, MAI), "HUYEN") == (HIEP, MAI)
    assert unit_today(units, "XAHIEP", date(2026, 1, 1)) == "MOI"
    assert unit_today(units, "XAHIEP", gone) == "XAHIEP"
    assert unit_today(units, "MOI", date(2026, 1, 1)) == "MOI"
    assert unit_today(units, "XAMAI", date(2026, 1, 1)) == "KHAC", "a unit that nobody wrote down is taken at its word"
    assert unit_today(units, "VONG1", date(2026, 1, 1)) == "VONG1"
