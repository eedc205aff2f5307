"""From an upload to a recording that can be submitted: one analysis at a time, and none is forgotten by a crash."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

import structlog

from audio.ingest import Canonical, IngestLimits, ingest
from audio.library import Library
from audio.trim import Trim
from schedules.clock import Clock
from schedules.errors import IngestRefused, LoaError
from schedules.findings import Finding, Severity
from schedules.segment import SAMPLE_RATE_HZ, SegmentId
from schedules.text import Text
from store import segments, uploads
from store.database import Database
from store.segments import Audio, SegmentRecord

TRIES = 3
_RETRY_S = 20.0
_ORPHAN_S = 1800.0
_SWEEP_S = 1200.0
_UNUSED_AUDIO_S = 7 * 86_400.0

_log = structlog.get_logger()


class Ingest(Protocol):
    """What turns a file into audio of ours: `audio.ingest.ingest`, or its stand-in in tests."""

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
        """Return what is in the library now; raises IngestRefused, LoaError or OSError."""
        ...


class _Stopping(Exception):
    """Leaves an analysis that is under way; it is begun again at the next start."""


class Intake:
    """The worker that analyses what was received. The queue is the database: what stands there is still to be done.

    data: the folder DATA; `incoming` holds uploads on their way, `originals` what arrived whole.
    """

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        library: Library,
        data: Path,
        limits: IngestLimits,
        ingest: Ingest = ingest,
    ) -> None:
        self._database = database
        self._clock = clock
        self._library = library
        self._data = data
        self._limits = limits
        self._ingest = ingest
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._progress: dict[SegmentId, float] = {}
        self._thread: threading.Thread | None = None

    @property
    def incoming(self) -> Path:
        """Where uploads are written while they arrive."""
        return self._data / "incoming"

    def original(self, segment: SegmentId) -> Path:
        """Return where the uploaded file of a recording lies until it is approved."""
        return self._data / "originals" / segment

    def start(self) -> None:
        """Clear what a crash left, and begin with what was not finished."""
        for folder in (self.incoming, self._scratch, self._data / "originals"):
            folder.mkdir(parents=True, exist_ok=True)
        # Nothing is being received or analysed yet: whatever lies there was interrupted, and only some of it goes on.
        _empty(self.incoming, keep=self._on_their_way())
        _empty(self._scratch)
        self.sweep(older_than_s=0)
        self._stop.clear()
        self._thread = threading.Thread(target=self._work, name="intake", daemon=True)
        self._thread.start()

    def stop(self, *, timeout_s: float = 2.0) -> None:
        """End the worker; an analysis under way is left and begun again at the next start."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout_s)
            self._thread = None

    def notify(self) -> None:
        """Say that there is something new to analyse."""
        self._wake.set()

    def progress(self, segment: SegmentId) -> float:
        """Return how far the analysis is, 0 to 1; 0 where none is under way."""
        return self._progress.get(segment, 0.0)

    def forget_original(self, segment: SegmentId) -> None:
        """Remove the uploaded file: the recording is approved, or it cannot be used."""
        self.original(segment).unlink(missing_ok=True)

    def sweep(self, *, older_than_s: float = _ORPHAN_S) -> None:
        """Remove files that no recording needs and that have been there for so many seconds."""
        with self._database.reading() as session:
            originals = segments.originals_to_keep(session)
            hashes = segments.hashes_to_keep(session)
        arriving = self._on_their_way()
        before = time.time() - older_than_s
        folders = (self.incoming, self._data / "originals")
        for file in (file for folder in folders if folder.is_dir() for file in folder.iterdir()):
            if file.name not in originals | arriving and file.lstat().st_mtime <= before:
                file.unlink(missing_ok=True)
        self._library.sweep(hashes, _UNUSED_AUDIO_S)

    def _on_their_way(self) -> frozenset[str]:
        now = self._clock.now()
        with self._database.writing() as session:
            uploads.forget(session, now)
            return frozenset(upload_name(one) for one in uploads.waiting(session, now))

    @property
    def _scratch(self) -> Path:
        return self._data / "scratch"

    def _work(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            with self._database.reading() as session:
                waiting = segments.unfinished(session)
            again = False
            for record in waiting:
                if self._stop.is_set():
                    return
                again = not self._analyse(record) or again
            if not self._wake.wait(_RETRY_S if again else _SWEEP_S) and not again:
                self.sweep()

    def _analyse(self, record: SegmentRecord) -> bool:
        """Take one recording as far as it goes; False where it is to be tried again later."""
        now = self._clock.now()
        with self._database.writing() as session:
            if record.attempts >= TRIES:
                segments.refuse(session, record.id, [_gave_up()], now)
                return True
            if not segments.claim(session, record.id, now):
                return True
        source = self.original(record.id) if record.original else self._source_in_library(record)
        try:
            canonical = self._ingest(
                source,
                library=self._library,
                scratch=self._scratch,
                limits=self._limits,
                on_progress=lambda share: self._note(record.id, share),
                trim=_trim(record),
            )
        except _Stopping:
            return True
        except IngestRefused as refused:
            self._refuse(record, refused.findings)
            return True
        except (LoaError, OSError, ValueError, RuntimeError) as error:
            # The machine's trouble, not the recording's: a full disk, a killed decoder, no sandbox.
            _log.error("analysis failed", segment=record.id, attempt=record.attempts + 1, error=repr(error))
            if record.attempts + 1 >= TRIES:
                self._refuse(record, [_gave_up()])
                return True
            return False
        finally:
            self._progress.pop(record.id, None)
        with self._database.writing() as session:
            segments.finish(session, record.id, _audio(canonical), self._clock.now())
        return True

    def _refuse(self, record: SegmentRecord, findings: Iterable[Finding]) -> None:
        with self._database.writing() as session:
            segments.refuse(session, record.id, tuple(findings), self._clock.now())
        if record.audio is None:
            self.forget_original(record.id)

    def _note(self, segment: SegmentId, share: float) -> None:
        if self._stop.is_set():
            raise _Stopping
        self._progress[segment] = min(1.0, max(0.0, share))

    def _source_in_library(self, record: SegmentRecord) -> Path:
        if record.audio is None:
            raise ValueError(f"segment {record.id} has neither an original nor audio")
        return self._library.path(record.audio.sha256)


def _trim(record: SegmentRecord) -> Trim | None:
    head_s = record.trim_head_s + record.pending_head_s
    tail_s = record.trim_tail_s + record.pending_tail_s
    if record.audio is None or (head_s == 0 and tail_s == 0):
        return None
    source_s = record.audio.samples / SAMPLE_RATE_HZ + record.trim_head_s + record.trim_tail_s
    return Trim(start_s=head_s, end_s=source_s - tail_s if tail_s else None)


def _audio(canonical: Canonical) -> Audio:
    return Audio(**asdict(canonical) | {"warnings": canonical.warnings})


def upload_name(upload: str) -> str:
    """Return the name in DATA/incoming under which the bytes of an upload lie."""
    return f"{upload}.upload"


def _empty(folder: Path, keep: Collection[str] = ()) -> None:
    for path in folder.iterdir():
        if path.name in keep:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _gave_up() -> Finding:
    return Finding(
        code="analysis_failed",
        severity=Severity.ERROR,
        message=Text(
            f"Máy đã thử kiểm tra tệp này {TRIES} lần mà không xong. Bài chưa dùng được.",
            f"Loa tried {TRIES} times to check this file and could not finish. It cannot be used.",
        ),
        hint=Text(
            "Hãy gửi lại tệp; nếu vẫn vậy, hãy báo quản trị viên.",
            "Send the file again; if that does not help, tell the administrator.",
        ),
    )
