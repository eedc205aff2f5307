"""The report of fault numbers: which names carry which, and that none is without a test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import faultnumbers


@pytest.mark.parametrize(
    ("name", "carried"),
    [
        ("test_f21_a_muted_sink", {21}),
        ("test_f26_f27_a_jump[f99]", {26, 27}),
        ("test_a_leap_of_f34", {34}),
        ("test_mp3_of_f_sharp_and_pdf1_and_f2x", set()),
    ],
)
def test_a_name_carries_its_numbers(name: str, carried: set[int]) -> None:
    """A number stands between underscores; parameters and parts of words are none."""
    assert carried == faultnumbers.numbers(name)


def test_what_has_no_test_is_listed(tmp_path: Path) -> None:
    """A tree with one numbered test leaves all the others to be listed, in order."""
    (tmp_path / "test_one.py").write_text("def test_f1_an_upload(): ...\nclass A:\n    def test_f3_x(self): ...\n")

    shown = faultnumbers.shown_in(tmp_path)
    lines = faultnumbers.report(set(faultnumbers.WANTED) - set(shown), {3})

    assert {1: ("test_f1_an_upload",), 3: ("test_f3_x",)} == shown
    assert lines[0].startswith("without a test: F2, F4, F6, F7, ")
    assert lines[1].endswith("passed in this run: F3")


def test_no_fault_of_the_catalogue_is_without_a_test() -> None:
    """Every number that is dealt with so far stands in the name of at least one test."""
    shown = faultnumbers.shown_in(Path(__file__).parent)

    assert [] == sorted(set(faultnumbers.WANTED) - set(shown))
