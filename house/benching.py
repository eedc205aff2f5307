"""Benchmarks by name: each prints its figures, how many trials, and the machine with its steal time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Benchmark = Callable[[int | None], Mapping[str, Any]]

NAMES: tuple[str, ...] = ()


def bench(name: str, count: int | None) -> Mapping[str, Any]:
    """Run the benchmark `name` with `count` trials, or its own default. Raises KeyError for an unknown name."""
    return BENCHMARKS[name](count)


BENCHMARKS: Mapping[str, Benchmark] = {}
