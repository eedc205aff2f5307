"""The output without a loudspeaker: what was due counts as played, so that a rehearsal runs like an airing."""

from __future__ import annotations

from playout.outputs.output import Block, StateReport, Timeline
from playout.outputs.tally import Ledger, Tally

_LEAD_NS = 300_000_000


class VirtualOutput:
    """Counts by the clock alone; its airings are rehearsals and are marked so by whoever reads the counts."""

    def __init__(self, name: str, *, timeline: Timeline, report: StateReport) -> None:
        self._name = name
        self._timeline = timeline
        self._report = report
        self._ledger = Ledger()
        self._passed = 0

    @property
    def name(self) -> str:
        """The name that the configuration gives it."""
        return self._name

    @property
    def lead_ns(self) -> int:
        """As long as that of a sound card, so that both behave alike."""
        return _LEAD_NS

    def start(self) -> None:
        """Be ready at once."""
        self._report(self._name, "ok", "")

    def hand(self, block: Block) -> None:
        """Take a block; what comes after its time is lost, as it would be on a device."""
        spans = (span.moved(block.frame) for span in block.spans)
        self._ledger.wrote(part for span in spans if (part := span.cut(self._passed, span.end)) is not None)

    def advance(self, now_ns: int) -> None:
        """Count everything that was due by `now_ns`."""
        frame = self._timeline.frame_at(now_ns)
        if frame > self._passed:
            self._ledger.heard(self._passed, frame, instant_ns=self._timeline.due_ns)
            self._passed = frame

    def tally(self, airing: str) -> Tally:
        """Return what was due and handed in time."""
        return self._ledger.tally(airing)

    def settled(self, frame: int) -> bool:
        """Return whether `frame` was due."""
        return self._passed >= frame

    def forget(self, airing: str) -> None:
        """Drop the tally of `airing`."""
        self._ledger.forget(airing)

    def stop(self) -> None:
        """Count nothing more."""
        self._ledger.lost()
