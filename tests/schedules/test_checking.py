"""What is told about a grid before it is published: errors that refuse it, warnings that want a yes."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from schedules import checking, flow, impossible, ordering, planner, standing, structure
from schedules.airing import Facts
from schedules.checking import check_grid
from schedules.duty import DutyWindow, Period
from schedules.findings import Finding, Severity
from schedules.grid import CalendarDay, Change, DayKind, ItemKind, SessionException, SessionItem, Timing, WeekTemplate
from schedules.intent import Intent
from schedules.sources import RelaySource, SourceKind
from schedules.station import WHOLE_DAY, ClusterGroup, DaySpan, Limits, Station
from tests.schedules.builders import BEFORE, duty, intent, local, place, segment, session

NOW = local(23, 12)
CDS = segment("cds", seconds=900)
TIN = segment("tin", seconds=900, programme="TIN")
VOV1 = RelaySource(code="VOV1", name="VOV1", kind=SourceKind.HLS, address="https://vov1.example/a.m3u8")
SLOTS = (place("tin", programme="TIN"), place("cds", programme="CDS"))


def checked(*, now: datetime = NOW, **parts: Any) -> tuple[Finding, ...]:
    """Return the findings about the grid of the first station; its two programmes have 15 minutes each."""
    decided: Intent = intent(**{"segments": (CDS, TIN), **parts})
    return check_grid(decided, decided.stations[0], Facts(station="XA"), now)


def said(found: tuple[Finding, ...]) -> list[tuple[str, str]]:
    """Return codes and paths."""
    return [(finding.code, finding.where) for finding in found]


def station(**more: Any) -> Station:
    """Return the station XA."""
    return Station(**{"code": "XA", "name": "Đài xã", "unit": "XA", **more})


def test_a_good_grid_has_nothing_to_say() -> None:
    """Two full sessions within the hours."""
    assert () == checked(
        sessions=(session(*SLOTS), session(*SLOTS, name="chieu", starts=(time(17),))), duties=(duty(),)
    )


def test_two_sessions_at_one_time_are_an_error_with_the_first_date() -> None:
    """The monthly session meets the daily one on the first Saturday of December."""
    monthly = session(*SLOTS, name="thang", starts=(time(5, 45),), month_days=(5,))

    (found,) = checked(sessions=(session(*SLOTS), monthly))

    assert ("sessions_overlap", "sessions[thang].starts", Severity.ERROR) == (found.code, found.where, found.severity)
    assert "05:45 ngày 05/12/2026" in found.message.vi
    assert "“sang”" in found.message.en


def test_a_session_that_lasts_into_its_own_next_start_overlaps_itself() -> None:
    """Two starts of one rule, ten minutes apart."""
    (found,) = checked(sessions=(session(*SLOTS, starts=(time(5, 30), time(5, 40))),))

    assert ("sessions_overlap", "chính nó") == (found.code, found.message.vi.partition("với ")[2].partition(",")[0])


@pytest.mark.parametrize(
    ("at", "code", "severity"),
    [
        (time(4), "outside_hours", Severity.ERROR),
        (time(4, 45), "partly_outside_hours", Severity.WARNING),
        (time(20, 45), "partly_outside_hours", Severity.WARNING),
        (time(21), "outside_hours", Severity.ERROR),
        (time(12), "outside_hours", Severity.ERROR),
        (time(11, 15), "partly_outside_hours", Severity.WARNING),
    ],
)
def test_what_lies_outside_the_hours(at: time, code: str, severity: Severity) -> None:
    """Wholly outside is an error, partly a warning; the midday rest counts."""
    quiet = (DaySpan(start=time(11, 30), end=time(13)),)

    (found,) = checked(stations=(station(quiet=quiet),), sessions=(session(*SLOTS, starts=(at,)),))

    assert (code, "sessions[sang].starts", severity) == (found.code, found.where, found.severity)


def test_hours_are_looked_at_for_every_weekday() -> None:
    """Closed on Sundays: said once, with the first Sunday."""
    hours = (DaySpan(start=time(5), end=time(21), weekdays=(1, 2, 3, 4, 5, 6)),)

    (found,) = checked(stations=(station(permitted=hours),), sessions=(session(*SLOTS),))

    assert "outside_hours" == found.code
    assert "29/11/2026" in found.message.en


def test_hours_are_looked_at_for_a_rare_session_too() -> None:
    """Closed on Sundays: a date of the month that is one next May; a season that begins in spring; a moved session."""
    hours = (DaySpan(start=time(5), end=time(21), weekdays=(1, 2, 3, 4, 5, 6)),)
    monthly = session(*SLOTS, month_days=(30,), valid_until=date(2027, 6, 1))
    spring = session(*SLOTS, valid_from=date(2027, 3, 1))
    moved = change(change=Change.MOVE, day=date(2027, 3, 2), to_day=date(2027, 3, 7))
    weekly = session(*SLOTS, weekdays=(2,))

    for parts, day in (
        ({"sessions": (monthly,)}, "30/05/2027"),
        ({"sessions": (spring,)}, "07/03/2027"),
        ({"sessions": (weekly,), "exceptions": (moved,)}, "07/03/2027"),
    ):
        (found,) = checked(stations=(station(permitted=hours),), **parts)
        assert "outside_hours" == found.code
        assert day in found.message.vi


def test_closed_cluster_groups_are_named() -> None:
    """One of two groups sleeps at half past five; where only it is meant, nobody hears the session."""
    groups = (
        ClusterGroup(code="T1", name="Thôn 1"),
        ClusterGroup(code="T2", name="Thôn 2", permitted=(DaySpan(start=time(6), end=time(20)),)),
    )
    both = checked(stations=(station(groups=groups),), sessions=(session(*SLOTS),))
    alone = checked(stations=(station(groups=groups),), sessions=(session(*SLOTS, targets=("T2",)),))
    later = checked(stations=(station(groups=groups),), sessions=(session(*SLOTS, starts=(time(7),)),))

    assert [("groups_closed", "sessions[sang].starts")] == said(both)
    assert "Thôn 2" in both[0].message.vi
    assert [("outside_hours", "sessions[sang].starts")] == said(alone)
    assert () == later


def test_limits_of_a_session_and_of_a_day() -> None:
    """A session longer than allowed is an error; days with too much of it a warning, said once."""
    limits = Limits(session_s=1200, day_s=3000, sessions=1)
    rules = (session(*SLOTS), session(*SLOTS, name="chieu", starts=(time(17),)), session(*SLOTS, name="cu", until=NOW))

    found = checked(stations=(station(limits=limits),), sessions=rules)

    assert [
        ("session_too_long", "sessions[chieu].length_s"),
        ("session_too_long", "sessions[sang].length_s"),
        ("day_too_long", "sessions[chieu]"),
        ("too_many_sessions", "sessions[chieu]"),
    ] == said(found)
    assert "30 phút" in found[0].message.vi
    assert "20 phút" in found[0].message.vi


def test_what_is_within_the_limits_is_not_told() -> None:
    """Exactly as much as allowed is allowed."""
    limits = Limits(session_s=1800, day_s=3600, sessions=2)

    assert () == checked(
        stations=(station(limits=limits),),
        sessions=(session(*SLOTS), session(*SLOTS, name="chieu", starts=(time(17),))),
    )


def test_an_over_run_names_what_gives_way() -> None:
    """45 minutes in 30: the optional item goes first, then the last one."""
    items = (place("a", programme="TIN"), place("b", programme="CDS", optional=True), place("c", fixed="phu"))
    extra = segment("phu", seconds=935, programme="NHAC")

    (found,) = checked(segments=(CDS, TIN, extra), sessions=(session(*items),))

    assert ("over_run", "sessions[sang].items") == (found.code, found.where)
    assert "thừa 15 phút 35 giây: mục 2, 3 " in found.message.vi
    assert "15 min 35 s" in found.message.en


def test_an_over_run_names_what_the_plan_would_leave_out() -> None:
    """A tight session with a duty: the optional item, the frame and the relay go or shrink; the duty's item stays."""
    items = (
        SessionItem(id="nh", kind=ItemKind.IDENT, segment="nhac"),
        SessionItem(id="vov", kind=ItemKind.RELAY, relay="VOV1", length_s=600),
        place("cds", programme="CDS"),
        place("tuy", programme="TIN", optional=True),
        SessionItem(id="ket", kind=ItemKind.CLOSING, segment="nhac"),
    )
    nhac = segment("nhac", seconds=20, programme="NHAC")
    owed = duty()
    rule = session(*items, length_s=1200)
    segments = (segment("bai", seconds=700, programme="CDS"), segment("tin", seconds=200, programme="TIN"), nhac)

    found = checked(segments=segments, sessions=(rule,), duties=(owed,), sources=(VOV1,))

    (told,) = (finding for finding in found if finding.code == "over_run")
    assert "thừa 5 phút 40 giây: mục 1, 2, 4, 5 " in told.message.vi


def test_a_repeat_goes_before_what_is_new() -> None:
    """The second place of a programme with one recording repeats it: it gives way although it comes first."""
    items = (place("a", programme="TIN"), place("b", programme="TIN"), place("c", fixed="phu"))
    phu = segment("phu", seconds=400, programme="NHAC")
    tin = segment("tin", seconds=900, programme="TIN")

    found = checked(segments=(tin, phu), sessions=(session(*items),))

    (told,) = (finding for finding in found if finding.code == "over_run")
    assert "thừa 6 phút 40 giây: mục 2 " in told.message.vi


def test_a_soft_item_that_comes_too_late_goes_itself() -> None:
    """Of equals the later goes: the soft place after what runs 5 minutes past its bound, told by how much."""
    soft = place("b", programme="CDS", timing=Timing.SOFT, offset_s=300, bound_s=300)

    found = checked(sessions=(session(place("a", programme="TIN"), soft),))

    assert ["over_run"] == [finding.code for finding in found]
    assert "thừa 5 phút: mục 2 " in found[0].message.vi


def test_an_exact_item_cuts_what_is_before_it() -> None:
    """Ten minutes into the session: the 15 minutes before it do not fit."""
    items = (place("a", programme="TIN"), place("b", programme="CDS", timing=Timing.HARD, offset_s=600))

    (found,) = checked(sessions=(session(*items),))

    assert ("over_run", "sessions[sang].items[1]") == (found.code, found.where)
    assert "thừa 5 phút: mục 1 " in found.message.vi


@pytest.mark.parametrize(("bound_s", "told"), [(300, []), (299, [("over_run", "sessions[sang].items[1]")])])
def test_a_soft_item_waits_as_long_as_it_may(bound_s: int, told: list[tuple[str, str]]) -> None:
    """Five minutes late is late enough for a bound of five minutes."""
    soft = place("b", programme="CDS", timing=Timing.SOFT, offset_s=600, bound_s=bound_s)

    assert told == said(checked(sessions=(session(place("a", programme="TIN"), soft),)))


def test_a_session_that_would_be_silent_for_more_than_a_third_is_told() -> None:
    """Ten minutes and one second of silence in thirty; a filler with recordings takes the rest."""
    short, fitting = segment("tin", seconds=299, programme="TIN"), segment("tin", seconds=300, programme="TIN")
    filler = SessionItem(id="f", kind=ItemKind.FILLER, programme="CDS")

    (found,) = checked(segments=(CDS, short), sessions=(session(*SLOTS),))

    assert ("under_run", "sessions[sang].items") == (found.code, found.where)
    assert "10 phút 1 giây" in found.message.vi
    assert () == checked(segments=(CDS, fitting), sessions=(session(*SLOTS),))
    assert () == checked(segments=(CDS, short), sessions=(session(SLOTS[0], filler),))


def test_silence_before_an_exact_item_counts_too() -> None:
    """Nothing until minute 20, then ten minutes."""
    late = place("a", fixed="x", timing=Timing.HARD, offset_s=1200)

    (found,) = checked(segments=(segment("x", seconds=600),), sessions=(session(late),))

    assert ("under_run", "20 phút trong 30 phút") == (found.code, found.message.vi[-22:-1])


def test_a_relay_lasts_as_long_as_it_says() -> None:
    """Half an hour of relay fills half an hour."""
    relay = SessionItem(id="r", kind=ItemKind.RELAY, relay="VOV1", length_s=1800)

    assert () == checked(sessions=(session(relay),), sources=(VOV1,))


def test_a_relay_of_a_source_that_is_not_allowed_refuses() -> None:
    """Nothing would be heard: an error, with the sources that there are."""
    relay = SessionItem(id="r", kind=ItemKind.RELAY, relay="BBC", length_s=1800)

    (told,) = checked(sessions=(session(relay),), sources=(VOV1,))

    assert ("unknown_source", "sessions[sang].items[0].relay") == (told.code, told.where)
    assert Severity.ERROR is told.severity
    assert told.hint is not None and "VOV1" in told.hint.vi


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"valid_until": local(24, 5, 30)}, "segment_expired"),
        ({"valid_until": local(24, 5, 31)}, None),
        ({"valid_from": local(24, 5, 31)}, "segment_not_valid_yet"),
        ({"valid_from": local(24, 5, 30)}, None),
        ({"owner": "KHAC"}, "segment_of_others"),
        ({"owner": "HUYEN"}, None),
        ({"id": "khac"}, "segment_not_approved"),
    ],
)
def test_a_fixed_recording_is_looked_at_for_its_next_time(more: dict[str, Any], code: str | None) -> None:
    """The next session is Tuesday 24 at 05:30."""
    fixed = replace(segment("bai", seconds=1800), **more)

    found = checked(segments=(fixed,), sessions=(session(place("a", fixed="bai")),))

    told = [entry for entry in said(found) if entry[0] != "under_run"]
    assert ([(code, "sessions[sang].items[0].segment")] if code else []) == told


def test_a_programme_without_any_recording_is_told() -> None:
    """Unless its place is optional; what others have does not help."""
    others = segment("khac", programme="CDS", owner="KHAC")

    found = checked(segments=(TIN, others), sessions=(session(*SLOTS),))

    assert [("under_run", "sessions[sang].items"), ("programme_empty", "sessions[sang].items[1].programme")] == said(
        found
    )
    assert "“Chuyển đổi số”" in found[1].message.vi
    optional = (SLOTS[0], replace(SLOTS[1], optional=True))
    assert [("under_run", "sessions[sang].items")] == said(checked(segments=(TIN,), sessions=(session(*optional),)))


def test_a_session_that_never_comes_is_told() -> None:
    """A week of Tết without any day of Tết; one that is over is not told; a rare one is looked for."""
    tet = WeekTemplate(id="tet", station="XA", name="Tết", day_kinds=(DayKind.TET,), since=BEFORE)
    rule = session(*SLOTS, name="tet", template="tet")
    over = session(*SLOTS, name="cu", until=NOW - timedelta(days=1))
    rare = session(*SLOTS, name="hiem", month_days=(29,), valid_from=date(2028, 2, 29), valid_until=date(2028, 2, 29))
    day = CalendarDay(day=date(2027, 2, 6), kind=DayKind.TET, name="Tết Nguyên Đán")

    assert [("session_never", "sessions[tet]")] == said(checked(sessions=(rule, over, rare), templates=(tet,)))
    assert () == checked(sessions=(rule,), templates=(tet,), calendar=(day,))


def change(**more: Any) -> SessionException:
    """Return a cancelled session of Tuesday 24 November."""
    values: dict[str, Any] = {"id": "x", "station": "XA", "session": "sang", "day": date(2026, 11, 24)}
    return SessionException(**{**values, "change": Change.CANCEL, "since": BEFORE, **more})


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, False),
        ({"day": date(2026, 11, 25)}, True),
        ({"day": date(2026, 11, 25), "following": True}, False),
        ({"day": date(2026, 11, 18)}, False),
        ({"day": date(2026, 11, 25), "until": NOW}, False),
        ({"number": 2}, False),
        ({"since": local(24, 17, 1)}, True),
        ({"number": 1, "since": local(24, 5, 31)}, True),
        ({"until": local(24, 5)}, True),
    ],
)
def test_an_exception_that_concerns_no_session_is_told(more: dict[str, Any], told: bool) -> None:
    """Only what is still to come, and only where nothing would be changed by it."""
    rule = session(*SLOTS, weekdays=(2,), starts=(time(5, 30), time(17)))

    found = checked(sessions=(rule,), exceptions=(change(**more),))

    assert ([("exception_without_session", "exceptions[x].day")] if told else []) == said(found)


ONE = DutyWindow(weekday=6, start=time(5, 30), end=time(7))


@pytest.mark.parametrize(
    ("more", "sessions", "told"),
    [
        ({"windows": (ONE,)}, (session(*SLOTS, weekdays=(5,)),), False),
        ({"windows": (ONE,), "deadline_days": 2}, (session(*SLOTS, weekdays=(5,)),), True),
        ({"windows": (ONE,), "count": 2}, (session(*SLOTS, weekdays=(5,)),), True),
        ({"windows": (ONE,)}, (session(*SLOTS, weekdays=(7,)),), True),
        ({"windows": (ONE,)}, (), True),
        ({"windows": ()}, (), True),
        ({"windows": (ONE,), "programme": None}, (session(*SLOTS, weekdays=(5,)),), False),
        ({"windows": (ONE,)}, (session(place("a", fixed="cds"), weekdays=(4, 5), length_s=900),), False),
        ({"windows": (ONE,), "period": Period.MONTH}, (), False),
        ({"windows": (ONE,), "until": NOW}, (), False),
        ({"windows": (ONE,), "stations": ("KHAC",)}, (), False),
    ],
)
def test_a_weekly_duty_that_one_failure_would_lose_is_told(
    more: dict[str, Any], sessions: tuple[Any, ...], told: bool
) -> None:
    """Places in the grid and windows after the first of them, up to the deadline, against what is owed."""
    everywhere = (station(permitted=WHOLE_DAY), Station(code="KHAC", name="", unit="XA"))
    if not more["windows"]:
        everywhere = (station(permitted=()), everywhere[1])

    found = checked(stations=everywhere, sessions=sessions, duties=(duty(**more),))

    assert ([("duty_one_chance", "duties[CDS-XA]")] if told else []) == said(found)


def test_everything_is_said_at_once_errors_first() -> None:
    """What is broken in itself is left out of the rest, which is looked at all the same."""
    broken = session(*SLOTS, name="hong", weekdays=())
    lost = session(*SLOTS, name="lac", template="khac")
    rules = (session(*SLOTS), session(*SLOTS, name="trung", starts=(time(5, 45),)), broken, lost)
    bad_change = change(number=9)
    bad_duty = duty(code="HONG", count=0)
    bad_week = WeekTemplate(
        id="nguoc", station="XA", name="", valid_from=date(2026, 2, 1), valid_until=date(2026, 1, 1), since=BEFORE
    )
    in_bad_week = session(*SLOTS, name="nguoc", template="nguoc")

    found = checked(
        sessions=(*rules, in_bad_week),
        exceptions=(bad_change,),
        duties=(bad_duty,),
        templates=(bad_week,),
        segments=(CDS,),
    )

    codes = [finding.code for finding in found]
    assert {"bad_recurrence", "unknown_name", "sessions_overlap", "bad_number", "dates_reversed"} < set(codes)
    assert "programme_empty" in codes
    severities = [finding.severity for finding in found]
    assert sorted(severities, key=list(Severity).index) == severities
    assert all(finding.hint is not None and finding.message.vi and finding.message.en for finding in found)
    assert not [finding for finding in found if finding.where.startswith("sessions[hong].items")]


def test_a_station_that_is_broken_itself_is_told_alone() -> None:
    """Without a zone no date can be reckoned."""
    assert [("unknown_zone", "stations[XA].zone")] == said(
        checked(stations=(station(zone="Nowhere"),), sessions=(session(*SLOTS),))
    )


def test_the_order_of_what_was_decided_does_not_matter() -> None:
    """The same findings in the same order."""
    rules = (
        session(*SLOTS),
        session(*SLOTS, name="b", starts=(time(5, 45),)),
        session(place("a", programme="TIN"), name="c", starts=(time(4),)),
    )

    assert 1 == len({checked(sessions=order) for order in permutations(rules)})


def _findings_page() -> str:
    return (Path(str(checking.__file__)).parent.parent / "docs" / "findings.md").read_text(encoding="utf-8")


def test_every_code_of_a_plan_and_of_an_order_is_explained() -> None:
    """The page names each code that the plan or an order's check can give, and none that neither can."""
    modules = (flow, impossible, ordering, planner, standing)
    sources = "".join(Path(str(module.__file__)).read_text(encoding="utf-8") for module in modules)
    given = set(re.findall(r'(?:\bcode=|_find\(|warn\(\s*|refuse\(\s*|return )"([a-z]+_[a-z_]+)"', sources)) | {
        "conflict"
    }
    _, _, told = _findings_page().partition("## What a plan tells")

    assert given == set(re.findall(r"`([a-z_]+)`", told))


def test_every_code_is_explained() -> None:
    """docs/findings.md has a line for each code that the two modules can give, and for no other."""
    sources = "".join(Path(str(module.__file__)).read_text(encoding="utf-8") for module in (checking, structure))
    given = set(re.findall(r'(?:_error\(|Severity\.\w+,)\s*"([a-z_]+)"', sources))
    given |= {
        code for line in re.findall(r"\bcode = (.+ else .+)", sources) for code in re.findall(r'"([a-z_]+)"', line)
    }

    table, _, _ = _findings_page().partition("## What a plan tells")
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]

    assert given == {code for row in rows for code in re.findall(r"`([a-z_]+)`", row)}
