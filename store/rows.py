"""How many rows a statement changed: the answer on which every claim by conditional update rests."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import CursorResult, Executable
from sqlalchemy.orm import Session


def changed(session: Session, statement: Executable) -> int:
    """Run an UPDATE or DELETE and return the number of rows that it changed."""
    return cast("CursorResult[Any]", session.execute(statement)).rowcount
