"""Keeps the project's own files honest: locks, doors, scripts, records."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
LOCKS = ["requirements.txt", "requirements-dev.txt", "requirements-node.txt"]
SCRIPTS = ["tools/setup", "tools/check", "tools/branches", "tools/lock", "tools/fresh", "tools/fresh-inside", ".ci/run"]
ROOMS = ["audio", "house", "link", "playout", "schedules", "store", "webui"]

_REQUIREMENT = re.compile(r"^[a-z0-9][a-z0-9.-]*==", re.MULTILINE)


def _text(name: str) -> str:
    return (PROJECT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("lock", LOCKS)
def test_python_locks_name_no_host(lock: str) -> None:
    """A mirror can stand in for the registry, because the lock says what, never from where."""
    assert not re.search(r"://|--(extra-)?index-url|--find-links|--trusted-host", _text(lock))


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_a_hash(lock: str) -> None:
    """Nothing is installed whose content was not known when the lock was written."""
    blocks = _REQUIREMENT.split(_text(lock))[1:]

    assert blocks
    assert [] == [block[:40] for block in blocks if "--hash=sha256:" not in block]


@pytest.mark.parametrize("name", ["requirements", "requirements-dev", "requirements-node"])
def test_locks_hold_what_is_asked_for(name: str) -> None:
    """Every package in the .in file stands in its lock; `make lock` brings them together again."""
    asked = re.findall(r"^([a-z][a-z0-9-]*)", _text(f"{name}.in"), re.MULTILINE)
    locked = set(re.findall(r"^([a-z0-9][a-z0-9.-]*)==", _text(f"{name}.txt"), re.MULTILINE))

    assert asked
    assert [] == [package for package in asked if package not in locked]


def test_tests_run_on_the_versions_that_stations_run() -> None:
    """The lock for tests holds exactly what the lock for running holds, and more."""
    pin = re.compile(r"^[a-z0-9][a-z0-9.-]*==\S+", re.MULTILINE)
    missing = set(pin.findall(_text("requirements.txt"))) - set(pin.findall(_text("requirements-dev.txt")))

    assert set() == missing


def test_npm_lock_names_no_host() -> None:
    """The npm lock pins content by hash and leaves open where it comes from."""
    lock = PROJECT / "webui/frontend/package-lock.json"
    packages = json.loads(lock.read_text(encoding="utf-8"))["packages"] if lock.exists() else {}
    outside = {name: entry for name, entry in packages.items() if name.startswith("node_modules/")}

    assert [] == [name for name, entry in outside.items() if "://" in entry.get("resolved", "")]
    assert [] == [name for name, entry in outside.items() if not entry.get("integrity")]


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_can_be_started_and_parsed(script: str) -> None:
    """Every script of ours is executable, refuses unset names and broken pipes, and is valid bash."""
    path = PROJECT / script

    assert path.stat().st_mode & 0o111
    assert re.search(r"^set -\w*uo pipefail$", _text(script), re.MULTILINE)
    subprocess.run(["bash", "-n", path], check=True)


def test_every_make_target_says_what_it_does() -> None:
    """`make help` lists each target with a sentence."""
    makefile = _text("Makefile")
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)

    assert phony
    assert set(phony[1].split()) == set(re.findall(r"^([a-z]+):.*## \S", makefile, re.MULTILINE))


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_documents_name_only_make_targets_that_exist(document: str) -> None:
    """A command that a newcomer copies from a page works."""
    targets = set(re.findall(r"^([a-z]+):", _text("Makefile"), re.MULTILINE))
    code = re.findall(r"```.*?```|`[^`]*`", _text(document), re.DOTALL)
    named = set(re.findall(r"\bmake ([a-z]+)\b", "\n".join(code)))

    assert named
    assert set() == named - targets


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_between_documents_lead_somewhere(document: str) -> None:
    """A page that is linked to exists."""
    links = re.findall(r"(?<!!)\]\((?!\w+:|#)([^)#]+)", _text(document))

    assert [] == [link for link in links if not (PROJECT / document).parent.joinpath(link).exists()]


def test_changelog_knows_the_version() -> None:
    """What is being built stands under Unreleased or under its version."""
    version = tomllib.loads(_text("pyproject.toml"))["project"]["version"]

    assert re.search(rf"^## \[?(Unreleased|{re.escape(version)})\b", _text("CHANGELOG.md"), re.MULTILINE)


def test_decision_records_have_a_number_of_their_own() -> None:
    """Each record can be named by its number, and its title says it."""
    records = sorted((PROJECT / "docs/adr").glob("*.md"))
    numbers = [path.name[:4] for path in records]

    assert numbers
    assert sorted(set(numbers)) == numbers
    titles = {number: path.read_text("utf-8").partition("\n")[0] for number, path in zip(numbers, records, strict=True)}
    assert [] == [title for number, title in titles.items() if not re.match(rf"# (ADR )?0*{int(number)}\b", title)]


def test_every_module_says_its_place() -> None:
    """Each module starts with a sentence that gives its place in the pipeline."""
    modules = [
        path
        for source in [*ROOMS, "loa.py", "config.py"]
        for path in ([PROJECT / source] if source.endswith(".py") else (PROJECT / source).rglob("*.py"))
        if path.is_file() and "node_modules" not in path.parts
    ]
    silent = [
        str(path.relative_to(PROJECT))
        for path in modules
        if (tree := ast.parse(path.read_text(encoding="utf-8"))).body and not ast.get_docstring(tree)
    ]

    assert [] == silent
