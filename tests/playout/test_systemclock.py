"""The machine's clock: when it is believed, and what keeps it believed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from playout import systemclock
from playout.journal import Journal, newest_state
from playout.systemclock import SystemClock
from schedules.clock import ClockState, ManualClock
from schedules.text import Text

NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)


def test_f50_the_clock_stays_trusted_when_the_time_service_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hours without a network: the kernel is no longer synchronised, but the clock did not jump."""
    monkeypatch.setattr(systemclock, "BUILT", datetime(2020, 1, 1, tzinfo=UTC))
    clock = SystemClock(host=False)
    monkeypatch.setattr(systemclock, "kernel_synchronised", lambda: False)
    assert not clock.state().trusted
    monkeypatch.setattr(systemclock, "kernel_synchronised", lambda: True)
    assert clock.state().trusted
    monkeypatch.setattr(systemclock, "kernel_synchronised", lambda: False)
    assert clock.state().trusted


def test_f28_a_start_in_the_past_does_not_lower_the_newest_known_time(tmp_path: Path) -> None:
    """Rows written while the time was not known do not make that time believable at the next start."""
    clock = ManualClock(NOW)
    journal = Journal(tmp_path / "XA.db", clock=clock, boot="boot", key=SigningKey(b"s" * 32))
    journal.start()
    journal.append("boot", {})
    clock.step(-10 * 86_400)
    clock.trusted = ClockState(trusted=False, reason=Text("Chưa biết giờ.", "The time is not known."))
    journal.append("boot", {})
    alive = {"time": clock.now().isoformat(), "offset_s": 0.0, "trusted": False, "boot": "boot"}
    journal.set_checkpoint("alive", alive)
    journal.stop()

    state = newest_state(tmp_path / "XA.db")
    assert NOW == state.time
    assert not state.trusted
