"""The HTTP API under /api/v1: what pages do, for programs."""

from __future__ import annotations

from apiflask import APIFlask
from flask import abort, request

from webui.api import (
    aircheck,
    airlog,
    duties,
    emergencies,
    faults,
    health,
    preview,
    proofs,
    recordings,
    reports,
    stations,
    uploads,
)
from webui.auth import API

_BODIES = frozenset(
    {
        "application/json",
        "application/octet-stream",
        "application/offset+octet-stream",
        "multipart/form-data",
        "application/x-www-form-urlencoded",
    }
)


def register(app: APIFlask) -> None:
    """Add the API to the app."""

    @app.before_request
    def kinds() -> None:
        # JSON that calls itself text could be sent from a foreign page without the browser asking first.
        if request.path.startswith(API) and request.content_length and request.mimetype not in _BODIES:
            abort(415)

    modules = (health, recordings, uploads, stations, preview, airlog, proofs, aircheck, duties, faults, emergencies)
    for module in (*modules, reports):
        app.register_blueprint(module.bp, url_prefix="/api/v1")
