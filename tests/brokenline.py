"""A bad link for tests: passes bytes on to a server, and breaks connections after so many of them."""

from __future__ import annotations

import contextlib
import socket
import threading

_BLOCK = 1 << 16


class BrokenLine:
    """A port that leads to another one. Each number of `cuts`: after so many more bytes the connection is broken."""

    def __init__(self, target: tuple[str, int], cuts: list[int]) -> None:
        self.target = target
        self.cuts = cuts
        self.broken = 0
        self._passed = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        """Break everything and listen no more."""
        with self._lock:
            for one in (self._listener, *self._open):
                _end(one)
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self.target, timeout=10)
            except OSError:
                _end(client)
                continue
            server.settimeout(None)
            with self._lock:
                self._open |= {client, server}
            for part in (
                threading.Thread(target=self._up, args=(client, server), daemon=True),
                threading.Thread(target=self._down, args=(server, client), daemon=True),
            ):
                self._threads.append(part)
                part.start()

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while block := client.recv(_BLOCK):
                server.sendall(block)
                with self._lock:
                    self._passed += len(block)
                    if self.cuts and self._passed >= self.cuts[0]:
                        self.cuts.pop(0)
                        self.broken += 1
                        self._passed = 0
                        break
        self._part(client, server)

    def _down(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while block := server.recv(_BLOCK):
                client.sendall(block)
        self._part(client, server)

    def _part(self, *both: socket.socket) -> None:
        with self._lock:
            self._open -= {*both}
            for one in both:
                _end(one)


def _end(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
