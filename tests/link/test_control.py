"""The control socket: the command line's way to a running Loa."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from link.control import ControlSocket, NotRunning, ask
from schedules.errors import LoaError, Refused
from schedules.findings import Finding, Severity
from schedules.text import Text

FINDING = Finding(code="no", severity=Severity.ERROR, message=Text("Không.", "No."), hint=Text("Thôi.", "Leave it."))


GO_ON = Event()


def wait(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"waited": GO_ON.wait(10)}


def echo(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"heard": dict(parameters)}


def refuse(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    raise Refused(FINDING)


def fail(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    raise LoaError("broken")


def full(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    raise OSError("no space left")


def break_down(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    raise OverflowError("nobody thought of this")


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """A socket that answers orders of every kind."""
    orders = {order.__name__: order for order in (echo, refuse, fail, full, break_down, wait)}
    control = ControlSocket(tmp_path / "loa.sock", orders)
    control.start()
    yield tmp_path / "loa.sock"
    control.stop()


def test_an_order_is_done_and_answered(path: Path) -> None:
    """What goes in comes out, with Vietnamese text unharmed."""
    assert {"heard": {"name": "Đài Long Hiệp"}} == ask(path, "echo", {"name": "Đài Long Hiệp"})


def test_a_refusal_arrives_with_its_findings(path: Path) -> None:
    """The command line can say the same sentences as the pages."""
    with pytest.raises(Refused) as refused:
        ask(path, "refuse", {})
    assert (FINDING,) == refused.value.findings


@pytest.mark.parametrize("order", ["fail", "full", "unknown"])
def test_a_failure_arrives_as_one(path: Path, order: str) -> None:
    """An error of the running Loa, and an order it does not know, are errors of the command."""
    with pytest.raises(LoaError):
        ask(path, order, {})


def test_an_order_that_breaks_stops_no_other(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that nobody foresaw ends that order alone: its asker is told, and the next one is answered."""
    logged = Event()
    monkeypatch.setattr(threading, "excepthook", lambda _: logged.set())
    with pytest.raises(LoaError, match="failed"):
        ask(path, "break_down", {})
    assert {"heard": {}} == ask(path, "echo", {})
    assert logged.wait(10)


def test_a_long_order_stops_no_other(path: Path) -> None:
    """While a recording is taken in, the plan can be read."""
    GO_ON.clear()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ask, path, "wait", {})
        try:
            assert {"heard": {}} == ask(path, "echo", {})
        finally:
            GO_ON.set()
        assert {"waited": True} == waiting.result(10)


def test_only_its_owner_may_speak_to_it(path: Path) -> None:
    """The socket is made for its owner alone."""
    assert 0o600 == path.stat().st_mode & 0o777


def test_nobody_there_is_told(tmp_path: Path) -> None:
    """Without a running Loa the command does the work itself."""
    with pytest.raises(NotRunning):
        ask(tmp_path / "loa.sock", "echo", {})
