"""How large a request may be: a form, unless a view says that it takes files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, request

View = TypeVar("View", bound=Callable[..., Any])
Most = Callable[[], int]

_MOST = "loa_most_bytes"


def takes(most: Most) -> Callable[[View], View]:
    """Mark a view as taking files. most: gives how many bytes they may have together.

    It is asked before anything is read, so it may raise instead: nobody's line is worth filling for a link that is
    not known.
    """

    def mark(view: View) -> View:
        setattr(view, _MOST, most)
        return view

    return mark


def most_bytes(app: Flask) -> int | None:
    """Return how many bytes of files the present request may bring; None for a view that takes none."""
    if request.endpoint is None or request.method != "POST":
        return None
    most: Most | None = getattr(app.view_functions[request.endpoint], _MOST, None)
    return None if most is None else most()
