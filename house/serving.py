"""The web server: waitress, which needs no thread for a slow sender, with TLS of its own where that is wanted."""

from __future__ import annotations

import ssl
import threading
import time
from pathlib import Path
from typing import Any

import structlog
from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer, create_server
from waitress.task import ThreadedTaskDispatcher

from house.salvage import SalvagingChannel

_RECORD_BYTES = 16_384
_log = structlog.get_logger()


class Certificate:
    """The certificate that the pages are served with; a renewed one is taken up without a restart."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self._files = (certificate, key)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.set_alpn_protocols(["http/1.1"])
        self._seen: tuple[float, ...] = ()

    def load(self) -> bool:
        """Read the files where they are new; returns whether they were. Raises OSError (ssl.SSLError is one)."""
        seen = tuple(path.stat().st_mtime for path in self._files)
        if seen == self._seen:
            return False
        self.context.load_cert_chain(*self._files)
        self._seen = seen
        return True


class TlsChannel(SalvagingChannel):
    """A connection of a browser over TLS, on waitress's own loop: nothing in it ever waits.

    OpenSSL's object of a connection may be used by one thread at a time; the loop reads while workers write. Nothing
    is closed while that lock is held: closing takes waitress's lock, under which workers write.
    """

    def __init__(self, server: TlsServer, sock: Any, addr: Any, adj: Any, map: Any = None) -> None:  # noqa: ANN401 - waitress's own names
        self._one_at_a_time = threading.Lock()
        self._wants_to_write = False
        wrapped = server.certificate.context.wrap_socket(
            sock, server_side=True, do_handshake_on_connect=False, suppress_ragged_eofs=True
        )
        super().__init__(server, wrapped, addr, adj, map=map)

    def handle_read(self) -> None:
        """Take what came: at most what one record holds, for OpenSSL keeps the rest of it where no poll sees it."""
        while True:
            data = self._take()
            if data is None:
                return
            if not data:
                self.handle_close()
                return
            # waitress judges idle connections by the wall clock.
            self.last_activity = time.time()
            self.received(data)
            if not self._left():
                return

    def writable(self) -> bool:
        """Return whether the loop should write: also where the handshake waits for that."""
        return bool(self._wants_to_write or super().writable())

    def handle_write(self) -> None:
        """Go on with the handshake, or send."""
        if self._wants_to_write:
            self._wants_to_write = False
            self.handle_read()
            return
        super().handle_write()

    def send(self, data: bytes, do_close: bool = True) -> int:
        """Send what goes without waiting; returns how many bytes went."""
        try:
            with self._one_at_a_time:
                return int(self.socket.send(data[:_RECORD_BYTES]))
        except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
            return 0
        except OSError:
            # Whoever left in the middle of an answer is no error of ours.
            if do_close:
                self.handle_close()
            self.will_close = True
            return 0

    def _take(self) -> bytes | None:
        """Return what came; None for nothing yet, nothing at all where the other end left or does not speak TLS."""
        try:
            with self._one_at_a_time:
                return bytes(self.socket.recv(_RECORD_BYTES))
        except ssl.SSLWantReadError:
            return None
        except ssl.SSLWantWriteError:
            self._wants_to_write = True
            return None
        except OSError:
            return b""

    def _left(self) -> bool:
        with self._one_at_a_time:
            return self.socket is not None and self.connected and self.socket.pending() > 0


class TlsServer(TcpWSGIServer):  # type: ignore[misc]  # waitress is untyped
    """waitress's server, whose connections speak TLS."""

    channel_class = TlsChannel
    certificate: Certificate

    def handle_accept(self) -> None:
        """Take a connection; one that is gone before it could begin must not end the server."""
        try:
            super().handle_accept()
        except OSError as error:
            _log.info("connection_gone", error=type(error).__name__)


def serve(app: Any, certificate: Certificate | None = None, **adjustments: Any) -> Any:  # noqa: ANN401 - waitress is untyped
    """Return a server for the app, listening; `run` serves. Raises OSError where it cannot listen."""
    if certificate is None:
        return create_server(app, **adjustments)
    certificate.load()
    wanted = Adjustments(url_scheme="https", **adjustments)
    dispatcher = ThreadedTaskDispatcher()
    dispatcher.set_thread_count(wanted.threads)
    shared: dict[int, Any] = {}
    servers = []
    for place in wanted.listen:
        one = TlsServer(app, shared, False, dispatcher=dispatcher, adj=wanted, sockinfo=place)
        one.certificate = certificate
        one.accept_connections()
        servers.append(one)
    return servers[-1]
