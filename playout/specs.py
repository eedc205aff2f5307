"""What config.yaml gives to a station's own machine, as the station uses it: outputs, amplifiers, ears, inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schedules.rundown import RundownItem
from schedules.station import GroupCode


@dataclass(frozen=True, slots=True, kw_only=True)
class AmplifierSpec:
    """How the amplifier behind an output is switched.

    kind: `command` (a program and its arguments), `http` (a GET of a relay board's address), `gpio` (a file that is
    written). on, off: the program with arguments separated by spaces, the address, or FILE=VALUE.
    before_s: how long before sound it is switched on, after_s: how long after sound it is switched off.
    feedback: a file that reads `1` while the amplifier really has power, None where nothing tells.
    """

    kind: str
    on: str
    off: str
    before_s: float = 5.0
    after_s: float = 10.0
    feedback: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EarSpec:
    """Where is heard what really went out by an output: `pulse` (a source), `alsa` (a capture device); or `none`.

    delay_s: how much later than the output's own time it is expected at most, such as through an FM receiver.
    """

    kind: str
    device: str
    delay_s: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputSpec:
    """One output of this machine, as config.yaml gives it. groups: whose loudspeakers hang on it; empty for all.

    device: sink of pulse, device of ALSA (`plughw:CARD=Device`), http URL of an Icecast mount, ADDRESS:PORT of RTP.
    format: `mp3` or `opus` for Icecast, `l16` or `opus` for RTP. kbps: of an encoded format.
    user, password_file: for Icecast. ttl: how far multicast packets travel.
    ear: None where nothing can be heard. sensor: a file that reads `1` while a sensor behind the amplifier hears sound.
    """

    name: str
    kind: str
    device: str | None = None
    volume_db: float = 0.0
    groups: tuple[GroupCode, ...] = ()
    format: str | None = None
    kbps: int = 64
    user: str = "source"
    password_file: Path | None = None
    ttl: int = 1
    amplifier: AmplifierSpec | None = None
    ear: EarSpec | None = None
    sensor: Path | None = None

    def hears(self, item: RundownItem) -> bool:
        """Return whether an item is meant for it."""
        return item.targets is None or not self.groups or not set(self.groups).isdisjoint(item.targets)

    def for_player(self) -> Mapping[str, Any]:
        """Return what the player needs of it, for the command `open`."""
        return {
            "name": self.name,
            "kind": self.kind,
            "device": self.device,
            "volume_db": self.volume_db,
            "format": self.format,
            "kbps": self.kbps,
            "user": self.user,
            "password_file": str(self.password_file) if self.password_file is not None else None,
            "ttl": self.ttl,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSpec:
    """A line or microphone input of this machine: `pulse` (a source) or `alsa` (a capture device)."""

    name: str
    kind: str
    device: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthSpec:
    """When a machine is not well. disk_low: share of the disk that must be free; hot_c: degrees Celsius."""

    disk_low: float = 0.15
    hot_c: float = 80.0
