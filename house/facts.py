"""What the authority knows of a station: the copied air log, as facts for a plan made elsewhere than at the station."""

from __future__ import annotations

from datetime import datetime, timedelta

from schedules.airing import Facts, Verdict
from schedules.station import StationCode
from store import airings, outcomes
from store.database import Database

SPAN = timedelta(days=400)
"""As far back as a yearly duty needs."""


def copied_facts(database: Database, station: StationCode, now: datetime) -> Facts:
    """Return the facts of a station as far as its rows were copied; where its audio lies is not known here."""
    with database.reading() as session:
        logged = airings.listing(session, stations=[station], start=now - SPAN, limit=100_000)
        sealed = outcomes.listing(session, stations=[station], start=now - SPAN)
    rows = tuple(entry.airing for entry in logged)
    aired = {r.segment: r.started_at or r.planned_start for r in rows if r.verdict is Verdict.AIRED and r.segment}
    return Facts(station=station, airings=rows, aired=aired, duties=sealed)
