"""A real Icecast server and listeners of network streams, for tests."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import av
import numpy as np

from playout.benches.soundlab import Samples, wait_until
from playout.source import RATE_HZ

PASSWORD = "mat-khau-thu-nghiem"

_SETTINGS = """<icecast>
<limits><clients>40</clients><sources>4</sources><burst-on-connect>0</burst-on-connect></limits>
<authentication><source-password>{password}</source-password>
<admin-user>admin</admin-user><admin-password>{password}</admin-password></authentication>
<hostname>localhost</hostname>
<listen-socket><port>{port}</port><bind-address>127.0.0.1</bind-address></listen-socket>
<paths><basedir>{folder}</basedir><logdir>{folder}</logdir>
<webroot>/usr/share/icecast2/web</webroot><adminroot>/usr/share/icecast2/admin</adminroot></paths>
<logging><accesslog>access.log</accesslog><errorlog>error.log</errorlog><loglevel>3</loglevel></logging>
<security><chroot>0</chroot>{owner}</security>
</icecast>
"""
_OWNER = "<changeowner><user>nobody</user><group>nogroup</group></changeowner>"


class IcecastServer:
    """Debian's icecast2 on a free port of this machine, with a configuration of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.password_file = folder / "password"

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        # As root it insists on becoming somebody else, who must be able to write its logs.
        owner = _OWNER if os.getuid() == 0 else ""
        self._folder.chmod(0o777 if owner else 0o700)
        for name in ("access.log", "error.log"):
            (self._folder / name).unlink(missing_ok=True)
        settings = self._folder / "icecast.xml"
        settings.write_text(_SETTINGS.format(port=self.port, folder=self._folder, password=PASSWORD, owner=owner))
        self.password_file.write_text(PASSWORD + "\n")
        self._process = subprocess.Popen(
            ["icecast2", "-c", str(settings)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_until(self._answers, timeout_s=30, what="icecast2")

    def mount(self, name: str) -> str:
        """Return the address of a mount."""
        return f"http://127.0.0.1:{self.port}/{name}"

    def stop(self, number: int = signal.SIGKILL) -> None:
        """Send it a signal; end it where that is SIGKILL."""
        if self._process is not None:
            self._process.send_signal(number)
            if number == signal.SIGKILL:
                self._process.wait()
                self._process = None

    def _answers(self) -> bool:
        # From another address of this machine: a connection to a free port may otherwise meet itself.
        address, source = ("127.0.0.1", self.port), ("127.0.0.2", 0)
        with contextlib.suppress(OSError), socket.create_connection(address, timeout=1, source_address=source):
            return True
        return False


class Listener:
    """Somebody who listens to a mount: keeps every byte that comes, and decodes them afterwards."""

    def __init__(self, port: int, mount: str) -> None:
        self._connection = socket.create_connection(("127.0.0.1", port), timeout=5)
        self._connection.sendall(f"GET /{mount} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        self._bytes = bytearray()
        self._over = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def connected(self) -> bool:
        """Whether the server still sends."""
        return not self._over.is_set()

    def welcome(self) -> bool:
        """Return whether the server lets it listen: the mount is there."""
        wait_until(lambda: b"\r\n" in self._bytes or not self.connected, timeout_s=5, what="an answer")
        return b" 200 " in bytes(self._bytes[:16])

    def close(self) -> None:
        """Listen no more."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._over.wait(5)
        self._connection.close()

    def sound(self) -> tuple[str, Samples]:
        """Return the codec, and everything heard."""
        body = bytes(self._bytes).split(b"\r\n\r\n", 1)[1]
        return decoded(io.BytesIO(body))

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while more := self._connection.recv(65_536):
                self._bytes += more
        self._over.set()


def decoded(source: io.BytesIO | str, **options: Any) -> tuple[str, Samples]:
    """Return the codec of a file or stream and its sound as mono at 48 kHz, up to its end or a time-out."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
    pieces: list[Samples] = []
    with av.open(source, **options) as container:
        stream = container.streams.audio[0]
        with contextlib.suppress(av.error.InvalidDataError, av.error.ExitError):
            for frame in container.decode(stream):
                pieces += [piece.to_ndarray()[0] for piece in resampler.resample(frame)]
        return str(stream.codec_context.name), np.concatenate(pieces)


class SenderProcess:
    """`python -m playout.outputs.sender` for one output. inside: a command that it is started by."""

    def __init__(self, output: Mapping[str, object], *, inside: tuple[str, ...] = ()) -> None:
        self.output = output
        self.told: list[tuple[float, str, str]] = []
        self._process = subprocess.Popen(
            [*inside, sys.executable, "-m", "playout.outputs.sender", str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdin is not None
        order = {"output": dict(output), "socket": str(output["socket"])}
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def wait(self, state: str, *, timeout_s: float = 30, detail: str = "") -> None:
        """Wait until it tells this state now."""
        try:
            wait_until(
                lambda: bool(self.told) and self.told[-1][1] == state and detail in self.told[-1][2],
                timeout_s=timeout_s,
                what=f"a stream {state} {detail}",
            )
        except TimeoutError as error:
            error.add_note(f"told: {self.told[:3]} … {self.told[-3:]}, ended: {self._process.poll()}")
            raise

    def close(self) -> None:
        """End it as its parent's end would."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(5)
        self._thread.join(5)
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            told = json.loads(line)
            self.told.append((time.monotonic(), told["state"], told["detail"]))


def speech_like(rng: np.random.Generator, seconds: float) -> Samples:
    """Return noise without high notes, which encoders at low rates leave out; no two stretches alike."""
    count = round(seconds * RATE_HZ)
    kernel = np.hanning(24)
    wave = np.convolve(rng.normal(0.0, 1.0, count), kernel / kernel.sum(), mode="same")
    return (wave / np.abs(wave).max() * 20_000).astype(np.int16)
