"""The pages of the centre with a thousand stations and half a year of sealed weeks: found fast, trouble first."""

from __future__ import annotations

import re
import sys
import time
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert

from link.door import FaultStatus
from schedules.calendar import period_interval
from schedules.duty import Duty, DutyOutcome, DutyState, Period
from schedules.text import Text
from store import duties, tables, tables_dispatches
from store.shapes import dump
from webui import dutyboard

STATIONS = 1000
WEEKS = 26
MOST_S = 4.0
"""What a page may take here, on a machine that does much else; the figures are printed."""


@pytest.fixture
def district(world):
    """A thousand stations in a hundred units below the centre, each week of half a year sealed, this one at hand."""
    now = world.clock.now()
    zone = ZoneInfo("Asia/Ho_Chi_Minh")
    names = dutyboard.periods(Period.WEEK, now.astimezone(zone).date(), WEEKS)
    ends = {name: period_interval(Period.WEEK, name, zone).end for name in names}
    codes = [f"D{number:04d}" for number in range(STATIONS)]
    outcome = DutyOutcome(
        duty="FLEET",
        station="",
        period="",
        state=DutyState.MET,
        deadline=now,
        slots=(),
        reason=Text("Đã phát đủ.", "Aired whole."),
    )
    body = dump(outcome)
    plain = {"permitted": [], "quiet": [], "limits": {}, "groups": [], "zone": "Asia/Ho_Chi_Minh"}
    with world.database.writing() as session:
        session.execute(
            insert(tables.unit),
            [{"code": f"U{number:03d}", "name": f"Xã {number:03d}", "parent": "MINHLONG"} for number in range(100)],
        )
        session.execute(
            insert(tables.station),
            [
                {**plain, "code": code, "name": f"Đài {code}", "unit": f"U{n // 10:03d}"}
                | {"self_approval": False, "ended_by": ""}
                for n, code in enumerate(codes)
            ],
        )
        duties.save(
            session,
            Duty(
                code="FLEET",
                name="Chuyển đổi số",
                owner="MINHLONG",
                stations=tuple(codes),
                programme="CDS",
                since=now - timedelta(days=400),
            ),
            now,
        )
        session.execute(
            insert(tables.duty_outcome),
            [
                {
                    "station": code,
                    "seq": week + 1,
                    "hash": "h" * 64,
                    "duty": "FLEET",
                    "period": name,
                    "state": "missed" if code == "D0777" and week % 5 == 0 else "met",
                    "deadline": ends[name],
                    "body": body,
                }
                for code in codes
                for week, name in enumerate(names[:-1])
            ],
        )
        session.execute(
            insert(tables_dispatches.duty_now),
            [
                {
                    "station": code,
                    "duty": "FLEET",
                    "period": names[-1],
                    "state": "at_risk" if code in ("D0500", "D0777") else "met",
                    "deadline": ends[names[-1]],
                    "looked_at": now,
                }
                for code in codes
            ],
        )
    first = world.doors["LONGHIEP"]

    class Quiet:
        """A door that only tells how its station is."""

        def __init__(self, code: str) -> None:
            self.code = code

        def status(self):
            """Return a station that waits for its session; one has a fault, one was not heard from for an hour."""
            status = replace(first.status(), code=self.code, on_air=None)
            if self.code == "D0123":
                fault = FaultStatus(code="amplifier", since=now, message=Text("Tăng âm hỏng.", "Amplifier broken."))
                return replace(status, state="fault", faults=(fault,))
            if self.code == "D0900":
                return replace(status, contact_at=now - timedelta(hours=1))
            return status

        def plan(self, start, end):
            """Note who was asked: of a long page nobody is."""
            world.asked.append(self.code)
            return first.plan(start, end)

    world.asked = []
    for code in codes:
        world.doors[code] = Quiet(code)
    return world


def timed(client, path: str) -> tuple[str, float]:
    """Return a page and how many seconds it took, the second time it was asked for."""
    client.get(path)
    begun = time.perf_counter()
    answer = client.get(path)
    took_s = time.perf_counter() - begun
    assert answer.status_code == 200, path
    sys.stdout.write(f"{path}: {took_s * 1000:.0f} ms, {len(answer.data) // 1024} kB\n")
    return answer.text, took_s


def test_a_thousand_stations_are_found_fast_and_trouble_first(district):
    """Boards and lists of a thousand stations: one page of fifty, grouped, the troubled first; wide bounds."""
    client = district.signed_in("centre-minhlong")

    board, board_s = timed(client, "/nhiem-vu?so=26")
    rows = re.findall(r'<th scope="row" role="rowheader"><a href="/dai/(\w+)">', board)
    assert len(rows) == 50
    assert rows[0] == "D0777"
    assert "D0500" in rows[:20]
    assert "4 có nguy cơ" in board, "two of the fleet, and the two small ones that nobody heard of yet"
    assert 'class="unit"' in board
    assert "1 đến 50 trong 1002" in board

    assert district.asked == []
    last, _took = timed(client, "/nhiem-vu?so=26&tu=1000")
    assert "1001 đến 1002 trong 1002" in last
    troubles, _took = timed(client, "/nhiem-vu?so=26&loc=van-de")
    assert re.findall(r'rowheader"><a href="/dai/(D\w+)">', troubles) == ["D0777", "D0500"]
    one, _took = timed(client, "/nhiem-vu?don_vi=U050")
    assert len(set(re.findall(r'rowheader"><a href="/dai/(D\w+)">', one))) == 10

    district.asked.clear()
    listed, list_s = timed(client, "/dai")
    assert district.asked == []
    shown = re.findall(r'id="station-(\w+)"', listed)
    assert len(shown) == 50
    assert {"D0123", "D0900"} <= set(shown[:12])
    assert "Không liên lạc từ 16:00." in listed
    assert "2 đài cần xử lý" in listed or "3 đài cần xử lý" in listed
    found, _took = timed(client, "/dai?tim=d0444")
    assert re.findall(r'id="station-(\w+)"', found) == ["D0444"]
    helped, _took = timed(client, "/dai?loc=xu-ly")
    assert {"D0123", "D0900"} <= set(re.findall(r'id="station-(\w+)"', helped))

    topics, topics_s = timed(client, "/nhiem-vu/chu-de")
    assert "0/26" in topics
    assert max(board_s, list_s, topics_s) < MOST_S


def test_s2_a_foreign_unit_is_not_filtered_for(district):
    """S2: asking for a unit of others, or a station of others, is asking for nothing."""
    client = district.signed_in("centre-minhlong")
    for path in ("/nhiem-vu?don_vi=BATO", "/dai?don_vi=BATO", "/nhiem-vu/chu-de?don_vi=BATO"):
        assert client.get(path).status_code == 404, path
    for path in ("/nhiem-vu/chu-de?dai=BADINH", "/nhiem-vu?dai=BADINH&tuan=2026-W48&nhiem_vu=CDS"):
        assert client.get(path).status_code == 404, path
    for path in ("/nhiem-vu?tu=-1", "/dai?tu=x", "/nhiem-vu?tu=99999999999"):
        assert client.get(path).status_code == 404, path
