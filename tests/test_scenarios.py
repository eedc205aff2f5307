"""The scenarios that come with Loa: each shows what its first lines promise, planned and when it is lived through."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest

from house.orders import local_days
from house.sheet import plan_answer, programme_sheet
from link.scenario import FaultRates, Scenario
from link.scenariofile import read
from loa import SCENARIOS
from playout.simulation import SimulationReport, simulate
from schedules.airing import Verdict
from schedules.checking import check_grid
from schedules.duty import DutyState
from schedules.grid import DayKind, ItemKind
from schedules.planner import plan
from schedules.rundown import Rundown, RundownItem

NAMES = sorted(path.stem for path in SCENARIOS.glob("*.yaml"))
VIETNAM = ZoneInfo("Asia/Ho_Chi_Minh")


@cache
def scenario(name: str) -> Scenario:
    return read(SCENARIOS / f"{name}.yaml")


@cache
def rundown(name: str, station: str, days: int = 7) -> Rundown:
    told = scenario(name)
    assert told.now is not None
    during = local_days(str(VIETNAM), None, days, told.now)
    return plan(told.intent(told.now), told.facts_of(station), told.now, during)


@cache
def lived(name: str, seed: int, days: int = 7) -> SimulationReport:
    return simulate(scenario(name), days=days, seed=seed)


def sheet(name: str, station: str, *, english: bool = False) -> list[str]:
    told = scenario(name)
    assert told.now is not None
    during = local_days(str(VIETNAM), None, 7, told.now)
    answer = plan_answer(rundown(name, station), told.intent(told.now), during)
    return "\n".join(programme_sheet(answer, english=english)).splitlines()


def local(moment: datetime) -> datetime:
    return moment.astimezone(VIETNAM)


def on(items: tuple[RundownItem, ...], day: date) -> list[RundownItem]:
    return [item for item in items if local(item.start).date() == day]


def test_there_are_four() -> None:
    """An ordinary week, Tết, a storm and the merger."""
    assert ["merger-2025", "ordinary-week", "storm-week", "tet-2027"] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_each_begins_with_what_it_shows_and_how_to_see_it(name: str) -> None:
    """A person who opens the file reads a sentence and a command first."""
    lines = (SCENARIOS / f"{name}.yaml").read_text(encoding="utf-8").splitlines()

    head = [line for line in lines[:10] if line.startswith("#")]
    assert len(head) >= 4
    assert any(f"loa plan --scenario {name} " in line for line in head)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_in_them_is_an_error(name: str) -> None:
    """What comes with Loa plans without a finding that would refuse it, at every station."""
    found = [
        finding.message.en
        for station in scenario(name).stations
        for finding in rundown(name, station.code).findings
        if finding.severity == "error"
    ]

    assert [] == found


@pytest.mark.parametrize("name", NAMES)
def test_their_grids_could_be_published(name: str) -> None:
    """No error and nothing to warn of, but that the five old stations' sessions will not come any more."""
    told = scenario(name)
    assert told.now is not None
    intent = told.intent(told.now)
    found = {
        finding.code
        for station in told.stations
        for finding in check_grid(intent, station, told.facts_of(station.code), told.now)
    }

    assert ({"session_never"} if name == "merger-2025" else set()) == found


def test_an_ordinary_week_is_planned_whole() -> None:
    """Every place has its audio and its reason, within hours and limits; the rest at noon is silent."""
    items = rundown("ordinary-week", "MINHLONG").items

    assert len(items) > 80
    assert all(item.why.vi and item.why.en for item in items)
    assert all(item.sha256 or item.kind is ItemKind.RELAY for item in items)
    for item in items:
        start, end = local(item.due), local(item.due + (item.end - item.start))
        assert 5 <= start.hour and end.hour < 21
        assert not (start.hour * 60 + start.minute < 13 * 60 + 30 and end.hour * 60 + end.minute > 11 * 60 + 30)


def test_an_ordinary_week_keeps_its_exceptions() -> None:
    """No midday on the day of the power company, a later evening on Thursday, Hrê and answers on their days."""
    items = rundown("ordinary-week", "MINHLONG").items
    names = {day: {item.slot.split("/")[1] for item in on(items, date(2026, 11, day))} for day in range(23, 30)}

    assert "trua" not in names[25]
    assert {"trua", "oneoff"} <= names[24]
    assert {"18:00"} == {f"{local(i.start):%H:%M}" for i in items if i.slot.endswith("chieu/2026-11-26/nhac-hieu")}
    assert [28] == [day for day in names if "tra-loi" in names[day]]
    assert [29] == [day for day in names if "tieng-hre" in names[day]]
    assert [27] == [day for day in names if "chuyen-doi-so" in names[day]]


def test_a_narrower_group_hears_nothing_too_early() -> None:
    """The loudspeakers beside the health post are left out before half past five, and only then."""
    items = rundown("ordinary-week", "MINHLONG").items

    early = [item for item in items if local(item.due).time() < time(5, 29)]
    assert early
    assert all(item.targets is not None and "TRAMYTE" not in item.targets for item in early)
    assert all(item.targets is None for item in items if local(item.due).hour >= 6)


def test_an_ordinary_week_knows_what_fulfils_its_duties() -> None:
    """The week's and the month's duties are planned, each with what happens if that fails."""
    standings = {(one.duty, one.period): one for one in rundown("ordinary-week", "MINHLONG").duties}

    assert {("CDS", "2026-W48"), ("CDSTINH", "2026-W48"), ("TRALOI", "2026-11")} <= set(standings)
    assert {DutyState.PLANNED} == {one.state for one in standings.values()}
    digital = standings["CDS", "2026-W48"]
    assert ("MINHLONG/chuyen-doi-so/2026-11-27/cds",) == digital.slots
    assert digital.fallback is not None
    assert len(digital.chances) >= 2


def test_the_sheet_of_an_ordinary_week_reads_like_a_programme() -> None:
    """Head, week, seven days with sessions and items at their times, then duties with their state and way out."""
    lines = sheet("ordinary-week", "MINHLONG")

    assert "ĐÀI TRUYỀN THANH XÃ MINH LONG (MINHLONG)" == lines[0]
    assert ["CHƯƠNG TRÌNH PHÁT THANH", "Tuần 48, từ 23/11 đến 29/11/2026"] == lines[1:3]
    days = [line for line in lines if re.match(r"(Thứ|Chủ) \S+, \d\d/\d\d", line)]
    assert 7 == len(days)
    assert "Thứ Hai, 23/11" == days[0]
    assert days[1].startswith("Thứ Ba, 24/11; Ngày Văn hóa Việt Nam")
    assert "Thứ Tư, 25/11; nghỉ Buổi trưa: Điện lực cắt điện để sửa chữa đường dây" == days[2]
    assert "Chủ Nhật, 29/11" == days[6]
    monday = lines[lines.index(days[0]) + 1 : lines.index(days[1]) - 1]
    sessions = [line for line in monday if not line.startswith("    ")]
    assert ["  Buổi sáng (05:00–05:45)", "  Buổi trưa (11:00–11:25)", "  Buổi chiều (17:00–17:24)"] == sessions
    rows = [line for line in monday if line.startswith("    ")]
    assert all(re.match(r" {4}\d\d:\d\d:\d\d  \S.* \(\d+:\d\d\) .*vì sao: \S", row) for row in rows)
    assert "Nhạc hiệu Minh Long (0:20)" in rows[0]
    assert "Thời sự VOV1 (15:00)" in rows[2]
    duties = lines[lines.index("NHIỆM VỤ") :]
    assert "  Chuyên mục “Chuyển đổi số” hằng tuần, tuần 48/2026, hạn 24:00 CN 29/11" in duties
    assert any(line.startswith("    Đã xếp lịch: Sẽ phát “Giữ an toàn tài khoản") for line in duties)
    assert any(line.startswith("    Còn ") for line in duties)


def test_the_sheet_can_be_read_in_english() -> None:
    """Every word that is ours; titles stay as they are."""
    lines = sheet("ordinary-week", "MINHLONG", english=True)

    assert "Week 48, from 23/11 to 29/11/2026" == lines[2]
    assert "Monday, 23/11" in lines
    assert not [line for line in lines if "vì sao" in line or "Còn " in line or "hạn " in line]


def test_tet_has_a_week_of_its_own_and_the_duty_is_still_owed() -> None:
    """From 4 to 10 February the sessions of Tết hold; the week's duty finds another time before them."""
    told = scenario("tet-2027")
    tet = {one.day for one in told.calendar if one.kind is DayKind.TET}
    assert {date(2027, 2, 5), date(2027, 2, 6), date(2027, 2, 8)} <= tet

    items = rundown("tet-2027", "MINHLONG", 21).items
    for day in (date(2027, 2, 1) + timedelta(days=number) for number in range(21)):
        rules = {item.slot.split("/")[1] for item in on(items, day) if "makeup." not in item.slot}
        assert rules, day
        assert {rule.startswith("tet-") for rule in rules} == {day in tet}, day
    greeting = [item for item in on(items, date(2027, 2, 6)) if item.kind is ItemKind.GREETING]
    assert {"chuc-tet"} == {item.segment for item in greeting}
    standings = {one.period: one for one in rundown("tet-2027", "MINHLONG", 21).duties}
    assert DutyState.PLANNED is standings["2027-W05"].state
    assert "makeup.CDS" in standings["2027-W05"].slots[0]


def test_a_decreed_swap_moves_the_sessions_of_a_working_day() -> None:
    """The Monday off has no midday session, the Saturday worked for it has Monday's."""
    items = rundown("tet-2027", "MINHLONG", 21).items
    rules = {day: {item.slot.split("/")[1] for item in on(items, date(2027, 2, day))} for day in (13, 15, 16, 20)}

    assert {13: False, 15: False, 16: True, 20: True} == {day: "hanh-chinh" in found for day, found in rules.items()}


def test_tet_is_lived_through_with_both_weeks_met() -> None:
    """No week is excused: the one of Tết is met by the station itself, the next one on its Friday."""
    report = lived("tet-2027", 1, 14)

    assert () == report.violations
    states = {duty.period: duty.state for duty in report.duties}
    assert states["2027-W05"] in (DutyState.MET, DutyState.MADE_UP)
    assert DutyState.MET is states["2027-W06"]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_storm_takes_the_programme_twice_and_it_is_made_up(seed: int) -> None:
    """Friday's programme is missed for want of power; it is aired whole on the weekend, and the emergency at once."""
    report = lived("storm-week", seed)
    slots = {one.slot: one for one in report.slots}

    assert () == report.violations
    friday = slots["SONMAI/chuyen-doi-so/2026-11-13/cds"]
    assert Verdict.MISSED is friday.verdict
    assert friday.reason is not None
    (duty,) = report.duties
    assert ("2026-W46", DutyState.MADE_UP) == (duty.period, duty.state)
    made_up = slots[duty.slots[-1]]
    assert Verdict.AIRED is made_up.verdict
    assert local(made_up.planned_start).date() in (date(2026, 11, 14), date(2026, 11, 15))
    assert 599 <= made_up.heard_s <= 600
    emergencies = [one for one in report.slots if "sơ tán" in one.title and one.verdict is Verdict.AIRED]
    assert 1 == len(emergencies)
    assert 2 == len([one for one in report.faults if one.kind == "power"])


def test_the_merger_hands_sessions_and_duty_to_the_two_new_stations() -> None:
    """The five air on Monday, the two from Tuesday on; each of the two owes the week once, the five nothing more."""
    days = {
        station.code: {local(item.start).day for item in rundown("merger-2025", station.code).items}
        for station in scenario("merger-2025").stations
    }
    for old in ("LONGHIEP", "THANHAN", "LONGMON", "LONGMAI", "LONGSON"):
        assert {30} == days[old]
        owed = [one for one in rundown("merger-2025", old).duties if one.period == "2025-W27"]
        assert [] == [one for one in owed if one.state is not DutyState.EXCUSED]
    for new in ("MINHLONG", "SONMAI"):
        assert {1, 2, 3, 4, 5, 6} == days[new]
        owed = [one for one in rundown("merger-2025", new).duties if one.period == "2025-W27"]
        assert [DutyState.PLANNED] == [one.state for one in owed]


def test_the_merger_keeps_the_library_and_names_its_document() -> None:
    """What the old communes recorded airs under the new station; the stations that ended say by which document."""
    friday = [item for item in rundown("merger-2025", "MINHLONG").items if item.slot.endswith("2025-07-04/cds")]

    assert ["cds-longhiep"] == [item.segment for item in friday]
    ended = [station for station in scenario("merger-2025").stations if station.successor is not None]
    assert 5 == len(ended)
    assert {"Nghị quyết 1677/NQ-UBTVQH15"} == {station.ended_by for station in ended}


@pytest.mark.parametrize("seed", [1, 2])
def test_the_merger_is_lived_through(seed: int) -> None:
    """Everything airs; the two new stations meet the week and the next, the five are excused by the resolution."""
    report = lived("merger-2025", seed, 14)

    assert () == report.violations
    assert {Verdict.AIRED} == {slot.verdict for slot in report.slots}
    met = {(duty.station, duty.period) for duty in report.duties if duty.state is DutyState.MET}
    assert {(new, week) for new in ("MINHLONG", "SONMAI") for week in ("2025-W27", "2025-W28")} == met
    excused = {duty.station: duty.reason.vi for duty in report.duties if duty.state is DutyState.EXCUSED}
    assert {"LONGHIEP", "THANHAN", "LONGMON", "LONGMAI", "LONGSON"} == set(excused)
    assert all("Nghị quyết 1677/NQ-UBTVQH15" in reason for reason in excused.values())


def quiet(name: str) -> Scenario:
    return replace(scenario(name), faults=FaultRates())


def test_two_ordinary_weeks_are_lived_through() -> None:
    """Without a fault all airs that has a recording; relays are missed, since no station relays yet."""
    report = simulate(quiet("ordinary-week"), days=12, seed=1)

    assert () == report.violations
    assert () == report.faults
    assert {Verdict.AIRED} == {slot.verdict for slot in report.slots if not slot.slot.endswith("/vov")}
    weekly = {duty.period: duty.state for duty in report.duties if duty.duty == "CDS"}
    assert {"2026-W48": DutyState.MET, "2026-W49": DutyState.MET} == weekly


@pytest.mark.parametrize("seed", [1, 5])
def test_the_week_is_kept_through_what_goes_wrong_now_and_then(seed: int) -> None:
    """With power, link and machine failing by chance, each slot has its outcome, and every week its programme."""
    report = lived("ordinary-week", seed, 14)

    assert () == report.violations
    assert len(report.faults) > 2
    assert all(slot.reason is not None for slot in report.slots if slot.verdict is Verdict.MISSED)
    weekly = [duty.state for duty in report.duties if duty.duty == "CDS"]
    assert 2 == len(weekly)
    assert set(weekly) <= {DutyState.MET, DutyState.MADE_UP}
