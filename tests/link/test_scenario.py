"""Scenario files: what people write is understood whole or refused with every mistake."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import link.scenario
from link.scenariofile import parse, read
from schedules.airing import Facts
from schedules.clock import Interval
from schedules.errors import Refused
from schedules.planner import plan

DEMO = Path(link.scenario.__file__).parent.parent / "schedules" / "demo.yaml"


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


@pytest.mark.parametrize("content", ["- a", "a: [", "12"])
def test_a_file_that_is_no_scenario_is_refused(tmp_path: Path, content: str) -> None:
    """Broken YAML and other documents are refused in words."""
    path = tmp_path / "scenario.yaml"
    path.write_text(content)

    with pytest.raises(Refused):
        read(path)
