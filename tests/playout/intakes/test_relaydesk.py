"""Who has a relay's place while its source dies and comes back, tick by tick."""

from __future__ import annotations

from datetime import datetime, timedelta

from playout.intakes.relaydesk import RelayDesk
from schedules.airing import Facts, Run, RunState
from schedules.clock import Interval
from schedules.grid import ItemKind, SessionItem
from schedules.planner import plan
from schedules.relaying import SourceState
from schedules.rundown import RundownItem
from schedules.sources import RelaySource, SourceKind
from tests.schedules.builders import intent, local, segment, session

START = local(24, 5, 30)
INTENT = intent(
    segments=(segment("du-phong", seconds=120, evergreen=True), segment("bai-hat", seconds=90, evergreen=True)),
    sessions=(session(SessionItem(id="vov", kind=ItemKind.RELAY, relay="VOV1", length_s=900)),),
    sources=(RelaySource(code="VOV1", name="Thời sự", kind=SourceKind.HLS, address="https://vov.example/a.m3u8"),),
)
(PLACE,) = plan(INTENT, Facts(station="XA"), local(24, 5), Interval(START, START + timedelta(hours=1))).items


def second(after: float) -> datetime:
    """Return so many seconds after the place begins."""
    return START + timedelta(seconds=after)


class Tick:
    """A desk, asked at one moment after the other."""

    def __init__(self) -> None:
        self.desk = RelayDesk()
        self.runs: dict[str, Run] = {}
        self.settled: set[str] = set()

    def at(self, after: float, state: SourceState, lasting_s: float = 1.0) -> list[tuple[str, float]]:
        """Return the fillers with the seconds at which they begin."""
        self.desk.step(
            (PLACE,),
            runs=self.runs,
            settled=self.settled,
            intent=INTENT,
            facts=lambda: Facts(station="XA"),
            state_of=lambda _code: (state, lasting_s),
            now=second(after),
        )
        return [(item.slot[-2:], (item.start - START).total_seconds()) for item in self.desk.fillers]

    def plays(self, item: RundownItem) -> None:
        """Let an item be on air since its start."""
        run = Run(item=item, state=RunState.PLAYING, start_at=item.start, part_started_at=item.start)
        self.runs[item.slot] = run


def test_a_source_that_is_dead_beforehand_leaves_its_place_to_local_recordings() -> None:
    """They are ready before the place begins and fill it from its first second."""
    tick = Tick()

    assert [] == tick.at(-30, SourceState.DEAD)
    found = tick.at(-15, SourceState.DEAD)

    assert frozenset({"VOV1"}) == tick.desk.down
    assert ("F1", 0.0) == found[0]
    assert 840 <= sum(item.samples for item in tick.desk.fillers) / 48_000 <= 900
    assert [] == Tick().at(-15, SourceState.WAITING) == Tick().at(5, SourceState.FLOWING)


def test_a_source_that_comes_back_waits_for_the_end_of_the_recording_on_air() -> None:
    """Ten seconds of flow do not cut a recording; what was still to come is taken out, and then the source has it."""
    tick = Tick()
    assert [] == tick.at(60, SourceState.FLOWING)
    first = tick.at(100, SourceState.SILENT)[0]
    assert ("F1", 101.0) == first
    filler = tick.desk.fillers[0]
    tick.plays(filler)

    assert len(tick.at(110, SourceState.FLOWING, lasting_s=9.0)) > 1
    assert [first] == tick.at(112, SourceState.FLOWING, lasting_s=11.0)
    assert frozenset({"VOV1"}) == tick.desk.down
    over = (filler.end - START).total_seconds()
    assert [first] == tick.at(over - 0.5, SourceState.FLOWING, lasting_s=60.0)
    assert frozenset({"VOV1"}) == tick.desk.down
    assert [first] == tick.at(over - 0.3, SourceState.FLOWING, lasting_s=60.0)
    assert frozenset() == tick.desk.down
    del tick.runs[filler.slot]
    tick.settled.add(filler.slot)
    assert [first] == tick.at(over + 1, SourceState.FLOWING, lasting_s=60.0)
    assert frozenset() == tick.desk.down
    later = tick.at(over + 60, SourceState.DEAD)
    assert [first, ("F2", over + 61)] == later[:2]
