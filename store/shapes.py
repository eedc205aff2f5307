"""Values of the core as JSON in a column: all their fields, so that a new one is kept without a word here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")


@lru_cache(maxsize=64)
def _adapter(kind: Any) -> TypeAdapter[Any]:  # noqa: ANN401 - a class, or a generic alias of one
    return TypeAdapter(kind)


def dump(value: object) -> Any:  # noqa: ANN401 - plain JSON data
    """Return a frozen value as plain JSON data; times become ISO 8601."""
    kind: Any = type(value)
    return _adapter(kind).dump_python(value, mode="json")


def dumps(values: Iterable[object]) -> list[Any]:
    """Return several as a JSON list."""
    return [dump(value) for value in values]


def load(kind: type[T], stored: object) -> T:
    """Return the value of class `kind`; what an older version did not store has its default."""
    wanted: Any = kind
    value: T = _adapter(wanted).validate_python(stored)
    return value


def loads(kind: type[T], stored: Sequence[object]) -> tuple[T, ...]:
    """Return all values of class `kind` in a JSON list."""
    return tuple(load(kind, one) for one in stored)
