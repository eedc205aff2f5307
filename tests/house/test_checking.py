"""Before going on air: what `loa check` finds about cluster groups and the grid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import time
from pathlib import Path

import pytest

from config import load
from house.building import House
from house.checking import check
from schedules.findings import Severity
from schedules.grid import ItemKind, SessionItem, SessionRule
from schedules.programme import Programme
from schedules.station import ClusterGroup, Station, Unit
from store import programmes, sessions, stations, units

CONFIG = """
role: [authority, station]
clock: {source: host}
stations:
  - code: XA
    outputs:
      - {name: square, kind: virtual}
      - {name: one, kind: virtual, groups: [THON1]}
"""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A machine with two outputs, one of them for a village, and a station that knows the village."""
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG)
    house = House(load(config, {"LOA_DATA": str(tmp_path / "data")}), environment={})
    house.open()
    groups = (ClusterGroup(code="THON1", name="Thôn 1"),)
    with house.database.writing() as session:
        units.save(session, Unit(code="XA", name="Xã"))
        stations.save(session, Station(code="XA", name="Đài xã", unit="XA", groups=groups))
    yield house
    house.stop()


def codes(house: House) -> set[str]:
    return {finding.code for finding in check(house)}


def test_groups_that_fit_are_not_spoken_of(house: House) -> None:
    """Outputs and station name the same groups."""
    assert codes(house).isdisjoint({"unknown_group", "group_without_output"})


def test_a_group_that_the_station_does_not_have_is_an_error(house: House) -> None:
    """The path names the output in config.yaml, the hint the groups that there are."""
    with house.database.writing() as session:
        station = stations.find(session, "XA")
        assert station is not None
        stations.save(session, replace(station, groups=(ClusterGroup(code="THON2", name="Thôn 2"),)))
    (finding,) = (found for found in check(house) if found.code == "unknown_group")
    assert "stations[0].outputs[1].groups" == finding.where
    assert finding.hint is not None
    assert "THON2" in finding.hint.vi


def test_a_group_that_no_output_serves_is_a_warning(house: House) -> None:
    """What is meant for it alone could not air; an output without groups serves all of them."""
    alone = house.config.stations[0].model_copy(update={"outputs": house.config.stations[0].outputs[1:]})
    with house.database.writing() as session:
        station = stations.find(session, "XA")
        assert station is not None
        stations.save(session, replace(station, groups=(*station.groups, ClusterGroup(code="THON2", name="Thôn 2"))))
    assert "group_without_output" not in codes(house)
    house.config = house.config.model_copy(update={"stations": (alone,)})
    assert "group_without_output" in codes(house)


def test_a_grid_that_overlaps_itself_is_an_error(house: House) -> None:
    """Two sessions at one time are named with their station, and the plan is not asked any more."""
    now = house.clock.now()
    items = (SessionItem(id="tin", kind=ItemKind.SEGMENT, programme="CDS"),)
    with house.database.writing() as session:
        programmes.save(session, Programme(code="CDS", name="Chuyển đổi số"))
        for name, start in (("sang", time(5, 30)), ("som", time(5, 40))):
            rule = SessionRule(id=name, station="XA", name=name, starts=(start,), length_s=1800, items=items, since=now)
            sessions.publish(session, rule, now)
    found = [finding for finding in check(house) if finding.code == "sessions_overlap"]
    assert found
    assert all(finding.where.startswith("XA.sessions[") for finding in found)
    assert {Severity.ERROR} == {finding.severity for finding in found}


def test_a_station_without_a_grid_has_nothing_wrong_in_it(house: House) -> None:
    """No session yet is no finding about one."""
    assert not [finding for finding in check(house) if finding.where.startswith("XA.sessions")]
