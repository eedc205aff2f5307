"""Long lists in parts: the address of the next part, as RFC 8288 writes it."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from flask import Response, request


def with_next(response: Response, change: Mapping[str, object] | None) -> Response:
    """Return the answer with a `Link: <…>; rel="next"` that asks the same with `change`; None: it was the last part."""
    if change is not None:
        query = urlencode({**request.args.to_dict(), **change})
        response.headers["Link"] = f'<{request.path}?{query}>; rel="next"'
    return response
