"""A recurring programme (chuyên mục): which recording fills its slots, also when nothing new was approved."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

ProgrammeCode = str


class Order(StrEnum):
    """Which unaired recording comes first: the newest one, or the next episode of a series."""

    NEWEST = "newest"
    SERIES = "series"


class Otherwise(StrEnum):
    """What fills a slot without a new item of one's own, tried in the programme's order.

    centre: a new item of a unit above. repeat: the one that aired last, again. rotation: the one that has rested
    longest, at least `separation_s`. evergreen: a reserve item, the one that has rested longest.
    """

    CENTRE = "centre"
    REPEAT = "repeat"
    ROTATION = "rotation"
    EVERGREEN = "evergreen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """A programme.

    otherwise: what a slot takes where there is no new item of its own; nothing left means that it stays empty.
    separation_s: a recording chosen by rotation has rested at least so long, seconds from its last start.
    """

    code: ProgrammeCode
    name: str
    order: Order = Order.NEWEST
    otherwise: tuple[Otherwise, ...] = (Otherwise.CENTRE, Otherwise.REPEAT, Otherwise.EVERGREEN)
    separation_s: int = 0
