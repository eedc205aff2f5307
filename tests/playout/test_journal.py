"""The journal: nothing acknowledged is lost, and what was changed is named."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from playout.journal import GENESIS, Journal, newest_state, verify_file
from schedules.clock import ManualClock
from schedules.errors import JournalBroken

KEY = SigningKey(b"k" * 32)
NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """An empty journal, started."""
    journal = Journal(tmp_path / "XA.db", clock=ManualClock(NOW), boot="boot-1", key=KEY)
    journal.start()
    return journal


def filled(journal: Journal, rows: int = 20) -> Path:
    for number in range(rows):
        journal.append("test", {"number": number, "text": "đài"})
    journal.stop()
    return journal.path


def forge(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute("DROP TRIGGER journal_no_update")
    connection.execute("DROP TRIGGER journal_no_delete")
    connection.execute(statement)
    connection.commit()
    connection.close()


def test_rows_are_chained_from_the_first(journal: Journal) -> None:
    """Each row names the hash of the one before; the first names 64 zeros."""
    first, second = journal.append("a", {}), journal.append("b", {"x": 1})

    assert (1, GENESIS) == (first.seq, first.prev)
    assert (2, first.hash) == (second.seq, second.prev)
    assert (2, second.hash) == journal.head


def test_a_journal_goes_on_where_it_ended(journal: Journal) -> None:
    """After a restart the chain continues; the file verifies as one."""
    path = filled(journal, 5)
    again = Journal(path, clock=ManualClock(NOW), boot="boot-2", key=KEY)
    again.start()
    again.append("test", {})
    again.stop()

    assert 6 == verify_file(path, KEY.verify_key)[0]


@pytest.mark.parametrize(
    ("statement", "bad"),
    [
        ("UPDATE journal SET body = '{\"number\":99}' WHERE seq = 7", 7),
        ("UPDATE journal SET time = '2026-11-22T00:00:00+00:00' WHERE seq = 3", 3),
        ("DELETE FROM journal WHERE seq = 5", 5),
        ("DELETE FROM journal WHERE seq > 15", 16),
        ("UPDATE journal SET seq = -seq WHERE seq IN (8, 9)", 8),
        ("UPDATE journal SET body = 'no json' WHERE seq = 4", 4),
        ("UPDATE journal SET prev = hash WHERE seq = 2", 2),
        ("UPDATE journal SET body = x'ff00' WHERE seq = 6", 6),
        ("UPDATE journal SET time = x'00' WHERE seq = 6", 6),
        ("UPDATE head SET signature = x'00' WHERE seq = (SELECT max(seq) FROM head)", 20),
        ("UPDATE head SET seq = 0 WHERE seq = (SELECT max(seq) FROM head)", 0),
    ],
)
def test_s65_a_forged_journal_is_named_at_its_first_bad_row(journal: Journal, statement: str, bad: int) -> None:
    """Changed, re-dated, removed, cut off, re-ordered, damaged: the verifier names the row."""
    path = filled(journal)
    forge(path, statement)

    with pytest.raises(JournalBroken) as broken:
        verify_file(path, KEY.verify_key)
    assert bad == broken.value.seq


@pytest.mark.parametrize("content", [b"garbage" * 1000, b"", b"SQLite format 3\0" + b"\xff" * 8192])
def test_a_file_that_is_no_journal_is_broken(tmp_path: Path, content: bytes) -> None:
    """A damaged disk or a wrong file is told as such."""
    (tmp_path / "XA.db").write_bytes(content)

    with pytest.raises(JournalBroken, match="cannot be read"):
        verify_file(tmp_path / "XA.db", KEY.verify_key)


def test_a_head_signed_by_another_key_is_not_this_stations(journal: Journal) -> None:
    """A whole journal rewritten by somebody without the station's key does not verify."""
    path = filled(journal)

    with pytest.raises(JournalBroken, match="not signed"):
        verify_file(path, SigningKey(b"x" * 32).verify_key)


@pytest.mark.parametrize("statement", ["UPDATE journal SET body = '{}'", "DELETE FROM journal"])
def test_rows_cannot_be_changed_by_mistake(journal: Journal, statement: str) -> None:
    """The file itself refuses an update or a deletion."""
    connection = sqlite3.connect(filled(journal))

    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(statement)
    connection.close()


def test_a_broken_journal_is_not_written_to(journal: Journal) -> None:
    """A start on a forged file stops at once: nothing is chained onto a lie."""
    path = filled(journal)
    forge(path, "UPDATE journal SET kind = 'other' WHERE seq = 2")

    with pytest.raises(JournalBroken):
        Journal(path, clock=ManualClock(NOW), boot="boot-2", key=KEY).start()


def test_checkpoints_are_overwritten_and_removed(journal: Journal) -> None:
    """What is under way is kept once, not as rows."""
    journal.set_checkpoint("run/a", {"position": 1})
    journal.set_checkpoint("run/a", {"position": 2})
    journal.set_checkpoint("run/b", {})
    journal.set_checkpoint("run/b", None)

    assert {"run/a": {"position": 2}} == journal.checkpoints("run/")
    assert (0, GENESIS) == journal.head


def test_the_newest_state_can_be_read_without_holding_the_file(journal: Journal, tmp_path: Path) -> None:
    """The next start asks when this one was last alive, and in which boot."""
    journal.append("test", {})
    journal.set_checkpoint("alive", {"time": NOW.isoformat(), "boot": "boot-1", "trusted": True, "offset_s": 1.5})
    journal.stop()

    state = newest_state(journal.path)

    assert (NOW, "boot-1", True, 1.5) == (state.time, state.boot, state.trusted, state.offset_s)
    assert newest_state(tmp_path / "none.db").time is None


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from nacl.signing import SigningKey
from playout.journal import Journal
from playout.systemclock import SystemClock
journal = Journal(Path(sys.argv[1]), clock=SystemClock(host=True), boot="b", key=SigningKey(b"k" * 32))
journal.start()
while True:
    print(journal.append("test", {"text": "x" * 200}).seq, flush=True)
"""


def test_no_acknowledged_row_is_lost_in_kills(tmp_path: Path) -> None:
    """kill -9 of the writer at ten moments: every row that was acknowledged is there, and the chain is whole."""
    path = tmp_path / "XA.db"
    for moment in range(10):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        acknowledged = 0
        for _ in range(5 + 7 * moment):
            acknowledged = int(writer.stdout.readline())
        os.kill(writer.pid, signal.SIGKILL)
        rest = writer.stdout.read().split()
        writer.stdout.close()
        writer.wait()

        assert verify_file(path, KEY.verify_key)[0] >= max([acknowledged, *map(int, rest)])


def test_times_of_rows_come_from_the_clock_they_were_given(tmp_path: Path) -> None:
    """A row bears the clock's time, its state, and the boot."""
    clock: Callable[[], ManualClock] = lambda: ManualClock(NOW, 12.5)  # noqa: E731 - one value, named
    journal = Journal(tmp_path / "XA.db", clock=clock(), boot="boot-1", key=KEY)
    journal.start()
    row = journal.append("test", {})
    journal.stop()

    assert (NOW, 12.5, "boot-1", "trusted") == (row.at, row.monotonic, row.boot, row.clock)
