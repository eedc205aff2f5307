"""The house looks at its stations every minute: what is new is counted once, what they say is kept, nobody plans."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from house.looking import Looker
from schedules.airing import Airing, Evidence, Verdict
from schedules.clock import ManualClock
from schedules.duty import DutyStanding, DutyState
from schedules.station import WHOLE_DAY, Station, Unit
from schedules.text import Text
from store import airings, coverage, stations, units
from store.database import Database

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@pytest.fixture
def database(tmp_path):
    """A store with two stations."""
    database = Database(f"sqlite:///{tmp_path / 'loa.db'}")
    database.start()
    with database.writing() as session:
        units.save(session, Unit(code="XA", name="Xã"))
        for code in ("XA", "XB"):
            stations.save(session, Station(code=code, name=code, unit="XA", permitted=WHOLE_DAY))
    yield database
    database.stop()


def row(seq: int, at: datetime, *, verdict: Verdict = Verdict.AIRED, topics=("DX-NAT",), rehearsal=False) -> Airing:
    """Return a row of the air log."""
    samples = 48_000 * 60 if verdict is Verdict.AIRED else 0
    return Airing(
        slot=f"XA/x/{seq}",
        station="XA",
        kind="segment",
        programme="CDS",
        segment="s",
        title="t",
        sha256="0" * 64,
        topics=topics,
        planned_start=at,
        planned_end=at + timedelta(seconds=60),
        started_at=at if samples else None,
        ended_at=at + timedelta(seconds=60) if samples else None,
        seconds_aired=samples / 48_000,
        samples_aired=samples,
        samples_expected=48_000 * 60,
        bit_exact=bool(samples),
        start_error_s=0.0 if samples else None,
        holes_s=0.0,
        parts=(),
        outputs=(),
        verdict=verdict,
        reason=None,
        rehearsal=rehearsal,
        evidence=Evidence.E1 if samples else Evidence.E0,
    )


def kept(database, *rows: Airing, code: str = "XA", first: int = 1) -> None:
    """Copy rows into the store, numbered from `first`."""
    with database.writing() as session:
        for seq, one in enumerate(rows, start=first):
            airings.record(session, code, seq, "h" * 64, one)


def standing(state: DutyState, duty: str = "CDS") -> DutyStanding:
    """Return how a duty stands this week."""
    return DutyStanding(
        duty=duty,
        name="CDS",
        owner="XA",
        station="XA",
        period="2026-W48",
        state=state,
        deadline=NOW + timedelta(days=5),
        slots=(),
        reason=Text("x", "x"),
    )


class Door:
    """A station that only says how it is; asked for anything else, the test fails."""

    def __init__(self) -> None:
        self.duties: tuple[DutyStanding, ...] = ()

    def status(self):
        """Return the part of a status that is looked at."""
        return SimpleNamespace(duties=self.duties, ahead=(), revision=1)


def counted(database, **more):
    """Return what the counts hold, by month and topic."""
    with database.reading() as session:
        found = coverage.months(session, ["XA", "XB"], since="2026-01", **({"rehearsals": True} | more))
    return {(one.month, one.topic): one.airings for one in found}


def test_every_row_is_counted_once_in_the_month_of_its_station(database):
    """Whole airings only, in local months, however often it is looked; rehearsals can be told apart."""
    looker = Looker(database=database, doors={}, clock=ManualClock(wall=NOW))
    late_october = datetime(2026, 10, 31, 18, 0, tzinfo=UTC)
    kept(
        database,
        row(1, late_october),
        row(2, NOW - timedelta(hours=5), topics=("DX-NAT", "DX-EGOV", "DX-NAT")),
        row(3, NOW - timedelta(hours=4), verdict=Verdict.MISSED),
        row(4, NOW - timedelta(hours=3), rehearsal=True),
    )
    assert looker.look() > 0
    assert looker.look() == 0
    assert counted(database) == {("2026-11", "DX-NAT"): 3, ("2026-11", "DX-EGOV"): 1}
    assert counted(database, rehearsals=False) == {("2026-11", "DX-NAT"): 2, ("2026-11", "DX-EGOV"): 1}
    kept(database, row(5, NOW - timedelta(hours=1)), first=5)
    looker.look()
    assert counted(database)["2026-11", "DX-NAT"] == 4
    with database.reading() as session:
        (latest, _other) = sorted(
            coverage.months(session, ["XA"], since="2026-11", rehearsals=True), key=lambda o: -o.airings
        )
    assert latest.last_at == NOW - timedelta(hours=1)
    assert latest.seconds == 240.0


def test_a_long_log_is_counted_in_pieces_and_nothing_is_left_out(database):
    """A look reads so many rows and no more; the next ones go on, and old rows that came late are found too."""
    kept(database, *(row(n, NOW - timedelta(days=200 - n)) for n in range(1, 41)))
    zones = {"XA": "Asia/Ho_Chi_Minh", "XB": "Asia/Ho_Chi_Minh"}
    looks = 0
    with database.writing() as session:
        while coverage.count(session, zones, since=None, limit=7):
            looks += 1
    assert looks >= 6
    assert sum(counted(database).values()) == 40
    with database.writing() as session:
        coverage.forget(session, "XA")
    assert counted(database) == {}
    Looker(database=database, doors={}, clock=ManualClock(wall=NOW)).look()
    assert sum(counted(database).values()) == 40


def test_what_stations_say_of_their_duties_is_kept_and_grows_old(database):
    """A change is kept at once, what did not change now and then; what is gone goes, what is old is not shown."""
    clock = ManualClock(wall=NOW)
    door = Door()
    looker = Looker(database=database, doors={"XA": door}, clock=clock)

    def shown() -> dict[str, DutyState]:
        with database.reading() as session:
            found = coverage.standings(session, ["2026-W48"], since=clock.now() - timedelta(minutes=30))
        return {one.duty: one.state for one in found}

    door.duties = (standing(DutyState.AT_RISK), standing(DutyState.PLANNED, "B"))
    looker.look()
    assert shown() == {"CDS": DutyState.AT_RISK, "B": DutyState.PLANNED}
    door.duties = (standing(DutyState.MET),)
    clock.advance(60)
    looker.look()
    assert shown() == {"CDS": DutyState.MET}
    for _ in range(40):
        clock.advance(60)
        looker.look()
    assert shown() == {"CDS": DutyState.MET}, "said again now and then"
    clock.advance(3600)
    assert shown() == {}, "an hour without a word"
