"""Pages over TLS of Loa's own: a real client that trusts the root, slow ones, wrong ones, and a renewed certificate."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from house.serving import Certificate, serve
from link import certificates

BODY = os.urandom(3_000_000)


def app(environ, start_response):
    """Answer with what was sent, or with three megabytes."""
    sent = environ["wsgi.input"].read()
    body = sent or BODY
    start_response("200 OK", [("Content-Type", "x/y"), ("X-Scheme", environ["wsgi.url_scheme"])])
    return [body[start : start + 50_000] for start in range(0, len(body), 50_000)]


class Served:
    """A server over TLS on a free port, and clients that trust its root."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        certificates.make_root(folder, authority="Xã Long Hiệp", domains=(), now=datetime.now(UTC))
        certificates.issue(folder, ("localhost", "127.0.0.1"), datetime.now(UTC))
        self.certificate = Certificate(*certificates.served_files(folder))
        self._server = serve(app, self.certificate, host="127.0.0.1", port=0, threads=2, asyncore_use_poll=True)
        self.port = int(self._server.effective_port)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()

    def client(self, host: str = "localhost") -> http.client.HTTPSConnection:
        """Return a connection that believes the root alone."""
        context = ssl.create_default_context(cafile=str(certificates.root_file(self.folder)))
        return http.client.HTTPSConnection(host, self.port, context=context, timeout=10)

    def raw(self) -> socket.socket:
        """Return a plain connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def stop(self) -> None:
        """End it."""
        self._server.task_dispatcher.shutdown()
        # The loop ends when nothing is left to look at: also the other end of browsers that are still there.
        self._server.pull_trigger()
        for channel in tuple(self._server._map.values()):
            channel.close()
        self._thread.join(5)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A server over TLS."""
    made = Served(tmp_path_factory.mktemp("served") / "tls")
    yield made
    made.stop()


def get(client, body=None):
    """Ask once; return status, what the app saw as its scheme, and the body."""
    client.request("POST" if body else "GET", "/", body=body)
    answer = client.getresponse()
    return answer.status, answer.getheader("X-Scheme"), answer.read()


def test_whoever_trusts_the_root_is_served(served):
    """By name and by address, large answers and large bodies come whole, many on one connection."""
    for host in ("localhost", "127.0.0.1"):
        client = served.client(host)
        assert get(client) == (200, "https", BODY)
        assert get(client, BODY[:700_000])[2] == BODY[:700_000]
        assert get(client)[0] == 200
        client.close()


def test_whoever_does_not_is_not(served):
    """A client without the root, or with another name, makes no connection."""
    strange = http.client.HTTPSConnection("localhost", served.port, context=ssl.create_default_context(), timeout=10)
    with pytest.raises(ssl.SSLCertVerificationError):
        strange.request("GET", "/")
    context = ssl.create_default_context(cafile=str(certificates.root_file(served.folder)))
    with served.raw() as connection, pytest.raises(ssl.SSLCertVerificationError):
        context.wrap_socket(connection, server_hostname="loa.lan")


def test_old_protocols_are_refused(served):
    """Nothing below TLS 1.2 is spoken."""
    context = ssl.create_default_context(cafile=str(certificates.root_file(served.folder)))
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    with served.raw() as connection, context.wrap_socket(connection, server_hostname="localhost") as secure:
        assert secure.version() == "TLSv1.2"
    assert served.certificate.context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_s26_those_who_are_slow_or_speak_nonsense_keep_nobody_out(served):
    """S26: half a handshake, plain HTTP, garbage and a body that does not come hold no thread."""
    waiting = [served.raw() for _ in range(20)]
    for number, connection in enumerate(waiting):
        connection.sendall([b"", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 500][number % 4])
    slow = served.client()
    slow.putrequest("POST", "/")
    slow.putheader("Content-Length", "1000000")
    slow.endheaders()
    slow.send(b"x")
    client = served.client()
    assert get(client) == (200, "https", BODY)
    client.close()
    slow.close()
    for connection in waiting:
        connection.close()
    client = served.client()
    assert get(client)[0] == 200
    client.close()


def test_many_at_once_get_their_own_answers(served):
    """Twelve clients that send and read at the same time each get back what they sent."""
    wrong: list[int] = []

    def ask(number: int) -> None:
        client = served.client()
        for turn in range(3):
            body = bytes([number, turn]) * (40_000 + 7_919 * number)
            if get(client, body)[2] != body:
                wrong.append(number)
        client.close()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert wrong == []
    assert not any(thread.is_alive() for thread in threads)


def test_a_renewed_certificate_is_taken_up_without_a_restart(served):
    """The next connection sees the new one."""

    def serial() -> str:
        client = served.client()
        client.connect()
        found = client.sock.getpeercert()["serialNumber"]
        client.close()
        return found

    before = serial()
    assert not served.certificate.load()
    certificates.issue(served.folder, ("localhost", "127.0.0.1"), datetime.now(UTC))
    assert served.certificate.load()
    assert serial() != before
