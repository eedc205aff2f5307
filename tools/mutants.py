"""Draws mutants of schedules/ with a fixed seed and tells which of them the tests of the core do not notice.

A mutant is the core with one small mistake in it. First every test is run once under coverage, so that each mutant
meets only the tests that run its line, the quickest first, until one fails. Nothing is written into the checkout:
a mutant lives in the memory of a child process.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import importlib.abc
import importlib.machinery
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

PROJECT = Path(__file__).resolve().parent.parent
CORE = PROJECT / "schedules"
TESTS = ("tests/schedules", "tests/test_scenarios.py")
LEFT_OUT = (
    "--ignore=tests/schedules/test_time.py",
    "--deselect=tests/schedules/test_outages.py::test_f68_a_duty_is_met_or_made_up_wherever_there_was_time_left",
    "--deselect=tests/schedules/test_bruteforce.py::test_every_small_week_that_can_be_fulfilled_is",
)
"""Tests that live through thousands of weeks, or all zones: too slow to meet every mutant."""

DATA = ("topics",)
"""Modules that are a table copied from a document, and no code."""

VALUES = "test_values.py"

SLOWEST_S = 15.0
"""A test that takes longer by itself meets no mutant."""

BUDGET_S = 90
"""Seconds of the processor that the tests of one mutant may take; one that never comes back is noticed, too."""

COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
RECKONED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
EXCHANGED = {"min": "max", "max": "min", "any": "all", "all": "any"}

Change = Callable[[ast.AST], ast.AST | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A place where one mistake can be made. path: how to reach its node from the module, as (field, index) steps."""

    module: str
    line: int
    column: int
    what: str
    path: tuple[tuple[str, int | None], ...]
    change: Change


def sites(module: str, tree: ast.Module) -> Iterator[Site]:
    """Yield every mistake that can be made in a module, in order of its lines."""

    def at(node: ast.AST, path: tuple[tuple[str, int | None], ...], what: str, change: Change) -> Site:
        # The condition of a comprehension has a place, the comprehension itself has none.
        placed = node.target if isinstance(node, ast.comprehension) else node
        line, column = getattr(placed, "lineno", 0), getattr(placed, "col_offset", 0)
        return Site(module=module, line=line, column=column, what=what, path=path, change=change)

    def walk(node: ast.AST, path: tuple[tuple[str, int | None], ...]) -> Iterator[Site]:
        yield from (at(node, path, what, change) for what, change in _mistakes(node))
        for name, value in ast.iter_fields(node):
            if _left_alone(node, name):
                continue
            if isinstance(value, ast.AST):
                yield from walk(value, (*path, (name, None)))
            elif isinstance(value, list):
                for index, child in enumerate(value):
                    if isinstance(child, ast.AST) and not _is_docstring(node, index, child):
                        yield from walk(child, (*path, (name, index)))

    yield from sorted(walk(tree, ()), key=lambda site: (site.line, site.column, site.what))


def _left_alone(node: ast.AST, name: str) -> bool:
    """Return whether a part is no code of the core: annotations, decorators, what is exported, sentences for people."""
    if name in {"annotation", "returns", "decorator_list", "type_comment", "ctx"}:
        return True
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__all__":
        return True
    return isinstance(node, ast.Raise) or (isinstance(node, ast.JoinedStr) and any(map(_is_said, node.values)))


def _is_said(node: ast.expr) -> bool:
    """Return whether a constant is a sentence, or a piece of one, and no code or name."""
    said = node.value if isinstance(node, ast.Constant) else ""
    return isinstance(said, str) and (" " in said.strip() or not said.isascii())


def _is_docstring(parent: ast.AST, index: int, child: ast.AST) -> bool:
    return isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)


def _mistakes(node: ast.AST) -> Iterator[tuple[str, Change]]:
    match node:
        case ast.Compare(ops=ops):
            for index, op in enumerate(ops):
                for other in COMPARED[type(op)]:
                    yield f"{type(op).__name__} to {other.__name__}", _set_item("ops", index, other)
        case ast.BinOp(op=op) | ast.AugAssign(op=op) if type(op) in RECKONED:
            yield f"{type(op).__name__} to {RECKONED[type(op)].__name__}", _set("op", RECKONED[type(op)])
        case ast.BoolOp(op=op):
            other = ast.Or if isinstance(op, ast.And) else ast.And
            yield f"{type(op).__name__} to {other.__name__}", _set("op", other)
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield "sign or not removed", lambda n: n.operand  # type: ignore[attr-defined]
        case ast.Constant(value=bool() as value):
            yield f"{value} to {not value}", lambda _, v=value: ast.Constant(not v)  # type: ignore[misc]
        case ast.Constant(value=int() | float() as value):
            # A limit or a size is moved by one where one can matter, doubled where it is large.
            other_value = value + 1 if abs(value) < 100 else 2 * value
            yield f"{value} to {other_value}", lambda _, v=other_value: ast.Constant(v)  # type: ignore[misc]
        case ast.Constant(value=str() as value) if not _is_said(node):
            yield f"{value!r} to another", lambda _, v=value: ast.Constant(f"XX{v}")  # type: ignore[misc]
        case ast.Return(value=ast.expr() as value) if not (isinstance(value, ast.Constant) and not value.value):
            yield "returns None", lambda _: ast.Return(ast.Constant(None))
        case ast.If() | ast.IfExp():
            yield "condition always true", _set("test", lambda: ast.Constant(True))
            yield "condition never true", _set("test", lambda: ast.Constant(False))
        case ast.While():
            yield "never looped", _set("test", lambda: ast.Constant(False))
        case ast.comprehension(ifs=ifs):
            for index in range(len(ifs)):
                yield "condition dropped", _set_item("ifs", index, lambda: ast.Constant(True))
        case ast.Expr(value=ast.Call() | ast.YieldFrom() | ast.Yield()) | ast.Break() | ast.Continue():
            yield "statement removed", lambda _: ast.Pass()
        case ast.Call(func=ast.Name(id=name)) if name in EXCHANGED:
            other_name = EXCHANGED[name]
            yield f"{name} to {other_name}", _set("func", lambda: ast.Name(other_name, ast.Load()))
        case _:
            pass


def _set(name: str, made: Callable[[], ast.AST]) -> Change:
    def change(node: ast.AST) -> ast.AST:
        setattr(node, name, made())
        return node

    return change


def _set_item(name: str, index: int, made: Callable[[], ast.AST]) -> Change:
    def change(node: ast.AST) -> ast.AST:
        getattr(node, name)[index] = made()
        return node

    return change


def mutated(tree: ast.Module, site: Site) -> tuple[ast.Module, str, str]:
    """Return the module with the mistake, and the statement before and after."""
    other = copy.deepcopy(tree)
    parents: list[tuple[ast.AST, str, int | None]] = []
    node: ast.AST = other
    for name, index in site.path:
        parents.append((node, name, index))
        child = getattr(node, name)
        node = child if index is None else child[index]
    before = ast.unparse(node)
    after = site.change(node)
    parent, name, index = parents[-1]
    if index is None:
        setattr(parent, name, after)
    else:
        getattr(parent, name)[index] = after
    ast.fix_missing_locations(other)
    return other, before.split("\n")[0], ast.unparse(after or ast.Pass()).split("\n")[0]


class _Mutant(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives the mutated module where its name is imported."""

    def __init__(self, name: str, tree: ast.Module) -> None:
        self.name, self.tree = name, tree

    def find_spec(self, name: str, path: object, target: object = None) -> importlib.machinery.ModuleSpec | None:
        if name != self.name:
            return None
        return importlib.machinery.ModuleSpec(name, self, origin=str(CORE / f"{name.split('.')[1]}.py"))

    def exec_module(self, module: object) -> None:
        exec(compile(self.tree, f"<mutant of {self.name}>", "exec"), vars(module))


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the tests run without any mistake: seconds by test, and tests by line of a module."""

    seconds: dict[str, float]
    by_line: dict[str, dict[int, set[str]]]


def look(folder: Path) -> Seen:
    """Run the tests of the core once under coverage; raises SystemExit where one fails."""
    data, report = folder / "coverage", folder / "report.xml"
    settings = folder / "coveragerc"
    settings.write_text(f"[run]\nbranch = false\nsource = {CORE}\ndynamic_context = test_function\n", encoding="utf-8")
    measured = [sys.executable, "-m", "coverage", "run", f"--data-file={data}", f"--rcfile={settings}", "-m", "pytest"]
    plain = ["-q", "-p", "no:randomly", "-p", "no:cacheprovider", f"--junitxml={report}"]
    done = subprocess.run(
        [*measured, *plain, *TESTS, *LEFT_OUT],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        sys.exit(f"mutants: the tests fail without any mutant:\n{done.stdout[-3000:]}")
    from xml.etree import ElementTree

    import coverage

    seconds: dict[str, float] = defaultdict(float)
    for case in ElementTree.parse(report).iter("testcase"):
        name = case.attrib["name"].split("[")[0]
        seconds[f"{case.attrib['classname'].replace('.', '/')}.py::{name}"] += float(case.attrib["time"])
    read = coverage.CoverageData(str(data))
    read.read()
    by_line: dict[str, dict[int, set[str]]] = {}
    for file in read.measured_files():
        lines: dict[int, set[str]] = {}
        for line, contexts in read.contexts_by_lineno(file).items():
            lines[line] = {_node(context) for context in contexts if ".test_" in context}
        by_line[Path(file).stem] = lines
    return Seen(seconds=dict(seconds), by_line=by_line)


def _node(context: str) -> str:
    """Return pytest's name of a test from coverage's: `tests.schedules.test_x.test_y` becomes a path."""
    module, _, function = context.rpartition(".test_")
    return f"{module.replace('.', '/')}.py::test_{function}"


def killers(seen: Seen, site: Site, statement: tuple[int, int]) -> list[str]:
    """Return the tests that run the statement, the quickest first; all of the module where it runs at import."""
    lines = seen.by_line.get(site.module, {})
    found: set[str] = set()
    for line in range(statement[0], statement[1] + 1):
        found |= lines.get(line, set())
    # What runs at import has no test of its own: all of the module, and those of values, which look at nothing else.
    named = found or {t for tests in lines.values() for t in tests} | {t for t in seen.seconds if VALUES in t}
    timed = sorted((seen.seconds.get(test, 99.0), test) for test in named)
    return [test for seconds, test in timed if seconds <= SLOWEST_S]


def try_out(site: Site, tree: ast.Module, tests: list[str]) -> bool:
    """Return, in a child of its own, whether a test fails."""
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        quiet = os.open(os.devnull, os.O_RDWR)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        code = 3
        with contextlib.suppress(BaseException):
            resource.setrlimit(resource.RLIMIT_CPU, (BUDGET_S, BUDGET_S))
            sys.meta_path.insert(0, _Mutant(f"schedules.{site.module}", tree))
            import pytest

            plain = ["-x", "-q", "--tb=no", "-p", "no:randomly", "-p", "no:cacheprovider"]
            code = int(pytest.main([*plain, *tests]))
        os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0


def _statement(tree: ast.Module, line: int) -> tuple[int, int]:
    """Return the first and last line of the smallest statement (or head of one) around `line`."""
    best = (line, line)
    size = 10_000
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno):
            body = getattr(node, "body", None)
            end = body[0].lineno - 1 if body else node.end_lineno or node.lineno
            if line <= end and end - node.lineno < size:
                best, size = (node.lineno, max(end, node.lineno)), end - node.lineno
    return best


def work(
    drawn: list[tuple[int, Site]], trees: dict[str, ast.Module], seen: Seen, told: Path, first: int, step: int
) -> None:
    """Try every `step`-th mutant from `first` on, and write what became of it, a line each."""
    with told.open("a", encoding="utf-8", buffering=1) as out:
        for number, site in drawn[first::step]:
            tree, before, after = mutated(trees[site.module], site)
            tests = killers(seen, site, _statement(trees[site.module], site.line))
            began = time.monotonic()
            killed = bool(tests) and try_out(site, tree, tests)
            line = {
                "number": number,
                "where": f"{site.module}.py:{site.line}",
                "what": site.what,
                "before": before,
                "after": after,
                "tests": len(tests),
                "killed": killed,
                "seconds": round(time.monotonic() - began, 1),
            }
            out.write(json.dumps(line, ensure_ascii=False) + "\n")


def main() -> int:
    """Draw, try, tell; 1 where fewer are noticed than asked for."""
    options = argparse.ArgumentParser(description="Mutants of schedules/ that the tests of the core do not notice.")
    options.add_argument("--count", type=int, default=300, help="how many mutants are drawn")
    options.add_argument("--seed", type=int, default=3, help="draws the same mutants again from the same sources")
    options.add_argument("--only", default="", help="draw from these modules only: flow,owing")
    options.add_argument("--least", type=float, default=90.0, help="per cent that must be noticed")
    options.add_argument("--workers", type=int, default=2, help="processes side by side")
    asked = options.parse_args()
    os.chdir(PROJECT)
    sys.path.insert(0, str(PROJECT))
    sys.dont_write_bytecode = True
    began = time.monotonic()
    paths = [path for path in sorted(CORE.glob("*.py")) if path.stem not in DATA]
    trees = {path.stem: ast.parse(path.read_text(encoding="utf-8")) for path in paths}
    every = [
        site
        for name in trees
        if name in (asked.only.split(",") if asked.only else trees)
        for site in sites(name, trees[name])
    ]
    drawn = Random(asked.seed).sample(every, min(asked.count, len(every)))
    with tempfile.TemporaryDirectory(prefix="loa-mutants-") as made:
        folder = Path(made)
        seen = look(folder)
        print(f"mutants: {len(every)} places for a mistake, {len(drawn)} drawn with seed {asked.seed}", flush=True)
        print(f"mutants: {len(seen.seconds)} tests meet them; looked in {time.monotonic() - began:.0f} s", flush=True)
        # Every child needs it and no mutant changes it; plugins are left to pytest, which rewrites their asserts.
        import pytest  # noqa: F401

        whole = Site(module="clock", line=1, column=0, what="", path=(), change=lambda node: node)
        if try_out(whole, trees["clock"], [t for t, s in seen.seconds.items() if s < 0.1]):
            sys.exit("mutants: the tests fail in a child without any mutant")
        told = folder / "told"
        numbered = list(enumerate(drawn, start=1))
        children = []
        for first in range(asked.workers):
            child = os.fork()
            if child == 0:
                work(numbered, trees, seen, told, first, asked.workers)
                os._exit(0)
            children.append(child)
        failed = [child for child in children if os.waitpid(child, 0)[1] != 0]
        results = [json.loads(line) for line in told.read_text(encoding="utf-8").splitlines()]
    if failed or len(results) != len(drawn):
        print("mutants: a worker ended early", file=sys.stderr)
        return 2
    survivors = sorted((r for r in results if not r["killed"]), key=lambda r: (r["where"], r["what"]))
    for r in survivors:
        print(f"{r['where']}: {r['what']} ({r['tests']} tests)\n    {r['before']}\n    {r['after']}")
    counted = Counter(r["where"].split(":")[0] for r in results)
    alive = Counter(r["where"].split(":")[0] for r in survivors)
    for name, count in sorted(counted.items()):
        print(f"mutants: {name:16} {count - alive[name]} of {count} noticed")
    share = 100 * (len(results) - len(survivors)) / len(results)
    took = time.monotonic() - began
    print(f"mutants: {len(results) - len(survivors)} of {len(results)} noticed, {share:.1f} %, in {took / 60:.1f} min")
    return 0 if share >= asked.least else 1


if __name__ == "__main__":
    sys.exit(main())
