"""Recordings of contributors: kept as they came, and heard by nobody before a locked room has made them plain."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import structlog

from audio.ingest import IngestLimits, ingest
from audio.library import Library
from schedules.errors import IngestRefused, LoaError
from schedules.text import Text
from store import contributions
from webui.arrival import keep
from webui.intake import Ingest
from webui.services import Services

VOICE_BYTES = 40 * 1024 * 1024
LONGEST_S = 900.0
_AT_ONCE = 20

_log = structlog.get_logger()


def voices(data: Path) -> Library:
    """Return the place of the plain recordings under the folder DATA; they belong to no station and never air."""
    return Library(data / "voices")


def original(data: Path, contribution: str) -> Path:
    """Return where the file lies as it was sent."""
    return data / "voices" / "sent" / contribution


def take(data: Path, contribution: str, stream: IO[bytes]) -> None:
    """Keep a recording as it was sent."""
    target = original(data, contribution)
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    keep(stream, target)


def check_waiting(here: Services, *, ingest: Ingest = ingest) -> int:
    """Make what came lately fit to be heard, or say why it is not; return how many were looked at."""
    with here.database.reading() as session:
        waiting = contributions.voices_waiting(session, _AT_ONCE)
    for one in waiting:
        with here.database.writing() as session:
            tries = contributions.voice_tried(session, one.id)
        scratch = here.data / "scratch" / "voices"
        scratch.mkdir(parents=True, exist_ok=True)
        limits = IngestLimits(max_bytes=VOICE_BYTES, max_seconds=LONGEST_S)
        try:
            made = ingest(
                original(here.data, one.id),
                library=voices(here.data),
                scratch=scratch,
                limits=limits,
                on_progress=lambda share: None,
            )
        except IngestRefused as refused:
            finding = refused.findings[0]
            _refuse(here, one.id, finding.message)
        except (LoaError, OSError, ValueError, RuntimeError) as error:
            # The machine's trouble, not the recording's: tried again at the next round.
            _log.error("voice not checked", contribution=one.id, attempt=tries, error=repr(error))
            if tries >= contributions.VOICE_TRIES:
                _refuse(here, one.id, _gave_up())
        else:
            with here.database.writing() as session:
                contributions.voice_ready(session, one.id, sha256=made.sha256, samples=made.samples)
    return len(waiting)


def _refuse(here: Services, contribution: str, why: Text) -> None:
    with here.database.writing() as session:
        contributions.voice_refused(session, contribution, why)
    original(here.data, contribution).unlink(missing_ok=True)


def _gave_up() -> Text:
    return Text("Máy không đọc được bản ghi này.", "The recording could not be read.")
