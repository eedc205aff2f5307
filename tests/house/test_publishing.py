"""Publishing: a plan is the old one or the new one, whole, whenever the power goes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from link.manifest import unseal
from store.database import Database
from store.intent import load_intent

PUBLISHER = """
import sys
from datetime import UTC, datetime, time
from pathlib import Path
from nacl.signing import SigningKey
from link.manifest import keep, seal
from schedules.grid import ItemKind, SessionItem, SessionRule
from schedules.station import Station, Unit
from store import sessions, stations, units
from store.database import Database
from store.intent import bump, load_intent
folder = Path(sys.argv[1])
database = Database(f"sqlite:///{folder / 'loa.db'}")
database.start()
number = 0
while True:
    number += 1
    now = datetime(2026, 11, 23, tzinfo=UTC)
    with database.writing() as session:
        units.save(session, Unit(code="XA", name=str(number)))
        stations.save(session, Station(code="XA", name=str(number), unit="XA"))
        for rule in ("sang", "chieu"):
            sessions.publish(session, SessionRule(id=rule, station="XA", name=str(number), weekdays=(1,),
                starts=(time(5),), length_s=60, items=(SessionItem(id="a", kind=ItemKind.SEGMENT),), since=now), now)
        revision = bump(session)
    with database.reading() as session:
        intent = load_intent(session, now, demo=False)
    keep(folder / "intent" / "XA.json", seal(intent, SigningKey(b"a" * 32)))
    print(revision, flush=True)
"""


@pytest.mark.parametrize("published", [1, 2, 5, 9, 14])
def test_f4_a_kill_while_publishing_leaves_a_whole_plan(tmp_path: Path, published: int) -> None:
    """kill -9 right after a publication was told, while the next is being written: nothing is half old, half new."""
    publisher = subprocess.Popen(
        [sys.executable, "-c", PUBLISHER, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert publisher.stdout is not None
    told = 0
    for _ in range(published):
        told = int(publisher.stdout.readline())
    os.kill(publisher.pid, signal.SIGKILL)
    publisher.stdout.close()
    publisher.wait()

    database = Database(f"sqlite:///{tmp_path / 'loa.db'}")
    database.start()
    with database.reading() as session:
        stored = load_intent(session, datetime(2026, 11, 23, tzinfo=UTC), demo=False)
    database.stop()
    kept = unseal((tmp_path / "intent" / "XA.json").read_bytes(), SigningKey(b"a" * 32).verify_key)
    for intent in (stored, kept):
        assert 2 == len(intent.sessions)
        names = [intent.units[0].name, intent.stations[0].name, *(rule.name for rule in intent.sessions)]
        assert 1 == len(set(names))
        assert told <= intent.revision
