"""Cells of spreadsheets: a formula is text there, and the text is whole again when it comes back."""

from __future__ import annotations

import pytest

from webui.cells import plain, written

FORMULAS = [
    "=1+1",
    "+1|cmd",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    ";=cmd|'/C calc'!A0",
    '"=1',
    "＝1+1",
    "＠a",
    " =1",
    "\n=1",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_s38_a_formula_is_text(text):
    """S38: whatever a spreadsheet could calculate begins with a mark that keeps it from doing so."""
    assert plain(text) == f"'{text}"


@pytest.mark.parametrize("text", [*FORMULAS, "Loa thôn 1", "'=1", "''", "-14.5", "0905123456", "", "a=b"])
def test_s38_it_comes_back_as_it_was(text):
    """S38: the round trip keeps every letter."""
    assert written(plain(text)) == text


def test_a_number_stays_a_number():
    """Coordinates south of the equator are no formulas."""
    assert plain("-14.5") == "-14.5"
    assert plain("15,12") == "15,12"
