"""The supervisor: no failure of a worker, and none in telling it, ends the station."""

from __future__ import annotations

import threading

from playout.supervisor import Supervisor, Work


def test_a_worker_is_started_again_even_when_its_failure_cannot_be_noted() -> None:
    """A full disk breaks the worker and the note about it: it runs again all the same."""
    again = threading.Event()
    starts: list[int] = []

    def run(stopping: threading.Event) -> None:
        starts.append(len(starts))
        if len(starts) < 3:
            raise OSError("no space left on device")
        again.set()
        stopping.wait(10)

    def broken(error: Exception) -> None:
        raise error

    supervisor = Supervisor()
    supervisor.start(Work(name="station", run=run, broken=broken))
    assert again.wait(5)
    assert supervisor.stop(2)
    assert [0, 1, 2] == starts
