"""What a player process does to itself first: no network, death with its parent, priority where it may have it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from collections.abc import Mapping
from pathlib import Path

_CLONE_NEWNET = 0x40000000
_CLONE_NEWUSER = 0x10000000
_PR_SET_PDEATHSIG = 1
_NICE = -11


def leave_network(environment: Mapping[str, str]) -> str | None:
    """Move into an empty network namespace; Unix sockets by path go on working. Return why not, None when done.

    Called before any thread exists. Left out where the sound server itself is reached over TCP.
    """
    if "tcp" in environment.get("PULSE_SERVER", ""):
        return "the sound server is reached over TCP"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET) == 0:
        return None
    uid, gid = os.getuid(), os.getgid()
    if libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) != 0:
        return os.strerror(ctypes.get_errno())
    # The same ids as outside: PulseAudio's client refuses a runtime folder that seems to be another person's.
    with contextlib.suppress(OSError):
        Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1", encoding="ascii")
        Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1", encoding="ascii")
    return None


def die_with_parent(parent: int) -> None:
    """Be killed when the thread of process `parent` that started this one ends; end now where it already has."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        raise SystemExit(0)


def ask_for_priority() -> None:
    """Run before ordinary work where this user may; else stay as it is."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, _NICE)
