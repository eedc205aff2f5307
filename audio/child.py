"""The confined side of a job: takes it with its open files from the socket, does it, says how it went."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence

_CONTROL_FD = 0
MESSAGE_BYTES = 65_536

Job = Mapping[str, object]
Progress = Callable[[float], None]
Work = Callable[[Job, Sequence[int], Progress], Mapping[str, object]]


class Refusal(Exception):
    """The job ends without a result, for a reason that the parent has a sentence for."""

    def __init__(self, code: str, **details: object) -> None:
        self.code = code
        self.details: Mapping[str, object] = details
        super().__init__(code)


def serve(work: Work) -> None:
    """Do jobs one after another until the parent closes its end.

    work: gets the job, its open files and a place to report progress (0..1); raises Refusal.
    """
    with socket.socket(fileno=_CONTROL_FD) as control:
        control.send(json.dumps({"ready": True}).encode())
        while True:
            message, descriptors, _, _ = socket.recv_fds(control, MESSAGE_BYTES, 4)
            if not message:
                return
            try:
                answer: dict[str, object] = {"result": dict(work(json.loads(message), descriptors, _reporter(control)))}
            except Refusal as refusal:
                answer = {"refused": refusal.code, "details": refusal.details}
            except MemoryError:
                answer = {"refused": "too_complex", "details": {}}
            except OSError as error:
                answer = {"refused": "os_error", "details": {"errno": error.errno, "said": str(error)}}
            finally:
                for descriptor in descriptors:
                    os.close(descriptor)
            control.send(json.dumps(answer).encode())


def _reporter(control: socket.socket) -> Progress:
    """Return a place to report to: never backwards, and often enough to be known alive."""
    furthest, told, told_at = 0.0, -1.0, time.monotonic()

    def report(share: float) -> None:
        nonlocal furthest, told, told_at
        furthest = max(furthest, share)
        if furthest - told >= 0.01 or time.monotonic() - told_at > 1.0:
            told, told_at = furthest, time.monotonic()
            control.send(json.dumps({"progress": float(round(furthest, 3))}).encode())

    return report
