"""What every test may use, and the report of fault numbers at the end of a whole run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import faultnumbers

_passed = pytest.StashKey[set[int]]()


def pytest_configure(config: pytest.Config) -> None:
    """Begin to gather the numbers that passed."""
    config.stash[_passed] = set()
    config.pluginmanager.register(_Gatherer(config.stash[_passed]), "fault-numbers")


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
