"""What is known of an airing beside its verdict: what was heard of it, what people say, its proof to take away."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from link.keys import load_or_make
from schedules.airing import Airing, Evidence
from schedules.errors import Refused, Unknown
from schedules.findings import Finding, Severity
from schedules.text import Text
from store import airings, evidence, ledger
from store.accounts import Person
from store.airings import LoggedAiring
from store.evidence import Known, Measurement
from store.ledger import Entry
from webui import work
from webui.services import services

LONGEST = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one airing stands. grade: the best that is known now, people's word included. measured: without it.

    confirmed, denied: how many people heard it, and how many did not.
    """

    grade: Evidence
    measured: Evidence
    known: Known
    confirmed: int = 0
    denied: int = 0


def visible_airing(slot: str, *, person: Person) -> LoggedAiring:
    """Return the newest row of a slot whose station the person reaches. Raises Unknown for every other one."""
    with services().database.reading() as session:
        found = airings.of_slot(session, slot)
        if found is None:
            raise Unknown(_no_airing())
        work.station_of(session, found.station, person)
        return found


def standings(rows: Collection[Airing]) -> Mapping[str, Standing]:
    """Return how airings stand, by slot; asked once for a whole page of the log."""
    slots = [row.slot for row in rows]
    with services().database.reading() as session:
        heard, said = evidence.of_slots(session, slots), ledger.of_slots(session, slots)
    return {row.slot: standing(row, heard.get(row.slot, Known()), said.get(row.slot, ())) for row in rows}


def standing(row: Airing, known: Known, said: Collection[Entry]) -> Standing:
    """Return how one airing stands."""
    measured = evidence.better(row.evidence, known.best)
    confirmed = sum(1 for entry in said if entry.confirms)
    return Standing(
        grade=evidence.better(measured, Evidence.H if confirmed else None),
        measured=measured,
        known=known,
        confirmed=confirmed,
        denied=sum(1 for entry in said if entry.heard is False),
    )


def heard(slot: str) -> tuple[Measurement, ...]:
    """Return what was heard of an airing, oldest first."""
    with services().database.reading() as session:
        return evidence.of_slot(session, slot)


def said(slot: str) -> tuple[Entry, ...]:
    """Return what people said of an airing, oldest first."""
    with services().database.reading() as session:
        return ledger.of_slot(session, slot)


def confirm(slot: str, *, yes: bool, text: str, person: Person) -> Entry:
    """Write into the authority's ledger that the person heard the airing, or did not; once for good.

    Raises Conflict for a second time, Refused before the airing, NotAllowed, Unknown.
    """
    row = _mine(slot, person)
    here = services()
    now = here.clock.now()
    if row.airing.planned_start > now:
        raise Refused(_too_early())
    key = load_or_make(here.data / "keys" / "authority.ed25519")
    with here.database.writing() as session:
        entry = ledger.confirm(session, row, person, heard=yes, text=_line(text, needed=False), now=now, key=key)
        work.trace(session, "airing.confirm", slot, person, detail="heard" if yes else "not heard")
    return entry


def remark(slot: str, *, text: str, person: Person) -> Entry:
    """Add a remark about an airing to the authority's ledger. Raises Refused, NotAllowed, Unknown."""
    row = _mine(slot, person)
    here = services()
    key = load_or_make(here.data / "keys" / "authority.ed25519")
    with here.database.writing() as session:
        entry = ledger.remark(session, row, person, text=_line(text, needed=True), now=here.clock.now(), key=key)
        work.trace(session, "airing.remark", slot, person)
    return entry


def proof(slot: str, *, person: Person) -> bytes:
    """Return the proof of an airing, as its station makes it. Raises Unknown where none can be had."""
    row = visible_airing(slot, person=person)
    door = services().doors.get(row.station)
    made = None if door is None else door.proof(slot)
    if made is None:
        raise Unknown(
            Finding(
                code="no_proof",
                severity=Severity.ERROR,
                message=Text(
                    "Chưa lấy được tệp minh chứng từ máy phát.", "The proof cannot be had from the station now."
                ),
                hint=Text("Hãy thử lại khi đài có liên lạc.", "Try again when the station is in contact."),
            )
        )
    return made


def _mine(slot: str, person: Person) -> LoggedAiring:
    row = visible_airing(slot, person=person)
    work.require(person, "airings.confirm", work.visible_station(row.station, person=person))
    return row


def _line(text: str, *, needed: bool) -> str:
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    if len(line) > LONGEST or (needed and not line):
        raise Refused(
            Finding(
                code="remark_wrong",
                severity=Severity.ERROR,
                where="text",
                message=Text(
                    f"Nhận xét dài từ 1 đến {LONGEST} ký tự. Chưa ghi gì.",
                    f"A remark has 1 to {LONGEST} characters. Nothing was written.",
                ),
            )
        )
    return line


def _no_airing() -> Finding:
    return Finding(
        code="no_airing",
        severity=Severity.ERROR,
        message=Text("Không có lượt phát này.", "There is no such airing."),
    )


def _too_early() -> Finding:
    return Finding(
        code="not_aired_yet",
        severity=Severity.ERROR,
        message=Text(
            "Lượt phát này chưa tới giờ nên chưa xác nhận được.",
            "This airing is still to come: nobody can have heard it.",
        ),
    )
