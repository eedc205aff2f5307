"""The only place that asks the machine for the time, and the judge of whether its wall clock can be believed."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from schedules.clock import ClockState
from schedules.text import Text

BUILT = datetime(2026, 11, 1, tzinfo=UTC)
"""No clock that shows an earlier time can be right: this version did not exist then."""

QUARTZ = 50e-6
"""By how much of the time that passes an ordinary quartz may be wrong."""

RUNS_ON_S = 2.0
"""A clock that moved by less than this against the monotonic one was not set."""

BIG_JUMP_S = 600.0
"""A trusted clock that was set by more than this is believed only where something confirms it anew."""

SIGNED_HOLDS_S = 86_400.0
"""How long a signed time from the authority counts, carried on by the monotonic clock."""

SIGNED_AGREES_S = 10.0
"""How far the clock may be from a signed time, which may have come over a slow line."""

PERSON_AGREES_S = 60.0
"""How far the clock may be from the time that a person found right: they read hours and minutes."""

_UNSYNCHRONISED = 0x40  # STA_UNSYNC of adjtimex(2)
_TIME_ERROR = 5  # TIME_ERROR of adjtimex(2)


def boot_id() -> str:
    """Return the kernel's name for this boot."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def kernel_synchronised() -> bool:
    """Return whether the kernel says that a time service keeps its clock (adjtimex)."""
    buffer = (ctypes.c_byte * 512)()  # struct timex, read only: modes stays 0
    state = ctypes.CDLL(None).adjtimex(ctypes.byref(buffer))
    # modes (int), then offset, freq, maxerror, esterror (longs), then status (int)
    long_size = ctypes.sizeof(ctypes.c_long)
    status = ctypes.c_int.from_buffer(buffer, long_size * 5).value
    return state not in (-1, _TIME_ERROR) and not status & _UNSYNCHRONISED


class SystemClock:
    """The machine's clock; safe from any thread.

    host: the owner of the machine vouches for it (`clock.source: host`).
    newest: the newest time in the journals; an earlier clock is never believed.
    carried_on: wall minus monotonic, seconds, of the last trusted reading of this boot, None if there was none.
    """

    def __init__(self, *, host: bool, newest: datetime | None = None, carried_on: float | None = None) -> None:
        self._judge = ClockJudge(host=host, newest=newest, carried_on=carried_on, built=BUILT)

    def now(self) -> datetime:
        """Return the wall time, aware UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return CLOCK_MONOTONIC in seconds."""
        return time.monotonic()

    def state(self) -> ClockState:
        """Return whether the wall clock can be believed."""
        now, monotonic = self.now(), self.monotonic()
        return self._judge.state(now, monotonic, synchronised=kernel_synchronised)

    def hear(self, signed: datetime) -> None:
        """Take in a time that the authority signed just now; the signature was verified before."""
        self._judge.hear(signed, self.monotonic())

    def confirm(self, *, by: str, shown: datetime) -> Text | None:
        """Believe the clock until the next boot because `by` found `shown` right; returns why not, None if done."""
        return self._judge.confirm(self.now(), self.monotonic(), by=by, shown=shown)


class ClockJudge:
    """The rules of docs/clock.md, for the clock of a machine as for a simulated one.

    host, newest, carried_on: as for SystemClock. built: when this version was made; earlier in a simulated past.
    """

    def __init__(
        self, *, host: bool, newest: datetime | None, carried_on: float | None, built: datetime = BUILT
    ) -> None:
        self._built = built
        self._host = host
        self._newest = newest
        self._carried_on = carried_on
        # Of a former process of this boot nobody knows when in it the clock was last confirmed: at its beginning.
        self._confirmed_at = 0.0
        self._by: str | None = None
        self._signed: tuple[datetime, float] | None = None
        self._unsynchronised: float | None = None
        self._lock = threading.Lock()

    def state(self, now: datetime, monotonic: float, *, synchronised: Callable[[], bool]) -> ClockState:
        """Return whether `now` can be believed. synchronised: whether a time service keeps the clock."""
        with self._lock:
            return self._state(now, monotonic, synchronised)

    def hear(self, signed: datetime, monotonic: float) -> None:
        """Take in a verified time of the authority that came at `monotonic`; one from before this version is none."""
        with self._lock:
            if signed >= self._built:
                self._signed = (signed, monotonic)

    def confirm(self, now: datetime, monotonic: float, *, by: str, shown: datetime) -> Text | None:
        """Let a person vouch for the clock of this boot; returns why that is refused, None where it is taken."""
        with self._lock:
            if (never := self._never(now)) is not None:
                return never.reason
            if abs((shown - now).total_seconds()) > PERSON_AGREES_S:
                return _ANOTHER_TIME
            if self._signed_error(now, monotonic) > BIG_JUMP_S:
                return _CONFLICT
            self._believe(now.timestamp() - monotonic, monotonic, by=by)
            return None

    def _state(self, now: datetime, monotonic: float, synchronised: Callable[[], bool]) -> ClockState:
        if (never := self._never(now)) is not None:
            return never
        if self._host:
            return _VOUCHED
        offset = now.timestamp() - monotonic
        signed_error = self._signed_error(now, monotonic)
        kept = synchronised()
        if not kept:
            self._unsynchronised = offset
        if signed_error > BIG_JUMP_S:
            return ClockState(trusted=False, reason=_CONFLICT, ground="conflict")
        if kept and (not self._jumped(offset) or _near(offset, self._unsynchronised)):
            # Without a network the kernel gives up its word after hours; the clock runs on as well as before.
            self._believe(offset, monotonic)
            return _SYNCHRONISED
        if self._signed is not None and signed_error <= SIGNED_AGREES_S:
            self._believe(offset, self._signed[1])
            return ClockState(trusted=True, reason=_SIGNED, ground="signed", drift_s=self._drift_s(monotonic))
        if _near(offset, self._carried_on):
            return self._running_on(monotonic)
        if self._jumped(offset):
            return ClockState(trusted=False, reason=_JUMPED, ground="jumped")
        return _UNKNOWN

    def _never(self, now: datetime) -> ClockState | None:
        if now < self._built:
            return _BEFORE_BUILT
        if self._newest is not None and now < self._newest - timedelta(seconds=RUNS_ON_S):
            return _BEFORE_LOG
        return None

    def _signed_error(self, now: datetime, monotonic: float) -> float:
        """Return how far `now` is from the authority's time, seconds; 0 where none is known or it is too old."""
        if self._signed is None:
            return 0.0
        signed, at = self._signed
        if monotonic - at > SIGNED_HOLDS_S:
            self._signed = None
            return 0.0
        return abs((now - signed).total_seconds() - (monotonic - at))

    def _jumped(self, offset: float) -> bool:
        return self._carried_on is not None and abs(offset - self._carried_on) > BIG_JUMP_S

    def _believe(self, offset: float, confirmed_at: float, *, by: str | None = None) -> None:
        self._carried_on, self._confirmed_at, self._by = offset, confirmed_at, by

    def _running_on(self, monotonic: float) -> ClockState:
        reason, ground = (_RUNS_ON, "runs_on") if self._by is None else (_confirmed(self._by), "confirmed")
        return ClockState(trusted=True, reason=reason, ground=ground, drift_s=self._drift_s(monotonic))

    def _drift_s(self, monotonic: float) -> float:
        return round(QUARTZ * max(0.0, monotonic - self._confirmed_at), 3)


def trust_row(before: ClockState | None, after: ClockState) -> Mapping[str, Any] | None:
    """Return the body of a journal row of kind `clock` where trust or its ground changed, None where neither did."""
    if before is not None and (before.trusted, before.ground) == (after.trusted, after.ground):
        return None
    return {
        "state": "trusted" if after.trusted else "untrusted",
        "ground": after.ground,
        "reason": after.reason.vi,
        "drift_s": after.drift_s,
    }


def zone_mismatch(zone: str, now: datetime) -> str | None:
    """Return what the machine's own time zone is at `now` where it differs from the station's, for a row of its own.

    Nothing is reckoned with the machine's zone; a person who reads its clock would be misled.
    """
    there_s = time.localtime(now.timestamp()).tm_gmtoff
    here = now.astimezone(ZoneInfo(zone)).utcoffset()
    if here is None or here.total_seconds() == there_s:
        return None
    return f"UTC{'+' if there_s >= 0 else '-'}{abs(there_s) // 3600:02d}:{abs(there_s) % 3600 // 60:02d}"


def _near(offset: float, other: float | None) -> bool:
    return other is not None and abs(offset - other) < RUNS_ON_S


_BEFORE_BUILT = ClockState(
    trusted=False,
    ground="before_built",
    reason=Text(
        "Đồng hồ máy chỉ thời điểm trước khi có phần mềm này.", "The clock shows a time before this software existed."
    ),
)
_BEFORE_LOG = ClockState(
    trusted=False,
    ground="before_log",
    reason=Text(
        "Đồng hồ máy chỉ giờ sớm hơn dòng nhật ký cuối cùng.", "The clock is earlier than the newest row of the log."
    ),
)
_VOUCHED = ClockState(
    trusted=True,
    ground="host",
    reason=Text("Chủ máy bảo đảm đồng hồ đúng.", "The owner of this machine vouches for its clock."),
)
_SYNCHRONISED = ClockState(
    trusted=True,
    ground="synchronised",
    reason=Text("Đồng hồ được đồng bộ qua mạng.", "The clock is kept by a time service."),
    drift_s=0.0,
)
_UNKNOWN = ClockState(
    trusted=False,
    ground="unknown",
    reason=Text("Chưa có nguồn nào xác nhận giờ của máy.", "Nothing confirms the time of this machine."),
)
_RUNS_ON = Text("Đồng hồ chạy tiếp từ lần đúng gần nhất.", "The clock runs on from when it was last known right.")
_SIGNED = Text("Đồng hồ đúng với giờ do Trung tâm gửi xuống.", "The clock agrees with the time that the centre signed.")
_JUMPED = Text(
    "Đồng hồ máy nhảy hơn 10 phút, chưa có nguồn nào xác nhận lại giờ.",
    "The clock jumped by more than 10 minutes, and nothing has confirmed the time anew.",
)
_CONFLICT = Text(
    "Đồng hồ máy lệch hơn 10 phút so với giờ do Trung tâm gửi xuống.",
    "The clock is more than 10 minutes away from the time that the centre signed.",
)
_ANOTHER_TIME = Text(
    "Giờ được xác nhận không phải giờ máy đang chỉ. Hãy tải lại trang rồi so lại với đồng hồ đúng.",
    "The time that was confirmed is not the one the machine shows now. Reload the page and compare again.",
)


def _confirmed(by: str) -> Text:
    return Text(f"{by} đã xác nhận giờ của máy.", f"{by} confirmed the time of this machine.")
