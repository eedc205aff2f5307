"""Acts on the authority as a whole: its settings, and its units with their dates and successors."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from schedules.errors import Conflict, NotAllowed, Refused
from schedules.findings import Finding, Severity
from schedules.station import Station, Unit, units_below
from schedules.text import Text
from store import authority, revision, stations, units
from store.accounts import Person
from store.authority import EVERY, AnySetting, Value
from webui.rights import reach
from webui.services import services
from webui.work import require, trace


def of_whole(person: Person) -> bool:
    """Return whether the person acts for everything there is: what holds for all is decided only there."""
    with services().database.reading() as session:
        return _whole(session, person)


def decide(wanted: Mapping[str, Value | None], *, person: Person) -> int:
    """Keep what was decided for the whole authority; returns how many settings changed. None leaves one as it is.

    Raises NotAllowed for whoever does not stand above everything, Refused with every value that is out of its limits.
    """
    here = services()
    now = here.clock.now()
    with here.database.writing() as session:
        _require_whole(session, person)
        problems: list[Finding] = []
        count = 0
        for key, value in wanted.items():
            setting = EVERY[key]
            if value is None:
                continue
            problems += _address_problem(setting, value)
            try:
                if authority.decide(session, setting, value, person=person, now=now):
                    count += 1
                    told = "…" if setting.secret else str(value)
                    trace(session, "setting.change", key, person, detail=told)
            except Refused as refused:
                problems += refused.findings
        if problems:
            raise Refused(*problems)
    return count


def add_unit(unit: Unit, *, station: bool, person: Person) -> None:
    """Add a unit, with a loudspeaker station of the same code if asked. Raises Conflict, NotAllowed."""
    here = services()
    with here.database.writing() as session:
        require(person, "settings.edit", unit.parent or "")
        if units.find(session, unit.code) is not None or (station and stations.find(session, unit.code) is not None):
            raise Conflict(_finding("code_taken", "Mã này đã có.", "This code is taken.", where="code"))
        units.save(session, unit)
        if station:
            stations.save(session, Station(code=unit.code, name=f"Đài {unit.name}", unit=unit.code))
        revision.bump(session)
        trace(session, "unit.add", unit.code, person, detail=unit.name)
    here.wake()


def change_unit(unit: Unit, *, person: Person) -> None:
    """Change a unit's name, place, dates or successor. Raises Refused where it would stand below itself."""
    here = services()
    with here.database.writing() as session:
        require(person, "settings.edit", unit.code)
        every = units.every(session)
        if unit.parent in units_below(every, unit.code):
            raise Refused(
                _finding(
                    "unit_below_itself",
                    "Đơn vị không thể nằm dưới chính nó. Chưa có gì thay đổi.",
                    "A unit cannot stand below itself. Nothing was changed.",
                    where="parent",
                )
            )
        units.save(session, unit)
        revision.bump(session)
        trace(session, "unit.change", unit.code, person, detail=f"{unit.name} {unit.parent} {unit.valid_until}")
    here.wake()


def _whole(session: Session, person: Person) -> bool:
    return {unit.code for unit in units.every(session)} <= reach(person)


def _require_whole(session: Session, person: Person) -> None:
    if not _whole(session, person):
        raise NotAllowed(
            _finding(
                "not_whole",
                "Cài đặt này dùng chung cho mọi đơn vị, chỉ cấp trên cùng đổi được. Chưa có gì thay đổi.",
                "This holds for every unit: only the topmost one decides it. Nothing was changed.",
            )
        )


def _address_problem(setting: AnySetting, value: Value) -> list[Finding]:
    if setting.key != authority.BASE_URL.key or not value:
        return []
    parts = urlsplit(str(value))
    if parts.scheme in {"http", "https"} and parts.hostname and not parts.query and not parts.fragment:
        return []
    return [
        _finding(
            "setting_wrong",
            "Địa chỉ hệ thống phải như https://loa.xa.vn. Chưa có gì thay đổi.",
            "The address must look like https://loa.commune.vn. Nothing was changed.",
            where=setting.key,
        )
    ]


def _finding(code: str, vi: str, en: str, *, where: str = "") -> Finding:
    return Finding(code=code, severity=Severity.ERROR, message=Text(vi, en), where=where)
