"""What every answer tells the browser to refuse: foreign scripts, frames, guessing at types, keeping private things."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, Response, g, request

View = TypeVar("View", bound=Callable[..., Any])

_FRAMABLE = "loa_framable"
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; media-src 'self' blob:; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)


def framable(view: View) -> View:
    """Mark a view as one that other sites may show in a frame: there is nothing on it that a click could change."""
    setattr(view, _FRAMABLE, True)
    return view


STYLE_NONCE = "style_nonce"
"""Where a view leaves the number of the one style sheet that a library brings into its page."""


def register(app: Flask) -> None:
    """Add the headers to every answer of the app."""

    @app.after_request
    def guard(response: Response) -> Response:
        headers = response.headers
        framed = request.endpoint is not None and hasattr(app.view_functions[request.endpoint], _FRAMABLE)
        headers["Content-Security-Policy"] = _policy(framed=framed)
        headers["X-Content-Type-Options"] = "nosniff"
        if not framed:
            headers["X-Frame-Options"] = "DENY"
        # The address of a one-time link must not travel to another site.
        headers.setdefault("Referrer-Policy", "same-origin")
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(self)"
        if request.is_secure:
            headers["Strict-Transport-Security"] = "max-age=31536000"
        if request.endpoint != "static" and "Cache-Control" not in headers:
            headers["Cache-Control"] = "private, no-store"
        return response


def _policy(*, framed: bool) -> str:
    policy = CONTENT_SECURITY_POLICY
    if framed:
        policy = policy.replace("frame-ancestors 'none'", "frame-ancestors *")
    nonce = g.get(STYLE_NONCE)
    return policy if nonce is None else policy.replace("style-src 'self'", f"style-src 'self' 'nonce-{nonce}'")
