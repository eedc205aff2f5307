"""Nothing that stands in an address comes back as markup, whatever page it is sent to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAYLOADS = (
    '"><script>alert(1)</script>',
    "'><img src=x onerror=alert(1)>",
    "javascript:alert(1)",
    "</textarea><svg/onload=alert(1)>",
)
_ARGUMENT = re.compile(r"<(?:[^:>]+:)?([^>]+)>")
_NAMES = re.compile(r'args\.get(?:list)?\(\s*"([a-z_]+)"')
_RAW = re.compile(r"<script>alert|<img src=x|<svg/onload|(?:href|src|action)=[\"']?javascript:", re.I)


def _parameters() -> list[str]:
    """Return every name that a page reads out of its address."""
    found = {name for path in (ROOT / "webui").rglob("*.py") for name in _NAMES.findall(path.read_text("utf-8"))}
    assert {"dai", "tu", "den"} <= found
    return sorted(found)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_s35_nothing_in_an_address_comes_back_as_markup(world, payload):
    """S35: every page and every call that can be read, with every parameter and every part of its path hostile."""
    client = world.signed_in("admin-minhlong")
    query = dict.fromkeys(_parameters(), payload)
    asked = 0
    for rule in world.app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.endpoint.startswith(("static", "assets", "openapi")):
            continue
        known = _ARGUMENT.sub("LONGHIEP", rule.rule)
        hostile = _ARGUMENT.sub(payload.replace("/", "%2F"), rule.rule)
        for path in {known, hostile}:
            answer = client.get(path, query_string=query)
            asked += 1
            assert answer.status_code < 500, f"{path}: {answer.status_code}"
            assert not _RAW.search(answer.data.decode("utf-8", "replace")), path
            assert answer.headers["X-Content-Type-Options"] == "nosniff", path
            if rule.rule.startswith("/api/") and answer.mimetype.endswith("json"):
                assert "text/html" not in answer.content_type
    assert asked > 100
