"""Stand-ins behind the web: a station's door and an ingest that obey the same contracts as the real ones."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from audio.ingest import Canonical
from link.door import FaultStatus, LiveOrder, LiveStatus, OnAirStatus, OutputStatus, Receipt, StationStatus
from link.orders import OrderKeys, unseal_order
from schedules.airing import Facts
from schedules.clock import ClockState, Interval
from schedules.emergency import Alert, AlertState, EmergencyOrder
from schedules.errors import IngestRefused
from schedules.findings import Finding, Severity
from schedules.planner import plan
from schedules.rundown import Rundown
from schedules.text import Text
from store import airings
from store.intent import load_intent

RUN = "20261123T100000Z"


class FakeDoor:
    """A station whose plan is the real planner's and whose state the test sets."""

    def __init__(self, code, database, clock, folder: Path) -> None:
        self.code = code
        self.woken = 0
        self.stops: list[tuple[str, str]] = []
        self.state = "idle"
        self.on_air: OnAirStatus | None = None
        self.faults: tuple[FaultStatus, ...] = ()
        self.live = False
        self.proofs: dict[str, bytes] = {}
        self.clock_state = ClockState(trusted=True, reason=Text("Đồng hồ mô phỏng.", "Simulated clock."))
        self.outputs = (OutputStatus(name="main", kind="virtual", device=None, state="ok"),)
        self.order_keys: OrderKeys | None = None
        self.documents: list[bytes] = []
        self.alerts: dict[str, Alert] = {}
        self.refuses: Text | None = None
        self.talk: LiveStatus | None = None
        self.heard = b""
        self.inputs: tuple[str, ...] = ()
        self.tested: list[tuple[str, str]] = []
        self.confirmed: list[tuple[str, datetime]] = []
        self._stopped: set[str] = set()
        self._database = database
        self._clock = clock
        self._folder = folder

    def status(self) -> StationStatus:
        now = self._clock.now()
        return StationStatus(
            code=self.code,
            state=self.state,
            clock=self.clock_state,
            contact_at=now,
            on_air=self.on_air,
            next=None,
            outputs=self.outputs,
            faults=self.faults,
            level_dbfs=-20.0 if self.on_air else None,
            peak_dbfs=-6.0 if self.on_air else None,
            rehearsal=True,
            revision=1,
            alerts=tuple(self.alerts.values()),
            live=self.talk,
            inputs=self.inputs,
        )

    def plan(self, start: datetime, end: datetime) -> Rundown:
        now = self._clock.now()
        with self._database.reading() as session:
            intent = load_intent(session, now, demo=True)
            rows = airings.listing(session, stations=[self.code], limit=1000)
        facts = Facts(station=self.code, airings=tuple(row.airing for row in rows))
        return plan(intent, facts, now, Interval(start, end))

    def wake(self) -> None:
        self.woken += 1

    def stop(self, *, by: str, reason: str) -> bool:
        self.stops.append((by, reason))
        return self.on_air is not None

    def live_playlist(self) -> str | None:
        if not self.live:
            return None
        return f'#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MAP:URI="{RUN}/head.mp4"\n#EXTINF:1.0,\n{RUN}/1.m4s\n'

    def aircheck_playlist(self, start: datetime, end: datetime) -> str | None:
        return f"#EXTM3U\n#EXTINF:1.0,\n{RUN}/1.m4s\n#EXT-X-ENDLIST\n" if start.year >= 2026 else None

    def aircheck_file(self, run: str, name: str) -> Path | None:
        path = self._folder / run / name
        return path if path.is_file() else None

    def emergency(self, document: bytes) -> Receipt:
        """Take an order as a station does: checked with the keys, once, received until the test lets it sound."""
        self.documents.append(document)
        if self.refuses is not None:
            return Receipt(taken=False, why=self.refuses)
        order = unseal_order(document, self.order_keys)
        now = self._clock.now()
        if not isinstance(order, EmergencyOrder):
            self._stopped.add(order.order)
            known = self.alerts.get(order.order)
            if known is not None and not known.final:
                state = AlertState.STOPPED if known.state is AlertState.ON_AIR else AlertState.CANCELLED
                self.alerts[order.order] = replace(known, state=state, ended_at=now, by=order.by)
        elif order.id not in self._stopped:
            self.alerts.setdefault(order.id, Alert(order=order, state=AlertState.RECEIVED, received_at=now))
        return Receipt(taken=True)

    def sound(self, state: AlertState = AlertState.ON_AIR, said: int = 0) -> None:
        """Let every order that is not over stand in that state from now on."""
        now = self._clock.now()
        for order, alert in self.alerts.items():
            if not alert.final:
                self.alerts[order] = replace(alert, state=state, started_at=alert.started_at or now, said=said)

    def go_live(self, order: LiveOrder) -> Receipt:
        if self.refuses is not None:
            return Receipt(taken=False, why=self.refuses)
        now = self._clock.now()
        self.talk = LiveStatus(
            id=order.id,
            by=order.by,
            started_at=now,
            ends_at=now + timedelta(seconds=order.limit_s),
            input=order.input,
        )
        return Receipt(taken=True)

    def live_audio(self, live: str, pcm: bytes) -> bool:
        if self.talk is None or self.talk.id != live:
            return False
        self.heard += pcm
        return True

    def end_live(self, live: str, *, by: str) -> bool:
        going = self.talk is not None and self.talk.id == live
        self.talk = None if going else self.talk
        return going

    def test_output(self, output: str, *, by: str) -> Receipt:
        """Note that it was asked."""
        if self.refuses is not None:
            return Receipt(taken=False, why=self.refuses)
        self.tested.append((output, by))
        return Receipt(taken=True)

    def confirm_time(self, *, by: str, shown: datetime) -> Receipt:
        if self.refuses is not None:
            return Receipt(taken=False, why=self.refuses)
        self.confirmed.append((by, shown))
        return Receipt(taken=True)

    def proof(self, slot: str) -> bytes | None:
        return self.proofs.get(slot)


def flac(content: bytes) -> bytes:
    """Return what the fake ingest makes of an upload: no FLAC, but a file that depends on it."""
    return b"fLaC" + hashlib.sha256(content).digest() * 1000


class FakeIngest:
    """Takes files that begin with `SOUND` and refuses the rest; `trouble` is raised instead where it is set."""

    def __init__(self) -> None:
        self.calls: list[dict] = []
        self.trouble: list[BaseException] = []
        self.gate = None

    def __call__(self, source, *, library, scratch, limits, on_progress, trim=None) -> Canonical:
        self.calls.append({"source": source, "trim": trim})
        content = source.read_bytes()
        on_progress(0.5)
        if self.gate is not None:
            assert self.gate.wait(10)
        if self.trouble:
            raise self.trouble.pop(0)
        on_progress(0.9)
        if not content.startswith((b"SOUND", b"fLaC")):
            raise IngestRefused(
                Finding(
                    code="not_audio",
                    severity=Severity.ERROR,
                    message=Text("Tệp này không phải âm thanh.", "This file is no audio."),
                )
            )
        temporary = scratch / "out.flac"
        temporary.write_bytes(flac(content + repr(trim).encode()))
        sha256 = library.adopt(temporary)
        return Canonical(
            sha256=sha256,
            pcm_sha256=hashlib.sha256(content).hexdigest(),
            samples=48_000 * 30,
            loudness_lufs=-16.0,
            true_peak_dbtp=-1.7,
            gain_db=2.0,
            head_silence_s=1.5,
            tail_silence_s=0.0,
            source_format="mp3",
            warnings=(
                Finding(
                    code="head_silence",
                    severity=Severity.WARNING,
                    message=Text("Đầu bài im lặng 1,5 giây.", "1.5 s of silence at the start."),
                ),
            ),
        )
