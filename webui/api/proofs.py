"""Airings over the API: one with all that is known of it, its proof to take away, and what people say of it."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from apiflask import APIBlueprint
from flask import Response
from pydantic import Field

from link.proof import file_name
from store.evidence import Measurement
from store.ledger import Entry
from webui import witnessing
from webui.api.airlog import aircheck_of
from webui.api.documents import AiringOut, Answer, Question, When
from webui.api.openapi import content
from webui.auth import allowed, current_person
from webui.problems import language

bp = APIBlueprint("proofs", __name__, tag="airlog")


class MeasuredOut(Answer):
    """One piece of evidence. share: 0 to 1 of what should sound. source: what heard it, or `aircheck`."""

    seq: int
    hash: str
    at: When
    grade: str
    output: str | None
    source: str
    offset_ms: float | None
    share: float | None
    matched_s: float | None
    silent_s: float
    foreign_s: float
    level_dbfs: float | None
    files: list[str]

    @classmethod
    def of(cls, one: Measurement) -> MeasuredOut:
        """Return it as a document."""
        return cls(
            seq=one.seq,
            hash=one.hash,
            at=one.at,
            grade=one.grade.value,
            output=one.output,
            source=one.source,
            offset_ms=one.offset_ms,
            share=one.share,
            matched_s=one.matched_s,
            silent_s=one.silent_s,
            foreign_s=one.foreign_s,
            level_dbfs=one.level_dbfs,
            files=list(one.files),
        )


class SaidOut(Answer):
    """What a person said, as it stands in the authority's ledger. heard: null for a remark."""

    seq: int
    hash: str
    at: When
    kind: str
    name: str
    role: str
    unit: str
    heard: bool | None
    text: str

    @classmethod
    def of(cls, entry: Entry) -> SaidOut:
        """Return it as a document."""
        return cls(
            seq=entry.seq,
            hash=entry.hash,
            at=entry.at,
            kind=entry.kind,
            name=entry.name,
            role=entry.role,
            unit=entry.unit,
            heard=entry.heard,
            text=entry.text,
        )


class AiringWhole(Answer):
    """One airing with all that is known of it. doubtful: something was heard that should not be so."""

    airing: AiringOut
    doubtful: bool
    measured: list[MeasuredOut]
    said: list[SaidOut]
    proof: str


class Confirmation(Question):
    """Whether one heard it, and what one has to say about it."""

    heard: bool
    text: Annotated[str, Field(max_length=witnessing.LONGEST)] = ""


class Remark(Question):
    """What one has to say about it."""

    text: Annotated[str, Field(min_length=1, max_length=witnessing.LONGEST)]


@bp.get("/airings/<path:slot>")
@bp.output(AiringWhole)
@bp.doc(summary="One airing: its row, what was heard of it, what people say")
@allowed("airlog.read")
def one(slot: str) -> AiringWhole:
    """Return an airing."""
    row = witnessing.visible_airing(slot, person=current_person())
    stands = witnessing.standings([row.airing])[slot]
    return AiringWhole(
        airing=AiringOut.of(row, language(), aircheck=aircheck_of(row), grade=stands.grade),
        doubtful=stands.known.doubtful or stands.denied > 0,
        measured=[MeasuredOut.of(one) for one in witnessing.heard(slot)],
        said=[SaidOut.of(entry) for entry in witnessing.said(slot)],
        proof=f"/api/v1/airings/{quote(slot)}/proof",
    )


@bp.get("/airings/<path:slot>/proof")
@bp.doc(
    summary="Its proof as a file, which `loa journal verify` checks on any machine",
    responses=content("application/zip", "ZIP"),
)
@allowed("aircheck.listen")
def proof(slot: str) -> Response:
    """Return the file."""
    return as_file(witnessing.proof(slot, person=current_person()), slot)


@bp.post("/airings/<path:slot>/confirmations")
@bp.input(Confirmation, arg_name="says")
@bp.output(SaidOut, status_code=201)
@bp.doc(summary="Say that one heard it, or did not; once for good, with one's name")
@allowed("airings.confirm")
def confirm(slot: str, says: Confirmation) -> Any:  # noqa: ANN401
    """Write it into the authority's ledger."""
    return SaidOut.of(witnessing.confirm(slot, yes=says.heard, text=says.text, person=current_person())), 201


@bp.post("/airings/<path:slot>/remarks")
@bp.input(Remark, arg_name="says")
@bp.output(SaidOut, status_code=201)
@bp.doc(summary="Add a remark; none is ever changed")
@allowed("airings.confirm")
def remark(slot: str, says: Remark) -> Any:  # noqa: ANN401
    """Write it into the authority's ledger."""
    return SaidOut.of(witnessing.remark(slot, text=says.text, person=current_person())), 201


def as_file(made: bytes, slot: str) -> Response:
    """Return a proof as an answer that is kept by nobody on the way."""
    response = Response(made, content_type="application/zip")
    response.headers["Content-Disposition"] = f'attachment; filename="{file_name(slot)}"'
    response.headers["Cache-Control"] = "private, no-store"
    return response
