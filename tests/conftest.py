"""How tests share two processes, and the report of fault numbers at the end of a whole run."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

from tests import faultnumbers

_passed = pytest.StashKey[set[int]]()
_ALONE = ("sound", "browser")
_ASIDE = 10


def pytest_configure(config: pytest.Config) -> None:
    """Begin to gather the numbers that passed."""
    config.stash[_passed] = set()
    config.pluginmanager.register(_Gatherer(config.stash[_passed]), "fault-numbers")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep what measures sound in one process, one after the other, and what drives a browser likewise."""
    for item in items:
        for name in _ALONE:
            if item.get_closest_marker(name):
                item.add_marker(pytest.mark.xdist_group(name))
                break


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let every test that only computes step aside for those that measure sound in the other process."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        # Whoever is not root cannot go back up; sound is then measured at the lower priority.
        with contextlib.suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, 0, 0 if item.get_closest_marker("sound") else _ASIDE)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """List the numbers of the fault catalogue that have no test, when the whole tree was run."""
    if config.args_source is not pytest.Config.ArgsSource.TESTPATHS or config.option.keyword:
        return
    shown = faultnumbers.shown_in(Path(__file__).parent)
    without_test = set(faultnumbers.WANTED) - set(shown)
    not_passed = set(faultnumbers.WANTED) - without_test - config.stash[_passed]
    terminalreporter.section("faults of the catalogue")
    for line in faultnumbers.report(without_test, not_passed):
        terminalreporter.line(line)


class _Gatherer:
    """Notes the numbers of the tests that passed, in whichever process they ran."""

    def __init__(self, passed: set[int]) -> None:
        self._passed = passed

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the outcome of one test."""
        if report.when == "call" and report.passed:
            self._passed |= faultnumbers.numbers(report.location[2].rpartition(".")[2])
