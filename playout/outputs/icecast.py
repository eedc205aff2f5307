"""A continuous stream to an Icecast server: what the server has acknowledged, while it also answers, has left."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import socket
import struct
import termios
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from playout.outputs.encoding import Encoder
from playout.source import NS_PER_S
from schedules.errors import OutputError

_CONNECT_S = 2.0
_PROBE_S = 0.4
_SILENT_NS = 1_500_000_000
_GIVE_UP_NS = 6 * NS_PER_S
_RETRIES_S = (0.5, 1.0, 2.0, 5.0)
_WELL_NS = 10 * NS_PER_S
_MOST_PENDING_BYTES = 256_000
_HEADERS_BYTES = 8192


class Icecast:
    """One mount of one server, connected to again and again. Used by one thread; `step` and `carry` never wait.

    url: http://HOST:PORT/MOUNT. password_file: read anew at each try, so that a change needs no restart.
    make_encoder: gives a fresh encoder for each connection.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str,
        user: str,
        password_file: Path | None,
        kbps: int,
        make_encoder: Callable[[], Encoder],
    ) -> None:
        self._url = url
        self._name = name
        self._user = user
        self._password_file = password_file
        self._kbps = kbps
        self._make_encoder = make_encoder
        self._attempt: _Attempt | None = None
        self._retry_at_ns = 0
        self._failures = 0
        self._stream: _Stream | None = None
        self.state, self.detail = "opening", ""
        self.generation = 0

    def step(self, now_ns: int) -> None:
        """Connect where that is due, send what waits, and see what the server has."""
        if self._stream is None:
            self._try(now_ns)
            return
        try:
            self._stream.step(now_ns)
        except OSError as error:
            self._drop(error.strerror or "the connection broke", now_ns)
        except OutputError as error:
            self._drop(str(error), now_ns)
        else:
            if now_ns - self._stream.begun_ns > _WELL_NS:
                self._failures = 0
            complaint = self._stream.complaint(now_ns)
            if complaint is not None:
                self.state, self.detail = "lost", complaint
            elif self._stream.left > 0:
                # Not before something arrived: a server that throws a source out lets it in first.
                self.state, self.detail = "ok", self._stream.host

    def carry(self, pcm: bytes, *, at_frame: int) -> None:
        """Encode the next samples; without a connection they are gone."""
        if self._stream is not None:
            self._stream.carry(pcm)

    def left(self) -> int:
        """Return how many frames of those given since the connection began the server has."""
        return self._stream.left if self._stream is not None else 0

    def _try(self, now_ns: int) -> None:
        if self._attempt is None:
            if now_ns < self._retry_at_ns:
                return
            self._attempt = _Attempt(self._open)
            self._attempt.start()
        elif self._attempt.done:
            attempt, self._attempt = self._attempt, None
            if attempt.connection is None:
                self._fail(attempt.why, now_ns)
                return
            self.generation += 1
            self._stream = _Stream(attempt.connection, encoder=self._make_encoder(), begun_ns=now_ns)
            self._stream.start()

    def _drop(self, why: str, now_ns: int) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None
        self._fail(why, now_ns)

    def _fail(self, why: str, now_ns: int) -> None:
        self.state, self.detail = "lost", why
        pause_s = _RETRIES_S[min(self._failures, len(_RETRIES_S) - 1)]
        self._failures += 1
        self._retry_at_ns = now_ns + round(pause_s * NS_PER_S)

    def _open(self) -> socket.socket:
        """Return a connection on which the server waits for the stream."""
        parts = urlsplit(self._url)
        if parts.scheme != "http" or parts.hostname is None:
            raise OutputError("only http:// addresses can be sent to")
        host, port = parts.hostname, parts.port or 80
        authorization = self._authorization()
        connection = socket.create_connection((host, port), timeout=_CONNECT_S)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            lines = [
                f"PUT {parts.path or '/'} HTTP/1.1",
                f"Host: {host}:{port}",
                *authorization,
                "User-Agent: Loa",
                f"Content-Type: {self._make_encoder().content_type}",
                "Ice-Public: 0",
                f"Ice-Name: {self._name}",
                f"Ice-Audio-Info: ice-samplerate=48000;ice-bitrate={self._kbps};ice-channels=1",
                "Expect: 100-continue",
            ]
            connection.sendall("\r\n".join([*lines, "", ""]).encode())
            _judge_answer(_answer(connection))
        except (OSError, OutputError):
            connection.close()
            raise
        connection.setblocking(False)
        return connection

    def _authorization(self) -> list[str]:
        if self._password_file is None:
            return []
        try:
            password = self._password_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise OutputError("the password file cannot be read") from error
        token = base64.b64encode(f"{self._user}:{password}".encode()).decode()
        return [f"Authorization: Basic {token}"]


class _Attempt:
    """One try to connect, in a thread of its own: names and servers may take seconds to answer."""

    def __init__(self, connect: Callable[[], socket.socket]) -> None:
        self._connect = connect
        self.connection: socket.socket | None = None
        self.why = ""
        self.done = False

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._run, name="connecting", daemon=True).start()

    def _run(self) -> None:
        try:
            self.connection = self._connect()
        except OSError as error:
            self.why = error.strerror or str(error) or "no answer"
        except OutputError as error:
            self.why = str(error)
        self.done = True


class _Stream:
    """One connection: bytes on their way, and which frames the server's machine has acknowledged.

    An acknowledgement comes from the server's kernel, also while the server itself hangs. So a frame has left only when
    the server answered a question that was asked after the frame was acknowledged.
    """

    def __init__(self, connection: socket.socket, *, encoder: Encoder, begun_ns: int) -> None:
        self._connection = connection
        self._encoder = encoder
        self._pending = bytearray()
        self._given_bytes = 0
        self._sent_bytes = 0
        self._marks: deque[tuple[int, int]] = deque()
        self._acknowledged: deque[tuple[int, int]] = deque()
        self._acknowledged_bytes = 0
        self._moved_ns = begun_ns
        address = connection.getpeername()
        self._probe = _Probe(address[0], address[1], now_ns=begun_ns)
        self.host = f"{address[0]}:{address[1]}"
        self.begun_ns = begun_ns
        self.left = 0

    def start(self) -> None:
        """Begin to ask whether the server answers."""
        self._probe.start()

    def close(self) -> None:
        """Leave the server."""
        self._probe.stop()
        self._connection.close()

    def carry(self, pcm: bytes) -> None:
        """Encode samples."""
        for encoded in self._encoder.encode(pcm):
            self._pending += encoded.data
            self._given_bytes += len(encoded.data)
            self._marks.append((self._given_bytes, encoded.end))

    def step(self, now_ns: int) -> None:
        """Send, and see how far the server is; raises OutputError or OSError where the connection is over."""
        self._listen()
        with contextlib.suppress(BlockingIOError):
            while self._pending:
                sent = self._connection.send(self._pending)
                del self._pending[:sent]
                self._sent_bytes += sent
        acknowledged = self._sent_bytes - _unacknowledged(self._connection)
        if acknowledged > self._acknowledged_bytes or acknowledged == self._given_bytes:
            self._moved_ns = now_ns
        self._acknowledged_bytes = acknowledged
        while self._marks and self._marks[0][0] <= acknowledged:
            self._acknowledged.append((now_ns, self._marks.popleft()[1]))
        while self._acknowledged and self._acknowledged[0][0] <= self._probe.asked_ns:
            self.left = max(self.left, self._acknowledged.popleft()[1])
        if now_ns - self._moved_ns > _GIVE_UP_NS or len(self._pending) > _MOST_PENDING_BYTES:
            raise OutputError("the server takes nothing")

    def complaint(self, now_ns: int) -> str | None:
        """Say what is wrong although the connection stands, None while all is well."""
        if now_ns - self._moved_ns > _SILENT_NS:
            return "the server takes nothing"
        if now_ns - self._probe.answered_ns > _SILENT_NS:
            return "the server does not answer"
        return None

    def _listen(self) -> None:
        try:
            said = self._connection.recv(_HEADERS_BYTES)
        except BlockingIOError:
            return
        if not said:
            raise OutputError("the server closed the connection")
        if said.startswith(b"HTTP/"):
            _judge_answer(said)


class _Probe:
    """Asks a server for its status twice a second. asked_ns: when the last was asked that it answered."""

    def __init__(self, host: str, port: int, *, now_ns: int) -> None:
        self._address = (host, port)
        self._stopping = threading.Event()
        self.asked_ns = 0
        self.answered_ns = now_ns

    def start(self) -> None:
        """Begin to ask."""
        threading.Thread(target=self._run, name="probe", daemon=True).start()

    def stop(self) -> None:
        """Ask no more."""
        self._stopping.set()

    def _run(self) -> None:
        request = f"GET /status-json.xsl HTTP/1.0\r\nHost: {self._address[0]}\r\nUser-Agent: Loa\r\n\r\n".encode()
        while not self._stopping.is_set():
            asked_ns = time.monotonic_ns()
            with contextlib.suppress(OSError), socket.create_connection(self._address, timeout=_CONNECT_S) as asking:
                asking.sendall(request)
                if asking.recv(16).startswith(b"HTTP/"):
                    self.asked_ns, self.answered_ns = asked_ns, time.monotonic_ns()
            self._stopping.wait(_PROBE_S)


def _answer(connection: socket.socket) -> bytes:
    said = b""
    while b"\r\n\r\n" not in said and len(said) < _HEADERS_BYTES:
        more = connection.recv(_HEADERS_BYTES)
        if not more:
            break
        said += more
    return said


def _judge_answer(said: bytes) -> None:
    """Raise OutputError where a server's answer does not let the stream in."""
    words = said.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
    if len(words) < 2 or not words[0].startswith("HTTP/"):
        raise OutputError("what answers is no Icecast server")
    if words[1] == "401":
        raise OutputError("the server refuses user or password (401)")
    if words[1] not in ("100", "200"):
        raise OutputError(f"the server refuses: {' '.join(words[1:])}")


def _unacknowledged(connection: socket.socket) -> int:
    """Return how many bytes the kernel holds that the other side has not acknowledged."""
    (held,) = struct.unpack("i", fcntl.ioctl(connection, termios.TIOCOUTQ, b"\0\0\0\0"))
    return int(held)
