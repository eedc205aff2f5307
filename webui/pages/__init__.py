"""The pages: what people see of the stations, in Vietnamese and English, over the same acts as the API."""

from __future__ import annotations

from flask import Blueprint, Flask

from webui.auth import public
from webui.pages import (
    airlog,
    approvals,
    assets,
    days,
    dispatches,
    duties,
    dutyrules,
    emergency,
    entrance,
    faults,
    help,
    items,
    language,
    layout,
    live,
    more,
    occurrence,
    plan,
    programmes,
    proof,
    session,
    settings,
    sources,
    stations,
    today,
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
    items,
    waveform,
    approvals,
    undo,
    weeks,
    days,
    week,
    occurrence,
    session,
    plan,
    dispatches,
    duties,
    dutyrules,
    programmes,
    settings,
    sources,
    emergency,
    live,
    airlog,
    proof,
    faults,
    help,
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
