"""Reports over the API: the same numbers as on the page and in the files."""

from __future__ import annotations

from typing import Annotated, Any

from apiflask import APIBlueprint
from flask import Response, jsonify
from pydantic import Field

from webui import reporting
from webui.api.documents import Question
from webui.api.openapi import content
from webui.auth import allowed, current_person

bp = APIBlueprint("reports", __name__, tag="airlog")


class ReportAsked(Question):
    """Which report. unit: by default the caller's. station, programme: empty for all.

    period: 2026-W48, 2026-11, 2026-Q4 or 2026.
    """

    unit: Annotated[str, Field(max_length=40)] = ""
    station: Annotated[str, Field(max_length=40)] = ""
    programme: Annotated[str, Field(max_length=40)] = ""
    period: Annotated[str, Field(max_length=10)]


@bp.get("/reports")
@bp.input(ReportAsked, location="query", arg_name="asked")
@bp.doc(
    summary="Counts of a period, a line a station and the sum; items, airings, minutes and relay hours apart",
    responses=content("application/json", "The figures"),
)
@allowed("reports.read")
def figures(asked: ReportAsked) -> Response:
    """Return the figures of a report that is not issued."""
    person = current_person()
    wanted = reporting.asked(
        unit=asked.unit or person.unit,
        station=asked.station,
        programme=asked.programme,
        period=asked.period,
        person=person,
    )
    found: dict[str, Any] = reporting.figures(reporting.compute(wanted).report)
    return jsonify({"unit": wanted.unit.code} | found)
