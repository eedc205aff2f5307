"""Counting what a device really passed."""

from __future__ import annotations

from playout.outputs.tally import Ledger, Span


def _instant(offset: int) -> int:
    return offset * 10


def test_only_what_was_passed_between_good_looks_counts() -> None:
    """What lies before a good stretch is lost, what lies after it waits."""
    ledger = Ledger()
    ledger.wrote([Span("a", 100, 50_000, 0)])
    ledger.heard(10_100, 30_100, instant_ns=_instant)
    tally = ledger.tally("a")
    assert (tally.samples, tally.first_ns, tally.last_ns) == (20_000, 101_000, 301_000)
    assert [(hole.at_sample, hole.samples) for hole in tally.holes_from(0)] == [(0, 10_000)]
    ledger.heard(30_100, 50_100, instant_ns=_instant)
    assert ledger.tally("a").samples == 40_000


def test_a_lost_stretch_is_a_hole() -> None:
    """Samples that a bad stretch swallowed show as one hole between what was counted."""
    ledger = Ledger()
    ledger.wrote([Span("a", 0, 30_000, 0)])
    ledger.heard(0, 10_000, instant_ns=_instant)
    ledger.lost(20_000)
    ledger.heard(20_000, 30_000, instant_ns=_instant)
    tally = ledger.tally("a")
    assert tally.samples == 20_000
    assert [(hole.at_sample, hole.samples) for hole in tally.holes_from(0)] == [(10_000, 10_000)]


def test_two_items_at_once_are_counted_apart() -> None:
    """Overlapping spans each keep their own tally, whatever the looks' borders."""
    ledger = Ledger()
    ledger.wrote([Span("a", 0, 1000, 0), Span("b", 0, 1000, 500)])
    ledger.heard(0, 300, instant_ns=_instant)
    ledger.heard(300, 1000, instant_ns=_instant)
    assert ledger.tally("a").samples == ledger.tally("b").samples == 1000
    assert ledger.tally("b").holes_from(500) == []


def test_single_slipped_frames_are_no_holes_but_are_not_counted() -> None:
    """A frame dropped for a drifting card lowers the count by one and leaves no hole."""
    ledger = Ledger()
    ledger.wrote([Span("a", 0, 1000, 0), Span("a", 1000, 1000, 1001)])
    ledger.heard(0, 2000, instant_ns=_instant)
    assert ledger.tally("a").samples == 2000
    assert ledger.tally("a").next_sample == 2001
    assert ledger.tally("a").holes == []


def test_a_lost_device_counts_nothing_more() -> None:
    """What was on its way to a device that is gone is never counted."""
    ledger = Ledger()
    ledger.wrote([Span("a", 0, 1000, 0)])
    ledger.lost()
    ledger.heard(0, 1000, instant_ns=_instant)
    assert ledger.tally("a").samples == 0


def test_a_forgotten_item_starts_anew() -> None:
    """After its end an airing leaves no tally behind."""
    ledger = Ledger()
    ledger.wrote([Span("a", 0, 1000, 0)])
    ledger.heard(0, 1000, instant_ns=_instant)
    ledger.forget("a")
    assert ledger.tally("a").samples == 0
