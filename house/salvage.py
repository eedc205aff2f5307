"""The part of an upload that had come when its line broke: the server would throw it away, here it is kept."""

from __future__ import annotations

from typing import Any

import structlog
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import BaseWSGIServer
from waitress.task import WSGITask

_UPLOADS = "/api/v1/uploads/"

_log = structlog.get_logger()


class SalvagingChannel(HTTPChannel):  # type: ignore[misc]  # waitress has no types
    """A connection of the web server. Waitress hands a request on when its body is whole, and drops what is not.

    Over a line that breaks every few megabytes a client that sends its file in one request would then never get on.
    """

    def handle_close(self) -> None:
        """Close the connection, and hand on what had come of an upload's part."""
        request = self.request
        if self.connected and request is not None and _worth_keeping(request):
            # Not taken from the channel: others may be looking at it. It is never completed any more.
            self.server.task_dispatcher.add_task(_Remainder(self, request))
        super().handle_close()


class _Remainder:
    """A task for the server's threads: the request as if it had ended where the line broke. Nobody hears the answer."""

    def __init__(self, channel: HTTPChannel, request: HTTPRequestParser) -> None:
        self._channel = channel
        self._request = request

    def service(self) -> None:
        """Do it."""
        self._request.headers["CONTENT_LENGTH"] = str(len(self._request.body_rcv))
        try:
            answer = self._channel.server.application(self._environment(), _ignore)
            for _part in answer:
                pass
            if hasattr(answer, "close"):
                answer.close()
        finally:
            self._request.close()

    def cancel(self) -> None:
        """Leave it: the server stops."""
        self._request.close()

    def _environment(self) -> dict[str, Any]:
        environment: dict[str, Any] = WSGITask(self._channel, self._request).get_environment()
        return environment


def keep_remainders(server: Any) -> None:  # noqa: ANN401 - waitress has two kinds of servers and no types
    """Have a server made by `waitress.create_server` hand on what had come of uploads when their lines broke."""
    for one in [server, *getattr(server, "map", getattr(server, "_map", {})).values()]:
        if isinstance(one, BaseWSGIServer) and not issubclass(one.channel_class, SalvagingChannel):
            one.channel_class = SalvagingChannel


def _worth_keeping(request: HTTPRequestParser) -> bool:
    return (
        request.headers_finished
        and not request.completed
        and request.error is None
        and request.body_bytes_received > 0
        and not request.chunked
        and request.command == "PATCH"
        and request.path.startswith(_UPLOADS)
        # Half of what a checksum is of cannot be compared with it.
        and "UPLOAD_CHECKSUM" not in request.headers
    )


def _ignore(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Any:  # noqa: ANN401 - WSGI's own
    _log.info("a broken line's part is kept", status=status, offset=dict(headers).get("Upload-Offset"))
    return lambda _data: None
