"""How every benchmark is told: its figures with trials, machine, load, stolen time, versions and date."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np
import psutil
import vlc

Figures = dict[str, object]

_BUSY = """import sys
from playout.isolation import die_with_parent
die_with_parent(int(sys.argv[1]))
while True: pass"""


def measured(name: str, n: int, benchmark: Callable[[int], Figures], *, busy: int = 0) -> Figures:
    """Run any benchmark and return its figures with its name, its trials, its length and the machine.

    busy: so many processes that do nothing but compute run beside it.
    """
    steal_before, begun_at = _steal(), datetime.now(UTC)
    begun = time.monotonic()
    load_before = _load()
    with busy_loops(busy):
        figures = benchmark(n)
    return {
        "name": name,
        "n": n,
        "busy_loops": busy,
        "begun_at": begun_at.isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - begun, 1),
        **figures,
        "machine": {
            **_machine(),
            "load_before": load_before,
            "load_after": _load(),
            "steal_percent": _steal_percent(steal_before, _steal()),
        },
        "versions": _versions(),
    }


@contextmanager
def busy_loops(count: int) -> Iterator[None]:
    """Keep `count` processes of our own computing while the block runs."""
    loops = [subprocess.Popen([sys.executable, "-c", _BUSY, str(os.getpid())]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def spread(values: list[float]) -> Figures:
    """Return number, least, median, percentiles and most of `values`."""
    if not values:
        return {"n": 0}
    array = np.array(values)
    figures: Figures = {"n": len(values)}
    for name, figure in (
        ("min", array.min()),
        ("median", np.median(array)),
        ("p95", np.percentile(array, 95)),
        ("p99", np.percentile(array, 99)),
        ("max", array.max()),
    ):
        figures[name] = round(float(figure), 3)
    return figures


def cpu_s(process: psutil.Process) -> float:
    """Return the seconds of processor time that a process took so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


def program_version(*command: str) -> str | None:
    """Return the first line that a program tells of its version, None where it is not installed."""
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = (told.stdout or told.stderr).splitlines()
    return lines[0].strip() if lines else None


def _load() -> list[float]:
    return [round(load, 2) for load in os.getloadavg()]


def _steal() -> tuple[int, int]:
    """Return the jiffies stolen from this machine and all jiffies, since it started."""
    fields = [int(field) for field in Path("/proc/stat").read_text(encoding="ascii").split("\n")[0].split()[1:]]
    return fields[7], sum(fields[:8])


def _steal_percent(before: tuple[int, int], after: tuple[int, int]) -> float:
    return round(100 * (after[0] - before[0]) / max(after[1] - before[1], 1), 2)


def _machine() -> Figures:
    models = [
        line.split(":", 1)[1].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if line.startswith("model name")
    ]
    return {
        "cpu": models[0] if models else platform.machine(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
    }


def _versions() -> Figures:
    return {
        "loa": version("loa"),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "pulseaudio": program_version("pulseaudio", "--version"),
        "libvlc": vlc.libvlc_get_version().decode(),
    }
