"""How benchmarks are told: with their machine, their versions, and what ran beside them."""

from __future__ import annotations

import psutil

from playout.benches.bench import Figures, measured, program_version, spread


def test_figures_come_with_the_machine_and_leave_nothing_running() -> None:
    """Trials, load, stolen time and versions stand beside the figures; busy loops run meanwhile and are gone after."""
    before = {child.pid for child in psutil.Process().children()}

    def benchmark(trials: int) -> Figures:
        loops = [child for child in psutil.Process().children() if child.pid not in before]
        return {"loops": len(loops), "twice": 2 * trials}

    told = measured("a name", 3, benchmark, busy=2)

    assert ("a name", 3, 2, 2, 6) == tuple(told[key] for key in ("name", "n", "busy_loops", "loops", "twice"))
    machine, versions = told["machine"], told["versions"]
    assert isinstance(machine, dict) and {"cpu", "cores", "kernel", "load_before", "steal_percent"} <= machine.keys()
    assert isinstance(versions, dict) and str(versions["pulseaudio"]).startswith("pulseaudio")
    assert before >= {child.pid for child in psutil.Process().children()}


def test_a_spread_tells_its_ends_and_percentiles() -> None:
    """The most stands beside the percentiles; of nothing there is nothing to tell."""
    told = spread([float(number) for number in range(101)])
    assert (101, 0.0, 50.0, 95.0, 99.0, 100.0) == tuple(
        told[name] for name in ("n", "min", "median", "p95", "p99", "max")
    )
    assert {"n": 0} == spread([])


def test_a_program_that_is_not_there_has_no_version() -> None:
    """What is not installed is told as None."""
    assert program_version("no-such-program", "--version") is None
