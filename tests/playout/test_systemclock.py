"""The machine's clock: when it is believed, and what keeps it believed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from playout import systemclock
from playout.journal.journal import Journal, newest_state
from playout.systemclock import BUILT, SystemClock, trust_row, zone_mismatch
from schedules.clock import ClockState, ManualClock
from schedules.text import Text
from tests.playout.judged import NOW, Judged

HOUR_S = 3600.0


def said(clock: Judged) -> tuple[bool, str]:
    state = clock.state()
    return state.trusted, state.ground


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


@pytest.mark.parametrize(
    ("judging", "wall", "expected"),
    [
        ({}, NOW, (False, "unknown")),
        ({"host": True}, NOW, (True, "host")),
        ({"carried_on": NOW.timestamp() - 1001.9}, NOW, (True, "runs_on")),
        ({"carried_on": NOW.timestamp() - 1002.1}, NOW, (False, "unknown")),
        ({"carried_on": NOW.timestamp() - 1700.0}, NOW, (False, "jumped")),
        ({"newest": NOW + timedelta(seconds=1)}, NOW, (False, "unknown")),
        ({"host": True, "newest": NOW + timedelta(seconds=3)}, NOW, (False, "before_log")),
        ({"host": True}, BUILT - timedelta(seconds=1), (False, "before_built")),
    ],
)
def test_what_a_start_knows_decides(judging: dict[str, object], wall: datetime, expected: tuple[bool, str]) -> None:
    """The owner's word, the same boot's last trusted reading, and what no word outweighs: the log and the build."""
    assert expected == said(Judged(wall, **judging))


def test_a_time_service_is_believed_at_once_and_runs_on_without_it() -> None:
    """Its word makes the first trust of a boot, whatever the clock was set by; then the quartz alone carries it."""
    clock = Judged()
    clock.step(5 * HOUR_S)
    clock.kept = True
    assert (True, "synchronised") == said(clock)
    clock.kept = False
    clock.advance(9 * 86_400)

    assert (True, "runs_on") == said(clock)
    assert 38.88 == clock.state().drift_s


def test_a_signed_time_of_the_authority_holds_for_a_day() -> None:
    """It is carried on by the monotonic clock; afterwards the clock runs on from it as from any other trust."""
    clock = Judged()
    clock.hear(off_s=8)
    assert (True, "signed") == said(clock)
    clock.advance(86_399)
    assert (True, "signed") == said(clock)
    clock.advance(2)
    assert (True, "runs_on") == said(clock)
    clock.step(3)
    assert (False, "unknown") == said(clock)


def test_a_signed_time_far_away_is_no_ground_and_outweighs_a_time_service() -> None:
    """Ten seconds are a slow line; more than ten minutes are a forged or broken time service."""
    clock = Judged()
    clock.hear(off_s=11)
    assert (False, "unknown") == said(clock)
    clock.kept = True
    assert (True, "synchronised") == said(clock)
    clock.hear(off_s=-601)
    assert (False, "conflict") == said(clock)
    assert clock.confirm() is not None


def test_a_signed_time_from_before_this_version_is_not_heard() -> None:
    """It cannot be right, so it says nothing against the clock either."""
    clock = Judged()
    clock.kept = True
    clock.judge.hear(BUILT - timedelta(days=1), clock.ticks)
    assert (True, "synchronised") == said(clock)


@pytest.mark.parametrize("off_s", [-59.0, 0.0, 59.0])
def test_a_named_person_vouches_for_this_boot(off_s: float) -> None:
    """Who reads hours and minutes is right within a minute; the name stands in the reason until the clock is set."""
    clock = Judged()
    assert clock.confirm("Bà Hạnh", off_s=off_s) is None
    clock.advance(HOUR_S)
    assert (True, "confirmed") == said(clock)
    assert "Bà Hạnh" in clock.state().reason.vi
    assert 0.18 == clock.state().drift_s
    clock.step(-2.5)
    assert (False, "unknown") == said(clock)


@pytest.mark.parametrize("off_s", [-61.0, 61.0])
def test_a_person_who_saw_another_time_is_refused(off_s: float) -> None:
    """The page was old, or the clock was set meanwhile: what was found right is not what the machine shows."""
    clock = Judged()
    assert clock.confirm(off_s=off_s) is not None
    assert not clock.state().trusted


@pytest.mark.parametrize("wall", [BUILT - timedelta(days=1), NOW - timedelta(hours=1)])
def test_f28_nobody_can_confirm_a_time_that_cannot_be_right(wall: datetime) -> None:
    """Earlier than the build or than the log: the clock must be set first, and the answer says which."""
    clock = Judged(wall, newest=NOW)
    refused = clock.confirm()
    assert refused is not None
    assert clock.state().reason == refused


@pytest.mark.parametrize("jump_s", [3 * 86_400.0, HOUR_S, -HOUR_S])
def test_f26_f27_f31_a_big_jump_needs_a_new_word(jump_s: float) -> None:
    """A service that was believed and now says another time is not believed by itself; who confirms it is."""
    clock = Judged()
    clock.kept = True
    assert clock.state().trusted
    clock.step(jump_s)
    assert (False, "jumped") == said(clock)
    clock.hear()
    assert (True, "signed") == said(clock)


def test_a_big_jump_back_to_where_the_clock_was_ends_the_distrust() -> None:
    """Set wrong and right again: nothing is left to doubt."""
    clock = Judged()
    clock.kept = True
    assert clock.state().trusted
    for step_s, trusted in ((7200.0, False), (-7200.0, True)):
        clock.step(step_s)
        assert trusted is clock.state().trusted


def test_a_service_that_lost_its_hold_and_found_it_again_confirms_anew() -> None:
    """A person sets the clock by hand, which the kernel notices; a service that then takes it over has looked."""
    clock = Judged()
    clock.kept = True
    assert clock.state().trusted
    clock.step(HOUR_S)
    clock.kept = False
    assert (False, "jumped") == said(clock)
    clock.kept = True
    assert (True, "synchronised") == said(clock)


def test_a_small_step_of_the_service_is_taken() -> None:
    """After days offline a quartz is half a minute off, and is set right."""
    clock = Judged()
    clock.kept = True
    assert clock.state().trusted
    clock.step(-39)
    assert (True, "synchronised") == said(clock)


def test_the_row_of_a_change_tells_trust_ground_and_drift_once() -> None:
    """Nothing is written while ground and trust stay; the drift alone is no news."""
    clock = Judged()
    unknown = clock.state()
    assert {"state": "untrusted", "ground": "unknown", "drift_s": None}.items() <= dict(
        trust_row(None, unknown) or {}
    ).items()
    assert trust_row(unknown, clock.state()) is None
    clock.confirm()
    trusted = clock.state()
    assert {"state": "trusted", "ground": "confirmed"}.items() <= dict(trust_row(unknown, trusted) or {}).items()
    clock.advance(HOUR_S)
    assert trust_row(trusted, clock.state()) is None


def test_f32_a_zone_of_the_machine_that_differs_is_named(in_zone: Callable[[str], None]) -> None:
    """Whoever reads the machine's own clock would be misled; the same offset under another name is no news."""
    found = {}
    for zone in ("UTC", "Asia/Shanghai", "Asia/Bangkok", "America/St_Johns", "Nowhere/At_All"):
        in_zone(zone)
        found[zone] = zone_mismatch("Asia/Ho_Chi_Minh", NOW)
    assert {
        "UTC": "UTC+00:00",
        "Asia/Shanghai": "UTC+08:00",
        "Asia/Bangkok": None,
        "America/St_Johns": "UTC-03:30",
        "Nowhere/At_All": "UTC+00:00",
    } == found


@pytest.fixture
def in_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Set the time zone of this process; the old one comes back afterwards."""

    def set_zone(zone: str) -> None:
        monkeypatch.setenv("TZ", zone)
        time.tzset()

    yield set_zone
    monkeypatch.undo()
    time.tzset()


_LOOK = """
import sys
from playout.systemclock import SystemClock
clock = SystemClock(host=False)
for line in sys.stdin:
    if line == "confirm\\n":
        print("refused" if clock.confirm(by="Bà Hạnh", shown=clock.now()) else "taken", flush=True)
    else:
        state = clock.state()
        print(clock.now().year, state.trusted, state.ground, flush=True)
"""


def test_f26_f28_f29_a_real_process_whose_clock_is_set(tmp_path: Path) -> None:
    """1970 cannot be confirmed; five hours behind is not believed until a person says so; a jump ends it again."""
    (library,) = Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
    shown = tmp_path / "time"
    environment = os.environ | {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(shown),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "TZ": "UTC",
    }

    def ask(what: str, at: str) -> str:
        shown.write_text(at)
        assert child.stdin is not None and child.stdout is not None
        child.stdin.write(f"{what}\n")
        child.stdin.flush()
        return child.stdout.readline().strip()

    shown.write_text("@1970-01-01 00:01:00")
    with subprocess.Popen(
        [sys.executable, "-c", _LOOK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as child:
        heard = [
            ask("look", "@1970-01-01 00:01:00"),
            ask("confirm", "@1970-01-01 00:01:00"),
            ask("look", "@2027-03-01 05:00:00"),
            ask("confirm", "@2027-03-01 05:00:00"),
            ask("look", "@2027-03-01 05:00:01"),
            ask("look", "@2027-03-01 06:00:00"),
        ]
        assert child.stdin is not None
        child.stdin.close()
    assert [
        "1970 False before_built",
        "refused",
        "2027 False unknown",
        "taken",
        "2027 True confirmed",
        "2027 False jumped",
    ] == heard
