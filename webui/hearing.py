"""A session heard before it airs: which recordings it holds, in what order, and where each begins in the whole."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from itsdangerous import BadSignature, URLSafeTimedSerializer

from audio.composed import Sound
from schedules.grid import ItemKind
from schedules.rundown import RundownItem
from schedules.segment import SAMPLE_RATE_HZ
from schedules.station import StationCode
from webui.services import services

_VALID_S = 12 * 3600
_SALT = "hearing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """An item in the whole. at_s, length_s: seconds from the beginning of the sound."""

    item: RundownItem
    at_s: float
    length_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """One session as it would sound now. key: names exactly these recordings, for half a day; empty for silence.

    empty: places without audio, and those whose file is not on this machine. live: relays, which cannot be heard
    before they come.
    """

    session: str
    start: datetime
    end: datetime
    length_s: float
    marks: tuple[Mark, ...]
    empty: tuple[RundownItem, ...]
    live: tuple[RundownItem, ...]
    key: str


def composed(items: Iterable[RundownItem]) -> tuple[Composed, ...]:
    """Return the sessions among the items of one station's plan, each as one sound; what airs alone is left out."""
    of_sessions = [item for item in items if item.session and not item.cancelled_by and not item.replaced_by]
    return tuple(
        _composed(session, tuple(found)) for session, found in groupby(of_sessions, key=lambda item: item.session or "")
    )


def sounds(station: StationCode, key: str) -> tuple[Sound, ...] | None:
    """Return the recordings that a key of that station names; None for a key that is wrong or too old."""
    try:
        _session, named = _signer(station).loads(key, max_age=_VALID_S)
    except BadSignature:
        return None
    library = services().library
    return tuple(Sound(path=library.path(base64.b64decode(digest).hex()), samples=samples) for digest, samples in named)


def _composed(session: str, items: tuple[RundownItem, ...]) -> Composed:
    library = services().library
    marks: list[Mark] = []
    empty: list[RundownItem] = []
    live: list[RundownItem] = []
    named: list[tuple[str, int]] = []
    heard = 0
    for item in items:
        if item.relay is not None or item.kind in (ItemKind.RELAY, ItemKind.LIVE):
            live.append(item)
        elif item.sha256 is None or not library.has(item.sha256):
            empty.append(item)
        else:
            samples = _samples(item)
            marks.append(Mark(item=item, at_s=heard / SAMPLE_RATE_HZ, length_s=samples / SAMPLE_RATE_HZ))
            named.append((base64.b64encode(bytes.fromhex(item.sha256)).decode(), samples))
            heard += samples
    return Composed(
        session=session,
        start=items[0].start,
        end=max(item.end for item in items),
        length_s=heard / SAMPLE_RATE_HZ,
        marks=tuple(marks),
        empty=tuple(empty),
        live=tuple(live),
        # With the session's name: two that hold the same recordings are two sounds, each with marks of its own.
        key=_signer(items[0].station).dumps([session, named]) if heard else "",
    )


def _samples(item: RundownItem) -> int:
    """Return how much of the recording is heard: all of it, unless something cuts it."""
    if item.cut_at is None:
        return item.samples
    left_s = (item.cut_at - item.due).total_seconds()
    return min(item.samples, max(0, round(left_s * SAMPLE_RATE_HZ)))


def _signer(station: StationCode) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(services().settings.secret_key, salt=f"{_SALT}/{station}")
