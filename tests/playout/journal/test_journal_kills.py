"""kill -9 of the journal's writer: whatever it acknowledged is there, and the chain is whole."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from tests.playout.journalwriter import rows_lost_in_kills


def test_no_acknowledged_row_is_lost_in_three_hundred_kills() -> None:
    """Killed at any moment of a row's way to the disk, the writer has told of no row that is not there."""
    memory = Path("/dev/shm")  # kill -9 leaves what the kernel holds: a real disk would add time alone
    with TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        acknowledged, lost = rows_lost_in_kills(Path(name), range(300))

    assert 0 == lost
    assert acknowledged > 1_000
