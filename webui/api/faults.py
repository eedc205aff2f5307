"""The register of faults over the API: those that last first, with who was told of each."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from apiflask import APIBlueprint
from flask import Response, jsonify
from pydantic import Field

from schedules.clock import utc
from store import faults, stations
from store.faults import Fault, Mark, Told
from webui import work
from webui.api.documents import Answer, Asked, Question, When
from webui.api.openapi import many
from webui.api.pages import with_next
from webui.auth import allowed, current_person
from webui.problems import language
from webui.services import services

bp = APIBlueprint("faults", __name__, tag="stations")


class FaultsAsked(Question):
    """Which faults. open: only those that last, or only the others. code: its beginning."""

    station: str | None = None
    open: bool | None = None
    code: Annotated[str, Field(max_length=200)] = ""
    from_: Annotated[Asked | None, Field(alias="from")] = None
    to: Asked | None = None
    after: Annotated[str, Field(max_length=200)] = ""
    limit: Annotated[int, Field(ge=1, le=500)] = 100


class ToldOut(Answer):
    """Somebody who was told, and when."""

    name: str
    role: str
    unit: str
    at: When

    @classmethod
    def of(cls, one: Told) -> ToldOut:
        """Return it as a document."""
        return cls(name=one.name, role=one.role, unit=one.unit, at=one.at)


class FaultRow(Answer):
    """A fault. state: open, closed, once (over at once), restarted (the station stopped while it was open).

    trusted: whether the station believed its clock when it wrote `since`. seq, hash: of its first row in the journal.
    """

    station: str
    code: str
    state: str
    since: When
    until: When | None
    trusted: bool
    message: str | None
    hint: str | None
    details: dict[str, Any]
    told: list[ToldOut]
    seq: int
    hash: str

    @classmethod
    def of(cls, fault: Fault, language: str) -> FaultRow:
        """Return it in that language."""
        return cls(
            station=fault.station,
            code=fault.code,
            state=fault.state,
            since=fault.since,
            until=fault.until,
            trusted=fault.trusted,
            message=None if fault.message is None else fault.message.in_language(language),
            hint=None if fault.hint is None else fault.hint.in_language(language),
            details=dict(fault.details),
            told=[ToldOut.of(one) for one in fault.told],
            seq=fault.seq,
            hash=fault.hash,
        )


@bp.get("/faults")
@bp.input(FaultsAsked, location="query", arg_name="asked")
@bp.output(many(FaultRow))
@bp.doc(summary="The register of faults, those that last first, then the newest")
@allowed("faults.read")
def listing(asked: FaultsAsked) -> Response:
    """Return faults; `Link: rel=next` leads to the next part."""
    person = current_person()
    if asked.station is not None:
        work.visible_station(asked.station, person=person)
    with services().database.reading() as session:
        codes = [station.code for station in stations.every(session) if station.unit in person.reach]
        found = faults.listing(
            session,
            stations=codes if asked.station is None else [asked.station],
            open=asked.open,
            code=asked.code,
            start=utc(asked.from_) if asked.from_ else None,
            end=utc(asked.to) if asked.to else None,
            after=mark_from(asked.after),
            limit=asked.limit + 1,
        )
    page = found[: asked.limit]
    answer = jsonify([FaultRow.of(fault, language()).model_dump(mode="json") for fault in page])
    return with_next(answer, {"after": mark_text(page[-1])} if len(found) > asked.limit else None)


def mark_text(last: Fault) -> str:
    """Return where a part of the list ended, for the address of the next one."""
    return f"{int(last.open)}~{last.since.isoformat()}~{last.station}~{last.seq}"


def mark_from(text: str) -> Mark | None:
    """Return where a part ended; None for a text that says nothing."""
    try:
        lasting, since, station, seq = text.split("~")
        moment = datetime.fromisoformat(since.replace(" ", "+"))
        return Mark(open=lasting == "1", since=utc(moment), station=station, seq=int(seq))
    except ValueError:
        return None
