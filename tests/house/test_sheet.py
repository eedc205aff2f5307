"""The programme sheet: what a plan looks like on paper, in both languages, for whatever a plan can hold."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from house.orders import local_days
from house.sheet import plan_answer, programme_sheet
from link.scenariofile import parse
from schedules.findings import Finding, Severity
from schedules.planner import plan
from schedules.text import Text

NOW = "2026-12-28 04:00"

BASE: dict[str, Any] = {
    "now": NOW,
    "units": [{"code": "XA", "name": "Xã"}],
    "stations": [{"code": "XA", "name": "Đài xã Ba", "unit": "XA", "permitted": ["00:00-00:00"]}],
    "programmes": [{"code": "TIN", "name": "Tin"}, {"code": "CDS", "name": "Chuyển đổi số"}],
    "sessions": [
        {
            "id": "dem",
            "station": "XA",
            "name": "Buổi đêm",
            "weekdays": "T2",
            "starts": ["23:50"],
            "length_s": 1500,
            "items": [
                {"id": "tin", "kind": "segment", "programme": "TIN"},
                {"id": "nhac", "kind": "segment", "segment": "nhac"},
                {"id": "het", "kind": "closing", "programme": "CDS"},
            ],
        }
    ],
    "segments": [
        {"id": "tin", "owner": "XA", "programme": "TIN", "title": "Tin đêm", "seconds": 600},
        {"id": "nhac", "owner": "XA", "programme": "TIN", "title": "Nhạc đêm", "seconds": 300},
    ],
}


def answer_of(data: dict[str, Any], first: str, days: int, grid: tuple[Finding, ...] = ()) -> dict[str, Any]:
    scenario = parse(data)
    assert scenario.now is not None
    intent = scenario.intent(scenario.now)
    during = local_days("Asia/Ho_Chi_Minh", first, days, scenario.now)
    return plan_answer(plan(intent, scenario.facts_of("XA"), scenario.now, during), intent, during, grid)


def sheet(data: dict[str, Any], first: str, days: int, *, english: bool = False, grid: tuple[Finding, ...] = ()) -> str:
    return "\n".join(programme_sheet(answer_of(data, first, days, grid), english=english))


def test_a_session_across_midnight_goes_on_under_the_next_day() -> None:
    """Its name stands again where the new day begins; the day after is told to be silent."""
    lines = sheet(BASE, "2026-12-28", 3).splitlines()

    assert "Thứ Hai, 28/12" in lines
    tuesday = lines.index("Thứ Ba, 29/12")
    assert "  Buổi đêm (23:50–00:15)" == lines[tuesday + 1]
    assert lines[tuesday + 2].startswith("    00:00:00  Tin, bài ")
    assert "Nhạc đêm (5:00)" in lines[tuesday + 2]
    assert "  Không phát." == lines[lines.index("Thứ Tư, 30/12") + 1]


def test_an_empty_place_is_seen_and_says_why() -> None:
    """Nothing is hidden: what has no recording stands in the sheet, in its place."""
    rows = [line for line in sheet(BASE, "2026-12-28", 2).splitlines() if "Lời chào kết thúc" in line]

    assert 1 == len(rows)
    assert "(chưa có bài)" in rows[0]
    assert "vì sao: " in rows[0]


def test_the_head_names_the_days() -> None:
    """One day, one week across the year's end, and other stretches."""
    assert "CHƯƠNG TRÌNH PHÁT THANH ngày 28/12/2026" in sheet(BASE, "2026-12-28", 1)
    assert "Tuần 53, từ 28/12/2026 đến 03/01/2027" in sheet(BASE, "2026-12-28", 7)
    assert "Từ 28/12/2026 đến 06/01/2027" in sheet(BASE, "2026-12-28", 10)
    assert "From 29/12 to 30/12/2026" not in sheet(BASE, "2026-12-29", 2, english=True)
    assert "Week 53, from 29/12 to 30/12/2026" in sheet(BASE, "2026-12-29", 2, english=True)
    assert "From 03/01 to 04/01/2027" in sheet(BASE, "2027-01-03", 2, english=True)


def test_orders_and_make_ups_stand_beside_the_sessions() -> None:
    """A single airing and a make-up have no session: their heading says what they are."""
    data = {
        **BASE,
        "one_offs": [{"id": "a", "station": "XA", "segment": "tin", "start": "2026-12-30 10:00", "timing": "hard"}],
        "segments": [
            *BASE["segments"],
            {"id": "cds", "owner": "XA", "programme": "CDS", "title": "Bài", "topics": ["DX-A"], "seconds": 300},
        ],
        "sessions": [],
        "duties": [
            {
                "code": "CDS",
                "name": "Chuyên mục",
                "owner": "XA",
                "stations": ["XA"],
                "programme": "CDS",
                "period": "month",
                "deadline_at": "18:00",
                "windows": ["T5 08:00-09:00"],
            },
            {"code": "NAM", "name": "Cả năm", "owner": "XA", "stations": ["XA"], "programme": "CDS", "period": "year"},
        ],
    }
    lines = sheet(data, "2026-12-28", 4).splitlines()

    assert "  Phát riêng" == lines[lines.index("Thứ Tư, 30/12") + 1]
    assert "  Phát bù" in lines
    assert "  Chuyên mục, tháng 12/2026, hạn 18:00 T5 31/12" in lines
    assert "  Cả năm, năm 2026, hạn 24:00 T5 31/12" in lines
    english = sheet(data, "2026-12-28", 4, english=True).splitlines()
    assert "  Chuyên mục, 12/2026, due 18:00 Thu 31/12" in english
    assert "  Single broadcast" in english


def test_a_late_item_says_when_it_really_begins() -> None:
    """What is before it took longer: the sheet gives the planned time and the real one."""
    answer = answer_of(BASE, "2026-12-28", 1)
    first = answer["items"][0]
    late = {**first, "due": (datetime.fromisoformat(first["due"]) + timedelta(seconds=70)).isoformat()}

    lines = list(programme_sheet({**answer, "items": [late, *answer["items"][1:]]}))

    rows = [line for line in lines if line.startswith("    23:50:00  Tin, bài ")]
    assert 1 == len(rows)
    assert "phát lúc 23:51:10; vì sao:" in rows[0]


def test_equal_findings_are_told_once_with_their_places() -> None:
    """Twenty times the same is one thing to mend: the first places, and how many more."""
    text, hint = Text("Có chuyện.", "Something."), Text("Sửa.", "Mend it.")
    alike = [Finding(code="x", severity=Severity.WARNING, where=where, message=text, hint=hint) for where in "abcd"]
    findings = (*alike, Finding(code="y", severity=Severity.NOTE, message=Text("Ghi nhận.", "Noted.")))
    lines = sheet(BASE, "2026-12-28", 1, grid=findings).splitlines()

    assert [
        "TRƯỚC KHI CÔNG BỐ LỊCH",
        "  [Cảnh báo] Có chuyện. [a, b … (+2)]",
        "    Cách xử lý: Sửa.",
        "  [Lưu ý] Ghi nhận.",
    ] == lines[-4:]
    assert "    What to do: Mend it." in sheet(BASE, "2026-12-28", 1, grid=findings, english=True)


def test_the_days_of_an_answer_are_those_asked_for() -> None:
    """From midnight to midnight, whatever the zone; the last day is not the one after it."""
    answer = answer_of(BASE, "2026-12-30", 2)

    assert ["2026-12-30", "2026-12-31"] == [one["day"] for one in answer["days"]]


def test_a_day_tells_its_week_and_what_was_moved_or_cancelled() -> None:
    """A silent day says by which week it is silent; a start that is off is told from the one that is not."""
    day = BASE | {
        "sessions": [BASE["sessions"][0] | {"weekdays": "daily", "starts": ["05:30", "17:00"]}],
        "templates": [
            {
                "id": "tang",
                "station": "XA",
                "name": "Quốc tang",
                "valid_from": "2026-12-29",
                "valid_until": "2026-12-29",
            }
        ],
        "exceptions": [
            {"id": "a", "station": "XA", "session": "dem", "day": "2026-12-28", "change": "cancel", "number": 2},
            {
                **{"id": "b", "station": "XA", "session": "dem", "day": "2026-12-30", "change": "move", "number": 1},
                **{"to_day": "2026-12-31", "to_start": "08:00", "reason": "Hội nghị"},
            },
            {
                **{"id": "c", "station": "XA", "session": "dem", "day": "2026-12-31", "change": "move", "number": 2},
                **{"to_start": "18:00", "following": True},
            },
        ],
    }

    told = [line for line in sheet(day, "2026-12-28", 4).splitlines() if line.startswith("Thứ")]

    assert told == [
        "Thứ Hai, 28/12; nghỉ Buổi đêm 17:00",
        "Thứ Ba, 29/12; theo “Quốc tang”",
        "Thứ Tư, 30/12; dời Buổi đêm 05:30 sang 08:00 31/12: Hội nghị",
        "Thứ Năm, 31/12; dời Buổi đêm 17:00 từ ngày này sang 18:00",
    ]
