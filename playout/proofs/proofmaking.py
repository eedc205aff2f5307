"""Makes the proof of one airing at the station: its rows, their signatures, the recordings they name, the pictures."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import av
from nacl.signing import VerifyKey

from audio.aircheck import Stretch
from audio.peaks import peaks, recorded_peaks
from link import proof as proofs
from link.keys import fingerprint
from link.proof import Head, Peaks, Proof, ProofFile, ProofRow, Signed
from playout.ears.heardfiles import HeardFiles
from playout.journal.journal import Row
from playout.proofs.proofpage import page
from playout.proofs.witness import SOURCE, Recordings
from schedules.clock import Clock

BARS = 192
WAIT_S = 5.0
EAR_BEFORE_S = 1.0
"""So long before an airing its ear's recording begins, about."""
_BEFORE, _AFTER = 5_000, 2_000
"""How many rows before its verdict an airing may have begun, and how many later evidence may still come."""
_UNPLANNED = {"alert": "emergency", "live": "live"}
_PICTURED = timedelta(hours=6)
_PATHS = {".flac": "flac", ".m4a": "mp4", ".mp4": "mp4"}


class SignedJournal(Protocol):
    """The station's journal, as far as proofs need it (playout.journal.journal.Journal)."""

    @property
    def head(self) -> tuple[int, str]:
        """Number and hash of the last row."""
        ...

    @property
    def key(self) -> VerifyKey:
        """The station's public key."""
        ...

    def rows(self, *, after: int = 0, kind: str | None = None, limit: int = -1) -> list[Row]:
        """Return rows with a larger number than `after`, in order; of one kind if given."""
        ...

    def signatures(self, first: int, last: int) -> Mapping[int, str]:
        """Return the signatures of rows, as hex; those that were never signed are left out."""
        ...


class ProofShelf(Recordings, Protocol):
    """The recordings of what went out, also by name (audio.aircheck.AircheckShelf)."""

    def stretch(self, name: str) -> Stretch | None:
        """Return the stretch of that name, None where it is gone."""
        ...


class ApprovedAudio(Protocol):
    """The approved recordings by hash (audio.library.Library)."""

    def path(self, sha256: str) -> Path:
        """Return where the file with this hash lies or would lie."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sound:
    """A recording that goes into the proof. start: when its first sample was recorded, None where nobody knows."""

    file: ProofFile
    content: bytes
    kind: str
    start: datetime | None


class ProofMaker:
    """Makes proofs, one at a time: an hour of sound is some 20 MB and some seconds of decoding for its picture.

    heard: where the station's ears keep what they recorded, DATA/heard/CODE. sign: gives the station's own signature
    of a message, as hex, by the same key as the journal's rows.
    """

    def __init__(
        self,
        *,
        station: str,
        journal: SignedJournal,
        shelf: ProofShelf,
        heard: Path,
        library: ApprovedAudio,
        clock: Clock,
        sign: Callable[[bytes], str],
    ) -> None:
        self._station = station
        self._journal = journal
        self._shelf = shelf
        self._heard = HeardFiles(heard)
        self._library = library
        self._clock = clock
        self._sign = sign
        self._lock = threading.Lock()

    def make(self, slot: str, *, name: str, zone: str) -> bytes | None:
        """Return the proof of the airing in `slot`, None where it has no verdict. name, zone: the station's own.

        None too where others are being made for longer than `WAIT_S`: whoever asks holds one of few threads.
        """
        if not self._lock.acquire(timeout=WAIT_S):
            return None
        try:
            verdict = next((row for row in reversed(self._journal.rows(kind="verdict")) if _of(row, slot)), None)
            return None if verdict is None else self._make(slot, verdict, name, zone)
        finally:
            self._lock.release()

    def _make(self, slot: str, verdict: Row, name: str, zone: str) -> bytes:
        rows = self._rows(slot, verdict)
        sounds = tuple(self._sounds(slot, rows, verdict))
        head = self._head()
        proof = Proof(
            station=self._station,
            slot=slot,
            made_at=self._clock.now().isoformat(),
            verdict=verdict.seq,
            first=rows[0].seq,
            last=rows[-1].seq,
            planned={field: verdict.body.get(field) for field in proofs.PLANNED},
            rows=rows,
            head=head,
            files=tuple(sound.file for sound in sounds),
            peaks=self._peaks(verdict.body, sounds),
            key=bytes(self._journal.key).hex(),
        )
        html = page(proof, name=name, zone=zone, fingerprint=fingerprint(self._journal.key)).encode()
        own = ProofFile(name=proofs.PAGE, sha256=proofs.sha256(html), what="page")
        contents = {proofs.PAGE: html} | {sound.file.name: sound.content for sound in sounds}
        return proofs.pack(replace(proof, files=(own, *proof.files)), contents, self._sign)

    def _rows(self, slot: str, verdict: Row) -> tuple[ProofRow, ...]:
        """Return every row from the airing's first to its last, those of other things between them too."""
        before = self._journal.rows(after=max(0, verdict.seq - _BEFORE - 1), limit=_BEFORE)
        first = next((row.seq for row in before if row.seq < verdict.seq and _of(row, slot)), verdict.seq)
        later = self._journal.rows(after=verdict.seq, kind="evidence", limit=_AFTER)
        last = max((row.seq for row in later if _of(row, slot) and row.seq <= verdict.seq + _AFTER), default=0)
        last = max(last, verdict.seq)
        signatures = self._journal.signatures(first, last)
        rows = self._journal.rows(after=first - 1, limit=last - first + 1)
        return tuple(_proof_row(row, signatures.get(row.seq)) for row in rows)

    def _head(self) -> Head | None:
        seq, digest = self._journal.head
        newest = self._journal.rows(after=seq - 1, limit=1)
        signature = self._journal.signatures(seq, seq).get(seq)
        if not newest or signature is None:
            return None
        return Head(seq=seq, hash=digest, time=newest[0].time, signature=signature)

    # Sounds

    def _sounds(self, slot: str, rows: Iterable[ProofRow], verdict: Row) -> Iterable[_Sound]:
        found: dict[str, _Sound] = {}
        witnessed = False
        for row in rows:
            if row.kind != "evidence" or row.body.get("slot") != slot:
                continue
            witnessed = witnessed or row.body.get("source") == SOURCE
            for named in row.body.get("files") or ():
                sound = self._sound(row, str(named.get("name")), str(named.get("sha256")))
                if sound is not None:
                    found.setdefault(sound.file.name, sound)
        if not witnessed:
            found |= {sound.file.name: sound for sound in self._unnamed(verdict)}
        return found.values()

    def _sound(self, row: ProofRow, name: str, sha256: str) -> _Sound | None:
        """Return a recording that a row names; None where it is gone, or is no longer what was recorded."""
        aircheck = row.body.get("source") == SOURCE
        stretch = self._shelf.stretch(name) if aircheck else None
        try:
            if stretch is not None:
                content = stretch.content()
            elif aircheck:
                return None
            else:
                path = self._heard.path(str(row.body.get("output")), name)
                content = b"" if path is None else path.read_bytes()
        except OSError:
            return None
        if proofs.sha256(content) != sha256:
            return None
        output = row.body.get("output")
        inside = f"aircheck/{name}" if aircheck else f"heard/{output}/{name}"
        start = stretch.start if stretch is not None else _moment(row.body.get("from"))
        if stretch is None and start is not None:
            start -= timedelta(seconds=EAR_BEFORE_S)
        return _Sound(
            file=ProofFile(
                name=inside,
                sha256=sha256,
                what="aircheck" if aircheck else "heard",
                row=row.seq,
                named=name,
                output=None if output is None else str(output),
            ),
            content=content,
            kind=_PATHS.get(Path(name).suffix, "flac"),
            start=start,
        )

    def _unnamed(self, verdict: Row) -> Iterable[_Sound]:
        """Yield what the aircheck holds where no row names it yet."""
        start, end = _moment(verdict.body.get("started_at")), _moment(verdict.body.get("ended_at"))
        for stretch in self._shelf.stretches(start, end) if start is not None and end is not None else ():
            try:
                content = stretch.content()
            except OSError:
                continue
            yield _Sound(
                file=ProofFile(name=f"aircheck/{stretch.name}", sha256=proofs.sha256(content), what="aircheck"),
                content=content,
                kind="mp4",
                start=stretch.start,
            )

    # Pictures

    def _peaks(self, body: Mapping[str, Any], sounds: Iterable[_Sound]) -> Peaks | None:
        start = _moment(body.get("started_at")) or _moment(body.get("planned_start"))
        seconds = (body.get("samples_expected") or 0) / 48_000
        if start is None or not 0 < seconds <= _PICTURED.total_seconds():
            return None
        aircheck = [0] * BARS
        heard: dict[str, list[int]] = {}
        for sound in sounds:
            bars = _bars(sound, start, seconds)
            if sound.file.what == "aircheck":
                aircheck = [max(pair) for pair in zip(aircheck, bars, strict=True)]
            else:
                before = heard.get(sound.file.output or "", [0] * BARS)
                heard[sound.file.output or ""] = [max(pair) for pair in zip(before, bars, strict=True)]
        return Peaks(
            start=start.isoformat(),
            seconds=seconds,
            approved=self._approved(body.get("sha256")),
            aircheck=tuple(aircheck) if any(sound.file.what == "aircheck" for sound in sounds) else (),
            heard={output: tuple(bars) for output, bars in heard.items()},
        )

    def _approved(self, sha256: object) -> tuple[int, ...]:
        try:
            return tuple(peaks(self._library.path(str(sha256)), count=BARS)) if sha256 else ()
        except (OSError, ValueError, av.FFmpegError):
            return ()  # the recording left the station; its hash stays in the row


def _bars(sound: _Sound, start: datetime, seconds: float) -> list[int]:
    skip_s = 0.0 if sound.start is None else (start - sound.start).total_seconds()
    try:
        return recorded_peaks(sound.content, kind=sound.kind, skip_s=skip_s, seconds=seconds, count=BARS)
    except (OSError, ValueError, IndexError, av.FFmpegError):
        return [0] * BARS  # not drawn; the file itself goes along


def _of(row: Row, slot: str) -> bool:
    """Return whether a row speaks of the slot: by its name, or as a step of the order or talk that the slot is of."""
    if row.body.get("slot") == slot:
        return True
    _station, _, rest = slot.partition("/")
    kind, _, name = rest.partition("/")
    return bool(name) and (kind, name.partition("/")[0]) == (_UNPLANNED.get(row.kind), _order(row.body))


def _order(body: Mapping[str, Any]) -> object:
    """Return the id of the order or talk that a row of kind `alert` or `live` is about, None where it tells none."""
    for name, inside in (("alert", "order"), ("stop", "order"), ("live", "id")):
        told = body.get(name)
        if isinstance(told, dict):
            order = told.get(inside)
            return order.get("id") if isinstance(order, dict) else order
        if told is not None:
            return told
    return None


def _proof_row(row: Row, signature: str | None) -> ProofRow:
    signed = None if signature is None else Signed(time=row.time, signature=signature)
    return ProofRow(
        seq=row.seq,
        prev=row.prev,
        time=row.time,
        monotonic=row.monotonic,
        boot=row.boot,
        clock=row.clock,
        kind=row.kind,
        body=row.body,
        hash=row.hash,
        signed=signed,
    )


def _moment(text: object) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None
