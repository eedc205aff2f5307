"""Test 29: the locked room is tried from inside, as root and as an ordinary user."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import av
import psutil
import pytest

from audio import readiness, seccomp
from audio.child import Refusal
from audio.sandbox import Confinement, Sandbox
from schedules.errors import SandboxUnavailable
from tests.audio.conftest import Canary, Studio
from tests.audio.recordings import encoded, speech

PROJECT = Path(__file__).resolve().parents[2]
ORDINARY_UID = 1_800_000_001
CONFINEMENT = Confinement(memory_bytes=800_000_000, cpu_s=30, output_bytes=1_000_000)
SCRIPT = """
import json, os, sys
from audio.sandbox import Confinement, Sandbox
from schedules.errors import SandboxUnavailable
job = json.loads(sys.argv[1])
assert os.getuid() == job["uid"]
reading = os.open(job["folders"][0] + "/in", os.O_RDONLY)
writing = os.open(job["folders"][0] + "/out", os.O_RDWR)
confinement = Confinement(memory_bytes=800_000_000, cpu_s=30, output_bytes=1_000_000)
with Sandbox("audio.probe", confinement) as sandbox:
    print(json.dumps(sandbox.do(job, [reading, writing], wall_s=60)))
"""


def job_for(canary: Canary, folder: Path) -> dict[str, object]:
    database = folder / "loa.db"
    database.write_bytes(b"SQLite format 3\0")
    database.chmod(0o644)
    (folder / "in").write_bytes(b"x")
    (folder / "out").write_bytes(b"")
    return {
        "port": canary.port,
        "pid": os.getpid(),
        "secrets": [str(database), "/etc/shadow", "/etc/passwd", "/proc/1/environ", str(PROJECT / "Makefile")],
        "folders": [str(folder)],
        "uid": os.getuid(),
    }


def all_denied(answers: dict[str, object]) -> bool:
    assert len(answers) > 20
    assert [f"{name}: {said}" for name, said in answers.items() if "DONE" in str(said)] == []
    return answers["uid"] != 0


def probed(job: dict[str, object]) -> dict[str, object]:
    folder = Path(str(job["folders"][0]))
    with (
        (folder / "in").open("rb") as reading,
        (folder / "out").open("r+b") as writing,
        Sandbox("audio.probe", CONFINEMENT) as sandbox,
    ):
        return dict(sandbox.do(job, [reading.fileno(), writing.fileno()], wall_s=60))


def test_s29_nothing_gets_out_as_whoever_runs_this(canary: Canary, tmp_path: Path) -> None:
    """Connecting, writing, forking, tracing, reading: each attempt from inside is denied."""
    assert all_denied(probed(job_for(canary, tmp_path)))


def test_s29_the_walls_stand_without_the_filter(
    canary: Canary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine whose system calls we do not know: still no network, no files, no rights, no fork bomb."""
    monkeypatch.setattr(seccomp, "program", lambda: None)
    answers = probed(job_for(canary, tmp_path))
    tolerated = {"unix socket", "ptrace", "new user namespace", "fork"}
    done = {name for name, said in answers.items() if str(said).startswith("DONE")}
    assert done <= tolerated
    assert str(answers["connect"]).startswith("denied")
    made = str(answers["fork"]).removeprefix("DONE: ")
    assert not made.isdigit() or int(made) < 100


def test_s29_nothing_gets_out_as_an_ordinary_user(canary: Canary, tmp_path: Path) -> None:
    """The same without root: run by a made user when the test is run by root."""
    # pytest's own folders are closed to other users.
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        job = job_for(canary, folder)
        if os.getuid() == 0:
            job["uid"] = ORDINARY_UID
            os.chown(folder / "out", ORDINARY_UID, ORDINARY_UID)
            command = as_ordinary_user(folder)
        else:
            command = [sys.executable]
        ran = subprocess.run(
            [*command, "-c", SCRIPT, json.dumps(job)],
            capture_output=True,
            cwd=PROJECT if os.getuid() else "/",
            env={**os.environ, "PYTHONPATH": str(PROJECT)} if os.getuid() else {},
            check=False,
            text=True,
        )
    assert ran.returncode == 0, ran.stderr
    assert all_denied(json.loads(ran.stdout))


def as_ordinary_user(folder: Path) -> list[str]:
    """Return the start of a command in a root that a made user may read, wherever the checkout lies."""
    base, packages = Path(sys.base_prefix).resolve(), Path(av.__file__).resolve().parents[1]
    command = ["/usr/bin/bwrap", "--ro-bind", "/usr", "/usr", "--proc", "/proc", "--dev", "/dev"]
    for name in ("bin", "sbin", "lib", "lib64"):
        command += ["--symlink", f"usr/{name}", f"/{name}"]
    bound = [(PROJECT / "audio", "/checkout/audio"), (PROJECT / "schedules", "/checkout/schedules")]
    bound += [(packages, "/packages")]
    if not base.is_relative_to("/usr"):
        bound.append((base, str(base)))
    made: set[Path] = {Path("/")}
    for source, target in [*bound, (folder, str(folder))]:
        for parent in reversed(Path(target).parents):
            if parent not in made:
                command += ["--perms", "0755", "--dir", str(parent)]
                made.add(parent)
        command += ["--bind" if source == folder else "--ro-bind", str(source), target]
    command += ["--setenv", "PYTHONPATH", "/checkout:/packages", "--chdir", "/", "--die-with-parent"]
    uid = str(ORDINARY_UID)
    command += ["/usr/bin/setpriv", "--reuid", uid, "--regid", uid, "--clear-groups", "--inh-caps=-all"]
    interpreter = base / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    return [*command, str(interpreter), "-S", "-s", "-P"]


def test_a_job_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    """The parent's patience ends, the process is gone, and a new one can be started."""
    sandbox = Sandbox("audio.decode", CONFINEMENT)
    sandbox.start()
    with (tmp_path / "x").open("w+b") as file, pytest.raises(Refusal, match="too_complex"):
        inside = psutil.Process(sandbox.pid).children(recursive=True)
        assert inside
        sandbox.do({}, [file.fileno(), file.fileno()], wall_s=0.0)
    assert not sandbox.running
    assert psutil.wait_procs(inside, timeout=10)[1] == []
    sandbox.start()
    assert sandbox.running
    sandbox.close()
    sandbox.close()


def test_a_nonsense_job_does_not_hurt_the_parent(tmp_path: Path) -> None:
    """A process that dies of a programming error is a damaged file to the caller, not a crash."""
    with (tmp_path / "x").open("w+b") as file, Sandbox("audio.decode", CONFINEMENT) as sandbox:
        with pytest.raises(Refusal, match="damaged"):
            sandbox.do({}, [file.fileno(), file.fileno()], wall_s=10)
        assert not sandbox.running


@pytest.mark.parametrize(
    "answer",
    [
        "b'[' * 60_000",
        "b'\\xff\\xfe nonsense'",
        "b'[1, 2]'",
        'b\'{"refused": "damaged", "details": {"code": 1, "self": 2}}\'',
        'b\'{"refused": ["x"], "details": 7}\'',
        'b\'{"refused": "os_error", "details": {"errno": "x"}}\'',
        'b\'{"result": {"samples": 1e999, "end_s": NaN, "errors": -5, "cancelling": 3}}\'',
        "b'{\"result\": 3}'",
        'b\'{"progress": "much"}\'',
    ],
)
def test_a_decoder_that_was_taken_over_cannot_confuse_the_parent(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    """Whatever comes out of the room, the uploader gets a sentence and the parent lives."""
    script = "import socket; s = socket.socket(fileno=0); s.send(b'{\"ready\": true}'); s.recv(9999); "
    script += f"s.send({answer})"
    monkeypatch.setattr("audio.sandbox._assembled", lambda *_, **__: [sys.executable, "-c", script])
    assert studio.refuse(encoded("wav", speech(1.0))).code in ("damaged", "truncated", "too_complex", "empty")


def test_an_unknown_machine_has_no_filter() -> None:
    """Numbers of another machine's calls are never used."""
    assert seccomp.program("riscv64") is None
    for machine in ("x86_64", "aarch64"):
        filter_program = seccomp.program(machine)
        assert filter_program is not None
        assert len(filter_program) % 8 == 0


def test_a_ready_machine_has_no_findings() -> None:
    """Where everything is installed and tight, `loa check` has nothing to say about ingest."""
    assert readiness.findings() == ()


def test_a_machine_without_bubblewrap_takes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without confinement nothing is decoded at all, and the administrator is told what to install."""
    monkeypatch.setattr("audio.sandbox._PATH", str(tmp_path))
    (finding,) = readiness.findings()
    assert finding.code == "sandbox_unavailable"
    assert finding.hint is not None
    assert "bubblewrap" in finding.hint.vi
    with pytest.raises(SandboxUnavailable, match="bubblewrap"):
        Sandbox("audio.decode", CONFINEMENT).start()


def test_a_machine_that_cannot_confine_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    """A room that cannot be built is an error of the machine, never a word about the recording."""
    monkeypatch.setattr("audio.sandbox._rooms", lambda *_, **__: ["--ro-bind", "/does/not/exist", "/x"])
    with pytest.raises(SandboxUnavailable, match="does/not/exist"):
        Sandbox("audio.decode", CONFINEMENT).start()


def test_a_leaking_room_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the filter some attempts work: they are named."""
    monkeypatch.setattr(seccomp, "program", lambda: None)
    (finding,) = readiness.findings()
    assert finding.code == "sandbox_leaks"
    assert "unix socket" in finding.message.en
