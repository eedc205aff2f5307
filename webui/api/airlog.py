"""The air log over the API: the copy of what stations reported, as JSON and as a table. Nothing here writes."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from urllib.parse import urlencode

from apiflask import APIBlueprint
from flask import Response, jsonify

from schedules.airing import Verdict
from schedules.clock import utc
from schedules.errors import Refused
from schedules.findings import Finding, Severity
from schedules.station import StationCode
from schedules.text import Text
from store import airings
from store.airings import LoggedAiring, Mark
from webui import witnessing, work
from webui.api.documents import AiringOut, AirlogAsked
from webui.api.openapi import content, many
from webui.api.pages import with_next
from webui.auth import allowed, current_person
from webui.problems import language
from webui.services import services

bp = APIBlueprint("airlog", __name__, tag="airlog")

_BACK = timedelta(days=7)
_AHEAD = timedelta(days=1)
_MOST_LINES = 20_000
_COLUMNS = (
    "station",
    "slot",
    "kind",
    "programme",
    "title",
    "segment",
    "sha256",
    "planned_start",
    "planned_end",
    "started_at",
    "ended_at",
    "seconds_aired",
    "samples_aired",
    "samples_expected",
    "bit_exact",
    "start_error_s",
    "holes_s",
    "verdict",
    "reason",
    "rehearsal",
    "evidence",
    "self_approved",
    "by",
    "duty",
    "seq",
    "hash",
)
# What a spreadsheet would take for the beginning of a formula, in its narrow and its full-width form.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20", ";", "|", "%")


@bp.get("/stations/<code>/airlog")
@bp.input(AirlogAsked, location="query", arg_name="asked")
@bp.output(many(AiringOut))
@bp.doc(summary="Rows planned in [from, to), by default the last 7 days, in order of their planned start")
@allowed("airlog.read")
def rows(code: StationCode, asked: AirlogAsked) -> Response:
    """Return rows of the air log; `Link: rel=next` leads to the next part."""
    found = _find(code, asked, asked.limit + 1)
    page = found[: asked.limit]
    answer = jsonify([row.model_dump(mode="json") for row in _rows(page)])
    if len(found) <= asked.limit:
        return answer
    last = page[-1]
    return with_next(answer, {"after": last.seq, "after_start": last.airing.planned_start.isoformat()})


@bp.get("/stations/<code>/airlog.csv")
@bp.input(AirlogAsked, location="query", arg_name="asked")
@bp.doc(
    summary="The same as a table that spreadsheets open as text, never as formulas",
    responses=content("text/csv", "CSV"),
)
@allowed("airlog.read")
def table(code: StationCode, asked: AirlogAsked) -> Response:
    """Return rows of the air log as CSV."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for row in _rows(_find(code, asked, _MOST_LINES)):
        values = row.model_dump(mode="json")
        writer.writerow([cell(values[column]) for column in _COLUMNS])
    return Response(
        # Without the mark at its head, spreadsheets read Vietnamese letters as something else.
        "\ufeff" + text.getvalue(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="airlog-{code}.csv"'},
    )


def cell(value: object) -> str:
    """Return a value as a cell that no spreadsheet runs: text that looks like a formula gets an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    text = str(value)
    return f"'{text}" if text.lstrip().startswith(_FORMULA) or text.startswith(_FORMULA) else text


def _find(code: StationCode, asked: AirlogAsked, limit: int) -> tuple[LoggedAiring, ...]:
    work.visible_station(code, person=current_person())
    here = services()
    now = here.clock.now()
    after = None
    if asked.after is not None and asked.after_start is not None:
        after = Mark(planned_start=utc(asked.after_start), station=code, seq=asked.after)
    with here.database.reading() as session:
        return airings.listing(
            session,
            stations=(code,),
            start=utc(asked.from_) if asked.from_ else now - _BACK,
            end=utc(asked.to) if asked.to else now + _AHEAD,
            programme=asked.programme,
            verdicts=_verdicts(asked.verdict),
            after=after,
            limit=limit,
        )


def _verdicts(text: str) -> tuple[Verdict, ...]:
    try:
        return tuple(Verdict(name.strip()) for name in text.split(",") if name.strip())
    except ValueError as error:
        raise Refused(
            Finding(
                code="verdict_unknown",
                severity=Severity.ERROR,
                where="verdict",
                message=Text("Không có kết quả này.", "There is no such verdict."),
            )
        ) from error


def _rows(found: tuple[LoggedAiring, ...]) -> list[AiringOut]:
    known = witnessing.standings([row.airing for row in found])
    return [
        AiringOut.of(row, language(), aircheck=aircheck_of(row), grade=known[row.airing.slot].grade) for row in found
    ]


def aircheck_of(row: LoggedAiring) -> str | None:
    """Return the address of what the station recorded of an airing, None where it never sounded."""
    if row.airing.started_at is None or row.airing.ended_at is None or row.station not in services().doors:
        return None
    span = {"from": row.airing.started_at.isoformat(), "to": row.airing.ended_at.isoformat()}
    return f"/api/v1/stations/{row.station}/aircheck.m3u8?{urlencode(span)}"
