"""Fetches a page from the public internet for the authority: no address inside, nothing endless, nothing unbounded."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urljoin, urlsplit

from schedules.errors import LoaError

CONNECT_S = 5.0
WHOLE_S = 20.0
MOST_REDIRECTS = 4
MOST_BYTES = 2_000_000
LONGEST_URL = 1000

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PORTS = frozenset({80, 443, 8080, 8443})
_BLOCK = 65_536

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Collection[str]]


class OutwardRefused(LoaError):
    """Something is not fetched, or could not be. cause: `refused`, `no_answer`, `too_large` or `too_slow`."""

    def __init__(self, cause: str, detail: str) -> None:
        self.cause = cause
        self.detail = detail
        super().__init__(f"{cause}: {detail}")


def resolve(host: str, port: int) -> Collection[str]:
    """Return the addresses of a host."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]).partition("%")[0] for entry in found]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outward:
    """Asks public hosts by http or https.

    inside: hosts in private networks, as `host` or `host:port`, that the administrator of the machine named; no others
    there are asked. resolve: what a name means is looked up once, and that address is asked.
    """

    inside: frozenset[str] = frozenset()
    resolve: Resolve = resolve
    monotonic: Callable[[], float] = field(default=time.monotonic)

    def get(self, url: str, *, most_bytes: int = MOST_BYTES) -> bytes:
        """Return what an address gives, redirects followed; raises OutwardRefused."""
        until = self.monotonic() + WHOLE_S
        for _ in range(MOST_REDIRECTS + 1):
            parts = _checked(url)
            with _Connection(self, parts, until) as answer:
                if answer.status in _REDIRECTS:
                    target = urljoin(url, answer.headers.get("Location", ""))
                    if parts.scheme == "https" and not target.lower().startswith("https:"):
                        raise OutwardRefused("refused", "redirected from https to something else")
                    url = target
                    continue
                if answer.status != 200:
                    raise OutwardRefused("no_answer", f"the server answers {answer.status}")
                return self._whole(answer, most_bytes, until)
        raise OutwardRefused("refused", f"more than {MOST_REDIRECTS} redirects")

    def _whole(self, answer: http.client.HTTPResponse, most_bytes: int, until: float) -> bytes:
        parts: list[bytes] = []
        length = 0
        while True:
            if self.monotonic() > until:
                raise OutwardRefused("too_slow", f"not whole after {WHOLE_S:.0f} s")
            part = answer.read1(_BLOCK)
            if not part:
                return b"".join(parts)
            parts.append(part)
            length += len(part)
            if length > most_bytes:
                raise OutwardRefused("too_large", f"more than {most_bytes} bytes")

    def connected(self, parts: SplitResult, until: float) -> socket.socket:
        """Return a connection to an address that may be asked; raises OutwardRefused."""
        host = (parts.hostname or "").lower()
        port = parts.port or (443 if parts.scheme == "https" else 80)
        allowed = host in self.inside or f"{host}:{port}" in self.inside
        if port not in _PORTS and not allowed:
            raise OutwardRefused("refused", f"port {port} is not one of the web")
        try:
            found = [ipaddress.ip_address(one) for one in self.resolve(host, port)]
        except (OSError, ValueError) as error:
            raise OutwardRefused("no_answer", f"{host} is not known") from error
        if not allowed and any(_hidden(address) for address in found):
            # Also one of several: a name that points inside and outside at once is no honest one.
            raise OutwardRefused("refused", f"{host} lies in a private network")
        connection = _first_of(found, port, until - self.monotonic())
        if parts.scheme != "https":
            return connection
        return ssl.create_default_context().wrap_socket(connection, server_hostname=host)


class _Connection:
    """One question and its answer; leaves the server at the end."""

    def __init__(self, outward: Outward, parts: SplitResult, until: float) -> None:
        self._outward = outward
        self._parts = parts
        self._until = until
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=CONNECT_S)
        self._answer: http.client.HTTPResponse | None = None

    def __enter__(self) -> http.client.HTTPResponse:
        parts = self._parts
        try:
            self._connection.sock = self._outward.connected(parts, self._until)
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            headers = {"Host": parts.netloc, "User-Agent": "Loa", "Accept": "*/*", "Connection": "close"}
            self._connection.request("GET", path, headers=headers)
            self._answer = self._connection.getresponse()
        except TimeoutError as error:
            self._connection.close()
            raise OutwardRefused("too_slow", "no answer in time") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._connection.close()
            raise OutwardRefused("no_answer", type(error).__name__) from error
        except OutwardRefused:
            self._connection.close()
            raise
        return self._answer

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if self._answer is not None:
            self._answer.close()
        self._connection.close()
        if isinstance(error, TimeoutError):
            raise OutwardRefused("too_slow", "the answer stopped") from error
        if isinstance(error, OSError | http.client.HTTPException):
            raise OutwardRefused("no_answer", type(error).__name__) from error


def is_outward(url: str) -> bool:
    """Return whether an address is one of the web by its form; where it leads is looked at when it is asked."""
    try:
        _checked(url)
    except OutwardRefused:
        return False
    return True


def _checked(url: str) -> SplitResult:
    if len(url) > LONGEST_URL or any(not 0x21 <= ord(letter) <= 0x7E for letter in url) or "\\" in url:
        raise OutwardRefused("refused", "an address with letters that have no place there")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise OutwardRefused("refused", "not an address") from error
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc or port == 0:
        raise OutwardRefused("refused", "no address of a web page")
    return parts


def _first_of(addresses: Iterable[Address], port: int, left_s: float) -> socket.socket:
    trouble: OSError | None = None
    for address in addresses:
        try:
            connection = socket.create_connection((str(address), port), timeout=max(0.1, min(CONNECT_S, left_s)))
        except OSError as error:
            trouble = error
            continue
        connection.settimeout(CONNECT_S)
        return connection
    raise trouble or OSError("no address")


def _hidden(address: Address) -> bool:
    """Return whether it is of this machine or of a network that is not everybody's, also where it hides in IPv6."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is not None and _hidden(inner):
            return True
        # NAT64: 64:ff9b::/96 carries an IPv4 address in its last 32 bits.
        if address in ipaddress.ip_network("64:ff9b::/96"):
            return _hidden(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if address.ipv4_mapped is not None:
            return False
    return not address.is_global or address.is_multicast
