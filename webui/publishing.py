"""Putting items up for everybody to hear again, and taking them back at once."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import structlog

from audio.mp3 import make_mp3, mp3_path
from schedules.errors import Conflict, SegmentUnplayable
from schedules.findings import Finding, Severity
from schedules.segment import SegmentId, SegmentState
from schedules.station import StationCode
from schedules.text import Text
from store import publications
from store.accounts import Person
from webui import work
from webui.services import Services, services
from webui.work import no_such, require, station_of, trace

_AT_ONCE = 20

_log = structlog.get_logger()


def publish(station: StationCode, segment: SegmentId, *, person: Person) -> str:
    """Put an approved item up; strangers hear it once it has aired and its file is made. Raises Conflict, Unknown."""
    here = services()
    record = work.visible_segment(segment, person=person)
    with here.database.writing() as session:
        require(person, "public.publish", station_of(session, station, person))
        if record.state is not SegmentState.APPROVED or record.audio is None:
            raise Conflict(
                no_such(
                    "not_approved",
                    "Bài chưa được duyệt nên chưa công khai được.",
                    "Only what is approved can be made public.",
                )
            )
        if publications.is_emergency(session, segment):
            raise Conflict(_emergency())
        publication = publications.publish(
            session,
            station=station,
            segment=segment,
            sha256=record.audio.sha256,
            person=person,
            now=here.clock.now(),
        )
        trace(session, "public.publish", publication, person, detail=f"{station} {segment}")
    return publication


def take_back(station: StationCode, segment: SegmentId, *, person: Person) -> None:
    """Take an item off; from this moment on its addresses say that it is gone. Raises Conflict, Unknown."""
    here = services()
    with here.database.writing() as session:
        require(person, "public.publish", station_of(session, station, person))
        if not publications.take_back(session, station=station, segment=segment, person=person, now=here.clock.now()):
            raise Conflict(no_such("not_public", "Bài này không ở trang nghe lại.", "This is not public."))
        trace(session, "public.take_back", segment, person, detail=station)


def media(data: Path, sha256: str) -> Path:
    """Return where the file for strangers lies, made from the canonical file of that hash."""
    return mp3_path(data / "public", sha256)


def make_media(here: Services, *, make: Callable[[Path, Path], int] = make_mp3) -> int:
    """Make the files that are wanted and not there, remove those that nobody may have; return how many were made."""
    with here.database.reading() as session:
        waiting = publications.without_media(session, _AT_ONCE)
        wanted = publications.media_to_keep(session)
    made = 0
    for publication, sha256 in waiting:
        target = media(here.data, sha256)
        try:
            # The very recording that was approved, not what may lie under its name by now.
            os.close(here.library.open_verified(sha256))
            size = target.stat().st_size if target.is_file() else make(here.library.path(sha256), target)
        except (OSError, SegmentUnplayable, ValueError) as error:
            _log.warning("no public file", publication=publication, error=repr(error))
            continue
        made += 1
        with here.database.writing() as session:
            publications.media_made(session, publication, sha256=sha256, size_bytes=size)
    for file in (here.data / "public").glob("??/*.mp3"):
        if file.stem not in wanted:
            file.unlink(missing_ok=True)
    return made


def media_lost(publication: str, sha256: str) -> None:
    """Keep that a file is not there any more: it is made anew."""
    with services().database.writing() as session:
        publications.media_made(session, publication, sha256=sha256, size_bytes=None)


def _emergency() -> Finding:
    return Finding(
        code="emergency_private",
        severity=Severity.ERROR,
        message=Text(
            "Bài phát khẩn cấp không đưa lên trang nghe lại.",
            "What is for emergencies is not put up to be heard again.",
        ),
    )
