"""config.yaml to frozen settings: every problem at once, each with its path and a hint."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from schedules.errors import ConfigError
from schedules.findings import Finding, Severity
from schedules.text import Text

Role = Literal["authority", "station"]
OutputKind = Literal["virtual", "pulse", "alsa", "icecast", "rtp"]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
Code = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{1,19}$")]

MIN_SECRET = 32
"""Shortest LOA_SECRET_KEY that is accepted, in characters."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class Tls(_Section):
    """How the pages are encrypted. kind: off, private (a root of Loa's own, `loa tls`), files (certificate and key)."""

    kind: Literal["off", "private", "files"] = "off"
    certificate: Path | None = None
    key: Path | None = None

    @model_validator(mode="after")
    def _both(self) -> Tls:
        if self.kind == "files" and (self.certificate is None or self.key is None):
            raise ValueError("given with certificate and key, where kind is files")
        return self


class Notices(_Section):
    """private_webhooks: whether notices may be posted to addresses inside this network."""

    private_webhooks: bool = False


class Web(_Section):
    """Where the pages are served. listen: HOST:PORT; hosts: further names they may be asked for by.

    inside: hosts of the own network, as HOST or HOST:PORT, from which news feeds may be fetched. base_url: the address
    that people use, for links in mails; what was decided on the page of settings goes before it.
    """

    listen: str = "127.0.0.1:8080"
    hosts: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()
    base_url: Annotated[str, Field(pattern=r"^(https?://[^\s?#]+)?$")] = ""
    tls: Tls = Tls()

    @field_validator("listen")
    @classmethod
    def _address(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if not host or not port.isdigit() or not 0 <= int(port) <= 65535:
            raise ValueError("HOST:PORT")
        return value

    @property
    def host(self) -> str:
        """The address to listen on."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port to listen on; 0 lets the machine choose."""
        return int(self.listen.rpartition(":")[2])


class ClockSource(_Section):
    """Who vouches for the clock: `system` the kernel's synchronisation, `host` the owner of the machine."""

    source: Literal["system", "host"] = "system"


class Limits(_Section):
    """What may be uploaded: megabytes, hours of sound, drafts a person."""

    upload_mb: Annotated[int, Field(ge=1, le=2000)] = 500
    hours: Annotated[float, Field(gt=0, le=24)] = 3
    drafts: Annotated[int, Field(ge=1, le=10_000)] = 50


class Retention(_Section):
    """How long things are kept, in days."""

    aircheck_days: Annotated[int, Field(ge=1, le=3660)] = 30


class Amplifier(_Section):
    """How the amplifier behind an output is switched (playout.specs.AmplifierSpec). Seconds for before_s, after_s."""

    kind: Literal["command", "http", "gpio"]
    on: Annotated[str, Field(min_length=1)]
    off: Annotated[str, Field(min_length=1)]
    before_s: Annotated[float, Field(ge=0, le=300)] = 5.0
    after_s: Annotated[float, Field(ge=0, le=300)] = 10.0
    feedback: Path | None = None


class Ear(_Section):
    """Where what an output really sounds like is heard. kind `none` switches the sink's own monitor off too."""

    kind: Literal["none", "pulse", "alsa"]
    device: str | None = None
    delay_s: Annotated[float, Field(ge=0, le=60)] = 1.0


class Output(_Section):
    """One output of a station on this machine. device: what its kind needs (see config.yaml); volume_db: 0 or less.

    groups: the loudspeaker clusters on it; it sounds only what is meant for one of them, everything without groups.
    format, kbps, user, password_file, ttl: for network streams. amplifier, ear, sensor: what hangs on it.
    """

    name: Name
    kind: OutputKind
    device: str | None = None
    volume_db: Annotated[float, Field(ge=-60, le=0)] = 0.0
    groups: tuple[str, ...] = ()
    format: Literal["mp3", "opus", "l16"] | None = None
    kbps: Annotated[int, Field(ge=16, le=320)] = 64
    user: str = "source"
    password_file: Path | None = None
    ttl: Annotated[int, Field(ge=1, le=255)] = 1
    amplifier: Amplifier | None = None
    ear: Ear | None = None
    sensor: Path | None = None


class Input(_Section):
    """A line or microphone input of a station on this machine."""

    name: Name
    kind: Literal["pulse", "alsa"]
    device: Annotated[str, Field(min_length=1)]


class StationOutputs(_Section):
    """A station that this machine plays: where its sound goes, and what it can take in."""

    code: Code
    outputs: Annotated[tuple[Output, ...], Field(min_length=1)]
    inputs: tuple[Input, ...] = ()


class Health(_Section):
    """When this machine is not well: percent of the disk that must be free, degrees Celsius it may reach."""

    disk_low_percent: Annotated[float, Field(gt=0, lt=100)] = 15.0
    hot_c: Annotated[float, Field(gt=0, le=150)] = 80.0


class PiperVoice(_Section):
    """A neural voice that whoever runs this machine supplies: the program, its model, and what officers call it."""

    program: Path
    model: Path
    label: Annotated[str, Field(min_length=1, max_length=80)] = "Piper"


class Speech(_Section):
    """Voices besides espeak-ng. piper: not offered where it is not named."""

    piper: PiperVoice | None = None


class Config(_Section):
    """All settings of this machine."""

    role: Annotated[tuple[Role, ...], Field(min_length=1)] = ("authority", "station")
    data: Path = Path("data")
    demo: bool = False
    web: Web = Web()
    notices: Notices = Notices()
    clock: ClockSource = ClockSource()
    limits: Limits = Limits()
    retention: Retention = Retention()
    health: Health = Health()
    speech: Speech = Speech()
    stations: tuple[StationOutputs, ...] = ()


class _Loader(yaml.SafeLoader):
    """Where `on`, `off`, `yes` and `no` are words: an amplifier has keys of these names."""


_Loader.yaml_implicit_resolvers = {
    first: [resolver for resolver in resolvers if resolver[0] != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$", re.IGNORECASE), list("tTfF"))


def load(path: Path, environment: Mapping[str, str] = os.environ) -> Config:
    """Return the settings in `path`, with LOA_DATA and LOA_LISTEN over them; raises ConfigError with every problem.

    A weak LOA_SECRET_KEY is one of them.
    """
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader) or {}
    except OSError as error:
        vi, en = f"Không đọc được tệp cấu hình {path}.", f"The configuration {path} cannot be read."
        hint = Text("Kiểm tra đường dẫn, hoặc dùng --config.", "Check the path, or use --config.")
        raise ConfigError(_error("unreadable", "", Text(vi, en), hint)) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}" if mark is not None else ""
        text = Text("Tệp cấu hình không đúng cú pháp YAML.", "The configuration is not valid YAML.")
        hint = Text("Xem lại thụt đầu dòng và dấu hai chấm.", "Look at the indentation and the colons.")
        raise ConfigError(_error("not_yaml", where, text, hint)) from error
    if not isinstance(data, dict):
        text = Text("Tệp cấu hình phải gồm các mục “tên: giá trị”.", "The configuration must consist of `key: value`.")
        raise ConfigError(_error("not_a_mapping", "", text))
    _check_secret(environment)
    if "LOA_DATA" in environment:
        data["data"] = environment["LOA_DATA"]
    if "LOA_LISTEN" in environment:
        data["web"] = {**(data.get("web") or {}), "listen": environment["LOA_LISTEN"]}
    return parse(data, base=path.parent)


def parse(data: Mapping[str, object], *, base: Path) -> Config:
    """Return the settings of `data`; relative paths are under `base`. Raises ConfigError with every problem."""
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        raise ConfigError(*(_from_pydantic(problem) for problem in error.errors())) from error
    problems = [*_twice(config), *_devices(config)]
    if problems:
        raise ConfigError(*problems)
    return config.model_copy(update={"data": (base / config.data).absolute()})


def _twice(config: Config) -> list[Finding]:
    found = []
    codes = [station.code for station in config.stations]
    for index, station in enumerate(config.stations):
        if station.code in codes[:index]:
            text = Text(f"Đài {station.code} khai hai lần.", f"Station {station.code} stands twice.")
            found.append(_error("twice", f"stations[{index}].code", text))
        names = [output.name for output in station.outputs]
        for number, name in enumerate(names):
            if name in names[:number]:
                where = f"stations[{index}].outputs[{number}].name"
                found.append(
                    _error("twice", where, Text(f"Đầu ra “{name}” khai hai lần.", f"Output “{name}” stands twice."))
                )
    return found


_NEEDED = {
    "pulse": (
        Text("Đầu ra pulse cần tên thiết bị.", "A pulse output needs the name of its sink."),
        Text("Xem tên bằng: pactl list short sinks", "See the names with: pactl list short sinks"),
    ),
    "alsa": (
        Text("Đầu ra alsa cần tên card âm thanh.", "An alsa output needs the name of its card."),
        Text("Xem tên bằng: aplay -L, ví dụ plughw:CARD=Device", "See the names with: aplay -L, plughw:CARD=Device"),
    ),
    "icecast": (
        Text("Đầu ra icecast cần địa chỉ điểm phát.", "An icecast output needs the address of its mount."),
        Text("Ví dụ http://127.0.0.1:8000/xa.mp3", "Such as http://127.0.0.1:8000/xa.mp3"),
    ),
    "rtp": (
        Text("Đầu ra rtp cần địa chỉ và cổng nhận.", "An rtp output needs the address and port of its receivers."),
        Text("Ví dụ 239.255.1.2:5004", "Such as 239.255.1.2:5004"),
    ),
}
_FORMATS = {"icecast": ("mp3", "opus"), "rtp": ("l16", "opus")}


def _devices(config: Config) -> list[Finding]:
    found = []
    for index, station in enumerate(config.stations):
        for number, output in enumerate(station.outputs):
            where = f"stations[{index}].outputs[{number}]"
            if output.kind in _NEEDED and not output.device:
                text, hint = _NEEDED[output.kind]
                found.append(_error("device_missing", f"{where}.device", text, hint))
            allowed = _FORMATS.get(output.kind, ())
            if output.format is not None and output.format not in allowed:
                names = ", ".join(allowed) or "—"
                text = Text(
                    f"Đầu ra {output.kind} không phát được dạng {output.format}.",
                    f"An output of kind {output.kind} does not send {output.format}.",
                )
                hint = Text(f"Dạng dùng được: {names}.", f"Formats that it has: {names}.")
                found.append(_error("bad_format", f"{where}.format", text, hint))
            if output.ear is not None and output.ear.kind != "none" and not output.ear.device:
                text = Text("Cần tên thiết bị thu để nghe lại.", "The ear needs the name of its source.")
                found.append(_error("device_missing", f"{where}.ear.device", text))
    return found


def _from_pydantic(problem: Mapping[str, object]) -> Finding:
    location = problem["loc"]
    assert isinstance(location, tuple)
    where = ""
    for part in location:
        where += f"[{part}]" if isinstance(part, int) else (f".{part}" if where else str(part))
    kind = str(problem["type"])
    if kind == "extra_forbidden":
        text = Text(f"Không có mục “{location[-1]}”.", f"There is no key “{location[-1]}”.")
        close = difflib.get_close_matches(str(location[-1]), sorted(keys()), n=1)
        hint = Text(f"Có phải là “{close[0]}”?", f"Did you mean “{close[0]}”?") if close else None
        return _error("unknown_key", where, text, hint)
    if kind == "missing":
        return _error("missing_key", where, Text(f"Thiếu mục “{location[-1]}”.", f"“{location[-1]}” is missing."))
    english = re.sub(r"^Value error, ", "should be ", str(problem["msg"]))
    return _error("bad_value", where, Text(f"Giá trị không hợp lệ: {english}", f"Not a valid value: {english}"))


def _error(code: str, where: str, message: Text, hint: Text | None = None) -> Finding:
    return Finding(code=code, severity=Severity.ERROR, where=where, message=message, hint=hint)


def keys() -> frozenset[str]:
    """Return every key that config.yaml may have, without its path."""
    sections = (
        Config,
        Web,
        ClockSource,
        Limits,
        Retention,
        Health,
        Speech,
        PiperVoice,
        StationOutputs,
        Output,
        Amplifier,
        Ear,
        Input,
    )
    return frozenset(name for section in sections for name in section.model_fields)


def _check_secret(environment: Mapping[str, str]) -> str | None:
    given = environment.get("LOA_SECRET_KEY")
    if given is not None and (len(given) < MIN_SECRET or len(set(given)) < 10):
        text = Text("LOA_SECRET_KEY quá yếu.", "LOA_SECRET_KEY is too weak.")
        hint = Text("Dùng ít nhất 32 ký tự ngẫu nhiên.", "Use at least 32 random characters.")
        raise ConfigError(_error("weak_secret", "LOA_SECRET_KEY", text, hint))
    return given


def session_secret(data: Path, environment: Mapping[str, str] = os.environ) -> str:
    """Return the key that signs sessions: LOA_SECRET_KEY, else DATA/secret, made at first start with mode 0600.

    Raises ConfigError for a key from the environment that is short or has few different characters.
    """
    if (given := _check_secret(environment)) is not None:
        return given
    path = data / "secret"
    if not path.exists():
        descriptor = os.open(path.with_suffix(".tmp"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(os.urandom(48).hex())
            file.flush()
            os.fsync(file.fileno())
        path.with_suffix(".tmp").replace(path)
    return path.read_text()
