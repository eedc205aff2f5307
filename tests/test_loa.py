"""The command line: one JSON document with `--json` whatever happens, exit codes, local times."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from loa import main
from playout.simulation import SimulationReport, Violation

SCENARIO = Path(__file__).parent.parent / "schedules" / "demo.yaml"

CONFIG = """
role: [authority, station]
data: data
demo: false
web: {listen: "127.0.0.1:8080"}
clock: {source: host}
stations: [{code: XA, outputs: [{name: main, kind: virtual}]}]
"""


def loa(folder: Path, *arguments: str) -> Result:
    config = folder / "config.yaml"
    config.write_text(CONFIG)
    return CliRunner().invoke(main, [*arguments, "--config", str(config)])


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("plan", "--station", "NOPE"), "unknown_station"),
        (("token", "nobody"), "unknown_person"),
        (("token", "nobody", "--scope", "everything"), "unknown_scope"),
        (("ingest", "/nonexistent.wav", "--station", "XA", "--programme", "CDS", "--title", "x"), "no_file"),
    ],
)
def test_a_refusal_is_one_document_too(tmp_path: Path, arguments: tuple[str, ...], code: str) -> None:
    """What reads standard output finds the findings there; the sentences for people are on standard error."""
    result = loa(tmp_path, *arguments, "--json")

    assert 1 == result.exit_code
    assert [code] == [finding["code"] for finding in json.loads(result.stdout)["findings"]]
    assert "[error]" in result.stderr


def test_a_wrong_configuration_is_one_document_too(tmp_path: Path) -> None:
    """With `--json`, every command names what is wrong in config.yaml on standard output, and exits 2."""
    (tmp_path / "config.yaml").write_text("rolle: []")

    result = CliRunner().invoke(main, ["duties", "--json", "--config", str(tmp_path / "config.yaml")])

    assert 2 == result.exit_code
    assert json.loads(result.stdout)["findings"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("plan", "--station", "XA", "--from", "yesterday"),
        ("plan", "--station", "XA", "--from", "9999-12-31"),
        ("plan", "--scenario", str(SCENARIO), "--station", "NOPE"),
        ("plan",),
        ("duties", "--period", "2026-W99"),
    ],
)
def test_wrong_usage_exits_2_and_prints_no_document(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """A day or a period that is none is the caller's mistake, before anything is opened."""
    result = loa(tmp_path, *arguments, "--json")

    assert (2, "") == (result.exit_code, result.stdout)
    assert not (tmp_path / "data").exists()


def test_the_plan_is_printed_in_the_stations_time(tmp_path: Path) -> None:
    """People read local times, and the sheet names the zone, never those of Greenwich without saying so."""
    result = loa(tmp_path, "plan", "--scenario", str(SCENARIO), "--station", "LONGHIEP", "--from", "2026-11-24")

    assert 0 == result.exit_code
    lines = result.stdout.splitlines()
    assert "ĐÀI LONG HIỆP (LONGHIEP)" == lines[0]
    assert lines[2].endswith("giờ địa phương (Asia/Ho_Chi_Minh)")
    assert ["Thứ Ba, 24/11", "  Buổi sáng (05:30–05:35)"] == lines[4:6]
    assert lines[6].startswith("    05:30:00  Nhạc hiệu ")


def test_a_plan_says_everything_in_json_too(tmp_path: Path) -> None:
    """What the sheet tells, programs read: sessions, reasons in both languages, fallback and chances of duties."""
    result = loa(tmp_path, "plan", "--scenario", "ordinary-week", "--days", "7", "--station", "MINHLONG", "--json")

    assert 0 == result.exit_code
    answer = json.loads(result.stdout)
    assert {"station", "name", "zone", "revision", "days", "sessions", "items", "duties", "findings"} <= set(answer)
    item = {"slot", "session", "start", "end", "due", "kind", "title", "why", "why_en", "replaced_by", "targets"}
    assert all(item <= set(one) for one in answer["items"])
    assert all({"state", "reason", "fallback", "chances", "deadline"} <= set(one) for one in answer["duties"])


def test_all_stations_of_a_scenario_are_planned(tmp_path: Path) -> None:
    """Without a station, one sheet after the other; as JSON, one list."""
    sheets = loa(tmp_path, "plan", "--scenario", "merger-2025", "--english")
    answers = loa(tmp_path, "plan", "--scenario", "merger-2025", "--json")

    assert 7 == sheets.stdout.count("BROADCAST PROGRAMME of 30/06/2025")
    assert 7 == len(json.loads(answers.stdout))


@pytest.mark.parametrize("command", ["plan", "simulate"])
def test_a_bad_scenario_is_refused_with_every_mistake(tmp_path: Path, command: str) -> None:
    """Exit code 2 and one document with the findings; on standard error the same in words, with lines; nothing is
    planned."""
    path = tmp_path / "bad.yaml"
    path.write_text("stations:\n  - {code: XA, name: Xa, unit: XA, zoen: x}\nsesions: []\nnow: 25:00\n")
    arguments = [command, "--scenario", str(path), "--json"]

    result = CliRunner().invoke(main, arguments)

    assert 2 == result.exit_code
    found = {finding["where"]: finding for finding in json.loads(result.stdout)["findings"]}
    assert {"stations[0].zoen", "sesions", "now"} <= set(found)
    assert "Có phải là “sessions”?" == found["sesions"]["hint"]["vi"]
    assert "(dòng 2)" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("plan", "--scenario", "no-such-week"),
        ("simulate", "--scenario", "no-such-week"),
        ("simulate", "--scenario", str(SCENARIO)),
        ("simulate", "--scenario", "storm-week", "--days", "0"),
        ("simulate", "--scenario", "storm-week", "--seed", "-1"),
    ],
)
def test_a_scenario_that_cannot_be_lived_through_is_wrong_usage(arguments: tuple[str, ...]) -> None:
    """An unknown name, no first day, no days: the caller's mistake, told at once."""
    result = CliRunner().invoke(main, [*arguments, "--json"])

    assert (2, "") == (result.exit_code, result.stdout)


@pytest.mark.parametrize("command", ["plan", "simulate"])
def test_a_scenario_file_that_is_not_there_is_a_finding(tmp_path: Path, command: str) -> None:
    """A wrong path is told like any other mistake of a file, for programs too."""
    result = CliRunner().invoke(main, [command, "--scenario", str(tmp_path / "week.yaml"), "--json"])

    (finding,) = json.loads(result.stdout)["findings"]
    assert (result.exit_code, finding["code"]) == (2, "unreadable")
    assert finding["hint"]["vi"]


def test_simulated_days_are_told_for_people_and_programs() -> None:
    """What matters first: totals, duties, what happened; then every slot. The same seed tells the same."""
    arguments = ["simulate", "--scenario", "storm-week", "--days", "7", "--seed", "5"]
    told = CliRunner().invoke(main, arguments)
    answer = json.loads(CliRunner().invoke(main, [*arguments, "--json"]).stdout)

    assert 0 == told.exit_code
    lines = told.stdout.splitlines()
    assert "MÔ PHỎNG: Tuần có bão, mất điện hai lần" == lines[0]
    assert "1 đài, 7 ngày từ 09/11/2026 đến 15/11/2026, hạt giống 5" == lines[1]
    assert lines.index("NHIỆM VỤ") < lines.index("SỰ CỐ") < lines.index("LƯỢT PHÁT, SONMAI")
    assert any("Đạt nhờ phát bù" in line for line in lines)
    assert answer["ok"] is True
    assert (5, 7, ["SONMAI"]) == (answer["seed"], answer["days"], answer["stations"])
    assert f"Lượt phát: {len(answer['slots'])} " in lines[2]
    assert told.stdout == CliRunner().invoke(main, arguments).stdout


def test_a_violated_invariant_is_told_with_its_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 1, and the seed with which it can be seen again."""
    violation = Violation(
        invariant="I1",
        seed=9,
        station="SONMAI",
        day=date(2026, 11, 9),
        at=datetime(2026, 11, 9, tzinfo=UTC),
        step=7,
        message="sound outside the hours",
        trace=("began",),
    )
    report = SimulationReport(
        seed=9,
        first_day=date(2026, 11, 9),
        days=1,
        stations=("SONMAI",),
        slots=(),
        duties=(),
        faults=(),
        checks=12_345,
        violations=(violation,),
        sometimes={},
    )
    monkeypatch.setattr("playout.simulation.simulate", lambda *_, **__: report)
    arguments = ["simulate", "--scenario", "storm-week", "--days", "1", "--seed", "9"]

    told = CliRunner().invoke(main, arguments)
    answer = CliRunner().invoke(main, [*arguments, "--json"])

    assert (1, 1) == (told.exit_code, answer.exit_code)
    assert "SAI (chạy lại với --seed 9 để xem)" in told.stdout
    assert "kiểm tra 12.345 lần, 1 lần sai" in told.stdout
    assert "I1 seed 9, SONMAI, 2026-11-09, step 7: sound outside the hours" in told.stdout
    assert json.loads(answer.stdout)["ok"] is False
