"""The long run of kills: ten thousand writers of a journal killed with -9, to be taken up again at any number."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.playout.journalwriter import BLOCK, rows_lost_in_kills

KILLS = 10_000


def wanted(text: str | None) -> range:
    """Return the kills that `LOA_KILLS` names as `first-last`; without it, all."""
    if not text:
        return range(KILLS)
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


@pytest.mark.soak
@pytest.mark.timeout(0)
def test_no_acknowledged_row_is_lost_in_ten_thousand_kills(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every row that a writer acknowledged outlives its kill; the kills done are printed as they are done."""
    kills, rows = wanted(os.environ.get("LOA_KILLS")), 0
    for start in range(kills.start, kills.stop, 10 * BLOCK):
        block = range(start, min(start + 10 * BLOCK, kills.stop))
        acknowledged, lost = rows_lost_in_kills(tmp_path, block)
        rows += acknowledged
        with capsys.disabled():
            sys.stdout.write(f"kills {block.start} to {block.stop - 1}: {rows} rows acknowledged, {lost} lost\n")
            sys.stdout.flush()
        assert 0 == lost
