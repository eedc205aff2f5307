"""The fifteen minutes before something is due: what is missing is told while somebody can still act."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from audio.library import Library
from playout.faults import FaultBook
from playout.lookahead import LookAhead
from playout.outputs.outputprobe import Trouble, Wrong
from playout.specs import OutputSpec
from schedules.clock import ManualClock
from schedules.rundown import RundownItem
from schedules.text import Text
from tests.playout.rundowns import planned

NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)
DUE = NOW + timedelta(minutes=15)


class Outlook:
    """A station's look ahead on a simulated clock, with a real library and outputs that a test moves."""

    def __init__(self, folder: Path, *, start: Callable[[Callable[[], None]], None] = lambda job: job()) -> None:
        self.folder = folder
        self.clock = ManualClock(NOW - timedelta(seconds=30))
        self.library = Library(folder / "media")
        self.told: list[dict[str, Any]] = []
        self.faults = FaultBook(clock=self.clock, write=lambda body: self.told.append(dict(body)))
        self.troubles: dict[str, Trouble] = {}
        self.asked: list[str] = []
        self.items: list[RundownItem] = []
        self.settled: set[str] = set()
        self.well: set[str] = set()
        self.changes = 0
        self.ahead = LookAhead(
            outputs=[
                OutputSpec(name="one", kind="pulse", device="horn"),
                OutputSpec(name="two", kind="pulse", device="other", groups=("THON2",)),
            ],
            media=self.library,
            clock=self.clock,
            faults=self.faults,
            probe=self._probe,
            start=start,
        )

    def _probe(self, output: OutputSpec) -> Trouble | None:
        self.asked.append(output.name)
        return self.troubles.get(output.name)

    def record(self, name: str, due: datetime = DUE) -> Path:
        """Put a file on the station, plan it, and return where it lies."""
        temporary = self.folder / name
        temporary.write_bytes(name.encode() * 100)
        sha256 = self.library.adopt(temporary)
        self.items.append(replace(planned(name, due, 60), sha256=sha256))
        return self.library.path(sha256)

    def live(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(round(seconds)):
            self.changes += self.ahead.keep(self.items, self.settled, well=self.well)
            self.clock.advance(1)

    def open(self) -> dict[str, str]:
        """Return the faults that are open, in English."""
        return {fault.code: fault.message.en for fault in self.faults.open}


@pytest.fixture
def outlook(tmp_path: Path) -> Outlook:
    return Outlook(tmp_path)


def damage(path: Path, how: str) -> None:
    """Do to a file what a failing card or a stranger does."""
    if how == "removed":
        path.unlink()
        return
    before = path.stat()
    path.chmod(0o640)
    if how == "truncated":
        os.truncate(path, before.st_size // 2)
    else:
        content = bytearray(path.read_bytes())
        content[7] ^= 1
        path.write_bytes(content)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize(
    ("how", "sentence"),
    [("removed", "is not here"), ("truncated", "not the approved"), ("flipped", "not the approved")],
)
def test_f44_f45_f46_a_file_is_looked_at_fifteen_minutes_ahead(outlook: Outlook, how: str, sentence: str) -> None:
    """Gone, cut short, or one bit changed under the same size and date: told within seconds, and over when mended."""
    path = outlook.record("tin")
    good = path.read_bytes()
    damage(path, how)
    outlook.live(25)
    assert {} == outlook.open()
    outlook.live(20)
    ((code, said),) = outlook.open().items()
    assert "ahead_media_XA/tin" == code
    assert sentence in said
    assert outlook.told[0]["hint"]
    assert (how != "removed") is (outlook.items[0].sha256 in outlook.ahead.damaged)

    path.unlink(missing_ok=True)
    path.write_bytes(good)
    outlook.live(70)
    assert {} == outlook.open()
    assert frozenset() == outlook.ahead.damaged
    assert 2 * (how != "removed") == outlook.changes


def test_f46_a_file_that_is_damaged_later_is_found_within_a_minute(outlook: Outlook) -> None:
    """Right at first; each file is read again once a minute, not more often."""
    reads: list[str] = []
    path = outlook.record("tin")
    opened = outlook.library.open_verified

    def count(sha256: str) -> int:
        reads.append(sha256)
        return opened(sha256)

    outlook.library.open_verified = count  # type: ignore[method-assign]
    outlook.live(180)
    assert {} == outlook.open()
    assert 2 <= len(reads) <= 3
    damage(path, "flipped")
    outlook.live(70)
    assert ["ahead_media_XA/tin"] == list(outlook.open())


def test_f44_a_place_that_got_no_recording_is_told_too(outlook: Outlook) -> None:
    """The plan has nothing for it; relays have no file, and what was cancelled, replaced or settled needs none."""
    nothing = replace(planned("tin", DUE, 60), sha256=None)
    outlook.items = [
        nothing,
        replace(nothing, slot="XA/relay", relay="HUYEN"),
        replace(nothing, slot="XA/cancelled", cancelled_by="Ông Bình"),
        replace(nothing, slot="XA/replaced", replaced_by="XA/other"),
        replace(nothing, slot="XA/settled"),
    ]
    outlook.settled = {"XA/settled"}
    outlook.live(45)
    assert ["ahead_media_XA/tin"] == list(outlook.open())
    outlook.settled.add("XA/tin")
    outlook.live(10)
    assert {} == outlook.open()


def test_an_output_that_does_not_answer_is_told_ahead_and_again_when_muted(outlook: Outlook) -> None:
    """Every half minute it is asked, by those alone who will need it; nobody asks one that the player has open."""
    outlook.record("tin")
    outlook.items[0] = replace(outlook.items[0], targets=("THON1",))
    outlook.troubles["one"] = Trouble(wrong=Wrong.NO_DEVICE, detail="no sink")
    outlook.live(45)
    assert {"ahead_output_one": "Output “one” does not answer, and airtime is near."} == outlook.open()
    assert {"one"} == set(outlook.asked)
    outlook.troubles["one"] = Trouble(wrong=Wrong.MUTED, detail="muted")
    outlook.live(45)
    assert {"ahead_output_one": "Output “one” is muted, and airtime is near."} == outlook.open()
    outlook.faults.begin("output_one", Text("x", "The player lost it."), "no sink")
    outlook.live(6)
    assert {"output_one": "The player lost it."} == outlook.open()
    outlook.faults.end("output_one")
    outlook.well = {"one"}
    asked = len(outlook.asked)
    outlook.live(45)
    assert {} == outlook.open()
    assert asked == len(outlook.asked)


def test_an_output_that_hangs_holds_up_nothing_and_is_told(tmp_path: Path) -> None:
    """The job never ends: the station's loop goes on, and after half a minute the output counts as silent."""
    outlook = Outlook(tmp_path, start=lambda job: None)
    outlook.record("tin")
    outlook.live(80)
    assert ["ahead_output_one", "ahead_output_two"] == sorted(outlook.open())


def test_when_it_is_due_the_warning_has_done_its_work(outlook: Outlook) -> None:
    """From then on the row of the slot itself tells what became of it."""
    outlook.record("tin").unlink()
    outlook.live(60)
    assert outlook.open()
    outlook.clock.advance(900)
    outlook.live(10)
    assert {} == outlook.open()
