"""How the command line reaches a running Loa: a JSON line each way over a socket in DATA, open to its owner only."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from link.codec import dump, load
from schedules.errors import LoaError, Refused
from schedules.findings import Finding

LIMIT = 1 << 20
TIMEOUT_S = 600.0

Handler = Callable[[Mapping[str, Any]], Mapping[str, Any]]


class NotRunning(LoaError):
    """No Loa holds this DATA."""


class ControlSocket:
    """Answers orders of the command line, each in a thread of its own, so that a long or broken one stops no other."""

    def __init__(self, path: Path, handlers: Mapping[str, Handler]) -> None:
        self._path = path
        self._handlers = handlers
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to listen. The caller holds the lock on DATA, so an old socket is nobody's."""
        self._path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            listener.bind(str(self._path))
        finally:
            os.umask(before)
        listener.listen(4)
        self._socket = listener
        self._thread = threading.Thread(target=self._serve, args=(listener,), name="control", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop listening."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            self._socket.close()
            self._path.unlink(missing_ok=True)

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), name="order", daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        connection.settimeout(10.0)
        with connection, contextlib.suppress(OSError), connection.makefile("rwb") as file:
            order = json.loads(file.readline(LIMIT))
            handler = self._handlers.get(order.get("order", ""))
            if handler is None:
                answer: Mapping[str, Any] = {"error": "unknown order"}
            else:
                try:
                    answer = {"done": handler(order.get("with", {}))}
                except Refused as refused:
                    answer = {"refused": [dump(finding) for finding in refused.findings]}
                except (LoaError, OSError) as error:
                    answer = {"error": str(error)}
            file.write(json.dumps(answer).encode() + b"\n")
            file.flush()


def ask(path: Path, order: str, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401 - plain JSON
    """Return what a running Loa answers. Raises NotRunning where none does, Refused and LoaError as it raised them."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(TIMEOUT_S)
        try:
            client.connect(str(path))
        except OSError as error:
            raise NotRunning(str(path)) from error
        with client.makefile("rwb") as file:
            file.write(json.dumps({"order": order, "with": dict(parameters)}).encode() + b"\n")
            file.flush()
            line = file.readline()
    if not line:
        raise LoaError("the running Loa ended, or failed, before it answered; its own messages say why")
    answer = json.loads(line)
    if "refused" in answer:
        raise Refused(*(load(Finding, finding) for finding in answer["refused"]))
    if "error" in answer:
        raise LoaError(answer["error"])
    return answer["done"]
