"""Intent on its way down: whole, signed, and only what concerns the station."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from link.codec import canonical, dump, load
from link.keys import load_or_make
from link.manifest import for_station, seal, unseal
from link.scenariofile import read
from schedules.airing import Facts
from schedules.clock import Interval
from schedules.duty import Excuse
from schedules.errors import SignatureInvalid
from schedules.grid import CalendarDay, Change, DayKind, SessionException, WeekTemplate
from schedules.intent import Intent
from schedules.planner import plan
from schedules.station import Station, Unit
from schedules.text import Text
from tests.schedules.builders import BEFORE, duty, intent, local, one_off, place, segment, session

KEY = SigningKey(b"a" * 32)
DECIDED = intent(
    segments=(segment("moi"), segment("huyen", owner="HUYEN"), segment("khac", owner="KHAC")),
    sessions=(session(place("cds", programme="CDS")),),
    one_offs=(one_off("1", "moi", local(23, 9)),),
    duties=(duty(stations=("XA", "KHAC")),),
)


def test_intent_comes_back_as_it_was() -> None:
    """Times, enums and nested values survive the way through JSON."""
    assert DECIDED == unseal(seal(DECIDED, KEY), KEY.verify_key)
    assert DECIDED == load(Intent, dump(DECIDED))


def test_the_same_intent_has_the_same_bytes() -> None:
    """The document is canonical: signing twice gives the same."""
    assert seal(DECIDED, KEY) == seal(DECIDED, KEY)


@pytest.mark.parametrize("position", [0, 10, 200, 500, -2, -100])
def test_a_changed_byte_is_refused(position: int) -> None:
    """Whoever changes the plan on its way is found out."""
    document = bytearray(seal(DECIDED, KEY))
    document[position] ^= 1

    with pytest.raises(SignatureInvalid):
        unseal(bytes(document), KEY.verify_key)


def test_another_authority_is_refused() -> None:
    """A document signed by anyone else is not intent."""
    with pytest.raises(SignatureInvalid):
        unseal(seal(DECIDED, SigningKey(b"b" * 32)), KEY.verify_key)


@pytest.mark.parametrize("document", [b"", b"null", b"[]", b'{"body":{}}', b'{"body":{},"signature":"zz"}'])
def test_what_is_no_document_is_refused(document: bytes) -> None:
    """A captive portal's page or half a file is never taken for a plan."""
    with pytest.raises(SignatureInvalid):
        unseal(document, KEY.verify_key)


def test_an_unknown_schema_is_refused_although_signed() -> None:
    """A document of a later version is not half understood."""
    data = json.loads(seal(DECIDED, KEY))
    body = {**data["body"], "schema": 99}
    signed = canonical({"body": body, "signature": KEY.sign(canonical(body)).signature.hex()})

    with pytest.raises(SignatureInvalid, match="schema"):
        unseal(signed, KEY.verify_key)


def test_a_station_gets_nothing_of_its_neighbours() -> None:
    """Recordings of its own unit and those above, its own rules, orders and duties."""
    mine = for_station(DECIDED, "XA")

    assert {"moi", "huyen"} == {s.id for s in mine.segments}
    assert (("XA",),) == tuple(d.stations for d in mine.duties)
    assert ("XA",) == tuple(s.code for s in mine.stations)


def test_what_belongs_to_a_station_comes_with_it() -> None:
    """Its weeks, exceptions and excuses, the calendar, libraries of merged units, and duties of a merged station."""
    units = (*DECIDED.units, Unit(code="CU", name="Xã cũ", parent="HUYEN", successor="XA"))
    units = (*units, Unit(code="HUYENCU", name="Huyện cũ", successor="HUYEN"))
    before = Station(code="CU", name="Đài cũ", unit="CU", successor="XA")
    decided = replace(
        DECIDED,
        units=units,
        stations=(*DECIDED.stations, before, Station(code="KHAC", name="Đài khác", unit="KHAC")),
        segments=(*DECIDED.segments, segment("cu", owner="CU"), segment("huyencu", owner="HUYENCU")),
        duties=(duty(code="CU", stations=("CU", "KHAC")), duty(code="KHAC", stations=("KHAC",))),
        templates=(week("XA"), week("KHAC")),
        exceptions=(cancelled("XA"), cancelled("KHAC")),
        excuses=(excuse("XA"), excuse("KHAC")),
        calendar=(CalendarDay(day=date(2026, 9, 2), kind=DayKind.HOLIDAY, name="Quốc khánh"),),
    )
    mine = for_station(decided, "XA")

    assert {"moi", "huyen", "cu", "huyencu"} == {s.id for s in mine.segments}
    assert {"XA", "HUYEN", "CU", "HUYENCU"} == {u.code for u in mine.units}
    assert ["XA", "CU"] == [s.code for s in mine.stations]
    assert [("CU", ("CU",))] == [(d.code, d.stations) for d in mine.duties]
    assert ["XA"] == [t.station for t in mine.templates] == [e.station for e in mine.exceptions]
    assert ["XA"] == [e.station for e in mine.excuses]
    assert decided.calendar == mine.calendar


def week(station: str) -> WeekTemplate:
    return WeekTemplate(id="tet", station=station, name="Tết", since=BEFORE)


def cancelled(station: str) -> SessionException:
    day = date(2026, 11, 24)
    return SessionException(id=station, station=station, session="sang", day=day, change=Change.CANCEL, since=BEFORE)


def excuse(station: str) -> Excuse:
    day = date(2026, 11, 24)
    return Excuse(station=station, first=day, last=day, document="15/QĐ", reason=Text("Đài hỏng.", "Out of service."))


SCENARIOS = sorted((Path(__file__).parents[2] / "schedules" / "scenarios").glob("*.yaml"))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_a_station_plans_from_its_part_as_from_the_whole(path: Path) -> None:
    """Whatever the plan of a station depends on travels to it: two weeks of each shipped scenario are the same."""
    scenario = read(path)
    now = scenario.now or local(23, 5)
    whole = scenario.intent(now)
    for station in whole.stations:
        mine = unseal(seal(for_station(whole, station.code), KEY), KEY.verify_key)
        during = Interval(now, now + timedelta(days=14))
        facts = Facts(station=station.code)
        assert plan(whole, facts, now, during) == plan(mine, facts, now, during)


def test_a_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    """The second start finds the first one's key; nobody else may read it."""
    path = tmp_path / "keys" / "authority.ed25519"

    assert bytes(load_or_make(path)) == bytes(load_or_make(path))
    assert 0o600 == path.stat().st_mode & 0o777
