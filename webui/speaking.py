"""Between intake and ingest: where an original is an order to speak, a voice makes the sound of it first."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

from audio.compose import SpeechUnavailable
from audio.ingest import Canonical, IngestLimits
from audio.library import Library
from audio.speech import Pace, SpeechEngine, Voice
from audio.trim import Trim
from schedules.errors import IngestRefused
from schedules.findings import Finding, Severity
from schedules.text import Text
from store import scripts
from store.database import Database
from webui.intake import Ingest

_MARK = b"LOA-SPEECH 1\n"
_MOST_BYTES = 400_000

_log = structlog.get_logger()

Engines = Mapping[str, SpeechEngine]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechOrder:
    """What is to be spoken, in words, by whom."""

    engine: str
    voice: str
    pace: Pace
    said: str

    def sealed(self) -> bytes:
        """Return it as the bytes that stand in the place of an uploaded file."""
        body = {"engine": self.engine, "voice": self.voice, "pace": self.pace.value, "said": self.said}
        return _MARK + json.dumps(body, ensure_ascii=False).encode()


class Speaking:
    """An ingest that speaks first. Only a recording whose text says so is taken for an order, whatever a file holds."""

    def __init__(self, ingest: Ingest, *, database: Database, engines: Engines) -> None:
        self._ingest = ingest
        self._database = database
        self._engines = engines

    def __call__(
        self,
        source: Path,
        *,
        library: Library,
        scratch: Path,
        limits: IngestLimits,
        on_progress: Callable[[float], None],
        trim: Trim | None = None,
    ) -> Canonical:
        """Return what is in the library now; raises what ingest raises, and IngestRefused where no voice speaks."""
        order = self._order(source)
        if order is not None:
            self._speak(order, source, scratch)
        return self._ingest(source, library=library, scratch=scratch, limits=limits, on_progress=on_progress, trim=trim)

    def _order(self, source: Path) -> SpeechOrder | None:
        with source.open("rb") as file:
            if file.read(len(_MARK)) != _MARK:
                return None
            content = file.read(_MOST_BYTES)
        with self._database.reading() as session:
            script = scripts.of_segment(session, source.name)
        if script is None or not script.spoken:
            return None
        body = json.loads(content)
        return SpeechOrder(engine=body["engine"], voice=body["voice"], pace=Pace(body["pace"]), said=body["said"])

    def _speak(self, order: SpeechOrder, source: Path, scratch: Path) -> None:
        engine = self._engines.get(order.engine)
        spoken = scratch / "spoken.wav"
        try:
            if engine is None:
                raise SpeechUnavailable(f"there is no voice {order.engine}")
            engine.speak(order.said, voice=order.voice, pace=order.pace, out=spoken)
        except (SpeechUnavailable, ValueError) as error:
            _log.error("nothing was spoken", segment=source.name, engine=order.engine, error=str(error))
            raise IngestRefused(_not_spoken()) from error
        # From here on it is a recording like any other: what is trimmed is not spoken again.
        spoken.replace(source)


def voices(engines: Engines) -> list[tuple[SpeechEngine, Voice]]:
    """Return every voice of this machine, the best engine first: whoever installed Piper wants to hear it."""
    ordered = sorted(engines.values(), key=lambda engine: engine.name == "espeak")
    return [(engine, voice) for engine in ordered for voice in engine.voices()]


def _not_spoken() -> Finding:
    return Finding(
        code="not_spoken",
        severity=Severity.ERROR,
        message=Text(
            "Máy chưa đọc được lời này thành tiếng. Lời đọc vẫn còn nguyên.",
            "The voice could not speak this text. The text itself is kept.",
        ),
        hint=Text(
            "Hãy chọn giọng khác rồi tạo lại; nếu vẫn vậy, hãy báo quản trị viên.",
            "Choose another voice and try again; if that does not help, tell the administrator.",
        ),
    )
