"""What the house hands to a station: signed intent, or word that there is none."""

from __future__ import annotations

from pathlib import Path

import pytest
from nacl.signing import SigningKey

from config import load
from house.building import House
from schedules.errors import IntentMissing
from tests.running import RunningLoa


def test_a_station_that_the_store_does_not_know_has_no_intent(tmp_path: Path) -> None:
    """A code that stands in config.yaml only is told apart from a failure: the station waits until it is known."""
    config = tmp_path / "config.yaml"
    config.write_text("role: [authority, station]\nstations: [{code: MOI, outputs: [{name: main, kind: virtual}]}]\n")
    house = House(load(config, {"LOA_DATA": str(tmp_path / "data")}), environment={})
    house.open()
    try:
        with pytest.raises(IntentMissing, match="MOI"):
            house.station_intent("MOI", SigningKey(b"a" * 32))
    finally:
        house.stop()


def test_a_broken_journal_silences_its_own_station_only(tmp_path: Path) -> None:
    """One file damaged while Loa was off: its station does not start, the other goes on, the verifier says why."""
    output = [{"name": "main", "kind": "virtual"}]
    loa = RunningLoa(tmp_path, {"LONGHIEP": output, "LONGMAI": output})
    loa.start()
    loa.person("hanh", "operator")
    loa.stop()
    (tmp_path / "data" / "journal" / "LONGHIEP.db").write_bytes(b"no database any more" * 500)

    loa.start()
    try:
        states = loa.ask("GET", "/health", "hanh")["stations"]
        broken = loa.command("journal", "verify", "--station", "LONGHIEP", check=False)
        assert "idle" == states["LONGMAI"]["state"]
        assert "idle" != states.get("LONGHIEP", {}).get("state")
        assert 1 == broken.returncode
        assert "journal_broken" in loa.log
    finally:
        loa.stop()
