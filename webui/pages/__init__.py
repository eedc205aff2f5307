"""The pages: what people see of the stations, in Vietnamese and English, over the same acts as the API."""

from __future__ import annotations

from flask import Blueprint, Flask

from webui.auth import public
from webui.pages import (
    account,
    airlog,
    allstations,
    approvals,
    assets,
    assignments,
    authority,
    complaints,
    compose,
    copying,
    coverage,
    days,
    devices,
    dispatches,
    duties,
    dutyrules,
    emergency,
    entrance,
    equipment,
    faults,
    guidance,
    help,
    inbox,
    inspections,
    issuedreports,
    items,
    language,
    layout,
    listenagain,
    listening,
    live,
    more,
    notices,
    occurrence,
    onestop,
    outsidelinks,
    outsider,
    pay,
    pencilling,
    people,
    plan,
    portal,
    programmes,
    programmesheet,
    pronunciations,
    proof,
    proving,
    publishing,
    reportrules,
    reports,
    samples,
    session,
    settings,
    single,
    sources,
    stations,
    texts,
    tickets,
    today,
    trimming,
    trusting,
    undo,
    waveform,
    week,
    weeks,
)
from webui.pages.errors import error_page
from webui.services import Services

_ROOMS = (
    entrance,
    today,
    stations,
    compose,
    items,
    trimming,
    waveform,
    texts,
    samples,
    pronunciations,
    onestop,
    listening,
    guidance,
    approvals,
    undo,
    weeks,
    days,
    allstations,
    copying,
    single,
    pencilling,
    week,
    occurrence,
    session,
    plan,
    dispatches,
    duties,
    coverage,
    portal,
    dutyrules,
    programmes,
    settings,
    sources,
    emergency,
    live,
    airlog,
    proof,
    faults,
    equipment,
    tickets,
    devices,
    inspections,
    complaints,
    assignments,
    help,
    inbox,
    outsider,
    outsidelinks,
    publishing,
    listenagain,
    account,
    authority,
    notices,
    people,
    trusting,
    reports,
    issuedreports,
    reportrules,
    pay,
    programmesheet,
    more,
)


def register(app: Flask, services: Services) -> None:
    """Add the pages to the app. Their built assets are read once, here."""
    built = assets.Assets.load()
    language.register(app)
    proving.register(app)
    layout.register(app, built)
    files = assets.blueprint(built)
    pages = Blueprint("pages", __name__)
    for room in _ROOMS:
        room.routes(pages)
    app.register_blueprint(files)
    app.register_blueprint(pages)
    public(app.view_functions["assets.asset"])


__all__ = ["error_page", "register"]
