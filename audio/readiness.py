"""Whether this machine can take recordings: the locked room is tried, not assumed. For `loa check`."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from pathlib import Path

from audio.child import Refusal
from audio.sandbox import Confinement, Sandbox
from schedules.errors import SandboxUnavailable
from schedules.findings import Finding, Severity
from schedules.text import Text

_CONFINEMENT = Confinement(memory_bytes=800_000_000, cpu_s=20, output_bytes=1_000_000)
_PATIENCE_S = 30.0


def findings() -> tuple[Finding, ...]:
    """Return what keeps this machine from taking recordings or from speaking; nothing when all is well."""
    found: list[Finding] = []
    try:
        if leaks := _leaks():
            found.append(_leaking(leaks))
    except (SandboxUnavailable, Refusal) as error:
        found.append(_unavailable(str(error)))
    if shutil.which("espeak-ng") is None:
        found.append(_mute())
    return tuple(found)


def _leaks() -> list[str]:
    """Return the forbidden things that worked from inside."""
    with (
        tempfile.TemporaryDirectory() as name,
        socket.create_server(("127.0.0.1", 0)) as server,
        tempfile.TemporaryFile() as writable,
        Sandbox("audio.probe", _CONFINEMENT) as sandbox,
    ):
        secret = Path(name, "secret")
        secret.write_bytes(b"secret")
        with secret.open("rb") as readable:
            job = {
                "port": server.getsockname()[1],
                "pid": os.getpid(),
                "secrets": [str(secret), "/etc/shadow", "/etc/passwd"],
                "folders": [name],
            }
            said = sandbox.do(job, [readable.fileno(), writable.fileno()], wall_s=_PATIENCE_S)
    return [attempt for attempt, answer in said.items() if str(answer).startswith("DONE")]


def _leaking(attempts: list[str]) -> Finding:
    names = ", ".join(attempts)
    return Finding(
        code="sandbox_leaks",
        severity=Severity.WARNING,
        message=Text(
            f"Vùng cách ly để đọc tệp tải lên chưa kín trên máy này: {names}.",
            f"The locked room for reading uploads is not tight on this machine: {names}.",
        ),
    )


def _unavailable(reason: str) -> Finding:
    return Finding(
        code="sandbox_unavailable",
        severity=Severity.ERROR,
        message=Text(
            "Máy này chưa có vùng cách ly để đọc tệp tải lên nên không nhận được bản ghi nào.",
            f"Uploads cannot be read safely on this machine, so no recording is taken: {reason}",
        ),
        hint=Text("Hãy cài gói bubblewrap.", "Install the system package bubblewrap."),
    )


def _mute() -> Finding:
    return Finding(
        code="speech_unavailable",
        severity=Severity.WARNING,
        message=Text(
            "Chưa cài giọng đọc nên không chuyển được văn bản thành giọng nói.",
            "No voice is installed, so text cannot be spoken.",
        ),
        hint=Text("Hãy cài gói espeak-ng.", "Install the system package espeak-ng."),
    )
