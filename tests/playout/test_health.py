"""How the station's machine is: disks that fill, heat, memory, a player that does not keep up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from playout import faults
from playout.eviction import Evictor
from playout.faults import FaultBook
from playout.health import HealthWatch, cap_memory, hottest_c, resident_bytes, tired, unready
from playout.specs import HealthSpec
from schedules.airing import Run, RunState
from schedules.clock import ManualClock
from tests.playout.rundowns import planned

NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)


class Ward:
    """A station's watch over a machine whose sensors are files that a test writes."""

    def __init__(self, folder: Path, **more: Any) -> None:
        self.clock = ManualClock(NOW)
        self.told: list[dict[str, Any]] = []
        self.faults = FaultBook(clock=self.clock, write=lambda body: self.told.append(dict(body)))
        self.zones = [folder / f"thermal_zone{n}" / "temp" for n in (0, 1)]
        for zone in self.zones:
            zone.parent.mkdir()
            zone.write_text("45000\n")
        self.vmstat = folder / "vmstat"
        self.vmstat.write_text("pgfault 12\noom_kill 3\n")
        settings: dict[str, Any] = {
            "spec": HealthSpec(disk_low=0.0001, hot_c=80.0),
            "data": folder,
            "thermal": folder,
            "vmstat": self.vmstat,
            "start": lambda job: job(),
            **more,
        }
        self.watch = HealthWatch(clock=self.clock, faults=self.faults, **settings)

    def live(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(round(seconds)):
            self.watch.step()
            self.clock.advance(1)

    def open(self) -> list[str]:
        """Return the codes of what is open."""
        return [fault.code for fault in self.faults.open]

    def once(self) -> list[str]:
        """Return the codes of what happened once."""
        return [row["code"] for row in self.told if row["state"] == "once"]


@pytest.fixture
def ward(tmp_path: Path) -> Ward:
    return Ward(tmp_path)


def test_a_machine_that_is_well_says_nothing(ward: Ward) -> None:
    """Nothing is written for an hour of health."""
    ward.live(3600)
    assert [] == ward.told


def test_f73_heat_is_a_fault_until_it_is_five_degrees_cooler(ward: Ward) -> None:
    """The hottest of all sensors counts; at the very border it does not flicker."""
    ward.zones[1].write_text("80100")
    ward.live(7)
    assert ["hot"] == ward.open()
    ward.zones[1].write_text("76000")
    ward.live(12)
    assert ["hot"] == ward.open()
    ward.zones[1].write_text("74000")
    ward.live(12)
    assert [] == ward.open()
    ward.zones[0].write_text("?")
    assert 74.0 == hottest_c(ward.zones[0].parent.parent)
    assert hottest_c(ward.zones[0]) is None


def test_f71_what_the_kernel_killed_for_memory_is_told_once(ward: Ward) -> None:
    """What it had killed before this start is not."""
    ward.live(10)
    ward.vmstat.write_text("oom_kill 5\n")
    ward.live(20)
    assert ["memory_killed"] == ward.once()
    assert 2 == ward.told[0]["programs"]
    ward.vmstat.unlink()
    ward.live(10)
    assert ["memory_killed"] == ward.once()


@pytest.mark.parametrize(
    ("resident", "age_h", "state", "replaced"),
    [
        (60_000_000, 1, None, False),
        (500_000_000, 1, None, True),
        (500_000_000, 1, RunState.PLAYING, False),
        (500_000_000, 1, RunState.ARMED, False),
        (500_000_000, 1, RunState.INTERRUPTED, True),
        (60_000_000, 21, None, True),
        (60_000_000, 21, RunState.PLAYING, False),
        (None, 1, None, False),
    ],
)
def test_f71_a_player_that_grew_or_is_a_day_old_is_replaced_in_silence(
    resident: int | None, age_h: float, state: RunState | None, replaced: bool
) -> None:
    """Never while something is on it."""
    runs = [] if state is None else [Run(item=planned("tin", NOW, 60), state=state, start_at=NOW)]
    assert replaced is (tired(resident=resident, age_s=age_h * 3600, runs=runs) is not None)


def test_f71_a_child_cannot_take_more_than_its_cap() -> None:
    """One that leaks without end is ended by the kernel's refusal; the machine keeps its memory."""
    leak = "import sys\nsys.stdin.readline()\nkept = []\nwhile True: kept.append(bytearray(8_000_000))"
    with subprocess.Popen([sys.executable, "-c", leak], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
        cap_memory(child.pid, 200_000_000)
        before = resident_bytes(child.pid)
        assert before is not None
        assert before < 100_000_000
        child.communicate(b"\n", timeout=20)
        assert 0 != child.returncode
    assert resident_bytes(child.pid) is None
    cap_memory(child.pid)


def test_an_item_that_is_not_on_the_player_in_time_is_told(ward: Ward) -> None:
    """Handed over fifteen seconds before, it is there five seconds before, or something is wrong."""
    item = planned("tin", NOW + timedelta(seconds=20), 60)
    joined = planned("sau", NOW + timedelta(seconds=80), 60, joins=item.slot)
    run = Run(item=item, state=RunState.ARMED, start_at=item.start)

    def at(seconds: float, runs: dict[str, Run] | None = None, settled: tuple[str, ...] = ()) -> tuple[str, ...]:
        return unready((item, joined), runs or {}, settled, NOW + timedelta(seconds=seconds))

    assert () == at(14)
    assert ("XA/tin",) == at(15)
    assert ("XA/tin",) == at(24)
    assert () == at(25)
    assert () == at(15, {item.slot: run})
    assert () == at(15, settled=(item.slot,))
    assert () == at(76, {item.slot: run})
    assert ("XA/sau",) == at(76)

    ward.watch.watch_preroll((item,), {}, (), NOW + timedelta(seconds=16))
    assert ["preroll"] == ward.open()
    ward.watch.watch_preroll((item,), {item.slot: run}, (), NOW + timedelta(seconds=17))
    assert [] == ward.open()


def test_f24_holes_are_told_and_too_many_of_them_replace_the_player(ward: Ward) -> None:
    """Half a second within a minute is a fault; a twentieth of the minute is a player that cannot go on."""
    assert not ward.watch.heard_holes(0.0)
    assert not ward.watch.heard_holes(0.4)
    assert [] == ward.open()
    ward.live(61)
    assert not ward.watch.heard_holes(0.4)
    assert [] == ward.open()
    assert not ward.watch.heard_holes(0.2)
    assert ["underruns"] == ward.open()
    assert ward.watch.heard_holes(2.5)
    assert not ward.watch.heard_holes(1.0)
    ward.live(290)
    assert ["underruns"] == ward.open()
    ward.live(20)
    assert [] == ward.open()


def test_a_disk_that_hangs_is_told_and_holds_up_nobody(tmp_path: Path) -> None:
    """The look never comes back: the station's loop does."""
    ward = Ward(tmp_path, start=lambda job: None)
    began = time.monotonic()
    ward.live(25)
    assert ["disk_slow"] == ward.open()
    assert time.monotonic() - began < 5.0


def test_f35_eviction_takes_the_oldest_and_never_what_is_pinned(tmp_path: Path) -> None:
    """Until it is enough; with nothing left that may go, it stops."""
    names = [f"{n:064x}" for n in range(5)]
    for age, name in enumerate(names):
        path = tmp_path / name[:2] / f"{name}.flac"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
        os.utime(path, (1_000_000 - age, 1_000_000 - age))

    def left() -> set[str]:
        return {path.stem for path in tmp_path.glob("??/*.flac")}

    evictor = Evictor(tmp_path, pinned=lambda: {names[4], names[0]})
    assert () == evictor.make_room(lambda: True)
    assert (names[3],) == evictor.make_room(lambda: len(left()) <= 4)
    assert (names[2], names[1]) == evictor.make_room(lambda: False)
    assert {names[0], names[4]} == left()


_SMALL_DISK = """
import json, os, subprocess, sys
from datetime import UTC, datetime
from pathlib import Path
from playout import faults
from playout.eviction import Evictor
from playout.faults import FaultBook
from playout.health import HealthWatch
from playout.specs import HealthSpec
from schedules.clock import ManualClock

said = []
for kind, options in (("bytes", "size=4m"), ("names", "size=4m,nr_inodes=100")):
    disk = Path(sys.argv[1], kind)
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)], check=True)
    size = 100_000 if kind == "bytes" else 10
    number = 0
    def record():
        global number
        name = f"{number:064x}"
        path = disk / "media" / f"{number % 3:02x}" / f"{name}.flac"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(size))
        os.utime(path, (1_000_000 + number, 1_000_000 + number))
        number += 1
        return name
    clock = ManualClock(datetime(2026, 11, 23, 5, tzinfo=UTC))
    rows = []
    faults = FaultBook(clock=clock, write=lambda body: rows.append((body["code"], body["state"])))
    pinned = {record() for _ in range(5)}
    evictor = Evictor(disk / "media", pinned=lambda: pinned)
    def watch(make_room):
        health = HealthWatch(
            spec=HealthSpec(), data=disk, clock=clock, faults=faults, make_room=make_room, start=lambda job: job()
        )
        health.step()
        health.step()
    watch(None)
    try:
        while True:
            record()
    except OSError as error:
        full = error.errno
    watch(None)
    open_before = sorted(fault.code for fault in faults.open)
    watch(evictor.make_room)
    left = {path.stem for path in (disk / "media").glob("??/*.flac")}
    newest = f"{number - 2:064x}"
    said.append({
        "errno": full, "open": open_before, "after": [f.code for f in faults.open], "pinned": pinned <= left,
        "newest": newest in left, "oldest": f"{5:064x}" in left, "rows": rows,
    })
print(json.dumps(said))
"""


def test_f35_f37_a_full_disk_and_one_without_names_are_told_and_the_oldest_audio_makes_room(tmp_path: Path) -> None:
    """A real file system of 4 MB, and one of a hundred files, in a namespace of their own."""
    done = subprocess.run(
        ["unshare", "-Urm", sys.executable, "-c", _SMALL_DISK, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    for disk in json.loads(done.stdout):
        assert 28 == disk["errno"]
        assert ["disk_full", "disk_low"] == disk["open"]
        assert [] == disk["after"]
        assert (True, True, False) == (disk["pinned"], disk["newest"], disk["oldest"])
        assert [
            ["disk_full", "open"],
            ["disk_low", "open"],
            ["media_evicted", "once"],
            ["disk_full", "closed"],
            ["disk_low", "closed"],
        ] == disk["rows"]


def test_a_folder_that_is_gone_counts_as_a_full_disk(tmp_path: Path) -> None:
    """An unplugged disk takes nothing either."""
    ward = Ward(tmp_path, data=tmp_path / "gone")
    ward.live(7)
    assert ["disk_full", "disk_low"] == ward.open()


def test_the_memory_of_this_process_is_known() -> None:
    """More than an interpreter needs, less than a machine has."""
    mine = resident_bytes(os.getpid())
    assert mine is not None
    assert 5_000_000 < mine < 8_000_000_000


def test_every_fault_stands_in_the_operators_table() -> None:
    """Whoever sees a sentence on the page finds there what it means and what to do."""
    table = (Path(__file__).resolve().parents[2] / "docs" / "health.md").read_text("utf-8")
    sentences = [text.vi for name in ("_OUTPUT", "_OTHER") for text in getattr(faults, name).values()]
    shown = [sentence.replace("{name}", "…").replace("{title}", "…") for sentence in sentences]
    assert shown
    assert [] == [sentence for sentence in shown if f"| {sentence} |" not in table]
