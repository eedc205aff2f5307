"""The app: API and pages over the same services, behind one gate, with one way to tell what went wrong."""

from __future__ import annotations

from datetime import timedelta

from apiflask import APIFlask
from flask import abort, request

from webui import api, auth, bodies, headers, pages, problems, secretkey
from webui.arrival import ArrivalRequest
from webui.services import KEY, Services

_FORM_BYTES = 1024 * 1024
_FIELD_BYTES = 500_000
_MOST_PARTS = 200
_UPLOADS = "segments.create"


def create_app(services: Services) -> APIFlask:
    """Return the app. Raises ConfigError for a weak secret, RuntimeError for a view without an access mark."""
    settings = services.settings
    app = APIFlask(
        "webui",
        title="Loa",
        version=services.version,
        spec_path="/api/v1/openapi.json",
        docs_path=None,
        json_errors=False,
    )
    app.request_class = ArrivalRequest
    app.config.update(
        SECRET_KEY=secretkey.check(settings.secret_key, where="secret_key"),
        TRUSTED_HOSTS=list(settings.trusted_hosts),
        SESSION_COOKIE_NAME="loa",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure or (settings.base_url or "").startswith("https:"),
        PERMANENT_SESSION_LIFETIME=timedelta(hours=12),
        # Tokens live as long as the session: a form that was open over lunch must not lose what was typed.
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_CHECK_DEFAULT=False,
        MAX_CONTENT_LENGTH=_FORM_BYTES,
        MAX_FORM_MEMORY_SIZE=_FIELD_BYTES,
        MAX_FORM_PARTS=_MOST_PARTS,
        VALIDATION_ERROR_STATUS_CODE=400,
        SEND_FILE_MAX_AGE_DEFAULT=timedelta(days=365),
    )
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # Flask's default provider has it
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions[KEY] = services

    @app.before_request
    def sizes() -> None:
        if request.headers.get("Content-Encoding", "identity") != "identity":
            # Nothing here unpacks: a body that claims to be packed is a mistake or a bomb.
            abort(415)
        if request.endpoint is not None and auth.access(app, request.endpoint) == _UPLOADS:
            request.max_content_length = settings.max_upload_bytes + _FORM_BYTES
        if (files := bodies.most_bytes(app)) is not None:
            request.max_content_length = files + _FORM_BYTES

    auth.register(app)
    headers.register(app)
    problems.register(app, pages.error_page)
    api.register(app)
    pages.register(app, services)
    _only_answer_known_views(app)
    auth.check_routes(app)
    return app


def _only_answer_known_views(app: APIFlask) -> None:
    # APIFlask's own view of the OpenAPI document: there is nothing secret in it.
    for endpoint in ("openapi.spec",):
        if endpoint in app.view_functions:
            auth.public(app.view_functions[endpoint])
