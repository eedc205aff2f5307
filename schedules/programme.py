"""A recurring programme (chuyên mục): what fills its slots when nothing new was approved."""

from __future__ import annotations

from dataclasses import dataclass

ProgrammeCode = str


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """A programme.

    repeats: a slot without a new item takes the last good one again (else it stays empty and is missed).
    """

    code: ProgrammeCode
    name: str
    repeats: bool = True
