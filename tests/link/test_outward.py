"""The authority asks the internet for feeds, and nothing inside its own network, however it is talked into it."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from link.outward import MOST_REDIRECTS, Outward, OutwardRefused, is_outward


class _Answers(BaseHTTPRequestHandler):
    """Answers by path; notes who asked."""

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers["Host"]))
        if self.path.startswith("/to?"):
            self.send_response(302)
            self.send_header("Location", self.path[4:])
            self.end_headers()
            return
        if self.path == "/loop":
            self.send_response(302)
            self.send_header("Location", "/loop")
            self.end_headers()
            return
        if self.path == "/404":
            self.send_error(404)
            return
        self.send_response(200)
        self.end_headers()
        if self.path == "/endless":
            for _ in range(100):
                self.wfile.write(b"x" * 1000)
        else:
            self.wfile.write(b"<rss/>")

    def log_message(self, *_args) -> None:
        """Stay quiet."""


class _Server(ThreadingHTTPServer):
    """A server whose visitors may leave before it has said everything."""

    def handle_error(self, request, client_address) -> None:
        """They left: nothing to tell."""


@pytest.fixture
def server():
    """A web server of this machine, as one behind the firewall would be."""
    server = _Server(("127.0.0.1", 0), _Answers)
    server.asked = []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(5)


def address(server, path: str = "/feed", host: str = "127.0.0.1") -> str:
    """Return an address of the server."""
    return f"http://{host}:{server.server_port}{path}"


def named(server, **more) -> Outward:
    """Return a fetcher whose administrator named that server."""
    return Outward(inside=frozenset({f"127.0.0.1:{server.server_port}"}), **more)


def test_what_the_administrator_named_is_fetched(server):
    """A server inside is asked where it was named, redirects on it followed."""
    assert named(server).get(address(server)) == b"<rss/>"
    assert named(server).get(address(server, "/to?/feed")) == b"<rss/>"


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.org/x",
        "gopher://example.org/x",
        "http://user@example.org/",
        "http://a:b@127.0.0.1/",
        "http://exa mple.org/",
        "http://example.org\\@127.0.0.1/",
        "http://example.org:0/",
        "http://example.org:99999/",
        "http:///x",
        "//example.org/x",
        "http://example.org/\r\nHost: x",
        "http://" + "a" * 1000,
    ],
)
def test_s22_what_is_no_address_of_the_web_is_not_asked(url):
    """S22: other schemes, names and passwords, odd ports and letters never leave this machine."""

    def never(host, port):
        raise AssertionError("it was looked up")

    assert not is_outward(url)
    with pytest.raises(OutwardRefused) as refused:
        Outward(resolve=never).get(url)
    assert refused.value.cause == "refused"


@pytest.mark.parametrize(
    "found",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "fe80::1",
        "fd00::1",
        "::ffff:127.0.0.1",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
        "ff02::1",
    ],
)
def test_s22_a_public_name_that_leads_inside_is_not_asked(found):
    """S22: whatever the name, an address of this machine or of a private network is not connected to."""
    with pytest.raises(OutwardRefused) as refused:
        Outward(resolve=lambda host, port: [found]).get("http://feed.example/rss")
    assert refused.value.cause == "refused"


def test_s22_a_name_that_leads_inside_and_outside_is_not_asked():
    """S22: one public address does not vouch for a private one beside it."""
    with pytest.raises(OutwardRefused, match="private"):
        Outward(resolve=lambda host, port: ["93.184.215.14", "127.0.0.1"]).get("http://feed.example/rss")


def test_s22_numbers_that_mean_this_machine_are_this_machine(server):
    """S22: however its number is written, this machine is not asked unless it was named."""
    for host in ("127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"):
        with pytest.raises(OutwardRefused):
            Outward().get(f"http://{host}/")
    assert server.asked == []


def test_s22_a_redirect_is_looked_at_like_the_first_address(server):
    """S22: a server that may be asked cannot send us on to one that may not, to a file, or round and round."""
    for target in ("http://127.0.0.1:1/", "http://10.0.0.1/", "file:///etc/passwd", "http://169.254.169.254/latest"):
        with pytest.raises(OutwardRefused) as refused:
            named(server).get(address(server, f"/to?{target}"))
        assert refused.value.cause == "refused", target
    with pytest.raises(OutwardRefused, match="redirects"):
        named(server).get(address(server, "/loop"))
    assert len([path for path, _host in server.asked if path == "/loop"]) == MOST_REDIRECTS + 1


def test_s22_a_port_that_is_none_of_the_web_is_not_asked():
    """S22: services beside the web on public hosts are no feeds."""
    with pytest.raises(OutwardRefused, match="port"):
        Outward(resolve=lambda host, port: ["93.184.215.14"]).get("http://feed.example:25/")


def test_what_is_too_large_or_too_slow_is_given_up(server):
    """Neither an endless answer nor one that takes its time holds the machine."""
    with pytest.raises(OutwardRefused) as large:
        named(server).get(address(server, "/endless"), most_bytes=5000)
    ticks = iter(range(0, 10_000, 7))
    with pytest.raises(OutwardRefused) as slow:
        named(server, monotonic=lambda: float(next(ticks))).get(address(server, "/endless"))
    assert (large.value.cause, slow.value.cause) == ("too_large", "too_slow")


def test_who_does_not_answer_is_said(server):
    """A closed port, an unknown name and an error page are no feeds."""
    with pytest.raises(OutwardRefused) as missing:
        named(server).get(address(server, "/404"))

    def unknown(host, port):
        raise OSError("no such name")

    with pytest.raises(OutwardRefused) as nowhere:
        Outward(resolve=unknown).get("http://feed.example/")
    closed = server.server_port
    server.shutdown()
    server.server_close()
    with pytest.raises(OutwardRefused) as gone:
        Outward(inside=frozenset({"127.0.0.1"})).get(f"http://127.0.0.1:{closed}/")
    assert {missing.value.cause, nowhere.value.cause, gone.value.cause} == {"no_answer"}
