"""Fetches from a relay's signed address and from nowhere else: hosts, addresses, redirects, sizes and times bounded."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from urllib.parse import SplitResult, urljoin, urlsplit

from schedules.errors import LoaError

CONNECT_S = 5.0
READ_S = 5.0
WHOLE_S = 20.0
MOST_REDIRECTS = 5

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TEXTS = ("text/", "application/json", "application/xml", "application/xhtml")
_PLAYLISTS = frozenset({"text/plain"})

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class FetchFailed(LoaError):
    """A source cannot be fetched from now. cause: `refused`, `not_audio`, `no_answer`, `stalled` or `ended`."""

    def __init__(self, cause: str, detail: str) -> None:
        self.cause = cause
        self.detail = detail
        super().__init__(f"{cause}: {detail}")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that is being read. url: where it came from in the end, for what it names."""

    url: str
    response: http.client.HTTPResponse
    connection: http.client.HTTPConnection

    def read(self, count: int) -> bytes:
        """Return what has come, at most `count` bytes, waiting for some; none at the end. Raises FetchFailed."""
        try:
            return self.response.read1(count)
        except TimeoutError as error:
            raise FetchFailed("stalled", f"nothing came for {READ_S:.0f} s") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise FetchFailed("ended", f"the connection broke: {error!r}") from error

    def whole(self, most_bytes: int) -> bytes:
        """Return all of it and close; raises FetchFailed where it is longer, or comes too slowly."""
        try:
            parts: list[bytes] = []
            length = 0
            deadline = time.monotonic() + WHOLE_S
            while part := self.read(65_536):
                parts.append(part)
                length += len(part)
                if length > most_bytes:
                    raise FetchFailed("not_audio", f"more than {most_bytes} bytes")
                if time.monotonic() > deadline:
                    raise FetchFailed("stalled", f"not whole after {WHOLE_S:.0f} s")
            return b"".join(parts)
        finally:
            self.close()

    def close(self) -> None:
        """Leave the server."""
        self.response.close()
        self.connection.close()


class Fetcher:
    """Asks the hosts that were signed, by http or https.

    own: the host of the source's address; only where it is itself a private address or this machine may anything in
    private networks be asked. others: further hosts that redirects and playlists may lead to.
    """

    def __init__(self, own: str, others: Iterable[str] = ()) -> None:
        self._hosts = frozenset({own.lower(), *(other.strip("[]").lower() for other in others)})
        self._private = own.lower() == "localhost" or _is_private(own)
        self._tls: ssl.SSLContext | None = None

    def get(self, url: str, *, text: bool = False) -> Answer:
        """Return the answer to a GET, redirects followed; raises FetchFailed. text: a playlist is asked for."""
        for _ in range(MOST_REDIRECTS + 1):
            parts = self._allowed(url)
            answer = self._ask(url, parts)
            status, kind = answer.response.status, (answer.response.headers.get_content_type() or "")
            if status in _REDIRECTS:
                target = urljoin(url, answer.response.headers.get("Location", ""))
                answer.close()
                if parts.scheme == "https" and not target.lower().startswith("https:"):
                    raise FetchFailed("refused", "redirected from https to something else")
                url = target
                continue
            if status != 200:
                answer.close()
                raise FetchFailed("no_answer", f"the server answers {status}")
            if kind.startswith(_TEXTS) and not (text and kind in _PLAYLISTS):
                answer.close()
                raise FetchFailed("not_audio", f"the server sends {kind}")
            return answer
        raise FetchFailed("refused", f"more than {MOST_REDIRECTS} redirects")

    def _allowed(self, url: str) -> SplitResult:
        try:
            parts = urlsplit(url)
            host, port = (parts.hostname or "").lower(), parts.port
        except ValueError as error:
            raise FetchFailed("refused", "not an address") from error
        if parts.scheme not in ("http", "https") or "@" in parts.netloc or port == 0:
            raise FetchFailed("refused", f"{parts.scheme}://{host} is no address of a stream")
        if host not in self._hosts:
            raise FetchFailed("refused", f"{host} is not among the hosts that were allowed")
        if any(ord(letter) < 0x21 or ord(letter) > 0x7E for letter in url):
            raise FetchFailed("refused", "an address with letters that have no place there")
        return parts

    def _ask(self, url: str, parts: SplitResult) -> Answer:
        host = parts.hostname or ""
        secure = parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        connection = http.client.HTTPConnection(host, port, timeout=READ_S)
        try:
            # Connected here, to the address that was looked at: a second look-up could give another one.
            connection.sock = self._connect(host, port)
            if secure:
                connection.sock = self._secured(connection.sock, host)
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("GET", path, headers={"User-Agent": "Loa", "Accept": "*/*", "Connection": "close"})
            return Answer(url, connection.getresponse(), connection)
        except TimeoutError as error:
            connection.close()
            raise FetchFailed("no_answer", f"{host} does not answer") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            connection.close()
            raise FetchFailed("no_answer", f"{host}: {error!r}") from error
        except FetchFailed:
            connection.close()
            raise

    def _connect(self, host: str, port: int) -> socket.socket:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
        usable = [address for address in addresses if self._private or not _hidden(address)]
        if not usable:
            raise FetchFailed("refused", f"{host} lies in a private network")
        return _first_of(usable, port)

    def _secured(self, plain: socket.socket, host: str) -> ssl.SSLSocket:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls.wrap_socket(plain, server_hostname=host)


def _first_of(addresses: Collection[Address], port: int) -> socket.socket:
    """Return a connection to the first address that takes one; raises OSError of the last one."""
    trouble: OSError | None = None
    for address in addresses:
        try:
            connection = socket.create_connection((str(address), port), timeout=CONNECT_S)
        except OSError as error:
            trouble = error
            continue
        connection.settimeout(READ_S)
        return connection
    raise trouble or OSError("no address")


def _is_private(host: str) -> bool:
    try:
        return _hidden(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        return False


def _hidden(address: Address) -> bool:
    """Return whether it is of this machine or of a network that is not everybody's."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    real = mapped or address
    return not real.is_global or real.is_multicast
