"""The simulated disk and clock keep the promises of the real ones; a power cut may come with any write."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from playout.daemon import Record
from playout.journal.journal import Journal, newest_state, verify_rows
from playout.simulation.disk import CutPoint, Disk, PowerCut, SimulatedJournal
from playout.simulation.simulatedclock import SimulatedClock, micros
from playout.systemclock import ClockJudge
from schedules.clock import ClockState, ManualClock
from schedules.errors import JournalBroken
from schedules.text import Text

NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)
UNKNOWN = ClockState(trusted=False, reason=Text("Chưa biết giờ.", "The time is not known."))


class Desk:
    """A journal of either kind, and what was left on its disk."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.clock = ManualClock(NOW)
        self._kind = kind
        self._path = folder / "XA.db"
        self._disk = Disk()
        self._open: Journal | None = None

    def start(self, boot: str = "boot") -> Record:
        """Open the journal, as after a start."""
        if self._open is not None:
            self._open.stop()
        if self._kind == "file":
            self._open = Journal(self._path, clock=self.clock, boot=boot, key=SigningKey(b"s" * 32))
            self._open.start()
            return self._open
        journal = SimulatedJournal(self._disk, clock=self.clock, boot=boot)
        journal.start()
        return journal

    def newest(self) -> datetime | None:
        """Return the newest time that was believed."""
        return newest_state(self._path).time if self._kind == "file" else self._disk.newest().time

    def close(self) -> None:
        """Close what is open."""
        if self._open is not None:
            self._open.stop()


@pytest.fixture(params=["file", "memory"])
def desk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Desk]:
    """A desk with the real journal, and one with the simulated."""
    desk = Desk(tmp_path, request.param)
    yield desk
    desk.close()


def test_rows_are_chained_and_come_back_by_number_and_kind(desk: Desk) -> None:
    """The same rows have the same hashes on either disk, and the real verifier finds nothing wrong with them."""
    journal = desk.start()
    first = journal.append("intent", {"gap_s": 0.0, "tên": "đài", "z": [1, 2.5, None], "a": 1e-7})
    desk.clock.advance(1.5)
    second = journal.append("verdict", {"slot": "XA/s/2026-11-23/a"})

    assert [first, second] == journal.rows()
    assert [second] == journal.rows(after=1) == journal.rows(kind="verdict")
    assert [first] == journal.rows(limit=1)
    assert (2, second.hash) == verify_rows(iter(journal.rows()))
    assert "f0a71f51" == first.hash[:8]


def test_a_row_is_what_was_written_and_not_what_the_writer_holds(desk: Desk) -> None:
    """Who changes a body afterwards changes no row and no checkpoint."""
    journal = desk.start()
    body = {"slots": ["a"]}
    journal.append("intent", body)
    journal.set_checkpoint("alive", body)
    body["slots"].append("b")

    assert {"slots": ["a"]} == journal.rows()[0].body == journal.checkpoints("alive")["alive"]


def test_everything_acknowledged_is_there_after_a_restart(desk: Desk) -> None:
    """Rows go on with the next number under the new boot's name; checkpoints stay until they are removed."""
    journal = desk.start()
    journal.append("boot", {})
    journal.set_checkpoint("run/a", {"x": 1})
    journal.set_checkpoint("run/b", {"x": 2})
    journal.set_checkpoint("alive", {"time": NOW.isoformat(), "trusted": True})
    journal.set_checkpoint("run/a", None)
    journal.sign_head()
    journal = desk.start("other")
    journal.append("boot", {})

    assert [(1, "boot"), (2, "other")] == [(row.seq, row.boot) for row in journal.rows()]
    assert {"run/b": {"x": 2}} == journal.checkpoints("run/")


def test_the_newest_believed_time_is_that_of_trusted_rows_alone(desk: Desk) -> None:
    """A row of an untrusted clock, years ahead, does not raise it."""
    journal = desk.start()
    journal.append("boot", {})
    desk.clock.trusted = UNKNOWN
    desk.clock.step(86_400 * 3650)
    journal.append("boot", {})

    assert NOW == desk.newest()


@pytest.mark.parametrize("point", list(CutPoint))
@pytest.mark.parametrize("rows_only", [True, False])
def test_power_goes_with_the_write_that_was_named(point: CutPoint, rows_only: bool) -> None:
    """The write is on the disk or not, as told; whatever was acknowledged before is, and the chain holds."""
    disk = Disk(cut_in=2, cut_point=point, rows_only=rows_only)
    journal = SimulatedJournal(disk, clock=ManualClock(NOW), boot="boot")
    journal.append("boot", {})
    if rows_only:
        journal.set_checkpoint("alive", {})
    with pytest.raises(PowerCut):
        journal.append("verdict", {})

    assert (1 if point is CutPoint.BEFORE else 2) == len(disk.rows)
    assert len(disk.rows) == disk.verify()
    journal.append("boot", {})  # once only


def test_a_changed_row_is_found_at_the_next_start() -> None:
    """The simulated disk is no better than a real one: the chain is checked at each start."""
    disk = Disk()
    journal = SimulatedJournal(disk, clock=ManualClock(NOW), boot="boot")
    journal.append("boot", {"a": 1})
    journal.append("boot", {"a": 2})
    disk.rows[1].body["a"] = 3

    with pytest.raises(JournalBroken, match="2"):
        SimulatedJournal(disk, clock=ManualClock(NOW), boot="next").start()


def test_a_simulated_clock_is_judged_by_the_real_rules() -> None:
    """Without a time service it is not believed; once kept by one it is, within this boot, until it jumps."""
    judge = ClockJudge(host=False, newest=None, carried_on=None)
    now = micros(NOW)
    clock = SimulatedClock(booted_us=now, now_us=now, wall_us=10_000_000, judge=judge)
    assert not clock.state().trusted

    clock.advance_to(now + 5_000_000)
    clock.synchronise()
    assert clock.state().trusted
    assert NOW + timedelta(seconds=5) == clock.now()
    assert 86_405.0 == clock.monotonic()

    clock.lose_service()
    clock.advance_to(now + 3_600_000_000)
    assert clock.state().trusted
    clock.step(-3.0)
    assert not clock.state().trusted
