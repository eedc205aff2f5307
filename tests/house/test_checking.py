"""Before going on air: what `loa check` finds about cluster groups and the grid."""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey
from sqlalchemy import insert

from config import Config, load, parse
from house.building import House
from house.checking import check
from link.keys import load_or_make
from playout.journal.journal import Journal
from playout.player import playerprocess
from schedules.clock import ClockState, ManualClock
from schedules.findings import Finding, Severity
from schedules.grid import ItemKind, SessionItem, SessionRule
from schedules.programme import Programme
from schedules.sources import RelaySource, SourceKind
from schedules.station import ClusterGroup, Station, Unit
from schedules.text import Text
from store import programmes, sessions, sources, stations, tables, units

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
    yield from opened(tmp_path)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The same for all tests that change nothing but its config.yaml."""
    yield from opened(tmp_path_factory.mktemp("machine"))


def opened(tmp_path: Path) -> Iterator[House]:
    """Yield a house that is open."""
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
    return {finding.code for finding in check(house, thorough=False)}


def test_groups_that_fit_are_not_spoken_of(house: House) -> None:
    """Outputs and station name the same groups."""
    assert codes(house).isdisjoint({"unknown_group", "group_without_output"})


def test_a_group_that_the_station_does_not_have_is_an_error(house: House) -> None:
    """The path names the output in config.yaml, the hint the groups that there are."""
    with house.database.writing() as session:
        station = stations.find(session, "XA")
        assert station is not None
        stations.save(session, replace(station, groups=(ClusterGroup(code="THON2", name="Thôn 2"),)))
    (finding,) = (found for found in check(house, thorough=False) if found.code == "unknown_group")
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
    found = [finding for finding in check(house, thorough=False) if finding.code == "sessions_overlap"]
    assert found
    assert all(finding.where.startswith("XA.sessions[") for finding in found)
    assert {Severity.ERROR} == {finding.severity for finding in found}


def test_a_station_without_a_grid_has_nothing_wrong_in_it(house: House) -> None:
    """No session yet is no finding about one."""
    assert not [finding for finding in check(house, thorough=False) if finding.where.startswith("XA.sessions")]


def on_machine(house: House, output: dict[str, Any], **station: Any) -> None:
    """Let the machine have this one output."""
    data = {
        "clock": {"source": "host"},
        "stations": [{"code": "XA", "outputs": [{"name": "main", **output}], **station}],
    }
    config: Config = parse(data, base=house.data.parent)
    house.config = config.model_copy(update={"data": house.data})


def found(house: House) -> dict[tuple[str, str], Finding]:
    """Return the findings by code and the end of their path; each but the plan's says what to do."""
    findings = check(house, thorough=False)
    assert [] == [f.code for f in findings if f.hint is None and f.where.startswith("stations[0].")]
    return {(finding.code, finding.where.rpartition(".")[2]): finding for finding in findings}


def test_a_machine_that_is_ready_has_nothing_wrong(machine: House) -> None:
    """Player and locked rooms are tried as well, the folder of pipes is made."""
    on_machine(machine, {"kind": "virtual"})
    assert {"group_without_output"} >= {finding.code for finding in check(machine)} - {"sandbox_leaks"}
    assert 0o700 == (machine.data / "run").stat().st_mode & 0o777


def by_code(house: House) -> dict[str, Finding]:
    return {finding.code: finding for finding in check(house, thorough=False)}


def test_stream_outputs_are_asked_and_their_password_files_looked_at(machine: House, tmp_path: Path) -> None:
    """A server that is away, a password that others can read, one that is empty, one that is not there."""
    password = tmp_path / "password"
    password.write_text("bí mật")
    password.chmod(0o644)
    with socket.create_server(("127.0.0.1", 0)) as server:
        mount = f"http://127.0.0.1:{server.getsockname()[1]}/xa.mp3"
        on_machine(machine, {"kind": "icecast", "device": mount, "password_file": str(password)})
        assert {("open_password", "password_file")} == set(found(machine))
        password.chmod(0o600)
        assert {} == found(machine)
        password.write_text("\n")
        assert {("no_password", "password_file")} == set(found(machine))
    password.unlink()
    assert {("no_password", "password_file"), ("no_sound_server", "device")} == set(found(machine))
    on_machine(machine, {"kind": "icecast", "device": "http://127.0.0.1/"})
    assert {("bad_address", "device")} == set(found(machine))


def test_multicast_goes_to_a_group(machine: House) -> None:
    """A single address reaches a single loudspeaker, which somebody may want; half an address nobody."""
    on_machine(machine, {"kind": "rtp", "device": "127.0.0.1:5004"})
    ((key, finding),) = ((k, f) for k, f in by_code(machine).items() if k == "not_multicast")
    assert ("not_multicast", Severity.WARNING) == (key, finding.severity)
    on_machine(machine, {"kind": "rtp", "device": "239.255.1.2"})
    assert "bad_address" in by_code(machine)


def test_sound_cards_and_servers_are_asked(machine: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a server nothing of PulseAudio is there; a card of ALSA by a name that no card has."""
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path}/nobody")
    on_machine(
        machine,
        {"kind": "pulse", "device": "horn", "ear": {"kind": "pulse", "device": "fm"}},
        inputs=[{"name": "micro", "kind": "pulse", "device": "mic"}],
    )
    assert {("no_sound_server", "device"), ("deaf", "device")} == set(found(machine))
    where = {finding.where for finding in check(machine, thorough=False)}
    assert {
        f"stations[0].{tail}" for tail in ("outputs[0].device", "outputs[0].ear.device", "inputs[0].device")
    } == where
    on_machine(machine, {"kind": "alsa", "device": "plughw:CARD=NoSuchCard"})
    assert {("no_device", "device")} == set(found(machine))


@pytest.mark.parametrize(
    ("amplifier", "wrong"),
    [
        ({"kind": "command", "on": "/no/such on", "off": "true"}, {"on"}),
        ({"kind": "command", "on": "true 'x", "off": "true 'x y'"}, {"on"}),
        ({"kind": "http", "on": "http://relay/on", "off": "relay/off"}, {"off"}),
        ({"kind": "http", "on": "http://relay:x/on", "off": "https://relay/off"}, {"on"}),
        ({"kind": "gpio", "on": "/no/such=1", "off": "/no/such"}, {"on", "off"}),
        ({"kind": "command", "on": "true", "off": "true", "feedback": "/no/such"}, {"feedback"}),
        ({"kind": "command", "on": "true", "off": "true"}, set()),
    ],
)
def test_f78_amplifiers_that_cannot_be_switched_are_found_before(
    machine: House, amplifier: dict[str, Any], wrong: set[str]
) -> None:
    """A program that is not there, an address that is none, a pin that cannot be written; nothing is switched."""
    on_machine(machine, {"kind": "virtual", "amplifier": amplifier})
    assert wrong == {tail for code, tail in found(machine) if code in ("amplifier", "no_sensor")}


def test_a_pin_and_a_sensor_that_are_there_are_fine(machine: House, tmp_path: Path) -> None:
    """What can be written and read is not spoken of."""
    pin, sensor = tmp_path / "pin", tmp_path / "sensor"
    pin.write_text("0")
    amplifier = {"kind": "gpio", "on": f"{pin}=1", "off": f"{pin}=0"}
    on_machine(machine, {"kind": "virtual", "amplifier": amplifier, "sensor": str(sensor)})
    assert {("no_sensor", "sensor")} == set(found(machine))
    sensor.write_text("0")
    assert {} == found(machine)


def test_a_line_that_a_session_relays_must_be_an_input_of_the_machine(house: House) -> None:
    """The source names an input; the machine of the station has to have it."""
    items = (SessionItem(id="tiep", kind=ItemKind.RELAY, relay="DAY", length_s=600),)
    rule = SessionRule(
        id="toi", station="XA", name="Tối", starts=(time(18),), length_s=1800, items=items, since=house.clock.now()
    )
    with house.database.writing() as session:
        sources.save(session, RelaySource(code="DAY", name="Đường dây", kind=SourceKind.LINE, address="line"))
        sessions.publish(session, rule, house.clock.now())
    on_machine(house, {"kind": "virtual"})
    assert "unknown_input" in by_code(house)
    on_machine(house, {"kind": "virtual"}, inputs=[{"name": "line", "kind": "alsa", "device": "plughw:CARD=x"}])
    assert "unknown_input" not in by_code(house)


def test_a_journal_that_was_changed_is_found(house: House) -> None:
    """Somebody edited a row: it is named before the station goes on air, and the file is to be kept."""
    path = house.journal_path("XA")
    key: SigningKey = load_or_make(house.data / "keys" / "station-XA.ed25519")
    journal = Journal(path, clock=ManualClock(datetime(2026, 11, 23, tzinfo=UTC)), boot="boot", key=key)
    journal.start()
    for number in range(3):
        journal.append("fault", {"code": "hot", "number": number})
    journal.stop()
    assert "journal_broken" not in by_code(house)
    with sqlite3.connect(path) as connection:
        for (trigger,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {trigger}")
        connection.execute("UPDATE journal SET body = replace(body, '1', '7') WHERE seq = 2")
    connection.close()
    broken = by_code(house)["journal_broken"]
    assert "dòng 2" in broken.message.vi
    assert broken.hint is not None


def test_a_ledger_that_was_changed_is_found(house: House) -> None:
    """An entry that the authority never signed, such as one written into the table by hand."""
    entry = {column.name: "x" for column in tables.ledger.columns} | {"seq": 1, "prev": "0" * 64}
    assert "ledger_broken" not in by_code(house)
    with house.database.writing() as session:
        session.execute(insert(tables.ledger).values(entry))
    assert "ledger_broken" in by_code(house)


@pytest.mark.parametrize("ground", ["before_built", "before_log", "unknown"])
def test_f28_a_clock_that_is_not_trusted_says_what_to_do(
    machine: House, monkeypatch: pytest.MonkeyPatch, ground: str
) -> None:
    """One that cannot be right must be set; one that nothing confirms needs a time service or a person."""
    state = ClockState(trusted=False, reason=Text("Vì sao.", "Why."), ground=ground)
    monkeypatch.setattr(machine.clock, "state", lambda: state)
    finding = by_code(machine)["clock_untrusted"]
    assert finding.hint is not None
    assert ("chrony" in finding.hint.en) is (ground == "unknown")


def test_the_folder_of_pipes_is_made_for_its_owner_alone(house: House) -> None:
    """Whoever makes a station's own folder in it first would leave it open to others, and the check would say so."""
    assert 0o700 == (house.data / "run").stat().st_mode & 0o777
    (house.data / "run" / "XA").mkdir(mode=0o700, parents=True, exist_ok=True)
    assert "run_folder" not in by_code(house)


def test_a_folder_of_pipes_that_others_can_enter_is_an_error(house: House) -> None:
    """Live sound passes there."""
    (house.data / "run").mkdir(mode=0o700, exist_ok=True)
    (house.data / "run").chmod(0o755)
    assert "run_folder" in by_code(house)
    (house.data / "run").rmdir()
    (house.data / "run").write_text("")
    assert "run_folder" in by_code(house)


def test_a_player_that_does_not_start_is_an_error_with_its_last_words(
    house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Such as without libvlc: there would be no sound at all."""
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho libvlc.so.5 is missing >&2\nexit 1\n")
    broken.chmod(0o755)
    on_machine(house, {"kind": "virtual"})
    monkeypatch.setattr("house.checking.readiness.findings", lambda: ())
    monkeypatch.setattr(playerprocess.sys, "executable", str(broken))
    (finding,) = (finding for finding in check(house) if finding.code == "player")
    assert "libvlc.so.5 is missing" in finding.message.en


def test_a_voice_that_is_named_and_not_there_is_told(house: House, tmp_path: Path) -> None:
    """The pages would only not offer it; whoever wrote config.yaml wants to know."""
    assert "voice_missing" not in by_code(house)
    program, model = tmp_path / "piper", tmp_path / "vi.onnx"
    data = {"speech": {"piper": {"program": str(program), "model": str(model)}}, "clock": {"source": "host"}}
    house.config = parse(data, base=tmp_path).model_copy(update={"data": house.data})
    assert "voice_missing" in by_code(house)
    for file in (program, model):
        file.touch(mode=0o755)
    assert "voice_missing" not in by_code(house)
