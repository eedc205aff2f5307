"""What holds no water is refused before anything is planned: every mistake at once, each with its path and a hint."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time, timedelta
from typing import Any

import pytest

from schedules.duty import Counting, DutyWindow, Excuse, Period
from schedules.findings import Finding, Severity
from schedules.grid import (
    CalendarDay,
    Change,
    DayKind,
    ItemKind,
    NthWeekday,
    SessionException,
    SessionItem,
    SessionRule,
    Timing,
    WeekTemplate,
)
from schedules.intent import Intent
from schedules.programme import Programme
from schedules.sources import RelaySource, SourceKind, StreamFormat
from schedules.station import ClusterGroup, DaySpan, Limits, Station, Unit
from schedules.structure import check_intent
from schedules.text import Text
from tests.schedules.builders import BEFORE, duty, intent, local, one_off, place, segment, session

A = place("a", programme="CDS")


def said(found: tuple[Finding, ...]) -> list[tuple[str, str]]:
    """Return codes and paths."""
    return [(finding.code, finding.where) for finding in found]


def template(name: str, **more: Any) -> WeekTemplate:
    """Return a week template of the station XA."""
    return WeekTemplate(**{"id": name, "station": "XA", "name": name, "since": BEFORE, **more})


def change(**more: Any) -> SessionException:
    """Return an exception for the session `sang` on Monday 23 November."""
    values: dict[str, Any] = {"id": "x", "station": "XA", "session": "sang", "day": date(2026, 11, 23)}
    return SessionException(**{**values, "change": Change.MOVE, "since": BEFORE, **more})


def excuse(**more: Any) -> Excuse:
    """Return an excuse with a document."""
    values: dict[str, Any] = {
        "station": "XA",
        "first": date(2026, 11, 1),
        "last": date(2026, 11, 2),
        "document": "1/QĐ",
    }
    return Excuse(**{**values, "reason": Text("", ""), **more})


def station(**more: Any) -> Station:
    """Return the station XA."""
    return Station(**{"code": "XA", "name": "Đài xã", "unit": "XA", **more})


def source(code: str, **more: Any) -> RelaySource:
    """Return an allowed source: an endless MP3 stream."""
    given = {"name": code, "kind": SourceKind.HTTP, "address": "https://vov.example/1.mp3", "format": StreamFormat.MP3}
    return RelaySource(code=code, **{**given, **more})


def test_what_is_sound_has_no_findings() -> None:
    """Everything that the shapes allow, together."""
    items = (
        place("mo-dau", fixed="nhac"),
        place("tin", programme="TIN", timing=Timing.SOFT, offset_s=300, optional=True),
        place("cds", programme="CDS", timing=Timing.HARD, offset_s=600),
        SessionItem(id="tiep-am", kind=ItemKind.RELAY, relay="VOV1", length_s=300),
        SessionItem(id="truc-tiep", kind=ItemKind.LIVE, length_s=300),
    )
    decided = intent(
        stations=(
            station(groups=(ClusterGroup(code="T1", name="Thôn 1"),), quiet=(DaySpan(start=time(12), end=time(13)),)),
        ),
        segments=(segment("nhac"),),
        sessions=(
            session(*items, targets=("T1",), owner="HUYEN"),
            session(
                A, name="thang", starts=(time(7),), month_days=(1, -1), nth_weekdays=(NthWeekday(nth=-1, weekday=7),)
            ),
            session(A, name="hai-tuan", starts=(time(8),), every_weeks=2, anchor=date(2026, 11, 23), template="tet"),
        ),
        templates=(
            template("tet", day_kinds=(DayKind.TET,)),
            template("tang", day_kinds=(DayKind.MOURNING,)),
            template("mua", priority=2, valid_until=date(2026, 11, 30)),
            template("mua-2", priority=2, valid_from=date(2026, 12, 1)),
        ),
        exceptions=(change(to_day=date(2026, 11, 24)), change(id="y", change=Change.CANCEL, day=date(2026, 11, 30))),
        one_offs=(one_off("le", "nhac", local(23, 9)),),
        calendar=(CalendarDay(day=date(2026, 11, 28), kind=DayKind.WORKING, name="", works_as=1),),
        duties=(
            duty(until=local(23, 0)),
            duty(since=local(23, 0), counting=Counting.TOPICS, topics=("DX-A", "DX-B"), count=2),
        ),
        excuses=(excuse(), excuse(duty="CDS-XA", last=date(2026, 11, 1))),
        sources=(
            source("VOV1"),
            source("huyen-1", kind=SourceKind.HLS, address="http://[2001:db8::1]:8000/a?b=1", hosts=("cdn.example",)),
            source("mic", kind=SourceKind.LINE, address="Hội trường"),
        ),
    )

    assert () == check_intent(decided, recordings=())
    assert () == check_intent(decided, recordings=(), station="XA", named=True)


SESSION: list[tuple[SessionRule, list[tuple[str, str]]]] = [
    (session(A, weekdays=()), [("bad_recurrence", "weekdays")]),
    (session(A, weekdays=(1, 8)), [("bad_recurrence", "weekdays[1]")]),
    (session(A, every_weeks=0), [("bad_recurrence", "every_weeks")]),
    (session(A, every_weeks=2), [("bad_recurrence", "anchor")]),
    (session(A, every_weeks=2, valid_from=date(2026, 11, 1)), []),
    (session(A, month_days=(0, 32, 31, -1, -2)), [("bad_recurrence", f"month_days[{n}]") for n in (0, 1, 4)]),
    (session(A, month_days=(1,), weekdays=(1,)), [("bad_recurrence", "weekdays")]),
    (session(A, month_days=(1,), every_weeks=2, anchor=date(2026, 11, 1)), [("bad_recurrence", "weekdays")]),
    (
        session(
            A, nth_weekdays=(NthWeekday(nth=0, weekday=1), NthWeekday(nth=6, weekday=8), NthWeekday(nth=5, weekday=7))
        ),
        [
            ("bad_recurrence", "nth_weekdays[0].nth"),
            ("bad_recurrence", "nth_weekdays[1].nth"),
            ("bad_recurrence", "nth_weekdays[1].weekday"),
        ],
    ),
    (session(A, starts=()), [("no_start", "starts")]),
    (session(A, starts=(time(5), time(6), time(5))), [("duplicate_id", "starts[2]")]),
    (session(A, length_s=0), [("bad_number", "length_s")]),
    (session(A, name="sang/chieu"), [("bad_id", "id")]),
    (session(A, valid_from=date(2026, 11, 2), valid_until=date(2026, 11, 1)), [("dates_reversed", "valid_until")]),
    (session(A, station="KHAC"), [("unknown_name", "station")]),
    (session(A, owner="KHAC"), [("unknown_name", "owner")]),
    (session(A, template="KHAC"), [("unknown_name", "template")]),
    (session(A, targets=("KHAC",)), [("unknown_name", "targets[0]")]),
    (session(place("a")), [("item_names_nothing", "items[0]")]),
    (
        session(place("a", programme="CDS", fixed="x")),
        [("item_names_several", "items[0]"), ("unknown_name", "items[0].segment")],
    ),
    (session(place("a", programme="KHAC")), [("unknown_name", "items[0].programme")]),
    (session(place("a", fixed="khac")), [("unknown_name", "items[0].segment")]),
    (session(A, A), [("duplicate_id", "items[1]")]),
    (session(place("", programme="CDS")), [("bad_id", "items[0].id")]),
    (
        session(SessionItem(id="a", kind=ItemKind.RELAY, relay="VOV1")),
        [("unknown_source", "items[0].relay"), ("length_missing", "items[0].length_s")],
    ),
    (session(SessionItem(id="a", kind=ItemKind.LIVE)), [("length_missing", "items[0].length_s")]),
    (
        session(SessionItem(id="a", kind=ItemKind.RELAY, relay="VOV1", length_s=0)),
        [("unknown_source", "items[0].relay"), ("bad_number", "items[0].length_s")],
    ),
    (session(place("a", programme="CDS", bound_s=-1)), [("bad_number", "items[0].bound_s")]),
    (session(place("a", programme="CDS", offset_s=5)), [("offset_unused", "items[0].offset_s")]),
    (session(place("a", programme="CDS", timing=Timing.SOFT)), [("offset_missing", "items[0].offset_s")]),
    (
        session(place("a", programme="CDS", timing=Timing.HARD, offset_s=1800)),
        [("offset_outside", "items[0].offset_s")],
    ),
    (session(place("a", programme="CDS", timing=Timing.HARD, offset_s=-1)), [("offset_outside", "items[0].offset_s")]),
    (
        session(
            place("a", programme="CDS", timing=Timing.HARD, offset_s=600),
            SessionItem(id="r", kind=ItemKind.SEGMENT, programme="CDS"),
            place("b", programme="CDS", timing=Timing.SOFT, offset_s=300),
            place("c", programme="CDS", timing=Timing.HARD, offset_s=600),
            place("d", programme="CDS", timing=Timing.HARD, offset_s=601),
        ),
        [("out_of_order", "items[2].offset_s"), ("out_of_order", "items[3].offset_s")],
    ),
]


@pytest.mark.parametrize(("rule", "expected"), SESSION, ids=range(len(SESSION)))
def test_a_session_that_cannot_be_is_refused(rule: SessionRule, expected: list[tuple[str, str]]) -> None:
    """Each mistake with its path; a hint stands beside it."""
    found = check_intent(intent(sessions=(rule,)), recordings=())

    assert [(code, f"sessions[0].{where}") for code, where in expected] == said(found)
    assert all(finding.hint is not None and finding.severity is Severity.ERROR for finding in found)


OTHERS: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    ({"units": (Unit(code="XA", name=""), Unit(code="XA", name=""))}, [("duplicate_id", "units[1]")]),
    (
        {"units": (Unit(code="XA", name="", parent="K", successor="L"),)},
        [("unknown_name", "units[0].parent"), ("unknown_name", "units[0].successor")],
    ),
    (
        {
            "units": (
                Unit(code="XA", name="", parent="B"),
                Unit(code="B", name="", parent="XA"),
                Unit(code="C", name="", parent="B"),
            )
        },
        [("circle", "units[0].parent"), ("circle", "units[1].parent")],
    ),
    ({"units": (Unit(code="XA", name="", successor="XA"),)}, [("circle", "units[0].successor")]),
    (
        {"units": (Unit(code="XA", name="", valid_from=date(2026, 2, 1), valid_until=date(2026, 1, 1)),)},
        [("dates_reversed", "units[0].valid_until")],
    ),
    ({"stations": (station(), station())}, [("duplicate_id", "stations[1]")]),
    (
        {"stations": (station(unit="K", successor="L"),)},
        [("unknown_name", "stations[0].unit"), ("unknown_name", "stations[0].successor")],
    ),
    ({"stations": (station(successor="XA"),)}, [("circle", "stations[0].successor")]),
    ({"stations": (station(zone="Asia/Saigon2"),)}, [("unknown_zone", "stations[0].zone")]),
    ({"stations": (station(zone="../etc/passwd"),)}, [("unknown_zone", "stations[0].zone")]),
    (
        {"stations": (station(valid_from=date(2026, 2, 1), valid_until=date(2026, 1, 1)),)},
        [("dates_reversed", "stations[0].valid_until")],
    ),
    (
        {
            "stations": (
                station(
                    permitted=(DaySpan(start=time(5), end=time(6), weekdays=()),),
                    quiet=(DaySpan(start=time(5), end=time(6), weekdays=(0,)),),
                ),
            )
        },
        [("bad_recurrence", "stations[0].permitted[0].weekdays"), ("bad_recurrence", "stations[0].quiet[0].weekdays")],
    ),
    (
        {
            "stations": (
                station(
                    groups=(
                        ClusterGroup(code="a", name=""),
                        ClusterGroup(
                            code="a", name="", permitted=(DaySpan(start=time(5), end=time(6), weekdays=(9,)),)
                        ),
                    )
                ),
            )
        },
        [("duplicate_id", "stations[0].groups[1]"), ("bad_recurrence", "stations[0].groups[1].permitted[0].weekdays")],
    ),
    (
        {"stations": (station(limits=Limits(session_s=0, day_s=-1, sessions=0)),)},
        [("bad_number", f"stations[0].limits.{name}") for name in ("session_s", "day_s", "sessions")],
    ),
    (
        {"programmes": (Programme(code="CDS", name="", separation_s=-1), Programme(code="CDS", name=""))},
        [("duplicate_id", "programmes[1]"), ("bad_number", "programmes[0].separation_s")],
    ),
    (
        {"segments": (segment("a", owner="K", programme="L"), segment("a", seconds=0))},
        [
            ("duplicate_id", "segments[1]"),
            ("unknown_name", "segments[0].owner"),
            ("unknown_name", "segments[0].programme"),
            ("bad_number", "segments[1].samples"),
        ],
    ),
    ({"sources": (source("A"), source("A"))}, [("duplicate_id", "sources[1]")]),
    ({"sources": (source("a/b"), source(""))}, [("bad_id", "sources[0].code"), ("bad_id", "sources[1].code")]),
    ({"sources": (source("A", format=None),)}, [("format_missing", "sources[0].format")]),
    ({"sources": (source("A", kind=SourceKind.LINE, address=" "),)}, [("bad_address", "sources[0].address")]),
    *(
        ({"sources": (source("A", address=address),)}, [("bad_address", "sources[0].address")])
        for address in (
            "",
            "vov.example/1.mp3",
            "file:///etc/passwd",
            "rtsp://vov.example/1",
            "http://",
            "http://me:secret@vov.example/1",
            "http://vov.example/a b",
            "http://vov.example/a#b",
            "http://vov.example:port/",
        )
    ),
    (
        {"sources": (source("A", hosts=("cdn.example", "cdn.example/x", "http://a", "a:80")),)},
        [("bad_address", f"sources[0].hosts[{n}]") for n in (1, 2, 3)],
    ),
    (
        {"segments": (segment("a", valid_from=local(2, 0), valid_until=local(2, 0)),)},
        [("dates_reversed", "segments[0].valid_until")],
    ),
    (
        {
            "templates": (
                template("t", station="K"),
                template("t", valid_from=date(2026, 2, 1), valid_until=date(2026, 1, 1)),
            )
        },
        [("unknown_name", "templates[0].station"), ("dates_reversed", "templates[1].valid_until")],
    ),
    (
        {"templates": (template("t", valid_until=date(2026, 1, 1)), template("t", valid_from=date(2027, 1, 1)))},
        [("duplicate_id", "templates[1]")],
    ),
    (
        {"templates": (template("a", until=local(9, 0)), template("b", valid_from=date(2026, 11, 8)))},
        [("templates_tie", "templates[1].priority")],
    ),
    ({"templates": (template("a", until=local(9, 0)), template("b", valid_from=date(2026, 11, 10)))}, []),
    ({"templates": (template("a", until=local(9, 0)), template("b", since=local(9, 0)))}, []),
    ({"templates": (template("a", valid_until=date(2026, 11, 8)), template("b", since=local(9, 0)))}, []),
    (
        {"templates": (template("a", station="K"), template("b", station="K"))},
        [("unknown_name", f"templates[{n}].station") for n in (0, 1)] + [("templates_tie", "templates[1].priority")],
    ),
    (
        {"exceptions": (change(station="K"), change(id="y", session="K"))},
        [("unknown_name", "exceptions[0].station"), ("unknown_name", "exceptions[1].session")],
    ),
    (
        {"sessions": (session(A),), "exceptions": (change(number=2), change(number=0, id="y"))},
        [("unknown_name", "exceptions[0].number"), ("unknown_name", "exceptions[1].number")],
    ),
    (
        {"sessions": (session(A),), "exceptions": (change(), change())},
        [
            ("duplicate_id", "exceptions[1]"),
            ("move_without_target", "exceptions[0]"),
            ("move_without_target", "exceptions[1]"),
        ],
    ),
    (
        {"sessions": (session(A),), "exceptions": (change(change=Change.CANCEL, to_start=time(5)),)},
        [("cancel_with_target", "exceptions[0]")],
    ),
    (
        {"sessions": (session(A, starts=(time(5), time(6))),), "exceptions": (change(to_start=time(7)),)},
        [("moved_together", "exceptions[0].to_start")],
    ),
    ({"sessions": (session(A, starts=(time(5), time(6))),), "exceptions": (change(to_start=time(7), number=2),)}, []),
    (
        {"sessions": (session(A),), "exceptions": (change(to_day=date(2300, 1, 1)),)},
        [("dates_reversed", "exceptions[0].to_day")],
    ),
    (
        {"sessions": (session(A),), "exceptions": (change(to_day=date(2026, 11, 20), since=local(21, 0)),)},
        [("move_into_past", "exceptions[0].to_day")],
    ),
    ({"sessions": (session(A),), "exceptions": (change(to_day=date(2026, 11, 20), since=local(24, 0)),)}, []),
    (
        {
            "stations": (station(zone="K"),),
            "sessions": (session(A),),
            "exceptions": (change(to_day=date(2026, 11, 20)),),
        },
        [("unknown_zone", "stations[0].zone")],
    ),
    (
        {
            "segments": (segment("a"),),
            "one_offs": (
                one_off("x", "a", local(23, 5)),
                one_off(
                    "x",
                    "b",
                    local(23, 6),
                ),
            ),
        },
        [("duplicate_id", "one_offs[1]"), ("unknown_name", "one_offs[1].segment")],
    ),
    (
        {"segments": (segment("a"),), "one_offs": (replace(one_off("x y", "a", local(23, 5)), station="K"),)},
        [("unknown_name", "one_offs[0].station"), ("bad_id", "one_offs[0].id")],
    ),
    (
        {
            "calendar": tuple(
                CalendarDay(day=date(2026, 11, 28), kind=DayKind.WORKING, name="", works_as=number) for number in (1, 8)
            )
        },
        [("bad_recurrence", "calendar[1].works_as"), ("calendar_contradiction", "calendar[1].works_as")],
    ),
    (
        {"duties": (duty(owner="K", stations=("XA", "L"), programme="M"),)},
        [
            ("unknown_name", "duties[0].owner"),
            ("unknown_name", "duties[0].stations[1]"),
            ("unknown_name", "duties[0].programme"),
        ],
    ),
    (
        {"duties": (duty(stations=(), count=0, warn_days=-1, least_share=0),)},
        [
            ("duty_without_station", "duties[0].stations"),
            ("bad_number", "duties[0].count"),
            ("bad_number", "duties[0].warn_days"),
            ("bad_number", "duties[0].least_share"),
        ],
    ),
    (
        {
            "duties": (
                duty(deadline_days=7),
                duty(code="M", period=Period.MONTH, deadline_days=-1),
                duty(code="Y", period=Period.YEAR, deadline_days=364),
            )
        },
        [("deadline_outside", "duties[0].deadline_days"), ("deadline_outside", "duties[1].deadline_days")],
    ),
    (
        {"duties": (duty(counting=Counting.TOPICS, topics=("DX-A", "DX-A"), count=2),)},
        [("too_few_topics", "duties[0].count")],
    ),
    (
        {"duties": (duty(windows=(DutyWindow(weekday=0, start=time(5), end=time(6)),)),)},
        [("bad_recurrence", "duties[0].windows[0].weekday")],
    ),
    ({"duties": (duty(until=local(24, 0)), duty(since=local(23, 0)))}, [("versions_overlap", "duties[1].since")]),
    (
        {"excuses": (excuse(station="K", duty="L"),)},
        [("unknown_name", "excuses[0].station"), ("unknown_name", "excuses[0].duty")],
    ),
    (
        {"excuses": (excuse(last=date(2026, 10, 1), document=" "),)},
        [("dates_reversed", "excuses[0].last"), ("document_missing", "excuses[0].document")],
    ),
]


@pytest.mark.parametrize(("parts", "expected"), OTHERS, ids=range(len(OTHERS)))
def test_what_cannot_be_is_refused(parts: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    """Names that nobody knows, numbers out of range, dates the wrong way round, contradictions."""
    assert expected == said(check_intent(intent(**parts), recordings=()))


def test_all_problems_come_at_once() -> None:
    """A session with six mistakes has six findings, and so has the next one."""
    bad = session(place("a"), A, A, weekdays=(), starts=(), length_s=0)

    found = check_intent(intent(sessions=(bad, replace(bad, id="b"))))

    assert 12 == len(found)
    assert {"sessions[0]", "sessions[1]"} == {finding.where.partition(".")[0] for finding in found}


def test_paths_may_name_things_by_their_id() -> None:
    """As pages do, which know no order."""
    bad = session(place("a"), weekdays=())

    found = check_intent(intent(sessions=(session(A, name="x"), bad)), named=True)

    assert [("bad_recurrence", "sessions[sang].weekdays"), ("item_names_nothing", "sessions[sang].items[0]")] == said(
        found
    )


def test_only_what_concerns_a_station_is_looked_at() -> None:
    """The mistakes of other stations are theirs; their recordings too."""
    other = Station(code="KHAC", name="", unit="XA", limits=Limits(sessions=0))
    decided = intent(
        stations=(station(), other),
        segments=(segment("a", owner="K"),),
        sessions=(session(place("a"), station="KHAC"), session(A)),
        templates=(template("t", station="KHAC", valid_from=date(2026, 2, 1), valid_until=date(2026, 1, 1)),),
        exceptions=(change(station="KHAC"),),
        one_offs=(replace(one_off("x", "a", local(23, 5)), station="KHAC", id=""),),
        duties=(duty(stations=("KHAC",), count=0),),
        excuses=(excuse(station="KHAC", document=""),),
    )

    assert () == check_intent(decided, station="XA")
    assert 8 == len(check_intent(decided))


def test_names_of_recordings_are_asked_for_only_where_they_are_known() -> None:
    """A withdrawn recording makes no grid unsound; a scenario knows all of its own."""
    decided: Intent = intent(sessions=(session(place("a", fixed="nhac")),))

    assert () == check_intent(decided)
    assert () == check_intent(decided, recordings={"nhac"})
    assert [("unknown_name", "sessions[0].items[0].segment")] == said(check_intent(decided, recordings=()))


def test_the_moment_of_a_move_is_that_of_each_start() -> None:
    """Decided between the two starts: the first one would be moved into the past."""
    rule = session(A, starts=(time(5, 30), time(17)))
    moved = change(to_day=date(2026, 11, 22), day=date(2026, 11, 23), since=local(22, 12))

    assert [("move_into_past", "exceptions[0].to_day")] == said(
        check_intent(intent(sessions=(rule,), exceptions=(moved,)))
    )
    later = replace(moved, number=2)
    assert () == check_intent(intent(sessions=(rule,), exceptions=(later,)))
    assert () == check_intent(intent(sessions=(rule,), exceptions=(replace(moved, since=BEFORE + timedelta(days=1)),)))


def test_what_has_ended_is_no_longer_looked_at() -> None:
    """Former mistakes refuse nothing; their names are still known to what refers to them."""
    over = local(23, 0)
    decided = intent(
        sessions=(session(A, weekdays=(), until=over), session(A, name="b", template="a")),
        templates=(template("a", until=over), template("b", until=over)),
        exceptions=(change(until=over), change(id="y", change=Change.CANCEL)),
        duties=(duty(count=0, until=over), duty(since=local(22, 0))),
    )

    assert 5 == len(check_intent(decided))
    assert 5 == len(check_intent(decided, now=local(22, 23, 59)))
    assert () == check_intent(decided, now=over)


def test_an_unknown_name_is_answered_with_what_there_is() -> None:
    """Who writes a station or a session wrong reads the right ones, in the grid and in its exceptions."""
    grid = intent(
        sessions=(session(A, station="XB"), session(A, id="chieu", starts=(time(17),))),
        exceptions=(change(station="XB"), change(id="y", session="trua")),
    )
    told = {finding.where: finding.hint for finding in check_intent(grid) if finding.code == "unknown_name"}

    for where, name in (
        ("sessions[0].station", "XA"),
        ("exceptions[0].station", "XA"),
        ("exceptions[1].session", "chieu"),
    ):
        hint = told[where]
        assert hint is not None
        assert hint.vi == f"Đang có: {name}.", where


def test_names_that_another_station_gave_twice_are_its_own_mistake() -> None:
    """Two sessions of one name at another station are no finding here; they are one for the whole."""
    other = Station(code="KHAC", name="", unit="XA")
    twice = (session(A, station="KHAC", name="x"), session(A, station="KHAC", name="x"))
    decided = intent(stations=(station(), other), segments=(segment("a"),), sessions=twice)

    assert () == check_intent(decided, station="XA")
    assert () != check_intent(decided)


def test_a_soft_place_may_have_no_patience() -> None:
    """A bound of nought means that it starts at its time or not at all."""
    soft = replace(A, timing=Timing.SOFT, offset_s=60, bound_s=0)

    assert () == check_intent(intent(segments=(segment("a"),), sessions=(session(soft),)))
    assert () != check_intent(intent(segments=(segment("a"),), sessions=(session(replace(soft, bound_s=-1)),)))


@pytest.mark.parametrize(("nth", "sound"), [(-2, False), (-1, True), (0, False), (1, True), (5, True), (6, False)])
def test_which_weekdays_of_a_month_there_are(nth: int, sound: bool) -> None:
    """The first to the fifth, and the last; nothing else."""
    rule = session(A, nth_weekdays=(NthWeekday(nth=nth, weekday=1),))

    assert sound is (() == check_intent(intent(segments=(segment("a"),), sessions=(rule,))))
