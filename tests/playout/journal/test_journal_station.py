"""A station on air while its journal's disk, its plan or its power fails it."""

from __future__ import annotations

import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey

from link.manifest import keep, seal, unseal
from playout.journal.journalcheck import examine
from playout.journal.journalfile import JournalFile
from schedules.airing import Verdict
from schedules.errors import IntentMissing
from schedules.intent import Intent
from tests.playout.village import Village
from tests.schedules.builders import duty, intent, local, place, session

START = local(23, 5, 30)
KEY = SigningKey(b"a" * 32)


class SlowVillage(Village):
    """Here it matters how long a row waits for the disk."""

    slow_s = 2.0


@pytest.fixture
def village() -> Iterator[Village]:
    """A station at five in the morning with a session of three items at half past."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        village = SlowVillage(Path(name))
        items = [village.recorded(name, seconds) for name, seconds in (("chao", 10), ("cds", 60), ("ket", 5))]
        places = (place("chao", fixed="chao"), place("cds", fixed="cds"), place("ket", fixed="ket"))
        village.decide(segments=tuple(items), sessions=(session(*places),))
        yield village
        village.journal.stop()


def full(*_: Any) -> None:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    raise error


def failing(*_: Any) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
    raise error


def stuck(*_: Any) -> None:
    time.sleep(5)


@pytest.mark.parametrize(
    ("write", "code"), [(full, "journal_full"), (failing, "journal_suspect"), (stuck, "journal_slow")]
)
def test_f36_f40_f72_a_session_airs_while_the_journal_cannot_be_written(
    village: Village, monkeypatch: pytest.MonkeyPatch, write: Callable[..., None], code: str
) -> None:
    """Every item airs at its time and is known at once; when the disk is back every row is on it and verifies."""
    village.until(START - timedelta(minutes=1))
    assert village.journal.flush(30)
    landed = village.journal.landed
    with monkeypatch.context() as disk:
        disk.setattr(JournalFile, "write", write)
        began = time.monotonic()
        village.until(START + timedelta(minutes=3))
        rows = village.airings()
        assert {Verdict.AIRED} == {row.verdict for row in rows}
        assert ["chao", "cds", "ket"] == [row.segment for row in rows]
        assert START == rows[0].started_at
        assert landed == village.journal.landed
        while code not in {trouble.code for trouble in village.journal.troubles}:
            assert time.monotonic() - began < 30
            time.sleep(0.05)
        village.live(1)
        assert code in {known.code for known in village.daemon.status().faults}
    assert village.journal.flush(60)
    village.live(1)
    village.journal.stop()

    assert (code, "open") in village.faults()
    assert examine(village.folder / "XA.db").rows == village.journal.landed > landed


@pytest.mark.parametrize(("end", "aired"), [(local(23, 5, 10), ["bai"]), (local(30, 5), ["tin", "bai"])])
def test_f48_after_the_end_of_its_intent_a_station_airs_its_duties_only(
    village: Village, end: datetime, aired: list[str]
) -> None:
    """No news for two weeks: what the law asks for airs, the rest is silent; nothing else was decided."""
    news = village.recorded("tin", 30, programme="TIN")
    owed = village.recorded("bai", 30, programme="CDS", topics=("DX-DGOV",))
    places = (place("news", programme="TIN"), place("owed", programme="CDS"))
    decided = {"segments": (news, owed), "sessions": (session(*places),), "duties": (duty(),)}
    village.decide(**decided, valid_until=end)
    village.until(START + timedelta(minutes=3))

    assert aired == [row.segment for row in village.airings() if row.verdict is Verdict.AIRED]


def test_f47_a_station_whose_plan_is_gone_goes_on_with_the_last_one(village: Village) -> None:
    """The document is deleted and nobody answers: the last good intent airs, and the fault says so."""

    def gone() -> Intent:
        raise IntentMissing("no document")

    village.live(1)
    village.fetch = gone
    village.daemon.wake()
    village.until(START + timedelta(minutes=3))

    assert {Verdict.AIRED} == {row.verdict for row in village.airings()}
    assert ("intent_missing", "open") in village.faults()


@pytest.mark.parametrize("step", ["write", "fsync", "rename", "folder"])
def test_f11_a_plan_is_exchanged_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The power goes while the new document is written, synced or renamed: the old one or the new one verifies."""
    old, new = seal(intent(revision=1), KEY), seal(intent(revision=2), KEY)
    path = tmp_path / "XA.json"
    keep(path, old)

    def cut(*_: Any) -> None:
        raise KeyboardInterrupt

    calls = {"fsync": (os, "fsync"), "rename": (Path, "replace"), "folder": (os, "open"), "write": (Path, "open")}
    with monkeypatch.context() as power, pytest.raises(KeyboardInterrupt):
        power.setattr(*calls[step], cut)
        keep(path, new)
    revision = unseal(path.read_bytes(), KEY.verify_key).revision
    assert (2 if step == "folder" else 1) == revision
    keep(path, new)
    assert 2 == unseal(path.read_bytes(), KEY.verify_key).revision
