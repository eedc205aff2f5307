"""Values of the core to JSON and back: the same shapes in intent snapshots, journals and scenario files."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, TypeVar

import rfc8785
from pydantic import TypeAdapter

T = TypeVar("T")


@lru_cache(maxsize=64)
def _adapter(kind: Any) -> TypeAdapter[Any]:  # noqa: ANN401 - a class, or a generic alias of one
    return TypeAdapter(kind)


def dump(value: object) -> Any:  # noqa: ANN401 - plain JSON data
    """Return a frozen value as plain JSON data; times become ISO 8601 with offset."""
    kind: Any = type(value)
    return _adapter(kind).dump_python(value, mode="json")


def load(kind: type[T], data: object) -> T:
    """Return the value of class `kind` from JSON data; raises pydantic.ValidationError naming every bad path."""
    wanted: Any = kind
    value: T = _adapter(wanted).validate_python(data)
    return value


def canonical(data: object) -> bytes:
    """Return the one canonical JSON text of plain data (RFC 8785)."""
    return rfc8785.dumps(data)  # type: ignore[arg-type]
