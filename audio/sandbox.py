"""A locked room for a decoder: no network, no files, no rights, little memory, little time."""

from __future__ import annotations

import json
import math
import os
import secrets
import select
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self

from audio import seccomp
from audio.child import MESSAGE_BYTES, Job, Refusal
from schedules.errors import SandboxUnavailable

_PATH = "/usr/bin:/usr/sbin:/bin:/sbin"
_PROJECT = "/loa"
_PACKAGES = "/packages"
# Nobody owns these numbers: systemd's plan of user numbers leaves 1879048192 to 2147483647 unused.
_UNUSED_UIDS = range(1_900_000_000, 2_000_000_000)
_START_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Confinement:
    """How much a confined process may use before the kernel stops it. nice: how far it gives way to others."""

    memory_bytes: int
    cpu_s: int
    output_bytes: int
    threads: int = 48
    nice: int = 10


class Sandbox:
    """One confined process that runs a module of `audio` and does jobs, one after another.

    module: such as `audio.decode`; it is started by `start` or by entering the context, and killed by `close`.
    project: the rooms of Loa whose code it needs. files: files and folders of the system that it may read besides.
    Raises SandboxUnavailable where this machine gives no confinement: then nothing is decoded at all.
    """

    def __init__(
        self,
        module: str,
        confinement: Confinement,
        *,
        project: Sequence[str] = ("audio",),
        files: Sequence[str] = (),
    ) -> None:
        self._module = module
        self._confinement = confinement
        self._project = project
        self._files = files
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start the process and wait until it is ready for a job."""
        try:
            self._spawn()
            ready = self._receive(time.monotonic() + _START_S)
        except Refusal as refusal:
            raise self._unavailable(str(refusal.details.get("said", refusal))) from refusal
        except (SandboxUnavailable, OSError):
            self.close()
            raise
        if "ready" not in ready:
            raise self._unavailable(f"unexpected first message {ready!r}")

    def _spawn(self) -> None:
        with ExitStack() as opened:
            self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            opened.callback(theirs.close)
            passed: list[int] = []
            filter_program = seccomp.program()
            if filter_program is not None:
                filter_fd = os.memfd_create("seccomp")
                opened.callback(os.close, filter_fd)
                os.write(filter_fd, filter_program)
                os.lseek(filter_fd, 0, os.SEEK_SET)
                passed.append(filter_fd)
            command = _assembled(
                self._module,
                self._confinement,
                rooms=_rooms(self._project, files=self._files),
                network=False,
                filter_fd=passed[0] if passed else None,
            )
            self._process = subprocess.Popen(
                command,
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=passed,
                cwd="/",
                env={"PATH": _PATH},
            )

    def do(
        self,
        job: Job,
        descriptors: Sequence[int],
        *,
        wall_s: float,
        stall_s: float = 30.0,
        on_progress: Callable[[float], None] = lambda share: None,
    ) -> Mapping[str, object]:
        """Have one job done and return its result.

        descriptors: open files that the job works on; the process can reach nothing else.
        wall_s, stall_s: the longest it may take, and the longest it may be quiet.
        Raises Refusal with the job's own code; with `too_complex` where a limit stopped it, with `damaged`
        where the decoder crashed. After those two the process is gone and must be started again.
        """
        if self._control is None:
            raise Refusal("damaged", said="the process is not running")
        deadline = time.monotonic() + wall_s
        try:
            socket.send_fds(self._control, [json.dumps(job).encode()], list(descriptors))
        except OSError:
            raise self._died() from None
        while True:
            answer = self._receive(min(deadline, time.monotonic() + stall_s))
            if "progress" in answer:
                on_progress(_share(answer["progress"]))
            elif "refused" in answer:
                raise _as_refusal(answer)
            else:
                result = answer.get("result")
                return result if isinstance(result, dict) else {}

    @property
    def running(self) -> bool:
        """Whether the process can take another job."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """Number of the outermost process, for measuring."""
        return None if self._process is None else self._process.pid

    def close(self) -> None:
        """End the process; every process inside dies with it."""
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            if self._process.stderr is not None:
                self._process.stderr.close()
            self._process = None

    def _receive(self, deadline: float) -> dict[str, object]:
        if self._control is None:
            raise Refusal("damaged", said="the process is not running")
        readable, _, _ = select.select([self._control], [], [], max(0.0, deadline - time.monotonic()))
        if not readable:
            self.close()
            raise Refusal("too_complex", said="the time was up")
        try:
            message = self._control.recv(MESSAGE_BYTES)
        except ConnectionError:
            message = b""
        if not message:
            raise self._died()
        try:
            answer = json.loads(message)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            self.close()
            raise Refusal("damaged", said="the process answered nonsense")
        return answer

    def _died(self) -> Refusal:
        """Return why the process is gone, and clear it away."""
        said, status = "", 0
        if self._process is not None:
            try:
                status = self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                status = 0
            if self._process.stderr is not None:
                os.set_blocking(self._process.stderr.fileno(), False)
                said = (self._process.stderr.read() or b"")[-2_000:].decode(errors="replace").strip()
        self.close()
        # bubblewrap gives 128 + signal: 9 killed (memory), 24 processor time, 25 output size.
        code = "too_complex" if status in (128 + 9, 128 + 24, 128 + 25) else "damaged"
        return Refusal(code, status=status, said=said)

    def _unavailable(self, said: str) -> SandboxUnavailable:
        self.close()
        return SandboxUnavailable(f"no confinement for decoders on this machine: {said}")


def _as_refusal(answer: Mapping[str, object]) -> Refusal:
    refusal, details = Refusal(str(answer["refused"])[:50]), answer.get("details")
    if isinstance(details, dict):
        refusal.details = details
    return refusal


def _share(value: object) -> float:
    return min(1.0, max(0.0, value)) if isinstance(value, float) and math.isfinite(value) else 0.0


def command_with_network(
    module: str, confinement: Confinement, *, project: Sequence[str], filter_fd: int | None
) -> list[str]:
    """Return the command line that runs `module` confined in the same way, but with this machine's network.

    project: the rooms of Loa whose code it needs. It sees their code, the system's programs and certificates, and no
    data at all; whatever it works on are descriptors that it inherits. Raises SandboxUnavailable.
    """
    rooms = _rooms(project, files=("/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/ssl/certs"))
    return _assembled(module, confinement, rooms=rooms, network=True, filter_fd=filter_fd)


def command_of_program(
    program: Sequence[str],
    confinement: Confinement,
    *,
    reading: Sequence[Path],
    writing: Mapping[str, Path],
    filter_fd: int | None,
) -> list[str]:
    """Return the command line that runs a program of this machine, not ours, confined like a decoder.

    reading: files and folders that it sees, read-only, where they are. writing: existing files that it may fill, under
    the names that it knows them by. Raises SandboxUnavailable.
    """
    files = [str(path) for path in reading if not path.is_relative_to("/usr")]
    # Before the root is closed for writing, or there would be no place for them.
    filled = [word for name, path in writing.items() for word in ("--bind", str(path), name)]
    rooms = [*filled, *_rooms((), files=files)]
    return _bubble(program, confinement, rooms=rooms, network=False, filter_fd=filter_fd)


def _assembled(
    module: str, confinement: Confinement, *, rooms: Sequence[str], network: bool, filter_fd: int | None
) -> list[str]:
    # No site, no user site, no current folder: only what stands in PYTHONPATH.
    program = (str(_interpreter()), "-S", "-s", "-P", "-m", module)
    return _bubble(program, confinement, rooms=rooms, network=network, filter_fd=filter_fd)


def _bubble(
    program: Sequence[str], confinement: Confinement, *, rooms: Sequence[str], network: bool, filter_fd: int | None
) -> list[str]:
    bubblewrap = _tool("bwrap", "bubblewrap")
    uid = _unprivileged_uid()
    inside = [
        *rooms,
        *_given_up(uid, network=network),
        *(() if filter_fd is None else ("--seccomp", str(filter_fd))),
        "--",
        *(() if uid is None else _become(uid)),
        *_limits(confinement),
        *program,
    ]
    return [bubblewrap, *inside]


def _rooms(project: Sequence[str] = ("audio",), *, files: Sequence[str] = ()) -> list[str]:
    """Return a root of our own: the system's programs, the interpreter, its packages, Loa's code; all read-only."""
    bound: list[tuple[Path, str]] = [(Path("/usr"), "/usr")]
    base = Path(sys.base_prefix).resolve()
    if not base.is_relative_to("/usr"):
        bound.append((base, str(base)))
    sites = {_site(package): f"{_PACKAGES}/{number}" for number, package in enumerate(("av", "numpy"))}
    bound += sites.items()
    home = Path(__file__).resolve().parent.parent
    bound += [(home / room, f"{_PROJECT}/{room}") for room in project]
    # A list of name servers is often a link to another place.
    bound += [(Path(name).resolve(), name) for name in files if Path(name).exists()]
    arguments: list[str] = []
    made = {"/"}
    for source, target in bound:
        for parent in reversed(Path(target).parents):
            if str(parent) not in made:
                # Parents that bubblewrap makes by itself are closed to everybody but their owner.
                arguments += ["--perms", "0755", "--dir", str(parent)]
                made.add(str(parent))
        made.add(target)
        arguments += ["--ro-bind", str(source), target]
    for name in ("lib", "lib32", "lib64", "libx32", "bin", "sbin"):
        path = Path("/", name)
        if path.is_symlink():
            arguments += ["--symlink", f"usr/{name}", f"/{name}"]
        elif path.is_dir():
            arguments += ["--ro-bind", str(path), str(path)]
    arguments += [] if "/etc" in made else ["--perms", "0755", "--dir", "/etc"]
    arguments += ["--perms", "0755", "--dir", "/dev"]
    arguments += ["--dev-bind", "/dev/null", "/dev/null", "--remount-ro", "/", "--chdir", "/", "--clearenv"]
    environment = {
        "PATH": _PATH,
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONPATH": ":".join([_PROJECT, *sites.values()]),
        "PYTHONDONTWRITEBYTECODE": "1",
        # Each thread of OpenBLAS reserves memory that counts towards the limit.
        "OPENBLAS_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
    }
    for name, value in environment.items():
        arguments += ["--setenv", name, value]
    return arguments


def _given_up(uid: int | None, *, network: bool = False) -> list[str]:
    arguments = ["--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try"]
    arguments += [] if network else ["--unshare-net"]
    arguments += ["--hostname", "sandbox", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    if uid is None:
        return [*arguments, "--unshare-user", "--uid", "65534", "--gid", "65534"]
    # Given back for setpriv alone, which drops them in the same breath.
    for capability in ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"):
        arguments += ["--cap-add", capability]
    return arguments


def _become(uid: int) -> list[str]:
    """Return the step from root to nobody: as root, RLIMIT_NPROC does nothing and files of root are readable."""
    return [
        *(_tool("setpriv", "util-linux"), "--reuid", str(uid), "--regid", str(uid), "--clear-groups"),
        *("--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"),
    ]


def _limits(confinement: Confinement) -> list[str]:
    return [
        *(_tool("nice", "coreutils"), "-n", str(confinement.nice), _tool("prlimit", "util-linux")),
        f"--as={confinement.memory_bytes}",
        f"--cpu={confinement.cpu_s}",
        f"--fsize={confinement.output_bytes}",
        f"--nproc={confinement.threads}",
        *("--nofile=64", "--core=0", "--memlock=0", "--msgqueue=0"),
    ]


def _unprivileged_uid() -> int | None:
    """Return a user number that owns nothing, when we may become one; None when we are an ordinary user already.

    Inside a container's user namespace only some numbers exist; where only root exists, root there is an
    ordinary user outside, and a namespace of our own does the same.
    """
    if os.geteuid() != 0:
        return None
    wanted = secrets.choice(_UNUSED_UIDS)
    highest = 0
    for line in Path("/proc/self/uid_map").read_text(encoding="ascii").splitlines():
        first, _, count = (int(number) for number in line.split())
        if first <= wanted < first + count:
            return wanted
        highest = max(highest, first + count - 1)
    return highest or None


def _interpreter() -> Path:
    """Return the interpreter outside any virtual environment, since only its packages go in."""
    name = f"python{sysconfig.get_python_version()}"
    found = Path(sys.base_prefix).resolve() / "bin" / name
    return found if found.exists() else Path(os.path.realpath(sys.executable))


def _site(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise SandboxUnavailable(f"the package {package} is missing")
    return Path(spec.origin).resolve().parent.parent


def _tool(name: str, package: str) -> str:
    found = shutil.which(name, path=_PATH)
    if found is None:
        raise SandboxUnavailable(f"{name} is missing; install the system package {package}")
    return found
