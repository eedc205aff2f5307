"""The system calls that a confined decoder may not make, as a filter program for the kernel."""

from __future__ import annotations

import errno
import platform
import struct

# Numbers from the kernel's tables. What a decoder needs none of: network, new processes, other processes'
# memory, mounts and namespaces, keys, kernel programs, clocks, io_uring (it goes round every filter).
_X86_64: dict[str, int] = {
    "socket": 41, "connect": 42, "accept": 43, "bind": 49, "listen": 50, "socketpair": 53,
    "fork": 57, "vfork": 58, "ptrace": 101, "syslog": 103, "personality": 135, "pivot_root": 155,
    "chroot": 161, "acct": 163, "settimeofday": 164, "mount": 165, "umount2": 166, "swapon": 167,
    "reboot": 169, "init_module": 175, "delete_module": 176, "quotactl": 179, "add_key": 248,
    "request_key": 249, "keyctl": 250, "unshare": 272, "perf_event_open": 298, "open_by_handle_at": 304,
    "setns": 308, "process_vm_readv": 310, "process_vm_writev": 311, "finit_module": 313, "bpf": 321,
    "userfaultfd": 323, "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427,
    "open_tree": 428, "move_mount": 429, "fsopen": 430, "pidfd_open": 434, "pidfd_getfd": 438,
}  # fmt: skip
_AARCH64: dict[str, int] = {
    "socket": 198, "socketpair": 199, "bind": 200, "listen": 201, "accept": 202, "connect": 203,
    "ptrace": 117, "syslog": 116, "personality": 92, "pivot_root": 41, "chroot": 51, "acct": 89,
    "settimeofday": 170, "mount": 40, "umount2": 39, "swapon": 224, "reboot": 142, "init_module": 105,
    "delete_module": 106, "quotactl": 60, "add_key": 217, "request_key": 218, "keyctl": 219, "unshare": 97,
    "perf_event_open": 241, "open_by_handle_at": 265, "setns": 268, "process_vm_readv": 270,
    "process_vm_writev": 271, "finit_module": 273, "bpf": 280, "userfaultfd": 282, "io_uring_setup": 425,
    "io_uring_enter": 426, "io_uring_register": 427, "open_tree": 428, "move_mount": 429, "fsopen": 430,
    "pidfd_open": 434, "pidfd_getfd": 438,
}  # fmt: skip
_MACHINES = {
    "x86_64": (0xC000003E, _X86_64, 56),
    "aarch64": (0xC00000B7, _AARCH64, 220),
}
_CLONE3 = 435
_CLONE_THREAD = 0x00010000
_X32_BIT = 0x40000000

_LOAD = 0x20
_JUMP_EQUAL = 0x15
_JUMP_AT_LEAST = 0x35
_JUMP_BITS = 0x45
_RETURN = 0x06
_ALLOW = 0x7FFF0000
_KILL = 0x80000000
_ERRNO = 0x00050000
_AT_NUMBER, _AT_MACHINE, _AT_ARGUMENT_0 = 0, 4, 16


_CALLING = frozenset({"socket", "connect", "bind"})
"""What a process needs that asks servers; the C library binds a socket to look for this machine's addresses."""


def program(machine: str | None = None, *, network: bool = False) -> bytes | None:
    """Return the filter for this kind of machine; None where its numbers are not known to us.

    network: it may call others, though none may call it.
    Denied calls fail with EPERM. A new thread is allowed, a new process is not; `clone3` is answered with
    ENOSYS, because its flags lie in memory that a filter cannot read and the C library then uses `clone`.
    """
    known = _MACHINES.get(machine or platform.machine())
    if known is None:
        return None
    audit_number, denied, clone = known
    refuse, missing = _ERRNO | errno.EPERM, _ERRNO | errno.ENOSYS
    code = [
        _step(_LOAD, _AT_MACHINE),
        _step(_JUMP_EQUAL, audit_number, if_true=1),
        _step(_RETURN, _KILL),
        _step(_LOAD, _AT_NUMBER),
        _step(_JUMP_AT_LEAST, _X32_BIT, if_false=1),
        _step(_RETURN, refuse),
        _step(_JUMP_EQUAL, _CLONE3, if_false=1),
        _step(_RETURN, missing),
        _step(_JUMP_EQUAL, clone, if_false=4),
        _step(_LOAD, _AT_ARGUMENT_0),
        _step(_JUMP_BITS, _CLONE_THREAD, if_false=1),
        _step(_RETURN, _ALLOW),
        _step(_RETURN, refuse),
    ]
    for number in sorted(number for name, number in denied.items() if not (network and name in _CALLING)):
        code += [_step(_JUMP_EQUAL, number, if_false=1), _step(_RETURN, refuse)]
    return b"".join([*code, _step(_RETURN, _ALLOW)])


def _step(operation: int, value: int, *, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", operation, if_true, if_false, value)
