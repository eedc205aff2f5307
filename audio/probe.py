"""Tries from inside what the locked room must prevent, so that a machine's confinement is proved and not assumed."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from audio.child import Job, Progress, serve

_MANY = 300
_CLONE_NEWUSER = 0x10000000
_PTRACE_ATTACH = 16


def probe(job: Job, descriptors: Sequence[int], progress: Progress) -> Mapping[str, object]:
    """Return what happened to each attempt: a sentence that begins with `denied` or with `DONE`.

    job: `port` on 127.0.0.1 where a server listens, `pid` of a process outside; `secrets`, `folders`: what
    exists outside.
    descriptors: one file opened for reading, one for writing.
    """
    readable, writable = descriptors
    attempts: dict[str, Callable[[], object]] = {
        "connect": lambda: _connect(int(str(job["port"]))),
        "network interfaces": lambda: _others(socket.if_nameindex(), [(1, "lo")]),
        "unix socket": lambda: socket.socket(socket.AF_UNIX).close(),
        "write /etc/passwd": lambda: Path("/etc/passwd").write_text("x", encoding="ascii"),
        "write by an open reading descriptor": lambda: os.write(readable, b"x"),
        "write too much": lambda: [os.pwrite(writable, b"x", 1 << 40)],
        "fork": _fork_bomb,
        "threads": _thread_bomb,
        "memory": lambda: len(bytearray(2_000_000_000)),
        "ptrace": lambda: _call("ptrace", _PTRACE_ATTACH, 1, 0, 0),
        "reach a process outside": lambda: os.kill(int(str(job["pid"])), 0),
        "become root": lambda: os.setuid(0),
        "new user namespace": lambda: _call("unshare", _CLONE_NEWUSER),
        "mount": lambda: _call("mount", b"none", b"/etc", b"tmpfs", 0, 0),
        "environment": lambda: _others(sorted(os.environ), _HARMLESS),
    }
    for secret in _names(job, "secrets"):
        attempts[f"read {secret}"] = Path(secret).read_bytes
    for folder in ("/", "/usr", "/loa", "/loa/audio", "/tmp", "/dev", "/dev/shm", *_names(job, "folders")):
        attempts[f"write in {folder}"] = Path(folder, "canary").touch
    return {name: _try(attempt) for name, attempt in attempts.items()} | {"uid": os.getuid()}


_HARMLESS = ["LANG", "LC_CTYPE", "MALLOC_ARENA_MAX", "OPENBLAS_NUM_THREADS", "PATH", "PWD"]
_HARMLESS += ["PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "TZ"]


def _try(attempt: Callable[[], object]) -> str:
    try:
        return f"DONE: {attempt()!r}"[:200]
    except (OSError, MemoryError, RuntimeError) as error:
        return f"denied: {error!r}"


def _connect(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")


def _others(found: Sequence[object], harmless: Sequence[object]) -> object:
    others = [thing for thing in found if thing not in harmless]
    if not others:
        raise PermissionError("nothing is there")
    return others


def _fork_bomb() -> int:
    made = 0
    try:
        for _ in range(_MANY):
            if os.fork() == 0:
                signal.pause()
            made += 1
    except OSError:
        if made == 0:
            raise
    return made


def _thread_bomb() -> int:
    over, made = threading.Event(), 0
    try:
        for _ in range(_MANY):
            threading.Thread(target=over.wait, daemon=True).start()
            made += 1
    finally:
        over.set()
    return made


def _call(name: str, *arguments: object) -> int:
    library = ctypes.CDLL(None, use_errno=True)
    answer: int = getattr(library, name)(*arguments)
    if answer < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return answer


def _names(job: Job, key: str) -> list[str]:
    names = job.get(key)
    return [str(name) for name in names] if isinstance(names, list) else []


if __name__ == "__main__":
    serve(probe)
