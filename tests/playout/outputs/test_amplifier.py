"""Amplifiers: on before sound, off after it, watched, cut at once, held off while the power flaps."""

from __future__ import annotations

import stat
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from playout.aside import in_thread
from playout.benches.soundlab import wait_until
from playout.faults import FaultBook
from playout.journal.journal import Row
from playout.outputs.amplifier import AmplifierKeeper, amplifiers_wanted, held_off_until
from playout.specs import AmplifierSpec, OutputSpec
from schedules.airing import Run, RunState
from schedules.clock import ManualClock
from tests.playout.rundowns import planned

NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)


class Horn:
    """An amplifier on a GPIO file whose power a test moves by hand, and its keeper on a simulated clock."""

    def __init__(self, folder: Path, **more: Any) -> None:
        self.pin, self.power = folder / "pin", folder / "power"
        self.pin.write_text("0")
        self.power.write_text("0")
        values: dict[str, Any] = {"kind": "gpio", "on": f"{self.pin}=1", "off": f"{self.pin}=0", **more}
        self.output = OutputSpec(name="main", kind="virtual", amplifier=AmplifierSpec(**values))
        self.clock = ManualClock(NOW)
        self.rows: list[tuple[str, str, str]] = []
        self.told: list[dict[str, Any]] = []
        self.faults = FaultBook(clock=self.clock, write=lambda body: self.told.append(dict(body)))
        self.linked = True
        self.keeper = AmplifierKeeper(
            [self.output, OutputSpec(name="bare", kind="virtual")],
            clock=self.clock,
            faults=self.faults,
            append=lambda kind, body: self.rows.append((kind, body["state"], body["why"])),
            start=lambda job: job(),
        )

    def live(self, seconds: float, *, wanted: bool) -> None:
        """Let time pass; the power follows the pin while it is linked to it."""
        for _ in range(round(seconds * 4)):
            self.keeper.keep({"main", "bare"} if wanted else ())
            if self.linked:
                self.power.write_text(self.pin.read_text())
            self.clock.advance(0.25)
        self.keeper.keep({"main", "bare"} if wanted else ())

    def open(self) -> list[tuple[str, str]]:
        """Return code and English sentence of each fault that is open."""
        return [(fault.code, fault.message.en) for fault in self.faults.open]


@pytest.fixture
def horn(tmp_path: Path) -> Horn:
    return Horn(tmp_path, feedback=tmp_path / "power")


def test_it_is_switched_off_at_the_start_on_for_sound_and_off_after_it(horn: Horn) -> None:
    """A station that died left it on: the first thing is to switch it off. After sound it stays on for `after_s`."""
    horn.pin.write_text("1")
    horn.live(1, wanted=False)
    assert ("0", "off") == (horn.pin.read_text(), horn.keeper.state("main"))
    horn.live(5, wanted=True)
    assert ("1", "on") == (horn.pin.read_text(), horn.keeper.state("main"))
    horn.live(9.5, wanted=False)
    assert "1" == horn.pin.read_text()
    horn.live(1, wanted=False)
    assert "0" == horn.pin.read_text()

    assert [("amplifier", "off", "plan"), ("amplifier", "on", "plan"), ("amplifier", "off", "plan")] == horn.rows
    assert [] == horn.told
    assert horn.keeper.state("bare") is None


@pytest.mark.parametrize(("stuck", "wanted"), [("1", False), ("0", True)])
def test_f78_an_amplifier_that_is_stuck_on_or_off_is_a_fault_after_twenty_seconds(
    horn: Horn, stuck: str, wanted: bool
) -> None:
    """Its feedback says otherwise than what was ordered; it is ordered again every five seconds; then it is over."""
    horn.live(1, wanted=not wanted)
    horn.live(12, wanted=wanted)
    horn.linked = False
    horn.power.write_text(stuck)
    horn.live(19, wanted=wanted)
    assert [] == horn.open()
    horn.pin.write_text("?")
    horn.live(6, wanted=wanted)
    ((code, sentence),) = horn.open()
    assert "amplifier_main" == code
    assert ("still has power" in sentence) is (stuck == "1")
    assert "fault" == horn.keeper.state("main")
    assert "?" != horn.pin.read_text()

    horn.linked = True
    horn.live(6, wanted=wanted)
    assert [] == horn.open()
    assert ["open", "closed"] == [row["state"] for row in horn.told]
    assert horn.told[0]["hint"]


def test_f78_a_pin_that_cannot_be_written_is_a_fault_at_once(horn: Horn) -> None:
    """The board was unplugged; with it back the amplifier is switched within five seconds."""
    horn.live(1, wanted=False)
    horn.pin.unlink()
    horn.power.write_text("0")
    horn.linked = False
    horn.live(1, wanted=True)
    assert [("amplifier_main", "The amplifier of output “main” cannot be switched.")] == horn.open()
    horn.pin.write_text("0")
    horn.linked = True
    horn.live(6, wanted=True)
    assert [] == horn.open()
    assert "1" == horn.pin.read_text()


def test_what_is_cut_is_off_at_once_and_stays_off_until_released(horn: Horn) -> None:
    """Foreign sound is cut in the middle of a session, which wants the amplifier on."""
    horn.live(3, wanted=True)
    horn.keeper.cut("main")
    assert "0" == horn.pin.read_text()
    horn.live(30, wanted=True)
    assert "0" == horn.pin.read_text()
    horn.keeper.release("main")
    horn.live(1, wanted=True)
    assert "1" == horn.pin.read_text()
    assert ["plan", "cut", "plan"] == [why for _, _, why in horn.rows]
    horn.keeper.cut("bare")
    horn.keeper.release("nobody")


def test_at_the_end_of_the_station_it_is_switched_off(horn: Horn) -> None:
    """A station that stops leaves no amplifier humming."""
    horn.live(3, wanted=True)
    horn.keeper.end()
    assert "0" == horn.pin.read_text()


def boot(number: int, at: datetime, *, trusted: bool = True, kind: str = "boot", monotonic: float = 20.0) -> Row:
    """Return a row of the n-th boot."""
    return Row(
        seq=1,
        prev="",
        time=at.isoformat(),
        monotonic=monotonic,
        boot=f"boot-{number}",
        clock="trusted" if trusted else "untrusted",
        kind=kind,
        body={},
        hash="",
    )


def flapping(every_s: float, count: int) -> list[Row]:
    return [boot(n, NOW + timedelta(seconds=n * every_s)) for n in range(count)]


def test_f12_power_that_flaps_holds_the_amplifier_off_for_a_minute(horn: Horn) -> None:
    """From the fifth boot within ten minutes on; one fault tells it, and it ends by itself."""
    assert held_off_until(flapping(90, 4)) is None
    assert held_off_until(flapping(151, 40)) is None
    assert 80.0 == held_off_until(flapping(90, 80))
    assert held_off_until([*flapping(90, 80), boot(80, NOW + timedelta(days=1))]) is None

    horn.clock.advance(20)
    horn.keeper.hold(held_off_until(flapping(90, 5)))
    horn.live(59, wanted=True)
    assert "0" == horn.pin.read_text()
    assert ["power_flapping"] == [code for code, _ in horn.open()]
    horn.live(2, wanted=True)
    assert "1" == horn.pin.read_text()
    assert [] == horn.open()
    assert ["held", "plan"] == [why for _, _, why in horn.rows]


def test_f12_process_starts_within_one_boot_are_no_power_cuts() -> None:
    """A daemon that crashed five times strains no amplifier."""
    assert held_off_until([boot(1, NOW + timedelta(seconds=n)) for n in range(9)]) is None
    assert held_off_until([]) is None


@pytest.mark.parametrize(("up_s", "held"), [(70.0, 80.0), (7200.0, None)])
def test_f12_without_a_clock_chip_the_time_that_it_was_up_decides(up_s: float, held: float | None) -> None:
    """Every boot is in 1970: five short lives are flapping power, five long ones are not."""
    rows = []
    for number in range(6):
        first = datetime(1970, 1, 1, 0, 0, 20, tzinfo=UTC)
        rows.append(boot(number, first, trusted=False))
        if number < 5:
            rows.append(boot(number, first, trusted=False, kind="fault", monotonic=up_s))
    assert held == held_off_until(rows)


def test_amplifiers_are_wanted_before_and_during_what_will_really_sound() -> None:
    """Not for what has no audio, was replaced, cancelled or settled, or is meant for other loudspeakers."""
    amplifier = AmplifierSpec(kind="gpio", on="/x=1", off="/x=0", before_s=5.0)
    one = OutputSpec(name="one", kind="virtual", groups=("THON1",), amplifier=amplifier)
    all_of_them = OutputSpec(name="all", kind="virtual", amplifier=replace(amplifier, before_s=30.0))
    bare = OutputSpec(name="bare", kind="virtual")
    coming = replace(planned("tin", NOW + timedelta(seconds=30), 60), targets=("THON2",))

    def wanted(now: datetime, *items: Any, settled: tuple[str, ...] = (), **runs: Run) -> set[str]:
        return set(amplifiers_wanted(items, runs, settled, now, (one, all_of_them, bare)))

    assert set() == wanted(NOW - timedelta(seconds=1), coming)
    assert {"all"} == wanted(NOW, coming)
    assert {"all"} == wanted(NOW + timedelta(seconds=60), coming)
    assert set() == wanted(NOW + timedelta(seconds=90), coming)
    to_all = replace(coming, targets=None)
    assert {"all", "one"} == wanted(NOW + timedelta(seconds=25), to_all)
    for nothing in (
        replace(to_all, sha256=None),
        replace(to_all, replaced_by="XA/other"),
        replace(to_all, cancelled_by="Ông Bình"),
    ):
        assert set() == wanted(NOW + timedelta(seconds=25), nothing)
    assert {"all", "one"} == wanted(NOW + timedelta(seconds=25), replace(to_all, sha256=None, relay="HUYEN"))
    assert set() == wanted(NOW + timedelta(seconds=25), to_all, settled=(to_all.slot,))
    late = Run(item=to_all, state=RunState.PLAYING, start_at=NOW)
    assert {"all", "one"} == wanted(NOW + timedelta(seconds=500), settled=(), run=late)
    assert set() == wanted(NOW + timedelta(seconds=500), run=replace(late, state=RunState.ENDED))
    armed = replace(late, state=RunState.ARMED, start_at=NOW + timedelta(seconds=510))
    assert {"all"} == wanted(NOW + timedelta(seconds=500), run=armed)
    assert {"all", "one"} == wanted(NOW + timedelta(seconds=505), run=armed)


def test_a_command_is_run_with_its_arguments_and_its_failure_is_told(tmp_path: Path) -> None:
    """Exit 0 is done; anything else is a fault with what the program said."""
    said = tmp_path / "said"
    script = tmp_path / "relay"
    script.write_text(f'#!/bin/sh\nprintf %s "$*" > {said}\n[ "$1" = off ] || {{ echo no board >&2; exit 3; }}\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    horn = Horn(tmp_path, kind="command", on=f"{script} on '2 b'", off=f"{script} off")
    horn.live(1, wanted=False)
    assert "off" == said.read_text()
    assert [] == horn.open()
    horn.live(1, wanted=True)
    assert "on 2 b" == said.read_text()
    assert ["amplifier_main"] == [fault.code for fault in horn.faults.open]
    assert "exit 3: no board" == horn.told[0]["detail"]


@pytest.fixture
def board() -> Iterator[HTTPServer]:
    """A relay board: 204 with its password, 401 without."""
    asked: list[str] = []

    class Board(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            known = self.headers.get("Authorization") == "Basic YTpi"
            self.send_response(204 if known else 401)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Board)
    server.asked = asked  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_relay_board_is_asked_by_http(tmp_path: Path, board: HTTPServer) -> None:
    """A GET with the address's own password; anything but 2xx is a fault, and so is nobody there."""
    address = f"127.0.0.1:{board.server_address[1]}/relay?on="
    horn = Horn(tmp_path, kind="http", on=f"http://a:b@{address}1", off=f"http://{address}0")
    horn.live(0.5, wanted=False)
    assert "HTTP 401" == horn.told[0]["detail"]
    horn.live(6, wanted=True)
    assert [] == horn.open()
    assert ["/relay?on=0", "/relay?on=1"] == board.asked  # type: ignore[attr-defined]
    for address, why in (("ftp://127.0.0.1/", "not an address of http"), ("http://127.0.0.1:9/", "refused")):
        gone = Horn(tmp_path, kind="http", on=address, off=address)
        gone.live(0.5, wanted=False)
        assert ["amplifier_main"] == [fault.code for fault in gone.faults.open]
        assert why in gone.told[-1]["detail"]


def test_a_switch_that_hangs_holds_up_neither_the_station_nor_another_amplifier(tmp_path: Path) -> None:
    """The loop goes on in under a tenth of a second; after its time-out the program is gone and the fault is told."""
    clock = ManualClock(NOW)
    told: list[dict[str, Any]] = []
    pin = tmp_path / "pin"
    pin.write_text("?")
    outputs = [
        OutputSpec(name=name, kind="virtual", amplifier=AmplifierSpec(kind=kind, on=on, off=off))
        for name, kind, on, off in (
            ("slow", "command", "/bin/sleep 60", "/bin/sleep 60"),
            ("quick", "gpio", f"{pin}=1", f"{pin}=0"),
        )
    ]
    keeper = AmplifierKeeper(
        outputs,
        clock=clock,
        faults=FaultBook(clock=clock, write=lambda body: told.append(dict(body))),
        append=lambda kind, body: None,
        start=in_thread,
    )
    keeper.keep(())
    wait_until(lambda: pin.read_text() == "0", timeout_s=3.0, what="the other amplifier")
    clock.advance(13)
    keeper.keep(())
    assert ["amplifier_slow"] == [row["code"] for row in told]
    assert "fault" == keeper.state("slow")
    assert "off" == keeper.state("quick")
