"""What the house hands to a station: signed intent, or word that there is none."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from config import load
from house.building import House
from link.codec import dump
from link.keys import load_or_make
from playout.journal.journal import Journal
from schedules.duty import DutyOutcome, DutyState
from schedules.errors import IntentMissing
from schedules.grid import CalendarDay, DayKind
from schedules.text import Text
from store import calendar_days, outcomes
from tests.running import RunningLoa, wait_for


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


def test_f42_a_journal_that_was_destroyed_silences_no_station(tmp_path: Path) -> None:
    """Damaged while Loa was off: its station starts, what was there is kept aside, a row says what is lost."""
    output = [{"name": "main", "kind": "virtual"}]
    loa = RunningLoa(tmp_path, {"LONGHIEP": output, "LONGMAI": output})
    loa.start()
    loa.person("hanh", "operator")
    loa.stop()
    journal = tmp_path / "data" / "journal" / "LONGHIEP.db"
    rows = json.loads(loa.command("journal", "verify", "--station", "LONGHIEP", "--json").stdout)["rows"]
    journal.write_bytes(b"no database any more" * 500)

    loa.start()
    try:
        wait_for("both stations", lambda: _states(loa) == {"LONGHIEP": "idle", "LONGMAI": "idle"})
        answer = json.loads(loa.command("journal", "verify", "--station", "LONGHIEP", "--json").stdout)
        assert [[1, rows]] == answer["lost"]
        assert "LONGHIEP" == answer["known_as"]
        assert answer["rows"] > rows
        kept = tmp_path / "data" / "journal" / "quarantine" / "LONGHIEP-1" / "LONGHIEP.db"
        assert kept.read_bytes().startswith(b"no database any more")
    finally:
        loa.stop()


def _states(loa: RunningLoa) -> dict[str, str]:
    states = loa.ask("GET", "/health", "hanh")["stations"]
    # A rebuilt journal is a fault that stays open; the station is up nonetheless.
    return {code: "idle" if one["state"] == "fault" else one["state"] for code, one in states.items()}


def test_the_calendar_is_written_at_the_start(tmp_path: Path) -> None:
    """The holidays of six years are in what stations obey; starting again changes nothing; a decree goes before."""
    config = tmp_path / "config.yaml"
    config.write_text("role: [authority]\nclock: {source: host}\nweb: {listen: '127.0.0.1:0'}\nstations: []\n")
    settings = load(config, {"LOA_DATA": str(tmp_path / "data")})
    house = House(settings, environment={})
    house.open()
    try:
        house.start({})
        intent = house.intent()
        year = house.clock.now().year
        named = {day.day: day for day in intent.calendar}
        assert DayKind.HOLIDAY is named[date(year, 9, 2)].kind
        assert {DayKind.TET} <= {day.kind for day in intent.calendar if day.day.year == year + 5}
        assert year - 1 in {day.year for day in named}
        with house.database.writing() as session:
            calendar_days.decree(session, CalendarDay(day=date(year, 9, 2), kind=DayKind.MOURNING, name="Quốc tang"))
    finally:
        house.stop()

    again = House(settings, environment={})
    again.open()
    try:
        again.start({})
        after = again.intent()
        assert intent.revision == after.revision
        assert [DayKind.MOURNING] == [day.kind for day in after.calendar if day.day == date(year, 9, 2)]
    finally:
        again.stop()


def test_what_a_station_sealed_reaches_the_store(tmp_path: Path) -> None:
    """A duty row that was written while nobody copied is copied at the next start, once."""
    config = tmp_path / "config.yaml"
    config.write_text(
        "role: [authority, station]\nclock: {source: host}\nweb: {listen: '127.0.0.1:0'}\n"
        "stations: [{code: XA, outputs: [{name: main, kind: virtual}]}]\n"
    )
    house = House(load(config, {"LOA_DATA": str(tmp_path / "data")}), environment={})
    house.open()
    outcome = DutyOutcome(
        duty="CDS",
        station="XA",
        period="2026-W47",
        state=DutyState.MISSED,
        deadline=datetime(2026, 11, 22, 17, tzinfo=UTC),
        slots=(),
        reason=Text("Mất điện.", "No power."),
    )
    key = load_or_make(house.data / "keys" / "station-XA.ed25519")
    journal = Journal(house.journal_path("XA"), clock=house.clock, boot="before", key=key)
    journal.start()
    journal.append("duty", dump(outcome))
    journal.stop()

    def copied() -> tuple[DutyOutcome, ...]:
        with house.database.reading() as session:
            return outcomes.listing(session, stations=["XA"])

    house.start({})
    try:
        wait_for("the outcome to be copied", copied)
        assert (outcome,) == copied()
    finally:
        house.stop()
