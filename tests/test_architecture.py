"""Keeps the arrows of docs/adr/0001: which room may import which, the core's purity, and no circles."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent

EDGES = {"audio", "store", "link"}
MAY_IMPORT = {
    "schedules": set(),
    "audio": {"schedules"},
    "store": {"schedules"},
    "link": {"schedules"},
    "config": {"schedules"},
    "playout": {"schedules", "config"} | EDGES,
    "webui": {"schedules", "config"} | EDGES,
    "house": {"schedules", "config", "playout", "webui"} | EDGES,
    "loa": {"schedules", "config", "playout", "webui", "house"} | EDGES,
}

# The core decides from what it is given. These would let it look, wait, write or throw dice.
IMPURE = {
    "asyncio",
    "ctypes",
    "glob",
    "http",
    "io",
    "logging",
    "multiprocessing",
    "os",
    "pathlib",
    "secrets",
    "select",
    "shutil",
    "signal",
    "socket",
    "sqlite3",
    "ssl",
    "subprocess",
    "tempfile",
    "threading",
    "time",
    "urllib",
    "uuid",
}
CORE_MAY_USE = {"dateutil"}
AMBIENT_CALLS = {"now", "utcnow", "today", "open", "print", "input"}


def _sources(room: str) -> list[Path]:
    """Return the room's modules, be it a folder or a single file."""
    single = PROJECT / f"{room}.py"
    found = [single] if single.is_file() else []
    folder = PROJECT / room
    return found + sorted(p for p in folder.rglob("*.py") if "node_modules" not in p.parts)


def _module_name(path: Path) -> str:
    parts = path.relative_to(PROJECT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def _for_types_only(node: ast.If) -> bool:
    return ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}


def _statements(node: ast.AST, *, with_types: bool) -> Iterator[ast.Import | ast.ImportFrom]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        elif isinstance(child, ast.If) and _for_types_only(child) and not with_types:
            continue
        else:
            yield from _statements(child, with_types=with_types)


def _imports(path: Path, *, with_types: bool = True) -> Iterator[str]:
    """Yield the dotted names that the module imports; for `from a import b` both `a` and `a.b`."""
    name = _module_name(path)
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for statement in _statements(_tree(path), with_types=with_types):
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
            continue
        base = statement.module or ""
        if statement.level:
            above = package.split(".")[: len(package.split(".")) - statement.level + 1]
            base = ".".join([*above, base] if base else above)
        yield base
        yield from (f"{base}.{alias.name}" for alias in statement.names)


@pytest.mark.parametrize("room", sorted(MAY_IMPORT))
def test_each_room_imports_only_what_lies_towards_the_core(room: str) -> None:
    """A room imports itself and the rooms that the arrows of docs/adr/0001 allow, and nobody else."""
    wrong = {
        f"{path.relative_to(PROJECT)} imports {top}"
        for path in _sources(room)
        for top in {name.split(".")[0] for name in _imports(path)}
        if top in MAY_IMPORT and top != room and top not in MAY_IMPORT[room]
    }

    assert set() == wrong


def test_product_never_imports_its_tests() -> None:
    """What is installed at a station does not need the tests folder."""
    wrong = {
        str(path.relative_to(PROJECT))
        for room in MAY_IMPORT
        for path in _sources(room)
        if any(name.split(".")[0] in {"tests", "pytest", "hypothesis"} for name in _imports(path))
    }

    assert set() == wrong


def test_core_uses_the_standard_library_only() -> None:
    """The core needs nothing installed but calendar arithmetic, so it can be read and trusted by itself."""
    known = sys.stdlib_module_names | CORE_MAY_USE | {"schedules"}
    wrong = {
        f"{path.relative_to(PROJECT)} imports {top}"
        for path in _sources("schedules")
        for top in {name.split(".")[0] for name in _imports(path)}
        if top not in known
    }

    assert set() == wrong


def test_core_cannot_look_wait_or_write() -> None:
    """The core has no door to files, network, processes, threads or clocks: all it knows is passed in."""
    wrong = {
        f"{path.relative_to(PROJECT)} imports {top}"
        for path in _sources("schedules")
        for top in {name.split(".")[0] for name in _imports(path)}
        if top in IMPURE
    }

    assert set() == wrong


def _ambient(path: Path) -> Iterator[str]:
    """Yield calls that read the clock, a file or the global dice, such as `datetime.now(...)`.

    `clock.now()` is no such call: a clock is passed in, `datetime` and `date` are names of classes.
    """
    for node in ast.walk(_tree(path)):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        owner, _, method = called.rpartition(".")
        if method in AMBIENT_CALLS and owner.split(".")[-1] in {"", "datetime", "date"}:
            yield f"{path.relative_to(PROJECT)}:{node.lineno} calls {called}"
        if owner == "random" and method != "Random":
            yield f"{path.relative_to(PROJECT)}:{node.lineno} throws dice with {called}"


def test_core_reads_no_clock_and_throws_no_dice() -> None:
    """The same facts and the same now give the same plan, on every machine and on every day."""
    wrong = {call for path in _sources("schedules") for call in _ambient(path)}

    assert set() == wrong


def _circle(graph: dict[str, set[str]]) -> list[str]:
    """Return one circle of modules, or nothing."""
    settled: set[str] = set()

    def walk(name: str, way: list[str]) -> list[str]:
        if name in way:
            return [*way[way.index(name) :], name]
        if name in settled:
            return []
        for neighbour in sorted(graph.get(name, set())):
            if found := walk(neighbour, [*way, name]):
                return found
        settled.add(name)
        return []

    for start in sorted(graph):
        if found := walk(start, []):
            return found
    return []


def test_no_module_imports_itself_in_a_circle() -> None:
    """Every module can be read after the ones it needs; imports hidden in functions count too."""
    modules = {_module_name(path): path for room in MAY_IMPORT for path in _sources(room)}
    graph = {
        name: {other for other in _imports(path, with_types=False) if other in modules} - {name}
        for name, path in modules.items()
    }
    # `from package import module` names the package as well, but needs only that module of it.
    for name, others in graph.items():
        graph[name] = {o for o in others if not any(x.startswith(f"{o}.") for x in others)}

    assert [] == _circle(graph)


def test_a_circle_would_be_found() -> None:
    """The search for circles finds one that does not contain the module it started from."""
    assert ["b", "c", "b"] == _circle({"a": {"b"}, "b": {"c"}, "c": {"b"}})


def test_an_ambient_clock_would_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The core's check rejects the system's clock and global dice, and accepts a clock that was passed in."""
    monkeypatch.setattr(sys.modules[__name__], "PROJECT", tmp_path)
    module = tmp_path / "plan.py"
    module.write_text("datetime.now(UTC)\nclock.now()\nrandom.choice(a)\nrandom.Random(seed)\nopen('x')\n")

    assert [
        "plan.py:1 calls datetime.now",
        "plan.py:3 throws dice with random.choice",
        "plan.py:5 calls open",
    ] == list(_ambient(module))
