"""How answers are told to APIFlask, where its own types are narrower than what it takes."""

from __future__ import annotations

from typing import Any, cast

from pydantic import BaseModel


def many(document: type[BaseModel]) -> type[BaseModel]:
    """Return what `output` takes for a list of these documents."""
    return cast(type[BaseModel], list[document])  # type: ignore[valid-type]


def content(kind: str, says: str) -> dict[int | str, dict[str, str | dict[str, dict[str, Any]]]]:
    """Return the `responses` of a view that answers with something else than JSON."""
    return {200: {"description": says, "content": {kind: {}}}}
