"""Whether the place of a relay airs its source or, while that is dead or silent, local recordings; and which."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from schedules.airing import Facts
from schedules.choosing import Stock
from schedules.grid import ItemKind, SlotId, Timing
from schedules.intent import Intent
from schedules.rundown import RundownItem
from schedules.segment import Segment, SegmentId, SegmentKind
from schedules.sources import RelaySource, SourceCode
from schedules.text import Text

OPEN_AHEAD = timedelta(seconds=60)
"""How long before its place a source is opened, so that it flows by then, or somebody knows that it does not."""

STEADY_S = 10.0
"""How long a source must have flowed again before its place goes back to it, seconds."""

WORTH = timedelta(seconds=60)
"""A place goes back to its source only where at least so much of it is left."""

LATE_S = 30.0
"""How much later than planned a filler of a relay may begin, seconds; it still has to end within the place."""


_FILLER = re.compile(r"([^/]+/[^/]+/[^/]+/[^/]+)/F[0-9]+")


class SourceState(StrEnum):
    """How a source is now. waiting: opened, and nothing was due to come yet; silent: it comes, but holds no sound."""

    WAITING = "waiting"
    FLOWING = "flowing"
    DEAD = "dead"
    SILENT = "silent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Who sounds in the place of a relay from `at` on: its source, or local recordings."""

    relays: bool
    at: datetime


def turn(
    place: RundownItem, *, state: SourceState, lasting_s: float, filler_ends: datetime | None, now: datetime
) -> Turn:
    """Return whose turn it is in a relay's place.

    lasting_s: for how long the source has been in `state`, seconds. filler_ends: when the local recording on air is
    over (`now` where the place is silent because none fits); None while the place has its source.
    """
    if filler_ends is None:
        return Turn(relays=state not in (SourceState.DEAD, SourceState.SILENT), at=max(now, place.due))
    at = max(now, filler_ends)
    steady = state is SourceState.FLOWING and lasting_s >= STEADY_S
    return Turn(relays=steady and place_ends(place) - at >= WORTH, at=at)


def filled_place(slot: SlotId) -> SlotId | None:
    """Return the slot of the relay whose place a filler of that slot has; None for a slot that is no such filler."""
    match = _FILLER.fullmatch(slot)
    return match[1] if match else None


def place_ends(place: RundownItem) -> datetime:
    """Return when a relay's place must be silent: at its end, or earlier where it is cut or the hours end."""
    return min(end for end in (place.end, place.cut_at, place.open_until) if end is not None)


def instead(
    place: RundownItem,
    *,
    intent: Intent,
    facts: Facts,
    start: datetime,
    earlier: tuple[RundownItem, ...] = (),
    around: Collection[SegmentId] = (),
) -> tuple[RundownItem, ...]:
    """Return what airs in a relay's place from `start` on: whole recordings, one after the other, none past its end.

    Reserve items first, then what has aired before; never what is still new, so that it keeps its own place. None twice
    in a row. Empty where nothing fits. earlier: the fillers of this place that have begun already. around: what other
    places of the session air; taken only where nothing else fits.
    """
    stock = Stock(intent=intent, station=intent.station(place.station), facts=facts)
    end = place_ends(place)
    made = list(earlier)
    while (segment := _next(stock, facts, made, start, end, around)) is not None:
        made.append(_filler(place, segment, len(made) + 1, start, joins=made[-1] if len(made) > len(earlier) else None))
        start = made[-1].end
    return tuple(made[len(earlier) :])


def _next(
    stock: Stock,
    facts: Facts,
    made: list[RundownItem],
    start: datetime,
    end: datetime,
    around: Collection[SegmentId],
) -> Segment | None:
    taken = {item.segment: item.start for item in made if item.segment is not None}
    last = made[-1].segment if made else None

    def fits(segment: Segment) -> bool:
        return (
            start + segment.duration <= end
            and segment.id != last
            and segment.kind is not SegmentKind.NHAC_HIEU
            and (segment.evergreen or segment.id in facts.aired)
        )

    able = [one.segment for one in stock.choices(None, start, taken, wanted=fits).found if one.segment is not None]
    # Stable: among equals the order of the stock holds.
    return min(able, key=lambda one: (one.id in around, one.id in taken, not one.evergreen), default=None)


def _filler(
    place: RundownItem, segment: Segment, number: int, start: datetime, *, joins: RundownItem | None
) -> RundownItem:
    what = Text("bài dự phòng", "the reserve item") if segment.evergreen else Text("phát lại", "once more")
    return RundownItem(
        slot=f"{place.slot}/F{number}",
        station=place.station,
        session=place.session,
        session_end=place.session_end,
        start=start,
        end=start + segment.duration,
        due=start,
        kind=ItemKind.FILLER,
        programme=segment.programme,
        segment=segment.id,
        title=segment.title,
        sha256=segment.sha256,
        pcm_sha256=segment.pcm_sha256,
        samples=segment.samples,
        topics=segment.topics,
        timing=Timing.RELATIVE,
        late_limit_s=LATE_S,
        why=Text(
            f"Nguồn tiếp âm “{place.title or place.relay}” không có tiếng: {what.vi} “{segment.title}”.",
            f"No sound comes from the relay “{place.title or place.relay}”: {what.en} “{segment.title}”.",
        ),
        joins=None if joins is None else joins.slot,
        open_until=place_ends(place),
        self_approved=segment.self_approved,
        targets=place.targets,
    )


def sources_wanted(
    items: Iterable[RundownItem],
    sources: Iterable[RelaySource],
    now: datetime,
    *,
    sounding: Collection[SourceCode] = (),
) -> Mapping[SourceCode, RelaySource]:
    """Return the sources that should be open now: those of places that begin within a minute or are not over.

    sounding: those on air, whatever the wall clock was set to meanwhile.
    """
    named = {
        item.relay
        for item in items
        if item.relay is not None
        and item.replaced_by is None
        and item.cancelled_by is None
        and item.due - OPEN_AHEAD <= now < place_ends(item)
    }
    return {source.code: source for source in sources if source.code in named or source.code in sounding}
