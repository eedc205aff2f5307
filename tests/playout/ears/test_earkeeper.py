"""The station's side of its ears: the listener kept, its words turned into evidence and faults, the sensor read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from playout.ears.earkeeper import HANG_S, Alarm, EarKeeper, Heard
from playout.faults import FaultBook
from playout.player.pieces import FilePiece
from playout.specs import EarSpec, OutputSpec
from schedules.clock import ManualClock

NOW = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
PIECE = FilePiece(path=Path("/media/ab.flac"), sha256="ab", samples=20 * 48_000)
NS = 1_000_000_000


class FakeListener:
    """A listener that only remembers what it was told."""

    def __init__(self, *, on_event, on_exit) -> None:
        self.on_event = on_event
        self.on_exit = on_exit
        self.commands: list[dict] = []
        self.state = "new"

    def start(self) -> None:
        """Be running."""
        self.state = "running"

    def send(self, command) -> None:
        """Remember a command."""
        self.commands.append(dict(command))

    def kill(self) -> None:
        """Be gone."""
        self.state = "killed"


class House:
    """A keeper with all around it."""

    def __init__(self, *outputs: OutputSpec) -> None:
        self.clock = ManualClock(wall=NOW, ticks=100.0)
        self.rows: list[dict] = []
        self.listeners: list[FakeListener] = []
        self.news: list[Heard | Alarm] = []
        self.faults = FaultBook(clock=self.clock, write=lambda body: self.rows.append(dict(body)))
        self.keeper = EarKeeper(
            outputs=outputs,
            folder=Path("/data/heard/LONGHIEP"),
            clock=self.clock,
            faults=self.faults,
            make_listener=self.make,
        )

    def make(self, **callbacks) -> FakeListener:
        """Make one more listener."""
        self.listeners.append(FakeListener(**callbacks))
        return self.listeners[-1]

    def pass_s(self, seconds: float) -> None:
        """Let time pass in ticks."""
        for _ in range(round(seconds / 0.25)):
            self.clock.advance(0.25)
            self.news += self.keeper.step()

    def say(self, event: str, **more: object) -> None:
        """Let the listener say something, and the station hear it."""
        self.listeners[-1].on_event({"event": event, **more})
        self.news += self.keeper.step()

    def expect(self, airing: str = "S/1#1", *, outputs: frozenset[str] | None = None) -> int:
        """Expect twenty seconds from now on; return the instant."""
        start_ns = round(self.clock.monotonic() * NS)
        self.keeper.expect(
            airing=airing, slot="S/1", pieces=(PIECE,), outputs=outputs, from_sample=0, start_ns=start_ns
        )
        return start_ns

    @property
    def open(self) -> set[str]:
        """Codes of the faults that are open."""
        return {fault.code for fault in self.faults.open}


@pytest.fixture
def house() -> House:
    """A station with one output that is heard and one that is not."""
    ear = EarSpec(kind="pulse", device="horn.monitor", delay_s=2.0)
    house = House(
        OutputSpec(name="main", kind="pulse", device="horn", ear=ear),
        OutputSpec(name="web", kind="icecast", device="http://localhost/x"),
    )
    house.keeper.step()
    return house


def heard(start_ns: int, **more: object) -> dict[str, object]:
    """Return the last word on an airing."""
    return {
        "airing": "S/1#1",
        "output": "main",
        "final": True,
        "source": "horn.monitor",
        "start_ns": start_ns,
        "end_ns": start_ns + 20 * NS,
        "offset_ms": 12.5,
        "share": 0.98765,
        "matched_s": 19.0,
        "silent_s": 0.5,
        "foreign_s": 0.0,
        "deaf_s": 0.0,
        "level_dbfs": -21.0,
        "problem": None,
        "map": "mm",
        "files": [{"name": "20261124T050000Z-00000000.flac", "sha256": "cd"}],
        **more,
    }


def test_the_listener_is_told_of_ears_and_airings(house: House) -> None:
    """It opens the ears that there are, and gets each airing with its pieces and its end."""
    start_ns = house.expect(outputs=frozenset({"main"}))
    house.keeper.over("S/1#1", ended_ns=start_ns + NS)
    (listener,) = house.listeners
    assert listener.state == "running"
    opened, expected, over = listener.commands
    assert opened == {
        "do": "open",
        "ears": [{"output": "main", "kind": "pulse", "device": "horn.monitor", "delay_s": 2.0}],
        "folder": "/data/heard/LONGHIEP",
    }
    assert expected["pieces"] == [{"path": "/media/ab.flac", "sha256": "ab", "samples": 960_000}]
    assert (expected["outputs"], expected["start_ns"]) == (["main"], start_ns)
    assert over == {"do": "over", "airing": "S/1#1", "ended_ns": start_ns + NS}


def test_what_was_heard_becomes_a_row(house: House) -> None:
    """The final word is evidence of grade E2 in wall time; words on the way, and on what nobody expected, are not."""
    start_ns = house.expect()
    house.say("heard", **heard(start_ns, final=False))
    house.say("heard", **heard(start_ns, airing="other#1"))
    assert house.news == []
    house.pass_s(11)
    house.say("alive")
    house.pass_s(11)
    house.say("heard", **heard(start_ns))
    (one,) = house.news
    assert isinstance(one, Heard)
    assert one.as_row() == {
        "slot": "S/1",
        "output": "main",
        "grade": "E2",
        "offset_ms": 12.5,
        "share": 0.9877,
        "matched_s": 19.0,
        "silent_s": 0.5,
        "foreign_s": 0.0,
        "level_dbfs": -21.0,
        "source": "horn.monitor",
        "from": NOW.isoformat(),
        "to": (NOW + timedelta(seconds=20)).isoformat(),
        "files": [{"name": "20261124T050000Z-00000000.flac", "sha256": "cd"}],
    }
    house.say("heard", **heard(start_ns, share=None, deaf_s=5.0))
    assert isinstance(house.news[1], Heard)
    row = house.news[1].as_row()
    assert (row["grade"], row["share"], row["problem"]) == ("E1", None, "ear_lost")


@pytest.mark.parametrize("kind", ["silent", "foreign", "unscheduled"])
def test_f21_f22_f23_alarms_are_faults_until_they_are_over(house: House, kind: str) -> None:
    """Each alarm opens its fault with a sentence and what to do, and closes it."""
    since_ns = round(house.clock.monotonic() * NS) - 3 * NS
    house.say("alarm", output="main", kind=kind, since_ns=since_ns)
    assert house.news == [Alarm(output="main", kind=kind, on=True, since=NOW - timedelta(seconds=3))]
    (fault,) = house.faults.open
    assert fault.code == f"ear_{kind}_main"
    assert "main" in fault.message.vi
    assert fault.hint is not None
    house.say("clear", output="main", kind=kind)
    assert house.open == set()
    assert house.news[1] == Alarm(output="main", kind=kind, on=False, since=NOW)


def test_one_alarm_takes_the_place_of_another(house: House) -> None:
    """What was silent and is foreign now is one fault, not two."""
    house.say("alarm", output="main", kind="silent", since_ns=0)
    house.say("alarm", output="main", kind="foreign", since_ns=0)
    assert house.open == {"ear_foreign_main"}


def test_an_ear_that_is_lost_is_a_fault(house: House) -> None:
    """A device that gives nothing is told with its reason, and its return too."""
    assert house.keeper.state("main") == "lost"
    assert house.keeper.state("web") is None
    house.say("ear", output="main", state="lost", detail="no such device")
    assert house.open == {"ear_lost_main"}
    assert house.rows[-1]["detail"] == "no such device"
    house.say("ear", output="main", state="hearing", detail="horn.monitor")
    assert house.open == set()
    assert house.keeper.state("main") == "hearing"


def test_a_listener_that_dies_is_replaced_and_knows_what_goes_on(house: House) -> None:
    """The next one comes after a pause, is told of the airing under way, and alarms of the dead one are over."""
    house.expect()
    house.say("alarm", output="main", kind="foreign", since_ns=0)
    house.listeners[0].on_exit("exit -9")
    house.pass_s(0.25)
    assert house.news[-1] == Alarm(output="main", kind="foreign", on=False, since=house.clock.now())
    assert house.open == set()
    assert house.rows[-1]["code"] == "ear_foreign_main"
    assert [row["detail"] for row in house.rows if row["code"] == "ear_down"] == ["exit -9"]
    assert house.keeper.state("main") == "lost"
    house.pass_s(1.5)
    assert len(house.listeners) == 2
    assert [command["do"] for command in house.listeners[1].commands] == ["open", "expect"]
    house.listeners[0].on_event({"event": "ear", "output": "main", "state": "lost", "detail": "of the dead one"})
    house.pass_s(0.25)
    assert house.open == set()
    house.listeners[1].on_exit("exit 1")
    house.pass_s(1.5)
    assert len(house.listeners) == 2
    house.pass_s(1.0)
    assert len(house.listeners) == 3


def test_f22_foreign_sound_is_not_forgotten_with_the_listener_that_heard_it(house: House) -> None:
    """What a listener told before it died stands in the row, beside what the next one heard of the rest."""
    start_ns = house.expect()
    house.say("heard", **heard(start_ns, final=False, matched_s=3.0, silent_s=0.0, foreign_s=6.5))
    house.listeners[0].on_exit("exit -9")
    house.pass_s(20)
    house.say("heard", **heard(start_ns, share=None, deaf_s=12.0, matched_s=5.0, silent_s=0.5, foreign_s=0.0))
    (one,) = house.news
    assert isinstance(one, Heard)
    assert (one.matched_s, one.silent_s, one.foreign_s) == (8.0, 0.5, 6.5)
    assert one.share is None


def test_the_next_listener_is_told_nothing_of_what_was_cut(house: House) -> None:
    """An airing that was over before the new listener came is not expected of it."""
    start_ns = house.expect()
    house.pass_s(5)
    house.keeper.over("S/1#1", ended_ns=start_ns + 5 * NS)
    house.listeners[0].on_exit("exit -9")
    house.pass_s(2)
    assert [command["do"] for command in house.listeners[1].commands] == ["open"]


def test_a_listener_that_hangs_is_replaced(house: House) -> None:
    """Without a sign of life it is killed; one that says that it lives stays."""
    for _ in range(4):
        house.pass_s(HANG_S / 2)
        house.say("alive")
    assert len(house.listeners) == 1
    house.pass_s(HANG_S + 2)
    assert house.listeners[0].state == "killed"
    assert len(house.listeners) == 2
    house.keeper.close()
    assert house.listeners[1].commands[-1] == {"do": "quit"}
    assert house.listeners[1].state == "killed"


def test_without_ears_there_is_no_listener() -> None:
    """A station that cannot hear starts nothing and claims nothing."""
    house = House(OutputSpec(name="main", kind="pulse", ear=EarSpec(kind="none", device="")))
    house.expect()
    house.pass_s(60)
    house.keeper.close()
    assert house.listeners == house.news == house.rows == []
    assert house.keeper.state("main") is None


@pytest.mark.parametrize(
    ("sounds", "share"),
    [
        (lambda second: True, 1.0),
        (lambda second: second % 2 < 1, 1.0),
        (lambda second: second < 10, pytest.approx(0.58, abs=0.05)),
        (lambda second: False, 0.0),
        (lambda second: None if second < 15 else True, None),
    ],
    ids=["all the time", "with pauses of speech", "half", "never", "unreadable"],
)
def test_a_sensor_behind_the_amplifier_is_grade_e3(tmp_path: Path, sounds, share: object) -> None:
    """The seconds in which the sensor heard sound stand against those of the airing; an unread sensor says nothing."""
    file = tmp_path / "sensor"
    house = House(OutputSpec(name="main", kind="alsa", device="hw", sensor=file))
    house.expect()
    for tick in range(100):
        state = sounds(tick / 4)
        if state is None:
            file.unlink(missing_ok=True)
        else:
            file.write_text("1\n" if state else "0\n")
        house.pass_s(0.25)
    (one,) = house.news
    assert isinstance(one, Heard)
    assert (one.grade, one.output, one.slot) == ("E3", "main", "S/1")
    assert one.share == share
    assert (one.end - one.begin) == timedelta(seconds=20)
    assert one.problem == ("sensor_unread" if share is None else None)


def test_a_sensor_counts_up_to_the_cut(tmp_path: Path) -> None:
    """An airing stopped after five seconds, all of them sounding, was heard whole."""
    file = tmp_path / "sensor"
    file.write_text("1")
    house = House(OutputSpec(name="main", kind="alsa", device="hw", sensor=file))
    start_ns = house.expect()
    house.pass_s(5)
    house.keeper.over("S/1#1", ended_ns=start_ns + 5 * NS)
    file.write_text("0")
    house.pass_s(5)
    (one,) = house.news
    assert isinstance(one, Heard)
    assert one.share == 1.0
    assert one.matched_s == pytest.approx(5, abs=0.5)
