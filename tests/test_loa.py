"""The command line: one JSON document with `--json` whatever happens, exit codes, local times."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from loa import main

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
    assert ["Thứ Ba, 24/11", "  Buổi sáng (05:30–06:00)"] == lines[4:6]
    assert lines[6].startswith("    05:30:00  Nhạc hiệu ")
