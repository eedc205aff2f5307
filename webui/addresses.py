"""Whole addresses of pages, for what leaves this machine: links, QR codes, feeds, calendars."""

from __future__ import annotations

from typing import Any

from flask import url_for

from store import authority
from webui.services import services


def absolute(endpoint: str, **values: Any) -> str:  # noqa: ANN401 - whatever the rule names
    """Return the whole address of a page: under the address that was decided, never under one that a stranger named.

    Without a decision it is the host that was asked, which is one of the trusted ones.
    """
    here = services()
    with here.database.reading() as session:
        decided = authority.value(session, authority.BASE_URL)
    base = (decided or here.settings.base_url or "").rstrip("/")
    if base:
        return f"{base}{url_for(endpoint, **values)}"
    return url_for(endpoint, _external=True, **values)
