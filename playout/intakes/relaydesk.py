"""Who has the place of a relay just now: its source, or local recordings while nothing can be heard of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta

from schedules.airing import Facts, Run, RunState
from schedules.grid import SlotId
from schedules.intent import Intent
from schedules.reconcile import ARM_AHEAD, LEAD
from schedules.relaying import SourceState, instead, place_ends, turn
from schedules.rundown import RundownItem
from schedules.segment import SAMPLE_RATE_HZ
from schedules.sources import SourceCode

SOON = timedelta(seconds=1)
"""What the player needs for a recording that takes over from a relay."""

LOOK_AGAIN = timedelta(seconds=2)
"""Where no recording fits, the library is gone through again after this."""


class RelayDesk:
    """Watches the relays of now. `down`: sources that cannot be heard; `fillers`: what airs in their places instead."""

    def __init__(self) -> None:
        self.down: frozenset[SourceCode] = frozenset()
        self._fillers: dict[SlotId, tuple[RundownItem, ...]] = {}
        self._again: dict[SlotId, datetime] = {}

    @property
    def fillers(self) -> tuple[RundownItem, ...]:
        """The local recordings that were put into places, begun ones too."""
        return tuple(item for items in self._fillers.values() for item in items)

    def step(
        self,
        items: Iterable[RundownItem],
        *,
        runs: Mapping[SlotId, Run],
        settled: Collection[SlotId],
        intent: Intent,
        facts: Callable[[], Facts],
        state_of: Callable[[SourceCode], tuple[SourceState, float]],
        now: datetime,
    ) -> None:
        """Look at every place that is on air or soon will be.

        facts: with the media, asked for only where local recordings are chosen. state_of: how a source is, and for how
        many seconds.
        """
        places = tuple(items)
        down: set[SourceCode] = set()
        kept: dict[SlotId, tuple[RundownItem, ...]] = {}
        for place in places:
            if place.relay is None or place.replaced_by is not None or place.cancelled_by is not None:
                continue
            if place.slot in settled or not place.due - ARM_AHEAD <= now < place_ends(place):
                continue
            fillers = self._fillers.get(place.slot, ())
            begun = tuple(one for one in fillers if one.slot in settled or _begun(runs.get(one.slot)))
            running = [run for one in begun if (run := runs.get(one.slot)) is not None]
            # Before its place begins a source needs not have been steady: nothing is cut by it.
            local = bool(running) or (place.relay in self.down and now >= place.due)
            filler_ends = max((_end(run) for run in running), default=now) if local else None
            state, lasting_s = state_of(place.relay)
            now_turn = turn(place, state=state, lasting_s=lasting_s, filler_ends=filler_ends, now=now)
            # Not sooner, or it would begin over the last of the recording.
            if now_turn.relays and (not local or now_turn.at <= now + LEAD):
                kept[place.slot] = begun
                continue
            down.add(place.relay)
            waiting = [one for one in fillers if one not in begun]
            if now_turn.relays:
                kept[place.slot] = begun
            elif waiting or running:
                kept[place.slot] = fillers
            else:
                kept[place.slot] = begun
                if now < self._again.get(place.slot, now):
                    continue
                start = max(place.due, now + SOON)
                around = {one.segment for one in places if one.session == place.session and one.segment is not None}
                more = instead(place, intent=intent, facts=facts(), start=start, earlier=begun, around=around)
                kept[place.slot] = (*begun, *more)
                if not more:
                    self._again[place.slot] = now + LOOK_AGAIN
        self._again = {slot: at for slot, at in self._again.items() if now < at <= now + LOOK_AGAIN}
        self.down = frozenset(down)
        self._fillers = kept


def _begun(run: Run | None) -> bool:
    return run is not None and run.state is not RunState.ARMED


def _end(run: Run) -> datetime:
    left = (run.item.samples - run.part_first) / SAMPLE_RATE_HZ
    return (run.part_started_at or run.start_at) + timedelta(seconds=left)
