"""The only place that asks the machine for the time, and the judge of whether its wall clock can be believed."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from schedules.clock import ClockState
from schedules.text import Text

BUILT = datetime(2026, 11, 1, tzinfo=UTC)
"""No clock that shows an earlier time can be right: this version did not exist then."""

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
    """The machine's clock.

    host: the owner of the machine vouches for it (`clock.source: host`).
    newest: the newest time in the journals; an earlier clock is never believed.
    carried_on: wall minus monotonic, seconds, of the last trusted reading of this boot, None if there was none.
    """

    def __init__(self, *, host: bool, newest: datetime | None = None, carried_on: float | None = None) -> None:
        self._judge = ClockJudge(host=host, newest=newest, carried_on=carried_on)

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


class ClockJudge:
    """The rules of docs/architecture.md (Time), for the clock of a machine as for a simulated one.

    host, newest, carried_on: as for SystemClock. built: when this version was made; earlier in a
    simulated past.
    """

    def __init__(
        self, *, host: bool, newest: datetime | None, carried_on: float | None, built: datetime = BUILT
    ) -> None:
        self._built = built
        self._host = host
        self._newest = newest
        self._carried_on = carried_on

    def state(self, now: datetime, monotonic: float, *, synchronised: Callable[[], bool]) -> ClockState:
        """Return whether `now` can be believed. synchronised: whether a time service keeps the clock."""
        if now < self._built:
            return _BEFORE_BUILT
        if self._newest is not None and now < self._newest - timedelta(seconds=2):
            return _BEFORE_LOG
        if self._host:
            return _VOUCHED
        offset = now.timestamp() - monotonic
        if synchronised():
            # Without a network the kernel gives up its word after hours; the clock runs on as well as before.
            self._carried_on = offset
            return _SYNCHRONISED
        if self._carried_on is not None and abs(offset - self._carried_on) < 2.0:
            return _RUNS_ON
        return _UNKNOWN


_BEFORE_BUILT = ClockState(
    trusted=False,
    reason=Text(
        "Đồng hồ máy chỉ thời điểm trước khi có phần mềm này.", "The clock shows a time before this software existed."
    ),
)
_BEFORE_LOG = ClockState(
    trusted=False,
    reason=Text(
        "Đồng hồ máy chỉ giờ sớm hơn dòng nhật ký cuối cùng.", "The clock is earlier than the newest row of the log."
    ),
)
_VOUCHED = ClockState(
    trusted=True,
    reason=Text("Chủ máy bảo đảm đồng hồ đúng.", "The owner of this machine vouches for its clock."),
)
_SYNCHRONISED = ClockState(
    trusted=True, reason=Text("Đồng hồ được đồng bộ qua mạng.", "The clock is kept by a time service.")
)
_RUNS_ON = ClockState(
    trusted=True,
    reason=Text("Đồng hồ chạy tiếp từ lần đúng gần nhất.", "The clock runs on from when it was last known right."),
)
_UNKNOWN = ClockState(
    trusted=False,
    reason=Text("Chưa có nguồn nào xác nhận giờ của máy.", "Nothing confirms the time of this machine."),
)
