"""config.yaml: every key is explained in it, and every mistake is told at once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import config
from schedules.errors import ConfigError

ROOT = Path(config.__file__).parent


def test_the_shipped_configuration_is_valid() -> None:
    """The demonstration's five stations on virtual outputs, pages on loopback only."""
    loaded = config.load(ROOT / "config.yaml", {})

    assert ["LONGHIEP", "LONGMAI", "LONGMON", "LONGSON", "THANHAN"] == [s.code for s in loaded.stations]
    assert "127.0.0.1" == loaded.web.host
    assert {"virtual"} == {output.kind for station in loaded.stations for output in station.outputs}


def test_every_key_stands_in_the_shipped_file() -> None:
    """What may be set can be seen there, with its comment; a new key without one fails here."""
    text = (ROOT / "config.yaml").read_text()

    known = config.keys()

    assert {key for key in known if not re.search(rf"\b{key}\b", text)} == set()


def test_the_amplifier_of_the_comment_may_be_set_as_it_stands_there(tmp_path: Path) -> None:
    """Its keys are `on` and `off`, which YAML would take for true and false."""
    [example] = re.findall(r"^#   (amplifier: \{.*\})$", (ROOT / "config.yaml").read_text(), re.MULTILINE)
    file = tmp_path / "config.yaml"
    file.write_text(f"demo: True\nstations: [{{code: XA, outputs: [{{name: main, kind: virtual, {example}}}]}}]\n")

    loaded = config.load(file, {})

    assert loaded.demo is True
    amplifier = loaded.stations[0].outputs[0].amplifier
    assert amplifier is not None
    assert ("/sys/class/gpio/gpio17/value=1", "/sys/class/gpio/gpio17/value=0") == (amplifier.on, amplifier.off)


@pytest.mark.parametrize(
    ("data", "where"),
    [
        ({"rol": ["station"]}, "rol"),
        ({"role": ["nobody"]}, "role[0]"),
        ({"role": []}, "role"),
        ({"web": {"listen": "8080"}}, "web.listen"),
        ({"web": {"listen": "127.0.0.1:99999"}}, "web.listen"),
        ({"clock": {"source": "sun"}}, "clock.source"),
        ({"limits": {"upload_mb": 0}}, "limits.upload_mb"),
        ({"limits": {"hours": 25}}, "limits.hours"),
        ({"limits": {"drafts": 0}}, "limits.drafts"),
        ({"retention": {"aircheck_days": 0}}, "retention.aircheck_days"),
        ({"stations": [{"code": "xa", "outputs": [{"name": "a", "kind": "virtual"}]}]}, "stations[0].code"),
        ({"stations": [{"code": "XA", "outputs": []}]}, "stations[0].outputs"),
        ({"stations": [{"code": "XA", "outputs": [{"name": "a", "kind": "tin"}]}]}, "stations[0].outputs[0].kind"),
        ({"stations": [{"code": "XA", "outputs": [{"name": "a", "kind": "pulse"}]}]}, "stations[0].outputs[0].device"),
        (
            {"stations": [{"code": "XA", "outputs": [{"name": "a", "kind": "virtual", "volume_db": 6}]}]},
            "stations[0].outputs[0].volume_db",
        ),
        ({"stations": [{"code": "XA", "outputs": [{"name": "a", "kind": "virtual"}]}] * 2}, "stations[1].code"),
        (
            {"stations": [{"code": "XA", "outputs": [{"name": "a", "kind": "virtual"}] * 2}]},
            "stations[0].outputs[1].name",
        ),
    ],
)
def test_a_mistake_is_named_with_its_path(data: dict[str, object], where: str) -> None:
    """Each validator rejects; the path leads to the line."""
    with pytest.raises(ConfigError) as refused:
        config.parse(data, base=ROOT)
    assert where in {finding.where for finding in refused.value.findings}


def test_all_mistakes_are_told_at_once() -> None:
    """Three wrong things are three findings, and a near miss gets a suggestion."""
    with pytest.raises(ConfigError) as refused:
        config.parse({"dema": True, "clock": {"source": "x"}, "web": {"listen": ":"}}, base=ROOT)

    assert 3 == len(refused.value.findings)
    (unknown,) = [finding for finding in refused.value.findings if finding.code == "unknown_key"]
    assert unknown.hint is not None and "demo" in unknown.hint.en


@pytest.mark.parametrize("content", ["role: [", "- a", ""])
def test_a_file_that_is_no_configuration_is_refused_or_empty(tmp_path: Path, content: str) -> None:
    """Broken YAML and lists are refused with a sentence; an empty file is all defaults."""
    path = tmp_path / "config.yaml"
    path.write_text(content)
    if content:
        with pytest.raises(ConfigError):
            config.load(path, {})
    else:
        assert config.load(path, {}).stations == ()


def test_a_file_that_is_no_text_is_a_finding(tmp_path: Path) -> None:
    """A picture in place of the configuration is wrong usage, told in words."""
    (tmp_path / "config.yaml").write_bytes(b"\xff\xfe\x89PNG")
    with pytest.raises(ConfigError):
        config.load(tmp_path / "config.yaml", {})


def test_a_missing_file_is_a_finding(tmp_path: Path) -> None:
    """No configuration is wrong usage, told in words."""
    with pytest.raises(ConfigError):
        config.load(tmp_path / "none.yaml", {})


def test_the_environment_overrides(tmp_path: Path) -> None:
    """LOA_DATA and LOA_LISTEN stand over the file."""
    (tmp_path / "config.yaml").write_text("data: data\n")
    loaded = config.load(tmp_path / "config.yaml", {"LOA_DATA": str(tmp_path / "d"), "LOA_LISTEN": "127.0.0.1:9"})

    assert (tmp_path / "d", 9) == (loaded.data, loaded.web.port)


@pytest.mark.parametrize("secret", ["", "short", "a" * 64])
def test_a_weak_session_key_is_refused(tmp_path: Path, secret: str) -> None:
    """A key that can be guessed is no key; `loa check` finds it before `loa run` does."""
    (tmp_path / "config.yaml").write_text("data: data\n")
    with pytest.raises(ConfigError):
        config.session_secret(tmp_path, {"LOA_SECRET_KEY": secret})
    with pytest.raises(ConfigError):
        config.load(tmp_path / "config.yaml", {"LOA_SECRET_KEY": secret})


def test_the_session_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    """First start makes it with mode 0600; the next start finds the same."""
    made = config.session_secret(tmp_path, {})

    assert made == config.session_secret(tmp_path, {})
    assert 0o600 == (tmp_path / "secret").stat().st_mode & 0o777
    assert len(made) >= config.MIN_SECRET
