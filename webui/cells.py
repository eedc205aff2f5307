"""Cells of tables that people open in a spreadsheet: what looks like a formula stays text, and comes back as it was."""

from __future__ import annotations

import re
import unicodedata

_FORMULA = frozenset("=+-@\t\r\n|%")
_NUMBER = re.compile(r"-?\d{1,15}([.,]\d{1,10})?")
_SKIPPED = " \"';,\u00a0\u200b\ufeff"


def plain(text: str) -> str:
    """Return the cell with a mark before it where a spreadsheet might calculate it; a plain number stays one.

    Letters of full width count as what they look like, and so does what stands behind separators and quotes: a
    program that splits at another sign would else begin a cell there.
    """
    if _NUMBER.fullmatch(text):
        return text
    whole = unicodedata.normalize("NFKC", text)
    if whole[:1] in _FORMULA or whole.lstrip(_SKIPPED)[:1] in _FORMULA or text[:1] in _FORMULA or text[:1] == "'":
        return f"'{text}"
    return text


def written(text: str) -> str:
    """Return what was in the cell before `plain`."""
    return text[1:] if text[:1] == "'" and plain(text[1:]) == text else text
