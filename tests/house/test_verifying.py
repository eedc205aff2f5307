"""`loa journal verify`: journals of this machine, files that somebody brought, heads that were noted elsewhere."""

from __future__ import annotations

import json
import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from nacl.signing import SigningKey

from link.keys import fingerprint, load_or_make
from loa import main
from playout.journal.journal import Journal
from schedules.clock import ManualClock


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """DATA with the journals of two stations, ten rows each."""
    for code in ("XA", "XB"):
        key = load_or_make(tmp_path / "keys" / f"station-{code}.ed25519")
        clock = ManualClock(datetime(2026, 11, 23, tzinfo=UTC))
        journal = Journal(tmp_path / "journal" / f"{code}.db", clock=clock, boot="boot", key=key)
        journal.start()
        for number in range(10):
            journal.append("boot" if number == 0 else "test", {"number": number})
        journal.stop()
    return tmp_path


def verified(data: Path, *arguments: str) -> tuple[int, Any]:
    run = CliRunner().invoke(main, ["journal", "verify", "--json", "--data", str(data), *arguments])
    return run.exit_code, json.loads(run.stdout) if run.exit_code != 2 else None


def test_every_journal_is_verified_with_its_stations_key(data: Path) -> None:
    """Both are whole, and known as what they are."""
    code, answers = verified(data)

    assert 0 == code
    assert [("XA", 10, "XA", 1), ("XB", 10, "XB", 1)] == [
        (one["journal"], one["rows"], one["known_as"], one["signed_from"]) for one in answers
    ]


def test_a_cut_tail_shows_by_a_head_that_was_noted(data: Path) -> None:
    """By hand, and by the note beside the file even without one."""
    head = verified(data, "--station", "XA")[1]["head"]
    connection = sqlite3.connect(data / "journal" / "XA.db")
    connection.execute("DROP TRIGGER journal_no_delete")
    connection.execute("DELETE FROM journal WHERE seq > 7")
    connection.execute("DELETE FROM head WHERE seq > 7")
    connection.commit()
    connection.close()

    assert (1, 8) == (lambda code, answer: (code, answer["first_bad_row"]))(*verified(data, "--station", "XA"))
    (data / "journal" / "XA.head").unlink()
    assert 0 == verified(data, "--station", "XA")[0]
    assert 8 == verified(data, "--station", "XA", "--head", f"10:{head}")[1]["first_bad_row"]


def test_a_row_that_differs_from_the_authoritys_copy_is_named(data: Path) -> None:
    """Whoever has the station's key and writes it all anew cannot change what the authority has already."""
    store = sqlite3.connect(data / "loa.db")
    store.execute("CREATE TABLE airing (station, seq, hash)")
    store.execute("INSERT INTO airing VALUES ('XA', 4, ?)", ("0" * 64,))
    store.commit()
    store.close()

    code, answers = verified(data)
    assert (1, 4, True) == (code, answers[0]["first_bad_row"], answers[1]["ok"])


def test_a_journal_from_elsewhere_names_its_signer(data: Path, tmp_path: Path) -> None:
    """Known by its key whatever its name; on a machine that does not know the key the fingerprint is told."""
    brought = tmp_path / "usb.db"
    shutil.copy(data / "journal" / "XB.db", brought)
    signer = fingerprint(SigningKey((data / "keys" / "station-XB.ed25519").read_bytes()).verify_key)

    code, answer = verified(data, str(brought))
    assert (0, "XB", signer) == (code, answer["known_as"], answer["fingerprint"])
    code, answer = verified(tmp_path / "nothing", str(brought))
    assert (0, None, signer) == (code, answer["known_as"], answer["fingerprint"])
    said = CliRunner().invoke(main, ["journal", "verify", "--data", str(tmp_path / "nothing"), str(brought)]).stdout
    assert signer in said
    assert "does not know" in said


def test_a_brought_journal_is_held_against_what_this_machine_knows_of_its_station(data: Path, tmp_path: Path) -> None:
    """Where it ends earlier that is said, where a row differs it is named: the key alone hides nothing."""
    brought = tmp_path / "usb.db"
    shutil.copy(data / "journal" / "XA.db", brought)
    connection = sqlite3.connect(brought)
    connection.execute("DROP TRIGGER journal_no_delete")
    connection.execute("DELETE FROM journal WHERE seq > 7")
    connection.execute("DELETE FROM head WHERE seq > 7")
    connection.commit()
    connection.close()

    code, answer = verified(data, str(brought))
    said = CliRunner().invoke(main, ["journal", "verify", "--data", str(data), str(brought)]).stdout
    store = sqlite3.connect(data / "loa.db")
    store.execute("CREATE TABLE airing (station, seq, hash)")
    store.execute("INSERT INTO airing VALUES ('XA', 4, ?)", ("0" * 64,))
    store.commit()
    store.close()

    assert (0, 7, 10) == (code, answer["rows"], answer["known_to"])
    assert "bị cắt từ dòng 8" in said
    assert (1, 4) == (lambda code, answer: (code, answer["first_bad_row"]))(*verified(data, str(brought)))


def test_a_proof_is_known_by_its_first_bytes(data: Path, tmp_path: Path) -> None:
    """A ZIP goes to the check of proofs, which names what is wrong with it in sentences without empty places."""
    proof = tmp_path / "loa-proof.zip"
    proof.write_bytes(b"PK\3\4 and nothing more")

    code, answer = verified(data, str(proof))
    assert (1, False) == (code, answer["ok"])
    assert answer["findings"]
    said = CliRunner().invoke(main, ["journal", "verify", "--data", str(data), str(proof)]).stdout
    assert "loa-proof.zip: Không đọc được tệp minh chứng: tệp không phải ZIP nguyên vẹn." in said


@pytest.mark.parametrize(
    "arguments", [("--head", "1:ab"), ("--head", "10:" + "0" * 64), ("none.db",), ("--station", "XC")]
)
def test_wrong_usage_is_told_as_such(data: Path, arguments: tuple[str, ...]) -> None:
    """A head that is none or belongs to no journal, a file or station that is not there."""
    assert 2 == verified(data, *arguments)[0]
