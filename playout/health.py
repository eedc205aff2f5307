"""How the station's machine is: disk, heat, memory, and whether the player keeps up; each trouble a fault in words."""

from __future__ import annotations

import contextlib
import os
import resource
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from playout.aside import Aside, Starter, in_thread
from playout.faults import FaultBook, fault
from playout.specs import HealthSpec
from schedules.airing import Run, RunState
from schedules.clock import Clock
from schedules.grid import SlotId
from schedules.rundown import RundownItem

LOOK_S = 5.0
HANGS_S = 15.0
"""A disk that has not told its size for so long hangs."""

FULL = 0.01
"""Share of the disk, or of its names for files, below which it counts as full."""

BETTER = 0.02
COOLER_C = 5.0
"""How much better it must be than where a fault began before it is over."""

ARMED_BEFORE = timedelta(seconds=5)
"""By then an item is on the player, or something is wrong: it was to be handed over fifteen seconds before."""

HOLES_WITHIN_S = 60.0
HOLES_S = 0.5
HOLES_RESTART = 0.05
HOLES_OVER_S = 300.0

RESIDENT_BYTES = 400_000_000
"""A player has 45 to 60 MB, with network outputs 100; at this it is replaced as soon as nothing is on air."""

CAP_BYTES = 800_000_000
"""The memory of its own that the kernel gives a player at all."""

OLD_S = 20 * 3600.0
"""A player that lived so long is replaced in the next silence: once a day, libvlc's small leaks with it."""

_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """What the machine tells. disk, names: shares that are free; heat_c: the hottest part, None where none tells.

    killed: programs that the kernel ended for want of memory since it started. removed: files that were evicted now.
    """

    disk: float
    names: float
    free_bytes: int
    heat_c: float | None
    killed: int
    removed: int


class HealthWatch:
    """One station's look at its machine; used by the station's thread, which it never holds up.

    data: where everything is kept. make_room: removes audio until its argument says that it is enough, and returns
    what went; None on a machine whose library is the only one (playout.eviction). thermal, vmstat: where the kernel
    tells heat and memory. start: starts a job beside the loop.
    """

    def __init__(
        self,
        *,
        spec: HealthSpec,
        data: Path,
        clock: Clock,
        faults: FaultBook,
        make_room: Callable[[Callable[[], bool]], Collection[str]] | None = None,
        thermal: Path = Path("/sys/class/thermal"),
        vmstat: Path = Path("/proc/vmstat"),
        start: Starter = in_thread,
    ) -> None:
        self._spec = spec
        self._data = data
        self._clock = clock
        self._faults = faults
        self._make_room = make_room
        self._thermal = thermal
        self._vmstat = vmstat
        self._aside: Aside[Vitals] = Aside(start)
        self._looked_at = float("-inf")
        self._killed: int | None = None
        self._holes: deque[tuple[float, float]] = deque()
        self._holed_at = float("-inf")

    def step(self) -> None:
        """Look every five seconds, and tell what was found."""
        now = self._clock.monotonic()
        vitals = self._aside.take()
        if vitals is not None:
            self._tell(vitals)
        elif self._aside.hangs(now, HANGS_S):
            self._faults.begin("disk_slow", fault("disk_slow"), f"no answer for {HANGS_S:.0f} s")
        if now - self._looked_at >= LOOK_S and self._aside.offer(self._look, now):
            self._looked_at = now
        if now - self._holed_at > HOLES_OVER_S:
            self._faults.end("underruns")

    def watch_preroll(
        self, items: Iterable[RundownItem], runs: Mapping[SlotId, Run], settled: Collection[SlotId], now: datetime
    ) -> None:
        """Tell of items that are due within seconds and not on the player; over when they are, or have their row."""
        late = unready(items, runs, settled, now)
        if late:
            self._faults.begin("preroll", fault("preroll"), ", ".join(late))
        else:
            self._faults.end("preroll")

    def heard_holes(self, seconds: float) -> bool:
        """Note silence inside an item that the machine's slowness made; True where the player should be replaced."""
        if seconds <= 0:
            return False
        now = self._clock.monotonic()
        self._holes.append((now, seconds))
        while now - self._holes[0][0] > HOLES_WITHIN_S:
            self._holes.popleft()
        lost_s = sum(lost for _, lost in self._holes)
        if lost_s > HOLES_S:
            self._holed_at = now
            self._faults.begin("underruns", fault("underruns"), f"{lost_s:.2f} s within {HOLES_WITHIN_S:.0f} s")
        if lost_s > HOLES_RESTART * HOLES_WITHIN_S:
            self._holes.clear()
            return True
        return False

    def _look(self) -> Vitals:
        low = self._spec.disk_low
        disk, names, _ = _free(self._data)
        removed: Collection[str] = ()
        if self._make_room is not None and min(disk, names) < low:
            removed = self._make_room(lambda: min(_free(self._data)[:2]) >= low + BETTER)
            disk, names, _ = _free(self._data)
        return Vitals(
            disk=disk,
            names=names,
            free_bytes=_free(self._data)[2],
            heat_c=hottest_c(self._thermal),
            killed=killed_for_memory(self._vmstat),
            removed=len(removed),
        )

    def _tell(self, vitals: Vitals) -> None:
        self._faults.end("disk_slow")
        if vitals.removed:
            self._faults.note("media_evicted", files=vitals.removed)
        low, free = self._spec.disk_low, min(vitals.disk, vitals.names)
        detail = f"{vitals.disk:.1%} of the bytes ({vitals.free_bytes >> 20} MB), {vitals.names:.1%} of the names free"
        self._keep("disk_full", free, below=FULL, detail=detail)
        self._keep("disk_low", free, below=low, detail=detail)
        if vitals.heat_c is not None:
            self._keep("hot", -vitals.heat_c, below=-self._spec.hot_c, better=COOLER_C, detail=f"{vitals.heat_c:.0f} C")
        if self._killed is not None and vitals.killed > self._killed:
            self._faults.note("memory_killed", programs=vitals.killed - self._killed)
        self._killed = vitals.killed

    def _keep(self, code: str, value: float, *, below: float, detail: str, better: float = BETTER) -> None:
        if value < below:
            self._faults.begin(code, fault(code), detail)
        elif value >= below + better:
            self._faults.end(code)


def unready(
    items: Iterable[RundownItem], runs: Mapping[SlotId, Run], settled: Collection[SlotId], now: datetime
) -> tuple[SlotId, ...]:
    """Return the slots that should be on the player by now and are not: due within five seconds, or begun so long ago.

    What is armed with the item before it, and what begins late because that lasts longer, is due later by the plan.
    """
    return tuple(
        item.slot
        for item in items
        if item.sha256 is not None
        and item.slot not in settled
        and item.replaced_by is None
        and item.cancelled_by is None
        and item.slot not in runs
        and item.due - ARMED_BEFORE <= now < item.due + ARMED_BEFORE
        and item.joins not in runs
    )


def tired(*, resident: int | None, age_s: float, runs: Iterable[Run]) -> str | None:
    """Return why a player should be replaced now, None where it is well or something is on it.

    resident: its memory in bytes (`resident_bytes`), None where it is gone. age_s: how long it has lived.
    """
    if any(run.state in (RunState.ARMED, RunState.PLAYING) for run in runs):
        return None
    if resident is not None and resident > RESIDENT_BYTES:
        return f"{resident >> 20} MB"
    return f"{age_s / 3600:.0f} h old" if age_s > OLD_S else None


def resident_bytes(pid: int) -> int | None:
    """Return the memory that a process holds, None where it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE
    except (OSError, ValueError, IndexError):
        return None


def cap_memory(pid: int, limit: int = CAP_BYTES) -> None:
    """Let the kernel give a process no more memory of its own than that; what wants more ends and is replaced."""
    with contextlib.suppress(OSError, ProcessLookupError):
        resource.prlimit(pid, resource.RLIMIT_DATA, (limit, limit))


def hottest_c(thermal: Path) -> float | None:
    """Return the highest temperature that the kernel's sensors tell, in degrees Celsius; None without a sensor."""
    heats = []
    for zone in sorted(thermal.glob("thermal_zone*/temp")):
        with contextlib.suppress(OSError, ValueError):
            heats.append(int(zone.read_text(encoding="ascii")) / 1000)
    return max(heats, default=None)


def killed_for_memory(vmstat: Path) -> int:
    """Return how many programs the kernel ended for want of memory since it started; 0 where it does not count."""
    try:
        lines = vmstat.read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)


def _free(folder: Path) -> tuple[float, float, int]:
    """Return the free shares of bytes and of names, and the free bytes; a disk without a count of names has enough."""
    try:
        disk = os.statvfs(folder)
    except OSError:
        return 0.0, 0.0, 0
    names = disk.f_favail / disk.f_files if disk.f_files else 1.0
    return disk.f_bavail / max(1, disk.f_blocks), names, disk.f_bavail * disk.f_frsize
