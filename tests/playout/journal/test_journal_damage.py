"""Journals that were damaged while the station was off: it starts, keeps what can be read, and says what cannot."""

from __future__ import annotations

import random
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from playout.journal.journal import Journal
from playout.journal.journalcheck import examine
from playout.journal.journalhead import read_head
from schedules.clock import ManualClock
from schedules.errors import JournalBroken

KEY = SigningKey(b"k" * 32)
NOW = datetime(2026, 11, 23, tzinfo=UTC)
ROWS = 120
DAMAGES = 200


def started(path: Path, witness: tuple[int, str] | None = None) -> Journal:
    journal = Journal(path, clock=ManualClock(NOW), boot="boot", key=KEY, witness=witness)
    journal.start()
    return journal


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What lies on the disk after the power went: half of the rows in the file, half in its log."""
    home = tmp_path_factory.mktemp("journal")
    journal = Journal(home / "XA.db", clock=ManualClock(NOW), boot="boot", key=KEY, tidy_rows=70)
    journal.start()
    for number in range(1, ROWS + 1):
        journal.append("boot" if number == 1 else "verdict", {"number": number, "text": "đài " * 50})
        assert journal.flush(30)
    journal.set_checkpoint("alive", {"time": NOW.isoformat(), "trusted": True})
    assert journal.flush(30)
    while (noted := read_head(home / "XA.head", KEY.verify_key)) is None or noted.seq < ROWS:
        time.sleep(0.01)
    copy = tmp_path_factory.mktemp("left")
    for name in ("XA.db", "XA.db-wal", "XA.head"):
        shutil.copy(home / name, copy / name)
    journal.stop()
    return copy


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder in memory where there is one: what a real disk adds is only time."""
    place = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=place if place.is_dir() else None) as name:
        yield Path(name)


def damage(home: Path, case: int) -> str:
    """Flip some bytes, cut, or wipe a stretch of one of the files; return what was done."""
    dice = random.Random(case)
    path = home / dice.choice(["XA.db", "XA.db", "XA.db-wal"])
    content = bytearray(path.read_bytes())
    offset = dice.randrange(len(content)) if case % 4 else dice.randrange(100)
    match case % 3:
        case 0:
            content[offset] ^= dice.randrange(1, 256)
        case 1:
            del content[offset:]
        case _:
            content[offset : offset + 600] = bytes(len(content[offset : offset + 600]))
    path.write_bytes(content)
    return f"{case}: {path.name} at {offset}"


def test_f42_a_station_starts_on_a_journal_damaged_anywhere(left: Path, memory: Path) -> None:
    """Header, pages, log: at 200 places. Each row is there or declared lost, no number comes twice, copies are kept."""
    kept = quarantined = 0
    for case in range(DAMAGES):
        home = memory / str(case)
        shutil.copytree(left, home)
        what = damage(home, case)
        before = (home / "XA.db").read_bytes()
        journal = started(home / "XA.db")
        row = journal.append("boot", {})
        journal.stop()
        assert row.seq > ROWS, what
        examined = examine(home / "XA.db", KEY.verify_key)
        lost = sum(last - first + 1 for first, last in examined.lost)
        rows = [row for row in journal.rows(limit=ROWS) if row.seq <= ROWS]
        assert ROWS == len(rows) + lost, what
        kept += len(rows)
        if (home / "quarantine").exists():
            quarantined += 1
            assert before == (home / "quarantine" / "XA-1" / "XA.db").read_bytes(), what
            assert "journal_rebuilt" in {trouble.code for trouble in journal.troubles}
        shutil.rmtree(home)
    assert quarantined > DAMAGES // 3
    assert kept > DAMAGES * ROWS * 0.8, "more could have been read"


def test_f42_what_is_under_way_outlives_a_damaged_header(left: Path, tmp_path: Path) -> None:
    """Checkpoints are carried over too: the station knows what it was airing."""
    home = tmp_path / "home"
    shutil.copytree(left, home)
    (home / "XA.db").write_bytes(bytes(4096) + (home / "XA.db").read_bytes()[4096:])
    journal = started(home / "XA.db")
    rows = journal.rows(kind="verdict")
    journal.stop()

    assert {"alive": {"time": NOW.isoformat(), "trusted": True}} == journal.checkpoints("")
    assert list(range(2, ROWS + 1)) == [row.seq for row in rows]


def test_a_tail_that_was_cut_off_is_declared_lost_and_no_number_comes_twice(left: Path, tmp_path: Path) -> None:
    """The log gone with half of the rows in it: the note beside the file knows how many there were."""
    home = tmp_path / "home"
    shutil.copytree(left, home)
    (home / "XA.db-wal").unlink()
    noted = read_head(home / "XA.head", KEY.verify_key)
    journal = started(home / "XA.db")
    segment = journal.rows(kind="segment")[0]
    journal.stop()

    assert noted is not None
    assert (ROWS, ROWS + 1, noted.hash) == (noted.seq, segment.seq, segment.prev)
    lost = examine(home / "XA.db", KEY.verify_key).lost
    assert [ROWS] == [last for _, last in lost]
    assert ROWS == len(journal.rows(limit=ROWS)) - 1 + lost[0][1] - lost[0][0] + 1


def test_a_journal_that_vanished_goes_on_behind_what_the_centre_knows(tmp_path: Path) -> None:
    """File and note gone: the authority's copy still knows the last number, and rows until there are declared lost."""
    journal = started(tmp_path / "XA.db", witness=(41, "a" * 64))
    row = journal.append("boot", {})
    journal.stop()

    assert 43 == row.seq
    assert ((1, 41),) == examine(tmp_path / "XA.db", KEY.verify_key).lost


def test_rows_that_were_forged_while_the_station_was_off_are_not_carried_on(left: Path, tmp_path: Path) -> None:
    """The station signs nothing that it did not write: the forged row is set aside with its file, and declared lost."""
    home = tmp_path / "home"
    shutil.copytree(left, home)
    connection = sqlite3.connect(home / "XA.db")
    connection.execute("DROP TRIGGER journal_no_update")
    connection.execute("UPDATE journal SET body = '{\"number\":0}' WHERE seq = 33")
    connection.commit()
    connection.close()
    with pytest.raises(JournalBroken, match="33"):
        examine(home / "XA.db", KEY.verify_key)
    journal = started(home / "XA.db")
    journal.stop()

    assert ((33, 33),) == examine(home / "XA.db", KEY.verify_key).lost
    assert 33 not in [row.seq for row in journal.rows()]
    with pytest.raises(JournalBroken, match="33"):
        examine(home / "quarantine" / "XA-1" / "XA.db", KEY.verify_key)


def test_a_rebuild_that_was_cut_off_is_finished_at_the_next_start(left: Path, tmp_path: Path) -> None:
    """The power goes between putting the damaged file aside and putting the good one in its place."""
    home = tmp_path / "home"
    shutil.copytree(left, home)
    (home / "XA.db").write_bytes(b"?" * 5000 + (home / "XA.db").read_bytes()[5000:])
    (home / "XA.db-wal").unlink()
    first = started(home / "XA.db")
    first.stop()
    rows = examine(home / "XA.db", KEY.verify_key).rows
    (home / "XA.db").rename(home / "XA.rebuilt")
    (home / "quarantine" / "XA-1" / "complete").unlink()

    again = started(home / "XA.db")
    row = again.append("boot", {})
    again.stop()
    assert rows + 1 == row.seq == examine(home / "XA.db", KEY.verify_key).rows
    assert [] == [trouble.code for trouble in again.troubles]
