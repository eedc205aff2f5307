"""The numbers of the fault catalogue against the names of the tests: which have a test, and which none passed."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

FOUNDATION = (1, 2, 3, 4, 13, 14, 19, 20)
PLANNER = (33, 34, 58, 59, 68, 69, 70)
PLAYOUT = (
    *(6, 7, 8, 9, 11, 12, 15, 16, 17, 18),
    *range(21, 31),
    32,
    *range(35, 43),
    *range(44, 49),
    *(60, 62, 63, 64, 65, 71, 72, 73, 78),
)
WANTED = tuple(sorted((*FOUNDATION, *PLANNER, *PLAYOUT)))
"""Those that are dealt with so far; the rest of the catalogue belongs to the fleet of stations."""

_NUMBER = re.compile(r"(?<![a-z0-9])f(\d+)(?![a-z0-9])")


def numbers(name: str) -> frozenset[int]:
    """Return the fault numbers that a test's name carries: `test_f21_f22_silence` shows 21 and 22."""
    words = name.partition("[")[0].replace("_", " ")
    return frozenset(int(number) for number in _NUMBER.findall(words))


def shown_in(folder: Path) -> Mapping[int, tuple[str, ...]]:
    """Return the names of the tests below a folder by the number that they carry, whether they are run or not."""
    shown: dict[int, list[str]] = defaultdict(list)
    for path in sorted(folder.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for number in numbers(node.name):
                    shown[number].append(node.name)
    return {number: tuple(names) for number, names in shown.items()}


def report(without_test: Iterable[int], not_passed: Iterable[int]) -> list[str]:
    """Return the lines that the end of a whole run prints."""
    missing, failed = _named(without_test), _named(not_passed)
    return [
        f"without a test: {missing}" if missing else f"every one of {len(WANTED)} numbers has a test",
        *([f"with a test, none of which passed in this run: {failed}"] if failed else []),
    ]


def _named(found: Iterable[int]) -> str:
    return ", ".join(f"F{number}" for number in sorted(found))
