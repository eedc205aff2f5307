"""The journal: rows are chained and signed as they are written, and what was changed afterwards is named at its row."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from nacl.signing import SigningKey

from link.chain import head_message
from link.keys import sign, verify
from playout.journal.journal import GENESIS, Journal, newest_state, row_hash, verify_file
from playout.journal.journalcheck import Witness, check_entries, examine
from playout.journal.journalfile import Entry, Seal, entries_of, entry_hash, reading, seals_of
from playout.journal.journalsalvage import make_seal
from schedules.clock import ManualClock
from schedules.errors import JournalBroken

KEY = SigningKey(b"k" * 32)
STRANGER = SigningKey(b"x" * 32)
NOW = datetime(2026, 11, 23, tzinfo=UTC)


def opened(path: Path, **more: Any) -> Journal:
    journal = Journal(path, **{"clock": ManualClock(NOW), "boot": "boot-1", "key": KEY, **more})
    journal.start()
    return journal


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """An empty journal, started."""
    journal = opened(tmp_path / "XA.db")
    yield journal
    journal.stop()


def filled(journal: Journal, rows: int = 20, *, marked: bool = True) -> Path:
    for number in range(1, rows + 1):
        journal.append("boot" if number == 1 and marked else "test", {"number": number, "text": "đài"})
    journal.stop()
    return journal.path


def forge(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute("DROP TRIGGER IF EXISTS journal_no_update")
    connection.execute("DROP TRIGGER IF EXISTS journal_no_delete")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def chained_anew(path: Path, change: Callable[[list[dict[str, Any]]], None], key: SigningKey | None = None) -> None:
    """Forge with care: change rows, number them, make every hash fit; with a key also sign every row again."""
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    rows = [dict(row) for row in connection.execute("SELECT * FROM journal ORDER BY seq")]
    connection.execute("DROP TRIGGER journal_no_delete")
    connection.execute("DELETE FROM journal")
    change(rows)
    previous = GENESIS
    for number, row in enumerate(rows, start=1):
        row |= {"seq": number, "prev": previous}
        entry = Entry(*[row[name] for name in Entry._fields[:7]], row["body"], "")
        row["hash"] = previous = entry_hash(entry)
        connection.execute(
            "INSERT INTO journal VALUES (:seq,:prev,:time,:monotonic,:boot,:clock,:kind,:body,:hash)", row
        )
        if key is not None:
            signature = sign(key, head_message(number, previous, row["time"]))
            values = (number, previous, row["time"], signature)
            connection.execute("INSERT OR REPLACE INTO head VALUES (?, ?, ?, ?)", values)
    connection.commit()
    connection.close()


def first_bad(path: Path, **more: Any) -> int:
    with pytest.raises(JournalBroken) as broken:
        examine(path, KEY.verify_key, **more)
    return broken.value.seq


def test_rows_are_chained_from_the_first(journal: Journal) -> None:
    """Each row names the hash of the one before; the first names 64 zeros."""
    first, second = journal.append("a", {}), journal.append("b", {"x": 1})

    assert (1, GENESIS) == (first.seq, first.prev)
    assert (2, first.hash) == (second.seq, second.prev)
    assert (2, second.hash) == journal.head


def test_a_journal_goes_on_where_it_ended(journal: Journal) -> None:
    """After a restart the chain continues; the file verifies as one."""
    path = filled(journal, 5)
    again = opened(path, boot="boot-2")
    again.append("test", {})
    again.stop()

    assert 6 == verify_file(path, KEY.verify_key)[0]


def test_every_row_is_signed_with_its_own_time(journal: Journal) -> None:
    """Whoever holds one row, its signature and the public key can check it without the rest of the journal."""
    journal.append("boot", {})
    row = journal.append("verdict", {"slot": "XA/s/2026-11-23/a"})
    signatures = journal.signatures(1, 2)

    assert [1, 2] == sorted(signatures)
    verify(journal.key, head_message(row.seq, row.hash, row.time), signatures[2])
    assert bytes(KEY.verify_key).hex() == journal.rows(kind="boot")[0].body["signed_by"]


@pytest.mark.parametrize("monotonic", [0.0, 12.0, 12.5, 1e-7, 123456.789, 1e17, 3e21])
def test_the_quick_hash_is_the_canonical_one(monotonic: float) -> None:
    """Whatever the numbers and letters of a row, both ways to make its hash give the same."""
    entry = Entry(7, GENESIS, NOW.isoformat(), monotonic, 'b"\\\n\x01\x7f đ 🙂', "trusted", "kind", '{"ă":1.5}', "")
    row = {**{name: getattr(entry, name) for name in Entry._fields[:7]}, "body": {"ă": 1.5}}

    assert row_hash(row) == entry_hash(entry)


@pytest.mark.parametrize(
    ("statement", "bad"),
    [
        ("UPDATE journal SET body = '{\"number\":99}' WHERE seq = 7", 7),
        ("UPDATE journal SET time = '2026-11-22T00:00:00+00:00' WHERE seq = 3", 3),
        ("DELETE FROM journal WHERE seq = 5", 5),
        ("DELETE FROM journal WHERE seq > 15", 16),
        ("UPDATE journal SET seq = -seq WHERE seq IN (8, 9)", 8),
        ("INSERT INTO journal SELECT -seq, prev, time, monotonic, boot, clock, kind, body, hash FROM journal", -20),
        ("UPDATE journal SET body = 'no json' WHERE seq = 4", 4),
        ("UPDATE journal SET prev = hash WHERE seq = 2", 2),
        ("UPDATE journal SET body = x'ff00' WHERE seq = 6", 6),
        ("UPDATE journal SET boot = CAST(x'ff00' AS TEXT) WHERE seq = 6", 6),
        ("UPDATE journal SET time = x'00' WHERE seq = 6", 6),
        ("UPDATE head SET signature = x'00' WHERE seq = (SELECT max(seq) FROM head)", 20),
        ("UPDATE head SET signature = (SELECT signature FROM head WHERE seq = 9) WHERE seq = 8", 8),
        ("UPDATE head SET seq = 0 WHERE seq = (SELECT max(seq) FROM head)", 20),
        ("UPDATE head SET time = '2026-11-22T00:00:00+00:00' WHERE seq = 11", 11),
        ("DELETE FROM head WHERE seq = 12", 12),
        ("DELETE FROM head WHERE seq > 12", 13),
        ("DELETE FROM head WHERE seq < 3", 1),
    ],
)
def test_s65_a_forged_journal_is_named_at_its_first_bad_row(journal: Journal, statement: str, bad: int) -> None:
    """Changed, re-dated, removed, cut off, re-ordered, damaged, unsigned: the verifier names the row."""
    path = filled(journal)
    forge(path, statement)

    assert bad == first_bad(path)


def _change(rows: list[dict[str, Any]]) -> None:
    rows[6]["body"] = '{"number":99}'


def _date_back(rows: list[dict[str, Any]]) -> None:
    rows[2]["time"] = (NOW - timedelta(days=1)).isoformat()


def _remove(rows: list[dict[str, Any]]) -> None:
    del rows[4]


def _insert(rows: list[dict[str, Any]]) -> None:
    rows.insert(10, dict(rows[3]))


def _swap(rows: list[dict[str, Any]]) -> None:
    rows[7], rows[8] = rows[8], rows[7]


@pytest.mark.parametrize(
    ("change", "bad"),
    [(_change, 7), (_date_back, 3), (_remove, 5), (_insert, 11), (_swap, 8)],
    ids=lambda c: str(c)[:12],
)
def test_a_journal_forged_with_fitting_hashes_is_named_at_the_row_that_was_changed(
    journal: Journal, change: Callable[[list[dict[str, Any]]], None], bad: int
) -> None:
    """Changed, re-dated, removed, inserted, re-ordered, and every hash made anew: the row's signature tells."""
    path = filled(journal)
    chained_anew(path, change)

    assert bad == first_bad(path)


def test_a_journal_signed_anew_by_a_stranger_names_the_stranger(journal: Journal) -> None:
    """Somebody with a key of their own writes a whole journal: it is whole, but not this station's."""
    path = filled(journal)
    stranger = bytes(STRANGER.verify_key).hex()

    def change(rows: list[dict[str, Any]]) -> None:
        rows[0]["body"] = f'{{"signed_by":"{stranger}"}}'

    chained_anew(path, change, STRANGER)

    assert STRANGER.verify_key == examine(path).signer
    assert 1 == first_bad(path)


def test_a_tail_cut_with_its_signatures_shows_against_a_witness(journal: Journal) -> None:
    """Rows and signatures gone alike: only who knew a later row can tell; a changed past shows there too."""
    path = filled(journal)
    rows, head = verify_file(path)
    forge(path, "DELETE FROM journal WHERE seq > 15", "DELETE FROM head WHERE seq > 15")

    assert 15 == examine(path, KEY.verify_key).rows
    assert 16 == first_bad(path, witnesses=[Witness(rows, head)])
    assert 9 == first_bad(path, witnesses=[Witness(9, "0" * 64)])


def test_seals_spare_the_look_at_each_signature_and_hide_nothing(journal: Journal) -> None:
    """A seal stands over 256 signatures; a wrong seal is named, and a wrong signature under a right one too."""
    path = filled(journal, 600)
    with reading(path) as connection:
        seals = seals_of(connection)
    assert [1, *(seal.seq + 1 for seal in seals[:-1])] == [seal.first for seal in seals]
    assert all(256 <= seal.seq - seal.first + 1 for seal in seals)
    assert 600 == examine(path, KEY.verify_key).rows

    forge(path, "UPDATE head SET signature = (SELECT signature FROM head WHERE seq = 9) WHERE seq = 300")
    assert 300 == first_bad(path)
    forge(path, "DELETE FROM seal")
    assert 300 == first_bad(path)


@pytest.mark.parametrize("column", ["first = 258", "signature = x'00'", "signatures = ''", "first = 'x'"])
def test_a_changed_seal_is_named(journal: Journal, column: str) -> None:
    """What vouches for signatures is signed itself."""
    path = filled(journal, 520)
    with reading(path) as connection:
        last = max(seal.seq for seal in seals_of(connection))
    forge(path, f"UPDATE seal SET {column} WHERE seq = {last}")

    assert last == first_bad(path)


def test_a_journal_from_before_rows_were_signed_still_verifies(tmp_path: Path) -> None:
    """A few signed heads are what there was: they hold; from the next start on every row is signed."""
    path = filled(opened(tmp_path / "XA.db"), marked=False)
    forge(path, "DELETE FROM head WHERE seq NOT IN (7, 20)", "DROP TABLE seal")
    assert (20, None) == (examine(path, KEY.verify_key).rows, examine(path, KEY.verify_key).signed_from)

    journal = opened(path)
    journal.append("boot", {})
    journal.append("test", {})
    journal.stop()

    assert 21 == examine(path, KEY.verify_key).signed_from
    forge(path, "DELETE FROM head WHERE seq = 22")
    assert 22 == first_bad(path)
    forge(path, "UPDATE head SET hash = 'x' WHERE seq = 7")
    assert 7 == first_bad(path)


def test_every_one_of_ten_thousand_forgeries_is_detected(journal: Journal) -> None:
    """Any column of any row, signature or seal changed; rows cut, dropped, doubled, moved: not one verifies."""
    path = filled(journal, 8)
    with reading(path) as connection:
        entries = list(entries_of(connection))
    seals = [make_seal(1, [str(entry.signature) for entry in entries[:6]], KEY)]
    witness = [Witness(entries[-1].seq, entries[-1].hash)]
    dice = random.Random(42)
    for case in range(10_000):
        changed, over = list(entries), list(seals)
        place = dice.randrange(len(entries))
        match dice.randrange(16):
            case 0 if place:
                del changed[-place:]
            case 1 if place < len(entries) - 1:
                del changed[place]
            case 2:
                changed.insert(place, changed[dice.randrange(len(entries))]._replace(seq=place + 1, hash="f" * 64))
            case 3 if place:
                other = changed[place - 1]
                changed[place - 1], changed[place] = (
                    changed[place]._replace(seq=other.seq),
                    other._replace(seq=other.seq + 1),
                )
            case 4:
                over = [_edited(over[0], dice.randrange(1, 4), dice)]
            case _:
                changed[place] = _edited(changed[place], dice.randrange(len(Entry._fields)), dice)
        if changed == entries and over == seals:
            continue
        try:
            check_entries(changed, key=KEY.verify_key, seals=over, witnesses=witness)
        except JournalBroken:
            continue
        pytest.fail(f"forgery {case} was not noticed: {set(changed) ^ set(entries)}")


def _edited(record: Any, field: int, dice: random.Random) -> Any:
    """Return a row or a seal with one letter or number of one column changed."""
    value = record[field]
    if isinstance(value, str):
        letter = dice.randrange(len(value))
        other = chr((ord(value[letter]) - 32 + dice.randrange(1, 90)) % 95 + 32)
        value = value[:letter] + (other if other != value[letter] else "~~") + value[letter + 1 :]
    else:
        value += dice.choice([-1, 1])
    return type(record)._make([*record[:field], value, *record[field + 1 :]])


def test_a_year_of_rows_is_verified_in_seconds(tmp_path: Path) -> None:
    """120,000 rows with their signatures: wide here, the figure is in docs/measuring.md."""
    path = tmp_path / "XA.db"
    write_year(path, 6_000)
    began = perf_counter()

    assert 6_000 == examine(path, KEY.verify_key).rows
    assert perf_counter() - began < 2.0


def write_year(path: Path, rows: int) -> None:
    """Write so many rows as a station would, without waiting for each."""
    journal = opened(path, patience_s=0.0, most_held=rows)
    body = {"slot": "XA/s/2026-11-23/a", "outputs": [{"name": "main", "samples": 123456}], "text": "đài" * 40}
    for number in range(rows):
        journal.append("boot" if number == 0 else "test", {**body, "number": number})
    assert journal.flush(120)
    journal.stop()


@pytest.mark.parametrize("content", [b"garbage" * 1000, b"", b"SQLite format 3\0" + b"\xff" * 8192])
def test_a_file_that_is_no_journal_is_broken(tmp_path: Path, content: bytes) -> None:
    """A damaged disk or a wrong file is told as such."""
    (tmp_path / "XA.db").write_bytes(content)

    with pytest.raises(JournalBroken, match="cannot be read"):
        verify_file(tmp_path / "XA.db", KEY.verify_key)


def test_a_journal_that_is_not_there_is_broken(tmp_path: Path) -> None:
    """Nothing is no journal either."""
    with pytest.raises(JournalBroken, match="there is none"):
        verify_file(tmp_path / "XA.db", KEY.verify_key)


@pytest.mark.parametrize("statement", ["UPDATE journal SET body = '{}'", "DELETE FROM journal"])
def test_rows_cannot_be_changed_by_mistake(journal: Journal, statement: str) -> None:
    """The file itself refuses an update or a deletion."""
    connection = sqlite3.connect(filled(journal))

    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(statement)
    connection.close()


def test_checkpoints_are_overwritten_and_removed(journal: Journal) -> None:
    """What is under way is kept once, not as rows."""
    journal.set_checkpoint("run/a", {"position": 1})
    journal.set_checkpoint("run/a", {"position": 2})
    journal.set_checkpoint("run/b", {})
    journal.set_checkpoint("run/b", None)
    journal.stop()
    again = opened(journal.path)

    assert {"run/a": {"position": 2}} == journal.checkpoints("run/") == again.checkpoints("")
    assert (0, GENESIS) == again.head
    again.stop()


def test_the_newest_state_can_be_read_without_holding_the_file(journal: Journal, tmp_path: Path) -> None:
    """The next start asks when this one was last alive, and in which boot; a damaged header does not hide it."""
    journal.append("test", {})
    journal.set_checkpoint("alive", {"time": NOW.isoformat(), "boot": "boot-1", "trusted": True, "offset_s": 1.5})
    journal.stop()

    for _ in range(2):
        state = newest_state(journal.path)
        assert (NOW, "boot-1", True, 1.5) == (state.time, state.boot, state.trusted, state.offset_s)
        journal.path.write_bytes(b"\0" * 100 + journal.path.read_bytes()[100:])
    assert newest_state(tmp_path / "none.db").time is None


def test_times_of_rows_come_from_the_clock_they_were_given(tmp_path: Path) -> None:
    """A row bears the clock's time, its state, and the boot."""
    journal = opened(tmp_path / "XA.db", clock=ManualClock(NOW, 12.5))
    row = journal.append("test", {})
    journal.stop()

    assert (NOW, 12.5, "boot-1", "trusted") == (row.at, row.monotonic, row.boot, row.clock)


def test_a_journal_that_was_not_started_takes_nothing(tmp_path: Path) -> None:
    """A row that nobody would write is no row."""
    with pytest.raises(RuntimeError, match="not started"):
        Journal(tmp_path / "XA.db", clock=ManualClock(NOW), boot="b", key=KEY).append("test", {})


def test_a_seal_is_signed_over_what_it_says() -> None:
    """The bytes of a seal's signature, for those who check by hand."""
    assert b'{"first":1,"seq":2,"signatures":"ab"}' == Seal(seq=2, first=1, signatures="ab", signature="").message()
