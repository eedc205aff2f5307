"""What the house hands to a station: signed intent, or word that there is none."""

from __future__ import annotations

from pathlib import Path

import pytest
from nacl.signing import SigningKey

from config import load
from house.building import House
from schedules.errors import IntentMissing


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
