"""Scenario files: what people write is understood whole or refused with every mistake; the page documents all of it."""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

import link.scenariofile
from link.document import parse_document
from link.scenario import MADE_UP, DemoSession, FaultRates, Recording
from link.scenariofile import (
    EACH,
    SECTIONS,
    SHAPES,
    BadScenario,
    PastAiring,
    PastOutage,
    parse,
    read,
)
from schedules.airing import Facts, Silence, Verdict
from schedules.clock import Interval
from schedules.duty import DutyOutcome, DutyWindow
from schedules.errors import Refused
from schedules.grid import NthWeekday, SessionItem
from schedules.planner import plan
from schedules.programme import Otherwise
from schedules.station import ClusterGroup, DaySpan, Limits
from schedules.text import Text

PROJECT = Path(link.scenariofile.__file__).parent.parent
DEMO = PROJECT / "schedules" / "demo.yaml"
PAGE = (PROJECT / "docs" / "scenario.md").read_text(encoding="utf-8")

MINIMAL: dict[str, Any] = {
    "now": "2026-11-23 04:00",
    "units": [{"code": "XA", "name": "Xã"}],
    "stations": [{"code": "XA", "name": "Đài truyền thanh xã Ba", "unit": "XA"}],
    "programmes": [{"code": "TIN", "name": "Tin"}],
    "sessions": [
        {
            "id": "sang",
            "station": "XA",
            "name": "Sáng",
            "starts": ["05:30"],
            "length_s": 600,
            "items": [{"id": "tin", "kind": "segment", "programme": "TIN"}],
        }
    ],
    "segments": [{"id": "t1", "owner": "XA", "programme": "TIN", "title": "Tin", "seconds": 60}],
}


def found(data: dict[str, Any]) -> set[tuple[str, str]]:
    with pytest.raises(BadScenario) as refused:
        parse(data)
    assert all(one.message.vi and one.message.en for one in refused.value.findings)
    return {(one.code, one.where) for one in refused.value.findings}


def test_the_demonstration_is_the_district_of_the_letter() -> None:
    """The centre and its five communes, the three programmes, a duty for each commune and the centre's own."""
    demo = read(DEMO)

    assert ["LONGHIEP", "LONGMAI", "LONGMON", "LONGSON", "THANHAN"] == [station.code for station in demo.stations]
    assert {"CDS", "BANTIN", "CDSHUYEN"} <= {programme.code for programme in demo.programmes}
    assert 6 == len(demo.duties)
    assert all(station.permitted[0].whole_day for station in demo.stations)


def test_every_fixed_place_of_the_demonstration_has_a_recording() -> None:
    """A signature tune, greetings and closings: what the grid names is there to be made, different for each station."""
    demo = read(DEMO)
    made = {recording.id for recording in demo.recordings}
    texts = [recording.text for recording in demo.recordings if recording.text]

    assert {item.segment for rule in demo.sessions for item in rule.items if item.segment} <= made
    assert len(texts) == len(set(texts))


def test_the_demonstration_can_be_planned_for_a_week() -> None:
    """Sessions every day, each place with its reason, although nothing was recorded yet."""
    demo = read(DEMO)
    now = datetime(2026, 11, 22, 17, tzinfo=UTC)

    rundown = plan(demo.intent(now), Facts(station="LONGHIEP"), now, Interval(now, now + timedelta(days=7)))

    assert len(rundown.items) > 40
    assert all(item.why.vi and item.why.en for item in rundown.items)


def test_every_mistake_is_told_with_its_path() -> None:
    """A wrong section, a wrong time and a wrong kind are three findings."""
    with pytest.raises(Refused) as refused:
        parse(
            {
                "unit": [],
                "stations": [{"code": "XA", "name": "Đài", "unit": "XA"}],
                "sessions": [
                    {
                        "id": "sang",
                        "station": "XA",
                        "name": "Sáng",
                        "weekdays": [1],
                        "starts": ["25:00"],
                        "length_s": 60,
                        "items": [{"id": "a", "kind": "musik"}],
                    }
                ],
            }
        )

    assert {"unit", "sessions[0].starts[0]", "sessions[0].items[0].kind"} <= {f.where for f in refused.value.findings}


def test_an_entry_that_cannot_be_read_is_still_asked_for_its_names() -> None:
    """One wrong value does not put off what else is wrong with the entry; what is there, is not told."""
    scenario = MINIMAL | {
        "segments": [{**MINIMAL["segments"][0], "owner": "XOM", "approved_at": "hôm qua"}],
        "supplies": [{"id": "bai", "owner": "XA", "programme": "TIN", "title": "Bài", "first": "x", "every_days": 7}],
        "sessions": [
            {
                **MINIMAL["sessions"][0],
                "length_s": "dài",
                "items": [
                    {"id": "a", "kind": "segment", "programme": "TINN"},
                    {"id": "b", "kind": "segment", "segment": "t1"},
                    {"id": "c", "kind": "segment", "segment": "bai-2"},
                ],
            }
        ],
        "duties": [{"code": "D", "name": "D", "owner": "XA", "stations": ["XA", "XB"], "count": "hai"}],
    }
    with pytest.raises(BadScenario) as refused:
        parse(scenario)

    assert {f.where for f in refused.value.findings if f.code == "unknown_name"} == {
        "segments[0].owner",
        "sessions[0].items[0].programme",
        "duties[0].stations[1]",
    }
    assert all(finding.hint for finding in refused.value.findings)


@pytest.mark.parametrize("content", ["- a", "a: [", "12"])
def test_a_file_that_is_no_scenario_is_refused(tmp_path: Path, content: str) -> None:
    """Broken YAML and other documents are refused in words."""
    path = tmp_path / "scenario.yaml"
    path.write_text(content)

    with pytest.raises(Refused):
        read(path)


def test_a_recording_needs_no_file() -> None:
    """Its length is enough; hashes are made up from its id, differ, and show that they are made up."""
    scenario = parse({**MINIMAL, "segments": [*MINIMAL["segments"], {**MINIMAL["segments"][0], "id": "t2"}]})

    first, second = scenario.segments
    assert 60 * 48_000 == first.samples
    assert 4 == len({first.sha256, first.pcm_sha256, second.sha256, second.pcm_sha256})
    assert all(one.sha256.startswith(MADE_UP) and len(one.sha256) == 64 for one in scenario.segments)


@pytest.mark.parametrize(
    ("change", "code", "key"),
    [
        ({"samples": 5}, "two_lengths", "seconds"),
        ({"seconds": 0}, "out_of_range", "seconds"),
        ({"seconds": "long"}, "bad_value", "seconds"),
        ({"seconds": 1e9}, "out_of_range", "seconds"),
    ],
)
def test_a_length_that_is_none_is_refused(change: dict[str, Any], code: str, key: str) -> None:
    """Exactly one length, above nothing and within a day."""
    assert {(code, f"segments[0].{key}")} == found({**MINIMAL, "segments": [{**MINIMAL["segments"][0], **change}]})


def test_a_recording_without_length_is_refused() -> None:
    """Nobody could plan it."""
    bare = {key: value for key, value in MINIMAL["segments"][0].items() if key != "seconds"}

    assert {("missing_key", "segments[0].seconds")} == found({**MINIMAL, "segments": [bare]})


def test_a_programme_that_does_not_repeat_has_a_short_form() -> None:
    """`repeats: false` leaves the centre's item and the reserve; with `otherwise` it would say nothing."""
    scenario = parse({**MINIMAL, "programmes": [{"code": "TIN", "name": "Tin", "repeats": False}]})

    assert (Otherwise.CENTRE, Otherwise.EVERGREEN) == scenario.programmes[0].otherwise
    both = {"code": "TIN", "name": "Tin", "repeats": True, "otherwise": []}
    assert {("repeats_and_otherwise", "programmes[0].repeats")} == found({**MINIMAL, "programmes": [both]})
    again = parse({**MINIMAL, "programmes": [{"code": "TIN", "name": "Tin", "repeats": True}]})
    assert Otherwise.REPEAT in again.programmes[0].otherwise


def test_local_moments_are_of_the_zone_of_the_file() -> None:
    """Without an offset a moment is local time where the scenario plays."""
    there = parse({**MINIMAL, "zone": "Europe/Berlin", "now": "2026-07-01 12:00"})

    assert datetime(2026, 7, 1, 10, tzinfo=UTC) == there.now
    assert {("bad_zone", "zone")} == found({**MINIMAL, "zone": "Mars/Olympus"})
    assert {("bad_value", "zone")} == found({**MINIMAL, "zone": 7})


def test_what_every_station_has_is_written_once() -> None:
    """Code, unit and place are filled in, the station as well; other braces stay."""
    scenario = parse(
        {
            **MINIMAL,
            "stations": [
                {"code": "A", "name": "Đài truyền thanh xã Ba", "unit": "XA"},
                {"code": "B", "name": "Đài Tư", "unit": "XB"},
            ],
            "units": [{"code": "XA", "name": "Xã"}, {"code": "XB", "name": "Xã"}],
            "sessions": [],
            "each_station": {
                "sessions": [{**MINIMAL["sessions"][0], "station": "{station}", "name": "Sáng {place}"}],
                "templates": [{"id": "tet", "name": "Tết", "day_kinds": ["tet"]}],
                "exceptions": [{"id": "x", "session": "sang", "day": "2026-11-25", "change": "cancel"}],
                "supplies": [
                    {
                        "id": "tin-{station}",
                        "owner": "{unit}",
                        "programme": "TIN",
                        "title": "Số {n}",
                        "first": "2026-11-01",
                        "every_days": 7,
                        "seconds": 60,
                    }
                ],
            },
        }
    )

    assert [("A", "Sáng xã Ba"), ("B", "Sáng Tư")] == [(one.station, one.name) for one in scenario.sessions]
    assert ["A", "B"] == [one.station for one in scenario.templates]
    assert ["A", "B"] == [one.station for one in scenario.exceptions]
    assert [("tin-A", "XA", "Số {n}"), ("tin-B", "XB", "Số {n}")] == [
        (one.id, one.owner, one.title) for one in scenario.supplies
    ]


def test_a_mistake_made_once_for_all_stations_is_told_once() -> None:
    """At the place where it was written, not once for every station."""
    stations = [{"code": code, "name": code, "unit": "XA"} for code in ("A", "B", "C")]
    each = {"sessions": [{**MINIMAL["sessions"][0], "station": "{station}", "starts": ["5.30"]}]}

    assert {("bad_time", "each_station.sessions[0].starts[0]")} == found(
        {**MINIMAL, "stations": stations, "sessions": [], "each_station": each}
    )


@pytest.mark.parametrize(
    ("each", "expected"),
    [
        ([], ("not_a_mapping", "each_station")),
        ({"units": []}, ("unknown_key", "each_station.units")),
        ({"sessions": {}}, ("not_a_list", "each_station.sessions")),
        ({"sessions": ["x"]}, ("not_a_mapping", "each_station.sessions[0]")),
    ],
)
def test_what_cannot_be_for_every_station_is_refused(each: object, expected: tuple[str, str]) -> None:
    """Only sections that hold lists of things of a station."""
    assert {expected} == found({**MINIMAL, "each_station": each})


def test_many_stations_times_much_is_refused() -> None:
    """A small file does not become a large one in memory."""
    stations = [{"code": f"S{number}", "name": "Đài", "unit": "XA"} for number in range(3000)]
    each = {"sessions": [MINIMAL["sessions"][0]] * 400}

    assert {("too_many_values", "each_station")} == found(
        {**MINIMAL, "stations": stations, "sessions": [], "each_station": each}
    )


def test_supplies_without_end_are_refused() -> None:
    """One line cannot ask for a hundred thousand recordings."""
    supply = {"id": "a", "owner": "XA", "programme": "TIN", "title": "a", "first": "1971-01-01", "every_days": 1}
    supplies = [{**supply, "id": f"a{number}", "seconds": 1} for number in range(5)]

    assert {("too_many_values", "supplies")} == found({**MINIMAL, "supplies": supplies})


def test_of_very_many_mistakes_the_first_are_told() -> None:
    """A file of nonsense gives a page of findings and their number, not a hundred thousand lines."""
    with pytest.raises(BadScenario) as refused:
        parse({"units": [{"code": number} for number in range(700)]})

    assert 1001 == len(refused.value.findings)
    assert ("units[0].code", "And 400 more problems.") == (
        refused.value.findings[0].where,
        refused.value.findings[-1].message.en,
    )


def test_facts_are_written_short() -> None:
    """A row needs what happened and where in the grid; the rest follows from the grid and the recording."""
    scenario = parse(
        {
            **MINIMAL,
            "facts": [
                {
                    "station": "XA",
                    "airings": [
                        {"session": "sang", "day": "2026-11-20", "item": "tin", "segment": "t1", "verdict": "aired"},
                        {
                            "session": "sang",
                            "day": "2026-11-21",
                            "item": "tin",
                            "segment": "t1",
                            "verdict": "partial",
                            "started_at": "2026-11-21 05:31",
                            "seconds": 20,
                        },
                        {
                            "session": "sang",
                            "day": "2026-11-22",
                            "item": "tin",
                            "verdict": "missed",
                            "reason": "Mất điện",
                        },
                    ],
                    "media": ["t1"],
                    "outages": [{"from": "2026-11-22 05:00", "to": "2026-11-22 06:00", "reason": "Mất điện"}],
                    "since": "2026-11-20",
                }
            ],
        }
    )

    facts = scenario.facts_of("XA")
    aired, partial, missed = facts.airings
    assert "XA/sang/2026-11-20/tin" == aired.slot
    assert datetime(2026, 11, 19, 22, 30, tzinfo=UTC) == aired.planned_start == aired.started_at
    assert (60.0, 60 * 48_000, "TIN") == (aired.seconds_aired, aired.samples_expected, aired.programme)
    assert {"t1": aired.started_at} == facts.aired
    assert (20.0, Verdict.PARTIAL) == (partial.seconds_aired, partial.verdict)
    assert (None, Text("Mất điện", "Mất điện"), "TIN") == (missed.started_at, missed.reason, missed.programme)
    assert frozenset({scenario.segments[0].sha256}) == facts.media
    assert 3600.0 == facts.outages[0].during.seconds
    assert datetime(2026, 11, 19, 17, tzinfo=UTC) == facts.since
    assert Facts(station="KHAC") == scenario.facts_of("KHAC")


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"station": "NO"}, ("unknown_station", "facts[0].station")),
        ({"station": "XA", "media": ["no"]}, ("unknown_segment", "facts[0].media[0]")),
        (
            {"station": "XA", "airings": [{"slot": "XA/oneoff/a", "verdict": "missed"}]},
            ("unknown_slot", "facts[0].airings[0]"),
        ),
        (
            {"station": "XA", "airings": [{"slot": "XB/sang/2026-11-20/tin", "verdict": "missed"}]},
            ("unknown_slot", "facts[0].airings[0]"),
        ),
        (
            {"station": "XA", "airings": [{"slot": "XA/sang/2026-11-32/tin", "verdict": "missed"}]},
            ("unknown_slot", "facts[0].airings[0]"),
        ),
        (
            {"station": "XA", "airings": [{"session": "sang", "day": "2026-11-20", "item": "no", "verdict": "missed"}]},
            ("unknown_slot", "facts[0].airings[0]"),
        ),
        (
            {"station": "XA", "airings": [{"session": "sang", "day": "2026-11-20", "item": "tin", "verdict": "aired"}]},
            ("missing_key", "facts[0].airings[0].segment"),
        ),
        (
            {"station": "XA", "airings": [{"slot": "XA/oneoff/a", "segment": "no", "verdict": "aired"}]},
            ("unknown_segment", "facts[0].airings[0].segment"),
        ),
        (
            {"station": "XA", "outages": [{"from": "2026-11-22", "to": "2026-11-22", "reason": "x"}]},
            ("ends_before_start", "facts[0].outages[0].to"),
        ),
        (
            {"station": "XA", "outages": [{"from": "2026-11-22", "reason": "x"}]},
            ("empty", "facts[0].outages[0].to"),
        ),
    ],
)
def test_facts_that_cannot_be_are_refused(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    """A row of something that is not in the file is a mistake of the file."""
    assert {expected} == found({**MINIMAL, "facts": [facts]})


def test_the_facts_of_a_broken_grid_are_not_reckoned() -> None:
    """What is wrong with the session is told, and not that its slots cannot be found."""
    row = {"session": "sang", "day": "2026-11-20", "item": "tin", "segment": "t1", "verdict": "aired"}
    sessions = [{**MINIMAL["sessions"][0], "every_weeks": 0}]
    data = {**MINIMAL, "sessions": sessions, "facts": [{"station": "XA", "airings": [row]}]}

    assert {("bad_recurrence", "sessions[0].every_weeks")} == found(data)


def test_holidays_fill_the_calendar_and_decrees_go_before_them() -> None:
    """The years around `now` if nothing else is said; what the file says of a date holds alone."""
    decree = {"day": "2026-09-02", "kind": "working", "name": "Làm việc", "works_as": "T4"}
    scenario = parse({**MINIMAL, "holidays": "VN", "calendar": [decree]})

    assert {2025, 2026, 2027, 2028} == {one.day.year for one in scenario.calendar}
    kinds = {one.day: one.kind.value for one in scenario.calendar}
    assert ("tet", "holiday", "working") == (
        kinds[date(2027, 2, 6)],
        kinds[date(2026, 4, 30)],
        kinds[date(2026, 9, 2)],
    )
    named = parse({**MINIMAL, "holidays": {"country": "VN", "years": [2030]}})
    assert {2030} == {one.day.year for one in named.calendar}


@pytest.mark.parametrize(
    ("holidays", "expected"),
    [
        ("LA", ("unknown_country", "holidays")),
        ({"years": [2026]}, ("missing_key", "holidays.country")),
        ({"country": "VN", "years": [10**15]}, ("out_of_range", "holidays.years")),
        ({"country": "VN", "years": list(range(2000, 2100))}, ("out_of_range", "holidays.years")),
        ({"country": "VN", "years": ["2026"]}, ("bad_value", "holidays.years[0]")),
        (5, ("not_a_mapping", "holidays")),
    ],
)
def test_holidays_that_cannot_be_are_refused(holidays: object, expected: tuple[str, str]) -> None:
    """Another country, or years that nobody can reckon."""
    assert {expected} == found({**MINIMAL, "holidays": holidays})


def test_holidays_without_any_year_are_refused() -> None:
    """Without `now` nobody knows which years are meant."""
    data = {key: value for key, value in MINIMAL.items() if key != "now"}

    assert {("holidays_without_years", "holidays")} == found({**data, "holidays": "VN"})


def test_what_the_core_finds_in_holidays_is_told_there() -> None:
    """A calendar is written in two places; a mistake in the written one has its own path."""
    first = {"day": "2026-09-05", "kind": "working", "name": "a", "works_as": "T2"}
    second = {**first, "name": "b", "works_as": "T3"}

    assert {("calendar_contradiction", "calendar[0].works_as")} == found(
        {**MINIMAL, "holidays": "VN", "calendar": [second, first]}
    )


def test_what_names_a_broken_entry_is_no_second_mistake() -> None:
    """The recording is there, only its length is wrong: the row that names it is not told as well."""
    facts = {"station": "XA", "media": ["t1"]}
    segments = [{**MINIMAL["segments"][0], "seconds": -1}]

    assert {("out_of_range", "segments[0].seconds")} == found({**MINIMAL, "segments": segments, "facts": [facts]})


def test_what_does_not_hold_together_is_told_at_its_place_in_the_file() -> None:
    """The core's findings come under the paths of what was written, beside all others, and once for all stations."""
    stations = [{"code": code, "name": code, "unit": "XA"} for code in ("A", "B")]
    item = {"id": "tin", "kind": "segment", "programme": "NO"}
    data = {
        **MINIMAL,
        "title": 5,
        "stations": stations,
        "sessions": [{**MINIMAL["sessions"][0], "station": "C", "every_weeks": 0}],
        "each_station": {
            "sessions": [{**MINIMAL["sessions"][0], "id": "toi", "station": "{station}", "starts": [], "items": [item]}]
        },
        "duties": [{"code": "D", "name": "D", "owner": "NO", "stations": ["A"], "programme": "TIN"}],
    }

    assert {
        ("bad_value", "title"),
        ("unknown_name", "sessions[0].station"),
        ("bad_recurrence", "sessions[0].every_weeks"),
        ("no_start", "each_station.sessions[0].starts"),
        ("unknown_name", "each_station.sessions[0].items[0].programme"),
        ("unknown_name", "duties[0].owner"),
    } == found(data)


@pytest.mark.parametrize(
    ("section", "entry", "where"),
    [
        ("supplies", {"owner": "NO"}, "owner"),
        ("supplies", {"programme": "NO"}, "programme"),
        ("events", {"station": "NO"}, "station"),
        ("events", {"segment": "moi-x"}, "segment"),
    ],
)
def test_what_only_a_simulation_needs_is_looked_at_too(section: str, entry: dict[str, Any], where: str) -> None:
    """Supplies and events name units, programmes, stations and recordings that are there; supplied ones count."""
    supply = {
        "id": "moi",
        "owner": "XA",
        "programme": "TIN",
        "title": "Tin",
        "first": "2026-11-02",
        "every_days": 7,
        "seconds": 90,
    }
    event = {"at": "2026-11-24", "kind": "media_missing", "station": "XA", "segment": "moi-12"}
    data: dict[str, Any] = {**MINIMAL, "supplies": [supply], "events": [event]}
    parse(data)

    assert {("unknown_name", f"{section}[0].{where}")} == found({**data, section: [{**data[section][0], **entry}]})


def test_mistakes_of_a_file_name_their_line(tmp_path: Path) -> None:
    """Path and line, so that the writer finds it in any editor."""
    path = tmp_path / "scenario.yaml"
    path.write_text("units:\n  - code: XA\n    name: Xã\n    parnet: XB\nnow: soon\n", encoding="utf-8")

    with pytest.raises(BadScenario) as refused:
        read(path)

    assert {"units[0].parnet": "line 4", "now": "line 5"} == {
        finding.where: re.search(r"line \d+", finding.message.en)[0]  # type: ignore[index]
        for finding in refused.value.findings
    }
    assert all("dòng" in finding.message.vi for finding in refused.value.findings)


def test_supplies_come_at_their_time_and_are_forgotten_by_the_seed() -> None:
    """A plan knows what is approved by then; the same seed forgets the same ones, another seed others."""
    supply = {
        "id": "moi",
        "owner": "XA",
        "programme": "TIN",
        "title": "Tin số {n}",
        "first": "2026-11-02",
        "every_days": 7,
        "at": "15:00",
        "seconds": 90,
        "topics": ["DX-A", "DX-B"],
    }
    scenario = parse({**MINIMAL, "supplies": [supply]})
    third = datetime(2026, 11, 16, 8, tzinfo=UTC)

    known = scenario.supplied(third)
    assert ["moi-1", "moi-2", "moi-3"] == [one.id for one in known]
    assert [("DX-A",), ("DX-B",), ("DX-A",)] == [one.topics for one in known]
    assert ("Tin số 3", third, 90 * 48_000) == (known[2].title, known[2].approved_at, known[2].samples)
    assert 2 == len(scenario.supplied(third - timedelta(microseconds=1)))
    assert {"t1", "moi-1"} == {one.id for one in scenario.intent(datetime(2026, 11, 3, tzinfo=UTC)).segments}

    later = datetime(2036, 11, 2, tzinfo=UTC)
    forgetful = [parse({**MINIMAL, "seed": seed, "supplies": [{**supply, "forgets": 0.5}]}) for seed in (1, 1, 2)]
    first, same, other = ([one.id for one in scenario.supplied(later)] for scenario in forgetful)
    assert first == same != other
    assert 200 < len(first) < 320
    assert () == parse({**MINIMAL, "supplies": [{**supply, "forgets": 1}]}).supplied(later)


def test_a_recording_approved_later_is_not_known_yet() -> None:
    """The plan of Monday does not count on what the approver does on Wednesday."""
    scenario = parse({**MINIMAL, "segments": [{**MINIMAL["segments"][0], "approved_at": "2026-11-25"}]})
    assert scenario.now is not None

    assert () == scenario.intent(scenario.now).segments
    assert 1 == len(scenario.intent(scenario.now + timedelta(days=2)).segments)


def test_everything_is_refused_that_is_no_list() -> None:
    """Each section says what it should be."""
    assert {("not_a_list", name) for name in SECTIONS} == found(dict.fromkeys(SECTIONS, 5))


DOCUMENTED: dict[str, tuple[type, ...]] = {
    **{name: (kind,) for name, kind in SECTIONS.items()},
    "faults": (FaultRates,),
    "limits": (Limits,),
    "groups": (ClusterGroup,),
    "permitted": (DaySpan,),
    "nth_weekdays": (NthWeekday,),
    "items": (SessionItem,),
    "windows": (DutyWindow,),
    "airings": (PastAiring,),
    "outages": (PastOutage,),
    "silences": (Silence,),
    "duties` of `facts": (DutyOutcome,),
    "recordings": (Recording,),
    "demo_session": (DemoSession,),
}


def chapter(name: str) -> str:
    """Return what stands under the heading of that name, up to the next heading."""
    match = re.search(rf"^##+ `{re.escape(name)}`.*?$(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert match, f"docs/scenario.md has no chapter {name}"
    return match[1]


def keys(name: str) -> set[str]:
    """Return the keys in the first column of a chapter's table."""
    firsts = re.findall(r"^\|([^|]*)\|", chapter(name), re.MULTILINE)
    return {key for first in firsts for key in re.findall(r"`(\w+)`", first)}


@pytest.mark.parametrize("name", sorted(set(DOCUMENTED) - {"recordings"}))
def test_every_key_is_documented_and_no_other(name: str) -> None:
    """A stranger can write a file from docs/scenario.md alone: what is there can be written, and all of it is there."""
    (kind,) = DOCUMENTED[name]
    known = {one.name for one in fields(kind)}

    assert known | set(SHAPES[kind].also if kind in SHAPES else ()) == keys(name)


def test_the_keys_of_recordings_are_documented() -> None:
    """Also those of the demonstration, whose chapter has another form."""
    match = re.search(r"^### `recordings`$(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)

    assert match
    assert {one.name for one in fields(Recording)} == set(re.findall(r"^\| `(\w+)`", match[1], re.MULTILINE))


def choices(kind: Any) -> set[str]:
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {str(member.value) for member in kind}
    return set().union(*(choices(one) for one in get_args(kind)))


@pytest.mark.parametrize("name", sorted(set(DOCUMENTED) - {"recordings"}))
def test_every_choice_is_documented(name: str) -> None:
    """Where only certain words may stand, the page lists them."""
    (kind,) = DOCUMENTED[name]
    wanted = set().union(*(choices(hint) for hint in get_type_hints(kind).values()))

    assert set() == {word for word in wanted if f"`{word}`" not in PAGE}


def told_codes() -> set[str]:
    """Return the codes of findings that the readers of scenario files can give."""
    found = set()
    for name in ("document", "reader", "scenariofile"):
        for node in ast.walk(ast.parse((PROJECT / "link" / f"{name}.py").read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func).rpartition(".")[2]
                first = node.args[:1] if called in ("find", "_stop", "_finding") else []
                codes = [*first, *(keyword.value for keyword in node.keywords if keyword.arg == "code")]
                found |= {one.value for one in codes if isinstance(one, ast.Constant)}
            if isinstance(node, ast.arg) and node.arg == "code":
                found.add("bad_value")
    return found


def test_every_finding_of_a_file_is_documented() -> None:
    """Who gets one can look up what it means, and the page promises no other."""
    page = PAGE[PAGE.index("## What is told of a bad file") :]

    assert told_codes() == set(re.findall(r"`(\w+)`", "\n".join(re.findall(r"^\|([^|]*)\|", page, re.M)[2:])))


def test_the_top_level_is_documented() -> None:
    """Every section has a chapter, every single key a row."""
    top = re.search(r"^## At the top$(.*?)^###", PAGE, re.MULTILINE | re.DOTALL)

    assert top
    assert {"title", "now", "zone", "seed", "holidays", "each_station"} <= set(re.findall(r"^\| `(\w+)`", top[1], re.M))
    assert set() == {name for name in EACH if f"{name}" not in chapter("each_station")}
    assert all(f"`{name}`" in PAGE for name in SECTIONS)


@pytest.mark.parametrize("example", re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
def test_every_example_can_be_read(example: str) -> None:
    """What a stranger copies from the page has no mistake of its own; names that it leaves out are other entries."""
    data = parse_document(example.encode()).data
    try:
        parse({"now": "2026-11-23 04:00", **data})
    except BadScenario as refused:
        assert set() == {one.code for one in refused.findings if not one.code.startswith("unknown_")}
        assert set() == {one.where for one in refused.findings if one.code == "unknown_key"}


def test_the_whole_file_of_the_page_is_planned() -> None:
    """The first example is a file that works: its duty is planned for Friday, with a way out."""
    whole = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[0]
    scenario = parse(parse_document(whole.encode()).data)
    assert scenario.now is not None

    week = Interval(scenario.now, scenario.now + timedelta(days=7))
    rundown = plan(scenario.intent(scenario.now), scenario.facts_of("MINHLONG"), scenario.now, week)

    assert ["nhac-hieu", "cds-48"] == [item.segment for item in rundown.items if item.segment][:2]
    assert ("2026-W48", "planned") == (rundown.duties[0].period, rundown.duties[0].state)
