"""What the web works with: built once by the composition root, found by every view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from flask import current_app
from nacl.signing import SigningKey

from audio.library import Library
from audio.speech import Espeak, SpeechEngine
from link.door import StationDoor
from link.outward import Outward
from schedules.clock import Clock
from schedules.station import StationCode
from store.database import Database
from webui.intake import Intake
from webui.pace import Pace
from webui.talks import Talks

KEY = "loa"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """How the web is served.

    secret_key: signs cookies; at least 32 characters that nobody knows. base_url: the address that people use, for
    links in messages; https makes the cookie secure. trusted_hosts: names by which it may be asked.
    max_upload_bytes: the largest recording. most_drafts: recordings a person may have before submitting some.
    machine: what config.yaml says, as name and value, shown beside the settings that people decide.
    secure: the pages are served over TLS here. root: the root certificate that phones install, where Loa made one.
    most_uploads, most_uploads_bytes: files, and bytes in all, that a person may have on their way at a time.
    """

    secret_key: str
    base_url: str | None = None
    trusted_hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "[::1]")
    max_upload_bytes: int = 500 * 1024 * 1024
    most_drafts: int = 50
    most_uploads: int = 50
    most_uploads_bytes: int = 2000 * 1024 * 1024
    machine: tuple[tuple[str, str], ...] = ()
    secure: bool = False
    root: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderSigners:
    """The keys that emergency orders are signed with: one for what is real, one for drills."""

    real: SigningKey
    drill: SigningKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything that a view may use. data: the folder DATA. demo: the demonstration runs.

    order_keys: None where this machine may not order emergencies. talks: live talks from browsers.
    pace: how often strangers asked. speech: the voices of this machine, by name. outward: asks the internet for feeds.
    """

    database: Database
    clock: Clock
    doors: Mapping[StationCode, StationDoor]
    library: Library
    intake: Intake
    settings: WebSettings
    data: Path
    demo: bool
    version: str
    order_keys: OrderSigners | None = None
    talks: Talks = field(default_factory=Talks)
    pace: Pace = field(default_factory=Pace)
    speech: Mapping[str, SpeechEngine] = field(default_factory=lambda: {"espeak": Espeak()})
    outward: Outward = field(default_factory=Outward)

    def wake(self) -> None:
        """Tell every station that there is new intent."""
        for door in self.doors.values():
            door.wake()


def services() -> Services:
    """Return the services of the app that answers the present request."""
    return cast(Services, current_app.extensions[KEY])
